// SPDX-License-Identifier: Apache-2.0
// How verdicts are collected: apart by weight, in the order of the catalogue, and bounded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "invariant/inside.h"

static struct inv_judge start(struct inv_arena *arena)
{
	struct inv_judge judge = {
	    .arena = arena, .keeps = INV_FINDING_BOUND, .certainty = INV_CERTAIN, .certainty_why = "because"};
	judge.tallies = inv_arena_alloc(arena, inv_invariant_count() * sizeof *judge.tallies);
	return judge;
}

static struct inv_finding *accuse(struct inv_judge *judge, size_t index, uint64_t address)
{
	judge->index = index;
	judge->current = inv_invariant(index);
	return inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, address, "test"), INV_TIER_EXECUTIVE);
}

static void test_order(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	struct inv_judge judge = start(arena);
	static const size_t of[] = {2, 0, 1, 0, 2, 1, 0};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		accuse(&judge, of[i], i);
		inv_excuse(&judge, inv_subject_other(INV_SUBJECT_SYSTEM, i, "test"), "because");
	}
	inv_judge_settle(&judge);
	static const uint64_t expected[] = {1, 3, 6, 2, 5, 0, 4};
	assert_int_equal(inv_count(judge.findings), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(judge.findings[i]->subject.address, expected[i]);
		assert_int_equal(judge.excused[i].subject.address, expected[i]);
	}
	inv_judge_free(&judge);
	inv_arena_free(arena);
}

static void test_observation(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	struct inv_judge judge = start(arena);
	struct inv_invariant hint = *inv_invariant(0);
	hint.weight = INV_HINT;
	judge.current = &hint;
	struct inv_finding *seen = inv_broken(&judge, inv_subject_other(INV_SUBJECT_SYSTEM, 1, "test"), INV_TIER_EXECUTIVE);
	assert_int_equal(inv_count(judge.findings), 0);
	assert_int_equal(inv_count(judge.observations), 1);
	assert_int_equal(judge.tallies[0].observed, 1);
	assert_int_equal(judge.tallies[0].broken, 0);
	assert_int_equal(seen->certainty, INV_POSSIBLE);
	inv_judge_free(&judge);
	inv_arena_free(arena);
}

static void test_bound(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	struct inv_judge judge = start(arena);
	struct inv_value value = {.ok = true, .u = 1, .address = 2};
	for (size_t i = 0; i < INV_FINDING_BOUND + 10; i++) {
		struct inv_finding *finding = accuse(&judge, 0, i);
		if (i >= INV_FINDING_BOUND)
			inv_field_says(&judge, finding, INV_F_EPROCESS_UniqueProcessId, &value, "it is %d", 1);
	}
	assert_int_equal(inv_count(judge.findings), INV_FINDING_BOUND);
	assert_int_equal(judge.tallies[0].broken, INV_FINDING_BOUND + 10);
	assert_non_null(judge.beyond);
	assert_int_equal(inv_count(judge.beyond->evidence), 0);
	inv_judge_settle(&judge);
	inv_judge_free(&judge);
	inv_arena_free(arena);
}

// What four parts say of the same two invariants, the later ones the sooner done.
static void judge_some(void *context, struct inv_judge *judge, size_t index)
{
	(void)context;
	usleep((useconds_t)(4 - index % 4) * 1000);
	accuse(judge, 1, index);
	judge->index = index % 2;
	judge->current = inv_invariant(index % 2);
	inv_excuse(judge, inv_subject_other(INV_SUBJECT_SYSTEM, index, "test"), "test");
	inv_unknown_because(judge, index % 2 ? "odd" : "even");
	inv_holds(judge);
}

static void test_parts(void **state)
{
	(void)state;
	const size_t count = 37;
	for (unsigned threads = 1; threads <= 5; threads += 2) {
		struct inv_arena *arena = inv_arena_new();
		struct inv_judge judge = start(arena);
		judge.keeps = 30;
		inv_judge_parts(&judge, threads, count, judge_some, NULL);
		inv_judge_settle(&judge);
		assert_int_equal(inv_count(judge.findings), 30);
		for (size_t i = 0; i < 30; i++)
			assert_int_equal(judge.findings[i]->subject.address, i);
		assert_non_null(judge.beyond);
		assert_int_equal(inv_count(judge.excused), count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(judge.excused[i].subject.address, i < 19 ? 2 * i : 2 * (i - 19) + 1);
		assert_int_equal(judge.tallies[0].holds, 19);
		assert_int_equal(judge.tallies[1].holds, 18);
		assert_int_equal(judge.tallies[1].broken, count);
		assert_string_equal(judge.tallies[0].reasons[0].text, "even");
		assert_int_equal(judge.tallies[0].reasons[0].count, 19);
		inv_judge_free(&judge);
		inv_arena_free(arena);
	}
}

// Every witness has a bit of its own in what saw a process or a thread.
static void test_sets(void **state)
{
	(void)state;
	struct inv_dossier process = {0};
	struct inv_thread_dossier thread = {0};
	for (unsigned i = 0; i < 64; i++) {
		uint64_t before = process.seen_by;
		process.seen_by |= INV_BIT(i);
		process.missing_from |= INV_BIT(i);
		thread.seen_by |= INV_BIT(i);
		assert_true(process.seen_by > before);
	}
	assert_true(process.missing_from == UINT64_MAX && thread.seen_by == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order), cmocka_unit_test(test_observation), cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_parts), cmocka_unit_test(test_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
