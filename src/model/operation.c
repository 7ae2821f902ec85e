// SPDX-License-Identifier: Apache-2.0
// Operations: rows of steps that can be stopped between any two of them.
#include <stdio.h>
#include <stdlib.h>

#include "model/parts.h"

void inv_model_push(struct inv_model_operation *operation, const struct inv_model_step *steps, size_t count,
                    struct inv_model_object *subject, uint32_t value)
{
	const struct inv_model_call call = {.steps = steps, .count = count, .subject = subject, .value = value};
	inv_push(operation->calls, call);
}

void inv_model_push_work(struct inv_model_operation *operation, struct inv_model_routine_steps row,
                         struct inv_model_object *subject, const struct inv_model_work *work)
{
	const struct inv_model_call call = {.steps = row.steps, .count = row.count, .subject = subject, .work = *work};
	inv_push(operation->calls, call);
}

struct inv_model_work *inv_model_work(struct inv_model_operation *operation)
{
	return &stbds_arrlast(operation->calls).work;
}

enum inv_model_took inv_model_refuse(struct inv_model_operation *operation, uint32_t status)
{
	operation->result.status = status;
	return INV_TOOK_REST;
}

void inv_model_push_delete(struct inv_model_operation *operation, struct inv_model_object *object)
{
	struct inv_model_routine_steps row = object->type == INV_MODEL_PROCESS   ? inv_model_delete_process()
	                                     : object->type == INV_MODEL_THREAD  ? inv_model_delete_thread()
	                                     : object->type == INV_MODEL_SECTION ? inv_model_delete_section()
	                                     : object->type == INV_MODEL_FILE
	                                         ? inv_model_delete_file()
	                                         : inv_model_object_steps(INV_MODEL_OPERATION_COUNT);
	inv_model_push(operation, row.steps, row.count, object, 0);
}

void inv_model_hold(struct inv_model_operation *operation, struct inv_model_object *object)
{
	inv_model_reference(object);
	inv_push(operation->held, object);
}

// ExAcquireRundownProtection: false once the process is on its way out.
static bool protect(struct inv_model_operation *operation, struct inv_model_process *process)
{
	bool leaving = process->leaving && process->leaving == process->active_threads;
	if (process->process_exiting || process->process_delete || leaving)
		return false;
	process->rundown_protect++;
	operation->protect[operation->protect[0] ? 1 : 0] = process;
	return true;
}

void inv_model_unprotect(struct inv_model_operation *operation, const struct inv_model_process *process)
{
	for (size_t i = 0; i < 2; i++) {
		if (operation->protect[i] && (!process || operation->protect[i] == process)) {
			operation->protect[i]->rundown_protect--;
			operation->protect[i] = NULL;
		}
	}
}

// -- what a request must name -----------------------------------------------------------------------------------------------

enum {
	ASKER = 1,
	TARGET = 2,
	THREAD = 4,
	OBJECT = 8,
	PROTECT_ASKER = 16,
	PROTECT_TARGET = 32,
	CREATION = 64,
	PROTECT_OWN = 128, // the thread's process
	SPACE = 256,       // the target's address space is one that programs may use
	ASKER_IS_PARENT = 512,
	TARGET_IS_PARENT = 1024,
};

