// SPDX-License-Identifier: Apache-2.0
// The sweep over forged memory, and over memory that somebody prepared against it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/array.h"
#include "base/bytes.h"
#include "forge/forge.h"
#include "sweep/detect.h"

#define PAGE 4096u
#define TAG_PROCESS 0x636f7250u // "Proc"
#define TAG_THREAD 0x65726854u  // "Thre"
#define TAG_TOKEN 0x656b6f54u   // "Toke"
#define TAG_JOB 0x20626f4au     // "Job "
#define KDBG_TAG 0x4742444bu    // "KDBG"

struct scene {
	struct inv_forge *forge;
	json_t *truth;
	uint8_t *bytes;
	size_t size;
	struct inv_image *image;
	struct inv_kernel *kernel;
};

static void make_scene(struct scene *scene, const char *scenario, const char *kernel)
{
	struct inv_error error = {0};
	struct inv_forge_options options = {.kernel = kernel, .memory = 64ull << 20};
	*scene = (struct scene){0};
	scene->forge = inv_forge_run(scenario, &options, &error);
	if (!scene->forge || inv_forge_write_memory(scene->forge, INV_FORGE_RAW, &scene->bytes, &scene->size, &error))
		fail_msg("%s", error.text);
	scene->truth = json_loads(inv_forge_truth(scene->forge), 0, NULL);
	assert_non_null(scene->truth);
}

static void open_scene(struct scene *scene)
{
	struct inv_error error = {0};
	if (inv_image_open_memory("forged", scene->bytes, scene->size, &scene->image, &error) != INV_OK ||
	    inv_kernel_identify(scene->image, NULL, &scene->kernel, &error) != INV_OK)
		fail_msg("%s", error.text);
}

static void close_scene(struct scene *scene)
{
	inv_kernel_free(scene->kernel);
	inv_image_close(scene->image);
	free(scene->bytes);
	json_decref(scene->truth);
	inv_forge_free(scene->forge);
}

static bool has_hit(const struct inv_sweep *sweep, enum inv_hit_kind kind, uint64_t address)
{
	for (size_t i = 0; i < inv_count(sweep->hits); i++)
		if (sweep->hits[i].kind == kind && sweep->hits[i].address == address)
			return true;
	return false;
}

static bool has_root(const struct inv_sweep *sweep, uint64_t frame)
{
	for (size_t i = 0; i < inv_count(sweep->hits); i++)
		if (sweep->hits[i].kind == INV_HIT_ROOT && sweep->hits[i].physical == frame)
			return true;
	return false;
}

static uint64_t address_of(const json_t *object, const char *key)
{
	return strtoull(json_string_value(json_object_get(object, key)), NULL, 0);
}

// A page of memory that nothing uses.
static uint8_t *unused_page(const struct scene *scene)
{
	static const uint8_t zeros[PAGE];
	for (size_t at = scene->size - PAGE; scene->bytes && at > 16u << 20; at -= PAGE)
		if (memcmp(scene->bytes + at, zeros, PAGE) == 0)
			return scene->bytes + at;
	fail_msg("the machine has no unused page");
	return NULL;
}

static void every_object_is_found(void **state)
{
	(void)state;
	static const char *const kernels[] = {"6.1.7601.24540", "6.3.9600.19913", "10.0.19041.1415", NULL};
	for (const char *const *kernel = kernels; *kernel; kernel++) {
		struct scene scene;
		make_scene(&scene, "desktop()", *kernel);
		open_scene(&scene);
		struct inv_sweep *sweep = inv_sweep_run(scene.kernel, 2);
		assert_non_null(sweep);
		assert_true(sweep->roots && sweep->mapped);
		assert_null(sweep->cut_short);
		size_t i, j;
		json_t *process, *thread;
		json_array_foreach(json_object_get(scene.truth, "processes"), i, process)
		{
			assert_true(has_hit(sweep, INV_HIT_PROCESS, address_of(process, "address")));
			assert_true(has_root(sweep, address_of(process, "dtb") & ~(uint64_t)(PAGE - 1)));
			json_array_foreach(json_object_get(process, "threads"), j, thread)
			    assert_true(has_hit(sweep, INV_HIT_THREAD, address_of(thread, "address")));
		}
		inv_sweep_free(sweep);
		close_scene(&scene);
	}
}

