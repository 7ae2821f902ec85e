// SPDX-License-Identifier: Apache-2.0
// A session, the silo that it is of, and the jobs around it. The input is the kernel memory itself: sixteen pages at ARENA, with the
// session at its start, then a process, a job, and what user mode is shown of the machine. The first byte chooses the layout.
#include "fuzz_fragment.h"
#include "nt/session.h"
#include "nt/silo.h"

#define PROCESS (ARENA + 1ull * PAGE)
#define JOB (ARENA + 2ull * PAGE)
#define SHARED (ARENA + 4ull * PAGE) // seen at INV_KUSER_SHARED_DATA, too

static bool is(const struct inv_value *value, uint64_t number)
{
	return value->ok && value->u == number;
}

static void check_session(const struct inv_kernel *kernel, uint64_t silo)
{
	struct inv_session_record record;
	inv_session_read(kernel, ARENA, silo, &record);
	struct inv_value console = inv_field(kernel, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId);
	bool known = record.state.ok && inv_session_state_name(record.state.u);
	require(record.proof && *record.proof);
	require((record.kind == INV_SESSION_UNKNOWN) == (inv_session_kind_name(record.kind) == NULL));
	require(record.id.ok || record.kind == INV_SESSION_UNKNOWN);
	// Without a silo what is said follows from three numbers.
	require(record.kind != INV_SESSION_DISCONNECTED || (known && (record.state.u == 4 || record.state.u == 5)));
	require(record.kind != INV_SESSION_REMOTE ||
	        (!silo && known && record.state.u != 8 && console.ok && console.u != record.id.u));
	if (silo)
		return;
	require((record.kind == INV_SESSION_SERVICES) == is(&record.id, 0));
	require(record.kind != INV_SESSION_CONSOLE || is(&console, record.id.u));
}

static void use(struct inv_kernel *kernel)
{
	uint8_t shared[PAGE];
	struct inv_why why;
	require(inv_space_read(kernel->space, SHARED, shared, sizeof shared, &why) == sizeof shared);
	inv_space_add_fragment(kernel->space, INV_KUSER_SHARED_DATA, shared, sizeof shared);
	bool outside = false;
	struct inv_value in = inv_session_of(kernel, PROCESS, &outside);
	require(!in.ok || !outside);
	struct inv_value silo = inv_job_silo(kernel, JOB);
	require(!silo.ok || !silo.u || inv_field(kernel, silo.u, INV_F_EJOB_ServerSiloGlobals).u);
	struct inv_silo_globals globals;
	inv_silo_globals_read(kernel, JOB, &globals);
	require(globals.address || (!globals.leader.ok && !globals.errors.ok));
	check_session(kernel, 0);
	check_session(kernel, JOB);
	check_session(kernel, silo.ok ? silo.u : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return with_fragment(data, size, (struct inv_kernel){0}, use);
}
