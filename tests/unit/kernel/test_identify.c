// SPDX-License-Identifier: Apache-2.0
// Identification over machines built by hand: every way, and every way to mislead it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "machine.h"

struct found {
	struct machine machine;
	struct inv_image *image;
	struct inv_kernel *kernel;
	struct inv_error error;
	enum inv_code code;
};

static const struct inv_kernel_facts *facts_19041(void)
{
	for (size_t i = 0; i < inv_facts_kernel_count(); i++)
		if (inv_facts_kernel(i)->version.build == 19041 && inv_facts_kernel(i)->version.revision > 1000)
			return inv_facts_kernel(i);
	fail_msg("the built-in table has no kernel of 19041");
	return NULL;
}

static void identify(struct found *found)
{
	found->code = machine_identify(&found->machine, &found->image, &found->kernel, &found->error);
}

static void done(struct found *found)
{
	inv_kernel_free(found->kernel);
	inv_image_close(found->image);
	machine_free(&found->machine);
}

static const struct inv_clue *clue(const struct found *found, enum inv_anchor anchor, enum inv_way way)
{
	for (size_t i = 0; i < found->kernel->clue_count; i++)
		if (found->kernel->clues[i].anchor == anchor && found->kernel->clues[i].way == way)
			return &found->kernel->clues[i];
	return NULL;
}

static void assert_clue(const struct found *found, enum inv_anchor anchor, enum inv_way way, uint64_t value)
{
	const struct inv_clue *it = clue(found, anchor, way);
	assert_non_null(it);
	assert_true(it->ok);
	assert_int_equal(it->value, value);
}

static void assert_sound(const struct found *found)
{
	assert_int_equal(found->code, INV_OK);
	assert_int_equal(found->kernel->base, MACHINE_BASE);
	assert_int_equal(found->kernel->size, MACHINE_IMAGE_SIZE);
	assert_int_equal(found->kernel->dtb, found->machine.dtb);
	assert_int_equal(found->kernel->arch, INV_ARCH_X64);
	assert_true(found->kernel->pdb.found);
	assert_string_equal(found->kernel->pdb.name, "ntkrnlmp.pdb");
}

static void every_way_agrees(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->confidence, INV_CONFIDENCE_EXACT);
	assert_ptr_equal(found.kernel->layout, found.machine.facts->layout);
	assert_int_equal(found.kernel->version.revision, found.machine.facts->version.revision);
	assert_true(found.kernel->kdbg.found);
	assert_false(found.kernel->kdbg.encoded);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_LOW_STUB, found.machine.dtb);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_SELF_MAP, found.machine.dtb);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_SYSTEM, found.machine.dtb);
	assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_LOW_STUB, MACHINE_BASE);
	assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_PE, MACHINE_BASE);
	assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_KDBG, MACHINE_BASE);
	uint64_t head = machine_symbol(&found.machine, INV_S_PsActiveProcessHead);
	assert_clue(&found, INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD, INV_WAY_KDBG, head);
	assert_clue(&found, INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD, INV_WAY_SYMBOL, head);
	assert_true(found.kernel->system_time.ok);
	assert_int_equal(found.kernel->system_time.u, 0x01d707f23d2f2418ull);
	done(&found);
}

// All kernels of the table, KDBG in clear and encoded.
static void every_kernel(void **state)
{
	(void)state;
	size_t tried = 0;
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (facts->arch != INV_ARCH_X64)
			continue;
		for (int encoded = 0; encoded < 2; encoded++) {
			struct found found = {0};
			machine_new(&found.machine, &(struct machine_options){.facts = facts, .encoded = encoded});
			identify(&found);
			assert_sound(&found);
			assert_int_equal(found.kernel->confidence, INV_CONFIDENCE_EXACT);
			assert_memory_equal(found.kernel->pdb.guid, facts->guid, 16);
			assert_true(found.kernel->kdbg.found);
			assert_int_equal(found.kernel->kdbg.encoded, encoded);
			assert_int_equal(found.kernel->kdbg.address, machine_symbol(&found.machine, INV_S_KdDebuggerDataBlock));
			assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_KDBG, MACHINE_BASE);
			struct inv_value pid = inv_field(found.kernel, MACHINE_SYSTEM, INV_F_EPROCESS_UniqueProcessId);
			assert_true(pid.ok);
			assert_int_equal(pid.u, 4);
			done(&found);
			tried++;
		}
	}
	assert_true(tried >= 2);
}

