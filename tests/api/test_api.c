// SPDX-License-Identifier: Apache-2.0
// The public API, used as a program outside of the tree would: only its header, only the shared library.
#include <invar/invar.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
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

static struct invar *opened(void)
{
	struct invar_error error = {0};
	struct invar *invar = invar_open(forged(), NULL, &error);
	assert_non_null(invar);
	return invar;
}

// The text begins as it must and holds `part`.
static void expect(char *text, char first, const char *part)
{
	assert_non_null(text);
	assert_int_equal(text[0], first);
	assert_non_null(strstr(text, part));
	invar_free(text);
}

static void test_listings(void **state)
{
	(void)state;
	static const char *const of_many[] = {"ps",     "tree",    "threads", "handles",  "power",
	                                      "tokens", "modules", "vads",    "callbacks"};
	struct invar *invar = opened();
	for (size_t i = 0; i < sizeof of_many / sizeof of_many[0]; i++) {
		struct invar_error error = {0};
		char *list = invar_list(invar, of_many[i], NULL, 0, &error);
		assert_string_equal(error.text, "");
		assert_non_null(list);
		assert_true(list[0] == '[' || list[0] == '{');
		invar_free(list);
	}
	expect(invar_list(invar, "ps", NULL, INVAR_ALL, NULL), '[', "\"name\": \"notepad.exe\"");
	expect(invar_list(invar, "process", "4", 0, NULL), '{', "\"name\": \"System\"");
	expect(invar_list(invar, "threads", "4", 0, NULL), '[', "System");
	expect(invar_list(invar, "sessions", NULL, 0, NULL), '{', "\"sessions\"");
	invar_close(invar);
}

static void expect_refused(char *text, const struct invar_error *error, const char *about)
{
	assert_null(text);
	assert_int_equal(error->code, INVAR_USAGE);
	assert_non_null(strstr(error->text, about));
}

static void test_listings_refused(void **state)
{
	(void)state;
	struct invar_error error = {0};
	struct invar *invar = opened();
	expect_refused(invar_list(invar, "nonsense", NULL, 0, &error), &error, "nonsense");
	expect_refused(invar_list(invar, "", NULL, 0, &error), &error, "");
	expect_refused(invar_list(invar, "process", NULL, 0, &error), &error, "must be named");
	expect_refused(invar_list(invar, "ps", "4", 0, &error), &error, "whole machine");
	expect_refused(invar_list(invar, "process", "999999", 0, &error), &error, "999999");
	expect_refused(invar_list(invar, "process", "0x1234", 0, &error), &error, "0x1234");
	expect_refused(invar_list(invar, "vads", "notepad", 0, &error), &error, "notepad");
	expect_refused(invar_structure(invar, "_NOTHING", 0, &error), &error, "_NOTHING");
	expect_refused(invar_explain("X99", &error), &error, "X99");
	assert_null(invar_list(invar, "nonsense", NULL, 0, NULL));
	invar_close(invar);
}

static void test_structure(void **state)
{
	(void)state;
	struct invar *invar = opened();
	char *plain = invar_structure(invar, "_EPROCESS", 0, NULL);
	assert_non_null(plain);
	assert_null(strstr(plain, "\"value\""));
	invar_free(plain);
	char *list = invar_list(invar, "ps", NULL, 0, NULL);
	const char *at = strstr(list, "\"address\": \"0x");
	assert_non_null(at);
	uint64_t address = strtoull(at + strlen("\"address\": \""), NULL, 16);
	expect(invar_structure(invar, "_EPROCESS", address, NULL), '[', "\"value\"");
	invar_free(list);
	invar_close(invar);
}

static void test_catalogues(void **state)
{
	(void)state;
	expect(invar_explain("L03", NULL), '{', "\"id\": \"L03\"");
	expect(invar_explain(NULL, NULL), '[', "\"id\": \"L03\"");
	expect(invar_witnesses(NULL), '[', "active-list");
}

// The same report with any number of threads, but for how long it took.
static void test_threads(void **state)
{
	(void)state;
	struct invar *invar = opened();
	char *reports[2];
	for (unsigned i = 0; i < 2; i++) {
		invar_set_threads(invar, i ? 3 : 1);
		reports[i] = invar_check(invar, NULL);
		assert_non_null(reports[i]);
		char *seconds = strstr(reports[i], "\"seconds\"");
		assert_non_null(seconds);
		*seconds = 0;
	}
	assert_string_equal(reports[0], reports[1]);
	invar_free(reports[0]);
	invar_free(reports[1]);
	invar_close(invar);
}

struct hammer {
	struct invar *invar;
	atomic_bool over;
};

static void *interrupt(void *argument)
{
	struct hammer *hammer = argument;
	while (!atomic_load(&hammer->over)) {
		struct invar_progress progress;
		invar_interrupt(hammer->invar);
		invar_progress(hammer->invar, &progress);
	}
	return NULL;
}

// What was found until then is reported, and the next check is whole.
static void test_interrupt(void **state)
{
	(void)state;
	struct hammer hammer = {.invar = opened()};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &hammer), 0);
	char *report = invar_check(hammer.invar, NULL);
	atomic_store(&hammer.over, true);
	pthread_join(thread, NULL);
	expect(report, '{', "interrupted while");
	report = invar_check(hammer.invar, NULL);
	assert_null(strstr(report, "interrupted while"));
	invar_free(report);
	struct invar_progress progress;
	invar_progress(hammer.invar, &progress);
	assert_null(progress.what);
	invar_close(hammer.invar);
}

static void test_version(void **state)
{
	(void)state;
	assert_string_equal(invar_version(), INVAR_EXPECTED_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check),     cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_listings),  cmocka_unit_test(test_listings_refused),
	    cmocka_unit_test(test_structure), cmocka_unit_test(test_catalogues),
	    cmocka_unit_test(test_threads),   cmocka_unit_test(test_interrupt),
	    cmocka_unit_test(test_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
