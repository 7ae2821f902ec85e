// SPDX-License-Identifier: Apache-2.0
// S05 to S08: what win32k and dxgkrnl keep of processes and threads, against what these lead to.
#include "base/array.h"
#include "invariant/families.h"
#include "nt/thread.h"

#define TAG_W32 0x69707355u // "Uspi"
#define TAG_DXG 0x50677844u // "DxgP"

static void says(struct inv_judge *judge, struct inv_finding *finding, const char *witness, const char *field,
                 const struct inv_value *value, const char *text)
{
	struct inv_evidence evidence = {.witness = witness,
	                                .tier = INV_TIER_SUBSYSTEM,
	                                .field = field,
	                                .address = value->address,
	                                .value = value->u,
	                                .says = text,
	                                .direct = true};
	inv_add_evidence(judge, finding, evidence);
}

bool inv_is_losing_windows(const struct inv_judge *judge, uint64_t process)
{
	struct inv_value active = inv_field(judge->kernel, process, INV_F_EPROCESS_ActiveThreads);
	return inv_field_is_set(judge->kernel, process, INV_F_EPROCESS_ExitTime) || (active.ok && active.u == 0);
}

bool inv_asks_no_more(const struct inv_judge *judge, uint64_t thread)
{
	struct inv_value state = inv_field(judge->kernel, thread, INV_F_KTHREAD_State);
	struct inv_value reason = inv_field(judge->kernel, thread, INV_F_KTHREAD_WaitReason);
	bool waits = state.ok && reason.ok && state.u == INV_KTHREAD_WAITING && reason.u == INV_WAIT_USER_REQUEST;
	return inv_field_is_set(judge->kernel, thread, INV_F_ETHREAD_Terminated) && !waits;
}

static bool is_leaving(const struct inv_judge *judge, uint64_t thread, uint64_t process)
{
	return inv_is_losing_windows(judge, process) || inv_asks_no_more(judge, thread);
}

static bool has_tag(const struct inv_value *block, uint32_t tag)
{
	return (block->u >> 32 & 0x7fffffffu) == tag;
}

// A finding where a block's header tells whether it is in use; else only an observation.
static struct inv_finding *accuse(struct inv_judge *judge, struct inv_subject subject)
{
	return inv_knows(judge->kernel, INV_POOL_HEADERS_TELL) ? inv_broken(judge, subject, INV_TIER_SUBSYSTEM)
	                                                       : inv_observed(judge, subject, INV_TIER_SUBSYSTEM);
}

static const char *through(struct inv_judge *judge, uint64_t eyes, const char *text)
{
	if (!eyes)
		return text;
	return inv_arena_printf(judge->arena, "%s (by the page tables of the process at 0x%llx)", text,
	                        (unsigned long long)eyes);
}

// -- S05 --------------------------------------------------------------------------------------------------------------------

static bool is_pid_wrong(const struct inv_judge *judge, const struct inv_w32_process *record,
                         const struct inv_dossier *process)
{
	return inv_knows(judge->kernel, INV_W32_PID_PLACE) && record->pid.ok && process->pid.ok &&
	       (uint32_t)record->pid.u != (uint32_t)(process->pid.u & ~(uint64_t)3);
}

static void report_w32(struct inv_judge *judge, const struct inv_w32_process *record, struct inv_finding *finding)
{
	inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, &record->slot, "the process has this W32PROCESS");
	says(judge, finding, "win32k", "W32PROCESS.Process", &record->back,
	     through(judge, record->eyes,
	             record->back.u == record->process ? "it is this process'" : "it names another process"));
	if (record->pid.ok && inv_knows(judge->kernel, INV_W32_PID_PLACE))
		says(judge, finding, "win32k", "W32PROCESS.W32Pid", &record->pid, "the PID with which it was made");
	if (record->block.ok && !has_tag(&record->block, TAG_W32))
		says(judge, finding, "pool", "_POOL_HEADER", &record->block, "its block has not got the tag of W32PROCESS");
	inv_tried(judge, finding, "exiting", "the process lives and has threads");
}

