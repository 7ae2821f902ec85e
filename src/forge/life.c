// SPDX-License-Identifier: Apache-2.0
// The end of threads and processes that the forge made earlier, with all that Windows changes then: PspExitThread,
// KeTerminateThread, PspThreadDelete, PspRundownSingleProcess, PspProcessDelete. (Their order and effects: the life-time
// automaton. What is not in it is marked.)
#include "forge/csrss.h"
#include "forge/user_thread.h"
#include "forge/win32k.h"

#define STATE_TERMINATED 4u // KTHREAD_STATE

uint64_t inv_machine_header(const struct inv_machine *machine, uint64_t object)
{
	return object - inv_machine_at(machine, 0, INV_F_OBJECT_HEADER_Body);
}

// The first handle that leads to the object; NULL: there is none. `holder` is whose it is.
static const struct inv_forge_handle *handle_to(const struct inv_machine *machine, uint64_t object,
                                                struct inv_forge_process **holder)
{
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		*holder = machine->processes[i];
		for (size_t j = 0; j < inv_count((*holder)->handles); j++)
			if ((*holder)->handles[j].object == object)
				return &(*holder)->handles[j];
	}
	return NULL;
}

void inv_machine_close_to(struct inv_machine *machine, uint64_t object)
{
	struct inv_forge_process *holder;
	const struct inv_forge_handle *handle;
	while ((handle = handle_to(machine, object, &holder)))
		(void)inv_machine_close(machine, holder, handle->value, true);
}

// -- threads ----------------------------------------------------------------------------------------------------------------

unsigned inv_machine_active_threads(const struct inv_forge_process *process)
{
	unsigned count = 0;
	for (size_t i = 0; i < inv_count(process->threads); i++)
		count += !process->threads[i]->ended;
	return count;
}

static void leave_cpu(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		if (machine->cpu[i].current == thread)
			inv_machine_run(machine, i, NULL);
	inv_machine_undispatch(machine, thread);
	thread->dispatched = true; // and is never put on a list again
}

// KeTerminateThread: off the scheduler's list, and with the last thread the process off its own.
static void leave_scheduler(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	const struct inv_forge_process *process = thread->process;
	if (inv_machine_has(machine, INV_F_KTHREAD_ThreadListEntry) &&
	    inv_machine_has(machine, INV_F_KPROCESS_ThreadListHead))
		inv_machine_list_remove(machine, inv_machine_at(machine, thread->address, INV_F_KTHREAD_ThreadListEntry));
	if (inv_machine_active_threads(process) == 0 && machine->ki_process_head &&
	    inv_machine_has(machine, INV_F_KPROCESS_ProcessListEntry))
		inv_machine_list_remove(machine, inv_machine_at(machine, process->address, INV_F_KPROCESS_ProcessListEntry));
}

static void put_ended(struct inv_machine *machine, struct inv_forge_thread *thread, uint32_t status)
{
	uint64_t at = thread->address;
	inv_machine_put(machine, at, INV_F_ETHREAD_Terminated, 1);
	inv_machine_put(machine, at, INV_F_ETHREAD_ExitStatus, status);
	inv_machine_put(machine, at, INV_F_ETHREAD_ExitTime, thread->exited);
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_SignalState, 1);
	inv_machine_put(machine, at, INV_F_KTHREAD_State, STATE_TERMINATED);
	inv_machine_drop_win32_thread(machine, thread);
	inv_machine_put(machine, at, INV_F_KTHREAD_KernelStack, 0); // PspReaper freed it
}

void inv_machine_end_thread(struct inv_machine *machine, struct inv_forge_thread *thread, uint32_t status)
{
	struct inv_forge_process *process = thread->process;
	if (thread->ended)
		return;
	thread->ended = true;
	unsigned left = inv_machine_active_threads(process);
	uint64_t now = inv_machine_tick(machine);
	if (left == 0)
		inv_machine_exit_process(machine, process, now, status);
	thread->exited = now + (left == 0);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ActiveThreads, left);
	inv_machine_put(machine, process->address, INV_F_KPROCESS_StackCount, left);
	leave_cpu(machine, thread);
	leave_scheduler(machine, thread);
	inv_machine_leave_user(machine, thread);
	put_ended(machine, thread, status);
}

void inv_machine_delete_thread(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	if (!thread->ended || thread->deleted)
		return;
	thread->deleted = true;
	inv_csr_forget_thread(machine, thread);
	inv_machine_close_to(machine, thread->address);
	inv_machine_put(machine, inv_machine_header(machine, thread->address), INV_F_OBJECT_HEADER_PointerCount, 0);
	if (inv_machine_has(machine, INV_F_ETHREAD_ThreadListEntry) &&
	    inv_machine_has(machine, INV_F_EPROCESS_ThreadListHead))
		inv_machine_list_remove(machine, inv_machine_at(machine, thread->address, INV_F_ETHREAD_ThreadListEntry));
	inv_machine_cid_free(machine, thread->tid);
	inv_machine_put(machine, machine->thread_type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, --machine->thread_objects);
	inv_machine_free_object(machine, thread->address);
}

// -- processes --------------------------------------------------------------------------------------------------------------

void inv_machine_end_process(struct inv_machine *machine, struct inv_forge_process *process, uint32_t status)
{
	for (size_t i = 0; i < inv_count(process->threads); i++)
		inv_machine_end_thread(machine, process->threads[i], status);
	if (!process->zombie) // it never had a thread (that its end is the same then is not verified)
		inv_machine_exit_process(machine, process, inv_machine_tick(machine), status);
	inv_csr_forget(machine, process); // it is told by the end of the connection (ReactOS)
	struct inv_forge_process *holder;
	for (size_t i = 0; i < inv_count(process->threads); i++)
		if (!handle_to(machine, process->threads[i]->address, &holder))
			inv_machine_delete_thread(machine, process->threads[i]);
}

void inv_machine_drop_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	for (size_t i = 0; i < inv_count(process->threads); i++)
		inv_machine_delete_thread(machine, process->threads[i]); // each of them referred to the process
	inv_csr_forget(machine, process);
	inv_machine_close_to(machine, process->address);
	inv_machine_delete_process(machine, process);
}

// -- time -------------------------------------------------------------------------------------------------------------------

static uint64_t shift(uint64_t time, int64_t step)
{
	return time ? time - (uint64_t)step : 0;
}

static void shift_thread(struct inv_machine *machine, struct inv_forge_thread *thread, int64_t step)
{
	thread->created = shift(thread->created, step);
	thread->exited = shift(thread->exited, step);
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_CreateTime, thread->created);
	if (thread->ended)
		inv_machine_put(machine, thread->address, INV_F_ETHREAD_ExitTime, thread->exited);
}

// The image's time and that of the boot go with the clock; what was noted before does not.
void inv_machine_set_clock(struct inv_machine *machine, int64_t step)
{
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		struct inv_forge_process *process = machine->processes[i];
		if (process->deleted)
			continue;
		process->created = shift(process->created, step);
		process->exited = shift(process->exited, step);
		inv_machine_put(machine, process->address, INV_F_EPROCESS_CreateTime, process->created);
		inv_machine_put(machine, process->address, INV_F_EPROCESS_ExitTime, process->exited);
		for (size_t j = 0; j < inv_count(process->threads); j++)
			if (!process->threads[j]->deleted)
				shift_thread(machine, process->threads[j], step);
	}
	inv_csr_put_times(machine);
}
