// SPDX-License-Identifier: Apache-2.0
// Memory by virtual address, and fields by the kernel's layout.
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

static size_t part_of(uint64_t address, size_t size)
{
	size_t left = INV_RAM_PAGE - (size_t)(address % INV_RAM_PAGE);
	return size < left ? size : left;
}

static void write_through(struct inv_machine *machine, const struct inv_maps *maps, uint64_t address, const void *bytes,
                          size_t size)
{
	const uint8_t *from = bytes;
	while (size) {
		size_t part = part_of(address, size);
		uint64_t physical;
		if (!inv_maps_translate(maps, address, &physical)) {
			if (!machine->fault)
				machine->fault_address = address;
			machine->fault = true;
			return;
		}
		inv_ram_write(machine->ram, physical, from, part);
		from += part;
		address += part;
		size -= part;
	}
}

void inv_machine_write(struct inv_machine *machine, uint64_t address, const void *bytes, size_t size)
{
	write_through(machine, &machine->maps, address, bytes, size);
}

bool inv_machine_read_through(const struct inv_machine *machine, const struct inv_maps *maps, uint64_t address,
                              void *buffer, size_t size)
{
	uint8_t *to = buffer;
	while (size) {
		size_t part = part_of(address, size);
		uint64_t physical;
		if (!inv_maps_translate(maps, address, &physical)) {
			memset(to, 0, size);
			return false;
		}
		inv_ram_read(machine->ram, physical, to, part);
		to += part;
		address += part;
		size -= part;
	}
	return true;
}

bool inv_machine_read(const struct inv_machine *machine, uint64_t address, void *buffer, size_t size)
{
	return inv_machine_read_through(machine, &machine->maps, address, buffer, size);
}

void inv_machine_put64(struct inv_machine *machine, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_machine_write(machine, address, bytes, sizeof bytes);
}

uint64_t inv_machine_get64(const struct inv_machine *machine, uint64_t address)
{
	uint8_t bytes[8];
	inv_machine_read(machine, address, bytes, sizeof bytes);
	return inv_le64(bytes);
}

bool inv_machine_has(const struct inv_machine *machine, enum inv_field field)
{
	return machine->layout->place[field].offset != INV_NO_OFFSET;
}

uint64_t inv_machine_at(const struct inv_machine *machine, uint64_t object, enum inv_field field)
{
	return object + machine->layout->place[field].offset;
}

unsigned inv_machine_width(const struct inv_machine *machine, enum inv_field field)
{
	const struct inv_place *place = &machine->layout->place[field];
	if (place->bits)
		return place->width;
	switch (inv_field_info(field)->kind) {
	case INV_U8:
		return 1;
	case INV_U16:
		return 2;
	case INV_U32:
		return 4;
	case INV_U64:
	case INV_PTR:
	case INV_LIST:
	case INV_FASTREF:
		return 8;
	case INV_BITS: // a whole member in this layout
		return place->width ? place->width : 1;
	case INV_STRUCT:
	case INV_UNICODE:
		break;
	}
	return 0;
}

static uint64_t load(const struct inv_machine *machine, uint64_t address, unsigned width)
{
	uint8_t bytes[8] = {0};
	inv_machine_read(machine, address, bytes, width > 8 ? 8 : width);
	return inv_le64(bytes);
}

void inv_machine_put(struct inv_machine *machine, uint64_t object, enum inv_field field, uint64_t value)
{
	if (!inv_machine_has(machine, field))
		return;
	const struct inv_place *place = &machine->layout->place[field];
	unsigned width = inv_machine_width(machine, field);
	uint64_t address = inv_machine_at(machine, object, field);
	if (place->bits && place->bits < 64) {
		uint64_t mask = ((1ull << place->bits) - 1) << place->bit;
		value = (load(machine, address, width) & ~mask) | (value << place->bit & mask);
	}
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_machine_write(machine, address, bytes, width > 8 ? 8 : width);
}

uint64_t inv_machine_get(const struct inv_machine *machine, uint64_t object, enum inv_field field)
{
	if (!inv_machine_has(machine, field))
		return 0;
	const struct inv_place *place = &machine->layout->place[field];
	uint64_t value = load(machine, inv_machine_at(machine, object, field), inv_machine_width(machine, field));
	if (place->bits && place->bits < 64)
		value = value >> place->bit & ((1ull << place->bits) - 1);
	return value;
}

uint32_t inv_machine_size(const struct inv_machine *machine, enum inv_type type, uint32_t fallback)
{
	return machine->layout->size[type] ? machine->layout->size[type] : fallback;
}

uint64_t inv_machine_symbol(const struct inv_machine *machine, enum inv_symbol symbol)
{
	uint32_t rva = machine->facts->rva[symbol];
	return rva == INV_NO_RVA ? 0 : machine->base + rva;
}

void inv_machine_list_init(struct inv_machine *machine, uint64_t head)
{
	inv_machine_put64(machine, head, head);
	inv_machine_put64(machine, head + 8, head);
}

void inv_machine_list_append(struct inv_machine *machine, uint64_t head, uint64_t entry)
{
	uint64_t last = inv_machine_get64(machine, head + 8);
	inv_machine_put64(machine, entry, head);
	inv_machine_put64(machine, entry + 8, last);
	inv_machine_put64(machine, last, entry);
	inv_machine_put64(machine, head + 8, entry);
}

void inv_machine_list_remove(struct inv_machine *machine, uint64_t entry)
{
	uint64_t next = inv_machine_get64(machine, entry), previous = inv_machine_get64(machine, entry + 8);
	inv_machine_put64(machine, previous, next);
	inv_machine_put64(machine, next + 8, previous);
}
