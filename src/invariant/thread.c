// SPDX-License-Identifier: Apache-2.0
// Family 3: threads, as far as their own records and their process' lists go.
#include "nt/thread.h"

#include <stdlib.h>

#include "base/array.h"
#include "invariant/families.h"
#include "invariant/user_spot.h"

static struct inv_value read_thread(const struct inv_judge *judge, const struct inv_thread_dossier *thread,
                                    enum inv_field field)
{
	return inv_field(judge->kernel, thread->address, field);
}

static bool belongs_to_idle(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	return thread->process.ok && inv_role_of(judge, thread->process.u) == INV_ROLE_IDLE;
}

static bool is_terminated(const struct inv_judge *judge, uint64_t thread)
{
	struct inv_value terminated = inv_field(judge->kernel, thread, INV_F_ETHREAD_Terminated);
	return terminated.ok && terminated.u != 0;
}

static struct inv_subject subject(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	return inv_subject_thread(judge->dossiers, thread);
}

static uint64_t thread_at(const struct inv_judge *judge, const struct inv_list *list, size_t index,
                          enum inv_field field)
{
	return inv_thread_of_entry(judge->kernel, list->nodes[index].entry, field);
}

// A list that was not read to its end cannot be counted.
static bool need_closed(struct inv_judge *judge, const struct inv_list *list)
{
	if (list->closed)
		return true;
	if (list->torn)
		inv_unknown_because(judge, "the list of threads is torn");
	else if (list->head == 0)
		inv_unknown_because(judge, "the layout has no such list of threads");
	else
		inv_unknown_because(judge, inv_absence_name(list->why.reason));
	return false;
}

static void judge_count(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value active = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	if (!inv_need(judge, &active) || !need_closed(judge, &process->threads))
		return;
	size_t total = process->threads.count, leaving = 0;
	for (size_t i = 0; i < total; i++)
		leaving += is_terminated(judge, thread_at(judge, &process->threads, i, INV_F_ETHREAD_ThreadListEntry));
	if (active.u == total - leaving) {
		inv_holds(judge);
		return;
	}
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	// The flag is set first, the counter goes down later in PspExitThread.
	if (active.u > total - leaving && active.u <= total) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ActiveThreads, &active, "this many threads are active");
	struct inv_value count = {.ok = true, .address = process->threads.head, .u = total - leaving};
	inv_witness_says(judge, finding, INV_W_THREAD_LIST, "_EPROCESS.ThreadListHead", &count,
	                 "the list closes after %zu threads, %zu of them terminated", total, leaving);
	inv_tried(judge, finding, "exiting", "threads on their way out account for at most %zu", leaving);
}

void inv_judge_T01(struct inv_judge *judge)
{
	inv_each_process(judge, judge_count);
}

static void judge_both_lists(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	if (thread->owner == 0)
		return;
	if (thread->on_executive_list == INV_UNSURE || thread->on_scheduler_list == INV_UNSURE) {
		inv_unknown_because(judge, "a list of threads could not be read to its end");
		return;
	}
	bool executive = thread->on_executive_list == INV_YES, scheduler = thread->on_scheduler_list == INV_YES;
	struct inv_value signal = read_thread(judge, thread, INV_F_DISPATCHER_HEADER_SignalState);
	if (executive && scheduler) {
		inv_holds(judge);
		return;
	}
	if (executive && belongs_to_idle(judge, thread)) {
		inv_excuse(judge, subject(judge, thread), "idle");
		return;
	}
	if (executive && !inv_need(judge, &signal))
		return;
	// KeTerminateThread takes a thread off the scheduler's list when it signals it; PspThreadDelete takes it off the
	// other one much later.
	if (executive && signal.u != 0) {
		inv_holds(judge);
		return;
	}
	struct inv_value inserted = read_thread(judge, thread, INV_F_ETHREAD_ThreadInserted);
	if (executive && inserted.ok && inserted.u == 0) {
		inv_excuse(judge, subject(judge, thread), "inserting");
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, subject(judge, thread), scheduler ? INV_TIER_EXECUTIVE : INV_TIER_SCHEDULER);
	struct inv_value entry = {.ok = true, .u = thread->address};
	inv_witness_says(judge, finding, INV_W_KTHREAD_LIST, "_KPROCESS.ThreadListHead", &entry, "the thread is %s it",
	                 scheduler ? "on" : "not on");
	inv_witness_says(judge, finding, INV_W_THREAD_LIST, "_EPROCESS.ThreadListHead", &entry, "the thread is %s it",
	                 executive ? "on" : "not on");
	if (executive)
		inv_field_says(judge, finding, INV_F_DISPATCHER_HEADER_SignalState, &signal, "the thread has not terminated");
	inv_tried(judge, finding, "inserting", "the thread has been inserted, or it is on the scheduler's list already");
	inv_tried(judge, finding, "idle", "it is no thread of the idle process");
}

