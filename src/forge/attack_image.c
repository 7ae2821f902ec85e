// SPDX-License-Identifier: Apache-2.0
// Words about lies of what a process runs. Each leaves in memory what the technique leaves, and touches nothing else.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/peb.h"
#include "forge/user.h"
#include "forge/words.h"

#define PAYLOAD "payload.exe"
#define TRANSACTION_SIZE 0x18u   // TXN_PARAMETER_BLOCK
#define DELETE_ON_CLOSE 0x10000u // FO_DELETE_ON_CLOSE (wdm.h)
#define READ_ACCESS 0x120089u    // FILE_GENERIC_READ
#define DELETE_ACCESS 0x130089u  // and DELETE

static struct inv_forge_process *check_program(lua_State *lua)
{
	struct inv_forge_process *process = inv_word_process(lua, 1);
	if (!process->program || !process->image_base || process->zombie || process->deleted)
		luaL_error(lua, "%s runs no program", process->name);
	return process;
}

// -- hollowing ----------------------------------------------------------------------------------------------------------------

static void build_payload(const struct inv_machine *machine, struct inv_user_image *payload, uint64_t base)
{
	*payload = (struct inv_user_image){.name = PAYLOAD, .seed = machine->config.seed, .build = machine->build};
	payload->code_size = 0x3000; // another size than that of the usual program
	inv_user_image_build(payload);
	inv_user_image_move(payload, base);
}

// The process was suspended before its loader ran, so what the loader enters first is what it finds at the base.
static void enter_payload(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t base,
                          const struct inv_user_image *payload)
{
	const struct inv_forge_loaded *loaded = inv_machine_loaded_at(process, base);
	if (!loaded)
		return;
	const struct inv_forge_half *half = &process->user->half[loaded->x86];
	inv_machine_put_half(machine, process, half, loaded->address, INV_F_LDR_MODULE_EntryPoint, base + payload->entry);
	inv_machine_put_half(machine, process, half, loaded->address, INV_F_LDR_MODULE_SizeOfImage, payload->size);
	inv_machine_put_half(machine, process, half, loaded->address, INV_F_LDR_MODULE_TimeDateStamp, payload->time_stamp);
}

// Create suspended; NtUnmapViewOfSection of the program; VirtualAllocEx and WriteProcessMemory at the same address; resume.
static uint64_t hollow_private(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base,
                               unsigned protection)
{
	struct inv_user_image payload;
	build_payload(machine, &payload, base);
	(void)inv_machine_unmap(machine, process, base);
	uint64_t at = inv_machine_alloc_user(machine, process, base, payload.size, INV_MM_READWRITE);
	if (at) {
		inv_machine_write_user(machine, process, at, payload.bytes, payload.size);
		(void)inv_machine_protect(machine, process, at, payload.size, protection);
		enter_payload(machine, process, at, &payload);
	}
	inv_user_image_clear(&payload);
	return at;
}

// Create suspended; NtUnmapViewOfSection; NtMapViewOfSection of an image section of another file; resume.
static uint64_t hollow_section(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base,
                               const char *path)
{
	struct inv_forge_file *file = inv_machine_file(machine, inv_machine_full_path(machine, path));
	(void)inv_machine_unmap(machine, process, base);
	uint64_t at = inv_machine_map_image(machine, process, file, 0, base);
	if (at)
		enter_payload(machine, process, at, file->image->image);
	return at;
}

// Create suspended; VirtualProtectEx and WriteProcessMemory over the program, as far as it reaches; resume.
static uint64_t hollow_in_place(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base)
{
	struct inv_user_image payload;
	build_payload(machine, &payload, base);
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, base);
	uint64_t room = vad ? vad->end - base : 0;
	inv_machine_write_user(machine, process, base, payload.bytes, payload.size < room ? payload.size : room);
	enter_payload(machine, process, base, &payload);
	inv_user_image_clear(&payload);
	return base;
}

