// SPDX-License-Identifier: Apache-2.0
// What all processes map, read before any of them is judged: some of it can only be judged over all of them together.
#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "base/workers.h"
#include "check/check.h"

static int by_area(const void *a, const void *b)
{
	const struct inv_view *left = a, *right = b;
	if (left->area != right->area)
		return left->area < right->area ? -1 : 1;
	return (left->vad > right->vad) - (left->vad < right->vad);
}

static int by_start(const void *a, const void *b)
{
	const struct inv_prototypes *left = a, *right = b;
	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (left->area > right->area) - (left->area < right->area);
}

// Whoever has windows has user32, which enters its table of routines into the PEB.
static void add_routines(const struct inv_dossiers *dossiers, const struct inv_dossier *process,
                         const struct inv_vad_tree *tree, struct inv_views *views)
{
	struct inv_value peb = inv_field(dossiers->kernel, process->address, INV_F_EPROCESS_Peb);
	struct inv_why why;
	struct inv_user *user = peb.ok && peb.u ? inv_user_open(dossiers->kernel, process->address, &why) : NULL;
	if (!user)
		return;
	struct inv_value table = inv_user_field(user, peb.u, INV_F_PEB_KernelCallbackTable);
	const struct inv_vad *vad = table.ok && table.u ? inv_vad_at(tree, table.u) : NULL;
	struct inv_window_routines routines = {process->address, table.u,
	                                       vad && vad->type == INV_VAD_IMAGE ? vad->control_area : 0};
	if (table.ok && table.u)
		inv_push(views->routines, routines);
	inv_user_close(user);
}

static void add_views(const struct inv_dossiers *dossiers, const struct inv_dossier *process, struct inv_views *views)
{
	struct inv_vad_tree tree;
	inv_vad_tree_read(dossiers->kernel, process->address, &tree);
	for (size_t i = 0; i < inv_count(tree.vads) && !views->full; i++) {
		const struct inv_vad *vad = &tree.vads[i];
		struct inv_view view = {.vad = vad->address, .area = vad->control_area, .process = process->address};
		views->full = inv_count(views->views) >= INV_VIEWS_BOUND;
		if (view.area && !views->full)
			inv_push(views->views, view);
	}
	if (!tree.complete)
		inv_push(views->incomplete, process->address); // in order of addresses, as the dossiers are
	add_routines(dossiers, process, &tree, views);
	inv_vad_tree_free(&tree);
}

static void add_prototypes(struct inv_views *views, const struct inv_control_area *area)
{
	for (size_t i = 0; area && i < inv_count(area->subsections); i++) {
		uint64_t base = area->subsections[i].base, size = (uint64_t)area->subsections[i].pages * sizeof(uint64_t);
		struct inv_prototypes prototypes = {.start = base, .end = base + size, .area = area->address};
		if (base && size && base + size > base)
			inv_push(views->prototypes, prototypes);
	}
}

// So many processes are read by one thread at a time, and so many of their parts are kept before they are joined: what all of
// them may hold together would not fit.
#define PROCESSES_A_PART 64u
#define PARTS_AT_ONCE 16u

struct reading {
	const struct inv_dossiers *dossiers;
	size_t first;
	struct inv_views parts[PARTS_AT_ONCE];
};

static void read_part(void *context, size_t first, size_t end)
{
	struct reading *reading = context;
	for (size_t i = reading->first + first; i < reading->first + end; i++) {
		const struct inv_dossier *process = &reading->dossiers->processes[i];
		inv_progress_add(reading->dossiers->kernel->progress, 1);
		if (inv_progress_stopped(reading->dossiers->kernel->progress)) // then nothing is judged by them
			return;
		if (inv_is_live(process) && process->role != INV_ROLE_IDLE)
			add_views(reading->dossiers, process, &reading->parts[first / PROCESSES_A_PART]);
	}
}

static void join_part(struct inv_views *views, struct inv_views *part)
{
	size_t room = INV_VIEWS_BOUND - inv_count(views->views);
	views->full |= part->full || inv_count(part->views) > room;
	for (size_t i = 0; i < inv_count(part->views) && i < room; i++)
		inv_push(views->views, part->views[i]);
	for (size_t i = 0; i < inv_count(part->incomplete); i++)
		inv_push(views->incomplete, part->incomplete[i]);
	for (size_t i = 0; i < inv_count(part->routines); i++)
		inv_push(views->routines, part->routines[i]);
	inv_array_free(part->views);
	inv_array_free(part->incomplete);
	inv_array_free(part->routines);
	*part = (struct inv_views){0};
}

