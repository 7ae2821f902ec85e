// SPDX-License-Identifier: Apache-2.0
// PspCidTable, the list of handle tables, and the handles in them.
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/search.h"
#include "base/workers.h"
#include "witness/witness.h"

// A header and the first byte of the body, in every layout of x64.
#define MAX_HEADER 0x40u
#define ID_OF_SYSTEM 4u
#define HANDLE_VALUE_MASK 0x3fffffffu // INV_HANDLE_BOUND times 4 is less

static enum inv_target target_of_type(uint8_t type)
{
	switch (type & INV_DISPATCHER_TYPE) {
	case INV_PROCESS_OBJECT:
		return INV_TARGET_PROCESS;
	case INV_THREAD_OBJECT:
		return INV_TARGET_THREAD;
	default:
		return INV_TARGET_OTHER;
	}
}

static enum inv_target target_of_index(const struct inv_object_types *types, const struct inv_value *index)
{
	if (index->ok && types->process_id.ok && index->u == types->process_id.u)
		return INV_TARGET_PROCESS;
	if (index->ok && types->thread_id.ok && index->u == types->thread_id.u)
		return INV_TARGET_THREAD;
	return INV_TARGET_OTHER;
}

static bool carries_id(const struct inv_testimony *testimony, uint64_t object, enum inv_field field, uint64_t id)
{
	struct inv_value value = inv_field(testimony->kernel, object, field);
	return value.ok && value.u == id;
}

// What an entry of PspCidTable points at. The dispatcher header and the object header must agree, or one of them know
// nothing of it; else, as either may be forged, the identifier decides that it carries.
static enum inv_target target_of_body(const struct inv_testimony *testimony, uint64_t body, uint64_t id)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value type = inv_field(kernel, body, INV_F_DISPATCHER_HEADER_Type);
	enum inv_target looks = type.ok ? target_of_type((uint8_t)type.u) : INV_TARGET_OTHER;
	struct inv_value index = inv_object_type_index(kernel, &testimony->types, inv_object_header(kernel, body));
	enum inv_target says = target_of_index(&testimony->types, &index);
	if (looks != INV_TARGET_OTHER && (says == looks || says == INV_TARGET_OTHER))
		return looks;
	if (looks == INV_TARGET_OTHER && says != INV_TARGET_OTHER)
		return says;
	if (carries_id(testimony, body, INV_F_EPROCESS_UniqueProcessId, id))
		return INV_TARGET_PROCESS;
	return carries_id(testimony, body, INV_F_ETHREAD_CidUniqueThread, id) ? INV_TARGET_THREAD : INV_TARGET_OTHER;
}

static void take_id(void *context, const struct inv_handle *handle)
{
	struct inv_testimony *testimony = context;
	struct inv_id_record record = {.id = handle->value, .object = handle->object, .at = handle->at};
	record.target = handle->object >> 63 ? target_of_body(testimony, handle->object, handle->value) : INV_TARGET_OTHER;
	if (inv_take_room(testimony, sizeof record))
		inv_push(testimony->ids, record);
}

