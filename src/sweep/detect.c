// SPDX-License-Identifier: Apache-2.0
// What a page is looked at for. Every byte of memory passes here once, so the loop over a page knows only the cheapest tests;
// the rest is asked of the few places that pass them.
#include "sweep/detect.h"
#include "base/array.h"
#include "base/bytes.h"
#include "kernel/kdbg.h"
#include "nt/process.h"
#include "paging/frame.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Pool blocks and the objects in them stand at multiples of 16 on x64.
#define GRANULE 16u
// Tags as 32-bit numbers. The highest bit of the last letter marks a protected object.
#define TAG_MASK 0x7fffffffu
#define TAG_PROCESS 0x636f7250u // "Proc"
#define TAG_THREAD 0x65726854u  // "Thre"
#define TAG_TOKEN 0x656b6f54u   // "Toke"
#define TAG_JOB 0x20626f4au     // "Job "
#define TAG_W32 0x69707355u     // "Uspi"
#define TAG_DXG 0x50677844u     // "DxgP"
#define TAG_DESKTOP 0x6b736544u // "Desk"
#define TAG_ROUTINE 0x62726243u // "Cbrb"
#define KDBG_TAG 0x4742444bu    // "KDBG"
#define ABOVE_FRAME 0x7ff0000000000000ull

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
	uint64_t frame = dtb & INV_FRAME_MASK;
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

// The tag stands at `at`: its block begins INV_KDBG_OWNER_TAG bytes before, maybe in another page. Size and KernBase follow.
static bool has_shape_of_kdbg(const uint8_t *page, size_t at)
{
	uint32_t size = inv_le32(page + at + INV_KDBG_SIZE - INV_KDBG_OWNER_TAG);
	const size_t base = at + INV_KDBG_KERN_BASE - INV_KDBG_OWNER_TAG;
	if (size < INV_KDBG_MIN || size > INV_KDBG_MAX)
		return false;
	return base + 8 > INV_PAGE_SIZE || is_kernel_pointer(inv_le64(page + base));
}

// A native PE32+ for x64 that is as large as kernels are (5 to 17 MiB, with a margin). (Offsets: Microsoft, "PE Format".)
static bool has_shape_of_kernel(const uint8_t *page)
{
	uint32_t header = inv_le32(page + 0x3c);
	if (header > INV_PAGE_SIZE - 0x60 || inv_le32(page + header) != 0x00004550) // "PE"
		return false;
	const uint8_t *optional = page + header + 24;
	uint32_t size = inv_le32(optional + 56);
	return inv_le16(page + header + 4) == 0x8664 && inv_le16(optional) == 0x20b && inv_le16(optional + 68) == 1 &&
	       size >= 4u << 20 && size <= 32u << 20;
}

static void keep_tag(struct inv_catch *catch, enum inv_hit_kind kind, uint64_t physical, uint32_t tag)
{
	if (inv_count(catch->hits) >= catch->most) {
		catch->full = true;
		return;
	}
	struct inv_hit hit = {.physical = physical, .kind = kind, .tag = tag};
	inv_push(catch->hits, hit);
}

static void keep(struct inv_catch *catch, enum inv_hit_kind kind, uint64_t physical)
{
	keep_tag(catch, kind, physical, 0);
}

