// SPDX-License-Identifier: Apache-2.0
// Family 7: what stands in a token.
#include <stdlib.h>

#include "base/array.h"
#include "invariant/bearers.h"
#include "nt/token.h"

#define SYSTEM_LUID 0x3e7u // wdm.h: SYSTEM_LUID, LOCALSERVICE_LUID, NETWORKSERVICE_LUID
#define LOCAL_SERVICE_LUID 0x3e5u
#define NETWORK_SERVICE_LUID 0x3e4u
#define NO_LABEL 0xffffffffu

// What is read of one token lives as long as its verdict.
struct reading {
	struct inv_arena *arena;
	struct inv_token token;
};

static void start(struct reading *reading, const struct inv_judge *judge, const struct inv_bearer *bearer)
{
	reading->arena = inv_arena_new();
	inv_token_read(judge->kernel, bearer->token, reading->arena, &reading->token);
}

static void end(struct reading *reading)
{
	inv_arena_free(reading->arena);
}

// -- K05 --------------------------------------------------------------------------------------------------------------------

static void report_privileges(struct inv_judge *judge, struct inv_finding *finding, const struct inv_token *token,
                              const char *what)
{
	inv_field_says(judge, finding, INV_F_TOKEN_PrivilegesPresent, &token->present, "what the token may enable");
	inv_field_says(judge, finding, INV_F_TOKEN_PrivilegesEnabled, &token->enabled, "what it has enabled: %s", what);
}

// Beyond what tokens of its integrity have: an account can be given any privilege, so this is no proof.
static const char *beyond(const struct inv_judge *judge, const struct inv_token *token)
{
	uint32_t level;
	if (token->present.u & ~INV_PRIVILEGES && inv_knows(judge->kernel, INV_PRIVILEGES_DEFINED))
		return "privileges that Windows does not define";
	if (inv_token_integrity(token, &level) && level < INV_INTEGRITY_HIGH &&
	    token->present.u & INV_PRIVILEGES_OF_ADMINISTRATORS)
		return "a privilege that is filtered out of tokens of its integrity";
	return NULL;
}

static void judge_privileges(struct inv_judge *judge, const struct inv_bearer *bearer)
{
	struct reading reading;
	start(&reading, judge, bearer);
	const struct inv_token *token = &reading.token;
	const char *more;
	if (!inv_need(judge, &token->present) || !inv_need(judge, &token->enabled)) {
		end(&reading);
		return;
	}
	if (token->enabled.u & ~token->present.u) {
		struct inv_finding *finding = inv_broken(judge, bearer->subject, INV_TIER_EXECUTIVE);
		report_privileges(judge, finding, token, "more than that");
	} else if ((more = beyond(judge, token))) {
		struct inv_finding *finding = inv_observed(judge, bearer->subject, INV_TIER_EXECUTIVE);
		report_privileges(judge, finding, token, "no more than that");
		inv_field_says(judge, finding, INV_F_TOKEN_IntegrityLevelIndex, &token->integrity_index, "the token has %s",
		               more);
	} else {
		inv_holds(judge);
	}
	end(&reading);
}

void inv_judge_K05(struct inv_judge *judge)
{
	inv_each_token(judge, judge_privileges);
}

// -- K06 --------------------------------------------------------------------------------------------------------------------

// The word of SidHash that differs from what the groups give; -1: none, or it is not to be known.
static int differing_word(const struct inv_judge *judge, const struct inv_token *token, struct inv_value *stored,
                          uint64_t *computed)
{
	uint64_t words[INV_SID_HASH_WORDS], at;
	if (!token->groups.complete || !inv_field_address(judge->kernel, token->address, INV_F_TOKEN_SidHashHash, &at))
		return -1;
	inv_token_hash(&token->groups, words);
	for (unsigned i = 0; i < INV_SID_HASH_WORDS; i++) {
		*stored = inv_read_u64(judge->kernel, at + 8ull * i);
		*computed = words[i];
		if (!stored->ok)
			return -1;
		if (stored->u != words[i])
			return (int)i;
	}
	return -1;
}

// Three accounts have logon sessions with numbers of their own.
static bool account_contradicts(const struct inv_token *token)
{
	static const struct {
		uint32_t luid, rid;
	} accounts[] = {{SYSTEM_LUID, 18}, {LOCAL_SERVICE_LUID, 19}, {NETWORK_SERVICE_LUID, 20}};
	if (!token->groups.read || !token->groups.sids[0].ok || !token->authentication_id.ok)
		return false;
	const struct inv_sid *user = &token->groups.sids[0].sid;
	for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
		if (inv_sid_is(user, 5, 1, accounts[i].rid, 0) != (token->authentication_id.u == accounts[i].luid))
			return true;
	return false;
}

static void say_user(struct inv_judge *judge, struct inv_finding *finding, const struct inv_token *token)
{
	char text[INV_SID_TEXT_SIZE];
	if (token->groups.read && token->groups.sids[0].ok)
		inv_field_says(judge, finding, INV_F_TOKEN_UserAndGroups, &token->groups.array, "the user is %s",
		               inv_sid_format(&token->groups.sids[0].sid, text));
}

