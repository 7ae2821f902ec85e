// SPDX-License-Identifier: Apache-2.0
#include "report/table.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/tally.h"
#include "base/text.h"
#include "report/json.h"

enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_ADDRESS, CELL_ABSENT };

struct cell {
	enum cell_kind kind;
	const char *text; // TEXT (NULL: no value), and the reason of ABSENT
	uint64_t number;
};

struct inv_table {
	const char *const *columns;
	size_t column_count;
	struct cell *cells; // stb_ds, row after row
	struct inv_arena *arena;
};

struct inv_table *inv_table_new(const char *const *columns, size_t count)
{
	struct inv_table *table = inv_alloc(sizeof *table);
	table->columns = columns;
	table->column_count = count;
	table->arena = inv_arena_new();
	return table;
}

void inv_table_free(struct inv_table *table)
{
	if (!table)
		return;
	inv_array_free(table->cells);
	inv_arena_free(table->arena);
	free(table);
}

static void add(struct inv_table *table, enum cell_kind kind, const char *text, uint64_t number)
{
	struct cell cell = {kind, text ? inv_arena_strdup(table->arena, text) : NULL, number};
	inv_push(table->cells, cell);
}

void inv_table_text(struct inv_table *table, const char *text)
{
	add(table, CELL_TEXT, text, 0);
}

void inv_table_number(struct inv_table *table, uint64_t number)
{
	add(table, CELL_NUMBER, NULL, number);
}

void inv_table_address(struct inv_table *table, uint64_t address)
{
	add(table, CELL_ADDRESS, NULL, address);
}

void inv_table_absent(struct inv_table *table, const struct inv_why *why)
{
	add(table, CELL_ABSENT, inv_absence_name(why->reason), 0);
}

void inv_table_value(struct inv_table *table, const struct inv_value *value, enum inv_cell_form form)
{
	char time[INV_TIME_SIZE];
	if (!value->ok) {
		inv_table_absent(table, &value->why);
		return;
	}
	switch (form) {
	case INV_CELL_NUMBER:
		inv_table_number(table, value->u);
		break;
	case INV_CELL_ADDRESS:
		inv_table_address(table, value->u);
		break;
	case INV_CELL_TIME:
		inv_format_filetime(value->u, time);
		inv_table_text(table, value->u ? time : NULL);
		break;
	}
}

// The cell as shown to people and in CSV; `buffer` holds numbers.
#define CELL_SIZE 24
static const char *shown(const struct cell *cell, const char *absent, char buffer[CELL_SIZE])
{
	switch (cell->kind) {
	case CELL_TEXT:
		return cell->text ? cell->text : "";
	case CELL_NUMBER:
		snprintf(buffer, CELL_SIZE, "%" PRIu64, cell->number);
		return buffer;
	case CELL_ADDRESS:
		snprintf(buffer, CELL_SIZE, "0x%" PRIx64, cell->number);
		return buffer;
	case CELL_ABSENT:
		break;
	}
	return absent;
}

void inv_write_safe(FILE *file, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		// C1 control characters are c2 80 to c2 9f in UTF-8; terminals obey them as well.
		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
			fprintf(file, "\\x%02x", c[1]);
			c++;
		} else if (*c < 0x20 || *c == 0x7f) {
			fprintf(file, "\\x%02x", *c);
		} else {
			putc(*c, file);
		}
	}
}

// Columns on a terminal: characters, not bytes. An escaped control character takes four.
static size_t width(const char *text)
{
	size_t columns = 0;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		columns += *c < 0x20 || *c == 0x7f ? 4 : (*c & 0xc0) != 0x80;
	return columns;
}

// A column of numbers, but for values that are absent, stands to the right.
static bool is_numeric(const struct inv_table *table, size_t column)
{
	bool any = false;
	for (size_t i = column; i < inv_count(table->cells); i += table->column_count) {
		const struct cell *cell = &table->cells[i];
		if (cell->kind == CELL_ADDRESS || (cell->kind == CELL_TEXT && cell->text))
			return false;
		any = any || cell->kind == CELL_NUMBER;
	}
	return any;
}

static void pad(FILE *file, size_t count)
{
	while (count--)
		putc(' ', file);
}

static size_t row_count(const struct inv_table *table)
{
	return table->column_count ? inv_count(table->cells) / table->column_count : 0;
}

bool inv_table_is_empty(const struct inv_table *table)
{
	return row_count(table) == 0;
}

static void write_reasons(const struct inv_table *table, FILE *file)
{
	struct inv_text_count *reasons = NULL;
	for (size_t i = 0; i < inv_count(table->cells); i++)
		if (table->cells[i].kind == CELL_ABSENT)
			inv_tally(&reasons, table->arena, table->cells[i].text);
	for (size_t i = 0; i < inv_count(reasons); i++)
		fprintf(file, "%s%s (%zu)", i ? ", " : "\n? = could not be read: ", reasons[i].text, reasons[i].count);
	if (reasons)
		putc('\n', file);
	inv_array_free(reasons);
}

