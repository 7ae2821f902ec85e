// SPDX-License-Identifier: Apache-2.0
// Processes and threads, in the order in which PspAllocateProcess, PspInsertProcess and KeStartThread fill them. (What a live
// process looks like: measured on real dumps; what the lists hold in which state: the life-time automaton.)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/backlinks.h"
#include "forge/csrss.h"
#include "forge/machine.h"
#include "forge/parts.h"
#include "forge/peb.h"
#include "forge/pfn.h"
#include "forge/registry.h"
#include "forge/session.h"
#include "forge/user_thread.h"
#include "forge/win32k.h"

#define PAGE INV_RAM_PAGE
#define STACK_SIZE 0x6000u
#define TRAP_FRAME_SIZE 0x190u // _KTRAP_FRAME of x64
#define STATUS_PENDING 0x103u
#define TYPE_TYPE 2u  // the first index in ObTypeIndexTable since Windows 7; the others follow
#define PAGED_POOL 1u // POOL_TYPE
#define NON_PAGED_POOL_NX 0x200u
#define SECOND 10000000ull
#define HANDLE_TABLE_SIZE 0x80u
#define PAGE_OF_IDS 0x400u // a page of PspCidTable: 256 entries

// No handle is open yet.
static uint64_t without_handles(struct inv_machine *machine, uint64_t object)
{
	uint64_t header = object - inv_machine_at(machine, 0, INV_F_OBJECT_HEADER_Body);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_HandleCount, 0);
	return object;
}

static uint64_t pool_tag_object(struct inv_machine *machine, uint32_t size, const char *plain, const char *old,
                                uint8_t type)
{
	// Windows 7 marks the tags of protected objects with the highest bit of the last letter.
	return without_handles(machine, inv_machine_object(machine, size, machine->build < 9200 ? old : plain, type));
}

uint64_t inv_machine_make_type(struct inv_machine *machine, const char *name, uint8_t index)
{
	uint32_t size = inv_machine_size(machine, INV_T_OBJECT_TYPE, 0xd8);
	uint64_t type =
	    inv_machine_named_object(machine, size, "ObjT", TYPE_TYPE, INV_HEADER_CREATOR | INV_HEADER_NAME, name);
	if (inv_machine_has(machine, INV_F_OBJECT_TYPE_TypeList))
		inv_machine_list_init(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_TypeList));
	if (inv_machine_has(machine, INV_F_OBJECT_TYPE_CallbackList))
		inv_machine_list_init(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_CallbackList));
	if (inv_machine_has(machine, INV_F_OBJECT_TYPE_Name))
		inv_machine_unicode(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_Name), name);
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_Index, index);
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_MaintainHandleCount, inv_forge_counts_handles(index));
	inv_machine_put_access(machine, type, name);
	// Of those that matter here, only tokens lie in paged pool (public practice; the forge has no such difference).
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_PoolType,
	                index == INV_FORGE_TOKEN ? PAGED_POOL
	                : machine->build < 9200  ? 0
	                                         : NON_PAGED_POOL_NX);
	uint64_t table = inv_machine_symbol(machine, INV_S_ObTypeIndexTable);
	if (table)
		inv_machine_put64(machine, table + 8ull * index, type);
	machine->types[index] = type;
	if (index == TYPE_TYPE) // it is of itself
		inv_machine_join_type(machine, type);
	uint64_t count = inv_machine_get(machine, machine->types[TYPE_TYPE], INV_F_OBJECT_TYPE_TotalNumberOfObjects);
	inv_machine_put(machine, machine->types[TYPE_TYPE], INV_F_OBJECT_TYPE_TotalNumberOfObjects, count + 1);
	return type;
}

static void make_cid_table(struct inv_machine *machine)
{
	uint32_t size = inv_machine_size(machine, INV_T_HANDLE_TABLE, HANDLE_TABLE_SIZE);
	machine->cid_table = inv_machine_pool(machine, &machine->paged, size, "Obtb");
	uint64_t symbol = inv_machine_symbol(machine, INV_S_PspCidTable);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->cid_table);
	// Level 1 from the start, as on every machine that ran for a minute: a page of pointers to pages of 256 entries.
	uint64_t top = inv_region_take(machine, &machine->paged, PAGE, PAGE);
	inv_machine_put(machine, machine->cid_table, INV_F_HANDLE_TABLE_TableCode, top | 1);
	inv_machine_put(machine, machine->cid_table, INV_F_HANDLE_TABLE_StrictFIFO, 1); // public practice, not verified
	if (inv_machine_has(machine, INV_F_HANDLE_TABLE_HandleTableList))
		inv_machine_list_init(machine, inv_machine_at(machine, machine->cid_table, INV_F_HANDLE_TABLE_HandleTableList));
}

// By index, from TYPE_TYPE on.
static const char *const type_names[] = {"Type",    "Directory", "SymbolicLink", "Token", "Job",
                                         "Process", "Thread",    "Section",      "File",  "ALPC Port"};

// By index, from INV_FORGE_DEBUG on. All but the first are made with the first object of the type.
static const char *const late_types[] = {"DebugObject", "Event", "Mutant", "Key"};

// Those that are made elsewhere.
static const struct {
	enum inv_forge_type index;
	const char *name;
} beside[] = {{INV_FORGE_TIMER, "Timer"},
              {INV_FORGE_REGISTRATION, "EtwRegistration"},
              {INV_FORGE_WINDOW_STATION, "WindowStation"},
              {INV_FORGE_DESKTOP, "Desktop"}};

const char *inv_machine_type_name(const struct inv_machine *machine, uint64_t object)
{
	uint64_t type = inv_machine_type_of(machine, object);
	for (size_t i = 0; type && i < sizeof type_names / sizeof *type_names; i++)
		if (machine->types[i + TYPE_TYPE] == type)
			return type_names[i];
	for (size_t i = 0; type && i < sizeof late_types / sizeof *late_types; i++)
		if (machine->types[i + INV_FORGE_DEBUG] == type)
			return late_types[i];
	for (size_t i = 0; type && i < sizeof beside / sizeof *beside; i++)
		if (machine->types[beside[i].index] == type)
			return beside[i].name;
	return NULL;
}

// ObpInfoMaskToOffset: how far before an OBJECT_HEADER the optional header of the highest bit of each mask begins (public practice).
static void put_info_masks(struct inv_machine *machine)
{
	uint64_t symbol = inv_machine_symbol(machine, INV_S_ObpInfoMaskToOffset);
	for (unsigned mask = 0; symbol && mask < 256; mask++) {
		uint8_t offset = (uint8_t)inv_machine_optional_size(machine, mask & INV_HEADER_ALL);
		inv_machine_write(machine, symbol + mask, &offset, 1);
	}
}

