// SPDX-License-Identifier: Apache-2.0
// Family 4: address spaces, as far as their roots go.
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "invariant/families.h"

struct root {
	uint64_t frame;
	const struct inv_dossier *process;
	struct inv_value value;
};

static int by_frame(const void *a, const void *b)
{
	const struct root *left = a, *right = b;
	if (left->frame != right->frame)
		return left->frame < right->frame ? -1 : 1;
	return (left->process->address > right->process->address) - (left->process->address < right->process->address);
}

static bool is_boot_pair(const struct root *a, const struct root *b)
{
	enum inv_role first = a->process->role, second = b->process->role;
	return (first == INV_ROLE_IDLE && second == INV_ROLE_SYSTEM) ||
	       (first == INV_ROLE_SYSTEM && second == INV_ROLE_IDLE);
}

// The PFN entry of the root says whose it is, where it can be read.
static bool is_owner(const struct inv_judge *judge, const struct root *root)
{
	const struct inv_pfn_database *database = &judge->dossiers->testimony->pfn;
	struct inv_pfn pfn;
	return !database->voided && inv_pfn_read(database, root->frame / INV_PAGE_SIZE, &pfn, NULL) &&
	       inv_pfn_is_root(&pfn) && inv_pfn_owner(database, &pfn) == root->process->address;
}

static void judge_shared_root(struct inv_judge *judge, const struct root *one, const struct root *other)
{
	if (is_boot_pair(one, other)) {
		inv_excuse(judge, inv_subject_process(one->process), "boot-pair");
		return;
	}
	const struct inv_dossier *deleted = inv_has_lost_space(judge, one->process)     ? one->process
	                                    : inv_has_lost_space(judge, other->process) ? other->process
	                                                                                : NULL;
	if (deleted) {
		inv_excuse(judge, inv_subject_process(deleted), "deleting");
		return;
	}
	const struct root *guest = is_owner(judge, one) ? other : one, *host = guest == one ? other : one;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(guest->process), INV_TIER_SCHEDULER);
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &guest->value,
	               "this process claims the page table root");
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &host->value, "another process claims it too");
	inv_tried(judge, finding, "boot-pair", "they are not Idle and System");
	inv_tried(judge, finding, "deleting", "both are listed, inserted or referenced, or have threads");
}

// A zombie gives its page tables back only when its object is deleted, so it is judged like any other.
void inv_judge_M01(struct inv_judge *judge)
{
	struct root *roots = NULL;
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct inv_value dtb = inv_field(judge->kernel, process->address, INV_F_KPROCESS_DirectoryTableBase);
		if (inv_is_live(process) && inv_need(judge, &dtb))
			inv_push(roots, ((struct root){dtb.u & INV_FRAME_MASK, process, dtb}));
	}
	size_t count = inv_count(roots);
	if (count < 2) {
		if (count == 1)
			inv_unknown_because(judge, "there is no other process to compare with");
		inv_array_free(roots);
		return;
	}
	qsort(roots, count, sizeof *roots, by_frame);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && roots[i + 1].frame == roots[i].frame)
			judge_shared_root(judge, &roots[i], &roots[i + 1]);
		else
			inv_holds(judge);
	}
	inv_array_free(roots);
}

#define NO_SLOT UINT32_MAX

// The slots of a page table root that map the root itself.
static unsigned self_slots(const uint8_t *table, uint64_t root, uint32_t *slot)
{
	unsigned found = 0;
	for (uint32_t i = INV_TABLE_ENTRIES / 2; i < INV_TABLE_ENTRIES; i++) {
		uint64_t entry = inv_le64(table + (size_t)i * 8);
		if ((entry & 1) && (entry & INV_FRAME_MASK) == root) {
			*slot = i;
			found++;
		}
	}
	return found;
}

