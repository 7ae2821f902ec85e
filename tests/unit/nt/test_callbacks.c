// SPDX-License-Identifier: Apache-2.0
// Callbacks made by hand: arrays, lists, tables, what was unloaded, how code begins, and what is not there.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/observers.h"

#define KERNEL 0xfffff80000000000ull
#define SIZE 0x20000u
#define ARRAY(n) (KERNEL + 0x1000 + 0x200ull * (n))
#define COUNT(n) (KERNEL + 0x2000 + 0x10ull * (n))
#define MASK (KERNEL + 0x2100)
#define REGISTRY (KERNEL + 0x2200)
#define TYPES (KERNEL + 0x3000)
#define TYPE(n) (KERNEL + 0x4000 + 0x800ull * (n))
#define CI (KERNEL + 0x6000)
#define WIN32 (KERNEL + 0x6800)
#define PICO (KERNEL + 0x6900)
#define UNLOADED (KERNEL + 0x6a00)
#define BLOCK(n) (KERNEL + 0x8000 + 0x40ull * (n))
#define ENTRY(n) (KERNEL + 0x9000 + 0x40ull * (n))
#define TEXT (KERNEL + 0xa000)
#define DRIVER (KERNEL + 0x10000)
#define HEAD(n) (KERNEL + 0x7800 + 0x100ull * (n))
#define CODE(n) (DRIVER + 0x1000 + 0x20ull * (n))

struct world {
	uint8_t bytes[SIZE];
	uint32_t rva[INV_SYMBOL_COUNT];
	struct inv_module module;
	struct inv_kernel kernel;
	struct inv_arena *arena;
	struct inv_callbacks callbacks;
};

static size_t some_layout(void)
{
	for (size_t i = 0; i < inv_facts_layout_count(); i++) {
		const struct inv_layout *known = inv_facts_layout(i);
		if (known->arch == INV_ARCH_X64 && !known->partial &&
		    known->place[INV_F_OBJECT_TYPE_CallbackList].offset != INV_NO_OFFSET)
			return i;
	}
	fail_msg("no layout knows object types");
	return 0;
}

static void put(struct world *world, uint64_t address, uint64_t value)
{
	inv_put64(world->bytes + (address - KERNEL), value);
}

static void put32(struct world *world, uint64_t address, uint32_t value)
{
	inv_put32(world->bytes + (address - KERNEL), value);
}

static uint64_t place(const struct world *world, uint64_t object, enum inv_field field)
{
	uint64_t where;
	assert_true(inv_field_address(&world->kernel, object, field, &where));
	return where;
}

static void ring(struct world *world, uint64_t head, uint64_t first, uint64_t second)
{
	put(world, head, first);
	put(world, first, second);
	put(world, second, head);
	put(world, head + 8, second);
	put(world, first + 8, head);
	put(world, second + 8, first);
}

static void put_text(struct world *world, uint64_t at, const char *text)
{
	uint64_t where = TEXT + (at & 0xfff);
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		inv_put16(world->bytes + (where - KERNEL) + 2 * i, (uint8_t)text[i]);
	put32(world, at, (uint32_t)(length * 2 | length * 2 << 16));
	put(world, at + 8, where);
}

