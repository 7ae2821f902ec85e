// SPDX-License-Identifier: Apache-2.0
#include "check/motion.h"

#include "base/array.h"
#include "base/search.h"
#include "nt/thread.h"
#include "paging/frame.h"

#define SECOND 10000000ull
#define FRAME_SHIFT 12u
#define BLINK 8u // of a LIST_ENTRY
// All links together may pass over so many processes: a forged list could pass over all of them each time.
#define MOST_PASSED_OVER ((size_t)1 << 22)

// A process that has a SequenceNumber, for the order in which processes were listed.
struct numbered {
	uint64_t number, created;
	uint64_t earliest_later; // the least CreateTime of those with greater numbers
	uint64_t process;
};

struct tracker {
	const struct inv_dossiers *dossiers;
	const struct inv_testimony *testimony;
	const struct inv_kernel *kernel;
	const struct inv_timeline *timeline;
	struct inv_track *tracks;
	struct numbered *numbered; // stb_ds, by number
};

static struct inv_track *track_of(const struct tracker *t, uint64_t object)
{
	struct inv_track *tracks = t->tracks;
	ptrdiff_t at = object ? stbds_hmgeti(tracks, object) : -1;
	return at < 0 ? NULL : &t->tracks[at];
}

// -- what an object's own page says -----------------------------------------------------------------------------------------

static bool reads(const struct inv_kernel *kernel, uint64_t object, enum inv_field field, uint64_t mask, uint64_t want)
{
	struct inv_value value = inv_field(kernel, object, field);
	return value.ok && (value.u & mask) == want;
}

static bool is_live_process(const struct inv_kernel *kernel, uint64_t process)
{
	return reads(kernel, process, INV_F_DISPATCHER_HEADER_Type, INV_DISPATCHER_TYPE, INV_PROCESS_OBJECT) &&
	       reads(kernel, process, INV_F_EPROCESS_ProcessInserted, 1, 1);
}

static bool is_thread(const struct inv_kernel *kernel, uint64_t object)
{
	return reads(kernel, object, INV_F_DISPATCHER_HEADER_Type, INV_DISPATCHER_TYPE, INV_THREAD_OBJECT);
}

static bool is_running_thread(const struct inv_kernel *kernel, uint64_t thread)
{
	struct inv_value state = inv_field(kernel, thread, INV_F_KTHREAD_State);
	return is_thread(kernel, thread) && state.ok && state.u != INV_KTHREAD_TERMINATED &&
	       !reads(kernel, thread, INV_F_ETHREAD_Terminated, 1, 1);
}

// A thread that has terminated is there until its last reference goes.
static bool is_live_thread(const struct inv_kernel *kernel, uint64_t thread)
{
	struct inv_value references = inv_object_field(kernel, thread, INV_F_OBJECT_HEADER_PointerCount);
	return is_running_thread(kernel, thread) || (is_thread(kernel, thread) && references.ok && references.u != 0);
}

static bool is_live(const struct tracker *t, uint64_t object)
{
	const struct inv_dossier *process = inv_dossier_at(t->dossiers, object);
	if (process)
		return process->role == INV_ROLE_IDLE || is_live_process(t->kernel, object);
	return is_live_thread(t->kernel, object);
}

// -- affirmations -----------------------------------------------------------------------------------------------------------

static void affirm(const struct tracker *t, uint64_t object, uint64_t address)
{
	struct inv_track *track = track_of(t, object);
	uint64_t place = track ? inv_place(t->kernel, address) : INV_NOWHERE;
	if (place == INV_NOWHERE)
		return;
	track->first = place < track->first ? place : track->first;
	track->last = place > track->last ? place : track->last;
}

static void affirm_running(const struct tracker *t, uint64_t process, uint64_t address)
{
	struct inv_track *track = track_of(t, process);
	uint64_t place = track ? inv_place(t->kernel, address) : INV_NOWHERE;
	if (place != INV_NOWHERE && place > track->running)
		track->running = place;
}

// Records of others that go when the object goes. What stands in a list is affirmed by its neighbours, below. A handle table
// is freed with its content, and an old neighbour may still lead there.
#define RECORDS (INV_BIT(INV_W_CPU) | INV_BIT(INV_W_ANCHOR) | INV_BIT(INV_W_CID_TABLE) | INV_BIT(INV_W_PFN))

