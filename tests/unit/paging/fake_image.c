// SPDX-License-Identifier: Apache-2.0
#include "fake_image.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"

#define MAX_PAGES ((size_t)512)

struct fake_page {
	uint64_t frame; // page frame number
	uint8_t *bytes; // NULL: the slot is free
	size_t present; // bytes from the start
	size_t split;   // where the first piece ends
};

struct inv_image {
	struct fake_page pages[MAX_PAGES]; // hashed by frame, open addressing
	size_t count;
	struct inv_image_info info;
	atomic_size_t *calls; // behind a pointer, since readers have the image as const
};

struct inv_image *fake_image_new(void)
{
	struct inv_image *image = inv_alloc(sizeof *image);
	image->calls = inv_alloc(sizeof *image->calls);
	return image;
}

void fake_image_free(struct inv_image *image)
{
	for (size_t i = 0; i < MAX_PAGES; i++)
		free(image->pages[i].bytes);
	free(image->calls);
	free(image);
}

// The slot of a page, or the free slot where it would stand.
static size_t slot_of(const struct inv_image *image, uint64_t physical)
{
	const uint64_t frame = physical / INV_PAGE_SIZE;
	size_t slot = (size_t)(frame * UINT64_C(0x9e3779b97f4a7c15) >> 52) % MAX_PAGES;
	while (image->pages[slot].bytes && image->pages[slot].frame != frame)
		slot = (slot + 1) % MAX_PAGES;
	return slot;
}

static const struct fake_page *find(const struct inv_image *image, uint64_t physical)
{
	const struct fake_page *page = &image->pages[slot_of(image, physical)];
	return page->bytes ? page : NULL;
}

static struct fake_page *add(struct inv_image *image, uint64_t physical)
{
	struct fake_page *page = &image->pages[slot_of(image, physical)];
	if (page->bytes)
		return page;
	// A free slot must remain, or searching would not end.
	if (++image->count >= MAX_PAGES)
		abort();
	*page = (struct fake_page){.frame = physical / INV_PAGE_SIZE, .bytes = inv_alloc(INV_PAGE_SIZE)};
	page->present = page->split = INV_PAGE_SIZE;
	return page;
}

uint8_t *fake_page(struct inv_image *image, uint64_t physical)
{
	return add(image, physical)->bytes;
}

void fake_put64(struct inv_image *image, uint64_t physical, uint64_t value)
{
	inv_put64(fake_page(image, physical) + physical % INV_PAGE_SIZE, value);
}

void fake_truncate(struct inv_image *image, uint64_t physical, size_t size)
{
	add(image, physical)->present = size;
}

void fake_split(struct inv_image *image, uint64_t physical, size_t offset)
{
	add(image, physical)->split = offset;
}

size_t fake_calls(const struct inv_image *image)
{
	return *image->calls;
}

static size_t piece(const struct inv_image *image, uint64_t address, size_t size, const uint8_t **bytes)
{
	const struct fake_page *page = find(image, address);
	const size_t offset = address % INV_PAGE_SIZE;
	if (!page || offset >= page->present)
		return 0;
	size_t end = offset < page->split ? page->split : INV_PAGE_SIZE;
	if (end > page->present)
		end = page->present;
	*bytes = page->bytes + offset;
	return size < end - offset ? size : end - offset;
}

size_t inv_image_bytes(const struct inv_image *image, uint64_t address, size_t size, const uint8_t **bytes)
{
	atomic_fetch_add(image->calls, 1);
	return piece(image, address, size, bytes);
}

size_t inv_image_read(const struct inv_image *image, uint64_t address, void *buffer, size_t size)
{
	atomic_fetch_add(image->calls, 1);
	size_t done = 0;
	while (done < size) {
		const uint8_t *bytes;
		const size_t got = piece(image, address + done, size - done, &bytes);
		if (got == 0)
			break;
		memcpy((uint8_t *)buffer + done, bytes, got);
		done += got;
	}
	return done;
}

const struct inv_image_info *inv_image_info(const struct inv_image *image)
{
	return &image->info;
}
