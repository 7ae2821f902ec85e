// SPDX-License-Identifier: Apache-2.0
// Creation, insertion, exit and deletion of processes: PspAllocateProcess, PspInsertProcess, PspProcessDelete and what they
// call. The order of the steps is that which was read in the kernel's code of two generations, but where "not verified"
// stands.
#include "model/parts.h"

#define PROCESS_ALL_ACCESS 0x1fffffu // since Windows Vista

// -- PspAllocateProcess -----------------------------------------------------------------------------------------------------
// The new process is the operation's result; it is the creation's own until the last step.

static struct inv_model_process *parent_of(const struct inv_model_operation *operation)
{
	return operation->request.kind == INV_MODEL_CLONE_PROCESS ? operation->request.target : operation->request.process;
}

static enum inv_model_kind kind_of(const struct inv_model_operation *operation)
{
	if (operation->request.kind == INV_MODEL_CLONE_PROCESS)
		return INV_MODEL_CLONE;
	return operation->request.process_kind == INV_MODEL_MINIMAL ? INV_MODEL_MINIMAL : INV_MODEL_ORDINARY;
}

STEP(create_object)
{
	(void)call;
	struct inv_model_object *object = inv_model_create_object(operation->model, INV_MODEL_PROCESS);
	inv_push(operation->held, object);
	struct inv_model_process *process = operation->result.process = inv_as_process(object);
	process->kind = kind_of(operation);
	process->minimal = process->kind == INV_MODEL_MINIMAL;
	process->exit_status = INV_STATUS_PENDING;
	process->inherited_from_unique_process_id = parent_of(operation)->unique_process_id;
	inv_model_list_init(&process->thread_list_head);
	inv_model_list_init(&process->thread_head);
	inv_model_list_init(&process->space.vad_root);
	inv_model_init_ldr(&process->ldr);
	return INV_TOOK;
}

// SeSubProcessToken: a copy of the parent's. (That it comes before the address space: not verified.)
STEP(give_token)
{
	(void)call;
	struct inv_model_token *token =
	    (struct inv_model_token *)inv_model_create_object(operation->model, INV_MODEL_TOKEN);
	token->token_id = ++operation->model->last_token_id;
	token->in_use = true;
	operation->result.process->token = token; // the first reference is the process'
	return INV_TOOK;
}

// An ordinary process maps a program, a clone what its parent maps. (That the section is made here: NtCreateUserProcess makes it
// before, which shows nowhere else.)
STEP(find_section)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	if (process->kind == INV_MODEL_MINIMAL)
		return INV_TOOK;
	if (process->kind == INV_MODEL_CLONE) {
		process->clone_root = parent_of(operation)->object.serial;
		process->fork_in_progress = true;
		return INV_TOOK;
	}
	struct inv_model_object *image = operation->request.image;
	if (image && image->type == INV_MODEL_SECTION)
		return INV_TOOK;
	struct inv_model_work work = {.backing = INV_MODEL_IMAGE, .file = (struct inv_model_file *)image};
	if (!image) {
		work.file = inv_model_new_file(operation->model, NULL);
		inv_push(operation->held, &work.file->object);
	}
	inv_model_push_section(operation, &work);
	return INV_TOOK;
}

STEP(give_section)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	if (process->kind == INV_MODEL_MINIMAL)
		return INV_TOOK;
	if (process->kind == INV_MODEL_CLONE)
		process->section = parent_of(operation)->section;
	else if (operation->result.section)
		process->section = operation->result.section;
	else
		process->section = (struct inv_model_section *)operation->request.image;
	operation->result.section = NULL;
	if (process->section)
		inv_model_reference(&process->section->object);
	process->section_was_there = process->section != NULL;
	return INV_TOOK;
}

// (That it is the file object of the control area: not verified.)
STEP(give_image_file)
{
	(void)call;
	(void)operation;
	struct inv_model_process *process = operation->result.process;
	if (!process->section)
		return INV_TOOK;
	process->image_file_pointer = process->section->area->file_pointer;
	inv_model_reference(&process->image_file_pointer->object);
	return INV_TOOK;
}

// MmCreateProcessAddressSpace begins with the top-level page, whose page-frame entry points back at the process.
STEP(make_top_level_page)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	process->directory_table_base = inv_model_take_frame(operation->model, process);
	return INV_TOOK;
}

STEP(set_session)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	const struct inv_model_request *request = &operation->request;
	if (request->no_session || process->kind == INV_MODEL_MINIMAL)
		return INV_TOOK;
	process->session = request->session ? request->session : parent_of(operation)->session;
	process->process_in_session = process->session != NULL;
	const struct inv_model_session *parents = parent_of(operation)->session;
	process->cross_session_create = process->session && parents && process->session != parents;
	return INV_TOOK;
}

