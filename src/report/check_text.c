// SPDX-License-Identifier: Apache-2.0
// `invar check` for people: what was read, every process, every finding with both sides, and what stays unknown.
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "report/html.h"
#include "report/json.h"
#include "report/parts.h"
#include "report/patches.h"
#include "report/patterns.h"
#include "report/report.h"

#define BOLD "\x1b[1m"
#define RED "\x1b[1;31m"
#define GREEN "\x1b[32m"
#define PLAIN "\x1b[0m"

struct page {
	FILE *file;
	const struct inv_check *check;
	const struct inv_style *style;
	struct inv_arena *arena;
};

static void colored(const struct page *page, const char *color, const char *text)
{
	if (page->style->color)
		fprintf(page->file, "%s%s%s", color, text, PLAIN);
	else
		fputs(text, page->file);
}

static void heading(const struct page *page, const char *text)
{
	putc('\n', page->file);
	colored(page, BOLD, text);
	putc('\n', page->file);
}

char *inv_subject_text(struct inv_arena *arena, const struct inv_subject *subject)
{
	const struct inv_dossier *process = subject->process;
	const char *name = process && process->name_value.ok ? process->name : "";
	char pid[24] = "?";
	if (process && process->pid.ok)
		snprintf(pid, sizeof pid, "%" PRIu64, process->pid.u);
	switch (subject->kind) {
	case INV_SUBJECT_PROCESS:
		return inv_arena_printf(arena, "process %s %s at 0x%" PRIx64, pid, name, subject->address);
	case INV_SUBJECT_THREAD:
		return inv_arena_printf(arena, "thread at 0x%" PRIx64 " of process %s %s", subject->address, pid, name);
	case INV_SUBJECT_CPU:
		return inv_arena_printf(arena, "CPU with KPRCB at 0x%" PRIx64, subject->address);
	case INV_SUBJECT_LIST:
		return inv_arena_printf(arena, "%s at 0x%" PRIx64, subject->name, subject->address);
	case INV_SUBJECT_SYSTEM:
		break;
	}
	return inv_arena_printf(arena, "%s at 0x%" PRIx64, subject->name ? subject->name : "system", subject->address);
}

