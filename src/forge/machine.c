// SPDX-License-Identifier: Apache-2.0
#include "forge/machine.h"
#include "forge/csrss.h"
#include "forge/peb.h"
#include "forge/pfn.h"
#include "forge/registry.h"
#include "forge/section.h"
#include "forge/user.h"

#include <stdlib.h>

#define TERABYTE (1ull << 40)
#define MINUTE 600000000ull

static uint64_t address_of_slot(unsigned slot)
{
	return 0xffff000000000000u | (uint64_t)slot << 39;
}

// A slot of the kernel half that nothing else uses. Windows 10 1607 and later place their regions at random.
static unsigned free_slot(struct inv_machine *machine, const unsigned *taken, size_t count)
{
	for (;;) {
		unsigned slot = 0x110 + (unsigned)inv_random_below(&machine->random, 0x1e8 - 0x110);
		bool used = false;
		for (size_t i = 0; i < count; i++)
			used = used || taken[i] == slot;
		if (!used)
			return slot;
	}
}

struct places {
	uint64_t pool, paged, stacks, pfn_database;
};

// Where the regions of kernel memory stand. Before 1607 they are fixed: Windows 7 and 8.1 as documented in "Windows Internals".
static struct places choose_places(struct inv_machine *machine)
{
	if (machine->build < 9200) {
		machine->self_slot = 0x1ed;
		// The pool begins where the PFN database ends.
		uint64_t pool = 0xfffffa8000000000 + (inv_machine_pfn_size(machine) + 0xffffff) / 0x1000000 * 0x1000000;
		return (struct places){pool, 0xfffff8a000000000, 0xfffff88002000000, 0xfffffa8000000000};
	}
	if (machine->build < 14393) {
		machine->self_slot = 0x1ed;
		return (struct places){0xffffe00000001000, 0xffffc00000001000, 0xffffd00020000000, 0xfffffa8000000000};
	}
	unsigned taken[4];
	for (size_t i = 0; i < 4; i++)
		taken[i] = free_slot(machine, taken, i);
	// With 5 levels the self-map stands in the root, where the other regions do not.
	machine->self_slot = machine->maps.levels == 5 ? 0x110 + (unsigned)inv_random_below(&machine->random, 0xe0) : 0;
	struct places places = {
	    .pool = address_of_slot(taken[0]) + inv_random_below(&machine->random, 0x10000) * INV_RAM_PAGE * 16,
	    .paged = address_of_slot(taken[1]) + inv_random_below(&machine->random, 0x10000) * INV_RAM_PAGE * 16,
	    .stacks = address_of_slot(taken[2]) + inv_random_below(&machine->random, 0x10000) * INV_RAM_PAGE * 16,
	    .pfn_database = address_of_slot(taken[3]),
	};
	if (machine->maps.levels == 4) {
		unsigned self[5] = {taken[0], taken[1], taken[2], taken[3], 0};
		machine->self_slot = free_slot(machine, self, 4);
	}
	return places;
}

// System's page table root: Windows leaves it in the second MiB.
static uint64_t take_root(struct inv_machine *machine)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t root = 0x187000 + inv_random_below(&machine->random, 0x60) * INV_RAM_PAGE;
		if (inv_ram_take_at(machine->ram, root, INV_RAM_KERNEL))
			return root;
	}
	return inv_ram_take(machine->ram, INV_RAM_KERNEL);
}

static void put_symbol(struct inv_machine *machine, enum inv_symbol symbol, uint64_t value)
{
	uint64_t address = inv_machine_symbol(machine, symbol);
	if (address)
		inv_machine_put64(machine, address, value);
}

static void init_list(struct inv_machine *machine, uint64_t head)
{
	if (head)
		inv_machine_list_init(machine, head);
}

static void make_list_heads(struct inv_machine *machine)
{
	init_list(machine, inv_machine_symbol(machine, INV_S_PsActiveProcessHead));
	machine->ki_process_head = inv_machine_symbol(machine, INV_S_KiProcessListHead);
	machine->handle_table_head = inv_machine_symbol(machine, INV_S_HandleTableListHead);
	machine->mm_process_head = inv_machine_symbol(machine, INV_S_MmProcessList);
	uint64_t state = inv_machine_symbol(machine, INV_S_MiState);
	if (state && inv_machine_has(machine, INV_F_MI_SYSTEM_INFORMATION_ProcessList))
		machine->mm_process_head = inv_machine_at(machine, state, INV_F_MI_SYSTEM_INFORMATION_ProcessList);
	init_list(machine, machine->ki_process_head);
	init_list(machine, machine->mm_process_head);
}

