// SPDX-License-Identifier: Apache-2.0
// The words of a scenario: what they change, what they refuse, and the truth that is told.
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

#include "forged.h"

#define MAX_PROCESSES 64
#define PAIR                                                                                                           \
	"local a = process{name='a.exe', session=1, threads=2}\n"                                                          \
	"local b = process{name='b.exe', session=1, threads=2}\n"                                                          \
	"local c = process{name='c.exe', session=1, threads=2}\n"

static void refused(const char *scenario, const char *why)
{
	struct inv_error error = {INV_OK, ""};
	struct inv_forge *forge = inv_forge_run(scenario, NULL, &error);
	assert_null(forge);
	assert_int_equal(error.code, INV_E_USAGE);
	if (!strstr(error.text, why))
		fail_msg("'%s' does not say '%s'", error.text, why);
}

static void what_is_wrong_is_refused(void **state)
{
	(void)state;
	refused("process{name='a.exe', treads=2}", "'treads' is not known here");
	refused("process{}", "needs a name");
	refused("process{name='a', state='undead'}", "is no state");
	refused("process{name='a', state='zombie', threads=1}", "a zombie has no threads");
	refused("machine{cpus=65}", "at most 64");
	refused("machine{levels=3}", "4 or 5");
	refused("machine{memory='1M'}", "from 64M");
	refused("machine{memory='lots'}", "is no size");
	refused("machine{kernel='10.0.1.1'}", "no kernel");
	refused("process{name='a'} machine{}", "before all else");
	refused("set(find(4), '_EPROCESS.Colour', 1)", "no field is known");
	refused("set(0x1000, '_EPROCESS.Flags', 1)", "the forge wrote to");
	refused("set(find(4), '_EPROCESS.ImageFileName', 1)", "is a structure");
	refused("breaks('X01')", "behind the attack");
	refused("unlink(find(4)) breaks('hidden')", "is no identifier");
	refused("unlink(find(4)) breaks('L01') clean()", "both clean() and breaks()");
	refused("run(2, nil)", "there is no CPU");
	refused("unlink(find(4), 'session')", "is not on the list");
	refused("local x = nil; x.y = 1", "scenario:1:");
	refused("os.exit(1)", "nil value");
	refused("machine{kernel='7601'} set(find(4), '_EPROCESS.Protection', 1)", "this kernel has no field");
	refused("local p = process{name='a'} exit(p) exit(p)", "a has exited");
	refused("delete(process{name='a'})", "a has not exited");
	refused("exit(find(4))", "System never ends");
	refused("local p = process{name='a'} exit(p) thread(p)", "a gets no more threads");
	refused("local t = process{name='a', threads=2}.threads[2] end_thread(t) run(0, t)", "has ended");
	refused("local t = process{name='a', threads=2}.threads[2] end_thread(t) end_thread(t)", "has ended");
	refused("end_thread(find(0).threads[1])", "Idle keeps its threads");
	refused("pass(1e9)", "before so much time has passed");
	refused("machine{memory='64M'} for i = 1, 4000 do process{name='p'} end", "too small");
}

static size_t forward(const struct forged *f, uint64_t *objects)
{
	uint64_t head = inv_forge_symbol(f->forge, INV_S_PsActiveProcessHead), at = head;
	size_t count = 0;
	while ((at = virtual64(f, at)) != head && count < MAX_PROCESSES)
		objects[count++] = at - f->layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset;
	return count;
}

static size_t backward(const struct forged *f)
{
	uint64_t head = inv_forge_symbol(f->forge, INV_S_PsActiveProcessHead), at = head;
	size_t count = 0;
	while ((at = virtual64(f, at + 8)) != head && count < MAX_PROCESSES)
		count++;
	return count;
}

static uint64_t nth(const struct forged *f, size_t index)
{
	uint64_t objects[MAX_PROCESSES] = {0};
	assert_true(index < forward(f, objects));
	return objects[index];
}

