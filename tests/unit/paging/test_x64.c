// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/workers.h"
#include "fake_image.h"
#include "paging/space.h"

#define VALID UINT64_C(1)
#define WRITE UINT64_C(2)
#define USER UINT64_C(4)
#define LARGE UINT64_C(0x80)
#define PROTOTYPE UINT64_C(0x400)
#define TRANSITION UINT64_C(0x800)
#define NX (UINT64_C(1) << 63)
#define ALL (VALID | WRITE | USER)

#define DTB UINT64_C(0x100000)
#define DATA UINT64_C(0x5000000) // where tests put the pages that they map
#define USER_VA UINT64_C(0x00007ff612345000)
#define KERNEL_VA UINT64_C(0xfffff80212345000)

struct bench {
	struct inv_image *image;
	struct inv_space *space;
	unsigned levels;
	uint64_t next_table;
};

static struct bench make(unsigned levels)
{
	struct bench b = {.image = fake_image_new(), .levels = levels, .next_table = DTB + INV_PAGE_SIZE};
	fake_page(b.image, DTB);
	b.space = inv_space_new_x64(b.image, DTB, levels);
	return b;
}

static void drop(struct bench *b)
{
	inv_space_free(b->space);
	fake_image_free(b->image);
}

static uint64_t get64(struct inv_image *image, uint64_t physical)
{
	uint64_t value;
	memcpy(&value, fake_page(image, physical) + physical % INV_PAGE_SIZE, sizeof value);
	return value;
}

// Where the entry of `level` for `address` stands; tables above it are made as needed, with all rights.
static uint64_t entry_at(struct bench *b, uint64_t address, unsigned level)
{
	uint64_t table = DTB;
	for (unsigned l = b->levels;; l--) {
		const uint64_t at = table + (address >> (12 + 9 * (l - 1)) & 511) * 8;
		if (l == level)
			return at;
		if (!get64(b->image, at)) {
			fake_put64(b->image, at, b->next_table | ALL);
			fake_page(b->image, b->next_table);
			b->next_table += INV_PAGE_SIZE;
		}
		table = get64(b->image, at) & UINT64_C(0xffffffffff000);
	}
}

// Writes an entry and returns where it stands.
static uint64_t put(struct bench *b, uint64_t address, unsigned level, uint64_t entry)
{
	const uint64_t at = entry_at(b, address, level);
	fake_put64(b->image, at, entry);
	return at;
}

static void fill(struct bench *b, uint64_t physical, int byte)
{
	memset(fake_page(b->image, physical), byte, INV_PAGE_SIZE);
}

// All three ways of asking must give the same reason.
static struct inv_why assert_absent(struct bench *b, uint64_t address, enum inv_absence reason, uint64_t at)
{
	struct inv_why why;
	uint64_t physical;
	uint8_t bytes[8];
	memset(bytes, 0xff, sizeof bytes);
	assert_false(inv_space_translate(b->space, address, &physical, &why));
	assert_int_equal(why.reason, reason);
	assert_int_equal(why.address, address);
	assert_int_equal(why.at, at);
	struct inv_mapping mapping;
	assert_false(inv_space_map(b->space, address, &mapping, &why));
	assert_int_equal(why.reason, reason);
	assert_int_equal(mapping.size, 0);
	assert_int_equal(inv_space_read(b->space, address, bytes, sizeof bytes, &why), 0);
	assert_int_equal(why.reason, reason);
	assert_int_equal(why.address, address);
	assert_int_equal(why.at, at);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\0", 8);
	return why;
}

static void assert_physical(struct bench *b, uint64_t address, uint64_t expected)
{
	struct inv_why why;
	uint64_t physical;
	assert_true(inv_space_translate(b->space, address, &physical, &why));
	assert_int_equal(physical, expected);
	assert_int_equal(why.reason, INV_PRESENT);
	struct inv_mapping mapping;
	assert_true(inv_space_map(b->space, address, &mapping, &why));
	assert_int_equal(mapping.physical + (address & (mapping.size - 1)), expected);
}

static void assert_byte(struct bench *b, uint64_t address, int expected)
{
	uint8_t byte = 0xee;
	assert_int_equal(inv_space_read(b->space, address, &byte, 1, NULL), 1);
	assert_int_equal(byte, expected);
}

static struct inv_mapping mapping_of(struct bench *b, uint64_t address)
{
	struct inv_mapping mapping;
	assert_true(inv_space_map(b->space, address, &mapping, NULL));
	return mapping;
}

