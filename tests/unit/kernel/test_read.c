// SPDX-License-Identifier: Apache-2.0
// Reading by a layout: each kind of field, and each reason why there is no value.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "kernel/kernel.h"

#define AT 0xffff800011110000ull

struct world {
	uint8_t bytes[0x2000];
	struct inv_layout layout;
	struct inv_kernel kernel;
};

static void place(struct world *world, enum inv_field field, uint16_t offset)
{
	world->layout.place[field] = (struct inv_place){.offset = offset};
}

static int setup(void **state)
{
	struct world *world = inv_alloc(sizeof(*world));
	for (size_t i = 0; i < sizeof(world->bytes); i++)
		world->bytes[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < INV_FIELD_COUNT; i++)
		world->layout.place[i].offset = INV_NO_OFFSET;
	world->layout.arch = INV_ARCH_X64;
	world->kernel.arena = inv_arena_new();
	world->kernel.space = inv_space_new_fragments();
	world->kernel.layout = &world->layout;
	world->kernel.arch = INV_ARCH_X64;
	inv_space_add_fragment(world->kernel.space, AT, world->bytes, sizeof(world->bytes));
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	inv_space_free(world->kernel.space);
	inv_arena_free(world->kernel.arena);
	free(world);
	return 0;
}

static void kinds(void **state)
{
	struct world *world = *state;
	place(world, INV_F_EPROCESS_Protection, 0x10);         // u8
	place(world, INV_F_EPROCESS_ExitStatus, 0x10);         // u32
	place(world, INV_F_EPROCESS_CreateTime, 0x10);         // u64
	place(world, INV_F_EPROCESS_ActiveProcessLinks, 0x18); // list
	place(world, INV_F_EPROCESS_Token, 0x18);              // fast reference
	place(world, INV_F_EPROCESS_ImageFileName, 0x20);      // structure
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Protection).u, 0x90);
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_ExitStatus).u, 0x93929190);
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_CreateTime).u, 0x9796959493929190ull);
	struct inv_value links = inv_field(&world->kernel, AT, INV_F_EPROCESS_ActiveProcessLinks);
	assert_int_equal(links.u, 0x9f9e9d9c9b9a9998ull);
	assert_int_equal(links.address, AT + 0x18);
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Token).u, 0x9f9e9d9c9b9a9990ull);
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_ImageFileName).u, AT + 0x20);
	assert_int_equal(inv_read_u32(&world->kernel, AT + 1).u, 0x84838281);
	assert_int_equal(inv_read_u64(&world->kernel, AT).u, 0x8786858483828180ull);
}

static void bits(void **state)
{
	struct world *world = *state;
	world->layout.place[INV_F_EPROCESS_Minimal] = (struct inv_place){.offset = 0x10, .bit = 4, .bits = 5, .width = 4};
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Minimal).u, (0x93929190u >> 4) & 0x1f);
	world->layout.place[INV_F_EPROCESS_Minimal] = (struct inv_place){.offset = 0x10, .bit = 0, .bits = 64, .width = 8};
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Minimal).u, 0x9796959493929190ull);
	world->layout.place[INV_F_EPROCESS_Minimal] = (struct inv_place){.offset = 0x10, .bit = 77, .bits = 2, .width = 8};
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Minimal).u, 0);
	world->layout.place[INV_F_EPROCESS_Minimal] = (struct inv_place){.offset = 0x10, .bit = 0, .bits = 2, .width = 200};
	assert_false(inv_field(&world->kernel, AT, INV_F_EPROCESS_Minimal).ok);
}

