// SPDX-License-Identifier: Apache-2.0
// Windows maps its page tables through one entry of the topmost table that points at that table itself. A page of which
// exactly one entry of the kernel half does so is the root of some process.
#include "base/bytes.h"
#include "kernel/parts.h"

#define WRITABLE 2u
#define USER 4u
#define LARGE 0x80u

#define LOW_END (16ull << 20)
#define MOST_LOW 24

// A root maps the kernel, hyperspace, system caches ...: besides itself, a few entries of the kernel half at least.
#define FEWEST_ENTRIES 2

static bool is_table(uint64_t entry)
{
	return (entry & (INV_ENTRY_VALID | WRITABLE | LARGE)) == (INV_ENTRY_VALID | WRITABLE);
}

static bool maps_itself(const uint8_t *page, uint64_t address)
{
	unsigned self = 0, others = 0;
	for (unsigned i = 0x100; i < 0x200; i++) {
		uint64_t entry = inv_le64(page + (size_t)i * 8);
		if (!(entry & INV_ENTRY_VALID))
			continue;
		if ((entry & INV_FRAME_MASK) != address)
			others++;
		else if (is_table(entry) && !(entry & USER))
			self++;
	}
	return self == 1 && others >= FEWEST_ENTRIES;
}

// The first root in `run` at or behind *address; moves *address behind it.
static bool next_in_run(const struct inv_image *image, const struct inv_run *run, uint64_t *address, uint64_t end,
                        struct inv_root *root)
{
	uint64_t run_end = run->size > UINT64_MAX - run->address ? UINT64_MAX : run->address + run->size;
	run_end = run_end < end ? run_end : end;
	uint64_t at = (run->address + INV_PAGE_SIZE - 1) & ~(uint64_t)(INV_PAGE_SIZE - 1);
	while (at < run_end && run_end - at >= INV_PAGE_SIZE) {
		const uint8_t *bytes;
		// As many pages at once as lie consecutively in the file.
		size_t room = run_end - at > (64u << 20) ? (64u << 20) : (size_t)(run_end - at);
		size_t got = inv_image_bytes(image, at, room, &bytes);
		if (got < INV_PAGE_SIZE)
			got = 0;
		for (size_t i = 0; i + INV_PAGE_SIZE <= got; i += INV_PAGE_SIZE) {
			if (!maps_itself(bytes + i, at + i))
				continue;
			*root = (struct inv_root){.dtb = at + i, .way = INV_WAY_SELF_MAP, .where = at + i};
			*address = at + i + INV_PAGE_SIZE;
			return true;
		}
		at += got ? got & ~(uint64_t)(INV_PAGE_SIZE - 1) : INV_PAGE_SIZE;
	}
	*address = run_end;
	return false;
}

bool inv_way_self_map_next(const struct inv_image *image, uint64_t *address, uint64_t end, struct inv_root *root)
{
	struct inv_run run;
	while (*address < end && inv_image_next_run(image, *address, &run)) {
		if (run.address >= end)
			break;
		uint64_t before = *address;
		if (next_in_run(image, &run, address, end, root))
			return true;
		// A run that does not move on would never end.
		if (*address <= before && *address <= run.address)
			break;
	}
	return false;
}

void inv_way_self_map_low(struct inv_work *work, struct inv_roots *roots)
{
	uint64_t address = 0;
	struct inv_root root;
	for (unsigned found = 0; found < MOST_LOW && inv_way_self_map_next(work->kernel.image, &address, LOW_END, &root);
	     found++) {
		root.note = "of some process";
		inv_roots_add(roots, &root);
	}
}
