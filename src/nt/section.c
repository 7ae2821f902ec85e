// SPDX-License-Identifier: Apache-2.0
#include "nt/section.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "image/image.h"
#include "nt/object.h"
#include "paging/frame.h"

#define RELATED_DEPTH 16u

struct entry {
	uint64_t key; // address of a control area
	struct inv_control_area *value;
};

struct inv_control_areas {
	const struct inv_kernel *kernel;
	const struct inv_control_areas *known; // NULL: there are no others
	struct inv_arena *arena;
	struct entry *entries; // stb_ds map
	size_t subsections;    // of all
	size_t page_budget;
};

// All control areas together may have so many; what lies beyond them is not read.
#define MOST_SUBSECTIONS ((size_t)1 << 20)
// Pages to be looked at, for each page of the image: memory may be shared by many processes.
#define VIEWS_OF_A_PAGE 16u
#define LEAST_BUDGET ((size_t)1 << 22)
#define EVEN_PARTS 8u // of the budget that one of several may use

struct inv_control_areas *inv_control_areas_new(const struct inv_kernel *kernel)
{
	struct inv_control_areas *sections = inv_alloc(sizeof *sections);
	*sections = (struct inv_control_areas){.kernel = kernel, .arena = inv_arena_new(), .page_budget = LEAST_BUDGET};
	if (kernel->image) // a file of this size has so many pages, whatever its header claims
		sections->page_budget += (size_t)(inv_image_info(kernel->image)->bytes / INV_PAGE_SIZE * VIEWS_OF_A_PAGE);
	return sections;
}

struct inv_control_areas *inv_control_areas_part(const struct inv_control_areas *known, size_t shares)
{
	struct inv_control_areas *sections = inv_alloc(sizeof *sections);
	*sections = (struct inv_control_areas){.kernel = known->kernel, .known = known, .arena = inv_arena_new()};
	sections->page_budget = shares > EVEN_PARTS ? known->page_budget / shares * EVEN_PARTS : known->page_budget;
	return sections;
}

size_t *inv_control_areas_page_budget(struct inv_control_areas *sections)
{
	return &sections->page_budget;
}

void inv_control_areas_free(struct inv_control_areas *sections)
{
	if (!sections)
		return;
	for (size_t i = 0; i < (size_t)stbds_hmlen(sections->entries); i++)
		inv_array_free(sections->entries[i].value->subsections);
	stbds_hmfree(sections->entries);
	inv_arena_free(sections->arena);
	free(sections);
}

// -- files ------------------------------------------------------------------------------------------------------------------

static const char *read_name(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                             struct inv_value *value)
{
	uint64_t name;
	if (!inv_field_address(kernel, file_object, INV_F_FILE_OBJECT_FileName, &name)) {
		*value = inv_field(kernel, file_object, INV_F_FILE_OBJECT_FileName);
		return "";
	}
	return inv_read_unicode(kernel, name, arena, value);
}

// Of the file that it was opened relative to, and so on; in front of what does not begin at the root.
static const char *with_related(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                                const char *name)
{
	for (unsigned depth = 0; *name != '\\' && depth < RELATED_DEPTH; depth++) {
		struct inv_value related = inv_field(kernel, file_object, INV_F_FILE_OBJECT_RelatedFileObject), value;
		if (!related.ok || related.u == 0)
			return name;
		const char *above = read_name(kernel, file_object = related.u, arena, &value);
		if (!value.ok)
			return name;
		const char *slash = !*name || (*above && above[strlen(above) - 1] == '\\') ? "" : "\\";
		name = inv_arena_printf(arena, "%s%s%s", above, slash, name);
	}
	return name;
}

const char *inv_file_path(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                          struct inv_value *value)
{
	const char *name = read_name(kernel, file_object, arena, value);
	if (!value->ok)
		return name;
	name = with_related(kernel, file_object, arena, name);
	struct inv_value device = inv_field(kernel, file_object, INV_F_FILE_OBJECT_DeviceObject), length;
	uint64_t header = device.ok && device.u ? inv_object_header(kernel, device.u) : 0;
	const char *path = header ? inv_object_path(kernel, header, arena, &length) : "";
	return *path && length.ok ? inv_arena_printf(arena, "%s%s", path, name) : name;
}

static struct inv_value read_transaction(const struct inv_kernel *kernel, uint64_t file_object)
{
	struct inv_value extension = inv_field(kernel, file_object, INV_F_FILE_OBJECT_FileObjectExtension);
	if (!extension.ok || extension.u == 0)
		return extension;
	struct inv_value members = inv_field(kernel, extension.u, INV_F_FILE_OBJECT_EXTENSION_FoExtPerTypeExtension);
	return members.ok ? inv_read_u64(kernel, members.u) : members;
}

