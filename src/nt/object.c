// SPDX-License-Identifier: Apache-2.0
#include "nt/object.h"

#include <string.h>

#include "base/array.h"

// The type of types, since Windows 7 the first that is made: ObTypeIndexTable begins with two entries that are none.
#define TYPE_INDEX_TYPE 2u

uint64_t inv_object_header(const struct inv_kernel *kernel, uint64_t body)
{
	uint64_t offset;
	if (!inv_field_address(kernel, 0, INV_F_OBJECT_HEADER_Body, &offset) || body < offset)
		return 0;
	return body - offset;
}

uint64_t inv_object_body(const struct inv_kernel *kernel, uint64_t header)
{
	uint64_t body;
	return inv_field_address(kernel, header, INV_F_OBJECT_HEADER_Body, &body) ? body : 0;
}

struct inv_value inv_object_field(const struct inv_kernel *kernel, uint64_t body, enum inv_field field)
{
	uint64_t header = inv_object_header(kernel, body);
	if (!header)
		return (struct inv_value){.why = {.reason = INV_NO_FIELD, .name = "_OBJECT_HEADER.Body"}};
	return inv_field(kernel, header, field);
}

uint8_t inv_object_decode_index(const struct inv_object_types *types, uint64_t header, uint8_t raw)
{
	return types->encoded ? (uint8_t)(raw ^ types->cookie ^ (header >> 8 & 0xff)) : raw;
}

struct inv_value inv_object_type_index(const struct inv_kernel *kernel, const struct inv_object_types *types,
                                       uint64_t header)
{
	if (types->unknown)
		return (struct inv_value){.why = {.reason = INV_NO_SYMBOL, .name = "ObHeaderCookie"}};
	struct inv_value raw = inv_field(kernel, header, INV_F_OBJECT_HEADER_TypeIndex);
	if (raw.ok)
		raw.u = inv_object_decode_index(types, header, (uint8_t)raw.u);
	return raw;
}

// In the order of InfoMask's bits, from the header downwards: creator, name, handle, quota and process information (public practice,
// every x64 build).
static const uint8_t optional_sizes[] = {0x20, 0x20, 0x10, 0x20, 0x10};
#define NAME_BIT 1u
#define DIRECTORY_DEPTH 16u
#define HANDLE_BIT 2u
#define SINGLE_ENTRY 0x40u // of OBJECT_HEADER.Flags

bool inv_object_optional_size(const struct inv_kernel *kernel, uint64_t header, uint64_t *size)
{
	struct inv_value mask = inv_field(kernel, header, INV_F_OBJECT_HEADER_InfoMask);
	*size = 0;
	for (unsigned bit = 0; bit < 8; bit++) {
		if (!mask.ok || !(mask.u >> bit & 1))
			continue;
		if (bit >= sizeof optional_sizes)
			return false;
		*size += optional_sizes[bit];
	}
	return mask.ok;
}

// How far before the header the information of this bit stands; the mask must have it.
static uint64_t distance_of(uint64_t mask, unsigned bit)
{
	uint64_t distance = 0;
	for (unsigned i = 0; i <= bit; i++)
		distance += mask >> i & 1 ? optional_sizes[i] : 0u;
	return distance;
}

// The optional header with its name; 0 with the reason, or with ok if it has none.
static uint64_t name_info(const struct inv_kernel *kernel, uint64_t header, struct inv_value *mask)
{
	*mask = inv_field(kernel, header, INV_F_OBJECT_HEADER_InfoMask);
	if (!mask->ok || !(mask->u >> NAME_BIT & 1)) {
		mask->u = 0;
		return 0;
	}
	uint64_t below = distance_of(mask->u, NAME_BIT), name;
	if (header < below || !inv_field_address(kernel, header - below, INV_F_OBJECT_HEADER_NAME_INFO_Name, &name)) {
		*mask = inv_field(kernel, 0, INV_F_OBJECT_HEADER_NAME_INFO_Name);
		return 0;
	}
	return header - below;
}

const char *inv_object_name(const struct inv_kernel *kernel, uint64_t header, struct inv_arena *arena,
                            struct inv_value *length)
{
	uint64_t info = name_info(kernel, header, length), name;
	if (!info || !inv_field_address(kernel, info, INV_F_OBJECT_HEADER_NAME_INFO_Name, &name))
		return "";
	return inv_read_unicode(kernel, name, arena, length);
}

