// SPDX-License-Identifier: Apache-2.0
// Forged images against the truth beside them: every kernel of the table, every format.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "forge/forge.h"
#include "kernel/kernel.h"

struct scene {
	struct inv_forge *forge;
	json_t *truth;
	uint8_t *bytes;
	struct inv_image *image;
	struct inv_kernel *kernel;
};

static void open_scene(struct scene *scene, const char *scenario, const char *kernel, enum inv_forge_format format)
{
	struct inv_error error = {0};
	struct inv_forge_options options = {.kernel = kernel};
	size_t size;
	*scene = (struct scene){0};
	scene->forge = inv_forge_run(scenario, &options, &error);
	if (!scene->forge)
		fail_msg("%s", error.text);
	json_error_t why;
	scene->truth = json_loads(inv_forge_truth(scene->forge), 0, &why);
	assert_non_null(scene->truth);
	if (inv_forge_write_memory(scene->forge, format, &scene->bytes, &size, &error) != INV_OK ||
	    inv_image_open_memory("forged", scene->bytes, size, &scene->image, &error) != INV_OK ||
	    inv_kernel_identify(scene->image, NULL, &scene->kernel, &error) != INV_OK)
		fail_msg("%s %s: %s", kernel ? kernel : "default kernel", inv_forge_format_name(format), error.text);
}

static void close_scene(struct scene *scene)
{
	inv_kernel_free(scene->kernel);
	inv_image_close(scene->image);
	free(scene->bytes);
	json_decref(scene->truth);
	inv_forge_free(scene->forge);
}

static const json_t *of_kernel(const struct scene *scene, const char *key)
{
	const json_t *value = json_object_get(json_object_get(scene->truth, "kernel"), key);
	assert_non_null(value);
	return value;
}

static uint64_t address_of(const json_t *value)
{
	return strtoull(json_string_value(value), NULL, 0);
}

static void check_modules(const struct scene *scene)
{
	const json_t *modules = json_object_get(scene->truth, "modules");
	assert_int_equal(scene->kernel->module_count, json_array_size(modules));
	assert_true(scene->kernel->modules_complete);
	for (size_t i = 0; i < scene->kernel->module_count; i++) {
		const struct inv_module *found = &scene->kernel->modules[i];
		const json_t *wanted = json_array_get(modules, i);
		assert_string_equal(found->name, json_string_value(json_object_get(wanted, "name")));
		assert_int_equal(found->base, address_of(json_object_get(wanted, "base")));
		assert_int_equal(found->size, json_integer_value(json_object_get(wanted, "size")));
	}
}

static void check_time(const struct scene *scene, const char *key, const struct inv_value *time)
{
	char text[INV_TIME_SIZE];
	assert_true(time->ok);
	inv_format_filetime(time->u, text);
	assert_string_equal(text, json_string_value(of_kernel(scene, key)));
}

// Every clue about one anchor must name the same place on an untouched image; only roots may be another process's.
static void check_clues(const struct scene *scene)
{
	const struct inv_kernel *kernel = scene->kernel;
	for (size_t i = 0; i < kernel->clue_count; i++) {
		const struct inv_clue *clue = &kernel->clues[i];
		if (!clue->ok)
			continue;
		if (clue->anchor == INV_ANCHOR_KERNEL_BASE)
			assert_int_equal(clue->value, inv_forge_base(scene->forge));
		if (clue->anchor == INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD)
			assert_int_equal(clue->value, inv_forge_symbol(scene->forge, INV_S_PsActiveProcessHead));
		if (clue->anchor == INV_ANCHOR_BUILD)
			assert_int_equal(clue->value, json_integer_value(of_kernel(scene, "build")));
		if (clue->anchor == INV_ANCHOR_DTB && clue->way == INV_WAY_SYSTEM)
			assert_int_equal(clue->value, inv_forge_dtb(scene->forge));
	}
}

static void check_common(const struct scene *scene)
{
	const struct inv_kernel *kernel = scene->kernel;
	assert_int_equal(kernel->base, inv_forge_base(scene->forge));
	assert_int_equal(kernel->size, json_integer_value(of_kernel(scene, "size")));
	assert_int_equal(kernel->cpu_count, json_integer_value(of_kernel(scene, "cpus")));
	assert_true(kernel->kdbg.found);
	assert_int_equal(kernel->kdbg.address, address_of(of_kernel(scene, "kdbg")));
	check_modules(scene);
	check_clues(scene);
	check_time(scene, "system_time", &kernel->system_time);
	check_time(scene, "boot_time", &kernel->boot_time);
}

