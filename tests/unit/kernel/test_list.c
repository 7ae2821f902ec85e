// SPDX-License-Identifier: Apache-2.0
// Walking LIST_ENTRYs: whole, torn, cyclic, and entries that a list leads past.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "kernel/list.h"

#define AT 0xffff800011110000ull
#define ENTRIES 5u // [0] is the head
#define SPACING 0x40u

struct world {
	uint8_t bytes[0x1000];
	struct inv_kernel kernel;
	struct inv_list list;
};

static uint64_t entry(unsigned index)
{
	return AT + (uint64_t)index * SPACING;
}

static void link_to(struct world *world, unsigned index, unsigned next, unsigned previous)
{
	inv_put64(world->bytes + (size_t)index * SPACING, entry(next));
	inv_put64(world->bytes + (size_t)index * SPACING + 8, entry(previous));
}

static int setup(void **state)
{
	struct world *world = inv_alloc(sizeof *world);
	world->kernel.arena = inv_arena_new();
	world->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(world->kernel.space, AT, world->bytes, sizeof world->bytes);
	for (unsigned i = 0; i < ENTRIES; i++)
		link_to(world, i, (i + 1) % ENTRIES, (i + ENTRIES - 1) % ENTRIES);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	inv_space_free(world->kernel.space);
	inv_arena_free(world->kernel.arena);
	free(world);
	return 0;
}

static const struct inv_list *walk(struct world *world)
{
	inv_list_walk(&world->kernel, world->kernel.arena, "list", entry(0), 100, &world->list);
	return &world->list;
}

static void whole(void **state)
{
	const struct inv_list *list = walk(*state);
	assert_true(list->closed);
	assert_int_equal(list->count, ENTRIES - 1);
	assert_int_equal(list->whole, ENTRIES);
	assert_int_equal(list->torn_count, 0);
	for (unsigned i = 1; i < ENTRIES; i++) {
		assert_int_equal(list->nodes[i - 1].entry, entry(i));
		assert_false(inv_list_leads_past(&((struct world *)*state)->kernel, entry(i)));
	}
}

static void taken_out(void **state)
{
	struct world *world = *state;
	link_to(world, 1, 3, 0); // 2 keeps its links
	link_to(world, 3, 4, 1);
	const struct inv_list *list = walk(world);
	assert_true(list->closed);
	assert_int_equal(list->count, ENTRIES - 2);
	assert_true(inv_list_leads_past(&world->kernel, entry(2)));
	assert_false(inv_list_leads_past(&world->kernel, entry(3)));
}

static void half_out(void **state)
{
	struct world *world = *state;
	link_to(world, 1, 3, 0); // 3 still leads back to 2
	const struct inv_list *list = walk(world);
	assert_int_equal(list->count, ENTRIES - 1);
	assert_int_equal(list->torn_count, 2); // one each way
	assert_false(inv_list_leads_past(&world->kernel, entry(2)));
}

static void links_of_nothing(void **state)
{
	struct world *world = *state;
	link_to(world, 2, 2, 2);
	assert_false(inv_list_leads_past(&world->kernel, entry(2)));
	inv_put64(world->bytes + (size_t)2 * SPACING, 0);
	inv_put64(world->bytes + (size_t)2 * SPACING + 8, 0);
	assert_false(inv_list_leads_past(&world->kernel, entry(2)));
	inv_put64(world->bytes + (size_t)2 * SPACING, 0xffff900000000000);
	assert_false(inv_list_leads_past(&world->kernel, entry(2)));
	assert_false(inv_list_leads_past(&world->kernel, 0xffff900000000000));
}

static void torn_where_nothing_is(void **state)
{
	struct world *world = *state;
	inv_put64(world->bytes + (size_t)2 * SPACING, 0xffff900000000000);
	const struct inv_list *list = walk(world);
	assert_false(list->closed);
	assert_int_equal(list->count, ENTRIES - 1); // the rest from the other end
	assert_int_not_equal(list->why.reason, INV_PRESENT);
}

static void cycle(void **state)
{
	struct world *world = *state;
	inv_put64(world->bytes + (size_t)3 * SPACING, entry(2));
	const struct inv_list *list = walk(world);
	assert_false(list->closed);
	assert_string_equal(list->torn, "cycle");
	assert_int_equal(list->count, ENTRIES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(taken_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(half_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_of_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(torn_where_nothing_is, setup, teardown),
	    cmocka_unit_test_setup_teardown(cycle, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
