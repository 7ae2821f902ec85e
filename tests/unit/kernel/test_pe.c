// SPDX-License-Identifier: Apache-2.0
// The PE reader over a space of fragments: sound files, and every number of them turned hostile.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "kernel/exports.h"
#include "kernel/pe.h"

#define BASE 0xfffff80011100000ull
#define SIZE 0x4000u
#define HEADER 0x80
#define OPTIONAL (HEADER + 24)
#define COM_DIRECTORY 208 // of PE32: the fifteenth entry of the data directory at 96
#define EXPORTS 0x1000
#define DEBUG 0x2000
#define RECORD 0x2040

struct file {
	uint8_t bytes[SIZE];
	struct inv_space *space;
};

// Without the NUL.
static void put_raw(uint8_t *at, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		at[i] = (uint8_t)text[i];
}

static void put_text(uint8_t *at, const char *text)
{
	memcpy(at, text, strlen(text) + 1);
}

static void build_headers(uint8_t *b)
{
	put_raw(b, "MZ");
	inv_put32(b + 0x3c, HEADER);
	put_raw(b + HEADER, "PE");
	inv_put16(b + HEADER + 4, 0x8664);
	inv_put16(b + HEADER + 6, 2);
	inv_put32(b + HEADER + 8, 0x12345678);
	inv_put16(b + HEADER + 20, 240);
	inv_put16(b + OPTIONAL, 0x20b);
	inv_put32(b + OPTIONAL + 56, SIZE);
	inv_put32(b + OPTIONAL + 64, 0xabcd);
	inv_put32(b + OPTIONAL + 108, 16);
	inv_put32(b + OPTIONAL + 112, EXPORTS);
	inv_put32(b + OPTIONAL + 116, 0x300);
	inv_put32(b + OPTIONAL + 112 + 48, DEBUG);
	inv_put32(b + OPTIONAL + 116 + 48, 28);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *section = b + OPTIONAL + 240 + (size_t)i * 40;
		put_raw(section, i ? ".data" : ".textlng");
		inv_put32(section + 8, 0x1000);
		inv_put32(section + 12, 0x1000 + i * 0x1000);
		inv_put32(section + 36, i ? 0xc0000040 : 0x60000020);
	}
}

// Three exports; the last is a forwarder.
static void build_exports(uint8_t *b)
{
	static const char *const names[] = {"NtBuildNumber", "PsInitialSystemProcess", "ZwForwarded"};
	uint8_t *e = b + EXPORTS;
	inv_put32(e + 12, EXPORTS + 0x200);
	inv_put32(e + 20, 3);
	inv_put32(e + 24, 3);
	inv_put32(e + 28, EXPORTS + 0x40);
	inv_put32(e + 32, EXPORTS + 0x60);
	inv_put32(e + 36, EXPORTS + 0x80);
	put_text(e + 0x200, "ntoskrnl.exe");
	static const uint32_t functions[] = {0x3010, 0x3020, EXPORTS + 0x210};
	for (unsigned i = 0; i < 3; i++) {
		inv_put32(e + 0x40 + (size_t)i * 4, functions[2 - i]);
		inv_put32(e + 0x60 + (size_t)i * 4, EXPORTS + 0x100 + i * 0x20);
		inv_put16(e + 0x80 + (size_t)i * 2, (uint16_t)(2 - i));
		put_text(e + 0x100 + (size_t)i * 0x20, names[i]);
	}
}

static void build_debug(uint8_t *b)
{
	inv_put32(b + DEBUG + 12, 2);
	inv_put32(b + DEBUG + 16, 24 + 13);
	inv_put32(b + DEBUG + 20, RECORD);
	put_raw(b + RECORD, "RSDS");
	for (unsigned i = 0; i < 16; i++)
		b[RECORD + 4 + i] = (uint8_t)(i + 1);
	inv_put32(b + RECORD + 20, 7);
	put_text(b + RECORD + 24, "ntkrnlmp.pdb");
}

static int setup(void **state)
{
	struct file *file = inv_alloc(sizeof(*file));
	build_headers(file->bytes);
	build_exports(file->bytes);
	build_debug(file->bytes);
	file->space = inv_space_new_fragments();
	inv_space_add_fragment(file->space, BASE, file->bytes, SIZE);
	*state = file;
	return 0;
}

