// SPDX-License-Identifier: Apache-2.0
// PEB and loader lists made by hand, of both widths: sound ones, and lists that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/peb.h"

#define PAGE 0x1000u
#define PAGES 48u
#define ROOT 0x1000u
#define FLAGS 0x67u
#define FRAMES 0x10000u // physical address of what stands at USER
#define USER 0x10000u
#define MAPPED 24u
#define PROCESS 0xfffff80000000000u // its first page
#define PEB (USER + PAGE)
#define LDR (USER + 2 * PAGE)
#define PARAMETERS (USER + 3 * PAGE)
#define MODULE(i) (USER + 4 * PAGE + (i)*0x200u)
#define TEXT(i) (USER + 8 * PAGE + (i)*0x100u)

struct world {
	uint8_t memory[PAGES * PAGE];
	struct inv_image *image;
	struct inv_kernel kernel;
	struct inv_user *user;
	const struct inv_layout *layout; // of the half under test
	struct inv_arena *arena;
	bool narrow;
};

static const struct inv_layout *layout_of(unsigned build)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		if (layout->arch == INV_ARCH_X64 && layout->build == build && !layout->partial)
			return layout;
	}
	fail_msg("no layout of build %u", build);
	return NULL;
}

static void put_tables(uint8_t *memory)
{
	inv_put64(memory + ROOT, 0x5000 | FLAGS);
	inv_put64(memory + ROOT + (size_t)8 * 0x1f0, 0x2000 | FLAGS);
	for (unsigned at = 0x2000; at < 0x4000; at += PAGE)
		inv_put64(memory + at, (at + PAGE) | FLAGS);
	for (unsigned at = 0x5000; at < 0x7000; at += PAGE)
		inv_put64(memory + at, (at + PAGE) | FLAGS);
	inv_put64(memory + 0x4000, FRAMES | FLAGS);
	for (unsigned i = 0; i < MAPPED; i++)
		inv_put64(memory + 0x7000 + (size_t)8 * (USER / PAGE + i), (FRAMES + i * PAGE) | FLAGS);
}

static uint8_t *at(struct world *world, uint64_t address)
{
	assert_in_range(address, USER, USER + MAPPED * PAGE - 8);
	return world->memory + FRAMES + (address - USER);
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	if (world->narrow)
		inv_put32(at(world, address), (uint32_t)value);
	else
		inv_put64(at(world, address), value);
}

static uint64_t place(const struct world *world, uint64_t object, enum inv_field field)
{
	assert_int_not_equal(world->layout->place[field].offset, INV_NO_OFFSET);
	return object + world->layout->place[field].offset;
}

static void put_text(struct world *world, uint64_t object, enum inv_field field, uint64_t where, const char *text)
{
	uint64_t string = place(world, object, field);
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		inv_put16(at(world, where + 2 * i), (uint8_t)text[i]);
	inv_put32(at(world, string), (uint32_t)(2 * length | (2 * length + 2) << 16));
	put(world, string + (world->narrow ? 4 : 8), where);
}

static const enum inv_field heads[] = {INV_F_PEB_LDR_DATA_InLoadOrderModuleList,
                                       INV_F_PEB_LDR_DATA_InMemoryOrderModuleList,
                                       INV_F_PEB_LDR_DATA_InInitializationOrderModuleList};
static const enum inv_field links[] = {INV_F_LDR_MODULE_InLoadOrderLinks, INV_F_LDR_MODULE_InMemoryOrderLinks,
                                       INV_F_LDR_MODULE_InInitializationOrderLinks};

// Links modules 0 to count - 1, in this order, on one list.
static void put_list(struct world *world, unsigned list, unsigned first, unsigned count)
{
	uint64_t width = world->narrow ? 4 : 8, head = place(world, LDR, heads[list]), last = head;
	for (unsigned i = first; i < count; i++) {
		uint64_t entry = place(world, MODULE(i), links[list]);
		put(world, last, entry);
		put(world, entry + width, last);
		last = entry;
	}
	put(world, last, head);
	put(world, head + width, last);
}