static void without_low_stub(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .no_stub = true});
	identify(&found);
	assert_sound(&found);
	const struct inv_clue *stub = clue(&found, INV_ANCHOR_DTB, INV_WAY_LOW_STUB);
	assert_non_null(stub);
	assert_false(stub->ok);
	done(&found);
}

static void without_self_map(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .no_self_map = true});
	identify(&found);
	assert_sound(&found);
	const struct inv_clue *map = clue(&found, INV_ANCHOR_DTB, INV_WAY_SELF_MAP);
	assert_non_null(map);
	assert_false(map->ok);
	done(&found);
}

// Roots above the first 16 MiB are found only by going through all memory.
static void root_above_low_memory(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .no_stub = true, .dtb = 0x1500000});
	identify(&found);
	assert_sound(&found);
	done(&found);
}

static void five_levels(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .levels = 5});
	identify(&found);
	assert_sound(&found);
	assert_int_equal(inv_space_levels(found.kernel->space), 5);
	done(&found);
}

// The stub names a root that shows no kernel: the others are tried, and the clue stays for comparison.
static void stub_lies(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	inv_put64(found.machine.memory + 0x13000 + 0xa0, 0x300000);
	identify(&found);
	assert_sound(&found);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_LOW_STUB, 0x300000);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_SELF_MAP, found.machine.dtb);
	done(&found);
}

// A small file that calls itself a kernel stands before the true one.
static void decoy_kernel(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .no_stub = true});
	uint8_t guid[16] = {1};
	machine_pe(&found.machine, 0xfffff80400000000ull, 0x3000, "ntoskrnl.pdb", guid, 1);
	identify(&found);
	assert_sound(&found);
	done(&found);
}

static void no_kernel(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	*machine_at(&found.machine, MACHINE_BASE) = 'X';
	identify(&found);
	assert_int_equal(found.code, INV_E_NO_KERNEL);
	assert_null(found.kernel);
	assert_non_null(strstr(found.error.text, "machine.raw"));
	done(&found);
}

static void empty_memory(void **state)
{
	(void)state;
	struct found found = {0};
	found.machine.memory = inv_alloc(MACHINE_MEMORY);
	identify(&found);
	assert_int_equal(found.code, INV_E_NO_KERNEL);
	done(&found);
}

// System runs with another root than the one that was found first: its own is taken if the kernel is seen through it.
static void system_has_another_root(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	memcpy(found.machine.memory + 0x3f0000, found.machine.memory + found.machine.dtb, INV_PAGE_SIZE);
	machine_field(&found.machine, MACHINE_SYSTEM, INV_F_KPROCESS_DirectoryTableBase, 0x3f0002);
	identify(&found);
	assert_int_equal(found.code, INV_OK);
	assert_int_equal(found.kernel->dtb, 0x3f0000);
	assert_int_equal(inv_space_dtb(found.kernel->space) & ~0xfffull, 0x3f0000);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_LOW_STUB, found.machine.dtb);
	done(&found);
}

static void system_root_shows_nothing(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	machine_field(&found.machine, MACHINE_SYSTEM, INV_F_KPROCESS_DirectoryTableBase, 0x3f0000);
	identify(&found);
	assert_sound(&found);
	assert_clue(&found, INV_ANCHOR_DTB, INV_WAY_SYSTEM, 0x3f0000);
	done(&found);
}

// KDBG says that every list is KDBG itself.
static void kdbg_points_at_itself(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	uint64_t kdbg = machine_symbol(&found.machine, INV_S_KdDebuggerDataBlock);
	for (unsigned at = 0x18; at < 0x290; at += 8)
		machine_put64(&found.machine, kdbg + at, kdbg);
	identify(&found);
	assert_sound(&found);
	// The facts are this kernel's own, so that the symbols win and the contradiction shows in the clues.
	assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_KDBG, kdbg);
	enum inv_way way;
	struct inv_value head = inv_kernel_symbol(found.kernel, INV_S_PsActiveProcessHead, &way);
	assert_int_equal(way, INV_WAY_SYMBOL);
	assert_int_equal(head.u, machine_symbol(&found.machine, INV_S_PsActiveProcessHead));
	done(&found);
}

