// SPDX-License-Identifier: Apache-2.0
// Bits of page table entries: Intel SDM volume 3A, chapter "Paging".
#include "nt/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "paging/frame.h"
#include "paging/pte.h"

#define MOST_LEVELS 5u
#define LARGEST_LEVEL 3u // of a large page: 1 GiB
#define LONGEST_TEXT 65534u

struct inv_user {
	const struct inv_kernel *kernel;
	struct inv_space *space;
	// The kernel as seen through the process' own tables, so that fields are read in one way only; and one more, by any layout.
	struct inv_kernel *view, *other_view;
	uint64_t dtb;
	unsigned levels;
	// Under KVA shadow user mode has a root of its own, and the kernel's forbids execution in the user half. 0: it has none.
	uint64_t user_dtb;
	uint64_t may_write; // the bits of a PTE that let it be written to sooner or later
};

static struct inv_user *fail(struct inv_why *why, const struct inv_why *because)
{
	*why = *because;
	return NULL;
}

static struct inv_kernel *make_view(const struct inv_kernel *kernel, struct inv_space *space)
{
	struct inv_kernel *view = inv_alloc(sizeof *view);
	*view = *kernel;
	view->space = space;
	return view;
}

// The bit of a field of one bit in an eight-byte entry; 0: not known.
static uint64_t mask_of(const struct inv_kernel *kernel, enum inv_field field)
{
	const struct inv_place *place = kernel->layout ? &kernel->layout->place[field] : NULL;
	return place && place->offset == 0 && place->bits == 1 && place->bit < 64 ? UINT64_C(1) << place->bit : 0;
}

struct inv_user *inv_user_open(const struct inv_kernel *kernel, uint64_t process, struct inv_why *why)
{
	const struct inv_why no_tables = {.reason = INV_NOT_CAPTURED, .address = process};
	*why = (struct inv_why){0};
	if (!kernel->image || !kernel->space || kernel->fragments || !inv_space_has_page_tables(kernel->space) ||
	    kernel->arch != INV_ARCH_X64)
		return fail(why, &no_tables);
	struct inv_value dtb = inv_field(kernel, process, INV_F_KPROCESS_DirectoryTableBase);
	if (!dtb.ok)
		return fail(why, &dtb.why);
	uint64_t root = dtb.u & INV_FRAME_MASK;
	const uint8_t *bytes;
	if (root == 0 || inv_image_bytes(kernel->image, root, INV_PAGE_SIZE, &bytes) < INV_PAGE_SIZE) {
		struct inv_why missing = {
		    .reason = root ? INV_NOT_IN_IMAGE : INV_NO_POINTER, .address = dtb.address, .at = root};
		return fail(why, &missing);
	}
	struct inv_user *user = inv_alloc(sizeof *user);
	struct inv_value user_dtb = inv_field(kernel, process, INV_F_KPROCESS_UserDirectoryTableBase);
	user->kernel = kernel;
	user->dtb = root;
	user->levels = inv_space_levels(kernel->space);
	user->user_dtb = user_dtb.ok ? user_dtb.u & INV_FRAME_MASK : 0;
	user->may_write = INV_ENTRY_WRITE | mask_of(kernel, INV_F_MMPTE_HARDWARE_Write);
	user->space = inv_space_new_beside(kernel->space, root);
	user->view = make_view(kernel, user->space);
	user->other_view = make_view(kernel, user->space);
	return user;
}

void inv_user_close(struct inv_user *user)
{
	if (!user)
		return;
	inv_space_free(user->space);
	free(user->view);
	free(user->other_view);
	free(user);
}

struct inv_space *inv_user_space(const struct inv_user *user)
{
	return user->space;
}

uint64_t inv_user_end(const struct inv_user *user)
{
	return UINT64_C(1) << (12 + 9 * user->levels - 1);
}

const struct inv_kernel *inv_user_kernel(const struct inv_user *user)
{
	return user->kernel;
}

// -- values -----------------------------------------------------------------------------------------------------------------

struct inv_value inv_user_field(const struct inv_user *user, uint64_t address, enum inv_field field)
{
	return inv_field(user->view, address, field);
}

struct inv_value inv_user_field_by(const struct inv_user *user, const struct inv_layout *layout, uint64_t address,
                                   enum inv_field field)
{
	user->other_view->layout = layout;
	return inv_field(user->other_view, address, field);
}

