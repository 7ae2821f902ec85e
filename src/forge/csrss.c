// SPDX-License-Identifier: Apache-2.0
#include "forge/csrss.h"
#include "forge/backlinks.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "forge/peb.h"

#define PAGE INV_RAM_PAGE
#define CHUNK 0x100000ull // of csrss's heap; the forge's own choice
#define PROCESS_SIZE 0x90u
#define DLL_DATA 0x60u // behind a CSR_PROCESS, for each server DLL; how much it is in which build is not verified
#define THREAD_SIZE 0x58u
#define SESSION_SIZE 0x20u // of CSR_NT_SESSION, which stays empty
#define BLOCK_HEADER 16u   // of a block of the heap
#define BUCKETS 256u       // of threads, by the low bits of their identifier (ReactOS)
#define FIRST_SEQUENCE 5u
#define ITSELF UINT64_MAX // NtCurrentProcess()
#define SYSTEM_LUID 0x3e7u

// -- memory of csrss --------------------------------------------------------------------------------------------------------

void inv_csr_put64(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_machine_write_user(machine, csr->csrss, address, bytes, sizeof bytes);
}

static void put32(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t address, uint32_t value)
{
	uint8_t bytes[4];
	inv_put32(bytes, value);
	inv_machine_write_user(machine, csr->csrss, address, bytes, sizeof bytes);
}

static uint64_t get64(const struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t address)
{
	uint8_t bytes[8] = {0};
	(void)inv_machine_read_user(machine, csr->csrss, address, bytes, sizeof bytes);
	return inv_le64(bytes);
}

// A block of csrss's heap; 0: there is no room for more.
static uint64_t take(struct inv_machine *machine, struct inv_forge_csr *csr, uint64_t size)
{
	if (!csr->next || csr->next + size > csr->end) {
		uint64_t at = inv_machine_take_user(machine, csr->csrss, CHUNK, 0);
		if (!at)
			return 0;
		csr->mapped = at;
		csr->next = at + BLOCK_HEADER;
		csr->end = at + CHUNK;
	}
	uint64_t at = csr->next;
	csr->next = (at + size + BLOCK_HEADER + 15) / 16 * 16;
	for (; csr->mapped < csr->next && csr->mapped < csr->end; csr->mapped += PAGE)
		inv_machine_map_user(machine, csr->csrss, csr->mapped, INV_PTE_WRITE | INV_PTE_NX);
	return at;
}

static void list_init(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t head)
{
	inv_csr_put64(machine, csr, head, head);
	inv_csr_put64(machine, csr, head + 8, head);
}

static void list_append(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t head, uint64_t entry)
{
	uint64_t last = get64(machine, csr, head + 8);
	inv_csr_put64(machine, csr, entry, head);
	inv_csr_put64(machine, csr, entry + 8, last);
	inv_csr_put64(machine, csr, last, entry);
	inv_csr_put64(machine, csr, head + 8, entry);
}

void inv_csr_unlink(struct inv_machine *machine, const struct inv_forge_csr *csr, uint64_t entry)
{
	uint64_t next = get64(machine, csr, entry), previous = get64(machine, csr, entry + 8);
	inv_csr_put64(machine, csr, previous, next);
	inv_csr_put64(machine, csr, next + 8, previous);
}

// -- the port ---------------------------------------------------------------------------------------------------------------

uint64_t inv_csr_make_port(struct inv_machine *machine, struct inv_forge_process *owner, const char *name)
{
	uint64_t port = inv_machine_make_port(machine, owner, name);
	if (port)
		(void)inv_machine_open(machine, owner, port, inv_machine_all_access(machine, port), 0);
	return port;
}

// The csrss of session 0 is told of hard errors that nobody else takes (NtSetDefaultHardErrorPort). PspHostSiloGlobals is the structure
// itself: the symbol that follows it in the tables stands as far away as the structure is large.
static void put_default_port(struct inv_machine *machine, const struct inv_forge_csr *csr)
{
	uint64_t symbol = inv_machine_symbol(machine, INV_S_ExpDefaultErrorPortProcess);
	uint64_t host = inv_machine_symbol(machine, INV_S_PspHostSiloGlobals);
	if (csr->csrss->session->id != 0)
		return;
	if (symbol)
		inv_machine_put64(machine, symbol, csr->csrss->address);
	else if (host)
		inv_machine_put(machine, host, INV_F_ESERVERSILO_GLOBALS_ExpDefaultErrorPortProcess, csr->csrss->address);
}

// -- clients ----------------------------------------------------------------------------------------------------------------

