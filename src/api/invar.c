// SPDX-License-Identifier: Apache-2.0
// The public API over the floors.
#include "invar/invar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

struct invar {
	struct inv_log log;
	struct invar_options options;
	struct inv_image *image;
	struct inv_symbols *symbols;
	struct inv_kernel *kernel;
	unsigned threads;
	struct inv_progress progress;
};

const char *invar_version(void)
{
	return INV_VERSION;
}

static enum invar_code public_code(enum inv_code code)
{
	switch (code) {
	case INV_OK:
		return INVAR_OK;
	case INV_E_USAGE:
		return INVAR_USAGE;
	case INV_E_IO:
		return INVAR_IO;
	case INV_E_FORMAT:
		return INVAR_FORMAT;
	case INV_E_UNSUPPORTED:
		return INVAR_UNSUPPORTED;
	case INV_E_NO_KERNEL:
		return INVAR_NO_KERNEL;
	case INV_E_INTERRUPTED:
	case INV_E_INTERNAL:
		break;
	}
	return INVAR_INTERNAL;
}

static void tell(struct invar_error *out, const struct inv_error *error)
{
	if (!out)
		return;
	out->code = public_code(error->code);
	snprintf(out->text, sizeof out->text, "%s", error->text);
}

static void write_log(void *context, enum inv_log_level level, const char *line)
{
	const struct invar *invar = context;
	(void)level;
	invar->options.log(invar->options.log_context, line);
}

// NULL: nobody wants to know.
static const struct inv_log *log_of(const struct invar *invar)
{
	return invar->options.log ? &invar->log : NULL;
}

static enum inv_code open_parts(struct invar *invar, const char *path, struct inv_error *error)
{
	const struct inv_log *log = log_of(invar);
	enum inv_code code = inv_image_open_file(path, log, &invar->image, error);
	if (code == INV_OK && invar->options.symbols)
		code = inv_symbols_open(invar->options.symbols, log, &invar->symbols, error);
	if (code == INV_OK)
		code = inv_image_recognise(invar->image, error);
	struct inv_kernel_options options = {.symbols = invar->symbols, .log = log, .progress = &invar->progress};
	return code == INV_OK ? inv_kernel_identify(invar->image, &options, &invar->kernel, error) : code;
}

static void is_over(void *context)
{
	struct inv_progress *progress = context;
	atomic_store(&progress->phase, INV_PHASE_NONE);
	atomic_store(&progress->done, 0);
	atomic_store(&progress->total, 0);
}

struct invar *invar_open(const char *path, const struct invar_options *options, struct invar_error *error)
{
	struct invar *invar = inv_alloc(sizeof *invar);
	if (options)
		invar->options = *options;
	invar->progress.over = is_over;
	invar->progress.context = &invar->progress;
	invar->log = (struct inv_log){.level = INV_LOG_DEBUG, .write = write_log, .context = invar};
	struct inv_error problem = {0};
	if (open_parts(invar, path, &problem) == INV_OK)
		return invar;
	tell(error, &problem);
	invar_close(invar);
	return NULL;
}

void invar_close(struct invar *invar)
{
	if (!invar)
		return;
	inv_kernel_free(invar->kernel);
	inv_symbols_close(invar->symbols);
	inv_image_close(invar->image);
	free(invar);
}

static char *dump(json_t *report, struct invar_error *error)
{
	char *text = json_dumps(report, JSON_INDENT(2));
	json_decref(report);
	if (!text)
		tell(error, &(struct inv_error){.code = INV_E_INTERNAL, .text = "the report could not be written"});
	return text;
}

char *invar_info(struct invar *invar, struct invar_error *error)
{
	return dump(inv_report_info_json(invar->kernel), error);
}

char *invar_check(struct invar *invar, struct invar_error *error)
{
	struct inv_check_options how = {.judged = true, .swept = true, .threads = invar->threads};
	atomic_store(&invar->progress.stop, false);
	struct inv_check *check = inv_check_run(invar->kernel, &how);
	json_t *report = inv_report_json(check, INV_VERSION);
	inv_check_free(check);
	return dump(report, error);
}

void invar_progress(struct invar *invar, struct invar_progress *progress)
{
	struct inv_progress_state state = inv_progress_look(&invar->progress);
	progress->what = state.phase == INV_PHASE_NONE ? NULL : inv_phase_name(state.phase);
	progress->done = state.done;
	progress->total = state.total;
}

