// SPDX-License-Identifier: Apache-2.0
// Who created whom. A process notes only the PID of its parent, and identifiers are given out again: who has it now is the
// parent only if he was there first. EPROCESS.SequenceNumber tells the order (it is counted under the lock of the active list);
// where a kernel lacks it, CreateTime does, which whoever sets the clock can turn round.
#ifndef INV_INVARIANT_KIN_H
#define INV_INVARIANT_KIN_H

#include "invariant/invariant.h"

enum inv_parent_kind {
	INV_PARENT_NONE,       // Idle and System have none
	INV_PARENT_PROVED,     // an older process has the PID
	INV_PARENT_REMAINS,    // an older process had it, of which freed memory still tells
	INV_PARENT_GONE,       // nobody has it
	INV_PARENT_RECYCLED,   // only a younger process or thread has it: the parent has gone
	INV_PARENT_IMPOSSIBLE, // nobody who had it can have been the parent: `why`
	INV_PARENT_UNSURE,     // it cannot be told: `why`
};
const char *inv_parent_name(enum inv_parent_kind kind); // "proved", "recycled", ...

struct inv_parent {
	enum inv_parent_kind kind;
	const struct inv_dossier
	    *process; // PROVED: it. REMAINS: what is left of it. RECYCLED: who has its PID now; may be NULL
	const struct inv_thread_dossier *thread; // RECYCLED, IMPOSSIBLE: the thread that has the identifier; may be NULL
	const char *why;                         // static text; NULL where the kind says all
};

struct inv_kin;
// Sorts the processes by identifier and by age: O(n log n), once. The dossiers must outlive it.
struct inv_kin *inv_kin_new(const struct inv_dossiers *dossiers);
void inv_kin_free(struct inv_kin *kin); // NULL is allowed

struct inv_parent inv_kin_parent(const struct inv_kin *kin, const struct inv_dossier *process);
// The process that has this identifier and is older than `process`; of several the youngest. NULL: none is.
const struct inv_dossier *inv_kin_elder(const struct inv_kin *kin, uint64_t id, const struct inv_dossier *process);
// Was the first process there before the other?
enum inv_answer inv_kin_is_older(const struct inv_kin *kin, const struct inv_dossier *one,
                                 const struct inv_dossier *other);
// Orders processes by age, for qsort() and the like: the elder first, those of unknown age last and by address.
int inv_kin_compare(const struct inv_kin *kin, const struct inv_dossier *one, const struct inv_dossier *other);

#endif
