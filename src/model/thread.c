// SPDX-License-Identifier: Apache-2.0
// Threads: PspAllocateThread, PspInsertThread, PspExitThread (with the end of the process, if it was the last one),
// KeTerminateThread, PspThreadDelete; and attaching to another process.
#include "model/parts.h"

#define THREAD_ALL_ACCESS 0x1fffffu // since Windows Vista

// -- creation; the subject is the process -----------------------------------------------------------------------------------

// The object refers to its process until it is deleted.
STEP(create_object)
{
	struct inv_model_object *object = inv_model_create_object(operation->model, INV_MODEL_THREAD);
	inv_push(operation->held, object);
	struct inv_model_thread *thread = operation->result.thread = inv_as_thread(object);
	thread->process = thread->apc_process = inv_as_process(call->subject);
	thread->process_serial = call->subject->serial;
	inv_model_reference(call->subject);
	inv_model_init_apcs(thread);
	thread->priority = operation->request.priority ? operation->request.priority : 8;
	thread->exit_status = INV_STATUS_PENDING;
	thread->create_time = operation->model->system_time;
	return INV_TOOK;
}

STEP(give_identifier)
{
	(void)call;
	struct inv_model_thread *thread = operation->result.thread;
	thread->unique_thread = inv_model_table_put(operation->model->cid, &thread->object, 0);
	if (thread->unique_thread)
		return INV_TOOK;
	operation->result.status = INV_STATUS_INSUFFICIENT_RESOURCES;
	operation->result.thread = NULL;
	return INV_TOOK_REST;
}

// Threads of a process with a PEB run in user mode.
STEP(create_user_part)
{
	const struct inv_model_work work = {0};
	if (inv_as_process(call->subject)->peb)
		inv_model_push_work(operation, inv_model_create_user_thread(), call->subject, &work);
	return INV_TOOK;
}

// KeInitThread
STEP(give_stack)
{
	(void)call;
	operation->result.thread->stack = true;
	return INV_TOOK;
}

// PspInsertThread: it counts, stands on the executive's list and holds itself from now on.
STEP(insert_executive_list)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_thread *thread = operation->result.thread;
	process->active_threads++;
	inv_model_append(&process->thread_head, &thread->thread_list_exec, thread);
	thread->self_reference = true;
	inv_model_reference(&thread->object);
	return INV_TOOK;
}

// KeStartThread: the scheduler's list, and with the first thread the process on KiProcessListHead.
STEP(insert_scheduler_list)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_thread *thread = operation->result.thread;
	inv_model_append(&process->thread_list_head, &thread->thread_list, thread);
	if (!inv_model_linked(&process->process_list))
		inv_model_append(&operation->model->ki_process_list_head, &process->process_list, process);
	return INV_TOOK;
}

// The first thread of a process is what its creation is reported with. (Flags: X07; its order among the steps of
// PspInsertThread: not verified.)
STEP(notify_process)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	if (process->create_reported)
		return INV_TOOK;
	process->create_reported = process->new_process_reported = true;
	const struct inv_model_event event = {INV_CALLBACK_PROCESS, true, process, NULL};
	process->refused = inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

STEP(notify_thread)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	const struct inv_model_event event = {INV_CALLBACK_THREAD, true, process, operation->result.thread};
	if (!process->refused)
		(void)inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

// A refused creation: the thread ends before it has run, and the process with it.
STEP(end_if_refused)
{
	const struct inv_model_process *process = inv_as_process(call->subject);
	if (!process->refused)
		return INV_TOOK;
	inv_model_unprotect(operation, process);
	inv_model_push_terminate(operation, operation->result.thread, process->refused);
	operation->result.status = process->refused;
	operation->result.thread = NULL;
	return INV_TOOK_REST;
}

// ObInsertObjectEx
STEP(insert_object)
{
	(void)call;
	struct inv_model_thread *thread = operation->result.thread;
	uint64_t handle = inv_model_open(operation->model, operation->request.process, &thread->object, THREAD_ALL_ACCESS);
	if (operation->request.kind == INV_MODEL_CREATE_THREAD)
		operation->result.handle = handle;
	return INV_TOOK;
}

STEP(set_thread_inserted)
{
	(void)call;
	operation->result.thread->thread_inserted = true;
	return INV_TOOK;
}

