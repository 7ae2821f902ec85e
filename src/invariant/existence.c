// SPDX-License-Identifier: Apache-2.0
// Family 1: existence and life-time.
#include <stdlib.h>

#include "base/array.h"
#include "invariant/families.h"

void inv_each_process(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_dossier *process))
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]))
			one(judge, &judge->dossiers->processes[i]);
}

void inv_each_thread(struct inv_judge *judge,
                     void (*one)(struct inv_judge *judge, const struct inv_thread_dossier *thread))
{
	for (size_t i = 0; i < judge->dossiers->thread_count; i++)
		one(judge, &judge->dossiers->threads[i]);
}

enum inv_role inv_role_of(const struct inv_judge *judge, uint64_t process)
{
	const struct inv_dossier *dossier = inv_dossier_at(judge->dossiers, process);
	return dossier ? dossier->role : inv_process_role(judge->kernel, &judge->dossiers->testimony->anchors, process);
}

bool inv_is_led_past(const struct inv_judge *judge, uint64_t object, enum inv_field entry_field)
{
	uint64_t entry;
	return inv_field_address(judge->kernel, object, entry_field, &entry) && inv_list_leads_past(judge->kernel, entry);
}

// What was not read to its end denies a process all the same if it could be read where the process should be.
static bool is_denied_in_place(const struct inv_judge *judge, const struct inv_dossier *process,
                               enum inv_witness_id witness)
{
	if (witness == INV_W_MM_LIST)
		return inv_is_led_past(judge, process->address, INV_F_EPROCESS_MmProcessLinks);
	uint64_t table = judge->dossiers->testimony->cid_table;
	if (witness != INV_W_CID_TABLE || !table || !process->pid.ok || process->pid.u == 0 ||
	    judge->dossiers->testimony->coverage[witness].voided)
		return false;
	struct inv_value slot = inv_handle_table_find(judge->kernel, table, process->pid.u);
	return slot.ok && slot.address && slot.u != process->address;
}

enum inv_answer inv_shown_by(const struct inv_judge *judge, const struct inv_dossier *process,
                             enum inv_witness_id witness)
{
	if (process->seen_by & INV_BIT(witness))
		return INV_YES;
	if (judge->dossiers->testimony->coverage[witness].complete)
		return INV_NO;
	return is_denied_in_place(judge, process, witness) ? INV_NO : INV_UNSURE;
}

enum inv_answer inv_on_active_list(const struct inv_judge *judge, uint64_t process)
{
	const struct inv_dossier *dossier = inv_dossier_at(judge->dossiers, process);
	if (dossier)
		return dossier->on_active_list;
	return judge->dossiers->testimony->active.closed ? INV_NO : INV_UNSURE;
}

static struct inv_value read_process(const struct inv_judge *judge, const struct inv_dossier *process,
                                     enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

// Lists that show a process only while it has threads.
#define SCHEDULED                                                                                                      \
	(INV_BIT(INV_W_CPU) | INV_BIT(INV_W_SCHEDULER_LIST) | INV_BIT(INV_W_READY_LIST) | INV_BIT(INV_W_WAIT_LIST))

bool inv_is_scheduled(const struct inv_dossier *process)
{
	return (process->seen_by & SCHEDULED) != 0 || process->kthreads.count > 0;
}

bool inv_is_being_created(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads) &&
	       inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ExitTime) && !inv_is_scheduled(process);
}

bool inv_is_being_deleted(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value references = inv_object_field(judge->kernel, process->address, INV_F_OBJECT_HEADER_PointerCount);
	return inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ExitTime) &&
	       inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads) && references.ok &&
	       references.u == 0;
}

bool inv_excuse_by_life(struct inv_judge *judge, const struct inv_dossier *process)
{
	const char *exception = inv_is_being_created(judge, process)   ? "creating"
	                        : inv_is_being_deleted(judge, process) ? "deleting"
	                                                               : NULL;
	if (exception)
		inv_excuse(judge, inv_subject_process(process), exception);
	return exception != NULL;
}

