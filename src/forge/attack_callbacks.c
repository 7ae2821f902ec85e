// SPDX-License-Identifier: Apache-2.0
// Words about what watches processes: drivers, what they register, and lies about it.
#include <string.h>

#include "forge/words.h"

#define MOST_IMPORTS 8u
#define MOST_TYPES 4u

// How register() calls them, and what callback() and silence() mean by it: a kind and its variant stand in the same array.
static const char *const kinds[] = {
    [INV_WATCH_PROCESS] = "process",
    [INV_WATCH_PROCESS_EX] = "process_ex",
    [INV_WATCH_THREAD] = "thread",
    [INV_WATCH_THREAD_OTHER] = "thread_other",
    [INV_WATCH_IMAGE] = "image",
    [INV_WATCH_REGISTRY] = "registry",
    [INV_WATCH_OBJECT] = "object",
    [INV_WATCH_CODE_INTEGRITY] = "ci",
    [INV_WATCH_WIN32] = "win32",
    [INV_WATCH_PICO] = "pico",
    [INV_WATCH_TYPE] = "type",
    [INV_WATCH_BUG_CHECK] = "bug_check",
    [INV_WATCH_BUG_CHECK_REASON] = "bug_check_reason",
    [INV_WATCH_BUG_CHECK_PAGES] = "bug_check_pages",
    [INV_WATCH_SHUTDOWN] = "shutdown",
    [INV_WATCH_LAST_SHUTDOWN] = "last_shutdown",
    [INV_WATCH_FILE_SYSTEM] = "file_system",
    [INV_WATCH_DEBUG_PRINT] = "debug_print",
    [INV_WATCH_PROFILE] = "profile",
    [INV_WATCH_DEVICE_CLASS] = "device_class",
    [INV_WATCH_SOFT_RESTART] = "soft_restart",
    [INV_WATCH_TARGET_DEVICE] = "target_device",
    [INV_WATCH_OTHER_SLOT] = "other_slot",
    NULL,
};

static enum inv_forge_watch check_kind(lua_State *lua, int index)
{
	return (enum inv_forge_watch)inv_word_option(lua, index, "kind of callback", kinds);
}

static struct inv_forge_module *check_module(lua_State *lua, int index)
{
	const char *name = luaL_checkstring(lua, index);
	struct inv_forge_module *module = inv_machine_module(inv_word_machine(lua), name);
	if (!module)
		luaL_error(lua, "the kernel has loaded no '%s'", name);
	return module;
}

// The texts of a list in Lua, ending with NULL; they live as long as the machine.
static void read_list(lua_State *lua, int index, const char **texts, size_t most)
{
	struct inv_machine *machine = inv_word_machine(lua);
	size_t count = lua_istable(lua, index) ? (size_t)lua_rawlen(lua, index) : 0;
	if (count >= most)
		luaL_error(lua, "at most %d", (int)most - 1);
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(lua, index, (lua_Integer)i + 1);
		texts[i] = inv_arena_strdup(machine->arena, luaL_checkstring(lua, -1));
		lua_pop(lua, 1);
	}
	texts[count] = NULL;
}

static int word_driver(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const char *name = inv_arena_strdup(machine->arena, luaL_checkstring(lua, 1));
	const char *imports[MOST_IMPORTS];
	read_list(lua, 2, imports, MOST_IMPORTS);
	lua_pushinteger(lua, (lua_Integer)inv_machine_load_driver(machine, name, imports)->base);
	inv_word_check(lua);
	return 1;
}

static int word_unload_driver(lua_State *lua)
{
	inv_machine_unload_driver(inv_word_machine(lua), check_module(lua, 1));
	inv_word_check(lua);
	return 0;
}

