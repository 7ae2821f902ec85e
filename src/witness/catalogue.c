// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
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
    [INV_W_ACTIVE_LIST] =
        {INV_W_ACTIVE_LIST, "active-list", INV_TIER_EXECUTIVE,
         "PsActiveProcessHead: every process object from its insertion to its deletion, linked through "
         "EPROCESS.ActiveProcessLinks.",
         "read in the kernel's code: PspInsertProcess, PspProcessDelete", inv_witness_active_list},
    [INV_W_SCHEDULER_LIST] =
        {INV_W_SCHEDULER_LIST, "scheduler-list", INV_TIER_SCHEDULER,
         "KiProcessListHead: every process that has a thread, linked through KPROCESS.ProcessListEntry.",
         "read in the kernel's code: KeStartThread, KeTerminateThread", inv_witness_scheduler_list},
    [INV_W_CPU] = {INV_W_CPU, "cpu", INV_TIER_SCHEDULER,
                   "The KPRCB of each processor: CurrentThread, NextThread and IdleThread, and through them the "
                   "process that runs.",
                   "type information of the kernel's PDB", inv_witness_cpu},
    [INV_W_ANCHOR] = {INV_W_ANCHOR, "anchor", INV_TIER_EXECUTIVE,
                      "The kernel's own pointers to particular processes: PsInitialSystemProcess, PsIdleProcess, "
                      "CmpRegistryProcess, "
                      "PsSecureSystemProcess, the store process of MiSystemPartition.",
                      "symbols of the kernel's PDB", inv_witness_anchor},
    [INV_W_DUMP] = {INV_W_DUMP, "dump", INV_TIER_EXECUTIVE,
                    "The process and thread that the kernel put into a triage dump when it crashed.",
                    "format of triage dumps", inv_witness_dump},
    [INV_W_MM_LIST] = {INV_W_MM_LIST, "mm-list", INV_TIER_MEMORY_MANAGER,
                       "MiState.Processes.ProcessList (MmProcessList before Windows 10): every process that has an "
                       "address space, from "
                       "its "
                       "creation to the deletion of its object, linked through EPROCESS.MmProcessLinks.",
                       "read in the kernel's code: MiInsertNewProcess, MiDeleteFinalPageTables; that MmProcessList is "
                       "kept on x64 is not "
                       "verified",
                       inv_witness_mm_list},
    [INV_W_READY_LIST] =
        {INV_W_READY_LIST, "ready-list", INV_TIER_SCHEDULER,
         "The threads that wait for a CPU: DispatcherReadyListHead and DeferredReadyListHead of every KPRCB and the "
         "queues "
         "that CPUs share, linked through KTHREAD.WaitListEntry. Those of scheduling groups are another witness.",
         "type information of the kernel's PDB; the entry by public practice, measured on dumps of 19041",
         inv_witness_ready_list},
    [INV_W_WAIT_LIST] =
        {INV_W_WAIT_LIST, "wait-list", INV_TIER_SCHEDULER,
         "The threads that wait and whose stacks may be swapped: WaitListHead of every KPRCB, linked through "
         "KTHREAD.WaitListEntry.",
         "type information of the kernel's PDB; the entry by public practice, measured on dumps of 19041",
         inv_witness_wait_list},
    [INV_W_THREAD_LIST] =
        {INV_W_THREAD_LIST, "thread-list", INV_TIER_EXECUTIVE,
         "EPROCESS.ThreadListHead: every thread object of the process until the object's deletion, linked through "
         "ETHREAD.ThreadListEntry.",
         "read in the kernel's code: PspInsertThread, PspThreadDelete", NULL},
    [INV_W_KTHREAD_LIST] =
        {INV_W_KTHREAD_LIST, "kthread-list", INV_TIER_SCHEDULER,
         "KPROCESS.ThreadListHead: every thread of the process that has not terminated, linked through "
         "KTHREAD.ThreadListEntry.",
         "read in the kernel's code: KeStartThread, KeTerminateThread", NULL},
    [INV_W_THREAD] = {INV_W_THREAD, "thread", INV_TIER_SCHEDULER,
                      "Every thread that another witness saw: KTHREAD.Process and ApcState.Process name its process.",
                      "read in the kernel's code: PspExitThread compares the two", NULL},
    [INV_W_CID_TABLE] =
        {INV_W_CID_TABLE, "cid-table", INV_TIER_EXECUTIVE,
         "PspCidTable: every process and every thread under its identifier, from its creation to the deletion of its "
         "object.",
         "read in the kernel's code: PspAllocateProcess, PspReferenceCidTableEntry, PspProcessDelete, PspThreadDelete",
         inv_witness_cid_table},
    [INV_W_HANDLE_TABLE_LIST] =
        {INV_W_HANDLE_TABLE_LIST, "handle-table-list", INV_TIER_OBJECT_MANAGER,
         "HandleTableListHead: the handle table of every process, whose QuotaProcess names the process.",
         "read in the kernel's code: PspInsertProcess; type information of the kernel's PDB",
         inv_witness_handle_table_list},
    [INV_W_HANDLES] = {INV_W_HANDLES, "handles", INV_TIER_OBJECT_MANAGER,
                       "Every handle of every process that leads to a process or a thread.",
                       "type information of the kernel's PDB; the form of an entry is public practice",
                       inv_witness_handles},
    [INV_W_SESSION_LIST] =
        {INV_W_SESSION_LIST, "session-list", INV_TIER_MEMORY_MANAGER,
         "_MM_SESSION_SPACE.ProcessList of every session that a process names: its processes, linked through "
         "EPROCESS.SessionProcessLinks.",
         "read in the kernel's code: MiInsertNewProcess; the type is known up to Windows 11 23H2",
         inv_witness_session_list},
    [INV_W_JOB_LIST] =
        {INV_W_JOB_LIST, "job-list", INV_TIER_EXECUTIVE,
         "EJOB.ProcessListHead of every job on PspJobList and of every job that a process names, linked through "
         "EPROCESS.JobLinks.",
         "type information of the kernel's PDB", inv_witness_job_list},
    [INV_W_POOL] = {INV_W_POOL, "pool", INV_TIER_OBJECT_MANAGER,
                    "Blocks of pool with the tags of processes, threads, tokens and jobs. They show what exists or "
                    "existed; what they lack proves nothing.",
                    "pooltag.txt of the debugger; the form of a block is public practice", inv_witness_pool},
    [INV_W_DISPATCHER_HEADER] =
        {INV_W_DISPATCHER_HEADER, "dispatcher-header", INV_TIER_SCHEDULER,
         "Objects in memory with the shape of a process or thread, whatever their tag, header and name: the type in "
         "DISPATCHER_HEADER, list heads, page table root, stacks.",
         "type information of the kernel's PDB", inv_witness_dispatcher_header},
    [INV_W_SELF_MAP] = {INV_W_SELF_MAP, "self-map", INV_TIER_HARDWARE,
                        "Pages that map themselves in the slot in which System's page table root does: the root of an "
                        "address space each.",
                        "read in the kernel's code: MmCreateProcessAddressSpace", inv_witness_self_map},
    [INV_W_PFN] =
        {INV_W_PFN, "pfn", INV_TIER_MEMORY_MANAGER,
         "The PFN database: the entry of the frame of every page table root contains itself, and leads back "
         "to the process, "
         "from its creation to the deletion of its object.",
         "read in the kernel's code: MiAllocateTopLevelPage, MiSetPageTablePfnBuddy, MiAllocateProcessShadow; no "
         "symbol table of Windows 11 24H2 is built in, so that its encoding of the back pointer is tested only on "
         "entries made by a unit test",
         inv_witness_pfn},
    [INV_W_BIG_PAGES] =
        {INV_W_BIG_PAGES, "big-pages", INV_TIER_OBJECT_MANAGER,
         "PoolBigPageTable: blocks of pool of a page or more, which have no header. Process and thread objects that "
         "lie in "
         "one, and from Server 2022 on the process that a block is billed to.",
         "type information of the kernel's PDB; that bit 0 of Va marks a free entry is public practice; whether "
         "ProcessBilled is encoded is not verified: it counts only where it leads to a process",
         inv_witness_big_pages},
    [INV_W_GROUP_QUEUE] = {INV_W_GROUP_QUEUE, "group-queue", INV_TIER_SCHEDULER,
                           "The threads of scheduling groups that wait for a CPU: KSCB.ReadyListHead of every KSCB on "
                           "KPRCB.ScbList (Windows 8 "
                           "and later). They show what exists, and only where a whole thread stands; what they lack "
                           "proves nothing, and no "
                           "order among lists follows from them.",
                           "type information of the kernel's PDB; that ScbList links all of a CPU's groups through "
                           "PerProcessorList, and that "
                           "their lists hold threads by KTHREAD.WaitListEntry, is not verified",
                           inv_witness_group_queue},
    [INV_W_ALPC_PORTS] =
        {INV_W_ALPC_PORTS, "alpc-ports", INV_TIER_EXECUTIVE,
         "AlpcpPortList: every ALPC port, and the process that OwnerProcess names. What it lacks "
         "proves nothing: a process need not have a port.",
         "type information of the kernel's PDB; that the pointer holds a reference is not verified: it "
         "shows a process only where that is inserted",
         inv_witness_alpc_ports},
    [INV_W_ETW_REGISTRATIONS] =
        {INV_W_ETW_REGISTRATIONS, "etw-registrations", INV_TIER_EXECUTIVE,
         "ETW_REG_ENTRY.Process of every registration of an event provider that a handle leads to, and of all others "
         "on "
         "the lists of the same providers (ETW_GUID_ENTRY.RegListHead).",
         "type information of the kernel's PDB; that the pointer holds a reference is not verified: it shows a process "
         "only where that is inserted",
         inv_witness_etw_registrations},
    [INV_W_WNF] =
        {INV_W_WNF, "wnf", INV_TIER_EXECUTIVE,
         "ExpWnfProcessesListHead: the context of every process that uses the Windows Notification Facility, "
         "whose Process names it.",
         "type information of the kernel's PDB, from Windows 10 1903 on; that the pointer holds a reference is "
         "not verified: it shows a process only where that is inserted",
         inv_witness_wnf},
    [INV_W_TIMER_RESOLUTION] =
        {INV_W_TIMER_RESOLUTION, "timer-resolution", INV_TIER_EXECUTIVE,
         "ExpTimerResolutionListHead: every process that asked for a resolution of timers, linked "
         "through EPROCESS.TimerResolutionLink.",
         "type information of the kernel's PDB, from Windows 7 SP1 on", inv_witness_timer_resolution},
    [INV_W_TIMERS] = {INV_W_TIMERS, "timers", INV_TIER_EXECUTIVE,
                      "Every timer that a handle leads to and that has a routine: TimerApc.Thread is the thread that "
                      "set it.",
                      "type information of the kernel's PDB", inv_witness_timers},
    [INV_W_CSR_LIST] =
        {INV_W_CSR_LIST, "csr-list", INV_TIER_SUBSYSTEM,
         "CsrRootProcess of each session's csrss, in its user memory: a CSR_PROCESS for every process that csrss was "
         "told "
         "of, "
         "by whose handle in csrss's own table the process is known. Which process is csrss is told by the owner of "
         "the "
         "port to "
         "which ExceptionPortData of most processes of the session leads.",
         "Geoff Chappell's description of csrsrv, the same for Windows 7 to 10 on x64, which no image was at hand to "
         "confirm; "
         "ReactOS; that ExceptionPortData is set was measured on 19041",
         inv_witness_csr_list},
    [INV_W_WIN32K] =
        {INV_W_WIN32K, "win32k", INV_TIER_SUBSYSTEM,
         "W32PROCESS: blocks of pool with the tag Uspi that name a process whose Win32Process leads to them, by the "
         "page "
         "tables of a process of its session; and the threads on the lists of desktops. They show what exists; what "
         "they "
         "lack proves nothing.",
         "read in the code of AllocateW32Process of ten builds; the members of THREADINFO and tagDESKTOP are published "
         "for some builds and found by vote",
         inv_witness_win32k},
    [INV_W_DXGKRNL] = {INV_W_DXGKRNL, "dxgkrnl", INV_TIER_SUBSYSTEM,
                       "DXGPROCESS: blocks of pool with the tag DxgP that name a process which leads to them "
                       "(EPROCESS.DxgProcess, to "
                       "8.1 W32PROCESS.DxProcess). They show what exists; what they lack proves nothing.",
                       "read in the code of CreateDxgProcess and of DXGPROCESS' constructor", inv_witness_dxgkrnl},
    [INV_W_HANDLE_COUNTS] =
        {INV_W_HANDLE_COUNTS, "handle-counts", INV_TIER_OBJECT_MANAGER,
         "OBJECT_HANDLE_COUNT_ENTRY: the processes that have handles to an object whose type counts them by process, "
         "kept "
         "with that object (OBJECT_HEADER_HANDLE_INFO). What it lacks proves nothing. Void where most entries lead to "
         "no "
         "process.",
         "type information of the kernel's PDB; where it stands before the header is public practice; that a process "
         "whose "
         "handles are closed is in no entry is not verified: it shows a process only where that is inserted",
         inv_witness_handle_counts},
};

