// SPDX-License-Identifier: Apache-2.0
#include "forge/pfn.h"

#include "forge/section.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 512u
#define SLOT_SIZE (1ull << 39)
// MMLISTS of public headers.
#define STANDBY INV_PFN_STANDBY
#define ACTIVE_AND_VALID INV_PFN_VALID
#define KERNEL_HALF 0xffff800000000000ull

static uint32_t entry_size(const struct inv_machine *machine)
{
	return inv_machine_size(machine, INV_T_MMPFN, 0x30);
}

uint64_t inv_machine_pfn_size(const struct inv_machine *machine)
{
	return inv_ram_highest(machine->ram) / PAGE * entry_size(machine);
}

// How LA57 kernels keep the entries of their roots is not known, so a machine with five levels has no database.
static bool has_database(const struct inv_machine *machine)
{
	return machine->pfn_database && machine->maps.levels == 4 && inv_machine_has(machine, INV_F_MMPFN_u1) &&
	       inv_machine_has(machine, INV_F_MMPFN_PteFrame) && inv_machine_has(machine, INV_F_MMPFN_PteAddress);
}

void inv_machine_make_pfn(struct inv_machine *machine)
{
	uint64_t symbol = inv_machine_symbol(machine, INV_S_MmPfnDatabase);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->pfn_database);
	if (!has_database(machine))
		return;
	uint64_t end = machine->pfn_database + inv_machine_pfn_size(machine);
	for (uint64_t at = machine->pfn_database; at < end; at += SLOT_SIZE)
		inv_maps_reserve(&machine->maps, at);
	// As Windows does, while memory is in one piece. Scattered frames would each need a page of entries of their own.
	uint64_t size = (inv_machine_pfn_size(machine) + PAGE - 1) / PAGE * PAGE + PAGE;
	machine->pfn_frames = inv_ram_take_block(machine->ram, size, PAGE, INV_RAM_KERNEL);
}

// The address of the entry at `level` (1: the PTE, 4: the PXE) that leads to `address`, in the range that the self-map gives.
static uint64_t self_map_address(const struct inv_machine *machine, uint64_t address, unsigned level)
{
	uint64_t base = inv_maps_pte_base(machine->self_slot, 4);
	for (unsigned i = 0; i < level; i++)
		address = base + ((address & 0xffffffffffffull) >> 12) * 8;
	return address;
}

struct entry {
	uint64_t frame;
	uint64_t pte_address;
	uint64_t pte_frame;
	uint64_t process; // of a root; else 0
	unsigned location;
	bool prototype;
	uint64_t shares;       // of a page of a section
	uint64_t original_pte; // 0: read and write
};

static uint64_t entry_address(const struct inv_machine *machine, uint64_t frame)
{
	return machine->pfn_database + frame * entry_size(machine);
}

static bool is_known(struct inv_machine *machine, uint64_t frame)
{
	return stbds_hmgeti(machine->pfn_known, frame) >= 0; // remembers where it looked
}

static void put_owner(struct inv_machine *machine, uint64_t entry, uint64_t process)
{
	if (inv_machine_has(machine, INV_F_MI_ACTIVE_PFN_PageTableNonPagedBuddy))
		inv_machine_put(machine, entry, INV_F_MI_ACTIVE_PFN_PageTableNonPagedBuddy, (process & ~KERNEL_HALF) >> 4);
	else
		inv_machine_put(machine, entry, INV_F_MMPFN_u1, process);
}

static void note_entry(struct inv_machine *machine, struct entry **work, struct entry entry)
{
	if (is_known(machine, entry.frame) || entry.frame * PAGE >= inv_ram_highest(machine->ram))
		return;
	struct inv_pfn_known known = {.key = entry.frame};
	stbds_hmputs(machine->pfn_known, known);
	inv_push(*work, entry);
}

// The frames on the way to a kernel address: tables from the second level of the root downwards, then the page.
static void note_path(struct inv_machine *machine, struct entry **work, uint64_t address)
{
	uint64_t table = machine->maps.root;
	for (unsigned level = 4; level >= 1; level--) {
		uint64_t pte = inv_ram_get64(machine->ram, table + 8 * (address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)));
		uint64_t next = pte & INV_PTE_FRAME;
		note_entry(machine, work,
		           (struct entry){.frame = next / PAGE,
		                          .pte_address = self_map_address(machine, address, level),
		                          .pte_frame = table / PAGE,
		                          .location = ACTIVE_AND_VALID});
		table = next;
	}
}

