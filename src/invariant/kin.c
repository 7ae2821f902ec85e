// SPDX-License-Identifier: Apache-2.0
#include "invariant/kin.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "base/search.h"

#define SLACK 10000000ull // one second

// Of a process: when it was inserted and created, as far as it can be read; else zero.
struct age {
	uint64_t sequence, created, interrupt;
};

struct bearer {
	uint64_t id;
	const struct inv_dossier *process; // or
	const struct inv_thread_dossier *thread;
};

struct inv_kin {
	const struct inv_dossiers *dossiers;
	struct age *ages;       // one per dossier
	struct bearer *bearers; // stb_ds, by identifier
	uint64_t *sequences;    // stb_ds, rising, each once: those of processes that exist
	bool offsets_known;     // then:
	uint64_t lowest,
	    highest; // the offsets between wall clock and interrupt time that any process shows, and that of now
};

const char *inv_parent_name(enum inv_parent_kind kind)
{
	static const char *const names[] = {"none", "proved", "remains", "gone", "recycled", "impossible", "unsure"};
	return names[kind];
}

static uint64_t read(const struct inv_dossiers *dossiers, uint64_t object, enum inv_field field)
{
	struct inv_value value = inv_field(dossiers->kernel, object, field);
	return value.ok ? value.u : 0;
}

static const struct age *age_of(const struct inv_kin *kin, const struct inv_dossier *process)
{
	return &kin->ages[process - kin->dossiers->processes];
}

// -- collecting -------------------------------------------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
	const struct bearer *left = a, *right = b;
	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	uint64_t l = left->process ? left->process->address : left->thread->address;
	uint64_t r = right->process ? right->process->address : right->thread->address;
	return (l > r) - (l < r);
}

static void note_offset(struct inv_kin *kin, uint64_t offset)
{
	if (!kin->offsets_known || offset < kin->lowest)
		kin->lowest = offset;
	if (!kin->offsets_known || offset > kin->highest)
		kin->highest = offset;
	kin->offsets_known = true;
}

static void note_process(struct inv_kin *kin, const struct inv_dossier *process)
{
	struct age *age = &kin->ages[process - kin->dossiers->processes];
	*age = (struct age){
	    .sequence = read(kin->dossiers, process->address, INV_F_EPROCESS_SequenceNumber),
	    .created = read(kin->dossiers, process->address, INV_F_EPROCESS_CreateTime),
	    .interrupt = read(kin->dossiers, process->address, INV_F_EPROCESS_CreateInterruptTime),
	};
	if (process->pid.ok && process->pid.u) {
		struct bearer bearer = {.id = process->pid.u, .process = process};
		inv_push(kin->bearers, bearer);
	}
	if (!inv_is_live(process))
		return;
	if (age->sequence)
		inv_push(kin->sequences, age->sequence);
	if (age->created && age->interrupt && age->created > age->interrupt)
		note_offset(kin, age->created - age->interrupt);
}

// What PspCidTable says of processes that bear another identifier, and of threads.
static void note_identifiers(struct inv_kin *kin)
{
	const struct inv_testimony *testimony = kin->dossiers->testimony;
	for (size_t i = 0; i < inv_count(testimony->ids); i++) {
		const struct inv_id_record *record = &testimony->ids[i];
		struct bearer bearer = {.id = record->id};
		if (record->target == INV_TARGET_PROCESS)
			bearer.process = inv_dossier_at(kin->dossiers, record->object);
		else if (record->target == INV_TARGET_THREAD)
			bearer.thread = inv_thread_dossier_at(kin->dossiers, record->object);
		bool known = bearer.process && bearer.process->pid.ok && bearer.process->pid.u == record->id;
		if ((bearer.process && !known) || bearer.thread)
			inv_push(kin->bearers, bearer);
	}
}

struct inv_kin *inv_kin_new(const struct inv_dossiers *dossiers)
{
	struct inv_kin *kin = inv_alloc(sizeof *kin);
	kin->dossiers = dossiers;
	kin->ages = inv_alloc((dossiers->process_count + 1) * sizeof *kin->ages);
	for (size_t i = 0; i < dossiers->process_count; i++)
		note_process(kin, &dossiers->processes[i]);
	note_identifiers(kin);
	if (dossiers->kernel->boot_time.ok)
		note_offset(kin, dossiers->kernel->boot_time.u);
	if (kin->bearers)
		qsort(kin->bearers, inv_count(kin->bearers), sizeof *kin->bearers, by_id);
	inv_numbers_keep_once(kin->sequences);
	return kin;
}

