// SPDX-License-Identifier: Apache-2.0
// LiME, the format of the Linux Memory Extractor ("mem" file of format=lime): ranges one after another, each with a
// header of 32 bytes: magic, version, s_addr, e_addr (inclusive), 8 reserved. Source: LiME's public documentation.
#include <inttypes.h>

#include "image/format.h"

#define LIME_MAGIC UINT32_C(0x4C694D45)
#define LIME_HEADER_SIZE 32u

enum { LIME_VERSION = 4, LIME_S_ADDR = 8, LIME_E_ADDR = 16 };

static enum inv_code check_first(const struct inv_image *image, struct inv_error *error)
{
	const char *path = image->info.path;
	const uint8_t *header = inv_image_at(image, 0, LIME_HEADER_SIZE);
	if (!header)
		return inv_fail_at(error, path, 0, "a LiME header of 32 bytes", "%" PRIu64 " bytes", image->size);
	uint32_t version = inv_le32(header + LIME_VERSION);
	if (version != 1)
		return inv_fail(error, INV_E_UNSUPPORTED,
		                "%s: LiME version %" PRIu32 " is not read, only version 1 (version 2 is compressed: unpack it "
		                "with avml-convert)",
		                path, version);
	uint64_t start = inv_le64(header + LIME_S_ADDR);
	uint64_t end = inv_le64(header + LIME_E_ADDR);
	if (end < start)
		return inv_fail_at(error, path, LIME_E_ADDR, "an end of the range that is not below its start",
		                   "0x%" PRIx64 " below 0x%" PRIx64, end, start);
	return INV_OK;
}

// Reads the range whose header stands at *offset and moves on; false at the end or where the chain breaks.
static bool read_range(struct inv_image *image, uint64_t *offset, uint64_t *lowest)
{
	if (*offset == image->size)
		return false;
	const uint8_t *header = inv_image_at(image, *offset, LIME_HEADER_SIZE);
	if (!header) {
		inv_image_contradict(image, *offset, "a LiME header of 32 bytes or the end of the file", "%" PRIu64 " bytes",
		                     image->size - *offset);
		return false;
	}
	uint32_t magic = inv_le32(header);
	uint32_t version = inv_le32(header + LIME_VERSION);
	uint64_t start = inv_le64(header + LIME_S_ADDR);
	uint64_t end = inv_le64(header + LIME_E_ADDR);
	if (magic != LIME_MAGIC || version != 1) {
		inv_image_contradict(image, *offset, "a LiME header (magic 0x4c694d45, version 1)",
		                     "0x%" PRIx32 ", version %" PRIu32 "; the rest of the file is left out", magic, version);
		return false;
	}
	if (end < start || end - start == UINT64_MAX) {
		inv_image_contradict(image, *offset + LIME_E_ADDR, "an end of the range that is not below its start",
		                     "0x%" PRIx64 " to 0x%" PRIx64 "; the rest of the file is left out", start, end);
		return false;
	}
	if (start < *lowest)
		inv_image_contradict(image, *offset + LIME_S_ADDR, "ranges in the order of their addresses",
		                     "0x%" PRIx64 " after 0x%" PRIx64, start, *lowest);
	uint64_t size = end - start + 1;
	uint64_t bytes = *offset + LIME_HEADER_SIZE;
	if (!inv_image_add_extent(image, *offset, start, bytes, size) || size >= image->size - bytes)
		return false;
	*lowest = start;
	*offset = bytes + size;
	return true;
}

enum inv_code inv_lime_recognise(struct inv_image *image, struct inv_error *error)
{
	enum inv_code code = check_first(image, error);
	if (code)
		return code;
	image->info.format = INV_FORMAT_LIME;
	image->info.arch = INV_ARCH_UNKNOWN;
	image->info.atomic = -1; // the format does not say how the memory was taken
	uint64_t offset = 0, lowest = 0;
	while (read_range(image, &offset, &lowest))
		;
	inv_image_settle(image, 0);
	return INV_OK;
}
