// SPDX-License-Identifier: Apache-2.0
#include "forge/pe.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "forge/put.h"

#define PE_OFFSET 0xe8u
#define OPTIONAL_SIZE 0xf0u
#define DIRECTORY_EXPORT 0u
#define DIRECTORY_IMPORT 1u
#define DIRECTORY_DEBUG 6u
#define DEBUG_ENTRY_SIZE 28u

static uint32_t rsds_size(const struct inv_forge_pe *pe)
{
	return (uint32_t)(24 + strlen(pe->pdb) + 1);
}

// The size of the export directory with its three tables and all names.
static uint32_t export_size(const struct inv_forge_pe *pe)
{
	size_t size = 40 + pe->export_count * 10 + strlen(pe->name) + 1;
	for (size_t i = 0; i < pe->export_count; i++)
		size += strlen(pe->exports[i].name) + 1;
	return (uint32_t)size;
}

static void put_directory(uint8_t *optional, unsigned index, uint32_t rva, uint32_t size)
{
	inv_put32(optional + 112 + (size_t)8 * index, rva);
	inv_put32(optional + 116 + (size_t)8 * index, size);
}

static uint32_t sum_of_sizes(const struct inv_forge_pe *pe, uint32_t flag)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < pe->section_count; i++)
		if (pe->sections[i].characteristics & flag)
			sum += pe->sections[i].size;
	return sum;
}

static void put_optional(uint8_t *o, const struct inv_forge_pe *pe)
{
	inv_put16(o, 0x20b); // PE32+
	o[2] = 14;           // MajorLinkerVersion
	inv_put32(o + 4, sum_of_sizes(pe, 0x20));
	inv_put32(o + 8, sum_of_sizes(pe, 0x40));
	inv_put32(o + 16, pe->entry);
	inv_put32(o + 20, 0x1000); // BaseOfCode
	inv_put64(o + 24, pe->base);
	inv_put32(o + 32, 0x1000); // SectionAlignment
	inv_put32(o + 36, 0x200);  // FileAlignment
	inv_put16(o + 40, 10);     // operating system, image and subsystem versions
	inv_put16(o + 44, 10);
	inv_put16(o + 48, 10);
	inv_put32(o + 56, pe->size);
	inv_put32(o + 60, INV_PE_HEADER_SIZE);
	inv_put32(o + 64, pe->checksum);
	inv_put16(o + 68, 1); // IMAGE_SUBSYSTEM_NATIVE
	inv_put64(o + 72, 0x80000);
	inv_put64(o + 80, 0x2000);
	inv_put64(o + 88, 0x100000);
	inv_put64(o + 96, 0x1000);
	inv_put32(o + 108, 16); // NumberOfRvaAndSizes
	if (pe->name)
		put_directory(o, DIRECTORY_EXPORT, pe->export_rva, export_size(pe));
	if (pe->import_rva)
		put_directory(o, DIRECTORY_IMPORT, pe->import_rva, pe->import_size);
	if (pe->pdb)
		put_directory(o, DIRECTORY_DEBUG, pe->debug_rva, DEBUG_ENTRY_SIZE);
}

static void put_headers(uint8_t *h, const struct inv_forge_pe *pe)
{
	inv_put_text(h, "MZ\x90");
	inv_put16(h + 0x3c, PE_OFFSET);
	inv_put_text(h + PE_OFFSET, "PE");
	uint8_t *coff = h + PE_OFFSET + 4;
	inv_put16(coff, 0x8664);
	inv_put16(coff + 2, (uint16_t)pe->section_count);
	inv_put32(coff + 4, pe->time_stamp);
	inv_put16(coff + 16, OPTIONAL_SIZE);
	inv_put16(coff + 18, 0x22); // executable, large address aware
	put_optional(coff + 20, pe);
	for (size_t i = 0; i < pe->section_count; i++) {
		const struct inv_forge_section *section = &pe->sections[i];
		uint8_t *s = coff + 20 + OPTIONAL_SIZE + 40 * i;
		memcpy(s, section->name, strnlen(section->name, 8));
		inv_put32(s + 8, section->size);
		inv_put32(s + 12, section->rva);
		inv_put32(s + 16, section->size);
		inv_put32(s + 20, section->rva);
		inv_put32(s + 36, section->characteristics);
	}
}

static void put_debug(uint8_t *d, const struct inv_forge_pe *pe)
{
	uint32_t record = pe->debug_rva + 0x20;
	inv_put32(d + 4, pe->time_stamp);
	inv_put32(d + 12, 2); // IMAGE_DEBUG_TYPE_CODEVIEW
	inv_put32(d + 16, rsds_size(pe));
	inv_put32(d + 20, record);
	inv_put32(d + 24, record);
	inv_put_text(d + 0x20, "RSDS");
	memcpy(d + 0x24, pe->guid, 16);
	inv_put32(d + 0x34, pe->age);
	memcpy(d + 0x38, pe->pdb, strlen(pe->pdb) + 1);
}

static void put_exports(uint8_t *e, const struct inv_forge_pe *pe)
{
	uint32_t count = (uint32_t)pe->export_count;
	uint32_t functions = 40, names = functions + 4 * count, ordinals = names + 4 * count, text = ordinals + 2 * count;
	inv_put32(e + 4, pe->time_stamp);
	inv_put32(e + 12, pe->export_rva + text);
	inv_put32(e + 16, 1); // Base of the ordinals
	inv_put32(e + 20, count);
	inv_put32(e + 24, count);
	inv_put32(e + 28, pe->export_rva + functions);
	inv_put32(e + 32, pe->export_rva + names);
	inv_put32(e + 36, pe->export_rva + ordinals);
	size_t length = strlen(pe->name) + 1;
	memcpy(e + text, pe->name, length);
	text += (uint32_t)length;
	for (uint32_t i = 0; i < count; i++) {
		inv_put32(e + functions + (size_t)4 * i, pe->exports[i].rva);
		inv_put32(e + names + (size_t)4 * i, pe->export_rva + text);
		inv_put16(e + ordinals + (size_t)2 * i, (uint16_t)i);
		length = strlen(pe->exports[i].name) + 1;
		memcpy(e + text, pe->exports[i].name, length);
		text += (uint32_t)length;
	}
}

void inv_forge_pe_write(const struct inv_forge_pe *pe,
                        void (*put)(void *context, uint32_t rva, const void *bytes, size_t size), void *context)
{
	uint8_t *headers = inv_alloc(INV_PE_HEADER_SIZE);
	put_headers(headers, pe);
	put(context, 0, headers, INV_PE_HEADER_SIZE);
	free(headers);
	if (pe->pdb) {
		uint32_t size = 0x20 + rsds_size(pe);
		uint8_t *debug = inv_alloc(size);
		put_debug(debug, pe);
		put(context, pe->debug_rva, debug, size);
		free(debug);
	}
	if (pe->name) {
		uint32_t size = export_size(pe);
		uint8_t *exports = inv_alloc(size);
		put_exports(exports, pe);
		put(context, pe->export_rva, exports, size);
		free(exports);
	}
}
