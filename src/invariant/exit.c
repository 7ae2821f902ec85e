// SPDX-License-Identifier: Apache-2.0
// Family 2: exit, zombies and clones.
#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "invariant/families.h"
#include "nt/thread.h"

static struct inv_value read_process(const struct inv_judge *judge, const struct inv_dossier *process,
                                     enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

// The last thread stays on the scheduler's list while it runs PspExitThread: the process has told that it is over
// (flags, counter), and that thread carries the Terminated flag.
static bool is_exiting(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value threads = read_process(judge, process, INV_F_EPROCESS_ActiveThreads);
	struct inv_value deleting = read_process(judge, process, INV_F_EPROCESS_ProcessDelete);
	if (!threads.ok || threads.u != 0 || !deleting.ok || !deleting.u || process->kthreads.count != 1)
		return false;
	uint64_t last = 0, offset;
	if (inv_field_address(judge->kernel, 0, INV_F_KTHREAD_ThreadListEntry, &offset))
		last = process->kthreads.nodes[0].entry - offset;
	struct inv_value terminated = inv_field(judge->kernel, last, INV_F_ETHREAD_Terminated);
	return terminated.ok && terminated.u != 0;
}

// One thing that an exited process must show.
struct demand {
	enum inv_field field;
	bool must_be_zero;
	const char *says;
};

static bool meets(const struct demand *demand, const struct inv_value *value)
{
	return (value->u == 0) == demand->must_be_zero;
}

// A partial layout lacks fields that the kernel may have; only a whole one proves that there is no such field.
static bool knows_all_fields(const struct inv_judge *judge)
{
	return judge->kernel->layout && !judge->kernel->layout->partial;
}

// Judges all demands at once: one process, one verdict. A field that this build lacks demands nothing.
static void judge_demands(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *exit_time,
                          const struct demand *demands, size_t count)
{
	struct inv_value missing = {.ok = true};
	struct inv_finding *finding = NULL;
	for (size_t i = 0; i < count; i++) {
		struct inv_value value = read_process(judge, process, demands[i].field);
		if (!value.ok) {
			if (value.why.reason != INV_NO_FIELD || !knows_all_fields(judge))
				missing = value;
			continue;
		}
		if (meets(&demands[i], &value))
			continue;
		if (!finding) {
			finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
			inv_field_says(judge, finding, INV_F_EPROCESS_ExitTime, exit_time, "the process has exited");
			inv_tried(judge, finding, "exiting", "no last thread is on its way out");
		}
		inv_field_says(judge, finding, demands[i].field, &value, "%s", demands[i].says);
	}
	if (finding)
		return;
	if (!missing.ok)
		inv_unknown(judge, &missing);
	else
		inv_holds(judge);
}

// Reads ExitTime; what is said of exited processes holds for one that has none.
static bool has_exited(struct inv_judge *judge, const struct inv_dossier *process, struct inv_value *exit_time)
{
	*exit_time = read_process(judge, process, INV_F_EPROCESS_ExitTime);
	if (inv_need(judge, exit_time) && exit_time->u == 0)
		inv_holds(judge);
	return exit_time->ok && exit_time->u != 0;
}

static void judge_exit_time(struct inv_judge *judge, const struct inv_dossier *process)
{
	static const struct demand demands[] = {
	    {INV_F_EPROCESS_ActiveThreads, true, "threads are still active"},
	    {INV_F_EPROCESS_ProcessDelete, false, "the last thread never reached its exit"},
	    {INV_F_EPROCESS_ProcessRundown, false, "the process was never run down"},
	};
	struct inv_value exit_time;
	if (!has_exited(judge, process, &exit_time))
		return;
	struct inv_value first = read_process(judge, process, INV_F_KPROCESS_ThreadListHead);
	bool scheduled = (first.ok && first.u != first.address) || process->on_scheduler_list == INV_YES;
	if (!scheduled) {
		judge_demands(judge, process, &exit_time, demands, sizeof demands / sizeof demands[0]);
		return;
	}
	if (is_exiting(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ExitTime, &exit_time, "the process has exited");
	struct inv_value entry = {.ok = true, .u = process->address};
	if (first.ok && first.u != first.address)
		inv_field_says(judge, finding, INV_F_KPROCESS_ThreadListHead, &first, "the scheduler still has threads of it");
	else
		inv_witness_says(judge, finding, INV_W_SCHEDULER_LIST, "KiProcessListHead", &entry,
		                 "the process is on the list");
	struct inv_value threads = read_process(judge, process, INV_F_EPROCESS_ActiveThreads);
	if (threads.ok && threads.u)
		inv_field_says(judge, finding, INV_F_EPROCESS_ActiveThreads, &threads, "threads are still active");
	inv_tried(judge, finding, "exiting",
	          "that would be one last thread with its Terminated flag, no active threads and Flags.ProcessDelete");
}

void inv_judge_X01(struct inv_judge *judge)
{
	inv_each_process(judge, judge_exit_time);
}

static void judge_rundown(struct inv_judge *judge, const struct inv_dossier *process)
{
	static const struct demand demands[] = {
	    {INV_F_EPROCESS_ObjectTable, true, "it still has a handle table"},
	    {INV_F_EPROCESS_SectionObject, true, "it still has its image section"},
	    {INV_F_EPROCESS_ImageFilePointer, true, "it still holds its image file"},
	    {INV_F_EPROCESS_Win32Process, true, "it still has win32k state"},
	    {INV_F_EPROCESS_VadRoot, true, "it still has an address space"},
	    {INV_F_DISPATCHER_HEADER_SignalState, false, "it was never signalled"},
	};
	struct inv_value exit_time;
	if (!has_exited(judge, process, &exit_time))
		return;
	if (is_exiting(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	judge_demands(judge, process, &exit_time, demands, sizeof demands / sizeof demands[0]);
}

void inv_judge_X02(struct inv_judge *judge)
{
	inv_each_process(judge, judge_rundown);
}

static void judge_alive(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value exit_time = read_process(judge, process, INV_F_EPROCESS_ExitTime);
	struct inv_value threads = read_process(judge, process, INV_F_EPROCESS_ActiveThreads);
	struct inv_value status = read_process(judge, process, INV_F_EPROCESS_ExitStatus);
	struct inv_value signal = read_process(judge, process, INV_F_DISPATCHER_HEADER_SignalState);
	if (process->role == INV_ROLE_IDLE) { // built by hand at boot, it never passes PspAllocateProcess
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!inv_need(judge, &exit_time) || !inv_need(judge, &threads) || !inv_need(judge, &status) ||
	    !inv_need(judge, &signal))
		return;
	if (exit_time.u != 0 || threads.u == 0 || (status.u == INV_STATUS_PENDING && signal.u == 0)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ActiveThreads, &threads, "threads are active");
	inv_field_says(judge, finding, INV_F_EPROCESS_ExitTime, &exit_time, "the process has not exited");
	if (status.u != INV_STATUS_PENDING)
		inv_field_says(judge, finding, INV_F_EPROCESS_ExitStatus, &status,
		               "the process has an exit status other than STATUS_PENDING");
	if (signal.u != 0)
		inv_field_says(judge, finding, INV_F_DISPATCHER_HEADER_SignalState, &signal,
		               "the process is signalled as exited");
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_X03(struct inv_judge *judge)
{
	inv_each_process(judge, judge_alive);
}

// -- X05 --------------------------------------------------------------------------------------------------------------------

// How long a process may be without its first thread is not verified: D.2 of the life-time automaton says seconds.
#define JUST_CREATED 100000000u // 10 s in units of FILETIME

// ThreadInserted is set after the thread was counted, and Terminated before it is counted down.
static bool is_counted(const struct inv_judge *judge, uint64_t thread)
{
	struct inv_value inserted = inv_field(judge->kernel, thread, INV_F_ETHREAD_ThreadInserted);
	struct inv_value terminated = inv_field(judge->kernel, thread, INV_F_ETHREAD_Terminated);
	struct inv_value signal = inv_field(judge->kernel, thread, INV_F_DISPATCHER_HEADER_SignalState);
	struct inv_value state = inv_field(judge->kernel, thread, INV_F_KTHREAD_State);
	return inserted.ok && inserted.u && terminated.ok && !terminated.u && signal.ok && !signal.u && state.ok &&
	       state.u != INV_KTHREAD_TERMINATED;
}

// What is asked of every process that shows no thread, gathered once.
struct crowd {
	const struct inv_thread_dossier **threads; // stb_ds, by the process that they name
	uint64_t *sections;                        // stb_ds, sorted: each SectionObject that several live processes have
};

static int by_named_process(const void *a, const void *b)
{
	const struct inv_thread_dossier *left = *(const struct inv_thread_dossier *const *)a;
	const struct inv_thread_dossier *right = *(const struct inv_thread_dossier *const *)b;
	if (left->process.u != right->process.u)
		return left->process.u < right->process.u ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

// Of sorted numbers, those that stand there more than once.
static void keep_shared(uint64_t *numbers)
{
	size_t kept = 0;
	for (size_t i = 1; i < inv_count(numbers); i++)
		if (numbers[i] == numbers[i - 1] && (kept == 0 || numbers[kept - 1] != numbers[i]))
			numbers[kept++] = numbers[i];
	stbds_arrsetlen(numbers, kept);
}

static struct crowd gather(const struct inv_judge *judge)
{
	struct crowd crowd = {0};
	for (size_t i = 0; i < judge->dossiers->thread_count; i++)
		if (judge->dossiers->threads[i].process.ok)
			inv_push(crowd.threads, &judge->dossiers->threads[i]);
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct inv_value section = read_process(judge, process, INV_F_EPROCESS_SectionObject);
		if (inv_is_live(process) && section.ok && section.u)
			inv_push(crowd.sections, section.u);
	}
	if (crowd.threads)
		qsort(crowd.threads, inv_count(crowd.threads), sizeof(const struct inv_thread_dossier *), by_named_process);
	if (crowd.sections) {
		inv_numbers_sort(crowd.sections);
		keep_shared(crowd.sections);
	}
	return crowd;
}

// A thread that whoever saw it says belongs to the process; NULL: none.
static const struct inv_thread_dossier *find_counted_thread(const struct inv_judge *judge, const struct crowd *crowd,
                                                            uint64_t process)
{
	size_t low = 0, high = inv_count(crowd->threads), all = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (crowd->threads[middle]->process.u < process)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < all && crowd->threads[low]->process.u == process; low++)
		if (is_counted(judge, crowd->threads[low]->address))
			return crowd->threads[low];
	return NULL;
}

// NtCreateProcess without a section gives the child that of its parent, and CloneRoot to both (public practice).
static bool is_clone(const struct inv_judge *judge, const struct crowd *crowd, const struct inv_dossier *process)
{
	struct inv_value section = read_process(judge, process, INV_F_EPROCESS_SectionObject);
	return inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_CloneRoot) ||
	       inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ForkInProgress) ||
	       (section.ok && inv_numbers_have(crowd->sections, section.u));
}

static bool is_just_created(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value created = read_process(judge, process, INV_F_EPROCESS_CreateTime);
	const struct inv_value *now = &judge->kernel->system_time;
	if (!created.ok || created.u == 0) // state c0
		return created.ok;
	uint64_t age = now->u > created.u ? now->u - created.u : created.u - now->u;
	return now->ok && age <= JUST_CREATED;
}

static void report_threadless(struct inv_judge *judge, const struct inv_dossier *process,
                              const struct inv_value *threads, const struct inv_value *win32,
                              const struct inv_thread_dossier *thread)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ActiveThreads, threads,
	               "the process has no thread and has not exited");
	if (win32->ok && win32->u)
		inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, win32, "a thread of it has called win32k");
	if (thread)
		inv_field_says(judge, finding, INV_F_KTHREAD_Process, &thread->process,
		               "a thread that has not ended belongs to it");
	static const char *const excuses[] = {"minimal", "clone", "creating"};
	for (size_t i = 0; i < sizeof excuses / sizeof *excuses; i++)
		inv_tried(judge, finding, excuses[i], "such a process has never run");
	inv_tried(judge, finding, "exiting", "no last thread is on its way out");
}

