// SPDX-License-Identifier: Apache-2.0
// Where the kernel stands in an address space. Several ways lead to it; none is believed alone.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/parts.h"

#define LOOK_BACK (64ull << 20)
#define MOST_FOUND 16

// Kernels from 7601 to 26100 have images of 5 to 17 MiB; the margin is for those to come.
#define SMALLEST_KERNEL (4u << 20)
#define LARGEST_KERNEL (32u << 20)

// Bounds of the walk: 64 GiB of 4 KiB pages, and twice the tables that this takes.
#define MOST_PAGES (16u << 20)
#define MOST_TABLES (64u << 10)

// An image that was made to mislead can have many roots; this bounds the work over all of them.
#define MOST_LOOKED_AT (64u << 20)

struct found {
	enum inv_way way;
	uint64_t where;
	struct inv_pe pe;
};

struct search {
	struct inv_work *work;
	struct inv_space *space;
	size_t count;
	struct found found[MOST_FOUND];
	uint32_t pages, tables; // seen by the walk
};

static bool starts_with_mz(struct inv_space *space, uint64_t address)
{
	uint8_t bytes[2];
	return inv_space_read(space, address, bytes, 2, NULL) == 2 && bytes[0] == 'M' && bytes[1] == 'Z';
}

bool inv_base_below(struct inv_work *work, struct inv_space *space, uint64_t inside, struct inv_pe *pe)
{
	uint64_t page = inside & ~(uint64_t)(INV_PAGE_SIZE - 1);
	uint64_t lowest = page > LOOK_BACK ? page - LOOK_BACK : 0;
	for (; page >= lowest && page != 0 && work->looked_at < MOST_LOOKED_AT; page -= INV_PAGE_SIZE, work->looked_at++)
		if (starts_with_mz(space, page) && inv_pe_read_kernel(space, page, pe) && inside - page < pe->size_of_image)
			return true;
	return false;
}

static void add(struct search *search, enum inv_way way, uint64_t where, const struct inv_pe *pe)
{
	if (search->count == MOST_FOUND)
		return;
	search->found[search->count++] = (struct found){way, where, *pe};
}

static void look_below(struct search *search, enum inv_way way, uint64_t inside, uint64_t where)
{
	struct inv_pe pe;
	if (inv_is_kernel_address(inside) && inv_base_below(search->work, search->space, inside, &pe))
		add(search, way, where, &pe);
}

// KPCR.IdtBase stands at 0x38 on every x64 Windows (public: the KPCR begins with the NT_TIB-sized block of GdtBase,
// TssBase, UserRsp, Self, CurrentPrcb, LockArray, Used_Self, IdtBase). A gate holds its handler in three pieces (Intel
// SDM vol. 3, 6.14.1).
static uint64_t first_handler(struct inv_space *space, uint64_t kpcr)
{
	uint8_t idt[8], gate[16];
	if (!inv_is_kernel_address(kpcr) || inv_space_read(space, kpcr + 0x38, idt, sizeof(idt), NULL) != sizeof(idt) ||
	    inv_space_read(space, inv_le64(idt), gate, sizeof(gate), NULL) != sizeof(gate))
		return 0;
	return inv_le16(gate) | (uint64_t)inv_le16(gate + 6) << 16 | (uint64_t)inv_le32(gate + 8) << 32;
}

static void try_cpus(struct search *search)
{
	const struct inv_header *header = &inv_image_info(search->work->kernel.image)->header;
	// A few CPUs are enough: the kernel is the same for all.
	for (size_t i = 0; i < header->cpu_count && i < 8; i++) {
		const struct inv_cpu_claim *cpu = &header->cpu[i];
		uint64_t kpcr = inv_is_kernel_address(cpu->gs_base) ? cpu->gs_base : cpu->kernel_gs_base;
		size_t before = search->count;
		look_below(search, INV_WAY_CPU, first_handler(search->space, kpcr), cpu->offset);
		if (search->count == before)
			look_below(search, INV_WAY_CPU, cpu->rip, cpu->offset);
		if (search->count > before)
			return;
	}
}

static void try_header(struct search *search)
{
	const struct inv_header *header = &inv_image_info(search->work->kernel.image)->header;
	const struct inv_claim *claims[] = {&header->kdbg, &header->ps_active_process_head, &header->ps_loaded_module_list};
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		size_t before = search->count;
		if (claims[i]->present)
			look_below(search, INV_WAY_HEADER, claims[i]->value, claims[i]->offset);
		if (search->count > before)
			return;
	}
}

