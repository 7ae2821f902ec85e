// SPDX-License-Identifier: Apache-2.0
// Reading values by the kernel's layout and globals by its symbols.
#include <stdlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "kernel/parts.h"

// The smallest address of the kernel half, with 48 and with 57 bits of virtual address.
#define LOWEST_KERNEL_ADDRESS 0xff00000000000000ull

bool inv_is_kernel_address(uint64_t address)
{
	return address >= LOWEST_KERNEL_ADDRESS;
}

static struct inv_value absent(enum inv_absence reason, uint64_t address, const char *name)
{
	return (struct inv_value){.address = address, .why = {.reason = reason, .address = address, .name = name}};
}

struct inv_value inv_read_sized(const struct inv_kernel *kernel, uint64_t address, unsigned size)
{
	uint8_t bytes[8] = {0};
	struct inv_value value = {.address = address};
	if (!kernel->space)
		return absent(INV_NOT_CAPTURED, address, NULL);
	if (inv_space_read(kernel->space, address, bytes, size, &value.why) != size)
		return value;
	value.ok = true;
	value.u = inv_le64(bytes);
	return value;
}

struct inv_value inv_read_u64(const struct inv_kernel *kernel, uint64_t address)
{
	return inv_read_sized(kernel, address, 8);
}

struct inv_value inv_read_u32(const struct inv_kernel *kernel, uint64_t address)
{
	return inv_read_sized(kernel, address, 4);
}

static bool layout_address(const struct inv_layout *layout, uint64_t address, enum inv_field field, uint64_t *where)
{
	if (!layout || (unsigned)field >= INV_FIELD_COUNT || layout->place[field].offset == INV_NO_OFFSET)
		return false;
	uint64_t offset = layout->place[field].offset;
	if (address > UINT64_MAX - offset)
		return false;
	*where = address + offset;
	return true;
}

bool inv_field_address(const struct inv_kernel *kernel, uint64_t address, enum inv_field field, uint64_t *where)
{
	return layout_address(kernel->layout, address, field, where);
}

static unsigned kind_width(const struct inv_layout *layout, enum inv_kind kind, const struct inv_place *place)
{
	unsigned pointer = layout->arch == INV_ARCH_X86 ? 4 : 8;
	switch (kind) {
	case INV_U8:
		return 1;
	case INV_U16:
		return 2;
	case INV_U32:
		return 4;
	case INV_U64:
		return 8;
	case INV_BITS:
		return place->width;
	case INV_PTR:
	case INV_LIST:
	case INV_FASTREF:
		return pointer;
	case INV_STRUCT:
	case INV_UNICODE:
		return 0;
	}
	return 0;
}

static uint64_t extract_bits(uint64_t value, const struct inv_place *place)
{
	if (place->bit >= 64 || place->bits == 0)
		return 0;
	value >>= place->bit;
	return place->bits >= 64 ? value : value & ((1ull << place->bits) - 1);
}

struct inv_value inv_layout_field(const struct inv_kernel *kernel, const struct inv_layout *layout, uint64_t address,
                                  enum inv_field field)
{
	if ((unsigned)field >= INV_FIELD_COUNT)
		return absent(INV_NO_FIELD, 0, "");
	if (address == 0)
		return absent(INV_NO_POINTER, 0, inv_field_full_name(field));
	uint64_t where;
	if (!layout_address(layout, address, field, &where))
		return absent(INV_NO_FIELD, 0, inv_field_full_name(field));
	const struct inv_place *place = &layout->place[field];
	enum inv_kind kind = inv_field_info(field)->kind;
	if (kind == INV_STRUCT || kind == INV_UNICODE)
		return (struct inv_value){.ok = true, .u = where, .address = where};
	unsigned width = kind_width(layout, kind, place);
	if (width == 0 || width > 8)
		return absent(INV_NO_FIELD, 0, inv_field_full_name(field));
	struct inv_value value = inv_read_sized(kernel, where, width);
	if (!value.ok)
		return value;
	// EX_FAST_REF keeps a count in the bits that alignment leaves free: four on 64 bit, three on 32 bit.
	if (kind == INV_FASTREF)
		value.u &= width == 8 ? ~0xfull : ~0x7ull;
	// Some tables spread a plain integer over a bit field (KPROCESS.AddressPolicy is one byte in some, bits in others).
	if (place->bits)
		value.u = extract_bits(value.u, place);
	return value;
}

struct inv_value inv_field(const struct inv_kernel *kernel, uint64_t address, enum inv_field field)
{
	return inv_layout_field(kernel, kernel->layout, address, field);
}