static void unlinking(void **state)
{
	(void)state;
	uint64_t objects[MAX_PROCESSES];
	struct forged f = forge_raw(PAIR "unlink(b) breaks('L01', 'L15')", NULL);
	assert_int_equal(forward(&f, objects), 3);
	assert_int_equal(backward(&f), 3);
	forged_free(&f);
	f = forge_raw(PAIR "unlink_half(b)", NULL);
	assert_int_equal(forward(&f, objects), 3);
	assert_int_equal(backward(&f), 4);
	forged_free(&f);
}

static void relinking(void **state)
{
	(void)state;
	uint64_t objects[MAX_PROCESSES];
	struct forged f = forge_raw(PAIR "relink(c, a)", NULL);
	assert_int_equal(forward(&f, objects), 4);
	assert_int_equal(backward(&f), 4);
	assert_int_equal(field64(&f, objects[2], INV_F_EPROCESS_SequenceNumber), 4);
	assert_int_equal(field64(&f, objects[3], INV_F_EPROCESS_SequenceNumber), 3);
	forged_free(&f);
}

static void setting(void **state)
{
	(void)state;
	struct forged f = forge_raw(PAIR "set(a, '_EPROCESS.ExitTime', 0x1234567890)\n"
	                                 "set(b, '_EPROCESS.ImageFileName', 'evil')\n"
	                                 "set(b.threads[1], '_KTHREAD.ApcState.Process', c)\n"
	                                 "set(c, '_EPROCESS.ProcessInserted', 0)\n"
	                                 "assert(get(a, '_EPROCESS.ExitTime') == 0x1234567890)\n"
	                                 "assert(get(a, '_EPROCESS.UniqueProcessId') == a.pid)\n"
	                                 "assert(has('_EPROCESS.Protection') and symbol('PsActiveProcessHead') ~= 0)\n",
	                            NULL);
	assert_int_equal(field64(&f, nth(&f, 1), INV_F_EPROCESS_ExitTime), 0x1234567890);
	assert_int_equal(field64(&f, nth(&f, 2), INV_F_EPROCESS_ImageFileName) & 0xffffffff, 0x6c697665);
	assert_int_equal(bits(&f, nth(&f, 3), INV_F_EPROCESS_ProcessInserted), 0);
	assert_int_equal(bits(&f, nth(&f, 3), INV_F_EPROCESS_HasAddressSpace), 1);
	forged_free(&f);
}

static void forged_claims(void **state)
{
	(void)state;
	struct inv_forge *forge =
	    must_run("header{ps_active_process_head=0xfffff80012345678} kdbg(0x50, 0xfffff80087654321)", NULL);
	uint8_t *bytes;
	size_t size;
	must_write(forge, INV_FORGE_CRASH_TRIAGE, &bytes, &size);
	assert_int_equal(inv_le64(bytes + 0x28), 0xfffff80012345678);
	assert_int_equal(inv_le64(bytes + inv_le32(bytes + 0x2070) + 0x50), 0xfffff80087654321);
	free(bytes);
	inv_forge_free(forge);
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void truth(void **state)
{
	(void)state;
	struct inv_forge *forge = must_run(PAIR "set(b, '_EPROCESS.ExitTime', 1) breaks('X01', 'P07') excused('T03')\n"
	                                        "process{name='z.exe', state='zombie'}",
	                                   NULL);
	json_t *root = json_loads(inv_forge_truth(forge), 0, NULL);
	assert_non_null(root);
	const json_t *processes = json_object_get(root, "processes");
	assert_int_equal(json_array_size(processes), 6);
	assert_string_equal(text_at(json_array_get(processes, 0), "name"), "Idle");
	assert_string_equal(text_at(json_array_get(processes, 5), "state"), "zombie");
	assert_int_equal(json_array_size(json_object_get(json_array_get(processes, 3), "threads")), 2);
	const json_t *attack = json_array_get(json_object_get(root, "attacks"), 0);
	assert_string_equal(text_at(attack, "name"), "set _EPROCESS.ExitTime");
	assert_string_equal(text_at(attack, "process"), text_at(json_array_get(processes, 3), "address"));
	assert_int_equal(json_array_size(json_object_get(attack, "breaks")), 2);
	assert_true(json_is_false(json_object_get(root, "clean")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(root, "excused"), 0)), "T03");
	json_decref(root);
	inv_forge_free(forge);
}

