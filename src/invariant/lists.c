// SPDX-License-Identifier: Apache-2.0
// Family 1: the memory manager's list, and the states that a process may be in by the lists that show it.
#include "base/array.h"
#include "invariant/families.h"

#define MM_LIST_UNVERIFIED "that MmProcessList is kept on x64 is not verified"

static struct inv_value read_process(const struct inv_judge *judge, const struct inv_dossier *process,
                                     enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

static void say_active_list(struct inv_judge *judge, struct inv_finding *finding, enum inv_answer answer)
{
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
	                 answer == INV_YES ? "the process is on the list" : "the list leads past the process");
}

static void say_mm_list(struct inv_judge *judge, struct inv_finding *finding, enum inv_answer answer)
{
	const struct inv_list *list = &judge->dossiers->testimony->mm;
	inv_witness_says(judge, finding, INV_W_MM_LIST, list->name, &list->head_flink,
	                 answer == INV_YES ? "the process is on the list" : "the list leads past the process");
}

static void active_without_mm(struct inv_judge *judge, const struct inv_dossier *process)
{
	// What is scheduled exists: then the memory manager's list lost it. Otherwise the process itself is the suspect.
	enum inv_tier accused = inv_is_scheduled(process) ? INV_TIER_MEMORY_MANAGER : INV_TIER_EXECUTIVE;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), accused);
	say_active_list(judge, finding, INV_YES);
	say_mm_list(judge, finding, INV_NO);
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

