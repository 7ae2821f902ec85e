// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "cli/command.h"
#include "report/json.h"

// An address if it is written in hexadecimal, else a PID, which more than one process may claim.
static bool is_wanted(const struct inv_dossier *process, bool by_address, uint64_t number)
{
	return by_address ? process->address == number : process->pid.ok && process->pid.u == number;
}

static bool is_time(enum inv_field field)
{
	const char *name = inv_field_info(field)->name;
	size_t length = strlen(name);
	return length > 4 && strcmp(name + length - 4, "Time") == 0 && field != INV_F_EPROCESS_CreateInterruptTime;
}

// Every field of the process that the program knows, in one table.
static struct inv_table *field_table(const struct inv_kernel *kernel, uint64_t process)
{
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

static struct inv_table *thread_table(const struct inv_check *check, uint64_t process)
{
	static const char *const columns[] = {"thread", "tid", "on executive list", "on scheduler list"};
	static const char *const answers[] = {"no", "yes", "unknown"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < check->dossiers.thread_count; i++) {
		const struct inv_thread_dossier *thread = &check->dossiers.threads[i];
		if (thread->owner != process && !(thread->process.ok && thread->process.u == process))
			continue;
		inv_table_address(table, thread->address);
		inv_table_value(table, &thread->cid_thread, INV_CELL_NUMBER);
		inv_table_text(table, answers[thread->on_executive_list]);
		inv_table_text(table, answers[thread->on_scheduler_list]);
	}
	return table;
}

static void add_sighting(struct inv_table *table, enum inv_witness_id witness, uint64_t at, uint64_t thread)
{
	inv_table_text(table, inv_witness(witness)->name);
	inv_table_address(table, at);
	if (thread)
		inv_table_address(table, thread);
	else
		inv_table_text(table, NULL);
}

static void add_handles(struct inv_table *table, const struct inv_testimony *testimony, uint64_t process)
{
	size_t count;
	const struct inv_handle_record *handle = inv_handles_to(testimony, process, &count);
	for (; count > 0; handle++, count--)
		if (handle->target == INV_TARGET_PROCESS)
			add_sighting(table, INV_W_HANDLES, handle->at, 0);
}

static struct inv_table *sighting_table(const struct inv_check *check, uint64_t process)
{
	static const char *const columns[] = {"witness", "record at", "thread"};
	const struct inv_testimony *testimony = check->testimony;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	size_t count = inv_count(testimony->sightings);
	for (size_t i = 0; i < count; i++) {
		const struct inv_sighting *sighting = &testimony->sightings[i];
		if (i == testimony->before_handles)
			add_handles(table, testimony, process);
		if (sighting->process == process)
			add_sighting(table, sighting->witness, sighting->at, sighting->thread);
	}
	if (testimony->before_handles == count)
		add_handles(table, testimony, process);
	return table;
}

static struct inv_table *verdict_table(const struct inv_check *check, const struct inv_dossier *process)
{
	static const char *const columns[] = {"invariant", "verdict", "exception", "statement"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(check->judge.findings); i++) {
		const struct inv_finding *finding = check->judge.findings[i];
		if (finding->subject.process != process)
			continue;
		inv_table_text(table, finding->invariant->id);
		inv_table_text(table, "broken");
		inv_table_text(table, NULL);
		inv_table_text(table, finding->invariant->statement);
	}
	for (size_t i = 0; i < inv_count(check->judge.excused); i++) {
		const struct inv_excused *excused = &check->judge.excused[i];
		if (excused->subject.process != process)
			continue;
		inv_table_text(table, excused->invariant->id);
		inv_table_text(table, "excused");
		inv_table_text(table, excused->exception);
		inv_table_text(table, excused->invariant->statement);
	}
	return table;
}

static void write_text(const struct inv_check *check, const struct inv_dossier *process, FILE *file)
{
	static const char *const titles[] = {"Seen by", "Verdicts that concern it", "Fields", "Threads"};
	struct inv_table *tables[] = {sighting_table(check, process->address), verdict_table(check, process),
	                              field_table(check->kernel, process->address), thread_table(check, process->address)};
	struct inv_arena *arena = inv_arena_new();
	struct inv_subject subject = inv_subject_process(process);
	inv_write_safe(file, inv_subject_text(arena, &subject));
	fprintf(file, "\nstate %s, role %s\n", inv_state_name(process->state), inv_role_name(process->role));
	if (*process->path) {
		fputs("path ", file);
		inv_write_safe(file, process->path);
		putc('\n', file);
	}
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		fprintf(file, "\n%s\n", titles[i]);
		inv_table_write(tables[i], INV_OUTPUT_TEXT, file);
		inv_table_free(tables[i]);
	}
	inv_arena_free(arena);
}

static void write_json(const struct inv_check *check, const struct inv_dossier *process, bool lines, FILE *file)
{
	static const char *const keys[] = {"seen_by", "verdicts", "fields", "threads"};
	struct inv_table *tables[] = {sighting_table(check, process->address), verdict_table(check, process),
	                              field_table(check->kernel, process->address), thread_table(check, process->address)};
	json_t *object = json_object();
	json_object_set_new(object, "address", inv_json_address(process->address));
	json_object_set_new(object, "pid", inv_json_value(&process->pid));
	json_object_set_new(object, "ppid", inv_json_value(&process->parent));
	json_object_set_new(object, "name", process->name_value.ok ? inv_json_text(process->name) : json_null());
	json_object_set_new(object, "path", *process->path ? inv_json_text(process->path) : json_null());
	json_object_set_new(object, "state", json_string(inv_state_name(process->state)));
	json_object_set_new(object, "role", json_string(inv_role_name(process->role)));
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		json_object_set_new(object, keys[i], inv_table_json(tables[i]));
		inv_table_free(tables[i]);
	}
	json_dumpf(object, file, lines ? JSON_COMPACT : JSON_INDENT(2));
	putc('\n', file);
	json_decref(object);
}

enum inv_exit inv_run_process(struct inv_session *session, struct inv_error *error)
{
	const char *text = session->options->arguments[1];
	enum inv_output output = session->options->output;
	bool by_address = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t number;
	if (!inv_parse_number(text, &number)) {
		inv_fail(error, INV_E_USAGE, "'%s' is neither a process identifier nor an address (0x...)", text);
		return INV_EXIT_USAGE;
	}
	struct inv_check_options how = {.judged = true, .swept = true, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(session->kernel, &how);
	bool found = false;
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &check->dossiers.processes[i];
		if (!is_wanted(process, by_address, number))
			continue;
		found = true;
		if (output == INV_OUTPUT_TEXT) {
			write_text(check, process, session->out);
		} else if (output == INV_OUTPUT_CSV) {
			struct inv_table *table = field_table(check->kernel, process->address);
			inv_table_write(table, output, session->out);
			inv_table_free(table);
		} else {
			write_json(check, process, output == INV_OUTPUT_NDJSON, session->out);
		}
	}
	inv_check_free(check);
	if (!found) {
		inv_fail(error, INV_E_USAGE, "no witness saw a process %s", text);
		return INV_EXIT_USAGE;
	}
	return INV_EXIT_OK;
}