static int by_object(const void *a, const void *b)
{
	const struct inv_id_record *left = a, *right = b;
	if (left->object != right->object)
		return left->object < right->object ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

// A table that is decoded rightly leads to objects that carry the identifiers under which they stand (lifetime.md D.4).
// System is asked first; should its entry be gone, more than half of the others must bear it out.
static bool is_decoded(const struct inv_testimony *testimony)
{
	size_t agree = 0, count = inv_count(testimony->ids);
	for (size_t i = 0; i < count; i++) {
		const struct inv_id_record *record = &testimony->ids[i];
		enum inv_field field =
		    record->target == INV_TARGET_PROCESS ? INV_F_EPROCESS_UniqueProcessId : INV_F_ETHREAD_CidUniqueThread;
		bool carries = record->target != INV_TARGET_OTHER && carries_id(testimony, record->object, field, record->id);
		const struct inv_value *system = &testimony->anchors.system;
		if (carries && record->id == ID_OF_SYSTEM && system->ok && record->object == system->u)
			return true;
		agree += carries;
	}
	return agree > count / 2;
}

static void sight_id(struct inv_testimony *testimony, const struct inv_id_record *record)
{
	if (record->target == INV_TARGET_PROCESS)
		inv_sight(testimony, INV_W_CID_TABLE, record->object, 0, record->at);
	else if (record->target == INV_TARGET_THREAD)
		inv_sight(testimony, INV_W_CID_TABLE, 0, record->object, record->at);
	else
		testimony->coverage[INV_W_CID_TABLE].broken++;
}

static void read_ids(struct inv_testimony *testimony)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_CID_TABLE];
	struct inv_handle_coverage table;
	size_t budget = INV_HANDLE_BOUND;
	inv_handle_table_walk(testimony->kernel, testimony->cid_table, &budget, take_id, testimony, &table);
	coverage->read = table.read;
	coverage->broken = table.broken;
	coverage->unreadable = table.unreadable;
	if (table.used == 0 && !table.complete) {
		inv_void(testimony, INV_W_CID_TABLE, "PspCidTable could not be read");
	} else if (!is_decoded(testimony)) {
		inv_void(testimony, INV_W_CID_TABLE, "the entries of PspCidTable do not lead to what they should identify");
	} else {
		for (size_t i = 0; i < inv_count(testimony->ids); i++)
			sight_id(testimony, &testimony->ids[i]);
		qsort(testimony->ids, inv_count(testimony->ids), sizeof *testimony->ids, by_object);
		coverage->complete = table.complete;
		return;
	}
	inv_array_free(testimony->ids);
}

void inv_witness_cid_table(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	const char *unknown = inv_handle_table_unknown(kernel);
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_PspCidTable, NULL);
	struct inv_value table = symbol.ok ? inv_read_u64(kernel, symbol.u) : symbol;
	if (unknown) {
		inv_void(testimony, INV_W_CID_TABLE, unknown);
	} else if (!table.ok) {
		inv_void(testimony, INV_W_CID_TABLE, "the address of PspCidTable is not known or could not be read");
	} else {
		testimony->cid_table = table.u;
		read_ids(testimony);
	}
}

// How many of the identifiers lead to objects below this one, and to this one too if `with`.
static size_t count_ids(const struct inv_testimony *testimony, uint64_t object, bool with)
{
	return inv_count_below(INV_KEY_OF(testimony->ids, object), inv_count(testimony->ids), sizeof *testimony->ids,
	                       object, with);
}

const struct inv_id_record *inv_ids_of(const struct inv_testimony *testimony, uint64_t object, size_t *count)
{
	size_t first = count_ids(testimony, object, false);
	*count = count_ids(testimony, object, true) - first;
	return *count ? &testimony->ids[first] : NULL;
}

// -- handles ----------------------------------------------------------------------------------------------------------------

struct reader {
	struct inv_testimony *testimony;
	uint32_t table;
	uint64_t type_at, mask_at, body_at; // in a header
	bool masked;                        // it has an InfoMask
	size_t unread;
};

// Where the two headers of an object contradict each other, PspCidTable may know it.
static enum inv_target target_of_known(const struct inv_testimony *testimony, uint64_t body, enum inv_target otherwise)
{
	size_t count;
	const struct inv_id_record *ids = inv_ids_of(testimony, body, &count);
	return ids ? ids->target : otherwise;
}

static bool is_of(const struct inv_value *index, const struct inv_value *type)
{
	return index->ok && type->ok && index->u == type->u;
}

// What leads back to who made it.
static void take_owned(const struct reader *reader, uint64_t body, const struct inv_value *index)
{
	struct inv_testimony *testimony = reader->testimony;
	const struct inv_object_types *types = &testimony->types;
	struct inv_owned_object owned = {.body = body, .table = reader->table};
	if (is_of(index, &types->port_id))
		owned.witness = INV_W_ALPC_PORTS;
	else if (is_of(index, &types->registration_id))
		owned.witness = INV_W_ETW_REGISTRATIONS;
	else if (is_of(index, &types->timer_id))
		owned.witness = INV_W_TIMERS;
	else
		return;
	if (inv_take_room(testimony, sizeof owned))
		inv_push(testimony->owned, owned);
}

