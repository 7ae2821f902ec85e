// SPDX-License-Identifier: Apache-2.0
// The pages of a process: faults, copies on write, protection, and what becomes of pages that nobody touches. (What MiDispatchFault,
// MiCopyOnWrite, MiSetProtectionOnSection and the trimmer leave in PTEs: the types of the symbols and public practice.)
#include "forge/user.h"

#include "base/bytes.h"
#include "forge/pfn.h"

#define PAGE INV_RAM_PAGE
#define TABLE_SPAN 0x200000ull
#define GUARD 0x10u // a page of this protection, or without access, is never valid
#define STORE_NUMBER 2u

// -- PTEs -------------------------------------------------------------------------------------------------------------------

static bool is_writable(unsigned protection)
{
	return protection == INV_MM_READWRITE || protection == INV_MM_EXECUTE_READWRITE;
}

uint64_t inv_protection_flags(unsigned protection)
{
	return (protection & INV_MM_EXECUTE ? 0 : INV_PTE_NX) | (is_writable(protection) ? INV_PTE_WRITE : 0);
}

uint64_t inv_pte_user(uint64_t frame, unsigned protection)
{
	uint64_t pte = frame | INV_PTE_VALID | INV_PTE_USER | INV_PTE_ACCESSED;
	pte |= protection & INV_MM_EXECUTE ? 0 : INV_PTE_NX;
	if (is_writable(protection))
		return pte | INV_PTE_MAY_WRITE;
	return (protection & INV_MM_WRITECOPY) == INV_MM_WRITECOPY ? pte | INV_PTE_COPY_ON_WRITE : pte;
}

static void put_pte(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                    uint64_t pte)
{
	struct inv_maps maps = process->maps;
	inv_maps_set_pte(&maps, address, pte);
	if (!process->user_dtb)
		return;
	uint64_t slot =
	    address >> (12 + 9 * (maps.levels - 1)) & 511; // of the second root, which may lack a table made just now
	inv_ram_put64(machine->ram, process->user_dtb + 8 * slot, inv_ram_get64(machine->ram, maps.root + 8 * slot));
}

static unsigned protection_in(uint64_t pte)
{
	return pte >> 5 & 31; // the same bits in every form that the CPU does not use
}

static void count_page(struct inv_machine *machine, const struct inv_forge_process *process, int64_t working,
                       int64_t private)
{
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_WorkingSetSize, working);
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_NumberOfPrivatePages, private);
}

static uint32_t page_of(const struct inv_forge_vad *vad, uint64_t address)
{
	return vad->first + (uint32_t)((address - vad->start) / PAGE);
}

// Whether a valid PTE leads to a page that the section's others share.
static bool is_shared(const struct inv_forge_vad *vad, uint64_t address, uint64_t pte)
{
	return vad && vad->area && vad->area->pages[page_of(vad, address)].frame == (pte & INV_PTE_FRAME);
}

static bool is_transition(const struct inv_machine *machine, uint64_t pte)
{
	return inv_pte_transition(machine->layout, protection_in(pte), pte & INV_PTE_FRAME) == pte;
}

// -- faults -----------------------------------------------------------------------------------------------------------------

void inv_machine_map_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                          uint64_t flags)
{
	bool fresh = !(inv_maps_get_pte(&process->maps, address) & INV_PTE_VALID);
	uint64_t pte = inv_ram_take(machine->ram, INV_RAM_USER) | INV_PTE_VALID | INV_PTE_USER | INV_PTE_ACCESSED | flags;
	if (flags & INV_PTE_WRITE)
		pte |= INV_PTE_DIRTY | INV_PTE_MAY_WRITE;
	put_pte(machine, process, address, pte);
	if (!fresh)
		return;
	count_page(machine, process, 1, 1);
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, address);
	if (!vad || vad->area || vad->committed || !vad->address)
		return;
	inv_machine_add_to(machine, vad->address, INV_F_MMVAD_SHORT_CommitCharge, 1);
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_CommitCharge, 1);
}

static unsigned without_copy(unsigned protection)
{
	return protection == INV_MM_WRITECOPY           ? INV_MM_READWRITE
	       : protection == INV_MM_EXECUTE_WRITECOPY ? INV_MM_EXECUTE_READWRITE
	                                                : protection;
}

