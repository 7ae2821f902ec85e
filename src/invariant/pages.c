// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "invariant/families.h"
#include "invariant/inside.h"

const char *inv_page_kind_name(enum inv_page_kind kind)
{
	static const char *const names[INV_PAGE_KINDS] = {
	    "without a range", "executable", "writable and executable", "foreign", "for the kernel", "patched",
	    "copied",          "PE header",
	};
	return names[kind];
}

const struct inv_view *inv_views_of(const struct inv_views *views, uint64_t area, size_t *count)
{
	size_t low = 0, high = inv_count(views->views), end = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (views->views[middle].area < area)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < end && views->views[low + *count].area == area;)
		++*count;
	return *count ? &views->views[low] : NULL;
}

uint64_t inv_prototype_owner(const struct inv_views *views, uint64_t prototype)
{
	size_t low = 0, high = inv_count(views->prototypes);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (views->prototypes[middle].start <= prototype)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && prototype < views->prototypes[low - 1].end ? views->prototypes[low - 1].area : 0;
}
