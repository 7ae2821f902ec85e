// SPDX-License-Identifier: Apache-2.0
// Family 5, of the program's own image: which file it is, by the records of the executive, of the memory manager and of the process.
#include <inttypes.h>

#include "base/array.h"
#include "invariant/families.h"
#include "invariant/files.h"
#include "invariant/trial.h"
#include "kernel/pe.h"
#include "paging/frame.h"
#include "paging/pte.h"

#define MACHINE_I386 0x14c
#define MACHINE_ARM 0x1c4
#define MACHINE_AMD64 0x8664
#define UNIT 0x10000u // images begin at multiples of it

static struct inv_value process_field(const struct inv_trial *trial, enum inv_field field)
{
	return inv_field(trial->judge->kernel, trial->inside->process->address, field);
}

// -- I01 --------------------------------------------------------------------------------------------------------------------

static void base_says(struct inv_trial *trial, const char *text)
{
	inv_field_says(trial->judge, trial->finding, INV_F_EPROCESS_SectionBaseAddress, &trial->inside->image.base, "%s",
	               text);
}

// Only a whole tree can lack a range.
static bool tree_is_sound(struct inv_trial *trial)
{
	const struct inv_vad_tree *vads = &trial->inside->vads;
	struct inv_value tree = {.ok = vads->complete, .why = vads->why};
	if (!inv_trial_needs(trial, &tree))
		return false;
	bool counted = !vads->count.ok || vads->count.u == inv_count(vads->vads);
	if (vads->fault_count || !counted)
		inv_trial_unsure(trial, "the tree of ranges contradicts itself, as M08 judges");
	return vads->fault_count == 0 && counted;
}

static void try_range(struct inv_trial *trial)
{
	const struct inv_main_image *image = &trial->inside->image;
	const struct inv_vad *vad = image->vad;
	if (!vad && !tree_is_sound(trial))
		return;
	bool is_image = vad && vad->type == INV_VAD_IMAGE;
	if (is_image && !inv_trial_needs(trial, &image->area))
		return;
	if (is_image && vad->control_area == image->area.u)
		return;
	if (is_image && vad->control_area == 0) {
		inv_trial_unsure(trial, "the control area of the range cannot be read");
		return;
	}
	struct inv_finding *finding = inv_trial_broken(trial, INV_TIER_EXECUTIVE);
	base_says(trial, "the program is mapped here");
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_SectionObject, &image->section_object,
	               "the section that it was made from");
	if (image->area.ok && image->area.address)
		inv_field_says(trial->judge, finding, INV_F_SECTION_ControlArea, &image->area,
		               "the control area of that section");
	if (!vad) {
		inv_field_says(trial->judge, finding, INV_F_EPROCESS_VadRoot, &trial->inside->vads.root,
		               "no range of the process begins there");
		inv_means_its_targets(finding);
	} else if (!is_image)
		inv_range_says(trial, vad, "what stands there is no image");
	else
		inv_range_says(trial, vad, "an image of another section, control area 0x%" PRIx64, vad->control_area);
}

static void try_peb(struct inv_trial *trial, const struct inv_peb *peb)
{
	const struct inv_value *base = &trial->inside->image.base;
	if (!inv_trial_needs(trial, &peb->image_base) || peb->image_base.u == base->u)
		return;
	struct inv_finding *finding = inv_trial_broken(trial, INV_TIER_USER_MODE);
	base_says(trial, "the program is mapped here");
	inv_field_says(trial->judge, finding, INV_F_PEB_ImageBaseAddress, &peb->image_base,
	               "the %sPEB says that it is elsewhere", peb->narrow ? "32-bit " : "");
}