static bool judge_label(struct inv_judge *judge, const struct inv_bearer *bearer, const struct inv_token *token)
{
	const struct inv_value *index = &token->integrity_index;
	uint32_t level;
	if (!inv_need(judge, index) || !inv_need(judge, &token->groups.count))
		return false;
	// The object is made before it is filled in; a memory that was read between the two shows this.
	if (token->id.ok && token->id.u == 0 && token->groups.count.u == 0) {
		inv_unknown_because(judge, "the token has neither an identifier nor a user yet");
		return false;
	}
	if (index->u == NO_LABEL) {
		inv_unknown_because(judge, "the token has no label of integrity");
		return false;
	}
	bool inside = index->u < token->groups.read;
	if (inside && !token->groups.sids[index->u].ok && token->groups.sids[index->u].why.reason != INV_PRESENT) {
		inv_unknown_because(judge, "the label of integrity could not be read");
		return false;
	}
	if (inv_token_integrity(token, &level))
		return true;
	struct inv_finding *finding = inv_broken(judge, bearer->subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_TOKEN_IntegrityLevelIndex, index,
	               "which of the SIDs is the label of integrity");
	inv_field_says(judge, finding, INV_F_TOKEN_UserAndGroupCount, &token->groups.count, "%s",
	               inside ? "the SID of this number is not S-1-16-x" : "there are no more SIDs than these");
	return false;
}

static void judge_sids(struct inv_judge *judge, const struct inv_bearer *bearer)
{
	struct reading reading;
	start(&reading, judge, bearer);
	const struct inv_token *token = &reading.token;
	struct inv_value stored = {0};
	uint64_t computed = 0;
	if (!judge_label(judge, bearer, token)) {
		end(&reading);
		return;
	}
	if (differing_word(judge, token, &stored, &computed) >= 0) {
		struct inv_finding *finding = inv_observed(judge, bearer->subject, INV_TIER_EXECUTIVE);
		inv_field_says(judge, finding, INV_F_TOKEN_SidHashHash, &stored, "a word of the hash of the groups");
		inv_field_says(judge, finding, INV_F_TOKEN_UserAndGroups, &token->groups.array,
		               "of the SIDs that stand there it is 0x%llx", (unsigned long long)computed);
		say_user(judge, finding, token);
	} else if (account_contradicts(token)) {
		struct inv_finding *finding = inv_observed(judge, bearer->subject, INV_TIER_EXECUTIVE);
		inv_field_says(judge, finding, INV_F_TOKEN_AuthenticationId, &token->authentication_id,
		               "the logon session, which is not that of the account");
		say_user(judge, finding, token);
	} else if (!token->groups.complete) {
		inv_unknown_because(judge, "not all SIDs of the token could be read");
	} else {
		inv_holds(judge);
	}
	end(&reading);
}

void inv_judge_K06(struct inv_judge *judge)
{
	inv_each_token(judge, judge_sids);
}

// -- K09 --------------------------------------------------------------------------------------------------------------------

struct named {
	uint64_t id;
	const struct inv_bearer *bearer;
};

static int by_id(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return (left->bearer->token > right->bearer->token) - (left->bearer->token < right->bearer->token);
}

static void judge_id(struct inv_judge *judge, const struct named *named, const struct named *before,
                     const struct inv_value *counter)
{
	struct inv_value id = inv_field(judge->kernel, named->bearer->token, INV_F_TOKEN_TokenId);
	struct inv_value parent = inv_field(judge->kernel, named->bearer->token, INV_F_TOKEN_ParentTokenId);
	bool twin = before && before->id == named->id;
	if (!twin && (!inv_need(judge, counter) || !inv_need(judge, &parent)))
		return;
	bool future = counter->ok && (id.u >= counter->u || (parent.ok && parent.u >= counter->u));
	if (!twin && !future) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, named->bearer->subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_TOKEN_TokenId, &id, "the identifier of the token");
	inv_field_says(judge, finding, INV_F_TOKEN_ParentTokenId, &parent, "that of the token that it was made from");
	if (twin) {
		id = inv_field(judge->kernel, before->bearer->token, INV_F_TOKEN_TokenId);
		inv_field_says(judge, finding, INV_F_TOKEN_TokenId, &id, "another token has the same");
	} else {
		inv_add_evidence(judge, finding,
		                 (struct inv_evidence){.witness = "ExpLuid",
		                                       .tier = INV_TIER_EXECUTIVE,
		                                       .field = "ExpLuid",
		                                       .address = counter->address,
		                                       .value = counter->u,
		                                       .says = "the next that Windows would hand out",
		                                       .direct = true});
	}
}

void inv_judge_K09(struct inv_judge *judge)
{
	struct inv_value symbol = inv_kernel_symbol(judge->kernel, INV_S_ExpLuid, NULL);
	struct inv_value counter = symbol.ok ? inv_read_u64(judge->kernel, symbol.u) : symbol;
	struct inv_bearer *bearers = inv_bearers(judge, true);
	struct named *all = NULL;
	for (size_t i = 0; i < inv_count(bearers); i++) {
		struct inv_value id = inv_field(judge->kernel, bearers[i].token, INV_F_TOKEN_TokenId);
		struct named named = {id.u, &bearers[i]};
		if (inv_is_token_object(judge, bearers[i].token) != INV_YES)
			inv_unknown_because(judge,
			                    "whether the token is one could not be read, or K01 or K07 tells that it is none");
		else if (inv_need(judge, &id))
			inv_push(all, named);
	}
	if (all)
		qsort(all, inv_count(all), sizeof *all, by_id);
	for (size_t i = 0; i < inv_count(all); i++)
		judge_id(judge, &all[i], i ? &all[i - 1] : NULL, &counter);
	inv_array_free(all);
	inv_array_free(bearers);
}
