// SPDX-License-Identifier: Apache-2.0
// `invar check --format html`: the JSON of the check, and beside it what only the page needs.
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "check/power.h"
#include "invariant/kin.h"
#include "nt/session.h"
#include "report/json.h"
#include "report/page.h"
#include "report/report.h"
#include "report/window.h"

// The page holds no more than this; what is left out is counted on it, and stands in --format json.
#define MOST_PROCESSES 20000u
#define MOST_FINDINGS 4000u // and as many observations
#define MOST_EXCUSED 20000u
#define MOST_EDGES 3000u

// -- the parts --------------------------------------------------------------------------------------------------------------

static json_t *tiers_json(void)
{
	json_t *tiers = json_array();
	for (unsigned i = 0; i <= INV_TIER_USER_MODE; i++)
		json_array_append_new(tiers, json_string(inv_tier_name((enum inv_tier)i)));
	return tiers;
}

// In the order of the check's witnesses.
static json_t *witnesses_json(const struct inv_testimony *testimony)
{
	json_t *witnesses = json_array();
	for (unsigned i = 0; i < INV_WITNESS_COUNT; i++) {
		json_t *object = json_object();
		json_object_set_new(object, "what", json_string(inv_witness((enum inv_witness_id)i)->what));
		json_object_set_new(object, "complete", json_boolean(testimony->coverage[i].complete));
		json_array_append_new(witnesses, object);
	}
	return witnesses;
}

static json_t *exceptions_json(const struct inv_invariant *invariant)
{
	json_t *exceptions = json_object();
	for (const struct inv_exception *e = invariant->exceptions; e->id; e++)
		json_object_set_new(exceptions, e->id, json_string(e->condition));
	return exceptions;
}

static json_t *invariants_json(const struct inv_check *check)
{
	json_t *invariants = json_object();
	for (size_t i = 0; i < inv_invariant_count(); i++) {
		const struct inv_invariant *invariant = inv_invariant(i);
		const struct inv_tally *tally = &check->judge.tallies[i];
		json_t *object = json_object();
		json_object_set_new(object, "statement", json_string(invariant->statement));
		if (tally->broken + tally->observed + tally->excused) {
			json_object_set_new(object, "reason", json_string(invariant->reason));
			json_object_set_new(object, "broken_by", inv_json_text(invariant->broken_by));
			json_object_set_new(object, "exceptions", exceptions_json(invariant));
		}
		json_object_set_new(object, "holds", inv_json_number(tally->holds));
		json_object_set_new(object, "broken", inv_json_number(tally->broken));
		json_object_set_new(object, "observed", inv_json_number(tally->observed));
		json_object_set_new(object, "excused", inv_json_number(tally->excused));
		json_object_set_new(object, "unknown", inv_json_number(tally->unknown));
		json_object_set_new(invariants, invariant->id, object);
	}
	return invariants;
}

// The number of its session, and who its parent is, as far as that is proved; in the order of the check's processes.
static json_t *kin_json(const struct inv_check *check)
{
	const struct inv_kernel *kernel = check->kernel;
	struct inv_kin *kin = inv_kin_new(&check->dossiers);
	json_t *list = json_array();
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &check->dossiers.processes[i];
		struct inv_parent parent = inv_kin_parent(kin, process);
		bool outside;
		struct inv_value session = inv_session_of(kernel, process->address, &outside);
		struct inv_value sequence = inv_field(kernel, process->address, INV_F_EPROCESS_SequenceNumber);
		json_t *object = json_object();
		json_object_set_new(object, "session", inv_json_value(&session));
		json_object_set_new(object, "sequence", inv_json_value(&sequence));
		json_object_set_new(object, "live", json_boolean(inv_is_live(process)));
		json_object_set_new(object, "parent", json_string(inv_parent_name(parent.kind)));
		json_object_set_new(object, "parent_address",
		                    parent.process ? inv_json_address(parent.process->address) : json_null());
		json_object_set_new(object, "parent_why", inv_json_text(parent.why));
		json_array_append_new(list, object);
	}
	inv_kin_free(kin);
	return list;
}

// The heaviest first; whom no row names is reached by nobody.
static json_t *power_json(const struct inv_check *check)
{
	static const char *const ranks[INV_POWER_RANKS] = {[INV_INTO_PROTECTED] = "into protected",
	                                                   [INV_TOWARDS_PROTECTED] = "towards protected",
	                                                   [INV_OUT_OF_SESSION] = "out of session",
	                                                   [INV_WITHIN] = "within",
	                                                   [INV_MERELY_READS] = "reads",
	                                                   [INV_MERELY_CONTROLS] = "controls",
	                                                   [INV_OF_ZOMBIE] = "keeps"};
	const struct inv_dossier *processes = check->dossiers.processes;
	struct inv_power *power = inv_power_new(check);
	json_t *rows = json_array();
	for (size_t i = 0; i < inv_count(power->rows) && i < MOST_EDGES; i++) {
		const struct inv_power_row *row = &power->rows[i];
		uint32_t next = power->next[row->edge->target];
		json_t *object = json_object();
		json_object_set_new(object, "holder", inv_json_address(processes[row->edge->holder].address));
		json_object_set_new(object, "target", inv_json_address(processes[row->edge->target].address));
		json_object_set_new(object, "does", json_string(inv_deed_name(row->deed)));
		json_object_set_new(object, "rank", json_string(ranks[row->rank]));
		json_object_set_new(object, "crosses", json_string(inv_power_crossed(power, row->edge)));
		json_object_set_new(object, "rights", json_string(inv_power_rights(power, row->edge)));
		json_object_set_new(object, "handles", inv_json_number(row->edge->handles));
		json_object_set_new(object, "next",
		                    next == INV_NOBODY ? json_null() : inv_json_address(processes[next].address));
		json_array_append_new(rows, object);
	}
	json_t *guarded = json_array();
	for (size_t i = 0; i < check->dossiers.process_count && json_array_size(guarded) < MOST_EDGES; i++)
		if (power->hops[i] == 0)
			json_array_append_new(guarded, inv_json_address(processes[i].address));
	json_t *object = json_object();
	json_object_set_new(object, "rows", rows);
	json_object_set_new(object, "guarded", guarded);
	json_object_set_new(object, "total", inv_json_number(inv_count(power->rows)));
	inv_power_free(power);
	return object;
}

