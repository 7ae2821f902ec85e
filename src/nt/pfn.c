// SPDX-License-Identifier: Apache-2.0
#include "nt/pfn.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/frame.h"

#define FRAMES_AT_ONCE 256u      // with entries of 0x30 bytes these are three whole pages
#define MOST_FRAMES (1ull << 28) // 1 TiB
#define SMALLEST_ENTRY 0x18u
#define LARGEST_ENTRY 0x100u
#define TAIL_AT 0x24u
#define KERNEL_HALF 0xffff800000000000ull
#define ADDRESS_BITS 0x0000ffffffffffffull
#define SLOT_SIZE (1ull << 39) // what one entry of the root maps
#define PROOFS 3u

const char *inv_pfn_encoding_name(enum inv_pfn_encoding encoding)
{
	static const char *const names[] = {"unknown", "raw", "buddy", "index"};
	return names[encoding];
}

static const enum inv_field fields[] = {INV_F_MMPFN_u1, INV_F_MMPFN_PteAddress, INV_F_MMPFN_PteFrame,
                                        INV_F_MMPFN_PageLocation};

static unsigned width_of(const struct inv_layout *layout, enum inv_field field)
{
	const struct inv_place *place = &layout->place[field];
	return place->bits ? place->width : 8; // plain fields of _MMPFN are pointers and 64-bit integers
}

static bool fits(const struct inv_layout *layout, enum inv_field field, uint32_t size)
{
	const struct inv_place *place = &layout->place[field];
	unsigned width = width_of(layout, field);
	return place->offset != INV_NO_OFFSET && width >= 1 && width <= 8 && width <= size && place->offset <= size - width;
}

static const char *layout_fault(const struct inv_kernel *kernel)
{
	const struct inv_layout *layout = kernel->layout;
	if (kernel->arch != INV_ARCH_X64)
		return "only the PFN database of x64 is known";
	if (kernel->fragments || !inv_space_has_page_tables(kernel->space))
		return "the image holds no page tables";
	if (inv_space_levels(kernel->space) != 4)
		return "how five-level paging keeps the entries of its roots is not known";
	if (!layout || layout->size[INV_T_MMPFN] < SMALLEST_ENTRY || layout->size[INV_T_MMPFN] > LARGEST_ENTRY)
		return "the layout does not know _MMPFN";
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (!fits(layout, fields[i], layout->size[INV_T_MMPFN]))
			return "the layout does not know the fields of _MMPFN";
	return NULL;
}

void inv_pfn_open(const struct inv_kernel *kernel, struct inv_pfn_database *database)
{
	*database = (struct inv_pfn_database){.kernel = kernel, .voided = layout_fault(kernel)};
	if (database->voided)
		return;
	database->entry_size = kernel->layout->size[INV_T_MMPFN];
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_MmPfnDatabase, NULL);
	struct inv_value base = symbol.ok ? inv_read_u64(kernel, symbol.u) : symbol;
	database->base = base.u;
	if (!symbol.ok)
		database->voided = "the address of MmPfnDatabase is not known";
	else if (!base.ok)
		database->voided = "MmPfnDatabase could not be read";
	else if (base.u < KERNEL_HALF || base.u > UINT64_MAX - MOST_FRAMES * LARGEST_ENTRY)
		database->voided = "MmPfnDatabase holds no address of the kernel half";
}

static uint64_t load(const struct inv_layout *layout, const uint8_t *entry, enum inv_field field)
{
	const struct inv_place *place = &layout->place[field];
	uint8_t bytes[8] = {0};
	memcpy(bytes, entry + place->offset, width_of(layout, field));
	uint64_t value = inv_le64(bytes);
	if (place->bits == 0 || place->bits >= 64)
		return value;
	return place->bit < 64 ? value >> place->bit & ((1ull << place->bits) - 1) : 0;
}

static void parse(const struct inv_pfn_database *database, uint64_t frame, const uint8_t *entry, struct inv_pfn *pfn)
{
	const struct inv_layout *layout = database->kernel->layout;
	*pfn = (struct inv_pfn){
	    .frame = frame,
	    .address = database->base + frame * database->entry_size,
	    .u1 = load(layout, entry, INV_F_MMPFN_u1),
	    .pte_address = load(layout, entry, INV_F_MMPFN_PteAddress) & ~7ull,
	    .pte_frame = load(layout, entry, INV_F_MMPFN_PteFrame),
	    .location = (unsigned)load(layout, entry, INV_F_MMPFN_PageLocation),
	};
	if (fits(layout, INV_F_MMPFN_PrototypePte, database->entry_size))
		pfn->prototype = load(layout, entry, INV_F_MMPFN_PrototypePte) != 0;
	if (database->entry_size >= TAIL_AT + 4)
		pfn->tail = inv_le32(entry + TAIL_AT);
}

