// SPDX-License-Identifier: Apache-2.0
// Tells the space how this build encodes PTEs that the CPU does not use.
#include "kernel/parts.h"

// Windows has at most sixteen paging files; MI_PARTITION.Vp.PagingFile (before: MmPagingFile) is an array of pointers.
#define MOST_PAGING_FILES 16

static void set_bit(const struct inv_layout *layout, enum inv_field field, uint8_t *bit)
{
	const struct inv_place *place = &layout->place[field];
	if (place->offset != INV_NO_OFFSET && place->bits)
		*bit = place->bit;
}

static void set_bits(const struct inv_layout *layout, enum inv_field field, uint8_t *bit, uint8_t *bits)
{
	const struct inv_place *place = &layout->place[field];
	if (place->offset != INV_NO_OFFSET && place->bits) {
		*bit = place->bit;
		*bits = place->bits;
	}
}

static uint64_t invalid_pte_mask(const struct inv_kernel *kernel)
{
	struct inv_value state = inv_kernel_symbol(kernel, INV_S_MiState, NULL);
	struct inv_value mask = state.ok ? inv_field(kernel, state.u, INV_F_MI_SYSTEM_INFORMATION_InvalidPteMask) : state;
	return mask.ok ? mask.u : 0;
}

static struct inv_value paging_files(const struct inv_kernel *kernel)
{
	struct inv_value partition = inv_kernel_symbol(kernel, INV_S_MiSystemPartition, NULL);
	if (partition.ok)
		return inv_field(kernel, partition.u, INV_F_MI_PARTITION_PagingFile);
	return inv_kernel_symbol(kernel, INV_S_MmPagingFile, NULL);
}

static int store_page_file(const struct inv_kernel *kernel)
{
	struct inv_value files = paging_files(kernel);
	for (unsigned i = 0; files.ok && i < MOST_PAGING_FILES; i++) {
		struct inv_value file = inv_read_u64(kernel, files.u + i * 8ull);
		if (!file.ok || file.u == 0)
			continue;
		struct inv_value store = inv_field(kernel, file.u, INV_F_MMPAGING_FILE_VirtualStorePagefile);
		struct inv_value number = inv_field(kernel, file.u, INV_F_MMPAGING_FILE_PageFileNumber);
		if (store.ok && store.u == 1)
			return number.ok ? (int)(number.u & 0xf) : (int)i;
	}
	return -1;
}

void inv_set_pte_format(struct inv_work *work)
{
	const struct inv_kernel *kernel = &work->kernel;
	const struct inv_layout *layout = kernel->layout;
	if (!layout || !inv_space_has_page_tables(kernel->space))
		return;
	struct inv_pte_format format = inv_pte_format_default;
	set_bit(layout, INV_F_MMPTE_SOFTWARE_Prototype, &format.prototype_bit);
	set_bit(layout, INV_F_MMPTE_SOFTWARE_Transition, &format.transition_bit);
	set_bit(layout, INV_F_MMPTE_SOFTWARE_SwizzleBit, &format.swizzle_bit);
	set_bits(layout, INV_F_MMPTE_SOFTWARE_Protection, &format.protection_bit, &format.protection_bits);
	set_bits(layout, INV_F_MMPTE_SOFTWARE_PageFileLow, &format.page_file_bit, &format.page_file_bits);
	set_bits(layout, INV_F_MMPTE_SOFTWARE_PageFileHigh, &format.page_file_offset_bit, &format.page_file_offset_bits);
	set_bits(layout, INV_F_MMPTE_PROTOTYPE_ProtoAddress, &format.proto_address_bit, &format.proto_address_bits);
	inv_space_set_pte_format(kernel->space, &format);
	// These two are read with what is already set.
	format.invalid_pte_mask = invalid_pte_mask(kernel);
	format.store_page_file = store_page_file(kernel);
	inv_space_set_pte_format(kernel->space, &format);
}
