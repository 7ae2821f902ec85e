// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "facts/facts.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const struct inv_layout *find_layout(const char *id)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++)
		if (strcmp(inv_facts_layout(i)->id, id) == 0)
			return inv_facts_layout(i);
	fail_msg("no layout %s", id);
	return NULL;
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(inv_field_full_name(INV_F_EPROCESS_UniqueProcessId), "_EPROCESS.UniqueProcessId");
	assert_string_equal(inv_type_info(INV_T_LDR_DATA_TABLE_ENTRY)->name, "_LDR_DATA_TABLE_ENTRY");
	assert_string_equal(inv_type_info(INV_T_LDR_DATA_TABLE_ENTRY)->names,
	                    "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY");
	const struct inv_field_info *frame = inv_field_info(INV_F_MMPFN_PteFrame);
	assert_int_equal(frame->type, INV_T_MMPFN);
	assert_string_equal(frame->name, "PteFrame");
	assert_string_equal(frame->names, "u4.PteFrame");
	assert_int_equal(frame->kind, INV_BITS);
	assert_false(frame->needed);
	assert_true(inv_field_info(INV_F_EPROCESS_ImageFileName)->needed);
	assert_string_equal(inv_symbol_name(INV_S_PsActiveProcessHead), "PsActiveProcessHead");
	assert_string_equal(inv_symbol_name(INV_S_KiSystemCall64Shadow), "KiSystemCall64Shadow");
}

// Each kernel is found by what identifies it.
static void every_kernel_is_found(void **state)
{
	(void)state;
	assert_int_equal(inv_facts_kernel_count(), 200);
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *kernel = inv_facts_kernel(i);
		assert_ptr_equal(inv_facts_by_guid(kernel->guid, kernel->age), kernel);
		assert_null(inv_facts_by_guid(kernel->guid, kernel->age + 1));
		size_t count;
		const struct inv_kernel_facts *first = inv_facts_by_version(&kernel->version, &count);
		assert_non_null(first);
		assert_true(kernel >= first && kernel < first + count);
		assert_int_equal(kernel->layout->build, kernel->version.build);
		assert_int_equal(kernel->layout->arch, kernel->arch);
		assert_false(kernel->layout->partial);
	}
	assert_null(inv_facts_kernel(200));
	assert_null(inv_facts_layout(inv_facts_layout_count()));
}

static void unknown_kernels_are_not_found(void **state)
{
	(void)state;
	uint8_t zero[16] = {0};
	uint8_t ones[16];
	memset(ones, 0xff, sizeof ones);
	assert_null(inv_facts_by_guid(zero, 1));
	assert_null(inv_facts_by_guid(ones, 1));
	size_t count = 7;
	struct inv_version version = {10, 0, 19041, 1};
	assert_null(inv_facts_by_version(&version, &count));
	assert_int_equal(count, 0);
	version = (struct inv_version){UINT16_MAX, 0, 0, 0};
	assert_null(inv_facts_by_version(&version, &count));
}

// Values that stand in the project's reference on layouts, B.3.
static void known_values(void **state)
{
	(void)state;
	struct inv_version version = {6, 1, 7601, 24540};
	size_t count;
	const struct inv_kernel_facts *kernel = inv_facts_by_version(&version, &count);
	assert_int_equal(count, 1);
	char guid[INV_GUID_SIZE];
	inv_format_guid(kernel->guid, guid);
	assert_string_equal(guid, "339E74133576439CBCDF7E0229DA3773");
	assert_string_equal(kernel->pdb, "ntkrnlmp.pdb");
	assert_int_equal(kernel->rva[INV_S_PsActiveProcessHead], 0x21b940);
	assert_int_equal(kernel->rva[INV_S_ObHeaderCookie], INV_NO_RVA);
	assert_int_equal(kernel->layout->size[INV_T_EPROCESS], 0x4f8);
	assert_int_equal(kernel->layout->place[INV_F_EPROCESS_MmProcessLinks].offset, 0x428);
	assert_int_equal(kernel->layout->place[INV_F_EPROCESS_ImageFilePointer].offset, INV_NO_OFFSET);
	const struct inv_place *inserted = &kernel->layout->place[INV_F_EPROCESS_ProcessInserted];
	assert_int_equal(inserted->offset, 0x440);
	assert_int_equal(inserted->bit, 26);
	assert_int_equal(inserted->bits, 1);
	assert_int_equal(inserted->width, 4);
	const struct inv_place *frame = &kernel->layout->place[INV_F_MMPFN_PteFrame];
	assert_int_equal(frame->offset, 0x28);
	assert_int_equal(frame->bits, 52);
	assert_int_equal(frame->width, 8);
}

