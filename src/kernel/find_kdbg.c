// SPDX-License-Identifier: Apache-2.0
// Finding KDDEBUGGER_DATA64 in memory.
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "kernel/parts.h"

static bool read_keys(const struct inv_kernel *kernel, const uint32_t *rva, struct inv_kdbg_keys *keys)
{
	if (!rva || rva[INV_S_KiWaitNever] == INV_NO_RVA || rva[INV_S_KiWaitAlways] == INV_NO_RVA ||
	    rva[INV_S_KdpDataBlockEncoded] == INV_NO_RVA)
		return false;
	struct inv_value never = inv_read_u64(kernel, kernel->base + rva[INV_S_KiWaitNever]);
	struct inv_value always = inv_read_u64(kernel, kernel->base + rva[INV_S_KiWaitAlways]);
	*keys = (struct inv_kdbg_keys){never.u, always.u, kernel->base + rva[INV_S_KdpDataBlockEncoded]};
	return never.ok && always.ok;
}

static bool read_at(struct inv_work *work, uint64_t address, const struct inv_kdbg_keys *keys, struct inv_kdbg *kdbg,
                    struct inv_why *why)
{
	uint8_t bytes[INV_KDBG_MAX];
	*why = (struct inv_why){0};
	size_t got = inv_space_read(work->kernel.space, address, bytes, sizeof(bytes), why);
	if (inv_kdbg_parse(bytes, got, keys, address, kdbg))
		return true;
	if (got == sizeof(bytes))
		why->reason = INV_PRESENT;
	return false;
}

// A block in clear whose KernBase is this kernel's, among `size` bytes at `address`.
static bool search_range(struct inv_work *work, uint64_t address, uint32_t size, struct inv_kdbg *kdbg)
{
	for (uint64_t at = 0; at < size; at += INV_PAGE_SIZE) {
		uint8_t page[INV_PAGE_SIZE];
		size_t got = inv_space_read(work->kernel.space, address + at, page, sizeof(page), NULL);
		for (size_t i = 0; i + 8 <= got; i += 8) {
			uint64_t start = address + at + i - INV_KDBG_OWNER_TAG;
			uint64_t base;
			struct inv_why why;
			if (memcmp(page + i, "KDBG", 4) == 0 && read_at(work, start, NULL, kdbg, &why) &&
			    inv_kdbg_u64(kdbg, INV_KDBG_KERN_BASE, &base) && base == work->kernel.base)
				return true;
		}
	}
	return false;
}

static bool search_data(struct inv_work *work, struct inv_kdbg *kdbg)
{
	for (size_t i = 0; i < work->pe.section_count; i++) {
		const struct inv_pe_section *section = &work->pe.section[i];
		if (section->writable && search_range(work, work->pe.base + section->rva, section->size, kdbg))
			return true;
	}
	*kdbg = (struct inv_kdbg){0};
	return false;
}

// A way that has an address of KDBG already left a clue; this says in it when nothing readable stands there.
static void note_unreadable(struct inv_work *work, enum inv_way way, const struct inv_why *why, bool keys)
{
	for (size_t i = 0; i < inv_count(work->clues); i++)
		if (work->clues[i].anchor == INV_ANCHOR_KDBG && work->clues[i].way == way)
			work->clues[i].note = why->reason != INV_PRESENT ? "the block there cannot be read"
			                      : keys                     ? "what stands there is no KDDEBUGGER_DATA64"
			                                                 : "what stands there is encoded, or no KDDEBUGGER_DATA64";
}

void inv_find_kdbg(struct inv_work *work, const struct inv_kernel_facts *facts)
{
	struct inv_kernel *kernel = &work->kernel;
	if (kernel->kdbg.found || !kernel->space)
		return;
	const uint32_t *rva = facts ? facts->rva : NULL;
	struct inv_kdbg_keys keys;
	bool have_keys = read_keys(kernel, rva, &keys);
	struct inv_why why;

	const struct inv_claim *claim = &inv_image_info(kernel->image)->header.kdbg;
	bool ok = claim->present && read_at(work, claim->value, have_keys ? &keys : NULL, &kernel->kdbg, &why);
	if (claim->present && !ok)
		note_unreadable(work, INV_WAY_HEADER, &why, have_keys);
	if (!ok && rva && rva[INV_S_KdDebuggerDataBlock] != INV_NO_RVA)
		ok =
		    read_at(work, kernel->base + rva[INV_S_KdDebuggerDataBlock], have_keys ? &keys : NULL, &kernel->kdbg, &why);
	if (!ok && search_data(work, &kernel->kdbg)) {
		inv_clue_found(work, INV_ANCHOR_KDBG, INV_WAY_PE, kernel->kdbg.address, kernel->kdbg.address,
		               "found by its tag in the kernel's data");
		ok = true;
	}
	if (!ok)
		inv_log(kernel->log, INV_LOG_INFO, "%s: no KDDEBUGGER_DATA64 can be read%s",
		        inv_image_info(kernel->image)->path,
		        have_keys ? "" : " (if it is encoded, the symbols that decode it are not known)");
}
