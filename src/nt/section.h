// SPDX-License-Identifier: Apache-2.0
// Sections: what is mapped. A control area stands for one file (as data, or as image) or for memory of the page file; its
// subsections hold the prototype PTEs, by which all processes share its pages.
#ifndef INV_NT_SECTION_H
#define INV_NT_SECTION_H

#include "kernel/kernel.h"

struct inv_subsection {
	uint64_t address;
	uint64_t base;       // of its prototype PTEs (SubsectionBase)
	uint32_t pages;      // PtesInSubsection
	uint32_t protection; // of its pages
};
#define INV_SUBSECTION_BOUND 1024u

// FILE_OBJECT.
struct inv_file {
	uint64_t address; // 0: none
	const char *name; // volume-relative, UTF-8; "" when unreadable
	struct inv_value name_value, fs_context, pointers /* SectionObjectPointer */, delete_pending, write_access, flags;
	struct inv_value image_area, data_area; // of its SECTION_OBJECT_POINTERS
	struct inv_value transaction;           // what it was opened in; which member says so is public practice only
};

// SECTION_IMAGE_INFORMATION, of an image.
struct inv_image_information {
	struct inv_value address; // of the structure
	struct inv_value entry;   // TransferAddress
	struct inv_value machine, subsystem, characteristics, dll_characteristics, file_size, checksum, contains_code;
};

struct inv_control_area {
	uint64_t address; // CONTROL_AREA
	bool readable;    // the control area could be read
	struct inv_value segment, file_pointer, views /* NumberOfMappedViews */, user_references, section_references;
	struct inv_value flags, being_deleted, is_image, is_file, is_physical, delete_on_close, user_writable;
	struct inv_value total_ptes, size /* SizeOfSegment */, based_address, segment_area /* SEGMENT.ControlArea */,
	    prototypes, signing_level;
	struct inv_file file;
	struct inv_image_information image;
	struct inv_subsection *subsections; // stb_ds, in order
	bool subsections_complete;
};

// All control areas that were asked for, each read once. Bounded: beyond INV_CONTROL_AREA_BOUND, NULL is answered. They also keep
// count of the pages of user memory that may yet be looked at, over all processes.
struct inv_control_areas;
#define INV_CONTROL_AREA_BOUND ((size_t)1 << 18)
struct inv_control_areas *inv_control_areas_new(const struct inv_kernel *kernel);
// For one of several that work at once: knows what `known` knows, which is read no more meanwhile and must outlive it, and keeps what
// is new to itself. Its count of pages is a part of that of `known`, of which `shares` are made: bounds, and so the outcome, do not
// depend on who works when. Each may look at several times what would be its even part, for processes differ.
struct inv_control_areas *inv_control_areas_part(const struct inv_control_areas *known, size_t shares);
void inv_control_areas_free(struct inv_control_areas *sections); // NULL is allowed
// The control area at an address; NULL for address 0, or when there are too many. What could not be read says so. The pointer stays
// good until the sections are freed.
const struct inv_control_area *inv_control_area_at(struct inv_control_areas *sections, uint64_t control_area);

size_t *inv_control_areas_page_budget(struct inv_control_areas *sections);

// The control area of a section object (the body): _SECTION.u1.ControlArea since Windows 10; before, _SECTION_OBJECT.Segment leads to
// the SEGMENT, and that to its control area (public practice).
struct inv_value inv_section_object_area(const struct inv_kernel *kernel, uint64_t section_object);
// A FILE_OBJECT that something else points at.
void inv_file_read(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                   struct inv_file *file);

// The name by which a file is known to all of the machine: that of its device (DeviceObject, by its object's name), that of the file
// that it was opened relative to (RelatedFileObject) unless its own name begins at the root, and its own:
// "\Device\HarddiskVolume3\Windows\explorer.exe". What the device has no name for stands without it. `value` is that of its own name, as
// in inv_file_read().
const char *inv_file_path(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                          struct inv_value *value);

// The address of the prototype PTE for the page at `offset` (in bytes) of a view that begins with `subsection` and `first` prototype PTE;
// 0: none, or beyond the last subsection. `protection` (may be NULL) gets that of its subsection.
uint64_t inv_section_prototype(const struct inv_control_area *section, uint64_t subsection, uint64_t first,
                               uint64_t offset, uint32_t *protection);

#endif
