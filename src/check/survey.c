// SPDX-License-Identifier: Apache-2.0
// Goes through the pages of a process and through its VADs in lockstep, and asks the PFN database whose each page is. Runs over every
// page of every process, so that it keeps only what says something.
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "check/check.h"
#include "paging/frame.h"
#include "paging/pte.h"

#define PFN_BITS_OF_VA UINT64_C(0x7ffffffff8) // of the address of a PTE in the self-map
#define MADE_TO_BE_WRITTEN 4u                 // MM_READWRITE and what copies on write have this bit
#define UNKNOWN_PROTECTION 4u                 // forbids nothing that is asked here
#define PE_OFFSET_AT 0x3cu
#define PE_OFFSET_MOST 0x400u

struct survey {
	struct inv_inside *inside;
	struct inv_survey *result;
	const struct inv_kernel *kernel;
	const struct inv_pfn_database *pfn; // NULL: cannot be asked
	uint64_t pte_base;                  // of the self-map
	bool wow64;
	size_t cursor; // the first VAD that does not end before the page
	// The VAD at the cursor: its section, and where the prototype PTEs of its pages stand.
	size_t looked_up; // the cursor for which this was found, plus 1
	const struct inv_control_area *area;
	size_t part;         // index of the subsection
	uint64_t part_first; // the address that its first PTE (or the view's first) stands for
	uint64_t part_pte;   // and that PTE; 0: none
	uint64_t before;     // the page before, if it is in the same range and was not looked at for a header
	uint64_t before_frame;
};

static void note(struct survey *survey, enum inv_page_kind kind, const struct inv_user_page *page,
                 const struct inv_vad *vad, const struct inv_page_note *more)
{
	if (survey->result->noted[kind]++ >= INV_PAGE_NOTES)
		return;
	struct inv_page_note note = more ? *more : (struct inv_page_note){0};
	note.kind = kind;
	note.page = *page;
	note.vad = vad;
	inv_push(survey->result->notes, note);
}

// -- the prototype PTEs of a view -------------------------------------------------------------------------------------------

static void begin_view(struct survey *survey, const struct inv_vad *vad)
{
	survey->looked_up = survey->cursor + 1;
	survey->area = vad->control_area ? inv_control_area_at(survey->inside->sections, vad->control_area) : NULL;
	survey->part = 0;
	survey->part_first = vad->start;
	survey->part_pte = 0;
	size_t count = survey->area ? inv_count(survey->area->subsections) : 0;
	while (survey->part < count && survey->area->subsections[survey->part].address != vad->subsection)
		survey->part++;
	if (survey->part < count)
		survey->part_pte = vad->first_prototype ? vad->first_prototype : survey->area->subsections[survey->part].base;
}

// The prototype PTE for an address of the VAD at the cursor; 0: not known. Addresses only rise.
static uint64_t prototype_of(struct survey *survey, const struct inv_vad *vad, uint64_t address, uint32_t *protection)
{
	if (survey->looked_up != survey->cursor + 1)
		begin_view(survey, vad);
	if (!survey->area)
		return 0;
	size_t count = inv_count(survey->area->subsections);
	while (survey->part < count) {
		const struct inv_subsection *part = &survey->area->subsections[survey->part];
		uint64_t end = part->base + (uint64_t)part->pages * INV_ENTRY_SIZE;
		uint64_t ahead = (address - survey->part_first) / INV_PAGE_SIZE;
		if (survey->part_pte < part->base || survey->part_pte > end)
			return 0;
		uint64_t left = (end - survey->part_pte) / INV_ENTRY_SIZE;
		if (ahead < left) {
			*protection = part->protection;
			return survey->part_pte + ahead * INV_ENTRY_SIZE;
		}
		survey->part_first += left * INV_PAGE_SIZE;
		survey->part++;
		survey->part_pte = survey->part < count ? survey->area->subsections[survey->part].base : 0;
	}
	return 0;
}

// The frame that a prototype PTE leads to; 0: none in memory.
static uint64_t frame_of_prototype(const struct survey *survey, uint64_t prototype)
{
	struct inv_value entry = inv_read_u64(survey->kernel, prototype);
	if (!entry.ok)
		return 0;
	if (entry.u & INV_ENTRY_VALID)
		return entry.u & INV_FRAME_MASK;
	struct inv_pte pte = inv_pte_decode(inv_space_pte_format(survey->kernel->space), entry.u);
	return pte.form == INV_PTE_TRANSITION ? pte.frame : 0;
}

// -- whose page it is -------------------------------------------------------------------------------------------------------

