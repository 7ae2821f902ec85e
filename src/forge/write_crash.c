// SPDX-License-Identifier: Apache-2.0
// Crash dumps with memory: DUMP_HEADER64 (wdbgexts.h and the dump headers of real machines) with all runs (type 1) or with a
// bitmap of the pages that follow (types 2, 5 and 6).
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "forge/write.h"

// Windows leaves what it does not use filled with this word.
static void fill(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4)
		inv_put_text(bytes + i, "PAGE");
}

static uint64_t claim(const struct inv_machine *machine, const char *name, uint64_t value)
{
	for (size_t i = inv_count(machine->claims); i-- > 0;)
		if (strcmp(machine->claims[i].name, name) == 0)
			return machine->claims[i].value;
	return value;
}

// CONTEXT of x64: what the CPU did when it wrote the dump.
static void put_context(uint8_t *context, const struct inv_machine *machine)
{
	memset(context, 0, 1232);
	inv_put32(context + 0x30, 0x10000f); // ContextFlags
	inv_put32(context + 0x34, 0x1f80);   // MxCsr
	static const uint16_t segments[] = {0x10, 0x2b, 0x2b, 0x53, 0x2b, 0x18};
	for (unsigned i = 0; i < 6; i++)
		inv_put16(context + 0x38 + (size_t)2 * i, segments[i]);
	inv_put32(context + 0x44, 0x246); // EFlags
	inv_put64(context + 0x98, inv_machine_get(machine, machine->cpu[0].current->address, INV_F_KTHREAD_KernelStack));
	inv_put64(context + 0xf8, machine->base + machine->code_rva + 0x10); // Rip
}

static void put_exception(uint8_t *exception, const struct inv_machine *machine)
{
	memset(exception, 0, 0x98);
	inv_put32(exception, 0x80000003); // STATUS_BREAKPOINT
	inv_put64(exception + 0x10, machine->base + machine->code_rva + 0x10);
}

static void put_runs(uint8_t *block, const struct inv_machine *machine)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	uint64_t pages = 0;
	inv_put32(block, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		inv_put64(block + 16 + 16 * i, runs[i].address / INV_RAM_PAGE);
		inv_put64(block + 24 + 16 * i, runs[i].size / INV_RAM_PAGE);
		pages += runs[i].size / INV_RAM_PAGE;
	}
	inv_put64(block + 8, pages);
}

void inv_crash_header(uint8_t *header, const struct inv_machine *machine, uint32_t dump_type, uint64_t file_size)
{
	fill(header, INV_CRASH_HEADER);
	inv_put_text(header, "PAGEDU64");
	inv_put32(header + 0x08, (uint32_t)claim(machine, "major", 15));
	inv_put32(header + 0x0c, (uint32_t)claim(machine, "build", machine->build));
	uint64_t dtb = inv_machine_get(machine, machine->cpu[0].prcb, INV_F_KPRCB_Cr3);
	inv_put64(header + 0x10, claim(machine, "dtb", dtb ? dtb : machine->maps.root));
	inv_put64(header + 0x18, claim(machine, "pfn_database", inv_machine_symbol(machine, INV_S_MmPfnDatabase)));
	inv_put64(header + 0x20,
	          claim(machine, "ps_loaded_module_list", inv_machine_symbol(machine, INV_S_PsLoadedModuleList)));
	inv_put64(header + 0x28,
	          claim(machine, "ps_active_process_head", inv_machine_symbol(machine, INV_S_PsActiveProcessHead)));
	inv_put32(header + 0x30, 0x8664);
	inv_put32(header + 0x34, (uint32_t)claim(machine, "cpus", machine->cpu_count));
	inv_put32(header + 0x38, (uint32_t)claim(machine, "bugcheck", 0xe2)); // MANUALLY_INITIATED_CRASH
	memset(header + 0x40, 0, 32);
	memset(header + 0x60, 0, 32); // VersionUser
	inv_put64(header + 0x80, claim(machine, "kdbg", machine->kdbg));
	if (dump_type == 1)
		put_runs(header + 0x88, machine);
	put_context(header + 0x348, machine);
	put_exception(header + 0xf00, machine);
	inv_put32(header + 0xf98, dump_type);
	inv_put64(header + 0xfa0, file_size);
	inv_put64(header + 0xfa8, claim(machine, "system_time", machine->system_time));
	memset(header + 0xfb0, 0, 128);
	inv_put_text(header + 0xfb0, "made by invar-forge");
	inv_put64(header + 0x1030, claim(machine, "up_time", machine->system_time - machine->boot_time));
	inv_put32(header + 0x103c, 0);     // SecondaryDataState
	inv_put32(header + 0x1040, 1);     // ProductType: workstation
	inv_put32(header + 0x1044, 0x110); // SuiteMask
	inv_put32(header + 0x1048, 0);     // WriterStatus
}

static void put_header(struct inv_sink *sink, const struct inv_machine *machine, uint32_t dump_type, uint64_t file_size)
{
	uint8_t *header = inv_alloc(INV_CRASH_HEADER);
	inv_crash_header(header, machine, dump_type, file_size);
	inv_sink_put(sink, 0, header, INV_CRASH_HEADER);
	free(header);
}

void inv_write_crash_full(struct inv_sink *sink, const struct inv_machine *machine)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	uint64_t size = INV_CRASH_HEADER;
	for (size_t i = 0; i < count; i++)
		size += runs[i].size;
	inv_sink_set_size(sink, size);
	put_header(sink, machine, 1, size);
	uint64_t at = INV_CRASH_HEADER;
	for (size_t i = 0; i < count; i++) {
		inv_sink_put_run(sink, machine->ram, &runs[i], at);
		at += runs[i].size;
	}
}