static struct world *new_world(void)
{
	static const struct {
		enum inv_symbol symbol;
		uint64_t address;
	} symbols[] = {
	    {INV_S_PspCreateProcessNotifyRoutine, ARRAY(0)},
	    {INV_S_PspCreateThreadNotifyRoutine, ARRAY(1)},
	    {INV_S_PspLoadImageNotifyRoutine, ARRAY(2)},
	    {INV_S_PspCreateProcessNotifyRoutineCount, COUNT(0)},
	    {INV_S_PspCreateProcessNotifyRoutineExCount, COUNT(1)},
	    {INV_S_PspCreateThreadNotifyRoutineCount, COUNT(2)},
	    {INV_S_PspLoadImageNotifyRoutineCount, COUNT(3)},
	    {INV_S_PspNotifyEnableMask, MASK},
	    {INV_S_CallbackListHead, REGISTRY},
	    {INV_S_CmpCallBackCount, COUNT(4)},
	    {INV_S_ObTypeIndexTable, TYPES},
	    {INV_S_SeCiCallbacks, CI},
	    {INV_S_PsWin32CallBack, WIN32},
	    {INV_S_PspPicoProviderRoutines, PICO},
	    {INV_S_MmUnloadedDrivers, COUNT(5)},
	    {INV_S_KeBugCheckCallbackListHead, HEAD(0)},
	    {INV_S_KeBugCheckReasonCallbackListHead, HEAD(1)},
	    {INV_S_IopNotifyShutdownQueueHead, HEAD(2)},
	    {INV_S_IopFsNotifyChangeQueueHead, HEAD(3)},
	    {INV_S_RtlpDebugPrintCallbackList, HEAD(4)},
	    {INV_S_PnpDeviceClassNotifyList, HEAD(5)},
	    {INV_S_PnpProfileNotifyList, HEAD(6)},
	};
	struct world *world = inv_alloc(sizeof *world);
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		world->rva[i] = INV_NO_RVA;
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
		world->rva[symbols[i].symbol] = (uint32_t)(symbols[i].address - KERNEL);
	world->module = (struct inv_module){.base = DRIVER, .size = 0x4000, .name = "driver.sys"};
	world->kernel = (struct inv_kernel){.layout = inv_facts_layout(some_layout()),
	                                    .space = inv_space_new_fragments(),
	                                    .base = KERNEL,
	                                    .rva = world->rva,
	                                    .modules = &world->module,
	                                    .module_count = 1};
	world->arena = inv_arena_new();
	inv_space_add_fragment(world->kernel.space, KERNEL, world->bytes, sizeof world->bytes);
	put(world, REGISTRY, REGISTRY);
	put(world, REGISTRY + 8, REGISTRY);
	memset(world->bytes + (CODE(0) - KERNEL), 0x48, 0x400); // a prefix: no return and no jump
	return world;
}

static void read_world(struct world *world)
{
	inv_callbacks_free(&world->callbacks);
	inv_callbacks_read(&world->kernel, world->arena, &world->callbacks);
}

static void free_world(struct world *world)
{
	inv_callbacks_free(&world->callbacks);
	inv_space_free(world->kernel.space);
	inv_arena_free(world->arena);
	free(world);
}

static void put_block(struct world *world, uint64_t slot, unsigned block, uint64_t routine, uint64_t context)
{
	put(world, slot, BLOCK(block) | 0xf);
	put(world, BLOCK(block) + 8, routine);
	put(world, BLOCK(block) + 16, context);
}

static const struct inv_callback *nth(const struct world *world, enum inv_callback_kind kind, size_t n)
{
	for (size_t i = 0; i < inv_count(world->callbacks.callbacks); i++)
		if (world->callbacks.callbacks[i].kind == kind && n-- == 0)
			return &world->callbacks.callbacks[i];
	return NULL;
}

static void test_arrays(void **state)
{
	(void)state;
	struct world *world = new_world();
	put_block(world, ARRAY(0), 0, CODE(0), 0);
	put_block(world, ARRAY(0) + 0x18, 1, CODE(1), 2);
	put_block(world, ARRAY(0) + 0x1f8, 2, KERNEL + 0x5000, 0);
	put(world, ARRAY(1) + 8, KERNEL + SIZE); // not captured
	put32(world, COUNT(0), 2);
	put32(world, COUNT(1), 1);
	put32(world, MASK, 6);
	read_world(world);
	const struct inv_callback_array *array = &world->callbacks.arrays[INV_CALLBACK_PROCESS];
	assert_int_equal(array->read, 64);
	assert_int_equal(array->used, 3);
	assert_int_equal(array->gaps, 61);
	assert_int_equal(array->counts[0].u + array->counts[1].u, 3);
	assert_true(array->has_second);
	assert_false(world->callbacks.arrays[INV_CALLBACK_THREAD].has_second); // there is no symbol of it
	assert_int_equal(world->callbacks.arrays[INV_CALLBACK_THREAD].counts[1].u, 0);
	assert_int_equal(world->callbacks.mask.u, 6);
	assert_ptr_equal(nth(world, INV_CALLBACK_PROCESS, 0)->module, &world->module);
	assert_false(inv_callback_can_block(nth(world, INV_CALLBACK_PROCESS, 0)));
	assert_true(inv_callback_can_block(nth(world, INV_CALLBACK_PROCESS, 1)));
	assert_int_equal(nth(world, INV_CALLBACK_PROCESS, 1)->slot, 3);
	assert_null(nth(world, INV_CALLBACK_PROCESS, 2)->module);
	assert_null(nth(world, INV_CALLBACK_PROCESS, 3)); // the next array is not read as if it were this one
	assert_false(nth(world, INV_CALLBACK_THREAD, 0)->routine.ok);
	free_world(world);
}

