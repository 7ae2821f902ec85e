// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/command.h"
#include "nt/apc.h"
#include "nt/section.h"
#include "nt/thread.h"
#include "nt/user_thread.h"
#include "nt/vad.h"
#include "paging/frame.h"

// The ranges of the process whose threads are shown now; those of another one take their place.
struct ranges {
	uint64_t process; // 0: none
	struct inv_vad_tree tree;
	struct inv_control_areas *sections;
};

struct listing {
	const struct inv_kernel *kernel;
	const struct inv_check *check;
	struct inv_arena *arena;
	struct inv_table *table;
	struct ranges ranges;
};

static const char *last_part(const char *path)
{
	const char *last = strrchr(path, '\\');
	return last ? last + 1 : path;
}

static const struct inv_vad *range_at(struct listing *listing, uint64_t process, uint64_t address)
{
	struct ranges *ranges = &listing->ranges;
	if (ranges->process != process) {
		if (ranges->process)
			inv_vad_tree_free(&ranges->tree);
		ranges->process = process;
		inv_vad_tree_read(listing->kernel, process, &ranges->tree);
	}
	return inv_vad_at(&ranges->tree, address);
}

// What an address lies in: a module of the kernel, the file of a range, "private" or "data"; NULL: nothing that is known.
static const char *module_at(struct listing *listing, uint64_t process, const struct inv_value *address)
{
	if (!address->ok || address->u == 0)
		return NULL;
	if (address->u >= INV_KERNEL_HALF) {
		const struct inv_module *module = inv_kernel_module_at(listing->kernel, address->u);
		return module ? module->name : NULL;
	}
	const struct inv_vad *vad = process ? range_at(listing, process, address->u) : NULL;
	if (!vad)
		return NULL;
	if (vad->is_private)
		return "private";
	const struct inv_control_area *area = inv_control_area_at(listing->ranges.sections, vad->control_area);
	if (!area || !*area->file.name)
		return vad->type == INV_VAD_IMAGE ? "image" : "data";
	return vad->type == INV_VAD_IMAGE ? last_part(area->file.name)
	                                  : inv_arena_printf(listing->arena, "data of %s", last_part(area->file.name));
}

static void add_named(struct inv_table *table, const struct inv_value *value, const char *name)
{
	if (name)
		inv_table_text(table, name);
	else
		inv_table_value(table, value, INV_CELL_NUMBER);
}

// Only a thread that waits has a reason; the field keeps that of the last time.
static void add_state(struct listing *listing, uint64_t thread)
{
	struct inv_value state = inv_field(listing->kernel, thread, INV_F_KTHREAD_State);
	struct inv_value reason = inv_field(listing->kernel, thread, INV_F_KTHREAD_WaitReason);
	struct inv_value suspended = inv_field(listing->kernel, thread, INV_F_KTHREAD_SuspendCount);
	add_named(listing->table, &state, state.ok ? inv_thread_state_name(state.u) : NULL);
	if (state.ok && state.u != INV_KTHREAD_WAITING)
		inv_table_text(listing->table, NULL);
	else
		add_named(listing->table, &reason, reason.ok ? inv_wait_reason_name(reason.u) : NULL);
	inv_table_value(listing->table, &suspended, INV_CELL_NUMBER);
}

static void add_times(struct listing *listing, uint64_t thread)
{
	struct inv_value created = inv_field(listing->kernel, thread, INV_F_ETHREAD_CreateTime);
	struct inv_value exited = inv_field(listing->kernel, thread, INV_F_ETHREAD_ExitTime);
	struct inv_value terminated = inv_field(listing->kernel, thread, INV_F_ETHREAD_Terminated);
	inv_table_value(listing->table, &created, INV_CELL_TIME);
	// Until the thread ends, ExitTime shares its place with a list (KeyedWaitChain).
	if (exited.ok && terminated.ok && !terminated.u)
		inv_table_text(listing->table, NULL);
	else
		inv_table_value(listing->table, &exited, INV_CELL_TIME);
}

static void add_address(struct listing *listing, uint64_t process, const struct inv_value *address)
{
	inv_table_value(listing->table, address, INV_CELL_ADDRESS);
	inv_table_text(listing->table, module_at(listing, process, address));
}

// Where it is in user mode. A thread that has no trap frame, or one of the kernel's, is nowhere there.
static void add_context(struct listing *listing, uint64_t process, uint64_t thread)
{
	struct inv_trap_frame frame;
	inv_trap_frame_read(listing->kernel, thread, &frame);
	if (frame.address.ok && (frame.address.u == 0 || (frame.cs.ok && !frame.user))) {
		inv_table_text(listing->table, NULL);
		inv_table_text(listing->table, NULL);
		inv_table_text(listing->table, NULL);
		return;
	}
	add_address(listing, process, &frame.rip);
	inv_table_value(listing->table, &frame.rsp, INV_CELL_ADDRESS);
}

