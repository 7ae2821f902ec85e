// SPDX-License-Identifier: Apache-2.0
// Control areas, section objects and views: MmCreateSection, MmMapViewOfSection, MiUnmapViewOfSection and the end of a segment.
#include <stdlib.h>

#include "model/parts.h"

#define SECTION_ALL_ACCESS 0xf001fu

// -- control areas ------------------------------------------------------------------------------------------------------------

static struct inv_model_area **pointer_of(struct inv_model_stream *stream, enum inv_model_backing backing)
{
	return backing == INV_MODEL_IMAGE ? &stream->image_section_object : &stream->data_section_object;
}

static struct inv_model_area *new_area(struct inv_model *model, const struct inv_model_work *work)
{
	struct inv_model_area *area = inv_alloc(sizeof *area);
	area->serial = ++model->last_area;
	area->backing = work->backing;
	area->being_created = true;
	area->pages = work->pages;
	if (work->backing != INV_MODEL_PAGEFILE) {
		area->file_pointer = work->file;
		inv_model_reference(&work->file->object);
		area->stream = work->file->stream;
		area->pages = area->stream->pages;
		*pointer_of(area->stream, area->backing) = area;
	}
	area->prototypes = inv_alloc(area->pages * sizeof *area->prototypes);
	inv_model_list_init(&area->views);
	inv_model_append(&model->areas, &area->list, area);
	return area;
}

void inv_model_free_area(struct inv_model_area *area)
{
	inv_model_unlink(&area->list);
	free(area->prototypes);
	free(area);
}

// MiCreateImageFileMap, MiCreateDataFileMap or MiCreatePagingFileMap. A file has one control area of each kind: who comes second
// takes the one that is there, and waits for one that comes or goes.
STEP(find_area)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	struct inv_model_area *area = NULL;
	if (work->backing != INV_MODEL_PAGEFILE)
		area = *pointer_of(work->file->stream, work->backing);
	if (area && (area->being_created || area->being_deleted))
		return INV_TOOK_NOT;
	if (!area)
		area = new_area(operation->model, work);
	inv_model_unlink(&area->unused);
	area->number_of_section_references++;
	area->number_of_user_references += !work->kernel;
	work->area = area;
	work->section_references = 1;
	work->user_references = !work->kernel;
	return INV_TOOK;
}

// The segment with its prototype PTEs. Pages without a file are charged once, here.
static void build_segment(struct inv_model *model, struct inv_model_area *area)
{
	if (!area->being_created)
		return;
	area->being_created = false;
	if (area->backing == INV_MODEL_PAGEFILE)
		model->committed_pages += area->number_of_committed_pages = area->pages;
	if (area->backing != INV_MODEL_IMAGE)
		return;
	model->next_image_base -= INV_MODEL_GRANULARITY; // MiSelectImageBase; MAX_PAGES of them are never needed
	area->based_address = model->next_image_base;
}

STEP(build_area)
{
	build_segment(operation->model, call->work.area);
	return INV_TOOK;
}

STEP(create_section)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	struct inv_model_section *section =
	    (struct inv_model_section *)inv_model_create_object(operation->model, INV_MODEL_SECTION);
	section->area = work->area;
	section->user_reference = !work->kernel;
	work->section_references = work->user_references = 0;
	operation->result.section = section;
	inv_push(operation->held, &section->object);
	return INV_TOOK;
}

static const struct inv_model_step section_steps[] = {
    {"SectionObjectPointers, NumberOfSectionReferences", find_area},
    {"SEGMENT", build_area},
    {"ObCreateObject", create_section},
};

void inv_model_push_section(struct inv_model_operation *operation, const struct inv_model_work *work)
{
	inv_model_push_work(operation, INV_MODEL_STEPS(section_steps), NULL, work);
}

struct inv_model_section *inv_model_known_section(struct inv_model *model, enum inv_model_backing backing)
{
	const struct inv_model_work work = {.file = inv_model_new_file(model, NULL), .backing = backing};
	struct inv_model_section *section = (struct inv_model_section *)inv_model_create_object(model, INV_MODEL_SECTION);
	section->area = new_area(model, &work);
	work.file->object.pointer_count--; // the area alone refers to it
	build_segment(model, section->area);
	section->area->number_of_section_references = 1;
	return section;
}

// -- the end of a segment -----------------------------------------------------------------------------------------------------

STEP(leave_file)
{
	(void)operation;
	const struct inv_model_area *area = call->work.area;
	if (area->stream)
		*pointer_of(area->stream, area->backing) = NULL;
	return INV_TOOK;
}

