// SPDX-License-Identifier: Apache-2.0
// A model laid out in memory: each of its processes, threads and handles becomes one of the machine, in the state in which
// the model was stopped.
#ifndef INV_FORGE_WORLD_H
#define INV_FORGE_WORLD_H

#include "forge/machine.h"
#include "model/model.h"

// Lets a model live: `operations` of them, chosen by the seed; the last one is stopped half-way. System gets the handles of
// what it creates.
void inv_world_live(struct inv_model *model, uint64_t seed, unsigned operations);

// Lays the model out in a machine that has booted. The model's "now" is the machine's. PIDs, TIDs and handle values are the
// model's; PIDs and TIDs are moved up by a whole number of pages of the CID table, past those of the machine's own System.
// Left out: processes that are in no register yet or any more, threads in creation, System's threads (the machine has its
// own), handles to tokens and jobs. INV_E_USAGE: the machine has no room for it.
INV_MUST_USE enum inv_code inv_world_lay(struct inv_machine *machine, const struct inv_model *model,
                                         struct inv_error *error);

#endif