bool inv_pfn_read(const struct inv_pfn_database *database, uint64_t frame, struct inv_pfn *pfn, struct inv_why *why)
{
	uint8_t entry[LARGEST_ENTRY];
	struct inv_why ignored;
	why = why ? why : &ignored;
	*pfn = (struct inv_pfn){.frame = frame};
	if (frame >= MOST_FRAMES) {
		*why = (struct inv_why){.reason = INV_NOT_MAPPED};
		return false;
	}
	pfn->address = database->base + frame * database->entry_size;
	size_t size = database->entry_size;
	if (inv_space_read(database->kernel->space, pfn->address, entry, size, why) < size)
		return false;
	parse(database, frame, entry, pfn);
	return true;
}

bool inv_pfn_is_root(const struct inv_pfn *pfn)
{
	return pfn->location == INV_PFN_ACTIVE && pfn->pte_frame == pfn->frame && !pfn->prototype;
}

bool inv_pfn_climb(const struct inv_pfn_database *database, const struct inv_pfn *page, struct inv_pfn *root)
{
	enum { MOST_LEVELS = 5 };
	*root = *page;
	for (unsigned i = 0; i <= MOST_LEVELS; i++) {
		if (inv_pfn_is_root(root))
			return true;
		if (root->prototype || !inv_pfn_read(database, root->pte_frame, root, NULL))
			break;
	}
	return false;
}

struct walk {
	const struct inv_pfn_database *database;
	bool (*each)(void *context, const struct inv_pfn *pfn);
	void *context;
	size_t read, unreadable;
	uint32_t frame_at; // where in an entry u4.PteFrame is: eight bytes, of which these bits
	unsigned shift;
	uint64_t mask;
};

// A part of the database, page by page: a page that is not mapped is a gap of physical memory, not a loss.
struct part {
	uint8_t bytes[FRAMES_AT_ONCE * LARGEST_ENTRY + 8]; // room to load eight bytes anywhere
	bool whole;                                        // neither gaps nor losses
	bool gap[FRAMES_AT_ONCE * LARGEST_ENTRY / INV_PAGE_SIZE + 2];
	bool lost[FRAMES_AT_ONCE * LARGEST_ENTRY / INV_PAGE_SIZE + 2];
};

static void read_part(const struct inv_pfn_database *database, uint64_t start, size_t size, struct part *part)
{
	uint64_t first = start / INV_PAGE_SIZE;
	part->whole = true;
	for (size_t at = 0; at < size;) {
		uint64_t address = start + at;
		size_t left = INV_PAGE_SIZE - (size_t)(address % INV_PAGE_SIZE);
		size_t step = left < size - at ? left : size - at;
		struct inv_why why;
		bool whole = inv_space_read(database->kernel->space, address, part->bytes + at, step, &why) == step;
		size_t page = (size_t)(address / INV_PAGE_SIZE - first);
		part->gap[page] = !whole && (why.reason == INV_NOT_MAPPED || why.reason == INV_DEMAND_ZERO);
		part->lost[page] = !whole && !part->gap[page];
		part->whole &= whole;
		at += step;
	}
}

static void find_frame_number(struct walk *walk)
{
	const struct inv_layout *layout = walk->database->kernel->layout;
	const struct inv_place *place = &layout->place[INV_F_MMPFN_PteFrame];
	unsigned width = width_of(layout, INV_F_MMPFN_PteFrame);
	bool bits = place->bits > 0 && place->bits < 64;
	walk->frame_at = place->offset;
	walk->mask = width < 8 ? (1ull << 8 * width) - 1 : UINT64_MAX;
	walk->shift = bits && place->bit < 64 ? place->bit : 0;
	if (bits)
		walk->mask = place->bit < 64 ? walk->mask >> walk->shift & ((1ull << place->bits) - 1) : 0;
}

// Few frames do: the rest of the others' entries is of no interest.
static bool names_itself(const struct walk *walk, const uint8_t *entry, uint64_t frame)
{
	return (inv_le64(entry + walk->frame_at) >> walk->shift & walk->mask) == frame;
}

static bool visit(struct walk *walk, const struct part *part, uint64_t start, uint64_t frame, size_t offset)
{
	uint32_t size = walk->database->entry_size;
	uint64_t page = start / INV_PAGE_SIZE;
	size_t first = (size_t)((start + offset) / INV_PAGE_SIZE - page);
	size_t last = (size_t)((start + offset + size - 1) / INV_PAGE_SIZE - page);
	if (part->gap[first] || part->gap[last])
		return true;
	if (part->lost[first] || part->lost[last]) {
		walk->unreadable++;
		return true;
	}
	walk->read++;
	if (!names_itself(walk, part->bytes + offset, frame))
		return true;
	struct inv_pfn pfn;
	parse(walk->database, frame, part->bytes + offset, &pfn);
	return !inv_pfn_is_root(&pfn) || walk->each(walk->context, &pfn);
}

