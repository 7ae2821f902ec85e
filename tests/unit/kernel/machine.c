// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

#define WAIT_NEVER 0x0123456789abcdefull
#define WAIT_ALWAYS 0xfedcba9876543210ull

static uint64_t new_page(struct machine *machine)
{
	uint64_t page = machine->next;
	assert_true(page + INV_PAGE_SIZE <= MACHINE_MEMORY);
	machine->next += INV_PAGE_SIZE;
	return page;
}

// The physical page behind one entry of a table; made when there is none.
static uint64_t follow(struct machine *machine, uint64_t table, uint64_t address, unsigned shift)
{
	uint8_t *entry = machine->memory + table + ((address >> shift) & 0x1ff) * 8;
	if (!(inv_le64(entry) & 1))
		inv_put64(entry, new_page(machine) | 3);
	return inv_le64(entry) & 0x000ffffffffff000ull;
}

uint8_t *machine_at(struct machine *machine, uint64_t address)
{
	uint64_t table = machine->dtb;
	for (unsigned shift = machine->levels == 5 ? 48 : 39; shift >= 12; shift -= 9)
		table = follow(machine, table, address, shift);
	return machine->memory + table + (address & 0xfff);
}

void machine_put(struct machine *machine, uint64_t address, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*machine_at(machine, address + i) = ((const uint8_t *)bytes)[i];
}

void machine_put64(struct machine *machine, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	machine_put(machine, address, bytes, sizeof(bytes));
}

void machine_put32(struct machine *machine, uint64_t address, uint32_t value)
{
	uint8_t bytes[4];
	inv_put32(bytes, value);
	machine_put(machine, address, bytes, sizeof(bytes));
}

static void put16(struct machine *machine, uint64_t address, uint16_t value)
{
	uint8_t bytes[2];
	inv_put16(bytes, value);
	machine_put(machine, address, bytes, sizeof(bytes));
}

uint64_t machine_symbol(const struct machine *machine, enum inv_symbol symbol)
{
	assert_int_not_equal(machine->facts->rva[symbol], INV_NO_RVA);
	return machine->base + machine->facts->rva[symbol];
}

void machine_field(struct machine *machine, uint64_t object, enum inv_field field, uint64_t value)
{
	const struct inv_place *place = &machine->facts->layout->place[field];
	if (place->offset == INV_NO_OFFSET)
		return;
	enum inv_kind kind = inv_field_info(field)->kind;
	size_t width = kind == INV_U8 ? 1 : kind == INV_U16 ? 2 : kind == INV_U32 ? 4 : 8;
	uint8_t bytes[8];
	inv_put64(bytes, value);
	machine_put(machine, object + place->offset, bytes, width);
}

void machine_pe(struct machine *machine, uint64_t base, uint32_t size, const char *pdb, const uint8_t guid[16],
                uint32_t age)
{
	enum { HEADER = 0x80, OPTIONAL = HEADER + 24, DEBUG = 0x600, RECORD = 0x640 };
	machine_put(machine, base, "MZ", 2);
	machine_put32(machine, base + 0x3c, HEADER);
	machine_put(machine, base + HEADER, "PE\0\0", 4);
	put16(machine, base + HEADER + 4, 0x8664);
	put16(machine, base + HEADER + 6, 1);
	machine_put32(machine, base + HEADER + 8, 0x5eed5eed);
	put16(machine, base + HEADER + 20, 240);
	put16(machine, base + OPTIONAL, 0x20b);
	machine_put32(machine, base + OPTIONAL + 56, size);
	machine_put32(machine, base + OPTIONAL + 108, 16);
	machine_put32(machine, base + OPTIONAL + 160, DEBUG);
	machine_put32(machine, base + OPTIONAL + 164, 28);
	uint64_t section = base + OPTIONAL + 240;
	machine_put(machine, section, ".data\0\0\0", 8);
	machine_put32(machine, section + 8, size - 0x1000);
	machine_put32(machine, section + 12, 0x1000);
	machine_put32(machine, section + 36, 0xc0000040);
	uint32_t length = 24 + (uint32_t)strlen(pdb) + 1;
	machine_put32(machine, base + DEBUG + 12, 2);
	machine_put32(machine, base + DEBUG + 16, length);
	machine_put32(machine, base + DEBUG + 20, RECORD);
	machine_put(machine, base + RECORD, "RSDS", 4);
	machine_put(machine, base + RECORD + 4, guid, 16);
	machine_put32(machine, base + RECORD + 20, age);
	machine_put(machine, base + RECORD + 24, pdb, strlen(pdb) + 1);
}

