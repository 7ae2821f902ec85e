// SPDX-License-Identifier: Apache-2.0
#include "invariant/files.h"

#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "invariant/path.h"

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

const struct inv_known_file *inv_known_file(const struct inv_known_files *files, const char *path)
{
	const char *name = inv_path_in_volume(path);
	size_t low = 0, high = files && name ? inv_count(files->known) : 0, count = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcasecmp(files->known[middle].file.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && strcasecmp(files->known[low].file.name, name) == 0 ? &files->known[low] : NULL;
}
