// SPDX-License-Identifier: Apache-2.0
// Crash dumps that say page by page what they hold.
//
// Types 5, 6 (and 7): a header at 0x2000 with "SDMP" or "FDMP", "DUMP", FirstPage at 0x20, the number of set bits at
// 0x28, of all bits at 0x30, and the bitmap at 0x38 (source: the descriptions of kdmp-parser and Volatility).
// Type 2: SUMMARY_DUMP64 of the Windows SDK has 32-bit fields instead: HeaderSize 0xc, BitmapSize 0x10, Pages 0x14, the
// bitmap at 0x28. No real dump of type 2 was at hand, so that either layout is accepted, whichever makes sense.
//
// Types 8, 9, 10: a header at 0x2000 with 0x40, "RDMP", "DUMP", and a list of ranges of pages from 0x30 on (source:
// kdmp-parser's description; no real dump was at hand).
#include <inttypes.h>
#include <string.h>

#include "image/format.h"

#define SUMMARY ((uint64_t)INV_CRASH64_HEADER_SIZE)

struct summary {
	uint64_t first;   // file offset of the first page
	uint64_t present; // pages that the header says are there
	uint64_t count;   // bits
	uint64_t bits;    // file offset of the bitmap
	uint64_t first_field, present_field, count_field;
};

static const uint8_t *summary_header(const struct inv_image *image, struct inv_error *error)
{
	const uint8_t *header = inv_image_at(image, SUMMARY, 0x40);
	if (!header)
		(void)inv_fail_at(error, image->info.path, SUMMARY, "a header of 0x40 bytes for the pages of the dump",
		                  "0x%" PRIx64 " bytes", image->size - SUMMARY);
	return header;
}

static struct summary read_wide(const uint8_t *header)
{
	return (struct summary){.first = inv_le64(header + 0x20),
	                        .present = inv_le64(header + 0x28),
	                        .count = inv_le64(header + 0x30),
	                        .bits = SUMMARY + 0x38,
	                        .first_field = SUMMARY + 0x20,
	                        .present_field = SUMMARY + 0x28,
	                        .count_field = SUMMARY + 0x30};
}

static struct summary read_narrow(const uint8_t *header)
{
	return (struct summary){.first = inv_le32(header + 0xc),
	                        .present = inv_le32(header + 0x14),
	                        .count = inv_le32(header + 0x10),
	                        .bits = SUMMARY + 0x28,
	                        .first_field = SUMMARY + 0xc,
	                        .present_field = SUMMARY + 0x14,
	                        .count_field = SUMMARY + 0x10};
}

// The bitmap stands before the first page, and cannot have more set bits than bits.
static bool makes_sense(const struct inv_image *image, const struct summary *summary)
{
	return summary->first <= image->size && summary->count > 0 && summary->count <= INV_MAX_BITMAP_PAGES &&
	       summary->present <= summary->count && summary->first >= summary->bits + (summary->count + 7) / 8;
}

static enum inv_code check_summary(const struct inv_image *image, const struct summary *summary,
                                   struct inv_error *error)
{
	const char *path = image->info.path;
	if (summary->count == 0 || summary->count > INV_MAX_BITMAP_PAGES)
		return inv_fail_at(error, path, summary->count_field, "a bitmap of 1 to 2^34 pages", "0x%" PRIx64,
		                   summary->count);
	uint64_t size = (summary->count + 7) / 8;
	if (!inv_image_at(image, summary->bits, size))
		return inv_fail_at(error, path, summary->bits, "the bitmap to be in the file",
		                   "0x%" PRIx64 " of its 0x%" PRIx64 " bytes", image->size - summary->bits, size);
	if (summary->first < summary->bits + size)
		return inv_fail_at(error, path, summary->first_field, "the first page to stand behind the bitmap",
		                   "0x%" PRIx64 ", and the bitmap ends at 0x%" PRIx64, summary->first, summary->bits + size);
	return INV_OK;
}

static void check_pages(struct inv_image *image, const struct summary *summary)
{
	uint64_t present = image->bitmap.present;
	if (present != summary->present)
		inv_image_contradict(image, summary->present_field, "the number of pages to be that of the bitmap's set bits",
		                     "0x%" PRIx64 ", and 0x%" PRIx64 " bits are set", summary->present, present);
	uint64_t left = summary->first < image->size ? image->size - summary->first : 0;
	if (present > left / INV_PAGE_SIZE)
		inv_image_contradict(image, summary->first_field, "all pages of the bitmap to be in the file",
		                     "0x%" PRIx64 " pages, and room for 0x%" PRIx64, present, left / INV_PAGE_SIZE);
}

