// SPDX-License-Identifier: Apache-2.0
// Access tokens and the logon sessions that they are of.
#ifndef INV_FORGE_TOKEN_H
#define INV_FORGE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inv_machine;
struct inv_forge_process;

// Whom a token is of.
enum inv_forge_account {
	INV_ACCOUNT_BY_SESSION, // of a process: LocalSystem without a session or in session 0, else an administrator
	INV_ACCOUNT_SYSTEM,
	INV_ACCOUNT_LOCAL_SERVICE,
	INV_ACCOUNT_NETWORK_SERVICE,
	INV_ACCOUNT_ADMINISTRATOR, // logged on to a session; filtered by UAC unless elevated
	INV_ACCOUNT_ORDINARY,      // the same, and no administrator
};

// What a token is to say. Zeros: a primary token of LocalSystem that nobody uses.
struct inv_token_wish {
	enum inv_forge_account user;
	uint32_t session;   // SessionId
	bool labelled;      // of the level `integrity`; else of that of the user
	unsigned integrity; // RID of the label
	bool elevated, appcontainer, restricted;
	bool impersonation;  // and no primary token
	unsigned level;      // SECURITY_IMPERSONATION_LEVEL of one for impersonation
	uint64_t parent;     // ParentTokenId; 0: none
	const char *service; // whose SID it has among its groups; NULL: of none
};

#define INV_FORGE_SID_SUBS 8u
struct inv_forge_sid {
	uint32_t attributes; // SE_GROUP_...
	uint8_t authority, count;
	uint32_t sub[INV_FORGE_SID_SUBS];
};

#define INV_FORGE_GROUPS 20u
#define INV_FORGE_FEW_SIDS 4u
// The same in full.
struct inv_token_plan {
	struct inv_forge_sid groups[INV_FORGE_GROUPS]; // the user first, the label last
	struct inv_forge_sid restricted[INV_FORGE_FEW_SIDS], capabilities[INV_FORGE_FEW_SIDS], package;
	size_t group_count, restricted_count, capability_count;
	unsigned integrity;
	uint64_t present, enabled, by_default; // privileges
	uint32_t flags;                        // TokenFlags
};

struct inv_forge_token {
	uint64_t key; // address of the body
	struct inv_token_wish wish;
	struct inv_token_plan plan;
	uint64_t id, logon; // TokenId, AuthenticationId
};

struct inv_forge_logon {
	uint64_t id, address; // SEP_LOGON_SESSION_REFERENCES
	enum inv_forge_account user;
	uint32_t session;
	bool elevated;
};

// SepLogonSessions with the sessions that every machine has.
void inv_machine_make_logons(struct inv_machine *machine);
// ExAllocateLocallyUniqueId
uint64_t inv_machine_luid(struct inv_machine *machine);

// Both count the object; the address of its body. The second has the whole content of another, but for TokenId and type
// (NtDuplicateToken).
uint64_t inv_machine_make_token_of(struct inv_machine *machine, const struct inv_token_wish *wish);
uint64_t inv_machine_duplicate_token(struct inv_machine *machine, uint64_t token, bool impersonation, unsigned level);
// SeAssignPrimaryToken: it is in use, and of the session of its process. Not `used`: SeDeassignPrimaryToken.
void inv_machine_use_token(struct inv_machine *machine, uint64_t token, bool used, uint32_t session);
// A token that nobody uses becomes one for impersonation of this level, as if it had been made so.
void inv_machine_turn_token(struct inv_machine *machine, uint64_t token, unsigned level);
// What the forge wrote there when it made it; NULL: no token of its own.
const struct inv_forge_token *inv_machine_token_at(const struct inv_machine *machine, uint64_t token);
// The primary token of a process, without the count of EX_FAST_REF.
uint64_t inv_machine_own_token(const struct inv_machine *machine, const struct inv_forge_process *process);
// The address of the SID of this index in UserAndGroups; 0: there is none.
uint64_t inv_machine_sid_of(const struct inv_machine *machine, uint64_t token, unsigned index);
// "S-1-5-18"
#define INV_FORGE_SID_TEXT 128u
void inv_forge_sid_text(const struct inv_forge_sid *sid, char text[INV_FORGE_SID_TEXT]);

#endif
