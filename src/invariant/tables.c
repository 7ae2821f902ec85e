// SPDX-License-Identifier: Apache-2.0
// Families 1 to 3, as far as PspCidTable, handle tables and object headers go.
#include "base/array.h"
#include "invariant/families.h"

// Evidence of the same kind beyond this proves no more.
#define ENOUGH 4u

// Witnesses that hold a reference, or lose an object when it is deleted: what they show exists.
#define LIVE                                                                                                           \
	(INV_BIT(INV_W_ACTIVE_LIST) | INV_BIT(INV_W_SCHEDULER_LIST) | INV_BIT(INV_W_CPU) | INV_BIT(INV_W_ANCHOR) |         \
	 INV_BIT(INV_W_CID_TABLE) | INV_BIT(INV_W_HANDLE_TABLE_LIST) | INV_BIT(INV_W_HANDLES))

static const struct inv_testimony *testimony_of(const struct inv_judge *judge)
{
	return judge->dossiers->testimony;
}

static struct inv_value field_of(const struct inv_judge *judge, uint64_t object, enum inv_field field)
{
	return inv_field(judge->kernel, object, field);
}

static bool reads(const struct inv_judge *judge, uint64_t object, enum inv_field field, bool set)
{
	struct inv_value value = field_of(judge, object, field);
	return value.ok && (value.u != 0) == set;
}

static struct inv_value pointer_count(const struct inv_judge *judge, uint64_t object)
{
	return inv_object_field(judge->kernel, object, INV_F_OBJECT_HEADER_PointerCount);
}

// States c0 and c1: it was not yet inserted, and nothing has run in it.
static bool is_being_created(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return reads(judge, process->address, INV_F_EPROCESS_ProcessInserted, false) &&
	       inv_is_being_created(judge, process);
}

static bool is_being_deleted(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return reads(judge, process->address, INV_F_EPROCESS_ProcessInserted, false) &&
	       inv_is_being_deleted(judge, process);
}

static void says_not_listed(struct inv_judge *judge, struct inv_finding *finding)
{
	const struct inv_list *active = &testimony_of(judge)->active;
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &active->head_flink,
	                 "the list leads past the process (%zu entries were read)", active->count);
}

static const char *cid_unknown(const struct inv_judge *judge)
{
	const struct inv_coverage *coverage = &testimony_of(judge)->coverage[INV_W_CID_TABLE];
	if (coverage->voided)
		return coverage->voided;
	return coverage->complete ? NULL : "PspCidTable could not be read to its end";
}

// -- L02 --------------------------------------------------------------------------------------------------------------------

// What stands in the table where the object should be.
static void says_slot(struct inv_judge *judge, struct inv_finding *finding, const struct inv_value *id)
{
	struct inv_value slot = {0};
	if (id->ok)
		slot = inv_handle_table_find(judge->kernel, testimony_of(judge)->cid_table, id->u);
	if (slot.ok)
		inv_witness_says(judge, finding, INV_W_CID_TABLE, "PspCidTable", &slot,
		                 slot.u ? "another object stands under the identifier %llu, and this one nowhere"
		                        : "nothing stands under the identifier %llu, and the object nowhere else",
		                 (unsigned long long)id->u);
}

static void listed_without_id(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value entry = {.ok = true, .u = process->address};
	inv_witness_says(judge, finding, INV_W_ACTIVE_LIST, "PsActiveProcessHead", &entry, "the process is on the list");
	says_slot(judge, finding, &process->pid);
	inv_tried(judge, finding, "creating", "a process gets its identifier before it is listed");
	inv_tried(judge, finding, "deleting", "a process is off the list before its identifier is destroyed");
}

