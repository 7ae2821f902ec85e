// SPDX-License-Identifier: Apache-2.0
// Real triage dumps against what facts.json says of them, which was read from them by other means.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "kernel/kdbg.h"
#include "kernel/kernel.h"

static const char *dumps(char path[512], const char *name)
{
	const char *shared = getenv("INVAR_SHARED");
	if (shared)
		snprintf(path, 512, "%s/samples/dumps/%s", shared, name);
	else
		snprintf(path, 512, "%s/../shared/samples/dumps/%s", SOURCE_ROOT, name);
	return path;
}

// A number of facts.json: an integer, or text in hexadecimal. false: not given.
static bool number(const json_t *dump, const char *key, uint64_t *value)
{
	const json_t *it = json_object_get(dump, key);
	if (json_is_integer(it))
		*value = (uint64_t)json_integer_value(it);
	else if (json_is_string(it))
		*value = strtoull(json_string_value(it), NULL, 0);
	else
		return false;
	return true;
}

static void expect(const json_t *dump, const char *key, uint64_t found)
{
	uint64_t wanted;
	if (!number(dump, key, &wanted))
		return;
	if (wanted != found)
		print_message("%s: expected 0x%llx, found 0x%llx\n", key, (unsigned long long)wanted,
		              (unsigned long long)found);
	assert_int_equal(found, wanted);
}

static void expect_field(const json_t *dump, const char *key, const struct inv_kernel *kernel, uint64_t object,
                         enum inv_field field)
{
	uint64_t wanted;
	if (!number(dump, key, &wanted))
		return;
	struct inv_value value = inv_field(kernel, object, field);
	assert_true(value.ok);
	expect(dump, key, value.u);
}

// facts.json has microseconds and a space where ISO 8601 has a T.
static void expect_time(const json_t *dump, const char *key, const struct inv_value *time)
{
	const char *wanted = json_string_value(json_object_get(dump, key));
	if (!wanted)
		return;
	assert_true(time->ok);
	char text[INV_TIME_SIZE];
	inv_format_filetime(time->u, text);
	text[10] = ' ';
	// The last digit may have been rounded.
	text[25] = '\0';
	assert_int_equal(strncmp(text, wanted, 25), 0);
}

static void check_kdbg(const json_t *dump, const struct inv_kernel *kernel)
{
	static const struct {
		const char *key;
		unsigned at;
	} small[] = {
	    {"kdbg_SizeEProcess", INV_KDBG_SIZE_EPROCESS},
	    {"kdbg_OffsetEprocessPeb", INV_KDBG_EPROCESS_PEB},
	    {"kdbg_OffsetEprocessParentCID", INV_KDBG_EPROCESS_PARENT_CID},
	    {"kdbg_OffsetEprocessDirectoryTableBase", INV_KDBG_EPROCESS_DIRECTORY_TABLE_BASE},
	    {"kdbg_SizePrcb", INV_KDBG_SIZE_PRCB},
	    {"kdbg_SizeEThread", INV_KDBG_SIZE_ETHREAD},
	};
	assert_true(kernel->kdbg.found);
	assert_false(kernel->kdbg.encoded);
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		uint16_t value;
		assert_true(inv_kdbg_u16(&kernel->kdbg, small[i].at, &value));
		expect(dump, small[i].key, value);
	}
	uint64_t value;
	assert_true(inv_kdbg_u64(&kernel->kdbg, INV_KDBG_PSP_CID_TABLE, &value));
	expect(dump, "kdbg_PspCidTable", value);
	assert_true(inv_kdbg_u64(&kernel->kdbg, INV_KDBG_KERN_BASE, &value));
	expect(dump, "kdbg_KernBase", value);
}

static void check_head(const json_t *dump, const struct inv_kernel *kernel)
{
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsActiveProcessHead, NULL);
	assert_true(head.ok);
	expect(dump, "PsActiveProcessHead", head.u);
	struct inv_value flink = inv_read_u64(kernel, head.u), blink = inv_read_u64(kernel, head.u + 8);
	assert_int_equal(flink.ok, json_is_true(json_object_get(dump, "block_has_PsActiveProcessHead")));
	if (!flink.ok)
		return;
	expect(dump, "head_flink", flink.u);
	expect(dump, "head_blink", blink.u);
	if (kernel->layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset != INV_NO_OFFSET)
		expect(dump, "head_flink_minus_links",
		       flink.u - kernel->layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset);
}

static void check_name(const json_t *dump, const struct inv_kernel *kernel)
{
	struct inv_value at = inv_field(kernel, kernel->current_process, INV_F_EPROCESS_ImageFileName);
	char name[16] = "";
	if (!at.ok) {
		assert_int_equal(at.why.reason, INV_NO_FIELD);
		assert_true(kernel->layout->partial);
		return;
	}
	assert_int_equal(inv_space_read(kernel->space, at.u, name, 15, NULL), 15);
	assert_string_equal(name, json_string_value(json_object_get(dump, "name")));
}

