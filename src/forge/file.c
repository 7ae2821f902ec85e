// SPDX-License-Identifier: Apache-2.0
// Files as the I/O manager knows them: a FILE_OBJECT, and what the file system keeps for all who open the file.
#include <stdlib.h>
#include <string.h>

#include "forge/section.h"

#define SYSTEM_32 "\\Device\\HarddiskVolume3\\Windows\\System32\\"
#define VOLUME "\\Device\\HarddiskVolume3"
#define FILE_OBJECT_TYPE 5u // IO_TYPE_FILE
#define DEVICE_OBJECT_TYPE 3u
#define DEVICE_OBJECT_SIZE 0x150u
#define CONTEXT_SIZE 0x180u      // what NTFS keeps of a file: as far as the forge says
#define FILE_FLAGS 0x40042u      // FO_SYNCHRONOUS_IO, FO_CACHE_SUPPORTED, FO_HANDLE_CREATED
#define CLEANUP_COMPLETE 0x4000u // FO_CLEANUP_COMPLETE: all handles are closed

// Without "\Device\Name".
static const char *volume_relative(const char *path)
{
	const char *at = path;
	for (unsigned i = 0; i < 2 && at; i++)
		at = strchr(at + 1, '\\');
	return at && strncmp(path, "\\Device\\", 8) == 0 ? at : path;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

// The DEVICE_OBJECT of the one volume.
static uint64_t volume_of(struct inv_machine *machine)
{
	if (!machine->volume) {
		machine->volume = inv_machine_pool(machine, &machine->pool, DEVICE_OBJECT_SIZE, "Devi");
		const uint8_t head[4] = {DEVICE_OBJECT_TYPE, 0, DEVICE_OBJECT_SIZE & 0xff, DEVICE_OBJECT_SIZE >> 8};
		inv_machine_write(machine, machine->volume, head, sizeof head);
	}
	return machine->volume;
}

static uint64_t put_object(struct inv_machine *machine)
{
	uint32_t size = inv_machine_size(machine, INV_T_FILE_OBJECT, 0xd8);
	uint64_t at = inv_machine_object(machine, size, machine->build < 9200 ? "Fil\xe5" : "File", INV_FORGE_FILE);
	inv_machine_put(machine, inv_machine_header(machine, at), INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Type, FILE_OBJECT_TYPE);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Size, size);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_DeviceObject, volume_of(machine));
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_ReadAccess, 1);
	return at;
}

static void put_name(struct inv_machine *machine, uint64_t object, const struct inv_forge_file *file)
{
	if (inv_machine_has(machine, INV_F_FILE_OBJECT_FileName))
		inv_machine_unicode(machine, inv_machine_at(machine, object, INV_F_FILE_OBJECT_FileName),
		                    volume_relative(file->path));
}

static void put_file(struct inv_machine *machine, struct inv_forge_file *file)
{
	uint64_t at = file->object = put_object(machine);
	file->pointers = inv_machine_pool(machine, &machine->pool,
	                                  inv_machine_size(machine, INV_T_SECTION_OBJECT_POINTERS, 0x18), "Sect");
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_FsContext,
	                inv_machine_pool(machine, &machine->paged, CONTEXT_SIZE, "Ntff"));
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_SectionObjectPointer, file->pointers);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Flags, FILE_FLAGS | CLEANUP_COMPLETE);
	put_name(machine, at, file);
}

uint64_t inv_machine_open_file(struct inv_machine *machine, const struct inv_forge_file *file)
{
	uint64_t at = put_object(machine);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_FsContext,
	                inv_machine_get(machine, file->object, INV_F_FILE_OBJECT_FsContext));
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_SectionObjectPointer, file->pointers);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Flags, FILE_FLAGS);
	put_name(machine, at, file);
	return at;
}

struct inv_forge_file *inv_machine_file(struct inv_machine *machine, const char *path)
{
	char *key = inv_alloc(strlen(path) + 1); // the map takes keys that it could change
	memcpy(key, path, strlen(path) + 1);
	struct inv_forge_file *file = stbds_shget(machine->files, key);
	if (!file) {
		file = inv_alloc(sizeof *file);
		char *kept = inv_arena_strdup(machine->arena, path);
		file->path = kept;
		file->name = last_part(kept);
		stbds_shput(machine->files, kept, file);
		put_file(machine, file);
	}
	free(key);
	return file;
}

const char *inv_machine_full_path(struct inv_machine *machine, const char *path)
{
	if (strncmp(path, "C:\\", 3) == 0)
		return inv_arena_printf(machine->arena, VOLUME "%s", path + 2);
	if (!strchr(path, '\\'))
		return inv_arena_printf(machine->arena, SYSTEM_32 "%s", path);
	return path;
}

static void free_area(struct inv_forge_area *area)
{
	if (!area)
		return;
	inv_array_free(area->subsections);
	inv_array_free(area->pages);
	if (area->image)
		inv_user_image_clear(area->image);
	free(area->image);
	free(area);
}

void inv_forge_free_files(struct inv_machine *machine)
{
	for (size_t i = 0; i < inv_count(machine->areas); i++)
		free_area(machine->areas[i]);
	inv_array_free(machine->areas);
	for (ptrdiff_t i = 0; i < stbds_shlen(machine->files); i++)
		free(machine->files[i].value);
	stbds_shfree(machine->files);
}