static void test_unloaded(void **state)
{
	(void)state;
	struct world *world = new_world();
	put_block(world, ARRAY(2), 0, KERNEL + 0x7000, 0);
	put(world, COUNT(5), UNLOADED);
	put_text(world, UNLOADED, "gone.sys");
	put(world, UNLOADED + 0x10, KERNEL + 0x7000);
	put(world, UNLOADED + 0x18, KERNEL + 0x8000);
	put(world, UNLOADED + 0x38, KERNEL + 0x8000); // ends before it begins
	put(world, UNLOADED + 0x40, KERNEL + 0x7000);
	read_world(world);
	assert_int_equal(inv_count(world->callbacks.unloaded), 1);
	assert_int_equal(nth(world, INV_CALLBACK_IMAGE, 0)->unloaded, 1);
	assert_string_equal(world->callbacks.unloaded[0].name, "gone.sys");
	free_world(world);
}

static void test_registry(void **state)
{
	(void)state;
	struct world *world = new_world();
	ring(world, REGISTRY, ENTRY(0), ENTRY(2));
	put(world, ENTRY(0) + 0x28, CODE(0));
	put_text(world, ENTRY(0) + 0x30, "385200");
	put(world, ENTRY(2) + 0x28, CODE(1));
	put32(world, COUNT(4), 2);
	read_world(world);
	assert_true(world->callbacks.registry.closed);
	assert_int_equal(world->callbacks.registry.count, 2);
	assert_string_equal(nth(world, INV_CALLBACK_REGISTRY, 0)->altitude, "385200");
	assert_null(nth(world, INV_CALLBACK_REGISTRY, 1)->altitude);
	put(world, ENTRY(2), ENTRY(0)); // a circle that leaves the head out
	read_world(world);
	assert_false(world->callbacks.registry.closed);
	assert_int_equal(world->callbacks.registry.count, 2);
	free_world(world);
}

// Two types; ENTRY(9) and ENTRY(10) are registered together, behind a header of 0x20 bytes.
static struct world *world_of_types(void)
{
	struct world *world = new_world();
	uint64_t registration = ENTRY(9) - 0x20;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t head = place(world, TYPE(i), INV_F_OBJECT_TYPE_CallbackList), entry = ENTRY(9 + i);
		put(world, TYPES + 8ull * (2 + i), TYPE(i));
		world->bytes[place(world, TYPE(i), INV_F_OBJECT_TYPE_Index) - KERNEL] = (uint8_t)(2 + i);
		put(world, place(world, TYPE(i), INV_F_OBJECT_TYPE_DeleteProcedure), CODE(8 + i));
		put(world, head, entry);
		put(world, head + 8, entry);
		put(world, entry, head);
		put(world, entry + 8, head);
		put32(world, entry + 0x14, 1);
		put(world, entry + 0x18, registration);
		put(world, entry + 0x20, TYPE(i));
		put(world, entry + 0x28, CODE(i));
	}
	put32(world, registration, 0x100 | 2u << 16);
	put(world, ENTRY(10) + 0x30, CODE(3));
	return world;
}