static void small_pages(void **state)
{
	(void)state;
	for (unsigned levels = 4; levels <= 5; levels++) {
		struct bench b = make(levels);
		put(&b, USER_VA, 1, DATA | ALL);
		put(&b, KERNEL_VA, 1, (DATA + 0x1000) | VALID | NX | UINT64_C(0x7ff0) << 48);
		fill(&b, DATA, 'u');
		fill(&b, DATA + 0x1000, 'k');
		assert_byte(&b, USER_VA + 0xfff, 'u');
		assert_byte(&b, KERNEL_VA, 'k');
		assert_physical(&b, USER_VA + 0x123, DATA + 0x123);
		assert_physical(&b, KERNEL_VA + 0xfff, DATA + 0x1fff);
		assert_int_equal(inv_space_levels(b.space), levels);
		assert_int_equal(inv_space_dtb(b.space), DTB);
		assert_true(inv_space_has_page_tables(b.space));
		drop(&b);
	}
}

static void the_lowest_and_highest_page(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, 0, 1, DATA | ALL);
	put(&b, UINT64_MAX, 1, (DATA + 0x1000) | ALL);
	fill(&b, DATA, 'l');
	fill(&b, DATA + 0x1000, 'h');
	assert_byte(&b, 0, 'l');
	assert_byte(&b, UINT64_MAX, 'h');
	uint8_t bytes[32];
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, UINT64_MAX - 7, bytes, sizeof bytes, &why), 8);
	assert_memory_equal(bytes, "hhhhhhhh\0\0\0\0", 12);
	assert_int_equal(why.reason, INV_NOT_CANONICAL);
	drop(&b);
}

static void large_pages(void **state)
{
	(void)state;
	for (unsigned levels = 4; levels <= 5; levels++) {
		struct bench b = make(levels);
		const uint64_t pat = 0x1000;
		put(&b, KERNEL_VA, 2, UINT64_C(0x40000000) | LARGE | ALL | pat);
		put(&b, USER_VA, 3, UINT64_C(0x80000000) | LARGE | ALL | pat | 0x2000000); // 0x2000000: reserved in 1 GiB
		const uint64_t in_2m = KERNEL_VA & 0x1fffff, in_1g = USER_VA & 0x3fffffff;
		assert_physical(&b, KERNEL_VA + 5, 0x40000000 + in_2m + 5);
		assert_physical(&b, USER_VA + 5, 0x80000000 + in_1g + 5);
		assert_int_equal(mapping_of(&b, KERNEL_VA).size, 0x200000);
		assert_int_equal(mapping_of(&b, KERNEL_VA).physical, 0x40000000);
		assert_int_equal(mapping_of(&b, USER_VA).size, 0x40000000);
		assert_int_equal(mapping_of(&b, USER_VA).physical, 0x80000000);
		fill(&b, 0x40000000 + in_2m, 'm');
		assert_byte(&b, KERNEL_VA + 9, 'm');
		uint8_t byte;
		struct inv_why why;
		assert_int_equal(inv_space_read(b.space, USER_VA, &byte, 1, &why), 0);
		assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
		assert_int_equal(why.at, 0x80000000 + in_1g);
		drop(&b);
	}
}

// Above 1 GiB the bit is reserved.
static void too_large_pages(void **state)
{
	(void)state;
	for (unsigned level = 4; level <= 5; level++) {
		struct bench b = make(5);
		const uint64_t at = put(&b, USER_VA, level, DATA | LARGE | ALL);
		assert_absent(&b, USER_VA, INV_NOT_MAPPED, at);
		drop(&b);
	}
}

