// SPDX-License-Identifier: Apache-2.0
// What the formats share: the mapped file, the map from physical addresses to places in it, and the notes that a
// format's reader makes while it reads a header. Private to this floor.
#ifndef INV_IMAGE_FORMAT_H
#define INV_IMAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "image/image.h"

// Physical addresses have at most 52 bits on x64 and ARM64; what a header places above is refused, so that no sum of
// an address and a size below can overflow.
#define INV_PHYSICAL_LIMIT (UINT64_C(1) << 52)

// Caps on what a header may make this program keep. An extent takes 32 bytes, a page of a bitmap one 64th of a byte.
#define INV_MAX_EXTENTS (UINT64_C(1) << 22)
#define INV_MAX_BITMAP_PAGES (UINT64_C(1) << 34) // 64 TiB of memory
#define INV_MAX_CONTRADICTIONS 64

// Consecutive physical memory that stands consecutively in the file.
struct inv_extent {
	uint64_t address; // physical
	uint64_t size;
	uint64_t offset; // in the file
	uint64_t order;  // in which the header lists it
};

// One bit for each page of physical memory; the pages whose bit is set stand one after another in the file.
struct inv_bitmap {
	const uint8_t *bits; // in the mapped file; NULL: the format has none
	uint64_t count;      // of bits
	uint64_t first;      // where in the file the first page stands
	uint64_t present;    // set bits
	uint64_t blocks;     // of INV_BITMAP_BLOCK bits, the last may be partial
	uint64_t *rank;      // set bits before each block; blocks + 1 entries
};
#define INV_BITMAP_BLOCK 512u

// A part of a sparse file that is no hole: [start, end).
struct inv_data_part {
	uint64_t start, end;
};
// So many are remembered; for what stands behind them the file system is asked each time.
#define INV_MAX_DATA_PARTS (UINT64_C(1) << 20)

struct inv_image {
	struct inv_image_info info;
	struct inv_arena *arena;
	const struct inv_log *log;
	int file;             // -1 when opened from memory
	const uint8_t *bytes; // the whole file
	uint64_t size;
	void *mapping;               // to be unmapped; NULL when opened from memory
	bool sparse;                 // the file has holes
	struct inv_data_part *parts; // stb_ds; of a sparse file, by offset
	bool bare_holes;             // to read a hole would fill it: inv_image_pass_over_hole()
	uint64_t *hole_pages; // with bare holes: a bit for each page of the file, set if it is a hole; NULL: too many pages

	// Exactly one of the two maps is in use. Extents are sorted by address and do not overlap once
	// inv_image_settle() has run.
	struct inv_extent *extents;
	struct inv_bitmap bitmap;

	struct inv_triage triage;
	const char **contradictions;
	size_t contradictions_left_out;
};

// The bytes at an offset of the file; NULL unless all of them are there.
const uint8_t *inv_image_at(const struct inv_image *image, uint64_t offset, uint64_t size);

// Notes that the header contradicts itself, or the file its header, in a way that does not prevent reading.
void inv_image_contradict(struct inv_image *image, uint64_t offset, const char *expected, const char *found_format, ...)
    INV_PRINTF(4, 5);

// Adds memory that the header says is there. What is past the end of the file or above the physical limit is cut off
// and noted, with `header` as the place of the claim. False when no more are kept.
bool inv_image_add_extent(struct inv_image *image, uint64_t header, uint64_t address, uint64_t offset, uint64_t size);

// Sorts the extents and cuts overlaps: where two claim the same address the one that starts lower wins, then the one
// listed first. `header` is the place that is named when they contradict each other.
void inv_image_settle(struct inv_image *image, uint64_t header);

// Takes a bitmap of `count` bits; the caller has checked that it is in the file and not larger than the cap.
void inv_image_use_bitmap(struct inv_image *image, const uint8_t *bits, uint64_t count, uint64_t first);

// Asks the file system for the part of the file from `offset` on that is no hole: [*start, *end). False when there is none up
// to the end of the file.
bool inv_image_ask_for_data(const struct inv_image *image, uint64_t offset, uint64_t *start, uint64_t *end);
// Notes the parts of a sparse, mapped file that are no holes, at most INV_MAX_DATA_PARTS: every pass over memory needs them. Where
// the file system would fill holes that are read, zeros are mapped over them; image->bare_holes tells that they are too many.
void inv_image_note_parts(struct inv_image *image);

// Zeros in place of a hole at this offset of the file: how many of `size`, up to the end of the page. 0 if it is no hole.
size_t inv_image_pass_over_hole(const struct inv_image *image, uint64_t offset, size_t size, const uint8_t **bytes);

// Fills present_pages and highest of the info from the map.
void inv_image_measure(struct inv_image *image);

// A claim of a header of Windows, absent when it holds the filler with which Windows prepares the header ("PAGE").
struct inv_claim inv_crash_claim32(const struct inv_image *image, uint64_t offset);
struct inv_claim inv_crash_claim64(const struct inv_image *image, uint64_t offset);
// The comment of a crash dump header, up to its NUL; empty when it holds the filler.
void inv_crash_comment(struct inv_image *image, uint64_t offset);
// Sets info.arch from header.machine, and info.atomic from what the header says of its writer.
void inv_crash_judge_writer(struct inv_image *image);

#define INV_CRASH64_HEADER_SIZE 0x2000u
#define INV_CRASH_FILLER UINT32_C(0x45474150) // "PAGE"

// The readers. Each is called when the magic of its format was found.
INV_MUST_USE enum inv_code inv_raw_recognise(struct inv_image *image);
INV_MUST_USE enum inv_code inv_lime_recognise(struct inv_image *image, struct inv_error *error);
INV_MUST_USE enum inv_code inv_elf_recognise(struct inv_image *image, struct inv_error *error);
INV_MUST_USE enum inv_code inv_crash_recognise(struct inv_image *image, struct inv_error *error);
INV_MUST_USE enum inv_code inv_crash_x86_recognise(struct inv_image *image, struct inv_error *error);

// By DumpType, called by inv_crash_recognise() when the common header has been read.
INV_MUST_USE enum inv_code inv_crash_full_recognise(struct inv_image *image, struct inv_error *error);
INV_MUST_USE enum inv_code inv_crash_bitmap_recognise(struct inv_image *image, uint32_t dump_type,
                                                      struct inv_error *error);
INV_MUST_USE enum inv_code inv_crash_ranges_recognise(struct inv_image *image, uint32_t dump_type,
                                                      struct inv_error *error);
INV_MUST_USE enum inv_code inv_crash_triage_recognise(struct inv_image *image, struct inv_error *error);

// Formats that are known and not read: fails with INV_E_UNSUPPORTED and what to do; INV_OK for anything else.
INV_MUST_USE enum inv_code inv_refuse_known(const struct inv_image *image, struct inv_error *error);

#endif
