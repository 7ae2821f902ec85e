// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/array.h"
#include "base/workers.h"
#include "check/check.h"

// Lists of threads are as hostile as any: all of them together may have this many entries.
#define THREAD_BUDGET ((size_t)1 << 22)
// And as many processes may be named by whatever points to one.
#define PROCESS_BUDGET ((size_t)1 << 20)
#define INDEX_ROOM 64u // of an entry of an index, about

struct index {
	uint64_t key;
	size_t value;
};

struct assembly {
	struct inv_testimony *testimony;
	const struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_dossier *processes;      // stb_ds
	struct inv_thread_dossier *threads; // stb_ds
	struct index *process_index;        // stb_ds map
	struct index *thread_index;         // stb_ds map
	size_t sightings_done, handles_done;
	size_t thread_budget;
	const char *cut_short;
};

static size_t process_dossier(struct assembly *a, uint64_t address)
{
	ptrdiff_t known = stbds_hmgeti(a->process_index, address);
	if (known >= 0)
		return a->process_index[known].value;
	struct inv_dossier dossier = {.address = address};
	(void)inv_take_room(a->testimony, sizeof dossier + INDEX_ROOM);
	inv_push(a->processes, dossier);
	stbds_hmput(a->process_index, address, inv_count(a->processes) - 1);
	return inv_count(a->processes) - 1;
}

static size_t thread_dossier(struct assembly *a, uint64_t address)
{
	ptrdiff_t known = stbds_hmgeti(a->thread_index, address);
	if (known >= 0)
		return a->thread_index[known].value;
	struct inv_thread_dossier dossier = {.address = address,
	                                     .on_executive_list = INV_UNSURE,
	                                     .on_scheduler_list = INV_UNSURE,
	                                     .process = inv_field(a->kernel, address, INV_F_KTHREAD_Process),
	                                     .cid_process = inv_field(a->kernel, address, INV_F_ETHREAD_CidUniqueProcess),
	                                     .cid_thread = inv_field(a->kernel, address, INV_F_ETHREAD_CidUniqueThread)};
	(void)inv_take_room(a->testimony, sizeof dossier + INDEX_ROOM);
	inv_push(a->threads, dossier);
	stbds_hmput(a->thread_index, address, inv_count(a->threads) - 1);
	return inv_count(a->threads) - 1;
}

// What the thread itself says of its process is a witness of its own.
static void hear_thread(struct assembly *a, uint64_t address)
{
	struct inv_coverage *coverage = &a->testimony->coverage[INV_W_THREAD];
	static const enum inv_field fields[] = {INV_F_KTHREAD_Process, INV_F_KTHREAD_ApcStateProcess};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct inv_value process = inv_field(a->kernel, address, fields[i]);
		if (!process.ok) {
			coverage->unreadable++;
			continue;
		}
		coverage->read++;
		if (process.u != 0)
			inv_sight(a->testimony, INV_W_THREAD, process.u, address, process.address);
	}
}

static void take_sighting(struct assembly *a, const struct inv_sighting *sighting)
{
	uint64_t bit = INV_BIT(sighting->witness);
	if (sighting->process) {
		size_t process = process_dossier(a, sighting->process); // may move the array
		if (a->processes)
			a->processes[process].seen_by |= bit;
	}
	if (!sighting->thread)
		return;
	size_t before = inv_count(a->threads);
	size_t index = thread_dossier(a, sighting->thread);
	if (a->threads)
		a->threads[index].seen_by |= bit;
	if (inv_count(a->threads) > before)
		hear_thread(a, sighting->thread);
}

// The next sighting; handles are taken in their turn. False: all were taken.
static bool next_sighting(struct assembly *a, struct inv_sighting *sighting)
{
	const struct inv_testimony *testimony = a->testimony;
	if (a->sightings_done >= testimony->before_handles && a->handles_done < inv_count(testimony->handles)) {
		const struct inv_handle_record *handle = &testimony->handles[a->handles_done++];
		*sighting = (struct inv_sighting){.witness = INV_W_HANDLES, .at = handle->at};
		sighting->process = handle->target == INV_TARGET_PROCESS ? handle->body : 0;
		sighting->thread = handle->target == INV_TARGET_THREAD ? handle->body : 0;
		return true;
	}
	if (a->sightings_done >= inv_count(testimony->sightings))
		return false;
	*sighting = testimony->sightings[a->sightings_done++];
	return true;
}