const char *inv_object_path(const struct inv_kernel *kernel, uint64_t header, struct inv_arena *arena,
                            struct inv_value *length)
{
	const char *path = inv_object_name(kernel, header, arena, length);
	for (unsigned depth = 0; *path && length->ok && depth < DIRECTORY_DEPTH; depth++) {
		struct inv_value mask, above;
		uint64_t info = name_info(kernel, header, &mask);
		struct inv_value directory = inv_field(kernel, info, INV_F_OBJECT_HEADER_NAME_INFO_Directory);
		header = directory.ok && directory.u ? inv_object_header(kernel, directory.u) : 0;
		const char *name = header ? inv_object_name(kernel, header, arena, &above) : "";
		if (!*name || !above.ok)
			return path;
		if (strcmp(name, "\\") == 0)
			return inv_arena_printf(arena, "\\%s", path);
		path = inv_arena_printf(arena, "%s\\%s", name, path);
	}
	return path;
}

// Before 8.1 the bit has no name of its own.
static struct inv_value has_single_entry(const struct inv_kernel *kernel, uint64_t header)
{
	struct inv_value single = inv_field(kernel, header, INV_F_OBJECT_HEADER_SingleHandleEntry);
	if (single.ok || single.why.reason != INV_NO_FIELD)
		return single;
	single = inv_field(kernel, header, INV_F_OBJECT_HEADER_Flags);
	single.u = (single.u & SINGLE_ENTRY) != 0;
	return single;
}

static bool take_holding(const struct inv_value *process, const struct inv_value *count, struct inv_holding **holdings)
{
	struct inv_holding holding = {.process = process->u, .count = count->u, .at = process->address};
	if (process->ok && count->ok && process->u && count->u)
		inv_push(*holdings, holding);
	return process->ok && count->ok;
}

static bool take_single(const struct inv_kernel *kernel, uint64_t info, struct inv_holding **holdings)
{
	struct inv_value process = inv_field(kernel, info, INV_F_OBJECT_HEADER_HANDLE_INFO_Process);
	struct inv_value count = inv_field(kernel, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCount);
	return take_holding(&process, &count, holdings);
}

static bool take_table(const struct inv_kernel *kernel, uint64_t table, size_t *budget, struct inv_holding **holdings)
{
	struct inv_value entries = inv_field(kernel, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_CountEntries);
	uint64_t at, size = kernel->layout ? kernel->layout->size[INV_T_OBJECT_HANDLE_COUNT_ENTRY] : 0;
	if (!entries.ok || !size ||
	    !inv_field_address(kernel, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_HandleCountEntries, &at))
		return false;
	if (entries.u > INV_HOLDING_BOUND || entries.u > *budget)
		return false;
	*budget -= entries.u;
	for (uint64_t i = 0; i < entries.u; i++, at += size) {
		struct inv_value process = inv_field(kernel, at, INV_F_OBJECT_HANDLE_COUNT_ENTRY_Process);
		struct inv_value count = inv_field(kernel, at, INV_F_OBJECT_HANDLE_COUNT_ENTRY_HandleCount);
		if (!take_holding(&process, &count, holdings))
			return false;
	}
	return true;
}

bool inv_object_holdings(const struct inv_kernel *kernel, uint64_t header, size_t *budget,
                         struct inv_holding **holdings)
{
	struct inv_value mask = inv_field(kernel, header, INV_F_OBJECT_HEADER_InfoMask);
	if (!mask.ok || !(mask.u & INV_INFO_HANDLES))
		return mask.ok;
	uint64_t info = header - distance_of(mask.u, HANDLE_BIT);
	struct inv_value single = has_single_entry(kernel, header);
	if (!single.ok || single.u)
		return single.ok && take_single(kernel, info, holdings);
	struct inv_value table = inv_field(kernel, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase);
	return table.ok && (table.u == 0 || take_table(kernel, table.u, budget, holdings));
}

struct inv_value inv_object_type_at(const struct inv_kernel *kernel, const struct inv_object_types *types,
                                    uint8_t index)
{
	if (!types->table)
		return (struct inv_value){.why = {.reason = INV_NO_SYMBOL, .name = "ObTypeIndexTable"}};
	return inv_read_u64(kernel, types->table + 8ull * index);
}