static const char *version_text(const struct page *page)
{
	const struct inv_version *v = &page->check->kernel->version;
	if (v->build == 0)
		return "of unknown build";
	if (v->revision == 0)
		return inv_arena_printf(page->arena, "%u.%u.%u", v->major, v->minor, v->build);
	return inv_arena_printf(page->arena, "%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
}

static const char *time_text(const struct page *page, const struct inv_value *time)
{
	char text[INV_TIME_SIZE];
	if (!time->ok)
		return inv_arena_printf(page->arena, "unknown (%s)", inv_absence_name(time->why.reason));
	inv_format_filetime(time->u, text);
	return inv_arena_strdup(page->arena, text);
}

static void write_head(const struct page *page, const char *version)
{
	const struct inv_kernel *kernel = page->check->kernel;
	const struct inv_image_info *info = inv_image_info(kernel->image);
	static const char *const moments[] = {"when it was taken is not said", "taken while the machine ran",
	                                      "taken at one instant"};
	fprintf(page->file, "Invar %s\n\nImage    ", version);
	inv_write_safe(page->file, info->path);
	fprintf(page->file, "\n         %s, %" PRIu64 " bytes, %" PRIu64 " pages; %s\n", inv_format_name(info->format),
	        info->bytes, info->present_pages, moments[info->atomic + 1]);
	for (size_t i = 0; i < info->contradiction_count; i++) {
		fputs("         contradicts itself: ", page->file);
		inv_write_safe(page->file, info->contradictions[i]);
		putc('\n', page->file);
	}
	if (page->check->smear.why) {
		fputs("Smear    ", page->file);
		inv_write_safe(page->file, page->check->smear.why);
		putc('\n', page->file);
	}
	fprintf(page->file, "Kernel   Windows %s, %s, base 0x%" PRIx64 "\n", version_text(page),
	        inv_arch_name(kernel->arch), kernel->base);
	fprintf(page->file, "Facts    %s: %s\n", inv_confidence_name(kernel->confidence),
	        kernel->facts_source ? kernel->facts_source : "none");
	fprintf(page->file, "Time     %s, started %s\n", time_text(page, &kernel->system_time),
	        time_text(page, &kernel->boot_time));
}

static void write_witnesses(const struct page *page)
{
	static const char *const columns[] = {"witness", "tier", "read", "broken", "unreadable", "sightings", "void"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		const struct inv_witness *witness = inv_witness((enum inv_witness_id)i);
		const struct inv_coverage *coverage = &page->check->testimony->coverage[i];
		inv_table_text(table, witness->name);
		inv_table_text(table, inv_tier_name(witness->tier));
		inv_table_number(table, coverage->read);
		inv_table_number(table, coverage->broken);
		inv_table_number(table, coverage->unreadable);
		inv_table_number(table, coverage->sightings);
		inv_table_text(table, coverage->voided);
	}
	heading(page, "Witnesses");
	inv_table_write(table, INV_OUTPUT_TEXT, page->file);
	inv_table_free(table);
}

static void write_sweep(const struct page *page)
{
	const struct inv_sweep *sweep = page->check->sweep;
	size_t unmapped = 0;
	if (!sweep)
		return;
	for (size_t i = 0; i < inv_count(sweep->hits); i++)
		unmapped += sweep->hits[i].address == 0 && sweep->hits[i].kind != INV_HIT_ROOT;
	fprintf(page->file, "\nSweep: %" PRIu64 " bytes of memory, %zu hits, %zu of them in pages that nothing maps%s\n",
	        sweep->bytes, inv_count(sweep->hits), unmapped,
	        sweep->mapped ? "" : " (page tables could not be read to their end)");
}

static const char *witness_list(const struct page *page, uint32_t bits)
{
	const char *list = "";
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (bits & 1u << i)
			list = inv_arena_printf(page->arena, "%s%s%s", list, *list ? " " : "",
			                        inv_witness((enum inv_witness_id)i)->name);
	return list;
}

static void write_processes(const struct page *page)
{
	static const char *const columns[] = {"pid", "ppid", "name", "state", "role", "address", "seen by", "missing from"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < page->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &page->check->dossiers.processes[i];
		inv_table_value(table, &process->pid, INV_CELL_NUMBER);
		inv_table_value(table, &process->parent, INV_CELL_NUMBER);
		if (process->name_value.ok)
			inv_table_text(table, process->name);
		else
			inv_table_absent(table, &process->name_value.why);
		inv_table_text(table, inv_state_name(process->state));
		inv_table_text(table, inv_role_name(process->role));
		inv_table_address(table, process->address);
		inv_table_number(table, (uint64_t)__builtin_popcount(process->seen_by));
		inv_table_text(table, witness_list(page, process->missing_from));
	}
	heading(page, "Processes");
	inv_table_write(table, INV_OUTPUT_TEXT, page->file);
	inv_table_free(table);
}

static void write_finding(const struct page *page, const struct inv_finding *finding, const char *color)
{
	colored(page, color, finding->invariant->id);
	fputs("  ", page->file);
	inv_write_safe(page->file, inv_subject_text(page->arena, &finding->subject));
	fprintf(page->file, "\n     %s\n     %s: %s; accused: the %s record. ATT&CK %s.\n", finding->invariant->statement,
	        inv_certainty_name(finding->certainty), finding->certainty_why, inv_tier_name(finding->tier),
	        finding->invariant->attack);
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *e = &finding->evidence[i];
		fprintf(page->file, "     - %s = 0x%" PRIx64, e->field, e->value);
		if (e->address)
			fprintf(page->file, " at 0x%" PRIx64, e->address);
		fprintf(page->file, " [%s, %s]: ", e->witness, inv_tier_name(e->tier));
		inv_write_safe(page->file, e->says);
		putc('\n', page->file);
	}
	for (size_t i = 0; i < inv_count(finding->tried); i++)
		fprintf(page->file, "     not excused by %s: %s\n", finding->tried[i].exception, finding->tried[i].why_not);
}

static void write_patches(const struct page *page, const struct inv_finding *finding)
{
	struct inv_inside inside;
	struct inv_patches patches;
	if (!inv_finding_patches(page->check, finding, &inside, &patches))
		return;
	inv_patches_write(&patches, "     ", page->file);
	inv_patches_free(&patches);
	inv_inside_free(&inside);
}

void inv_report_finding(const struct inv_check *check, const struct inv_finding *finding, const struct inv_style *style,
                        FILE *file)
{
	struct page page = {file, check, style, inv_arena_new()};
	write_finding(&page, finding, finding->invariant->weight == INV_HINT ? BOLD : RED);
	inv_arena_free(page.arena);
}

// The identifiers of the invariants that are broken for one process, its threads included.
static const char *broken_for(const struct page *page, const struct inv_dossier *process)
{
	const struct inv_judge *judge = &page->check->judge;
	const struct inv_invariant *last = NULL;
	const char *list = "";
	for (size_t i = 0; i < inv_count(judge->findings); i++) {
		const struct inv_finding *finding = judge->findings[i];
		if (finding->subject.process != process || finding->invariant == last)
			continue;
		last = finding->invariant; // findings come in the order of the catalogue
		list = inv_arena_printf(page->arena, "%s%s%s", list, *list ? " " : "", last->id);
	}
	return list;
}

