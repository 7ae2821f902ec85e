// SPDX-License-Identifier: Apache-2.0
// Modules of the kernel; or those of one process by three witnesses: what the memory manager maps, what the loader lists, and what
// stands in memory.
#include <stdlib.h>

#include "base/array.h"
#include "cli/inside.h"
#include "kernel/pe.h"

static void list_kernel(struct inv_session *session)
{
	static const char *const columns[] = {"base", "end", "size", "name", "time stamp", "checksum", "path"};
	const struct inv_kernel *kernel = session->kernel;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct inv_module *module = &kernel->modules[i];
		inv_table_address(table, module->base);
		inv_table_address(table, module->base + module->size);
		inv_table_number(table, module->size);
		if (module->name_why.reason == INV_PRESENT)
			inv_table_text(table, module->name);
		else
			inv_table_absent(table, &module->name_why);
		inv_table_address(table, module->time_stamp);
		inv_table_address(table, module->checksum);
		inv_table_text(table, module->path);
	}
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	if (!kernel->modules_complete)
		inv_log(session->log, INV_LOG_WARNING, "the list is not complete: %s",
		        kernel->modules_note ? kernel->modules_note : "it could not be read to its end");
}

// -- of a process -----------------------------------------------------------------------------------------------------------

// What one witness says of one base. A base has as many rows as loader entries, but at least one.
struct row {
	uint64_t base;
	const struct inv_vad *vad; // that begins there, or holds it
	const struct inv_peb *peb; // whose loader lists it; NULL: neither
	const struct inv_loaded *loaded;
};

struct review {
	const struct inv_opener *opener;
	const struct inv_opened *opened;
	struct inv_table *table;
	struct row *rows; // stb_ds
};

static int by_base(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	if (left->base != right->base)
		return left->base < right->base ? -1 : 1;
	// Those that the loader lists come first, so that what only maps or only stands there is dropped behind them.
	if (!left->loaded != !right->loaded)
		return left->loaded ? -1 : 1;
	if (!left->loaded || left->loaded->address == right->loaded->address)
		return 0;
	return left->loaded->address < right->loaded->address ? -1 : 1;
}

static void add_row(struct review *review, uint64_t base, const struct inv_peb *peb, const struct inv_loaded *loaded)
{
	struct row row = {base, inv_vad_at(&review->opened->inside.vads, base), peb, loaded};
	inv_push(review->rows, row);
}

static void gather(struct review *review)
{
	const struct inv_inside *inside = &review->opened->inside;
	const struct inv_peb *pebs[] = {&inside->peb, &inside->peb32};
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++)
		if (inside->vads.vads[i].type == INV_VAD_IMAGE)
			add_row(review, inside->vads.vads[i].start, NULL, NULL);
	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < inv_count(pebs[p]->modules); i++)
			if (pebs[p]->modules[i].base.ok)
				add_row(review, pebs[p]->modules[i].base.u, pebs[p], &pebs[p]->modules[i]);
	for (size_t i = 0; i < inv_count(inside->survey.notes); i++)
		if (inside->survey.notes[i].kind == INV_PAGE_HEADER)
			add_row(review, inside->survey.notes[i].page.address, NULL, NULL);
	if (inv_count(review->rows) > 0)
		qsort(review->rows, inv_count(review->rows), sizeof *review->rows, by_base);
}

static bool begins_image(const struct row *row)
{
	return row->vad && row->vad->type == INV_VAD_IMAGE && row->vad->start == row->base;
}

struct header {
	bool there;
	struct inv_why why; // reason INV_PRESENT: it was read, and is none
	struct inv_pe pe;
};

static void read_header(const struct inv_inside *inside, uint64_t base, struct header *header)
{
	header->why = inside->why;
	header->there = inside->user && inv_pe_read_image(inv_user_space(inside->user), base, &header->pe, &header->why);
}

static const char *missing_from(const struct review *review, const struct row *row, const struct header *header)
{
	const struct inv_inside *inside = &review->opened->inside;
	struct inv_arena *arena = inside->arena;
	const char *text = "";
	if (!begins_image(row) && inside->vads.complete)
		text = "VADs";
	if (!row->loaded) {
		bool read = inside->peb.address && inside->peb.closed[INV_LOAD_ORDER] && inside->peb.closed[INV_MEMORY_ORDER];
		if (read)
			text = inv_arena_printf(arena, "%s%sloader", text, *text ? " " : "");
	} else {
		bool is_program = inside->image.base.ok && inside->image.base.u == row->base;
		for (int list = 0; list < INV_LOADER_LISTS; list++) {
			bool expected = row->peb->closed[list] && !(is_program && list == INV_INITIALIZATION_ORDER);
			if (expected && !(row->loaded->lists & 1u << list))
				text = inv_arena_printf(arena, "%s%s%s", text, *text ? " " : "",
				                        inv_loader_list_name((enum inv_loader_list)list));
		}
	}
	if (!header->there && header->why.reason == INV_PRESENT)
		text = inv_arena_printf(arena, "%s%sheader", text, *text ? " " : "");
	return text;
}

