// SPDX-License-Identifier: Apache-2.0
// The bytes around a piece of evidence, for people who want to see them with their own eyes: read once more when the report is made,
// with the fields that stand there.
#ifndef INV_REPORT_WINDOW_H
#define INV_REPORT_WINDOW_H

#include <jansson.h>

#include "check/check.h"

#define INV_WINDOW_BEFORE 32u // bytes, from the row of 16 in which the evidence stands
#define INV_WINDOW_SIZE 96u
#define INV_MOST_WINDOWS 4000u

// What is read for one report. The check must outlive it.
struct inv_windows {
	const struct inv_check *check;
	struct inv_arena *arena;
	size_t made, left_out;            // windows; those beyond INV_MOST_WINDOWS
	const struct inv_dossier *opened; // whose user half `user` is
	struct inv_user *user;            // NULL: it has none that can be read
};

void inv_windows_begin(struct inv_windows *windows, const struct inv_check *check);
void inv_windows_end(struct inv_windows *windows);

// The bytes of one piece of evidence about `process` (NULL: about none); null where it has no address, or too many came before.
json_t *inv_window_json(struct inv_windows *windows, const struct inv_dossier *process,
                        const struct inv_evidence *evidence);

#endif
