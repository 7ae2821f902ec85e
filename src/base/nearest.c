// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define LONGEST 64u // letters; no command, option, word of a scenario or field has more

static uint8_t least(unsigned a, unsigned b)
{
	return (uint8_t)(a < b ? a : b);
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Optimal string alignment: as Levenshtein, and neighbours may be swapped.
unsigned inv_changes(const char *a, const char *b)
{
	uint8_t rows[LONGEST + 1][LONGEST + 1];
	unsigned n = (unsigned)strlen(a), m = (unsigned)strlen(b);
	if (n > LONGEST || m > LONGEST)
		return LONGEST + 1;
	for (unsigned i = 0; i <= n; i++)
		rows[i][0] = (uint8_t)i;
	for (unsigned j = 0; j <= m; j++)
		rows[0][j] = (uint8_t)j;
	for (unsigned i = 1; i <= n; i++) {
		for (unsigned j = 1; j <= m; j++) {
			unsigned other = rows[i - 1][j - 1] + (is_same(a[i - 1], b[j - 1]) ? 0u : 1u);
			rows[i][j] = least(other, least(rows[i - 1][j], rows[i][j - 1]) + 1u);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1u);
		}
	}
	return rows[n][m];
}

const char *inv_nearest(const char *word, const char *const *words, size_t count)
{
	// One change in a short word, two in a longer one: beyond that it is another word.
	unsigned best = strlen(word) < 5 ? 2 : 3;
	const char *nearest = NULL, *begins = NULL;
	size_t beginning = 0;
	for (size_t i = 0; i < count; i++) {
		if (!words[i])
			continue;
		unsigned changes = inv_changes(word, words[i]);
		if (changes < best) {
			best = changes;
			nearest = words[i];
		}
		if (*word && strncasecmp(word, words[i], strlen(word)) == 0) {
			begins = words[i];
			beginning++;
		}
	}
	return nearest ? nearest : beginning == 1 ? begins : NULL;
}
