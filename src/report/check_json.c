// SPDX-License-Identifier: Apache-2.0
// The JSON of `invar check`. Keys may be added; none may go (docs/schema.json).
#include "base/array.h"
#include "base/text.h"
#include "report/json.h"
#include "report/report.h"

#define SCHEMA 1

static json_t *image_json(const struct inv_image_info *info)
{
	json_t *image = json_object();
	json_object_set_new(image, "path", inv_json_text(info->path));
	json_object_set_new(image, "format", json_string(inv_format_name(info->format)));
	json_object_set_new(image, "bytes", inv_json_number(info->bytes));
	json_object_set_new(image, "present_pages", inv_json_number(info->present_pages));
	json_object_set_new(image, "atomic", info->atomic < 0 ? json_null() : json_boolean(info->atomic));
	json_t *contradictions = json_array();
	for (size_t i = 0; i < info->contradiction_count; i++)
		json_array_append_new(contradictions, inv_json_text(info->contradictions[i]));
	json_object_set_new(image, "contradictions", contradictions);
	return image;
}

static json_t *version_json(const struct inv_kernel *kernel)
{
	const struct inv_version *v = &kernel->version;
	if (v->build == 0)
		return json_null();
	if (v->revision == 0)
		return json_sprintf("%u.%u.%u", v->major, v->minor, v->build);
	return json_sprintf("%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
}

static json_t *pdb_json(const struct inv_pdb *pdb)
{
	if (!pdb->found)
		return json_null();
	char guid[INV_GUID_SIZE];
	inv_format_guid(pdb->guid, guid);
	json_t *object = json_object();
	json_object_set_new(object, "name", json_string(pdb->name));
	json_object_set_new(object, "guid", json_string(guid));
	json_object_set_new(object, "age", inv_json_number(pdb->age));
	return object;
}

static json_t *known(uint64_t address)
{
	return address ? inv_json_address(address) : json_null();
}

static json_t *kernel_json(const struct inv_kernel *kernel)
{
	json_t *object = json_object();
	json_object_set_new(object, "arch", json_string(inv_arch_name(kernel->arch)));
	json_object_set_new(object, "build", kernel->version.build ? json_integer(kernel->version.build) : json_null());
	json_object_set_new(object, "version", version_json(kernel));
	json_object_set_new(object, "base", known(kernel->base));
	json_object_set_new(object, "dtb", known(kernel->dtb));
	json_object_set_new(object, "pdb", pdb_json(&kernel->pdb));
	json_t *facts = json_object();
	json_object_set_new(facts, "source", inv_json_text(kernel->facts_source));
	json_object_set_new(facts, "confidence", json_string(inv_confidence_name(kernel->confidence)));
	json_object_set_new(facts, "layout", inv_json_text(kernel->layout ? kernel->layout->id : NULL));
	json_object_set_new(object, "facts", facts);
	json_object_set_new(object, "system_time", inv_json_time(&kernel->system_time));
	json_object_set_new(object, "boot_time", inv_json_time(&kernel->boot_time));
	json_object_set_new(object, "cpus", inv_json_number(kernel->cpu_count));
	return object;
}

static json_t *witnesses_json(const struct inv_testimony *testimony)
{
	json_t *witnesses = json_array();
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		const struct inv_witness *witness = inv_witness((enum inv_witness_id)i);
		const struct inv_coverage *coverage = &testimony->coverage[i];
		json_t *object = json_object();
		json_object_set_new(object, "id", json_string(witness->name));
		json_object_set_new(object, "tier", json_string(inv_tier_name(witness->tier)));
		json_object_set_new(object, "read", inv_json_number(coverage->read));
		json_object_set_new(object, "broken", inv_json_number(coverage->broken));
		json_object_set_new(object, "unreadable", inv_json_number(coverage->unreadable));
		json_object_set_new(object, "sightings", inv_json_number(coverage->sightings));
		json_object_set_new(object, "void", inv_json_text(coverage->voided));
		json_array_append_new(witnesses, object);
	}
	return witnesses;
}

static json_t *witness_names(uint32_t bits)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (bits & 1u << i)
			json_array_append_new(names, json_string(inv_witness((enum inv_witness_id)i)->name));
	return names;
}

