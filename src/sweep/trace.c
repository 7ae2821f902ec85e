// SPDX-License-Identifier: Apache-2.0
// From physical pages to virtual ones: one walk over the kernel half of System's page tables, which keeps only the pages that
// hold hits.
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/search.h"
#include "base/workers.h"
#include "paging/frame.h"
#include "sweep/detect.h"

#define ENTRIES 512u
// Page tables are as hostile as all else. A machine with 2 TiB of mapped kernel memory has about this many.
#define MAX_TABLES ((size_t)1 << 20)
// A page whose number, cut to so many bits, is not marked holds no hit.
#define MARK_BITS 20u

struct page {
	uint64_t physical;
	uint64_t address; // 0: not found yet
};

struct table {
	uint64_t key; // physical address, with the level in the low bits
	bool value;
};

struct trace {
	const struct inv_image *image;
	struct page *pages; // stb_ds; by physical address
	uint8_t *marks;
	struct table *tables; // stb_ds map: those that were read
	unsigned levels;
	unsigned self_slot;
	bool whole; // every table could be read
};

static uint64_t mark_of(uint64_t physical)
{
	return physical / INV_PAGE_SIZE & ((1u << MARK_BITS) - 1);
}

static struct page *page_at(const struct trace *trace, uint64_t physical)
{
	uint64_t mark = mark_of(physical);
	if (!(trace->marks[mark / 8] >> mark % 8 & 1))
		return NULL;
	size_t low = INV_LOWER_BOUND(trace->pages, inv_count(trace->pages), physical, physical);
	bool found = low < inv_count(trace->pages) && trace->pages[low].physical == physical;
	return found ? &trace->pages[low] : NULL;
}

static void find_pages(struct trace *trace, const struct inv_hit *hits, size_t count)
{
	trace->marks = inv_alloc((1u << MARK_BITS) / 8);
	for (size_t i = 0; i < count; i++) {
		uint64_t physical = hits[i].physical & ~(uint64_t)(INV_PAGE_SIZE - 1);
		size_t known = inv_count(trace->pages);
		if (hits[i].kind == INV_HIT_ROOT || (known && trace->pages[known - 1].physical == physical))
			continue;
		struct page page = {.physical = physical};
		inv_push(trace->pages, page); // the hits come in order
		trace->marks[mark_of(physical) / 8] |= (uint8_t)(1u << mark_of(physical) % 8);
	}
}

static void note_page(const struct trace *trace, uint64_t physical, uint64_t address)
{
	struct page *page = page_at(trace, physical);
	if (page && page->address == 0)
		page->address = address;
}

// The pages of 4 KiB within a large one: as many hits as there are, so that a large page costs no more than its hits.
static void note_large(const struct trace *trace, uint64_t physical, uint64_t size, uint64_t address)
{
	size_t low = INV_LOWER_BOUND(trace->pages, inv_count(trace->pages), physical, physical);
	for (; low < inv_count(trace->pages) && trace->pages[low].physical - physical < size; low++)
		if (trace->pages[low].address == 0)
			trace->pages[low].address = address + (trace->pages[low].physical - physical);
}

// A table that is met a second time at the same level is a loop, or shared; the first way to it is enough.
static bool is_new(struct trace *trace, uint64_t table, unsigned level)
{
	uint64_t key = table | level;
	if (stbds_hmgeti(trace->tables, key) >= 0)
		return false;
	if ((size_t)stbds_hmlen(trace->tables) >= MAX_TABLES) {
		trace->whole = false;
		return false;
	}
	stbds_hmput(trace->tables, key, true);
	return true;
}

static uint64_t sign_extend(const struct trace *trace, uint64_t address)
{
	unsigned bits = 12 + 9 * trace->levels;
	return address >> (bits - 1) & 1 ? address | ~(uint64_t)0 << bits : address;
}

// Level 1 holds the entries of pages. Tables on the way are at most five deep.
static void walk_table(struct trace *trace, uint64_t table, unsigned level, uint64_t base) // NOLINT(misc-no-recursion)
{
	const uint8_t *bytes;
	if (inv_image_bytes(trace->image, table, INV_PAGE_SIZE, &bytes) < INV_PAGE_SIZE) {
		trace->whole = false;
		return;
	}
	unsigned shift = 12 + 9 * (level - 1);
	bool top = level == trace->levels;
	for (unsigned i = top ? ENTRIES / 2 : 0; i < ENTRIES; i++) {
		uint64_t entry = inv_le64(bytes + (size_t)i * 8);
		if (!(entry & INV_ENTRY_VALID) || (top && i == trace->self_slot))
			continue;
		uint64_t address = sign_extend(trace, base | (uint64_t)i << shift);
		uint64_t to = entry & INV_FRAME_MASK;
		if (level == 1)
			note_page(trace, to, address);
		else if (entry & INV_ENTRY_LARGE && level <= 3)
			note_large(trace, to & ~(((uint64_t)1 << shift) - 1), (uint64_t)1 << shift, address);
		else if (!(entry & INV_ENTRY_LARGE) && is_new(trace, to, level - 1))
			walk_table(trace, to, level - 1, address);
	}
}

// The address that an empty list head in the object gives itself, if it maps the very same byte.
static uint64_t own_address(const struct inv_kernel *kernel, const struct inv_pattern *pattern,
                            const struct inv_hit *hit)
{
	uint8_t raw[8];
	bool shape = hit->kind == INV_HIT_PROCESS || hit->kind == INV_HIT_THREAD;
	if (!shape || pattern->wait_list == INV_NO_OFFSET ||
	    inv_image_read(kernel->image, hit->physical + pattern->wait_list, raw, sizeof raw) < sizeof raw)
		return 0;
	uint64_t address = inv_le64(raw) - pattern->wait_list, physical;
	bool same = inv_space_translate(kernel->space, address, &physical, NULL) && physical == hit->physical;
	return same ? address : 0;
}

// Each hit is addressed for itself, by several threads.
#define HITS_A_JOB 4096u

struct addressing {
	const struct inv_kernel *kernel;
	const struct inv_pattern *pattern;
	const struct trace *trace;
	struct inv_hit *hits;
};

static void address_hits(void *context, size_t first, size_t end)
{
	const struct addressing *a = context;
	for (size_t i = first; i < end; i++) {
		struct inv_hit *hit = &a->hits[i];
		if (hit->kind == INV_HIT_ROOT)
			continue;
		const struct page *page = page_at(a->trace, hit->physical & ~(uint64_t)(INV_PAGE_SIZE - 1));
		hit->address = own_address(a->kernel, a->pattern, hit);
		if (!hit->address && page && page->address)
			hit->address = page->address | (hit->physical & (INV_PAGE_SIZE - 1));
	}
}

bool inv_trace_hits(const struct inv_kernel *kernel, const struct inv_pattern *pattern, unsigned threads,
                    struct inv_hit *hits, size_t count)
{
	struct trace trace = {.image = kernel->image,
	                      .levels = inv_space_levels(kernel->space),
	                      .self_slot = pattern->self_slot,
	                      .whole = true};
	find_pages(&trace, hits, count);
	if (inv_count(trace.pages))
		walk_table(&trace, inv_space_dtb(kernel->space) & INV_FRAME_MASK, trace.levels, 0);
	struct addressing addressing = {kernel, pattern, &trace, hits};
	inv_workers_spans(threads, count, HITS_A_JOB, address_hits, &addressing);
	inv_array_free(trace.pages);
	stbds_hmfree(trace.tables);
	free(trace.marks);
	return trace.whole;
}
