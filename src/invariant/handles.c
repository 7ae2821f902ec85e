// SPDX-License-Identifier: Apache-2.0
// Family 8: what handle tables grant and count, who may open whom, and debuggers.
#include "base/array.h"
#include "invariant/families.h"
#include "nt/access.h"

#define GENERIC_RIGHTS 0xf0000000u

static const struct inv_testimony *testimony_of(const struct inv_judge *judge)
{
	return judge->dossiers->testimony;
}

static bool is_kernel_table(const struct inv_testimony *testimony, const struct inv_table_record *table)
{
	return testimony->kernel_table.ok && testimony->kernel_table.u == table->address;
}

const struct inv_dossier *inv_holder_of(const struct inv_dossiers *dossiers, const struct inv_table_record *table)
{
	const struct inv_testimony *testimony = dossiers->testimony;
	if (table->quota_process.ok && table->quota_process.u)
		return inv_dossier_at(dossiers, table->quota_process.u);
	const struct inv_value *system = &testimony->anchors.system;
	if (!system->ok)
		return NULL;
	struct inv_value named = inv_field(dossiers->kernel, system->u, INV_F_EPROCESS_ObjectTable);
	bool of_system = is_kernel_table(testimony, table) || (named.ok && named.u == table->address);
	return of_system ? inv_dossier_at(dossiers, system->u) : NULL;
}

static struct inv_subject holder_subject(const struct inv_judge *judge, const struct inv_table_record *table)
{
	const struct inv_dossier *holder = inv_holder_of(judge->dossiers, table);
	return holder ? inv_subject_process(holder)
	              : inv_subject_other(INV_SUBJECT_LIST, table->address, "HandleTableListHead");
}

static const char *handles_unknown(const struct inv_judge *judge)
{
	return testimony_of(judge)->coverage[INV_W_HANDLES].voided;
}

// -- H01 --------------------------------------------------------------------------------------------------------------------

// Of an object whose header names no type: itself, if it is a process or thread.
static struct inv_subject object_subject(const struct inv_judge *judge, const struct inv_odd_handle *odd)
{
	uint64_t body = inv_object_body(judge->kernel, odd->object);
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, body);
	const struct inv_thread_dossier *thread = inv_thread_dossier_at(judge->dossiers, body);
	if (process)
		return inv_subject_process(process);
	if (thread)
		return inv_subject_thread(judge->dossiers, thread);
	return holder_subject(judge, &testimony_of(judge)->tables[odd->table]);
}

static void says_entry(struct inv_judge *judge, struct inv_finding *finding, const struct inv_table_record *table,
                       uint64_t at, uint64_t handle, uint32_t access)
{
	struct inv_value granted = {.ok = true, .address = at, .u = access};
	if (table->pid.ok)
		inv_witness_says(judge, finding, INV_W_HANDLES, "GrantedAccess", &granted,
		                 "handle 0x%llx of PID %llu grants this", (unsigned long long)handle,
		                 (unsigned long long)table->pid.u);
	else
		inv_witness_says(judge, finding, INV_W_HANDLES, "GrantedAccess", &granted, "handle 0x%llx grants this",
		                 (unsigned long long)handle);
}

// A process or thread whose header says another type: that header is the lie (L12), and the rights may well be those of the true type.
static bool is_of_another_type(const struct inv_judge *judge, const struct inv_odd_handle *odd)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	uint64_t body = inv_object_body(judge->kernel, odd->object);
	if (inv_dossier_at(judge->dossiers, body))
		return !types->process_id.ok || types->process_id.u != odd->index;
	return inv_thread_dossier_at(judge->dossiers, body) && (!types->thread_id.ok || types->thread_id.u != odd->index);
}

