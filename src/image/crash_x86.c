// SPDX-License-Identifier: Apache-2.0
// A 32-bit crash dump ("PAGEDUMP"): its header's claims are read (DUMP_HEADER32 of the Windows SDK, checked against a
// header of build 7601), its memory is not.
#include <inttypes.h>

#include "image/format.h"

enum {
	HEADER_SIZE = 0x1000,
	MAJOR_VERSION = 0x8,
	MINOR_VERSION = 0xc,
	DIRECTORY_TABLE_BASE = 0x10,
	PFN_DATA_BASE = 0x14,
	PS_LOADED_MODULE_LIST = 0x18,
	PS_ACTIVE_PROCESS_HEAD = 0x1c,
	MACHINE_IMAGE_TYPE = 0x20,
	NUMBER_PROCESSORS = 0x24,
	BUG_CHECK_CODE = 0x28,
	BUG_CHECK_PARAMETER = 0x2c,
	KD_DEBUGGER_DATA_BLOCK = 0x60,
	COMMENT = 0x820,
	SECONDARY_DATA_STATE = 0xf90,
	PRODUCT_TYPE = 0xf94,
	SUITE_MASK = 0xf98,
	SYSTEM_UP_TIME = 0xfb8,
	SYSTEM_TIME = 0xfc0,
};

static void read_header(struct inv_image *image)
{
	struct inv_header *header = &image->info.header;
	header->major = inv_crash_claim32(image, MAJOR_VERSION);
	header->build = inv_crash_claim32(image, MINOR_VERSION);
	header->dtb = inv_crash_claim32(image, DIRECTORY_TABLE_BASE);
	header->pfn_database = inv_crash_claim32(image, PFN_DATA_BASE);
	header->ps_loaded_module_list = inv_crash_claim32(image, PS_LOADED_MODULE_LIST);
	header->ps_active_process_head = inv_crash_claim32(image, PS_ACTIVE_PROCESS_HEAD);
	header->machine = inv_crash_claim32(image, MACHINE_IMAGE_TYPE);
	header->cpus = inv_crash_claim32(image, NUMBER_PROCESSORS);
	header->bugcheck = inv_crash_claim32(image, BUG_CHECK_CODE);
	for (unsigned i = 0; i < 4; i++)
		header->bugcheck_parameter[i] = inv_crash_claim32(image, BUG_CHECK_PARAMETER + i * 4);
	header->kdbg = inv_crash_claim32(image, KD_DEBUGGER_DATA_BLOCK);
	header->secondary_data_state = inv_crash_claim32(image, SECONDARY_DATA_STATE);
	header->product_type = inv_crash_claim32(image, PRODUCT_TYPE);
	header->suite_mask = inv_crash_claim32(image, SUITE_MASK);
	header->up_time = inv_crash_claim64(image, SYSTEM_UP_TIME);
	header->system_time = inv_crash_claim64(image, SYSTEM_TIME);
	inv_crash_comment(image, COMMENT);
}

enum inv_code inv_crash_x86_recognise(struct inv_image *image, struct inv_error *error)
{
	image->info.format = INV_FORMAT_CRASH_X86;
	if (image->size < HEADER_SIZE)
		return inv_fail_at(error, image->info.path, 0, "a crash dump header of 0x1000 bytes", "0x%" PRIx64 " bytes",
		                   image->size);
	read_header(image);
	inv_crash_judge_writer(image);
	if (image->info.arch != INV_ARCH_X86)
		inv_image_contradict(image, MACHINE_IMAGE_TYPE, "the machine 0x14c (x86)", "0x%" PRIx64,
		                     image->info.header.machine.value);
	return INV_OK;
}
