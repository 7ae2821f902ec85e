// SPDX-License-Identifier: Apache-2.0
// Triage dumps: no physical memory, but captured structures and virtual ranges.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

enum {
	MM = 0x2080,
	UNLOADED = 0x20d0,
	PRCB = 0x2100,
	PROCESS = 0x2200,
	THREAD = 0x2280,
	STACK = 0x2300,
	DEBUGGER = 0x2400,
	DRIVERS = 0x2500,
	NAMES = 0x2700,
	BLOCKS = 0x2800,
	DATA = 0x2830,
	VALID = 0x2ffc,
	SIZE = 0x3000,
};

static void put_driver(struct bytes *dump, size_t index, uint32_t name, uint64_t base, uint32_t size, uint32_t checksum,
                       uint32_t stamp)
{
	size_t at = DRIVERS + index * 0x90;
	put32(dump, at, name);
	put64(dump, at + 0x38, base);
	put32(dump, at + 0x48, size);
	put32(dump, at + 0x80, checksum);
	put32(dump, at + 0x88, stamp);
}

static void put_name(struct bytes *dump, size_t at, const char *name)
{
	put32(dump, at, (uint32_t)strlen(name));
	for (size_t i = 0; name[i]; i++)
		put16(dump, at + 4 + i * 2, (uint16_t)name[i]);
}

static void put_block(struct bytes *dump, size_t index, uint64_t address, uint32_t offset, uint32_t size)
{
	put64(dump, BLOCKS + index * 16, address);
	put32(dump, BLOCKS + index * 16 + 8, offset);
	put32(dump, BLOCKS + index * 16 + 12, size);
}

static struct bytes triage_dump(void)
{
	struct bytes dump = crash_dump(SIZE + 0x40, 4); // with secondary data behind
	static const uint32_t fields[] = {7,      SIZE,  VALID, 0x348,   0xf00, MM,    UNLOADED, PRCB, PROCESS,
	                                  THREAD, STACK, 0x100, DRIVERS, 2,     NAMES, 0x80,     0,    0x41};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		put32(&dump, 0x2000 + i * 4, fields[i]);
	put64(&dump, 0x2048, UINT64_C(0xffff850429890ee8));
	put32(&dump, 0x2070, DEBUGGER);
	put32(&dump, 0x2074, 0xf0);
	put32(&dump, 0x2078, BLOCKS);
	put32(&dump, 0x207c, 2);
	put_driver(&dump, 0, NAMES, UINT64_C(0xfffff8047ba00000), 0x1046000, 0xa5938c, 0xd8333e6);
	put_driver(&dump, 1, NAMES + 0x40, UINT64_C(0xfffff80479440000), 0x6000, 0xce9f, 0x1a7be8e9);
	put_name(&dump, NAMES, "ntoskrnl.exe");
	put_name(&dump, NAMES + 0x40, "hal.dll");
	put_block(&dump, 0, UINT64_C(0xfffff8047c62a7a0), DATA, 0x10);
	put_block(&dump, 1, UINT64_C(0xffff850429892120), DATA + 0x10, 0x100);
	put_text(&dump, DATA, "the first block!");
	put_text(&dump, PROCESS, "a process");
	put_text(&dump, VALID, "TRGD");
	return dump;
}

static void check_section(const struct inv_section *section, const struct bytes *dump, uint64_t offset, size_t size)
{
	assert_true(section->offset == offset);
	assert_true(section->size == size);
	assert_ptr_equal(section->bytes, dump->data + offset);
}