// How many wait, of the kernel's and of user mode's.
static void add_apcs(struct listing *listing, uint64_t thread)
{
	struct inv_apcs apcs;
	size_t counts[INV_APC_QUEUES] = {0};
	inv_apcs_read(listing->kernel, thread, listing->arena, &apcs);
	for (size_t i = 0; i < inv_count(apcs.apcs); i++)
		counts[apcs.apcs[i].queue]++;
	const struct inv_apc_head *heads = apcs.heads[0];
	for (int queue = 0; queue < INV_APC_QUEUES; queue++) {
		if (heads[queue].address && heads[queue].first.ok && !heads[queue].blank)
			inv_table_number(listing->table, counts[queue]);
		else if (heads[queue].address && !heads[queue].first.ok)
			inv_table_absent(listing->table, &heads[queue].first.why);
		else
			inv_table_text(listing->table, NULL);
	}
	inv_apcs_free(&apcs);
}

static void add_thread(struct listing *listing, const struct inv_thread_dossier *thread)
{
	uint64_t process = thread->process.ok ? thread->process.u : 0;
	const struct inv_dossier *owner = process ? inv_dossier_at(&listing->check->dossiers, process) : NULL;
	struct inv_value start = inv_field(listing->kernel, thread->address, INV_F_ETHREAD_StartAddress);
	struct inv_value win32 = inv_field(listing->kernel, thread->address, INV_F_ETHREAD_Win32StartAddress);
	struct inv_value teb = inv_field(listing->kernel, thread->address, INV_F_KTHREAD_Teb);
	inv_table_value(listing->table, &thread->cid_process, INV_CELL_NUMBER);
	inv_table_value(listing->table, &thread->cid_thread, INV_CELL_NUMBER);
	inv_table_text(listing->table, owner ? owner->name : NULL);
	add_state(listing, thread->address);
	add_times(listing, thread->address);
	add_address(listing, owner ? process : 0, &start);
	add_address(listing, owner ? process : 0, &win32);
	add_context(listing, owner ? process : 0, thread->address);
	inv_table_value(listing->table, &teb, INV_CELL_ADDRESS);
	add_apcs(listing, thread->address);
	inv_table_value(listing->table, &thread->process, INV_CELL_ADDRESS);
	inv_table_address(listing->table, thread->address);
}

// By the thread's own word, or by the list that it stands on.
static bool is_wanted(const struct inv_check *check, const struct inv_thread_dossier *thread,
                      const struct inv_wanted *wanted)
{
	const struct inv_dossier *owner = thread->owner ? inv_dossier_at(&check->dossiers, thread->owner) : NULL;
	uint64_t number = wanted->number;
	if (wanted->by_address)
		return (thread->process.ok && thread->process.u == number) || thread->owner == number;
	return (thread->cid_process.ok && thread->cid_process.u == number) ||
	       (owner && owner->pid.ok && owner->pid.u == number);
}

static int by_process(const void *a, const void *b)
{
	const struct inv_thread_dossier *left = *(const struct inv_thread_dossier *const *)a,
	                                *right = *(const struct inv_thread_dossier *const *)b;
	if (left->process.u != right->process.u)
		return left->process.u < right->process.u ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

// In the order of processes, so that the ranges of each are read once.
static const struct inv_thread_dossier **choose(const struct inv_check *check, const struct inv_wanted *wanted)
{
	const struct inv_thread_dossier **chosen = NULL;
	for (size_t i = 0; i < check->dossiers.thread_count; i++)
		if (!wanted->text || is_wanted(check, &check->dossiers.threads[i], wanted))
			inv_push(chosen, &check->dossiers.threads[i]);
	if (chosen)
		qsort(chosen, inv_count(chosen), sizeof(struct inv_thread_dossier *), by_process);
	return chosen;
}

enum inv_exit inv_run_threads(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"pid",         "tid",          "name",      "state",      "wait reason",
	                                      "suspended",   "created",      "exited",    "start",      "start module",
	                                      "win32 start", "win32 module", "user rip",  "rip module", "user rsp",
	                                      "teb",         "kernel apcs",  "user apcs", "process",    "address"};
	const struct inv_kernel *kernel = session->kernel;
	struct inv_wanted wanted;
	if (inv_wanted_parse(session->options->argument_count < 2 ? NULL : session->options->arguments[1], &wanted,
	                     error) != INV_OK)
		return INV_EXIT_USAGE;
	struct inv_check_options how = {.swept = session->options->all, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(kernel, &how);
	struct listing listing = {.kernel = kernel,
	                          .check = check,
	                          .arena = inv_arena_new(),
	                          .table = inv_table_new(columns, sizeof columns / sizeof columns[0]),
	                          .ranges.sections = inv_control_areas_new(kernel)};
	const struct inv_thread_dossier **chosen = choose(check, &wanted);
	for (size_t i = 0; i < inv_count(chosen); i++)
		add_thread(&listing, chosen[i]);
	if (inv_count(chosen) > 0 || !wanted.text || inv_is_any_process(session, &wanted, error))
		inv_table_write(listing.table, session->options->output, session->out);
	inv_array_free(chosen);
	inv_table_free(listing.table);
	if (listing.ranges.process)
		inv_vad_tree_free(&listing.ranges.tree);
	inv_control_areas_free(listing.ranges.sections);
	inv_arena_free(listing.arena);
	inv_check_free(check);
	return error->code == INV_OK ? INV_EXIT_OK : INV_EXIT_USAGE;
}
