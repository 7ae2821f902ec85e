// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "cli/command.h"
#include "report/json.h"

// What makes of a finding an excused one (exception "smear") when memory was read while the machine ran.
static const char *smear_text(const struct inv_invariant *invariant)
{
	static const char *const texts[] = {
	    [INV_SMEAR_LIFE] =
	        "excused by the coming or going of an object alone, as the order of the pages that were read allows it",
	    [INV_SMEAR_STATE] =
	        "excused unless both sides stand in one page, or a page denies an object between two that show it",
	    [INV_SMEAR_TIME] = "excused for what was created or exited after the page of the clock was read",
	};
	return texts[invariant->smear];
}

static const char *weight_text(const struct inv_invariant *invariant)
{
	return invariant->weight == INV_HINT ? "an observation, apart from findings: it has honest causes too"
	                                     : "a finding";
}

#define LABEL_WIDTH 12
#define TEXT_WIDTH 100

// A label, and its text broken between words, each further line beneath the first.
static void write_part(const char *label, const char *text, FILE *file)
{
	int column = fprintf(file, "%-*s", LABEL_WIDTH, label);
	for (const char *word = text; *word;) {
		int length = (int)strcspn(word, " ");
		if (column > LABEL_WIDTH && column + 1 + length > TEXT_WIDTH)
			column = fprintf(file, "\n%*s", LABEL_WIDTH, "") - 1;
		column += fprintf(file, "%s%.*s", column > LABEL_WIDTH ? " " : "", length, word);
		word += length;
		word += strspn(word, " ");
	}
	putc('\n', file);
}

static void write_one(const struct inv_invariant *invariant, FILE *file)
{
	write_part(invariant->id, invariant->statement, file);
	putc('\n', file);
	write_part("Why", invariant->reason, file);
	write_part("Compares", invariant->witnesses, file);
	write_part("Broken by", invariant->broken_by, file);
	write_part("ATT&CK", invariant->attack, file);
	write_part("Builds", invariant->builds, file);
	write_part("Known from", invariant->basis, file);
	write_part("Broken is", weight_text(invariant), file);
	write_part("Smear", smear_text(invariant), file);
	if (!invariant->exceptions[0].id)
		write_part("Exceptions", "none", file);
	struct inv_arena *arena = inv_arena_new();
	for (size_t i = 0; i < INV_MAX_EXCEPTIONS && invariant->exceptions[i].id; i++)
		write_part(i ? "" : "Exceptions",
		           inv_arena_printf(arena, "%s: %s", invariant->exceptions[i].id, invariant->exceptions[i].condition),
		           file);
	inv_arena_free(arena);
	if (inv_picture(invariant))
		fprintf(file, "\n%s", inv_picture(invariant));
}

static void write_markdown(const struct inv_invariant *invariant, FILE *file)
{
	fprintf(file, "## %s\n\n**%s**\n\n%s\n\n", invariant->id, invariant->statement, invariant->reason);
	if (inv_picture(invariant))
		fprintf(file, "```text\n%s```\n\n", inv_picture(invariant));
	fprintf(file, "* Compares: %s.\n* Broken by: %s.\n* ATT&CK: %s.\n* Builds: %s.\n* Known from: %s.\n",
	        invariant->witnesses, invariant->broken_by, invariant->attack, invariant->builds, invariant->basis);
	if (invariant->weight == INV_HINT)
		fprintf(file, "* Broken is %s.\n", weight_text(invariant));
	fprintf(file, "* When memory was read while the machine ran: %s\n", smear_text(invariant));
	for (size_t i = 0; i < INV_MAX_EXCEPTIONS && invariant->exceptions[i].id; i++)
		fprintf(file, "* Exception `%s`: %s\n", invariant->exceptions[i].id, invariant->exceptions[i].condition);
	putc('\n', file);
}