// The kernel makes a PEB for every process that runs a program.
static void try_pebs(struct inv_trial *trial)
{
	struct inv_value peb = process_field(trial, INV_F_EPROCESS_Peb);
	struct inv_value peb32 = inv_process_peb32(trial->judge->kernel, trial->inside->process->address);
	if (!inv_trial_needs(trial, &peb))
		return;
	if (peb.u == 0 && trial->inside->thread_count > 0) {
		inv_field_says(trial->judge, inv_trial_broken(trial, INV_TIER_EXECUTIVE), INV_F_EPROCESS_Peb, &peb,
		               "a process with threads that runs a program has no PEB");
		base_says(trial, "the program is mapped here");
		return;
	}
	try_peb(trial, &trial->inside->peb);
	if (peb32.ok && peb32.u)
		try_peb(trial, &trial->inside->peb32);
}

static void try_no_section(struct inv_trial *trial)
{
	struct inv_value peb = process_field(trial, INV_F_EPROCESS_Peb);
	if (!(peb.ok && peb.u) && !inv_has_image_range(trial->inside)) {
		inv_trial_unsure(trial,
		                 "the process has no section, no PEB and no image: nothing shows that it runs a program");
		return;
	}
	struct inv_finding *finding = inv_trial_broken(trial, INV_TIER_EXECUTIVE);
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_SectionObject, &trial->inside->image.section_object,
	               "a process that runs a program was made from no section");
	inv_field_says(trial->judge, finding, INV_F_EPROCESS_Peb, &peb, "its PEB");
	inv_tried(trial->judge, finding, "minimal", "it is not proved to be minimal, or has images");
	inv_tried(trial->judge, finding, "exited", "ExitTime is 0, or there are images");
}

void inv_judge_I01(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	const struct inv_main_image *image = &inside->image;
	if (image->section_object.u == 0) {
		try_no_section(&trial);
		inv_trial_end(&trial);
		return;
	}
	if (inv_trial_needs(&trial, &image->base)) {
		try_range(&trial);
		try_pebs(&trial);
	}
	inv_trial_end(&trial);
}

// -- I02 --------------------------------------------------------------------------------------------------------------------

static void file_says(struct inv_trial *trial, const struct inv_file *file, const char *whose)
{
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FsContext, &file->fs_context,
	               "%s: file object 0x%" PRIx64 ", \"%s\"", whose, file->address, file->name);
}

static void try_files(struct inv_trial *trial, const struct inv_file *one, const char *whose_one,
                      const struct inv_file *other, const char *whose_other)
{
	enum inv_answer same = inv_same_file(one, other);
	if (same == INV_UNSURE)
		inv_trial_unsure(trial, "the file objects cannot be read");
	if (same != INV_NO)
		return;
	bool first = trial->finding == NULL;
	inv_trial_broken(trial, INV_TIER_EXECUTIVE);
	if (first)
		file_says(trial, one, whose_one);
	file_says(trial, other, whose_other);
}

void inv_judge_I02(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_main_image *image = &inside->image;
	if (!inv_runs_program(judge, inside))
		return;
	if (image->section_object.u == 0 || !image->section || !image->section->readable) {
		inv_unknown_because(judge, "the process' section cannot be read");
		return;
	}
	struct inv_trial trial = inv_trial_of(judge, inside);
	if (image->section->file.address == 0) {
		inv_field_says(judge, inv_trial_broken(&trial, INV_TIER_MEMORY_MANAGER), INV_F_CONTROL_AREA_FilePointer,
		               &image->section->file_pointer, "the section that the process was made from has no file");
		return;
	}
	if (image->file_pointer.ok && image->file_pointer.u)
		try_files(&trial, &image->section->file, "the process' section", &image->file, "the process' file pointer");
	else if (!image->file_pointer.ok && image->file_pointer.why.reason != INV_NO_FIELD)
		inv_trial_needs(&trial, &image->file_pointer);
	const struct inv_control_area *mapped =
	    image->vad ? inv_control_area_at(inside->sections, image->vad->control_area) : NULL;
	if (mapped && mapped->readable && mapped->file.address)
		try_files(&trial, &image->section->file, "the process' section", &mapped->file, "the range that is mapped");
	else if (image->vad && image->vad->type == INV_VAD_IMAGE)
		inv_trial_unsure(&trial, "the control area of the range cannot be read");
	inv_trial_end(&trial);
}

