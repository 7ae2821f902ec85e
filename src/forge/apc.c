// SPDX-License-Identifier: Apache-2.0
#include "forge/user_thread.h"

#define APC_OBJECT 18u // KOBJECTS.ApcObject
#define APC_SIZE 0x58u
#define SIZE_OFFSET 2u      // KAPC.Size, every x64 build
#define LIST_ENTRY_SIZE 16u // ApcListHead is an array: kernel mode, user mode
#define TWO_PENDING 17763u  // since when UserApcPending is the second bit of its byte

static void init_lists(struct inv_machine *machine, uint64_t heads)
{
	inv_machine_list_init(machine, heads);
	inv_machine_list_init(machine, heads + LIST_ENTRY_SIZE);
}

void inv_machine_start_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	if (inv_machine_has(machine, INV_F_KTHREAD_ApcListHead))
		init_lists(machine, inv_machine_at(machine, thread->address, INV_F_KTHREAD_ApcListHead));
}

// The entries of a list stand under another head.
static void move_list(struct inv_machine *machine, uint64_t from, uint64_t to)
{
	uint64_t first = inv_machine_get64(machine, from), last = inv_machine_get64(machine, from + 8);
	inv_machine_list_init(machine, to);
	if (first == from)
		return;
	inv_machine_put64(machine, to, first);
	inv_machine_put64(machine, to + 8, last);
	inv_machine_put64(machine, first + 8, to);
	inv_machine_put64(machine, last, to);
	inv_machine_list_init(machine, from);
}

void inv_machine_save_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	if (!inv_machine_has(machine, INV_F_KTHREAD_ApcListHead) ||
	    !inv_machine_has(machine, INV_F_KTHREAD_SavedApcListHead))
		return;
	uint64_t from = inv_machine_at(machine, thread->address, INV_F_KTHREAD_ApcListHead);
	uint64_t to = inv_machine_at(machine, thread->address, INV_F_KTHREAD_SavedApcListHead);
	move_list(machine, from, to);
	move_list(machine, from + LIST_ENTRY_SIZE, to + LIST_ENTRY_SIZE);
}

uint64_t inv_machine_queue_apc(struct inv_machine *machine, const struct inv_forge_thread *thread,
                               const struct inv_forge_apc *apc)
{
	uint32_t size = inv_machine_size(machine, INV_T_KAPC, APC_SIZE);
	uint64_t at = inv_machine_pool(machine, &machine->pool, size, apc->io ? "IoAp" : "PsAp");
	uint64_t kernel = apc->kernel ? apc->kernel : machine->base + machine->code_rva + 0x30;
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {{INV_F_KAPC_Type, APC_OBJECT},
	              {INV_F_KAPC_Thread, thread->address},
	              {INV_F_KAPC_KernelRoutine, kernel},
	              {INV_F_KAPC_NormalRoutine, apc->routine},
	              {INV_F_KAPC_NormalContext, apc->context},
	              {INV_F_KAPC_SystemArgument1, apc->argument},
	              {INV_F_KAPC_ApcMode, apc->user},
	              {INV_F_KAPC_Inserted, 1}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put(machine, at, fields[i].field, fields[i].value);
	uint8_t byte = APC_SIZE;
	inv_machine_write(machine, at + SIZE_OFFSET, &byte, 1);
	if (inv_machine_has(machine, INV_F_KTHREAD_ApcListHead) && inv_machine_has(machine, INV_F_KAPC_ApcListEntry))
		inv_machine_list_append(machine,
		                        inv_machine_at(machine, thread->address, INV_F_KTHREAD_ApcListHead) +
		                            (apc->user ? LIST_ENTRY_SIZE : 0),
		                        inv_machine_at(machine, at, INV_F_KAPC_ApcListEntry));
	if (apc->pending)
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_UserApcPending, machine->build >= TWO_PENDING ? 2 : 1);
	return at;
}
