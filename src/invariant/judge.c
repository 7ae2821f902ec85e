// SPDX-License-Identifier: Apache-2.0
// Collecting verdicts.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "base/workers.h"
#include "invariant/inside.h"

const char *inv_state_name(enum inv_state state)
{
	static const char *const names[] = {"created",  "running", "exiting", "zombie",
	                                    "deleting", "freed",   "hidden",  "unknown"};
	return names[state];
}

const char *inv_subject_kind_name(enum inv_subject_kind kind)
{
	static const char *const names[] = {"system", "process", "thread", "cpu", "list"};
	return names[kind];
}

const char *inv_certainty_name(enum inv_certainty certainty)
{
	static const char *const names[] = {"certain", "probable", "possible"};
	return names[certainty];
}

bool inv_is_only_swept(const struct inv_dossier *process)
{
	uint64_t swept = INV_BIT(INV_W_POOL) | INV_BIT(INV_W_DISPATCHER_HEADER) | INV_BIT(INV_W_SELF_MAP);
	return (process->seen_by & ~swept) == 0;
}

bool inv_is_live(const struct inv_dossier *process)
{
	return !inv_is_only_swept(process) || process->state == INV_STATE_HIDDEN;
}

const struct inv_dossier *inv_dossier_at(const struct inv_dossiers *dossiers, uint64_t process)
{
	size_t low = INV_LOWER_BOUND(dossiers->processes, dossiers->process_count, address, process);
	bool found = low < dossiers->process_count && dossiers->processes[low].address == process;
	return found ? &dossiers->processes[low] : NULL;
}

const struct inv_thread_dossier *inv_thread_dossier_at(const struct inv_dossiers *dossiers, uint64_t thread)
{
	size_t low = INV_LOWER_BOUND(dossiers->threads, dossiers->thread_count, address, thread);
	bool found = low < dossiers->thread_count && dossiers->threads[low].address == thread;
	return found ? &dossiers->threads[low] : NULL;
}

struct inv_subject inv_subject_process(const struct inv_dossier *process)
{
	return (struct inv_subject){.kind = INV_SUBJECT_PROCESS, .address = process->address, .process = process};
}

struct inv_subject inv_subject_thread(const struct inv_dossiers *dossiers, const struct inv_thread_dossier *thread)
{
	uint64_t owner = thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
	return (struct inv_subject){.kind = INV_SUBJECT_THREAD,
	                            .address = thread->address,
	                            .process = inv_dossier_at(dossiers, owner),
	                            .thread = thread};
}

struct inv_subject inv_subject_other(enum inv_subject_kind kind, uint64_t address, const char *name)
{
	return (struct inv_subject){.kind = kind, .address = address, .name = name};
}

static struct inv_tally *tally(struct inv_judge *judge)
{
	return &judge->tallies[judge->index];
}

void inv_holds(struct inv_judge *judge)
{
	tally(judge)->holds++;
}

void inv_excuse(struct inv_judge *judge, struct inv_subject subject, const char *exception)
{
	tally(judge)->excused++;
	struct inv_excused excused = {.invariant = judge->current, .subject = subject, .exception = exception};
	inv_push(judge->excused, excused);
}

void inv_unknown_because(struct inv_judge *judge, const char *reason)
{
	tally(judge)->unknown++;
	inv_tally(&tally(judge)->reasons, judge->arena, reason);
}

void inv_unknown(struct inv_judge *judge, const struct inv_value *missing)
{
	const char *kind = inv_absence_name(missing->why.reason);
	const char *reason = missing->why.name ? inv_arena_printf(judge->arena, "%s: %s", missing->why.name, kind) : kind;
	inv_unknown_because(judge, reason);
}

bool inv_need(struct inv_judge *judge, const struct inv_value *value)
{
	if (!value->ok)
		inv_unknown(judge, value);
	return value->ok;
}

// Takes the place of a finding that is not kept: nothing is written into it.
static struct inv_finding *beyond_bound(struct inv_judge *judge)
{
	if (!judge->beyond)
		judge->beyond = inv_arena_alloc(judge->arena, sizeof *judge->beyond);
	return judge->beyond;
}

static struct inv_finding *accuse(struct inv_judge *judge, struct inv_subject subject, enum inv_tier accused, bool hint)
{
	*(hint ? &tally(judge)->observed : &tally(judge)->broken) += 1;
	if (inv_count(hint ? judge->observations : judge->findings) >= judge->keeps)
		return beyond_bound(judge);
	struct inv_finding *finding = inv_arena_alloc(judge->arena, sizeof *finding);
	*finding = (struct inv_finding){.invariant = judge->current,
	                                .subject = subject,
	                                .tier = accused,
	                                .certainty = judge->certainty,
	                                .certainty_why = judge->certainty_why};
	if (hint) {
		finding->certainty = INV_POSSIBLE;
		finding->certainty_why = "it has honest causes too, which nothing here tells apart";
		inv_push(judge->observations, finding);
		return finding;
	}
	inv_push(judge->findings, finding);
	return finding;
}