// Objects lie all over memory: what stands ahead among the sightings is asked for before it is read.
static void expect_sighting(const struct assembly *a)
{
	enum { AHEAD = 24 };
	static const enum inv_field fields[] = {INV_F_KTHREAD_Process, INV_F_KTHREAD_ApcStateProcess, INV_F_ETHREAD_Cid};
	const struct inv_testimony *testimony = a->testimony;
	size_t ahead = a->sightings_done + AHEAD;
	uint64_t thread = ahead < inv_count(testimony->sightings) ? testimony->sightings[ahead].thread : 0, at;
	for (size_t i = 0; thread && a->kernel->space && i < sizeof fields / sizeof *fields; i++)
		if (inv_field_address(a->kernel, thread, fields[i], &at))
			inv_space_expect(a->kernel->space, at);
}

// Sightings may be added while they are taken.
static void take_sightings(struct assembly *a)
{
	struct inv_sighting sighting;
	while (next_sighting(a, &sighting)) {
		if (inv_count(a->processes) >= PROCESS_BUDGET || a->testimony->full) {
			a->cut_short = "more processes, threads and handles are named than any system can have";
			return;
		}
		expect_sighting(a);
		take_sighting(a, &sighting);
	}
}

// Does the process own the address space that it names?
static enum inv_answer owns_root(const struct inv_testimony *testimony, const struct inv_dossier *process)
{
	struct inv_value dtb = inv_field(testimony->kernel, process->address, INV_F_KPROCESS_DirectoryTableBase);
	if (!dtb.ok || inv_count(testimony->roots) == 0)
		return INV_UNSURE;
	const struct inv_root_record *root = inv_root_at(testimony, dtb.u);
	if (!root) {
		uint8_t byte;
		bool present = inv_image_read(testimony->kernel->image, dtb.u & ~(uint64_t)(INV_PAGE_SIZE - 1), &byte, 1) == 1;
		return present ? INV_NO : INV_UNSURE;
	}
	return root->listed && root->process != process->address ? INV_NO : INV_YES;
}

static void match_root(const struct assembly *a, const struct inv_dossier *process, enum inv_field field)
{
	struct inv_value dtb = inv_field(a->kernel, process->address, field);
	struct inv_root_record *root = dtb.ok ? inv_root_at(a->testimony, dtb.u) : NULL;
	bool listed = (process->seen_by & INV_BIT(INV_W_ACTIVE_LIST)) != 0;
	if (!root || root->listed || (root->process && !listed))
		return;
	root->process = process->address;
	root->listed = listed;
}

// Whose address space each page table root is. Idle has that of System.
static void match_roots(struct assembly *a)
{
	for (size_t i = 0; i < inv_count(a->processes); i++) {
		match_root(a, &a->processes[i], INV_F_KPROCESS_DirectoryTableBase);
		match_root(a, &a->processes[i], INV_F_KPROCESS_UserDirectoryTableBase);
	}
	for (size_t i = 0; i < inv_count(a->processes); i++)
		a->processes[i].owns_root = owns_root(a->testimony, &a->processes[i]);
}

static void sight_roots(struct assembly *a)
{
	for (size_t i = 0; i < inv_count(a->testimony->roots); i++) {
		const struct inv_root_record *root = &a->testimony->roots[i];
		if (root->process)
			inv_sight(a->testimony, INV_W_SELF_MAP, root->process, 0, root->frame);
	}
	take_sightings(a);
}

// What a deleted process left in memory leads anywhere; its pointers are not followed.
static bool is_remnant(const struct assembly *a, const struct inv_dossier *process)
{
	return inv_is_only_swept(process) && inv_swept_state(a->testimony, process) != INV_STATE_HIDDEN;
}

static void walk_threads(struct assembly *a, size_t process)
{
	uint64_t address = a->processes[process].address;
	struct inv_list executive, scheduler;
	inv_witness_thread_list(a->testimony, address, INV_W_THREAD_LIST, a->thread_budget, &executive);
	a->thread_budget -= executive.count;
	inv_witness_thread_list(a->testimony, address, INV_W_KTHREAD_LIST, a->thread_budget, &scheduler);
	a->thread_budget -= scheduler.count;
	if (a->thread_budget == 0)
		a->cut_short = "more threads are listed than any system can have";
	take_sightings(a);
	a->processes[process].threads = executive;
	a->processes[process].kthreads = scheduler;
}

