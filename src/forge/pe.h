// SPDX-License-Identifier: Apache-2.0
// A PE32+ image as it stands in memory: headers, debug record, exports. (Microsoft PE and COFF specification.)
#ifndef INV_FORGE_PE_H
#define INV_FORGE_PE_H

#include <stddef.h>
#include <stdint.h>

struct inv_forge_section {
	char name[9];
	uint32_t rva, size;
	uint32_t characteristics;
};
#define INV_SECTION_CODE 0x68000020u // code, not paged, executable, readable
#define INV_SECTION_READ 0x48000040u // initialised data, not paged, readable
#define INV_SECTION_DATA 0xc8000040u // initialised data, not paged, readable, writable

struct inv_forge_export {
	const char *name;
	uint32_t rva;
};

struct inv_forge_pe {
	uint64_t base;
	uint32_t size; // SizeOfImage
	uint32_t time_stamp, checksum;
	uint32_t entry; // RVA
	const struct inv_forge_section *sections;
	size_t section_count;
	const char *pdb; // NULL: no debug directory
	uint8_t guid[16];
	uint32_t age;
	uint32_t debug_rva;                     // where directory and RSDS record are put; 0x100 bytes
	const char *name;                       // of the module, for the export directory; NULL: no exports
	uint32_t export_rva;                    // where the export directory is put
	const struct inv_forge_export *exports; // sorted by name, as the loader wants them
	size_t export_count;
	uint32_t import_rva, import_size; // of the import directory, which somebody else writes; 0: none
};

#define INV_PE_HEADER_SIZE 0x400u
#define INV_PE_MAX_SECTIONS 16u // as many as fit in INV_PE_HEADER_SIZE

// Hands every piece of the image to `put`.
void inv_forge_pe_write(const struct inv_forge_pe *pe,
                        void (*put)(void *context, uint32_t rva, const void *bytes, size_t size), void *context);

#endif
