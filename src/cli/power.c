// SPDX-License-Identifier: Apache-2.0
// Who can take over whom: the processes and threads that are open with rights to write, run or impersonate, what such a handle crosses,
// and which protected process is reached in the end. A listing: nothing of it is a finding.
#include <stdlib.h>

#include "base/array.h"
#include "cli/command.h"
#include "invariant/families.h"
#include "nt/access.h"

#define NOBODY UINT32_MAX
#define CHAIN_SHOWN 8u // processes of a chain that are written out

#define CONTROLS (INV_PROCESS_SUSPEND_RESUME | INV_PROCESS_TERMINATE)

// What comes of a handle, from what weighs most.
enum deed { TAKES_OVER, READS, CONTROLS_IT, KEEPS, DEEDS };
static const char *const deeds[DEEDS] = {"takes over", "reads", "controls", "keeps"};

// Rows are shown in this order.
enum rank {
	INTO_PROTECTED,
	TOWARDS_PROTECTED,
	OUT_OF_SESSION,
	WITHIN,
	MERELY_READS,
	MERELY_CONTROLS,
	OF_ZOMBIE,
	RANKS
};

// All handles of one process to another and to its threads.
struct edge {
	uint32_t holder, target; // indices of dossiers
	uint32_t access;         // to the process, together
	uint32_t thread_access;  // to its threads, together
	uint32_t handles;
};

struct entry {
	uint32_t holder, target, access;
	bool to_thread;
};

struct graph {
	const struct inv_check *check;
	struct inv_arena *arena;
	struct entry *entries; // stb_ds
	struct edge *edges;    // stb_ds, by target
	size_t *first;         // of each target's edges; one more than there are processes
	uint32_t *hops, *next; // of each process: how far it is from a protected one, and over whom; NOBODY: not at all
	struct inv_protection *guarded; // of each process
	struct inv_value *session;      // of each process: its session's object
};

static const struct inv_dossier *process_of(const struct graph *graph, uint32_t index)
{
	return &graph->check->dossiers.processes[index];
}

static uint32_t index_of(const struct graph *graph, const struct inv_dossier *process)
{
	return process ? (uint32_t)(process - graph->check->dossiers.processes) : NOBODY;
}

// Whose table it is; NOBODY also of the kernel's own: what it has open says nothing about who may do what.
static uint32_t *read_holders(const struct graph *graph)
{
	const struct inv_testimony *testimony = graph->check->testimony;
	uint32_t *holders = inv_alloc((inv_count(testimony->tables) + 1) * sizeof *holders);
	for (size_t i = 0; i < inv_count(testimony->tables); i++) {
		const struct inv_table_record *table = &testimony->tables[i];
		bool of_kernel = testimony->kernel_table.ok && testimony->kernel_table.u == table->address;
		holders[i] = of_kernel ? NOBODY : index_of(graph, inv_holder_of(&graph->check->dossiers, table));
	}
	return holders;
}

static uint32_t target_of(const struct graph *graph, const struct inv_handle_record *record, bool *to_thread)
{
	const struct inv_dossiers *dossiers = &graph->check->dossiers;
	const struct inv_thread_dossier *thread = NULL;
	*to_thread = record->target == INV_TARGET_THREAD;
	if (!*to_thread)
		return index_of(graph, record->target == INV_TARGET_PROCESS ? inv_dossier_at(dossiers, record->body) : NULL);
	thread = inv_thread_dossier_at(dossiers, record->body);
	uint64_t owner = !thread ? 0 : thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
	return index_of(graph, inv_dossier_at(dossiers, owner));
}

static void read_entries(struct graph *graph)
{
	const struct inv_testimony *testimony = graph->check->testimony;
	uint32_t *holders = read_holders(graph), target = NOBODY;
	uint64_t last = 0;
	bool to_thread = false;
	for (size_t i = 0; i < inv_count(testimony->handles); i++) {
		const struct inv_handle_record *record = &testimony->handles[i];
		if (record->body != last) // they stand by body
			target = target_of(graph, record, &to_thread);
		last = record->body;
		uint32_t holder = holders[record->table];
		if (target == NOBODY || holder == NOBODY || holder == target)
			continue;
		struct inv_value access = inv_handle_access_at(graph->check->kernel, record->at);
		if (access.ok)
			inv_push(graph->entries, ((struct entry){holder, target, (uint32_t)access.u, to_thread}));
	}
	free(holders);
}

// By target: counts first, so that every entry is touched as often as there are entries.
static void sort_entries(struct graph *graph)
{
	size_t count = inv_count(graph->entries), processes = graph->check->dossiers.process_count;
	size_t *starts = inv_alloc((processes + 1) * sizeof *starts);
	for (size_t i = 0; i < count; i++)
		starts[graph->entries[i].target + 1]++;
	for (size_t i = 0; i < processes; i++)
		starts[i + 1] += starts[i];
	struct entry *sorted = NULL;
	stbds_arrsetlen(sorted, count);
	for (size_t i = 0; i < count; i++)
		sorted[starts[graph->entries[i].target]++] = graph->entries[i];
	inv_array_free(graph->entries);
	graph->entries = sorted;
	free(starts);
}

