// SPDX-License-Identifier: Apache-2.0
// The truth about a forged image, for tests and for people.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "forge/peb.h"
#include "forge/registry.h"
#include "forge/scenario.h"
#include "forge/user.h"

static json_t *address(uint64_t value)
{
	char text[32];
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
	return json_string(text);
}

static json_t *time_of(uint64_t filetime)
{
	char text[INV_TIME_SIZE];
	inv_format_filetime(filetime, text);
	return filetime ? json_string(text) : json_null();
}

static json_t *strings(const char *const *names, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(names[i]));
	return array;
}

static json_t *kernel(const struct inv_machine *machine)
{
	const struct inv_version *v = &machine->facts->version;
	char version[64], guid[INV_GUID_SIZE];
	snprintf(version, sizeof version, "%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
	inv_format_guid(machine->facts->guid, guid);
	json_t *o = json_object();
	json_object_set_new(o, "version", json_string(version));
	json_object_set_new(o, "build", json_integer(v->build));
	json_object_set_new(o, "pdb", json_string(machine->facts->pdb));
	json_object_set_new(o, "guid", json_string(guid));
	json_object_set_new(o, "age", json_integer(machine->facts->age));
	json_object_set_new(o, "base", address(machine->base));
	json_object_set_new(o, "size", json_integer(machine->size));
	json_object_set_new(o, "dtb", address(machine->maps.root));
	json_object_set_new(o, "levels", json_integer(machine->maps.levels));
	json_object_set_new(o, "kdbg", address(machine->kdbg));
	json_object_set_new(o, "cpus", json_integer(machine->cpu_count));
	json_object_set_new(o, "header_cookie", json_integer(machine->cookie));
	json_object_set_new(o, "system_time", time_of(machine->system_time));
	json_object_set_new(o, "boot_time", time_of(machine->boot_time));
	return o;
}

static json_t *module_list(const struct inv_machine *machine)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(machine->modules); i++) {
		const struct inv_forge_module *module = &machine->modules[i];
		if (!module->entry) // it was unloaded
			continue;
		json_t *o = json_object();
		json_object_set_new(o, "name", json_string(module->name));
		json_object_set_new(o, "path", json_string(module->path));
		json_object_set_new(o, "base", address(module->base));
		json_object_set_new(o, "size", json_integer(module->size));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *thread_list(const struct inv_forge_process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(process->threads); i++) {
		const struct inv_forge_thread *thread = process->threads[i];
		if (thread->deleted)
			continue;
		json_t *o = json_object();
		json_object_set_new(o, "address", address(thread->address));
		json_object_set_new(o, "tid", json_integer((json_int_t)thread->tid));
		json_object_set_new(o, "created", time_of(thread->created));
		json_object_set_new(o, "start", address(thread->start));
		json_object_set_new(o, "win32_start", address(thread->win32_start));
		if (thread->process->user) {
			json_object_set_new(o, "teb", address(thread->teb));
			json_object_set_new(o, "user_stack_base", address(thread->user_stack_base));
			json_object_set_new(o, "user_stack_limit", address(thread->user_stack_limit));
			json_object_set_new(o, "rip", address(thread->rip));
			json_object_set_new(o, "rsp", address(thread->rsp));
		}
		json_object_set_new(o, "ended", json_boolean(thread->ended));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *handle_list(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(process->handles); i++) {
		const struct inv_forge_handle *handle = &process->handles[i];
		json_t *o = json_object();
		json_object_set_new(o, "value", json_integer((json_int_t)handle->value));
		json_object_set_new(o, "object", address(handle->object));
		const char *type = inv_machine_type_name(machine, handle->object);
		json_object_set_new(o, "type", type ? json_string(type) : json_null());
		json_object_set_new(o, "access", json_integer(handle->access));
		const char *name = inv_machine_called(machine, handle->object);
		json_object_set_new(o, "name", name ? json_string(name) : json_null());
		if (type && strcmp(type, "Key") == 0)
			json_object_set_new(o, "wide", json_boolean(inv_machine_is_wide(machine, handle->object)));
		json_array_append_new(array, o);
	}
	return array;
}

// States are those of the life-time automaton; a process that never had a thread is in creation. Before it has an address space
// only its pool block and the counter of its type know of it.
static const char *state_of(const struct inv_forge_process *process)
{
	if (process->deleted)
		return "freed";
	if (process->stage == INV_STAGE_C0 && !process->dtb)
		return "allocated";
	if (process->stage >= INV_STAGE_D1)
		return "deleting";
	if (process->zombie)
		return "zombie";
	return inv_count(process->threads) ? "running" : "created";
}

static const char *kind_of_vad(const struct inv_forge_vad *vad)
{
	if (!vad->area)
		return "private";
	return vad->area->image ? "image" : vad->area->file ? "file" : "page-file";
}

static json_t *file_of_vad(const struct inv_forge_vad *vad)
{
	return vad->area && vad->area->file ? json_string(vad->area->file->path) : json_null();
}

static json_t *vad_list(const struct inv_forge_process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(process->vads); i++) {
		json_t *o = json_object();
		json_object_set_new(o, "address", address(process->vads[i].address));
		json_object_set_new(o, "start", address(process->vads[i].start));
		json_object_set_new(o, "end", address(process->vads[i].end));
		json_object_set_new(o, "protection", json_integer(process->vads[i].protection));
		json_object_set_new(o, "type", json_string(kind_of_vad(&process->vads[i])));
		json_object_set_new(o, "file", file_of_vad(&process->vads[i]));
		json_array_append_new(array, o);
	}
	return array;
}

