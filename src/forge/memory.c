// SPDX-License-Identifier: Apache-2.0
#include "forge/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "forge/random.h"

#define CHUNK_PAGES 512u
#define CHUNK_SIZE (CHUNK_PAGES * (uint64_t)INV_RAM_PAGE)
#define LOW_END 0xa0000ull        // the VGA window begins
#define HIGH_START 0x100000ull    // the first byte after the first MiB
#define SCATTER_START 0x400000ull // frames given to nobody in particular stand above; the boot loader's are beneath
#define PCI_HOLE 0xc0000000ull
#define PCI_END 0x100000000ull

// Pages as the image has them, where that is not what they hold now: they were written to after they were acquired.
struct acquired {
	uint8_t *page[CHUNK_PAGES]; // NULL: nobody had written the page
	bool kept[CHUNK_PAGES];     // `page` counts
};

struct chunk {
	uint8_t *page[CHUNK_PAGES];
	uint8_t kind[CHUNK_PAGES]; // enum inv_ram_kind
	struct acquired *acquired; // NULL: none of these pages has changed since
};

struct inv_ram {
	struct inv_ram_run run[3];
	size_t run_count;
	uint64_t highest;
	struct chunk **chunk;
	size_t chunk_count;
	struct inv_random random;
	bool exhausted;
	uint64_t filled;   // physical address
	uint64_t acquired; // physical address: what lies below is in the image already
	uint64_t taken;    // no frame from HIGH_START to here is free
};

struct inv_ram *inv_ram_new(uint64_t size, uint64_t seed)
{
	size = (size + CHUNK_SIZE - 1) / CHUNK_SIZE * CHUNK_SIZE;
	if (size < INV_RAM_MIN)
		size = INV_RAM_MIN;
	if (size > INV_RAM_MAX)
		size = INV_RAM_MAX;
	struct inv_ram *ram = inv_alloc(sizeof *ram);
	ram->random.state = seed;
	ram->taken = HIGH_START;
	// The first page is in no run: Windows leaves it to the firmware.
	ram->run[0] = (struct inv_ram_run){INV_RAM_PAGE, LOW_END - INV_RAM_PAGE};
	uint64_t low = size < PCI_HOLE ? size : PCI_HOLE;
	ram->run[1] = (struct inv_ram_run){HIGH_START, low - HIGH_START};
	ram->run_count = 2;
	ram->highest = low;
	if (size > PCI_HOLE) {
		ram->run[ram->run_count++] = (struct inv_ram_run){PCI_END, size - PCI_HOLE};
		ram->highest = PCI_END + size - PCI_HOLE;
	}
	ram->chunk_count = (size_t)((ram->highest + CHUNK_SIZE - 1) / CHUNK_SIZE);
	ram->chunk = inv_alloc(ram->chunk_count * sizeof(struct chunk *));
	return ram;
}

static void free_chunk(struct chunk *chunk)
{
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		free(chunk->page[i]);
		if (chunk->acquired)
			free(chunk->acquired->page[i]);
	}
	free(chunk->acquired);
	free(chunk);
}

void inv_ram_free(struct inv_ram *ram)
{
	if (!ram)
		return;
	for (size_t i = 0; i < ram->chunk_count; i++)
		if (ram->chunk[i])
			free_chunk(ram->chunk[i]);
	free((void *)ram->chunk);
	free(ram);
}

void inv_ram_fill(struct inv_ram *ram, uint64_t end)
{
	ram->filled = end;
}

uint64_t inv_ram_filled(const struct inv_ram *ram)
{
	return ram->filled;
}

void inv_ram_acquire(struct inv_ram *ram, uint64_t end)
{
	end -= end % INV_RAM_PAGE; // a page is read at once
	if (end > ram->acquired)
		ram->acquired = end;
}

const struct inv_ram_run *inv_ram_runs(const struct inv_ram *ram, size_t *count)
{
	*count = ram->run_count;
	return ram->run;
}

uint64_t inv_ram_highest(const struct inv_ram *ram)
{
	return ram->highest;
}

bool inv_ram_exhausted(const struct inv_ram *ram)
{
	return ram->exhausted;
}

static bool exists(const struct inv_ram *ram, uint64_t address, uint64_t size)
{
	for (size_t i = 0; i < ram->run_count; i++)
		if (address >= ram->run[i].address && size <= ram->run[i].size &&
		    address - ram->run[i].address <= ram->run[i].size - size)
			return true;
	return false;
}

static struct chunk *chunk_of(const struct inv_ram *ram, uint64_t address)
{
	uint64_t index = address / CHUNK_SIZE;
	return index < ram->chunk_count ? ram->chunk[index] : NULL;
}

static struct chunk *make_chunk(struct inv_ram *ram, uint64_t address)
{
	uint64_t index = address / CHUNK_SIZE;
	if (index >= ram->chunk_count)
		return NULL;
	if (!ram->chunk[index])
		ram->chunk[index] = inv_alloc(sizeof(struct chunk));
	return ram->chunk[index];
}

static size_t slot_of(uint64_t address)
{
	return (size_t)(address / INV_RAM_PAGE % CHUNK_PAGES);
}

enum inv_ram_kind inv_ram_kind(const struct inv_ram *ram, uint64_t address)
{
	const struct chunk *chunk = chunk_of(ram, address);
	return chunk ? (enum inv_ram_kind)chunk->kind[slot_of(address)] : INV_RAM_FREE;
}

