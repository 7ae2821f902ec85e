// SPDX-License-Identifier: Apache-2.0
// Sessions and jobs: what a process says of its group against the group's own list.
#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "invariant/families.h"
#include "nt/silo.h"

static struct inv_value read_process(const struct inv_judge *judge, const struct inv_dossier *process,
                                     enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

static bool is(const struct inv_judge *judge, const struct inv_dossier *process, enum inv_field field, bool zero)
{
	struct inv_value value = read_process(judge, process, field);
	return value.ok && (value.u == 0) == zero;
}

// Does the group's list show the process? Unsure when it could not be read to its end and does not.
static enum inv_answer shown_in(const struct inv_judge *judge, const struct inv_dossier *process, uint64_t group,
                                bool job)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	const struct inv_group_record *groups = job ? testimony->jobs : testimony->sessions;
	const struct inv_membership *memberships = job ? testimony->in_job : testimony->in_session;
	const struct inv_membership *member = inv_membership_of(memberships, process->address);
	const struct inv_membership *end = member ? memberships + inv_count(memberships) : NULL;
	for (; member && member < end && member->process == process->address; member++)
		if (member->group == group)
			return INV_YES;
	const struct inv_group_record *record = inv_group_at(groups, group);
	bool closed = record && record->members.head && record->members.closed;
	enum inv_field entry = job ? INV_F_EPROCESS_JobLinks : INV_F_EPROCESS_SessionProcessLinks;
	return closed || inv_is_led_past(judge, process->address, entry) ? INV_NO : INV_UNSURE;
}

// A group whose list shows the process, though it is not `own`. 0: none.
static uint64_t shown_elsewhere(const struct inv_membership *memberships, const struct inv_dossier *process,
                                uint64_t own)
{
	const struct inv_membership *member = inv_membership_of(memberships, process->address);
	const struct inv_membership *end = member ? memberships + inv_count(memberships) : NULL;
	for (; member && member < end && member->process == process->address; member++)
		if (member->group != own)
			return member->group;
	return 0;
}

// -- L04 --------------------------------------------------------------------------------------------------------------------

// What the session's list says: nothing where its type is not known (24H2).
struct session_list {
	bool known;
	enum inv_answer shown; // in the process' own session; INV_NO if it has none
	uint64_t elsewhere;    // another session that shows it
};

static struct session_list ask_session_list(const struct inv_judge *judge, const struct inv_dossier *process,
                                            uint64_t session)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	uint64_t offset;
	struct session_list list = {.shown = INV_NO};
	list.known = inv_field_address(judge->kernel, 0, INV_F_MM_SESSION_SPACE_ProcessList, &offset) &&
	             inv_field_address(judge->kernel, 0, INV_F_EPROCESS_SessionProcessLinks, &offset);
	if (!list.known)
		return list;
	list.elsewhere = shown_elsewhere(testimony->in_session, process, session);
	if (session)
		list.shown = shown_in(judge, process, session, false);
	return list;
}

static void report_session(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *session,
                           const struct inv_value *flag, const struct session_list *list)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, session, "the process %s a session",
	               session->u ? "belongs to" : "has not got");
	inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInSession, flag, "the process is %s a session",
	               flag->u ? "in" : "not in");
	struct inv_value own = {.ok = true, .u = session->u}, other = {.ok = true, .u = list->elsewhere};
	if (list->known && session->u && list->shown == INV_NO)
		inv_witness_says(judge, finding, INV_W_SESSION_LIST, "_MM_SESSION_SPACE.ProcessList", &own,
		                 "the session's list leads past the process");
	if (list->elsewhere)
		inv_witness_says(judge, finding, INV_W_SESSION_LIST, "_MM_SESSION_SPACE.ProcessList", &other,
		                 "the list of this session shows the process");
	inv_tried(judge, finding, "not-inserted", "Flags.ProcessInserted is set, so it is neither created nor deleted");
}