void inv_machine_make_types(struct inv_machine *machine)
{
	uint64_t cookie = inv_machine_symbol(machine, INV_S_ObHeaderCookie);
	uint8_t byte = machine->cookie = (uint8_t)inv_random_next(&machine->random);
	if (cookie)
		inv_machine_write(machine, cookie, &byte, 1);
	else
		machine->cookie = 0;
	uint64_t table = inv_machine_symbol(machine, INV_S_ObTypeIndexTable);
	if (table)
		inv_machine_put64(machine, table + 8, 0xbad0b0b0);
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		uint64_t type = inv_machine_make_type(machine, type_names[i], (uint8_t)(i + TYPE_TYPE));
		if (i + 2 == INV_FORGE_TOKEN)
			machine->token_type = type;
		else if (i + 2 == INV_FORGE_JOB)
			machine->job_type = type;
		else if (i + 2 == INV_FORGE_PROCESS)
			machine->process_type = type;
		else if (i + 2 == INV_FORGE_THREAD)
			machine->thread_type = type;
	}
	uint64_t symbol = inv_machine_symbol(machine, INV_S_PsProcessType);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->process_type);
	symbol = inv_machine_symbol(machine, INV_S_PsThreadType);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->thread_type);
	symbol = inv_machine_symbol(machine, INV_S_PsJobType);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->job_type);
	symbol = inv_machine_symbol(machine, INV_S_SeTokenObjectType);
	if (symbol)
		inv_machine_put64(machine, symbol, machine->token_type);
	uint64_t debug = inv_machine_make_type(machine, late_types[0], INV_FORGE_DEBUG);
	symbol = inv_machine_symbol(machine, INV_S_DbgkDebugObjectType);
	if (symbol)
		inv_machine_put64(machine, symbol, debug);
	put_info_masks(machine);
	make_cid_table(machine);
	if (machine->handle_table_head)
		inv_machine_list_init(machine, machine->handle_table_head);
	machine->error_port = inv_machine_object(machine, 0x1d0, "ALPC", INV_FORGE_PORT);
}

static void count_object(struct inv_machine *machine, uint64_t type, uint32_t *count)
{
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, ++*count);
}

// An entry of PspCidTable: the body's address as in any handle table, with the lock in bit 0 (source: layouts.md B.3.7).
void inv_machine_cid_put(struct inv_machine *machine, uint64_t id, uint64_t object)
{
	if (id == 0 || id >= INV_FORGE_MAX_ID || !inv_machine_has(machine, INV_F_HANDLE_TABLE_TableCode))
		return;
	uint64_t index = id / 4;
	uint64_t *page = &machine->cid_pages[index / 256];
	if (!*page)
		*page = inv_machine_table_entry(machine, machine->cid_table, index / 256 * 256);
	uint64_t entry = inv_machine_encode_pointer(machine, object);
	inv_machine_put64(machine, *page + 16 * (index % 256), object ? entry | 1 : 0);
}

static bool is_free(const struct inv_machine *machine, uint64_t id)
{
	uint64_t page = machine->cid_pages[id / PAGE_OF_IDS];
	return !page || !inv_machine_get64(machine, page + 16 * (id % PAGE_OF_IDS / 4));
}

bool inv_machine_is_given(const struct inv_machine *machine, uint64_t id)
{
	return id / 4 < inv_count(machine->given_ids) && machine->given_ids[id / 4];
}

static void mark_given(struct inv_machine *machine, uint64_t id, bool given)
{
	while (inv_count(machine->given_ids) <= id / 4)
		inv_push(machine->given_ids, false);
	if (machine->given_ids[id / 4] != given)
		inv_machine_count_entry(machine, machine->cid_table, given ? 1 : -1);
	machine->given_ids[id / 4] = given;
}

void inv_machine_cid_give(struct inv_machine *machine, uint64_t id, uint64_t object)
{
	inv_machine_cid_put(machine, id, object);
	if (id)
		mark_given(machine, id, true);
}

void inv_machine_cid_free(struct inv_machine *machine, uint64_t id)
{
	if (!id)
		return;
	inv_machine_cid_put(machine, id, 0);
	mark_given(machine, id, false);
	inv_push(machine->freed_ids, id);
}

// The one that was given back first and is still free; 0: none.
static uint64_t freed_id(struct inv_machine *machine)
{
	while (machine->first_freed_id < inv_count(machine->freed_ids)) {
		uint64_t id = machine->freed_ids[machine->first_freed_id++];
		if (is_free(machine, id))
			return id;
	}
	return 0;
}

// What scenarios and desktop() name as parents that have gone: nobody else had these identifiers meanwhile.
static bool was_a_parents(uint64_t id)
{
	static const uint64_t gone[] = {500, 504, 600, 616, 2204, 3000};
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		if (gone[i] == id)
			return true;
	return false;
}

// PIDs and TIDs come from one table: multiples of 4, and never the first entry of a page of it. Those between two that are
// handed out are taken as used by what the forge does not make. Where a page ends, identifiers that were given back come
// first, in the order in which they were given back, as in the model (which of them Windows takes is not verified).
static uint64_t next_id(struct inv_machine *machine)
{
	for (;;) {
		uint64_t next = machine->next_id + 4 * (1 + inv_random_below(&machine->random, 8));
		uint64_t freed = next / PAGE_OF_IDS != machine->next_id / PAGE_OF_IDS ? freed_id(machine) : 0;
		if (freed)
			return freed;
		machine->next_id = next < INV_FORGE_MAX_ID ? next : 8;
		if ((machine->next_id & 0x3fc) != 0 && !was_a_parents(machine->next_id) && is_free(machine, machine->next_id))
			return machine->next_id;
	}
}

uint64_t inv_machine_tick(struct inv_machine *machine)
{
	uint64_t step = 1000 + inv_random_below(&machine->random, SECOND / 2);
	if (machine->clock + step < machine->system_time - SECOND)
		machine->clock += step;
	else
		machine->clock += 1; // crowded: stay before the image
	return machine->clock;
}

static void put_process_token(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t token)
{
	inv_machine_use_token(machine, token, true, process->session ? process->session->id : 0);
	token |= 2 + inv_random_below(&machine->random, 9); // EX_FAST_REF: 2 to 0xa seen
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Token, token);
}