void inv_judge_T02(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_both_lists);
}

static void judge_owner(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	if (!inv_need(judge, &thread->process))
		return;
	if (thread->owner && thread->owner != thread->process.u) {
		struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_EXECUTIVE);
		inv_field_says(judge, finding, INV_F_KTHREAD_Process, &thread->process, "the thread belongs to this process");
		struct inv_value owner = {.ok = true, .u = thread->owner};
		inv_witness_says(judge, finding, thread->on_scheduler_list == INV_YES ? INV_W_KTHREAD_LIST : INV_W_THREAD_LIST,
		                 "ThreadListHead", &owner, "the thread is on the list of another one");
		return;
	}
	if (belongs_to_idle(judge, thread)) {
		inv_excuse(judge, subject(judge, thread), "idle");
		return;
	}
	struct inv_value pid = inv_field(judge->kernel, thread->process.u, INV_F_EPROCESS_UniqueProcessId);
	if (!inv_need(judge, &thread->cid_process) || !inv_need(judge, &pid))
		return;
	if (thread->cid_process.u == pid.u) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_KTHREAD_Process, &thread->process, "the thread belongs to this process");
	inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &pid, "which has this identifier");
	inv_field_says(judge, finding, INV_F_ETHREAD_CidUniqueProcess, &thread->cid_process,
	               "the thread was created in a process with another one");
	inv_tried(judge, finding, "idle", "it is no thread of the idle process");
}

void inv_judge_T03(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_owner);
}

static void judge_apc_state(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value index = read_thread(judge, thread, INV_F_KTHREAD_ApcStateIndex);
	struct inv_value current = read_thread(judge, thread, INV_F_KTHREAD_ApcStateProcess);
	struct inv_value saved = read_thread(judge, thread, INV_F_KTHREAD_SavedApcStateProcess);
	if (!inv_need(judge, &index) || !inv_need(judge, &thread->process))
		return;
	bool attached = index.u == 1;
	const struct inv_value *own = attached ? &saved : &current;
	if (!inv_need(judge, own) || !inv_need(judge, &current))
		return;
	bool home = own->u == thread->process.u;
	if (index.u <= 1 && home && !attached) {
		inv_holds(judge);
		return;
	}
	enum inv_answer listed = attached ? inv_on_active_list(judge, current.u) : INV_YES;
	bool idle = attached && inv_role_of(judge, current.u) == INV_ROLE_IDLE;
	if (index.u == 1 && home && (listed == INV_YES || idle)) {
		inv_excuse(judge, subject(judge, thread), "attached");
		return;
	}
	if (index.u == 1 && home && listed == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KTHREAD_ApcStateIndex, &index, "the thread is %s another process",
	               attached ? "attached to" : "not attached to");
	inv_field_says(judge, finding, INV_F_KTHREAD_Process, &thread->process, "it belongs to this process");
	inv_field_says(judge, finding, attached ? INV_F_KTHREAD_SavedApcStateProcess : INV_F_KTHREAD_ApcStateProcess, own,
	               home ? "its own APC state agrees" : "its own APC state is that of another one");
	if (attached)
		inv_field_says(judge, finding, INV_F_KTHREAD_ApcStateProcess, &current, "it is attached to this process%s",
		               listed == INV_NO ? ", which is not on PsActiveProcessHead" : "");
	if (listed == INV_NO)
		inv_means_its_targets(finding);
	inv_tried(judge, finding, "attached",
	          attached ? "the saved state or the process it is attached to contradicts that" : "ApcStateIndex is 0");
}

