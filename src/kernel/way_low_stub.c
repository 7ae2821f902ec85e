// SPDX-License-Identifier: Apache-2.0
// PROCESSOR_START_BLOCK: the code by which Windows starts further CPUs stays in the first MiB of physical memory, with
// the kernel's CR3 and entry beside it. Its first bytes are a jump of a known form; the positions are public knowledge of
// several memory forensics tools (MemProcFS, among others).
#include "base/bytes.h"
#include "kernel/parts.h"

#define JUMP_MASK 0xffffffffffff00ffull
#define JUMP 0x00000001000600e9ull
#define ENTRY_AT 0x70
#define CR3_AT 0xa0

static bool read_stub(const uint8_t *page, uint64_t *entry, uint64_t *cr3)
{
	*entry = inv_le64(page + ENTRY_AT);
	*cr3 = inv_le64(page + CR3_AT);
	bool entry_fits = *entry >= INV_IMAGE_AREA_START && *entry < INV_IMAGE_AREA_END && (*entry & 3) == 0;
	return (inv_le64(page) & JUMP_MASK) == JUMP && entry_fits && *cr3 != 0 && (*cr3 & ~INV_FRAME_MASK) == 0;
}

void inv_way_low_stub(struct inv_work *work, struct inv_roots *roots)
{
	size_t pages = 0;
	for (uint64_t address = 0x1000; address < 0xa0000; address += INV_PAGE_SIZE) {
		const uint8_t *page;
		if (inv_image_bytes(work->kernel.image, address, INV_PAGE_SIZE, &page) < INV_PAGE_SIZE)
			continue;
		pages++;
		uint64_t entry, cr3;
		if (!read_stub(page, &entry, &cr3))
			continue;
		work->low_stub_entry = entry;
		inv_roots_add(roots, &(struct inv_root){.dtb = cr3, .way = INV_WAY_LOW_STUB, .where = address + CR3_AT});
		return;
	}
	struct inv_why why = {.reason = INV_NOT_IN_IMAGE, .address = 0x1000, .at = 0x1000};
	inv_clue_missing(work, INV_ANCHOR_DTB, INV_WAY_LOW_STUB, &why,
	                 pages ? "no processor start block in the first 640 KiB of physical memory"
	                       : "the first 640 KiB of physical memory are not in the image");
}
