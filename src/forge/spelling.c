// SPDX-License-Identifier: Apache-2.0
#include "forge/spelling.h"

#include <lauxlib.h>
#include <string.h>

#include "base/nearest.h"
#include "forge/forge.h"

static size_t count_of(const char *const *names)
{
	size_t count = 0;
	while (names[count])
		count++;
	return count;
}

static const char *hint(lua_State *lua, const char *word, const char *const *names, size_t count)
{
	const char *near = inv_nearest(word, names, count);
	return near ? lua_pushfstring(lua, "; did you mean '%s'?", near) : "";
}

const char *inv_word_hint(lua_State *lua, const char *word, const char *const *names)
{
	return hint(lua, word, names, count_of(names));
}

unsigned inv_word_choose(lua_State *lua, const char *word, const char *what, const char *const *names)
{
	for (unsigned i = 0; names[i]; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	luaL_Buffer list;
	luaL_buffinit(lua, &list);
	for (size_t i = 0; names[i]; i++) {
		luaL_addstring(&list, i ? ", " : "");
		luaL_addstring(&list, names[i]);
	}
	luaL_pushresult(&list);
	const char *known = lua_tostring(lua, -1);
	luaL_error(lua, "'%s' is no %s: %s%s", word, what, known, inv_word_hint(lua, word, names));
	return 0;
}

unsigned inv_word_option(lua_State *lua, int index, const char *what, const char *const *names)
{
	return inv_word_choose(lua, luaL_checkstring(lua, index), what, names);
}

// Collected by Lua, as what follows leaves by a long jump.
static const char **new_list(lua_State *lua, size_t count)
{
	return lua_newuserdatauv(lua, count * sizeof(const char *), 0);
}

int inv_word_no_field(lua_State *lua, const char *name)
{
	const char **names = new_list(lua, INV_FIELD_COUNT);
	for (int i = 0; i < INV_FIELD_COUNT; i++)
		names[i] = inv_field_full_name((enum inv_field)i);
	return luaL_error(lua, "no field is known as '%s'%s", name, hint(lua, name, names, INV_FIELD_COUNT));
}

int inv_word_no_symbol(lua_State *lua, const char *name)
{
	const char **names = new_list(lua, INV_SYMBOL_COUNT);
	for (int i = 0; i < INV_SYMBOL_COUNT; i++)
		names[i] = inv_symbol_name((enum inv_symbol)i);
	return luaL_error(lua, "no symbol is known as '%s'%s", name, hint(lua, name, names, INV_SYMBOL_COUNT));
}

// Of a text like "attempt to call a nil value (global 'unlnk')".
static const char *hint_at_word(lua_State *lua, const char *text)
{
	static const char before[] = "attempt to call a nil value (global '";
	const char *at = strstr(text, before);
	if (!at)
		return "";
	at += sizeof before - 1;
	const char *word = lua_pushlstring(lua, at, strcspn(at, "'"));
	size_t count = 0;
	while (inv_forge_words[count].name)
		count++;
	const char **names = new_list(lua, count);
	for (size_t i = 0; i < count; i++)
		names[i] = inv_forge_words[i].name;
	return hint(lua, word, names, count);
}

// The innermost line of the scenario itself: an error in a word that is written in Lua stands elsewhere. false: there is none.
static bool find_line(lua_State *lua, const char *chunk, lua_Debug *found)
{
	for (int level = 0; lua_getstack(lua, level, found); level++)
		if (lua_getinfo(lua, "Sl", found) && strcmp(found->source, chunk) == 0 && found->currentline > 0)
			return true;
	return false;
}

int inv_word_explain(lua_State *lua)
{
	static const char prelude[] = "prelude:";
	const char *where = "", *chunk = lua_tostring(lua, lua_upvalueindex(1));
	// Of a table the text would be its address.
	const char *text = lua_isstring(lua, 1) ? lua_tostring(lua, 1) : "the scenario raised what is no text";
	lua_Debug line;
	if (find_line(lua, chunk, &line))
		where = lua_pushfstring(lua, "%s:%d: ", line.short_src, line.currentline);
	if (strncmp(text, prelude, sizeof prelude - 1) == 0) {
		const char *message = text + sizeof prelude - 1;
		message += strspn(message, "0123456789");
		text = strncmp(message, ": ", 2) == 0 ? message + 2 : text;
	}
	size_t file = strcspn(where, ":"); // a name may have a colon of its own, which is in both
	if (*where && strncmp(text, where, file + 1) == 0)
		where = "";
	lua_pushfstring(lua, "%s%s%s", where, text, hint_at_word(lua, text));
	return 1;
}
