// SPDX-License-Identifier: Apache-2.0
// Address spaces: the ordered set of VADs with its counters; NtAllocateVirtualMemory, NtFreeVirtualMemory,
// NtProtectVirtualMemory, MmCleanProcessAddressSpace and the copy that a clone gets.
#include <stdlib.h>

#include "model/parts.h"

// -- the set ------------------------------------------------------------------------------------------------------------------

struct inv_model_vad *inv_model_vad_at(const struct inv_model_process *process, uint64_t page)
{
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_vad *vad = link->owner;
		if (page >= vad->start && page <= vad->end)
			return vad;
	}
	return NULL;
}

static bool is_free(const struct inv_model_process *process, uint64_t start, uint64_t end)
{
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (start <= vad->end && end >= vad->start)
			return false;
	}
	return true;
}

static uint64_t align(uint64_t page)
{
	return (page + INV_MODEL_GRANULARITY - 1) / INV_MODEL_GRANULARITY * INV_MODEL_GRANULARITY;
}

// Spaces are far greater than what the model puts into them: there is always room behind the last range.
uint64_t inv_model_find_range(const struct inv_model_process *process, uint64_t wish, uint32_t pages)
{
	bool possible = wish >= INV_MODEL_LOWEST_PAGE && wish % INV_MODEL_GRANULARITY == 0 &&
	                wish <= INV_MODEL_HIGHEST_PAGE - INV_MODEL_MAX_PAGES;
	if (possible && is_free(process, wish, wish + pages - 1))
		return wish;
	const struct inv_model_link *head = &process->space.vad_root;
	uint64_t start = INV_MODEL_LOWEST_PAGE;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (start + pages <= vad->start)
			break;
		start = align(vad->end + 1);
	}
	return start;
}

struct inv_model_vad *inv_model_new_vad(struct inv_model *model, const struct inv_model_work *work)
{
	struct inv_model_vad *vad = inv_alloc(sizeof *vad);
	vad->process = work->process;
	vad->purpose = work->purpose;
	vad->start = work->page;
	vad->end = work->page + work->pages - 1;
	vad->protection = work->protection;
	vad->mem_commit = work->commit;
	vad->pages = inv_alloc(work->pages * sizeof *vad->pages);
	for (uint32_t i = 0; i < work->pages; i++)
		vad->pages[i] = (struct inv_model_page){INV_MODEL_PAGE_ZERO, work->protection, work->commit};
	inv_model_append(&model->vads, &vad->block, vad);
	return vad;
}

void inv_model_free_vad(struct inv_model_vad *vad)
{
	inv_model_unlink(&vad->block);
	free(vad->pages);
	free(vad);
}

void inv_model_insert_vad(struct inv_model_process *process, struct inv_model_vad *vad)
{
	struct inv_model_link *next = process->space.vad_root.next;
	while (next != &process->space.vad_root && ((const struct inv_model_vad *)next->owner)->start < vad->start)
		next = next->next;
	inv_model_append(next, &vad->node, vad); // before `next`
	process->space.vad_count++;
	process->space.vad_hint = vad;
}

static void remove_vad(struct inv_model_vad *vad)
{
	struct inv_model_space *space = &vad->process->space;
	if (space->vad_hint == vad)
		space->vad_hint = vad->node.prev->owner ? vad->node.prev->owner : vad->node.next->owner;
	inv_model_unlink(&vad->node);
	space->vad_count--;
}

static uint64_t pages_of(const struct inv_model_vad *vad)
{
	return vad->end - vad->start + 1;
}

// -- the lock -----------------------------------------------------------------------------------------------------------------

enum inv_model_took inv_model_lock_space(struct inv_model_process *process)
{
	if (process->space.address_creation_lock)
		return INV_TOOK_NOT;
	process->space.address_creation_lock = true;
	return INV_TOOK;
}

enum inv_model_took inv_model_unlock_step(struct inv_model_operation *operation, const struct inv_model_call *call)
{
	(void)operation;
	struct inv_model_process *process =
	    call->subject->type == INV_MODEL_THREAD ? inv_as_thread(call->subject)->process : inv_as_process(call->subject);
	process->space.address_creation_lock = false;
	return INV_TOOK;
}

