// SPDX-License-Identifier: Apache-2.0
// Family 3, the user half of threads: where they started, their TEB, what the CPU was doing, and the APCs that wait for them.
#include "base/array.h"
#include "invariant/families.h"
#include "invariant/user_spot.h"
#include "nt/apc.h"
#include "nt/thread.h"
#include "nt/user_thread.h"

#define USER_MODE 1u // KTHREAD.WaitMode

static struct inv_subject subject(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	return inv_subject_thread(judge->dossiers, thread);
}

// -- an address that a thread was sent to -----------------------------------------------------------------------------------

// One of the fields by which the kernel knows where a thread runs.
struct claim {
	enum inv_field field;
	struct inv_value value;
	struct inv_spot spot;
	const char *says; // "the thread starts here"
};

static struct claim make_claim(const struct inv_inside *inside, enum inv_field field, const struct inv_value *value,
                               const char *says)
{
	struct claim claim = {.field = field, .value = *value, .says = says};
	if (value->ok)
		claim.spot = inv_spot_of(inside, value->u);
	return claim;
}

static void say_bare(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_thread_dossier *thread,
                     const struct claim *claim)
{
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_MEMORY_MANAGER);
	inv_field_says(judge, finding, claim->field, &claim->value, "%s", claim->says);
	struct inv_value frame = {.ok = true, .u = claim->spot.physical};
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &frame,
	               "the page tables of the process lead to this page there");
	inv_means_its_targets(finding);
	inv_spot_says(judge, finding, inside, &claim->spot);
	inv_tried(judge, finding, "gone", "the page tables still lead to a page there");
}

// Every address must be in a range, or lead nowhere: one verdict for the thread.
static void judge_claims(struct inv_judge *judge, const struct inv_inside *inside,
                         const struct inv_thread_dossier *thread, const struct claim *claims, size_t count)
{
	bool gone = false;
	const struct claim *unsure = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = &claims[i];
		if (claim->value.ok && claim->spot.kind == INV_SPOT_BARE) {
			say_bare(judge, inside, thread, claim);
			return;
		}
		gone |= claim->value.ok && claim->spot.kind == INV_SPOT_NOTHING;
		if (!claim->value.ok || claim->spot.kind == INV_SPOT_UNKNOWN)
			unsure = claim;
	}
	if (unsure && !unsure->value.ok)
		inv_unknown(judge, &unsure->value);
	else if (unsure)
		inv_unknown_because(judge, unsure->spot.why);
	else if (gone)
		inv_excuse(judge, subject(judge, thread), "gone");
	else
		inv_holds(judge);
}

// -- T10: where it started --------------------------------------------------------------------------------------------------

static void judge_user_start(struct inv_judge *judge, const struct inv_inside *inside,
                             const struct inv_thread_dossier *thread)
{
	struct inv_value start = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_StartAddress);
	struct inv_value win32 = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_Win32StartAddress);
	if (!start.ok || start.u >= INV_KERNEL_HALF || inv_thread_state_read(judge, thread).kernel_only)
		return; // the other half of the invariant
	struct claim claims[] = {
	    make_claim(inside, INV_F_ETHREAD_StartAddress, &start, "the thread started here"),
	    make_claim(inside, INV_F_ETHREAD_Win32StartAddress, &win32, "the thread was to run this"),
	};
	judge_claims(judge, inside, thread, claims, 2);
}

void inv_judge_user_starts(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_user_start);
}

// -- T11: its TEB -----------------------------------------------------------------------------------------------------------

static bool has_no_teb_by_design(const struct inv_inside *inside)
{
	switch (inside->process->role) {
	case INV_ROLE_REGISTRY:
	case INV_ROLE_MEMORY_COMPRESSION:
	case INV_ROLE_SECURE_SYSTEM:
	case INV_ROLE_VM:
	case INV_ROLE_MINIMAL:
	case INV_ROLE_PICO:
		return true;
	case INV_ROLE_ORDINARY:
	case INV_ROLE_IDLE:
	case INV_ROLE_SYSTEM:
	case INV_ROLE_UNKNOWN:
		break;
	}
	return false;
}

// A thread that exits may wait, but for the kernel's sake; one that waits for a program's has not begun to.
static bool waits_for_user_mode(const struct inv_judge *judge, const struct inv_thread_dossier *thread,
                                const struct inv_thread_state *state)
{
	struct inv_value mode = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_WaitMode);
	return state->state.ok && state->state.u == INV_KTHREAD_WAITING && mode.ok && mode.u == USER_MODE;
}

