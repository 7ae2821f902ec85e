// SPDX-License-Identifier: Apache-2.0
// A PoolBigPageTable made of the input, with the layout of any kernel of the table. The walk must end, hand out entries in their
// order and of the form that the header promises, and account for every entry.
//
// The input: the layout, which pages of the kernel half are mapped, where the table begins and how many entries it claims, then the
// bytes of those pages; the first holds the two variables.
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

static void use(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data)
{
	(void)data;
	uint64_t claimed = inv_le64(memory + (size_t)FIRST * INV_PAGE_SIZE + 8);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = new_memory(data, size, HEADER, FIRST, MAPPED);
	if (!memory)
		return 0;
	uint8_t *variables = memory + (size_t)FIRST * INV_PAGE_SIZE;
	// Mostly a table within what is mapped, of a size that an input can fill.
	uint64_t claimed = data[0] & 0x80 ? inv_le64(data + 9) : inv_le64(data + 9) % 0x2000;
	inv_put64(variables, KERNEL + inv_le32(data + 5) % (MAPPED * INV_PAGE_SIZE));
	inv_put64(variables + 8, claimed);
	put_tables(memory, inv_le32(data + 1) | 1);
	uint32_t rva[INV_SYMBOL_COUNT];
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		rva[i] = INV_NO_RVA;
	rva[INV_S_PoolBigPageTable] = 0;
	rva[INV_S_PoolBigPageTableSize] = 8;
	with_memory(memory, data[0] & 0x7f, (struct inv_kernel){.base = KERNEL, .rva = rva}, data, use);
	free(memory);
	return 0;
}