bool inv_is_still(const struct inv_judge *judge, const struct inv_dossier *process)
{
	uint64_t moving = INV_BIT(INV_W_CPU) | INV_BIT(INV_W_THREAD) | INV_BIT(INV_W_SCHEDULER_LIST);
	return inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ProcessInserted) &&
	       inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads) &&
	       !(process->seen_by & moving) && process->threads.closed && process->threads.count == 0 &&
	       process->kthreads.closed && process->kthreads.count == 0;
}

bool inv_has_lost_space(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value references = inv_object_field(judge->kernel, process->address, INV_F_OBJECT_HEADER_PointerCount);
	return inv_is_still(judge, process) && process->on_active_list == INV_NO && references.ok && references.u == 0;
}

static bool runs(const struct inv_judge *judge, const struct inv_dossier *process)
{
	uint64_t scheduled = INV_BIT(INV_W_CPU) | INV_BIT(INV_W_SCHEDULER_LIST);
	return (process->seen_by & scheduled) != 0 &&
	       inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
}

static void listed_without_flag(struct inv_judge *judge, const struct inv_dossier *process,
                                const struct inv_value *inserted)
{
	if (inv_excuse_by_life(judge, process))
		return;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, inserted, "the process is not inserted");
	struct inv_value entry = {.ok = true, .u = process->address};
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &entry, "the process is on the list");
	inv_tried(judge, finding, "creating", "it has threads, or an exit time, or is on the scheduler's list");
	inv_tried(judge, finding, "deleting", "its object is still referenced, or it never exited");
}

static void flag_without_list(struct inv_judge *judge, const struct inv_dossier *process,
                              const struct inv_value *inserted)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
	                 "the list leads past the process (%zu entries were read)",
	                 judge->dossiers->testimony->active.count);
	if (inserted->u)
		inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, inserted,
		               "the process was inserted and not deleted");
	else
		inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, inserted,
		               "the process was never inserted, yet the scheduler runs it");
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		struct inv_value seen = {.ok = true, .u = process->address};
		if (process->seen_by & INV_BIT(i))
			inv_witness_says(judge, finding, (enum inv_witness_id)i, inv_witness((enum inv_witness_id)i)->name, &seen,
			                 "this witness sees the process");
	}
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

static void judge_inserted(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	struct inv_value inserted = read_process(judge, process, INV_F_EPROCESS_ProcessInserted);
	if (!inv_need(judge, &inserted))
		return;
	if (process->on_active_list == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	bool listed = process->on_active_list == INV_YES;
	if (listed && !inserted.u)
		listed_without_flag(judge, process, &inserted);
	else if (!listed && (inserted.u || runs(judge, process)))
		flag_without_list(judge, process, &inserted);
	else
		inv_holds(judge);
}

void inv_judge_L01(struct inv_judge *judge)
{
	inv_each_process(judge, judge_inserted);
}

static void judge_scheduled(struct inv_judge *judge, const struct inv_dossier *process)
{
	// KeStartThread leaves the boot process out by its address.
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	struct inv_value first = read_process(judge, process, INV_F_KPROCESS_ThreadListHead);
	if (!inv_need(judge, &first))
		return;
	if (process->on_scheduler_list == INV_UNSURE) {
		inv_unknown_because(judge, "KiProcessListHead could not be read to its end");
		return;
	}
	bool has_threads = first.u != first.address;
	bool listed = process->on_scheduler_list == INV_YES;
	if (has_threads == listed) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KPROCESS_ThreadListHead, &first, "the process has %s",
	               has_threads ? "threads" : "no thread");
	struct inv_value entry = {.ok = true, .u = process->address};
	inv_witness_says(judge, finding, INV_W_SCHEDULER_LIST, "KiProcessListHead", &entry, "the process is %s the list",
	                 listed ? "on" : "not on");
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_L07(struct inv_judge *judge)
{
	inv_each_process(judge, judge_scheduled);
}

// Judges a process that must be on PsActiveProcessHead; true when it is not and a finding is due.
static bool is_denied_by_active_list(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE)
		inv_excuse(judge, inv_subject_process(process), "idle");
	else if (process->on_active_list == INV_UNSURE)
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	else if (process->on_active_list == INV_YES)
		inv_holds(judge);
	else
		return true;
	return false;
}

