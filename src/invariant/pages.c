// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "base/search.h"
#include "invariant/families.h"
#include "invariant/inside.h"
#include "invariant/trial.h"

const char *inv_page_kind_name(enum inv_page_kind kind)
{
	static const char *const names[INV_PAGE_KINDS] = {
	    "without a range", "executable", "writable and executable",
	    "beyond the view", "foreign",    "for the kernel",
	    "patched",         "copied",     "PE header",
	};
	return names[kind];
}

const struct inv_view *inv_views_of(const struct inv_views *views, uint64_t area, size_t *count)
{
	size_t low = 0, high = inv_count(views->views), end = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (views->views[middle].area < area)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < end && views->views[low + *count].area == area;)
		++*count;
	return *count ? &views->views[low] : NULL;
}

uint64_t inv_prototype_owner(const struct inv_views *views, uint64_t prototype)
{
	size_t low = INV_UPPER_BOUND(views->prototypes, inv_count(views->prototypes), start, prototype);
	return low > 0 && prototype < views->prototypes[low - 1].end ? views->prototypes[low - 1].area : 0;
}

// -- what the judges of pages share -----------------------------------------------------------------------------------------

#define SHOWN 3u // pages of a finding that are shown; the others are counted

// L05 says what it means that it is not.
static bool root_is_own(const struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	uint64_t frame = inv_space_dtb(inv_user_space(inside->user)) / INV_PAGE_SIZE;
	if (testimony->pfn.voided)
		return true;
	size_t count;
	const struct inv_pfn_record *roots = inv_pfn_roots_of(testimony, inside->process->address, &count);
	for (size_t i = 0; i < count; i++)
		if (roots[i].pfn.frame == frame)
			return true;
	return false;
}

bool inv_space_is_kept(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (inv_has_lost_space(judge, process))
		inv_excuse(judge, inv_subject_process(process), "deleting");
	else if (inv_space_is_cleaned(judge, process))
		inv_excuse(judge, inv_subject_process(process), "exiting");
	else
		return true;
	return false;
}

bool inv_space_can_be_judged(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value tree = {.why = inside->vads.why};
	if (!inv_space_is_kept(judge, inside->process))
		return false;
	if (!inside->vads.complete)
		inv_unknown(judge, &tree);
	return inside->vads.complete;
}

static bool pages_can_be_judged(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value tables = {.why = inside->why};
	if (!inv_space_can_be_judged(judge, inside))
		return false;
	if (!inside->user)
		inv_unknown(judge, &tables);
	else if (!root_is_own(judge, inside))
		inv_unknown_because(judge, "the page table root is not the process' own by the PFN database");
	else
		return true;
	return false;
}

// Ranges come and go under this lock; in the middle of that pages are left without one.
bool inv_ranges_are_changing(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_AddressCreationLock);
}

// The first note of a kind; those that follow are in order.
static const struct inv_page_note *first_note(const struct inv_survey *survey, enum inv_page_kind kind)
{
	for (size_t i = 0; i < inv_count(survey->notes); i++)
		if (survey->notes[i].kind == kind)
			return &survey->notes[i];
	return NULL;
}

static size_t shown(const struct inv_survey *survey, enum inv_page_kind kind)
{
	return survey->noted[kind] < SHOWN ? survey->noted[kind] : SHOWN;
}

// `of`: what is wrong with that many pages.
static void entry_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_page_note *note,
                       const char *what)
{
	const struct inv_user_page *page = &note->page;
	const char *says = inv_arena_printf(
	    judge->arena, "0x%llx is mapped to the page at physical 0x%llx, %s%s%s%s", (unsigned long long)page->address,
	    (unsigned long long)page->frame, page->user ? "for user mode" : "for the kernel alone",
	    page->may_write ? ", to be written to" : "", page->executable ? ", to be executed" : "", what);
	struct inv_evidence evidence = {.witness = "page tables",
	                                .tier = INV_TIER_HARDWARE,
	                                .field = "PTE",
	                                .address = page->entry_at,
	                                .value = page->entry,
	                                .says = says};
	inv_push(finding->evidence, evidence);
}

