// SPDX-License-Identifier: Apache-2.0
// Words about threads of user mode and about what a process says of itself: PEB, parameters, loader lists.
#include <string.h>

#include "forge/user_thread.h"
#include "forge/words.h"

#define DEBUG_ALL_ACCESS 0x1f000fu

static struct inv_forge_thread *check_user_thread(lua_State *lua)
{
	struct inv_forge_thread *thread = inv_word_thread(lua, 1);
	if (thread->ended || !thread->process->user || !thread->process->dtb)
		luaL_error(lua, "thread %d has ended, or has no user mode", (int)thread->tid);
	return thread;
}

static struct inv_forge_process *check_user(lua_State *lua)
{
	struct inv_forge_process *process = inv_word_process(lua, 1);
	if (!process->user || process->zombie || process->deleted)
		luaL_error(lua, "%s has exited, or has no user memory", process->name);
	return process;
}

// -- threads ------------------------------------------------------------------------------------------------------------------

void inv_word_thread_options(lua_State *lua, int table, struct inv_forge_thread *thread)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t start = inv_word_key_value(lua, table, "native_start", thread->start);
	inv_machine_put_start(machine, thread, start, inv_word_key_value(lua, table, "start", thread->win32_start));
	uint64_t rip = inv_word_key_value(lua, table, "rip", thread->rip);
	uint64_t rsp = inv_word_key_value(lua, table, "rsp", thread->rsp);
	if (rip != thread->rip || rsp != thread->rsp)
		inv_machine_put_context(machine, thread, rip, rsp);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Alertable,
	                inv_word_key_flag(lua, table, "alertable", false));
	if (!inv_word_key_flag(lua, table, "teb", true))
		inv_machine_without_teb(machine, thread);
}

static int word_context(lua_State *lua)
{
	static const char *const known[] = {"rip", "rsp", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_thread *thread = check_user_thread(lua);
	inv_word_check_keys(lua, 2, known);
	inv_machine_put_context(machine, thread, inv_word_key_value(lua, 2, "rip", thread->rip),
	                        inv_word_key_value(lua, 2, "rsp", thread->rsp));
	inv_word_note(lua, "context", thread->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_queue_apc(lua_State *lua)
{
	static const char *const known[] = {"mode",           "routine", "context", "argument",
	                                    "kernel_routine", "pending", "io",      NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_thread *thread = inv_word_thread(lua, 1);
	inv_word_check_keys(lua, 2, known);
	const char *mode = inv_word_key_text(lua, 2, "mode");
	if (thread->ended || (mode && strcmp(mode, "user") != 0 && strcmp(mode, "kernel") != 0))
		return luaL_error(lua, "the thread has ended, or '%s' is no mode: user, kernel", mode ? mode : "user");
	const struct inv_forge_apc apc = {
	    .user = !mode || mode[0] == 'u',
	    .routine = inv_word_key_value(lua, 2, "routine", 0),
	    .context = inv_word_key_value(lua, 2, "context", 0),
	    .argument = inv_word_key_value(lua, 2, "argument", 0),
	    .kernel = inv_word_key_value(lua, 2, "kernel_routine", 0),
	    .pending = inv_word_key_flag(lua, 2, "pending", false),
	    .io = inv_word_key_flag(lua, 2, "io", false),
	};
	uint64_t at = inv_machine_queue_apc(machine, thread, &apc);
	inv_word_note(lua, "queue_apc", thread->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)at);
	return 1;
}

static int word_suspend(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_thread *thread = check_user_thread(lua);
	lua_Integer count = luaL_optinteger(lua, 2, 1);
	if (count < 0 || count > 127)
		return luaL_error(lua, "a thread is suspended up to 127 times");
	inv_machine_suspend(machine, thread, (unsigned)count);
	inv_word_check(lua);
	return 0;
}

static int word_freeze(lua_State *lua)
{
	inv_machine_freeze(inv_word_machine(lua), check_user(lua));
	inv_word_check(lua);
	return 0;
}

static int word_fiber(lua_State *lua)
{
	static const char *const known[] = {"teb", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_thread *thread = check_user_thread(lua);
	bool known_to_teb = true;
	if (!lua_isnoneornil(lua, 2)) {
		inv_word_check_keys(lua, 2, known);
		known_to_teb = inv_word_key_flag(lua, 2, "teb", true);
	}
	uint64_t base = inv_machine_switch_fiber(machine, thread, known_to_teb);
	inv_word_note(lua, "fiber", thread->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)base);
	return 1;
}

// -- what a process says of itself --------------------------------------------------------------------------------------------

static int word_peb(lua_State *lua)
{
	static const char *const known[] = {"image_path", "command_line", "image_base", "being_debugged", "routines", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user(lua);
	inv_word_check_keys(lua, 2, known);
	inv_machine_put_parameters(machine, process, inv_word_key_text(lua, 2, "image_path"),
	                           inv_word_key_text(lua, 2, "command_line"));
	for (size_t i = 0; i < 2; i++) {
		const struct inv_forge_half *half = &process->user->half[i];
		if (!half->layout)
			continue;
		inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_ImageBaseAddress,
		                     inv_word_key_value(lua, 2, "image_base", process->image_base));
		inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_BeingDebugged,
		                     inv_word_key_flag(lua, 2, "being_debugged", false));
	}
	lua_getfield(lua, 2, "routines");
	if (!lua_isnil(lua, -1))
		inv_machine_put_half(machine, process, &process->user->half[0], process->peb, INV_F_PEB_KernelCallbackTable,
		                     inv_word_key_value(lua, 2, "routines", 0));
	lua_pop(lua, 1);
	inv_word_note(lua, "peb", process->address, true);
	inv_word_check(lua);
	return 0;
}

// DebugActiveProcess, as far as it leaves something: a debug object, the debugger's handle to it, and what process and PEB say. (That
// the handle has all rights: public practice, DEBUG_ALL_ACCESS.)
static int word_debug(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *debugger = check_user(lua), *process = inv_word_user_process(lua, 2);
	uint64_t object = inv_machine_get(machine, process->address, INV_F_EPROCESS_DebugPort);
	if (object)
		return luaL_error(lua, "%s has a debugger", process->name);
	object = inv_machine_make_bare_object(machine, INV_FORGE_DEBUG);
	uint64_t handle = inv_machine_open(machine, debugger, object, DEBUG_ALL_ACCESS, 0);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_DebugPort, object);
	for (size_t i = 0; process->user && i < 2; i++) {
		const struct inv_forge_half *half = &process->user->half[i];
		if (half->layout)
			inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_BeingDebugged, 1);
	}
	inv_word_note(lua, "debug", process->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)handle);
	lua_pushinteger(lua, (lua_Integer)object);
	return 2;
}