static void copy_page(struct inv_machine *machine, const struct inv_forge_process *process,
                      const struct inv_forge_vad *vad, uint64_t address, uint64_t pte)
{
	uint8_t bytes[PAGE];
	uint64_t frame = inv_ram_take(machine->ram, INV_RAM_USER);
	inv_ram_read(machine->ram, pte & INV_PTE_FRAME, bytes, sizeof bytes);
	inv_ram_write(machine->ram, frame, bytes, sizeof bytes);
	inv_area_unshare(machine, vad->area, page_of(vad, address));
	uint64_t flags = (pte & ~(INV_PTE_FRAME | INV_PTE_COPY_ON_WRITE)) | INV_PTE_DIRTY;
	if (pte & INV_PTE_COPY_ON_WRITE)
		flags |= INV_PTE_WRITE | INV_PTE_MAY_WRITE;
	put_pte(machine, process, address, frame | flags);
	count_page(machine, process, 0, 1);
}

// The page is valid. What nobody may write is written to nevertheless, as the kernel and WriteProcessMemory do.
static void make_writable(struct inv_machine *machine, const struct inv_forge_process *process,
                          const struct inv_forge_vad *vad, uint64_t address, uint64_t pte)
{
	bool image = vad && vad->area && vad->area->image;
	if (pte & INV_PTE_WRITE)
		return;
	if (is_shared(vad, address, pte) && (image || pte & INV_PTE_COPY_ON_WRITE))
		copy_page(machine, process, vad, address, pte);
	else if (pte & INV_PTE_MAY_WRITE)
		put_pte(machine, process, address, pte | INV_PTE_WRITE | INV_PTE_DIRTY);
}

static uint64_t fault_in_section(struct inv_machine *machine, const struct inv_forge_process *process,
                                 const struct inv_forge_vad *vad, uint64_t address, uint64_t pte)
{
	uint32_t page = page_of(vad, address);
	unsigned protection = vad->area->image ? inv_area_protection(vad->area, page) : vad->protection;
	if (pte && inv_pte_ask_vad(machine->layout, protection_in(pte)) == pte)
		protection = protection_in(pte) & 7;
	pte = inv_pte_user(inv_area_share(machine, vad->area, page), protection);
	put_pte(machine, process, address, pte);
	count_page(machine, process, 1, 0);
	return pte;
}

static uint64_t fault_in_private(struct inv_machine *machine, const struct inv_forge_process *process,
                                 const struct inv_forge_vad *vad, uint64_t address, uint64_t pte)
{
	unsigned protection = pte ? protection_in(pte) & 7 : vad->protection & 7;
	bool old = pte && is_transition(machine, pte);
	uint64_t frame = old ? pte & INV_PTE_FRAME : inv_ram_take(machine->ram, INV_RAM_USER);
	inv_machine_move_frame(machine, frame, INV_PFN_VALID);
	pte = inv_pte_user(frame, protection);
	put_pte(machine, process, address, pte);
	count_page(machine, process, 1, old ? 0 : 1);
	return pte;
}

bool inv_machine_touch(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                       bool write)
{
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, address);
	uint64_t pte = inv_maps_get_pte(&process->maps, address);
	address &= ~(uint64_t)(PAGE - 1);
	if (vad && vad->type == INV_VAD_LARGE)
		return true; // always there, and written to
	if (!(pte & INV_PTE_VALID)) {
		if (!vad || (!vad->area && !pte && !vad->committed))
			return false;
		pte = vad->area && !is_transition(machine, pte) ? fault_in_section(machine, process, vad, address, pte)
		                                                : fault_in_private(machine, process, vad, address, pte);
	}
	if (write)
		make_writable(machine, process, vad, address, pte);
	return true;
}

void inv_machine_write_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                            const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	while (size) {
		size_t left = PAGE - (size_t)(address % PAGE), part = size < left ? size : left;
		uint64_t physical;
		if (!inv_machine_touch(machine, process, address, true) ||
		    !inv_maps_translate(&process->maps, address, &physical)) {
			if (!machine->fault)
				machine->fault_address = address;
			machine->fault = true;
			return;
		}
		inv_ram_write(machine->ram, physical, from, part);
		from += part;
		address += part;
		size -= part;
	}
}

bool inv_machine_read_user(const struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                           void *buffer, size_t size)
{
	return inv_machine_read_through(machine, &process->maps, address, buffer, size);
}

