// SPDX-License-Identifier: Apache-2.0
// The parts of JSON that `check` and `info` have in common. Not for other floors.
#ifndef INV_REPORT_PARTS_H
#define INV_REPORT_PARTS_H

#include <jansson.h>

#include "kernel/kernel.h"

json_t *inv_json_image(const struct inv_image_info *info);
json_t *inv_json_header(const struct inv_header *header); // what it claims; null where it says nothing
json_t *inv_json_kernel(const struct inv_kernel *kernel);
json_t *inv_json_known(uint64_t address); // null for 0

// What was patched, of a finding that is about patched code; false: it is about something else. Release with inv_patches_free() and
// inv_inside_free().
struct inv_check;
struct inv_finding;
struct inv_inside;
struct inv_patches;
bool inv_finding_patches(const struct inv_check *check, const struct inv_finding *finding, struct inv_inside *inside,
                         struct inv_patches *patches);

struct inv_patterns;
json_t *inv_json_patterns(const struct inv_patterns *patterns);       // the matches; empty for NULL
json_t *inv_json_pattern_search(const struct inv_patterns *patterns); // how much was searched; null for NULL

#endif
