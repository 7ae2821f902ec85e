// SPDX-License-Identifier: Apache-2.0
// The processors, by KiProcessorBlock: an array of pointers to each one's KPRCB.
#include "base/array.h"
#include "kernel/parts.h"

// KPCR.Prcb on x64, where the layout does not say (_KPCR is in the public symbols; every KDBG at hand says 0x180 too).
static uint64_t prcb_in_pcr(const struct inv_kernel *kernel)
{
	uint16_t offset = kernel->layout ? kernel->layout->place[INV_F_KPCR_Prcb].offset : INV_NO_OFFSET;
	uint16_t said = 0;
	if (offset == INV_NO_OFFSET && inv_kdbg_u16(&kernel->kdbg, INV_KDBG_PCR_CONTAINED_PRCB, &said) && said)
		offset = said;
	return offset == INV_NO_OFFSET ? 0x180 : offset;
}

static uint64_t processor_count(const struct inv_kernel *kernel)
{
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_KeNumberProcessors, NULL);
	struct inv_value count = at.ok ? inv_read_u32(kernel, at.u) : at;
	const struct inv_claim *claim = &inv_image_info(kernel->image)->header.cpus;
	if (count.ok && count.u >= 1 && count.u <= INV_MAX_CPUS)
		return count.u;
	if (claim->present && claim->value >= 1 && claim->value <= INV_MAX_CPUS)
		return claim->value;
	return INV_MAX_CPUS;
}

// The registers of this processor: those whose GS base is its KPCR; where none is, the note of the same position.
static const struct inv_cpu_claim *claim_of(const struct inv_kernel *kernel, uint64_t prcb, size_t index)
{
	const struct inv_header *header = &inv_image_info(kernel->image)->header;
	uint64_t pcr = prcb - prcb_in_pcr(kernel);
	for (size_t i = 0; prcb && i < header->cpu_count; i++)
		if (header->cpu[i].gs_base == pcr || header->cpu[i].kernel_gs_base == pcr)
			return &header->cpu[i];
	return index < header->cpu_count ? &header->cpu[index] : NULL;
}

static void add_cpu(struct inv_work *work, uint64_t prcb, size_t index)
{
	const struct inv_kernel *kernel = &work->kernel;
	struct inv_value number = inv_field(kernel, prcb, INV_F_KPRCB_Number);
	struct inv_cpu cpu = {
	    .number = number.ok ? (uint32_t)number.u : (uint32_t)index,
	    .prcb = prcb,
	    .current = prcb && prcb == kernel->current_prcb,
	    .claim = claim_of(kernel, prcb, index),
	};
	inv_push(work->cpus, cpu);
}

static void add_from_block(struct inv_work *work)
{
	const struct inv_kernel *kernel = &work->kernel;
	struct inv_value block = inv_kernel_symbol(kernel, INV_S_KiProcessorBlock, NULL);
	uint64_t count = processor_count(kernel);
	for (uint64_t i = 0; block.ok && i < count; i++) {
		struct inv_value prcb = inv_read_u64(kernel, block.u + i * 8);
		if (!prcb.ok || !inv_is_kernel_address(prcb.u))
			break;
		add_cpu(work, prcb.u, i);
	}
}

static bool have_current(const struct inv_work *work)
{
	for (size_t i = 0; i < inv_count(work->cpus); i++)
		if (work->cpus[i].prcb == work->kernel.current_prcb)
			return true;
	return false;
}

// Without KiProcessorBlock: a KPCR that the GS base leads to and that points at itself.
static void add_from_claims(struct inv_work *work)
{
	const struct inv_kernel *kernel = &work->kernel;
	const struct inv_header *header = &inv_image_info(kernel->image)->header;
	for (size_t i = 0; i < header->cpu_count && i < INV_MAX_CPUS; i++) {
		const struct inv_cpu_claim *claim = &header->cpu[i];
		uint64_t pcr = inv_is_kernel_address(claim->gs_base) ? claim->gs_base : claim->kernel_gs_base;
		struct inv_value self = inv_field(kernel, pcr, INV_F_KPCR_Self);
		add_cpu(work, self.ok && self.u == pcr ? pcr + prcb_in_pcr(kernel) : 0, i);
	}
}

void inv_find_cpus(struct inv_work *work)
{
	add_from_block(work);
	if (work->kernel.current_prcb && !have_current(work))
		add_cpu(work, work->kernel.current_prcb, inv_count(work->cpus));
	if (inv_count(work->cpus) == 0)
		add_from_claims(work);
	work->kernel.cpus = work->cpus;
	work->kernel.cpu_count = inv_count(work->cpus);
}
