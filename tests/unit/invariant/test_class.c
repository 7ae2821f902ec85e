// SPDX-License-Identifier: Apache-2.0
// What kind of process each is: by made-up dossiers over made-up memory, and in a machine of the forge.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "check/check.h"
#include "forge/forge.h"

// -- made-up ----------------------------------------------------------------------------------------------------------------

#define SPACE 0xffff800000000000ull
#define SPACE_SIZE 0x8000u
#define PROCESS SPACE
#define OTHER (SPACE + 0x2000)
#define THREAD(i) (SPACE + 0x4000 + (uint64_t)(i)*0x1000)
#define NOWHERE 0xffffa00000000000ull
#define PID 0x2d4u
#define SESSION 0xffff900000001000ull
#define PORT 0xffff900000002008ull
#define CSRSS 0xffff900000003000ull

struct made {
	uint8_t bytes[SPACE_SIZE];
	struct inv_kernel kernel;
	struct inv_testimony testimony;
	struct inv_win32k win32k;
	struct inv_dossiers dossiers;
	struct inv_dossier process;
	struct inv_list_node nodes[2];
	struct inv_class_books books;
	struct inv_control_areas *areas;
	struct inv_arena *arena;
	struct inv_class_claim claims[INV_CLAIM_COUNT];
};

static struct made *new_made(void)
{
	struct made *made = inv_alloc(sizeof *made);
	made->kernel.layout = inv_forge_find_kernel("19041")->layout;
	made->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(made->kernel.space, SPACE, made->bytes, SPACE_SIZE);
	made->areas = inv_control_areas_new(&made->kernel);
	made->arena = inv_arena_new();
	made->testimony.win32k = &made->win32k;
	made->dossiers.kernel = &made->kernel;
	made->dossiers.testimony = &made->testimony;
	made->process.address = PROCESS;
	made->process.pid = (struct inv_value){.ok = true, .u = PID};
	made->process.threads.nodes = made->nodes;
	made->process.threads.closed = true;
	return made;
}

static void free_made(struct made *made)
{
	inv_class_books_free(&made->books);
	inv_array_free(made->win32k.desktops);
	inv_array_free(made->win32k.members);
	inv_array_free(made->dossiers.threads);
	for (size_t i = 0; i < inv_count(made->testimony.csrsses.csrsses); i++)
		inv_array_free(made->testimony.csrsses.csrsses[i].records);
	inv_array_free(made->testimony.csrsses.csrsses);
	inv_control_areas_free(made->areas);
	inv_arena_free(made->arena);
	inv_space_free(made->kernel.space);
	free(made);
}

static uint16_t offset_of(const struct made *made, enum inv_field field)
{
	assert_int_not_equal(made->kernel.layout->place[field].offset, INV_NO_OFFSET);
	return made->kernel.layout->place[field].offset;
}

static void put(struct made *made, uint64_t object, enum inv_field field, uint64_t value)
{
	inv_put64(made->bytes + (object - SPACE) + offset_of(made, field), value);
}

static unsigned ask(struct made *made)
{
	inv_class_books_free(&made->books);
	inv_class_books_read(&made->dossiers, &made->books);
	return inv_class_read(&made->books, &made->process, made->areas, NULL, made->arena, made->claims);
}

static void says(const struct made *made, enum inv_claim_id id, const char *wanted)
{
	const char *said = made->claims[id].says;
	if (wanted ? !said || strcmp(said, wanted) != 0 : said != NULL)
		fail_msg("%s says '%s', not '%s'", inv_claim_name(id), said ? said : "nothing", wanted ? wanted : "nothing");
}

static void test_nothing_known(void **state)
{
	(void)state;
	struct made *made = new_made();
	made->process.address = NOWHERE;
	made->process.threads.closed = false;
	assert_int_equal(ask(made), 0);
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++)
		says(made, (enum inv_claim_id)i, NULL);
	free_made(made);
}

