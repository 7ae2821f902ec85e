// SPDX-License-Identifier: Apache-2.0
// Words about what win32k and dxgkrnl keep: W32PROCESS, THREADINFO, desktops, DXGPROCESS.
#include <string.h>

#include "forge/win32k.h"
#include "forge/words.h"

static int push_address(lua_State *lua, uint64_t address)
{
	if (address)
		lua_pushinteger(lua, (lua_Integer)address);
	else
		lua_pushnil(lua);
	return 1;
}

static int word_w32process(lua_State *lua)
{
	return push_address(lua, inv_word_process(lua, 1)->win32);
}

static int word_threadinfo(lua_State *lua)
{
	return push_address(lua, inv_word_thread(lua, 1)->win32);
}

static int word_dxgprocess(lua_State *lua)
{
	return push_address(lua, inv_word_process(lua, 1)->dxg);
}

static int word_make_dxgprocess(lua_State *lua)
{
	uint64_t address = inv_dxg_make(inv_word_machine(lua), inv_word_process(lua, 1));
	inv_word_check(lua);
	return push_address(lua, address);
}

static int word_copy_w32process(lua_State *lua)
{
	uint64_t address = inv_win32_copy(inv_word_machine(lua), inv_word_process(lua, 1));
	inv_word_check(lua);
	return push_address(lua, address);
}

static int word_w32_offset(lua_State *lua)
{
	static const char *const names[] = {"ppi", "PtiLink", "PtiList", "dxg", NULL};
	static uint32_t (*const offsets[])(const struct inv_machine *) = {inv_win32_ppi, inv_win32_pti_link,
	                                                                  inv_win32_pti_list, inv_dxg_process};
	unsigned choice = inv_word_option(lua, 1, "offset of win32k", names);
	lua_pushinteger(lua, (lua_Integer)offsets[choice](inv_word_machine(lua)));
	return 1;
}

static int word_session_peek(lua_State *lua)
{
	const struct inv_forge_process *process = inv_word_process(lua, 1);
	lua_pushinteger(lua,
	                (lua_Integer)inv_session_get64(inv_word_machine(lua), process->session, inv_word_value(lua, 2)));
	return 1;
}

static int word_session_poke(lua_State *lua)
{
	const struct inv_forge_process *process = inv_word_process(lua, 1);
	inv_session_put64(inv_word_machine(lua), process->session, inv_word_value(lua, 2), inv_word_value(lua, 3));
	inv_word_note(lua, "session_poke", lua_isnoneornil(lua, 4) ? process->address : inv_word_value(lua, 4), true);
	inv_word_check(lua);
	return 0;
}

static int word_window_desktop(lua_State *lua)
{
	return push_address(
	    lua, inv_win32_desktop(inv_word_machine(lua), (uint32_t)luaL_checkinteger(lua, 1), luaL_checkstring(lua, 2)));
}

static int word_set_desktop(lua_State *lua)
{
	struct inv_forge_thread *thread = inv_word_thread(lua, 1);
	inv_win32_set_desktop(inv_word_machine(lua), thread, lua_isnoneornil(lua, 2) ? 0 : inv_word_value(lua, 2));
	inv_word_note(lua, "set_desktop", thread->address, false);
	inv_word_check(lua);
	return 0;
}

// As at exit, with the process running on.
static int word_forget_windows(lua_State *lua)
{
	struct inv_forge_process *process = inv_word_process(lua, 1);
	struct inv_machine *machine = inv_word_machine(lua);
	for (size_t i = 0; i < inv_count(process->threads); i++) {
		inv_machine_drop_win32_thread(machine, process->threads[i]);
		inv_machine_put(machine, process->threads[i]->address, INV_F_KTHREAD_GuiThread, 0);
	}
	inv_machine_drop_win32(machine, process);
	inv_word_note(lua, "forget_windows", process->address, true);
	inv_word_check(lua);
	return 0;
}

const luaL_Reg inv_win32k_words[] = {
    {"forget_windows", word_forget_windows},   {"w32process", word_w32process},
    {"threadinfo", word_threadinfo},           {"dxgprocess", word_dxgprocess},
    {"make_dxgprocess", word_make_dxgprocess}, {"copy_w32process", word_copy_w32process},
    {"w32_offset", word_w32_offset},           {"session_peek", word_session_peek},
    {"session_poke", word_session_poke},       {"window_desktop", word_window_desktop},
    {"set_desktop", word_set_desktop},         {NULL, NULL},
};