static struct world *new_world(unsigned build, bool narrow)
{
	struct world *world = inv_alloc(sizeof *world);
	world->narrow = narrow;
	world->kernel.layout = layout_of(build);
	world->layout = narrow ? inv_layout_for_wow64(world->kernel.layout) : world->kernel.layout;
	world->arena = inv_arena_new();
	put_tables(world->memory);
	inv_put64(world->memory + FRAMES + world->kernel.layout->place[INV_F_KPROCESS_DirectoryTableBase].offset, ROOT);
	put(world, place(world, PEB, INV_F_PEB_ImageBaseAddress), 0x400000);
	put(world, place(world, PEB, INV_F_PEB_Ldr), LDR);
	put(world, place(world, PEB, INV_F_PEB_ProcessParameters), PARAMETERS);
	put_text(world, PARAMETERS, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName, TEXT(0), "C:\\a\\b.exe");
	put_text(world, PARAMETERS, INV_F_RTL_USER_PROCESS_PARAMETERS_CommandLine, TEXT(1), "b.exe /c");
	for (unsigned i = 0; i < 4; i++) {
		put(world, place(world, MODULE(i), INV_F_LDR_MODULE_DllBase), 0x400000 + i * 0x10000);
		put_text(world, MODULE(i), INV_F_LDR_MODULE_FullDllName, TEXT(2 + i), "C:\\a\\m.dll");
		put_text(world, MODULE(i), INV_F_LDR_MODULE_BaseDllName, TEXT(6 + i), "m.dll");
	}
	for (unsigned list = 0; list < 3; list++)
		put_list(world, list, list == 2, 4);
	return world;
}

static void read_peb(struct world *world, struct inv_peb *peb)
{
	struct inv_why why;
	if (!world->image) {
		world->kernel.arch = INV_ARCH_X64;
		assert_int_equal(inv_image_open_memory("made", world->memory, sizeof world->memory, &world->image, NULL),
		                 INV_OK);
		world->kernel.image = world->image;
		world->kernel.space = inv_space_new_x64(world->image, ROOT, 4);
		world->user = inv_user_open(&world->kernel, PROCESS, &why);
	}
	assert_non_null(world->user);
	inv_peb_read(world->user, PEB, world->narrow, world->arena, peb);
}

static void free_world(struct world *world)
{
	inv_user_close(world->user);
	inv_space_free(world->kernel.space);
	inv_image_close(world->image);
	inv_arena_free(world->arena);
	free(world);
}

static void test_sound(void **state)
{
	(void)state;
	static const unsigned builds[] = {7601, 9600, 10240, 19041, 22000};
	for (size_t i = 0; i < 2 * sizeof builds / sizeof *builds; i++) {
		struct world *world = new_world(builds[i / 2], i % 2);
		struct inv_peb peb;
		read_peb(world, &peb);
		assert_int_equal(peb.image_base.u, 0x400000);
		assert_string_equal(peb.image_path.text, "C:\\a\\b.exe");
		assert_true(peb.command_line.ok);
		assert_int_equal(peb.command_line.length.u, 16);
		assert_int_equal(peb.command_line.maximum.u, 18);
		assert_int_equal(peb.command_line.buffer.u, TEXT(1));
		assert_int_equal(inv_count(peb.modules), 4);
		assert_int_equal(peb.modules[0].lists, 1u << INV_LOAD_ORDER | 1u << INV_MEMORY_ORDER);
		assert_int_equal(peb.modules[3].lists, 7);
		assert_int_equal(peb.modules[3].base.u, 0x430000);
		assert_string_equal(peb.modules[3].name, "m.dll");
		assert_true(peb.closed[0] && peb.closed[1] && peb.closed[2]);
		inv_peb_free(&peb);
		free_world(world);
	}
}

// A module that one direction leads past is still found by the other; the list is not closed.
static void test_one_sided(void **state)
{
	(void)state;
	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct world *world = new_world(19041, narrow);
		put(world, place(world, MODULE(1), links[0]), place(world, MODULE(3), links[0]));
		struct inv_peb peb;
		read_peb(world, &peb);
		assert_false(peb.closed[INV_LOAD_ORDER]);
		assert_int_equal(inv_count(peb.modules), 4);
		assert_int_equal(peb.modules[3].address, MODULE(2));
		assert_int_equal(peb.modules[3].lists, 7);
		inv_peb_free(&peb);
		free_world(world);
	}
}

