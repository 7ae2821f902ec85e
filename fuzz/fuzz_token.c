// SPDX-License-Identifier: Apache-2.0
// Tokens, SIDs and logon sessions. The input is the kernel memory itself: sixteen pages at ARENA, with the token at its start and
// SepLogonSessions in its second page. The first byte chooses the layout.
#include "base/array.h"
#include "fuzz_fragment.h"
#include "nt/token.h"

static void check_sids(const struct inv_token_sids *sids)
{
	char text[INV_SID_TEXT_SIZE];
	if (sids->read > INV_TOKEN_SIDS)
		abort();
	for (size_t i = 0; i < sids->read; i++) {
		const struct inv_token_sid *entry = &sids->sids[i];
		if (entry->ok && (entry->sid.count > INV_SID_SUBS || strlen(inv_sid_format(&entry->sid, text)) < 5))
			abort();
		if (!entry->ok && sids->complete)
			abort();
		if (entry->ok)
			(void)inv_sid_name(&entry->sid);
	}
}

static void use(struct inv_kernel *kernel)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_token token;
	uint64_t words[INV_SID_HASH_WORDS];
	uint32_t level;
	inv_token_read(kernel, ARENA, arena, &token);
	check_sids(&token.groups);
	check_sids(&token.restricted);
	check_sids(&token.capabilities);
	inv_token_hash(&token.groups, words);
	if (inv_token_integrity(&token, &level))
		(void)inv_integrity_name(level);
	struct inv_logon_sessions sessions;
	inv_logon_sessions_read(kernel, &sessions);
	for (size_t i = 0; i < inv_count(sessions.sessions); i++)
		if (inv_logon_session_at(&sessions, sessions.sessions[i].address) != &sessions.sessions[i])
			abort(); // each once
	if (inv_count(sessions.sessions))
		(void)inv_logon_account(kernel, sessions.sessions[0].address, arena);
	inv_logon_sessions_free(&sessions);
	inv_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t rva[INV_SYMBOL_COUNT];
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		rva[i] = INV_NO_RVA;
	rva[INV_S_SepLogonSessions] = PAGE;
	struct inv_kernel kernel = {.base = ARENA, .rva = rva};
	return with_fragment(data, size, kernel, use);
}
