// SPDX-License-Identifier: Apache-2.0
// CPUs, the low stub by which they were started, and the page that Windows shares with all processes.
#include "base/bytes.h"
#include "forge/machine.h"
#include "forge/pfn.h"
#include "forge/session.h"
#include "forge/user_thread.h"

#define LOW_STUB_MARK 0x1000600e9ull // a jump and the length of the block, as every x64 kernel leaves them
#define LOW_STUB_TARGET 0x70u        // an address in the kernel
#define LOW_STUB_CR3 0xa0u
#define SHARED_DATA 0xfffff78000000000ull
#define PCR_PRCB 0x180u // _KPCR.Prcb, x64
#define GROUP_PRIORITIES 16u
#define GROUP_HEAD 0x80u // of _KSCHEDULING_GROUP before PerProcessor, from Windows 10 on
#define PRIORITIES 32u

// KTHREAD_STATE
#define STATE_READY 1u
#define STATE_WAITING 5u
#define STATE_DEFERRED_READY 7u

// Members of KUSER_SHARED_DATA that stand where they stood since Windows NT 4 (ntddk.h).
#define NT_SYSTEM_ROOT 0x30u
#define NT_PRODUCT_TYPE 0x264u

static void make_pcr(struct inv_machine *machine, unsigned number)
{
	uint32_t prcb_size = inv_machine_size(machine, INV_T_KPRCB, 0xb000);
	uint32_t prcb_at =
	    inv_machine_has(machine, INV_F_KPCR_Prcb) ? machine->layout->place[INV_F_KPCR_Prcb].offset : PCR_PRCB;
	struct inv_forge_cpu *cpu = &machine->cpu[number];
	cpu->pcr = inv_region_take(machine, &machine->stacks, (uint64_t)prcb_at + prcb_size, INV_RAM_PAGE);
	cpu->prcb = cpu->pcr + prcb_at;
	inv_machine_put(machine, cpu->pcr, INV_F_KPCR_Self, cpu->pcr);
	inv_machine_put(machine, cpu->pcr, INV_F_KPCR_CurrentPrcb, cpu->prcb);
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_Number, number);
	if (inv_machine_has(machine, INV_F_KPRCB_WaitListHead))
		inv_machine_list_init(machine, inv_machine_at(machine, cpu->prcb, INV_F_KPRCB_WaitListHead));
	for (unsigned i = 0; i < 32 && inv_machine_has(machine, INV_F_KPRCB_DispatcherReadyListHead); i++)
		inv_machine_list_init(machine,
		                      inv_machine_at(machine, cpu->prcb, INV_F_KPRCB_DispatcherReadyListHead) + 16ull * i);
	if (inv_machine_has(machine, INV_F_KPRCB_ScbList))
		inv_machine_list_init(machine, inv_machine_at(machine, cpu->prcb, INV_F_KPRCB_ScbList));
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_SharedReadyQueue, machine->shared_ready_queue);
	uint64_t blocks = inv_machine_symbol(machine, INV_S_KiProcessorBlock);
	if (blocks)
		inv_machine_put64(machine, blocks + 8ull * number, cpu->prcb);
}

// On real machines it is part of the first KPRCB of those that share it.
static void make_shared_ready_queue(struct inv_machine *machine)
{
	if (!inv_machine_has(machine, INV_F_KSHARED_READY_QUEUE_ReadyListHead) ||
	    !inv_machine_has(machine, INV_F_KPRCB_SharedReadyQueue))
		return;
	uint32_t size = inv_machine_size(machine, INV_T_KSHARED_READY_QUEUE, 0x2b0);
	machine->shared_ready_queue = inv_region_take(machine, &machine->stacks, size, 64);
	uint64_t heads = inv_machine_at(machine, machine->shared_ready_queue, INV_F_KSHARED_READY_QUEUE_ReadyListHead);
	for (unsigned i = 0; i < PRIORITIES; i++)
		inv_machine_list_init(machine, heads + 16ull * i);
}

void inv_machine_make_cpus(struct inv_machine *machine)
{
	make_shared_ready_queue(machine);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		make_pcr(machine, i);
	uint64_t count = inv_machine_symbol(machine, INV_S_KeNumberProcessors);
	uint8_t byte = (uint8_t)machine->cpu_count;
	if (count)
		inv_machine_write(machine, count, &byte, 1);
}