static uint64_t make_record(struct inv_machine *machine, struct inv_forge_csr *csr,
                            const struct inv_forge_process *process, uint64_t handle)
{
	uint64_t at = take(machine, csr, PROCESS_SIZE + DLL_DATA);
	if (!at)
		return 0;
	uint64_t thread = inv_count(process->threads) ? process->threads[0]->tid : 0;
	inv_csr_put64(machine, csr, at + INV_CSR_PROCESS_ID, process->pid);
	inv_csr_put64(machine, csr, at + INV_CSR_PROCESS_THREAD_ID, thread);
	list_init(machine, csr, at + INV_CSR_PROCESS_LINK);
	list_init(machine, csr, at + INV_CSR_PROCESS_THREADS);
	inv_csr_put64(machine, csr, at + INV_CSR_PROCESS_SESSION, csr->session);
	inv_csr_put64(machine, csr, at + INV_CSR_PROCESS_HANDLE, handle);
	put32(machine, csr, at + INV_CSR_PROCESS_SEQUENCE, csr->sequence);
	put32(machine, csr, at + INV_CSR_PROCESS_REFERENCES, 1 + (uint32_t)inv_count(process->threads));
	inv_csr_put64(machine, csr, at + INV_CSR_PROCESS_LUID, SYSTEM_LUID);
	return at;
}

static void add_thread(struct inv_machine *machine, struct inv_forge_client *client, struct inv_forge_thread *thread)
{
	struct inv_forge_csr *csr = client->csr;
	if (thread->ended || thread->deleted || !inv_machine_get(machine, thread->address, INV_F_ETHREAD_ThreadInserted))
		return;
	uint64_t at = take(machine, csr, THREAD_SIZE);
	if (!at)
		return;
	uint64_t handle = inv_machine_open(machine, csr->csrss, thread->address,
	                                   inv_machine_granted(machine, csr->csrss, thread->address, 0x1fffff), 0);
	inv_csr_put64(machine, csr, at + INV_CSR_THREAD_CREATED, thread->created);
	list_append(machine, csr, client->address + INV_CSR_PROCESS_THREADS, at + INV_CSR_THREAD_LINK);
	list_append(machine, csr, csr->buckets + 16 * (thread->tid % BUCKETS), at + INV_CSR_THREAD_HASH);
	inv_csr_put64(machine, csr, at + INV_CSR_THREAD_PROCESS_ID, thread->process->pid);
	inv_csr_put64(machine, csr, at + INV_CSR_THREAD_ID, thread->tid);
	inv_csr_put64(machine, csr, at + INV_CSR_THREAD_PROCESS, client->address);
	inv_csr_put64(machine, csr, at + INV_CSR_THREAD_HANDLE, handle);
	put32(machine, csr, at + INV_CSR_THREAD_REFERENCES, 1);
	inv_push(client->threads, ((struct inv_forge_csr_thread){thread, at, handle}));
}

static bool is_told_of(const struct inv_forge_csr *csr, const struct inv_forge_process *process)
{
	return csr && process != csr->csrss && !process->unregistered && !process->client && !process->minimal &&
	       !process->system && !process->idle && !process->zombie && process->stage == INV_STAGE_WHOLE &&
	       inv_count(process->threads);
}

void inv_csr_register(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_csr *csr = inv_csr_of(machine, process);
	if (is_told_of(csr, process))
		inv_csr_enter(machine, csr, process);
}

void inv_csr_enter(struct inv_machine *machine, struct inv_forge_csr *csr, struct inv_forge_process *process)
{
	uint32_t access = inv_machine_granted(machine, csr->csrss, process->address, 0x1fffff);
	uint64_t handle = inv_machine_open(machine, csr->csrss, process->address, access, 0);
	uint64_t at = handle ? make_record(machine, csr, process, handle) : 0;
	if (!at)
		return;
	csr->sequence++;
	struct inv_forge_client *client = inv_alloc(sizeof *client);
	*client = (struct inv_forge_client){.process = process, .csr = csr, .address = at, .handle = handle};
	process->client = client;
	inv_push(csr->clients, client);
	list_append(machine, csr, csr->root + INV_CSR_PROCESS_LINK, at + INV_CSR_PROCESS_LINK);
	for (size_t i = 0; i < inv_count(process->threads); i++)
		add_thread(machine, client, process->threads[i]);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ExceptionPortData, csr->port | 1);
}

uint64_t inv_csr_adopt(struct inv_machine *machine, struct inv_forge_csr *csr, const struct inv_forge_process *process)
{
	uint32_t access = inv_machine_granted(machine, csr->csrss, process->address, 0x1fffff);
	uint64_t handle = inv_machine_open(machine, csr->csrss, process->address, access, 0);
	uint64_t at = handle ? make_record(machine, csr, process, handle) : 0;
	if (!at)
		return 0;
	csr->sequence++;
	list_append(machine, csr, csr->root + INV_CSR_PROCESS_LINK, at + INV_CSR_PROCESS_LINK);
	return at;
}

