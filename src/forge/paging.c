// SPDX-License-Identifier: Apache-2.0
#include "forge/paging.h"

#define TABLE_INDEX_MASK 0x1ffu
#define ROOT_ENTRIES 512u
#define TABLE_SPAN 0x200000ull // what a table of PTEs maps

void inv_maps_init(struct inv_maps *maps, struct inv_ram *ram, uint64_t root, unsigned levels)
{
	maps->ram = ram;
	maps->root = root;
	maps->levels = levels;
}

// The index of `address` in a table of `level` (1: the table of PTEs).
static uint64_t index_at(uint64_t address, unsigned level)
{
	return address >> (12 + 9 * (level - 1)) & TABLE_INDEX_MASK;
}

static bool is_user(uint64_t address)
{
	return address >> 63 == 0;
}

// The physical address of the entry of `level` that leads to `address`; makes the tables above it.
static uint64_t entry_at(struct inv_maps *maps, uint64_t address, unsigned level)
{
	uint64_t table = maps->root;
	for (unsigned at = maps->levels; at > level; at--) {
		uint64_t where = table + 8 * index_at(address, at);
		uint64_t entry = inv_ram_get64(maps->ram, where);
		if (!(entry & INV_PTE_VALID)) {
			bool user = is_user(address);
			uint64_t frame = inv_ram_take(maps->ram, user ? INV_RAM_USER : INV_RAM_KERNEL);
			entry =
			    frame | INV_PTE_VALID | INV_PTE_WRITE | INV_PTE_ACCESSED | INV_PTE_DIRTY | (user ? INV_PTE_USER : 0);
			inv_ram_put64(maps->ram, where, entry);
		}
		table = entry & INV_PTE_FRAME;
	}
	return table + 8 * index_at(address, level);
}

void inv_maps_map(struct inv_maps *maps, uint64_t address, uint64_t physical, uint64_t flags)
{
	flags |= INV_PTE_VALID | INV_PTE_ACCESSED | (flags & INV_PTE_WRITE ? INV_PTE_DIRTY : 0);
	inv_ram_put64(maps->ram, entry_at(maps, address, flags & INV_PTE_LARGE ? 2 : 1), physical | flags);
}

void inv_maps_set_pte(struct inv_maps *maps, uint64_t address, uint64_t pte)
{
	inv_ram_put64(maps->ram, entry_at(maps, address, 1), pte);
}

uint64_t inv_maps_unmap_large(struct inv_maps *maps, uint64_t address)
{
	uint64_t where = entry_at(maps, address, 2), entry = inv_ram_get64(maps->ram, where);
	if (!(entry & INV_PTE_VALID) || !(entry & INV_PTE_LARGE))
		return 0;
	inv_ram_put64(maps->ram, where, 0);
	return entry & INV_PTE_FRAME;
}

// The table of PTEs around an address; 0: there is none.
static uint64_t table_at(const struct inv_maps *maps, uint64_t address)
{
	uint64_t table = maps->root;
	for (unsigned level = maps->levels; level > 1; level--) {
		uint64_t entry = inv_ram_get64(maps->ram, table + 8 * index_at(address, level));
		if (!(entry & INV_PTE_VALID) || (level == 2 && entry & INV_PTE_LARGE))
			return 0;
		table = entry & INV_PTE_FRAME;
	}
	return table;
}

uint64_t inv_maps_get_pte(const struct inv_maps *maps, uint64_t address)
{
	uint64_t table = maps->root ? table_at(maps, address) : 0;
	return table ? inv_ram_get64(maps->ram, table + 8 * index_at(address, 1)) : 0;
}

bool inv_maps_has_table(const struct inv_maps *maps, uint64_t address)
{
	return maps->root && table_at(maps, address);
}

uint64_t inv_maps_count_valid(const struct inv_maps *maps, uint64_t start, uint64_t end)
{
	uint64_t count = 0, span = TABLE_SPAN;
	for (uint64_t at = start; at < end; at = (at / span + 1) * span) {
		uint64_t table = maps->root ? table_at(maps, at) : 0, stop = (at / span + 1) * span;
		for (uint64_t page = at; table && page < stop && page < end; page += INV_RAM_PAGE)
			count += inv_ram_get64(maps->ram, table + 8 * index_at(page, 1)) & INV_PTE_VALID;
	}
	return count;
}

void inv_maps_reserve(struct inv_maps *maps, uint64_t address)
{
	(void)entry_at(maps, address, maps->levels - 1);
}

void inv_maps_set_self(struct inv_maps *maps, unsigned slot)
{
	uint64_t flags = INV_PTE_VALID | INV_PTE_WRITE | INV_PTE_ACCESSED | INV_PTE_DIRTY | INV_PTE_NX;
	inv_ram_put64(maps->ram, maps->root + 8ull * slot, maps->root | flags);
}

