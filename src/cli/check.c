// SPDX-License-Identifier: Apache-2.0
#include "base/array.h"
#include "cli/command.h"
#include "cli/patterns.h"

enum inv_exit inv_run_check(struct inv_session *session, struct inv_error *error)
{
	(void)error;
	struct inv_style style = {.color = session->options->color};
	struct inv_check_options how = {.judged = true, .swept = true, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(session->kernel, &how);
	struct inv_patterns patterns = {0};
	if (session->pattern_rules) {
		inv_patterns_search(session, check, check->arena, &patterns);
		check->patterns = &patterns;
	}
	inv_report_check(check, INV_VERSION, session->options->output, &style, session->out);
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
