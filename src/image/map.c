// SPDX-License-Identifier: Apache-2.0
// The map from physical addresses to places in the file: sorted extents, or the bitmap of a crash dump with an index
// of counts, so that every look-up is logarithmic whatever the header says.
#include <inttypes.h>
#include <string.h>

#include "base/search.h"
#include "image/format.h"

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool inv_image_add_extent(struct inv_image *image, uint64_t header, uint64_t address, uint64_t offset, uint64_t size)
{
	if (size == 0)
		return true;
	if (address >= INV_PHYSICAL_LIMIT || size > INV_PHYSICAL_LIMIT - address) {
		inv_image_contradict(image, header, "memory below 2^52", "0x%" PRIx64 " bytes at 0x%" PRIx64, size, address);
		if (address >= INV_PHYSICAL_LIMIT)
			return true;
		size = INV_PHYSICAL_LIMIT - address;
	}
	uint64_t left = offset < image->size ? image->size - offset : 0;
	if (size > left) {
		inv_image_contradict(image, header, "all memory that the header lists to be in the file",
		                     "0x%" PRIx64 " bytes for address 0x%" PRIx64 " at file offset 0x%" PRIx64
		                     ", of which 0x%" PRIx64 " are in the file",
		                     size, address, offset, left);
		size = left;
	}
	if (size == 0)
		return true;
	size_t count = inv_count(image->extents);
	if (count > 0) {
		struct inv_extent *last = &image->extents[count - 1];
		if (last->address + last->size == address && last->offset + last->size == offset) {
			last->size += size;
			return true;
		}
	}
	if (count >= INV_MAX_EXTENTS) {
		inv_image_contradict(image, header, "at most 4194304 runs of memory", "more; the rest is left out");
		return false;
	}
	struct inv_extent extent = {.address = address, .size = size, .offset = offset, .order = count};
	inv_push(image->extents, extent);
	return true;
}

static int compare_extents(const void *left, const void *right)
{
	const struct inv_extent *a = left;
	const struct inv_extent *b = right;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void inv_image_settle(struct inv_image *image, uint64_t header)
{
	size_t count = inv_count(image->extents);
	if (count == 0)
		return;
	qsort(image->extents, count, sizeof *image->extents, compare_extents);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct inv_extent next = image->extents[i];
		const struct inv_extent *last = kept ? &image->extents[kept - 1] : NULL;
		uint64_t end = last ? last->address + last->size : 0;
		if (last && next.address < end) {
			// A core with paging lists the same memory once for each mapping: the same bytes of the file are no
			// contradiction.
			if (next.offset - next.address != last->offset - last->address)
				inv_image_contradict(image, header, "runs of memory that do not overlap",
				                     "0x%" PRIx64 "..0x%" PRIx64 " and 0x%" PRIx64 "..0x%" PRIx64, last->address, end,
				                     next.address, next.address + next.size);
			uint64_t cut = min64(end - next.address, next.size);
			next.address += cut;
			next.offset += cut;
			next.size -= cut;
		}
		if (next.size > 0)
			image->extents[kept++] = next;
	}
	stbds_arrsetlen(image->extents, kept);
}

// Eight bytes of the bitmap from the bit `word * 64` on; bits past the end are clear.
static uint64_t bitmap_word(const struct inv_bitmap *map, uint64_t word)
{
	uint64_t bytes = (map->count + 7) / 8;
	uint64_t start = word * 8;
	uint64_t value = 0;
	if (start + 8 <= bytes)
		value = inv_le64(map->bits + start);
	else
		for (uint64_t i = 0; start + i < bytes; i++)
			value |= (uint64_t)map->bits[start + i] << (i * 8);
	uint64_t first = word * 64;
	if (map->count - first < 64)
		value &= (UINT64_C(1) << (map->count - first)) - 1;
	return value;
}

void inv_image_use_bitmap(struct inv_image *image, const uint8_t *bits, uint64_t count, uint64_t first)
{
	struct inv_bitmap *map = &image->bitmap;
	uint64_t blocks = (count + INV_BITMAP_BLOCK - 1) / INV_BITMAP_BLOCK;
	*map = (struct inv_bitmap){.bits = bits, .count = count, .first = first, .blocks = blocks};
	map->rank = inv_alloc((size_t)(blocks + 1) * sizeof *map->rank);
	uint64_t total = 0;
	for (uint64_t block = 0; block < blocks; block++) {
		map->rank[block] = total;
		uint64_t end = min64((block + 1) * (INV_BITMAP_BLOCK / 64), (count + 63) / 64);
		for (uint64_t word = block * (INV_BITMAP_BLOCK / 64); word < end; word++)
			total += (uint64_t)__builtin_popcountll(bitmap_word(map, word));
	}
	map->rank[blocks] = total;
	map->present = total;
}

