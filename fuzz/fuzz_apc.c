// SPDX-License-Identifier: Apache-2.0
// Queues of APCs and trap frames. The input is the kernel memory itself: sixteen pages at ARENA, with the thread at its start. The
// first byte chooses the layout.
#include "base/array.h"
#include "fuzz_fragment.h"
#include "nt/apc.h"
#include "nt/user_thread.h"

static void use(struct inv_kernel *kernel)
{
	const uint64_t thread = ARENA;
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
	return with_fragment(data, size, (struct inv_kernel){0}, use);
}
