// SPDX-License-Identifier: Apache-2.0
// What the steps of creation write of a process or thread, one by one, for those who lay out one that is not whole. Nothing
// here enters a list but where it says so.
#ifndef INV_FORGE_PARTS_H
#define INV_FORGE_PARTS_H

#include "forge/machine.h"

// The object with what PspAllocateProcess writes of every process. The wish's PID and times are taken as they are, zeros too;
// beside them only name, path, parent, minimal, gui and wow64 count.
struct inv_forge_process *inv_machine_shape_process(struct inv_machine *machine, const struct inv_process_wish *wish);
// The object with its stack and, in a process with a PEB, a TEB. It is neither listed nor in PspCidTable.
struct inv_forge_thread *inv_machine_shape_thread(struct inv_machine *machine, struct inv_forge_process *process,
                                                  uint64_t tid, uint64_t created);
// A page table root with the kernel half.
void inv_machine_give_space(struct inv_machine *machine, struct inv_forge_process *process);
// Its program and DLLs, and the PEB; with KVA shadow the second root.
void inv_machine_give_image(struct inv_machine *machine, struct inv_forge_process *process);
void inv_machine_give_audit_name(struct inv_machine *machine, const struct inv_forge_process *process);
// Session and flag; `link`: also on the session's list.
void inv_machine_give_session(struct inv_machine *machine, struct inv_forge_process *process, uint32_t id, bool link);
// An empty handle table, on the list of them.
void inv_machine_give_table(struct inv_machine *machine, struct inv_forge_process *process);
// W32PROCESS, and THREADINFO of a thread whose process has one.
void inv_machine_give_win32(struct inv_machine *machine, struct inv_forge_process *process);
void inv_machine_give_win32_thread(struct inv_machine *machine, struct inv_forge_thread *thread);
// The same, and the process opens its window station and desktop, if it has not yet.
void inv_machine_join_desktop(struct inv_machine *machine, struct inv_forge_thread *thread);
// What a clone shares with its parent.
void inv_machine_give_clone(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t section);
// A section object without content; the address of its body.
uint64_t inv_machine_make_section(struct inv_machine *machine);
// The page of a root that was given back: its PFN entry says free, its content stays.
void inv_machine_free_root(struct inv_machine *machine, uint64_t root);

#endif