struct inv_value inv_user_u64(const struct inv_user *user, uint64_t address)
{
	return inv_read_u64(user->view, address);
}

struct inv_value inv_user_u32(const struct inv_user *user, uint64_t address)
{
	return inv_read_u32(user->view, address);
}

static const char *no_text(struct inv_value *value, enum inv_absence reason, uint64_t address, const char *name)
{
	*value = (struct inv_value){.address = address, .why = {.reason = reason, .address = address, .name = name}};
	return "";
}

const char *inv_user_unicode(const struct inv_user *user, uint64_t address, bool narrow, struct inv_arena *arena,
                             struct inv_value *value)
{
	struct inv_value ignored;
	value = value ? value : &ignored;
	if (address == 0)
		return no_text(value, INV_NO_POINTER, 0, "_UNICODE_STRING");
	struct inv_value length = inv_user_u32(user, address); // Length, and MaximumLength above it
	length.u &= 0xffff;
	*value = length;
	if (!length.ok || length.u == 0)
		return "";
	struct inv_value buffer = narrow ? inv_user_u32(user, address + 4) : inv_user_u64(user, address + 8);
	if (!buffer.ok) {
		*value = buffer;
		return "";
	}
	if (buffer.u == 0)
		return no_text(value, INV_NO_POINTER, buffer.address, "_UNICODE_STRING.Buffer");
	size_t wanted = (size_t)length.u & ~(size_t)1;
	uint8_t *units = inv_alloc(LONGEST_TEXT);
	struct inv_why why;
	size_t got = inv_space_read(user->space, buffer.u, units, wanted, &why);
	const char *text = got ? inv_utf16_to_utf8(arena, units, got) : "";
	free(units);
	if (got < wanted)
		*value = (struct inv_value){.u = length.u, .address = buffer.u, .why = why};
	return text;
}

// -- pages ------------------------------------------------------------------------------------------------------------------

// One level of the tables on the way to a page.
struct table {
	const uint8_t *bytes;
	uint64_t frame;   // physical address
	uint64_t address; // the first that it maps
	bool valid, user, writable, executable, wayward;
	uint8_t copy[INV_PAGE_SIZE]; // of a table that does not stand in one piece
};

struct walk {
	const struct inv_user *user;
	bool (*each)(void *context, const struct inv_user_page *page);
	void *context;
	size_t left; // of the bound
	size_t missing;
	bool stopped; // by `each`
	const uint8_t *user_root;
	uint8_t root_copy[INV_PAGE_SIZE];
	struct table tables[MOST_LEVELS + 1]; // by level; 1 holds the PTEs
};

// The bytes of the table at `frame`; NULL: it is not in the image.
static const uint8_t *find_table(const struct walk *walk, uint64_t frame, uint8_t copy[INV_PAGE_SIZE])
{
	const struct inv_image *image = walk->user->kernel->image;
	const uint8_t *bytes = NULL;
	if (inv_image_bytes(image, frame, INV_PAGE_SIZE, &bytes) >= INV_PAGE_SIZE)
		return bytes;
	return inv_image_read(image, frame, copy, INV_PAGE_SIZE) == INV_PAGE_SIZE ? copy : NULL;
}

static unsigned level_shift(unsigned level)
{
	return 12 + 9 * (level - 1);
}

// The entry that user mode goes by. Its rights may differ from those of the kernel's root, not where it leads.
static uint64_t entry_for_user(const struct walk *walk, unsigned level, unsigned index, uint64_t entry)
{
	if (level != walk->user->levels || !walk->user_root)
		return entry;
	uint64_t other = inv_le64(walk->user_root + (size_t)index * INV_ENTRY_SIZE);
	bool same = (other & INV_ENTRY_VALID) && ((other ^ entry) & INV_FRAME_MASK) == 0;
	return same ? entry & ~(INV_ENTRY_NO_EXECUTE & ~other) : entry;
}

static bool is_on_the_way(const struct walk *walk, unsigned level, uint64_t frame)
{
	for (unsigned above = level; above <= walk->user->levels; above++)
		if (walk->tables[above].frame == frame)
			return true;
	return false;
}