static void kdbg_points_at_itself_without_facts(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .unknown_pdb = true});
	uint64_t kdbg = machine_symbol(&found.machine, INV_S_KdDebuggerDataBlock);
	for (unsigned at = 0x20; at < 0x290; at += 8)
		machine_put64(&found.machine, kdbg + at, kdbg);
	identify(&found);
	assert_sound(&found);
	assert_null(found.kernel->rva);
	done(&found);
}

// ---- facts --------------------------------------------------------------------------------------------------------------

static void unknown_pdb_takes_nearest(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041(), .unknown_pdb = true});
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->confidence, INV_CONFIDENCE_NEAREST);
	assert_int_equal(found.kernel->version.build, 19041);
	assert_null(found.kernel->rva);
	assert_non_null(found.kernel->layout);
	assert_int_equal(found.kernel->layout->size[INV_T_EPROCESS], found.machine.facts->layout->size[INV_T_EPROCESS]);
	assert_true(found.kernel->self_check_count >= 3);
	enum inv_way way;
	assert_true(inv_kernel_symbol(found.kernel, INV_S_PsActiveProcessHead, &way).ok);
	assert_int_equal(way, INV_WAY_KDBG);
	assert_false(inv_kernel_symbol(found.kernel, INV_S_KiProcessListHead, NULL).ok);
	done(&found);
}

static void wrong_size_is_not_taken(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine,
	            &(struct machine_options){.facts = facts_19041(), .unknown_pdb = true, .size_eprocess = 0xa48});
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->confidence, INV_CONFIDENCE_PARTIAL);
	assert_true(found.kernel->layout->partial);
	assert_int_equal(found.kernel->layout->size[INV_T_EPROCESS], 0xa48);
	struct inv_value pid = inv_field(found.kernel, MACHINE_SYSTEM, INV_F_EPROCESS_UniqueProcessId);
	assert_false(pid.ok);
	assert_int_equal(pid.why.reason, INV_NO_FIELD);
	done(&found);
}

// Without symbols an encoded KDBG stays closed, and nothing else leads to a process.
static void encoded_without_symbols(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine,
	            &(struct machine_options){.facts = facts_19041(), .unknown_pdb = true, .encoded = true});
	identify(&found);
	assert_sound(&found);
	assert_false(found.kernel->kdbg.found);
	assert_int_equal(found.kernel->confidence, INV_CONFIDENCE_NONE);
	assert_null(found.kernel->layout);
	assert_non_null(found.kernel->facts_source);
	assert_false(found.kernel->modules_complete);
	assert_non_null(found.kernel->modules_note);
	done(&found);
}

// ---- modules ------------------------------------------------------------------------------------------------------------

#define ENTRY(n) (0xffffe00022220000ull + (uint64_t)(n)*0x1000)

static void build_modules(struct found *found, uint64_t entries[5])
{
	machine_new(&found->machine, &(struct machine_options){.facts = facts_19041()});
	entries[0] = machine_symbol(&found->machine, INV_S_PsLoadedModuleList);
	static const char *const names[] = {"ntoskrnl.exe", "hal.dll", "kd.dll", "ntfs.sys"};
	for (unsigned i = 0; i < 4; i++) {
		entries[i + 1] = ENTRY(i);
		machine_module(&found->machine, ENTRY(i), i ? 0xfffff80500000000ull + i * 0x10000ull : MACHINE_BASE,
		               i ? 0x8000 : MACHINE_IMAGE_SIZE, names[i]);
	}
	machine_ring(&found->machine, entries, 5);
}