static void not_canonical(void **state)
{
	(void)state;
	const uint64_t bad4[] = {0x0000800000000000, 0xffff7fffffffffff, 0x8000000000000000, 0x7fffffffffffffff,
	                         0x0001000000000000};
	struct bench b = make(4);
	for (size_t i = 0; i < sizeof bad4 / sizeof bad4[0]; i++)
		assert_absent(&b, bad4[i], INV_NOT_CANONICAL, 0);
	assert_absent(&b, 0x00007fffffffffff, INV_NOT_MAPPED, DTB + 0x7f8);
	assert_absent(&b, 0xffff800000000000, INV_NOT_MAPPED, DTB + 0x800);
	// A read that runs into the hole.
	put(&b, 0x00007ffffffff000, 1, DATA | ALL);
	fill(&b, DATA, 'x');
	uint8_t bytes[16];
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, 0x00007ffffffffff8, bytes, 16, &why), 8);
	assert_int_equal(why.reason, INV_NOT_CANONICAL);
	assert_int_equal(why.address, 0x0000800000000000);
	drop(&b);

	b = make(5);
	assert_absent(&b, 0x0100000000000000, INV_NOT_CANONICAL, 0);
	assert_absent(&b, 0xfeffffffffffffff, INV_NOT_CANONICAL, 0);
	assert_absent(&b, 0x0000800000000000, INV_NOT_MAPPED, DTB);
	assert_absent(&b, 0x00ffffffffffffff, INV_NOT_MAPPED, DTB + 0x7f8);
	assert_absent(&b, 0xff00000000000000, INV_NOT_MAPPED, DTB + 0x800);
	drop(&b);
}

static void empty_entries_at_every_level(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 5; level++) {
		struct bench b = make(5);
		assert_absent(&b, KERNEL_VA, INV_NOT_MAPPED, entry_at(&b, KERNEL_VA, level));
		drop(&b);
	}
}

static void tables_missing_at_every_level(void **state)
{
	(void)state;
	for (unsigned level = 2; level <= 5; level++) {
		struct bench b = make(5);
		put(&b, KERNEL_VA, level, 0x7000000 | ALL);
		assert_absent(&b, KERNEL_VA, INV_NOT_IN_IMAGE, 0x7000000);
		drop(&b);
	}
	struct bench b = make(4);
	struct inv_space *lost = inv_space_new_x64(b.image, 0x7000000, 4);
	uint64_t physical;
	struct inv_why why;
	assert_false(inv_space_translate(lost, USER_VA, &physical, &why));
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.at, 0x7000000);
	inv_space_free(lost);
	drop(&b);
}

static void tables_present_in_part(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | ALL);
	fill(&b, DATA, 'p');
	const uint64_t at = entry_at(&b, USER_VA, 1);
	fake_split(b.image, at, 0xf04 < at % INV_PAGE_SIZE ? 0xf04 : at % INV_PAGE_SIZE + 4); // inside the entry or before
	assert_byte(&b, USER_VA, 'p');
	fake_truncate(b.image, at, at % INV_PAGE_SIZE + 7);
	struct inv_space *fresh = inv_space_new_x64(b.image, DTB, 4);
	struct inv_why why;
	uint64_t physical;
	assert_false(inv_space_translate(fresh, USER_VA, &physical, &why));
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.at, at & ~UINT64_C(0xfff));
	inv_space_free(fresh);
	drop(&b);
}

// PCID, the flags of KVA shadow and bit 63 of CR3; any number of levels but 5 means 4.
static void cr3_bits_are_masked(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | ALL);
	fill(&b, DATA, 'c');
	const uint64_t cr3[] = {DTB | 0xfff, DTB | 3, DTB | UINT64_C(1) << 63, DTB | UINT64_C(0xfff) << 52};
	for (size_t i = 0; i < sizeof cr3 / sizeof cr3[0]; i++) {
		struct inv_space *space = inv_space_new_x64(b.image, cr3[i], 4);
		uint8_t byte;
		assert_int_equal(inv_space_read(space, USER_VA, &byte, 1, NULL), 1);
		assert_int_equal(byte, 'c');
		assert_int_equal(inv_space_dtb(space), DTB);
		inv_space_free(space);
	}
	drop(&b);
}

static void high_bits_of_entries_are_masked(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | ALL | UINT64_C(0x7ff) << 52);
	const uint64_t at = entry_at(&b, USER_VA, 2);
	fake_put64(b.image, at, get64(b.image, at) | UINT64_C(0xfff) << 52);
	assert_physical(&b, USER_VA, DATA);
	// Bits 48..51 are part of the frame.
	put(&b, USER_VA + 0x1000, 1, UINT64_C(0x000f000000001000) | ALL);
	uint64_t physical;
	assert_true(inv_space_translate(b.space, USER_VA + 0x1001, &physical, NULL));
	assert_int_equal(physical, 0x000f000000001001);
	drop(&b);
}