static void join_entries(struct graph *graph)
{
	size_t processes = graph->check->dossiers.process_count;
	size_t *known = inv_alloc((processes + 1) * sizeof *known); // of each holder: its last edge, and one
	size_t next = 0;
	for (uint32_t target = 0; target < processes; target++) {
		graph->first[target] = inv_count(graph->edges);
		for (; next < inv_count(graph->entries) && graph->entries[next].target == target; next++) {
			const struct entry *entry = &graph->entries[next];
			if (known[entry->holder] <= graph->first[target]) {
				inv_push(graph->edges, ((struct edge){.holder = entry->holder, .target = target}));
				known[entry->holder] = inv_count(graph->edges);
			}
			struct edge *edge = &graph->edges[known[entry->holder] - 1];
			edge->handles++;
			*(entry->to_thread ? &edge->thread_access : &edge->access) |= entry->access;
		}
	}
	graph->first[processes] = inv_count(graph->edges);
	free(known);
}

static enum deed deed_of(const struct graph *graph, const struct edge *edge)
{
	enum inv_state state = process_of(graph, edge->target)->state;
	if (state == INV_STATE_ZOMBIE || state == INV_STATE_DELETING)
		return KEEPS;
	if (edge->access & INV_PROCESS_TAKEOVER || edge->thread_access & INV_THREAD_TAKEOVER)
		return TAKES_OVER;
	if (edge->access & INV_PROCESS_VM_READ || edge->thread_access & INV_THREAD_POWER)
		return READS;
	bool controls = edge->access & CONTROLS || edge->thread_access & INV_THREAD_SUSPEND_RESUME;
	return controls ? CONTROLS_IT : DEEDS;
}

// Whether protection lies between the two: the target has it, and the holder has less.
static bool is_guarded(const struct graph *graph, const struct edge *edge)
{
	const struct inv_protection *target = &graph->guarded[edge->target], *holder = &graph->guarded[edge->holder];
	return target->type && (!holder->type || holder->signer < target->signer);
}

static bool crosses_session(const struct graph *graph, const struct edge *edge)
{
	const struct inv_value *from = &graph->session[edge->holder], *to = &graph->session[edge->target];
	return from->ok && to->ok && from->u && from->u != to->u;
}

// From every protected process backwards over those who can take over whom, the nearest first.
static void find_ways(struct graph *graph)
{
	uint32_t count = (uint32_t)graph->check->dossiers.process_count, *queue = NULL;
	for (uint32_t i = 0; i < count; i++) {
		graph->hops[i] = graph->guarded[i].type ? 0 : NOBODY;
		graph->next[i] = NOBODY;
		if (graph->guarded[i].type)
			inv_push(queue, i);
	}
	for (size_t done = 0; done < inv_count(queue); done++) {
		uint32_t target = queue[done];
		for (size_t i = graph->first[target]; i < graph->first[target + 1]; i++) {
			const struct edge *edge = &graph->edges[i];
			if (graph->hops[edge->holder] != NOBODY || deed_of(graph, edge) != TAKES_OVER)
				continue;
			graph->hops[edge->holder] = graph->hops[target] + 1;
			graph->next[edge->holder] = target;
			inv_push(queue, edge->holder);
		}
	}
	inv_array_free(queue);
}

static enum rank rank_of(const struct graph *graph, const struct edge *edge, enum deed deed)
{
	if (deed == KEEPS)
		return OF_ZOMBIE;
	if (is_guarded(graph, edge) && deed != CONTROLS_IT)
		return INTO_PROTECTED;
	if (deed == READS)
		return MERELY_READS;
	if (deed == CONTROLS_IT)
		return MERELY_CONTROLS;
	bool weaker = !graph->guarded[edge->holder].type;
	if (weaker && graph->next[edge->holder] == edge->target)
		return TOWARDS_PROTECTED;
	return crosses_session(graph, edge) ? OUT_OF_SESSION : WITHIN;
}

static const char *name_of(const struct graph *graph, uint32_t index)
{
	const struct inv_dossier *process = process_of(graph, index);
	if (!process->pid.ok)
		return process->name;
	return inv_arena_printf(graph->arena, "%llu %s", (unsigned long long)process->pid.u, process->name);
}

// The processes from the target of a handle to a protected one.
static const char *chain_of(const struct graph *graph, uint32_t target)
{
	const char *text = name_of(graph, target);
	for (unsigned i = 1; graph->next[target] != NOBODY; i++) {
		target = graph->next[target];
		if (i == CHAIN_SHOWN)
			return inv_arena_printf(graph->arena, "%s > ...", text);
		text = inv_arena_printf(graph->arena, "%s > %s", text, name_of(graph, target));
	}
	return text;
}