static void id_without_list(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_id_record *id)
{
	if (is_being_created(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
		return;
	}
	if (is_being_deleted(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "deleting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value entry = {.ok = true, .address = id->at, .u = id->object};
	inv_witness_says(judge, finding, INV_W_CID_TABLE, "PspCidTable", &entry,
	                 "the process stands under the identifier %llu", (unsigned long long)id->id);
	says_not_listed(judge, finding);
	inv_tried(judge, finding, "creating", "Flags.ProcessInserted is set, or the process has run");
	inv_tried(judge, finding, "deleting", "it was not run down, or is still referenced");
}

static void judge_identified(struct inv_judge *judge, const struct inv_dossier *process)
{
	size_t count;
	const struct inv_id_record *ids = inv_ids_of(testimony_of(judge), process->address, &count);
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	if (process->on_active_list == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	bool listed = process->on_active_list == INV_YES;
	if (!listed && !ids) // seen by others only, and not for the table to judge
		return;
	if (listed && ids)
		inv_holds(judge);
	else if (!listed)
		id_without_list(judge, process, ids);
	else if (cid_unknown(judge))
		inv_unknown_because(judge, cid_unknown(judge));
	else
		listed_without_id(judge, process);
}

void inv_judge_L02(struct inv_judge *judge)
{
	// Also what looks freed: who passes for that has to leave the table.
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		judge_identified(judge, &judge->dossiers->processes[i]);
}

// -- L16, the half that the table knows -------------------------------------------------------------------------------------

void inv_judge_id_slot(struct inv_judge *judge, const struct inv_dossier *process)
{
	size_t count;
	const struct inv_id_record *ids = inv_ids_of(testimony_of(judge), process->address, &count);
	for (size_t i = 0; i < count; i++) {
		if (ids[i].target != INV_TARGET_PROCESS || !inv_need(judge, &process->pid))
			continue;
		if (ids[i].id == process->pid.u) {
			inv_holds(judge);
			continue;
		}
		struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
		struct inv_value entry = {.ok = true, .address = ids[i].at, .u = ids[i].object};
		inv_witness_says(judge, finding, INV_W_CID_TABLE, "PspCidTable", &entry,
		                 "the process stands under the identifier %llu", (unsigned long long)ids[i].id);
		inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &process->pid,
		               "the process gives itself another identifier");
	}
}

// -- T05 --------------------------------------------------------------------------------------------------------------------

// By the list it stands on: KTHREAD.Process is only its own word.
static bool is_idle_thread(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	uint64_t owner = thread->owner ? thread->owner : thread->process.ok ? thread->process.u : 0;
	return inv_role_of(judge, owner) == INV_ROLE_IDLE;
}

static void thread_without_id(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_subject subject = inv_subject_thread(judge->dossiers, thread);
	struct inv_value references = pointer_count(judge, thread->address);
	bool ended = reads(judge, thread->address, INV_F_DISPATCHER_HEADER_SignalState, true);
	if (ended && references.ok && references.u == 0) {
		inv_excuse(judge, subject, "deleting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	struct inv_value entry = {.ok = true, .u = thread->address};
	enum inv_witness_id witness = thread->on_executive_list == INV_YES   ? INV_W_THREAD_LIST
	                              : thread->on_scheduler_list == INV_YES ? INV_W_KTHREAD_LIST
	                                                                     : INV_W_CPU;
	inv_witness_says(judge, finding, witness, inv_witness(witness)->name, &entry, "the thread is there");
	says_slot(judge, finding, &thread->cid_thread);
	inv_tried(judge, finding, "deleting", ended ? "the thread is still referenced" : "the thread has not ended");
}

static void judge_thread_id(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	bool exists = thread->on_executive_list == INV_YES || thread->on_scheduler_list == INV_YES ||
	              (thread->seen_by & INV_BIT(INV_W_CPU)) != 0;
	if (!exists)
		return;
	if (is_idle_thread(judge, thread)) {
		inv_excuse(judge, inv_subject_thread(judge->dossiers, thread), "idle");
		return;
	}
	size_t count;
	const struct inv_id_record *id = inv_ids_of(testimony_of(judge), thread->address, &count);
	if (!id && cid_unknown(judge)) {
		inv_unknown_because(judge, cid_unknown(judge));
		return;
	}
	if (!id) {
		thread_without_id(judge, thread);
		return;
	}
	struct inv_value type = field_of(judge, thread->address, INV_F_DISPATCHER_HEADER_Type);
	if (!inv_need(judge, &thread->cid_thread) || !inv_need(judge, &type))
		return;
	if (count == 1 && id->id == thread->cid_thread.u && (type.u & 0x7f) == INV_THREAD_OBJECT) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_EXECUTIVE);
	for (size_t i = 0; i < count && i < ENOUGH; i++) {
		struct inv_value entry = {.ok = true, .address = id[i].at, .u = id[i].object};
		inv_witness_says(judge, finding, INV_W_CID_TABLE, "PspCidTable", &entry,
		                 "the thread stands under the identifier %llu", (unsigned long long)id[i].id);
	}
	inv_field_says(judge, finding, INV_F_ETHREAD_CidUniqueThread, &thread->cid_thread,
	               "the identifier that it gives itself");
	inv_field_says(judge, finding, INV_F_DISPATCHER_HEADER_Type, &type, "the type of the object; a thread has 6");
}

void inv_judge_T05(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_thread_id);
}

// -- L11 --------------------------------------------------------------------------------------------------------------------

// The kernel's own table was made before there was a process to charge it to: *ObpKernelHandleTable; where that cannot be
// read, the table of System, which is the first on the list.
static enum inv_answer is_kernel_table(const struct inv_judge *judge, uint64_t table)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	if (testimony->kernel_table.ok)
		return testimony->kernel_table.u == table ? INV_YES : INV_NO;
	const struct inv_role_anchors *anchors = &testimony->anchors;
	const struct inv_value *system = anchors->system.ok ? &anchors->system : &anchors->active_first;
	struct inv_value named = {0};
	if (system->ok)
		named = field_of(judge, system->u, INV_F_EPROCESS_ObjectTable);
	if (!named.ok)
		return INV_UNSURE;
	return named.u == table ? INV_YES : INV_NO;
}

static struct inv_finding *accuse_table(struct inv_judge *judge, const struct inv_table_record *table,
                                        const struct inv_dossier *process)
{
	struct inv_subject subject = process ? inv_subject_process(process)
	                                     : inv_subject_other(INV_SUBJECT_LIST, table->address, "HandleTableListHead");
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_HANDLE_TABLE_QuotaProcess, &table->quota_process,
	               table->quota_process.u ? "the handle table belongs to this process"
	                                      : "the handle table belongs to no process");
	return finding;
}

static void judge_owner_listed(struct inv_judge *judge, const struct inv_table_record *table,
                               const struct inv_dossier *process)
{
	if (process->on_active_list == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
	} else if (process->on_active_list == INV_YES) {
		inv_holds(judge);
	} else if (is_being_created(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
	} else {
		struct inv_finding *finding = accuse_table(judge, table, process);
		says_not_listed(judge, finding);
		inv_tried(judge, finding, "creating", "Flags.ProcessInserted is set, or the process has run");
	}
}

// The table's identifier is written when the process is inserted.
static void judge_table_id(struct inv_judge *judge, const struct inv_table_record *table,
                           const struct inv_dossier *process)
{
	if (!inv_need(judge, &table->pid) || !inv_need(judge, &process->pid))
		return;
	if (table->pid.u == (process->pid.u & 0xffffffff) || is_kernel_table(judge, table->address) == INV_YES) {
		judge_owner_listed(judge, table, process);
		return;
	}
	if (is_being_created(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "creating");
		return;
	}
	struct inv_finding *finding = accuse_table(judge, table, process);
	inv_field_says(judge, finding, INV_F_HANDLE_TABLE_UniqueProcessId, &table->pid, "the table was made for this PID");
	inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, &process->pid, "the process says it has this one");
	inv_tried(judge, finding, "creating", "Flags.ProcessInserted is set, or the process has run");
}

// ObKillProcess empties the table, then takes it from the process, then from the list.
static bool is_giving_up(const struct inv_judge *judge, uint64_t process)
{
	return reads(judge, process, INV_F_EPROCESS_ObjectTable, false) &&
	       reads(judge, process, INV_F_EPROCESS_ProcessDelete, true) &&
	       reads(judge, process, INV_F_EPROCESS_ActiveThreads, false);
}

static void judge_table(struct inv_judge *judge, const struct inv_table_record *table)
{
	if (!inv_need(judge, &table->quota_process))
		return;
	uint64_t owner = table->quota_process.u;
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, owner);
	enum inv_answer of_kernel = owner ? INV_NO : is_kernel_table(judge, table->address);
	if (of_kernel == INV_UNSURE) {
		inv_unknown_because(judge, "which table is the kernel's own could not be read");
		return;
	}
	if (of_kernel == INV_YES) {
		inv_excuse(judge, inv_subject_other(INV_SUBJECT_LIST, table->address, "HandleTableListHead"), "kernel-table");
		return;
	}
	if (!process) {
		struct inv_finding *finding = accuse_table(judge, table, NULL);
		inv_tried(judge, finding, "kernel-table", "it is not the table that ObpKernelHandleTable names");
		return;
	}
	struct inv_value named = field_of(judge, owner, INV_F_EPROCESS_ObjectTable);
	if (!inv_need(judge, &named))
		return;
	if (named.u == table->address) {
		judge_table_id(judge, table, process);
		return;
	}
	if (is_giving_up(judge, owner)) {
		inv_excuse(judge, inv_subject_process(process), "exiting");
		return;
	}
	struct inv_finding *finding = accuse_table(judge, table, process);
	inv_field_says(judge, finding, INV_F_EPROCESS_ObjectTable, &named, "the process has another table");
	inv_tried(judge, finding, "exiting", "the process has active threads, is not dying, or still has a table");
}

