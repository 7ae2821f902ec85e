// SPDX-License-Identifier: Apache-2.0
// Access tokens, as LSA and the kernel fill them, and logon sessions. (SIDs, attributes, privileges and flags: the constants of
// winnt.h, wdm.h and ntifs.h, and the pages on learn.microsoft.com about well-known SIDs, LocalService, NetworkService and UAC. Which
// groups and privileges an account has is the machine's policy; these are the usual ones.)
#include "forge/token.h"

#include <ctype.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define BUCKETS 16u // of SepLogonSessions: public practice, and by the low bits of the LUID; neither is verified
#define FIRST_LUID 1001u
#define SYSTEM_LUID 0x3e7u // wdm.h, as the next
#define ANONYMOUS_LUID 0x3e6u
#define LOCAL_SERVICE_LUID 0x3e5u
#define NETWORK_SERVICE_LUID 0x3e4u
#define NEVER 0x7fffffffffffffffull
#define SID_HASH_SIZE 32u // _SID_AND_ATTRIBUTES_HASH.Hash
#define OBJECT_PACKAGES 9200u
#define DELEGATION_BUILD 17763u // has SeDelegateSessionUserImpersonatePrivilege for certain

// SE_GROUP_...
#define USUAL 0x7u // mandatory, enabled by default, enabled
#define OWNER 0x8u
#define DENY_ONLY 0x10u
#define LABEL 0x60u
#define LOGON_ID 0xc0000000u
#define ENABLED 0x4u

enum integrity { LOW = 0x1000, MEDIUM = 0x2000, HIGH = 0x3000, SYSTEM = 0x4000 };

#define BIT(n) (1ull << (n))
#define CHANGE_NOTIFY BIT(23)
#define IMPERSONATE BIT(29)
#define CREATE_GLOBAL BIT(30)
// Increase quota, shutdown, undock, working set, time zone: what no account is without.
#define ORDINARY_PRIVILEGES (BIT(19) | CHANGE_NOTIFY | BIT(25) | BIT(33) | BIT(34))
#define ADMINISTRATOR_PRIVILEGES                                                                                       \
	(ORDINARY_PRIVILEGES | BIT(5) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15) |      \
	 BIT(17) | BIT(18) | BIT(20) | BIT(22) | BIT(24) | BIT(28) | IMPERSONATE | CREATE_GLOBAL | BIT(35))
#define SERVICE_PRIVILEGES                                                                                             \
	(BIT(3) | BIT(5) | BIT(19) | BIT(21) | CHANGE_NOTIFY | BIT(25) | IMPERSONATE | CREATE_GLOBAL | BIT(33) | BIT(34))
#define SYSTEM_PRIVILEGES                                                                                              \
	((ADMINISTRATOR_PRIVILEGES & ~BIT(24)) | SERVICE_PRIVILEGES | BIT(2) | BIT(4) | BIT(7) | BIT(16) | BIT(31) |       \
	 BIT(32))
#define SYSTEM_ENABLED                                                                                                 \
	(BIT(4) | BIT(7) | BIT(11) | BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(20) | BIT(21) | CHANGE_NOTIFY |           \
	 IMPERSONATE | CREATE_GLOBAL | BIT(33) | BIT(34) | BIT(35))

static const uint32_t domain[] = {21, 2711839914, 1380451206, 3127884101};

// -- SIDs -------------------------------------------------------------------------------------------------------------------

static struct inv_forge_sid sid_of(uint8_t authority, uint32_t attributes, uint8_t count, const uint32_t *sub)
{
	struct inv_forge_sid sid = {.attributes = attributes, .authority = authority, .count = count};
	memcpy(sid.sub, sub, count * sizeof *sub);
	return sid;
}

static void add(struct inv_token_plan *plan, uint8_t authority, uint32_t attributes, uint8_t count, const uint32_t *sub)
{
	plan->groups[plan->group_count++] = sid_of(authority, attributes, count, sub);
}

static void add_one(struct inv_token_plan *plan, uint8_t authority, uint32_t attributes, uint32_t sub)
{
	add(plan, authority, attributes, 1, &sub);
}