void inv_kin_free(struct inv_kin *kin)
{
	if (!kin)
		return;
	inv_array_free(kin->bearers);
	inv_array_free(kin->sequences);
	free(kin->ages);
	free(kin);
}

// -- age --------------------------------------------------------------------------------------------------------------------

static enum inv_answer before(uint64_t one, uint64_t other)
{
	if (one == other || one == 0 || other == 0)
		return INV_UNSURE;
	return one < other ? INV_YES : INV_NO;
}

// One that is not inserted yet has no number. System is the first, and gets its times late.
enum inv_answer inv_kin_is_older(const struct inv_kin *kin, const struct inv_dossier *one,
                                 const struct inv_dossier *other)
{
	const struct age *a = age_of(kin, one), *b = age_of(kin, other);
	if (one->role == INV_ROLE_SYSTEM || other->role == INV_ROLE_SYSTEM)
		return one->role == INV_ROLE_SYSTEM && other->role != INV_ROLE_SYSTEM ? INV_YES : INV_NO;
	if (a->sequence && b->sequence)
		return before(a->sequence, b->sequence);
	if (a->sequence || b->sequence)
		return a->sequence ? INV_YES : INV_NO;
	return a->interrupt && b->interrupt ? before(a->interrupt, b->interrupt) : before(a->created, b->created);
}

int inv_kin_compare(const struct inv_kin *kin, const struct inv_dossier *one, const struct inv_dossier *other)
{
	const struct age *a = age_of(kin, one), *b = age_of(kin, other);
	uint64_t left = a->sequence ? a->sequence : UINT64_MAX, right = b->sequence ? b->sequence : UINT64_MAX;
	bool first = one->role == INV_ROLE_IDLE;
	if (first != (other->role == INV_ROLE_IDLE))
		return first ? -1 : 1;
	if (left != right)
		return left < right ? -1 : 1;
	left = a->created ? a->created : UINT64_MAX;
	right = b->created ? b->created : UINT64_MAX;
	if (left != right)
		return left < right ? -1 : 1;
	return (one->address > other->address) - (one->address < other->address);
}

// A thread has no number, and only the wall clock tells its age: by every setting that the clock is known to have had.
static enum inv_answer is_thread_older(const struct inv_kin *kin, const struct inv_thread_dossier *thread,
                                       const struct inv_dossier *process)
{
	const struct inv_dossier *owner = thread->process.ok ? inv_dossier_at(kin->dossiers, thread->process.u) : NULL;
	if (owner && (owner == process || inv_kin_is_older(kin, process, owner) == INV_YES))
		return INV_NO;
	uint64_t created = read(kin->dossiers, thread->address, INV_F_ETHREAD_CreateTime);
	uint64_t interrupt = age_of(kin, process)->interrupt;
	if (!created || !interrupt || !kin->offsets_known)
		return INV_UNSURE;
	if (created >= kin->highest && created - kin->highest >= interrupt)
		return INV_NO;
	return created < kin->lowest || created - kin->lowest + SLACK < interrupt ? INV_YES : INV_UNSURE;
}

// Numbers are given out one by one. True if every process that was inserted before this one is still known.
static bool are_elders_complete(const struct inv_kin *kin, const struct inv_dossier *process)
{
	uint64_t own = age_of(kin, process)->sequence;
	size_t low = inv_count_below(kin->sequences, inv_count(kin->sequences), sizeof *kin->sequences, own, 0);
	return own > 1 && low == own - 1;
}

// -- parents ----------------------------------------------------------------------------------------------------------------

// The first bearer of an identifier; the others follow. NULL: none.
static const struct bearer *first_bearer(const struct inv_kin *kin, uint64_t id)
{
	size_t low = INV_LOWER_BOUND(kin->bearers, inv_count(kin->bearers), id, id);
	return low < inv_count(kin->bearers) && kin->bearers[low].id == id ? &kin->bearers[low] : NULL;
}

struct bearers { // of one identifier, by what they are to a process
	const struct inv_dossier *elder, *remains, *younger;
	const struct inv_thread_dossier *elder_thread, *younger_thread;
	bool unsure;
};