static const struct inv_model_step create[] = {
    {"ObCreateObject", create_object},
    {"ExCreateHandle(PspCidTable)", give_identifier},
    {"user stack, TEB", create_user_part},
    {"KeInitThread", give_stack},
    {"PspInsertThread: EPROCESS.ThreadListHead", insert_executive_list},
    {"KeStartThread", insert_scheduler_list},
    {"process callbacks", notify_process},
    {"refused?", end_if_refused},
    {"thread callbacks", notify_thread},
    {"ObInsertObjectEx", insert_object},
    {"ThreadInserted", set_thread_inserted},
};

// -- start ------------------------------------------------------------------------------------------------------------------

static bool first_to_run(const struct inv_model_thread *thread)
{
	return thread->process->thread_head.next == &thread->thread_list_exec;
}

// The image is reported when the program is mapped for its first thread.
STEP(notify_image)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->state != INV_THREAD_INITIALIZED || thread->leaving || !thread->thread_inserted)
		return INV_TOOK_REST;
	const struct inv_model_event event = {INV_CALLBACK_IMAGE, true, thread->process, NULL};
	if (thread->process->section && first_to_run(thread))
		(void)inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

STEP(ready_thread)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->state == INV_THREAD_INITIALIZED && !thread->leaving)
		inv_model_ready(operation->model, thread);
	return INV_TOOK;
}

// Before the first thread runs csrss is told of the process, if it is of a session: it keeps a handle and a record, and gives it its
// exception port (ReactOS, CsrCreateProcess; these in one step, their order is not verified).
STEP(register_client)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	if (!process || !process->session || process->kind != INV_MODEL_ORDINARY || process->exception_port ||
	    process->process_delete || thread->leaving || thread->state != INV_THREAD_INITIALIZED)
		return INV_TOOK;
	process->client = process->client_handle = process->exception_port = true;
	inv_model_reference(&process->object);
	return INV_TOOK;
}

static const struct inv_model_step start[] = {
    {"image callbacks", notify_image},
    {"csrss: CSR_PROCESS", register_client},
    {"KeReadyThread", ready_thread},
};

// -- PspExitThread; the subject is the thread -------------------------------------------------------------------------------

static struct inv_model_cpu *cpu_of(const struct inv_model_operation *operation, const struct inv_model_thread *thread)
{
	return &operation->model->cpu[thread->cpu];
}

// A thread ends in its own context, so it must run, and where it came from: not attached to another process. One that would
// be the last waits for those who need the process.
STEP(begin_exit)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	if (thread->leaving || !thread->self_reference)
		return INV_TOOK_REST;
	if (!thread->thread_inserted && !process->refused)
		return INV_TOOK_NOT; // under the process lock it is inserted into all lists or none
	if (process->rundown_protect && process->active_threads - process->leaving == 1)
		return INV_TOOK_NOT;
	if (thread->apc_process != process) {
		inv_model_push_detach(operation, thread);
		return INV_TOOK_AGAIN;
	}
	struct inv_model_cpu *cpu = inv_model_run_thread(operation->model, thread);
	if (!cpu)
		return INV_TOOK_NOT;
	cpu->pinned = true;
	inv_model_force_resume(thread); // KeForceResumeThread
	thread->leaving = true;
	process->leaving++;
	return INV_TOOK;
}

STEP(set_terminated)
{
	(void)operation;
	inv_as_thread(call->subject)->terminated = true;
	return INV_TOOK;
}

STEP(count_down)
{
	(void)operation;
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	process->leaving--;
	if (--process->active_threads > 0)
		return INV_TOOK;
	thread->last_thread = true;
	process->process_delete = process->process_rundown = true;
	return INV_TOOK;
}

STEP(set_exit_status)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->last_thread)
		thread->process->exit_status = call->value;
	return INV_TOOK;
}

STEP(leave_win32)
{
	(void)operation;
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	thread->win32_thread = false;
	if (thread->last_thread)
		thread->process->win32_process = false;
	return INV_TOOK;
}

// csrss is told by the end of the connection, whose handle is gone now. (That it is told at once: not verified.)
STEP(leave_csrss)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->last_thread)
		thread->process->client = false;
	return INV_TOOK;
}

STEP(close_client_handle)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	if (!thread->last_thread || !process->client_handle)
		return INV_TOOK;
	process->client_handle = false;
	inv_model_dereference(operation, &process->object);
	return INV_TOOK;
}

