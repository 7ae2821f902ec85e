// SPDX-License-Identifier: Apache-2.0
// Handle tables and their entries, and the counts that go with them. (Form of an entry: layouts.md B.3.7. Where it was not
// read in the kernel's code it is marked.)
#include "forge/machine.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 256u // of a page; the first is the table's own
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

uint64_t inv_machine_table_entry(struct inv_machine *machine, uint64_t table, uint64_t index)
{
	grow(machine, table, index);
	uint64_t code = inv_machine_get(machine, table, INV_F_HANDLE_TABLE_TableCode);
	uint64_t page = code & ~LEVELS;
	for (unsigned level = (unsigned)(code & LEVELS); level > 0; level--) {
		uint64_t pointer = page + 8 * (index / beneath(level));
		index %= beneath(level);
		page = inv_machine_get64(machine, pointer);
		if (page)
			continue;
		page = inv_region_take(machine, &machine->paged, PAGE, PAGE);
		inv_machine_put64(machine, pointer, page);
	}
	return page + 16 * index;
}

static void put_entry(struct inv_machine *machine, uint64_t entry, uint64_t header, uint32_t access)
{
	uint64_t low = inv_machine_encode_pointer(machine, header) | UNLOCKED;
	if (has_bits(machine))
		low |= REFERENCES << 1;
	inv_machine_put64(machine, entry, low);
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccess, access);
	inv_machine_put(machine, entry, INV_F_HANDLE_TABLE_ENTRY_GrantedAccessBits, access);
}

static void add(struct inv_machine *machine, uint64_t object, enum inv_field field, uint64_t difference)
{
	inv_machine_put(machine, object, field, inv_machine_get(machine, object, field) + difference);
}

// What ObpIncrementHandleCount keeps; `step` is 1 or -1.
static void count_handle(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                         uint64_t step)
{
	uint64_t header = inv_machine_header(machine, object);
	add(machine, header, INV_F_OBJECT_HEADER_HandleCount, step);
	add(machine, header, INV_F_OBJECT_HEADER_PointerCount, has_bits(machine) ? step * (REFERENCES + 1) : step);
	uint64_t type = inv_machine_type_of(machine, object);
	if (type)
		add(machine, type, INV_F_OBJECT_TYPE_TotalNumberOfHandles, step);
	add(machine, process->handle_table, INV_F_HANDLE_TABLE_HandleCount, step);
}

uint64_t inv_machine_open(struct inv_machine *machine, struct inv_forge_process *process, uint64_t object,
                          uint32_t access, uint64_t value)
{
	if (!process->handle_table || !inv_machine_has(machine, INV_F_OBJECT_HEADER_Body))
		return 0;
	while (!value) {
		process->next_handle += 4;
		if ((process->next_handle & 0x3fc) != 0)
			value = process->next_handle;
	}
	if (value % 4 || (value & 0x3fc) == 0 || value >= INV_FORGE_MAX_HANDLE)
		return 0;
	uint64_t entry = inv_machine_table_entry(machine, process->handle_table, value / 4);
	if (inv_machine_get64(machine, entry))
		return 0;
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
	inv_machine_put64(machine, inv_machine_table_entry(machine, process->handle_table, value / 4), 0);
	if (counted)
		count_handle(machine, process, handle->object, (uint64_t)-1);
	stbds_arrdelswap(process->handles, (size_t)(handle - process->handles));
	return true;
}

void inv_machine_close_all(struct inv_machine *machine, struct inv_forge_process *process)
{
	while (inv_count(process->handles))
		inv_machine_close(machine, process, process->handles[0].value, true);
}