static uint64_t encode(uint64_t value, uint64_t flag)
{
	unsigned turn = WAIT_NEVER & 63;
	value = __builtin_bswap64(value ^ WAIT_ALWAYS) ^ flag;
	value = value >> turn | value << (64 - turn);
	return value ^ WAIT_NEVER;
}

static void fill_kdbg(const struct machine *machine, uint16_t size_eprocess, uint8_t block[0x380])
{
	const struct inv_layout *layout = machine->facts->layout;
	memset(block, 0, 0x380);
	inv_put32(block + 0x10, 0x4742444b);
	inv_put32(block + 0x14, 0x380);
	inv_put64(block + 0x18, machine->base);
	inv_put64(block + 0x48, machine_symbol(machine, INV_S_PsLoadedModuleList));
	inv_put64(block + 0x50, machine_symbol(machine, INV_S_PsActiveProcessHead));
	inv_put64(block + 0x58, machine_symbol(machine, INV_S_PspCidTable));
	inv_put64(block + 0xc0, machine_symbol(machine, INV_S_MmPfnDatabase));
	inv_put64(block + 0x218, machine_symbol(machine, INV_S_KiProcessorBlock));
	inv_put16(block + 0x29c, layout->place[INV_F_KTHREAD_KernelStack].offset);
	inv_put16(block + 0x2a8, size_eprocess ? size_eprocess : (uint16_t)layout->size[INV_T_EPROCESS]);
	inv_put16(block + 0x2aa, layout->place[INV_F_EPROCESS_Peb].offset);
	inv_put16(block + 0x2ac, layout->place[INV_F_EPROCESS_InheritedFromUniqueProcessId].offset);
	inv_put16(block + 0x2ae, layout->place[INV_F_KPROCESS_DirectoryTableBase].offset);
	inv_put16(block + 0x2b0, (uint16_t)layout->size[INV_T_KPRCB]);
	inv_put16(block + 0x2c0, (uint16_t)layout->size[INV_T_ETHREAD]);
}

static void put_kdbg(struct machine *machine, const struct machine_options *options)
{
	uint8_t block[0x380];
	fill_kdbg(machine, options->size_eprocess, block);
	uint64_t flag = machine_symbol(machine, INV_S_KdpDataBlockEncoded);
	if (options->encoded) {
		for (size_t at = 0; at < sizeof(block); at += 8)
			inv_put64(block + at, encode(inv_le64(block + at), flag));
		machine_put(machine, flag, "\1", 1);
	}
	machine_put64(machine, machine_symbol(machine, INV_S_KiWaitNever), WAIT_NEVER);
	machine_put64(machine, machine_symbol(machine, INV_S_KiWaitAlways), WAIT_ALWAYS);
	machine_put(machine, machine_symbol(machine, INV_S_KdDebuggerDataBlock), block, sizeof(block));
}

static void put_system(struct machine *machine)
{
	uint64_t head = machine_symbol(machine, INV_S_PsActiveProcessHead);
	uint64_t links = MACHINE_SYSTEM + machine->facts->layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset;
	machine_put(machine, MACHINE_SYSTEM, "\3", 1);
	machine_field(machine, MACHINE_SYSTEM, INV_F_EPROCESS_UniqueProcessId, 4);
	machine_field(machine, MACHINE_SYSTEM, INV_F_EPROCESS_CreateTime, 0x01d707f23d2f2418ull);
	machine_field(machine, MACHINE_SYSTEM, INV_F_KPROCESS_DirectoryTableBase, machine->dtb | 2);
	machine_put(machine, MACHINE_SYSTEM + machine->facts->layout->place[INV_F_EPROCESS_ImageFileName].offset, "System",
	            7);
	machine_ring(machine, (const uint64_t[]){head, links}, 2);
	machine_put64(machine, machine_symbol(machine, INV_S_PsInitialSystemProcess), MACHINE_SYSTEM);
}