void inv_machine_make_low_stub(struct inv_machine *machine)
{
	do
		machine->low_stub = (1 + inv_random_below(&machine->random, 0x9e)) * INV_RAM_PAGE;
	while (!inv_ram_take_at(machine->ram, machine->low_stub, INV_RAM_KERNEL));
	inv_ram_put64(machine->ram, machine->low_stub, LOW_STUB_MARK);
	inv_ram_put64(machine->ram, machine->low_stub + LOW_STUB_TARGET, machine->base + machine->code_rva + 0x40);
	inv_ram_put64(machine->ram, machine->low_stub + LOW_STUB_CR3, machine->maps.root);
}

// KSYSTEM_TIME: LowPart, High1Time, High2Time.
static void put_time(struct inv_machine *machine, enum inv_field field, uint64_t time)
{
	if (!inv_machine_has(machine, field))
		return;
	uint8_t bytes[12];
	inv_put64(bytes, time);
	inv_put32(bytes + 8, (uint32_t)(time >> 32));
	inv_machine_write(machine, inv_machine_at(machine, SHARED_DATA, field), bytes, sizeof bytes);
}

void inv_machine_show_time(struct inv_machine *machine, uint64_t time)
{
	put_time(machine, INV_F_KUSER_SHARED_DATA_SystemTime, time);
	put_time(machine, INV_F_KUSER_SHARED_DATA_InterruptTime, time - machine->boot_time);
}

void inv_machine_make_shared_data(struct inv_machine *machine)
{
	inv_maps_map(&machine->maps, SHARED_DATA, inv_ram_take(machine->ram, INV_RAM_KERNEL), INV_PTE_NX | INV_PTE_WRITE);
	inv_machine_show_time(machine, machine->system_time);
	const struct inv_version *version = &machine->facts->version;
	inv_machine_put(machine, SHARED_DATA, INV_F_KUSER_SHARED_DATA_NtMajorVersion, version->major);
	inv_machine_put(machine, SHARED_DATA, INV_F_KUSER_SHARED_DATA_NtMinorVersion, version->minor);
	inv_machine_put(machine, SHARED_DATA, INV_F_KUSER_SHARED_DATA_NtBuildNumber, machine->build);
	inv_machine_set_console(machine, INV_FORGE_CONSOLE);
	static const uint8_t root[] = {'C', 0, ':', 0, '\\', 0, 'W', 0, 'i', 0, 'n', 0, 'd', 0, 'o', 0, 'w', 0, 's', 0};
	inv_machine_write(machine, SHARED_DATA + NT_SYSTEM_ROOT, root, sizeof root);
	static const uint8_t workstation = 1;
	inv_machine_write(machine, SHARED_DATA + NT_PRODUCT_TYPE, &workstation, 1);
	uint64_t boot = inv_machine_symbol(machine, INV_S_KeBootTime);
	if (boot)
		inv_machine_put64(machine, boot, machine->boot_time);
}

// The page tables that the thread uses now: of the process it is attached to.
static uint64_t dtb_of(const struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	uint64_t attached = inv_machine_get(machine, thread->address, INV_F_KTHREAD_ApcStateProcess);
	const struct inv_forge_process *process = inv_machine_process_at(machine, attached);
	return (process ? process : thread->process)->dtb;
}

void inv_machine_run(struct inv_machine *machine, unsigned number, struct inv_forge_thread *thread)
{
	struct inv_forge_cpu *cpu = &machine->cpu[number];
	if (!thread)
		thread = cpu->idle;
	if (cpu->current && cpu->current != thread)
		inv_machine_put(machine, cpu->current->address, INV_F_KTHREAD_State, cpu->current->idle ? 1 : 5);
	cpu->current = thread;
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_State, 2); // running
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_CurrentThread, thread->address);
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_IdleThread, cpu->idle->address);
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_Cr3, dtb_of(machine, thread));
	inv_machine_put(machine, cpu->prcb, INV_F_KPRCB_RspBase,
	                inv_machine_get(machine, thread->address, INV_F_KTHREAD_InitialStack));
}

void inv_machine_attach(struct inv_machine *machine, const struct inv_forge_thread *thread,
                        const struct inv_forge_process *process)
{
	inv_machine_save_apcs(machine, thread);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_SavedApcStateProcess,
	                inv_machine_get(machine, thread->address, INV_F_KTHREAD_ApcStateProcess));
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_ApcStateProcess, process->address);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_ApcStateIndex, 1);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		if (machine->cpu[i].current == thread)
			inv_machine_put(machine, machine->cpu[i].prcb, INV_F_KPRCB_Cr3, process->dtb);
}