static void test_pointers(void **state)
{
	(void)state;
	static const struct {
		enum inv_field field;
		enum inv_claim_id claim;
		const char *says;
		unsigned is;
	} cases[] = {
	    {INV_F_EPROCESS_Win32Process, INV_CLAIM_WIN32K, "gui", INV_CLASS_GUI},
	    {INV_F_EPROCESS_DxgProcess, INV_CLAIM_DXGKRNL, "graphics", INV_CLASS_GRAPHICS},
	    {INV_F_EPROCESS_ServerSilo, INV_CLAIM_SILO, "container", INV_CLASS_CONTAINER},
	};
	unsigned all = 0;
	struct made *made = new_made();
	assert_int_equal(ask(made), 0);
	says(made, INV_CLAIM_IMAGE, "none"); // it runs no section
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		says(made, cases[i].claim, "none");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(made, PROCESS, cases[i].field, NOWHERE);
		all |= cases[i].is;
		assert_int_equal(ask(made), all);
		says(made, cases[i].claim, cases[i].says);
		assert_int_equal(made->claims[cases[i].claim].value.u, NOWHERE);
	}
	assert_string_equal(inv_class_text(all, made->arena), "gui graphics container");
	// A section that is not there: of its subsystem nothing is known.
	put(made, PROCESS, INV_F_EPROCESS_SectionObject, NOWHERE);
	assert_int_equal(ask(made), all);
	says(made, INV_CLAIM_IMAGE, NULL);
	free_made(made);
}

static void test_roles(void **state)
{
	(void)state;
	struct made *made = new_made();
	for (int role = INV_ROLE_ORDINARY; role <= INV_ROLE_UNKNOWN; role++) {
		made->process.role = (enum inv_role)role;
		bool minimal =
		    role != INV_ROLE_ORDINARY && role != INV_ROLE_IDLE && role != INV_ROLE_SYSTEM && role != INV_ROLE_UNKNOWN;
		assert_int_equal(ask(made), minimal ? INV_CLASS_MINIMAL : 0);
	}
	free_made(made);
}

static void test_threads(void **state)
{
	(void)state;
	struct made *made = new_made();
	uint16_t entry = offset_of(made, INV_F_ETHREAD_ThreadListEntry);
	ask(made);
	says(made, INV_CLAIM_THREADS, "none");
	for (size_t i = 0; i < 2; i++)
		made->nodes[i].entry = THREAD(i) + entry;
	made->process.threads.count = 2;
	ask(made);
	says(made, INV_CLAIM_THREADS, "none");
	put(made, THREAD(0), INV_F_KTHREAD_Win32Thread, NOWHERE);
	ask(made);
	says(made, INV_CLAIM_THREADS, "gui");
	assert_int_equal(made->claims[INV_CLAIM_THREADS].value.u, 1);
	put(made, THREAD(1), INV_F_KTHREAD_Win32Thread, NOWHERE);
	ask(made);
	assert_int_equal(made->claims[INV_CLAIM_THREADS].value.u, 2);
	// One that cannot be read, or a list that was not read to its end: nothing is said.
	made->nodes[1].entry = NOWHERE;
	ask(made);
	says(made, INV_CLAIM_THREADS, NULL);
	made->nodes[1].entry = THREAD(1) + entry;
	made->process.threads.closed = false;
	ask(made);
	says(made, INV_CLAIM_THREADS, NULL);
	free_made(made);
}

static struct inv_value value(uint64_t number)
{
	return (struct inv_value){.ok = true, .u = number};
}

