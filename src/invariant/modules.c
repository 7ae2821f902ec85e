// SPDX-License-Identifier: Apache-2.0
// Family 5, of modules: the loader's lists against the ranges that the memory manager keeps.
#include <inttypes.h>

#include "base/array.h"
#include "base/bytes.h"
#include "invariant/families.h"
#include "invariant/files.h"
#include "invariant/path.h"
#include "invariant/trial.h"
#include "kernel/pe.h"

#define IN_LOAD (1u << INV_LOAD_ORDER)
#define IN_MEMORY (1u << INV_MEMORY_ORDER)
#define MOST_SAID 16u // records that one finding shows

static void base_says(struct inv_trial *trial, const struct inv_loaded *module, const char *text)
{
	inv_field_says(trial->judge, trial->finding, INV_F_LDR_MODULE_DllBase, &module->base, "\"%s\": %s", module->path,
	               text);
}

static const char *half(const struct inv_peb *peb)
{
	return peb->narrow ? "32-bit " : "";
}

// -- I06 --------------------------------------------------------------------------------------------------------------------

// The loader enters the program first of all.
static void try_first(struct inv_trial *trial, const struct inv_peb *peb)
{
	const struct inv_value *base = &trial->inside->image.base;
	const struct inv_loaded *first = inv_count(peb->modules) ? &peb->modules[0] : NULL;
	if (!first || !(first->lists & IN_LOAD)) {
		if (peb->broken[INV_LOAD_ORDER].why.reason != INV_PRESENT) {
			inv_trial_needs(trial, &peb->broken[INV_LOAD_ORDER]);
			return;
		}
		inv_trial_broken(trial, INV_TIER_USER_MODE);
		inv_field_says(trial->judge, trial->finding, INV_F_PEB_Ldr, &peb->ldr,
		               "the loader of a %sprocess that runs knows no module", half(peb));
		return;
	}
	if (inv_trial_needs(trial, &first->base) && inv_trial_needs(trial, base) && first->base.u != base->u) {
		inv_trial_broken(trial, INV_TIER_USER_MODE);
		base_says(trial, first, "what the loader entered first");
		inv_field_says(trial->judge, trial->finding, INV_F_EPROCESS_SectionBaseAddress, base,
		               "the program is mapped here");
	}
	if (!inv_trial_needs(trial, &first->path_value) || !peb->image_path.ok ||
	    inv_name_compare(inv_path_base(first->path), inv_path_base(peb->image_path.text)) != INV_PATH_OTHER)
		return;
	inv_trial_broken(trial, INV_TIER_USER_MODE);
	base_says(trial, first, "what the loader entered first");
	inv_field_says(trial->judge, trial->finding, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName,
	               &peb->image_path.length, "\"%s\": the program by the process' parameters", peb->image_path.text);
}

// The loader has not entered anything yet.
static bool is_empty(const struct inv_peb *peb)
{
	return peb->ldr.ok && (peb->ldr.u == 0 || (inv_count(peb->modules) == 0 && peb->closed[INV_LOAD_ORDER]));
}

void inv_judge_I06(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	if (!inside->peb.address) {
		inv_unknown_because(judge, "the process has no PEB, or its memory cannot be read");
		return;
	}
	if (is_empty(&inside->peb) && inv_is_starting(inside)) {
		inv_excuse(judge, inv_subject_process(inside->process), "starting");
		return;
	}
	if (inv_trial_needs(&trial, &inside->peb.ldr))
		try_first(&trial, &inside->peb);
	if (inside->peb32.address && inv_trial_needs(&trial, &inside->peb32.ldr) &&
	    !(is_empty(&inside->peb32) && inside->thread_count <= 1))
		try_first(&trial, &inside->peb32);
	if (trial.finding)
		inv_tried(judge, trial.finding, "starting",
		          "the loader has entered modules, or there are more threads and images than at the start");
	inv_trial_end(&trial);
}

