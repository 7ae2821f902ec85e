// SPDX-License-Identifier: Apache-2.0
#include "nt/silo.h"

void inv_silo_globals_read(const struct inv_kernel *kernel, uint64_t silo, struct inv_silo_globals *globals)
{
	struct inv_value at = silo ? inv_field(kernel, silo, INV_F_EJOB_ServerSiloGlobals)
	                           : inv_kernel_symbol(kernel, INV_S_PspHostSiloGlobals, NULL);
	*globals = (struct inv_silo_globals){.address = at.ok ? at.u : 0, .leader = at, .errors = at};
	globals->leader.ok = globals->errors.ok = false;
	uint64_t where;
	if (globals->address && inv_field_address(kernel, 0, INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess, &where)) {
		globals->leader = inv_field(kernel, at.u, INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess);
		globals->errors = inv_field(kernel, at.u, INV_F_ESERVERSILO_GLOBALS_ExpDefaultErrorPortProcess);
		return;
	}
	globals->address = 0;
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_ExpDefaultErrorPortProcess, NULL);
	if (!silo && symbol.ok)
		globals->errors = inv_read_u64(kernel, symbol.u);
}

struct inv_value inv_job_silo(const struct inv_kernel *kernel, uint64_t job)
{
	struct inv_value none = {.ok = true};
	for (unsigned depth = 0; job; depth++) {
		struct inv_value globals = inv_field(kernel, job, INV_F_EJOB_ServerSiloGlobals);
		struct inv_value parent = inv_field(kernel, job, INV_F_EJOB_ParentJob);
		if (!globals.ok || !parent.ok || depth == INV_JOB_DEPTH) {
			struct inv_value broken = globals.ok ? parent : globals;
			broken.ok = false;
			return broken;
		}
		if (globals.u)
			return (struct inv_value){.ok = true, .u = job, .address = globals.address};
		job = parent.u;
	}
	return none;
}