// What knows itself who has handles to it. Doubles that follow each other are left out at once.
static void take_counted(const struct reader *reader, uint64_t header)
{
	struct inv_testimony *testimony = reader->testimony;
	size_t count = inv_count(testimony->counted);
	if (count && testimony->counted[count - 1] == header)
		return;
	if (inv_take_room(testimony, sizeof header))
		inv_push(testimony->counted, header);
}

// Tokens and jobs are only counted.
static void take_other(const struct reader *reader, uint64_t body, const struct inv_value *index)
{
	struct inv_testimony *testimony = reader->testimony;
	const struct inv_object_types *types = &testimony->types;
	if (index->ok && types->token_id.ok && index->u == types->token_id.u)
		inv_push(testimony->named_tokens, body);
	else if (index->ok && types->job_id.ok && index->u == types->job_id.u)
		inv_push(testimony->named_jobs, body);
	else
		take_owned(reader, body, index);
}

static void keep_odd(const struct reader *reader, const struct inv_handle *handle, struct inv_odd_handle odd)
{
	odd.object = handle->object;
	odd.at = handle->at;
	odd.value = handle->value;
	odd.table = reader->table;
	odd.access = handle->access;
	if (inv_take_room(reader->testimony, sizeof odd))
		inv_push(reader->testimony->odd_handles, odd);
}

// Does the type exist, and does it have the rights that the entry grants?
static void test_rights(struct reader *reader, const struct inv_handle *handle, const struct inv_value *index)
{
	const struct inv_type_rights *rights = reader->testimony->rights;
	if (!index->ok || !rights || rights[index->u].state == INV_TYPE_UNREAD) {
		reader->unread++;
		return;
	}
	struct inv_odd_handle odd = {.index = (uint8_t)index->u, .valid = rights[index->u].valid, .what = INV_ODD_ACCESS};
	if (rights[index->u].state == INV_TYPE_NONE)
		odd.what = INV_ODD_TYPE;
	else if ((handle->access & ~(odd.valid | INV_ACCESS_OF_ANY_TYPE)) == 0)
		return;
	keep_odd(reader, handle, odd);
}

// A handle to a process or thread by the object's header; one whose header says otherwise, or cannot be decoded, is kept when
// the object itself looks like one.
static void take_handle(void *context, const struct inv_handle *handle)
{
	struct reader *reader = context;
	struct inv_testimony *testimony = reader->testimony;
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	uint8_t header[MAX_HEADER + 1] = {0};
	size_t size = reader->body_at + 1;
	if (!(handle->object >> 63) || handle->object > UINT64_MAX - size) {
		coverage->broken++;
		keep_odd(reader, handle, (struct inv_odd_handle){.what = INV_ODD_POINTER});
		return;
	}
	if (inv_space_read(testimony->kernel->space, handle->object, header, size, NULL) != size) {
		coverage->unreadable++;
		reader->unread++;
		return;
	}
	struct inv_value index = {.ok = !testimony->types.unknown};
	index.u = inv_object_decode_index(&testimony->types, handle->object, header[reader->type_at]);
	test_rights(reader, handle, &index);
	if (reader->masked && header[reader->mask_at] & INV_INFO_HANDLES)
		take_counted(reader, handle->object);
	uint64_t body = handle->object + reader->body_at;
	enum inv_target target = target_of_index(&testimony->types, &index);
	// A few other objects begin with the same byte.
	enum inv_target looks = target_of_type(header[reader->body_at]);
	if (target == INV_TARGET_OTHER && looks == INV_TARGET_OTHER) {
		take_other(reader, body, &index);
		return;
	}
	if (target != INV_TARGET_OTHER && looks != INV_TARGET_OTHER && target != looks)
		target = target_of_known(testimony, body, looks);
	struct inv_handle_record record = {.body = body,
	                                   .at = handle->at,
	                                   .table = reader->table,
	                                   .value = (uint32_t)handle->value & HANDLE_VALUE_MASK,
	                                   .target = (uint32_t)target & 3};
	if (inv_take_room(testimony, sizeof record))
		inv_push(testimony->handles, record);
	coverage->sightings += target != INV_TARGET_OTHER;
}

