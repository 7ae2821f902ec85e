// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "cli/dossier.h"
#include "report/json.h"
#include "report/patches.h"

static bool is_time(enum inv_field field)
{
	const char *name = inv_field_info(field)->name;
	size_t length = strlen(name);
	return length > 4 && strcmp(name + length - 4, "Time") == 0 && field != INV_F_EPROCESS_CreateInterruptTime;
}

// Every field of the process that the program knows, in one table.
static struct inv_table *field_table(const struct inv_dossier_view *view)
{
	const struct inv_kernel *kernel = view->check->kernel;
	uint64_t process = view->process->address;
	static const char *const columns[] = {"field", "address", "value"};
	static const enum inv_type types[] = {INV_T_DISPATCHER_HEADER, INV_T_KPROCESS, INV_T_EPROCESS};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
		for (int f = 0; f < INV_FIELD_COUNT; f++) {
			enum inv_field field = (enum inv_field)f;
			uint64_t address;
			if (inv_field_info(field)->type != types[t] || !inv_field_address(kernel, process, field, &address))
				continue;
			struct inv_value value = inv_field(kernel, process, field);
			inv_table_text(table, inv_field_full_name(field));
			inv_table_address(table, address);
			inv_table_value(table, &value, is_time(field) ? INV_CELL_TIME : INV_CELL_ADDRESS);
		}
	}
	return table;
}

#define MOST_BY_THREADS 3u // sightings of one witness by threads that people are shown

struct sightings {
	struct inv_table *table;
	bool brief;
	size_t by_threads[INV_WITNESS_COUNT];
};

static void add_sighting(struct sightings *sightings, enum inv_witness_id witness, uint64_t at, uint64_t thread)
{
	if (thread && sightings->by_threads[witness]++ >= MOST_BY_THREADS && sightings->brief)
		return;
	inv_table_text(sightings->table, inv_witness(witness)->name);
	inv_table_address(sightings->table, at);
	if (thread)
		inv_table_address(sightings->table, thread);
	else
		inv_table_text(sightings->table, NULL);
}

static void add_handles(struct sightings *sightings, const struct inv_testimony *testimony, uint64_t process)
{
	size_t count;
	const struct inv_handle_record *handle = inv_handles_to(testimony, process, &count);
	for (; count > 0; handle++, count--)
		if (handle->target == INV_TARGET_PROCESS)
			add_sighting(sightings, INV_W_HANDLES, handle->at, 0);
}

static void add_counts(const struct inv_dossier_view *view, const struct sightings *sightings)
{
	for (unsigned i = 0; i < INV_WITNESS_COUNT && sightings->brief; i++) {
		if (sightings->by_threads[i] <= MOST_BY_THREADS)
			continue;
		inv_table_text(sightings->table, inv_witness((enum inv_witness_id)i)->name);
		inv_table_text(sightings->table,
		               inv_arena_printf(view->arena, "and %zu more", sightings->by_threads[i] - MOST_BY_THREADS));
		inv_table_text(sightings->table, NULL);
	}
}

static struct inv_table *sighting_table(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"witness", "record at", "thread"};
	const struct inv_testimony *testimony = view->check->testimony;
	struct sightings sightings = {inv_table_new(columns, sizeof columns / sizeof columns[0]), view->brief, {0}};
	size_t count = inv_count(testimony->sightings);
	for (size_t i = 0; i < count; i++) {
		const struct inv_sighting *sighting = &testimony->sightings[i];
		if (i == testimony->before_handles)
			add_handles(&sightings, testimony, view->process->address);
		if (sighting->process == view->process->address)
			add_sighting(&sightings, sighting->witness, sighting->at, sighting->thread);
	}
	if (testimony->before_handles == count)
		add_handles(&sightings, testimony, view->process->address);
	add_counts(view, &sightings);
	return sightings.table;
}

// -- verdicts ---------------------------------------------------------------------------------------------------------------

static void add_verdict(struct inv_table *table, const struct inv_invariant *invariant, const char *verdict,
                        const char *exception)
{
	inv_table_text(table, invariant->id);
	inv_table_text(table, verdict);
	inv_table_text(table, exception);
	inv_table_text(table, invariant->statement);
}

