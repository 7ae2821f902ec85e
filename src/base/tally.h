// SPDX-License-Identifier: Apache-2.0
// How often each of a few texts came up, in order of first appearance.
#ifndef INV_BASE_TALLY_H
#define INV_BASE_TALLY_H

#include "base/memory.h"

struct inv_text_count {
	const char *text;
	size_t count;
};

// Counts `text` in the stb_ds array *counts, so many times or once; a text that is new there is copied to `arena`.
void inv_tally_many(struct inv_text_count **counts, struct inv_arena *arena, const char *text, size_t times);
void inv_tally(struct inv_text_count **counts, struct inv_arena *arena, const char *text);

#endif
