// SPDX-License-Identifier: Apache-2.0
// Family 6: the order in which processes were inserted, against the times at which they were created by two clocks.
#include "base/array.h"
#include "base/text.h"
#include "invariant/families.h"

#define SECOND 10000000ull // FILETIME units
// From CreateInterruptTime (PspAllocateProcess) to SequenceNumber (PspInsertProcess): that none takes longer is not verified.
#define LONGEST_CREATION (120 * SECOND)

struct timed {
	const struct inv_dossier *process;
	struct inv_value sequence, interrupt, created;
	uint64_t offset;       // between the wall clock and interrupt time
	uint64_t first_thread; // CreateTime of its eldest thread that is known; 0: none
	size_t length, before; // of the longest rising row of times that ends here; its previous member, plus one
	bool in_row;           // a member of the longest rising row of all
};

struct order {
	struct inv_judge *judge;
	struct timed *items; // stb_ds, by SequenceNumber
};

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static int by_sequence(const void *a, const void *b)
{
	const struct timed *left = a, *right = b;
	if (left->sequence.u != right->sequence.u)
		return left->sequence.u < right->sequence.u ? -1 : 1;
	return (left->process->address > right->process->address) - (left->process->address < right->process->address);
}

// -- collecting -------------------------------------------------------------------------------------------------------------

static void take(struct order *order, const struct inv_dossier *process, uint64_t first_thread)
{
	struct inv_judge *judge = order->judge;
	struct timed timed = {
	    .process = process,
	    .sequence = inv_field(judge->kernel, process->address, INV_F_EPROCESS_SequenceNumber),
	    .interrupt = inv_field(judge->kernel, process->address, INV_F_EPROCESS_CreateInterruptTime),
	    .created = inv_field(judge->kernel, process->address, INV_F_EPROCESS_CreateTime),
	    .first_thread = first_thread,
	};
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!inv_need(judge, &timed.sequence) || !inv_need(judge, &timed.interrupt) || !inv_need(judge, &timed.created))
		return;
	struct inv_value inserted = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ProcessInserted);
	if (timed.sequence.u == 0) { // L09 judges the number itself
		if (inserted.ok && inserted.u == 0)
			inv_excuse(judge, inv_subject_process(process), "not-inserted");
		else
			inv_unknown_because(judge, "the process has no number");
		return;
	}
	timed.offset = timed.created.u - timed.interrupt.u;
	inv_push(order->items, timed);
}

// The CreateTime of the eldest thread of each process, by the index of its dossier. The caller frees it.
static uint64_t *eldest_threads(const struct inv_judge *judge)
{
	const struct inv_dossiers *dossiers = judge->dossiers;
	uint64_t *eldest = inv_alloc((dossiers->process_count + 1) * sizeof *eldest);
	for (size_t i = 0; i < dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &dossiers->threads[i];
		const struct inv_dossier *owner = thread->process.ok ? inv_dossier_at(dossiers, thread->process.u) : NULL;
		struct inv_value created = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_CreateTime);
		if (!owner || !created.ok || created.u == 0)
			continue;
		uint64_t *time = &eldest[owner - dossiers->processes];
		if (*time == 0 || created.u < *time)
			*time = created.u;
	}
	return eldest;
}

// System gets its times when the boot is nearly over (measured on 19041), so it stands aside.
static bool stands_aside(const struct timed *item)
{
	return item->process->role == INV_ROLE_SYSTEM;
}

// Finds the longest row of processes whose times rise with their numbers: who is not in it is out of order.
static void find_row(struct order *order)
{
	size_t count = inv_count(order->items);
	size_t *ends =
	    inv_alloc((count + 1) * sizeof *ends); // by length: the member with the least time that ends such a row
	size_t longest = 0;
	for (size_t i = 0; i < count; i++) {
		struct timed *item = &order->items[i];
		if (stands_aside(item))
			continue;
		size_t low = 0, high = longest;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (order->items[ends[middle + 1]].interrupt.u <= item->interrupt.u)
				low = middle + 1;
			else
				high = middle;
		}
		item->length = low + 1;
		item->before = low ? ends[low] + 1 : 0;
		ends[low + 1] = i;
		longest = low + 1 > longest ? low + 1 : longest;
	}
	for (size_t at = longest ? ends[longest] + 1 : 0; at; at = order->items[at - 1].before)
		order->items[at - 1].in_row = true;
	free(ends);
}

