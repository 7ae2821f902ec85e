// SPDX-License-Identifier: Apache-2.0
// Family 6: what a process passes for, against what the kernel's own pointers prove it to be.
#include <string.h>

#include "invariant/families.h"

static struct inv_value read(const struct inv_judge *judge, const struct inv_dossier *process, enum inv_field field)
{
	return inv_field(judge->kernel, process->address, field);
}

static bool has_field(const struct inv_judge *judge, enum inv_field field)
{
	uint64_t offset;
	return inv_field_address(judge->kernel, 0, field, &offset);
}

static const char *name_of_anchor(enum inv_role role)
{
	switch (role) {
	case INV_ROLE_SYSTEM:
		return "PsInitialSystemProcess";
	case INV_ROLE_REGISTRY:
		return "CmpRegistryProcess";
	case INV_ROLE_MEMORY_COMPRESSION:
		return "MiSystemPartition.Store.StoreProcess";
	case INV_ROLE_SECURE_SYSTEM:
		return "PsSecureSystemProcess";
	case INV_ROLE_ORDINARY:
	case INV_ROLE_IDLE:
	case INV_ROLE_VM:
	case INV_ROLE_PICO:
	case INV_ROLE_MINIMAL:
	case INV_ROLE_UNKNOWN:
		break;
	}
	return NULL;
}

// One process that is tried: its flags, and what contradicts so far.
struct role_trial {
	struct inv_judge *judge;
	const struct inv_dossier *process;
	const struct inv_role_anchors *anchors;
	struct inv_value minimal, header, system;
	struct inv_finding *finding;
};

static struct inv_finding *broken(struct role_trial *trial)
{
	if (trial->finding)
		return trial->finding;
	trial->finding = inv_broken(trial->judge, inv_subject_process(trial->process), INV_TIER_EXECUTIVE);
	inv_tried(trial->judge, trial->finding, "idle", "it is not the process that the kernel calls idle");
	return trial->finding;
}

// KeInitializeProcess and PspAllocateProcess mark a minimal process each on its own.
static void try_flags(struct role_trial *trial)
{
	if (!trial->minimal.ok || !trial->header.ok || (trial->minimal.u != 0) == (trial->header.u != 0))
		return;
	struct inv_finding *finding = broken(trial);
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_Minimal, &trial->minimal,
	               "to the executive the process is %sminimal", trial->minimal.u ? "" : "not ");
	inv_field_says(trial->judge, finding, INV_F_DISPATCHER_HEADER_Minimal, &trial->header,
	               "to the scheduler it is %sminimal", trial->header.u ? "" : "not ");
}

// A minimal process runs no program. Those of Pico and of virtual machines get what they need of their own drivers.
static void try_program(struct role_trial *trial)
{
	static const enum inv_field parts[] = {INV_F_EPROCESS_SectionObject, INV_F_EPROCESS_Peb};
	bool minimal = trial->minimal.ok && trial->minimal.u && trial->header.ok && trial->header.u;
	bool other = trial->process->role == INV_ROLE_PICO || trial->process->role == INV_ROLE_VM;
	for (size_t i = 0; minimal && !other && i < sizeof parts / sizeof *parts; i++) {
		struct inv_value part = read(trial->judge, trial->process, parts[i]);
		if (!part.ok || part.u == 0)
			continue;
		struct inv_finding *finding = broken(trial);
		inv_field_says(trial->judge, finding, INV_F_EPROCESS_Minimal, &trial->minimal, "the process is minimal");
		inv_field_says(trial->judge, finding, parts[i], &part, "yet it has what only a program has");
	}
}

static bool is_anchored(const struct role_trial *trial, const struct inv_value *anchor)
{
	bool system = trial->anchors->system.ok && trial->anchors->system.u == trial->process->address;
	return anchor->ok && anchor->u == trial->process->address && !system;
}

