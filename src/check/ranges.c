// SPDX-License-Identifier: Apache-2.0
#include "check/ranges.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"

struct walk {
	const struct inv_inside *inside;
	struct inv_ranges *ranges;
	struct inv_span *bare; // stb_ds: valid and without a VAD
};

// Pages come in order of addresses, so that each either continues the last span or begins one.
static void extend(struct inv_span **spans, const struct inv_user_page *page)
{
	size_t count = inv_count(*spans);
	struct inv_span span = {page->address, page->address + page->size};
	if (count > 0 && (*spans)[count - 1].end == span.start)
		(*spans)[count - 1].end = span.end;
	else
		inv_push(*spans, span);
}

static bool take_page(void *context, const struct inv_user_page *page)
{
	struct walk *walk = context;
	extend(&walk->ranges->entries, page);
	if (page->valid && !inv_vad_at(&walk->inside->vads, page->address))
		extend(&walk->bare, page);
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct inv_range *left = a, *right = b;
	if (left->span.start != right->span.start)
		return left->span.start < right->span.start ? -1 : 1;
	return (left->span.end > right->span.end) - (left->span.end < right->span.end);
}

void inv_ranges_read(const struct inv_inside *inside, struct inv_ranges *ranges)
{
	struct walk walk = {.inside = inside, .ranges = ranges};
	*ranges = (struct inv_ranges){.complete = inside->user && inside->vads.complete};
	if (inside->user && !inv_user_pages(inside->user, INV_USER_PAGES_BOUND, take_page, &walk, &ranges->tables_missing))
		ranges->complete = false;
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		struct inv_range range = {{vad->start, vad->end}, vad};
		if (vad->end > vad->start)
			inv_push(ranges->ranges, range);
	}
	for (size_t i = 0; i < inv_count(walk.bare); i++) {
		struct inv_range range = {walk.bare[i], NULL};
		inv_push(ranges->ranges, range);
	}
	if (inv_count(ranges->ranges) > 0)
		qsort(ranges->ranges, inv_count(ranges->ranges), sizeof *ranges->ranges, by_start);
	ranges->complete = ranges->complete && ranges->tables_missing == 0;
	inv_array_free(walk.bare);
}

void inv_ranges_free(struct inv_ranges *ranges)
{
	inv_array_free(ranges->ranges);
	inv_array_free(ranges->entries);
}

size_t inv_entries_from(const struct inv_ranges *ranges, uint64_t address)
{
	size_t low = INV_UPPER_BOUND(ranges->entries, inv_count(ranges->entries), end, address);
	return low;
}