bool inv_machine_is_bare(const struct inv_machine *machine, uint64_t object)
{
	uint64_t type = inv_machine_type_of(machine, object);
	for (unsigned i = INV_FORGE_DEBUG; type && i < INV_FORGE_MAX_TYPES; i++)
		if (machine->types[i] == type)
			return true;
	return false;
}

// A header and a body of this size, which holds nothing: no table of symbols tells what is in it. (The sizes are not verified.)
#define BARE_OBJECT_SIZE 0x68u

uint64_t inv_machine_make_bare_object(struct inv_machine *machine, enum inv_forge_type type)
{
	static const char tags[][5] = {"Debu", "Even", "Muta", "Key "};
	unsigned late = type - INV_FORGE_DEBUG;
	if (type < INV_FORGE_DEBUG || late >= sizeof late_types / sizeof *late_types)
		return 0;
	for (unsigned i = 0; i <= late; i++) // indices have no gaps
		if (!machine->types[INV_FORGE_DEBUG + i])
			(void)inv_machine_make_type(machine, late_types[i], (uint8_t)(INV_FORGE_DEBUG + i));
	uint32_t size =
	    type == INV_FORGE_KEY ? inv_machine_size(machine, INV_T_CM_KEY_BODY, BARE_OBJECT_SIZE) : BARE_OBJECT_SIZE;
	return without_handles(machine, inv_machine_object(machine, size, tags[late], (uint8_t)type));
}

// SeSubProcessToken: every process has a token of its own.
static void give_token(struct inv_machine *machine, const struct inv_forge_process *process,
                       const struct inv_token_wish *wish)
{
	struct inv_token_wish token = *wish;
	token.session = process->session ? process->session->id : 0;
	if (token.user == INV_ACCOUNT_BY_SESSION)
		token.user = token.session ? INV_ACCOUNT_ADMINISTRATOR : INV_ACCOUNT_SYSTEM;
	put_process_token(machine, process, inv_machine_make_token_of(machine, &token));
}

void inv_machine_give_table(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint32_t size = inv_machine_size(machine, INV_T_HANDLE_TABLE, HANDLE_TABLE_SIZE);
	uint64_t table = process->handle_table = inv_machine_pool(machine, &machine->paged, size, "Obtb");
	uint64_t entries = inv_region_take(machine, &machine->paged, PAGE, PAGE);
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_TableCode, entries);
	inv_machine_add_free_page(process, 0);
	// The kernel's own table is made before there is a process to charge it to, and becomes System's (seen in a real dump of 19041).
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_QuotaProcess, process->system ? 0 : process->address);
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_UniqueProcessId, process->pid);
	inv_machine_put(machine, table, INV_F_HANDLE_TABLE_NextHandleNeedingPool, 1024);
	if (machine->handle_table_head && inv_machine_has(machine, INV_F_HANDLE_TABLE_HandleTableList))
		inv_machine_list_append(machine, machine->handle_table_head,
		                        inv_machine_at(machine, table, INV_F_HANDLE_TABLE_HandleTableList));
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ObjectTable, table);
}

// The KPROCESS part: what KeInitializeProcess writes.
static void put_kernel_process(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t at = process->address;
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_Type, 3);
	if (machine->build < 19041) // in units of 4 bytes; not written from 2004 on
		inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_Size,
		                (inv_machine_size(machine, INV_T_KPROCESS, 0x2d8) / 4) & 0xff);
	if (inv_machine_has(machine, INV_F_DISPATCHER_HEADER_WaitListHead))
		inv_machine_list_init(machine, inv_machine_at(machine, at, INV_F_DISPATCHER_HEADER_WaitListHead));
	inv_machine_put(machine, at, INV_F_KPROCESS_DirectoryTableBase, process->dtb);
	static const enum inv_field heads[] = {INV_F_KPROCESS_ThreadListHead, INV_F_KPROCESS_ProfileListHead,
	                                       INV_F_KPROCESS_ReadyListHead, INV_F_EPROCESS_ThreadListHead};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (inv_machine_has(machine, heads[i]))
			inv_machine_list_init(machine, inv_machine_at(machine, at, heads[i]));
}

// The fifteen bytes of ImageFileName: fourteen of the name and a NUL.
static void put_name(struct inv_machine *machine, uint64_t process, const char *name)
{
	char text[15] = {0};
	memcpy(text, name, strnlen(name, 14));
	if (inv_machine_has(machine, INV_F_EPROCESS_ImageFileName))
		inv_machine_write(machine, inv_machine_at(machine, process, INV_F_EPROCESS_ImageFileName), text, sizeof text);
}

void inv_machine_give_audit_name(struct inv_machine *machine, const struct inv_forge_process *process)
{
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SeAuditProcessCreationInfo,
	                inv_machine_name_information(machine, process->path));
}

static void note_place(struct inv_machine *machine, uint64_t address, struct inv_forge_process *process,
                       struct inv_forge_thread *thread)
{
	struct inv_forge_place place = {address, process, thread};
	stbds_hmputs(machine->places, place);
}

// What PspAllocateProcess writes of every process.
static void put_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint64_t at = process->address;
	note_place(machine, at, process, NULL);
	put_kernel_process(machine, process);
	inv_machine_put(machine, at, INV_F_EPROCESS_UniqueProcessId, process->pid);
	inv_machine_put(machine, at, INV_F_EPROCESS_InheritedFromUniqueProcessId, process->parent);
	// Who asked for it, as long as it has no console (measured: a dump of 19041.3803 and System of 19041.804).
	inv_machine_put(machine, at, INV_F_EPROCESS_OwnerProcessId, process->creator | 2);
	inv_machine_put(machine, at, INV_F_EPROCESS_CreateTime, process->created);
	if (process->created)
		inv_machine_put(machine, at, INV_F_EPROCESS_CreateInterruptTime, process->created - machine->boot_time);
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitStatus, STATUS_PENDING);
	put_name(machine, at, process->name);
	if (process->minimal) {
		inv_machine_put(machine, at, INV_F_EPROCESS_Minimal, 1);
		inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_Minimal, 1);
	}
}

// MiInsertNewProcess: with the address space, long before the process has an identifier.
static void insert_mm(struct inv_machine *machine, const struct inv_forge_process *process)
{
	if (machine->mm_process_head && inv_machine_has(machine, INV_F_EPROCESS_MmProcessLinks))
		inv_machine_list_append(machine, machine->mm_process_head,
		                        inv_machine_at(machine, process->address, INV_F_EPROCESS_MmProcessLinks));
}