static void try_anchor(struct role_trial *trial)
{
	const struct {
		const char *name;
		const struct inv_value *value;
	} anchors[] = {{"CmpRegistryProcess", &trial->anchors->registry},
	               {"PsSecureSystemProcess", &trial->anchors->secure_system},
	               {"MiSystemPartition.Store.StoreProcess", &trial->anchors->store}};
	for (size_t i = 0; i < sizeof anchors / sizeof *anchors; i++) {
		if (!is_anchored(trial, anchors[i].value) || !trial->minimal.ok || trial->minimal.u)
			continue;
		struct inv_finding *finding = broken(trial);
		inv_witness_says(trial->judge, finding, INV_W_ANCHOR, anchors[i].name, anchors[i].value,
		                 "the kernel's pointer leads to the process");
		inv_field_says(trial->judge, finding, INV_F_EPROCESS_Minimal, &trial->minimal, "yet it is not minimal");
	}
}

static void try_system(struct role_trial *trial)
{
	bool is_system = trial->process->role == INV_ROLE_SYSTEM;
	if (!trial->system.ok || (trial->system.u != 0) == is_system)
		return;
	struct inv_finding *finding = broken(trial);
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_SystemProcess, &trial->system, "the process %s System",
	               trial->system.u ? "passes for" : "does not pass for");
	inv_witness_says(trial->judge, finding, INV_W_ANCHOR, "PsInitialSystemProcess", &trial->anchors->system,
	                 is_system ? "the kernel's pointer leads to the process" : "the kernel's pointer leads elsewhere");
}

// Who is proved to be of the kernel's own and has the same name. NULL: nobody.
static const struct inv_dossier *namesake(const struct role_trial *trial)
{
	const struct inv_dossiers *dossiers = trial->judge->dossiers;
	const struct inv_value *anchors[] = {&trial->anchors->system, &trial->anchors->registry, &trial->anchors->store,
	                                     &trial->anchors->secure_system};
	const struct inv_dossier *process = trial->process;
	if (!process->name_value.ok || !*process->name || name_of_anchor(process->role))
		return NULL;
	for (size_t i = 0; i < sizeof anchors / sizeof *anchors; i++) {
		const struct inv_dossier *other = anchors[i]->ok ? inv_dossier_at(dossiers, anchors[i]->u) : NULL;
		if (other && other != process && name_of_anchor(other->role) && other->name_value.ok &&
		    strcmp(other->name, process->name) == 0)
			return other;
	}
	return NULL;
}

static void observe_name(struct role_trial *trial, const struct inv_dossier *other)
{
	struct inv_finding *finding = inv_observed(trial->judge, inv_subject_process(trial->process), INV_TIER_EXECUTIVE);
	struct inv_value own = trial->process->name_value, anchor = {.ok = true, .u = other->address};
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_ImageFileName, &own, "the process bears the name %s",
	               trial->process->name);
	inv_witness_says(trial->judge, finding, INV_W_ANCHOR, name_of_anchor(other->role), &anchor,
	                 "the kernel's pointer leads to another process of that name");
}

static void judge_role(struct inv_judge *judge, const struct inv_role_anchors *anchors,
                       const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	struct role_trial trial = {.judge = judge,
	                           .process = process,
	                           .anchors = anchors,
	                           .minimal = read(judge, process, INV_F_EPROCESS_Minimal),
	                           .header = read(judge, process, INV_F_DISPATCHER_HEADER_Minimal),
	                           .system = read(judge, process, INV_F_EPROCESS_SystemProcess)};
	if (!anchors->system.ok) // then nothing tells System from one that passes for it
		trial.system.ok = false;
	try_flags(&trial);
	try_program(&trial);
	try_anchor(&trial);
	try_system(&trial);
	const struct inv_dossier *other = trial.finding ? NULL : namesake(&trial);
	if (trial.finding)
		return;
	if (other)
		observe_name(&trial, other);
	else if (has_field(judge, INV_F_EPROCESS_Minimal) && !inv_need(judge, &trial.minimal))
		return;
	else if (inv_need(judge, &anchors->system))
		inv_holds(judge);
}

void inv_judge_P06(struct inv_judge *judge)
{
	struct inv_role_anchors anchors;
	inv_role_anchors_read(judge->kernel, &anchors);
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]))
			judge_role(judge, &anchors, &judge->dossiers->processes[i]);
}
