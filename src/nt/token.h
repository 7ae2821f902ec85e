// SPDX-License-Identifier: Apache-2.0
// Access tokens (_TOKEN) and logon sessions (_SEP_LOGON_SESSION_REFERENCES). Where fields stand: type information of the kernel's PDB;
// what they hold: winnt.h and ntifs.h, which give the same to programs by GetTokenInformation().
#ifndef INV_NT_TOKEN_H
#define INV_NT_TOKEN_H

#include "nt/sid.h"

#define INV_TOKEN_PRIMARY 1u // TOKEN_TYPE (winnt.h)
#define INV_TOKEN_IMPERSONATION 2u
#define INV_TOKEN_NOT_REFERENCED 0x20u // TokenFlags: TOKEN_SESSION_NOT_REFERENCED (ntifs.h)
// SIDs of one array that are read: Windows lets a token have no more than 1,015 groups (learn.microsoft.com, "MaxTokenSize").
#define INV_TOKEN_SIDS 1024u

// One of an array of SID_AND_ATTRIBUTES.
struct inv_token_sid {
	uint64_t at;        // its address
	uint64_t sid_at;    // that of the SID
	bool ok;            // the SID was read
	struct inv_why why; // when not; reason INV_PRESENT: what stands there is none
	struct inv_sid sid;
	uint32_t attributes; // SE_GROUP_...
};

struct inv_token_sids {
	struct inv_value count, array; // as the token has them
	size_t read;                   // of `sids`: as many as `count` says, at most INV_TOKEN_SIDS
	struct inv_token_sid *sids;    // in the arena
	bool complete;                 // all of them were read, each with its SID
	struct inv_why why;            // why not; reason INV_PRESENT: too many, or something is no SID
};

struct inv_token {
	uint64_t address;
	struct inv_value id, authentication_id, parent_id, modified_id, expiration;
	struct inv_value present, enabled, by_default; // privileges: bits
	struct inv_value session, type, level, flags, in_use, policy;
	struct inv_value logon_session, origin;
	struct inv_value integrity_index;
	struct inv_token_sids groups, restricted, capabilities;
	struct inv_value package_at; // 0: no AppContainer's
	bool has_package;            // the SID there was read
	struct inv_sid package;
	char source[9]; // TokenSource.SourceName; "" when it could not be read
};

// Reads everything; what is absent says why. The arrays live in `arena`.
void inv_token_read(const struct inv_kernel *kernel, uint64_t address, struct inv_arena *arena,
                    struct inv_token *token);
// The level of integrity, by the SID at IntegrityLevelIndex. false: it is not known, or that SID is no label.
bool inv_token_integrity(const struct inv_token *token, uint32_t *level);

// RtlSidHashInitialize over the groups: 32 words. Bit i of a word stands for the i-th SID, of the first 64; the low half of the lowest
// byte of its last sub-authority chooses one of the first sixteen words, the high half one of the others. (As in Wine's ntdll; that
// the kernel's hash is the same is not verified.) Those that could not be read set no bit.
#define INV_SID_HASH_WORDS 32u
void inv_token_hash(const struct inv_token_sids *sids, uint64_t words[INV_SID_HASH_WORDS]);

// -- logon sessions ---------------------------------------------------------------------------------------------------------
// SepLogonSessions points at an array of lists that Next links (public practice; Microsoft's "Using Debugging Tools to Find Token and
// Session Leaks" calls it an array of lists). That it has sixteen of them, and which session stands on which, is not verified: all
// sixteen are read, and nothing is concluded from where one stands.
#define INV_LOGON_BUCKETS 16u
#define INV_LOGON_BOUND 65536u // sessions

struct inv_logon_session {
	uint64_t address;
	struct inv_value id, buddy, references, flags;
};
struct inv_logon_sessions {
	const char *unknown; // why nothing could be read; NULL if something was. Static text
	uint64_t table;
	struct inv_logon_session *sessions; // stb_ds, by address
	bool complete;                      // every list came to its end
	struct inv_why why;                 // why not; reason INV_PRESENT: a cycle, or the bound
};
void inv_logon_sessions_read(const struct inv_kernel *kernel, struct inv_logon_sessions *sessions);
void inv_logon_sessions_free(struct inv_logon_sessions *sessions);
// NULL: no list shows it.
const struct inv_logon_session *inv_logon_session_at(const struct inv_logon_sessions *sessions, uint64_t address);
// "DOMAIN\\name" of a session, wherever it stands; "" when it has none or it could not be read. In the arena.
const char *inv_logon_account(const struct inv_kernel *kernel, uint64_t session, struct inv_arena *arena);

#endif
