// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

enum inv_exit inv_run_modules(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"base", "end", "size", "name", "time stamp", "checksum", "path"};
	(void)error;
	const struct inv_kernel *kernel = session->kernel;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct inv_module *module = &kernel->modules[i];
		inv_table_address(table, module->base);
		inv_table_address(table, module->base + module->size);
		inv_table_number(table, module->size);
		if (module->name_why.reason == INV_PRESENT)
			inv_table_text(table, module->name);
		else
			inv_table_absent(table, &module->name_why);
		inv_table_address(table, module->time_stamp);
		inv_table_address(table, module->checksum);
		inv_table_text(table, module->path);
	}
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	if (!kernel->modules_complete)
		inv_log(session->log, INV_LOG_WARNING, "the list is not complete: %s",
		        kernel->modules_note ? kernel->modules_note : "it could not be read to its end");
	return INV_EXIT_OK;
}
