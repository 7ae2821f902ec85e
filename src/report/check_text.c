// SPDX-License-Identifier: Apache-2.0
// `invar check` for people: what was read, every process, every finding with both sides, and what stays unknown.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "report/html.h"
#include "report/json.h"
#include "report/parts.h"
#include "report/patches.h"
#include "report/patterns.h"
#include "report/prose.h"
#include "report/report.h"
#include "report/wrap.h"

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

static const char *version_text(const struct inv_prose *prose)
{
	const struct inv_version *v = &prose->check->kernel->version;
	if (v->build == 0)
		return "of unknown build";
	if (v->revision == 0)
		return inv_arena_printf(prose->arena, "%u.%u.%u", v->major, v->minor, v->build);
	return inv_arena_printf(prose->arena, "%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
}

static const char *time_text(const struct inv_prose *prose, const struct inv_value *time)
{
	char text[INV_TIME_SIZE];
	if (!time->ok)
		return inv_arena_printf(prose->arena, "unknown (%s)", inv_absence_name(time->why.reason));
	inv_format_filetime(time->u, text);
	return inv_arena_strdup(prose->arena, text);
}

#define LABELS 11u // the column behind the labels of the summary

static void label(const struct inv_prose *prose, const char *name, const char *text)
{
	inv_prose_labelled(prose, 0, LABELS, name, text);
}

// The report in short: whose memory, how complete, how many processes, what is wrong.
static void write_machine(const struct inv_prose *prose)
{
	const struct inv_kernel *kernel = prose->check->kernel;
	const struct inv_image_info *info = inv_image_info(kernel->image);
	static const char *const moments[] = {"when it was taken is not said", "taken while the machine ran",
	                                      "taken at one instant"};
	label(prose, "Machine",
	      inv_arena_printf(prose->arena, "Windows %s, %s, %zu CPUs, kernel at 0x%" PRIx64, version_text(prose),
	                       inv_arch_name(kernel->arch), kernel->cpu_count, kernel->base));
	label(prose, "Time",
	      inv_arena_printf(prose->arena, "%s, started %s", time_text(prose, &kernel->system_time),
	                       time_text(prose, &kernel->boot_time)));
	label(prose, "Image",
	      inv_arena_printf(prose->arena, "%s, %" PRIu64 " bytes, %" PRIu64 " pages; %s", inv_format_name(info->format),
	                       info->bytes, info->present_pages, moments[info->atomic + 1]));
	for (size_t i = 0; i < info->contradiction_count; i++)
		label(prose, "", inv_arena_printf(prose->arena, "contradicts itself: %s", info->contradictions[i]));
	if (prose->check->smear.why)
		label(prose, "Smear", prose->check->smear.why);
	label(prose, "Facts",
	      inv_arena_printf(prose->arena, "%s: %s", inv_confidence_name(kernel->confidence),
	                       kernel->facts_source ? kernel->facts_source : "none"));
}

static struct inv_tally sum_of(const struct inv_prose *prose)
{
	struct inv_tally sum = {0};
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &prose->check->judge.tallies[i];
		sum.holds += tally->holds;
		sum.broken += tally->broken;
		sum.excused += tally->excused;
		sum.unknown += tally->unknown;
		sum.observed += tally->observed;
	}
	return sum;
}

static size_t all_of(const struct inv_tally *tally)
{
	return tally->holds + tally->broken + tally->excused + tally->unknown + tally->observed;
}

// "0.4 %", "12 %"
static const char *percent(const struct inv_prose *prose, size_t part, size_t whole)
{
	double value = whole ? (double)part * 100 / (double)whole : 0;
	return inv_arena_printf(prose->arena, value > 0 && value < 10 ? "%.1f %%" : "%.0f %%", value);
}