void inv_file_read(const struct inv_kernel *kernel, uint64_t file_object, struct inv_arena *arena,
                   struct inv_file *file)
{
	*file = (struct inv_file){.address = file_object, .name = ""};
	if (file_object == 0)
		return;
	file->name = read_name(kernel, file_object, arena, &file->name_value);
	file->fs_context = inv_field(kernel, file_object, INV_F_FILE_OBJECT_FsContext);
	file->pointers = inv_field(kernel, file_object, INV_F_FILE_OBJECT_SectionObjectPointer);
	file->delete_pending = inv_field(kernel, file_object, INV_F_FILE_OBJECT_DeletePending);
	file->write_access = inv_field(kernel, file_object, INV_F_FILE_OBJECT_WriteAccess);
	file->flags = inv_field(kernel, file_object, INV_F_FILE_OBJECT_Flags);
	file->transaction = read_transaction(kernel, file_object);
	if (file->pointers.ok) {
		file->image_area = inv_field(kernel, file->pointers.u, INV_F_SECTION_OBJECT_POINTERS_ImageSectionObject);
		file->data_area = inv_field(kernel, file->pointers.u, INV_F_SECTION_OBJECT_POINTERS_DataSectionObject);
	} else {
		file->image_area = file->data_area = file->pointers;
	}
}

// -- control areas ----------------------------------------------------------------------------------------------------------

static void read_image_information(const struct inv_kernel *kernel, uint64_t segment,
                                   struct inv_image_information *image)
{
	image->address = inv_field(kernel, segment, INV_F_SEGMENT_ImageInformation);
	uint64_t at = image->address.ok ? image->address.u : 0;
	image->entry = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_TransferAddress);
	image->machine = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_Machine);
	image->subsystem = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_SubSystemType);
	image->characteristics = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_ImageCharacteristics);
	image->dll_characteristics = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_DllCharacteristics);
	image->file_size = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_ImageFileSize);
	image->checksum = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_CheckSum);
	image->contains_code = inv_field(kernel, at, INV_F_SECTION_IMAGE_INFORMATION_ImageContainsCode);
}

static void read_segment(const struct inv_kernel *kernel, struct inv_control_area *area)
{
	uint64_t segment = area->segment.ok ? area->segment.u : 0;
	area->total_ptes = inv_field(kernel, segment, INV_F_SEGMENT_TotalNumberOfPtes);
	area->size = inv_field(kernel, segment, INV_F_SEGMENT_SizeOfSegment);
	area->based_address = inv_field(kernel, segment, INV_F_SEGMENT_BasedAddress);
	area->segment_area = inv_field(kernel, segment, INV_F_SEGMENT_ControlArea);
	area->prototypes = inv_field(kernel, segment, INV_F_SEGMENT_PrototypePte);
	area->signing_level = inv_field(kernel, segment, INV_F_SEGMENT_ImageSigningLevel);
	if (area->is_image.ok && area->is_image.u)
		read_image_information(kernel, segment, &area->image);
}

static bool read_subsection(const struct inv_kernel *kernel, uint64_t address, struct inv_subsection *subsection,
                            uint64_t *next)
{
	struct inv_value base = inv_field(kernel, address, INV_F_SUBSECTION_SubsectionBase);
	struct inv_value pages = inv_field(kernel, address, INV_F_SUBSECTION_PtesInSubsection);
	struct inv_value protection = inv_field(kernel, address, INV_F_SUBSECTION_Protection);
	struct inv_value link = inv_field(kernel, address, INV_F_SUBSECTION_NextSubsection);
	*subsection = (struct inv_subsection){
	    .address = address, .base = base.u, .pages = (uint32_t)pages.u, .protection = (uint32_t)protection.u};
	*next = link.ok ? link.u : 0;
	return base.ok && pages.ok && protection.ok && link.ok;
}

// The first subsection follows the control area (public practice, as Volatility's and MemProcFS' readers have it), whose size in 8.1
// is no multiple of 16: which of the two places it has there was not verified, so that the one counts that leads back.
static uint64_t first_subsection(const struct inv_kernel *kernel, uint64_t area, uint32_t size)
{
	const uint64_t aligned = ((uint64_t)size + 15) / 16 * 16;
	struct inv_value owner = inv_field(kernel, area + size, INV_F_SUBSECTION_ControlArea);
	return owner.ok && owner.u == area ? area + size : area + aligned;
}

