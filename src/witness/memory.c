// SPDX-License-Identifier: Apache-2.0
// What the sweep over physical memory found: blocks of pool with the tags of processes, threads, tokens and jobs, and objects by
// their shape. Both show that an object exists or existed, never that one does not: what they lack proves nothing. Page table roots
// are matched with processes when all of these are known (inv_witness_roots()).
#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "base/search.h"
#include "base/workers.h"
#include "nt/thread.h"
#include "paging/frame.h"
#include "sweep/sweep.h"
#include "witness/witness.h"

#define POOL_HEADER_SIZE 0x10u
// Between the pool header and the object header stand optional headers of 16 or 32 bytes each, at most these many together.
#define OPTIONAL_MAX 0xa0u
#define GRANULE 0x10u

#define NO_SWEEP "memory was not swept"

// Does the list whose head stands in the object lead back to it? What overwrites an object breaks this first.
static bool is_whole(const struct inv_kernel *kernel, uint64_t object)
{
	uint64_t head;
	if (!inv_field_address(kernel, object, INV_F_DISPATCHER_HEADER_WaitListHead, &head))
		return false;
	struct inv_value next = inv_read_u64(kernel, head);
	struct inv_value back = next.ok ? inv_read_u64(kernel, next.u + 8) : next;
	return back.ok && back.u == head;
}

static bool has_type(const struct inv_kernel *kernel, uint64_t object, unsigned type)
{
	struct inv_value value = inv_field(kernel, object, INV_F_DISPATCHER_HEADER_Type);
	return value.ok && (value.u & 0x7f) == type; // bit 7 is a lock
}

static bool is_root_present(const struct inv_kernel *kernel, uint64_t process)
{
	struct inv_value dtb = inv_field(kernel, process, INV_F_KPROCESS_DirectoryTableBase);
	return dtb.ok && (dtb.u & INV_FRAME_MASK) != 0 && (dtb.u & INV_FRAME_MASK) < inv_image_info(kernel->image)->highest;
}

bool inv_looks_like_process(const struct inv_kernel *kernel, uint64_t object)
{
	return has_type(kernel, object, INV_PROCESS_OBJECT) && is_whole(kernel, object) && is_root_present(kernel, object);
}

// The stack of a thread that lives is there, and the thread belongs to a process; terminated threads are signalled first of
// all (KeTerminateThread), and so stay when their memory is freed.
bool inv_looks_like_thread(const struct inv_kernel *kernel, uint64_t object)
{
	if (!has_type(kernel, object, INV_THREAD_OBJECT) || !is_whole(kernel, object))
		return false;
	struct inv_value signal = inv_field(kernel, object, INV_F_DISPATCHER_HEADER_SignalState);
	struct inv_value state = inv_field(kernel, object, INV_F_KTHREAD_State);
	struct inv_value terminated = inv_field(kernel, object, INV_F_ETHREAD_Terminated);
	struct inv_value base = inv_field(kernel, object, INV_F_KTHREAD_StackBase);
	struct inv_value process = inv_field(kernel, object, INV_F_KTHREAD_Process);
	if (!signal.ok || signal.u || !state.ok || state.u == INV_KTHREAD_TERMINATED || !inv_thread_state_name(state.u))
		return false;
	if ((terminated.ok && terminated.u) || !base.ok || !inv_read_u64(kernel, base.u - 8).ok)
		return false;
	return process.ok && has_type(kernel, process.u, INV_PROCESS_OBJECT);
}

uint64_t inv_object_in_block(const struct inv_kernel *kernel, uint64_t start, unsigned type)
{
	uint64_t header_size;
	if (!inv_field_address(kernel, 0, INV_F_OBJECT_HEADER_Body, &header_size))
		return 0;
	for (uint64_t optional = 0; optional <= OPTIONAL_MAX; optional += GRANULE) {
		uint64_t object = start + optional + header_size;
		if (has_type(kernel, object, type) && is_whole(kernel, object))
			return object;
	}
	return 0;
}

// The object of this type in the block at `block`, by the header that the object manager made: one that nobody references any
// more is left of an object that was deleted. 0: there is none.
static uint64_t headed_object(const struct inv_testimony *testimony, uint64_t block, const struct inv_value *type)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint8_t raw[POOL_HEADER_SIZE];
	bool read = inv_space_read(kernel->space, block, raw, sizeof raw, NULL) == sizeof raw;
	for (uint64_t optional = 0; type->ok && read && raw[3] != 0 && optional <= OPTIONAL_MAX; optional += GRANULE) {
		uint64_t header = block + POOL_HEADER_SIZE + optional, size;
		struct inv_value index = inv_object_type_index(kernel, &testimony->types, header);
		struct inv_value references = inv_field(kernel, header, INV_F_OBJECT_HEADER_PointerCount);
		if (index.ok && index.u == type->u && references.ok && references.u != 0 &&
		    inv_object_optional_size(kernel, header, &size) && size == optional)
			return inv_object_body(kernel, header);
	}
	return 0;
}

static bool is_of(enum inv_witness_id witness, enum inv_hit_kind kind)
{
	if (witness == INV_W_POOL)
		return kind == INV_HIT_PROCESS_TAG || kind == INV_HIT_THREAD_TAG || kind == INV_HIT_TOKEN_TAG ||
		       kind == INV_HIT_JOB_TAG;
	return kind == INV_HIT_PROCESS || kind == INV_HIT_THREAD;
}

static uint64_t whole_process(const struct inv_kernel *kernel, uint64_t process)
{
	return process && inv_looks_like_process(kernel, process) ? process : 0;
}