static void rights_are_those_of_all_levels(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 4; level++) {
		struct bench b = make(4);
		put(&b, USER_VA, 1, DATA | ALL);
		struct inv_mapping mapping = mapping_of(&b, USER_VA);
		assert_true(mapping.user && mapping.writable && mapping.executable);
		assert_false(mapping.transition || mapping.prototype);

		const uint64_t at = entry_at(&b, USER_VA, level), entry = get64(b.image, at);
		fake_put64(b.image, at, entry & ~USER);
		mapping = mapping_of(&b, USER_VA);
		assert_true(!mapping.user && mapping.writable && mapping.executable);
		fake_put64(b.image, at, entry & ~WRITE);
		mapping = mapping_of(&b, USER_VA);
		assert_true(mapping.user && !mapping.writable && mapping.executable);
		fake_put64(b.image, at, entry | NX);
		mapping = mapping_of(&b, USER_VA);
		assert_true(mapping.user && mapping.writable && !mapping.executable);
		drop(&b);
	}
	struct bench b = make(4);
	put(&b, KERNEL_VA, 2, 0x40000000 | LARGE | VALID | NX);
	const struct inv_mapping mapping = mapping_of(&b, KERNEL_VA);
	assert_false(mapping.user || mapping.writable || mapping.executable);
	drop(&b);
}

static void data_page_not_in_image(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, 0x7000000 | ALL);
	uint64_t physical;
	struct inv_mapping mapping;
	assert_true(inv_space_translate(b.space, USER_VA + 1, &physical, NULL));
	assert_int_equal(physical, 0x7000001);
	assert_true(inv_space_map(b.space, USER_VA, &mapping, NULL));
	uint8_t byte = 1;
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, USER_VA + 1, &byte, 1, &why), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.address, USER_VA + 1);
	assert_int_equal(why.at, 0x7000000);
	drop(&b);
}

static void data_page_in_part(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | ALL);
	fill(&b, DATA, 'd');
	fake_split(b.image, DATA, 0x800);
	uint8_t bytes[INV_PAGE_SIZE];
	assert_int_equal(inv_space_read(b.space, USER_VA, bytes, sizeof bytes, NULL), sizeof bytes);
	assert_int_equal(bytes[0xfff], 'd');

	struct inv_space *fresh = inv_space_new_x64(b.image, DTB, 4);
	fake_truncate(b.image, DATA, 0x900);
	struct inv_why why;
	assert_int_equal(inv_space_read(fresh, USER_VA + 0x10, bytes, 0x1000, &why), 0x8f0);
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.address, USER_VA + 0x900);
	assert_int_equal(why.at, DATA);
	assert_int_equal(bytes[0x8ef], 'd');
	assert_int_equal(bytes[0x8f0], 0);
	inv_space_free(fresh);
	drop(&b);
}

static void reads_across_pages(void **state)
{
	(void)state;
	struct bench b = make(4);
	// Neighbours in virtual memory that are none in physical memory, small beside large, with a hole at the end.
	const uint64_t border = KERNEL_VA & ~UINT64_C(0x1fffff);
	put(&b, border - 0x2000, 1, (DATA + 0x9000) | ALL);
	put(&b, border - 0x1000, 1, (DATA + 0x2000) | ALL);
	put(&b, border, 2, 0x40000000 | LARGE | ALL);
	fill(&b, DATA + 0x9000, 'a');
	fill(&b, DATA + 0x2000, 'b');
	fill(&b, 0x40000000, 'c');
	fill(&b, 0x40001000, 'd');
	static uint8_t bytes[0x6000];
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, border - 0x1800, bytes, 0x3800, &why), 0x3800);
	assert_int_equal(why.reason, INV_PRESENT);
	for (size_t i = 0; i < 0x3800; i++)
		assert_int_equal(bytes[i], i < 0x800 ? 'a' : i < 0x1800 ? 'b' : i < 0x2800 ? 'c' : 'd');

	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(inv_space_read(b.space, border - 0x1800, bytes, 0x5000, &why), 0x3800);
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.address, border + 0x2000);
	assert_int_equal(why.at, 0x40002000);
	for (size_t i = 0x3800; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], i < 0x5000 ? 0 : 0xff);
	assert_int_equal(inv_space_read(b.space, border, bytes, 0, &why), 0);
	assert_int_equal(why.reason, INV_PRESENT);
	drop(&b);
}

static struct inv_pte_format modern(void)
{
	struct inv_pte_format format = inv_pte_format_default;
	format.page_file_bit = 12;
	format.page_file_bits = 4;
	format.swizzle_bit = 4;
	format.invalid_pte_mask = UINT64_C(1) << 45;
	format.store_page_file = 2;
	return format;
}

