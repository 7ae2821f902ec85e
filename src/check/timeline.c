// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "base/workers.h"
#include "check/motion.h"

#define SECOND 10000000ull // FILETIME units
// An acquisition takes at most two minutes, and a second for every 4 MiB: slower ones are not in use.
#define LEAST_WINDOW (120 * SECOND)
#define SLOWEST ((uint64_t)4 << 20)

uint64_t inv_place(const struct inv_kernel *kernel, uint64_t address)
{
	uint64_t physical;
	return inv_space_translate(kernel->space, address, &physical, NULL) ? physical : INV_NOWHERE;
}

static int by_place(const void *a, const void *b)
{
	const struct inv_moment *left = a, *right = b;
	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return (left->time > right->time) - (left->time < right->time);
}

static void read_moment(const struct inv_timeline *timeline, const struct inv_kernel *kernel, uint64_t object,
                        enum inv_field field, struct inv_moment *moment)
{
	struct inv_value time = inv_field(kernel, object, field);
	moment->place = INV_NOWHERE;
	if (!time.ok || time.u == 0 || time.u > timeline->clock + timeline->longest)
		return;
	*moment = (struct inv_moment){.place = inv_place(kernel, time.address), .time = time.u};
}

#define OBJECTS_A_JOB 1024u
#define PROCESS_TIMES 2u

struct times {
	const struct inv_dossiers *dossiers;
	const struct inv_timeline *timeline;
	struct inv_moment *moments; // PROCESS_TIMES of each process, then one of each thread
};

// The time of an exit that nothing else bears out may be forged, and would set the clock for all others.
static bool has_exited(const struct inv_dossier *process)
{
	return process->state == INV_STATE_EXITING || process->state == INV_STATE_ZOMBIE ||
	       process->state == INV_STATE_DELETING || process->state == INV_STATE_FREED;
}

static void read_process_times(void *context, size_t first, size_t end)
{
	const struct times *times = context;
	const struct inv_kernel *kernel = times->dossiers->kernel;
	for (size_t i = first; i < end; i++) {
		const struct inv_dossier *process = &times->dossiers->processes[i];
		struct inv_moment *moments = &times->moments[PROCESS_TIMES * i];
		read_moment(times->timeline, kernel, process->address, INV_F_EPROCESS_CreateTime, &moments[0]);
		moments[1].place = INV_NOWHERE;
		if (has_exited(process))
			read_moment(times->timeline, kernel, process->address, INV_F_EPROCESS_ExitTime, &moments[1]);
	}
}

static void read_thread_times(void *context, size_t first, size_t end)
{
	const struct times *times = context;
	struct inv_moment *moments = &times->moments[PROCESS_TIMES * times->dossiers->process_count];
	for (size_t i = first; i < end; i++)
		read_moment(times->timeline, times->dossiers->kernel, times->dossiers->threads[i].address,
		            INV_F_ETHREAD_CreateTime, &moments[i]);
}

// Objects lie all over memory: they are read by several threads, each into a place of its own.
static void read_times(const struct inv_dossiers *dossiers, unsigned threads, struct inv_timeline *timeline)
{
	size_t count = PROCESS_TIMES * dossiers->process_count + dossiers->thread_count, kept = 0;
	if (count == 0)
		return;
	stbds_arrsetlen(timeline->moments, count);
	struct times times = {dossiers, timeline, timeline->moments};
	inv_workers_spans(threads, dossiers->process_count, OBJECTS_A_JOB, read_process_times, &times);
	inv_workers_spans(threads, dossiers->thread_count, OBJECTS_A_JOB, read_thread_times, &times);
	for (size_t i = 0; i < count; i++)
		if (timeline->moments[i].place != INV_NOWHERE)
			timeline->moments[kept++] = timeline->moments[i];
	stbds_arrsetlen(timeline->moments, kept);
}

// The second greatest time of two different objects so far.
static void let_pass(struct inv_timeline *timeline)
{
	uint64_t greatest = 0, second = 0;
	for (size_t i = 0; i < inv_count(timeline->moments); i++) {
		struct inv_moment *moment = &timeline->moments[i];
		if (moment->time > greatest) {
			second = greatest;
			greatest = moment->time;
		} else if (moment->time > second) {
			second = moment->time;
		}
		bool clock = timeline->clock_place != INV_NOWHERE && moment->place >= timeline->clock_place;
		moment->passed = clock && timeline->clock > second ? timeline->clock : second;
	}
}

void inv_timeline_make(const struct inv_dossiers *dossiers, unsigned threads, struct inv_timeline *timeline)
{
	const struct inv_kernel *kernel = dossiers->kernel;
	*timeline = (struct inv_timeline){.clock_place = INV_NOWHERE};
	timeline->longest = LEAST_WINDOW + inv_image_info(kernel->image)->highest / SLOWEST * SECOND;
	if (kernel->system_time.ok) {
		timeline->clock = kernel->system_time.u;
		timeline->clock_place = inv_place(kernel, kernel->system_time.address);
	}
	read_times(dossiers, threads, timeline);
	if (timeline->moments)
		qsort(timeline->moments, inv_count(timeline->moments), sizeof *timeline->moments, by_place);
	let_pass(timeline);
}

void inv_timeline_free(struct inv_timeline *timeline)
{
	inv_array_free(timeline->moments);
}
