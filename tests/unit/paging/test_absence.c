// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paging/absence.h"

static void names_are_distinct(void **state)
{
	(void)state;
	for (int a = 0; a < INV_ABSENCE_COUNT; a++) {
		assert_string_not_equal(inv_absence_name((enum inv_absence)a), "unknown");
		for (int b = 0; b < a; b++)
			assert_string_not_equal(inv_absence_name((enum inv_absence)a), inv_absence_name((enum inv_absence)b));
	}
	assert_string_equal(inv_absence_name(INV_ABSENCE_COUNT), "unknown");
}

static void names_that_the_header_promises(void **state)
{
	(void)state;
	assert_string_equal(inv_absence_name(INV_NOT_MAPPED), "not mapped");
	assert_string_equal(inv_absence_name(INV_NOT_IN_IMAGE), "not in the image");
	assert_string_equal(inv_absence_name(INV_PAGED_OUT), "in page file");
}

static void assert_text(const struct inv_why *why, const char *expected)
{
	struct inv_arena *arena = inv_arena_new();
	assert_string_equal(inv_why_text(arena, why), expected);
	inv_arena_free(arena);
}

static void texts_carry_the_details(void **state)
{
	(void)state;
	struct inv_why why = {.reason = INV_PAGED_OUT, .address = 0xfffff80012345678, .at = 0x1000, .offset = 0x3000};
	assert_text(&why, "0xfffff80012345678 is in page file 0 at offset 0x3000");
	why.page_file = UINT32_MAX;
	assert_text(&why, "0xfffff80012345678 is in a page file at offset 0x3000");
	why = (struct inv_why){.reason = INV_COMPRESSED, .address = 0x10, .page_file = 2, .offset = 0x5000};
	assert_text(&why, "0x10 is in the compressed store (page file 2 at offset 0x5000)");
	why = (struct inv_why){.reason = INV_NOT_IN_IMAGE, .address = 0x7ff000, .at = 0x4000};
	assert_text(&why, "0x7ff000 needs physical page 0x4000, which is not in the image");
	why = (struct inv_why){.reason = INV_NOT_MAPPED, .address = 0x7ff000, .at = 0x4008};
	assert_text(&why, "0x7ff000 is not mapped, by the page table entry at physical 0x4008");
}

static void texts_name_fields_and_symbols(void **state)
{
	(void)state;
	struct inv_why why = {.reason = INV_NO_FIELD, .name = "_EPROCESS.Peb"};
	assert_text(&why, "this build has no field _EPROCESS.Peb, or the facts do not know it");
	why = (struct inv_why){.reason = INV_NO_SYMBOL, .name = "PspCidTable"};
	assert_text(&why, "the address of PspCidTable is not known");
	why = (struct inv_why){.reason = INV_NO_POINTER, .name = "_EPROCESS.Peb"};
	assert_text(&why, "the pointer _EPROCESS.Peb is NULL");
}

static void every_text_is_one_bare_sentence(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	for (int reason = 0; reason <= INV_ABSENCE_COUNT; reason++) {
		const struct inv_why why = {.reason = (enum inv_absence)reason, .address = 0x1000};
		const char *text = inv_why_text(arena, &why);
		assert_true(strlen(text) > 10);
		assert_null(strchr(text, '.'));
	}
	inv_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_distinct),
	    cmocka_unit_test(names_that_the_header_promises),
	    cmocka_unit_test(texts_carry_the_details),
	    cmocka_unit_test(texts_name_fields_and_symbols),
	    cmocka_unit_test(every_text_is_one_bare_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
