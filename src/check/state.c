// SPDX-License-Identifier: Apache-2.0
// The automaton of lifetime.md, D.2, read backwards: from what the records say to the state they allow.
#include "check/check.h"

static bool is_scheduled(const struct inv_dossier *process)
{
	return process->on_scheduler_list == INV_YES ||
	       (process->seen_by & (INV_BIT(INV_W_CPU) | INV_BIT(INV_W_THREAD))) != 0;
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

static bool has_header(const struct inv_testimony *testimony, uint64_t process)
{
	const struct inv_object_types *types = &testimony->types;
	struct inv_value index =
	    inv_object_type_index(testimony->kernel, types, inv_object_header(testimony->kernel, process));
	return index.ok && types->process_id.ok && index.u == types->process_id.u;
}

// PspProcessDelete clears ProcessInserted before all else, and the last reference is gone by then. What overwrites freed
// memory may set the flag again, so it counts only with what shows that the object is whole.
static enum inv_state inserted_state(const struct inv_testimony *testimony, const struct inv_dossier *process,
                                     bool exited)
{
	struct inv_value references =
	    inv_object_field(testimony->kernel, process->address, INV_F_OBJECT_HEADER_PointerCount);
	bool header = references.ok && has_header(testimony, process->address);
	if (process->owns_root == INV_YES && !exited)
		return INV_STATE_HIDDEN;
	if (header && references.u == 0)
		return INV_STATE_FREED;
	return header && process->owns_root == INV_YES ? INV_STATE_HIDDEN : INV_STATE_UNKNOWN;
}

enum inv_state inv_swept_state(const struct inv_testimony *testimony, const struct inv_dossier *process)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value inserted = inv_field(kernel, process->address, INV_F_EPROCESS_ProcessInserted);
	struct inv_value exit_time = inv_field(kernel, process->address, INV_F_EPROCESS_ExitTime);
	struct inv_value threads = inv_field(kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	struct inv_value signal = inv_field(kernel, process->address, INV_F_DISPATCHER_HEADER_SignalState);
	if (!inserted.ok || !exit_time.ok || !threads.ok || !signal.ok)
		return INV_STATE_UNKNOWN;
	bool exited = exit_time.u != 0 && signal.u != 0;
	if (inserted.u)
		return inserted_state(testimony, process, exited);
	if (exit_time.u)
		return INV_STATE_FREED;
	bool alive = process->owns_root == INV_YES && threads.u != 0 && signal.u == 0;
	return alive ? INV_STATE_HIDDEN : INV_STATE_CREATED;
}

enum inv_state inv_process_state(const struct inv_testimony *testimony, const struct inv_dossier *process)
{
	const struct inv_kernel *kernel = testimony->kernel;
	if (inv_is_only_swept(process))
		return inv_swept_state(testimony, process);
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