// What is mapped, whether the loader knows of it or not.
static json_t *mapped_list(const struct inv_forge_process *process)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(process->modules); i++) {
		const struct inv_forge_user_module *module = &process->modules[i];
		json_t *o = json_object();
		json_object_set_new(o, "base", address(module->base));
		json_object_set_new(o, "size", json_integer(module->size));
		json_object_set_new(o, "path", json_string(module->file->path));
		json_object_set_new(o, "wow64", json_boolean(module->wow64));
		json_array_append_new(array, o);
	}
	return array;
}

// What the loader's lists of a process say, by order of loading.
static json_t *loader_list(const struct inv_forge_user *user)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(user->modules); i++) {
		const struct inv_forge_loaded *module = &user->modules[i];
		json_t *o = json_object();
		json_object_set_new(o, "address", address(module->address));
		json_object_set_new(o, "base", address(module->base));
		json_object_set_new(o, "name", json_string(module->name));
		json_object_set_new(o, "wow64", json_boolean(module->x86));
		json_object_set_new(o, "load", json_boolean(module->lists & INV_LDR_LOAD));
		json_object_set_new(o, "memory", json_boolean(module->lists & INV_LDR_MEMORY));
		json_object_set_new(o, "initialization", json_boolean(module->lists & INV_LDR_INITIALIZATION));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *sid_list(const struct inv_forge_sid *sids, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++) {
		char text[INV_FORGE_SID_TEXT];
		inv_forge_sid_text(&sids[i], text);
		json_t *o = json_object();
		json_object_set_new(o, "sid", json_string(text));
		json_object_set_new(o, "attributes", json_integer(sids[i].attributes));
		json_array_append_new(array, o);
	}
	return array;
}

// Its primary token, as it was made.
static json_t *token_of(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	const struct inv_forge_token *token = inv_machine_token_at(machine, inv_machine_own_token(machine, process));
	if (!token)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "address", address(token->key));
	json_object_set_new(o, "id", json_integer((json_int_t)token->id));
	json_object_set_new(o, "logon", json_integer((json_int_t)token->logon));
	json_object_set_new(o, "groups", sid_list(token->plan.groups, token->plan.group_count));
	json_object_set_new(o, "restricted", sid_list(token->plan.restricted, token->plan.restricted_count));
	json_object_set_new(o, "capabilities", sid_list(token->plan.capabilities, token->plan.capability_count));
	json_object_set_new(o, "integrity", json_integer(token->plan.integrity));
	json_object_set_new(o, "present", address(token->plan.present));
	json_object_set_new(o, "enabled", address(token->plan.enabled));
	json_object_set_new(o, "by_default", address(token->plan.by_default));
	return o;
}

