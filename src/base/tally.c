// SPDX-License-Identifier: Apache-2.0
#include "base/tally.h"

#include <string.h>

#include "base/array.h"

void inv_tally_many(struct inv_text_count **counts, struct inv_arena *arena, const char *text, size_t times)
{
	for (size_t i = 0; i < inv_count(*counts); i++) {
		if (strcmp((*counts)[i].text, text) == 0) {
			(*counts)[i].count += times;
			return;
		}
	}
	struct inv_text_count count = {.text = inv_arena_strdup(arena, text), .count = times};
	inv_push(*counts, count);
}

void inv_tally(struct inv_text_count **counts, struct inv_arena *arena, const char *text)
{
	inv_tally_many(counts, arena, text, 1);
}
