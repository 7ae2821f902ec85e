// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "paging/space.h"

static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyz";
static const uint8_t capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Reads 16 bytes and compares what came; '.' in `expected` stands for zero.
static void assert_reads(struct inv_space *space, uint64_t address, size_t present, const char *expected)
{
	char bytes[17];
	memset(bytes, '#', sizeof bytes);
	struct inv_why why;
	assert_int_equal(inv_space_read(space, address, bytes, 16, &why), present);
	for (size_t i = 0; i < 16; i++)
		if (bytes[i] == 0)
			bytes[i] = '.';
	assert_memory_equal(bytes, expected, 16);
	assert_int_equal(bytes[16], '#');
	assert_int_equal(why.reason, present == 16 ? INV_PRESENT : INV_NOT_CAPTURED);
	assert_int_equal(why.address, present == 16 ? 0 : address + present);
}

static void empty(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	assert_reads(space, 0, 0, "................");
	assert_reads(space, UINT64_MAX - 15, 0, "................");
	assert_false(inv_space_has_page_tables(space));
	assert_int_equal(inv_space_dtb(space), 0);
	assert_int_equal(inv_space_levels(space), 0);
	inv_space_free(space);
}

static void adjacent_fragments_are_joined(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, 0x1008, capitals, 8);
	inv_space_add_fragment(space, 0x1000, letters, 8);
	inv_space_add_fragment(space, 0x1010, letters, 4);
	assert_reads(space, 0x1000, 16, "abcdefghABCDEFGH");
	assert_reads(space, 0x1004, 16, "efghABCDEFGHabcd");
	assert_reads(space, 0x1007, 13, "hABCDEFGHabcd...");
	assert_reads(space, 0xfff, 0, "................");
	assert_reads(space, 0x1013, 1, "d...............");
	assert_reads(space, 0x1014, 0, "................");
	inv_space_free(space);
}

static void the_first_added_wins(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, 0x1004, capitals, 4);
	inv_space_add_fragment(space, 0x1000, letters, 12);
	inv_space_add_fragment(space, 0x1000, capitals, 16);
	assert_reads(space, 0x1000, 16, "abcdABCDijklMNOP");
	inv_space_free(space);
}

static void adding_after_reading_counts(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, 0x1000, letters, 4);
	assert_reads(space, 0x1000, 4, "abcd............");
	inv_space_add_fragment(space, 0x1000, capitals, 16);
	assert_reads(space, 0x1000, 16, "abcdEFGHIJKLMNOP");
	inv_space_free(space);
}

static void nothing_wraps_at_the_top(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, UINT64_MAX - 7, letters, 16); // the second half has no address
	inv_space_add_fragment(space, 5, capitals, 0);
	uint8_t bytes[16];
	struct inv_why why;
	assert_int_equal(inv_space_read(space, UINT64_MAX - 7, bytes, 16, &why), 8);
	assert_memory_equal(bytes, "abcdefgh\0\0\0\0\0\0\0", 16);
	assert_int_equal(why.reason, INV_NOT_CANONICAL);
	assert_int_equal(inv_space_read(space, UINT64_MAX, bytes, 1, &why), 1);
	assert_int_equal(bytes[0], 'h');
	assert_reads(space, 0, 0, "................");
	inv_space_free(space);
}

static void fragments_have_no_physical_address(void **state)
{
	(void)state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, 0x1000, letters, 16);
	uint64_t physical = 1;
	struct inv_mapping mapping;
	struct inv_why why;
	assert_false(inv_space_translate(space, 0x1000, &physical, &why));
	assert_int_equal(why.reason, INV_NOT_CAPTURED);
	assert_false(inv_space_map(space, 0x1000, &mapping, &why));
	assert_int_equal(why.reason, INV_NOT_CAPTURED);
	assert_int_equal(why.address, 0x1000);
	inv_space_set_pte_format(space, &inv_pte_format_default);
	inv_space_add_fragment(space, 0x1010, letters, 16);
	assert_reads(space, 0x1000, 16, "abcdefghijklmnop");
	inv_space_free(space);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

// Against the plainest way there is: a table of bytes, painted from the last fragment to the first.
static void random_overlaps(void **state)
{
	(void)state;
	enum { SIZE = 512, FRAGMENTS = 40 };
	uint64_t seed = 1;
	for (int round = 0; round < 300; round++) {
		struct inv_space *space = inv_space_new_fragments();
		const uint64_t base = round % 2 ? UINT64_MAX - (SIZE - 1) : 0;
		uint8_t content[FRAGMENTS][SIZE];
		size_t first[FRAGMENTS], size[FRAGMENTS];
		const size_t count = next_random(&seed) % FRAGMENTS;
		for (size_t i = 0; i < count; i++) {
			first[i] = next_random(&seed) % SIZE;
			size[i] = next_random(&seed) % (next_random(&seed) % 2 ? 8 : SIZE);
			if (size[i] > SIZE - first[i])
				size[i] = SIZE - first[i];
			memset(content[i], (int)i + 1, SIZE);
			for (size_t b = 0; b < SIZE; b += 2)
				content[i][b] = (uint8_t)(b / 2);
			inv_space_add_fragment(space, base + first[i], content[i], size[i]);
		}
		int expected[SIZE];
		for (size_t at = 0; at < SIZE; at++) {
			expected[at] = -1;
			for (size_t i = count; i-- > 0;)
				if (at >= first[i] && at < first[i] + size[i])
					expected[at] = content[i][at - first[i]];
		}
		for (size_t at = 0; at < SIZE; at++) {
			uint8_t byte;
			const size_t got = inv_space_read(space, base + at, &byte, 1, NULL);
			assert_int_equal(got, expected[at] >= 0);
			if (got)
				assert_int_equal(byte, expected[at]);
			uint8_t bytes[64];
			size_t run = 0;
			while (run < 64 && at + run < SIZE && expected[at + run] >= 0)
				run++;
			assert_int_equal(inv_space_read(space, base + at, bytes, 64, NULL), run);
			for (size_t b = 0; b < 64; b++)
				assert_int_equal(bytes[b], b < run ? expected[at + b] : 0);
		}
		inv_space_free(space);
	}
}

// All nested and all overlapping, the worst for a simple way of adding.
static void many_fragments_are_fast(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	uint8_t *bytes = inv_alloc(2 * (size_t)COUNT);
	memset(bytes, 'x', 2 * (size_t)COUNT);
	const clock_t start = clock();
	struct inv_space *space = inv_space_new_fragments();
	for (size_t i = 0; i < COUNT; i++)
		inv_space_add_fragment(space, 0x100000 + i, bytes, 2 * (COUNT - i));
	uint8_t byte;
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(inv_space_read(space, 0x100000 + i, &byte, 1, NULL), 1);
	assert_int_equal(inv_space_read(space, 0xfffff, &byte, 1, NULL), 0);
	inv_space_free(space);
	free(bytes);
	// A quadratic way would take minutes.
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty),
	    cmocka_unit_test(adjacent_fragments_are_joined),
	    cmocka_unit_test(the_first_added_wins),
	    cmocka_unit_test(adding_after_reading_counts),
	    cmocka_unit_test(nothing_wraps_at_the_top),
	    cmocka_unit_test(fragments_have_no_physical_address),
	    cmocka_unit_test(random_overlaps),
	    cmocka_unit_test(many_fragments_are_fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
