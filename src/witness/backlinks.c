// SPDX-License-Identifier: Apache-2.0
// What other parts of the kernel keep of processes, as witnesses: ports, registrations of event providers, contexts of WNF, who
// asked for a resolution of timers, and timers with a routine. Whether their pointers hold references is not verified: they count
// only where they lead to a process that is inserted, for deletion clears that first of all.
#include "nt/backlinks.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "base/search.h"
#include "nt/process.h"
#include "witness/witness.h"

// Entries on the lists of all providers together, and on each of the other lists.
#define ENTRY_BUDGET ((size_t)1 << 20)

static bool is_process(const struct inv_kernel *kernel, uint64_t object)
{
	struct inv_value type = inv_field(kernel, object, INV_F_DISPATCHER_HEADER_Type);
	return (object >> 63) && type.ok && (type.u & INV_DISPATCHER_TYPE) == INV_PROCESS_OBJECT;
}

// False: what the pointer leads to is no process.
static bool take(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t process, uint64_t object,
                 uint64_t at)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_backlink link = {.process = process, .object = object, .at = at, .witness = witness};
	if (!is_process(kernel, process))
		return false;
	if (!inv_take_room(testimony, sizeof link))
		return true;
	inv_push(testimony->backlinks, link);
	struct inv_value inserted = inv_field(kernel, process, INV_F_EPROCESS_ProcessInserted);
	if (inserted.ok && inserted.u)
		inv_sight(testimony, witness, process, 0, at);
	return true;
}

// -- lists ------------------------------------------------------------------------------------------------------------------

struct book {
	enum inv_witness_id witness;
	enum inv_symbol head;
	enum inv_field entry;   // of an object in the list
	enum inv_field process; // of an object; `entry` itself: the object is the process
};

static void testify(struct inv_testimony *testimony, const struct book *book, struct inv_list *list)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_coverage *coverage = &testimony->coverage[book->witness];
	struct inv_value head = inv_kernel_symbol(kernel, book->head, NULL);
	uint64_t offset, pointer;
	if (!inv_field_address(kernel, 0, book->entry, &offset) || !inv_field_address(kernel, 0, book->process, &pointer)) {
		inv_void(testimony, book->witness, "the layout has no such list entry");
		return;
	}
	struct inv_value first = head.ok ? inv_read_u64(kernel, head.u) : head;
	if (!head.ok || !first.ok) {
		inv_void(testimony, book->witness,
		         head.ok ? "the list head could not be read" : "the address of the list head is not known");
		return;
	}
	coverage->complete = true;
	if (first.u == 0) // nobody was ever on it
		return;
	inv_list_walk(kernel, testimony->arena, inv_symbol_name(book->head), head.u, ENTRY_BUDGET, list);
	inv_count_links(list, coverage);
	coverage->complete = list->closed;
	for (size_t i = 0; i < list->count; i++) {
		uint64_t object = list->nodes[i].entry - offset;
		if (book->process == book->entry) {
			coverage->broken += !take(testimony, book->witness, object, object, list->nodes[i].entry);
			continue;
		}
		struct inv_value process = inv_field(kernel, object, book->process);
		if (!process.ok)
			coverage->unreadable++;
		else if (process.u)
			coverage->broken += !take(testimony, book->witness, process.u, object, process.address);
	}
}

void inv_witness_alpc_ports(struct inv_testimony *testimony)
{
	const struct book book = {INV_W_ALPC_PORTS, INV_S_AlpcpPortList, INV_F_ALPC_PORT_PortListEntry,
	                          INV_F_ALPC_PORT_OwnerProcess};
	testify(testimony, &book, &testimony->ports);
}

void inv_witness_wnf(struct inv_testimony *testimony)
{
	const struct book book = {INV_W_WNF, INV_S_ExpWnfProcessesListHead, INV_F_WNF_PROCESS_CONTEXT_WnfProcessesListEntry,
	                          INV_F_WNF_PROCESS_CONTEXT_Process};
	testify(testimony, &book, &testimony->subscriptions);
}

