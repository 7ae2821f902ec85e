// SPDX-License-Identifier: Apache-2.0
// Files, control areas, sections and views: every count against what is counted.
#include "model/check.h"

static unsigned long long number(uint64_t value)
{
	return value;
}

static void clear(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->areas;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_area *area = link->owner;
		area->sections_seen = area->views_seen = area->users_seen = 0;
		for (uint32_t i = 0; i < area->pages; i++)
			area->prototypes[i].shares_seen = 0;
	}
	head = &check->model->streams;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_stream *stream = link->owner;
		stream->references_seen = stream->with_handles_seen = 0;
	}
}

static void see_sections(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->blocks[INV_MODEL_SECTION];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_section *section = link->owner;
		if (!section->area && section->object.pointer_count)
			inv_model_disagree(check, "section %llu has no control area", number(section->object.serial));
		if (!section->area)
			continue;
		section->area->sections_seen++;
		section->area->users_seen += section->user_reference;
	}
}

static void see_shares(const struct inv_model_checking *check, const struct inv_model_vad *vad)
{
	uint64_t pages = vad->end - vad->start + 1;
	if (vad->first_prototype + pages > vad->area->pages) {
		inv_model_disagree(check, "a view is greater than its segment %llu", number(vad->area->serial));
		return;
	}
	for (uint64_t i = 0; i < pages; i++)
		vad->area->prototypes[vad->first_prototype + i].shares_seen += vad->pages[i].state == INV_MODEL_PAGE_SHARED;
}

static void see_views(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->vads;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (!vad->area)
			continue;
		vad->area->views_seen++;
		vad->area->users_seen += vad->user_reference;
		see_shares(check, vad);
	}
}

// What an operation under way has counted and not yet recorded.
static void see_operations(const struct inv_model_checking *check)
{
	const struct inv_model *model = check->model;
	for (size_t i = 0; i < inv_count(model->operations); i++) {
		for (size_t j = 0; j < inv_count(model->operations[i]->calls); j++) {
			const struct inv_model_work *work = &model->operations[i]->calls[j].work;
			if (work->section_references || work->mapped_views) {
				work->area->sections_seen += work->section_references;
				work->area->views_seen += work->mapped_views;
				work->area->users_seen += work->user_references;
			}
		}
	}
}

static void check_pages(const struct inv_model_checking *check, const struct inv_model_area *area)
{
	uint32_t present = 0;
	for (uint32_t i = 0; i < area->pages; i++) {
		const struct inv_model_prototype *prototype = &area->prototypes[i];
		present += prototype->state == INV_PROTOTYPE_VALID || prototype->state == INV_PROTOTYPE_TRANSITION;
		if (prototype->share_count != prototype->shares_seen)
			inv_model_disagree(check, "page %u of segment %llu has the share count %u; %u spaces have it", i,
			                   number(area->serial), prototype->share_count, prototype->shares_seen);
		if ((prototype->state == INV_PROTOTYPE_VALID) != (prototype->share_count > 0))
			inv_model_disagree(check, "page %u of segment %llu is in state %d with the share count %u", i,
			                   number(area->serial), prototype->state, prototype->share_count);
		if (prototype->state == INV_PROTOTYPE_PAGED_OUT && area->backing != INV_MODEL_PAGEFILE)
			inv_model_disagree(check, "a page of a file is in the page file");
	}
	if (present != area->number_of_pfn_references)
		inv_model_disagree(check, "segment %llu counts %u pages in memory, %u are", number(area->serial),
		                   area->number_of_pfn_references, present);
}

static void check_counts(const struct inv_model_checking *check, const struct inv_model_area *area)
{
	if (area->number_of_section_references != area->sections_seen)
		inv_model_disagree(check, "control area %llu counts %u sections, %u are known", number(area->serial),
		                   area->number_of_section_references, area->sections_seen);
	if (area->number_of_mapped_views != area->views_seen)
		inv_model_disagree(check, "control area %llu counts %u views, %u are known", number(area->serial),
		                   area->number_of_mapped_views, area->views_seen);
	if (area->number_of_user_references != area->users_seen)
		inv_model_disagree(check, "control area %llu counts %u user references, %u are known", number(area->serial),
		                   area->number_of_user_references, area->users_seen);
	uint32_t committed = area->backing == INV_MODEL_PAGEFILE ? area->pages : 0;
	if (area->number_of_committed_pages != committed && !area->being_created && !area->being_deleted)
		inv_model_disagree(check, "segment %llu counts %u committed pages instead of %u", number(area->serial),
		                   area->number_of_committed_pages, committed);
}

