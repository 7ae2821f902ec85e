// SPDX-License-Identifier: Apache-2.0
#include "nt/handle_table.h"

#include "base/bytes.h"

#define PAGE_SIZE 0x1000u
#define ENTRY_SIZE (PAGE_SIZE / INV_HANDLE_PAGE_ENTRIES)
#define PAGE_POINTERS (PAGE_SIZE / 8u)
#define LEVEL_MASK 7ull
#define MAX_LEVEL 2u
#define HANDLE_STEP 4u
#define OBJECT_ATTRIBUTES 7ull // low bits of HANDLE_TABLE_ENTRY.Object
#define POOL_HEADER_SIZE 0x10u
#define TABLE_TAG 0x6274624fu // "Obtb" (public practice)
#define POINTER_SHIFT 4u      // ObjectPointerBits leave out the four bits that alignment makes zero

// The parts of an entry, by the layout.
struct form {
	struct inv_place object, access;
	bool plain; // Object, not ObjectPointerBits
};

static bool fits(const struct inv_place *place, unsigned size)
{
	return place->offset != INV_NO_OFFSET && place->offset + size <= ENTRY_SIZE;
}

static const char *read_form(const struct inv_kernel *kernel, struct form *form)
{
	const struct inv_layout *layout = kernel->layout;
	if (!layout || layout->arch != INV_ARCH_X64)
		return "the entries of a handle table are known only for x64";
	const struct inv_place *plain = &layout->place[INV_F_HANDLE_TABLE_ENTRY_Object];
	const struct inv_place *bits = &layout->place[INV_F_HANDLE_TABLE_ENTRY_ObjectPointerBits];
	const struct inv_place *access = &layout->place[INV_F_HANDLE_TABLE_ENTRY_GrantedAccessBits];
	form->plain = bits->offset == INV_NO_OFFSET;
	form->object = form->plain ? *plain : *bits;
	form->access = form->plain ? layout->place[INV_F_HANDLE_TABLE_ENTRY_GrantedAccess] : *access;
	if (!fits(&form->object, 8))
		return "the layout does not say where an entry of a handle table points";
	// Anything but the top of the eight bytes would be a form that this program has never seen.
	bool top = form->object.bits >= 32 && form->object.bits <= 60 && form->object.bit + form->object.bits == 64;
	if (!form->plain && !top)
		return "the layout has entries of handle tables of an unknown form";
	return NULL;
}

const char *inv_handle_table_unknown(const struct inv_kernel *kernel)
{
	struct form form;
	return read_form(kernel, &form);
}

static uint64_t decode_object(const struct form *form, const uint8_t *entry)
{
	uint64_t value = inv_le64(entry + form->object.offset);
	if (form->plain)
		return value & ~OBJECT_ATTRIBUTES;
	uint64_t address = value >> form->object.bit << POINTER_SHIFT;
	unsigned width = form->object.bits + POINTER_SHIFT;
	bool negative = width < 64 && (address >> (width - 1) & 1) != 0;
	return negative ? address | ~0ull << width : address;
}

static uint32_t decode_access(const struct form *form, const uint8_t *entry)
{
	if (!fits(&form->access, 4))
		return 0;
	uint32_t value = inv_le32(entry + form->access.offset);
	unsigned bits = form->access.bits;
	return bits > 0 && bits < 32 && form->access.bit == 0 ? value & ((1u << bits) - 1) : value;
}

struct walk {
	const struct inv_kernel *kernel;
	struct form form;
	size_t *budget;
	inv_handle_each each;
	void *context;
	struct inv_handle_coverage *coverage;
};

static bool is_page(uint64_t address)
{
	return address >> 63 && address % PAGE_SIZE == 0;
}

// Every page is charged, also one that is not there: a table of nothing but bad pointers must end too.
static bool read_page(struct walk *walk, uint64_t address, uint8_t bytes[PAGE_SIZE])
{
	bool spent = *walk->budget < INV_HANDLE_PAGE_ENTRIES;
	*walk->budget -= spent ? *walk->budget : INV_HANDLE_PAGE_ENTRIES;
	if (spent || !is_page(address)) {
		walk->coverage->broken++;
		return false;
	}
	struct inv_why why = {.reason = INV_NOT_CAPTURED, .address = address};
	if (walk->kernel->space && inv_space_read(walk->kernel->space, address, bytes, PAGE_SIZE, &why) == PAGE_SIZE)
		return true;
	if (walk->coverage->unreadable++ == 0)
		walk->coverage->why = why;
	return false;
}