static void judge_scheduled_is_active(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->on_scheduler_list != INV_YES)
		return;
	if (!is_denied_by_active_list(judge, process))
		return;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value entry = {.ok = true, .u = process->address};
	inv_witness_says(judge, finding, INV_W_SCHEDULER_LIST, "KiProcessListHead", &entry,
	                 "the process has threads to schedule");
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
	                 "the list leads past the process");
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_L08(struct inv_judge *judge)
{
	if (judge->dossiers->testimony->scheduler.head == 0) {
		inv_unknown_because(judge, "the address of KiProcessListHead is not known");
		return;
	}
	inv_each_process(judge, judge_scheduled_is_active);
}

// The number must rise from one entry to the next, and may not pass the global counter.
static void judge_number(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *number,
                         const struct inv_value *before, const struct inv_value *counter)
{
	bool rises = !before->ok || number->u > before->u;
	bool counted = !counter->ok || number->u <= counter->u;
	if (rises && counted) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_SequenceNumber, number, "this process came %s",
	               rises ? "after the last that was ever counted" : "before its predecessor on the list");
	if (!rises)
		inv_field_says(judge, finding, INV_F_EPROCESS_SequenceNumber, before,
		               "the predecessor was inserted earlier, for entries are added at the tail");
	if (!counted)
		inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PspProcessSequenceNumber", counter,
		                 "no process has a higher number");
}

void inv_judge_L09(struct inv_judge *judge)
{
	const struct inv_list *active = &judge->dossiers->testimony->active;
	struct inv_value symbol = inv_kernel_symbol(judge->kernel, INV_S_PspProcessSequenceNumber, NULL);
	struct inv_value counter = symbol.ok ? inv_read_u64(judge->kernel, symbol.u) : symbol;
	struct inv_value before = {0};
	bool any = false;
	for (size_t i = 0; i < active->count; i++) {
		if (!active->nodes[i].forward) // the order of entries that only Blink reaches is not this one
			continue;
		uint64_t address =
		    inv_process_of_entry(judge->kernel, active->nodes[i].entry, INV_F_EPROCESS_ActiveProcessLinks);
		struct inv_value number = inv_field(judge->kernel, address, INV_F_EPROCESS_SequenceNumber);
		const struct inv_dossier *process = inv_dossier_at(judge->dossiers, address);
		any = true;
		if (!inv_need(judge, &number) || !process)
			continue;
		if (before.ok || counter.ok)
			judge_number(judge, process, &number, &before, &counter);
		else if (i > 0)
			inv_unknown_because(judge, "the predecessor's number could not be read");
		before = number;
	}
	if (!any)
		inv_unknown_because(judge, "PsActiveProcessHead could not be read");
}

static void judge_torn_link(struct inv_judge *judge, const struct inv_list *list, const struct inv_link *link)
{
	if (!inv_need(judge, &link->back))
		return;
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_LIST, link->to, list->name), INV_TIER_EXECUTIVE);
	struct inv_value there = {.ok = true, .address = link->backward ? link->from + 8 : link->from, .u = link->to};
	const char *forth = link->backward ? "_LIST_ENTRY.Blink" : "_LIST_ENTRY.Flink";
	const char *back = link->backward ? "_LIST_ENTRY.Flink" : "_LIST_ENTRY.Blink";
	struct inv_evidence evidence[] = {
	    {list->name, INV_TIER_EXECUTIVE, forth, there.address, there.u, "one neighbour leads to the other", true},
	    {list->name, INV_TIER_EXECUTIVE, back, link->back.address, link->back.u, "the other does not lead back", true},
	};
	inv_add_evidence(judge, finding, evidence[0]);
	inv_add_evidence(judge, finding, evidence[1]);
}

static void judge_list(struct inv_judge *judge, const struct inv_list *list)
{
	if (list->head == 0)
		return;
	// When the forward walk closed, the backward links are the same pairs seen from the other side.
	for (size_t i = 0; i < list->whole + (list->closed ? 0 : list->whole_backward); i++)
		inv_holds(judge);
	for (size_t i = 0; i < list->torn_count; i++)
		if (!list->torn_links[i].backward || !list->closed)
			judge_torn_link(judge, list, &list->torn_links[i]);
}

