// SPDX-License-Identifier: Apache-2.0
// The report of a check as an SQLite database, which may hold those of several images (docs/database.md).
//
// The database is made in memory, for the sandbox forbids SQLite to open files. What an existing file holds is outside input: it is
// never written to, its schema must be the one that this program makes, and its rows are copied into a new database that
// takes only what fits.
#ifndef INV_REPORT_DATABASE_H
#define INV_REPORT_DATABASE_H

#include <stdio.h>

#include "check/check.h"

#define INV_DATABASE_APPLICATION 0x496e7672 // "Invr": application_id in the file's header
#define INV_DATABASE_SCHEMA 1               // user_version. Rises when a query that worked could fail
#define INV_DATABASE_MAX ((size_t)1 << 30)  // bytes, of an existing database and of the result
#define INV_DATABASE_MAX_IMAGES 10000u
#define INV_DATABASE_MAX_HANDLES ((size_t)1 << 20) // of one image; the others are only counted

struct inv_database;

// Takes over what the database in these bytes holds; `size` 0: there is none yet. The bytes must stay until it is closed. `name` is
// the file's, for messages. INV_E_USAGE: it is no such database, or damaged.
INV_MUST_USE enum inv_code inv_database_open(const char *name, const void *bytes, size_t size,
                                             struct inv_database **database, struct inv_error *error);
void inv_database_close(struct inv_database *database); // NULL is allowed

// Adds one image; what the database holds of the same image is replaced. Call it once.
INV_MUST_USE enum inv_code inv_database_add(struct inv_database *database, const struct inv_check *check,
                                            const char *version, struct inv_error *error);
// Writes the file. The same images, added in the same order, give the same bytes but for `seconds`.
INV_MUST_USE enum inv_code inv_database_write(struct inv_database *database, FILE *file, struct inv_error *error);

#endif
