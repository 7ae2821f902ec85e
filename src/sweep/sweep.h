// SPDX-License-Identifier: Apache-2.0
// The one pass over all present physical memory, in which every detector looks at every page once. It finds what no list
// leads to: tagged blocks of pool, objects by their shape alone, page table roots, KDBG and kernels. What it finds are candidates: by
// physical address, and by virtual address where the page tables of System map the page.
#ifndef INV_SWEEP_SWEEP_H
#define INV_SWEEP_SWEEP_H

#include "kernel/kernel.h"

enum inv_hit_kind {
	INV_HIT_PROCESS_TAG, // a pool header with the tag of processes ("Proc"; "Pro\xe3" where the object is protected)
	INV_HIT_THREAD_TAG,  // ... of threads ("Thre", "Thr\xe5") (source: pooltag.txt of the debugger)
	INV_HIT_PROCESS,     // the shape of a KPROCESS, without regard to tags, names and identifiers
	INV_HIT_THREAD,      // the shape of a KTHREAD
	INV_HIT_ROOT,        // a page that maps itself in the slot in which System's page table root does
	INV_HIT_TOKEN_TAG,   // a pool header with the tag of access tokens ("Toke", "Tok\xe5")
	INV_HIT_JOB_TAG,     // ... of jobs ("Job ", "Job\xa0")
	INV_HIT_W32_TAG,     // ... of W32PROCESS ("Uspi")
	INV_HIT_DXG_TAG,     // ... of DXGPROCESS ("DxgP")
	INV_HIT_DESKTOP_TAG, // ... of desktops ("Desk", "Des\xeb")
	INV_HIT_ROUTINE_TAG, // ... of blocks to which slots of callback routines lead ("Cbrb")
	INV_HIT_KDBG,        // the tag "KDBG" of a KDDEBUGGER_DATA64 that is not encoded
	INV_HIT_KERNEL,      // a page that begins a PE file of the size and subsystem of a kernel
	INV_HIT_ASKED_TAG,   // a pool header with one of the tags that inv_sweep_tags() was asked for
};

struct inv_hit {
	uint64_t physical; // of the pool header, of the object, of the tag in KDBG, of the page
	uint64_t address;  // the same as a virtual address; 0: System's page tables map it nowhere. Roots: always 0
	enum inv_hit_kind kind;
	uint32_t tag; // of INV_HIT_ASKED_TAG
};

// Memory filled with tags must not fill ours: hits beyond this number are left out, and `cut_short` says so.
#define INV_SWEEP_MAX_HITS ((size_t)1 << 21)

struct inv_sweep {
	struct inv_hit *hits;  // stb_ds; by physical address, then by kind
	uint64_t bytes;        // that were looked at
	uint64_t skipped;      // present bytes that are no whole page
	bool roots;            // the slot of the self-map entry is known, so that roots were looked for
	bool mapped;           // the page tables were read to their end: a hit without address is mapped nowhere
	const char *cut_short; // NULL: everything was looked at
	bool interrupted;      // the kernel's progress was asked to stop: nothing here is fit for use
};

// Looks at all memory of the image with `threads` threads (0: as many as there are CPUs). NULL when there is nothing to look
// at: a triage dump, or no layout. The same image gives the same result whatever the number of threads.
struct inv_sweep *inv_sweep_run(const struct inv_kernel *kernel, unsigned threads);
void inv_sweep_free(struct inv_sweep *sweep); // NULL is allowed

// The same for pool headers with these tags (letters from the lowest byte on; at most INV_SWEEP_MOST_TAGS) and nothing else: what
// one command alone asks for is no burden to all the others.
#define INV_SWEEP_MOST_TAGS 16u
struct inv_sweep *inv_sweep_tags(const struct inv_kernel *kernel, const uint32_t *tags, size_t count, unsigned threads);

// The slot (256 to 511) in which the root of these page tables maps itself; 0 if not exactly one does.
unsigned inv_sweep_self_slot(const struct inv_kernel *kernel);

#endif
