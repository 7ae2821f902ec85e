// SPDX-License-Identifier: Apache-2.0
// Reads the inside of each process in turn, lets it be judged, and lets it go: what all of them hold together would not fit.
#include "invariant/inside.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "check/check.h"
#include "invariant/files.h"

static bool has_page_tables(const struct inv_kernel *kernel)
{
	return !kernel->fragments && kernel->space && inv_space_has_page_tables(kernel->space);
}

bool inv_has_inside(const struct inv_dossier *process, const struct inv_kernel *kernel)
{
	if (!has_page_tables(kernel) || !inv_is_live(process))
		return false;
	return process->role != INV_ROLE_IDLE && process->role != INV_ROLE_SYSTEM;
}

// Threads by the process on whose lists they stand, else by their own word.
struct owned {
	uint64_t owner;
	const struct inv_thread_dossier *thread;
};

static int by_owner(const void *a, const void *b)
{
	const struct owned *left = a, *right = b;
	if (left->owner != right->owner)
		return left->owner < right->owner ? -1 : 1;
	return (left->thread->address > right->thread->address) - (left->thread->address < right->thread->address);
}

struct inv_thread_owners {
	struct owned *owned;                       // by owner, then address
	const struct inv_thread_dossier **threads; // the same order
	size_t count;
};

struct inv_thread_owners *inv_thread_owners_new(const struct inv_dossiers *dossiers)
{
	struct inv_thread_owners *owners = inv_alloc(sizeof *owners);
	owners->count = dossiers->thread_count;
	owners->owned = inv_alloc((owners->count + 1) * sizeof *owners->owned);
	owners->threads = inv_alloc((owners->count + 1) * sizeof(struct inv_thread_dossier *));
	for (size_t i = 0; i < owners->count; i++) {
		const struct inv_thread_dossier *thread = &dossiers->threads[i];
		owners->owned[i].owner = thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
		owners->owned[i].thread = thread;
	}
	qsort(owners->owned, owners->count, sizeof *owners->owned, by_owner);
	for (size_t i = 0; i < owners->count; i++)
		owners->threads[i] = owners->owned[i].thread;
	return owners;
}

void inv_thread_owners_free(struct inv_thread_owners *owners)
{
	free(owners->owned);
	free(owners->threads);
	free(owners);
}

void inv_thread_owners_give(const struct inv_thread_owners *owners, struct inv_inside *inside)
{
	size_t low = INV_LOWER_BOUND(owners->owned, owners->count, owner, inside->process->address);
	inside->threads = owners->threads + low;
	while (low + inside->thread_count < owners->count &&
	       owners->owned[low + inside->thread_count].owner == inside->process->address)
		inside->thread_count++;
}

static void read_main_image(struct inv_inside *inside)
{
	const struct inv_kernel *kernel = inside->dossiers->kernel;
	uint64_t process = inside->process->address;
	struct inv_main_image *image = &inside->image;
	image->base = inv_field(kernel, process, INV_F_EPROCESS_SectionBaseAddress);
	image->section_object = inv_field(kernel, process, INV_F_EPROCESS_SectionObject);
	image->area = image->section_object;
	if (image->section_object.ok)
		image->area = inv_section_object_area(kernel, image->section_object.u);
	image->section = image->area.ok ? inv_control_area_at(inside->sections, image->area.u) : NULL;
	image->file_pointer = inv_field(kernel, process, INV_F_EPROCESS_ImageFilePointer);
	inv_file_read(kernel, image->file_pointer.ok ? image->file_pointer.u : 0, inside->arena, &image->file);
	const struct inv_vad *vad = image->base.ok ? inv_vad_at(&inside->vads, image->base.u) : NULL;
	image->vad = vad && vad->start == image->base.u ? vad : NULL;
}

// What the process says of itself.
static void read_pebs(struct inv_inside *inside)
{
	const struct inv_kernel *kernel = inside->dossiers->kernel;
	struct inv_value peb = inv_field(kernel, inside->process->address, INV_F_EPROCESS_Peb);
	struct inv_value peb32 = inv_process_peb32(kernel, inside->process->address);
	if (inside->user && peb.ok && peb.u)
		inv_peb_read(inside->user, peb.u, false, inside->arena, &inside->peb);
	if (inside->user && peb32.ok && peb32.u)
		inv_peb_read(inside->user, peb32.u, true, inside->arena, &inside->peb32);
}

