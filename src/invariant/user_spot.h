// SPDX-License-Identifier: Apache-2.0
// What an address of user mode leads to: an image, memory of the process' own, a view, or nothing.
#ifndef INV_INVARIANT_USER_SPOT_H
#define INV_INVARIANT_USER_SPOT_H

#include "invariant/inside.h"

enum inv_spot_kind {
	INV_SPOT_UNKNOWN, // what would show it could not be read
	INV_SPOT_NOTHING, // no range, and the page tables hold nothing
	INV_SPOT_BARE,    // no range, yet the page tables lead to a page
	INV_SPOT_IMAGE,
	INV_SPOT_PRIVATE,
	INV_SPOT_VIEW, // of a file as data, or of a section without one
};

struct inv_spot {
	enum inv_spot_kind kind;
	const struct inv_vad *vad; // NULL: no range covers it
	const char *why;           // of an unknown one, static
	bool executable;           // private memory or a view: the range was made executable, or its page is
	uint64_t physical;         // of a bare one
};
struct inv_spot inv_spot_of(const struct inv_inside *inside, uint64_t address);
// In words, for evidence: "the image \\Windows\\System32\\ntdll.dll", "private memory", ...; lives in the judge's arena.
const char *inv_spot_text(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_spot *spot);
// What the ranges say of the address, as evidence.
void inv_spot_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                   const struct inv_spot *spot);

// The flags and the state of a thread, as far as its user half is concerned.
struct inv_thread_state {
	bool kernel_only; // its SystemThread flag is set: it has no user half
	bool terminated;  // its Terminated flag is set, or its state is Terminated
	bool inserted;    // its ThreadInserted flag is set, or this build has none
	bool runs;        // a CPU runs it, or its state says so
	struct inv_value state;
};
struct inv_thread_state inv_thread_state_read(const struct inv_judge *judge, const struct inv_thread_dossier *thread);

// Calls `one` for every thread of the process.
void inv_each_inside_thread(struct inv_judge *judge, const struct inv_inside *inside,
                            void (*one)(struct inv_judge *judge, const struct inv_inside *inside,
                                        const struct inv_thread_dossier *thread));

#endif