static unsigned needs(enum inv_model_operation_kind kind)
{
	static const unsigned of[INV_MODEL_OPERATION_COUNT] = {
	    [INV_MODEL_CREATE_PROCESS] = ASKER | PROTECT_ASKER | ASKER_IS_PARENT,
	    [INV_MODEL_INSERT_PROCESS] = ASKER | TARGET | PROTECT_ASKER | CREATION,
	    [INV_MODEL_ABANDON_PROCESS] = TARGET | CREATION,
	    [INV_MODEL_CREATE_THREAD] = ASKER | TARGET | PROTECT_ASKER | PROTECT_TARGET,
	    [INV_MODEL_START_THREAD] = THREAD,
	    [INV_MODEL_SPAWN_PROCESS] = ASKER | PROTECT_ASKER | ASKER_IS_PARENT,
	    [INV_MODEL_CLONE_PROCESS] = ASKER | TARGET | PROTECT_ASKER | PROTECT_TARGET | TARGET_IS_PARENT,
	    [INV_MODEL_TERMINATE_THREAD] = THREAD,
	    [INV_MODEL_EXIT_PROCESS] = TARGET,
	    [INV_MODEL_OPEN_HANDLE] = ASKER | OBJECT,
	    [INV_MODEL_DUPLICATE_HANDLE] = ASKER | TARGET,
	    [INV_MODEL_CLOSE_HANDLE] = ASKER,
	    [INV_MODEL_ATTACH_PROCESS] = TARGET | THREAD,
	    [INV_MODEL_DETACH_PROCESS] = THREAD,
	    [INV_MODEL_CREATE_JOB] = ASKER,
	    [INV_MODEL_ASSIGN_JOB] = TARGET | OBJECT | PROTECT_TARGET,
	    [INV_MODEL_CREATE_TOKEN] = ASKER,
	    [INV_MODEL_SET_TOKEN] = TARGET | OBJECT | PROTECT_TARGET,
	    [INV_MODEL_CONNECT_WIN32] = THREAD,
	    [INV_MODEL_REFERENCE] = OBJECT,
	    [INV_MODEL_DEREFERENCE] = OBJECT,
	    [INV_MODEL_WAIT] = THREAD,
	    [INV_MODEL_WAKE] = THREAD,
	    [INV_MODEL_CREATE_FILE] = ASKER,
	    [INV_MODEL_DELETE_FILE] = OBJECT,
	    [INV_MODEL_CREATE_SECTION] = ASKER,
	    [INV_MODEL_MAP_VIEW] = TARGET | OBJECT | PROTECT_TARGET | SPACE,
	    [INV_MODEL_UNMAP_VIEW] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_ALLOCATE_MEMORY] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_FREE_MEMORY] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_PROTECT_MEMORY] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_FAULT] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_TRIM] = TARGET | PROTECT_TARGET | SPACE,
	    [INV_MODEL_RUN_LOADER] = THREAD | PROTECT_OWN,
	    [INV_MODEL_LOAD_MODULE] = THREAD | PROTECT_OWN,
	    [INV_MODEL_UNLOAD_MODULE] = THREAD | PROTECT_OWN,
	    [INV_MODEL_QUEUE_APC] = THREAD,
	    [INV_MODEL_DELIVER_APC] = THREAD,
	    [INV_MODEL_SUSPEND_THREAD] = THREAD,
	    [INV_MODEL_RESUME_THREAD] = THREAD,
	};
	return of[kind];
}

// ObReferenceObjectSafe: what is being deleted cannot be referenced.
static uint32_t hold_named(struct inv_model_operation *operation, struct inv_model_object *object, bool needed)
{
	if (!needed)
		return INV_STATUS_SUCCESS;
	if (!object)
		return INV_STATUS_INVALID_PARAMETER;
	if (object->pointer_count == 0)
		return INV_STATUS_INVALID_HANDLE;
	inv_model_hold(operation, object);
	return INV_STATUS_SUCCESS;
}

// What is wrong with the request itself.
static uint32_t examine(const struct inv_model *model, const struct inv_model_request *request)
{
	if (request->kind >= INV_MODEL_OPERATION_COUNT || request->cpu >= model->cpu_count ||
	    request->priority >= INV_MODEL_PRIORITIES)
		return INV_STATUS_INVALID_PARAMETER;
	const struct inv_model_process *target = request->target;
	if (request->kind == INV_MODEL_EXIT_PROCESS && target && (target->system || target->idle))
		return INV_STATUS_ACCESS_DENIED;
	const struct inv_model_thread *thread = request->thread;
	bool ends = request->kind == INV_MODEL_TERMINATE_THREAD;
	if (thread && (thread->idle || (ends && thread->process && thread->process->system)))
		return INV_STATUS_ACCESS_DENIED;
	if ((request->process && request->process->idle) || (target && target->idle))
		return INV_STATUS_ACCESS_DENIED;
	bool after_insertion = request->kind == INV_MODEL_CREATE_THREAD || request->kind == INV_MODEL_EXIT_PROCESS ||
	                       request->kind == INV_MODEL_CLONE_PROCESS;
	if (after_insertion && target && !target->process_inserted)
		return INV_STATUS_INVALID_PARAMETER;
	if (request->kind == INV_MODEL_CREATE_THREAD && target && target->kind == INV_MODEL_CLONE)
		return INV_STATUS_INVALID_PARAMETER;
	return INV_STATUS_SUCCESS;
}

