// SPDX-License-Identifier: Apache-2.0
// Family 3, what threads do in user mode that attackers do too: each has honest causes that nothing here tells apart, so these are
// observations and no proofs.

#include "base/array.h"
#include "base/numbers.h"
#include "base/text.h"
#include "invariant/families.h"
#include "invariant/user_spot.h"
#include "nt/apc.h"
#include "nt/thread.h"
#include "nt/user_thread.h"

#define SECOND 10000000ull // FILETIME units

static struct inv_subject subject(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	return inv_subject_thread(judge->dossiers, thread);
}

static struct inv_value read_thread(const struct inv_judge *judge, const struct inv_thread_dossier *thread,
                                    enum inv_field field)
{
	return inv_field(judge->kernel, thread->address, field);
}

// Has it a user half, and is it neither coming nor going?
static bool lives_in_user_mode(const struct inv_judge *judge, const struct inv_thread_dossier *thread,
                               struct inv_thread_state *state)
{
	*state = inv_thread_state_read(judge, thread);
	return !state->kernel_only && !state->terminated && state->inserted;
}

static bool is_alien(const struct inv_spot *spot)
{
	return spot->kind == INV_SPOT_PRIVATE || spot->kind == INV_SPOT_VIEW;
}

// Why a spot says nothing here; NULL if it does. That no range covers it is for T10, T12 and T13 to say.
static const char *unsure_of(const struct inv_spot *spot)
{
	if (spot->kind == INV_SPOT_UNKNOWN)
		return spot->why;
	return spot->kind == INV_SPOT_BARE ? "no range covers the memory" : NULL;
}

static struct inv_finding *observe(struct inv_judge *judge, const struct inv_inside *inside,
                                   const struct inv_thread_dossier *thread, enum inv_field field,
                                   const struct inv_value *value, const struct inv_spot *spot, const char *says)
{
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_USER_MODE);
	inv_field_says(judge, finding, field, value, "%s", says);
	inv_spot_says(judge, finding, inside, spot);
	return finding;
}

// -- T18: where threads start -----------------------------------------------------------------------------------------------

// The address that most threads of user mode start at: the first code of ntdll, which stands at one address in all processes. 0:
// there is none that more than half of at least four have.
void inv_judge_T18(struct inv_judge *judge)
{
	uint64_t *starts = NULL;
	for (size_t i = 0; i < judge->dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &judge->dossiers->threads[i];
		struct inv_value start = read_thread(judge, thread, INV_F_ETHREAD_StartAddress);
		if (start.ok && start.u && start.u < INV_KERNEL_HALF && thread->owner)
			inv_push(starts, start.u);
	}
	size_t count = inv_count(starts);
	inv_numbers_sort(starts);
	// What more than half have stands in the middle.
	uint64_t middle = count >= 4 ? starts[count / 2] : 0;
	size_t votes = 0;
	for (size_t i = 0; i < count; i++)
		votes += starts[i] == middle;
	judge->usual_start = votes > count / 2 ? middle : 0;
	inv_array_free(starts);
}

static void judge_start(struct inv_judge *judge, const struct inv_inside *inside,
                        const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state;
	struct inv_value start = read_thread(judge, thread, INV_F_ETHREAD_StartAddress);
	struct inv_value win32 = read_thread(judge, thread, INV_F_ETHREAD_Win32StartAddress);
	if (!lives_in_user_mode(judge, thread, &state) || (start.ok && start.u >= INV_KERNEL_HALF))
		return;
	if (!inv_need(judge, &start) || !inv_need(judge, &win32))
		return;
	struct inv_spot first = inv_spot_of(inside, start.u), second = inv_spot_of(inside, win32.u);
	const char *unsure = unsure_of(&first) ? unsure_of(&first) : unsure_of(&second);
	if (unsure) {
		inv_unknown_because(judge, unsure);
		return;
	}
	bool unusual = judge->usual_start && start.u != judge->usual_start;
	if (unusual && inside->process->role == INV_ROLE_PICO) {
		inv_excuse(judge, subject(judge, thread), "pico");
		return;
	}
	if (is_alien(&first) || unusual) {
		struct inv_finding *finding = observe(judge, inside, thread, INV_F_ETHREAD_StartAddress, &start, &first,
		                                      "the first code of user mode that the thread ran");
		struct inv_value usual = {.ok = true, .u = judge->usual_start};
		if (unusual)
			inv_witness_says(judge, finding, INV_W_THREAD, "_ETHREAD.StartAddress", &usual,
			                 "most threads of user mode start here");
		inv_tried(judge, finding, "pico", "the process is no pico process");
	} else if (is_alien(&second)) {
		observe(judge, inside, thread, INV_F_ETHREAD_Win32StartAddress, &win32, &second, "what the thread was to run");
	} else if (first.kind == INV_SPOT_NOTHING || second.kind == INV_SPOT_NOTHING) {
		inv_excuse(judge, subject(judge, thread), "gone");
	} else {
		inv_holds(judge);
	}
}