void inv_judge_L10(struct inv_judge *judge)
{
	const struct inv_dossiers *dossiers = judge->dossiers;
	judge_list(judge, &dossiers->testimony->active);
	judge_list(judge, &dossiers->testimony->scheduler);
	judge_list(judge, &dossiers->testimony->handle_tables);
	judge_list(judge, &dossiers->testimony->mm);
	judge_list(judge, &dossiers->testimony->job_list);
	judge_list(judge, &dossiers->testimony->ports);
	judge_list(judge, &dossiers->testimony->subscriptions);
	judge_list(judge, &dossiers->testimony->resolutions);
	for (size_t i = 0; i < inv_count(dossiers->testimony->dispatch); i++)
		judge_list(judge, &dossiers->testimony->dispatch[i].list);
	for (size_t i = 0; i < inv_count(dossiers->testimony->sessions); i++)
		judge_list(judge, &dossiers->testimony->sessions[i].members);
	for (size_t i = 0; i < inv_count(dossiers->testimony->jobs); i++)
		judge_list(judge, &dossiers->testimony->jobs[i].members);
	for (size_t i = 0; i < dossiers->process_count; i++) {
		judge_list(judge, &dossiers->processes[i].threads);
		judge_list(judge, &dossiers->processes[i].kthreads);
	}
}

// Whether a block that is billed to a process, or what else it owns, holds a reference to it is not verified, so a process that is
// created or was deleted may be named there; but then it is not inserted and has no thread.
static bool is_only_owner(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return process->on_active_list == INV_NO && !inv_is_scheduled(process) &&
	       inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ProcessInserted);
}

#define MOST_EVIDENCE 8u // more of the same proves no more

static void say_backlinks(struct inv_judge *judge, struct inv_finding *finding, const struct inv_backlink *links,
                          size_t count)
{
	for (size_t i = 0; i < count && inv_count(finding->evidence) < MOST_EVIDENCE; i++) {
		struct inv_value pointer = {.ok = true, .address = links[i].at, .u = links[i].process};
		inv_witness_says(judge, finding, links[i].witness, "pointer", &pointer,
		                 links[i].witness == INV_W_HANDLE_COUNTS ? "an object that it has handles to counts them"
		                                                         : "what it owns leads to the process");
	}
}

static void judge_closure(struct inv_judge *judge, const struct inv_dossier *process)
{
	size_t link_count;
	const struct inv_backlink *links = inv_backlinks_of(judge->dossiers->testimony, process->address, &link_count);
	uint64_t pointers = INV_BIT(INV_W_THREAD) | INV_BIT(INV_W_CPU) | INV_BIT(INV_W_ANCHOR) | INV_BIT(INV_W_WIN32K) |
	                    INV_BIT(INV_W_DXGKRNL);
	const struct inv_bill *bill = inv_bill_of(judge->dossiers->testimony, process->address);
	if (!(process->seen_by & pointers) && !bill && !links)
		return;
	if (!(process->seen_by & pointers) && is_only_owner(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "not-inserted");
		return;
	}
	if (!is_denied_by_active_list(judge, process))
		return;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
	                 "the list leads past the process");
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	size_t count;
	for (const uint32_t *index = inv_pointers_to(testimony, process->address, &count); count > 0; index++, count--) {
		const struct inv_sighting *sighting = &testimony->sightings[*index];
		if (!(pointers & INV_BIT(sighting->witness)))
			continue;
		struct inv_value pointer = {.ok = true, .address = sighting->at, .u = process->address};
		inv_witness_says(judge, finding, sighting->witness, "pointer", &pointer,
		                 "a live kernel structure points to the process");
		if (inv_count(finding->evidence) >= MOST_EVIDENCE)
			break;
	}
	if (bill) {
		struct inv_value pointer = {.ok = true, .address = bill->at, .u = process->address};
		inv_witness_says(judge, finding, INV_W_BIG_PAGES, "ProcessBilled", &pointer,
		                 "a block of pool that is in use is billed to the process");
	}
	say_backlinks(judge, finding, links, link_count);
	if (bill || links) {
		inv_tried(judge, finding, "not-inserted", "it is inserted, or has threads");
	}
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