static void check_views(const struct inv_model_checking *check, const struct inv_model_area *area)
{
	uint32_t count = 0;
	for (const struct inv_model_link *link = area->views.next; link != &area->views; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (!inv_model_closed(check, link, "CONTROL_AREA's list of views"))
			return;
		count++;
		if (vad->area != area)
			inv_model_disagree(check, "a view of another control area is on the list of %llu", number(area->serial));
	}
	if (count > area->number_of_mapped_views || (check->at_rest && count != area->number_of_mapped_views))
		inv_model_disagree(check, "control area %llu counts %u views, %u are on its list", number(area->serial),
		                   area->number_of_mapped_views, count);
}

// Nothing refers to it: it waits for its end or is under way to it.
static void check_life(const struct inv_model_checking *check, const struct inv_model_area *area)
{
	bool used = area->number_of_section_references || area->number_of_mapped_views;
	bool waits = inv_model_linked(&area->unused);
	if (waits && (used || area->being_deleted || !area->stream || !area->number_of_pfn_references))
		inv_model_disagree(check, "control area %llu is on the list of unused ones", number(area->serial));
	if (!used && !waits && !area->being_deleted)
		inv_model_disagree(check, "control area %llu is forgotten", number(area->serial));
	if (used && area->being_deleted)
		inv_model_disagree(check, "control area %llu is deleted while it is used", number(area->serial));
	if (check->at_rest && (area->being_created || area->being_deleted))
		inv_model_disagree(check, "control area %llu is half made and nothing is under way", number(area->serial));
}

// The file's own pointer and the control area's lead to each other.
static void check_file_of(const struct inv_model_checking *check, const struct inv_model_area *area)
{
	if (area->backing == INV_MODEL_PAGEFILE) {
		if (area->stream || area->file_pointer)
			inv_model_disagree(check, "control area %llu of the page file has a file", number(area->serial));
		return;
	}
	if (area->being_deleted)
		return;
	if (!area->stream || !area->file_pointer || area->file_pointer->stream != area->stream) {
		inv_model_disagree(check, "control area %llu has lost its file", number(area->serial));
		return;
	}
	const struct inv_model_area *pointer =
	    area->backing == INV_MODEL_IMAGE ? area->stream->image_section_object : area->stream->data_section_object;
	if (pointer != area)
		inv_model_disagree(check, "SectionObjectPointers of file %llu lead elsewhere than to control area %llu",
		                   number(area->stream->number), number(area->serial));
}

static void check_areas(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->areas;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		check_pages(check, link->owner);
		check_counts(check, link->owner);
		check_views(check, link->owner);
		check_life(check, link->owner);
		check_file_of(check, link->owner);
	}
}

static void see_files(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->blocks[INV_MODEL_FILE];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_file *file = link->owner;
		if (!file->stream && file->object.pointer_count)
			inv_model_disagree(check, "file object %llu leads to no file", number(file->object.serial));
		if (!file->stream)
			continue;
		file->stream->references_seen++;
		file->stream->with_handles_seen += !file->cleaned_up;
		if (!file->cleaned_up && !file->object.handle_count)
			inv_model_disagree(check, "file object %llu has no handle and was not cleaned up",
			                   number(file->object.serial));
		if (file->delete_pending && !file->stream->delete_pending)
			inv_model_disagree(check, "file object %llu alone says that its file is deleted",
			                   number(file->object.serial));
	}
}

static void check_streams(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->streams;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_stream *stream = link->owner;
		if (stream->references != stream->references_seen || stream->with_handles != stream->with_handles_seen)
			inv_model_disagree(check, "file %llu counts %u file objects, %u with handles; %u and %u are known",
			                   number(stream->number), stream->references, stream->with_handles,
			                   stream->references_seen, stream->with_handles_seen);
		if (stream->deleted != (stream->delete_pending && stream->with_handles == 0))
			inv_model_disagree(check, "file %llu is deleted or not, against what is pending", number(stream->number));
		if ((stream->image_section_object && stream->image_section_object->stream != stream) ||
		    (stream->data_section_object && stream->data_section_object->stream != stream))
			inv_model_disagree(check, "SectionObjectPointers of file %llu lead to another file's",
			                   number(stream->number));
	}
}

void inv_model_check_sections(const struct inv_model_checking *check)
{
	clear(check);
	see_sections(check);
	see_views(check);
	see_operations(check);
	see_files(check);
	check_areas(check);
	check_streams(check);
}
