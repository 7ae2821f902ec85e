// SPDX-License-Identifier: Apache-2.0
// A triage dump (DumpType 4): TRIAGE_DUMP64 of the Windows SDK at 0x2000 and what it points at by offsets in the file;
// measured on dumps of builds 9600, 19041 and 22000 (x64 and ARM64). It has no physical memory: what it captured is
// known by virtual address, or is one of a few structures whose address it does not tell.
#include <inttypes.h>

#include "image/format.h"

#define TRIAGE ((uint64_t)INV_CRASH64_HEADER_SIZE)
#define TRIAGE_SIZE 0x80u
#define TRIAGE_VALID UINT32_C(0x44475254) // "TRGD"

enum {
	SERVICE_PACK_BUILD = 0x0,
	SIZE_OF_DUMP = 0x4,
	VALID_OFFSET = 0x8,
	CONTEXT_OFFSET = 0xc,
	EXCEPTION_OFFSET = 0x10,
	MM_OFFSET = 0x14,
	UNLOADED_DRIVERS_OFFSET = 0x18,
	PRCB_OFFSET = 0x1c,
	PROCESS_OFFSET = 0x20,
	THREAD_OFFSET = 0x24,
	CALL_STACK_OFFSET = 0x28,
	SIZE_OF_CALL_STACK = 0x2c,
	DRIVER_LIST_OFFSET = 0x30,
	DRIVER_COUNT = 0x34,
	STRING_POOL_OFFSET = 0x38,
	BROKEN_DRIVER_OFFSET = 0x40,
	TRIAGE_OPTIONS = 0x44,
	TOP_OF_STACK = 0x48,
	DATA_PAGE_ADDRESS = 0x60,
	DATA_PAGE_OFFSET = 0x68,
	DATA_PAGE_SIZE = 0x6c,
	DEBUGGER_DATA_OFFSET = 0x70,
	DEBUGGER_DATA_SIZE = 0x74,
	DATA_BLOCKS_OFFSET = 0x78,
	DATA_BLOCKS_COUNT = 0x7c,
};

// TRIAGE_DATA_BLOCK.
enum { BLOCK_ADDRESS = 0, BLOCK_OFFSET = 8, BLOCK_LENGTH = 12, BLOCK_SIZE = 16 };

// DUMP_DRIVER_ENTRY64: the offset of the name, four bytes of padding, and a KLDR_DATA_TABLE_ENTRY64 as of the first
// 64-bit dumps (it never grew here, though the kernel's own did). The name is a DUMP_STRING: a length and UTF-16; the SDK
// says the length is in bytes, the dumps have characters.
enum {
	DRIVER_NAME_OFFSET = 0,
	DRIVER_BASE = 8 + 0x30,
	DRIVER_SIZE_OF_IMAGE = 8 + 0x40,
	DRIVER_CHECK_SUM = 8 + 0x78,
	DRIVER_TIME_DATE_STAMP = 8 + 0x80,
	DRIVER_ENTRY_SIZE = 0x90,
};

#define MAX_FRAGMENTS (UINT32_C(1) << 20)
#define MAX_MODULES (UINT32_C(1) << 16)
#define MAX_NAME_LENGTH UINT32_C(0x8000) // in characters; UNICODE_STRING holds no more
#define EXCEPTION_RECORD64_SIZE 0x98u
#define CONTEXT_RECORD_SIZE 3000u // what the header reserves

static uint32_t field(const struct inv_image *image, unsigned offset)
{
	return inv_le32(image->bytes + TRIAGE + offset);
}

// A section has no size of its own: it goes up to whatever the dump places next, and to the end of the file at most.
static uint64_t next_boundary(const struct inv_image *image, uint64_t offset)
{
	static const unsigned fields[] = {
	    VALID_OFFSET,       CONTEXT_OFFSET,   EXCEPTION_OFFSET,     MM_OFFSET,          UNLOADED_DRIVERS_OFFSET,
	    PRCB_OFFSET,        PROCESS_OFFSET,   THREAD_OFFSET,        CALL_STACK_OFFSET,  DRIVER_LIST_OFFSET,
	    STRING_POOL_OFFSET, DATA_PAGE_OFFSET, DEBUGGER_DATA_OFFSET, DATA_BLOCKS_OFFSET, SIZE_OF_DUMP,
	};
	uint64_t boundary = image->size;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		uint64_t start = field(image, fields[i]);
		if (start > offset && start < boundary)
			boundary = start;
	}
	// Not in the list of fields: the first captured block, which follows the list of blocks.
	for (size_t i = 0; i < image->triage.fragment_count; i++) {
		uint64_t start = image->triage.fragments[i].offset;
		if (start > offset && start < boundary)
			boundary = start;
	}
	return boundary;
}

