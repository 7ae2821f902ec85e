// SPDX-License-Identifier: Apache-2.0
// PoolBigPageTable of forged machines, and one with holes and false claims.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "forge/forge.h"
#include "nt/big_pages.h"

#define TAG_PROCESS 0x636f7250u // "Proc"
#define TAG_PROTECTED 0xe36f7250u
#define PAGES 16u

struct seen {
	size_t used, free, processes, billed;
	uint64_t last;
};

static void take(void *context, const struct inv_big_page *page)
{
	struct seen *seen = context;
	assert_int_equal(page->va % INV_PAGE_SIZE, 0);
	assert_true(page->at > seen->last);
	seen->last = page->at;
	seen->used += !page->free;
	seen->free += page->free;
	seen->processes += !page->free && (page->tag == TAG_PROCESS || page->tag == TAG_PROTECTED);
	seen->billed += page->billed != 0;
}

static void every_layout(void **state)
{
	(void)state;
	static const char scenario[] = "local m = desktop() process{name = 'a.exe', big = true} "
	                               "process{name = 'b.exe', big = 'reused'} big_block{process = m.notepad}";
	const struct inv_layout *before = NULL;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (facts->layout == before || !inv_forge_can(facts))
			continue;
		before = facts->layout;
		struct inv_error error = {0};
		struct inv_forge_options options = {.facts = facts};
		struct inv_forge *forge = inv_forge_run(scenario, &options, &error);
		struct inv_image *image = NULL;
		struct inv_kernel *kernel = NULL;
		uint8_t *bytes = NULL;
		size_t size;
		if (!forge || inv_forge_write_memory(forge, INV_FORGE_RAW, &bytes, &size, &error) != INV_OK ||
		    inv_image_open_memory("forged", bytes, size, &image, &error) != INV_OK ||
		    inv_kernel_identify(image, NULL, &kernel, &error) != INV_OK)
			fail_msg("%s", error.text);
		struct seen seen = {0};
		struct inv_big_coverage coverage;
		inv_big_pages_walk(kernel, take, &seen, &coverage);
		assert_null(coverage.unknown);
		assert_true(coverage.complete);
		assert_int_equal(coverage.broken, 0);
		assert_int_equal(seen.processes, 2);
		assert_true(seen.used > 3 && seen.free > 1);
		bool bills = facts->layout->place[INV_F_POOL_TRACKER_BIG_PAGES_ProcessBilled].offset != INV_NO_OFFSET;
		assert_int_equal(seen.billed, bills);
		inv_kernel_free(kernel);
		inv_image_close(image);
		free(bytes);
		inv_forge_free(forge);
	}
}

// Five pages of kernel memory at KERNEL: two variables, then a table over four pages, the second of which is not mapped.
#define KERNEL 0xfffff80000000000u
static void walk_made_up(uint64_t table, uint64_t count, struct seen *seen, struct inv_big_coverage *coverage)
{
	uint8_t *memory = inv_alloc((size_t)PAGES * INV_PAGE_SIZE);
	inv_put64(memory + 0x1000 + (size_t)8 * 0x1f0, 0x2063);
	inv_put64(memory + 0x2000, 0x3063);
	inv_put64(memory + 0x3000, 0x4063);
	for (unsigned i = 0; i < 5; i++)
		if (i != 2)
			inv_put64(memory + 0x4000 + (size_t)8 * i, (uint64_t)(8 + i) << 12 | 0x63);
	for (size_t at = 0x9000; at + 0x18 <= 0xd000; at += 0x18)
		inv_put64(memory + at, 0xffffe00000000000 + at / 8 * INV_PAGE_SIZE); // in use
	inv_put64(memory + 0x9000, 0xffffe00000000001);                          // free
	inv_put64(memory + 0x9018, 1);                                           // never used
	inv_put64(memory + 0x9030, 0x1000);                                      // nothing that a kernel would write
	inv_put64(memory + 0x8000, table);
	inv_put64(memory + 0x8008, count);
	struct inv_image *image = NULL;
	assert_int_equal(inv_image_open_memory("made", memory, (size_t)PAGES * INV_PAGE_SIZE, &image, NULL), INV_OK);
	uint32_t rva[INV_SYMBOL_COUNT];
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		rva[i] = INV_NO_RVA;
	rva[INV_S_PoolBigPageTable] = 0;
	rva[INV_S_PoolBigPageTableSize] = 8;
	struct inv_version version = {10, 0, 19041, 1415};
	size_t found;
	const struct inv_kernel_facts *facts = inv_facts_by_version(&version, &found);
	assert_non_null(facts);
	struct inv_kernel kernel = {
	    .image = image, .arch = INV_ARCH_X64, .base = KERNEL, .rva = rva, .layout = facts->layout};
	kernel.space = inv_space_new_x64(image, 0x1000, 4);
	*seen = (struct seen){0};
	inv_big_pages_walk(&kernel, take, seen, coverage);
	inv_space_free(kernel.space);
	inv_image_close(image);
	free(memory);
}

static void holes_and_claims(void **state)
{
	(void)state;
	struct seen seen;
	struct inv_big_coverage coverage;
	const size_t all = 0x4000 / 0x18;
	walk_made_up(KERNEL + 0x1000, all, &seen, &coverage);
	assert_null(coverage.unknown);
	assert_false(coverage.complete);
	assert_int_equal(coverage.read + coverage.unreadable, all);
	assert_int_equal(coverage.unreadable, 0x1000 / 0x18 + 2); // two of them cross its borders
	assert_int_equal(coverage.broken, 1);
	assert_int_equal(seen.free, 1);
	assert_int_equal(seen.used, coverage.read - 3);
	walk_made_up(KERNEL + 0x1000, 0xaa, &seen, &coverage);
	assert_true(coverage.complete);
	walk_made_up(KERNEL + 0x1000, UINT64_MAX, &seen, &coverage); // ends all the same
	assert_false(coverage.complete);
	assert_int_equal(coverage.read + coverage.unreadable, INV_BIG_PAGES_BOUND);
	walk_made_up(0x1000, 16, &seen, &coverage);
	assert_non_null(coverage.unknown);
	walk_made_up(KERNEL + 0x1000, 0, &seen, &coverage);
	assert_non_null(coverage.unknown);
	walk_made_up(UINT64_MAX - 0xfff, 0x10000, &seen, &coverage); // to the end of all addresses
	assert_false(coverage.complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_layout),
	    cmocka_unit_test(holes_and_claims),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