STEP(delete_pages)
{
	struct inv_model_area *area = call->work.area;
	for (uint32_t i = 0; i < area->pages; i++)
		area->prototypes[i] = (struct inv_model_prototype){0};
	area->number_of_pfn_references = 0;
	operation->model->committed_pages -= area->number_of_committed_pages;
	area->number_of_committed_pages = 0;
	return INV_TOOK;
}

STEP(release_file)
{
	struct inv_model_area *area = call->work.area;
	struct inv_model_file *file = area->file_pointer;
	area->file_pointer = NULL;
	area->stream = NULL;
	if (file)
		inv_model_dereference(operation, &file->object);
	return INV_TOOK;
}

STEP(free_area)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	inv_model_free_area(work->area);
	work->area = NULL;
	return INV_TOOK;
}

static const struct inv_model_step delete_area_steps[] = {
    {"MiSegmentDelete: SectionObjectPointers", leave_file},
    {"MiSegmentDelete: pages", delete_pages},
    {"MiSegmentDelete: FilePointer", release_file},
    {"MiSegmentDelete: CONTROL_AREA", free_area},
};

static void push_delete_area(struct inv_model_operation *operation, struct inv_model_area *area)
{
	const struct inv_model_work work = {.area = area};
	area->being_deleted = true;
	inv_model_push_work(operation, INV_MODEL_STEPS(delete_area_steps), NULL, &work);
}

// MiCheckControlArea. Pages of a file that are still in memory keep the segment, until somebody wants it again or memory is short.
void inv_model_push_release_area(struct inv_model_operation *operation, struct inv_model_area *area)
{
	if (area->number_of_section_references || area->number_of_mapped_views)
		return;
	if (area->stream && area->number_of_pfn_references)
		inv_model_append(&operation->model->unused_segments, &area->unused, area);
	else
		push_delete_area(operation, area);
}

STEP(purge)
{
	(void)call;
	const struct inv_model_link *head = &operation->model->unused_segments;
	if (inv_model_empty(head))
		return INV_TOOK;
	struct inv_model_area *area = head->next->owner;
	inv_model_unlink(&area->unused);
	push_delete_area(operation, area);
	return INV_TOOK;
}

STEP(release_area)
{
	struct inv_model_section *section = (struct inv_model_section *)call->subject;
	struct inv_model_area *area = section->area;
	section->area = NULL;
	area->number_of_section_references--;
	area->number_of_user_references -= section->user_reference;
	inv_model_push_release_area(operation, area);
	return INV_TOOK;
}

STEP(free_section)
{
	inv_model_free_object(operation->model, call->subject);
	return INV_TOOK;
}

// -- NtCreateSection ----------------------------------------------------------------------------------------------------------

STEP(begin_section)
{
	(void)call;
	const struct inv_model_request *request = &operation->request;
	struct inv_model_work work = {.backing = request->backing, .pages = request->pages};
	if (request->backing == INV_MODEL_PAGEFILE) {
		if (request->pages == 0 || request->pages > INV_MODEL_MAX_PAGES)
			return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	} else {
		if (!request->object || request->object->type != INV_MODEL_FILE || request->backing > INV_MODEL_PAGEFILE)
			return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
		work.file = (struct inv_model_file *)request->object;
	}
	inv_model_push_section(operation, &work);
	return INV_TOOK;
}

STEP(open_section)
{
	(void)call;
	operation->result.handle = inv_model_open(operation->model, operation->request.process,
	                                          &operation->result.section->object, SECTION_ALL_ACCESS);
	if (operation->result.handle)
		return INV_TOOK;
	operation->result.section = NULL;
	return inv_model_refuse(operation, INV_STATUS_INSUFFICIENT_RESOURCES);
}

// -- MmMapViewOfSection: MiMapViewOfImageSection, MiMapViewOfDataSection ------------------------------------------------------

// MiCheckPurgeAndUpMapCount
STEP(count_view)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	work->area->number_of_mapped_views++;
	work->area->number_of_user_references += !work->kernel;
	work->mapped_views = 1;
	work->user_references = !work->kernel;
	return INV_TOOK;
}

static uint64_t place(const struct inv_model_work *work)
{
	uint64_t wish = work->page ? work->page : work->area->based_address;
	return inv_model_find_range(work->process, wish, work->area->pages);
}

static bool charged(enum inv_model_protection protection)
{
	return protection == INV_PROTECT_WRITECOPY || protection == INV_PROTECT_EXECUTE_WRITECOPY;
}

