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
// types, PsReaperListHead (how its entries are linked is not known), VADs, jobs where the kernel's are not known.
// INV_E_USAGE: the machine has no room for it.
INV_MUST_USE enum inv_code inv_world_lay(struct inv_machine *machine, const struct inv_model *model,
                                         struct inv_error *error);

#endif