// The creation's reference becomes the operation's, so that a process is inserted or abandoned just once.
static uint32_t take_creation(struct inv_model_operation *operation, struct inv_model_process *process)
{
	if (!process->creation_held)
		return INV_STATUS_INVALID_PARAMETER;
	process->creation_held = false;
	inv_push(operation->held, &process->object);
	return INV_STATUS_SUCCESS;
}

static bool is_program(const struct inv_model_object *object)
{
	return object->type == INV_MODEL_FILE ||
	       (object->type == INV_MODEL_SECTION &&
	        ((const struct inv_model_section *)object)->area->backing == INV_MODEL_IMAGE);
}

// What may be left out.
static bool uses_object(enum inv_model_operation_kind kind)
{
	return kind == INV_MODEL_CREATE_FILE || kind == INV_MODEL_CREATE_SECTION || kind == INV_MODEL_LOAD_MODULE;
}

static uint32_t prepare(struct inv_model_operation *operation)
{
	const struct inv_model_request *request = &operation->request;
	uint32_t status = examine(operation->model, request);
	if (status)
		return status;
	unsigned need = needs(request->kind);
	status = hold_named(operation, request->process ? &request->process->object : NULL, need & ASKER);
	if (!status)
		status = hold_named(operation, request->target ? &request->target->object : NULL, need & TARGET);
	if (!status)
		status = hold_named(operation, request->thread ? &request->thread->object : NULL, need & THREAD);
	if (!status)
		status = hold_named(operation, request->object, need & OBJECT);
	if (!status)
		status = hold_named(operation, request->image, request->image != NULL);
	if (!status && request->image && !is_program(request->image))
		status = INV_STATUS_INVALID_PARAMETER;
	if (!status && request->object && !(need & OBJECT) && uses_object(request->kind))
		status = hold_named(operation, request->object, true);
	if (!status && (need & SPACE) && (request->target->system || !request->target->process_inserted))
		status = INV_STATUS_ACCESS_DENIED;
	// Before a process is inserted nobody has a handle to it, and so nobody can name it as a parent.
	const struct inv_model_process *parent = need & ASKER_IS_PARENT    ? request->process
	                                         : need & TARGET_IS_PARENT ? request->target
	                                                                   : NULL;
	if (!status && parent && !parent->process_inserted)
		status = INV_STATUS_ACCESS_DENIED;
	if (!status && (need & PROTECT_ASKER) && !protect(operation, request->process))
		status = INV_STATUS_PROCESS_IS_TERMINATING;
	if (!status && (need & PROTECT_TARGET) && !protect(operation, request->target))
		status = INV_STATUS_PROCESS_IS_TERMINATING;
	if (!status && (need & PROTECT_OWN) && (!request->thread->process || !protect(operation, request->thread->process)))
		status = INV_STATUS_PROCESS_IS_TERMINATING;
	if (!status && (need & CREATION))
		status = take_creation(operation, request->target);
	return status;
}

static struct inv_model_routine_steps steps_of(enum inv_model_operation_kind kind)
{
	static struct inv_model_routine_steps (*const parts[])(enum inv_model_operation_kind) = {
	    inv_model_process_steps, inv_model_thread_steps,  inv_model_object_steps,
	    inv_model_file_steps,    inv_model_section_steps, inv_model_space_steps,
	    inv_model_fault_steps,   inv_model_loader_steps,  inv_model_apc_steps,
	};
	struct inv_model_routine_steps row = {NULL, 0};
	for (size_t i = 0; !row.count && i < sizeof parts / sizeof *parts; i++)
		row = parts[i](kind);
	return row;
}

