// SPDX-License-Identifier: Apache-2.0
// A space: memory that can be read by virtual address. Two kinds stand behind one interface: page tables over
// an image, and the fragments of a triage dump.
//
// A space may be read by several threads at once, once its PTE format is set and a fragment was read after the last was added: what
// it remembers of its translations is for all of them. What it answers never depends on what was asked before.
#ifndef INV_PAGING_SPACE_H
#define INV_PAGING_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "image/image.h"
#include "paging/absence.h"

struct inv_space;

// How Windows encodes a PTE that the CPU does not use. Positions differ between builds (_MMPTE_SOFTWARE,
// _MMPTE_TRANSITION, _MMPTE_PROTOTYPE), so the kernel floor sets them from the facts once these are known; until
// then the defaults hold, which have been right for every x64 build for the bits Prototype (10) and
// Transition (11).
struct inv_pte_format {
	uint8_t prototype_bit;
	uint8_t transition_bit;
	uint8_t protection_bit, protection_bits;             // _MMPTE_SOFTWARE.Protection
	uint8_t page_file_bit, page_file_bits;               // _MMPTE_SOFTWARE.PageFileLow; bits 0: not known
	uint8_t page_file_offset_bit, page_file_offset_bits; // _MMPTE_SOFTWARE.PageFileHigh; all ones, Prototype set: VAD
	uint8_t swizzle_bit;                                 // _MMPTE_SOFTWARE.SwizzleBit; 0: this build has none
	uint8_t proto_address_bit, proto_address_bits;       // _MMPTE_PROTOTYPE.ProtoAddress, sign-extended
	uint64_t invalid_pte_mask;                           // MiState.Hardware.InvalidPteMask; 0 if unknown
	int store_page_file;                                 // the page file that is the compressed store; -1: not known
};
extern const struct inv_pte_format inv_pte_format_default;

// Page tables of x64 over an image. `dtb` may carry PCID or other low bits (masked to bits 12..51); `levels`
// is 4 or 5. The image must outlive the space.
struct inv_space *inv_space_new_x64(const struct inv_image *image, uint64_t dtb, unsigned levels);

// Other page tables of the same machine: the same image, number of levels and PTE format, another root. `space` has page tables. It
// remembers less than what inv_space_new_x64() makes, and so costs less: it is for one process.
struct inv_space *inv_space_new_beside(const struct inv_space *space, uint64_t dtb);

// A space of fragments, empty at first. Fragments may overlap: the one added first wins; what would stand beyond the last address
// is left out. The bytes are not copied and must outlive the space.
struct inv_space *inv_space_new_fragments(void);
void inv_space_add_fragment(struct inv_space *space, uint64_t address, const uint8_t *bytes, size_t size);

void inv_space_free(struct inv_space *space); // NULL is allowed

void inv_space_set_pte_format(struct inv_space *space, const struct inv_pte_format *format);
const struct inv_pte_format *inv_space_pte_format(const struct inv_space *space);
bool inv_space_has_page_tables(const struct inv_space *space);
uint64_t inv_space_dtb(const struct inv_space *space);    // 0 for fragments
unsigned inv_space_levels(const struct inv_space *space); // 0 for fragments

// Reads up to `size` bytes and returns how many from the start could be read. If that is fewer than `size`, `why`
// (may be NULL) tells the reason of the first missing byte, else its reason is INV_PRESENT. The rest of `buffer` is zeroed. A
// read that runs past the last address stops there: INV_NOT_CANONICAL at UINT64_MAX.
size_t inv_space_read(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why);

// Says that what stands at `address` will be read soon. Changes nothing but how long that will take: whoever knows many addresses
// ahead need not wait for memory at each of them.
void inv_space_expect(struct inv_space *space, uint64_t address);

// The physical address of a virtual one, whether or not the image holds that page. Fragments have none: always INV_NOT_CAPTURED.
bool inv_space_translate(struct inv_space *space, uint64_t address, uint64_t *physical, struct inv_why *why);

// The rights that the page tables grant on the way to `address`, and the size of the page. Where the last PTE is one that the CPU
// would fault on, its part in the rights is what its Protection (or the prototype PTE) says a fault would grant.
struct inv_mapping {
	uint64_t physical; // of the first byte of the page
	uint64_t size;     // 4 KiB, 2 MiB or 1 GiB
	bool user, writable, executable;
	bool transition, prototype; // resolved through such a PTE, or through a page table that is itself in transition
};
bool inv_space_map(struct inv_space *space, uint64_t address, struct inv_mapping *mapping, struct inv_why *why);

#endif
