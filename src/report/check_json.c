// SPDX-License-Identifier: Apache-2.0
// The JSON of `invar check`. Keys may be added; none may go (docs/schema.json).
#include "base/array.h"
#include "nt/session.h"
#include "report/json.h"
#include "report/parts.h"
#include "report/patches.h"
#include "report/report.h"

#define SCHEMA 1

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

static json_t *witness_names(uint64_t bits)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++)
		if (bits & INV_BIT(i))
			json_array_append_new(names, json_string(inv_witness((enum inv_witness_id)i)->name));
	return names;
}

// What memory holds of processes and threads where nothing maps it: more than so many are only counted.
#define MOST_UNMAPPED 1000u

// NULL: that it is in a page which nothing maps says nothing. Content of files and of other address spaces has such marks too.
static const char *unmapped_kind(enum inv_hit_kind kind)
{
	switch (kind) {
	case INV_HIT_PROCESS_TAG:
		return "process tag";
	case INV_HIT_THREAD_TAG:
		return "thread tag";
	case INV_HIT_PROCESS:
		return "process";
	case INV_HIT_THREAD:
		return "thread";
	case INV_HIT_KDBG:
		return "KDBG";
	case INV_HIT_ROOT:
	case INV_HIT_TOKEN_TAG:
	case INV_HIT_JOB_TAG:
	case INV_HIT_W32_TAG:
	case INV_HIT_DXG_TAG:
	case INV_HIT_DESKTOP_TAG:
	case INV_HIT_ROUTINE_TAG:
	case INV_HIT_KERNEL:
	case INV_HIT_ASKED_TAG:
		return NULL;
	}
	return NULL;
}

static json_t *unmapped_json(const struct inv_sweep *sweep)
{
	json_t *unmapped = json_array();
	for (size_t i = 0; i < inv_count(sweep->hits) && json_array_size(unmapped) < MOST_UNMAPPED; i++) {
		const struct inv_hit *hit = &sweep->hits[i];
		const char *kind = unmapped_kind(hit->kind);
		if (hit->address || !kind)
			continue;
		json_t *object = json_object();
		json_object_set_new(object, "kind", json_string(kind));
		json_object_set_new(object, "physical", inv_json_address(hit->physical));
		json_array_append_new(unmapped, object);
	}
	return unmapped;
}

static json_t *sweep_json(const struct inv_sweep *sweep)
{
	if (!sweep)
		return json_null();
	json_t *object = json_object();
	json_object_set_new(object, "bytes", inv_json_number(sweep->bytes));
	json_object_set_new(object, "skipped", inv_json_number(sweep->skipped));
	json_object_set_new(object, "hits", inv_json_number(inv_count(sweep->hits)));
	json_object_set_new(object, "mapped", json_boolean(sweep->mapped));
	json_object_set_new(object, "unmapped", unmapped_json(sweep));
	return object;
}

// Known only when every page of the process' own table could be read.
static json_t *handles_json(const struct inv_testimony *testimony, uint64_t process)
{
	struct inv_value named = inv_field(testimony->kernel, process, INV_F_EPROCESS_ObjectTable);
	if (named.ok && named.u == 0)
		return json_integer(0);
	const struct inv_table_record *table = named.ok ? inv_table_record_at(testimony, named.u) : NULL;
	return table && table->coverage.complete ? json_integer((json_int_t)table->coverage.used) : json_null();
}

// NULL class: nobody asked.
static json_t *class_json(const struct inv_class *class)
{
	if (!class)
		return json_null();
	json_t *object = json_object(), *is = json_array(), *claims = json_object();
	for (unsigned i = 0; i < INV_CLASS_BITS; i++)
		if (class->is & 1u << i)
			json_array_append_new(is, json_string(inv_class_name(i)));
	for (unsigned i = 0; i < INV_CLAIM_COUNT; i++)
		json_object_set_new(claims, inv_claim_name((enum inv_claim_id)i), inv_json_text(class->says[i]));
	json_object_set_new(object, "is", is);
	json_object_set_new(object, "claims", claims);
	return object;
}