// One line for each process that something is said against.
static void write_accused(const struct page *page)
{
	static const char *const columns[] = {"pid", "name", "state", "address", "broken"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	bool any = false;
	for (size_t i = 0; i < page->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &page->check->dossiers.processes[i];
		const char *broken = broken_for(page, process);
		if (!*broken)
			continue;
		any = true;
		inv_table_value(table, &process->pid, INV_CELL_NUMBER);
		inv_table_text(table, process->name);
		inv_table_text(table, inv_state_name(process->state));
		inv_table_address(table, process->address);
		inv_table_text(table, broken);
	}
	if (any) {
		heading(page, "Accused");
		inv_table_write(table, INV_OUTPUT_TEXT, page->file);
	}
	inv_table_free(table);
}

static void write_findings(const struct page *page)
{
	const struct inv_judge *judge = &page->check->judge;
	heading(page, "Findings");
	if (inv_count(judge->findings) == 0)
		colored(page, GREEN, "none: no invariant that could be judged is broken\n");
	for (size_t i = 0; i < inv_count(judge->findings); i++)
		write_finding(page, judge->findings[i], RED);
}

// What is seen and proves nothing by itself.
static void write_observations(const struct page *page)
{
	const struct inv_judge *judge = &page->check->judge;
	if (inv_count(judge->observations) == 0)
		return;
	heading(page, "Observations");
	for (size_t i = 0; i < inv_count(judge->observations); i++) {
		write_finding(page, judge->observations[i], BOLD);
		write_patches(page, judge->observations[i]);
	}
}

// What rules found, a line for each string.
static void write_patterns(const struct page *page)
{
	const struct inv_patterns *patterns = page->check->patterns;
	if (!patterns)
		return;
	heading(page, "YARA");
	for (size_t i = 0; i < inv_count(patterns->matches); i++) {
		const struct inv_pattern_match *match = &patterns->matches[i];
		struct inv_subject subject = inv_subject_process(match->process);
		colored(page, BOLD, match->rule);
		fputs("  ", page->file);
		inv_write_safe(page->file, inv_subject_text(page->arena, &subject));
		fprintf(page->file, "\n     in 0x%" PRIx64 "-0x%" PRIx64 ", %s %s", match->start, match->end, match->kind,
		        match->protection ? match->protection : "");
		if (match->mapped_file) {
			fputs(" of ", page->file);
			inv_write_safe(page->file, match->mapped_file);
		}
		putc('\n', page->file);
		for (size_t s = 0; s < inv_count(match->strings); s++)
			fprintf(page->file, "     %s at 0x%" PRIx64 ", %u bytes: %s\n", match->strings[s].id,
			        match->strings[s].address, match->strings[s].length, match->strings[s].sample);
		if (match->more)
			fputs("     and more\n", page->file);
	}
	fprintf(page->file, "%zu rules, %zu processes, %zu ranges, %" PRIu64 " bytes: %zu matches", patterns->rules,
	        patterns->processes, patterns->ranges, patterns->bytes, inv_count(patterns->matches) + patterns->dropped);
	if (patterns->timed_out + patterns->failed + patterns->too_big)
		fprintf(page->file, "; not searched to the end: %zu pieces out of time, %zu failed, %zu processes too big",
		        patterns->timed_out, patterns->failed, patterns->too_big);
	putc('\n', page->file);
}

static void write_excused(const struct page *page)
{
	const struct inv_judge *judge = &page->check->judge;
	if (inv_count(judge->excused) == 0)
		return;
	heading(page, "Excused");
	for (size_t i = 0; i < inv_count(judge->excused); i++) {
		const struct inv_excused *e = &judge->excused[i];
		fprintf(page->file, "%s  %s: ", e->invariant->id, e->exception);
		inv_write_safe(page->file, inv_subject_text(page->arena, &e->subject));
		if (e->why)
			fprintf(page->file, ": %s", e->why);
		putc('\n', page->file);
	}
}

static const char *reasons_text(const struct page *page, const struct inv_tally *tally)
{
	const char *text = "";
	for (size_t i = 0; i < inv_count(tally->reasons); i++)
		text = inv_arena_printf(page->arena, "%s%s%s (%zu)", text, *text ? "; " : "", tally->reasons[i].text,
		                        tally->reasons[i].count);
	return text;
}

static void write_verdicts(const struct page *page)
{
	static const char *const columns[] = {"invariant", "holds",   "broken",         "observed",
	                                      "excused",   "unknown", "unknown because"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	struct inv_tally sum = {0};
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &page->check->judge.tallies[i];
		inv_table_text(table, inv_invariant(i)->id);
		inv_table_number(table, tally->holds);
		inv_table_number(table, tally->broken);
		inv_table_number(table, tally->observed);
		inv_table_number(table, tally->excused);
		inv_table_number(table, tally->unknown);
		inv_table_text(table, reasons_text(page, tally));
		sum.holds += tally->holds;
		sum.broken += tally->broken;
		sum.excused += tally->excused;
		sum.unknown += tally->unknown;
		sum.observed += tally->observed;
	}
	heading(page, "Verdicts");
	inv_table_write(table, INV_OUTPUT_TEXT, page->file);
	inv_table_free(table);
	fprintf(page->file,
	        "\n%zu processes, %zu verdicts: %zu hold, %zu broken, %zu observed, %zu excused, %zu unknown (%.3f s)\n",
	        page->check->dossiers.process_count, sum.holds + sum.broken + sum.observed + sum.excused + sum.unknown,
	        sum.holds, sum.broken, sum.observed, sum.excused, sum.unknown, page->check->seconds);
	if (page->check->cut_short)
		fprintf(page->file, "Incomplete: %s.\n", page->check->cut_short);
}

static void write_text(const struct inv_check *check, const char *version, const struct inv_style *style, FILE *file)
{
	struct page page = {file, check, style, inv_arena_new()};
	write_head(&page, version);
	write_witnesses(&page);
	write_sweep(&page);
	write_processes(&page);
	write_accused(&page);
	write_findings(&page);
	write_observations(&page);
	write_patterns(&page);
	write_excused(&page);
	write_verdicts(&page);
	inv_arena_free(page.arena);
}

// One record a line, each with the key "record" that says which part of the JSON object it comes from.
static void write_lines(const json_t *report, FILE *file)
{
	static const char *const parts[] = {"witnesses", "processes", "findings", "observations",
	                                    "yara",      "excused",   "unknown"};
	static const char *const heads[] = {"invar", "schema", "image", "smear", "kernel", "sweep", "yara_search"};
	static const char *const records[] = {"witness", "process", "finding", "observation", "yara", "excused", "unknown"};
	json_t *head = json_pack("{s:s}", "record", "check");
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		json_object_set(head, heads[i], json_object_get(report, heads[i]));
	json_dumpf(head, file, JSON_COMPACT);
	putc('\n', file);
	json_decref(head);
	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
		size_t i;
		json_t *item;
		json_array_foreach(json_object_get(report, parts[p]), i, item)
		{
			json_t *line = json_pack("{s:s}", "record", records[p]);
			json_object_update(line, item);
			json_dumpf(line, file, JSON_COMPACT);
			putc('\n', file);
			json_decref(line);
		}
	}
	json_t *summary = json_pack("{s:s}", "record", "summary");
	json_object_update(summary, json_object_get(report, "summary"));
	json_dumpf(summary, file, JSON_COMPACT);
	putc('\n', file);
	json_decref(summary);
}

