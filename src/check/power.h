// SPDX-License-Identifier: Apache-2.0
// Who can take over whom: the processes and threads that are open with rights to write, run or impersonate, what such a handle crosses,
// and which protected process is reached in the end. Nothing of it is a finding.
#ifndef INV_CHECK_POWER_H
#define INV_CHECK_POWER_H

#include "check/check.h"

#define INV_NOBODY UINT32_MAX

// What comes of a handle, from what weighs most.
enum inv_deed { INV_TAKES_OVER, INV_READS, INV_CONTROLS, INV_KEEPS, INV_DEEDS };
const char *inv_deed_name(enum inv_deed deed); // "takes over", ...

// Rows stand in this order.
enum inv_power_rank {
	INV_INTO_PROTECTED,
	INV_TOWARDS_PROTECTED,
	INV_OUT_OF_SESSION,
	INV_WITHIN,
	INV_MERELY_READS,
	INV_MERELY_CONTROLS,
	INV_OF_ZOMBIE,
	INV_POWER_RANKS
};

// All handles of one process to another and to its threads.
struct inv_power_edge {
	uint32_t holder, target; // indices of dossiers
	uint32_t access;         // to the process, together
	uint32_t thread_access;  // to its threads, together
	uint32_t handles;
};

struct inv_power_row {
	const struct inv_power_edge *edge;
	enum inv_deed deed;
	enum inv_power_rank rank;
};

struct inv_power {
	const struct inv_check *check;
	struct inv_arena *arena;
	struct inv_power_edge *edges; // stb_ds, by target
	struct inv_power_row *rows;   // stb_ds: those of the edges that give power, by rank
	uint32_t *hops, *next; // of each process: how far it is from a protected one, and over whom; INV_NOBODY: not at all
	struct inv_protection *guarded; // of each process
	struct inv_value *session;      // of each process: its session's object
	size_t *first;                  // of each target's edges; one more than there are processes
};

// The check must outlive it. Sorts the handles of its testimony, which a check that was not judged has left as they were read.
struct inv_power *inv_power_new(const struct inv_check *check);
void inv_power_free(struct inv_power *power); // NULL is allowed

// Does protection lie between the two? The target has it, and the holder has less.
bool inv_power_is_guarded(const struct inv_power *power, const struct inv_power_edge *edge);
// What the handle reaches across: "protection", "session", both, or "".
const char *inv_power_crossed(const struct inv_power *power, const struct inv_power_edge *edge);
// The rights, in words. The text lives as long as the power.
const char *inv_power_rights(struct inv_power *power, const struct inv_power_edge *edge);

#endif