// Until PspAllocateProcess has an identifier for it, a process has no times either.
static void forget_identity(struct inv_machine *machine, struct inv_forge_process *process)
{
	static const enum inv_field fields[] = {INV_F_EPROCESS_UniqueProcessId, INV_F_EPROCESS_CreateTime,
	                                        INV_F_EPROCESS_CreateInterruptTime};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put(machine, process->address, fields[i], 0);
	process->pid = 0;
	process->created = 0;
}

static void list_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint64_t at = process->address;
	process->sequence = ++machine->sequence;
	inv_machine_put(machine, at, INV_F_EPROCESS_SequenceNumber, process->sequence);
	uint64_t counter = inv_machine_symbol(machine, INV_S_PspProcessSequenceNumber);
	if (counter)
		inv_machine_put64(machine, counter, machine->sequence);
	uint64_t head = inv_machine_symbol(machine, INV_S_PsActiveProcessHead);
	if (head)
		inv_machine_list_append(machine, head, inv_machine_at(machine, at, INV_F_EPROCESS_ActiveProcessLinks));
}

// PspAllocateProcess' identifier, PspInsertProcess and what follows it.
static void insert_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint64_t at = process->address;
	if (process->stage == INV_STAGE_C0 || process->stage == INV_STAGE_C1)
		inv_machine_put(machine, process->handle_table, INV_F_HANDLE_TABLE_UniqueProcessId, 0);
	if (process->stage == INV_STAGE_C0) {
		forget_identity(machine, process);
		return;
	}
	inv_machine_cid_give(machine, process->pid, at);
	if (process->stage == INV_STAGE_C1)
		return;
	list_process(machine, process);
	if (process->stage == INV_STAGE_C2)
		return;
	inv_machine_put(machine, at, INV_F_EPROCESS_CreateReported, 1);
	inv_machine_put(machine, at, INV_F_EPROCESS_NewProcessReported, 1);
	inv_machine_put(machine, at, INV_F_EPROCESS_ProcessInserted, 1);
}

static struct inv_forge_process *new_process(struct inv_machine *machine, const char *name)
{
	struct inv_forge_process *process = inv_alloc(sizeof *process);
	process->name = inv_arena_strdup(machine->arena, name);
	inv_push(machine->processes, process);
	return process;
}

void inv_machine_make_idle(struct inv_machine *machine)
{
	struct inv_forge_process *idle = new_process(machine, "Idle");
	idle->idle = true;
	idle->path = "";
	idle->address = inv_machine_symbol(machine, INV_S_KiInitialProcess);
	if (!idle->address)
		idle->address =
		    inv_machine_pool(machine, &machine->pool, inv_machine_size(machine, INV_T_EPROCESS, 0x1000), "Proc");
	idle->maps = machine->maps;
	idle->dtb = machine->maps.root; // shared with System
	put_process(machine, idle);
	inv_machine_put(machine, idle->address, INV_F_EPROCESS_HasAddressSpace, 1);
	inv_machine_make_logons(machine);
	inv_machine_make_registry(machine);
	give_token(machine, idle, &(struct inv_token_wish){0});
	uint64_t symbol = inv_machine_symbol(machine, INV_S_PsIdleProcess);
	if (symbol)
		inv_machine_put64(machine, symbol, idle->address);
}

// `wish` may be NULL. No kernel that is known puts an EPROCESS into a block of its own, but special pool does.
static uint64_t process_object(struct inv_machine *machine, const struct inv_process_wish *wish)
{
	count_object(machine, machine->process_type, &machine->process_objects);
	if (wish && wish->big && machine->big_table)
		return without_handles(machine,
		                       inv_machine_big_object(machine, inv_machine_size(machine, INV_T_EPROCESS, 0x1000),
		                                              machine->build < 9200 ? "Pro\xe3" : "Proc", INV_FORGE_PROCESS,
		                                              wish->reused));
	return pool_tag_object(machine, inv_machine_size(machine, INV_T_EPROCESS, 0x1000), "Proc", "Pro\xe3",
	                       INV_FORGE_PROCESS);
}

void inv_machine_make_system(struct inv_machine *machine)
{
	struct inv_forge_process *system = new_process(machine, "System");
	system->system = true;
	system->path = "";
	system->pid = 4;
	system->created = machine->boot_time + inv_random_below(&machine->random, SECOND);
	machine->clock = system->created + SECOND;
	system->address = process_object(machine, NULL);
	system->maps = machine->maps;
	system->dtb = machine->maps.root;
	put_process(machine, system);
	inv_machine_put(machine, system->address, INV_F_EPROCESS_HasAddressSpace, 1);
	insert_mm(machine, system);
	inv_machine_put(machine, system->address, INV_F_EPROCESS_SystemProcess, 1);
	inv_machine_put(machine, system->address, INV_F_EPROCESS_Protection, 0x72);
	if (inv_machine_has(machine, INV_F_EPROCESS_Protection)) {
		inv_machine_put(machine, system->address, INV_F_EPROCESS_SignatureLevel, 0x1e);
		inv_machine_put(machine, system->address, INV_F_EPROCESS_SectionSignatureLevel, 0x1c);
	} else {
		inv_machine_put(machine, system->address, INV_F_EPROCESS_ProtectedProcess, 1);
	}
	// PspBootAccessToken: Idle and System share one (as in ReactOS; not verified on Windows).
	put_process_token(machine, system, inv_machine_own_token(machine, machine->processes[0]));
	inv_machine_give_audit_name(machine, system);
	inv_machine_start_vads(machine, system);
	inv_machine_give_table(machine, system);
	insert_process(machine, system);
	uint64_t symbol = inv_machine_symbol(machine, INV_S_PsInitialSystemProcess);
	if (symbol)
		inv_machine_put64(machine, symbol, system->address);
	symbol = inv_machine_symbol(machine, INV_S_ObpKernelHandleTable);
	if (symbol)
		inv_machine_put64(machine, symbol, system->handle_table);
	for (unsigned i = 0; i < 12; i++)
		inv_machine_make_thread(machine, system, 0, system->created + i * 1000ull);
}

void inv_machine_give_session(struct inv_machine *machine, struct inv_forge_process *process, uint32_t id, bool link)
{
	process->session = inv_machine_session(machine, id);
	inv_session_refer(machine, process->session, 1);
	inv_machine_map_session(machine, process);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Session, process->session->address);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ProcessInSession, 1);
	if (link && inv_machine_has(machine, INV_F_EPROCESS_SessionProcessLinks))
		inv_machine_list_append(machine, process->session->head,
		                        inv_machine_at(machine, process->address, INV_F_EPROCESS_SessionProcessLinks));
}

