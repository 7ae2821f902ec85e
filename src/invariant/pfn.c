// SPDX-License-Identifier: Apache-2.0
// Page table roots by the PFN database: L05 and L06 of family 1, M04 of family 4.
#include "base/array.h"
#include "base/bytes.h"
#include "invariant/families.h"

#define USER_ENTRIES (INV_TABLE_ENTRIES / 2)
#define NO_SLOT USER_ENTRIES

static bool is_void(struct inv_judge *judge)
{
	const char *voided = judge->dossiers->testimony->coverage[INV_W_PFN].voided;
	if (voided)
		inv_unknown_because(judge, voided);
	return voided != NULL;
}

static uint64_t frame_of(const struct inv_value *root)
{
	return (root->u & INV_FRAME_MASK) / INV_PAGE_SIZE;
}

// A root that a process claims, and what the PFN database has of its frame.
struct claim {
	const struct inv_dossier *process;
	enum inv_field field;
	struct inv_value value;
	bool managed; // the database has an entry for the frame
	struct inv_pfn pfn;
	uint64_t owner; // that the entry leads to, if it is that of a root
};

// False, and the verdict is unknown, when the entry is there and cannot be read.
static bool look_up(struct inv_judge *judge, struct claim *claim)
{
	const struct inv_pfn_database *database = &judge->dossiers->testimony->pfn;
	struct inv_why why = {0};
	claim->managed = inv_pfn_read(database, frame_of(&claim->value), &claim->pfn, &why);
	if (claim->managed && inv_pfn_is_root(&claim->pfn))
		claim->owner = inv_pfn_owner(database, &claim->pfn);
	if (claim->managed || why.reason == INV_NOT_MAPPED || why.reason == INV_DEMAND_ZERO)
		return true;
	struct inv_value missing = {.address = claim->pfn.address, .why = why};
	inv_unknown(judge, &missing);
	return false;
}

static bool is_own(const struct claim *claim)
{
	return claim->owner != 0 && claim->owner == claim->process->address;
}

static void entry_says(struct inv_judge *judge, struct inv_finding *finding, const struct claim *claim)
{
	struct inv_value entry = {.ok = true, .u = claim->pfn.address, .address = claim->pfn.address};
	if (!claim->managed) {
		inv_witness_says(judge, finding, INV_W_PFN, "MmPfnDatabase", &entry, "Windows manages no such frame");
		return;
	}
	struct inv_value location = inv_field(judge->kernel, claim->pfn.address, INV_F_MMPFN_PageLocation);
	struct inv_value parent = inv_field(judge->kernel, claim->pfn.address, INV_F_MMPFN_PteFrame);
	struct inv_value owner = inv_field(judge->kernel, claim->pfn.address, INV_F_MMPFN_u1);
	if (claim->pfn.location != INV_PFN_ACTIVE)
		inv_field_says(judge, finding, INV_F_MMPFN_PageLocation, &location, "the frame is not in use");
	else if (!inv_pfn_is_root(&claim->pfn))
		inv_field_says(judge, finding, INV_F_MMPFN_PteFrame, &parent,
		               "the frame does not contain itself: it is no page table root");
	else
		inv_field_says(judge, finding, INV_F_MMPFN_u1, &owner, "the root belongs to the process at 0x%llx",
		               (unsigned long long)claim->owner);
}

static struct inv_finding *contradict(struct inv_judge *judge, const struct claim *claim)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(claim->process), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, claim->field, &claim->value, "the process claims this page table root");
	entry_says(judge, finding, claim);
	return finding;
}

// -- L05 --------------------------------------------------------------------------------------------------------------------

static bool has_root(const struct inv_judge *judge, const struct inv_value *process, uint64_t frame)
{
	struct inv_value dtb = *process;
	if (process->ok)
		dtb = inv_field(judge->kernel, process->u, INV_F_KPROCESS_DirectoryTableBase);
	return dtb.ok && frame_of(&dtb) == frame;
}

// Idle uses System's root, whose entry leads to System.
static bool shares_root_of_system(const struct inv_judge *judge, const struct claim *claim)
{
	const struct inv_role_anchors *anchors = &judge->dossiers->testimony->anchors;
	uint64_t frame = frame_of(&claim->value);
	return claim->process->role == INV_ROLE_IDLE &&
	       (has_root(judge, &anchors->system, frame) || has_root(judge, &anchors->active_first, frame));
}