static void reasons(void **state)
{
	struct world *world = *state;
	struct inv_value value = inv_field(&world->kernel, AT, INV_F_EPROCESS_Peb);
	assert_false(value.ok);
	assert_int_equal(value.why.reason, INV_NO_FIELD);
	assert_string_equal(value.why.name, "_EPROCESS.Peb");
	place(world, INV_F_EPROCESS_Peb, 0x10);
	assert_true(inv_field(&world->kernel, AT, INV_F_EPROCESS_Peb).ok);
	value = inv_field(&world->kernel, 0, INV_F_EPROCESS_Peb);
	assert_int_equal(value.why.reason, INV_NO_POINTER);
	value = inv_field(&world->kernel, AT + 0x1ff0, INV_F_EPROCESS_Peb);
	assert_int_equal(value.why.reason, INV_NOT_CAPTURED);
	assert_int_equal(value.address, AT + 0x2000);
	assert_false(inv_field(&world->kernel, UINT64_MAX - 4, INV_F_EPROCESS_Peb).ok);
	uint64_t where;
	assert_false(inv_field_address(&world->kernel, UINT64_MAX - 4, INV_F_EPROCESS_Peb, &where));
	world->kernel.layout = NULL;
	assert_int_equal(inv_field(&world->kernel, AT, INV_F_EPROCESS_Peb).why.reason, INV_NO_FIELD);
}

static void unicode(void **state)
{
	struct world *world = *state;
	struct inv_value value;
	uint8_t *string = world->bytes + 0x100;
	inv_put16(string, 6);
	inv_put16(string + 2, 8);
	inv_put64(string + 8, AT + 0x200);
	memcpy(world->bytes + 0x200, "a\0b\0c\0", 6);
	assert_string_equal(inv_read_unicode(&world->kernel, AT + 0x100, world->kernel.arena, &value), "abc");
	assert_true(value.ok);
	assert_int_equal(value.u, 6);
	// What lies behind the captured memory is missing, and the rest is still shown.
	inv_put64(string + 8, AT + 0x1ffc);
	memcpy(world->bytes + 0x1ffc, "x\0y\0", 4);
	assert_string_equal(inv_read_unicode(&world->kernel, AT + 0x100, world->kernel.arena, &value), "xy");
	assert_false(value.ok);
	assert_int_equal(value.why.reason, INV_NOT_CAPTURED);
	inv_put64(string + 8, 0);
	assert_string_equal(inv_read_unicode(&world->kernel, AT + 0x100, world->kernel.arena, &value), "");
	assert_int_equal(value.why.reason, INV_NO_POINTER);
	inv_put16(string, 0);
	assert_string_equal(inv_read_unicode(&world->kernel, AT + 0x100, world->kernel.arena, &value), "");
	assert_true(value.ok);
	assert_string_equal(inv_read_unicode(&world->kernel, 0, world->kernel.arena, NULL), "");
	// The longest string that a UNICODE_STRING can claim, over two pages of memory.
	inv_put16(string, 0xffff);
	inv_put64(string + 8, AT);
	assert_non_null(inv_read_unicode(&world->kernel, AT + 0x100, world->kernel.arena, &value));
	assert_false(value.ok);
}

static void modules(void **state)
{
	struct world *world = *state;
	const struct inv_module list[] = {{.base = AT, .size = 0x1000}, {.base = UINT64_MAX - 0xfff, .size = UINT64_MAX}};
	world->kernel.modules = list;
	world->kernel.module_count = 2;
	assert_ptr_equal(inv_kernel_module_at(&world->kernel, AT + 0xfff), &list[0]);
	assert_null(inv_kernel_module_at(&world->kernel, AT + 0x1000));
	assert_ptr_equal(inv_kernel_module_at(&world->kernel, UINT64_MAX), &list[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(kinds, setup, teardown),
	    cmocka_unit_test_setup_teardown(bits, setup, teardown),
	    cmocka_unit_test_setup_teardown(reasons, setup, teardown),
	    cmocka_unit_test_setup_teardown(unicode, setup, teardown),
	    cmocka_unit_test_setup_teardown(modules, setup, teardown),
	};
	return cmocka_run_group_tests_name("kernel read", tests, NULL, NULL);
}
