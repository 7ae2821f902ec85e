// SPDX-License-Identifier: Apache-2.0
// Words about silos, and about what other parts of the kernel keep of a process.
#include "forge/backlinks.h"
#include "forge/silo.h"
#include "forge/words.h"

static int push_address(lua_State *lua, const char *operation, uint64_t address)
{
	inv_word_check(lua);
	if (!address) {
		lua_pushnil(lua);
		return 1;
	}
	inv_word_note(lua, operation, address, false);
	lua_pushinteger(lua, (lua_Integer)address);
	return 1;
}

static int word_port(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	return push_address(lua, "port", inv_machine_make_port(machine, process, luaL_optstring(lua, 2, NULL)));
}

static int word_register_provider(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	uint64_t other = lua_isnoneornil(lua, 2) ? 0 : inv_word_value(lua, 2);
	return push_address(lua, "register_provider", inv_machine_register_provider(machine, process, other));
}

static int word_subscribe(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	return push_address(lua, "subscribe", inv_machine_subscribe(machine, inv_word_process(lua, 1)));
}

static int word_set_timer(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	return push_address(lua, "set_timer", inv_machine_set_timer(machine, inv_word_thread(lua, 1)));
}

static int word_set_resolution(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	lua_pushboolean(lua, inv_machine_set_resolution(machine, inv_word_process(lua, 1)));
	inv_word_check(lua);
	return 1;
}

// What stands at this address, or the resolution that a process at it asked for.
static const struct inv_forge_backlink *check_backlink(lua_State *lua, const struct inv_machine *machine)
{
	uint64_t address = inv_word_value(lua, 1);
	for (size_t i = 0; i < inv_count(machine->backlinks); i++) {
		const struct inv_forge_backlink *link = &machine->backlinks[i];
		if (link->object ? link->object == address : link->owner->address == address)
			return link;
	}
	luaL_error(lua, "nothing of the kind stands there");
	return NULL;
}

static int word_forge_backlink(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_backlink *link = check_backlink(lua, machine);
	if (!link->at)
		return luaL_error(lua, "it holds no pointer");
	inv_machine_put64(machine, link->at, inv_word_value(lua, 2));
	inv_word_note(lua, "forge_backlink", link->owner->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_unlink_backlink(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_backlink *link = check_backlink(lua, machine);
	inv_machine_list_remove(machine, link->entry);
	inv_word_note(lua, "unlink_backlink", link->owner->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_silo(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	luaL_checktype(lua, 1, LUA_TTABLE);
	uint64_t job = lua_isnoneornil(lua, 2) ? 0 : inv_word_value(lua, 2);
	uint64_t silo = inv_machine_make_silo(machine, job);
	for (lua_Integer i = 1; silo && lua_geti(lua, 1, i) != LUA_TNIL; i++) {
		inv_machine_enter_silo(machine, inv_word_process(lua, -1), silo);
		lua_pop(lua, 1);
	}
	return push_address(lua, "silo", silo);
}

static int word_leaders(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t silo = lua_isnoneornil(lua, 1) ? 0 : inv_word_value(lua, 1);
	const struct inv_forge_process *leader = lua_isnoneornil(lua, 2) ? NULL : inv_word_process(lua, 2);
	const struct inv_forge_process *errors = lua_isnoneornil(lua, 3) ? NULL : inv_word_process(lua, 3);
	lua_pushboolean(lua, inv_machine_lead_silo(machine, silo, leader, errors));
	inv_word_check(lua);
	return 1;
}

const luaL_Reg inv_backlink_words[] = {
    {"port", word_port},
    {"register_provider", word_register_provider},
    {"subscribe", word_subscribe},
    {"set_timer", word_set_timer},
    {"set_resolution", word_set_resolution},
    {"forge_backlink", word_forge_backlink},
    {"unlink_backlink", word_unlink_backlink},
    {"silo", word_silo},
    {"leaders", word_leaders},
    {NULL, NULL},
};