// Maps the page of the database that `address` lies in.
static void map_database(struct inv_machine *machine, struct entry **work, uint64_t address)
{
	uint64_t physical;
	if (inv_maps_translate(&machine->maps, address, &physical))
		return;
	address &= ~(uint64_t)(PAGE - 1);
	uint64_t frame = machine->pfn_frames + (address - machine->pfn_database);
	inv_maps_map(&machine->maps, address, frame, INV_PTE_WRITE | INV_PTE_NX | INV_PTE_GLOBAL);
	note_path(machine, work, address);
}

// How often PTEs lead to a page, and the references to it as a whole. (Of page tables, which count their entries, not verified.)
static void put_counts(struct inv_machine *machine, uint64_t at, unsigned location, uint64_t shares)
{
	inv_machine_put(machine, at, INV_F_MMPFN_ShareCount, location == ACTIVE_AND_VALID ? shares : 0);
	inv_machine_put(machine, at, INV_F_MMPFN_ReferenceCount, location == ACTIVE_AND_VALID);
	inv_machine_put(machine, at, INV_F_MMPFN_PageLocation, location);
}

// Writes the entries of `work`, and of the frames that the database takes for them.
static void write_entries(struct inv_machine *machine, struct entry **work)
{
	for (size_t i = 0; i < inv_count(*work) && !inv_ram_exhausted(machine->ram); i++) {
		struct entry entry = (*work)[i];
		uint64_t at = entry_address(machine, entry.frame);
		map_database(machine, work, at);
		map_database(machine, work, at + entry_size(machine) - 1);
		inv_machine_put(machine, at, INV_F_MMPFN_PteAddress, entry.pte_address);
		inv_machine_put(machine, at, INV_F_MMPFN_OriginalPte,
		                entry.original_pte ? entry.original_pte : 4 << 5); // Protection: read and write
		inv_machine_put(machine, at, INV_F_MMPFN_PrototypePte, entry.prototype);
		put_counts(machine, at, entry.location, entry.prototype ? entry.shares : 1);
		inv_machine_put(machine, at, INV_F_MMPFN_PteFrame, entry.pte_frame);
		inv_machine_put(machine, at, INV_F_MMPFN_PfnExists, 1);
		if (entry.process)
			put_owner(machine, at, entry.process);
	}
}

static bool is_transition(const struct inv_machine *machine, uint64_t pte)
{
	return inv_pte_transition(machine->layout, 0, pte & INV_PTE_FRAME) ==
	       (pte & ~(31ull << 5)); // the five bits of Protection
}

struct walk {
	struct inv_machine *machine;
	struct entry **work;
	unsigned skip; // the slot of the self-map
};

// Every frame that an entry of the table at `level` leads to, and those beneath it.
static void walk_table(const struct walk *walk, uint64_t table, uint64_t address, unsigned level, unsigned first,
                       unsigned end)
{
	struct inv_machine *machine = walk->machine;
	for (unsigned i = first; i < end; i++) {
		uint64_t pte = inv_ram_get64(machine->ram, table + 8ull * i);
		uint64_t at = address | (uint64_t)i << (12 + 9 * (level - 1));
		bool large = level == 2 && pte & INV_PTE_LARGE;
		if (pte == 0 || (level == 4 && i == walk->skip))
			continue;
		if (level == 4 && i >= ENTRIES / 2)
			at |= KERNEL_HALF << 1;
		if (!(pte & INV_PTE_VALID) && !(level == 1 && is_transition(machine, pte)))
			continue;
		// The frames of a large page all name the entry that maps it (not verified).
		for (uint64_t j = 0; j < (large ? ENTRIES : 1); j++)
			note_entry(machine, walk->work,
			           (struct entry){.frame = (pte & INV_PTE_FRAME) / PAGE + j,
			                          .pte_address = self_map_address(machine, at, level),
			                          .pte_frame = table / PAGE,
			                          .location = pte & INV_PTE_VALID ? ACTIVE_AND_VALID : STANDBY});
		if (level > 1 && !large)
			walk_table(walk, pte & INV_PTE_FRAME, at, level - 1, 0, ENTRIES);
	}
}

