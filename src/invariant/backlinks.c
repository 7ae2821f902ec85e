// SPDX-License-Identifier: Apache-2.0
// What a process owns leads back to it (S12). That it is on the active list is L15's.
#include "nt/backlinks.h"

#include "base/array.h"
#include "invariant/families.h"

// Timers of one thread.
#define TIMER_BOUND ((size_t)1 << 14)

// -- contexts of WNF --------------------------------------------------------------------------------------------------------

static bool is_listed(const struct inv_judge *judge, const struct inv_dossier *process, uint64_t context)
{
	size_t count;
	const struct inv_backlink *links = inv_backlinks_of(judge->dossiers->testimony, process->address, &count);
	for (size_t i = 0; i < count; i++)
		if (links[i].witness == INV_W_WNF && links[i].object == context)
			return true;
	return false;
}

static void tried(struct inv_judge *judge, struct inv_finding *finding)
{
	inv_tried(judge, finding, "not-inserted", "it is inserted, or has threads");
	inv_tried(judge, finding, "exited", "it has threads, or no exit time");
}

// The context that the process has is on the list and names it.
static void judge_context(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value context = inv_field(judge->kernel, process->address, INV_F_EPROCESS_WnfContext);
	if (!inv_need(judge, &context) || context.u == 0)
		return;
	if (is_listed(judge, process, context.u)) {
		inv_holds(judge);
		return;
	}
	const char *excuse = inv_leaving(judge, process);
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	struct inv_value named = inv_field(judge->kernel, context.u, INV_F_WNF_PROCESS_CONTEXT_Process);
	if (!inv_need(judge, &named))
		return;
	const struct inv_list *list = &judge->dossiers->testimony->subscriptions;
	if (named.u == process->address && !list->closed &&
	    !inv_is_led_past(judge, context.u, INV_F_WNF_PROCESS_CONTEXT_WnfProcessesListEntry)) {
		inv_unknown_because(judge, "ExpWnfProcessesListHead could not be read to its end");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_WnfContext, &context, "the process has this context");
	inv_field_says(judge, finding, INV_F_WNF_PROCESS_CONTEXT_Process, &named, "the context names %s",
	               named.u == process->address ? "it" : "another");
	if (named.u == process->address)
		inv_witness_says(judge, finding, INV_W_WNF, "ExpWnfProcessesListHead", &list->head_flink,
		                 "the list leads past the context");
	inv_means_its_targets(finding);
	tried(judge, finding);
}

// A context on the list is the one that its process has.
static void judge_listed_context(struct inv_judge *judge, const struct inv_backlink *link)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, link->process);
	struct inv_value own = inv_field(judge->kernel, link->process, INV_F_EPROCESS_WnfContext);
	if (!process || !inv_is_live(process) || !inv_need(judge, &own) || own.u == link->object)
		return; // the process' own judgment speaks of it
	const char *excuse = inv_leaving(judge, process);
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_LIST, link->object, "_WNF_PROCESS_CONTEXT");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	struct inv_value named = {.ok = true, .address = link->at, .u = link->process};
	inv_field_says(judge, finding, INV_F_WNF_PROCESS_CONTEXT_Process, &named, "the context names this process");
	inv_field_says(judge, finding, INV_F_EPROCESS_WnfContext, &own, "which has %s context", own.u ? "another" : "no");
	inv_means_its_targets(finding);
	tried(judge, finding);
}

static void judge_contexts(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	uint64_t offset;
	const char *unknown = testimony->coverage[INV_W_WNF].voided;
	if (!inv_field_address(judge->kernel, 0, INV_F_EPROCESS_WnfContext, &offset))
		unknown = "the layout does not know where a process keeps its context of WNF";
	if (unknown) {
		inv_unknown_because(judge, unknown);
		return;
	}
	inv_each_process(judge, judge_context);
	for (size_t i = 0; i < inv_count(testimony->backlinks); i++)
		if (testimony->backlinks[i].witness == INV_W_WNF)
			judge_listed_context(judge, &testimony->backlinks[i]);
}

// -- timers -----------------------------------------------------------------------------------------------------------------

// Is the timer on the list of this thread?
static enum inv_answer is_set_by(struct inv_judge *judge, uint64_t timer, uint64_t thread, struct inv_value *first)
{
	uint64_t offset;
	*first = inv_field(judge->kernel, thread, INV_F_ETHREAD_ActiveTimerListHead);
	if (!first->ok || !inv_field_address(judge->kernel, 0, INV_F_ETIMER_ActiveTimerListEntry, &offset))
		return INV_UNSURE;
	if (first->u == first->address || first->u == 0)
		return INV_NO;
	struct inv_list list;
	inv_list_walk(judge->kernel, judge->arena, "ETHREAD.ActiveTimerListHead", first->address, TIMER_BOUND, &list);
	for (size_t i = 0; i < list.count; i++)
		if (list.nodes[i].entry == timer + offset)
			return INV_YES;
	return list.closed ? INV_NO : INV_UNSURE;
}