struct inv_model_operation *inv_model_begin(struct inv_model *model, const struct inv_model_request *request)
{
	struct inv_model_operation *operation = inv_alloc(sizeof *operation);
	operation->model = model;
	operation->request = *request;
	inv_push(model->operations, operation);
	operation->result.status = prepare(operation);
	if (operation->result.status)
		return operation;
	struct inv_model_routine_steps row = steps_of(request->kind);
	unsigned need = needs(request->kind);
	struct inv_model_object *subject = need & THREAD   ? &request->thread->object
	                                   : need & TARGET ? &request->target->object
	                                                   : request->object;
	inv_model_push(operation, row.steps, row.count, subject, request->exit_status);
	return operation;
}

// -- going on ---------------------------------------------------------------------------------------------------------------

static void drop_finished(struct inv_model_operation *operation)
{
	while (inv_count(operation->calls) && stbds_arrlast(operation->calls).at >= stbds_arrlast(operation->calls).count)
		(void)stbds_arrpop(operation->calls);
}

static bool take_step(struct inv_model_operation *operation)
{
	size_t index = inv_count(operation->calls) - 1;
	const struct inv_model_call call = operation->calls[index]; // a step may push, which moves the array
	enum inv_model_took took = call.steps[call.at].take(operation, &call);
	if (took == INV_TOOK)
		operation->calls[index].at++;
	else if (took == INV_TOOK_REST)
		operation->calls[index].at = call.count;
	return took != INV_TOOK_NOT;
}

enum inv_model_progress inv_model_step(struct inv_model_operation *operation)
{
	drop_finished(operation);
	if (inv_count(operation->calls)) {
		if (!take_step(operation))
			return INV_MODEL_WAITS;
	} else if (operation->protect[0] || operation->protect[1]) {
		inv_model_unprotect(operation, NULL);
	} else if (inv_count(operation->held)) {
		inv_model_dereference(operation, stbds_arrpop(operation->held));
	}
	inv_model_pass(operation->model, 1);
	return inv_model_next_step(operation) ? INV_MODEL_GOES_ON : INV_MODEL_FINISHED;
}

const char *inv_model_next_step(const struct inv_model_operation *operation)
{
	for (size_t i = inv_count(operation->calls); i-- > 0;)
		if (operation->calls[i].at < operation->calls[i].count)
			return operation->calls[i].steps[operation->calls[i].at].name;
	if (operation->protect[0] || operation->protect[1])
		return "ExReleaseRundownProtection";
	return inv_count(operation->held) ? "ObDereferenceObject" : NULL;
}

// Another operation gets on by a step. That none can is a fault of this program.
static void drive_others(const struct inv_model_operation *operation)
{
	struct inv_model *model = operation->model;
	for (size_t i = 0; i < inv_count(model->operations); i++) {
		struct inv_model_operation *other = model->operations[i];
		if (other != operation && inv_model_next_step(other) && inv_model_step(other) != INV_MODEL_WAITS)
			return;
	}
	fprintf(stderr, "model: every operation waits for another one; before '%s'\n", inv_model_next_step(operation));
	abort();
}

static void release(struct inv_model_operation *operation)
{
	struct inv_model *model = operation->model;
	for (size_t i = 0; i < inv_count(model->operations); i++) {
		if (model->operations[i] == operation) {
			stbds_arrdel(model->operations, i);
			break;
		}
	}
	inv_array_free(operation->calls);
	inv_array_free(operation->held);
	free(operation);
}

struct inv_model_result inv_model_finish(struct inv_model_operation *operation)
{
	while (inv_model_next_step(operation))
		if (inv_model_step(operation) == INV_MODEL_WAITS)
			drive_others(operation);
	struct inv_model_result result = operation->result;
	release(operation);
	return result;
}

struct inv_model_result inv_model_do(struct inv_model *model, const struct inv_model_request *request)
{
	return inv_model_finish(inv_model_begin(model, request));
}
