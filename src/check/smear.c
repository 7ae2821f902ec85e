// SPDX-License-Identifier: Apache-2.0
// Smear: which findings the machine's running on explains, when the image was taken meanwhile.
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/array.h"
#include "check/check.h"
#include "check/motion.h"
#include "nt/thread.h"

static_assert(offsetof(struct inv_dossier, address) == 0 && offsetof(struct inv_thread_dossier, address) == 0,
              "dossiers begin with their address");

// Independent signs that are needed before an image whose format does not say how it was taken counts as smeared: one
// could be a lie.
#define ENOUGH_SIGNS 2u

// -- was it taken while the machine ran? ------------------------------------------------------------------------------------

// Objects that were created after the clock's page was read, and stand in pages that were read later. A process counts with
// a thread that agrees: one forged time is no sign.
static size_t count_born_later(const struct inv_dossiers *dossiers, const struct inv_timeline *timeline)
{
	const struct inv_kernel *kernel = dossiers->kernel;
	size_t count = 0;
	for (size_t i = 0; i < dossiers->thread_count && timeline->clock; i++) {
		const struct inv_thread_dossier *thread = &dossiers->threads[i];
		uint64_t owner = thread->process.ok ? thread->process.u : 0;
		struct inv_value created = inv_field(kernel, thread->address, INV_F_ETHREAD_CreateTime);
		struct inv_value process = inv_field(kernel, owner, INV_F_EPROCESS_CreateTime);
		if (!created.ok || !process.ok || process.u <= timeline->clock || created.u < process.u ||
		    created.u > timeline->clock + timeline->longest)
			continue;
		uint64_t place = inv_place(kernel, created.address), home = inv_place(kernel, process.address);
		count += place != INV_NOWHERE && home != INV_NOWHERE && place > timeline->clock_place &&
		         home > timeline->clock_place;
	}
	return count;
}

static size_t count_ended_later(const struct inv_dossiers *dossiers, const struct inv_timeline *timeline)
{
	size_t count = 0;
	for (size_t i = 0; i < dossiers->thread_count && timeline->clock; i++)
		count += inv_ended_later(dossiers->kernel, timeline, dossiers->threads[i].address);
	return count;
}

static bool runs_somewhere(const struct inv_testimony *testimony, uint64_t thread)
{
	for (size_t i = 0; i < inv_count(testimony->cpus); i++)
		if (testimony->cpus[i].current.ok && testimony->cpus[i].current.u == thread)
			return true;
	return false;
}

// Threads that say they run, and no CPU runs them; threads that a CPU runs, and that say they do not. What an idle thread says while
// another runs is not verified, so these do not count.
static size_t count_switched(const struct inv_dossiers *dossiers)
{
	const struct inv_testimony *testimony = dossiers->testimony;
	size_t count = 0;
	if (inv_count(testimony->cpus) == 0 || testimony->coverage[INV_W_CPU].unreadable)
		return 0;
	for (size_t i = 0; i < dossiers->thread_count; i++) {
		uint64_t thread = dossiers->threads[i].address;
		struct inv_value state = inv_field(dossiers->kernel, thread, INV_F_KTHREAD_State);
		const struct inv_value *owner = &dossiers->threads[i].process;
		const struct inv_dossier *process = owner->ok ? inv_dossier_at(dossiers, owner->u) : NULL;
		if (process && process->role == INV_ROLE_IDLE)
			continue;
		count += state.ok && (state.u == INV_KTHREAD_RUNNING) != runs_somewhere(testimony, thread);
	}
	return count;
}

// The counter of processes that were ever listed, read before the last of them.
static size_t count_unnumbered(const struct inv_dossiers *dossiers)
{
	const struct inv_kernel *kernel = dossiers->kernel;
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_PspProcessSequenceNumber, NULL);
	struct inv_value counter = symbol.ok ? inv_read_u64(kernel, symbol.u) : symbol;
	uint64_t place = counter.ok ? inv_place(kernel, counter.address) : INV_NOWHERE;
	size_t count = 0;
	for (size_t i = 0; i < dossiers->process_count && place != INV_NOWHERE; i++) {
		const struct inv_dossier *process = &dossiers->processes[i];
		struct inv_value number = inv_field(kernel, process->address, INV_F_EPROCESS_SequenceNumber);
		uint64_t own = number.ok && number.u > counter.u ? inv_place(kernel, number.address) : INV_NOWHERE;
		count += process->on_active_list == INV_YES && own != INV_NOWHERE && own > place;
	}
	return count;
}

