// SPDX-License-Identifier: Apache-2.0
// The ranges, sections and pages of processes of forged machines; and trees that somebody has torn.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "forge/forge.h"
#include "nt/process.h"
#include "nt/section.h"
#include "nt/user.h"
#include "nt/vad.h"

struct scene {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
	uint64_t process; // the one that was listed last
};

static void open_scene(struct scene *scene, const char *scenario, const struct inv_kernel_facts *facts)
{
	struct inv_error error = {0};
	struct inv_forge_options options = {.facts = facts};
	size_t size;
	*scene = (struct scene){.forge = inv_forge_run(scenario, &options, &error)};
	if (!scene->forge)
		fail_msg("%s", error.text);
	if (inv_forge_write_memory(scene->forge, INV_FORGE_RAW, &scene->bytes, &size, &error) != INV_OK ||
	    inv_image_open_memory("forged", scene->bytes, size, &scene->image, &error) != INV_OK ||
	    inv_kernel_identify(scene->image, NULL, &scene->kernel, &error) != INV_OK)
		fail_msg("%s", error.text);
	struct inv_value head = inv_kernel_symbol(scene->kernel, INV_S_PsActiveProcessHead, NULL);
	assert_true(head.ok);
	struct inv_value last = inv_read_u64(scene->kernel, head.u + 8);
	assert_true(last.ok);
	scene->process = inv_process_of_entry(scene->kernel, last.u, INV_F_EPROCESS_ActiveProcessLinks);
}

static void close_scene(struct scene *scene)
{
	inv_kernel_free(scene->kernel);
	inv_image_close(scene->image);
	free(scene->bytes);
	inv_forge_free(scene->forge);
}

static const char honest[] = "p = process{name = 'p.exe', parent = find(4), session = 1}\n"
                             "alloc(p, {at = 0x20000000, size = 0x3000, protect = 'rwx', bytes = 'hello'})\n"
                             "map_file(p, 'C:\\\\a.txt', {at = 0x21000000, bytes = string.rep('a', 5000)})\n";

struct count {
	const struct inv_vad_tree *tree;
	size_t valid, covered, wayward, mine;
};

static bool count_page(void *context, const struct inv_user_page *page)
{
	struct count *count = context;
	if (!page->valid)
		return true;
	count->valid++;
	count->covered += inv_vad_at(count->tree, page->address) != NULL;
	count->wayward += page->wayward || !page->user;
	if (page->address >= 0x20000000 && page->address < 0x20003000) {
		assert_true(page->executable && page->may_write);
		count->mine++;
	}
	return true;
}

static void check_pages(const struct scene *scene, const struct inv_vad_tree *tree)
{
	struct inv_why why;
	struct inv_user *user = inv_user_open(scene->kernel, scene->process, &why);
	struct count count = {.tree = tree};
	size_t missing;
	assert_non_null(user);
	assert_true(inv_user_pages(user, INV_USER_PAGES_BOUND, count_page, &count, &missing));
	assert_int_equal(missing, 0);
	assert_int_equal(count.mine, 3);
	assert_int_equal(count.covered, count.valid);
	assert_int_equal(count.wayward, 0);
	assert_false(inv_user_pages(user, 3, count_page, &count, &missing));
	char text[6] = {0};
	assert_int_equal(inv_space_read(inv_user_space(user), 0x20000000, text, 5, NULL), 5);
	assert_string_equal(text, "hello");
	inv_user_close(user);
}

static void check_view(const struct scene *scene, const struct inv_vad_tree *tree)
{
	struct inv_control_areas *areas = inv_control_areas_new(scene->kernel);
	const struct inv_vad *vad = inv_vad_at(tree, 0x21000000);
	assert_non_null(vad);
	assert_false(vad->is_private);
	const struct inv_control_area *area = inv_control_area_at(areas, vad->control_area);
	assert_non_null(area);
	assert_true(area->readable && area->subsections_complete);
	assert_string_equal(area->file.name, "\\a.txt");
	assert_true(area->views.ok && area->views.u == 1);
	uint64_t first = inv_section_prototype(area, vad->subsection, vad->first_prototype, 0, NULL);
	assert_int_equal(first, vad->first_prototype);
	assert_int_equal(inv_section_prototype(area, vad->subsection, vad->first_prototype, 0x1000, NULL), first + 8);
	assert_int_equal(inv_section_prototype(area, vad->subsection, vad->first_prototype, 1ull << 40, NULL), 0);
	inv_control_areas_free(areas);
}

static void every_layout(void **state)
{
	(void)state;
	const struct inv_layout *last = NULL;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (facts->arch != INV_ARCH_X64 || facts->layout == last || facts->layout->partial)
			continue;
		last = facts->layout;
		struct scene scene;
		struct inv_vad_tree tree;
		open_scene(&scene, honest, facts);
		inv_vad_tree_read(scene.kernel, scene.process, &tree);
		assert_true(tree.complete && tree.count.ok);
		assert_int_equal(tree.fault_count, 0);
		assert_int_equal(inv_count(tree.vads), tree.count.u);
		const struct inv_vad *vad = inv_vad_at(&tree, 0x20002fff);
		assert_non_null(vad);
		assert_true(vad->start == 0x20000000 && vad->end == 0x20003000 && vad->is_private && vad->protection == 6);
		assert_null(inv_vad_at(&tree, 0x20003000));
		check_pages(&scene, &tree);
		check_view(&scene, &tree);
		inv_vad_tree_free(&tree);
		close_scene(&scene);
	}
}

// What of the honest process is broken, and the fault that must be found.
static void expect_fault(const char *lie, enum inv_vad_fault_kind kind, bool complete)
{
	struct scene scene;
	struct inv_vad_tree tree;
	char scenario[1024];
	snprintf(scenario, sizeof scenario, "%s%s\n", honest, lie);
	open_scene(&scene, scenario, NULL);
	inv_vad_tree_read(scene.kernel, scene.process, &tree);
	bool found = false;
	for (size_t i = 0; i < inv_count(tree.faults); i++)
		found |= tree.faults[i].kind == kind;
	assert_true(found);
	assert_true(tree.complete == complete);
	inv_vad_tree_free(&tree);
	close_scene(&scene);
}

static void torn_trees(void **state)
{
	(void)state;
	expect_fault("set(vad(p, 0x20000000), '_MMVAD_SHORT.Left', (vad(p, 0x20000000)))", INV_VAD_FAULT_CYCLE, true);
	expect_fault("set(vad(p, 0x20000000), '_MMVAD_SHORT.Right', p)", INV_VAD_FAULT_PARENT, false);
	expect_fault("set_vad(p, 0x20000000, {last = 0x21000000})", INV_VAD_FAULT_ORDER, true);
	expect_fault("set_vad(p, 0x20000000, {start = 0x20000000, last = 0x1fff0000})", INV_VAD_FAULT_BACKWARD, true);
	expect_fault("set_vad(p, 0x20000000, {parent = p})", INV_VAD_FAULT_PARENT, true);
}

static void names(void **state)
{
	(void)state;
	char text[8];
	assert_string_equal(inv_protection_text(6, text), "RWX");
	assert_string_equal(inv_protection_text(0x14, text), "RWG");
	assert_string_equal(inv_protection_text(0x18, text), "N");
	assert_string_equal(inv_vad_type_name(INV_VAD_IMAGE), "image");
	assert_null(inv_vad_type_name(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_layout),
	    cmocka_unit_test(torn_trees),
	    cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
