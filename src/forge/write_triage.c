// SPDX-License-Identifier: Apache-2.0
// Triage dumps (type 4): TRIAGE_DUMP64 at 0x2000 names the sections. Its layout, that of the driver list (stride 0x90: offset
// of the name, then KLDR_DATA_TABLE_ENTRY at +8) and of the string pool (count of units, units, NUL, to a multiple of 8) were
// read in three real dumps of 8.1 and 10.
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "forge/write.h"

#define TRIAGE INV_CRASH_HEADER
#define TRIAGE_SIZE 0x80u
#define DRIVER_SIZE 0x90u
#define MM_SIZE 0x50u
#define UNLOADED_SIZE 8u

// The file as it grows.
struct dump {
	uint8_t *bytes; // stb_ds
};

static void *extend(struct dump *dump, size_t size)
{
	size_t at = inv_count(dump->bytes);
	stbds_arrsetlen(dump->bytes, at + size);
	memset(dump->bytes + at, 0, size);
	return dump->bytes + at;
}

static uint32_t align(struct dump *dump)
{
	while (inv_count(dump->bytes) % 8)
		inv_push(dump->bytes, 0);
	return (uint32_t)inv_count(dump->bytes);
}

static void field(struct dump *dump, unsigned offset, uint32_t value)
{
	inv_put32(dump->bytes + TRIAGE + offset, value);
}

// A section of `size` bytes of virtual memory; its file offset goes into the header at `offset`.
static void section(struct dump *dump, const struct inv_machine *machine, unsigned offset, uint64_t address,
                    uint32_t size)
{
	uint32_t at = align(dump);
	inv_machine_read(machine, address, extend(dump, size), size);
	field(dump, offset, at);
}

static void put_strings(struct dump *dump, const struct inv_machine *machine, uint32_t list)
{
	uint32_t start = align(dump);
	for (size_t i = 0; i < inv_count(machine->modules); i++) {
		inv_put32(dump->bytes + list + DRIVER_SIZE * i, align(dump));
		const char *name = machine->modules[i].name;
		size_t length = strlen(name);
		uint8_t *at = extend(dump, 4 + 2 * length + 2);
		inv_put32(at, (uint32_t)length);
		for (size_t j = 0; j < length; j++)
			at[4 + 2 * j] = (uint8_t)name[j];
	}
	field(dump, 0x38, start);
	field(dump, 0x3c, align(dump) - start);
}

static void put_drivers(struct dump *dump, const struct inv_machine *machine)
{
	uint32_t list = align(dump);
	size_t count = inv_count(machine->modules);
	extend(dump, DRIVER_SIZE * count);
	field(dump, 0x30, list);
	field(dump, 0x34, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		const struct inv_forge_module *module = &machine->modules[i];
		uint8_t *entry = dump->bytes + list + DRIVER_SIZE * i;
		inv_put64(entry + 0x38, module->base);
		inv_put64(entry + 0x40, module->base + module->entry_point);
		inv_put32(entry + 0x48, module->size);
		inv_put32(entry + 0x80, module->checksum);
		inv_put32(entry + 0x88, module->time_stamp);
	}
	put_strings(dump, machine, list);
}

struct block {
	uint64_t address;
	uint32_t size;
};

// The page that holds `address`, once.
static void add_page(struct block **blocks, uint64_t address)
{
	struct block block = {address / INV_RAM_PAGE * INV_RAM_PAGE, INV_RAM_PAGE};
	if (!address)
		return;
	for (size_t i = 0; i < inv_count(*blocks); i++)
		if ((*blocks)[i].address == block.address)
			return;
	inv_push(*blocks, block);
}

static void add_symbol(struct block **blocks, const struct inv_machine *machine, enum inv_symbol symbol, uint32_t size)
{
	struct block block = {inv_machine_symbol(machine, symbol), size};
	if (block.address)
		inv_push(*blocks, block);
}

static struct block *choose_blocks(const struct inv_machine *machine)
{
	struct block *blocks = NULL;
	add_symbol(&blocks, machine, INV_S_PsActiveProcessHead, 16);
	add_symbol(&blocks, machine, INV_S_NtBuildLabEx, 0x80);
	add_symbol(&blocks, machine, INV_S_PspCidTable, 8);
	add_symbol(&blocks, machine, INV_S_KiProcessorBlock, 8 * INV_FORGE_MAX_CPUS);
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		const struct inv_forge_thread *thread = machine->cpu[i].current;
		add_page(&blocks, thread->address);
		add_page(&blocks, thread->process->address);
		add_page(&blocks, thread->process->address + inv_machine_size(machine, INV_T_EPROCESS, 0x800) - 1);
		if (i)
			inv_push(blocks, ((struct block){machine->cpu[i].prcb, inv_machine_size(machine, INV_T_KPRCB, 0xb000)}));
	}
	add_page(&blocks, machine->processes[1]->address);
	return blocks;
}