static void test_cycle(void **state)
{
	(void)state;
	struct world *world = new_world(22000, false);
	put(world, place(world, MODULE(2), links[1]), place(world, MODULE(1), links[1]));
	struct inv_peb peb;
	read_peb(world, &peb);
	assert_false(peb.closed[INV_MEMORY_ORDER]);
	assert_true(peb.closed[INV_LOAD_ORDER]);
	assert_int_equal(inv_count(peb.modules), 4);
	assert_int_equal(peb.modules[3].lists, 7); // from the other end
	inv_peb_free(&peb);
	free_world(world);
}

static void test_torn(void **state)
{
	(void)state;
	struct world *world = new_world(9600, false);
	put(world, place(world, MODULE(1), links[0]), 0x7ff000000000);
	put(world, place(world, LDR, heads[2]), 8); // below any entry
	struct inv_peb peb;
	read_peb(world, &peb);
	assert_false(peb.closed[INV_LOAD_ORDER]);
	assert_int_equal(peb.broken[INV_LOAD_ORDER].why.reason, INV_NOT_MAPPED);
	assert_int_equal(inv_count(peb.modules), 4);
	assert_false(peb.closed[INV_INITIALIZATION_ORDER]);
	inv_peb_free(&peb);
	put(world, place(world, PEB, INV_F_PEB_Ldr), 0);
	read_peb(world, &peb);
	assert_true(peb.ldr.ok && peb.ldr.u == 0);
	assert_int_equal(inv_count(peb.modules), 0);
	inv_peb_free(&peb);
	put(world, place(world, PEB, INV_F_PEB_Ldr), 0x7ff000000000);
	put(world, place(world, PEB, INV_F_PEB_ProcessParameters), 0);
	read_peb(world, &peb);
	assert_false(peb.closed[0] || peb.image_path.ok || peb.parameters_length.ok);
	inv_peb_free(&peb);
	free_world(world);
}

// Names as long as they can be, on every module: what is read of them is bounded.
static void test_long_names(void **state)
{
	(void)state;
	struct world *world = new_world(19041, false);
	inv_put32(at(world, place(world, MODULE(1), INV_F_LDR_MODULE_FullDllName)), 0xfffffffe);
	struct inv_peb peb;
	read_peb(world, &peb);
	assert_false(peb.modules[1].path_value.ok);
	assert_int_equal(inv_count(peb.modules), 4);
	assert_true(peb.modules[2].path_value.ok);
	inv_peb_free(&peb);
	free_world(world);
}

static void test_peb32(void **state)
{
	(void)state;
	struct world *world = new_world(7601, true);
	struct inv_peb peb;
	read_peb(world, &peb);
	inv_peb_free(&peb);
	uint8_t *process = world->memory + FRAMES;
	assert_true(inv_process_peb32(&world->kernel, PROCESS).ok);
	assert_int_equal(inv_process_peb32(&world->kernel, PROCESS).u, 0);
	inv_put64(process + world->kernel.layout->place[INV_F_EPROCESS_WoW64Process].offset, PEB);
	assert_int_equal(inv_process_peb32(&world->kernel, PROCESS).u, PEB);
	world->kernel.layout = layout_of(19041);
	inv_put64(process + world->kernel.layout->place[INV_F_EPROCESS_WoW64Process].offset, PROCESS + 0x800);
	inv_put64(process + 0x800 + world->kernel.layout->place[INV_F_EWOW64PROCESS_Peb].offset, PEB);
	assert_int_equal(inv_process_peb32(&world->kernel, PROCESS).u, PEB);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sound), cmocka_unit_test(test_one_sided),  cmocka_unit_test(test_cycle),
	    cmocka_unit_test(test_torn),  cmocka_unit_test(test_long_names), cmocka_unit_test(test_peb32),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
