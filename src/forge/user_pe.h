// SPDX-License-Identifier: Apache-2.0
// Small but whole PE images of programs and DLLs: code, exports, imports, relocations, unwind data. What is in one follows from
// its name, the seed and the machine type alone, so that a file is the same in all processes of a machine. (Microsoft PE and COFF
// specification. The code does what a prologue, calls and a return do and nothing else; numbers of services are the forge's own.)
#ifndef INV_FORGE_USER_PE_H
#define INV_FORGE_USER_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_USER_SECTIONS 5u
#define INV_USER_STACK 0x40000u // SizeOfStackReserve of programs

struct inv_user_section {
	char name[9];
	uint32_t rva, size;              // in memory; size as in the header, not a multiple of the page
	uint32_t file_offset, file_size; // on disk
	uint32_t characteristics;        // IMAGE_SCN_...
};

struct inv_user_export {
	const char *name; // owned by the image
	uint32_t rva;
	uint32_t returns; // of a stub of a system service: RVA behind its `syscall` (x86: its call); 0: no stub
	uint32_t call;    // of any other function: RVA behind its first call, where that returns to
};

// A slot of the import address table. As built it holds what the file does (the RVA of hint and name); the loader puts the
// address there.
struct inv_user_import {
	const char *dll, *name;
	uint32_t rva;
};

struct inv_user_image {
	// Wished, before it is built.
	const char *name;   // "ntdll.dll": decides exports and code; kept by reference
	bool x86;           // PE32 for the 80386; else PE32+ for x64
	bool dll;           // else a program
	bool managed;       // code of .NET that was compiled before: no entry point, imports or exports
	uint16_t subsystem; // 0: INV_SUBSYSTEM_GUI for programs and 3, as usual, for DLLs
	uint64_t seed;      // of the machine
	uint16_t build;     // of Windows, for the form of the service stubs
	uint64_t
	    base; // where it is loaded: addresses in the bytes and ImageBase are for this; 0: where it would like to be
	uint32_t code_size; // at least so much .text; 0: two pages and a little

	// Built.
	uint8_t *bytes;     // as mapped: `size` of them
	uint32_t size;      // SizeOfImage
	uint64_t preferred; // ImageBase on disk
	uint32_t header_size;
	uint32_t file_size;
	uint32_t time_stamp, checksum;
	uint32_t entry;      // RVA; 0: none (ntdll)
	uint32_t entry_call; // RVA behind its first call
	uint16_t characteristics, dll_characteristics;
	struct inv_user_section sections[INV_USER_SECTIONS];
	size_t section_count;
	struct inv_user_export *exports; // stb_ds, by name
	struct inv_user_import *imports; // stb_ds
	uint32_t *relocations;           // stb_ds: RVAs of addresses (8 bytes, in PE32 4), rising
};
#define INV_SUBSYSTEM_NATIVE 1u
#define INV_SUBSYSTEM_GUI 2u
#define INV_SUBSYSTEM_CONSOLE 3u

// Fills in everything behind "Built". inv_user_image_clear() releases it.
void inv_user_image_build(struct inv_user_image *image);
void inv_user_image_clear(struct inv_user_image *image);
// Moves the bytes to another base.
void inv_user_image_move(struct inv_user_image *image, uint64_t base);
// The same image as it lies on disk, `file_size` bytes; release with free().
uint8_t *inv_user_image_file(const struct inv_user_image *image);
// NULL: it exports no such name.
const struct inv_user_export *inv_user_image_export(const struct inv_user_image *image, const char *name);
// The section around an RVA; NULL: none (headers).
const struct inv_user_section *inv_user_image_section(const struct inv_user_image *image, uint32_t rva);

#endif