void inv_witness_timer_resolution(struct inv_testimony *testimony)
{
	const struct book book = {INV_W_TIMER_RESOLUTION, INV_S_ExpTimerResolutionListHead,
	                          INV_F_EPROCESS_TimerResolutionLink, INV_F_EPROCESS_TimerResolutionLink};
	testify(testimony, &book, &testimony->resolutions);
}

// -- what handles lead to ---------------------------------------------------------------------------------------------------

static int by_body(const void *a, const void *b)
{
	const struct inv_owned_object *left = a, *right = b;
	if (left->witness != right->witness)
		return left->witness < right->witness ? -1 : 1;
	if (left->body != right->body)
		return left->body < right->body ? -1 : 1;
	return (left->table > right->table) - (left->table < right->table);
}

// Without what it would find, the walk of a list of registrations; each is met once, for it is on one list.
static void walk_provider(struct inv_testimony *testimony, uint64_t provider, size_t *budget, uint64_t **registrations)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_coverage *coverage = &testimony->coverage[INV_W_ETW_REGISTRATIONS];
	uint64_t head, offset;
	if (!inv_field_address(kernel, provider, INV_F_ETW_GUID_ENTRY_RegListHead, &head) ||
	    !inv_field_address(kernel, 0, INV_F_ETW_REG_ENTRY_RegList, &offset))
		return;
	struct inv_list list;
	inv_list_walk(kernel, testimony->arena, "ETW_GUID_ENTRY.RegListHead", head, *budget, &list);
	inv_count_links(&list, coverage);
	coverage->complete &= list.closed;
	*budget -= list.count < *budget ? list.count : *budget;
	for (size_t i = 0; i < list.count; i++)
		inv_push(*registrations, list.nodes[i].entry - offset);
}

static void take_registration(struct inv_testimony *testimony, uint64_t registration)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_ETW_REGISTRATIONS];
	struct inv_value process = inv_registration_process(testimony->kernel, registration);
	if (!process.ok)
		coverage->unreadable++;
	else if (process.u)
		coverage->broken += !take(testimony, INV_W_ETW_REGISTRATIONS, process.u, registration, process.address);
}

void inv_witness_etw_registrations(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	uint64_t offset;
	if (!testimony->types.registration_id.ok || !inv_field_address(kernel, 0, INV_F_ETW_REG_ENTRY_Process, &offset)) {
		inv_void(testimony, INV_W_ETW_REGISTRATIONS, "the type of registrations, or their layout, is not known");
		return;
	}
	testimony->coverage[INV_W_ETW_REGISTRATIONS].complete = testimony->coverage[INV_W_HANDLES].complete;
	uint64_t *registrations = NULL, *providers = NULL;
	for (size_t i = 0; i < inv_count(testimony->owned); i++) {
		if (testimony->owned[i].witness != INV_W_ETW_REGISTRATIONS)
			continue;
		inv_push(registrations, testimony->owned[i].body);
		struct inv_value provider = inv_field(kernel, testimony->owned[i].body, INV_F_ETW_REG_ENTRY_GuidEntry);
		if (provider.ok && provider.u >> 63)
			inv_push(providers, provider.u);
	}
	inv_numbers_keep_once(providers);
	size_t budget = ENTRY_BUDGET;
	for (size_t i = 0; i < inv_count(providers); i++)
		walk_provider(testimony, providers[i], &budget, &registrations);
	inv_numbers_keep_once(registrations);
	for (size_t i = 0; i < inv_count(registrations); i++)
		take_registration(testimony, registrations[i]);
	inv_array_free(registrations);
	inv_array_free(providers);
}

// -- who has handles --------------------------------------------------------------------------------------------------------