// -- order ------------------------------------------------------------------------------------------------------------------

enum outcome { FINE, EXCUSED, UNSURE, DUE };

struct inversion {
	enum outcome outcome;
	const char *exception;
	const struct timed *first, *second; // by number; the first was created later
};

// A creation takes time: the second may have been begun before the first, and inserted after it. It had no thread until then.
static bool can_overlap(const struct timed *first, const struct timed *second)
{
	bool ran = second->first_thread && (second->first_thread < second->offset ||
	                                    second->first_thread - second->offset + SECOND < first->interrupt.u);
	return !ran && first->interrupt.u - second->interrupt.u < LONGEST_CREATION;
}

static void invert(struct inversion *inversion, const struct timed *first, const struct timed *second)
{
	if (first->interrupt.u <= second->interrupt.u || inversion->outcome == DUE)
		return;
	inversion->outcome = can_overlap(first, second) ? EXCUSED : DUE;
	inversion->exception = "creating";
	inversion->first = first;
	inversion->second = second;
}

#define NEIGHBOURS 16u // that an item which is not in the row is compared with, on each side

static struct inversion order_of(const struct order *order, size_t index)
{
	const struct timed *item = &order->items[index];
	struct inversion inversion = {.outcome = FINE};
	if (item->in_row || stands_aside(item))
		return inversion;
	unsigned compared = 0;
	for (size_t i = index; i-- > 0 && compared < NEIGHBOURS;)
		if (order->items[i].in_row) {
			invert(&inversion, &order->items[i], item);
			compared++;
		}
	compared = 0;
	for (size_t i = index + 1; i < inv_count(order->items) && compared < NEIGHBOURS; i++)
		if (order->items[i].in_row) {
			invert(&inversion, item, &order->items[i]);
			compared++;
		}
	return inversion;
}

static struct inversion order_of_system(const struct order *order, size_t index)
{
	struct inversion inversion = {.outcome = FINE};
	const struct timed *item = &order->items[index];
	for (size_t i = 0; i < inv_count(order->items); i++) {
		const struct timed *other = &order->items[i];
		if (!other->in_row || other->interrupt.u >= item->interrupt.u)
			continue;
		bool late = item->interrupt.u - other->interrupt.u < LONGEST_CREATION;
		return (struct inversion){late ? EXCUSED : DUE, "system", item, other};
	}
	return inversion;
}

// -- clocks -----------------------------------------------------------------------------------------------------------------

static bool agree(uint64_t a, uint64_t b)
{
	return distance(a, b) < SECOND;
}

// Its eldest thread says the same time: who sets one clock forth and back leaves such processes.
static enum outcome alone(const struct timed *item)
{
	if (item->first_thread == 0)
		return UNSURE;
	bool told = item->first_thread >= item->created.u && item->first_thread - item->created.u < LONGEST_CREATION;
	return told ? UNSURE : DUE;
}

// The clock is set now and then, and what is created between two such steps shows the same offset; the last is that of now.
static enum outcome clock_of(const struct order *order, size_t index)
{
	const struct inv_value *now = &order->judge->kernel->boot_time;
	const struct timed *item = &order->items[index];
	if (now->ok && agree(item->offset, now->u))
		return FINE;
	bool first = index == 0, last = index + 1 == inv_count(order->items);
	if (first && last)
		return UNSURE;
	uint64_t before = first ? 0 : order->items[index - 1].offset,
	         after = last ? now->u : order->items[index + 1].offset;
	if ((!first && agree(item->offset, before)) || (!last && agree(item->offset, after)))
		return EXCUSED;
	if (first || (last && !now->ok))
		return UNSURE;
	bool between = (item->offset > before) == (item->offset < after);
	return between ? UNSURE : alone(item);
}

