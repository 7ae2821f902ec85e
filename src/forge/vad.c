// SPDX-License-Identifier: Apache-2.0
// The ranges of user addresses of a process as the memory manager records them: a tree of VADs under EPROCESS.VadRoot, of which
// the two sides of each node differ in height by one at most (the kernel's AVL tree). VADs of private memory are short; those of views
// name the section's pages.
#include "forge/user.h"

#include "base/bytes.h"

#define PAGE INV_RAM_PAGE
#define WINDOWS_10 10240u
#define REGION 0x200000ull // since Windows 10 PEB and TEBs stand in reservations of this size
#define UNIT 0x10000ull    // of reservations
#define FIRST_FREE 0x10000000ull
#define SHARED_USER_PAGE 0x7ffe0000ull
#define MOST_LEVELS 64u
#define IMAGE_MAP 2u                    // MI_VAD_TYPE: VadImageMap
#define FILLS_VAD 0xfffffffffffffffcull // LastContiguousPte of an image: all its prototype PTEs stand in one piece
#define BALANCE 3u                      // the low bits of a parent: by how much the right side is higher

// What a protection of VADs and PTEs is in the terms of programs: PAGE_NOACCESS to PAGE_EXECUTE_WRITECOPY, without cache, with a
// guard page, write-combined. Readers of images take it from there.
void inv_machine_put_protections(struct inv_machine *machine)
{
	static const uint32_t plain[8] = {0x01, 0x02, 0x10, 0x20, 0x04, 0x08, 0x40, 0x80};
	static const uint32_t more[4] = {0, 0x200, 0x100, 0x400};
	uint64_t table = inv_machine_symbol(machine, INV_S_MmProtectToValue);
	uint8_t bytes[4];
	for (unsigned i = 0; table && i < 32; i++) {
		inv_put32(bytes, i % 8 ? plain[i % 8] | more[i / 8] : plain[0]);
		inv_machine_write(machine, table + 4ull * i, bytes, sizeof bytes);
	}
}

// Whether this kernel's VADs are known.
static bool known(const struct inv_machine *machine)
{
	return inv_machine_has(machine, INV_F_MMVAD_SHORT_Left) && inv_machine_has(machine, INV_F_MMVAD_SHORT_Right) &&
	       inv_machine_has(machine, INV_F_MMVAD_SHORT_ParentValue) &&
	       inv_machine_has(machine, INV_F_MMVAD_SHORT_StartingVpn) && inv_machine_has(machine, INV_F_EPROCESS_VadRoot);
}

void inv_machine_add_to(struct inv_machine *machine, uint64_t object, enum inv_field field, int64_t step)
{
	if (step)
		inv_machine_put(machine, object, field, inv_machine_get(machine, object, field) + (uint64_t)step);
}

// -- the tree ---------------------------------------------------------------------------------------------------------------

// Windows 7 keeps a node for the table itself, to the right of which the tree hangs; it is its own parent. Else 0.
static uint64_t table_of(const struct inv_machine *machine, const struct inv_forge_process *process)
{
	return inv_machine_has(machine, INV_F_EPROCESS_VadRootParent)
	           ? inv_machine_at(machine, process->address, INV_F_EPROCESS_VadRootParent)
	           : 0;
}

static uint64_t parent_of(const struct inv_machine *machine, uint64_t node)
{
	return inv_machine_get(machine, node, INV_F_MMVAD_SHORT_ParentValue) & ~(uint64_t)BALANCE;
}

static int balance_of(const struct inv_machine *machine, uint64_t node)
{
	unsigned balance = (unsigned)inv_machine_get(machine, node, INV_F_MMVAD_SHORT_ParentValue) & BALANCE;
	return balance == BALANCE ? -1 : (int)balance;
}

static void put_parent(struct inv_machine *machine, uint64_t node, uint64_t parent, int balance)
{
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_ParentValue, parent | ((unsigned)balance & BALANCE));
}

static enum inv_field side(bool right)
{
	return right ? INV_F_MMVAD_SHORT_Right : INV_F_MMVAD_SHORT_Left;
}

struct tree {
	struct inv_machine *machine;
	uint64_t process; // EPROCESS
	uint64_t table;   // above the root
};

// Puts a node where another hung.
static void replace_child(const struct tree *tree, uint64_t parent, uint64_t old, uint64_t node)
{
	if (parent == tree->table)
		inv_machine_put(tree->machine, tree->process, INV_F_EPROCESS_VadRoot, node);
	else
		inv_machine_put(tree->machine, parent,
		                side(inv_machine_get(tree->machine, parent, INV_F_MMVAD_SHORT_Right) == old), node);
}