static void judge_threadless(struct inv_judge *judge, const struct crowd *crowd, const struct inv_dossier *process)
{
	struct inv_value threads = read_process(judge, process, INV_F_EPROCESS_ActiveThreads);
	struct inv_value exit_time = read_process(judge, process, INV_F_EPROCESS_ExitTime);
	struct inv_value win32 = read_process(judge, process, INV_F_EPROCESS_Win32Process);
	if (!inv_need(judge, &threads) || !inv_need(judge, &exit_time))
		return;
	if (threads.u || exit_time.u) {
		inv_holds(judge);
		return;
	}
	const struct inv_thread_dossier *thread = find_counted_thread(judge, crowd, process->address);
	if (is_exiting(judge, process))
		inv_excuse(judge, inv_subject_process(process), "exiting");
	else if ((win32.ok && win32.u) || thread)
		report_threadless(judge, process, &threads, &win32, thread);
	else if (inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_Minimal) &&
	         inv_field_is_set(judge->kernel, process->address, INV_F_DISPATCHER_HEADER_Minimal))
		inv_excuse(judge, inv_subject_process(process), "minimal");
	else if (is_clone(judge, crowd, process))
		inv_excuse(judge, inv_subject_process(process), "clone");
	else if (is_just_created(judge, process))
		inv_excuse(judge, inv_subject_process(process), "creating");
	else
		inv_unknown_because(judge,
		                    "a process that never had a thread stands there for long: NtCreateProcessEx allows it, "
		                    "and programs that disguise their image use it so");
}

void inv_judge_X05(struct inv_judge *judge)
{
	struct crowd crowd = gather(judge);
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		if (!inv_is_live(process))
			continue;
		if (process->role == INV_ROLE_IDLE) // whether anybody counts its threads is not verified
			inv_excuse(judge, inv_subject_process(process), "idle");
		else
			judge_threadless(judge, &crowd, process);
	}
	inv_array_free(crowd.threads);
	inv_array_free(crowd.sections);
}
