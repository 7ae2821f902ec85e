// SPDX-License-Identifier: Apache-2.0
// `invar info` for people.
#include <inttypes.h>

#include "base/text.h"
#include "report/parts.h"
#include "report/report.h"

// Of an image in which no kernel was found, or of the first part of the text.
void inv_report_image(const struct inv_image *image, enum inv_output output, FILE *file)
{
	const struct inv_image_info *info = inv_image_info(image);
	if (output == INV_OUTPUT_TEXT) {
		fputs("Image      ", file);
		inv_write_safe(file, info->path);
		fprintf(file, "\nFormat     %s (%s)\n", inv_format_name(info->format), inv_arch_name(info->arch));
		for (size_t i = 0; i < info->contradiction_count; i++) {
			fputs("Contradicts itself: ", file);
			inv_write_safe(file, info->contradictions[i]);
			putc('\n', file);
		}
		return;
	}
	json_t *report = json_object();
	json_object_set_new(report, "image", inv_json_image(info));
	json_object_set_new(report, "kernel", json_null());
	json_dumpf(report, file, output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
	putc('\n', file);
	json_decref(report);
}

static void write_claims(const struct inv_header *header, FILE *file)
{
	if (header->bugcheck.present)
		fprintf(file, "Bug check  0x%" PRIx64 " (0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")\n",
		        header->bugcheck.value, header->bugcheck_parameter[0].value, header->bugcheck_parameter[1].value,
		        header->bugcheck_parameter[2].value, header->bugcheck_parameter[3].value);
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
	inv_report_image(kernel->image, INV_OUTPUT_TEXT, file);
	fprintf(file, "Size       %" PRIu64 " bytes, %" PRIu64 " pages of memory\n", info->bytes, info->present_pages);
	write_claims(&info->header, file);
	write_version(kernel, file);
	fprintf(file, "Machine    %s, %zu CPUs located\n", inv_arch_name(kernel->arch), kernel->cpu_count);
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