static void judge_self_map(struct inv_judge *judge, const struct inv_dossier *process, uint32_t expected)
{
	struct inv_value dtb = inv_field(judge->kernel, process->address, INV_F_KPROCESS_DirectoryTableBase);
	if (!inv_need(judge, &dtb))
		return;
	uint8_t table[INV_PAGE_SIZE];
	uint64_t root = dtb.u & INV_FRAME_MASK;
	if (!judge->kernel->image || inv_image_read(judge->kernel->image, root, table, sizeof table) < sizeof table) {
		inv_unknown_because(judge, "the page table root is not in the image");
		return;
	}
	uint32_t slot = NO_SLOT;
	unsigned found = self_slots(table, root, &slot);
	if (found == 1 && (expected == NO_SLOT || slot == expected)) {
		inv_holds(judge);
		return;
	}
	if (inv_has_lost_space(judge, process)) {
		inv_excuse(judge, inv_subject_process(process), "deleting");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_SCHEDULER);
	inv_tried(judge, finding, "deleting", "it is listed, inserted or referenced, or has threads");
	inv_field_says(judge, finding, INV_F_KPROCESS_DirectoryTableBase, &dtb, "the process claims this page table root");
	struct inv_evidence evidence = {"page tables",
	                                INV_TIER_HARDWARE,
	                                "PML4",
	                                root,
	                                found,
	                                found == 0   ? "no entry of that page maps the page itself"
	                                : found == 1 ? "the page maps itself in another slot than System's does"
	                                             : "more than one entry of that page maps the page itself",
	                                false};
	inv_add_evidence(judge, finding, evidence);
}

void inv_judge_M02(struct inv_judge *judge)
{
	if (judge->kernel->fragments || !inv_space_has_page_tables(judge->kernel->space)) {
		inv_unknown_because(judge, "the image holds no page tables");
		return;
	}
	if (inv_space_levels(judge->kernel->space) != 4) {
		inv_unknown_because(judge, "five-level paging maps itself in another table (unverified)");
		return;
	}
	uint8_t table[INV_PAGE_SIZE];
	uint64_t root = inv_space_dtb(judge->kernel->space) & INV_FRAME_MASK;
	uint32_t expected = NO_SLOT;
	if (inv_image_read(judge->kernel->image, root, table, sizeof table) == sizeof table &&
	    self_slots(table, root, &expected) != 1)
		expected = NO_SLOT;
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]))
			judge_self_map(judge, &judge->dossiers->processes[i], expected);
}

// -- M03 --------------------------------------------------------------------------------------------------------------------

#define ENOUGH_ROOTS 8u // to say what is usual
// Slots are read eight at a time, a line of the processor's cache: to keep all of every root would take 2 KiB for each process.
#define GROUP 8u

struct kernel_half {
	const struct inv_dossier *process;
	uint64_t root;
	uint64_t entries[GROUP]; // frame and presence, of the slots that are judged now
};

static bool read_group(const struct inv_judge *judge, struct kernel_half *half, unsigned first)
{
	uint8_t bytes[GROUP * INV_ENTRY_SIZE] = {0};
	uint64_t at = half->root + (uint64_t)first * INV_ENTRY_SIZE;
	size_t got = inv_image_read(judge->kernel->image, at, bytes, sizeof bytes);
	for (unsigned i = 0; i < GROUP; i++)
		half->entries[i] = inv_le64(bytes + (size_t)i * INV_ENTRY_SIZE) & (INV_FRAME_MASK | INV_ENTRY_VALID);
	return got == sizeof bytes;
}

// False if its root cannot be read, or is not its own.
static bool find_kernel_half(const struct inv_judge *judge, const struct inv_dossier *process, struct kernel_half *half)
{
	struct inv_value dtb = inv_field(judge->kernel, process->address, INV_F_KPROCESS_DirectoryTableBase);
	if (process->role == INV_ROLE_IDLE || !dtb.ok || (dtb.u & INV_FRAME_MASK) == 0 || !judge->kernel->image)
		return false;
	*half = (struct kernel_half){.process = process, .root = dtb.u & INV_FRAME_MASK};
	struct root root = {half->root, process, dtb};
	return is_owner(judge, &root) && read_group(judge, half, INV_TABLE_ENTRIES / 2) &&
	       read_group(judge, half, INV_TABLE_ENTRIES - GROUP);
}

struct slot {
	uint64_t entry;
	size_t half; // index
};

static int by_entry(const void *a, const void *b)
{
	const struct slot *left = a, *right = b;
	if (left->entry != right->entry)
		return left->entry < right->entry ? -1 : 1;
	return (left->half > right->half) - (left->half < right->half);
}