// Where its creation or deletion stopped, by the states of the life-time automaton.
static const char *stage_of(const struct inv_forge_process *process)
{
	static const char *const names[] = {
	    [INV_STAGE_WHOLE] = "whole", [INV_STAGE_C0] = "c0", [INV_STAGE_C1] = "c1", [INV_STAGE_C2] = "c2",
	    [INV_STAGE_C3] = "c3",       [INV_STAGE_D1] = "d1", [INV_STAGE_D2] = "d2",
	};
	return names[process->stage];
}

static json_t *process_list(const struct inv_machine *machine)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		json_t *o = json_object();
		json_object_set_new(o, "address", address(process->address));
		json_object_set_new(o, "pid", json_integer((json_int_t)process->pid));
		json_object_set_new(o, "ppid", json_integer((json_int_t)process->parent));
		json_object_set_new(o, "parent", process->parent_object ? address(process->parent_object) : json_null());
		json_object_set_new(o, "creator", json_integer((json_int_t)process->creator));
		json_object_set_new(o, "sequence", json_integer((json_int_t)process->sequence));
		json_object_set_new(o, "name", json_string(process->name));
		json_object_set_new(o, "path", json_string(process->path));
		if (process->user) {
			json_object_set_new(o, "peb", address(process->peb));
			json_object_set_new(o, "image_path", json_string(process->user->image_path));
			json_object_set_new(o, "command_line", json_string(process->user->command_line));
			json_object_set_new(o, "loader", loader_list(process->user));
		}
		json_object_set_new(o, "state", json_string(state_of(process)));
		json_object_set_new(o, "stage", json_string(stage_of(process)));
		json_object_set_new(o, "created", time_of(process->created));
		json_object_set_new(o, "exited", time_of(process->exited));
		json_object_set_new(o, "dtb", address(process->dtb));
		json_object_set_new(o, "session", process->session ? json_integer(process->session->id) : json_null());
		json_object_set_new(o, "threads", thread_list(process));
		json_object_set_new(o, "vads", vad_list(process));
		json_object_set_new(o, "modules", mapped_list(process));
		json_object_set_new(o, "handles", handle_list(machine, process));
		json_object_set_new(o, "token", token_of(machine, process));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *attack_list(const struct inv_machine *machine)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(machine->attacks); i++) {
		const struct inv_forge_attack *attack = &machine->attacks[i];
		json_t *o = json_object();
		json_object_set_new(o, "name", json_string(attack->name));
		json_object_set_new(o, "object", attack->object ? address(attack->object) : json_null());
		json_object_set_new(o, "process", attack->process ? address(attack->process) : json_null());
		json_object_set_new(o, "breaks", strings(attack->breaks, inv_count(attack->breaks)));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *address_list(const uint64_t *addresses)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(addresses); i++)
		json_array_append_new(array, address(addresses[i]));
	return array;
}