static void affirm_records(const struct tracker *t)
{
	for (size_t i = 0; i < inv_count(t->testimony->handles); i++)
		affirm(t, t->testimony->handles[i].body, t->testimony->handles[i].at);
	for (size_t i = 0; i < inv_count(t->testimony->sightings); i++) {
		const struct inv_sighting *sighting = &t->testimony->sightings[i];
		uint64_t bit = INV_BIT(sighting->witness);
		if (bit & RECORDS) {
			affirm(t, sighting->process, sighting->at);
			affirm(t, sighting->thread, sighting->at);
			if (sighting->witness == INV_W_CPU)
				affirm_running(t, sighting->thread, sighting->at);
		} else if (sighting->witness == INV_W_THREAD && track_of(t, sighting->process) &&
		           is_running_thread(t->kernel, sighting->thread)) {
			affirm(t, sighting->process, sighting->at);
			affirm_running(t, sighting->process, sighting->at);
		}
	}
}

// An entry of a list shows its neighbours while what it stands in lives itself.
static void affirm_neighbours(const struct tracker *t, const struct inv_list *list, uint64_t entry, uint64_t offset,
                              bool running)
{
	if (entry != list->head && !is_live(t, entry - offset))
		return;
	struct inv_value links[] = {inv_read_u64(t->kernel, entry), inv_read_u64(t->kernel, entry + BLINK)};
	for (size_t i = 0; i < 2; i++) {
		if (!links[i].ok || links[i].u == list->head)
			continue;
		affirm(t, links[i].u - offset, links[i].address);
		if (running)
			affirm_running(t, links[i].u - offset, links[i].address);
	}
}

static void affirm_links(const struct tracker *t, const struct inv_list *list, enum inv_field entry_field)
{
	uint64_t offset;
	if (list->head == 0 || !inv_field_address(t->kernel, 0, entry_field, &offset))
		return;
	// On these a thread stands while it has not terminated.
	bool running = entry_field == INV_F_KTHREAD_ThreadListEntry || entry_field == INV_F_KTHREAD_WaitListEntry;
	affirm_neighbours(t, list, list->head, offset, running);
	for (size_t i = 0; i < list->count; i++)
		affirm_neighbours(t, list, list->nodes[i].entry, offset, running);
}

static void affirm_members(const struct tracker *t, const struct inv_group_record *groups, enum inv_field entry_field)
{
	for (size_t i = 0; i < inv_count(groups); i++)
		affirm_links(t, &groups[i].members, entry_field);
}

static void affirm_lists(const struct tracker *t)
{
	affirm_links(t, &t->testimony->active, INV_F_EPROCESS_ActiveProcessLinks);
	affirm_links(t, &t->testimony->scheduler, INV_F_KPROCESS_ProcessListEntry);
	affirm_links(t, &t->testimony->mm, INV_F_EPROCESS_MmProcessLinks);
	affirm_members(t, t->testimony->sessions, INV_F_EPROCESS_SessionProcessLinks);
	affirm_members(t, t->testimony->jobs, INV_F_EPROCESS_JobLinks);
	for (size_t i = 0; i < inv_count(t->testimony->dispatch); i++)
		affirm_links(t, &t->testimony->dispatch[i].list, INV_F_KTHREAD_WaitListEntry);
	for (size_t i = 0; i < t->dossiers->process_count; i++) {
		affirm_links(t, &t->dossiers->processes[i].threads, INV_F_ETHREAD_ThreadListEntry);
		affirm_links(t, &t->dossiers->processes[i].kthreads, INV_F_KTHREAD_ThreadListEntry);
	}
}

// -- denials ----------------------------------------------------------------------------------------------------------------

static void note_place(const struct tracker *t, uint64_t **places, uint64_t address)
{
	uint64_t place = inv_place(t->kernel, address);
	if (place != INV_NOWHERE)
		inv_push(*places, place);
}

static void deny(const struct tracker *t, struct inv_track *track, uint64_t address)
{
	note_place(t, &track->denials, address);
}

