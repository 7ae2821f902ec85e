// SPDX-License-Identifier: Apache-2.0
// Handle tables made by hand: every form of entry, every number of levels, and tables that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "nt/handle_table.h"
#include "nt/object.h"

#define ARENA 0xffff8a0000000000ull
#define PAGE 0x1000u
#define PAGES 8u
#define HEADER 0xfffffa8012345670ull
#define ALL ((size_t)1 << 24)

struct world {
	uint8_t bytes[PAGES * PAGE];
	struct inv_layout layout;
	struct inv_kernel kernel;
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

static struct world *new_world(unsigned build)
{
	struct world *world = inv_alloc(sizeof *world);
	world->layout = *layout_of(build);
	world->kernel.layout = &world->layout;
	world->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	return world;
}

static void free_world(struct world *world)
{
	inv_space_free(world->kernel.space);
	free(world);
}

static uint64_t page(unsigned number)
{
	return ARENA + (uint64_t)number * PAGE;
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - ARENA), value);
}

static void put_code(struct world *world, uint64_t code)
{
	put(world, ARENA + world->layout.place[INV_F_HANDLE_TABLE_TableCode].offset, code);
}

// The form of each build as public practice has it, not as the layout says.
static uint64_t entry_of(unsigned build, uint64_t header)
{
	if (build < 9200)
		return header | 1;
	return build == 9200 ? header << 19 | 1 : header << 16 | 1;
}

struct found {
	struct inv_handle handles[8];
	size_t count;
};

static void take(void *context, const struct inv_handle *handle)
{
	struct found *found = context;
	assert_true(found->count < sizeof found->handles / sizeof found->handles[0]);
	found->handles[found->count++] = *handle;
}

static struct inv_handle_coverage walk(struct world *world, struct found *found, size_t budget)
{
	struct inv_handle_coverage coverage;
	found->count = 0;
	inv_handle_table_walk(&world->kernel, ARENA, &budget, take, found, &coverage);
	return coverage;
}

static void expect_find(struct world *world, uint64_t value, uint64_t object)
{
	struct inv_value found = inv_handle_table_find(&world->kernel, ARENA, value);
	assert_true(found.ok);
	assert_int_equal(found.u, object);
}

static const unsigned builds[] = {7601, 9200, 9600, 10240, 19041, 22000};

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++) {
		struct world *world = new_world(builds[i]);
		struct found found;
		put_code(world, page(1));
		put(world, page(1), entry_of(builds[i], HEADER)); // the table's own slot
		put(world, page(1) + 16 * 3ull, entry_of(builds[i], HEADER));
		put(world, page(1) + 16 * 3ull + 8, 0x1fffff);
		put(world, page(1) + 16 * 255ull, entry_of(builds[i], HEADER + 0x100));
		struct inv_handle_coverage coverage = walk(world, &found, ALL);
		assert_true(coverage.complete);
		assert_int_equal(coverage.read, 255);
		assert_int_equal(coverage.used, 2);
		assert_int_equal(found.handles[0].value, 12);
		assert_int_equal(found.handles[0].object, HEADER);
		assert_int_equal(found.handles[0].access, 0x1fffff);
		assert_int_equal(found.handles[0].at, page(1) + 48);
		assert_int_equal(found.handles[1].value, 1020);
		assert_int_equal(found.handles[1].object, HEADER + 0x100);
		expect_find(world, 12, HEADER);
		expect_find(world, 8, 0);
		expect_find(world, 0, 0);
		expect_find(world, 1024, 0); // past the end
		expect_find(world, 13, 0);
		free_world(world);
	}
}

