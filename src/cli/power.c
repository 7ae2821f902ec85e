// SPDX-License-Identifier: Apache-2.0
// The list of who can take over whom (check/power.h).
#include "check/power.h"
#include "base/array.h"
#include "cli/command.h"

#define CHAIN_SHOWN 8u // processes of a chain that are written out

static const struct inv_dossier *process_of(const struct inv_power *power, uint32_t index)
{
	return &power->check->dossiers.processes[index];
}

static const char *name_of(const struct inv_power *power, uint32_t index)
{
	const struct inv_dossier *process = process_of(power, index);
	if (!process->pid.ok)
		return process->name;
	return inv_arena_printf(power->arena, "%llu %s", (unsigned long long)process->pid.u, process->name);
}

// The processes from the target of a handle to a protected one.
static const char *chain_of(const struct inv_power *power, uint32_t target)
{
	const char *text = name_of(power, target);
	for (unsigned i = 1; power->next[target] != INV_NOBODY; i++) {
		target = power->next[target];
		if (i == CHAIN_SHOWN)
			return inv_arena_printf(power->arena, "%s > ...", text);
		text = inv_arena_printf(power->arena, "%s > %s", text, name_of(power, target));
	}
	return text;
}

static void add_row(struct inv_power *power, struct inv_table *table, const struct inv_power_row *row)
{
	const struct inv_power_edge *edge = row->edge;
	const struct inv_dossier *holder = process_of(power, edge->holder), *target = process_of(power, edge->target);
	inv_table_value(table, &holder->pid, INV_CELL_NUMBER);
	inv_table_text(table, holder->name);
	inv_table_text(table, inv_deed_name(row->deed));
	inv_table_value(table, &target->pid, INV_CELL_NUMBER);
	inv_table_text(table, target->name);
	inv_table_text(table, inv_power_crossed(power, edge));
	inv_table_text(table, inv_power_rights(power, edge));
	inv_table_number(table, edge->handles);
	inv_table_text(table, row->rank == INV_TOWARDS_PROTECTED ? chain_of(power, edge->target) : NULL);
	inv_table_address(table, holder->address);
	inv_table_address(table, target->address);
}

// What no handle leads to and is there still: the kernel refers to it, or an entry is hidden.
static void add_orphans(struct inv_power *power, struct inv_table *table)
{
	for (uint32_t i = 0; i < power->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = process_of(power, i);
		size_t count;
		(void)inv_handles_to(power->check->testimony, process->address, &count);
		if (process->state != INV_STATE_ZOMBIE || count)
			continue;
		inv_table_text(table, NULL);
		inv_table_text(table, "no handle");
		inv_table_text(table, inv_deed_name(INV_KEEPS));
		inv_table_value(table, &process->pid, INV_CELL_NUMBER);
		inv_table_text(table, process->name);
		inv_table_text(table, "");
		inv_table_text(table, "");
		inv_table_number(table, 0);
		inv_table_text(table, NULL);
		inv_table_text(table, NULL);
		inv_table_address(table, process->address);
	}
}

static bool is_wanted(const struct inv_power *power, const struct inv_power_edge *edge, const struct inv_dossier *only)
{
	return !only || process_of(power, edge->holder) == only || process_of(power, edge->target) == only;
}

static void show(struct inv_power *power, struct inv_table *table, const struct inv_dossier *only)
{
	for (size_t i = 0; i < inv_count(power->rows); i++)
		if (is_wanted(power, power->rows[i].edge, only))
			add_row(power, table, &power->rows[i]);
	if (!only)
		add_orphans(power, table);
}

static void warn(const struct inv_session *session, const struct inv_testimony *testimony)
{
	const struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	if (coverage->voided)
		inv_log(session->log, INV_LOG_WARNING, "no handles: %s", coverage->voided);
	else if (!coverage->complete || coverage->unreadable)
		inv_log(session->log, INV_LOG_WARNING,
		        "not all handles are known: pages of tables or objects are not in the image");
}

enum inv_exit inv_run_power(struct inv_session *session, struct inv_error *error)
{
	static const char *const columns[] = {"pid",    "name",    "does",  "target_pid",     "target",        "crosses",
	                                      "rights", "handles", "chain", "holder_address", "target_address"};
	bool all = session->options->argument_count < 2;
	struct inv_check_options how = {.threads = session->options->threads};
	struct inv_check *check = NULL;
	const struct inv_dossier *only = NULL;
	if (all)
		check = inv_check_run(session->kernel, &how);
	else
		only = inv_pick_process(session, session->options->arguments[1], &how, &check, error);
	if (!all && !only) {
		inv_check_free(check);
		return INV_EXIT_USAGE;
	}
	warn(session, check->testimony);
	struct inv_power *power = inv_power_new(check);
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	show(power, table, only);
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	inv_power_free(power);
	inv_check_free(check);
	return INV_EXIT_OK;
}