// `most`: no section of this kind is longer.
static struct inv_section section(struct inv_image *image, unsigned offset_field, uint64_t most)
{
	struct inv_section section = {.offset = field(image, offset_field)};
	if (section.offset == 0)
		return section;
	if (section.offset >= image->size) {
		inv_image_contradict(image, TRIAGE + offset_field, "a section of the dump to be in the file",
		                     "offset 0x%" PRIx64 " in a file of 0x%" PRIx64 " bytes", section.offset, image->size);
		return section;
	}
	uint64_t size = next_boundary(image, section.offset) - section.offset;
	section.size = (size_t)(size < most ? size : most);
	section.bytes = image->bytes + section.offset;
	return section;
}

// A section whose size the dump gives.
static struct inv_section sized_section(struct inv_image *image, unsigned offset_field, unsigned size_field)
{
	struct inv_section section = {.offset = field(image, offset_field)};
	uint64_t size = field(image, size_field);
	if (section.offset == 0 || size == 0)
		return section;
	uint64_t left = section.offset < image->size ? image->size - section.offset : 0;
	if (size > left)
		inv_image_contradict(image, TRIAGE + offset_field, "a section of the dump to be in the file",
		                     "0x%" PRIx64 " bytes at offset 0x%" PRIx64 " in a file of 0x%" PRIx64, size,
		                     section.offset, image->size);
	section.size = (size_t)(size < left ? size : left);
	section.bytes = section.size ? image->bytes + section.offset : NULL;
	return section;
}

// How many entries of a table are in the file, at most `most`.
static uint32_t entries(struct inv_image *image, unsigned offset_field, unsigned count_field, uint32_t entry_size,
                        uint32_t most)
{
	uint64_t offset = field(image, offset_field);
	uint32_t count = field(image, count_field);
	uint64_t left = offset < image->size ? image->size - offset : 0;
	uint64_t room = left / entry_size < most ? left / entry_size : most;
	if (count <= room)
		return count;
	inv_image_contradict(image, TRIAGE + count_field, "a number of entries that the file and this format can hold",
	                     "%" PRIu32 " entries of %" PRIu32 " bytes at offset 0x%" PRIx64 ", and room for %" PRIu64,
	                     count, entry_size, offset, room);
	return (uint32_t)room;
}

// Adds one captured range, cut to what is in the file; empty ones are left out.
static void add_fragment(struct inv_image *image, struct inv_fragment *fragments, uint64_t place, uint64_t address,
                         uint64_t offset, uint64_t size)
{
	uint64_t left = offset < image->size ? image->size - offset : 0;
	if (size > left) {
		inv_image_contradict(image, place, "a captured block to be in the file",
		                     "0x%" PRIx64 " bytes at offset 0x%" PRIx64 " in a file of 0x%" PRIx64, size, offset,
		                     image->size);
		size = left;
	}
	if (size > UINT64_MAX - address) {
		inv_image_contradict(image, place, "a captured block to end below 2^64", "0x%" PRIx64 " bytes at 0x%" PRIx64,
		                     size, address);
		size = UINT64_MAX - address;
	}
	if (size == 0)
		return;
	fragments[image->triage.fragment_count++] = (struct inv_fragment){
	    .address = address, .bytes = image->bytes + offset, .size = (size_t)size, .offset = offset};
}

