// SPDX-License-Identifier: Apache-2.0
// Families 3 and 6: the order of times.
#include "base/text.h"
#include "invariant/families.h"

#define SECOND 10000000ull // FILETIME units
// Until System gets its CreateTime (measured: 2.8 s; that it never takes so much longer is not verified).
#define LONGEST_BOOT (600 * SECOND)

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// The clock's offset when the process was created: CreateTime follows the wall clock, CreateInterruptTime does not.
static bool clock_offset(const struct inv_judge *judge, uint64_t process, uint64_t *offset)
{
	struct inv_value wall = inv_field(judge->kernel, process, INV_F_EPROCESS_CreateTime);
	struct inv_value interrupt = inv_field(judge->kernel, process, INV_F_EPROCESS_CreateInterruptTime);
	if (!wall.ok || !interrupt.ok || wall.u == 0)
		return false;
	*offset = wall.u - interrupt.u;
	return true;
}

enum step { STEP_NO, STEP_YES, STEP_UNSURE };

// Was the wall clock set by at least `gap` between the creation of this process and now? Whoever forges one CreateTime makes
// that process' offset unlike everyone's; a real step is shared by every process of that time. So another process must
// show the same offset.
static enum step clock_step(const struct inv_judge *judge, uint64_t process, uint64_t gap)
{
	uint64_t own;
	if (!clock_offset(judge, process, &own) || !judge->kernel->boot_time.ok)
		return STEP_UNSURE;
	if (distance(own, judge->kernel->boot_time.u) + SECOND < gap)
		return STEP_NO;
	size_t others = 0;
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		uint64_t address = judge->dossiers->processes[i].address, offset;
		if (address == process || !clock_offset(judge, address, &offset))
			continue;
		others++;
		if (distance(own, offset) < SECOND)
			return STEP_YES;
	}
	return others ? STEP_NO : STEP_UNSURE;
}

static void tried_clock(struct inv_judge *judge, struct inv_finding *finding)
{
	inv_tried(judge, finding, "clock-step",
	          "no other process shows the offset between wall clock and interrupt time that this one has");
}

// Decides a violation of `gap` units: true if a finding is due.
static bool is_due(struct inv_judge *judge, struct inv_subject subject, uint64_t process, uint64_t gap)
{
	switch (clock_step(judge, process, gap)) {
	case STEP_YES:
		inv_excuse(judge, subject, "clock-step");
		return false;
	case STEP_UNSURE:
		inv_unknown_because(judge, "a step of the clock cannot be told from a forged time here");
		return false;
	case STEP_NO:
		break;
	}
	return true;
}

// When a thread ended; 0 of one that has not. PspExitThread writes the time and KeTerminateThread signals the thread later; before,
// another field stands in its place.
static struct inv_value end_of(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value signal = inv_field(judge->kernel, thread->address, INV_F_DISPATCHER_HEADER_SignalState);
	struct inv_value flag = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_Terminated);
	if (!signal.ok || !flag.ok || signal.u == 0 || flag.u == 0)
		return (struct inv_value){.ok = true};
	return inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ExitTime);
}

