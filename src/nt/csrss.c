// SPDX-License-Identifier: Apache-2.0
#include "nt/csrss.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/search.h"
#include "kernel/list.h"
#include "nt/handle_table.h"
#include "nt/process.h"
#include "nt/user.h"
#include "nt/vad.h"

// CSR_PROCESS and CSR_THREAD of x64, from Windows 7 on (Geoff Chappell, csrsrv; both are in no symbol table of the kernel).
#define PROCESS_LINK 0x10u
#define PROCESS_THREADS 0x20u
#define PROCESS_HANDLE 0x50u
#define PROCESS_SEQUENCE 0x58u
#define PROCESS_HEAD 0x60u // what is read of one
#define THREAD_LINK 0x08u
#define THREAD_HASH 0x18u
#define THREAD_PID 0x28u
#define THREAD_TID 0x30u
#define THREAD_PROCESS 0x38u
#define THREAD_HANDLE 0x40u
#define THREAD_HEAD 0x48u
#define ALIGN 16u // of blocks of a heap

#define PAGE 0x1000u
#define WRITABLE 4u // MM_READWRITE; MM_EXECUTE_READWRITE has the same bit, and copies on write are no private memory
#define IDS UINT64_C(0x100000000)
#define HANDLES UINT64_C(0x4000000)
#define LOWEST UINT64_C(0x10000) // address of user memory
#define FEW 3u                   // voters who prove nothing by themselves
#define ROOTS 16u
#define ENTRIES ((size_t)1 << 20) // PTEs and tables that are looked at in one csrss

// -- which process it is ----------------------------------------------------------------------------------------------------

struct ballot {
	uint64_t session, port, voter;
};

static int by_session(const void *a, const void *b)
{
	const struct ballot *left = a, *right = b;
	if (left->session != right->session)
		return left->session < right->session ? -1 : 1;
	return (left->port > right->port) - (left->port < right->port);
}

struct inv_value inv_is_port(const struct inv_kernel *kernel, const struct inv_object_types *types, uint64_t object)
{
	struct inv_value type = inv_kernel_symbol(kernel, INV_S_AlpcPortObjectType, NULL);
	if (type.ok)
		type = inv_read_u64(kernel, type.u);
	if (!type.ok)
		return type;
	struct inv_value expected = inv_field(kernel, type.u, INV_F_OBJECT_TYPE_Index);
	uint64_t header = inv_object_header(kernel, object);
	struct inv_value index = inv_object_type_index(kernel, types, header);
	if (!expected.ok || !index.ok || types->unknown)
		return expected.ok ? (struct inv_value){.address = index.address, .why = index.why} : expected;
	index.u = index.u == expected.u;
	return index;
}

// The port that most have, of the ballots of one session, which are in order of the ports.
static struct inv_csr_vote count_votes(const struct ballot *ballots, size_t count)
{
	struct inv_csr_vote vote = {.session = ballots[0].session, .voters = count};
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && ballots[next].port == ballots[i].port;)
			next++;
		vote.tied = next - i == vote.votes || (vote.tied && next - i < vote.votes);
		if (next - i > vote.votes) {
			vote.votes = next - i;
			vote.port = ballots[i].port;
		}
	}
	return vote;
}

static bool is_among(const uint64_t *processes, size_t count, uint64_t process)
{
	for (size_t i = 0; i < count; i++)
		if (processes[i] == process)
			return true;
	return false;
}

static const char *why_not(const struct inv_kernel *kernel, const struct inv_csr_vote *vote, const uint64_t *processes,
                           size_t count)
{
	if (vote->tied)
		return "the processes of the session do not agree on an exception port";
	if (!vote->is_port)
		return "what the exception ports of the session lead to is no ALPC port";
	if (!vote->owner)
		return "the owner of the session's exception port could not be read";
	if (!is_among(processes, count, vote->owner))
		return "the owner of the session's exception port is no process that is known";
	struct inv_value session = inv_field(kernel, vote->owner, INV_F_EPROCESS_Session);
	return session.ok && session.u == vote->session ? NULL : "the session's exception port is owned from outside of it";
}

