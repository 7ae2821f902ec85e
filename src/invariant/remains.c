// SPDX-License-Identifier: Apache-2.0
// What the sweep over memory adds: blocks of pool (L14), page table roots (the half of L06 that needs no PFN database), and
// what deleted processes left (X06).
#include "base/array.h"
#include "base/bytes.h"
#include "invariant/families.h"

// -- L14 --------------------------------------------------------------------------------------------------------------------

#define POOL_HEADER_SIZE 0x10u
#define GRANULE 0x10u
#define OPTIONAL_MAX 0xa0u // optional headers between the pool header and the object header
#define TAG_MASK 0x7fffffffu
#define TAG_PROCESS 0x636f7250u // "Proc"

struct block {
	uint64_t address; // of its header; 0: none was found
	uint32_t tag;
	uint8_t type; // 0: the block is free
};

// The header of the block that an object lies in stands in the object's page, a few optional headers below the object header.
// false: a page could not be read.
static bool find_block(struct inv_judge *judge, uint64_t object_header, struct block *block)
{
	*block = (struct block){0};
	for (uint64_t optional = 0; optional <= OPTIONAL_MAX; optional += GRANULE) {
		uint64_t at = object_header - optional - POOL_HEADER_SIZE;
		if (at / INV_PAGE_SIZE != object_header / INV_PAGE_SIZE)
			return true;
		uint8_t header[POOL_HEADER_SIZE];
		if (inv_space_read(judge->kernel->space, at, header, sizeof header, NULL) < sizeof header)
			return false;
		if ((inv_le32(header + 4) & TAG_MASK) != TAG_PROCESS)
			continue;
		*block = (struct block){.address = at, .tag = inv_le32(header + 4), .type = header[3]};
		return true;
	}
	return true;
}

// Lists that show a process only while its object is allocated.
#define LISTS                                                                                                          \
	(INV_BIT(INV_W_ACTIVE_LIST) | INV_BIT(INV_W_SCHEDULER_LIST) | INV_BIT(INV_W_MM_LIST) | INV_BIT(INV_W_CID_TABLE) |  \
	 INV_BIT(INV_W_SESSION_LIST) | INV_BIT(INV_W_JOB_LIST))

// A block that begins its page has no header, and stands in PoolBigPageTable instead.
enum big_answer {
	NOT_BIG,     // no block can begin there
	BIG_UNKNOWN, // the table could not be read to its end
	BIG_NONE,    // the table has no block there
	BIG_FREE,    // it had one
	BIG_OTHER,   // it has one with another tag
	BIG_PROCESS, // it has one with the tag of processes
};

static enum big_answer ask_big_pages(const struct inv_judge *judge, uint64_t object_header,
                                     const struct inv_big_page **page)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	uint64_t start = object_header & ~(uint64_t)(INV_PAGE_SIZE - 1);
	size_t count;
	const struct inv_big_page *pages = inv_big_pages_at(testimony, start, &count);
	*page = pages;
	if (object_header - start > OPTIONAL_MAX)
		return NOT_BIG;
	enum big_answer answer = count ? BIG_FREE : BIG_NONE;
	for (size_t i = 0; i < count; i++) { // an entry that is free may have been for the same address before
		if (pages[i].free)
			continue;
		*page = &pages[i];
		if ((pages[i].tag & TAG_MASK) == TAG_PROCESS)
			return BIG_PROCESS;
		answer = BIG_OTHER;
	}
	return answer == BIG_NONE && !testimony->coverage[INV_W_BIG_PAGES].complete ? BIG_UNKNOWN : answer;
}

// Does the header itself say that it stands where a block without a header begins? Unsure when it says nothing.
static bool may_begin_page(const struct inv_judge *judge, uint64_t object_header)
{
	uint64_t optional;
	return !inv_object_optional_size(judge->kernel, object_header, &optional) ||
	       object_header % INV_PAGE_SIZE == optional;
}

static const char *why_unknown(const struct inv_judge *judge, uint64_t object_header, enum big_answer big)
{
	// In a segment heap blocks may lack a header, and what it writes into those that are free is not verified.
	if (!inv_knows(judge->kernel, INV_POOL_HEADERS_TELL))
		return "the segment heap (Windows 10 1903 and later) keeps records of its own, which are not read";
	if (big == BIG_UNKNOWN && may_begin_page(judge, object_header))
		return "the block begins a page, and PoolBigPageTable could not be read to its end";
	return NULL;
}

static void says_block(struct inv_judge *judge, struct inv_finding *finding, uint64_t header, const struct block *block,
                       enum big_answer big, const struct inv_big_page *page)
{
	struct inv_value tag = {.ok = true, .address = block->address ? block->address : header, .u = block->tag};
	if (block->address) {
		inv_witness_says(judge, finding, INV_W_POOL, "_POOL_HEADER", &tag, "the block that it lies in is free");
	} else if (big == BIG_FREE || big == BIG_OTHER) {
		struct inv_value entry = {.ok = true, .address = page->at, .u = page->tag};
		inv_witness_says(judge, finding, INV_W_BIG_PAGES, "PoolBigPageTable", &entry,
		                 big == BIG_FREE ? "the block that begins its page is free"
		                                 : "the block that begins its page has another tag");
	} else {
		inv_witness_says(judge, finding, INV_W_POOL, "_POOL_HEADER", &tag,
		                 "no block with the tag of processes begins before it");
	}
}

