// SPDX-License-Identifier: Apache-2.0
// Finding the kernel: page tables, the kernel's image, its KDBG, the facts that apply, and what follows from them.
#include "base/array.h"
#include "kernel/parts.h"

#include <stdlib.h>

// A whole image has a root for every process; if the kernel is not seen through this many, it is not there.
#define MOST_SCANNED 64

static bool see_kernel(struct inv_work *work, const struct inv_root *root, unsigned levels)
{
	struct inv_kernel *kernel = &work->kernel;
	struct inv_space *space = inv_space_new_x64(kernel->image, root->dtb, levels);
	if (!inv_find_base(work, space, true)) {
		inv_space_free(space);
		return false;
	}
	kernel->space = space;
	kernel->dtb = root->dtb;
	return true;
}

static bool adopt(struct inv_work *work, const struct inv_root *root)
{
	if (root->levels)
		return see_kernel(work, root, root->levels);
	return see_kernel(work, root, 4) || see_kernel(work, root, 5);
}

static bool tried_before(const struct inv_roots *roots, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (roots->root[i].dtb == roots->root[index].dtb && roots->root[i].levels == roots->root[index].levels)
			return true;
	return false;
}

static bool adopt_first(struct inv_work *work, const struct inv_roots *roots)
{
	for (size_t i = 0; i < roots->count; i++)
		if (!tried_before(roots, i) && adopt(work, &roots->root[i]))
			return true;
	return false;
}

// The last resort: every page of the image. `*found` counts the pages that map themselves.
static bool adopt_any(struct inv_work *work, unsigned *found)
{
	uint64_t address = 0;
	struct inv_root root;
	for (*found = 0; *found < MOST_SCANNED; ++*found) {
		if (!inv_way_self_map_next(work->kernel.image, &address, UINT64_MAX, &root))
			return false;
		if (adopt(work, &root)) {
			inv_clue_found(work, INV_ANCHOR_DTB, INV_WAY_SELF_MAP, root.dtb, root.where, "of some process");
			return true;
		}
	}
	return false;
}

// Many processes' roots map themselves; of those in low memory the one that other ways name too is the one to compare.
static void record_self_map(struct inv_work *work, const struct inv_roots *roots)
{
	const struct inv_root *best = NULL;
	for (size_t i = 0; i < roots->count; i++) {
		const struct inv_root *root = &roots->root[i];
		if (root->way == INV_WAY_SELF_MAP && (!best || root->dtb == work->kernel.dtb))
			best = root;
	}
	if (best) {
		inv_clue_found(work, INV_ANCHOR_DTB, INV_WAY_SELF_MAP, best->dtb, best->where, best->note);
		return;
	}
	struct inv_why why = {.reason = INV_NOT_MAPPED};
	inv_clue_missing(work, INV_ANCHOR_DTB, INV_WAY_SELF_MAP, &why,
	                 "no page in the first 16 MiB of physical memory maps itself");
}

static void record_roots(struct inv_work *work, const struct inv_roots *roots)
{
	for (size_t i = 0; i < roots->count; i++) {
		const struct inv_root *root = &roots->root[i];
		if (root->way != INV_WAY_SELF_MAP)
			inv_clue_found(work, INV_ANCHOR_DTB, root->way, root->dtb, root->where, root->note);
	}
}

static enum inv_code no_kernel(const struct inv_work *work, const struct inv_roots *roots, unsigned scanned,
                               struct inv_error *error)
{
	unsigned count[INV_WAY_COUNT] = {0};
	for (size_t i = 0; i < roots->count; i++)
		count[roots->root[i].way]++;
	return inv_fail(
	    error, INV_E_NO_KERNEL,
	    "%s: no Windows kernel for x64 found: %u root%s of page tables claimed by the header or its CPU notes, "
	    "%s processor start block in the first MiB, %u page%s that map%s themselves; through none of them a kernel "
	    "can be seen",
	    inv_image_info(work->kernel.image)->path, count[INV_WAY_HEADER] + count[INV_WAY_CPU],
	    count[INV_WAY_HEADER] + count[INV_WAY_CPU] == 1 ? "" : "s", count[INV_WAY_LOW_STUB] ? "a" : "no", scanned,
	    scanned == 1 ? "" : "s", scanned == 1 ? "s" : "");
}