// MiInsertNewProcess: both lists.
STEP(insert_mm_list)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	inv_model_append(&operation->model->mm_process_list, &process->mm_process_links, process);
	return INV_TOOK;
}

STEP(insert_session_list)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	if (!process->session)
		return INV_TOOK;
	inv_model_append(&process->session->processes, &process->session_process_links, process);
	process->session->process_count++;
	return INV_TOOK;
}

STEP(map_image)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	const struct inv_model_work work = {.process = process};
	if (process->kind == INV_MODEL_CLONE)
		inv_model_push_work(operation, inv_model_clone_space(), &parent_of(operation)->object, &work);
	else if (process->section)
		inv_model_push_work(operation, inv_model_start_space(), &process->object, &work);
	return INV_TOOK;
}

// ObInitProcess. The table is on the list before it knows its process' identifier.
STEP(make_handle_table)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	if (process->kind == INV_MODEL_MINIMAL)
		return INV_TOOK;
	process->object_table = inv_model_new_table(process, false);
	inv_model_append(&operation->model->handle_table_list_head, &process->object_table->list, process->object_table);
	return INV_TOOK;
}

STEP(give_identifier)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	process->unique_process_id = inv_model_table_put(operation->model->cid, &process->object, 0);
	if (process->unique_process_id)
		return INV_TOOK;
	operation->result.status = INV_STATUS_INSUFFICIENT_RESOURCES;
	operation->result.process = NULL; // its only reference ends with the operation
	return INV_TOOK_REST;
}

STEP(set_create_time)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	process->create_time = operation->model->system_time;
	process->create_interrupt_time = operation->model->interrupt_time;
	return INV_TOOK;
}

// The process stays for whoever inserts it.
STEP(keep_for_insertion)
{
	(void)call;
	struct inv_model_process *process = operation->result.process;
	inv_model_reference(&process->object);
	process->creation_held = true;
	return INV_TOOK;
}

static const struct inv_model_step allocate[] = {
    {"ObCreateObject", create_object},
    {"SeSubProcessToken", give_token},
    {"MmCreateSection", find_section},
    {"reference the section", give_section},
    {"ImageFilePointer", give_image_file},
    {"MiAllocateTopLevelPage", make_top_level_page},
    {"Session, ProcessInSession", set_session},
    {"MiInsertNewProcess: Mm list", insert_mm_list},
    {"MiInsertNewProcess: session list", insert_session_list},
    {"MmInitializeProcessAddressSpace", map_image},
    {"ObInitProcess", make_handle_table},
    {"ExCreateHandle(PspCidTable)", give_identifier},
    {"CreateTime, CreateInterruptTime", set_create_time},
};
static const struct inv_model_step keep[] = {{"return the process", keep_for_insertion}};
#define COUNT(array) (sizeof(array) / sizeof *(array))

STEP(allocate_process)
{
	inv_model_push(operation, allocate, COUNT(allocate), call->subject, 0);
	return INV_TOOK;
}

STEP(keep_process)
{
	if (!operation->result.process)
		return INV_TOOK_REST;
	inv_model_push(operation, keep, COUNT(keep), call->subject, 0);
	return INV_TOOK;
}

static const struct inv_model_step create[] = {
    {"PspAllocateProcess", allocate_process},
    {"return", keep_process},
};

// -- PspInsertProcess, ObInsertObjectEx -------------------------------------------------------------------------------------

// A child is in its parent's job. (That this is the place: not verified.)
STEP(inherit_job)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_job *job = operation->request.process->job;
	if (!job || process->job || process->kind == INV_MODEL_MINIMAL)
		return INV_TOOK;
	inv_model_reference(&job->object);
	process->job = job;
	inv_model_append(&job->processes, &process->job_links, process);
	job->total_processes++;
	job->active_processes++;
	return INV_TOOK;
}

STEP(name_handle_table)
{
	(void)operation;
	struct inv_model_process *process = inv_as_process(call->subject);
	if (process->object_table)
		process->object_table->unique_process_id = process->unique_process_id;
	return INV_TOOK;
}

// Under PspActiveProcessLock: number and place belong together.
STEP(insert_active_list)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	process->sequence_number = ++operation->model->process_sequence_number;
	inv_model_append(&operation->model->active_process_head, &process->active_process_links, process);
	process->se_audit = true;
	return INV_TOOK;
}

STEP(insert_handle)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	uint32_t access = operation->request.access ? operation->request.access : PROCESS_ALL_ACCESS;
	operation->result.process = process;
	operation->result.handle = inv_model_open(operation->model, operation->request.process, &process->object, access);
	return INV_TOOK; // a creator without a handle table gets none: the process then ends with the operation
}

STEP(set_process_inserted)
{
	(void)operation;
	inv_as_process(call->subject)->process_inserted = true;
	return INV_TOOK;
}

