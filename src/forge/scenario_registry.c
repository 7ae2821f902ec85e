// SPDX-License-Identifier: Apache-2.0
// Words about the registry: open keys, hives, and what is written over their cells.
#include <string.h>

#include "forge/registry.h"
#include "forge/user.h"
#include "forge/words.h"

static int push_address(lua_State *lua, uint64_t address)
{
	inv_word_check(lua);
	if (address)
		lua_pushinteger(lua, (lua_Integer)address);
	else
		lua_pushnil(lua);
	return 1;
}

static const char *check_path(lua_State *lua, int index)
{
	const char *path = luaL_checkstring(lua, index);
	if (strncmp(path, "\\REGISTRY", 9) != 0 || strstr(path, "\\\\") || path[strlen(path) - 1] == '\\')
		luaL_error(lua, "'%s' is no path of a key: it begins with \\REGISTRY", path);
	return path;
}

static int word_key(lua_State *lua)
{
	static const char *const known[] = {"wide", NULL};
	const char *path = check_path(lua, 1);
	bool wide = false;
	if (!lua_isnoneornil(lua, 2)) {
		inv_word_check_keys(lua, 2, known);
		wide = inv_word_key_flag(lua, 2, "wide", false);
	}
	return push_address(lua, inv_machine_make_key(inv_word_machine(lua), path, wide));
}

static int word_key_block(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const char *path = check_path(lua, 1);
	return push_address(
	    lua, inv_machine_has(machine, INV_F_CM_KEY_BODY_KeyControlBlock) ? inv_machine_kcb(machine, path, false) : 0);
}

// Of the table on top: texts and numbers by their names.
static void take_values(lua_State *lua, struct inv_machine *machine, struct inv_forge_hive_key *key)
{
	int table = lua_gettop(lua);
	luaL_checktype(lua, table, LUA_TTABLE);
	lua_pushnil(lua);
	while (lua_next(lua, table)) {
		if (lua_type(lua, -2) != LUA_TSTRING)
			luaL_error(lua, "a value of a key has a name");
		const char *name = lua_tostring(lua, -2);
		if (lua_isinteger(lua, -1))
			inv_forge_hive_number(machine, key, name, (uint32_t)lua_tointeger(lua, -1));
		else
			inv_forge_hive_text(machine, key, name, luaL_checkstring(lua, -1));
		lua_pop(lua, 1);
	}
}

static int word_hive(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const char *path = check_path(lua, 1);
	luaL_checktype(lua, 2, LUA_TTABLE);
	struct inv_forge_hive_key *root = inv_arena_alloc(machine->arena, sizeof *root);
	root->name = "ROOT";
	lua_pushnil(lua);
	while (lua_next(lua, 2)) {
		if (lua_type(lua, -2) != LUA_TSTRING)
			luaL_error(lua, "keys of a hive have paths");
		take_values(lua, machine, inv_forge_hive_key(machine, root, lua_tostring(lua, -2)));
		lua_pop(lua, 1);
	}
	struct inv_error error = {0};
	const struct inv_forge_hive *hive = inv_machine_mount_hive(machine, path, root, &error);
	return push_address(lua, hive ? hive->address : 0);
}

static struct inv_forge_hive *check_hive(lua_State *lua, int index)
{
	const struct inv_machine *machine = inv_word_machine(lua);
	uint64_t address = (uint64_t)luaL_checkinteger(lua, index);
	for (size_t i = 0; i < inv_count(machine->hives); i++)
		if (machine->hives[i]->address == address)
			return machine->hives[i];
	luaL_error(lua, "no hive is there");
	return NULL;
}

static int word_hive_cell(lua_State *lua)
{
	struct inv_forge_hive *hive = check_hive(lua, 1);
	struct inv_forge_hive_key *key = inv_forge_hive_key(inv_word_machine(lua), hive->root, luaL_checkstring(lua, 2));
	if (!key->cell)
		luaL_error(lua, "the hive has no such key");
	lua_pushinteger(lua, key->cell);
	return 1;
}

static int word_write_hive(lua_State *lua)
{
	struct inv_forge_hive *hive = check_hive(lua, 1);
	size_t size;
	uint32_t offset = (uint32_t)luaL_checkinteger(lua, 2);
	const char *bytes = luaL_checklstring(lua, 3, &size);
	if (!inv_machine_write_hive(inv_word_machine(lua), hive, offset, bytes, size))
		luaL_error(lua, "the hive has no such bytes");
	inv_word_note(lua, "write_hive", hive->address, true);
	inv_word_check(lua);
	return 0;
}

// The pages of the hive from an offset on, up to another, leave memory. In the Registry process they were written to, and are its own.
static int word_trim_hive(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_hive *hive = check_hive(lua, 1);
	uint32_t from = (uint32_t)luaL_optinteger(lua, 2, 0), page = INV_RAM_PAGE;
	uint32_t end = (uint32_t)luaL_optinteger(lua, 3, hive->length);
	for (uint32_t at = (from + page - 1) / page * page; at < hive->length && at < end; at += page) {
		uint64_t address = hive->bins + at;
		if (hive->process && inv_machine_touch(machine, hive->process, address, true))
			(void)inv_machine_page_state(machine, hive->process, address, INV_PAGE_PAGED);
		else if (!hive->process)
			inv_maps_set_pte(&machine->maps, address, inv_pte_page_file(machine->layout, 4, 0, 0x100 + at / page));
	}
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_registry_words[] = {
    {"key", word_key},
    {"key_block", word_key_block},
    {"hive", word_hive},
    {"hive_cell", word_hive_cell},
    {"write_hive", word_write_hive},
    {"trim_hive", word_trim_hive},
    {NULL, NULL},
};