// -- verdicts ---------------------------------------------------------------------------------------------------------------

static void times_say(struct inv_judge *judge, struct inv_finding *finding, const struct timed *item, const char *who)
{
	char text[INV_TIME_SIZE];
	inv_format_filetime(item->created.u, text);
	inv_field_says(judge, finding, INV_F_EPROCESS_SequenceNumber, &item->sequence, "the number of %s", who);
	inv_field_says(judge, finding, INV_F_EPROCESS_CreateInterruptTime, &item->interrupt,
	               "%s was created so long after the boot", who);
	inv_field_says(judge, finding, INV_F_EPROCESS_CreateTime, &item->created, "by the wall clock at %s",
	               *text ? text : "no time");
}

static void report(struct order *order, size_t index, const struct inversion *inversion, enum outcome clock)
{
	struct inv_judge *judge = order->judge;
	const struct timed *item = &order->items[index];
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(item->process), INV_TIER_EXECUTIVE);
	times_say(judge, finding, item, "the process");
	if (inversion->outcome == DUE)
		times_say(judge, finding, inversion->first == item ? inversion->second : inversion->first,
		          inversion->first == item ? "a process that was inserted after it, yet created before it"
		                                   : "a process that was inserted before it, yet created after it");
	if (clock == DUE) {
		if (index > 0)
			times_say(judge, finding, &order->items[index - 1], "the process before it");
		if (index + 1 < inv_count(order->items))
			times_say(judge, finding, &order->items[index + 1], "the process after it");
		inv_witness_says(judge, finding, INV_W_ANCHOR, "BootTime", &judge->kernel->boot_time,
		                 "the offset between both clocks now");
	}
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
	inv_tried(judge, finding, "creating",
	          inversion->outcome == DUE ? "two minutes or more lie between, or the later one ran already"
	                                    : "the order is right");
	inv_tried(judge, finding, "system", "it is not System, or two minutes and more too late");
	inv_tried(judge, finding, "clock-step",
	          clock == DUE
	              ? "neither the process before it nor that after it shows the same offset, and its threads were not "
	                "created at that time"
	              : "the offset between both clocks is not what is wrong");
	inv_tried(judge, finding, "not-inserted", "it has a number");
}

static void judge_times(struct order *order, size_t index)
{
	const struct timed *item = &order->items[index];
	struct inv_judge *judge = order->judge;
	struct inversion inversion = stands_aside(item) ? order_of_system(order, index) : order_of(order, index);
	enum outcome clock = clock_of(order, index);
	if (inversion.outcome == DUE || clock == DUE)
		report(order, index, &inversion, clock);
	else if (clock == UNSURE)
		inv_unknown_because(
		    judge, "whether the clock was set around this one process, or its time was forged, cannot be told");
	else if (clock == EXCUSED)
		inv_excuse(judge, inv_subject_process(item->process), "clock-step");
	else if (inversion.outcome == EXCUSED)
		inv_excuse(judge, inv_subject_process(item->process), inversion.exception);
	else
		inv_holds(judge);
}

void inv_judge_P02(struct inv_judge *judge)
{
	struct order order = {.judge = judge};
	const struct inv_dossiers *dossiers = judge->dossiers;
	uint64_t *eldest = eldest_threads(judge);
	for (size_t i = 0; i < dossiers->process_count; i++)
		if (inv_is_live(&dossiers->processes[i]))
			take(&order, &dossiers->processes[i], eldest[i]);
	free(eldest);
	if (order.items)
		qsort(order.items, inv_count(order.items), sizeof *order.items, by_sequence);
	find_row(&order);
	for (size_t i = 0; i < inv_count(order.items); i++)
		judge_times(&order, i);
	inv_array_free(order.items);
}
