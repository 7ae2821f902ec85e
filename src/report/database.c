// SPDX-License-Identifier: Apache-2.0
#include "report/database.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/database_rows.h"
#include "report/database_schema.h"

// What an existing database can make SQLite do, in steps of its virtual machine: so many at least, and so many for each byte. To
// copy a row of an honest one takes about as many steps as the row has bytes.
#define LEAST_STEPS ((uint64_t)50000000)
#define STEPS_A_BYTE 64u
#define STEPS_A_CALL 10000
#define LONGEST_VALUE (1 << 20) // bytes, of text in an existing database

struct inv_database {
	sqlite3 *sqlite; // `main` is what is made, `old` what there was
	const char *name;
	bool has_old;
	sqlite3_int64 *images; // stb_ds; the numbers of those in `old`, rising
	uint64_t steps_left;
	bool exhausted;
};

static enum inv_code fail(const struct inv_database *database, struct inv_error *error)
{
	if (database->exhausted)
		return inv_fail(error, INV_E_USAGE, "%s: damaged: it takes longer to read than any database of its size can",
		                database->name);
	return inv_fail(error, INV_E_INTERNAL, "%s: the database could not be made: %s", database->name,
	                sqlite3_errmsg(database->sqlite));
}

// As fail(), while rows of the existing database are read or copied: then it is at fault.
static enum inv_code fail_old(const struct inv_database *database, struct inv_error *error)
{
	int code = sqlite3_errcode(database->sqlite) & 0xff;
	if (database->exhausted || code == SQLITE_NOMEM || code == SQLITE_FULL)
		return fail(database, error);
	return inv_fail(error, INV_E_USAGE, "%s: damaged: %s; give another file to -o, or move this one away",
	                database->name, sqlite3_errmsg(database->sqlite));
}

static int count_steps(void *context)
{
	struct inv_database *database = context;
	if (database->steps_left < STEPS_A_CALL) {
		database->exhausted = true;
		return 1;
	}
	database->steps_left -= STEPS_A_CALL;
	return 0;
}

static int run(struct inv_database *database, const char *sql)
{
	return sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
}

// The first column of the first row; `otherwise` if there is none.
static sqlite3_int64 number(struct inv_database *database, const char *sql, sqlite3_int64 otherwise)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		otherwise = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return otherwise;
}

// Nothing that stands in a database may run, write to its own tables, or take memory without bound.
static void guard(sqlite3 *sqlite)
{
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
	sqlite3_limit(sqlite, SQLITE_LIMIT_SQL_LENGTH, LONGEST_VALUE);
	sqlite3_limit(sqlite, SQLITE_LIMIT_WORKER_THREADS, 0);
}

static enum inv_code make_schema(struct inv_database *database, struct inv_error *error)
{
	static const char first[] =
	    "PRAGMA main.page_size = 4096; PRAGMA main.journal_mode = OFF; PRAGMA temp_store = MEMORY;"
	    "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;";
	char marks[96];
	snprintf(marks, sizeof marks, "PRAGMA main.application_id = %d; PRAGMA main.user_version = %d;",
	         INV_DATABASE_APPLICATION, INV_DATABASE_SCHEMA);
	int code = run(database, first);
	if (code == SQLITE_OK)
		code = run(database, "BEGIN");
	if (code == SQLITE_OK)
		code = run(database, marks);
	for (size_t i = 0; i < inv_database_schema_count && code == SQLITE_OK; i++)
		code = run(database, inv_database_schema[i]);
	if (code == SQLITE_OK)
		code = run(database, "COMMIT");
	return code == SQLITE_OK ? INV_OK : fail(database, error);
}

static enum inv_code no_database(const struct inv_database *database, const char *found, struct inv_error *error)
{
	return inv_fail(
	    error, INV_E_USAGE,
	    "%s: expected a database that 'invar check --format sqlite' made (SQLite, application 0x%x, schema %d), "
	    "found %s; give another file to -o",
	    database->name, INV_DATABASE_APPLICATION, INV_DATABASE_SCHEMA, found);
}