void invar_interrupt(struct invar *invar)
{
	inv_progress_stop(&invar->progress);
}

void invar_set_threads(struct invar *invar, unsigned threads)
{
	invar->threads = threads;
}

// -- what the commands list -------------------------------------------------------------------------------------------------

typedef enum inv_exit inv_run(struct inv_session *session, struct inv_error *error);

// Runs a command as the program does, into memory. `invar` is NULL for what needs no image; `arguments` are those behind it.
static char *run(const struct invar *invar, inv_run *command, const char *const *arguments, unsigned flags,
                 struct invar_error *error)
{
	struct inv_arena *arena = inv_arena_new();
	char *words[4] = {NULL};
	int count = 0;
	if (invar)
		words[count++] = inv_arena_strdup(arena, "the image");
	for (; *arguments; arguments++)
		words[count++] = inv_arena_strdup(arena, *arguments);
	struct inv_options options = {.output = INV_OUTPUT_JSON,
	                              .all = (flags & INVAR_ALL) != 0,
	                              .threads = invar ? invar->threads : 0,
	                              .arguments = words,
	                              .argument_count = count};
	struct inv_session session = {.options = &options};
	if (invar) {
		session.log = log_of(invar);
		session.image = invar->image;
		session.symbols = invar->symbols;
		session.kernel = invar->kernel;
	}
	char *text = NULL;
	size_t size;
	struct inv_error problem = {.code = INV_E_INTERNAL, .text = "the listing could not be written"};
	session.out = open_memstream(&text, &size);
	if (session.out) {
		problem.code = INV_OK;
		command(&session, &problem);
		if (fclose(session.out) != 0)
			problem = (struct inv_error){.code = INV_E_INTERNAL, .text = "the listing could not be written"};
	}
	inv_arena_free(arena);
	if (problem.code == INV_OK)
		return text;
	tell(error, &problem);
	free(text);
	return NULL;
}

static const struct listing {
	const char *name;
	inv_run *command;
	bool whole; // is of the whole machine: no process can be named
	bool one;   // is of one process, which must be named
} listings[] = {
    {"ps", inv_run_ps, true, false},
    {"tree", inv_run_tree, true, false},
    {"threads", inv_run_threads, false, false},
    {"handles", inv_run_handles, false, false},
    {"power", inv_run_power, false, false},
    {"tokens", inv_run_tokens, false, false},
    {"sessions", inv_run_sessions, true, false},
    {"modules", inv_run_modules, false, false},
    {"callbacks", inv_run_callbacks, true, false},
    {"vads", inv_run_vads, false, false},
    {"process", inv_run_process, false, true},
};

static char *refuse(struct invar_error *error, const char *name, const char *why)
{
	struct inv_error problem;
	inv_fail(&problem, INV_E_USAGE, "'%s' %s", name, why);
	tell(error, &problem);
	return NULL;
}

char *invar_list(struct invar *invar, const char *name, const char *which, unsigned flags, struct invar_error *error)
{
	const struct listing *listing = NULL;
	for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++)
		if (strcmp(name, listings[i].name) == 0)
			listing = &listings[i];
	if (!listing)
		return refuse(error, name, "is no listing");
	if (which && listing->whole)
		return refuse(error, name, "is of the whole machine; no process can be named");
	if (!which && listing->one)
		return refuse(error, name, "is of one process, which must be named");
	return run(invar, listing->command, (const char *const[]){which, NULL}, flags, error);
}

char *invar_structure(struct invar *invar, const char *type, uint64_t address, struct invar_error *error)
{
	char number[32];
	snprintf(number, sizeof number, "0x%" PRIx64, address);
	return run(invar, inv_run_dt, (const char *const[]){type, address ? number : NULL, NULL}, 0, error);
}

char *invar_explain(const char *id, struct invar_error *error)
{
	return run(NULL, inv_run_explain, (const char *const[]){id, NULL}, 0, error);
}

char *invar_witnesses(struct invar_error *error)
{
	return run(NULL, inv_run_witnesses, (const char *const[]){NULL}, 0, error);
}

void invar_free(char *text)
{
	free(text);
}
