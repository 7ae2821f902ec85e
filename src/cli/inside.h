// SPDX-License-Identifier: Apache-2.0
// The inside of one process for a command: read, with what is to be said of each of its ranges.
#ifndef INV_CLI_INSIDE_H
#define INV_CLI_INSIDE_H

#include "check/ranges.h"
#include "cli/command.h"

// Reads the insides of the processes of one check, one at a time.
struct inv_opener {
	const struct inv_session *session;
	const struct inv_check *check;
	struct inv_control_areas *sections;
	struct inv_thread_owners *owners;
};

struct inv_opened {
	struct inv_inside inside; // with its threads
	struct inv_ranges ranges;
	const char **notes; // for each VAD of the tree: what it holds, and what is remarkable; NULL: nothing
};

void inv_opener_start(struct inv_opener *opener, const struct inv_session *session, const struct inv_check *check);
void inv_opener_end(struct inv_opener *opener);
void inv_open_inside(const struct inv_opener *opener, const struct inv_dossier *process, struct inv_opened *opened);
// Says in the log what could not be read, for output that has no place for it.
void inv_warn_of_gaps(const struct inv_session *session, const struct inv_opened *opened);
void inv_close_inside(struct inv_opened *opened);

const char *inv_range_notes(const struct inv_opened *opened, const struct inv_vad *vad);
// "private", "image", "mapped" and so on.
const char *inv_vad_kind(const struct inv_vad *vad, struct inv_arena *arena);
// The file that a VAD maps; NULL: none. `why` (may be NULL) says why its name could not be read.
const char *inv_vad_file(struct inv_control_areas *sections, const struct inv_vad *vad, const struct inv_why **why);
// The modules of a process, by three witnesses; the caller frees the table. (modules.c)
struct inv_table *inv_process_modules(const struct inv_opener *opener, const struct inv_opened *opened);
// Behind the last '\\'.
const char *inv_base_name(const char *path);

#endif
