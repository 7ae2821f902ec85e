// SPDX-License-Identifier: Apache-2.0
// The half of L18 that the sweep adds: what stands in memory and looks like this kernel, or its KDBG, a second time. Programs
// that search for these marks may be led astray by such a copy; one that says nothing new leads nobody anywhere.
#include "base/array.h"
#include "invariant/families.h"
#include "kernel/kdbg.h"
#include "kernel/pe.h"

// More of them prove no more.
#define MOST_BLOCKS 256u

#define KDBG_NAME "KDDEBUGGER_DATA64"
#define IMAGE_NAME "kernel image"

// The same bytes of memory may be mapped twice.
static bool is_same_memory(const struct inv_judge *judge, uint64_t own, uint64_t physical)
{
	uint64_t at;
	return own && inv_space_translate(judge->kernel->space, own, &at, NULL) && at == physical;
}

static bool is_own_kdbg(const struct inv_judge *judge, const struct inv_hit *hit)
{
	const struct inv_kernel *kernel = judge->kernel;
	struct inv_value symbol = inv_kernel_symbol(kernel, INV_S_KdDebuggerDataBlock, NULL);
	uint64_t own = symbol.ok ? symbol.u : kernel->kdbg.found ? kernel->kdbg.address : 0;
	return own && is_same_memory(judge, own + INV_KDBG_OWNER_TAG, hit->physical);
}

// What the kernel's own block or, without it, its symbols have in this place. false: nothing.
static bool own_value(const struct inv_judge *judge, enum inv_symbol symbol, unsigned at, uint64_t *value)
{
	const struct inv_kernel *kernel = judge->kernel;
	if (kernel->kdbg.found && inv_kdbg_u64(&kernel->kdbg, at, value))
		return true;
	struct inv_value address = inv_kernel_symbol(kernel, symbol, NULL);
	*value = address.u;
	return address.ok;
}

static struct inv_finding *accuse_block(struct inv_judge *judge, const struct inv_kdbg *block)
{
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, block->address, KDBG_NAME), INV_TIER_EXECUTIVE);
	inv_tried(judge, finding, "copy", "it does not say the same as the kernel's own");
	return finding;
}

static void says(struct inv_judge *judge, struct inv_finding *finding, const char *witness, const char *field,
                 uint64_t address, uint64_t value, const char *text)
{
	struct inv_evidence evidence = {witness, INV_TIER_EXECUTIVE, field, address, value, text, true};
	inv_add_evidence(judge, finding, evidence);
}

// How many of the block's addresses of globals are not the kernel's own. `*compared`: how many could be asked.
static size_t count_false(const struct inv_judge *judge, const struct inv_kdbg *block, size_t *compared)
{
	size_t different = 0;
	*compared = 0;
	for (int i = 0; i < INV_SYMBOL_COUNT; i++) {
		unsigned at = inv_kdbg_symbol_at((enum inv_symbol)i);
		uint64_t here, own;
		if (!at || !inv_kdbg_u64(block, at, &here) || !own_value(judge, (enum inv_symbol)i, at, &own))
			continue;
		++*compared;
		different += here != own;
	}
	return different;
}

static void judge_same_kernel(struct inv_judge *judge, const struct inv_kdbg *block)
{
	size_t compared;
	size_t different = count_false(judge, block, &compared);
	if (compared == 0) {
		inv_unknown_because(judge, "what the kernel's own KDBG holds is not known");
		return;
	}
	if (different == 0) {
		inv_excuse(judge, inv_subject_other(INV_SUBJECT_SYSTEM, block->address, KDBG_NAME), "copy");
		return;
	}
	struct inv_finding *finding = accuse_block(judge, block);
	if (finding->certainty == INV_CERTAIN) {
		finding->certainty = INV_PROBABLE;
		finding->certainty_why = "a dump of a former boot at the same base may lie in the file cache";
	}
	for (int i = 0; i < INV_SYMBOL_COUNT && inv_count(finding->evidence) < 8; i++) {
		unsigned at = inv_kdbg_symbol_at((enum inv_symbol)i);
		uint64_t here, own;
		if (!at || !inv_kdbg_u64(block, at, &here) || !own_value(judge, (enum inv_symbol)i, at, &own) || here == own)
			continue;
		const char *name = inv_symbol_name((enum inv_symbol)i);
		says(judge, finding, "sweep", name, block->address + at, here, "a second KDBG of this kernel says so");
		says(judge, finding, judge->kernel->kdbg.found ? "KDBG" : "symbol", name, judge->kernel->kdbg.address, own,
		     "the kernel's own says so");
	}
}