// Set bits before `page`.
static uint64_t bitmap_rank(const struct inv_bitmap *map, uint64_t page)
{
	if (page >= map->count)
		return map->present;
	uint64_t rank = map->rank[page / INV_BITMAP_BLOCK];
	for (uint64_t word = page / INV_BITMAP_BLOCK * (INV_BITMAP_BLOCK / 64); word < page / 64; word++)
		rank += (uint64_t)__builtin_popcountll(bitmap_word(map, word));
	if (page % 64)
		rank += (uint64_t)__builtin_popcountll(bitmap_word(map, page / 64) & ((UINT64_C(1) << (page % 64)) - 1));
	return rank;
}

// The page of the set bit that has `rank` set bits before it; rank < map->present.
static uint64_t bitmap_select(const struct inv_bitmap *map, uint64_t rank)
{
	uint64_t low = 0, high = map->blocks;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (map->rank[middle] <= rank)
			low = middle;
		else
			high = middle;
	}
	uint64_t left = rank - map->rank[low];
	for (uint64_t word = low * (INV_BITMAP_BLOCK / 64);; word++) {
		uint64_t bits = bitmap_word(map, word);
		uint64_t here = (uint64_t)__builtin_popcountll(bits);
		if (left >= here) {
			left -= here;
			continue;
		}
		for (; left > 0; left--)
			bits &= bits - 1;
		return word * 64 + (uint64_t)__builtin_ctzll(bits);
	}
}

// The first page from `page` on whose bit is clear; `page` itself is set. Blocks that are full are passed over by
// the index.
static uint64_t bitmap_run_end(const struct inv_bitmap *map, uint64_t page)
{
	uint64_t clear = page - bitmap_rank(map, page); // clear bits before the run, and so before its end
	uint64_t low = page / INV_BITMAP_BLOCK, high = map->blocks;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (middle * INV_BITMAP_BLOCK - map->rank[middle] == clear)
			low = middle;
		else
			high = middle;
	}
	uint64_t at = max64(page, low * INV_BITMAP_BLOCK);
	while (at < map->count) {
		uint64_t clear_bits = ~bitmap_word(map, at / 64) >> (at % 64);
		if (clear_bits)
			return min64(at + (uint64_t)__builtin_ctzll(clear_bits), map->count);
		at = (at / 64 + 1) * 64;
	}
	return map->count;
}

static bool bitmap_has(const struct inv_bitmap *map, uint64_t page)
{
	return page < map->count && map->bits[page / 8] >> (page % 8) & 1;
}

// The first mapped run that ends above `address`, clipped to start no lower; `wanted` bytes from there on are enough.
// False when there is none.
static bool bitmap_find(const struct inv_image *image, uint64_t address, uint64_t wanted, struct inv_extent *run)
{
	const struct inv_bitmap *map = &image->bitmap;
	uint64_t page = address / INV_PAGE_SIZE;
	uint64_t rank = bitmap_rank(map, page);
	if (rank >= map->present)
		return false;
	uint64_t start = bitmap_has(map, page) ? page : bitmap_select(map, rank);
	uint64_t skip = start == page ? address % INV_PAGE_SIZE : 0;
	uint64_t offset = map->first + rank * INV_PAGE_SIZE;
	if (offset >= image->size || skip >= image->size - offset)
		return false; // the file ends before; later pages stand further behind
	// Most reads are within one page: no need to know how far the run goes.
	uint64_t end = wanted <= INV_PAGE_SIZE - skip ? start + 1 : bitmap_run_end(map, start);
	uint64_t size = min64((end - start) * INV_PAGE_SIZE, image->size - offset);
	*run = (struct inv_extent){
	    .address = start * INV_PAGE_SIZE + skip, .offset = offset + skip, .size = size - skip, .order = 0};
	return true;
}

static bool extent_find(const struct inv_image *image, uint64_t address, struct inv_extent *run)
{
	size_t low = 0, high = inv_count(image->extents);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct inv_extent *extent = &image->extents[middle];
		if (extent->address + extent->size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == inv_count(image->extents))
		return false;
	*run = image->extents[low];
	if (run->address < address) {
		uint64_t skip = address - run->address;
		run->address += skip;
		run->offset += skip;
		run->size -= skip;
	}
	return true;
}

static bool map_find(const struct inv_image *image, uint64_t address, uint64_t wanted, struct inv_extent *run)
{
	return image->bitmap.bits ? bitmap_find(image, address, wanted, run) : extent_find(image, address, run);
}

size_t inv_image_bytes(const struct inv_image *image, uint64_t address, size_t size, const uint8_t **bytes)
{
	struct inv_extent run;
	*bytes = NULL;
	if (image->bitmap.bits && !bitmap_has(&image->bitmap, address / INV_PAGE_SIZE))
		return 0; // not worth looking for the next page that is there
	if (size == 0 || !map_find(image, address, size, &run) || run.address != address)
		return 0;
	size = (size_t)min64(size, run.size);
	size_t zeros = image->bare_holes ? inv_image_pass_over_hole(image, run.offset, size, bytes) : 0;
	if (zeros)
		return zeros;
	*bytes = image->bytes + run.offset;
	return size;
}