uint64_t inv_machine_make_section(struct inv_machine *machine)
{
	uint32_t size = inv_machine_size(machine, INV_T_SECTION, 0x40);
	return pool_tag_object(machine, size, "Sect", "Sec\xf4", INV_FORGE_SECTION);
}

// What win32k and csrss add to a process that uses them.
static void make_win32(struct inv_machine *machine, struct inv_forge_process *process, bool graphics)
{
	// Where nothing is said of a csrss, there is one all the same, of which only this is seen.
	if (!process->unregistered && !inv_csr_of(machine, process))
		inv_machine_put(machine, process->address, INV_F_EPROCESS_ExceptionPortData, machine->error_port | 1);
	if (process->gui) {
		inv_machine_give_win32(machine, process);
		inv_machine_give_window_routines(machine, process);
	}
	if (graphics)
		inv_machine_give_graphics(machine, process);
}

// The signature levels of a protected process, by its signer, the upper four bits of Protection. (Public practice: Ionescu's
// description of protected processes. Measured only of System, whose signer is 7. Of 2, CodeGen, and 8, App, not known.)
static void protect(struct inv_machine *machine, const struct inv_forge_process *process, unsigned protection)
{
	static const uint8_t levels[][2] = {{0, 0},     {4, 4},       {7, 7},       {7, 7},      {0xc, 8},
	                                    {0xc, 0xc}, {0x1e, 0x1c}, {0x1e, 0x1c}, {0x1e, 0x1c}};
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Protection, protection);
	unsigned signer = protection >> 4;
	if (process->minimal || protection == 0 || signer >= sizeof levels / sizeof *levels)
		return;
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SignatureLevel, levels[signer][0]);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionSignatureLevel, levels[signer][1]);
}

void inv_machine_give_space(struct inv_machine *machine, struct inv_forge_process *process)
{
	process->dtb = inv_ram_take(machine->ram, INV_RAM_KERNEL);
	inv_maps_init(&process->maps, machine->ram, process->dtb, machine->maps.levels);
	inv_maps_share_kernel(&process->maps, &machine->maps, machine->self_slot);
	inv_machine_put(machine, process->address, INV_F_KPROCESS_DirectoryTableBase, process->dtb);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_HasAddressSpace, 1);
}

static void anchor(struct inv_machine *machine, const struct inv_forge_process *process, enum inv_forge_role role)
{
	uint64_t symbol = 0;
	if (role == INV_ROLE_REGISTRY)
		symbol = inv_machine_symbol(machine, INV_S_CmpRegistryProcess);
	else if (role == INV_ROLE_SECURE_SYSTEM)
		symbol = inv_machine_symbol(machine, INV_S_PsSecureSystemProcess);
	if (symbol)
		inv_machine_put64(machine, symbol, process->address);
	uint64_t partition = inv_machine_symbol(machine, INV_S_MiSystemPartition);
	if (role == INV_ROLE_MEMORY_COMPRESSION && partition)
		inv_machine_put(machine, partition, INV_F_MI_PARTITION_StoreProcess, process->address);
}

// What PspProcessDelete has done of a process whose last reference is gone.
static void delete_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint64_t at = process->address;
	uint64_t header = at - inv_machine_at(machine, 0, INV_F_OBJECT_HEADER_Body);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_PointerCount, 0);
	inv_machine_put(machine, header, INV_F_OBJECT_HEADER_HandleCount, 0);
	inv_machine_put(machine, at, INV_F_EPROCESS_ProcessInserted, 0);
	inv_machine_list_remove(machine, inv_machine_at(machine, at, INV_F_EPROCESS_ActiveProcessLinks));
	if (process->stage != INV_STAGE_D2)
		return;
	// MmDeleteProcessAddressSpace
	if (process->session && inv_machine_has(machine, INV_F_EPROCESS_SessionProcessLinks))
		inv_machine_list_remove(machine, inv_machine_at(machine, at, INV_F_EPROCESS_SessionProcessLinks));
	if (process->session)
		inv_session_refer(machine, process->session, -1);
	if (machine->mm_process_head && inv_machine_has(machine, INV_F_EPROCESS_MmProcessLinks))
		inv_machine_list_remove(machine, inv_machine_at(machine, at, INV_F_EPROCESS_MmProcessLinks));
	inv_machine_free_root(machine, process->dtb);
	inv_machine_free_root(machine, process->user_dtb);
}

// A clone (a snapshot, or fork) shares its parent's image section and never gets a thread. CloneRoot points at a tree of the
// pages that both share.
void inv_machine_give_clone(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t section)
{
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionObject, section);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_CloneRoot,
	                inv_machine_pool(machine, &machine->pool, 0x60, "MmCl"));
}

static enum inv_code refuse(const struct inv_machine *machine, const struct inv_process_wish *wish,
                            struct inv_error *error)
{
	if (inv_count(machine->processes) >= INV_FORGE_MAX_PROCESSES)
		return inv_fail(error, INV_E_USAGE, "more than %u processes", INV_FORGE_MAX_PROCESSES);
	if (wish->pid >= INV_FORGE_MAX_ID)
		return inv_fail(error, INV_E_USAGE, "PID %llu is too large", (unsigned long long)wish->pid);
	if (wish->zombie && wish->threads)
		return inv_fail(error, INV_E_USAGE, "a zombie has no threads");
	if ((wish->stage != INV_STAGE_WHOLE || wish->clone_of) && wish->threads)
		return inv_fail(error, INV_E_USAGE, "a process in creation or deletion has no threads, nor has a clone");
	return INV_OK;
}

struct inv_forge_process *inv_machine_shape_process(struct inv_machine *machine, const struct inv_process_wish *wish)
{
	struct inv_forge_process *process = new_process(machine, wish->name);
	process->path = wish->path      ? inv_arena_strdup(machine->arena, wish->path)
	                : wish->minimal ? "" // no image file
	                                : inv_arena_printf(machine->arena,
	                                                   "\\Device\\HarddiskVolume3\\Windows\\System32\\%s", wish->name);
	process->command_line = wish->command_line ? inv_arena_strdup(machine->arena, wish->command_line) : NULL;
	process->pid = wish->pid;
	process->parent = wish->parent;
	process->creator = wish->creator ? wish->creator : wish->parent;
	process->created = wish->created;
	process->minimal = wish->minimal;
	process->gui = wish->gui;
	process->wow64 = wish->wow64;
	process->subsystem = wish->subsystem;
	process->unregistered = wish->unregistered || wish->clone_of; // by whoever cloned it
	process->address = process_object(machine, wish);
	put_process(machine, process);
	return process;
}

