// SPDX-License-Identifier: Apache-2.0
#include "nt/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

static struct inv_value no_field(enum inv_field field)
{
	return (struct inv_value){.why = {.reason = INV_NO_FIELD, .name = inv_field_full_name(field)}};
}

static void read_sid(const struct inv_kernel *kernel, struct inv_token_sid *entry)
{
	struct inv_value sid = inv_field(kernel, entry->at, INV_F_SID_AND_ATTRIBUTES_Sid);
	struct inv_value attributes = inv_field(kernel, entry->at, INV_F_SID_AND_ATTRIBUTES_Attributes);
	entry->why = sid.ok ? attributes.why : sid.why;
	if (!sid.ok || !attributes.ok)
		return;
	entry->sid_at = sid.u;
	entry->attributes = (uint32_t)attributes.u;
	entry->ok = inv_sid_read(kernel, sid.u, &entry->sid, &entry->why);
}

static void read_sids(const struct inv_kernel *kernel, struct inv_arena *arena, struct inv_token_sids *sids)
{
	uint32_t size = kernel->layout ? kernel->layout->size[INV_T_SID_AND_ATTRIBUTES] : 0;
	sids->why = !sids->count.ok ? sids->count.why : sids->array.why;
	if (!sids->count.ok || !sids->array.ok)
		return;
	if (!size) {
		sids->why = no_field(INV_F_SID_AND_ATTRIBUTES_Sid).why;
		return;
	}
	sids->why = (struct inv_why){.reason = INV_PRESENT};
	sids->read = sids->count.u < INV_TOKEN_SIDS ? (size_t)sids->count.u : INV_TOKEN_SIDS;
	sids->complete = sids->read == sids->count.u;
	if (sids->array.u > UINT64_MAX - (uint64_t)size * INV_TOKEN_SIDS)
		sids->read = 0;
	if (sids->read)
		sids->sids = inv_arena_alloc(arena, sids->read * sizeof *sids->sids);
	for (size_t i = 0; i < sids->read; i++) {
		struct inv_token_sid *entry = &sids->sids[i];
		*entry = (struct inv_token_sid){.at = sids->array.u + i * size};
		read_sid(kernel, entry);
		if (!entry->ok && sids->complete)
			sids->why = entry->why;
		sids->complete = sids->complete && entry->ok;
	}
	sids->complete = sids->complete && sids->read == sids->count.u;
}

static void read_source(const struct inv_kernel *kernel, struct inv_token *token)
{
	uint64_t at;
	struct inv_why why;
	if (!inv_field_address(kernel, token->address, INV_F_TOKEN_TokenSource, &at) || !kernel->space ||
	    inv_space_read(kernel->space, at, token->source, sizeof token->source - 1, &why) != sizeof token->source - 1)
		token->source[0] = 0;
	token->source[sizeof token->source - 1] = 0;
}