// (The place of the thread callbacks among these steps: not verified.)
STEP(notify_thread_exit)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	const struct inv_model_event event = {INV_CALLBACK_THREAD, false, thread->process, thread};
	(void)inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

STEP(set_exit_time)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->last_thread)
		thread->process->exit_time = operation->model->system_time;
	return INV_TOOK;
}

STEP(notify_process_exit)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!thread->last_thread)
		return INV_TOOK;
	thread->process->exit_process_reported = true;
	const struct inv_model_event event = {INV_CALLBACK_PROCESS, false, thread->process, NULL};
	(void)inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

STEP(delete_user_part)
{
	const struct inv_model_work work = {0};
	inv_model_push_work(operation, inv_model_delete_user_thread(), call->subject, &work);
	return INV_TOOK;
}

// PspRundownSingleProcess begins with ObKillProcess: handle by handle, then the table.
STEP(kill_handle)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	if (!thread->last_thread || !process->object_table)
		return INV_TOOK;
	uint64_t handle = inv_model_table_first(process->object_table, 0);
	if (!handle)
		return INV_TOOK;
	inv_model_dereference(operation, inv_model_close(operation->model, process, handle));
	return INV_TOOK_AGAIN;
}

STEP(drop_handle_table)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!thread->last_thread)
		return INV_TOOK;
	inv_model_free_table(thread->process->object_table);
	thread->process->object_table = NULL;
	return INV_TOOK;
}

STEP(clean_address_space)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	const struct inv_model_work work = {.process = thread->process};
	if (thread->last_thread)
		inv_model_push_work(operation, inv_model_clean_space(), &thread->process->object, &work);
	return INV_TOOK;
}

STEP(release_section)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_section *section = thread->process->section;
	if (!thread->last_thread || !section)
		return INV_TOOK;
	thread->process->section = NULL;
	inv_model_dereference(operation, &section->object);
	return INV_TOOK;
}

STEP(release_image_file)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_file *file = thread->process->image_file_pointer;
	if (!thread->last_thread || !file)
		return INV_TOOK;
	thread->process->image_file_pointer = NULL;
	inv_model_dereference(operation, &file->object);
	return INV_TOOK;
}

STEP(signal_process)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->last_thread)
		thread->process->signal_state = 1;
	return INV_TOOK;
}

// The pointer to the job stays until deletion.
STEP(leave_job)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	if (!thread->last_thread || !process->job)
		return INV_TOOK;
	inv_model_unlink(&process->job_links);
	process->job->active_processes--;
	return INV_TOOK;
}

STEP(set_thread_exit)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	thread->exit_status = call->value;
	thread->exit_time = operation->model->system_time;
	return INV_TOOK;
}

// (Their place among these steps: not verified.)
STEP(refuse_apcs)
{
	(void)operation;
	inv_as_thread(call->subject)->apc_queueable = false;
	return INV_TOOK;
}

STEP(flush_apcs)
{
	(void)operation;
	inv_model_flush_apcs(inv_as_thread(call->subject));
	return INV_TOOK;
}

// KeTerminateThread: off the scheduler's list, the process with its last one, and off the CPU; the reaper does the rest.
STEP(terminate)
{
	struct inv_model *model = operation->model;
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	struct inv_model_cpu *cpu = cpu_of(operation, thread);
	inv_model_unlink(&thread->thread_list);
	if (inv_model_empty(&process->thread_list_head))
		inv_model_unlink(&process->process_list);
	thread->signal_state = 1;
	thread->state = INV_THREAD_TERMINATED;
	inv_model_append(&model->reaper_list_head, &thread->reaper, thread);
	cpu->pinned = false;
	inv_model_choose(model, cpu);
	inv_model_swap(model, cpu);
	return INV_TOOK;
}

// PspReaper: the stack, and the thread's reference to itself.
STEP(reap)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	inv_model_unlink(&thread->reaper);
	thread->stack = false;
	thread->self_reference = false;
	inv_model_dereference(operation, &thread->object);
	return INV_TOOK;
}

