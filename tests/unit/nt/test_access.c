// SPDX-License-Identifier: Apache-2.0
// Rights in words, generic mappings, what types allow, and what handle tables count.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "nt/access.h"
#include "nt/handle_table.h"
#include "nt/object.h"

#define ARENA 0xffff8a0000000000ull
#define PAGE 0x1000u

struct world {
	uint8_t bytes[2 * PAGE];
	struct inv_kernel kernel;
};

static struct world *new_world(unsigned build)
{
	struct world *world = inv_alloc(sizeof *world);
	for (size_t i = 0; i < inv_facts_layout_count() && !world->kernel.layout; i++) {
		const struct inv_layout *layout = inv_facts_layout(i);
		if (layout->arch == INV_ARCH_X64 && layout->build == build && !layout->partial)
			world->kernel.layout = layout;
	}
	assert_non_null(world->kernel.layout);
	world->kernel.space = inv_space_new_fragments();
	inv_space_add_fragment(world->kernel.space, ARENA, world->bytes, sizeof world->bytes);
	return world;
}

static void free_world(struct world *world)
{
	inv_space_free(world->kernel.space);
	free(world);
}

static unsigned offset_of(const struct world *world, enum inv_field field)
{
	return world->kernel.layout->place[field].offset;
}

// Headers stand before the object's: that of the creator next to it, that of the name beyond.
static void test_names(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	struct inv_arena *arena = inv_arena_new();
	struct inv_value length;
	uint64_t header = ARENA + 0x100;
	uint8_t *mask = world->bytes + 0x100 + offset_of(world, INV_F_OBJECT_HEADER_InfoMask);
	uint8_t *name = world->bytes + 0x100 - 0x20 + offset_of(world, INV_F_OBJECT_HEADER_NAME_INFO_Name);
	memcpy(world->bytes + 0x800, "J\0o\0b", 6);
	inv_put16(name, 6);
	inv_put16(name + 2, 6);
	inv_put64(name + 8, ARENA + 0x800);
	assert_string_equal(inv_object_name(&world->kernel, header, arena, &length), "");
	assert_true(length.ok && length.u == 0); // the mask says that there is none
	*mask = 0x02;
	assert_string_equal(inv_object_name(&world->kernel, header, arena, &length), "Job");
	assert_true(length.ok && length.u == 6);
	*mask = 0x0b; // with a creator between them, and a quota beyond
	memmove(name - 0x20, name, 16);
	memset(name, 0, 16);
	assert_string_equal(inv_object_name(&world->kernel, header, arena, &length), "Job");
	inv_put64(name - 0x20 + 8, ARENA + 8ull * PAGE);
	assert_string_equal(inv_object_name(&world->kernel, header, arena, &length), "");
	assert_false(length.ok);
	assert_string_equal(inv_object_name(&world->kernel, ARENA + 8ull * PAGE, arena, &length), "");
	assert_false(length.ok);
	inv_arena_free(arena);
	free_world(world);
}

static void test_words(void **state)
{
	(void)state;
	struct inv_arena *arena = inv_arena_new();
	assert_int_equal(inv_access_kind("Process"), INV_ACCESS_PROCESS);
	assert_int_equal(inv_access_kind("process"), INV_ACCESS_OTHER);
	assert_int_equal(inv_access_kind(""), INV_ACCESS_OTHER);
	// The figures of winnt.h: PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, TOKEN_ALL_ACCESS, KEY_ALL_ACCESS, FILE_ALL_ACCESS.
	assert_string_equal(inv_access_text(INV_ACCESS_PROCESS, 0x1fffff, arena), "all");
	assert_string_equal(inv_access_text(INV_ACCESS_THREAD, 0x1fffff, arena), "all");
	assert_string_equal(inv_access_text(INV_ACCESS_TOKEN, 0xf01ff, arena), "all");
	assert_string_equal(inv_access_text(INV_ACCESS_KEY, 0xf003f, arena), "all");
	assert_string_equal(inv_access_text(INV_ACCESS_FILE, 0x1f01ff, arena), "all");
	assert_string_equal(inv_access_text(INV_ACCESS_PROCESS, 0x100430, arena),
	                    "VM_READ, VM_WRITE, QUERY_INFORMATION, SYNCHRONIZE");
	assert_string_equal(inv_access_text(INV_ACCESS_FILE, 0x120089, arena),
	                    "READ_DATA, READ_EA, READ_ATTRIBUTES, READ_CONTROL, SYNCHRONIZE");
	assert_string_equal(inv_access_text(INV_ACCESS_MUTANT, 0x1008003, arena),
	                    "QUERY_STATE, ACCESS_SYSTEM_SECURITY, 0x8002");
	assert_string_equal(inv_access_text(INV_ACCESS_OTHER, 0x80000001, arena), "GENERIC_READ, 0x1");
	assert_string_equal(inv_access_text(INV_ACCESS_EVENT, 0, arena), "");
	for (unsigned kind = 0; kind < INV_ACCESS_KINDS; kind++)
		assert_true(strlen(inv_access_text((enum inv_access_kind)kind, 0xfffff7fe, arena)) < 500);
	inv_arena_free(arena);
}

