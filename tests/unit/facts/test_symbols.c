// SPDX-License-Identifier: Apache-2.0
// Symbol files and folders: what is opened, and which table is found.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "facts/facts.h"

#define GUID_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define GUID_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define GUID_C "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"

struct fixture {
	char folder[64];
	char log[4096];
	struct inv_log sink;
};

static void keep_line(void *context, enum inv_log_level level, const char *line)
{
	(void)level;
	struct fixture *fixture = context;
	size_t used = strlen(fixture->log);
	snprintf(fixture->log + used, sizeof fixture->log - used, "%s\n", line);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	if (!fixture)
		return 1;
	strcpy(fixture->folder, "facts-symbols-XXXXXX");
	fixture->sink = (struct inv_log){INV_LOG_WARNING, keep_line, fixture};
	*state = fixture;
	return mkdtemp(fixture->folder) ? 0 : 1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
	int result = system(command); // NOLINT(cert-env33-c): a folder that mkdtemp() named
	free(fixture);
	return result;
}

static const char *put(const struct fixture *fixture, const char *name, const char *content)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	return path;
}

// The symbol's address tells tables apart.
static const char *table(const char *guid, unsigned age, unsigned address)
{
	static char text[1024];
	snprintf(text, sizeof text,
	         "{\"metadata\":{\"format\":\"6.1.0\",\"windows\":{\"pdb\":{\"GUID\": \"%s\",\"age\":%u,"
	         "\"database\":\"ntkrnlmp.pdb\",\"machine_type\":34404}}},\"base_types\":{},\"user_types\":{},"
	         "\"symbols\":{\"PspCidTable\":{\"address\":%u}}}",
	         guid, age, address);
	return text;
}

static struct inv_symbols *open_symbols(struct fixture *fixture, const char *path)
{
	struct inv_symbols *symbols;
	struct inv_error error = {0};
	if (inv_symbols_open(path, &fixture->sink, &symbols, &error))
		fail_msg("%s", error.text);
	return symbols;
}

// The address in the table that is found; 0 for none.
static unsigned load(struct inv_symbols *symbols, const char *guid, uint32_t age)
{
	uint8_t bytes[16];
	assert_true(inv_parse_guid(guid, bytes));
	const struct inv_kernel_facts *facts;
	struct inv_error error = {0};
	if (inv_symbols_load(symbols, bytes, age, &facts, &error))
		fail_msg("%s", error.text);
	return facts ? facts->rva[INV_S_PspCidTable] : 0;
}

static void one_file(void **state)
{
	struct fixture *fixture = *state;
	struct inv_symbols *symbols = open_symbols(fixture, put(fixture, "any name", table(GUID_A, 1, 10)));
	assert_int_equal(load(symbols, GUID_B, 1), 0);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	inv_symbols_close(symbols);
}

static void metadata_decides_not_the_name(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "1.json", table(GUID_A, 1, 10));
	put(fixture, GUID_A "-1.json", table(GUID_B, 1, 20));
	put(fixture, "z" GUID_C ".JSON", table(GUID_C, 1, 30));
	put(fixture, "notes.txt", table(GUID_A, 1, 99));
	struct inv_symbols *symbols = open_symbols(fixture, fixture->folder);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	assert_int_equal(load(symbols, GUID_B, 1), 20);
	assert_int_equal(load(symbols, GUID_C, 1), 30);
	assert_string_equal(fixture->log, "");
	inv_symbols_close(symbols);
}

// A look at the text does not settle which PDB it is: the whole document does.
static void a_second_guid_key_does_not_mislead(void **state)
{
	struct fixture *fixture = *state;
	char text[2048];
	snprintf(text, sizeof text, "{\"GUID\":\"" GUID_B "\",%s", table(GUID_A, 1, 10) + 1);
	put(fixture, "1.json", text);
	struct inv_symbols *symbols = open_symbols(fixture, fixture->folder);
	assert_int_equal(load(symbols, GUID_B, 1), 0);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	inv_symbols_close(symbols);
}

static void another_age_is_passed_over(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "1.json", table(GUID_A, 2, 10));
	struct inv_symbols *symbols = open_symbols(fixture, fixture->folder);
	assert_int_equal(load(symbols, GUID_A, 1), 0);
	assert_non_null(strstr(fixture->log, "of age 2 where 1 is wanted"));
	assert_int_equal(load(symbols, GUID_A, 2), 10);
	inv_symbols_close(symbols);
}

static void a_broken_file_in_a_folder_is_named_once(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "1.json", "{\"GUID\":");
	put(fixture, "2.json", table(GUID_A, 1, 10));
	put(fixture, "3.pdb", "Microsoft C/C++ MSF 7.00\r\n");
	struct inv_symbols *symbols = open_symbols(fixture, fixture->folder);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	assert_int_equal(load(symbols, GUID_B, 1), 0);
	const char *line = strstr(fixture->log, "1.json");
	assert_non_null(line);
	assert_null(strstr(line + 1, "1.json"));
	assert_non_null(strstr(fixture->log, "3.pdb: a PDB is not read"));
	inv_symbols_close(symbols);
}