// -- making a private range ---------------------------------------------------------------------------------------------------

STEP(insert_private)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	work->page = inv_model_find_range(work->process, work->page, work->pages);
	work->vad = inv_model_new_vad(operation->model, work);
	work->vad->inherit = true;
	inv_model_insert_vad(work->process, work->vad);
	operation->result.page = work->page;
	return INV_TOOK;
}

void inv_model_charge_commit(struct inv_model *model, struct inv_model_process *process, uint64_t pages)
{
	process->space.commit_charge += pages;
	model->committed_pages += pages;
}

static void return_commit(struct inv_model *model, struct inv_model_process *process, uint64_t pages)
{
	process->space.commit_charge -= pages;
	model->committed_pages -= pages;
}

static uint64_t committed(const struct inv_model_vad *vad)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i < pages_of(vad); i++)
		count += vad->pages[i].committed;
	return count;
}

STEP(charge_range)
{
	const struct inv_model_vad *vad = call->work.vad;
	call->work.process->space.virtual_size += pages_of(vad);
	inv_model_charge_commit(operation->model, call->work.process, committed(vad));
	return INV_TOOK;
}

static const struct inv_model_step make_steps[] = {
    {"MiInsertVad", insert_private},
    {"VirtualSize, CommitCharge", charge_range},
};

void inv_model_push_allocate(struct inv_model_operation *operation, const struct inv_model_work *work)
{
	inv_model_push_work(operation, INV_MODEL_STEPS(make_steps), NULL, work);
}

// -- removing a range ---------------------------------------------------------------------------------------------------------

static void delete_page(struct inv_model_vad *vad, uint64_t index)
{
	struct inv_model_space *space = &vad->process->space;
	struct inv_model_page *page = &vad->pages[index];
	bool own = page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_TRANSITION ||
	           page->state == INV_MODEL_PAGE_PAGED_OUT;
	space->number_of_private_pages -= own;
	space->working_set_size -= page->state == INV_MODEL_PAGE_PRIVATE || page->state == INV_MODEL_PAGE_SHARED;
	if (page->state == INV_MODEL_PAGE_SHARED)
		inv_model_unshare(&vad->area->prototypes[vad->first_prototype + index]);
	page->state = INV_MODEL_PAGE_ZERO;
}

STEP(take_from_tree)
{
	(void)operation;
	remove_vad(call->work.vad);
	return INV_TOOK;
}

STEP(delete_pages)
{
	(void)operation;
	struct inv_model_vad *vad = call->work.vad;
	for (uint64_t i = 0; i < pages_of(vad); i++)
		delete_page(vad, i);
	if (vad->purpose == INV_PURPOSE_HEAP)
		inv_model_forget_modules(vad->process);
	return INV_TOOK;
}

STEP(return_charges)
{
	struct inv_model_vad *vad = call->work.vad;
	vad->process->space.virtual_size -= pages_of(vad);
	return_commit(operation->model, vad->process, committed(vad));
	for (uint64_t i = 0; i < pages_of(vad); i++)
		vad->pages[i].committed = false;
	return INV_TOOK;
}

STEP(leave_views)
{
	(void)operation;
	inv_model_unlink(&call->work.vad->view);
	return INV_TOOK;
}

STEP(dereference_area)
{
	struct inv_model_vad *vad = call->work.vad;
	struct inv_model_area *area = vad->area;
	if (!area)
		return INV_TOOK;
	vad->area = NULL;
	area->number_of_mapped_views--;
	area->number_of_user_references -= vad->user_reference;
	inv_model_push_release_area(operation, area);
	return INV_TOOK;
}

STEP(free_vad)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	inv_model_free_vad(work->vad);
	work->vad = NULL;
	return INV_TOOK;
}

static const struct inv_model_step remove_steps[] = {
    {"MiRemoveVad", take_from_tree},
    {"MiDeleteVirtualAddresses", delete_pages},
    {"VirtualSize, CommitCharge", return_charges},
    {"MMVAD.ViewLinks", leave_views},
    {"MiDereferenceControlArea", dereference_area},
    {"MMVAD", free_vad},
};

