// SPDX-License-Identifier: Apache-2.0
#include "cli/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define MOST_NOTES 12u // of one range; threads alone could make more than anybody reads

void inv_opener_start(struct inv_opener *opener, const struct inv_session *session, const struct inv_check *check)
{
	*opener = (struct inv_opener){session, check, inv_control_areas_new(check->kernel),
	                              inv_thread_owners_new(&check->dossiers)};
}

void inv_opener_end(struct inv_opener *opener)
{
	inv_control_areas_free(opener->sections);
	inv_thread_owners_free(opener->owners);
}

const char *inv_base_name(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

const char *inv_vad_kind(const struct inv_vad *vad, struct inv_arena *arena)
{
	if (vad->type == INV_VAD_NONE)
		return vad->is_private ? "private" : "mapped";
	const char *name = inv_vad_type_name(vad->type);
	return name ? name : inv_arena_printf(arena, "type %u", vad->type);
}

const char *inv_vad_file(struct inv_control_areas *sections, const struct inv_vad *vad, const struct inv_why **why)
{
	const struct inv_control_area *area = inv_control_area_at(sections, vad->control_area);
	if (why)
		*why = NULL;
	if (!area || !area->file.address)
		return NULL;
	if (area->file.name_value.ok)
		return area->file.name;
	if (why)
		*why = &area->file.name_value.why;
	return NULL;
}

// -- notes ------------------------------------------------------------------------------------------------------------------

struct noting {
	struct inv_opened *opened;
	uint8_t *counts; // notes of each VAD so far
};

static void note(const struct noting *noting, const struct inv_vad *vad, const char *text)
{
	struct inv_opened *opened = noting->opened;
	if (!vad)
		return;
	size_t index = (size_t)(vad - opened->inside.vads.vads);
	const char *before = opened->notes[index];
	if (noting->counts[index] == MOST_NOTES)
		text = "...";
	if (noting->counts[index] > MOST_NOTES)
		return;
	noting->counts[index]++;
	opened->notes[index] = before ? inv_arena_printf(opened->inside.arena, "%s, %s", before, text) : text;
}

static void note_at(const struct noting *noting, uint64_t address, const char *text)
{
	if (address)
		note(noting, inv_vad_at(&noting->opened->inside.vads, address), text);
}

static void note_thread(const struct noting *noting, const struct inv_thread_dossier *thread)
{
	struct inv_inside *inside = &noting->opened->inside;
	const struct inv_kernel *kernel = inside->dossiers->kernel;
	struct inv_value teb = inv_field(kernel, thread->address, INV_F_KTHREAD_Teb);
	if (!teb.ok || !teb.u || !thread->cid_thread.ok)
		return;
	note_at(noting, teb.u, inv_arena_printf(inside->arena, "TEB of %" PRIu64, thread->cid_thread.u));
	if (!inside->user)
		return;
	struct inv_value stack = inv_user_field(inside->user, teb.u, INV_F_TEB_StackBase);
	if (stack.ok && stack.u)
		note_at(noting, stack.u - 1, inv_arena_printf(inside->arena, "stack of %" PRIu64, thread->cid_thread.u));
}

static void note_landmarks(const struct noting *noting)
{
	const struct inv_inside *inside = &noting->opened->inside;
	note(noting, inside->image.vad, "the image");
	note_at(noting, inside->peb.address, "PEB");
	note_at(noting, inside->peb32.address, "32-bit PEB");
	if (inside->peb.address && inside->user) {
		struct inv_value heap = inv_user_field(inside->user, inside->peb.address, INV_F_PEB_ProcessHeap);
		note_at(noting, heap.ok ? heap.u : 0, "heap");
	}
	for (size_t i = 0; i < inside->thread_count; i++)
		note_thread(noting, inside->threads[i]);
}

// The pages of one VAD and one kind stand together, as the notes are in order of kind, then address.
static void note_pages(const struct noting *noting)
{
	const struct inv_inside *inside = &noting->opened->inside;
	const struct inv_page_note *notes = inside->survey.notes;
	size_t count = inv_count(notes);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && notes[next].kind == notes[i].kind && notes[next].vad == notes[i].vad;)
			next++;
		note(noting, notes[i].vad,
		     inv_arena_printf(inside->arena, "%zu %s", next - i, inv_page_kind_name(notes[i].kind)));
	}
}

static void note_faults(const struct noting *noting)
{
	static const char *const texts[] = {
	    [INV_VAD_FAULT_PARENT] = "its parent does not lead to it",
	    [INV_VAD_FAULT_ORDER] = "begins before the range to its left ends",
	    [INV_VAD_FAULT_BACKWARD] = "ends before it begins",
	    [INV_VAD_FAULT_CYCLE] = "reached twice in the tree",
	    [INV_VAD_FAULT_BALANCE] = "out of balance in the tree",
	};
	const struct inv_vad_tree *tree = &noting->opened->inside.vads;
	for (size_t f = 0; f < inv_count(tree->faults); f++)
		for (size_t i = 0; i < inv_count(tree->vads); i++)
			if (tree->vads[i].address == tree->faults[f].node)
				note(noting, &tree->vads[i], texts[tree->faults[f].kind]);
}

static void make_notes(struct inv_opened *opened)
{
	size_t count = inv_count(opened->inside.vads.vads);
	opened->notes = inv_alloc((count + 1) * sizeof *opened->notes);
	struct noting noting = {opened, inv_alloc(count + 1)};
	note_landmarks(&noting);
	for (size_t i = 0; i < count; i++)
		if (opened->inside.vads.vads[i].deleting)
			note(&noting, &opened->inside.vads.vads[i], "being deleted");
	note_pages(&noting);
	note_faults(&noting);
	free(noting.counts);
}

const char *inv_range_notes(const struct inv_opened *opened, const struct inv_vad *vad)
{
	return opened->notes[vad - opened->inside.vads.vads];
}

// -- reading ----------------------------------------------------------------------------------------------------------------

void inv_warn_of_gaps(const struct inv_session *session, const struct inv_opened *opened)
{
	const struct inv_inside *inside = &opened->inside;
	const struct inv_dossier *process = inside->process;
	const char *of = inv_arena_printf(inside->arena, "process %s at 0x%" PRIx64,
	                                  process->name_value.ok ? process->name : "?", process->address);
	if (!inside->user)
		inv_log(session->log, INV_LOG_WARNING, "the memory of %s cannot be read: %s", of,
		        inv_why_text(inside->arena, &inside->why));
	else if (opened->ranges.tables_missing)
		inv_log(session->log, INV_LOG_INFO, "%zu page tables of %s are not in the image", opened->ranges.tables_missing,
		        of);
	if (!inside->vads.complete)
		inv_log(session->log, INV_LOG_WARNING, "not all ranges of %s are shown: %s", of,
		        inv_why_text(inside->arena, &inside->vads.why));
}

void inv_open_inside(const struct inv_opener *opener, const struct inv_dossier *process, struct inv_opened *opened)
{
	*opened = (struct inv_opened){0};
	inv_inside_read(&opener->check->dossiers, process, opener->sections, &opened->inside);
	inv_thread_owners_give(opener->owners, &opened->inside);
	inv_ranges_read(&opened->inside, &opened->ranges);
	make_notes(opened);
}

void inv_close_inside(struct inv_opened *opened)
{
	free(opened->notes);
	inv_ranges_free(&opened->ranges);
	inv_inside_free(&opened->inside);
}