static void add_all(struct inv_table *table, const struct inv_dossier *process, struct inv_finding *const *findings,
                    const char *verdict)
{
	for (size_t i = 0; i < inv_count(findings); i++)
		if (findings[i]->subject.process == process)
			add_verdict(table, findings[i]->invariant, verdict, NULL);
}

static struct inv_table *verdict_table(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"invariant", "verdict", "exception", "statement"};
	const struct inv_judge *judge = &view->check->judge;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	add_all(table, view->process, judge->findings, "broken");
	add_all(table, view->process, judge->observations, "observed");
	for (size_t i = 0; i < inv_count(judge->excused); i++)
		if (judge->excused[i].subject.process == view->process)
			add_verdict(table, judge->excused[i].invariant, "excused", judge->excused[i].exception);
	return table;
}

static struct inv_table *module_table(const struct inv_dossier_view *view)
{
	return inv_process_modules(view->opener, view->opened);
}

static const struct part {
	const char *title, *key;
	struct inv_table *(*make)(const struct inv_dossier_view *view);
} parts[] = {
    {"Identity", "identity", inv_dossier_identity},
    {"Names, by every record", "names", inv_dossier_names},
    {"Seen by", "seen_by", sighting_table},
    {"Class, by every source", "class", inv_dossier_class},
    {"Image", "image", inv_dossier_image},
    {"What it says of itself", "claims", inv_dossier_claims},
    {"Threads", "threads", inv_dossier_threads},
    {"Memory", "ranges", inv_dossier_ranges},
    {"Ranges of note", "remarkable", inv_dossier_remarkable},
    {"Modules", "modules", module_table},
    {"Handles", "handles", inv_dossier_handles},
    {"Fields", "fields", field_table},
    {"Verdicts that concern it", "verdicts", verdict_table},
};
#define PART_COUNT (sizeof parts / sizeof parts[0])

// -- the dossier ------------------------------------------------------------------------------------------------------------

static void write_witnesses(const char *text, uint64_t bits, FILE *file)
{
	if (!bits)
		return;
	fputs(text, file);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (bits & INV_BIT(i))
			fprintf(file, " %s", inv_witness((enum inv_witness_id)i)->name);
	putc('\n', file);
}

static size_t count_of(const struct inv_dossier *process, struct inv_finding *const *findings)
{
	size_t count = 0;
	for (size_t i = 0; i < inv_count(findings); i++)
		count += findings[i]->subject.process == process;
	return count;
}

static void write_findings(const struct inv_dossier_view *view, const char *title, struct inv_finding *const *findings,
                           FILE *file)
{
	struct inv_style style = {.color = view->session->options->color, .width = view->session->options->width};
	if (count_of(view->process, findings) == 0)
		return;
	fprintf(file, "\n%s\n", title);
	for (size_t i = 0; i < inv_count(findings); i++)
		if (findings[i]->subject.process == view->process)
			inv_report_finding(view->check, findings[i], &style, file);
}

static void write_patched_code(const struct inv_dossier_view *view, FILE *file)
{
	struct inv_patches patches;
	inv_patches_read(&view->opened->inside, &patches);
	if (inv_count(patches.patches) > 0)
		fputs("\nPatched code\n", file);
	inv_patches_write(&patches, "", file);
	inv_patches_free(&patches);
}

static json_t *patched_code_json(const struct inv_dossier_view *view)
{
	struct inv_patches patches;
	inv_patches_read(&view->opened->inside, &patches);
	json_t *list = inv_patches_json(&patches);
	inv_patches_free(&patches);
	return list;
}

static void write_gaps(const struct inv_dossier_view *view, FILE *file)
{
	const struct inv_inside *inside = &view->opened->inside;
	if (!inside->user)
		fprintf(file, "its memory cannot be read: %s\n", inv_why_text(view->arena, &inside->why));
	if (!inside->vads.complete)
		fprintf(file, "not all of its ranges are shown: %s\n", inv_why_text(view->arena, &inside->vads.why));
}