static void write_text(const struct inv_table *table, FILE *file)
{
	char buffer[CELL_SIZE];
	size_t columns = table->column_count, rows = row_count(table);
	size_t *widths = inv_alloc(columns * sizeof *widths);
	bool *rights = inv_alloc(columns * sizeof *rights);
	for (size_t c = 0; c < columns; c++) {
		rights[c] = is_numeric(table, c);
		widths[c] = width(table->columns[c]);
		for (size_t r = 0; r < rows; r++) {
			size_t w = width(shown(&table->cells[r * columns + c], "?", buffer));
			widths[c] = w > widths[c] ? w : widths[c];
		}
	}
	for (size_t c = 0; c < columns; c++) {
		bool right = rights[c];
		size_t gap = widths[c] - width(table->columns[c]);
		pad(file, right ? gap : 0);
		fputs(table->columns[c], file);
		pad(file, c + 1 == columns ? 0 : (right ? 0 : gap) + 2);
	}
	putc('\n', file);
	for (size_t i = 0; i < rows * columns; i++) {
		size_t c = i % columns;
		const char *text = shown(&table->cells[i], "?", buffer);
		bool right = rights[c];
		size_t gap = widths[c] - width(text);
		pad(file, right ? gap : 0);
		inv_write_safe(file, text);
		if (c + 1 == columns)
			putc('\n', file);
		else
			pad(file, (right ? 0 : gap) + 2);
	}
	free(widths);
	free(rights);
	write_reasons(table, file);
}

static void write_csv_field(FILE *file, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', file);
		putc(*text, file);
	}
	putc('"', file);
}

static void write_csv(const struct inv_table *table, FILE *file)
{
	char buffer[CELL_SIZE];
	for (size_t c = 0; c < table->column_count; c++)
		fprintf(file, "%s%s", c ? "," : "", table->columns[c]);
	fputs("\r\n", file); // RFC 4180
	for (size_t i = 0; i < row_count(table) * table->column_count; i++) {
		size_t c = i % table->column_count;
		if (c)
			putc(',', file);
		write_csv_field(file, shown(&table->cells[i], "", buffer));
		if (c + 1 == table->column_count)
			fputs("\r\n", file);
	}
}

static json_t *cell_json(const struct cell *cell)
{
	char buffer[CELL_SIZE];
	switch (cell->kind) {
	case CELL_TEXT:
		return cell->text ? json_string(cell->text) : json_null();
	case CELL_NUMBER:
		return inv_json_number(cell->number);
	case CELL_ADDRESS:
		return json_string(shown(cell, "", buffer));
	case CELL_ABSENT:
		break;
	}
	return json_null();
}

static json_t *row_json(const struct inv_table *table, size_t row)
{
	json_t *object = json_object();
	json_t *absent = json_object();
	for (size_t c = 0; c < table->column_count; c++) {
		const struct cell *cell = &table->cells[row * table->column_count + c];
		json_object_set_new(object, table->columns[c], cell_json(cell));
		if (cell->kind == CELL_ABSENT)
			json_object_set_new(absent, table->columns[c], json_string(cell->text));
	}
	if (json_object_size(absent))
		json_object_set(object, "absent", absent);
	json_decref(absent);
	return object;
}

json_t *inv_table_json(const struct inv_table *table)
{
	json_t *rows = json_array();
	for (size_t r = 0; r < row_count(table); r++)
		json_array_append_new(rows, row_json(table, r));
	return rows;
}

static void write_json(const struct inv_table *table, FILE *file)
{
	json_t *rows = inv_table_json(table);
	json_dumpf(rows, file, JSON_INDENT(2));
	putc('\n', file);
	json_decref(rows);
}

static void write_ndjson(const struct inv_table *table, FILE *file)
{
	for (size_t r = 0; r < row_count(table); r++) {
		json_t *row = row_json(table, r);
		json_dumpf(row, file, JSON_COMPACT);
		putc('\n', file);
		json_decref(row);
	}
}

void inv_table_write(const struct inv_table *table, enum inv_output output, FILE *file)
{
	switch (output) {
	case INV_OUTPUT_TEXT:
		write_text(table, file);
		break;
	case INV_OUTPUT_JSON:
		write_json(table, file);
		break;
	case INV_OUTPUT_NDJSON:
		write_ndjson(table, file);
		break;
	case INV_OUTPUT_CSV:
		write_csv(table, file);
		break;
	case INV_OUTPUT_HTML: // these are not of a table: the command line refuses them
	case INV_OUTPUT_SQLITE:
	case INV_OUTPUT_NAVIGATOR:
	case INV_OUTPUT_STIX:
		break;
	}
}
