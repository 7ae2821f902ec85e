// SPDX-License-Identifier: Apache-2.0
// What win32k keeps of processes and threads that made USER calls: W32PROCESS, THREADINFO, and the desktops that threads are on.
// None is in a symbol table. What is published, with its builds: AllocateW32Process gives W32PROCESS the tag "Uspi" and writes the
// EPROCESS to +0 (read in ten builds); RefCount +8, W32Pid +38 (to 1803), DxProcess +F8 (to 8.1) by Chappell's description;
// tagTHREADINFO.pEThread +0, ppi, PtiLink and tagDESKTOP.PtiList by Volatility 2 for some builds. Where an offset changes between
// builds it is found by a vote of all that can tell, and the vote is kept.
// It lies in session space, which each session maps for itself: it is read through the page tables of a process of the session, the
// session's eyes. Nothing here is believed; what could not be read says why.
#ifndef INV_NT_WIN32K_H
#define INV_NT_WIN32K_H

#include "nt/user.h"

// What stands where by the word of most. An offset counts when at least three say so and more than half of those who can tell; one that
// is not published for any build must have them all.
#define INV_VOTE_LEAST 3u
struct inv_vote {
	bool known;
	uint32_t offset;
	bool published; // it is among those that are published for some build
	size_t agree, voters;
};

// A block with the tag "Uspi" somewhere in memory.
struct inv_w32_block {
	uint64_t physical; // of its pool header
	uint64_t process;  // what it holds at +0
	bool used;         // its header does not call it free
	uint64_t address;  // where the process' Win32Process leads to this very block; 0: it leads elsewhere
	uint64_t eyes;     // the process by whose page tables it does
};

struct inv_w32_process {
	uint64_t process;       // EPROCESS
	uint64_t eyes;          // the process through whose page tables this was read; 0: none could be
	struct inv_value slot;  // EPROCESS.Win32Process; the rest only if it leads somewhere
	struct inv_value back;  // W32PROCESS + 0
	struct inv_value pid;   // +38
	struct inv_value dx;    // +F8, to 8.1
	struct inv_value block; // the first eight bytes of the pool header; tag in the upper half
};

struct inv_w32_thread {
	uint64_t thread, process; // ETHREAD and KTHREAD.Process
	uint64_t eyes;
	struct inv_value slot;  // KTHREAD.Win32Thread
	struct inv_value back;  // THREADINFO + 0
	struct inv_value ppi;   // by the vote, if it settled that
	struct inv_value win32; // Win32Process of `process`
};

// An entry of tagDESKTOP.PtiList.
struct inv_desktop_thread {
	size_t desktop;          // index
	uint64_t info;           // THREADINFO
	uint64_t at;             // of the entry
	struct inv_value thread; // its pEThread
	struct inv_value slot;   // Win32Thread of that thread
};

struct inv_desktop {
	uint64_t address;         // tagDESKTOP
	const char *name;         // "" if it has none
	struct inv_value session; // dwSessionId
	uint64_t eyes;            // 0: its list could not be followed
	bool closed;
};

struct inv_win32k {
	const struct inv_kernel *kernel;
	struct inv_w32_block *blocks;       // stb_ds, in the order in which they were added
	struct inv_w32_process *processes;  // stb_ds; those with a Win32Process, as added
	struct inv_w32_thread *threads;     // stb_ds; those with a Win32Thread, as added
	struct inv_desktop *desktops;       // stb_ds
	struct inv_desktop_thread *members; // stb_ds, by desktop
	struct inv_vote ppi, link, list;    // tagTHREADINFO.ppi and PtiLink, tagDESKTOP.PtiList
	struct inv_eye *eyes;               // stb_ds; one for each session
	uint32_t *ppi_votes;                // while threads are added
	size_t voters;
	size_t room; // more than so many records are not kept
	bool full;
};

struct inv_win32k *inv_win32k_new(const struct inv_kernel *kernel);
void inv_win32k_free(struct inv_win32k *win32k); // NULL is allowed

// A block of memory with the tag, by the physical address of its pool header. NULL: it holds no address of the kernel half.
const struct inv_w32_block *inv_win32k_add_block(struct inv_win32k *win32k, uint64_t physical);
// Once all blocks were added: those that their processes' sessions did not show are looked for with all eyes.
void inv_win32k_match_blocks(struct inv_win32k *win32k);
// A desktop, by the address of tagDESKTOP.
void inv_win32k_add_desktop(struct inv_win32k *win32k, uint64_t desktop, const char *name);
// Follows the lists of all desktops that were added, by the eyes that blocks gave.
void inv_win32k_follow_desktops(struct inv_win32k *win32k);
// Reads what the process, or the thread of that process, has with win32k. Those that have nothing are passed over.
void inv_win32k_add_process(struct inv_win32k *win32k, uint64_t process);
void inv_win32k_add_thread(struct inv_win32k *win32k, uint64_t thread, uint64_t process);
// Counts the votes on ppi, and reads it of every thread.
void inv_win32k_settle(struct inv_win32k *win32k);

// Eight bytes of session space as this process' session sees them. If they are not what is expected (NULL: anything is right),
// the process' own page tables are tried. *eyes is the process whose page tables gave the value.
struct inv_value inv_win32k_read(struct inv_win32k *win32k, uint64_t process, uint64_t address,
                                 const uint64_t *expected, uint64_t *eyes);
// W32PROCESS.DxProcess of a process, on builds that have it there (8.1 and earlier).
struct inv_value inv_win32k_dx(struct inv_win32k *win32k, uint64_t process);

// Does a vote settle it?
void inv_vote_count(struct inv_vote *vote, size_t agree, size_t voters, uint32_t offset, bool published);

#endif
