// SPDX-License-Identifier: Apache-2.0
// Words about sessions: how they are connected, and which of them a silo has.
#include <string.h>

#include "forge/csrss.h"
#include "forge/session.h"
#include "forge/words.h"

#define NO_SESSION UINT32_MAX

// By IO_SESSION_STATE.
static const char *const states[] = {
    "created",    "initialized", "connected", "disconnected", "disconnected-logged-on", "logged-on",
    "logged-off", "terminated",  NULL};

static uint32_t check_id(lua_State *lua, int index)
{
	lua_Integer id = luaL_checkinteger(lua, index);
	if (id < 0 || id > 100000)
		luaL_error(lua, "no session has this number");
	return (uint32_t)id;
}

static int word_session(lua_State *lua)
{
	static const char *const known[] = {"state", "console", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_session *session = inv_machine_session(machine, check_id(lua, 1));
	if (!lua_isnoneornil(lua, 2)) {
		inv_word_check_keys(lua, 2, known);
		const char *state = inv_word_key_text(lua, 2, "state");
		if (state)
			inv_session_set_state(machine, session,
			                      inv_word_choose(lua, state, "state of a session", states) + INV_SESSION_CREATED);
		if (inv_word_key_flag(lua, 2, "console", false))
			inv_machine_set_console(machine, session->id);
	}
	inv_word_note(lua, "session", session->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)session->address);
	return 1;
}

static int word_no_console(lua_State *lua)
{
	inv_machine_set_console(inv_word_machine(lua), NO_SESSION);
	return 0;
}

static int word_silo_sessions(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint32_t services = check_id(lua, 2), console = lua_isnoneornil(lua, 3) ? NO_SESSION : check_id(lua, 3);
	lua_pushboolean(lua, inv_silo_set_sessions(machine, inv_word_value(lua, 1), services, console));
	inv_word_check(lua);
	return 1;
}

static int word_move_session(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = inv_word_process(lua, 1);
	const struct inv_forge_session *session = inv_machine_session(machine, check_id(lua, 2));
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Session, session->address);
	if (inv_machine_has(machine, INV_F_EPROCESS_SessionProcessLinks)) {
		uint64_t entry = inv_machine_at(machine, process->address, INV_F_EPROCESS_SessionProcessLinks);
		inv_machine_list_remove(machine, entry);
		inv_machine_list_append(machine, session->head, entry);
	}
	inv_word_note(lua, "move_session", process->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_csr_adopt(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *csrss = inv_word_process(lua, 1), *process = inv_word_process(lua, 2);
	struct inv_forge_csr *csr = inv_csr_of(machine, csrss);
	uint64_t record = csr && csr->csrss == csrss ? inv_csr_adopt(machine, csr, process) : 0;
	if (!record)
		return luaL_error(lua, "that is no csrss, or has no room");
	inv_word_note(lua, "csr_adopt", process->address, true);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)record);
	return 1;
}

const luaL_Reg inv_session_words[] = {
    {"session", word_session},           {"no_console", word_no_console}, {"silo_sessions", word_silo_sessions},
    {"move_session", word_move_session}, {"csr_adopt", word_csr_adopt},   {NULL, NULL},
};