static void modules_in_order(void **state)
{
	(void)state;
	struct found found = {0};
	uint64_t entries[5];
	build_modules(&found, entries);
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->module_count, 4);
	assert_true(found.kernel->modules_complete);
	assert_null(found.kernel->modules_note);
	assert_string_equal(found.kernel->modules[0].name, "ntoskrnl.exe");
	assert_string_equal(found.kernel->modules[3].name, "ntfs.sys");
	assert_int_equal(found.kernel->modules[0].time_stamp, 0x5eed5eed);
	assert_clue(&found, INV_ANCHOR_KERNEL_BASE, INV_WAY_MODULE_LIST, MACHINE_BASE);
	assert_ptr_equal(inv_kernel_module_at(found.kernel, 0xfffff80500017fffull), &found.kernel->modules[1]);
	assert_null(inv_kernel_module_at(found.kernel, 0xfffff80500018000ull));
	done(&found);
}

static void modules_cycle(void **state)
{
	(void)state;
	struct found found = {0};
	uint64_t entries[5];
	build_modules(&found, entries);
	machine_put64(&found.machine, entries[3], entries[2]);
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->module_count, 4);
	assert_false(found.kernel->modules_complete);
	assert_non_null(found.kernel->modules_note);
	assert_string_equal(found.kernel->modules[3].name, "ntfs.sys");
	done(&found);
}

static void modules_torn(void **state)
{
	(void)state;
	struct found found = {0};
	uint64_t entries[5];
	build_modules(&found, entries);
	machine_put64(&found.machine, entries[1], 0xffffe00099990000ull);
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->module_count, 5 - 1);
	assert_false(found.kernel->modules_complete);
	assert_string_equal(found.kernel->modules[1].name, "hal.dll");
	assert_string_equal(found.kernel->modules[3].name, "ntfs.sys");
	done(&found);
}

static void module_one_sided(void **state)
{
	(void)state;
	struct found found = {0};
	uint64_t entries[5];
	build_modules(&found, entries);
	// Taken out forwards only: hal.dll's successor still points back at it.
	machine_put64(&found.machine, entries[1], entries[3]);
	identify(&found);
	assert_sound(&found);
	assert_false(found.kernel->modules_complete);
	assert_non_null(strstr(found.kernel->modules_note, "contradict"));
	done(&found);
}

// ---- CPUs ---------------------------------------------------------------------------------------------------------------

static void cpus_by_block(void **state)
{
	(void)state;
	struct found found = {0};
	machine_new(&found.machine, &(struct machine_options){.facts = facts_19041()});
	uint64_t block = machine_symbol(&found.machine, INV_S_KiProcessorBlock);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t prcb = 0xffffe00033330180ull + i * 0x20000ull;
		machine_put64(&found.machine, block + i * 8ull, prcb);
		machine_field(&found.machine, prcb, INV_F_KPRCB_Number, i);
	}
	identify(&found);
	assert_sound(&found);
	assert_int_equal(found.kernel->cpu_count, 2);
	assert_int_equal(found.kernel->cpus[1].prcb, 0xffffe00033350180ull);
	assert_int_equal(found.kernel->cpus[1].number, 1);
	done(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_way_agrees),
	    cmocka_unit_test(every_kernel),
	    cmocka_unit_test(without_low_stub),
	    cmocka_unit_test(without_self_map),
	    cmocka_unit_test(root_above_low_memory),
	    cmocka_unit_test(five_levels),
	    cmocka_unit_test(stub_lies),
	    cmocka_unit_test(decoy_kernel),
	    cmocka_unit_test(no_kernel),
	    cmocka_unit_test(empty_memory),
	    cmocka_unit_test(system_has_another_root),
	    cmocka_unit_test(system_root_shows_nothing),
	    cmocka_unit_test(kdbg_points_at_itself),
	    cmocka_unit_test(kdbg_points_at_itself_without_facts),
	    cmocka_unit_test(unknown_pdb_takes_nearest),
	    cmocka_unit_test(wrong_size_is_not_taken),
	    cmocka_unit_test(encoded_without_symbols),
	    cmocka_unit_test(modules_in_order),
	    cmocka_unit_test(modules_cycle),
	    cmocka_unit_test(modules_torn),
	    cmocka_unit_test(module_one_sided),
	    cmocka_unit_test(cpus_by_block),
	};
	return cmocka_run_group_tests_name("kernel identify", tests, NULL, NULL);
}
