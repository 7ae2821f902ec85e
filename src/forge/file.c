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
#define DIRECTORY_TYPE 3u // next to the type of types
#define DIRECTORY_SIZE 0x158u
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

// The directory \Device, in the root, whose own name is a backslash (public practice, as debuggers show it).
static uint64_t device_directory(struct inv_machine *machine)
{
	if (machine->device_directory)
		return machine->device_directory;
	const unsigned mask = INV_HEADER_NAME;
	uint64_t root = inv_machine_named_object(machine, DIRECTORY_SIZE, "Dire", DIRECTORY_TYPE, mask, "\\");
	uint64_t devices = inv_machine_named_object(machine, DIRECTORY_SIZE, "Dire", DIRECTORY_TYPE, mask, "Device");
	inv_machine_put_directory(machine, devices, root);
	return machine->device_directory = devices;
}

// The DEVICE_OBJECT of this name.
static uint64_t make_device(struct inv_machine *machine, const char *name)
{
	if (!machine->types[INV_FORGE_DEVICE])
		(void)inv_machine_make_type(machine, "Device", INV_FORGE_DEVICE);
	uint32_t size = inv_machine_size(machine, INV_T_DEVICE_OBJECT, DEVICE_OBJECT_SIZE);
	uint64_t device = inv_machine_named_object(machine, size, machine->build < 9200 ? "Dev\xe9" : "Devi",
	                                           INV_FORGE_DEVICE, INV_HEADER_NAME, name);
	inv_machine_put_directory(machine, device, device_directory(machine));
	inv_machine_put(machine, inv_machine_header(machine, device), INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_put(machine, device, INV_F_DEVICE_OBJECT_Type, DEVICE_OBJECT_TYPE);
	inv_machine_put(machine, device, INV_F_DEVICE_OBJECT_Size, size);
	return device;
}

// The device of a path; what names none is on the one volume.
static uint64_t device_of(struct inv_machine *machine, const char *path)
{
	const char *name = strncmp(path, "\\Device\\", 8) == 0 ? path + 8 : &VOLUME[8];
	size_t length = strcspn(name, "\\");
	for (size_t i = 0; i < inv_count(machine->devices); i++)
		if (strlen(machine->devices[i].name) == length && strncmp(machine->devices[i].name, name, length) == 0)
			return machine->devices[i].address;
	struct inv_forge_device device = {.name = inv_arena_printf(machine->arena, "%.*s", (int)length, name)};
	device.address = make_device(machine, device.name);
	inv_push(machine->devices, device);
	return device.address;
}

static uint64_t put_object(struct inv_machine *machine, const char *path)
{
	uint32_t size = inv_machine_size(machine, INV_T_FILE_OBJECT, 0xd8);
	uint64_t at = inv_machine_object(machine, size, machine->build < 9200 ? "Fil\xe5" : "File", INV_FORGE_FILE);
	inv_machine_put(machine, inv_machine_header(machine, at), INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Type, FILE_OBJECT_TYPE);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_Size, size);
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_DeviceObject, device_of(machine, path));
	inv_machine_put(machine, at, INV_F_FILE_OBJECT_ReadAccess, 1);
	return at;
}

static void put_name(struct inv_machine *machine, uint64_t object, const struct inv_forge_file *file)
{
	if (inv_machine_has(machine, INV_F_FILE_OBJECT_FileName))
		inv_machine_unicode(machine, inv_machine_at(machine, object, INV_F_FILE_OBJECT_FileName),
		                    volume_relative(file->path));
	const char *device = strncmp(file->path, "\\Device\\", 8) == 0 ? "" : VOLUME;
	inv_machine_call(machine, object, inv_arena_printf(machine->arena, "%s%s", device, file->path));
}

static void put_file(struct inv_machine *machine, struct inv_forge_file *file)
{
	uint64_t at = file->object = put_object(machine, file->path);
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
	uint64_t at = put_object(machine, file->path);
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
	inv_array_free(machine->devices);
}