static void software_ptes(void **state)
{
	(void)state;
	struct bench b = make(4);
	const struct inv_pte_format format = modern();
	inv_space_set_pte_format(b.space, &format);
	uint64_t at = put(&b, USER_VA, 1, 4 << 5);
	assert_absent(&b, USER_VA, INV_DEMAND_ZERO, at);
	put(&b, USER_VA, 1, UINT64_C(0x123) << 32 | 1 << 12 | 4 << 5);
	struct inv_why why = assert_absent(&b, USER_VA + 8, INV_PAGED_OUT, at);
	assert_int_equal(why.page_file, 1);
	assert_int_equal(why.offset, 0x123000);
	put(&b, USER_VA, 1, UINT64_C(0x123) << 32 | 2 << 12 | 4 << 5);
	why = assert_absent(&b, USER_VA + 8, INV_COMPRESSED, at);
	assert_int_equal(why.page_file, 2);
	assert_int_equal(why.offset, 0x123000);
	put(&b, USER_VA, 1, UINT64_C(0xffffffff) << 32 | PROTOTYPE);
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at);
	drop(&b);
}

static void pages_in_transition(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | TRANSITION | 4 << 5);
	put(&b, KERNEL_VA, 1, DATA | TRANSITION | 3 << 5);
	fill(&b, DATA, 't');
	assert_byte(&b, USER_VA, 't');
	assert_byte(&b, KERNEL_VA, 't');
	struct inv_mapping mapping = mapping_of(&b, USER_VA);
	assert_int_equal(mapping.physical, DATA);
	assert_int_equal(mapping.size, INV_PAGE_SIZE);
	assert_true(mapping.transition && mapping.user && mapping.writable && !mapping.executable);
	assert_false(mapping.prototype);
	mapping = mapping_of(&b, KERNEL_VA);
	assert_true(mapping.transition && !mapping.user && !mapping.writable && mapping.executable);
	// The frame that a transition PTE names may itself be missing.
	put(&b, USER_VA + 0x1000, 1, 0x7000000 | TRANSITION | 4 << 5);
	uint8_t byte;
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, USER_VA + 0x1000, &byte, 1, &why), 0);
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.at, 0x7000000);
	drop(&b);
}

static void tables_in_transition(void **state)
{
	(void)state;
	for (unsigned level = 2; level <= 4; level++) {
		struct bench b = make(4);
		put(&b, USER_VA, 1, DATA | ALL);
		fill(&b, DATA, 't');
		const uint64_t at = entry_at(&b, USER_VA, level);
		fake_put64(b.image, at, (get64(b.image, at) & ~ALL) | TRANSITION | 4 << 5);
		assert_byte(&b, USER_VA, 't');
		const struct inv_mapping mapping = mapping_of(&b, USER_VA);
		assert_true(mapping.transition && mapping.writable && mapping.user);
		drop(&b);
	}
}

static void tables_elsewhere(void **state)
{
	(void)state;
	for (unsigned level = 2; level <= 4; level++) {
		struct bench b = make(4);
		const struct inv_pte_format format = modern();
		inv_space_set_pte_format(b.space, &format);
		const uint64_t at = put(&b, USER_VA, level, UINT64_C(0x77) << 32 | 4 << 5);
		assert_int_equal(assert_absent(&b, USER_VA, INV_PAGED_OUT, at).offset, 0x77000);
		put(&b, USER_VA, level, UINT64_C(0x77) << 32 | 2 << 12 | 4 << 5);
		assert_absent(&b, USER_VA, INV_COMPRESSED, at);
		put(&b, USER_VA, level, KERNEL_VA << 16 | PROTOTYPE);
		assert_absent(&b, USER_VA, INV_PROTOTYPE, at);
		put(&b, USER_VA, level, 4 << 5); // a table of zeros
		assert_absent(&b, USER_VA, INV_NOT_MAPPED, at);
		drop(&b);
	}
}

