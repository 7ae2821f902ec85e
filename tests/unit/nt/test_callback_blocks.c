// SPDX-License-Identifier: Apache-2.0
// Blocks of registrations made by hand: what makes one, what leads to it, and what tells an orderly end.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/callback_blocks.h"
#include "nt/observers.h"

#define KERNEL 0xfffff80000000000ull
#define SIZE 0x10000u
#define ARRAY(n) (KERNEL + 0x1000 + 0x200ull * (n))
#define COUNT(n) (KERNEL + 0x1800 + 0x10ull * (n))
#define REGISTRY (KERNEL + 0x1900)
#define SHUTDOWN (KERNEL + 0x1910)
#define PRINTS (KERNEL + 0x1920)
#define CLASSES (KERNEL + 0x1a00)
#define OTHER (KERNEL + 0x1f00) // a slot of the kernel's
#define DRIVER (KERNEL + 0x4000)
#define CODE(n) (DRIVER + 0x1000 + 0x20ull * (n))
#define POOL(n) (KERNEL + 0x8000 + 0x80ull * (n)) // pool headers
#define BODY(n) (POOL(n) + 0x10)
#define DEVICE (KERNEL + 0xa000)
#define DRIVER_OBJECT (KERNEL + 0xa400)
#define NODE (KERNEL + 0xb000)
#define OLD_BUILD 17763u // whose pool headers tell what is in use
#define NEW_BUILD 19041u

struct world {
	uint8_t bytes[SIZE];
	uint32_t rva[INV_SYMBOL_COUNT];
	struct inv_module modules[2];
	struct inv_kernel kernel;
	struct inv_arena *arena;
	struct inv_callbacks callbacks;
	struct inv_callback_place *places; // stb_ds
	struct inv_callback_blocks blocks;
};

static const struct inv_layout *some_layout(void)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *known = inv_facts_layout(i);
		if (known->arch == INV_ARCH_X64 && !known->partial &&
		    known->place[INV_F_DEVICE_OBJECT_Type].offset != INV_NO_OFFSET)
			return known;
	}
	fail_msg("no layout knows devices");
	return NULL;
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - KERNEL), value);
}

static void put32(struct world *world, uint64_t address, uint32_t value)
{
	inv_put32(world->bytes + (address - KERNEL), value);
}

static void put_field(struct world *world, uint64_t object, enum inv_field field, uint64_t value)
{
	uint64_t where;
	assert_true(inv_field_address(&world->kernel, object, field, &where));
	if (value < 0x10000)
		inv_put16(world->bytes + (where - KERNEL), (uint16_t)value);
	else
		put(world, where, value);
}

// A PE file with one section, at 0x1000.
static void put_image(struct world *world, uint64_t base, uint32_t size, uint32_t characteristics)
{
	uint8_t *at = world->bytes + (base - KERNEL), *header = at + 0x80, *section = header + 24 + 0xf0;
	at[0] = 'M';
	at[1] = 'Z';
	inv_put32(at + 0x3c, 0x80);
	inv_put32(header, 0x00004550);
	inv_put16(header + 4, 0x8664);
	inv_put16(header + 6, 1);
	inv_put16(header + 20, 0xf0);
	inv_put16(header + 24, 0x20b);
	inv_put32(header + 24 + 32, 0x1000);
	inv_put32(header + 24 + 36, 0x200);
	inv_put32(header + 24 + 56, size);
	inv_put32(header + 24 + 60, 0x400);
	inv_put32(header + 24 + 108, 16);
	inv_put32(section + 8, 0x1000);
	inv_put32(section + 12, 0x1000);
	inv_put32(section + 16, 0x1000);
	inv_put32(section + 36, characteristics);
}

static void empty(struct world *world, uint64_t head)
{
	put(world, head, head);
	put(world, head + 8, head);
}

static void link_to(struct world *world, uint64_t head, uint64_t entry)
{
	put(world, head, entry);
	put(world, head + 8, entry);
	put(world, entry, head);
	put(world, entry + 8, head);
}