// The two that an entry calls its neighbours call each other so.
static void deny_by_neighbours(const struct tracker *t, uint64_t **places, uint64_t object, enum inv_field entry_field)
{
	uint64_t entry;
	if (!inv_field_address(t->kernel, object, entry_field, &entry))
		return;
	struct inv_value next = inv_read_u64(t->kernel, entry), previous = inv_read_u64(t->kernel, entry + BLINK);
	if (!next.ok || !previous.ok || next.u == entry || previous.u == entry || next.u == 0 || previous.u == 0)
		return;
	struct inv_value forth = inv_read_u64(t->kernel, previous.u), back = inv_read_u64(t->kernel, next.u + BLINK);
	if (forth.ok && forth.u == next.u)
		note_place(t, places, previous.u);
	if (back.ok && back.u == previous.u)
		note_place(t, places, next.u + BLINK);
}

static size_t first_above(const struct tracker *t, uint64_t number)
{
	if (!t->numbered)
		return 0;
	size_t low = INV_UPPER_BOUND(t->numbered, inv_count(t->numbered), number, number);
	return low;
}

// Numbers rise along the list, so a link that passes over the number of a process denies it, whatever the process itself says
// of its neighbours. An honest list passes over few.
static void deny_between(const struct tracker *t, uint64_t low, uint64_t high, uint64_t address, size_t *budget)
{
	for (size_t i = first_above(t, low); i < inv_count(t->numbered) && t->numbered[i].number < high; i++) {
		struct inv_track *track = track_of(t, t->numbered[i].process);
		if (*budget == 0)
			return;
		--*budget;
		if (track)
			deny(t, track, address);
	}
}

static void deny_by_number(const struct tracker *t, uint64_t entry, size_t *budget)
{
	uint64_t own, other;
	struct inv_value next = inv_read_u64(t->kernel, entry), previous = inv_read_u64(t->kernel, entry + BLINK);
	if (next.ok && inv_active_number(t->testimony, entry, 0, &own) &&
	    inv_active_number(t->testimony, next.u, UINT64_MAX, &other))
		deny_between(t, own, other, next.address, budget);
	if (previous.ok && inv_active_number(t->testimony, entry, UINT64_MAX, &own) &&
	    inv_active_number(t->testimony, previous.u, 0, &other))
		deny_between(t, other, own, previous.address, budget);
}

static void deny_by_id(const struct tracker *t, struct inv_track *track)
{
	enum inv_field field = track->thread ? INV_F_ETHREAD_CidUniqueThread : INV_F_EPROCESS_UniqueProcessId;
	struct inv_value id = inv_field(t->kernel, track->key, field);
	if (!t->testimony->cid_table || t->testimony->coverage[INV_W_CID_TABLE].voided || !id.ok || id.u == 0)
		return;
	struct inv_value slot = inv_handle_table_find(t->kernel, t->testimony->cid_table, id.u);
	if (slot.ok && slot.address && slot.u != track->key)
		deny(t, track, slot.address);
}

static void deny_by_root(const struct tracker *t, struct inv_track *track)
{
	struct inv_value dtb = inv_field(t->kernel, track->key, INV_F_KPROCESS_DirectoryTableBase);
	struct inv_pfn pfn;
	if (t->testimony->coverage[INV_W_PFN].voided || !dtb.ok || (dtb.u & INV_FRAME_MASK) == 0)
		return;
	if (inv_pfn_read(&t->testimony->pfn, (dtb.u & INV_FRAME_MASK) >> FRAME_SHIFT, &pfn, NULL) &&
	    inv_pfn_owner(&t->testimony->pfn, &pfn) != track->key)
		deny(t, track, pfn.address);
}

