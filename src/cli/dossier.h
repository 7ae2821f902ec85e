// SPDX-License-Identifier: Apache-2.0
// The dossier of a process, and its parts, a table each. The caller frees them.
#ifndef INV_CLI_DOSSIER_H
#define INV_CLI_DOSSIER_H

#include "cli/inside.h"

struct inv_dossier_view {
	const struct inv_session *session;
	const struct inv_check *check;
	const struct inv_opener *opener;
	const struct inv_opened *opened;
	const struct inv_dossier *process;
	struct inv_arena *arena;
	bool brief; // for people: what repeats itself is counted
};

struct inv_table *inv_dossier_identity(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_names(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_image(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_class(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_claims(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_threads(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_ranges(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_remarkable(const struct inv_dossier_view *view);
struct inv_table *inv_dossier_handles(const struct inv_dossier_view *view);

// The whole dossier of a process of a judged check, for people.
void inv_dossier_write_text(const struct inv_session *session, const struct inv_check *check,
                            const struct inv_dossier *process, FILE *file);

#endif
