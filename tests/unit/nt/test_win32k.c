// SPDX-License-Identifier: Apache-2.0
// W32PROCESS, THREADINFO and DXGPROCESS made by hand: what is read, and what a vote settles.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/dxgkrnl.h"

#define ARENA 0xffff800000000000ull
#define SIZE 0x60000u
#define MOST 6u
#define PROCESS(n) (ARENA + 0x2000ull * (n))
#define THREAD(n) (ARENA + 0x10000 + 0x2000ull * (n))
#define W32(n) (ARENA + 0x20010 + 0x800ull * (n))
#define INFO(n) (ARENA + 0x30010 + 0x800ull * (n))
#define DXG(n) (ARENA + 0x40010 + 0x800ull * (n))

struct world {
	uint8_t bytes[SIZE];
	struct inv_kernel kernel;
	struct inv_win32k *win32k;
	struct inv_dxgkrnl *dxgkrnl;
};

static const struct inv_layout *some_layout(void)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *known = inv_facts_layout(i);
		if (known->arch == INV_ARCH_X64 && !known->partial &&
		    known->place[INV_F_EPROCESS_DxgProcess].offset != INV_NO_OFFSET)
			return known;
	}
	fail_msg("no layout knows EPROCESS.DxgProcess");
	return NULL;
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - ARENA), value);
}

static void put_field(struct world *world, uint64_t object, enum inv_field field, uint64_t value)
{
	uint64_t where;
	assert_true(inv_field_address(&world->kernel, object, field, &where));
	put(world, where, value);
}

// So many processes with a thread each, whose THREADINFO leads to W32PROCESS at this offset.
static struct world *new_world(unsigned count, uint32_t ppi, uint32_t slot)
{
	struct world *world = inv_alloc(sizeof *world);
	world->kernel = (struct inv_kernel){
	    .layout = some_layout(), .space = inv_space_new_fragments(), .version = {.major = 10, .build = 19041}};
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	world->win32k = inv_win32k_new(&world->kernel);
	world->dxgkrnl = inv_dxgkrnl_new(world->win32k);
	for (unsigned i = 0; i < count; i++) {
		put_field(world, PROCESS(i), INV_F_EPROCESS_Win32Process, W32(i));
		put_field(world, PROCESS(i), INV_F_EPROCESS_DxgProcess, DXG(i));
		put_field(world, THREAD(i), INV_F_KTHREAD_Win32Thread, INFO(i));
		put(world, W32(i), PROCESS(i));
		put(world, W32(i) + 0x38, 0x100 + 4ull * i);
		put(world, W32(i) - 0x10, 0x6970735502000000);
		put(world, INFO(i), THREAD(i));
		put(world, INFO(i) + ppi, W32(i));
		put(world, DXG(i) + slot, PROCESS(i));
		put(world, DXG(i) - 0x10, 0x5067784402000000);
	}
	return world;
}

static void read_all(struct world *world)
{
	for (unsigned i = 0; i < MOST; i++) {
		inv_win32k_add_process(world->win32k, PROCESS(i));
		inv_dxgkrnl_add_process(world->dxgkrnl, PROCESS(i));
		inv_win32k_add_thread(world->win32k, THREAD(i), PROCESS(i));
	}
	inv_win32k_settle(world->win32k);
	inv_dxgkrnl_settle(world->dxgkrnl);
}

static void free_world(struct world *world)
{
	inv_dxgkrnl_free(world->dxgkrnl);
	inv_win32k_free(world->win32k);
	inv_space_free(world->kernel.space);
	free(world);
}

static void votes_are_counted(void **state)
{
	(void)state;
	struct inv_vote vote = {0};
	inv_vote_count(&vote, 2, 2, 0x158, true); // too few
	inv_vote_count(&vote, 3, 4, 0x1a8, false);
	inv_vote_count(&vote, 3, 6, 0x158, true); // not more than half
	assert_false(vote.known);
	inv_vote_count(&vote, 4, 4, 0x1a8, false);
	assert_true(vote.known && vote.offset == 0x1a8 && !vote.published);
	inv_vote_count(&vote, 4, 6, 0x170, true); // what is published counts more
	assert_true(vote.known && vote.offset == 0x170 && vote.published && vote.agree == 4 && vote.voters == 6);
	inv_vote_count(&vote, 6, 6, 0x190, true); // the first that won
	assert_int_equal(vote.offset, 0x170);
}

static void what_is_there_is_read(void **state)
{
	(void)state;
	struct world *world = new_world(4, 0x190, 0x38);
	read_all(world);
	assert_int_equal(inv_count(world->win32k->processes), 4);
	assert_int_equal(inv_count(world->win32k->threads), 4);
	assert_int_equal(inv_count(world->dxgkrnl->processes), 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct inv_w32_process *process = &world->win32k->processes[i];
		assert_true(process->back.ok && process->back.u == PROCESS(i));
		assert_true(process->pid.ok && process->pid.u == 0x100 + 4ull * i);
		assert_true(process->block.ok && process->block.u >> 32 == 0x69707355);
		const struct inv_w32_thread *thread = &world->win32k->threads[i];
		assert_true(thread->back.ok && thread->back.u == THREAD(i));
		assert_true(thread->ppi.ok && thread->ppi.u == W32(i));
		assert_true(world->dxgkrnl->processes[i].owner.ok && world->dxgkrnl->processes[i].owner.u == PROCESS(i));
	}
	assert_int_equal(world->dxgkrnl->slot.offset, 0x38);
	free_world(world);
}