static void judge_w32(struct inv_judge *judge, const struct inv_w32_process *record)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, record->process);
	if (!process || !inv_need(judge, &record->back))
		return;
	bool wrong = record->back.u != record->process || is_pid_wrong(judge, record, process);
	bool odd = record->block.ok && !has_tag(&record->block, TAG_W32);
	if (!wrong && !odd)
		inv_holds(judge);
	else if (inv_is_losing_windows(judge, record->process))
		inv_excuse(judge, inv_subject_process(process), "exiting");
	else
		report_w32(judge, record,
		           wrong ? inv_broken(judge, inv_subject_process(process), INV_TIER_SUBSYSTEM)
		                 : accuse(judge, inv_subject_process(process)));
}

// The first thread that goes may be the one that makes win32k's call-out for the process.
static bool loses_threads(const struct inv_judge *judge, const struct inv_dossier *process)
{
	for (size_t i = 0; i < process->threads.count; i++) {
		uint64_t thread =
		    inv_thread_of_entry(judge->kernel, process->threads.nodes[i].entry, INV_F_ETHREAD_ThreadListEntry);
		if (thread && inv_field_is_set(judge->kernel, thread, INV_F_ETHREAD_Terminated))
			return true;
	}
	return false;
}

// Of a process that is known, whose own pointer leads elsewhere.
static void judge_w32_block(struct inv_judge *judge, const struct inv_w32_block *block)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, block->process);
	if (block->address || !block->used || !process || !inv_is_live(process))
		return;
	struct inv_value slot = inv_field(judge->kernel, block->process, INV_F_EPROCESS_Win32Process);
	if (!inv_need(judge, &slot))
		return;
	if (slot.u == 0 && (inv_is_losing_windows(judge, block->process) || loses_threads(judge, process))) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = accuse(judge, inv_subject_process(process));
	struct inv_value where = {.ok = true, .u = block->process};
	says(judge, finding, "win32k", "W32PROCESS.Process", &where,
	     inv_arena_printf(judge->arena, "a block in use at physical address 0x%llx is this process' W32PROCESS",
	                      (unsigned long long)block->physical));
	inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, &slot, "the process %s",
	               slot.u ? "has another" : "has none");
	inv_tried(judge, finding, "exiting", "the process lives and loses no thread, or has another W32PROCESS");
}

void inv_judge_S05(struct inv_judge *judge)
{
	const struct inv_win32k *win32k = judge->dossiers->testimony->win32k;
	for (size_t i = 0; i < inv_count(win32k->processes); i++)
		judge_w32(judge, &win32k->processes[i]);
	for (size_t i = 0; i < inv_count(win32k->blocks); i++)
		judge_w32_block(judge, &win32k->blocks[i]);
}

// -- S06 --------------------------------------------------------------------------------------------------------------------

static const char *vote_text(struct inv_judge *judge, const struct inv_vote *vote, const char *what)
{
	return inv_arena_printf(judge->arena, "%s, which stands at +0x%x by %zu of %zu who can tell", what,
	                        (unsigned)vote->offset, vote->agree, vote->voters);
}

