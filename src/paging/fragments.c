// SPDX-License-Identifier: Apache-2.0
// A space of captured ranges (the data blocks of a triage dump).
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "paging/kind.h"

// Ranges are kept by their last byte, so that one may end at the top of the address space. The index of a fragment in its array
// is the order in which it was added.
struct fragment {
	uint64_t first, last;
	const uint8_t *bytes;
};

struct fragment_space {
	struct inv_space base;
	struct fragment *added; // in the order of adding
	// The same bytes without overlaps, sorted by address, where the fragment that was added first has won. Made at the first
	// reading after a fragment was added.
	struct fragment *ranges;
	bool sorted;
};

static struct fragment_space *fragments(struct inv_space *space)
{
	return (struct fragment_space *)space;
}

// Where a fragment begins, and its index among those added.
struct start {
	uint64_t address;
	size_t index;
};

static int compare_starts(const void *left, const void *right)
{
	const struct start *a = left, *b = right;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

// A heap of indices with the lowest, the fragment that was added first, on top.
static void heap_push(size_t *heap, size_t *count, size_t index)
{
	size_t i = (*count)++;
	for (; i > 0 && index < heap[(i - 1) / 2]; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = index;
}

static void heap_pop(size_t *heap, size_t *count)
{
	const size_t moved = heap[--(*count)];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= *count)
			break;
		if (child + 1 < *count && heap[child + 1] < heap[child])
			child++;
		if (moved < heap[child])
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moved;
}

static struct start *sorted_starts(const struct fragment *added, size_t count)
{
	struct start *starts = inv_alloc(count * sizeof *starts);
	for (size_t i = 0; i < count; i++)
		starts[i] = (struct start){.address = added[i].first, .index = i};
	qsort(starts, count, sizeof *starts, compare_starts);
	return starts;
}

static void push_range(struct fragment_space *space, const struct fragment *fragment, uint64_t first, uint64_t last)
{
	struct fragment range = {.first = first, .last = last, .bytes = fragment->bytes + (first - fragment->first)};
	inv_push(space->ranges, range);
}

// Sweeps from the lowest address up, with the fragments that cover the present address in the heap. Each round ends one range,
// where a fragment begins or the winner ends, so there are at most two rounds a fragment.
static void sort_ranges(struct fragment_space *space)
{
	const size_t count = inv_count(space->added);
	struct start *starts = sorted_starts(space->added, count);
	size_t *covering = inv_alloc(count * sizeof *covering);
	size_t next = 0, covered = 0;
	uint64_t address = 0;

	inv_array_free(space->ranges);
	for (;;) {
		while (covered && space->added[covering[0]].last < address)
			heap_pop(covering, &covered);
		if (!covered && next == count)
			break;
		if (!covered)
			address = starts[next].address;
		while (next < count && starts[next].address == address)
			heap_push(covering, &covered, starts[next++].index);

		const struct fragment *winner = &space->added[covering[0]];
		uint64_t last = winner->last;
		if (next < count && starts[next].address <= last)
			last = starts[next].address - 1;
		push_range(space, winner, address, last);
		if (last == UINT64_MAX)
			break;
		address = last + 1;
	}
	free(starts);
	free(covering);
	space->sorted = true;
}

static const struct fragment *find_range(struct fragment_space *space, uint64_t address)
{
	if (!space->sorted)
		sort_ranges(space);
	size_t low = 0, high = inv_count(space->ranges);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (space->ranges[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == inv_count(space->ranges) || space->ranges[low].first > address)
		return NULL;
	return &space->ranges[low];
}

static bool not_captured(struct inv_why *why, uint64_t address)
{
	*why = (struct inv_why){.reason = INV_NOT_CAPTURED, .address = address};
	return false;
}

static size_t fragments_read(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why)
{
	const struct fragment *range = find_range(fragments(space), address);
	if (!range) {
		not_captured(why, address);
		return 0;
	}
	const uint64_t after = range->last - address; // bytes of the range behind the first one
	const size_t got = after < size ? (size_t)after + 1 : size;
	memcpy(buffer, range->bytes + (address - range->first), got);
	return got;
}

static void fragments_expect(struct inv_space *space, uint64_t address)
{
	(void)space; // a triage dump is small
	(void)address;
}

static bool fragments_translate(struct inv_space *space, uint64_t address, uint64_t *physical, struct inv_why *why)
{
	(void)space;
	*physical = 0;
	return not_captured(why, address);
}

static bool fragments_map(struct inv_space *space, uint64_t address, struct inv_mapping *mapping, struct inv_why *why)
{
	(void)space;
	*mapping = (struct inv_mapping){0};
	return not_captured(why, address);
}

static void fragments_reset(struct inv_space *space)
{
	(void)space; // no PTE has a part in it
}

static struct inv_space *fragments_beside(const struct inv_space *space, uint64_t dtb)
{
	(void)space;
	(void)dtb;
	return NULL;
}

static void fragments_free(struct inv_space *space)
{
	inv_array_free(fragments(space)->added);
	inv_array_free(fragments(space)->ranges);
	free(space);
}

static const struct inv_space_kind fragments_kind = {
    .free = fragments_free,
    .read = fragments_read,
    .expect = fragments_expect,
    .translate = fragments_translate,
    .map = fragments_map,
    .beside = fragments_beside,
    .reset = fragments_reset,
};

struct inv_space *inv_space_new_fragments(void)
{
	struct fragment_space *space = inv_alloc(sizeof *space);
	space->base = (struct inv_space){.kind = &fragments_kind, .format = inv_pte_format_default};
	return &space->base;
}

void inv_space_add_fragment(struct inv_space *space, uint64_t address, const uint8_t *bytes, size_t size)
{
	if (size == 0 || space->kind != &fragments_kind)
		return;
	const uint64_t room = UINT64_MAX - address; // bytes that may follow the first one
	const uint64_t after = size - 1 < room ? size - 1 : room;
	struct fragment fragment = {.first = address, .last = address + after, .bytes = bytes};
	inv_push(fragments(space)->added, fragment);
	fragments(space)->sorted = false;
}