static void accuse_slot(struct inv_judge *judge, const struct kernel_half *half, unsigned slot, size_t alike)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(half->process), INV_TIER_HARDWARE);
	struct inv_evidence evidence = {.witness = "page tables",
	                                .tier = INV_TIER_HARDWARE,
	                                .field = "PML4",
	                                .address = half->root + (uint64_t)slot * INV_ENTRY_SIZE,
	                                .value = half->entries[slot % GROUP]};
	evidence.says = inv_arena_printf(judge->arena,
	                                 "slot %u of the kernel half leads to a table that only this process has; "
	                                 "in %zu others it leads to one that they share",
	                                 slot, alike);
	inv_add_evidence(judge, finding, evidence);
}

static bool all_alike(const struct kernel_half *halves, size_t count, unsigned slot)
{
	for (size_t i = 1; i < count; i++)
		if (halves[i].entries[slot % GROUP] != halves[0].entries[slot % GROUP])
			return false;
	return true;
}

// Session space: System has no table there, and nearly all have one just if they are in a session. A session may have one process.
static bool is_session_space(const struct inv_judge *judge, const struct kernel_half *halves, size_t count,
                             unsigned slot)
{
	size_t odd = 0;
	for (size_t i = 0; i < count; i++) {
		struct inv_value session = inv_field(judge->kernel, halves[i].process->address, INV_F_EPROCESS_Session);
		bool valid = halves[i].entries[slot % GROUP] & INV_ENTRY_VALID;
		if (valid && halves[i].process->role == INV_ROLE_SYSTEM)
			return false;
		odd += !session.ok || (session.u != 0) != valid;
	}
	return odd * 8 <= count;
}

// Slots in which nearly all processes have tables of their own (self-map, hyperspace), or groups of them share one (sessions), say
// nothing: only one process that differs where nearly all others are alike does.
static void judge_slot(struct inv_judge *judge, const struct kernel_half *halves, struct slot *slots, size_t count,
                       unsigned slot)
{
	if (all_alike(halves, count, slot)) {
		inv_holds(judge);
		return;
	}
	for (size_t i = 0; i < count; i++)
		slots[i] = (struct slot){halves[i].entries[slot % GROUP], i};
	qsort(slots, count, sizeof *slots, by_entry);
	size_t single = 0, most = 0, run;
	for (size_t i = 0; i < count; i += run) {
		for (run = 1; i + run < count && slots[i + run].entry == slots[i].entry;)
			run++;
		single += run == 1 && (slots[i].entry & INV_ENTRY_VALID);
		most = run > most ? run : most;
	}
	if (single == 0 || single * 8 > count || most * 2 < count || is_session_space(judge, halves, count, slot)) {
		inv_holds(judge);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		bool alone = (i == 0 || slots[i - 1].entry != slots[i].entry) &&
		             (i + 1 == count || slots[i + 1].entry != slots[i].entry);
		if (alone && (slots[i].entry & INV_ENTRY_VALID))
			accuse_slot(judge, &halves[slots[i].half], slot, most);
	}
}

static void judge_groups(struct inv_judge *judge, struct kernel_half *halves, size_t count)
{
	struct slot *slots = inv_alloc(count * sizeof *slots);
	for (unsigned first = INV_TABLE_ENTRIES / 2; first < INV_TABLE_ENTRIES; first += GROUP) {
		for (size_t i = 0; i < count; i++)
			(void)read_group(judge, &halves[i], first); // could be read when it was found
		for (unsigned slot = first; slot < first + GROUP; slot++)
			judge_slot(judge, halves, slots, count, slot);
	}
	free(slots);
}

void inv_judge_M03(struct inv_judge *judge)
{
	struct kernel_half *halves = NULL, half;
	if (judge->dossiers->testimony->pfn.voided) {
		inv_unknown_because(judge, judge->dossiers->testimony->pfn.voided);
		return;
	}
	for (size_t i = 0; i < judge->dossiers->process_count; i++)
		if (inv_is_live(&judge->dossiers->processes[i]) &&
		    find_kernel_half(judge, &judge->dossiers->processes[i], &half))
			inv_push(halves, half);
	if (inv_count(halves) < ENOUGH_ROOTS)
		inv_unknown_because(judge, "there are too few page table roots to say which slots are alike");
	else
		judge_groups(judge, halves, inv_count(halves));
	inv_array_free(halves);
}
