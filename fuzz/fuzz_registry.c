// SPDX-License-Identifier: Apache-2.0
// Open keys, hives and accounts. The first byte chooses the layout, the second whether two hives are laid out before the input, which
// is then their cells; else the input is all of the memory: a key at its start, the list of hives in its last page.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "nt/accounts.h"
#include "nt/registry.h"

#define ARENA 0xffff800000000000ull
#define PAGE ((size_t)0x1000)
#define PAGES 32u
#define HEAD ((PAGES - 1) * PAGE)
#define TABLE (6 * PAGE)
#define CELLS (12 * PAGE) // up to HEAD
#define CELL_PAGES (PAGES - 1u - 12u)
#define PATHS (11 * PAGE)
#define SIGNATURE 0xbee0bee0u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void put(uint8_t *memory, const struct inv_layout *layout, uint64_t object, enum inv_field field, uint64_t value,
                size_t width)
{
	uint8_t bytes[8];
	uint64_t at = object + layout->place[field].offset;
	inv_put64(bytes, value);
	if (layout->place[field].offset != INV_NO_OFFSET && at <= (uint64_t)PAGES * PAGE - 8)
		memcpy(memory + at, bytes, width);
}

static void put_path(uint8_t *memory, const struct inv_layout *layout, uint64_t hive, unsigned place, const char *path)
{
	uint64_t at = PATHS + place * 0x200ull, string = hive + layout->place[INV_F_CMHIVE_HiveRootPath].offset;
	if (layout->place[INV_F_CMHIVE_HiveRootPath].offset == INV_NO_OFFSET)
		return;
	for (size_t i = 0; path[i]; i++)
		memory[at + 2 * i] = (uint8_t)path[i];
	inv_put64(memory + string, 2 * strlen(path));
	inv_put64(memory + string + 8, ARENA + at);
}

// A hive whose one table leads to the input.
static void put_hive(uint8_t *memory, const struct inv_layout *layout, uint64_t hive, uint64_t links)
{
	uint64_t storage = hive + layout->place[INV_F_HHIVE_Storage].offset, size = layout->size[INV_T_HMAP_ENTRY];
	if (layout->place[INV_F_HHIVE_Storage].offset == INV_NO_OFFSET || size > 64 || layout->arch != INV_ARCH_X64)
		return;
	put(memory, layout, hive, INV_F_HHIVE_Signature, SIGNATURE, 4);
	put(memory, layout, storage, INV_F_DUAL_Length, (uint64_t)CELL_PAGES * PAGE, 4);
	put(memory, layout, storage, INV_F_DUAL_Map, ARENA + storage + layout->place[INV_F_DUAL_SmallDir].offset, 8);
	put(memory, layout, storage, INV_F_DUAL_SmallDir, ARENA + TABLE, 8);
	put(memory, layout, hive, INV_F_CMHIVE_HiveList, links, 8);
	for (uint64_t i = 0; i < CELL_PAGES; i++) {
		put(memory, layout, TABLE + i * size, INV_F_HMAP_ENTRY_BlockAddress, ARENA + CELLS + i * PAGE, 8);
		put(memory, layout, TABLE + i * size, INV_F_HMAP_ENTRY_PermanentBinAddress, ARENA + CELLS, 8);
		put(memory, layout, TABLE + i * size, INV_F_HMAP_ENTRY_BlockOffset, i * PAGE, 8);
	}
}

static void put_machine(uint8_t *memory, const struct inv_layout *layout)
{
	const uint64_t software = 0, system = 3ull * PAGE, list = layout->place[INV_F_CMHIVE_HiveList].offset;
	if (layout->place[INV_F_CMHIVE_HiveList].offset == INV_NO_OFFSET)
		return;
	put_hive(memory, layout, software, ARENA + system + list);
	put_hive(memory, layout, system, ARENA + HEAD);
	put_path(memory, layout, software, 0, "\\REGISTRY\\MACHINE\\SOFTWARE");
	put_path(memory, layout, system, 1, "\\REGISTRY\\MACHINE\\SYSTEM");
	inv_put64(memory + HEAD, ARENA + software + list);
}

struct count {
	size_t keys;
};

static bool count_key(void *context, const struct inv_hive_key *key)
{
	struct count *count = context;
	require(key->name != NULL);
	return ++count->keys < INV_HIVE_KEYS + 2;
}

static void use_hive(const struct inv_kernel *kernel, const struct inv_hive *hive, struct inv_arena *arena)
{
	struct inv_cells *cells = inv_cells_open(kernel, hive);
	struct inv_hive_key root;
	struct inv_hive_value value;
	struct count count = {0};
	if (inv_hive_root(cells, arena, &root)) {
		inv_hive_keys(cells, &root, arena, count_key, &count);
		require(count.keys <= INV_HIVE_KEYS);
		if (inv_hive_value(cells, &root, "a", &value))
			require(value.size <= INV_HIVE_TEXT);
	}
	require(inv_cells_coverage(cells)->read <= INV_HIVE_BUDGET);
	inv_cells_close(cells);
}

static void use(const struct inv_kernel *kernel)
{
	struct inv_arena *arena = inv_arena_new();
	struct inv_key_name name;
	struct inv_accounts accounts;
	struct inv_sid sid;
	enum inv_account_source source;
	inv_key_name_read(kernel, ARENA, arena, &name);
	require(name.path && (!name.ok || (*name.path == '\\' && !name.odd)));
	inv_accounts_read(kernel, &accounts);
	require(inv_count(accounts.hives.hives) <= INV_HIVE_BOUND);
	for (size_t i = 0; i < inv_count(accounts.hives.hives) && i < 4; i++)
		use_hive(kernel, &accounts.hives.hives[i], arena);
	for (size_t i = 0; i < inv_count(accounts.services); i++)
		require(inv_account_name(&accounts, &accounts.services[i].sid, &source) && source == INV_ACCOUNT_SERVICE);
	inv_sid_of_service("TrustedInstaller", &sid);
	(void)inv_account_name(&accounts, &sid, &source);
	inv_accounts_free(&accounts);
	inv_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	uint8_t *bytes = inv_alloc((size_t)PAGES * PAGE);
	uint32_t rva[INV_SYMBOL_COUNT];
	for (size_t i = 0; i < INV_SYMBOL_COUNT; i++)
		rva[i] = INV_NO_RVA;
	rva[INV_S_CmpHiveListHead] = HEAD;
	struct inv_kernel kernel = {.layout = inv_facts_layout(data[0] % inv_facts_layout_count()),
	                            .arch = INV_ARCH_X64,
	                            .space = inv_space_new_fragments(),
	                            .base = ARENA,
	                            .rva = rva};
	size_t from = data[1] & 1 ? CELLS : 0, room = (data[1] & 1 ? HEAD : PAGES * PAGE) - from;
	memcpy(bytes + from, data + 2, size - 2 < room ? size - 2 : room);
	if (data[1] & 1)
		put_machine(bytes, kernel.layout);
	inv_space_add_fragment(kernel.space, ARENA, bytes, (size_t)PAGES * PAGE);
	use(&kernel);
	inv_space_free(kernel.space);
	free(bytes);
	return 0;
}
