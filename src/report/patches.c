// SPDX-License-Identifier: Apache-2.0
#include "report/patches.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "kernel/pe.h"
#include "report/json.h"
#include "report/table.h"

#define PAGE INV_PAGE_SIZE
#define MOST_PATCHES 64u
#define MOST_OF_PAGE 16u
#define SAME 8u // so many equal bytes end a run

struct pages {
	uint8_t was[PAGE], is[PAGE];
};

static bool is_narrow(const struct inv_inside *inside, const struct inv_vad *vad)
{
	struct inv_pe pe;
	return vad && inside->user && inv_pe_read_image(inv_user_space(inside->user), vad->start, &pe, NULL) && pe.narrow;
}

static struct inv_patch patch_at(const struct pages *pages, const struct inv_page_note *note, size_t start, size_t end,
                                 bool narrow)
{
	struct inv_patch patch = {.address = note->page.address + start, .length = (uint32_t)(end - start)};
	size_t from = inv_instruction_start(pages->was, PAGE, start, narrow);
	size_t size = end + INV_INSTRUCTION_MAX < PAGE ? end + INV_INSTRUCTION_MAX - from : PAGE - from;
	uint64_t address = note->page.address + from;
	patch.was_count = inv_disassemble(pages->was + from, size, address, narrow, patch.was, INV_PATCH_INSTRUCTIONS);
	patch.is_count = inv_disassemble(pages->is + from, size, address, narrow, patch.is, INV_PATCH_INSTRUCTIONS);
	// No further than the first instruction that ends behind the last byte that differs.
	for (size_t i = 0; i < patch.was_count; i++)
		if (patch.was[i].address + patch.was[i].size >= patch.address + patch.length)
			patch.was_count = i + 1;
	for (size_t i = 0; i < patch.is_count; i++)
		if (patch.is[i].address + patch.is[i].size >= patch.address + patch.length)
			patch.is_count = i + 1;
	return patch;
}

static size_t run_end(const struct pages *pages, size_t start)
{
	size_t end = start + 1;
	for (size_t at = end; at < PAGE && at < end + SAME; at++)
		if (pages->was[at] != pages->is[at])
			end = at + 1;
	return end;
}

static void compare(const struct inv_inside *inside, const struct inv_page_note *note, struct inv_patches *patches)
{
	struct pages pages;
	const struct inv_image *image = inside->dossiers->kernel->image;
	bool read = note->page.size == PAGE && inv_image_read(image, note->page.frame, pages.is, PAGE) == PAGE &&
	            inv_image_read(image, note->shared, pages.was, PAGE) == PAGE;
	bool narrow = is_narrow(inside, note->vad);
	const struct inv_control_area *area =
	    note->vad ? inv_control_area_at(inside->sections, note->vad->control_area) : NULL;
	size_t shown = 0;
	for (size_t at = 0; read && at < PAGE; at++) {
		if (pages.was[at] == pages.is[at])
			continue;
		size_t end = run_end(&pages, at);
		if (shown++ < MOST_OF_PAGE && inv_count(patches->patches) < MOST_PATCHES) {
			struct inv_patch patch = patch_at(&pages, note, at, end, narrow);
			patch.range = note->vad ? note->vad->start : 0;
			patch.file = area && area->file.name_value.ok && *area->file.name ? area->file.name : NULL;
			inv_push(patches->patches, patch);
		} else {
			patches->left_out++;
		}
		at = end;
	}
}

void inv_patches_read(const struct inv_inside *inside, struct inv_patches *patches)
{
	*patches = (struct inv_patches){0};
	for (size_t i = 0; i < inv_count(inside->survey.notes); i++) {
		if (inside->survey.notes[i].kind != INV_PAGE_PATCHED)
			continue;
		if (inv_count(patches->patches) < MOST_PATCHES)
			compare(inside, &inside->survey.notes[i], patches);
		else
			patches->left_out++;
	}
}

void inv_patches_free(struct inv_patches *patches)
{
	inv_array_free(patches->patches);
}

static void bytes_text(const struct inv_instruction *instruction, char text[2 * INV_INSTRUCTION_MAX + 1])
{
	text[0] = 0;
	for (size_t i = 0; i < instruction->size; i++)
		snprintf(text + 2 * i, 3, "%02x", instruction->bytes[i]);
}

static void write_side(const char *indent, const char *side, const struct inv_instruction *code, size_t count,
                       FILE *file)
{
	char bytes[2 * INV_INSTRUCTION_MAX + 1];
	for (size_t i = 0; i < count; i++) {
		bytes_text(&code[i], bytes);
		fprintf(file, "%s  %s 0x%" PRIx64 "  %-20s %s\n", indent, i ? "    " : side, code[i].address, bytes,
		        code[i].text);
	}
}

void inv_patches_write(const struct inv_patches *patches, const char *indent, FILE *file)
{
	for (size_t i = 0; i < inv_count(patches->patches); i++) {
		const struct inv_patch *patch = &patches->patches[i];
		fprintf(file, "%s0x%" PRIx64 ", %u bytes", indent, patch->address, patch->length);
		if (patch->range)
			fprintf(file, ", 0x%" PRIx64 " in ", patch->address - patch->range);
		if (patch->range && patch->file)
			inv_write_safe(file, patch->file);
		else if (patch->range)
			fprintf(file, "the range at 0x%" PRIx64, patch->range);
		putc('\n', file);
		write_side(indent, "was ", patch->was, patch->was_count, file);
		write_side(indent, "is  ", patch->is, patch->is_count, file);
	}
	if (patches->left_out)
		fprintf(file, "%sand %zu more\n", indent, patches->left_out);
}

static json_t *side_json(const struct inv_instruction *code, size_t count)
{
	char bytes[2 * INV_INSTRUCTION_MAX + 1];
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();
		bytes_text(&code[i], bytes);
		json_object_set_new(object, "address", inv_json_address(code[i].address));
		json_object_set_new(object, "bytes", json_string(bytes));
		json_object_set_new(object, "text", json_string(code[i].text));
		json_array_append_new(list, object);
	}
	return list;
}

json_t *inv_patches_json(const struct inv_patches *patches)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(patches->patches); i++) {
		const struct inv_patch *patch = &patches->patches[i];
		json_t *object = json_object();
		json_object_set_new(object, "address", inv_json_address(patch->address));
		json_object_set_new(object, "bytes", json_integer(patch->length));
		json_object_set_new(object, "range", patch->range ? inv_json_address(patch->range) : json_null());
		json_object_set_new(object, "file", inv_json_text(patch->file));
		json_object_set_new(object, "was", side_json(patch->was, patch->was_count));
		json_object_set_new(object, "is", side_json(patch->is, patch->is_count));
		json_array_append_new(list, object);
	}
	return list;
}
