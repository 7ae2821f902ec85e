// SPDX-License-Identifier: Apache-2.0
// PoolBigPageTable: blocks of pool of a page or more have no header; they stand in this table, an array of
// _POOL_TRACKER_BIG_PAGES with PoolBigPageTableSize entries. Bit 0 of Va marks an entry that is free; the address of the block
// that it was used for last stays. (Type information of the kernel's PDB; bit 0 by public practice.)
#ifndef INV_NT_BIG_PAGES_H
#define INV_NT_BIG_PAGES_H

#include "kernel/kernel.h"

// No machine has more: 64 GiB of blocks of several pages.
#define INV_BIG_PAGES_BOUND ((size_t)1 << 22)

struct inv_big_page {
	uint64_t at;     // the address of the entry
	uint64_t va;     // of the block, without bit 0
	uint64_t bytes;  // NumberOfBytes; 0 if the layout does not have it
	uint64_t billed; // ProcessBilled as it stands there; 0 where the layout does not have it (before Server 2022)
	uint32_t tag;
	bool free;
};

struct inv_big_coverage {
	size_t read;         // entries, unused ones among them
	size_t broken;       // whose address is not that of a page of the kernel half, and those past the bound
	size_t unreadable;   // entries that are not in the image
	bool complete;       // nothing was unreadable or past the bound
	const char *unknown; // why the table cannot be read at all; NULL if it can. Static text
};

// Calls `each` for every entry that is or was in use, in order of entries.
void inv_big_pages_walk(const struct inv_kernel *kernel, void (*each)(void *context, const struct inv_big_page *page),
                        void *context, struct inv_big_coverage *coverage);

#endif
