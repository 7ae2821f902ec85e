// SPDX-License-Identifier: Apache-2.0
// Page tables of x64 over an image. Positions of the bits that the CPU uses: Intel SDM volume 3A, chapter "Paging", 4-level and
// 5-level.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/frame.h"
#include "paging/kind.h"
#include "paging/pte.h"

// Around INV_FRAME_MASK: bits 52..62 belong to software, 0..11 to flags. In CR3 the low bits hold the PCID (and with KVA shadow Windows keeps flags of
// its own there), bit 63 asks that the TLB be kept.

#define PAGE_OFFSET_MASK ((uint64_t)INV_PAGE_SIZE - 1)

// Prototype PTEs stand in paged pool, whose own pages are ordinary. A longer way than this is a loop.
#define MAX_PROTOTYPE_DEPTH 4

// Handles lead anywhere in memory. A slot takes no memory before it is used.
#define PAGE_SLOTS 8192u
#define TABLE_SLOTS 1024u
#define REGION_SLOTS 1024u
#define PAGE_SLOTS_BESIDE 512u
#define TABLE_SLOTS_BESIDE 128u
#define REGION_SLOTS_BESIDE 64u
#define REGION_SHIFT 21u // what one page table maps

// Where a page stands. `bytes` is NULL when it does not stand in one piece in the image.
struct place {
	uint64_t physical;
	const uint8_t *bytes;
};

// What is remembered of one page, for any thread to use. A writer makes `turn` odd and later even again; a reader that sees it odd,
// or changed, has read nothing. Members are released and acquired each, so that no fence is needed.
struct slot {
	_Atomic uint64_t turn;
	_Atomic uint64_t key; // 0: the slot is empty
	_Atomic uint64_t physical;
	const uint8_t *_Atomic bytes;
};

struct x64_space {
	struct inv_space base;
	const struct inv_image *image;
	size_t page_slots, table_slots, region_slots;
	struct slot *pages;  // by the number of the virtual page, plus 1
	struct slot *tables; // by the number of the physical page, plus 1; only those that stand in one piece
	struct slot *
	    regions; // the page table of a region, by the region's number plus 1; only where all entries on the way are valid
	struct slot slots[];
};

static bool recall(struct slot *slot, uint64_t key, struct place *place)
{
	const uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
	const uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire);
	place->physical = atomic_load_explicit(&slot->physical, memory_order_acquire);
	place->bytes = atomic_load_explicit(&slot->bytes, memory_order_acquire);
	return found == key && turn % 2 == 0 && atomic_load_explicit(&slot->turn, memory_order_relaxed) == turn;
}

// Who finds the slot being written leaves it: the next asker will look for himself.
static void remember(struct slot *slot, uint64_t key, const struct place *place)
{
	uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_relaxed);
	if (turn % 2 != 0 || !atomic_compare_exchange_strong_explicit(&slot->turn, &turn, turn + 1, memory_order_acquire,
	                                                              memory_order_relaxed))
		return;
	atomic_store_explicit(&slot->key, key, memory_order_release);
	atomic_store_explicit(&slot->physical, place->physical, memory_order_release);
	atomic_store_explicit(&slot->bytes, place->bytes, memory_order_release);
	atomic_store_explicit(&slot->turn, turn + 2, memory_order_release);
}

static struct x64_space *x64(struct inv_space *space)
{
	return (struct x64_space *)space;
}

static bool absent(struct inv_why *why, enum inv_absence reason, uint64_t address, uint64_t at)
{
	*why = (struct inv_why){.reason = reason, .address = address, .at = at};
	return false;
}

static bool is_canonical(const struct x64_space *space, uint64_t address)
{
	const unsigned sign_bit = space->base.levels == 5 ? 56 : 47;
	const uint64_t high = address >> sign_bit;
	return high == 0 || high == UINT64_MAX >> sign_bit;
}

static bool in_kernel_half(uint64_t address)
{
	return address >> 63 != 0;
}

// How much one entry of a table of this level maps; level 1 holds the PTEs.
static unsigned level_shift(unsigned level)
{
	return 12 + 9 * (level - 1);
}