static void look_closer(const struct inv_pattern *pattern, const uint8_t *page, size_t at, uint64_t physical,
                        struct inv_catch *catch)
{
	uint32_t tag = inv_le32(page + at + 4) & TAG_MASK;
	unsigned type = page[at] & INV_DISPATCHER_TYPE;
	if (tag == TAG_PROCESS)
		keep(catch, INV_HIT_PROCESS_TAG, physical + at);
	else if (tag == TAG_THREAD)
		keep(catch, INV_HIT_THREAD_TAG, physical + at);
	else if (tag == TAG_TOKEN)
		keep(catch, INV_HIT_TOKEN_TAG, physical + at);
	else if (tag == TAG_JOB)
		keep(catch, INV_HIT_JOB_TAG, physical + at);
	else if (tag == TAG_W32)
		keep(catch, INV_HIT_W32_TAG, physical + at);
	else if (tag == TAG_DXG)
		keep(catch, INV_HIT_DXG_TAG, physical + at);
	else if (tag == TAG_DESKTOP)
		keep(catch, INV_HIT_DESKTOP_TAG, physical + at);
	else if (tag == TAG_ROUTINE)
		keep(catch, INV_HIT_ROUTINE_TAG, physical + at);
	else if (inv_le32(page + at) == KDBG_TAG && has_shape_of_kdbg(page, at))
		keep(catch, INV_HIT_KDBG, physical + at);
	else if (inv_le32(page + at + 8) == KDBG_TAG && has_shape_of_kdbg(page, at + 8))
		keep(catch, INV_HIT_KDBG, physical + at + 8);
	else if (type == INV_PROCESS_OBJECT && has_shape_of_process(pattern, page, at))
		keep(catch, INV_HIT_PROCESS, physical + at);
	else if (type == INV_THREAD_OBJECT && has_shape_of_thread(pattern, page, at))
		keep(catch, INV_HIT_THREAD, physical + at);
}

#define GROUP 4u // granules

#ifdef __SSE2__

static __m128i equals(__m128i values, uint32_t value)
{
	return _mm_cmpeq_epi32(values, _mm_set1_epi32((int)value));
}

// Which of four granules are worth a closer look; bit i of the result is that of granule i. (Every x64 has SSE2.)
static unsigned worth_a_look(const uint8_t *group)
{
	__m128i row[GROUP];
	for (size_t i = 0; i < GROUP; i++)
		row[i] = _mm_loadu_si128((const __m128i *)(const void *)(group + i * GRANULE));
	__m128i low01 = _mm_unpacklo_epi32(row[0], row[1]), low23 = _mm_unpacklo_epi32(row[2], row[3]);
	__m128i high01 = _mm_unpackhi_epi32(row[0], row[1]), high23 = _mm_unpackhi_epi32(row[2], row[3]);
	__m128i first = _mm_unpacklo_epi64(low01, low23);   // the first four bytes of each
	__m128i tags = _mm_unpackhi_epi64(low01, low23);    // the second four
	__m128i third = _mm_unpacklo_epi64(high01, high23); // and so on
	__m128i ends = _mm_unpackhi_epi64(high01, high23);
	__m128i types = _mm_and_si128(first, _mm_set1_epi32(INV_DISPATCHER_TYPE));
	types = _mm_or_si128(equals(types, INV_PROCESS_OBJECT), equals(types, INV_THREAD_OBJECT));
	types = _mm_or_si128(types, equals(first, KDBG_TAG));
	ends = _mm_cmpeq_epi32(_mm_srai_epi32(ends, 24), _mm_set1_epi32(-1)); // the last byte is 0xff
	tags = _mm_and_si128(tags, _mm_set1_epi32(TAG_MASK));
	__m128i tagged = _mm_or_si128(_mm_or_si128(equals(tags, TAG_PROCESS), equals(tags, TAG_THREAD)),
	                              _mm_or_si128(equals(tags, TAG_TOKEN), equals(tags, TAG_JOB)));
	__m128i drawn = _mm_or_si128(_mm_or_si128(equals(tags, TAG_W32), equals(tags, TAG_DXG)),
	                             _mm_or_si128(equals(tags, TAG_DESKTOP), equals(tags, TAG_ROUTINE)));
	tagged = _mm_or_si128(tagged, drawn);
	__m128i found = _mm_or_si128(_mm_or_si128(tagged, equals(third, KDBG_TAG)), _mm_and_si128(types, ends));
	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(found));
}

#else

