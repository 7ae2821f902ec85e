// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel, and the imports and exports of a driver. The input is the kernel memory itself: sixteen pages, the symbols in
// the first pages, a driver at the eighth. The first byte chooses the layout. Every tag of a registration's block is looked at.
#include "base/array.h"
#include "base/bytes.h"
#include "fuzz_fragment.h"
#include "kernel/exports.h"
#include "nt/callback_blocks.h"
#include "nt/observers.h"

static void name_it(const struct inv_kernel *kernel, const struct inv_callback *callback, struct inv_arena *arena)
{
	struct inv_export_names *names = inv_export_names_new(kernel);
	const char *name = inv_export_name(names, callback->module, callback->routine.u, arena);
	require(!name || strncmp(name, "driver.sys!", 11) == 0);
	inv_export_names_free(names);
}

static void use_blocks(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks)
{
	static uint8_t memory[ARENA_SIZE];
	struct inv_callback_place *places = NULL;
	struct inv_callback_blocks blocks;
	require(inv_space_read(kernel->space, ARENA, memory, sizeof memory, NULL) == sizeof memory);
	for (size_t at = 0; at < sizeof memory; at += 16)
		for (unsigned tag = 0; tag < INV_CALLBACK_TAGS; tag++)
			if (inv_le32(memory + at + 4) == inv_callback_tags[tag])
				inv_push(places, ((struct inv_callback_place){at, ARENA + at, inv_callback_tags[tag]}));
	inv_callback_blocks_read(kernel, callbacks, places, inv_count(places), &blocks);
	require(blocks.looked_at == inv_count(places) && inv_count(blocks.blocks) <= 16 * inv_count(places));
	for (size_t i = 0; i < inv_count(blocks.blocks); i++) {
		const struct inv_callback_block *block = &blocks.blocks[i];
		require(block->listed != INV_BLOCK_LISTED || block->registered < inv_count(callbacks->callbacks));
		require(block->listed != INV_BLOCK_IN_SLOT || (block->slot_block && block->slot - ARENA < ARENA_SIZE));
		require(!inv_callback_block_is_stray(block) || (block->pool != INV_BLOCK_FREE && !block->ended));
		require(strlen(block->tag) == 4 && strlen(inv_callback_block_kind(block)) &&
		        strlen(inv_block_pool_name(block->pool)));
		require(i == 0 || strcmp(block[-1].tag, block->tag) == 0 || block[-1].physical != block->physical);
	}
	inv_callback_blocks_free(&blocks);
	inv_array_free(places);
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
	use_blocks(kernel, &callbacks);
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