// A list that is kept under a lock, and is torn all the same or leads to memory that was not there yet.
static bool is_torn(const struct inv_list *list)
{
	if (list->head == 0 || !list->head_flink.ok)
		return false;
	if (!list->closed && list->why.reason == INV_NOT_MAPPED)
		return true;
	for (size_t i = 0; i < list->torn_count; i++)
		if (list->torn_links[i].back.ok)
			return true;
	return false;
}

static size_t count_torn(const struct inv_testimony *testimony)
{
	const struct inv_list *lists[] = {&testimony->active, &testimony->scheduler, &testimony->mm,
	                                  &testimony->handle_tables, &testimony->job_list};
	size_t count = 0;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		count += is_torn(lists[i]);
	for (size_t i = 0; i < inv_count(testimony->sessions); i++)
		count += is_torn(&testimony->sessions[i].members);
	return count;
}

static void decide_how_taken(struct inv_check *check, const struct inv_timeline *timeline)
{
	struct inv_smear *smear = &check->smear;
	int atomic = inv_image_info(check->kernel->image)->atomic;
	size_t born = count_born_later(&check->dossiers, timeline);
	size_t ended = count_ended_later(&check->dossiers, timeline);
	size_t switched = count_switched(&check->dossiers);
	size_t unnumbered = count_unnumbered(&check->dossiers);
	size_t torn = count_torn(check->dossiers.testimony);
	smear->signs = born + ended + switched + unnumbered + torn;
	smear->live = atomic == 0 || smear->signs >= ENOUGH_SIGNS;
	const char *signs =
	    inv_arena_printf(check->arena,
	                     "%zu threads younger than the clock, %zu that ended after it, %zu at odds with the "
	                     "CPUs, %zu processes beyond the counter, %zu lists of processes torn",
	                     born, ended, switched, unnumbered, torn);
	if (atomic == 0)
		smear->why = inv_arena_printf(check->arena, "its format says that the machine ran meanwhile (%s)", signs);
	else if (smear->live)
		smear->why = inv_arena_printf(check->arena, "its content shows that the machine ran meanwhile: %s", signs);
	else
		smear->why = "the format does not say whether the image was taken at one instant, and nothing in it shows that "
		             "the machine ran meanwhile";
}

// -- what a finding is about ------------------------------------------------------------------------------------------------

// The object that an address lies in, or is that of; 0: none that has a dossier. `objects` are dossiers by address, which is their
// first member.
static uint64_t object_around(const void *objects, size_t count, size_t stride, uint32_t size, uint64_t address)
{
	size_t low = 0, high = count;
	uint64_t start = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t at = *(const uint64_t *)(const void *)((const char *)objects + middle * stride);
		if (at <= address) {
			low = middle + 1;
			start = at;
		} else {
			high = middle;
		}
	}
	return start && (address == start || address - start < size) ? start : 0;
}

static uint32_t size_of(const struct inv_dossiers *dossiers, enum inv_type type)
{
	return dossiers->kernel->layout ? dossiers->kernel->layout->size[type] : 0;
}

static uint64_t process_around(const struct inv_dossiers *dossiers, uint64_t address)
{
	return object_around(dossiers->processes, dossiers->process_count, sizeof *dossiers->processes,
	                     size_of(dossiers, INV_T_EPROCESS), address);
}

static uint64_t thread_around(const struct inv_dossiers *dossiers, uint64_t address)
{
	return object_around(dossiers->threads, dossiers->thread_count, sizeof *dossiers->threads,
	                     size_of(dossiers, INV_T_ETHREAD), address);
}