// What the page needs of each finding beside its JSON, in the same order.
static json_t *beside_json(struct inv_windows *windows, struct inv_finding *const *findings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(findings) && i < MOST_FINDINGS; i++) {
		const struct inv_dossier *process = findings[i]->subject.process;
		json_t *object = json_object();
		json_object_set_new(object, "process", process ? inv_json_address(process->address) : json_null());
		json_t *bytes = json_array();
		for (size_t e = 0; e < inv_count(findings[i]->evidence); e++)
			json_array_append_new(bytes, inv_window_json(windows, process, &findings[i]->evidence[e]));
		json_object_set_new(object, "bytes", bytes);
		json_array_append_new(list, object);
	}
	return list;
}

// -- writing ----------------------------------------------------------------------------------------------------------------

// These stand in JSON only within strings, where an escape means the same. U+2028 and the like are escaped as all that is not ASCII.
static int write_inert(const char *bytes, size_t size, void *file)
{
	size_t from = 0;
	for (size_t i = 0; i < size; i++) {
		if (!strchr("<>&", bytes[i]) || bytes[i] == 0)
			continue;
		fwrite(bytes + from, 1, i - from, file);
		fprintf(file, "\\u%04x", (unsigned)bytes[i]);
		from = i + 1;
	}
	fwrite(bytes + from, 1, size - from, file);
	return ferror((FILE *)file) ? -1 : 0;
}

// Shortens a list of the report to what the page holds. How many it leaves out.
static void cut(json_t *page, json_t *left_out, const char *name, size_t most)
{
	json_t *list = json_object_get(json_object_get(page, "report"), name);
	size_t count = json_array_size(list);
	for (size_t i = count; i > most; i--)
		json_array_remove(list, i - 1);
	json_object_set_new(left_out, name, inv_json_number(count > most ? count - most : 0));
}

static bool *accused(const struct inv_check *check)
{
	const struct inv_dossiers *dossiers = &check->dossiers;
	struct inv_finding *const *lists[] = {check->judge.findings, check->judge.observations};
	bool *is = inv_alloc(dossiers->process_count + 1);
	for (size_t i = 0; i < dossiers->process_count; i++)
		is[i] = dossiers->processes[i].missing_from || dossiers->processes[i].state == INV_STATE_HIDDEN;
	for (unsigned l = 0; l < 2; l++)
		for (size_t i = 0; i < inv_count(lists[l]); i++)
			if (lists[l][i]->subject.process)
				is[lists[l][i]->subject.process - dossiers->processes] = true;
	return is;
}

// Those that something is said of stay, then the others in their order.
static void cut_processes(const struct inv_check *check, json_t *page, json_t *left_out)
{
	json_t *processes = json_object_get(json_object_get(page, "report"), "processes"),
	       *kin = json_object_get(page, "kin");
	size_t count = json_array_size(processes), more = count > MOST_PROCESSES ? count - MOST_PROCESSES : 0, kept = 0;
	bool *is_accused = accused(check);
	json_t *few = json_array(), *few_kin = json_array();
	json_object_set_new(left_out, "processes", inv_json_number(more));
	for (size_t i = count; i-- > 0;) { // from the end: an honest one goes as long as there are too many
		bool goes = more && (!is_accused[i] || i < more);
		more -= goes;
		is_accused[i] = !goes;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_accused[i])
			continue;
		json_array_append(few, json_array_get(processes, i));
		json_array_append(few_kin, json_array_get(kin, i));
		kept++;
	}
	if (kept < count) {
		json_object_set(json_object_get(page, "report"), "processes", few);
		json_object_set(page, "kin", few_kin);
	}
	json_decref(few);
	json_decref(few_kin);
	free(is_accused);
}

void inv_report_html(const struct inv_check *check, const char *version, FILE *file)
{
	struct inv_windows windows;
	inv_windows_begin(&windows, check);
	json_t *page = json_object(), *left_out = json_object();
	json_object_set_new(page, "report", inv_report_json(check, version));
	json_object_set_new(page, "tiers", tiers_json());
	json_object_set_new(page, "witnesses", witnesses_json(check->testimony));
	json_object_set_new(page, "invariants", invariants_json(check));
	json_object_set_new(page, "kin", kin_json(check));
	json_object_set_new(page, "power", power_json(check));
	json_object_set_new(page, "findings", beside_json(&windows, check->judge.findings));
	json_object_set_new(page, "observations", beside_json(&windows, check->judge.observations));
	json_object_set_new(left_out, "bytes", inv_json_number(windows.left_out));
	inv_windows_end(&windows);
	cut(page, left_out, "findings", MOST_FINDINGS);
	cut(page, left_out, "observations", MOST_FINDINGS);
	cut(page, left_out, "excused", MOST_EXCUSED);
	cut(page, left_out, "yara", MOST_FINDINGS);
	cut_processes(check, page, left_out);
	json_object_set_new(page, "left_out", left_out);
	fwrite(inv_page_head, 1, inv_page_head_size, file);
	(void)json_dump_callback(page, write_inert, file, JSON_COMPACT | JSON_ENSURE_ASCII);
	fwrite(inv_page_tail, 1, inv_page_tail_size, file);
	json_decref(page);
}
