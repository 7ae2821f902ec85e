// SPDX-License-Identifier: Apache-2.0
// A table of results, written as text, JSON, NDJSON or CSV. Every listing command fills one.
#ifndef INV_REPORT_TABLE_H
#define INV_REPORT_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "kernel/kernel.h"

enum inv_output {
	INV_OUTPUT_TEXT,
	INV_OUTPUT_JSON,
	INV_OUTPUT_NDJSON,
	INV_OUTPUT_CSV,
	INV_OUTPUT_HTML, // these are for `check` alone
	INV_OUTPUT_SQLITE,
	INV_OUTPUT_NAVIGATOR,
	INV_OUTPUT_STIX,
};

struct inv_table;

// `columns` are the keys of JSON and the heads of text and CSV; they must outlive the table.
struct inv_table *inv_table_new(const char *const *columns, size_t count);
void inv_table_free(struct inv_table *table);

// Cells are added from left to right; a row is complete when it has as many as there are columns.
void inv_table_text(struct inv_table *table, const char *text); // NULL: no value
void inv_table_number(struct inv_table *table, uint64_t number);
void inv_table_address(struct inv_table *table, uint64_t address); // shown in hexadecimal
void inv_table_absent(struct inv_table *table, const struct inv_why *why);

// A value read from memory: a number, an address or a time (empty when zero), or absent with its reason.
enum inv_cell_form { INV_CELL_NUMBER, INV_CELL_ADDRESS, INV_CELL_TIME };
void inv_table_value(struct inv_table *table, const struct inv_value *value, enum inv_cell_form form);

bool inv_table_is_empty(const struct inv_table *table);

// Text closes with a line that says why cells marked "?" are absent. JSON has null there, and a key "absent" with the
// reason of each such column.
// An output that has no tables writes none.
void inv_table_write(const struct inv_table *table, enum inv_output output, FILE *file);

// The rows as an array of objects; the caller releases it.
json_t *inv_table_json(const struct inv_table *table);

// Text that came from an image, safe for a terminal: control characters are written as \x1b.
void inv_write_safe(FILE *file, const char *text);

#endif