static bool read_places(const struct inv_kernel *kernel, struct reader *reader)
{
	reader->masked =
	    inv_field_address(kernel, 0, INV_F_OBJECT_HEADER_InfoMask, &reader->mask_at) && reader->mask_at < MAX_HEADER;
	return inv_field_address(kernel, 0, INV_F_OBJECT_HEADER_TypeIndex, &reader->type_at) &&
	       inv_field_address(kernel, 0, INV_F_OBJECT_HEADER_Body, &reader->body_at) && reader->body_at <= MAX_HEADER &&
	       reader->type_at < reader->body_at;
}

static void read_handles(struct inv_testimony *testimony, uint32_t index, struct inv_table_record *table)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	struct reader reader = {.testimony = testimony, .table = index};
	if (!testimony->kernel->space || !read_places(testimony->kernel, &reader))
		return;
	inv_handle_table_walk(testimony->kernel, table->address, &testimony->handle_budget, take_handle, &reader,
	                      &table->coverage);
	table->unread = reader.unread;
	coverage->read += table->coverage.read;
	coverage->broken += table->coverage.broken;
	coverage->unreadable += table->coverage.unreadable;
}

// -- several tables at once -------------------------------------------------------------------------------------------------

// So many tables are read before what they said is joined, in their order; and each of them so far. One that is larger is read
// again when its turn comes, alone.
#define TABLES_AT_ONCE 128u
#define ENTRIES_AT_ONCE ((size_t)16 * INV_HANDLE_PAGE_ENTRIES)
#define ROOM_AT_ONCE                                                                                                   \
	(ENTRIES_AT_ONCE * (sizeof(struct inv_handle_record) + sizeof(struct inv_odd_handle) +                             \
	                    sizeof(struct inv_owned_object) + sizeof(uint64_t)))

// One table's own testimony. What it shares with the common one is only read.
struct hearing {
	struct inv_testimony own;
	struct inv_table_record table;
};

struct hearings {
	const struct inv_testimony *testimony;
	size_t first;
	struct hearing *hearings;
};

static void hear_one(void *context, size_t index)
{
	const struct hearings *all = context;
	struct hearing *hearing = &all->hearings[index];
	struct inv_testimony *own = &hearing->own;
	*own = *all->testimony;
	own->handles = NULL;
	own->odd_handles = NULL;
	own->owned = NULL;
	own->counted = NULL;
	own->named_tokens = own->named_jobs = NULL;
	own->coverage[INV_W_HANDLES] = (struct inv_coverage){0};
	own->handle_budget = ENTRIES_AT_ONCE;
	own->room = ROOM_AT_ONCE;
	hearing->table = all->testimony->tables[all->first + index];
	read_handles(own, (uint32_t)(all->first + index), &hearing->table);
}

// Would it have said the same if it had been read in its turn?
static bool fits(const struct inv_testimony *testimony, const struct inv_testimony *own)
{
	return own->handle_budget >= INV_HANDLE_PAGE_ENTRIES && testimony->handle_budget >= ENTRIES_AT_ONCE &&
	       testimony->room >= ROOM_AT_ONCE;
}

static void join_hearing(struct inv_testimony *testimony, const struct inv_testimony *own)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	const struct inv_coverage *more = &own->coverage[INV_W_HANDLES];
	for (size_t i = 0; i < inv_count(own->handles); i++)
		inv_push(testimony->handles, own->handles[i]);
	for (size_t i = 0; i < inv_count(own->odd_handles); i++)
		inv_push(testimony->odd_handles, own->odd_handles[i]);
	for (size_t i = 0; i < inv_count(own->owned); i++)
		inv_push(testimony->owned, own->owned[i]);
	for (size_t i = 0; i < inv_count(own->counted); i++)
		inv_push(testimony->counted, own->counted[i]);
	for (size_t i = 0; i < inv_count(own->named_tokens); i++)
		inv_push(testimony->named_tokens, own->named_tokens[i]);
	for (size_t i = 0; i < inv_count(own->named_jobs); i++)
		inv_push(testimony->named_jobs, own->named_jobs[i]);
	coverage->read += more->read;
	coverage->broken += more->broken;
	coverage->unreadable += more->unreadable;
	coverage->sightings += more->sightings;
	testimony->handle_budget -= ENTRIES_AT_ONCE - own->handle_budget;
	testimony->room -= ROOM_AT_ONCE - own->room;
}

