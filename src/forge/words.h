// SPDX-License-Identifier: Apache-2.0
// What words of scenarios have in common, for the files that words stand in.
#ifndef INV_FORGE_WORDS_H
#define INV_FORGE_WORDS_H

#include <lauxlib.h>
#include <lua.h>

#include "forge/scenario.h"
#include "forge/spelling.h"

// The machine, made now if no word needed it before.
struct inv_machine *inv_word_machine(lua_State *lua);
// Stops the scenario where memory ran out or a write went astray: the last thing that a word does.
void inv_word_check(lua_State *lua);
struct inv_forge_process *inv_word_process(lua_State *lua, int index);
struct inv_forge_thread *inv_word_thread(lua_State *lua, int index);
// A number, or the address of a process or thread.
uint64_t inv_word_value(lua_State *lua, int index);
// Keys of a table of options.
uint64_t inv_word_key_value(lua_State *lua, int table, const char *key, uint64_t fallback);
bool inv_word_key_flag(lua_State *lua, int table, const char *key, bool fallback);
const char *inv_word_key_text(lua_State *lua, int table,
                              const char *key); // NULL: not given; valid as long as the table
// Refuses keys that are not among these (the last one is NULL).
void inv_word_check_keys(lua_State *lua, int table, const char *const *known);
// Notes what was done, for breaks(); `lie`: to the process that this address is of.
void inv_word_note(lua_State *lua, const char *operation, uint64_t object, bool lie);

// What thread{} can be given beside its identifier and time: start=, native_start=, rip=, rsp=, alertable=, teb= (scenario_user.c).
void inv_word_thread_options(lua_State *lua, int table, struct inv_forge_thread *thread);

extern const luaL_Reg inv_user_words[];     // scenario_user.c; likewise
extern const luaL_Reg inv_memory_words[];   // scenario_memory.c; the last one has no name
extern const luaL_Reg inv_memory_attacks[]; // attack_memory.c
// MM_READONLY and so on by the letters of scenarios: "rwx". (scenario_memory.c)
unsigned inv_word_protection(lua_State *lua, const char *text);
// A process that has user memory.
struct inv_forge_process *inv_word_user_process(lua_State *lua, int index);
extern const luaL_Reg inv_image_words[];    // attack_image.c
extern const luaL_Reg inv_handle_words[];   // scenario_handles.c
extern const luaL_Reg inv_callback_words[]; // attack_callbacks.c
extern const luaL_Reg inv_token_words[];    // scenario_token.c
extern const luaL_Reg inv_backlink_words[]; // scenario_backlinks.c
extern const luaL_Reg inv_csr_words[];      // scenario_csrss.c
extern const luaL_Reg inv_win32k_words[];   // scenario_win32k.c
extern const luaL_Reg inv_registry_words[]; // scenario_registry.c
extern const luaL_Reg inv_session_words[];  // scenario_session.c
// user=, session=, integrity=, elevated=, appcontainer=, restricted=, level= of a table.
struct inv_token_wish inv_word_token_wish(lua_State *lua, int table);

#endif
