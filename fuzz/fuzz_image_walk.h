// SPDX-License-Identifier: Apache-2.0
// What every image fuzzer does with an image that opens: walk it, read from it, and stop when what must hold of any image
// does not.
#ifndef INV_FUZZ_IMAGE_WALK_H
#define INV_FUZZ_IMAGE_WALK_H

#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                               \
		if (!(condition))                                                                                              \
			abort();                                                                                                   \
	} while (0)

static volatile unsigned fuzz_sink;

static inline void fuzz_touch(const uint8_t *bytes, size_t size)
{
	unsigned sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	fuzz_sink = sum;
}

#define SECTIONS 9

static inline void fuzz_triage(const struct inv_triage *triage)
{
	const struct inv_section *sections[SECTIONS] = {
	    &triage->prcb,      &triage->process,     &triage->thread,           &triage->call_stack,   &triage->context,
	    &triage->exception, &triage->memory_info, &triage->unloaded_drivers, &triage->debugger_data};
	for (size_t i = 0; i < SECTIONS; i++)
		fuzz_touch(sections[i]->bytes, sections[i]->size);
	for (size_t i = 0; i < triage->fragment_count; i++) {
		const struct inv_fragment *fragment = &triage->fragments[i];
		MUST(fragment->size > 0 && fragment->size <= UINT64_MAX - fragment->address);
		MUST(i == 0 || fragment->offset >= fragment[-1].offset);
		fuzz_touch(fragment->bytes, fragment->size < 64 ? fragment->size : 64);
		fuzz_touch(fragment->bytes + fragment->size - 1, 1);
	}
	for (size_t i = 0; i < triage->module_count; i++)
		fuzz_touch(triage->modules[i].name, triage->modules[i].name_size);
}

static inline void fuzz_runs(const struct inv_image *image)
{
	const struct inv_image_info *info = inv_image_info(image);
	uint64_t address = 0, pages = 0, next_page = 0;
	struct inv_run run;
	uint8_t buffer[8200];
	while (inv_image_next_run(image, address, &run)) {
		MUST(run.address >= address && run.size > 0);
		MUST(run.address < info->highest && run.size <= info->highest - run.address);
		size_t size = run.size < sizeof buffer ? (size_t)run.size : sizeof buffer;
		MUST(inv_image_read(image, run.address, buffer, size) == size);
		MUST(inv_image_read(image, run.address + run.size - 1, buffer, 1) == 1);
		const uint8_t *bytes;
		MUST(inv_image_bytes(image, run.address, (size_t)run.size, &bytes) == run.size);
		fuzz_touch(bytes + run.size - 1, 1);
		struct inv_run inner;
		uint64_t middle = run.address + run.size / 2;
		MUST(inv_image_next_run(image, middle, &inner));
		MUST(inner.address == middle && inner.address + inner.size == run.address + run.size);
		uint64_t first = run.address / INV_PAGE_SIZE > next_page ? run.address / INV_PAGE_SIZE : next_page;
		address = run.address + run.size;
		next_page = (address + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE;
		pages += next_page - first;
	}
	MUST(pages == info->present_pages);
	MUST(address == info->highest);
}

static inline void fuzz_image(const char *name, const uint8_t *data, size_t size)
{
	struct inv_image *image = NULL;
	struct inv_error error = {0};
	enum inv_code code = inv_image_open_memory(name, data, size, &image, &error);
	MUST((code == INV_OK) == (image != NULL));
	if (code) {
		MUST(error.code == code && error.text[0]);
		return;
	}
	const struct inv_image_info *info = inv_image_info(image);
	MUST(info->bytes == size);
	for (size_t i = 0; i < info->contradiction_count; i++)
		fuzz_touch((const uint8_t *)info->contradictions[i], strlen(info->contradictions[i]));
	MUST(info->header.cpu_count <= INV_MAX_CPUS);
	MUST(strlen(info->header.comment) <= 128);
	fuzz_runs(image);
	if (info->triage)
		fuzz_triage(info->triage);
	inv_image_close(image);
}

#endif