void inv_judge_starts_in_image(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_start);
}

// -- T19, T20: where they are -----------------------------------------------------------------------------------------------

// The trap frame of a thread that is in the kernel now and came from user mode; false, with its verdict given or none due,
// otherwise.
static bool need_frame(struct inv_judge *judge, const struct inv_thread_dossier *thread, struct inv_thread_state *state,
                       struct inv_trap_frame *frame)
{
	if (!lives_in_user_mode(judge, thread, state))
		return false;
	inv_trap_frame_read(judge->kernel, thread->address, frame);
	if (frame->address.ok && frame->address.u == 0)
		return false;
	if (!inv_need(judge, &frame->cs) || !inv_need(judge, &frame->rip) || !inv_need(judge, &frame->rsp))
		return false;
	if (state->runs)
		inv_unknown_because(judge, "a CPU runs the thread, so its trap frame is of an earlier moment");
	else if (!frame->user)
		inv_unknown_because(judge, "the trap frame is not of user mode");
	return !state->runs && frame->user;
}

// A range of its own, from end to end: as stacks are made.
static bool is_whole_range(const struct inv_spot *spot, uint64_t start, uint64_t end)
{
	return spot->vad && spot->vad->is_private && spot->vad->start == start && spot->vad->end == end;
}

static void judge_user_stack(struct inv_judge *judge, const struct inv_inside *inside,
                             const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state;
	struct inv_trap_frame frame;
	struct inv_value address = read_thread(judge, thread, INV_F_KTHREAD_Teb);
	if ((address.ok && address.u == 0) || !need_frame(judge, thread, &state, &frame))
		return;
	if (!inv_need(judge, &address))
		return;
	if (frame.narrow) {
		inv_unknown_because(judge, "the thread runs 32-bit code, whose TEB is not read");
		return;
	}
	if (!inside->user) {
		inv_unknown_because(judge, inv_absence_name(inside->why.reason));
		return;
	}
	struct inv_teb teb;
	inv_teb_read(inside->user, address.u, &teb);
	if (!inv_need(judge, &teb.stack_base) || !inv_need(judge, &teb.deallocation_stack))
		return;
	struct inv_spot spot = inv_spot_of(inside, frame.rsp.u);
	if (unsure_of(&spot)) {
		inv_unknown_because(judge, unsure_of(&spot));
		return;
	}
	bool inside_stack = frame.rsp.u >= teb.deallocation_stack.u && frame.rsp.u <= teb.stack_base.u;
	if (inside_stack && is_whole_range(&spot, teb.deallocation_stack.u, teb.stack_base.u)) {
		inv_holds(judge);
		return;
	}
	if (spot.kind == INV_SPOT_NOTHING) {
		inv_excuse(judge, subject(judge, thread), "gone");
		return;
	}
	struct inv_finding *finding = observe(judge, inside, thread, INV_F_KTRAP_FRAME_Rsp, &frame.rsp, &spot,
	                                      "the thread's stack pointer of user mode");
	inv_field_says(judge, finding, INV_F_TEB_StackBase, &teb.stack_base, "by the TEB its stack begins here");
	inv_field_says(judge, finding, INV_F_TEB_DeallocationStack, &teb.deallocation_stack,
	               inside_stack ? "and ends here, which is not where the range does" : "and ends here");
	if (teb.has_fiber_data.ok)
		inv_field_says(judge, finding, INV_F_TEB_HasFiberData, &teb.has_fiber_data, "the thread is %s fiber",
		               teb.has_fiber_data.u ? "a" : "no");
	inv_tried(judge, finding, "gone", "memory is there");
}

