// SPDX-License-Identifier: Apache-2.0
// The explorer's pages: what it shows, apart from how a terminal shows it.
#ifndef INV_CLI_EXPLORE_H
#define INV_CLI_EXPLORE_H

#include "cli/command.h"
#include "cli/structure.h"

enum inv_look { INV_LOOK_PLAIN, INV_LOOK_HEAD, INV_LOOK_BAD, INV_LOOK_ODD, INV_LOOK_DIM };

// What a line leads to.
enum inv_leads {
	INV_LEADS_NOWHERE,
	INV_LEADS_TO_PROCESS,
	INV_LEADS_TO_FINDING,
	INV_LEADS_TO_STRUCTURE,
	INV_LEADS_TO_MEMORY
};

struct inv_page_line {
	const char *text;
	const char *note; // shown at the foot while the line is chosen; NULL: nothing
	enum inv_look look;
	enum inv_leads leads;
	uint64_t address;                  // of the process, structure or memory
	const char *type;                  // of the structure
	const struct inv_finding *finding; // of a finding
};

struct inv_page {
	struct inv_arena *arena; // of all its texts
	const char *title;
	const char *head;                  // above the columns; NULL: none
	struct inv_page_line *lines;       // stb_ds
	const struct inv_dossier *process; // whose page it is; NULL: nobody's
	uint64_t memory;                   // of a page of memory: its first address
	bool is_memory;
	size_t cursor, top, left; // the chosen line, the first line and column that are shown
};

struct inv_explorer {
	struct inv_session *session;
	struct inv_check *check;
};

// Each makes a page that the caller releases with inv_page_free().
struct inv_page *inv_page_processes(const struct inv_explorer *explorer);
struct inv_page *inv_page_findings(const struct inv_explorer *explorer);
struct inv_page *inv_page_report(const struct inv_explorer *explorer);
struct inv_page *inv_page_help(const struct inv_explorer *explorer);
struct inv_page *inv_page_dossier(const struct inv_explorer *explorer, const struct inv_dossier *process);
struct inv_page *inv_page_finding(const struct inv_explorer *explorer, const struct inv_finding *finding);
// `type` as in inv_structure_request. NULL with `error` when there is no such type.
struct inv_page *inv_page_structure(const struct inv_explorer *explorer, const struct inv_dossier *process,
                                    const char *type, uint64_t address, struct inv_error *error);
// INV_PAGE_OF_MEMORY bytes from `address`, as the process sees them (NULL: as the kernel does).
#define INV_PAGE_OF_MEMORY 0x4000u
struct inv_page *inv_page_memory(const struct inv_explorer *explorer, const struct inv_dossier *process,
                                 uint64_t address);
void inv_page_free(struct inv_page *page); // NULL is allowed

// The first line from `from` on, going round, that has `text` in it, whatever the case of ASCII letters; `back`: the last one
// before. SIZE_MAX: none.
size_t inv_page_find(const struct inv_page *page, const char *text, size_t from, bool back);

#endif