// Every table that a process names is on the list and is its own.
static void judge_named_table(struct inv_judge *judge, const struct inv_dossier *process)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	struct inv_value named = field_of(judge, process->address, INV_F_EPROCESS_ObjectTable);
	if (process->on_active_list != INV_YES || (named.ok && named.u == 0))
		return;
	if (!inv_need(judge, &named))
		return;
	const struct inv_table_record *table = inv_table_record_at(testimony, named.u);
	bool own = table && table->quota_process.ok && table->quota_process.u == process->address;
	const struct inv_value *first = &testimony->anchors.active_first;
	bool is_system = process->role == INV_ROLE_SYSTEM || (first->ok && first->u == process->address);
	bool of_kernel = is_system && is_kernel_table(judge, named.u) != INV_NO;
	if (table && table->listed && (own || of_kernel || !table->quota_process.ok)) {
		inv_holds(judge);
		return;
	}
	if (!(table && table->listed) && !testimony->handle_tables.closed &&
	    !inv_is_led_past(judge, named.u, INV_F_HANDLE_TABLE_HandleTableList)) {
		inv_unknown_because(judge, "HandleTableListHead could not be read to its end");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_OBJECT_MANAGER);
	inv_field_says(judge, finding, INV_F_EPROCESS_ObjectTable, &named, "the process names this handle table");
	if (table && table->listed)
		inv_field_says(judge, finding, INV_F_HANDLE_TABLE_QuotaProcess, &table->quota_process,
		               "the table belongs to another process");
	else
		inv_witness_says(judge, finding, INV_W_HANDLE_TABLE_LIST, "HandleTableListHead",
		                 &testimony->handle_tables.head_flink, "the list leads past it (%zu tables were read)",
		                 testimony->handle_tables.count);
}

