// SPDX-License-Identifier: Apache-2.0
// The dossier's parts about who a process is: by the kernel's records, by its image, and by what it says of itself.
#include "cli/dossier.h"

#include <inttypes.h>

#include "base/array.h"
#include "kernel/pe.h"

static const char *const record_columns[] = {"record", "value", "at", "says"};

static struct inv_table *new_records(void)
{
	return inv_table_new(record_columns, sizeof record_columns / sizeof record_columns[0]);
}

static void add_record(struct inv_table *table, const char *record, const struct inv_value *value,
                       enum inv_cell_form form, const char *says)
{
	inv_table_text(table, record);
	inv_table_value(table, value, form);
	if (value->ok && value->address)
		inv_table_address(table, value->address);
	else
		inv_table_text(table, NULL);
	inv_table_text(table, says);
}

static void add_field(const struct inv_dossier_view *view, struct inv_table *table, enum inv_field field,
                      enum inv_cell_form form, const char *says)
{
	struct inv_value value = inv_field(view->check->kernel, view->process->address, field);
	add_record(table, inv_field_full_name(field), &value, form, says);
}

// -- identity ---------------------------------------------------------------------------------------------------------------

// Who has the parent's PID now. A PID is given again, so that it may be another process by now.
static const char *parent_says(const struct inv_dossier_view *view)
{
	const struct inv_kernel *kernel = view->check->kernel;
	const struct inv_dossiers *dossiers = &view->check->dossiers;
	struct inv_value born = inv_field(kernel, view->process->address, INV_F_EPROCESS_CreateTime);
	for (size_t i = 0; i < dossiers->process_count && view->process->parent.ok; i++) {
		const struct inv_dossier *other = &dossiers->processes[i];
		if (other == view->process || !other->pid.ok || other->pid.u != view->process->parent.u || !inv_is_live(other))
			continue;
		struct inv_value made = inv_field(kernel, other->address, INV_F_EPROCESS_CreateTime);
		bool younger = born.ok && made.ok && born.u && made.u > born.u;
		return inv_arena_printf(view->arena, "%s at 0x%" PRIx64 "%s", other->name, other->address,
		                        younger ? ", which is younger: the PID was given again" : "");
	}
	return "no process that has it now was seen";
}

static void add_ids(const struct inv_dossier_view *view, struct inv_table *table)
{
	size_t count;
	const struct inv_id_record *id = inv_ids_of(view->check->testimony, view->process->address, &count);
	for (; count > 0; id++, count--) {
		struct inv_value value = {.ok = true, .u = id->id, .address = id->at};
		add_record(table, "PspCidTable", &value, INV_CELL_NUMBER, "the identifier under which it stands");
	}
}

struct inv_table *inv_dossier_identity(const struct inv_dossier_view *view)
{
	struct inv_table *table = new_records();
	add_field(view, table, INV_F_EPROCESS_UniqueProcessId, INV_CELL_NUMBER, NULL);
	add_ids(view, table);
	add_field(view, table, INV_F_EPROCESS_InheritedFromUniqueProcessId, INV_CELL_NUMBER, parent_says(view));
	add_field(view, table, INV_F_EPROCESS_CreateTime, INV_CELL_TIME, NULL);
	add_field(view, table, INV_F_EPROCESS_ExitTime, INV_CELL_TIME, NULL);
	add_field(view, table, INV_F_EPROCESS_ExitStatus, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_KPROCESS_DirectoryTableBase, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Session, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Token, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_ObjectTable, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Job, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Protection, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_SignatureLevel, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Machine, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_WoW64Process, INV_CELL_ADDRESS, NULL);
	add_field(view, table, INV_F_EPROCESS_Peb, INV_CELL_ADDRESS, NULL);
	return table;
}

// -- names ------------------------------------------------------------------------------------------------------------------

static void add_name(struct inv_table *table, const char *record, enum inv_tier tier, const char *name,
                     const struct inv_value *value)
{
	inv_table_text(table, record);
	inv_table_text(table, inv_tier_name(tier));
	if (value->ok)
		inv_table_text(table, name);
	else
		inv_table_absent(table, &value->why);
}

static void add_claimed_name(struct inv_table *table, const char *record, const struct inv_text *text)
{
	inv_table_text(table, record);
	inv_table_text(table, inv_tier_name(INV_TIER_USER_MODE));
	if (text->ok)
		inv_table_text(table, text->text);
	else
		inv_table_absent(table, text->length.ok ? &text->buffer.why : &text->length.why);
}