static void test_mapping(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	uint8_t *at = world->bytes + offset_of(world, INV_F_OBJECT_TYPE_GenericMapping);
	inv_put32(at, 0x20410);
	inv_put32(at + 4, 0x20bea);
	inv_put32(at + 8, 0x121001);
	inv_put32(at + 12, 0x1fffff);
	struct inv_generic_mapping mapping;
	assert_true(inv_generic_mapping_read(&world->kernel, ARENA, &mapping));
	assert_int_equal(inv_access_map(&mapping, 0x80000000), 0x20410);
	assert_int_equal(inv_access_map(&mapping, 0x60000800), 0x20bea | 0x121001 | 0x800);
	assert_int_equal(inv_access_map(&mapping, 0x10000000), 0x1fffff);
	assert_int_equal(inv_access_map(&mapping, 0x1410), 0x1410);
	assert_false(inv_generic_mapping_read(&world->kernel, ARENA + 2ull * PAGE, &mapping));
	free_world(world);
}

static void test_types(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	uint64_t seven = ARENA + 0x800, nine = ARENA + 0xa00;
	inv_put64(world->bytes + 8, 0xbad0b0b0);
	inv_put64(world->bytes + 0x38, seven);
	inv_put64(world->bytes + 0x40, ARENA + 4ull * PAGE); // not there
	inv_put64(world->bytes + 0x48, nine);
	world->bytes[0x800 + offset_of(world, INV_F_OBJECT_TYPE_Index)] = 7;
	inv_put32(world->bytes + 0x800 + offset_of(world, INV_F_OBJECT_TYPE_ValidAccessMask), 0x1fffff);
	world->bytes[0xa00 + offset_of(world, INV_F_OBJECT_TYPE_Index)] = 7; // it stands under another
	struct inv_object_types types = {.table = ARENA};
	struct inv_type_rights rights[INV_TYPE_INDICES];
	inv_object_rights_read(&world->kernel, &types, rights);
	assert_int_equal(rights[1].state, INV_TYPE_NONE);
	assert_int_equal(rights[6].state, INV_TYPE_NONE);
	assert_int_equal(rights[7].state, INV_TYPE_KNOWN);
	assert_int_equal(rights[7].valid, 0x1fffff);
	assert_int_equal(rights[8].state, INV_TYPE_UNREAD);
	assert_int_equal(rights[9].state, INV_TYPE_NONE);
	free_world(world);
}

// A table whose block has room for so many lists of free entries, of which these are counted.
static void put_lists(struct world *world, uint64_t table, unsigned room, const uint32_t *counts, unsigned count)
{
	unsigned lists = offset_of(world, INV_F_HANDLE_TABLE_FreeLists);
	unsigned size = world->kernel.layout->size[INV_T_HANDLE_TABLE_FREE_LIST];
	uint8_t *at = world->bytes + (table - ARENA);
	at[-14] = (uint8_t)((0x10 + lists + room * size + 15) / 16); // _POOL_HEADER.BlockSize
	inv_put32(at - 12, 0x6274624f);                              // "Obtb"
	for (unsigned i = 0; i < count; i++)
		inv_put32(at + lists + (size_t)i * size + offset_of(world, INV_F_HANDLE_TABLE_FREE_LIST_HandleCount),
		          counts[i]);
}

static void test_counts(void **state)
{
	(void)state;
	struct world *world = new_world(19041);
	static const uint32_t counts[] = {70, 40, (uint32_t)-10};
	struct inv_handle_counts read;
	put_lists(world, ARENA + 0x100, 1, counts, 1);
	inv_handle_counts_read(&world->kernel, ARENA + 0x100, &read);
	assert_true(read.first.ok && read.first.u == 70);
	assert_int_equal(read.lists, 1);
	put_lists(world, ARENA + 0x400, 3, counts, 3);
	inv_handle_counts_read(&world->kernel, ARENA + 0x400, &read);
	assert_int_equal(read.lists, 3);
	assert_int_equal(read.sums, 3);
	assert_int_equal(read.sum[1], 110);
	assert_int_equal(read.sum[2], 100);                           // what one list gave another may take back
	inv_handle_counts_read(&world->kernel, ARENA + 0x900, &read); // no header of pool
	assert_int_equal(read.lists, 0);
	inv_handle_counts_read(&world->kernel, ARENA + 4ull * PAGE, &read);
	assert_false(read.first.ok);
	free_world(world);
	world = new_world(7601);
	inv_put32(world->bytes + offset_of(world, INV_F_HANDLE_TABLE_HandleCount), 5);
	inv_handle_counts_read(&world->kernel, ARENA, &read);
	assert_true(read.first.ok && read.first.u == 5 && read.lists == 1);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words), cmocka_unit_test(test_names),  cmocka_unit_test(test_mapping),
	    cmocka_unit_test(test_types), cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
