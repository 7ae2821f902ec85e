// SPDX-License-Identifier: Apache-2.0
// The user half of a thread: its TEB, which is its own to write, and the trap frame in which the CPU left what it did in user mode.
#ifndef INV_NT_USER_THREAD_H
#define INV_NT_USER_THREAD_H

#include "nt/user.h"

// TEB. A field that could not be read says why.
struct inv_teb {
	uint64_t address;
	struct inv_value self, process_id, thread_id, peb;
	struct inv_value stack_base, stack_limit, deallocation_stack;
	struct inv_value has_fiber_data, fiber_data, wow_teb_offset;
};
void inv_teb_read(const struct inv_user *user, uint64_t teb, struct inv_teb *result);

// KTRAP_FRAME at KTHREAD.TrapFrame. Of a thread that a CPU runs it is that of the last time it entered the kernel.
struct inv_trap_frame {
	struct inv_value address; // KTHREAD.TrapFrame; 0 and ok: the thread has none
	struct inv_value rip, rsp, cs, eflags;
	bool user;   // what it says is of user mode, by SegCs
	bool narrow; // and of 32-bit code
};
// Never fails: what could not be read says why.
void inv_trap_frame_read(const struct inv_kernel *kernel, uint64_t thread, struct inv_trap_frame *frame);

#endif