static void test_desktops(void **state)
{
	(void)state;
	struct made *made = new_made();
	static const uint64_t owners[] = {OTHER, PROCESS, OTHER, PROCESS, OTHER};
	ask(made);
	says(made, INV_CLAIM_DESKTOPS, NULL); // no desktop was found
	inv_push(made->win32k.desktops, ((struct inv_desktop){.closed = true}));
	inv_push(made->win32k.desktops, ((struct inv_desktop){.closed = true}));
	made->win32k.link.known = made->win32k.list.known = true;
	ask(made);
	says(made, INV_CLAIM_DESKTOPS, "none");
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		inv_push(made->dossiers.threads,
		         ((struct inv_thread_dossier){.address = THREAD(i), .process = value(owners[i])}));
		inv_push(made->win32k.members, ((struct inv_desktop_thread){.thread = value(THREAD(i))}));
		made->dossiers.thread_count++;
	}
	// One of nobody, one that cannot be read, and one whose process is not known.
	inv_push(made->win32k.members, ((struct inv_desktop_thread){.thread = value(NOWHERE)}));
	inv_push(made->win32k.members, ((struct inv_desktop_thread){.thread = {.u = THREAD(1)}}));
	inv_push(made->dossiers.threads, ((struct inv_thread_dossier){.address = THREAD(9)}));
	inv_push(made->win32k.members, ((struct inv_desktop_thread){.thread = value(THREAD(9))}));
	made->dossiers.thread_count++;
	ask(made);
	says(made, INV_CLAIM_DESKTOPS, "gui");
	assert_int_equal(made->claims[INV_CLAIM_DESKTOPS].value.u, 2);
	assert_int_equal(inv_count(made->books.desktops), 2);
	// A desktop whose list was not followed: who is on none of the others may be on that.
	made->win32k.desktops[1].closed = false;
	ask(made);
	assert_false(made->books.desktops_known);
	says(made, INV_CLAIM_DESKTOPS, "gui");
	made->process.address = PROCESS + 0x100; // somebody else
	ask(made);
	says(made, INV_CLAIM_DESKTOPS, NULL);
	made->win32k.desktops[1].closed = true;
	made->win32k.link.known = false;
	ask(made);
	says(made, INV_CLAIM_DESKTOPS, NULL);
	free_made(made);
}

// The csrss of SESSION, which has a record of the PID that leads to `client`; 0: it has none.
static struct made *with_csrss(uint64_t client, bool complete)
{
	struct made *made = new_made();
	struct inv_csrss csrss = {.process = CSRSS, .session = SESSION, .port = PORT, .complete = complete};
	if (client)
		inv_push(csrss.records, ((struct inv_csr_process){.pid = PID, .process = client, .listed = true}));
	inv_push(made->testimony.csrsses.csrsses, csrss);
	return made;
}

static void expect_csrss(struct made *made, uint64_t session, uint64_t port, const char *wanted)
{
	put(made, PROCESS, INV_F_EPROCESS_Session, session);
	put(made, PROCESS, INV_F_EPROCESS_ExceptionPortData, port);
	ask(made);
	says(made, INV_CLAIM_CSRSS, wanted);
}

static void test_csrss(void **state)
{
	(void)state;
	struct made *made = with_csrss(PROCESS, true);
	expect_csrss(made, SESSION, PORT | 1, "client");
	expect_csrss(made, SESSION, 0, "client");
	expect_csrss(made, SESSION + 0x1000, PORT | 1, "client"); // by its port, whose low bits are no part of it
	expect_csrss(made, SESSION + 0x1000, PORT + 0x100, NULL); // of that session's csrss nothing is known
	expect_csrss(made, 0, 0, "none");                         // in no session, and of no csrss
	expect_csrss(made, 0, PORT + 0x100, NULL);
	expect_csrss(made, SESSION + 0x1000, 0, NULL);
	made->process.pid.ok = false; // no record can be looked for
	expect_csrss(made, SESSION, PORT, "none");
	made->testimony.csrsses.csrsses[0].process = PROCESS;
	expect_csrss(made, SESSION, 0, "csrss");
	free_made(made);
	made = with_csrss(OTHER, true); // somebody else with this PID
	expect_csrss(made, SESSION, PORT, "none");
	free_made(made);
	made = with_csrss(0, true);
	expect_csrss(made, SESSION, PORT, "none");
	made->testimony.csrsses.csrsses[0].unknown = "it could not be read";
	expect_csrss(made, SESSION, PORT, NULL);
	free_made(made);
	made = with_csrss(0, false);
	expect_csrss(made, SESSION, PORT, NULL);
	free_made(made);
}