bool inv_field_is_set(const struct inv_kernel *kernel, uint64_t address, enum inv_field field)
{
	struct inv_value value = inv_field(kernel, address, field);
	return value.ok && value.u != 0;
}

bool inv_field_is_zero(const struct inv_kernel *kernel, uint64_t address, enum inv_field field)
{
	struct inv_value value = inv_field(kernel, address, field);
	return value.ok && value.u == 0;
}

bool inv_knows(const struct inv_kernel *kernel, enum inv_known what)
{
	return inv_facts_known(kernel->version.build, what);
}

static bool header_symbol(const struct inv_kernel *kernel, enum inv_symbol symbol, uint64_t *address)
{
	const struct inv_header *header = &inv_image_info(kernel->image)->header;
	const struct inv_claim *claim = symbol == INV_S_PsActiveProcessHead  ? &header->ps_active_process_head
	                                : symbol == INV_S_PsLoadedModuleList ? &header->ps_loaded_module_list
	                                                                     : NULL;
	if (!claim || !claim->present || !inv_is_kernel_address(claim->value))
		return false;
	*address = claim->value;
	return true;
}

static bool kdbg_symbol(const struct inv_kernel *kernel, enum inv_symbol symbol, uint64_t *address)
{
	unsigned at = inv_kdbg_symbol_at(symbol);
	return at && inv_kdbg_u64(&kernel->kdbg, at, address) && *address != 0;
}

static bool rva_symbol(const struct inv_kernel *kernel, const uint32_t *rva, enum inv_symbol symbol, uint64_t *address)
{
	if (!rva || kernel->base == 0 || rva[symbol] == INV_NO_RVA || kernel->base > UINT64_MAX - rva[symbol])
		return false;
	*address = kernel->base + rva[symbol];
	return true;
}

struct inv_value inv_kernel_symbol(const struct inv_kernel *kernel, enum inv_symbol symbol, enum inv_way *way)
{
	enum inv_way ignored;
	way = way ? way : &ignored;
	*way = INV_WAY_SYMBOL;
	if ((unsigned)symbol >= INV_SYMBOL_COUNT)
		return absent(INV_NO_SYMBOL, 0, "");
	uint64_t address = 0;
	if (rva_symbol(kernel, kernel->rva, symbol, &address))
		*way = INV_WAY_SYMBOL;
	else if (kdbg_symbol(kernel, symbol, &address))
		*way = INV_WAY_KDBG;
	else if (rva_symbol(kernel, kernel->export_rva, symbol, &address))
		*way = INV_WAY_PE;
	else if (kernel->image && header_symbol(kernel, symbol, &address))
		*way = INV_WAY_HEADER;
	else
		return absent(INV_NO_SYMBOL, 0, inv_symbol_name(symbol));
	return (struct inv_value){.ok = true, .u = address, .address = address};
}

const char *inv_read_unicode(const struct inv_kernel *kernel, uint64_t address, struct inv_arena *arena,
                             struct inv_value *value)
{
	enum { LONGEST = 32768 };
	struct inv_value ignored;
	value = value ? value : &ignored;
	*value = address ? inv_read_sized(kernel, address, 2) : absent(INV_NO_POINTER, 0, "_UNICODE_STRING");
	if (!value->ok || value->u == 0)
		return "";
	size_t length = (size_t)value->u;
	bool narrow = kernel->arch == INV_ARCH_X86;
	struct inv_value buffer = inv_read_sized(kernel, address + (narrow ? 4 : 8), narrow ? 4 : 8);
	if (!buffer.ok || buffer.u == 0) {
		*value = buffer.ok ? absent(INV_NO_POINTER, buffer.address, "_UNICODE_STRING.Buffer") : buffer;
		return "";
	}
	size_t wanted = length < LONGEST ? length : LONGEST;
	uint8_t *units = inv_alloc(wanted);
	struct inv_why why;
	size_t got = inv_space_read(kernel->space, buffer.u, units, wanted, &why);
	const char *text = got ? inv_utf16_to_utf8(arena, units, got) : "";
	free(units);
	if (got < wanted)
		*value = (struct inv_value){.u = length, .address = buffer.u, .why = why};
	return text;
}

const struct inv_module *inv_kernel_module_at(const struct inv_kernel *kernel, uint64_t address)
{
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct inv_module *module = &kernel->modules[i];
		if (address >= module->base && address - module->base < module->size)
			return module;
	}
	return NULL;
}
