// SPDX-License-Identifier: Apache-2.0
// What runs on each CPU, the kernel's pointers to particular processes, and what a triage dump was written for.
#include "base/array.h"
#include "witness/witness.h"

static void sight_thread(struct inv_testimony *testimony, const struct inv_value *thread)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_CPU];
	if (!thread->ok) {
		coverage->unreadable++;
		return;
	}
	coverage->read++;
	if (thread->u == 0) // NextThread is NULL while nothing is about to run
		return;
	struct inv_value process = inv_field(testimony->kernel, thread->u, INV_F_KTHREAD_Process);
	inv_sight(testimony, INV_W_CPU, process.ok ? process.u : 0, thread->u, thread->address);
}

// The CPU whose context stands in the header of a crash dump: its stack pointer lies in the stack of the thread that the CPU ran.
static bool ran_the_crash(const struct inv_kernel *kernel, const struct inv_value *thread)
{
	const struct inv_claim *rsp = kernel->image ? &inv_image_info(kernel->image)->header.context_rsp : NULL;
	if (!rsp || !rsp->present || !thread->ok)
		return false;
	struct inv_value limit = inv_field(kernel, thread->u, INV_F_KTHREAD_StackLimit);
	struct inv_value base = inv_field(kernel, thread->u, INV_F_KTHREAD_StackBase);
	return limit.ok && base.ok && limit.u <= rsp->value && rsp->value < base.u;
}

void inv_witness_cpu(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	if (kernel->cpu_count == 0)
		inv_void(testimony, INV_W_CPU, "no KPRCB could be located");
	for (size_t i = 0; i < kernel->cpu_count; i++) {
		const struct inv_cpu *cpu = &kernel->cpus[i];
		struct inv_cpu_record record = {
		    .number = cpu->number, .prcb = cpu->prcb, .claim = cpu->claim, .wrote_dump = cpu->current};
		record.current = inv_cpu_field(kernel, cpu, INV_F_KPRCB_CurrentThread);
		record.next = inv_cpu_field(kernel, cpu, INV_F_KPRCB_NextThread);
		record.idle = inv_cpu_field(kernel, cpu, INV_F_KPRCB_IdleThread);
		record.cr3 = inv_cpu_field(kernel, cpu, INV_F_KPRCB_Cr3);
		record.wrote_dump |= ran_the_crash(kernel, &record.current);
		inv_push(testimony->cpus, record);
		sight_thread(testimony, &record.current);
		sight_thread(testimony, &record.next);
		sight_thread(testimony, &record.idle);
	}
}

static void sight_anchor(struct inv_testimony *testimony, const struct inv_value *anchor)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_ANCHOR];
	if (!anchor->ok) {
		coverage->unreadable += anchor->why.reason != INV_NO_SYMBOL && anchor->why.reason != INV_NO_FIELD;
		return;
	}
	coverage->read++;
	if (anchor->u != 0)
		inv_sight(testimony, INV_W_ANCHOR, anchor->u, 0, anchor->address);
}

void inv_witness_anchor(struct inv_testimony *testimony)
{
	const struct inv_role_anchors *anchors = &testimony->anchors;
	sight_anchor(testimony, &anchors->system);
	sight_anchor(testimony, &anchors->idle);
	sight_anchor(testimony, &anchors->registry);
	sight_anchor(testimony, &anchors->store);
	sight_anchor(testimony, &anchors->secure_system);
	if (testimony->coverage[INV_W_ANCHOR].read == 0)
		inv_void(testimony, INV_W_ANCHOR, "none of the kernel's pointers could be read");
}

void inv_witness_dump(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	if (!kernel->image || !inv_image_info(kernel->image)->triage) {
		inv_void(testimony, INV_W_DUMP, "the image is not a triage dump");
		return;
	}
	if (!kernel->current_process && !kernel->current_thread) {
		inv_void(testimony, INV_W_DUMP, "the addresses of the dumped process and thread could not be proved");
		return;
	}
	// The two are separate records: on an idle CPU the process is System while the thread belongs to Idle
	// (measured.md).
	struct inv_coverage *coverage = &testimony->coverage[INV_W_DUMP];
	if (kernel->current_process) {
		coverage->read++;
		inv_sight(testimony, INV_W_DUMP, kernel->current_process, 0, kernel->current_process);
	}
	if (kernel->current_thread) {
		coverage->read++;
		struct inv_value process = inv_field(kernel, kernel->current_thread, INV_F_KTHREAD_Process);
		inv_sight(testimony, INV_W_DUMP, process.ok ? process.u : 0, kernel->current_thread, kernel->current_thread);
	}
}
