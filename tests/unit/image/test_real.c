// SPDX-License-Identifier: Apache-2.0
// Real dumps and headers against what is known of them. They are no part of the project: a folder named by INVAR_SHARED,
// or `shared` beside the source; without it these tests are skipped.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "build.h"

static const char *shared(void)
{
	const char *named = getenv("INVAR_SHARED");
	return named ? named : SOURCE_ROOT "/../shared";
}

static const char *sample(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/samples/%s", shared(), name);
	struct stat status;
	if (stat(path, &status)) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	return path;
}

static struct inv_image *open_sample(const char *name)
{
	struct inv_error error = {0};
	struct inv_image *image = NULL;
	enum inv_code code = inv_image_open_file(sample(name), NULL, &image, &error);
	if (!code)
		code = inv_image_recognise(image, &error);
	if (code)
		print_error("%s\n", error.text);
	assert_int_equal(code, INV_OK);
	assert_true(walk(image) == inv_image_info(image)->present_pages);
	return image;
}

static uint64_t hexadecimal(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	assert_non_null(text);
	return strtoull(text, NULL, 16);
}

static uint64_t integer(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void check_time(const json_t *facts, uint64_t filetime)
{
	char time[INV_TIME_SIZE];
	inv_format_filetime(filetime, time);
	const char *want = json_string_value(json_object_get(facts, "systime")); // to the microsecond
	assert_non_null(want);
	time[10] = ' ';
	if (strncmp(time, want, 25) != 0) // the last digit of `want` may be rounded
		fail_msg("time %s, expected %s", time, want);
}

static const struct inv_triage_module *module_of(const struct inv_triage *triage, uint64_t base)
{
	for (size_t i = 0; i < triage->module_count; i++)
		if (triage->modules[i].base == base)
			return &triage->modules[i];
	return NULL;
}

static void check_dump(const json_t *facts)
{
	char name[256];
	snprintf(name, sizeof name, "dumps/%s", json_string_value(json_object_get(facts, "file")));
	struct inv_image *image = open_sample(name);
	const struct inv_image_info *info = inv_image_info(image);
	const struct inv_header *header = &info->header;
	assert_int_equal(info->format, INV_FORMAT_CRASH_TRIAGE);
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->present_pages, 0);
	assert_int_equal(info->atomic, 1);
	assert_true(info->bytes == integer(facts, "size"));
	assert_true(header->build.value == integer(facts, "build"));
	assert_true(header->cpus.value == integer(facts, "cpus"));
	assert_true(header->machine.value == hexadecimal(facts, "machine"));
	assert_true(header->bugcheck.value == hexadecimal(facts, "bugcheck"));
	assert_true(header->dtb.value == hexadecimal(facts, "header_dtb"));
	assert_true(header->ps_active_process_head.value == hexadecimal(facts, "PsActiveProcessHead"));
	assert_int_equal(info->arch, header->machine.value == 0xaa64 ? INV_ARCH_ARM64 : INV_ARCH_X64);
	check_time(facts, header->system_time.value);

	const struct inv_triage *triage = info->triage;
	if (!triage) {
		fail_msg("no triage part");
		return;
	}
	assert_true(triage->fragment_count == integer(facts, "blocks"));
	uint64_t bytes = 0;
	for (size_t i = 0; i < triage->fragment_count; i++)
		bytes += triage->fragments[i].size;
	assert_true(bytes == integer(facts, "block_bytes"));
	const struct inv_triage_module *kernel = module_of(triage, hexadecimal(facts, "nt_base"));
	if (!kernel) {
		fail_msg("no module at the kernel's base");
		return;
	}
	assert_true(kernel->size == hexadecimal(facts, "nt_size"));
	assert_true(kernel->name_size >= 24);
	assert_memory_equal(kernel->name + kernel->name_size - 24, "n\0t\0o\0s\0k\0r\0n\0l\0.\0e\0x\0e\0", 24);

	// KDDEBUGGER_DATA64 is one of the sections; its tag shows that it is the right one.
	assert_true(triage->debugger_data.size >= 0x340);
	assert_memory_equal(triage->debugger_data.bytes + 0x10, "KDBG", 4);
	// The sections may be a little longer than what they hold, never shorter.
	assert_true(triage->prcb.size >= integer(facts, "kdbg_SizePrcb"));
	assert_true(triage->process.size >= integer(facts, "kdbg_SizeEProcess"));
	assert_true(triage->thread.size >= integer(facts, "kdbg_SizeEThread"));
	assert_true(triage->prcb.size < integer(facts, "kdbg_SizePrcb") + 16);
	assert_true(triage->process.size < integer(facts, "kdbg_SizeEProcess") + 16);
	assert_true(triage->thread.size < integer(facts, "kdbg_SizeEThread") + 16);
	assert_int_equal(triage->process.bytes[0] & 0x7f, 3); // ProcessObject
	assert_int_equal(triage->thread.bytes[0] & 0x7f, 6);  // ThreadObject
	assert_true(triage->exception.size == 0x98);
	assert_true(triage->context.size == 3000);
	assert_true(triage->call_stack.size > 0 && triage->top_of_stack >> 47 == 0x1ffff);
	inv_image_close(image);
}

static void triage_dumps(void **state)
{
	(void)state;
	json_error_t error;
	json_t *all = json_load_file(sample("dumps/facts.json"), 0, &error);
	assert_non_null(all);
	assert_true(json_array_size(all) > 0);
	size_t i;
	json_t *facts;
	json_array_foreach(all, i, facts)
	{
		check_dump(facts);
	}
	json_decref(all);
}