static void threads_do_not_change_the_outcome(void **state)
{
	(void)state;
	struct scene scene;
	make_scene(&scene, "desktop() freed{name = 'gone.exe'}", NULL);
	open_scene(&scene);
	struct inv_sweep *one = inv_sweep_run(scene.kernel, 1);
	static const unsigned threads[] = {0, 2, 3, 16};
	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
		struct inv_sweep *many = inv_sweep_run(scene.kernel, threads[i]);
		assert_int_equal(inv_count(one->hits), inv_count(many->hits));
		assert_int_equal(one->bytes, many->bytes);
		for (size_t j = 0; j < inv_count(one->hits); j++) {
			assert_int_equal(one->hits[j].physical, many->hits[j].physical);
			assert_int_equal(one->hits[j].address, many->hits[j].address);
			assert_int_equal(one->hits[j].kind, many->hits[j].kind);
		}
		inv_sweep_free(many);
	}
	inv_sweep_free(one);
	close_scene(&scene);
}

static void what_nothing_maps_is_kept(void **state)
{
	(void)state;
	struct scene scene;
	make_scene(&scene, "desktop()", NULL);
	uint8_t *page = unused_page(&scene);
	inv_put32(page + 0x40 + 4, TAG_PROCESS);
	open_scene(&scene);
	struct inv_sweep *sweep = inv_sweep_run(scene.kernel, 1);
	uint64_t physical = (uint64_t)(page - scene.bytes) + 0x40;
	bool found = false;
	for (size_t i = 0; i < inv_count(sweep->hits); i++) {
		if (sweep->hits[i].physical == physical && sweep->hits[i].kind == INV_HIT_PROCESS_TAG) {
			assert_int_equal(sweep->hits[i].address, 0);
			found = true;
		}
	}
	assert_true(found);
	inv_sweep_free(sweep);
	close_scene(&scene);
}

// What is asked for, and nothing else; as many in a page as it holds.
static void tags_are_asked_for(void **state)
{
	(void)state;
	static const uint32_t wanted[] = {0x62726243, 0x65746f4e}; // "Cbrb", "Note"
	struct scene scene;
	make_scene(&scene, "desktop()", NULL);
	uint8_t *page = unused_page(&scene);
	for (size_t i = 0; i < PAGE; i += 32)
		inv_put32(page + i + 4, wanted[1]);
	inv_put32(page + 0x14, TAG_PROCESS);
	open_scene(&scene);
	struct inv_sweep *sweep = inv_sweep_tags(scene.kernel, wanted, 2, 2);
	assert_non_null(sweep);
	assert_null(sweep->cut_short);
	size_t i, notes = 0, known = 0;
	json_t *callback;
	for (i = 0; i < inv_count(sweep->hits); i++) {
		assert_int_equal(sweep->hits[i].kind, INV_HIT_ASKED_TAG);
		assert_true(sweep->hits[i].tag == wanted[0] || sweep->hits[i].tag == wanted[1]);
		notes += sweep->hits[i].tag == wanted[1] && !sweep->hits[i].address;
	}
	assert_int_equal(notes, PAGE / 32);
	json_array_foreach(json_object_get(scene.truth, "callbacks"), i, callback)
	{
		const char *kind = json_string_value(json_object_get(callback, "kind"));
		if (strcmp(kind, "process") == 0 && ++known)
			assert_true(has_hit(sweep, INV_HIT_ASKED_TAG, address_of(callback, "block") - 0x10));
	}
	assert_true(known > 0);
	inv_sweep_free(sweep);
	close_scene(&scene);
}

// Page tables that lead to each other for ever, and a page full of tags.
static void hostile_memory_ends(void **state)
{
	(void)state;
	struct scene scene;
	make_scene(&scene, "desktop()", NULL);
	uint64_t root = inv_forge_dtb(scene.forge) & ~(uint64_t)(PAGE - 1);
	uint8_t *page = unused_page(&scene);
	for (size_t i = 0; i < PAGE; i += 8) // every entry leads to the page itself, and is a tag as well where it can be
		inv_put64(page + i, (uint64_t)(page - scene.bytes) | 3);
	for (size_t i = 0x1c0; i < 0x1d0; i++)
		if (!inv_le64(scene.bytes + root + i * 8))
			inv_put64(scene.bytes + root + i * 8, (uint64_t)(page - scene.bytes) | 3);
	uint8_t *tags = unused_page(&scene);
	for (size_t i = 0; i < PAGE; i += 16)
		inv_put32(tags + i + 4, TAG_THREAD);
	open_scene(&scene);
	struct inv_sweep *sweep = inv_sweep_run(scene.kernel, 2);
	assert_non_null(sweep);
	assert_true(inv_count(sweep->hits) >= PAGE / 16);
	inv_sweep_free(sweep);
	close_scene(&scene);
}

