// SPDX-License-Identifier: Apache-2.0
// Handles, references, sessions, jobs, tokens.
#include "model/parts.h"

#define JOB_ALL_ACCESS 0x1f001fu
#define TOKEN_ALL_ACCESS 0xf01ffu

// -- handles ----------------------------------------------------------------------------------------------------------------

static void give_handle(struct inv_model_operation *operation, struct inv_model_process *process,
                        struct inv_model_object *object, uint32_t access)
{
	operation->result.handle = inv_model_open(operation->model, process, object, access);
	if (!operation->result.handle)
		operation->result.status = process->object_table && !process->process_delete
		                               ? INV_STATUS_INSUFFICIENT_RESOURCES
		                               : INV_STATUS_PROCESS_IS_TERMINATING;
}

// What was not inserted belongs to its creation alone.
static bool inserted(struct inv_model_object *object)
{
	if (object->type == INV_MODEL_PROCESS)
		return inv_as_process(object)->process_inserted;
	return object->type != INV_MODEL_THREAD || inv_as_thread(object)->thread_inserted;
}

// ObOpenObjectByPointer
STEP(open_handle)
{
	(void)call;
	struct inv_model_object *object = operation->request.object;
	if (inserted(object))
		give_handle(operation, operation->request.process, object, operation->request.access);
	else
		operation->result.status = INV_STATUS_INVALID_PARAMETER;
	return INV_TOOK;
}

// A duplicate has the access of its source.
STEP(duplicate_handle)
{
	(void)call;
	const struct inv_model_process *source = operation->request.process;
	uint64_t handle = operation->request.handle;
	struct inv_model_object *object = source->object_table ? inv_model_table_get(source->object_table, handle) : NULL;
	if (object)
		give_handle(operation, operation->request.target, object,
		            source->object_table->entries[handle / 4].granted_access);
	else
		operation->result.status = INV_STATUS_INVALID_HANDLE;
	return INV_TOOK;
}

// The entry is free before the reference goes.
STEP(close_handle)
{
	(void)call;
	struct inv_model_object *object =
	    inv_model_close(operation->model, operation->request.process, operation->request.handle);
	if (object)
		inv_push(operation->held, object);
	else
		operation->result.status = INV_STATUS_INVALID_HANDLE;
	return INV_TOOK;
}

// -- references of drivers --------------------------------------------------------------------------------------------------

STEP(reference)
{
	(void)call;
	if (!inserted(operation->request.object)) {
		operation->result.status = INV_STATUS_INVALID_PARAMETER;
		return INV_TOOK_REST;
	}
	inv_model_reference(operation->request.object);
	inv_push(operation->model->held, operation->request.object);
	return INV_TOOK;
}

STEP(dereference)
{
	(void)call;
	struct inv_model *model = operation->model;
	for (size_t i = 0; i < inv_count(model->held); i++) {
		if (model->held[i] != operation->request.object)
			continue;
		stbds_arrdel(model->held, i);
		inv_model_dereference(operation, operation->request.object);
		return INV_TOOK;
	}
	operation->result.status = INV_STATUS_INVALID_PARAMETER; // no driver holds it
	return INV_TOOK;
}

// -- sessions, jobs, tokens -------------------------------------------------------------------------------------------------

STEP(create_session)
{
	(void)call;
	struct inv_model *model = operation->model;
	struct inv_model_session *session = inv_alloc(sizeof *session);
	session->id = (uint32_t)inv_count(model->sessions);
	inv_model_list_init(&session->processes);
	inv_push(model->sessions, session);
	operation->result.session = session;
	return INV_TOOK;
}

STEP(create_job)
{
	(void)call;
	struct inv_model_object *object = inv_model_create_object(operation->model, INV_MODEL_JOB);
	inv_push(operation->held, object);
	struct inv_model_job *job = operation->result.job = (struct inv_model_job *)object;
	inv_model_list_init(&job->processes);
	inv_model_append(&operation->model->job_list, &job->list, job);
	return INV_TOOK;
}

STEP(open_job)
{
	(void)call;
	give_handle(operation, operation->request.process, &operation->result.job->object, JOB_ALL_ACCESS);
	if (operation->result.status)
		operation->result.job = NULL;
	return INV_TOOK;
}

// A process is in one job. (Jobs in jobs, since Windows 8, are not modelled.)
STEP(assign_job)
{
	(void)call;
	struct inv_model_process *process = operation->request.target;
	struct inv_model_job *job = (struct inv_model_job *)operation->request.object;
	if (job->object.type != INV_MODEL_JOB || process->job || !process->process_inserted || process->system) {
		operation->result.status = INV_STATUS_ACCESS_DENIED;
		return INV_TOOK_REST;
	}
	inv_model_reference(&job->object);
	process->job = job;
	return INV_TOOK;
}

