// SPDX-License-Identifier: Apache-2.0
// Who has which token, for the judges of tokens.
#ifndef INV_INVARIANT_BEARERS_H
#define INV_INVARIANT_BEARERS_H

#include "invariant/families.h"

// ClientSecurity.ImpersonationData: the level in bits 0 and 1, EffectiveOnly in bit 2 (_PS_CLIENT_SECURITY_CONTEXT in the kernel's PDB).
#define INV_IMPERSONATION_FLAGS 7u

enum inv_bearer_kind { INV_BEARER_PROCESS, INV_BEARER_THREAD, INV_BEARER_HANDLE };

// A token, and the first who has it: a process before a thread, a thread before a handle.
struct inv_bearer {
	uint64_t token;
	enum inv_bearer_kind kind;
	struct inv_subject subject; // of a handle: the token itself
};

// All that live processes, threads that impersonate and handles lead to, by address. A stb_ds array. Each token once, or, without
// `once`, by every process and thread that has it.
struct inv_bearer *inv_bearers(const struct inv_judge *judge, bool once);

// Is this an object of type Token, by its header? INV_UNSURE: that could not be read, or types cannot be told.
enum inv_answer inv_is_token_object(const struct inv_judge *judge, uint64_t object);
// Calls `one` for every token; one that is no object of its type, or may be none, is unknown, for K01 and K07 judge that.
void inv_each_token(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_bearer *bearer));

#endif