static const struct inv_model_step exit_steps[] = {
    {"PspExitThread", begin_exit},
    {"Terminated", set_terminated},
    {"ActiveThreads", count_down},
    {"EPROCESS.ExitStatus", set_exit_status},
    {"Win32 call-outs", leave_win32},
    {"thread callbacks", notify_thread_exit},
    {"EPROCESS.ExitTime", set_exit_time},
    {"process callbacks", notify_process_exit},
    {"user stack, TEB", delete_user_part},
    {"ObKillProcess: a handle", kill_handle},
    {"ObKillProcess: ObjectTable", drop_handle_table},
    {"csrss: CSR_PROCESS", leave_csrss},
    {"csrss: NtClose", close_client_handle},
    {"MmCleanProcessAddressSpace", clean_address_space},
    {"SectionObject", release_section},
    {"ImageFilePointer", release_image_file},
    {"Header.SignalState", signal_process},
    {"job list", leave_job},
    {"ETHREAD.ExitStatus", set_thread_exit},
    {"ApcQueueable", refuse_apcs},
    {"KeFlushQueueApc", flush_apcs},
    {"KeTerminateThread", terminate},
    {"PspReaper", reap},
};

void inv_model_push_terminate(struct inv_model_operation *operation, struct inv_model_thread *thread, uint32_t status)
{
	inv_model_push(operation, exit_steps, sizeof exit_steps / sizeof *exit_steps, &thread->object, status);
}

// -- PspThreadDelete --------------------------------------------------------------------------------------------------------

STEP(leave_executive_list)
{
	(void)operation;
	inv_model_unlink(&inv_as_thread(call->subject)->thread_list_exec);
	return INV_TOOK;
}

STEP(destroy_identifier)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->unique_thread)
		(void)inv_model_table_take(operation->model->cid, thread->unique_thread);
	return INV_TOOK;
}

STEP(release_process)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *process = thread->process;
	thread->process = thread->apc_process = NULL;
	inv_model_dereference(operation, &process->object);
	return INV_TOOK;
}

STEP(free_thread)
{
	inv_model_free_object(operation->model, call->subject);
	return INV_TOOK;
}

static const struct inv_model_step delete_steps[] = {
    {"PspThreadDelete: EPROCESS.ThreadListHead", leave_executive_list},
    {"PspThreadDelete: PspCidTable", destroy_identifier},
    {"PspThreadDelete: process", release_process},
    {"ObpFreeObject", free_thread},
};

struct inv_model_routine_steps inv_model_delete_thread(void)
{
	return INV_MODEL_STEPS(delete_steps);
}

// -- KeStackAttachProcess ---------------------------------------------------------------------------------------------------

// A thread attaches itself, so it must run. (That the caller keeps a reference to the process: the rule for drivers.)
STEP(attach)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->leaving || thread->state == INV_THREAD_INITIALIZED || thread->state == INV_THREAD_TERMINATED ||
	    inv_model_suspended(thread) || thread->apc_process != thread->process ||
	    !operation->request.target->process_inserted) {
		operation->result.status = INV_STATUS_INVALID_PARAMETER;
		return INV_TOOK_REST;
	}
	struct inv_model_cpu *cpu = inv_model_run_thread(operation->model, thread);
	if (!cpu)
		return INV_TOOK_NOT;
	if (operation->request.target == thread->process)
		return INV_TOOK;
	thread->apc_process = operation->request.target;
	inv_model_reference(&thread->apc_process->object);
	inv_model_attach_apcs(thread);
	inv_model_load_address_space(cpu);
	return INV_TOOK;
}

STEP(detach)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_process *other = thread->apc_process;
	if (!other || other == thread->process)
		return INV_TOOK_REST;
	struct inv_model_cpu *cpu = inv_model_run_thread(operation->model, thread);
	if (!cpu)
		return INV_TOOK_NOT;
	thread->apc_process = thread->process;
	inv_model_detach_apcs(thread);
	inv_model_load_address_space(cpu);
	inv_model_dereference(operation, &other->object);
	return INV_TOOK;
}

static const struct inv_model_step attach_steps[] = {{"KeStackAttachProcess", attach}};
static const struct inv_model_step detach_steps[] = {{"KeUnstackDetachProcess", detach}};

void inv_model_push_detach(struct inv_model_operation *operation, struct inv_model_thread *thread)
{
	inv_model_push(operation, detach_steps, 1, &thread->object, 0);
}

// -- the processor ----------------------------------------------------------------------------------------------------------