static void swizzled_entries(void **state)
{
	(void)state;
	struct bench b = make(4);
	const uint64_t mask = UINT64_C(1) << 45;
	put(&b, USER_VA, 1, DATA | TRANSITION | mask);
	fill(&b, DATA, 's');
	// Before the format is known the page seems to stand high; afterwards nothing may be left of that.
	uint8_t byte;
	struct inv_why why;
	assert_int_equal(inv_space_read(b.space, USER_VA, &byte, 1, &why), 0);
	assert_int_equal(why.reason, INV_NOT_IN_IMAGE);
	assert_int_equal(why.at, DATA | mask);
	const struct inv_pte_format format = modern();
	inv_space_set_pte_format(b.space, &format);
	assert_byte(&b, USER_VA, 's');
	put(&b, USER_VA + 0x1000, 1, DATA | TRANSITION | mask | 1 << 4);
	assert_int_equal(inv_space_read(b.space, USER_VA + 0x1000, &byte, 1, &why), 0);
	assert_int_equal(why.at, DATA | mask);
	drop(&b);
}

#define POOL_VA UINT64_C(0xffffb08100000000)

static uint64_t prototype_to(uint64_t address)
{
	return address << 16 | PROTOTYPE;
}

static void prototypes_to_every_form(void **state)
{
	(void)state;
	struct bench b = make(4);
	struct inv_pte_format format = modern();
	format.swizzle_bit = 0;
	format.invalid_pte_mask = 0;
	inv_space_set_pte_format(b.space, &format);
	const uint64_t pool = DATA + 0x8000, proto_at = pool + 0x40;
	put(&b, POOL_VA, 1, pool | VALID | WRITE);
	put(&b, USER_VA, 1, prototype_to(POOL_VA + 0x40));
	fill(&b, DATA, 'v');

	fake_put64(b.image, proto_at, DATA | VALID | WRITE | NX);
	assert_byte(&b, USER_VA + 3, 'v');
	struct inv_mapping mapping = mapping_of(&b, USER_VA);
	assert_int_equal(mapping.physical, DATA);
	assert_int_equal(mapping.size, INV_PAGE_SIZE);
	assert_true(mapping.prototype && !mapping.transition && mapping.user && mapping.writable && !mapping.executable);

	inv_space_set_pte_format(b.space, &format); // forget the translation
	fake_put64(b.image, proto_at, DATA | TRANSITION | 3 << 5);
	assert_byte(&b, USER_VA + 3, 'v');
	mapping = mapping_of(&b, USER_VA);
	assert_true(mapping.prototype && mapping.transition && mapping.user && !mapping.writable && mapping.executable);

	inv_space_set_pte_format(b.space, &format);
	fake_put64(b.image, proto_at, 4 << 5);
	assert_absent(&b, USER_VA, INV_DEMAND_ZERO, proto_at);
	fake_put64(b.image, proto_at, UINT64_C(9) << 32 | 1 << 12);
	assert_int_equal(assert_absent(&b, USER_VA, INV_PAGED_OUT, proto_at).offset, 0x9000);
	fake_put64(b.image, proto_at, UINT64_C(9) << 32 | 2 << 12);
	assert_absent(&b, USER_VA, INV_COMPRESSED, proto_at);
	fake_put64(b.image, proto_at, 0);
	assert_absent(&b, USER_VA, INV_NOT_MAPPED, proto_at);
	// A subsection: what it points at would read as a PTE of a present page, and must not be taken for one.
	fake_put64(b.image, pool + 0x80, DATA | VALID);
	fake_put64(b.image, proto_at, prototype_to(POOL_VA + 0x80));
	assert_absent(&b, USER_VA, INV_PROTOTYPE, proto_at);
	fake_put64(b.image, proto_at, UINT64_C(0xffffffff) << 32 | PROTOTYPE);
	assert_absent(&b, USER_VA, INV_PROTOTYPE, proto_at);
	drop(&b);
}

static void prototypes_that_cannot_be_read(void **state)
{
	(void)state;
	struct bench b = make(4);
	const uint64_t at = put(&b, USER_VA, 1, prototype_to(POOL_VA + 0x40));
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at); // not mapped
	put(&b, POOL_VA, 1, 0x7000000 | ALL);
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at); // not in the image
	put(&b, POOL_VA, 1, DATA | ALL);
	fake_put64(b.image, DATA + 0x40, DATA | ALL);
	fake_put64(b.image, DATA + 0x84, DATA | ALL);
	assert_physical(&b, USER_VA, DATA);
	const struct inv_pte_format format = inv_pte_format_default;
	inv_space_set_pte_format(b.space, &format);
	put(&b, USER_VA, 1, prototype_to(POOL_VA + 0x84)); // misaligned
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at);
	put(&b, USER_VA + 0x1000, 1, DATA | ALL);
	put(&b, USER_VA, 1, prototype_to(USER_VA + 0x1040)); // in the user half
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at);
	put(&b, USER_VA, 1, prototype_to(0xffff000000000040)); // not canonical
	assert_absent(&b, USER_VA, INV_PROTOTYPE, at);
	drop(&b);
}

