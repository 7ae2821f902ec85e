// SPDX-License-Identifier: Apache-2.0
// What win32k and dxgkrnl keep of processes that draw or take input, and the memory of sessions that it lies in.
#ifndef INV_FORGE_WIN32K_H
#define INV_FORGE_WIN32K_H

#include "forge/machine.h"

// Session space begins at the same address in every session; each process of a session sees that session's.
void inv_machine_map_session(struct inv_machine *machine, const struct inv_forge_process *process);
// Memory as the session sees it; addresses outside of session space are those of every process.
uint64_t inv_session_get64(const struct inv_machine *machine, const struct inv_forge_session *session,
                           uint64_t address);
void inv_session_put64(struct inv_machine *machine, const struct inv_forge_session *session, uint64_t address,
                       uint64_t value);

// Where these stand in the builds of this machine's kernel.
uint32_t inv_win32_ppi(const struct inv_machine *machine);      // tagTHREADINFO.ppi
uint32_t inv_win32_pti_link(const struct inv_machine *machine); // tagTHREADINFO.PtiLink
uint32_t inv_win32_pti_list(const struct inv_machine *machine); // tagDESKTOP.PtiList
uint32_t inv_dxg_process(const struct inv_machine *machine);    // the slot of DXGPROCESS that names the process

// One more W32PROCESS of the process, to which nothing leads yet, with the content of its own; its address. 0: it has none.
uint64_t inv_win32_copy(struct inv_machine *machine, const struct inv_forge_process *process);
// One more DXGPROCESS that names the process, to which nothing leads; its address.
uint64_t inv_dxg_make(struct inv_machine *machine, const struct inv_forge_process *process);
// CreateDxgProcess at the first graphics call.
void inv_machine_give_graphics(struct inv_machine *machine, struct inv_forge_process *process);

// The last call-outs of a process and of a thread: the blocks are freed, with their content, and what led to them is zero.
void inv_machine_drop_win32(struct inv_machine *machine, struct inv_forge_process *process);
void inv_machine_drop_win32_thread(struct inv_machine *machine, struct inv_forge_thread *thread);

// The desktop of a session with this name; 0: it has none. (Session 0: that of the services' window station.)
uint64_t inv_win32_desktop(const struct inv_machine *machine, uint32_t session, const char *name);
// SetThreadDesktop. `desktop` 0: the thread leaves its own.
void inv_win32_set_desktop(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t desktop);

#endif