static void take_holding(struct inv_testimony *testimony, const struct inv_holding *holding, uint64_t header)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLE_COUNTS];
	uint64_t object = inv_object_body(testimony->kernel, header);
	struct inv_value type = inv_field(testimony->kernel, holding->process, INV_F_DISPATCHER_HEADER_Type);
	coverage->read++;
	if (take(testimony, INV_W_HANDLE_COUNTS, holding->process, object, holding->at))
		return;
	if ((holding->process >> 63) && !type.ok) {
		coverage->unreadable++;
		return;
	}
	struct inv_backlink stray = {.process = holding->process,
	                             .object = object,
	                             .at = holding->at,
	                             .witness = INV_W_HANDLE_COUNTS,
	                             .stray = true};
	coverage->broken++;
	if (inv_take_room(testimony, sizeof stray))
		inv_push(testimony->backlinks, stray);
}

// What all objects say together: were the entries not where they are looked for, most would lead nowhere.
void inv_witness_handle_counts(struct inv_testimony *testimony)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLE_COUNTS];
	struct inv_holding *holdings = NULL;
	uint64_t *of = NULL; // the object of each
	size_t budget = ENTRY_BUDGET;
	coverage->complete = testimony->coverage[INV_W_HANDLES].complete;
	inv_numbers_keep_once(testimony->counted);
	for (size_t i = 0; i < inv_count(testimony->counted); i++) {
		coverage->complete &= inv_object_holdings(testimony->kernel, testimony->counted[i], &budget, &holdings);
		while (inv_count(of) < inv_count(holdings))
			inv_push(of, testimony->counted[i]);
	}
	size_t processes = 0;
	for (size_t i = 0; i < inv_count(holdings); i++)
		processes += is_process(testimony->kernel, holdings[i].process);
	if (processes <= inv_count(holdings) / 2 && inv_count(holdings))
		inv_void(testimony, INV_W_HANDLE_COUNTS, "most entries lead to no process");
	else
		for (size_t i = 0; i < inv_count(holdings); i++)
			take_holding(testimony, &holdings[i], of[i]);
	inv_array_free(holdings);
	inv_array_free(of);
}

static int by_process(const void *a, const void *b)
{
	const struct inv_backlink *left = a, *right = b;
	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

void inv_sort_backlinks(struct inv_testimony *testimony)
{
	if (testimony->owned)
		qsort(testimony->owned, inv_count(testimony->owned), sizeof *testimony->owned, by_body);
	if (testimony->backlinks)
		qsort(testimony->backlinks, inv_count(testimony->backlinks), sizeof *testimony->backlinks, by_process);
}

void inv_witness_timers(struct inv_testimony *testimony)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_TIMERS];
	if (!testimony->types.timer_id.ok) {
		inv_void(testimony, INV_W_TIMERS, "the type of timers is not known");
		return;
	}
	uint64_t *timers = NULL;
	for (size_t i = 0; i < inv_count(testimony->owned); i++)
		if (testimony->owned[i].witness == INV_W_TIMERS)
			inv_push(timers, testimony->owned[i].body);
	inv_numbers_keep_once(timers);
	for (size_t i = 0; i < inv_count(timers); i++) {
		struct inv_value thread = inv_timer_thread(testimony->kernel, timers[i]);
		coverage->read++;
		if (!thread.ok)
			coverage->unreadable++;
		else if (thread.u && inv_looks_like_thread(testimony->kernel, thread.u))
			inv_sight(testimony, INV_W_TIMERS, 0, thread.u, thread.address);
	}
	inv_array_free(timers);
}

const struct inv_backlink *inv_backlinks_of(const struct inv_testimony *testimony, uint64_t process, size_t *count)
{
	const struct inv_backlink *links = testimony->backlinks;
	size_t all = inv_count(testimony->backlinks);
	size_t first = INV_LOWER_BOUND(links, all, process, process);
	*count = INV_UPPER_BOUND(links, all, process, process) - first;
	return *count ? &links[first] : NULL;
}
