// SPDX-License-Identifier: Apache-2.0
// The two lists of processes: that of the executive and that of the scheduler.
#include "witness/witness.h"

// How a list of processes was read: entries, links that do not return, ends that could not be read.
static void count_links(const struct inv_list *list, struct inv_coverage *coverage)
{
	coverage->read += list->count;
	for (size_t i = 0; i < list->link_count; i++) {
		const struct inv_link *link = &list->links[i];
		if (!link->back.ok)
			coverage->unreadable++;
		else if (link->back.u != link->from)
			coverage->broken++;
	}
}

static void testify(struct inv_testimony *testimony, enum inv_witness_id witness, enum inv_symbol symbol,
                    enum inv_field entry_field, struct inv_list *list)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint64_t offset;
	if (!inv_field_address(kernel, 0, entry_field, &offset)) {
		inv_void(testimony, witness, "the layout has no such list entry");
		return;
	}
	struct inv_value head = inv_kernel_symbol(kernel, symbol, NULL);
	if (!head.ok) {
		inv_void(testimony, witness, "the address of the list head is not known");
		return;
	}
	inv_list_walk(kernel, testimony->arena, inv_symbol_name(symbol), head.u, INV_LIST_BOUND, list);
	count_links(list, &testimony->coverage[witness]);
	for (size_t i = 0; i < list->count; i++)
		inv_sight(testimony, witness, list->nodes[i].entry - offset, 0, list->nodes[i].entry);
	testimony->coverage[witness].complete = list->closed;
	if (!list->head_flink.ok)
		inv_void(testimony, witness, "the list head could not be read");
}

void inv_witness_active_list(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_ACTIVE_LIST, INV_S_PsActiveProcessHead, INV_F_EPROCESS_ActiveProcessLinks,
	        &testimony->active);
}

void inv_witness_scheduler_list(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_SCHEDULER_LIST, INV_S_KiProcessListHead, INV_F_KPROCESS_ProcessListEntry,
	        &testimony->scheduler);
}

void inv_witness_thread_list(struct inv_testimony *testimony, uint64_t process, enum inv_witness_id witness,
                             size_t bound, struct inv_list *list)
{
	const struct inv_kernel *kernel = testimony->kernel;
	bool executive = witness == INV_W_THREAD_LIST;
	enum inv_field head_field = executive ? INV_F_EPROCESS_ThreadListHead : INV_F_KPROCESS_ThreadListHead;
	enum inv_field entry_field = executive ? INV_F_ETHREAD_ThreadListEntry : INV_F_KTHREAD_ThreadListEntry;
	uint64_t head, offset;
	*list = (struct inv_list){0};
	if (!inv_field_address(kernel, process, head_field, &head) || !inv_field_address(kernel, 0, entry_field, &offset)) {
		inv_void(testimony, witness, "the layout has no such list");
		return;
	}
	inv_list_walk(kernel, testimony->arena, inv_field_full_name(head_field), head, bound, list);
	count_links(list, &testimony->coverage[witness]);
	for (size_t i = 0; i < list->count; i++)
		inv_sight(testimony, witness, 0, list->nodes[i].entry - offset, list->nodes[i].entry);
}
