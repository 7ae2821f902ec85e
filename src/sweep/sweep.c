// SPDX-License-Identifier: Apache-2.0
// The pass itself. Memory is cut into pieces that the workers take one by one; what they find is put together in the order of
// the pieces, so that the outcome does not depend on the workers.
#include "sweep/sweep.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/workers.h"
#include "paging/frame.h"
#include "sweep/detect.h"

#define ENTRIES 512u

#define PIECE_SIZE ((uint64_t)2 << 20)
// Of a piece, so much is read at a time: what a processor keeps near while every byte of it is looked at.
#define PART_SIZE ((size_t)128 << 10)
// Pieces are gathered and looked at in rounds, so that an image of a million runs needs no list of them all.
#define ROUND_PIECES 4096u
#define ROUND_BYTES ((uint64_t)1 << 30)
// A sparse file is asked for each of its runs by a system call.
#define MAX_RUNS ((uint64_t)1 << 20)
// No piece of an honest machine holds more: an object for every 256 bytes.
#define MOST_PER_PAGE 16u
#define MOST_MORE 96u            // small blocks that stand together in one page
#define MOST_ASKED_PER_PAGE 128u // of any tag: the smallest block has 32 bytes

struct piece {
	uint64_t address, size; // physical; whole pages
	struct inv_catch catch;
};

struct round {
	const struct inv_image *image;
	struct inv_progress *progress;
	struct inv_pattern pattern;
	struct piece *pieces; // stb_ds
	uint64_t bytes;
};

static void look_at_piece(void *context, size_t index)
{
	struct round *round = context;
	struct piece *piece = &round->pieces[index];
	uint8_t buffer[PART_SIZE];
	if (inv_progress_stopped(round->progress))
		return;
	piece->catch.most = MOST_MORE + (size_t)(piece->size / INV_PAGE_SIZE) *
	                                    (round->pattern.asked ? MOST_ASKED_PER_PAGE : MOST_PER_PAGE);
	for (uint64_t done = 0; done < piece->size;) {
		const uint8_t *bytes;
		size_t wanted = piece->size - done < PART_SIZE ? (size_t)(piece->size - done) : PART_SIZE;
		size_t here = inv_image_pass(round->image, piece->address + done, wanted, buffer, &bytes);
		here -= here % INV_PAGE_SIZE;
		if (here == 0) { // a page that stands in two parts of the file
			done += INV_PAGE_SIZE;
			continue;
		}
		for (size_t at = 0; at < here; at += INV_PAGE_SIZE)
			inv_detect_page(&round->pattern, bytes + at, piece->address + done + at, &piece->catch);
		done += here;
	}
	inv_progress_add(round->progress, piece->size);
}

static void finish_round(struct round *round, struct inv_sweep *sweep, unsigned threads)
{
	inv_workers_run(threads, inv_count(round->pieces), look_at_piece, round);
	for (size_t i = 0; i < inv_count(round->pieces); i++) {
		struct inv_catch *catch = &round->pieces[i].catch;
		size_t room = INV_SWEEP_MAX_HITS - inv_count(sweep->hits);
		size_t count = inv_count(catch->hits) < room ? inv_count(catch->hits) : room;
		for (size_t j = 0; j < count; j++)
			inv_push(sweep->hits, catch->hits[j]);
		if (catch->full || count < inv_count(catch->hits))
			sweep->cut_short = round->pattern.asked
			                       ? "memory holds more blocks with these tags than any system can have"
			                       : "memory holds more marks of processes than any system can have";
		sweep->bytes += round->pieces[i].size;
		inv_array_free(catch->hits);
	}
	stbds_arrsetlen(round->pieces, 0);
	round->bytes = 0;
}

// Only whole pages are looked at.
static void add_run(struct round *round, struct inv_sweep *sweep, const struct inv_run *run, unsigned threads)
{
	const uint64_t rest = INV_PAGE_SIZE - 1;
	uint64_t end = run->size > UINT64_MAX - run->address ? UINT64_MAX : run->address + run->size;
	uint64_t at = run->address > UINT64_MAX - rest ? UINT64_MAX & ~rest : (run->address + rest) & ~rest;
	end &= ~rest;
	uint64_t whole = at < end ? end - at : 0;
	sweep->skipped += run->size - whole;
	while (at < end) {
		struct piece piece = {.address = at, .size = end - at < PIECE_SIZE ? end - at : PIECE_SIZE};
		inv_push(round->pieces, piece);
		round->bytes += piece.size;
		at += piece.size;
		if (inv_count(round->pieces) >= ROUND_PIECES || round->bytes >= ROUND_BYTES)
			finish_round(round, sweep, threads);
	}
}