// -- I07 --------------------------------------------------------------------------------------------------------------------

static void try_deletion(struct inv_trial *trial, const struct inv_file *file)
{
	if (!inv_trial_needs(trial, &file->delete_pending) || file->delete_pending.u == 0)
		return;
	struct inv_value access = inv_field(trial->judge->kernel, file->address, INV_F_FILE_OBJECT_DeleteAccess);
	if (access.ok && access.u == 0)
		return; // observed only
	if (!inv_trial_needs(trial, &access))
		return;
	inv_trial_broken(trial, INV_TIER_EXECUTIVE);
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_DeletePending, &file->delete_pending,
	               "the file that the process was made from, \"%s\", is to be deleted by this very object", file->name);
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_DeleteAccess, &access,
	               "it was opened with the right to");
}

// An object that was not opened to delete its file cannot have been asked to (FILE_DISPOSITION_INFORMATION, learn.microsoft.com). Whether
// a file system marks it when another object was, as where a program deletes its own file, is not verified.
static void observe_mark(struct inv_trial *trial, const struct inv_file *file)
{
	struct inv_value access = inv_field(trial->judge->kernel, file->address, INV_F_FILE_OBJECT_DeleteAccess);
	if (!file->delete_pending.ok || file->delete_pending.u == 0 || !access.ok || access.u)
		return;
	inv_trial_observed(trial, INV_TIER_EXECUTIVE);
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_DeletePending, &file->delete_pending,
	               "the file that the process was made from, \"%s\", is to be deleted", file->name);
	inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_DeleteAccess, &access,
	               "not by this object, which has no right to");
}

// The object that the section was made through can be written through or is of a transaction, or the file is known by another
// image now, or its name by another file: installers and updates do that too.
static void observe_file(struct inv_trial *trial, const struct inv_control_area *section)
{
	const struct inv_file *file = &section->file;
	if (file->write_access.ok && file->write_access.u) {
		inv_trial_observed(trial, INV_TIER_EXECUTIVE);
		inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_WriteAccess, &file->write_access,
		               "the program's section was made through an object by which \"%s\" can be written", file->name);
	}
	if (file->transaction.ok && file->transaction.u) {
		inv_trial_observed(trial, INV_TIER_EXECUTIVE);
		inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FileObjectExtension, &file->transaction,
		               "\"%s\" was opened in a transaction: what it holds there need never have been its content",
		               file->name);
	}
	const struct inv_known_file *namesake = inv_known_namesake(trial->inside->files, file);
	if (namesake) {
		inv_trial_observed(trial, INV_TIER_EXECUTIVE);
		file_says(trial, file, "the file that runs");
		inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FsContext, &namesake->file.fs_context,
		               "most others of this name run from another file, as process 0x%" PRIx64 " does",
		               namesake->process->address);
	}
	if (section->delete_on_close.ok && section->delete_on_close.u) {
		inv_trial_observed(trial, INV_TIER_MEMORY_MANAGER);
		inv_field_says(trial->judge, trial->finding, INV_F_CONTROL_AREA_DeleteOnClose, &section->delete_on_close,
		               "\"%s\" goes when it is closed", file->name);
	}
	if (file->image_area.ok && file->image_area.u != section->address) {
		inv_trial_observed(trial, INV_TIER_EXECUTIVE);
		inv_field_says(trial->judge, trial->finding, INV_F_SECTION_OBJECT_POINTERS_ImageSectionObject,
		               &file->image_area, "the file \"%s\" has another image than control area 0x%" PRIx64, file->name,
		               section->address);
	}
}