static void test_names(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	const char *all = inv_class_text((1u << INV_CLASS_BITS) - 1, arena);
	assert_string_equal(all, "minimal native console gui headless graphics service container");
	assert_string_equal(inv_class_text(0, arena), "");
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(inv_claim_name((enum inv_claim_id)i), inv_claim_name((enum inv_claim_id)j));
	assert_int_equal(inv_claim_tier(INV_CLAIM_IMAGE), INV_TIER_MEMORY_MANAGER);
	assert_int_equal(inv_claim_tier(INV_CLAIM_PEB), INV_TIER_USER_MODE);
	assert_int_equal(inv_claim_tier(INV_CLAIM_TOKEN), INV_TIER_EXECUTIVE);
	assert_int_equal(inv_claim_tier(INV_CLAIM_CSRSS), INV_TIER_SUBSYSTEM);
	inv_arena_free(arena);
}

// -- forged -----------------------------------------------------------------------------------------------------------------

struct machine {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_check *check;
	struct inv_control_areas *areas;
	struct inv_class_books books;
};

static struct machine new_machine(const char *scenario, const char *build)
{
	struct inv_error error = {INV_OK, ""};
	const struct inv_forge_options options = {.kernel = build, .memory = 64u << 20};
	const struct inv_kernel_options nothing = {0};
	const struct inv_check_options how = {.swept = true, .threads = 1};
	struct machine machine = {.forge = inv_forge_run(scenario, &options, &error)};
	size_t size;
	if (!machine.forge)
		fail_msg("%s", error.text);
	assert_int_equal(inv_forge_write_memory(machine.forge, INV_FORGE_RAW, &machine.bytes, &size, &error), INV_OK);
	assert_int_equal(inv_image_open_memory("made", machine.bytes, size, &machine.image, &error), INV_OK);
	assert_int_equal(inv_kernel_identify(machine.image, &nothing, &machine.kernel, &error), INV_OK);
	machine.check = inv_check_run(machine.kernel, &how);
	machine.areas = inv_control_areas_new(machine.kernel);
	machine.check->views = inv_views_read(&machine.check->dossiers, machine.areas, 1);
	machine.check->dossiers.views = machine.check->views;
	inv_class_books_read(&machine.check->dossiers, &machine.books);
	return machine;
}

static void free_machine(struct machine *machine)
{
	inv_class_books_free(&machine->books);
	inv_control_areas_free(machine->areas);
	inv_check_free(machine->check);
	inv_kernel_free(machine->kernel);
	inv_image_close(machine->image);
	free(machine->bytes);
	inv_forge_free(machine->forge);
}

// What a process is, and what is said of it: "header=windows peb= ..." for what is asked. Nothing behind "=": it says nothing.
struct expected {
	const char *name, *is, *claims;
};

static const struct inv_dossier *named(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->check->dossiers.process_count; i++)
		if (strcmp(machine->check->dossiers.processes[i].name, name) == 0)
			return &machine->check->dossiers.processes[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static void check_claims(const struct inv_class_claim *claims, const struct expected *expected)
{
	for (const char *at = expected->claims; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, "=");
		const char *wanted = at + length + 1;
		size_t size = strcspn(wanted, " ");
		unsigned id = 0;
		while (id < INV_CLAIM_COUNT && (strlen(inv_claim_name((enum inv_claim_id)id)) != length ||
		                                strncmp(inv_claim_name((enum inv_claim_id)id), at, length) != 0))
			id++;
		assert_true(id < INV_CLAIM_COUNT);
		const char *said = claims[id].says ? claims[id].says : "";
		if (strlen(said) != size || strncmp(said, wanted, size) != 0)
			fail_msg("%s: %s says '%s', not '%.*s'", expected->name, inv_claim_name((enum inv_claim_id)id), said,
			         (int)size, wanted);
		at = wanted + size;
	}
}