// A block that names another kernel: of a guest or of a former boot, unless that kernel is mapped here too.
static void judge_other_kernel(struct inv_judge *judge, const struct inv_kdbg *block, uint64_t base)
{
	struct inv_pe pe;
	if (!inv_pe_read_kernel(judge->kernel->space, base, &pe)) {
		inv_unknown_because(judge,
		                    "a KDBG in memory names a kernel that is not mapped: of a guest, of a former boot, of "
		                    "a file, or made up");
		return;
	}
	struct inv_finding *finding = accuse_block(judge, block);
	says(judge, finding, "sweep", "KernBase", block->address + INV_KDBG_KERN_BASE, base,
	     "a second KDBG belongs to a second kernel, whose image is mapped there");
	says(judge, finding, "PE", "kernel base", judge->kernel->base, judge->kernel->base, "the kernel stands here");
}

static void judge_kdbg(struct inv_judge *judge, const struct inv_hit *hit)
{
	uint8_t bytes[INV_KDBG_MAX];
	struct inv_kdbg block;
	uint64_t base, address = hit->address - INV_KDBG_OWNER_TAG;
	if (is_own_kdbg(judge, hit)) {
		inv_holds(judge);
		return;
	}
	size_t got = inv_space_read(judge->kernel->space, address, bytes, sizeof bytes, NULL);
	if (!inv_kdbg_parse(bytes, got, NULL, address, &block) || !inv_kdbg_u64(&block, INV_KDBG_KERN_BASE, &base))
		return;
	if (base == judge->kernel->base)
		judge_same_kernel(judge, &block);
	else
		judge_other_kernel(judge, &block, base);
}

static bool is_same_file(const struct inv_pdb *a, const struct inv_pdb *b)
{
	if (!a->found || !b->found || a->age != b->age)
		return false;
	for (size_t i = 0; i < sizeof a->guid; i++)
		if (a->guid[i] != b->guid[i])
			return false;
	return true;
}

// A second image proves no lie: programs that look for hooks map the kernel's file to compare it.
static void judge_image(struct inv_judge *judge, const struct inv_hit *hit)
{
	const struct inv_kernel *kernel = judge->kernel;
	struct inv_pe pe;
	if (is_same_memory(judge, kernel->base, hit->physical))
		inv_holds(judge);
	else if (!inv_pe_read_kernel(kernel->space, hit->address, &pe))
		return;
	else if (is_same_file(&pe.pdb, &kernel->pdb))
		inv_excuse(judge, inv_subject_other(INV_SUBJECT_SYSTEM, hit->address, IMAGE_NAME), "copy");
	else
		inv_unknown_because(judge, "the image of another kernel is mapped");
}

void inv_judge_decoys(struct inv_judge *judge)
{
	const struct inv_sweep *sweep = judge->dossiers->testimony->sweep;
	size_t seen = 0;
	// What System's page tables do not map is content of another address space, of a guest or of a file.
	for (size_t i = 0; sweep && i < inv_count(sweep->hits); i++) {
		const struct inv_hit *hit = &sweep->hits[i];
		bool kdbg = hit->kind == INV_HIT_KDBG;
		if ((!kdbg && hit->kind != INV_HIT_KERNEL) || !hit->address)
			continue;
		if (++seen > MOST_BLOCKS) {
			inv_unknown_because(judge, "memory holds more marks of kernels than can be looked at");
			return;
		}
		if (kdbg)
			judge_kdbg(judge, hit);
		else
			judge_image(judge, hit);
	}
}