struct inv_finding *inv_broken(struct inv_judge *judge, struct inv_subject subject, enum inv_tier accused)
{
	return accuse(judge, subject, accused, judge->current->weight == INV_HINT);
}

struct inv_finding *inv_observed(struct inv_judge *judge, struct inv_subject subject, enum inv_tier accused)
{
	return accuse(judge, subject, accused, true);
}

// Structures kept by the same part of the system are equally hard to fake.
static enum inv_tier tier_of_type(enum inv_type type)
{
	switch ((int)type) {
	case INV_T_DISPATCHER_HEADER:
	case INV_T_KPROCESS:
	case INV_T_KTHREAD:
	case INV_T_KPCR:
	case INV_T_KPRCB:
	case INV_T_KSHARED_READY_QUEUE:
		return INV_TIER_SCHEDULER;
	case INV_T_OBJECT_HEADER:
	case INV_T_OBJECT_TYPE:
	case INV_T_HANDLE_TABLE:
	case INV_T_HANDLE_TABLE_ENTRY:
		return INV_TIER_OBJECT_MANAGER;
	case INV_T_MMPFN:
	case INV_T_MM_SESSION_SPACE:
	case INV_T_MI_ACTIVE_PFN:
	case INV_T_MI_PARTITION:
	case INV_T_MI_SYSTEM_INFORMATION:
	case INV_T_MMVAD_SHORT:
	case INV_T_MMVAD:
	case INV_T_SUBSECTION:
	case INV_T_CONTROL_AREA:
	case INV_T_SEGMENT:
	case INV_T_SECTION:
	case INV_T_SECTION_OBJECT:
	case INV_T_SECTION_IMAGE_INFORMATION:
	case INV_T_SECTION_OBJECT_POINTERS:
		return INV_TIER_MEMORY_MANAGER;
	case INV_T_KTRAP_FRAME:
		return INV_TIER_HARDWARE;
	case INV_T_KAPC:
		return INV_TIER_SCHEDULER;
	case INV_T_TEB:
	case INV_T_PEB:
	case INV_T_PEB_LDR_DATA:
	case INV_T_LDR_MODULE:
	case INV_T_RTL_USER_PROCESS_PARAMETERS:
		return INV_TIER_USER_MODE;
	default:
		return INV_TIER_EXECUTIVE;
	}
}

static INV_PRINTF(2, 0) char *format_text(struct inv_judge *judge, const char *format, va_list args)
{
	char text[512];
	vsnprintf(text, sizeof text, format, args);
	return inv_arena_strdup(judge->arena, text);
}

void inv_add_evidence(struct inv_judge *judge, struct inv_finding *finding, struct inv_evidence evidence)
{
	if (finding != judge->beyond)
		inv_push(finding->evidence, evidence);
}

void inv_field_says(struct inv_judge *judge, struct inv_finding *finding, enum inv_field field,
                    const struct inv_value *value, const char *format, ...)
{
	if (finding == judge->beyond)
		return;
	va_list args;
	va_start(args, format);
	enum inv_type type = inv_field_info(field)->type;
	struct inv_evidence evidence = {.witness = inv_type_info(type)->name,
	                                .tier = tier_of_type(type),
	                                .field = inv_field_full_name(field),
	                                .address = value->address,
	                                .value = value->u,
	                                .says = format_text(judge, format, args),
	                                .direct = true};
	va_end(args);
	inv_add_evidence(judge, finding, evidence);
}

void inv_witness_says(struct inv_judge *judge, struct inv_finding *finding, enum inv_witness_id witness,
                      const char *field, const struct inv_value *value, const char *format, ...)
{
	if (finding == judge->beyond)
		return;
	va_list args;
	va_start(args, format);
	struct inv_evidence evidence = {.witness = inv_witness(witness)->name,
	                                .tier = inv_witness(witness)->tier,
	                                .field = field,
	                                .address = value->address,
	                                .value = value->u,
	                                .says = format_text(judge, format, args)};
	va_end(args);
	inv_add_evidence(judge, finding, evidence);
}

void inv_means_its_targets(struct inv_finding *finding)
{
	for (size_t i = 0; i < inv_count(finding->evidence); i++)
		finding->evidence[i].direct = false;
}

