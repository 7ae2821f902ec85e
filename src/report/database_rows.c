// SPDX-License-Identifier: Apache-2.0
#include "report/database_rows.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "invariant/families.h"
#include "nt/access.h"
#include "report/database.h"
#include "report/json.h"
#include "report/report.h"

#define SAMPLED_PAGES 65536u
#define MOST_RUNS (1u << 20)
#define TYPES 256u

// -- which image -----------------------------------------------------------------------------------------------------------

static void hash_number(struct sha256_ctx *hash, uint64_t number)
{
	uint8_t bytes[8];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(number >> (i * 8));
	sha256_update(hash, sizeof bytes, bytes);
}

static bool is_empty(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

// A page of zeros counts as absent: reading may make one of a hole.
static void hash_page(struct sha256_ctx *hash, const struct inv_image *image, uint64_t physical)
{
	const uint8_t *bytes;
	size_t here = inv_image_bytes(image, physical, INV_PAGE_SIZE, &bytes);
	if (here == 0 || is_empty(bytes, here))
		return;
	hash_number(hash, physical);
	sha256_update(hash, here, bytes);
}

// Every n-th page of physical memory, as far as it is present: all of them of a small machine.
static void hash_sample(struct sha256_ctx *hash, const struct inv_image *image)
{
	uint64_t step = (inv_image_info(image)->highest / INV_PAGE_SIZE / SAMPLED_PAGES + 1) * INV_PAGE_SIZE, address = 0;
	struct inv_run run;
	for (unsigned runs = 0; runs < MOST_RUNS && inv_image_next_run(image, address, &run); runs++) {
		if (run.size == 0 || run.address > UINT64_MAX - run.size)
			return;
		address = run.address + run.size;
		uint64_t at = run.address % step ? run.address - run.address % step + step : run.address;
		for (; at >= run.address && at < address; at += step)
			hash_page(hash, image, at);
	}
}

static void hash_fragments(struct sha256_ctx *hash, const struct inv_triage *triage)
{
	for (size_t i = 0; triage && i < triage->fragment_count; i++) {
		hash_number(hash, triage->fragments[i].address);
		sha256_update(hash, triage->fragments[i].size, triage->fragments[i].bytes);
	}
}

void inv_image_fingerprint(const struct inv_check *check, char text[INV_FINGERPRINT_SIZE])
{
	const struct inv_kernel *kernel = check->kernel;
	const struct inv_image_info *info = inv_image_info(kernel->image);
	const uint64_t numbers[] = {(uint64_t)info->format,
	                            info->bytes,
	                            kernel->base,
	                            kernel->dtb,
	                            kernel->system_time.ok ? kernel->system_time.u : 0,
	                            kernel->boot_time.ok ? kernel->boot_time.u : 0};
	struct sha256_ctx hash;
	sha256_init(&hash);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		hash_number(&hash, numbers[i]);
	hash_sample(&hash, kernel->image);
	hash_fragments(&hash, info->triage);
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		uint64_t physical = 0;
		hash_number(&hash, check->dossiers.processes[i].address);
		if (inv_space_translate(kernel->space, check->dossiers.processes[i].address, &physical, NULL))
			hash_page(&hash, kernel->image, physical & ~(uint64_t)(INV_PAGE_SIZE - 1));
	}
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_digest(&hash, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(text + i * 2, 3, "%02x", digest[i]);
}

// -- rows ------------------------------------------------------------------------------------------------------------------

// Fills one table, row by row and column by column. After a failure nothing more is done.
struct writer {
	sqlite3 *sqlite;
	const struct inv_check *check;
	struct inv_arena *arena;
	sqlite3_int64 image;
	sqlite3_stmt *statement;
	int column; // the last that was bound
	int code;
	size_t handles, handles_left_out;
	const char *types[TYPES]; // names, as far as they were asked for
	enum inv_access_kind kinds[TYPES];
};

static void begin_table(struct writer *w, const char *table, int columns)
{
	sqlite3_str *sql = sqlite3_str_new(w->sqlite);
	sqlite3_str_appendf(sql, "INSERT INTO main.%s VALUES (?", table);
	for (int i = 1; i < columns; i++)
		sqlite3_str_appendall(sql, ", ?");
	sqlite3_str_appendall(sql, ")");
	char *text = sqlite3_str_finish(sql);
	w->column = 0;
	if (w->code == SQLITE_OK)
		w->code = text ? sqlite3_prepare_v2(w->sqlite, text, -1, &w->statement, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
}

static void end_table(struct writer *w)
{
	sqlite3_finalize(w->statement);
	w->statement = NULL;
}

static void end_row(struct writer *w)
{
	if (w->code == SQLITE_OK) {
		w->code = sqlite3_step(w->statement);
		w->code = w->code == SQLITE_DONE ? sqlite3_reset(w->statement) : w->code;
	}
	w->column = 0;
}

static void put_integer(struct writer *w, sqlite3_int64 number)
{
	if (w->code == SQLITE_OK)
		w->code = sqlite3_bind_int64(w->statement, ++w->column, number);
}

static void put_null(struct writer *w)
{
	if (w->code == SQLITE_OK)
		w->code = sqlite3_bind_null(w->statement, ++w->column);
}

static void put_text(struct writer *w, const char *text)
{
	if (!text)
		put_null(w);
	else if (w->code == SQLITE_OK)
		w->code = sqlite3_bind_text(w->statement, ++w->column, text, -1, SQLITE_TRANSIENT);
}

static void put_address(struct writer *w, uint64_t address)
{
	char text[24];
	snprintf(text, sizeof text, "0x%" PRIx64, address);
	put_text(w, text);
}

// 0 is none.
static void put_known(struct writer *w, uint64_t address)
{
	if (address)
		put_address(w, address);
	else
		put_null(w);
}

static void put_number(struct writer *w, uint64_t number)
{
	if (number <= INT64_MAX)
		put_integer(w, (sqlite3_int64)number);
	else
		put_address(w, number);
}

static void put_value(struct writer *w, const struct inv_value *value)
{
	if (value->ok)
		put_number(w, value->u);
	else
		put_null(w);
}

static void put_pointer(struct writer *w, const struct inv_value *value)
{
	if (value->ok)
		put_address(w, value->u);
	else
		put_null(w);
}

static void put_time(struct writer *w, const struct inv_value *time)
{
	json_t *text = inv_json_time(time);
	put_text(w, json_string_value(text));
	json_decref(text);
}

static void put_json(struct writer *w, const json_t *value)
{
	if (json_is_integer(value))
		put_integer(w, json_integer_value(value));
	else if (json_is_boolean(value))
		put_integer(w, json_boolean_value(value));
	else if (json_is_real(value) && w->code == SQLITE_OK)
		w->code = sqlite3_bind_double(w->statement, ++w->column, json_real_value(value));
	else
		put_text(w, json_string_value(value));
}

// The values of these keys, each a column.
static void put_keys(struct writer *w, const json_t *object, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_json(w, json_object_get(object, keys[i]));
}
#define PUT_KEYS(w, object, ...)                                                                                       \
	put_keys(w, object, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

// The process, if it has a row.
static void put_process(struct writer *w, uint64_t process)
{
	put_known(w, process && inv_dossier_at(&w->check->dossiers, process) ? process : 0);
}

// -- tables ----------------------------------------------------------------------------------------------------------------

static void write_image(struct writer *w, const json_t *report, const char *fingerprint)
{
	const json_t *kernel = json_object_get(report, "kernel"), *smear = json_object_get(report, "smear");
	const json_t *summary = json_object_get(report, "summary");
	begin_table(w, "image", 35);
	put_integer(w, w->image);
	put_text(w, fingerprint);
	PUT_KEYS(w, json_object_get(report, "image"), "path", "format", "bytes", "present_pages", "atomic");
	PUT_KEYS(w, kernel, "arch", "build", "version", "base", "dtb");
	PUT_KEYS(w, json_object_get(kernel, "pdb"), "name", "guid", "age");
	PUT_KEYS(w, json_object_get(kernel, "facts"), "source", "confidence");
	PUT_KEYS(w, kernel, "system_time", "boot_time", "cpus");
	PUT_KEYS(w, smear, "live", "why", "signs", "excused");
	PUT_KEYS(w, json_object_get(report, "sweep"), "bytes");
	put_integer(w, 0); // known once the handles were gone through
	PUT_KEYS(w, summary, "judged", "holds", "broken", "observed", "excused", "unknown", "cut_short");
	PUT_KEYS(w, report, "invar");
	PUT_KEYS(w, summary, "seconds");
	end_row(w);
	end_table(w);
}

static void write_witnesses(struct writer *w)
{
	begin_table(w, "witnesses", 9);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		const struct inv_witness *witness = inv_witness((enum inv_witness_id)i);
		const struct inv_coverage *coverage = &w->check->testimony->coverage[i];
		put_integer(w, w->image);
		put_text(w, witness->name);
		put_text(w, inv_tier_name(witness->tier));
		put_integer(w, (sqlite3_int64)witness->tier);
		put_number(w, coverage->read);
		put_number(w, coverage->broken);
		put_number(w, coverage->unreadable);
		put_number(w, coverage->sightings);
		put_text(w, coverage->voided);
		end_row(w);
	}
	end_table(w);
}

static void write_processes(struct writer *w, const json_t *report)
{
	size_t i;
	const json_t *item;
	begin_table(w, "processes", 16);
	json_array_foreach(json_object_get(report, "processes"), i, item)
	{
		struct inv_protection protection = inv_protection_of(w->check->kernel, w->check->dossiers.processes[i].address);
		put_integer(w, w->image);
		PUT_KEYS(w, item, "address", "physical", "pid", "ppid", "name", "path", "created", "exited", "state", "session",
		         "threads", "handles", "role");
		if (protection.value.ok) {
			put_integer(w, protection.type);
			put_integer(w, protection.signer);
		} else {
			put_null(w);
			put_null(w);
		}
		end_row(w);
	}
	end_table(w);
}

static void write_testimony(struct writer *w)
{
	begin_table(w, "testimony", 4);
	for (size_t i = 0; i < w->check->dossiers.process_count && w->code == SQLITE_OK; i++) {
		const struct inv_dossier *process = &w->check->dossiers.processes[i];
		for (unsigned id = 0; id < INV_WITNESS_COUNT; id++) {
			if (!((process->seen_by | process->missing_from) & INV_BIT(id)))
				continue;
			put_integer(w, w->image);
			put_address(w, process->address);
			put_text(w, inv_witness((enum inv_witness_id)id)->name);
			put_text(w, process->seen_by & INV_BIT(id) ? "seen" : "missing");
			end_row(w);
		}
	}
	end_table(w);
}

static void write_threads(struct writer *w)
{
	const struct inv_kernel *kernel = w->check->kernel;
	begin_table(w, "threads", 13);
	for (size_t i = 0; i < w->check->dossiers.thread_count && w->code == SQLITE_OK; i++) {
		const struct inv_thread_dossier *thread = &w->check->dossiers.threads[i];
		struct inv_value state = inv_field(kernel, thread->address, INV_F_KTHREAD_State);
		struct inv_value created = inv_field(kernel, thread->address, INV_F_ETHREAD_CreateTime);
		struct inv_value exited = inv_field(kernel, thread->address, INV_F_ETHREAD_ExitTime);
		struct inv_value terminated = inv_field(kernel, thread->address, INV_F_ETHREAD_Terminated);
		struct inv_value start = inv_field(kernel, thread->address, INV_F_ETHREAD_StartAddress);
		struct inv_value win32 = inv_field(kernel, thread->address, INV_F_ETHREAD_Win32StartAddress);
		struct inv_value teb = inv_field(kernel, thread->address, INV_F_KTHREAD_Teb);
		exited.ok = exited.ok && terminated.ok && terminated.u; // till then something else stands in its place
		put_integer(w, w->image);
		put_address(w, thread->address);
		put_process(w, thread->process.ok ? thread->process.u : 0);
		put_process(w, thread->owner);
		put_pointer(w, &thread->process);
		put_value(w, &thread->cid_process);
		put_value(w, &thread->cid_thread);
		put_value(w, &state);
		put_time(w, &created);
		put_time(w, &exited);
		put_pointer(w, &start);
		put_pointer(w, &win32);
		put_pointer(w, &teb);
		end_row(w);
	}
	end_table(w);
}

struct table_walk {
	struct writer *writer;
	const struct inv_table_record *table;
	uint64_t holder;
};

// The name of a type; NULL: it could not be read.
static const char *type_name(struct writer *w, unsigned index)
{
	const struct inv_kernel *kernel = w->check->kernel;
	if (w->types[index])
		return *w->types[index] ? w->types[index] : NULL;
	struct inv_value type = inv_object_type_at(kernel, &w->check->testimony->types, (uint8_t)index), length;
	uint64_t at;
	w->types[index] = "";
	if (!type.ok || !inv_field_address(kernel, type.u, INV_F_OBJECT_TYPE_Name, &at))
		return NULL;
	const char *name = inv_read_unicode(kernel, at, w->arena, &length);
	if (!length.ok || !*name)
		return NULL;
	w->types[index] = name;
	w->kinds[index] = inv_access_kind(name);
	return name;
}

static void write_handle(void *context, const struct inv_handle *handle)
{
	struct table_walk *walk = context;
	struct writer *w = walk->writer;
	const struct inv_dossiers *dossiers = &w->check->dossiers;
	if (w->handles >= INV_DATABASE_MAX_HANDLES) {
		w->handles_left_out++;
		return;
	}
	w->handles++;
	struct inv_value index = inv_object_type_index(w->check->kernel, &w->check->testimony->types, handle->object);
	uint64_t body = inv_object_body(w->check->kernel, handle->object);
	const char *name = index.ok ? type_name(w, (uint8_t)index.u) : NULL;
	enum inv_access_kind kind = name ? w->kinds[(uint8_t)index.u] : INV_ACCESS_OTHER;
	struct inv_arena *arena = inv_arena_new();
	put_integer(w, w->image);
	put_address(w, walk->table->address);
	put_number(w, handle->value);
	put_known(w, walk->holder);
	put_address(w, body);
	put_text(w, name);
	put_integer(w, handle->access);
	put_text(w, inv_access_text(kind, handle->access, arena));
	put_known(w, kind == INV_ACCESS_PROCESS && inv_dossier_at(dossiers, body) ? body : 0);
	put_known(w, kind == INV_ACCESS_THREAD && inv_thread_dossier_at(dossiers, body) ? body : 0);
	end_row(w);
	inv_arena_free(arena);
}

static void write_handles(struct writer *w)
{
	const struct inv_testimony *testimony = w->check->testimony;
	size_t budget = INV_HANDLE_BUDGET;
	begin_table(w, "handles", 10);
	for (size_t i = 0; i < inv_count(testimony->tables) && w->code == SQLITE_OK; i++) {
		struct inv_handle_coverage coverage;
		const struct inv_dossier *holder = inv_holder_of(&w->check->dossiers, &testimony->tables[i]);
		struct table_walk walk = {w, &testimony->tables[i], holder ? holder->address : 0};
		inv_handle_table_walk(w->check->kernel, testimony->tables[i].address, &budget, write_handle, &walk, &coverage);
	}
	end_table(w);
	if (!w->handles_left_out || w->code != SQLITE_OK)
		return;
	char *sql = sqlite3_mprintf("UPDATE main.image SET handles_left_out = %lld WHERE id = %lld",
	                            (sqlite3_int64)w->handles_left_out, w->image);
	w->code = sql ? sqlite3_exec(w->sqlite, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
}

static void write_sightings(struct writer *w)
{
	const struct inv_testimony *testimony = w->check->testimony;
	begin_table(w, "sightings", 6);
	for (size_t i = 0; i < inv_count(testimony->sightings) && w->code == SQLITE_OK; i++) {
		const struct inv_sighting *sighting = &testimony->sightings[i];
		put_integer(w, w->image);
		put_integer(w, (sqlite3_int64)i);
		put_text(w, inv_witness(sighting->witness)->name);
		put_known(w, sighting->process);
		put_known(w, sighting->thread);
		put_address(w, sighting->at);
		end_row(w);
	}
	end_table(w);
}

static void put_subject(struct writer *w, const struct inv_subject *subject)
{
	const struct inv_dossier *process = subject->process;
	put_text(w, inv_subject_kind_name(subject->kind));
	put_address(w, subject->address);
	put_process(w, process ? process->address : 0);
	put_text(w, subject->name ? subject->name : process && process->name_value.ok ? process->name : NULL);
}

struct numbered {
	const struct inv_finding *finding;
	sqlite3_int64 number;
};

static void write_finding(struct writer *w, const struct numbered *row)
{
	const struct inv_finding *finding = row->finding;
	put_integer(w, w->image);
	put_integer(w, row->number);
	put_text(w, (size_t)row->number < inv_count(w->check->judge.findings) ? "finding" : "observation");
	put_text(w, finding->invariant->id);
	put_text(w, finding->invariant->statement);
	put_text(w, inv_tier_name(finding->tier));
	put_text(w, inv_certainty_name(finding->certainty));
	put_text(w, finding->certainty_why);
	put_subject(w, &finding->subject);
	end_row(w);
}

static void write_techniques(struct writer *w, const struct numbered *row)
{
	for (const char *at = row->finding->invariant->attack; at && *at;) {
		size_t length = strcspn(at, ", ");
		put_integer(w, w->image);
		put_integer(w, row->number);
		put_text(w, inv_arena_printf(w->arena, "%.*s", (int)length, at));
		end_row(w);
		at += length;
		at += strspn(at, ", ");
	}
}

static void write_evidence(struct writer *w, const struct numbered *row)
{
	for (size_t i = 0; i < inv_count(row->finding->evidence); i++) {
		const struct inv_evidence *evidence = &row->finding->evidence[i];
		put_integer(w, w->image);
		put_integer(w, row->number);
		put_integer(w, (sqlite3_int64)i);
		put_text(w, evidence->witness);
		put_text(w, inv_tier_name(evidence->tier));
		put_text(w, evidence->field);
		put_known(w, evidence->address);
		put_address(w, evidence->value);
		put_text(w, evidence->says);
		end_row(w);
	}
}

static void write_excuses(struct writer *w, const struct numbered *row)
{
	for (size_t i = 0; i < inv_count(row->finding->tried); i++) {
		put_integer(w, w->image);
		put_integer(w, row->number);
		put_integer(w, (sqlite3_int64)i);
		put_text(w, row->finding->tried[i].exception);
		put_text(w, row->finding->tried[i].why_not);
		end_row(w);
	}
}

// Findings first, then observations, under one sequence of numbers.
static void for_findings(struct writer *w, const char *table, int columns,
                         void (*write)(struct writer *w, const struct numbered *row))
{
	const struct inv_judge *judge = &w->check->judge;
	struct numbered row = {0};
	begin_table(w, table, columns);
	for (size_t i = 0; i < inv_count(judge->findings) && w->code == SQLITE_OK; i++, row.number++) {
		row.finding = judge->findings[i];
		write(w, &row);
	}
	for (size_t i = 0; i < inv_count(judge->observations) && w->code == SQLITE_OK; i++, row.number++) {
		row.finding = judge->observations[i];
		write(w, &row);
	}
	end_table(w);
}

static void write_excused(struct writer *w)
{
	const struct inv_excused *excused = w->check->judge.excused;
	begin_table(w, "excused", 9);
	for (size_t i = 0; i < inv_count(excused) && w->code == SQLITE_OK; i++) {
		put_integer(w, w->image);
		put_integer(w, (sqlite3_int64)i);
		put_text(w, excused[i].invariant->id);
		put_text(w, excused[i].exception);
		put_text(w, excused[i].why);
		put_subject(w, &excused[i].subject);
		end_row(w);
	}
	end_table(w);
}

static void write_unknown(struct writer *w)
{
	begin_table(w, "unknown", 4);
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &w->check->judge.tallies[i];
		for (size_t r = 0; r < inv_count(tally->reasons); r++) {
			put_integer(w, w->image);
			put_text(w, inv_invariant(i)->id);
			put_text(w, tally->reasons[r].text);
			put_number(w, tally->reasons[r].count);
			end_row(w);
		}
	}
	end_table(w);
}

int inv_database_rows(sqlite3 *sqlite, const struct inv_check *check, const char *version, const char *fingerprint,
                      sqlite3_int64 image)
{
	struct writer w = {.sqlite = sqlite, .check = check, .arena = inv_arena_new(), .image = image, .code = SQLITE_OK};
	json_t *report = inv_report_json(check, version);
	write_image(&w, report, fingerprint);
	write_witnesses(&w);
	write_processes(&w, report);
	json_decref(report);
	write_testimony(&w);
	write_threads(&w);
	write_handles(&w);
	write_sightings(&w);
	for_findings(&w, "findings", 12, write_finding);
	for_findings(&w, "techniques", 3, write_techniques);
	for_findings(&w, "evidence", 9, write_evidence);
	for_findings(&w, "excuses", 5, write_excuses);
	write_excused(&w);
	write_unknown(&w);
	inv_arena_free(w.arena);
	return w.code;
}