// The headers are read, the code is executed, the data is copied when it is written.
static enum inv_model_protection page_protection(const struct inv_model_work *work, uint32_t page)
{
	if (work->area->backing != INV_MODEL_IMAGE)
		return work->protection;
	return page == 0                       ? INV_PROTECT_READONLY
	       : page <= work->area->pages / 2 ? INV_PROTECT_EXECUTE_READ
	                                       : INV_PROTECT_WRITECOPY;
}

STEP(insert_view)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	work->page = place(work);
	work->pages = work->area->pages;
	work->vad = inv_model_new_vad(operation->model, work);
	work->vad->area = work->area;
	work->vad->type = work->area->backing == INV_MODEL_IMAGE ? INV_MODEL_VAD_IMAGE : INV_MODEL_VAD_MAPPED;
	work->vad->user_reference = !work->kernel;
	work->vad->inherit = true; // ViewShare
	for (uint32_t i = 0; i < work->pages; i++) {
		work->vad->pages[i].protection = page_protection(work, i);
		work->vad->pages[i].committed = charged(work->vad->pages[i].protection);
	}
	work->mapped_views = work->user_references = 0;
	inv_model_insert_vad(work->process, work->vad);
	operation->result.page = work->page;
	return INV_TOOK;
}

STEP(link_view)
{
	(void)operation;
	const struct inv_model_work *work = &call->work;
	inv_model_append(&work->area->views, &work->vad->view, work->vad);
	return INV_TOOK;
}

STEP(charge_view)
{
	uint64_t copied = 0;
	for (uint32_t i = 0; i < call->work.pages; i++)
		copied += call->work.vad->pages[i].committed;
	call->work.process->space.virtual_size += call->work.pages;
	inv_model_charge_commit(operation->model, call->work.process, copied);
	return INV_TOOK;
}

static const struct inv_model_step map_steps[] = {
    {"MiCheckPurgeAndUpMapCount", count_view},
    {"MiInsertVad", insert_view},
    {"MMVAD.ViewLinks", link_view},
    {"VirtualSize, CommitCharge", charge_view},
};

void inv_model_push_map(struct inv_model_operation *operation, const struct inv_model_work *work)
{
	inv_model_push_work(operation, INV_MODEL_STEPS(map_steps), NULL, work);
}

// -- NtMapViewOfSection -------------------------------------------------------------------------------------------------------

static enum inv_model_protection view_protection(const struct inv_model_area *area, enum inv_model_protection wish)
{
	if (area->backing == INV_MODEL_IMAGE)
		return INV_PROTECT_EXECUTE_WRITECOPY;
	bool known = wish == INV_PROTECT_READONLY || wish == INV_PROTECT_READWRITE || wish == INV_PROTECT_WRITECOPY ||
	             wish == INV_PROTECT_EXECUTE_READ;
	return known ? wish : INV_PROTECT_READONLY;
}

// A section has no room in a space that has too many ranges.
STEP(begin_map)
{
	const struct inv_model_section *section = (const struct inv_model_section *)operation->request.object;
	struct inv_model_process *process = inv_as_process(call->subject);
	if (section->object.type != INV_MODEL_SECTION)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	if (process->space.vad_count >= INV_MODEL_MAX_VADS)
		return inv_model_refuse(operation, INV_STATUS_NO_MEMORY);
	if (inv_model_lock_space(process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	struct inv_model_work work = {.process = process, .area = section->area, .page = operation->request.page};
	work.protection = view_protection(section->area, operation->request.protection);
	inv_model_push_map(operation, &work);
	return INV_TOOK;
}

static const struct inv_model_step create_steps[] = {{"MmCreateSection", begin_section},
                                                     {"ObInsertObjectEx", open_section}};
static const struct inv_model_step view_steps[] = {{"AddressCreationLock", begin_map},
                                                   {"release AddressCreationLock", inv_model_unlock_step}};
static const struct inv_model_step purge_steps[] = {{"MiUnusedSegmentList", purge}};
static const struct inv_model_step delete_steps[] = {{"MiSectionDelete", release_area},
                                                     {"ObpFreeObject", free_section}};

struct inv_model_routine_steps inv_model_delete_section(void)
{
	return INV_MODEL_STEPS(delete_steps);
}

struct inv_model_routine_steps inv_model_section_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_CREATE_SECTION  ? INV_MODEL_STEPS(create_steps)
	       : kind == INV_MODEL_MAP_VIEW      ? INV_MODEL_STEPS(view_steps)
	       : kind == INV_MODEL_PURGE_SEGMENT ? INV_MODEL_STEPS(purge_steps)
	                                         : none;
}
