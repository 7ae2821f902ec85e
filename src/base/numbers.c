// SPDX-License-Identifier: Apache-2.0
#include "base/numbers.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

void inv_numbers_sort(uint64_t *numbers)
{
	if (numbers)
		qsort(numbers, inv_count(numbers), sizeof *numbers, by_number);
}

void inv_numbers_keep_once(uint64_t *numbers)
{
	size_t kept = 0;
	inv_numbers_sort(numbers);
	for (size_t i = 0; i < inv_count(numbers); i++)
		if (kept == 0 || numbers[kept - 1] != numbers[i])
			numbers[kept++] = numbers[i];
	if (numbers)
		stbds_arrsetlen(numbers, kept); // less than before: it stays where it is
}

bool inv_numbers_have(const uint64_t *sorted, uint64_t number)
{
	size_t low = inv_count_below(sorted, inv_count(sorted), sizeof *sorted, number, 0);
	return low < inv_count(sorted) && sorted[low] == number;
}