static void mm_without_active(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value inserted = read_process(judge, process, INV_F_EPROCESS_ProcessInserted);
	if (!inv_need(judge, &inserted))
		return;
	if (inserted.u == 0 && inv_is_being_created(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
		return;
	}
	if (inserted.u == 0 && inv_is_being_deleted(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "deleting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	say_mm_list(judge, finding, INV_YES);
	say_active_list(judge, finding, INV_NO);
	inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, &inserted, "the process is %s",
	               inserted.u ? "inserted" : "not inserted");
	inv_tried(judge, finding, "creating", "it is inserted, or has threads, or an exit time");
	inv_tried(judge, finding, "deleting", "it is inserted, or its object is still referenced, or it never exited");
}

static void judge_mm(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	enum inv_answer mm = inv_shown_by(judge, process, INV_W_MM_LIST);
	if (process->on_active_list == INV_UNSURE)
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	else if (mm == INV_UNSURE)
		inv_unknown_because(judge, "the memory manager's list could not be read to its end");
	else if (mm == process->on_active_list)
		inv_holds(judge);
	else if (mm == INV_YES)
		mm_without_active(judge, process);
	else if (judge->dossiers->testimony->mm_symbol)
		inv_unknown_because(judge, MM_LIST_UNVERIFIED);
	else
		active_without_mm(judge, process);
}

void inv_judge_L03(struct inv_judge *judge)
{
	inv_each_process(judge, judge_mm);
}

// What the automaton of a process' life tells apart (lifetime: creation, run, exit, deletion).
enum mark { MARK_MM, MARK_SESSION, MARK_CID, MARK_ACTIVE, MARK_INSERTED, MARK_SCHEDULED, MARK_COUNT };

static const char *const mark_names[MARK_COUNT] = {"the memory manager's list", "its session's list", "PspCidTable",
                                                   "PsActiveProcessHead",       "ProcessInserted",    "its threads"};

// Between the memory manager's list and the session's, MiInsertNewProcess and MiDeleteFinalPageTables can be stopped; else the
// session's list goes with the memory manager's.
static const bool states[][MARK_COUNT] = {
    {true, false, false, false, false, false}, // c0 being created: on the first of the two lists
    {true, true, false, false, false, false},  // c0 on both
    {true, true, true, false, false, false},   // c1 identifier assigned; d1 unlinked
    {true, true, true, true, false, false},    // c2 listed; d1 about to be unlinked
    {true, true, true, true, true, false},     // c3 no thread yet; zombie
    {true, true, true, true, true, true},      // run, exiting
    {true, false, true, false, false, false},  // d2 address space going: off the session's list
    {false, false, true, false, false, false}, // d2 gone
    {false, false, false, false, false, false} // freed
};
#define STATE_COUNT (sizeof states / sizeof states[0])

static enum inv_answer in_session(const struct inv_judge *judge, const struct inv_dossier *process)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	struct inv_value session = read_process(judge, process, INV_F_EPROCESS_Session);
	if (!session.ok || session.u == 0)
		return INV_UNSURE;
	const struct inv_group_record *group = inv_group_at(testimony->sessions, session.u);
	if (inv_membership_of(testimony->in_session, process->address))
		return INV_YES;
	bool closed = group && group->members.head && group->members.closed;
	bool past = closed || inv_is_led_past(judge, process->address, INV_F_EPROCESS_SessionProcessLinks);
	return past ? INV_NO : INV_UNSURE;
}

static enum inv_answer in_cid_table(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return inv_shown_by(judge, process, INV_W_CID_TABLE);
}

static void read_marks(const struct inv_judge *judge, const struct inv_dossier *process, enum inv_answer *marks)
{
	struct inv_value inserted = read_process(judge, process, INV_F_EPROCESS_ProcessInserted);
	marks[MARK_MM] = inv_shown_by(judge, process, INV_W_MM_LIST);
	if (marks[MARK_MM] == INV_NO && judge->dossiers->testimony->mm_symbol)
		marks[MARK_MM] = INV_UNSURE;
	marks[MARK_SESSION] = in_session(judge, process);
	marks[MARK_CID] = in_cid_table(judge, process);
	marks[MARK_ACTIVE] = process->on_active_list;
	marks[MARK_INSERTED] = !inserted.ok ? INV_UNSURE : inserted.u ? INV_YES : INV_NO;
	marks[MARK_SCHEDULED] = inv_is_scheduled(process) ? INV_YES : INV_NO;
}

static bool fits(const enum inv_answer *marks, const bool *state)
{
	for (size_t i = 0; i < MARK_COUNT; i++)
		if (marks[i] != INV_UNSURE && (marks[i] == INV_YES) != state[i])
			return false;
	return true;
}

static void say_mark(struct inv_judge *judge, struct inv_finding *finding, const struct inv_dossier *process,
                     enum mark mark, enum inv_answer answer)
{
	static const enum inv_witness_id witnesses[MARK_COUNT] = {
	    INV_W_MM_LIST, INV_W_SESSION_LIST, INV_W_CID_TABLE, INV_W_ACTIVE_LIST, INV_W_ANCHOR, INV_W_SCHEDULER_LIST};
	struct inv_value inserted = read_process(judge, process, INV_F_EPROCESS_ProcessInserted);
	struct inv_value object = {.ok = true, .u = process->address};
	bool yes = answer == INV_YES;
	if (answer == INV_UNSURE)
		return;
	if (mark == MARK_INSERTED)
		inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, &inserted, "the process is %s",
		               yes ? "inserted" : "not inserted");
	else if (mark == MARK_SCHEDULED)
		inv_witness_says(judge, finding, witnesses[mark], mark_names[mark], &object, "there are %s to schedule",
		                 yes ? "threads" : "no threads");
	else
		inv_witness_says(judge, finding, witnesses[mark], mark_names[mark], &object, "the process is %s",
		                 yes ? "there" : "not there");
}

static void judge_state(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	enum inv_answer marks[MARK_COUNT];
	read_marks(judge, process, marks);
	bool legal = false, sure = true;
	for (size_t i = 0; i < STATE_COUNT; i++)
		legal |= fits(marks, states[i]);
	for (size_t i = 0; i < MARK_COUNT; i++)
		sure &= marks[i] != INV_UNSURE || i == MARK_SESSION; // not every process has a session
	if (!legal) {
		struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
		for (size_t i = 0; i < MARK_COUNT; i++)
			say_mark(judge, finding, process, (enum mark)i, marks[i]);
		inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
	} else if (sure) {
		inv_holds(judge);
	} else if (marks[MARK_MM] == INV_UNSURE && judge->dossiers->testimony->mm_symbol) {
		inv_unknown_because(judge, MM_LIST_UNVERIFIED);
	} else {
		inv_unknown_because(judge, "not every list could be read to its end");
	}
}

void inv_judge_L17(struct inv_judge *judge)
{
	inv_each_process(judge, judge_state);
}