static void test_types(void **state)
{
	(void)state;
	struct world *world = world_of_types();
	read_world(world);
	assert_int_equal(inv_count(world->callbacks.types), 2);
	assert_true(world->callbacks.types_why.ok);
	assert_int_equal(nth(world, INV_CALLBACK_METHOD, 1)->routine.u, CODE(9));
	assert_int_equal(nth(world, INV_CALLBACK_OBJECT, 0)->enabled.u, 1);
	assert_int_equal(nth(world, INV_CALLBACK_OBJECT, 1)->type, TYPE(1));
	assert_true(nth(world, INV_CALLBACK_OBJECT, 2)->after);
	assert_false(inv_callback_can_block(nth(world, INV_CALLBACK_OBJECT, 2)));
	assert_int_equal(inv_count(world->callbacks.strays), 0);
	uint64_t head = place(world, TYPE(1), INV_F_OBJECT_TYPE_CallbackList);
	put(world, head, head);
	put(world, head + 8, head);
	read_world(world);
	assert_int_equal(inv_count(world->callbacks.strays), 1);
	assert_int_equal(world->callbacks.strays[0].entry, ENTRY(10));
	assert_int_equal(world->callbacks.strays[0].beside, ENTRY(9));
	put(world, ENTRY(10) + 0x18, 0); // it names another registration: nothing says that it was ever registered
	read_world(world);
	assert_int_equal(inv_count(world->callbacks.strays), 0);
	free_world(world);
}

static void test_tables(void **state)
{
	(void)state;
	struct world *world = new_world();
	put(world, CI, 0x28);
	for (unsigned i = 1; i < 4; i++)
		put(world, CI + 8ull * i, CODE(i));
	put(world, CI + 0x10, 0); // not every function is there on every machine
	put(world, CI + 0x20, 0xa000006);
	put(world, PICO, 0x50);
	put(world, PICO + 0x38, KERNEL); // data
	put(world, PICO + 0x40, CODE(0));
	put_block(world, WIN32, 4, CODE(7), 0);
	read_world(world);
	assert_int_equal(nth(world, INV_CALLBACK_CODE_INTEGRITY, 1)->routine.u, CODE(3));
	assert_null(nth(world, INV_CALLBACK_CODE_INTEGRITY, 2));
	assert_int_equal(nth(world, INV_CALLBACK_PICO, 0)->routine.u, CODE(0));
	assert_null(nth(world, INV_CALLBACK_PICO, 1));
	assert_int_equal(nth(world, INV_CALLBACK_WIN32, 0)->routine.u, CODE(7));
	put(world, CI, 0x7fffffff);
	put(world, PICO, 8);
	read_world(world);
	assert_non_null(world->callbacks.code_integrity_odd);
	assert_non_null(world->callbacks.pico_odd);
	assert_null(nth(world, INV_CALLBACK_CODE_INTEGRITY, 0));
	free_world(world);
}

static void test_code(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[16];
		enum inv_code_start start;
		uint64_t target;
	} cases[] = {
	    {{0x48, 0x89, 0x5c, 0x24, 0x08}, INV_CODE_PLAIN, 0},
	    {{0xc3}, INV_CODE_RETURNS, 0},
	    {{0x33, 0xc0, 0xc3}, INV_CODE_RETURNS, 0},
	    {{0x48, 0x31, 0xc0, 0xc3}, INV_CODE_RETURNS, 0},
	    {{0xb8, 1, 0, 0, 0, 0xc3}, INV_CODE_RETURNS, 0},
	    {{0xb0, 1, 0xc3}, INV_CODE_RETURNS, 0},
	    {{0xf3, 0x0f, 0x1e, 0xfa, 0x66, 0x90, 0xc3}, INV_CODE_RETURNS, 0},
	    {{0xe9, 0xfb, 0xff, 0xff, 0xff}, INV_CODE_JUMPS, CODE(4)},
	    {{0x90, 0xe9, 0xfb, 0xff, 0xff, 0xff}, INV_CODE_JUMPS, CODE(4) + 1},
	    {{0xeb, 0x0e}, INV_CODE_JUMPS, CODE(4) + 16},
	    {{0xff, 0x25, 2, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33}, INV_CODE_JUMPS, 0x332211},
	    {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xe0}, INV_CODE_JUMPS, 0x0807060504030201},
	    {{0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 8, 0x41, 0xff, 0xe2}, INV_CODE_JUMPS, 0x0807060504030201},
	    {{0x68, 1, 2, 3, 4, 0xc7, 0x44, 0x24, 4, 5, 6, 7, 8, 0xc3}, INV_CODE_JUMPS, 0x0807060504030201},
	};
	struct world *world = new_world();
	struct inv_routine_code code;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		memcpy(world->bytes + (CODE(4) - KERNEL), cases[i].bytes, sizeof cases[i].bytes);
		inv_routine_code_read(&world->kernel, CODE(4), &code);
		assert_int_equal(code.start, cases[i].start);
		assert_int_equal(code.target, cases[i].target);
	}
	inv_routine_code_read(&world->kernel, KERNEL + SIZE, &code);
	assert_int_equal(code.start, INV_CODE_UNREAD);
	assert_int_equal(code.why.reason, INV_NOT_CAPTURED);
	// The last byte that is there is a jump that is cut off.
	world->bytes[SIZE - 1] = 0xe9;
	inv_routine_code_read(&world->kernel, KERNEL + SIZE - 1, &code);
	assert_int_equal(code.start, INV_CODE_PLAIN);
	free_world(world);
}

