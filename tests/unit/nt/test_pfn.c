// SPDX-License-Identifier: Apache-2.0
// The PFN database of forged machines: whose root a frame is, in each of the three encodings, and where a frame is mapped.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "forge/forge.h"
#include "nt/pfn.h"
#include "nt/process.h"

#define MOST 64u

struct scene {
	struct inv_forge *forge;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_pfn_database database;
	struct inv_pfn roots[MOST];
	size_t count;
	size_t read, unreadable;
	uint64_t system;
};

static bool keep(void *context, const struct inv_pfn *pfn)
{
	struct scene *scene = context;
	assert_true(scene->count < MOST);
	scene->roots[scene->count++] = *pfn;
	return true;
}

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
	struct inv_role_anchors anchors;
	inv_role_anchors_read(scene->kernel, &anchors);
	assert_true(anchors.system.ok);
	scene->system = anchors.system.u;
	inv_pfn_open(scene->kernel, &scene->database);
	assert_null(scene->database.voided);
	inv_pfn_each_root(&scene->database, keep, scene, &scene->read, &scene->unreadable);
	inv_pfn_calibrate(&scene->database, scene->system, scene->roots, scene->count);
}

static void close_scene(struct scene *scene)
{
	inv_kernel_free(scene->kernel);
	inv_image_close(scene->image);
	free(scene->bytes);
	inv_forge_free(scene->forge);
}

// A root leads to its process, and the process back to it.
static void check_roots(const struct scene *scene)
{
	uint64_t expected = inv_pfn_root_pte(scene->kernel);
	assert_int_not_equal(expected, 0);
	for (size_t i = 0; i < scene->count; i++) {
		uint64_t owner = inv_pfn_owner(&scene->database, &scene->roots[i]);
		struct inv_value dtb = inv_field(scene->kernel, owner, INV_F_KPROCESS_DirectoryTableBase);
		assert_true(dtb.ok);
		assert_int_equal(dtb.u / INV_PAGE_SIZE, scene->roots[i].frame);
		assert_int_equal(scene->roots[i].pte_address, expected);
	}
}

static void every_layout(void **state)
{
	(void)state;
	const struct inv_layout *last = NULL;
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (!inv_forge_can(facts) || facts->layout == last)
			continue;
		last = facts->layout;
		struct scene scene;
		open_scene(&scene, "desktop()", facts);
		assert_int_equal(scene.count, 7); // System and the six of a desktop; Idle has none of its own
		assert_int_equal(scene.unreadable, 0);
		bool buddy = facts->layout->place[INV_F_MI_ACTIVE_PFN_PageTableNonPagedBuddy].offset != INV_NO_OFFSET;
		assert_int_equal(scene.database.encoding, buddy ? INV_PFN_BUDDY : INV_PFN_RAW);
		check_roots(&scene);
		close_scene(&scene);
		tried++;
	}
	assert_true(tried > 4);
}

// The entries of 24H2, written over those of another kernel, and a base that no symbol names.
static void put_indices(struct scene *scene, uint64_t base)
{
	for (size_t i = 0; i < scene->count; i++) {
		uint64_t index = (inv_pfn_owner(&scene->database, &scene->roots[i]) - base) / 16 + 1;
		scene->roots[i].u1 = (index & 0x7fffffff) << 1 | 1;
		scene->roots[i].tail = (uint32_t)(index >> 31 & 0x3ff) << 16 | 0xfc00ffff;
	}
}

static void third_encoding(void **state)
{
	(void)state;
	static const uint64_t distance[] = {0x12340, 0x1234567890};
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		open_scene(&scene, "desktop()", NULL);
		put_indices(&scene, (scene.system & ~0xfull) - distance[i] - 0x100000000);
		inv_pfn_calibrate(&scene.database, scene.system, scene.roots, scene.count);
		assert_int_equal(scene.database.encoding, INV_PFN_INDEX);
		check_roots(&scene);
		// With too few others to prove it, it is not believed.
		inv_pfn_calibrate(&scene.database, scene.system, scene.roots, 3);
		assert_int_equal(scene.database.encoding, INV_PFN_UNKNOWN);
		close_scene(&scene);
	}
}

// The entry of System is forged: the other roots still prove the encoding.
static void without_system(void **state)
{
	(void)state;
	struct scene scene;
	open_scene(&scene, "desktop() set_owner(find(4), 0)", NULL);
	assert_int_equal(scene.database.encoding, INV_PFN_BUDDY);
	close_scene(&scene);
	open_scene(&scene, "set_owner(find(4), 0)", NULL);
	assert_int_equal(scene.database.encoding, INV_PFN_UNKNOWN);
	close_scene(&scene);
}

static uint64_t frame_at(const struct scene *scene, uint64_t address)
{
	uint64_t physical;
	assert_true(inv_space_translate(scene->kernel->space, address, &physical, NULL));
	return physical / INV_PAGE_SIZE;
}

static void frames_to_addresses(void **state)
{
	(void)state;
	static const char *const scenarios[] = {"machine{large_pages = false} desktop()",
	                                        "machine{large_pages = true} desktop()"};
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		open_scene(&scene, scenarios[i], NULL);
		uint64_t base = scene.kernel->base, found;
		const uint64_t pages[] = {base, base + 0x5000, base + 0x201000, scene.system & ~0xfffull,
		                          scene.database.base + scene.roots[0].frame * 0x30 / 0x1000 * 0x1000};
		for (size_t j = 0; j < sizeof pages / sizeof *pages; j++) {
			assert_true(inv_pfn_virtual(&scene.database, frame_at(&scene, pages[j]), &found));
			assert_int_equal(found, pages[j]);
		}
		// The root of System stands in the self-map; that of another process does not in System's.
		uint64_t root = inv_forge_dtb(scene.forge) / INV_PAGE_SIZE;
		assert_true(inv_pfn_virtual(&scene.database, root, &found));
		assert_int_equal(found, inv_pfn_root_pte(scene.kernel) & ~0xfffull);
		for (size_t j = 0; j < scene.count; j++)
			if (scene.roots[j].frame != root)
				assert_false(inv_pfn_virtual(&scene.database, scene.roots[j].frame, &found));
		assert_false(inv_pfn_virtual(&scene.database, UINT64_MAX / INV_PAGE_SIZE, &found));
		close_scene(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_layout),
	    cmocka_unit_test(third_encoding),
	    cmocka_unit_test(without_system),
	    cmocka_unit_test(frames_to_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