static void add_builtin(struct inv_token_plan *plan, uint32_t attributes, uint32_t rid)
{
	const uint32_t sub[] = {32, rid};
	add(plan, 5, attributes, 2, sub);
}

static void add_domain(struct inv_token_plan *plan, uint32_t attributes, uint32_t rid)
{
	const uint32_t sub[] = {domain[0], domain[1], domain[2], domain[3], rid};
	add(plan, 5, attributes, 5, sub);
}

static uint32_t sid_size(const struct inv_forge_sid *sid)
{
	return 8 + 4u * sid->count;
}

static void sid_bytes(const struct inv_forge_sid *sid, uint8_t *bytes)
{
	memset(bytes, 0, 8);
	bytes[0] = 1;
	bytes[1] = sid->count;
	bytes[7] = sid->authority;
	for (unsigned i = 0; i < sid->count; i++)
		inv_put32(bytes + 8 + 4 * (size_t)i, sid->sub[i]);
}

void inv_forge_sid_text(const struct inv_forge_sid *sid, char text[INV_FORGE_SID_TEXT])
{
	int length = snprintf(text, INV_FORGE_SID_TEXT, "S-1-%u", (unsigned)sid->authority);
	for (unsigned i = 0; i < sid->count; i++)
		length += snprintf(text + length, INV_FORGE_SID_TEXT - (size_t)length, "-%u", (unsigned)sid->sub[i]);
}

// -- what a token says ------------------------------------------------------------------------------------------------------

static bool is_person(enum inv_forge_account user)
{
	return user == INV_ACCOUNT_ADMINISTRATOR || user == INV_ACCOUNT_ORDINARY;
}

static void plan_person(struct inv_token_plan *plan, const struct inv_token_wish *wish, uint64_t logon)
{
	bool administrator = wish->user == INV_ACCOUNT_ADMINISTRATOR;
	const uint32_t logon_sid[] = {5, 0, (uint32_t)logon - 3};
	add_domain(plan, 0, administrator ? 1001 : 1002);
	add_domain(plan, USUAL, 513);
	add_one(plan, 1, USUAL, 0);
	if (administrator) {
		add_one(plan, 5, wish->elevated ? USUAL : DENY_ONLY, 114);
		add_builtin(plan, wish->elevated ? USUAL | OWNER : DENY_ONLY, 544);
	}
	add_builtin(plan, USUAL, 545);
	static const uint32_t ours[] = {4, 11, 15, 113}; // interactive, authenticated, this organization, local account
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		add_one(plan, 5, USUAL, ours[i]);
	add_one(plan, 2, USUAL, 1);
	add(plan, 5, USUAL | LOGON_ID, 3, logon_sid);
	add_one(plan, 2, USUAL, 0);
	plan->present = administrator && wish->elevated ? ADMINISTRATOR_PRIVILEGES : ORDINARY_PRIVILEGES;
	plan->by_default = administrator && wish->elevated ? CHANGE_NOTIFY | IMPERSONATE | CREATE_GLOBAL : CHANGE_NOTIFY;
	plan->integrity = administrator && wish->elevated ? HIGH : MEDIUM;
}

static void plan_system(const struct inv_machine *machine, struct inv_token_plan *plan)
{
	add_one(plan, 5, 0, 18);
	add_builtin(plan, (USUAL & ~1u) | OWNER, 544);
	add_one(plan, 1, USUAL, 0);
	add_one(plan, 5, USUAL, 11);
	plan->present = SYSTEM_PRIVILEGES | (machine->build >= DELEGATION_BUILD ? BIT(36) : 0);
	plan->by_default = SYSTEM_ENABLED | (machine->build >= DELEGATION_BUILD ? BIT(36) : 0);
	plan->integrity = SYSTEM;
}