// By name or base; what stands in both halves: that of the first.
static struct inv_forge_loaded *check_loaded(lua_State *lua, const struct inv_forge_process *process)
{
	struct inv_forge_loaded *module = lua_type(lua, 2) == LUA_TSTRING
	                                      ? inv_machine_loaded_named(process, luaL_checkstring(lua, 2))
	                                      : inv_machine_loaded_at(process, inv_word_value(lua, 2));
	if (!module)
		luaL_error(lua, "the loader of %s knows no such module", process->name);
	return module;
}

// A table of names of lists at this index; all if there is none.
static unsigned check_lists(lua_State *lua, int index)
{
	static const char *const names[] = {"load", "memory", "initialization", NULL};
	static const unsigned bits[] = {INV_LDR_LOAD, INV_LDR_MEMORY, INV_LDR_INITIALIZATION};
	unsigned lists = 0;
	if (lua_isnoneornil(lua, index))
		return INV_LDR_ALL;
	luaL_checktype(lua, index, LUA_TTABLE);
	for (lua_Integer i = 1; lua_geti(lua, index, i) != LUA_TNIL; i++, lua_pop(lua, 1))
		lists |= bits[inv_word_option(lua, -1, "list of the loader", names)];
	lua_pop(lua, 1);
	return lists;
}

static int word_unlink_module(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user(lua);
	struct inv_forge_loaded *module = check_loaded(lua, process);
	inv_machine_link_module(machine, process, module, module->lists & ~check_lists(lua, 3));
	inv_word_note(lua, "unlink_module", process->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_link_module(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user(lua);
	const struct inv_forge_user_module *mapped = inv_machine_find_module(process, luaL_checkstring(lua, 2));
	unsigned lists = check_lists(lua, 3);
	if (!mapped)
		return luaL_error(lua, "%s has not mapped %s", process->name, luaL_checkstring(lua, 2));
	struct inv_forge_loaded *module = inv_machine_loaded_at(process, mapped->base);
	if (module)
		inv_machine_link_module(machine, process, module, module->lists | lists);
	else if (!inv_machine_load_module(machine, process, mapped, lists))
		return luaL_error(lua, "%s has no loader", process->name);
	inv_word_check(lua);
	return 0;
}

static int word_rename_module(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user(lua);
	inv_machine_rename_module(machine, process, check_loaded(lua, process), luaL_checkstring(lua, 3));
	inv_word_note(lua, "rename_module", process->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_rename_process(lua_State *lua)
{
	static const char *const known[] = {"audit", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	const char *name = luaL_checkstring(lua, 2);
	char text[15] = {0};
	memcpy(text, name, strnlen(name, sizeof text - 1));
	inv_machine_write(machine, inv_machine_at(machine, process->address, INV_F_EPROCESS_ImageFileName), text,
	                  sizeof text);
	if (!lua_isnoneornil(lua, 3)) {
		inv_word_check_keys(lua, 3, known);
		const char *path = inv_word_key_text(lua, 3, "audit");
		if (path)
			inv_machine_put(machine, process->address, INV_F_EPROCESS_SeAuditProcessCreationInfo,
			                inv_machine_name_information(machine, path));
	}
	inv_word_note(lua, "rename_process", process->address, true);
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_user_words[] = {
    {"context", word_context},
    {"queue_apc", word_queue_apc},
    {"suspend", word_suspend},
    {"freeze", word_freeze},
    {"fiber", word_fiber},
    {"peb", word_peb},
    {"debug", word_debug},
    {"unlink_module", word_unlink_module},
    {"link_module", word_link_module},
    {"rename_module", word_rename_module},
    {"rename_process", word_rename_process},
    {NULL, NULL},
};
