// SPDX-License-Identifier: Apache-2.0
// csrss: which process it is, and whom it knows. Each session has one. It keeps a CSR_PROCESS for every process that it was told of,
// with a CSR_THREAD for threads that it was told of, in its own memory; and it makes the kernel keep its port in the process'
// EPROCESS.ExceptionPortData. Its own CSR_PROCESS is the head of the list (Geoff Chappell, csrsrv: the layout, the same from Windows 7 to
// 10 on x64; ReactOS, procsup.c: what it means). That ExceptionPortData is set was measured on 19041.
//
// No name and no symbol is asked. Which process is csrss follows from where the exception ports of a session's processes lead; its
// records are found by their shape: a list that is closed around a record with csrss's own identifier and the handle -1.
#ifndef INV_NT_CSRSS_H
#define INV_NT_CSRSS_H

#include "nt/object.h"

#define INV_CSRSS_BOUND 1024u                // of one machine: each session has one
#define INV_CSR_BOUND ((size_t)1 << 18)      // CSR_PROCESSes of one csrss
#define INV_CSR_THREADS ((size_t)1 << 21)    // CSR_THREADs of one csrss
#define INV_CSR_PAGES ((size_t)1 << 16)      // pages of one csrss that are looked at: 256 MiB
#define INV_CSR_ITSELF UINT64_MAX            // ProcessHandle of the head: NtCurrentProcess()
#define INV_EXCEPTION_PORT_STATE UINT64_C(7) // the low bits of ExceptionPortData (ExceptionPortState)

// The processes of one session that have an exception port.
struct inv_csr_vote {
	uint64_t session; // EPROCESS.Session
	uint64_t port;    // the one that most of them have
	size_t votes;     // so many of them
	size_t voters;    // of so many
	uint64_t owner;   // ALPC_PORT.OwnerProcess; 0: it could not be read
	bool tied;        // another has as many
	bool is_port;     // the header there says that it is one; or what it should say is not known
	const char *lost; // why the owner is not taken for csrss; NULL: he is
};

struct inv_csr_thread {
	uint64_t address; // CSR_THREAD, in csrss
	uint64_t record;  // CSR_PROCESS that it names
	uint64_t pid, tid;
	uint64_t created; // CreateTime
	uint64_t handle;
	uint64_t thread; // ETHREAD that the handle leads to in csrss's table; 0: to none
	bool listed;     // on the ThreadList of a record on the list
	bool hashed;     // both neighbours in its bucket lead back to it
};

struct inv_csr_process {
	uint64_t address; // CSR_PROCESS, in csrss
	uint64_t pid, tid;
	uint64_t handle;
	uint64_t process; // EPROCESS that the handle leads to in csrss's table; of the head csrss; 0: to none
	uint32_t sequence;
	bool listed; // on the list; else it was only found in memory: its identifier and its handle mean the same process
	bool threads_closed;
	struct inv_value entry; // of the handle in csrss's table: where it stands, and the OBJECT_HEADER that it leads to
};

struct inv_csrss {
	uint64_t process; // EPROCESS
	uint64_t pid;
	uint64_t session; // EPROCESS.Session
	uint64_t port;    // ALPC_PORT
	uint64_t table;   // HANDLE_TABLE
	size_t votes, voters;
	uint64_t root;                   // its own CSR_PROCESS; 0: not found
	size_t roots;                    // how many in its memory pass for that
	struct inv_csr_process *records; // stb_ds, by PID, then address; without the head
	struct inv_csr_thread *threads;  // stb_ds, by TID, then address
	size_t pages, missing;           // pages that were looked at, and such as are not in the image
	size_t torn;                     // links of the list that do not lead back
	bool complete;                   // the list was followed to its end
	const char *unknown;             // why there are no records; NULL: there are
};

struct inv_csrsses {
	struct inv_csr_vote *votes; // stb_ds, by session
	struct inv_csrss *csrsses;  // stb_ds, by session
	const char *unknown;        // why nobody can be asked; NULL: they were
	struct inv_value
	    default_process; // ExpDefaultErrorPortProcess: a global up to 8.1, later of the host's silo globals
};

// Asks these processes (addresses of EPROCESS, each once) for their ports, and reads what the owners know. Never fails; release with
// inv_csrss_free(). A port counts if more voters of a session have it than any other, and it is owned by a process of that session; if
// that process' own record is not found, more than half of the voters must have it, and three at least.
void inv_csrss_read(const struct inv_kernel *kernel, const struct inv_object_types *types, const uint64_t *processes,
                    size_t count, struct inv_csrsses *all);
void inv_csrss_free(struct inv_csrsses *all);

// The csrss of a session, or the one that is this process; NULL: none is known.
const struct inv_csrss *inv_csrss_of(const struct inv_csrsses *all, uint64_t session);
const struct inv_csrss *inv_csrss_at(const struct inv_csrsses *all, uint64_t process);
const struct inv_csr_vote *inv_csr_vote_of(const struct inv_csrsses *all, uint64_t session);
// A record on the list with this PID; NULL: none.
const struct inv_csr_process *inv_csr_record(const struct inv_csrss *csrss, uint64_t pid);
// A record that was found in memory and is not on the list, with this PID; NULL: none.
const struct inv_csr_process *inv_csr_stray(const struct inv_csrss *csrss, uint64_t pid);

// Whether an object is an ALPC port by its header. Unknown as not ok: the type, or the header, could not be read.
struct inv_value inv_is_port(const struct inv_kernel *kernel, const struct inv_object_types *types, uint64_t object);

#endif