static void append_to(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t heads, unsigned index)
{
	thread->queue = (struct inv_forge_queue){.head = heads + 16ull * index};
	inv_machine_list_append(machine, thread->queue.head,
	                        inv_machine_at(machine, thread->address, INV_F_KTHREAD_WaitListEntry));
}

static void append_ready(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t object,
                         enum inv_field lists, enum inv_field summary, unsigned priority)
{
	append_to(machine, thread, inv_machine_at(machine, object, lists), priority);
	thread->queue.object = object;
	thread->queue.summary = summary;
	thread->queue.priority = priority;
	inv_machine_put(machine, object, summary, inv_machine_get(machine, object, summary) | 1ull << priority);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_State, STATE_READY);
}

// The part of a scheduling group for this CPU. (That ScbList links it through PerProcessorList, and that its lists hold threads as
// others of the dispatcher do, is not verified.)
static bool make_group(struct inv_machine *machine, struct inv_forge_cpu *cpu)
{
	if (!inv_machine_has(machine, INV_F_KSCB_ReadyListHead) || !inv_machine_has(machine, INV_F_KSCB_PerProcessorList))
		return false;
	if (cpu->scb)
		return true;
	uint32_t size = GROUP_HEAD + inv_machine_size(machine, INV_T_KSCB, 0x1a8);
	cpu->scb = inv_machine_pool(machine, &machine->pool, size, "KeSg") + GROUP_HEAD;
	for (unsigned i = 0; i < GROUP_PRIORITIES; i++)
		inv_machine_list_init(machine, inv_machine_at(machine, cpu->scb, INV_F_KSCB_ReadyListHead) + 16ull * i);
	inv_machine_list_append(machine, inv_machine_at(machine, cpu->prcb, INV_F_KPRCB_ScbList),
	                        inv_machine_at(machine, cpu->scb, INV_F_KSCB_PerProcessorList));
	return true;
}

bool inv_machine_dispatch(struct inv_machine *machine, struct inv_forge_thread *thread, enum inv_forge_dispatch kind,
                          unsigned number, unsigned priority)
{
	uint64_t prcb = machine->cpu[number].prcb;
	static const enum inv_field needs[] = {INV_F_KPRCB_DispatcherReadyListHead, INV_F_KPRCB_SharedReadyQueue,
	                                       INV_F_KPRCB_DeferredReadyListHead, INV_F_KPRCB_WaitListHead,
	                                       INV_F_KPRCB_ScbList};
	if (!inv_machine_has(machine, INV_F_KTHREAD_WaitListEntry) || !inv_machine_has(machine, needs[kind]))
		return false;
	if (kind == INV_DISPATCH_SHARED && !machine->shared_ready_queue)
		return false;
	if (kind == INV_DISPATCH_DEFERRED && !inv_machine_has(machine, INV_F_KTHREAD_SwapListEntry))
		return false;
	if (kind == INV_DISPATCH_GROUP && (priority >= GROUP_PRIORITIES || !make_group(machine, &machine->cpu[number])))
		return false;
	thread->dispatched = true;
	switch (kind) {
	case INV_DISPATCH_READY:
		append_ready(machine, thread, prcb, INV_F_KPRCB_DispatcherReadyListHead, INV_F_KPRCB_ReadySummary, priority);
		break;
	case INV_DISPATCH_SHARED:
		append_ready(machine, thread, machine->shared_ready_queue, INV_F_KSHARED_READY_QUEUE_ReadyListHead,
		             INV_F_KSHARED_READY_QUEUE_ReadySummary, priority);
		break;
	case INV_DISPATCH_DEFERRED: {
		uint64_t entry = inv_machine_at(machine, thread->address, INV_F_KTHREAD_SwapListEntry);
		thread->queue = (struct inv_forge_queue){
		    .head = inv_machine_at(machine, prcb, INV_F_KPRCB_DeferredReadyListHead), .single = true};
		inv_machine_put64(machine, entry, inv_machine_get(machine, prcb, INV_F_KPRCB_DeferredReadyListHead));
		inv_machine_put(machine, prcb, INV_F_KPRCB_DeferredReadyListHead, entry);
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_State, STATE_DEFERRED_READY);
		break;
	}
	case INV_DISPATCH_GROUP:
		append_to(machine, thread, inv_machine_at(machine, machine->cpu[number].scb, INV_F_KSCB_ReadyListHead),
		          priority);
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_State, STATE_READY);
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_SchedulingGroup, machine->cpu[number].scb - GROUP_HEAD);
		break;
	case INV_DISPATCH_WAIT:
		append_to(machine, thread, inv_machine_at(machine, prcb, INV_F_KPRCB_WaitListHead), 0);
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_State, STATE_WAITING);
		break;
	}
	return true;
}

