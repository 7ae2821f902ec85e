// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/array.h"
#include "cli/command.h"
#include "nt/access.h"
#include "nt/registry.h"
#include "nt/section.h"

#define NAME_ROOM ((size_t)64 << 20) // bytes of names, together: an image may claim long ones for every handle

struct listing {
	struct inv_check *check;
	struct inv_table *table; // of the report
	const struct inv_table_record *of;
	const struct inv_dossier *owner; // of that table; NULL: not known
	struct inv_arena *arena;
	size_t name_bytes;
};

// Adds the type's name; says which rights go with it.
static enum inv_access_kind add_type(const struct listing *listing, const struct inv_value *index)
{
	const struct inv_kernel *kernel = listing->check->kernel;
	struct inv_value type = *index;
	if (index->ok)
		type = inv_object_type_at(kernel, &listing->check->testimony->types, (uint8_t)index->u);
	uint64_t name;
	if (type.ok && inv_field_address(kernel, type.u, INV_F_OBJECT_TYPE_Name, &name)) {
		struct inv_value length;
		const char *text = inv_read_unicode(kernel, name, listing->arena, &length);
		if (length.ok && *text) {
			inv_table_text(listing->table, text);
			return inv_access_kind(text);
		}
		type = length;
	}
	if (index->ok)
		inv_table_text(listing->table, inv_arena_printf(listing->arena, "type %u", (unsigned)index->u));
	else
		inv_table_absent(listing->table, &type.why);
	return INV_ACCESS_OTHER;
}

// What could be read of the name; the rest is said where it is missing.
static const char *key_name(struct listing *listing, uint64_t body, struct inv_value *length)
{
	struct inv_key_name name;
	inv_key_name_read(listing->check->kernel, body, listing->arena, &name);
	*length = (struct inv_value){.ok = name.ok || name.odd, .why = name.why};
	if (name.ok)
		return name.path;
	if (name.odd)
		return inv_arena_printf(listing->arena, "%s%s(%s)", name.path, *name.path ? " " : "", name.odd);
	return *name.path ? inv_arena_printf(listing->arena, "%s (%s)", name.path, inv_absence_name(name.why.reason)) : "";
}

// A file by what it was opened as, with its device, a key by its path, another object by its place in a directory, if it has one.
static void add_object_name(struct listing *listing, enum inv_access_kind kind, uint64_t header, uint64_t body)
{
	const struct inv_kernel *kernel = listing->check->kernel;
	struct inv_value length = {.ok = true};
	const char *name = "";
	if (listing->name_bytes >= NAME_ROOM)
		name = "";
	else if (kind == INV_ACCESS_FILE)
		name = inv_file_path(kernel, body, listing->arena, &length);
	else if (kind == INV_ACCESS_KEY)
		name = key_name(listing, body, &length);
	else
		name = inv_object_name(kernel, header, listing->arena, &length);
	listing->name_bytes += strlen(name);
	if (*name || length.ok)
		inv_table_text(listing->table, *name ? name : NULL);
	else
		inv_table_absent(listing->table, &length.why);
}

// What the handle leads to, and of a process whether it has exited.
static void add_target(struct listing *listing, const struct inv_value *index, enum inv_access_kind kind,
                       uint64_t header, uint64_t body)
{
	const struct inv_object_types *types = &listing->check->testimony->types;
	const struct inv_dossier *process = inv_dossier_at(&listing->check->dossiers, body);
	const struct inv_thread_dossier *thread = inv_thread_dossier_at(&listing->check->dossiers, body);
	bool of_process = index->ok && types->process_id.ok && index->u == types->process_id.u;
	const char *state = NULL;
	if (process && of_process && process->pid.ok) {
		state = inv_state_name(process->state);
		inv_table_text(listing->table,
		               inv_arena_printf(listing->arena, "%llu %s", (unsigned long long)process->pid.u, process->name));
	} else if (thread && !of_process && thread->cid_process.ok && thread->cid_thread.ok) {
		inv_table_text(listing->table,
		               inv_arena_printf(listing->arena, "%llu thread %llu", (unsigned long long)thread->cid_process.u,
		                                (unsigned long long)thread->cid_thread.u));
	} else {
		add_object_name(listing, kind, header, body);
	}
	inv_table_text(listing->table, state);
}

