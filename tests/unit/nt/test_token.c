// SPDX-License-Identifier: Apache-2.0
// Tokens, SIDs and logon sessions made by hand, and such that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/token.h"

#define ARENA 0xffff8a0000000000ull
#define PAGE 0x1000u
#define PAGES 8u
#define GROUPS (ARENA + PAGE)
#define SIDS (ARENA + 2ull * PAGE)
#define TABLE_POINTER (ARENA + 3ull * PAGE)
#define TABLE (ARENA + 4ull * PAGE)
#define SESSIONS (ARENA + 5ull * PAGE)

struct world {
	uint8_t bytes[PAGES * PAGE];
	uint32_t rva[INV_SYMBOL_COUNT];
	struct inv_kernel kernel;
	struct inv_arena *arena;
};

static struct world *new_world(unsigned build)
{
	struct world *world = inv_alloc(sizeof *world);
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		if (layout->arch == INV_ARCH_X64 && layout->build == build && !layout->partial)
			world->kernel.layout = layout;
	}
	assert_non_null(world->kernel.layout);
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		world->rva[i] = INV_NO_RVA;
	world->rva[INV_S_SepLogonSessions] = (uint32_t)(TABLE_POINTER - ARENA);
	world->kernel.base = ARENA;
	world->kernel.rva = world->rva;
	world->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	world->arena = inv_arena_new();
	return world;
}

static void free_world(struct world *world)
{
	inv_space_free(world->kernel.space);
	inv_arena_free(world->arena);
	free(world);
}

static void put64(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - ARENA), value);
}

static void put32(struct world *world, uint64_t address, uint32_t value)
{
	inv_put32(world->bytes + (address - ARENA), value);
}

static uint64_t field(const struct world *world, enum inv_field which)
{
	return world->kernel.layout->place[which].offset;
}

// S-1-AUTHORITY-SUB-SUB2
static void put_sid(struct world *world, uint64_t address, uint8_t authority, uint8_t count, uint32_t sub,
                    uint32_t second)
{
	uint8_t *bytes = world->bytes + (address - ARENA);
	memset(bytes, 0, 16);
	bytes[0] = 1;
	bytes[1] = count;
	bytes[7] = authority;
	inv_put32(bytes + 8, sub);
	if (count > 1)
		inv_put32(bytes + 12, second);
}

static void put_group(struct world *world, unsigned index, uint64_t sid)
{
	put64(world, GROUPS + 16ull * index, sid);
	put32(world, GROUPS + 16ull * index + 8, 7);
}

// LocalSystem in Administrators, at the level of the system.
static void put_system(struct world *world)
{
	put_sid(world, SIDS, 5, 1, 18, 0);
	put_sid(world, SIDS + 0x20, 5, 2, 32, 544);
	put_sid(world, SIDS + 0x40, 16, 1, 0x4000, 0);
	for (unsigned i = 0; i < 3; i++)
		put_group(world, i, SIDS + 0x20ull * i);
	put32(world, ARENA + field(world, INV_F_TOKEN_UserAndGroupCount), 3);
	put64(world, ARENA + field(world, INV_F_TOKEN_UserAndGroups), GROUPS);
	put32(world, ARENA + field(world, INV_F_TOKEN_IntegrityLevelIndex), 2);
	put32(world, ARENA + field(world, INV_F_TOKEN_TokenType), INV_TOKEN_PRIMARY);
}

static void test_token(void **state)
{
	(void)state;
	static const unsigned builds[] = {7601, 9600, 14393, 19041, 22000};
	for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
		struct world *world = new_world(builds[i]);
		struct inv_token token;
		char text[INV_SID_TEXT_SIZE];
		uint32_t level;
		put_system(world);
		inv_token_read(&world->kernel, ARENA, world->arena, &token);
		assert_true(token.groups.complete);
		assert_int_equal(token.groups.read, 3);
		assert_string_equal(inv_sid_format(&token.groups.sids[0].sid, text), "S-1-5-18");
		assert_string_equal(inv_sid_name(&token.groups.sids[0].sid), "SYSTEM");
		assert_string_equal(inv_sid_name(&token.groups.sids[1].sid), "BUILTIN\\Administrators");
		assert_true(inv_token_integrity(&token, &level));
		assert_int_equal(level, INV_INTEGRITY_SYSTEM);
		assert_int_equal(token.restricted.read, 0);
		assert_true(token.type.ok && token.type.u == INV_TOKEN_PRIMARY);
		uint64_t words[INV_SID_HASH_WORDS];
		inv_token_hash(&token.groups, words);
		assert_int_equal(words[2], 1); // 18 is 0x12
		assert_int_equal(words[16 + 1], 1);
		assert_int_equal(words[0], 2 | 4); // 544 is 0x220, 0x4000 ends with 0x00
		assert_int_equal(words[16 + 2], 2);
		assert_int_equal(words[16 + 0], 4);
		free_world(world);
	}
}

