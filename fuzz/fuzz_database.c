// SPDX-License-Identifier: Apache-2.0
// An existing database to which an image is to be added. A sound one is changed where the input says (three bytes of offset, one of
// content, as often as there are), so that its schema is got past: it is taken or refused with a message, soon, and never more.
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "report/database.h"

static const char rows[] =
    "INSERT INTO image VALUES (1, 'f', 'p', 'raw', 1, 1, NULL, 'x64', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
    " 'none', NULL, NULL, NULL, 0, NULL, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, NULL, '0', 0.0);"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400) INSERT INTO processes SELECT 1, '0x' "
    "|| i,"
    " NULL, i, 4, 'a.exe', NULL, NULL, NULL, 'running', NULL, 1, 1, 'ordinary', 0, 0 FROM n;";

static void must(bool holds)
{
	if (!holds)
		abort();
}

// A database with one image of 400 processes.
static void *sound(size_t *size)
{
	struct inv_database *database = NULL;
	sqlite3 *sqlite = NULL;
	char *empty = NULL;
	sqlite3_int64 whole = 0;
	FILE *memory = open_memstream(&empty, size);
	must(memory && inv_database_open("fuzz", NULL, 0, &database, NULL) == INV_OK);
	must(inv_database_write(database, memory, NULL) == INV_OK);
	fclose(memory);
	inv_database_close(database);
	unsigned char *pages = sqlite3_malloc64(*size);
	must(pages && sqlite3_open(":memory:", &sqlite) == SQLITE_OK);
	memcpy(pages, empty, *size);
	must(sqlite3_deserialize(sqlite, "main", pages, (sqlite3_int64)*size, (sqlite3_int64)*size,
	                         SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
	must(sqlite3_exec(sqlite, rows, NULL, NULL, NULL) == SQLITE_OK);
	unsigned char *bytes = sqlite3_serialize(sqlite, "main", &whole, 0);
	must(bytes != NULL);
	*size = (size_t)whole;
	sqlite3_close(sqlite);
	free(empty);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole;
	unsigned char *bytes = sound(&whole);
	struct inv_database *database = NULL;
	struct inv_error error = {0};
	for (size_t i = 0; i + 4 <= size; i += 4)
		bytes[(data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16) % whole] = data[i + 3];
	enum inv_code code = inv_database_open("fuzz", bytes, whole, &database, &error);
	must((code == INV_OK) == (error.text[0] == 0));
	must(size > 3 || code == INV_OK);
	inv_database_close(database);
	sqlite3_free(bytes);
	return 0;
}