// Generic rights stand for others, which the type says.
static uint32_t mapped(const struct listing *listing, const struct inv_value *index, uint32_t access)
{
	const struct inv_kernel *kernel = listing->check->kernel;
	struct inv_value type = *index;
	struct inv_generic_mapping mapping;
	if (access >> 28 && index->ok)
		type = inv_object_type_at(kernel, &listing->check->testimony->types, (uint8_t)index->u);
	bool stands = access >> 28 && type.ok && inv_generic_mapping_read(kernel, type.u, &mapping);
	return stands ? inv_access_map(&mapping, access) : access;
}

static void add_handle(void *context, const struct inv_handle *handle)
{
	struct listing *listing = context;
	const struct inv_kernel *kernel = listing->check->kernel;
	const struct inv_dossier *owner = listing->owner;
	struct inv_value index = inv_object_type_index(kernel, &listing->check->testimony->types, handle->object);
	uint64_t body = inv_object_body(kernel, handle->object);
	inv_table_value(listing->table, owner ? &owner->pid : &listing->of->pid, INV_CELL_NUMBER);
	inv_table_text(listing->table, owner ? owner->name : NULL);
	inv_table_address(listing->table, handle->value);
	inv_table_address(listing->table, body);
	enum inv_access_kind kind = add_type(listing, &index);
	inv_table_address(listing->table, handle->access);
	inv_table_text(listing->table, inv_access_text(kind, mapped(listing, &index, handle->access), listing->arena));
	add_target(listing, &index, kind, handle->object, body);
	inv_table_address(listing->table, listing->of->address);
}

static bool is_wanted(const struct listing *listing, const struct inv_wanted *wanted)
{
	const struct inv_value *id = listing->owner ? &listing->owner->pid : &listing->of->pid;
	if (wanted->by_address)
		return listing->owner && listing->owner->address == wanted->number;
	return !wanted->text || (id->ok && id->u == wanted->number);
}

static void warn(const struct inv_session *session, const struct inv_testimony *testimony)
{
	const struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	if (coverage->voided)
		inv_log(session->log, INV_LOG_WARNING, "no handles: %s", coverage->voided);
	else if (!coverage->complete)
		inv_log(session->log, INV_LOG_WARNING, "not all handles are shown: %zu pages could not be read",
		        coverage->unreadable);
}

enum inv_exit inv_run_handles(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"pid",    "name",   "handle", "object", "type",
	                                      "access", "rights", "target", "state",  "table"};
	struct inv_wanted wanted;
	if (inv_wanted_parse(session->options->argument_count < 2 ? NULL : session->options->arguments[1], &wanted,
	                     error) != INV_OK)
		return INV_EXIT_USAGE;
	struct inv_check_options how = {.threads = session->options->threads};
	struct listing listing = {.check = inv_check_run(session->kernel, &how), .arena = inv_arena_new()};
	const struct inv_testimony *testimony = listing.check->testimony;
	size_t budget = INV_HANDLE_BUDGET, tables = 0;
	warn(session, testimony);
	listing.table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(testimony->tables); i++) {
		struct inv_handle_coverage coverage;
		listing.of = &testimony->tables[i];
		listing.owner = inv_holder_of(&listing.check->dossiers, listing.of);
		if (!is_wanted(&listing, &wanted))
			continue;
		tables++;
		inv_handle_table_walk(session->kernel, listing.of->address, &budget, add_handle, &listing, &coverage);
	}
	bool any = tables > 0 || !wanted.text;
	if (!any && inv_is_any_process(session, &wanted, error))
		inv_log(session->log, INV_LOG_WARNING, "no table of handles leads to process %s", wanted.text);
	if (any || error->code == INV_OK)
		inv_table_write(listing.table, session->options->output, session->out);
	inv_table_free(listing.table);
	inv_arena_free(listing.arena);
	inv_check_free(listing.check);
	return error->code == INV_OK ? INV_EXIT_OK : INV_EXIT_USAGE;
}
