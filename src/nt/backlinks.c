// SPDX-License-Identifier: Apache-2.0
#include "nt/backlinks.h"

struct inv_value inv_registration_process(const struct inv_kernel *kernel, uint64_t registration)
{
	struct inv_value process = inv_field(kernel, registration, INV_F_ETW_REG_ENTRY_Process);
	struct inv_value driver = inv_field(kernel, registration, INV_F_ETW_REG_ENTRY_DbgKernelRegistration);
	if (process.ok && ((driver.ok && driver.u) || !(process.u >> 63)))
		process.u = 0;
	return process;
}

// Do the neighbours that the entry names lead back to it?
static struct inv_value is_linked(const struct inv_kernel *kernel, uint64_t entry)
{
	struct inv_value next = inv_read_u64(kernel, entry), last = inv_read_u64(kernel, entry + 8);
	if (!next.ok || !last.ok)
		return next.ok ? last : next;
	struct inv_value linked = {.ok = true, .address = entry};
	if (next.u == 0 || last.u == 0)
		return linked;
	struct inv_value back = inv_read_u64(kernel, next.u + 8), forth = inv_read_u64(kernel, last.u);
	linked.u = back.ok && forth.ok && back.u == entry && forth.u == entry;
	return linked;
}

struct inv_value inv_timer_thread(const struct inv_kernel *kernel, uint64_t timer)
{
	struct inv_value apc = inv_field(kernel, timer, INV_F_ETIMER_TimerApc);
	struct inv_value entry = inv_field(kernel, timer, INV_F_ETIMER_ActiveTimerListEntry);
	struct inv_value linked = entry.ok ? is_linked(kernel, entry.address) : entry;
	if (!apc.ok || !linked.ok)
		return apc.ok ? linked : apc;
	struct inv_value thread = inv_field(kernel, apc.u, INV_F_KAPC_Thread);
	if (linked.u == 0)
		thread.u = 0;
	return thread;
}