static void read_subsections(struct inv_control_areas *sections, struct inv_control_area *area)
{
	const struct inv_kernel *kernel = sections->kernel;
	uint32_t size = kernel->layout ? kernel->layout->size[INV_T_CONTROL_AREA] : 0;
	if (size == 0)
		return;
	uint64_t next = first_subsection(kernel, area->address, size);
	while (next && inv_count(area->subsections) < INV_SUBSECTION_BOUND && sections->subsections < MOST_SUBSECTIONS) {
		struct inv_value owner = inv_field(kernel, next, INV_F_SUBSECTION_ControlArea);
		struct inv_subsection subsection;
		if (!owner.ok || owner.u != area->address || !read_subsection(kernel, next, &subsection, &next))
			return;
		inv_push(area->subsections, subsection);
		sections->subsections++;
	}
	area->subsections_complete = next == 0;
}

static struct inv_control_area *read_area(struct inv_control_areas *sections, uint64_t address)
{
	const struct inv_kernel *kernel = sections->kernel;
	struct inv_control_area *area = inv_arena_alloc(sections->arena, sizeof *area);
	area->address = address;
	area->file.name = "";
	area->segment = inv_field(kernel, address, INV_F_CONTROL_AREA_Segment);
	area->file_pointer = inv_field(kernel, address, INV_F_CONTROL_AREA_FilePointer);
	area->views = inv_field(kernel, address, INV_F_CONTROL_AREA_NumberOfMappedViews);
	area->user_references = inv_field(kernel, address, INV_F_CONTROL_AREA_NumberOfUserReferences);
	area->section_references = inv_field(kernel, address, INV_F_CONTROL_AREA_NumberOfSectionReferences);
	area->flags = inv_field(kernel, address, INV_F_CONTROL_AREA_Flags);
	area->being_deleted = inv_field(kernel, address, INV_F_CONTROL_AREA_BeingDeleted);
	area->is_image = inv_field(kernel, address, INV_F_CONTROL_AREA_Image);
	area->is_file = inv_field(kernel, address, INV_F_CONTROL_AREA_File);
	area->is_physical = inv_field(kernel, address, INV_F_CONTROL_AREA_PhysicalMemory);
	area->delete_on_close = inv_field(kernel, address, INV_F_CONTROL_AREA_DeleteOnClose);
	area->user_writable = inv_field(kernel, address, INV_F_CONTROL_AREA_UserWritable);
	area->readable = area->segment.ok && area->file_pointer.ok && area->flags.ok;
	read_segment(kernel, area);
	inv_file_read(kernel, area->file_pointer.ok ? area->file_pointer.u : 0, sections->arena, &area->file);
	read_subsections(sections, area);
	return area;
}

// Does not change the map, so that several may ask at once: what stb_ds answers in a header of the array is left out.
static const struct inv_control_area *find_area(const struct inv_control_areas *sections, uint64_t control_area)
{
	struct entry *entries = sections->entries;
	ptrdiff_t index = -1;
	if (entries)
		(void)stbds_hmgeti_ts(entries, control_area, index);
	return index >= 0 ? entries[index].value : NULL;
}

const struct inv_control_area *inv_control_area_at(struct inv_control_areas *sections, uint64_t control_area)
{
	if (control_area == 0)
		return NULL;
	const struct inv_control_area *known = sections->known ? find_area(sections->known, control_area) : NULL;
	if (!known)
		known = find_area(sections, control_area);
	if (known)
		return known;
	if ((size_t)stbds_hmlen(sections->entries) >= INV_CONTROL_AREA_BOUND)
		return NULL;
	struct inv_control_area *area = read_area(sections, control_area);
	stbds_hmput(sections->entries, control_area, area);
	return area;
}

struct inv_value inv_section_object_area(const struct inv_kernel *kernel, uint64_t section_object)
{
	struct inv_value area = inv_field(kernel, section_object, INV_F_SECTION_ControlArea);
	if (area.ok || area.why.reason != INV_NO_FIELD)
		return area;
	struct inv_value segment = inv_field(kernel, section_object, INV_F_SECTION_OBJECT_Segment);
	return segment.ok ? inv_field(kernel, segment.u, INV_F_SEGMENT_ControlArea) : segment;
}

uint64_t inv_section_prototype(const struct inv_control_area *section, uint64_t subsection, uint64_t first,
                               uint64_t offset, uint32_t *protection)
{
	size_t count = inv_count(section->subsections), i = 0;
	while (i < count && section->subsections[i].address != subsection)
		i++;
	uint64_t page = offset / INV_PAGE_SIZE;
	for (uint64_t from = first; i < count; i++) {
		const struct inv_subsection *part = &section->subsections[i];
		uint64_t start = from ? from : part->base, end = part->base + (uint64_t)part->pages * INV_ENTRY_SIZE;
		from = 0;
		if (start < part->base || start > end)
			return 0;
		uint64_t left = (end - start) / INV_ENTRY_SIZE;
		if (page < left) {
			if (protection)
				*protection = part->protection;
			return start + page * INV_ENTRY_SIZE;
		}
		page -= left;
	}
	return 0;
}