struct inv_forge_csr *inv_csr_of(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	for (size_t i = 0; process->session && i < inv_count(machine->csrs); i++)
		if (machine->csrs[i]->csrss->session == process->session && !machine->csrs[i]->csrss->zombie)
			return machine->csrs[i];
	return NULL;
}

// Whether csrss has an exception port itself is not verified: that of session 0 has none.
void inv_csr_begin(struct inv_machine *machine, struct inv_forge_process *process)
{
	if (!process->session || !process->user || inv_csr_of(machine, process))
		return;
	struct inv_forge_csr *csr = inv_alloc(sizeof *csr);
	*csr = (struct inv_forge_csr){.csrss = process, .sequence = FIRST_SEQUENCE};
	inv_push(machine->csrs, csr);
	csr->port = inv_csr_make_port(machine, process, "ApiPort");
	put_default_port(machine, csr);
	csr->buckets = take(machine, csr, 16ull * BUCKETS);
	csr->session = take(machine, csr, SESSION_SIZE);
	for (uint64_t i = 0; i < BUCKETS; i++)
		list_init(machine, csr, csr->buckets + 16 * i);
	csr->root = make_record(machine, csr, process, ITSELF);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ExceptionPortData,
	                process->session->id ? csr->port | 1 : 0);
	for (size_t i = 0; i < inv_count(machine->processes); i++)
		if (machine->processes[i]->session == process->session)
			inv_csr_register(machine, machine->processes[i]);
}

// -- the end ----------------------------------------------------------------------------------------------------------------

static void drop_thread(struct inv_machine *machine, struct inv_forge_client *client, size_t index)
{
	const struct inv_forge_csr_thread *known = &client->threads[index];
	struct inv_forge_csr *csr = client->csr;
	if (!csr->csrss->zombie) {
		inv_csr_unlink(machine, csr, known->address + INV_CSR_THREAD_LINK);
		inv_csr_unlink(machine, csr, known->address + INV_CSR_THREAD_HASH);
		(void)inv_machine_close(machine, csr->csrss, known->handle, true);
	}
	stbds_arrdel(client->threads, index);
}

void inv_csr_forget_thread(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	struct inv_forge_client *client = thread->process->client;
	for (size_t i = 0; client && i < inv_count(client->threads); i++) {
		if (client->threads[i].thread != thread)
			continue;
		drop_thread(machine, client, i);
		return;
	}
}

void inv_csr_forget(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_client *client = process->client;
	if (!client)
		return;
	struct inv_forge_csr *csr = client->csr;
	while (inv_count(client->threads))
		drop_thread(machine, client, 0);
	if (!csr->csrss->zombie) {
		inv_csr_unlink(machine, csr, client->address + INV_CSR_PROCESS_LINK);
		(void)inv_machine_close(machine, csr->csrss, client->handle, true);
	}
	for (size_t i = 0; i < inv_count(csr->clients); i++) {
		if (csr->clients[i] != client)
			continue;
		stbds_arrdel(csr->clients, i);
		break;
	}
	process->client = NULL;
	inv_array_free(client->threads);
	free(client);
}

// -- what words ask ---------------------------------------------------------------------------------------------------------

struct inv_forge_csr_thread *inv_csr_thread_of(const struct inv_forge_thread *thread)
{
	struct inv_forge_client *client = thread->process->client;
	for (size_t i = 0; client && i < inv_count(client->threads); i++)
		if (client->threads[i].thread == thread)
			return &client->threads[i];
	return NULL;
}

void inv_csr_put_times(struct inv_machine *machine)
{
	for (size_t i = 0; i < inv_count(machine->csrs); i++) {
		const struct inv_forge_csr *csr = machine->csrs[i];
		for (size_t j = 0; j < inv_count(csr->clients) && !csr->csrss->zombie; j++)
			for (size_t k = 0; k < inv_count(csr->clients[j]->threads); k++)
				inv_csr_put64(machine, csr, csr->clients[j]->threads[k].address + INV_CSR_THREAD_CREATED,
				              csr->clients[j]->threads[k].thread->created);
	}
}

void inv_csr_free(struct inv_machine *machine)
{
	for (size_t i = 0; i < inv_count(machine->csrs); i++) {
		struct inv_forge_csr *csr = machine->csrs[i];
		for (size_t j = 0; j < inv_count(csr->clients); j++) {
			inv_array_free(csr->clients[j]->threads);
			free(csr->clients[j]);
		}
		inv_array_free(csr->clients);
		free(csr);
	}
	inv_array_free(machine->csrs);
}