static struct world *new_world(uint16_t build)
{
	static const struct {
		enum inv_symbol symbol;
		uint64_t address;
	} symbols[] = {
	    {INV_S_PspCreateProcessNotifyRoutine, ARRAY(0)},
	    {INV_S_PspCreateThreadNotifyRoutine, ARRAY(1)},
	    {INV_S_PspLoadImageNotifyRoutine, ARRAY(2)},
	    {INV_S_CallbackListHead, REGISTRY},
	    {INV_S_CmpCallBackCount, COUNT(0)},
	    {INV_S_IopNotifyShutdownQueueHead, SHUTDOWN},
	    {INV_S_RtlpDebugPrintCallbackList, PRINTS},
	    {INV_S_PnpDeviceClassNotifyList, CLASSES},
	};
	struct world *world = inv_alloc(sizeof *world);
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		world->rva[i] = INV_NO_RVA;
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
		world->rva[symbols[i].symbol] = (uint32_t)(symbols[i].address - KERNEL);
	world->modules[0] = (struct inv_module){.base = KERNEL, .size = 0x2000, .name = "ntoskrnl.exe"};
	world->modules[1] = (struct inv_module){.base = DRIVER, .size = 0x3000, .name = "driver.sys"};
	world->kernel = (struct inv_kernel){.layout = some_layout(),
	                                    .space = inv_space_new_fragments(),
	                                    .base = KERNEL,
	                                    .version = {.build = build},
	                                    .rva = world->rva,
	                                    .modules = world->modules,
	                                    .module_count = 2};
	world->arena = inv_arena_new();
	inv_space_add_fragment(world->kernel.space, KERNEL, world->bytes, sizeof world->bytes);
	put_image(world, KERNEL, 0x2000, 0xc0000040); // data
	put_image(world, DRIVER, 0x3000, 0x60000020); // code
	empty(world, REGISTRY);
	empty(world, SHUTDOWN);
	empty(world, PRINTS);
	for (unsigned i = 0; i < 13; i++)
		empty(world, CLASSES + 0x10ull * i);
	memset(world->bytes + (CODE(0) - KERNEL), 0x48, 0x400);
	return world;
}

static void free_world(struct world *world)
{
	inv_callback_blocks_free(&world->blocks);
	inv_callbacks_free(&world->callbacks);
	inv_array_free(world->places);
	inv_space_free(world->kernel.space);
	inv_arena_free(world->arena);
	free(world);
}

static void put_header(struct world *world, unsigned n, const char *tag, uint32_t size)
{
	uint8_t *at = world->bytes + (POOL(n) - KERNEL);
	at[2] = (uint8_t)((size + 0x10 + 15) / 16);
	at[3] = 2;
	memcpy(at + 4, tag, 4);
	inv_push(world->places, ((struct inv_callback_place){POOL(n) - KERNEL, POOL(n), inv_le32(tag)}));
}

static void put_routine(struct world *world, unsigned n, uint64_t rundown, uint64_t routine)
{
	put_header(world, n, "Cbrb", 0x18);
	put(world, BODY(n), rundown);
	put(world, BODY(n) + 8, routine);
}

static void read_world(struct world *world)
{
	inv_callback_blocks_free(&world->blocks);
	inv_callbacks_free(&world->callbacks);
	inv_callbacks_read(&world->kernel, world->arena, &world->callbacks);
	inv_observers_read(&world->kernel, &world->callbacks);
	inv_callback_blocks_read(&world->kernel, &world->callbacks, world->places, inv_count(world->places),
	                         &world->blocks);
}

static const struct inv_callback_block *found(const struct world *world, unsigned n)
{
	for (size_t i = 0; i < inv_count(world->blocks.blocks); i++)
		if (world->blocks.blocks[i].physical == POOL(n) - KERNEL)
			return &world->blocks.blocks[i];
	return NULL;
}