static void read_processes(const struct inv_dossiers *dossiers, unsigned threads, struct inv_views *views)
{
	const size_t most = (size_t)PROCESSES_A_PART * PARTS_AT_ONCE;
	struct reading reading = {.dossiers = dossiers};
	for (; reading.first < dossiers->process_count; reading.first += most) {
		size_t left = dossiers->process_count - reading.first;
		inv_workers_spans(threads, left < most ? left : most, PROCESSES_A_PART, read_part, &reading);
		for (size_t i = 0; i < PARTS_AT_ONCE; i++)
			join_part(views, &reading.parts[i]);
	}
}

// -- what the images of many are --------------------------------------------------------------------------------------------

static size_t count_different(uint64_t *numbers)
{
	size_t different = 0;
	inv_numbers_sort(numbers);
	for (size_t i = 0; i < inv_count(numbers); i++)
		different += i == 0 || numbers[i] != numbers[i - 1];
	return different;
}

// No name says which image has the routines: the processes that have them do.
static void find_window_images(struct inv_views *views)
{
	uint64_t *areas = NULL;
	for (size_t i = 0; i < inv_count(views->routines); i++)
		if (views->routines[i].area)
			inv_push(areas, views->routines[i].area);
	(void)count_different(areas);
	for (size_t i = 0, next; i < inv_count(areas); i = next) {
		for (next = i + 1; next < inv_count(areas) && areas[next] == areas[i];)
			next++;
		if (next - i >= INV_VOTE_LEAST)
			inv_push(views->window_images, areas[i]);
	}
	inv_array_free(areas);
}

static bool is_client(const struct inv_dossiers *dossiers, uint64_t process)
{
	struct inv_value port = inv_field(dossiers->kernel, process, INV_F_EPROCESS_ExceptionPortData);
	return port.ok && port.u != 0;
}

// Most images are mapped by few: only of those that many map is it asked who these are.
static void find_client_images(const struct inv_dossiers *dossiers, struct inv_control_areas *sections,
                               struct inv_views *views)
{
	size_t clients = 0, count = inv_count(views->views);
	for (size_t i = 0; i < dossiers->process_count; i++)
		clients += inv_is_live(&dossiers->processes[i]) && is_client(dossiers, dossiers->processes[i].address);
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t *who = NULL;
		for (next = i + 1; next < count && views->views[next].area == views->views[i].area;)
			next++;
		if (next - i < INV_VOTE_LEAST || next - i <= clients / 2)
			continue;
		const struct inv_control_area *area = inv_control_area_at(sections, views->views[i].area);
		for (size_t j = i; j < next && area && area->is_image.ok && area->is_image.u; j++)
			if (is_client(dossiers, views->views[j].process))
				inv_push(who, views->views[j].process);
		size_t mapping = count_different(who);
		if (mapping >= INV_VOTE_LEAST && mapping > clients / 2)
			inv_push(views->client_images, views->views[i].area);
		inv_array_free(who);
	}
}

struct inv_views *inv_views_read(const struct inv_dossiers *dossiers, struct inv_control_areas *sections,
                                 unsigned threads)
{
	struct inv_views *views = inv_alloc(sizeof *views);
	inv_progress_begin(dossiers->kernel->progress, INV_PHASE_VIEWS, dossiers->process_count);
	read_processes(dossiers, threads, views);
	if (views->views)
		qsort(views->views, inv_count(views->views), sizeof *views->views, by_area);
	for (size_t i = 0; i < inv_count(views->views); i++)
		if (i == 0 || views->views[i].area != views->views[i - 1].area)
			add_prototypes(views, inv_control_area_at(sections, views->views[i].area));
	find_window_images(views);
	find_client_images(dossiers, sections, views);
	if (views->prototypes)
		qsort(views->prototypes, inv_count(views->prototypes), sizeof *views->prototypes, by_start);
	return views;
}

void inv_views_free(struct inv_views *views)
{
	if (!views)
		return;
	inv_array_free(views->views);
	inv_array_free(views->prototypes);
	inv_array_free(views->incomplete);
	inv_array_free(views->routines);
	inv_array_free(views->window_images);
	inv_array_free(views->client_images);
	free(views);
}
