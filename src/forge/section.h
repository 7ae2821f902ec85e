// SPDX-License-Identifier: Apache-2.0
// Files, and the sections that are made of them: control areas with their subsections, segments and prototype PTEs, and the
// pages that all who map them share.
#ifndef INV_FORGE_SECTION_H
#define INV_FORGE_SECTION_H

#include "forge/machine.h"
#include "forge/user_pe.h"

struct inv_forge_area;

// A file of the machine, by its path.
struct inv_forge_file {
	const char *path;                    // "\Device\HarddiskVolume3\Windows\System32\ntdll.dll"
	const char *name;                    // its last part
	uint64_t object;                     // FILE_OBJECT
	uint64_t pointers;                   // SECTION_OBJECT_POINTERS
	struct inv_forge_area *image, *data; // NULL: nobody has made such a section yet
};

struct inv_forge_subsection {
	uint64_t address;
	uint32_t first, pages; // of the whole section
	unsigned protection;   // INV_MM_...
};

// A page of a section, which a prototype PTE describes.
struct inv_forge_shared_page {
	uint64_t frame;  // physical; 0: not resident
	uint32_t shares; // PTEs that lead to the frame
};

// A control area.
struct inv_forge_area {
	const struct inv_forge_file *file; // NULL: backed by the page file
	uint64_t address;                  // CONTROL_AREA
	uint64_t segment;
	uint64_t prototypes;                      // of the first page; those of the others follow
	struct inv_forge_subsection *subsections; // stb_ds
	struct inv_forge_shared_page *pages;      // stb_ds
	struct inv_user_image *image;             // of an image as it is loaded; else NULL
	uint64_t base;                            // where an image wants to be in every process
	bool changed;                             // counts of its pages are not in the PFN database yet
};

// -- files (file.c) ---------------------------------------------------------------------------------------------------------
// The file at this path, made when it is first asked for.
struct inv_forge_file *inv_machine_file(struct inv_machine *machine, const char *path);
// Another FILE_OBJECT of the file, as everyone gets who opens it; no handle leads to it yet. Its address.
uint64_t inv_machine_open_file(struct inv_machine *machine, const struct inv_forge_file *file);
// As paths are written in scenarios: "name.dll" stands in System32, and C:\ is the volume's root. In the machine's arena.
const char *inv_machine_full_path(struct inv_machine *machine, const char *path);
void inv_forge_free_files(struct inv_machine *machine);

// -- sections (section.c) ---------------------------------------------------------------------------------------------------
// The control area of the file as an image, made when it is first asked for; `kind` is its first asker's.
#define INV_IMAGE_X86 1u
#define INV_IMAGE_DLL 2u
#define INV_IMAGE_NATIVE 4u   // a program without subsystem
#define INV_IMAGE_CONSOLE 16u // a program of the console
#define INV_IMAGE_MANAGED 8u
struct inv_forge_area *inv_machine_image_area(struct inv_machine *machine, struct inv_forge_file *file, unsigned kind);
// That of the file as data: `bytes` (NULL: as they are in the file of an image) are its content, of which all pages are resident.
struct inv_forge_area *inv_machine_data_area(struct inv_machine *machine, struct inv_forge_file *file,
                                             const void *bytes, uint64_t size);
// One that no file backs; its pages are made when they are touched.
struct inv_forge_area *inv_machine_page_file_area(struct inv_machine *machine, uint64_t size, unsigned protection);
// A section object of this area, referred to once; the address of its body.
uint64_t inv_machine_section_of(struct inv_machine *machine, struct inv_forge_area *area);
// Makes a section object, which was without content, one of this area.
void inv_machine_fill_section(struct inv_machine *machine, uint64_t section, struct inv_forge_area *area);
// The last reference to a section object goes.
void inv_machine_delete_section(struct inv_machine *machine, uint64_t section, struct inv_forge_area *area);
// A view is mapped (`step` 1) or unmapped (-1).
void inv_machine_count_view(struct inv_machine *machine, const struct inv_forge_area *area, int step);

// -- pages of sections (section.c) ------------------------------------------------------------------------------------------
uint64_t inv_area_prototype(const struct inv_forge_area *area, uint32_t page);
// What the page's PFN entry keeps as its OriginalPte: where its content comes from.
uint64_t inv_area_original_pte(const struct inv_machine *machine, const struct inv_forge_area *area, uint32_t page);
unsigned inv_area_protection(const struct inv_forge_area *area, uint32_t page);
// The frame of a page, made if it has none; somebody's PTE leads there from now on.
uint64_t inv_area_share(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page);
// One PTE less leads there.
void inv_area_unshare(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page);
// The page leaves memory, if nobody's PTE leads there; false: somebody's does.
bool inv_area_drop_page(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page);

#endif