static bool is_out_swapped(const struct inv_judge *judge, const struct claim *claim)
{
	size_t roots;
	(void)inv_pfn_roots_of(judge->dossiers->testimony, claim->process->address, &roots);
	return claim->managed && claim->pfn.location != INV_PFN_ACTIVE && roots == 0 &&
	       !(claim->process->seen_by & INV_BIT(INV_W_CPU)) &&
	       inv_field_is_set(judge->kernel, claim->process->address, INV_F_EPROCESS_Outswapped);
}

static void judge_foreign_root(struct inv_judge *judge, const struct claim *claim)
{
	if (is_out_swapped(judge, claim)) {
		inv_excuse(judge, inv_subject_process(claim->process), "out-swapped");
		return;
	}
	// MiDeleteTopLevelPage gives the frame back, and it may be anybody's at once; the field need not have been cleared.
	if (inv_has_lost_space(judge, claim->process)) {
		inv_excuse(judge, inv_subject_process(claim->process), "deleting");
		return;
	}
	struct inv_finding *finding = contradict(judge, claim);
	size_t count;
	const struct inv_pfn_record *own = inv_pfn_roots_of(judge->dossiers->testimony, claim->process->address, &count);
	for (size_t i = 0; i < count && i < 2; i++) {
		struct inv_value frame = {.ok = true, .u = own[i].pfn.frame * INV_PAGE_SIZE, .address = own[i].pfn.address};
		inv_witness_says(judge, finding, INV_W_PFN, "_MMPFN", &frame, "this frame is the root of the process");
	}
	inv_tried(judge, finding, "idle", "it is not Idle with the root of System");
	inv_tried(judge, finding, "out-swapped",
	          "Outswapped is clear, or the frame is in use, or the process runs, or has a root");
	inv_tried(judge, finding, "replacing", "the root that it claims is not its own");
	inv_tried(judge, finding, "deleting", "it is listed, inserted or referenced, or has threads");
}

// A root of the process that neither of its fields names; NULL: there is none.
static const struct inv_pfn_record *unnamed_root(const struct inv_judge *judge, const struct claim *claim,
                                                 const struct inv_value *user, size_t *unnamed)
{
	size_t count;
	const struct inv_pfn_record *roots = inv_pfn_roots_of(judge->dossiers->testimony, claim->process->address, &count);
	const struct inv_pfn_record *found = NULL;
	*unnamed = 0;
	for (size_t i = 0; i < count; i++) {
		if (roots[i].pfn.frame == claim->pfn.frame || (user->ok && roots[i].pfn.frame == frame_of(user)))
			continue;
		found = &roots[i];
		++*unnamed;
	}
	return found;
}

static void judge_own_root(struct inv_judge *judge, const struct claim *claim)
{
	uint64_t expected = inv_pfn_root_pte(judge->kernel);
	struct inv_value user = inv_field(judge->kernel, claim->process->address, INV_F_KPROCESS_UserDirectoryTableBase);
	size_t unnamed;
	const struct inv_pfn_record *other = unnamed_root(judge, claim, &user, &unnamed);
	if (expected && claim->pfn.pte_address != expected) {
		struct inv_finding *finding = inv_broken(judge, inv_subject_process(claim->process), INV_TIER_MEMORY_MANAGER);
		struct inv_value pte = inv_field(judge->kernel, claim->pfn.address, INV_F_MMPFN_PteAddress);
		inv_field_says(judge, finding, claim->field, &claim->value, "the process has this page table root");
		inv_field_says(judge, finding, INV_F_MMPFN_PteAddress, &pte, "its entry maps it elsewhere than at 0x%llx",
		               (unsigned long long)expected);
	} else if (unnamed == 0) {
		inv_holds(judge);
	} else if (!user.ok) {
		inv_unknown(judge, &user); // the other root may be that of user mode
	} else if (unnamed == 1 &&
	           inv_field_is_set(judge->kernel, claim->process->address, INV_F_EPROCESS_ReplacingPageRoot)) {
		inv_excuse(judge, inv_subject_process(claim->process), "replacing");
	} else {
		struct inv_finding *finding = contradict(judge, claim);
		struct inv_value frame = {.ok = true, .u = other->pfn.frame * INV_PAGE_SIZE, .address = other->pfn.address};
		inv_witness_says(judge, finding, INV_W_PFN, "_MMPFN", &frame, "this frame is a root of the same process");
		inv_tried(judge, finding, "replacing", "Flags3.ReplacingPageRoot is clear, or there are more than two roots");
	}
}