// The node's child on this side goes up, the node down to the other side.
static void rotate(const struct tree *tree, uint64_t node, bool right)
{
	struct inv_machine *machine = tree->machine;
	uint64_t child = inv_machine_get(machine, node, side(right)), parent = parent_of(machine, node);
	uint64_t inner = inv_machine_get(machine, child, side(!right));
	replace_child(tree, parent, node, child);
	put_parent(machine, child, parent, balance_of(machine, child));
	inv_machine_put(machine, node, side(right), inner);
	if (inner)
		put_parent(machine, inner, node, balance_of(machine, inner));
	inv_machine_put(machine, child, side(!right), node);
	put_parent(machine, node, child, balance_of(machine, node));
}

static void put_balance(struct inv_machine *machine, uint64_t node, int balance)
{
	put_parent(machine, node, parent_of(machine, node), balance);
}

// One side of the node has become higher by two.
static void level_out(const struct tree *tree, uint64_t node, bool right)
{
	struct inv_machine *machine = tree->machine;
	uint64_t child = inv_machine_get(machine, node, side(right));
	int heavy = right ? 1 : -1;
	if (balance_of(machine, child) == heavy) {
		rotate(tree, node, right);
		put_balance(machine, node, 0);
		put_balance(machine, child, 0);
		return;
	}
	uint64_t inner = inv_machine_get(machine, child, side(!right));
	int balance = balance_of(machine, inner);
	rotate(tree, child, !right);
	rotate(tree, node, right);
	put_balance(machine, node, balance == heavy ? -heavy : 0);
	put_balance(machine, child, balance == -heavy ? heavy : 0);
	put_balance(machine, inner, 0);
}

// A leaf has been added: the way up to where the height stays the same.
static void rebalance(const struct tree *tree, uint64_t node)
{
	struct inv_machine *machine = tree->machine;
	uint64_t parent = parent_of(machine, node);
	for (unsigned i = 0; i < MOST_LEVELS && parent != tree->table; i++) {
		bool right = inv_machine_get(machine, parent, INV_F_MMVAD_SHORT_Right) == node;
		int step = right ? 1 : -1, balance = balance_of(machine, parent);
		if (balance == step) {
			level_out(tree, parent, right);
			return;
		}
		put_balance(machine, parent, balance + step);
		if (balance + step == 0)
			return;
		node = parent;
		parent = parent_of(machine, node);
	}
}

// Hangs the range with this index into the tree, beside its neighbour: of two neighbours, one has no child between them.
static void hang(const struct tree *tree, const struct inv_forge_vad *vads, size_t at, size_t count)
{
	struct inv_machine *machine = tree->machine;
	uint64_t node = vads[at].address, before = at ? vads[at - 1].address : 0;
	uint64_t after = at + 1 < count ? vads[at + 1].address : 0;
	bool right = before && !inv_machine_get(machine, before, INV_F_MMVAD_SHORT_Right);
	uint64_t parent = right ? before : after ? after : tree->table;
	put_parent(machine, node, parent, 0);
	if (parent == tree->table) {
		inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadRoot, node);
		return;
	}
	inv_machine_put(machine, parent, side(right), node);
	rebalance(tree, node);
}

// The height of a tree that was halved at every node.
static unsigned height_of(size_t count)
{
	unsigned height = 0;
	for (; count; count /= 2)
		height++;
	return height;
}

// Links the VADs from `first`, `count` of them, into a tree under `parent`, and returns its root.
static uint64_t link_tree(struct inv_machine *machine, const struct inv_forge_vad *first, size_t count, uint64_t parent)
{
	if (count == 0)
		return 0;
	size_t left = count / 2, right = count - left - 1;
	uint64_t node = first[left].address;
	put_parent(machine, node, parent, (int)height_of(right) - (int)height_of(left));
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_Left, link_tree(machine, first, left, node));
	inv_machine_put(machine, node, INV_F_MMVAD_SHORT_Right, link_tree(machine, first + left + 1, right, node));
	return node;
}

static unsigned depth_of(const struct tree *tree)
{
	struct inv_machine *machine = tree->machine;
	uint64_t node = inv_machine_get(machine, tree->process, INV_F_EPROCESS_VadRoot);
	unsigned depth = 0;
	for (; node && depth < MOST_LEVELS; depth++)
		node = inv_machine_get(machine, node, side(balance_of(machine, node) > 0));
	return depth;
}

