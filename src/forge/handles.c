// SPDX-License-Identifier: Apache-2.0
// Handle tables and their entries, free and used, and the counts that go with them. (Form of an entry: layouts.md B.3.7. Where it
// was not read in the kernel's code it is marked.)
#include <stdlib.h>

#include "forge/machine.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 256u // of a page; the first is the table's own
#define ENTRY_SIZE 16u
#define POINTERS (PAGE / 8)
#define LEVELS 7ull // the low bits of TableCode
#define UNLOCKED 1ull
#define REFERENCES 0x7fffull // what a handle holds in advance from Windows 8 on, in bits 1 to 16 of its entry

static uint64_t beneath(unsigned level)
{
	return level == 0 ? 1 : level == 1 ? ENTRIES : (uint64_t)ENTRIES * POINTERS;
}

static bool has_bits(const struct inv_machine *machine)
{
	return inv_machine_has(machine, INV_F_HANDLE_TABLE_ENTRY_ObjectPointerBits);
}

uint64_t inv_machine_encode_pointer(const struct inv_machine *machine, uint64_t object)
{
	if (!has_bits(machine))
		return object;
	return object >> 4 << machine->layout->place[INV_F_HANDLE_TABLE_ENTRY_ObjectPointerBits].bit;
}

// Windows puts a page of pointers above when a table is full.
static void grow(struct inv_machine *machine, uint64_t table, uint64_t index)
{
	for (;;) {
		uint64_t code = inv_machine_get(machine, table, INV_F_HANDLE_TABLE_TableCode);
		unsigned level = (unsigned)(code & LEVELS);
		if (level == 2 || index < beneath(level + 1))
			return;
		uint64_t top = inv_region_take(machine, &machine->paged, PAGE, PAGE);
		inv_machine_put64(machine, top, code & ~LEVELS);
		inv_machine_put(machine, table, INV_F_HANDLE_TABLE_TableCode, top | (level + 1));
	}
}

// The address of an entry; 0 if a page that leads there is missing and is not to be made. `fresh`: its own page was made.
static uint64_t find_entry(struct inv_machine *machine, uint64_t table, uint64_t index, bool make, bool *fresh)
{
	uint64_t code = inv_machine_get(machine, table, INV_F_HANDLE_TABLE_TableCode);
	uint64_t page = code & ~LEVELS;
	for (unsigned level = (unsigned)(code & LEVELS); level > 0; level--) {
		uint64_t pointer = page + 8 * (index / beneath(level));
		index %= beneath(level);
		page = inv_machine_get64(machine, pointer);
		if (page)
			continue;
		if (!make)
			return 0;
		page = inv_region_take(machine, &machine->paged, PAGE, PAGE);
		inv_machine_put64(machine, pointer, page);
		*fresh = level == 1;
	}
	return page + ENTRY_SIZE * index;
}

// Windows adds pages in the order of their handles, so that no page of pointers has a gap.
uint64_t inv_machine_table_entry(struct inv_machine *machine, uint64_t table, uint64_t index)
{
	bool fresh = false;
	uint64_t next = inv_machine_get(machine, table, INV_F_HANDLE_TABLE_NextHandleNeedingPool) / 4;
	for (; next <= index; next += ENTRIES) {
		grow(machine, table, next);
		(void)find_entry(machine, table, next, true, &fresh);
	}
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_NextHandleNeedingPool, 4 * next);
	return find_entry(machine, table, index, true, &fresh);
}

// -- free entries -----------------------------------------------------------------------------------------------------------
// The list is kept beside the machine, the next value at the end, and written into memory when the machine has settled.

void inv_machine_add_free_page(struct inv_forge_process *process, uint64_t first)
{
	size_t old = inv_count(process->free_handles);
	stbds_arrsetlen(process->free_handles, old + ENTRIES - 1);
	for (size_t i = old; i-- > 0;)
		process->free_handles[i + ENTRIES - 1] = process->free_handles[i];
	for (size_t i = 0; i < ENTRIES - 1; i++) // a new page is used up last, in ascending order
		process->free_handles[i] = 4 * (first + ENTRIES - 1 - i);
	process->handle_end = first + ENTRIES;
}

static void take_free(struct inv_forge_process *process, uint64_t value)
{
	for (size_t i = inv_count(process->free_handles); i-- > 0;) {
		if (process->free_handles[i] != value)
			continue;
		stbds_arrdel(process->free_handles, i);
		return;
	}
}

