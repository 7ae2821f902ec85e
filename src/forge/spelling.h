// SPDX-License-Identifier: Apache-2.0
// Words of scenarios that nobody knows: what was probably meant, and where in the scenario it stands.
#ifndef INV_FORGE_SPELLING_H
#define INV_FORGE_SPELLING_H

#include <lua.h>

#include "facts/facts.h"

// "; did you mean 'unlink'?" for the nearest of these names (the last one is NULL), or "". Stays valid until the word returns.
const char *inv_word_hint(lua_State *lua, const char *word, const char *const *names);
// Where among these names (the last one is NULL) the word stands. Stops the scenario with what the names are if it does not.
unsigned inv_word_choose(lua_State *lua, const char *word, const char *what, const char *const *names);
// The same of an argument, which must be a text.
unsigned inv_word_option(lua_State *lua, int index, const char *what, const char *const *names);
// Stops the scenario: no field, or no symbol, is known by this name.
int inv_word_no_field(lua_State *lua, const char *name);
int inv_word_no_symbol(lua_State *lua, const char *name);

// The handler of errors: given to lua_pcall() with the name of the scenario's chunk as its upvalue, it makes every error begin with
// file and line of the scenario, and names the word that a mistyped one is near to.
int inv_word_explain(lua_State *lua);

#endif