static enum inv_format bitmap_format(uint32_t dump_type)
{
	if (dump_type == 2)
		return INV_FORMAT_CRASH_KERNEL;
	return dump_type == 5 ? INV_FORMAT_CRASH_BITMAP_FULL : INV_FORMAT_CRASH_BITMAP_KERNEL;
}

enum inv_code inv_crash_bitmap_recognise(struct inv_image *image, uint32_t dump_type, struct inv_error *error)
{
	image->info.format = bitmap_format(dump_type);
	const uint8_t *header = summary_header(image, error);
	if (!header)
		return INV_E_FORMAT;
	bool signature = memcmp(header, "SDMP", 4) == 0 || memcmp(header, "FDMP", 4) == 0;
	if (!signature || memcmp(header + 4, "DUMP", 4) != 0)
		return inv_fail_at(error, image->info.path, SUMMARY, "\"SDMP\" or \"FDMP\", then \"DUMP\"",
		                   "0x%08" PRIx32 " 0x%08" PRIx32, inv_le32(header), inv_le32(header + 4));
	struct summary wide = read_wide(header);
	struct summary narrow = read_narrow(header);
	bool use_narrow = dump_type == 2 ? makes_sense(image, &narrow) || !makes_sense(image, &wide) : false;
	const struct summary *summary = use_narrow ? &narrow : &wide;
	enum inv_code code = check_summary(image, summary, error);
	if (code)
		return code;
	inv_image_use_bitmap(image, image->bytes + summary->bits, summary->count, summary->first);
	check_pages(image, summary);
	return INV_OK;
}

#define RDMP_HEADER_SIZE 0x30u
#define RANGE_SIZE 16u

// Reads ranges until the filler (page 0), the end of the list, or until all pages of a complete dump are placed.
static uint64_t read_ranges(struct inv_image *image, uint64_t first, uint64_t most)
{
	uint64_t offset = first, pages = 0;
	for (uint64_t place = SUMMARY + RDMP_HEADER_SIZE; place <= first - RANGE_SIZE && pages < most;
	     place += RANGE_SIZE) {
		const uint8_t *range = inv_image_at(image, place, RANGE_SIZE);
		if (!range) {
			inv_image_contradict(image, place, "the list of ranges to be in the file", "the end of the file");
			break;
		}
		uint64_t page = inv_le64(range);
		uint64_t count = inv_le64(range + 8);
		if (page == 0)
			break;
		if (page >= INV_PHYSICAL_LIMIT / INV_PAGE_SIZE || count > INV_PHYSICAL_LIMIT / INV_PAGE_SIZE - page) {
			inv_image_contradict(image, place, "pages below 2^40",
			                     "0x%" PRIx64 " pages from 0x%" PRIx64 " on; the rest of the list is left out", count,
			                     page);
			break;
		}
		if (!inv_image_add_extent(image, place, page * INV_PAGE_SIZE, offset, count * INV_PAGE_SIZE))
			break;
		offset += count * INV_PAGE_SIZE;
		pages += count;
		if (offset > image->size) // noted; nothing behind it is in the file
			break;
	}
	return pages;
}

enum inv_code inv_crash_ranges_recognise(struct inv_image *image, uint32_t dump_type, struct inv_error *error)
{
	image->info.format = INV_FORMAT_CRASH_ACTIVE;
	const char *path = image->info.path;
	const uint8_t *header = summary_header(image, error);
	if (!header)
		return INV_E_FORMAT;
	if (memcmp(header + 4, "RDMPDUMP", 8) != 0)
		return inv_fail_at(error, path, SUMMARY + 4, "\"RDMPDUMP\"", "0x%08" PRIx32 " 0x%08" PRIx32,
		                   inv_le32(header + 4), inv_le32(header + 8));
	uint64_t metadata = inv_le64(header + 0x10);
	uint64_t first = inv_le64(header + 0x18);
	if (first < SUMMARY + RDMP_HEADER_SIZE + RANGE_SIZE || first > image->size)
		return inv_fail_at(error, path, SUMMARY + 0x18, "the first page to stand behind the list and in the file",
		                   "0x%" PRIx64, first);
	if (metadata > first || first - metadata != SUMMARY + 0x20)
		inv_image_contradict(image, SUMMARY + 0x10, "the size of the list to reach up to the first page",
		                     "0x%" PRIx64 ", and the first page at 0x%" PRIx64, metadata, first);
	bool complete = dump_type == 10;
	uint64_t total = inv_le64(header + 0x28);
	uint64_t pages = read_ranges(image, first, complete ? total : UINT64_MAX);
	if (complete && pages != total)
		inv_image_contradict(image, SUMMARY + 0x28, "the number of pages to be the sum of the ranges",
		                     "0x%" PRIx64 ", and 0x%" PRIx64 " in the ranges", total, pages);
	inv_image_settle(image, SUMMARY + RDMP_HEADER_SIZE);
	return INV_OK;
}