static void take_vote(struct inv_csrsses *all, const struct inv_kernel *kernel, const struct inv_object_types *types,
                      struct inv_csr_vote vote, const uint64_t *processes, size_t count)
{
	struct inv_value owner = inv_field(kernel, vote.port, INV_F_ALPC_PORT_OwnerProcess);
	struct inv_value is_port = inv_is_port(kernel, types, vote.port);
	vote.owner = owner.ok ? owner.u : 0;
	vote.is_port = !is_port.ok || is_port.u;
	vote.lost = why_not(kernel, &vote, processes, count);
	inv_push(all->votes, vote);
}

// A process does not vote for itself.
static struct ballot *collect_ballots(const struct inv_kernel *kernel, const uint64_t *processes, size_t count)
{
	struct ballot *ballots = NULL;
	for (size_t i = 0; i < count; i++) {
		struct inv_value port = inv_field(kernel, processes[i], INV_F_EPROCESS_ExceptionPortData);
		struct inv_value session = inv_field(kernel, processes[i], INV_F_EPROCESS_Session);
		if (!port.ok || !session.ok || !session.u || !(port.u >> 63))
			continue;
		port.u &= ~INV_EXCEPTION_PORT_STATE;
		struct inv_value owner = inv_field(kernel, port.u, INV_F_ALPC_PORT_OwnerProcess);
		if (!owner.ok || owner.u != processes[i])
			inv_push(ballots, ((struct ballot){session.u, port.u, processes[i]}));
	}
	if (ballots)
		qsort(ballots, inv_count(ballots), sizeof *ballots, by_session);
	return ballots;
}

static void vote(struct inv_csrsses *all, const struct inv_kernel *kernel, const struct inv_object_types *types,
                 const uint64_t *processes, size_t count)
{
	struct ballot *ballots = collect_ballots(kernel, processes, count);
	size_t cast = inv_count(ballots);
	for (size_t i = 0, next; i < cast && inv_count(all->votes) < INV_CSRSS_BOUND; i = next) {
		for (next = i + 1; next < cast && ballots[next].session == ballots[i].session;)
			next++;
		take_vote(all, kernel, types, count_votes(&ballots[i], next - i), processes, count);
	}
	inv_array_free(ballots);
}

// -- its memory -------------------------------------------------------------------------------------------------------------

struct index { // an stb_ds map, by address
	uint64_t key;
	size_t value;
};

struct reading {
	const struct inv_kernel *kernel;
	const struct inv_object_types *types;
	struct inv_kernel view; // as csrss sees it
	struct inv_user *user;
	struct inv_vad_tree vads;
	struct inv_csrss *csrss;
	struct inv_arena *arena;
	uint64_t end;  // of user memory
	size_t cursor; // among the VADs
	size_t budget; // pages
	uint64_t roots[ROOTS];
	struct inv_csr_process *strays;       // stb_ds: records by their shape, wherever they are
	struct inv_csr_thread *stray_threads; // stb_ds
	struct index *known;                  // records
	struct index *known_threads;
};

static bool is_user(const struct reading *r, uint64_t address)
{
	return address >= LOWEST && address < r->end && address % 8 == 0;
}

static bool read_bytes(const struct reading *r, uint64_t address, uint8_t *bytes, size_t size)
{
	struct inv_why why;
	return inv_space_read(r->view.space, address, bytes, size, &why) == size;
}

static bool is_led_to(const struct reading *r, uint64_t entry, uint64_t flink, uint64_t blink)
{
	struct inv_value back = inv_read_u64(&r->view, flink + 8), there = inv_read_u64(&r->view, blink);
	return back.ok && there.ok && back.u == entry && there.u == entry;
}