// Types 5 and 6, BITMAP_DUMP: signature, "DUMP", at 0x20 the file offset of the first page, at 0x28 how many pages follow, at
// 0x30 the bits of the bitmap, at 0x38 the bitmap. Type 2, SUMMARY_DUMP64 of the Windows SDK, has 32-bit members instead:
// HeaderSize at 0xc, BitmapSize 0x10, Pages 0x14, the RTL_BITMAP's SizeOfBitMap 0x18 and its bits from 0x28 on (not compared with
// a real dump of that type).
#define BITMAP_START 0x38u
#define SUMMARY_START 0x28u

static void set_bits(uint8_t *bitmap, const struct inv_ram_run *run)
{
	uint64_t first = run->address / INV_RAM_PAGE, end = first + run->size / INV_RAM_PAGE;
	for (uint64_t bit = first; bit < end; bit++)
		bitmap[bit / 8] |= (uint8_t)(1u << bit % 8);
}

struct bitmap {
	uint8_t *bytes;
	uint64_t bits, pages;
	uint64_t first; // file offset of the first page
	uint32_t start; // of the bits, from the end of the dump's header
};

static void put_bitmap(struct inv_sink *sink, const struct bitmap *bitmap, enum inv_forge_format format)
{
	uint8_t head[BITMAP_START];
	fill(head, sizeof head);
	inv_put_text(head, format == INV_FORGE_CRASH_BITMAP ? "FDMPDUMP" : "SDMPDUMP");
	if (format == INV_FORGE_CRASH_KERNEL) {
		inv_put32(head + 0x08, 0); // DumpOptions
		inv_put32(head + 0x0c, (uint32_t)bitmap->first);
		inv_put32(head + 0x10, (uint32_t)bitmap->bits);
		inv_put32(head + 0x14, (uint32_t)bitmap->pages);
		inv_put32(head + 0x18, (uint32_t)bitmap->bits);
		inv_put64(head + 0x20, 0); // the pointer to the bits
	} else {
		inv_put64(head + 0x20, bitmap->first);
		inv_put64(head + 0x28, bitmap->pages);
		inv_put64(head + 0x30, bitmap->bits);
	}
	inv_sink_put(sink, INV_CRASH_HEADER, head, bitmap->start);
	inv_sink_put(sink, (uint64_t)INV_CRASH_HEADER + bitmap->start, bitmap->bytes, (size_t)(bitmap->bits / 8));
}

static void put_all_pages(struct inv_sink *sink, const struct inv_machine *machine, uint64_t at)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	for (size_t i = 0; i < count; i++) {
		inv_sink_put_run(sink, machine->ram, &runs[i], at);
		at += runs[i].size;
	}
}

static void put_kernel_pages(struct inv_sink *sink, const struct inv_machine *machine, uint64_t at)
{
	uint64_t page = INV_RAM_PAGE;
	for (; sink->code == INV_OK && inv_ram_next_page(machine->ram, page, &page); page += INV_RAM_PAGE) {
		if (inv_ram_kind(machine->ram, page) != INV_RAM_KERNEL)
			continue;
		inv_sink_put(sink, at, inv_ram_page(machine->ram, page), INV_RAM_PAGE);
		at += INV_RAM_PAGE;
	}
}

static uint64_t count_kernel_pages(const struct inv_machine *machine, uint8_t *bitmap)
{
	uint64_t pages = 0;
	for (uint64_t page = INV_RAM_PAGE; inv_ram_next_page(machine->ram, page, &page); page += INV_RAM_PAGE) {
		if (inv_ram_kind(machine->ram, page) != INV_RAM_KERNEL)
			continue;
		set_bits(bitmap, &(struct inv_ram_run){page, INV_RAM_PAGE});
		pages++;
	}
	return pages;
}

static uint64_t count_all_pages(const struct inv_machine *machine, uint8_t *bitmap)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	uint64_t pages = 0;
	for (size_t i = 0; i < count; i++) {
		set_bits(bitmap, &runs[i]);
		pages += runs[i].size / INV_RAM_PAGE;
	}
	return pages;
}

void inv_write_crash_bitmap(struct inv_sink *sink, const struct inv_machine *machine, enum inv_forge_format format)
{
	bool full = format == INV_FORGE_CRASH_BITMAP, summary = format == INV_FORGE_CRASH_KERNEL;
	struct bitmap bitmap = {.bits = (inv_ram_highest(machine->ram) / INV_RAM_PAGE + 63) / 64 * 64,
	                        .start = summary ? SUMMARY_START : BITMAP_START};
	bitmap.bytes = inv_alloc((size_t)(bitmap.bits / 8));
	bitmap.pages = full ? count_all_pages(machine, bitmap.bytes) : count_kernel_pages(machine, bitmap.bytes);
	bitmap.first = (INV_CRASH_HEADER + bitmap.start + bitmap.bits / 8 + 0xfff) / 0x1000 * 0x1000;
	uint64_t size = bitmap.first + bitmap.pages * INV_RAM_PAGE;
	inv_sink_set_size(sink, size);
	put_header(sink, machine, full ? 5 : summary ? 2 : 6, size);
	put_bitmap(sink, &bitmap, format);
	if (full)
		put_all_pages(sink, machine, bitmap.first);
	else
		put_kernel_pages(sink, machine, bitmap.first);
	free(bitmap.bytes);
}
