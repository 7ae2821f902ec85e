// SPDX-License-Identifier: Apache-2.0
// Registrations, timers, jobs within jobs and silos made by hand: honest, torn, in a ring, and not there.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/backlinks.h"
#include "nt/object.h"
#include "nt/silo.h"

#define ARENA 0xffff8a0000000000ull
#define SIZE 0x60000u
#define OBJECT(n) (ARENA + 0x1000ull * (n))
#define PROCESS 0xffff8a0000fff060ull
#define BESIDE 0xffff8b0000000000ull // where nothing is

struct world {
	uint8_t bytes[SIZE];
	struct inv_kernel kernel;
};

static struct world *new_world(size_t layout)
{
	struct world *world = inv_alloc(sizeof *world);
	world->kernel.layout = inv_facts_layout(layout);
	world->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	return world;
}

static void free_world(struct world *world)
{
	inv_space_free(world->kernel.space);
	free(world);
}

static uint64_t place(const struct world *world, uint64_t object, enum inv_field field)
{
	uint64_t where;
	assert_true(inv_field_address(&world->kernel, object, field, &where));
	return where;
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - ARENA), value);
}

static bool knows(size_t layout, const enum inv_field *fields, size_t count)
{
	const struct inv_layout *known = inv_facts_layout(layout);
	for (size_t i = 0; i < count; i++)
		if (known->place[fields[i]].offset == INV_NO_OFFSET)
			return false;
	return known->arch == INV_ARCH_X64 && !known->partial;
}

static void test_registration(void **state)
{
	(void)state;
	static const enum inv_field used[] = {INV_F_ETW_REG_ENTRY_Process, INV_F_ETW_REG_ENTRY_DbgKernelRegistration};
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		if (!knows(i, used, sizeof used / sizeof *used))
			continue;
		struct world *world = new_world(i);
		put(world, place(world, OBJECT(1), INV_F_ETW_REG_ENTRY_Process), PROCESS);
		struct inv_value process = inv_registration_process(&world->kernel, OBJECT(1));
		assert_true(process.ok && process.u == PROCESS);
		world->bytes[place(world, OBJECT(1), INV_F_ETW_REG_ENTRY_DbgKernelRegistration) - ARENA] = 1;
		process = inv_registration_process(&world->kernel, OBJECT(1));
		assert_true(process.ok && process.u == 0); // a driver's
		put(world, place(world, OBJECT(2), INV_F_ETW_REG_ENTRY_Process), 0x7ff800001000u);
		process = inv_registration_process(&world->kernel, OBJECT(2));
		assert_true(process.ok && process.u == 0);
		assert_false(inv_registration_process(&world->kernel, BESIDE).ok);
		free_world(world);
		tried++;
	}
	assert_true(tried > 3);
}

// An object with every optional header, which counts handles; where that is kept.
static uint64_t put_counting(struct world *world, uint64_t header, bool single)
{
	world->bytes[place(world, header, INV_F_OBJECT_HEADER_Flags) - ARENA] = single ? 0x40 : 0xbf;
	world->bytes[place(world, header, INV_F_OBJECT_HEADER_InfoMask) - ARENA] = 0x1f;
	return header - 0x50; // behind the creator's and the name's
}

static void put_holding(struct world *world, uint64_t entry, uint64_t process, uint32_t count)
{
	put(world, place(world, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_Process), process);
	inv_put32(world->bytes + (place(world, entry, INV_F_OBJECT_HANDLE_COUNT_ENTRY_HandleCount) - ARENA), count);
}

static void test_one_holding(struct world *world)
{
	struct inv_holding *holdings = NULL;
	size_t budget = 16;
	uint64_t info = put_counting(world, OBJECT(1), true);
	put_holding(world, info, PROCESS, 3);
	assert_true(inv_object_holdings(&world->kernel, OBJECT(1), &budget, &holdings));
	assert_int_equal(inv_count(holdings), 1);
	assert_true(holdings[0].process == PROCESS && holdings[0].count == 3 && holdings[0].at == info);
	put_holding(world, info, PROCESS, 0); // closed
	assert_true(inv_object_holdings(&world->kernel, OBJECT(1), &budget, &holdings));
	assert_true(inv_object_holdings(&world->kernel, OBJECT(5), &budget, &holdings)); // keeps none
	assert_false(inv_object_holdings(&world->kernel, BESIDE, &budget, &holdings));
	assert_int_equal(inv_count(holdings), 1);
	inv_array_free(holdings);
}

static void test_many_holdings(struct world *world)
{
	struct inv_holding *holdings = NULL;
	size_t budget = 16;
	uint64_t info = put_counting(world, OBJECT(2), false), table = OBJECT(3);
	assert_true(inv_object_holdings(&world->kernel, OBJECT(2), &budget, &holdings)); // nobody ever had one
	put(world, place(world, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase), table);
	uint64_t first = place(world, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_HandleCountEntries);
	uint64_t count = place(world, table, INV_F_OBJECT_HANDLE_COUNT_DATABASE_CountEntries) - ARENA;
	inv_put32(world->bytes + count, 4);
	for (uint32_t i = 0; i < 4; i++)
		put_holding(world, first + 0x10ull * i, i == 2 ? 0 : PROCESS + i, i == 2 ? 0 : i + 1);
	assert_true(inv_object_holdings(&world->kernel, OBJECT(2), &budget, &holdings));
	assert_int_equal(inv_count(holdings), 3);
	assert_true(holdings[2].process == PROCESS + 3 && holdings[2].count == 4 && holdings[2].at == first + 0x30);
	assert_int_equal(budget, 12);
	static const uint32_t too_many[] = {13, UINT32_MAX, INV_HOLDING_BOUND + 1};
	for (size_t i = 0; i < 3; i++) { // nothing of such a table is believed
		inv_put32(world->bytes + count, too_many[i]);
		assert_false(inv_object_holdings(&world->kernel, OBJECT(2), &budget, &holdings));
	}
	put(world, place(world, info, INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase), BESIDE);
	assert_false(inv_object_holdings(&world->kernel, OBJECT(2), &budget, &holdings));
	assert_int_equal(inv_count(holdings), 3);
	assert_int_equal(budget, 12);
	inv_array_free(holdings);
}

