// SPDX-License-Identifier: Apache-2.0
// A model laid out in memory: each of its processes, threads and handles becomes one of the machine, in the state in which
// the model was stopped.
#ifndef INV_FORGE_WORLD_H
#define INV_FORGE_WORLD_H

#include "forge/machine.h"
#include "model/model.h"

// Lets a model live (live.c): operations of every kind, chosen by the seed, up to three at a time and interleaved step by step.
// When `operations` of them have been begun, time stops: up to three remain half done, each between any two of its steps.
void inv_world_live(struct inv_model *model, uint64_t seed, unsigned operations);

// Lays the model out in a machine that has booted and made no process yet (world.c). The model's "now" is the machine's. Idle and
// System are the machine's own, System with the model's threads and handles in addition. Handle values are the model's;
// PIDs and TIDs are moved up by a whole number of pages of the CID table, past those of the machine's own System. All that is
// allocated is laid out, and what the freed blocks of processes and threads still hold. Left out: freed blocks of other
// types, PsReaperListHead (how its entries are linked is not known), handles to files, the suspending APC of a thread, jobs where the
// kernel's are not known. The ranges of a process stand where the forge puts them, beside those that it gives to every process.
// INV_E_USAGE: the machine has no room for it.
INV_MUST_USE enum inv_code inv_world_lay(struct inv_machine *machine, const struct inv_model *model,
                                         struct inv_error *error);

// -- what world.c needs of world_space.c --------------------------------------------------------------------------------------
// The forge's control area of one of the model's.
struct inv_world_area {
	const struct inv_model_area *key;
	struct inv_forge_area *area;
};
// Modules, private ranges and views of a process that has its program already. `areas` is a stb_ds map, which grows.
void inv_world_lay_inside(struct inv_machine *machine, struct inv_forge_process *process,
                          const struct inv_model_process *from, struct inv_world_area **areas);
// Queued APCs and SuspendCount, before the thread is attached.
void inv_world_lay_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread,
                        const struct inv_model_thread *from);

#endif