uint64_t inv_machine_alloc_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                uint64_t size, unsigned protection)
{
	uint64_t start = at ? at / PAGE * PAGE : inv_machine_free_place(process, size);
	struct inv_forge_vad vad = {.start = start,
	                            .end = ((at ? at : start) + size + PAGE - 1) / PAGE * PAGE,
	                            .protection = protection,
	                            .committed = true};
	if (!inv_machine_add_vad(machine, process, vad))
		return 0;
	uint64_t flags = inv_protection_flags(protection);
	for (uint64_t page = start; page < vad.end; page += PAGE)
		inv_machine_map_user(machine, process, page, flags);
	return start;
}

static void map_awe(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                    unsigned protection, enum inv_awe_entries entries)
{
	uint64_t frame = inv_ram_take(machine->ram, INV_RAM_USER);
	uint64_t dirty = is_writable(protection) ? INV_PTE_WRITE | INV_PTE_DIRTY : 0;
	put_pte(machine, process, address, inv_pte_user(frame, protection) | dirty);
	uint64_t entry = inv_machine_pfn_of(machine, frame);
	if (!entry || entries == INV_AWE_OWN)
		return;
	if (entries == INV_AWE_EMPTY)
		inv_machine_put(machine, entry, INV_F_MMPFN_PteAddress, 0);
	inv_machine_put(machine, entry, INV_F_MMPFN_PteFrame,
	                entries == INV_AWE_EMPTY ? UINT64_MAX : frame / PAGE ^ 1); // no page table
}

static void map_large(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                      unsigned protection)
{
	uint64_t frame = inv_ram_take_block(machine->ram, INV_LARGE_PAGE, INV_LARGE_PAGE, INV_RAM_USER);
	uint64_t flags = inv_protection_flags(protection) | INV_PTE_USER | INV_PTE_LARGE;
	inv_maps_map(&process->maps, address, frame, flags | (flags & INV_PTE_WRITE ? INV_PTE_MAY_WRITE : 0));
}

uint64_t inv_machine_alloc_locked(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                  uint64_t size, unsigned protection, uint8_t type, enum inv_awe_entries entries)
{
	uint64_t unit = type == INV_VAD_LARGE ? INV_LARGE_PAGE : PAGE;
	size = (size + unit - 1) / unit * unit;
	uint64_t start = at ? at : inv_machine_free_place(process, size + unit);
	start = (start + unit - 1) / unit * unit;
	// What an AWE range is charged for are its pages, and how is not verified.
	struct inv_forge_vad vad = {.start = start,
	                            .end = start + size,
	                            .protection = protection,
	                            .committed = type == INV_VAD_LARGE,
	                            .type = type};
	if (!inv_machine_add_vad(machine, process, vad))
		return 0;
	for (uint64_t page = start; page < vad.end; page += unit)
		if (type == INV_VAD_LARGE)
			map_large(machine, process, page, protection);
		else
			map_awe(machine, process, page, protection, entries);
	if (process->user_dtb)
		inv_machine_make_shadow(machine, process); // the entry of the root may be new
	return start;
}

void inv_machine_put_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                          enum inv_field field, uint64_t value)
{
	unsigned width = inv_machine_width(machine, field);
	uint8_t bytes[8];
	inv_put64(bytes, value);
	if (inv_machine_has(machine, field) && machine->layout->place[field].bits == 0)
		inv_machine_write_user(machine, process, inv_machine_at(machine, object, field), bytes, width);
}

// -- protection -------------------------------------------------------------------------------------------------------------

static uint64_t protect_valid(struct inv_machine *machine, const struct inv_forge_process *process,
                              const struct inv_forge_vad *vad, uint64_t address, uint64_t pte, unsigned protection)
{
	bool shared = is_shared(vad, address, pte);
	bool copies = vad->area && (vad->area->image || (vad->protection & INV_MM_WRITECOPY) == INV_MM_WRITECOPY);
	if (protection & GUARD) {
		count_page(machine, process, -1, 0);
		if (shared)
			inv_area_unshare(machine, vad->area, page_of(vad, address));
		else
			inv_machine_move_frame(machine, pte & INV_PTE_FRAME, INV_PFN_STANDBY);
		return shared ? inv_pte_ask_vad(machine->layout, protection)
		              : inv_pte_transition(machine->layout, protection, pte & INV_PTE_FRAME);
	}
	if (shared && copies && is_writable(protection))
		protection |= INV_MM_WRITECOPY; // 4 to 5, 6 to 7
	uint64_t new = inv_pte_user(pte & INV_PTE_FRAME, shared ? protection : without_copy(protection));
	return new | (pte & INV_PTE_DIRTY) | (pte & INV_PTE_DIRTY && new &INV_PTE_MAY_WRITE ? INV_PTE_WRITE : 0);
}

