// SPDX-License-Identifier: Apache-2.0
// Registrations, timers, who has handles to an object, jobs within jobs and the globals of silos. The input is the kernel memory itself: sixteen pages at ARENA, with
// the object at its start. The first byte chooses the layout.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "nt/backlinks.h"
#include "nt/object.h"
#include "nt/silo.h"

#define ARENA 0xffff800000000000ull
#define PAGES 16u
#define PAGE 0x1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct inv_kernel *kernel, uint64_t object)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	uint8_t *bytes = inv_alloc((size_t)PAGES * PAGE);
	if (size > 1)
		memcpy(bytes, data + 1, size - 1 < (size_t)PAGES * PAGE ? size - 1 : (size_t)PAGES * PAGE);
	struct inv_kernel kernel = {.layout = inv_facts_layout(data[0] % inv_facts_layout_count()),
	                            .space = inv_space_new_fragments()};
	inv_space_add_fragment(kernel.space, ARENA, bytes, (size_t)PAGES * PAGE);
	use(&kernel, ARENA);
	use_holdings(&kernel, ARENA + PAGE);
	inv_space_free(kernel.space);
	free(bytes);
	return 0;
}
