// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
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

static void add_moment(struct inv_timeline *timeline, const struct inv_kernel *kernel, uint64_t object,
                       enum inv_field field)
{
	struct inv_value time = inv_field(kernel, object, field);
	if (!time.ok || time.u == 0 || time.u > timeline->clock + timeline->longest)
		return;
	struct inv_moment moment = {.place = inv_place(kernel, time.address), .time = time.u};
	if (moment.place != INV_NOWHERE)
		inv_push(timeline->moments, moment);
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

void inv_timeline_make(const struct inv_dossiers *dossiers, struct inv_timeline *timeline)
{
	const struct inv_kernel *kernel = dossiers->kernel;
	*timeline = (struct inv_timeline){.clock_place = INV_NOWHERE};
	timeline->longest = LEAST_WINDOW + inv_image_info(kernel->image)->highest / SLOWEST * SECOND;
	if (kernel->system_time.ok) {
		timeline->clock = kernel->system_time.u;
		timeline->clock_place = inv_place(kernel, kernel->system_time.address);
	}
	for (size_t i = 0; i < dossiers->process_count; i++) {
		add_moment(timeline, kernel, dossiers->processes[i].address, INV_F_EPROCESS_CreateTime);
		add_moment(timeline, kernel, dossiers->processes[i].address, INV_F_EPROCESS_ExitTime);
	}
	for (size_t i = 0; i < dossiers->thread_count; i++)
		add_moment(timeline, kernel, dossiers->threads[i].address, INV_F_ETHREAD_CreateTime);
	if (timeline->moments)
		qsort(timeline->moments, inv_count(timeline->moments), sizeof *timeline->moments, by_place);
	let_pass(timeline);
}

void inv_timeline_free(struct inv_timeline *timeline)
{
	inv_array_free(timeline->moments);
}
