// SPDX-License-Identifier: Apache-2.0
// What is told of sessions, in machines of the forge.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "forge/forge.h"
#include "kernel/list.h"
#include "nt/process.h"
#include "nt/session.h"

struct world {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
};

static struct world new_world(const char *scenario, const char *build)
{
	struct inv_error error = {INV_OK, ""};
	const struct inv_forge_options options = {.kernel = build, .memory = 64u << 20};
	const struct inv_kernel_options nothing = {0};
	struct world world = {.forge = inv_forge_run(scenario, &options, &error)};
	size_t size;
	if (!world.forge)
		fail_msg("%s", error.text);
	assert_int_equal(inv_forge_write_memory(world.forge, INV_FORGE_RAW, &world.bytes, &size, &error), INV_OK);
	assert_int_equal(inv_image_open_memory("made", world.bytes, size, &world.image, &error), INV_OK);
	assert_int_equal(inv_kernel_identify(world.image, &nothing, &world.kernel, &error), INV_OK);
	return world;
}

static void free_world(const struct world *world)
{
	inv_kernel_free(world->kernel);
	inv_image_close(world->image);
	free(world->bytes);
	inv_forge_free(world->forge);
}

// EPROCESS of the last process on the list, and with it its session and silo.
static uint64_t last_process(const struct world *world)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_list list;
	struct inv_value head = inv_kernel_symbol(world->kernel, INV_S_PsActiveProcessHead, NULL);
	assert_true(head.ok);
	inv_list_walk(world->kernel, arena, "PsActiveProcessHead", head.u, INV_LIST_BOUND, &list);
	assert_true(list.count > 0);
	uint64_t last =
	    inv_process_of_entry(world->kernel, list.nodes[list.count - 1].entry, INV_F_EPROCESS_ActiveProcessLinks);
	inv_arena_free(arena);
	return last;
}

static void expect(const char *scenario, const char *build, const char *kind, const char *proof)
{
	struct world world = new_world(scenario, build);
	uint64_t process = last_process(&world);
	struct inv_value session = inv_field(world.kernel, process, INV_F_EPROCESS_Session);
	struct inv_value silo = inv_field(world.kernel, process, INV_F_EPROCESS_ServerSilo);
	struct inv_session_record record;
	inv_session_read(world.kernel, session.u, silo.ok ? silo.u : 0, &record);
	const char *told = inv_session_kind_name(record.kind);
	if (kind)
		assert_string_equal(told ? told : "", kind);
	else
		assert_null(told);
	if (!strstr(record.proof, proof))
		fail_msg("%s: %s", build, record.proof);
	free_world(&world);
}

#define LAST "process{name = 'last.exe', session = 2} "

static void test_kinds(void **state)
{
	(void)state;
	static const char *const builds[] = {"7601", "9600", "14393", "17763", "19041", "22000"};
	for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
		expect("process{name = 'last.exe', session = 0}", builds[i], "services", "session 0");
		expect("process{name = 'last.exe', session = 1}", builds[i], "console", "ActiveConsoleId");
		expect(LAST, builds[i], "remote", "IoState");
		expect(LAST "session(2, {state = 'disconnected-logged-on'})", builds[i], "disconnected", "IoState");
		expect(LAST "session(2, {state = 'disconnected'})", builds[i], "disconnected", "IoState");
		expect(LAST "session(2, {console = true})", builds[i], "console", "ActiveConsoleId");
		expect("process{name = 'last.exe', session = 1} no_console()", builds[i], "remote", "IoState");
	}
}

static void test_unknown(void **state)
{
	(void)state;
	expect(LAST "session(2, {state = 'created'})", "19041", NULL, "not connected yet");
	expect(LAST "session(2, {state = 'terminated'})", "19041", NULL, "ended");
	expect(LAST "session(2, {state = 'disconnected', console = true})", "19041", NULL, "ActiveConsoleId names it");
	expect(LAST "set(session(2), '_MM_SESSION_SPACE.IoState', 99)", "19041", NULL, "documented");
}

#define MADE "local p = process{name = 'last.exe', session = 2} local s = silo{p} "

static void test_silo(void **state)
{
	(void)state;
	expect(MADE "assert(silo_sessions(s, 2, 3))", "22000", "services", "silo");
	expect(MADE "silo_sessions(s, 3, 2)", "22000", "console", "silo");
	expect(MADE "silo_sessions(s, 3)", "22000", NULL, "container");
	expect(MADE, "22000", NULL, "console");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(inv_session_state_name(6), "LoggedOn");
	assert_null(inv_session_state_name(0));
	assert_null(inv_session_state_name(9));
	assert_null(inv_session_state_name(UINT64_MAX));
}

