// SPDX-License-Identifier: Apache-2.0
// Registrations, timers, who has handles to an object, jobs within jobs and the globals of silos. The input is the kernel memory itself: sixteen pages at ARENA, with
// the object at its start. The first byte chooses the layout.
#include "base/array.h"
#include "fuzz_fragment.h"
#include "nt/backlinks.h"
#include "nt/object.h"
#include "nt/silo.h"

static void use_object(const struct inv_kernel *kernel, uint64_t object)
{
	struct inv_value process = inv_registration_process(kernel, object);
	if (process.ok && process.u && !(process.u >> 63))
		abort();
	struct inv_value thread = inv_timer_thread(kernel, object);
	if (thread.ok && thread.address - object >= (uint64_t)PAGES * PAGE)
		abort();
	struct inv_value silo = inv_job_silo(kernel, object);
	struct inv_silo_globals globals;
	if (silo.ok && silo.u) {
		inv_silo_globals_read(kernel, silo.u, &globals);
		if (!globals.address && globals.leader.ok)
			abort();
	}
}

static void use_holdings(const struct inv_kernel *kernel, uint64_t header)
{
	struct inv_holding *holdings = NULL;
	size_t budget = INV_HOLDING_BOUND;
	(void)inv_object_holdings(kernel, header, &budget, &holdings);
	for (size_t i = 0; i < inv_count(holdings); i++)
		if (!holdings[i].process || !holdings[i].count || holdings[i].at - ARENA >= (uint64_t)PAGES * PAGE)
			abort();
	inv_array_free(holdings);
}

static void use(struct inv_kernel *kernel)
{
	use_object(kernel, ARENA);
	use_holdings(kernel, ARENA + PAGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return with_fragment(data, size, (struct inv_kernel){0}, use);
}
