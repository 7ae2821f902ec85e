// SPDX-License-Identifier: Apache-2.0
// Control areas, subsections, segments, prototype PTEs and section objects, as MiCreateImageFileMap, MiCreateDataFileMap and
// MiCreatePagingFileMap leave them. (Layouts: the kernel's symbols. Counts of references: public practice; MmSt, MmCa, MmCi and MmSm
// are the tags of Windows's own list of pool tags.)
#include "forge/section.h"

#include <stdlib.h>
#include <string.h>

#include "forge/parts.h"
#include "forge/user.h"

#define PAGE INV_RAM_PAGE
#define SECTOR 512u
#define WINDOWS_81 9600u
#define MACHINE_X86 0x14cu
#define MACHINE_X64 0x8664u
#define EXECUTABLE 0x20000000u // IMAGE_SCN_MEM_EXECUTE
#define WRITABLE 0x80000000u
#define FAST_REF 0xfu

// -- where images are loaded ------------------------------------------------------------------------------------------------

// One base for every process, as address space layout randomisation keeps it while the machine runs. DLLs stand close together, the
// first one highest. (Ranges: Windows Internals; before 8.1 the user half ends at 8 TiB.)
static uint64_t dll_base(struct inv_machine *machine, bool x86, uint32_t size)
{
	uint64_t *top = &machine->dll_top[x86];
	if (!*top && x86)
		*top = 0x77000000 + inv_random_below(&machine->random, 4) * 0x200000;
	else if (!*top && machine->build < WINDOWS_81)
		*top = 0x7fef0000000 + inv_random_below(&machine->random, 0x70) * 0x200000;
	else if (!*top)
		*top = 0x7ff800000000 + inv_random_below(&machine->random, 0x3000) * 0x200000;
	*top = (*top - size) & ~0xffffull;
	return *top;
}

static uint64_t program_base(struct inv_machine *machine, bool x86)
{
	if (x86)
		return 0x400000;
	if (machine->build < WINDOWS_81)
		return 0x13f000000 + inv_random_below(&machine->random, 0xf0) * 0x10000;
	return 0x7ff600000000 + inv_random_below(&machine->random, 0x1000) * 0x100000;
}

// -- pages ------------------------------------------------------------------------------------------------------------------

uint64_t inv_area_prototype(const struct inv_forge_area *area, uint32_t page)
{
	return area->prototypes + 8ull * page;
}

static const struct inv_forge_subsection *subsection_of(const struct inv_forge_area *area, uint32_t page)
{
	size_t i = inv_count(area->subsections) - 1;
	while (i > 0 && area->subsections[i].first > page)
		i--;
	return &area->subsections[i];
}

unsigned inv_area_protection(const struct inv_forge_area *area, uint32_t page)
{
	return subsection_of(area, page)->protection;
}

uint64_t inv_area_original_pte(const struct inv_machine *machine, const struct inv_forge_area *area, uint32_t page)
{
	const struct inv_forge_subsection *subsection = subsection_of(area, page);
	return area->file ? inv_pte_subsection(machine->layout, subsection->protection, subsection->address)
	                  : inv_pte_demand_zero(machine->layout, subsection->protection);
}

static uint64_t prototype_of(const struct inv_machine *machine, const struct inv_forge_area *area, uint32_t page)
{
	const struct inv_forge_subsection *subsection = subsection_of(area, page);
	const struct inv_forge_shared_page *shared = &area->pages[page];
	if (shared->frame && shared->shares)
		return inv_pte_user(shared->frame, subsection->protection) & ~INV_PTE_USER;
	if (shared->frame)
		return inv_pte_transition(machine->layout, subsection->protection, shared->frame);
	return inv_area_original_pte(machine, area, page);
}

static void put_prototype(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page)
{
	inv_machine_put64(machine, inv_area_prototype(area, page), prototype_of(machine, area, page));
	area->changed = true;
}

uint64_t inv_area_share(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page)
{
	struct inv_forge_shared_page *shared = &area->pages[page];
	bool was_valid = shared->frame && shared->shares;
	if (!shared->frame) {
		shared->frame = inv_ram_take(machine->ram, INV_RAM_USER);
		if (area->image) // read from the file again
			inv_ram_write(machine->ram, shared->frame, area->image->bytes + (size_t)page * PAGE, PAGE);
	}
	shared->shares++;
	area->changed = true;
	if (!was_valid)
		put_prototype(machine, area, page);
	return shared->frame;
}