static void judge_odd(struct inv_judge *judge, const struct inv_odd_handle *odd)
{
	const struct inv_table_record *table = &testimony_of(judge)->tables[odd->table];
	uint32_t beyond = odd->access & ~(odd->valid | INV_ACCESS_OF_ANY_TYPE);
	bool generic = is_kernel_table(testimony_of(judge), table) && (beyond & ~GENERIC_RIGHTS) == 0;
	if (odd->what == INV_ODD_ACCESS && generic) {
		inv_excuse(judge, holder_subject(judge, table), "kernel-handle");
		return;
	}
	if (odd->what == INV_ODD_ACCESS && is_of_another_type(judge, odd)) {
		inv_unknown_because(judge, "the header of the object says another type than that by which it is known");
		return;
	}
	struct inv_value entry = {.ok = true, .address = odd->at, .u = odd->object};
	if (odd->what != INV_ODD_ACCESS) {
		bool pointer = odd->what == INV_ODD_POINTER;
		struct inv_subject subject = pointer ? holder_subject(judge, table) : object_subject(judge, odd);
		struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_OBJECT_MANAGER);
		inv_witness_says(judge, finding, INV_W_HANDLES, "handle", &entry, "handle 0x%llx leads there",
		                 (unsigned long long)odd->value);
		struct inv_value index = {.ok = true, .u = odd->index};
		if (!pointer)
			inv_field_says(judge, finding, INV_F_OBJECT_HEADER_TypeIndex, &index,
			               "the header there says this type (decoded), and ObTypeIndexTable has none of that index");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, holder_subject(judge, table), INV_TIER_OBJECT_MANAGER);
	says_entry(judge, finding, table, odd->at, odd->value, odd->access);
	struct inv_value type = inv_object_type_at(judge->kernel, &testimony_of(judge)->types, odd->index);
	struct inv_value valid = {.ok = true, .u = odd->valid};
	uint64_t at;
	if (type.ok && inv_field_address(judge->kernel, type.u, INV_F_OBJECT_TYPE_ValidAccessMask, &at))
		valid.address = at;
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_ValidAccessMask, &valid,
	               "all rights that the type of the object has");
	inv_tried(judge, finding, "kernel-handle",
	          is_kernel_table(testimony_of(judge), table) ? "other than generic rights are granted"
	                                                      : "it is not the table that ObpKernelHandleTable names");
}

void inv_judge_H01(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const char *unknown = handles_unknown(judge);
	if (!unknown && testimony->types.unknown)
		unknown = testimony->types.unknown;
	if (!unknown && !testimony->rights)
		unknown = "the address of ObTypeIndexTable is not known";
	if (unknown) {
		inv_unknown_because(judge, unknown);
		return;
	}
	size_t next = 0;
	for (size_t i = 0; i < inv_count(testimony->tables); i++) {
		size_t first = next;
		for (; next < inv_count(testimony->odd_handles) && testimony->odd_handles[next].table == i; next++)
			judge_odd(judge, &testimony->odd_handles[next]);
		const struct inv_table_record *table = &testimony->tables[i];
		if (!table->coverage.complete || table->unread)
			inv_unknown_because(judge, "not all entries, or not the headers or types of all objects, are in the image");
		else if (next == first)
			inv_holds(judge);
	}
}

// -- H02 --------------------------------------------------------------------------------------------------------------------

// Who stands at the other end of a handle that a protected process should not be opened by.
static void judge_opener(struct inv_judge *judge, struct inv_subject target, const struct inv_protection *guarded,
                         const struct inv_handle_record *record, uint32_t access)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const struct inv_table_record *table = &testimony->tables[record->table];
	const struct inv_dossier *holder = inv_holder_of(judge->dossiers, table);
	if (is_kernel_table(testimony, table)) {
		inv_excuse(judge, target, "kernel-handle");
		return;
	}
	if (!holder) {
		inv_unknown_because(judge, "whose handle table it is could not be told");
		return;
	}
	struct inv_protection own = inv_protection_of(judge->kernel, holder->address);
	if (!inv_need(judge, &own.value))
		return;
	bool peer = own.type && own.signer >= guarded->signer;
	if (peer && own.sound) {
		inv_excuse(judge, target, "protected-peer");
		return;
	}
	if (!guarded->of_class) {
		inv_unknown_because(judge,
		                    "the signature levels do not bear out the protection: it may be younger than the handle");
		return;
	}
	if (own.type && own.sound) {
		inv_unknown_because(judge, "what a protected process may do to one of a higher signer is not verified");
		return;
	}
	const struct inv_dossier *process = target.process;
	if (process && process->parent.ok && holder->pid.ok && process->parent.u == holder->pid.u) {
		inv_unknown_because(judge, "which rights the kernel leaves to the process that created it is not verified");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(holder), INV_TIER_OBJECT_MANAGER);
	says_entry(judge, finding, table, record->at, record->value, access);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &guarded->value, "of PID %llu, to which the handle leads",
	               process && process->pid.ok ? (unsigned long long)process->pid.u : 0ull);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &own.value, "of the process that has the handle");
	inv_tried(judge, finding, "kernel-handle", "it is not the table that ObpKernelHandleTable names");
	inv_tried(judge, finding, "protected-peer",
	          own.type ? "the signature levels do not bear out its protection" : "it is not protected");
	if (finding->certainty == INV_CERTAIN) {
		finding->certainty = INV_PROBABLE;
		finding->certainty_why = "whether a protected process may hand such a handle to another is not verified";
	}
}

