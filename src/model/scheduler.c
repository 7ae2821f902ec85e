// SPDX-License-Identifier: Apache-2.0
// CPUs: current, next and idle thread, ready lists by priority, the wait list. A thread's state is that of the list on which
// it stands (KTHREAD_STATE in the symbol tables; which list goes with which state: "Windows Internals").
#include "model/parts.h"

static struct inv_model_cpu *cpu_of(struct inv_model *model, const struct inv_model_thread *thread)
{
	return &model->cpu[thread->cpu];
}

void inv_model_ready(struct inv_model *model, struct inv_model_thread *thread)
{
	thread->cpu = (unsigned)(thread->object.serial % model->cpu_count); // its ideal processor
	struct inv_model_cpu *cpu = cpu_of(model, thread);
	thread->state = INV_THREAD_READY;
	inv_model_append(&cpu->ready[thread->priority], &thread->queue, thread);
	cpu->ready_summary |= 1u << thread->priority;
}

void inv_model_unqueue(struct inv_model *model, struct inv_model_thread *thread)
{
	struct inv_model_cpu *cpu = cpu_of(model, thread);
	if (thread->state == INV_THREAD_STANDBY && cpu->next == thread)
		cpu->next = NULL;
	inv_model_unlink(&thread->queue);
	if (thread->state == INV_THREAD_READY && inv_model_empty(&cpu->ready[thread->priority]))
		cpu->ready_summary &= ~(1u << thread->priority);
}

void inv_model_queue_wait(struct inv_model *model, struct inv_model_thread *thread)
{
	thread->state = INV_THREAD_WAITING;
	inv_model_append(&cpu_of(model, thread)->wait, &thread->queue, thread);
}

void inv_model_choose(struct inv_model *model, struct inv_model_cpu *cpu)
{
	if (cpu->next || !cpu->ready_summary)
		return;
	unsigned priority = 31u - (unsigned)__builtin_clz(cpu->ready_summary);
	struct inv_model_thread *thread = cpu->ready[priority].next->owner;
	inv_model_unqueue(model, thread);
	thread->state = INV_THREAD_STANDBY;
	cpu->next = thread;
}

void inv_model_load_address_space(struct inv_model_cpu *cpu)
{
	cpu->cr3 = cpu->current->apc_process->directory_table_base;
}

void inv_model_swap(struct inv_model *model, struct inv_model_cpu *cpu)
{
	struct inv_model_thread *old = cpu->current;
	struct inv_model_thread *new = cpu->next ? cpu->next : cpu->idle;
	if (old == new)
		return;
	cpu->next = NULL;
	if (old->state == INV_THREAD_RUNNING && !old->idle)
		inv_model_ready(model, old);
	cpu->current = new;
	new->state = INV_THREAD_RUNNING;
	new->cpu = (unsigned)(cpu - model->cpu);
	inv_model_load_address_space(cpu);
}

static struct inv_model_cpu *free_cpu(struct inv_model *model)
{
	struct inv_model_cpu *found = NULL;
	for (unsigned i = 0; i < model->cpu_count; i++) {
		struct inv_model_cpu *cpu = &model->cpu[i];
		if (!cpu->pinned && (!found || (cpu->current->idle && !found->current->idle)))
			found = cpu;
	}
	return found;
}

struct inv_model_cpu *inv_model_run_thread(struct inv_model *model, struct inv_model_thread *thread)
{
	if (thread->state == INV_THREAD_RUNNING)
		return cpu_of(model, thread)->pinned ? NULL : cpu_of(model, thread);
	struct inv_model_cpu *cpu = cpu_of(model, thread);
	if (cpu->current == thread) // on its way into a wait
		return NULL;
	cpu = free_cpu(model);
	if (!cpu)
		return NULL;
	inv_model_unqueue(model, thread);
	if (cpu->next) // a thread that was chosen before goes back
		inv_model_ready(model, cpu->next);
	thread->state = INV_THREAD_STANDBY;
	thread->cpu = (unsigned)(cpu - model->cpu);
	cpu->next = thread;
	inv_model_swap(model, cpu);
	return cpu;
}