static void take_image(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	kernel->arch = work->pe.machine == 0xaa64 ? INV_ARCH_ARM64 : INV_ARCH_X64;
	kernel->base = work->pe.base;
	kernel->size = work->pe.size_of_image;
	kernel->time_stamp = work->pe.time_stamp;
	kernel->pdb = work->pe.pdb;
}

static void read_exports(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	uint32_t *rva = inv_arena_alloc(kernel->arena, INV_SYMBOL_COUNT * sizeof(*rva));
	bool any = false;
	for (unsigned symbol = 0; symbol < INV_SYMBOL_COUNT; symbol++) {
		rva[symbol] = INV_NO_RVA;
		any |= inv_pe_export(kernel->space, &work->pe, inv_symbol_name((enum inv_symbol)symbol), &rva[symbol]);
	}
	kernel->export_rva = any ? rva : NULL;
}

static enum inv_code open_page_tables(struct inv_work *work, struct inv_error *error)
{
	struct inv_roots *roots = inv_alloc(sizeof(*roots));
	inv_way_header(work, roots);
	inv_way_low_stub(work, roots);
	inv_way_self_map_low(work, roots);
	record_roots(work, roots);
	unsigned scanned = 0;
	bool found = adopt_first(work, roots);
	if (found)
		record_self_map(work, roots);
	else
		found = adopt_any(work, &scanned);
	enum inv_code code = found ? INV_OK : no_kernel(work, roots, scanned, error);
	free(roots);
	if (!found)
		return code;
	take_image(work);
	read_exports(work);
	return INV_OK;
}

static enum inv_code open_space(struct inv_work *work, struct inv_error *error)
{
	const struct inv_image_info *info = inv_image_info(work->kernel.image);
	if (info->triage)
		return inv_open_triage(work, error);
	if (info->arch == INV_ARCH_X86 || info->arch == INV_ARCH_ARM64)
		return inv_fail(error, INV_E_UNSUPPORTED,
		                "%s: an image of a machine with %s, whose page tables are not read yet", info->path,
		                inv_arch_name(info->arch));
	return open_page_tables(work, error);
}

static enum inv_code identify(struct inv_work *work, struct inv_error *error)
{
	enum inv_code code = open_space(work, error);
	if (code != INV_OK)
		return code;
	inv_clues_header(work);

	const struct inv_kernel_facts *exact;
	code = inv_exact_facts(work, &exact, error);
	if (code != INV_OK)
		return code;
	inv_find_kdbg(work, exact);
	inv_find_version(work);
	inv_choose_facts(work, exact);
	inv_clues_kdbg(work);
	inv_clues_symbols(work);

	inv_prefer_system_dtb(work);
	inv_set_pte_format(work);
	if (!work->kernel.fragments)
		inv_find_modules(work);
	inv_find_cpus(work);
	inv_find_times(work);
	return INV_OK;
}

enum inv_code inv_kernel_identify(const struct inv_image *image, const struct inv_kernel_options *options,
                                  struct inv_kernel **kernel, struct inv_error *error)
{
	struct inv_work *work = inv_alloc(sizeof(*work));
	work->kernel.image = image;
	work->kernel.arena = inv_arena_new();
	work->kernel.log = options ? options->log : NULL;
	work->kernel.progress = options ? options->progress : NULL;
	work->symbols = options ? options->symbols : NULL;
	enum inv_code code = identify(work, error);
	*kernel = &work->kernel;
	if (code != INV_OK) {
		inv_kernel_free(*kernel);
		*kernel = NULL;
	}
	return code;
}

void inv_kernel_free(struct inv_kernel *kernel)
{
	if (!kernel)
		return;
	struct inv_work *work = (struct inv_work *)kernel;
	inv_space_free(kernel->space);
	inv_array_free(work->clues);
	inv_array_free(work->modules);
	inv_array_free(work->cpus);
	inv_array_free(work->self_checks);
	inv_arena_free(kernel->arena);
	free(work);
}