// The handle table whose list entry is at this address, or in which it stands: each goes with its process.
static const struct inv_table_record *table_around(const struct inv_dossiers *dossiers, uint64_t address)
{
	static const enum inv_field places[] = {INV_F_HANDLE_TABLE_HandleTableList, INV_F_HANDLE_TABLE_QuotaProcess,
	                                        INV_F_HANDLE_TABLE_UniqueProcessId};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		uint64_t offset;
		if (!inv_field_address(dossiers->kernel, 0, places[i], &offset))
			continue;
		const struct inv_table_record *table = inv_table_record_at(dossiers->testimony, address - offset);
		// The other end of a link in the same entry.
		if (!table && i == 0)
			table = inv_table_record_at(dossiers->testimony, address - offset - 8);
		if (table)
			return table;
	}
	return NULL;
}

typedef void visit_object(void *context, uint64_t object, bool thread);

static void visit_around(const struct inv_dossiers *dossiers, uint64_t address, visit_object *visit, void *context)
{
	uint64_t process = process_around(dossiers, address), thread = thread_around(dossiers, address);
	const struct inv_table_record *table = table_around(dossiers, address);
	if (!process && table && table->quota_process.ok)
		process = process_around(dossiers, table->quota_process.u);
	if (process)
		visit(context, process, false);
	if (thread)
		visit(context, thread, true);
}

// The subject first, then whatever stands in the evidence.
static void visit_involved(const struct inv_dossiers *dossiers, const struct inv_finding *finding, visit_object *visit,
                           void *context)
{
	if (finding->subject.thread)
		visit(context, finding->subject.thread->address, true);
	if (finding->subject.process)
		visit(context, finding->subject.process->address, false);
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		visit_around(dossiers, finding->evidence[i].address, visit, context);
		visit_around(dossiers, finding->evidence[i].value, visit, context);
	}
}

// A table that names no process was read before it was made, or after it was freed.
static bool has_ownerless_table(const struct inv_dossiers *dossiers, const struct inv_finding *finding)
{
	const struct inv_value *kernel_table = &dossiers->testimony->kernel_table;
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const uint64_t addresses[] = {finding->evidence[i].address, finding->evidence[i].value};
		for (size_t j = 0; j < 2; j++) {
			const struct inv_table_record *table = table_around(dossiers, addresses[j]);
			bool kernels = table && kernel_table->ok && kernel_table->u == table->address;
			if (table && !kernels && !(table->quota_process.ok && table->quota_process.u))
				return true;
		}
	}
	return false;
}

static bool is_blank(const struct inv_check *check, uint64_t entry)
{
	if (process_around(&check->dossiers, entry) || thread_around(&check->dossiers, entry))
		return false;
	struct inv_value next = inv_read_u64(check->kernel, entry), previous = inv_read_u64(check->kernel, entry + 8);
	if (!next.ok || !previous.ok)
		return next.why.reason == INV_NOT_MAPPED || previous.why.reason == INV_NOT_MAPPED;
	return next.u == 0 && previous.u == 0;
}

// A list leads to memory in which nothing stands yet.
static bool leads_to_blank(const struct inv_check *check, const struct inv_finding *finding)
{
	if (finding->subject.kind != INV_SUBJECT_LIST)
		return false;
	bool blank = is_blank(check, finding->subject.address);
	for (size_t i = 0; i < inv_count(finding->evidence) && !blank; i++)
		blank = finding->evidence[i].direct && finding->evidence[i].value >> 63 &&
		        is_blank(check, finding->evidence[i].value);
	return blank;
}

// A handle leads to memory in which no object stands yet: that says nothing of who holds it, whatever else he hides.
static bool handle_leads_to_blank(const struct inv_check *check, const struct inv_finding *finding)
{
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *evidence = &finding->evidence[i];
		if (strcmp(evidence->witness, inv_witness(INV_W_HANDLES)->name) == 0 && evidence->value >> 63 &&
		    is_blank(check, evidence->value))
			return true;
	}
	return false;
}

static void want_track(void *context, uint64_t object, bool thread)
{
	struct inv_track **tracks = context;
	if (stbds_hmgeti(*tracks, object) >= 0)
		return;
	struct inv_track track = {.key = object, .thread = thread};
	stbds_hmputs(*tracks, track);
}

// -- the verdict ------------------------------------------------------------------------------------------------------------

struct weighing {
	struct inv_check *check;
	struct inv_track *tracks;       // stb_ds map
	const struct inv_track *moving; // of the finding at hand; NULL: none
	const struct inv_track *denied;
	const struct inv_track *late; // created or exited meanwhile by its times
};