static void add_claimed_names(struct inv_table *table, const struct inv_peb *peb)
{
	if (!peb->address)
		return;
	add_claimed_name(table, peb->narrow ? "ImagePathName (32-bit)" : "ImagePathName", &peb->image_path);
	if (inv_count(peb->modules) > 0)
		add_name(table, peb->narrow ? "first module of the 32-bit loader" : "first module of the loader",
		         INV_TIER_USER_MODE, peb->modules[0].path, &peb->modules[0].path_value);
}

struct inv_table *inv_dossier_names(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"record", "tier", "name"};
	const struct inv_inside *inside = &view->opened->inside;
	const struct inv_main_image *image = &inside->image;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	struct inv_value audit;
	const char *path = inv_process_path(view->check->kernel, view->process->address, view->arena, &audit);
	add_name(table, "ImageFileName", INV_TIER_EXECUTIVE, view->process->name, &view->process->name_value);
	add_name(table, "SeAuditProcessCreationInfo", INV_TIER_EXECUTIVE, path, &audit);
	if (image->file.address)
		add_name(table, "ImageFilePointer's file", INV_TIER_EXECUTIVE, image->file.name, &image->file.name_value);
	if (image->section && image->section->file.address)
		add_name(table, "SectionObject's file", INV_TIER_MEMORY_MANAGER, image->section->file.name,
		         &image->section->file.name_value);
	const struct inv_control_area *mapped =
	    image->vad ? inv_control_area_at(view->opener->sections, image->vad->control_area) : NULL;
	if (mapped && mapped->file.address)
		add_name(table, "file mapped at SectionBaseAddress", INV_TIER_MEMORY_MANAGER, mapped->file.name,
		         &mapped->file.name_value);
	add_claimed_names(table, &inside->peb);
	add_claimed_names(table, &inside->peb32);
	return table;
}

// -- image ------------------------------------------------------------------------------------------------------------------

static void add_header(const struct inv_dossier_view *view, struct inv_table *table)
{
	const struct inv_inside *inside = &view->opened->inside;
	struct inv_value value = {.why = inside->why};
	struct inv_pe pe;
	if (!inside->image.base.ok || !inside->image.base.u)
		return;
	uint64_t base = inside->image.base.u;
	if (inside->user && inv_pe_read_image(inv_user_space(inside->user), base, &pe, &value.why)) {
		value = (struct inv_value){.ok = true, .u = base + pe.entry, .address = base};
		add_record(table, "entry by the header in memory", &value, INV_CELL_ADDRESS,
		           inv_arena_printf(view->arena, "%s for machine 0x%x, %u bytes, time stamp 0x%x",
		                            pe.narrow ? "PE32" : "PE32+", pe.machine, pe.size_of_image, pe.time_stamp));
	} else if (value.why.reason == INV_PRESENT) {
		value = (struct inv_value){.ok = true, .u = base, .address = base};
		add_record(table, "header in memory", &value, INV_CELL_ADDRESS, "no PE header stands there");
	} else {
		add_record(table, "header in memory", &value, INV_CELL_ADDRESS, NULL);
	}
}

static void add_section(struct inv_table *table, const struct inv_control_area *area)
{
	add_record(table, "SECTION_IMAGE_INFORMATION.TransferAddress", &area->image.entry, INV_CELL_ADDRESS,
	           "the entry, when the section was made");
	add_record(table, "CONTROL_AREA.FilePointer", &area->file_pointer, INV_CELL_ADDRESS, NULL);
	add_record(table, "CONTROL_AREA.NumberOfMappedViews", &area->views, INV_CELL_NUMBER, NULL);
	add_record(table, "CONTROL_AREA.u.Flags.BeingDeleted", &area->being_deleted, INV_CELL_NUMBER, NULL);
	if (!area->file.address)
		return;
	add_record(table, "FILE_OBJECT.DeletePending", &area->file.delete_pending, INV_CELL_NUMBER, NULL);
	add_record(table, "FILE_OBJECT.WriteAccess", &area->file.write_access, INV_CELL_NUMBER, NULL);
	add_record(table, "ImageSectionObject of that file", &area->file.image_area, INV_CELL_ADDRESS,
	           area->file.image_area.ok && area->file.image_area.u == area->address ? "this control area" : NULL);
}