STEP(end_fork)
{
	(void)operation;
	inv_as_process(call->subject)->fork_in_progress = false;
	return INV_TOOK;
}

static const struct inv_model_step insert[] = {
    {"job of the parent", inherit_job},
    {"HANDLE_TABLE.UniqueProcessId", name_handle_table},
    {"SequenceNumber, PsActiveProcessHead", insert_active_list},
    {"ObInsertObjectEx", insert_handle},
    {"Flags.ProcessInserted", set_process_inserted},
    {"end of the fork", end_fork},
};

STEP(abandon_process)
{
	(void)call;
	operation->result.process = NULL; // the reference that the operation took over was the only one
	return INV_TOOK;
}

static const struct inv_model_step abandon[] = {{"creation failed", abandon_process}};

// -- NtCreateUserProcess and clones -----------------------------------------------------------------------------------------

STEP(insert_new_process)
{
	(void)call;
	if (!operation->result.process)
		return INV_TOOK_REST;
	inv_model_push(operation, insert, COUNT(insert), &operation->result.process->object, 0);
	return INV_TOOK;
}

STEP(create_first_thread)
{
	(void)call;
	struct inv_model_routine_steps row = inv_model_thread_steps(INV_MODEL_CREATE_THREAD);
	inv_model_push(operation, row.steps, row.count, &operation->result.process->object, 0);
	return INV_TOOK;
}

// A creation that a callback refused: the first thread has ended without having run a line of the program, and the
// creator's handle is closed. Nothing else holds the process then.
STEP(close_if_refused)
{
	(void)call;
	if (!operation->result.process->refused)
		return INV_TOOK;
	struct inv_model_object *object =
	    inv_model_close(operation->model, operation->request.process, operation->result.handle);
	operation->result.process = NULL;
	operation->result.thread = NULL;
	operation->result.handle = 0;
	if (object)
		inv_model_dereference(operation, object);
	return INV_TOOK_REST;
}

STEP(start_first_thread)
{
	(void)call;
	if (!operation->result.thread)
		return INV_TOOK_REST;
	struct inv_model_routine_steps row = inv_model_thread_steps(INV_MODEL_START_THREAD);
	inv_model_push(operation, row.steps, row.count, &operation->result.thread->object, 0);
	return INV_TOOK;
}

static const struct inv_model_step spawn[] = {
    {"PspAllocateProcess", allocate_process},   {"PspInsertProcess", insert_new_process},
    {"PspAllocateThread", create_first_thread}, {"refused?", close_if_refused},
    {"KeReadyThread", start_first_thread},
};

static const struct inv_model_step clone[] = {
    {"PspAllocateProcess", allocate_process},
    {"PspInsertProcess", insert_new_process},
};

// -- exit -------------------------------------------------------------------------------------------------------------------

STEP(set_exiting)
{
	(void)operation;
	inv_as_process(call->subject)->process_exiting = true;
	return INV_TOOK;
}

// PspTerminateAllThreads. A process that never had a thread goes with its last reference. (Not verified.)
STEP(terminate_threads)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	for (struct inv_model_link *link = process->thread_head.next; link != &process->thread_head; link = link->next) {
		struct inv_model_thread *thread = link->owner;
		if (thread->leaving)
			continue;
		inv_model_push_terminate(operation, thread, call->value);
		return INV_TOOK_AGAIN;
	}
	bool ended =
	    inv_model_empty(&process->thread_list_head) && process->active_threads == 0 && process->rundown_protect == 0;
	return ended ? INV_TOOK : INV_TOOK_NOT; // others end the rest, or make another thread
}

static const struct inv_model_step exit_steps[] = {
    {"Flags.ProcessExiting", set_exiting},
    {"PspTerminateAllThreads", terminate_threads},
};

// -- PspProcessDelete -------------------------------------------------------------------------------------------------------

STEP(clear_process_inserted)
{
	(void)operation;
	inv_as_process(call->subject)->process_inserted = false;
	return INV_TOOK;
}

STEP(leave_active_list)
{
	(void)operation;
	inv_model_unlink(&inv_as_process(call->subject)->active_process_links);
	return INV_TOOK;
}

STEP(free_audit_name)
{
	(void)operation;
	inv_as_process(call->subject)->se_audit = false;
	return INV_TOOK;
}

STEP(release_exception_port)
{
	(void)operation;
	inv_as_process(call->subject)->exception_port = false;
	return INV_TOOK;
}

// Only a process that never had a thread still has its handles. (That it loses them here: not verified.)
STEP(kill_handles)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	if (!process->object_table)
		return INV_TOOK;
	uint64_t handle = inv_model_table_first(process->object_table, 0);
	if (handle) {
		inv_model_dereference(operation, inv_model_close(operation->model, process, handle));
		return INV_TOOK_AGAIN;
	}
	inv_model_free_table(process->object_table);
	process->object_table = NULL;
	return INV_TOOK;
}

