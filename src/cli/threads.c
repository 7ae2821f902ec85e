// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "nt/thread.h"

static bool is_wanted(const struct inv_thread_dossier *thread, bool all, uint64_t pid)
{
	return all || (thread->cid_process.ok && thread->cid_process.u == pid);
}

static void add_state(struct inv_table *table, const struct inv_value *state)
{
	const char *name = state->ok ? inv_thread_state_name(state->u) : NULL;
	if (name)
		inv_table_text(table, name);
	else
		inv_table_value(table, state, INV_CELL_NUMBER);
}

enum inv_exit inv_run_threads(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"pid",    "tid",   "name",         "state",   "created",
	                                      "exited", "start", "start module", "process", "address"};
	const struct inv_kernel *kernel = session->kernel;
	bool all = session->options->argument_count < 2;
	uint64_t pid = 0;
	if (!all && !inv_parse_number(session->options->arguments[1], &pid)) {
		inv_fail(error, INV_E_USAGE, "'%s' is no process identifier", session->options->arguments[1]);
		return INV_EXIT_USAGE;
	}
	struct inv_check_options how = {.swept = session->options->all, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(kernel, &how);
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < check->dossiers.thread_count; i++) {
		const struct inv_thread_dossier *thread = &check->dossiers.threads[i];
		if (!is_wanted(thread, all, pid))
			continue;
		struct inv_value state = inv_field(kernel, thread->address, INV_F_KTHREAD_State);
		struct inv_value created = inv_field(kernel, thread->address, INV_F_ETHREAD_CreateTime);
		struct inv_value exited = inv_field(kernel, thread->address, INV_F_ETHREAD_ExitTime);
		struct inv_value start = inv_field(kernel, thread->address, INV_F_ETHREAD_StartAddress);
		struct inv_value terminated = inv_field(kernel, thread->address, INV_F_ETHREAD_Terminated);
		const struct inv_module *module = start.ok ? inv_kernel_module_at(kernel, start.u) : NULL;
		const struct inv_dossier *process =
		    thread->process.ok ? inv_dossier_at(&check->dossiers, thread->process.u) : NULL;
		inv_table_value(table, &thread->cid_process, INV_CELL_NUMBER);
		inv_table_value(table, &thread->cid_thread, INV_CELL_NUMBER);
		inv_table_text(table, process ? process->name : NULL);
		add_state(table, &state);
		inv_table_value(table, &created, INV_CELL_TIME);
		// Until the thread ends, ExitTime shares its place with a list (KeyedWaitChain).
		if (exited.ok && terminated.ok && !terminated.u)
			inv_table_text(table, NULL);
		else
			inv_table_value(table, &exited, INV_CELL_TIME);
		inv_table_value(table, &start, INV_CELL_ADDRESS);
		inv_table_text(table, module ? module->name : NULL);
		inv_table_value(table, &thread->process, INV_CELL_ADDRESS);
		inv_table_address(table, thread->address);
	}
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	inv_check_free(check);
	return INV_EXIT_OK;
}