static json_t *process_json(const struct inv_kernel *kernel, const struct inv_dossier *process)
{
	json_t *object = json_object();
	struct inv_value created = inv_field(kernel, process->address, INV_F_EPROCESS_CreateTime);
	struct inv_value exited = inv_field(kernel, process->address, INV_F_EPROCESS_ExitTime);
	struct inv_value session = inv_field(kernel, process->address, INV_F_EPROCESS_Session);
	struct inv_value threads = inv_field(kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	uint64_t physical = 0;
	bool mapped = inv_space_translate(kernel->space, process->address, &physical, NULL);
	json_object_set_new(object, "address", inv_json_address(process->address));
	json_object_set_new(object, "physical", mapped ? inv_json_address(physical) : json_null());
	json_object_set_new(object, "pid", inv_json_value(&process->pid));
	json_object_set_new(object, "ppid", inv_json_value(&process->parent));
	json_object_set_new(object, "name", process->name_value.ok ? json_string(process->name) : json_null());
	json_object_set_new(object, "path", *process->path ? json_string(process->path) : json_null());
	json_object_set_new(object, "created", inv_json_time(&created));
	json_object_set_new(object, "exited", inv_json_time(&exited));
	json_object_set_new(object, "state", json_string(inv_state_name(process->state)));
	json_object_set_new(object, "session", inv_json_pointer(&session));
	json_object_set_new(object, "threads", inv_json_value(&threads));
	json_object_set_new(object, "handles", json_null());
	json_object_set_new(object, "role", json_string(inv_role_name(process->role)));
	json_object_set_new(object, "seen_by", witness_names(process->seen_by));
	json_object_set_new(object, "missing_from", witness_names(process->missing_from));
	return object;
}

static json_t *subject_json(const struct inv_subject *subject)
{
	json_t *object = json_object();
	const struct inv_dossier *process = subject->process;
	json_object_set_new(object, "kind", json_string(inv_subject_kind_name(subject->kind)));
	json_object_set_new(object, "address", inv_json_address(subject->address));
	json_object_set_new(object, "pid", process ? inv_json_value(&process->pid) : json_null());
	if (subject->name)
		json_object_set_new(object, "name", json_string(subject->name));
	else
		json_object_set_new(object, "name",
		                    process && process->name_value.ok ? json_string(process->name) : json_null());
	return object;
}

static json_t *finding_json(const struct inv_judge *judge, const struct inv_finding *finding)
{
	json_t *object = json_object();
	json_object_set_new(object, "id", json_string(finding->invariant->id));
	json_object_set_new(object, "statement", json_string(finding->invariant->statement));
	json_object_set_new(object, "tier", json_string(inv_tier_name(finding->tier)));
	json_object_set_new(object, "certainty", json_string(inv_certainty_name(finding->certainty)));
	json_object_set_new(object, "certainty_why", json_string(judge->certainty_why));
	json_object_set_new(object, "attack", json_string(finding->invariant->attack));
	json_object_set_new(object, "subject", subject_json(&finding->subject));
	json_t *evidence = json_array();
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *e = &finding->evidence[i];
		json_t *item = json_object();
		json_object_set_new(item, "witness", json_string(e->witness));
		json_object_set_new(item, "tier", json_string(inv_tier_name(e->tier)));
		json_object_set_new(item, "field", json_string(e->field));
		json_object_set_new(item, "address", known(e->address));
		json_object_set_new(item, "value", inv_json_address(e->value));
		json_object_set_new(item, "says", json_string(e->says));
		json_array_append_new(evidence, item);
	}
	json_object_set_new(object, "evidence", evidence);
	json_t *tried = json_array();
	for (size_t i = 0; i < inv_count(finding->tried); i++) {
		json_t *item = json_object();
		json_object_set_new(item, "exception", json_string(finding->tried[i].exception));
		json_object_set_new(item, "why_not", json_string(finding->tried[i].why_not));
		json_array_append_new(tried, item);
	}
	json_object_set_new(object, "excuses_tried", tried);
	return object;
}

static json_t *unknown_json(const struct inv_judge *judge)
{
	json_t *unknown = json_array();
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &judge->tallies[i];
		if (tally->unknown == 0)
			continue;
		json_t *object = json_object();
		json_object_set_new(object, "id", json_string(inv_invariant(i)->id));
		json_object_set_new(object, "count", inv_json_number(tally->unknown));
		json_t *reasons = json_object();
		for (size_t r = 0; r < inv_count(tally->reasons); r++)
			json_object_set_new(reasons, tally->reasons[r].reason, inv_json_number(tally->reasons[r].count));
		json_object_set_new(object, "reasons", reasons);
		json_array_append_new(unknown, object);
	}
	return unknown;
}

