// SPDX-License-Identifier: Apache-2.0
// Family 6: parents, and what children have of them.
#include "base/array.h"
#include "invariant/families.h"
#include "invariant/kin.h"

static struct inv_value read(const struct inv_judge *judge, const struct inv_dossier *process, enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

typedef void (*judge_child)(struct inv_judge *judge, const struct inv_kin *kin, const struct inv_dossier *process);

static void each_child(struct inv_judge *judge, judge_child one)
{
	struct inv_kin *kin = inv_kin_new(judge->dossiers);
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]))
			one(judge, kin, &judge->dossiers->processes[i]);
	inv_kin_free(kin);
}

static void parent_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_dossier *process)
{
	inv_field_says(judge, finding, INV_F_EPROCESS_InheritedFromUniqueProcessId, &process->parent,
	               "the process says that this one was its parent");
}

// When a process was inserted, with who it is.
static void age_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_dossier *process,
                     const char *who)
{
	struct inv_value sequence = read(judge, process, INV_F_EPROCESS_SequenceNumber);
	if (sequence.ok)
		inv_field_says(judge, finding, INV_F_EPROCESS_SequenceNumber, &sequence, "the number of %s (PID %llu)", who,
		               (unsigned long long)(process->pid.ok ? process->pid.u : 0));
}

// -- P01 --------------------------------------------------------------------------------------------------------------------

static void report_parent(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_parent *parent)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_InheritedFromUniqueProcessId, &process->parent,
	               "the process says that this one was its parent, but %s", parent->why);
	age_says(judge, finding, process, "the process, counted from 1");
	if (parent->process)
		age_says(judge, finding, parent->process, "who has the identifier now");
	if (parent->thread) {
		struct inv_value created = inv_field(judge->kernel, parent->thread->address, INV_F_ETHREAD_CreateTime);
		struct inv_value own = read(judge, process, INV_F_EPROCESS_CreateTime);
		inv_field_says(judge, finding, INV_F_ETHREAD_CreateTime, &created, "when the thread that has it was created");
		inv_field_says(judge, finding, INV_F_EPROCESS_CreateTime, &own, "when the process was created");
	}
	inv_tried(judge, finding, "gone", "%s", parent->why);
	inv_tried(judge, finding, "recycled", "no older process had the identifier, as far as freed memory tells");
	inv_tried(judge, finding, "first", "it is neither Idle nor System");
}

static void judge_parent(struct inv_judge *judge, const struct inv_kin *kin, const struct inv_dossier *process)
{
	if (process->role != INV_ROLE_IDLE && !inv_need(judge, &process->parent))
		return;
	struct inv_parent parent = inv_kin_parent(kin, process);
	switch (parent.kind) {
	case INV_PARENT_NONE:
		inv_excuse(judge, inv_subject_process(process), "first");
		break;
	case INV_PARENT_PROVED:
		inv_holds(judge);
		break;
	case INV_PARENT_REMAINS:
		inv_excuse(judge, inv_subject_process(process), "recycled");
		break;
	case INV_PARENT_GONE:
		inv_excuse(judge, inv_subject_process(process), "gone");
		break;
	case INV_PARENT_RECYCLED:
		inv_unknown_because(judge,
		                    "a younger process or thread has the parent's identifier: that another had it before "
		                    "is likely, and nothing shows it");
		break;
	case INV_PARENT_UNSURE:
		inv_unknown_because(judge, parent.why);
		break;
	case INV_PARENT_IMPOSSIBLE:
		report_parent(judge, process, &parent);
		break;
	}
}

void inv_judge_P01(struct inv_judge *judge)
{
	each_child(judge, judge_parent);
}

// -- P03 --------------------------------------------------------------------------------------------------------------------

#define OWNER_FLAGS 3u
#define OWNER_IS_CREATOR                                                                                               \
	2u // else it is the console's host (measured on 19041, and public practice; not verified for others)

// The PID of who asked for the process. False: OwnerProcessId is absent or says something else.
static bool creator_of(const struct inv_judge *judge, const struct inv_dossier *process, struct inv_value *owner,
                       uint64_t *creator)
{
	*owner = read(judge, process, INV_F_EPROCESS_OwnerProcessId);
	*creator = owner->ok ? owner->u & ~(uint64_t)OWNER_FLAGS : 0;
	return owner->ok && (owner->u & OWNER_FLAGS) == OWNER_IS_CREATOR;
}