static void judge_timer(struct inv_judge *judge, uint64_t timer)
{
	struct inv_value thread = inv_timer_thread(judge->kernel, timer), first;
	if (!inv_need(judge, &thread))
		return;
	if (thread.u == 0) {
		inv_holds(judge);
		return;
	}
	if (!inv_thread_dossier_at(judge->dossiers, thread.u)) {
		inv_unknown_because(judge, "a timer's APC names what is no known thread");
		return;
	}
	enum inv_answer answer = is_set_by(judge, timer, thread.u, &first);
	if (answer == INV_YES) {
		inv_holds(judge);
		return;
	}
	if (answer == INV_UNSURE) {
		inv_unknown_because(judge, "a thread's list of timers could not be read to its end");
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_LIST, timer, "_ETIMER"), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_KAPC_Thread, &thread, "the APC of the timer is this thread's");
	inv_field_says(judge, finding, INV_F_ETHREAD_ActiveTimerListHead, &first,
	               "the thread's list of its timers leads past the timer");
}

// -- what handles lead to ---------------------------------------------------------------------------------------------------

struct claim {
	const struct inv_owned_object *first; // the handles to the object
	size_t count;
	enum inv_field field; // that names the process
	const char *name;
};

// Does the process have a handle to it? Unsure where its table could not be read whole.
static enum inv_answer has_handle(const struct inv_judge *judge, uint64_t process, const struct claim *claim)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	for (size_t i = 0; i < claim->count; i++) {
		const struct inv_table_record *table = &testimony->tables[claim->first[i].table];
		const struct inv_dossier *holder = inv_holder_of(judge->dossiers, table);
		if (!holder)
			return INV_UNSURE;
		if (holder->address == process)
			return INV_YES;
	}
	struct inv_value own = inv_field(judge->kernel, process, INV_F_EPROCESS_ObjectTable);
	const struct inv_table_record *table = own.ok ? inv_table_record_at(testimony, own.u) : NULL;
	return table && table->coverage.complete ? INV_NO : INV_UNSURE;
}

static void judge_claim(struct inv_judge *judge, const struct claim *claim)
{
	struct inv_value named = inv_field(judge->kernel, claim->first->body, claim->field);
	if (claim->first->witness == INV_W_ETW_REGISTRATIONS)
		named = inv_registration_process(judge->kernel, claim->first->body);
	if (!inv_need(judge, &named) || named.u == 0)
		return;
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, named.u);
	if (!process || !inv_is_live(process)) {
		inv_unknown_because(judge, "a port or registration names what is no known process");
		return;
	}
	enum inv_answer answer = has_handle(judge, named.u, claim);
	if (answer != INV_NO) {
		if (answer == INV_YES)
			inv_holds(judge);
		else
			inv_unknown_because(judge, "the handles of who owns a port or registration could not all be read");
		return;
	}
	const char *excuse = inv_leaving(judge, process);
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	struct inv_finding *finding =
	    inv_observed(judge, inv_subject_other(INV_SUBJECT_LIST, claim->first->body, claim->name), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, claim->field, &named, "this process owns it");
	struct inv_value table = {.ok = true, .u = judge->dossiers->testimony->tables[claim->first->table].address};
	inv_witness_says(judge, finding, INV_W_HANDLES, "HANDLE_TABLE", &table,
	                 "the process has no handle to it, and who has this table has one");
	tried(judge, finding);
}

static void judge_owned(struct inv_judge *judge, const struct inv_owned_object *first, size_t count)
{
	struct claim claim = {first, count, INV_F_ALPC_PORT_OwnerProcess, "_ALPC_PORT"};
	if (first->witness == INV_W_TIMERS) {
		judge_timer(judge, first->body);
		return;
	}
	if (first->witness == INV_W_ETW_REGISTRATIONS) {
		claim.field = INV_F_ETW_REG_ENTRY_Process;
		claim.name = "_ETW_REG_ENTRY";
	}
	judge_claim(judge, &claim);
}

void inv_judge_S12(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	judge_contexts(judge);
	size_t count = inv_count(testimony->owned);
	for (size_t i = 0, next; i < count; i = next) {
		const struct inv_owned_object *first = &testimony->owned[i];
		for (next = i + 1; next < count && testimony->owned[next].body == first->body;)
			next++;
		judge_owned(judge, first, next - i);
	}
}
