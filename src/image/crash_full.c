// SPDX-License-Identifier: Apache-2.0
// A full crash dump (DumpType 1): the runs of PHYSICAL_MEMORY_DESCRIPTOR64, one after another from the end of the
// header on.
#include <inttypes.h>

#include "image/format.h"

enum {
	NUMBER_OF_RUNS = 0x88,
	NUMBER_OF_PAGES = 0x90,
	RUNS = 0x98,
	RUN_SIZE = 16,
	PHYSICAL_MEMORY_BLOCK_END = 0x88 + 700,
	MAX_RUNS = (PHYSICAL_MEMORY_BLOCK_END - RUNS) / RUN_SIZE,
	REQUIRED_DUMP_SPACE = 0xfa0,
};

// A number of pages as bytes; what cannot be memory is larger than any address.
static uint64_t page_bytes(uint64_t pages)
{
	return pages > UINT64_MAX / INV_PAGE_SIZE ? UINT64_MAX : pages * INV_PAGE_SIZE;
}

static void read_runs(struct inv_image *image, uint32_t runs, uint64_t *pages)
{
	uint64_t offset = INV_CRASH64_HEADER_SIZE, lowest = 0;
	for (uint32_t i = 0; i < runs; i++) {
		uint64_t place = RUNS + (uint64_t)i * RUN_SIZE;
		uint64_t base = inv_le64(image->bytes + place);
		uint64_t count = inv_le64(image->bytes + place + 8);
		if (base < lowest)
			inv_image_contradict(image, place, "runs in the order of their addresses",
			                     "page 0x%" PRIx64 " after page 0x%" PRIx64, base, lowest);
		(void)inv_image_add_extent(image, place, page_bytes(base), offset, page_bytes(count));
		if (count > INV_PHYSICAL_LIMIT / INV_PAGE_SIZE) // noted above; nothing behind it can be placed
			return;
		*pages += count;
		offset += page_bytes(count);
		lowest = base;
	}
}

static void check_sums(struct inv_image *image, uint64_t pages)
{
	uint64_t listed = inv_le64(image->bytes + NUMBER_OF_PAGES);
	if (listed != pages)
		inv_image_contradict(image, NUMBER_OF_PAGES, "NumberOfPages to be the sum of the runs",
		                     "0x%" PRIx64 ", and 0x%" PRIx64 " in the runs", listed, pages);
	// Windows counts the header, LiveKD does not (measured); less than the pages is neither.
	struct inv_claim space = inv_crash_claim64(image, REQUIRED_DUMP_SPACE);
	if (space.present && space.value != 0 && space.value < page_bytes(pages))
		inv_image_contradict(image, REQUIRED_DUMP_SPACE, "RequiredDumpSpace to hold the pages of the runs",
		                     "0x%" PRIx64 " bytes for 0x%" PRIx64 " pages", space.value, pages);
}

enum inv_code inv_crash_full_recognise(struct inv_image *image, struct inv_error *error)
{
	image->info.format = INV_FORMAT_CRASH_FULL;
	struct inv_claim runs = inv_crash_claim32(image, NUMBER_OF_RUNS);
	if (!runs.present || runs.value == 0)
		return inv_fail_at(error, image->info.path, NUMBER_OF_RUNS, "the runs of physical memory", "%s",
		                   runs.present ? "none" : "the filler \"PAGE\"");
	if (runs.value > MAX_RUNS) {
		inv_image_contradict(image, NUMBER_OF_RUNS, "at most 42 runs, which is what the header has room for",
		                     "%" PRIu64, runs.value);
		runs.value = MAX_RUNS;
	}
	uint64_t pages = 0;
	read_runs(image, (uint32_t)runs.value, &pages);
	check_sums(image, pages);
	inv_image_settle(image, RUNS);
	return INV_OK;
}
