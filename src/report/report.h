// SPDX-License-Identifier: Apache-2.0
// The reports of a check and of what was opened, in each output format.
#ifndef INV_REPORT_REPORT_H
#define INV_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "check/check.h"
#include "report/table.h"

// How text looks.
struct inv_style {
	bool color;     // off for files and with NO_COLOR
	unsigned width; // columns, at which lines are wrapped; 0: not at all
};

// `invar check`. The JSON object is that of the interface; the caller releases it.
json_t *inv_report_json(const struct inv_check *check, const char *version);
void inv_report_check(const struct inv_check *check, const char *version, enum inv_output output,
                      const struct inv_style *style, FILE *file);

// `invar info`: format, machine, kernel, which facts apply and how surely.
json_t *inv_report_info_json(const struct inv_kernel *kernel);
void inv_report_info(const struct inv_kernel *kernel, enum inv_output output, FILE *file);
// The same of an image in which no kernel was found.
void inv_report_image(const struct inv_image *image, enum inv_output output, FILE *file);

// One finding or observation, as it stands in the report of a check; as JSON, with the instructions of patched code.
void inv_report_finding(const struct inv_check *check, const struct inv_finding *finding, const struct inv_style *style,
                        FILE *file);
json_t *inv_report_finding_json(const struct inv_check *check, const struct inv_finding *finding);

// Of one subject, for lists: "process 4 System", "thread 0x... of 4 System", ...
char *inv_subject_text(struct inv_arena *arena, const struct inv_subject *subject);

#endif