static void put_blocks(struct dump *dump, const struct inv_machine *machine)
{
	struct block *blocks = choose_blocks(machine);
	size_t count = inv_count(blocks);
	uint32_t table = align(dump);
	extend(dump, 16 * count);
	field(dump, 0x78, table);
	field(dump, 0x7c, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)inv_count(dump->bytes);
		inv_machine_read(machine, blocks[i].address, extend(dump, blocks[i].size), blocks[i].size);
		uint8_t *entry = dump->bytes + table + 16 * i;
		inv_put64(entry, blocks[i].address);
		inv_put32(entry + 8, at);
		inv_put32(entry + 12, blocks[i].size);
	}
	inv_array_free(blocks);
}

// The process that the dump shows: the one whose page tables are in use; on an idle CPU it is System, while the thread is Idle's
// (measured on real dumps).
static uint64_t dumped_process(const struct inv_machine *machine)
{
	const struct inv_forge_thread *thread = machine->cpu[0].current;
	if (thread->idle)
		return machine->processes[1]->address;
	const struct inv_forge_process *attached =
	    inv_machine_process_at(machine, inv_machine_get(machine, thread->address, INV_F_KTHREAD_ApcStateProcess));
	return (attached ? attached : thread->process)->address;
}

static void put_sections(struct dump *dump, const struct inv_machine *machine)
{
	const struct inv_forge_cpu *cpu = &machine->cpu[0];
	const struct inv_forge_thread *thread = cpu->current;
	field(dump, 0x0c, 0x348); // ContextOffset
	field(dump, 0x10, 0xf00); // ExceptionOffset
	uint32_t at = align(dump);
	inv_put32(extend(dump, MM_SIZE), 1);
	field(dump, 0x14, at);
	at = align(dump);
	extend(dump, UNLOADED_SIZE); // no unloaded drivers
	field(dump, 0x18, at);
	section(dump, machine, 0x1c, cpu->prcb, inv_machine_size(machine, INV_T_KPRCB, 0xb000));
	section(dump, machine, 0x20, dumped_process(machine), inv_machine_size(machine, INV_T_EPROCESS, 0x1000));
	section(dump, machine, 0x24, thread->address, inv_machine_size(machine, INV_T_ETHREAD, 0xa00));
	uint64_t top = inv_machine_get(machine, thread->address, INV_F_KTHREAD_KernelStack);
	// A forged KernelStack may point anywhere; the dump then has no call stack.
	uint64_t stack = top >= thread->stack_limit && top < thread->stack_base ? thread->stack_base - top : 0;
	if (stack)
		section(dump, machine, 0x28, top, (uint32_t)stack);
	field(dump, 0x2c, (uint32_t)stack);
	inv_put64(dump->bytes + TRIAGE + 0x48, top);
	at = align(dump);
	memcpy(extend(dump, machine->kdbg_size), machine->kdbg_plain, machine->kdbg_size); // never encoded here
	field(dump, 0x70, at);
	field(dump, 0x74, machine->kdbg_size);
	field(dump, 0x44, 0x41); // TriageOptions
}

void inv_write_crash_triage(struct inv_sink *sink, const struct inv_machine *machine)
{
	struct dump dump = {NULL};
	extend(&dump, TRIAGE + TRIAGE_SIZE);
	put_sections(&dump, machine);
	put_drivers(&dump, machine);
	put_blocks(&dump, machine);
	uint32_t end = align(&dump);
	inv_put_text(extend(&dump, 4), "TRGD");
	field(&dump, 0x04, end + 4);
	field(&dump, 0x08, end);
	inv_crash_header(dump.bytes, machine, 4, inv_count(dump.bytes));
	inv_put32(dump.bytes + 0x1038, 0xcff); // MiniDumpFields
	inv_sink_set_size(sink, inv_count(dump.bytes));
	inv_sink_put(sink, 0, dump.bytes, inv_count(dump.bytes));
	inv_array_free(dump.bytes);
}