void inv_judge_T19(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_user_stack);
}

// Preempted, or waiting for a page: then it may have been anywhere in its code.
static bool was_interrupted(const struct inv_judge *judge, const struct inv_thread_dossier *thread,
                            const struct inv_thread_state *state)
{
	struct inv_value reason = read_thread(judge, thread, INV_F_KTHREAD_WaitReason);
	if (!state->state.ok)
		return false;
	if (state->state.u == INV_KTHREAD_READY || state->state.u == INV_KTHREAD_STANDBY ||
	    state->state.u == INV_KTHREAD_DEFERRED_READY)
		return true;
	return state->state.u == INV_KTHREAD_WAITING && reason.ok &&
	       (reason.u == INV_WAIT_PAGE_IN || reason.u == INV_WAIT_WR_PAGE_IN);
}

// Are these the two bytes of `syscall`, `sysenter` or `int 2e`, after which a system call returns?
static const char *before(const struct inv_inside *inside, uint64_t rip)
{
	uint8_t code[2];
	if (inv_space_read(inv_user_space(inside->user), rip - 2, code, 2, NULL) != 2)
		return "what stands before it could not be read";
	bool call = (code[0] == 0x0f && (code[1] == 0x05 || code[1] == 0x34)) || (code[0] == 0xcd && code[1] == 0x2e);
	return call ? "a system call stands before it" : "no system call stands before it";
}

static void judge_rip(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state;
	struct inv_trap_frame frame;
	if (!need_frame(judge, thread, &state, &frame))
		return;
	struct inv_spot spot = inv_spot_of(inside, frame.rip.u);
	struct inv_value reason = read_thread(judge, thread, INV_F_KTHREAD_WaitReason);
	if (unsure_of(&spot))
		inv_unknown_because(judge, unsure_of(&spot));
	else if (spot.kind == INV_SPOT_NOTHING)
		inv_excuse(judge, subject(judge, thread), "gone");
	else if (!is_alien(&spot))
		inv_holds(judge);
	else if (was_interrupted(judge, thread, &state))
		inv_excuse(judge, subject(judge, thread), "interrupted");
	else {
		struct inv_finding *finding = observe(judge, inside, thread, INV_F_KTRAP_FRAME_Rip, &frame.rip, &spot,
		                                      "the thread went to the kernel from here");
		inv_field_says(judge, finding, INV_F_KTRAP_FRAME_Rip, &frame.rip, "%s", before(inside, frame.rip.u));
		if (reason.ok)
			inv_field_says(judge, finding, INV_F_KTHREAD_WaitReason, &reason, "and waits there for this reason");
		inv_tried(judge, finding, "gone", "memory is there");
		inv_tried(judge, finding, "interrupted", "the thread waits, and not for a page");
	}
}

void inv_judge_T20(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_rip);
}

// -- T21: what waits for them -----------------------------------------------------------------------------------------------

static void judge_apc(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_thread_dossier *thread,
                      const struct inv_apc *apc)
{
	struct inv_value routine = apc->normal_routine, context = apc->normal_context;
	uint32_t decoded;
	if (routine.ok && routine.u >= INV_KERNEL_HALF) {
		if (apc->queue != INV_APC_USER || !inv_apc_decode_wow64(routine.u, &decoded))
			return;
		routine.u = decoded;
	}
	if (!inv_need(judge, &routine) || routine.u == 0)
		return;
	struct inv_spot spot = inv_spot_of(inside, routine.u);
	// QueueUserAPC queues a routine of ntdll, which calls what NormalContext names.
	struct inv_spot target = context.ok && context.u ? inv_spot_of(inside, context.u) : (struct inv_spot){0};
	struct inv_finding *finding = NULL;
	if (unsure_of(&spot))
		inv_unknown_because(judge, unsure_of(&spot));
	else if (spot.kind == INV_SPOT_NOTHING)
		inv_excuse(judge, subject(judge, thread), "gone");
	else if (is_alien(&spot))
		finding =
		    observe(judge, inside, thread, INV_F_KAPC_NormalRoutine, &routine, &spot, "an APC of the thread runs this");
	else if (is_alien(&target) && target.executable)
		finding = observe(judge, inside, thread, INV_F_KAPC_NormalContext, &context, &target,
		                  "the routine of an APC is given this, which is code");
	else
		inv_holds(judge);
	if (!finding)
		return;
	struct inv_value itself = {.ok = true, .u = apc->address};
	inv_field_says(judge, finding, INV_F_KAPC_ApcListEntry, &itself, "the APC is on the thread's queue of %s APCs",
	               inv_apc_queue_name(apc->queue));
	inv_tried(judge, finding, "gone", "memory is there");
}