static void layouts_are_sane(void **state)
{
	(void)state;
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		for (unsigned f = 0; f < INV_FIELD_COUNT; f++) {
			const struct inv_field_info *info = inv_field_info((enum inv_field)f);
			const struct inv_place *place = &layout->place[f];
			// Before Vista a thread named its process elsewhere (ETHREAD.ThreadsProcess).
			if (info->needed && place->offset == INV_NO_OFFSET && layout->build >= 6000)
				fail_msg("%s lacks %s", layout->id, inv_field_full_name((enum inv_field)f));
			if (place->offset == INV_NO_OFFSET)
				continue;
			uint32_t size = layout->size[info->type];
			if (size && place->offset >= size && info->kind != INV_STRUCT)
				fail_msg("%s: %s is outside its type", layout->id, inv_field_full_name((enum inv_field)f));
			assert_int_equal(place->bits != 0, place->width != 0);
			assert_true(place->bit + place->bits <= place->width * 8);
			// KernelStackResident and PageFileNumber were whole integers before Windows Vista.
			if (info->kind == INV_BITS && !place->bits && layout->build >= 6000)
				fail_msg("%s: %s has no bits", layout->id, inv_field_full_name((enum inv_field)f));
		}
	}
}

static void builds_are_found(void **state)
{
	(void)state;
	const struct inv_build_row *row;
	// The first two of the source's list.
	assert_int_equal(inv_facts_builds(INV_ARCH_X64, 0x54be00cf, 0x80b000, &row), 1);
	assert_int_equal(row->version.build, 9926);
	assert_int_equal(row->version.revision, 0);
	assert_int_equal(row->object_table, 0x418);
	assert_int_equal(row->section_object, 0x3b8);
	assert_int_equal(inv_facts_builds(INV_ARCH_X64, 0x553ad80a, 0x842000, &row), 1);
	assert_int_equal(row->version.build, 10074);
	// Right stamp, wrong size or architecture; no such stamp.
	assert_int_equal(inv_facts_builds(INV_ARCH_X64, 0x54be00cf, 0x80c000, &row), 0);
	assert_null(row);
	assert_int_equal(inv_facts_builds(INV_ARCH_ARM64, 0x54be00cf, 0x80b000, &row), 0);
	assert_int_equal(inv_facts_builds(INV_ARCH_X64, 0, 0, &row), 0);
	assert_int_equal(inv_facts_builds(INV_ARCH_ARM64, UINT32_MAX, UINT32_MAX, &row), 0);
}

static void candidates_of(uint16_t build, uint16_t revision, const struct inv_layout **first, size_t max)
{
	assert_int_equal(inv_facts_candidates(INV_ARCH_X64, build, revision, first, max), max);
}

static void nearest_revision_comes_first(void **state)
{
	(void)state;
	const struct inv_layout *out[4];
	candidates_of(19041, 2000, out, 1);
	assert_string_equal(out[0]->id, "19041.1826");
	candidates_of(19041, 100, out, 2);
	assert_string_equal(out[0]->id, "19041.0");
	assert_string_equal(out[1]->id, "19041.508");
	candidates_of(17763, 2200, out, 2);
	assert_string_equal(out[0]->id, "17763.2114");
	assert_string_equal(out[1]->id, "17763.2686");
}

static void editions_share_a_kernel(void **state)
{
	(void)state;
	const struct inv_layout *out[1];
	candidates_of(19045, 2000, out, 1);
	assert_int_equal(out[0]->build, 19041);
	candidates_of(18363, 400, out, 1);
	assert_int_equal(out[0]->build, 18362);
	candidates_of(22631, 2428, out, 1);
	assert_int_equal(out[0]->build, 22621);
}

// Early revisions of 8.1 have an EPROCESS of 0x6f0, which no full table has.
static void old_8_1_is_among_the_candidates(void **state)
{
	(void)state;
	const struct inv_layout *out[64];
	size_t count = inv_facts_candidates(INV_ARCH_X64, 9600, 18340, out, LENGTH(out));
	size_t of_build = 0;
	size_t found = count;
	for (size_t i = 0; i < count; i++) {
		of_build += out[i]->build == 9600;
		if (out[i]->build == 9600 && out[i]->size[INV_T_EPROCESS] == 0x6f0)
			found = i;
	}
	assert_int_equal(of_build, 5);
	assert_true(found < of_build);
	assert_true(out[found]->partial);
	for (size_t i = 0; i < found; i++)
		assert_false(out[i]->partial);
}

// What the table of builds knows of a build decides between its neighbours.
static void neighbours_agree_with_the_builds_table(void **state)
{
	(void)state;
	const struct inv_layout *out[2];
	candidates_of(26200, 1, out, 1);
	assert_int_equal(out[0]->build, 26100);
	assert_int_equal(out[0]->place[INV_F_EPROCESS_ObjectTable].offset, 0x300);
	// 25398 is nearer to 26100 than to 22621, but its EPROCESS is the older one.
	candidates_of(25398, 1, out, 1);
	assert_int_equal(out[0]->build, 22621);
}

