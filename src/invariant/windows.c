// SPDX-License-Identifier: Apache-2.0
// The halves of S05 and S06 about user mode: what a process' own memory says of its windows, against what the kernel leads to. Whoever
// takes away all that the kernel has of a process' windows, leaves what user32 has written. It is the process' own to write, so that a
// contradiction is an observation.
#include "base/array.h"
#include "invariant/class.h"
#include "invariant/families.h"
#include "nt/thread.h"

// -- S05 --------------------------------------------------------------------------------------------------------------------

static void table_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                       const struct inv_value *table)
{
	const struct inv_vad *vad = table->u ? inv_vad_at(&inside->vads, table->u) : NULL;
	const struct inv_control_area *area =
	    vad && vad->type == INV_VAD_IMAGE ? inv_control_area_at(inside->sections, vad->control_area) : NULL;
	if (area)
		inv_field_says(judge, finding, INV_F_PEB_KernelCallbackTable, table,
		               "what win32k is to call there stands in the image of \"%s\"", area->file.name);
	else
		inv_field_says(judge, finding, INV_F_PEB_KernelCallbackTable, table,
		               table->u ? "what win32k is to call there stands in no image"
		                        : "there is nothing that win32k could call");
}

// A clone that runs has its parent's PEB, and nothing with win32k until it asks. So has a snapshot, which never runs.
static void judge_without(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_value *table,
                          const struct inv_value *windows)
{
	const struct inv_dossier *process = inside->process;
	if (inv_is_losing_windows(judge, process->address)) {
		bool never =
		    !inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ExitTime) && !inv_is_scheduled(process);
		inv_excuse(judge, inv_subject_process(process), never ? "clone" : "exiting");
		return;
	}
	for (size_t i = 0; i < inside->thread_count; i++)
		if (inv_asks_no_more(judge, inside->threads[i]->address)) {
			inv_excuse(judge, inv_subject_process(process), "exiting");
			return;
		}
	if (inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_CloneRoot)) {
		inv_unknown_because(judge, "a process that was cloned may have its parent's table of routines for win32k");
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, windows, "the process has no W32PROCESS");
	table_says(judge, finding, inside, table);
	inv_tried(judge, finding, "exiting",
	          "the process lives, and each of its threads waits for what it asked for or has not terminated");
	inv_tried(judge, finding, "clone", "it has threads, and CloneRoot is 0");
}

// Windows, by a thread at least, and nobody in user mode whom win32k could call. From 1607 on win32u alone is enough for USER calls.
static void judge_with(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_value *table,
                       const struct inv_value *windows)
{
	const struct inv_views *views = inside->dossiers->views;
	const struct inv_thread_dossier *user = NULL;
	for (size_t i = 0; i < inside->thread_count && !user; i++)
		if (inv_field_is_set(judge->kernel, inside->threads[i]->address, INV_F_KTHREAD_Win32Thread))
			user = inside->threads[i];
	if (!user) {
		inv_holds(judge);
		return;
	}
	if (!views || !inv_count(views->window_images) || inside->peb32.address) {
		inv_unknown_because(
		    judge, "which image has the routines that win32k calls is not known: too few of its kind have any");
		return;
	}
	if (inv_range_among(inside, views->window_images, 0)) {
		inv_holds(judge);
		return;
	}
	if (!inside->vads.complete) {
		inv_unknown_because(judge, "not all ranges of the process can be read");
		return;
	}
	if (inv_is_losing_windows(judge, inside->process->address)) {
		inv_excuse(judge, inv_subject_process(inside->process), "exiting");
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(inside->process), INV_TIER_SUBSYSTEM);
	struct inv_value info = inv_field(judge->kernel, user->address, INV_F_KTHREAD_Win32Thread);
	inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, windows, "the process has a W32PROCESS");
	inv_field_says(judge, finding, INV_F_KTHREAD_Win32Thread, &info, "a thread of it has a THREADINFO");
	table_says(judge, finding, inside, table);
	inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &inside->vads.root,
	               "it maps none of the images in which others have what win32k calls");
	inv_tried(judge, finding, "exiting", "the process lives and has threads");
}

void inv_judge_window_routines(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value windows = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_Win32Process);
	if (!inside->peb.address)
		return;
	struct inv_value table = inv_window_table(inside);
	if (!windows.ok || !table.ok || (!table.u && !windows.u))
		return;
	if (!table.u)
		judge_with(judge, inside, &table, &windows);
	else if (!windows.u)
		judge_without(judge, inside, &table, &windows);
	else
		inv_holds(judge);
}

// -- S06 --------------------------------------------------------------------------------------------------------------------

static void judge_teb(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_thread_dossier *thread)
{
	struct inv_value teb = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_Teb);
	struct inv_value info = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_Win32Thread);
	if (!teb.ok || !teb.u || !info.ok)
		return;
	struct inv_value says = inv_user_field(inside->user, teb.u, INV_F_TEB_Win32ThreadInfo);
	if (!says.ok || !says.u || says.u == info.u)
		return;
	struct inv_subject subject = inv_subject_thread(judge->dossiers, thread);
	struct inv_value windows = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_Win32Process);
	if (inv_is_losing_windows(judge, inside->process->address) || inv_asks_no_more(judge, thread->address)) {
		inv_excuse(judge, subject, "exiting");
		return;
	}
	if (windows.ok && !windows.u) {
		inv_unknown_because(judge, "its process has no win32k state, which S05 and T17 judge");
		return;
	}
	struct inv_finding *finding = inv_observed(judge, subject, INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KTHREAD_Win32Thread, &info,
	               info.u ? "the thread has this THREADINFO" : "the thread has no THREADINFO");
	inv_field_says(judge, finding, INV_F_TEB_Win32ThreadInfo, &says, "its TEB has kept another's address");
	inv_tried(judge, finding, "exiting",
	          "the thread waits for what it asked for, or has not begun to terminate, and its process lives");
}

void inv_judge_window_threads(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_knows(judge->kernel, INV_TEB_HAS_THREADINFO) || !inside->user)
		return;
	for (size_t i = 0; i < inside->thread_count; i++)
		judge_teb(judge, inside, inside->threads[i]);
}
