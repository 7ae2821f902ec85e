// SPDX-License-Identifier: Apache-2.0
// Memory of the user half of a process, and what stands in it: ranges, images, PEB, TEBs.
#ifndef INV_FORGE_USER_H
#define INV_FORGE_USER_H

#include "forge/machine.h"

// Protection as PTEs and VADs hold it (MM_READONLY to MM_EXECUTE_WRITECOPY).
#define INV_MM_NOACCESS 0x18u
#define INV_MM_READONLY 1u
#define INV_MM_EXECUTE 2u
#define INV_MM_EXECUTE_READ 3u
#define INV_MM_READWRITE 4u
#define INV_MM_WRITECOPY 5u
#define INV_MM_EXECUTE_READWRITE 6u
#define INV_MM_EXECUTE_WRITECOPY 7u

// -- ranges and pages (user.c) ----------------------------------------------------------------------------------------------
// The bits of a PTE with this protection, but for INV_PTE_VALID and INV_PTE_USER.
uint64_t inv_protection_flags(unsigned protection);
// Maps a page of memory that only this process has. A range that covers it is the caller's to make.
void inv_machine_map_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                          uint64_t flags);
// `size` bytes of private, committed memory with a VAD of its own at `at`, or anywhere fitting if that is 0; every page is mapped.
// The address; 0: there is a range already.
uint64_t inv_machine_alloc_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                uint64_t size, unsigned protection);
// A field of a structure in user memory: the same layout, another set of page tables. Fields of part of a byte are left out.
void inv_machine_put_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                          enum inv_field field, uint64_t value);
// Reads what the process sees; false, and zeros, where nothing is mapped.
bool inv_machine_read_user(const struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                           void *buffer, size_t size);

// -- PEB and TEBs (peb.c) ---------------------------------------------------------------------------------------------------
// After the image is mapped, in a process that has a session already if it gets one.
void inv_machine_make_peb(struct inv_machine *machine, struct inv_forge_process *process);
void inv_machine_make_teb(struct inv_machine *machine, struct inv_forge_thread *thread);

#endif