static void add_lists(const struct review *review, const struct row *row)
{
	for (int list = 0; list < INV_LOADER_LISTS; list++) {
		if (!row->loaded)
			inv_table_text(review->table, "no");
		else
			inv_table_text(review->table, row->loaded->lists & 1u << list ? "yes"
			                              : row->peb->closed[list]        ? "no"
			                                                              : "unknown");
	}
	inv_table_text(review->table, !row->peb ? NULL : row->peb->narrow ? "32-bit" : "64-bit");
}

static void add_header(struct inv_table *table, const struct header *header)
{
	if (!header->there) {
		if (header->why.reason == INV_PRESENT)
			inv_table_text(table, "no");
		else
			inv_table_absent(table, &header->why);
		for (int i = 0; i < 3; i++)
			inv_table_text(table, NULL);
		return;
	}
	inv_table_text(table, header->pe.narrow ? "PE32" : "PE32+");
	inv_table_number(table, header->pe.size_of_image);
	inv_table_address(table, header->pe.base + header->pe.entry);
	inv_table_address(table, header->pe.time_stamp);
}

static void add_file(const struct review *review, const struct row *row)
{
	const struct inv_why *why = NULL;
	const char *file = row->vad ? inv_vad_file(review->opener->sections, row->vad, &why) : NULL;
	if (why)
		inv_table_absent(review->table, why);
	else
		inv_table_text(review->table, file);
}

static void show_row(const struct review *review, const struct row *row)
{
	struct inv_table *table = review->table;
	const struct inv_inside *inside = &review->opened->inside;
	const char *file = row->vad ? inv_vad_file(review->opener->sections, row->vad, NULL) : NULL;
	struct header header;
	read_header(inside, row->base, &header);
	inv_table_address(table, row->base);
	inv_table_text(table, row->loaded ? row->loaded->name : file ? inv_base_name(file) : NULL);
	inv_table_text(table, !row->vad                      ? "no VAD"
	                      : row->vad->start != row->base ? "inside a range"
	                                                     : inv_vad_kind(row->vad, inside->arena));
	add_lists(review, row);
	add_header(table, &header);
	inv_table_text(table, row->loaded ? row->loaded->path : NULL);
	add_file(review, row);
	inv_table_text(table, missing_from(review, row, &header));
}

struct inv_table *inv_process_modules(const struct inv_opener *opener, const struct inv_opened *opened)
{
	static const char *const columns[] = {"base",       "name",          "mapped",      "load",          "memory",
	                                      "init",       "loader",        "header",      "size of image", "entry",
	                                      "time stamp", "loader's path", "mapped file", "missing from"};
	struct review review = {opener, opened, inv_table_new(columns, sizeof columns / sizeof columns[0]), NULL};
	gather(&review);
	for (size_t i = 0; i < inv_count(review.rows); i++)
		if (i == 0 || review.rows[i].loaded || review.rows[i].base != review.rows[i - 1].base)
			show_row(&review, &review.rows[i]);
	inv_array_free(review.rows);
	return review.table;
}

static void warn_of_lists(const struct inv_session *session, const struct inv_peb *peb)
{
	struct inv_arena *arena = inv_arena_new();
	for (int list = 0; peb->address && list < INV_LOADER_LISTS; list++)
		if (!peb->closed[list])
			inv_log(session->log, INV_LOG_WARNING, "the %sloader's list of %s order could not be read to its end: %s",
			        peb->narrow ? "32-bit " : "", inv_loader_list_name((enum inv_loader_list)list),
			        peb->broken[list].why.reason == INV_PRESENT ? "it does not close"
			                                                    : inv_why_text(arena, &peb->broken[list].why));
	inv_arena_free(arena);
}

enum inv_exit inv_run_modules(struct inv_session *session, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	struct inv_check_options how = {.swept = options->all, .threads = options->threads};
	struct inv_check *check = NULL;
	if (options->argument_count < 2) {
		list_kernel(session);
		return INV_EXIT_OK;
	}
	const struct inv_dossier *process = inv_pick_process(session, options->arguments[1], &how, &check, error);
	if (process) {
		struct inv_opener opener;
		struct inv_opened opened;
		inv_opener_start(&opener, session, check);
		inv_open_inside(&opener, process, &opened);
		inv_warn_of_gaps(session, &opened);
		struct inv_table *table = inv_process_modules(&opener, &opened);
		inv_table_write(table, options->output, session->out);
		inv_table_free(table);
		warn_of_lists(session, &opened.inside.peb);
		warn_of_lists(session, &opened.inside.peb32);
		inv_close_inside(&opened);
		inv_opener_end(&opener);
	}
	inv_check_free(check);
	return process ? INV_EXIT_OK : INV_EXIT_USAGE;
}
