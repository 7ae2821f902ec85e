// SPDX-License-Identifier: Apache-2.0
// Page tables of x64, written into the forged machine's memory. (Formats: Intel SDM volume 3, 4.5; software PTEs: the types
// _MMPTE_SOFTWARE, _MMPTE_TRANSITION and _MMPTE_PROTOTYPE of the kernel's symbols.)
#ifndef INV_FORGE_PAGING_H
#define INV_FORGE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "facts/facts.h"
#include "forge/memory.h"

#define INV_PTE_VALID 0x1ull
#define INV_PTE_WRITE 0x2ull
#define INV_PTE_USER 0x4ull
#define INV_PTE_ACCESSED 0x20ull
#define INV_PTE_DIRTY 0x40ull
#define INV_PTE_LARGE 0x80ull
#define INV_PTE_GLOBAL 0x100ull
#define INV_PTE_COPY_ON_WRITE                                                                                          \
	0x200ull // these two: Windows's own (_MMPTE_HARDWARE.CopyOnWrite and Write, the same on every x64 build)
#define INV_PTE_MAY_WRITE 0x800ull
#define INV_PTE_NX (1ull << 63)
#define INV_PTE_FRAME 0x000ffffffffff000ull

// One set of page tables. With 5 levels everything of the kernel stands under the last entry of the root.
struct inv_maps {
	struct inv_ram *ram;
	uint64_t root; // physical
	unsigned levels;
};

// A root without entries. `kind` of the tables is decided by the address that is mapped.
void inv_maps_init(struct inv_maps *maps, struct inv_ram *ram, uint64_t root, unsigned levels);

// Maps a page of 4 KiB or, with INV_PTE_LARGE, of 2 MiB. VALID, ACCESSED (and DIRTY where writable) are added.
void inv_maps_map(struct inv_maps *maps, uint64_t address, uint64_t physical, uint64_t flags);
// Writes any PTE at the last level, valid or not.
void inv_maps_set_pte(struct inv_maps *maps, uint64_t address, uint64_t pte);
// Takes away the page of 2 MiB at an address; its frame, 0: there is none.
uint64_t inv_maps_unmap_large(struct inv_maps *maps, uint64_t address);
// The PTE for an address as it stands there; 0 where there is no table for it.
uint64_t inv_maps_get_pte(const struct inv_maps *maps, uint64_t address);
// Whether there is a table of PTEs for an address.
bool inv_maps_has_table(const struct inv_maps *maps, uint64_t address);
// How many pages of a range are mapped by valid PTEs.
uint64_t inv_maps_count_valid(const struct inv_maps *maps, uint64_t start, uint64_t end);
// Makes sure that the entry of the root that leads to `address` exists, so that copies of the root share it.
void inv_maps_reserve(struct inv_maps *maps, uint64_t address);
// Copies the kernel half of another root and writes the self-map entry of this one at `slot`.
void inv_maps_share_kernel(struct inv_maps *maps, const struct inv_maps *from, unsigned slot);
void inv_maps_set_self(struct inv_maps *maps, unsigned slot);
// The base of the PTEs that a self-map entry at `slot` gives.
uint64_t inv_maps_pte_base(unsigned slot, unsigned levels);

bool inv_maps_translate(const struct inv_maps *maps, uint64_t address, uint64_t *physical);

// PTEs that the CPU does not use, by the layout of the build. `protection` is Windows's 5-bit code (1 read only, 4 read and
// write).
uint64_t inv_pte_demand_zero(const struct inv_layout *layout, unsigned protection);
uint64_t inv_pte_page_file(const struct inv_layout *layout, unsigned protection, unsigned file, uint32_t page);
uint64_t inv_pte_transition(const struct inv_layout *layout, unsigned protection, uint64_t physical);
uint64_t inv_pte_prototype(const struct inv_layout *layout, uint64_t address);
// A prototype PTE of a page that stands in a file.
uint64_t inv_pte_subsection(const struct inv_layout *layout, unsigned protection, uint64_t subsection);
// One that sends to the VAD, with another protection than that has (MI_PTE_LOOKUP_NEEDED).
uint64_t inv_pte_ask_vad(const struct inv_layout *layout, unsigned protection);

#endif