static json_t *callback_list(const struct inv_forge_watcher *watchers)
{
	static const char *const names[] = {
	    [INV_WATCH_PROCESS] = "process",
	    [INV_WATCH_PROCESS_EX] = "process",
	    [INV_WATCH_THREAD] = "thread",
	    [INV_WATCH_THREAD_OTHER] = "thread",
	    [INV_WATCH_IMAGE] = "image",
	    [INV_WATCH_REGISTRY] = "registry",
	    [INV_WATCH_OBJECT] = "object",
	    [INV_WATCH_CODE_INTEGRITY] = "code integrity",
	    [INV_WATCH_WIN32] = "win32",
	    [INV_WATCH_PICO] = "pico",
	    [INV_WATCH_TYPE] = "type method",
	    [INV_WATCH_BUG_CHECK] = "bug check",
	    [INV_WATCH_BUG_CHECK_REASON] = "bug check reason",
	    [INV_WATCH_BUG_CHECK_PAGES] = "bug check pages",
	    [INV_WATCH_SHUTDOWN] = "shutdown",
	    [INV_WATCH_LAST_SHUTDOWN] = "last shutdown",
	    [INV_WATCH_FILE_SYSTEM] = "file system",
	    [INV_WATCH_DEBUG_PRINT] = "debug print",
	    [INV_WATCH_PROFILE] = "hardware profile",
	    [INV_WATCH_DEVICE_CLASS] = "device class",
	    [INV_WATCH_SOFT_RESTART] = "soft restart",
	    [INV_WATCH_TARGET_DEVICE] = "target device",
	    [INV_WATCH_OTHER_SLOT] = "other slot",
	};
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(watchers); i++) {
		const struct inv_forge_watcher *watcher = &watchers[i];
		json_t *o = json_object();
		json_object_set_new(o, "kind", json_string(names[watcher->kind]));
		json_object_set_new(o, "at", address(watcher->at));
		json_object_set_new(o, "block", address(watcher->block));
		json_object_set_new(o, "silenced", json_boolean(watcher->silenced));
		json_object_set_new(o, "routine", address(watcher->routine));
		json_object_set_new(o, "module", json_string(watcher->module));
		json_object_set_new(o, "altitude", watcher->altitude ? json_string(watcher->altitude) : json_null());
		json_object_set_new(o, "owner", watcher->owner ? json_string(watcher->owner) : json_null());
		json_object_set_new(o, "type", watcher->object_type ? json_string(watcher->object_type) : json_null());
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *texts_of(const struct inv_forge_hive_key *key)
{
	json_t *o = json_object();
	for (const struct inv_forge_hive_value *value = key->values; value; value = value->next)
		if (value->text)
			json_object_set_new(o, value->name, json_string(value->text));
	return o;
}

// The keys that have no others beneath them, with their paths and those of their values that are text.
static void add_keys(json_t *array, const struct inv_forge_hive_key *key, const char *path)
{
	char deeper[1024];
	for (const struct inv_forge_hive_key *child = key->first; child; child = child->next) {
		snprintf(deeper, sizeof deeper, "%s%s%s", path, *path ? "\\" : "", child->name);
		if (child->first) {
			add_keys(array, child, deeper);
			continue;
		}
		json_t *o = json_object();
		json_object_set_new(o, "path", json_string(deeper));
		json_object_set_new(o, "values", texts_of(child));
		json_array_append_new(array, o);
	}
}

static json_t *hive_list(const struct inv_machine *machine)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv_count(machine->hives); i++) {
		const struct inv_forge_hive *hive = machine->hives[i];
		json_t *o = json_object(), *keys = json_array();
		json_object_set_new(o, "address", address(hive->address));
		json_object_set_new(o, "path", json_string(hive->path));
		json_object_set_new(o, "file", json_string(hive->file));
		json_object_set_new(o, "process", hive->process ? address(hive->process->address) : json_null());
		add_keys(keys, hive->root, "");
		json_object_set_new(o, "keys", keys);
		json_array_append_new(array, o);
	}
	return array;
}

char *inv_truth_json(const struct inv_machine *machine)
{
	json_t *o = json_object();
	json_object_set_new(o, "kernel", kernel(machine));
	json_object_set_new(o, "modules", module_list(machine));
	json_object_set_new(o, "processes", process_list(machine));
	json_object_set_new(o, "callbacks", callback_list(machine->watchers));
	json_object_set_new(o, "past_callbacks", callback_list(machine->past_watchers));
	json_object_set_new(o, "hives", hive_list(machine));
	json_object_set_new(o, "attacks", attack_list(machine));
	json_object_set_new(o, "attacked", address_list(machine->attacked));
	json_object_set_new(o, "excused", strings(machine->excused, inv_count(machine->excused)));
	json_object_set_new(o, "clean", json_boolean(machine->clean));
	json_object_set_new(o, "live", json_boolean(machine->live));
	char *text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (!text)
		return NULL;
	size_t length = strlen(text);
	text = inv_realloc(text, length + 2);
	memcpy(text + length, "\n", 2);
	return text;
}