// Memory that somebody else owns is what such a range is for.
static bool is_lent(const struct survey *survey, const struct inv_vad *vad)
{
	switch (vad->type) {
	case INV_VAD_DEVICE_PHYSICAL:
	case INV_VAD_AWE:
	case INV_VAD_LARGE_PAGES:
	case INV_VAD_ROTATE_PHYSICAL:
	case INV_VAD_LARGE_PAGE_SECTION:
		return true;
	default:
		break;
	}
	return survey->area && survey->area->is_physical.ok && survey->area->is_physical.u;
}

static bool is_of_user_half(const struct survey *survey, const struct inv_pfn *pfn)
{
	uint64_t end = survey->pte_base + (PFN_BITS_OF_VA + INV_ENTRY_SIZE) / 2;
	return survey->pte_base && !pfn->prototype && pfn->pte_address >= survey->pte_base && pfn->pte_address < end;
}

// An ordinary private page of another process: the PTE that its PFN entry names leads to it, in a page table of another root.
static bool is_anothers(const struct survey *survey, const struct inv_pfn *pfn)
{
	uint8_t entry[INV_ENTRY_SIZE];
	struct inv_pfn root;
	uint64_t at = pfn->pte_frame * INV_PAGE_SIZE + (pfn->pte_address & (INV_PAGE_SIZE - INV_ENTRY_SIZE));
	if (!is_of_user_half(survey, pfn) || pfn->location != INV_PFN_ACTIVE)
		return false;
	if (inv_image_read(survey->kernel->image, at, entry, sizeof entry) < sizeof entry ||
	    (inv_le64(entry) & (INV_FRAME_MASK | INV_ENTRY_VALID)) != (pfn->frame * INV_PAGE_SIZE | INV_ENTRY_VALID))
		return false;
	return inv_pfn_climb(survey->pfn, pfn, &root) &&
	       root.frame != inv_space_dtb(inv_user_space(survey->inside->user)) / INV_PAGE_SIZE;
}

// A page of user memory that a driver maps for another process is locked for that: it has more references than the one for being in use
// (MmProbeAndLockPages). Where the count cannot be read, nothing is said. The pages of AWE and of large pages are allotted as such: those
// of one process alone, and never its ordinary ones.
static bool is_taken_from_others(const struct survey *survey, const struct inv_vad *vad, const struct inv_pfn *pfn)
{
	if (vad->type == INV_VAD_AWE || vad->type == INV_VAD_LARGE_PAGES || vad->type == INV_VAD_LARGE_PAGE_SECTION)
		return is_anothers(survey, pfn);
	if (vad->type != INV_VAD_DEVICE_PHYSICAL || !is_of_user_half(survey, pfn) || pfn->location != INV_PFN_ACTIVE)
		return false;
	struct inv_value references = inv_field(survey->kernel, pfn->address, INV_F_MMPFN_ReferenceCount);
	return references.ok && references.u <= 1;
}

// Where the kernel lets user mode read a page of its own.
static bool is_window(const struct inv_user_page *page)
{
	return page->address >= INV_USER_SHARED_DATA && page->address < INV_USER_SHARED_END && !page->may_write &&
	       !page->executable;
}

// It is the kernel's, by the kernel's own page tables.
static bool is_shown_by_kernel(const struct survey *survey, const struct inv_user_page *page)
{
	uint64_t address, shared;
	if (inv_space_translate(survey->kernel->space, INV_KUSER_SHARED_DATA, &shared, NULL) && shared == page->frame)
		return true;
	return survey->pfn && inv_pfn_virtual(survey->pfn, page->frame / INV_PAGE_SIZE, &address) &&
	       address >= INV_KERNEL_HALF;
}

static bool is_own(const struct survey *survey, const struct inv_user_page *page, const struct inv_pfn *pfn)
{
	return pfn->location == INV_PFN_ACTIVE && pfn->pte_frame == page->entry_at / INV_PAGE_SIZE &&
	       (!survey->pte_base || pfn->pte_address == (survey->pte_base | (page->address >> 9 & PFN_BITS_OF_VA)));
}

// Equal pages of memory are combined, and those of a clone shared, by prototype PTEs that belong to no section; they are never writable.
static bool is_combined(const struct survey *survey, const struct inv_user_page *page, const struct inv_pfn *pfn)
{
	const struct inv_views *views = survey->inside->dossiers->views;
	return !page->may_write && pfn->location == INV_PFN_ACTIVE &&
	       (!views || inv_prototype_owner(views, pfn->pte_address) == 0) &&
	       frame_of_prototype(survey, pfn->pte_address) == page->frame;
}

