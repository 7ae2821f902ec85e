// SPDX-License-Identifier: Apache-2.0
// One file per command; what they share.
#ifndef INV_CLI_COMMAND_H
#define INV_CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "check/check.h"
#include "kernel/kernel.h"
#include "report/report.h"

// Exit status; they are part of the interface (docs/invar.1.scd).
enum inv_exit {
	INV_EXIT_OK = 0,
	INV_EXIT_BROKEN = 1,
	INV_EXIT_USAGE = 2,
	INV_EXIT_IMAGE = 3,
	INV_EXIT_STOPPED = 4,
};

#define INV_MAX_YARA 64u

struct inv_options {
	enum inv_output output;
	const char *format;  // --format as given; NULL: not
	bool markdown;       // explain, witnesses: the manual's form
	const char *file;    // -o; NULL: standard output
	const char *symbols; // --symbols
	bool all;            // --all: sweep memory for what no list leads to; extract: every range
	unsigned threads;    // --threads; 0: as many as there are CPUs
	bool color;
	unsigned width; // columns of text; 0: lines are not wrapped
	bool quiet;
	int verbose;
	bool sandbox;
	bool help;                      // --help
	const char *range;              // --range START-END
	const char *vad;                // --vad ADDR
	const char *module;             // --module NAME|BASE
	unsigned depth;                 // --depth N
	bool follow;                    // --follow
	const char *process;            // --process PID|ADDR
	const char *list;               // --list MEMBER
	const char *yara[INV_MAX_YARA]; // --yara FILE, each time that it was given
	size_t yara_count;
	char **arguments; // after the command
	int argument_count;
};

// What an open image gives a command.
struct inv_session {
	const struct inv_options *options;
	const struct inv_log *log;
	struct inv_image *image;
	struct inv_symbols *symbols;
	struct inv_kernel *kernel;  // NULL when none was found
	struct inv_error no_kernel; // then: why not
	FILE *out;
	struct inv_extract_files *files;     // extract: where to
	struct inv_replacement *replacement; // check: the file of the database; NULL unless one is made
	struct inv_database *database;       // check: the same
	struct inv_watch *watch;
	struct inv_pattern_rules *pattern_rules; // check: NULL without --yara
};

struct inv_command {
	const char *name;
	const char *arguments; // "IMAGE PID|ADDRESS"
	const char *help;      // one line
	int minimum, maximum;  // how many arguments
	bool needs_image;      // the first argument is an image, opened before `run`
	bool needs_kernel;     // and a kernel must be found in it
	enum inv_exit (*run)(struct inv_session *session, struct inv_error *error);
	bool writes_files;   // extract: -o names what it writes, and its table goes to standard output
	const char *details; // what else 'invar COMMAND --help' says
};

enum inv_exit inv_run_check(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_info(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_ps(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_tree(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_threads(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_handles(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_power(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_callbacks(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_modules(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_process(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_tokens(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_sessions(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_vads(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_extract(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_dt(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_explore(struct inv_session *session, struct inv_error *error);
enum inv_code inv_explore_open(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_explain(struct inv_session *session, struct inv_error *error);
enum inv_exit inv_run_witnesses(struct inv_session *session, struct inv_error *error);

// The one process that the argument `text` names, by PID or by address; *check gets what was collected for it, with `how`, for the
// caller to free even upon failure. What no list leads to is looked for in all memory before giving up. NULL: none, or more than
// one has that PID; the error says which, and what to do.
const struct inv_dossier *inv_pick_process(const struct inv_session *session, const char *text,
                                           const struct inv_check_options *how, struct inv_check **check,
                                           struct inv_error *error);

// Which processes an argument means. Without one (`text` NULL): all.
struct inv_wanted {
	const char *text;
	bool by_address; // else by PID
	uint64_t number;
};
enum inv_code inv_wanted_parse(const char *text, struct inv_wanted *wanted, struct inv_error *error);
// For who found nothing of the wanted process: whether there is one at all, be it in all memory only. false with `error`.
bool inv_is_any_process(const struct inv_session *session, const struct inv_wanted *wanted, struct inv_error *error);

// Reads a number in decimal or, with 0x, in hexadecimal. false unless all of `text` is one.
bool inv_parse_number(const char *text, uint64_t *number);
// Reads an address, which is hexadecimal with 0x.
bool inv_parse_address(const char *text, uint64_t *address);

#endif
