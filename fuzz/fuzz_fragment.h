// SPDX-License-Identifier: Apache-2.0
// Sixteen pages of kernel memory that are made of the input, for targets that read structures of the kernel and need no page tables:
// the first byte chooses the layout, the others stand at ARENA.
#ifndef INV_FUZZ_FRAGMENT_H
#define INV_FUZZ_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

#define ARENA 0xffff800000000000ull
#define PAGES 16u
#define PAGE 0x1000u
#define ARENA_SIZE ((size_t)PAGES * PAGE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

// Lets `use` read the memory; `kernel` has what the target knows beside it.
static inline int with_fragment(const uint8_t *data, size_t size, struct inv_kernel kernel,
                                void (*use)(struct inv_kernel *kernel))
{
	if (size < 1)
		return 0;
	uint8_t *bytes = inv_alloc(ARENA_SIZE);
	memcpy(bytes, data + 1, size - 1 < ARENA_SIZE ? size - 1 : ARENA_SIZE);
	kernel.layout = inv_facts_layout(data[0] % inv_facts_layout_count());
	kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(kernel.space, ARENA, bytes, ARENA_SIZE);
	use(&kernel);
	inv_space_free(kernel.space);
	free(bytes);
	return 0;
}

#endif
