// SPDX-License-Identifier: Apache-2.0
// Server silos (containers): a job with globals of its own.
#ifndef INV_FORGE_SILO_H
#define INV_FORGE_SILO_H

#include "forge/machine.h"

// Makes a server silo of the job (0: of a new one). Its address; 0: this kernel's are not known (before Windows 10 1809 no field
// of EPROCESS tells them).
uint64_t inv_machine_make_silo(struct inv_machine *machine, uint64_t job);
// The process enters the silo: its job, unless it is in one that is nested into it, and EPROCESS.ServerSilo.
void inv_machine_enter_silo(struct inv_machine *machine, struct inv_forge_process *process, uint64_t silo);
// The globals (_ESERVERSILO_GLOBALS) of a silo, or of the host for 0; 0: there are none.
uint64_t inv_machine_silo_globals(const struct inv_machine *machine, uint64_t silo);
// The globals name these processes (each may be NULL). false: there are no globals.
bool inv_machine_lead_silo(struct inv_machine *machine, uint64_t silo, const struct inv_forge_process *leader,
                           const struct inv_forge_process *errors);

#endif