// Pools whose pages are themselves behind prototypes: page i of the pool is mapped by a prototype PTE in page i + 1.
static void chains_of_prototypes(void **state)
{
	(void)state;
	for (unsigned length = 1; length <= 12; length++) {
		struct bench b = make(4);
		for (unsigned i = 0; i < length; i++) {
			put(&b, POOL_VA + i * UINT64_C(0x1000), 1, prototype_to(POOL_VA + (i + 1) * UINT64_C(0x1000)));
			fake_put64(b.image, DATA + (i + 1) * UINT64_C(0x1000), (DATA + i * UINT64_C(0x1000)) | ALL);
		}
		put(&b, POOL_VA + length * UINT64_C(0x1000), 1, (DATA + length * UINT64_C(0x1000)) | ALL);
		fill(&b, DATA, 'z');
		uint64_t physical;
		struct inv_why why;
		const bool found = inv_space_translate(b.space, POOL_VA, &physical, &why);
		// Some chain is followed, none is followed for ever, and what is not followed is said.
		assert_int_equal(found, length <= 4);
		if (found)
			assert_int_equal(physical, DATA);
		else
			assert_int_equal(why.reason, INV_PROTOTYPE);
		drop(&b);
	}
}

static void loops_of_prototypes(void **state)
{
	(void)state;
	struct bench b = make(4);
	uint64_t at = put(&b, POOL_VA, 1, prototype_to(POOL_VA + 8)); // in the very page that it maps
	assert_absent(&b, POOL_VA, INV_PROTOTYPE, at);
	at = put(&b, POOL_VA, 1, prototype_to(POOL_VA + 0x1000));
	put(&b, POOL_VA + 0x1000, 1, prototype_to(POOL_VA));
	assert_absent(&b, POOL_VA, INV_PROTOTYPE, at);
	drop(&b);
}

// A page that maps itself as a table, as the root of Windows does.
static void self_map(void **state)
{
	(void)state;
	struct bench b = make(4);
	fake_put64(b.image, DTB + UINT64_C(0x1ed) * 8, DTB | VALID | WRITE | NX);
	put(&b, USER_VA, 1, DATA | ALL);
	const uint64_t pte_va = UINT64_C(0xfffff68000000000) + (USER_VA >> 12) * 8;
	uint64_t entry = 0;
	assert_int_equal(inv_space_read(b.space, pte_va, &entry, 8, NULL), 8);
	assert_int_equal(entry, DATA | ALL);
	assert_physical(&b, 0xfffff6fb7dbed000, DTB);
	drop(&b);
}

// Every table of the space is the same page, every page is that page: many addresses, one page.
static void all_ones(void **state)
{
	(void)state;
	struct bench b = make(5);
	memset(fake_page(b.image, 0xffffffffff000), 0xff, INV_PAGE_SIZE);
	struct inv_space *space = inv_space_new_x64(b.image, UINT64_MAX, 5);
	uint8_t bytes[64];
	struct inv_why why;
	assert_int_equal(inv_space_read(space, UINT64_MAX - 31, bytes, 64, &why), 0);
	assert_int_equal(why.reason, INV_NOT_MAPPED);
	inv_space_free(space);
	drop(&b);
}

static void translations_are_remembered(void **state)
{
	(void)state;
	struct bench b = make(4);
	put(&b, USER_VA, 1, DATA | ALL);
	fill(&b, DATA, 'r');
	assert_byte(&b, USER_VA, 'r');
	const size_t calls = fake_calls(b.image);
	for (unsigned i = 0; i < INV_PAGE_SIZE; i++)
		assert_byte(&b, USER_VA + i, 'r');
	assert_int_equal(fake_calls(b.image), calls);
	// Addresses that share a slot must not answer for each other.
	for (unsigned i = 1; i < 20; i++)
		assert_absent(&b, USER_VA + i * UINT64_C(0x100000), INV_NOT_MAPPED,
		              entry_at(&b, USER_VA + i * UINT64_C(0x100000), 1));
	assert_byte(&b, USER_VA, 'r');
	drop(&b);
}