static void judge_openers(struct inv_judge *judge, struct inv_subject target, const struct inv_protection *guarded,
                          uint32_t power)
{
	size_t count, strong = 0;
	const struct inv_handle_record *records = inv_handles_to(testimony_of(judge), target.address, &count);
	for (size_t i = 0; i < count; i++) {
		struct inv_value access = inv_handle_access_at(judge->kernel, records[i].at);
		if (!access.ok || !(access.u & power))
			continue;
		strong++;
		judge_opener(judge, target, guarded, &records[i], (uint32_t)access.u);
	}
	if (strong == 0)
		inv_holds(judge);
}

static void judge_guarded(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_protection guarded = inv_protection_of(judge->kernel, process->address);
	if (!inv_need(judge, &guarded.value))
		return;
	if (guarded.type)
		judge_openers(judge, inv_subject_process(process), &guarded, INV_PROCESS_POWER);
	else
		inv_holds(judge);
}

static void judge_guarded_thread(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	if (!thread->owner)
		return;
	struct inv_protection guarded = inv_protection_of(judge->kernel, thread->owner);
	if (guarded.type)
		judge_openers(judge, inv_subject_thread(judge->dossiers, thread), &guarded, INV_THREAD_POWER);
}

void inv_judge_H02(struct inv_judge *judge)
{
	if (handles_unknown(judge)) {
		inv_unknown_because(judge, handles_unknown(judge));
		return;
	}
	uint64_t ignored;
	if (!inv_field_address(judge->kernel, 0, INV_F_EPROCESS_Protection, &ignored)) {
		inv_unknown_because(judge, "this kernel has no EPROCESS.Protection");
		return;
	}
	inv_each_process(judge, judge_guarded);
	inv_each_thread(judge, judge_guarded_thread);
}

// -- H04 --------------------------------------------------------------------------------------------------------------------

// What a debug port leads to, by the object's header.
static void judge_port(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *port,
                       const struct inv_value *expected)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	uint64_t header = port->u >> 63 ? inv_object_header(judge->kernel, port->u) : 0;
	struct inv_value index = {0};
	if (header)
		index = inv_object_type_index(judge->kernel, types, header);
	if (header && !inv_need(judge, &index))
		return;
	if (header && index.u == expected->u) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_DebugPort, port,
	               header ? "the object of its debugger" : "no address of the kernel's");
	if (header)
		inv_field_says(judge, finding, INV_F_OBJECT_HEADER_TypeIndex, &index, "the header there says this type%s",
		               types->encoded ? " (decoded)" : "");
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_Index, expected, "the type of debug objects");
}

static void judge_debugged(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value port = inv_field(judge->kernel, process->address, INV_F_EPROCESS_DebugPort);
	if (!inv_need(judge, &port))
		return;
	if (port.u == 0) {
		inv_holds(judge);
		return;
	}
	if (testimony_of(judge)->types.unknown) {
		inv_unknown_because(judge, testimony_of(judge)->types.unknown);
		return;
	}
	struct inv_value type = inv_kernel_symbol(judge->kernel, INV_S_DbgkDebugObjectType, NULL);
	if (type.ok)
		type = inv_read_u64(judge->kernel, type.u);
	if (!inv_need(judge, &type))
		return;
	struct inv_value index = inv_field(judge->kernel, type.u, INV_F_OBJECT_TYPE_Index);
	if (inv_need(judge, &index))
		judge_port(judge, process, &port, &index);
}

void inv_judge_H04(struct inv_judge *judge)
{
	inv_each_process(judge, judge_debugged);
}

// DbgkpMarkProcessPeb writes BeingDebugged whenever it sets or clears DebugPort (so in ReactOS); the process may write what it likes.
void inv_judge_debug_mark(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_value *mark = &inside->peb.being_debugged;
	struct inv_value port = inv_field(judge->kernel, inside->process->address, INV_F_EPROCESS_DebugPort);
	if (!inside->peb.address || !inv_need(judge, mark) || !inv_need(judge, &port))
		return;
	if ((mark->u != 0) == (port.u != 0)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(inside->process), INV_TIER_USER_MODE);
	inv_field_says(judge, finding, INV_F_EPROCESS_DebugPort, &port, "the process %s",
	               port.u ? "has a debugger" : "has no debugger");
	inv_field_says(judge, finding, INV_F_PEB_BeingDebugged, mark, "the process is told that it %s",
	               mark->u ? "has one" : "has none");
}