static uint32_t offset_of(const struct inv_layout *layout, enum inv_field field)
{
	return layout->place[field].offset;
}

static struct inv_pattern pattern_of(const struct inv_kernel *kernel)
{
	const struct inv_layout *layout = kernel->layout;
	return (struct inv_pattern){
	    .highest = inv_image_info(kernel->image)->highest,
	    .self_slot = inv_sweep_self_slot(kernel),
	    .wait_list = offset_of(layout, INV_F_DISPATCHER_HEADER_WaitListHead),
	    .dtb = offset_of(layout, INV_F_KPROCESS_DirectoryTableBase),
	    .threads = offset_of(layout, INV_F_KPROCESS_ThreadListHead),
	    .initial_stack = offset_of(layout, INV_F_KTHREAD_InitialStack),
	    .stack_limit = offset_of(layout, INV_F_KTHREAD_StackLimit),
	    .stack_base = offset_of(layout, INV_F_KTHREAD_StackBase),
	    .process = offset_of(layout, INV_F_KTHREAD_Process),
	};
}

unsigned inv_sweep_self_slot(const struct inv_kernel *kernel)
{
	uint64_t root = inv_space_dtb(kernel->space) & INV_FRAME_MASK;
	const uint8_t *table;
	// With five levels another table maps itself; which one is not verified.
	if (inv_space_levels(kernel->space) != 4 ||
	    inv_image_bytes(kernel->image, root, INV_PAGE_SIZE, &table) < INV_PAGE_SIZE)
		return 0;
	unsigned slot = 0, found = 0;
	for (unsigned i = ENTRIES / 2; i < ENTRIES; i++) {
		uint64_t entry = inv_le64(table + (size_t)i * 8);
		if ((entry & INV_ENTRY_VALID) && (entry & INV_FRAME_MASK) == root) {
			slot = i;
			found++;
		}
	}
	return found == 1 ? slot : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct inv_hit *left = a, *right = b;
	if (left->physical != right->physical)
		return left->physical < right->physical ? -1 : 1;
	return (left->kind > right->kind) - (left->kind < right->kind);
}

static struct inv_sweep *run(const struct inv_kernel *kernel, const struct inv_asked_tags *asked, unsigned threads)
{
	if (kernel->fragments || !kernel->image || !kernel->layout || !kernel->space ||
	    !inv_space_has_page_tables(kernel->space))
		return NULL;
	struct inv_sweep *sweep = inv_alloc(sizeof *sweep);
	struct round round = {.image = kernel->image, .progress = kernel->progress, .pattern = pattern_of(kernel)};
	round.pattern.asked = asked;
	inv_progress_begin(kernel->progress, INV_PHASE_SWEEP, inv_image_info(kernel->image)->present_pages * INV_PAGE_SIZE);
	sweep->roots = !asked && round.pattern.self_slot != 0;
	uint64_t address = 0, runs = 0;
	struct inv_run run;
	while (!sweep->cut_short && !inv_progress_stopped(kernel->progress) &&
	       inv_image_next_run(kernel->image, address, &run)) {
		if (run.size == 0 || run.address > UINT64_MAX - run.size)
			break;
		address = run.address + run.size;
		add_run(&round, sweep, &run, threads);
		if (++runs == MAX_RUNS)
			sweep->cut_short = "the image consists of more than 1048576 runs";
	}
	finish_round(&round, sweep, threads);
	inv_array_free(round.pieces);
	if (inv_progress_stopped(kernel->progress)) {
		sweep->interrupted = true;
		return sweep;
	}
	if (sweep->hits)
		qsort(sweep->hits, inv_count(sweep->hits), sizeof *sweep->hits, by_place);
	sweep->mapped = inv_trace_hits(kernel, &round.pattern, threads, sweep->hits, inv_count(sweep->hits));
	return sweep;
}

struct inv_sweep *inv_sweep_run(const struct inv_kernel *kernel, unsigned threads)
{
	return run(kernel, NULL, threads);
}

struct inv_sweep *inv_sweep_tags(const struct inv_kernel *kernel, const uint32_t *tags, size_t count, unsigned threads)
{
	struct inv_asked_tags asked;
	inv_ask_for_tags(&asked, tags, count);
	return run(kernel, &asked, threads);
}

void inv_sweep_free(struct inv_sweep *sweep)
{
	if (!sweep)
		return;
	inv_array_free(sweep->hits);
	free(sweep);
}
