// SPDX-License-Identifier: Apache-2.0
// `invar info` for people.
#include <inttypes.h>

#include "base/text.h"
#include "report/parts.h"
#include "report/report.h"

static void write_claim(const char *label, const struct inv_claim *claim, FILE *file)
{
	if (claim->present)
		fprintf(file, "%-10s 0x%" PRIx64 " (claimed at offset 0x%" PRIx64 ")\n", label, claim->value, claim->offset);
}

static void write_time_claim(const char *label, const struct inv_claim *claim, FILE *file)
{
	char text[INV_TIME_SIZE];
	if (!claim->present)
		return;
	inv_format_filetime(claim->value, text);
	fprintf(file, "%-10s %s (claimed at offset 0x%" PRIx64 ")\n", label, text, claim->offset);
}

static void write_bugcheck(const struct inv_header *header, FILE *file)
{
	if (header->bugcheck.present)
		fprintf(file, "Bug check  0x%" PRIx64 " (0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")\n",
		        header->bugcheck.value, header->bugcheck_parameter[0].value, header->bugcheck_parameter[1].value,
		        header->bugcheck_parameter[2].value, header->bugcheck_parameter[3].value);
}

static void write_image(const struct inv_image_info *info, FILE *file)
{
	fputs("Image      ", file);
	inv_write_safe(file, info->path);
	fprintf(file, "\nFormat     %s (%s)\n", inv_format_name(info->format), inv_arch_name(info->arch));
	fprintf(file, "Size       %" PRIu64 " bytes, %" PRIu64 " pages of memory\n", info->bytes, info->present_pages);
	for (size_t i = 0; i < info->contradiction_count; i++) {
		fputs("Contradicts itself: ", file);
		inv_write_safe(file, info->contradictions[i]);
		putc('\n', file);
	}
	write_bugcheck(&info->header, file);
}

