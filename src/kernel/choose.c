// SPDX-License-Identifier: Apache-2.0
// Which facts apply to the kernel that was found, and how surely.
#include "base/array.h"
#include "base/text.h"
#include "kernel/parts.h"

#define MOST_CANDIDATES 64

// Of this many globals, one may disagree.
#define MOST_AGREE 4

// KDBG names nine of our globals; when fewer than these can be compared, agreement may be chance.
#define FEWEST_GLOBALS 6

// Fewer checks than these prove nothing.
#define FEWEST_CHECKS 3

enum inv_code inv_exact_facts(struct inv_work *work, const struct inv_kernel_facts **facts, struct inv_error *error)
{
	const struct inv_pdb *pdb = &work->kernel.pdb;
	*facts = NULL;
	if (!pdb->found)
		return INV_OK;
	if (work->symbols) {
		enum inv_code code = inv_symbols_load(work->symbols, pdb->guid, pdb->age, facts, error);
		if (code != INV_OK)
			return code;
	}
	if (!*facts)
		*facts = inv_facts_by_guid(pdb->guid, pdb->age);
	return INV_OK;
}

static void take_exact(struct inv_work *work, const struct inv_kernel_facts *facts)
{
	struct inv_kernel *kernel = &work->kernel;
	char guid[INV_GUID_SIZE];
	inv_format_guid(kernel->pdb.guid, guid);
	kernel->layout = facts->layout;
	kernel->rva = facts->rva;
	kernel->confidence = INV_CONFIDENCE_EXACT;
	kernel->facts_source = inv_arena_printf(kernel->arena, "the table of this very PDB, %s %s-%u, from %s",
	                                        kernel->pdb.name, guid, (unsigned)kernel->pdb.age, facts->source);
	// A table loaded at run time need not know the version.
	if (facts->version.build != 0) {
		kernel->version = facts->version;
		kernel->version_source = "the kernel's PDB, in the table of kernels";
	}
}

// Compares the RVAs of a table with the addresses that KDBG gives. Returns how many could be compared. The build lab is
// left out: which of the two texts KDBG means differs between builds.
static unsigned compare_globals(const struct inv_kernel *kernel, const uint32_t *rva, unsigned *agree)
{
	unsigned compared = 0;
	*agree = 0;
	for (unsigned symbol = 0; symbol < INV_SYMBOL_COUNT; symbol++) {
		unsigned at = inv_kdbg_symbol_at((enum inv_symbol)symbol);
		uint64_t address;
		if (at == 0 || symbol == INV_S_NtBuildLabEx || rva[symbol] == INV_NO_RVA ||
		    !inv_kdbg_u64(&kernel->kdbg, at, &address) || address == 0)
			continue;
		compared++;
		*agree += address == kernel->base + rva[symbol];
	}
	return compared;
}

static void keep_checks(struct inv_work *work, struct inv_check_result *result)
{
	for (size_t i = 0; i < inv_count(result->texts); i++)
		inv_push(work->self_checks, result->texts[i]);
	work->kernel.self_checks = work->self_checks;
	work->kernel.self_check_count = inv_count(work->self_checks);
}

static const char *version_text(struct inv_work *work, const struct inv_version *version)
{
	return inv_arena_printf(work->kernel.arena, "%u.%u.%u.%u", version->major, version->minor, version->build,
	                        version->revision);
}

// One kernel of the right version: do its globals stand where KDBG says, and does its layout fit?
static bool try_version(struct inv_work *work, const struct inv_kernel_facts *facts)
{
	struct inv_kernel *kernel = &work->kernel;
	if (facts->arch != kernel->arch || !facts->rva || !facts->layout)
		return false;
	inv_find_kdbg(work, facts);
	unsigned agree;
	unsigned compared = compare_globals(kernel, facts->rva, &agree);
	// One global elsewhere among many that agree is a finding about KDBG (its clues show it), not another kernel.
	if (compared - agree > compared / MOST_AGREE)
		return false;
	struct inv_check_result result;
	inv_check_layout(work, facts->layout, &result);
	bool fits = !result.why_not && result.passed + compared >= FEWEST_CHECKS;
	if (fits) {
		kernel->layout = facts->layout;
		kernel->rva = facts->rva;
		kernel->confidence = INV_CONFIDENCE_VERSION;
		kernel->facts_source = inv_arena_printf(
		    kernel->arena,
		    "the table of version %s, found by time stamp and size of image; %u of %u globals stand where "
		    "KDBG says; from %s",
		    version_text(work, &facts->version), agree, compared, facts->source);
		keep_checks(work, &result);
	}
	inv_array_free(result.texts);
	return fits;
}