void inv_area_unshare(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page)
{
	area->changed = true;
	if (--area->pages[page].shares == 0)
		put_prototype(machine, area, page);
}

bool inv_area_drop_page(struct inv_machine *machine, struct inv_forge_area *area, uint32_t page)
{
	if (area->pages[page].shares)
		return false;
	area->pages[page].frame = 0;
	put_prototype(machine, area, page);
	return true;
}

// -- control areas ----------------------------------------------------------------------------------------------------------

static struct inv_forge_area *new_area(struct inv_machine *machine, const struct inv_forge_file *file)
{
	struct inv_forge_area *area = inv_alloc(sizeof *area);
	area->file = file;
	inv_push(machine->areas, area);
	return area;
}

static void add_subsection(struct inv_forge_area *area, uint32_t first, uint32_t pages, unsigned protection)
{
	struct inv_forge_subsection subsection = {0, first, pages, protection};
	inv_push(area->subsections, subsection);
}

// The control area with its subsections behind it in one block; the segment; the prototype PTEs.
static void put_blocks(struct inv_machine *machine, struct inv_forge_area *area, uint32_t pages)
{
	uint32_t size = inv_machine_size(machine, INV_T_CONTROL_AREA, 0x80); // the subsections follow at once
	uint32_t step = inv_machine_size(machine, INV_T_SUBSECTION, 0x38);
	uint32_t count = (uint32_t)inv_count(area->subsections);
	area->address = inv_machine_pool(machine, &machine->pool, size + step * count, area->image ? "MmCi" : "MmCa");
	area->segment = inv_machine_pool(machine, &machine->paged, inv_machine_size(machine, INV_T_SEGMENT, 0x48), "MmSm");
	area->prototypes = inv_machine_pool(machine, &machine->paged, pages * 8, "MmSt");
	stbds_arrsetlen(area->pages, pages);
	memset(area->pages, 0, pages * sizeof *area->pages);
	for (uint32_t i = 0; i < count; i++)
		area->subsections[i].address = area->address + size + (uint64_t)i * step;
}

static void put_subsections(struct inv_machine *machine, const struct inv_forge_area *area)
{
	uint32_t sector = 0;
	for (size_t i = 0; i < inv_count(area->subsections); i++) {
		const struct inv_forge_subsection *subsection = &area->subsections[i];
		uint64_t at = subsection->address;
		uint32_t sectors = area->file ? subsection->pages * (PAGE / SECTOR) : 0;
		if (area->image) // as the file has them
			sector = i ? area->image->sections[i - 1].file_offset / SECTOR : 0;
		if (area->image)
			sectors = (i ? area->image->sections[i - 1].file_size : area->image->header_size) / SECTOR;
		inv_machine_put(machine, at, INV_F_SUBSECTION_ControlArea, area->address);
		inv_machine_put(machine, at, INV_F_SUBSECTION_SubsectionBase, inv_area_prototype(area, subsection->first));
		inv_machine_put(machine, at, INV_F_SUBSECTION_NextSubsection,
		                i + 1 < inv_count(area->subsections) ? area->subsections[i + 1].address : 0);
		inv_machine_put(machine, at, INV_F_SUBSECTION_PtesInSubsection, subsection->pages);
		inv_machine_put(machine, at, INV_F_SUBSECTION_StartingSector, sector);
		inv_machine_put(machine, at, INV_F_SUBSECTION_NumberOfFullSectors, sectors);
		inv_machine_put(machine, at, INV_F_SUBSECTION_Protection, subsection->protection);
	}
}