static int teardown(void **state)
{
	struct file *file = *state;
	inv_space_free(file->space);
	free(file);
	return 0;
}

static void sound(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_int_equal(pe.base, BASE);
	assert_int_equal(pe.machine, 0x8664);
	assert_int_equal(pe.time_stamp, 0x12345678);
	assert_int_equal(pe.size_of_image, SIZE);
	assert_int_equal(pe.checksum, 0xabcd);
	assert_int_equal(pe.section_count, 2);
	assert_string_equal(pe.section[0].name, ".textlng");
	assert_true(pe.section[0].executable && !pe.section[0].writable);
	assert_string_equal(pe.section[1].name, ".data");
	assert_true(pe.section[1].writable && !pe.section[1].executable);
	assert_true(inv_pe_read_pdb(file->space, &pe, NULL));
	assert_string_equal(pe.pdb.name, "ntkrnlmp.pdb");
	assert_int_equal(pe.pdb.age, 7);
	assert_int_equal(pe.pdb.guid[0], 1);
	assert_int_equal(pe.pdb.guid[15], 16);
	assert_true(inv_pe_read_kernel(file->space, BASE, &pe));
}

// The optional header of a 32-bit program has its directories sixteen bytes earlier.
static void narrow(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	inv_put16(file->bytes + HEADER + 4, 0x14c);
	inv_put16(file->bytes + HEADER + 20, 224);
	memset(file->bytes + OPTIONAL, 0, 240);
	inv_put16(file->bytes + OPTIONAL, 0x10b);
	inv_put32(file->bytes + OPTIONAL + 16, 0x1234);
	inv_put32(file->bytes + OPTIONAL + 28, 0x400000);
	inv_put32(file->bytes + OPTIONAL + 56, SIZE);
	inv_put16(file->bytes + OPTIONAL + 68, 3);
	inv_put32(file->bytes + OPTIONAL + 92, 16);
	inv_put32(file->bytes + OPTIONAL + COM_DIRECTORY, 0x1000);
	inv_put32(file->bytes + OPTIONAL + COM_DIRECTORY + 4, 72);
	assert_false(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_int_equal(pe.size_of_image, 0);
	assert_true(inv_pe_read_image(file->space, BASE, &pe, NULL));
	assert_true(pe.narrow);
	assert_int_equal(pe.machine, 0x14c);
	assert_int_equal(pe.entry, 0x1234);
	assert_int_equal(pe.image_base, 0x400000);
	assert_int_equal(pe.subsystem, 3);
	assert_int_equal(pe.managed_rva, 0x1000);
	assert_int_equal(pe.managed_size, 72);
	inv_put32(file->bytes + OPTIONAL + 56, 0x80000000);
	assert_false(inv_pe_read_image(file->space, BASE, &pe, NULL));
}

// The kernel's reader takes no image as large as a program may be.
static void large(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	inv_put32(file->bytes + OPTIONAL + 56, INV_PE_MAX_SIZE + 0x1000);
	assert_false(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_true(inv_pe_read_image(file->space, BASE, &pe, NULL));
	assert_false(pe.narrow);
}

static void exports(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	uint32_t rva = 0;
	char name[64];
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_true(inv_pe_export_name(file->space, &pe, name));
	assert_string_equal(name, "ntoskrnl.exe");
	assert_true(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
	assert_int_equal(rva, 0x3010);
	assert_true(inv_pe_export(file->space, &pe, "PsInitialSystemProcess", &rva));
	assert_int_equal(rva, 0x3020);
	assert_false(inv_pe_export(file->space, &pe, "ZwForwarded", &rva));
	assert_false(inv_pe_export(file->space, &pe, "Absent", &rva));
	assert_false(inv_pe_export(file->space, &pe, "Zz", &rva));
}

// One change each; the headers must then be refused.
static void refused(void **state)
{
	struct file *file = *state;
	static const struct {
		unsigned at, width;
		uint32_t value;
	} changes[] = {
	    {0, 2, 0},
	    {0x3c, 4, 0},
	    {0x3c, 4, 0xffffffff},
	    {0x3c, 4, 0xff0},
	    {HEADER, 4, 0},
	    {HEADER + 4, 2, 0x14c},
	    {HEADER + 20, 2, 0},
	    {OPTIONAL, 2, 0x10b},
	    {OPTIONAL + 56, 4, 0},
	    {OPTIONAL + 56, 4, 0xffffffff},
	    {OPTIONAL + 56, 4, INV_PE_MAX_SIZE + 1},
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint8_t *at = file->bytes + changes[i].at;
		uint32_t before = inv_le32(at);
		if (changes[i].width == 2)
			inv_put16(at, (uint16_t)changes[i].value);
		else
			inv_put32(at, changes[i].value);
		struct inv_pe pe;
		assert_false(inv_pe_read(file->space, BASE, &pe, NULL));
		inv_put32(at, before);
		assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	}
}

static void sections_are_clipped(void **state)
{
	struct file *file = *state;
	uint8_t *section = file->bytes + OPTIONAL + 240;
	inv_put16(file->bytes + HEADER + 6, 0xffff);
	inv_put32(section + 8, 0xffffffff);
	inv_put32(section + 40 + 12, 0xfffff000);
	struct inv_pe pe;
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_int_equal(pe.section_count, INV_PE_MAX_SECTIONS);
	assert_int_equal(pe.section[0].size, SIZE - 0x1000);
	assert_int_equal(pe.section[1].size, 0);
}

static void directories_outside_the_image_are_none(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	uint32_t rva;
	inv_put32(file->bytes + OPTIONAL + 116, 0xffffffff);
	inv_put32(file->bytes + OPTIONAL + 112 + 48, 0xfffffff0);
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_int_equal(pe.export_size, 0);
	assert_int_equal(pe.debug_size, 0);
	assert_false(inv_pe_read_pdb(file->space, &pe, NULL));
	assert_false(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
	// More directories are claimed than the optional header has room for.
	inv_put32(file->bytes + OPTIONAL + 108, 0xffffffff);
	inv_put16(file->bytes + HEADER + 20, 112);
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	assert_int_equal(pe.debug_size, 0);
}

static void hostile_exports(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	uint32_t rva;
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	uint8_t *e = file->bytes + EXPORTS;
	for (unsigned at = 20; at <= 36; at += 4) {
		uint32_t before = inv_le32(e + at);
		inv_put32(e + at, 0xffffffff);
		assert_false(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
		size_t count;
		assert_null(inv_pe_exports(file->space, &pe, &count));
		assert_int_equal(count, 0);
		inv_put32(e + at, before);
	}
	// An index behind the functions, a name behind the image, a function behind the image.
	inv_put16(e + 0x80, 3);
	assert_false(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
	inv_put16(e + 0x80, 2);
	assert_true(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
	inv_put32(e + 0x48, SIZE);
	assert_false(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
	inv_put32(e + 0x60, SIZE);
	assert_false(inv_pe_export(file->space, &pe, "NtBuildNumber", &rva));
}

static void assert_named(const struct inv_kernel *kernel, uint64_t rva, const char *wanted)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_export_names *names = inv_export_names_new(kernel);
	for (unsigned i = 0; i < 2; i++) { // the second time from what was kept
		const char *name = inv_export_name(names, kernel->modules, BASE + rva, arena);
		if (wanted)
			assert_string_equal(name, wanted);
		else
			assert_null(name);
	}
	inv_export_names_free(names);
	inv_arena_free(arena);
}

static void nearest_export(void **state)
{
	struct file *file = *state;
	uint8_t *e = file->bytes + EXPORTS;
	struct inv_module module = {.base = BASE, .size = SIZE, .name = "ntoskrnl.exe"};
	struct inv_kernel kernel = {.space = file->space, .base = BASE, .modules = &module, .module_count = 1};
	assert_named(&kernel, 0x3018, NULL); // no section holds it
	inv_put32(file->bytes + OPTIONAL + 240 + 40 + 8, 0x2000);
	assert_named(&kernel, 0x3010, "ntoskrnl.exe!NtBuildNumber");
	assert_named(&kernel, 0x301f, "ntoskrnl.exe!NtBuildNumber+0xf");
	assert_named(&kernel, 0x3ff0, "ntoskrnl.exe!PsInitialSystemProcess+0xfd0");
	assert_named(&kernel, 0x300f, NULL); // beneath the first; the forwarder is none
	inv_put32(e + 0x40, 0x1800);         // the forwarder's, now in the other section
	assert_named(&kernel, 0x1810, "ntoskrnl.exe!ZwForwarded+0x10");
	assert_named(&kernel, 0x2100, NULL);
	inv_put32(e + 0x60, SIZE); // its name is nowhere
	assert_named(&kernel, 0x3010, NULL);
	inv_put32(e + 24, 0x10001);
	assert_named(&kernel, 0x3020, NULL);
	file->bytes[0] = 0;
	assert_named(&kernel, 0x3020, NULL);
}

static void hostile_debug(void **state)
{
	struct file *file = *state;
	struct inv_pe pe;
	uint8_t *entry = file->bytes + DEBUG;
	assert_true(inv_pe_read(file->space, BASE, &pe, NULL));
	static const struct {
		unsigned at;
		uint32_t value;
	} changes[] = {{12, 4}, {16, 0}, {16, 24}, {16, 0xffffffff}, {20, 0}, {20, 0xffffffff}, {20, SIZE - 8}};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint32_t before = inv_le32(entry + changes[i].at);
		inv_put32(entry + changes[i].at, changes[i].value);
		assert_false(inv_pe_read_pdb(file->space, &pe, NULL));
		inv_put32(entry + changes[i].at, before);
	}
	assert_true(inv_pe_read_pdb(file->space, &pe, NULL));
	// A name without an end is cut.
	memset(file->bytes + RECORD + 24, 'a', 200);
	inv_put32(entry + 16, 224);
	assert_true(inv_pe_read_pdb(file->space, &pe, NULL));
	assert_int_equal(strlen(pe.pdb.name), sizeof(pe.pdb.name) - 1);
	assert_false(inv_pe_read_kernel(file->space, BASE, &pe));
}

static void absent_pages_say_why(void **state)
{
	struct file *file = *state;
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, BASE, file->bytes, 0x2000);
	struct inv_pe pe;
	struct inv_why why;
	assert_true(inv_pe_read(space, BASE, &pe, NULL));
	assert_false(inv_pe_read_pdb(space, &pe, &why));
	assert_int_equal(why.reason, INV_NOT_CAPTURED);
	// The export directory still says that this is the kernel.
	assert_true(inv_pe_read_kernel(space, BASE, &pe));
	assert_false(pe.pdb.found);
	assert_false(inv_pe_read(space, BASE + 0x100000, &pe, &why));
	assert_int_equal(why.reason, INV_NOT_CAPTURED);
	assert_false(inv_pe_read(space, UINT64_MAX - 4, &pe, &why));
	inv_space_free(space);
}

static void kernel_names(void **state)
{
	(void)state;
	assert_true(inv_pdb_is_kernel("ntkrnlmp.pdb"));
	assert_true(inv_pdb_is_kernel("NTKRPAMP.PDB"));
	assert_true(inv_pdb_is_kernel("ntkrla57.pdb"));
	assert_false(inv_pdb_is_kernel("ntkrnlmp.pdb2"));
	assert_false(inv_pdb_is_kernel("hal.pdb"));
	assert_false(inv_pdb_is_kernel(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sound, setup, teardown),
	    cmocka_unit_test_setup_teardown(narrow, setup, teardown),
	    cmocka_unit_test_setup_teardown(large, setup, teardown),
	    cmocka_unit_test_setup_teardown(exports, setup, teardown),
	    cmocka_unit_test_setup_teardown(refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(sections_are_clipped, setup, teardown),
	    cmocka_unit_test_setup_teardown(directories_outside_the_image_are_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(hostile_exports, setup, teardown),
	    cmocka_unit_test_setup_teardown(nearest_export, setup, teardown),
	    cmocka_unit_test_setup_teardown(hostile_debug, setup, teardown),
	    cmocka_unit_test_setup_teardown(absent_pages_say_why, setup, teardown),
	    cmocka_unit_test(kernel_names),
	};
	return cmocka_run_group_tests_name("kernel pe", tests, NULL, NULL);
}
