// SPDX-License-Identifier: Apache-2.0
// The header that all 64-bit crash dumps share (DUMP_HEADER64 of the Windows SDK; padding as measured on dumps of
// builds 9200 to 22000, x64 and ARM64: both have the same header). Windows fills the header with "PAGE" before it
// writes what it knows.
#include <inttypes.h>
#include <string.h>

#include "image/format.h"

enum {
	MAJOR_VERSION = 0x8,
	MINOR_VERSION = 0xc,
	DIRECTORY_TABLE_BASE = 0x10,
	PFN_DATA_BASE = 0x18,
	PS_LOADED_MODULE_LIST = 0x20,
	PS_ACTIVE_PROCESS_HEAD = 0x28,
	MACHINE_IMAGE_TYPE = 0x30,
	NUMBER_PROCESSORS = 0x34,
	BUG_CHECK_CODE = 0x38,
	BUG_CHECK_PARAMETER = 0x40,
	KD_DEBUGGER_DATA_BLOCK = 0x80,
	DUMP_TYPE = 0xf98,
	SYSTEM_TIME = 0xfa8,
	COMMENT = 0xfb0,
	CONTEXT_RECORD_RSP = 0x348 + 0x98, // ContextRecord, and CONTEXT.Rsp in it (winnt.h)
	SYSTEM_UP_TIME = 0x1030,
	SECONDARY_DATA_STATE = 0x103c,
	PRODUCT_TYPE = 0x1040,
	SUITE_MASK = 0x1044,
};

// DumpType. 1 to 4 stand in the Windows SDK. 5 and 6 are the bitmap dumps; 8, 9 and 10 are written by the live-dump
// commands of current debuggers and of Windows (source: kdmp-parser's description). 7, "automatic", is named in public
// descriptions only; that it has the layout of 6 is not verified.
enum {
	TYPE_FULL = 1,
	TYPE_SUMMARY = 2,
	TYPE_HEADER = 3,
	TYPE_TRIAGE = 4,
	TYPE_BITMAP_FULL = 5,
	TYPE_BITMAP_KERNEL = 6,
	TYPE_AUTOMATIC = 7,
	TYPE_KERNEL_MEMORY = 8,
	TYPE_KERNEL_AND_USER_MEMORY = 9,
	TYPE_COMPLETE_MEMORY = 10,
};

#define MACHINE_X86 0x14cu
#define MACHINE_X64 0x8664u
#define MACHINE_ARM64 0xaa64u

struct inv_claim inv_crash_claim32(const struct inv_image *image, uint64_t offset)
{
	struct inv_claim claim = {.offset = offset};
	const uint8_t *bytes = inv_image_at(image, offset, 4);
	if (bytes && inv_le32(bytes) != INV_CRASH_FILLER) {
		claim.present = true;
		claim.value = inv_le32(bytes);
	}
	return claim;
}

struct inv_claim inv_crash_claim64(const struct inv_image *image, uint64_t offset)
{
	struct inv_claim claim = {.offset = offset};
	const uint8_t *bytes = inv_image_at(image, offset, 8);
	if (bytes && inv_le64(bytes) != ((uint64_t)INV_CRASH_FILLER << 32 | INV_CRASH_FILLER)) {
		claim.present = true;
		claim.value = inv_le64(bytes);
	}
	return claim;
}

void inv_crash_comment(struct inv_image *image, uint64_t offset)
{
	char *comment = image->info.header.comment;
	size_t size = sizeof image->info.header.comment - 1;
	const uint8_t *bytes = inv_image_at(image, offset, size);
	if (!bytes || inv_le32(bytes) == INV_CRASH_FILLER)
		return;
	const uint8_t *end = memchr(bytes, 0, size);
	memcpy(comment, bytes, end ? (size_t)(end - bytes) : size);
}

// Tools that write a crash dump of a machine that runs on leave their mark in it; what Windows writes at a bug check
// is of one instant. A header without a bug check, or with the one of a live dump (LIVE_SYSTEM_DUMP), does not say.
void inv_crash_judge_writer(struct inv_image *image)
{
	const struct inv_header *header = &image->info.header;
	const uint64_t live_system_dump = 0x161;
	const uint64_t mark_of_dumpit = 0x5454414d; // "MATT", then "MOONSOLS" in the parameters (measured)
	if (strncmp(header->comment, "LiveKD", 6) == 0 || header->bugcheck.value == mark_of_dumpit)
		image->info.atomic = 0;
	else if (!header->bugcheck.present || header->bugcheck.value == 0 || header->bugcheck.value == live_system_dump)
		image->info.atomic = -1;
	else
		image->info.atomic = 1;

	image->info.arch = INV_ARCH_UNKNOWN;
	if (header->machine.present && header->machine.value == MACHINE_X64)
		image->info.arch = INV_ARCH_X64;
	else if (header->machine.present && header->machine.value == MACHINE_ARM64)
		image->info.arch = INV_ARCH_ARM64;
	else if (header->machine.present && header->machine.value == MACHINE_X86)
		image->info.arch = INV_ARCH_X86;
}