// `at` is aligned to the size of an entry, so an entry never crosses a page.
static bool read_entry(struct x64_space *space, uint64_t at, uint64_t *entry)
{
	struct place table = {.physical = at & ~PAGE_OFFSET_MASK};
	const uint64_t key = at / INV_PAGE_SIZE + 1;
	struct slot *slot = &space->tables[key % space->table_slots];
	if (!recall(slot, key, &table)) {
		table.physical = at & ~PAGE_OFFSET_MASK;
		if (inv_image_bytes(space->image, table.physical, INV_PAGE_SIZE, &table.bytes) < INV_PAGE_SIZE) {
			uint8_t raw[INV_ENTRY_SIZE];
			if (inv_image_read(space->image, at, raw, sizeof raw) < sizeof raw)
				return false;
			*entry = inv_le64(raw);
			return true;
		}
		remember(slot, key, &table);
	}
	*entry = inv_le64(table.bytes + (at & PAGE_OFFSET_MASK));
	return true;
}

// Says why a page is absent whose last PTE, at physical `at`, leads to none in memory.
static bool absent_by_pte(struct inv_why *why, const struct inv_pte *pte, uint64_t address, uint64_t at)
{
	switch (pte->form) {
	case INV_PTE_PAGED_OUT:
	case INV_PTE_COMPRESSED:
		absent(why, pte->form == INV_PTE_PAGED_OUT ? INV_PAGED_OUT : INV_COMPRESSED, address, at);
		why->page_file = pte->page_file;
		why->offset = pte->offset;
		return false;
	case INV_PTE_DEMAND_ZERO:
		return absent(why, INV_DEMAND_ZERO, address, at);
	case INV_PTE_PROTOTYPE:
	case INV_PTE_PROTOTYPE_VAD:
		return absent(why, INV_PROTOTYPE, address, at);
	case INV_PTE_EMPTY:
	case INV_PTE_TRANSITION:
		break;
	}
	return absent(why, INV_NOT_MAPPED, address, at);
}

// An entry on the way to the page, or the PTE itself: rights are granted by all levels together.
static void restrict_rights(struct inv_mapping *mapping, uint64_t entry)
{
	mapping->user = mapping->user && (entry & INV_ENTRY_USER);
	mapping->writable = mapping->writable && (entry & INV_ENTRY_WRITE);
	mapping->executable = mapping->executable && !(entry & INV_ENTRY_NO_EXECUTE);
}

static void set_page(struct inv_mapping *mapping, uint64_t entry, unsigned level)
{
	mapping->size = UINT64_C(1) << level_shift(level);
	// Clears PAT (bit 12) and the reserved bits of a large page.
	mapping->physical = entry & INV_FRAME_MASK & ~(mapping->size - 1);
}

// What is known of the rights of a page that the CPU would fault on: those that a fault would grant. Not measured on Windows.
static void set_page_by_transition(struct inv_mapping *mapping, const struct inv_pte *pte, uint64_t address)
{
	mapping->transition = true;
	mapping->user = mapping->user && !in_kernel_half(address);
	mapping->writable = mapping->writable && inv_protection_writable(pte->protection);
	mapping->executable = mapping->executable && inv_protection_executable(pte->protection);
	mapping->physical = pte->frame;
	mapping->size = INV_PAGE_SIZE;
}

// `region` (may be NULL) gets the page table by whose entry the page was found, or 0.
static bool walk(struct x64_space *space, uint64_t address, unsigned depth, struct inv_mapping *mapping,
                 struct inv_why *why, uint64_t *region);

// Where the prototype PTE at this virtual address stands in physical memory. Misaligned and user addresses are none that Windows
// would write.
static bool find_prototype(struct x64_space *space, uint64_t prototype, unsigned depth, uint64_t *at)
{
	if (depth >= MAX_PROTOTYPE_DEPTH || prototype % INV_ENTRY_SIZE != 0 || !in_kernel_half(prototype))
		return false;
	struct inv_mapping mapping;
	struct inv_why why;
	if (!walk(space, prototype, depth + 1, &mapping, &why, NULL))
		return false;
	*at = mapping.physical + (prototype & (mapping.size - 1));
	return true;
}

static bool walk_prototype(struct x64_space *space, uint64_t address, uint64_t pte_at, uint64_t prototype,
                           unsigned depth, struct inv_mapping *mapping, struct inv_why *why)
{
	uint64_t at, entry;
	if (!find_prototype(space, prototype, depth, &at) || !read_entry(space, at, &entry))
		return absent(why, INV_PROTOTYPE, address, pte_at);

	mapping->prototype = true;
	if (entry & INV_ENTRY_VALID) {
		// U/S is left out: a prototype PTE serves every process that maps the page.
		restrict_rights(mapping, entry | INV_ENTRY_USER);
		mapping->user = mapping->user && !in_kernel_half(address);
		set_page(mapping, entry, 1);
		return true;
	}
	// Prototype set in a prototype PTE does not lead to a further one: it is an _MMPTE_SUBSECTION, the page is in the mapped
	// file. What it points at is no PTE and must not be read as one.
	const struct inv_pte pte = inv_pte_decode(&space->base.format, entry);
	if (pte.form != INV_PTE_TRANSITION)
		return absent_by_pte(why, &pte, address, at);
	set_page_by_transition(mapping, &pte, address);
	return true;
}