static void empty(struct world *world, uint64_t head)
{
	put(world, head, head);
	put(world, head + 8, head);
}

static void read_observers(struct world *world)
{
	read_world(world);
	inv_observers_read(&world->kernel, &world->callbacks);
}

static const struct inv_observer_list *list_named(const struct world *world, const char *name)
{
	for (size_t i = 0; i < inv_count(world->callbacks.observers); i++)
		if (strcmp(world->callbacks.observers[i].name, name) == 0)
			return &world->callbacks.observers[i];
	return NULL;
}

// Every list but one of the 13 for devices is empty.
static struct world *world_of_observers(void)
{
	struct world *world = new_world();
	for (unsigned i = 0; i < 5; i++)
		empty(world, HEAD(i));
	for (unsigned i = 0; i < 13; i++)
		empty(world, HEAD(5) + 0x10ull * i);
	empty(world, HEAD(6));
	return world;
}

static void put_bytes(struct world *world, uint64_t at, const char *text)
{
	memcpy(world->bytes + (at - KERNEL), text, strlen(text) + 1);
}

static void test_bug_checks(void **state)
{
	(void)state;
	struct world *world = world_of_observers();
	uint64_t record = ENTRY(20), reason = ENTRY(22), text = TEXT + 0x800;
	put_bytes(world, text, "disk");
	ring(world, HEAD(0), record, ENTRY(21));
	ring(world, HEAD(1), reason, ENTRY(23));
	put(world, record + 0x10, CODE(0));
	put(world, record + 0x18, 0x1000);
	put32(world, record + 0x20, 0x40);
	put(world, record + 0x28, text);
	put(world, record + 0x30, CODE(0) + 0x1040 + text);
	world->bytes[record + 0x38 - KERNEL] = 1;
	put(world, reason + 0x10, CODE(1));
	put(world, reason + 0x18, text);
	put(world, reason + 0x20, CODE(1) + 7 + text);
	put32(world, reason + 0x28, 7);
	world->bytes[reason + 0x2c - KERNEL] = 1;
	read_observers(world);
	const struct inv_callback *first = nth(world, INV_CALLBACK_BUG_CHECK, 0);
	assert_int_equal(first->routine.u, CODE(0));
	assert_string_equal(first->name, "disk");
	assert_null(first->note);
	assert_false(inv_callback_can_block(first));
	assert_non_null(nth(world, INV_CALLBACK_BUG_CHECK, 1)->note); // its state is 0
	assert_string_equal(nth(world, INV_CALLBACK_BUG_CHECK_REASON, 0)->detail, "triage dump data");
	assert_null(nth(world, INV_CALLBACK_BUG_CHECK_REASON, 0)->note);
	assert_null(nth(world, INV_CALLBACK_BUG_CHECK_PAGES, 0)); // this kernel has no such list, and none is missed
	assert_null(list_named(world, "KeBugCheckAddRemovePagesCallbackListHead"));
	put(world, record + 0x30, 1);
	put32(world, reason + 0x28, 0x1000);
	memset(world->bytes + (text - KERNEL), 'x', 0x100);
	read_observers(world);
	assert_non_null(nth(world, INV_CALLBACK_BUG_CHECK, 0)->note);
	assert_int_equal(strlen(nth(world, INV_CALLBACK_BUG_CHECK, 0)->name), 63);
	assert_string_equal(nth(world, INV_CALLBACK_BUG_CHECK_REASON, 0)->detail, "not defined");
	free_world(world);
}

