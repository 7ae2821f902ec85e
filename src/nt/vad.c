// SPDX-License-Identifier: Apache-2.0
#include "nt/vad.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "image/image.h"

#define FAULTS_KEPT 64u
#define BALANCE_BITS 3ull // of ParentValue: two's complement, by how much the right side is higher
#define PROTECTION_BASE 7u
#define PROTECTION_GUARD 0x10u
#define PROTECTION_SPECIAL 0x18u // guard, no cache, or with both: write combining, and no access at all

const char *inv_vad_type_name(unsigned type)
{
	static const char *const names[] = {"private",     "device memory", "image",           "AWE",
	                                    "write watch", "large pages",   "rotate physical", "large page section"};
	return type < sizeof names / sizeof *names ? names[type] : NULL;
}

const char *inv_protection_text(uint32_t protection, char text[8])
{
	static const char *const names[] = {"N", "R", "X", "RX", "RW", "WC", "RWX", "XWC"};
	uint32_t base = protection & PROTECTION_BASE;
	bool guard = base != 0 && (protection & PROTECTION_SPECIAL) == PROTECTION_GUARD;
	size_t length = strlen(names[base]);
	memcpy(text, names[base], length);
	if (guard)
		text[length++] = 'G';
	text[length] = 0;
	return text;
}

// -- reading ----------------------------------------------------------------------------------------------------------------

struct seen {
	uint64_t key; // address of a node
	char value;
};

struct reading {
	const struct inv_kernel *kernel;
	struct inv_vad_tree *tree;
	struct seen *seen; // stb_ds map
	uint64_t last;     // the node to the left of the one that comes next; 0: none
	uint64_t last_end;
	bool ordered;
	// Nodes whose balance is not by how much the right side is higher, and those where it is not that of the left side.
	uint64_t *odd; // stb_ds; at most FAULTS_KEPT are kept
	size_t odd_count, odd_mirrored;
};

static void add_fault(struct reading *reading, enum inv_vad_fault_kind kind, uint64_t node, uint64_t other)
{
	struct inv_vad_fault fault = {.kind = kind, .node = node, .other = other};
	if (reading->tree->fault_count++ < FAULTS_KEPT)
		inv_push(reading->tree->faults, fault);
}

static void lose(struct reading *reading, const struct inv_why *why)
{
	if (reading->tree->complete)
		reading->tree->why = *why;
	reading->tree->complete = false;
	reading->tree->unreadable++;
}

static uint64_t field_or_zero(const struct reading *reading, uint64_t address, enum inv_field field)
{
	struct inv_value value = address ? inv_field(reading->kernel, address, field) : (struct inv_value){0};
	return value.ok ? value.u : 0;
}

static uint64_t page_number(const struct reading *reading, uint64_t node, enum inv_field low, enum inv_field high)
{
	return (field_or_zero(reading, node, low) & 0xffffffff) | field_or_zero(reading, node, high) << 32;
}

static void read_view(const struct reading *reading, struct inv_vad *vad)
{
	vad->subsection = field_or_zero(reading, vad->address, INV_F_MMVAD_Subsection);
	vad->first_prototype = field_or_zero(reading, vad->address, INV_F_MMVAD_FirstPrototypePte);
	vad->last_prototype = field_or_zero(reading, vad->address, INV_F_MMVAD_LastContiguousPte);
	vad->owner = field_or_zero(reading, vad->address, INV_F_MMVAD_VadsProcess);
	vad->control_area = field_or_zero(reading, vad->subsection, INV_F_SUBSECTION_ControlArea);
}

static void read_range(const struct reading *reading, uint64_t node, struct inv_vad *vad)
{
	uint64_t first = page_number(reading, node, INV_F_MMVAD_SHORT_StartingVpn, INV_F_MMVAD_SHORT_StartingVpnHigh);
	uint64_t last = page_number(reading, node, INV_F_MMVAD_SHORT_EndingVpn, INV_F_MMVAD_SHORT_EndingVpnHigh);
	vad->address = node;
	vad->start = first * INV_PAGE_SIZE;
	vad->end = (last + 1) * INV_PAGE_SIZE;
	vad->protection = (uint32_t)field_or_zero(reading, node, INV_F_MMVAD_SHORT_Protection);
	vad->type = (uint8_t)field_or_zero(reading, node, INV_F_MMVAD_SHORT_VadType);
	vad->is_private = field_or_zero(reading, node, INV_F_MMVAD_SHORT_PrivateMemory) != 0;
	vad->committed = field_or_zero(reading, node, INV_F_MMVAD_SHORT_MemCommit) != 0;
	vad->deleting = field_or_zero(reading, node, INV_F_MMVAD_SHORT_DeleteInProgress) != 0;
	vad->commit_charge = field_or_zero(reading, node, INV_F_MMVAD_SHORT_CommitCharge);
	if (!vad->is_private)
		read_view(reading, vad);
}

// In order of the tree. A range that ends before it begins covers nothing.
static void add_range(struct reading *reading, struct inv_vad *vad)
{
	if (vad->end <= vad->start) {
		add_fault(reading, INV_VAD_FAULT_BACKWARD, vad->address, 0);
		vad->end = vad->start;
	}
	if (reading->last && vad->start < reading->last_end) {
		add_fault(reading, INV_VAD_FAULT_ORDER, vad->address, reading->last);
		reading->ordered = false;
	}
	reading->last = vad->address;
	reading->last_end = vad->end;
	inv_push(reading->tree->vads, *vad);
}