// The address of the entry of a handle; pages that lead there are made.
static uint64_t entry_at(struct inv_machine *machine, struct inv_forge_process *process, uint64_t index)
{
	bool fresh = false;
	for (uint64_t next = process->handle_end; next && next + ENTRIES <= index; next += ENTRIES) {
		(void)inv_machine_table_entry(machine, process->handle_table, next);
		inv_machine_add_free_page(process, next);
	}
	grow(machine, process->handle_table, index);
	uint64_t entry = find_entry(machine, process->handle_table, index, true, &fresh);
	if (fresh && index >= process->handle_end)
		inv_machine_add_free_page(process, index / ENTRIES * ENTRIES);
	return entry;
}

static uint64_t next_free(struct inv_machine *machine, struct inv_forge_process *process)
{
	if (!inv_count(process->free_handles)) // ExpAllocateHandleTableEntrySlow
		(void)entry_at(machine, process, process->handle_end + 1);
	return stbds_arrlast(process->free_handles);
}

static void put_link(struct inv_machine *machine, uint64_t entry, uint64_t next_entry, uint64_t next_value)
{
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_NextFreeHandleEntry, next_entry);
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_NextFreeTableEntry, next_value);
}

// Windows 7 keeps one list of values in the table, later kernels one list of entries for each of some CPUs. How many lists is not
// verified: the forge uses the first.
static void put_free_list(struct inv_machine *machine, uint64_t table, const uint64_t *values, size_t count)
{
	uint64_t next_entry = 0, next_value = 0, last = 0;
	for (size_t i = 0; i < count; i++) { // from the last of the list to the first
		bool fresh;
		uint64_t entry = find_entry(machine, table, values[i] / 4, false, &fresh);
		if (!entry || inv_machine_get64(machine, entry))
			continue;
		put_link(machine, entry, next_entry, next_value);
		last = last ? last : entry;
		next_entry = entry;
		next_value = values[i];
	}
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_FirstFreeHandle, next_value);
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_LastFreeHandleEntry, last);
	if (!inv_machine_has(machine, INV_F_HANDLE_TABLE_FreeLists))
		return;
	uint64_t list = inv_machine_at(machine, table, INV_F_HANDLE_TABLE_FreeLists);
	inv_machine_put(machine, list, INV_F_HANDLE_TABLE_FREE_LIST_FirstFreeHandleEntry, next_entry);
	inv_machine_put(machine, list, INV_F_HANDLE_TABLE_FREE_LIST_LastFreeHandleEntry, last);
}

// Free identifiers: those that were never given, then those that were given back.
static void settle_identifiers(struct inv_machine *machine)
{
	uint64_t *values = NULL;
	for (size_t i = inv_count(machine->freed_ids); i-- > machine->first_freed_id;)
		if (!inv_machine_is_given(machine, machine->freed_ids[i]))
			inv_push(values, machine->freed_ids[i]);
	size_t given_back = inv_count(values);
	while (inv_count(machine->given_ids) % ENTRIES)
		inv_push(machine->given_ids, false); // the rest of the last page
	for (size_t i = inv_count(machine->given_ids); i-- > 0;) {
		bool back = false;
		for (size_t j = 0; j < given_back && !machine->given_ids[i]; j++)
			back = back || values[j] == 4 * i;
		if (!machine->given_ids[i] && !back && i % ENTRIES)
			inv_push(values, 4 * i);
	}
	put_free_list(machine, machine->cid_table, values, inv_count(values));
	inv_array_free(values);
}

void inv_machine_settle_tables(struct inv_machine *machine)
{
	if (!inv_machine_has(machine, INV_F_HANDLE_TABLE_TableCode))
		return;
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		if (process->handle_table)
			put_free_list(machine, process->handle_table, process->free_handles, inv_count(process->free_handles));
	}
	settle_identifiers(machine);
}

// -- handles ----------------------------------------------------------------------------------------------------------------

static void put_entry(struct inv_machine *machine, uint64_t entry, uint64_t header, uint32_t access)
{
	uint64_t low = inv_machine_encode_pointer(machine, header) | UNLOCKED;
	if (has_bits(machine))
		low |= REFERENCES << 1;
	inv_machine_put64(machine, entry, low);
	inv_machine_put64(machine, entry + 8, 0);
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccess, access);
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccessBits, access);
}