static void kernels_by_name(void **state)
{
	(void)state;
	const struct inv_kernel_facts *facts = inv_forge_find_kernel("10.0.17763.379");
	assert_non_null(facts);
	assert_int_equal(facts->version.revision, 379);
	assert_ptr_equal(inv_forge_find_kernel("17763.379"), facts);
	assert_int_equal(inv_forge_find_kernel("9600")->version.build, 9600);
	assert_int_equal(inv_forge_find_kernel(NULL)->version.build, 19041);
	assert_null(inv_forge_find_kernel("1.2.3.4.5"));
	assert_null(inv_forge_find_kernel(""));
	assert_null(inv_forge_find_kernel("99999999999999999999"));
	uint64_t size;
	assert_true(inv_forge_parse_size("64G", &size));
	assert_int_equal(size, 64ull << 30);
	assert_false(inv_forge_parse_size("64GB", &size));
	assert_false(inv_forge_parse_size("-1", &size));
	assert_false(inv_forge_parse_size("99999999999999T", &size));
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s cannot be read", path);
	char *text = calloc(1, 1 << 16);
	assert_non_null(text);
	size_t size = fread(text, 1, (1 << 16) - 1, file);
	assert_true(size < (1 << 16) - 1);
	fclose(file);
	return text;
}

// Whether the truth and the file of expectations speak of the same invariants.
static void check_expectations(struct inv_forge *forge, const char *name, const char *expect)
{
	json_t *root = json_loads(inv_forge_truth(forge), 0, NULL);
	bool clean = json_is_true(json_object_get(root, "clean"));
	bool agrees = strstr(expect, "\nstatus 0\n") != NULL;
	// A lie that no proof shows is observed, or makes something unknown.
	if (clean != agrees && !(agrees && (strstr(expect, "\nobserved ") || strstr(expect, "\nunknown "))))
		fail_msg("%s: the status does not fit clean()", name);
	size_t i, j;
	json_t *attack, *id;
	json_array_foreach(json_object_get(root, "attacks"), i, attack)
	{
		json_array_foreach(json_object_get(attack, "breaks"), j, id)
		{
			char broken[32], observed[32];
			snprintf(broken, sizeof broken, "\nbroken %s\n", json_string_value(id));
			snprintf(observed, sizeof observed, "\nobserved %s\n", json_string_value(id));
			if (!strstr(expect, broken) && !strstr(expect, observed))
				fail_msg("%s: %s is not expected", name, json_string_value(id));
		}
	}
	json_decref(root);
}

static void every_scenario(void **state)
{
	(void)state;
	const char *folder = getenv("INVAR_SCENARIOS");
	DIR *directory = folder ? opendir(folder) : NULL;
	if (!directory) {
		print_message("INVAR_SCENARIOS names no folder\n");
		skip();
		return;
	}
	size_t count = 0;
	for (const struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		char path[4096];
		snprintf(path, sizeof path, "%s/%s/scenario.lua", folder, entry->d_name);
		char *scenario = read_file(path);
		snprintf(path, sizeof path, "%s/%s/expect", folder, entry->d_name);
		char *expect = read_file(path);
		struct inv_forge_options options = {.name = entry->d_name};
		struct inv_forge *forge = must_run(scenario, &options);
		check_expectations(forge, entry->d_name, expect);
		inv_forge_free(forge);
		free(scenario);
		free(expect);
		count++;
	}
	closedir(directory);
	assert_true(count >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_wrong_is_refused),
	    cmocka_unit_test(unlinking),
	    cmocka_unit_test(relinking),
	    cmocka_unit_test(setting),
	    cmocka_unit_test(forged_claims),
	    cmocka_unit_test(truth),
	    cmocka_unit_test(kernels_by_name),
	    cmocka_unit_test(every_scenario),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
