// SPDX-License-Identifier: Apache-2.0
// Sessions: their numbers, how they are connected, and what they are for, as far as the kernel's own records prove it. (IoState is what
// IoGetContainerInformation answers, with the constants of IO_SESSION_STATE; ActiveConsoleId is the session that is attached to the
// physical console: both documented. Services are in session 0, on a host: documented, too. A silo's globals name its own.)
#ifndef INV_NT_SESSION_H
#define INV_NT_SESSION_H

#include "kernel/kernel.h"

enum inv_session_kind {
	INV_SESSION_UNKNOWN,
	INV_SESSION_SERVICES,
	INV_SESSION_CONSOLE,
	INV_SESSION_REMOTE,       // connected, and not to the console
	INV_SESSION_DISCONNECTED, // its processes go on; nobody sees its desktop
};

struct inv_session_record {
	struct inv_value id;    // SessionId
	struct inv_value state; // IoState
	struct inv_value
	    references; // ProcessReferenceToSession: counts processes, also such as have exited; what else is not verified
	enum inv_session_kind kind;
	const char *proof; // which records say so; of INV_SESSION_UNKNOWN why it cannot be told
};

// Reads an _MM_SESSION_SPACE. `silo`: the EJOB of the server silo that it is of; 0: the host. Never fails.
void inv_session_read(const struct inv_kernel *kernel, uint64_t session, uint64_t silo,
                      struct inv_session_record *record);
// The number of the session that a process is in (EPROCESS.Session, MM_SESSION_SPACE.SessionId). Not ok with `*outside`: it is in
// none, as System and the session manager are; not ok without: it could not be read.
struct inv_value inv_session_of(const struct inv_kernel *kernel, uint64_t process, bool *outside);
// "services", "console", "remote", "disconnected"; NULL of INV_SESSION_UNKNOWN.
const char *inv_session_kind_name(enum inv_session_kind kind);
// The constant's name, as "LoggedOn" of IoSessionStateLoggedOn; NULL: there is none with this value.
const char *inv_session_state_name(uint64_t state);

#endif