static uint64_t add(struct inv_machine *machine, uint64_t object, enum inv_field field, uint64_t difference)
{
	uint64_t value = inv_machine_get(machine, object, field) + difference;
	inv_machine_put(machine, object, field, value);
	return value;
}

void inv_machine_count_entry(struct inv_machine *machine, uint64_t table, int step)
{
	bool listed = inv_machine_has(machine, INV_F_HANDLE_TABLE_FreeLists);
	uint64_t object = listed ? inv_machine_at(machine, table, INV_F_HANDLE_TABLE_FreeLists) : table;
	enum inv_field mark =
	    listed ? INV_F_HANDLE_TABLE_FREE_LIST_HighWaterMark : INV_F_HANDLE_TABLE_HandleCountHighWatermark;
	uint64_t count =
	    add(machine, object, listed ? INV_F_HANDLE_TABLE_FREE_LIST_HandleCount : INV_F_HANDLE_TABLE_HandleCount,
	        (uint64_t)(int64_t)step) &
	    UINT32_MAX;
	if (count > inv_machine_get(machine, object, mark))
		inv_machine_put(machine, object, mark, count);
}

// -- who has handles, as the object has it ----------------------------------------------------------------------------------

#define MORE_ENTRIES 4u // by which a full table grows at least (4 in ReactOS; not verified on Windows)

struct holdings {
	uint64_t first; // OBJECT_HANDLE_COUNT_ENTRY
	uint64_t count;
	bool kept;
};

bool inv_forge_counts_handles(uint8_t type_index)
{
	return type_index == INV_FORGE_FILE || type_index == INV_FORGE_WINDOW_STATION || type_index == INV_FORGE_DESKTOP;
}

// One entry in the header itself, or a table of them.
static struct holdings holdings_of(const struct inv_machine *machine, uint64_t object)
{
	uint64_t info = inv_machine_handle_info(machine, object), header = inv_machine_header(machine, object);
	if (!info || !inv_machine_has(machine, INV_F_OBJECT_HANDLE_COUNT_ENTRY_HandleCount) ||
	    !inv_machine_has(machine, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase))
		return (struct holdings){0};
	if (inv_machine_get(machine, header, INV_F_OBJECT_HEADER_Flags) & INV_HEADER_SINGLE_ENTRY)
		return (struct holdings){info, 1, true};
	uint64_t table = inv_machine_get(machine, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase);
	if (!table)
		return (struct holdings){0};
	return (struct holdings){inv_machine_at(machine, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_HandleCountEntries),
	                         inv_machine_get(machine, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_CountEntries), true};
}

static uint32_t holding_size(const struct inv_machine *machine)
{
	return inv_machine_size(machine, INV_T_OBJECT_HANDLE_COUNT_ENTRY, 0x10);
}

uint64_t inv_machine_holding(const struct inv_machine *machine, uint64_t object, uint64_t process)
{
	struct holdings holdings = holdings_of(machine, object);
	for (uint64_t i = 0; i < holdings.count; i++) {
		uint64_t entry = holdings.first + i * holding_size(machine);
		if (inv_machine_get(machine, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_Process) == process)
			return entry;
	}
	return 0;
}

// The first of the entries that a larger table has more.
static uint64_t more_holdings(struct inv_machine *machine, uint64_t object)
{
	uint64_t info = inv_machine_handle_info(machine, object), header = inv_machine_header(machine, object);
	struct holdings old = holdings_of(machine, object);
	uint64_t more = old.first == info ? 1 : old.count / 4 > MORE_ENTRIES ? old.count / 4 : MORE_ENTRIES;
	uint64_t count = old.count + more, size = holding_size(machine);
	uint32_t room = inv_machine_size(machine, INV_T_OBJECT_HANDLE_COUNT_DATABASE, 0x18);
	uint64_t table = inv_machine_pool(machine, &machine->paged, (uint32_t)(room + (count - 1) * size), "ObHd");
	uint64_t first = inv_machine_at(machine, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_HandleCountEntries);
	for (uint64_t at = 0; at < old.count * size; at += 8)
		inv_machine_put64(machine, first + at, inv_machine_get64(machine, old.first + at));
	uint64_t flags = inv_machine_get(machine, header, INV_F_OBJECT_HEADER_Flags);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_Flags, flags & ~(uint64_t)INV_HEADER_SINGLE_ENTRY);
	inv_machine_put(machine, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_CountEntries, count);
	inv_machine_put64(machine, info + 8, 0);
	inv_machine_put(machine, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase, table);
	return first + old.count * size;
}