static uint64_t protect_invalid(const struct inv_machine *machine, const struct inv_forge_vad *vad, uint64_t pte,
                                unsigned protection)
{
	bool own = pte && !(pte & inv_pte_prototype(machine->layout, 0) & ~inv_pte_transition(machine->layout, 0, 0));
	if (vad->area && !own)
		return inv_pte_ask_vad(machine->layout, protection);
	if (!pte)
		return vad->committed ? inv_pte_demand_zero(machine->layout, protection) : 0;
	return (pte & ~(31ull << 5)) | (uint64_t)protection << 5;
}

bool inv_machine_protect(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                         uint64_t size, unsigned protection)
{
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, address);
	if (!vad || size == 0 || size > vad->end - address || vad->type == INV_VAD_LARGE)
		return false;
	for (uint64_t at = address / PAGE * PAGE; at < address + size; at += PAGE) {
		uint64_t pte = inv_maps_get_pte(&process->maps, at);
		uint64_t new = pte &INV_PTE_VALID ? protect_valid(machine, process, vad, at, pte, protection)
		                                  : protect_invalid(machine, vad, pte, protection);
		if (new != pte)
			put_pte(machine, process, at, new);
	}
	return true;
}

// -- pages that nobody touches ----------------------------------------------------------------------------------------------

// The number of the page file that stands for the compressed store; false: this kernel's is not known.
static bool make_store(struct inv_machine *machine)
{
	uint64_t partition = inv_machine_symbol(machine, INV_S_MiSystemPartition);
	if (machine->store_file)
		return true;
	if (!partition || !inv_machine_has(machine, INV_F_MI_PARTITION_PagingFile) ||
	    !inv_machine_has(machine, INV_F_MMPAGING_FILE_VirtualStorePagefile))
		return false;
	uint32_t size = inv_machine_size(machine, INV_T_MMPAGING_FILE, 0x200);
	machine->store_file = inv_machine_pool(machine, &machine->pool, size, "MmPg");
	inv_machine_put(machine, machine->store_file, INV_F_MMPAGING_FILE_PageFileNumber, STORE_NUMBER);
	inv_machine_put(machine, machine->store_file, INV_F_MMPAGING_FILE_VirtualStorePagefile, 1);
	inv_machine_put64(machine, inv_machine_at(machine, partition, INV_F_MI_PARTITION_PagingFile) + 8ull * STORE_NUMBER,
	                  machine->store_file);
	return true;
}

static unsigned protection_of(uint64_t pte)
{
	if (!(pte & INV_PTE_VALID))
		return protection_in(pte);
	bool executable = !(pte & INV_PTE_NX);
	if (pte & INV_PTE_COPY_ON_WRITE)
		return executable ? INV_MM_EXECUTE_WRITECOPY : INV_MM_WRITECOPY;
	if (pte & (INV_PTE_WRITE | INV_PTE_MAY_WRITE))
		return executable ? INV_MM_EXECUTE_READWRITE : INV_MM_READWRITE;
	return executable ? INV_MM_EXECUTE_READ : INV_MM_READONLY;
}

static bool trim_shared(struct inv_machine *machine, struct inv_forge_process *process, const struct inv_forge_vad *vad,
                        uint64_t address, enum inv_forge_page state)
{
	uint32_t page = page_of(vad, address);
	uint64_t pte = inv_maps_get_pte(&process->maps, address);
	if (state == INV_PAGE_COMPRESSED || (state != INV_PAGE_TRANSITION && !vad->area->image))
		return false;
	if (pte & INV_PTE_VALID) {
		inv_area_unshare(machine, vad->area, page);
		count_page(machine, process, -1, 0);
	}
	if (state != INV_PAGE_TRANSITION && !inv_area_drop_page(machine, vad->area, page))
		state = INV_PAGE_TRANSITION; // others have it still: for this process it is as if it were trimmed
	put_pte(machine, process, address,
	        state == INV_PAGE_DEMAND ? 0 : inv_pte_prototype(machine->layout, inv_area_prototype(vad->area, page)));
	return true;
}

static uint64_t trimmed(struct inv_machine *machine, enum inv_forge_page state, unsigned protection, uint64_t frame)
{
	const struct inv_layout *layout = machine->layout;
	uint32_t place = 1 + (uint32_t)inv_random_below(&machine->random, 0xffff);
	switch (state) {
	case INV_PAGE_TRANSITION:
		return inv_pte_transition(layout, protection, frame);
	case INV_PAGE_PAGED:
		return inv_pte_page_file(layout, protection, 0, place);
	case INV_PAGE_COMPRESSED:
		return inv_pte_page_file(layout, protection, STORE_NUMBER, place);
	case INV_PAGE_DEMAND:
		break;
	}
	return inv_pte_demand_zero(layout, protection);
}