// Bits 10 to 16 tell the eight tags from each other, so that one comparison is enough. A tag of zeros is none.
static const uint32_t tag_by_bits[128] = {[24] = TAG_ROUTINE, [26] = TAG_THREAD, [27] = TAG_JOB,     [28] = TAG_W32,
                                          [89] = TAG_DESKTOP, [91] = TAG_TOKEN,  [92] = TAG_PROCESS, [94] = TAG_DXG};

// What the first byte of a granule whose second half is an address of the kernel half can be: the type of a process or thread,
// or the first letter of KDBG's tag (KernBase follows 8 bytes on).
static const bool may_begin[256] = {
    [INV_PROCESS_OBJECT] = true,       [INV_THREAD_OBJECT] = true, [INV_PROCESS_OBJECT | 0x80] = true,
    [INV_THREAD_OBJECT | 0x80] = true, [KDBG_TAG & 0xff] = true,
};

static bool is_worth_a_look(const uint8_t *granule)
{
	uint64_t first = inv_le64(granule), second = inv_le64(granule + 8);
	uint32_t tag = (uint32_t)(first >> 32) & TAG_MASK;
	return (tag != 0 && tag == tag_by_bits[tag >> 10 & 127]) | ((uint32_t)second == KDBG_TAG) |
	       ((second >> 56 == 0xff) & may_begin[first & 0xff]);
}

static unsigned worth_a_look(const uint8_t *group)
{
	unsigned found = 0;
	for (unsigned i = 0; i < GROUP; i++)
		found |= (unsigned)is_worth_a_look(group + (size_t)i * GRANULE) << i;
	return found;
}

#endif

// -- tags that are asked for ------------------------------------------------------------------------------------------------

// Eight bits that depend on all of a tag (a multiplicative hash).
static uint8_t number_of(uint32_t tag)
{
	return (uint8_t)(tag * 0x9e3779b1u >> 24);
}

void inv_ask_for_tags(struct inv_asked_tags *asked, const uint32_t *tags, size_t count)
{
	*asked = (struct inv_asked_tags){0};
	for (size_t i = 0; i < count && i < INV_SWEEP_MOST_TAGS; i++) {
		asked->tags[asked->count++] = tags[i] & TAG_MASK;
		asked->worth[number_of(tags[i] & TAG_MASK)] = true;
	}
}

static void look_for_tags(const struct inv_asked_tags *asked, const uint8_t *page, uint64_t physical,
                          struct inv_catch *catch)
{
	for (size_t at = 0; at < INV_PAGE_SIZE; at += GRANULE) {
		uint32_t tag = inv_le32(page + at + 4) & TAG_MASK;
		if (!asked->worth[number_of(tag)])
			continue;
		for (size_t i = 0; i < asked->count; i++)
			if (asked->tags[i] == tag)
				keep_tag(catch, INV_HIT_ASKED_TAG, physical + at, tag);
	}
}

void inv_detect_page(const struct inv_pattern *pattern, const uint8_t *page, uint64_t physical, struct inv_catch *catch)
{
	if (pattern->asked) {
		look_for_tags(pattern->asked, page, physical, catch);
		return;
	}
	for (size_t at = 0; at < INV_PAGE_SIZE; at += (size_t)GROUP * GRANULE)
		for (unsigned found = worth_a_look(page + at); found; found &= found - 1)
			look_closer(pattern, page, at + (size_t)__builtin_ctz(found) * GRANULE, physical, catch);
	if (page[0] == 'M' && page[1] == 'Z' && has_shape_of_kernel(page))
		keep(catch, INV_HIT_KERNEL, physical);
	if (!pattern->self_slot)
		return;
	uint64_t entry = inv_le64(page + (size_t)pattern->self_slot * 8);
	if ((entry & INV_ENTRY_VALID) && (entry & INV_FRAME_MASK) == physical)
		keep(catch, INV_HIT_ROOT, physical);
}
