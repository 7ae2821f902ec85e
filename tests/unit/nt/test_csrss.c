// SPDX-License-Identifier: Apache-2.0
// csrss and what it knows, in machines of the forge: sound ones, and such that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "forge/forge.h"
#include "kernel/list.h"
#include "nt/csrss.h"
#include "nt/process.h"

struct world {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_object_types types;
	uint64_t *processes; // stb_ds
	struct inv_csrsses all;
};

static void list_processes(struct world *world)
{
	struct inv_list list;
	struct inv_value head = inv_kernel_symbol(world->kernel, INV_S_PsActiveProcessHead, NULL);
	assert_true(head.ok);
	inv_list_walk(world->kernel, world->arena, "PsActiveProcessHead", head.u, INV_LIST_BOUND, &list);
	for (size_t i = 0; i < list.count; i++)
		inv_push(world->processes,
		         inv_process_of_entry(world->kernel, list.nodes[i].entry, INV_F_EPROCESS_ActiveProcessLinks));
}

static struct world *new_world(const char *scenario, const char *build)
{
	struct inv_error error = {INV_OK, ""};
	const struct inv_forge_options options = {.kernel = build, .memory = 64u << 20};
	struct world *world = inv_alloc(sizeof *world);
	size_t size;
	world->forge = inv_forge_run(scenario, &options, &error);
	if (!world->forge)
		fail_msg("%s", error.text);
	assert_int_equal(inv_forge_write_memory(world->forge, INV_FORGE_RAW, &world->bytes, &size, &error), INV_OK);
	assert_int_equal(inv_image_open_memory("made", world->bytes, size, &world->image, &error), INV_OK);
	const struct inv_kernel_options nothing = {0};
	assert_int_equal(inv_kernel_identify(world->image, &nothing, &world->kernel, &error), INV_OK);
	world->arena = inv_arena_new();
	list_processes(world);
	inv_object_types_read(world->kernel, world->processes[0], &world->types);
	inv_csrss_read(world->kernel, &world->types, world->processes, inv_count(world->processes), &world->all);
	return world;
}

static void free_world(struct world *world)
{
	inv_csrss_free(&world->all);
	inv_array_free(world->processes);
	inv_arena_free(world->arena);
	inv_kernel_free(world->kernel);
	inv_image_close(world->image);
	free(world->bytes);
	inv_forge_free(world->forge);
	free(world);
}

static uint64_t pid_of(const struct world *world, uint64_t process)
{
	return inv_field(world->kernel, process, INV_F_EPROCESS_UniqueProcessId).u;
}

// The process with this name.
static uint64_t named(const struct world *world, const char *name)
{
	struct inv_value value;
	for (size_t i = 0; i < inv_count(world->processes); i++)
		if (strcmp(inv_process_name(world->kernel, world->processes[i], world->arena, &value), name) == 0)
			return world->processes[i];
	fail_msg("there is no %s", name);
	return 0;
}

static void test_sound(void **state)
{
	(void)state;
	static const char *const builds[] = {"7601", "9600", "19041"};
	for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
		struct world *world = new_world("desktop()", builds[i]);
		assert_null(world->all.unknown);
		assert_int_equal(inv_count(world->all.csrsses), 1);
		const struct inv_csrss *csrss = &world->all.csrsses[0];
		assert_null(csrss->unknown);
		assert_int_equal(csrss->process, named(world, "csrss.exe"));
		assert_ptr_equal(inv_csrss_at(&world->all, csrss->process), csrss);
		assert_ptr_equal(inv_csrss_of(&world->all, csrss->session), csrss);
		assert_null(inv_csrss_at(&world->all, 0));
		assert_null(inv_csrss_of(&world->all, 0));
		assert_int_equal(csrss->votes, 4);
		assert_int_equal(csrss->voters, 4);
		assert_int_equal(csrss->roots, 1);
		assert_true(csrss->complete);
		assert_int_equal(inv_count(csrss->records), 4);
		assert_int_equal(inv_count(csrss->threads), 16); // 3, 8, 3 and 2
		uint64_t notepad = named(world, "notepad.exe");
		const struct inv_csr_process *record = inv_csr_record(csrss, pid_of(world, notepad));
		assert_non_null(record);
		assert_int_equal(record->process, notepad);
		assert_true(record->threads_closed);
		assert_in_range(record->sequence, 5, 8);
		assert_null(inv_csr_stray(csrss, record->pid));
		assert_null(inv_csr_record(csrss, csrss->pid));
		for (size_t j = 0; j < inv_count(csrss->threads); j++)
			assert_true(csrss->threads[j].listed && csrss->threads[j].hashed && csrss->threads[j].thread);
		free_world(world);
	}
}

