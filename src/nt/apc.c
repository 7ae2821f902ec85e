// SPDX-License-Identifier: Apache-2.0
#include "nt/apc.h"

#include "base/array.h"

const char *inv_apc_queue_name(enum inv_apc_queue queue)
{
	return queue == INV_APC_USER ? "user" : "kernel";
}

static void read_apc(const struct inv_kernel *kernel, uint64_t address, struct inv_apc *apc)
{
	apc->address = address;
	apc->type = inv_field(kernel, address, INV_F_KAPC_Type);
	apc->thread = inv_field(kernel, address, INV_F_KAPC_Thread);
	apc->mode = inv_field(kernel, address, INV_F_KAPC_ApcMode);
	apc->inserted = inv_field(kernel, address, INV_F_KAPC_Inserted);
	apc->kernel_routine = inv_field(kernel, address, INV_F_KAPC_KernelRoutine);
	apc->normal_routine = inv_field(kernel, address, INV_F_KAPC_NormalRoutine);
	apc->normal_context = inv_field(kernel, address, INV_F_KAPC_NormalContext);
	apc->argument1 = inv_field(kernel, address, INV_F_KAPC_SystemArgument1);
	apc->argument2 = inv_field(kernel, address, INV_F_KAPC_SystemArgument2);
}

static void read_queue(const struct inv_kernel *kernel, struct inv_arena *arena, uint64_t address,
                       enum inv_apc_queue queue, bool saved, struct inv_apcs *apcs)
{
	struct inv_apc_head *head = &apcs->heads[saved][queue];
	*head = (struct inv_apc_head){.address = address, .first = inv_read_u64(kernel, address)};
	struct inv_value last = inv_read_u64(kernel, address + 8);
	if (!head->first.ok || !last.ok) {
		if (head->first.ok)
			head->first = last;
		return;
	}
	head->blank = head->first.u == 0 && last.u == 0;
	head->closed = head->first.u == address && last.u == address;
	uint64_t offset;
	if (head->blank || head->closed || !inv_field_address(kernel, 0, INV_F_KAPC_ApcListEntry, &offset))
		return;
	struct inv_list *list = inv_arena_alloc(arena, sizeof *list);
	inv_list_walk(kernel, arena, inv_apc_queue_name(queue), address, INV_APC_BOUND, list);
	head->list = list;
	head->closed = list->closed;
	for (size_t i = 0; i < list->count; i++) {
		struct inv_apc apc = {.queue = queue, .saved = saved};
		read_apc(kernel, list->nodes[i].entry - offset, &apc);
		inv_push(apcs->apcs, apc);
	}
}

void inv_apcs_read(const struct inv_kernel *kernel, uint64_t thread, struct inv_arena *arena, struct inv_apcs *apcs)
{
	*apcs = (struct inv_apcs){0};
	struct inv_value index = inv_field(kernel, thread, INV_F_KTHREAD_ApcStateIndex);
	static const enum inv_field states[] = {INV_F_KTHREAD_ApcListHead, INV_F_KTHREAD_SavedApcListHead};
	// What stands in SavedApcState of a thread that is not attached is of the last time that it was.
	bool attached = index.ok && index.u == 1;
	for (int saved = 0; saved <= attached; saved++)
		for (int queue = 0; queue < INV_APC_QUEUES; queue++) {
			uint64_t head;
			if (inv_field_address(kernel, thread, states[saved], &head))
				read_queue(kernel, arena, head + 16ull * (unsigned)queue, (enum inv_apc_queue)queue, saved, apcs);
		}
}

void inv_apcs_free(struct inv_apcs *apcs)
{
	inv_array_free(apcs->apcs);
	*apcs = (struct inv_apcs){0};
}

bool inv_apc_decode_wow64(uint64_t routine, uint32_t *decoded)
{
	// -(address) << 2, of an address below 4 GiB.
	uint64_t negated = 0 - routine;
	if (routine < (uint64_t)1 << 63 || (routine & 3) || negated >> 2 > UINT32_MAX)
		return false;
	*decoded = (uint32_t)(negated >> 2);
	return true;
}
