// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/array.h"
#include "witness/witness.h"

const char *inv_tier_name(enum inv_tier tier)
{
	static const char *const names[] = {"hardware",       "memory manager", "scheduler", "executive",
	                                    "object manager", "subsystem",      "user mode"};
	return names[tier];
}

static const struct inv_witness witnesses[INV_WITNESS_COUNT] = {
    {INV_W_ACTIVE_LIST, "active-list", INV_TIER_EXECUTIVE,
     "PsActiveProcessHead: every process object from its insertion to its deletion, linked through "
     "EPROCESS.ActiveProcessLinks.",
     "read in the kernel's code: PspInsertProcess, PspProcessDelete", inv_witness_active_list},
    {INV_W_SCHEDULER_LIST, "scheduler-list", INV_TIER_SCHEDULER,
     "KiProcessListHead: every process that has a thread, linked through KPROCESS.ProcessListEntry.",
     "read in the kernel's code: KeStartThread, KeTerminateThread", inv_witness_scheduler_list},
    {INV_W_CPU, "cpu", INV_TIER_SCHEDULER,
     "The KPRCB of each processor: CurrentThread, NextThread and IdleThread, and through them the process that runs.",
     "type information of the kernel's PDB", inv_witness_cpu},
    {INV_W_ANCHOR, "anchor", INV_TIER_EXECUTIVE,
     "The kernel's own pointers to particular processes: PsInitialSystemProcess, PsIdleProcess, CmpRegistryProcess, "
     "PsSecureSystemProcess, the store process of MiSystemPartition.",
     "symbols of the kernel's PDB", inv_witness_anchor},
    {INV_W_DUMP, "dump", INV_TIER_EXECUTIVE,
     "The process and thread that the kernel put into a triage dump when it crashed.", "format of triage dumps",
     inv_witness_dump},
    {INV_W_THREAD_LIST, "thread-list", INV_TIER_EXECUTIVE,
     "EPROCESS.ThreadListHead: every thread object of the process until the object's deletion, linked through "
     "ETHREAD.ThreadListEntry.",
     "read in the kernel's code: PspInsertThread, PspThreadDelete", NULL},
    {INV_W_KTHREAD_LIST, "kthread-list", INV_TIER_SCHEDULER,
     "KPROCESS.ThreadListHead: every thread of the process that has not terminated, linked through "
     "KTHREAD.ThreadListEntry.",
     "read in the kernel's code: KeStartThread, KeTerminateThread", NULL},
    {INV_W_THREAD, "thread", INV_TIER_SCHEDULER,
     "Every thread that another witness saw: KTHREAD.Process and ApcState.Process name its process.",
     "read in the kernel's code: PspExitThread compares the two", NULL},
};

const struct inv_witness *inv_witness(enum inv_witness_id id)
{
	return &witnesses[id];
}

struct inv_testimony *inv_testimony_collect(const struct inv_kernel *kernel)
{
	struct inv_testimony *testimony = inv_alloc(sizeof *testimony);
	testimony->kernel = kernel;
	testimony->arena = inv_arena_new();
	inv_role_anchors_read(kernel, &testimony->anchors);
	for (size_t i = 0; i < INV_WITNESS_COUNT; i++)
		if (witnesses[i].testify)
			witnesses[i].testify(testimony);
	return testimony;
}

void inv_testimony_free(struct inv_testimony *testimony)
{
	if (!testimony)
		return;
	inv_array_free(testimony->sightings);
	inv_array_free(testimony->cpus);
	inv_arena_free(testimony->arena);
	free(testimony);
}

void inv_sight(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t process, uint64_t thread,
               uint64_t at)
{
	struct inv_sighting sighting = {.witness = witness, .process = process, .thread = thread, .at = at};
	inv_push(testimony->sightings, sighting);
	testimony->coverage[witness].sightings++;
}

void inv_void(struct inv_testimony *testimony, enum inv_witness_id witness, const char *why)
{
	testimony->coverage[witness].voided = why;
}