static void judge_creator(struct inv_judge *judge, const struct inv_kin *kin, const struct inv_dossier *process)
{
	struct inv_value owner;
	uint64_t creator;
	bool told = creator_of(judge, process, &owner, &creator);
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!inv_need(judge, &owner) || !inv_need(judge, &process->parent))
		return;
	if (!told) {
		inv_unknown_because(judge,
		                    "OwnerProcessId names no creator: of a process with a console it names the console's host");
		return;
	}
	if (creator == process->parent.u) {
		inv_holds(judge);
		return;
	}
	const struct inv_dossier *known = inv_kin_elder(kin, creator, process);
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_OwnerProcessId, &owner, "process %llu %s asked for this one",
	               (unsigned long long)creator, known && known->name_value.ok ? known->name : "(gone)");
	parent_says(judge, finding, process);
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_P03(struct inv_judge *judge)
{
	each_child(judge, judge_creator);
}

// -- P04 --------------------------------------------------------------------------------------------------------------------

struct crossing {
	const struct inv_dossier *parent, *creator; // creator: NULL if not known
	struct inv_value own, parents, creators, flag;
};

static void report_crossing(struct inv_judge *judge, const struct inv_dossier *process, const struct crossing *crossing)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, &crossing->own, "the session of the process");
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, &crossing->parents, "that of its parent %s",
	               crossing->parent->name_value.ok ? crossing->parent->name : "");
	inv_field_says(judge, finding, INV_F_EPROCESS_CrossSessionCreate, &crossing->flag,
	               "it was %screated from another session", crossing->flag.u ? "" : "not ");
	parent_says(judge, finding, process);
	if (crossing->creator)
		inv_field_says(judge, finding, INV_F_EPROCESS_Session, &crossing->creators,
		               "the session of who asked for it, %s",
		               crossing->creator->name_value.ok ? crossing->creator->name : "");
	inv_tried(judge, finding, "no-session", "its parent belongs to a session");
	inv_tried(judge, finding, "cross-session",
	          crossing->flag.u ? "who asked for it is in its own session" : "CrossSessionCreate is clear");
	inv_tried(judge, finding, "creator", "no older process of its session is named as who asked for it");
}

// The flag compares the session with that of who asked for the process, who need not be the parent (measured on 19041).
static const char *excuse_of(const struct crossing *crossing)
{
	bool same = crossing->creator && crossing->creators.ok && crossing->creators.u == crossing->own.u;
	if (crossing->parents.u == 0)
		return "no-session";
	if (crossing->flag.u)
		return same ? NULL : "cross-session";
	return same ? "creator" : NULL;
}

static void judge_session_of(struct inv_judge *judge, const struct inv_kin *kin, const struct inv_dossier *process)
{
	struct inv_parent parent = inv_kin_parent(kin, process);
	if (parent.kind != INV_PARENT_PROVED) {
		if (parent.kind == INV_PARENT_NONE)
			inv_excuse(judge, inv_subject_process(process), "no-session");
		else
			inv_unknown_because(judge, "it is not proved who the parent is");
		return;
	}
	struct crossing crossing = {.parent = parent.process,
	                            .own = read(judge, process, INV_F_EPROCESS_Session),
	                            .parents = read(judge, parent.process, INV_F_EPROCESS_Session)};
	if (!inv_need(judge, &crossing.own) || !inv_need(judge, &crossing.parents))
		return;
	if (crossing.own.u == crossing.parents.u) {
		inv_holds(judge);
		return;
	}
	if (crossing.own.u == 0) {
		inv_unknown_because(judge, "whether a process of a session can have a child without one is not verified");
		return;
	}
	struct inv_value owner;
	uint64_t creator;
	if (creator_of(judge, process, &owner, &creator))
		crossing.creator = inv_kin_elder(kin, creator, process);
	if (crossing.creator)
		crossing.creators = read(judge, crossing.creator, INV_F_EPROCESS_Session);
	crossing.flag = read(judge, process, INV_F_EPROCESS_CrossSessionCreate);
	if (crossing.parents.u && !inv_need(judge, &crossing.flag))
		return;
	const char *excuse = excuse_of(&crossing);
	if (excuse)
		inv_excuse(judge, inv_subject_process(process), excuse);
	else
		report_crossing(judge, process, &crossing);
}

void inv_judge_P04(struct inv_judge *judge)
{
	each_child(judge, judge_session_of);
}

// -- P05 --------------------------------------------------------------------------------------------------------------------

#define MAX_NESTED 64u

// The job is another's or nested into it.
static enum inv_answer is_within(const struct inv_judge *judge, uint64_t job, uint64_t other)
{
	for (unsigned depth = 0; job && depth < MAX_NESTED; depth++) {
		if (job == other)
			return INV_YES;
		struct inv_value parent = inv_field(judge->kernel, job, INV_F_EJOB_ParentJob);
		if (!parent.ok)
			return INV_UNSURE;
		job = parent.u;
	}
	return job ? INV_UNSURE : INV_NO;
}