static bool choose_by_version(struct inv_work *work)
{
	if (!work->row)
		return false;
	size_t count = 0;
	const struct inv_kernel_facts *facts = inv_facts_by_version(&work->row->version, &count);
	for (size_t i = 0; facts && i < count; i++)
		if (try_version(work, &facts[i]))
			return true;
	if (count)
		inv_log(work->kernel.log, INV_LOG_WARNING, "%s: the table of version %s contradicts KDBG or memory: not used",
		        inv_image_info(work->kernel.image)->path, version_text(work, &work->row->version));
	return false;
}

static bool try_nearest(struct inv_work *work, const struct inv_layout *layout, const char **why_not)
{
	struct inv_kernel *kernel = &work->kernel;
	struct inv_check_result result;
	inv_check_layout(work, layout, &result);
	bool fits = !result.why_not && result.passed >= FEWEST_CHECKS;
	if (fits) {
		size_t added = 0;
		kernel->layout = layout->partial ? inv_complete_layout(work, layout, &added) : layout;
		kernel->confidence = INV_CONFIDENCE_NEAREST;
		kernel->facts_source =
		    inv_arena_printf(kernel->arena, "the layout of %s, which passes %zu self-checks here; from %s%s",
		                     layout->version, result.passed, layout->source, added ? ", completed from KDBG" : "");
		keep_checks(work, &result);
	} else if (!*why_not) {
		*why_not = result.why_not ? result.why_not : "too little of it can be checked on this image";
	}
	inv_array_free(result.texts);
	return fits;
}

// A kernel of the same build whose globals all stand where KDBG says has, as likely as not, this one's layout too. Its RVAs are
// not taken: what KDBG does not name may stand elsewhere.
static bool choose_kin(struct inv_work *work, const char **why_not)
{
	const struct inv_kernel *kernel = &work->kernel;
	for (size_t i = 0; kernel->version.build != 0 && i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		unsigned agree;
		if (facts->arch != kernel->arch || facts->version.build != kernel->version.build)
			continue;
		unsigned compared = compare_globals(kernel, facts->rva, &agree);
		if (compared >= FEWEST_GLOBALS && agree == compared && try_nearest(work, facts->layout, why_not))
			return true;
	}
	return false;
}

static bool choose_nearest(struct inv_work *work, size_t *tried, const char **why_not)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_layout *candidates[MOST_CANDIDATES];
	*tried = 0;
	if (kernel->version.build == 0)
		return false;
	*tried = inv_facts_candidates(kernel->arch, kernel->version.build, kernel->version.revision, candidates,
	                              MOST_CANDIDATES);
	*tried = *tried > MOST_CANDIDATES ? MOST_CANDIDATES : *tried;
	for (size_t i = 0; i < *tried; i++)
		if (try_nearest(work, candidates[i], why_not))
			return true;
	return false;
}

static void take_kdbg_or_nothing(struct inv_work *work, size_t tried, const char *why_not)
{
	struct inv_kernel *kernel = &work->kernel;
	const char *failed = kernel->version.build == 0 ? "the build is not known"
	                     : tried == 0 ? inv_arena_printf(kernel->arena, "no table has a kernel for %s near build %u",
	                                                     inv_arch_name(kernel->arch), kernel->version.build)
	                                  : inv_arena_printf(kernel->arena, "none of %zu layouts near build %u fits: %s",
	                                                     tried, kernel->version.build, why_not);
	struct inv_layout *layout = inv_kdbg_layout(work);
	kernel->layout = layout;
	kernel->confidence = layout ? INV_CONFIDENCE_PARTIAL : INV_CONFIDENCE_NONE;
	if (!layout) {
		kernel->facts_source = inv_arena_printf(kernel->arena, "none: %s", failed);
		return;
	}
	size_t inferred = inv_infer_fields(work, layout);
	kernel->facts_source =
	    inferred
	        ? inv_arena_printf(kernel->arena,
	                           "only what KDBG says of this kernel, and %zu fields that System's own bytes prove: %s",
	                           inferred, failed)
	        : inv_arena_printf(kernel->arena, "only what KDBG says of this kernel: %s", failed);
}

void inv_choose_facts(struct inv_work *work, const struct inv_kernel_facts *exact)
{
	if (exact) {
		take_exact(work, exact);
		return;
	}
	if (choose_by_version(work))
		return;
	size_t tried = 0;
	const char *why_not = NULL;
	if (!choose_kin(work, &why_not) && !choose_nearest(work, &tried, &why_not))
		take_kdbg_or_nothing(work, tried, why_not);
}
