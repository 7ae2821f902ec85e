// SPDX-License-Identifier: Apache-2.0
// Pages come and go: MmAccessFault and the trimming of working sets. A shared page becomes valid in its segment first, then in
// the page table ("Windows Internals" on prototype PTEs); in which order the counters follow: not verified.
#include "model/parts.h"

static struct inv_model_page *page_of(const struct inv_model_vad *vad, uint64_t page)
{
	return &vad->pages[page - vad->start];
}

static struct inv_model_prototype *prototype_of(const struct inv_model_vad *vad, uint64_t page)
{
	return &vad->area->prototypes[vad->first_prototype + (page - vad->start)];
}

void inv_model_unshare(struct inv_model_prototype *prototype)
{
	if (--prototype->share_count == 0)
		prototype->state = INV_PROTOTYPE_TRANSITION;
}

static bool writable(enum inv_model_protection protection)
{
	return protection >= INV_PROTECT_READWRITE;
}

static bool copies(enum inv_model_protection protection)
{
	return protection == INV_PROTECT_WRITECOPY || protection == INV_PROTECT_EXECUTE_WRITECOPY;
}

// The page is committed, and may be written to, if it shall be.
static bool may_access(const struct inv_model_vad *vad, uint64_t at, bool write)
{
	const struct inv_model_page *page = page_of(vad, at);
	return (vad->area || page->committed) && page->protection != INV_PROTECT_NONE &&
	       (!write || writable(page->protection));
}

STEP(begin_fault)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	const struct inv_model_vad *vad = inv_model_vad_at(process, operation->request.page);
	if (!vad || !may_access(vad, operation->request.page, operation->request.write))
		return inv_model_refuse(operation, INV_STATUS_ACCESS_VIOLATION);
	return inv_model_lock_space(process);
}

static bool is_own(const struct inv_model_page *page)
{
	return page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_TRANSITION ||
	       page->state == INV_MODEL_PAGE_PAGED_OUT;
}

static void bring_in(struct inv_model_area *area, struct inv_model_prototype *prototype)
{
	if (prototype->state != INV_PROTOTYPE_BACKING && prototype->state != INV_PROTOTYPE_PAGED_OUT)
		return;
	prototype->state = INV_PROTOTYPE_TRANSITION;
	area->number_of_pfn_references++;
}

// MiResolveProtoPteFault: the segment's page comes into memory.
STEP(resolve_prototype)
{
	const struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), operation->request.page);
	if (!vad->area || is_own(page_of(vad, operation->request.page)))
		return INV_TOOK;
	struct inv_model_prototype *prototype = prototype_of(vad, operation->request.page);
	bring_in(vad->area, prototype);
	return INV_TOOK;
}

// The page-table entry, with the share count of the page that it leads to.
STEP(make_valid)
{
	const struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), operation->request.page);
	struct inv_model_space *space = &vad->process->space;
	struct inv_model_page *page = page_of(vad, operation->request.page);
	if (page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_SHARED)
		return INV_TOOK;
	space->working_set_size++;
	if (!vad->area && !is_own(page))
		space->number_of_private_pages++;
	if (!vad->area || is_own(page)) {
		page->state = INV_MODEL_PAGE_PRIVATE;
		return INV_TOOK;
	}
	struct inv_model_prototype *prototype = prototype_of(vad, operation->request.page);
	bring_in(vad->area, prototype); // it may have been written out again meanwhile
	prototype->state = INV_PROTOTYPE_VALID;
	prototype->share_count++;
	page->state = INV_MODEL_PAGE_SHARED;
	return INV_TOOK;
}

// MiCopyOnWrite: from now on the page is the process' own.
STEP(copy_on_write)
{
	const struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), operation->request.page);
	struct inv_model_page *page = page_of(vad, operation->request.page);
	if (!operation->request.write || page->state != INV_MODEL_PAGE_SHARED || !copies(page->protection))
		return INV_TOOK;
	page->state = INV_MODEL_PAGE_PRIVATE;
	page->protection =
	    page->protection == INV_PROTECT_WRITECOPY ? INV_PROTECT_READWRITE : INV_PROTECT_EXECUTE_READWRITE;
	inv_model_unshare(prototype_of(vad, operation->request.page));
	vad->process->space.number_of_private_pages++;
	return INV_TOOK;
}

// -- MiTrimWorkingSet ---------------------------------------------------------------------------------------------------------

STEP(begin_trim)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	const struct inv_model_vad *vad = inv_model_vad_at(process, operation->request.page);
	if (!vad)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	return inv_model_lock_space(process);
}

// A page of a file needs no page file: its prototype says again where it came from.
static void write_out(const struct inv_model_vad *vad, uint64_t at)
{
	struct inv_model_prototype *prototype = prototype_of(vad, at);
	if (prototype->state != INV_PROTOTYPE_TRANSITION)
		return;
	prototype->state = vad->area->backing == INV_MODEL_PAGEFILE ? INV_PROTOTYPE_PAGED_OUT : INV_PROTOTYPE_BACKING;
	vad->area->number_of_pfn_references--;
}

STEP(trim)
{
	const struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), operation->request.page);
	struct inv_model_page *page = page_of(vad, operation->request.page);
	struct inv_model_space *space = &vad->process->space;
	if (page->state == INV_MODEL_PAGE_PRIVATE) {
		page->state = INV_MODEL_PAGE_TRANSITION;
		space->working_set_size--;
	} else if (page->state == INV_MODEL_PAGE_SHARED) {
		page->state = INV_MODEL_PAGE_PROTOTYPE;
		space->working_set_size--;
		inv_model_unshare(prototype_of(vad, operation->request.page));
	} else if (page->state == INV_MODEL_PAGE_TRANSITION) {
		page->state = INV_MODEL_PAGE_PAGED_OUT;
	} else if (vad->area && !is_own(page)) {
		write_out(vad, operation->request.page);
	}
	return INV_TOOK;
}

static const struct inv_model_step fault_steps[] = {
    {"working set lock", begin_fault},
    {"MiResolveProtoPteFault", resolve_prototype},
    {"MiInitializePfn, page-table entry", make_valid},
    {"MiCopyOnWrite", copy_on_write},
    {"release working set lock", inv_model_unlock_step},
};
static const struct inv_model_step trim_steps[] = {
    {"working set lock", begin_trim},
    {"MiTrimWorkingSet", trim},
    {"release working set lock", inv_model_unlock_step},
};

struct inv_model_routine_steps inv_model_fault_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_FAULT  ? INV_MODEL_STEPS(fault_steps)
	       : kind == INV_MODEL_TRIM ? INV_MODEL_STEPS(trim_steps)
	                                : none;
}