static bool visit_part(struct walk *walk, uint64_t first, struct part *part)
{
	uint32_t size = walk->database->entry_size;
	uint64_t start = walk->database->base + first * size;
	read_part(walk->database, start, (size_t)FRAMES_AT_ONCE * size, part);
	for (unsigned i = 0; i < FRAMES_AT_ONCE; i++) {
		if (part->whole && !names_itself(walk, part->bytes + (size_t)i * size, first + i))
			walk->read++;
		else if (!visit(walk, part, start, first + i, (size_t)i * size))
			return false;
	}
	return true;
}

void inv_pfn_each_root(const struct inv_pfn_database *database, bool (*each)(void *context, const struct inv_pfn *pfn),
                       void *context, size_t *read, size_t *unreadable)
{
	struct walk walk = {.database = database, .each = each, .context = context};
	find_frame_number(&walk);
	struct part *part = inv_alloc(sizeof *part);
	uint64_t next = 0; // the first part that was not visited
	struct inv_run run;
	bool more = true;
	for (uint64_t at = 0; more && inv_image_next_run(database->kernel->image, at, &run); at = run.address + run.size) {
		uint64_t last = (run.address + run.size - 1) / INV_PAGE_SIZE / FRAMES_AT_ONCE;
		uint64_t first = run.address / INV_PAGE_SIZE / FRAMES_AT_ONCE;
		for (next = first > next ? first : next; more && next <= last && next < MOST_FRAMES / FRAMES_AT_ONCE; next++)
			more = visit_part(&walk, next * FRAMES_AT_ONCE, part);
		if (run.address + run.size < run.address || next >= MOST_FRAMES / FRAMES_AT_ONCE)
			break;
	}
	free(part);
	*read = walk.read;
	*unreadable = walk.unreadable;
}

// -- the back pointer -------------------------------------------------------------------------------------------------------

static uint64_t index_of(const struct inv_pfn *pfn)
{
	return (pfn->u1 >> 1 & 0x7fffffff) | (uint64_t)(pfn->tail >> 16 & 0x3ff) << 31;
}

static uint64_t decode(const struct inv_pfn_database *database, enum inv_pfn_encoding encoding,
                       const struct inv_pfn *pfn)
{
	const struct inv_place *buddy = &database->kernel->layout->place[INV_F_MI_ACTIVE_PFN_PageTableNonPagedBuddy];
	uint64_t index = index_of(pfn);
	uint64_t process = 0;
	switch (encoding) {
	case INV_PFN_RAW:
		process = pfn->u1;
		break;
	case INV_PFN_BUDDY:
		if (buddy->offset == 0 && buddy->bits > 0 && buddy->bits < 60 && buddy->bit < 64)
			process = KERNEL_HALF | (pfn->u1 >> buddy->bit & ((1ull << buddy->bits) - 1)) << 4;
		if (process == KERNEL_HALF)
			process = 0;
		break;
	case INV_PFN_INDEX:
		process = index ? database->index_base + (index - 1) * 16 : 0;
		break;
	case INV_PFN_UNKNOWN:
		break;
	}
	return process >= KERNEL_HALF && process % 8 == 0 ? process : 0;
}

uint64_t inv_pfn_owner(const struct inv_pfn_database *database, const struct inv_pfn *pfn)
{
	return decode(database, database->encoding, pfn);
}

static bool leads_back(const struct inv_pfn_database *database, enum inv_pfn_encoding encoding,
                       const struct inv_pfn *root)
{
	uint64_t process = decode(database, encoding, root);
	struct inv_value dtb = {0};
	if (process)
		dtb = inv_field(database->kernel, process, INV_F_KPROCESS_DirectoryTableBase);
	return dtb.ok && (dtb.u & INV_FRAME_MASK) / INV_PAGE_SIZE == root->frame;
}

// Three roots of different processes that agree are no accident.
static bool is_proved(const struct inv_pfn_database *database, enum inv_pfn_encoding encoding,
                      const struct inv_pfn *roots, size_t count)
{
	unsigned proofs = 0;
	for (size_t i = 0; i < count && proofs < PROOFS; i++)
		proofs += leads_back(database, encoding, &roots[i]);
	return proofs == PROOFS;
}

static const struct inv_pfn *root_of(const struct inv_pfn_database *database, uint64_t process,
                                     const struct inv_pfn *roots, size_t count)
{
	struct inv_value dtb = {0};
	if (process)
		dtb = inv_field(database->kernel, process, INV_F_KPROCESS_DirectoryTableBase);
	for (size_t i = 0; dtb.ok && i < count; i++)
		if (roots[i].frame == (dtb.u & INV_FRAME_MASK) / INV_PAGE_SIZE)
			return &roots[i];
	return NULL;
}