static void judge_root(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct claim claim = {.process = process, .field = INV_F_KPROCESS_DirectoryTableBase};
	claim.value = inv_field(judge->kernel, process->address, claim.field);
	if (!inv_need(judge, &claim.value))
		return;
	if (shares_root_of_system(judge, &claim)) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!look_up(judge, &claim))
		return;
	if (is_own(&claim))
		judge_own_root(judge, &claim);
	else
		judge_foreign_root(judge, &claim);
}

void inv_judge_L05(struct inv_judge *judge)
{
	if (!is_void(judge))
		inv_each_process(judge, judge_root);
}

// -- L06 --------------------------------------------------------------------------------------------------------------------

// State d1: PspProcessDelete has unlinked the process, and its address space is deleted next.
static bool is_being_deleted(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value references = inv_object_field(judge->kernel, process->address, INV_F_OBJECT_HEADER_PointerCount);
	return inv_is_still(judge, process) && inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ExitTime) &&
	       references.ok && references.u == 0;
}

// States c0 and c1: the root is made first, and the process is listed later.
static bool is_being_created(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return inv_is_still(judge, process) && inv_field_is_zero(judge->kernel, process->address, INV_F_EPROCESS_ExitTime);
}

static void judge_unlisted(struct inv_judge *judge, const struct inv_dossier *process,
                           const struct inv_pfn_record *root)
{
	if (is_being_created(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
		return;
	}
	if (is_being_deleted(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "deleting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value frame = {.ok = true, .u = root->pfn.frame * INV_PAGE_SIZE, .address = root->pfn.address};
	struct inv_value itself = {.ok = true, .u = process->address};
	inv_witness_says(judge, finding, INV_W_PFN, "_MMPFN", &frame, "this frame is the page table root of the process");
	if (process->on_active_list == INV_NO)
		inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &itself,
		                 "the process is not on the list");
	if (inv_shown_by(judge, process, INV_W_CID_TABLE) == INV_NO)
		inv_witness_says(judge, finding, INV_W_CID_TABLE, "PspCidTable", &itself, "the process is not in the table");
	inv_tried(judge, finding, "creating", "it is inserted, or has threads, or an exit time");
	inv_tried(judge, finding, "deleting", "it is inserted or referenced, or has threads, or never exited");
}

static void judge_owner(struct inv_judge *judge, const struct inv_pfn_record *root)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, root->owner);
	if (!process) {
		inv_unknown_because(judge, "not all processes were collected");
		return;
	}
	enum inv_answer named = inv_shown_by(judge, process, INV_W_CID_TABLE);
	if (process->on_active_list == INV_NO || named == INV_NO)
		judge_unlisted(judge, process, root);
	else if (process->on_active_list == INV_UNSURE)
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	else
		inv_holds(judge); // L02 says what it means that PspCidTable could not be read
}

// The page at this frame maps itself in the slot that PteAddress names: the processor can use it as a root.
static bool maps_itself(const struct inv_judge *judge, const struct inv_pfn *pfn)
{
	uint8_t entry[INV_ENTRY_SIZE];
	uint64_t root = pfn->frame * INV_PAGE_SIZE;
	uint64_t at = root + (pfn->pte_address & (INV_PAGE_SIZE - 1));
	if (inv_image_read(judge->kernel->image, at, entry, sizeof entry) < sizeof entry)
		return false;
	return (inv_le64(entry) & INV_ENTRY_VALID) && (inv_le64(entry) & INV_FRAME_MASK) == root;
}