// A PTE that the CPU does not use.
static bool walk_software_pte(struct x64_space *space, uint64_t address, uint64_t at, uint64_t entry, unsigned depth,
                              struct inv_mapping *mapping, struct inv_why *why)
{
	const struct inv_pte pte = inv_pte_decode(&space->base.format, entry);
	if (pte.form == INV_PTE_PROTOTYPE)
		return walk_prototype(space, address, at, pte.prototype, depth, mapping, why);
	if (pte.form != INV_PTE_TRANSITION)
		return absent_by_pte(why, &pte, address, at);
	set_page_by_transition(mapping, &pte, address);
	return true;
}

// The next table, named by an entry that the CPU does not use: page table pages are trimmed like others, and one in transition
// is still whole.
static bool find_software_table(const struct x64_space *space, uint64_t address, uint64_t at, uint64_t entry,
                                uint64_t *table, struct inv_why *why)
{
	const struct inv_pte pte = inv_pte_decode(&space->base.format, entry);
	if (pte.form == INV_PTE_TRANSITION) {
		*table = pte.frame;
		return true;
	}
	// A table not yet made would be full of zeros, so that `address` is not mapped; it is not itself a demand-zero page.
	if (pte.form == INV_PTE_DEMAND_ZERO)
		return absent(why, INV_NOT_MAPPED, address, at);
	return absent_by_pte(why, &pte, address, at);
}

// Follows the tables. Uses no page slot, so that what it answers at depth 0 does not depend on what was asked before.
static bool walk(struct x64_space *space, uint64_t address, unsigned depth, struct inv_mapping *mapping,
                 struct inv_why *why, uint64_t *region)
{
	if (region)
		*region = 0;
	if (!is_canonical(space, address))
		return absent(why, INV_NOT_CANONICAL, address, 0);

	*mapping = (struct inv_mapping){.user = true, .writable = true, .executable = true};
	uint64_t table = space->base.dtb;
	for (unsigned level = space->base.levels; level > 1; level--) {
		const uint64_t at = table + (address >> level_shift(level) & 0x1ff) * INV_ENTRY_SIZE;
		uint64_t entry;
		if (!read_entry(space, at, &entry))
			return absent(why, INV_NOT_IN_IMAGE, address, table);
		if (!(entry & INV_ENTRY_VALID)) {
			if (!find_software_table(space, address, at, entry, &table, why))
				return false;
			mapping->transition = true;
			continue;
		}
		restrict_rights(mapping, entry);
		if (entry & INV_ENTRY_LARGE) {
			// Above 1 GiB the bit is reserved, and the CPU faults.
			if (level > 3)
				return absent(why, INV_NOT_MAPPED, address, at);
			set_page(mapping, entry, level);
			return true;
		}
		table = entry & INV_FRAME_MASK;
	}

	const uint64_t at = table + (address >> 12 & 0x1ff) * INV_ENTRY_SIZE;
	uint64_t entry;
	if (!read_entry(space, at, &entry))
		return absent(why, INV_NOT_IN_IMAGE, address, table);
	if (!(entry & INV_ENTRY_VALID))
		return walk_software_pte(space, address, at, entry, depth, mapping, why);
	restrict_rights(mapping, entry);
	set_page(mapping, entry, 1);
	if (region && !mapping->transition)
		*region = table;
	return true;
}

// The page's own entry in the page table of its region, if that is known and the entry is one that the CPU uses.
static bool find_in_region(struct x64_space *space, uint64_t address, struct place *page)
{
	const uint64_t key = (address >> REGION_SHIFT) + 1;
	struct place table;
	uint64_t entry;
	if (!recall(&space->regions[key % space->region_slots], key, &table) ||
	    !read_entry(space, table.physical + (address >> 12 & 0x1ff) * INV_ENTRY_SIZE, &entry) ||
	    !(entry & INV_ENTRY_VALID))
		return false;
	page->physical = entry & INV_FRAME_MASK;
	return true;
}