static void plan_service(struct inv_token_plan *plan, enum inv_forge_account user)
{
	add_one(plan, 5, 0, user == INV_ACCOUNT_LOCAL_SERVICE ? 19 : 20);
	add_one(plan, 1, USUAL, 0);
	add_builtin(plan, USUAL, 545);
	add_one(plan, 5, USUAL, 6);
	add_one(plan, 2, USUAL, 1);
	add_one(plan, 5, USUAL, 11);
	add_one(plan, 5, USUAL, 15);
	plan->present = SERVICE_PRIVILEGES;
	plan->by_default = CHANGE_NOTIFY | IMPERSONATE | CREATE_GLOBAL;
	plan->integrity = SYSTEM;
}

// S-1-5-80 and the SHA-1 of the name in upper case and UTF-16 (learn.microsoft.com, "sc showsid").
static void add_service(struct inv_token_plan *plan, const char *name)
{
	struct sha1_ctx hash;
	uint8_t digest[SHA1_DIGEST_SIZE];
	sha1_init(&hash);
	for (; *name; name++)
		sha1_update(&hash, 2, (const uint8_t[]){(uint8_t)toupper((unsigned char)*name), 0});
	sha1_digest(&hash, sizeof digest, digest);
	uint32_t sub[6] = {80};
	for (size_t i = 0; i < 5; i++)
		sub[1 + i] = inv_le32(digest + 4 * i);
	add(plan, 5, ENABLED | 0x2 | OWNER, 6, sub);
}

// NtFilterToken with restricting SIDs, as sandboxes call it: privileges go, but the right to pass through folders.
static void restrict_plan(struct inv_token_plan *plan)
{
	const uint32_t restricted[] = {12}, everyone[] = {0}, users[] = {32, 545};
	plan->restricted[plan->restricted_count++] = sid_of(5, USUAL, 1, restricted);
	plan->restricted[plan->restricted_count++] = sid_of(1, USUAL, 1, everyone);
	plan->restricted[plan->restricted_count++] = sid_of(5, USUAL, 2, users);
	plan->present &= CHANGE_NOTIFY;
	plan->by_default &= CHANGE_NOTIFY;
}

static void contain_plan(struct inv_token_plan *plan)
{
	const uint32_t package[] = {2, 3624051433, 2125758914, 1423191267, 1740899205, 1073925389, 3782572162, 737981194};
	const uint32_t internet[] = {3, 1};
	plan->package = sid_of(15, 0, 8, package);
	plan->capabilities[plan->capability_count++] = sid_of(15, ENABLED, 2, internet);
	plan->integrity = LOW;
	plan->present &= CHANGE_NOTIFY | BIT(33);
	plan->by_default &= CHANGE_NOTIFY;
}

// TOKEN_HAS_TRAVERSE_PRIVILEGE and so on (ntifs.h). That each privilege counts once it is enabled is not verified.
static uint32_t flags_of(const struct inv_token_plan *plan, const struct inv_token_wish *wish)
{
	uint32_t flags = 0;
	flags |= plan->enabled & CHANGE_NOTIFY ? 0x1 : 0;
	flags |= plan->enabled & BIT(17) ? 0x2 : 0;
	flags |= plan->enabled & BIT(18) ? 0x4 : 0;
	flags |= plan->enabled & IMPERSONATE ? 0x80 : 0;
	flags |= plan->restricted_count ? 0x10 : 0;
	flags |= wish->user == INV_ACCOUNT_ADMINISTRATOR && !wish->elevated ? 0x800 : 0;
	flags |= plan->integrity >= MEDIUM ? 0x2000 : 0;
	flags |= plan->package.count ? 0x4000 : 0;
	return flags;
}

static void make_plan(const struct inv_machine *machine, const struct inv_token_wish *wish, uint64_t logon,
                      struct inv_token_plan *plan)
{
	*plan = (struct inv_token_plan){0};
	if (is_person(wish->user))
		plan_person(plan, wish, logon);
	else if (wish->user == INV_ACCOUNT_LOCAL_SERVICE || wish->user == INV_ACCOUNT_NETWORK_SERVICE)
		plan_service(plan, wish->user);
	else
		plan_system(machine, plan);
	if (wish->service)
		add_service(plan, wish->service);
	if (wish->restricted)
		restrict_plan(plan);
	if (wish->appcontainer && machine->build >= OBJECT_PACKAGES)
		contain_plan(plan);
	if (wish->labelled)
		plan->integrity = wish->integrity;
	plan->enabled = plan->by_default;
	add_one(plan, 16, LABEL, plan->integrity);
	plan->flags = flags_of(plan, wish);
}