// What the process keeps of its tree beside the root.
static void put_table(const struct tree *tree, size_t count, uint64_t hint)
{
	struct inv_machine *machine = tree->machine;
	inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadCount, count);
	inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadHint, hint);
	inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadRootParent, tree->table);
	if (inv_machine_has(machine, INV_F_EPROCESS_VadRootDepth))
		inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadRootDepth, depth_of(tree));
	inv_machine_put(machine, tree->process, INV_F_EPROCESS_VadRootElements, count);
}

static struct tree tree_of(struct inv_machine *machine, const struct inv_forge_process *process)
{
	return (struct tree){machine, process->address, table_of(machine, process)};
}

void inv_machine_link_vads(struct inv_machine *machine, const struct inv_forge_process *process)
{
	struct tree tree = tree_of(machine, process);
	size_t count = inv_count(process->vads);
	uint64_t root = link_tree(machine, process->vads, count, tree.table);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_VadRoot, root);
	put_table(&tree, count, root);
}

// -- VADs -------------------------------------------------------------------------------------------------------------------

// Of an image, the pages that each process may get copies of.
static uint64_t commit_of(const struct inv_forge_process *process, const struct inv_forge_vad *vad)
{
	uint64_t pages = (vad->end - vad->start) / PAGE, count = 0;
	if (!vad->area)
		return vad->committed ? pages : inv_maps_count_valid(&process->maps, vad->start, vad->end);
	for (uint64_t i = 0; i < pages; i++)
		count += (inv_area_protection(vad->area, vad->first + (uint32_t)i) & 5) == INV_MM_WRITECOPY;
	return vad->area->image ? count : 0;
}

static void put_range(struct inv_machine *machine, const struct inv_forge_process *process,
                      const struct inv_forge_vad *vad)
{
	uint64_t first = vad->start / PAGE, last = (vad->end - 1) / PAGE, commit = commit_of(process, vad);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_StartingVpn, first & 0xffffffff);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_EndingVpn, last & 0xffffffff);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_StartingVpnHigh, first >> 32);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_EndingVpnHigh, last >> 32);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_Protection, vad->protection);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_PrivateMemory, !vad->area);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_VadType,
	                vad->area && vad->area->image ? IMAGE_MAP : vad->type);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_MemCommit, vad->committed);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_SHORT_CommitCharge, commit);
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_CommitCharge, (int64_t)commit);
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_VirtualSize, (int64_t)(vad->end - vad->start));
}

static void put_view(struct inv_machine *machine, const struct inv_forge_process *process,
                     const struct inv_forge_vad *vad)
{
	struct inv_forge_area *area = vad->area;
	uint32_t pages = (uint32_t)((vad->end - vad->start) / PAGE);
	size_t i = inv_count(area->subsections) - 1;
	while (i > 0 && area->subsections[i].first > vad->first)
		i--;
	inv_machine_put(machine, vad->address, INV_F_MMVAD_Subsection, area->subsections[i].address);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_FirstPrototypePte, inv_area_prototype(area, vad->first));
	inv_machine_put(machine, vad->address, INV_F_MMVAD_LastContiguousPte,
	                area->image ? FILLS_VAD : inv_area_prototype(area, vad->first + pages - 1));
	inv_machine_put(machine, vad->address, INV_F_MMVAD_VadsProcess, process->address);
	inv_machine_put(machine, vad->address, INV_F_MMVAD_FileObject, area->file ? area->file->object : 0);
	if (inv_machine_has(machine, INV_F_CONTROL_AREA_ViewList) && inv_machine_has(machine, INV_F_MMVAD_ViewLinks))
		inv_machine_list_append(machine, inv_machine_at(machine, area->address, INV_F_CONTROL_AREA_ViewList),
		                        inv_machine_at(machine, vad->address, INV_F_MMVAD_ViewLinks));
	inv_machine_count_view(machine, area, 1);
}

static void forget_view(struct inv_machine *machine, const struct inv_forge_vad *vad)
{
	if (!vad->area)
		return;
	if (vad->address && inv_machine_has(machine, INV_F_CONTROL_AREA_ViewList) &&
	    inv_machine_has(machine, INV_F_MMVAD_ViewLinks))
		inv_machine_list_remove(machine, inv_machine_at(machine, vad->address, INV_F_MMVAD_ViewLinks));
	if (vad->address)
		inv_machine_count_view(machine, vad->area, -1);
}