STEP(leave_job_list)
{
	(void)operation;
	struct inv_model_process *process = inv_as_process(call->subject);
	if (process->job && inv_model_linked(&process->job_links)) {
		inv_model_unlink(&process->job_links);
		process->job->active_processes--;
	}
	return INV_TOOK;
}

// Only a process that never had a thread still has an address space. (That it is cleaned here: not verified.)
STEP(clean_space)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	const struct inv_model_work work = {.process = process};
	if (process->space.vad_count)
		inv_model_push_work(operation, inv_model_clean_space(), call->subject, &work);
	return INV_TOOK;
}

STEP(leave_session_list)
{
	(void)operation;
	struct inv_model_process *process = inv_as_process(call->subject);
	if (inv_model_linked(&process->session_process_links)) {
		inv_model_unlink(&process->session_process_links);
		process->session->process_count--;
	}
	process->process_in_session = false;
	process->session = NULL;
	return INV_TOOK;
}

STEP(leave_mm_list)
{
	(void)operation;
	inv_model_unlink(&inv_as_process(call->subject)->mm_process_links);
	return INV_TOOK;
}

STEP(delete_top_level_page)
{
	(void)operation;
	struct inv_model_process *process = inv_as_process(call->subject);
	if (process->directory_table_base)
		process->directory_table_base->owner = NULL;
	process->former_root = process->directory_table_base;
	process->directory_table_base = NULL;
	return INV_TOOK;
}

STEP(release_section)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_section *section = process->section;
	process->section = NULL;
	if (section)
		inv_model_dereference(operation, &section->object);
	return INV_TOOK;
}

STEP(release_image_file)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_file *file = process->image_file_pointer;
	process->image_file_pointer = NULL;
	if (file)
		inv_model_dereference(operation, &file->object);
	return INV_TOOK;
}

STEP(release_job)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_job *job = process->job;
	process->job = NULL;
	if (job)
		inv_model_dereference(operation, &job->object);
	return INV_TOOK;
}

STEP(destroy_identifier)
{
	const struct inv_model_process *process = inv_as_process(call->subject);
	if (process->unique_process_id)
		(void)inv_model_table_take(operation->model->cid, process->unique_process_id);
	return INV_TOOK;
}

STEP(release_token)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_token *token = process->token;
	process->token = NULL;
	if (!token)
		return INV_TOOK;
	token->in_use = false; // SeDeassignPrimaryToken
	inv_model_dereference(operation, &token->object);
	return INV_TOOK;
}

STEP(free_process)
{
	inv_model_free_object(operation->model, call->subject);
	return INV_TOOK;
}

static const struct inv_model_step delete_steps[] = {
    {"PspProcessDelete: Flags.ProcessInserted", clear_process_inserted},
    {"PspProcessDelete: PsActiveProcessHead", leave_active_list},
    {"PspProcessDelete: SeAuditProcessCreationInfo", free_audit_name},
    {"PspProcessDelete: ExceptionPort", release_exception_port},
    {"PspProcessDelete: ObKillProcess", kill_handles},
    {"PspProcessDelete: job list", leave_job_list},
    {"MmDeleteProcessAddressSpace", clean_space},
    {"MiDeleteFinalPageTables: session list", leave_session_list},
    {"MiDeleteFinalPageTables: Mm list", leave_mm_list},
    {"MiDeleteTopLevelPage", delete_top_level_page},
    {"PspProcessDelete: section", release_section},
    {"PspProcessDelete: ImageFilePointer", release_image_file},
    {"PspProcessDelete: Job", release_job},
    {"PspProcessDelete: PspCidTable", destroy_identifier},
    {"PspProcessDelete: Token", release_token},
    {"ObpFreeObject", free_process},
};

struct inv_model_routine_steps inv_model_delete_process(void)
{
	return INV_MODEL_STEPS(delete_steps);
}

struct inv_model_routine_steps inv_model_process_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_CREATE_PROCESS    ? INV_MODEL_STEPS(create)
	       : kind == INV_MODEL_INSERT_PROCESS  ? INV_MODEL_STEPS(insert)
	       : kind == INV_MODEL_ABANDON_PROCESS ? INV_MODEL_STEPS(abandon)
	       : kind == INV_MODEL_SPAWN_PROCESS   ? INV_MODEL_STEPS(spawn)
	       : kind == INV_MODEL_CLONE_PROCESS   ? INV_MODEL_STEPS(clone)
	       : kind == INV_MODEL_EXIT_PROCESS    ? INV_MODEL_STEPS(exit_steps)
	                                           : none;
}
