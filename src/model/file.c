// SPDX-License-Identifier: Apache-2.0
// Files: file objects, the files that they lead to, and deletion. What becomes of a file whose deletion is pending: as
// Microsoft documents FileDispositionInformation; it goes when the last file object loses its last
// handle.
#include <stdlib.h>

#include "model/parts.h"

#define FILE_ALL_ACCESS 0x1f01ffu
#define MIN_PAGES 4u

static struct inv_model_stream *new_stream(struct inv_model *model)
{
	struct inv_model_stream *stream = inv_alloc(sizeof *stream);
	stream->number = ++model->last_stream;
	stream->pages = MIN_PAGES + (uint32_t)(stream->number % 5);
	inv_model_append(&model->streams, &stream->list, stream);
	return stream;
}

struct inv_model_file *inv_model_new_file(struct inv_model *model, struct inv_model_stream *stream)
{
	struct inv_model_file *file = (struct inv_model_file *)inv_model_create_object(model, INV_MODEL_FILE);
	file->stream = stream ? stream : new_stream(model);
	file->stream->references++;
	file->cleaned_up = true; // no handle yet
	return file;
}

// File objects that only the kernel still refers to do not keep a file in its directory.
void inv_model_cleanup_file(struct inv_model_file *file)
{
	if (file->cleaned_up)
		return;
	file->cleaned_up = true;
	if (--file->stream->with_handles == 0 && file->stream->delete_pending)
		file->stream->deleted = true;
}

// -- IopCreateFile, IopParseDevice --------------------------------------------------------------------------------------------

STEP(create_file)
{
	(void)call;
	struct inv_model_object *known = operation->request.object;
	if (known && known->type != INV_MODEL_FILE)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	struct inv_model_stream *stream = known ? ((struct inv_model_file *)known)->stream : NULL;
	if (stream && stream->delete_pending)
		return inv_model_refuse(operation, INV_STATUS_DELETE_PENDING);
	struct inv_model_file *file = operation->result.file = inv_model_new_file(operation->model, stream);
	file->write_access = operation->request.write;
	inv_push(operation->held, &file->object);
	return INV_TOOK;
}

STEP(open_file)
{
	(void)call;
	struct inv_model_file *file = operation->result.file;
	operation->result.handle =
	    inv_model_open(operation->model, operation->request.process, &file->object, FILE_ALL_ACCESS);
	if (operation->result.handle) {
		file->cleaned_up = false;
		file->stream->with_handles++;
		return INV_TOOK;
	}
	operation->result.file = NULL;
	return inv_model_refuse(operation, INV_STATUS_INSUFFICIENT_RESOURCES);
}

// -- FileDispositionInformation -----------------------------------------------------------------------------------------------

// MmFlushImageSection: what runs is not deleted. Who asks before there is an image section gets his way.
STEP(set_delete)
{
	(void)call;
	struct inv_model_file *file = (struct inv_model_file *)operation->request.object;
	if (file->object.type != INV_MODEL_FILE || !file->stream || file->cleaned_up)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	const struct inv_model_area *image = file->stream->image_section_object;
	if (image && (image->being_created || image->number_of_section_references || image->number_of_mapped_views))
		return inv_model_refuse(operation, INV_STATUS_CANNOT_DELETE);
	file->stream->delete_pending = true;
	return INV_TOOK;
}

STEP(set_file_delete)
{
	(void)call;
	((struct inv_model_file *)operation->request.object)->delete_pending = true;
	return INV_TOOK;
}

// -- IopDeleteFile ------------------------------------------------------------------------------------------------------------

STEP(leave_stream)
{
	(void)operation;
	struct inv_model_file *file = (struct inv_model_file *)call->subject;
	struct inv_model_stream *stream = file->stream;
	file->stream = NULL;
	if (--stream->references)
		return INV_TOOK;
	inv_model_unlink(&stream->list);
	free(stream);
	return INV_TOOK;
}

STEP(free_file)
{
	inv_model_free_object(operation->model, call->subject);
	return INV_TOOK;
}

static const struct inv_model_step create_steps[] = {{"IopParseDevice", create_file}, {"ObInsertObjectEx", open_file}};
static const struct inv_model_step disposition_steps[] = {{"file system: deletion pending", set_delete},
                                                          {"FILE_OBJECT.DeletePending", set_file_delete}};
static const struct inv_model_step delete_steps[] = {{"IopDeleteFile", leave_stream}, {"ObpFreeObject", free_file}};

struct inv_model_routine_steps inv_model_delete_file(void)
{
	return INV_MODEL_STEPS(delete_steps);
}

struct inv_model_routine_steps inv_model_file_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_CREATE_FILE   ? INV_MODEL_STEPS(create_steps)
	       : kind == INV_MODEL_DELETE_FILE ? INV_MODEL_STEPS(disposition_steps)
	                                       : none;
}
