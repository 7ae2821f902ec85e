// SPDX-License-Identifier: Apache-2.0
// One invariant tried on the inside of one process: however many records contradict each other, it gets one verdict.
#ifndef INV_INVARIANT_TRIAL_H
#define INV_INVARIANT_TRIAL_H

#include "invariant/inside.h"

struct inv_trial {
	struct inv_judge *judge;
	const struct inv_inside *inside;
	struct inv_finding *finding; // NULL: nothing contradicts so far
	bool lacking;
	struct inv_value missing; // the first value that could not be read
	const char *unsure;       // or another reason why nothing can be said
};

struct inv_trial inv_trial_of(struct inv_judge *judge, const struct inv_inside *inside);
// The finding, made at the first contradiction; the later ones add to its evidence. An observation stays one.
struct inv_finding *inv_trial_broken(struct inv_trial *trial, enum inv_tier accused);
struct inv_finding *inv_trial_observed(struct inv_trial *trial, enum inv_tier accused);
// True when the value was read; else the trial cannot end in "holds".
bool inv_trial_needs(struct inv_trial *trial, const struct inv_value *value);
void inv_trial_unsure(struct inv_trial *trial, const char *reason); // static text
// The verdict, unless there is a finding.
void inv_trial_end(struct inv_trial *trial);

// Evidence: the start of a range of addresses; what the loader notes of a module.
void inv_range_says(struct inv_trial *trial, const struct inv_vad *vad, const char *format, ...) INV_PRINTF(3, 4);

// Does the process run a program from a file, as far as that can be told? If not, gives the verdict: excused as "minimal", "exited" or
// "creating", or unknown.
bool inv_runs_program(struct inv_judge *judge, const struct inv_inside *inside);
// MmCleanProcessAddressSpace marks the process when its last thread exits, and takes all ranges away.
bool inv_space_is_cleaned(const struct inv_judge *judge, const struct inv_dossier *process);
bool inv_has_image_range(const struct inv_inside *inside);
// What the kernel maps and starts, and no more: the loader may not have begun.
bool inv_is_starting(const struct inv_inside *inside);
// The two name the same stream of the same volume. Unsure when it could not be read.
enum inv_answer inv_same_file(const struct inv_file *one, const struct inv_file *other);

#endif