static void collect_denials(const struct tracker *t)
{
	for (size_t i = 0; i < stbds_hmlenu(t->tracks); i++) {
		struct inv_track *track = &t->tracks[i];
		deny_by_id(t, track);
		if (track->thread) {
			deny_by_neighbours(t, &track->denials, track->key, INV_F_ETHREAD_ThreadListEntry);
			deny_by_neighbours(t, &track->stopped, track->key, INV_F_KTHREAD_ThreadListEntry);
			continue;
		}
		deny_by_neighbours(t, &track->denials, track->key, INV_F_EPROCESS_ActiveProcessLinks);
		deny_by_neighbours(t, &track->denials, track->key, INV_F_EPROCESS_MmProcessLinks);
		deny_by_neighbours(t, &track->denials, track->key, INV_F_EPROCESS_SessionProcessLinks);
		deny_by_root(t, track);
		// What a process has only while it has threads.
		deny_by_neighbours(t, &track->stopped, track->key, INV_F_KPROCESS_ProcessListEntry);
		struct inv_value table = inv_field(t->kernel, track->key, INV_F_EPROCESS_ObjectTable);
		if (table.ok && table.u)
			deny_by_neighbours(t, &track->stopped, table.u, INV_F_HANDLE_TABLE_HandleTableList);
	}
	const struct inv_list *active = &t->testimony->active;
	size_t budget = MOST_PASSED_OVER;
	deny_by_number(t, active->head, &budget);
	for (size_t i = 0; i < active->count; i++)
		deny_by_number(t, active->nodes[i].entry, &budget);
}

// -- the decision -----------------------------------------------------------------------------------------------------------

// Was a process that was numbered later created earlier? Then its own CreateTime is no proof of its youth.
static bool is_outdated(const struct tracker *t, uint64_t process, uint64_t created)
{
	struct inv_value number = inv_field(t->kernel, process, INV_F_EPROCESS_SequenceNumber);
	size_t later = number.ok && number.u ? first_above(t, number.u) : inv_count(t->numbered);
	if (later == inv_count(t->numbered))
		return false;
	const struct numbered *next = &t->numbered[later];
	uint64_t earliest = next->created < next->earliest_later ? next->created : next->earliest_later;
	return earliest < UINT64_MAX - SECOND && earliest + SECOND < created;
}

// Created after the acquisition may have begun. A page without a time was read before there was one.
static bool is_young(const struct tracker *t, const struct inv_track *track)
{
	enum inv_field field = track->thread ? INV_F_ETHREAD_CreateTime : INV_F_EPROCESS_CreateTime;
	struct inv_value created = inv_field(t->kernel, track->key, field);
	const struct inv_timeline *timeline = t->timeline;
	if (!created.ok || created.u == 0 || timeline->clock == 0)
		return !track->alive;
	return created.u + timeline->longest > timeline->clock && (track->thread || !is_outdated(t, track->key, created.u));
}

// The first place at which the object's creation had passed: from there on it was there.
static uint64_t created_by(const struct tracker *t, const struct inv_track *track)
{
	enum inv_field field = track->thread ? INV_F_ETHREAD_CreateTime : INV_F_EPROCESS_CreateTime;
	struct inv_value created = inv_field(t->kernel, track->key, field);
	if (!created.ok || created.u == 0)
		return INV_NOWHERE;
	size_t low = INV_UPPER_BOUND(t->timeline->moments, inv_count(t->timeline->moments), passed, created.u);
	return low < inv_count(t->timeline->moments) ? t->timeline->moments[low].place : INV_NOWHERE;
}

bool inv_ended_later(const struct inv_kernel *kernel, const struct inv_timeline *timeline, uint64_t thread)
{
	struct inv_value exited = inv_field(kernel, thread, INV_F_ETHREAD_ExitTime);
	if (timeline->clock_place == INV_NOWHERE || !exited.ok || exited.u <= timeline->clock ||
	    exited.u - timeline->clock > timeline->longest || !reads(kernel, thread, INV_F_ETHREAD_Terminated, 1, 1) ||
	    !reads(kernel, thread, INV_F_KTHREAD_State, UINT64_MAX, INV_KTHREAD_TERMINATED))
		return false;
	uint64_t place = inv_place(kernel, exited.address);
	return place != INV_NOWHERE && place > timeline->clock_place;
}

// Exited after the acquisition may have begun.
static bool has_ended(const struct tracker *t, const struct inv_track *track)
{
	if (track->thread)
		return inv_ended_later(t->kernel, t->timeline, track->key);
	struct inv_value exited = inv_field(t->kernel, track->key, INV_F_EPROCESS_ExitTime);
	return exited.ok && exited.u != 0 && exited.u + t->timeline->longest > t->timeline->clock;
}