void inv_judge_L11(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const char *voided = testimony->coverage[INV_W_HANDLE_TABLE_LIST].voided;
	if (voided) {
		inv_unknown_because(judge, voided);
		return;
	}
	for (size_t i = 0; i < inv_count(testimony->tables); i++)
		if (testimony->tables[i].listed)
			judge_table(judge, &testimony->tables[i]);
	inv_each_process(judge, judge_named_table);
}

// -- L12 --------------------------------------------------------------------------------------------------------------------

static void judge_type(struct inv_judge *judge, const struct inv_dossier *process)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	if (!(process->seen_by & LIVE))
		return;
	if (process->role == INV_ROLE_IDLE) {
		inv_excuse(judge, inv_subject_process(process), "idle");
		return;
	}
	uint64_t header = inv_object_header(judge->kernel, process->address);
	if (types->unknown) {
		inv_unknown_because(judge, types->unknown);
		return;
	}
	struct inv_value index = inv_object_type_index(judge->kernel, types, header);
	if (!inv_need(judge, &index))
		return;
	if (index.u == types->process_id.u) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_OBJECT_MANAGER);
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_TypeIndex, &index, "the object's header says this type%s",
	               types->encoded ? " (decoded)" : "");
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_Index, &types->process_id, "the type of processes");
	unsigned shown = 0;
	for (unsigned i = 0; i < INV_WITNESS_COUNT && shown < ENOUGH; i++) {
		struct inv_value seen = {.ok = true, .u = process->address};
		if (!(process->seen_by & LIVE & INV_BIT(i)))
			continue;
		inv_witness_says(judge, finding, (enum inv_witness_id)i, inv_witness((enum inv_witness_id)i)->name, &seen,
		                 "this witness knows it as a process");
		shown++;
	}
	inv_tried(judge, finding, "idle", "it is not the process that the kernel calls idle");
}

