// SPDX-License-Identifier: Apache-2.0
// Ranges of memory: one line for each VAD, and for each run of valid pages that none covers.
#include "base/array.h"
#include "cli/inside.h"

static const char *const columns[] = {"pid",        "name",         "start", "end",        "size",   "kind",
                                      "protection", "commit",       "valid", "executable", "copied", "paged out",
                                      "file",       "control area", "vad",   "notes"};

struct listing {
	struct inv_opener opener;
	struct inv_table *table;
};

static void add_owner(const struct listing *listing, const struct inv_inside *inside)
{
	inv_table_value(listing->table, &inside->process->pid, INV_CELL_NUMBER);
	inv_table_text(listing->table, inside->process->name_value.ok ? inside->process->name : NULL);
}

static void add_span(const struct listing *listing, const struct inv_span *span)
{
	inv_table_address(listing->table, span->start);
	inv_table_address(listing->table, span->end);
	inv_table_number(listing->table, span->end - span->start);
}

static void add_file(const struct listing *listing, const struct inv_vad *vad)
{
	const struct inv_why *why;
	const char *file = inv_vad_file(listing->opener.sections, vad, &why);
	if (why)
		inv_table_absent(listing->table, why);
	else
		inv_table_text(listing->table, file);
	if (vad->control_area)
		inv_table_address(listing->table, vad->control_area);
	else
		inv_table_text(listing->table, NULL);
}

static void add_vad(const struct listing *listing, const struct inv_opened *opened, const struct inv_vad *vad)
{
	const struct inv_inside *inside = &opened->inside;
	struct inv_table *table = listing->table;
	size_t index = (size_t)(vad - inside->vads.vads);
	struct inv_span span = {vad->start, vad->end};
	char protection[8];
	add_owner(listing, inside);
	add_span(listing, &span);
	inv_table_text(table, inv_vad_kind(vad, inside->arena));
	inv_table_text(table, inv_protection_text(vad->protection, protection));
	inv_table_number(table, vad->commit_charge);
	if (inside->user && index < inv_count(inside->survey.ranges)) {
		const struct inv_range_pages *pages = &inside->survey.ranges[index];
		inv_table_number(table, pages->valid);
		inv_table_number(table, pages->executable);
		inv_table_number(table, pages->private_copies);
		inv_table_number(table, pages->paged_out);
	} else {
		for (int i = 0; i < 4; i++)
			inv_table_absent(table, &inside->why);
	}
	add_file(listing, vad);
	inv_table_address(table, vad->address);
	inv_table_text(table, inv_range_notes(opened, vad));
}

// A run of pages for which there is no VAD.
static void add_bare(const struct listing *listing, const struct inv_inside *inside, const struct inv_span *span)
{
	struct inv_table *table = listing->table;
	add_owner(listing, inside);
	add_span(listing, span);
	inv_table_text(table, "no VAD");
	inv_table_text(table, NULL);
	inv_table_text(table, NULL);
	inv_table_number(table, (span->end - span->start) / 4096);
	for (int i = 0; i < 6; i++)
		inv_table_text(table, NULL);
	inv_table_text(table, "valid, and no VAD covers it");
}

static void list(const struct listing *listing, const struct inv_dossier *process)
{
	struct inv_opened opened;
	inv_open_inside(&listing->opener, process, &opened);
	inv_warn_of_gaps(listing->opener.session, &opened);
	for (size_t i = 0; i < inv_count(opened.ranges.ranges); i++) {
		if (opened.ranges.ranges[i].vad)
			add_vad(listing, &opened, opened.ranges.ranges[i].vad);
		else
			add_bare(listing, &opened.inside, &opened.ranges.ranges[i].span);
	}
	inv_close_inside(&opened);
}

enum inv_exit inv_run_vads(struct inv_session *session, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	struct inv_check_options how = {.swept = options->all, .threads = options->threads};
	struct inv_check *check = NULL;
	const struct inv_dossier *only = NULL;
	if (options->argument_count > 1)
		only = inv_pick_process(session, options->arguments[1], &how, &check, error);
	else
		check = inv_check_run(session->kernel, &how);
	if (error->code == INV_OK) {
		struct listing listing = {.table = inv_table_new(columns, sizeof columns / sizeof columns[0])};
		inv_opener_start(&listing.opener, session, check);
		for (size_t i = 0; i < check->dossiers.process_count; i++) {
			const struct inv_dossier *process = &check->dossiers.processes[i];
			if (only ? process == only : inv_has_inside(process, session->kernel))
				list(&listing, process);
		}
		inv_table_write(listing.table, options->output, session->out);
		inv_table_free(listing.table);
		inv_opener_end(&listing.opener);
	}
	inv_check_free(check);
	return error->code == INV_OK ? INV_EXIT_OK : INV_EXIT_USAGE;
}