static json_t *summary_json(const struct inv_check *check)
{
	struct inv_tally sum = {0};
	json_t *held = json_object();
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_tally *tally = &check->judge.tallies[i];
		sum.holds += tally->holds;
		sum.broken += tally->broken;
		sum.excused += tally->excused;
		sum.unknown += tally->unknown;
		if (tally->holds)
			json_object_set_new(held, inv_invariant(i)->id, inv_json_number(tally->holds));
	}
	json_t *object = json_object();
	json_object_set_new(object, "processes", inv_json_number(check->dossiers.process_count));
	json_object_set_new(object, "judged", inv_json_number(sum.holds + sum.broken + sum.excused + sum.unknown));
	json_object_set_new(object, "holds", inv_json_number(sum.holds));
	json_object_set_new(object, "broken", inv_json_number(sum.broken));
	json_object_set_new(object, "excused", inv_json_number(sum.excused));
	json_object_set_new(object, "unknown", inv_json_number(sum.unknown));
	json_object_set_new(object, "held", held);
	json_object_set_new(object, "cut_short", inv_json_text(check->cut_short));
	json_object_set_new(object, "seconds", json_real((double)(long)(check->seconds * 1e6) / 1e6));
	return object;
}

json_t *inv_report_json(const struct inv_check *check, const char *version)
{
	json_t *report = json_object();
	json_object_set_new(report, "invar", json_string(version));
	json_object_set_new(report, "schema", json_integer(SCHEMA));
	json_object_set_new(report, "image", image_json(inv_image_info(check->kernel->image)));
	json_object_set_new(report, "kernel", kernel_json(check->kernel));
	json_object_set_new(report, "witnesses", witnesses_json(check->testimony));
	json_t *processes = json_array();
	for (size_t i = 0; i < check->dossiers.process_count; i++)
		json_array_append_new(processes, process_json(check->kernel, &check->dossiers.processes[i]));
	json_object_set_new(report, "processes", processes);
	json_t *findings = json_array();
	for (size_t i = 0; i < inv_count(check->judge.findings); i++)
		json_array_append_new(findings, finding_json(&check->judge, check->judge.findings[i]));
	json_object_set_new(report, "findings", findings);
	json_t *excused = json_array();
	for (size_t i = 0; i < inv_count(check->judge.excused); i++) {
		const struct inv_excused *e = &check->judge.excused[i];
		json_t *object = json_object();
		json_object_set_new(object, "id", json_string(e->invariant->id));
		json_object_set_new(object, "subject", subject_json(&e->subject));
		json_object_set_new(object, "exception", json_string(e->exception));
		json_array_append_new(excused, object);
	}
	json_object_set_new(report, "excused", excused);
	json_object_set_new(report, "unknown", unknown_json(&check->judge));
	json_object_set_new(report, "summary", summary_json(check));
	return report;
}

static json_t *clue_json(const struct inv_clue *clue)
{
	json_t *object = json_object();
	json_object_set_new(object, "anchor", json_string(inv_anchor_name(clue->anchor)));
	json_object_set_new(object, "way", json_string(inv_way_name(clue->way)));
	json_object_set_new(object, "value", clue->ok ? inv_json_address(clue->value) : json_null());
	json_object_set_new(object, "where", clue->ok ? inv_json_address(clue->where) : json_null());
	json_object_set_new(object, "absent", clue->ok ? json_null() : json_string(inv_absence_name(clue->why.reason)));
	json_object_set_new(object, "note", inv_json_text(clue->note));
	return object;
}

json_t *inv_report_info_json(const struct inv_kernel *kernel)
{
	json_t *report = json_object();
	json_t *object = kernel_json(kernel);
	json_object_set_new(report, "image", image_json(inv_image_info(kernel->image)));
	json_object_set_new(object, "size", kernel->size ? inv_json_number(kernel->size) : json_null());
	json_object_set_new(object, "time_stamp", kernel->time_stamp ? inv_json_address(kernel->time_stamp) : json_null());
	json_object_set_new(object, "version_source", inv_json_text(kernel->version_source));
	json_object_set_new(object, "modules", inv_json_number(kernel->module_count));
	json_t *checks = json_array();
	for (size_t i = 0; i < kernel->self_check_count; i++)
		json_array_append_new(checks, json_string(kernel->self_checks[i]));
	json_object_set_new(object, "self_checks", checks);
	json_t *clues = json_array();
	for (size_t i = 0; i < kernel->clue_count; i++)
		json_array_append_new(clues, clue_json(&kernel->clues[i]));
	json_object_set_new(object, "clues", clues);
	json_object_set_new(report, "kernel", object);
	return report;
}

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
	json_object_set_new(report, "image", image_json(info));
	json_object_set_new(report, "kernel", json_null());
	json_dumpf(report, file, output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
	putc('\n', file);
	json_decref(report);
}