// -- I11 --------------------------------------------------------------------------------------------------------------------

struct listed {
	uint64_t key; // base
	const struct inv_loaded *value;
};

struct review {
	struct inv_trial *trial;
	struct listed *listed; // stb_ds map
	size_t said;
	size_t compared; // names that were looked for among all images of the process
	bool linking;    // the newest module is on the first list and not yet on the next
};

static bool may_say_more(struct review *review)
{
	return review->said++ < MOST_SAID;
}

static const struct inv_vad *range_of(const struct inv_inside *inside, const struct inv_loaded *module)
{
	const struct inv_vad *vad = inv_vad_at(&inside->vads, module->base.u);
	return vad && vad->type == INV_VAD_IMAGE && vad->start == module->base.u ? vad : NULL;
}

static void try_mapped(struct review *review, const struct inv_loaded *module)
{
	struct inv_trial *trial = review->trial;
	if (!inv_trial_needs(trial, &module->base) || range_of(trial->inside, module))
		return;
	if (!trial->inside->vads.complete) {
		inv_trial_unsure(trial, "not all ranges of the process can be read");
		return;
	}
	if (!may_say_more(review))
		return;
	inv_trial_broken(trial, INV_TIER_USER_MODE);
	base_says(trial, module, "the loader lists a module where no image is mapped");
	const struct inv_vad *vad = inv_vad_at(&trial->inside->vads, module->base.u);
	if (vad)
		inv_range_says(trial, vad, vad->type == INV_VAD_IMAGE ? "an image that begins elsewhere" : "no image");
}

// The last of the list of load order, which alone it is on. (The others follow it in `modules`, so that it need not be the last there.)
static bool is_being_linked(const struct inv_peb *peb, const struct inv_loaded *module)
{
	const struct inv_loaded *end = peb->modules + inv_count(peb->modules);
	return module->lists == IN_LOAD && (module + 1 == end || !(module[1].lists & IN_LOAD));
}

// A module enters the list of load order and then that of memory order.
static void try_lists(struct review *review, const struct inv_peb *peb, const struct inv_loaded *module)
{
	bool whole = peb->closed[INV_LOAD_ORDER] && peb->closed[INV_MEMORY_ORDER];
	bool both = (module->lists & IN_LOAD) && (module->lists & IN_MEMORY);
	if (both || !whole)
		return;
	if (is_being_linked(peb, module)) {
		review->linking = true;
		return;
	}
	if (!may_say_more(review))
		return;
	inv_trial_broken(review->trial, INV_TIER_USER_MODE);
	base_says(review->trial, module,
	          module->lists & IN_LOAD     ? "on the list of load order only"
	          : module->lists & IN_MEMORY ? "on the list of memory order, and not on that of load order"
	                                      : "on the list of initialization order only");
}

static void review_loaded(struct review *review, const struct inv_peb *peb)
{
	for (size_t i = 0; i < inv_count(peb->modules); i++) {
		const struct inv_loaded *module = &peb->modules[i];
		if (module->base.ok && stbds_hmgeti(review->listed, module->base.u) < 0)
			stbds_hmput(review->listed, module->base.u, module);
		try_mapped(review, module);
		try_lists(review, peb, module);
	}
	for (unsigned list = INV_LOAD_ORDER; peb->address && list <= INV_MEMORY_ORDER; list++)
		if (!peb->closed[list] && peb->broken[list].why.reason == INV_PRESENT && peb->ldr.ok && peb->ldr.u) {
			inv_trial_broken(review->trial, INV_TIER_USER_MODE);
			inv_field_says(review->trial->judge, review->trial->finding, INV_F_PEB_Ldr, &peb->ldr,
			               "the loader's list of %s order does not lead back the way it leads",
			               inv_loader_list_name((enum inv_loader_list)list));
		} else if (!peb->closed[list]) {
			inv_trial_needs(review->trial, &peb->broken[list]);
		}
}

