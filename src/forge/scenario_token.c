// SPDX-License-Identifier: Apache-2.0
// Words about access tokens: honest ones, and lies as those who have written to kernel memory tell them.
#include <string.h>

#include "base/bytes.h"
#include "forge/words.h"

#define HASH_WORDS 32u

static const char *const levels[] = {"untrusted", "low", "medium", "high", "system", NULL};
static const unsigned rids[] = {0, 0x1000, 0x2000, 0x3000, 0x4000};

// false: not given.
static bool key_integrity(lua_State *lua, int table, unsigned *level)
{
	*level = 0;
	int type = lua_getfield(lua, table, "integrity");
	if (type == LUA_TNUMBER) {
		*level = (unsigned)lua_tointeger(lua, -1);
	} else if (type != LUA_TNIL) {
		*level = rids[inv_word_option(lua, -1, "level of integrity", levels)];
	}
	lua_pop(lua, 1);
	return type != LUA_TNIL;
}

static enum inv_forge_account key_user(lua_State *lua, int table)
{
	static const char *const names[] = {"system",        "localservice", "networkservice",
	                                    "administrator", "user",         NULL}; // by their numbers, from 1
	const char *user = inv_word_key_text(lua, table, "user");
	return user ? (enum inv_forge_account)(inv_word_choose(lua, user, "kind of user", names) + 1)
	            : INV_ACCOUNT_BY_SESSION;
}

struct inv_token_wish inv_word_token_wish(lua_State *lua, int table)
{
	unsigned integrity;
	bool labelled = key_integrity(lua, table, &integrity);
	const char *service = inv_word_key_text(lua, table, "service");
	uint64_t none = UINT64_MAX, level = inv_word_key_value(lua, table, "level", none);
	return (struct inv_token_wish){
	    .user = key_user(lua, table),
	    .session = (uint32_t)inv_word_key_value(lua, table, "session", 0),
	    .labelled = labelled,
	    .integrity = integrity,
	    .elevated = inv_word_key_flag(lua, table, "elevated", false),
	    .appcontainer = inv_word_key_flag(lua, table, "appcontainer", false),
	    .restricted = inv_word_key_flag(lua, table, "restricted", false),
	    .service = service ? inv_arena_strdup(inv_word_machine(lua)->arena, service) : NULL,
	    .impersonation = level != none,
	    .level = level != none ? (unsigned)level & 3 : 0,
	};
}

// A token, or that of a process.
static uint64_t check_token(lua_State *lua, int index)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t value = inv_word_value(lua, index);
	const struct inv_forge_process *process = inv_machine_process_at(machine, value);
	if (process)
		value = inv_machine_own_token(machine, process);
	if (inv_machine_type_of(machine, value) != machine->token_type)
		luaL_error(lua, "that is no token");
	return value;
}

static int push_address(lua_State *lua, uint64_t address)
{
	inv_word_check(lua);
	lua_pushinteger(lua, (lua_Integer)address);
	return 1;
}

// -- honest -----------------------------------------------------------------------------------------------------------------

static int word_token(lua_State *lua)
{
	static const char *const known[] = {"user",       "session", "integrity", "elevated", "appcontainer",
	                                    "restricted", "level",   "service",   NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	if (lua_isnoneornil(lua, 1))
		return push_address(lua, inv_machine_make_token(machine));
	inv_word_check_keys(lua, 1, known);
	struct inv_token_wish wish = inv_word_token_wish(lua, 1);
	return push_address(lua, inv_machine_make_token_of(machine, &wish));
}

static int word_token_of(lua_State *lua)
{
	return push_address(lua, check_token(lua, 1));
}

static int word_duplicate_token(lua_State *lua)
{
	uint64_t token = check_token(lua, 1);
	bool impersonation = !lua_isnoneornil(lua, 2);
	unsigned level = impersonation ? (unsigned)luaL_checkinteger(lua, 2) & 3 : 0;
	return push_address(lua, inv_machine_duplicate_token(inv_word_machine(lua), token, impersonation, level));
}

// What only its process referred to goes with the exchange.
static void drop(struct inv_machine *machine, uint64_t token)
{
	inv_machine_use_token(machine, token, false, 0);
	inv_machine_put(machine, inv_machine_header(machine, token), INV_F_OBJECT_HEADER_PointerCount, 0);
	inv_machine_put(machine, machine->token_type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, --machine->token_objects);
	inv_machine_free_object(machine, token);
}

static int word_assign_token(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_process *process = inv_word_process(lua, 1);
	uint64_t old = check_token(lua, 1), token = check_token(lua, 2);
	if (inv_machine_get(machine, token, INV_F_TOKEN_TokenInUse) || process->system || process->idle)
		return luaL_error(lua, "the token is in use, or the process keeps its own");
	drop(machine, old);
	inv_machine_use_token(machine, token, true, process->session ? process->session->id : 0);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Token, token | 3);
	inv_word_check(lua);
	return 0;
}