void inv_maps_share_kernel(struct inv_maps *maps, const struct inv_maps *from, unsigned slot)
{
	for (unsigned i = ROOT_ENTRIES / 2; i < ROOT_ENTRIES; i++)
		inv_ram_put64(maps->ram, maps->root + 8ull * i, inv_ram_get64(from->ram, from->root + 8ull * i));
	inv_maps_set_self(maps, slot);
}

uint64_t inv_maps_pte_base(unsigned slot, unsigned levels)
{
	if (levels == 5) // not verified on a machine with 57-bit addresses
		return 0xfe00000000000000u | (uint64_t)slot << 48;
	return 0xffff000000000000u | (uint64_t)slot << 39;
}

bool inv_maps_translate(const struct inv_maps *maps, uint64_t address, uint64_t *physical)
{
	uint64_t table = maps->root;
	for (unsigned level = maps->levels; level >= 1; level--) {
		uint64_t entry = inv_ram_get64(maps->ram, table + 8 * index_at(address, level));
		if (!(entry & INV_PTE_VALID))
			return false;
		uint64_t frame = entry & INV_PTE_FRAME;
		if (level == 2 && entry & INV_PTE_LARGE) {
			uint64_t mask = (1u << 21) - 1;
			*physical = (frame & ~mask) | (address & mask);
			return true;
		}
		if (level == 1) {
			*physical = frame | (address & 0xfff);
			return true;
		}
		table = frame;
	}
	return false;
}

// `pte` with the bit field `field` set to `value`; unchanged if the layout has no such field.
static uint64_t with(const struct inv_layout *layout, uint64_t pte, enum inv_field field, uint64_t value)
{
	const struct inv_place *place = &layout->place[field];
	if (place->offset == INV_NO_OFFSET || place->bits == 0 || place->bits > 64 || place->bit > 63)
		return pte;
	uint64_t mask = place->bits == 64 ? ~0ull : (1ull << place->bits) - 1;
	return (pte & ~(mask << place->bit)) | (value & mask) << place->bit;
}

uint64_t inv_pte_demand_zero(const struct inv_layout *layout, unsigned protection)
{
	return with(layout, 0, INV_F_MMPTE_SOFTWARE_Protection, protection);
}

uint64_t inv_pte_page_file(const struct inv_layout *layout, unsigned protection, unsigned file, uint32_t page)
{
	uint64_t pte = with(layout, 0, INV_F_MMPTE_SOFTWARE_Protection, protection);
	pte = with(layout, pte, INV_F_MMPTE_SOFTWARE_PageFileLow, file);
	pte = with(layout, pte, INV_F_MMPTE_SOFTWARE_PageFileHigh, page);
	// Set: the bits above are not to be turned by MiState.Hardware.InvalidPteMask.
	return with(layout, pte, INV_F_MMPTE_SOFTWARE_SwizzleBit, 1);
}

uint64_t inv_pte_transition(const struct inv_layout *layout, unsigned protection, uint64_t physical)
{
	uint64_t pte = with(layout, 0, INV_F_MMPTE_SOFTWARE_Protection, protection);
	pte = with(layout, pte, INV_F_MMPTE_SOFTWARE_Transition, 1);
	pte = with(layout, pte, INV_F_MMPTE_TRANSITION_PageFrameNumber, physical / INV_RAM_PAGE);
	return with(layout, pte, INV_F_MMPTE_SOFTWARE_SwizzleBit, 1);
}

uint64_t inv_pte_prototype(const struct inv_layout *layout, uint64_t address)
{
	uint64_t pte = with(layout, 0, INV_F_MMPTE_SOFTWARE_Prototype, 1);
	pte = with(layout, pte, INV_F_MMPTE_PROTOTYPE_ProtoAddress, address);
	return with(layout, pte, INV_F_MMPTE_SOFTWARE_SwizzleBit, 1);
}

uint64_t inv_pte_subsection(const struct inv_layout *layout, unsigned protection, uint64_t subsection)
{
	uint64_t pte = with(layout, 0, INV_F_MMPTE_SOFTWARE_Prototype, 1);
	pte = with(layout, pte, INV_F_MMPTE_SOFTWARE_Protection, protection);
	pte = with(layout, pte, INV_F_MMPTE_SUBSECTION_SubsectionAddress, subsection);
	return with(layout, pte, INV_F_MMPTE_SOFTWARE_SwizzleBit, 1);
}

uint64_t inv_pte_ask_vad(const struct inv_layout *layout, unsigned protection)
{
	uint64_t pte = with(layout, 0, INV_F_MMPTE_SOFTWARE_Prototype, 1);
	pte = with(layout, pte, INV_F_MMPTE_SOFTWARE_Protection, protection);
	return with(layout, pte, INV_F_MMPTE_SOFTWARE_PageFileHigh, UINT32_MAX);
}