static json_t *process_json(const struct inv_check *check, const struct inv_dossier *process)
{
	const struct inv_testimony *testimony = check->testimony;
	const struct inv_kernel *kernel = testimony->kernel;
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
	bool outside;
	struct inv_value number = inv_session_of(kernel, process->address, &outside);
	json_object_set_new(object, "session", number.ok ? inv_json_value(&number) : inv_json_pointer(&session));
	json_object_set_new(object, "threads", inv_json_value(&threads));
	json_object_set_new(object, "handles", handles_json(testimony, process->address));
	json_object_set_new(object, "role", json_string(inv_role_name(process->role)));
	const struct inv_class *class =
	    check->classes && inv_is_live(process) ? &check->classes[process - check->dossiers.processes] : NULL;
	json_object_set_new(object, "class", class_json(class));
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

json_t *inv_report_finding_json(const struct inv_check *check, const struct inv_finding *finding)
{
	json_t *object = json_object();
	json_object_set_new(object, "id", json_string(finding->invariant->id));
	json_object_set_new(object, "statement", json_string(finding->invariant->statement));
	json_object_set_new(object, "tier", json_string(inv_tier_name(finding->tier)));
	json_object_set_new(object, "certainty", json_string(inv_certainty_name(finding->certainty)));
	json_object_set_new(object, "certainty_why", json_string(finding->certainty_why));
	json_object_set_new(object, "attack", json_string(finding->invariant->attack));
	json_object_set_new(object, "subject", subject_json(&finding->subject));
	json_t *evidence = json_array();
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *e = &finding->evidence[i];
		json_t *item = json_object();
		json_object_set_new(item, "witness", json_string(e->witness));
		json_object_set_new(item, "tier", json_string(inv_tier_name(e->tier)));
		json_object_set_new(item, "field", json_string(e->field));
		json_object_set_new(item, "address", inv_json_known(e->address));
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
	struct inv_inside inside;
	struct inv_patches patches;
	if (inv_finding_patches(check, finding, &inside, &patches)) {
		json_object_set_new(object, "patches", inv_patches_json(&patches));
		inv_patches_free(&patches);
		inv_inside_free(&inside);
	}
	return object;
}

static json_t *findings_json(const struct inv_check *check, struct inv_finding *const *findings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(findings); i++)
		json_array_append_new(list, inv_report_finding_json(check, findings[i]));
	return list;
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
			json_object_set_new(reasons, tally->reasons[r].text, inv_json_number(tally->reasons[r].count));
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
		sum.observed += tally->observed;
		if (tally->holds)
			json_object_set_new(held, inv_invariant(i)->id, inv_json_number(tally->holds));
	}
	json_t *object = json_object();
	json_object_set_new(object, "processes", inv_json_number(check->dossiers.process_count));
	json_object_set_new(object, "judged",
	                    inv_json_number(sum.holds + sum.broken + sum.excused + sum.unknown + sum.observed));
	json_object_set_new(object, "holds", inv_json_number(sum.holds));
	json_object_set_new(object, "broken", inv_json_number(sum.broken));
	json_object_set_new(object, "excused", inv_json_number(sum.excused));
	json_object_set_new(object, "unknown", inv_json_number(sum.unknown));
	json_object_set_new(object, "observed", inv_json_number(sum.observed));
	json_object_set_new(object, "held", held);
	json_object_set_new(object, "cut_short", inv_json_text(check->cut_short));
	json_object_set_new(object, "seconds", json_real((double)(long)(check->seconds * 1e6) / 1e6));
	return object;
}

static json_t *smear_json(const struct inv_smear *smear)
{
	json_t *object = json_object();
	json_object_set_new(object, "live", json_boolean(smear->live));
	json_object_set_new(object, "why", inv_json_text(smear->why));
	json_object_set_new(object, "signs", inv_json_number(smear->signs));
	json_object_set_new(object, "excused", inv_json_number(smear->excused));
	return object;
}

json_t *inv_report_json(const struct inv_check *check, const char *version)
{
	json_t *report = json_object();
	json_object_set_new(report, "invar", json_string(version));
	json_object_set_new(report, "schema", json_integer(SCHEMA));
	json_object_set_new(report, "image", inv_json_image(inv_image_info(check->kernel->image)));
	json_object_set_new(report, "smear", smear_json(&check->smear));
	json_object_set_new(report, "kernel", inv_json_kernel(check->kernel));
	json_object_set_new(report, "witnesses", witnesses_json(check->testimony));
	json_object_set_new(report, "sweep", sweep_json(check->sweep));
	json_t *processes = json_array();
	for (size_t i = 0; i < check->dossiers.process_count; i++)
		json_array_append_new(processes, process_json(check, &check->dossiers.processes[i]));
	json_object_set_new(report, "processes", processes);
	json_object_set_new(report, "findings", findings_json(check, check->judge.findings));
	json_object_set_new(report, "observations", findings_json(check, check->judge.observations));
	json_t *excused = json_array();
	for (size_t i = 0; i < inv_count(check->judge.excused); i++) {
		const struct inv_excused *e = &check->judge.excused[i];
		json_t *object = json_object();
		json_object_set_new(object, "id", json_string(e->invariant->id));
		json_object_set_new(object, "subject", subject_json(&e->subject));
		json_object_set_new(object, "exception", json_string(e->exception));
		if (e->why)
			json_object_set_new(object, "why", json_string(e->why));
		json_array_append_new(excused, object);
	}
	json_object_set_new(report, "excused", excused);
	json_object_set_new(report, "unknown", unknown_json(&check->judge));
	json_object_set_new(report, "yara", inv_json_patterns(check->patterns));
	json_object_set_new(report, "yara_search", inv_json_pattern_search(check->patterns));
	json_object_set_new(report, "summary", summary_json(check));
	return report;
}
