// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "paging/pte.h"

#define PROTOTYPE (UINT64_C(1) << 10)
#define TRANSITION (UINT64_C(1) << 11)
#define SWIZZLE (UINT64_C(1) << 4)
#define PROTECTION(value) ((uint64_t)(value) << 5)
#define PAGE_FILE(number, page) ((uint64_t)(number) << 12 | (uint64_t)(page) << 32)
#define MASK UINT64_C(0x0000200000000000)

// As of build 17134 and later, with the mitigation of L1TF at work.
static struct inv_pte_format modern(void)
{
	struct inv_pte_format format = inv_pte_format_default;
	format.page_file_bit = 12;
	format.page_file_bits = 4;
	format.swizzle_bit = 4;
	format.invalid_pte_mask = MASK;
	format.store_page_file = 2;
	return format;
}

static void nothing_there(void **state)
{
	(void)state;
	const struct inv_pte_format format = modern();
	assert_int_equal(inv_pte_decode(&format, 0).form, INV_PTE_EMPTY);
	assert_int_equal(inv_pte_decode(&format, MASK).form, INV_PTE_EMPTY);
	assert_int_equal(inv_pte_decode(&format, UINT64_C(5) << 16).form, INV_PTE_EMPTY);      // UsedPageTableEntries alone
	assert_int_equal(inv_pte_decode(&format, PROTECTION(0x10)).form, INV_PTE_EMPTY);       // decommitted
	assert_int_equal(inv_pte_decode(&format, PROTECTION(0x14)).form, INV_PTE_DEMAND_ZERO); // guard page
}

static void demand_zero(void **state)
{
	(void)state;
	const struct inv_pte_format format = modern();
	const struct inv_pte pte = inv_pte_decode(&format, PROTECTION(4));
	assert_int_equal(pte.form, INV_PTE_DEMAND_ZERO);
	assert_int_equal(pte.protection, 4);
	assert_int_equal(inv_pte_decode(&format, PROTECTION(4) | MASK).form, INV_PTE_DEMAND_ZERO);
	assert_int_equal(inv_pte_decode(&inv_pte_format_default, PROTECTION(4)).form, INV_PTE_DEMAND_ZERO);
}

static void paged_out(void **state)
{
	(void)state;
	const struct inv_pte_format format = modern();
	struct inv_pte pte = inv_pte_decode(&format, PAGE_FILE(1, 0x123) | PROTECTION(4) | MASK);
	assert_int_equal(pte.form, INV_PTE_PAGED_OUT);
	assert_int_equal(pte.page_file, 1);
	assert_int_equal(pte.offset, 0x123000);

	pte = inv_pte_decode(&format, PAGE_FILE(0, 0xfffffffe) | SWIZZLE);
	assert_int_equal(pte.form, INV_PTE_PAGED_OUT);
	assert_int_equal(pte.page_file, 0);
	assert_int_equal(pte.offset, 0xfffffffe000);
}

static void page_file_number_not_known(void **state)
{
	(void)state;
	struct inv_pte_format format = inv_pte_format_default;
	format.store_page_file = 2;
	const struct inv_pte pte = inv_pte_decode(&format, PAGE_FILE(2, 7));
	assert_int_equal(pte.form, INV_PTE_PAGED_OUT);
	assert_true(pte.page_file == UINT32_MAX);
	assert_int_equal(pte.offset, 0x7000);
}

static void compressed(void **state)
{
	(void)state;
	struct inv_pte_format format = modern();
	const struct inv_pte pte = inv_pte_decode(&format, PAGE_FILE(2, 0x44));
	assert_int_equal(pte.form, INV_PTE_COMPRESSED);
	assert_int_equal(pte.page_file, 2);
	assert_int_equal(pte.offset, 0x44000);
	format.store_page_file = -1;
	assert_int_equal(inv_pte_decode(&format, PAGE_FILE(2, 0x44)).form, INV_PTE_PAGED_OUT);
}

static void transition_and_swizzle(void **state)
{
	(void)state;
	struct inv_pte_format format = modern();
	struct inv_pte pte = inv_pte_decode(&format, 0x12345000 | TRANSITION | PROTECTION(6) | MASK);
	assert_int_equal(pte.form, INV_PTE_TRANSITION);
	assert_int_equal(pte.frame, 0x12345000);
	assert_int_equal(pte.protection, 6);
	// SwizzleBit set: stored as it was.
	pte = inv_pte_decode(&format, 0x12345000 | TRANSITION | MASK | SWIZZLE);
	assert_int_equal(pte.frame, 0x12345000 | MASK);
	// Never swizzled: nothing to take away.
	assert_int_equal(inv_pte_decode(&format, 0x12345000 | TRANSITION).frame, 0x12345000);
	// The mask is not known, or the build has no SwizzleBit.
	format.invalid_pte_mask = 0;
	assert_int_equal(inv_pte_decode(&format, 0x12345000 | TRANSITION | MASK).frame, 0x12345000 | MASK);
	format.invalid_pte_mask = MASK;
	format.swizzle_bit = 0;
	assert_int_equal(inv_pte_decode(&format, 0x12345000 | TRANSITION | MASK).frame, 0x12345000 | MASK);
	// Bits from 48 on are no part of the frame.
	assert_int_equal(inv_pte_decode(&format, 0xffff000012345000 | TRANSITION).frame, 0x12345000);
}