static bool find_by_walk(struct x64_space *space, uint64_t address, struct place *page, struct inv_why *why)
{
	struct inv_mapping mapping;
	struct place table = {0};
	if (!walk(space, address, 0, &mapping, why, &table.physical))
		return false;
	const uint64_t key = (address >> REGION_SHIFT) + 1;
	if (table.physical)
		remember(&space->regions[key % space->region_slots], key, &table);
	page->physical = mapping.physical + (address & (mapping.size - 1) & ~PAGE_OFFSET_MASK);
	return true;
}

// Where the page that holds `address` stands; false if it has no physical address.
static bool find_page(struct x64_space *space, uint64_t address, struct place *page, struct inv_why *why)
{
	const uint64_t key = address / INV_PAGE_SIZE + 1;
	struct slot *slot = &space->pages[key % space->page_slots];
	if (recall(slot, key, page))
		return true;

	if (!find_in_region(space, address, page) && !find_by_walk(space, address, page, why))
		return false;
	if (inv_image_bytes(space->image, page->physical, INV_PAGE_SIZE, &page->bytes) < INV_PAGE_SIZE)
		page->bytes = NULL;
	remember(slot, key, page);
	return true;
}

static size_t x64_read(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why)
{
	struct place page;
	if (!find_page(x64(space), address, &page, why))
		return 0;
	const uint64_t offset = address & PAGE_OFFSET_MASK;
	const size_t rest = (size_t)(INV_PAGE_SIZE - offset);
	const size_t wanted = size < rest ? size : rest;
	if (page.bytes) {
		memcpy(buffer, page.bytes + offset, wanted);
		return wanted;
	}
	const size_t got = inv_image_read(x64(space)->image, page.physical + offset, buffer, wanted);
	if (got == 0)
		absent(why, INV_NOT_IN_IMAGE, address, page.physical);
	return got;
}

static void x64_expect(struct inv_space *space, uint64_t address)
{
	struct place page;
	struct inv_why why;
	if (find_page(x64(space), address, &page, &why) && page.bytes)
		__builtin_prefetch(page.bytes + (address & PAGE_OFFSET_MASK));
}

static bool x64_translate(struct inv_space *space, uint64_t address, uint64_t *physical, struct inv_why *why)
{
	struct place page;
	if (!find_page(x64(space), address, &page, why))
		return false;
	*physical = page.physical + (address & PAGE_OFFSET_MASK);
	return true;
}

static bool x64_map(struct inv_space *space, uint64_t address, struct inv_mapping *mapping, struct inv_why *why)
{
	if (walk(x64(space), address, 0, mapping, why, NULL))
		return true;
	*mapping = (struct inv_mapping){0};
	return false;
}

static void x64_reset(struct inv_space *space)
{
	for (size_t i = 0; i < x64(space)->page_slots; i++)
		atomic_store_explicit(&x64(space)->pages[i].key, 0, memory_order_relaxed);
}

static void x64_free(struct inv_space *space)
{
	free(space);
}

static struct inv_space *x64_beside(const struct inv_space *space, uint64_t dtb);

static const struct inv_space_kind x64_kind = {
    .free = x64_free,
    .read = x64_read,
    .expect = x64_expect,
    .translate = x64_translate,
    .map = x64_map,
    .beside = x64_beside,
    .reset = x64_reset,
};

static struct x64_space *new_space(const struct inv_image *image, uint64_t dtb, size_t page_slots, size_t table_slots,
                                   size_t region_slots)
{
	struct x64_space *space =
	    inv_alloc(sizeof *space + (page_slots + table_slots + region_slots) * sizeof space->slots[0]);
	space->base = (struct inv_space){.kind = &x64_kind, .dtb = dtb & INV_FRAME_MASK};
	space->image = image;
	space->page_slots = page_slots;
	space->table_slots = table_slots;
	space->region_slots = region_slots;
	space->pages = space->slots;
	space->tables = space->pages + page_slots;
	space->regions = space->tables + table_slots;
	return space;
}

struct inv_space *inv_space_new_x64(const struct inv_image *image, uint64_t dtb, unsigned levels)
{
	struct x64_space *space = new_space(image, dtb, PAGE_SLOTS, TABLE_SLOTS, REGION_SLOTS);
	space->base.levels = levels == 5 ? 5 : 4;
	space->base.format = inv_pte_format_default;
	return &space->base;
}

static struct inv_space *x64_beside(const struct inv_space *space, uint64_t dtb)
{
	const struct x64_space *model = (const struct x64_space *)space;
	struct x64_space *beside = new_space(model->image, dtb, PAGE_SLOTS_BESIDE, TABLE_SLOTS_BESIDE, REGION_SLOTS_BESIDE);
	beside->base.levels = space->levels;
	beside->base.format = space->format;
	return &beside->base;
}