static void add_loader_base(struct inv_table *table, const struct inv_peb *peb)
{
	if (!peb->address)
		return;
	add_record(table, peb->narrow ? "PEB32.ImageBaseAddress" : "PEB.ImageBaseAddress", &peb->image_base,
	           INV_CELL_ADDRESS, NULL);
	if (inv_count(peb->modules) > 0)
		add_record(table,
		           peb->narrow ? "base of the 32-bit loader's first module" : "base of the loader's first module",
		           &peb->modules[0].base, INV_CELL_ADDRESS, NULL);
}

struct inv_table *inv_dossier_image(const struct inv_dossier_view *view)
{
	const struct inv_inside *inside = &view->opened->inside;
	const struct inv_main_image *image = &inside->image;
	struct inv_table *table = new_records();
	add_record(table, "SectionBaseAddress", &image->base, INV_CELL_ADDRESS, NULL);
	if (image->vad) {
		struct inv_value start = {.ok = true, .u = image->vad->start, .address = image->vad->address};
		add_record(table, "range that begins there", &start, INV_CELL_ADDRESS, inv_vad_kind(image->vad, view->arena));
	}
	add_loader_base(table, &inside->peb);
	add_loader_base(table, &inside->peb32);
	add_header(view, table);
	add_record(table, "SectionObject", &image->section_object, INV_CELL_ADDRESS, NULL);
	add_record(table, "its control area", &image->area, INV_CELL_ADDRESS, NULL);
	add_record(table, "ImageFilePointer", &image->file_pointer, INV_CELL_ADDRESS, NULL);
	if (image->section)
		add_section(table, image->section);
	return table;
}

// -- claims -----------------------------------------------------------------------------------------------------------------

static void add_claim(struct inv_table *table, const char *what, const struct inv_text *text)
{
	inv_table_text(table, what);
	if (text->ok)
		inv_table_text(table, text->text);
	else
		inv_table_absent(table, text->length.ok ? &text->buffer.why : &text->length.why);
}

static void add_claims(struct inv_table *table, const struct inv_peb *peb)
{
	if (!peb->address)
		return;
	add_claim(table, peb->narrow ? "command line (32-bit)" : "command line", &peb->command_line);
	add_claim(table, peb->narrow ? "image path (32-bit)" : "image path", &peb->image_path);
	add_claim(table, peb->narrow ? "current directory (32-bit)" : "current directory", &peb->current_directory);
	inv_table_text(table, peb->narrow ? "session (32-bit)" : "session");
	inv_table_value(table, &peb->session, INV_CELL_NUMBER);
	inv_table_text(table, peb->narrow ? "being debugged (32-bit)" : "being debugged");
	inv_table_value(table, &peb->being_debugged, INV_CELL_NUMBER);
}

struct inv_table *inv_dossier_claims(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"claim", "value"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	add_claims(table, &view->opened->inside.peb);
	add_claims(table, &view->opened->inside.peb32);
	return table;
}

// -- class ------------------------------------------------------------------------------------------------------------------

struct inv_table *inv_dossier_class(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"source", "tier", "says", "value", "at"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	const struct inv_inside *inside = inv_has_inside(view->process, view->check->kernel) ? &view->opened->inside : NULL;
	struct inv_class_claim claims[INV_CLAIM_COUNT];
	struct inv_class_books books;
	inv_class_books_read(&view->check->dossiers, &books);
	unsigned is = inv_class_read(&books, view->process, view->opener->sections, inside, view->arena, claims);
	const char *text = inv_class_text(is, view->arena);
	inv_table_text(table, "all together");
	inv_table_text(table, NULL);
	inv_table_text(table, *text ? text : NULL);
	inv_table_text(table, NULL);
	inv_table_text(table, NULL);
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++) {
		enum inv_claim_id id = (enum inv_claim_id)i;
		inv_table_text(table, inv_claim_name(id));
		inv_table_text(table, inv_tier_name(inv_claim_tier(id)));
		inv_table_text(table, claims[i].says);
		inv_table_value(table, &claims[i].value, INV_CELL_ADDRESS);
		if (claims[i].value.address)
			inv_table_address(table, claims[i].value.address);
		else
			inv_table_text(table, NULL);
	}
	inv_class_books_free(&books);
	return table;
}
