// SPDX-License-Identifier: Apache-2.0
// The lists of all processes: that of the executive, that of the scheduler and that of the memory manager.
#include "base/array.h"
#include "witness/witness.h"

void inv_count_links(const struct inv_list *list, struct inv_coverage *coverage)
{
	coverage->read += list->count;
	for (size_t i = 0; i < list->torn_count; i++) {
		if (list->torn_links[i].back.ok)
			coverage->broken++;
		else
			coverage->unreadable++;
	}
}

static void testify(struct inv_testimony *testimony, enum inv_witness_id witness, const char *name,
                    struct inv_value head, enum inv_field entry_field, struct inv_list *list)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint64_t offset;
	if (!inv_field_address(kernel, 0, entry_field, &offset)) {
		inv_void(testimony, witness, "the layout has no such list entry");
		return;
	}
	if (!head.ok) {
		inv_void(testimony, witness, "the address of the list head is not known");
		return;
	}
	inv_list_walk(kernel, testimony->arena, name, head.u, INV_LIST_BOUND, list);
	inv_count_links(list, &testimony->coverage[witness]);
	for (size_t i = 0; i < list->count; i++)
		inv_sight(testimony, witness, list->nodes[i].entry - offset, 0, list->nodes[i].entry);
	testimony->coverage[witness].complete = list->closed;
	if (!list->head_flink.ok)
		inv_void(testimony, witness, "the list head could not be read");
}

static void testify_symbol(struct inv_testimony *testimony, enum inv_witness_id witness, enum inv_symbol symbol,
                           enum inv_field entry_field, struct inv_list *list)
{
	struct inv_value head = inv_kernel_symbol(testimony->kernel, symbol, NULL);
	testify(testimony, witness, inv_symbol_name(symbol), head, entry_field, list);
}

bool inv_active_number(const struct inv_testimony *testimony, uint64_t entry, uint64_t head, uint64_t *number)
{
	uint64_t process = inv_process_of_entry(testimony->kernel, entry, INV_F_EPROCESS_ActiveProcessLinks);
	struct inv_value value = inv_field(testimony->kernel, process, INV_F_EPROCESS_SequenceNumber);
	bool is_head = entry == testimony->active.head;
	*number = is_head ? head : value.u;
	return is_head || (value.ok && value.u != 0);
}

static void note_gap(struct inv_testimony *testimony, uint64_t first)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value next = inv_read_u64(kernel, first);
	struct inv_value back = next.ok ? inv_read_u64(kernel, next.u + 8) : next;
	struct inv_gap gap;
	if (back.ok && back.u == first && inv_active_number(testimony, first, 0, &gap.after) &&
	    inv_active_number(testimony, next.u, UINT64_MAX, &gap.before))
		inv_push(testimony->active_gaps, gap);
}

static void note_gaps(struct inv_testimony *testimony)
{
	const struct inv_list *active = &testimony->active;
	if (active->head == 0)
		return;
	note_gap(testimony, active->head);
	for (size_t i = 0; i < active->count; i++)
		note_gap(testimony, active->nodes[i].entry);
}

void inv_witness_active_list(struct inv_testimony *testimony)
{
	testify_symbol(testimony, INV_W_ACTIVE_LIST, INV_S_PsActiveProcessHead, INV_F_EPROCESS_ActiveProcessLinks,
	               &testimony->active);
	if (!testimony->active.closed)
		note_gaps(testimony);
}

bool inv_active_list_leads_past(const struct inv_testimony *testimony, uint64_t process)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint64_t entry;
	if (inv_field_address(kernel, process, INV_F_EPROCESS_ActiveProcessLinks, &entry) &&
	    inv_list_leads_past(kernel, entry))
		return true;
	struct inv_value number = inv_field(kernel, process, INV_F_EPROCESS_SequenceNumber);
	for (size_t i = 0; number.ok && number.u && i < inv_count(testimony->active_gaps); i++)
		if (testimony->active_gaps[i].after < number.u && number.u < testimony->active_gaps[i].before)
			return true;
	return false;
}

void inv_witness_scheduler_list(struct inv_testimony *testimony)
{
	testify_symbol(testimony, INV_W_SCHEDULER_LIST, INV_S_KiProcessListHead, INV_F_KPROCESS_ProcessListEntry,
	               &testimony->scheduler);
}

// MiState.Processes.ProcessList where the layout has it (Windows 10 and later), MmProcessList before.
void inv_witness_mm_list(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value state = inv_kernel_symbol(kernel, INV_S_MiState, NULL);
	struct inv_value head = {.ok = true};
	if (state.ok && inv_field_address(kernel, state.u, INV_F_MI_SYSTEM_INFORMATION_ProcessList, &head.u)) {
		testify(testimony, INV_W_MM_LIST, "MiState.Processes.ProcessList", head, INV_F_EPROCESS_MmProcessLinks,
		        &testimony->mm);
		return;
	}
	testimony->mm_symbol = true;
	testify_symbol(testimony, INV_W_MM_LIST, INV_S_MmProcessList, INV_F_EPROCESS_MmProcessLinks, &testimony->mm);
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
	inv_count_links(list, &testimony->coverage[witness]);
	for (size_t i = 0; i < list->count; i++)
		inv_sight(testimony, witness, 0, list->nodes[i].entry - offset, list->nodes[i].entry);
}
