// SPDX-License-Identifier: Apache-2.0
// What the parts of the report for people have in common. Not for other floors.
#ifndef INV_REPORT_PROSE_H
#define INV_REPORT_PROSE_H

#include "report/report.h"

#define INV_BOLD "\x1b[1m"
#define INV_RED "\x1b[1;31m"
#define INV_GREEN "\x1b[32m"
#define INV_DIM "\x1b[2m"
#define INV_PLAIN "\x1b[0m"

struct inv_page_of_check {
	FILE *file;
	const struct inv_check *check;
	const struct inv_style *style;
	struct inv_arena *arena;
};

// In this colour, if there are colours.
void inv_page_colored(const struct inv_page_of_check *page, const char *color, const char *text);
void inv_page_heading(const struct inv_page_of_check *page, const char *text);
// "label     text", wrapped beneath the text.
void inv_page_labelled(const struct inv_page_of_check *page, unsigned indent, unsigned column, const char *label,
                       const char *text);

// One finding or observation as a short story. `certainty`: say how certain it is, and why.
void inv_page_story(const struct inv_page_of_check *page, const struct inv_finding *finding, bool certainty);

#endif
