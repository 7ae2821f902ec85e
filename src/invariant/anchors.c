// SPDX-License-Identifier: Apache-2.0
// L18: where things are, found in every way that works, must be one place.
#include "base/array.h"
#include "invariant/families.h"

// A page table root that belongs to another process than System: the header of a crash dump and the registers of a CPU
// name the one that was in use at that moment, and every process' root maps itself.
static bool is_root_of_some_process(const struct inv_judge *judge, uint64_t root)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		uint64_t address = judge->dossiers->processes[i].address;
		struct inv_value dtb = inv_field(judge->kernel, address, INV_F_KPROCESS_DirectoryTableBase);
		struct inv_value user = inv_field(judge->kernel, address, INV_F_KPROCESS_UserDirectoryTableBase);
		if ((dtb.ok && (dtb.u & INV_FRAME_MASK) == root) || (user.ok && (user.u & INV_FRAME_MASK) == root))
			return true;
	}
	return false;
}

// Some kernels write the address of the PFN database into the header of a dump, others that of the variable that holds it
// (both seen in dumps of 19041). Only an address inside the kernel's image is one of a variable.
static bool is_comparable(const struct inv_kernel *kernel, const struct inv_clue *clue)
{
	if (clue->anchor != INV_ANCHOR_MM_PFN_DATABASE || clue->way != INV_WAY_HEADER)
		return true;
	return kernel->base && clue->value >= kernel->base && clue->value - kernel->base < kernel->size;
}

static bool may_name_another_process(const struct inv_clue *clue)
{
	return clue->anchor == INV_ANCHOR_DTB &&
	       (clue->way == INV_WAY_HEADER || clue->way == INV_WAY_CPU || clue->way == INV_WAY_SELF_MAP);
}

static void clue_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_clue *clue)
{
	struct inv_evidence evidence = {
	    .witness = inv_way_name(clue->way),
	    .tier = clue->way == INV_WAY_CPU || clue->way == INV_WAY_SELF_MAP ? INV_TIER_HARDWARE : INV_TIER_EXECUTIVE,
	    .field = inv_anchor_name(clue->anchor),
	    .address = clue->where,
	    .value = clue->value,
	    .says = clue->note ? clue->note : "found in this way"};
	(void)judge;
	inv_add_evidence(judge, finding, evidence);
}

static void judge_anchor(struct inv_judge *judge, enum inv_anchor anchor)
{
	const struct inv_kernel *kernel = judge->kernel;
	const struct inv_clue *first = NULL;
	size_t agreeing = 0, others = 0;
	bool differs = false;
	for (size_t i = 0; i < kernel->clue_count; i++) {
		const struct inv_clue *clue = &kernel->clues[i];
		if (clue->anchor != anchor || !clue->ok || !is_comparable(kernel, clue))
			continue;
		if (may_name_another_process(clue)) {
			others++;
			continue;
		}
		if (!first)
			first = clue;
		agreeing += clue->value == first->value;
		differs |= clue->value != first->value;
	}
	for (size_t i = 0; others && i < kernel->clue_count; i++) {
		const struct inv_clue *clue = &kernel->clues[i];
		if (clue->anchor != anchor || !clue->ok || !may_name_another_process(clue))
			continue;
		if (first && clue->value == first->value)
			agreeing++;
		else if (is_root_of_some_process(judge, clue->value))
			inv_excuse(judge, inv_subject_other(INV_SUBJECT_SYSTEM, clue->value, inv_anchor_name(anchor)),
			           "current-process");
		else if (first)
			differs = true;
	}
	if (differs) {
		struct inv_finding *finding = inv_broken(
		    judge, inv_subject_other(INV_SUBJECT_SYSTEM, first->value, inv_anchor_name(anchor)), INV_TIER_EXECUTIVE);
		for (size_t i = 0; i < kernel->clue_count; i++)
			if (kernel->clues[i].anchor == anchor && kernel->clues[i].ok)
				clue_says(judge, finding, &kernel->clues[i]);
		if (anchor == INV_ANCHOR_DTB)
			inv_tried(judge, finding, "current-process", "no process that was found has this page table root");
	} else if (agreeing >= 2) {
		inv_holds(judge);
	} else {
		inv_unknown_because(judge, agreeing ? "only one way of finding it could be used" : "it could not be found");
	}
}

// PspInsertProcess adds at the tail, and System is the first process of all.
static void judge_first(struct inv_judge *judge)
{
	const struct inv_role_anchors *anchors = &judge->dossiers->testimony->anchors;
	if (!inv_need(judge, &anchors->system) || !inv_need(judge, &anchors->active_first))
		return;
	if (anchors->system.u == anchors->active_first.u) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, anchors->active_head, "PsInitialSystemProcess"),
	               INV_TIER_EXECUTIVE);
	inv_witness_says(judge, finding, INV_W_ANCHOR, "PsInitialSystemProcess", &anchors->system,
	                 "this is the System process");
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &anchors->active_first,
	                 "the list begins with another one");
}

void inv_judge_L18(struct inv_judge *judge)
{
	for (int anchor = 0; anchor < INV_ANCHOR_COUNT; anchor++)
		judge_anchor(judge, (enum inv_anchor)anchor);
	judge_first(judge);
	inv_judge_decoys(judge);
}