static void walk_entries(struct walk *walk, uint64_t page, uint64_t first)
{
	uint8_t bytes[PAGE_SIZE];
	if (!read_page(walk, page, bytes))
		return;
	walk->coverage->read += INV_HANDLE_PAGE_ENTRIES - 1;
	struct inv_handle used[INV_HANDLE_PAGE_ENTRIES];
	size_t count = 0;
	for (size_t i = 1; i < INV_HANDLE_PAGE_ENTRIES; i++) {
		const uint8_t *entry = bytes + i * ENTRY_SIZE;
		struct inv_handle handle = {.value = (first + i) * HANDLE_STEP,
		                            .object = decode_object(&walk->form, entry),
		                            .at = page + i * ENTRY_SIZE,
		                            .access = decode_access(&walk->form, entry)};
		if (handle.object == 0)
			continue;
		inv_space_expect(walk->kernel->space, handle.object); // handles lead all over memory
		used[count++] = handle;
	}
	walk->coverage->used += count;
	for (size_t i = 0; i < count; i++)
		walk->each(walk->context, &used[i]);
}

// How many entries stand beneath one pointer of a page of this level.
static uint64_t entries_beneath(unsigned level)
{
	return level == 1 ? INV_HANDLE_PAGE_ENTRIES : (uint64_t)INV_HANDLE_PAGE_ENTRIES * PAGE_POINTERS;
}

// A page of pointers. Windows fills it from the front; what it has not yet reached is zero.
static void walk_pointers(struct walk *walk, uint64_t page, uint64_t first, unsigned level)
{
	uint8_t bytes[PAGE_SIZE];
	if (!read_page(walk, page, bytes))
		return;
	for (size_t i = 0; i < PAGE_POINTERS; i++) {
		uint64_t below = inv_le64(bytes + 8 * i), index = first + i * entries_beneath(level);
		if (below == 0)
			continue;
		if (index >= INV_HANDLE_BOUND) {
			walk->coverage->broken++;
			return;
		}
		if (level == 1)
			walk_entries(walk, below, index);
		else
			walk_pointers(walk, below, index, level - 1);
	}
}

// NOLINTNEXTLINE(readability-non-const-parameter): the walk lowers the budget through its own pointer
void inv_handle_table_walk(const struct inv_kernel *kernel, uint64_t table, size_t *budget, inv_handle_each each,
                           void *context, struct inv_handle_coverage *coverage)
{
	*coverage = (struct inv_handle_coverage){0};
	struct walk walk = {.kernel = kernel, .budget = budget, .each = each, .context = context, .coverage = coverage};
	struct inv_value code = inv_field(kernel, table, INV_F_HANDLE_TABLE_TableCode);
	if (read_form(kernel, &walk.form) || !code.ok) {
		coverage->unreadable++;
		coverage->why = code.why;
		return;
	}
	unsigned level = (unsigned)(code.u & LEVEL_MASK);
	uint64_t page = code.u & ~LEVEL_MASK;
	if (level > MAX_LEVEL)
		coverage->broken++;
	else if (level == 0)
		walk_entries(&walk, page, 0);
	else
		walk_pointers(&walk, page, 0, level);
	coverage->complete = coverage->broken == 0 && coverage->unreadable == 0;
}

static struct inv_value no_entry(void)
{
	return (struct inv_value){.ok = true};
}

// The page of entries that holds `index`: `u` is 0 if the table does not reach so far.
static struct inv_value find_page(const struct inv_kernel *kernel, uint64_t code, uint64_t index)
{
	struct inv_value page = {.ok = true, .u = code & ~LEVEL_MASK};
	unsigned level = (unsigned)(code & LEVEL_MASK);
	uint64_t reach = level == 0 ? INV_HANDLE_PAGE_ENTRIES : entries_beneath(level) * PAGE_POINTERS;
	if (level > MAX_LEVEL || index >= reach)
		return no_entry();
	for (; level > 0; level--) {
		uint64_t slot = index / entries_beneath(level);
		index %= entries_beneath(level);
		if (!is_page(page.u))
			return no_entry();
		page = inv_read_u64(kernel, page.u + 8 * slot);
		if (!page.ok || page.u == 0)
			return page;
	}
	return is_page(page.u) ? page : no_entry();
}