static void judge_session(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value session = read_process(judge, process, INV_F_EPROCESS_Session);
	struct inv_value flag = read_process(judge, process, INV_F_EPROCESS_ProcessInSession);
	if (!inv_need(judge, &session) || !inv_need(judge, &flag))
		return;
	struct session_list list = ask_session_list(judge, process, session.u);
	bool flags_agree = (session.u != 0) == (flag.u != 0);
	bool list_agrees = list.elsewhere == 0 && (!list.known || session.u == 0 || list.shown != INV_NO);
	if (flags_agree && list_agrees) {
		if (list.known && list.shown == INV_UNSURE)
			inv_unknown_because(judge, "the session's list could not be read to its end");
		else
			inv_holds(judge);
		return;
	}
	// MmCreateProcessAddressSpace sets and links all before the process is inserted; deletion clears ProcessInserted
	// first.
	if (is(judge, process, INV_F_EPROCESS_ProcessInserted, true) && !inv_is_scheduled(process)) {
		inv_excuse(judge, inv_subject_process(process), "not-inserted");
		return;
	}
	report_session(judge, process, &session, &flag, &list);
}

void inv_judge_L04(struct inv_judge *judge)
{
	inv_each_process(judge, judge_session);
}

// -- S10 --------------------------------------------------------------------------------------------------------------------

const char *inv_leaving(const struct inv_judge *judge, const struct inv_dossier *process)
{
	if (is(judge, process, INV_F_EPROCESS_ProcessInserted, true) && !inv_is_scheduled(process))
		return "not-inserted";
	if (is(judge, process, INV_F_EPROCESS_ExitTime, false) && !inv_is_scheduled(process))
		return "exited";
	return NULL;
}

// Members that JobNotReallyActive does not exempt; false if one of them cannot be read.
static bool count_active(const struct inv_judge *judge, const struct inv_group_record *job, uint64_t *active)
{
	uint64_t offset;
	*active = 0;
	if (!inv_field_address(judge->kernel, 0, INV_F_EPROCESS_JobLinks, &offset))
		return false;
	for (size_t i = 0; i < job->members.count; i++) {
		uint64_t process = job->members.nodes[i].entry - offset;
		struct inv_value inactive = inv_field(judge->kernel, process, INV_F_EPROCESS_JobNotReallyActive);
		if (!inactive.ok)
			return false;
		*active += inactive.u == 0;
	}
	return true;
}

static bool has_children(const struct inv_judge *judge, uint64_t job)
{
	const struct inv_group_record *jobs = judge->dossiers->testimony->jobs;
	for (size_t i = 0; i < inv_count(jobs); i++) {
		struct inv_value parent = inv_field(judge->kernel, jobs[i].address, INV_F_EJOB_ParentJob);
		if (parent.ok && parent.u == job)
			return true;
	}
	return false;
}

// NtAssignProcessToJobObject sets the pointer and then enters the list. JobLinks is zero until then, and what leaves the list
// keeps its links. (That order is ReactOS's and the model's, not verified on Windows.)
static enum inv_answer is_assigning(const struct inv_judge *judge, const struct inv_dossier *process, uint64_t job)
{
	struct inv_value link = read_process(judge, process, INV_F_EPROCESS_JobLinks);
	struct inv_value back = link.ok ? inv_read_u64(judge->kernel, link.address + 8) : link;
	struct inv_value claimed = inv_field(judge->kernel, job, INV_F_EJOB_ActiveProcesses);
	const struct inv_group_record *record = inv_group_at(judge->dossiers->testimony->jobs, job);
	uint64_t active;
	if (!link.ok || link.u != 0 || !back.ok || back.u != 0)
		return INV_NO;
	if (!claimed.ok || !record || !count_active(judge, record, &active) || has_children(judge, job))
		return INV_UNSURE;
	return claimed.u == active ? INV_YES : INV_NO;
}

