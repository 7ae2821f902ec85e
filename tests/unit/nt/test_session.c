// SPDX-License-Identifier: Apache-2.0
// What is told of sessions, in machines of the forge.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
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
	    cmocka_unit_test(test_kinds), cmocka_unit_test(test_unknown), cmocka_unit_test(test_silo),
	    cmocka_unit_test(test_names), cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
