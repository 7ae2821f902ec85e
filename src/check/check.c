// SPDX-License-Identifier: Apache-2.0
#include "check/check.h"

#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// What the processes and threads that are known have with win32k and dxgkrnl.
static void read_subsystems(struct inv_check *check)
{
	struct inv_win32k *win32k = check->testimony->win32k;
	struct inv_dxgkrnl *dxgkrnl = check->testimony->dxgkrnl;
	const struct inv_dossiers *dossiers = &check->dossiers;
	for (size_t i = 0; i < dossiers->process_count; i++) {
		if (!inv_is_live(&dossiers->processes[i]))
			continue;
		inv_win32k_add_process(win32k, dossiers->processes[i].address);
		inv_dxgkrnl_add_process(dxgkrnl, dossiers->processes[i].address);
	}
	for (size_t i = 0; i < dossiers->thread_count; i++)
		if (dossiers->threads[i].process.ok)
			inv_win32k_add_thread(win32k, dossiers->threads[i].address, dossiers->threads[i].process.u);
	inv_win32k_settle(win32k);
	inv_dxgkrnl_settle(dxgkrnl);
}

// When it was interrupted, and what was not done because of that.
static const char *interrupted_when(const struct inv_check *check)
{
	struct inv_progress_state at = inv_progress_look(check->kernel->progress);
	const char *when = inv_phase_name(at.phase);
	if (at.phase == INV_PHASE_SWEEP)
		return inv_arena_printf(
		    check->arena, "interrupted while %s, after %u %%: what only that finds is missing, and nothing was judged",
		    when, at.total ? (unsigned)((double)at.done * 100 / (double)at.total) : 0);
	if (at.phase < INV_PHASE_INVARIANTS)
		return inv_arena_printf(check->arena, "interrupted while %s: nothing was judged", when);
	if (at.phase == INV_PHASE_SMEAR || at.phase == INV_PHASE_RULES)
		return inv_arena_printf(check->arena, "interrupted while %s", when);
	return inv_arena_printf(check->arena, "interrupted while %s, after %llu of %llu: the others were not%s", when,
	                        (unsigned long long)(at.done < at.total ? at.done : at.total), (unsigned long long)at.total,
	                        at.phase == INV_PHASE_INVARIANTS ? ", and no process was looked into" : "");
}

struct inv_check *inv_check_run(const struct inv_kernel *kernel, const struct inv_check_options *options)
{
	double start = now();
	struct inv_check *check = inv_alloc(sizeof *check);
	check->kernel = kernel;
	check->arena = inv_arena_new();
	if (options->swept)
		check->sweep = inv_sweep_run(kernel, options->threads);
	if (check->sweep && check->sweep->interrupted) { // half of it would make others look as if they lied
		inv_sweep_free(check->sweep);
		check->sweep = NULL;
	}
	check->testimony = inv_testimony_collect(kernel, check->sweep, options->threads);
	inv_progress_begin(kernel->progress, INV_PHASE_ASSEMBLE, 0);
	inv_assemble(check->testimony, check->arena, &check->dossiers, &check->cut_short);
	if (check->sweep && check->sweep->cut_short && !check->cut_short)
		check->cut_short = check->sweep->cut_short;
	if (options->judged) {
		read_subsystems(check);
		inv_sort_handles(check->testimony);
		inv_sort_pointers(check->testimony);
		inv_sort_backlinks(check->testimony);
		check->sections = inv_control_areas_new(kernel);
		check->views = inv_views_read(&check->dossiers, check->sections, options->threads);
		check->dossiers.views = check->views;
		inv_judge_all(&check->judge, &check->dossiers, check->arena, options->threads);
		inv_judge_insides(check, options->threads);
		inv_judge_settle(&check->judge);
		if (check->judge.beyond && !check->cut_short)
			check->cut_short = "more is broken than is kept; the counts are whole";
		inv_progress_begin(kernel->progress, INV_PHASE_SMEAR, 0);
		inv_smear_weigh(check, options->threads);
	}
	check->interrupted = inv_progress_stopped(kernel->progress);
	if (check->interrupted)
		check->cut_short = interrupted_when(check);
	inv_progress_over(kernel->progress);
	check->seconds = now() - start;
	return check;
}

void inv_check_free(struct inv_check *check)
{
	if (!check)
		return;
	inv_judge_free(&check->judge);
	inv_views_free(check->views);
	free(check->classes);
	inv_control_areas_free(check->sections);
	inv_dossiers_free(&check->dossiers);
	inv_testimony_free(check->testimony);
	inv_sweep_free(check->sweep);
	inv_arena_free(check->arena);
	free(check);
}