static void a_triage_dump(void **state)
{
	(void)state;
	struct bytes dump = triage_dump();
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_image_info *info = inv_image_info(image);
	print_contradictions(image);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->format, INV_FORMAT_CRASH_TRIAGE);
	assert_int_equal(info->present_pages, 0);
	assert_true(info->highest == 0);
	const struct inv_triage *triage = info->triage;
	assert_int_equal(triage->service_pack_build, 7);
	assert_int_equal(triage->triage_options, 0x41);
	assert_true(triage->top_of_stack == UINT64_C(0xffff850429890ee8));
	check_section(&triage->memory_info, &dump, MM, UNLOADED - MM);
	check_section(&triage->unloaded_drivers, &dump, UNLOADED, PRCB - UNLOADED);
	check_section(&triage->prcb, &dump, PRCB, PROCESS - PRCB);
	check_section(&triage->process, &dump, PROCESS, THREAD - PROCESS);
	check_section(&triage->thread, &dump, THREAD, STACK - THREAD);
	check_section(&triage->call_stack, &dump, STACK, 0x100);
	check_section(&triage->debugger_data, &dump, DEBUGGER, 0xf0);
	check_section(&triage->context, &dump, 0x348, 3000);
	check_section(&triage->exception, &dump, 0xf00, 0x98);
	assert_int_equal(triage->fragment_count, 2);
	assert_true(triage->fragments[0].address == UINT64_C(0xfffff8047c62a7a0) && triage->fragments[0].size == 0x10);
	assert_true(triage->fragments[0].offset == DATA);
	assert_memory_equal(triage->fragments[0].bytes, "the first block!", 16);
	assert_true(triage->fragments[1].address == UINT64_C(0xffff850429892120) && triage->fragments[1].size == 0x100);
	assert_int_equal(triage->module_count, 2);
	const struct inv_triage_module *kernel = &triage->modules[0];
	assert_true(kernel->base == UINT64_C(0xfffff8047ba00000) && kernel->size == 0x1046000);
	assert_true(kernel->checksum == 0xa5938c && kernel->time_stamp == 0xd8333e6 && kernel->offset == DRIVERS);
	assert_int_equal(kernel->name_size, 24);
	assert_memory_equal(kernel->name, "n\0t\0o\0s\0k\0r\0n\0l\0.\0e\0x\0e\0", 24);
	assert_int_equal(triage->modules[1].name_size, 14);
	walk(image);
	inv_image_close(image);
	bytes_free(&dump);
}

static void sections_that_are_not_there(void **state)
{
	(void)state;
	struct bytes dump = triage_dump();
	static const size_t offsets[] = {0x2014, 0x2018, 0x201c, 0x2020, 0x2024, 0x2028, 0x2030, 0x2070, 0x2078};
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
		put32(&dump, offsets[i], 0);
	put32(&dump, 0x2034, 0);
	put32(&dump, 0x207c, 0);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_triage *triage = inv_image_info(image)->triage;
	print_contradictions(image);
	assert_int_equal(inv_image_info(image)->contradiction_count, 0);
	assert_int_equal(triage->prcb.size + triage->process.size + triage->thread.size + triage->call_stack.size, 0);
	assert_int_equal(triage->memory_info.size + triage->unloaded_drivers.size + triage->debugger_data.size, 0);
	assert_null(triage->process.bytes);
	assert_int_equal(triage->fragment_count + triage->module_count, 0);
	inv_image_close(image);
	bytes_free(&dump);
}

static void blocks_in_any_order_come_in_file_order(void **state)
{
	(void)state;
	struct bytes dump = triage_dump();
	put_block(&dump, 0, 0x5000, DATA + 0x10, 0x100);
	put_block(&dump, 1, 0x1000, DATA, 0x10);
	put64(&dump, 0x2060, 0x9000); // and a data page
	put32(&dump, 0x2068, DATA + 0x200);
	put32(&dump, 0x206c, 0x300);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_triage *triage = inv_image_info(image)->triage;
	assert_int_equal(triage->fragment_count, 3);
	assert_true(triage->fragments[0].address == 0x1000 && triage->fragments[1].address == 0x5000);
	assert_true(triage->fragments[2].address == 0x9000 && triage->fragments[2].size == 0x300);
	inv_image_close(image);
	bytes_free(&dump);
}

static void contradiction(size_t offset, uint32_t value, const char *says)
{
	struct bytes dump = triage_dump();
	put32(&dump, offset, value);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	if (!contradicts(image, says)) {
		print_error("%zx: %s\n", offset, says);
		print_contradictions(image);
	}
	assert_true(contradicts(image, says));
	walk(image);
	inv_image_close(image);
	bytes_free(&dump);
}

