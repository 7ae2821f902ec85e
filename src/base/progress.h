// SPDX-License-Identifier: Apache-2.0
// How far the work is, told by whoever works and looked at by whoever waits; and the wish that it end early. Any thread may call any of
// these functions. All take NULL for nobody who looks, and then cost nothing.
#ifndef INV_BASE_PROGRESS_H
#define INV_BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// In the order in which they come.
enum inv_phase {
	INV_PHASE_NONE,
	INV_PHASE_OPEN,
	INV_PHASE_IDENTIFY,
	INV_PHASE_SWEEP,      // collect: bytes of memory
	INV_PHASE_WITNESSES,  // collect: witnesses
	INV_PHASE_ASSEMBLE,   // processes
	INV_PHASE_VIEWS,      // judge: processes whose mappings are read
	INV_PHASE_INVARIANTS, // judge: invariants
	INV_PHASE_INSIDES,    // judge: processes that are looked into
	INV_PHASE_SMEAR,      // judge: what may come of the machine's having run
	INV_PHASE_RULES,      // processes that are searched by rules
	INV_PHASE_COUNT,
};
const char *inv_phase_name(enum inv_phase phase); // what is done then: "memory is swept"

struct inv_progress {
	// Set by the owner before the work begins; may be NULL. Called when the work is over, by the thread that did it.
	void (*over)(void *context);
	void *context;
	// For the functions below.
	atomic_int phase;
	atomic_uint_fast64_t done, total;
	atomic_bool stop;
};

// What is looked at. `total` is 0 where it is not known how much there is to do.
struct inv_progress_state {
	enum inv_phase phase;
	uint64_t done, total;
};
struct inv_progress_state inv_progress_look(struct inv_progress *progress);

// For who works. Once it was asked to stop, the phase stays that in which it was asked.
void inv_progress_begin(struct inv_progress *progress, enum inv_phase phase, uint64_t total);
void inv_progress_add(struct inv_progress *progress, uint64_t done);
void inv_progress_over(struct inv_progress *progress);

// May be called by a signal handler.
void inv_progress_stop(struct inv_progress *progress);
// Whoever sees that it was asked to stop leaves out what it can leave out, and says so in what it returns.
bool inv_progress_stopped(struct inv_progress *progress);

#endif
