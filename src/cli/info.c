// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

enum inv_exit inv_run_info(struct inv_session *session, struct inv_error *error)
{
	if (session->kernel) {
		inv_report_info(session->kernel, session->options->output, session->out);
		return INV_EXIT_OK;
	}
	inv_report_image(session->image, session->options->output, session->out);
	fflush(session->out);
	*error = session->no_kernel;
	return INV_EXIT_IMAGE;
}
