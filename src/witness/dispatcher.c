// SPDX-License-Identifier: Apache-2.0
// The lists of the dispatcher: threads that are ready to run, of each CPU and of the queues that CPUs share, and threads
// that wait. What must run or wake up is on one of them, whoever else denies the process.
//
// KTHREAD.WaitListEntry links a thread into both. Known from ReactOS' scheduler and from debugger sessions of Windows
// 5.2; measured on dumps of 19041, where entries less the offset of WaitListEntry give threads as they are aligned, and
// where ReadySummary names the list. Since other builds are not measured, an entry counts only if a dispatcher
// header of a thread stands there.
#include "base/array.h"
#include "nt/thread.h"
#include "witness/witness.h"

#define PRIORITIES 32u       // elements of DispatcherReadyListHead and ReadyListHead in every layout
#define GROUP_PRIORITIES 16u // elements of KSCB.ReadyListHead in every layout: real-time threads are in no group
#define LIST_ENTRY_SIZE 16u  // x64
#define MOST_GROUPS ((size_t)1 << 16) // of all CPUs: one for each session, or job with a CPU rate, on each
// More threads than any system has; all lists of a witness together.
#define BUDGET INV_LIST_BOUND

static bool is_thread(const struct inv_kernel *kernel, uint64_t address)
{
	struct inv_value type = inv_field(kernel, address, INV_F_DISPATCHER_HEADER_Type);
	return type.ok && (type.u & INV_DISPATCHER_TYPE) == INV_THREAD_OBJECT;
}

static void sight(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t thread, uint64_t entry)
{
	if (!is_thread(testimony->kernel, thread)) {
		testimony->coverage[witness].broken++;
		return;
	}
	struct inv_value process = inv_field(testimony->kernel, thread, INV_F_KTHREAD_Process);
	inv_sight(testimony, witness, process.ok ? process.u : 0, thread, entry);
}

struct visit {
	struct inv_testimony *testimony;
	enum inv_witness_id witness;
	uint64_t offset; // of KTHREAD.WaitListEntry
	size_t budget;
	bool closed;
};

static void walk(struct visit *visit, enum inv_field field, uint64_t head)
{
	struct inv_testimony *testimony = visit->testimony;
	struct inv_dispatch_record record = {.witness = visit->witness};
	inv_list_walk(testimony->kernel, testimony->arena, inv_field_full_name(field), head, visit->budget, &record.list);
	visit->budget -= record.list.count < visit->budget ? record.list.count : visit->budget;
	visit->closed &= record.list.closed;
	inv_count_links(&record.list, &testimony->coverage[visit->witness]);
	for (size_t i = 0; i < record.list.count; i++)
		sight(testimony, visit->witness, record.list.nodes[i].entry - visit->offset, record.list.nodes[i].entry);
	inv_push(testimony->dispatch, record);
}

// One list for each priority. Where nothing was ever initialised (a queue that no CPU uses) all heads are zero.
static void walk_priorities(struct visit *visit, enum inv_field field, uint64_t object)
{
	uint64_t heads;
	if (!inv_field_address(visit->testimony->kernel, object, field, &heads))
		return;
	for (unsigned i = 0; i < PRIORITIES; i++) {
		uint64_t head = heads + (uint64_t)LIST_ENTRY_SIZE * i;
		struct inv_value first = inv_read_u64(visit->testimony->kernel, head);
		if (first.ok && first.u != 0)
			walk(visit, field, head);
		else if (!first.ok) {
			visit->testimony->coverage[visit->witness].unreadable++;
			visit->closed = false;
		}
	}
}

// Threads that another CPU has made ready, singly linked through KTHREAD.SwapListEntry (which shares its place with
// WaitListEntry) and ended by NULL.
static void walk_deferred(struct visit *visit, const struct inv_cpu *cpu)
{
	const struct inv_kernel *kernel = visit->testimony->kernel;
	struct inv_value next = inv_cpu_field(kernel, cpu, INV_F_KPRCB_DeferredReadyListHead);
	uint64_t offset;
	if (!inv_field_address(kernel, 0, INV_F_KTHREAD_SwapListEntry, &offset))
		return;
	for (; next.ok && next.u != 0 && visit->budget > 0; visit->budget--) {
		uint64_t entry = next.u;
		if (!is_thread(kernel, entry - offset)) { // what follows would be anything
			visit->testimony->coverage[visit->witness].broken++;
			return;
		}
		visit->testimony->coverage[visit->witness].read++;
		sight(visit->testimony, visit->witness, entry - offset, entry);
		next = inv_read_u64(kernel, entry);
	}
}

// CPUs share queues; each is walked with the first CPU that names it.
static bool is_first_to_name(const struct inv_kernel *kernel, size_t cpu, uint64_t queue)
{
	for (size_t i = 0; i < cpu; i++) {
		struct inv_value other = inv_cpu_field(kernel, &kernel->cpus[i], INV_F_KPRCB_SharedReadyQueue);
		if (other.ok && other.u == queue)
			return false;
	}
	return true;
}

static void walk_ready(struct visit *visit, size_t number)
{
	const struct inv_kernel *kernel = visit->testimony->kernel;
	const struct inv_cpu *cpu = &kernel->cpus[number];
	walk_priorities(visit, INV_F_KPRCB_DispatcherReadyListHead, cpu->prcb);
	walk_deferred(visit, cpu);
	struct inv_value queue = inv_cpu_field(kernel, cpu, INV_F_KPRCB_SharedReadyQueue);
	if (queue.ok && queue.u != 0 && is_first_to_name(kernel, number, queue.u))
		walk_priorities(visit, INV_F_KSHARED_READY_QUEUE_ReadyListHead, queue.u);
}