bool inv_machine_page_state(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                            enum inv_forge_page state)
{
	address &= ~(uint64_t)(PAGE - 1);
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, address);
	uint64_t pte = inv_maps_get_pte(&process->maps, address);
	if (!vad || vad->type == INV_VAD_AWE || vad->type == INV_VAD_LARGE)
		return false; // locked
	if (state == INV_PAGE_COMPRESSED && !make_store(machine))
		return false;
	bool valid = pte & INV_PTE_VALID, own = valid || (pte && is_transition(machine, pte));
	if (vad->area && (!own || is_shared(vad, address, pte)))
		return trim_shared(machine, process, vad, address, state);
	if (!own && state == INV_PAGE_TRANSITION)
		return false;
	unsigned protection = pte ? protection_of(pte) : vad->protection;
	if (own)
		inv_machine_move_frame(machine, pte & INV_PTE_FRAME,
		                       state == INV_PAGE_TRANSITION ? INV_PFN_STANDBY : INV_PFN_FREE);
	put_pte(machine, process, address, trimmed(machine, state, protection, pte & INV_PTE_FRAME));
	count_page(machine, process, valid ? -1 : 0, 0);
	return true;
}

// -- the end ----------------------------------------------------------------------------------------------------------------

static void release_large(struct inv_machine *machine, struct inv_forge_process *process,
                          const struct inv_forge_vad *vad)
{
	for (uint64_t at = vad->start; at < vad->end; at += INV_LARGE_PAGE) {
		uint64_t frame = inv_maps_unmap_large(&process->maps, at);
		for (uint64_t page = 0; frame && page < INV_LARGE_PAGE; page += PAGE)
			inv_machine_move_frame(machine, frame + page, INV_PFN_FREE);
	}
}

void inv_machine_release_pages(struct inv_machine *machine, struct inv_forge_process *process,
                               const struct inv_forge_vad *vad)
{
	if (vad->type == INV_VAD_LARGE) {
		release_large(machine, process, vad);
		return;
	}
	for (uint64_t at = vad->start; at < vad->end; at += PAGE) {
		if (!inv_maps_has_table(&process->maps, at)) {
			at = (at / TABLE_SPAN + 1) * TABLE_SPAN - PAGE;
			continue;
		}
		uint64_t pte = inv_maps_get_pte(&process->maps, at);
		if (!pte)
			continue;
		bool valid = pte & INV_PTE_VALID, shared = valid && is_shared(vad, at, pte);
		if (shared)
			inv_area_unshare(machine, vad->area, page_of(vad, at));
		else if (valid || is_transition(machine, pte))
			inv_machine_move_frame(machine, pte & INV_PTE_FRAME, INV_PFN_FREE);
		if (vad->type != INV_VAD_AWE) // whose pages were never counted
			count_page(machine, process, valid ? -1 : 0, valid && !shared ? -1 : 0);
		put_pte(machine, process, at, 0);
	}
}

void inv_machine_copy_pages(struct inv_machine *machine, struct inv_forge_process *process,
                            const struct inv_forge_process *from, const struct inv_forge_vad *vad)
{
	uint8_t bytes[PAGE];
	for (uint64_t at = vad->start; at < vad->end; at += PAGE) {
		if (!inv_maps_has_table(&from->maps, at)) {
			at = (at / TABLE_SPAN + 1) * TABLE_SPAN - PAGE;
			continue;
		}
		uint64_t pte = inv_maps_get_pte(&from->maps, at);
		if (!(pte & INV_PTE_VALID))
			continue;
		if (is_shared(vad, at, pte)) {
			inv_area_share(machine, vad->area, page_of(vad, at));
			put_pte(machine, process, at, pte);
			count_page(machine, process, 1, 0);
			continue;
		}
		inv_machine_map_user(machine, process, at, pte & (INV_PTE_NX | INV_PTE_WRITE));
		inv_ram_read(machine->ram, pte & INV_PTE_FRAME, bytes, sizeof bytes);
		inv_ram_write(machine->ram, inv_maps_get_pte(&process->maps, at) & INV_PTE_FRAME, bytes, sizeof bytes);
	}
}