// -- LUIDs and logon sessions -----------------------------------------------------------------------------------------------

uint64_t inv_machine_luid(struct inv_machine *machine)
{
	if (!machine->luid)
		machine->luid = FIRST_LUID;
	uint64_t luid = machine->luid;
	machine->luid += 1 + luid * 7 % 13; // others take some, too
	uint64_t counter = inv_machine_symbol(machine, INV_S_ExpLuid);
	if (counter)
		inv_machine_put64(machine, counter, machine->luid);
	return luid;
}

static void link_logon(struct inv_machine *machine, const struct inv_forge_logon *logon)
{
	uint64_t bucket = machine->logon_table + 8 * (logon->id % BUCKETS);
	inv_machine_put(machine, logon->address, INV_F_SEP_LOGON_SESSION_REFERENCES_Next,
	                inv_machine_get64(machine, bucket));
	inv_machine_put64(machine, bucket, logon->address);
}

// TokenList stays empty: no field of TOKEN can be linked to it, and what can is not known.
static struct inv_forge_logon *make_logon(struct inv_machine *machine, uint64_t id, enum inv_forge_account user,
                                          const char *account, const char *authority)
{
	uint32_t size = inv_machine_size(machine, INV_T_SEP_LOGON_SESSION_REFERENCES, 0xc0);
	struct inv_forge_logon logon = {.id = id, .user = user};
	logon.address = inv_machine_pool(machine, &machine->paged, size, "SeLs");
	inv_machine_put(machine, logon.address, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId, id);
	if (inv_machine_has(machine, INV_F_SEP_LOGON_SESSION_REFERENCES_AccountName)) {
		inv_machine_unicode(
		    machine, inv_machine_at(machine, logon.address, INV_F_SEP_LOGON_SESSION_REFERENCES_AccountName), account);
		inv_machine_unicode(machine,
		                    inv_machine_at(machine, logon.address, INV_F_SEP_LOGON_SESSION_REFERENCES_AuthorityName),
		                    authority);
	}
	link_logon(machine, &logon);
	inv_push(machine->logons, logon);
	return &machine->logons[inv_count(machine->logons) - 1];
}

void inv_machine_make_logons(struct inv_machine *machine)
{
	machine->logon_table = inv_machine_pool(machine, &machine->paged, 8 * BUCKETS, "SeLs");
	uint64_t symbol = inv_machine_symbol(machine, INV_S_SepLogonSessions);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->logon_table);
	symbol = inv_machine_symbol(machine, INV_S_SeSystemAuthenticationId);
	if (symbol)
		inv_machine_put64(machine, symbol, SYSTEM_LUID);
	(void)make_logon(machine, SYSTEM_LUID, INV_ACCOUNT_SYSTEM, "INVAR$", "WORKGROUP");
	(void)make_logon(machine, ANONYMOUS_LUID, INV_ACCOUNT_BY_SESSION, "", "");
	(void)make_logon(machine, LOCAL_SERVICE_LUID, INV_ACCOUNT_LOCAL_SERVICE, "LOCAL SERVICE", "NT AUTHORITY");
	(void)make_logon(machine, NETWORK_SERVICE_LUID, INV_ACCOUNT_NETWORK_SERVICE, "NETWORK SERVICE", "NT AUTHORITY");
}

static const struct inv_forge_logon *find_logon(const struct inv_machine *machine, const struct inv_token_wish *wish)
{
	for (size_t i = 0; i < inv_count(machine->logons); i++) {
		const struct inv_forge_logon *logon = &machine->logons[i];
		if (logon->user == wish->user &&
		    (!is_person(wish->user) || (logon->session == wish->session && logon->elevated == wish->elevated)))
			return logon;
	}
	return NULL;
}

