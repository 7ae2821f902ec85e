// SPDX-License-Identifier: Apache-2.0
// A few pages of the kernel half in memory that is made of the input, for targets that read structures of the kernel.
#ifndef INV_FUZZ_KERNEL_HALF_H
#define INV_FUZZ_KERNEL_HALF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/kernel.h"

#define PAGES 64u  // of physical memory
#define FIRST 8u   // the page that the first address of the kernel half leads to
#define MAPPED 32u // pages
#define ROOT 0x1000u
#define SLOT 0x1f0u
#define KERNEL 0xfffff80000000000u // in that slot
#define TABLE_FLAGS 0x63u
#define USER 0x10000u // of the user half, where a target has one

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

// Page tables of the user half: bit i of `mapped` says whether page `first` + i is at USER + i pages.
static inline void put_user_tables(uint8_t *memory, uint32_t mapped, unsigned first)
{
	inv_put64(memory + ROOT, 0x5000 | TABLE_FLAGS | 4);
	inv_put64(memory + 0x5000, 0x6000 | TABLE_FLAGS | 4);
	inv_put64(memory + 0x6000, 0x7000 | TABLE_FLAGS | 4);
	for (unsigned i = 0; i < MAPPED; i++)
		if (mapped >> i & 1)
			inv_put64(memory + 0x7000 + (size_t)8 * (USER / INV_PAGE_SIZE + i),
			          (uint64_t)(first + i) << 12 | TABLE_FLAGS | 4);
}

// Physical memory with the input behind its first `header` bytes in `count` pages from page `first` on. NULL: the input is shorter.
// Release with free().
static inline uint8_t *new_memory(const uint8_t *data, size_t size, size_t header, unsigned first, unsigned count)
{
	if (size < header)
		return NULL;
	uint8_t *memory = inv_alloc((size_t)PAGES * INV_PAGE_SIZE);
	size_t rest = size - header, room = (size_t)count * INV_PAGE_SIZE;
	memcpy(memory + (size_t)first * INV_PAGE_SIZE, data + header, rest < room ? rest : room);
	return memory;
}

// Lets `use` read the memory with the layout that `layout` chooses; `kernel` has what the target knows beside it. `use` may still write
// to the memory, but not its page tables; `data` is the input.
static inline void with_memory(uint8_t *memory, unsigned layout, struct inv_kernel kernel, const uint8_t *data,
                               void (*use)(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data))
{
	struct inv_image *image = NULL;
	if (inv_image_open_memory("fuzz", memory, (size_t)PAGES * INV_PAGE_SIZE, &image, NULL) != INV_OK)
		return;
	kernel.image = image;
	kernel.arch = INV_ARCH_X64;
	kernel.layout = inv_facts_layout(layout % inv_facts_layout_count());
	kernel.space = inv_space_new_x64(image, ROOT, 4);
	use(&kernel, memory, data);
	inv_space_free(kernel.space);
	inv_image_close(image);
}

#endif