// One handle more or less of the process. (So in ReactOS: ObpIncrementHandleDataBase, ObpDecrementHandleCount; not verified on
// Windows.)
static void count_holding(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                          uint64_t difference)
{
	if (!holdings_of(machine, object).kept)
		return;
	uint64_t entry = inv_machine_holding(machine, object, process->address);
	if (!entry)
		entry = inv_machine_holding(machine, object, 0);
	if (!entry)
		entry = more_holdings(machine, object);
	uint64_t left = add(machine, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_HandleCount, difference);
	inv_machine_put(machine, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_Process, left ? process->address : 0);
}

// What ObpIncrementHandleCount keeps; `step` is 1 or -1.
static void count_handle(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                         int step)
{
	uint64_t header = inv_machine_header(machine, object), difference = (uint64_t)(int64_t)step;
	add(machine, header, INV_F_OBJECT_HEADER_HandleCount, difference);
	add(machine, header, INV_F_OBJECT_HEADER_PointerCount,
	    has_bits(machine) ? difference * (REFERENCES + 1) : difference);
	uint64_t type = inv_machine_type_of(machine, object);
	if (type)
		add(machine, type, INV_F_OBJECT_TYPE_TotalNumberOfHandles, difference);
	inv_machine_count_entry(machine, process->handle_table, step);
	count_holding(machine, process, object, difference);
}

uint64_t inv_machine_open(struct inv_machine *machine, struct inv_forge_process *process, uint64_t object,
                          uint32_t access, uint64_t value)
{
	if (!process->handle_table || !inv_machine_has(machine, INV_F_OBJECT_HEADER_Body))
		return 0;
	if (!value)
		value = next_free(machine, process);
	if (value % 4 || (value & 0x3fc) == 0 || value >= INV_FORGE_MAX_HANDLE)
		return 0;
	uint64_t entry = entry_at(machine, process, value / 4);
	if (inv_machine_get64(machine, entry))
		return 0;
	take_free(process, value);
	put_entry(machine, entry, inv_machine_header(machine, object), access);
	count_handle(machine, process, object, 1);
	inv_push(process->handles, ((struct inv_forge_handle){value, object, access}));
	if (value >= inv_machine_get(machine, process->handle_table, INV_F_HANDLE_TABLE_NextHandleNeedingPool))
		inv_machine_put(machine, process->handle_table, INV_F_HANDLE_TABLE_NextHandleNeedingPool,
		                (value / 1024 + 1) * 1024);
	return value;
}

const struct inv_forge_handle *inv_machine_handle(const struct inv_forge_process *process, uint64_t value)
{
	for (size_t i = 0; i < inv_count(process->handles); i++)
		if (process->handles[i].value == value)
			return &process->handles[i];
	return NULL;
}

bool inv_machine_close(struct inv_machine *machine, struct inv_forge_process *process, uint64_t value, bool counted)
{
	const struct inv_forge_handle *handle = inv_machine_handle(process, value);
	if (!handle)
		return false;
	inv_machine_put64(machine, entry_at(machine, process, value / 4), 0);
	if (counted) {
		count_handle(machine, process, handle->object, -1);
		inv_push(process->free_handles, value); // the last that was closed is the first to be used again
	}
	stbds_arrdelswap(process->handles, (size_t)(handle - process->handles));
	return true;
}

bool inv_machine_grant(struct inv_machine *machine, struct inv_forge_process *process, uint64_t value, uint32_t access)
{
	for (size_t i = 0; i < inv_count(process->handles); i++) {
		if (process->handles[i].value != value)
			continue;
		uint64_t entry = entry_at(machine, process, value / 4);
		inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccess, access);
		inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccessBits, access);
		process->handles[i].access = access;
		return true;
	}
	return false;
}

void inv_machine_close_all(struct inv_machine *machine, struct inv_forge_process *process)
{
	while (inv_count(process->handles))
		inv_machine_close(machine, process, process->handles[0].value, true);
}