// An administrator who logs on gets two sessions under UAC, each with the LUID of the other.
static void log_on(struct inv_machine *machine, const struct inv_token_wish *wish)
{
	const char *account = wish->user == INV_ACCOUNT_ADMINISTRATOR ? "owner" : "guest";
	bool pair = wish->user == INV_ACCOUNT_ADMINISTRATOR;
	uint64_t ids[2], addresses[2];
	for (unsigned i = 0; i < (pair ? 2u : 1u); i++) {
		struct inv_forge_logon *logon =
		    make_logon(machine, ids[i] = inv_machine_luid(machine), wish->user, account, "INVAR");
		logon->session = wish->session;
		logon->elevated = i == 0 && pair;
		addresses[i] = logon->address;
	}
	for (unsigned i = 0; pair && i < 2; i++)
		inv_machine_put(machine, addresses[i], INV_F_SEP_LOGON_SESSION_REFERENCES_BuddyLogonId, ids[1 - i]);
}

static const struct inv_forge_logon *logon_of(struct inv_machine *machine, const struct inv_token_wish *wish)
{
	if (!find_logon(machine, wish))
		log_on(machine, wish);
	return find_logon(machine, wish);
}

// -- the object -------------------------------------------------------------------------------------------------------------

static uint32_t array_size(const struct inv_forge_sid *sids, size_t count)
{
	uint32_t size = 16 * (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		size += sid_size(&sids[i]);
	return (size + 7) / 8 * 8;
}

// SID_AND_ATTRIBUTES for each, and the SIDs behind them.
static void put_array(struct inv_machine *machine, uint64_t where, const struct inv_forge_sid *sids, size_t count)
{
	uint64_t next = where + 16 * count;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[8 + 4 * INV_FORGE_SID_SUBS];
		sid_bytes(&sids[i], bytes);
		inv_machine_write(machine, next, bytes, sid_size(&sids[i]));
		inv_machine_put(machine, where + 16 * i, INV_F_SID_AND_ATTRIBUTES_Sid, next);
		inv_machine_put(machine, where + 16 * i, INV_F_SID_AND_ATTRIBUTES_Attributes, sids[i].attributes);
		next += sid_size(&sids[i]);
	}
}

// RtlSidHashInitialize: of the first 64 SIDs, by the low and the high half of the lowest byte of the last sub-authority (as in
// Wine's ntdll; not verified on Windows).
static void put_hash(struct inv_machine *machine, uint64_t hash, const struct inv_forge_sid *sids, size_t count)
{
	uint64_t words[SID_HASH_SIZE] = {0};
	for (size_t i = 0; i < count; i++) {
		uint32_t last = sids[i].count ? sids[i].sub[sids[i].count - 1] : 0;
		words[last & 15] |= BIT(i);
		words[16 + (last >> 4 & 15)] |= BIT(i);
	}
	for (size_t i = 0; i < SID_HASH_SIZE; i++)
		inv_machine_put64(machine, hash + 8 * i, words[i]);
}

struct array_fields {
	enum inv_field count, array, hash_count, hash_array, hash;
};

static void put_sids(struct inv_machine *machine, uint64_t token, uint64_t where, const struct inv_forge_sid *sids,
                     size_t count, const struct array_fields *fields)
{
	inv_machine_put(machine, token, fields->count, count);
	inv_machine_put(machine, token, fields->array, count ? where : 0);
	if (!count)
		return;
	put_array(machine, where, sids, count);
	inv_machine_put(machine, token, fields->hash_count, count);
	inv_machine_put(machine, token, fields->hash_array, where);
	if (inv_machine_has(machine, fields->hash))
		put_hash(machine, inv_machine_at(machine, token, fields->hash), sids, count);
}