static const struct inv_known_file *known_by(const struct inv_trial *trial, const char *claim,
                                             const struct inv_file *file)
{
	const struct inv_known_file *known = inv_known_file(trial->inside->files, claim);
	struct inv_value silo = inv_field(trial->judge->kernel, trial->inside->process->address, INV_F_EPROCESS_ServerSilo);
	return known && !(silo.ok && silo.u) && inv_same_file(&known->file, file) == INV_NO ? known : NULL;
}

// The claimed name is that of another image of this process: the loader maps no file twice. NULL: it is none's.
static const struct inv_vad *namesake(struct review *review, const char *claim, const struct inv_vad *own)
{
	const struct inv_inside *inside = review->trial->inside;
	const struct inv_control_area *mine = inv_control_area_at(inside->sections, own->control_area);
	if (!mine || review->compared++ >= MOST_SAID)
		return NULL;
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		const struct inv_control_area *area =
		    vad->type == INV_VAD_IMAGE ? inv_control_area_at(inside->sections, vad->control_area) : NULL;
		if (area && area->file.name_value.ok && inv_path_names(claim, area->file.name) == INV_PATH_SAME &&
		    inv_same_file(&area->file, &mine->file) == INV_NO)
			return vad;
	}
	return NULL;
}

static void name_says(struct inv_trial *trial, const struct inv_loaded *module, const struct inv_file *file)
{
	inv_field_says(trial->judge, trial->finding, INV_F_LDR_MODULE_FullDllName, &module->path_value,
	               "\"%s\" (\"%s\"): the loader's name of the module", module->path, module->name);
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FileName, &file->name_value,
	               "\"%s\": the file that is mapped there", file->name);
}

// Also files are renamed while they are mapped, and reached by links: a name by itself is only observed.
static bool try_name(struct review *review, const struct inv_loaded *module, bool observe)
{
	struct inv_trial *trial = review->trial;
	const struct inv_vad *vad = module->base.ok ? range_of(trial->inside, module) : NULL;
	const struct inv_control_area *area = vad ? inv_control_area_at(trial->inside->sections, vad->control_area) : NULL;
	bool program = vad && vad == trial->inside->image.vad; // the name of its file is what I03 is about
	if (!area || !area->file.name_value.ok || !module->path_value.ok || !module->name_value.ok)
		return false;
	enum inv_alike alike = inv_path_names(module->path, area->file.name);
	bool two_names = inv_name_compare(inv_path_base(module->path), module->name) == INV_PATH_OTHER;
	if (program && inv_path_in_volume(trial->inside->process->path) &&
	    inv_path_names(module->path, inv_path_in_volume(trial->inside->process->path)) <= INV_PATH_REDIRECTED)
		alike = INV_PATH_SAME;
	if (!two_names && (alike == INV_PATH_SAME || alike == INV_PATH_REDIRECTED || alike == INV_PATH_UNSURE))
		return false;
	const struct inv_known_file *known =
	    alike == INV_PATH_OTHER && !program ? known_by(trial, module->path, &area->file) : NULL;
	const struct inv_vad *other = alike == INV_PATH_OTHER && !observe ? namesake(review, module->path, vad) : NULL;
	if ((!two_names && !known && !other && !observe) || !may_say_more(review))
		return true;
	if (two_names || known || other)
		inv_trial_broken(trial, INV_TIER_USER_MODE);
	else
		inv_trial_observed(trial, INV_TIER_USER_MODE);
	name_says(trial, module, &area->file);
	if (known)
		inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FsContext, &known->file.fs_context,
		               "the file of that name is another one: process 0x%" PRIx64 " runs from it",
		               known->process->address);
	if (other)
		inv_range_says(trial, other, "the file of that name is mapped here");
	return true;
}

static void review_names(struct review *review, const struct inv_peb *peb, bool observe)
{
	for (size_t i = 0; i < inv_count(peb->modules); i++)
		(void)try_name(review, &peb->modules[i], observe);
}

