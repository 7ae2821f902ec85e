// SPDX-License-Identifier: Apache-2.0
#include "kernel/pe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/memory.h"

#define MACHINE_AMD64 0x8664
#define MACHINE_ARM64 0xaa64

#define DOS_SIZE 0x40
#define FILE_HEADER_SIZE 24      // "PE\0\0" and IMAGE_FILE_HEADER
#define OPTIONAL_HEADER_SIZE 112 // IMAGE_OPTIONAL_HEADER64 before its directories
#define NARROW_HEADER_SIZE 96    // IMAGE_OPTIONAL_HEADER32 before its directories
#define WIDE_MAGIC 0x20b
#define NARROW_MAGIC 0x10b
#define LARGEST_IMAGE 0x7fff0000u // of a program or DLL
#define SECTION_SIZE 40
#define DEBUG_ENTRY_SIZE 28
#define RSDS_SIZE 24 // "RSDS", GUID, age

#define SECTION_EXECUTE 0x20000000u
#define SECTION_WRITE 0x80000000u

static bool read_all(struct inv_space *space, uint64_t address, void *buffer, size_t size, struct inv_why *why)
{
	struct inv_why ignored;
	return inv_space_read(space, address, buffer, size, why ? why : &ignored) == size;
}

static void read_directory(const uint8_t *directories, uint32_t count, unsigned index, uint32_t image_size,
                           uint32_t *rva, uint32_t *size)
{
	*rva = *size = 0;
	if (index >= count)
		return;
	const uint8_t *entry = directories + (size_t)index * 8;
	uint32_t start = inv_le32(entry), length = inv_le32(entry + 4);
	if (start >= image_size || length > image_size - start)
		return;
	*rva = start;
	*size = length;
}

static void read_section(const uint8_t *bytes, const struct inv_pe *pe, struct inv_pe_section *section)
{
	memcpy(section->name, bytes, 8);
	section->name[8] = '\0';
	section->rva = inv_le32(bytes + 12);
	section->size = inv_le32(bytes + 8);
	if (section->rva >= pe->size_of_image)
		section->rva = section->size = 0;
	else if (section->size > pe->size_of_image - section->rva)
		section->size = pe->size_of_image - section->rva;
	uint32_t characteristics = inv_le32(bytes + 36);
	section->executable = characteristics & SECTION_EXECUTE;
	section->writable = characteristics & SECTION_WRITE;
}

static void read_sections(struct inv_space *space, uint64_t table, unsigned count, struct inv_pe *pe)
{
	for (unsigned i = 0; i < count && i < INV_PE_MAX_SECTIONS; i++) {
		uint8_t bytes[SECTION_SIZE];
		if (!read_all(space, table + (uint64_t)i * SECTION_SIZE, bytes, sizeof(bytes), NULL))
			return;
		read_section(bytes, pe, &pe->section[pe->section_count++]);
	}
}

static bool size_is_sound(uint32_t size, uint32_t largest)
{
	return size >= INV_PAGE_SIZE && size <= largest;
}

bool inv_pe_read_image(struct inv_space *space, uint64_t base, struct inv_pe *pe, struct inv_why *why)
{
	*pe = (struct inv_pe){0};
	struct inv_why ignored;
	why = why ? why : &ignored;
	*why = (struct inv_why){0};

	uint8_t dos[DOS_SIZE];
	if (base > UINT64_MAX - LARGEST_IMAGE || !read_all(space, base, dos, sizeof(dos), why))
		return false;
	uint32_t e_lfanew = inv_le32(dos + 0x3c);
	// The headers of a file that Windows loads lie within its first page.
	if (dos[0] != 'M' || dos[1] != 'Z' || e_lfanew < DOS_SIZE || e_lfanew > INV_PAGE_SIZE - FILE_HEADER_SIZE)
		return false;

	uint8_t header[FILE_HEADER_SIZE + OPTIONAL_HEADER_SIZE + 16 * 8];
	if (!read_all(space, base + e_lfanew, header, sizeof(header), why))
		return false;
	const uint8_t *optional = header + FILE_HEADER_SIZE;
	uint16_t magic = inv_le16(optional), optional_size = inv_le16(header + 20);
	uint16_t fixed = magic == WIDE_MAGIC ? OPTIONAL_HEADER_SIZE : NARROW_HEADER_SIZE;
	pe->size_of_image = inv_le32(optional + 56);
	if (inv_le32(header) != 0x00004550 || (magic != WIDE_MAGIC && magic != NARROW_MAGIC) || optional_size < fixed ||
	    !size_is_sound(pe->size_of_image, LARGEST_IMAGE))
		return false;

	pe->base = base;
	pe->narrow = magic == NARROW_MAGIC;
	pe->machine = inv_le16(header + 4);
	pe->time_stamp = inv_le32(header + 8);
	pe->characteristics = inv_le16(header + 22);
	pe->entry = inv_le32(optional + 16);
	pe->image_base = pe->narrow ? inv_le32(optional + 28) : inv_le64(optional + 24);
	pe->checksum = inv_le32(optional + 64);
	pe->subsystem = inv_le16(optional + 68);
	pe->dll_characteristics = inv_le16(optional + 70);
	uint32_t directories = inv_le32(optional + fixed - 4);
	uint32_t room = (optional_size - fixed) / 8u;
	directories = directories > room ? room : directories;
	directories = directories > 16 ? 16 : directories;
	read_directory(optional + fixed, directories, 0, pe->size_of_image, &pe->export_rva, &pe->export_size);
	read_directory(optional + fixed, directories, 1, pe->size_of_image, &pe->import_rva, &pe->import_size);
	read_directory(optional + fixed, directories, 6, pe->size_of_image, &pe->debug_rva, &pe->debug_size);
	read_directory(optional + fixed, directories, 14, pe->size_of_image, &pe->managed_rva, &pe->managed_size);
	read_sections(space, base + e_lfanew + FILE_HEADER_SIZE + optional_size, inv_le16(header + 6), pe);
	return true;
}

