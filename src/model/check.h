// SPDX-License-Identifier: Apache-2.0
// What the comparisons share.
#ifndef INV_MODEL_CHECK_H
#define INV_MODEL_CHECK_H

#include "model/parts.h"

struct inv_model_checking {
	struct inv_model *model;
	struct inv_model_report *report;
	bool at_rest; // no operation is half done
};

__attribute__((format(printf, 2, 3))) void inv_model_disagree(const struct inv_model_checking *check,
                                                              const char *format, ...);
bool inv_model_closed(const struct inv_model_checking *check, const struct inv_model_link *link, const char *name);

void inv_model_check_sections(const struct inv_model_checking *check); // check_section.c
void inv_model_check_spaces(const struct inv_model_checking *check);   // check_space.c
void inv_model_check_user(const struct inv_model_checking *check);     // check_user.c: PEB, TEBs, modules
void inv_model_check_apcs(const struct inv_model_checking *check);     // check_user.c

#endif