static void weigh_track(void *context, uint64_t object, bool thread)
{
	struct weighing *weighing = context;
	(void)thread;
	ptrdiff_t at = stbds_hmgeti(weighing->tracks, object);
	const struct inv_track *track = at < 0 ? NULL : &weighing->tracks[at];
	if (track && track->motion == INV_MOVING && !weighing->moving)
		weighing->moving = track;
	if (track && track->motion == INV_DENIED && !weighing->denied)
		weighing->denied = track;
	if (track && (track->young || track->ended) && !weighing->late)
		weighing->late = track;
}

// One page is read at once.
static bool is_of_one_page(const struct inv_kernel *kernel, const struct inv_finding *finding)
{
	uint64_t page = INV_NOWHERE;
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *evidence = &finding->evidence[i];
		uint64_t place = evidence->direct && evidence->address ? inv_place(kernel, evidence->address) : INV_NOWHERE;
		if (place == INV_NOWHERE || (page != INV_NOWHERE && place / INV_PAGE_SIZE != page))
			return false;
		page = place / INV_PAGE_SIZE;
	}
	return inv_count(finding->evidence) > 1;
}

// Lists of the dispatcher change by the millisecond, whoever stands on them; a process leaves others when it exits; jobs come and
// go, and are not tracked.
static bool is_volatile(const struct inv_finding *finding)
{
	if (finding->invariant->smear == INV_SMEAR_STATE)
		return true;
	const char *lists[] = {inv_field_full_name(INV_F_KPRCB_DispatcherReadyListHead),
	                       inv_field_full_name(INV_F_KPRCB_WaitListHead),
	                       inv_field_full_name(INV_F_KSHARED_READY_QUEUE_ReadyListHead),
	                       inv_field_full_name(INV_F_EJOB_ProcessListHead),
	                       inv_symbol_name(INV_S_PspJobList),
	                       inv_symbol_name(INV_S_HandleTableListHead),
	                       inv_symbol_name(INV_S_KiProcessListHead)};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (finding->subject.name && strcmp(finding->subject.name, lists[i]) == 0)
			return true;
	return false;
}

static const char *moving_text(const struct inv_check *check, const struct inv_track *track)
{
	const char *what = track->young   ? "was created while memory was read, and the order of its pages agrees"
	                   : track->ended ? "exited while memory was read, and the order of its pages agrees"
	                                  : "ended while memory was read: no page that was read later shows it";
	return inv_arena_printf(check->arena, "the %s at 0x%llx %s", track->thread ? "thread" : "process",
	                        (unsigned long long)track->key, what);
}

// Why the machine's running on explains a finding; NULL when it does not: the finding then says how far it was weighed.
static const char *explain(struct weighing *weighing, struct inv_finding *finding)
{
	struct inv_check *check = weighing->check;
	weighing->moving = weighing->denied = weighing->late = NULL;
	visit_involved(&check->dossiers, finding, weigh_track, weighing);
	if (finding->invariant->weight != INV_HINT) // one is possible, and no more, whatever is weighed
		finding->certainty = INV_PROBABLE;
	if (finding->invariant->smear == INV_SMEAR_TIME && weighing->late)
		return moving_text(check, weighing->late);
	if (is_volatile(finding) && handle_leads_to_blank(check, finding))
		return "the handle leads to memory that was read before anything stood there";
	if (weighing->denied) {
		finding->certainty_why = inv_arena_printf(check->arena,
		                                          "memory was read while the machine ran, but the page at physical "
		                                          "0x%llx that denies the %s at 0x%llx was read "
		                                          "between others that show it",
		                                          (unsigned long long)weighing->denied->denied_at,
		                                          weighing->denied->thread ? "thread" : "process",
		                                          (unsigned long long)weighing->denied->key);
		return NULL;
	}
	bool unborn = weighing->moving && !weighing->moving->alive; // or gone: its memory means nothing
	bool over = weighing->moving && weighing->moving->over;
	if (!unborn && !over && is_of_one_page(check->kernel, finding)) {
		finding->certainty_why =
		    "memory was read while the machine ran, but what contradicts each other stands in one page";
		return NULL;
	}
	// What is there all the same has its times, wherever it stands no more.
	bool timed = finding->invariant->smear == INV_SMEAR_TIME && weighing->moving && weighing->moving->thread && !unborn;
	if (weighing->moving && !timed)
		return moving_text(check, weighing->moving);
	if (leads_to_blank(check, finding))
		return "the list leads to memory that was read before anything stood there";
	if (is_volatile(finding) || has_ownerless_table(&check->dossiers, finding))
		return "the two sides change at any time and stand in pages that were read at different moments";
	finding->certainty_why =
	    "memory was read while the machine ran, but the objects are older than that, none of them ended, "
	    "and what contradicts each other does not change while they live";
	return NULL;
}