void inv_vad_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_vad *vad)
{
	char protection[8];
	struct inv_value flags = inv_field(judge->kernel, vad->address, INV_F_MMVAD_SHORT_Protection);
	const char *type = inv_vad_type_name(vad->type);
	inv_field_says(judge, finding, INV_F_MMVAD_SHORT_Protection, &flags, "the range 0x%llx to 0x%llx is %s, made as %s",
	               (unsigned long long)vad->start, (unsigned long long)vad->end,
	               vad->type == INV_VAD_NONE && !vad->is_private ? "a view"
	               : type                                        ? type
	                                                             : "of no known type",
	               inv_protection_text(vad->protection, protection));
}

static void count_says(struct inv_judge *judge, struct inv_finding *finding, size_t count)
{
	struct inv_value pages = {.ok = true, .u = count};
	struct inv_evidence evidence = {
	    .witness = "page tables", .tier = INV_TIER_HARDWARE, .field = "PTE", .value = count};
	evidence.says = inv_arena_printf(judge->arena, "there are %zu such pages in the process", (size_t)pages.u);
	if (count > SHOWN)
		inv_push(finding->evidence, evidence);
}

// A finding on the pages of a kind, each with its range.
static struct inv_finding *accuse_pages(struct inv_judge *judge, const struct inv_inside *inside,
                                        enum inv_page_kind kind, enum inv_tier accused, const char *what)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), accused);
	const struct inv_page_note *note = first_note(&inside->survey, kind);
	for (size_t i = 0; i < shown(&inside->survey, kind); i++) {
		entry_says(judge, finding, &note[i], what);
		if (note[i].vad)
			inv_vad_says(judge, finding, note[i].vad);
	}
	count_says(judge, finding, inside->survey.noted[kind]);
	return finding;
}

static void survey_unknown(struct inv_judge *judge, const struct inv_survey *survey)
{
	struct inv_value missing = {.why = survey->why};
	inv_unknown(judge, &missing);
}

// -- M05 --------------------------------------------------------------------------------------------------------------------

// The process under whose root the page table stands that holds the entry of a page; 0: none that is known.
static uint64_t holder_of(const struct inv_judge *judge, const struct inv_pfn *page)
{
	const struct inv_pfn_database *database = &judge->dossiers->testimony->pfn;
	struct inv_pfn root;
	return inv_pfn_climb(database, page, &root) ? inv_pfn_owner(database, &root) : 0;
}

static void owner_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_page_note *note)
{
	struct inv_pfn pfn;
	const struct inv_pfn_database *database = &judge->dossiers->testimony->pfn;
	if (!inv_pfn_read(database, note->page.frame / INV_PAGE_SIZE, &pfn, NULL)) {
		inv_witness_says(judge, finding, INV_W_PFN, "MmPfnDatabase", &note->pfn, "Windows manages no such page");
		return;
	}
	struct inv_value location = inv_field(judge->kernel, pfn.address, INV_F_MMPFN_PageLocation);
	struct inv_value pte = inv_field(judge->kernel, pfn.address, INV_F_MMPFN_PteAddress);
	struct inv_value table = inv_field(judge->kernel, pfn.address, INV_F_MMPFN_PteFrame);
	uint64_t holder = pfn.prototype ? 0 : holder_of(judge, &pfn);
	if (pfn.location != INV_PFN_ACTIVE) {
		inv_field_says(judge, finding, INV_F_MMPFN_PageLocation, &location, "nobody maps the page");
		return;
	}
	inv_field_says(judge, finding, INV_F_MMPFN_PteAddress, &pte,
	               pfn.prototype ? "the page belongs to the prototype PTE at 0x%llx"
	                             : "the page belongs to the PTE at 0x%llx",
	               (unsigned long long)pfn.pte_address);
	if (holder && holder != finding->subject.address)
		inv_field_says(judge, finding, INV_F_MMPFN_PteFrame, &table, "which is one of the process at 0x%llx",
		               (unsigned long long)holder);
}

static void accuse_foreign(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_MEMORY_MANAGER);
	const struct inv_page_note *note = first_note(&inside->survey, INV_PAGE_FOREIGN);
	for (size_t i = 0; i < shown(&inside->survey, INV_PAGE_FOREIGN); i++) {
		entry_says(judge, finding, &note[i], "");
		owner_says(judge, finding, &note[i]);
		inv_vad_says(judge, finding, note[i].vad);
	}
	count_says(judge, finding, inside->survey.noted[INV_PAGE_FOREIGN]);
	inv_tried(judge, finding, "lent", "no range of the process for memory of devices, AWE or large pages covers it");
	inv_tried(judge, finding, "combined",
	          "it may be written to, or its prototype PTE is that of a section or elsewhere");
	inv_tried(judge, finding, "kernel-shown", "it is no page of the kernel at 0x7ffe0000, or may be more than read");
}

