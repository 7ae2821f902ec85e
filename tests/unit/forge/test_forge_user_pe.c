// SPDX-License-Identifier: Apache-2.0
// Images of programs and DLLs: whole, the same each time, and the same on disk as in memory but for the base.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "forge/user_pe.h"

#define BASE 0x7ffb12340000ull

static struct inv_user_image build(const char *name, bool x86, bool dll, uint64_t base)
{
	struct inv_user_image image = {.name = name, .x86 = x86, .dll = dll, .seed = 7, .build = 19041, .base = base};
	inv_user_image_build(&image);
	return image;
}

static void same_every_time(void **state)
{
	(void)state;
	struct inv_user_image one = build("ntdll.dll", false, true, BASE), two = build("NTDLL.DLL", false, true, BASE);
	assert_int_equal(one.size, two.size);
	assert_int_equal(one.time_stamp, two.time_stamp);
	assert_memory_equal(one.bytes + 0x1000, two.bytes + 0x1000, one.sections[0].size);
	inv_user_image_clear(&one);
	inv_user_image_clear(&two);
}

static void file_does_not_depend_on_the_base(void **state)
{
	(void)state;
	for (unsigned x86 = 0; x86 < 2; x86++) {
		struct inv_user_image here = build("amsi.dll", x86, true, 0), there = build("amsi.dll", x86, true, 0x6fff0000);
		uint8_t *a = inv_user_image_file(&here), *b = inv_user_image_file(&there);
		assert_int_equal(here.file_size, there.file_size);
		assert_memory_equal(a, b, here.file_size);
		assert_memory_not_equal(here.bytes, there.bytes, here.size);
		free(a);
		free(b);
		inv_user_image_clear(&here);
		inv_user_image_clear(&there);
	}
}

static void stubs_return_behind_the_call(void **state)
{
	(void)state;
	struct inv_user_image image = build("ntdll.dll", false, true, BASE);
	const struct inv_user_export *stub = inv_user_image_export(&image, "NtWaitForSingleObject");
	assert_non_null(stub);
	assert_memory_equal(image.bytes + stub->rva, "\x4c\x8b\xd1\xb8", 4);
	assert_memory_equal(image.bytes + stub->returns - 2, "\x0f\x05\xc3", 3);
	assert_int_equal(inv_user_image_export(&image, "RtlUserThreadStart")->returns, 0);
	assert_null(inv_user_image_export(&image, "NoSuchName"));
	assert_int_equal(image.entry, 0);
	inv_user_image_clear(&image);
}

static void exports_lie_in_code(void **state)
{
	(void)state;
	static const char *const names[] = {"ntdll.dll", "KERNEL32.DLL", "KERNELBASE.dll", "unknown.dll"};
	for (size_t i = 0; i < 8; i++) {
		struct inv_user_image image = build(names[i / 2], i % 2, true, 0);
		assert_true(inv_count(image.exports) > 0);
		for (size_t k = 0; k < inv_count(image.exports); k++)
			assert_string_equal(inv_user_image_section(&image, image.exports[k].rva)->name, ".text");
		for (size_t k = 0; k < inv_count(image.relocations); k++)
			assert_true(k == 0 || image.relocations[k] > image.relocations[k - 1]);
		inv_user_image_clear(&image);
	}
}

// By hand: write one file for a parser that is not ours.
static int write_file(const char *name, bool x86, bool dll, const char *path)
{
	struct inv_user_image image = build(name, x86, dll, 0);
	uint8_t *bytes = inv_user_image_file(&image);
	FILE *file = fopen(path, "wb");
	size_t done = file ? fwrite(bytes, 1, image.file_size, file) : 0;
	if (file)
		fclose(file);
	free(bytes);
	bool whole = done == image.file_size;
	inv_user_image_clear(&image);
	return !whole;
}

int main(int count, char **arguments)
{
	if (count == 4) // NAME x86|x64 FILE
		return write_file(arguments[1], strcmp(arguments[2], "x86") == 0, strstr(arguments[1], ".dll") != NULL,
		                  arguments[3]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_every_time), cmocka_unit_test(file_does_not_depend_on_the_base),
	    cmocka_unit_test(stubs_return_behind_the_call), cmocka_unit_test(exports_lie_in_code)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