static void judge_pending(struct inv_judge *judge, const struct inv_inside *inside,
                          const struct inv_thread_dossier *thread)
{
	struct inv_thread_state state;
	if (!lives_in_user_mode(judge, thread, &state))
		return;
	struct inv_apcs apcs;
	inv_apcs_read(judge->kernel, thread->address, inside->arena, &apcs);
	for (size_t i = 0; i < inv_count(apcs.apcs); i++)
		judge_apc(judge, inside, thread, &apcs.apcs[i]);
	inv_apcs_free(&apcs);
}

void inv_judge_T21(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_pending);
}

// -- T22: processes that never ran ------------------------------------------------------------------------------------------

#define LONG_SUSPENDED (10 * SECOND)

// Suspended where it was to begin: its trap frame is still that of its start.
static bool never_ran(const struct inv_judge *judge, const struct inv_thread_dossier *thread, struct inv_value *count)
{
	struct inv_trap_frame frame;
	struct inv_value start = read_thread(judge, thread, INV_F_ETHREAD_StartAddress);
	*count = read_thread(judge, thread, INV_F_KTHREAD_SuspendCount);
	inv_trap_frame_read(judge->kernel, thread->address, &frame);
	return count->ok && count->u && frame.user && frame.rip.ok && start.ok && frame.rip.u == start.u;
}

void inv_judge_T22(struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value count = {0};
	const struct inv_thread_dossier *suspended = NULL;
	size_t living = 0;
	for (size_t i = 0; i < inside->thread_count; i++) {
		struct inv_thread_state state;
		if (!lives_in_user_mode(judge, inside->threads[i], &state))
			continue;
		living++;
		if (!never_ran(judge, inside->threads[i], &count)) {
			inv_holds(judge);
			return;
		}
		suspended = inside->threads[i];
	}
	if (living == 0)
		return;
	struct inv_value created = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_CreateTime);
	const struct inv_value *now = &judge->kernel->system_time;
	if (!inv_need(judge, &created) || !inv_need(judge, now))
		return;
	if (now->u < created.u + LONG_SUSPENDED) {
		inv_excuse(judge, inv_subject_process(inside->process), "starting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_USER_MODE);
	char text[INV_TIME_SIZE];
	inv_format_filetime(created.u, text);
	inv_field_says(judge, finding, INV_F_EPROCESS_CreateTime, &created, "the process was created at %s", text);
	inv_field_says(judge, finding, INV_F_KTHREAD_SuspendCount, &count, "its %s suspended, and has not run yet",
	               living == 1 ? "only thread is" : "last of several threads is");
	struct inv_trap_frame frame;
	inv_trap_frame_read(judge->kernel, suspended->address, &frame);
	inv_field_says(judge, finding, INV_F_KTRAP_FRAME_Rip, &frame.rip, "it would run from where it starts");
	inv_tried(judge, finding, "starting", "the process is older than ten seconds");
}

// -- T23: threads that no debugger sees -------------------------------------------------------------------------------------

static void judge_hidden(struct inv_judge *judge, const struct inv_inside *inside,
                         const struct inv_thread_dossier *thread)
{
	(void)inside;
	struct inv_thread_state state;
	struct inv_value hidden = read_thread(judge, thread, INV_F_ETHREAD_HideFromDebugger);
	if (!lives_in_user_mode(judge, thread, &state) || !inv_need(judge, &hidden))
		return;
	if (hidden.u == 0) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject(judge, thread), INV_TIER_USER_MODE);
	inv_field_says(judge, finding, INV_F_ETHREAD_HideFromDebugger, &hidden, "no debugger is told of this thread");
}

void inv_judge_T23(struct inv_judge *judge, const struct inv_inside *inside)
{
	inv_each_inside_thread(judge, inside, judge_hidden);
}
