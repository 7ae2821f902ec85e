// SPDX-License-Identifier: Apache-2.0
// PoolBigPageTable as a witness: process and thread objects that lie in a block of a page or more, and the processes that such
// blocks are billed to. The table is the pool's own, and no list of processes leads to it.
#include "nt/big_pages.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "nt/process.h"
#include "witness/witness.h"

#define TAG_MASK 0x7fffffffu
#define TAG_PROCESS 0x636f7250u // "Proc"
#define TAG_THREAD 0x65726854u  // "Thre"
// Entries that are kept. A machine with 100 GiB of memory has some 50,000.
#define MOST_KEPT ((size_t)1 << 20)

static void take_object(struct inv_testimony *testimony, const struct inv_big_page *page)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint32_t tag = page->tag & TAG_MASK;
	if (tag == TAG_PROCESS) {
		uint64_t process = inv_object_in_block(kernel, page->va, INV_PROCESS_OBJECT);
		if (process && inv_looks_like_process(kernel, process))
			inv_sight(testimony, INV_W_BIG_PAGES, process, 0, page->at);
	} else if (tag == TAG_THREAD) {
		uint64_t thread = inv_object_in_block(kernel, page->va, INV_THREAD_OBJECT);
		if (thread && inv_looks_like_thread(kernel, thread))
			inv_sight(testimony, INV_W_BIG_PAGES, 0, thread, page->at);
	}
}

// Whether the pointer is stored as it is or encoded, as that in a pool header, and whether it holds a reference, is not verified:
// it is believed only where it leads to a process, and shows one to exist only if deletion has not begun, which clears
// ProcessInserted.
static void take_bill(struct inv_testimony *testimony, const struct inv_big_page *page)
{
	struct inv_bill bill = {.process = page->billed};
	if (!(page->billed >> 63) || !inv_looks_like_process(testimony->kernel, page->billed) ||
	    !inv_field_address(testimony->kernel, page->at, INV_F_POOL_TRACKER_BIG_PAGES_ProcessBilled, &bill.at))
		return;
	inv_push(testimony->bills, bill);
	struct inv_value inserted = inv_field(testimony->kernel, bill.process, INV_F_EPROCESS_ProcessInserted);
	if (inserted.ok && inserted.u)
		inv_sight(testimony, INV_W_BIG_PAGES, bill.process, 0, bill.at);
}

static void take_page(void *context, const struct inv_big_page *page)
{
	struct inv_testimony *testimony = context;
	if (inv_count(testimony->big_pages) < MOST_KEPT)
		inv_push(testimony->big_pages, *page);
	if (page->free)
		return;
	take_object(testimony, page);
	take_bill(testimony, page);
}

static int by_va(const void *a, const void *b)
{
	const struct inv_big_page *left = a, *right = b;
	if (left->va != right->va)
		return left->va < right->va ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

static int by_process(const void *a, const void *b)
{
	const struct inv_bill *left = a, *right = b;
	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

void inv_witness_big_pages(struct inv_testimony *testimony)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_BIG_PAGES];
	struct inv_big_coverage table;
	inv_big_pages_walk(testimony->kernel, take_page, testimony, &table);
	if (table.unknown) {
		inv_void(testimony, INV_W_BIG_PAGES, table.unknown);
		return;
	}
	coverage->read = table.read;
	coverage->broken = table.broken;
	coverage->unreadable = table.unreadable;
	coverage->complete = table.complete && inv_count(testimony->big_pages) < MOST_KEPT;
	if (testimony->big_pages)
		qsort(testimony->big_pages, inv_count(testimony->big_pages), sizeof *testimony->big_pages, by_va);
	if (testimony->bills)
		qsort(testimony->bills, inv_count(testimony->bills), sizeof *testimony->bills, by_process);
	if (table.read == 0)
		inv_void(testimony, INV_W_BIG_PAGES, "nothing of PoolBigPageTable could be read");
}

const struct inv_big_page *inv_big_pages_at(const struct inv_testimony *testimony, uint64_t va, size_t *count)
{
	const struct inv_big_page *pages = testimony->big_pages;
	size_t all = inv_count(pages), low = INV_LOWER_BOUND(pages, all, va, va);
	for (*count = 0; low + *count < all && pages[low + *count].va == va;)
		++*count;
	return *count ? &pages[low] : NULL;
}

const struct inv_bill *inv_bill_of(const struct inv_testimony *testimony, uint64_t process)
{
	const struct inv_bill *bills = testimony->bills;
	size_t all = inv_count(bills), low = INV_LOWER_BOUND(bills, all, process, process);
	return low < all && bills[low].process == process ? &bills[low] : NULL;
}
