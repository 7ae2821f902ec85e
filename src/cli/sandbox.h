// SPDX-License-Identifier: Apache-2.0
// The sandbox: what the program gives up before it reads a byte of an image. An image comes from an attacker;
// should a reader have a fault, what it could reach from then on is the files that are open already, and
// nothing else.
//
// Two independent protections of Linux are used, each as far as the running kernel has it:
//   Landlock  no path can be opened, made, renamed, truncated or removed; no TCP port bound or connected to; no
//             signal sent and no abstract UNIX socket reached outside of the process (Linux
//             Documentation/userspace-api/landlock.rst);
//   seccomp   only the system calls that reading, computing and writing need are let through. Others fail with
//             EPERM, so that a library's harmless attempt does not end the program; those by which only an
//             attacker gains (ptrace, bpf, mount, loading of modules, ...) end the process with SIGSYS, and so
//             does any call through the 32-bit or x32 interface.
#ifndef INV_CLI_SANDBOX_H
#define INV_CLI_SANDBOX_H

#include <fcntl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"

struct inv_sandbox_options {
	const struct inv_log *log; // may be NULL; told in one line each what stands and what does not
	// Each leaves out one protection, so that a test can look at the other alone.
	bool without_landlock;
	bool without_seccomp;
	// New files may be made in this folder, which is open: by openat() with this very descriptor and INV_SANDBOX_NEW_FILE. seccomp
	// cannot see the name, so it is Landlock that keeps it within the folder: without Landlock (state.files) nothing does.
	bool makes_files;
	int folder;
	bool uses_terminal; // the modes of a terminal that is open may be set
};

// The one way in which a file may be opened inside: it must be new, and no link is followed.
#define INV_SANDBOX_NEW_FILE (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

// Which protections stand. What a kernel lacks is false, with the reason in words.
struct inv_sandbox_state {
	int landlock_abi;           // the kernel's Landlock version; 0: none
	bool files;                 // Landlock: no path can be opened or changed (truncation by path: from version 3)
	bool network;               // Landlock from version 4: no TCP
	bool scope;                 // Landlock from version 6: no signals, no abstract UNIX sockets
	bool system_calls;          // seccomp
	char landlock_missing[128]; // why `files` is false; empty otherwise
	char seccomp_missing[128];  // why `system_calls` is false; empty otherwise
};

// Enters the sandbox; there is no way back. Call it when everything that the program needs is open, and while
// the process has one thread: Landlock binds the calling thread and those it creates later.
//
// A protection that the kernel lacks or refuses is no error: it is in `state`, and the program goes on. Fails with
// INV_E_INTERNAL if the process already has more than one thread, or the filter cannot be built; protections
// that `state` says stand do so even then.
INV_MUST_USE enum inv_code inv_sandbox_enter(const struct inv_sandbox_options *options, struct inv_sandbox_state *state,
                                             struct inv_error *error);

#endif
