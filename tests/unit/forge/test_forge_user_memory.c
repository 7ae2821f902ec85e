// SPDX-License-Identifier: Apache-2.0
// What the memory manager keeps of user memory: trees of VADs, views of sections, pages that are shared and copied, and their PTEs.
#include "forged.h"

#include <stdio.h>

#include "forge/pfn.h"
#include "forge/scenario.h"
#include "forge/user.h"

static const char *const kernels[] = {"7601", "9600", "14393", "17763", "19041", "20348", "22000"};
#define KERNELS (sizeof kernels / sizeof *kernels)
#define TWO                                                                                                            \
	"a = process{name='a.exe', session=1}\n"                                                                           \
	"b = process{name='b.exe', session=1}\n"

static struct inv_forge *run_on(const char *kernel, const char *scenario)
{
	char text[4096];
	snprintf(text, sizeof text, "machine{kernel='%s'}\n%s", kernel, scenario);
	return must_run(text, NULL);
}

static struct inv_forge_process *named(const struct inv_forge *forge, const char *name)
{
	for (size_t i = 0; i < inv_count(forge->machine->processes); i++)
		if (strcmp(forge->machine->processes[i]->name, name) == 0)
			return forge->machine->processes[i];
	fail_msg("no %s", name);
	return NULL;
}

// -- trees ------------------------------------------------------------------------------------------------------------------

struct tree_walk {
	const struct inv_machine *machine;
	const struct inv_forge_vad *vads; // in the order in which the tree must have them
	size_t next, count;
};

// The height of the tree under a node whose parent must be this one.
static int walk_tree(struct tree_walk *walk, uint64_t node, uint64_t parent)
{
	if (!node || !walk->vads)
		return 0;
	const struct inv_machine *machine = walk->machine;
	uint64_t above = inv_machine_get(machine, node, INV_F_MMVAD_SHORT_ParentValue);
	assert_int_equal(above & ~3ull, parent);
	int left = walk_tree(walk, inv_machine_get(machine, node, INV_F_MMVAD_SHORT_Left), node);
	assert_true(walk->next < walk->count);
	const struct inv_forge_vad *vad = &walk->vads[walk->next++];
	assert_int_equal(node, vad->address);
	uint64_t first = inv_machine_get(machine, node, INV_F_MMVAD_SHORT_StartingVpn) |
	                 inv_machine_get(machine, node, INV_F_MMVAD_SHORT_StartingVpnHigh) << 32;
	assert_int_equal(first, vad->start / INV_RAM_PAGE);
	int right = walk_tree(walk, inv_machine_get(machine, node, INV_F_MMVAD_SHORT_Right), node);
	assert_in_range(right - left + 1, 0, 2);
	assert_int_equal(above & 3, (unsigned)(right - left) & 3);
	return 1 + (left > right ? left : right);
}

static void check_tree(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	struct tree_walk walk = {machine, process->vads, 0, inv_count(process->vads)};
	uint64_t parent = inv_machine_has(machine, INV_F_EPROCESS_VadRootParent)
	                      ? inv_machine_at(machine, process->address, INV_F_EPROCESS_VadRootParent)
	                      : 0;
	int height = walk_tree(&walk, inv_machine_get(machine, process->address, INV_F_EPROCESS_VadRoot), parent);
	assert_int_equal(walk.next, walk.count);
	if (inv_machine_has(machine, INV_F_EPROCESS_VadCount))
		assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_VadCount), walk.count);
	if (inv_machine_has(machine, INV_F_EPROCESS_VadRootDepth))
		assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_VadRootDepth), height);
}

static void trees_stay_balanced(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge =
		    run_on(kernels[i], TWO "for i = 0, 299 do alloc(a, {at=0x10000000 + i * 7919 % 300 * 0x10000}) end\n"
		                           "for i = 0, 99 do unmap(a, 0x10000000 + i * 0x20000) end\n"
		                           "for i = 0, 49 do alloc(a, {size=0x3000}) end\n"
		                           "for i = 0, 99 do alloc(b, {at=0x10000000 + i * 0x10000}) end\n");
		for (size_t j = 1; j < inv_count(forge->machine->processes); j++)
			check_tree(forge->machine, forge->machine->processes[j]);
		inv_forge_free(forge);
	}
}