static void write_left_out(FILE *file)
{
	fputs("## Left out, and why\n\n| | what | why |\n| --- | --- | --- |\n", file);
	for (size_t i = 0; i < inv_left_out_count(); i++)
		fprintf(file, "| %s | %s | %s |\n", inv_left_out(i)->ids, inv_left_out(i)->statement, inv_left_out(i)->why);
}

static json_t *to_json(const struct inv_invariant *invariant)
{
	static const char *const smears[] = {
	    [INV_SMEAR_LIFE] = "life", [INV_SMEAR_STATE] = "state", [INV_SMEAR_TIME] = "time"};
	json_t *exceptions = json_array();
	for (size_t i = 0; i < INV_MAX_EXCEPTIONS && invariant->exceptions[i].id; i++)
		json_array_append_new(exceptions, json_pack("{s:s, s:s}", "id", invariant->exceptions[i].id, "condition",
		                                            invariant->exceptions[i].condition));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:o}", "id", invariant->id, "statement",
	                 invariant->statement, "reason", invariant->reason, "witnesses", invariant->witnesses, "broken_by",
	                 invariant->broken_by, "attack", invariant->attack, "builds", invariant->builds, "basis",
	                 invariant->basis, "smear", smears[invariant->smear], "weight",
	                 invariant->weight == INV_HINT ? "observation" : "finding", "picture", inv_picture(invariant),
	                 "exceptions", exceptions);
}

static void write_json(const struct inv_invariant *only, bool lines, FILE *file)
{
	json_t *all = json_array();
	for (size_t i = 0; i < inv_invariant_count(); i++)
		if (!only || only == inv_invariant(i))
			json_array_append_new(all, to_json(inv_invariant(i)));
	size_t i;
	json_t *item;
	if (!lines) {
		json_dumpf(only ? json_array_get(all, 0) : all, file, JSON_INDENT(2));
		putc('\n', file);
	} else {
		json_array_foreach(all, i, item)
		{
			json_dumpf(item, file, JSON_COMPACT);
			putc('\n', file);
		}
	}
	json_decref(all);
}

static void write_table(enum inv_output output, FILE *file)
{
	static const char *const columns[] = {"id", "attack", "statement"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		inv_table_text(table, inv_invariant(i)->id);
		inv_table_text(table, inv_invariant(i)->attack);
		inv_table_text(table, inv_invariant(i)->statement);
	}
	inv_table_write(table, output, file);
	inv_table_free(table);
}

enum inv_exit inv_run_explain(struct inv_session *session, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	const struct inv_invariant *only = NULL;
	if (options->argument_count > 0) {
		only = inv_invariant_by_id(options->arguments[0]);
		for (size_t i = 0; !only && i < inv_left_out_count(); i++) {
			if (strcasecmp(options->arguments[0], inv_left_out(i)->ids) != 0)
				continue;
			inv_fail(error, INV_E_USAGE, "%s is left out of the catalogue: %s", inv_left_out(i)->ids,
			         inv_left_out(i)->why);
			return INV_EXIT_USAGE;
		}
		if (!only) {
			inv_fail(error, INV_E_USAGE, "there is no invariant '%s'; 'invar explain' lists them",
			         options->arguments[0]);
			return INV_EXIT_USAGE;
		}
	}
	if (options->markdown) {
		if (!only)
			fputs("# Invariants\n\nGenerated from the program's own table by `invar explain --format markdown`.\n\n",
			      session->out);
		for (size_t i = 0; i < inv_invariant_count(); i++)
			if (!only || only == inv_invariant(i))
				write_markdown(inv_invariant(i), session->out);
		if (!only)
			write_left_out(session->out);
	} else if (options->output == INV_OUTPUT_JSON || options->output == INV_OUTPUT_NDJSON) {
		write_json(only, options->output == INV_OUTPUT_NDJSON, session->out);
	} else if (only && options->output == INV_OUTPUT_TEXT) {
		write_one(only, session->out);
	} else {
		write_table(options->output, session->out);
	}
	return INV_EXIT_OK;
}