const struct inv_witness *inv_witness(enum inv_witness_id id)
{
	return &witnesses[id];
}

struct inv_testimony *inv_testimony_collect(const struct inv_kernel *kernel, const struct inv_sweep *sweep,
                                            unsigned threads)
{
	struct inv_testimony *testimony = inv_alloc(sizeof *testimony);
	testimony->kernel = kernel;
	testimony->sweep = sweep;
	testimony->threads = threads;
	testimony->arena = inv_arena_new();
	testimony->room = INV_RECORD_ROOM - (sweep ? inv_count(sweep->hits) * sizeof *sweep->hits : 0);
	testimony->win32k = inv_win32k_new(kernel);
	testimony->dxgkrnl = inv_dxgkrnl_new(testimony->win32k);
	inv_role_anchors_read(kernel, &testimony->anchors);
	const struct inv_value *system = &testimony->anchors.system;
	inv_object_types_read(kernel, system->ok ? system->u : 0, &testimony->types);
	// Who was interrupted before this began has heard nothing yet: that takes little, and is worth showing.
	bool may_end = !inv_progress_stopped(kernel->progress);
	inv_progress_begin(kernel->progress, INV_PHASE_WITNESSES, INV_WITNESS_COUNT);
	for (size_t i = 0; i < INV_WITNESS_COUNT; i++) {
		if (may_end && inv_progress_stopped(kernel->progress))
			inv_void(testimony, (enum inv_witness_id)i, "not heard: the check was interrupted");
		else if (witnesses[i].testify)
			witnesses[i].testify(testimony);
		inv_progress_add(kernel->progress, 1);
	}
	return testimony;
}