static void put_kdbg(uint8_t *page, size_t tag, uint32_t size)
{
	inv_put32(page + tag, KDBG_TAG);
	inv_put32(page + tag + 4, size);
	inv_put64(page + tag + 8, 0xfffff80012340000);
}

static void put_kernel(uint8_t *page, uint32_t header, uint32_t size)
{
	page[0] = 'M';
	page[1] = 'Z';
	inv_put32(page + 0x3c, header);
	memcpy(page + header, "PE\0", 4);
	inv_put16(page + header + 4, 0x8664);
	inv_put16(page + header + 24, 0x20b);
	inv_put32(page + header + 24 + 56, size);
	inv_put16(page + header + 24 + 68, 1);
}

// Each detector at the first and last place where it can see its mark, and beside what only resembles it.
static void marks_are_found(void **state)
{
	(void)state;
	const struct inv_pattern pattern = {.highest = 1u << 30, .wait_list = 8, .dtb = 0x28, .threads = 0x30};
	uint8_t page[PAGE] = {0};
	inv_put32(page + 0x14, TAG_TOKEN);
	inv_put32(page + 0x24, TAG_TOKEN | 0x80000000u); // of a protected object
	inv_put32(page + 0x34, TAG_JOB);
	inv_put32(page + 0xff4, TAG_JOB | 0x80000000u);
	inv_put32(page + 0x48, TAG_JOB); // not where a header has its tag
	put_kdbg(page, 0x100, 0x360);
	put_kdbg(page, 0x208, 0x2c8);
	put_kdbg(page, 0x300, 0x10);       // too small
	inv_put32(page + 0x400, KDBG_TAG); // no base
	inv_put32(page + 0x404, 0x360);
	struct inv_catch catch = {.most = 64};
	inv_detect_page(&pattern, page, 0x5000, &catch);
	static const struct {
		uint64_t physical;
		enum inv_hit_kind kind;
	} expected[] = {{0x5010, INV_HIT_TOKEN_TAG}, {0x5020, INV_HIT_TOKEN_TAG}, {0x5030, INV_HIT_JOB_TAG},
	                {0x5100, INV_HIT_KDBG},      {0x5208, INV_HIT_KDBG},      {0x5ff0, INV_HIT_JOB_TAG}};
	assert_int_equal(inv_count(catch.hits), sizeof expected / sizeof *expected);
	for (size_t i = 0; i < inv_count(catch.hits); i++) {
		assert_int_equal(catch.hits[i].physical, expected[i].physical);
		assert_int_equal(catch.hits[i].kind, expected[i].kind);
	}
	inv_array_free(catch.hits);
}

static void kernels_are_found(void **state)
{
	(void)state;
	static const struct {
		uint32_t header, size;
		bool found;
	} cases[] = {
	    {0xe0, 10u << 20, true}, {PAGE - 0x60, 4u << 20, true}, {0xe0, 1u << 20, false}, {0xe0, 1u << 30, false}};
	const struct inv_pattern pattern = {.highest = 1u << 30};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t page[PAGE] = {0};
		put_kernel(page, cases[i].header, cases[i].size);
		struct inv_catch catch = {.most = 64};
		inv_detect_page(&pattern, page, 0x7000, &catch);
		assert_int_equal(inv_count(catch.hits), cases[i].found);
		if (cases[i].found)
			assert_int_equal(catch.hits[0].kind, INV_HIT_KERNEL);
		inv_put32(page + 0x3c, 0xffffffff); // a header that stands nowhere
		inv_detect_page(&pattern, page, 0x7000, &catch);
		assert_int_equal(inv_count(catch.hits), cases[i].found);
		inv_array_free(catch.hits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_object_is_found),     cmocka_unit_test(threads_do_not_change_the_outcome),
	    cmocka_unit_test(what_nothing_maps_is_kept), cmocka_unit_test(hostile_memory_ends),
	    cmocka_unit_test(tags_are_asked_for),        cmocka_unit_test(marks_are_found),
	    cmocka_unit_test(kernels_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