static void hear_tables(struct inv_testimony *testimony)
{
	struct hearings all = {.testimony = testimony, .hearings = inv_alloc(TABLES_AT_ONCE * sizeof *all.hearings)};
	for (; all.first < inv_count(testimony->tables); all.first += TABLES_AT_ONCE) {
		size_t left = inv_count(testimony->tables) - all.first, now = left < TABLES_AT_ONCE ? left : TABLES_AT_ONCE;
		inv_workers_run(testimony->threads, now, hear_one, &all);
		for (size_t i = 0; i < now; i++) {
			struct inv_testimony *own = &all.hearings[i].own;
			struct inv_table_record *table = &testimony->tables[all.first + i];
			if (fits(testimony, own)) {
				*table = all.hearings[i].table;
				join_hearing(testimony, own);
			} else {
				read_handles(testimony, (uint32_t)(all.first + i), table);
			}
			inv_array_free(own->handles);
			inv_array_free(own->odd_handles);
			inv_array_free(own->named_tokens);
			inv_array_free(own->named_jobs);
			inv_array_free(own->owned);
			inv_array_free(own->counted);
		}
	}
	free(all.hearings);
}

static struct inv_table_record *add_table(struct inv_testimony *testimony, uint64_t address, bool listed)
{
	ptrdiff_t known = stbds_hmgeti(testimony->table_index, address);
	if (known >= 0)
		return NULL;
	struct inv_table_record table = {.address = address,
	                                 .listed = listed,
	                                 .quota_process =
	                                     inv_field(testimony->kernel, address, INV_F_HANDLE_TABLE_QuotaProcess),
	                                 .pid = inv_field(testimony->kernel, address, INV_F_HANDLE_TABLE_UniqueProcessId)};
	stbds_hmput(testimony->table_index, address, inv_count(testimony->tables));
	inv_push(testimony->tables, table);
	return &testimony->tables[inv_count(testimony->tables) - 1];
}

const struct inv_table_record *inv_table_record_at(const struct inv_testimony *testimony, uint64_t address)
{
	struct inv_table_index *index = testimony->table_index;
	ptrdiff_t known = index ? stbds_hmgeti(index, address) : -1;
	return known >= 0 ? &testimony->tables[testimony->table_index[known].value] : NULL;
}

static void sight_table(struct inv_testimony *testimony, uint64_t entry, uint64_t offset)
{
	const struct inv_table_record *table = add_table(testimony, entry - offset, true);
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLE_TABLE_LIST];
	if (!table)
		return;
	if (!table->quota_process.ok)
		coverage->unreadable++;
	else if (table->quota_process.u >> 63)
		inv_sight(testimony, INV_W_HANDLE_TABLE_LIST, table->quota_process.u, 0, table->quota_process.address);
	else if (table->quota_process.u) // 0: the kernel's own table was made before there was a process
		coverage->broken++;
}

void inv_witness_handle_table_list(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_HandleTableListHead, NULL);
	uint64_t offset;
	if (!inv_field_address(kernel, 0, INV_F_HANDLE_TABLE_HandleTableList, &offset)) {
		inv_void(testimony, INV_W_HANDLE_TABLE_LIST, "the layout has no such list entry");
		return;
	}
	if (!head.ok) {
		inv_void(testimony, INV_W_HANDLE_TABLE_LIST, "the address of the list head is not known");
		return;
	}
	struct inv_list *list = &testimony->handle_tables;
	inv_list_walk(kernel, testimony->arena, "HandleTableListHead", head.u, INV_LIST_BOUND, list);
	inv_count_links(list, &testimony->coverage[INV_W_HANDLE_TABLE_LIST]);
	for (size_t i = 0; i < list->count; i++)
		sight_table(testimony, list->nodes[i].entry, offset);
	testimony->coverage[INV_W_HANDLE_TABLE_LIST].complete = list->closed;
	if (!list->head_flink.ok)
		inv_void(testimony, INV_W_HANDLE_TABLE_LIST, "the list head could not be read");
}