static void test_lies(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct inv_token token;
	uint32_t level;
	put_system(world);
	put32(world, ARENA + field(world, INV_F_TOKEN_UserAndGroupCount), 0xffffffff);
	inv_token_read(&world->kernel, ARENA, world->arena, &token);
	assert_false(token.groups.complete);
	assert_int_equal(token.groups.read, INV_TOKEN_SIDS);
	put_system(world);
	world->bytes[2 * PAGE + 1] = 16;                     // one sub-authority more than there can be
	put_group(world, 1, ARENA + (uint64_t)PAGES * PAGE); // not there
	put32(world, ARENA + field(world, INV_F_TOKEN_IntegrityLevelIndex), 1);
	inv_token_read(&world->kernel, ARENA, world->arena, &token);
	assert_false(token.groups.complete);
	assert_false(token.groups.sids[0].ok);
	assert_int_equal(token.groups.sids[0].why.reason, INV_PRESENT);
	assert_int_equal(token.groups.sids[1].why.reason, INV_NOT_CAPTURED);
	assert_true(token.groups.sids[2].ok);
	assert_false(inv_token_integrity(&token, &level));
	uint64_t words[INV_SID_HASH_WORDS];
	inv_token_hash(&token.groups, words);
	for (unsigned i = 0; i < INV_SID_HASH_WORDS; i++)
		assert_int_equal(words[i] & 3, 0);
	put_group(world, 0, ARENA + (uint64_t)PAGES * PAGE - 8); // its end is not there
	put64(world, ARENA + (uint64_t)PAGES * PAGE - 8, 0x0500000000000201);
	inv_token_read(&world->kernel, ARENA, world->arena, &token);
	assert_int_equal(token.groups.sids[0].why.reason, INV_NOT_CAPTURED);
	put64(world, ARENA + field(world, INV_F_TOKEN_UserAndGroups), UINT64_MAX - 8);
	inv_token_read(&world->kernel, ARENA, world->arena, &token);
	assert_int_equal(token.groups.read, 0);
	free_world(world);
}

static void put_session(struct world *world, unsigned index, uint64_t next, uint64_t id)
{
	uint64_t at = SESSIONS + 0x100ull * index;
	put64(world, at + field(world, INV_F_SEP_LOGON_SESSION_REFERENCES_Next), next);
	put64(world, at + field(world, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId), id);
}

static void test_logon_sessions(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct inv_logon_sessions sessions;
	inv_logon_sessions_read(&world->kernel, &sessions);
	assert_non_null(sessions.unknown); // no table
	put64(world, TABLE_POINTER, TABLE);
	put64(world, TABLE + 0x38, SESSIONS);
	put_session(world, 0, SESSIONS + 0x100, 0x3e7);
	put_session(world, 1, 0, 0x12347);
	put64(world, TABLE + 0x20, SESSIONS + 0x200);
	put_session(world, 2, 0, 0x3e4);
	inv_logon_sessions_read(&world->kernel, &sessions);
	assert_null(sessions.unknown);
	assert_true(sessions.complete);
	assert_int_equal(inv_count(sessions.sessions), 3);
	assert_int_equal(inv_logon_session_at(&sessions, SESSIONS + 0x200)->id.u, 0x3e4);
	assert_null(inv_logon_session_at(&sessions, SESSIONS + 0x80));
	inv_logon_sessions_free(&sessions);
	put_session(world, 1, SESSIONS, 0x12347); // a cycle
	put_session(world, 2, 0x1000, 0x3e4);     // out of the image
	inv_logon_sessions_read(&world->kernel, &sessions);
	assert_false(sessions.complete);
	assert_int_equal(inv_count(sessions.sessions), 4);
	inv_logon_sessions_free(&sessions);
	free_world(world);
}

static void test_names(void **state)
{
	(void)state;
	char text[INV_SID_TEXT_SIZE];
	struct inv_sid sid = {.revision = 1, .count = 15, .authority = 0xffffffffffff};
	for (unsigned i = 0; i < INV_SID_SUBS; i++)
		sid.sub[i] = UINT32_MAX;
	assert_int_equal(strlen(inv_sid_format(&sid, text)), 4 + 14 + 15 * 11);
	assert_null(inv_sid_name(&sid));
	const struct inv_sid service = {.revision = 1, .count = 6, .authority = 5, .sub = {80, 1, 2, 3, 4, 5}};
	assert_string_equal(inv_sid_format(&service, text), "S-1-5-80-1-2-3-4-5");
	assert_string_equal(inv_sid_name(&service), "NT Service");
	assert_string_equal(inv_privilege_name(20), "SeDebugPrivilege");
	assert_null(inv_privilege_name(1));
	assert_null(inv_privilege_name(37));
	uint64_t defined = 0;
	for (unsigned i = 0; i < 64; i++)
		defined |= (uint64_t)(inv_privilege_name(i) != NULL) << i;
	assert_int_equal(defined, INV_PRIVILEGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_logon_sessions),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
