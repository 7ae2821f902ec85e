// SPDX-License-Identifier: Apache-2.0
// The public API, used as a program outside of the tree would: only its header, only the shared library.
#include <invar/invar.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The image that meson had the forge make.
static const char *forged(void)
{
	const char *path = getenv("INVAR_TEST_IMAGE");
	assert_non_null(path);
	return path;
}

static void test_check(void **state)
{
	(void)state;
	struct invar_error error = {0};
	struct invar *invar = invar_open(forged(), NULL, &error);
	assert_non_null(invar);
	char *report = invar_check(invar, &error);
	assert_non_null(report);
	assert_non_null(strstr(report, "\"findings\": []"));
	assert_non_null(strstr(report, "\"name\": \"notepad.exe\""));
	invar_free(report);
	char *info = invar_info(invar, &error);
	assert_non_null(info);
	assert_non_null(strstr(info, "\"confidence\": \"exact\""));
	invar_free(info);
	invar_close(invar);
}

static void count_line(void *context, const char *line)
{
	size_t *lines = context;
	assert_non_null(line);
	(*lines)++;
}

static void test_errors(void **state)
{
	(void)state;
	struct invar_error error = {0};
	size_t lines = 0;
	struct invar_options options = {.log = count_line, .log_context = &lines};
	assert_null(invar_open("/nonexistent", &options, &error));
	assert_int_equal(error.code, INVAR_IO);
	assert_non_null(strstr(error.text, "/nonexistent"));
	assert_null(invar_open("/nonexistent", NULL, NULL));
	invar_close(NULL);
	invar_free(NULL);
}

static void test_version(void **state)
{
	(void)state;
	assert_string_equal(invar_version(), INVAR_EXPECTED_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
