// SPDX-License-Identifier: Apache-2.0
// Memory of the user half of a process: its pages, and the image it runs.
#include "forge/user.h"

#include "base/bytes.h"
#include "forge/parts.h"
#include "forge/pfn.h"

#define PAGE INV_RAM_PAGE

uint64_t inv_protection_flags(unsigned protection)
{
	bool executable = protection & INV_MM_EXECUTE; // 2, 3, 6, 7
	bool writable = protection == INV_MM_READWRITE || protection == INV_MM_EXECUTE_READWRITE;
	return (executable ? 0 : INV_PTE_NX) | (writable ? INV_PTE_WRITE : 0);
}

void inv_machine_map_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                          uint64_t flags)
{
	inv_maps_map(&process->maps, address, inv_ram_take(machine->ram, INV_RAM_USER), INV_PTE_USER | flags);
	if (process->user_dtb)
		inv_machine_make_shadow(machine, process);
}

bool inv_machine_read_user(const struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                           void *buffer, size_t size)
{
	return inv_machine_read_through(machine, &process->maps, address, buffer, size);
}

uint64_t inv_machine_alloc_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                uint64_t size, unsigned protection)
{
	uint64_t start = inv_machine_reserve(machine, process, at, size, protection);
	if (!start)
		return 0;
	uint64_t flags = inv_protection_flags(protection);
	for (uint64_t page = 0; page < size; page += PAGE)
		inv_machine_map_user(machine, process, start + page, flags);
	return start;
}

void inv_machine_put_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                          enum inv_field field, uint64_t value)
{
	unsigned width = inv_machine_width(machine, field);
	uint8_t bytes[8];
	inv_put64(bytes, value);
	if (inv_machine_has(machine, field) && machine->layout->place[field].bits == 0)
		inv_machine_write_user(machine, process, inv_machine_at(machine, object, field), bytes, width);
}

struct user_place {
	struct inv_machine *machine;
	const struct inv_forge_process *process;
};

static void put_in_user(void *context, uint32_t rva, const void *bytes, size_t size)
{
	const struct user_place *place = context;
	inv_machine_write_user(place->machine, place->process, place->process->image_base + rva, bytes, size);
}

void inv_machine_give_image(struct inv_machine *machine, struct inv_forge_process *process)
{
	process->image_base =
	    process->wow64 ? 0x400000 : 0x7ff600000000 + inv_random_below(&machine->random, 0x9fff) * 0x100000;
	inv_machine_map_user(machine, process, process->image_base, INV_PTE_NX);
	const struct inv_forge_section section = {".text", PAGE, 0x10000 - PAGE, INV_SECTION_CODE};
	struct inv_forge_pe pe = {
	    .base = process->image_base, .size = 0x10000, .entry = PAGE, .sections = &section, .section_count = 1};
	struct user_place place = {machine, process};
	inv_forge_pe_write(&pe, put_in_user, &place);
	inv_machine_make_peb(machine, process);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionBaseAddress, process->image_base);
	if (machine->config.kva_shadow)
		inv_machine_make_shadow(machine, process);
}