void inv_judge_I07(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_main_image *image = &inside->image;
	if (!inv_runs_program(judge, inside))
		return;
	if (image->section_object.u == 0) {
		inv_unknown_because(judge, "the process' section cannot be read");
		return;
	}
	struct inv_trial trial = inv_trial_of(judge, inside);
	bool has_field = image->file_pointer.ok || image->file_pointer.why.reason != INV_NO_FIELD;
	if (image->file_pointer.ok && image->file_pointer.u == 0) {
		inv_field_says(judge, inv_trial_broken(&trial, INV_TIER_EXECUTIVE), INV_F_EPROCESS_ImageFilePointer,
		               &image->file_pointer, "a process that runs a program has no file");
		return;
	}
	if (has_field && inv_trial_needs(&trial, &image->file_pointer))
		try_deletion(&trial, &image->file);
	if (image->section && image->section->file.address &&
	    (!image->file.address || image->section->file.address != image->file.address))
		try_deletion(&trial, &image->section->file);
	else if (!image->section)
		inv_trial_unsure(&trial, "the process' section cannot be read");
	if (!trial.finding && image->section) {
		observe_mark(&trial, &image->section->file);
		observe_file(&trial, image->section);
	}
	inv_trial_end(&trial);
}

// -- pages of sections -----------------------------------------------------------------------------------------------------

// The physical page that a prototype PTE leads to; false: it is not in memory.
static bool shared_frame(const struct inv_kernel *kernel, uint64_t prototype, uint64_t *frame)
{
	struct inv_value entry = prototype ? inv_read_u64(kernel, prototype) : (struct inv_value){0};
	if (!entry.ok || entry.u == 0)
		return false;
	*frame = entry.u & INV_FRAME_MASK;
	if (!(entry.u & 1)) {
		struct inv_pte pte = inv_pte_decode(inv_space_pte_format(kernel->space), entry.u);
		if (pte.form != INV_PTE_TRANSITION)
			return false;
		*frame = pte.frame;
	}
	return true;
}

static bool shared_page(const struct inv_kernel *kernel, uint64_t prototype, uint8_t page[INV_PAGE_SIZE])
{
	uint64_t frame;
	return shared_frame(kernel, prototype, &frame) && kernel->image &&
	       inv_image_read(kernel->image, frame, page, INV_PAGE_SIZE) == INV_PAGE_SIZE;
}

static uint64_t first_prototype(const struct inv_control_area *section)
{
	if (!section || !section->readable || inv_count(section->subsections) == 0)
		return 0;
	return inv_section_prototype(section, section->subsections[0].address, 0, 0, NULL);
}

// -- I08 --------------------------------------------------------------------------------------------------------------------

static void header_says(struct inv_trial *trial, uint64_t value)
{
	struct inv_evidence evidence = {
	    .witness = "PE header",
	    .tier = INV_TIER_USER_MODE,
	    .field = "header in memory",
	    .address = trial->inside->image.base.u,
	    .value = value,
	    .says = inv_arena_printf(trial->judge->arena, "the header in memory has 0x%" PRIx64, value)};
	inv_push(trial->finding->evidence, evidence);
}

static void compare(struct inv_trial *trial, enum inv_field field, const struct inv_value *kernels, uint64_t header,
                    const char *what)
{
	if (!kernels->ok || kernels->u == header)
		return;
	inv_trial_broken(trial, INV_TIER_USER_MODE);
	header_says(trial, header);
	inv_field_says(trial->judge, trial->finding, field, kernels, "%s of the file, as the section was made from it",
	               what);
}

// TransferAddress is relative to the base at which the section expects to be mapped, which of them is not verified.
static bool entry_agrees(const struct inv_trial *trial, const struct inv_pe *pe, uint64_t transfer)
{
	const struct inv_main_image *image = &trial->inside->image;
	uint64_t from = transfer - pe->entry;
	return from == image->base.u || from == pe->image_base ||
	       (image->section->based_address.ok && from == image->section->based_address.u);
}