static void expect(const struct machine *machine, const struct expected *expected)
{
	const struct inv_dossier *process = named(machine, expected->name);
	struct inv_arena *arena = inv_arena_new();
	struct inv_inside inside;
	struct inv_class_claim claims[INV_CLAIM_COUNT];
	bool has_inside = inv_has_inside(process, machine->kernel);
	if (has_inside)
		inv_inside_open(&machine->check->dossiers, process, machine->areas, &inside);
	unsigned is = inv_class_read(&machine->books, process, machine->areas, has_inside ? &inside : NULL, arena, claims);
	const char *text = inv_class_text(is, arena);
	if (strcmp(text, expected->is) != 0)
		fail_msg("%s is '%s', not '%s'", expected->name, text, expected->is);
	check_claims(claims, expected);
	if (has_inside)
		inv_inside_free(&inside);
	inv_arena_free(arena);
}

static const char machine_of_all[] =
    "local d = desktop()\n"
    "local function new(name, more)\n"
    "  more.name, more.parent, more.session = name, d.explorer, 1\n"
    "  return process(more)\n"
    "end\n"
    "new('wide.exe', {gui = true})\n"
    "new('both.exe', {gui = true, subsystem = 'console'})\n"
    "new('bare.exe', {})\n"
    "new('tool.exe', {subsystem = 'native', registered = false})\n"
    "process{name = 'service.exe', parent = 600, session = 0, service = 'Spooler', user = 'system'}\n"
    "local swapped = new('swapped.exe', {gui = true})\n"
    "assert(page_state(swapped, swapped.peb, 'paged'))\n"
    "local claims = new('claims.exe', {})\n"
    "peb(claims, {routines = (module(new('donor.exe', {gui = true}), 'user32.dll'))})\n"
    "forget_windows(new('gone.exe', {gui = true, threads = 2}))\n";

static void test_machine(void **state)
{
	(void)state;
	static const struct expected all[] = {
	    {"wide.exe", "gui graphics",
	     "image=windows header=windows peb=windows console=none routines=gui loader=gui ranges=gui win32k=gui "
	     "threads=gui "
	     "dxgkrnl=graphics csrss=client token=none silo=none"},
	    {"both.exe", "console gui graphics", "image=console header=console peb=console console=console routines=gui"},
	    {"cmd.exe", "console", "image=console console=console win32k=none threads=none dxgkrnl=none csrss=client"},
	    {"bare.exe", "headless", "image=windows win32k=none threads=none csrss=client"},
	    {"tool.exe", "native", "image=native header=native peb=native win32k=none csrss=none"},
	    {"service.exe", "headless service", "token=service"},
	    {"csrss.exe", "gui graphics", "csrss=csrss"},
	    {"swapped.exe", "gui graphics", "image=windows header=windows peb= console= routines= win32k=gui"},
	    {"claims.exe", "headless", "routines=gui win32k=none"},
	    {"gone.exe", "headless", "routines=gui loader=gui win32k=none threads=none desktops=none"},
	    {"System", "graphics", "peb= header= csrss=none"},
	};
	static const char *const builds[] = {"19041", "22000"};
	for (size_t build = 0; build < sizeof builds / sizeof *builds; build++) {
		struct machine machine = new_machine(machine_of_all, builds[build]);
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			expect(&machine, &all[i]);
		free_machine(&machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_pointers), cmocka_unit_test(test_roles),
	    cmocka_unit_test(test_threads),       cmocka_unit_test(test_desktops), cmocka_unit_test(test_csrss),
	    cmocka_unit_test(test_names),         cmocka_unit_test(test_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