// Where a handle of csrss leads: to an object of this type by its header, or, whatever that says, to one with this identifier.
static uint64_t resolve(const struct reading *r, uint64_t handle, const struct inv_value *type, enum inv_field field,
                        uint64_t id, struct inv_value *entry)
{
	if (handle == 0 || handle >= HANDLES || handle % 4 || !r->csrss->table)
		return 0;
	*entry = inv_handle_table_find(r->kernel, r->csrss->table, handle);
	if (!entry->ok || !entry->u)
		return 0;
	uint64_t body = inv_object_body(r->kernel, entry->u);
	struct inv_value index = inv_object_type_index(r->kernel, r->types, entry->u);
	if (index.ok && type->ok && index.u == type->u)
		return body;
	struct inv_value own = inv_field(r->kernel, body, field);
	return own.ok && own.u == id ? body : 0;
}

static struct inv_csr_process decode(const struct reading *r, uint64_t address, const uint8_t *bytes)
{
	struct inv_csr_process record = {.address = address,
	                                 .pid = inv_le64(bytes),
	                                 .tid = inv_le64(bytes + 8),
	                                 .handle = inv_le64(bytes + PROCESS_HANDLE),
	                                 .sequence = inv_le32(bytes + PROCESS_SEQUENCE)};
	record.process =
	    resolve(r, record.handle, &r->types->process_id, INV_F_EPROCESS_UniqueProcessId, record.pid, &record.entry);
	return record;
}

static bool has_pid(const struct reading *r, uint64_t process, uint64_t pid)
{
	struct inv_value own = inv_field(r->kernel, process, INV_F_EPROCESS_UniqueProcessId);
	return process && own.ok && own.u == pid;
}

// A record is csrss's own, or its identifier and its handle mean the same process.
static void try_process(struct reading *r, uint64_t address, const uint8_t *bytes)
{
	uint64_t pid = inv_le64(bytes), tid = inv_le64(bytes + 8);
	uint64_t flink = inv_le64(bytes + PROCESS_LINK), blink = inv_le64(bytes + PROCESS_LINK + 8);
	uint64_t handle = inv_le64(bytes + PROCESS_HANDLE);
	if (pid == 0 || pid >= IDS || pid % 4 || tid >= IDS || tid % 4 || !is_user(r, flink) || !is_user(r, blink))
		return;
	if (handle == INV_CSR_ITSELF && pid == r->csrss->pid) {
		if (!is_led_to(r, address + PROCESS_LINK, flink, blink))
			return;
		if (r->csrss->roots < ROOTS)
			r->roots[r->csrss->roots] = address;
		r->csrss->roots++;
		return;
	}
	if (handle >= HANDLES || inv_count(r->strays) >= INV_CSR_BOUND)
		return;
	struct inv_csr_process record = decode(r, address, bytes);
	if (has_pid(r, record.process, pid))
		inv_push(r->strays, record);
}

static struct inv_csr_thread decode_thread(const struct reading *r, uint64_t address, const uint8_t *bytes)
{
	struct inv_value entry;
	uint64_t flink = inv_le64(bytes + THREAD_HASH), blink = inv_le64(bytes + THREAD_HASH + 8);
	struct inv_csr_thread thread = {.address = address,
	                                .record = inv_le64(bytes + THREAD_PROCESS),
	                                .pid = inv_le64(bytes + THREAD_PID),
	                                .tid = inv_le64(bytes + THREAD_TID),
	                                .created = inv_le64(bytes),
	                                .handle = inv_le64(bytes + THREAD_HANDLE)};
	thread.thread = resolve(r, thread.handle, &r->types->thread_id, INV_F_ETHREAD_CidUniqueThread, thread.tid, &entry);
	thread.hashed = is_user(r, flink) && is_user(r, blink) && is_led_to(r, address + THREAD_HASH, flink, blink);
	return thread;
}

static void try_thread(struct reading *r, uint64_t address, const uint8_t *bytes)
{
	uint64_t pid = inv_le64(bytes + THREAD_PID), tid = inv_le64(bytes + THREAD_TID);
	uint64_t record = inv_le64(bytes + THREAD_PROCESS), handle = inv_le64(bytes + THREAD_HANDLE);
	bool ids = pid && pid < IDS && pid % 4 == 0 && tid && tid < IDS && tid % 4 == 0;
	if (!ids || !is_user(r, record) || record % ALIGN || !handle || handle >= HANDLES || handle % 4)
		return;
	if (inv_count(r->stray_threads) < INV_CSR_THREADS)
		inv_push(r->stray_threads, decode_thread(r, address, bytes));
}