// The index of the first range that ends behind this address.
static size_t index_of(const struct inv_forge_process *process, uint64_t address)
{
	size_t low = 0, high = inv_count(process->vads);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (process->vads[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct inv_forge_vad *inv_machine_vad_of(const struct inv_forge_process *process, uint64_t address)
{
	size_t i = index_of(process, address);
	return i < inv_count(process->vads) && process->vads[i].start <= address ? &process->vads[i] : NULL;
}

static bool is_taken(const struct inv_forge_process *process, uint64_t start, uint64_t end)
{
	size_t i = index_of(process, start);
	return i < inv_count(process->vads) && process->vads[i].start < end;
}

bool inv_machine_add_vad(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_vad vad)
{
	if (vad.start >= vad.end || is_taken(process, vad.start, vad.end))
		return false;
	if (known(machine)) {
		uint32_t size = vad.area ? inv_machine_size(machine, INV_T_MMVAD, 0x88)
		                         : inv_machine_size(machine, INV_T_MMVAD_SHORT, 0x40);
		vad.address = inv_machine_pool(machine, &machine->pool, size, vad.area ? "Vad " : "VadS");
		put_range(machine, process, &vad);
		if (vad.area)
			put_view(machine, process, &vad);
	}
	size_t at = index_of(process, vad.start), count = inv_count(process->vads) + 1;
	inv_push(process->vads, vad);
	for (size_t i = count - 1; i > at; i--)
		process->vads[i] = process->vads[i - 1];
	process->vads[at] = vad;
	if (known(machine)) {
		struct tree tree = tree_of(machine, process);
		hang(&tree, process->vads, at, count);
		put_table(&tree, count, vad.address);
	}
	return true;
}

static void release(struct inv_machine *machine, const struct inv_forge_process *process,
                    const struct inv_forge_vad *vad)
{
	forget_view(machine, vad);
	if (!vad->address)
		return;
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_CommitCharge,
	                   -(int64_t)inv_machine_get(machine, vad->address, INV_F_MMVAD_SHORT_CommitCharge));
	inv_machine_add_to(machine, process->address, INV_F_EPROCESS_VirtualSize, -(int64_t)(vad->end - vad->start));
	inv_machine_free_pool(machine, vad->address);
}

void inv_machine_remove_vad(struct inv_machine *machine, struct inv_forge_process *process, uint64_t start)
{
	size_t at = index_of(process, start);
	if (at >= inv_count(process->vads) || process->vads[at].start != start)
		return;
	release(machine, process, &process->vads[at]);
	stbds_arrdel(process->vads, at);
	if (known(machine))
		inv_machine_link_vads(machine, process);
}

void inv_machine_start_vads(struct inv_machine *machine, struct inv_forge_process *process)
{
	(void)inv_machine_add_vad(machine, process,
	                          (struct inv_forge_vad){.start = SHARED_USER_PAGE,
	                                                 .end = SHARED_USER_PAGE + PAGE,
	                                                 .protection = INV_MM_READONLY,
	                                                 .committed = true});
}

void inv_machine_cover(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address, uint64_t size)
{
	if (inv_machine_vad_of(process, address))
		return;
	uint64_t unit = machine->build < WINDOWS_10 ? PAGE : REGION;
	uint64_t start = address / unit * unit, end = (address + size + unit - 1) / unit * unit;
	(void)inv_machine_add_vad(machine, process,
	                          (struct inv_forge_vad){.start = start, .end = end, .protection = INV_MM_READWRITE});
}

// Windows would choose by chance.
uint64_t inv_machine_free_place(const struct inv_forge_process *process, uint64_t size)
{
	uint64_t at = FIRST_FREE;
	for (size_t i = index_of(process, at); i < inv_count(process->vads) && process->vads[i].start < at + size; i++)
		at = (process->vads[i].end + UNIT - 1) / UNIT * UNIT;
	return at;
}

uint64_t inv_machine_reserve(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at, uint64_t size,
                             unsigned protection)
{
	uint64_t start = at ? at / PAGE * PAGE : inv_machine_free_place(process, size);
	uint64_t end = ((at ? at : start) + size + PAGE - 1) / PAGE * PAGE;
	struct inv_forge_vad vad = {.start = start, .end = end, .protection = protection};
	return inv_machine_add_vad(machine, process, vad) ? start : 0;
}

void inv_machine_drop_vads(struct inv_machine *machine, struct inv_forge_process *process)
{
	for (size_t i = 0; i < inv_count(process->vads); i++)
		release(machine, process, &process->vads[i]);
	if (process->vads)
		stbds_arrsetlen(process->vads, 0);
	if (known(machine))
		inv_machine_link_vads(machine, process);
}