void inv_judge_L12(struct inv_judge *judge)
{
	inv_each_process(judge, judge_type);
}

// -- L13, T14 ---------------------------------------------------------------------------------------------------------------

// Is it an object of this type as far as its header says? One that was freed has no references.
static bool looks_alive(const struct inv_judge *judge, uint64_t object, const struct inv_value *type)
{
	uint64_t header = inv_object_header(judge->kernel, object);
	struct inv_value index = inv_object_type_index(judge->kernel, &testimony_of(judge)->types, header);
	struct inv_value references = pointer_count(judge, object);
	return index.ok && type->ok && index.u == type->u && references.ok && references.u != 0;
}

void inv_judge_census(struct inv_judge *judge, const struct inv_census *census)
{
	struct inv_value total = census->type;
	if (census->type.ok)
		total = field_of(judge, census->type.u, INV_F_OBJECT_TYPE_TotalNumberOfObjects);
	if (!inv_need(judge, &total))
		return;
	if (cid_unknown(judge) || !testimony_of(judge)->active.closed) {
		inv_unknown_because(judge, cid_unknown(judge) ? cid_unknown(judge) : INV_ACTIVE_LIST_UNSURE);
		return;
	}
	if (total.u >= census->certain && total.u <= census->certain + census->possible) {
		inv_holds(judge);
		return;
	}
	// An object is counted before anything knows it and until after everything has forgotten it.
	size_t cpus = judge->kernel->cpu_count ? judge->kernel->cpu_count : 1;
	if (total.u > census->certain && total.u - census->certain - census->possible <= cpus) {
		inv_unknown_because(judge, "no more objects are unaccounted for than CPUs may be creating or deleting");
		return;
	}
	if (total.u > census->certain && census->more_unknown) {
		inv_unknown_because(judge, census->more_unknown);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, census->type.u, census->name), INV_TIER_OBJECT_MANAGER);
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_TotalNumberOfObjects, &total,
	               "this many objects of the type exist");
	struct inv_value found = {.ok = true, .u = census->certain};
	inv_witness_says(judge, finding, INV_W_CID_TABLE, "objects", &found,
	                 "all witnesses together know this many, and %zu more that may have been freed", census->possible);
	if (total.u > census->certain && census->more_probable && finding->certainty == INV_CERTAIN) {
		finding->certainty = INV_PROBABLE;
		finding->certainty_why = census->more_probable;
	}
}