// Everything in a page that could be a record; what goes on behind the page is read from there.
static void look_at_page(struct reading *r, uint64_t address, const uint8_t *page)
{
	uint8_t own[PROCESS_HEAD];
	for (unsigned at = 0; at < PAGE; at += ALIGN) {
		const uint8_t *bytes = page + at;
		if (at > PAGE - PROCESS_HEAD) {
			if (!read_bytes(r, address + at, own, sizeof own))
				return;
			bytes = own;
		}
		if (inv_le64(bytes + PROCESS_LINK) < LOWEST) // Link of a thread reaches there, too
			continue;
		try_process(r, address + at, bytes);
		try_thread(r, address + at, bytes);
	}
}

// Private memory that may be written to; all of it, where the ranges cannot be read.
static bool is_heap(struct reading *r, const struct inv_user_page *page)
{
	if (!r->vads.complete)
		return !page->valid || page->may_write;
	size_t count = inv_count(r->vads.vads);
	while (r->cursor < count && r->vads.vads[r->cursor].end <= page->address)
		r->cursor++;
	if (r->cursor == count || r->vads.vads[r->cursor].start > page->address)
		return false;
	const struct inv_vad *vad = &r->vads.vads[r->cursor];
	return vad->is_private && vad->protection & WRITABLE && (vad->protection & 7) != 5;
}

static bool visit(void *context, const struct inv_user_page *page)
{
	struct reading *r = context;
	uint8_t bytes[PAGE];
	if (!is_heap(r, page))
		return true;
	for (uint64_t at = page->address; at < page->address + page->size; at += PAGE) {
		if (r->budget == 0)
			return false;
		r->budget--;
		r->csrss->pages++;
		if (read_bytes(r, at, bytes, sizeof bytes))
			look_at_page(r, at, bytes);
		else
			r->csrss->missing++;
	}
	return true;
}

// -- the lists --------------------------------------------------------------------------------------------------------------

// The head around which the longest list is closed.
static size_t walk_records(struct reading *r, struct inv_list *list)
{
	size_t most = 0;
	for (size_t i = 0; i < r->csrss->roots && i < ROOTS; i++) {
		struct inv_list other;
		inv_list_walk(&r->view, r->arena, "CsrRootProcess", r->roots[i] + PROCESS_LINK, INV_CSR_BOUND, &other);
		if (i > 0 && other.count <= most)
			continue;
		most = other.count;
		*list = other;
		r->csrss->root = r->roots[i];
	}
	return most;
}

static void take_records(struct reading *r, const struct inv_list *list)
{
	uint8_t bytes[PROCESS_HEAD];
	for (size_t i = 0; i < list->count; i++) {
		uint64_t address = list->nodes[i].entry - PROCESS_LINK;
		if (!read_bytes(r, address, bytes, sizeof bytes)) {
			r->csrss->complete = false;
			continue;
		}
		struct inv_csr_process record = decode(r, address, bytes);
		record.listed = true;
		stbds_hmput(r->known, address, inv_count(r->csrss->records));
		inv_push(r->csrss->records, record);
	}
}

static void take_strays(struct reading *r)
{
	for (size_t i = 0; i < inv_count(r->strays); i++)
		if (stbds_hmgeti(r->known, r->strays[i].address) < 0)
			inv_push(r->csrss->records, r->strays[i]);
}

static void walk_threads(struct reading *r, struct inv_csr_process *record)
{
	size_t left = INV_CSR_THREADS - inv_count(r->csrss->threads);
	struct inv_list list;
	uint8_t bytes[THREAD_HEAD];
	inv_list_walk(&r->view, r->arena, "CSR_PROCESS.ThreadList", record->address + PROCESS_THREADS, left, &list);
	record->threads_closed = list.closed;
	for (size_t i = 0; i < list.count; i++) {
		uint64_t address = list.nodes[i].entry - THREAD_LINK;
		if (!read_bytes(r, address, bytes, sizeof bytes)) {
			record->threads_closed = false;
			continue;
		}
		struct inv_csr_thread thread = decode_thread(r, address, bytes);
		thread.listed = true;
		stbds_hmput(r->known_threads, address, inv_count(r->csrss->threads));
		inv_push(r->csrss->threads, thread);
	}
}

