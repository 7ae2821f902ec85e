// SPDX-License-Identifier: Apache-2.0
// Copies of what programs recognise a kernel by.
#include <stdlib.h>

#include "forge/machine.h"

#define PAGE INV_RAM_PAGE
#define HEADER_PAGES 1u

uint64_t inv_machine_copy_kdbg(struct inv_machine *machine)
{
	uint64_t at = inv_region_take(machine, &machine->pool, PAGE, PAGE);
	inv_machine_write(machine, at, machine->kdbg_plain, machine->kdbg_size);
	return at;
}

static void copy_pages(struct inv_machine *machine, uint64_t to, uint32_t rva, uint32_t pages)
{
	uint8_t *bytes = inv_alloc((size_t)pages * PAGE);
	if (inv_machine_read(machine, machine->base + rva, bytes, (size_t)pages * PAGE))
		inv_machine_write(machine, to + rva, bytes, (size_t)pages * PAGE);
	free(bytes);
}

uint64_t inv_machine_copy_kernel(struct inv_machine *machine)
{
	uint64_t at = inv_region_take(machine, &machine->pool, machine->size, PAGE);
	copy_pages(machine, at, 0, HEADER_PAGES);
	copy_pages(machine, at, machine->own_rva, INV_FORGE_OWN_PAGES);
	return at;
}