void inv_judge_L13(struct inv_judge *judge)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	struct inv_census census = {.name = "Process", .type = types->process, .index = types->process_id};
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		if (process->role == INV_ROLE_IDLE)
			continue;
		if (process->seen_by & LIVE)
			census.certain++;
		else
			census.possible += looks_alive(judge, process->address, &census.index);
	}
	inv_judge_census(judge, &census);
	inv_judge_token_census(judge);
}

void inv_judge_T14(struct inv_judge *judge)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	struct inv_census census = {.name = "Thread", .type = types->thread, .index = types->thread_id};
	for (size_t i = 0; i < judge->dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &judge->dossiers->threads[i];
		if (is_idle_thread(judge, thread))
			continue;
		if (thread->on_executive_list == INV_YES || thread->on_scheduler_list == INV_YES || thread->seen_by & LIVE)
			census.certain++;
		else
			census.possible += looks_alive(judge, thread->address, &census.index);
	}
	inv_judge_census(judge, &census);
}

// -- L19, L20, X04 ----------------------------------------------------------------------------------------------------------

struct range {
	const struct inv_handle_record *first;
	size_t count;
};

static struct range handles_to(const struct inv_judge *judge, uint64_t body)
{
	struct range range;
	range.first = inv_handles_to(testimony_of(judge), body, &range.count);
	return range;
}

static void says_handles(struct inv_judge *judge, struct inv_finding *finding, const struct range *range)
{
	for (size_t i = 0; i < range->count && i < ENOUGH; i++) {
		const struct inv_handle_record *record = &range->first[i];
		struct inv_value entry = {
		    .ok = true, .address = record->at, .u = inv_object_header(judge->kernel, record->body)};
		const struct inv_table_record *table = &testimony_of(judge)->tables[record->table];
		if (table->pid.ok)
			inv_witness_says(judge, finding, INV_W_HANDLES, "handle", &entry, "handle 0x%llx of PID %llu leads to it",
			                 (unsigned long long)record->value, (unsigned long long)table->pid.u);
		else
			inv_witness_says(judge, finding, INV_W_HANDLES, "handle", &entry, "handle 0x%llx leads to it",
			                 (unsigned long long)record->value);
	}
}

static void judge_target(struct inv_judge *judge, const struct range *range)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, range->first->body);
	if (!process)
		return;
	if (process->on_active_list == INV_UNSURE) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	if (process->on_active_list == INV_YES) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	says_handles(judge, finding, range);
	says_not_listed(judge, finding);
}

void inv_judge_L19(struct inv_judge *judge)
{
	const char *voided = testimony_of(judge)->coverage[INV_W_HANDLES].voided;
	if (voided) {
		inv_unknown_because(judge, voided);
		return;
	}
	const struct inv_handle_record *handles = testimony_of(judge)->handles;
	for (size_t i = 0; i < inv_count(handles);) {
		struct range range = handles_to(judge, handles[i].body);
		bool process = false;
		for (size_t j = 0; j < range.count; j++)
			process = process || range.first[j].target == INV_TARGET_PROCESS;
		if (process)
			judge_target(judge, &range);
		i += range.count;
	}
}