static void report_job(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *job,
                       enum inv_answer shown, uint64_t elsewhere)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Job, job, "the process %s a job",
	               job->u ? "belongs to" : "has not got");
	struct inv_value own = {.ok = true, .u = job->u}, other = {.ok = true, .u = elsewhere};
	if (job->u && shown == INV_NO)
		inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ProcessListHead", &own,
		                 "the job's list leads past the process");
	if (elsewhere)
		inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ProcessListHead", &other,
		                 "the list of this job shows the process");
	inv_tried(judge, finding, "not-inserted", "it is inserted, or has threads");
	inv_tried(judge, finding, "exited", "it has threads, or no exit time");
	inv_tried(judge, finding, "assigning",
	          "it was linked before, or the job counts another number than its list shows");
}

static void judge_job_of(struct inv_judge *judge, const struct inv_dossier *process)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	struct inv_value job = read_process(judge, process, INV_F_EPROCESS_Job);
	if (!inv_need(judge, &job))
		return;
	enum inv_answer shown = job.u ? shown_in(judge, process, job.u, true) : INV_NO;
	uint64_t elsewhere = shown_elsewhere(testimony->in_job, process, job.u);
	if (elsewhere == 0 && shown == INV_UNSURE) {
		inv_unknown_because(judge, "the job's list could not be read to its end");
		return;
	}
	if (elsewhere == 0 && (job.u == 0 || shown == INV_YES)) {
		inv_holds(judge);
		return;
	}
	const char *excuse = inv_leaving(judge, process);
	enum inv_answer assigning = !excuse && elsewhere == 0 ? is_assigning(judge, process, job.u) : INV_NO;
	if (assigning == INV_UNSURE)
		inv_unknown_because(judge, "the process may be about to enter its job, whose counter cannot be compared");
	else if (assigning == INV_YES)
		inv_excuse(judge, inv_subject_process(process), "assigning");
	else if (excuse)
		inv_excuse(judge, inv_subject_process(process), excuse);
	else
		report_job(judge, process, &job, shown, elsewhere);
}

// The jobs that are parents of others: their counters cover more than their own lists. Sorted.
static uint64_t *all_parents(const struct inv_judge *judge)
{
	const struct inv_group_record *jobs = judge->dossiers->testimony->jobs;
	uint64_t *parents = NULL;
	for (size_t i = 0; i < inv_count(jobs); i++) {
		struct inv_value parent = inv_field(judge->kernel, jobs[i].address, INV_F_EJOB_ParentJob);
		if (parent.ok && parent.u != 0)
			inv_push(parents, parent.u);
	}
	inv_numbers_sort(parents);
	return parents;
}

// All of these lists are read whole: no member of a job within this one can be missed.
static bool are_lists_closed(const struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	bool closed = testimony->job_list.head && testimony->job_list.closed;
	for (size_t i = 0; i < inv_count(testimony->jobs) && closed; i++)
		closed = testimony->jobs[i].members.closed;
	return closed;
}

// The active processes of the jobs within each job, by the index of the job's record, with its own. Only where all lists are closed.
static uint64_t *all_totals(const struct inv_judge *judge)
{
	const struct inv_group_record *jobs = judge->dossiers->testimony->jobs;
	size_t count = inv_count(jobs);
	uint64_t *totals = count && are_lists_closed(judge) ? inv_alloc(count * sizeof *totals) : NULL;
	for (size_t i = 0; totals && i < count; i++) {
		uint64_t active, job = jobs[i].address;
		if (!count_active(judge, &jobs[i], &active)) {
			free(totals);
			return NULL;
		}
		for (unsigned depth = 0; job && depth < INV_JOB_DEPTH; depth++) {
			const struct inv_group_record *record = inv_group_at(jobs, job);
			if (!record)
				break;
			totals[record - jobs] += active;
			struct inv_value parent = inv_field(judge->kernel, job, INV_F_EJOB_ParentJob);
			job = parent.ok ? parent.u : 0;
		}
	}
	return totals;
}

