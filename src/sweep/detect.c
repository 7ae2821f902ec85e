// SPDX-License-Identifier: Apache-2.0
// What a page is looked at for. Every byte of memory passes here once, so the loop over a page knows only the cheapest tests;
// the rest is asked of the few places that pass them.
#include "sweep/detect.h"
#include "base/array.h"
#include "base/bytes.h"
#include "nt/process.h"

// Pool blocks and the objects in them stand at multiples of 16 on x64.
#define GRANULE 16u
// Tags as 32-bit numbers. The highest bit of the last letter marks a protected object.
#define TAG_MASK 0x7fffffffu
#define TAG_PROCESS 0x636f7250u // "Proc"
#define TAG_THREAD 0x65726854u  // "Thre"
// Bit 7 of DISPATCHER_HEADER.Type is a lock (layouts.md, B.3.6).
#define TYPE_MASK 0x7fu
// Bits 12..51: a physical address in a page table entry (Intel SDM, vol. 3, 4.5).
#define FRAME_MASK 0x000ffffffffff000ull
#define ABOVE_FRAME 0x7ff0000000000000ull
#define PRESENT 1ull

static bool in_page(size_t at, uint32_t offset, size_t size)
{
	return offset != INV_NO_OFFSET && at + offset + size <= INV_PAGE_SIZE;
}

// In the kernel half, and aligned as pointers to structures are.
static bool is_kernel_pointer(uint64_t value)
{
	return value >> 56 == 0xff && value % 8 == 0;
}

static bool is_list(const uint8_t *head)
{
	return is_kernel_pointer(inv_le64(head)) && is_kernel_pointer(inv_le64(head + 8));
}

static bool is_root_of_process(const struct inv_pattern *pattern, uint64_t dtb)
{
	uint64_t frame = dtb & FRAME_MASK;
	return frame != 0 && frame < pattern->highest && (dtb & ABOVE_FRAME) == 0;
}

// What stands behind the end of the page is not asked here: it is read through the page tables later.
static bool has_shape_of_process(const struct inv_pattern *pattern, const uint8_t *page, size_t at)
{
	if (in_page(at, pattern->wait_list, 16) && !is_list(page + at + pattern->wait_list))
		return false;
	if (in_page(at, pattern->dtb, 8) && !is_root_of_process(pattern, inv_le64(page + at + pattern->dtb)))
		return false;
	return !in_page(at, pattern->threads, 16) || is_list(page + at + pattern->threads);
}

// Two of three: a liar may have changed one.
static bool has_shape_of_thread(const struct inv_pattern *pattern, const uint8_t *page, size_t at)
{
	unsigned asked = 0, right = 0;
	if (in_page(at, pattern->wait_list, 16) && !is_list(page + at + pattern->wait_list))
		return false;
	if (in_page(at, pattern->stack_limit, 8) && in_page(at, pattern->stack_base, 8)) {
		uint64_t limit = inv_le64(page + at + pattern->stack_limit), base = inv_le64(page + at + pattern->stack_base);
		asked++;
		right += is_kernel_pointer(limit) && is_kernel_pointer(base) && limit < base;
	}
	if (in_page(at, pattern->initial_stack, 8)) {
		asked++;
		right += is_kernel_pointer(inv_le64(page + at + pattern->initial_stack));
	}
	if (in_page(at, pattern->process, 8)) {
		asked++;
		right += is_kernel_pointer(inv_le64(page + at + pattern->process));
	}
	return right + 1 >= asked && (right > 0 || asked == 0);
}

static void keep(struct inv_catch *catch, enum inv_hit_kind kind, uint64_t physical)
{
	if (inv_count(catch->hits) >= catch->most) {
		catch->full = true;
		return;
	}
	struct inv_hit hit = {.physical = physical, .kind = kind};
	inv_push(catch->hits, hit);
}

static void look_closer(const struct inv_pattern *pattern, const uint8_t *page, size_t at, uint64_t physical,
                        struct inv_catch *catch)
{
	uint32_t tag = inv_le32(page + at + 4) & TAG_MASK;
	unsigned type = page[at] & TYPE_MASK;
	if (tag == TAG_PROCESS)
		keep(catch, INV_HIT_PROCESS_TAG, physical + at);
	else if (tag == TAG_THREAD)
		keep(catch, INV_HIT_THREAD_TAG, physical + at);
	else if (type == INV_PROCESS_OBJECT && has_shape_of_process(pattern, page, at))
		keep(catch, INV_HIT_PROCESS, physical + at);
	else if (type == INV_THREAD_OBJECT && has_shape_of_thread(pattern, page, at))
		keep(catch, INV_HIT_THREAD, physical + at);
}

static bool is_worth_a_look(const uint8_t *granule)
{
	uint64_t first = inv_le64(granule), second = inv_le64(granule + 8);
	uint32_t tag = (uint32_t)(first >> 32) & TAG_MASK;
	unsigned type = (unsigned)first & TYPE_MASK;
	return (tag == TAG_PROCESS) | (tag == TAG_THREAD) |
	       ((second >> 56 == 0xff) & ((type == INV_PROCESS_OBJECT) | (type == INV_THREAD_OBJECT)));
}

void inv_detect_page(const struct inv_pattern *pattern, const uint8_t *page, uint64_t physical, struct inv_catch *catch)
{
	for (size_t at = 0; at < INV_PAGE_SIZE; at += GRANULE)
		if (is_worth_a_look(page + at))
			look_closer(pattern, page, at, physical, catch);
	if (!pattern->self_slot)
		return;
	uint64_t entry = inv_le64(page + (size_t)pattern->self_slot * 8);
	if ((entry & PRESENT) && (entry & FRAME_MASK) == physical)
		keep(catch, INV_HIT_ROOT, physical);
}