static void free_takes_null(void **state)
{
	(void)state;
	inv_space_free(NULL);
}

// Pages that all want the same slot of what a space remembers, and whose tables do, too.
#define RIVALS 24u
#define RIVAL(i) (KERNEL_VA + (uint64_t)(i)*512 * INV_PAGE_SIZE)
#define RIVAL_DATA(i) (DATA + (uint64_t)(i)*INV_PAGE_SIZE)
#define READERS 6u

struct readers {
	struct inv_space *space;
	size_t wrong[READERS];
};

static void read_rivals(void *context, size_t reader)
{
	struct readers *readers = context;
	for (unsigned i = 0; i < 40000; i++) {
		const unsigned rival = (i * 7 + (unsigned)reader * 5 + i / 11) % RIVALS;
		uint8_t bytes[16];
		uint64_t physical;
		const uint64_t address = (RIVAL(rival) & ~UINT64_C(0xfff)) + (uint64_t)(i % 256) * 16;
		readers->wrong[reader] += inv_space_read(readers->space, address, bytes, sizeof bytes, NULL) != sizeof bytes ||
		                          bytes[0] != rival + 1 || bytes[15] != rival + 1;
		readers->wrong[reader] += !inv_space_translate(readers->space, address, &physical, NULL) ||
		                          physical != RIVAL_DATA(rival) + address % INV_PAGE_SIZE;
	}
}

static void read_by_several_threads(void **state)
{
	(void)state;
	struct bench b = make(4);
	for (unsigned i = 0; i < RIVALS; i++) {
		put(&b, RIVAL(i), 1, RIVAL_DATA(i) | ALL);
		fill(&b, RIVAL_DATA(i), (uint8_t)(i + 1));
	}
	struct readers readers = {.space = inv_space_new_beside(b.space, DTB)};
	inv_workers_run(READERS, READERS, read_rivals, &readers);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(readers.wrong[i], 0);
	inv_space_free(readers.space);
	drop(&b);
}

static void beside_is_another_root(void **state)
{
	(void)state;
	struct bench b = make(5);
	put(&b, USER_VA, 1, DATA | ALL);
	fill(&b, DATA, 'b');
	fake_page(b.image, 0x6000000); // a root of nothing but zeros
	struct inv_space *beside = inv_space_new_beside(b.space, DTB | 0x19),
	                 *empty = inv_space_new_beside(b.space, 0x6000000);
	uint64_t physical;
	assert_int_equal(inv_space_levels(beside), 5);
	assert_int_equal(inv_space_dtb(beside), DTB);
	assert_true(inv_space_translate(beside, USER_VA, &physical, NULL));
	assert_false(inv_space_translate(empty, USER_VA, &physical, NULL));
	inv_space_expect(beside, USER_VA);
	inv_space_expect(empty, USER_VA);
	inv_space_free(beside);
	inv_space_free(empty);
	drop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_pages),
	    cmocka_unit_test(the_lowest_and_highest_page),
	    cmocka_unit_test(large_pages),
	    cmocka_unit_test(too_large_pages),
	    cmocka_unit_test(not_canonical),
	    cmocka_unit_test(empty_entries_at_every_level),
	    cmocka_unit_test(tables_missing_at_every_level),
	    cmocka_unit_test(tables_present_in_part),
	    cmocka_unit_test(cr3_bits_are_masked),
	    cmocka_unit_test(high_bits_of_entries_are_masked),
	    cmocka_unit_test(rights_are_those_of_all_levels),
	    cmocka_unit_test(data_page_not_in_image),
	    cmocka_unit_test(data_page_in_part),
	    cmocka_unit_test(reads_across_pages),
	    cmocka_unit_test(software_ptes),
	    cmocka_unit_test(pages_in_transition),
	    cmocka_unit_test(tables_in_transition),
	    cmocka_unit_test(tables_elsewhere),
	    cmocka_unit_test(swizzled_entries),
	    cmocka_unit_test(prototypes_to_every_form),
	    cmocka_unit_test(prototypes_that_cannot_be_read),
	    cmocka_unit_test(chains_of_prototypes),
	    cmocka_unit_test(loops_of_prototypes),
	    cmocka_unit_test(self_map),
	    cmocka_unit_test(all_ones),
	    cmocka_unit_test(translations_are_remembered),
	    cmocka_unit_test(read_by_several_threads),
	    cmocka_unit_test(beside_is_another_root),
	    cmocka_unit_test(free_takes_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
