// SPDX-License-Identifier: Apache-2.0
// PoolBigPageTable and the blocks of a page or more that stand in it. (Fields: the symbols' _POOL_TRACKER_BIG_PAGES; bit 0 of Va
// marks a free entry: public practice. The kernel finds an entry by a hash of the address; which one is not verified, and no
// reader may rely on it.)
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 1024u
#define FREE 1u
#define MOST_HEADERS 0xb0u // optional headers and the OBJECT_HEADER up to Body, x64

static uint64_t entry_at(const struct inv_machine *machine, uint64_t index)
{
	return machine->big_table + index * inv_machine_size(machine, INV_T_POOL_TRACKER_BIG_PAGES, 0x18);
}

uint64_t inv_machine_big_entry(const struct inv_machine *machine, uint64_t va)
{
	uint64_t found = 0;
	for (uint64_t i = 0; machine->big_table && i < ENTRIES; i++) {
		uint64_t at = inv_machine_get(machine, entry_at(machine, i), INV_F_POOL_TRACKER_BIG_PAGES_Va);
		if ((at & ~1ull) != va || va == 0)
			continue;
		if (!(at & FREE))
			return entry_at(machine, i);
		found = entry_at(machine, i);
	}
	return found;
}

// The first free entry from where the address would be looked for.
static uint64_t take_entry(const struct inv_machine *machine, uint64_t va)
{
	uint64_t start = (va / PAGE) * 0x9e3779b1u % ENTRIES;
	for (uint64_t i = 0; i < ENTRIES; i++) {
		uint64_t entry = entry_at(machine, (start + i) % ENTRIES);
		if (inv_machine_get(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_Va) == FREE)
			return entry;
	}
	return 0;
}

static void put_entry(struct inv_machine *machine, uint64_t va, uint64_t size, const char tag[5], uint64_t process,
                      bool free)
{
	uint64_t entry = machine->big_table ? take_entry(machine, va) : 0;
	if (!entry)
		return;
	inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_Va, va | (free ? FREE : 0));
	inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_Key, inv_le32((const uint8_t *)tag));
	inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_NumberOfBytes, size);
	inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_ProcessBilled, process);
}

uint64_t inv_machine_big_block(struct inv_machine *machine, uint64_t size, const char tag[5], uint64_t process)
{
	size = (size + PAGE - 1) / PAGE * PAGE;
	uint64_t va = inv_region_take(machine, &machine->pool, size, PAGE);
	put_entry(machine, va, size, tag, process, false);
	return va;
}

void inv_machine_free_big(struct inv_machine *machine, uint64_t va)
{
	uint64_t entry = inv_machine_big_entry(machine, va);
	if (entry)
		inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_Va, va | FREE);
}

uint64_t inv_machine_big_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index,
                                bool reused)
{
	uint64_t whole = (MOST_HEADERS + (uint64_t)size + PAGE - 1) / PAGE * PAGE;
	uint64_t va = inv_region_take(machine, &machine->pool, whole, PAGE);
	if (reused) // what was there before
		put_entry(machine, va, whole, "Ntff", 0, true);
	put_entry(machine, va, whole, tag, 0, false);
	return inv_machine_put_header(machine, va, size, type_index);
}

// What drivers and the kernel itself have on any machine that ran for a minute.
static void make_ordinary_blocks(struct inv_machine *machine)
{
	static const struct {
		const char *tag;
		unsigned pages;
		bool free;
	} blocks[] = {{"CM31", 1, false}, {"MmSt", 2, false}, {"Ntff", 1, true},  {"Cont", 4, false},
	              {"NDnd", 1, false}, {"Pool", 1, true},  {"EtwB", 2, false}, {"Thre", 1, true}};
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		uint64_t va = inv_machine_big_block(machine, (uint64_t)blocks[i].pages * PAGE, blocks[i].tag, 0);
		if (blocks[i].free)
			inv_machine_free_big(machine, va);
	}
}

void inv_machine_make_big_pages(struct inv_machine *machine)
{
	uint64_t symbol = inv_machine_symbol(machine, INV_S_PoolBigPageTable);
	uint64_t count = inv_machine_symbol(machine, INV_S_PoolBigPageTableSize);
	uint32_t size = inv_machine_size(machine, INV_T_POOL_TRACKER_BIG_PAGES, 0);
	if (!symbol || !count || !size || !inv_machine_has(machine, INV_F_POOL_TRACKER_BIG_PAGES_Va))
		return;
	machine->big_table = inv_region_take(machine, &machine->pool, (uint64_t)ENTRIES * size, PAGE);
	for (uint64_t i = 0; i < ENTRIES; i++)
		inv_machine_put(machine, entry_at(machine, i), INV_F_POOL_TRACKER_BIG_PAGES_Va, FREE);
	inv_machine_put64(machine, symbol, machine->big_table);
	inv_machine_put64(machine, count, ENTRIES);
	make_ordinary_blocks(machine);
}