void inv_model_push_remove(struct inv_model_operation *operation, struct inv_model_vad *vad)
{
	const struct inv_model_work work = {.process = vad->process, .vad = vad};
	inv_model_push_work(operation, INV_MODEL_STEPS(remove_steps), NULL, &work);
}

// -- NtAllocateVirtualMemory --------------------------------------------------------------------------------------------------

static void commit_pages(struct inv_model *model, struct inv_model_vad *vad)
{
	uint64_t before = committed(vad);
	for (uint64_t i = 0; i < pages_of(vad); i++) {
		vad->pages[i].committed = true;
		if (vad->pages[i].state == INV_MODEL_PAGE_DECOMMITTED)
			vad->pages[i].state = INV_MODEL_PAGE_ZERO;
	}
	inv_model_charge_commit(model, vad->process, committed(vad) - before);
}

STEP(commit_range)
{
	commit_pages(operation->model, call->work.vad);
	return INV_TOOK;
}

static const struct inv_model_step commit_steps[] = {{"MiCommitExistingVad", commit_range}};

static bool programs_own(const struct inv_model_vad *vad)
{
	return vad->type == INV_MODEL_VAD_PRIVATE && vad->purpose == INV_PURPOSE_NONE;
}

STEP(begin_allocate)
{
	const struct inv_model_request *request = &operation->request;
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_vad *known = request->page ? inv_model_vad_at(process, request->page) : NULL;
	bool sound = known ? programs_own(known) && request->commit
	                   : request->pages && request->pages <= INV_MODEL_MAX_PAGES &&
	                         process->space.vad_count < INV_MODEL_MAX_VADS;
	if (!sound)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	if (inv_model_lock_space(process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	const struct inv_model_work work = {
	    .process = process,
	    .vad = known,
	    .page = request->page,
	    .pages = request->pages,
	    .protection = request->protection ? request->protection : INV_PROTECT_READWRITE,
	    .commit = request->commit,
	};
	if (known)
		inv_model_push_work(operation, INV_MODEL_STEPS(commit_steps), NULL, &work);
	else
		inv_model_push_allocate(operation, &work);
	return INV_TOOK;
}

// -- NtFreeVirtualMemory, NtUnmapViewOfSection --------------------------------------------------------------------------------

STEP(decommit_range)
{
	struct inv_model_vad *vad = call->work.vad;
	uint64_t before = committed(vad);
	for (uint64_t i = 0; i < pages_of(vad); i++) {
		if (!vad->pages[i].committed)
			continue;
		delete_page(vad, i);
		vad->pages[i].state = INV_MODEL_PAGE_DECOMMITTED;
		vad->pages[i].committed = false;
	}
	return_commit(operation->model, vad->process, before);
	return INV_TOOK;
}

static const struct inv_model_step decommit_steps[] = {{"MiDecommitPages", decommit_range}};

// The last one that the program itself asked for, or the one at this page.
static struct inv_model_vad *find_own(const struct inv_model_process *process, uint64_t page, bool view)
{
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->prev; link != head; link = link->prev) {
		struct inv_model_vad *vad = link->owner;
		bool meant = page == 0 || (page >= vad->start && page <= vad->end);
		if (meant && vad->purpose == INV_PURPOSE_NONE && (vad->type != INV_MODEL_VAD_PRIVATE) == view)
			return vad;
	}
	return NULL;
}

STEP(begin_free)
{
	const struct inv_model_request *request = &operation->request;
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_vad *vad = find_own(process, request->page, request->kind == INV_MODEL_UNMAP_VIEW);
	if (!vad)
		return inv_model_refuse(operation, INV_STATUS_NOT_MAPPED_VIEW);
	if (inv_model_lock_space(process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	const struct inv_model_work work = {.process = process, .vad = vad};
	if (request->decommit && request->kind == INV_MODEL_FREE_MEMORY)
		inv_model_push_work(operation, INV_MODEL_STEPS(decommit_steps), NULL, &work);
	else
		inv_model_push_remove(operation, vad);
	return INV_TOOK;
}

// -- NtProtectVirtualMemory: page-table entries, never MMVAD.Protection -------------------------------------------------------

// Who may write to a view of an image writes to a copy.
static enum inv_model_protection of_view(const struct inv_model_vad *vad, enum inv_model_protection wish)
{
	bool copies = vad->type == INV_MODEL_VAD_IMAGE || vad->protection == INV_PROTECT_WRITECOPY;
	if (copies && wish == INV_PROTECT_READWRITE)
		return INV_PROTECT_WRITECOPY;
	return copies && wish == INV_PROTECT_EXECUTE_READWRITE ? INV_PROTECT_EXECUTE_WRITECOPY : wish;
}

static bool secured(const struct inv_model_vad *vad)
{
	return vad->purpose == INV_PURPOSE_PEB || vad->purpose == INV_PURPOSE_TEB;
}

// A view of data is never more than it was mapped for.
static bool may_protect(const struct inv_model_vad *vad, enum inv_model_protection wish)
{
	if (wish == INV_PROTECT_NONE || wish > INV_PROTECT_EXECUTE_WRITECOPY || secured(vad))
		return false;
	return vad->type != INV_MODEL_VAD_MAPPED || wish == INV_PROTECT_READONLY || wish == vad->protection;
}

STEP(begin_protect)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	const struct inv_model_vad *vad = inv_model_vad_at(process, operation->request.page);
	if (!vad || !may_protect(vad, operation->request.protection))
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	if (vad->type == INV_MODEL_VAD_PRIVATE && !vad->pages[operation->request.page - vad->start].committed)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	return inv_model_lock_space(process);
}

STEP(protect_page)
{
	const struct inv_model_request *request = &operation->request;
	const struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), request->page);
	struct inv_model_page *page = &vad->pages[request->page - vad->start];
	bool own = vad->type == INV_MODEL_VAD_PRIVATE || page->state == INV_MODEL_PAGE_PRIVATE ||
	           page->state == INV_MODEL_PAGE_TRANSITION || page->state == INV_MODEL_PAGE_PAGED_OUT;
	page->protection = own ? request->protection : of_view(vad, request->protection);
	return INV_TOOK;
}

