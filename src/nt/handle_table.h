// SPDX-License-Identifier: Apache-2.0
// HANDLE_TABLE: the handles of a process, and PspCidTable, which is one too. TableCode holds the address of a page and, in its
// low bits, how many levels of pages of pointers stand above the pages of 256 entries (layouts.md B.3.7).
//
// An entry of 16 bytes points at an object: an ordinary one at its OBJECT_HEADER, one of PspCidTable at its body. Up to
// Windows 7 that is HANDLE_TABLE_ENTRY.Object without its three low bits, later ObjectPointerBits, which stand at the top of
// the first eight bytes and mean the address from bit 4 on, sign-extended. The layout tells which. The first entry of each
// page is the table's own.
#ifndef INV_NT_HANDLE_TABLE_H
#define INV_NT_HANDLE_TABLE_H

#include "kernel/kernel.h"

#define INV_HANDLE_BOUND ((size_t)1 << 24) // entries of one table: Windows hands out no more handles
#define INV_HANDLE_PAGE_ENTRIES 256u

struct inv_handle {
	uint64_t value;  // the handle, or the PID or TID in PspCidTable: the index times 4
	uint64_t object; // where the entry points: an OBJECT_HEADER, in PspCidTable a body. Not checked in any way
	uint64_t at;     // the address of the entry
	uint32_t access; // GrantedAccess; 0 if the layout does not have it
};

// How far a table could be read.
struct inv_handle_coverage {
	size_t read;        // entries, free ones among them
	size_t used;        // those handed to the caller
	size_t unreadable;  // pages of entries or of pointers that are not there
	size_t broken;      // pointers to pages that no kernel would write, and entries past the bound
	bool complete;      // nothing was unreadable or broken
	struct inv_why why; // of the first page that is not there
};

typedef void (*inv_handle_each)(void *context, const struct inv_handle *handle);

// Why the entries of this kernel's tables cannot be read at all; NULL if they can. Static text.
const char *inv_handle_table_unknown(const struct inv_kernel *kernel);

// Calls `each` for every entry in use, by rising value, and fills `coverage`. A page that cannot be read is passed over.
// `budget` bounds the entries read (256 for each page), and is lowered by them, so that many tables together stay within it.
void inv_handle_table_walk(const struct inv_kernel *kernel, uint64_t table, size_t *budget, inv_handle_each each,
                           void *context, struct inv_handle_coverage *coverage);

// Where the entry of one handle points. `u` is 0 for a free entry and for a value past the end of the table; `address` is
// that of the entry, or 0 if there is none.
struct inv_value inv_handle_table_find(const struct inv_kernel *kernel, uint64_t table, uint64_t value);

// Reads the entry at this address anew, as inv_handle_table_walk() showed it. `u` is the access; not ok: it could not be read, or it
// leads nowhere by now.
struct inv_value inv_handle_access_at(const struct inv_kernel *kernel, uint64_t at);

// How many handles a table itself says that it has: HANDLE_TABLE.HandleCount up to Windows 7, later the sum of
// FreeLists[].HandleCount. No table of symbols tells how many such lists a table has (the kernel has it in ExpFreeListCount): the
// block of pool that the table stands in has room for `lists` of them at most, of which the first `sums` are read.
#define INV_FREE_LISTS 64u
struct inv_handle_counts {
	struct inv_value first; // HandleCount of the table, or of its first list
	size_t lists;           // 1: there can be no other; 0: how many there can be is not known
	size_t sums;
	uint32_t sum[INV_FREE_LISTS]; // of the first list, the first two, and so on
};
void inv_handle_counts_read(const struct inv_kernel *kernel, uint64_t table, struct inv_handle_counts *counts);

#endif
