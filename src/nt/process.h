// SPDX-License-Identifier: Apache-2.0
// EPROCESS and KPROCESS. The KPROCESS is the EPROCESS' first member (Pcb, offset 0 in every layout), so one address
// serves both.
#ifndef INV_NT_PROCESS_H
#define INV_NT_PROCESS_H

#include "kernel/kernel.h"

#define INV_STATUS_PENDING 0x103u // ExitStatus of a process that has not exited (lifetime.md, D.1)
// DISPATCHER_HEADER.Type: its bits, for bit 7 is a lock, and its value for a process and for a thread (layouts.md, B.3.6).
#define INV_DISPATCHER_TYPE 0x7fu
#define INV_PROCESS_OBJECT 3u
#define INV_THREAD_OBJECT 6u

// EPROCESS.ImageFileName: 15 bytes, not always terminated. Empty with value->ok false when unreadable.
const char *inv_process_name(const struct inv_kernel *kernel, uint64_t process, struct inv_arena *arena,
                             struct inv_value *value);

// The name in SeAuditProcessCreationInfo (an NT path). "" with value->ok false when unreadable; "" and ok when the
// process has none.
const char *inv_process_path(const struct inv_kernel *kernel, uint64_t process, struct inv_arena *arena,
                             struct inv_value *value);

// The process whose EPROCESS.ActiveProcessLinks (or KPROCESS.ProcessListEntry) stands at `entry`. 0 when the layout has no such field.
uint64_t inv_process_of_entry(const struct inv_kernel *kernel, uint64_t entry, enum inv_field field);

// What a process is, proved by the kernel's own pointers and never by its name (lifetime.md, D.3).
enum inv_role {
	INV_ROLE_ORDINARY,
	INV_ROLE_IDLE,               // &KiInitialProcess or *PsIdleProcess, else inside the kernel's own image
	INV_ROLE_SYSTEM,             // *PsInitialSystemProcess, else the first element of PsActiveProcessHead
	INV_ROLE_REGISTRY,           // *CmpRegistryProcess and Flags3.Minimal
	INV_ROLE_MEMORY_COMPRESSION, // MiSystemPartition.Store.StoreProcess
	INV_ROLE_SECURE_SYSTEM,      // *PsSecureSystemProcess
	INV_ROLE_VM,                 // Flags3.VmProcessorHost
	INV_ROLE_PICO,               // PicoContext and Flags2.PicoCreated
	INV_ROLE_MINIMAL,            // Flags3.Minimal and the same bit of the dispatcher header
	INV_ROLE_UNKNOWN,            // what would prove it could not be read
};
const char *inv_role_name(enum inv_role role);

// The addresses that prove roles, read once. A value that could not be read says why.
struct inv_role_anchors {
	struct inv_value idle, initial_process, system, registry, store, secure_system;
	uint64_t active_head;          // PsActiveProcessHead, 0 if unknown
	struct inv_value active_first; // its first element, as an EPROCESS
};
void inv_role_anchors_read(const struct inv_kernel *kernel, struct inv_role_anchors *anchors);

enum inv_role inv_process_role(const struct inv_kernel *kernel, const struct inv_role_anchors *anchors,
                               uint64_t process);

#endif
