// SPDX-License-Identifier: Apache-2.0
// DXGPROCESS, which dxgkrnl makes at the first graphics call of a process: a block with the tag "DxgP" (CreateDxgProcess). The slot in
// it that names the EPROCESS stands at +38 (8.1 and earlier; 1703 to 2004, and from Windows 11 on) or +30 (1507 to 1607): read in the
// code of DXGPROCESS' constructor. EPROCESS.DxgProcess leads there from 1607 on, W32PROCESS.DxProcess to 8.1; between these builds it
// is not known what does.
#ifndef INV_NT_DXGKRNL_H
#define INV_NT_DXGKRNL_H

#include "nt/win32k.h"

struct inv_dxg_block {
	uint64_t address;       // DXGPROCESS
	bool used;              // its pool header does not call it free
	struct inv_value owner; // the process that it names, by the vote
	struct inv_value leads; // where that process' own pointer leads
	uint64_t named[2];      // what stands in the two slots
};

struct inv_dxg_process {
	uint64_t process;
	struct inv_value slot;  // the process' pointer to its DXGPROCESS, which is not 0
	struct inv_value owner; // the process that this one names, by the vote
	struct inv_value block; // the first eight bytes of the pool header; tag in the upper half
};

struct inv_dxgkrnl {
	struct inv_win32k *win32k;         // for its eyes
	struct inv_dxg_block *blocks;      // stb_ds
	struct inv_dxg_process *processes; // stb_ds
	struct inv_vote slot;              // where DXGPROCESS names the process
	size_t agree[2], voters;           // while blocks and processes are added
	bool full;
};

struct inv_dxgkrnl *inv_dxgkrnl_new(struct inv_win32k *win32k); // which must outlive it
void inv_dxgkrnl_free(struct inv_dxgkrnl *dxgkrnl);             // NULL is allowed

// A block with the tag, by the address of its pool header. The process whose own pointer leads to this very block is returned; 0: none.
uint64_t inv_dxgkrnl_add_block(struct inv_dxgkrnl *dxgkrnl, uint64_t header);
// Those that have none are passed over.
void inv_dxgkrnl_add_process(struct inv_dxgkrnl *dxgkrnl, uint64_t process);
// Counts the votes, and reads the owners.
void inv_dxgkrnl_settle(struct inv_dxgkrnl *dxgkrnl);
// The pointer of a process to its DXGPROCESS; !ok where this build's is not known.
struct inv_value inv_dxgkrnl_of(struct inv_dxgkrnl *dxgkrnl, uint64_t process);

#endif
