// SPDX-License-Identifier: Apache-2.0
// `invar check --format html`: the JSON of the check, and beside it what only the page needs.
#include "report/html.h"

#include <string.h>

#include "base/array.h"
#include "invariant/kin.h"
#include "report/json.h"
#include "report/page.h"
#include "report/report.h"

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
		json_object_set_new(object, "reason", json_string(invariant->reason));
		json_object_set_new(object, "broken_by", inv_json_text(invariant->broken_by));
		json_object_set_new(object, "exceptions", exceptions_json(invariant));
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
		struct inv_value session = inv_field(kernel, process->address, INV_F_EPROCESS_Session);
		struct inv_value sequence = inv_field(kernel, process->address, INV_F_EPROCESS_SequenceNumber);
		if (session.ok && session.u)
			session = inv_field(kernel, session.u, INV_F_MM_SESSION_SPACE_SessionId);
		else
			session.ok = false;
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

// What the page needs of each finding beside its JSON, in the same order.
static json_t *beside_json(struct inv_finding *const *findings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(findings); i++) {
		const struct inv_dossier *process = findings[i]->subject.process;
		json_t *object = json_object();
		json_object_set_new(object, "process", process ? inv_json_address(process->address) : json_null());
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

void inv_report_html(const struct inv_check *check, const char *version, FILE *file)
{
	json_t *page = json_object();
	json_object_set_new(page, "report", inv_report_json(check, version));
	json_object_set_new(page, "tiers", tiers_json());
	json_object_set_new(page, "witnesses", witnesses_json(check->testimony));
	json_object_set_new(page, "invariants", invariants_json(check));
	json_object_set_new(page, "kin", kin_json(check));
	json_object_set_new(page, "findings", beside_json(check->judge.findings));
	json_object_set_new(page, "observations", beside_json(check->judge.observations));
	fwrite(inv_page_head, 1, inv_page_head_size, file);
	(void)json_dump_callback(page, write_inert, file, JSON_COMPACT | JSON_ENSURE_ASCII);
	fwrite(inv_page_tail, 1, inv_page_tail_size, file);
	json_decref(page);
}
