// SPDX-License-Identifier: Apache-2.0
// The memory of one process as ranges that can be gone through: what its VADs cover, and what only its page tables show.
#ifndef INV_CHECK_RANGES_H
#define INV_CHECK_RANGES_H

#include "invariant/inside.h"

// From `start` up to and without `end`.
struct inv_span {
	uint64_t start, end;
};

struct inv_range {
	struct inv_span span;
	const struct inv_vad *vad; // NULL: valid pages that no VAD covers
};

struct inv_ranges {
	struct inv_range *ranges; // stb_ds, by start
	// stb_ds, in order: where page tables have entries, valid or not. Elsewhere no page can be present.
	struct inv_span *entries;
	bool complete;         // every page table could be read, and no bound was reached
	size_t tables_missing; // that are not in the image
};

void inv_ranges_read(const struct inv_inside *inside, struct inv_ranges *ranges);
void inv_ranges_free(struct inv_ranges *ranges);
// The first span of `entries` that ends above `address`; count of `entries` if none does.
size_t inv_entries_from(const struct inv_ranges *ranges, uint64_t address);

#endif