// -- views ------------------------------------------------------------------------------------------------------------------

static size_t views_of(const struct inv_machine *machine, const struct inv_forge_area *area)
{
	size_t count = 0;
	for (size_t i = 0; i < inv_count(machine->processes); i++)
		for (size_t j = 0; j < inv_count(machine->processes[i]->vads); j++)
			count += machine->processes[i]->vads[j].area == area;
	return count;
}

static size_t listed_views(const struct inv_machine *machine, const struct inv_forge_area *area)
{
	uint64_t head = inv_machine_at(machine, area->address, INV_F_CONTROL_AREA_ViewList);
	size_t count = 0;
	for (uint64_t at = inv_machine_get64(machine, head); at != head && count < 1000;
	     at = inv_machine_get64(machine, at))
		count++;
	return count;
}

static void views_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge =
		    run_on(kernels[i], TWO "load(a, 'user32.dll') load(b, 'user32.dll') unload(a, 'user32.dll')\n"
		                           "local f = map_file(a, 'C:\\\\x.txt', {bytes='text'})\n"
		                           "map_file(b, 'C:\\\\x.txt', {size=4})\n"
		                           "map_file(b, nil, {size=0x4000})\n"
		                           "process{name='c.exe', session=1, clone_of=a}\n"
		                           "process{name='z.exe', session=1, state='zombie'}\n"
		                           "process{name='w.exe', session=1, wow64=true, modules=2}\n");
		const struct inv_machine *machine = forge->machine;
		assert_true(inv_count(machine->areas) > 8);
		for (size_t j = 0; j < inv_count(machine->areas); j++) {
			const struct inv_forge_area *area = machine->areas[j];
			size_t views = views_of(machine, area);
			assert_int_equal(inv_machine_get(machine, area->address, INV_F_CONTROL_AREA_NumberOfMappedViews), views);
			assert_int_equal(listed_views(machine, area), views);
			uint64_t sections = inv_machine_get(machine, area->address, INV_F_CONTROL_AREA_NumberOfSectionReferences);
			assert_int_equal(inv_machine_get(machine, area->address, INV_F_CONTROL_AREA_NumberOfUserReferences),
			                 views + sections);
		}
		assert_int_equal(named(forge, "a.exe")->section->references, 2); // the clone's too
		inv_forge_free(forge);
	}
}

static void section_leads_to_the_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge = run_on(kernels[i], TWO);
		const struct inv_machine *machine = forge->machine;
		const struct inv_forge_process *process = named(forge, "a.exe");
		uint64_t section = inv_machine_get(machine, process->address, INV_F_EPROCESS_SectionObject);
		uint64_t area = inv_machine_get(machine, section, INV_F_SECTION_ControlArea);
		if (!inv_machine_has(machine, INV_F_SECTION_ControlArea))
			area = inv_machine_get(machine, inv_machine_get(machine, section, INV_F_SECTION_OBJECT_Segment),
			                       INV_F_SEGMENT_ControlArea);
		uint64_t file = inv_machine_get(machine, area, INV_F_CONTROL_AREA_FilePointer) & ~0xfull;
		assert_int_equal(file, process->program->object);
		uint64_t pointers = inv_machine_get(machine, file, INV_F_FILE_OBJECT_SectionObjectPointer);
		assert_int_equal(inv_machine_get(machine, pointers, INV_F_SECTION_OBJECT_POINTERS_ImageSectionObject), area);
		assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_SectionBaseAddress),
		                 process->modules[0].base);
		inv_forge_free(forge);
	}
}

// -- pages ------------------------------------------------------------------------------------------------------------------

static uint64_t pte_of(const struct inv_forge_process *process, uint64_t address)
{
	return inv_maps_get_pte(&process->maps, address);
}