void inv_judge_M05(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	struct inv_subject subject = inv_subject_process(inside->process);
	if (!pages_can_be_judged(judge, inside))
		return;
	if (!survey->pfn_known)
		inv_unknown_because(judge, judge->dossiers->testimony->pfn.voided);
	else if (inside->process->role == INV_ROLE_VM)
		inv_unknown_because(judge, "whose pages the memory of a virtual machine is, was not verified");
	else if (survey->noted[INV_PAGE_FOREIGN])
		accuse_foreign(judge, inside);
	else if (!survey->complete)
		survey_unknown(judge, survey);
	else if (survey->pfn_missing)
		inv_unknown_because(judge, "of some pages the PFN entry, or what their range shares, could not be read");
	else if (survey->lent)
		inv_excuse(judge, subject, "lent");
	else if (survey->combined)
		inv_excuse(judge, subject, "combined");
	else if (survey->kernel_shown)
		inv_excuse(judge, subject, "kernel-shown");
	else
		inv_holds(judge);
}

// -- M06 --------------------------------------------------------------------------------------------------------------------

void inv_judge_M06(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	if (!pages_can_be_judged(judge, inside))
		return;
	if (survey->noted[INV_PAGE_UNCOVERED] && inv_ranges_are_changing(judge, inside->process)) {
		inv_unknown_because(judge, "the ranges of the process were being changed: AddressCreationLock is held");
	} else if (survey->noted[INV_PAGE_UNCOVERED]) {
		struct inv_finding *finding =
		    accuse_pages(judge, inside, INV_PAGE_UNCOVERED, INV_TIER_MEMORY_MANAGER, ", and no VAD covers it");
		inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &inside->vads.root, "the tree has %zu ranges",
		               inv_count(inside->vads.vads));
		inv_tried(judge, finding, "exiting", "Flags.VmDeleted is clear, or a thread is active");
		inv_tried(judge, finding, "deleting", "it is listed, inserted or referenced, or has threads");
		inv_tried(judge, finding, "kernel-shown",
		          "it is no page of the kernel at 0x7ffe0000, or may be more than read");
	} else if (!survey->complete) {
		survey_unknown(judge, survey);
	} else {
		inv_holds(judge);
	}
}

// -- M07 --------------------------------------------------------------------------------------------------------------------

void inv_judge_M07(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	if (!pages_can_be_judged(judge, inside))
		return;
	if (survey->noted[INV_PAGE_BEYOND]) {
		struct inv_finding *finding = accuse_pages(judge, inside, INV_PAGE_BEYOND, INV_TIER_MEMORY_MANAGER, "");
		const struct inv_page_note *note = first_note(survey, INV_PAGE_BEYOND);
		const struct inv_control_area *area = inv_control_area_at(inside->sections, note->vad->control_area);
		if (area && area->file.address)
			inv_field_says(judge, finding, INV_F_CONTROL_AREA_FilePointer, &area->file_pointer, "the section is of %s",
			               area->file.name);
	} else if (survey->loose) {
		inv_unknown_because(judge, "a process of 32 bits may run without the protection against execution (DEP)");
	} else if (!survey->complete) {
		survey_unknown(judge, survey);
	} else {
		inv_holds(judge);
	}
}

// -- M10 --------------------------------------------------------------------------------------------------------------------

// Mapped elsewhere than its section was relocated for: the loader mended each page of code that holds addresses.
static bool is_elsewhere(const struct inv_inside *inside, const struct inv_vad *vad)
{
	const struct inv_control_area *area = inv_control_area_at(inside->sections, vad->control_area);
	return area && area->based_address.ok && area->based_address.u != vad->start;
}