static void write_completeness(const struct inv_prose *prose)
{
	struct inv_tally sum = sum_of(prose);
	unsigned silent = 0, gaps = 0;
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		const struct inv_coverage *coverage = &prose->check->testimony->coverage[i];
		silent += coverage->voided != NULL;
		gaps += !coverage->voided && coverage->unreadable > 0;
	}
	if (prose->check->cut_short) {
		fprintf(prose->file, "%-*s", (int)LABELS, "Complete");
		inv_prose_colored(prose, INV_RED, "no: ");
		inv_write_wrapped(prose->file, prose->check->cut_short, LABELS + 4, LABELS, prose->style->width);
	}
	label(
	    prose, prose->check->cut_short ? "" : "Complete",
	    inv_arena_printf(prose->arena,
	                     "%s of the verdicts are unknown (%zu of %zu); of %u witnesses %u cannot testify here, and %u "
	                     "could not read all of theirs",
	                     percent(prose, sum.unknown, all_of(&sum)), sum.unknown, all_of(&sum),
	                     (unsigned)INV_WITNESS_COUNT, silent, gaps));
}

static void write_process_counts(const struct inv_prose *prose)
{
	size_t states[INV_STATE_UNKNOWN + 1] = {0};
	size_t count = prose->check->dossiers.process_count;
	for (size_t i = 0; i < count; i++)
		states[prose->check->dossiers.processes[i].state]++;
	const char *text = inv_arena_printf(prose->arena, "%zu", count);
	for (unsigned i = 0; i <= INV_STATE_UNKNOWN; i++)
		if (states[i])
			text = inv_arena_printf(prose->arena, "%s%s %zu %s", text, strchr(text, ':') ? "," : ":", states[i],
			                        inv_state_name((enum inv_state)i));
	label(prose, "Processes", text);
}

#define ACCUSED_IN_SUMMARY 20u

static const char *broken_for(const struct inv_prose *prose, const struct inv_dossier *process);

// One line for each process that something is said against.
static void write_accused(const struct inv_prose *prose)
{
	const struct inv_dossiers *dossiers = &prose->check->dossiers;
	const struct inv_judge *judge = &prose->check->judge;
	bool *accused = inv_alloc(dossiers->process_count + 1);
	size_t shown = 0, more = 0;
	for (size_t i = 0; i < inv_count(judge->findings); i++)
		if (judge->findings[i]->subject.process)
			accused[judge->findings[i]->subject.process - dossiers->processes] = true;
	for (size_t i = 0; i < dossiers->process_count; i++) {
		const struct inv_dossier *process = &dossiers->processes[i];
		struct inv_subject subject = inv_subject_process(process);
		if (!accused[i])
			continue;
		if (shown == ACCUSED_IN_SUMMARY) {
			more++;
			continue;
		}
		shown++;
		const char *text = inv_arena_printf(prose->arena, "%s, %s: %s", inv_subject_text(prose->arena, &subject),
		                                    inv_state_name(process->state), broken_for(prose, process));
		fprintf(prose->file, "%*s", (int)LABELS, "");
		inv_write_wrapped(prose->file, text, LABELS, LABELS + 2, prose->style->width);
	}
	if (more)
		fprintf(prose->file, "%*sand %zu more processes\n", (int)LABELS, "", more);
	free(accused);
}

static void write_wrong(const struct inv_prose *prose)
{
	const struct inv_judge *judge = &prose->check->judge;
	size_t counts[INV_POSSIBLE + 1] = {0};
	struct inv_tally sum = sum_of(prose);
	for (size_t i = 0; i < inv_count(judge->findings); i++)
		counts[judge->findings[i]->certainty]++;
	const char *text = "nothing that could be judged", *color = prose->check->cut_short ? INV_BOLD : INV_GREEN;
	if (sum.broken > 0) {
		text = inv_arena_printf(prose->arena, "%zu contradiction%s", sum.broken, sum.broken == 1 ? "" : "s");
		for (unsigned i = 0; i <= INV_POSSIBLE; i++)
			if (counts[i])
				text = inv_arena_printf(prose->arena, "%s%s %zu %s", text, strchr(text, ':') ? "," : ":", counts[i],
				                        inv_certainty_name((enum inv_certainty)i));
		color = INV_RED;
	}
	if (sum.observed)
		text = inv_arena_printf(prose->arena, "%s; %zu observation%s by which nothing is proved", text, sum.observed,
		                        sum.observed == 1 ? "" : "s");
	fprintf(prose->file, "%-*s%s", (int)LABELS, "Wrong", prose->style->color ? color : "");
	inv_write_wrapped(prose->file, text, LABELS, LABELS, prose->style->width);
	fputs(prose->style->color ? INV_PLAIN : "", prose->file);
	write_accused(prose);
}

