// SPDX-License-Identifier: Apache-2.0
// Pool, objects and strings.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define POOL_HEADER_SIZE 0x10u
#define OBJECT_HEADER_SIZE 0x30u // up to Body; x64, every build
#define MAX_STRING 0x7ff0u       // characters
#define SYSTEM_PID 4u            // who made an object, as far as the forge says

void inv_region_init(struct inv_machine *machine, struct inv_region *region, uint64_t start, uint64_t size,
                     uint64_t flags)
{
	region->next = region->mapped = start;
	region->end = start + size;
	region->flags = flags;
	for (uint64_t at = start; at < region->end; at += 1ull << 39)
		inv_maps_reserve(&machine->maps, at);
}

static void map_up_to(struct inv_machine *machine, struct inv_region *region, uint64_t end)
{
	for (; region->mapped < end; region->mapped += INV_RAM_PAGE)
		inv_maps_map(&machine->maps, region->mapped, inv_ram_take(machine->ram, INV_RAM_KERNEL), region->flags);
}

uint64_t inv_region_take(struct inv_machine *machine, struct inv_region *region, uint64_t size, uint64_t align)
{
	uint64_t at = (region->next + align - 1) / align * align;
	if (size <= INV_RAM_PAGE && at / INV_RAM_PAGE != (at + size - 1) / INV_RAM_PAGE) {
		at = (at / INV_RAM_PAGE + 1) * INV_RAM_PAGE;
		at = (at + align - 1) / align * align;
	}
	region->next = at + size;
	map_up_to(machine, region, at + size);
	return at;
}

// _POOL_HEADER of x64: PreviousSize, PoolIndex, BlockSize, PoolType in a byte each (sizes in units of 16), PoolTag at 4.
static void put_pool_header(struct inv_machine *machine, uint64_t at, uint64_t size, const char tag[5])
{
	uint8_t header[POOL_HEADER_SIZE] = {0};
	if (size / 16 < 256)
		header[2] = (uint8_t)(size / 16);
	header[3] = 2; // non-paged and in use
	memcpy(header + 4, tag, 4);
	inv_machine_write(machine, at, header, sizeof header);
}

uint64_t inv_machine_pool(struct inv_machine *machine, struct inv_region *region, uint32_t size, const char tag[5])
{
	uint64_t whole = (POOL_HEADER_SIZE + (uint64_t)size + 15) / 16 * 16;
	uint64_t at = inv_region_take(machine, region, whole, 16);
	put_pool_header(machine, at, whole, tag);
	return at + POOL_HEADER_SIZE;
}

// From Windows 10 on the index is stored XORed with a cookie and the second byte of the header's own address (source:
// layouts.md B.3.7; confirmed in the code of PspExitThread).
static uint8_t encode_type_index(const struct inv_machine *machine, uint64_t header, uint8_t index)
{
	if (machine->build < 10240)
		return index;
	return (uint8_t)(index ^ machine->cookie ^ (header >> 8 & 0xff));
}

// -- optional headers -------------------------------------------------------------------------------------------------------
// They stand before the OBJECT_HEADER, that of the lowest bit of InfoMask next to it. (Public practice; the sizes are those of
// every x64 symbol table.)

struct optional {
	enum inv_type type;
	uint32_t size;
};

static const struct optional optionals[] = {
    {INV_T_OBJECT_HEADER_CREATOR_INFO, 0x20}, {INV_T_OBJECT_HEADER_NAME_INFO, 0x20},
    {INV_T_OBJECT_HEADER_HANDLE_INFO, 0x10},  {INV_T_OBJECT_HEADER_QUOTA_INFO, 0x20},
    {INV_T_OBJECT_HEADER_PROCESS_INFO, 0x10},
};
#define OPTIONALS (sizeof optionals / sizeof *optionals)

uint32_t inv_machine_optional_size(const struct inv_machine *machine, unsigned mask)
{
	uint32_t size = 0;
	for (size_t i = 0; i < OPTIONALS; i++)
		if (mask >> i & 1)
			size += inv_machine_size(machine, optionals[i].type, optionals[i].size);
	return size;
}

