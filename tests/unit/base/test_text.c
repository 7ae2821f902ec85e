// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/numbers.h"
#include "base/text.h"

static void test_utf16(void **state)
{
	static const struct {
		const char *units;
		size_t size;
		const char *expected;
	} cases[] = {
	    {"", 0, ""},
	    {"A\0b\0", 4, "Ab"},
	    {"A\0b", 3, "A"},                              // an odd last byte
	    {"\xe4\0\xac\x20", 4, "\xc3\xa4\xe2\x82\xac"}, // a umlaut, euro
	    {"\x3d\xd8\0\xde", 4, "\xf0\x9f\x98\x80"},     // a surrogate pair
	    {"\x3d\xd8", 2, "\xef\xbf\xbd"},               // a lone high one at the end
	    {"\x3d\xd8\x41\0", 4, "\xef\xbf\xbd\x41"},     // and before something else
	    {"\0\xde", 2, "\xef\xbf\xbd"},                 // a lone low one
	    {"A\0\0\0B\0", 6, "A\xe2\x90\x80\x42"},        // a NUL inside stays visible
	};
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(inv_utf16_to_utf8(arena, cases[i].units, cases[i].size), cases[i].expected);
	inv_arena_free(arena);
}

static void test_bytes(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	assert_string_equal(inv_bytes_to_utf8(arena, "abc\0def", 7), "abc");
	assert_string_equal(inv_bytes_to_utf8(arena, "abc", 2), "ab"); // not terminated
	assert_string_equal(inv_bytes_to_utf8(arena, "\xff", 1), "\xc3\xbf");
	inv_arena_free(arena);
}

// Against the C library, over every day of four centuries and some.
static void test_filetime(void **state)
{
	(void)state;
	const uint64_t unix_epoch = 116444736000000000ull; // FILETIME of 1970-01-01
	char text[INV_TIME_SIZE], expected[INV_TIME_SIZE];
	for (uint64_t day = 0; day < 170000; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		gmtime_r(&seconds, &tm);
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.1234567Z", &tm);
		inv_format_filetime(unix_epoch + (uint64_t)seconds * 10000000 + 1234567, text);
		assert_string_equal(text, expected);
	}
	inv_format_filetime(0, text);
	assert_string_equal(text, "");
	inv_format_filetime(1, text);
	assert_string_equal(text, "1601-01-01T00:00:00.0000001Z");
	inv_format_filetime(UINT64_MAX, text);
	assert_string_equal(text, "60056-05-28T05:36:10.9551615Z");
}

static void test_guid(void **state)
{
	(void)state;
	static const uint8_t guid[16] = {0x4d, 0x6f, 0x60, 0x60, 0x69, 0xf6, 0x09, 0x40,
	                                 0xb0, 0x0f, 0x7f, 0xc8, 0xc6, 0x1a, 0x9c, 0x16};
	uint8_t parsed[16];
	char text[INV_GUID_SIZE];
	inv_format_guid(guid, text);
	assert_string_equal(text, "60606F4DF6694009B00F7FC8C61A9C16");
	assert_true(inv_parse_guid(text, parsed));
	assert_memory_equal(parsed, guid, 16);
	assert_true(inv_parse_guid("60606f4df6694009b00f7fc8c61a9c16", parsed));
	assert_memory_equal(parsed, guid, 16);
	assert_false(inv_parse_guid("60606f4df6694009b00f7fc8c61a9c1", parsed));
	assert_false(inv_parse_guid("60606f4df6694009b00f7fc8c61a9c1g", parsed));
}

static void test_numbers(void **state)
{
	(void)state;
	uint8_t bytes[9] = {0};
	inv_put64(bytes + 1, 0x0123456789abcdefull); // not aligned
	assert_int_equal(bytes[1], 0xef);
	assert_true(inv_le64(bytes + 1) == 0x0123456789abcdefull);
	assert_true(inv_le32(bytes + 1) == 0x89abcdefu);
	assert_true(inv_le16(bytes + 1) == 0xcdefu);
}

