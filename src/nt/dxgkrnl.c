// SPDX-License-Identifier: Apache-2.0
#include "nt/dxgkrnl.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"

#define POOL_HEADER_SIZE 0x10u
#define MOST_RECORDS ((size_t)1 << 18)

static const uint32_t slots[] = {0x38, 0x30};

struct inv_dxgkrnl *inv_dxgkrnl_new(struct inv_win32k *win32k)
{
	struct inv_dxgkrnl *dxgkrnl = inv_alloc(sizeof *dxgkrnl);
	dxgkrnl->win32k = win32k;
	return dxgkrnl;
}

void inv_dxgkrnl_free(struct inv_dxgkrnl *dxgkrnl)
{
	if (!dxgkrnl)
		return;
	inv_array_free(dxgkrnl->blocks);
	inv_array_free(dxgkrnl->processes);
	free(dxgkrnl);
}

struct inv_value inv_dxgkrnl_of(struct inv_dxgkrnl *dxgkrnl, uint64_t process)
{
	const struct inv_kernel *kernel = dxgkrnl->win32k->kernel;
	struct inv_value slot = inv_field(kernel, process, INV_F_EPROCESS_DxgProcess);
	return slot.ok || slot.why.reason != INV_NO_FIELD ? slot : inv_win32k_dx(dxgkrnl->win32k, process);
}

static bool is_kernel_pointer(uint64_t value)
{
	return value >> 56 == 0xff && value % 8 == 0;
}

uint64_t inv_dxgkrnl_add_block(struct inv_dxgkrnl *dxgkrnl, uint64_t header)
{
	uint8_t raw[POOL_HEADER_SIZE];
	const struct inv_kernel *kernel = dxgkrnl->win32k->kernel;
	struct inv_dxg_block block = {.address = header + POOL_HEADER_SIZE};
	if (inv_space_read(kernel->space, header, raw, sizeof raw, NULL) < sizeof raw)
		return 0;
	dxgkrnl->full = dxgkrnl->full || inv_count(dxgkrnl->blocks) >= MOST_RECORDS;
	if (dxgkrnl->full)
		return 0;
	block.used = raw[3] != 0;
	uint64_t process = 0;
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		struct inv_value named = inv_read_u64(kernel, block.address + slots[i]);
		block.named[i] = named.ok && is_kernel_pointer(named.u) ? named.u : 0;
		struct inv_value leads = {0};
		if (block.named[i])
			leads = inv_dxgkrnl_of(dxgkrnl, block.named[i]);
		if (leads.ok && leads.u == block.address)
			process = block.named[i];
	}
	inv_push(dxgkrnl->blocks, block);
	return process;
}

void inv_dxgkrnl_add_process(struct inv_dxgkrnl *dxgkrnl, uint64_t process)
{
	const struct inv_kernel *kernel = dxgkrnl->win32k->kernel;
	struct inv_dxg_process record = {.process = process, .slot = inv_dxgkrnl_of(dxgkrnl, process)};
	dxgkrnl->full = dxgkrnl->full || inv_count(dxgkrnl->processes) >= MOST_RECORDS;
	if (!record.slot.ok || record.slot.u == 0 || dxgkrnl->full)
		return;
	bool told = false;
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		struct inv_value named = inv_read_u64(kernel, record.slot.u + slots[i]);
		dxgkrnl->agree[i] += named.ok && named.u == process;
		told = told || named.ok;
	}
	dxgkrnl->voters += told;
	record.block = inv_read_u64(kernel, record.slot.u - POOL_HEADER_SIZE);
	inv_push(dxgkrnl->processes, record);
}

void inv_dxgkrnl_settle(struct inv_dxgkrnl *dxgkrnl)
{
	const struct inv_kernel *kernel = dxgkrnl->win32k->kernel;
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
		inv_vote_count(&dxgkrnl->slot, dxgkrnl->agree[i], dxgkrnl->voters, slots[i], true);
	if (!dxgkrnl->slot.known)
		return;
	for (size_t i = 0; i < inv_count(dxgkrnl->processes); i++)
		dxgkrnl->processes[i].owner = inv_read_u64(kernel, dxgkrnl->processes[i].slot.u + dxgkrnl->slot.offset);
	for (size_t i = 0; i < inv_count(dxgkrnl->blocks); i++) {
		struct inv_dxg_block *block = &dxgkrnl->blocks[i];
		block->owner = inv_read_u64(kernel, block->address + dxgkrnl->slot.offset);
		if (block->owner.ok && is_kernel_pointer(block->owner.u))
			block->leads = inv_dxgkrnl_of(dxgkrnl, block->owner.u);
	}
}