static const char *crossed(const struct graph *graph, const struct edge *edge)
{
	bool session = crosses_session(graph, edge);
	if (is_guarded(graph, edge))
		return session ? "protection, session" : "protection";
	return session ? "session" : "";
}

static const char *rights_of(const struct graph *graph, const struct edge *edge)
{
	const char *process = inv_access_text(INV_ACCESS_PROCESS, edge->access, graph->arena);
	const char *thread = inv_access_text(INV_ACCESS_THREAD, edge->thread_access, graph->arena);
	if (!*thread)
		return process;
	return inv_arena_printf(graph->arena, "%s%sthreads: %s", process, *process ? "; " : "", thread);
}

static void add_edge(struct graph *graph, struct inv_table *table, const struct edge *edge, enum deed deed,
                     enum rank rank)
{
	const struct inv_dossier *holder = process_of(graph, edge->holder), *target = process_of(graph, edge->target);
	inv_table_value(table, &holder->pid, INV_CELL_NUMBER);
	inv_table_text(table, holder->name);
	inv_table_text(table, deeds[deed]);
	inv_table_value(table, &target->pid, INV_CELL_NUMBER);
	inv_table_text(table, target->name);
	inv_table_text(table, crossed(graph, edge));
	inv_table_text(table, rights_of(graph, edge));
	inv_table_number(table, edge->handles);
	inv_table_text(table, rank == TOWARDS_PROTECTED ? chain_of(graph, edge->target) : NULL);
	inv_table_address(table, holder->address);
	inv_table_address(table, target->address);
}

// What no handle leads to and is there still: the kernel refers to it, or an entry is hidden.
static void add_orphans(struct graph *graph, struct inv_table *table)
{
	for (uint32_t i = 0; i < graph->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = process_of(graph, i);
		size_t count;
		(void)inv_handles_to(graph->check->testimony, process->address, &count);
		if (process->state != INV_STATE_ZOMBIE || count)
			continue;
		inv_table_text(table, NULL);
		inv_table_text(table, "no handle");
		inv_table_text(table, deeds[KEEPS]);
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

static bool is_wanted(const struct graph *graph, const struct edge *edge, const struct inv_dossier *only)
{
	return !only || process_of(graph, edge->holder) == only || process_of(graph, edge->target) == only;
}

static void show(struct graph *graph, struct inv_table *table, const struct inv_dossier *only)
{
	uint32_t *ranked[RANKS] = {0};
	for (size_t i = 0; i < inv_count(graph->edges); i++) {
		enum deed deed = deed_of(graph, &graph->edges[i]);
		if (deed != DEEDS && is_wanted(graph, &graph->edges[i], only))
			inv_push(ranked[rank_of(graph, &graph->edges[i], deed)], (uint32_t)i);
	}
	for (unsigned rank = 0; rank < RANKS; rank++) {
		for (size_t i = 0; i < inv_count(ranked[rank]); i++) {
			const struct edge *edge = &graph->edges[ranked[rank][i]];
			add_edge(graph, table, edge, deed_of(graph, edge), (enum rank)rank);
		}
		inv_array_free(ranked[rank]);
	}
	if (!only)
		add_orphans(graph, table);
}

static void read_processes(struct graph *graph)
{
	const struct inv_dossiers *dossiers = &graph->check->dossiers;
	for (size_t i = 0; i < dossiers->process_count; i++) {
		uint64_t process = dossiers->processes[i].address;
		graph->guarded[i] = inv_protection_of(dossiers->kernel, process);
		graph->session[i] = inv_field(dossiers->kernel, process, INV_F_EPROCESS_Session);
	}
}

static void make(struct graph *graph)
{
	size_t count = graph->check->dossiers.process_count;
	inv_sort_handles(graph->check->testimony); // a check that was not judged has left them as they were read
	graph->first = inv_alloc((count + 1) * sizeof *graph->first);
	graph->hops = inv_alloc((count + 1) * sizeof *graph->hops);
	graph->next = inv_alloc((count + 1) * sizeof *graph->next);
	graph->guarded = inv_alloc((count + 1) * sizeof *graph->guarded);
	graph->session = inv_alloc((count + 1) * sizeof *graph->session);
	read_processes(graph);
	read_entries(graph);
	sort_entries(graph);
	join_entries(graph);
	inv_array_free(graph->entries);
	find_ways(graph);
}

static void clear(struct graph *graph)
{
	inv_array_free(graph->edges);
	free(graph->first);
	free(graph->hops);
	free(graph->next);
	free(graph->guarded);
	free(graph->session);
	inv_arena_free(graph->arena);
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
	struct graph graph = {.check = check, .arena = inv_arena_new()};
	warn(session, check->testimony);
	make(&graph);
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	show(&graph, table, only);
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	clear(&graph);
	inv_check_free(check);
	return INV_EXIT_OK;
}
