// SPDX-License-Identifier: Apache-2.0
// Lives of the model that end half-way: that they end in every state and before every step, and that they are laid out.
#include "forged.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "forge/world.h"

#define LIVES 1500u
#define MAX_STEPS 512u

struct seen {
	const char *steps[MAX_STEPS];
	size_t step_count;
	size_t states[INV_STATE_COUNT];
	size_t half_done[4]; // lives by the number of operations that are
};

static void note_step(struct seen *seen, const char *step)
{
	for (size_t i = 0; i < seen->step_count; i++)
		if (strcmp(seen->steps[i], step) == 0)
			return;
	assert_true(seen->step_count < MAX_STEPS);
	seen->steps[seen->step_count++] = step;
}

static void note_life(struct seen *seen, struct inv_model *model)
{
	struct inv_model_report report;
	if (!inv_model_check(model, &report))
		fail_msg("%s", report.first);
	for (size_t i = 0; i < INV_STATE_COUNT; i++)
		seen->states[i] += report.states[i];
	size_t half_done = 0;
	for (size_t i = 0; i < inv_count(model->operations); i++) {
		const char *step = inv_model_next_step(model->operations[i]);
		if (!step)
			continue;
		note_step(seen, step);
		half_done++;
	}
	assert_true(half_done < 4);
	seen->half_done[half_done]++;
}

static void stops_everywhere(void **state)
{
	(void)state;
	static struct seen seen;
	for (unsigned seed = 1; seed <= LIVES; seed++) {
		struct inv_model *model = inv_model_new(&(struct inv_model_config){.cpus = 2});
		inv_world_live(model, seed, 20 + seed % 200);
		note_life(&seen, model);
		inv_model_free(model);
	}
	assert_int_equal(seen.states[INV_STATE_NONE], 0);
	for (size_t i = INV_STATE_ALLOCATED; i < INV_STATE_COUNT; i++)
		if (!seen.states[i])
			fail_msg("no life ends with a process in state %s", inv_model_state_name((enum inv_model_state)i));
	for (size_t i = 0; i < 4; i++)
		assert_true(seen.half_done[i] > LIVES / 20);
	printf("stopped before %zu different steps\n", seen.step_count);
	// 166 were seen when this was written; which are depends on chance.
	assert_true(seen.step_count >= 155);
}

static void same_seed_same_life(void **state)
{
	(void)state;
	struct forged one = forge_raw("live{operations = 120, seed = 5}", NULL);
	struct forged same = forge_raw("live{operations = 120, seed = 5}", NULL);
	struct forged other = forge_raw("live{operations = 120, seed = 6}", NULL);
	assert_int_equal(one.size, same.size);
	assert_memory_equal(one.bytes, same.bytes, one.size);
	assert_true(other.size != one.size || memcmp(one.bytes, other.bytes, one.size) != 0);
	forged_free(&one);
	forged_free(&same);
	forged_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stops_everywhere),
	    cmocka_unit_test(same_seed_same_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