static void compare_entry(struct inv_trial *trial, const struct inv_pe *pe)
{
	const struct inv_value *transfer = &trial->inside->image.section->image.entry;
	if (!transfer->ok || transfer->u == 0 || pe->entry == 0 || entry_agrees(trial, pe, transfer->u))
		return;
	if ((transfer->u - pe->entry) % UNIT == 0) {
		inv_trial_unsure(trial, "the base of the section's entry point is not known");
		return;
	}
	compare(trial, INV_F_SECTION_IMAGE_INFORMATION_TransferAddress, transfer, pe->entry, "the entry point");
}

static uint64_t whole_pages(uint64_t size)
{
	return (size + INV_PAGE_SIZE - 1) / INV_PAGE_SIZE * INV_PAGE_SIZE;
}

static void compare_header(struct inv_trial *trial, const struct inv_pe *pe)
{
	const struct inv_image_information *image = &trial->inside->image.section->image;
	const struct inv_value *size = &trial->inside->image.section->size;
	// Where a program of .NET starts, the loader may turn its header from 32 to 64 bits.
	if (pe->managed_size == 0) {
		compare(trial, INV_F_SECTION_IMAGE_INFORMATION_Machine, &image->machine, pe->machine, "the machine");
		compare_entry(trial, pe);
	}
	compare(trial, INV_F_SECTION_IMAGE_INFORMATION_CheckSum, &image->checksum, pe->checksum, "the checksum");
	compare(trial, INV_F_SECTION_IMAGE_INFORMATION_SubSystemType, &image->subsystem, pe->subsystem, "the subsystem");
	if (size->ok && whole_pages(size->u) != whole_pages(pe->size_of_image))
		compare(trial, INV_F_SEGMENT_SizeOfSegment, size, pe->size_of_image, "the size");
}

static const struct inv_loaded *first_loaded(const struct inv_peb *peb)
{
	bool any = inv_count(peb->modules) > 0 && (peb->modules[0].lists & 1u << INV_LOAD_ORDER);
	return any ? &peb->modules[0] : NULL;
}

// What the loader notes of the program. It may note more than the file has of one of .NET.
static void compare_loaded(struct inv_trial *trial, const struct inv_peb *peb, const struct inv_pe *pe)
{
	const struct inv_loaded *loaded = first_loaded(peb);
	const struct inv_value *base = &trial->inside->image.base, *size = &trial->inside->image.section->size;
	if (!loaded || !loaded->base.ok || loaded->base.u != base->u)
		return; // I06 judges that
	if (size->ok && loaded->size.ok && whole_pages(loaded->size.u) != whole_pages(size->u)) {
		inv_trial_broken(trial, INV_TIER_USER_MODE);
		inv_field_says(trial->judge, trial->finding, INV_F_LDR_MODULE_SizeOfImage, &loaded->size,
		               "the size that the loader notes");
		inv_field_says(trial->judge, trial->finding, INV_F_SEGMENT_SizeOfSegment, size, "the size of the section");
	}
	const struct inv_value *transfer = &trial->inside->image.section->image.entry;
	if (pe->managed_size || !loaded->entry.ok || loaded->entry.u == 0 || !transfer->ok || transfer->u == 0 ||
	    (loaded->entry.u - transfer->u) % UNIT == 0)
		return;
	inv_trial_broken(trial, INV_TIER_USER_MODE);
	inv_field_says(trial->judge, trial->finding, INV_F_LDR_MODULE_EntryPoint, &loaded->entry,
	               "the entry point that the loader notes");
	inv_field_says(trial->judge, trial->finding, INV_F_SECTION_IMAGE_INFORMATION_TransferAddress, transfer,
	               "that of the section, wherever it is mapped");
}

// Nobody erases the page that all processes share.
static void observe_no_header(struct inv_trial *trial)
{
	const struct inv_main_image *image = &trial->inside->image;
	uint64_t shared, own;
	if (shared_frame(trial->judge->kernel, first_prototype(image->section), &shared) &&
	    inv_space_translate(inv_user_space(trial->inside->user), image->base.u, &own, NULL) && own == shared) {
		inv_trial_unsure(trial, "the first page of the section is no header");
		return;
	}
	inv_trial_observed(trial, INV_TIER_USER_MODE);
	inv_range_says(trial, trial->inside->image.vad, "the range of the program does not begin with a header any more");
}