static uint64_t optional_at(const struct inv_machine *machine, uint64_t header, unsigned mask, unsigned bit)
{
	return mask & bit ? header - inv_machine_optional_size(machine, mask & (bit | (bit - 1))) : 0;
}

// Every object of a type stands on the type's list, if it has a place for the link.
void inv_machine_join_type(struct inv_machine *machine, uint64_t object)
{
	uint64_t header = inv_machine_header(machine, object), type = inv_machine_type_of(machine, object);
	unsigned mask = (unsigned)inv_machine_get(machine, header, INV_F_OBJECT_HEADER_InfoMask);
	uint64_t creator = optional_at(machine, header, mask, INV_HEADER_CREATOR);
	if (!creator || !type || !inv_machine_has(machine, INV_F_OBJECT_TYPE_TypeList))
		return;
	inv_machine_list_append(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_TypeList),
	                        inv_machine_at(machine, creator, INV_F_OBJECT_HEADER_CREATOR_INFO_TypeList));
}

void inv_machine_leave_type(struct inv_machine *machine, uint64_t object)
{
	uint64_t header = inv_machine_header(machine, object);
	unsigned mask = (unsigned)inv_machine_get(machine, header, INV_F_OBJECT_HEADER_InfoMask);
	uint64_t creator = optional_at(machine, header, mask, INV_HEADER_CREATOR);
	uint64_t entry = creator ? inv_machine_at(machine, creator, INV_F_OBJECT_HEADER_CREATOR_INFO_TypeList) : 0;
	if (entry && inv_machine_get64(machine, entry))
		inv_machine_list_remove(machine, entry);
}

uint64_t inv_machine_handle_info(const struct inv_machine *machine, uint64_t object)
{
	uint64_t header = inv_machine_header(machine, object);
	unsigned mask = (unsigned)inv_machine_get(machine, header, INV_F_OBJECT_HEADER_InfoMask);
	return optional_at(machine, header, mask, INV_HEADER_HANDLE);
}

// HANDLE_INFO stays empty but for types with MaintainHandleCount (handles.c), and PROCESS_INFO always: no object is exclusive.
static void put_optionals(struct inv_machine *machine, uint64_t header, unsigned mask, uint32_t size, const char *name)
{
	uint64_t creator = optional_at(machine, header, mask, INV_HEADER_CREATOR);
	uint64_t named = optional_at(machine, header, mask, INV_HEADER_NAME);
	uint64_t quota = optional_at(machine, header, mask, INV_HEADER_QUOTA);
	if (creator)
		inv_machine_put(machine, creator, INV_F_OBJECT_HEADER_CREATOR_INFO_CreatorUniqueProcess, SYSTEM_PID);
	if (named) {
		inv_machine_put(machine, named, INV_F_OBJECT_HEADER_NAME_INFO_ReferenceCount, 1);
		if (name && inv_machine_has(machine, INV_F_OBJECT_HEADER_NAME_INFO_Name))
			inv_machine_unicode(machine, inv_machine_at(machine, named, INV_F_OBJECT_HEADER_NAME_INFO_Name), name);
	}
	if (quota) {
		inv_machine_put(machine, quota, INV_F_OBJECT_HEADER_QUOTA_INFO_PagedPoolCharge, INV_RAM_PAGE);
		inv_machine_put(machine, quota, INV_F_OBJECT_HEADER_QUOTA_INFO_NonPagedPoolCharge, size);
	}
}

// The headers and the object behind them, in a block whose content begins at `start`; the address of the body.
static uint64_t put_header(struct inv_machine *machine, uint64_t start, uint32_t size, uint8_t type_index,
                           unsigned mask, const char *name)
{
	uint64_t header = start + inv_machine_optional_size(machine, mask), object = header + OBJECT_HEADER_SIZE;
	if (inv_forge_counts_handles(type_index))
		inv_machine_put(machine, header, INV_F_OBJECT_HEADER_Flags, INV_HEADER_SINGLE_ENTRY);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_PointerCount, 0x8000);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_HandleCount, 1);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_TypeIndex, encode_type_index(machine, header, type_index));
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_InfoMask, mask);
	put_optionals(machine, header, mask, size, name);
	stbds_hmput(machine->blocks, object, start - POOL_HEADER_SIZE);
	inv_machine_join_type(machine, object);
	return object;
}