// A page that may be copied is paid for before.
STEP(charge_copy)
{
	const struct inv_model_request *request = &operation->request;
	struct inv_model_vad *vad = inv_model_vad_at(inv_as_process(call->subject), request->page);
	struct inv_model_page *page = &vad->pages[request->page - vad->start];
	bool copies = page->protection == INV_PROTECT_WRITECOPY || page->protection == INV_PROTECT_EXECUTE_WRITECOPY;
	if (page->committed || !copies)
		return INV_TOOK;
	page->committed = true;
	inv_model_charge_commit(operation->model, vad->process, 1);
	return INV_TOOK;
}

// -- MmCleanProcessAddressSpace -----------------------------------------------------------------------------------------------

// (That the flag comes first, so that nobody maps anything any more: not verified.)
STEP(begin_clean)
{
	(void)operation;
	if (inv_model_lock_space(call->work.process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	call->work.process->vm_deleted = true;
	return INV_TOOK;
}

STEP(clean_vad)
{
	const struct inv_model_link *head = &call->work.process->space.vad_root;
	if (inv_model_empty(head))
		return INV_TOOK;
	inv_model_push_remove(operation, head->next->owner);
	return INV_TOOK_AGAIN;
}

STEP(end_clean)
{
	(void)operation;
	call->work.process->space.address_creation_lock = false;
	return INV_TOOK;
}

static const struct inv_model_step clean_steps[] = {
    {"MmCleanProcessAddressSpace: VmDeleted", begin_clean},
    {"MmCleanProcessAddressSpace: a VAD", clean_vad},
    {"MmCleanProcessAddressSpace: end", end_clean},
};

struct inv_model_routine_steps inv_model_clean_space(void)
{
	return INV_MODEL_STEPS(clean_steps);
}

// -- MiCloneProcessAddressSpace -----------------------------------------------------------------------------------------------
// Windows lets both processes share the private pages, by clone blocks, until one writes to them. Here they are copied at once.

static struct inv_model_process *parent_of(const struct inv_model_call *call)
{
	return inv_as_process(call->subject);
}

STEP(begin_clone)
{
	(void)operation;
	return inv_model_lock_space(parent_of(call));
}

static void copy_pages(struct inv_model *model, const struct inv_model_vad *from, struct inv_model_vad *to)
{
	struct inv_model_space *space = &to->process->space;
	for (uint64_t i = 0; i < pages_of(from); i++) {
		struct inv_model_page *page = &to->pages[i];
		*page = from->pages[i];
		if (page->state == INV_MODEL_PAGE_SHARED)
			page->state = INV_MODEL_PAGE_PROTOTYPE;
		space->working_set_size += page->state == INV_MODEL_PAGE_PRIVATE;
		space->number_of_private_pages += page->state == INV_MODEL_PAGE_PRIVATE ||
		                                  page->state == INV_MODEL_PAGE_TRANSITION ||
		                                  page->state == INV_MODEL_PAGE_PAGED_OUT;
	}
	space->virtual_size += pages_of(from);
	inv_model_charge_commit(model, to->process, committed(to));
}

static void copy_vad(struct inv_model *model, const struct inv_model_vad *from, struct inv_model_process *child)
{
	const struct inv_model_work work = {
	    .process = child,
	    .page = from->start,
	    .pages = (uint32_t)pages_of(from),
	    .protection = from->protection,
	    .commit = from->mem_commit,
	    // Its parent's threads do not run here: their TEBs and stacks are nobody's.
	    .purpose =
	        from->purpose == INV_PURPOSE_TEB || from->purpose == INV_PURPOSE_STACK ? INV_PURPOSE_NONE : from->purpose,
	};
	struct inv_model_vad *vad = inv_model_new_vad(model, &work);
	vad->type = from->type;
	vad->inherit = true;
	vad->user_reference = from->user_reference;
	vad->area = from->area;
	vad->first_prototype = from->first_prototype;
	inv_model_insert_vad(child, vad);
	copy_pages(model, from, vad);
	if (!vad->area)
		return;
	vad->area->number_of_mapped_views++;
	vad->area->number_of_user_references += vad->user_reference;
	inv_model_append(&vad->area->views, &vad->view, vad);
}

STEP(clone_vad)
{
	struct inv_model_work *work = inv_model_work(operation);
	const struct inv_model_link *head = &parent_of(call)->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (vad->start < work->page || !vad->inherit)
			continue;
		work->page = vad->end + 1;
		copy_vad(operation->model, vad, work->process);
		return INV_TOOK_AGAIN;
	}
	return INV_TOOK;
}

// What stands in user memory came with it.
STEP(end_clone)
{
	const struct inv_model_process *parent = parent_of(call);
	struct inv_model_process *child = call->work.process;
	child->peb = parent->peb;
	child->section_base_address = parent->section_base_address;
	inv_model_copy_modules(operation->model, parent, child);
	return INV_TOOK;
}

static const struct inv_model_step clone_steps[] = {
    {"MiCloneProcessAddressSpace: AddressCreationLock", begin_clone},
    {"MiCloneProcessAddressSpace: a VAD", clone_vad},
    {"MiCloneProcessAddressSpace: Peb, SectionBaseAddress", end_clone},
    {"MiCloneProcessAddressSpace: end", inv_model_unlock_step},
};

struct inv_model_routine_steps inv_model_clone_space(void)
{
	return INV_MODEL_STEPS(clone_steps);
}

// -- operations ---------------------------------------------------------------------------------------------------------------

static const struct inv_model_step allocate_steps[] = {{"AddressCreationLock", begin_allocate},
                                                       {"release AddressCreationLock", inv_model_unlock_step}};
static const struct inv_model_step free_steps[] = {{"AddressCreationLock", begin_free},
                                                   {"release AddressCreationLock", inv_model_unlock_step}};
static const struct inv_model_step protect_steps[] = {
    {"AddressCreationLock", begin_protect},
    {"MiSetProtectionOnSection", protect_page},
    {"CommitCharge", charge_copy},
    {"release AddressCreationLock", inv_model_unlock_step},
};

struct inv_model_routine_steps inv_model_space_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_ALLOCATE_MEMORY                               ? INV_MODEL_STEPS(allocate_steps)
	       : kind == INV_MODEL_FREE_MEMORY || kind == INV_MODEL_UNMAP_VIEW ? INV_MODEL_STEPS(free_steps)
	       : kind == INV_MODEL_PROTECT_MEMORY                              ? INV_MODEL_STEPS(protect_steps)
	                                                                       : none;
}
