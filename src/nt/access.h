// SPDX-License-Identifier: Apache-2.0
// Access rights: what the bits of GrantedAccess mean, by the type of the object (winnt.h, wdm.h; learn.microsoft.com, "Access
// Rights and Access Masks" and the page of each kind of object). The type is told by the name in its OBJECT_TYPE, which is text of the
// image: what is made of it is for readers, and proves nothing.
#ifndef INV_NT_ACCESS_H
#define INV_NT_ACCESS_H

#include "base/memory.h"
#include "kernel/kernel.h"

enum inv_access_kind {
	INV_ACCESS_OTHER, // only the rights that every type has are known by name
	INV_ACCESS_PROCESS,
	INV_ACCESS_THREAD,
	INV_ACCESS_TOKEN,
	INV_ACCESS_JOB,
	INV_ACCESS_SECTION,
	INV_ACCESS_FILE,
	INV_ACCESS_KEY,
	INV_ACCESS_EVENT,
	INV_ACCESS_MUTANT,
	INV_ACCESS_SEMAPHORE,
	INV_ACCESS_TIMER,
	INV_ACCESS_DIRECTORY,
	INV_ACCESS_SYMBOLIC_LINK,
	INV_ACCESS_DEBUG_OBJECT,
	INV_ACCESS_PORT,
	INV_ACCESS_WINDOW_STATION,
	INV_ACCESS_DESKTOP,
	INV_ACCESS_IO_COMPLETION,
	INV_ACCESS_KINDS,
};

// By OBJECT_TYPE.Name: "Process".
enum inv_access_kind inv_access_kind(const char *type_name);

// The rights in words, by rising bit, those without a name as one number: "VM_READ, QUERY_INFORMATION, SYNCHRONIZE". "all" where
// every right is granted that the type has by name. "" for none. Lives in `arena`.
const char *inv_access_text(enum inv_access_kind kind, uint32_t access, struct inv_arena *arena);

// Rights to a process and to a thread (winnt.h).
#define INV_PROCESS_TERMINATE 0x1u
#define INV_PROCESS_CREATE_THREAD 0x2u
#define INV_PROCESS_VM_OPERATION 0x8u
#define INV_PROCESS_VM_READ 0x10u
#define INV_PROCESS_VM_WRITE 0x20u
#define INV_PROCESS_DUP_HANDLE 0x40u
#define INV_PROCESS_CREATE_PROCESS 0x80u
#define INV_PROCESS_SET_INFORMATION 0x200u
#define INV_PROCESS_SUSPEND_RESUME 0x800u
#define INV_THREAD_SUSPEND_RESUME 0x2u
#define INV_THREAD_SET_CONTEXT 0x10u
#define INV_THREAD_SET_TOKEN 0x80u
#define INV_THREAD_IMPERSONATE 0x100u
#define INV_THREAD_DIRECT_IMPERSONATION 0x200u

// Who has one of these runs code in the process, reads its secrets, or makes it his own: its memory is written, a thread made in it, its
// handles are copied (the handle to itself among them), it becomes the parent of another with its token, or it is read.
#define INV_PROCESS_POWER                                                                                              \
	(INV_PROCESS_CREATE_THREAD | INV_PROCESS_VM_OPERATION | INV_PROCESS_VM_READ | INV_PROCESS_VM_WRITE |               \
	 INV_PROCESS_DUP_HANDLE | INV_PROCESS_CREATE_PROCESS)
// The same without those that only read or prepare: what suffices to take the process over.
#define INV_PROCESS_TAKEOVER                                                                                           \
	(INV_PROCESS_CREATE_THREAD | INV_PROCESS_VM_WRITE | INV_PROCESS_DUP_HANDLE | INV_PROCESS_CREATE_PROCESS)
#define INV_THREAD_POWER                                                                                               \
	(INV_THREAD_SET_CONTEXT | INV_THREAD_SET_TOKEN | INV_THREAD_IMPERSONATE | INV_THREAD_DIRECT_IMPERSONATION)
#define INV_THREAD_TAKEOVER INV_THREAD_SET_CONTEXT

// GENERIC_MAPPING of a type: what GENERIC_READ and so on stand for.
struct inv_generic_mapping {
	uint32_t read, write, execute, all;
};
// false: the layout does not have it, or it is not there.
bool inv_generic_mapping_read(const struct inv_kernel *kernel, uint64_t type, struct inv_generic_mapping *mapping);
// The rights for which generic ones stand; others stay. (RtlMapGenericMask)
uint32_t inv_access_map(const struct inv_generic_mapping *mapping, uint32_t access);

#endif