static void put_area(struct inv_machine *machine, struct inv_forge_area *area)
{
	uint64_t at = area->address, segment = area->segment;
	uint32_t pages = (uint32_t)inv_count(area->pages);
	inv_machine_put(machine, at, INV_F_CONTROL_AREA_Segment, segment);
	if (inv_machine_has(machine, INV_F_CONTROL_AREA_ViewList)) // that 8 and later keep the views there is not verified
		inv_machine_list_init(machine, inv_machine_at(machine, at, INV_F_CONTROL_AREA_ViewList));
	inv_machine_put(machine, at, INV_F_CONTROL_AREA_Image, area->image != NULL);
	inv_machine_put(machine, at, INV_F_CONTROL_AREA_File, area->file != NULL);
	if (area->file)
		inv_machine_put(machine, at, INV_F_CONTROL_AREA_FilePointer, area->file->object | (FAST_REF & 0xd));
	inv_machine_put(machine, segment, INV_F_SEGMENT_ControlArea, at);
	inv_machine_put(machine, segment, INV_F_SEGMENT_TotalNumberOfPtes, pages);
	inv_machine_put(machine, segment, INV_F_SEGMENT_SizeOfSegment, (uint64_t)pages * PAGE);
	inv_machine_put(machine, segment, INV_F_SEGMENT_PrototypePte, area->prototypes);
	put_subsections(machine, area);
	for (uint32_t i = 0; i < pages; i++)
		put_prototype(machine, area, i);
}

static void put_image_information(struct inv_machine *machine, const struct inv_forge_area *area)
{
	const struct inv_user_image *image = area->image;
	uint32_t size = inv_machine_size(machine, INV_T_SECTION_IMAGE_INFORMATION, 0x40);
	uint64_t at = inv_machine_pool(machine, &machine->paged, size, "MmSI");
	inv_machine_put(machine, area->segment, INV_F_SEGMENT_ImageInformation, at);
	inv_machine_put(machine, area->segment, INV_F_SEGMENT_BasedAddress, area->base);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_TransferAddress,
	                area->base + image->entry); // that of an image without entry point: not verified
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_SubSystemType, image->subsystem);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_ImageCharacteristics, image->characteristics);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_DllCharacteristics, image->dll_characteristics);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_Machine, image->x86 ? MACHINE_X86 : MACHINE_X64);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_ImageContainsCode, 1);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_ImageFileSize, image->file_size);
	inv_machine_put(machine, at, INV_F_SECTION_IMAGE_INFORMATION_CheckSum, image->checksum);
}

static unsigned section_protection(uint32_t characteristics)
{
	if (characteristics & EXECUTABLE)
		return characteristics & WRITABLE ? INV_MM_EXECUTE_WRITECOPY : INV_MM_EXECUTE_READ;
	return characteristics & WRITABLE ? INV_MM_WRITECOPY : INV_MM_READONLY;
}

// One subsection for the headers and one for each section.
static void add_image_subsections(struct inv_forge_area *area)
{
	const struct inv_user_image *image = area->image;
	add_subsection(area, 0, image->sections[0].rva / PAGE, INV_MM_READONLY);
	for (size_t i = 0; i < image->section_count; i++) {
		uint32_t end = i + 1 < image->section_count ? image->sections[i + 1].rva : image->size;
		add_subsection(area, image->sections[i].rva / PAGE, (end - image->sections[i].rva) / PAGE,
		               section_protection(image->sections[i].characteristics));
	}
}

struct inv_forge_area *inv_machine_image_area(struct inv_machine *machine, struct inv_forge_file *file, unsigned kind)
{
	if (file->image)
		return file->image;
	struct inv_forge_area *area = file->image = new_area(machine, file);
	struct inv_user_image *image = area->image = inv_alloc(sizeof *image);
	*image = (struct inv_user_image){.name = file->name,
	                                 .x86 = kind & INV_IMAGE_X86,
	                                 .dll = kind & INV_IMAGE_DLL,
	                                 .managed = kind & INV_IMAGE_MANAGED,
	                                 .subsystem = kind & INV_IMAGE_NATIVE    ? INV_SUBSYSTEM_NATIVE
	                                              : kind & INV_IMAGE_CONSOLE ? INV_SUBSYSTEM_CONSOLE
	                                                                         : 0,
	                                 .seed = machine->config.seed,
	                                 .build = machine->build};
	inv_user_image_build(image);
	area->base = image->dll ? dll_base(machine, image->x86, image->size) : program_base(machine, image->x86);
	inv_user_image_move(image, area->base);
	add_image_subsections(area);
	put_blocks(machine, area, image->size / PAGE);
	put_area(machine, area);
	put_image_information(machine, area);
	inv_machine_put(machine, file->pointers, INV_F_SECTION_OBJECT_POINTERS_ImageSectionObject, area->address);
	return area;
}

