// SPDX-License-Identifier: Apache-2.0
// Which parts of a sparse file hold data: a big machine of which little is in use costs as much as what is in use.
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/search.h"
#include "image/format.h"

bool inv_image_ask_for_data(const struct inv_image *image, uint64_t offset, uint64_t *start, uint64_t *end)
{
	off_t data = lseek(image->file, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno == ENXIO)
		return false;
	*start = data < 0 ? offset : (uint64_t)data;
	off_t hole = data < 0 ? -1 : lseek(image->file, data, SEEK_HOLE);
	// Where the file system cannot tell, everything is data.
	*end = hole <= data ? image->size : (uint64_t)hole;
	return true;
}

// Each part costs two system calls.
static void seek_parts(struct inv_image *image)
{
	struct inv_data_part part = {0};
	while (inv_count(image->parts) < INV_MAX_DATA_PARTS &&
	       inv_image_ask_for_data(image, part.end, &part.start, &part.end))
		inv_push(image->parts, part);
}

// An extent that adjoins the part before it is more of the same.
static void add_extent(struct inv_image *image, uint64_t start, uint64_t end)
{
	size_t count = inv_count(image->parts);
	struct inv_data_part part = {.start = start, .end = end < image->size ? end : image->size};
	if (count && image->parts[count - 1].end == start)
		image->parts[count - 1].end = part.end;
	else if (part.start < part.end)
		inv_push(image->parts, part);
}

#define EXTENTS_AT_ONCE 256u

// Many file systems (ext4, XFS, Btrfs) list their extents, many for one system call. false: this one does not, or whether an
// extent holds data cannot be told from the list.
static bool list_parts(struct inv_image *image)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + EXTENTS_AT_ONCE * sizeof(struct fiemap_extent)];
	} list;
	for (uint64_t next = 0; next < image->size && inv_count(image->parts) < INV_MAX_DATA_PARTS;) {
		memset(&list.map, 0, sizeof list.map);
		list.map.fm_start = next;
		list.map.fm_length = image->size - next;
		list.map.fm_extent_count = EXTENTS_AT_ONCE;
		if (ioctl(image->file, FS_IOC_FIEMAP, &list.map) != 0)
			return false;
		for (uint32_t i = 0; i < list.map.fm_mapped_extents && i < EXTENTS_AT_ONCE; i++) {
			const struct fiemap_extent *extent = &list.map.fm_extents[i];
			if (extent->fe_flags & FIEMAP_EXTENT_UNWRITTEN || extent->fe_logical + extent->fe_length <= next)
				return false;
			next = extent->fe_logical + extent->fe_length;
			add_extent(image, extent->fe_logical, next);
		}
		if (list.map.fm_mapped_extents == 0)
			break;
	}
	return true;
}

// Each hole is a mapping of its own, of which the kernel gives a process 65,530 unless it is told otherwise.
#define MAX_COVERED_HOLES 16384u

// tmpfs fills a hole that is only read through a mapping. That would change the file, and take the memory of a machine that is
// watched while it runs: so zeros of our own are mapped over its holes.
static void cover_holes(struct inv_image *image)
{
	size_t count = inv_count(image->parts);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), hole = 0;
	image->bare_holes = count >= MAX_COVERED_HOLES;
	for (size_t i = 0; i <= count && i < MAX_COVERED_HOLES; i++) {
		uint64_t start = (hole + page - 1) & ~(page - 1);
		uint64_t end = (i < count ? image->parts[i].start : image->size) & ~(page - 1);
		if (start < end)
			(void)mmap((uint8_t *)image->mapping + start, (size_t)(end - start), PROT_READ,
			           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		if (i < count)
			hole = image->parts[i].end;
	}
}

// Every read asks whether it is in a bare hole, and a search among many parts would be most of what it costs. 4 MiB at most.
#define MAX_HOLE_PAGES (UINT64_C(1) << 25)

static void note_hole_pages(struct inv_image *image)
{
	size_t count = inv_count(image->parts);
	uint64_t pages = (image->size + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE, page = 0;
	if (pages > MAX_HOLE_PAGES)
		return;
	image->hole_pages = inv_alloc((size_t)(pages / 64 + 1) * sizeof *image->hole_pages);
	for (size_t i = 0; i <= count; i++) {
		uint64_t data = i < count ? image->parts[i].start / INV_PAGE_SIZE : count < INV_MAX_DATA_PARTS ? pages : page;
		for (; page < data; page++)
			image->hole_pages[page / 64] |= UINT64_C(1) << page % 64;
		if (i < count)
			page = (image->parts[i].end + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE;
	}
}

static bool is_hole(const struct inv_image *image, uint64_t start, uint64_t end)
{
	uint64_t page = start / INV_PAGE_SIZE;
	if (image->hole_pages)
		return start < image->size && image->hole_pages[page / 64] >> page % 64 & 1;
	size_t next = INV_UPPER_BOUND(image->parts, inv_count(image->parts), end, start);
	return next == inv_count(image->parts) ? next < INV_MAX_DATA_PARTS : image->parts[next].start >= end;
}

static const uint8_t zeros[INV_PAGE_SIZE];

size_t inv_image_pass_over_hole(const struct inv_image *image, uint64_t offset, size_t size, const uint8_t **bytes)
{
	uint64_t rest = INV_PAGE_SIZE - offset % INV_PAGE_SIZE;
	size_t here = size < rest ? size : (size_t)rest;
	if (!is_hole(image, offset, offset + here))
		return 0;
	*bytes = zeros;
	return here;
}

void inv_image_note_parts(struct inv_image *image)
{
	if (list_parts(image))
		return;
	inv_array_free(image->parts);
	seek_parts(image);
	cover_holes(image);
	if (image->bare_holes)
		note_hole_pages(image);
}
