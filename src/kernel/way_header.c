// SPDX-License-Identifier: Apache-2.0
// Roots of page tables that the format's own header and CPU notes claim.
#include "kernel/parts.h"

// CR4.LA57: five levels of page tables (Intel SDM vol. 3, 2.5).
#define CR4_LA57 (1ull << 12)

static void add_header_dtb(struct inv_roots *roots, const struct inv_header *header)
{
	if (!header->dtb.present || (header->dtb.value & INV_FRAME_MASK) == 0)
		return;
	inv_roots_add(roots, &(struct inv_root){
	                         .dtb = header->dtb.value & INV_FRAME_MASK,
	                         .way = INV_WAY_HEADER,
	                         .where = header->dtb.offset,
	                         .note = "of the process current when the image was taken, which need not be System",
	                     });
}

// Machines have many CPUs and few distinct roots: idle ones all run in the same process.
static bool known(const struct inv_roots *roots, uint64_t dtb)
{
	for (size_t i = 0; i < roots->count; i++)
		if (roots->root[i].way == INV_WAY_CPU && roots->root[i].dtb == dtb)
			return true;
	return false;
}

static void add_cpus(struct inv_roots *roots, const struct inv_header *header)
{
	enum { MOST = 32 };
	for (size_t i = 0, added = 0; i < header->cpu_count && added < MOST; i++) {
		const struct inv_cpu_claim *cpu = &header->cpu[i];
		uint64_t dtb = cpu->cr3 & INV_FRAME_MASK;
		if (dtb == 0 || known(roots, dtb))
			continue;
		inv_roots_add(roots, &(struct inv_root){
		                         .dtb = dtb,
		                         .way = INV_WAY_CPU,
		                         .where = cpu->offset,
		                         .levels = cpu->cr4 & CR4_LA57 ? 5 : 4,
		                         .note = "of the process that this CPU ran, which need not be System",
		                     });
		added++;
	}
}

void inv_way_header(struct inv_work *work, struct inv_roots *roots)
{
	const struct inv_header *header = &inv_image_info(work->kernel.image)->header;
	add_header_dtb(roots, header);
	add_cpus(roots, header);
}
