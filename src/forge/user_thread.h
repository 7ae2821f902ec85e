// SPDX-License-Identifier: Apache-2.0
// What a thread of a process with a user half keeps there, TEB and stack, and what the kernel notes of it: where it began, where
// it left user mode, what is queued for it.
#ifndef INV_FORGE_USER_THREAD_H
#define INV_FORGE_USER_THREAD_H

#include "forge/peb.h"

// -- user_thread.c ----------------------------------------------------------------------------------------------------------
// StartAddress and Win32StartAddress, before they are written: RtlUserThreadStart and the program's entry, or another function for
// all but the first thread. Without a program: as they are.
void inv_machine_choose_start(struct inv_forge_thread *thread);
// TEB, stack and trap frame of a thread with a kernel stack. It waits in NtWaitForSingleObject.
void inv_machine_make_user_thread(struct inv_machine *machine, struct inv_forge_thread *thread);
// Writes both start addresses.
void inv_machine_put_start(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t start,
                           uint64_t win32_start);
// Writes where the thread left user mode.
void inv_machine_put_context(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t rip, uint64_t rsp);
// PspExitThread: its stacks are freed, and the kernel knows no TEB of it. (The TEB's page stays for the next thread.) That Teb is
// cleared is public practice.
void inv_machine_leave_user(struct inv_machine *machine, struct inv_forge_thread *thread);
// The kernel knows no TEB of it.
void inv_machine_without_teb(struct inv_machine *machine, struct inv_forge_thread *thread);
// NtSuspendThread: the thread waits in the kernel for NtResumeThread.
void inv_machine_suspend(struct inv_machine *machine, struct inv_forge_thread *thread, unsigned count);
// PsFreezeProcess: all threads of a process stand still, as those of an app that nobody looks at.
void inv_machine_freeze(struct inv_machine *machine, struct inv_forge_process *process);
// The thread switched to a fiber: it runs on a stack of its own. `known`: SwitchToFiber, which writes that stack into the TEB; else
// it just set its stack pointer. The base of that stack; 0: there is no room.
uint64_t inv_machine_switch_fiber(struct inv_machine *machine, struct inv_forge_thread *thread, bool known);
// The address of an export of a module that the process has loaded; 0: none.
uint64_t inv_machine_export(const struct inv_forge_process *process, const char *module, const char *name);

// -- asynchronous procedure calls (apc.c) -------------------------------------------------------------------------------------
struct inv_forge_apc {
	bool user;         // ApcMode; else it runs in the kernel
	uint64_t routine;  // NormalRoutine
	uint64_t context;  // NormalContext
	uint64_t argument; // SystemArgument1
	uint64_t kernel;   // KernelRoutine; 0: one of the kernel's own
	bool pending;      // UserApcPending: it is delivered at the next return to user mode
	bool io;           // of an I/O request, in pool of tag IoAp; else PsAp
};
// Empty lists, as of a new thread.
void inv_machine_start_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread);
// KiMoveApcState: what is queued waits until the thread is back in its own process. Before the fields of ApcState change.
void inv_machine_save_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread);
// The address of the KAPC.
uint64_t inv_machine_queue_apc(struct inv_machine *machine, const struct inv_forge_thread *thread,
                               const struct inv_forge_apc *apc);

#endif
