// SPDX-License-Identifier: Apache-2.0
// The PFN database: MmPfnDatabase points to an array of _MMPFN, one for every frame of physical memory that Windows manages.
// The frame of a page table root is self-containing: u4.PteFrame is its own frame, because the self-map makes the root the
// table that maps it. Its u1 leads back to the EPROCESS, in one of three encodings (read in the kernel's code:
// MiAllocateTopLevelPage, MiSetPageTablePfnBuddy, MiAllocateProcessShadow; layouts.md B.4).
#ifndef INV_NT_PFN_H
#define INV_NT_PFN_H

#include "kernel/kernel.h"

enum inv_pfn_encoding {
	INV_PFN_UNKNOWN, // none of the three decodes System's root to System
	INV_PFN_RAW,     // u1 is the address
	INV_PFN_BUDDY,   // _MI_ACTIVE_PFN.PageTable.NonPagedBuddy: the address from bit 4 on, without its sign
	INV_PFN_INDEX,   // a number from an unnamed base, which System's own root gives
};
const char *inv_pfn_encoding_name(enum inv_pfn_encoding encoding);

// A root frame as it was found.
struct inv_pfn {
	uint64_t frame;
	uint64_t address; // of the entry
	uint64_t u1;
	uint64_t pte_address; // without its lock bit
	uint64_t pte_frame;
	unsigned location; // MMLISTS: 6 is ActiveAndValid
	bool prototype;    // PteAddress is that of a prototype PTE
	uint32_t tail;     // the four bytes from 0x24 on, where the third encoding keeps its upper bits
};
#define INV_PFN_ACTIVE 6u

struct inv_pfn_database {
	const struct inv_kernel *kernel;
	const char *voided; // why nothing can be read; NULL: it can. Static text
	uint64_t base;      // of the array
	uint32_t entry_size;
	enum inv_pfn_encoding encoding;
	uint64_t index_base; // with INV_PFN_INDEX
};

// Where the database is; without the encoding. Sets `voided` when the kernel's layout does not know _MMPFN, when MmPfnDatabase
// cannot be read, or when the image holds no page tables.
void inv_pfn_open(const struct inv_kernel *kernel, struct inv_pfn_database *database);

// The entry of a frame. false with `why` (may be NULL) when it cannot be read; INV_NOT_MAPPED: Windows manages no such frame.
bool inv_pfn_read(const struct inv_pfn_database *database, uint64_t frame, struct inv_pfn *pfn, struct inv_why *why);

// Active, self-containing and no prototype's: a page table root.
bool inv_pfn_is_root(const struct inv_pfn *pfn);

// Calls `each` for every page table root among the frames whose neighbourhood (1 MiB) the image holds, in order of frames; it
// ends early when `each` returns false. Counts the entries read, and those whose page is not in the image.
void inv_pfn_each_root(const struct inv_pfn_database *database, bool (*each)(void *context, const struct inv_pfn *pfn),
                       void *context, size_t *read, size_t *unreadable);

// Keeps the encoding that decodes the root of `system` (an EPROCESS, 0 if not known) to `system`; where System's own entry lies,
// the one by which at least three roots lead to a process whose DirectoryTableBase leads back. The third encoding needs both.
void inv_pfn_calibrate(struct inv_pfn_database *database, uint64_t system, const struct inv_pfn *roots, size_t count);

// The page table root above a page that belongs to a PTE, by the PFN entries of the page tables on the way. false: to none.
bool inv_pfn_climb(const struct inv_pfn_database *database, const struct inv_pfn *page, struct inv_pfn *root);

// The EPROCESS that a root's u1 decodes to; 0: none (u1 is empty, or the result is no address of the kernel half).
uint64_t inv_pfn_owner(const struct inv_pfn_database *database, const struct inv_pfn *pfn);

// The address of the self-map entry of a root as PteAddress has it, by the page table root of System; 0: not known.
uint64_t inv_pfn_root_pte(const struct inv_kernel *kernel);

// The virtual address at which a frame is mapped, by PteAddress, and proved by translating it back in the kernel's own address
// space: false for pages of user memory of another process, prototypes and pages that are not active. For a page table the address
// is that of the self-map.
bool inv_pfn_virtual(const struct inv_pfn_database *database, uint64_t frame, uint64_t *address);

#endif