// CSV has one table, so it has the findings, an evidence a row.
static void write_csv(const struct inv_check *check, FILE *file)
{
	static const char *const columns[] = {"id",      "certainty", "subject", "address", "pid",   "name",
	                                      "witness", "tier",      "field",   "at",      "value", "says"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(check->judge.findings); i++) {
		const struct inv_finding *finding = check->judge.findings[i];
		const struct inv_dossier *process = finding->subject.process;
		for (size_t e = 0; e < inv_count(finding->evidence); e++) {
			inv_table_text(table, finding->invariant->id);
			inv_table_text(table, inv_certainty_name(finding->certainty));
			inv_table_text(table, inv_subject_kind_name(finding->subject.kind));
			inv_table_address(table, finding->subject.address);
			if (process)
				inv_table_value(table, &process->pid, INV_CELL_NUMBER);
			else
				inv_table_text(table, NULL);
			inv_table_text(table, finding->subject.name ? finding->subject.name : process ? process->name : NULL);
			inv_table_text(table, finding->evidence[e].witness);
			inv_table_text(table, inv_tier_name(finding->evidence[e].tier));
			inv_table_text(table, finding->evidence[e].field);
			inv_table_address(table, finding->evidence[e].address);
			inv_table_address(table, finding->evidence[e].value);
			inv_table_text(table, finding->evidence[e].says);
		}
	}
	inv_table_write(table, INV_OUTPUT_CSV, file);
	inv_table_free(table);
}

void inv_report_check(const struct inv_check *check, const char *version, enum inv_output output,
                      const struct inv_style *style, FILE *file)
{
	if (output == INV_OUTPUT_TEXT) {
		write_text(check, version, style, file);
		return;
	}
	if (output == INV_OUTPUT_CSV) {
		write_csv(check, file);
		return;
	}
	if (output == INV_OUTPUT_HTML) {
		inv_report_html(check, version, file);
		return;
	}
	if (output != INV_OUTPUT_JSON && output != INV_OUTPUT_NDJSON)
		return;
	json_t *report = inv_report_json(check, version);
	if (output == INV_OUTPUT_JSON) {
		json_dumpf(report, file, JSON_INDENT(2));
		putc('\n', file);
	} else {
		write_lines(report, file);
	}
	json_decref(report);
}