size_t inv_image_read(const struct inv_image *image, uint64_t address, void *buffer, size_t size)
{
	size_t done = 0;
	while (done < size && done <= UINT64_MAX - address) {
		const uint8_t *bytes;
		size_t here = inv_image_bytes(image, address + done, size - done, &bytes);
		if (here == 0)
			break;
		memcpy((uint8_t *)buffer + done, bytes, here);
		done += here;
	}
	return done;
}

// As inv_image_ask_for_data(), from what was noted.
static bool next_data(const struct inv_image *image, uint64_t offset, uint64_t *start, uint64_t *end)
{
	size_t low = INV_UPPER_BOUND(image->parts, inv_count(image->parts), end, offset);
	if (low == inv_count(image->parts))
		return low != 0 && low < INV_MAX_DATA_PARTS ? false : inv_image_ask_for_data(image, offset, start, end);
	*start = max64(image->parts[low].start, offset);
	*end = image->parts[low].end;
	return true;
}

// Where to look next when the file has no data from `run` on before the file offset `data` (the end of the file if
// there is none at all). In a bitmap dump the file goes up with the addresses, so that what stands in the hole can be
// passed over at once.
static bool pass_hole(const struct inv_image *image, const struct inv_extent *run, uint64_t data, uint64_t *address)
{
	*address = run->address + run->size;
	const struct inv_bitmap *map = &image->bitmap;
	if (!map->bits)
		return true;
	uint64_t rank = data > map->first ? (data - map->first) / INV_PAGE_SIZE : 0;
	if (data >= image->size || rank >= map->present)
		return false;
	*address = max64(*address, bitmap_select(map, rank) * INV_PAGE_SIZE);
	return true;
}

bool inv_image_next_run(const struct inv_image *image, uint64_t address, struct inv_run *run)
{
	struct inv_extent found;
	while (map_find(image, address, UINT64_MAX, &found)) {
		uint64_t start = 0, end = found.size;
		if (image->sparse) {
			uint64_t data_start = image->size, data_end = image->size;
			bool data = next_data(image, found.offset, &data_start, &data_end);
			if (!data || data_start - found.offset >= found.size) {
				if (!pass_hole(image, &found, data ? data_start : image->size, &address))
					return false;
				continue;
			}
			start = data_start - found.offset;
			end = min64(data_end - found.offset, found.size);
		}
		// Holes are cut in the file's blocks, which need not be those of memory: a page with any data is whole.
		uint64_t low = (found.address + start) & ~(uint64_t)(INV_PAGE_SIZE - 1);
		uint64_t high = (found.address + end + INV_PAGE_SIZE - 1) & ~(uint64_t)(INV_PAGE_SIZE - 1);
		run->address = max64(low, found.address);
		run->size = min64(high, found.address + found.size) - run->address;
		return true;
	}
	return false;
}

// A walk of the runs costs one system call for each in a sparse file; from here on the rest counts as present.
#define MAX_COUNTED_RUNS (UINT64_C(1) << 20)

static uint64_t count_pages(const struct inv_image *image)
{
	uint64_t pages = 0, next_page = 0, address = 0, runs = 0;
	struct inv_run run;
	while (inv_image_next_run(image, address, &run)) {
		address = run.address + run.size;
		uint64_t first = max64(run.address / INV_PAGE_SIZE, next_page);
		next_page = (address + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE;
		pages += next_page > first ? next_page - first : 0;
		if (image->sparse && ++runs == MAX_COUNTED_RUNS) {
			inv_log(image->log, INV_LOG_WARNING,
			        "%s: more than 1048576 runs; present pages are counted up to 0x%" PRIx64, image->info.path,
			        address);
			break;
		}
	}
	return pages;
}

void inv_image_measure(struct inv_image *image)
{
	const struct inv_bitmap *map = &image->bitmap;
	size_t count = inv_count(image->extents);
	if (map->bits) {
		uint64_t stored = image->size > map->first ? (image->size - map->first + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE : 0;
		uint64_t present = min64(stored, map->present);
		uint64_t last_offset = map->first + (present ? present - 1 : 0) * INV_PAGE_SIZE;
		image->info.highest =
		    present ? bitmap_select(map, present - 1) * INV_PAGE_SIZE + min64(INV_PAGE_SIZE, image->size - last_offset)
		            : 0;
		image->info.present_pages = image->sparse ? count_pages(image) : present;
		return;
	}
	image->info.highest = count ? image->extents[count - 1].address + image->extents[count - 1].size : 0;
	image->info.present_pages = count_pages(image);
}
