// SPDX-License-Identifier: Apache-2.0
// Words about the user memory of processes.
#include <stdlib.h>
#include <string.h>

#include "forge/peb.h"
#include "forge/user.h"
#include "forge/words.h"

#define PAGE INV_RAM_PAGE
#define USER_END 0x7fffffff0000ull
#define MOST_BYTES 0x40000000ull // of a view whose pages the forge keeps count of
#define GUARD 0x10u

struct inv_forge_process *inv_word_user_process(lua_State *lua, int index)
{
	struct inv_forge_process *process = inv_word_process(lua, index);
	if (process->system || process->idle || !process->dtb || process->zombie || process->deleted)
		luaL_error(lua, "%s has no user memory", process->name);
	return process;
}

static struct inv_forge_process *check_user_process(lua_State *lua)
{
	return inv_word_user_process(lua, 1);
}

static uint64_t check_address(lua_State *lua, uint64_t address)
{
	if (address >= USER_END)
		luaL_error(lua, "not an address of user memory");
	return address;
}

unsigned inv_word_protection(lua_State *lua, const char *text)
{
	static const char *const names[] = {"r", "x", "rx", "rw", "wc", "rwx", "xwc", "none", "guard", NULL};
	static const unsigned protections[] = {INV_MM_READONLY,          INV_MM_EXECUTE,   INV_MM_EXECUTE_READ,
	                                       INV_MM_READWRITE,         INV_MM_WRITECOPY, INV_MM_EXECUTE_READWRITE,
	                                       INV_MM_EXECUTE_WRITECOPY, INV_MM_NOACCESS,  GUARD | INV_MM_READWRITE};
	return protections[inv_word_choose(lua, text, "protection", names)];
}

static unsigned key_protection(lua_State *lua, int table, unsigned fallback)
{
	const char *text = inv_word_key_text(lua, table, "protect");
	return text ? inv_word_protection(lua, text) : fallback;
}

// Of private memory; 0: the usual.
static uint8_t key_kind(lua_State *lua, int table)
{
	static const char *const names[] = {"awe", "large", NULL};
	static const uint8_t kinds[] = {INV_VAD_AWE, INV_VAD_LARGE};
	const char *text = inv_word_key_text(lua, table, "kind");
	return text ? kinds[inv_word_choose(lua, text, "kind of memory", names)] : 0;
}

// The bytes stay valid as long as the table does. NULL: not given.
static const char *key_bytes(lua_State *lua, int table, size_t *size)
{
	const char *bytes = NULL;
	*size = 0;
	if (lua_getfield(lua, table, "bytes") != LUA_TNIL)
		bytes = luaL_checklstring(lua, -1, size);
	lua_pop(lua, 1);
	return bytes;
}

static int push_address(lua_State *lua, const struct inv_forge_process *process, const char *operation,
                        uint64_t address)
{
	if (!address)
		return luaL_error(lua, "%s has no room there", process->name);
	inv_word_note(lua, operation, process->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)address);
	return 1;
}

