// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/table.h"

// A table with one row of everything, as text in `output`.
static char *written(enum inv_output output)
{
	static const char *const columns[] = {"pid", "name", "address", "created", "why"};
	struct inv_table *table = inv_table_new(columns, 5);
	struct inv_value pid = {.ok = true, .u = 4};
	struct inv_value time = {.ok = true, .u = 116444736000000000ull};
	struct inv_value absent = {.why = {.reason = INV_NOT_CAPTURED}};
	inv_table_value(table, &pid, INV_CELL_NUMBER);
	inv_table_text(table, "a,\"\x1b[31m\xc2\x9b");
	inv_table_address(table, 0xfffff80000000000ull);
	inv_table_value(table, &time, INV_CELL_TIME);
	inv_table_value(table, &absent, INV_CELL_NUMBER);
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	inv_table_write(table, output, file);
	fclose(file);
	inv_table_free(table);
	return text;
}

static void test_text(void **state)
{
	(void)state;
	char *text = written(INV_OUTPUT_TEXT);
	// A name from an image must not be able to drive the terminal.
	assert_null(strchr(text, 0x1b));
	assert_null(strstr(text, "\xc2\x9b"));
	assert_non_null(strstr(text, "a,\"\\x1b[31m\\x9b"));
	assert_non_null(strstr(text, "0xfffff80000000000"));
	assert_non_null(strstr(text, "1970-01-01T00:00:00.0000000Z"));
	assert_non_null(strstr(text, "? = could not be read: not captured (1)"));
	free(text);
}

static void test_csv(void **state)
{
	(void)state;
	char *text = written(INV_OUTPUT_CSV);
	assert_non_null(strstr(text, "pid,name,address,created,why\r\n4,\"a,\"\"\x1b[31m\xc2\x9b\",0xfffff80000000000,"));
	free(text);
}

static void test_json(void **state)
{
	(void)state;
	char *text = written(INV_OUTPUT_JSON);
	json_t *rows = json_loads(text, 0, NULL);
	assert_non_null(rows);
	json_t *row = json_array_get(rows, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "pid")), 4);
	assert_true(json_is_null(json_object_get(row, "why")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(row, "absent"), "why")), "not captured");
	json_decref(rows);
	free(text);
	text = written(INV_OUTPUT_NDJSON);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); // one line
	free(text);
}

static void test_empty(void **state)
{
	static const char *const columns[] = {"a", "b"};
	(void)state;
	for (int output = INV_OUTPUT_TEXT; output <= INV_OUTPUT_CSV; output++) {
		struct inv_table *table = inv_table_new(columns, 2);
		char *text;
		size_t size;
		FILE *file = open_memstream(&text, &size);
		inv_table_write(table, (enum inv_output)output, file);
		fclose(file);
		if (output == INV_OUTPUT_JSON)
			assert_string_equal(text, "[]\n");
		free(text);
		inv_table_free(table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_csv),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
