// SPDX-License-Identifier: Apache-2.0
// A process' tree of VADs, the sections that these map, and its page tables, made of the input, with the layout of any kernel of the
// table. Every walk must end; what is found must be in order and within its bounds.
//
// The input: the layout, which pages of the kernel half are mapped, where the process is, which page is the first table of the user
// half, then the bytes of those pages.
#include "base/array.h"
#include "fuzz_kernel_half.h"
#include "nt/section.h"
#include "nt/user.h"
#include "nt/vad.h"

#define HEADER 8u
#define BOUND 4096u // of entries of page tables
#define USER_FLAGS 0x67u

struct pages {
	uint64_t end; // of the page before
	size_t count;
};

static bool look(void *context, const struct inv_user_page *page)
{
	struct pages *pages = context;
	require(page->address >= pages->end && page->size >= INV_PAGE_SIZE);
	require(!page->valid || page->frame % page->size == 0);
	require(page->valid || (!page->user && !page->writable && !page->executable));
	pages->end = page->address + page->size;
	pages->count++;
	return pages->count < BOUND / 2;
}

static void use_area(const struct inv_kernel *kernel, struct inv_control_areas *areas, const struct inv_vad *vad)
{
	const struct inv_control_area *area = inv_control_area_at(areas, vad->control_area);
	require((area == NULL) == (vad->control_area == 0));
	require(area == inv_control_area_at(areas, vad->control_area));
	if (!area)
		return;
	require(inv_count(area->subsections) <= INV_SUBSECTION_BOUND && area->file.name);
	uint64_t end = vad->end - vad->start;
	for (uint64_t offset = 0; offset < end && offset < (uint64_t)64 * INV_PAGE_SIZE; offset += INV_PAGE_SIZE)
		(void)inv_section_prototype(area, vad->subsection, vad->first_prototype, offset, NULL);
	(void)inv_section_object_area(kernel, vad->control_area);
}

static void use_tree(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_vad_tree tree;
	struct inv_control_areas *areas = inv_control_areas_new(kernel);
	inv_vad_tree_read(kernel, process, &tree);
	size_t count = inv_count(tree.vads);
	require(inv_count(tree.faults) <= tree.fault_count && count <= INV_VAD_BOUND);
	for (size_t i = 0; i < count; i++) {
		char text[8];
		const struct inv_vad *vad = &tree.vads[i];
		require(vad->start <= vad->end && vad->depth < INV_VAD_DEPTH);
		require(i == 0 || tree.vads[i - 1].start <= vad->start);
		require(strlen(inv_protection_text(vad->protection, text)) < sizeof text);
		const struct inv_vad *found = inv_vad_at(&tree, vad->start);
		require(!found || (found->start <= vad->start && vad->start < found->end));
		use_area(kernel, areas, vad);
	}
	inv_control_areas_free(areas);
	inv_vad_tree_free(&tree);
}

static void use_pages(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_why why;
	struct inv_user *user = inv_user_open(kernel, process, &why);
	struct pages pages = {0};
	struct inv_arena *arena = inv_arena_new();
	size_t missing;
	require(user || why.reason != INV_PRESENT);
	if (user) {
		(void)inv_user_pages(user, BOUND, look, &pages, &missing);
		require(pages.end <= inv_user_end(user));
		require(inv_user_unicode(user, process, false, arena, NULL) != NULL);
		require(inv_user_unicode(user, 0x1000, true, arena, NULL) != NULL);
	}
	inv_arena_free(arena);
	inv_user_close(user);
}

static void use(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data)
{
	uint64_t process = KERNEL + (uint64_t)data[5] * 0x40, at;
	if (data[7] & 1 && inv_field_address(kernel, process, INV_F_KPROCESS_DirectoryTableBase, &at) &&
	    at + 8 <= KERNEL + (uint64_t)MAPPED * INV_PAGE_SIZE)
		inv_put64(memory + (size_t)FIRST * INV_PAGE_SIZE + (size_t)(at - KERNEL), ROOT);
	use_tree(kernel, process);
	use_pages(kernel, process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = new_memory(data, size, HEADER, FIRST, MAPPED);
	if (!memory)
		return 0;
	put_tables(memory, inv_le32(data + 1));
	inv_put64(memory + ROOT, (uint64_t)(FIRST + data[6] % MAPPED) << 12 | USER_FLAGS);
	with_memory(memory, data[0], (struct inv_kernel){0}, data, use);
	free(memory);
	return 0;
}