static int compare_fragments(const void *left, const void *right)
{
	const struct inv_fragment *a = left;
	const struct inv_fragment *b = right;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

static void read_fragments(struct inv_image *image)
{
	uint32_t count = entries(image, DATA_BLOCKS_OFFSET, DATA_BLOCKS_COUNT, BLOCK_SIZE, MAX_FRAGMENTS);
	uint64_t place = field(image, DATA_BLOCKS_OFFSET);
	// One more: the data page, a range of its own in old dumps.
	struct inv_fragment *fragments = inv_arena_alloc(image->arena, ((size_t)count + 1) * sizeof *fragments);
	for (uint32_t i = 0; i < count; i++, place += BLOCK_SIZE) {
		const uint8_t *block = image->bytes + place;
		add_fragment(image, fragments, place, inv_le64(block + BLOCK_ADDRESS), inv_le32(block + BLOCK_OFFSET),
		             inv_le32(block + BLOCK_LENGTH));
	}
	if (field(image, DATA_PAGE_OFFSET) != 0)
		add_fragment(image, fragments, TRIAGE + DATA_PAGE_ADDRESS, inv_le64(image->bytes + TRIAGE + DATA_PAGE_ADDRESS),
		             field(image, DATA_PAGE_OFFSET), field(image, DATA_PAGE_SIZE));
	if (image->triage.fragment_count > 1)
		qsort(fragments, image->triage.fragment_count, sizeof *fragments, compare_fragments);
	image->triage.fragments = fragments;
}

static void read_name(struct inv_image *image, uint64_t place, uint32_t name_offset, struct inv_triage_module *module)
{
	if (name_offset == 0)
		return;
	const uint8_t *length = inv_image_at(image, name_offset, 4);
	uint64_t characters = length ? inv_le32(length) : 0;
	const uint8_t *name =
	    characters <= MAX_NAME_LENGTH ? inv_image_at(image, (uint64_t)name_offset + 4, characters * 2) : NULL;
	if (!length || !name) {
		inv_image_contradict(image, place, "the name of a driver to be in the file",
		                     "%" PRIu64 " characters at offset 0x%" PRIx32, characters, name_offset);
		return;
	}
	module->name = name;
	module->name_size = (size_t)characters * 2;
}

static void read_modules(struct inv_image *image)
{
	uint32_t count = entries(image, DRIVER_LIST_OFFSET, DRIVER_COUNT, DRIVER_ENTRY_SIZE, MAX_MODULES);
	uint64_t place = field(image, DRIVER_LIST_OFFSET);
	struct inv_triage_module *modules = inv_arena_alloc(image->arena, (size_t)count * sizeof *modules);
	for (uint32_t i = 0; i < count; i++, place += DRIVER_ENTRY_SIZE) {
		const uint8_t *entry = image->bytes + place;
		modules[i] = (struct inv_triage_module){.base = inv_le64(entry + DRIVER_BASE),
		                                        .size = inv_le32(entry + DRIVER_SIZE_OF_IMAGE),
		                                        .time_stamp = inv_le32(entry + DRIVER_TIME_DATE_STAMP),
		                                        .checksum = inv_le32(entry + DRIVER_CHECK_SUM),
		                                        .offset = place};
		read_name(image, place, inv_le32(entry + DRIVER_NAME_OFFSET), &modules[i]);
	}
	image->triage.modules = modules;
	image->triage.module_count = count;
}

// The dump ends with a mark, so that one that was cut off can be told. Secondary data may follow it, which is why
// SizeOfDump may be less than the size of the file, and never more. (RequiredDumpSpace is an estimate: real dumps are
// both smaller and larger.)
static void check_end(struct inv_image *image)
{
	uint64_t size = field(image, SIZE_OF_DUMP);
	if (size > image->size)
		inv_image_contradict(image, TRIAGE + SIZE_OF_DUMP, "SizeOfDump not to be more than the size of the file",
		                     "0x%" PRIx64 ", and 0x%" PRIx64 " bytes in the file", size, image->size);
	uint64_t valid = field(image, VALID_OFFSET);
	const uint8_t *mark = inv_image_at(image, valid, 4);
	if (!mark)
		inv_image_contradict(image, TRIAGE + VALID_OFFSET, "the mark \"TRGD\" to be in the file",
		                     "its offset 0x%" PRIx64, valid);
	else if (inv_le32(mark) != TRIAGE_VALID)
		inv_image_contradict(image, valid, "the mark \"TRGD\" (0x44475254) at the end of the dump", "0x%08" PRIx32,
		                     inv_le32(mark));
}

enum inv_code inv_crash_triage_recognise(struct inv_image *image, struct inv_error *error)
{
	image->info.format = INV_FORMAT_CRASH_TRIAGE;
	if (!inv_image_at(image, TRIAGE, TRIAGE_SIZE))
		return inv_fail_at(error, image->info.path, TRIAGE, "a triage dump header of 0x80 bytes", "0x%" PRIx64 " bytes",
		                   image->size - TRIAGE);
	struct inv_triage *triage = &image->triage;
	check_end(image);
	read_fragments(image);
	read_modules(image);
	triage->prcb = section(image, PRCB_OFFSET, UINT64_MAX);
	triage->process = section(image, PROCESS_OFFSET, UINT64_MAX);
	triage->thread = section(image, THREAD_OFFSET, UINT64_MAX);
	triage->memory_info = section(image, MM_OFFSET, UINT64_MAX);
	triage->unloaded_drivers = section(image, UNLOADED_DRIVERS_OFFSET, UINT64_MAX);
	triage->context = section(image, CONTEXT_OFFSET, CONTEXT_RECORD_SIZE);
	triage->exception = section(image, EXCEPTION_OFFSET, EXCEPTION_RECORD64_SIZE);
	triage->call_stack = sized_section(image, CALL_STACK_OFFSET, SIZE_OF_CALL_STACK);
	triage->debugger_data = sized_section(image, DEBUGGER_DATA_OFFSET, DEBUGGER_DATA_SIZE);
	triage->top_of_stack = inv_le64(image->bytes + TRIAGE + TOP_OF_STACK);
	triage->service_pack_build = field(image, SERVICE_PACK_BUILD);
	triage->triage_options = field(image, TRIAGE_OPTIONS);
	image->info.triage = triage;
	return INV_OK;
}