static void what_contradicts_itself(void **state)
{
	(void)state;
	contradiction(0x2004, SIZE + 0x41, "SizeOfDump");
	contradiction(0x2008, 0xfffffff0, "TRGD");
	contradiction(0x2008, VALID - 4, "TRGD");
	contradiction(VALID, 0, "TRGD");
	contradiction(0x2020, 0xffffffff, "section");
	contradiction(0x2028, SIZE + 0x40, "section");
	contradiction(0x202c, 0xffffffff, "section");
	contradiction(0x2074, 0xffffffff, "section");
	contradiction(0x2034, 0xffffffff, "number of entries");
	contradiction(0x207c, 0xffffffff, "number of entries");
	contradiction(0x2030, 0xffffff00, "number of entries");
	contradiction(0x2078, 0xffffff00, "number of entries");
	contradiction(BLOCKS + 8, 0xfffffff0, "captured block");
	contradiction(BLOCKS + 12, 0xfffffff0, "captured block");
	contradiction(DRIVERS, 0xfffffffe, "name of a driver");
	contradiction(NAMES, 0xffffffff, "name of a driver");
	contradiction(NAMES, 0x7000, "name of a driver");

	struct bytes dump = triage_dump();
	put_block(&dump, 0, UINT64_MAX - 7, DATA, 0x10);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	assert_true(contradicts(image, "2^64"));
	assert_true(inv_image_info(image)->triage->fragments[0].size == 7);
	inv_image_close(image);
	bytes_free(&dump);
}

static void cut_off(void **state)
{
	(void)state;
	struct bytes dump = triage_dump();
	dump.size = 0x207f;
	open_bytes(&dump, INV_E_FORMAT, NULL);
	dump.size = DATA + 0x20; // within the second block
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	const struct inv_triage *triage = inv_image_info(image)->triage;
	assert_true(contradicts(image, "SizeOfDump") && contradicts(image, "captured block"));
	assert_int_equal(triage->fragment_count, 2);
	assert_true(triage->fragments[1].size == 0x10);
	assert_int_equal(triage->module_count, 2);
	inv_image_close(image);
	bytes_free(&dump);
}

static void many_contradictions_are_not_all_kept(void **state)
{
	(void)state;
	struct bytes dump = bytes_new(0x2080 + (size_t)0x90 * 200, 0);
	struct bytes head = triage_dump();
	memcpy(dump.data, head.data, 0x2080);
	put32(&dump, 0x2030, 0x2080);
	put32(&dump, 0x2034, 200);
	for (size_t i = 0; i < 200; i++)
		put32(&dump, 0x2080 + i * (size_t)0x90, 0xfffffff0);
	struct inv_image *image = open_bytes(&dump, INV_OK, NULL);
	assert_int_equal(inv_image_info(image)->contradiction_count, 65);
	assert_true(contradicts(image, "further contradictions are left out"));
	inv_image_close(image);
	bytes_free(&head);
	bytes_free(&dump);
}

static void every_cut_and_flip(void **state)
{
	(void)state;
	struct bytes dump = triage_dump();
	torture(&dump, 16, 37, 0);
	for (size_t bit = (size_t)0x2000 * 8; bit < (size_t)DATA * 8; bit++) {
		dump.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		struct inv_image *image = NULL;
		assert_int_equal(inv_image_open_memory("flip.dmp", dump.data, dump.size, &image, NULL), INV_OK);
		assert_true(walk(image) == 0);
		inv_image_close(image);
		dump.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	bytes_free(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_triage_dump),
	    cmocka_unit_test(sections_that_are_not_there),
	    cmocka_unit_test(blocks_in_any_order_come_in_file_order),
	    cmocka_unit_test(what_contradicts_itself),
	    cmocka_unit_test(cut_off),
	    cmocka_unit_test(many_contradictions_are_not_all_kept),
	    cmocka_unit_test(every_cut_and_flip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