static void written_pages_are_copied(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge =
		    run_on(kernels[i], TWO "at = module(a, 'ntdll.dll', 'LdrLoadDll') write_memory(a, at, '\\xe9')\n");
		struct inv_machine *machine = forge->machine;
		const struct inv_forge_process *a = named(forge, "a.exe"), *b = named(forge, "b.exe");
		const struct inv_forge_user_module *ntdll = inv_machine_find_module(a, "NTDLL.dll");
		uint64_t at = ntdll->base + inv_user_image_export(ntdll->image, "LdrLoadDll")->rva;
		uint64_t mine = pte_of(a, at) & INV_PTE_FRAME, shared = pte_of(b, at) & INV_PTE_FRAME;
		assert_int_not_equal(mine, shared);
		uint8_t byte[2];
		assert_true(inv_machine_read_user(machine, a, at, &byte[0], 1));
		assert_true(inv_machine_read_user(machine, b, at, &byte[1], 1));
		assert_int_equal(byte[0], 0xe9);
		assert_int_equal(byte[1], ntdll->image->bytes[at - ntdll->base]);
		uint64_t entry = inv_machine_pfn_of(machine, shared), copy = inv_machine_pfn_of(machine, mine);
		const struct inv_forge_area *area = inv_machine_vad_of(a, at)->area;
		uint32_t page = (uint32_t)((at - ntdll->base) / INV_RAM_PAGE);
		assert_int_equal(inv_machine_get(machine, entry, INV_F_MMPFN_PrototypePte), 1);
		assert_int_equal(inv_machine_get(machine, entry, INV_F_MMPFN_PteAddress), inv_area_prototype(area, page));
		assert_int_equal(inv_machine_get(machine, entry, INV_F_MMPFN_ShareCount), 1);
		assert_int_equal(inv_machine_get(machine, copy, INV_F_MMPFN_PrototypePte), 0);
		assert_true(pte_of(a, at) & INV_PTE_DIRTY);
		assert_false(pte_of(a, at) & INV_PTE_NX);
		inv_forge_free(forge);
	}
}

// Every valid page stands in a range, and the counts of the process are sums over them.
static void check_counts(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t size = 0, valid = 0, own = 0;
	for (size_t i = 0; i < inv_count(process->vads); i++) {
		const struct inv_forge_vad *vad = &process->vads[i];
		size += vad->end - vad->start;
		for (uint64_t at = vad->start; at < vad->end; at += INV_RAM_PAGE) {
			uint64_t pte = pte_of(process, at);
			bool shared = vad->area && vad->area->pages[vad->first + (at - vad->start) / INV_RAM_PAGE].frame ==
			                               (pte & INV_PTE_FRAME);
			valid += pte & INV_PTE_VALID;
			own += (pte & INV_PTE_VALID) && !shared;
		}
	}
	assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_VirtualSize), size);
	assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_WorkingSetSize), valid);
	assert_int_equal(inv_machine_get(machine, process->address, INV_F_EPROCESS_NumberOfPrivatePages), own);
}

static void counts_are_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge =
		    run_on(kernels[i],
		           TWO "x = alloc(a, {size=0x8000}) protect(a, x, 0x4000, 'rx') unmap(a, alloc(a, {size=0x2000}))\n"
		               "write_memory(a, module(a, 'kernel32.dll') + 0x1000, 'x') load(a, 'user32.dll')\n"
		               "unload(a, 'user32.dll') map_file(b, nil, {size=0x3000, protect='rw', bytes='x'})\n"
		               "alloc(b, {size=0x100000, reserve=true}) protect(a, module(a, 'ntdll.dll'), 0x1000, 'none')\n");
		check_counts(forge->machine, named(forge, "a.exe"));
		check_counts(forge->machine, named(forge, "b.exe"));
		inv_forge_free(forge);
	}
}