static bool is_free(const struct inv_ram *ram, uint64_t address, uint64_t size)
{
	if (!exists(ram, address, size))
		return false;
	for (uint64_t at = address; at < address + size; at += INV_RAM_PAGE)
		if (inv_ram_kind(ram, at) != INV_RAM_FREE)
			return false;
	return true;
}

static void mark(struct inv_ram *ram, uint64_t address, uint64_t size, enum inv_ram_kind kind)
{
	for (uint64_t at = address; at < address + size; at += INV_RAM_PAGE) {
		struct chunk *chunk = make_chunk(ram, at);
		if (chunk)
			chunk->kind[slot_of(at)] = (uint8_t)kind;
	}
}

bool inv_ram_take_at(struct inv_ram *ram, uint64_t address, enum inv_ram_kind kind)
{
	if (!is_free(ram, address, INV_RAM_PAGE))
		return false;
	mark(ram, address, INV_RAM_PAGE, kind);
	return true;
}

uint64_t inv_ram_take_block(struct inv_ram *ram, uint64_t size, uint64_t alignment, enum inv_ram_kind kind)
{
	uint64_t places = (ram->highest - SCATTER_START) / alignment + 1;
	// A few throws of the dice, then the first place that is free.
	for (unsigned i = 0; i < 64; i++) {
		uint64_t at = (SCATTER_START + alignment - 1) / alignment * alignment;
		at += inv_random_below(&ram->random, places) * alignment;
		if (is_free(ram, at, size)) {
			mark(ram, at, size, kind);
			return at;
		}
	}
	for (uint64_t at = (ram->taken + alignment - 1) / alignment * alignment; at < ram->highest; at += alignment) {
		if (is_free(ram, at, size)) {
			mark(ram, at, size, kind);
			if (size == INV_RAM_PAGE && alignment == INV_RAM_PAGE)
				ram->taken = at + size;
			return at;
		}
	}
	ram->exhausted = true;
	return 0;
}

uint64_t inv_ram_take(struct inv_ram *ram, enum inv_ram_kind kind)
{
	return ram->exhausted ? 0 : inv_ram_take_block(ram, INV_RAM_PAGE, INV_RAM_PAGE, kind);
}

static const uint8_t *page_of(const struct inv_ram *ram, uint64_t address)
{
	const struct chunk *chunk = chunk_of(ram, address);
	return chunk ? chunk->page[slot_of(address)] : NULL;
}

static const uint8_t *image_page(const struct chunk *chunk, size_t slot)
{
	bool kept = chunk->acquired && chunk->acquired->kept[slot];
	return kept ? chunk->acquired->page[slot] : chunk->page[slot];
}

const uint8_t *inv_ram_page(const struct inv_ram *ram, uint64_t address)
{
	const struct chunk *chunk = chunk_of(ram, address);
	return chunk ? image_page(chunk, slot_of(address)) : NULL;
}

// How many bytes from `address` on lie in its page, at most `size`.
static size_t part_of(uint64_t address, size_t size)
{
	size_t left = INV_RAM_PAGE - (size_t)(address % INV_RAM_PAGE);
	return size < left ? size : left;
}

void inv_ram_read(const struct inv_ram *ram, uint64_t address, void *buffer, size_t size)
{
	uint8_t *to = buffer;
	while (size) {
		size_t part = part_of(address, size);
		const uint8_t *page = page_of(ram, address);
		if (page)
			memcpy(to, page + address % INV_RAM_PAGE, part);
		else
			memset(to, 0, part);
		to += part;
		address += part;
		size -= part;
	}
}

// The page is about to change: the image keeps it as it is.
static void keep(struct chunk *chunk, size_t slot)
{
	if (!chunk->acquired)
		chunk->acquired = inv_alloc(sizeof *chunk->acquired);
	struct acquired *acquired = chunk->acquired;
	if (acquired->kept[slot])
		return;
	acquired->kept[slot] = true;
	if (!chunk->page[slot])
		return;
	acquired->page[slot] = inv_alloc(INV_RAM_PAGE);
	memcpy(acquired->page[slot], chunk->page[slot], INV_RAM_PAGE);
}

void inv_ram_write(struct inv_ram *ram, uint64_t address, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	while (size) {
		size_t part = part_of(address, size);
		struct chunk *chunk = make_chunk(ram, address);
		if (!chunk)
			return;
		size_t slot = slot_of(address);
		if (address < ram->acquired)
			keep(chunk, slot);
		if (!chunk->page[slot])
			chunk->page[slot] = inv_alloc(INV_RAM_PAGE);
		memcpy(chunk->page[slot] + address % INV_RAM_PAGE, from, part);
		from += part;
		address += part;
		size -= part;
	}
}

uint64_t inv_ram_get64(const struct inv_ram *ram, uint64_t address)
{
	uint8_t bytes[8];
	inv_ram_read(ram, address, bytes, sizeof bytes);
	return inv_le64(bytes);
}

void inv_ram_put64(struct inv_ram *ram, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_ram_write(ram, address, bytes, sizeof bytes);
}

bool inv_ram_next_page(const struct inv_ram *ram, uint64_t address, uint64_t *page)
{
	address = (address + INV_RAM_PAGE - 1) / INV_RAM_PAGE * INV_RAM_PAGE;
	while (address < ram->highest) {
		const struct chunk *chunk = chunk_of(ram, address);
		if (!chunk) {
			address = (address / CHUNK_SIZE + 1) * CHUNK_SIZE;
			continue;
		}
		if (image_page(chunk, slot_of(address))) {
			*page = address;
			return true;
		}
		address += INV_RAM_PAGE;
	}
	return false;
}