static void a_broken_file_by_itself_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct inv_symbols *symbols = open_symbols(fixture, put(fixture, "x.pdb", "Microsoft C/C++ MSF 7.00\r\n"));
	uint8_t guid[16] = {0};
	const struct inv_kernel_facts *facts;
	struct inv_error error = {0};
	assert_int_equal(inv_symbols_load(symbols, guid, 1, &facts, &error), INV_E_UNSUPPORTED);
	assert_non_null(strstr(error.text, "x.pdb: a PDB"));
	assert_null(facts);
	inv_symbols_close(symbols);

	symbols = open_symbols(fixture, put(fixture, "x.json", "not a table"));
	assert_int_equal(inv_symbols_load(symbols, guid, 1, &facts, &error), INV_E_FORMAT);
	assert_non_null(strstr(error.text, "x.json"));
	inv_symbols_close(symbols);
}

// What a sandbox leaves: no path can be opened any more.
static void nothing_is_opened_after_open(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "1.json", table(GUID_A, 1, 10));
	struct inv_symbols *symbols = open_symbols(fixture, fixture->folder);
	char path[256];
	snprintf(path, sizeof path, "%s/1.json", fixture->folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	inv_symbols_close(symbols);
}

static void a_file_that_shrinks_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	const char *path = put(fixture, "1.json", table(GUID_A, 1, 10));
	struct inv_symbols *symbols = open_symbols(fixture, path);
	assert_int_equal(truncate(path, 5), 0);
	uint8_t guid[16] = {0};
	const struct inv_kernel_facts *facts;
	struct inv_error error = {0};
	assert_int_equal(inv_symbols_load(symbols, guid, 1, &facts, &error), INV_E_FORMAT);
	assert_non_null(strstr(error.text, "its end"));
	inv_symbols_close(symbols);
}

static void what_cannot_be_opened(void **state)
{
	struct fixture *fixture = *state;
	struct inv_symbols *symbols;
	struct inv_error error = {0};
	assert_int_equal(inv_symbols_open("no/such/path", NULL, &symbols, &error), INV_E_IO);
	assert_non_null(strstr(error.text, "no/such/path"));
	assert_null(symbols);
	assert_int_equal(inv_symbols_open(fixture->folder, NULL, &symbols, &error), INV_E_USAGE);
	assert_non_null(strstr(error.text, "found none"));
	// A FIFO must neither block nor be read; alone in a folder it is as good as nothing.
	char path[256];
	snprintf(path, sizeof path, "%s/pipe.json", fixture->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(inv_symbols_open(path, NULL, &symbols, &error), INV_E_IO);
	assert_non_null(strstr(error.text, "a regular file"));
	assert_int_equal(inv_symbols_open(fixture->folder, &fixture->sink, &symbols, &error), INV_E_USAGE);
	assert_non_null(strstr(fixture->log, "pipe.json"));
}

static void too_many_files(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i <= 4096; i++) {
		char name[32];
		snprintf(name, sizeof name, "%04d.json", i);
		put(fixture, name, "");
	}
	struct inv_symbols *symbols;
	struct inv_error error = {0};
	assert_int_equal(inv_symbols_open(fixture->folder, NULL, &symbols, &error), INV_E_UNSUPPORTED);
	assert_non_null(strstr(error.text, "more than 4096"));
}

// More files than the usual soft limit of 1024: the limit is raised if the hard one allows it, else the message says so.
static void many_files(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < 1500; i++) {
		char name[32];
		snprintf(name, sizeof name, "%04d.json", i);
		put(fixture, name, i == 1499 ? table(GUID_A, 1, 10) : "");
	}
	struct inv_symbols *symbols;
	struct inv_error error = {0};
	enum inv_code code = inv_symbols_open(fixture->folder, NULL, &symbols, &error);
	if (code == INV_E_IO) {
		assert_non_null(strstr(error.text, "must be open at once"));
		return;
	}
	assert_int_equal(code, INV_OK);
	assert_int_equal(load(symbols, GUID_A, 1), 10);
	inv_symbols_close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(metadata_decides_not_the_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_second_guid_key_does_not_mislead, setup, teardown),
	    cmocka_unit_test_setup_teardown(another_age_is_passed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_broken_file_in_a_folder_is_named_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_broken_file_by_itself_is_an_error, setup, teardown),
	    cmocka_unit_test_setup_teardown(nothing_is_opened_after_open, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_file_that_shrinks_is_an_error, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_opened, setup, teardown),
	    cmocka_unit_test_setup_teardown(too_many_files, setup, teardown),
	    cmocka_unit_test_setup_teardown(many_files, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
