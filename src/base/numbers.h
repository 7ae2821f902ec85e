// SPDX-License-Identifier: Apache-2.0
// Growing arrays of 64-bit numbers, as of array.h: addresses, identifiers. All take NULL for none.
#ifndef INV_BASE_NUMBERS_H
#define INV_BASE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

void inv_numbers_sort(uint64_t *numbers);
// Sorts, and keeps each once.
void inv_numbers_keep_once(uint64_t *numbers);
bool inv_numbers_have(const uint64_t *sorted, uint64_t number);

#endif