static void check_whole(const struct scene *scene)
{
	const struct inv_kernel *kernel = scene->kernel;
	char guid[INV_GUID_SIZE];
	check_common(scene);
	assert_int_equal(kernel->dtb, inv_forge_dtb(scene->forge));
	assert_true(kernel->pdb.found);
	inv_format_guid(kernel->pdb.guid, guid);
	assert_string_equal(guid, json_string_value(of_kernel(scene, "guid")));
	assert_int_equal(kernel->confidence, INV_CONFIDENCE_EXACT);
	assert_ptr_equal(kernel->layout, inv_forge_facts(scene->forge)->layout);
	for (unsigned symbol = 0; symbol < INV_SYMBOL_COUNT; symbol++) {
		uint64_t wanted = inv_forge_symbol(scene->forge, (enum inv_symbol)symbol);
		struct inv_value found = inv_kernel_symbol(kernel, (enum inv_symbol)symbol, NULL);
		assert_int_equal(found.ok, wanted != 0);
		if (found.ok)
			assert_int_equal(found.u, wanted);
	}
}

static void every_kernel(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (!inv_forge_can(facts))
			continue;
		for (int encoded = 0; encoded < 2; encoded++) {
			char guid[INV_GUID_SIZE], scenario[96];
			inv_format_guid(facts->guid, guid);
			// 7601 has no encoding.
			snprintf(scenario, sizeof(scenario), "machine{memory='64M', cpus=2, encoded_kdbg=%s}",
			         encoded ? "true" : "false");
			struct scene scene;
			open_scene(&scene, scenario, guid, INV_FORGE_RAW);
			check_whole(&scene);
			if (facts->version.build >= 9200)
				assert_int_equal(scene.kernel->kdbg.encoded, encoded);
			close_scene(&scene);
			tried++;
		}
	}
	print_message("%zu images\n", tried);
	assert_true(tried > 0);
}

static void every_format(void **state)
{
	(void)state;
	for (int format = 0; format < INV_FORGE_FORMAT_COUNT; format++) {
		if (format == INV_FORGE_CRASH_TRIAGE)
			continue;
		struct scene scene;
		open_scene(&scene, "machine{memory='64M'} process{name='notepad.exe', pid=1234}", NULL,
		           (enum inv_forge_format)format);
		check_whole(&scene);
		close_scene(&scene);
	}
}

static void five_levels(void **state)
{
	(void)state;
	struct scene scene;
	open_scene(&scene, "machine{memory='64M', levels=5}", NULL, INV_FORGE_RAW);
	check_whole(&scene);
	assert_int_equal(inv_space_levels(scene.kernel->space), 5);
	close_scene(&scene);
}

// Its PDB is not in a triage dump; the globals that KDBG names single out the layout.
static void triage(void **state)
{
	(void)state;
	static const char *const kernels[] = {"9600", "14393", "17763", "19041", "20348", "22000"};
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		struct scene scene;
		open_scene(&scene, "machine{memory='64M'} process{name='notepad.exe', pid=1234}", kernels[i],
		           INV_FORGE_CRASH_TRIAGE);
		check_common(&scene);
		assert_true(scene.kernel->fragments);
		assert_true(scene.kernel->confidence >= INV_CONFIDENCE_NEAREST);
		assert_int_equal(scene.kernel->layout->size[INV_T_EPROCESS],
		                 inv_forge_facts(scene.forge)->layout->size[INV_T_EPROCESS]);
		assert_true(scene.kernel->current_process != 0);
		struct inv_value links =
		    inv_field(scene.kernel, scene.kernel->current_process, INV_F_EPROCESS_ActiveProcessLinks);
		assert_true(links.ok);
		close_scene(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kernel),
	    cmocka_unit_test(every_format),
	    cmocka_unit_test(five_levels),
	    cmocka_unit_test(triage),
	};
	return cmocka_run_group_tests_name("kernel forged", tests, NULL, NULL);
}
