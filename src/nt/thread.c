// SPDX-License-Identifier: Apache-2.0
#include "nt/thread.h"

const char *inv_thread_state_name(uint64_t state)
{
	static const char *const names[] = {
	    "initialized", "ready",      "running",        "standby",   "terminated",
	    "waiting",     "transition", "deferred ready", "gate wait", "waiting for swap-in"};
	return state < sizeof names / sizeof names[0] ? names[state] : NULL;
}

const char *inv_wait_reason_name(uint64_t reason)
{
	static const char *const names[] = {"Executive",        "FreePage",          "PageIn",
	                                    "PoolAllocation",   "DelayExecution",    "Suspended",
	                                    "UserRequest",      "WrExecutive",       "WrFreePage",
	                                    "WrPageIn",         "WrPoolAllocation",  "WrDelayExecution",
	                                    "WrSuspended",      "WrUserRequest",     "WrSpare0",
	                                    "WrQueue",          "WrLpcReceive",      "WrLpcReply",
	                                    "WrVirtualMemory",  "WrPageOut",         "WrRendezvous",
	                                    "WrKeyedEvent",     "WrTerminated",      "WrProcessInSwap",
	                                    "WrCpuRateControl", "WrCalloutStack",    "WrKernel",
	                                    "WrResource",       "WrPushLock",        "WrMutex",
	                                    "WrQuantumEnd",     "WrDispatchInt",     "WrPreempted",
	                                    "WrYieldExecution", "WrFastMutex",       "WrGuardedMutex",
	                                    "WrRundown",        "WrAlertByThreadId", "WrDeferredPreempt",
	                                    "WrPhysicalFault",  "WrIoRing"};
	return reason < sizeof names / sizeof names[0] ? names[reason] : NULL;
}

uint64_t inv_thread_of_entry(const struct inv_kernel *kernel, uint64_t entry, enum inv_field field)
{
	uint64_t offset;
	return inv_field_address(kernel, 0, field, &offset) ? entry - offset : 0;
}