void inv_testimony_free(struct inv_testimony *testimony)
{
	if (!testimony)
		return;
	inv_array_free(testimony->active_gaps);
	inv_array_free(testimony->sightings);
	inv_array_free(testimony->pointers);
	inv_array_free(testimony->cpus);
	inv_array_free(testimony->roots);
	inv_array_free(testimony->big_pages);
	inv_array_free(testimony->bills);
	inv_csrss_free(&testimony->csrsses);
	inv_array_free(testimony->named_tokens);
	inv_array_free(testimony->named_jobs);
	inv_array_free(testimony->backlinks);
	inv_array_free(testimony->owned);
	inv_array_free(testimony->counted);
	inv_array_free(testimony->swept_tokens);
	inv_array_free(testimony->swept_jobs);
	inv_array_free(testimony->pfn_roots);
	inv_array_free(testimony->dispatch);
	inv_array_free(testimony->sessions);
	inv_array_free(testimony->jobs);
	inv_array_free(testimony->in_session);
	inv_array_free(testimony->in_job);
	inv_array_free(testimony->ids);
	inv_array_free(testimony->tables);
	inv_array_free(testimony->handles);
	inv_array_free(testimony->odd_handles);
	stbds_hmfree(testimony->table_index);
	inv_dxgkrnl_free(testimony->dxgkrnl);
	inv_win32k_free(testimony->win32k);
	inv_arena_free(testimony->arena);
	free(testimony);
}