static void judge_no_teb(struct inv_judge *judge, const struct inv_inside *inside,
                         const struct inv_thread_dossier *thread, const struct inv_value *teb,
                         const struct inv_thread_state *state)
{
	struct inv_value start = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_StartAddress);
	bool exits = state->terminated && !waits_for_user_mode(judge, thread, state);
	if (exits) {
		inv_excuse(judge, subject(judge, thread), "exiting");
		return;
	}
	if (!state->inserted) {
		inv_excuse(judge, subject(judge, thread), "inserting");
		return;
	}
	if (has_no_teb_by_design(inside)) {
		inv_excuse(judge, subject(judge, thread), "minimal");
		return;
	}
	if (!inv_need(judge, &start))
		return;
	if (state->kernel_only && start.u >= INV_KERNEL_HALF) {
		inv_holds(judge);
		return;
	}
	if (inside->process->role == INV_ROLE_UNKNOWN) {
		inv_unknown_because(judge, "what kind of process it is could not be read");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KTHREAD_Teb, teb, "the thread has no TEB");
	inv_field_says(judge, finding, INV_F_ETHREAD_StartAddress, &start, "it starts in %s",
	               start.u >= INV_KERNEL_HALF ? "the kernel" : "user mode");
	struct inv_value flag = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_SystemThread);
	if (flag.ok)
		inv_field_says(judge, finding, INV_F_ETHREAD_SystemThread, &flag, "it is %s thread of the kernel's",
		               flag.u ? "a" : "no");
	inv_tried(judge, finding, "exiting",
	          state->terminated ? "it still waits on behalf of user mode" : "the thread has not begun to terminate");
	inv_tried(judge, finding, "inserting", "the thread has been inserted");
	inv_tried(judge, finding, "minimal", "the process is neither minimal nor a pico process");
}

// One thing that a TEB says, and who knows better.
struct teb_claim {
	enum inv_field field, other;
	const struct inv_value *says, *truth;
	const char *what;
};

static void say_teb(struct inv_judge *judge, const struct inv_thread_dossier *thread, const struct teb_claim *claims,
                    size_t count, const struct inv_thread_state *state)
{
	if (state->terminated) {
		inv_excuse(judge, subject(judge, thread), "exiting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_USER_MODE);
	for (size_t i = 0; i < count; i++) {
		if (claims[i].says->u == claims[i].truth->u)
			continue;
		inv_field_says(judge, finding, claims[i].field, claims[i].says, "by the TEB this is the thread's %s",
		               claims[i].what);
		inv_field_says(judge, finding, claims[i].other, claims[i].truth, "by the kernel it is this");
	}
	inv_tried(judge, finding, "exiting", "the thread has not begun to terminate");
	inv_tried(judge, finding, "inserting", "the TEB is filled in before the thread is");
	inv_tried(judge, finding, "minimal", "the thread has a TEB");
}

// The child of a fork has the memory of its parent. Whether a TEB is made for its thread, or the parent's shows through, nobody has
// verified; only the parent's own identifier can be left over.
static bool may_be_inherited(const struct inv_judge *judge, const struct inv_inside *inside,
                             const struct inv_value *process_id)
{
	struct inv_value clone = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_CloneRoot);
	return clone.ok && clone.u && inside->process->parent.ok && process_id->u == inside->process->parent.u;
}

static void judge_teb(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_thread_dossier *thread)
{
	struct inv_value address = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_Teb);
	struct inv_thread_state state = inv_thread_state_read(judge, thread);
	if (!inv_need(judge, &address))
		return;
	if (address.u == 0) {
		judge_no_teb(judge, inside, thread, &address, &state);
		return;
	}
	struct inv_spot spot = inv_spot_of(inside, address.u);
	if (spot.kind == INV_SPOT_UNKNOWN) {
		inv_unknown_because(judge, spot.why);
		return;
	}
	if (!spot.vad) {
		if (state.terminated) {
			inv_excuse(judge, subject(judge, thread), "exiting");
			return;
		}
		bool bare = spot.kind == INV_SPOT_BARE;
		struct inv_finding *finding =
		    inv_broken(judge, subject(judge, thread), bare ? INV_TIER_MEMORY_MANAGER : INV_TIER_SCHEDULER);
		inv_field_says(judge, finding, INV_F_KTHREAD_Teb, &address, "the thread's TEB is here");
		inv_spot_says(judge, finding, inside, &spot);
		inv_tried(judge, finding, "exiting", "the thread has not begun to terminate");
		return;
	}
	struct inv_teb teb;
	inv_teb_read(inside->user, address.u, &teb);
	struct inv_value peb = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_Peb);
	const struct teb_claim claims[] = {
	    {INV_F_TEB_Self, INV_F_KTHREAD_Teb, &teb.self, &address, "own address"},
	    {INV_F_TEB_ClientIdUniqueProcess, INV_F_ETHREAD_CidUniqueProcess, &teb.process_id, &thread->cid_process,
	     "process identifier"},
	    {INV_F_TEB_ClientIdUniqueThread, INV_F_ETHREAD_CidUniqueThread, &teb.thread_id, &thread->cid_thread,
	     "identifier"},
	    {INV_F_TEB_ProcessEnvironmentBlock, INV_F_EPROCESS_Peb, &teb.peb, &peb, "PEB"},
	};
	size_t count = sizeof claims / sizeof claims[0];
	bool differs = false;
	for (size_t i = 0; i < count; i++) {
		if (!inv_need(judge, claims[i].says) || !inv_need(judge, claims[i].truth))
			return;
		differs |= claims[i].says->u != claims[i].truth->u;
	}
	if (!differs)
		inv_holds(judge);
	else if (may_be_inherited(judge, inside, &teb.process_id))
		inv_unknown_because(judge, "whether a TEB of a forked process is its parent's is not verified");
	else
		say_teb(judge, thread, claims, count, &state);
}