static void judge_info(struct inv_judge *judge, const struct inv_w32_thread *record)
{
	const struct inv_win32k *win32k = judge->dossiers->testimony->win32k;
	const struct inv_thread_dossier *thread = inv_thread_dossier_at(judge->dossiers, record->thread);
	if (!thread || !inv_need(judge, &record->back))
		return;
	bool own = record->back.u == record->thread;
	if (own && !win32k->ppi.known) {
		inv_unknown_because(judge, "too few GUI threads agree on where tagTHREADINFO.ppi stands");
		return;
	}
	if (own && (!inv_need(judge, &record->win32) || !inv_need(judge, &record->ppi)))
		return;
	if (own && record->win32.u == 0) {
		inv_unknown_because(judge, "its process has no win32k state, which T17 judges");
		return;
	}
	if (own && record->ppi.u == record->win32.u) {
		inv_holds(judge);
		return;
	}
	if (is_leaving(judge, record->thread, record->process)) {
		inv_excuse(judge, inv_subject_thread(judge->dossiers, thread), "exiting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_SUBSYSTEM);
	inv_field_says(judge, finding, INV_F_KTHREAD_Win32Thread, &record->slot, "the thread has this THREADINFO");
	says(judge, finding, "win32k", "THREADINFO.pEThread", &record->back,
	     through(judge, record->eyes, own ? "it is this thread's" : "it names another thread"));
	if (record->ppi.ok)
		says(judge, finding, "win32k", "THREADINFO.ppi", &record->ppi,
		     vote_text(judge, &win32k->ppi, "the W32PROCESS of the thread"));
	if (record->win32.ok)
		inv_field_says(judge, finding, INV_F_EPROCESS_Win32Process, &record->win32, "the W32PROCESS of its process");
	inv_tried(judge, finding, "exiting",
	          "the thread waits for what it asked for, or has not begun to terminate, and its process lives");
}

void inv_judge_S06(struct inv_judge *judge)
{
	const struct inv_win32k *win32k = judge->dossiers->testimony->win32k;
	for (size_t i = 0; i < inv_count(win32k->threads); i++)
		judge_info(judge, &win32k->threads[i]);
}

// -- S07 --------------------------------------------------------------------------------------------------------------------

static void judge_dxg(struct inv_judge *judge, const struct inv_dxgkrnl *dxgkrnl, const struct inv_dxg_process *record)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, record->process);
	if (!process || !inv_need(judge, &record->owner))
		return;
	bool odd = record->block.ok && !has_tag(&record->block, TAG_DXG), wrong = record->owner.u != record->process;
	if (!wrong && !odd) {
		inv_holds(judge);
		return;
	}
	if (inv_is_losing_windows(judge, record->process)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = wrong ? inv_broken(judge, inv_subject_process(process), INV_TIER_SUBSYSTEM)
	                                    : accuse(judge, inv_subject_process(process));
	says(judge, finding, "dxgkrnl", "DxgProcess", &record->slot, "the process has this DXGPROCESS");
	says(judge, finding, "dxgkrnl", "DXGPROCESS.Process", &record->owner,
	     vote_text(judge, &dxgkrnl->slot, wrong ? "it names another process" : "it names this process"));
	if (odd)
		says(judge, finding, "pool", "_POOL_HEADER", &record->block, "its block has not got the tag of DXGPROCESS");
	inv_tried(judge, finding, "exiting", "the process lives and has threads");
}

// One process of a virtual machine's worker has several; its own pointer leads to one of them.
static void judge_dxg_block(struct inv_judge *judge, const struct inv_dxgkrnl *dxgkrnl,
                            const struct inv_dxg_block *block)
{
	const struct inv_dossier *process = block->owner.ok ? inv_dossier_at(judge->dossiers, block->owner.u) : NULL;
	if (!block->used || !process || !inv_is_live(process) || !block->leads.ok || block->leads.u == block->address)
		return;
	if (block->leads.u && (inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_VmContext) ||
	                       inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_VmProcessorHost))) {
		inv_excuse(judge, inv_subject_process(process), "virtual-machine");
		return;
	}
	if (block->leads.u == 0 && inv_is_losing_windows(judge, process->address)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = accuse(judge, inv_subject_process(process));
	says(judge, finding, "dxgkrnl", "DXGPROCESS.Process", &block->owner,
	     vote_text(judge, &dxgkrnl->slot, "a block in use is this process' DXGPROCESS"));
	says(judge, finding, "dxgkrnl", "DxgProcess", &block->leads,
	     block->leads.u ? "the process has another" : "the process has none");
	inv_tried(judge, finding, "virtual-machine",
	          block->leads.u ? "the process has nothing to do with a virtual machine"
	                         : "who runs a virtual machine leads to one of its own");
	inv_tried(judge, finding, "exiting", "the process lives, or has another DXGPROCESS");
}

void inv_judge_S07(struct inv_judge *judge)
{
	const struct inv_dxgkrnl *dxgkrnl = judge->dossiers->testimony->dxgkrnl;
	if (!dxgkrnl->slot.known) {
		if (inv_count(dxgkrnl->processes))
			inv_unknown_because(judge, "too few processes agree on where DXGPROCESS names them");
		else if (inv_count(dxgkrnl->blocks))
			inv_unknown_because(judge,
			                    "what leads from a process of this build to its DXGPROCESS is not known, or none does");
		return;
	}
	for (size_t i = 0; i < inv_count(dxgkrnl->processes); i++)
		judge_dxg(judge, dxgkrnl, &dxgkrnl->processes[i]);
	for (size_t i = 0; i < inv_count(dxgkrnl->blocks); i++)
		judge_dxg_block(judge, dxgkrnl, &dxgkrnl->blocks[i]);
}