static void put_content(struct inv_machine *machine, struct inv_forge_area *area, const uint8_t *bytes, uint64_t size)
{
	for (uint32_t i = 0; i < inv_count(area->pages) && (uint64_t)i * PAGE < size; i++) {
		uint64_t left = size - (uint64_t)i * PAGE;
		area->pages[i].frame = inv_ram_take(machine->ram, INV_RAM_USER);
		inv_ram_write(machine->ram, area->pages[i].frame, bytes + (size_t)i * PAGE, left < PAGE ? left : PAGE);
		put_prototype(machine, area, i);
	}
}

struct inv_forge_area *inv_machine_data_area(struct inv_machine *machine, struct inv_forge_file *file,
                                             const void *bytes, uint64_t size)
{
	if (file->data)
		return file->data;
	uint8_t *own = NULL;
	if (!bytes && file->image) {
		own = inv_user_image_file(file->image->image);
		bytes = own;
		size = file->image->image->file_size;
	}
	uint32_t pages = (uint32_t)((size + PAGE - 1) / PAGE);
	struct inv_forge_area *area = file->data = new_area(machine, file);
	add_subsection(area, 0, pages ? pages : 1, INV_MM_READWRITE);
	put_blocks(machine, area, pages ? pages : 1);
	put_area(machine, area);
	if (bytes)
		put_content(machine, area, bytes, size);
	free(own);
	inv_machine_put(machine, file->pointers, INV_F_SECTION_OBJECT_POINTERS_DataSectionObject, area->address);
	return area;
}

struct inv_forge_area *inv_machine_page_file_area(struct inv_machine *machine, uint64_t size, unsigned protection)
{
	uint32_t pages = (uint32_t)((size + PAGE - 1) / PAGE);
	struct inv_forge_area *area = new_area(machine, NULL);
	add_subsection(area, 0, pages ? pages : 1, protection);
	put_blocks(machine, area, pages ? pages : 1);
	put_area(machine, area);
	inv_machine_put(machine, area->segment, INV_F_SEGMENT_NumberOfCommittedPages, pages ? pages : 1);
	return area;
}

// -- references -------------------------------------------------------------------------------------------------------------

static void count(struct inv_machine *machine, const struct inv_forge_area *area, enum inv_field field, int step)
{
	inv_machine_put(machine, area->address, field, inv_machine_get(machine, area->address, field) + (uint64_t)step);
}

void inv_machine_count_view(struct inv_machine *machine, const struct inv_forge_area *area, int step)
{
	count(machine, area, INV_F_CONTROL_AREA_NumberOfMappedViews, step);
	count(machine, area, INV_F_CONTROL_AREA_NumberOfUserReferences, step);
}

void inv_machine_fill_section(struct inv_machine *machine, uint64_t section, struct inv_forge_area *area)
{
	uint64_t size = (uint64_t)inv_count(area->pages) * PAGE;
	inv_machine_put(machine, section, INV_F_SECTION_ControlArea, area->address);
	inv_machine_put(machine, section, INV_F_SECTION_SizeOfSection, size);
	// The symbols call it a _SEGMENT_OBJECT; it is the segment (public practice).
	inv_machine_put(machine, section, INV_F_SECTION_OBJECT_Segment, area->segment);
	count(machine, area, INV_F_CONTROL_AREA_NumberOfSectionReferences, 1);
	count(machine, area, INV_F_CONTROL_AREA_NumberOfUserReferences, 1);
}

uint64_t inv_machine_section_of(struct inv_machine *machine, struct inv_forge_area *area)
{
	uint64_t section = inv_machine_make_section(machine);
	inv_machine_put(machine, inv_machine_header(machine, section), INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_fill_section(machine, section, area);
	return section;
}

void inv_machine_delete_section(struct inv_machine *machine, uint64_t section, struct inv_forge_area *area)
{
	count(machine, area, INV_F_CONTROL_AREA_NumberOfSectionReferences, -1);
	count(machine, area, INV_F_CONTROL_AREA_NumberOfUserReferences, -1);
	inv_machine_put(machine, inv_machine_header(machine, section), INV_F_OBJECT_HEADER_PointerCount, 0);
	inv_machine_free_object(machine, section);
}