// -- made-up memory: every state with every answer about the console --------------------------------------------------------

#define SPACE 0xffff800000000000ull
#define SESSION SPACE
#define SILO (SPACE + 0x1000)
#define GLOBALS (SPACE + 0x3000)
#define DATA (SPACE + 0x4000)
#define PROCESS (SPACE + 0x5000)
#define SPACE_SIZE 0x8000u
#define NOWHERE 0xffffa00000000000ull
#define NUMBER 7u // of the session

struct made {
	uint8_t bytes[SPACE_SIZE], shared[0x1000]; // KUSER_SHARED_DATA
	struct inv_kernel kernel;
};

static struct made *new_made(const char *build, bool shown)
{
	struct made *made = inv_alloc(sizeof *made);
	made->kernel.layout = inv_forge_find_kernel(build)->layout;
	made->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(made->kernel.space, SPACE, made->bytes, SPACE_SIZE);
	if (shown)
		inv_space_add_fragment(made->kernel.space, INV_KUSER_SHARED_DATA, made->shared, sizeof made->shared);
	return made;
}

static void free_made(struct made *made)
{
	inv_space_free(made->kernel.space);
	free(made);
}

static void put(struct made *made, uint64_t object, enum inv_field field, uint64_t value)
{
	uint64_t at = object + made->kernel.layout->place[field].offset;
	assert_int_not_equal(made->kernel.layout->place[field].offset, INV_NO_OFFSET);
	uint8_t *byte = at >= SPACE && at < SPACE + SPACE_SIZE ? made->bytes + (at - SPACE)
	                                                       : made->shared + (at - INV_KUSER_SHARED_DATA);
	if (inv_field_info(field)->kind == INV_PTR)
		inv_put64(byte, value);
	else
		inv_put32(byte, (uint32_t)value);
}

static void told(const struct made *made, uint64_t silo, enum inv_session_kind kind, const char *proof)
{
	struct inv_session_record record;
	inv_session_read(&made->kernel, SESSION, silo, &record);
	if (record.kind != kind || !strstr(record.proof, proof))
		fail_msg("state %d, silo 0x%llx: kind %d, '%s', and not %d, '%s'", (int)record.state.u,
		         (unsigned long long)silo, (int)record.kind, record.proof, (int)kind, proof);
}

static const struct {
	uint32_t state;
	enum inv_session_kind attached; // to the console
	const char *why;
	enum inv_session_kind apart;
	const char *why_apart;
	bool connected; // to something, which is not known if the console is not
} states[] = {
    {0, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_UNKNOWN, "documented", false},
    {1, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_UNKNOWN, "not connected yet", false},
    {2, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_UNKNOWN, "not connected yet", false},
    {3, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_REMOTE, "another session", true},
    {4, INV_SESSION_UNKNOWN, "ActiveConsoleId names it", INV_SESSION_DISCONNECTED, "IoState", false},
    {5, INV_SESSION_UNKNOWN, "ActiveConsoleId names it", INV_SESSION_DISCONNECTED, "IoState", false},
    {6, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_REMOTE, "another session", true},
    {7, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_REMOTE, "another session", true},
    {8, INV_SESSION_UNKNOWN, "ended", INV_SESSION_UNKNOWN, "ended", false},
    {9, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_UNKNOWN, "documented", false},
    {0xffffffff, INV_SESSION_CONSOLE, "ActiveConsoleId", INV_SESSION_UNKNOWN, "documented", false},
};
#define STATES (sizeof states / sizeof *states)

static void test_every_state_of_the_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < STATES; i++) {
		struct made *made = new_made("22000", true), *blind = new_made("22000", false);
		put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, NUMBER);
		put(made, SESSION, INV_F_MM_SESSION_SPACE_IoState, states[i].state);
		memcpy(blind->bytes, made->bytes, SPACE_SIZE);
		put(made, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, NUMBER);
		told(made, 0, states[i].attached, states[i].why);
		put(made, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, NUMBER + 1);
		told(made, 0, states[i].apart, states[i].why_apart);
		told(blind, 0, states[i].connected ? INV_SESSION_UNKNOWN : states[i].apart,
		     states[i].connected ? "was not read" : states[i].why_apart);
		// Session 0 is that of the services, whatever its state.
		put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, 0);
		put(made, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, 0);
		told(made, 0, INV_SESSION_SERVICES, "session 0");
		free_made(made);
		free_made(blind);
	}
}