static void leave_chain(struct inv_machine *machine, uint64_t head, uint64_t entry)
{
	for (uint64_t at = head, next; (next = inv_machine_get64(machine, at)) != 0; at = next) {
		if (next != entry)
			continue;
		inv_machine_put64(machine, at, inv_machine_get64(machine, entry));
		return;
	}
}

void inv_machine_undispatch(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	const struct inv_forge_queue queue = thread->queue;
	thread->queue.head = 0;
	if (!queue.head)
		return;
	if (queue.single) {
		leave_chain(machine, queue.head, inv_machine_at(machine, thread->address, INV_F_KTHREAD_SwapListEntry));
		return;
	}
	inv_machine_list_remove(machine, inv_machine_at(machine, thread->address, INV_F_KTHREAD_WaitListEntry));
	if (queue.object && inv_machine_get64(machine, queue.head) == queue.head)
		inv_machine_put(machine, queue.object, queue.summary,
		                inv_machine_get(machine, queue.object, queue.summary) & ~(1ull << queue.priority));
}

// KiCommitThreadWait puts a thread on the list of its CPU if its stack may be swapped: one that waits in user mode.
static bool may_be_swapped(const struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	uint64_t at = thread->address;
	return !thread->dispatched && thread->process->peb != 0 &&
	       inv_machine_get(machine, at, INV_F_KTHREAD_State) == STATE_WAITING &&
	       inv_machine_get(machine, at, INV_F_ETHREAD_ThreadInserted) != 0 &&
	       inv_machine_get(machine, at, INV_F_ETHREAD_Terminated) == 0 &&
	       inv_machine_get(machine, at, INV_F_KTHREAD_KernelStackResident) != 0;
}

static void settle_waiting(struct inv_machine *machine)
{
	for (size_t i = 1; i < inv_count(machine->processes); i++) {
		struct inv_forge_process *process = machine->processes[i];
		for (size_t j = 0; j < inv_count(process->threads); j++)
			if (may_be_swapped(machine, process->threads[j]))
				inv_machine_dispatch(machine, process->threads[j], INV_DISPATCH_WAIT,
				                     (unsigned)(j % machine->cpu_count), 0);
	}
}

static void settle_cpu(struct inv_machine *machine)
{
	if (machine->cpu[0].chosen)
		return;
	for (size_t i = inv_count(machine->processes); i-- > 1;) {
		struct inv_forge_process *process = machine->processes[i];
		for (size_t j = 0; j < inv_count(process->threads) && !process->zombie; j++) {
			bool taken = process->threads[j]->dispatched;
			for (unsigned k = 0; k < machine->cpu_count; k++)
				taken = taken || machine->cpu[k].current == process->threads[j];
			if (taken)
				continue;
			inv_machine_run(machine, 0, process->threads[j]);
			machine->cpu[0].chosen = true;
			return;
		}
	}
}

void inv_machine_settle(struct inv_machine *machine)
{
	settle_cpu(machine);
	settle_waiting(machine);
}

// How long before the end of the acquisition its first page was read.
#define ACQUISITION 600000000ull // a minute

void inv_machine_acquire(struct inv_machine *machine, unsigned percent)
{
	machine->live = true;
	uint64_t now = machine->system_time - ACQUISITION / 100 * (100 - percent);
	if (machine->clock < now)
		machine->clock = now;
	inv_machine_settle(machine);
	inv_machine_settle_tables(machine);
	inv_machine_sync_pfn(machine);
	inv_machine_show_time(machine, machine->clock);
	inv_ram_acquire(machine->ram, inv_ram_highest(machine->ram) / 100 * percent);
	inv_machine_show_time(machine, machine->system_time); // for a page that is read last
}
