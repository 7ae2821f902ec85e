// SPDX-License-Identifier: Apache-2.0
// Ranges of user addresses: the tree of a process (M08, M12), what all processes map of a section (M09), and the one address in user
// memory that the kernel itself calls (T16).
#include "base/array.h"
#include "base/numbers.h"
#include "base/search.h"
#include "invariant/families.h"
#include "invariant/inside.h"

#define SHOWN 3u // of a kind of evidence; the others are counted

// -- M08 --------------------------------------------------------------------------------------------------------------------

static const char *fault_text(enum inv_vad_fault_kind kind)
{
	switch (kind) {
	case INV_VAD_FAULT_PARENT:
		return "the node does not lead back to the one that leads to it";
	case INV_VAD_FAULT_ORDER:
		return "the range begins before the one to its left ends";
	case INV_VAD_FAULT_BACKWARD:
		return "the range ends before it begins";
	case INV_VAD_FAULT_CYCLE:
		return "the tree leads to this node twice";
	case INV_VAD_FAULT_BALANCE:
		return "the heights of its two sides are not what its balance says";
	}
	return "";
}

static enum inv_field fault_field(enum inv_vad_fault_kind kind)
{
	switch (kind) {
	case INV_VAD_FAULT_ORDER:
		return INV_F_MMVAD_SHORT_StartingVpn;
	case INV_VAD_FAULT_BACKWARD:
		return INV_F_MMVAD_SHORT_EndingVpn;
	case INV_VAD_FAULT_PARENT:
	case INV_VAD_FAULT_CYCLE:
	case INV_VAD_FAULT_BALANCE:
		break;
	}
	return INV_F_MMVAD_SHORT_ParentValue;
}

// What is made of all the nodes does not stand at the root.
static void tree_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                      const char *says)
{
	inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &inside->vads.root, "%s", says);
	finding->evidence[inv_count(finding->evidence) - 1].direct = false;
}

static struct inv_finding *accuse_tree(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_MEMORY_MANAGER);
	tree_says(judge, finding, inside,
	          inv_arena_printf(judge->arena, "%zu ranges hang in the tree", inv_count(inside->vads.vads)));
	return finding;
}

static void accuse_faults(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_vad_tree *tree = &inside->vads;
	struct inv_finding *finding = accuse_tree(judge, inside);
	for (size_t i = 0; i < inv_count(tree->faults) && i < SHOWN; i++) {
		const struct inv_vad_fault *fault = &tree->faults[i];
		enum inv_field field = fault_field(fault->kind);
		struct inv_value value = inv_field(judge->kernel, fault->node, field);
		inv_field_says(judge, finding, field, &value, "%s%s", fault_text(fault->kind),
		               tree->fault_count > SHOWN && i == SHOWN - 1 ? ", and there are more such faults" : "");
		if (fault->kind != INV_VAD_FAULT_ORDER)
			continue;
		struct inv_value end = inv_field(judge->kernel, fault->other, INV_F_MMVAD_SHORT_EndingVpn);
		inv_field_says(judge, finding, INV_F_MMVAD_SHORT_EndingVpn, &end, "here the one to its left ends");
	}
}

// Layouts before 8.1 keep the count in the table that holds the root.
static enum inv_field count_field(const struct inv_judge *judge)
{
	uint64_t at;
	return inv_field_address(judge->kernel, 0, INV_F_EPROCESS_VadCount, &at) ? INV_F_EPROCESS_VadCount
	                                                                         : INV_F_EPROCESS_VadRootElements;
}

static bool is_in_tree(const struct inv_vad_tree *tree, uint64_t node)
{
	for (size_t i = 0; i < inv_count(tree->vads); i++)
		if (tree->vads[i].address == node)
			return true;
	return false;
}

// A mapped range that says that it is another process'; NULL: none. The low bits of the pointer are not the address'.
static const struct inv_vad *stranger_in(const struct inv_inside *inside)
{
	enum { ADDRESS_ALIGNMENT = 16 };
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		if (!vad->is_private && vad->owner &&
		    vad->owner / ADDRESS_ALIGNMENT != inside->process->address / ADDRESS_ALIGNMENT)
			return vad;
	}
	return NULL;
}

