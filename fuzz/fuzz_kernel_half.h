// SPDX-License-Identifier: Apache-2.0
// A few pages of the kernel half in memory that is made of the input, for targets that read structures of the kernel.
#ifndef INV_FUZZ_KERNEL_HALF_H
#define INV_FUZZ_KERNEL_HALF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"

#define PAGES 64u  // of physical memory
#define FIRST 8u   // the page that the first address of the kernel half leads to
#define MAPPED 32u // pages
#define ROOT 0x1000u
#define SLOT 0x1f0u
#define KERNEL 0xfffff80000000000u // in that slot
#define TABLE_FLAGS 0x63u

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

// Page tables under which bit i of `mapped` says whether the page at KERNEL + i pages is there.
static inline void put_tables(uint8_t *memory, uint32_t mapped)
{
	inv_put64(memory + ROOT + (size_t)8 * SLOT, 0x2000 | TABLE_FLAGS);
	inv_put64(memory + 0x2000, 0x3000 | TABLE_FLAGS);
	inv_put64(memory + 0x3000, 0x4000 | TABLE_FLAGS);
	for (unsigned i = 0; i < MAPPED; i++)
		if (mapped >> i & 1)
			inv_put64(memory + 0x4000 + (size_t)8 * i, (uint64_t)(FIRST + i) << 12 | TABLE_FLAGS);
}

#endif
