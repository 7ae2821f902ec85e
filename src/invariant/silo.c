// SPDX-License-Identifier: Apache-2.0
// Jobs within jobs (S10), and server silos (S11).
#include "nt/silo.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "invariant/families.h"

// -- S10 --------------------------------------------------------------------------------------------------------------------

// A job that the list of another shows.
struct nested {
	uint64_t job, parent;
	uint64_t at; // the entry
};

static int by_job(const void *a, const void *b)
{
	const struct nested *left = a, *right = b;
	if (left->job != right->job)
		return left->job < right->job ? -1 : 1;
	return (left->parent > right->parent) - (left->parent < right->parent);
}

struct nesting {
	struct nested *all; // stb_ds, by job
	bool closed;        // all lists were read to their end
};

static void read_children(struct inv_judge *judge, uint64_t job, size_t *budget, struct nesting *nesting)
{
	const struct inv_kernel *kernel = judge->kernel;
	uint64_t offset;
	struct inv_value first = inv_field(kernel, job, INV_F_EJOB_ChildJobListHead);
	if (!first.ok || first.u == 0)
		nesting->closed = false;
	if (!first.ok || first.u == 0 || first.u == first.address ||
	    !inv_field_address(kernel, 0, INV_F_EJOB_SiblingJobLinks, &offset))
		return;
	struct inv_list list;
	inv_list_walk(kernel, judge->arena, "_EJOB.ChildJobListHead", first.address, *budget, &list);
	*budget -= list.count < *budget ? list.count : *budget;
	nesting->closed &= list.closed;
	for (size_t i = 0; i < list.count; i++) {
		struct nested nested = {list.nodes[i].entry - offset, job, list.nodes[i].entry};
		inv_push(nesting->all, nested);
	}
}

static const struct nested *first_of(const struct nesting *nesting, uint64_t job)
{
	size_t count = inv_count(nesting->all), first = INV_LOWER_BOUND(nesting->all, count, job, job);
	return first < count && nesting->all[first].job == job ? &nesting->all[first] : NULL;
}

static void judge_nested(struct inv_judge *judge, uint64_t job, const struct nesting *nesting)
{
	struct inv_value parent = inv_field(judge->kernel, job, INV_F_EJOB_ParentJob);
	const struct nested *nested = first_of(nesting, job), *other = NULL;
	size_t left = nested ? inv_count(nesting->all) - (size_t)(nested - nesting->all) : 0;
	bool listed = false;
	if (!inv_need(judge, &parent))
		return;
	for (; left && nested->job == job; nested++, left--) {
		listed |= nested->parent == parent.u;
		if (nested->parent != parent.u)
			other = nested;
	}
	bool missing = parent.u && !listed;
	if (!other && missing && !nesting->closed && !inv_is_led_past(judge, job, INV_F_EJOB_SiblingJobLinks)) {
		inv_unknown_because(judge, "a job's list of the jobs within it could not be read to its end");
		return;
	}
	if (!other && !missing) {
		inv_holds(judge);
		return;
	}
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, job, "_EJOB.SiblingJobLinks");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EJOB_ParentJob, &parent, "the job %s",
	               parent.u ? "is within this one" : "is within no other");
	struct inv_value shown = {.ok = true, .address = other ? other->at : 0, .u = other ? other->parent : parent.u};
	inv_witness_says(judge, finding, INV_W_JOB_LIST, "_EJOB.ChildJobListHead", &shown,
	                 other ? "the list of this one shows it" : "the list of that one leads past it");
	inv_means_its_targets(finding);
}

void inv_judge_nesting(struct inv_judge *judge)
{
	const struct inv_group_record *jobs = judge->dossiers->testimony->jobs;
	struct nesting nesting = {.closed = true};
	size_t budget = INV_LIST_BOUND;
	uint64_t offset;
	if (!inv_field_address(judge->kernel, 0, INV_F_EJOB_ChildJobListHead, &offset) ||
	    !inv_field_address(judge->kernel, 0, INV_F_EJOB_SiblingJobLinks, &offset))
		return; // before Windows 8 no job is within another
	for (size_t i = 0; i < inv_count(jobs); i++)
		read_children(judge, jobs[i].address, &budget, &nesting);
	if (nesting.all)
		qsort(nesting.all, inv_count(nesting.all), sizeof *nesting.all, by_job);
	for (size_t i = 0; i < inv_count(jobs); i++)
		judge_nested(judge, jobs[i].address, &nesting);
	inv_array_free(nesting.all);
}

// -- S11 --------------------------------------------------------------------------------------------------------------------

static void report_silo(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *claimed,
                        const struct inv_value *found)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value job = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Job);
	inv_field_says(judge, finding, INV_F_EPROCESS_ServerSilo, claimed,
	               claimed->u ? "the process is in this silo" : "the process is in no silo");
	inv_field_says(judge, finding, INV_F_EPROCESS_Job, &job, "it belongs to %s",
	               job.ok && job.u ? "this job" : "no job");
	if (found->u)
		inv_field_says(judge, finding, INV_F_EJOB_ServerSiloGlobals, found,
		               "which is this silo, or within it, by its globals");
	else
		inv_add_evidence(judge, finding,
		                 (struct inv_evidence){"job-list", INV_TIER_EXECUTIVE, "_EJOB.ServerSiloGlobals", job.address,
		                                       job.u, "neither the job nor any around it is a silo", false});
	inv_tried(judge, finding, "not-inserted", "it is inserted, or has threads");
	inv_tried(judge, finding, "exited", "it has threads, or no exit time");
}

