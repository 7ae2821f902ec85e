// SPDX-License-Identifier: Apache-2.0
// Names of files in every form in which they are written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invariant/path.h"

static void test_in_volume(void **state)
{
	(void)state;
	static const struct {
		const char *path, *rest;
	} cases[] = {
	    {"\\Device\\HarddiskVolume3\\Windows\\a.exe", "\\Windows\\a.exe"},
	    {"\\Device\\Mup\\server\\share\\a.exe", "\\server\\share\\a.exe"},
	    {"C:\\Windows\\a.exe", "\\Windows\\a.exe"},
	    {"\\??\\C:\\Windows\\a.exe", "\\Windows\\a.exe"},
	    {"\\\\?\\C:\\a.exe", "\\a.exe"},
	    {"\\\\?\\GLOBALROOT\\Device\\HarddiskVolume7\\a.exe", "\\a.exe"},
	    {"\\\\?\\UNC\\server\\share\\a.exe", "\\server\\share\\a.exe"},
	    {"\\\\server\\share\\a.exe", "\\server\\share\\a.exe"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(inv_path_in_volume(cases[i].path), cases[i].rest);
	static const char *const none[] = {
	    "",     "a.exe",   "\\",     "\\Device\\X", "\\Device\\X\\",     "C:",      "C:a.exe",
	    "\\\\", "\\\\\\a", "\\??\\", "\\??\\UNC",   "\\\\?\\GLOBALROOT", "Registry"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_null(inv_path_in_volume(none[i]));
}

static void test_compare(void **state)
{
	(void)state;
	assert_int_equal(inv_path_names("c:\\WINDOWS\\A.EXE", "\\Windows\\a.exe"), INV_PATH_SAME);
	assert_int_equal(inv_path_names("C:\\Windows\\b.exe", "\\Windows\\a.exe"), INV_PATH_OTHER);
	assert_int_equal(inv_path_names("C:\\Windows\\a.exe.exe", "\\Windows\\a.exe"), INV_PATH_OTHER);
	assert_int_equal(inv_path_names("C:\\PROGRA~1\\a.exe", "\\Program Files\\a.exe"), INV_PATH_UNSURE);
	assert_int_equal(inv_path_names("C:\\\xc3\x84\\a.exe", "\\\xc3\xa4\\a.exe"), INV_PATH_UNSURE);
	assert_int_equal(inv_path_names("a.exe", "\\a.exe"), INV_PATH_UNSURE);
	assert_int_equal(inv_path_names("\\SystemRoot\\System32\\smss.exe", "\\Windows\\System32\\smss.exe"),
	                 INV_PATH_SAME);
	assert_int_equal(inv_path_names("\\SystemRoot\\System32\\smss.exe", "\\Temp\\x\\System32\\smss.exe"),
	                 INV_PATH_OTHER);
	assert_int_equal(inv_path_names("\\SystemRootX\\smss.exe", "\\Windows\\smss.exe"), INV_PATH_UNSURE);
	assert_int_equal(inv_path_names("C:\\Windows\\System32\\k.dll", "\\Windows\\SysWOW64\\k.dll"), INV_PATH_REDIRECTED);
	assert_int_equal(inv_path_names("C:\\Windows\\System32\\k.dll", "\\Windows\\SysWOW64\\l.dll"), INV_PATH_OTHER);
	assert_int_equal(inv_path_names("C:\\x\\System32\\k.dll", "\\y\\SysWOW64\\k.dll"), INV_PATH_OTHER);
	assert_string_equal(inv_path_base("C:\\a\\b"), "b");
	assert_string_equal(inv_path_base("b"), "b");
	assert_string_equal(inv_path_base("a\\"), "");
	assert_int_equal(inv_name_compare("NTDLL.dll", "ntdll.DLL"), INV_PATH_SAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_volume), cmocka_unit_test(test_compare)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