// A clone has the ranges of the other process, and its section.
static void give_program(struct inv_machine *machine, struct inv_forge_process *process,
                         struct inv_forge_process *clone_of)
{
	if (!clone_of || !clone_of->section) {
		inv_machine_give_image(machine, process);
		inv_machine_give_section(machine, process, NULL);
		return;
	}
	inv_machine_copy_space(machine, process, clone_of);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionBaseAddress, process->image_base);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Peb, process->peb);
	if (machine->config.kva_shadow)
		inv_machine_make_shadow(machine, process);
	inv_machine_give_section(machine, process, clone_of->section);
}

// Who has this PID; of several the youngest. NULL: nobody. `ever`: nor did anyone.
static struct inv_forge_process *holder_of(const struct inv_machine *machine, uint64_t pid, bool ever)
{
	for (size_t i = inv_count(machine->processes); pid && i-- > 0;)
		if (machine->processes[i]->pid == pid && (ever || !machine->processes[i]->deleted))
			return machine->processes[i];
	return NULL;
}

// A parent that nobody made was there all the same, and has gone.
static void count_gone_parent(struct inv_machine *machine, const struct inv_forge_process *process)
{
	if (process->parent && !holder_of(machine, process->parent, true))
		machine->sequence++;
}

// Whether the session differs from the creator's (measured on 19041: that of one whom a service made for a user in another).
static void note_crossing(struct inv_machine *machine, const struct inv_forge_process *process)
{
	const struct inv_forge_process *creator = holder_of(machine, process->creator, false);
	if (process->session && creator && creator->session && creator->session != process->session)
		inv_machine_put(machine, process->address, INV_F_EPROCESS_CrossSessionCreate, 1);
}

// A child is in its parent's job.
static void inherit_job(struct inv_machine *machine, struct inv_forge_process *process,
                        const struct inv_process_wish *wish)
{
	bool whole = wish->stage == INV_STAGE_WHOLE || wish->stage == INV_STAGE_C3;
	const struct inv_forge_process *parent = holder_of(machine, process->parent, false);
	if (!whole || wish->breakaway || process->minimal || !parent || parent == process || parent->zombie)
		return;
	uint64_t job = inv_machine_get(machine, parent->address, INV_F_EPROCESS_Job);
	if (job)
		inv_machine_assign_job(machine, process, job);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ServerSilo,
	                inv_machine_get(machine, parent->address, INV_F_EPROCESS_ServerSilo));
}

struct inv_forge_process *inv_machine_make_process(struct inv_machine *machine, const struct inv_process_wish *wish,
                                                   struct inv_error *error)
{
	if (refuse(machine, wish, error) != INV_OK)
		return NULL;
	struct inv_process_wish identity = *wish;
	if (!identity.pid)
		identity.pid = next_id(machine);
	if (!identity.created)
		identity.created = inv_machine_tick(machine);
	const struct inv_forge_process *parent = holder_of(machine, identity.parent, false);
	struct inv_forge_process *process = inv_machine_shape_process(machine, &identity);
	process->parent_object = parent ? parent->address : 0;
	process->stage = wish->stage;
	inv_machine_give_space(machine, process);
	insert_mm(machine, process);
	if (wish->session >= 0)
		inv_machine_give_session(machine, process, (uint32_t)wish->session, true);
	note_crossing(machine, process);
	give_token(machine, process, &wish->token);
	inv_machine_give_audit_name(machine, process);
	inv_machine_give_table(machine, process);
	if (!process->minimal) {
		process->more_modules = wish->modules;
		give_program(machine, process, wish->clone_of);
		if (process->session)
			make_win32(machine, process, wish->graphics);
	}
	if (wish->protection >= 0)
		protect(machine, process, (unsigned)wish->protection);
	if (wish->clone_of)
		inv_machine_give_clone(machine, process,
		                       inv_machine_get(machine, wish->clone_of->address, INV_F_EPROCESS_SectionObject));
	count_gone_parent(machine, process);
	insert_process(machine, process);
	inherit_job(machine, process, wish);
	anchor(machine, process, wish->role);
	if (wish->csrss)
		inv_csr_begin(machine, process);
	for (unsigned i = 0; i < wish->threads; i++)
		inv_machine_make_thread(machine, process, 0, i ? 0 : process->created + 100);
	if (!wish->zombie)
		inv_csr_register(machine, process);
	if (wish->zombie)
		inv_machine_exit_process(machine, process, wish->exited ? wish->exited : inv_machine_tick(machine),
		                         wish->exit_status);
	if (wish->stage == INV_STAGE_D1 || wish->stage == INV_STAGE_D2)
		delete_process(machine, process);
	return process;
}

static void put_stack(struct inv_machine *machine, struct inv_forge_thread *thread, bool user)
{
	// A guard page lies between two stacks: addresses that are passed over and never mapped.
	machine->stacks.next = (machine->stacks.next + PAGE - 1) / PAGE * PAGE;
	machine->stacks.next += PAGE;
	if (machine->stacks.mapped < machine->stacks.next)
		machine->stacks.mapped = machine->stacks.next;
	thread->stack_limit = inv_region_take(machine, &machine->stacks, STACK_SIZE, PAGE);
	thread->stack_base = thread->stack_limit + STACK_SIZE;
	uint64_t initial = thread->stack_base - 0x70; // room for KSTACK_CONTROL; the exact room is not verified
	uint64_t trap = user ? initial - TRAP_FRAME_SIZE : 0;
	uint64_t kernel = initial - 0x400 - inv_random_below(&machine->random, 0x40) * 16;
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_StackBase, thread->stack_base);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_StackLimit, thread->stack_limit);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_InitialStack, initial);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_KernelStack, kernel);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_TrapFrame, trap);
	inv_machine_put(machine, thread->address, INV_F_KTHREAD_KernelStackResident, 1);
	// The switch frame returns into the kernel.
	inv_machine_put64(machine, kernel, machine->base + machine->code_rva + 0x10);
}

