// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel, and the imports and exports of a driver. The input is the kernel memory itself: sixteen pages, the symbols in
// the first two, a driver at the eighth. The first byte chooses the layout.
#include "base/array.h"
#include "fuzz_fragment.h"
#include "kernel/exports.h"
#include "nt/observers.h"

static void name_it(const struct inv_kernel *kernel, const struct inv_callback *callback, struct inv_arena *arena)
{
	struct inv_export_names *names = inv_export_names_new(kernel);
	const char *name = inv_export_name(names, callback->module, callback->routine.u, arena);
	require(!name || strncmp(name, "driver.sys!", 11) == 0);
	inv_export_names_free(names);
}

static void use(struct inv_kernel *kernel)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_callbacks callbacks;
	inv_callbacks_read(kernel, arena, &callbacks);
	inv_observers_read(kernel, &callbacks);
	require(inv_count(callbacks.observers) == 22); // nine lists, and thirteen for devices
	require(inv_count(callbacks.types) <= 256 && inv_count(callbacks.unloaded) <= 50);
	for (unsigned i = 0; i < INV_CALLBACK_ARRAYS; i++)
		require(callbacks.arrays[i].used <= callbacks.arrays[i].read && callbacks.arrays[i].read <= 64 &&
		        callbacks.arrays[i].gaps < 64);
	for (size_t i = 0; i < inv_count(callbacks.callbacks); i++) {
		const struct inv_callback *callback = &callbacks.callbacks[i];
		require(!callback->module || callback->routine.u - callback->module->base < callback->module->size);
		require(callback->unloaded <= inv_count(callbacks.unloaded));
		require((callback->code.start == INV_CODE_UNREAD) == (callback->code.size == 0) ||
		        callback->code.start == INV_CODE_UNREAD);
		(void)inv_callback_can_block(callback);
		if (callback->module)
			name_it(kernel, callback, arena);
		require(!callback->name || callback->kind < INV_CALLBACK_BUG_CHECK || strlen(callback->name) < 0x10000);
	}
	for (size_t i = 0; i < inv_count(callbacks.strays); i++)
		require(callbacks.strays[i].entry != callbacks.strays[i].beside);
	(void)inv_callback_imports(kernel, &kernel->modules[0]);
	inv_callbacks_free(&callbacks);
	inv_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t rva[INV_SYMBOL_COUNT];
	for (uint32_t i = 0; i < INV_SYMBOL_COUNT; i++)
		rva[i] = i * 0x40;
	struct inv_module module = {.base = ARENA + 8ull * PAGE, .size = 6ull * PAGE, .name = "driver.sys"};
	struct inv_kernel kernel = {.base = ARENA, .rva = rva, .modules = &module, .module_count = 1};
	return with_fragment(data, size, kernel, use);
}
