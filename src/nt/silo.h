// SPDX-License-Identifier: Apache-2.0
// Jobs within jobs, and server silos (containers): jobs with globals of their own.
#ifndef INV_NT_SILO_H
#define INV_NT_SILO_H

#include "kernel/kernel.h"

#define INV_JOB_DEPTH 64u // jobs within jobs; no system nests so deep

// The processes that the globals of a silo, or of the host, name. A value that could not be read says why; `u` 0: nobody.
struct inv_silo_globals {
	uint64_t address;        // _ESERVERSILO_GLOBALS; 0: there are none, or they are not known
	struct inv_value leader; // MiSessionLeaderProcess
	struct inv_value errors; // ExpDefaultErrorPortProcess: csrss, of the host that of session 0
};
// `silo` is an EJOB, or 0 for the host. (PspHostSiloGlobals is the globals themselves: in every symbol table the next symbol stands
// as far behind it as they are large. Before Windows 10 only ExpDefaultErrorPortProcess is known, as a symbol.)
void inv_silo_globals_read(const struct inv_kernel *kernel, uint64_t silo, struct inv_silo_globals *globals);

// The job itself or the innermost of those around it that is a server silo (EJOB.ServerSiloGlobals). `u` 0: none is. Not ok: one of
// them could not be read, the chain does not end (INV_JOB_DEPTH), or the layout has no such field.
struct inv_value inv_job_silo(const struct inv_kernel *kernel, uint64_t job);

#endif