void inv_judge_T04(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_apc_state);
}

static bool runs_now(const struct inv_judge *judge, uint64_t thread)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	for (size_t i = 0; i < inv_count(testimony->cpus); i++)
		if (testimony->cpus[i].current.ok && testimony->cpus[i].current.u == thread)
			return true;
	return false;
}

// The stack of a thread that is neither new nor gone.
struct stack {
	uint64_t limit, base;
	const struct inv_thread_dossier *thread;
};

static int by_limit(const void *a, const void *b)
{
	const struct stack *left = a, *right = b;
	if (left->limit != right->limit)
		return left->limit < right->limit ? -1 : 1;
	return (left->thread->address > right->thread->address) - (left->thread->address < right->thread->address);
}

static void say_same_stack(struct inv_judge *judge, const struct stack *stack, const struct stack *other)
{
	struct inv_value limit = read_thread(judge, stack->thread, INV_F_KTHREAD_StackLimit);
	struct inv_value base = read_thread(judge, other->thread, INV_F_KTHREAD_StackBase);
	struct inv_finding *finding = inv_broken(judge, subject(judge, stack->thread), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KTHREAD_StackLimit, &limit, "the thread's stack ends here");
	inv_field_says(judge, finding, INV_F_KTHREAD_StackBase, &base, "another thread's stack begins here, above that");
	inv_tried(judge, finding, "terminated", "neither of the two has terminated");
}

// No two stacks share a page: each that ends before one beneath it begins is another thread's too.
static void judge_stacks_apart(struct inv_judge *judge)
{
	struct stack *stacks = NULL;
	for (size_t i = 0; i < judge->dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &judge->dossiers->threads[i];
		struct inv_value state = read_thread(judge, thread, INV_F_KTHREAD_State);
		struct inv_value limit = read_thread(judge, thread, INV_F_KTHREAD_StackLimit);
		struct inv_value base = read_thread(judge, thread, INV_F_KTHREAD_StackBase);
		if (!thread->owner || !state.ok || state.u == INV_KTHREAD_INITIALIZED || state.u == INV_KTHREAD_TERMINATED ||
		    is_terminated(judge, thread->address) || !limit.ok || !base.ok || limit.u == 0 || limit.u >= base.u)
			continue;
		struct stack stack = {limit.u, base.u, thread};
		inv_push(stacks, stack);
	}
	if (stacks)
		qsort(stacks, inv_count(stacks), sizeof *stacks, by_limit);
	const struct stack *highest = NULL;
	for (size_t i = 0; i < inv_count(stacks); i++) {
		if (highest && stacks[i].limit < highest->base)
			say_same_stack(judge, &stacks[i], highest);
		if (!highest || stacks[i].base > highest->base)
			highest = &stacks[i];
	}
	inv_array_free(stacks);
}