static bool exhausted(const struct search *search)
{
	return search->count == MOST_FOUND || search->pages >= MOST_PAGES || search->tables >= MOST_TABLES ||
	       search->work->looked_at >= MOST_LOOKED_AT;
}

static void try_page(struct search *search, uint64_t address, uint64_t physical)
{
	const uint8_t *bytes;
	struct inv_pe pe;
	search->pages++;
	search->work->looked_at++;
	if (inv_image_bytes(search->work->kernel.image, physical, 2, &bytes) < 2 || bytes[0] != 'M' || bytes[1] != 'Z')
		return;
	if (inv_pe_read_kernel(search->space, address, &pe))
		add(search, INV_WAY_PE, address, &pe);
}

static void try_pages(struct search *search, uint64_t address, uint64_t physical, uint64_t size)
{
	for (uint64_t at = 0; at < size && !exhausted(search); at += INV_PAGE_SIZE)
		try_page(search, address + at, physical + at);
}

// Goes through the part of a table that maps kernel images. `shift` is the size of what one entry maps: 48 in a PML5, 39 in a
// PML4, down to 12; `address` what the table's first entry maps. Recursion is as deep as there are levels.
static void walk(struct search *search, uint64_t table, unsigned shift, uint64_t address)
{
	const uint8_t *bytes;
	search->tables++;
	search->work->looked_at++;
	if (inv_image_bytes(search->work->kernel.image, table, INV_PAGE_SIZE, &bytes) < INV_PAGE_SIZE)
		return;
	for (unsigned i = 0; i < 512 && !exhausted(search); i++) {
		uint64_t start = address + ((uint64_t)i << shift), size = 1ull << shift;
		uint64_t entry = inv_le64(bytes + (size_t)i * 8);
		bool outside = start >= INV_IMAGE_AREA_END || start + (size - 1) < INV_IMAGE_AREA_START;
		if (outside || !(entry & 1))
			continue;
		uint64_t frame = entry & INV_FRAME_MASK;
		bool large = (entry & 0x80) && (shift == 21 || shift == 30);
		if (shift == 12 || large)
			try_pages(search, start, frame & ~(size - 1), size);
		else
			walk(search, frame, shift - 9, start);
	}
}

static void try_walk(struct search *search)
{
	bool five = inv_space_levels(search->space) == 5;
	// What the first entry maps, with the sign carried on: entries from 256 on are the kernel half.
	uint64_t first = five ? 0xfe00000000000000ull : 0xffff000000000000ull;
	walk(search, inv_space_dtb(search->space) & INV_FRAME_MASK, five ? 48 : 39, first);
}

static unsigned score(const struct search *search, const struct found *found)
{
	unsigned points = found->pe.pdb.found ? 2 : 0;
	if (found->pe.size_of_image >= SMALLEST_KERNEL && found->pe.size_of_image <= LARGEST_KERNEL)
		points += 4;
	for (size_t i = 0; i < search->count; i++)
		if (search->found[i].way != found->way && search->found[i].pe.base == found->pe.base)
			points += 2;
	return points;
}

static const struct found *best(const struct search *search)
{
	const struct found *best = NULL;
	unsigned most = 0;
	for (size_t i = 0; i < search->count; i++) {
		unsigned points = score(search, &search->found[i]);
		if (!best || points > most) {
			best = &search->found[i];
			most = points;
		}
	}
	return best;
}

static void record_clues(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct found *found = &search->found[i];
		inv_clue_found(search->work, INV_ANCHOR_KERNEL_BASE, found->way, found->pe.base, found->where, NULL);
	}
}

bool inv_find_base(struct inv_work *work, struct inv_space *space, bool record)
{
	struct search *search = inv_alloc(sizeof(*search));
	search->work = work;
	search->space = space;
	look_below(search, INV_WAY_LOW_STUB, work->low_stub_entry, 0);
	try_cpus(search);
	try_header(search);
	try_walk(search);
	const struct found *found = best(search);
	bool ok = found != NULL;
	if (ok)
		work->pe = found->pe;
	if (ok && record)
		record_clues(search);
	free(search);
	return ok;
}
