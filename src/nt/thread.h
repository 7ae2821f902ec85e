// SPDX-License-Identifier: Apache-2.0
// ETHREAD and KTHREAD. The KTHREAD is the ETHREAD's first member (Tcb, offset 0 in every layout).
#ifndef INV_NT_THREAD_H
#define INV_NT_THREAD_H

#include "kernel/kernel.h"

// KTHREAD.State: those of KTHREAD_STATE that are asked for by number (of the kernel's public symbols).
enum {
	INV_KTHREAD_INITIALIZED = 0,
	INV_KTHREAD_READY = 1,
	INV_KTHREAD_RUNNING = 2,
	INV_KTHREAD_STANDBY = 3,
	INV_KTHREAD_TERMINATED = 4,
	INV_KTHREAD_WAITING = 5,
	INV_KTHREAD_DEFERRED_READY = 7,
};
// KTHREAD.WaitReason: likewise of KWAIT_REASON.
enum {
	INV_WAIT_PAGE_IN = 2,
	INV_WAIT_USER_REQUEST = 6,
	INV_WAIT_WR_PAGE_IN = 9,
};

// KTHREAD.State, in words ("running", "waiting", ...); the order of KTHREAD_STATE in ntddk-level symbols. "state 12" style numbers
// are the caller's to print: NULL for a value outside the enumeration.
const char *inv_thread_state_name(uint64_t state);

// KTHREAD.WaitReason, in the words of KWAIT_REASON ("UserRequest", "WrQueue", ...), which have kept their numbers since Windows 7. NULL
// for a value outside the enumeration.
const char *inv_wait_reason_name(uint64_t reason);

// The address of the thread whose list entry stands at `entry`. 0 when the layout has no such field.
uint64_t inv_thread_of_entry(const struct inv_kernel *kernel, uint64_t entry, enum inv_field field);

#endif