static void judge_stack(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value limit = read_thread(judge, thread, INV_F_KTHREAD_StackLimit);
	struct inv_value base = read_thread(judge, thread, INV_F_KTHREAD_StackBase);
	struct inv_value initial = read_thread(judge, thread, INV_F_KTHREAD_InitialStack);
	struct inv_value stack = read_thread(judge, thread, INV_F_KTHREAD_KernelStack);
	struct inv_value frame = read_thread(judge, thread, INV_F_KTHREAD_TrapFrame);
	struct inv_value resident = read_thread(judge, thread, INV_F_KTHREAD_KernelStackResident);
	struct inv_value state = read_thread(judge, thread, INV_F_KTHREAD_State);
	if (!inv_need(judge, &limit) || !inv_need(judge, &base) || !inv_need(judge, &initial) || !inv_need(judge, &stack) ||
	    !inv_need(judge, &frame))
		return;
	bool inside = limit.u <= stack.u && stack.u <= initial.u && initial.u <= base.u;
	bool framed = frame.u == 0 || (limit.u <= frame.u && frame.u < base.u);
	if (inside && framed) {
		inv_holds(judge);
		return;
	}
	if (resident.ok && resident.u == 0) {
		inv_excuse(judge, subject(judge, thread), "swapped-out");
		return;
	}
	// KernelStack is written when the thread is switched out, so a running thread's is that of its last wait, which
	// may have been on another stack (KeExpandKernelStackAndCallout; measured on a dump of 19041.3803).
	if (framed && state.ok && state.u == INV_KTHREAD_RUNNING && runs_now(judge, thread->address)) {
		inv_excuse(judge, subject(judge, thread), "running");
		return;
	}
	// MmDeleteKernelStack runs when the terminated thread is reaped; the object may live on.
	bool terminated = state.ok && state.u == INV_KTHREAD_TERMINATED;
	if (terminated && is_terminated(judge, thread->address)) {
		inv_excuse(judge, subject(judge, thread), "terminated");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KTHREAD_StackLimit, &limit, "the stack ends here");
	inv_field_says(judge, finding, INV_F_KTHREAD_StackBase, &base, "and begins here");
	inv_field_says(judge, finding, INV_F_KTHREAD_InitialStack, &initial, "its usable part begins here");
	if (!inside)
		inv_field_says(judge, finding, INV_F_KTHREAD_KernelStack, &stack, "the thread's stack pointer is outside");
	if (!framed)
		inv_field_says(judge, finding, INV_F_KTHREAD_TrapFrame, &frame, "the thread's trap frame is outside");
	inv_tried(judge, finding, "swapped-out", "the stack is resident, or this build does not say");
	inv_tried(judge, finding, "running",
	          framed ? "no CPU runs it" : "the trap frame of a running thread is inside too");
	inv_tried(judge, finding, "terminated", "the thread's state is not Terminated");
}

void inv_judge_T09(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_stack);
	judge_stacks_apart(judge);
}

static void judge_start(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	enum inv_role role = thread->process.ok ? inv_role_of(judge, thread->process.u) : INV_ROLE_UNKNOWN;
	struct inv_value start = read_thread(judge, thread, INV_F_ETHREAD_StartAddress);
	if (role == INV_ROLE_UNKNOWN || role == INV_ROLE_IDLE)
		return;
	if (!start.ok && role != INV_ROLE_SYSTEM)
		return; // the half about user mode says so
	if (!inv_need(judge, &start) || (role != INV_ROLE_SYSTEM && start.u < INV_KERNEL_HALF))
		return;
	if (inv_kernel_module_at(judge->kernel, start.u)) {
		inv_holds(judge);
		return;
	}
	if (!judge->kernel->modules_complete) {
		inv_unknown_because(judge, "the list of loaded modules could not be read to its end");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_ETHREAD_StartAddress, &start, "the thread starts here");
	struct inv_value modules = {.ok = true, .u = judge->kernel->module_count};
	inv_witness_says(judge, finding, INV_W_ANCHOR, "PsLoadedModuleList", &modules,
	                 "none of %zu loaded modules is there", judge->kernel->module_count);
}

void inv_judge_T10(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_start);
}

static void judge_gui(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value win32 = read_thread(judge, thread, INV_F_KTHREAD_Win32Thread);
	if (!inv_need(judge, &win32))
		return;
	if (win32.u == 0) {
		inv_holds(judge);
		return;
	}
	if (!inv_need(judge, &thread->process))
		return;
	struct inv_value gui = read_thread(judge, thread, INV_F_KTHREAD_GuiThread);
	struct inv_value process = inv_field(judge->kernel, thread->process.u, INV_F_EPROCESS_Win32Process);
	if (!inv_need(judge, &gui) || !inv_need(judge, &process))
		return;
	if (gui.u != 0 && process.u != 0) {
		inv_holds(judge);
		return;
	}
	if (is_terminated(judge, thread->address)) {
		inv_excuse(judge, subject(judge, thread), "exiting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SUBSYSTEM);
	inv_field_says(judge, finding, INV_F_KTHREAD_Win32Thread, &win32, "the thread has win32k state");
	inv_field_says(judge, finding, INV_F_KTHREAD_GuiThread, &gui, "it is %s GUI thread", gui.u ? "a" : "no");
	inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, &process, "its process has %s win32k state",
	               process.u ? "its" : "no");
	inv_tried(judge, finding, "exiting", "the thread has not begun to terminate");
}

void inv_judge_T17(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_gui);
}