static void write_summary(const struct inv_prose *prose, const char *version)
{
	fprintf(prose->file, "Invar %s: ", version);
	inv_write_safe(prose->file, inv_image_info(prose->check->kernel->image)->path);
	fputs("\n\n", prose->file);
	write_machine(prose);
	write_completeness(prose);
	write_process_counts(prose);
	write_wrong(prose);
}

static void write_witnesses(const struct inv_prose *prose)
{
	static const char *const columns[] = {"witness", "tier", "read", "broken", "unreadable", "sightings", "void"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		const struct inv_witness *witness = inv_witness((enum inv_witness_id)i);
		const struct inv_coverage *coverage = &prose->check->testimony->coverage[i];
		inv_table_text(table, witness->name);
		inv_table_text(table, inv_tier_name(witness->tier));
		inv_table_number(table, coverage->read);
		inv_table_number(table, coverage->broken);
		inv_table_number(table, coverage->unreadable);
		inv_table_number(table, coverage->sightings);
		inv_table_text(table, coverage->voided);
	}
	inv_prose_heading(prose, "Witnesses");
	inv_table_write(table, INV_OUTPUT_TEXT, prose->file);
	inv_table_free(table);
}

static void write_sweep(const struct inv_prose *prose)
{
	const struct inv_sweep *sweep = prose->check->sweep;
	size_t unmapped = 0;
	if (!sweep)
		return;
	for (size_t i = 0; i < inv_count(sweep->hits); i++)
		unmapped += sweep->hits[i].address == 0 && sweep->hits[i].kind != INV_HIT_ROOT;
	fprintf(prose->file, "\nSweep: %" PRIu64 " bytes of memory, %zu hits, %zu of them in pages that nothing maps%s\n",
	        sweep->bytes, inv_count(sweep->hits), unmapped,
	        sweep->mapped ? "" : " (page tables could not be read to their end)");
}

static const char *witness_list(const struct inv_prose *prose, uint64_t bits)
{
	const char *list = "";
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (bits & INV_BIT(i))
			list = inv_arena_printf(prose->arena, "%s%s%s", list, *list ? " " : "",
			                        inv_witness((enum inv_witness_id)i)->name);
	return list;
}

static void write_processes(const struct inv_prose *prose)
{
	static const char *const columns[] = {"pid", "ppid", "name", "state", "role", "address", "seen by", "missing from"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < prose->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &prose->check->dossiers.processes[i];
		inv_table_value(table, &process->pid, INV_CELL_NUMBER);
		inv_table_value(table, &process->parent, INV_CELL_NUMBER);
		if (process->name_value.ok)
			inv_table_text(table, process->name);
		else
			inv_table_absent(table, &process->name_value.why);
		inv_table_text(table, inv_state_name(process->state));
		inv_table_text(table, inv_role_name(process->role));
		inv_table_address(table, process->address);
		inv_table_number(table, (uint64_t)__builtin_popcountll(process->seen_by));
		inv_table_text(table, witness_list(prose, process->missing_from));
	}
	inv_prose_heading(prose, "Processes");
	inv_table_write(table, INV_OUTPUT_TEXT, prose->file);
	inv_table_free(table);
}

static void write_patches(const struct inv_prose *prose, const struct inv_finding *finding)
{
	struct inv_inside inside;
	struct inv_patches patches;
	if (!inv_finding_patches(prose->check, finding, &inside, &patches))
		return;
	inv_patches_write(&patches, "     ", prose->file);
	inv_patches_free(&patches);
	inv_inside_free(&inside);
}

// The identifiers of the invariants that are broken for one process, its threads included.
static const char *broken_for(const struct inv_prose *prose, const struct inv_dossier *process)
{
	const struct inv_judge *judge = &prose->check->judge;
	const struct inv_invariant *last = NULL;
	const char *list = "";
	for (size_t i = 0; i < inv_count(judge->findings); i++) {
		const struct inv_finding *finding = judge->findings[i];
		if (finding->subject.process != process || finding->invariant == last)
			continue;
		last = finding->invariant; // findings come in the order of the catalogue
		list = inv_arena_printf(prose->arena, "%s%s%s", list, *list ? " " : "", last->id);
	}
	return list;
}