static int word_impersonate(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	struct inv_forge_thread *thread = inv_word_thread(lua, 1);
	if (lua_isnoneornil(lua, 2)) {
		inv_machine_impersonate(machine, thread, 0);
		return 0;
	}
	uint64_t token = check_token(lua, 2);
	if (!inv_machine_get(machine, token, INV_F_TOKEN_TokenInUse) &&
	    inv_machine_get(machine, token, INV_F_TOKEN_TokenType) == 1)
		inv_machine_turn_token(machine, token, 2);
	inv_machine_impersonate(machine, thread, token);
	if (!lua_isnoneornil(lua, 3))
		inv_machine_put(machine, thread->address, INV_F_ETHREAD_ImpersonationData,
		                token | ((uint64_t)luaL_checkinteger(lua, 3) & 3));
	inv_word_check(lua);
	return 0;
}

static int word_logon_session(lua_State *lua)
{
	return push_address(lua, inv_machine_get(inv_word_machine(lua), check_token(lua, 1), INV_F_TOKEN_LogonSession));
}

static int word_sid(lua_State *lua)
{
	uint64_t sid = inv_machine_sid_of(inv_word_machine(lua), check_token(lua, 1), (unsigned)luaL_checkinteger(lua, 2));
	return sid ? push_address(lua, sid) : luaL_error(lua, "the token has no such SID");
}

// -- lies -------------------------------------------------------------------------------------------------------------------

// The process that has this token, or the token: whom the lie is about.
static uint64_t bearer(const struct inv_machine *machine, uint64_t token)
{
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		if (!process->idle && inv_machine_own_token(machine, process) == token)
			return process->address;
	}
	return token;
}

// EPROCESS.Token of the other, with or without the count in its low bits: most exploits copy it as it is.
static int word_steal_token(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_process *process = inv_word_process(lua, 1);
	const struct inv_forge_process *from = inv_word_process(lua, 2);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Token,
	                inv_machine_get(machine, from->address, INV_F_EPROCESS_Token));
	inv_word_note(lua, "steal_token", process->address, true);
	inv_word_check(lua);
	return 0;
}

static void put_last_sub(struct inv_machine *machine, uint64_t sid, uint32_t value)
{
	uint8_t bytes[4], count = 0;
	(void)inv_machine_read(machine, sid + 1, &count, 1);
	inv_put32(bytes, value);
	if (count)
		inv_machine_write(machine, sid + 4 + 4ull * count, bytes, sizeof bytes);
}

// SidHash anew, from what stands in UserAndGroups now.
static void put_hash(struct inv_machine *machine, uint64_t token)
{
	uint64_t words[HASH_WORDS] = {0};
	if (!inv_machine_has(machine, INV_F_TOKEN_SidHashHash))
		return;
	for (unsigned i = 0; i < 64; i++) {
		uint64_t sid = inv_machine_sid_of(machine, token, i);
		uint8_t count = 0, last = 0;
		if (!sid || !inv_machine_read(machine, sid + 1, &count, 1) ||
		    !inv_machine_read(machine, sid + 4 + 4ull * count, &last, 1))
			break;
		words[last & 15] |= 1ull << i;
		words[16 + (last >> 4)] |= 1ull << i;
	}
	uint64_t at = inv_machine_at(machine, token, INV_F_TOKEN_SidHashHash);
	for (unsigned i = 0; i < HASH_WORDS; i++)
		inv_machine_put64(machine, at + 8ull * i, words[i]);
}