static void write_text(const struct inv_dossier_view *view, FILE *file)
{
	const struct inv_dossier *process = view->process;
	const struct inv_judge *judge = &view->check->judge;
	struct inv_subject subject = inv_subject_process(process);
	inv_write_safe(file, inv_subject_text(view->arena, &subject));
	fprintf(file, "\nstate %s, role %s; %zu findings, %zu observations\n", inv_state_name(process->state),
	        inv_role_name(process->role), count_of(process, judge->findings), count_of(process, judge->observations));
	write_witnesses("missing from", process->missing_from, file);
	write_gaps(view, file);
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct inv_table *table = parts[i].make(view);
		if (!inv_table_is_empty(table)) {
			fprintf(file, "\n%s\n", parts[i].title);
			inv_table_write(table, INV_OUTPUT_TEXT, file);
		}
		inv_table_free(table);
	}
	write_patched_code(view, file);
	write_findings(view, "Findings", judge->findings, file);
	write_findings(view, "Observations", judge->observations, file);
}

static json_t *findings_json(const struct inv_dossier_view *view, struct inv_finding *const *findings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(findings); i++)
		if (findings[i]->subject.process == view->process)
			json_array_append_new(list, inv_report_finding_json(view->check, findings[i]));
	return list;
}

static json_t *missing_json(const struct inv_dossier *process)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (process->missing_from & INV_BIT(i))
			json_array_append_new(names, json_string(inv_witness((enum inv_witness_id)i)->name));
	return names;
}

static void write_json(const struct inv_dossier_view *view, bool lines, FILE *file)
{
	const struct inv_dossier *process = view->process;
	json_t *object = json_object();
	json_object_set_new(object, "address", inv_json_address(process->address));
	json_object_set_new(object, "pid", inv_json_value(&process->pid));
	json_object_set_new(object, "ppid", inv_json_value(&process->parent));
	json_object_set_new(object, "name", process->name_value.ok ? inv_json_text(process->name) : json_null());
	json_object_set_new(object, "path", *process->path ? inv_json_text(process->path) : json_null());
	json_object_set_new(object, "state", json_string(inv_state_name(process->state)));
	json_object_set_new(object, "role", json_string(inv_role_name(process->role)));
	json_object_set_new(object, "missing_from", missing_json(process));
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct inv_table *table = parts[i].make(view);
		json_object_set_new(object, parts[i].key, inv_table_json(table));
		inv_table_free(table);
	}
	json_object_set_new(object, "patched_code", patched_code_json(view));
	json_object_set_new(object, "findings", findings_json(view, view->check->judge.findings));
	json_object_set_new(object, "observations", findings_json(view, view->check->judge.observations));
	json_dumpf(object, file, lines ? JSON_COMPACT : JSON_INDENT(2));
	putc('\n', file);
	json_decref(object);
}

static void write_dossier(const struct inv_dossier_view *view, FILE *file)
{
	enum inv_output output = view->session->options->output;
	if (output == INV_OUTPUT_TEXT) {
		write_text(view, file);
	} else if (output == INV_OUTPUT_CSV) {
		struct inv_table *table = field_table(view);
		inv_table_write(table, output, file);
		inv_table_free(table);
	} else {
		write_json(view, output == INV_OUTPUT_NDJSON, file);
	}
}

// What `write` writes about a process of a check, with its inside read for it.
static void with_view(const struct inv_session *session, const struct inv_check *check,
                      const struct inv_dossier *process, bool brief, FILE *file,
                      void (*write)(const struct inv_dossier_view *view, FILE *file))
{
	struct inv_opener opener;
	struct inv_opened opened;
	inv_opener_start(&opener, session, check);
	inv_open_inside(&opener, process, &opened);
	struct inv_dossier_view view = {session, check, &opener, &opened, process, opened.inside.arena, brief};
	write(&view, file);
	inv_close_inside(&opened);
	inv_opener_end(&opener);
}

void inv_dossier_write_text(const struct inv_session *session, const struct inv_check *check,
                            const struct inv_dossier *process, FILE *file)
{
	with_view(session, check, process, true, file, write_text);
}

enum inv_exit inv_run_process(struct inv_session *session, struct inv_error *error)
{
	struct inv_check_options how = {.judged = true, .swept = true, .threads = session->options->threads};
	struct inv_check *check;
	const struct inv_dossier *process = inv_pick_process(session, session->options->arguments[1], &how, &check, error);
	if (process)
		with_view(session, check, process, session->options->output == INV_OUTPUT_TEXT, session->out, write_dossier);
	inv_check_free(check);
	return process ? INV_EXIT_OK : INV_EXIT_USAGE;
}
