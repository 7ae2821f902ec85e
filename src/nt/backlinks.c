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

struct inv_value inv_timer_thread(const struct inv_kernel *kernel, uint64_t timer)
{
	struct inv_value routine = inv_field(kernel, timer, INV_F_ETIMER_ApcAssociated);
	struct inv_value apc = inv_field(kernel, timer, INV_F_ETIMER_TimerApc);
	if (!routine.ok || !apc.ok)
		return routine.ok ? apc : routine;
	struct inv_value thread = inv_field(kernel, apc.u, INV_F_KAPC_Thread);
	if (routine.u == 0)
		thread.u = 0;
	return thread;
}
