// SPDX-License-Identifier: Apache-2.0
// Queues of APCs made by hand: empty, filled, torn, looping, and those set aside.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/apc.h"
#include "nt/user_thread.h"

#define ARENA 0xffff8a0000000000ull
#define SIZE 0x8000u
#define THREAD ARENA
#define APC(n) (ARENA + 0x1000 + 0x100ull * (n))

struct world {
	uint8_t bytes[SIZE];
	struct inv_kernel kernel;
	struct inv_arena *arena;
};

static struct world *new_world(size_t layout)
{
	struct world *world = inv_alloc(sizeof *world);
	world->kernel.layout = inv_facts_layout(layout);
	world->kernel.space = inv_space_new_fragments();
	world->arena = inv_arena_new();
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	return world;
}

static void free_world(struct world *world)
{
	inv_space_free(world->kernel.space);
	inv_arena_free(world->arena);
	free(world);
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - ARENA), value);
}

static uint64_t place(const struct world *world, uint64_t object, enum inv_field field)
{
	uint64_t where;
	assert_true(inv_field_address(&world->kernel, object, field, &where));
	return where;
}

static void put_byte(struct world *world, uint64_t object, enum inv_field field, uint8_t value)
{
	world->bytes[place(world, object, field) - ARENA] = value;
}

static uint64_t head_of(const struct world *world, bool saved, unsigned queue)
{
	return place(world, THREAD, saved ? INV_F_KTHREAD_SavedApcListHead : INV_F_KTHREAD_ApcListHead) + 16ull * queue;
}

// A queue of the entries of `count` APCs, the first being APC(first).
static void put_queue(struct world *world, uint64_t head, unsigned first, unsigned count)
{
	uint64_t last = head;
	for (unsigned i = 0; i < count; i++) {
		uint64_t apc = APC(first + i), entry = place(world, apc, INV_F_KAPC_ApcListEntry);
		put(world, last, entry);
		put(world, entry + 8, last);
		put_byte(world, apc, INV_F_KAPC_Type, INV_APC_OBJECT);
		put_byte(world, apc, INV_F_KAPC_Inserted, 1);
		put(world, place(world, apc, INV_F_KAPC_Thread), THREAD);
		put(world, place(world, apc, INV_F_KAPC_NormalRoutine), 0x7ff800000000u + first + i);
		last = entry;
	}
	put(world, last, head);
	put(world, head + 8, last);
}

static bool fits(size_t layout)
{
	const struct inv_layout *known = inv_facts_layout(layout);
	static const enum inv_field used[] = {INV_F_KAPC_Thread, INV_F_KTHREAD_ApcListHead, INV_F_KTHREAD_SavedApcListHead,
	                                      INV_F_KTHREAD_ApcStateIndex, INV_F_KTHREAD_TrapFrame};
	for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
		if (known->place[used[i]].offset == INV_NO_OFFSET)
			return false;
	return known->arch == INV_ARCH_X64 && !known->partial;
}

static void test_queues(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		if (!fits(i))
			continue;
		struct world *world = new_world(i);
		struct inv_apcs apcs;
		put_queue(world, head_of(world, false, INV_APC_KERNEL), 0, 0);
		put_queue(world, head_of(world, false, INV_APC_USER), 0, 2);
		put_queue(world, head_of(world, true, INV_APC_USER), 2, 1);
		inv_apcs_read(&world->kernel, THREAD, world->arena, &apcs);
		assert_int_equal(inv_count(apcs.apcs), 2);
		assert_true(apcs.heads[0][INV_APC_KERNEL].closed && apcs.heads[0][INV_APC_USER].closed);
		assert_int_equal(apcs.heads[1][INV_APC_USER].address, 0); // not attached: nothing is set aside
		assert_int_equal(apcs.apcs[1].address, APC(1));
		assert_int_equal(apcs.apcs[1].queue, INV_APC_USER);
		assert_int_equal(apcs.apcs[1].type.u, INV_APC_OBJECT);
		assert_int_equal(apcs.apcs[1].thread.u, THREAD);
		assert_int_equal(apcs.apcs[1].inserted.u, 1);
		assert_int_equal(apcs.apcs[1].normal_routine.u, 0x7ff800000001);
		inv_apcs_free(&apcs);

		put_byte(world, THREAD, INV_F_KTHREAD_ApcStateIndex, 1);
		inv_apcs_read(&world->kernel, THREAD, world->arena, &apcs);
		assert_int_equal(inv_count(apcs.apcs), 3);
		assert_true(apcs.apcs[2].saved);
		assert_int_equal(apcs.apcs[2].address, APC(2));
		assert_true(apcs.heads[1][INV_APC_KERNEL].blank);
		inv_apcs_free(&apcs);
		free_world(world);
		tried++;
	}
	assert_true(tried > 5);
}

