// SPDX-License-Identifier: Apache-2.0
// Address spaces: the set of VADs in itself, and the counters against its pages. Who holds the lock of an address space may be
// between the one and the other.
#include "model/check.h"

struct totals {
	uint32_t vads;
	uint64_t virtual_size, private_pages, commit, working_set;
	bool hint;
};

static unsigned long long serial(const struct inv_model_process *process)
{
	return process->object.serial;
}

static const char *wrong_with_page(const struct inv_model_vad *vad, const struct inv_model_page *page)
{
	bool shared = page->state == INV_MODEL_PAGE_SHARED || page->state == INV_MODEL_PAGE_PROTOTYPE;
	bool own = page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_TRANSITION ||
	           page->state == INV_MODEL_PAGE_PAGED_OUT;
	if (shared && !vad->area)
		return "has a shared page in a private range";
	if (own && !page->committed)
		return "has a page of its own that is not committed";
	if (page->state == INV_MODEL_PAGE_DECOMMITTED && (vad->area || page->committed))
		return "has a page that is decommitted and committed";
	return NULL;
}

static void add_pages(const struct inv_model_checking *check, const struct inv_model_vad *vad, struct totals *totals)
{
	for (uint64_t i = 0; i <= vad->end - vad->start; i++) {
		const struct inv_model_page *page = &vad->pages[i];
		const char *wrong = wrong_with_page(vad, page);
		if (wrong)
			inv_model_disagree(check, "process %llu %s", serial(vad->process), wrong);
		totals->virtual_size++;
		totals->commit += page->committed;
		totals->working_set += page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_SHARED;
		totals->private_pages += page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_TRANSITION ||
		                         page->state == INV_MODEL_PAGE_PAGED_OUT;
	}
}

static const char *wrong_with_vad(const struct inv_model_process *process, const struct inv_model_vad *vad,
                                  uint64_t first)
{
	if (vad->process != process)
		return "has a VAD of another one";
	if (vad->start < first || vad->end < vad->start || vad->end > INV_MODEL_HIGHEST_PAGE)
		return "has VADs that are out of order";
	if ((vad->type == INV_MODEL_VAD_PRIVATE) != (vad->area == NULL))
		return "has a VAD whose type and control area disagree";
	if (vad->area && (vad->type == INV_MODEL_VAD_IMAGE) != (vad->area->backing == INV_MODEL_IMAGE))
		return "has a VAD whose type and segment disagree";
	if (!inv_model_linked(&vad->view) && vad->area && !process->space.address_creation_lock)
		return "has a view that its control area does not list";
	return NULL;
}

static struct totals walk(const struct inv_model_checking *check, const struct inv_model_process *process)
{
	struct totals totals = {0};
	uint64_t first = INV_MODEL_LOWEST_PAGE;
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (!inv_model_closed(check, link, "VadRoot"))
			break;
		const char *wrong = wrong_with_vad(process, vad, first);
		if (wrong)
			inv_model_disagree(check, "process %llu %s", serial(process), wrong);
		first = vad->end + 1;
		totals.vads++;
		totals.hint |= process->space.vad_hint == vad;
		add_pages(check, vad, &totals);
	}
	return totals;
}

static void check_totals(const struct inv_model_checking *check, const struct inv_model_process *process,
                         const struct totals *totals)
{
	const struct inv_model_space *space = &process->space;
	if (totals->vads != space->vad_count)
		inv_model_disagree(check, "process %llu counts %u VADs, %u are in its tree", serial(process), space->vad_count,
		                   totals->vads);
	if (totals->hint != (totals->vads > 0))
		inv_model_disagree(check, "VadHint of process %llu is not in its tree", serial(process));
	if (space->address_creation_lock) {
		if (check->at_rest)
			inv_model_disagree(check, "the address space of process %llu is still locked", serial(process));
		return;
	}
	const struct {
		uint64_t says, is;
		const char *name;
	} counters[] = {
	    {space->virtual_size, totals->virtual_size, "VirtualSize"},
	    {space->number_of_private_pages, totals->private_pages, "NumberOfPrivatePages"},
	    {space->commit_charge, totals->commit, "CommitCharge"},
	    {space->working_set_size, totals->working_set, "WorkingSetSize"},
	};
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
		if (counters[i].says != counters[i].is)
			inv_model_disagree(check, "%s of process %llu is %llu pages instead of %llu", counters[i].name,
			                   serial(process), (unsigned long long)counters[i].says,
			                   (unsigned long long)counters[i].is);
	if (process->vm_deleted && totals->vads)
		inv_model_disagree(check, "process %llu has VADs after its address space was cleaned", serial(process));
}

// Every VAD's block is in a tree, or on its way in or out of one.
static void check_blocks(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->vads;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (!inv_model_linked(&vad->node) && !vad->process->space.address_creation_lock)
			inv_model_disagree(check, "a VAD of process %llu is not in its tree", serial(vad->process));
	}
}

void inv_model_check_spaces(const struct inv_model_checking *check)
{
	uint64_t committed = 0;
	const struct inv_model_link *head = &check->model->blocks[INV_MODEL_PROCESS];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_process *process = link->owner;
		const struct totals totals = walk(check, process);
		check_totals(check, process, &totals);
		committed += process->space.commit_charge;
	}
	check_blocks(check);
	head = &check->model->areas;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		committed += ((const struct inv_model_area *)link->owner)->number_of_committed_pages;
	if (committed != check->model->committed_pages)
		inv_model_disagree(check, "TotalCommittedPages is %llu; processes and segments have %llu",
		                   (unsigned long long)check->model->committed_pages, (unsigned long long)committed);
}
