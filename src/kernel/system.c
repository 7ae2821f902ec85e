// SPDX-License-Identifier: Apache-2.0
// The System process, and the address space that is surely the kernel's: its own.
#include "kernel/parts.h"

static struct inv_value by_symbol(const struct inv_kernel *kernel)
{
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_PsInitialSystemProcess, NULL);
	return at.ok ? inv_read_u64(kernel, at.u) : at;
}

// System is created first and stands first on the list of processes (measured on every dump that captured the head).
static struct inv_value by_list(const struct inv_kernel *kernel, const struct inv_layout *layout)
{
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsActiveProcessHead, NULL);
	if (!head.ok)
		return head;
	struct inv_value flink = inv_read_u64(kernel, head.u);
	uint16_t offset = layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset;
	if (!flink.ok || offset == INV_NO_OFFSET || flink.u < offset) {
		flink.ok = false;
		if (offset == INV_NO_OFFSET)
			flink.why = (struct inv_why){.reason = INV_NO_FIELD,
			                             .name = inv_field_full_name(INV_F_EPROCESS_ActiveProcessLinks)};
		return flink;
	}
	flink.u -= offset;
	return flink;
}

struct inv_value inv_find_system(const struct inv_kernel *kernel, const struct inv_layout *layout)
{
	struct inv_value system = by_symbol(kernel);
	if (system.ok && inv_is_kernel_address(system.u))
		return system;
	if (!layout)
		return (struct inv_value){.why = {.reason = INV_NO_FIELD, .name = "_EPROCESS.ActiveProcessLinks"}};
	system = by_list(kernel, layout);
	if (system.ok && !inv_is_kernel_address(system.u))
		system =
		    (struct inv_value){.address = system.address, .why = {.reason = INV_NO_POINTER, .address = system.address}};
	return system;
}

static void move_to(struct inv_work *work, uint64_t dtb)
{
	struct inv_kernel *kernel = &work->kernel;
	unsigned levels = inv_space_levels(kernel->space);
	struct inv_space *space = inv_space_new_x64(kernel->image, dtb, levels);
	struct inv_pe pe;
	// A table through which the kernel is not seen is not System's, whatever the process says.
	if (!inv_pe_read(space, kernel->base, &pe, NULL) || pe.size_of_image != kernel->size) {
		inv_space_free(space);
		return;
	}
	inv_space_free(kernel->space);
	kernel->space = space;
	kernel->dtb = dtb;
}

void inv_prefer_system_dtb(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	struct inv_value system = inv_find_system(kernel, kernel->layout);
	struct inv_value dtb = system.ok ? inv_field(kernel, system.u, INV_F_KPROCESS_DirectoryTableBase) : system;
	if (!dtb.ok) {
		inv_clue_missing(work, INV_ANCHOR_DTB, INV_WAY_SYSTEM, &dtb.why, NULL);
		return;
	}
	uint64_t root = dtb.u & INV_FRAME_MASK;
	inv_clue_found(work, INV_ANCHOR_DTB, INV_WAY_SYSTEM, root, dtb.address, NULL);
	if (inv_space_has_page_tables(kernel->space) && root != kernel->dtb && root != 0)
		move_to(work, root);
}
