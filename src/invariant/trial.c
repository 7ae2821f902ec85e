// SPDX-License-Identifier: Apache-2.0
#include "invariant/trial.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"

struct inv_trial inv_trial_of(struct inv_judge *judge, const struct inv_inside *inside)
{
	return (struct inv_trial){.judge = judge, .inside = inside};
}

struct inv_finding *inv_trial_broken(struct inv_trial *trial, enum inv_tier accused)
{
	if (!trial->finding)
		trial->finding = inv_broken(trial->judge, inv_subject_process(trial->inside->process), accused);
	return trial->finding;
}

struct inv_finding *inv_trial_observed(struct inv_trial *trial, enum inv_tier accused)
{
	if (!trial->finding)
		trial->finding = inv_observed(trial->judge, inv_subject_process(trial->inside->process), accused);
	return trial->finding;
}

bool inv_trial_needs(struct inv_trial *trial, const struct inv_value *value)
{
	if (!value->ok && !trial->lacking) {
		trial->lacking = true;
		trial->missing = *value;
	}
	return value->ok;
}

void inv_trial_unsure(struct inv_trial *trial, const char *reason)
{
	if (!trial->unsure)
		trial->unsure = reason;
}

void inv_trial_end(struct inv_trial *trial)
{
	if (trial->finding)
		return;
	if (trial->lacking && trial->missing.why.reason != INV_PRESENT)
		inv_unknown(trial->judge, &trial->missing);
	else if (trial->unsure || trial->lacking)
		inv_unknown_because(trial->judge, trial->unsure ? trial->unsure : "the memory of the process cannot be read");
	else
		inv_holds(trial->judge);
}

void inv_range_says(struct inv_trial *trial, const struct inv_vad *vad, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct inv_value start = inv_field(trial->judge->kernel, vad->address, INV_F_MMVAD_SHORT_StartingVpn);
	inv_field_says(trial->judge, trial->finding, INV_F_MMVAD_SHORT_StartingVpn, &start,
	               "0x%" PRIx64 " to 0x%" PRIx64 ": %s", vad->start, vad->end, text);
}

bool inv_has_image_range(const struct inv_inside *inside)
{
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++)
		if (inside->vads.vads[i].type == INV_VAD_IMAGE)
			return true;
	return false;
}

// A process that was made without a program. Whoever only calls itself so still has what a program leaves behind.
static bool is_minimal(const struct inv_inside *inside)
{
	switch ((int)inside->process->role) {
	case INV_ROLE_REGISTRY:
	case INV_ROLE_MEMORY_COMPRESSION:
	case INV_ROLE_SECURE_SYSTEM:
	case INV_ROLE_VM:
	case INV_ROLE_MINIMAL:
	case INV_ROLE_PICO:
		return !inv_has_image_range(inside);
	default:
		return false;
	}
}

bool inv_space_is_cleaned(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value deleted = inv_field(judge->kernel, process->address, INV_F_EPROCESS_VmDeleted);
	struct inv_value active = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	return deleted.ok && deleted.u != 0 && active.ok && active.u == 0;
}

// A process that exits notes the time, lets its ranges go, and only then its section (PspRundownSingleProcess): between the last two
// it has a section, and some of its images or none.
static bool has_exited(const struct inv_judge *judge, const struct inv_inside *inside)
{
	struct inv_value time = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_ExitTime);
	const struct inv_value *section = &inside->image.section_object;
	if (!time.ok || time.u == 0)
		return false;
	return inv_space_is_cleaned(judge, inside->process) ||
	       (section->ok && section->u == 0 && !inv_has_image_range(inside));
}

bool inv_runs_program(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_dossier *process = inside->process;
	const struct inv_value *section = &inside->image.section_object;
	const char *exception = NULL;
	if (process->state == INV_STATE_CREATED && inside->thread_count == 0)
		exception = "creating";
	else if (section->ok && section->u == 0 && is_minimal(inside))
		exception = "minimal";
	else if (has_exited(judge, inside))
		exception = "exited";
	if (exception)
		inv_excuse(judge, inv_subject_process(process), exception);
	else if (inside->user == NULL && inside->why.reason == INV_PRESENT)
		inv_unknown_because(judge, "the memory of the process cannot be read");
	else
		return inv_need(judge, section);
	return false;
}

// The program, ntdll, and under WOW64 a second ntdll: what the kernel maps itself.
#define FIRST_IMAGES 3u

bool inv_is_starting(const struct inv_inside *inside)
{
	size_t images = 0;
	for (size_t i = 0; i < inv_count(inside->vads.vads); i++)
		images += inside->vads.vads[i].type == INV_VAD_IMAGE;
	return inside->thread_count <= 1 && images <= FIRST_IMAGES;
}

enum inv_answer inv_same_file(const struct inv_file *one, const struct inv_file *other)
{
	if (one->address && one->address == other->address)
		return INV_YES;
	if (!one->fs_context.ok || !other->fs_context.ok || !one->pointers.ok || !other->pointers.ok)
		return INV_UNSURE;
	return one->fs_context.u == other->fs_context.u && one->pointers.u == other->pointers.u ? INV_YES : INV_NO;
}