// Each session has its own; whoever is no client of one is in none.
static void test_sessions(void **state)
{
	(void)state;
	struct world *world = new_world("local m = desktop()\n"
	                                "process{name = 'host.exe', parent = 504, session = 0, csrss = true}\n"
	                                "for i = 1, 3 do process{name = 'svc.exe', parent = 504, session = 0} end\n"
	                                "process{name = 'alone.exe', parent = 504, session = 0, registered = false}",
	                                "19041");
	assert_int_equal(inv_count(world->all.csrsses), 2);
	const struct inv_csrss *services = inv_csrss_at(&world->all, named(world, "host.exe"));
	assert_non_null(services);
	assert_int_equal(inv_count(services->records), 3);
	assert_null(inv_csr_record(services, pid_of(world, named(world, "alone.exe"))));
	assert_null(inv_csr_record(services, pid_of(world, named(world, "notepad.exe"))));
	assert_true(world->all.default_process.ok);
	assert_int_equal(world->all.default_process.u, services->process);
	free_world(world);
}

static void test_unlinked(void **state)
{
	(void)state;
	struct world *world = new_world("local m = desktop()\n"
	                                "csr_unlink(m.notepad)\n"
	                                "csr_unlink(m.explorer.threads[1], {hash = false})\n"
	                                "csr_set(m.cmd, 'pid', 60000)",
	                                "19041");
	const struct inv_csrss *csrss = &world->all.csrsses[0];
	uint64_t notepad = named(world, "notepad.exe"), cmd = named(world, "cmd.exe");
	size_t off_list = 0;
	assert_true(csrss->complete);
	assert_null(inv_csr_record(csrss, pid_of(world, notepad)));
	assert_non_null(inv_csr_stray(csrss, pid_of(world, notepad)));
	assert_int_equal(inv_csr_stray(csrss, pid_of(world, notepad))->process, notepad);
	assert_null(inv_csr_record(csrss, pid_of(world, cmd)));
	assert_int_equal(inv_csr_record(csrss, 60000)->process, cmd);
	for (size_t i = 0; i < inv_count(csrss->threads); i++)
		off_list += !csrss->threads[i].listed && csrss->threads[i].hashed;
	assert_int_equal(off_list, 1);
	free_world(world);
}

// A port that nobody owns, or somebody outside of the session; and too few to tell.
static void test_nobody(void **state)
{
	(void)state;
	static const char *const scenarios[] = {
	    "local m = desktop() set(api_port(m.cmd), '_ALPC_PORT.OwnerProcess', 0)",
	    "local m = desktop() set(api_port(m.cmd), '_ALPC_PORT.OwnerProcess', m.smss)",
	    "local m = desktop() set(api_port(m.cmd), '_ALPC_PORT.OwnerProcess', m.csrss.address + 16)",
	    "for i = 1, 2 do process{name = 'a.exe', session = 1} end",
	};
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
		struct world *world = new_world(scenarios[i], "19041");
		assert_int_equal(inv_count(world->all.csrsses), 0);
		assert_int_equal(inv_count(world->all.votes), 1);
		assert_non_null(world->all.votes[0].lost);
		free_world(world);
	}
	struct world *world = new_world("", "19041");
	assert_non_null(world->all.unknown);
	free_world(world);
}

// Two processes that own a port each, and as many who name them: nobody is csrss. The real one wins by one voice, for it has a record.
static void test_split(void **state)
{
	(void)state;
#define SPLIT                                                                                                          \
	"local m = desktop()\n"                                                                                            \
	"local port = csr_port(m.explorer)\n"                                                                              \
	"for _, p in ipairs{m.notepad, m.cmd} do set(p, '_EPROCESS.ExceptionPortData', port | 1) end\n"
	static const char split[] = SPLIT;
	static const char won[] = SPLIT "process{name = 'more.exe', parent = m.explorer, session = 1}";
	struct world *world = new_world(split, "19041");
	assert_int_equal(inv_count(world->all.csrsses), 0);
	assert_true(world->all.votes[0].tied);
	free_world(world);
	world = new_world(won, "19041");
	assert_int_equal(inv_count(world->all.csrsses), 1);
	assert_int_equal(world->all.csrsses[0].process, named(world, "csrss.exe"));
	free_world(world);
}

// csrss's own record is in the page file: nothing is known of its clients, and it is said why.
static void test_paged(void **state)
{
	(void)state;
	struct world *world = new_world("local m = desktop()\n"
	                                "page_state(m.csrss, (csr_record(m.winlogon)), 'paged')",
	                                "19041");
	assert_int_equal(inv_count(world->all.csrsses), 1);
	assert_non_null(world->all.csrsses[0].unknown);
	assert_true(world->all.csrsses[0].missing > 0);
	assert_int_equal(inv_count(world->all.csrsses[0].records), 0);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sound),  cmocka_unit_test(test_sessions), cmocka_unit_test(test_unlinked),
	    cmocka_unit_test(test_nobody), cmocka_unit_test(test_split),    cmocka_unit_test(test_paged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