static void take_process(const struct inv_kin *kin, const struct inv_dossier *bearer, const struct inv_dossier *process,
                         struct bearers *all)
{
	enum inv_answer older = bearer == process ? INV_NO : inv_kin_is_older(kin, bearer, process);
	bool live = inv_is_live(bearer);
	const struct inv_dossier **place = live ? &all->elder : &all->remains;
	if (bearer == process)
		return;
	if (older == INV_YES && (live || age_of(kin, bearer)->created)) {
		if (!*place || inv_kin_compare(kin, *place, bearer) < 0)
			*place = bearer;
	} else if (live) {
		all->unsure |= older == INV_UNSURE;
		all->younger = bearer;
	}
}

static struct bearers bearers_of(const struct inv_kin *kin, uint64_t id, const struct inv_dossier *process)
{
	struct bearers all = {0};
	const struct bearer *end = kin->bearers + inv_count(kin->bearers);
	for (const struct bearer *bearer = first_bearer(kin, id); bearer && bearer < end && bearer->id == id; bearer++) {
		if (bearer->process) {
			take_process(kin, bearer->process, process, &all);
			continue;
		}
		enum inv_answer older = is_thread_older(kin, bearer->thread, process);
		*(older == INV_YES ? &all.elder_thread : &all.younger_thread) = bearer->thread;
		all.unsure |= older == INV_UNSURE;
	}
	return all;
}

const struct inv_dossier *inv_kin_elder(const struct inv_kin *kin, uint64_t id, const struct inv_dossier *process)
{
	return bearers_of(kin, id, process).elder;
}

static struct inv_parent without_identifier(const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_SYSTEM || process->role == INV_ROLE_IDLE)
		return (struct inv_parent){.kind = INV_PARENT_NONE};
	if (process->role == INV_ROLE_ORDINARY)
		return (struct inv_parent){.kind = INV_PARENT_IMPOSSIBLE, .why = "only Idle and System have no parent"};
	return (struct inv_parent){.kind = INV_PARENT_UNSURE,
	                           .why = "whether such a process can be without a parent is not verified"};
}

// PspReferenceCidTableEntry refuses the first entry of each page of the table.
static const char *why_never_a_parents(const struct inv_dossier *process)
{
	uint64_t id = process->parent.u;
	if (process->pid.ok && process->pid.u == id)
		return "it is the process' own identifier, which nobody else had when it was created";
	return id % 4 || (id & 0x3fc) == 0 ? "no process can have that identifier" : NULL;
}

static struct inv_parent of_bearers(const struct inv_kin *kin, const struct inv_dossier *process,
                                    const struct bearers *all)
{
	if (all->elder)
		return (struct inv_parent){.kind = INV_PARENT_PROVED, .process = all->elder};
	if (all->elder_thread)
		return (struct inv_parent){.kind = INV_PARENT_IMPOSSIBLE,
		                           .thread = all->elder_thread,
		                           .why = "a thread had that identifier when the process was created"};
	if (all->unsure)
		return (struct inv_parent){
		    .kind = INV_PARENT_UNSURE,
		    .process = all->younger,
		    .thread = all->younger_thread,
		    .why = "whether the process or who has its parent's identifier was there first cannot be told"};
	if (all->remains)
		return (struct inv_parent){.kind = INV_PARENT_REMAINS, .process = all->remains};
	if (are_elders_complete(kin, process))
		return (struct inv_parent){
		    .kind = INV_PARENT_IMPOSSIBLE,
		    .process = all->younger,
		    .thread = all->younger_thread,
		    .why = "all processes that were there before are still there, and none has that identifier"};
	bool recycled = all->younger || all->younger_thread;
	return (struct inv_parent){.kind = recycled ? INV_PARENT_RECYCLED : INV_PARENT_GONE,
	                           .process = all->younger,
	                           .thread = all->younger_thread};
}

struct inv_parent inv_kin_parent(const struct inv_kin *kin, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE)
		return (struct inv_parent){.kind = INV_PARENT_NONE};
	if (!process->parent.ok)
		return (struct inv_parent){.kind = INV_PARENT_UNSURE, .why = "its parent's identifier could not be read"};
	if (process->parent.u == 0)
		return without_identifier(process);
	const char *why = why_never_a_parents(process);
	if (why)
		return (struct inv_parent){.kind = INV_PARENT_IMPOSSIBLE, .why = why};
	struct bearers all = bearers_of(kin, process->parent.u, process);
	return of_bearers(kin, process, &all);
}
