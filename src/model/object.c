// SPDX-License-Identifier: Apache-2.0
// Lists, objects with their counters, handle tables.
#include <stdlib.h>

#include "model/parts.h"

void inv_model_list_init(struct inv_model_link *head)
{
	*head = (struct inv_model_link){head, head, NULL};
}

void inv_model_append(struct inv_model_link *head, struct inv_model_link *link, void *owner)
{
	*link = (struct inv_model_link){head, head->prev, owner};
	head->prev->next = link;
	head->prev = link;
}

void inv_model_unlink(struct inv_model_link *link)
{
	if (!inv_model_linked(link))
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	*link = (struct inv_model_link){0};
}

// -- objects ----------------------------------------------------------------------------------------------------------------

static size_t size_of_type(enum inv_model_type type)
{
	static const size_t sizes[INV_MODEL_TYPE_COUNT] = {
	    [INV_MODEL_PROCESS] = sizeof(struct inv_model_process), [INV_MODEL_THREAD] = sizeof(struct inv_model_thread),
	    [INV_MODEL_TOKEN] = sizeof(struct inv_model_token),     [INV_MODEL_JOB] = sizeof(struct inv_model_job),
	    [INV_MODEL_SECTION] = sizeof(struct inv_model_section), [INV_MODEL_FILE] = sizeof(struct inv_model_file),
	};
	return sizes[type];
}

struct inv_model_object *inv_model_create_object(struct inv_model *model, enum inv_model_type type)
{
	struct inv_model_object *object = inv_alloc(size_of_type(type));
	object->type = type;
	object->serial = ++model->last_serial;
	object->pointer_count = 1;
	object->allocated = true;
	inv_model_append(&model->blocks[type], &object->pool, object);
	model->counters[type].total_number_of_objects++;
	return object;
}

void inv_model_free_object(struct inv_model *model, struct inv_model_object *object)
{
	model->counters[object->type].total_number_of_objects--;
	object->allocated = false;
	inv_model_unlink(&object->pool);
	inv_model_append(&model->freed, &object->pool, object);
	if (++model->freed_count <= INV_MODEL_FREED_BLOCKS)
		return;
	struct inv_model_object *oldest = model->freed.next->owner; // its block is used again by something else
	inv_model_unlink(&oldest->pool);
	model->freed_count--;
	free(oldest);
}

void inv_model_reference(struct inv_model_object *object)
{
	object->pointer_count++;
}

void inv_model_dereference(struct inv_model_operation *operation, struct inv_model_object *object)
{
	if (--object->pointer_count == 0)
		inv_model_push_delete(operation, object);
}

// -- handle tables ----------------------------------------------------------------------------------------------------------

// Appends a page of free entries to the list of free ones. False: the table is full.
static bool grow(struct inv_model_table *table)
{
	uint32_t first = (uint32_t)inv_count(table->entries);
	if (first + INV_MODEL_TABLE_PAGE > INV_MODEL_MAX_HANDLES)
		return false;
	stbds_arrsetlen(table->entries, (size_t)first + INV_MODEL_TABLE_PAGE);
	table->entries[first] = (struct inv_model_handle_entry){0}; // the page's own
	for (uint32_t i = first + 1; i < first + INV_MODEL_TABLE_PAGE; i++)
		table->entries[i] =
		    (struct inv_model_handle_entry){.next_free = i + 1 < first + INV_MODEL_TABLE_PAGE ? i + 1 : 0};
	if (table->last_free)
		table->entries[table->last_free].next_free = first + 1;
	else
		table->first_free = first + 1;
	table->last_free = first + INV_MODEL_TABLE_PAGE - 1;
	return true;
}

struct inv_model_table *inv_model_new_table(struct inv_model_process *process, bool strict_fifo)
{
	struct inv_model_table *table = inv_alloc(sizeof *table);
	table->quota_process = process;
	table->strict_fifo = strict_fifo;
	grow(table);
	return table;
}

void inv_model_free_table(struct inv_model_table *table)
{
	if (!table)
		return;
	inv_model_unlink(&table->list);
	inv_array_free(table->entries);
	free(table);
}

uint64_t inv_model_table_put(struct inv_model_table *table, struct inv_model_object *object, uint32_t access)
{
	if (!table->first_free && !grow(table))
		return 0;
	uint32_t index = table->first_free;
	struct inv_model_handle_entry *entry = &table->entries[index];
	table->first_free = entry->next_free;
	if (!table->first_free)
		table->last_free = 0;
	*entry = (struct inv_model_handle_entry){.object = object, .granted_access = access};
	table->handle_count++;
	return 4ull * index;
}

static void free_entry(struct inv_model_table *table, uint32_t index)
{
	struct inv_model_handle_entry *entry = &table->entries[index];
	*entry = (struct inv_model_handle_entry){0};
	if (!table->first_free) {
		table->first_free = table->last_free = index;
	} else if (table->strict_fifo) {
		table->entries[table->last_free].next_free = index;
		table->last_free = index;
	} else {
		entry->next_free = table->first_free;
		table->first_free = index;
	}
	table->handle_count--;
}

struct inv_model_object *inv_model_table_get(const struct inv_model_table *table, uint64_t handle)
{
	if (handle % 4 || handle / 4 >= inv_count(table->entries))
		return NULL;
	return table->entries[handle / 4].object;
}

struct inv_model_object *inv_model_table_take(struct inv_model_table *table, uint64_t handle)
{
	struct inv_model_object *object = inv_model_table_get(table, handle);
	if (object)
		free_entry(table, (uint32_t)(handle / 4));
	return object;
}

uint64_t inv_model_table_first(const struct inv_model_table *table, uint64_t from)
{
	for (size_t i = (size_t)(from / 4); i < inv_count(table->entries); i++)
		if (table->entries[i].object)
			return 4ull * i;
	return 0;
}

uint64_t inv_model_open(struct inv_model *model, struct inv_model_process *process, struct inv_model_object *object,
                        uint32_t access)
{
	// ObReferenceProcessHandleTable: none is opened any more while ObKillProcess closes them.
	bool open = process->object_table && !process->process_delete;
	uint64_t handle = open ? inv_model_table_put(process->object_table, object, access) : 0;
	if (!handle)
		return 0;
	object->handle_count++;
	object->pointer_count++;
	model->counters[object->type].total_number_of_handles++;
	return handle;
}

struct inv_model_object *inv_model_close(struct inv_model *model, struct inv_model_process *process, uint64_t handle)
{
	struct inv_model_object *object =
	    process->object_table ? inv_model_table_take(process->object_table, handle) : NULL;
	if (!object)
		return NULL;
	object->handle_count--;
	model->counters[object->type].total_number_of_handles--;
	if (object->type == INV_MODEL_FILE && object->handle_count == 0)
		inv_model_cleanup_file((struct inv_model_file *)object); // IopCloseFile
	return object;
}
