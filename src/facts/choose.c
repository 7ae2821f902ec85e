// SPDX-License-Identifier: Apache-2.0
// Which layouts to try on a kernel that the table does not have.
#include "facts/builtin.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// How far a layout is from what is asked for; the smaller comes first.
struct rank {
	const struct inv_layout *layout;
	size_t index;
	bool other_build;
	bool contradicted; // the table of builds puts its fields elsewhere
	unsigned build_distance;
	bool partial;
	unsigned revision_distance;
};

// An enablement package switches features on and leaves the kernel as it is: the file says 10.0.19041.x in all of
// Windows 10 2004 to 22H2, and the table of builds knows no 18363, 19042 to 19045 or 22631.
static uint16_t kernel_build(uint16_t build)
{
	if (build >= 19041 && build <= 19045)
		return 19041;
	if (build == 18363)
		return 18362;
	return build == 22631 ? 22621 : build;
}

static unsigned distance(unsigned value, unsigned low, unsigned high)
{
	if (value < low)
		return low - value;
	return value > high ? value - high : 0;
}

static bool same_or_unknown(uint16_t a, uint16_t b)
{
	return a == b || a == INV_NO_OFFSET || b == INV_NO_OFFSET;
}

// Whether the builds table has rows of this build and none of them agrees with the layout.
static bool contradicted(const struct inv_layout *layout, uint16_t build)
{
	bool any = false;
	for (size_t i = 0; i < inv_builtin_build_count; i++) {
		const struct inv_build_row *row = &inv_builtin_builds[i];
		if (row->arch != layout->arch || row->version.build != build)
			continue;
		any = true;
		if (same_or_unknown(row->object_table, layout->place[INV_F_EPROCESS_ObjectTable].offset) &&
		    same_or_unknown(row->section_object, layout->place[INV_F_EPROCESS_SectionObject].offset))
			return false;
	}
	return any;
}

static struct rank rank_of(size_t index, uint16_t build, uint16_t revision)
{
	const struct inv_layout *layout = &inv_builtin_layouts[index];
	struct rank rank = {.layout = layout, .index = index, .partial = layout->partial};
	rank.other_build = layout->build != build;
	rank.build_distance = distance(build, layout->build, layout->build);
	if (rank.other_build) {
		rank.contradicted = contradicted(layout, build);
		return rank;
	}
	const struct inv_revisions *range = &inv_builtin_revisions[index];
	rank.revision_distance = distance(revision, range->low, range->high);
	return rank;
}

static int compare(const void *left, const void *right)
{
	const struct rank *a = left;
	const struct rank *b = right;
	if (a->other_build != b->other_build)
		return a->other_build - b->other_build;
	if (a->contradicted != b->contradicted)
		return a->contradicted - b->contradicted;
	if (!a->other_build && a->partial != b->partial)
		return a->partial - b->partial;
	if (a->build_distance != b->build_distance)
		return a->build_distance < b->build_distance ? -1 : 1;
	if (a->revision_distance != b->revision_distance)
		return a->revision_distance < b->revision_distance ? -1 : 1;
	if (a->partial != b->partial)
		return a->partial - b->partial;
	// The later of two equally near builds: kernels change little between neighbours, and later tables know more.
	return a->index > b->index ? -1 : 1;
}

size_t inv_facts_candidates(enum inv_arch arch, uint16_t build, uint16_t revision, const struct inv_layout **out,
                            size_t max)
{
	struct rank *ranks = inv_alloc(inv_builtin_layout_count * sizeof *ranks);
	size_t count = 0;
	for (size_t i = 0; i < inv_builtin_layout_count; i++)
		if (inv_builtin_layouts[i].arch == arch)
			ranks[count++] = rank_of(i, kernel_build(build), revision);
	qsort(ranks, count, sizeof *ranks, compare);
	if (count > max)
		count = max;
	for (size_t i = 0; i < count; i++)
		out[i] = ranks[i].layout;
	free(ranks);
	return count;
}

const struct inv_layout *inv_layout_for_wow64(const struct inv_layout *layout)
{
	const struct inv_layout *best = NULL;
	for (size_t i = 0; i < inv_builtin_layout_count; i++) {
		const struct inv_layout *other = &inv_builtin_layouts[i];
		if (other->arch == INV_ARCH_X86 && !other->partial && other->build <= layout->build &&
		    (!best || other->build >= best->build))
			best = other;
	}
	return best;
}
