// SPDX-License-Identifier: Apache-2.0
// The machine: boot, time, callbacks, look-up.
#include <stdlib.h>

#include "model/parts.h"

#define START_OF_2026 134116992000000000ull // FILETIME
#define FIRST_IMAGE_BASE 0x7fffe0000ull     // a page; where ntdll ends

// -- callbacks and time -----------------------------------------------------------------------------------------------------

uint32_t inv_model_register(struct inv_model *model, enum inv_model_callback_kind kind, inv_model_routine *routine,
                            void *context)
{
	if (kind >= INV_CALLBACK_KIND_COUNT || !routine || model->callback_count[kind] == INV_MODEL_MAX_CALLBACKS)
		return INV_STATUS_INVALID_PARAMETER;
	model->callbacks[kind][model->callback_count[kind]++] = (struct inv_model_callback){routine, context};
	return INV_STATUS_SUCCESS;
}

uint32_t inv_model_notify(const struct inv_model *model, const struct inv_model_event *event)
{
	uint32_t refused = INV_STATUS_SUCCESS;
	for (uint32_t i = 0; i < model->callback_count[event->kind]; i++) {
		const struct inv_model_callback *callback = &model->callbacks[event->kind][i];
		uint32_t status = callback->routine(model, event, callback->context);
		if (!refused && status >> 31) // NT_ERROR and warnings: the sign bit
			refused = status;
	}
	return event->kind == INV_CALLBACK_PROCESS && event->create ? refused : INV_STATUS_SUCCESS;
}

void inv_model_pass(struct inv_model *model, uint64_t time)
{
	model->interrupt_time += time;
	model->system_time += time;
}

void inv_model_set_time(struct inv_model *model, uint64_t system_time)
{
	model->system_time = system_time;
}

struct inv_model_frame *inv_model_take_frame(struct inv_model *model, struct inv_model_process *owner)
{
	// A frame that was freed is used again before a new one, the oldest first. (Windows chooses by colour and NUMA node;
	// which frame it is has no meaning here.)
	for (size_t i = 0; i < inv_count(model->frames); i++) {
		if (!model->frames[i]->owner) {
			model->frames[i]->owner = owner;
			return model->frames[i];
		}
	}
	struct inv_model_frame *frame = inv_alloc(sizeof *frame);
	frame->number = inv_count(model->frames) + 1;
	frame->owner = owner;
	inv_push(model->frames, frame);
	return frame;
}

// -- boot -------------------------------------------------------------------------------------------------------------------

// Idle and System are made by hand, one after the other: Idle is no object of the object manager and on no list; System gets
// the first identifier. Its address space is the one of the boot, which Idle shares.
static struct inv_model_process *new_system(struct inv_model *model)
{
	struct inv_model_process *system =
	    inv_as_process(inv_model_create_object(model, INV_MODEL_PROCESS)); // the reference of PsInitialSystemProcess
	system->system = true;
	system->exit_status = INV_STATUS_PENDING;
	inv_model_list_init(&system->thread_list_head);
	inv_model_list_init(&system->thread_head);
	inv_model_list_init(&system->space.vad_root);
	inv_model_init_ldr(&system->ldr);
	struct inv_model_token *token = (struct inv_model_token *)inv_model_create_object(model, INV_MODEL_TOKEN);
	token->token_id = ++model->last_token_id;
	token->in_use = true;
	system->token = token;
	system->directory_table_base = inv_model_take_frame(model, system);
	inv_model_append(&model->mm_process_list, &system->mm_process_links, system); // MmInitializeHandBuiltProcess
	system->object_table = inv_model_new_table(system, false);                    // ObpKernelHandleTable
	inv_model_append(&model->handle_table_list_head, &system->object_table->list, system->object_table);
	system->unique_process_id = inv_model_table_put(model->cid, &system->object, 0);
	system->create_time = model->system_time;
	system->create_interrupt_time = model->interrupt_time;
	system->object_table->unique_process_id = system->unique_process_id;
	system->sequence_number = ++model->process_sequence_number;
	inv_model_append(&model->active_process_head, &system->active_process_links, system);
	system->se_audit = system->process_inserted = true;
	return system;
}

static struct inv_model_process *new_idle(struct inv_model *model)
{
	struct inv_model_process *idle = inv_alloc(sizeof *idle); // part of the kernel's image
	idle->object.type = INV_MODEL_PROCESS;
	idle->object.pointer_count = 1;
	idle->idle = true;
	idle->exit_status = INV_STATUS_PENDING;
	idle->directory_table_base = model->system_process->directory_table_base;
	inv_model_list_init(&idle->thread_list_head);
	inv_model_list_init(&idle->thread_head);
	inv_model_list_init(&idle->space.vad_root);
	inv_model_init_ldr(&idle->ldr);
	return idle;
}

static void add_idle_thread(struct inv_model *model, unsigned number)
{
	struct inv_model_thread *thread = inv_alloc(sizeof *thread); // part of the CPU's block
	thread->object.type = INV_MODEL_THREAD;
	thread->object.pointer_count = 1;
	thread->idle = thread->stack = thread->thread_inserted = true;
	thread->process = thread->apc_process = model->idle_process;
	thread->state = INV_THREAD_RUNNING;
	thread->cpu = number;
	thread->exit_status = INV_STATUS_PENDING;
	inv_model_init_apcs(thread);
	inv_model_append(&model->idle_process->thread_head, &thread->thread_list_exec, thread);
	inv_model_append(&model->idle_process->thread_list_head, &thread->thread_list, thread);
	model->idle_process->active_threads++;
	struct inv_model_cpu *cpu = &model->cpu[number];
	cpu->idle = cpu->current = thread;
	inv_model_load_address_space(cpu);
}

