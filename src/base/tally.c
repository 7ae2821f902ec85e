// SPDX-License-Identifier: Apache-2.0
#include "base/tally.h"

#include <string.h>

#include "base/array.h"

void inv_tally(struct inv_text_count **counts, struct inv_arena *arena, const char *text)
{
	for (size_t i = 0; i < inv_count(*counts); i++) {
		if (strcmp((*counts)[i].text, text) == 0) {
			(*counts)[i].count++;
			return;
		}
	}
	struct inv_text_count count = {.text = inv_arena_strdup(arena, text), .count = 1};
	inv_push(*counts, count);
}