// The table ends with a null pointer, and begins with two entries that are no types.
static struct inv_type_rights rights_of(const struct inv_kernel *kernel, const struct inv_value *type, unsigned index)
{
	struct inv_type_rights rights = {.state = INV_TYPE_UNREAD};
	if (!type->ok)
		return rights;
	if (index < TYPE_INDEX_TYPE || !(type->u >> 63))
		return (struct inv_type_rights){.state = INV_TYPE_NONE};
	struct inv_value own = inv_field(kernel, type->u, INV_F_OBJECT_TYPE_Index);
	struct inv_value valid = inv_field(kernel, type->u, INV_F_OBJECT_TYPE_ValidAccessMask);
	if (own.ok && own.u != index)
		rights.state = INV_TYPE_NONE;
	else if (own.ok && valid.ok)
		rights = (struct inv_type_rights){INV_TYPE_KNOWN, (uint32_t)valid.u};
	return rights;
}

void inv_object_rights_read(const struct inv_kernel *kernel, const struct inv_object_types *types,
                            struct inv_type_rights *rights)
{
	for (unsigned i = 0; i < INV_TYPE_INDICES; i++) {
		struct inv_value type = inv_object_type_at(kernel, types, (uint8_t)i);
		rights[i] = rights_of(kernel, &type, i);
	}
}

static struct inv_value read_pointer(const struct inv_kernel *kernel, enum inv_symbol symbol)
{
	struct inv_value address = inv_kernel_symbol(kernel, symbol, NULL);
	return address.ok ? inv_read_u64(kernel, address.u) : address;
}

static struct inv_value index_of(const struct inv_kernel *kernel, const struct inv_value *type)
{
	return type->ok ? inv_field(kernel, type->u, INV_F_OBJECT_TYPE_Index) : *type;
}

// Which of the two encodings: only a table of this very kernel says that there is no cookie.
static const char *read_cookie(const struct inv_kernel *kernel, struct inv_object_types *types)
{
	if (!kernel->layout || kernel->layout->arch != INV_ARCH_X64)
		return "type indices can be decoded only for x64";
	if (!kernel->rva)
		return "the kernel's own symbols are not known, so neither is ObHeaderCookie";
	struct inv_value address = inv_kernel_symbol(kernel, INV_S_ObHeaderCookie, NULL);
	types->encoded = address.ok;
	if (!types->encoded)
		return NULL;
	struct inv_value cookie = inv_read_u32(kernel, address.u);
	if (!cookie.ok)
		return "ObHeaderCookie could not be read";
	types->cookie = (uint8_t)cookie.u;
	return NULL;
}

static bool decodes(const struct inv_kernel *kernel, const struct inv_object_types *types, uint64_t body,
                    uint64_t expected)
{
	uint64_t header = body ? inv_object_header(kernel, body) : 0;
	struct inv_value index = {0};
	if (header)
		index = inv_object_type_index(kernel, types, header);
	return index.ok && index.u == expected;
}

void inv_object_types_read(const struct inv_kernel *kernel, uint64_t system, struct inv_object_types *types)
{
	*types = (struct inv_object_types){.process = read_pointer(kernel, INV_S_PsProcessType),
	                                   .thread = read_pointer(kernel, INV_S_PsThreadType),
	                                   .token = read_pointer(kernel, INV_S_SeTokenObjectType),
	                                   .job = read_pointer(kernel, INV_S_PsJobType)};
	types->process_id = index_of(kernel, &types->process);
	types->thread_id = index_of(kernel, &types->thread);
	types->token_id = index_of(kernel, &types->token);
	types->job_id = index_of(kernel, &types->job);
	struct inv_value type = read_pointer(kernel, INV_S_AlpcPortObjectType);
	types->port_id = index_of(kernel, &type);
	type = read_pointer(kernel, INV_S_EtwpRegistrationObjectType);
	types->registration_id = index_of(kernel, &type);
	type = read_pointer(kernel, INV_S_ExTimerObjectType);
	types->timer_id = index_of(kernel, &type);
	struct inv_value table = inv_kernel_symbol(kernel, INV_S_ObTypeIndexTable, NULL);
	types->table = table.ok ? table.u : 0;
	types->unknown = read_cookie(kernel, types);
	if (types->unknown)
		return;
	bool by_type = types->process.ok && decodes(kernel, types, types->process.u, TYPE_INDEX_TYPE);
	bool by_system = types->process_id.ok && decodes(kernel, types, system, types->process_id.u);
	if (!types->process_id.ok)
		types->unknown = "PsProcessType could not be read";
	else if (!by_type && !by_system)
		types->unknown = "type indices do not decode to what System and PsProcessType are";
}
