// SPDX-License-Identifier: Apache-2.0
// Words about handles and the objects that they lead to, and attacks on them.
#include "forge/registry.h"
#include "forge/words.h"

static int word_object(lua_State *lua)
{
	static const char *const names[] = {"DebugObject", "Event", "Mutant", "Key", NULL};
	enum inv_forge_type type =
	    (enum inv_forge_type)(INV_FORGE_DEBUG + inv_word_option(lua, 1, "type of object", names));
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t object = type == INV_FORGE_KEY ? inv_machine_make_key(machine, "\\REGISTRY\\MACHINE\\SOFTWARE", false) : 0;
	lua_pushinteger(lua, (lua_Integer)(object ? object : inv_machine_make_bare_object(machine, type)));
	inv_word_check(lua);
	return 1;
}

static const struct inv_forge_handle *check_handle(lua_State *lua, const struct inv_forge_process *process)
{
	const struct inv_forge_handle *handle = inv_machine_handle(process, (uint64_t)luaL_checkinteger(lua, 2));
	if (!handle)
		luaL_error(lua, "%s has no such handle", process->name);
	return handle;
}

// One handle less, as the object or the table counts them.
static void count_less(struct inv_machine *machine, uint64_t object, uint64_t table)
{
	if (table)
		inv_machine_count_entry(machine, table, -1);
	if (!object)
		return;
	uint64_t header = inv_machine_header(machine, object);
	uint64_t count = inv_machine_get(machine, header, INV_F_OBJECT_HEADER_HandleCount);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_HandleCount, count - 1);
}

static int word_drop_handle(lua_State *lua)
{
	static const char *const known[] = {"object", "table", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	struct inv_forge_handle handle = *check_handle(lua, process);
	inv_machine_close(machine, process, handle.value, false);
	if (!lua_isnoneornil(lua, 3)) {
		inv_word_check_keys(lua, 3, known);
		count_less(machine, inv_word_key_flag(lua, 3, "object", false) ? handle.object : 0,
		           inv_word_key_flag(lua, 3, "table", false) ? process->handle_table : 0);
	}
	inv_word_note(lua, "drop_handle", process->address, true);
	inv_word_note(lua, "drop_handle", handle.object, true);
	return 0;
}

static int word_grant(lua_State *lua)
{
	struct inv_forge_process *process = inv_word_process(lua, 1);
	const struct inv_forge_handle *handle = check_handle(lua, process);
	inv_machine_grant(inv_word_machine(lua), process, handle->value, (uint32_t)luaL_checkinteger(lua, 3));
	inv_word_note(lua, "grant", process->address, true);
	return 0;
}

static int word_entry(lua_State *lua)
{
	struct inv_forge_process *process = inv_word_process(lua, 1);
	const struct inv_forge_handle *handle = check_handle(lua, process);
	lua_pushinteger(
	    lua, (lua_Integer)inv_machine_table_entry(inv_word_machine(lua), process->handle_table, handle->value / 4));
	return 1;
}

// Where the object counts the handles of the process.
static int word_holding(lua_State *lua)
{
	uint64_t object = inv_word_value(lua, 1), process = inv_word_process(lua, 2)->address;
	uint64_t entry = inv_machine_holding(inv_word_machine(lua), object, process);
	if (!entry)
		lua_pushnil(lua);
	else
		lua_pushinteger(lua, (lua_Integer)entry);
	return 1;
}

static int word_forge_holding(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 2);
	uint64_t entry = inv_machine_holding(machine, inv_word_value(lua, 1), process->address);
	if (!entry)
		return luaL_error(lua, "it does not count handles of %s", process->name);
	inv_machine_put(machine, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_Process, inv_word_value(lua, 3));
	inv_word_note(lua, "forge_holding", process->address, true);
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_handle_words[] = {
    {"object", word_object},
    {"drop_handle", word_drop_handle},
    {"entry", word_entry},
    {"holding", word_holding},
    {"forge_holding", word_forge_holding},
    {"grant", word_grant},
    {NULL, NULL},
};