static void test_holdings(void **state)
{
	(void)state;
	static const enum inv_field used[] = {
	    INV_F_OBJECT_HEADER_InfoMask,
	    INV_F_OBJECT_HEADER_Flags,
	    INV_F_OBJECT_HANDLE_COUNT_DATABASE_CountEntries,
	    INV_F_OBJECT_HANDLE_COUNT_DATABASE_HandleCountEntries,
	    INV_F_OBJECT_HANDLE_COUNT_ENTRY_HandleCount,
	    INV_F_OBJECT_HEADER_HANDLE_INFO_HandleCountDataBase,
	};
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		if (!knows(i, used, sizeof used / sizeof *used))
			continue;
		struct world *world = new_world(i);
		test_one_holding(world);
		test_many_holdings(world);
		free_world(world);
		tried++;
	}
	assert_true(tried > 20);
}

static void test_timer(void **state)
{
	(void)state;
	static const enum inv_field used[] = {INV_F_ETIMER_TimerApc, INV_F_ETIMER_ActiveTimerListEntry, INV_F_KAPC_Thread};
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		if (!knows(i, used, sizeof used / sizeof *used))
			continue;
		struct world *world = new_world(i);
		uint64_t entry = place(world, OBJECT(1), INV_F_ETIMER_ActiveTimerListEntry), head = OBJECT(3);
		put(world, place(world, place(world, OBJECT(1), INV_F_ETIMER_TimerApc), INV_F_KAPC_Thread), PROCESS);
		struct inv_value thread = inv_timer_thread(&world->kernel, OBJECT(1));
		assert_true(thread.ok && thread.u == 0); // on no list
		const uint64_t ring[][2] = {{head, entry}, {head + 8, entry}, {entry, head}, {entry + 8, head}};
		for (size_t j = 0; j < sizeof ring / sizeof *ring; j++)
			put(world, ring[j][0], ring[j][1]);
		thread = inv_timer_thread(&world->kernel, OBJECT(1));
		assert_true(thread.ok && thread.u == PROCESS);
		put(world, head + 8, head); // taken off in one direction
		thread = inv_timer_thread(&world->kernel, OBJECT(1));
		assert_true(thread.ok && thread.u == 0);
		put(world, entry, BESIDE);
		assert_true(inv_timer_thread(&world->kernel, OBJECT(1)).u == 0);
		assert_false(inv_timer_thread(&world->kernel, BESIDE).ok);
		free_world(world);
		tried++;
	}
	assert_true(tried > 5);
}

static void test_silo(void **state)
{
	(void)state;
	static const enum inv_field used[] = {INV_F_EJOB_ParentJob, INV_F_EJOB_ServerSiloGlobals,
	                                      INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess};
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		if (!knows(i, used, sizeof used / sizeof *used))
			continue;
		struct world *world = new_world(i);
		struct inv_silo_globals globals;
		assert_true(inv_job_silo(&world->kernel, 0).ok && inv_job_silo(&world->kernel, 0).u == 0);
		put(world, place(world, OBJECT(1), INV_F_EJOB_ParentJob), OBJECT(2));
		put(world, place(world, OBJECT(2), INV_F_EJOB_ParentJob), OBJECT(3));
		assert_true(inv_job_silo(&world->kernel, OBJECT(1)).ok && inv_job_silo(&world->kernel, OBJECT(1)).u == 0);
		put(world, place(world, OBJECT(2), INV_F_EJOB_ServerSiloGlobals), OBJECT(4));
		assert_true(inv_job_silo(&world->kernel, OBJECT(1)).u == OBJECT(2)); // around it
		assert_true(inv_job_silo(&world->kernel, OBJECT(2)).u == OBJECT(2));
		put(world, place(world, OBJECT(4), INV_F_ESERVERSILO_GLOBALS_MiSessionLeaderProcess), PROCESS);
		inv_silo_globals_read(&world->kernel, OBJECT(2), &globals);
		assert_true(globals.address == OBJECT(4) && globals.leader.ok && globals.leader.u == PROCESS);
		assert_true(globals.errors.ok && globals.errors.u == 0);
		inv_silo_globals_read(&world->kernel, OBJECT(3), &globals);
		assert_true(globals.address == 0 && !globals.leader.ok);
		put(world, place(world, OBJECT(2), INV_F_EJOB_ServerSiloGlobals), 0);
		put(world, place(world, OBJECT(3), INV_F_EJOB_ParentJob), OBJECT(1)); // a ring
		assert_false(inv_job_silo(&world->kernel, OBJECT(1)).ok);
		put(world, place(world, OBJECT(3), INV_F_EJOB_ParentJob), BESIDE);
		assert_false(inv_job_silo(&world->kernel, OBJECT(1)).ok);
		free_world(world);
		tried++;
	}
	assert_true(tried > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_registration),
	    cmocka_unit_test(test_holdings),
	    cmocka_unit_test(test_timer),
	    cmocka_unit_test(test_silo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
