// SPDX-License-Identifier: Apache-2.0
// What a mistyped word was probably meant to be.
#ifndef INV_BASE_NEAREST_H
#define INV_BASE_NEAREST_H

#include <stddef.h>

// How many changes lead from the one to the other: a letter more, less, or another, or two neighbours swapped. Capitals are the same
// as small letters.
unsigned inv_changes(const char *a, const char *b);

// Of `count` words (NULL among them is passed over) the one that takes the fewest changes, but no more than fit its length; or the
// only one that begins with `word`. NULL: none is near.
const char *inv_nearest(const char *word, const char *const *words, size_t count);

#endif
