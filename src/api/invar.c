// SPDX-License-Identifier: Apache-2.0
// The public API over the floors.
#include "invar/invar.h"

#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"

struct invar {
	struct inv_log log;
	struct invar_options options;
	struct inv_image *image;
	struct inv_symbols *symbols;
	struct inv_kernel *kernel;
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

static enum inv_code open_parts(struct invar *invar, const char *path, struct inv_error *error)
{
	const struct inv_log *log = invar->options.log ? &invar->log : NULL;
	enum inv_code code = inv_image_open_file(path, log, &invar->image, error);
	if (code == INV_OK && invar->options.symbols)
		code = inv_symbols_open(invar->options.symbols, log, &invar->symbols, error);
	if (code == INV_OK)
		code = inv_image_recognise(invar->image, error);
	struct inv_kernel_options options = {.symbols = invar->symbols, .log = log};
	return code == INV_OK ? inv_kernel_identify(invar->image, &options, &invar->kernel, error) : code;
}

struct invar *invar_open(const char *path, const struct invar_options *options, struct invar_error *error)
{
	struct invar *invar = inv_alloc(sizeof *invar);
	if (options)
		invar->options = *options;
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
	struct inv_check *check = inv_check_run(invar->kernel, &(struct inv_check_options){.judged = true, .swept = true});
	json_t *report = inv_report_json(check, INV_VERSION);
	inv_check_free(check);
	return dump(report, error);
}

void invar_free(char *text)
{
	free(text);
}
