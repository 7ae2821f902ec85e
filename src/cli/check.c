// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "cli/command.h"
#include "cli/patterns.h"
#include "cli/replace.h"
#include "cli/watch.h"
#include "report/database.h"
#include "report/export.h"

static void write_json(json_t *json, FILE *file)
{
	json_dumpf(json, file, JSON_INDENT(2));
	putc('\n', file);
	json_decref(json);
}

static void report(struct inv_session *session, const struct inv_check *check, struct inv_error *error)
{
	struct inv_style style = {.color = session->options->color, .width = session->options->width};
	enum inv_output output = session->options->output;
	if (output == INV_OUTPUT_NAVIGATOR)
		write_json(inv_navigator_layer(check, INV_VERSION), session->out);
	else if (output == INV_OUTPUT_STIX)
		write_json(inv_stix_bundle(check, INV_VERSION), session->out);
	else if (!session->database)
		inv_report_check(check, INV_VERSION, output, &style, session->out);
	else if (inv_database_add(session->database, check, INV_VERSION, error) == INV_OK &&
	         inv_database_write(session->database, inv_replacement_file(session->replacement), error) == INV_OK &&
	         inv_replacement_commit(session->replacement, error) == INV_OK)
		inv_log(session->log, INV_LOG_INFO, "%s written", session->options->file);
}

enum inv_exit inv_run_check(struct inv_session *session, struct inv_error *error)
{
	struct inv_check_options how = {.judged = true, .swept = true, .threads = session->options->threads};
	inv_watch_can_stop(session->watch);
	struct inv_check *check = inv_check_run(session->kernel, &how);
	struct inv_patterns patterns = {0};
	if (session->pattern_rules) {
		inv_patterns_search(session, check, check->arena, &patterns);
		check->patterns = &patterns;
		if (inv_progress_stopped(inv_watch_progress(session->watch)) && !check->cut_short)
			check->cut_short = "interrupted while memory was searched by rules";
		inv_progress_over(inv_watch_progress(session->watch));
	}
	report(session, check, error);
	enum inv_exit status = INV_EXIT_OK;
	if (inv_count(check->judge.findings) > 0)
		status = INV_EXIT_BROKEN;
	if (check->cut_short) {
		inv_log(session->log, INV_LOG_WARNING, "stopped before the end: %s", check->cut_short);
		status = INV_EXIT_STOPPED;
	}
	inv_patterns_free(&patterns);
	inv_check_free(check);
	return status;
}
