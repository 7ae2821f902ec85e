// SPDX-License-Identifier: Apache-2.0
// Binary search in arrays that are sorted by a 64-bit number in each element.
#ifndef INV_BASE_SEARCH_H
#define INV_BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// `first_key` is the number in the first of `count` elements of `stride` bytes; it may be NULL if there are none. How many of the
// elements have a number that is less than `key`, or with `or_equal` no greater.
static inline size_t inv_count_below(const void *first_key, size_t count, size_t stride, uint64_t key, int or_equal)
{
	size_t low = 0, high = first_key ? count : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t here;
		memcpy(&here, (const char *)first_key + middle * stride, sizeof here);
		if (here < key || (or_equal && here == key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// The member's place in the first element; that it is a number of 64 bits is asserted.
#define INV_KEY_OF(array, member)                                                                                      \
	((array) ? (const void *)((const char *)(array) + offsetof(__typeof__(*(array)), member) +                         \
	                          0 * sizeof(char[sizeof((array)->member) == sizeof(uint64_t) ? 1 : -1]))                  \
	         : NULL)

// The index of the first element whose `member`, a uint64_t, is not less than `key`, and of the first that is greater; `count` if
// there is none.
#define INV_LOWER_BOUND(array, count, member, key)                                                                     \
	inv_count_below(INV_KEY_OF(array, member), count, sizeof *(array), key, 0)
#define INV_UPPER_BOUND(array, count, member, key)                                                                     \
	inv_count_below(INV_KEY_OF(array, member), count, sizeof *(array), key, 1)

#endif