void inv_judge_I08(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_main_image *image = &inside->image;
	if (!inv_runs_program(judge, inside))
		return;
	if (!image->section || !image->section->readable || !image->base.ok || !inside->user) {
		inv_unknown_because(judge, "the process' section cannot be read");
		return;
	}
	if (!image->vad || image->vad->type != INV_VAD_IMAGE) {
		inv_unknown_because(judge, "the program is not mapped where it should be, as I01 judges");
		return;
	}
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct inv_pe pe;
	struct inv_value header = {0};
	if (inv_pe_read_image(inv_user_space(inside->user), image->base.u, &pe, &header.why)) {
		compare_header(&trial, &pe);
		compare_loaded(&trial, &inside->peb, &pe);
		if (inside->peb32.address)
			compare_loaded(&trial, &inside->peb32, &pe);
	} else if (header.why.reason == INV_PRESENT) {
		observe_no_header(&trial);
	} else {
		inv_trial_needs(&trial, &header);
	}
	inv_trial_end(&trial);
}

// -- I09 --------------------------------------------------------------------------------------------------------------------

static bool parse_page(const uint8_t page[INV_PAGE_SIZE], struct inv_pe *pe)
{
	struct inv_space *space = inv_space_new_fragments();
	inv_space_add_fragment(space, UNIT, page, INV_PAGE_SIZE);
	bool read = inv_pe_read_image(space, UNIT, pe, NULL);
	inv_space_free(space);
	return read;
}

static bool same_sections(const struct inv_pe *one, const struct inv_pe *other)
{
	bool same = one->section_count == other->section_count;
	for (size_t i = 0; same && i < one->section_count; i++)
		same = one->section[i].rva == other->section[i].rva && one->section[i].size == other->section[i].size &&
		       one->section[i].executable == other->section[i].executable;
	return same;
}

// The base is left out: it changes where the image is relocated.
static bool same_header(const struct inv_pe *one, const struct inv_pe *other)
{
	return one->machine == other->machine && one->time_stamp == other->time_stamp && one->entry == other->entry &&
	       one->size_of_image == other->size_of_image && one->checksum == other->checksum && same_sections(one, other);
}