void inv_sight(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t process, uint64_t thread,
               uint64_t at)
{
	struct inv_sighting sighting = {.witness = witness, .process = process, .thread = thread, .at = at};
	if (inv_take_room(testimony, sizeof sighting))
		inv_push(testimony->sightings, sighting);
	testimony->coverage[witness].sightings++;
}

bool inv_take_room(struct inv_testimony *testimony, size_t size)
{
	if (testimony->room < size) {
		testimony->full = true;
		return false;
	}
	testimony->room -= size;
	return true;
}

#define POINTERS                                                                                                       \
	(INV_BIT(INV_W_SCHEDULER_LIST) | INV_BIT(INV_W_CPU) | INV_BIT(INV_W_ANCHOR) | INV_BIT(INV_W_THREAD) |              \
	 INV_BIT(INV_W_WIN32K) | INV_BIT(INV_W_DXGKRNL))

struct pointer {
	uint64_t process;
	uint32_t index;
};

static int by_process(const void *a, const void *b)
{
	const struct pointer *left = a, *right = b;
	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

void inv_sort_pointers(struct inv_testimony *testimony)
{
	struct pointer *pointers = NULL;
	for (size_t i = 0; i < inv_count(testimony->sightings) && i <= UINT32_MAX; i++) {
		const struct inv_sighting *sighting = &testimony->sightings[i];
		struct pointer pointer = {sighting->process, (uint32_t)i};
		if (sighting->process && (POINTERS & INV_BIT(sighting->witness)))
			inv_push(pointers, pointer);
	}
	if (pointers)
		qsort(pointers, inv_count(pointers), sizeof *pointers, by_process);
	stbds_arrsetlen(testimony->pointers, inv_count(pointers));
	for (size_t i = 0; i < inv_count(pointers); i++)
		testimony->pointers[i] = pointers[i].index;
	inv_array_free(pointers);
}

const uint32_t *inv_pointers_to(const struct inv_testimony *testimony, uint64_t process, size_t *count)
{
	const uint32_t *pointers = testimony->pointers;
	const struct inv_sighting *sightings = testimony->sightings;
	size_t low = 0, high = inv_count(pointers), end = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sightings[pointers[middle]].process < process)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < end && sightings[pointers[low + *count]].process == process;)
		++*count;
	return *count ? &pointers[low] : NULL;
}

void inv_void(struct inv_testimony *testimony, enum inv_witness_id witness, const char *why)
{
	testimony->coverage[witness].voided = why;
}