// -- S08 --------------------------------------------------------------------------------------------------------------------

static void report_member(struct inv_judge *judge, const struct inv_desktop_thread *member,
                          const struct inv_thread_dossier *thread, const char *text, const struct inv_value *value)
{
	const struct inv_desktop *desktop = &judge->dossiers->testimony->win32k->desktops[member->desktop];
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_SUBSYSTEM);
	struct inv_value entry = {.ok = true, .address = desktop->address, .u = member->at};
	struct inv_evidence shows = {.witness = "win32k",
	                             .tier = INV_TIER_SUBSYSTEM,
	                             .field = "tagDESKTOP.PtiList",
	                             .address = entry.address,
	                             .value = entry.u};
	shows.says =
	    through(judge, desktop->eyes,
	            inv_arena_printf(judge->arena, "the list of the desktop \"%s\" shows the thread", desktop->name));
	inv_add_evidence(judge, finding, shows);
	struct inv_evidence against = {.witness = "kernel",
	                               .tier = INV_TIER_EXECUTIVE,
	                               .field = "process",
	                               .address = value->address,
	                               .value = value->u,
	                               .says = text};
	inv_add_evidence(judge, finding, against);
	inv_tried(judge, finding, "exiting",
	          "the thread waits for what it asked for, or has not begun to terminate, and its process lives");
}

static void judge_member(struct inv_judge *judge, const struct inv_desktop_thread *member)
{
	const struct inv_desktop *desktop = &judge->dossiers->testimony->win32k->desktops[member->desktop];
	if (!inv_need(judge, &member->thread) || !inv_need(judge, &member->slot))
		return;
	const struct inv_thread_dossier *thread = inv_thread_dossier_at(judge->dossiers, member->thread.u);
	if (!thread || !inv_need(judge, &thread->process))
		return;
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, thread->process.u);
	struct inv_value own = inv_field(judge->kernel, thread->process.u, INV_F_EPROCESS_Session);
	if (!inv_need(judge, &own) || !inv_need(judge, &desktop->session))
		return;
	struct inv_value session = inv_field(judge->kernel, own.u, INV_F_MM_SESSION_SPACE_SessionId);
	bool gone = process && process->on_active_list == INV_NO,
	     astray = own.u == 0 || (session.ok && (uint32_t)session.u != (uint32_t)desktop->session.u);
	bool stale = member->slot.u != member->info;
	if ((gone || astray || stale) && is_leaving(judge, thread->address, thread->process.u))
		inv_excuse(judge, inv_subject_thread(judge->dossiers, thread), "exiting");
	else if (gone)
		report_member(judge, member, thread, "PsActiveProcessHead leads past the thread's process", &thread->process);
	else if (stale)
		report_member(judge, member, thread, "the thread's own THREADINFO is another", &member->slot);
	else if (astray)
		report_member(judge, member, thread, "the thread's process is of another session", &own);
	else if (process && process->on_active_list == INV_UNSURE)
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	else if (inv_need(judge, &session))
		inv_holds(judge);
}

void inv_judge_S08(struct inv_judge *judge)
{
	const struct inv_win32k *win32k = judge->dossiers->testimony->win32k;
	if (inv_count(win32k->threads) && !inv_count(win32k->desktops))
		inv_unknown_because(judge, "no desktop was found");
	else if (inv_count(win32k->threads) && (!win32k->link.known || !win32k->list.known))
		inv_unknown_because(judge, "too few entries agree on where tagDESKTOP.PtiList and tagTHREADINFO.PtiLink stand");
	for (size_t i = 0; i < inv_count(win32k->desktops); i++)
		if (win32k->link.known && win32k->list.known && !win32k->desktops[i].closed)
			inv_unknown_because(judge, "the list of a desktop could not be read to its end");
	for (size_t i = 0; i < inv_count(win32k->members); i++)
		judge_member(judge, &win32k->members[i]);
}