// A root whose entry leads to no process.
static void judge_orphan(struct inv_judge *judge, const struct inv_pfn_record *root)
{
	uint64_t expected = inv_pfn_root_pte(judge->kernel);
	if (!expected || root->pfn.pte_address != expected || !maps_itself(judge, &root->pfn)) {
		inv_unknown_because(judge, "the entry of a self-containing frame leads to no process, and nothing shows that "
		                           "it is a page table root");
		return;
	}
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_SYSTEM, root->pfn.address, "page table root");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_MEMORY_MANAGER);
	struct inv_value owner = inv_field(judge->kernel, root->pfn.address, INV_F_MMPFN_u1);
	struct inv_evidence evidence = {"page tables", INV_TIER_HARDWARE,      "PML4", root->pfn.frame * INV_PAGE_SIZE,
	                                expected,      "the page maps itself", false};
	inv_add_evidence(judge, finding, evidence);
	inv_field_says(judge, finding, INV_F_MMPFN_u1, &owner, "the entry of this page table root leads to no process");
	inv_tried(judge, finding, "creating", "there is no process that could be in creation");
	inv_tried(judge, finding, "deleting", "there is no process that could be in deletion");
}

void inv_judge_L06(struct inv_judge *judge)
{
	inv_judge_self_maps(judge);
	if (is_void(judge))
		return;
	const struct inv_pfn_record *roots = judge->dossiers->testimony->pfn_roots;
	size_t count = inv_count(judge->dossiers->testimony->pfn_roots);
	for (size_t i = 0; i < count; i++) {
		if (roots[i].owner == 0)
			judge_orphan(judge, &roots[i]);
		else if (i == 0 || roots[i - 1].owner != roots[i].owner) // once for a process with two roots
			judge_owner(judge, &roots[i]);
	}
}

// -- M04 --------------------------------------------------------------------------------------------------------------------

// The first slot of the user half in which two roots lead to different tables; NO_SLOT: none. False: a page is not there.
static bool compare_user_halves(const struct inv_judge *judge, uint64_t one, uint64_t other, unsigned *slot)
{
	uint8_t left[USER_ENTRIES * INV_ENTRY_SIZE], right[USER_ENTRIES * INV_ENTRY_SIZE];
	*slot = NO_SLOT;
	if (inv_image_read(judge->kernel->image, one, left, sizeof left) < sizeof left ||
	    inv_image_read(judge->kernel->image, other, right, sizeof right) < sizeof right)
		return false;
	// The kernel's own copy forbids execution in the entries that user mode may execute by.
	uint64_t mask = INV_FRAME_MASK | INV_ENTRY_VALID;
	for (unsigned i = 0; i < USER_ENTRIES && *slot == NO_SLOT; i++)
		if ((inv_le64(left + (size_t)i * INV_ENTRY_SIZE) & mask) !=
		    (inv_le64(right + (size_t)i * INV_ENTRY_SIZE) & mask))
			*slot = i;
	return true;
}

static void judge_user_half(struct inv_judge *judge, const struct claim *claim)
{
	struct inv_value dtb = inv_field(judge->kernel, claim->process->address, INV_F_KPROCESS_DirectoryTableBase);
	if (!inv_need(judge, &dtb))
		return;
	unsigned slot;
	if (!compare_user_halves(judge, dtb.u & INV_FRAME_MASK, claim->value.u & INV_FRAME_MASK, &slot)) {
		inv_unknown_because(judge, "a page table root is not in the image");
		return;
	}
	if (slot == NO_SLOT) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(claim->process), INV_TIER_HARDWARE);
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &dtb, "slot %u of this root leads to one table",
	               slot);
	inv_field_says(judge, finding, claim->field, &claim->value, "the same slot of the root of user mode to another");
	inv_means_its_targets(finding);
}

static void judge_shadow(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct claim claim = {.process = process, .field = INV_F_KPROCESS_UserDirectoryTableBase};
	claim.value = inv_field(judge->kernel, process->address, claim.field);
	if (!inv_need(judge, &claim.value))
		return;
	if (frame_of(&claim.value) == 0) { // 0 or 1: no KVA shadow, or a process that needs none (AddressPolicy)
		inv_holds(judge);
		return;
	}
	if (!look_up(judge, &claim))
		return;
	if (is_own(&claim)) {
		judge_user_half(judge, &claim);
	} else if (inv_has_lost_space(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "deleting");
	} else {
		struct inv_finding *finding = contradict(judge, &claim);
		inv_tried(judge, finding, "deleting", "it is listed, inserted or referenced, or has threads");
	}
}

void inv_judge_M04(struct inv_judge *judge)
{
	if (!is_void(judge))
		inv_each_process(judge, judge_shadow);
}
