// SPDX-License-Identifier: Apache-2.0
// KDDEBUGGER_DATA64 gives debuggers a few sizes and offsets. Where no table fits, they are a layout of their own: small,
// but this kernel's.
#include <stddef.h>

#include "kernel/parts.h"

struct inv_layout *inv_empty_layout(struct inv_arena *arena, enum inv_arch arch)
{
	struct inv_layout *layout = inv_arena_alloc(arena, sizeof(*layout));
	layout->arch = arch;
	layout->partial = true;
	for (size_t i = 0; i < INV_FIELD_COUNT; i++)
		layout->place[i].offset = INV_NO_OFFSET;
	return layout;
}

static const struct {
	unsigned at;
	enum inv_field field;
} fields[] = {
    {INV_KDBG_EPROCESS_PEB, INV_F_EPROCESS_Peb},
    {INV_KDBG_EPROCESS_PARENT_CID, INV_F_EPROCESS_InheritedFromUniqueProcessId},
    {INV_KDBG_EPROCESS_DIRECTORY_TABLE_BASE, INV_F_KPROCESS_DirectoryTableBase},
    {INV_KDBG_KTHREAD_TEB, INV_F_KTHREAD_Teb},
    {INV_KDBG_KTHREAD_KERNEL_STACK, INV_F_KTHREAD_KernelStack},
    {INV_KDBG_KTHREAD_INITIAL_STACK, INV_F_KTHREAD_InitialStack},
    {INV_KDBG_KTHREAD_APC_PROCESS, INV_F_KTHREAD_ApcStateProcess},
    {INV_KDBG_KTHREAD_STATE, INV_F_KTHREAD_State},
    {INV_KDBG_KTHREAD_STACK_LIMIT, INV_F_KTHREAD_StackLimit},
    {INV_KDBG_KTHREAD_STACK_BASE, INV_F_KTHREAD_StackBase},
    {INV_KDBG_PRCB_CURRENT_THREAD, INV_F_KPRCB_CurrentThread},
    {INV_KDBG_PRCB_IDLE_THREAD, INV_F_KPRCB_IdleThread},
    {INV_KDBG_PRCB_NUMBER, INV_F_KPRCB_Number},
    {INV_KDBG_PCR_SELF, INV_F_KPCR_Self},
    {INV_KDBG_PCR_CURRENT_PRCB, INV_F_KPCR_CurrentPrcb},
    {INV_KDBG_PCR_CONTAINED_PRCB, INV_F_KPCR_Prcb},
};

// Only where the layout says nothing.
static size_t add_fields(const struct inv_kernel *kernel, struct inv_layout *layout)
{
	size_t added = 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint16_t offset = 0;
		struct inv_place *place = &layout->place[fields[i].field];
		if (place->offset != INV_NO_OFFSET || !inv_kdbg_u16(&kernel->kdbg, fields[i].at, &offset) || offset == 0)
			continue;
		place->offset = offset;
		added++;
	}
	return added;
}

const struct inv_layout *inv_complete_layout(struct inv_work *work, const struct inv_layout *layout, size_t *added)
{
	struct inv_layout *whole = inv_arena_alloc(work->kernel.arena, sizeof(*whole));
	*whole = *layout;
	*added = add_fields(&work->kernel, whole);
	return *added ? whole : layout;
}

struct inv_layout *inv_kdbg_layout(struct inv_work *work)
{
	const struct inv_kernel *kernel = &work->kernel;
	uint16_t process = 0, thread = 0, prcb = 0;
	inv_kdbg_u16(&kernel->kdbg, INV_KDBG_SIZE_EPROCESS, &process);
	inv_kdbg_u16(&kernel->kdbg, INV_KDBG_SIZE_ETHREAD, &thread);
	inv_kdbg_u16(&kernel->kdbg, INV_KDBG_SIZE_PRCB, &prcb);
	if (process == 0 || thread == 0 || prcb == 0)
		return NULL;

	struct inv_layout *layout = inv_empty_layout(kernel->arena, kernel->arch);
	layout->id = "kdbg";
	layout->source = "KDBG";
	layout->version = "this kernel";
	layout->build = kernel->version.build;
	layout->size[INV_T_EPROCESS] = process;
	layout->size[INV_T_ETHREAD] = thread;
	layout->size[INV_T_KPRCB] = prcb;
	add_fields(kernel, layout);
	// Every process and thread begins with its DISPATCHER_HEADER (wdm.h): Type in its first byte, the list of waiters at 8.
	layout->place[INV_F_DISPATCHER_HEADER_Type].offset = 0;
	layout->place[INV_F_DISPATCHER_HEADER_WaitListHead].offset = 8;
	return layout;
}