// A page of an image may be written to by all who share it if its section is made so; one of a view as the view was mapped: what is
// given to VirtualProtect "must be compatible with the access protection specified when the view was mapped" (learn.microsoft.com).
static bool may_be_written(const struct survey *survey, const struct inv_vad *vad, uint32_t protection)
{
	if (vad->is_private || is_lent(survey, vad))
		return true; // not this question
	return inv_protection_writable(vad->type == INV_VAD_IMAGE ? protection : vad->protection);
}

// `prototype` is the address of the PTE by which the range shares the page; 0: none, or not known.
static void ask_owner(struct survey *survey, const struct inv_user_page *page, const struct inv_vad *vad,
                      uint64_t prototype, uint32_t protection)
{
	struct inv_pfn pfn;
	struct inv_why why = {0};
	struct inv_page_note more = {.prototype = prototype};
	bool read = inv_pfn_read(survey->pfn, page->frame / INV_PAGE_SIZE, &pfn, &why);
	more.pfn = (struct inv_value){.ok = read, .u = pfn.pte_address, .address = pfn.address, .why = why};
	if (!read && why.reason != INV_NOT_MAPPED && why.reason != INV_DEMAND_ZERO) {
		survey->result->pfn_missing++;
		return;
	}
	bool shared = read && pfn.prototype;
	*(shared ? &survey->result->shared_pages : &survey->result->private_pages) += 1;
	if (shared && page->may_write && !may_be_written(survey, vad, protection))
		note(survey, INV_PAGE_BEYOND, page, vad, &more);
	if (shared ? prototype && pfn.location == INV_PFN_ACTIVE && pfn.pte_address == prototype
	           : read && is_own(survey, page, &pfn))
		return;
	if (is_lent(survey, vad) && !(read && is_taken_from_others(survey, vad, &pfn)))
		survey->result->lent++;
	else if (is_window(page) && !(read && is_of_user_half(survey, &pfn)))
		*(is_shown_by_kernel(survey, page) ? &survey->result->kernel_shown : &survey->result->pfn_missing) += 1;
	else if (shared && !prototype && !vad->is_private)
		survey->result->pfn_missing++; // what the range shares could not be read
	else if (shared && is_combined(survey, page, &pfn))
		survey->result->combined++;
	else
		note(survey, INV_PAGE_FOREIGN, page, vad, &more);
}

// No frame of a large page can be an ordinary page of another process. What else their PFN entries say is not verified.
static void ask_owners(struct survey *survey, const struct inv_user_page *page, const struct inv_vad *vad)
{
	size_t *budget = inv_control_areas_page_budget(survey->inside->sections);
	size_t count = (size_t)(page->size / INV_PAGE_SIZE);
	if (is_lent(survey, vad))
		survey->result->lent += count;
	if (*budget < count) {
		*budget = 0; // no more pages are looked at
		return;
	}
	*budget -= count;
	struct inv_user_page part = *page;
	for (size_t i = 0; i < count; i++) {
		struct inv_pfn pfn;
		part.address = page->address + i * INV_PAGE_SIZE;
		part.frame = page->frame + i * INV_PAGE_SIZE;
		if (!inv_pfn_read(survey->pfn, part.frame / INV_PAGE_SIZE, &pfn, NULL) ||
		    !(is_lent(survey, vad) ? is_taken_from_others(survey, vad, &pfn) : is_anothers(survey, &pfn)))
			continue;
		struct inv_page_note more = {.pfn = {.ok = true, .u = pfn.pte_address, .address = pfn.address}};
		note(survey, INV_PAGE_FOREIGN, &part, vad, &more);
	}
}

// -- what the page holds ----------------------------------------------------------------------------------------------------

static bool begins_as_pe(const struct survey *survey, uint64_t frame)
{
	uint8_t head[PE_OFFSET_MOST + 4];
	if (inv_image_read(survey->kernel->image, frame, head, sizeof head) < sizeof head || head[0] != 'M' ||
	    head[1] != 'Z')
		return false;
	uint32_t offset = inv_le32(head + PE_OFFSET_AT);
	return offset <= PE_OFFSET_MOST && memcmp(head + offset, "PE\0", 4) == 0;
}