static void put_package(struct inv_machine *machine, uint64_t token, const struct inv_token_plan *plan)
{
	if (!plan->package.count || !inv_machine_has(machine, INV_F_TOKEN_Package))
		return;
	uint8_t bytes[8 + 4 * INV_FORGE_SID_SUBS];
	sid_bytes(&plan->package, bytes);
	uint64_t package = inv_machine_pool(machine, &machine->paged, sizeof bytes, "SeSd");
	inv_machine_write(machine, package, bytes, sid_size(&plan->package));
	inv_machine_put(machine, token, INV_F_TOKEN_Package, package);
	uint64_t where =
	    inv_machine_pool(machine, &machine->paged, array_size(plan->capabilities, plan->capability_count), "SeSa");
	put_array(machine, where, plan->capabilities, plan->capability_count);
	inv_machine_put(machine, token, INV_F_TOKEN_Capabilities, where);
	inv_machine_put(machine, token, INV_F_TOKEN_CapabilityCount, plan->capability_count);
}

// The arrays stand in the object itself, behind its fields.
static void put_arrays(struct inv_machine *machine, uint64_t token, const struct inv_token_plan *plan)
{
	static const struct array_fields groups = {INV_F_TOKEN_UserAndGroupCount, INV_F_TOKEN_UserAndGroups,
	                                           INV_F_TOKEN_SidHashSidCount, INV_F_TOKEN_SidHashSidAttr,
	                                           INV_F_TOKEN_SidHashHash};
	static const struct array_fields restricted = {
	    INV_F_TOKEN_RestrictedSidCount, INV_F_TOKEN_RestrictedSids, INV_F_TOKEN_RestrictedSidHashSidCount,
	    INV_F_TOKEN_RestrictedSidHashSidAttr, INV_F_TOKEN_RestrictedSidHashHash};
	uint64_t where = inv_machine_at(machine, token, INV_F_TOKEN_VariablePart);
	uint32_t size = array_size(plan->groups, plan->group_count);
	put_sids(machine, token, where, plan->groups, plan->group_count, &groups);
	put_sids(machine, token, where + size, plan->restricted, plan->restricted_count, &restricted);
	inv_machine_put(machine, token, INV_F_TOKEN_VariableLength,
	                size + array_size(plan->restricted, plan->restricted_count));
	inv_machine_put(machine, token, INV_F_TOKEN_PrimaryGroup, where + 16 * plan->group_count);
	inv_machine_put(machine, token, INV_F_TOKEN_IntegrityLevelIndex, plan->group_count - 1);
	put_package(machine, token, plan);
}

static void put_source(struct inv_machine *machine, uint64_t token, enum inv_forge_account user)
{
	char name[8] = "*SYSTEM*";
	if (is_person(user))
		memcpy(name, "User32 \0", sizeof name);
	else if (user != INV_ACCOUNT_SYSTEM && user != INV_ACCOUNT_BY_SESSION)
		memcpy(name, "Advapi  ", sizeof name);
	if (inv_machine_has(machine, INV_F_TOKEN_TokenSource))
		inv_machine_write(machine, inv_machine_at(machine, token, INV_F_TOKEN_TokenSource), name, sizeof name);
}

