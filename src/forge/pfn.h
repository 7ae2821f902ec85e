// SPDX-License-Identifier: Apache-2.0
// The PFN database of the forged machine: one _MMPFN for every frame that page tables lead to. Its virtual range is mapped only
// where such frames have their entries, so that a large machine stays sparse.
#ifndef INV_FORGE_PFN_H
#define INV_FORGE_PFN_H

#include "forge/machine.h"

// The bytes that the database of this machine spans.
uint64_t inv_machine_pfn_size(const struct inv_machine *machine);
// Sets MmPfnDatabase and reserves the range in System's page tables, before another root copies them.
void inv_machine_make_pfn(struct inv_machine *machine);
// Gives an entry to every frame that has come into use since the last time. What was written before stays as it is, and with it
// what an attacker made of it.
void inv_machine_sync_pfn(struct inv_machine *machine);
// The address of the entry of the frame at a physical address; 0 if the frame has none.
uint64_t inv_machine_pfn_of(struct inv_machine *machine, uint64_t physical);
// Writes the back pointer of a page table root, as MiAllocateTopLevelPage and MiSetPageTablePfnBuddy do. 0: none.
void inv_machine_own_pfn(struct inv_machine *machine, uint64_t physical, uint64_t process);
// The page went to another list of the memory manager (MMLISTS); its frame keeps its entry. Nothing if it has none yet.
void inv_machine_move_frame(struct inv_machine *machine, uint64_t physical, unsigned location);
#define INV_PFN_FREE 1u
#define INV_PFN_STANDBY 2u
#define INV_PFN_VALID 6u

// The second root of a process under KVA shadow (MiAllocateProcessShadow), with the same user half.
void inv_machine_make_shadow(struct inv_machine *machine, struct inv_forge_process *process);

#endif