// Headers stand before code, and where a range begins; to look at every page would mean to read all memory.
static void look_for_header(struct survey *survey, const struct inv_user_page *page, const struct inv_vad *vad)
{
	if (survey->before && page->executable && survey->before + INV_PAGE_SIZE == page->address &&
	    begins_as_pe(survey, survey->before_frame)) {
		struct inv_user_page before = *page;
		before.address = survey->before;
		before.frame = survey->before_frame;
		before.entry = 0;
		before.entry_at = 0;
		before.writable = before.executable = false;
		note(survey, INV_PAGE_HEADER, &before, vad, NULL);
	}
	survey->before = 0;
	if (page->address == vad->start || page->executable || inv_protection_executable(vad->protection)) {
		if (begins_as_pe(survey, page->frame))
			note(survey, INV_PAGE_HEADER, page, vad, NULL);
	} else {
		survey->before = page->address;
		survey->before_frame = page->frame;
	}
}

static bool same_content(const struct survey *survey, uint64_t one, uint64_t other)
{
	uint8_t left[INV_PAGE_SIZE], right[INV_PAGE_SIZE];
	const struct inv_image *image = survey->kernel->image;
	return inv_image_read(image, one, left, sizeof left) < sizeof left ||
	       inv_image_read(image, other, right, sizeof right) < sizeof right || memcmp(left, right, sizeof left) == 0;
}

// Code of an image that the process has for itself.
static void compare_copy(struct survey *survey, const struct inv_user_page *page, const struct inv_vad *vad,
                         uint64_t prototype)
{
	uint64_t shared = prototype ? frame_of_prototype(survey, prototype) : 0;
	if (shared == page->frame || !prototype)
		return;
	struct inv_page_note more = {.prototype = prototype, .shared = shared};
	bool same = shared == 0 || same_content(survey, page->frame, shared);
	note(survey, same ? INV_PAGE_COPIED : INV_PAGE_PATCHED, page, vad, &more);
	survey->result->ranges[survey->cursor].private_copies++;
}

// -- the pages --------------------------------------------------------------------------------------------------------------

static void survey_covered(struct survey *survey, const struct inv_user_page *page, const struct inv_vad *vad)
{
	struct inv_range_pages *range = &survey->result->ranges[survey->cursor];
	uint32_t protection = UNKNOWN_PROTECTION;
	uint64_t prototype = vad->is_private ? 0 : prototype_of(survey, vad, page->address, &protection);
	range->valid++;
	range->executable += page->executable;
	range->writable_executable += page->executable && page->may_write;
	if (page->executable && page->may_write)
		note(survey, INV_PAGE_WRITABLE_EXECUTABLE, page, vad, NULL);
	bool loose = page->executable && !inv_protection_executable(vad->protection) && vad->type == INV_VAD_NONE;
	if (loose && !vad->is_private && survey->wow64)
		survey->result->loose++;
	else if (loose)
		note(survey, vad->is_private ? INV_PAGE_EXECUTABLE : INV_PAGE_BEYOND, page, vad, NULL);
	if (vad->is_private)
		survey->area = NULL;
	if (is_lent(survey, vad))
		survey->result->locked += (size_t)(page->size / INV_PAGE_SIZE);
	if (survey->pfn && page->size == INV_PAGE_SIZE)
		ask_owner(survey, page, vad, prototype, protection);
	else if (survey->pfn)
		ask_owners(survey, page, vad);
	if (vad->type == INV_VAD_IMAGE && prototype && page->size == INV_PAGE_SIZE &&
	    frame_of_prototype(survey, prototype) != page->frame) {
		range->own++;
		range->own_fixed += !(protection & MADE_TO_BE_WRITTEN);
	}
	if (vad->type == INV_VAD_IMAGE && page->executable)
		compare_copy(survey, page, vad, prototype);
	else if (vad->type != INV_VAD_IMAGE && page->size == INV_PAGE_SIZE)
		look_for_header(survey, page, vad);
}

static void count_unused(struct survey *survey, const struct inv_user_page *page)
{
	struct inv_range_pages *range = &survey->result->ranges[survey->cursor];
	struct inv_pte pte = inv_pte_decode(inv_space_pte_format(survey->kernel->space), page->entry & ~INV_ENTRY_VALID);
	range->transition += pte.form == INV_PTE_TRANSITION;
	range->paged_out += pte.form == INV_PTE_PAGED_OUT || pte.form == INV_PTE_COMPRESSED;
}