void inv_inside_open(const struct inv_dossiers *dossiers, const struct inv_dossier *process,
                     struct inv_control_areas *sections, struct inv_inside *inside)
{
	*inside =
	    (struct inv_inside){.dossiers = dossiers, .process = process, .arena = inv_arena_new(), .sections = sections};
	inside->user = inv_user_open(dossiers->kernel, process->address, &inside->why);
	inv_vad_tree_read(dossiers->kernel, process->address, &inside->vads);
	read_main_image(inside);
	read_pebs(inside);
}

void inv_inside_read(const struct inv_dossiers *dossiers, const struct inv_dossier *process,
                     struct inv_control_areas *sections, struct inv_inside *inside)
{
	inv_inside_open(dossiers, process, sections, inside);
	inv_survey_read(inside);
}

void inv_inside_free(struct inv_inside *inside)
{
	inv_peb_free(&inside->peb);
	inv_peb_free(&inside->peb32);
	inv_survey_free(&inside->survey);
	inv_vad_tree_free(&inside->vads);
	inv_user_close(inside->user);
	inv_arena_free(inside->arena);
}

// The processes are judged in so many parts, whatever the number of threads.
#define PARTS 64u

struct insides {
	const struct inv_check *check;
	const struct inv_thread_owners *owners;
	const struct inv_known_files *files;
	struct inv_class_books books;
	struct inv_class *classes;
};

// `inside` may be NULL.
static void class_one(const struct insides *insides, const struct inv_dossier *process,
                      struct inv_control_areas *sections, const struct inv_inside *inside)
{
	struct inv_class *class = &insides->classes[process - insides->check->dossiers.processes];
	struct inv_class_claim claims[INV_CLAIM_COUNT];
	struct inv_arena *arena = inside ? inside->arena : inv_arena_new();
	class->is = inv_class_read(&insides->books, process, sections, inside, arena, claims);
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++)
		class->says[i] = claims[i].says;
	if (!inside)
		inv_arena_free(arena);
}

static void judge_one(const struct insides *insides, const struct inv_dossier *process,
                      struct inv_control_areas *sections, struct inv_judge *judge)
{
	struct inv_inside inside;
	inv_inside_read(&insides->check->dossiers, process, sections, &inside);
	inv_thread_owners_give(insides->owners, &inside);
	inside.files = insides->files;
	inv_judge_inside(judge, &inside);
	class_one(insides, process, sections, &inside);
	inv_inside_free(&inside);
}

static void judge_part(void *context, struct inv_judge *judge, size_t part)
{
	const struct insides *insides = context;
	const struct inv_dossiers *dossiers = &insides->check->dossiers;
	size_t first = dossiers->process_count * part / PARTS, end = dossiers->process_count * (part + 1) / PARTS;
	struct inv_control_areas *sections = inv_control_areas_part(insides->check->sections, PARTS);
	for (size_t i = first; i < end; i++) {
		bool has_inside = inv_has_inside(&dossiers->processes[i], insides->check->kernel);
		if (has_inside && inv_progress_stopped(dossiers->kernel->progress))
			inv_judge_not_inside(judge);
		else if (has_inside)
			judge_one(insides, &dossiers->processes[i], sections, judge);
		else if (inv_is_live(&dossiers->processes[i]))
			class_one(insides, &dossiers->processes[i], sections, NULL);
		inv_progress_add(dossiers->kernel->progress, 1);
	}
	inv_control_areas_free(sections);
}

static void judge_parts(struct inv_check *check, unsigned threads, struct insides *insides)
{
	struct inv_thread_owners *owners = inv_thread_owners_new(&check->dossiers);
	struct inv_known_files *files = inv_known_files_read(&check->dossiers, check->arena);
	insides->owners = owners;
	insides->files = files;
	inv_progress_begin(check->kernel->progress, INV_PHASE_INSIDES, check->dossiers.process_count);
	inv_judge_parts(&check->judge, threads, PARTS, judge_part, insides);
	inv_known_files_free(files);
	inv_thread_owners_free(owners);
}

void inv_judge_insides(struct inv_check *check, unsigned threads)
{
	struct insides insides = {.check = check};
	insides.classes = check->classes = inv_alloc((check->dossiers.process_count + 1) * sizeof *check->classes);
	inv_class_books_read(&check->dossiers, &insides.books);
	if (has_page_tables(check->kernel)) {
		judge_parts(check, threads, &insides);
	} else {
		inv_judge_no_inside(&check->judge, "the image holds no page tables, and so no memory of processes");
		for (size_t i = 0; i < check->dossiers.process_count; i++)
			if (inv_is_live(&check->dossiers.processes[i]))
				class_one(&insides, &check->dossiers.processes[i], check->sections, NULL);
	}
	inv_class_books_free(&insides.books);
}
