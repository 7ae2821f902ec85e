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

struct inv_prose {
	FILE *file;
	const struct inv_check *check;
	const struct inv_style *style;
	struct inv_arena *arena;
};

// In this colour, if there are colours.
void inv_prose_colored(const struct inv_prose *prose, const char *color, const char *text);
void inv_prose_heading(const struct inv_prose *prose, const char *text);
// "label     text", wrapped beneath the text.
void inv_prose_labelled(const struct inv_prose *prose, unsigned indent, unsigned column, const char *label,
                        const char *text);

// One finding or observation as a short story. `certainty`: say how certain it is, and why.
void inv_prose_story(const struct inv_prose *prose, const struct inv_finding *finding, bool certainty);

#endif
