// SPDX-License-Identifier: Apache-2.0
// Asynchronous procedure calls, and what is built on them: suspension. Queues, flags and what attaching does to them: as in
// ReactOS' KiInsertQueueApc, KiDeliverApc, KiMoveApcState and KeSuspendThread; not verified in Windows' own code.
#include <stdlib.h>

#include "model/parts.h"

#define MAXIMUM_SUSPEND_COUNT 127u

static void init_state(struct inv_model_apc_state *state)
{
	*state = (struct inv_model_apc_state){0};
	inv_model_list_init(&state->lists[INV_APC_KERNEL]);
	inv_model_list_init(&state->lists[INV_APC_USER]);
}

void inv_model_init_apcs(struct inv_model_thread *thread)
{
	init_state(&thread->apc_state);
	init_state(&thread->saved_apc_state);
	thread->apc_queueable = true;
	thread->suspend_apc = (struct inv_model_apc){.thread = thread, .mode = INV_APC_KERNEL, .suspend = true};
}

bool inv_model_suspended(const struct inv_model_thread *thread)
{
	return thread->state == INV_THREAD_WAITING && thread->wait_reason == INV_WAIT_SUSPENDED;
}

// -- attaching ----------------------------------------------------------------------------------------------------------------

static void move_list(struct inv_model_link *from, struct inv_model_link *to)
{
	inv_model_list_init(to);
	while (!inv_model_empty(from)) {
		struct inv_model_link *link = from->next;
		void *owner = link->owner;
		inv_model_unlink(link);
		inv_model_append(to, link, owner);
	}
}

static void move_state(struct inv_model_apc_state *from, struct inv_model_apc_state *to)
{
	to->kernel_apc_in_progress = from->kernel_apc_in_progress;
	to->kernel_apc_pending = from->kernel_apc_pending;
	to->user_apc_pending = from->user_apc_pending;
	for (size_t i = 0; i < INV_APC_MODE_COUNT; i++)
		move_list(&from->lists[i], &to->lists[i]);
	init_state(from);
}

void inv_model_attach_apcs(struct inv_model_thread *thread)
{
	move_state(&thread->apc_state, &thread->saved_apc_state);
	thread->apc_state_index = 1;
}

// What was queued meanwhile becomes pending.
void inv_model_detach_apcs(struct inv_model_thread *thread)
{
	move_state(&thread->saved_apc_state, &thread->apc_state);
	thread->apc_state_index = 0;
	thread->apc_state.kernel_apc_pending = !inv_model_empty(&thread->apc_state.lists[INV_APC_KERNEL]);
}

static struct inv_model_apc_state *own_state(struct inv_model_thread *thread)
{
	return thread->apc_state_index ? &thread->saved_apc_state : &thread->apc_state;
}

// -- KeInsertQueueApc; the subject is the thread ------------------------------------------------------------------------------

static void insert(struct inv_model_thread *thread, struct inv_model_apc *apc)
{
	inv_model_append(&own_state(thread)->lists[apc->mode], &apc->list, apc);
	apc->inserted = true;
}

static bool takes_apcs(const struct inv_model_thread *thread)
{
	return thread->apc_queueable && thread->self_reference && !thread->leaving;
}

STEP(queue)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!takes_apcs(thread) || (operation->request.user_mode && !thread->teb))
		return inv_model_refuse(operation, INV_STATUS_UNSUCCESSFUL);
	struct inv_model_apc *apc = inv_alloc(sizeof *apc);
	apc->thread = thread;
	apc->mode = operation->request.user_mode ? INV_APC_USER : INV_APC_KERNEL;
	inv_model_append(&operation->model->apcs, &apc->block, apc);
	insert(thread, apc);
	return INV_TOOK;
}

// KiSignalThreadForApc. One for user mode ends an alertable wait; the kernel's are delivered when the thread runs.
STEP(signal)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_apc_state *state = &thread->apc_state;
	state->kernel_apc_pending = !inv_model_empty(&state->lists[INV_APC_KERNEL]);
	bool wakes = thread->state == INV_THREAD_WAITING && thread->alertable && thread->user_wait &&
	             !inv_model_empty(&state->lists[INV_APC_USER]) && !thread->leaving;
	if (!wakes)
		return INV_TOOK;
	if (operation->model->cpu[thread->cpu].current == thread) // on its way into the wait
		return INV_TOOK_NOT;
	state->user_apc_pending = true;
	inv_model_unqueue(operation->model, thread);
	inv_model_ready(operation->model, thread);
	return INV_TOOK;
}

// -- KiDeliverApc -------------------------------------------------------------------------------------------------------------

static struct inv_model_apc *first_apc(const struct inv_model_thread *thread)
{
	const struct inv_model_apc_state *state = &thread->apc_state;
	if (!inv_model_empty(&state->lists[INV_APC_KERNEL]))
		return state->lists[INV_APC_KERNEL].next->owner;
	return state->user_apc_pending && !inv_model_empty(&state->lists[INV_APC_USER])
	           ? state->lists[INV_APC_USER].next->owner
	           : NULL;
}

STEP(begin_delivery)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!takes_apcs(thread) || !thread->thread_inserted || thread->state == INV_THREAD_INITIALIZED ||
	    inv_model_suspended(thread) || !first_apc(thread))
		return inv_model_refuse(operation, INV_STATUS_UNSUCCESSFUL);
	struct inv_model_cpu *cpu = inv_model_run_thread(operation->model, thread);
	if (!cpu)
		return INV_TOOK_NOT;
	cpu->pinned = true;
	return INV_TOOK;
}