static void put_kernel_thread(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	uint64_t at = thread->address;
	bool kernel = thread->process->system || thread->process->idle || thread->process->minimal;
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_Type, 6);
	if (inv_machine_has(machine, INV_F_DISPATCHER_HEADER_WaitListHead))
		inv_machine_list_init(machine, inv_machine_at(machine, at, INV_F_DISPATCHER_HEADER_WaitListHead));
	inv_machine_start_apcs(machine, thread);
	inv_machine_put(machine, at, INV_F_KTHREAD_Process, thread->process->address);
	inv_machine_put(machine, at, INV_F_KTHREAD_ApcStateProcess, thread->process->address);
	inv_machine_put(machine, at, INV_F_KTHREAD_State, 5); // waiting
	inv_machine_put(machine, at, INV_F_KTHREAD_WaitReason, kernel ? 0 : 6);
	inv_machine_put(machine, at, INV_F_KTHREAD_PreviousMode, kernel ? 0 : 1);
	inv_machine_put(machine, at, INV_F_KTHREAD_SystemThread, kernel);
	inv_machine_put(machine, at, INV_F_ETHREAD_SystemThread, kernel);
}

static void put_thread(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	uint64_t at = thread->address;
	inv_machine_put(machine, at, INV_F_ETHREAD_CreateTime, thread->created);
	inv_machine_put(machine, at, INV_F_ETHREAD_ExitStatus, thread->idle ? 0 : STATUS_PENDING);
	inv_machine_put(machine, at, INV_F_ETHREAD_StartAddress, thread->start);
	inv_machine_put(machine, at, INV_F_ETHREAD_Win32StartAddress, thread->win32_start);
	inv_machine_put(machine, at, INV_F_ETHREAD_CidUniqueProcess, thread->process->pid);
	inv_machine_put(machine, at, INV_F_ETHREAD_CidUniqueThread, thread->tid);
}

// KeStartThread and PspInsertThread: both lists, and the process on the scheduler's list with its first thread.
static void insert_thread(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	struct inv_forge_process *process = thread->process;
	if (machine->ki_process_head && inv_machine_has(machine, INV_F_KPROCESS_ProcessListEntry) && !process->idle &&
	    inv_machine_active_threads(process) == 1)
		inv_machine_list_append(machine, machine->ki_process_head,
		                        inv_machine_at(machine, process->address, INV_F_KPROCESS_ProcessListEntry));
	if (inv_machine_has(machine, INV_F_KTHREAD_ThreadListEntry) &&
	    inv_machine_has(machine, INV_F_KPROCESS_ThreadListHead))
		inv_machine_list_append(machine, inv_machine_at(machine, process->address, INV_F_KPROCESS_ThreadListHead),
		                        inv_machine_at(machine, thread->address, INV_F_KTHREAD_ThreadListEntry));
	if (inv_machine_has(machine, INV_F_ETHREAD_ThreadListEntry) &&
	    inv_machine_has(machine, INV_F_EPROCESS_ThreadListHead))
		inv_machine_list_append(machine, inv_machine_at(machine, process->address, INV_F_EPROCESS_ThreadListHead),
		                        inv_machine_at(machine, thread->address, INV_F_ETHREAD_ThreadListEntry));
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ActiveThreads, inv_machine_active_threads(process));
	inv_machine_put(machine, process->address, INV_F_KPROCESS_StackCount, inv_machine_active_threads(process));
	inv_machine_cid_give(machine, thread->tid, thread->address);
}

static uint64_t thread_object(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint32_t size = inv_machine_size(machine, INV_T_ETHREAD, 0xa00);
	if (process->idle) {
		uint64_t initial = inv_machine_symbol(machine, INV_S_KiInitialThread);
		if (initial && inv_count(process->threads) == 0)
			return initial;
		return inv_machine_pool(machine, &machine->pool, size, "Thre"); // part of the CPU's block on real machines
	}
	count_object(machine, machine->thread_type, &machine->thread_objects);
	return pool_tag_object(machine, size, "Thre", "Thr\xe5", INV_FORGE_THREAD);
}

// System's threads start in the modules in turn, all others of the kernel in the kernel itself.
static uint64_t start_address(struct inv_machine *machine, const struct inv_forge_process *process)
{
	if (process->system) {
		const struct inv_forge_module *module =
		    &machine->modules[inv_random_below(&machine->random, inv_count(machine->modules))];
		return module->base + module->entry_point;
	}
	if (process->idle || process->minimal)
		return machine->base + machine->code_rva + 0x20;
	return process->image_base + PAGE;
}

struct inv_forge_thread *inv_machine_shape_thread(struct inv_machine *machine, struct inv_forge_process *process,
                                                  uint64_t tid, uint64_t created)
{
	if (machine->thread_count >= INV_FORGE_MAX_THREADS)
		return NULL;
	machine->thread_count++;
	struct inv_forge_thread *thread = inv_alloc(sizeof *thread);
	thread->process = process;
	thread->idle = process->idle;
	thread->tid = tid;
	thread->created = created;
	thread->address = thread_object(machine, process);
	thread->start = thread->win32_start = start_address(machine, process);
	inv_push(process->threads, thread);
	if (process->user)
		inv_machine_choose_start(thread);
	put_kernel_thread(machine, thread);
	put_thread(machine, thread);
	note_place(machine, thread->address, NULL, thread);
	put_stack(machine, thread, process->peb != 0);
	if (process->user)
		inv_machine_make_user_thread(machine, thread);
	return thread;
}

struct inv_forge_thread *inv_machine_make_thread(struct inv_machine *machine, struct inv_forge_process *process,
                                                 uint64_t tid, uint64_t created)
{
	if (machine->thread_count >= INV_FORGE_MAX_THREADS)
		return NULL;
	uint64_t id = process->idle ? 0 : tid ? tid : next_id(machine);
	uint64_t time = process->idle ? 0 : created ? created : inv_machine_tick(machine);
	if (!created && time < process->created)
		time = process->created + inv_count(process->threads);
	struct inv_forge_thread *thread = inv_machine_shape_thread(machine, process, id, time);
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_ThreadInserted, 1);
	if (process->gui && inv_machine_get(machine, process->address, INV_F_EPROCESS_Win32Process))
		inv_machine_join_desktop(machine, thread);
	insert_thread(machine, thread);
	return thread;
}

void inv_machine_impersonate(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t token)
{
	// SECURITY_IMPERSONATION_LEVEL in the low bits.
	uint64_t level = token ? inv_machine_get(machine, token, INV_F_TOKEN_ImpersonationLevel) & 3 : 0;
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_ImpersonationData, token | level);
	inv_machine_put(machine, thread->address, INV_F_ETHREAD_ActiveImpersonationInfo, token != 0);
}