static enum inv_code check_schema(struct inv_database *database, struct inv_error *error)
{
	static const char strangers[] =
	    "SELECT (SELECT count(*) FROM old.sqlite_schema) <> (SELECT count(*) FROM main.sqlite_schema) OR EXISTS "
	    "(SELECT type, name, tbl_name, sql FROM old.sqlite_schema EXCEPT SELECT type, name, tbl_name, sql FROM "
	    "main.sqlite_schema)";
	char found[64];
	sqlite3_int64 application = number(database, "PRAGMA old.application_id", -1);
	if (application != INV_DATABASE_APPLICATION) {
		snprintf(found, sizeof found, "application 0x%x", (unsigned)application);
		return no_database(database, application == -1 ? "no database that can be read" : found, error);
	}
	sqlite3_int64 version = number(database, "PRAGMA old.user_version", -1);
	if (version != INV_DATABASE_SCHEMA) {
		snprintf(found, sizeof found, "schema %lld", (long long)version);
		return no_database(database, found, error);
	}
	if (number(database, strangers, 1) != 0)
		return database->exhausted ? fail(database, error) : no_database(database, "other tables or views", error);
	return INV_OK;
}

static enum inv_code check_pages(struct inv_database *database, struct inv_error *error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database->sqlite, "PRAGMA old.quick_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	const char *says = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	enum inv_code result = INV_OK;
	if (!says)
		result = fail_old(database, error);
	else if (strcmp(says, "ok") != 0)
		result = inv_fail(error, INV_E_USAGE, "%s: damaged: %.200s", database->name, says);
	sqlite3_finalize(statement);
	return result;
}

static enum inv_code list_images(struct inv_database *database, struct inv_error *error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database->sqlite, "SELECT id FROM old.image ORDER BY id", -1, &statement, NULL);
	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW &&
	       inv_count(database->images) <= INV_DATABASE_MAX_IMAGES) {
		inv_push(database->images, sqlite3_column_int64(statement, 0));
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	if (code != SQLITE_DONE && code != SQLITE_ROW && code != SQLITE_OK)
		return fail_old(database, error);
	if (inv_count(database->images) > INV_DATABASE_MAX_IMAGES)
		return inv_fail(error, INV_E_USAGE, "%s: holds more than %u images; give another file to -o", database->name,
		                INV_DATABASE_MAX_IMAGES);
	return INV_OK;
}