bool inv_pe_read(struct inv_space *space, uint64_t base, struct inv_pe *pe, struct inv_why *why)
{
	bool read = base <= UINT64_MAX - INV_PE_MAX_SIZE && inv_pe_read_image(space, base, pe, why);
	if (read && !pe->narrow && (pe->machine == MACHINE_AMD64 || pe->machine == MACHINE_ARM64) &&
	    size_is_sound(pe->size_of_image, INV_PE_MAX_SIZE))
		return true;
	*pe = (struct inv_pe){0};
	return false;
}

static bool read_rsds(struct inv_space *space, uint64_t address, uint32_t size, struct inv_pdb *pdb,
                      struct inv_why *why)
{
	uint8_t record[RSDS_SIZE + sizeof(pdb->name)] = {0};
	if (size <= RSDS_SIZE)
		return false;
	size_t wanted = size < sizeof(record) ? size : sizeof(record);
	if (!read_all(space, address, record, wanted, why) || memcmp(record, "RSDS", 4) != 0)
		return false;
	memcpy(pdb->guid, record + 4, 16);
	pdb->age = inv_le32(record + 20);
	memcpy(pdb->name, record + RSDS_SIZE, sizeof(pdb->name) - 1);
	pdb->name[sizeof(pdb->name) - 1] = '\0';
	pdb->found = true;
	return true;
}

bool inv_pe_read_pdb(struct inv_space *space, struct inv_pe *pe, struct inv_why *why)
{
	struct inv_why ignored;
	why = why ? why : &ignored;
	*why = (struct inv_why){0};
	// The kernel has about five entries; sixteen are more than any file needs.
	uint32_t count = pe->debug_size / DEBUG_ENTRY_SIZE;
	for (uint32_t i = 0; i < count && i < 16; i++) {
		uint8_t entry[DEBUG_ENTRY_SIZE];
		if (!read_all(space, pe->base + pe->debug_rva + (uint64_t)i * DEBUG_ENTRY_SIZE, entry, sizeof(entry), why))
			return false;
		uint32_t type = inv_le32(entry + 12), size = inv_le32(entry + 16), rva = inv_le32(entry + 20);
		bool code_view = type == 2;
		if (!code_view || rva >= pe->size_of_image || size > pe->size_of_image - rva)
			continue;
		if (read_rsds(space, pe->base + rva, size, &pe->pdb, why))
			return true;
	}
	return false;
}

// IMAGE_EXPORT_DIRECTORY with every array checked to lie in the image.
struct exports {
	uint32_t names, functions;                  // counts
	uint32_t name_rva, index_rva, function_rva; // arrays
};

static bool array_fits(const struct inv_pe *pe, uint32_t rva, uint32_t count, uint32_t width)
{
	return rva != 0 && rva < pe->size_of_image && count <= (pe->size_of_image - rva) / width;
}

static bool read_exports(struct inv_space *space, const struct inv_pe *pe, struct exports *exports)
{
	uint8_t directory[40];
	if (pe->export_size < sizeof(directory) ||
	    !read_all(space, pe->base + pe->export_rva, directory, sizeof(directory), NULL))
		return false;
	*exports = (struct exports){
	    .functions = inv_le32(directory + 20),
	    .names = inv_le32(directory + 24),
	    .function_rva = inv_le32(directory + 28),
	    .name_rva = inv_le32(directory + 32),
	    .index_rva = inv_le32(directory + 36),
	};
	return array_fits(pe, exports->function_rva, exports->functions, 4) &&
	       array_fits(pe, exports->name_rva, exports->names, 4) &&
	       array_fits(pe, exports->index_rva, exports->names, 2);
}

// Up to `size` - 1 bytes and a NUL.
static bool read_text(struct inv_space *space, const struct inv_pe *pe, uint32_t rva, char *text, size_t size)
{
	if (rva == 0 || rva >= pe->size_of_image)
		return false;
	size_t got = inv_space_read(space, pe->base + rva, text, size - 1, NULL);
	text[size - 1] = '\0';
	return memchr(text, '\0', got) != NULL || got == size - 1;
}