// A parent lists the jobs that are nested into it.
static void nest_job(struct inv_machine *machine, uint64_t job, uint64_t parent)
{
	if (!inv_machine_has(machine, INV_F_EJOB_SiblingJobLinks) || !inv_machine_has(machine, INV_F_EJOB_ChildJobListHead))
		return;
	inv_machine_list_init(machine, inv_machine_at(machine, job, INV_F_EJOB_ChildJobListHead));
	uint64_t entry = inv_machine_at(machine, job, INV_F_EJOB_SiblingJobLinks);
	if (parent)
		inv_machine_list_append(machine, inv_machine_at(machine, parent, INV_F_EJOB_ChildJobListHead), entry);
	else
		inv_machine_list_init(machine, entry);
}

uint64_t inv_machine_make_job(struct inv_machine *machine, uint64_t parent, const char *name)
{
	uint64_t head = inv_machine_symbol(machine, INV_S_PspJobList);
	if (!head || !inv_machine_has(machine, INV_F_EJOB_JobLinks) ||
	    !inv_machine_has(machine, INV_F_EJOB_ProcessListHead) || !inv_machine_has(machine, INV_F_EPROCESS_JobLinks))
		return 0;
	if (!inv_machine_get64(machine, head))
		inv_machine_list_init(machine, head);
	uint32_t size = inv_machine_size(machine, INV_T_EJOB, 0x800);
	count_object(machine, machine->job_type, &machine->job_objects);
	uint64_t job = without_handles(
	    machine, inv_machine_named_object(machine, size, machine->build < 9200 ? "Job\xa0" : "Job ", INV_FORGE_JOB,
	                                      name ? INV_HEADER_NAME | INV_HEADER_QUOTA : INV_HEADER_QUOTA, name));
	inv_machine_list_append(machine, head, inv_machine_at(machine, job, INV_F_EJOB_JobLinks));
	inv_machine_list_init(machine, inv_machine_at(machine, job, INV_F_EJOB_ProcessListHead));
	inv_machine_put(machine, job, INV_F_EJOB_ParentJob, parent);
	nest_job(machine, job, parent);
	return job;
}

// A process counts in its job and, since jobs can be nested, in all above.
static void count_in_jobs(struct inv_machine *machine, uint64_t job, enum inv_field field, int64_t step)
{
	for (unsigned depth = 0; job && depth < 64; depth++) {
		inv_machine_put(machine, job, field, inv_machine_get(machine, job, field) + (uint64_t)step);
		job = inv_machine_get(machine, job, INV_F_EJOB_ParentJob);
	}
}

void inv_machine_assign_job(struct inv_machine *machine, struct inv_forge_process *process, uint64_t job)
{
	// From a job into one that is nested into it: only the innermost job lists a process.
	uint64_t old = inv_machine_get(machine, process->address, INV_F_EPROCESS_Job);
	if (old) {
		inv_machine_list_remove(machine, inv_machine_at(machine, process->address, INV_F_EPROCESS_JobLinks));
		count_in_jobs(machine, old, INV_F_EJOB_ActiveProcesses, -1);
		count_in_jobs(machine, old, INV_F_EJOB_TotalProcesses, -1);
	}
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Job, job);
	inv_machine_list_append(machine, inv_machine_at(machine, job, INV_F_EJOB_ProcessListHead),
	                        inv_machine_at(machine, process->address, INV_F_EPROCESS_JobLinks));
	count_in_jobs(machine, job, INV_F_EJOB_ActiveProcesses, 1);
	count_in_jobs(machine, job, INV_F_EJOB_TotalProcesses, 1);
}

// PspExitProcessFromJob: it stays on the list until it is deleted, and counts no more.
static void leave_job(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t job = inv_machine_get(machine, process->address, INV_F_EPROCESS_Job);
	if (!job)
		return;
	inv_machine_put(machine, process->address, INV_F_EPROCESS_JobNotReallyActive, 1);
	count_in_jobs(machine, job, INV_F_EJOB_ActiveProcesses, -1);
}

void inv_machine_exit_process(struct inv_machine *machine, struct inv_forge_process *process, uint64_t exited,
                              uint32_t status)
{
	uint64_t at = process->address;
	process->zombie = true;
	process->exited = exited;
	static const enum inv_field set[] = {INV_F_EPROCESS_ProcessDelete, INV_F_EPROCESS_ProcessRundown,
	                                     INV_F_EPROCESS_ProcessExiting, INV_F_EPROCESS_ExitProcessReported,
	                                     INV_F_DISPATCHER_HEADER_SignalState};
	for (size_t i = 0; i < sizeof set / sizeof *set; i++)
		inv_machine_put(machine, at, set[i], 1);
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitStatus, status);
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitTime, exited);
	leave_job(machine, process);
	static const enum inv_field gone[] = {INV_F_EPROCESS_ObjectTable, INV_F_EPROCESS_SectionObject,
	                                      INV_F_EPROCESS_ImageFilePointer, INV_F_EPROCESS_VadRoot,
	                                      INV_F_EPROCESS_ActiveThreads};
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		inv_machine_put(machine, at, gone[i], 0);
	inv_machine_drop_win32(machine, process);
	inv_machine_drop_section(machine, process);
	inv_machine_clean_space(machine, process);
	inv_machine_close_all(machine, process);
	inv_machine_drop_backlinks(machine, process);
	if (process->handle_table && machine->handle_table_head &&
	    inv_machine_has(machine, INV_F_HANDLE_TABLE_HandleTableList))
		inv_machine_list_remove(machine,
		                        inv_machine_at(machine, process->handle_table, INV_F_HANDLE_TABLE_HandleTableList));
	process->handle_table = 0;
}

static const struct inv_forge_place *place_at(const struct inv_machine *machine, uint64_t address)
{
	struct inv_forge_place *places = machine->places; // which remembers where it looked
	ptrdiff_t at = places ? stbds_hmgeti(places, address) : -1;
	return at >= 0 ? &machine->places[at] : NULL;
}

struct inv_forge_process *inv_machine_process_at(const struct inv_machine *machine, uint64_t address)
{
	const struct inv_forge_place *place = place_at(machine, address);
	return place ? place->process : NULL;
}

struct inv_forge_thread *inv_machine_thread_at(const struct inv_machine *machine, uint64_t address)
{
	const struct inv_forge_place *place = place_at(machine, address);
	return place ? place->thread : NULL;
}
