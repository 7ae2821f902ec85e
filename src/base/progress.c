// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <stddef.h>

const char *inv_phase_name(enum inv_phase phase)
{
	static const char *const names[INV_PHASE_COUNT] = {
	    [INV_PHASE_NONE] = "nothing is done",
	    [INV_PHASE_OPEN] = "the image is opened",
	    [INV_PHASE_IDENTIFY] = "the kernel is identified",
	    [INV_PHASE_SWEEP] = "memory is swept",
	    [INV_PHASE_WITNESSES] = "witnesses are heard",
	    [INV_PHASE_ASSEMBLE] = "dossiers are assembled",
	    [INV_PHASE_VIEWS] = "mappings are read",
	    [INV_PHASE_INVARIANTS] = "invariants are judged",
	    [INV_PHASE_INSIDES] = "processes are looked into",
	    [INV_PHASE_SMEAR] = "smear is weighed",
	    [INV_PHASE_RULES] = "memory is searched by rules",
	};
	return names[phase];
}

struct inv_progress_state inv_progress_look(struct inv_progress *progress)
{
	struct inv_progress_state state = {0};
	if (!progress)
		return state;
	state.phase = (enum inv_phase)atomic_load_explicit(&progress->phase, memory_order_relaxed);
	state.done = atomic_load_explicit(&progress->done, memory_order_relaxed);
	state.total = atomic_load_explicit(&progress->total, memory_order_relaxed);
	return state;
}

void inv_progress_begin(struct inv_progress *progress, enum inv_phase phase, uint64_t total)
{
	if (!progress || inv_progress_stopped(progress))
		return;
	atomic_store_explicit(&progress->done, 0, memory_order_relaxed);
	atomic_store_explicit(&progress->total, total, memory_order_relaxed);
	atomic_store_explicit(&progress->phase, (int)phase, memory_order_relaxed);
}

void inv_progress_add(struct inv_progress *progress, uint64_t done)
{
	if (progress)
		atomic_fetch_add_explicit(&progress->done, done, memory_order_relaxed);
}

void inv_progress_over(struct inv_progress *progress)
{
	if (progress && progress->over)
		progress->over(progress->context);
}

void inv_progress_stop(struct inv_progress *progress)
{
	if (progress)
		atomic_store_explicit(&progress->stop, true, memory_order_relaxed);
}

bool inv_progress_stopped(struct inv_progress *progress)
{
	return progress && atomic_load_explicit(&progress->stop, memory_order_relaxed);
}
