// SPDX-License-Identifier: Apache-2.0
// Text in lines of a given width.
#ifndef INV_REPORT_WRAP_H
#define INV_REPORT_WRAP_H

#include <stdio.h>

#define INV_WIDTH_MOST 120u // columns; longer lines are hard to read
#define INV_WIDTH_LEAST 40u

// Writes `text`, from an image or not, as inv_write_safe() does, and ends the line. It begins at column `at`, where the caller has
// written so far; further lines begin at column `hang`. Lines are broken at blanks, none longer than `width` but for words that are;
// `width` 0: not at all.
void inv_write_wrapped(FILE *file, const char *text, unsigned at, unsigned hang, unsigned width);

#endif