// The handle table that the process itself names may be on no list.
static void walk_handles(struct assembly *a, size_t process)
{
	struct inv_value table = inv_field(a->kernel, a->processes[process].address, INV_F_EPROCESS_ObjectTable);
	if (table.ok && table.u)
		inv_hear_table(a->testimony, table.u);
	take_sightings(a);
}

// A thread is owned by the process on whose list it stands; KTHREAD.Process is only its own word.
static void mark_owned(struct assembly *a, const struct inv_dossier *process, const struct inv_list *list,
                       enum inv_field entry_field, bool executive)
{
	for (size_t i = 0; i < list->count; i++) {
		uint64_t offset;
		if (!inv_field_address(a->kernel, 0, entry_field, &offset))
			return;
		ptrdiff_t at = stbds_hmgeti(a->thread_index, list->nodes[i].entry - offset);
		if (at < 0 || !a->threads)
			continue;
		struct inv_thread_dossier *thread = &a->threads[a->thread_index[at].value];
		if (thread->owner == 0)
			thread->owner = process->address;
		if (executive)
			thread->on_executive_list = INV_YES;
		else
			thread->on_scheduler_list = INV_YES;
	}
}

static bool leads_past(const struct assembly *a, uint64_t object, enum inv_field entry_field)
{
	uint64_t entry;
	return inv_field_address(a->kernel, object, entry_field, &entry) && inv_list_leads_past(a->kernel, entry);
}

// A closed list that does not show a thread denies it, and so does one whose neighbours there lead to each other.
static void settle_thread(const struct assembly *a, struct inv_thread_dossier *thread)
{
	uint64_t owner = thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
	struct index *processes = a->process_index;
	ptrdiff_t at = -1;
	if (processes && a->processes)
		(void)stbds_hmgeti_ts(processes, owner, at); // several threads look here at once
	if (at < 0)
		return;
	const struct inv_dossier *process = &a->processes[processes[at].value];
	if (thread->on_executive_list == INV_UNSURE &&
	    (process->threads.closed || leads_past(a, thread->address, INV_F_ETHREAD_ThreadListEntry)))
		thread->on_executive_list = INV_NO;
	if (thread->on_scheduler_list == INV_UNSURE &&
	    (process->kthreads.closed || leads_past(a, thread->address, INV_F_KTHREAD_ThreadListEntry)))
		thread->on_scheduler_list = INV_NO;
}

static enum inv_answer answer(const struct inv_testimony *testimony, const struct inv_dossier *process,
                              enum inv_witness_id witness)
{
	if (process->seen_by & INV_BIT(witness))
		return INV_YES;
	return testimony->coverage[witness].complete ? INV_NO : INV_UNSURE;
}

static void fill(const struct assembly *a, struct inv_arena *arena, struct inv_dossier *process)
{
	const struct inv_kernel *kernel = a->kernel;
	struct inv_value path;
	process->name = inv_process_name(kernel, process->address, arena, &process->name_value);
	process->path = inv_process_path(kernel, process->address, arena, &path);
	process->pid = inv_field(kernel, process->address, INV_F_EPROCESS_UniqueProcessId);
	process->parent = inv_field(kernel, process->address, INV_F_EPROCESS_InheritedFromUniqueProcessId);
	process->role = inv_process_role(kernel, &a->testimony->anchors, process->address);
	process->on_active_list = answer(a->testimony, process, INV_W_ACTIVE_LIST);
	if (process->on_active_list == INV_UNSURE && inv_active_list_leads_past(a->testimony, process->address))
		process->on_active_list = INV_NO;
	process->on_scheduler_list = answer(a->testimony, process, INV_W_SCHEDULER_LIST);
	if (process->on_scheduler_list == INV_UNSURE && leads_past(a, process->address, INV_F_KPROCESS_ProcessListEntry))
		process->on_scheduler_list = INV_NO;
	process->state = inv_process_state(a->testimony, process);
	if (process->state == INV_STATE_HIDDEN)
		process->missing_from |= INV_BIT(INV_W_ACTIVE_LIST);
	struct inv_value first = inv_field(kernel, process->address, INV_F_KPROCESS_ThreadListHead);
	bool has_threads = first.ok && first.u != first.address;
	bool listed = process->on_active_list == INV_YES && process->role != INV_ROLE_IDLE;
	if (listed && answer(a->testimony, process, INV_W_CID_TABLE) == INV_NO)
		process->missing_from |= INV_BIT(INV_W_CID_TABLE);
	if (listed && !a->testimony->mm_symbol && answer(a->testimony, process, INV_W_MM_LIST) == INV_NO)
		process->missing_from |= INV_BIT(INV_W_MM_LIST);
	if (listed && answer(a->testimony, process, INV_W_PFN) == INV_NO)
		process->missing_from |= INV_BIT(INV_W_PFN);
	if (process->on_scheduler_list == INV_NO && has_threads && process->role != INV_ROLE_IDLE)
		process->missing_from |= INV_BIT(INV_W_SCHEDULER_LIST);
}

