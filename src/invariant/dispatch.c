// SPDX-License-Identifier: Apache-2.0
// Family 3: the lists by which threads get a CPU.
#include "base/array.h"
#include "invariant/families.h"

// What the thread's process says of it, when it is not as it must be.
struct denial {
	bool process;              // PsActiveProcessHead leads past the process
	bool executive, scheduler; // the process' own list leads past the thread
};

static void report(struct inv_judge *judge, const struct inv_thread_dossier *thread,
                   const struct inv_sighting *sighting, const struct denial *denial)
{
	struct inv_subject subject = inv_subject_thread(judge->dossiers, thread);
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	struct inv_value entry = {.ok = true, .address = sighting->at, .u = thread->address};
	inv_witness_says(judge, finding, sighting->witness, "_KTHREAD.WaitListEntry", &entry,
	                 "the dispatcher has this thread");
	inv_field_says(judge, finding, INV_F_KTHREAD_Process, &thread->process, "it belongs to this process");
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	struct inv_value owner = {.ok = true, .u = thread->process.u};
	if (denial->process)
		inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
		                 "the list leads past the process");
	if (denial->executive)
		inv_witness_says(judge, finding, INV_W_THREAD_LIST, "_EPROCESS.ThreadListHead", &owner,
		                 "the list leads past the thread");
	if (denial->scheduler)
		inv_witness_says(judge, finding, INV_W_KTHREAD_LIST, "_KPROCESS.ThreadListHead", &owner,
		                 "the list leads past the thread");
	inv_tried(judge, finding, "idle", "its process is not the one that the kernel calls idle");
}

static void judge_sighting(struct inv_judge *judge, const struct inv_sighting *sighting)
{
	const struct inv_thread_dossier *thread = inv_thread_dossier_at(judge->dossiers, sighting->thread);
	if (!thread || !inv_need(judge, &thread->process))
		return;
	if (inv_role_of(judge, thread->process.u) == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_thread(judge->dossiers, thread), "idle");
		return;
	}
	enum inv_answer active = inv_on_active_list(judge, thread->process.u);
	struct denial denial = {active == INV_NO, thread->on_executive_list == INV_NO, thread->on_scheduler_list == INV_NO};
	if (denial.process || denial.executive || denial.scheduler)
		report(judge, thread, sighting, &denial);
	else if (active == INV_UNSURE)
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	else if (thread->on_executive_list == INV_UNSURE || thread->on_scheduler_list == INV_UNSURE)
		inv_unknown_because(judge, "the threads of the process could not be read to their end");
	else
		inv_holds(judge);
}

static void explain_silence(struct inv_judge *judge, enum inv_witness_id witness)
{
	const struct inv_coverage *coverage = &judge->dossiers->testimony->coverage[witness];
	if (coverage->voided)
		inv_unknown_because(judge, coverage->voided);
	if (coverage->unreadable > 0)
		inv_unknown_because(judge, "a list of the dispatcher could not be read");
}

void inv_judge_T08(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	explain_silence(judge, INV_W_READY_LIST);
	explain_silence(judge, INV_W_WAIT_LIST);
	for (size_t i = 0; i < inv_count(testimony->sightings); i++) {
		enum inv_witness_id witness = testimony->sightings[i].witness;
		if (witness == INV_W_READY_LIST || witness == INV_W_WAIT_LIST)
			judge_sighting(judge, &testimony->sightings[i]);
	}
}