// By dossier: the proved parent, and the two eldest children that are in the parent's job: one may have been put there.
struct family {
	const struct inv_dossier *parent;
	struct inv_value job;
	enum inv_answer with_parent; // in the parent's job
	const struct inv_dossier *eldest, *second;
};

static void add_child(const struct inv_kin *kin, struct family *family, const struct inv_dossier *child)
{
	if (!family->eldest || inv_kin_is_older(kin, child, family->eldest) == INV_YES) {
		family->second = family->eldest;
		family->eldest = child;
	} else if (!family->second || inv_kin_is_older(kin, child, family->second) == INV_YES) {
		family->second = child;
	}
}

static struct family *families_of(const struct inv_judge *judge, const struct inv_kin *kin)
{
	const struct inv_dossiers *dossiers = judge->dossiers;
	struct family *families = inv_alloc((dossiers->process_count + 1) * sizeof *families);
	for (size_t i = 0; i < dossiers->process_count; i++)
		families[i].job = read(judge, &dossiers->processes[i], INV_F_EPROCESS_Job);
	for (size_t i = 0; i < dossiers->process_count; i++) {
		const struct inv_dossier *process = &dossiers->processes[i];
		struct inv_parent parent = inv_kin_parent(kin, process);
		if (!inv_is_live(process) || parent.kind != INV_PARENT_PROVED)
			continue;
		struct family *above = &families[parent.process - dossiers->processes];
		families[i].parent = parent.process;
		if (!families[i].job.ok || !above->job.ok || !above->job.u)
			continue;
		families[i].with_parent = is_within(judge, families[i].job.u, above->job.u);
		if (families[i].with_parent == INV_YES)
			add_child(kin, above, process);
	}
	return families;
}

static void report_job_escape(struct inv_judge *judge, const struct inv_dossier *process, const struct family *own,
                              const struct family *above)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Job, &own->job, "the process is %s",
	               own->job.u ? "in this job" : "in no job");
	inv_field_says(judge, finding, INV_F_EPROCESS_Job, &above->job, "its parent %s is in this one",
	               own->parent->name_value.ok ? own->parent->name : "");
	parent_says(judge, finding, process);
	const struct inv_dossier *siblings[] = {above->eldest, above->second};
	for (size_t i = 0; i < sizeof siblings / sizeof *siblings; i++) {
		struct inv_value job = read(judge, siblings[i], INV_F_EPROCESS_Job);
		inv_field_says(judge, finding, INV_F_EPROCESS_Job, &job, "an elder child of the parent, %s, is in its job",
		               siblings[i]->name_value.ok ? siblings[i]->name : "");
	}
	inv_tried(judge, finding, "exited", "its parent has not exited");
	inv_tried(judge, finding, "creating", "it has had a thread, or is in a job");
}

static void judge_job_of_child(struct inv_judge *judge, const struct inv_kin *kin, const struct inv_dossier *process,
                               const struct family *families)
{
	const struct family *own = &families[process - judge->dossiers->processes];
	if (!own->parent) {
		inv_unknown_because(judge, "it is not proved who the parent is");
		return;
	}
	const struct family *above = &families[own->parent - judge->dossiers->processes];
	if (!inv_need(judge, &own->job) || !inv_need(judge, &above->job))
		return;
	if (above->job.u == 0 || own->with_parent == INV_YES)
		inv_holds(judge);
	else if (own->with_parent == INV_UNSURE)
		inv_unknown_because(judge, "the jobs that the process' own is nested into could not be read");
	else if (inv_field_is_set(judge->kernel, own->parent->address, INV_F_EPROCESS_ExitTime))
		inv_excuse(judge, inv_subject_process(process), "exited");
	else if (own->job.u == 0 && inv_is_being_created(judge, process))
		inv_excuse(judge, inv_subject_process(process), "creating");
	else if (!above->second || inv_kin_is_older(kin, above->second, process) != INV_YES)
		inv_unknown_because(
		    judge, "whether the parent was in its job already is not recorded, and no two elder children are in it");
	else
		report_job_escape(judge, process, own, above);
}

void inv_judge_P05(struct inv_judge *judge)
{
	struct inv_kin *kin = inv_kin_new(judge->dossiers);
	struct family *families = families_of(judge, kin);
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]) && judge->dossiers->processes[i].role == INV_ROLE_ORDINARY)
			judge_job_of_child(judge, kin, &judge->dossiers->processes[i], families);
	free(families);
	inv_kin_free(kin);
}
