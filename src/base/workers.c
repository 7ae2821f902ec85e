// SPDX-License-Identifier: Apache-2.0
#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct work {
	atomic_size_t next;
	size_t count;
	void (*job)(void *context, size_t index);
	void *context;
};

// Asked of the scheduler: what the C library answers comes from files, which the sandbox hides.
unsigned inv_workers_default(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	int count = CPU_COUNT(&set);
	return count < 1 ? 1 : (unsigned)count;
}

static void *work_on(void *argument)
{
	struct work *work = argument;
	for (;;) {
		size_t index = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
		if (index >= work->count)
			return NULL;
		work->job(work->context, index);
	}
}

void inv_workers_run(unsigned threads, size_t count, void (*job)(void *context, size_t index), void *context)
{
	struct work work = {.count = count, .job = job, .context = context};
	if (threads == 0)
		threads = inv_workers_default();
	if (threads > INV_MAX_WORKERS)
		threads = INV_MAX_WORKERS;
	if (threads > count)
		threads = (unsigned)count;
	pthread_t helpers[INV_MAX_WORKERS];
	unsigned started = 0;
	while (started + 1 < threads && pthread_create(&helpers[started], NULL, work_on, &work) == 0)
		started++;
	work_on(&work);
	for (unsigned i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
}

struct spans {
	size_t count;
	size_t span;
	void (*job)(void *context, size_t first, size_t end);
	void *context;
};

static void work_on_span(void *context, size_t index)
{
	const struct spans *spans = context;
	size_t first = index * spans->span, left = spans->count - first;
	spans->job(spans->context, first, first + (left < spans->span ? left : spans->span));
}

void inv_workers_spans(unsigned threads, size_t count, size_t span,
                       void (*job)(void *context, size_t first, size_t end), void *context)
{
	struct spans spans = {count, span, job, context};
	inv_workers_run(threads, count / span + (count % span != 0), work_on_span, &spans);
}
