// SPDX-License-Identifier: Apache-2.0
// The tables that tools/gen_facts.py writes at build time from facts/*.tsv.
#ifndef INV_FACTS_BUILTIN_H
#define INV_FACTS_BUILTIN_H

#include "facts/facts.h"

// The revisions of its build from which a layout was read.
struct inv_revisions {
	uint16_t low, high;
};

extern const size_t inv_builtin_layout_count;
extern const struct inv_layout inv_builtin_layouts[];
extern const struct inv_revisions inv_builtin_revisions[]; // one a layout

extern const size_t inv_builtin_kernel_count;
extern const struct inv_kernel_facts inv_builtin_kernels[]; // by version, then the GUID's printed form
extern const uint16_t inv_builtin_by_guid[];                // indices into it, by the GUID's bytes, then age

extern const size_t inv_builtin_build_count;
extern const struct inv_build_row inv_builtin_builds[]; // by architecture, time stamp, size of image, version

#endif
