// SPDX-License-Identifier: Apache-2.0
// The automaton of lifetime.md, D.2, read backwards: from what the records say to the state they allow.
#include "check/check.h"

static bool is_scheduled(const struct inv_dossier *process)
{
	return process->on_scheduler_list == INV_YES || (process->seen_by & 1u << INV_W_CPU) != 0;
}

static enum inv_state listed_state(bool inserted, bool exited, bool dying, bool threads, bool scheduled)
{
	if (!inserted)
		return exited ? INV_STATE_DELETING : INV_STATE_CREATED;
	if (exited && !threads)
		return scheduled ? INV_STATE_EXITING : INV_STATE_ZOMBIE;
	if (dying)
		return INV_STATE_EXITING;
	return threads ? INV_STATE_RUNNING : INV_STATE_CREATED;
}

enum inv_state inv_process_state(const struct inv_kernel *kernel, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE)
		return INV_STATE_RUNNING;
	struct inv_value inserted = inv_field(kernel, process->address, INV_F_EPROCESS_ProcessInserted);
	struct inv_value exit_time = inv_field(kernel, process->address, INV_F_EPROCESS_ExitTime);
	struct inv_value threads = inv_field(kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	struct inv_value dying = inv_field(kernel, process->address, INV_F_EPROCESS_ProcessDelete);
	if (!inserted.ok || !exit_time.ok || !threads.ok)
		return INV_STATE_UNKNOWN;
	bool scheduled = is_scheduled(process);
	if (process->on_active_list == INV_NO) {
		if (inserted.u || (scheduled && threads.u))
			return INV_STATE_HIDDEN;
		return exit_time.u ? INV_STATE_FREED : INV_STATE_CREATED;
	}
	return listed_state(inserted.u != 0, exit_time.u != 0, dying.ok && dying.u != 0, threads.u != 0, scheduled);
}
