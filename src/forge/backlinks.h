// SPDX-License-Identifier: Apache-2.0
// What other parts of the kernel keep of a process, with a pointer back to it.
#ifndef INV_FORGE_BACKLINKS_H
#define INV_FORGE_BACKLINKS_H

#include "forge/machine.h"

enum inv_forge_backlink_kind {
	INV_BACKLINK_PORT,         // ALPC_PORT.OwnerProcess, on AlpcpPortList
	INV_BACKLINK_REGISTRATION, // ETW_REG_ENTRY.Process, of a handle
	INV_BACKLINK_NOTIFICATION, // WNF_PROCESS_CONTEXT.Process, on ExpWnfProcessesListHead
	INV_BACKLINK_RESOLUTION,   // EPROCESS.TimerResolutionLink, on ExpTimerResolutionListHead
	INV_BACKLINK_TIMER,        // ETIMER.TimerApc.Thread, on ETHREAD.ActiveTimerListHead
};

struct inv_forge_backlink {
	enum inv_forge_backlink_kind kind;
	struct inv_forge_process *owner;
	uint64_t object; // body or block; of the resolution 0
	uint64_t at;     // where the pointer stands; of the resolution 0
	uint64_t entry;  // in the list; 0: in none
};

// An ALPC_PORT that the process made, on AlpcpPortList; named unless `name` is NULL. No handle leads to it yet. The address of its
// body; 0: this kernel's are not known.
uint64_t inv_machine_make_port(struct inv_machine *machine, struct inv_forge_process *owner, const char *name);
// A registration of a provider by user mode (EtwEventRegister): an object of the type EtwRegistration, a handle to it in the
// process' table, and an entry on the list of its GUID; of the same provider as another registration, unless that is 0. The
// address of its body; 0: this kernel's are not known.
uint64_t inv_machine_register_provider(struct inv_machine *machine, struct inv_forge_process *owner, uint64_t other);
// What the process subscribed to state names of WNF. 0: this kernel's are not known.
uint64_t inv_machine_subscribe(struct inv_machine *machine, struct inv_forge_process *owner);
// NtSetTimerResolution. false: this kernel's list is not known.
bool inv_machine_set_resolution(struct inv_machine *machine, struct inv_forge_process *owner);
// NtSetTimer with a routine: a timer whose APC runs in this thread, and a handle to it. 0: this kernel's are not known.
uint64_t inv_machine_set_timer(struct inv_machine *machine, struct inv_forge_thread *thread);
// What a process gives back when it exits.
void inv_machine_drop_backlinks(struct inv_machine *machine, const struct inv_forge_process *process);

#endif
