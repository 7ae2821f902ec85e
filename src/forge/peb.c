// SPDX-License-Identifier: Apache-2.0
// What a process keeps of itself in user mode: PEB and TEBs.
#include "base/bytes.h"
#include "forge/user.h"

#define PAGE INV_RAM_PAGE

void inv_machine_make_peb(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_random *random = &machine->random;
	// Before Windows 10 the PEB stands high in the user half (8 TiB in Windows 7), later anywhere low; the TEBs follow it.
	// (The exact places are not verified.)
	process->peb = machine->build >= 10240  ? (1 + inv_random_below(random, 0xff)) << 32 | 0x200000
	               : machine->build >= 9600 ? 0x7ff5e0000000
	                                        : 0x7ffe0000000;
	inv_machine_map_user(machine, process, process->peb, INV_PTE_WRITE | INV_PTE_NX);
	inv_machine_start_vads(machine, process);
	inv_machine_cover(machine, process, process->peb, PAGE);
	inv_machine_put_user(machine, process, process->peb, INV_F_PEB_ImageBaseAddress, process->image_base);
	if (process->session)
		inv_machine_put_user(machine, process, process->peb, INV_F_PEB_SessionId, process->session->id);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Peb, process->peb);
}

void inv_machine_make_teb(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	thread->teb = process->peb + 0x1000 + 0x2000ull * process->tebs++;
	uint32_t size = inv_machine_size(machine, INV_T_TEB, 0x1838);
	for (uint64_t at = 0; at < size; at += PAGE)
		inv_machine_map_user(machine, process, thread->teb + at, INV_PTE_WRITE | INV_PTE_NX);
	inv_machine_cover(machine, process, thread->teb, (uint64_t)2 * PAGE);
	inv_machine_put_user(machine, process, thread->teb, INV_F_TEB_ClientIdUniqueProcess, process->pid);
	inv_machine_put_user(machine, process, thread->teb, INV_F_TEB_ClientIdUniqueThread, thread->tid);
	inv_machine_put_user(machine, process, thread->teb, INV_F_TEB_ProcessEnvironmentBlock, process->peb);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_Teb, thread->teb);
}