void inv_judge_M08(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_vad_tree *tree = &inside->vads;
	size_t count = inv_count(tree->vads);
	if (!inv_space_is_kept(judge, inside->process))
		return;
	// A tree that contradicts itself does so whether or not all of it could be read.
	if (tree->fault_count == 0 && !inv_space_can_be_judged(judge, inside))
		return;
	const struct inv_vad *stranger = stranger_in(inside);
	bool wrong_count = tree->complete && tree->count.ok && tree->count.u != count;
	bool lost_hint = tree->complete && tree->hint.ok && tree->hint.u && !is_in_tree(tree, tree->hint.u);
	if (inv_ranges_are_changing(judge, inside->process) && (tree->fault_count || wrong_count || lost_hint)) {
		inv_unknown_because(judge, "the ranges of the process were being changed: AddressCreationLock is held");
	} else if (tree->fault_count) {
		accuse_faults(judge, inside);
	} else if (wrong_count) {
		struct inv_finding *finding = accuse_tree(judge, inside);
		inv_field_says(judge, finding, count_field(judge), &tree->count, "the memory manager counts %llu",
		               (unsigned long long)tree->count.u);
	} else if (lost_hint) {
		struct inv_finding *finding = accuse_tree(judge, inside);
		inv_field_says(judge, finding, INV_F_EPROCESS_VadHint, &tree->hint,
		               "the range that was used last is not among them");
	} else if (stranger) {
		struct inv_finding *finding = accuse_tree(judge, inside);
		struct inv_value owner = inv_field(judge->kernel, stranger->address, INV_F_MMVAD_VadsProcess);
		inv_field_says(judge, finding, INV_F_MMVAD_VadsProcess, &owner,
		               "the range at 0x%llx belongs to another process", (unsigned long long)stranger->start);
	} else if (!tree->count.ok) {
		inv_unknown(judge, &tree->count);
	} else {
		inv_holds(judge);
	}
}

// -- M09 --------------------------------------------------------------------------------------------------------------------

static void area_says(struct inv_judge *judge, struct inv_finding *finding, uint64_t area)
{
	struct inv_value file = inv_field(judge->kernel, area, INV_F_CONTROL_AREA_FilePointer), name = {0};
	uint64_t at;
	if (!file.ok || file.u == 0 || !inv_field_address(judge->kernel, file.u, INV_F_FILE_OBJECT_FileName, &at))
		return;
	const char *text = inv_read_unicode(judge->kernel, at, judge->arena, &name);
	inv_field_says(judge, finding, INV_F_CONTROL_AREA_FilePointer, &file, "the section is of %s", text);
}

static void accuse_count(struct inv_judge *judge, const struct inv_view *first, size_t count,
                         const struct inv_value *counter)
{
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_SYSTEM, first->area, "control area");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_MEMORY_MANAGER);
	inv_field_says(judge, finding, INV_F_CONTROL_AREA_NumberOfMappedViews, counter, "the section counts %llu views",
	               (unsigned long long)counter->u);
	for (size_t i = 0; i < count && i < SHOWN; i++) {
		struct inv_value subsection = inv_field(judge->kernel, first[i].vad, INV_F_MMVAD_Subsection);
		inv_field_says(judge, finding, INV_F_MMVAD_Subsection, &subsection, "a range of the process at 0x%llx maps it",
		               (unsigned long long)first[i].process);
	}
	struct inv_value total = {.ok = true, .u = count, .address = first->vad};
	inv_field_says(judge, finding, INV_F_MMVAD_Subsection, &total, "%zu ranges map it", count);
	finding->evidence[inv_count(finding->evidence) - 1].direct = false;
	area_says(judge, finding, first->area);
}

static bool is_view_of(const struct inv_view *views, size_t count, uint64_t vad)
{
	size_t low = INV_LOWER_BOUND(views, count, vad, vad);
	return low < count && views[low].vad == vad;
}

// A range on the section's list of views which says that it is this process', and which its tree does not hold.
static void judge_unlinked(struct inv_judge *judge, uint64_t area, uint64_t vad)
{
	const struct inv_views *views = judge->dossiers->views;
	struct inv_value owner = inv_field(judge->kernel, vad, INV_F_MMVAD_VadsProcess);
	struct inv_value subsection = inv_field(judge->kernel, vad, INV_F_MMVAD_Subsection);
	struct inv_value back = subsection;
	if (subsection.ok)
		back = inv_field(judge->kernel, subsection.u, INV_F_SUBSECTION_ControlArea);
	const struct inv_dossier *process = owner.ok ? inv_dossier_at(judge->dossiers, owner.u & ~0xfull) : NULL;
	if (!back.ok || back.u != area || !process || inv_numbers_have(views->incomplete, process->address) ||
	    views->full) {
		inv_unknown_because(judge, "a section's list of views leads to what is no view of it, or whose process' ranges "
		                           "could not all be read");
		return;
	}
	struct inv_value active = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	if (inv_has_lost_space(judge, process) || (active.ok && active.u == 0)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	if (inv_ranges_are_changing(judge, process)) {
		inv_unknown_because(judge, "the ranges of the process were being changed: AddressCreationLock is held");
		return;
	}
	struct inv_value root = inv_field(judge->kernel, process->address, INV_F_EPROCESS_VadRoot);
	struct inv_value first = inv_field(judge->kernel, vad, INV_F_MMVAD_SHORT_StartingVpn);
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_MEMORY_MANAGER);
	inv_field_says(judge, finding, INV_F_MMVAD_VadsProcess, &owner, "on the section's list is a view of the process");
	inv_field_says(judge, finding, INV_F_MMVAD_SHORT_StartingVpn, &first, "it begins with this page");
	inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &root, "it does not hang in the tree of the process");
	area_says(judge, finding, area);
	inv_tried(judge, finding, "exiting", "the process has active threads");
}

