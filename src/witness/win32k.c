// SPDX-License-Identifier: Apache-2.0
// What win32k and dxgkrnl keep of processes. Each of their blocks names its process, and counts here only where the process leads back
// to that very block: W32PROCESS and DXGPROCESS are let go, and what leads to them cleared, when a process exits, so that what a deleted
// process left in memory never does.
#include "base/array.h"
#include "witness/witness.h"

#define POOL_HEADER_SIZE 0x10u
#define NO_SWEEP "memory was not swept"

static void take_w32(struct inv_testimony *testimony, const struct inv_hit *hit)
{
	struct inv_coverage *coverage = &testimony->coverage[INV_W_WIN32K];
	const struct inv_w32_block *block = inv_win32k_add_block(testimony->win32k, hit->physical);
	coverage->read++;
	coverage->broken += !block;
}

// The desktop in the block, by its object header; 0: there is none.
static uint64_t desktop_in(const struct inv_testimony *testimony, const struct inv_value *type, uint64_t block,
                           const char **name)
{
	const struct inv_kernel *kernel = testimony->kernel;
	for (uint64_t optional = 0; optional <= 0xa0; optional += 0x10) {
		uint64_t header = block + POOL_HEADER_SIZE + optional, size, at;
		struct inv_value index = inv_object_type_index(kernel, &testimony->types, header);
		if (!index.ok || index.u != type->u || !inv_object_optional_size(kernel, header, &size) || size != optional)
			continue;
		struct inv_value mask = inv_field(kernel, header, INV_F_OBJECT_HEADER_InfoMask);
		// NAME_INFO stands before CREATOR_INFO, which is next to the header.
		uint64_t creator = mask.ok && mask.u & 1 ? 0x20 : 0;
		bool named = mask.ok && mask.u & 2;
		*name = named && inv_field_address(kernel, header - creator - 0x20, INV_F_OBJECT_HEADER_NAME_INFO_Name, &at)
		            ? inv_read_unicode(kernel, at, testimony->arena, NULL)
		            : "";
		return inv_object_body(kernel, header);
	}
	return 0;
}

static void take_desktop(struct inv_testimony *testimony, const struct inv_value *type, const struct inv_hit *hit)
{
	const char *name = "";
	uint64_t desktop = hit->address && type->ok ? desktop_in(testimony, type, hit->address, &name) : 0;
	if (desktop)
		inv_win32k_add_desktop(testimony->win32k, desktop, name);
}

// The index of the type Desktop.
static struct inv_value desktop_type(const struct inv_testimony *testimony)
{
	struct inv_value symbol = inv_kernel_symbol(testimony->kernel, INV_S_ExDesktopObjectType, NULL);
	struct inv_value type = symbol.ok ? inv_read_u64(testimony->kernel, symbol.u) : symbol;
	return type.ok ? inv_field(testimony->kernel, type.u, INV_F_OBJECT_TYPE_Index) : type;
}

void inv_witness_win32k(struct inv_testimony *testimony)
{
	const struct inv_sweep *sweep = testimony->sweep;
	uint64_t offset;
	if (!sweep || !inv_field_address(testimony->kernel, 0, INV_F_EPROCESS_Win32Process, &offset)) {
		inv_void(testimony, INV_W_WIN32K, sweep ? "the layout does not know EPROCESS.Win32Process" : NO_SWEEP);
		return;
	}
	struct inv_value type = desktop_type(testimony);
	for (size_t i = 0; i < inv_count(sweep->hits); i++) {
		if (sweep->hits[i].kind == INV_HIT_W32_TAG)
			take_w32(testimony, &sweep->hits[i]);
		else if (sweep->hits[i].kind == INV_HIT_DESKTOP_TAG)
			take_desktop(testimony, &type, &sweep->hits[i]);
	}
	inv_win32k_match_blocks(testimony->win32k);
	for (size_t i = 0; i < inv_count(testimony->win32k->blocks); i++) {
		const struct inv_w32_block *block = &testimony->win32k->blocks[i];
		if (block->address)
			inv_sight(testimony, INV_W_WIN32K, block->process, 0, block->address);
	}
	inv_win32k_follow_desktops(testimony->win32k);
	for (size_t i = 0; i < inv_count(testimony->win32k->members); i++) {
		const struct inv_desktop_thread *member = &testimony->win32k->members[i];
		testimony->coverage[INV_W_WIN32K].read++;
		if (member->thread.ok && member->slot.ok && member->slot.u == member->info)
			inv_sight(testimony, INV_W_WIN32K, 0, member->thread.u, member->at);
		else
			testimony->coverage[INV_W_WIN32K].broken++;
	}
}

void inv_witness_dxgkrnl(struct inv_testimony *testimony)
{
	const struct inv_sweep *sweep = testimony->sweep;
	struct inv_coverage *coverage = &testimony->coverage[INV_W_DXGKRNL];
	if (!sweep) {
		inv_void(testimony, INV_W_DXGKRNL, NO_SWEEP);
		return;
	}
	for (size_t i = 0; i < inv_count(sweep->hits); i++) {
		const struct inv_hit *hit = &sweep->hits[i];
		if (hit->kind != INV_HIT_DXG_TAG)
			continue;
		coverage->read += hit->address != 0;
		coverage->unreadable += hit->address == 0;
		uint64_t process = hit->address ? inv_dxgkrnl_add_block(testimony->dxgkrnl, hit->address) : 0;
		if (process)
			inv_sight(testimony, INV_W_DXGKRNL, process, 0, hit->address + POOL_HEADER_SIZE);
	}
}