static void test_every_state_of_a_silo(void **state)
{
	(void)state;
	for (size_t i = 0; i < STATES; i++) {
		struct made *made = new_made("22000", true);
		put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, NUMBER);
		put(made, SESSION, INV_F_MM_SESSION_SPACE_IoState, states[i].state);
		// The host's console is not the silo's.
		put(made, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, NUMBER);
		put(made, SILO, INV_F_EJOB_ServerSiloGlobals, GLOBALS);
		put(made, GLOBALS, INV_F_ESERVERSILO_GLOBALS_UserSharedData, DATA);
		put(made, DATA, INV_F_SILO_USER_SHARED_DATA_ServiceSessionId, NUMBER - 1);
		put(made, DATA, INV_F_SILO_USER_SHARED_DATA_ActiveConsoleId, NUMBER);
		told(made, SILO, states[i].attached, states[i].why);
		put(made, DATA, INV_F_SILO_USER_SHARED_DATA_ActiveConsoleId, NUMBER + 1);
		told(made, SILO, states[i].connected ? INV_SESSION_UNKNOWN : states[i].apart,
		     states[i].connected ? "container" : states[i].why_apart);
		put(made, DATA, INV_F_SILO_USER_SHARED_DATA_ServiceSessionId, NUMBER);
		told(made, SILO, INV_SESSION_SERVICES, "silo");
		// Neither is session 0 the silo's, of which nothing can be read now.
		put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, 0);
		put(made, GLOBALS, INV_F_ESERVERSILO_GLOBALS_UserSharedData, NOWHERE);
		told(made, SILO, states[i].connected ? INV_SESSION_UNKNOWN : states[i].apart,
		     states[i].connected ? "was not read" : states[i].why_apart);
		put(made, SILO, INV_F_EJOB_ServerSiloGlobals, NOWHERE);
		told(made, SILO, states[i].connected ? INV_SESSION_UNKNOWN : states[i].apart,
		     states[i].connected ? "was not read" : states[i].why_apart);
		free_made(made);
	}
}

// Of the session space so much is in the image that the state is not.
static void test_no_state(void **state)
{
	(void)state;
	struct made *made = new_made("22000", true);
	uint16_t size = made->kernel.layout->place[INV_F_MM_SESSION_SPACE_IoState].offset;
	assert_true(made->kernel.layout->place[INV_F_MM_SESSION_SPACE_SessionId].offset < size);
	put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, NUMBER);
	inv_space_free(made->kernel.space);
	made->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(made->kernel.space, SESSION, made->bytes, size);
	inv_space_add_fragment(made->kernel.space, INV_KUSER_SHARED_DATA, made->shared, sizeof made->shared);
	told(made, 0, INV_SESSION_UNKNOWN, "IoState is not known");
	put(made, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, NUMBER);
	told(made, 0, INV_SESSION_CONSOLE, "ActiveConsoleId");
	free_made(made);
}

static void test_session_of(void **state)
{
	(void)state;
	struct made *made = new_made("22000", true);
	bool outside = true;
	put(made, SESSION, INV_F_MM_SESSION_SPACE_SessionId, NUMBER);
	put(made, PROCESS, INV_F_EPROCESS_Session, SESSION);
	struct inv_value in = inv_session_of(&made->kernel, PROCESS, &outside);
	assert_true(in.ok && in.u == NUMBER && !outside);
	put(made, PROCESS, INV_F_EPROCESS_Session, NOWHERE);
	assert_false(inv_session_of(&made->kernel, PROCESS, &outside).ok || outside);
	put(made, PROCESS, INV_F_EPROCESS_Session, 0);
	assert_false(inv_session_of(&made->kernel, PROCESS, &outside).ok);
	assert_true(outside);
	assert_false(inv_session_of(&made->kernel, NOWHERE, &outside).ok || outside);
	free_made(made);
}

// An address of nothing is an answer, too.
static void test_nothing(void **state)
{
	(void)state;
	struct world world = new_world(LAST, "19041");
	struct inv_session_record record;
	inv_session_read(world.kernel, 0xffffffffffffff00u, 0x1000, &record);
	assert_false(record.id.ok || record.state.ok || record.references.ok);
	assert_int_equal(record.kind, INV_SESSION_UNKNOWN);
	assert_non_null(record.proof);
	free_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_silo),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_every_state_of_the_host),
	    cmocka_unit_test(test_every_state_of_a_silo),
	    cmocka_unit_test(test_no_state),
	    cmocka_unit_test(test_session_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