static bool survey_page(void *context, const struct inv_user_page *page)
{
	struct survey *survey = context;
	const struct inv_vad_tree *tree = &survey->inside->vads;
	size_t *budget = inv_control_areas_page_budget(survey->inside->sections);
	size_t count = inv_count(tree->vads);
	if (*budget == 0)
		return false;
	--*budget;
	while (survey->cursor < count && tree->vads[survey->cursor].end <= page->address) {
		survey->cursor++;
		survey->before = 0;
	}
	const struct inv_vad *vad = survey->cursor < count ? &tree->vads[survey->cursor] : NULL;
	if (vad && vad->start > page->address)
		vad = NULL;
	if (!page->valid) {
		if (vad)
			count_unused(survey, page);
		return true;
	}
	survey->result->pages += (size_t)(page->size / INV_PAGE_SIZE);
	if (!page->user)
		note(survey, INV_PAGE_SUPERVISOR, page, vad, NULL);
	if (vad)
		survey_covered(survey, page, vad);
	else if (is_window(page) && is_shown_by_kernel(survey, page))
		survey->result->kernel_shown++;
	else
		note(survey, INV_PAGE_UNCOVERED, page, NULL, NULL);
	return true;
}

// -- the kernel half --------------------------------------------------------------------------------------------------------

// An entry of the last level, or of a large page, that user mode may use, under the table at `frame`. Entries for the kernel alone are not
// followed, so that there is next to nothing to be read; looks at no more than `left` tables.
// NOLINTNEXTLINE(misc-no-recursion)
static bool find_for_user(const struct survey *survey, uint64_t frame, unsigned level, unsigned *left,
                          struct inv_value *found)
{
	uint8_t table[INV_PAGE_SIZE];
	bool is_root = level == inv_space_levels(survey->kernel->space);
	if (*left == 0 || inv_image_read(survey->kernel->image, frame, table, sizeof table) < sizeof table)
		return false;
	--*left;
	for (unsigned i = is_root ? INV_TABLE_ENTRIES / 2 : 0; i < INV_TABLE_ENTRIES; i++) {
		uint64_t entry = inv_le64(table + (size_t)i * INV_ENTRY_SIZE);
		if (!(entry & INV_ENTRY_VALID) || !(entry & INV_ENTRY_USER))
			continue;
		if (level == 1 || (level <= 3 && (entry & INV_ENTRY_LARGE))) {
			*found = (struct inv_value){.ok = true, .u = entry, .address = frame + (uint64_t)i * INV_ENTRY_SIZE};
			return true;
		}
		if (find_for_user(survey, entry & INV_FRAME_MASK, level - 1, left, found))
			return true;
	}
	return false;
}

static int by_kind(const void *a, const void *b)
{
	const struct inv_page_note *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return (left->page.address > right->page.address) - (left->page.address < right->page.address);
}

static void survey_pages(struct survey *survey)
{
	struct inv_survey *result = survey->result;
	size_t *budget = inv_control_areas_page_budget(survey->inside->sections);
	bool whole =
	    inv_user_pages(survey->inside->user, INV_USER_PAGES_BOUND, survey_page, survey, &result->tables_missing);
	result->complete = whole && *budget > 0 && result->tables_missing == 0;
	if (!result->complete)
		result->why = (struct inv_why){.reason = result->tables_missing ? INV_NOT_IN_IMAGE : INV_NOT_CAPTURED,
		                               .name = "page tables"};
	if (result->notes)
		qsort(result->notes, inv_count(result->notes), sizeof *result->notes, by_kind);
}

void inv_survey_read(struct inv_inside *inside)
{
	enum { MOST_TABLES = 4096 };
	struct inv_survey *result = &inside->survey;
	stbds_arrsetlen(result->ranges, inv_count(inside->vads.vads));
	if (result->ranges)
		memset(result->ranges, 0, inv_count(result->ranges) * sizeof *result->ranges);
	if (!inside->user) {
		result->why = inside->why;
		return;
	}
	const struct inv_kernel *kernel = inside->dossiers->kernel;
	const struct inv_pfn_database *pfn = &inside->dossiers->testimony->pfn;
	uint64_t root_pte = inv_pfn_root_pte(kernel);
	struct survey survey = {.inside = inside,
	                        .result = result,
	                        .kernel = kernel,
	                        .pfn = pfn->voided ? NULL : pfn,
	                        .pte_base = root_pte & ~(PFN_BITS_OF_VA | 7)};
	struct inv_value wow64 = inv_field(kernel, inside->process->address, INV_F_EPROCESS_WoW64Process);
	survey.wow64 = !wow64.ok || wow64.u != 0;
	result->pfn_known = survey.pfn != NULL;
	survey_pages(&survey);
	unsigned left = MOST_TABLES;
	(void)find_for_user(&survey, inv_space_dtb(inv_user_space(inside->user)),
	                    inv_space_levels(inv_user_space(inside->user)), &left, &result->user_by_kernel);
}

void inv_survey_free(struct inv_survey *survey)
{
	inv_array_free(survey->ranges);
	inv_array_free(survey->notes);
}