static void put_stub(struct machine *machine)
{
	uint8_t *stub = machine->memory + 0x13000;
	inv_put64(stub, 0x00000001000600e9ull | 0x4d00);
	inv_put64(stub + 0x70, machine->base + 0x3a1c40);
	inv_put64(stub + 0xa0, machine->dtb);
}

static void put_shared_data(struct machine *machine)
{
	const uint64_t shared = 0xfffff78000000000ull;
	machine_put32(machine, shared + 0x14, 0x3d2f2418);
	machine_put32(machine, shared + 0x18, 0x01d707f2);
	machine_put32(machine, shared + 0x260, machine->facts->version.build);
	machine_put32(machine, shared + 0x26c, machine->facts->version.major);
	machine_put32(machine, shared + 0x270, machine->facts->version.minor);
}

void machine_ring(struct machine *machine, const uint64_t *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t next = entries[(i + 1) % count];
		machine_put64(machine, entries[i], next);
		machine_put64(machine, next + 8, entries[i]);
	}
}

static void put_unicode(struct machine *machine, uint64_t address, uint64_t buffer, const char *text)
{
	uint16_t length = (uint16_t)(strlen(text) * 2);
	put16(machine, address, length);
	put16(machine, address + 2, length);
	machine_put64(machine, address + 8, buffer);
	for (size_t i = 0; text[i]; i++)
		put16(machine, buffer + i * 2, (uint8_t)text[i]);
}

void machine_module(struct machine *machine, uint64_t entry, uint64_t base, uint32_t size, const char *name)
{
	machine_put64(machine, entry + 0x30, base);
	machine_put32(machine, entry + 0x40, size);
	put_unicode(machine, entry + 0x48, entry + 0x200, name);
	put_unicode(machine, entry + 0x58, entry + 0x200, name);
}

void machine_new(struct machine *machine, const struct machine_options *options)
{
	*machine = (struct machine){
	    .memory = inv_alloc(MACHINE_MEMORY),
	    .next = 0x400000,
	    .dtb = options->dtb ? options->dtb : 0x1ad000,
	    .levels = options->levels ? options->levels : 4,
	    .base = MACHINE_BASE,
	    .facts = options->facts,
	};
	if (!options->no_self_map)
		inv_put64(machine->memory + machine->dtb + (size_t)MACHINE_SELF_MAP * 8, machine->dtb | 3);
	if (!options->no_stub)
		put_stub(machine);
	uint8_t guid[16];
	memcpy(guid, options->facts->guid, sizeof(guid));
	if (options->unknown_pdb)
		memset(guid, 0x5a, sizeof(guid));
	machine_pe(machine, machine->base, MACHINE_IMAGE_SIZE, "ntkrnlmp.pdb", guid, options->facts->age);
	put_kdbg(machine, options);
	put_system(machine);
	put_shared_data(machine);
	machine_ring(machine, (const uint64_t[]){machine_symbol(machine, INV_S_PsLoadedModuleList)}, 1);
}

void machine_free(struct machine *machine)
{
	free(machine->memory);
	*machine = (struct machine){0};
}

enum inv_code machine_identify(const struct machine *machine, struct inv_image **image, struct inv_kernel **kernel,
                               struct inv_error *error)
{
	*kernel = NULL;
	enum inv_code code = inv_image_open_memory("machine.raw", machine->memory, MACHINE_MEMORY, image, error);
	return code == INV_OK ? inv_kernel_identify(*image, NULL, kernel, error) : code;
}