static void pages_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge =
		    run_on(kernels[i],
		           TWO "x = alloc(a, {at=0x20000000, size=0x4000, bytes='x'})\n"
		               "assert(page_state(a, x, 'transition') and page_state(a, x + 0x1000, 'paged'))\n"
		               "assert(page_state(a, x + 0x2000, 'demand') and not page_state(a, 0x30000000, 'paged'))\n"
		               "page_state(a, x + 0x3000, 'compressed')\n"
		               "k = module(a, 'kernel32.dll')\n"
		               "assert(page_state(a, k + 0x1000, 'transition') and page_state(a, k + 0x2000, 'demand'))\n");
		const struct inv_machine *machine = forge->machine;
		struct inv_forge_process *a = named(forge, "a.exe");
		uint64_t pte = pte_of(a, 0x20000000);
		assert_int_equal(pte, inv_pte_transition(machine->layout, INV_MM_READWRITE, pte & INV_PTE_FRAME));
		assert_int_equal(pte_of(a, 0x20002000), inv_pte_demand_zero(machine->layout, INV_MM_READWRITE));
		uint64_t base = inv_machine_find_module(a, "kernel32.dll")->base;
		const struct inv_forge_area *area = inv_machine_vad_of(a, base)->area;
		assert_int_equal(pte_of(a, base + 0x1000), inv_pte_prototype(machine->layout, inv_area_prototype(area, 1)));
		assert_int_equal(pte_of(a, base + 0x2000) & INV_PTE_VALID, 0);
		// Who touches them again finds them as they were.
		uint8_t byte;
		assert_true(inv_machine_touch(forge->machine, a, 0x20000000, false));
		assert_true(inv_machine_read_user(machine, a, 0x20000000, &byte, 1));
		assert_int_equal(byte, 'x');
		assert_true(inv_machine_touch(forge->machine, a, base + 0x1000, false));
		assert_true(pte_of(a, base + 0x1000) & INV_PTE_VALID);
		inv_forge_free(forge);
	}
}

static void protection_is_in_the_ptes(void **state)
{
	(void)state;
	struct inv_forge *forge =
	    run_on("19041", TWO "x = alloc(a, {at=0x20000000, size=0x4000, protect='rw'})\n"
	                        "protect(a, x, 0x1000, 'rx') protect(a, x + 0x1000, 0x1000, 'none')\n"
	                        "k = module(a, 'kernel32.dll') protect(a, k + 0x1000, 0x1000, 'rwx')\n");
	const struct inv_forge_process *a = named(forge, "a.exe");
	assert_false(pte_of(a, 0x20000000) & (INV_PTE_NX | INV_PTE_WRITE));
	assert_false(pte_of(a, 0x20001000) & INV_PTE_VALID);
	assert_true(pte_of(a, 0x20002000) & INV_PTE_NX);
	assert_int_equal(inv_machine_vad_of(a, 0x20000000)->protection, INV_MM_READWRITE);
	uint64_t base = inv_machine_find_module(a, "kernel32.dll")->base;
	assert_true(pte_of(a, base + 0x1000) & INV_PTE_COPY_ON_WRITE); // nobody has written to it
	assert_false(pte_of(a, base + 0x1000) & INV_PTE_WRITE);
	inv_forge_free(forge);
}

static void exit_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct inv_forge *forge = run_on(kernels[i], TWO "alloc(a, {size=0x4000}) exit(a)\n");
		const struct inv_forge_process *a = named(forge, "a.exe");
		assert_int_equal(inv_count(a->vads), 0);
		assert_int_equal(inv_machine_get(forge->machine, a->address, INV_F_EPROCESS_VadRoot), 0);
		for (unsigned slot = 0; slot < 256; slot++)
			assert_int_equal(inv_ram_get64(forge->machine->ram, a->dtb + 8ull * slot), 0);
		assert_int_equal(
		    inv_machine_get(forge->machine, a->program->image->address, INV_F_CONTROL_AREA_NumberOfUserReferences), 0);
		inv_forge_free(forge);
	}
}

static void clones_have_copies(void **state)
{
	(void)state;
	struct inv_forge *forge = run_on("19041", TWO "x = alloc(a, {at=0x20000000, bytes='x'})\n"
	                                              "process{name='c.exe', session=1, clone_of=a}\n"
	                                              "write_memory(a, x, 'y')\n");
	const struct inv_forge_process *a = named(forge, "a.exe"), *c = named(forge, "c.exe");
	uint8_t byte;
	assert_true(inv_machine_read_user(forge->machine, c, 0x20000000, &byte, 1));
	assert_int_equal(byte, 'x');
	assert_int_equal(inv_count(a->vads), inv_count(c->vads));
	assert_int_equal(a->peb, c->peb);
	check_tree(forge->machine, c);
	inv_forge_free(forge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trees_stay_balanced),       cmocka_unit_test(views_are_counted),
	    cmocka_unit_test(section_leads_to_the_file), cmocka_unit_test(written_pages_are_copied),
	    cmocka_unit_test(counts_are_sums),           cmocka_unit_test(pages_go),
	    cmocka_unit_test(protection_is_in_the_ptes), cmocka_unit_test(exit_leaves_nothing),
	    cmocka_unit_test(clones_have_copies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