static void test_devices(void **state)
{
	(void)state;
	struct world *world = world_of_observers();
	uint64_t device = KERNEL + 0x5000, driver = KERNEL + 0x5400;
	put(world, place(world, device, INV_F_DEVICE_OBJECT_DriverObject), driver);
	put_text(world, place(world, driver, INV_F_DRIVER_OBJECT_DriverName), "\\Driver\\disk");
	put(world, place(world, driver, INV_F_DRIVER_OBJECT_MajorFunction) + 0x80, CODE(2));
	ring(world, HEAD(2), ENTRY(20), ENTRY(21));
	put(world, ENTRY(20) + 0x10, device);
	put(world, ENTRY(21) + 0x10, KERNEL + SIZE);
	ring(world, HEAD(3), ENTRY(22), ENTRY(23));
	put(world, ENTRY(22) + 0x10, driver);
	put(world, ENTRY(22) + 0x18, CODE(3));
	ring(world, HEAD(4), ENTRY(24) + 0x18, ENTRY(25) + 0x18);
	put(world, ENTRY(24) + 0x10, CODE(4));
	ring(world, HEAD(5) + 0xc0, ENTRY(26), ENTRY(27)); // the last of the 13
	put32(world, ENTRY(26) + 0x10, 2);
	put(world, ENTRY(26) + 0x20, CODE(5));
	put(world, ENTRY(26) + 0x30, driver);
	read_observers(world);
	assert_int_equal(nth(world, INV_CALLBACK_SHUTDOWN, 0)->routine.u, CODE(2));
	assert_string_equal(nth(world, INV_CALLBACK_SHUTDOWN, 0)->name, "\\Driver\\disk");
	assert_false(nth(world, INV_CALLBACK_SHUTDOWN, 1)->routine.ok);
	assert_int_equal(nth(world, INV_CALLBACK_FILE_SYSTEM, 0)->routine.u, CODE(3));
	assert_int_equal(nth(world, INV_CALLBACK_DEBUG_PRINT, 0)->routine.u, CODE(4));
	assert_int_equal(nth(world, INV_CALLBACK_DEVICE_CLASS, 0)->routine.u, CODE(5));
	assert_null(nth(world, INV_CALLBACK_DEVICE_CLASS, 0)->note);
	assert_non_null(nth(world, INV_CALLBACK_DEVICE_CLASS, 1)->note); // no category
	assert_true(list_named(world, "PnpDeviceClassNotifyList[12]")->list.closed);
	free_world(world);
}

static void test_broken_lists(void **state)
{
	(void)state;
	struct world *world = world_of_observers();
	ring(world, HEAD(0), ENTRY(20), ENTRY(21));
	put(world, ENTRY(21), ENTRY(20)); // a circle that leaves the head out
	put(world, HEAD(3), KERNEL + SIZE);
	put(world, HEAD(6), 0);
	put(world, HEAD(6) + 8, 0);
	read_observers(world);
	assert_non_null(list_named(world, "KeBugCheckCallbackListHead")->list.torn);
	assert_non_null(nth(world, INV_CALLBACK_BUG_CHECK, 1));
	assert_null(nth(world, INV_CALLBACK_BUG_CHECK, 2));
	assert_false(list_named(world, "IopFsNotifyChangeQueueHead")->list.closed);
	assert_true(list_named(world, "PnpProfileNotifyList")->unset);
	free_world(world);
}

static void test_nothing(void **state)
{
	(void)state;
	struct world *world = new_world();
	world->kernel.rva = NULL;
	world->kernel.base = 0;
	read_observers(world);
	assert_int_equal(inv_count(world->callbacks.callbacks), 0);
	assert_false(list_named(world, "IopFsNotifyChangeQueueHead")->head.ok);
	assert_false(world->callbacks.mask.ok || world->callbacks.types_why.ok || world->callbacks.win32.ok);
	assert_int_equal(world->callbacks.mask.why.reason, INV_NO_SYMBOL);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arrays),       cmocka_unit_test(test_unloaded),   cmocka_unit_test(test_registry),
	    cmocka_unit_test(test_types),        cmocka_unit_test(test_tables),     cmocka_unit_test(test_code),
	    cmocka_unit_test(test_nothing),      cmocka_unit_test(test_bug_checks), cmocka_unit_test(test_devices),
	    cmocka_unit_test(test_broken_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