static uint64_t whole_thread(const struct inv_kernel *kernel, uint64_t thread)
{
	return thread && inv_looks_like_thread(kernel, thread) ? thread : 0;
}

// The object that was hit, if it is whole; 0: it is not.
static uint64_t object_of_hit(const struct inv_testimony *testimony, const struct inv_hit *hit)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint64_t in_block = hit->address + POOL_HEADER_SIZE;
	switch (hit->kind) {
	case INV_HIT_PROCESS_TAG:
		return whole_process(kernel, inv_object_in_block(kernel, in_block, INV_PROCESS_OBJECT));
	case INV_HIT_THREAD_TAG:
		return whole_thread(kernel, inv_object_in_block(kernel, in_block, INV_THREAD_OBJECT));
	case INV_HIT_PROCESS:
		return whole_process(kernel, hit->address);
	case INV_HIT_THREAD:
		return whole_thread(kernel, hit->address);
	case INV_HIT_TOKEN_TAG:
		return headed_object(testimony, hit->address, &testimony->types.token_id);
	case INV_HIT_JOB_TAG:
		return headed_object(testimony, hit->address, &testimony->types.job_id);
	case INV_HIT_W32_TAG:
	case INV_HIT_DXG_TAG:
	case INV_HIT_DESKTOP_TAG:
	case INV_HIT_ROUTINE_TAG:
	case INV_HIT_ROOT:
	case INV_HIT_KDBG:
	case INV_HIT_KERNEL:
	case INV_HIT_ASKED_TAG:
		break;
	}
	return 0;
}

// What stands at each hit is looked at by several threads, and said in order afterwards.
#define HITS_A_JOB 1024u

struct look {
	const struct inv_testimony *testimony;
	enum inv_witness_id witness;
	uint64_t *objects; // one for each hit
};

static void look_at_hits(void *context, size_t first, size_t end)
{
	const struct look *look = context;
	const struct inv_sweep *sweep = look->testimony->sweep;
	for (size_t i = first; i < end; i++)
		if (is_of(look->witness, sweep->hits[i].kind) && sweep->hits[i].address)
			look->objects[i] = object_of_hit(look->testimony, &sweep->hits[i]);
}

// A thread that ended says nothing any more: it is counted as read and leaves no sighting.
static void take_hit(struct inv_testimony *testimony, enum inv_witness_id witness, const struct inv_hit *hit,
                     uint64_t object)
{
	struct inv_coverage *coverage = &testimony->coverage[witness];
	if (!hit->address) {
		coverage->unreadable++;
		return;
	}
	coverage->read++;
	if (hit->kind == INV_HIT_PROCESS_TAG || hit->kind == INV_HIT_PROCESS) {
		if (object)
			inv_sight(testimony, witness, object, 0, hit->address);
		else
			coverage->broken++;
	} else if (object && hit->kind == INV_HIT_TOKEN_TAG) {
		inv_push(testimony->swept_tokens, object);
	} else if (object && hit->kind == INV_HIT_JOB_TAG) {
		inv_push(testimony->swept_jobs, object);
	} else if (object) {
		inv_sight(testimony, witness, 0, object, hit->address);
	}
}

static void testify(struct inv_testimony *testimony, enum inv_witness_id witness)
{
	const struct inv_sweep *sweep = testimony->sweep;
	if (!sweep) {
		inv_void(testimony, witness, NO_SWEEP);
		return;
	}
	size_t count = inv_count(sweep->hits);
	struct look look = {testimony, witness, inv_alloc(count * sizeof *look.objects)};
	inv_workers_spans(testimony->threads, count, HITS_A_JOB, look_at_hits, &look);
	for (size_t i = 0; i < count; i++)
		if (is_of(witness, sweep->hits[i].kind))
			take_hit(testimony, witness, &sweep->hits[i], look.objects[i]);
	free(look.objects);
}

void inv_witness_pool(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_POOL);
	inv_numbers_sort(testimony->swept_tokens);
	inv_numbers_sort(testimony->swept_jobs);
}

void inv_witness_dispatcher_header(struct inv_testimony *testimony)
{
	testify(testimony, INV_W_DISPATCHER_HEADER);
}

void inv_witness_self_map(struct inv_testimony *testimony)
{
	const struct inv_sweep *sweep = testimony->sweep;
	if (!sweep || !sweep->roots) {
		inv_void(testimony, INV_W_SELF_MAP,
		         sweep ? "the slot in which page tables map themselves is not known" : NO_SWEEP);
		return;
	}
	for (size_t i = 0; i < inv_count(sweep->hits); i++) {
		if (sweep->hits[i].kind != INV_HIT_ROOT)
			continue;
		struct inv_root_record root = {.frame = sweep->hits[i].physical};
		inv_push(testimony->roots, root); // in order of address
		testimony->coverage[INV_W_SELF_MAP].read++;
	}
	if (!sweep->roots || inv_count(testimony->roots) == 0)
		inv_void(testimony, INV_W_SELF_MAP, "not even System's page table root was found");
}

struct inv_root_record *inv_root_at(const struct inv_testimony *testimony, uint64_t dtb)
{
	size_t low = INV_LOWER_BOUND(testimony->roots, inv_count(testimony->roots), frame, dtb & INV_FRAME_MASK);
	bool found = low < inv_count(testimony->roots) && testimony->roots[low].frame == (dtb & INV_FRAME_MASK);
	return found ? &testimony->roots[low] : NULL;
}