static int word_register(lua_State *lua)
{
	static const char *const known[] = {"altitude", "types", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	enum inv_forge_watch kind = check_kind(lua, 1);
	struct inv_forge_module *module = check_module(lua, 2);
	const char *types[MOST_TYPES] = {"Process", "Thread", NULL}, *altitude = NULL;
	if (lua_istable(lua, 3)) {
		inv_word_check_keys(lua, 3, known);
		altitude = inv_word_key_text(lua, 3, "altitude");
		if (lua_getfield(lua, 3, "types") == LUA_TTABLE)
			read_list(lua, lua_gettop(lua), types, MOST_TYPES);
		lua_pop(lua, 1);
	}
	altitude = inv_arena_strdup(machine->arena, altitude ? altitude : "380000");
	lua_pushboolean(lua, inv_machine_watch(machine, kind, module, altitude, types));
	inv_word_check(lua);
	return 1;
}

static int word_unregister(lua_State *lua)
{
	inv_machine_unwatch(inv_word_machine(lua), check_module(lua, 1));
	inv_word_check(lua);
	return 0;
}

static enum inv_forge_watch family(enum inv_forge_watch kind)
{
	if (kind == INV_WATCH_PROCESS_EX)
		return INV_WATCH_PROCESS;
	return kind == INV_WATCH_THREAD_OTHER ? INV_WATCH_THREAD : kind;
}

// The nth of a kind, from 1 on, in the order of registration; NULL: there are fewer.
static struct inv_forge_watcher *nth(const struct inv_machine *machine, enum inv_forge_watch kind, lua_Integer n)
{
	for (size_t i = 0; i < inv_count(machine->watchers); i++)
		if (family(machine->watchers[i].kind) == family(kind) && --n == 0)
			return &machine->watchers[i];
	return NULL;
}

static int word_callback(lua_State *lua)
{
	const struct inv_forge_watcher *watcher =
	    nth(inv_word_machine(lua), check_kind(lua, 1), luaL_optinteger(lua, 2, 1));
	if (!watcher)
		return 0;
	lua_pushinteger(lua, (lua_Integer)watcher->at);
	lua_pushinteger(lua, (lua_Integer)watcher->pointer);
	lua_pushinteger(lua, (lua_Integer)watcher->routine);
	lua_pushstring(lua, watcher->module);
	lua_pushinteger(lua, (lua_Integer)watcher->block);
	return 5;
}

static int word_routine(lua_State *lua)
{
	uint64_t address = inv_machine_routine(inv_word_machine(lua), check_module(lua, 1));
	if (!address)
		return luaL_error(lua, "no room for one more routine");
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)address);
	return 1;
}

static int word_threat_provider(lua_State *lua)
{
	uint64_t address = inv_word_machine(lua)->threat_provider;
	if (address)
		lua_pushinteger(lua, (lua_Integer)address);
	else
		lua_pushnil(lua);
	return 1;
}

// What a driver that was brought along for it writes: zero into a slot, or the entry's neighbours past it. Counts stay.
static void silence(struct inv_machine *machine, const struct inv_forge_watcher *watcher)
{
	if (watcher->kind == INV_WATCH_REGISTRY || watcher->kind == INV_WATCH_OBJECT ||
	    inv_machine_is_observer(watcher->kind))
		inv_machine_list_remove(machine, watcher->at);
	else
		inv_machine_put64(machine, watcher->at, 0);
}

static int word_silence(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	enum inv_forge_watch kind = check_kind(lua, 1);
	lua_Integer only = luaL_optinteger(lua, 2, 0);
	struct inv_forge_watcher *watcher = NULL;
	for (lua_Integer n = only ? only : 1; (watcher = nth(machine, kind, n)) != NULL; n++) {
		silence(machine, watcher);
		watcher->silenced = true;
		if (only)
			break;
	}
	if (only && !watcher)
		return luaL_error(lua, "there are fewer of that kind");
	inv_word_note(lua, "silence", 0, false);
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_callback_words[] = {
    {"driver", word_driver},
    {"unload_driver", word_unload_driver},
    {"register", word_register},
    {"unregister", word_unregister},
    {"callback", word_callback},
    {"routine", word_routine},
    {"threat_provider", word_threat_provider},
    {"silence", word_silence},
    {NULL, NULL},
};