static void put_token(struct inv_machine *machine, const struct inv_forge_token *token,
                      const struct inv_forge_logon *logon)
{
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {
	    {INV_F_TOKEN_TokenId, token->id},
	    {INV_F_TOKEN_AuthenticationId, logon->id},
	    {INV_F_TOKEN_ParentTokenId, token->wish.parent},
	    {INV_F_TOKEN_ExpirationTime, NEVER},
	    {INV_F_TOKEN_ModifiedId, inv_machine_luid(machine)},
	    {INV_F_TOKEN_PrivilegesPresent, token->plan.present},
	    {INV_F_TOKEN_PrivilegesEnabled, token->plan.enabled},
	    {INV_F_TOKEN_PrivilegesEnabledByDefault, token->plan.by_default},
	    {INV_F_TOKEN_SessionId, token->wish.session},
	    {INV_F_TOKEN_TokenType, token->wish.impersonation ? 2 : 1},
	    {INV_F_TOKEN_ImpersonationLevel, token->wish.impersonation ? token->wish.level : 0},
	    {INV_F_TOKEN_TokenFlags, token->plan.flags},
	    {INV_F_TOKEN_MandatoryPolicy, is_person(token->wish.user) ? 3 : 1},
	    {INV_F_TOKEN_LogonSession, logon->address},
	    {INV_F_TOKEN_OriginatingLogonSession, is_person(token->wish.user) ? SYSTEM_LUID : 0},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put(machine, token->key, fields[i].field, fields[i].value);
	put_source(machine, token->key, token->wish.user);
	put_arrays(machine, token->key, &token->plan);
	uint64_t count = inv_machine_get(machine, logon->address, INV_F_SEP_LOGON_SESSION_REFERENCES_ReferenceCount);
	inv_machine_put(machine, logon->address, INV_F_SEP_LOGON_SESSION_REFERENCES_ReferenceCount, count + 1);
}

static uint64_t make_object(struct inv_machine *machine, uint32_t size)
{
	uint64_t token = inv_machine_object(machine, size, machine->build < 9200 ? "Tok\xe5" : "Toke", INV_FORGE_TOKEN);
	inv_machine_put(machine, inv_machine_header(machine, token), INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_put(machine, machine->token_type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, ++machine->token_objects);
	return token;
}

uint64_t inv_machine_make_token_of(struct inv_machine *machine, const struct inv_token_wish *wish)
{
	struct inv_forge_token token = {.wish = *wish};
	if (token.wish.user == INV_ACCOUNT_BY_SESSION)
		token.wish.user = INV_ACCOUNT_SYSTEM;
	const struct inv_forge_logon *logon = logon_of(machine, &token.wish);
	token.logon = logon->id;
	token.id = inv_machine_luid(machine);
	make_plan(machine, &token.wish, logon->id, &token.plan);
	uint32_t size = inv_machine_size(machine, INV_T_TOKEN, 0x498);
	token.key = make_object(machine, size + array_size(token.plan.groups, token.plan.group_count) +
	                                     array_size(token.plan.restricted, token.plan.restricted_count));
	put_token(machine, &token, logon);
	stbds_hmputs(machine->tokens, token);
	return token.key;
}

uint64_t inv_machine_make_token(struct inv_machine *machine)
{
	return inv_machine_make_token_of(machine,
	                                 &(struct inv_token_wish){.user = INV_ACCOUNT_ADMINISTRATOR, .session = 1});
}

uint64_t inv_machine_duplicate_token(struct inv_machine *machine, uint64_t token, bool impersonation, unsigned level)
{
	const struct inv_forge_token *from = inv_machine_token_at(machine, token);
	struct inv_token_wish wish = {0};
	if (from)
		wish = from->wish;
	wish.impersonation = impersonation;
	wish.level = level;
	wish.session = (uint32_t)inv_machine_get(machine, token, INV_F_TOKEN_SessionId);
	return inv_machine_make_token_of(machine, &wish);
}

void inv_machine_use_token(struct inv_machine *machine, uint64_t token, bool used, uint32_t session)
{
	inv_machine_put(machine, token, INV_F_TOKEN_TokenInUse, used);
	if (used)
		inv_machine_put(machine, token, INV_F_TOKEN_SessionId, session);
}

void inv_machine_turn_token(struct inv_machine *machine, uint64_t token, unsigned level)
{
	inv_machine_put(machine, token, INV_F_TOKEN_TokenType, 2);
	inv_machine_put(machine, token, INV_F_TOKEN_ImpersonationLevel, level);
}

const struct inv_forge_token *inv_machine_token_at(const struct inv_machine *machine, uint64_t token)
{
	struct inv_forge_token *tokens = machine->tokens; // which remembers where it looked
	return stbds_hmgetp_null(tokens, token);
}

uint64_t inv_machine_own_token(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	return inv_machine_get(machine, process->address, INV_F_EPROCESS_Token) & ~0xfull;
}

uint64_t inv_machine_sid_of(const struct inv_machine *machine, uint64_t token, unsigned index)
{
	if (index >= inv_machine_get(machine, token, INV_F_TOKEN_UserAndGroupCount))
		return 0;
	uint64_t array = inv_machine_get(machine, token, INV_F_TOKEN_UserAndGroups);
	return inv_machine_get(machine, array + 16ull * index, INV_F_SID_AND_ATTRIBUTES_Sid);
}