// Every range on the section's own list hangs in a tree.
static bool judge_list(struct inv_judge *judge, const struct inv_view *first, size_t count)
{
	enum { SPARE = 64 };
	uint64_t head, offset;
	if (!inv_field_address(judge->kernel, first->area, INV_F_CONTROL_AREA_ViewList, &head) ||
	    !inv_field_address(judge->kernel, 0, INV_F_MMVAD_ViewLinks, &offset))
		return true;
	bool all = true;
	struct inv_list list;
	struct inv_arena *arena = inv_arena_new();
	inv_list_walk(judge->kernel, arena, "ViewList", head, count + SPARE, &list);
	for (size_t i = 0; i < list.count; i++) {
		uint64_t vad = list.nodes[i].entry - offset;
		if (list.head_flink.u == 0 || is_view_of(first, count, vad))
			continue;
		judge_unlinked(judge, first->area, vad);
		all = false;
	}
	inv_arena_free(arena);
	return all;
}

static void judge_views(struct inv_judge *judge, const struct inv_view *first, size_t count)
{
	struct inv_value views = inv_field(judge->kernel, first->area, INV_F_CONTROL_AREA_NumberOfMappedViews);
	struct inv_value physical = inv_field(judge->kernel, first->area, INV_F_CONTROL_AREA_PhysicalMemory);
	bool listed = judge_list(judge, first, count);
	if (physical.ok && physical.u)
		inv_excuse(judge, inv_subject_other(INV_SUBJECT_SYSTEM, first->area, "control area"), "physical");
	else if (inv_need(judge, &views) && views.u < count)
		accuse_count(judge, first, count, &views);
	else if (views.ok && listed)
		inv_holds(judge);
}

void inv_judge_M09(struct inv_judge *judge)
{
	const struct inv_views *views = judge->dossiers->views;
	size_t total = views ? inv_count(views->views) : 0, count;
	for (size_t i = 0; i < total; i += count) {
		count = 0;
		while (i + count < total && views->views[i + count].area == views->views[i].area)
			count++;
		judge_views(judge, &views->views[i], count);
	}
}

// -- M12 --------------------------------------------------------------------------------------------------------------------

// Of what a process may count more than its ranges show, or less, without a lie: what is being made or given back.
#define SLACK_BYTES (UINT64_C(2) << 20)
#define SLACK_PAGES 256u

static uint64_t size_of_ranges(const struct inv_vad_tree *tree)
{
	uint64_t size = 0;
	for (size_t i = 0; i < inv_count(tree->vads); i++)
		size += tree->vads[i].end - tree->vads[i].start;
	return size;
}

static uint64_t differ(uint64_t one, uint64_t other)
{
	return one > other ? one - other : other - one;
}

void inv_judge_M12(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	struct inv_value size = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_VirtualSize);
	struct inv_value set = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_WorkingSetSize);
	if (!inv_space_can_be_judged(judge, inside) || !inv_need(judge, &size))
		return;
	uint64_t ranges = size_of_ranges(&inside->vads), locked = survey->locked;
	bool sizes_differ = differ(size.u, ranges) > SLACK_BYTES;
	bool pages_differ =
	    set.ok && survey->complete && survey->pages > locked && survey->pages - locked > set.u + SLACK_PAGES;
	if (!sizes_differ && !pages_differ) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_MEMORY_MANAGER);
	if (sizes_differ) {
		inv_field_says(judge, finding, INV_F_EPROCESS_VirtualSize, &size, "the process counts 0x%llx bytes of ranges",
		               (unsigned long long)size.u);
		tree_says(
		    judge, finding, inside,
		    inv_arena_printf(judge->arena, "the ranges in its tree are 0x%llx bytes", (unsigned long long)ranges));
	}
	if (pages_differ) {
		inv_field_says(judge, finding, INV_F_EPROCESS_WorkingSetSize, &set, "the working set counts %llu pages",
		               (unsigned long long)set.u);
		struct inv_evidence evidence = {
		    .witness = "page tables", .tier = INV_TIER_HARDWARE, .field = "PTE", .value = survey->pages};
		evidence.says = inv_arena_printf(judge->arena, "%zu pages of the user half are mapped", survey->pages);
		inv_push(finding->evidence, evidence);
	}
}

// -- T16 --------------------------------------------------------------------------------------------------------------------

void inv_judge_T16(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value callback =
	    inv_field(judge->kernel, inside->process->address, INV_F_KPROCESS_InstrumentationCallback);
	if (!inv_need(judge, &callback))
		return;
	if (callback.u == 0) {
		inv_holds(judge);
		return;
	}
	if (!inv_space_can_be_judged(judge, inside))
		return;
	const struct inv_vad *vad = inv_vad_at(&inside->vads, callback.u);
	if (vad && vad->type == INV_VAD_IMAGE) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KPROCESS_InstrumentationCallback, &callback,
	               "the kernel calls this address at each return to user mode");
	if (vad)
		inv_vad_says(judge, finding, vad);
	else
		tree_says(judge, finding, inside, "no range of the process covers it");
}
