// SPDX-License-Identifier: Apache-2.0
// The ranges of user addresses of a process as the memory manager records them: a balanced tree of VADs under
// EPROCESS.VadRoot. Only private ranges are made: those of the shared user page, the PEB and the TEBs. The range of an image
// needs a section with its subsections and its file, which are not laid out.
#include "forge/user.h"

#define PAGE INV_RAM_PAGE
#define WINDOWS_10 10240u
#define REGION 0x200000ull // since Windows 10 PEB and TEBs stand in reservations of this size
#define UNIT 0x10000ull    // of reservations
#define FIRST_FREE 0x10000000ull
#define SHARED_USER_PAGE 0x7ffe0000ull

// Whether this kernel's VADs are known.
static bool known(const struct inv_machine *machine)
{
	return inv_machine_has(machine, INV_F_MMVAD_SHORT_Left) && inv_machine_has(machine, INV_F_MMVAD_SHORT_Right) &&
	       inv_machine_has(machine, INV_F_MMVAD_SHORT_ParentValue) &&
	       inv_machine_has(machine, INV_F_MMVAD_SHORT_StartingVpn) && inv_machine_has(machine, INV_F_EPROCESS_VadRoot);
}

static void put_range(struct inv_machine *machine, const struct inv_forge_vad *vad)
{
	uint64_t first = vad->start / PAGE, last = (vad->end - 1) / PAGE;
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_StartingVpn, first & 0xffffffff);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_EndingVpn, last & 0xffffffff);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_StartingVpnHigh, first >> 32);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_EndingVpnHigh, last >> 32);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_Protection, vad->protection);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_PrivateMemory, 1);
}

// The height of a tree that was halved at every node.
static unsigned height_of(size_t count)
{
	unsigned height = 0;
	for (; count; count /= 2)
		height++;
	return height;
}

// Links the VADs from `first`, `count` of them, into a tree under `parent`, and returns its root. The low bits of the parent
// hold the balance: by how much the right side is higher.
static uint64_t link_tree(struct inv_machine *machine, const struct inv_forge_vad *first, size_t count, uint64_t parent)
{
	if (count == 0)
		return 0;
	size_t left = count / 2, right = count - left - 1;
	uint64_t node = first[left].address;
	uint64_t balance = (uint64_t)height_of(right) - height_of(left);
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_ParentValue, parent | (balance & 3));
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_Left, link_tree(machine, first, left, node));
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_Right, link_tree(machine, first + left + 1, right, node));
	return node;
}

static void put_tree(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t at = process->address;
	size_t count = inv_count(process->vads);
	// Windows 7 keeps a node for the table itself, to the right of which the tree hangs; it is its own parent.
	uint64_t table = inv_machine_has(machine, INV_F_EPROCESS_VadRootParent)
	                     ? inv_machine_at(machine, at, INV_F_EPROCESS_VadRootParent)
	                     : 0;
	inv_machine_put(machine, at, INV_F_EPROCESS_VadRoot, link_tree(machine, process->vads, count, table));
	inv_machine_put(machine, at, INV_F_EPROCESS_VadCount, count);
	inv_machine_put(machine, at, INV_F_EPROCESS_VadRootParent, table);
	inv_machine_put(machine, at, INV_F_EPROCESS_VadRootDepth, height_of(count));
	inv_machine_put(machine, at, INV_F_EPROCESS_VadRootElements, count);
}

static void add(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_vad vad)
{
	uint32_t size = inv_machine_size(machine, INV_T_MMVAD_SHORT, 0x40);
	vad.address = inv_machine_pool(machine, &machine->pool, size, "VadS");
	put_range(machine, &vad);
	inv_push(process->vads, vad);
	for (size_t i = inv_count(process->vads) - 1; i > 0 && process->vads[i - 1].start > vad.start; i--) {
		process->vads[i] = process->vads[i - 1];
		process->vads[i - 1] = vad;
	}
	put_tree(machine, process);
}

void inv_machine_start_vads(struct inv_machine *machine, struct inv_forge_process *process)
{
	if (known(machine))
		add(machine, process, (struct inv_forge_vad){SHARED_USER_PAGE, SHARED_USER_PAGE + PAGE, 0, INV_MM_READONLY});
}

void inv_machine_cover(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address, uint64_t size)
{
	if (!known(machine))
		return;
	for (size_t i = 0; i < inv_count(process->vads); i++)
		if (address >= process->vads[i].start && address < process->vads[i].end)
			return;
	uint64_t unit = machine->build < WINDOWS_10 ? PAGE : REGION;
	uint64_t start = address / unit * unit, end = (address + size + unit - 1) / unit * unit;
	add(machine, process, (struct inv_forge_vad){start, end, 0, INV_MM_READWRITE});
}

// The first free place for a range of this size; Windows would choose by chance.
static uint64_t free_place(const struct inv_forge_process *process, uint64_t size)
{
	uint64_t at = FIRST_FREE;
	for (size_t i = 0; i < inv_count(process->vads); i++)
		if (process->vads[i].start < at + size && process->vads[i].end > at)
			at = (process->vads[i].end + UNIT - 1) / UNIT * UNIT;
	return at;
}

uint64_t inv_machine_reserve(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at, uint64_t size,
                             unsigned protection)
{
	uint64_t start = at ? at / PAGE * PAGE : free_place(process, size);
	uint64_t end = (start + size + PAGE - 1) / PAGE * PAGE;
	for (size_t i = 0; i < inv_count(process->vads); i++)
		if (process->vads[i].start < end && process->vads[i].end > start)
			return 0;
	if (known(machine))
		add(machine, process, (struct inv_forge_vad){start, end, 0, protection});
	return start;
}

void inv_machine_drop_vads(struct inv_machine *machine, struct inv_forge_process *process)
{
	if (process->vads)
		stbds_arrsetlen(process->vads, 0);
	put_tree(machine, process);
}