static bool report(struct walk *walk, const struct table *table, unsigned level, unsigned index, uint64_t entry)
{
	uint64_t size = UINT64_C(1) << level_shift(level);
	struct inv_user_page page = {
	    .address = table->address + index * size,
	    .size = size,
	    .entry = entry,
	    .entry_at = table->frame + (uint64_t)index * INV_ENTRY_SIZE,
	    .valid = table->valid && (entry & INV_ENTRY_VALID),
	    .wayward = table->wayward,
	};
	if (page.valid) {
		page.user = table->user && (entry & INV_ENTRY_USER);
		page.writable = table->writable && (entry & INV_ENTRY_WRITE);
		page.may_write = table->writable && (entry & walk->user->may_write);
		page.executable = table->executable && !(entry & INV_ENTRY_NO_EXECUTE);
		page.frame = entry & INV_FRAME_MASK & ~(size - 1);
	}
	walk->stopped = !walk->each(walk->context, &page);
	return !walk->stopped;
}

// Makes the table that `entry` leads to the one of the level beneath. False: there is none to go through.
static bool enter(struct walk *walk, unsigned level, unsigned index, uint64_t entry)
{
	const struct table *table = &walk->tables[level];
	struct table *next = &walk->tables[level - 1];
	next->valid = table->valid && (entry & INV_ENTRY_VALID);
	next->frame = entry & INV_FRAME_MASK;
	if (!(entry & INV_ENTRY_VALID)) {
		// A table in transition is still whole, though the CPU does not use it.
		struct inv_pte pte = inv_pte_decode(inv_space_pte_format(walk->user->space), entry);
		if (pte.form == INV_PTE_EMPTY || pte.form == INV_PTE_DEMAND_ZERO)
			return false;
		if (pte.form != INV_PTE_TRANSITION) {
			walk->missing++;
			return false;
		}
		next->frame = pte.frame;
	}
	entry = entry_for_user(walk, level, index, entry);
	next->address = table->address + ((uint64_t)index << level_shift(level));
	next->user = table->user && (entry & INV_ENTRY_USER);
	next->writable = table->writable && (entry & INV_ENTRY_WRITE);
	next->executable = table->executable && !(entry & INV_ENTRY_NO_EXECUTE);
	next->wayward = table->wayward || ((entry & INV_ENTRY_VALID) && !(entry & INV_ENTRY_USER));
	next->bytes = is_on_the_way(walk, level, next->frame) ? NULL : find_table(walk, next->frame, next->copy);
	walk->missing += next->bytes == NULL;
	return next->bytes != NULL;
}

// Goes no deeper than there are levels.
// NOLINTNEXTLINE(misc-no-recursion)
static bool walk_table(struct walk *walk, unsigned level)
{
	const struct table *table = &walk->tables[level];
	unsigned count = level == walk->user->levels ? INV_TABLE_ENTRIES / 2 : INV_TABLE_ENTRIES;
	if (level == 0 || !table->bytes)
		return true;
	for (unsigned i = 0; i < count; i++) {
		uint64_t entry = inv_le64(table->bytes + (size_t)i * INV_ENTRY_SIZE);
		if (entry == 0)
			continue;
		if (walk->left == 0)
			return false;
		walk->left--;
		bool large = level > 1 && (entry & INV_ENTRY_VALID) && (entry & INV_ENTRY_LARGE);
		if (large && level > LARGEST_LEVEL)
			continue; // the bit is reserved there, and the CPU faults
		if (level == 1 || large) {
			if (!report(walk, table, level, i, entry))
				return false;
		} else if (enter(walk, level, i, entry) && !walk_table(walk, level - 1)) {
			return false;
		}
	}
	return true;
}

bool inv_user_pages(const struct inv_user *user, size_t bound,
                    bool (*each)(void *context, const struct inv_user_page *page), void *context, size_t *missing)
{
	struct walk *walk = inv_alloc(sizeof *walk);
	*walk = (struct walk){.user = user, .each = each, .context = context, .left = bound};
	struct table *root = &walk->tables[user->levels];
	root->frame = user->dtb;
	root->valid = root->user = root->writable = root->executable = true;
	root->bytes = find_table(walk, user->dtb, root->copy);
	walk->user_root = user->user_dtb ? find_table(walk, user->user_dtb, walk->root_copy) : NULL;
	bool whole = true;
	if (root->bytes)
		whole = walk_table(walk, user->levels) || walk->stopped;
	*missing = walk->missing + (root->bytes == NULL);
	free(walk);
	return whole;
}
