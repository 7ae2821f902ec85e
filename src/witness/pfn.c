// SPDX-License-Identifier: Apache-2.0
// The PFN database as a witness: every page table root, by the entry of its own frame.
#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "witness/witness.h"

// No system has as many address spaces.
#define MOST_ROOTS ((size_t)1 << 20)

static bool keep(void *context, const struct inv_pfn *pfn)
{
	struct inv_pfn **roots = context;
	inv_push(*roots, *pfn);
	return inv_count(*roots) < MOST_ROOTS;
}

static int by_owner(const void *a, const void *b)
{
	const struct inv_pfn_record *left = a, *right = b;
	if (left->owner != right->owner)
		return left->owner < right->owner ? -1 : 1;
	return (left->pfn.frame > right->pfn.frame) - (left->pfn.frame < right->pfn.frame);
}

static void sight_owners(struct inv_testimony *testimony, const struct inv_pfn *roots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct inv_pfn_record record = {.pfn = roots[i], .owner = inv_pfn_owner(&testimony->pfn, &roots[i])};
		inv_push(testimony->pfn_roots, record);
		if (record.owner)
			inv_sight(testimony, INV_W_PFN, record.owner, 0, roots[i].address);
		else
			testimony->coverage[INV_W_PFN].broken++;
	}
	if (testimony->pfn_roots)
		qsort(testimony->pfn_roots, inv_count(testimony->pfn_roots), sizeof *testimony->pfn_roots, by_owner);
}

void inv_witness_pfn(struct inv_testimony *testimony)
{
	const struct inv_value *system = &testimony->anchors.system;
	struct inv_coverage *coverage = &testimony->coverage[INV_W_PFN];
	inv_pfn_open(testimony->kernel, &testimony->pfn);
	if (testimony->pfn.voided) {
		inv_void(testimony, INV_W_PFN, testimony->pfn.voided);
		return;
	}
	struct inv_pfn *roots = NULL;
	inv_pfn_each_root(&testimony->pfn, keep, &roots, &coverage->read, &coverage->unreadable);
	inv_pfn_calibrate(&testimony->pfn, system->ok ? system->u : 0, roots, inv_count(roots));
	if (testimony->pfn.encoding == INV_PFN_UNKNOWN)
		inv_void(testimony, INV_W_PFN, "no known encoding leads from the page table root of System to System");
	else
		sight_owners(testimony, roots, inv_count(roots));
	// What a file that was cut off would have held is not known.
	coverage->complete = !coverage->voided && coverage->unreadable == 0 && inv_count(roots) < MOST_ROOTS &&
	                     inv_image_info(testimony->kernel->image)->contradiction_count == 0;
	inv_array_free(roots);
}

const struct inv_pfn_record *inv_pfn_roots_of(const struct inv_testimony *testimony, uint64_t process, size_t *count)
{
	const struct inv_pfn_record *roots = testimony->pfn_roots;
	size_t all = inv_count(testimony->pfn_roots);
	size_t low = INV_LOWER_BOUND(roots, all, owner, process);
	*count = 0;
	while (low + *count < all && roots[low + *count].owner == process)
		++*count;
	return *count ? &roots[low] : NULL;
}
