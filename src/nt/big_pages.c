// SPDX-License-Identifier: Apache-2.0
#include "nt/big_pages.h"

#include "base/bytes.h"

#define ENTRIES_AT_ONCE 128u
#define LARGEST_ENTRY 0x40u // 0x20 in the newest layout
#define FREE 1u

struct table {
	uint64_t address;
	uint64_t count;
	uint32_t entry_size;
};

static const char *find_table(const struct inv_kernel *kernel, struct table *table)
{
	const struct inv_layout *layout = kernel->layout;
	if (!layout || layout->arch != INV_ARCH_X64 || !kernel->space ||
	    layout->place[INV_F_POOL_TRACKER_BIG_PAGES_Va].offset == INV_NO_OFFSET ||
	    layout->place[INV_F_POOL_TRACKER_BIG_PAGES_Key].offset == INV_NO_OFFSET)
		return "the layout does not know _POOL_TRACKER_BIG_PAGES";
	table->entry_size = layout->size[INV_T_POOL_TRACKER_BIG_PAGES];
	if (table->entry_size < 0x10 || table->entry_size > LARGEST_ENTRY)
		return "the layout does not know the size of _POOL_TRACKER_BIG_PAGES";
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_PoolBigPageTable, NULL);
	struct inv_value size_symbol = inv_kernel_symbol(kernel, INV_S_PoolBigPageTableSize, NULL);
	if (!symbol.ok || !size_symbol.ok)
		return "the address of PoolBigPageTable or of its size is not known";
	struct inv_value address = inv_read_u64(kernel, symbol.u), count = inv_read_u64(kernel, size_symbol.u);
	if (!address.ok || !count.ok)
		return "PoolBigPageTable or its size could not be read";
	if (!(address.u >> 63) || count.u == 0)
		return "PoolBigPageTable does not lead to a table";
	table->address = address.u;
	table->count = count.u;
	return NULL;
}

// The width is that of x64. 0 where the layout has no such field.
static uint64_t read_place(const struct inv_kernel *kernel, const uint8_t *entry, uint32_t size, enum inv_field field,
                           unsigned width)
{
	uint32_t offset = kernel->layout->place[field].offset;
	if (offset == INV_NO_OFFSET || offset + width > size)
		return 0;
	return width == 8 ? inv_le64(entry + offset) : inv_le32(entry + offset);
}

// false: never used, or nothing that a kernel would write.
static bool decode(const struct inv_kernel *kernel, const uint8_t *entry, const struct table *table,
                   struct inv_big_page *page, struct inv_big_coverage *coverage)
{
	uint64_t va = read_place(kernel, entry, table->entry_size, INV_F_POOL_TRACKER_BIG_PAGES_Va, 8);
	page->free = va & FREE;
	page->va = va & ~(uint64_t)FREE;
	if (page->va == 0)
		return false;
	if (page->va % INV_PAGE_SIZE || !(page->va >> 63)) {
		coverage->broken++;
		return false;
	}
	page->tag = (uint32_t)read_place(kernel, entry, table->entry_size, INV_F_POOL_TRACKER_BIG_PAGES_Key, 4);
	page->bytes = read_place(kernel, entry, table->entry_size, INV_F_POOL_TRACKER_BIG_PAGES_NumberOfBytes, 8);
	page->billed = read_place(kernel, entry, table->entry_size, INV_F_POOL_TRACKER_BIG_PAGES_ProcessBilled, 8);
	return true;
}

// How many entries from this one on begin in a page that is not there; at least the one that could not be read.
static size_t lost_entries(const struct table *table, uint64_t address, size_t got_bytes, size_t most)
{
	uint64_t next = ((address + got_bytes) | (INV_PAGE_SIZE - 1)) + 1;
	size_t lost = (size_t)((next - address + table->entry_size - 1) / table->entry_size);
	return lost < most ? lost : most;
}

void inv_big_pages_walk(const struct inv_kernel *kernel, void (*each)(void *context, const struct inv_big_page *page),
                        void *context, struct inv_big_coverage *coverage)
{
	struct table table = {0};
	*coverage = (struct inv_big_coverage){.unknown = find_table(kernel, &table)};
	if (coverage->unknown)
		return;
	size_t count = table.count < INV_BIG_PAGES_BOUND ? (size_t)table.count : INV_BIG_PAGES_BOUND;
	uint8_t bytes[ENTRIES_AT_ONCE * LARGEST_ENTRY];
	for (size_t i = 0; i < count;) {
		size_t here = count - i < ENTRIES_AT_ONCE ? count - i : ENTRIES_AT_ONCE;
		uint64_t address = table.address + (uint64_t)i * table.entry_size;
		size_t got_bytes = inv_space_read(kernel->space, address, bytes, here * table.entry_size, NULL);
		size_t got = got_bytes / table.entry_size;
		for (size_t j = 0; j < got; j++) {
			struct inv_big_page page = {.at = address + (uint64_t)j * table.entry_size};
			if (decode(kernel, bytes + j * table.entry_size, &table, &page, coverage))
				each(context, &page);
		}
		coverage->read += got;
		i += got;
		if (got == here)
			continue;
		address += (uint64_t)got * table.entry_size;
		size_t lost = lost_entries(&table, address, got_bytes % table.entry_size, count - i);
		coverage->unreadable += lost;
		i += lost;
	}
	coverage->broken += table.count > INV_BIG_PAGES_BOUND;
	coverage->complete = coverage->unreadable == 0 && table.count <= INV_BIG_PAGES_BOUND;
}