bool inv_pe_export_name(struct inv_space *space, const struct inv_pe *pe, char name[64])
{
	uint8_t rva[4];
	return pe->export_size >= 40 && read_all(space, pe->base + pe->export_rva + 12, rva, sizeof(rva), NULL) &&
	       read_text(space, pe, inv_le32(rva), name, 64);
}

static bool read_function(struct inv_space *space, const struct inv_pe *pe, const struct exports *exports, uint32_t at,
                          uint32_t *rva)
{
	uint8_t index[2], function[4];
	if (!read_all(space, pe->base + exports->index_rva + (uint64_t)at * 2, index, sizeof(index), NULL) ||
	    inv_le16(index) >= exports->functions ||
	    !read_all(space, pe->base + exports->function_rva + (uint64_t)inv_le16(index) * 4, function, sizeof(function),
	              NULL))
		return false;
	*rva = inv_le32(function);
	bool forwarder = *rva >= pe->export_rva && *rva - pe->export_rva < pe->export_size;
	return *rva != 0 && *rva < pe->size_of_image && !forwarder;
}

bool inv_pe_export(struct inv_space *space, const struct inv_pe *pe, const char *name, uint32_t *rva)
{
	struct exports exports;
	if (!read_exports(space, pe, &exports))
		return false;
	uint32_t low = 0, high = exports.names;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint8_t name_rva[4];
		char text[128];
		if (!read_all(space, pe->base + exports.name_rva + (uint64_t)middle * 4, name_rva, sizeof(name_rva), NULL) ||
		    !read_text(space, pe, inv_le32(name_rva), text, sizeof(text)))
			return false;
		int order = strcmp(name, text);
		if (order == 0)
			return read_function(space, pe, &exports, middle, rva);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static int by_rva(const void *left, const void *right)
{
	const struct inv_pe_exported *a = left, *b = right;
	if (a->rva != b->rva)
		return a->rva < b->rva ? -1 : 1;
	return (a->name_rva > b->name_rva) - (a->name_rva < b->name_rva);
}

#define MOST_EXPORTS 65536u

struct inv_pe_exported *inv_pe_exports(struct inv_space *space, const struct inv_pe *pe, size_t *count)
{
	struct exports exports;
	*count = 0;
	if (!read_exports(space, pe, &exports) || exports.names == 0 || exports.names > MOST_EXPORTS)
		return NULL;
	size_t names = exports.names, functions = exports.functions < MOST_EXPORTS ? exports.functions : MOST_EXPORTS;
	uint8_t *bytes = inv_alloc(names * 6 + functions * 4);
	uint8_t *index = bytes + names * 4, *function = index + names * 2;
	struct inv_pe_exported *list = inv_alloc(names * sizeof *list);
	bool read = read_all(space, pe->base + exports.name_rva, bytes, names * 4, NULL) &&
	            read_all(space, pe->base + exports.index_rva, index, names * 2, NULL) &&
	            read_all(space, pe->base + exports.function_rva, function, functions * 4, NULL);
	for (size_t i = 0; read && i < names; i++) {
		size_t at = inv_le16(index + 2 * i);
		uint32_t rva = at < functions ? inv_le32(function + 4 * at) : 0;
		bool forwarder = rva >= pe->export_rva && rva - pe->export_rva < pe->export_size;
		if (rva != 0 && rva < pe->size_of_image && !forwarder)
			list[(*count)++] = (struct inv_pe_exported){rva, inv_le32(bytes + 4 * i)};
	}
	free(bytes);
	if (*count == 0) {
		free(list);
		return NULL;
	}
	qsort(list, *count, sizeof *list, by_rva);
	return list;
}

bool inv_pe_text(struct inv_space *space, const struct inv_pe *pe, uint32_t rva, char *text, size_t size)
{
	return read_text(space, pe, rva, text, size);
}

bool inv_pdb_is_kernel(const char *name)
{
	static const char *const names[] = {"ntkrnlmp.pdb", "ntkrnlpa.pdb", "ntkrpamp.pdb", "ntoskrnl.pdb", "ntkrla57.pdb"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool export_names_kernel(struct inv_space *space, const struct inv_pe *pe)
{
	char name[64];
	return inv_pe_export_name(space, pe, name) && strcasecmp(name, "ntoskrnl.exe") == 0;
}

bool inv_pe_read_kernel(struct inv_space *space, uint64_t base, struct inv_pe *pe)
{
	if (!inv_pe_read(space, base, pe, NULL))
		return false;
	struct inv_why why;
	if (inv_pe_read_pdb(space, pe, &why))
		return inv_pdb_is_kernel(pe->pdb.name);
	// A record that is there and says nothing is no kernel's; one that cannot be read leaves the export directory.
	return why.reason != INV_PRESENT && export_names_kernel(space, pe);
}
