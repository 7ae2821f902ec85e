// SPDX-License-Identifier: Apache-2.0
// Why a byte is not there. Absence is ordinary: the reason travels with the value up to the verdict.
#ifndef INV_PAGING_ABSENCE_H
#define INV_PAGING_ABSENCE_H

#include <stdint.h>

#include "base/memory.h"

enum inv_absence {
	INV_PRESENT = 0,
	INV_NOT_CANONICAL, // the address is none on this architecture
	INV_NOT_MAPPED,    // a page table entry on the way is empty or invalid
	INV_NOT_IN_IMAGE,  // translated, but the physical page is not in the image
	INV_NOT_CAPTURED,  // the image holds fragments, and this address is in none of them
	INV_DEMAND_ZERO,   // never touched: would read as zero, but nothing was stored
	INV_PAGED_OUT,     // in page file `page_file` at `offset`
	INV_COMPRESSED,    // in the compressed store
	INV_PROTOTYPE,     // behind a prototype PTE that could not itself be read, or that leads on to a mapped file
	INV_NO_FIELD,      // this build has no such field, or the facts do not know it
	INV_NO_SYMBOL,     // the address of a global is not known
	INV_NO_POINTER,    // the pointer that leads there is NULL
	INV_ABSENCE_COUNT,
};

struct inv_why {
	enum inv_absence reason;
	uint32_t page_file; // with INV_PAGED_OUT and INV_COMPRESSED; UINT32_MAX: the number is not known
	uint64_t address;   // the virtual address that could not be read (0 for NO_FIELD, NO_SYMBOL)
	uint64_t at;        // the physical address of the page table entry that says so, or of the missing page
	uint64_t offset;    // in the page file, in bytes
	const char *name;   // the field or symbol, with INV_NO_FIELD and INV_NO_SYMBOL; static
};

// A stable key for reports: "not mapped", "not in the image", "in page file", ...
const char *inv_absence_name(enum inv_absence reason);

// One sentence without a full stop: "0xfffff80012345678 is in page file 0 at offset 0x3000".
char *inv_why_text(struct inv_arena *arena, const struct inv_why *why);

#endif