// A job that has jobs within it counts at least its own processes and at most those of all. (Whether the counter covers the inner
// ones is not verified.)
static void judge_outer_job(struct inv_judge *judge, const struct inv_group_record *job,
                            const struct inv_value *claimed, uint64_t active, const uint64_t *total)
{
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, job->address, "_EJOB.ProcessListHead");
	if (!total || (claimed->u >= active && claimed->u <= *total)) {
		inv_excuse(judge, subject, "nested");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EJOB_ActiveProcesses, claimed, "the job counts so many active processes");
	struct inv_value own = {.ok = true, .address = job->members.head, .u = active}, all = {.ok = true, .u = *total};
	inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ProcessListHead", &own, "so many on its list are active");
	inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ProcessListHead", &all,
	                 "so many on its list and on those of the jobs within it");
	inv_tried(judge, finding, "nested", "the counter is none that these lists can explain");
}

static void judge_job(struct inv_judge *judge, const struct inv_group_record *job, const uint64_t *parents,
                      const uint64_t *total)
{
	const struct inv_list *list = &judge->dossiers->testimony->job_list;
	struct inv_value claimed = inv_field(judge->kernel, job->address, INV_F_EJOB_ActiveProcesses);
	uint64_t active;
	if (!inv_need(judge, &claimed))
		return;
	if (!job->members.closed || !count_active(judge, job, &active) || list->head == 0 || !list->closed) {
		inv_unknown_because(judge, "a list of jobs or of a job's processes could not be read to its end");
		return;
	}
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, job->address, "_EJOB.ProcessListHead");
	if (inv_numbers_have(parents, job->address)) {
		judge_outer_job(judge, job, &claimed, active, total);
		return;
	}
	if (claimed.u == active && job->named) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EJOB_ActiveProcesses, &claimed, "the job counts so many active processes");
	struct inv_value shown = {.ok = true, .address = job->members.head, .u = active};
	inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ProcessListHead", &shown, "so many on its list are active");
	if (!job->named)
		inv_witness_says(judge, finding, INV_W_JOB_LIST, "PspJobList", &list->head_flink,
		                 "the list closes without the job");
	inv_tried(judge, finding, "nested", "no other job has it for its parent");
}

static bool has_members(const struct inv_judge *judge, uint64_t job)
{
	struct inv_value first = inv_field(judge->kernel, job, INV_F_EJOB_ProcessListHead);
	return first.ok && first.u != 0 && first.u != first.address;
}

// A job that no list and no process shows, in an allocated block of pool and still referenced.
static void judge_swept_job(struct inv_judge *judge, uint64_t job)
{
	const struct inv_list *list = &judge->dossiers->testimony->job_list;
	struct inv_value handles = inv_object_field(judge->kernel, job, INV_F_OBJECT_HEADER_HandleCount);
	if (!inv_need(judge, &handles))
		return;
	if (list->head == 0 || !list->closed) {
		inv_unknown_because(judge, "PspJobList could not be read to its end");
		return;
	}
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, job, "_EJOB");
	bool members = has_members(judge, job);
	if (handles.u == 0 && !members) {
		inv_excuse(judge, subject, "new-job");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_HandleCount, &handles,
	               "so many handles lead to the job, which lies in an allocated block of pool");
	inv_witness_says(judge, finding, INV_W_JOB_LIST, "PspJobList", &list->head_flink,
	                 "the list closes without the job");
	inv_tried(judge, finding, "new-job", members ? "it has processes" : "a handle leads to it");
}

void inv_judge_S10(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	if (testimony->coverage[INV_W_JOB_LIST].voided) {
		inv_unknown_because(judge, testimony->coverage[INV_W_JOB_LIST].voided);
		return;
	}
	inv_each_process(judge, judge_job_of);
	uint64_t *parents = all_parents(judge), *totals = parents ? all_totals(judge) : NULL;
	for (size_t i = 0; i < inv_count(testimony->jobs); i++)
		judge_job(judge, &testimony->jobs[i], parents, totals ? &totals[i] : NULL);
	inv_array_free(parents);
	free(totals);
	inv_judge_nesting(judge);
	for (size_t i = 0; i < inv_count(testimony->swept_jobs); i++)
		if (!inv_group_at(testimony->jobs, testimony->swept_jobs[i]))
			judge_swept_job(judge, testimony->swept_jobs[i]);
}
