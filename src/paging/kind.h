// SPDX-License-Identifier: Apache-2.0
// What stands between space.c and the kinds of space. A new kind (x86 with PAE, ARM64) is a file of its own: a structure that
// begins with struct inv_space, one of these tables, and a constructor.
#ifndef INV_PAGING_KIND_H
#define INV_PAGING_KIND_H

#include "paging/space.h"

struct inv_space_kind {
	void (*free)(struct inv_space *space);

	// Copies some bytes from `address` on (at least 1, at most `size`; as many as are cheap to get at once, never past the end of
	// the address space). 0: the byte at `address` is absent, and `why` says why. `size` is not 0, `why` is not NULL.
	size_t (*read)(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why);

	// As inv_space_expect().
	void (*expect)(struct inv_space *space, uint64_t address);

	// As inv_space_translate() and inv_space_map(), with no NULL among the arguments.
	bool (*translate)(struct inv_space *space, uint64_t address, uint64_t *physical, struct inv_why *why);
	bool (*map)(struct inv_space *space, uint64_t address, struct inv_mapping *mapping, struct inv_why *why);

	// As inv_space_new_beside(); NULL for a kind without page tables.
	struct inv_space *(*beside)(const struct inv_space *space, uint64_t dtb);

	// Forgets what was derived with the former PTE format.
	void (*reset)(struct inv_space *space);
};

// The first member of every kind's own structure.
struct inv_space {
	const struct inv_space_kind *kind;
	uint64_t dtb;    // 0: no page tables
	unsigned levels; // 0: no page tables
	struct inv_pte_format format;
};

#endif
