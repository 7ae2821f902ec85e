// SPDX-License-Identifier: Apache-2.0
// What stays in memory of a process when its object is deleted, and marks of an object that somebody wipes.
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"
#include "forge/parts.h"
#include "forge/pfn.h"
#include "forge/session.h"

#define POOL_HEADER_SIZE 0x10u
#define FREE_PAGE 1u // MMLISTS.FreePageList

// 0: the object lies in a block with a header.
static uint64_t big_block_of(const struct inv_machine *machine, uint64_t object)
{
	uint64_t start = inv_machine_block_of(machine, object) + POOL_HEADER_SIZE;
	return start % INV_RAM_PAGE == 0 && inv_machine_big_entry(machine, start) ? start : 0;
}

static void leave_list(struct inv_machine *machine, uint64_t object, enum inv_field field)
{
	if (!inv_machine_has(machine, field))
		return;
	uint64_t entry = inv_machine_at(machine, object, field);
	if (inv_machine_get64(machine, entry))
		inv_machine_list_remove(machine, entry);
}

void inv_machine_free_root(struct inv_machine *machine, uint64_t root)
{
	inv_machine_sync_pfn(machine);
	uint64_t entry = root ? inv_machine_pfn_of(machine, root) : 0;
	if (!entry)
		return;
	inv_machine_put(machine, entry, INV_F_MMPFN_u1, 0);
	inv_machine_put(machine, entry, INV_F_MMPFN_PteFrame, 0);
	inv_machine_put(machine, entry, INV_F_MMPFN_PageLocation, FREE_PAGE);
}

static void put_free(struct inv_machine *machine, uint64_t block)
{
	uint8_t free_type = 0; // _POOL_HEADER.PoolType of a block that is free
	inv_machine_write(machine, block + 3, &free_type, 1);
}

void inv_machine_free_object(struct inv_machine *machine, uint64_t object)
{
	inv_machine_leave_type(machine, object);
	if (big_block_of(machine, object))
		inv_machine_free_big(machine, big_block_of(machine, object));
	else
		put_free(machine, inv_machine_block_of(machine, object));
}

void inv_machine_free_pool(struct inv_machine *machine, uint64_t body)
{
	put_free(machine, body - POOL_HEADER_SIZE);
}

// The primary token goes with its process; nothing else refers to it.
static void free_token(struct inv_machine *machine, uint64_t process)
{
	uint64_t token = inv_machine_get(machine, process, INV_F_EPROCESS_Token) & ~0xfull;
	if (!token)
		return;
	inv_machine_put(machine, inv_machine_header(machine, token), INV_F_OBJECT_HEADER_PointerCount, 0);
	inv_machine_put(machine, machine->token_type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, --machine->token_objects);
	inv_machine_free_object(machine, token);
}

void inv_machine_delete_process(struct inv_machine *machine, struct inv_forge_process *process)
{
	uint64_t at = process->address;
	process->deleted = true;
	inv_machine_put(machine, at, INV_F_EPROCESS_ProcessInserted, 0);
	inv_machine_put(machine, inv_machine_header(machine, at), INV_F_OBJECT_HEADER_PointerCount, 0);
	inv_machine_put(machine, inv_machine_header(machine, at), INV_F_OBJECT_HEADER_HandleCount, 0);
	leave_list(machine, at, INV_F_EPROCESS_ActiveProcessLinks);
	leave_list(machine, at, INV_F_EPROCESS_SessionProcessLinks);
	if (process->session)
		inv_session_refer(machine, process->session, -1);
	leave_list(machine, at, INV_F_EPROCESS_MmProcessLinks);
	if (inv_machine_get(machine, at, INV_F_EPROCESS_Job))
		leave_list(machine, at, INV_F_EPROCESS_JobLinks);
	inv_machine_free_root(machine, process->dtb);
	inv_machine_free_root(machine, process->user_dtb);
	inv_machine_cid_free(machine, process->pid);
	uint64_t type = machine->process_type;
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, --machine->process_objects);
	free_token(machine, at);
	inv_machine_free_object(machine, at);
}

void inv_machine_overwrite(struct inv_machine *machine, uint64_t object, uint32_t from, uint32_t size)
{
	for (uint32_t i = 0; i < size / 8; i++)
		inv_machine_put64(machine, object + from + 8ull * i, inv_random_next(&machine->random));
}

void inv_machine_wipe(struct inv_machine *machine, uint64_t object, enum inv_forge_mark mark)
{
	static const uint8_t zeros[0x100]; // more than all headers together
	uint64_t block = inv_machine_block_of(machine, object);
	switch (mark) {
	case INV_MARK_TAG:
		if (big_block_of(machine, object)) {
			uint64_t entry = inv_machine_big_entry(machine, big_block_of(machine, object));
			inv_machine_put(machine, entry, INV_F_POOL_TRACKER_BIG_PAGES_Key, 0);
			return;
		}
		inv_machine_write(machine, block, zeros, POOL_HEADER_SIZE);
		return;
	case INV_MARK_HEADER:
		inv_machine_write(machine, block + POOL_HEADER_SIZE, zeros, object - block - POOL_HEADER_SIZE);
		return;
	case INV_MARK_NAME:
		if (inv_machine_has(machine, INV_F_EPROCESS_ImageFileName))
			inv_machine_write(machine, inv_machine_at(machine, object, INV_F_EPROCESS_ImageFileName), zeros, 15);
		inv_machine_put(machine, object, INV_F_EPROCESS_SeAuditProcessCreationInfo, 0);
		return;
	}
}