STEP(take_apc)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_apc_state *state = &thread->apc_state;
	struct inv_model_apc *apc = first_apc(thread);
	inv_model_work(operation)->apc = apc;
	inv_model_unlink(&apc->list);
	apc->inserted = false;
	apc->running = true;
	if (apc->mode == INV_APC_USER) {
		state->user_apc_pending = false;
		return INV_TOOK;
	}
	state->kernel_apc_pending = !inv_model_empty(&state->lists[INV_APC_KERNEL]);
	state->kernel_apc_in_progress = true;
	return INV_TOOK;
}

// The routine runs. KiSuspendThread waits, unless it was resumed before it came to that.
STEP(run_apc)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_apc *apc = call->work.apc;
	if (apc->suspend && thread->suspend_count) {
		thread->wait_reason = INV_WAIT_SUSPENDED;
		thread->alertable = thread->user_wait = false;
		inv_model_queue_wait(operation->model, thread);
		return INV_TOOK;
	}
	apc->running = false;
	if (apc->mode == INV_APC_KERNEL)
		thread->apc_state.kernel_apc_in_progress = false;
	inv_model_work(operation)->apc = NULL;
	if (apc->suspend)
		return INV_TOOK;
	inv_model_unlink(&apc->block);
	free(apc);
	return INV_TOOK;
}

STEP(end_delivery)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	struct inv_model_cpu *cpu = &operation->model->cpu[thread->cpu];
	cpu->pinned = false;
	if (thread->state != INV_THREAD_WAITING)
		return INV_TOOK;
	inv_model_choose(operation->model, cpu);
	inv_model_swap(operation->model, cpu);
	return INV_TOOK;
}

// -- suspension ---------------------------------------------------------------------------------------------------------------

STEP(count_suspension)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!takes_apcs(thread) || thread->process->system || thread->suspend_count == MAXIMUM_SUSPEND_COUNT)
		return inv_model_refuse(operation, INV_STATUS_UNSUCCESSFUL);
	thread->suspend_count++;
	return INV_TOOK;
}

STEP(queue_suspension)
{
	(void)operation;
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (takes_apcs(thread) && thread->suspend_count && !thread->suspend_apc.inserted && !thread->suspend_apc.running)
		insert(thread, &thread->suspend_apc);
	return INV_TOOK;
}

STEP(count_resumption)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->suspend_count == 0)
		return inv_model_refuse(operation, INV_STATUS_UNSUCCESSFUL);
	thread->suspend_count--;
	return INV_TOOK;
}

static void end_suspension(struct inv_model_thread *thread)
{
	if (thread->suspend_apc.running)
		thread->apc_state.kernel_apc_in_progress = false;
	thread->suspend_apc.running = false;
}

STEP(end_suspended_wait)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (thread->suspend_count || !inv_model_suspended(thread))
		return INV_TOOK;
	if (operation->model->cpu[thread->cpu].current == thread)
		return INV_TOOK_NOT;
	end_suspension(thread);
	inv_model_unqueue(operation->model, thread);
	inv_model_ready(operation->model, thread);
	return INV_TOOK;
}

void inv_model_force_resume(struct inv_model_thread *thread)
{
	thread->suspend_count = 0;
	end_suspension(thread);
}

void inv_model_flush_apcs(struct inv_model_thread *thread)
{
	for (size_t i = 0; i < INV_APC_MODE_COUNT; i++) {
		const struct inv_model_link *head = &thread->apc_state.lists[i], *link = head->next;
		while (link != head) {
			struct inv_model_apc *apc = link->owner;
			link = link->next;
			inv_model_unlink(&apc->list);
			apc->inserted = false;
			if (apc->suspend)
				continue;
			inv_model_unlink(&apc->block);
			free(apc);
		}
	}
	thread->apc_state.kernel_apc_pending = thread->apc_state.user_apc_pending = false;
}

static const struct inv_model_step queue_steps[] = {{"KiInsertQueueApc", queue}, {"KiSignalThreadForApc", signal}};
static const struct inv_model_step deliver_steps[] = {
    {"KiDeliverApc", begin_delivery},
    {"KiDeliverApc: the list", take_apc},
    {"KiDeliverApc: the routine", run_apc},
    {"KiDeliverApc: end", end_delivery},
};
static const struct inv_model_step suspend_steps[] = {
    {"SuspendCount", count_suspension},
    {"KiInsertQueueApc", queue_suspension},
    {"KiSignalThreadForApc", signal},
};
static const struct inv_model_step resume_steps[] = {{"SuspendCount", count_resumption},
                                                     {"KiUnwaitThread", end_suspended_wait}};

struct inv_model_routine_steps inv_model_apc_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_QUEUE_APC        ? INV_MODEL_STEPS(queue_steps)
	       : kind == INV_MODEL_DELIVER_APC    ? INV_MODEL_STEPS(deliver_steps)
	       : kind == INV_MODEL_SUSPEND_THREAD ? INV_MODEL_STEPS(suspend_steps)
	       : kind == INV_MODEL_RESUME_THREAD  ? INV_MODEL_STEPS(resume_steps)
	                                          : none;
}