static void read_header(struct inv_image *image)
{
	struct inv_header *header = &image->info.header;
	header->major = inv_crash_claim32(image, MAJOR_VERSION);
	header->build = inv_crash_claim32(image, MINOR_VERSION);
	header->dtb = inv_crash_claim64(image, DIRECTORY_TABLE_BASE);
	header->pfn_database = inv_crash_claim64(image, PFN_DATA_BASE);
	header->ps_loaded_module_list = inv_crash_claim64(image, PS_LOADED_MODULE_LIST);
	header->ps_active_process_head = inv_crash_claim64(image, PS_ACTIVE_PROCESS_HEAD);
	header->machine = inv_crash_claim32(image, MACHINE_IMAGE_TYPE);
	header->cpus = inv_crash_claim32(image, NUMBER_PROCESSORS);
	header->bugcheck = inv_crash_claim32(image, BUG_CHECK_CODE);
	for (unsigned i = 0; i < 4; i++)
		header->bugcheck_parameter[i] = inv_crash_claim64(image, BUG_CHECK_PARAMETER + i * 8);
	header->kdbg = inv_crash_claim64(image, KD_DEBUGGER_DATA_BLOCK);
	header->system_time = inv_crash_claim64(image, SYSTEM_TIME);
	header->up_time = inv_crash_claim64(image, SYSTEM_UP_TIME);
	if (header->machine.present && header->machine.value == MACHINE_X64)
		header->context_rsp = inv_crash_claim64(image, CONTEXT_RECORD_RSP);
	header->secondary_data_state = inv_crash_claim32(image, SECONDARY_DATA_STATE);
	header->product_type = inv_crash_claim32(image, PRODUCT_TYPE);
	header->suite_mask = inv_crash_claim32(image, SUITE_MASK);
	inv_crash_comment(image, COMMENT);
}

static void check_header(struct inv_image *image)
{
	const struct inv_header *header = &image->info.header;
	if (image->info.arch != INV_ARCH_X64 && image->info.arch != INV_ARCH_ARM64)
		inv_image_contradict(image, MACHINE_IMAGE_TYPE, "the machine 0x8664 (x64) or 0xaa64 (ARM64)", "0x%" PRIx64,
		                     header->machine.value);
	if (header->cpus.present && (header->cpus.value == 0 || header->cpus.value > INV_MAX_CPUS))
		inv_image_contradict(image, NUMBER_PROCESSORS, "1 to 2048 processors", "%" PRIu64, header->cpus.value);
}

static enum inv_code recognise_type(struct inv_image *image, uint32_t type, struct inv_error *error)
{
	switch (type) {
	case INV_CRASH_FILLER: // a writer that knew of one kind only
		inv_image_contradict(image, DUMP_TYPE, "a DumpType", "the filler \"PAGE\"; read as a full dump (1)");
		return inv_crash_full_recognise(image, error);
	case TYPE_FULL:
		return inv_crash_full_recognise(image, error);
	case TYPE_TRIAGE:
		return inv_crash_triage_recognise(image, error);
	case TYPE_SUMMARY:
	case TYPE_BITMAP_FULL:
	case TYPE_BITMAP_KERNEL:
	case TYPE_AUTOMATIC:
		return inv_crash_bitmap_recognise(image, type, error);
	case TYPE_KERNEL_MEMORY:
	case TYPE_KERNEL_AND_USER_MEMORY:
	case TYPE_COMPLETE_MEMORY:
		return inv_crash_ranges_recognise(image, type, error);
	case TYPE_HEADER:
		return inv_fail(error, INV_E_UNSUPPORTED, "%s: is a crash dump of type 3: a header without any memory",
		                image->info.path);
	default:
		return inv_fail_at(error, image->info.path, DUMP_TYPE, "a DumpType of 1, 2 or 4 to 10", "%" PRIu32, type);
	}
}

enum inv_code inv_crash_recognise(struct inv_image *image, struct inv_error *error)
{
	if (image->size < INV_CRASH64_HEADER_SIZE)
		return inv_fail_at(error, image->info.path, 0, "a crash dump header of 0x2000 bytes", "0x%" PRIx64 " bytes",
		                   image->size);
	read_header(image);
	inv_crash_judge_writer(image);
	check_header(image);
	return recognise_type(image, inv_le32(image->bytes + DUMP_TYPE), error);
}