static int word_alloc(lua_State *lua)
{
	static const char *const known[] = {"size", "protect", "at", "bytes", "reserve", "kind", "entries", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	inv_word_check_keys(lua, 2, known);
	size_t length;
	const char *bytes = key_bytes(lua, 2, &length);
	uint64_t size = inv_word_key_value(lua, 2, "size", length ? length : PAGE);
	uint64_t at = check_address(lua, inv_word_key_value(lua, 2, "at", 0));
	unsigned protection = key_protection(lua, 2, INV_MM_READWRITE);
	bool reserve = inv_word_key_flag(lua, 2, "reserve", false);
	if (size == 0 || size > USER_END - at || length > size)
		return luaL_error(lua, "a range has not this size");
	if ((!reserve && size > MOST_BYTES) || (reserve && bytes))
		return luaL_error(lua, "reserve: memory has no pages, and not reserved: not this many");
	uint8_t kind = key_kind(lua, 2);
	const char *entries = inv_word_key_text(lua, 2, "entries");
	enum inv_awe_entries awe = !entries ? INV_AWE_EMPTY : strcmp(entries, "own") == 0 ? INV_AWE_OWN : INV_AWE_STALE;
	uint64_t start = kind      ? inv_machine_alloc_locked(machine, process, at, size, protection & 7, kind, awe)
	                 : reserve ? inv_machine_reserve(machine, process, at, size, protection)
	                           : inv_machine_alloc_user(machine, process, at, size, protection & 7);
	if (start && protection & GUARD && !reserve)
		(void)inv_machine_protect(machine, process, start, size, protection);
	if (start && bytes)
		inv_machine_write_user(machine, process, start, bytes, length);
	return push_address(lua, process, "alloc", start);
}

static int word_map_file(lua_State *lua)
{
	static const char *const known[] = {"size", "protect", "at", "bytes", "offset", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	const char *path = luaL_optstring(lua, 2, NULL);
	inv_word_check_keys(lua, 3, known);
	size_t length;
	const char *bytes = key_bytes(lua, 3, &length);
	uint64_t size = inv_word_key_value(lua, 3, "size", length), offset = inv_word_key_value(lua, 3, "offset", 0);
	uint64_t at = check_address(lua, inv_word_key_value(lua, 3, "at", 0));
	unsigned protection = key_protection(lua, 3, INV_MM_READONLY);
	if (size > MOST_BYTES || offset > MOST_BYTES || offset % PAGE || length > MOST_BYTES)
		return luaL_error(lua, "a view has not this size or offset");
	struct inv_forge_file *file = path ? inv_machine_file(machine, inv_machine_full_path(machine, path)) : NULL;
	if (!file && size == 0)
		return luaL_error(lua, "a section of the page file needs a size");
	struct inv_forge_area *area = file ? inv_machine_data_area(machine, file, bytes, bytes ? length : offset + size)
	                                   : inv_machine_page_file_area(machine, offset + size, INV_MM_READWRITE);
	uint64_t pages = inv_count(area->pages), first = offset / PAGE;
	uint64_t wanted = size ? (size + PAGE - 1) / PAGE : pages > first ? pages - first : 0;
	if (first >= pages || wanted > pages - first)
		return luaL_error(lua, "the section is not that long");
	uint64_t start = inv_machine_map_view(machine, process, area, at, (uint32_t)first, (uint32_t)wanted, protection);
	for (uint64_t i = 0; start && file && i < wanted; i++)
		(void)inv_machine_touch(machine, process, start + i * PAGE, false);
	if (start && !file && bytes)
		inv_machine_write_user(machine, process, start, bytes, length < size ? length : size);
	return push_address(lua, process, "map_file", start);
}

static const char *image_path(struct inv_machine *machine, const struct inv_forge_process *process, const char *name)
{
	if (process->wow64 && !strchr(name, '\\'))
		return inv_arena_printf(machine->arena, "\\Device\\HarddiskVolume3\\Windows\\SysWOW64\\%s", name);
	return inv_machine_full_path(machine, name);
}

static int word_load(lua_State *lua)
{
	static const char *const known[] = {"at", "link", "managed", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	const char *path = image_path(machine, process, luaL_checkstring(lua, 2));
	uint64_t at = 0;
	bool link = true, managed = false;
	if (!lua_isnoneornil(lua, 3)) {
		inv_word_check_keys(lua, 3, known);
		at = check_address(lua, inv_word_key_value(lua, 3, "at", 0));
		link = inv_word_key_flag(lua, 3, "link", true);
		managed = inv_word_key_flag(lua, 3, "managed", false);
	}
	size_t length = strlen(path);
	bool program = length > 4 && (strcmp(path + length - 4, ".exe") == 0 || strcmp(path + length - 4, ".EXE") == 0);
	bool x86 = process->wow64 && strstr(path, "SysWOW64");
	uint64_t base = inv_machine_map_image(
	    machine, process, inv_machine_file(machine, path),
	    (program ? 0 : INV_IMAGE_DLL) | (x86 ? INV_IMAGE_X86 : 0) | (managed ? INV_IMAGE_MANAGED : 0), at);
	if (base && link)
		(void)inv_machine_load_module(machine, process, &process->modules[inv_count(process->modules) - 1],
		                              INV_LDR_ALL);
	return push_address(lua, process, "load", base);
}

static const struct inv_forge_user_module *check_module(lua_State *lua, const struct inv_forge_process *process)
{
	if (lua_type(lua, 2) == LUA_TSTRING) {
		const struct inv_forge_user_module *module = inv_machine_find_module(process, luaL_checkstring(lua, 2));
		if (module)
			return module;
	} else {
		uint64_t base = inv_word_value(lua, 2);
		for (size_t i = 0; i < inv_count(process->modules); i++)
			if (process->modules[i].base == base)
				return &process->modules[i];
	}
	luaL_error(lua, "%s has no such module", process->name);
	return NULL;
}

static int word_unload(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	uint64_t base = check_module(lua, process)->base;
	inv_machine_unload_module(machine, process, base);
	(void)inv_machine_unmap(machine, process, base);
	inv_word_note(lua, "unload", process->address, false);
	inv_word_check(lua);
	return 0;
}

static int word_unmap(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	if (!inv_machine_unmap(machine, process, inv_word_value(lua, 2)))
		return luaL_error(lua, "no range starts there");
	inv_word_note(lua, "unmap", process->address, false);
	inv_word_check(lua);
	return 0;
}

static int word_protect(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	uint64_t address = inv_word_value(lua, 2), size = inv_word_value(lua, 3);
	if (!inv_machine_protect(machine, process, address, size, inv_word_protection(lua, luaL_checkstring(lua, 4))))
		return luaL_error(lua, "these addresses are not of one range");
	inv_word_note(lua, "protect", process->address, false);
	inv_word_check(lua);
	return 0;
}

static int word_write_memory(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	size_t size;
	uint64_t address = check_address(lua, inv_word_value(lua, 2));
	const char *bytes = luaL_checklstring(lua, 3, &size);
	inv_machine_write_user(machine, process, address, bytes, size);
	inv_word_note(lua, "write_memory", process->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_read_memory(lua_State *lua)
{
	const struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = check_user_process(lua);
	uint64_t address = check_address(lua, inv_word_value(lua, 2)), size = inv_word_value(lua, 3);
	if (size > MOST_BYTES)
		return luaL_error(lua, "not so many bytes");
	luaL_Buffer buffer;
	char *bytes = luaL_buffinitsize(lua, &buffer, (size_t)size);
	if (!inv_machine_read_user(machine, process, address, bytes, (size_t)size))
		return luaL_error(lua, "nothing stands there");
	luaL_pushresultsize(&buffer, (size_t)size);
	return 1;
}

static int word_page_state(lua_State *lua)
{
	static const char *const names[] = {"transition", "paged", "demand", "compressed", NULL};
	static const enum inv_forge_page states[] = {INV_PAGE_TRANSITION, INV_PAGE_PAGED, INV_PAGE_DEMAND,
	                                             INV_PAGE_COMPRESSED};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_user_process(lua);
	uint64_t address = check_address(lua, inv_word_value(lua, 2));
	enum inv_forge_page state = states[inv_word_option(lua, 3, "state of a page", names)];
	lua_pushboolean(lua, inv_machine_page_state(machine, process, address, state));
	inv_word_note(lua, "page_state", process->address, false);
	inv_word_check(lua);
	return 1;
}

static int word_module(lua_State *lua)
{
	const struct inv_forge_process *process = check_user_process(lua);
	const struct inv_forge_user_module *module = check_module(lua, process);
	const char *name = luaL_optstring(lua, 3, NULL);
	const struct inv_user_export *export = name ? inv_user_image_export(module->image, name) : NULL;
	for (size_t i = 0; name && name[0] == '.' && i < module->image->section_count; i++) {
		if (strcmp(module->image->sections[i].name, name) != 0)
			continue;
		uint64_t section = module->base + module->image->sections[i].rva;
		lua_pushinteger(lua, (lua_Integer)section);
		return 1;
	}
	if (name && !export)
		return luaL_error(lua, "%s exports no %s", module->file->name, name);
	uint64_t address = export ? module->base + export->rva : module->base;
	lua_pushinteger(lua, (lua_Integer)address);
	return 1;
}

static int word_vad(lua_State *lua)
{
	const struct inv_forge_process *process = check_user_process(lua);
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, inv_word_value(lua, 2));
	if (!vad) {
		lua_pushnil(lua);
		return 1;
	}
	lua_pushinteger(lua, (lua_Integer)vad->address);
	lua_pushinteger(lua, (lua_Integer)vad->start);
	lua_pushinteger(lua, (lua_Integer)vad->end);
	return 3;
}

const luaL_Reg inv_memory_words[] = {
    {"alloc", word_alloc},
    {"map_file", word_map_file},
    {"load", word_load},
    {"unload", word_unload},
    {"unmap", word_unmap},
    {"protect", word_protect},
    {"write_memory", word_write_memory},
    {"read_memory", word_read_memory},
    {"page_state", word_page_state},
    {"module", word_module},
    {"vad", word_vad},
    {NULL, NULL},
};