void inv_witness_handles(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	const char *unknown = inv_handle_table_unknown(kernel);
	if (unknown) {
		inv_void(testimony, INV_W_HANDLES, unknown);
		return;
	}
	testimony->handle_budget = INV_HANDLE_BUDGET;
	testimony->before_handles = inv_count(testimony->sightings);
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_ObpKernelHandleTable, NULL);
	testimony->kernel_table = symbol.ok ? inv_read_u64(kernel, symbol.u) : symbol;
	if (!testimony->types.unknown && testimony->types.table) {
		testimony->rights = inv_arena_alloc(testimony->arena, INV_TYPE_INDICES * sizeof *testimony->rights);
		inv_object_rights_read(kernel, &testimony->types, testimony->rights);
	}
	hear_tables(testimony);
	if (testimony->kernel_table.ok)
		inv_hear_table(testimony, testimony->kernel_table.u);
}

void inv_hear_table(struct inv_testimony *testimony, uint64_t address)
{
	if (testimony->coverage[INV_W_HANDLES].voided || !(address >> 63))
		return;
	struct inv_table_record *table = add_table(testimony, address, false);
	if (table)
		read_handles(testimony, (uint32_t)(table - testimony->tables), table);
}

// By body, then by address: by the highest bit in which any two differ, again and again. Needs no memory, and no order of the
// entries makes it slow. Each level decides one of 128 bits.
static void sort_handles(struct inv_handle_record *handles, size_t count) // NOLINT(misc-no-recursion)
{
	while (count > 1) {
		uint64_t bodies = 0, places = 0;
		for (size_t i = 1; i < count; i++) {
			bodies |= handles[i].body ^ handles[0].body;
			places |= handles[i].at ^ handles[0].at;
		}
		if ((bodies | places) == 0)
			return;
		uint64_t bit = UINT64_C(1) << (63 - __builtin_clzll(bodies ? bodies : places));
		size_t low = 0, high = count;
		while (low < high) {
			if (((bodies ? handles[low].body : handles[low].at) & bit) == 0) {
				low++;
				continue;
			}
			high--;
			struct inv_handle_record other = handles[high];
			handles[high] = handles[low];
			handles[low] = other;
		}
		sort_handles(handles, low);
		handles += low;
		count -= low;
	}
}

// As count_ids(), of handles.
static size_t count_handles(const struct inv_testimony *testimony, uint64_t object, bool with)
{
	return inv_count_below(INV_KEY_OF(testimony->handles, body), inv_count(testimony->handles),
	                       sizeof *testimony->handles, object, with);
}

const struct inv_handle_record *inv_handles_to(const struct inv_testimony *testimony, uint64_t object, size_t *count)
{
	size_t first = count_handles(testimony, object, false);
	*count = count_handles(testimony, object, true) - first;
	return *count ? &testimony->handles[first] : NULL;
}

void inv_sort_handles(struct inv_testimony *testimony)
{
	sort_handles(testimony->handles, inv_count(testimony->handles));
}

void inv_settle_handles(struct inv_testimony *testimony)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_HANDLES];
	coverage->complete = !coverage->voided && testimony->handle_tables.closed && inv_count(testimony->tables) > 0;
	for (size_t i = 0; i < inv_count(testimony->tables); i++)
		coverage->complete = coverage->complete && testimony->tables[i].coverage.complete;
	if (!coverage->voided && inv_count(testimony->tables) == 0)
		inv_void(testimony, INV_W_HANDLES, "no handle table was found");
}