static void judge_block(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (!(process->seen_by & LISTS))
		return;
	uint64_t header = inv_object_header(judge->kernel, process->address);
	struct block block;
	if (!header || !find_block(judge, header, &block)) {
		inv_unknown_because(judge, header ? "the memory before the object could not be read"
		                                  : "the layout does not know where an object's header stands");
		return;
	}
	const struct inv_big_page *page = NULL;
	enum big_answer big = block.address ? NOT_BIG : ask_big_pages(judge, header, &page);
	if ((block.address && block.type != 0) || big == BIG_PROCESS) {
		inv_holds(judge);
		return;
	}
	const char *unknown = why_unknown(judge, header, big);
	if (unknown) {
		inv_unknown_because(judge, unknown);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_OBJECT_MANAGER);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		struct inv_value entry = {.ok = true, .u = process->address};
		if (process->seen_by & LISTS & INV_BIT(i))
			inv_witness_says(judge, finding, (enum inv_witness_id)i, inv_witness((enum inv_witness_id)i)->name, &entry,
			                 "the process is on the list");
	}
	says_block(judge, finding, header, &block, big, page);
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_L14(struct inv_judge *judge)
{
	inv_each_process(judge, judge_block);
}

// -- L06, by page tables alone ----------------------------------------------------------------------------------------------

static void judge_owned_root(struct inv_judge *judge, const struct inv_root_record *root)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, root->process);
	if (root->listed) {
		inv_holds(judge);
		return;
	}
	if (!process || process->state != INV_STATE_HIDDEN || process->on_active_list != INV_NO) {
		inv_unknown_because(judge,
		                    "a page table root of a process that is not on the list may be left of a deleted one");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value frame = {.ok = true, .address = root->frame, .u = root->frame};
	inv_witness_says(judge, finding, INV_W_SELF_MAP, "PML4", &frame, "the page table root of the process maps itself");
	struct inv_value head = judge->dossiers->testimony->active.head_flink;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &head,
	                 "the list leads past the process");
	inv_tried(judge, finding, "creating", "it was inserted, or runs");
	inv_tried(judge, finding, "deleting", "it was inserted, or runs");
}

// The page of a deleted process keeps its content until it is used again, so that a root without a process is no proof.
static void judge_unowned_root(struct inv_judge *judge, const struct inv_root_record *root)
{
	const struct inv_pfn_database *database = &judge->dossiers->testimony->pfn;
	struct inv_pfn pfn;
	if (!database->voided && inv_pfn_read(database, root->frame / INV_PAGE_SIZE, &pfn, NULL)) {
		if (pfn.location != INV_PFN_ACTIVE || inv_pfn_is_root(&pfn))
			return; // free memory, or judged by its PFN entry
		inv_unknown_because(judge, "a page in use maps itself but is no page table root by its PFN entry: old content");
		return;
	}
	inv_unknown_because(judge, "a page that maps itself belongs to no process that was found, and may be old content");
}

void inv_judge_self_maps(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	bool by_pfn = !testimony->pfn.voided && inv_count(testimony->pfn_roots) != 0;
	for (size_t i = 0; i < inv_count(testimony->roots); i++) {
		if (testimony->roots[i].process == 0)
			judge_unowned_root(judge, &testimony->roots[i]);
		else if (!by_pfn)
			judge_owned_root(judge, &testimony->roots[i]);
	}
}

// -- X06 --------------------------------------------------------------------------------------------------------------------

// Threads, CPUs and the scheduler's list lead to what lives.
#define LIVING (INV_BIT(INV_W_THREAD) | INV_BIT(INV_W_CPU) | INV_BIT(INV_W_SCHEDULER_LIST))

static void judge_remains(struct inv_judge *judge, const struct inv_dossier *process)
{
	if (process->role == INV_ROLE_IDLE || process->on_active_list == INV_YES)
		return;
	struct inv_value inserted = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ProcessInserted);
	if (!inv_need(judge, &inserted) || inserted.u)
		return;
	if (process->on_active_list == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	if (!(process->seen_by & LIVING)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ProcessInserted, &inserted,
	               "the process was deleted, or is not inserted yet");
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	size_t count;
	const uint32_t *index = inv_pointers_to(testimony, process->address, &count);
	for (; count > 0 && inv_count(finding->evidence) < 8; index++, count--) {
		const struct inv_sighting *sighting = &testimony->sightings[*index];
		struct inv_value record = {.ok = true, .address = sighting->at, .u = process->address};
		if (LIVING & INV_BIT(sighting->witness))
			inv_witness_says(judge, finding, sighting->witness, "record", &record, "this leads to the process");
	}
}

// Also what is not live: it is what this is about.
void inv_judge_X06(struct inv_judge *judge)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		judge_remains(judge, &judge->dossiers->processes[i]);
}