static void one_liar_is_outvoted(void **state)
{
	(void)state;
	struct world *world = new_world(5, 0x170, 0x30);
	put(world, INFO(2) + 0x170, W32(3));
	put(world, DXG(2) + 0x30, PROCESS(3));
	read_all(world);
	assert_true(world->win32k->ppi.known && world->win32k->ppi.offset == 0x170 && world->win32k->ppi.agree == 4);
	assert_int_equal(world->win32k->threads[2].ppi.u, W32(3));
	assert_true(world->dxgkrnl->slot.known && world->dxgkrnl->slot.offset == 0x30);
	assert_int_equal(world->dxgkrnl->processes[2].owner.u, PROCESS(3));
	free_world(world);
}

static void an_unknown_offset_needs_all(void **state)
{
	(void)state;
	struct world *world = new_world(5, 0x1a8, 0x38);
	read_all(world);
	assert_true(world->win32k->ppi.known && world->win32k->ppi.offset == 0x1a8 && !world->win32k->ppi.published);
	free_world(world);
	world = new_world(5, 0x1a8, 0x38);
	put(world, INFO(4) + 0x1a8, W32(0));
	read_all(world);
	assert_false(world->win32k->ppi.known);
	assert_false(world->win32k->threads[0].ppi.ok);
	free_world(world);
}

static void two_are_too_few(void **state)
{
	(void)state;
	struct world *world = new_world(2, 0x190, 0x38);
	read_all(world);
	assert_false(world->win32k->ppi.known);
	assert_false(world->dxgkrnl->slot.known);
	free_world(world);
}

static void what_leads_nowhere_says_so(void **state)
{
	(void)state;
	struct world *world = new_world(4, 0x190, 0x38);
	put_field(world, PROCESS(1), INV_F_EPROCESS_Win32Process, 0xfffff90000000000);
	put_field(world, THREAD(1), INV_F_KTHREAD_Win32Thread, 0xfffff90000000008);
	put_field(world, PROCESS(2), INV_F_EPROCESS_DxgProcess, UINT64_MAX - 0x20);
	put_field(world, THREAD(3), INV_F_KTHREAD_Win32Thread, UINT64_MAX);
	read_all(world);
	assert_false(world->win32k->processes[1].back.ok);
	assert_int_equal(world->win32k->processes[1].back.why.reason, INV_NOT_CAPTURED);
	assert_false(world->win32k->threads[1].back.ok);
	assert_false(world->win32k->threads[3].back.ok);
	assert_false(world->dxgkrnl->processes[2].owner.ok);
	assert_false(world->win32k->ppi.known); // two are left
	free_world(world);
}

static void blocks_count_where_their_process_leads_back(void **state)
{
	(void)state;
	struct world *world = new_world(4, 0x190, 0x38);
	assert_int_equal(inv_dxgkrnl_add_block(world->dxgkrnl, DXG(0) - 0x10), PROCESS(0));
	put_field(world, PROCESS(1), INV_F_EPROCESS_DxgProcess, DXG(0));
	assert_int_equal(inv_dxgkrnl_add_block(world->dxgkrnl, DXG(1) - 0x10), 0);
	assert_int_equal(inv_dxgkrnl_add_block(world->dxgkrnl, DXG(5) - 0x10), 0); // names nobody
	assert_int_equal(inv_dxgkrnl_add_block(world->dxgkrnl, ARENA + SIZE), 0);
	assert_int_equal(inv_count(world->dxgkrnl->blocks), 3);
	assert_true(world->dxgkrnl->blocks[0].used && !world->dxgkrnl->blocks[2].used);
	assert_null(inv_win32k_add_block(world->win32k, 0)); // no physical memory here
	free_world(world);
}

// To 8.1 the way leads through W32PROCESS.
static void graphics_of_old_builds(void **state)
{
	(void)state;
	struct world *world = new_world(4, 0x170, 0x38);
	struct inv_layout *old = inv_alloc(sizeof *old);
	*old = *world->kernel.layout;
	old->place[INV_F_EPROCESS_DxgProcess].offset = INV_NO_OFFSET;
	world->kernel.layout = old;
	for (unsigned i = 0; i < 4; i++)
		put(world, W32(i) + 0xf8, DXG(i));
	assert_false(inv_dxgkrnl_of(world->dxgkrnl, PROCESS(0)).ok); // 19041
	world->kernel.version.build = 9600;
	assert_int_equal(inv_dxgkrnl_of(world->dxgkrnl, PROCESS(0)).u, DXG(0));
	assert_false(inv_dxgkrnl_of(world->dxgkrnl, PROCESS(5)).ok); // has no W32PROCESS
	put(world, W32(1), PROCESS(0));
	assert_false(inv_dxgkrnl_of(world->dxgkrnl, PROCESS(1)).ok); // one that is not its own
	free_world(world);
	free(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(votes_are_counted),
	    cmocka_unit_test(what_is_there_is_read),
	    cmocka_unit_test(one_liar_is_outvoted),
	    cmocka_unit_test(an_unknown_offset_needs_all),
	    cmocka_unit_test(two_are_too_few),
	    cmocka_unit_test(what_leads_nowhere_says_so),
	    cmocka_unit_test(blocks_count_where_their_process_leads_back),
	    cmocka_unit_test(graphics_of_old_builds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