void inv_pfn_calibrate(struct inv_pfn_database *database, uint64_t system, const struct inv_pfn *roots, size_t count)
{
	static const enum inv_pfn_encoding plain[] = {INV_PFN_BUDDY, INV_PFN_RAW};
	const struct inv_pfn *root = root_of(database, system, roots, count);
	database->encoding = INV_PFN_UNKNOWN;
	for (size_t i = 0; i < 2 && !database->encoding; i++)
		if (root && decode(database, plain[i], root) == system)
			database->encoding = plain[i];
	for (size_t i = 0; i < 2 && !database->encoding; i++)
		if (is_proved(database, plain[i], roots, count))
			database->encoding = plain[i];
	if (database->encoding || !root || index_of(root) == 0)
		return;
	// System's root gives the base, so that it proves nothing more: the others must.
	database->index_base = system - (index_of(root) - 1) * 16;
	unsigned others = 0;
	for (size_t i = 0; i < count && others < PROOFS; i++)
		others += &roots[i] != root && leads_back(database, INV_PFN_INDEX, &roots[i]);
	if (others == PROOFS)
		database->encoding = INV_PFN_INDEX;
}

// -- the self-map -----------------------------------------------------------------------------------------------------------

// The slot of System's root that maps the root itself; false unless there is exactly one.
static bool self_slot(const struct inv_kernel *kernel, uint64_t *slot)
{
	uint8_t table[INV_PAGE_SIZE];
	uint64_t root = inv_space_dtb(kernel->space) & INV_FRAME_MASK;
	unsigned found = 0;
	if (!kernel->image || inv_image_read(kernel->image, root, table, sizeof table) < sizeof table)
		return false;
	for (uint64_t i = INV_TABLE_ENTRIES / 2; i < INV_TABLE_ENTRIES; i++) {
		uint64_t entry = inv_le64(table + i * 8);
		if ((entry & 1) && (entry & INV_FRAME_MASK) == root) {
			*slot = i;
			found++;
		}
	}
	return found == 1;
}

uint64_t inv_pfn_root_pte(const struct inv_kernel *kernel)
{
	uint64_t slot;
	if (!inv_space_has_page_tables(kernel->space) || inv_space_levels(kernel->space) != 4 || !self_slot(kernel, &slot))
		return 0;
	return 0xffff000000000000 | slot << 39 | slot << 30 | slot << 21 | slot << 12 | slot << 3;
}

// The address that a PTE at `pte` in the self-map maps.
static uint64_t mapped_by(uint64_t pte, uint64_t base)
{
	uint64_t address = (pte - base) / 8 * INV_PAGE_SIZE & ADDRESS_BITS;
	return address >> 47 ? address | ~ADDRESS_BITS : address;
}

static bool maps(const struct inv_kernel *kernel, uint64_t address, uint64_t frame)
{
	uint64_t physical;
	return inv_space_translate(kernel->space, address, &physical, NULL) && physical / INV_PAGE_SIZE == frame;
}

// The entries of the frames of a large page name its PDE, which maps nothing but that page.
static bool in_large_page(const struct inv_kernel *kernel, uint64_t address, uint64_t frame)
{
	struct inv_mapping mapping;
	return inv_space_map(kernel->space, address, &mapping, NULL) && mapping.size > INV_PAGE_SIZE &&
	       maps(kernel, address, frame);
}

bool inv_pfn_virtual(const struct inv_pfn_database *database, uint64_t frame, uint64_t *address)
{
	enum { LARGE_PAGE_FRAMES = 512 };
	const struct inv_kernel *kernel = database->kernel;
	struct inv_pfn pfn;
	uint64_t slot;
	if (database->voided || !inv_pfn_read(database, frame, &pfn, NULL) || pfn.location != INV_PFN_ACTIVE ||
	    pfn.prototype || !self_slot(kernel, &slot))
		return false;
	uint64_t base = 0xffff000000000000 | slot << 39;
	if (pfn.pte_address < base || pfn.pte_address - base >= SLOT_SIZE)
		return false;
	*address = mapped_by(pfn.pte_address, base);
	// What a PDE maps as if it were a PTE lies in the self-map.
	if (*address >= base && *address - base < SLOT_SIZE) {
		uint64_t large = mapped_by(*address, base) + frame % LARGE_PAGE_FRAMES * INV_PAGE_SIZE;
		if (in_large_page(kernel, large, frame)) {
			*address = large;
			return true;
		}
	}
	return maps(kernel, *address, frame);
}