// Found by their shape alone: those of a record that names the same process, and whose handle leads to just that thread.
static void take_stray_threads(struct reading *r)
{
	for (size_t i = 0; i < inv_count(r->stray_threads); i++) {
		const struct inv_csr_thread *thread = &r->stray_threads[i];
		ptrdiff_t record = stbds_hmgeti(r->known, thread->record);
		struct inv_value tid = inv_field(r->kernel, thread->thread, INV_F_ETHREAD_CidUniqueThread);
		if (record < 0 || stbds_hmgeti(r->known_threads, thread->address) >= 0)
			continue;
		if (r->csrss->records[r->known[record].value].pid == thread->pid && thread->thread && tid.ok &&
		    tid.u == thread->tid)
			inv_push(r->csrss->threads, *thread);
	}
}

static int by_pid(const void *a, const void *b)
{
	const struct inv_csr_process *left = a, *right = b;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

static int by_tid(const void *a, const void *b)
{
	const struct inv_csr_thread *left = a, *right = b;
	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

static void read_lists(struct reading *r)
{
	struct inv_csrss *csrss = r->csrss;
	struct inv_list list;
	if (csrss->roots == 0) {
		csrss->unknown = csrss->missing ? "csrss's own record is not in the pages of its memory that the image holds"
		                                : "csrss's own record was not found in its memory";
		return;
	}
	(void)walk_records(r, &list);
	csrss->torn = list.torn_count;
	csrss->complete = list.closed;
	take_records(r, &list);
	for (size_t i = 0, listed = inv_count(csrss->records); i < listed; i++)
		walk_threads(r, &csrss->records[i]);
	take_stray_threads(r);
	take_strays(r);
	if (csrss->records)
		qsort(csrss->records, inv_count(csrss->records), sizeof *csrss->records, by_pid);
	if (csrss->threads)
		qsort(csrss->threads, inv_count(csrss->threads), sizeof *csrss->threads, by_tid);
}

static void read_memory(const struct inv_kernel *kernel, const struct inv_object_types *types, struct inv_csrss *csrss)
{
	struct inv_why why;
	struct reading r = {.kernel = kernel, .types = types, .csrss = csrss, .budget = INV_CSR_PAGES};
	r.user = inv_user_open(kernel, csrss->process, &why);
	if (!r.user) {
		csrss->unknown = "csrss's page tables cannot be read";
		return;
	}
	size_t tables_missing = 0;
	r.view = *kernel;
	r.view.space = inv_user_space(r.user);
	r.end = inv_user_end(r.user);
	r.arena = inv_arena_new();
	inv_vad_tree_read(kernel, csrss->process, &r.vads);
	(void)inv_user_pages(r.user, ENTRIES, visit, &r, &tables_missing);
	csrss->missing += tables_missing;
	read_lists(&r);
	inv_vad_tree_free(&r.vads);
	inv_arena_free(r.arena);
	inv_array_free(r.strays);
	inv_array_free(r.stray_threads);
	stbds_hmfree(r.known);
	stbds_hmfree(r.known_threads);
	inv_user_close(r.user);
}

static struct inv_csrss read_csrss(const struct inv_kernel *kernel, const struct inv_object_types *types,
                                   const struct inv_csr_vote *vote)
{
	struct inv_value table = inv_field(kernel, vote->owner, INV_F_EPROCESS_ObjectTable);
	struct inv_value pid = inv_field(kernel, vote->owner, INV_F_EPROCESS_UniqueProcessId);
	struct inv_csrss csrss = {.process = vote->owner,
	                          .pid = pid.ok ? pid.u : 0,
	                          .session = vote->session,
	                          .port = vote->port,
	                          .table = table.ok ? table.u : 0,
	                          .votes = vote->votes,
	                          .voters = vote->voters};
	if (types->unknown)
		csrss.unknown = types->unknown;
	else if (inv_handle_table_unknown(kernel))
		csrss.unknown = inv_handle_table_unknown(kernel);
	else
		read_memory(kernel, types, &csrss);
	return csrss;
}

static struct inv_value read_default(const struct inv_kernel *kernel)
{
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_ExpDefaultErrorPortProcess, NULL);
	struct inv_value host = inv_kernel_symbol(kernel, INV_S_PspHostSiloGlobals, NULL);
	if (symbol.ok)
		return inv_read_u64(kernel, symbol.u);
	return host.ok ? inv_field(kernel, host.u, INV_F_ESERVERSILO_GLOBALS_ExpDefaultErrorPortProcess) : symbol;
}

void inv_csrss_read(const struct inv_kernel *kernel, const struct inv_object_types *types, const uint64_t *processes,
                    size_t count, struct inv_csrsses *all)
{
	uint64_t offset;
	*all = (struct inv_csrsses){.default_process = read_default(kernel)};
	if (!inv_field_address(kernel, 0, INV_F_EPROCESS_ExceptionPortData, &offset) ||
	    !inv_field_address(kernel, 0, INV_F_EPROCESS_Session, &offset) ||
	    !inv_field_address(kernel, 0, INV_F_ALPC_PORT_OwnerProcess, &offset)) {
		all->unknown = "the layout does not know ExceptionPortData, Session or ALPC_PORT.OwnerProcess";
		return;
	}
	vote(all, kernel, types, processes, count);
	if (inv_count(all->votes) == 0)
		all->unknown = "no process of a session has an exception port";
	for (size_t i = 0; i < inv_count(all->votes); i++) {
		struct inv_csr_vote *each = &all->votes[i];
		if (each->lost)
			continue;
		struct inv_csrss csrss = read_csrss(kernel, types, each);
		// Without a record of his own the owner is csrss only if enough say so. (Then there are no records of others either.)
		if (!csrss.root && (each->votes < FEW || each->votes * 2 <= each->voters))
			each->lost = "too few processes of the session have the same exception port to tell whose it should be";
		else
			inv_push(all->csrsses, csrss);
	}
}

void inv_csrss_free(struct inv_csrsses *all)
{
	for (size_t i = 0; i < inv_count(all->csrsses); i++) {
		inv_array_free(all->csrsses[i].records);
		inv_array_free(all->csrsses[i].threads);
	}
	inv_array_free(all->csrsses);
	inv_array_free(all->votes);
}

// -- looking up -------------------------------------------------------------------------------------------------------------

const struct inv_csrss *inv_csrss_of(const struct inv_csrsses *all, uint64_t session)
{
	for (size_t i = 0; session && i < inv_count(all->csrsses); i++)
		if (all->csrsses[i].session == session)
			return &all->csrsses[i];
	return NULL;
}

const struct inv_csrss *inv_csrss_at(const struct inv_csrsses *all, uint64_t process)
{
	for (size_t i = 0; i < inv_count(all->csrsses); i++)
		if (all->csrsses[i].process == process)
			return &all->csrsses[i];
	return NULL;
}

const struct inv_csr_vote *inv_csr_vote_of(const struct inv_csrsses *all, uint64_t session)
{
	for (size_t i = 0; session && i < inv_count(all->votes); i++)
		if (all->votes[i].session == session)
			return &all->votes[i];
	return NULL;
}

static const struct inv_csr_process *find(const struct inv_csrss *csrss, uint64_t pid, bool listed)
{
	size_t count = inv_count(csrss->records);
	for (size_t i = INV_LOWER_BOUND(csrss->records, count, pid, pid); i < count && csrss->records[i].pid == pid; i++)
		if (csrss->records[i].listed == listed)
			return &csrss->records[i];
	return NULL;
}

const struct inv_csr_process *inv_csr_record(const struct inv_csrss *csrss, uint64_t pid)
{
	return find(csrss, pid, true);
}

const struct inv_csr_process *inv_csr_stray(const struct inv_csrss *csrss, uint64_t pid)
{
	return find(csrss, pid, false);
}