uint64_t inv_machine_named_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index,
                                  unsigned mask, const char *name)
{
	mask |= machine->config.object_headers | (inv_forge_counts_handles(type_index) ? INV_HEADER_HANDLE : 0);
	uint32_t whole = inv_machine_optional_size(machine, mask) + OBJECT_HEADER_SIZE + size;
	uint64_t start = inv_machine_pool(machine, &machine->pool, whole, tag);
	return put_header(machine, start, size, type_index, mask, name);
}

void inv_machine_put_directory(struct inv_machine *machine, uint64_t object, uint64_t directory)
{
	uint64_t header = object - OBJECT_HEADER_SIZE;
	unsigned mask = (unsigned)inv_machine_get(machine, header, INV_F_OBJECT_HEADER_InfoMask);
	uint64_t named = optional_at(machine, header, mask, INV_HEADER_NAME);
	if (named)
		inv_machine_put(machine, named, INV_F_OBJECT_HEADER_NAME_INFO_Directory, directory);
}

void inv_machine_call(struct inv_machine *machine, uint64_t object, const char *name)
{
	stbds_hmput(machine->names, object, name);
}

const char *inv_machine_called(const struct inv_machine *machine, uint64_t object)
{
	struct inv_forge_called *names = machine->names;
	return names ? stbds_hmget(names, object) : NULL;
}

uint64_t inv_machine_put_header(struct inv_machine *machine, uint64_t start, uint32_t size, uint8_t type_index)
{
	return put_header(machine, start, size, type_index, INV_HEADER_QUOTA | machine->config.object_headers, NULL);
}

uint64_t inv_machine_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index)
{
	return inv_machine_named_object(machine, size, tag, type_index, INV_HEADER_QUOTA, NULL);
}

uint64_t inv_machine_block_of(const struct inv_machine *machine, uint64_t object)
{
	struct inv_forge_block *blocks = machine->blocks;
	return stbds_hmget(blocks, object);
}

void inv_machine_put_type(struct inv_machine *machine, uint64_t object, uint8_t type_index)
{
	uint64_t header = object - OBJECT_HEADER_SIZE;
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_TypeIndex, encode_type_index(machine, header, type_index));
}

uint64_t inv_machine_type_of(const struct inv_machine *machine, uint64_t object)
{
	uint64_t header = object - OBJECT_HEADER_SIZE;
	uint64_t stored = inv_machine_get(machine, header, INV_F_OBJECT_HEADER_TypeIndex);
	uint8_t index = encode_type_index(machine, header, (uint8_t)stored); // the encoding is its own inverse
	return index < INV_FORGE_MAX_TYPES ? machine->types[index] : 0;
}

// A UNICODE_STRING of `length` characters at `where` whose characters stand at `buffer`.
static void put_unicode(struct inv_machine *machine, uint64_t where, uint64_t buffer, const char *text, size_t length)
{
	uint8_t string[16] = {0};
	inv_put16(string, (uint16_t)(2 * length));
	inv_put16(string + 2, (uint16_t)(2 * length + 2));
	if (length) {
		uint8_t *units = inv_alloc(2 * length + 2);
		for (size_t i = 0; i < length; i++)
			units[2 * i] = (uint8_t)text[i];
		inv_machine_write(machine, buffer, units, 2 * length + 2);
		free(units);
		inv_put64(string + 8, buffer);
	}
	inv_machine_write(machine, where, string, sizeof string);
}

void inv_machine_unicode(struct inv_machine *machine, uint64_t where, const char *text)
{
	size_t length = strnlen(text, MAX_STRING);
	uint64_t buffer = length ? inv_machine_pool(machine, &machine->paged, (uint32_t)(2 * length + 2), "ObNm") : 0;
	put_unicode(machine, where, buffer, text, length);
}

uint64_t inv_machine_name_information(struct inv_machine *machine, const char *text)
{
	size_t length = strnlen(text, MAX_STRING);
	uint32_t size = inv_machine_size(machine, INV_T_OBJECT_NAME_INFORMATION, 0x10);
	uint64_t name = inv_machine_pool(machine, &machine->paged, size + (uint32_t)(2 * length + 2), "SePa");
	put_unicode(machine, name, name + size, text, length);
	return name;
}