// Whether there is a node at this address to be read now.
static bool begin_node(struct reading *reading, uint64_t node, uint64_t parent, unsigned depth)
{
	struct inv_why too_many = {.reason = INV_NOT_MAPPED, .address = node};
	if (node == 0)
		return false;
	if (stbds_hmgeti(reading->seen, node) >= 0) {
		add_fault(reading, INV_VAD_FAULT_CYCLE, node, parent);
		return false;
	}
	// A balanced tree of so many nodes is not half as deep.
	if (depth >= INV_VAD_DEPTH || inv_count(reading->tree->vads) >= INV_VAD_BOUND) {
		add_fault(reading, INV_VAD_FAULT_BALANCE, node, parent);
		lose(reading, &too_many);
		return false;
	}
	stbds_hmput(reading->seen, node, 1);
	return true;
}

static void check_balance(struct reading *reading, const struct inv_vad *vad, uint64_t balance, unsigned left,
                          unsigned right)
{
	if (left > right + 1 || right > left + 1) {
		add_fault(reading, INV_VAD_FAULT_BALANCE, vad->address, 0);
		return;
	}
	reading->odd_mirrored += (((uint64_t)left - right) & BALANCE_BITS) != balance;
	if ((((uint64_t)right - left) & BALANCE_BITS) != balance && reading->odd_count++ < FAULTS_KEPT)
		inv_push(reading->odd, vad->address);
}

// Which side is meant is public practice and was not verified in the kernel's code: a tree that is right throughout by the other
// reading is right.
static void settle_balance(struct reading *reading)
{
	for (size_t i = 0; reading->odd_mirrored && i < inv_count(reading->odd); i++)
		add_fault(reading, INV_VAD_FAULT_BALANCE, reading->odd[i], 0);
	inv_array_free(reading->odd);
}

// Reads a node and all beneath it, and returns how high that tree is. Goes no deeper than INV_VAD_DEPTH.
// NOLINTNEXTLINE(misc-no-recursion)
static unsigned read_node(struct reading *reading, uint64_t node, uint64_t parent, unsigned depth)
{
	if (!begin_node(reading, node, parent, depth))
		return 0;
	struct inv_value left = inv_field(reading->kernel, node, INV_F_MMVAD_SHORT_Left);
	struct inv_value right = inv_field(reading->kernel, node, INV_F_MMVAD_SHORT_Right);
	struct inv_value up = inv_field(reading->kernel, node, INV_F_MMVAD_SHORT_ParentValue);
	struct inv_value end = inv_field(reading->kernel, node, INV_F_MMVAD_SHORT_EndingVpn);
	const struct inv_value *missing = !left.ok ? &left : !right.ok ? &right : !up.ok ? &up : !end.ok ? &end : NULL;
	if (missing) {
		lose(reading, &missing->why);
		return 0;
	}
	struct inv_vad vad = {.parent = up.u & ~BALANCE_BITS, .depth = (uint8_t)depth};
	read_range(reading, node, &vad);
	if (vad.parent != parent)
		add_fault(reading, INV_VAD_FAULT_PARENT, node, parent);
	size_t unreadable = reading->tree->unreadable;
	unsigned height_left = read_node(reading, left.u, node, depth + 1);
	add_range(reading, &vad);
	unsigned height_right = read_node(reading, right.u, node, depth + 1);
	if (reading->tree->unreadable == unreadable)
		check_balance(reading, &vad, up.u & BALANCE_BITS, height_left, height_right);
	return 1 + (height_left > height_right ? height_left : height_right);
}

static int by_start(const void *a, const void *b)
{
	const struct inv_vad *left = a, *right = b;
	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

void inv_vad_tree_read(const struct inv_kernel *kernel, uint64_t process, struct inv_vad_tree *tree)
{
	*tree = (struct inv_vad_tree){.root = inv_field(kernel, process, INV_F_EPROCESS_VadRoot),
	                              .count = inv_field(kernel, process, INV_F_EPROCESS_VadCount),
	                              .hint = inv_field(kernel, process, INV_F_EPROCESS_VadHint)};
	if (!tree->count.ok && tree->count.why.reason == INV_NO_FIELD)
		tree->count = inv_field(kernel, process, INV_F_EPROCESS_VadRootElements);
	if (!tree->root.ok) {
		tree->why = tree->root.why;
		return;
	}
	// Where the table has a node of its own, the tree hangs from that one.
	uint64_t table = 0;
	(void)inv_field_address(kernel, process, INV_F_EPROCESS_VadRootParent, &table);
	struct reading reading = {.kernel = kernel, .tree = tree, .ordered = true};
	tree->complete = true;
	(void)read_node(&reading, tree->root.u, table, 0);
	settle_balance(&reading);
	stbds_hmfree(reading.seen);
	if (!reading.ordered)
		qsort(tree->vads, inv_count(tree->vads), sizeof *tree->vads, by_start);
}

void inv_vad_tree_free(struct inv_vad_tree *tree)
{
	inv_array_free(tree->vads);
	inv_array_free(tree->faults);
}

const struct inv_vad *inv_vad_at(const struct inv_vad_tree *tree, uint64_t address)
{
	size_t low = INV_UPPER_BOUND(tree->vads, inv_count(tree->vads), start, address);
	return low > 0 && address < tree->vads[low - 1].end ? &tree->vads[low - 1] : NULL;
}