// An image of .NET with native code, by its own header of .NET (ECMA-335, II.25.3.3: ManagedNativeHeader).
static enum inv_answer is_compiled_before(const struct inv_inside *inside, const struct inv_vad *vad)
{
	enum { HEADER_SIZE = 72, NATIVE_SIZE_AT = 68 };
	struct inv_pe pe;
	struct inv_why why = {0};
	uint8_t header[HEADER_SIZE];
	if (!inside->user)
		return INV_UNSURE;
	if (!inv_pe_read_image(inv_user_space(inside->user), vad->start, &pe, &why))
		return why.reason == INV_PRESENT ? INV_NO : INV_UNSURE;
	if (pe.managed_size < HEADER_SIZE || pe.managed_rva > vad->end - vad->start - HEADER_SIZE)
		return INV_NO;
	if (inv_space_read(inv_user_space(inside->user), vad->start + pe.managed_rva, header, sizeof header, &why) <
	    sizeof header)
		return INV_UNSURE;
	return inv_le32(header + NATIVE_SIZE_AT) ? INV_YES : INV_NO;
}

// The run time of .NET maps such images past the loader (dotnet/coreclr, MappedImageLayout) and writes to their data. A module that the
// loader mapped has its imports resolved, in a part that is not made to be written to, where it has any; and so does one whose header
// was forged. Whoever compiles his module to look like this is seen, and no more.
static enum inv_answer is_mapped_by_run_time(const struct inv_inside *inside, const struct inv_vad *vad,
                                             const struct inv_range_pages *pages)
{
	return pages->own_fixed || pages->private_copies ? INV_NO : is_compiled_before(inside, vad);
}

// An image on no list whose pages the process has made its own and may execute was prepared for running: what is mapped for its
// resources stays as it is.
static void review_unlisted(struct review *review)
{
	struct inv_trial *trial = review->trial;
	const struct inv_inside *inside = trial->inside;
	bool surveyed = inv_count(inside->survey.ranges) == inv_count(inside->vads.vads);
	size_t unlisted = 0;
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		if (vad->type != INV_VAD_IMAGE || vad->deleting || stbds_hmgeti(review->listed, vad->start) >= 0)
			continue;
		unlisted++;
		if (!surveyed)
			continue;
		const struct inv_range_pages *pages = &inside->survey.ranges[i];
		const struct inv_control_area *area = inv_control_area_at(inside->sections, vad->control_area);
		if (pages->executable == 0 || !may_say_more(review))
			continue;
		enum inv_answer managed = pages->own ? is_mapped_by_run_time(inside, vad, pages) : INV_YES;
		if (managed == INV_UNSURE) {
			inv_trial_unsure(trial, "whether an image on no list is one of .NET could not be read");
			continue;
		}
		if (managed == INV_NO)
			inv_trial_broken(trial, INV_TIER_USER_MODE);
		else
			inv_trial_observed(trial, INV_TIER_USER_MODE);
		inv_range_says(trial, vad,
		               "an image of \"%s\" on no list of the loader, %u pages of code in use, %u pages changed",
		               area ? area->file.name : "", pages->executable, pages->own);
	}
	if (unlisted && !surveyed)
		inv_trial_unsure(trial, "the pages of images on no list cannot be read");
}

static bool lists_are_whole(const struct inv_inside *inside)
{
	struct inv_value peb32 = inv_process_peb32(inside->dossiers->kernel, inside->process->address);
	bool whole = inside->peb.closed[INV_LOAD_ORDER] && inside->peb.closed[INV_MEMORY_ORDER];
	bool has_other = !peb32.ok || peb32.u;
	return whole && (!has_other || (inside->peb32.closed[INV_LOAD_ORDER] && inside->peb32.closed[INV_MEMORY_ORDER]));
}