void inv_tried(struct inv_judge *judge, struct inv_finding *finding, const char *exception, const char *format, ...)
{
	if (finding == judge->beyond)
		return;
	va_list args;
	va_start(args, format);
	struct inv_tried tried = {.exception = exception, .why_not = format_text(judge, format, args)};
	va_end(args);
	inv_push(finding->tried, tried);
}

// How far smear, or facts of another kernel, could explain a contradiction.
static void weigh(struct inv_judge *judge)
{
	int atomic = judge->kernel->image ? inv_image_info(judge->kernel->image)->atomic : -1;
	if (atomic == 0) {
		judge->certainty = INV_POSSIBLE;
		judge->certainty_why =
		    "the image was taken while the machine ran, so the two sides may be of different moments";
	} else if (atomic < 0) {
		judge->certainty = INV_PROBABLE;
		judge->certainty_why = "the format does not say whether the image was taken at one instant";
	} else if (judge->kernel->confidence < INV_CONFIDENCE_VERSION) {
		judge->certainty = INV_PROBABLE;
		judge->certainty_why = "the layout is not from a table of this very kernel";
	} else {
		judge->certainty = INV_CERTAIN;
		judge->certainty_why = "the image was taken at one instant and the layout is the kernel's own";
	}
}

// -- several at once --------------------------------------------------------------------------------------------------------

// One of those that judge at once keeps so many findings, and as many observations.
#define PART_KEEPS ((size_t)1 << 14)
// So many parts for each thread are judged before they are joined: what all of them keep together would not fit.
#define PARTS_A_THREAD 4u

struct parts {
	struct inv_judge *judges;
	size_t first;
	inv_judge_part part;
	void *context;
};

static struct inv_tally *new_tallies(struct inv_arena *arena)
{
	return inv_arena_alloc(arena, inv_invariant_count() * sizeof(struct inv_tally));
}

static void judge_part(void *context, size_t index)
{
	struct parts *parts = context;
	parts->part(parts->context, &parts->judges[index], parts->first + index);
}

static void begin_part(const struct inv_judge *judge, struct inv_judge *part)
{
	*part = (struct inv_judge){.dossiers = judge->dossiers,
	                           .kernel = judge->kernel,
	                           .arena = inv_arena_new(),
	                           .keeps = PART_KEEPS,
	                           .certainty = judge->certainty,
	                           .certainty_why = judge->certainty_why,
	                           .usual_start = judge->usual_start};
	part->tallies = new_tallies(part->arena);
}

static void join_tally(struct inv_tally *tally, const struct inv_tally *part, struct inv_arena *arena)
{
	tally->holds += part->holds;
	tally->broken += part->broken;
	tally->observed += part->observed;
	tally->excused += part->excused;
	tally->unknown += part->unknown;
	for (size_t i = 0; i < inv_count(part->reasons); i++)
		inv_tally_many(&tally->reasons, arena, part->reasons[i].text, part->reasons[i].count);
}

// Takes what there is room for of the findings (or observations) of a part.
static void join_findings(struct inv_judge *judge, struct inv_finding ***kept, struct inv_finding **part)
{
	for (size_t i = 0; i < inv_count(part); i++) {
		if (inv_count(*kept) < judge->keeps) {
			inv_push(*kept, part[i]);
			continue;
		}
		(void)beyond_bound(judge);
		inv_array_free(part[i]->evidence);
		inv_array_free(part[i]->tried);
	}
	inv_array_free(part);
}

static void join_part(struct inv_judge *judge, struct inv_judge *part)
{
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		join_tally(&judge->tallies[i], &part->tallies[i], judge->arena);
		inv_array_free(part->tallies[i].reasons);
	}
	join_findings(judge, &judge->findings, part->findings);
	join_findings(judge, &judge->observations, part->observations);
	for (size_t i = 0; i < inv_count(part->excused); i++)
		inv_push(judge->excused, part->excused[i]);
	inv_array_free(part->excused);
	if (part->beyond)
		(void)beyond_bound(judge);
	if (part->usual_start)
		judge->usual_start = part->usual_start;
	inv_arena_join(judge->arena, part->arena);
}

void inv_judge_parts(struct inv_judge *judge, unsigned threads, size_t count, inv_judge_part part, void *context)
{
	if (threads == 0)
		threads = inv_workers_default();
	size_t most = (size_t)threads * PARTS_A_THREAD;
	struct parts parts = {.part = part, .context = context, .judges = inv_alloc(most * sizeof *parts.judges)};
	for (; parts.first < count; parts.first += most) {
		size_t now = count - parts.first < most ? count - parts.first : most;
		for (size_t i = 0; i < now; i++)
			begin_part(judge, &parts.judges[i]);
		inv_workers_run(threads, now, judge_part, &parts);
		for (size_t i = 0; i < now; i++)
			join_part(judge, &parts.judges[i]);
	}
	free(parts.judges);
}