void inv_report_image(const struct inv_image *image, enum inv_output output, FILE *file)
{
	const struct inv_image_info *info = inv_image_info(image);
	const struct inv_header *header = &info->header;
	if (output != INV_OUTPUT_TEXT) {
		json_t *report = json_object();
		json_t *object = inv_json_image(info);
		json_object_set_new(object, "header", inv_json_header(header));
		json_object_set_new(report, "image", object);
		json_object_set_new(report, "kernel", json_null());
		json_dumpf(report, file, output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
		putc('\n', file);
		json_decref(report);
		return;
	}
	write_image(info, file);
	if (header->build.present)
		fprintf(file, "Build      %" PRIu64 " (claimed at offset 0x%" PRIx64 ")\n", header->build.value,
		        header->build.offset);
	write_claim("Machine", &header->machine, file);
	write_claim("CPUs", &header->cpus, file);
	write_claim("DTB", &header->dtb, file);
	write_claim("KDBG", &header->kdbg, file);
	write_claim("Processes", &header->ps_active_process_head, file);
	write_claim("Modules", &header->ps_loaded_module_list, file);
	write_claim("PFNs", &header->pfn_database, file);
	write_time_claim("Taken", &header->system_time, file);
	if (*header->comment) {
		fputs("Comment    ", file);
		inv_write_safe(file, header->comment);
		putc('\n', file);
	}
}

static void write_version(const struct inv_kernel *kernel, FILE *file)
{
	const struct inv_version *v = &kernel->version;
	if (v->build == 0)
		fputs("Kernel     of unknown version\n", file);
	else if (v->revision == 0)
		fprintf(file, "Kernel     Windows %u.%u.%u", v->major, v->minor, v->build);
	else
		fprintf(file, "Kernel     Windows %u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
	if (v->build)
		fprintf(file, " (%s)\n", kernel->version_source ? kernel->version_source : "source not known");
}

static void write_pdb(const struct inv_pdb *pdb, FILE *file)
{
	char guid[INV_GUID_SIZE];
	if (!pdb->found) {
		fputs("PDB        not readable\n", file);
		return;
	}
	inv_format_guid(pdb->guid, guid);
	fputs("PDB        ", file);
	inv_write_safe(file, pdb->name);
	fprintf(file, " %s-%u\n", guid, pdb->age);
}

static void write_time(const char *label, const struct inv_value *time, FILE *file)
{
	char text[INV_TIME_SIZE] = "";
	if (time->ok)
		inv_format_filetime(time->u, text);
	fprintf(file, "%-10s %s\n", label, time->ok ? text : inv_absence_name(time->why.reason));
}

static void write_clues(const struct inv_kernel *kernel, FILE *file)
{
	static const char *const columns[] = {"what", "way", "value", "read at", "note"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < kernel->clue_count; i++) {
		const struct inv_clue *clue = &kernel->clues[i];
		inv_table_text(table, inv_anchor_name(clue->anchor));
		inv_table_text(table, inv_way_name(clue->way));
		if (clue->ok) {
			inv_table_address(table, clue->value);
			inv_table_address(table, clue->where);
		} else {
			inv_table_absent(table, &clue->why);
			inv_table_text(table, NULL);
		}
		inv_table_text(table, clue->note);
	}
	fputs("\nWays of finding it\n", file);
	inv_table_write(table, INV_OUTPUT_TEXT, file);
	inv_table_free(table);
}

static void write_text(const struct inv_kernel *kernel, FILE *file)
{
	const struct inv_image_info *info = inv_image_info(kernel->image);
	write_image(info, file);
	write_version(kernel, file);
	fprintf(file, "Machine    %s, %zu KPRCBs located\n", inv_arch_name(kernel->arch), kernel->cpu_count);
	fprintf(file, "Base       0x%" PRIx64 ", %" PRIu64 " bytes\n", kernel->base, kernel->size);
	fprintf(file, "DTB        0x%" PRIx64 "\n", kernel->dtb);
	write_pdb(&kernel->pdb, file);
	fprintf(file, "KDBG       %s\n",
	        !kernel->kdbg.found    ? "not found"
	        : kernel->kdbg.encoded ? "encoded, decoded"
	                               : "plain");
	write_time("Taken", &kernel->system_time, file);
	write_time("Started", &kernel->boot_time, file);
	fprintf(file, "Modules    %zu%s\n", kernel->module_count, kernel->modules_complete ? "" : " (list not complete)");
	fprintf(file, "Facts      %s\n           %s\n", inv_confidence_name(kernel->confidence),
	        kernel->facts_source ? kernel->facts_source : "no layout fits this kernel");
	if (kernel->layout)
		fprintf(file, "           layout %s, from %s\n", kernel->layout->id, kernel->layout->source);
	for (size_t i = 0; i < kernel->self_check_count; i++) {
		fputs("           checked: ", file);
		inv_write_safe(file, kernel->self_checks[i]);
		putc('\n', file);
	}
	write_clues(kernel, file);
}

// CSV of one thing is a list of keys and values.
static void write_csv(const struct inv_kernel *kernel, FILE *file)
{
	static const char *const columns[] = {"what", "way", "value", "where"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < kernel->clue_count; i++) {
		inv_table_text(table, inv_anchor_name(kernel->clues[i].anchor));
		inv_table_text(table, inv_way_name(kernel->clues[i].way));
		if (kernel->clues[i].ok)
			inv_table_address(table, kernel->clues[i].value);
		else
			inv_table_absent(table, &kernel->clues[i].why);
		inv_table_address(table, kernel->clues[i].where);
	}
	inv_table_write(table, INV_OUTPUT_CSV, file);
	inv_table_free(table);
}

void inv_report_info(const struct inv_kernel *kernel, enum inv_output output, FILE *file)
{
	if (output == INV_OUTPUT_TEXT) {
		write_text(kernel, file);
		return;
	}
	if (output == INV_OUTPUT_CSV) {
		write_csv(kernel, file);
		return;
	}
	json_t *report = inv_report_info_json(kernel);
	json_dumpf(report, file, output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
	putc('\n', file);
	json_decref(report);
}
