// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "forge/write.h"

static void fail(struct inv_sink *sink, const char *what)
{
	if (sink->code == INV_OK)
		sink->code = inv_fail(sink->error, INV_E_IO, "%s: %s: %s", sink->path, what, strerror(errno));
}

void inv_sink_open(struct inv_sink *sink, const char *path, struct inv_error *error)
{
	*sink = (struct inv_sink){.path = path, .file = -1, .error = error};
	if (!path)
		return;
	sink->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (sink->file < 0)
		fail(sink, "cannot be created");
}

void inv_sink_set_size(struct inv_sink *sink, uint64_t size)
{
	if (sink->code != INV_OK)
		return;
	sink->size = size;
	if (sink->path) {
		if (ftruncate(sink->file, (off_t)size) != 0)
			fail(sink, "cannot be given its size");
	} else if (size > INV_SINK_MEMORY_MAX) {
		sink->code = inv_fail(sink->error, INV_E_UNSUPPORTED, "an image of %llu bytes is not made in memory",
		                      (unsigned long long)size);
	} else {
		sink->bytes = inv_alloc((size_t)size);
	}
}

static void put_in_file(struct inv_sink *sink, uint64_t offset, const uint8_t *bytes, size_t size)
{
	while (size && sink->code == INV_OK) {
		ssize_t written = pwrite(sink->file, bytes, size, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			fail(sink, "cannot be written");
			return;
		}
		bytes += written;
		offset += (uint64_t)written;
		size -= (size_t)written;
	}
}

void inv_sink_put(struct inv_sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	if (sink->code != INV_OK)
		return;
	if (offset > sink->size || size > sink->size - offset)
		sink->code = inv_fail(sink->error, INV_E_INTERNAL, "a writer put %zu bytes at 0x%llx of 0x%llx", size,
		                      (unsigned long long)offset, (unsigned long long)sink->size);
	else if (sink->path)
		put_in_file(sink, offset, bytes, size);
	else
		memcpy(sink->bytes + offset, bytes, size);
}

enum inv_code inv_sink_close(struct inv_sink *sink)
{
	if (sink->file >= 0 && close(sink->file) != 0)
		fail(sink, "cannot be closed");
	sink->file = -1;
	if (sink->code != INV_OK) {
		free(sink->bytes);
		sink->bytes = NULL;
	}
	return sink->code;
}

// Of every page another content, and of no shape that anything in Windows has.
static void make_filler(uint8_t *page, uint64_t address)
{
	struct inv_random random = {address};
	for (size_t i = 0; i < INV_RAM_PAGE; i += 8)
		inv_put64(page + i, inv_random_next(&random));
}

static void make_page(const struct inv_ram *ram, uint64_t address, uint8_t *page)
{
	const uint8_t *written = inv_ram_page(ram, address);
	if (written)
		memcpy(page, written, INV_RAM_PAGE);
	else if (inv_ram_kind(ram, address) == INV_RAM_FREE)
		make_filler(page, address);
	else // somebody has it, and reads zeros
		memset(page, 0, INV_RAM_PAGE);
}

// All that is below the end of the filled memory, many pages at a time. Returns where that was.
static uint64_t put_filled(struct inv_sink *sink, const struct inv_ram *ram, const struct inv_ram_run *run,
                           uint64_t offset)
{
	uint8_t pages[64 * INV_RAM_PAGE];
	uint64_t end = run->address + run->size, at = run->address;
	if (inv_ram_filled(ram) < end)
		end = (inv_ram_filled(ram) + INV_RAM_PAGE - 1) / INV_RAM_PAGE * INV_RAM_PAGE;
	while (at < end && sink->code == INV_OK) {
		size_t size = end - at < sizeof pages ? (size_t)(end - at) : sizeof pages;
		for (size_t i = 0; i < size; i += INV_RAM_PAGE)
			make_page(ram, at + i, pages + i);
		inv_sink_put(sink, offset + (at - run->address), pages, size);
		at += size;
	}
	return at;
}

void inv_sink_put_run(struct inv_sink *sink, const struct inv_ram *ram, const struct inv_ram_run *run, uint64_t offset)
{
	uint64_t page = put_filled(sink, ram, run, offset);
	while (sink->code == INV_OK && inv_ram_next_page(ram, page, &page) && page - run->address < run->size) {
		inv_sink_put(sink, offset + (page - run->address), inv_ram_page(ram, page), INV_RAM_PAGE);
		page += INV_RAM_PAGE;
	}
}