// KiCommitThreadWait: the thread stands on the wait list before the CPU leaves it.
STEP(enter_wait)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_cpu *cpu = cpu_of(operation, thread);
	if (thread->state != INV_THREAD_RUNNING || cpu->pinned)
		return INV_TOOK_REST;
	const struct inv_model_request *request = &operation->request;
	if (request->user_mode && request->alertable && !inv_model_empty(&thread->apc_state.lists[INV_APC_USER])) {
		thread->apc_state.user_apc_pending = true; // there is no waiting
		return INV_TOOK_REST;
	}
	thread->wait_reason = thread->teb ? INV_WAIT_USER_REQUEST : INV_WAIT_EXECUTIVE;
	thread->user_wait = request->user_mode;
	thread->alertable = request->alertable;
	cpu->pinned = true;
	inv_model_queue_wait(operation->model, thread);
	return INV_TOOK;
}

STEP(leave_cpu)
{
	struct inv_model_cpu *cpu = cpu_of(operation, inv_as_thread(call->subject));
	cpu->pinned = false;
	inv_model_choose(operation->model, cpu);
	inv_model_swap(operation->model, cpu);
	return INV_TOOK;
}

STEP(wake)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->state != INV_THREAD_WAITING || inv_model_suspended(thread))
		return INV_TOOK_REST;
	if (cpu_of(operation, thread)->current == thread)
		return INV_TOOK_NOT;
	inv_model_unqueue(operation->model, thread);
	inv_model_ready(operation->model, thread);
	return INV_TOOK;
}

STEP(choose)
{
	(void)call;
	inv_model_choose(operation->model, &operation->model->cpu[operation->request.cpu]);
	return INV_TOOK;
}

STEP(swap)
{
	(void)call;
	struct inv_model_cpu *cpu = &operation->model->cpu[operation->request.cpu];
	if (cpu->pinned)
		return INV_TOOK_NOT;
	if (cpu->next)
		inv_model_swap(operation->model, cpu);
	return INV_TOOK;
}

// The first USER call: W32PROCESS, then W32THREAD.
STEP(connect_process)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->leaving || !thread->process || !thread->process->session || thread->state == INV_THREAD_INITIALIZED ||
	    thread->state == INV_THREAD_TERMINATED)
		return INV_TOOK_REST;
	thread->process->win32_process = true;
	return INV_TOOK;
}

STEP(connect_thread)
{
	(void)operation;
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!thread->leaving && thread->process->win32_process)
		thread->win32_thread = true;
	return INV_TOOK;
}

// user32 enters its table once win32k knows it (ReactOS, user32's DllMain). It is never taken back.
STEP(enter_routines)
{
	(void)operation;
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!thread->leaving && thread->process->win32_process && thread->process->peb)
		thread->process->window_routines = true;
	return INV_TOOK;
}

static const struct inv_model_step wait_steps[] = {{"KiCommitThreadWait", enter_wait}, {"SwapContext", leave_cpu}};
static const struct inv_model_step wake_steps[] = {{"KiUnwaitThread", wake}};
static const struct inv_model_step schedule_steps[] = {{"KiSelectNextThread", choose}, {"SwapContext", swap}};
static const struct inv_model_step win32_steps[] = {
    {"W32PROCESS", connect_process}, {"W32THREAD", connect_thread}, {"KernelCallbackTable", enter_routines}};

struct inv_model_routine_steps inv_model_thread_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_CREATE_THREAD      ? INV_MODEL_STEPS(create)
	       : kind == INV_MODEL_START_THREAD     ? INV_MODEL_STEPS(start)
	       : kind == INV_MODEL_TERMINATE_THREAD ? INV_MODEL_STEPS(exit_steps)
	       : kind == INV_MODEL_ATTACH_PROCESS   ? INV_MODEL_STEPS(attach_steps)
	       : kind == INV_MODEL_DETACH_PROCESS   ? INV_MODEL_STEPS(detach_steps)
	       : kind == INV_MODEL_WAIT             ? INV_MODEL_STEPS(wait_steps)
	       : kind == INV_MODEL_WAKE             ? INV_MODEL_STEPS(wake_steps)
	       : kind == INV_MODEL_SCHEDULE         ? INV_MODEL_STEPS(schedule_steps)
	       : kind == INV_MODEL_CONNECT_WIN32    ? INV_MODEL_STEPS(win32_steps)
	                                            : none;
}
