// SPDX-License-Identifier: Apache-2.0
// Every job is done once, whatever the number of threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/workers.h"

struct jobs {
	unsigned *times;
	uint64_t *results;
};

static void work(void *context, size_t index)
{
	struct jobs *jobs = context;
	jobs->times[index]++;
	jobs->results[index] = index * index;
}

static void check(unsigned threads, size_t count)
{
	struct jobs jobs = {inv_alloc((count + 1) * sizeof *jobs.times), inv_alloc((count + 1) * sizeof *jobs.results)};
	inv_workers_run(threads, count, work, &jobs);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(jobs.times[i], 1);
		assert_int_equal(jobs.results[i], i * i);
	}
	assert_int_equal(jobs.times[count], 0);
	free(jobs.times);
	free(jobs.results);
}

static void every_job_is_done_once(void **state)
{
	(void)state;
	static const unsigned threads[] = {0, 1, 2, 7, 1000};
	static const size_t counts[] = {0, 1, 2, 100, 10007};
	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
		for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
			check(threads[i], counts[j]);
}

static void there_is_a_cpu(void **state)
{
	(void)state;
	assert_true(inv_workers_default() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_job_is_done_once),
	    cmocka_unit_test(there_is_a_cpu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