// Reads "fffff807`5b7d0000 fffff807`5ba5f000   mcupdate mcupdate.dll ... (9FB1DE46)"; the stamp is the first number of
// eight digits behind the file name. False for lines without a module.
static bool parse_module(const char *line, uint64_t *base, uint64_t *end, char name[64], uint32_t *stamp)
{
	unsigned base_high, base_low, end_high, end_low;
	int read = 0;
	// No number can overflow, and the count tells a line of another form.
	// NOLINTNEXTLINE(cert-err34-c)
	if (sscanf(line, "%8x`%8x %8x`%8x %*s %63s %n", &base_high, &base_low, &end_high, &end_low, name, &read) != 5)
		return false;
	*base = (uint64_t)base_high << 32 | base_low;
	*end = (uint64_t)end_high << 32 | end_low;
	*stamp = 0;
	for (const char *at = line + read; *at; at++) {
		if (strspn(at, "0123456789ABCDEF") == 8 && (at[-1] == ' ' || at[-1] == '(')) {
			*stamp = (uint32_t)strtoul(at, NULL, 16);
			break;
		}
	}
	return true;
}

static void modules_as_the_debugger_lists_them(void **state)
{
	(void)state;
	struct inv_image *image = open_sample("dumps/triage-19041.3803-x64-notmyfault64.dmp");
	FILE *list = fopen(sample("dumps/triage-19041.3803-x64-notmyfault64.windbg-modules.txt"), "r");
	assert_non_null(list);
	struct inv_arena *arena = inv_arena_new();
	const struct inv_triage *triage = inv_image_info(image)->triage;
	char line[512], name[64];
	uint64_t base, end;
	uint32_t stamp;
	size_t matched = 0, named = 0, stamped = 0;
	while (fgets(line, sizeof line, list)) {
		if (strncmp(line, "Unloaded", 8) == 0)
			break;
		if (!parse_module(line, &base, &end, name, &stamp))
			continue;
		const struct inv_triage_module *module = module_of(triage, base);
		if (!module) {
			print_message("    not in the dump: %s", line);
			continue;
		}
		matched++;
		assert_true(module->size == end - base);
		named += strcmp(inv_utf16_to_utf8(arena, module->name, module->name_size), name) == 0;
		if (stamp) {
			stamped++;
			assert_true(module->time_stamp == stamp);
		}
	}
	print_message("    %zu of %zu modules matched, %zu names, %zu stamps\n", matched, triage->module_count, named,
	              stamped);
	assert_true(matched == triage->module_count);
	assert_true(stamped > matched / 2);
	inv_arena_free(arena);
	fclose(list);
	inv_image_close(image);
}

static void header_of_a_full_dump(void **state)
{
	(void)state;
	struct inv_image *image = open_sample("headers/full-19045-x64-first16k.bin");
	const struct inv_image_info *info = inv_image_info(image);
	assert_int_equal(info->format, INV_FORMAT_CRASH_FULL);
	assert_int_equal(info->arch, INV_ARCH_X64);
	assert_int_equal(info->atomic, 0); // taken by a tool while the machine ran
	assert_true(info->header.major.value == 15 && info->header.build.value == 0x4a65);
	assert_true(info->header.dtb.value == 0x1ad002);
	assert_true(info->header.kdbg.value == UINT64_C(0xffffc509c480b080));
	assert_false(info->header.secondary_data_state.present);
	assert_true(info->header.product_type.value == 1);
	assert_string_equal(info->header.comment, "");
	// Two pages are in the excerpt, from page 2 on; the sums of the header agree with its runs.
	assert_int_equal(info->present_pages, 2);
	assert_true(info->highest == 0x4000);
	assert_int_equal(info->contradiction_count, 5);
	assert_true(contradicts(image, "to be in the file"));
	assert_false(contradicts(image, "NumberOfPages"));
	inv_image_close(image);
}

static void header_of_a_live_view(void **state)
{
	(void)state;
	struct inv_image *image = open_sample("headers/header-9200-x64.bin");
	const struct inv_image_info *info = inv_image_info(image);
	assert_string_equal(info->header.comment, "LiveKD live system view");
	assert_int_equal(info->atomic, 0);
	assert_int_equal(info->present_pages, 0);
	assert_true(info->header.cpus.value == 8);
	assert_false(info->header.up_time.present);
	assert_false(contradicts(image, "RequiredDumpSpace"));
	inv_image_close(image);
}

static void header_of_a_32_bit_dump(void **state)
{
	(void)state;
	struct inv_image *image = open_sample("headers/header-7601-x86.bin");
	const struct inv_image_info *info = inv_image_info(image);
	assert_int_equal(info->format, INV_FORMAT_CRASH_X86);
	assert_int_equal(info->arch, INV_ARCH_X86);
	assert_true(info->header.build.value == 7601);
	assert_true(info->header.dtb.value == 0xbf62f2e0);
	assert_true(info->header.ps_active_process_head.value == 0x82991f18);
	assert_true(info->header.cpus.value == 2);
	assert_true(info->header.system_time.value == UINT64_C(0x1d6509199bf63e0));
	assert_int_equal(info->contradiction_count, 0);
	assert_int_equal(info->present_pages, 0);
	inv_image_close(image);
}

static void a_dump_of_zeros(void **state)
{
	(void)state;
	struct inv_image *image = open_sample("dumps/damaged-all-zero.dmp");
	assert_int_equal(inv_image_info(image)->format, INV_FORMAT_RAW);
	inv_image_close(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(triage_dumps),
	    cmocka_unit_test(modules_as_the_debugger_lists_them),
	    cmocka_unit_test(header_of_a_full_dump),
	    cmocka_unit_test(header_of_a_live_view),
	    cmocka_unit_test(header_of_a_32_bit_dump),
	    cmocka_unit_test(a_dump_of_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