// A place between two others; INV_NOWHERE: none.
static uint64_t one_between(const uint64_t *places, uint64_t after, uint64_t before)
{
	for (size_t i = 0; i < inv_count(places); i++)
		if (after < places[i] && places[i] < before)
			return places[i];
	return INV_NOWHERE;
}

static void decide(const struct tracker *t, struct inv_track *track)
{
	uint64_t start = created_by(t, track);
	start = start < track->first ? start : track->first;
	if (!track->young)
		start = 0;
	track->denied_at = one_between(track->denials, start, track->last);
	if (track->denied_at == INV_NOWHERE)
		track->denied_at = one_between(track->stopped, start, track->running);
	bool gone = one_between(track->denials, track->last, INV_NOWHERE) != INV_NOWHERE;
	// A thread that ended is there as long as somebody has a handle to it, but runs no more.
	if (track->thread)
		gone |= one_between(track->stopped, track->running, INV_NOWHERE) != INV_NOWHERE;
	if (track->denied_at != INV_NOWHERE)
		track->motion = INV_DENIED;
	else if (track->young || track->ended || gone)
		track->motion = INV_MOVING;
	else
		track->motion = INV_STEADY;
}

static void look_at_itself(const struct tracker *t, struct inv_track *track)
{
	enum inv_field field = track->thread ? INV_F_KTHREAD_State : INV_F_EPROCESS_ProcessInserted;
	uint64_t address;
	track->first = INV_NOWHERE;
	track->last = 0;
	track->own = INV_NOWHERE;
	track->alive = is_live(t, track->key);
	if (!inv_field_address(t->kernel, track->key, field, &address))
		return;
	track->own = inv_place(t->kernel, address);
	if (track->alive)
		affirm(t, track->key, address);
	else
		deny(t, track, address);
	track->over = track->thread && !is_running_thread(t->kernel, track->key);
	if (track->thread && !track->over)
		affirm_running(t, track->key, address);
}

static int by_number(const void *a, const void *b)
{
	const struct numbered *left = a, *right = b;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (left->process > right->process) - (left->process < right->process);
}

static void number_processes(struct tracker *t)
{
	for (size_t i = 0; i < t->dossiers->process_count; i++) {
		uint64_t process = t->dossiers->processes[i].address;
		struct inv_value number = inv_field(t->kernel, process, INV_F_EPROCESS_SequenceNumber);
		struct inv_value created = inv_field(t->kernel, process, INV_F_EPROCESS_CreateTime);
		struct numbered numbered = {number.u, created.ok && created.u ? created.u : UINT64_MAX, UINT64_MAX, process};
		if (number.ok && number.u)
			inv_push(t->numbered, numbered);
	}
	if (!t->numbered)
		return;
	qsort(t->numbered, inv_count(t->numbered), sizeof *t->numbered, by_number);
	uint64_t earliest = UINT64_MAX;
	for (size_t i = inv_count(t->numbered); i-- > 0;) {
		t->numbered[i].earliest_later = earliest;
		earliest = t->numbered[i].created < earliest ? t->numbered[i].created : earliest;
	}
}

void inv_track_all(const struct inv_dossiers *dossiers, const struct inv_timeline *timeline, struct inv_track *tracks)
{
	struct tracker t = {dossiers, dossiers->testimony, dossiers->kernel, timeline, tracks, NULL};
	number_processes(&t);
	for (size_t i = 0; i < stbds_hmlenu(tracks); i++)
		look_at_itself(&t, &tracks[i]);
	affirm_records(&t);
	affirm_lists(&t);
	collect_denials(&t);
	for (size_t i = 0; i < stbds_hmlenu(tracks); i++) {
		tracks[i].young = is_young(&t, &tracks[i]);
		tracks[i].ended = has_ended(&t, &tracks[i]);
		decide(&t, &tracks[i]);
	}
	inv_array_free(t.numbered);
}

void inv_track_free(struct inv_track *tracks)
{
	for (size_t i = 0; i < stbds_hmlenu(tracks); i++) {
		inv_array_free(tracks[i].denials);
		inv_array_free(tracks[i].stopped);
	}
	stbds_hmfree(tracks);
}