static void walk_waiting(struct visit *visit, size_t number)
{
	const struct inv_kernel *kernel = visit->testimony->kernel;
	uint64_t head;
	if (!inv_field_address(kernel, kernel->cpus[number].prcb, INV_F_KPRCB_WaitListHead, &head))
		return;
	struct inv_value first = inv_read_u64(kernel, head);
	if (!first.ok || first.u != 0)
		walk(visit, INV_F_KPRCB_WaitListHead, head);
}

static void testify(struct inv_testimony *testimony, enum inv_witness_id witness, enum inv_field lists,
                    void (*one)(struct visit *visit, size_t number))
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct visit visit = {.testimony = testimony, .witness = witness, .budget = BUDGET, .closed = true};
	uint64_t head;
	if (!inv_field_address(kernel, 0, INV_F_KTHREAD_WaitListEntry, &visit.offset) ||
	    !inv_field_address(kernel, 0, lists, &head)) {
		inv_void(testimony, witness, "the layout has no such list");
		return;
	}
	size_t located = 0;
	for (size_t i = 0; i < kernel->cpu_count; i++) {
		if (kernel->cpus[i].prcb == 0)
			continue;
		located++;
		one(&visit, i);
	}
	if (located == 0)
		inv_void(testimony, witness, "no KPRCB could be located");
	const struct inv_coverage *coverage = &testimony->coverage[witness];
	if (coverage->read > 0 && coverage->sightings == 0)
		inv_void(testimony, witness, "no entry leads to a thread by KTHREAD.WaitListEntry");
	testimony->coverage[witness].complete = located > 0 && located == kernel->cpu_count && visit.closed;
}

void inv_witness_ready_list(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_READY_LIST, INV_F_KPRCB_DispatcherReadyListHead, walk_ready);
}

void inv_witness_wait_list(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_WAIT_LIST, INV_F_KPRCB_WaitListHead, walk_waiting);
}

// What is on such a list is believed only if a whole thread stands there: one byte would be too little where nobody has verified
// what the list links.
static void walk_group_list(struct visit *visit, uint64_t head)
{
	struct inv_testimony *testimony = visit->testimony;
	struct inv_list list;
	inv_list_walk(testimony->kernel, testimony->arena, inv_field_full_name(INV_F_KSCB_ReadyListHead), head,
	              visit->budget, &list);
	visit->budget -= list.count < visit->budget ? list.count : visit->budget;
	inv_count_links(&list, &testimony->coverage[visit->witness]);
	for (size_t i = 0; i < list.count; i++) {
		uint64_t thread = list.nodes[i].entry - visit->offset;
		if (inv_looks_like_thread(testimony->kernel, thread))
			inv_sight(testimony, visit->witness, 0, thread, list.nodes[i].entry);
		else
			testimony->coverage[visit->witness].broken++;
	}
}

static void walk_group(struct visit *visit, uint64_t group)
{
	const struct inv_kernel *kernel = visit->testimony->kernel;
	uint64_t heads;
	if (!inv_field_address(kernel, group, INV_F_KSCB_ReadyListHead, &heads))
		return;
	for (unsigned i = 0; i < GROUP_PRIORITIES; i++) {
		uint64_t head = heads + (uint64_t)LIST_ENTRY_SIZE * i;
		struct inv_value first = inv_read_u64(kernel, head);
		if (!first.ok)
			visit->testimony->coverage[visit->witness].unreadable++;
		else if (first.u != 0 && first.u != head)
			walk_group_list(visit, head);
	}
}

void inv_witness_group_queue(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct visit visit = {.testimony = testimony, .witness = INV_W_GROUP_QUEUE, .budget = BUDGET};
	size_t left = MOST_GROUPS;
	uint64_t offset, ignored;
	if (!inv_field_address(kernel, 0, INV_F_KTHREAD_WaitListEntry, &visit.offset) ||
	    !inv_field_address(kernel, 0, INV_F_KSCB_PerProcessorList, &offset) ||
	    !inv_field_address(kernel, 0, INV_F_KSCB_ReadyListHead, &ignored) ||
	    !inv_field_address(kernel, 0, INV_F_KPRCB_ScbList, &ignored)) {
		inv_void(testimony, INV_W_GROUP_QUEUE, "the layout has no such list");
		return;
	}
	for (size_t i = 0; i < kernel->cpu_count; i++) {
		uint64_t head;
		struct inv_list groups;
		if (kernel->cpus[i].prcb == 0 || !inv_field_address(kernel, kernel->cpus[i].prcb, INV_F_KPRCB_ScbList, &head))
			continue;
		struct inv_value first = inv_read_u64(kernel, head);
		if (first.ok && first.u == 0) // never initialised
			continue;
		inv_list_walk(kernel, testimony->arena, inv_field_full_name(INV_F_KPRCB_ScbList), head, left, &groups);
		inv_count_links(&groups, &testimony->coverage[INV_W_GROUP_QUEUE]);
		left -= groups.count < left ? groups.count : left;
		for (size_t j = 0; j < groups.count && visit.budget > 0; j++)
			walk_group(&visit, groups.nodes[j].entry - offset);
	}
}
