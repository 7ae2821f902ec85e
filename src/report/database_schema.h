// SPDX-License-Identifier: Apache-2.0
// The tables and views of the database; docs/database.md says what they hold. Not for other floors.
#ifndef INV_REPORT_DATABASE_SCHEMA_H
#define INV_REPORT_DATABASE_SCHEMA_H

#include <stddef.h>

extern const char *const inv_database_schema[]; // statements that make it
extern const size_t inv_database_schema_count;
// In an order in which each refers only to those before it. `image` comes first; the others have a column of that name.
extern const char *const inv_database_tables[];
extern const size_t inv_database_table_count;

#endif
