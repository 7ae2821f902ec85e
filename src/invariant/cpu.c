// SPDX-License-Identifier: Apache-2.0
// Family 3: what each CPU runs, and in whose address space.
#include "base/array.h"
#include "invariant/families.h"

static struct inv_subject cpu_subject(const struct inv_cpu_record *cpu)
{
	return inv_subject_other(INV_SUBJECT_CPU, cpu->prcb, NULL);
}

// The thread in one slot of a KPRCB must be a thread, of a process that is listed, and be on that process' list.
static void judge_slot(struct inv_judge *judge, const struct inv_cpu_record *cpu, enum inv_field slot,
                       const struct inv_value *thread)
{
	if (!inv_need(judge, thread))
		return;
	if (thread->u == 0 && slot == INV_F_KPRCB_NextThread) // nothing is about to run
		return;
	const struct inv_thread_dossier *dossier = inv_thread_dossier_at(judge->dossiers, thread->u);
	struct inv_value type = inv_field(judge->kernel, thread->u, INV_F_DISPATCHER_HEADER_Type);
	struct inv_value process = inv_field(judge->kernel, thread->u, INV_F_KTHREAD_Process);
	if (!inv_need(judge, &type) || !inv_need(judge, &process))
		return;
	enum inv_role role = inv_role_of(judge, process.u);
	bool is_thread = (type.u & 0x7f) == INV_THREAD_OBJECT;
	bool must_be_idle = slot == INV_F_KPRCB_IdleThread;
	if (is_thread && role == INV_ROLE_IDLE) {
		inv_holds(judge);
		return;
	}
	enum inv_answer listed = inv_on_active_list(judge, process.u);
	enum inv_answer scheduled = dossier ? dossier->on_scheduler_list : INV_UNSURE;
	bool refuted = !is_thread || must_be_idle || listed == INV_NO || scheduled == INV_NO;
	if (!refuted) {
		if (listed == INV_UNSURE)
			inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		else if (scheduled == INV_UNSURE)
			inv_unknown_because(judge, "the process' list of threads could not be read to its end");
		else
			inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, cpu_subject(cpu), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, slot, thread, "CPU %u has this thread here", cpu->number);
	if (!is_thread)
		inv_field_says(judge, finding, INV_F_DISPATCHER_HEADER_Type, &type, "it is not a thread object");
	inv_field_says(judge, finding, INV_F_KTHREAD_Process, &process, "it belongs to this process%s",
	               must_be_idle ? ", which is not the idle process" : "");
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	if (listed == INV_NO)
		inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
		                 "the list leads past that process");
	if (scheduled == INV_NO)
		inv_witness_says(judge, finding, INV_W_KTHREAD_LIST, "_KPROCESS.ThreadListHead", &process,
		                 "the process' list leads past the thread");
	inv_tried(judge, finding, "idle", "the process is not the one that the kernel calls idle");
}

void inv_judge_T06(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	if (inv_count(testimony->cpus) == 0)
		inv_unknown_because(judge, "no KPRCB could be located");
	for (size_t i = 0; i < inv_count(testimony->cpus); i++) {
		const struct inv_cpu_record *cpu = &testimony->cpus[i];
		judge_slot(judge, cpu, INV_F_KPRCB_CurrentThread, &cpu->current);
		judge_slot(judge, cpu, INV_F_KPRCB_NextThread, &cpu->next);
		judge_slot(judge, cpu, INV_F_KPRCB_IdleThread, &cpu->idle);
	}
}

// A record of the page table root that a CPU used.
struct root {
	struct inv_value value;
	const char *witness;
	bool live; // of the moment of acquisition, not saved at some earlier one
};

#define MAX_ROOTS 3

// Every record of what this CPU's CR3 was.
static size_t roots_of(const struct inv_judge *judge, const struct inv_cpu_record *cpu, struct root roots[MAX_ROOTS])
{
	size_t count = 0;
	if (cpu->claim)
		roots[count++] = (struct root){
		    {.ok = true, .u = cpu->claim->cr3, .address = cpu->claim->offset}, "registers in the image's notes", true};
	const struct inv_image *image = judge->kernel->image;
	const struct inv_header *header = image ? &inv_image_info(image)->header : NULL;
	if (cpu->wrote_dump && header && header->dtb.present)
		roots[count++] = (struct root){{.ok = true, .u = header->dtb.value, .address = header->dtb.offset},
		                               "DirectoryTableBase of the crash dump's header",
		                               true};
	// While the machine runs, the KPRCB holds what was saved at the CPU's last stop; only the CPU that crashed is sure to
	// have saved it just now.
	if (cpu->cr3.ok && cpu->cr3.u != 0)
		roots[count++] = (struct root){cpu->cr3, "KPRCB.ProcessorState", cpu->wrote_dump};
	return count;
}

static bool is_same_root(const struct inv_value *root, const struct inv_value *table)
{
	return table->ok && table->u != 0 && (root->u & INV_FRAME_MASK) == (table->u & INV_FRAME_MASK);
}

static void judge_root(struct inv_judge *judge, const struct inv_cpu_record *cpu, const struct root *root)
{
	if (!inv_need(judge, &root->value) || !inv_need(judge, &cpu->current))
		return;
	struct inv_value process = inv_field(judge->kernel, cpu->current.u, INV_F_KTHREAD_ApcStateProcess);
	if (!inv_need(judge, &process))
		return;
	struct inv_value dtb = inv_field(judge->kernel, process.u, INV_F_KPROCESS_DirectoryTableBase);
	struct inv_value user = inv_field(judge->kernel, process.u, INV_F_KPROCESS_UserDirectoryTableBase);
	if (!inv_need(judge, &dtb))
		return;
	if (is_same_root(&root->value, &dtb) || is_same_root(&root->value, &user)) {
		inv_holds(judge);
		return;
	}
	if (!root->live) { // the saved state of a running CPU is that of its last stop
		inv_excuse(judge, cpu_subject(cpu), "stale");
		return;
	}
	if (inv_role_of(judge, process.u) == INV_ROLE_IDLE) {
		// Unverified: whether every build loads the idle process' own root.
		inv_unknown_because(judge, "the CPU is idle and may keep the page tables of the process before");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, cpu_subject(cpu), INV_TIER_SCHEDULER);
	struct inv_evidence evidence = {root->witness, INV_TIER_HARDWARE,
	                                "CR3",         root->value.address,
	                                root->value.u, "the CPU used this page table root",
	                                false};
	inv_add_evidence(judge, finding, evidence);
	inv_field_says(judge, finding, INV_F_KTHREAD_ApcStateProcess, &process, "while it ran in this process");
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &dtb, "which claims another root");
	if (user.ok && user.u != 0)
		inv_field_says(judge, finding, INV_F_KPROCESS_UserDirectoryTableBase, &user, "nor is it its user-mode root");
	inv_tried(judge, finding, "stale", "the value is of the moment when the image was taken");
	inv_tried(judge, finding, "idle", "the process is not the one that the kernel calls idle");
}

void inv_judge_T07(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	if (inv_count(testimony->cpus) == 0)
		inv_unknown_because(judge, "no KPRCB could be located");
	for (size_t i = 0; i < inv_count(testimony->cpus); i++) {
		struct root roots[MAX_ROOTS];
		size_t count = roots_of(judge, &testimony->cpus[i], roots);
		if (count == 0)
			inv_unknown(judge, &testimony->cpus[i].cr3);
		for (size_t r = 0; r < count; r++)
			judge_root(judge, &testimony->cpus[i], &roots[r]);
	}
}