static void test_levels(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct found found;
	put_code(world, page(1) | 2);
	put(world, page(1), page(2));
	put(world, page(1) + 8, page(3));
	put(world, page(2) + 8, page(4));
	put(world, page(3), page(5));
	put(world, page(4) + 16, entry_of(19041, HEADER));
	put(world, page(5) + 32, entry_of(19041, HEADER + 0x40));
	struct inv_handle_coverage coverage = walk(world, &found, ALL);
	assert_true(coverage.complete);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.handles[0].value, 4 * (256 + 1));
	assert_int_equal(found.handles[1].value, 4 * (256 * 512 + 2));
	expect_find(world, 4ull * (256 + 1), HEADER);
	expect_find(world, 4ull * (256 * 512 + 2), HEADER + 0x40);
	put_code(world, page(2) | 1);
	coverage = walk(world, &found, ALL);
	assert_true(coverage.complete);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.handles[0].value, 4 * (256 + 1));
	free_world(world);
}

// What cannot be read is counted, and the rest is read all the same.
static void test_missing(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct found found;
	put_code(world, page(1) | 1);
	put(world, page(1), page(PAGES)); // not captured
	put(world, page(1) + 8, 0x1000);  // of user mode
	put(world, page(1) + 16, page(2) + 8);
	put(world, page(1) + 24, page(2));
	put(world, page(2) + 16, entry_of(19041, HEADER));
	struct inv_handle_coverage coverage = walk(world, &found, ALL);
	assert_false(coverage.complete);
	assert_int_equal(coverage.unreadable, 1);
	assert_int_equal(coverage.why.reason, INV_NOT_CAPTURED);
	assert_int_equal(coverage.broken, 2);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.handles[0].value, 4 * (3 * 256 + 1));
	assert_false(inv_handle_table_find(&world->kernel, ARENA, 4).ok);
	put_code(world, page(1) | 3); // no table has three levels above
	coverage = walk(world, &found, ALL);
	assert_false(coverage.complete);
	assert_int_equal(found.count, 0);
	free_world(world);
}

// A page that leads to itself, over and over: the walk ends, and says that it was cut short.
static void test_budget(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct found found;
	put_code(world, page(1) | 1);
	for (unsigned i = 0; i < PAGE / 8; i++)
		put(world, page(1) + 8ull * i, page(2));
	size_t budget = 1024; // four pages: that of pointers and three of entries
	struct inv_handle_coverage coverage;
	inv_handle_table_walk(&world->kernel, ARENA, &budget, take, &found, &coverage);
	assert_int_equal(budget, 0);
	assert_int_equal(coverage.read, 3 * 255);
	assert_false(coverage.complete);
	free_world(world);
}

static void test_unknown_form(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct found found;
	struct inv_place *bits = &world->layout.place[INV_F_HANDLE_TABLE_ENTRY_ObjectPointerBits];
	assert_null(inv_handle_table_unknown(&world->kernel));
	bits->bit = 10; // neither at the top nor anything that was ever seen
	assert_non_null(inv_handle_table_unknown(&world->kernel));
	put_code(world, page(1));
	put(world, page(1) + 16, entry_of(19041, HEADER));
	assert_false(walk(world, &found, ALL).complete);
	assert_int_equal(found.count, 0);
	assert_false(inv_handle_table_find(&world->kernel, ARENA, 4).ok);
	bits->offset = INV_NO_OFFSET;
	assert_non_null(inv_handle_table_unknown(&world->kernel));
	free_world(world);
}

static void test_type_index(void **state)
{
	(void)state;
	struct inv_object_types plain = {0}, encoded = {.encoded = true, .cookie = 0x5a};
	assert_int_equal(inv_object_decode_index(&plain, HEADER, 7), 7);
	assert_int_equal(inv_object_decode_index(&encoded, HEADER, 7 ^ 0x5a ^ 0x56), 7);
	// Without the kernel's own symbols nobody knows whether there is a cookie.
	struct world *world = new_world(19041);
	struct inv_object_types types;
	inv_object_types_read(&world->kernel, 0, &types);
	assert_non_null(types.unknown);
	assert_false(inv_object_type_index(&world->kernel, &types, ARENA).ok);
	assert_int_equal(inv_object_body(&world->kernel, inv_object_header(&world->kernel, HEADER)), HEADER);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entries), cmocka_unit_test(test_levels),       cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_budget),  cmocka_unit_test(test_unknown_form), cmocka_unit_test(test_type_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
