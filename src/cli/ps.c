// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "cli/command.h"
#include "nt/session.h"

static int by_pid(const void *a, const void *b)
{
	const struct inv_dossier *left = *(const struct inv_dossier *const *)a;
	const struct inv_dossier *right = *(const struct inv_dossier *const *)b;
	uint64_t l = left->pid.ok ? left->pid.u : UINT64_MAX, r = right->pid.ok ? right->pid.u : UINT64_MAX;
	if (l != r)
		return l < r ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

static const struct inv_dossier **sorted_by_pid(const struct inv_dossiers *dossiers)
{
	const struct inv_dossier **order = inv_alloc(dossiers->process_count * sizeof *order);
	for (size_t i = 0; i < dossiers->process_count; i++)
		order[i] = &dossiers->processes[i];
	qsort(order, dossiers->process_count, sizeof *order, by_pid);
	return order;
}

enum inv_exit inv_run_ps(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"pid",    "ppid",    "name", "state",   "threads", "created",
	                                      "exited", "session", "dtb",  "address", "role"};
	(void)error;
	const struct inv_kernel *kernel = session->kernel;
	struct inv_check_options how = {.swept = session->options->all, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(kernel, &how);
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	const struct inv_dossier **order = sorted_by_pid(&check->dossiers);
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		const struct inv_dossier *process = order[i];
		struct inv_value threads = inv_field(kernel, process->address, INV_F_EPROCESS_ActiveThreads);
		struct inv_value created = inv_field(kernel, process->address, INV_F_EPROCESS_CreateTime);
		struct inv_value exited = inv_field(kernel, process->address, INV_F_EPROCESS_ExitTime);
		bool outside;
		struct inv_value in = inv_session_of(kernel, process->address, &outside);
		struct inv_value dtb = inv_field(kernel, process->address, INV_F_KPROCESS_DirectoryTableBase);
		inv_table_value(table, &process->pid, INV_CELL_NUMBER);
		inv_table_value(table, &process->parent, INV_CELL_NUMBER);
		if (process->name_value.ok)
			inv_table_text(table, process->name);
		else
			inv_table_absent(table, &process->name_value.why);
		inv_table_text(table, inv_state_name(process->state));
		inv_table_value(table, &threads, INV_CELL_NUMBER);
		inv_table_value(table, &created, INV_CELL_TIME);
		inv_table_value(table, &exited, INV_CELL_TIME);
		if (outside)
			inv_table_text(table, NULL);
		else
			inv_table_value(table, &in, INV_CELL_NUMBER);
		inv_table_value(table, &dtb, INV_CELL_ADDRESS);
		inv_table_address(table, process->address);
		inv_table_text(table, inv_role_name(process->role));
	}
	inv_table_write(table, session->options->output, session->out);
	free(order);
	inv_table_free(table);
	inv_check_free(check);
	return INV_EXIT_OK;
}