static void check_process(const json_t *dump, const struct inv_kernel *kernel)
{
	uint64_t process = kernel->current_process;
	assert_true(process != 0);
	expect(dump, "eprocess_va", process);
	check_name(dump, kernel);
	expect_field(dump, "pid", kernel, process, INV_F_EPROCESS_UniqueProcessId);
	expect_field(dump, "ppid", kernel, process, INV_F_EPROCESS_InheritedFromUniqueProcessId);
	expect_field(dump, "threads", kernel, process, INV_F_EPROCESS_ActiveThreads);
	expect_field(dump, "ObjectTable", kernel, process, INV_F_EPROCESS_ObjectTable);
	expect_field(dump, "Flink", kernel, process, INV_F_EPROCESS_ActiveProcessLinks);
	expect_field(dump, "Peb", kernel, process, INV_F_EPROCESS_Peb);
	expect_field(dump, "Win32Process", kernel, process, INV_F_EPROCESS_Win32Process);
	expect_field(dump, "Session", kernel, process, INV_F_EPROCESS_Session);
	expect_field(dump, "dtb", kernel, process, INV_F_KPROCESS_DirectoryTableBase);
	struct inv_value time = inv_field(kernel, process, INV_F_EPROCESS_CreateTime);
	expect_time(dump, "create", &time);
}

static void check_thread(const json_t *dump, const struct inv_kernel *kernel)
{
	assert_true(kernel->current_thread != 0);
	expect_field(dump, "thread_process", kernel, kernel->current_thread, INV_F_KTHREAD_Process);
	const json_t *cid = json_object_get(dump, "cid");
	if (!cid)
		return;
	struct inv_value process = inv_field(kernel, kernel->current_thread, INV_F_ETHREAD_CidUniqueProcess);
	struct inv_value thread = inv_field(kernel, kernel->current_thread, INV_F_ETHREAD_CidUniqueThread);
	assert_true(process.ok && thread.ok);
	assert_int_equal(process.u, json_integer_value(json_array_get(cid, 0)));
	assert_int_equal(thread.u, json_integer_value(json_array_get(cid, 1)));
}

static void check_version(const json_t *dump, const struct inv_kernel *kernel)
{
	expect(dump, "build", kernel->version.build);
	char text[64];
	snprintf(text, sizeof(text), "%u.%u.%u.%u", kernel->version.major, kernel->version.minor, kernel->version.build,
	         kernel->version.revision);
	const char *wanted = json_string_value(json_object_get(dump, "kernel_version"));
	if (wanted)
		assert_string_equal(text, wanted);
}

static void check_cpus(const struct inv_kernel *kernel)
{
	size_t current = 0;
	assert_true(kernel->current_prcb != 0);
	for (size_t i = 0; i < kernel->cpu_count; i++) {
		current += kernel->cpus[i].current;
		if (!kernel->cpus[i].current)
			continue;
		struct inv_value thread = inv_field(kernel, kernel->cpus[i].prcb, INV_F_KPRCB_CurrentThread);
		assert_true(thread.ok);
		assert_int_equal(thread.u, kernel->current_thread);
	}
	assert_int_equal(current, 1);
}

static void check_layout(const json_t *dump, const struct inv_kernel *kernel)
{
	assert_non_null(kernel->layout);
	expect(dump, "kdbg_SizeEProcess", kernel->layout->size[INV_T_EPROCESS]);
	bool x64 = kernel->arch == INV_ARCH_X64;
	assert_int_equal(kernel->confidence >= INV_CONFIDENCE_NEAREST, x64);
	if (x64)
		assert_true(kernel->self_check_count >= 3);
}

static void check_dump(const json_t *dump)
{
	char path[512];
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_error error;
	print_message("%s\n", json_string_value(json_object_get(dump, "file")));
	dumps(path, json_string_value(json_object_get(dump, "file")));
	assert_int_equal(inv_image_open_file(path, NULL, &image, &error), INV_OK);
	assert_int_equal(inv_image_recognise(image, &error), INV_OK);
	assert_int_equal(inv_kernel_identify(image, NULL, &kernel, &error), INV_OK);
	const struct inv_header *header = &inv_image_info(image)->header;
	expect(dump, "machine", header->machine.value);
	expect(dump, "cpus", header->cpus.value);
	expect(dump, "bugcheck", header->bugcheck.value);
	expect(dump, "header_dtb", header->dtb.value);
	expect(dump, "blocks", inv_image_info(image)->triage->fragment_count);
	expect(dump, "nt_base", kernel->base);
	expect(dump, "nt_size", kernel->size);
	expect_time(dump, "systime", &kernel->system_time);
	assert_true(kernel->fragments);
	assert_true(kernel->modules_complete);
	assert_string_equal(kernel->modules[0].name, "ntoskrnl.exe");
	check_version(dump, kernel);
	check_kdbg(dump, kernel);
	check_layout(dump, kernel);
	check_head(dump, kernel);
	check_process(dump, kernel);
	check_thread(dump, kernel);
	check_cpus(kernel);
	inv_kernel_free(kernel);
	inv_image_close(image);
}

static void real_dumps(void **state)
{
	(void)state;
	char path[512];
	if (access(dumps(path, "facts.json"), R_OK) != 0) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	json_error_t why;
	json_t *list = json_load_file(path, 0, &why);
	assert_non_null(list);
	size_t index;
	json_t *dump;
	json_array_foreach(list, index, dump)
	{
		check_dump(dump);
	}
	assert_true(index > 0);
	json_decref(list);
}

// A dump header that was overwritten with zeros: no kernel, and no crash.
static void damaged(void **state)
{
	(void)state;
	char path[512];
	if (access(dumps(path, "damaged-all-zero.dmp"), R_OK) != 0) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_error error;
	assert_int_equal(inv_image_open_file(path, NULL, &image, &error), INV_OK);
	if (inv_image_recognise(image, &error) == INV_OK)
		assert_int_equal(inv_kernel_identify(image, NULL, &kernel, &error), INV_E_NO_KERNEL);
	inv_image_close(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(real_dumps), cmocka_unit_test(damaged)};
	return cmocka_run_group_tests_name("kernel dumps", tests, NULL, NULL);
}
