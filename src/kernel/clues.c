// SPDX-License-Identifier: Apache-2.0
// Remembering every way by which something was found, so that the ways can be compared.
#include "base/array.h"
#include "kernel/parts.h"

const char *inv_way_name(enum inv_way way)
{
	static const char *const names[] = {
	    [INV_WAY_HEADER] = "header",           [INV_WAY_CPU] = "CPU registers", [INV_WAY_LOW_STUB] = "low stub",
	    [INV_WAY_SELF_MAP] = "self-map",       [INV_WAY_KDBG] = "KDBG",         [INV_WAY_PE] = "PE",
	    [INV_WAY_MODULE_LIST] = "module list", [INV_WAY_SYMBOL] = "symbol",     [INV_WAY_SYSTEM] = "System process",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == INV_WAY_COUNT, "every way has a name");
	return (unsigned)way < INV_WAY_COUNT ? names[way] : "?";
}

const char *inv_anchor_name(enum inv_anchor anchor)
{
	static const char *const names[] = {
	    [INV_ANCHOR_DTB] = "DirectoryTableBase",
	    [INV_ANCHOR_KERNEL_BASE] = "kernel base",
	    [INV_ANCHOR_KDBG] = "KdDebuggerDataBlock",
	    [INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD] = "PsActiveProcessHead",
	    [INV_ANCHOR_PS_LOADED_MODULE_LIST] = "PsLoadedModuleList",
	    [INV_ANCHOR_PSP_CID_TABLE] = "PspCidTable",
	    [INV_ANCHOR_MM_PFN_DATABASE] = "MmPfnDatabase",
	    [INV_ANCHOR_KI_PROCESSOR_BLOCK] = "KiProcessorBlock",
	    [INV_ANCHOR_BUILD] = "build",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == INV_ANCHOR_COUNT, "every anchor has a name");
	return (unsigned)anchor < INV_ANCHOR_COUNT ? names[anchor] : "?";
}

const char *inv_confidence_name(enum inv_confidence confidence)
{
	switch (confidence) {
	case INV_CONFIDENCE_NONE:
		return "none";
	case INV_CONFIDENCE_PARTIAL:
		return "partial";
	case INV_CONFIDENCE_NEAREST:
		return "nearest";
	case INV_CONFIDENCE_VERSION:
		return "version";
	case INV_CONFIDENCE_EXACT:
		return "exact";
	}
	return "?";
}

static void push(struct inv_work *work, const struct inv_clue *clue)
{
	inv_push(work->clues, *clue);
	work->kernel.clues = work->clues;
	work->kernel.clue_count = inv_count(work->clues);
}

void inv_clue_found(struct inv_work *work, enum inv_anchor anchor, enum inv_way way, uint64_t value, uint64_t where,
                    const char *note)
{
	push(work, &(struct inv_clue){anchor, way, true, value, where, {0}, note});
}

void inv_clue_missing(struct inv_work *work, enum inv_anchor anchor, enum inv_way way, const struct inv_why *why,
                      const char *note)
{
	push(work, &(struct inv_clue){anchor, way, false, 0, why->address, *why, note});
}

const struct inv_clue *inv_clue_of(const struct inv_work *work, enum inv_anchor anchor, enum inv_way way)
{
	for (size_t i = 0; i < work->kernel.clue_count; i++)
		if (work->clues[i].anchor == anchor && work->clues[i].way == way)
			return &work->clues[i];
	return NULL;
}

bool inv_roots_add(struct inv_roots *roots, const struct inv_root *root)
{
	if (roots->count == INV_MAX_ROOTS)
		return false;
	roots->root[roots->count++] = *root;
	return true;
}

static void header_clue(struct inv_work *work, enum inv_anchor anchor, const struct inv_claim *claim, const char *note)
{
	if (claim->present)
		inv_clue_found(work, anchor, INV_WAY_HEADER, claim->value, claim->offset, note);
}

void inv_clues_header(struct inv_work *work)
{
	const struct inv_header *header = &inv_image_info(work->kernel.image)->header;
	header_clue(work, INV_ANCHOR_KDBG, &header->kdbg, NULL);
	header_clue(work, INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD, &header->ps_active_process_head, NULL);
	header_clue(work, INV_ANCHOR_PS_LOADED_MODULE_LIST, &header->ps_loaded_module_list, NULL);
	header_clue(work, INV_ANCHOR_BUILD, &header->build, NULL);
	// Most writers give the address of the variable, some the variable's value (seen in a 19041 dump).
	const struct inv_claim *pfn = &header->pfn_database;
	bool table = pfn->present && (pfn->value & (INV_PAGE_SIZE - 1)) == 0;
	header_clue(work, INV_ANCHOR_MM_PFN_DATABASE, pfn, table ? "the table itself, not the variable" : NULL);
}

static const struct {
	enum inv_anchor anchor;
	enum inv_symbol symbol;
} globals[] = {
    {INV_ANCHOR_KDBG, INV_S_KdDebuggerDataBlock},
    {INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD, INV_S_PsActiveProcessHead},
    {INV_ANCHOR_PS_LOADED_MODULE_LIST, INV_S_PsLoadedModuleList},
    {INV_ANCHOR_PSP_CID_TABLE, INV_S_PspCidTable},
    {INV_ANCHOR_MM_PFN_DATABASE, INV_S_MmPfnDatabase},
    {INV_ANCHOR_KI_PROCESSOR_BLOCK, INV_S_KiProcessorBlock},
};

void inv_clues_kdbg(struct inv_work *work)
{
	const struct inv_kdbg *kdbg = &work->kernel.kdbg;
	if (!kdbg->found)
		return;
	uint64_t value;
	if (inv_kdbg_u64(kdbg, INV_KDBG_KERN_BASE, &value))
		inv_clue_found(work, INV_ANCHOR_KERNEL_BASE, INV_WAY_KDBG, value, kdbg->address + INV_KDBG_KERN_BASE, NULL);
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
		unsigned at = inv_kdbg_symbol_at(globals[i].symbol);
		if (at && inv_kdbg_u64(kdbg, at, &value) && value != 0)
			inv_clue_found(work, globals[i].anchor, INV_WAY_KDBG, value, kdbg->address + at, NULL);
	}
}

void inv_clues_symbols(struct inv_work *work)
{
	const struct inv_kernel *kernel = &work->kernel;
	if (!kernel->rva)
		return;
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
		uint32_t rva = kernel->rva[globals[i].symbol];
		if (rva != INV_NO_RVA)
			inv_clue_found(work, globals[i].anchor, INV_WAY_SYMBOL, kernel->base + rva, kernel->base + rva, NULL);
	}
	// The upper half of NtBuildNumber has flags: free or checked build.
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_NtBuildNumber, NULL);
	struct inv_value number = at.ok ? inv_read_u32(kernel, at.u) : at;
	if (number.ok)
		inv_clue_found(work, INV_ANCHOR_BUILD, INV_WAY_SYMBOL, number.u & 0xffff, number.address, NULL);
	else
		inv_clue_missing(work, INV_ANCHOR_BUILD, INV_WAY_SYMBOL, &number.why, NULL);
}