static void difference_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_page_note *note)
{
	uint8_t own[INV_PAGE_SIZE], shared[INV_PAGE_SIZE];
	const struct inv_image *image = judge->kernel->image;
	if (inv_image_read(image, note->page.frame, own, sizeof own) < sizeof own ||
	    inv_image_read(image, note->shared, shared, sizeof shared) < sizeof shared)
		return;
	uint64_t first = 0;
	size_t count = 0;
	for (size_t i = INV_PAGE_SIZE; i-- > 0;) {
		if (own[i] == shared[i])
			continue;
		first = i;
		count++;
	}
	struct inv_evidence evidence = {.witness = "prototype PTEs",
	                                .tier = INV_TIER_MEMORY_MANAGER,
	                                .field = "PTE",
	                                .address = note->prototype,
	                                .value = note->shared};
	evidence.says = inv_arena_printf(
	    judge->arena, "%zu bytes of the section's own page differ, from 0x%llx on: %02x where that has %02x", count,
	    (unsigned long long)note->page.address + first, own[first], shared[first]);
	inv_push(finding->evidence, evidence);
}

static void accuse_patched(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_page_note *first,
                           size_t count)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_USER_MODE);
	for (size_t i = 0, said = 0; i < count && said < SHOWN; i++) {
		if (is_elsewhere(inside, first[i].vad))
			continue;
		const struct inv_control_area *area = inv_control_area_at(inside->sections, first[i].vad->control_area);
		entry_says(judge, finding, &first[i], ", a copy of its own");
		difference_says(judge, finding, &first[i]);
		if (area && area->file.address)
			inv_field_says(judge, finding, INV_F_CONTROL_AREA_FilePointer, &area->file_pointer, "it is code of %s",
			               area->file.name);
		said++;
	}
	count_says(judge, finding, inside->survey.noted[INV_PAGE_PATCHED]);
	inv_tried(judge, finding, "relocated", "the image stands where its section was relocated for");
}

void inv_judge_M10(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	if (!pages_can_be_judged(judge, inside))
		return;
	const struct inv_page_note *note = first_note(survey, INV_PAGE_PATCHED);
	size_t count = survey->noted[INV_PAGE_PATCHED], there = 0;
	count = count < INV_PAGE_NOTES ? count : INV_PAGE_NOTES;
	for (size_t i = 0; i < count; i++)
		there += !is_elsewhere(inside, note[i].vad);
	if (there)
		accuse_patched(judge, inside, note, count);
	else if (count)
		inv_excuse(judge, inv_subject_process(inside->process), "relocated");
	else if (!survey->complete)
		survey_unknown(judge, survey);
	else if (survey->noted[INV_PAGE_COPIED])
		inv_unknown_because(judge, "of some copied pages of code what the file holds is not in the image, or equal");
	else
		inv_holds(judge);
}

// -- M11, M13, M14 ----------------------------------------------------------------------------------------------------------

void inv_judge_M11(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_value *entry = &inside->survey.user_by_kernel;
	if (!pages_can_be_judged(judge, inside))
		return;
	if (!entry->ok) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_HARDWARE);
	struct inv_evidence evidence = {.witness = "page tables",
	                                .tier = INV_TIER_HARDWARE,
	                                .field = "PTE",
	                                .address = entry->address,
	                                .value = entry->u,
	                                .says =
	                                    "this entry of the kernel half, and all on the way to it, let user mode in"};
	inv_push(finding->evidence, evidence);
}

void inv_judge_M13(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	if (!pages_can_be_judged(judge, inside))
		return;
	if (survey->noted[INV_PAGE_SUPERVISOR] && inside->process->role != INV_ROLE_ORDINARY)
		inv_excuse(judge, inv_subject_process(inside->process), "kernel-process");
	else if (survey->noted[INV_PAGE_SUPERVISOR])
		(void)accuse_pages(judge, inside, INV_PAGE_SUPERVISOR, INV_TIER_HARDWARE, "");
	else if (!survey->complete)
		survey_unknown(judge, survey);
	else
		inv_holds(judge);
}

void inv_judge_M14(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_survey *survey = &inside->survey;
	if (!pages_can_be_judged(judge, inside))
		return;
	bool changed = survey->noted[INV_PAGE_EXECUTABLE] != 0, both = survey->noted[INV_PAGE_WRITABLE_EXECUTABLE] != 0;
	if (both)
		(void)accuse_pages(judge, inside, INV_PAGE_WRITABLE_EXECUTABLE, INV_TIER_USER_MODE, "");
	else if (changed)
		(void)accuse_pages(judge, inside, INV_PAGE_EXECUTABLE, INV_TIER_USER_MODE, "");
	else if (!survey->complete)
		survey_unknown(judge, survey);
	else
		inv_holds(judge);
}