// The bytes are only read: SQLite is told so.
static enum inv_code take_over(struct inv_database *database, const void *bytes, size_t size, struct inv_error *error)
{
	if (size > INV_DATABASE_MAX)
		return inv_fail(error, INV_E_USAGE, "%s: is larger than 1 GiB; give another file to -o", database->name);
	if (size < 512 || memcmp(bytes, "SQLite format 3", 16) != 0)
		return no_database(database, "no SQLite database", error);
	database->steps_left = LEAST_STEPS + (uint64_t)size * STEPS_A_BYTE;
	if (run(database, "ATTACH ':memory:' AS old") != SQLITE_OK)
		return fail(database, error);
	// SQLite takes a pointer that it could write through, and does not when told that the database is read-only.
	void *pages;
	memcpy(&pages, &bytes, sizeof pages);
	if (sqlite3_deserialize(database->sqlite, "old", pages, (sqlite3_int64)size, (sqlite3_int64)size,
	                        SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return fail(database, error);
	database->has_old = true;
	sqlite3_progress_handler(database->sqlite, STEPS_A_CALL, count_steps, database);
	enum inv_code code = check_schema(database, error);
	if (code == INV_OK)
		code = check_pages(database, error);
	if (code == INV_OK)
		code = list_images(database, error);
	return code;
}

enum inv_code inv_database_open(const char *name, const void *bytes, size_t size, struct inv_database **result,
                                struct inv_error *error)
{
	struct inv_database *database = inv_alloc(sizeof *database);
	*result = database;
	database->name = name;
	if (sqlite3_open_v2(":memory:", &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL) != SQLITE_OK)
		return inv_fail(error, INV_E_INTERNAL, "%s: SQLite cannot be started", name);
	guard(database->sqlite);
	enum inv_code code = make_schema(database, error);
	return code == INV_OK && size ? take_over(database, bytes, size, error) : code;
}

void inv_database_close(struct inv_database *database)
{
	if (!database)
		return;
	sqlite3_close_v2(database->sqlite);
	inv_array_free(database->images);
	free(database);
}

static enum inv_code copy_image(struct inv_database *database, sqlite3_int64 image, struct inv_error *error)
{
	for (size_t i = 0; i < inv_database_table_count; i++) {
		sqlite3_stmt *statement = NULL;
		char *sql = sqlite3_mprintf("INSERT INTO main.%s SELECT * FROM old.%s WHERE %s = ?", inv_database_tables[i],
		                            inv_database_tables[i], i == 0 ? "id" : "image");
		int code = sql ? sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) : SQLITE_NOMEM;
		sqlite3_free(sql);
		if (code == SQLITE_OK)
			code = sqlite3_bind_int64(statement, 1, image);
		if (code == SQLITE_OK)
			code = sqlite3_step(statement);
		sqlite3_finalize(statement);
		if (code != SQLITE_DONE)
			return fail_old(database, error);
	}
	return INV_OK;
}

// The number that the image has in the existing database, or else the next one.
static sqlite3_int64 number_for(struct inv_database *database, const char *fingerprint)
{
	sqlite3_stmt *statement = NULL;
	sqlite3_int64 found = 0;
	size_t count = inv_count(database->images);
	if (!database->has_old)
		return 1;
	if (sqlite3_prepare_v2(database->sqlite, "SELECT id FROM old.image WHERE fingerprint = ?", -1, &statement, NULL) ==
	        SQLITE_OK &&
	    sqlite3_bind_text(statement, 1, fingerprint, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		found = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (found)
		return found;
	sqlite3_int64 last = count ? database->images[count - 1] : 0;
	return last < 0 || last == INT64_MAX ? 1 : last + 1;
}

static enum inv_code add_rows(struct inv_database *database, const struct inv_check *check, const char *version,
                              const char *fingerprint, sqlite3_int64 image, struct inv_error *error)
{
	// What follows is this program's own doing: no count of steps.
	sqlite3_progress_handler(database->sqlite, 0, NULL, NULL);
	int code = inv_database_rows(database->sqlite, check, version, fingerprint, image);
	if (database->has_old)
		sqlite3_progress_handler(database->sqlite, STEPS_A_CALL, count_steps, database);
	return code == SQLITE_OK ? INV_OK : fail(database, error);
}

// In the order of their numbers, so that the same images give the same file whichever was replaced.
enum inv_code inv_database_add(struct inv_database *database, const struct inv_check *check, const char *version,
                               struct inv_error *error)
{
	char fingerprint[INV_FINGERPRINT_SIZE];
	inv_image_fingerprint(check, fingerprint);
	sqlite3_int64 image = number_for(database, fingerprint);
	bool added = false;
	enum inv_code code = run(database, "BEGIN") == SQLITE_OK ? INV_OK : fail(database, error);
	for (size_t i = 0; code == INV_OK && i < inv_count(database->images); i++) {
		if (database->images[i] >= image && !added) {
			code = add_rows(database, check, version, fingerprint, image, error);
			added = true;
		}
		if (code == INV_OK && database->images[i] != image)
			code = copy_image(database, database->images[i], error);
	}
	if (code == INV_OK && !added)
		code = add_rows(database, check, version, fingerprint, image, error);
	if (code == INV_OK && run(database, "COMMIT") != SQLITE_OK)
		code = fail(database, error);
	return code;
}

enum inv_code inv_database_write(struct inv_database *database, FILE *file, struct inv_error *error)
{
	sqlite3_int64 size = 0;
	unsigned char *bytes = sqlite3_serialize(database->sqlite, "main", &size, 0);
	if (!bytes)
		return fail(database, error);
	enum inv_code code = INV_OK;
	if ((size_t)size > INV_DATABASE_MAX)
		code = inv_fail(error, INV_E_USAGE, "%s: would be larger than 1 GiB; give another file to -o", database->name);
	else if (fwrite(bytes, 1, (size_t)size, file) != (size_t)size || fflush(file) != 0)
		code = inv_fail(error, INV_E_INTERNAL, "%s: the database could not be written", database->name);
	sqlite3_free(bytes);
	return code;
}