void inv_judge_T11(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_teb);
}

// -- T12: what the CPU did --------------------------------------------------------------------------------------------------

static void judge_frame(struct inv_judge *judge, const struct inv_inside *inside,
                        const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state = inv_thread_state_read(judge, thread);
	struct inv_trap_frame frame;
	if (state.kernel_only || state.terminated)
		return;
	inv_trap_frame_read(judge->kernel, thread->address, &frame);
	if (frame.address.ok && frame.address.u == 0)
		return;
	if (!inv_need(judge, &frame.cs))
		return;
	if (state.runs) {
		inv_unknown_because(judge, "a CPU runs the thread, so its trap frame is of an earlier moment");
		return;
	}
	if (!frame.user) {
		inv_unknown_because(judge, "the trap frame is not of user mode");
		return;
	}
	struct claim claims[] = {
	    make_claim(inside, INV_F_KTRAP_FRAME_Rip, &frame.rip, "the thread runs here in user mode"),
	    make_claim(inside, INV_F_KTRAP_FRAME_Rsp, &frame.rsp, "the thread's stack pointer of user mode"),
	};
	judge_claims(judge, inside, thread, claims, 2);
}

void inv_judge_T12(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_frame);
}

// -- T13: what waits to be run ----------------------------------------------------------------------------------------------

static void say_head(struct inv_judge *judge, struct inv_finding *finding, const struct inv_apc_head *head,
                     enum inv_apc_queue queue)
{
	struct inv_value first = head->first;
	first.address = head->address;
	inv_field_says(judge, finding, INV_F_KTHREAD_ApcListHead, &first, "the thread's queue of %s APCs",
	               inv_apc_queue_name(queue));
}

// Is what the queue leads to the thread's own APC? True when a verdict was given.
static bool judge_own(struct inv_judge *judge, const struct inv_thread_dossier *thread, const struct inv_apcs *apcs,
                      const struct inv_apc *apc)
{
	if (!inv_need(judge, &apc->type) || !inv_need(judge, &apc->thread) || !inv_need(judge, &apc->inserted))
		return true;
	if (apc->type.u == INV_APC_OBJECT && apc->thread.u == thread->address && apc->inserted.u)
		return false;
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
	say_head(judge, finding, &apcs->heads[apc->saved][apc->queue], apc->queue);
	inv_field_says(judge, finding, INV_F_KAPC_Type, &apc->type, "what it leads to is %s APC",
	               apc->type.u == INV_APC_OBJECT ? "an" : "no");
	inv_field_says(judge, finding, INV_F_KAPC_Thread, &apc->thread, "it is for %s",
	               apc->thread.u == thread->address ? "this thread" : "another thread");
	inv_field_says(judge, finding, INV_F_KAPC_Inserted, &apc->inserted, "by its own word it is on %s queue",
	               apc->inserted.u ? "a" : "no");
	return true;
}