void inv_judge_I11(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	if (!inside->peb.address) {
		inv_unknown_because(judge, "the process has no PEB, or its memory cannot be read");
		return;
	}
	if (is_empty(&inside->peb) && inv_is_starting(inside)) {
		inv_excuse(judge, inv_subject_process(inside->process), "starting");
		return;
	}
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct review review = {.trial = &trial};
	review_loaded(&review, &inside->peb);
	review_loaded(&review, &inside->peb32);
	bool whole = lists_are_whole(inside);
	// What proves comes first: what is only observed would else stand for it.
	review_names(&review, &inside->peb, false);
	review_names(&review, &inside->peb32, false);
	if (whole)
		review_unlisted(&review);
	else
		inv_trial_unsure(&trial, "not all of the loader's lists can be read to their ends");
	review_names(&review, &inside->peb, true);
	review_names(&review, &inside->peb32, true);
	stbds_hmfree(review.listed);
	if (review.linking && !trial.finding && !trial.lacking && !trial.unsure)
		inv_excuse(judge, inv_subject_process(inside->process), "linking");
	else
		inv_trial_end(&trial);
}

// -- I12 --------------------------------------------------------------------------------------------------------------------

void inv_judge_I12(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	if (inv_count(inside->survey.ranges) != inv_count(inside->vads.vads)) {
		inv_unknown_because(judge, "the pages of the process cannot be read");
		return;
	}
	size_t said = 0;
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		const struct inv_range_pages *pages = &inside->survey.ranges[i];
		if (vad->type == INV_VAD_IMAGE || pages->executable == 0 || said++ >= MOST_SAID)
			continue;
		inv_trial_broken(&trial, INV_TIER_USER_MODE);
		inv_range_says(&trial, vad, "%s memory, %u pages of it executable, %u of these writable",
		               vad->is_private ? "private" : "mapped", pages->executable, pages->writable_executable);
	}
	for (size_t i = 0; i < inv_count(inside->survey.notes) && said < MOST_SAID; i++) {
		const struct inv_page_note *note = &inside->survey.notes[i];
		if (note->kind != INV_PAGE_HEADER || !note->vad || !note->page.executable)
			continue;
		said++;
		inv_trial_broken(&trial, INV_TIER_USER_MODE);
		inv_range_says(&trial, note->vad, "a page at 0x%" PRIx64 " begins as a program does", note->page.address);
	}
	if (!inside->survey.complete && inside->survey.why.reason != INV_PRESENT) {
		struct inv_value pages = {.why = inside->survey.why};
		inv_trial_needs(&trial, &pages);
	}
	inv_trial_end(&trial);
}

// -- I13 --------------------------------------------------------------------------------------------------------------------

void inv_judge_I13(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	size_t said = 0;
	for (size_t i = 0; i < inv_count(inside->vads.vads) && said < MOST_SAID; i++) {
		const struct inv_vad *vad = &inside->vads.vads[i];
		const struct inv_control_area *area = vad->type == INV_VAD_IMAGE && vad != inside->image.vad
		                                          ? inv_control_area_at(inside->sections, vad->control_area)
		                                          : NULL;
		if (!area || !area->file.address)
			continue;
		bool pending = area->file.delete_pending.ok && area->file.delete_pending.u;
		bool writable = area->file.write_access.ok && area->file.write_access.u;
		bool transacted = area->file.transaction.ok && area->file.transaction.u;
		bool other = area->file.image_area.ok && area->file.image_area.u != area->address;
		if (!pending && !writable && !transacted && !other)
			continue;
		said++;
		inv_trial_broken(&trial, INV_TIER_MEMORY_MANAGER);
		inv_range_says(&trial, vad, "\"%s\" %s", area->file.name,
		               pending      ? "is to be deleted by the object that it was mapped through"
		               : transacted ? "was opened in a transaction"
		               : writable   ? "was mapped through an object by which it can be written"
		                            : "has another image now than the one that is mapped");
	}
	if (!inside->vads.complete)
		inv_trial_unsure(&trial, "not all ranges of the process can be read");
	inv_trial_end(&trial);
}
