// SPDX-License-Identifier: Apache-2.0
// A PFN database made of the input, with the layout of any kernel of the table. The walk must end, agree with what is read entry
// by entry, and an address that is given for a frame must lead back to it.
//
// The input: the layout, which pages of the kernel half are mapped, where the database begins, which process is System, then the
// bytes of those pages: the first holds MmPfnDatabase, the database and the processes follow.
#include "base/array.h"
#include "fuzz_kernel_half.h"
#include "nt/pfn.h"

#define SELF_SLOT 0x1edu
#define KDBG_PFN_DATABASE 0xc0u
#define HEADER 10u

struct found {
	struct inv_pfn_database *database;
	struct inv_pfn *roots; // stb_ds
};

static bool keep(void *context, const struct inv_pfn *pfn)
{
	struct found *found = context;
	struct inv_pfn again;
	require(inv_pfn_is_root(pfn));
	require(inv_count(found->roots) == 0 || found->roots[inv_count(found->roots) - 1].frame < pfn->frame);
	require(inv_pfn_read(found->database, pfn->frame, &again, NULL));
	require(again.u1 == pfn->u1 && again.pte_address == pfn->pte_address && again.tail == pfn->tail);
	inv_push(found->roots, *pfn);
	return true;
}

static void use(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data)
{
	inv_put64(memory + (size_t)FIRST * INV_PAGE_SIZE,
	          KERNEL + INV_PAGE_SIZE + inv_le32(data + 5) % (4 * INV_PAGE_SIZE));
	uint64_t system = KERNEL + (uint64_t)data[9] * 0x100;
	struct inv_pfn_database database;
	inv_pfn_open(kernel, &database);
	if (database.voided)
		return;
	struct found found = {.database = &database};
	size_t read, unreadable;
	inv_pfn_each_root(&database, keep, &found, &read, &unreadable);
	require(inv_count(found.roots) <= read);
	inv_pfn_calibrate(&database, system, found.roots, inv_count(found.roots));
	for (size_t i = 0; i < inv_count(found.roots); i++) {
		uint64_t owner = inv_pfn_owner(&database, &found.roots[i]);
		require(owner == 0 || owner >> 47 == 0x1ffff);
	}
	for (uint64_t frame = 0; frame < PAGES; frame++) {
		uint64_t address, physical;
		if (inv_pfn_virtual(&database, frame, &address))
			require(inv_space_translate(kernel->space, address, &physical, NULL) && physical >> 12 == frame);
	}
	inv_array_free(found.roots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = new_memory(data, size, HEADER, FIRST, MAPPED);
	if (!memory)
		return 0;
	put_tables(memory, inv_le32(data + 1));
	inv_put64(memory + ROOT + (size_t)8 * SELF_SLOT, ROOT | TABLE_FLAGS);
	struct inv_kernel kernel = {.kdbg = {.found = true, .size = INV_KDBG_MAX}};
	inv_put64(kernel.kdbg.bytes + KDBG_PFN_DATABASE, KERNEL);
	with_memory(memory, data[0], kernel, data, use);
	free(memory);
	return 0;
}
