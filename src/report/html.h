// SPDX-License-Identifier: Apache-2.0
// The check as one page for a browser: the page that is built from web/, with the check's data in it.
#ifndef INV_REPORT_HTML_H
#define INV_REPORT_HTML_H

#include <stdio.h>

#include "check/check.h"

// Everything from the image is data of the page, never markup: it stands in one block of JSON in which no character is left that
// means something to HTML.
void inv_report_html(const struct inv_check *check, const char *version, FILE *file);

#endif