// Those that are equally certain, beneath one heading that says why, if that is the same for all of them.
static void write_certainty(const struct inv_prose *prose, enum inv_certainty certainty)
{
	const struct inv_judge *judge = &prose->check->judge;
	const char *why = NULL;
	bool alike = true;
	size_t count = 0;
	for (size_t i = 0; i < inv_count(judge->findings); i++) {
		const struct inv_finding *finding = judge->findings[i];
		if (finding->certainty != certainty)
			continue;
		alike = alike && (!why || strcmp(why, finding->certainty_why) == 0);
		why = finding->certainty_why;
		count++;
	}
	if (count == 0)
		return;
	inv_prose_heading(prose,
	                  inv_arena_printf(prose->arena, "Findings: %s (%zu)", inv_certainty_name(certainty), count));
	if (alike)
		inv_write_wrapped(prose->file, why, 0, 0, prose->style->width);
	for (size_t i = 0; i < inv_count(judge->findings); i++) {
		if (judge->findings[i]->certainty != certainty)
			continue;
		putc('\n', prose->file);
		inv_prose_story(prose, judge->findings[i], !alike);
		write_patches(prose, judge->findings[i]);
	}
}

static void write_findings(const struct inv_prose *prose)
{
	for (int certainty = INV_CERTAIN; certainty <= INV_POSSIBLE; certainty++)
		write_certainty(prose, (enum inv_certainty)certainty);
	if (inv_count(prose->check->judge.findings) > 0)
		return;
	inv_prose_heading(prose, "Findings");
	inv_prose_colored(prose, INV_GREEN, "none: no invariant that could be judged is broken\n");
}

// What is seen and proves nothing by itself.
static void write_observations(const struct inv_prose *prose)
{
	const struct inv_judge *judge = &prose->check->judge;
	if (inv_count(judge->observations) == 0)
		return;
	inv_prose_heading(prose, inv_arena_printf(prose->arena, "Observations (%zu)", inv_count(judge->observations)));
	inv_write_wrapped(prose->file, "These have honest causes too, which nothing here tells apart.", 0, 0,
	                  prose->style->width);
	for (size_t i = 0; i < inv_count(judge->observations); i++) {
		putc('\n', prose->file);
		inv_prose_story(prose, judge->observations[i], false);
		write_patches(prose, judge->observations[i]);
	}
}

// What rules found, a line for each string.
static void write_patterns(const struct inv_prose *prose)
{
	const struct inv_patterns *patterns = prose->check->patterns;
	if (!patterns)
		return;
	inv_prose_heading(prose, "YARA");
	for (size_t i = 0; i < inv_count(patterns->matches); i++) {
		const struct inv_pattern_match *match = &patterns->matches[i];
		struct inv_subject subject = inv_subject_process(match->process);
		inv_prose_colored(prose, INV_BOLD, match->rule);
		fputs("  ", prose->file);
		inv_write_safe(prose->file, inv_subject_text(prose->arena, &subject));
		fprintf(prose->file, "\n     in 0x%" PRIx64 "-0x%" PRIx64 ", %s %s", match->start, match->end, match->kind,
		        match->protection ? match->protection : "");
		if (match->mapped_file) {
			fputs(" of ", prose->file);
			inv_write_safe(prose->file, match->mapped_file);
		}
		putc('\n', prose->file);
		for (size_t s = 0; s < inv_count(match->strings); s++)
			fprintf(prose->file, "     %s at 0x%" PRIx64 ", %u bytes: %s\n", match->strings[s].id,
			        match->strings[s].address, match->strings[s].length, match->strings[s].sample);
		if (match->more)
			fputs("     and more\n", prose->file);
	}
	fprintf(prose->file, "%zu rules, %zu processes, %zu ranges, %" PRIu64 " bytes: %zu matches", patterns->rules,
	        patterns->processes, patterns->ranges, patterns->bytes, inv_count(patterns->matches) + patterns->dropped);
	if (patterns->timed_out + patterns->failed + patterns->too_big)
		fprintf(prose->file, "; not searched to the end: %zu pieces out of time, %zu failed, %zu processes too big",
		        patterns->timed_out, patterns->failed, patterns->too_big);
	putc('\n', prose->file);
}