STEP(join_job_list)
{
	(void)call;
	struct inv_model_process *process = operation->request.target;
	struct inv_model_job *job = process->job;
	inv_model_append(&job->processes, &process->job_links, process);
	job->total_processes++;
	job->active_processes++;
	return INV_TOOK;
}

STEP(create_token)
{
	(void)call;
	struct inv_model_object *object = inv_model_create_object(operation->model, INV_MODEL_TOKEN);
	inv_push(operation->held, object);
	operation->result.token = (struct inv_model_token *)object;
	operation->result.token->token_id = ++operation->model->last_token_id;
	return INV_TOOK;
}

STEP(open_token)
{
	(void)call;
	give_handle(operation, operation->request.process, &operation->result.token->object, TOKEN_ALL_ACCESS);
	if (operation->result.status)
		operation->result.token = NULL;
	return INV_TOOK;
}

// Only a process that has not run yet gets another primary token (as documented of ProcessAccessToken), and only one that no process
// has: STATUS_TOKEN_ALREADY_IN_USE (ntstatus.h: "an attempt has been made to use a token already in use").
STEP(set_token)
{
	(void)call;
	struct inv_model_process *process = operation->request.target;
	struct inv_model_object *object = operation->request.object;
	if (object->type != INV_MODEL_TOKEN || process->create_reported || process->active_threads || !process->token) {
		operation->result.status = INV_STATUS_INVALID_PARAMETER;
		return INV_TOOK_REST;
	}
	struct inv_model_token *old = process->token, *token = (struct inv_model_token *)object;
	if (token->in_use) {
		operation->result.status = INV_STATUS_TOKEN_ALREADY_IN_USE;
		return INV_TOOK_REST;
	}
	inv_model_reference(object);
	process->token = token;
	token->in_use = true;
	old->in_use = false;
	inv_model_dereference(operation, &old->object);
	return INV_TOOK;
}

// -- deletion of tokens, jobs and sections ----------------------------------------------------------------------------------

STEP(leave_list)
{
	(void)operation;
	if (call->subject->type == INV_MODEL_JOB)
		inv_model_unlink(&((struct inv_model_job *)call->subject)->list);
	return INV_TOOK;
}

STEP(free_object)
{
	inv_model_free_object(operation->model, call->subject);
	return INV_TOOK;
}

static const struct inv_model_step open_steps[] = {{"ObOpenObjectByPointer", open_handle}};
static const struct inv_model_step duplicate_steps[] = {{"ObDuplicateObject", duplicate_handle}};
static const struct inv_model_step close_steps[] = {{"ObpCloseHandle", close_handle}};
static const struct inv_model_step reference_steps[] = {{"ObReferenceObject", reference}};
static const struct inv_model_step dereference_steps[] = {{"ObDereferenceObject", dereference}};
static const struct inv_model_step session_steps[] = {{"MiSessionCreate", create_session}};
static const struct inv_model_step job_steps[] = {{"ObCreateObject, PspJobList", create_job},
                                                  {"ObInsertObjectEx", open_job}};
static const struct inv_model_step assign_steps[] = {{"EPROCESS.Job", assign_job}, {"JobLinks", join_job_list}};
static const struct inv_model_step token_steps[] = {{"ObCreateObject", create_token}, {"ObInsertObjectEx", open_token}};
static const struct inv_model_step set_token_steps[] = {{"PspAssignPrimaryToken", set_token}};
static const struct inv_model_step delete_steps[] = {{"delete procedure", leave_list}, {"ObpFreeObject", free_object}};

// INV_MODEL_OPERATION_COUNT: deletion.
struct inv_model_routine_steps inv_model_object_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_OPEN_HANDLE        ? INV_MODEL_STEPS(open_steps)
	       : kind == INV_MODEL_DUPLICATE_HANDLE ? INV_MODEL_STEPS(duplicate_steps)
	       : kind == INV_MODEL_CLOSE_HANDLE     ? INV_MODEL_STEPS(close_steps)
	       : kind == INV_MODEL_REFERENCE        ? INV_MODEL_STEPS(reference_steps)
	       : kind == INV_MODEL_DEREFERENCE      ? INV_MODEL_STEPS(dereference_steps)
	       : kind == INV_MODEL_CREATE_SESSION   ? INV_MODEL_STEPS(session_steps)
	       : kind == INV_MODEL_CREATE_JOB       ? INV_MODEL_STEPS(job_steps)
	       : kind == INV_MODEL_ASSIGN_JOB       ? INV_MODEL_STEPS(assign_steps)
	       : kind == INV_MODEL_CREATE_TOKEN     ? INV_MODEL_STEPS(token_steps)
	       : kind == INV_MODEL_SET_TOKEN        ? INV_MODEL_STEPS(set_token_steps)
	       : kind == INV_MODEL_OPERATION_COUNT  ? INV_MODEL_STEPS(delete_steps)
	                                            : none;
}