// The kernel's routines of an APC are code of the kernel or of a driver. True when a verdict was given.
static bool judge_routines(struct inv_judge *judge, const struct inv_thread_dossier *thread, const struct inv_apc *apc)
{
	const struct {
		enum inv_field field;
		const struct inv_value *routine;
	} routines[] = {{INV_F_KAPC_KernelRoutine, &apc->kernel_routine}, {INV_F_KAPC_NormalRoutine, &apc->normal_routine}};
	for (size_t i = 0; i < 2; i++) {
		const struct inv_value *routine = routines[i].routine;
		uint32_t decoded;
		if (!inv_need(judge, routine))
			return true;
		if (routine->u < INV_KERNEL_HALF || inv_kernel_module_at(judge->kernel, routine->u))
			continue;
		if (i == 1 && apc->queue == INV_APC_USER && inv_apc_decode_wow64(routine->u, &decoded))
			continue; // of 32-bit code: judged with the rest of user mode
		if (!judge->kernel->modules_complete) {
			inv_unknown_because(judge, "the list of loaded modules could not be read to its end");
			return true;
		}
		struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
		inv_field_says(judge, finding, routines[i].field, routine, "an APC for the thread runs this in the kernel");
		struct inv_value modules = {.ok = true, .u = judge->kernel->module_count};
		inv_witness_says(judge, finding, INV_W_ANCHOR, "PsLoadedModuleList", &modules,
		                 "none of %zu loaded modules is there", judge->kernel->module_count);
		return true;
	}
	return false;
}

// Two neighbours of which only one knows the other.
static bool is_torn(const struct inv_apc_head *head)
{
	return head->list && head->list->torn_count && head->list->torn_links[0].back.ok;
}

static void say_torn(struct inv_judge *judge, const struct inv_thread_dossier *thread, const struct inv_apc_head *head,
                     enum inv_apc_queue queue)
{
	const struct inv_link *torn = &head->list->torn_links[0];
	struct inv_value to = {.ok = true, .address = torn->from + (torn->backward ? 8 : 0), .u = torn->to};
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_SCHEDULER);
	say_head(judge, finding, head, queue);
	inv_field_says(judge, finding, INV_F_KAPC_ApcListEntry, &to, "this link leads on");
	inv_field_says(judge, finding, INV_F_KAPC_ApcListEntry, &torn->back, "and what it leads to does not lead back");
}

static void judge_queues(struct inv_judge *judge, const struct inv_thread_dossier *thread, const struct inv_apcs *apcs)
{
	const char *unsure = NULL;
	for (int saved = 0; saved < 2; saved++)
		for (int queue = 0; queue < INV_APC_QUEUES; queue++) {
			const struct inv_apc_head *head = &apcs->heads[saved][queue];
			if (is_torn(head)) {
				say_torn(judge, thread, head, (enum inv_apc_queue)queue);
				return;
			}
			if (head->address == 0 || head->closed)
				continue;
			unsure = !head->first.ok ? inv_absence_name(head->first.why.reason)
			         : head->blank   ? "a queue of APCs was never initialised"
			                         : "a queue of APCs could not be read to its end";
		}
	if (unsure)
		inv_unknown_because(judge, unsure);
	else
		inv_holds(judge);
}

static void judge_apcs(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state = inv_thread_state_read(judge, thread);
	if (state.terminated || !state.inserted)
		return; // its queues are flushed, or not yet made
	uint64_t head;
	if (!inv_field_address(judge->kernel, thread->address, INV_F_KTHREAD_ApcListHead, &head))
		return;
	struct inv_apcs apcs;
	inv_apcs_read(judge->kernel, thread->address, judge->arena, &apcs);
	bool judged = false;
	for (size_t i = 0; i < inv_count(apcs.apcs) && !judged; i++)
		judged = judge_own(judge, thread, &apcs, &apcs.apcs[i]) || judge_routines(judge, thread, &apcs.apcs[i]);
	if (!judged)
		judge_queues(judge, thread, &apcs);
	inv_apcs_free(&apcs);
}

void inv_judge_T13(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_apcs);
}

static void judge_user_apcs(struct inv_judge *judge, const struct inv_inside *inside,
                            const struct inv_thread_dossier *thread)
{
	struct inv_apcs apcs;
	inv_apcs_read(judge->kernel, thread->address, inside->arena, &apcs);
	for (size_t i = 0; i < inv_count(apcs.apcs); i++) {
		struct inv_value routine = apcs.apcs[i].normal_routine;
		uint32_t decoded;
		if (!routine.ok || routine.u == 0)
			continue;
		if (routine.u >= INV_KERNEL_HALF) {
			if (apcs.apcs[i].queue != INV_APC_USER || !inv_apc_decode_wow64(routine.u, &decoded))
				continue;
			routine.u = decoded;
		}
		struct claim claim = make_claim(inside, INV_F_KAPC_NormalRoutine, &routine, "an APC for the thread runs this");
		judge_claims(judge, inside, thread, &claim, 1);
	}
	inv_apcs_free(&apcs);
}

void inv_judge_user_apcs(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_user_apcs);
}