struct inv_value inv_handle_table_find(const struct inv_kernel *kernel, uint64_t table, uint64_t value)
{
	struct form form;
	struct inv_value code = inv_field(kernel, table, INV_F_HANDLE_TABLE_TableCode);
	if (!code.ok)
		return code;
	if (read_form(kernel, &form))
		return (struct inv_value){.why = {.reason = INV_NO_FIELD, .name = "_HANDLE_TABLE_ENTRY.Object"}};
	uint64_t index = value / HANDLE_STEP;
	if (index >= INV_HANDLE_BOUND || index % INV_HANDLE_PAGE_ENTRIES == 0 || value % HANDLE_STEP)
		return no_entry();
	struct inv_value page = find_page(kernel, code.u, index);
	if (!page.ok || page.u == 0)
		return page;
	uint8_t entry[ENTRY_SIZE];
	struct inv_value found = {.address = page.u + index % INV_HANDLE_PAGE_ENTRIES * ENTRY_SIZE};
	if (!kernel->space || inv_space_read(kernel->space, found.address, entry, sizeof entry, &found.why) != sizeof entry)
		return found;
	found.ok = true;
	found.u = decode_object(&form, entry);
	return found;
}

struct inv_value inv_handle_access_at(const struct inv_kernel *kernel, uint64_t at)
{
	struct form form;
	uint8_t entry[ENTRY_SIZE];
	struct inv_value found = {.address = at, .why = {.reason = INV_NOT_CAPTURED, .address = at}};
	if (read_form(kernel, &form) || !kernel->space ||
	    inv_space_read(kernel->space, at, entry, sizeof entry, &found.why) != sizeof entry)
		return found;
	found.ok = decode_object(&form, entry) != 0;
	found.u = decode_access(&form, entry);
	return found;
}

// How many lists of free entries the table's block of pool has room for; 0: that is not known. (_POOL_HEADER of x64, in all builds:
// the size in units of 16 bytes, itself included, in byte 2, the tag in the second four bytes.)
static size_t room_for_lists(const struct inv_kernel *kernel, uint64_t table, uint64_t offset, uint64_t size)
{
	uint8_t header[POOL_HEADER_SIZE];
	if (!kernel->space || size == 0 || table < sizeof header ||
	    inv_space_read(kernel->space, table - sizeof header, header, sizeof header, NULL) != sizeof header)
		return 0;
	uint64_t bytes = (uint64_t)header[2] * POOL_HEADER_SIZE;
	if (inv_le32(header + 4) != TABLE_TAG || bytes < sizeof header + offset + size)
		return 0;
	return (size_t)((bytes - sizeof header - offset) / size);
}

void inv_handle_counts_read(const struct inv_kernel *kernel, uint64_t table, struct inv_handle_counts *counts)
{
	uint64_t lists, next, size = kernel->layout ? kernel->layout->size[INV_T_HANDLE_TABLE_FREE_LIST] : 0;
	*counts = (struct inv_handle_counts){.first = inv_field(kernel, table, INV_F_HANDLE_TABLE_HandleCount), .lists = 1};
	if (!inv_field_address(kernel, table, INV_F_HANDLE_TABLE_FreeLists, &lists) ||
	    !inv_field_address(kernel, lists, INV_F_HANDLE_TABLE_FREE_LIST_HandleCount, &next))
		return;
	counts->first = inv_field(kernel, lists, INV_F_HANDLE_TABLE_FREE_LIST_HandleCount);
	counts->lists = room_for_lists(kernel, table, lists - table, size);
	uint32_t sum = 0;
	for (size_t i = 0; i < counts->lists && i < INV_FREE_LISTS; i++) {
		struct inv_value count = inv_field(kernel, lists + i * size, INV_F_HANDLE_TABLE_FREE_LIST_HandleCount);
		if (!count.ok)
			return;
		sum += (uint32_t)count.u; // of one list it may be negative: an entry can be given back to another
		counts->sum[counts->sums++] = sum;
	}
}
