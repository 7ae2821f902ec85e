// SPDX-License-Identifier: Apache-2.0
// What Windows wrote into a page table entry that the CPU does not use (Valid, bit 0, is clear). Pure decoding: no memory
// is read here. x64, x86 with PAE and ARM64 share these forms, so every kind of page tables uses this file.
#ifndef INV_PAGING_PTE_H
#define INV_PAGING_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/space.h"

enum inv_pte_form {
	INV_PTE_EMPTY,         // zero, decommitted, or nothing that says where a page is
	INV_PTE_TRANSITION,    // the page is still in memory, at `frame`
	INV_PTE_PROTOTYPE,     // another PTE, at the virtual address `prototype`, says where the page is
	INV_PTE_PROTOTYPE_VAD, // the same, but the VAD must be asked for that PTE
	INV_PTE_DEMAND_ZERO,   // a protection, but no content yet
	INV_PTE_PAGED_OUT,     // in page file `page_file` at `offset`
	INV_PTE_COMPRESSED,    // the same, and that page file is the compressed store
};

struct inv_pte {
	enum inv_pte_form form;
	uint64_t frame;      // physical address of the page
	uint64_t prototype;  // virtual address of the prototype PTE, sign-extended
	uint32_t page_file;  // UINT32_MAX: not known
	uint64_t offset;     // in the page file, in bytes
	uint32_t protection; // _MMPTE_SOFTWARE.Protection as stored; 0 if its place is not known
};

// Decodes an entry whose bit 0 is clear. Any `format` is safe: places beyond bit 63 read as zero.
struct inv_pte inv_pte_decode(const struct inv_pte_format *format, uint64_t entry);

// What a Protection grants once the page is made valid. The low three bits are none, R, X, RX, RW, copy-on-write, RWX,
// executable copy-on-write (source: MM_READONLY to MM_EXECUTE_WRITECOPY in ReactOS, ntoskrnl/include/internal/mm.h); a
// copy-on-write page is not writable.
bool inv_protection_writable(uint32_t protection);
bool inv_protection_executable(uint32_t protection);

#endif