static void test_slots(void **state)
{
	(void)state;
	struct world *world = new_world(OLD_BUILD);
	put_routine(world, 0, 0x20, CODE(0));
	put(world, ARRAY(2) + 0x18, BODY(0) | 0xf);
	put_routine(world, 1, 0x20, CODE(1)); // taken out
	put_routine(world, 2, 1, CODE(2));    // taken back in order, not freed yet
	put_routine(world, 3, 0x20, CODE(3)); // in a slot of another kind
	put(world, OTHER, BODY(3) | 7);
	put_routine(world, 4, BODY(1), CODE(4)); // a link of a list of free blocks
	world->bytes[POOL(4) + 3 - KERNEL] = 0;
	read_world(world);
	assert_int_equal(inv_count(world->blocks.blocks), 5);
	assert_int_equal(world->blocks.looked_at, 5);
	const struct inv_callback_block *listed = found(world, 0);
	assert_int_equal(listed->listed, INV_BLOCK_LISTED);
	assert_string_equal(inv_callback_block_kind(listed), "image");
	assert_int_equal(world->callbacks.callbacks[listed->registered].slot, 3);
	assert_ptr_equal(world->blocks.blocks, listed); // what is listed comes first
	assert_true(inv_callback_block_is_stray(found(world, 1)));
	assert_string_equal(inv_callback_block_kind(found(world, 1)), "routine");
	assert_int_equal(found(world, 1)->pool, INV_BLOCK_IN_USE);
	assert_ptr_equal(found(world, 1)->callback.module, &world->modules[1]);
	assert_true(found(world, 1)->held && !found(world, 2)->held && !found(world, 4)->held);
	assert_true(found(world, 2)->ended && !inv_callback_block_is_stray(found(world, 2)));
	assert_int_equal(found(world, 3)->listed, INV_BLOCK_IN_SLOT);
	assert_int_equal(found(world, 3)->slot, OTHER);
	assert_int_equal(found(world, 4)->pool, INV_BLOCK_FREE);
	assert_false(inv_callback_block_is_stray(found(world, 4)));
	world->kernel.version.build = NEW_BUILD;
	read_world(world);
	assert_int_equal(found(world, 1)->pool, INV_BLOCK_NOT_TOLD);
	assert_true(inv_callback_block_is_stray(found(world, 1)));
	put(world, ARRAY(0), KERNEL + SIZE); // an array that leads out of what is there, and is read nevertheless
	world->rva[INV_S_PspCreateThreadNotifyRoutine] = SIZE;
	read_world(world);
	assert_int_equal(found(world, 1)->listed, INV_BLOCK_LISTS_UNREAD);
	free_world(world);
}

// A tag does not make a registration.
static void test_refused(void **state)
{
	(void)state;
	struct world *world = new_world(OLD_BUILD);
	put_routine(world, 0, 0x12345678, CODE(0));  // no count of references
	put_routine(world, 1, 0x20, DRIVER + 0x200); // a module's header
	put_routine(world, 2, 0x20, 0x7ff612340000);
	put_routine(world, 3, 0x20, KERNEL + SIZE); // nothing there
	put_routine(world, 4, BODY(0), CODE(0));    // a link in a block that is in use
	put_routine(world, 5, 0x20, CODE(0));
	world->bytes[POOL(5) + 2 - KERNEL] = 2; // too small
	put_header(world, 6, "CMcb", 0x60);     // no links
	put(world, BODY(6) + 0x28, CODE(0));
	put_header(world, 7, "IoSh", 0x18);
	put(world, BODY(7), SHUTDOWN);
	put(world, BODY(7) + 8, SHUTDOWN);
	put(world, BODY(7) + 0x10, DEVICE); // of no type
	put_header(world, 8, "PnpD", 0x60);
	put(world, BODY(8), CLASSES);
	put(world, BODY(8) + 8, CLASSES);
	put32(world, BODY(8) + 0x10, 3); // the category of a target device
	put(world, BODY(8) + 0x20, CODE(0));
	put(world, BODY(8) + 0x30, DRIVER_OBJECT);
	put_header(world, 9, "ObFl", 0x60);
	put32(world, BODY(9), 0xffff0100); // more operations than the block has room for
	put_header(world, 10, "Nope", 0x60);
	inv_push(world->places, ((struct inv_callback_place){0x800000, 0, inv_callback_tags[0]}));
	inv_push(world->places, ((struct inv_callback_place){SIZE, KERNEL + SIZE, inv_callback_tags[0]}));
	read_world(world);
	assert_int_equal(inv_count(world->blocks.blocks), 0);
	assert_int_equal(world->blocks.looked_at, 12);
	assert_int_equal(world->blocks.refused, 12);
	free_world(world);
}