static void drop(struct inv_judge *judge, struct inv_finding *finding, const char *why)
{
	struct inv_excused excused = {finding->invariant, finding->subject, "smear", why};
	inv_push(judge->excused, excused);
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		if (inv_invariant(i) != finding->invariant)
			continue;
		*(finding->invariant->weight == INV_HINT ? &judge->tallies[i].observed : &judge->tallies[i].broken) -= 1;
		judge->tallies[i].excused++;
	}
	inv_array_free(finding->evidence);
	inv_array_free(finding->tried);
}

// Lets go of those that the machine's running on explains; the number of them.
static size_t weigh_some(struct weighing *weighing, struct inv_finding **findings)
{
	size_t kept = 0, count = inv_count(findings);
	for (size_t i = 0; i < count; i++) {
		enum inv_certainty certainty = findings[i]->certainty;
		const char *certainty_why = findings[i]->certainty_why, *why = explain(weighing, findings[i]);
		if (why) {
			drop(&weighing->check->judge, findings[i], why);
			continue;
		}
		if (findings[i]->invariant->weight == INV_HINT) {
			findings[i]->certainty = certainty;
			findings[i]->certainty_why = certainty_why;
		}
		findings[kept++] = findings[i];
	}
	if (findings)
		stbds_arrsetlen(findings, kept);
	return count - kept;
}

static void weigh_findings(struct inv_check *check, const struct inv_timeline *timeline)
{
	struct inv_judge *judge = &check->judge;
	struct weighing weighing = {.check = check};
	for (size_t i = 0; i < inv_count(judge->findings); i++)
		visit_involved(&check->dossiers, judge->findings[i], want_track, &weighing.tracks);
	for (size_t i = 0; i < inv_count(judge->observations); i++)
		visit_involved(&check->dossiers, judge->observations[i], want_track, &weighing.tracks);
	inv_track_all(&check->dossiers, timeline, weighing.tracks);
	check->smear.excused = weigh_some(&weighing, judge->findings);
	(void)weigh_some(&weighing, judge->observations);
	inv_track_free(weighing.tracks);
}

struct accused {
	const struct inv_dossier *key;
};

// A process that only smear shows apart from the lists is not hidden.
static void mend_states(struct inv_check *check)
{
	struct accused *accused = NULL; // stb_ds map
	for (size_t i = 0; i < inv_count(check->judge.findings); i++) {
		struct accused one = {check->judge.findings[i]->subject.process};
		stbds_hmputs(accused, one);
	}
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		struct inv_dossier *process = &check->dossiers.processes[i];
		if (process->state == INV_STATE_HIDDEN && stbds_hmgeti(accused, process) < 0)
			process->state = INV_STATE_UNKNOWN;
	}
	stbds_hmfree(accused);
}

void inv_smear_weigh(struct inv_check *check, unsigned threads)
{
	const struct inv_kernel *kernel = check->kernel;
	int atomic = kernel->image ? inv_image_info(kernel->image)->atomic : 1;
	if (atomic == 1) {
		check->smear.why = "the image was taken at one instant";
		return;
	}
	if (kernel->fragments || !kernel->space || !inv_space_has_page_tables(kernel->space)) {
		check->smear.live = atomic == 0;
		check->smear.why = "without page tables it cannot be told which page was read first";
		return;
	}
	struct inv_timeline timeline;
	inv_timeline_make(&check->dossiers, threads, &timeline);
	decide_how_taken(check, &timeline);
	if (check->smear.live) {
		weigh_findings(check, &timeline);
		mend_states(check);
	}
	inv_timeline_free(&timeline);
}
