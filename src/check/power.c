// SPDX-License-Identifier: Apache-2.0
#include "check/power.h"

#include <stdlib.h>

#include "base/array.h"
#include "invariant/families.h"
#include "nt/access.h"

#define CONTROLS (INV_PROCESS_SUSPEND_RESUME | INV_PROCESS_TERMINATE)

const char *inv_deed_name(enum inv_deed deed)
{
	static const char *const names[INV_DEEDS] = {"takes over", "reads", "controls", "keeps"};
	return deed < INV_DEEDS ? names[deed] : "";
}

// In the order of the handles.
struct entry {
	uint32_t holder, target, access;
	bool to_thread;
};

static const struct inv_dossier *process_of(const struct inv_power *power, uint32_t index)
{
	return &power->check->dossiers.processes[index];
}

static uint32_t index_of(const struct inv_power *power, const struct inv_dossier *process)
{
	return process ? (uint32_t)(process - power->check->dossiers.processes) : INV_NOBODY;
}

// Whose table it is; INV_NOBODY also of the kernel's own: what it has open says nothing about who may do what.
static uint32_t *read_holders(const struct inv_power *power)
{
	const struct inv_testimony *testimony = power->check->testimony;
	uint32_t *holders = inv_alloc((inv_count(testimony->tables) + 1) * sizeof *holders);
	for (size_t i = 0; i < inv_count(testimony->tables); i++) {
		const struct inv_table_record *table = &testimony->tables[i];
		bool of_kernel = testimony->kernel_table.ok && testimony->kernel_table.u == table->address;
		holders[i] = of_kernel ? INV_NOBODY : index_of(power, inv_holder_of(&power->check->dossiers, table));
	}
	return holders;
}

static uint32_t target_of(const struct inv_power *power, const struct inv_handle_record *record, bool *to_thread)
{
	const struct inv_dossiers *dossiers = &power->check->dossiers;
	const struct inv_thread_dossier *thread = NULL;
	*to_thread = record->target == INV_TARGET_THREAD;
	if (!*to_thread)
		return index_of(power, record->target == INV_TARGET_PROCESS ? inv_dossier_at(dossiers, record->body) : NULL);
	thread = inv_thread_dossier_at(dossiers, record->body);
	uint64_t owner = !thread ? 0 : thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
	return index_of(power, inv_dossier_at(dossiers, owner));
}

static struct entry *read_entries(const struct inv_power *power)
{
	const struct inv_testimony *testimony = power->check->testimony;
	struct entry *entries = NULL;
	uint32_t *holders = read_holders(power), target = INV_NOBODY;
	uint64_t last = 0;
	bool to_thread = false;
	for (size_t i = 0; i < inv_count(testimony->handles); i++) {
		const struct inv_handle_record *record = &testimony->handles[i];
		if (record->body != last) // they stand by body
			target = target_of(power, record, &to_thread);
		last = record->body;
		uint32_t holder = holders[record->table];
		if (target == INV_NOBODY || holder == INV_NOBODY || holder == target)
			continue;
		struct inv_value access = inv_handle_access_at(power->check->kernel, record->at);
		if (access.ok)
			inv_push(entries, ((struct entry){holder, target, (uint32_t)access.u, to_thread}));
	}
	free(holders);
	return entries;
}

// By target: counts first, so that every entry is touched as often as there are entries.
static struct entry *sort_entries(const struct inv_power *power, struct entry *entries)
{
	size_t count = inv_count(entries), processes = power->check->dossiers.process_count;
	size_t *starts = inv_alloc((processes + 1) * sizeof *starts);
	for (size_t i = 0; i < count; i++)
		starts[entries[i].target + 1]++;
	for (size_t i = 0; i < processes; i++)
		starts[i + 1] += starts[i];
	struct entry *sorted = NULL;
	stbds_arrsetlen(sorted, count);
	for (size_t i = 0; i < count; i++)
		sorted[starts[entries[i].target]++] = entries[i];
	inv_array_free(entries);
	free(starts);
	return sorted;
}

static void join_entries(struct inv_power *power, const struct entry *entries)
{
	size_t processes = power->check->dossiers.process_count;
	size_t *known = inv_alloc((processes + 1) * sizeof *known); // of each holder: its last edge, and one
	size_t next = 0;
	for (uint32_t target = 0; target < processes; target++) {
		power->first[target] = inv_count(power->edges);
		for (; next < inv_count(entries) && entries[next].target == target; next++) {
			const struct entry *entry = &entries[next];
			if (known[entry->holder] <= power->first[target]) {
				inv_push(power->edges, ((struct inv_power_edge){.holder = entry->holder, .target = target}));
				known[entry->holder] = inv_count(power->edges);
			}
			struct inv_power_edge *edge = &power->edges[known[entry->holder] - 1];
			edge->handles++;
			*(entry->to_thread ? &edge->thread_access : &edge->access) |= entry->access;
		}
	}
	power->first[processes] = inv_count(power->edges);
	free(known);
}

static enum inv_deed deed_of(const struct inv_power *power, const struct inv_power_edge *edge)
{
	enum inv_state state = process_of(power, edge->target)->state;
	if (state == INV_STATE_ZOMBIE || state == INV_STATE_DELETING)
		return INV_KEEPS;
	if (edge->access & INV_PROCESS_TAKEOVER || edge->thread_access & INV_THREAD_TAKEOVER)
		return INV_TAKES_OVER;
	if (edge->access & INV_PROCESS_VM_READ || edge->thread_access & INV_THREAD_POWER)
		return INV_READS;
	bool controls = edge->access & CONTROLS || edge->thread_access & INV_THREAD_SUSPEND_RESUME;
	return controls ? INV_CONTROLS : INV_DEEDS;
}

