// SPDX-License-Identifier: Apache-2.0
// The subsystem of Win32: each session's csrss keeps a list of its clients in its own memory, and the kernel keeps for each client the
// port to which csrss listens. (Layout and meaning: Geoff Chappell's description of csrsrv, which is that of Windows 7 to 10 on x64;
// what csrss does when: ReactOS. Both are public; what they do not say is marked.)
#ifndef INV_FORGE_CSRSS_H
#define INV_FORGE_CSRSS_H

#include "forge/machine.h"

// CSR_PROCESS and CSR_THREAD.
#define INV_CSR_PROCESS_ID 0x00u
#define INV_CSR_PROCESS_THREAD_ID 0x08u
#define INV_CSR_PROCESS_LINK 0x10u
#define INV_CSR_PROCESS_THREADS 0x20u
#define INV_CSR_PROCESS_SESSION 0x30u
#define INV_CSR_PROCESS_HANDLE 0x50u
#define INV_CSR_PROCESS_SEQUENCE 0x58u
#define INV_CSR_PROCESS_REFERENCES 0x64u
#define INV_CSR_PROCESS_LUID 0x80u
#define INV_CSR_THREAD_CREATED 0x00u
#define INV_CSR_THREAD_LINK 0x08u
#define INV_CSR_THREAD_HASH 0x18u
#define INV_CSR_THREAD_PROCESS_ID 0x28u
#define INV_CSR_THREAD_ID 0x30u
#define INV_CSR_THREAD_PROCESS 0x38u
#define INV_CSR_THREAD_HANDLE 0x40u
#define INV_CSR_THREAD_REFERENCES 0x4cu

struct inv_forge_csr_thread {
	struct inv_forge_thread *thread;
	uint64_t address; // CSR_THREAD, in csrss
	uint64_t handle;  // in csrss's table
};

// What csrss knows of a client.
struct inv_forge_client {
	struct inv_forge_process *process;
	struct inv_forge_csr *csr;
	uint64_t address; // CSR_PROCESS, in csrss
	uint64_t handle;
	struct inv_forge_csr_thread *threads; // stb_ds
};

// The csrss of one session.
struct inv_forge_csr {
	struct inv_forge_process *csrss;
	uint64_t port;                     // ALPC_PORT: what ExceptionPortData of its clients leads to
	uint64_t root;                     // its own CSR_PROCESS
	uint64_t buckets;                  // of CSR_THREADs by identifier
	uint64_t session;                  // what all records name as theirs
	uint64_t next, mapped, end;        // of the range that records are taken from now
	uint32_t sequence;                 // of the next client
	struct inv_forge_client **clients; // stb_ds, in the order of the list
};

// An ALPC port that this process owns and has open, with a name unless that is NULL; the address of its body.
uint64_t inv_csr_make_port(struct inv_machine *machine, struct inv_forge_process *owner, const char *name);
// The process becomes the csrss of its session. Those that are in the session already become its clients.
void inv_csr_begin(struct inv_machine *machine, struct inv_forge_process *process);
// The csrss of the process' session that still runs; NULL: there is none.
struct inv_forge_csr *inv_csr_of(const struct inv_machine *machine, const struct inv_forge_process *process);
// CsrCreateProcess: enters the process, and the threads that it has, if it is one that csrss is told of.
void inv_csr_register(struct inv_machine *machine, struct inv_forge_process *process);
// The same without a question.
void inv_csr_enter(struct inv_machine *machine, struct inv_forge_csr *csr, struct inv_forge_process *process);
// A record of any process on this list, with a handle to it, as nobody but a liar makes it; its address. 0: there is no room.
uint64_t inv_csr_adopt(struct inv_machine *machine, struct inv_forge_csr *csr, const struct inv_forge_process *process);
// Takes it off the list, and closes the handles to it and its threads; the block keeps its content.
void inv_csr_forget(struct inv_machine *machine, struct inv_forge_process *process);
// The same of one thread.
void inv_csr_forget_thread(struct inv_machine *machine, const struct inv_forge_thread *thread);
// What is known of a thread; NULL: nothing.
struct inv_forge_csr_thread *inv_csr_thread_of(const struct inv_forge_thread *thread);
// CreateTime of all threads, after the machine's clock was set.
void inv_csr_put_times(struct inv_machine *machine);
// Eight bytes in the memory of a csrss.
void inv_csr_put64(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t address, uint64_t value);
// Takes an entry off its list; it keeps its links.
void inv_csr_unlink(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t entry);
void inv_csr_free(struct inv_machine *machine);

#endif
