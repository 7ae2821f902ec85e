// SPDX-License-Identifier: Apache-2.0
// PEB, process parameters and loader lists, 64-bit and 32-bit, in user memory made of the input. The reading must end, keep its
// bounds, and say of every module where it stands.
//
// The input: the layout, the width, which pages are mapped, then their bytes. The first page is seen from the kernel half too and
// holds the EPROCESS; the PEB stands on the second.
#include "base/array.h"
#include "fuzz_kernel_half.h"
#include "kernel/pe.h"
#include "nt/peb.h"

#define HEADER 6u

static void check(const struct inv_peb *peb)
{
	require(inv_count(peb->modules) <= INV_LOADED_BOUND);
	for (size_t i = 0; i < inv_count(peb->modules); i++) {
		const struct inv_loaded *module = &peb->modules[i];
		require(module->lists != 0 && module->lists < 1u << INV_LOADER_LISTS);
		require(module->path && module->name && module->narrow == peb->narrow);
		for (size_t j = 0; i < 64 && j < i; j++)
			require(peb->modules[j].address != module->address);
	}
	for (unsigned list = 0; peb->address && list < INV_LOADER_LISTS; list++)
		require(!peb->closed[list] || (peb->ldr.ok && peb->ldr.u));
}

static void use(const struct inv_kernel *kernel, uint8_t *memory, const uint8_t *data)
{
	uint16_t dtb = kernel->layout->place[INV_F_KPROCESS_DirectoryTableBase].offset;
	if (dtb < INV_PAGE_SIZE - 8)
		inv_put64(memory + (size_t)FIRST * INV_PAGE_SIZE + dtb, ROOT);
	struct inv_why why;
	struct inv_user *user = inv_user_open(kernel, KERNEL, &why);
	if (!user)
		return;
	struct inv_arena *arena = inv_arena_new();
	struct inv_peb peb;
	struct inv_pe pe;
	inv_peb_read(user, USER + INV_PAGE_SIZE, data[1] & 1, arena, &peb);
	check(&peb);
	for (size_t i = 0; i < inv_count(peb.modules) && i < 16; i++)
		(void)inv_pe_read_image(inv_user_space(user), peb.modules[i].base.u, &pe, &why);
	inv_peb_free(&peb);
	(void)inv_process_peb32(kernel, KERNEL);
	inv_arena_free(arena);
	inv_user_close(user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = new_memory(data, size, HEADER, FIRST, MAPPED);
	if (!memory)
		return 0;
	put_tables(memory, 1);
	put_user_tables(memory, inv_le32(data + 2), FIRST);
	with_memory(memory, data[0], (struct inv_kernel){0}, data, use);
	free(memory);
	return 0;
}