static void judge_thread_time(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	if (!inv_need(judge, &thread->process))
		return;
	struct inv_subject subject = inv_subject_thread(judge->dossiers, thread);
	if (inv_role_of(judge, thread->process.u) == INV_ROLE_IDLE) { // made by hand at boot, before there was a time
		inv_excuse(judge, subject, "idle");
		return;
	}
	struct inv_value created = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_CreateTime);
	struct inv_value process = inv_field(judge->kernel, thread->process.u, INV_F_EPROCESS_CreateTime);
	const struct inv_value *now = &judge->kernel->system_time;
	if (!inv_need(judge, &created) || !inv_need(judge, &process) || !inv_need(judge, now))
		return;
	struct inv_value exited = end_of(judge, thread);
	if (!inv_need(judge, &exited))
		return;
	uint64_t before = process.u > created.u ? process.u - created.u : 0;
	uint64_t after = created.u > now->u ? created.u - now->u : 0;
	uint64_t end = exited.u && exited.u < created.u ? created.u - exited.u : exited.u > now->u ? exited.u - now->u : 0;
	if (!before && !after && !end) {
		inv_holds(judge);
		return;
	}
	// System is made before the clock runs, and gets its CreateTime when the boot is nearly over (measured: 2.2 s after
	// one of its threads, on a dump of 19041.804).
	const struct inv_value *boot = &judge->kernel->boot_time;
	bool is_system = inv_role_of(judge, thread->process.u) == INV_ROLE_SYSTEM;
	if (is_system && !after && !end && boot->ok && created.u + SECOND >= boot->u) {
		inv_excuse(judge, subject, "system");
		return;
	}
	uint64_t gap = before > after ? before : after;
	if (!is_due(judge, subject, thread->process.u, gap > end ? gap : end))
		return;
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	char text[INV_TIME_SIZE];
	inv_format_filetime(created.u, text);
	inv_field_says(judge, finding, INV_F_ETHREAD_CreateTime, &created, "the thread was created at %s", text);
	inv_format_filetime(process.u, text);
	inv_field_says(judge, finding, INV_F_EPROCESS_CreateTime, &process, "its process was created at %s", text);
	if (exited.u) {
		inv_format_filetime(exited.u, text);
		inv_field_says(judge, finding, INV_F_ETHREAD_ExitTime, &exited, "the thread ended at %s", text);
	}
	if (after || end) {
		inv_format_filetime(now->u, text);
		inv_witness_says(judge, finding, INV_W_ANCHOR, "SystemTime", now, "the image was taken at %s", text);
	}
	tried_clock(judge, finding);
	inv_tried(judge, finding, "idle", "it is no thread of the idle process");
	inv_tried(judge, finding, "system",
	          is_system ? "the thread is older than the boot, or younger than the image" : "the process is not System");
}

void inv_judge_T15(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_thread_time);
}

// How far `early` lies after `late`.
static uint64_t overlap(uint64_t early, uint64_t late)
{
	return early > late ? early - late : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void judge_life(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_subject subject = inv_subject_process(process);
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, subject, "idle");
		return;
	}
	struct inv_value created = inv_field(judge->kernel, process->address, INV_F_EPROCESS_CreateTime);
	struct inv_value exited = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ExitTime);
	const struct inv_value *boot = &judge->kernel->boot_time, *now = &judge->kernel->system_time;
	if (!inv_need(judge, &created) || !inv_need(judge, &exited) || !inv_need(judge, boot) || !inv_need(judge, now))
		return;
	uint64_t gap = larger(overlap(boot->u, created.u), overlap(created.u, now->u));
	if (process->role == INV_ROLE_SYSTEM)
		gap = larger(gap, overlap(created.u, boot->u + LONGEST_BOOT));
	if (exited.u)
		gap = larger(gap, larger(overlap(created.u, exited.u), overlap(exited.u, now->u)));
	if (gap == 0) {
		inv_holds(judge);
		return;
	}
	if (!is_due(judge, subject, process->address, gap))
		return;
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	char text[INV_TIME_SIZE];
	inv_format_filetime(created.u, text);
	inv_field_says(judge, finding, INV_F_EPROCESS_CreateTime, &created, "the process was created at %s",
	               *text ? text : "no time");
	if (exited.u) {
		inv_format_filetime(exited.u, text);
		inv_field_says(judge, finding, INV_F_EPROCESS_ExitTime, &exited, "it exited at %s", text);
	}
	inv_format_filetime(boot->u, text);
	inv_witness_says(judge, finding, INV_W_ANCHOR, "BootTime", boot, "the system started at %s", text);
	inv_format_filetime(now->u, text);
	inv_witness_says(judge, finding, INV_W_ANCHOR, "SystemTime", now, "the image was taken at %s", text);
	tried_clock(judge, finding);
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_P07(struct inv_judge *judge)
{
	inv_each_process(judge, judge_life);
}