static void prototypes(void **state)
{
	(void)state;
	const struct inv_pte_format format = modern();
	const uint64_t address = 0xffffc58112345678;
	// Bit 45 of the PTE is bit 29 of the address: set it and the entry is stored as it is, clear and it is swizzled.
	struct inv_pte pte = inv_pte_decode(&format, address << 16 | PROTOTYPE | MASK);
	assert_int_equal(pte.form, INV_PTE_PROTOTYPE);
	assert_int_equal(pte.prototype, address);
	pte = inv_pte_decode(&format, (address | 0x20000000) << 16 | PROTOTYPE | SWIZZLE);
	assert_int_equal(pte.prototype, address | 0x20000000);
	// Not sign-extended from a clear bit.
	assert_int_equal(inv_pte_decode(&format, UINT64_C(0x7fff12345678) << 16 | PROTOTYPE | SWIZZLE).prototype,
	                 0x7fff12345678);
	// Combined stands where Transition does.
	assert_int_equal(inv_pte_decode(&format, address << 16 | PROTOTYPE | TRANSITION | MASK).form, INV_PTE_PROTOTYPE);
}

static void prototypes_by_vad(void **state)
{
	(void)state;
	struct inv_pte_format format = modern();
	assert_int_equal(inv_pte_decode(&format, 0xffffffff00000000 | PROTOTYPE | PROTECTION(1)).form,
	                 INV_PTE_PROTOTYPE_VAD);
	assert_int_equal(inv_pte_decode(&format, 0xffffffff00000000 | PROTOTYPE | SWIZZLE).form, INV_PTE_PROTOTYPE_VAD);
	assert_int_equal(inv_pte_decode(&format, 0xffffffffffff0000 | PROTOTYPE).form, INV_PTE_PROTOTYPE_VAD);
	// One bit less is an address.
	assert_int_equal(inv_pte_decode(&format, 0xfffffffe00000000 | PROTOTYPE).form, INV_PTE_PROTOTYPE);
	format.proto_address_bits = 0;
	assert_int_equal(inv_pte_decode(&format, UINT64_C(0xfff8) << 48 | PROTOTYPE).form, INV_PTE_PROTOTYPE_VAD);
}

static void places_follow_the_format(void **state)
{
	(void)state;
	struct inv_pte_format format = modern();
	format.prototype_bit = 9;
	format.transition_bit = 8;
	assert_int_equal(inv_pte_decode(&format, 0x5000 | 1 << 8).form, INV_PTE_TRANSITION);
	assert_int_equal(inv_pte_decode(&format, UINT64_C(0xf8) << 56 | 1 << 9).form, INV_PTE_PROTOTYPE);
	format.page_file_bit = 1;
	format.page_file_offset_bit = 40;
	format.page_file_offset_bits = 24;
	const struct inv_pte pte = inv_pte_decode(&format, UINT64_C(3) << 40 | 5 << 1);
	assert_int_equal(pte.form, INV_PTE_PAGED_OUT);
	assert_int_equal(pte.page_file, 5);
	assert_int_equal(pte.offset, 0x3000);
}

static void absurd_formats_are_safe(void **state)
{
	(void)state;
	const struct inv_pte_format absurd[] = {
	    {0},
	    {.prototype_bit = 255,
	     .transition_bit = 64,
	     .protection_bit = 200,
	     .protection_bits = 255,
	     .page_file_bit = 63,
	     .page_file_bits = 255,
	     .page_file_offset_bit = 1,
	     .page_file_offset_bits = 255,
	     .swizzle_bit = 255,
	     .proto_address_bit = 1,
	     .proto_address_bits = 255,
	     .invalid_pte_mask = UINT64_MAX,
	     .store_page_file = 0},
	    {.prototype_bit = 1, .proto_address_bit = 0, .proto_address_bits = 64},
	};
	for (size_t f = 0; f < sizeof absurd / sizeof absurd[0]; f++)
		for (unsigned bit = 1; bit < 64; bit++) {
			inv_pte_decode(&absurd[f], UINT64_C(1) << bit);
			inv_pte_decode(&absurd[f], UINT64_MAX << bit);
		}
	assert_int_equal(inv_pte_decode(&absurd[2], 0x7f00000000000002).prototype, 0x7f00000000000002);
}

static void protections(void **state)
{
	(void)state;
	const char *const expected[8] = {"--", "--", "-x", "-x", "w-", "--", "wx", "-x"};
	for (uint32_t protection = 0; protection < 32; protection++) {
		assert_int_equal(inv_protection_writable(protection), expected[protection & 7][0] == 'w');
		assert_int_equal(inv_protection_executable(protection), expected[protection & 7][1] == 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_there),
	    cmocka_unit_test(demand_zero),
	    cmocka_unit_test(paged_out),
	    cmocka_unit_test(page_file_number_not_known),
	    cmocka_unit_test(compressed),
	    cmocka_unit_test(transition_and_swizzle),
	    cmocka_unit_test(prototypes),
	    cmocka_unit_test(prototypes_by_vad),
	    cmocka_unit_test(places_follow_the_format),
	    cmocka_unit_test(absurd_formats_are_safe),
	    cmocka_unit_test(protections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
