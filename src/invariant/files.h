// SPDX-License-Identifier: Apache-2.0
// The files that programs run from, by name: whoever claims to be one of them and runs from another file, lies.
#ifndef INV_INVARIANT_FILES_H
#define INV_INVARIANT_FILES_H

#include "invariant/inside.h"

struct inv_known_file {
	const struct inv_dossier *process; // that runs from it
	struct inv_file file;
};
struct inv_known_files;
// Of every live process: its file, or that of its section. `arena` keeps the names.
struct inv_known_files *inv_known_files_read(const struct inv_dossiers *dossiers, struct inv_arena *arena);
void inv_known_files_free(struct inv_known_files *files); // NULL is allowed
// One of this name (any form that has a volume), without regard to case; NULL: none is known.
const struct inv_known_file *inv_known_file(const struct inv_known_files *files, const char *path);
// One of the same name as this file that is another one, if more processes run from such than from this; NULL: none.
const struct inv_known_file *inv_known_namesake(const struct inv_known_files *files, const struct inv_file *file);

#endif