// Who has handles is a process, whatever became of it; but that no entry outlives one is not verified.
static void judge_stray(struct inv_judge *judge, const struct inv_backlink *link)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, link->process);
	if (process && inv_is_live(process)) // only its header was forged
		return;
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, link->at, "_OBJECT_HANDLE_COUNT_ENTRY");
	struct inv_finding *finding = inv_observed(judge, subject, INV_TIER_OBJECT_MANAGER);
	struct inv_value pointer = {.ok = true, .address = link->at, .u = link->process};
	inv_witness_says(judge, finding, link->witness, "pointer", &pointer,
	                 "the object counts handles of this, which is no process");
	struct inv_value object = {.ok = true, .address = link->object, .u = link->object};
	inv_witness_says(judge, finding, INV_W_HANDLES, "object", &object, "a handle leads to the object");
}

void inv_judge_L15(struct inv_judge *judge)
{
	inv_each_process(judge, judge_closure);
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	for (size_t i = 0; i < inv_count(testimony->backlinks); i++)
		if (testimony->backlinks[i].stray)
			judge_stray(judge, &testimony->backlinks[i]);
}

struct id {
	uint64_t value;
	const struct inv_dossier *process; // NULL: a thread identifier
	uint64_t thread;
};

static int by_value(const void *a, const void *b)
{
	const struct id *left = a, *right = b;
	if (left->value != right->value)
		return left->value < right->value ? -1 : 1;
	// Processes before threads, then by address: the same image gives the same report.
	if (!left->process != !right->process)
		return left->process ? -1 : 1;
	uint64_t l = left->process ? left->process->address : left->thread;
	uint64_t r = right->process ? right->process->address : right->thread;
	return (l > r) - (l < r);
}

// State c0: no list but the memory manager's shows the process, which has no identifier yet.
static bool awaits_id(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return process->pid.ok && process->pid.u == 0 && process->on_active_list == INV_NO &&
	       inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ProcessInserted) &&
	       inv_is_being_created(judge, process);
}

static struct id *all_ids(const struct inv_judge *judge)
{
	struct id *ids = NULL;
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		if (process->pid.ok && process->role != INV_ROLE_IDLE && !awaits_id(judge, process) && inv_is_live(process))
			inv_push(ids, ((struct id){process->pid.u, process, 0}));
	}
	for (size_t i = 0; i < judge->dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &judge->dossiers->threads[i];
		bool idle = thread->process.ok && inv_role_of(judge, thread->process.u) == INV_ROLE_IDLE;
		if (thread->cid_thread.ok && !idle)
			inv_push(ids, ((struct id){thread->cid_thread.u, NULL, thread->address}));
	}
	if (ids)
		qsort(ids, inv_count(ids), sizeof *ids, by_value);
	return ids;
}

static void judge_id_form(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!inv_need(judge, &process->pid))
		return;
	uint64_t pid = process->pid.u;
	// Slot 0 of each page of 256 entries of the CID table holds bookkeeping, so no identifier has these bits clear:
	// PspReferenceCidTableEntry rejects it.
	if (pid % 4 == 0 && (pid & 0x3fc) != 0) {
		inv_holds(judge);
		return;
	}
	if (awaits_id(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &process->pid,
	               "the CID table cannot hand out this identifier");
	inv_tried(judge, finding, "creating", "it has an identifier, or is listed or inserted, or has threads");
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

// Every identifier belongs to one object.
static void judge_id_owner(struct inv_judge *judge, const struct id *first, const struct id *second)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(first->process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &first->process->pid,
	               "this process claims the identifier");
	if (second->process) {
		inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &second->process->pid,
		               "another process claims it too");
	} else {
		const struct inv_thread_dossier *thread = inv_thread_dossier_at(judge->dossiers, second->thread);
		if (thread)
			inv_field_says(judge, finding, INV_F_ETHREAD_CidUniqueThread, &thread->cid_thread,
			               "a thread claims it too, and both are handed out by one table");
	}
}

void inv_judge_L16(struct inv_judge *judge)
{
	inv_each_process(judge, judge_id_form);
	inv_each_process(judge, inv_judge_id_slot);
	struct id *ids = all_ids(judge);
	for (size_t i = 0; i < inv_count(ids); i++) {
		if (!ids[i].process)
			continue;
		if (i + 1 < inv_count(ids) && ids[i + 1].value == ids[i].value)
			judge_id_owner(judge, &ids[i], &ids[i + 1]);
		else
			inv_holds(judge);
	}
	inv_array_free(ids);
}