void inv_token_read(const struct inv_kernel *kernel, uint64_t address, struct inv_arena *arena, struct inv_token *token)
{
	*token = (struct inv_token){.address = address};
	const struct {
		struct inv_value *value;
		enum inv_field field;
	} fields[] = {{&token->id, INV_F_TOKEN_TokenId},
	              {&token->authentication_id, INV_F_TOKEN_AuthenticationId},
	              {&token->parent_id, INV_F_TOKEN_ParentTokenId},
	              {&token->modified_id, INV_F_TOKEN_ModifiedId},
	              {&token->expiration, INV_F_TOKEN_ExpirationTime},
	              {&token->present, INV_F_TOKEN_PrivilegesPresent},
	              {&token->enabled, INV_F_TOKEN_PrivilegesEnabled},
	              {&token->by_default, INV_F_TOKEN_PrivilegesEnabledByDefault},
	              {&token->session, INV_F_TOKEN_SessionId},
	              {&token->type, INV_F_TOKEN_TokenType},
	              {&token->level, INV_F_TOKEN_ImpersonationLevel},
	              {&token->flags, INV_F_TOKEN_TokenFlags},
	              {&token->in_use, INV_F_TOKEN_TokenInUse},
	              {&token->policy, INV_F_TOKEN_MandatoryPolicy},
	              {&token->logon_session, INV_F_TOKEN_LogonSession},
	              {&token->origin, INV_F_TOKEN_OriginatingLogonSession},
	              {&token->integrity_index, INV_F_TOKEN_IntegrityLevelIndex},
	              {&token->groups.count, INV_F_TOKEN_UserAndGroupCount},
	              {&token->groups.array, INV_F_TOKEN_UserAndGroups},
	              {&token->restricted.count, INV_F_TOKEN_RestrictedSidCount},
	              {&token->restricted.array, INV_F_TOKEN_RestrictedSids},
	              {&token->capabilities.count, INV_F_TOKEN_CapabilityCount},
	              {&token->capabilities.array, INV_F_TOKEN_Capabilities},
	              {&token->package_at, INV_F_TOKEN_Package}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*fields[i].value = inv_field(kernel, address, fields[i].field);
	read_source(kernel, token);
	read_sids(kernel, arena, &token->groups);
	read_sids(kernel, arena, &token->restricted);
	read_sids(kernel, arena, &token->capabilities);
	struct inv_why why;
	if (token->package_at.ok && token->package_at.u)
		token->has_package = inv_sid_read(kernel, token->package_at.u, &token->package, &why);
}

bool inv_token_integrity(const struct inv_token *token, uint32_t *level)
{
	const struct inv_value *index = &token->integrity_index;
	return index->ok && index->u < token->groups.read && token->groups.sids[index->u].ok &&
	       inv_sid_integrity(&token->groups.sids[index->u].sid, level);
}

void inv_token_hash(const struct inv_token_sids *sids, uint64_t words[INV_SID_HASH_WORDS])
{
	memset(words, 0, INV_SID_HASH_WORDS * sizeof *words);
	for (size_t i = 0; i < sids->read && i < 64; i++) {
		const struct inv_sid *sid = &sids->sids[i].sid;
		if (!sids->sids[i].ok) // its count may be anything
			continue;
		// Of a SID without sub-authorities that byte is the authority's; Windows makes none.
		unsigned byte = sid->count ? sid->sub[sid->count - 1] & 0xff : 0;
		words[byte & 15] |= UINT64_C(1) << i;
		words[16 + (byte >> 4)] |= UINT64_C(1) << i;
	}
}

// -- logon sessions ---------------------------------------------------------------------------------------------------------

static int by_address(const void *a, const void *b)
{
	uint64_t left = ((const struct inv_logon_session *)a)->address;
	uint64_t right = ((const struct inv_logon_session *)b)->address;
	return (left > right) - (left < right);
}

struct known_session {
	uint64_t key;
};

static bool walk_bucket(const struct inv_kernel *kernel, uint64_t bucket, struct known_session **known,
                        struct inv_logon_sessions *sessions)
{
	struct inv_value next = inv_read_u64(kernel, bucket);
	while (next.ok && next.u) {
		if (inv_count(sessions->sessions) >= INV_LOGON_BOUND || stbds_hmgeti(*known, next.u) >= 0) {
			sessions->why = (struct inv_why){.reason = INV_PRESENT};
			return false;
		}
		struct known_session seen = {next.u};
		stbds_hmputs(*known, seen);
		struct inv_logon_session session = {.address = next.u};
		session.id = inv_field(kernel, next.u, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId);
		session.buddy = inv_field(kernel, next.u, INV_F_SEP_LOGON_SESSION_REFERENCES_BuddyLogonId);
		session.references = inv_field(kernel, next.u, INV_F_SEP_LOGON_SESSION_REFERENCES_ReferenceCount);
		session.flags = inv_field(kernel, next.u, INV_F_SEP_LOGON_SESSION_REFERENCES_Flags);
		inv_push(sessions->sessions, session);
		next = inv_field(kernel, next.u, INV_F_SEP_LOGON_SESSION_REFERENCES_Next);
	}
	if (!next.ok)
		sessions->why = next.why;
	return next.ok;
}

void inv_logon_sessions_read(const struct inv_kernel *kernel, struct inv_logon_sessions *sessions)
{
	*sessions = (struct inv_logon_sessions){0};
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_SepLogonSessions, NULL);
	struct inv_value table = symbol.ok ? inv_read_u64(kernel, symbol.u) : symbol;
	if (!symbol.ok)
		sessions->unknown = "SepLogonSessions is not known of this kernel";
	else if (!table.ok || !table.u || table.u > UINT64_MAX - sizeof(uint64_t) * INV_LOGON_BUCKETS)
		sessions->unknown = "SepLogonSessions could not be read";
	if (sessions->unknown)
		return;
	sessions->table = table.u;
	sessions->complete = true;
	struct known_session *known = NULL;
	for (unsigned i = 0; i < INV_LOGON_BUCKETS; i++)
		if (!walk_bucket(kernel, table.u + 8ull * i, &known, sessions))
			sessions->complete = false;
	stbds_hmfree(known);
	if (sessions->sessions)
		qsort(sessions->sessions, inv_count(sessions->sessions), sizeof *sessions->sessions, by_address);
}

void inv_logon_sessions_free(struct inv_logon_sessions *sessions)
{
	inv_array_free(sessions->sessions);
}

const struct inv_logon_session *inv_logon_session_at(const struct inv_logon_sessions *sessions, uint64_t address)
{
	struct inv_logon_session key = {.address = address};
	size_t count = inv_count(sessions->sessions);
	return count ? bsearch(&key, sessions->sessions, count, sizeof key, by_address) : NULL;
}

const char *inv_logon_account(const struct inv_kernel *kernel, uint64_t session, struct inv_arena *arena)
{
	uint64_t name_at, authority_at;
	if (!session || !inv_field_address(kernel, session, INV_F_SEP_LOGON_SESSION_REFERENCES_AccountName, &name_at) ||
	    !inv_field_address(kernel, session, INV_F_SEP_LOGON_SESSION_REFERENCES_AuthorityName, &authority_at))
		return "";
	const char *name = inv_read_unicode(kernel, name_at, arena, NULL);
	const char *authority = inv_read_unicode(kernel, authority_at, arena, NULL);
	return *name && *authority ? inv_arena_printf(arena, "%s\\%s", authority, name) : name;
}