static void write_excused(const struct inv_prose *prose)
{
	const struct inv_judge *judge = &prose->check->judge;
	if (inv_count(judge->excused) == 0)
		return;
	inv_prose_heading(prose, "Excused");
	for (size_t i = 0; i < inv_count(judge->excused); i++) {
		const struct inv_excused *e = &judge->excused[i];
		const char *text =
		    inv_arena_printf(prose->arena, "%s: %s%s%s", e->exception, inv_subject_text(prose->arena, &e->subject),
		                     e->why ? ": " : "", e->why ? e->why : "");
		fprintf(prose->file, "%s  ", e->invariant->id);
		inv_write_wrapped(prose->file, text, 5, 7, prose->style->width);
	}
}

static const char *reasons_text(const struct inv_prose *prose, const struct inv_tally *tally)
{
	const char *text = "";
	for (size_t i = 0; i < inv_count(tally->reasons); i++)
		text = inv_arena_printf(prose->arena, "%s%s%s (%zu)", text, *text ? "; " : "", tally->reasons[i].text,
		                        tally->reasons[i].count);
	return text;
}

// What could not be judged, and of how much that is.
static void write_unknown(const struct inv_prose *prose)
{
	struct inv_tally sum = sum_of(prose);
	if (sum.unknown == 0)
		return;
	inv_prose_heading(prose,
	                  inv_arena_printf(prose->arena, "Unknown (%zu of %zu verdicts)", sum.unknown, all_of(&sum)));
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &prose->check->judge.tallies[i];
		size_t all = all_of(tally);
		if (tally->unknown == 0)
			continue;
		const char *share = tally->unknown == all ? "never judged" : percent(prose, tally->unknown, all);
		const char *text = inv_arena_printf(prose->arena, "%zu of %zu, %s: %s", tally->unknown, all, share,
		                                    reasons_text(prose, tally));
		fprintf(prose->file, "%s  ", inv_invariant(i)->id);
		inv_write_wrapped(prose->file, text, 5, 7, prose->style->width);
	}
}

static void write_verdicts(const struct inv_prose *prose)
{
	static const char *const columns[] = {"invariant", "holds", "broken", "observed", "excused", "unknown"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	struct inv_tally sum = sum_of(prose);
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &prose->check->judge.tallies[i];
		inv_table_text(table, inv_invariant(i)->id);
		inv_table_number(table, tally->holds);
		inv_table_number(table, tally->broken);
		inv_table_number(table, tally->observed);
		inv_table_number(table, tally->excused);
		inv_table_number(table, tally->unknown);
	}
	inv_prose_heading(prose, "Verdicts");
	inv_table_write(table, INV_OUTPUT_TEXT, prose->file);
	inv_table_free(table);
	const char *text = inv_arena_printf(
	    prose->arena,
	    "%zu processes, %zu verdicts: %zu hold, %zu broken, %zu observed, %zu excused, %zu unknown (%.3f s)",
	    prose->check->dossiers.process_count, all_of(&sum), sum.holds, sum.broken, sum.observed, sum.excused,
	    sum.unknown, prose->check->seconds);
	putc('\n', prose->file);
	inv_write_wrapped(prose->file, text, 0, 0, prose->style->width);
	if (prose->check->cut_short)
		inv_write_wrapped(prose->file, inv_arena_printf(prose->arena, "Incomplete: %s.", prose->check->cut_short), 0, 0,
		                  prose->style->width);
}

static void write_text(const struct inv_check *check, const char *version, const struct inv_style *style, FILE *file)
{
	struct inv_prose prose = {file, check, style, inv_arena_new()};
	write_summary(&prose, version);
	write_findings(&prose);
	write_observations(&prose);
	write_patterns(&prose);
	write_processes(&prose);
	write_witnesses(&prose);
	write_sweep(&prose);
	write_unknown(&prose);
	write_excused(&prose);
	write_verdicts(&prose);
	inv_arena_free(prose.arena);
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
