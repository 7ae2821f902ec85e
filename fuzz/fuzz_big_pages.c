// SPDX-License-Identifier: Apache-2.0
// A PoolBigPageTable made of the input, with the layout of any kernel of the table. The walk must end, hand out entries in their
// order and of the form that the header promises, and account for every entry.
//
// The input: the layout, which pages of the kernel half are mapped, where the table begins and how many entries it claims, then the
// bytes of those pages; the first holds the two variables.
#include <stdlib.h>
#include <string.h>

#include "fuzz_kernel_half.h"
#include "nt/big_pages.h"

#define HEADER 17u

struct seen {
	uint64_t last;
	size_t count;
};

static void take(void *context, const struct inv_big_page *page)
{
	struct seen *seen = context;
	require(seen->count == 0 || page->at > seen->last);
	require(page->va % INV_PAGE_SIZE == 0 && page->va >> 63);
	seen->last = page->at;
	seen->count++;
}

static void use(const struct inv_kernel *kernel, uint64_t claimed)
{
	struct seen seen = {0};
	struct inv_big_coverage coverage;
	inv_big_pages_walk(kernel, take, &seen, &coverage);
	if (coverage.unknown) {
		require(seen.count == 0);
		return;
	}
	require(seen.count <= coverage.read);
	require(coverage.read + coverage.unreadable == (claimed < INV_BIG_PAGES_BOUND ? claimed : INV_BIG_PAGES_BOUND));
	require(coverage.complete == (coverage.unreadable == 0 && claimed <= INV_BIG_PAGES_BOUND));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER)
		return 0;
	uint8_t *memory = inv_alloc((size_t)PAGES * INV_PAGE_SIZE);
	size_t rest = size - HEADER;
	size_t room = (size_t)MAPPED * INV_PAGE_SIZE;
	memcpy(memory + (size_t)FIRST * INV_PAGE_SIZE, data + HEADER, rest < room ? rest : room);
	uint8_t *variables = memory + (size_t)FIRST * INV_PAGE_SIZE;
	// Mostly a table within what is mapped, of a size that an input can fill.
	uint64_t claimed = data[0] & 0x80 ? inv_le64(data + 9) : inv_le64(data + 9) % 0x2000;
	inv_put64(variables, KERNEL + inv_le32(data + 5) % (MAPPED * INV_PAGE_SIZE));
	inv_put64(variables + 8, claimed);
	put_tables(memory, inv_le32(data + 1) | 1);
	struct inv_image *image = NULL;
	if (inv_image_open_memory("fuzz", memory, (size_t)PAGES * INV_PAGE_SIZE, &image, NULL) == INV_OK) {
		uint32_t rva[INV_SYMBOL_COUNT];
		for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
			rva[i] = INV_NO_RVA;
		rva[INV_S_PoolBigPageTable] = 0;
		rva[INV_S_PoolBigPageTableSize] = 8;
		struct inv_kernel kernel = {.image = image, .arch = INV_ARCH_X64, .base = KERNEL, .rva = rva};
		kernel.layout = inv_facts_layout((data[0] & 0x7f) % inv_facts_layout_count());
		kernel.space = inv_space_new_x64(image, ROOT, 4);
		use(&kernel, inv_le64(variables + 8));
		inv_space_free(kernel.space);
	}
	inv_image_close(image);
	free(memory);
	return 0;
}