static int word_overwrite_token(lua_State *lua)
{
	static const char *const known[] = {"present", "enabled", "by_default", "integrity", "session",
	                                    "user",    "count",   "hash",       NULL};
	static const struct {
		const char *key;
		enum inv_field field;
	} fields[] = {{"present", INV_F_TOKEN_PrivilegesPresent},
	              {"enabled", INV_F_TOKEN_PrivilegesEnabled},
	              {"by_default", INV_F_TOKEN_PrivilegesEnabledByDefault},
	              {"session", INV_F_TOKEN_SessionId},
	              {"count", INV_F_TOKEN_UserAndGroupCount}};
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t token = check_token(lua, 1);
	inv_word_check_keys(lua, 2, known);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		uint64_t old = inv_machine_get(machine, token, fields[i].field);
		inv_machine_put(machine, token, fields[i].field, inv_word_key_value(lua, 2, fields[i].key, old));
	}
	unsigned label = (unsigned)inv_machine_get(machine, token, INV_F_TOKEN_IntegrityLevelIndex);
	unsigned integrity;
	if (key_integrity(lua, 2, &integrity))
		put_last_sub(machine, inv_machine_sid_of(machine, token, label), integrity);
	uint64_t user = inv_word_key_value(lua, 2, "user", 0);
	if (user)
		put_last_sub(machine, inv_machine_sid_of(machine, token, 0), (uint32_t)user);
	if (inv_word_key_flag(lua, 2, "hash", false))
		put_hash(machine, token);
	inv_word_note(lua, "overwrite_token", bearer(machine, token), true);
	inv_word_check(lua);
	return 0;
}

static int word_plant_token(lua_State *lua)
{
	static const char *const known[] = {"flag", "data", "level", NULL};
	struct inv_machine *machine = inv_word_machine(lua);
	const struct inv_forge_thread *thread = inv_word_thread(lua, 1);
	uint64_t token = inv_word_value(lua, 2), level = 2;
	bool options = !lua_isnoneornil(lua, 3), flag = true, data = true;
	if (options) {
		inv_word_check_keys(lua, 3, known);
		flag = inv_word_key_flag(lua, 3, "flag", true);
		data = inv_word_key_flag(lua, 3, "data", true);
		level = inv_word_key_value(lua, 3, "level", 2) & 3;
	}
	if (data)
		inv_machine_put(machine, thread->address, INV_F_ETHREAD_ImpersonationData, token | level);
	if (flag)
		inv_machine_put(machine, thread->address, INV_F_ETHREAD_ActiveImpersonationInfo, 1);
	inv_word_note(lua, "plant_token", thread->address, true);
	inv_word_check(lua);
	return 0;
}

static void copy(struct inv_machine *machine, uint64_t to, uint64_t from, uint32_t size)
{
	uint8_t bytes[8];
	for (uint32_t i = 0; i < size; i += sizeof bytes)
		if (inv_machine_read(machine, from + i, bytes, sizeof bytes))
			inv_machine_write(machine, to + i, bytes, sizeof bytes);
}

// Without an OBJECT_HEADER; its pointers lead into the first still.
static int word_copy_token(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t token = check_token(lua, 1);
	uint32_t size = inv_machine_size(machine, INV_T_TOKEN, 0x498) +
	                (uint32_t)inv_machine_get(machine, token, INV_F_TOKEN_VariableLength);
	uint64_t to = inv_machine_pool(machine, &machine->paged, size + 0x60, "Ntfx") + 0x60;
	copy(machine, to, token, size);
	inv_word_note(lua, "copy_token", to, true);
	return push_address(lua, to);
}

static int word_forge_logon(lua_State *lua)
{
	struct inv_machine *machine = inv_word_machine(lua);
	uint64_t token = check_token(lua, 1), from = inv_machine_get(machine, token, INV_F_TOKEN_LogonSession);
	uint32_t size = inv_machine_size(machine, INV_T_SEP_LOGON_SESSION_REFERENCES, 0xc0);
	uint64_t id = (uint64_t)luaL_optinteger(
	    lua, 2, (lua_Integer)inv_machine_get(machine, from, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId));
	uint64_t logon = inv_machine_pool(machine, &machine->paged, size, "SeLs");
	copy(machine, logon, from, size);
	inv_machine_put(machine, logon, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId, id);
	inv_machine_put(machine, token, INV_F_TOKEN_LogonSession, logon);
	inv_machine_put(machine, token, INV_F_TOKEN_AuthenticationId, id);
	inv_word_note(lua, "forge_logon", bearer(machine, token), true);
	return push_address(lua, logon);
}

const luaL_Reg inv_token_words[] = {
    {"token", word_token},
    {"token_of", word_token_of},
    {"duplicate_token", word_duplicate_token},
    {"assign_token", word_assign_token},
    {"impersonate", word_impersonate},
    {"logon_session", word_logon_session},
    {"sid", word_sid},
    {"steal_token", word_steal_token},
    {"overwrite_token", word_overwrite_token},
    {"plant_token", word_plant_token},
    {"copy_token", word_copy_token},
    {"forge_logon", word_forge_logon},
    {NULL, NULL},
};
