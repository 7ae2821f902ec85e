// SPDX-License-Identifier: Apache-2.0
// Queues of APCs and trap frames. The input is the kernel memory itself: sixteen pages at ARENA, with the thread at its start. The
// first byte chooses the layout.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "nt/apc.h"
#include "nt/user_thread.h"

#define ARENA 0xffff800000000000ull
#define PAGES 16u
#define PAGE 0x1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct inv_kernel *kernel, uint64_t thread)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_apcs apcs;
	inv_apcs_read(kernel, thread, arena, &apcs);
	size_t listed = 0;
	for (int saved = 0; saved < 2; saved++)
		for (int queue = 0; queue < INV_APC_QUEUES; queue++) {
			const struct inv_apc_head *head = &apcs.heads[saved][queue];
			if (head->list && (head->list->count > INV_APC_BOUND || head->closed != head->list->closed))
				abort();
			listed += head->list ? head->list->count : 0;
		}
	if (listed != inv_count(apcs.apcs))
		abort();
	for (size_t i = 0; i < listed; i++) {
		uint32_t decoded;
		if (apcs.apcs[i].normal_routine.ok && inv_apc_decode_wow64(apcs.apcs[i].normal_routine.u, &decoded) &&
		    0 - (uint64_t)decoded * 4 != apcs.apcs[i].normal_routine.u)
			abort();
	}
	inv_apcs_free(&apcs);
	inv_arena_free(arena);
	struct inv_trap_frame frame;
	inv_trap_frame_read(kernel, thread, &frame);
	if ((frame.user && !frame.cs.ok) || (frame.narrow && !frame.user))
		abort();
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
	inv_space_free(kernel.space);
	free(bytes);
	return 0;
}
