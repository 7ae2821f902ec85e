// SPDX-License-Identifier: Apache-2.0
// What other parts of the kernel keep of a process, each with a pointer back to it: ALPC_PORT, ETW_REG_ENTRY, WNF_PROCESS_CONTEXT
// and ETIMER. (Type information of the kernel's PDB.)
#ifndef INV_NT_BACKLINKS_H
#define INV_NT_BACKLINKS_H

#include "kernel/kernel.h"

// The process that a registration of an event provider names; `u` is 0 where it was made by a driver, and where the pointer leads to
// nothing of the kernel half. (Up to Windows 7 the same bytes hold the routine of a driver's; the caller must look at what stands
// there.)
struct inv_value inv_registration_process(const struct inv_kernel *kernel, uint64_t registration);

// The thread whose APC a timer is to run; `u` is 0 for a timer that is not set with a routine now: then it is on no list
// (ActiveTimerListEntry), and its APC may be left from before. `address` is that of the pointer.
struct inv_value inv_timer_thread(const struct inv_kernel *kernel, uint64_t timer);

#endif
