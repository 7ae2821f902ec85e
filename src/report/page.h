// SPDX-License-Identifier: Apache-2.0
// The page of web/dist/report.html, which the build puts into the program in two halves: the data go between them.
#ifndef INV_REPORT_PAGE_H
#define INV_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char inv_page_head[], inv_page_tail[];
extern const size_t inv_page_head_size, inv_page_tail_size;

#endif