static void test_lists(void **state)
{
	(void)state;
	struct world *world = new_world(NEW_BUILD);
	put_header(world, 0, "CMcb", 0x60);
	put(world, BODY(0) + 0x28, CODE(0));
	link_to(world, REGISTRY, BODY(0));
	put_header(world, 1, "CMcb", 0x60); // unlinked
	put(world, BODY(1) + 0x28, CODE(1));
	put(world, BODY(1), BODY(0));
	put(world, BODY(1) + 8, REGISTRY);
	put_field(world, DEVICE, INV_F_DEVICE_OBJECT_Type, 3);
	put_field(world, DEVICE, INV_F_DEVICE_OBJECT_DriverObject, DRIVER_OBJECT);
	put_field(world, DRIVER_OBJECT, INV_F_DRIVER_OBJECT_Type, 4);
	uint64_t functions;
	assert_true(inv_field_address(&world->kernel, DRIVER_OBJECT, INV_F_DRIVER_OBJECT_MajorFunction, &functions));
	put(world, functions + 0x80, CODE(2));
	put_header(world, 2, "IoSh", 0x18);
	put(world, BODY(2) + 0x10, DEVICE);
	link_to(world, SHUTDOWN, BODY(2));
	put_header(world, 3, "DbCb", 0x28);
	put(world, BODY(3) + 0x10, CODE(3));
	link_to(world, PRINTS, BODY(3) + 0x18);
	put_header(world, 4, "PnpC", 0x70);
	put32(world, BODY(4) + 0x10, 3);
	put(world, BODY(4) + 0x20, CODE(4));
	put(world, BODY(4) + 0x30, DRIVER_OBJECT);
	link_to(world, NODE, BODY(4));
	put_header(world, 5, "PnpD", 0x60);
	put32(world, BODY(5) + 0x10, 2);
	put(world, BODY(5) + 0x20, CODE(5));
	put(world, BODY(5) + 0x30, DRIVER_OBJECT);
	put(world, BODY(5), CLASSES);
	put(world, BODY(5) + 8, CLASSES);
	read_world(world);
	assert_int_equal(inv_count(world->blocks.blocks), 6);
	assert_int_equal(found(world, 0)->listed, INV_BLOCK_LISTED);
	assert_int_equal(found(world, 1)->listed, INV_BLOCK_UNLISTED);
	assert_true(inv_callback_block_is_stray(found(world, 1)));
	assert_int_equal(found(world, 2)->listed, INV_BLOCK_LISTED);
	assert_int_equal(found(world, 2)->callback.routine.u, CODE(2));
	assert_int_equal(found(world, 3)->listed, INV_BLOCK_LISTED);
	assert_int_equal(found(world, 3)->callback.at, BODY(3) + 0x18);
	assert_int_equal(found(world, 4)->listed, INV_BLOCK_LINKED);
	assert_string_equal(inv_callback_block_kind(found(world, 4)), "target device");
	assert_true(inv_callback_block_is_stray(found(world, 5)));
	assert_string_equal(found(world, 5)->tag, "PnpD");
	put(world, CLASSES + 0x20,
	    KERNEL + SIZE); // one of the lists cannot be read to its end, but leads past it none the less
	read_world(world);
	assert_int_equal(found(world, 5)->listed, INV_BLOCK_UNLISTED);
	put(world, BODY(5) + 8, KERNEL + SIZE);
	read_world(world);
	assert_int_equal(found(world, 5)->listed, INV_BLOCK_LISTS_UNREAD);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