static void candidates_are_bounded(void **state)
{
	(void)state;
	const struct inv_layout *out[128];
	size_t x64 = inv_facts_candidates(INV_ARCH_X64, 0, 0, out, LENGTH(out));
	size_t x86 = inv_facts_candidates(INV_ARCH_X86, UINT16_MAX, UINT16_MAX, out, LENGTH(out));
	assert_int_equal(x64 + x86, inv_facts_layout_count());
	for (size_t i = 0; i < x86; i++)
		assert_int_equal(out[i]->arch, INV_ARCH_X86);
	assert_int_equal(inv_facts_candidates(INV_ARCH_ARM64, 22000, 1, out, LENGTH(out)), 0);
	assert_int_equal(inv_facts_candidates(INV_ARCH_X64, 19041, 1, out, 0), 0);
}

struct seen {
	unsigned count;
	uint32_t last_offset;
	bool ordered;
	bool has_pid;
};

static void see(void *context, const struct inv_member *member)
{
	struct seen *seen = context;
	seen->ordered = seen->ordered && member->offset >= seen->last_offset;
	seen->last_offset = member->offset;
	seen->count++;
	if (strcmp(member->name, "UniqueProcessId") == 0)
		seen->has_pid = member->offset == 0x440 && member->size == 8 && strcmp(member->type, "pointer") == 0;
}

static void members_of_a_layout(void **state)
{
	(void)state;
	const struct inv_layout *layout = find_layout("19041.508");
	struct seen seen = {.ordered = true};
	uint32_t size = 0;
	assert_true(inv_layout_members(layout, "_EPROCESS", &size, see, &seen));
	assert_int_equal(size, 0xa40);
	assert_true(seen.ordered);
	assert_true(seen.has_pid);
	assert_true(seen.count > 50);
	// By the name in symbol files, and by ours.
	assert_true(inv_layout_members(layout, "_KLDR_DATA_TABLE_ENTRY", &size, see, &seen));
	assert_true(inv_layout_members(layout, "_LDR_DATA_TABLE_ENTRY", &size, see, &seen));
	assert_false(inv_layout_members(layout, "_LDR_DATA_TABLE", &size, see, &seen));
	assert_false(inv_layout_members(layout, "", &size, see, &seen));
	assert_false(inv_layout_members(layout, "_NO_SUCH_TYPE", &size, see, &seen));
	// A type that the supplement does not list.
	assert_false(inv_layout_members(find_layout("26100.0-supplement"), "_MMPFN", &size, see, &seen));
}

static void what_is_known_of_builds(void **state)
{
	(void)state;
	for (enum inv_known what = 0; what < INV_KNOWN_COUNT; what++) {
		assert_false(inv_facts_known(0, what));
		assert_true(inv_facts_known(7601, what));
		assert_false(inv_facts_known(UINT16_MAX, what));
	}
	assert_false(inv_facts_known(9600, INV_CSRSS_SETS_PORT));
	assert_true(inv_facts_known(19041, INV_CSRSS_SETS_PORT));
	assert_true(inv_facts_known(19045, INV_CSRSS_SETS_PORT));
	assert_false(inv_facts_known(20348, INV_CSRSS_SETS_PORT));
	assert_true(inv_facts_known(9600, INV_W32_DXPROCESS_PLACE));
	assert_false(inv_facts_known(10240, INV_W32_DXPROCESS_PLACE));
	assert_true(inv_facts_known(17134, INV_W32_PID_PLACE));
	assert_false(inv_facts_known(17763, INV_W32_PID_PLACE));
	assert_true(inv_facts_known(26100, INV_PRIVILEGES_DEFINED));
	assert_true(inv_facts_known(14393, INV_TEB_HAS_THREADINFO));
	assert_false(inv_facts_known(15063, INV_TEB_HAS_THREADINFO));
	// A layout from a symbol table says itself whether there are lists of free blocks.
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		if (layout->arch == INV_ARCH_X64 && layout->size[INV_T_POOL_DESCRIPTOR])
			assert_int_equal(layout->place[INV_F_POOL_DESCRIPTOR_ListHeads].offset != INV_NO_OFFSET,
			                 inv_facts_known(layout->build, INV_POOL_HEADERS_TELL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(every_kernel_is_found),
	    cmocka_unit_test(unknown_kernels_are_not_found),
	    cmocka_unit_test(known_values),
	    cmocka_unit_test(layouts_are_sane),
	    cmocka_unit_test(builds_are_found),
	    cmocka_unit_test(nearest_revision_comes_first),
	    cmocka_unit_test(editions_share_a_kernel),
	    cmocka_unit_test(old_8_1_is_among_the_candidates),
	    cmocka_unit_test(neighbours_agree_with_the_builds_table),
	    cmocka_unit_test(candidates_are_bounded),
	    cmocka_unit_test(members_of_a_layout),
	    cmocka_unit_test(what_is_known_of_builds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