bool inv_power_is_guarded(const struct inv_power *power, const struct inv_power_edge *edge)
{
	const struct inv_protection *target = &power->guarded[edge->target], *holder = &power->guarded[edge->holder];
	return target->type && (!holder->type || holder->signer < target->signer);
}

static bool crosses_session(const struct inv_power *power, const struct inv_power_edge *edge)
{
	const struct inv_value *from = &power->session[edge->holder], *to = &power->session[edge->target];
	return from->ok && to->ok && from->u && from->u != to->u;
}

// From every protected process backwards over those who can take over whom, the nearest first.
static void find_ways(struct inv_power *power)
{
	uint32_t count = (uint32_t)power->check->dossiers.process_count, *queue = NULL;
	for (uint32_t i = 0; i < count; i++) {
		power->hops[i] = power->guarded[i].type ? 0 : INV_NOBODY;
		power->next[i] = INV_NOBODY;
		if (power->guarded[i].type)
			inv_push(queue, i);
	}
	for (size_t done = 0; done < inv_count(queue); done++) {
		uint32_t target = queue[done];
		for (size_t i = power->first[target]; i < power->first[target + 1]; i++) {
			const struct inv_power_edge *edge = &power->edges[i];
			if (power->hops[edge->holder] != INV_NOBODY || deed_of(power, edge) != INV_TAKES_OVER)
				continue;
			power->hops[edge->holder] = power->hops[target] + 1;
			power->next[edge->holder] = target;
			inv_push(queue, edge->holder);
		}
	}
	inv_array_free(queue);
}

static enum inv_power_rank rank_of(const struct inv_power *power, const struct inv_power_edge *edge, enum inv_deed deed)
{
	if (deed == INV_KEEPS)
		return INV_OF_ZOMBIE;
	if (inv_power_is_guarded(power, edge) && deed != INV_CONTROLS)
		return INV_INTO_PROTECTED;
	if (deed == INV_READS)
		return INV_MERELY_READS;
	if (deed == INV_CONTROLS)
		return INV_MERELY_CONTROLS;
	bool weaker = !power->guarded[edge->holder].type;
	if (weaker && power->next[edge->holder] == edge->target)
		return INV_TOWARDS_PROTECTED;
	return crosses_session(power, edge) ? INV_OUT_OF_SESSION : INV_WITHIN;
}

const char *inv_power_crossed(const struct inv_power *power, const struct inv_power_edge *edge)
{
	bool session = crosses_session(power, edge);
	if (inv_power_is_guarded(power, edge))
		return session ? "protection, session" : "protection";
	return session ? "session" : "";
}

const char *inv_power_rights(struct inv_power *power, const struct inv_power_edge *edge)
{
	const char *process = inv_access_text(INV_ACCESS_PROCESS, edge->access, power->arena);
	const char *thread = inv_access_text(INV_ACCESS_THREAD, edge->thread_access, power->arena);
	if (!*thread)
		return process;
	return inv_arena_printf(power->arena, "%s%sthreads: %s", process, *process ? "; " : "", thread);
}

static void read_processes(struct inv_power *power)
{
	const struct inv_dossiers *dossiers = &power->check->dossiers;
	for (size_t i = 0; i < dossiers->process_count; i++) {
		uint64_t process = dossiers->processes[i].address;
		power->guarded[i] = inv_protection_of(dossiers->kernel, process);
		power->session[i] = inv_field(dossiers->kernel, process, INV_F_EPROCESS_Session);
	}
}

// Those that give power, by rank.
static void make_rows(struct inv_power *power)
{
	struct inv_power_row *ranked[INV_POWER_RANKS] = {0};
	for (size_t i = 0; i < inv_count(power->edges); i++) {
		const struct inv_power_edge *edge = &power->edges[i];
		struct inv_power_row row = {.edge = edge, .deed = deed_of(power, edge)};
		if (row.deed == INV_DEEDS)
			continue;
		row.rank = rank_of(power, edge, row.deed);
		inv_push(ranked[row.rank], row);
	}
	for (unsigned rank = 0; rank < INV_POWER_RANKS; rank++) {
		for (size_t i = 0; i < inv_count(ranked[rank]); i++)
			inv_push(power->rows, ranked[rank][i]);
		inv_array_free(ranked[rank]);
	}
}

struct inv_power *inv_power_new(const struct inv_check *check)
{
	size_t count = check->dossiers.process_count;
	struct inv_power *power = inv_alloc(sizeof *power);
	power->check = check;
	power->arena = inv_arena_new();
	inv_sort_handles(check->testimony);
	power->first = inv_alloc((count + 1) * sizeof *power->first);
	power->hops = inv_alloc((count + 1) * sizeof *power->hops);
	power->next = inv_alloc((count + 1) * sizeof *power->next);
	power->guarded = inv_alloc((count + 1) * sizeof *power->guarded);
	power->session = inv_alloc((count + 1) * sizeof *power->session);
	read_processes(power);
	struct entry *entries = sort_entries(power, read_entries(power));
	join_entries(power, entries);
	inv_array_free(entries);
	find_ways(power);
	make_rows(power);
	return power;
}

void inv_power_free(struct inv_power *power)
{
	if (!power)
		return;
	inv_array_free(power->edges);
	inv_array_free(power->rows);
	free(power->first);
	free(power->hops);
	free(power->next);
	free(power->guarded);
	free(power->session);
	inv_arena_free(power->arena);
	free(power);
}
