// SPDX-License-Identifier: Apache-2.0
// Patched code, as instructions: what the section's own page holds, and what the process' copy of it does.
#ifndef INV_REPORT_PATCHES_H
#define INV_REPORT_PATCHES_H

#include <jansson.h>
#include <stdio.h>

#include "invariant/inside.h"
#include "report/disassembly.h"

#define INV_PATCH_INSTRUCTIONS 8u

// A run of bytes that differ, but for a few among them.
struct inv_patch {
	uint64_t address; // of the first byte that differs
	uint32_t length;
	uint64_t range;   // where the VAD begins; 0: none
	const char *file; // that it maps; NULL: none, or its name cannot be read
	size_t was_count, is_count;
	struct inv_instruction was[INV_PATCH_INSTRUCTIONS], is[INV_PATCH_INSTRUCTIONS]; // from the first that is touched
};

struct inv_patches {
	struct inv_patch *patches; // stb_ds, by address
	size_t left_out;           // runs and pages beyond those that are shown
};

// Of the pages that the survey noted as patched. Texts live as long as the inside.
void inv_patches_read(const struct inv_inside *inside, struct inv_patches *patches);
void inv_patches_free(struct inv_patches *patches);
// Lines that begin with `indent`.
void inv_patches_write(const struct inv_patches *patches, const char *indent, FILE *file);
json_t *inv_patches_json(const struct inv_patches *patches);

#endif
