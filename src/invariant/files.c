// SPDX-License-Identifier: Apache-2.0
#include "invariant/files.h"

#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "invariant/path.h"
#include "invariant/trial.h"

struct inv_known_files {
	struct inv_known_file *known; // stb_ds, by name, then by process
};

static int by_name(const void *a, const void *b)
{
	const struct inv_known_file *left = a, *right = b;
	int order = strcasecmp(left->file.name, right->file.name);
	if (order)
		return order;
	return (left->process->address > right->process->address) - (left->process->address < right->process->address);
}

static uint64_t file_of(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_value file = inv_field(kernel, process, INV_F_EPROCESS_ImageFilePointer);
	if (file.ok || file.why.reason != INV_NO_FIELD)
		return file.u;
	struct inv_value section = inv_field(kernel, process, INV_F_EPROCESS_SectionObject);
	struct inv_value area = inv_section_object_area(kernel, section.ok ? section.u : 0);
	struct inv_value pointer = inv_field(kernel, area.ok ? area.u : 0, INV_F_CONTROL_AREA_FilePointer);
	return pointer.ok ? pointer.u : 0;
}

struct inv_known_files *inv_known_files_read(const struct inv_dossiers *dossiers, struct inv_arena *arena)
{
	struct inv_known_files *files = inv_alloc(sizeof *files);
	for (size_t i = 0; i < dossiers->process_count; i++) {
		struct inv_known_file known = {.process = &dossiers->processes[i]};
		uint64_t file = inv_is_live(known.process) ? file_of(dossiers->kernel, known.process->address) : 0;
		if (!file)
			continue;
		inv_file_read(dossiers->kernel, file, arena, &known.file);
		if (known.file.name_value.ok && known.file.name[0])
			inv_push(files->known, known);
	}
	if (files->known)
		qsort(files->known, inv_count(files->known), sizeof *files->known, by_name);
	return files;
}

void inv_known_files_free(struct inv_known_files *files)
{
	if (files)
		inv_array_free(files->known);
	free(files);
}

static size_t first_named(const struct inv_known_files *files, const char *name)
{
	size_t low = 0, high = inv_count(files->known);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcasecmp(files->known[middle].file.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_named(const struct inv_known_files *files, size_t index, const char *name)
{
	return index < inv_count(files->known) && strcasecmp(files->known[index].file.name, name) == 0;
}

const struct inv_known_file *inv_known_file(const struct inv_known_files *files, const char *path)
{
	const char *name = files ? inv_path_in_volume(path) : NULL;
	size_t first = name ? first_named(files, name) : 0;
	return name && is_named(files, first, name) ? &files->known[first] : NULL;
}

// Of one name no more are compared: with more processes than that, each would else be compared with all.
#define MOST_NAMESAKES 256u

const struct inv_known_file *inv_known_namesake(const struct inv_known_files *files, const struct inv_file *file)
{
	const struct inv_known_file *other = NULL;
	size_t same = 0, others = 0;
	if (!files || !file->name_value.ok || !file->name[0])
		return NULL;
	size_t first = first_named(files, file->name);
	for (size_t i = first; i < first + MOST_NAMESAKES && is_named(files, i, file->name); i++) {
		enum inv_answer answer = inv_same_file(&files->known[i].file, file);
		same += answer == INV_YES;
		others += answer == INV_NO;
		if (answer == INV_NO && !other)
			other = &files->known[i];
	}
	return others > same ? other : NULL;
}