static void test_arena(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	for (size_t size = 0; size < 200000; size = size * 2 + 1) {
		uint8_t *block = inv_arena_alloc(arena, size);
		assert_true((uintptr_t)block % 16 == 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(block[i], 0);
		memset(block, 0xff, size);
	}
	char longer[1000];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	assert_string_equal(inv_arena_printf(arena, "%s", longer), longer);
	assert_string_equal(inv_arena_printf(arena, "%d-%s", 7, "a"), "7-a");
	inv_arena_free(arena);
	inv_arena_free(NULL);
}

static void test_error(void **state)
{
	(void)state;
	struct inv_error error = {0};
	assert_int_equal(inv_fail_at(&error, "a.dmp", 0x2000, "a bitmap", "%d bytes", 3), INV_E_FORMAT);
	assert_int_equal(error.code, INV_E_FORMAT);
	assert_string_equal(error.text, "a.dmp: at offset 0x2000: expected a bitmap, found 3 bytes");
	assert_int_equal(inv_fail(NULL, INV_E_IO, "no one listens"), INV_E_IO);
}

static void keep_line(void *context, enum inv_log_level level, const char *line)
{
	(void)level;
	snprintf(context, 64, "%s", line);
}

static void test_log(void **state)
{
	(void)state;
	char line[64] = "";
	struct inv_log log = {.level = INV_LOG_INFO, .write = keep_line, .context = line};
	inv_log(&log, INV_LOG_DEBUG, "too much");
	assert_string_equal(line, "");
	inv_log(&log, INV_LOG_INFO, "page %d", 3);
	assert_string_equal(line, "page 3");
	inv_log(NULL, INV_LOG_WARNING, "no one listens");
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const words[] = {"unlink", NULL, "relink", "unlink_thread", "set", "process", "project"};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
	    {"unlink", "unlink"}, {"unlnk", "unlink"},   {"nulink", "unlink"},  {"rellnik", "relink"}, {"ste", "set"},
	    {"st", "set"},        {"xyz", NULL},         {"sxy", NULL},         {"proc", "process"}, // one begins with it
	    {"pro", NULL},                                                                           // two do
	    {"", NULL},           {"proces", "process"}, {"unlink_", "unlink"}, {"UNLINK", "unlink"},  {"PROC", "process"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *nearest = inv_nearest(cases[i].word, words, sizeof words / sizeof *words);
		if (cases[i].nearest ? !nearest || strcmp(nearest, cases[i].nearest) != 0 : nearest != NULL)
			fail_msg("nearest to '%s' is '%s'", cases[i].word, nearest ? nearest : "nothing");
	}
	assert_int_equal(inv_changes("", "abc"), 3);
	assert_int_equal(inv_changes("19014", "19041"), 1);
	assert_int_equal(inv_changes("kitten", "sitting"), 3);
	char longer[100];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	assert_true(inv_changes(longer, "a") > 60);
	assert_null(inv_nearest(longer, words, sizeof words / sizeof *words));
}

static void test_sorted_numbers(void **state)
{
	(void)state;
	static const uint64_t given[] = {7, UINT64_MAX, 3, 7, 0, 3, 3};
	uint64_t *numbers = NULL;
	inv_numbers_sort(NULL);
	inv_numbers_keep_once(NULL);
	assert_false(inv_numbers_have(NULL, 0));
	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		inv_push(numbers, given[i]);
	inv_numbers_sort(numbers);
	for (size_t i = 1; i < inv_count(numbers); i++)
		assert_true(numbers[i - 1] <= numbers[i]);
	inv_numbers_keep_once(numbers);
	assert_int_equal(inv_count(numbers), 4);
	assert_true(numbers[0] == 0 && numbers[1] == 3 && numbers[2] == 7 && numbers[3] == UINT64_MAX);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(inv_numbers_have(numbers, i), i == 0 || i == 3 || i == 7);
	assert_true(inv_numbers_have(numbers, UINT64_MAX));
	inv_array_free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_utf16),          cmocka_unit_test(test_bytes),   cmocka_unit_test(test_filetime),
	    cmocka_unit_test(test_guid),           cmocka_unit_test(test_numbers), cmocka_unit_test(test_arena),
	    cmocka_unit_test(test_error),          cmocka_unit_test(test_log),     cmocka_unit_test(test_nearest),
	    cmocka_unit_test(test_sorted_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