static size_t some_layout(void)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++)
		if (fits(i))
			return i;
	fail_msg("no layout knows APCs");
	return 0;
}

static void test_torn(void **state)
{
	(void)state;
	struct world *world = new_world(some_layout());
	struct inv_apcs apcs;
	uint64_t head = head_of(world, false, INV_APC_USER);
	put_queue(world, head, 0, 3);
	// The second leads back to the first: the walk ends, and shows each once.
	put(world, place(world, APC(1), INV_F_KAPC_ApcListEntry), place(world, APC(0), INV_F_KAPC_ApcListEntry));
	inv_apcs_read(&world->kernel, THREAD, world->arena, &apcs);
	assert_int_equal(inv_count(apcs.apcs), 3);
	assert_false(apcs.heads[0][INV_APC_USER].closed);
	assert_string_equal(apcs.heads[0][INV_APC_USER].list->torn, "cycle");
	inv_apcs_free(&apcs);

	put(world, head, ARENA + SIZE); // not captured
	put(world, head + 8, ARENA + SIZE);
	inv_apcs_read(&world->kernel, THREAD, world->arena, &apcs);
	assert_int_equal(inv_count(apcs.apcs), 0);
	assert_false(apcs.heads[0][INV_APC_USER].closed || apcs.heads[0][INV_APC_USER].blank);
	inv_apcs_free(&apcs);

	inv_apcs_read(&world->kernel, ARENA + SIZE, world->arena, &apcs);
	assert_false(apcs.heads[0][INV_APC_USER].first.ok);
	assert_int_equal(apcs.heads[0][INV_APC_USER].first.why.reason, INV_NOT_CAPTURED);
	inv_apcs_free(&apcs);
	free_world(world);
}

static void test_wow64(void **state)
{
	(void)state;
	uint32_t decoded = 0;
	assert_true(inv_apc_decode_wow64(0xfffffffe00000000ull, &decoded)); // -0x80000000 << 2
	assert_int_equal(decoded, 0x80000000u);
	assert_true(inv_apc_decode_wow64(0 - (uint64_t)0x77001230 * 4, &decoded));
	assert_int_equal(decoded, 0x77001230u);
	assert_false(inv_apc_decode_wow64(0x7ff812345678ull, &decoded));
	assert_false(inv_apc_decode_wow64(0xfffff80012345678ull, &decoded)); // a routine of the kernel
	assert_false(inv_apc_decode_wow64(0 - (uint64_t)6, &decoded));
	assert_false(inv_apc_decode_wow64(0, &decoded));
}

static void test_trap_frame(void **state)
{
	(void)state;
	struct world *world = new_world(some_layout());
	struct inv_trap_frame frame;
	inv_trap_frame_read(&world->kernel, THREAD, &frame);
	assert_true(frame.address.ok);
	assert_false(frame.rip.ok || frame.user);
	assert_int_equal(frame.rip.why.reason, INV_NO_POINTER);
	put(world, place(world, THREAD, INV_F_KTHREAD_TrapFrame), ARENA + 0x3000);
	put(world, place(world, ARENA + 0x3000, INV_F_KTRAP_FRAME_Rip), 0x7ff812345678);
	put(world, place(world, ARENA + 0x3000, INV_F_KTRAP_FRAME_Rsp), 0x12340);
	static const struct {
		uint8_t cs;
		bool user, narrow;
	} selectors[] = {{0x33, true, false}, {0x23, true, true}, {0x10, false, false}, {0, false, false}};
	for (size_t i = 0; i < sizeof selectors / sizeof selectors[0]; i++) {
		put_byte(world, ARENA + 0x3000, INV_F_KTRAP_FRAME_SegCs, selectors[i].cs);
		inv_trap_frame_read(&world->kernel, THREAD, &frame);
		assert_int_equal(frame.user, selectors[i].user);
		assert_int_equal(frame.narrow, selectors[i].narrow);
		assert_int_equal(frame.rip.u, 0x7ff812345678);
		assert_int_equal(frame.rsp.u, 0x12340);
	}
	put(world, place(world, THREAD, INV_F_KTHREAD_TrapFrame), ARENA + SIZE);
	inv_trap_frame_read(&world->kernel, THREAD, &frame);
	assert_false(frame.rip.ok || frame.user);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queues),
	    cmocka_unit_test(test_torn),
	    cmocka_unit_test(test_wow64),
	    cmocka_unit_test(test_trap_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