static void miscounted(struct inv_judge *judge, struct inv_subject subject, const struct inv_value *handles,
                       const struct range *range)
{
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_OBJECT_MANAGER);
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_HandleCount, handles, "the object counts this many handles");
	struct inv_value found = {.ok = true, .u = range->count};
	inv_witness_says(judge, finding, INV_W_HANDLES, "entries", &found,
	                 "all handle tables were read, and this many entries lead to it");
	says_handles(judge, finding, range);
	// The count rises before the entry is made and falls after it is gone, so that a handle which is being opened or closed
	// at this very moment counts one too many. An image cannot tell that from a hidden entry.
	// (ReactOS orders it so in ObpCreateHandle and ObpCloseHandleTableEntry; not verified on Windows.)
	if (handles->u == range->count + 1 && finding->certainty == INV_CERTAIN) {
		finding->certainty = INV_PROBABLE;
		finding->certainty_why = "one handle may be opened or closed at this very moment";
	}
}

static void judge_counts(struct inv_judge *judge, struct inv_subject subject, const struct range *range)
{
	struct inv_value handles = inv_object_field(judge->kernel, subject.address, INV_F_OBJECT_HEADER_HandleCount);
	struct inv_value pointers = pointer_count(judge, subject.address);
	if (!inv_need(judge, &handles) || !inv_need(judge, &pointers))
		return;
	// From Windows 8 on a handle holds many references in advance, and how many is not verified.
	uint64_t ignored;
	bool biased = inv_field_address(judge->kernel, 0, INV_F_HANDLE_TABLE_ENTRY_ObjectPointerBits, &ignored);
	if (handles.u != range->count) {
		miscounted(judge, subject, &handles, range);
	} else if (!biased && pointers.u < handles.u) {
		struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_OBJECT_MANAGER);
		inv_field_says(judge, finding, INV_F_OBJECT_HEADER_HandleCount, &handles, "this many handles hold the object");
		inv_field_says(judge, finding, INV_F_OBJECT_HEADER_PointerCount, &pointers, "fewer references are counted");
	} else {
		inv_holds(judge);
	}
}

void inv_judge_L20(struct inv_judge *judge)
{
	const struct inv_coverage *coverage = &testimony_of(judge)->coverage[INV_W_HANDLES];
	if (coverage->voided || !coverage->complete) {
		inv_unknown_because(judge, coverage->voided ? coverage->voided : "not all handle tables could be read");
		return;
	}
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct range range = handles_to(judge, process->address);
		if (process->role == INV_ROLE_IDLE)
			inv_excuse(judge, inv_subject_process(process), "idle");
		else if (process->seen_by & LIVE)
			judge_counts(judge, inv_subject_process(process), &range);
	}
	for (size_t i = 0; i < judge->dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &judge->dossiers->threads[i];
		struct range range = handles_to(judge, thread->address);
		bool exists = thread->on_executive_list == INV_YES || thread->seen_by & LIVE;
		if (exists && !is_idle_thread(judge, thread))
			judge_counts(judge, inv_subject_thread(judge->dossiers, thread), &range);
	}
}

static void judge_held(struct inv_judge *judge, const struct inv_dossier *process, const struct range *range)
{
	struct inv_value pointers = pointer_count(judge, process->address);
	if (!inv_need(judge, &pointers))
		return;
	if (range->count && pointers.u) {
		inv_holds(judge);
	} else if (range->count) {
		struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_OBJECT_MANAGER);
		inv_field_says(judge, finding, INV_F_OBJECT_HEADER_PointerCount, &pointers, "nothing holds the process");
		says_handles(judge, finding, range);
		inv_tried(judge, finding, "unreferenced", "a handle leads to it");
	} else if (pointers.u) {
		inv_unknown_because(judge, "no handle leads to it, and references of the kernel cannot be listed");
	} else {
		inv_excuse(judge, inv_subject_process(process), "unreferenced");
	}
}

void inv_judge_X04(struct inv_judge *judge)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct range range = handles_to(judge, process->address);
		bool ended = process->state == INV_STATE_ZOMBIE || process->state == INV_STATE_DELETING;
		if (ended && process->seen_by & LIVE)
			judge_held(judge, process, &range);
	}
}