static void boot(struct inv_machine *machine)
{
	inv_maps_init(&machine->maps, machine->ram, take_root(machine), machine->config.levels);
	struct places places = choose_places(machine);
	inv_maps_set_self(&machine->maps, machine->self_slot);
	uint64_t data = INV_PTE_WRITE | INV_PTE_NX | INV_PTE_GLOBAL;
	inv_machine_map_kernel(machine);
	inv_region_init(machine, &machine->pool, places.pool, TERABYTE / 16, data);
	inv_region_init(machine, &machine->paged, places.paged, TERABYTE / 16, data);
	inv_region_init(machine, &machine->stacks, places.stacks, TERABYTE / 16, data);
	inv_machine_make_shared_data(machine);
	inv_machine_make_low_stub(machine);
	inv_machine_make_kdbg(machine);
	put_symbol(machine, INV_S_MmPteBase, inv_maps_pte_base(machine->self_slot, machine->maps.levels));
	machine->pfn_database = places.pfn_database;
	inv_machine_make_pfn(machine);
	inv_machine_put_protections(machine);
	make_list_heads(machine);
	inv_machine_make_types(machine);
	inv_machine_make_big_pages(machine);
	inv_machine_load_modules(machine);
	inv_machine_make_cpus(machine);
	inv_machine_make_idle(machine);
	inv_machine_make_system(machine);
	inv_machine_make_watchers(machine);
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		machine->cpu[i].idle = inv_machine_make_thread(machine, machine->processes[0], 0, 0);
		inv_machine_run(machine, i, NULL);
	}
	inv_machine_store_kdbg(machine, machine->config.encoded_kdbg > 0);
}

struct inv_machine *inv_machine_new(const struct inv_machine_config *config, struct inv_error *error)
{
	if (config->cpus > INV_FORGE_MAX_CPUS) {
		inv_fail(error, INV_E_USAGE, "%u CPUs: at most %u can be forged", config->cpus, INV_FORGE_MAX_CPUS);
		return NULL;
	}
	if (config->levels != 0 && config->levels != 4 && config->levels != 5) {
		inv_fail(error, INV_E_USAGE, "%u levels of page tables: x64 has 4 or 5", config->levels);
		return NULL;
	}
	if (config->memory && (config->memory < INV_RAM_MIN || config->memory > INV_RAM_MAX)) {
		inv_fail(error, INV_E_USAGE, "memory of %llu bytes: from 64M to 1T can be forged",
		         (unsigned long long)config->memory);
		return NULL;
	}
	struct inv_machine *machine = inv_alloc(sizeof *machine);
	machine->config = *config;
	if (!machine->config.memory)
		machine->config.memory = 256ull << 20;
	if (!machine->config.levels)
		machine->config.levels = 4;
	machine->facts = config->facts;
	machine->layout = config->facts->layout;
	machine->build = config->facts->version.build;
	machine->random.state = config->seed;
	machine->arena = inv_arena_new();
	machine->cpu_count = config->cpus ? config->cpus : 2;
	uint64_t up = config->up_time ? config->up_time : 90 * MINUTE + inv_random_below(&machine->random, 60 * MINUTE);
	machine->system_time = config->system_time ? config->system_time : 134130000000000000; // 2026-01-16
	machine->boot_time = machine->system_time - up;
	machine->next_id = 4;
	machine->ram = inv_ram_new(machine->config.memory, inv_random_next(&machine->random));
	boot(machine);
	return machine;
}

static void free_process(struct inv_forge_process *process)
{
	for (size_t i = 0; i < inv_count(process->threads); i++)
		free(process->threads[i]);
	inv_array_free(process->threads);
	inv_array_free(process->handles);
	inv_array_free(process->vads);
	inv_array_free(process->modules);
	if (process->section && --process->section->references == 0)
		free(process->section);
	inv_array_free(process->free_handles);
	inv_forge_user_free(process->user);
	free(process);
}

void inv_machine_free(struct inv_machine *machine)
{
	if (!machine)
		return;
	for (size_t i = 0; i < inv_count(machine->processes); i++)
		free_process(machine->processes[i]);
	inv_array_free(machine->processes);
	inv_csr_free(machine);
	inv_forge_free_files(machine);
	inv_forge_free_registry(machine);
	inv_array_free(machine->freed_ids);
	inv_array_free(machine->given_ids);
	for (size_t i = 0; i < inv_count(machine->sessions); i++)
		free(machine->sessions[i]);
	inv_array_free(machine->sessions);
	inv_array_free(machine->desktops);
	inv_array_free(machine->modules);
	inv_array_free(machine->watchers);
	inv_array_free(machine->past_watchers);
	for (size_t i = 0; i < inv_count(machine->attacks); i++) {
		inv_array_free(machine->attacks[i].breaks);
		inv_array_free(machine->attacks[i].excused);
	}
	inv_array_free(machine->attacks);
	inv_array_free(machine->attacked);
	inv_array_free(machine->claims);
	inv_array_free(machine->logons);
	stbds_hmfree(machine->tokens);
	inv_array_free(machine->excused);
	stbds_hmfree(machine->places);
	stbds_hmfree(machine->pfn_known);
	stbds_hmfree(machine->blocks);
	inv_array_free(machine->backlinks);
	inv_ram_free(machine->ram);
	inv_arena_free(machine->arena);
	free(machine);
}

enum inv_code inv_machine_check(const struct inv_machine *machine, struct inv_error *error)
{
	if (inv_ram_exhausted(machine->ram))
		return inv_fail(error, INV_E_USAGE, "the machine's memory of %llu MiB is too small for this scenario",
		                (unsigned long long)(machine->config.memory >> 20));
	if (machine->fault)
		return inv_fail(error, INV_E_INTERNAL, "the forge wrote to 0x%llx, where nothing is mapped",
		                (unsigned long long)machine->fault_address);
	return INV_OK;
}
