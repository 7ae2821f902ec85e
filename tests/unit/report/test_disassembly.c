// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/disassembly.h"

// mov [rsp+8],rbx; push rdi; sub rsp,0x20; ret
static const uint8_t code[] = {0x48, 0x89, 0x5c, 0x24, 0x08, 0x57, 0x48, 0x83, 0xec, 0x20, 0xc3};

static void test_instructions(void **state)
{
	(void)state;
	struct inv_instruction found[8];
	assert_int_equal(inv_disassemble(code, sizeof code, 0x1000, false, found, 8), 4);
	assert_string_equal(found[0].text, "mov [rsp+0x08], rbx");
	assert_int_equal(found[0].size, 5);
	assert_memory_equal(found[0].bytes, code, 5);
	assert_int_equal(found[1].address, 0x1005);
	assert_string_equal(found[1].text, "push rdi");
	assert_string_equal(found[3].text, "ret");
	assert_int_equal(inv_disassemble(code, sizeof code, 0x1000, false, found, 2), 2);
	assert_int_equal(inv_disassemble(code, 0, 0x1000, false, found, 8), 0);
}

static void test_targets_are_absolute(void **state)
{
	(void)state;
	static const uint8_t jump[] = {0xe9, 0xfb, 0x0f, 0x00, 0x00};
	struct inv_instruction found[1];
	assert_int_equal(inv_disassemble(jump, sizeof jump, 0x7ff600001000, false, found, 1), 1);
	assert_string_equal(found[0].text, "jmp 0x00007FF600002000");
}

static void test_what_is_cut_off_or_none(void **state)
{
	(void)state;
	struct inv_instruction found[4];
	assert_int_equal(inv_disassemble(code, 3, 0, false, found, 4), 0);
	static const uint8_t none[] = {0x06, 0xc3}; // push es: only in 32-bit code
	assert_int_equal(inv_disassemble(none, sizeof none, 0, false, found, 4), 2);
	assert_string_equal(found[0].text, "db 0x06");
	assert_string_equal(found[1].text, "ret");
	assert_int_equal(inv_disassemble(none, sizeof none, 0, true, found, 4), 2);
	assert_string_equal(found[0].text, "push es");
}

static void test_start_of_an_instruction(void **state)
{
	(void)state;
	assert_int_equal(inv_instruction_start(code, sizeof code, 0, false), 0);
	assert_int_equal(inv_instruction_start(code, sizeof code, 3, false), 0);
	assert_int_equal(inv_instruction_start(code, sizeof code, 5, false), 5);
	assert_int_equal(inv_instruction_start(code, sizeof code, 9, false), 6);
	assert_int_equal(inv_instruction_start(code, sizeof code, 99, false), 99);
	uint8_t page[256];
	memset(page, 0x90, sizeof page);
	memcpy(page + 200, code, sizeof code);
	assert_int_equal(inv_instruction_start(page, sizeof page, 202, false), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_instructions),
	    cmocka_unit_test(test_targets_are_absolute),
	    cmocka_unit_test(test_what_is_cut_off_or_none),
	    cmocka_unit_test(test_start_of_an_instruction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