static void note_root(struct inv_machine *machine, struct entry **work, uint64_t root, uint64_t process)
{
	uint64_t self = inv_maps_pte_base(machine->self_slot, 4);
	note_entry(machine, work,
	           (struct entry){.frame = root / PAGE,
	                          .pte_address = self_map_address(machine, self, 4),
	                          .pte_frame = root / PAGE,
	                          .process = process,
	                          .location = ACTIVE_AND_VALID});
}

// The pages of sections belong to their prototype PTEs, whoever maps them. Counts of those that are known are written anew.
static void note_area(struct inv_machine *machine, struct entry **work, struct inv_forge_area *area)
{
	area->changed = false;
	for (uint32_t i = 0; i < inv_count(area->pages); i++) {
		const struct inv_forge_shared_page *page = &area->pages[i];
		unsigned location = page->shares ? ACTIVE_AND_VALID : STANDBY;
		uint64_t prototype = inv_area_prototype(area, i), table = 0;
		if (page->frame && is_known(machine, page->frame / PAGE)) {
			put_counts(machine, entry_address(machine, page->frame / PAGE), location, page->shares);
		} else if (page->frame && inv_maps_translate(&machine->maps, prototype, &table)) {
			note_entry(machine, work,
			           (struct entry){.frame = page->frame / PAGE,
			                          .pte_address = prototype,
			                          .pte_frame = table / PAGE,
			                          .location = location,
			                          .prototype = true,
			                          .shares = page->shares,
			                          .original_pte = inv_area_original_pte(machine, area, i)});
		}
	}
}

void inv_machine_sync_pfn(struct inv_machine *machine)
{
	if (!has_database(machine))
		return;
	struct entry *work = NULL;
	for (size_t i = 0; i < inv_count(machine->areas); i++)
		if (machine->areas[i]->changed)
			note_area(machine, &work, machine->areas[i]);
	struct walk walk = {machine, &work, machine->self_slot};
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		if (process->idle || !process->dtb) // Idle shares System's root
			continue;
		note_root(machine, &work, process->dtb, process->address);
		if (process->user_dtb)
			note_root(machine, &work, process->user_dtb, process->address);
		walk_table(&walk, process->dtb, 0, 4, 0, ENTRIES / 2);
	}
	walk_table(&walk, machine->maps.root, 0, 4, ENTRIES / 2, ENTRIES);
	write_entries(machine, &work);
	inv_array_free(work);
}

uint64_t inv_machine_pfn_of(struct inv_machine *machine, uint64_t physical)
{
	inv_machine_sync_pfn(machine);
	return has_database(machine) && is_known(machine, physical / PAGE) ? entry_address(machine, physical / PAGE) : 0;
}

void inv_machine_own_pfn(struct inv_machine *machine, uint64_t physical, uint64_t process)
{
	uint64_t entry = inv_machine_pfn_of(machine, physical);
	if (entry)
		put_owner(machine, entry, process);
}

void inv_machine_move_frame(struct inv_machine *machine, uint64_t physical, unsigned location)
{
	if (has_database(machine) && is_known(machine, physical / PAGE))
		put_counts(machine, entry_address(machine, physical / PAGE), location, 1);
}

void inv_machine_make_shadow(struct inv_machine *machine, struct inv_forge_process *process)
{
	if (!inv_machine_has(machine, INV_F_KPROCESS_UserDirectoryTableBase))
		return;
	if (!process->user_dtb) {
		process->user_dtb = inv_ram_take(machine->ram, INV_RAM_KERNEL);
		// The low bits are those of a CR3: a PCID (its value is not verified).
		inv_machine_put(machine, process->address, INV_F_KPROCESS_UserDirectoryTableBase, process->user_dtb | 1);
	}
	for (unsigned i = 0; i < ENTRIES / 2; i++)
		inv_ram_put64(machine->ram, process->user_dtb + 8ull * i, inv_ram_get64(machine->ram, process->dtb + 8ull * i));
}