// Once all is known, objects are looked at each for itself, by several threads.
#define PROCESSES_A_JOB 64u
#define THREADS_A_JOB 1024u

struct filling {
	struct assembly *assembly;
	struct inv_arena **arenas; // one for each job
};

static void fill_some(void *context, size_t first, size_t end)
{
	const struct filling *filling = context;
	struct inv_arena *arena = filling->arenas[first / PROCESSES_A_JOB] = inv_arena_new();
	for (size_t i = first; i < end; i++)
		fill(filling->assembly, arena, &filling->assembly->processes[i]);
}

static void fill_all(struct assembly *a)
{
	size_t count = inv_count(a->processes), jobs = count / PROCESSES_A_JOB + 1;
	struct filling filling = {a, inv_alloc(jobs * sizeof(struct inv_arena *))};
	inv_workers_spans(a->testimony->threads, count, PROCESSES_A_JOB, fill_some, &filling);
	for (size_t i = 0; i < jobs; i++)
		if (filling.arenas[i])
			inv_arena_join(a->arena, filling.arenas[i]);
	free(filling.arenas);
}

static void settle_some(void *context, size_t first, size_t end)
{
	const struct assembly *a = context;
	for (size_t i = first; i < end; i++)
		settle_thread(a, &a->threads[i]);
}

static int by_process_address(const void *a, const void *b)
{
	uint64_t left = ((const struct inv_dossier *)a)->address, right = ((const struct inv_dossier *)b)->address;
	return (left > right) - (left < right);
}

static int by_thread_address(const void *a, const void *b)
{
	uint64_t left = ((const struct inv_thread_dossier *)a)->address;
	uint64_t right = ((const struct inv_thread_dossier *)b)->address;
	return (left > right) - (left < right);
}

void inv_assemble(struct inv_testimony *testimony, struct inv_arena *arena, struct inv_dossiers *dossiers,
                  const char **cut_short)
{
	struct assembly a = {
	    .testimony = testimony, .kernel = testimony->kernel, .arena = arena, .thread_budget = THREAD_BUDGET};
	take_sightings(&a);
	match_roots(&a);
	for (size_t i = 0; i < inv_count(a.processes) && !a.cut_short; i++) { // grows while it runs
		if (is_remnant(&a, &a.processes[i]))
			continue;
		walk_threads(&a, i);
		walk_handles(&a, i);
	}
	match_roots(&a);
	sight_roots(&a);
	inv_settle_handles(testimony);
	for (size_t i = 0; i < INV_WITNESS_COUNT && testimony->full; i++)
		testimony->coverage[i].complete = false;
	for (size_t i = 0; i < inv_count(a.processes); i++) {
		mark_owned(&a, &a.processes[i], &a.processes[i].kthreads, INV_F_KTHREAD_ThreadListEntry, false);
		mark_owned(&a, &a.processes[i], &a.processes[i].threads, INV_F_ETHREAD_ThreadListEntry, true);
	}
	fill_all(&a);
	inv_workers_spans(testimony->threads, inv_count(a.threads), THREADS_A_JOB, settle_some, &a);
	if (a.processes)
		qsort(a.processes, inv_count(a.processes), sizeof *a.processes, by_process_address);
	if (a.threads)
		qsort(a.threads, inv_count(a.threads), sizeof *a.threads, by_thread_address);
	*dossiers = (struct inv_dossiers){.kernel = testimony->kernel,
	                                  .testimony = testimony,
	                                  .process_count = inv_count(a.processes),
	                                  .thread_count = inv_count(a.threads)};
	dossiers->processes = a.processes;
	dossiers->threads = a.threads;
	*cut_short = a.cut_short;
	stbds_hmfree(a.process_index);
	stbds_hmfree(a.thread_index);
}

void inv_dossiers_free(struct inv_dossiers *dossiers)
{
	inv_array_free(dossiers->processes);
	inv_array_free(dossiers->threads);
}