static void judge_silo(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value claimed = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ServerSilo);
	struct inv_value job = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Job);
	if (!inv_need(judge, &claimed) || !inv_need(judge, &job))
		return;
	struct inv_value found = inv_job_silo(judge->kernel, job.u);
	const char *excuse = found.ok && found.u != claimed.u ? inv_leaving(judge, process) : NULL;
	if (!found.ok)
		inv_unknown_because(judge, "a job around the process could not be read, or the jobs around it do not end");
	else if (found.u == claimed.u)
		inv_holds(judge);
	else if (excuse)
		inv_excuse(judge, inv_subject_process(process), excuse);
	else
		report_silo(judge, process, &claimed, &found);
}

static void judge_leader(struct inv_judge *judge, uint64_t silo, const struct inv_value *leader, enum inv_field field)
{
	if (!leader->ok || leader->u == 0)
		return; // nobody yet
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, leader->u);
	if (!process) {
		inv_unknown_because(judge, "the globals of a silo name what is no known process");
		return;
	}
	struct inv_value own = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ServerSilo);
	if (!inv_need(judge, &own))
		return;
	const char *excuse = own.u != silo ? inv_leaving(judge, process) : NULL;
	if (own.u == silo) {
		inv_holds(judge);
		return;
	}
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, field, leader, "the globals of %s name the process", silo ? "a silo" : "the host");
	inv_field_says(judge, finding, INV_F_EPROCESS_ServerSilo, &own,
	               own.u ? "the process is in this silo" : "the process is in no silo");
	inv_means_its_targets(finding);
}

static void judge_leaders(struct inv_judge *judge, uint64_t silo)
{
	struct inv_silo_globals globals;
	inv_silo_globals_read(judge->kernel, silo, &globals);
	judge_leader(judge, silo, &globals.leader, INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess);
	judge_leader(judge, silo, &globals.errors, INV_F_ESERVERSILO_GLOBALS_ExpDefaultErrorPortProcess);
}

// A csrss has clients of its own silo only: each silo has its own.
static void judge_client(struct inv_judge *judge, const struct inv_csrss *csrss, const struct inv_value *silo,
                         const struct inv_csr_process *record)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, record->process);
	if (!process || !process->pid.ok || process->pid.u != record->pid) // S02's
		return;
	struct inv_value own = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ServerSilo);
	if (!own.ok || own.u == silo->u)
		return;
	const char *excuse = inv_leaving(judge, process);
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value id = {.ok = true, .address = record->address, .u = record->pid};
	inv_field_says(judge, finding, INV_F_EPROCESS_ServerSilo, &own,
	               own.u ? "the process is in this silo" : "the process is in no silo");
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &id,
	                 "the csrss of PID %llu has it on its list", (unsigned long long)csrss->pid);
	inv_field_says(judge, finding, INV_F_EPROCESS_ServerSilo, silo,
	               silo->u ? "that csrss is in this silo" : "that csrss is in no silo");
	inv_tried(judge, finding, "not-inserted", "it is inserted, or has threads");
	inv_tried(judge, finding, "exited", "it has threads, or no exit time");
}

#define WRONG_CLIENTS 4096u // of one csrss that are reported one by one

static void judge_clients(struct inv_judge *judge, const struct inv_csrss *csrss)
{
	struct inv_value silo = inv_field(judge->kernel, csrss->process, INV_F_EPROCESS_ServerSilo);
	const struct inv_tally *tally = &judge->tallies[judge->index];
	size_t before = tally->broken;
	for (size_t i = 0; silo.ok && i < inv_count(csrss->records) && tally->broken - before < WRONG_CLIENTS; i++)
		if (csrss->records[i].listed && csrss->records[i].process)
			judge_client(judge, csrss, &silo, &csrss->records[i]);
}

void inv_judge_S11(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	uint64_t offset;
	if (!inv_field_address(judge->kernel, 0, INV_F_EPROCESS_ServerSilo, &offset) ||
	    !inv_field_address(judge->kernel, 0, INV_F_EJOB_ServerSiloGlobals, &offset)) {
		inv_unknown_because(judge, "the layout has no field for the silo of a process");
		return;
	}
	inv_each_process(judge, judge_silo);
	judge_leaders(judge, 0);
	for (size_t i = 0; i < inv_count(testimony->jobs); i++) {
		struct inv_value globals = inv_field(judge->kernel, testimony->jobs[i].address, INV_F_EJOB_ServerSiloGlobals);
		if (globals.ok && globals.u)
			judge_leaders(judge, testimony->jobs[i].address);
	}
	for (size_t i = 0; i < inv_count(testimony->csrsses.csrsses); i++)
		judge_clients(judge, &testimony->csrsses.csrsses[i]);
}