static void init_lists(struct inv_model *model)
{
	struct inv_model_link *const heads[] = {
	    &model->freed,
	    &model->active_process_head,
	    &model->mm_process_list,
	    &model->ki_process_list_head,
	    &model->handle_table_list_head,
	    &model->reaper_list_head,
	    &model->job_list,
	    &model->streams,
	    &model->areas,
	    &model->unused_segments,
	    &model->vads,
	    &model->modules,
	    &model->apcs,
	};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		inv_model_list_init(heads[i]);
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		inv_model_list_init(&model->blocks[i]);
	for (unsigned i = 0; i < model->cpu_count; i++) {
		inv_model_list_init(&model->cpu[i].wait);
		for (size_t j = 0; j < INV_MODEL_PRIORITIES; j++)
			inv_model_list_init(&model->cpu[i].ready[j]);
	}
}

static void start_system_threads(struct inv_model *model, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct inv_model_request request = {
		    .kind = INV_MODEL_CREATE_THREAD, .process = model->system_process, .target = model->system_process};
		const struct inv_model_result made = inv_model_do(model, &request);
		request = (struct inv_model_request){.kind = INV_MODEL_START_THREAD, .thread = made.thread};
		(void)inv_model_do(model, &request);
		request = (struct inv_model_request){
		    .kind = INV_MODEL_CLOSE_HANDLE, .process = model->system_process, .handle = made.handle};
		(void)inv_model_do(model, &request);
	}
}

struct inv_model *inv_model_new(const struct inv_model_config *config)
{
	struct inv_model *model = inv_alloc(sizeof *model);
	model->cpu_count = config->cpus == 0 ? 2 : config->cpus > INV_MODEL_MAX_CPUS ? INV_MODEL_MAX_CPUS : config->cpus;
	model->system_time = config->boot_time ? config->boot_time : START_OF_2026;
	init_lists(model);
	model->cid = inv_model_new_table(NULL, true);
	model->system_process = new_system(model);
	model->idle_process = new_idle(model);
	for (unsigned i = 0; i < model->cpu_count; i++)
		add_idle_thread(model, i);
	model->next_image_base = FIRST_IMAGE_BASE;
	model->system_dll = inv_model_known_section(model, INV_MODEL_IMAGE); // PspInitializeSystemDlls
	model->nls = inv_model_known_section(model, INV_MODEL_DATA);
	start_system_threads(model, config->system_threads ? config->system_threads : 4);
	return model;
}

// -- look-up ----------------------------------------------------------------------------------------------------------------

struct inv_model_process *inv_model_system(const struct inv_model *model)
{
	return model->system_process;
}

static struct inv_model_object *by_id(const struct inv_model *model, uint64_t id, enum inv_model_type type)
{
	struct inv_model_object *object = inv_model_table_get(model->cid, id);
	return object && object->type == type ? object : NULL;
}

struct inv_model_process *inv_model_process_by_id(const struct inv_model *model, uint64_t id)
{
	return inv_as_process(by_id(model, id, INV_MODEL_PROCESS));
}

struct inv_model_thread *inv_model_thread_by_id(const struct inv_model *model, uint64_t id)
{
	return inv_as_thread(by_id(model, id, INV_MODEL_THREAD));
}

struct inv_model_object *inv_model_by_handle(const struct inv_model_process *process, uint64_t handle)
{
	return process->object_table ? inv_model_table_get(process->object_table, handle) : NULL;
}

// -- the end ----------------------------------------------------------------------------------------------------------------

static void free_blocks(const struct inv_model_link *head)
{
	const struct inv_model_link *link = head->next;
	while (link != head) {
		struct inv_model_object *object = link->owner;
		link = link->next;
		free(object);
	}
}

static void free_memory(struct inv_model *model)
{
	while (!inv_model_empty(&model->vads))
		inv_model_free_vad(model->vads.next->owner);
	while (!inv_model_empty(&model->areas))
		inv_model_free_area(model->areas.next->owner);
	struct inv_model_link *const heads[] = {&model->streams, &model->modules, &model->apcs};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		free_blocks(heads[i]);
}

static void free_operation(struct inv_model_operation *operation)
{
	inv_array_free(operation->calls);
	inv_array_free(operation->held);
	free(operation);
}

void inv_model_free(struct inv_model *model)
{
	if (!model)
		return;
	while (!inv_model_empty(&model->handle_table_list_head))
		inv_model_free_table(model->handle_table_list_head.next->owner);
	inv_model_free_table(model->cid);
	free_memory(model);
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		free_blocks(&model->blocks[i]);
	free_blocks(&model->freed);
	for (unsigned i = 0; i < model->cpu_count; i++)
		free(model->cpu[i].idle);
	free(model->idle_process);
	for (size_t i = 0; i < inv_count(model->sessions); i++)
		free(model->sessions[i]);
	for (size_t i = 0; i < inv_count(model->frames); i++)
		free(model->frames[i]);
	for (size_t i = 0; i < inv_count(model->operations); i++)
		free_operation(model->operations[i]);
	inv_array_free(model->sessions);
	inv_array_free(model->frames);
	inv_array_free(model->operations);
	inv_array_free(model->held);
	free(model);
}