void inv_judge_I09(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_control_area *section = inside->image.section;
	if (!inv_runs_program(judge, inside))
		return;
	if (!section || !section->readable || !section->file.data_area.ok) {
		inv_unknown_because(judge, "the process' section cannot be read");
		return;
	}
	if (section->file.data_area.u == 0) {
		inv_unknown_because(judge, "the file is not in the cache");
		return;
	}
	const struct inv_control_area *data = inv_control_area_at(inside->sections, section->file.data_area.u);
	uint8_t mapped[INV_PAGE_SIZE], cached[INV_PAGE_SIZE];
	struct inv_pe as_image, as_data;
	if (!shared_page(judge->kernel, first_prototype(section), mapped) || !parse_page(mapped, &as_image) ||
	    !shared_page(judge->kernel, first_prototype(data), cached)) {
		inv_unknown_because(judge, "the first page of the file is not in memory both as image and as data");
		return;
	}
	if (parse_page(cached, &as_data) && same_header(&as_image, &as_data)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(inside->process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_CONTROL_AREA_Segment, &section->segment,
	               "the image was made from a file of time stamp 0x%" PRIx32 " and entry 0x%" PRIx32,
	               as_image.time_stamp, as_image.entry);
	inv_field_says(judge, finding, INV_F_SECTION_OBJECT_POINTERS_DataSectionObject, &section->file.data_area,
	               "the file \"%s\" holds something else now", section->file.name);
}

// -- I10 --------------------------------------------------------------------------------------------------------------------

static bool is_32_bit(uint64_t machine)
{
	return machine == MACHINE_I386 || machine == MACHINE_ARM;
}

// A program of .NET for any machine is marked as one of i386 in its file and runs as what the kernel is.
static bool is_managed(const struct inv_inside *inside)
{
	struct inv_pe pe;
	return inside->user && inside->image.base.ok &&
	       inv_pe_read_image(inv_user_space(inside->user), inside->image.base.u, &pe, NULL) && pe.managed_size != 0;
}

static void try_machine(struct inv_trial *trial, const struct inv_value *wow64, enum inv_field field,
                        const struct inv_value *machine, const char *whose)
{
	if (!machine->ok || is_32_bit(machine->u) == (wow64->u != 0))
		return;
	inv_trial_broken(trial, INV_TIER_EXECUTIVE);
	inv_field_says(trial->judge, trial->finding, INV_F_EPROCESS_WoW64Process, wow64, "the process is %s one of WOW64",
	               wow64->u ? "" : "not");
	inv_field_says(trial->judge, trial->finding, field, machine, "the machine of %s", whose);
}

void inv_judge_I10(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct inv_value wow64 = process_field(&trial, INV_F_EPROCESS_WoW64Process);
	struct inv_value machine = process_field(&trial, INV_F_EPROCESS_Machine);
	if (!inv_need(judge, &wow64))
		return;
	if (!inside->image.section || !inv_trial_needs(&trial, &inside->image.section->image.machine))
		inv_trial_unsure(&trial, "the process' section cannot be read");
	else if (is_32_bit(inside->image.section->image.machine.u) && wow64.u == 0 && is_managed(inside)) {
		inv_excuse(judge, inv_subject_process(inside->process), "managed");
		return;
	} else
		try_machine(&trial, &wow64, INV_F_SECTION_IMAGE_INFORMATION_Machine, &inside->image.section->image.machine,
		            "the program's file");
	if (machine.ok && machine.u)
		try_machine(&trial, &wow64, INV_F_EPROCESS_Machine, &machine, "the process");
	if (trial.finding && wow64.u == 0)
		inv_tried(judge, trial.finding, "managed", "the header in memory shows no code of .NET, or cannot be read");
	inv_trial_end(&trial);
}

// -- I15 --------------------------------------------------------------------------------------------------------------------

// The least level that an image must be signed with to run under a signer (SE_SIGNING_LEVEL_* and PS_PROTECTED_SIGNER as public
// practice has them; that the segment keeps the level of every checked image is not verified).
static unsigned least_level(unsigned signer)
{
	static const uint8_t levels[] = {0, 4, 11, 7, 12, 12, 14, 14, 0};
	return signer < sizeof levels ? levels[signer] : 0;
}

void inv_judge_I15(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct inv_value protection = process_field(&trial, INV_F_EPROCESS_Protection);
	if (!inv_need(judge, &protection))
		return;
	unsigned signer = protection.u >> 4 & 15;
	if ((protection.u & 7) == 0 || least_level(signer) == 0) {
		inv_holds(judge);
		return;
	}
	const struct inv_control_area *section = inside->image.section;
	if (!section || !inv_trial_needs(&trial, &section->signing_level)) {
		inv_trial_unsure(&trial, "the process' section cannot be read");
	} else if (section->signing_level.u == 0) {
		inv_trial_unsure(&trial, "the segment keeps no level for its image");
	} else if (section->signing_level.u < least_level(signer)) {
		inv_trial_observed(&trial, INV_TIER_EXECUTIVE);
		inv_field_says(judge, trial.finding, INV_F_EPROCESS_Protection, &protection,
		               "the process is protected as a program that is signed at level %u", least_level(signer));
		inv_field_says(judge, trial.finding, INV_F_SEGMENT_ImageSigningLevel, &section->signing_level,
		               "the level that its image was found to be signed at");
	}
	inv_trial_end(&trial);
}