static void judge_invariant(void *context, struct inv_judge *judge, size_t index)
{
	(void)context;
	judge->index = index;
	judge->current = inv_invariant(index);
	if (judge->current->judge && inv_progress_stopped(judge->kernel->progress))
		inv_unknown_because(judge, INV_NOT_JUDGED);
	else if (judge->current->judge)
		judge->current->judge(judge);
	inv_progress_add(judge->kernel->progress, 1);
}

void inv_judge_all(struct inv_judge *judge, const struct inv_dossiers *dossiers, struct inv_arena *arena,
                   unsigned threads)
{
	*judge = (struct inv_judge){
	    .dossiers = dossiers, .kernel = dossiers->kernel, .arena = arena, .keeps = INV_FINDING_BOUND};
	judge->tallies = new_tallies(arena);
	weigh(judge);
	inv_progress_begin(judge->kernel->progress, INV_PHASE_INVARIANTS, inv_invariant_count());
	inv_judge_parts(judge, threads, inv_invariant_count(), judge_invariant, NULL);
}

void inv_judge_inside(struct inv_judge *judge, const struct inv_inside *inside)
{
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		judge->index = i;
		judge->current = inv_invariant(i);
		if (judge->current->judge_inside)
			judge->current->judge_inside(judge, inside);
	}
}

void inv_judge_not_inside(struct inv_judge *judge)
{
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		judge->index = i;
		judge->current = inv_invariant(i);
		if (judge->current->judge_inside)
			inv_unknown_because(judge, INV_NOT_JUDGED);
	}
}

void inv_judge_no_inside(struct inv_judge *judge, const char *reason)
{
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		judge->index = i;
		judge->current = inv_invariant(i);
		if (judge->current->judge_inside && !judge->current->judge)
			inv_unknown_because(judge, reason);
	}
}

static size_t place_of(const struct inv_invariant *invariant)
{
	return (size_t)(invariant - inv_invariant(0));
}

// Keeps the order of those that break the same invariant: merges two halves that are in order.
static void sort_findings(struct inv_finding **findings, struct inv_finding **room, size_t count)
{
	if (count < 2)
		return;
	size_t half = count / 2, left = 0, right = half;
	sort_findings(findings, room, half);
	sort_findings(findings + half, room, count - half);
	for (size_t i = 0; i < count; i++) {
		bool from_left = left < half && (right == count ||
		                                 place_of(findings[left]->invariant) <= place_of(findings[right]->invariant));
		room[i] = from_left ? findings[left++] : findings[right++];
	}
	memcpy(findings, room, count * sizeof *findings);
}

struct placed_excuse {
	struct inv_excused excused;
	size_t place;
};

static int by_place(const void *a, const void *b)
{
	const struct placed_excuse *left = a, *right = b;
	size_t first = place_of(left->excused.invariant), second = place_of(right->excused.invariant);
	if (first != second)
		return first < second ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

static void sort_excused(struct inv_excused *excused, size_t count)
{
	struct placed_excuse *placed = inv_alloc((count + 1) * sizeof *placed);
	for (size_t i = 0; i < count; i++)
		placed[i] = (struct placed_excuse){excused[i], i};
	qsort(placed, count, sizeof *placed, by_place);
	for (size_t i = 0; i < count; i++)
		excused[i] = placed[i].excused;
	free(placed);
}

void inv_judge_settle(struct inv_judge *judge)
{
	size_t most = inv_count(judge->findings) + inv_count(judge->observations);
	struct inv_finding **room = inv_alloc((most + 1) * sizeof(struct inv_finding *));
	sort_findings(judge->findings, room, inv_count(judge->findings));
	sort_findings(judge->observations, room, inv_count(judge->observations));
	free(room);
	sort_excused(judge->excused, inv_count(judge->excused));
}

void inv_judge_free(struct inv_judge *judge)
{
	for (size_t i = 0; i < inv_count(judge->findings); i++) {
		inv_array_free(judge->findings[i]->evidence);
		inv_array_free(judge->findings[i]->tried);
	}
	for (size_t i = 0; i < inv_count(judge->observations); i++) {
		inv_array_free(judge->observations[i]->evidence);
		inv_array_free(judge->observations[i]->tried);
	}
	for (size_t i = 0; judge->tallies && i < inv_invariant_count(); i++)
		inv_array_free(judge->tallies[i].reasons);
	inv_array_free(judge->findings);
	inv_array_free(judge->observations);
	inv_array_free(judge->excused);
}