// -- H05 --------------------------------------------------------------------------------------------------------------------

void inv_judge_H05(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const struct inv_value *system = &testimony->anchors.system, *table = &testimony->kernel_table;
	if (handles_unknown(judge)) {
		inv_unknown_because(judge, handles_unknown(judge));
		return;
	}
	if (!inv_need(judge, table) || !inv_need(judge, system))
		return;
	struct inv_value named = inv_field(judge->kernel, system->u, INV_F_EPROCESS_ObjectTable);
	if (!inv_need(judge, &named))
		return;
	if (named.u == table->u) {
		inv_holds(judge);
		return;
	}
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, system->u);
	struct inv_subject subject = process ? inv_subject_process(process)
	                                     : inv_subject_other(INV_SUBJECT_SYSTEM, system->u, "ObpKernelHandleTable");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_witness_says(judge, finding, INV_W_HANDLES, "ObpKernelHandleTable", table, "the table of the kernel's handles");
	inv_field_says(judge, finding, INV_F_EPROCESS_ObjectTable, &named, "the table of System, which is the same");
}

// -- H06 --------------------------------------------------------------------------------------------------------------------

// Is this what the lists of the table sum up to, however many of those that have room there are?
static enum inv_answer counts_to(const struct inv_handle_counts *counts, size_t used)
{
	if (counts->first.u == used)
		return INV_YES;
	for (size_t i = 0; i < counts->sums; i++)
		if (counts->sum[i] == used)
			return INV_YES;
	bool all_read = counts->lists == 1 || (counts->lists && counts->sums == counts->lists);
	return all_read ? INV_NO : INV_UNSURE;
}

static void judge_used(struct inv_judge *judge, struct inv_subject subject, uint64_t table, size_t used)
{
	struct inv_handle_counts counts;
	inv_handle_counts_read(judge->kernel, table, &counts);
	if (!inv_need(judge, &counts.first))
		return;
	enum inv_answer same = counts_to(&counts, used);
	if (same == INV_YES) {
		inv_holds(judge);
		return;
	}
	if (same == INV_UNSURE) {
		inv_unknown_because(judge, "how many lists of free entries count the table's handles is not known");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_OBJECT_MANAGER);
	bool plain = inv_field_address(judge->kernel, 0, INV_F_HANDLE_TABLE_FREE_LIST_HandleCount, &(uint64_t){0});
	inv_field_says(judge, finding, plain ? INV_F_HANDLE_TABLE_FREE_LIST_HandleCount : INV_F_HANDLE_TABLE_HandleCount,
	               &counts.first, "the table counts this many handles");
	struct inv_value found = {.ok = true, .u = used};
	inv_witness_says(judge, finding, INV_W_HANDLES, "entries", &found,
	                 "the table was read, and this many entries are used");
	uint64_t off = counts.first.u > used ? counts.first.u - used : used - counts.first.u;
	if (finding->certainty == INV_CERTAIN && off <= judge->kernel->cpu_count) {
		finding->certainty = INV_PROBABLE;
		finding->certainty_why = "each CPU may be opening or closing a handle at this very moment";
	}
}

// PspCidTable is a handle table like any other, and on no list.
static void judge_identifiers(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const struct inv_coverage *coverage = &testimony->coverage[INV_W_CID_TABLE];
	if (coverage->voided || !coverage->complete || testimony->full)
		inv_unknown_because(judge, coverage->voided ? coverage->voided : "PspCidTable could not be read to its end");
	else
		judge_used(judge, inv_subject_other(INV_SUBJECT_LIST, testimony->cid_table, "PspCidTable"),
		           testimony->cid_table, inv_count(testimony->ids));
}

void inv_judge_H06(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	if (handles_unknown(judge)) {
		inv_unknown_because(judge, handles_unknown(judge));
		return;
	}
	for (size_t i = 0; i < inv_count(testimony->tables); i++) {
		const struct inv_table_record *table = &testimony->tables[i];
		if (table->coverage.complete)
			judge_used(judge, holder_subject(judge, table), table->address, table->coverage.used);
		else
			inv_unknown_because(judge, "not all entries of the table could be read");
	}
	judge_identifiers(judge);
}