static int word_hollow(lua_State *lua)
{
	static const char *const known[] = {"file", "protect", "in_place", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = check_program(lua);
	uint64_t base = process->image_base, at;
	if (lua_isnoneornil(lua, 2))
		lua_newtable(lua);
	inv_word_check_keys(lua, 2, known);
	const char *file = inv_word_key_text(lua, 2, "file"), *protect = inv_word_key_text(lua, 2, "protect");
	if (inv_word_key_flag(lua, 2, "in_place", false))
		at = hollow_in_place(machine, process, base);
	else if (file)
		at = hollow_section(machine, process, base, file);
	else
		at = hollow_private(machine, process, base,
		                    protect && strcmp(protect, "rx") == 0 ? INV_MM_EXECUTE_READ : INV_MM_EXECUTE_READWRITE);
	if (!at)
		return luaL_error(lua, "%s has no room there", process->name);
	inv_word_note(lua, "hollow", process->address, true);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)at);
	return 1;
}

// -- files --------------------------------------------------------------------------------------------------------------------

static void put_if(struct inv_machine *machine, uint64_t object, enum inv_field field, uint64_t value)
{
	if (inv_machine_has(machine, field))
		inv_machine_put(machine, object, field, value);
}

// Open with DELETE; FileDispositionInformation; write the program; NtCreateSection with SEC_IMAGE; close: the file is gone;
// NtCreateProcessEx from the section. Or all of it through two objects, of which the section's only wrote.
static int word_ghost(lua_State *lua)
{
	static const char *const known[] = {"other", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = check_program(lua);
	uint64_t asking = process->program->object;
	if (!lua_isnoneornil(lua, 2)) {
		inv_word_check_keys(lua, 2, known);
		if (inv_word_key_flag(lua, 2, "other", false))
			asking = inv_machine_open_file(machine, process->program);
	}
	put_if(machine, asking, INV_F_FILE_OBJECT_DeletePending, 1);
	put_if(machine, asking, INV_F_FILE_OBJECT_DeleteAccess, 1);
	put_if(machine, process->program->object, INV_F_FILE_OBJECT_WriteAccess, 1);
	inv_word_note(lua, "ghost", process->address, true);
	inv_word_check(lua);
	return 0;
}

// CreateTransaction; CreateFileTransacted; write the program; NtCreateSection with SEC_IMAGE; RollbackTransaction; NtCreateProcessEx
// or NtMapViewOfSection of the section.
static int word_transact(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	bool is_path = lua_type(lua, 1) == LUA_TSTRING;
	const struct inv_forge_process *process = is_path ? NULL : check_program(lua);
	const struct inv_forge_file *file =
	    is_path ? inv_machine_file(machine, inv_machine_full_path(machine, luaL_checkstring(lua, 1)))
	            : process->program;
	uint32_t size = inv_machine_size(machine, INV_T_FILE_OBJECT_EXTENSION, 0x58);
	uint64_t extension = inv_machine_pool(machine, &machine->pool, size, "IoFE");
	uint64_t block = inv_machine_pool(machine, &machine->pool, TRANSACTION_SIZE, "Tx  ");
	put_if(machine, file->object, INV_F_FILE_OBJECT_WriteAccess, 1);
	put_if(machine, file->object, INV_F_FILE_OBJECT_FileObjectExtension, extension);
	if (inv_machine_has(machine, INV_F_FILE_OBJECT_EXTENSION_FoExtPerTypeExtension)) {
		uint8_t bytes[8];
		inv_put64(bytes, block);
		inv_machine_write(machine,
		                  inv_machine_at(machine, extension, INV_F_FILE_OBJECT_EXTENSION_FoExtPerTypeExtension), bytes,
		                  sizeof bytes);
	}
	inv_word_note(lua, "transact", process ? process->address : file->object, true);
	inv_word_check(lua);
	return 0;
}

// Open for writing; write the program; NtCreateSection with SEC_IMAGE; NtCreateProcessEx; write something else over the file, which
// the cache holds; NtCreateThreadEx.
static int word_herpaderp(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = check_program(lua);
	struct inv_forge_file *file = process->program;
	struct inv_user_image decoy = {.name = "decoy.exe", .seed = machine->config.seed, .build = machine->build};
	inv_user_image_build(&decoy);
	uint8_t *bytes = inv_user_image_file(&decoy);
	bool had = file->data != NULL;
	(void)inv_machine_data_area(machine, file, bytes, decoy.file_size);
	free(bytes);
	inv_user_image_clear(&decoy);
	if (had)
		return luaL_error(lua, "the cache holds the file already");
	put_if(machine, file->object, INV_F_FILE_OBJECT_WriteAccess, 1);
	inv_word_note(lua, "herpaderp", process->address, true);
	inv_word_check(lua);
	return 0;
}

static int word_sign(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = check_program(lua);
	uint64_t level = inv_word_value(lua, 2);
	put_if(machine, process->program->image->segment, INV_F_SEGMENT_ImageSigningLevel, level);
	inv_word_note(lua, "sign", process->address, false);
	inv_word_check(lua);
	return 0;
}

// Whether file systems write the new name into objects that are open is not verified; this is the case in which they do.
static int word_rename_file(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = check_program(lua);
	const char *path = luaL_checkstring(lua, 2);
	if (inv_machine_has(machine, INV_F_FILE_OBJECT_FileName))
		inv_machine_unicode(machine, inv_machine_at(machine, process->program->object, INV_F_FILE_OBJECT_FileName),
		                    path);
	inv_word_note(lua, "rename_file", process->address, false);
	inv_word_check(lua);
	return 0;
}

// A file has an object for each who opened it. DeletePending is set by the object that deletion is asked through (FileDispositionInfo
// needs one that was opened for it, learn.microsoft.com); whether a file system marks further objects is not verified.
static int word_open_file(lua_State *lua)
{
	static const char *const known[] = {"write", "delete", "pending", "on_close", "related", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	const char *path = luaL_checkstring(lua, 2);
	if (lua_isnoneornil(lua, 3)) {
		lua_settop(lua, 2);
		lua_newtable(lua);
	}
	inv_word_check_keys(lua, 3, known);
	uint64_t related = inv_word_key_value(lua, 3, "related", 0);
	const char *above = inv_machine_called(machine, related);
	const char *whole =
	    above ? inv_arena_printf(machine->arena, "%s\\%s", above, path) : inv_machine_full_path(machine, path);
	uint64_t object = inv_machine_open_file(machine, inv_machine_file(machine, whole));
	if (above && inv_machine_has(machine, INV_F_FILE_OBJECT_FileName)) {
		inv_machine_put(machine, object, INV_F_FILE_OBJECT_RelatedFileObject, related);
		inv_machine_unicode(machine, inv_machine_at(machine, object, INV_F_FILE_OBJECT_FileName), path);
	}
	bool on_close = inv_word_key_flag(lua, 3, "on_close", false), pending = inv_word_key_flag(lua, 3, "pending", false);
	put_if(machine, object, INV_F_FILE_OBJECT_WriteAccess, inv_word_key_flag(lua, 3, "write", false));
	put_if(machine, object, INV_F_FILE_OBJECT_DeleteAccess,
	       on_close || pending || inv_word_key_flag(lua, 3, "delete", false));
	put_if(machine, object, INV_F_FILE_OBJECT_DeletePending, pending);
	if (on_close)
		put_if(machine, object, INV_F_FILE_OBJECT_Flags,
		       inv_machine_get(machine, object, INV_F_FILE_OBJECT_Flags) | DELETE_ON_CLOSE);
	uint64_t handle = inv_machine_open(machine, process, object, on_close || pending ? DELETE_ACCESS : READ_ACCESS, 0);
	inv_word_note(lua, "open_file", process->address, false);
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)handle);
	lua_pushinteger(lua, (lua_Integer)object);
	return 2;
}

const luaL_Reg inv_image_words[] = {
    {"hollow", word_hollow},       {"ghost", word_ghost}, {"transact", word_transact},
    {"herpaderp", word_herpaderp}, {"sign", word_sign},   {"rename_file", word_rename_file},
    {"open_file", word_open_file}, {NULL, NULL},
};
