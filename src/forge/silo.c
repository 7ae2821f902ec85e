// SPDX-License-Identifier: Apache-2.0
// Server silos. (Fields and the bit of JobFlags: type information of the kernel's PDB. PspHostSiloGlobals is the host's globals
// themselves and no pointer to them: in every symbol table the next symbol stands as far behind it as they are large.)
#include "forge/silo.h"

#define GLOBALS_SIZE 0x5a8u   // the largest that is known
#define SILO_FLAG 0x40000000u // EJOB.JobFlags, bit 30: Silo
#define DEPTH 64u

uint64_t inv_machine_silo_globals(const struct inv_machine *machine, uint64_t silo)
{
	if (!inv_machine_has(machine, INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess))
		return 0;
	return silo ? inv_machine_get(machine, silo, INV_F_EJOB_ServerSiloGlobals)
	            : inv_machine_symbol(machine, INV_S_PspHostSiloGlobals);
}

uint64_t inv_machine_make_silo(struct inv_machine *machine, uint64_t job)
{
	if (!inv_machine_has(machine, INV_F_EJOB_ServerSiloGlobals) || !inv_machine_has(machine, INV_F_EPROCESS_ServerSilo))
		return 0;
	uint64_t silo = job ? job : inv_machine_make_job(machine, 0, NULL);
	if (!silo)
		return 0;
	uint32_t size = inv_machine_size(machine, INV_T_ESERVERSILO_GLOBALS, GLOBALS_SIZE);
	uint64_t globals = inv_machine_pool(machine, &machine->pool, size, "SilG");
	inv_machine_put(machine, silo, INV_F_EJOB_ServerSiloGlobals, globals);
	inv_machine_put(machine, silo, INV_F_EJOB_JobFlags,
	                inv_machine_get(machine, silo, INV_F_EJOB_JobFlags) | SILO_FLAG);
	if (inv_machine_has(machine, INV_F_EJOB_ContainerId)) {
		uint64_t id = inv_machine_at(machine, silo, INV_F_EJOB_ContainerId);
		inv_machine_put64(machine, id, inv_random_next(&machine->random));
		inv_machine_put64(machine, id + 8, inv_random_next(&machine->random));
	}
	return silo;
}

static bool is_within(const struct inv_machine *machine, uint64_t job, uint64_t silo)
{
	for (unsigned depth = 0; job && depth < DEPTH; depth++) {
		if (job == silo)
			return true;
		job = inv_machine_get(machine, job, INV_F_EJOB_ParentJob);
	}
	return false;
}

void inv_machine_enter_silo(struct inv_machine *machine, struct inv_forge_process *process, uint64_t silo)
{
	if (!is_within(machine, inv_machine_get(machine, process->address, INV_F_EPROCESS_Job), silo))
		inv_machine_assign_job(machine, process, silo);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ServerSilo, silo);
}

bool inv_machine_lead_silo(struct inv_machine *machine, uint64_t silo, const struct inv_forge_process *leader,
                           const struct inv_forge_process *errors)
{
	uint64_t globals = inv_machine_silo_globals(machine, silo);
	if (globals && leader)
		inv_machine_put(machine, globals, INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess, leader->address);
	if (globals && errors)
		inv_machine_put(machine, globals, INV_F_ESERVERSILO_GLOBALS_ExpDefaultErrorPortProcess, errors->address);
	uint64_t symbol = globals || silo ? 0 : inv_machine_symbol(machine, INV_S_ExpDefaultErrorPortProcess);
	if (symbol && errors) // before Windows 10
		inv_machine_put64(machine, symbol, errors->address);
	return globals || symbol;
}
