// SPDX-License-Identifier: Apache-2.0
#include "paging/pte.h"

// Positions measured on the symbols of 200 x64 kernels from 6.1.7601.24540 to 10.0.22000: Protection, Prototype, Transition,
// PageFileHigh and ProtoAddress stand at these bits in all of them. PageFileLow does not (bit 1 in kernels before these, 12 in these),
// nor did those older kernels have a SwizzleBit, so both are left unknown.
const struct inv_pte_format inv_pte_format_default = {
    .prototype_bit = 10,
    .transition_bit = 11,
    .protection_bit = 5,
    .protection_bits = 5,
    .page_file_offset_bit = 32,
    .page_file_offset_bits = 32,
    .proto_address_bit = 16,
    .proto_address_bits = 48,
    .store_page_file = -1,
};

// Bits 12..47. The symbols name 36 bits before build 20348 and 40 from there on, but no machine has memory above 2^48.
#define TRANSITION_FRAME 0x0000fffffffff000u

// A page that was explicitly decommitted: any access is a violation, nothing is zero-filled (source: MM_DECOMMIT in ReactOS,
// ntoskrnl/include/internal/mm.h; not measured on current Windows).
#define PROTECTION_DECOMMIT 0x10u
#define PROTECTION_BITS 5

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static uint64_t field(uint64_t entry, unsigned bit, unsigned bits)
{
	return bit < 64 ? entry >> bit & mask_of(bits) : 0;
}

static bool flag(uint64_t entry, unsigned bit)
{
	return field(entry, bit, 1) != 0;
}

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
	if (bits == 0 || bits >= 64)
		return value;
	const uint64_t sign = UINT64_C(1) << (bits - 1);
	return (value ^ sign) - sign;
}

// The answer to L1TF: so that no invalid entry names cacheable memory, Windows sets the bits of InvalidPteMask in it. Where an
// entry had one of these bits itself, it is stored as it was, with SwizzleBit set. Hence the mask is taken away only where
// SwizzleBit is clear. Sources: ptenum.py of the PTE analysis plugins for Volatility 3 clears the mask so in transition,
// page-file and prototype entries; mm_win.c of MemProcFS does it by XOR. Both agree on every entry that Windows swizzled;
// clearing also leaves alone an entry that never was.
static uint64_t unswizzle(const struct inv_pte_format *format, uint64_t entry)
{
	if (format->swizzle_bit == 0 || flag(entry, format->swizzle_bit))
		return entry;
	return entry & ~format->invalid_pte_mask;
}

// MI_PTE_LOOKUP_NEEDED: all ones where a page-file offset would stand (0xffffffff in PageFileHigh on x64). Compared as
// stored: such an entry has the bits of InvalidPteMask itself.
static bool asks_vad(const struct inv_pte_format *format, uint64_t entry)
{
	const unsigned offset_bits = format->page_file_offset_bits, address_bits = format->proto_address_bits;
	if (offset_bits && field(entry, format->page_file_offset_bit, offset_bits) == mask_of(offset_bits))
		return true;
	return address_bits == 0 || field(entry, format->proto_address_bit, address_bits) == mask_of(address_bits);
}

static struct inv_pte decode_prototype(const struct inv_pte_format *format, uint64_t entry)
{
	struct inv_pte pte = {.form = INV_PTE_PROTOTYPE_VAD};
	if (asks_vad(format, entry))
		return pte;
	const uint64_t address = field(unswizzle(format, entry), format->proto_address_bit, format->proto_address_bits);
	pte.form = INV_PTE_PROTOTYPE;
	pte.prototype = sign_extend(address, format->proto_address_bits);
	return pte;
}

static struct inv_pte decode_software(const struct inv_pte_format *format, uint64_t entry)
{
	const uint64_t plain = unswizzle(format, entry);
	const uint64_t offset = field(plain, format->page_file_offset_bit, format->page_file_offset_bits);
	const bool number_known = format->page_file_bits != 0;
	const uint64_t number = field(plain, format->page_file_bit, format->page_file_bits);

	struct inv_pte pte = {.protection = (uint32_t)field(plain, format->protection_bit, format->protection_bits)};
	if (offset != 0 || number != 0) {
		pte.page_file = number_known ? (uint32_t)number : UINT32_MAX;
		pte.offset = offset * INV_PAGE_SIZE;
		const bool in_store =
		    number_known && format->store_page_file >= 0 && number == (uint64_t)format->store_page_file;
		pte.form = in_store ? INV_PTE_COMPRESSED : INV_PTE_PAGED_OUT;
		return pte;
	}
	const bool decommitted = format->protection_bits == PROTECTION_BITS && pte.protection == PROTECTION_DECOMMIT;
	pte.form = pte.protection == 0 || decommitted ? INV_PTE_EMPTY : INV_PTE_DEMAND_ZERO;
	return pte;
}

struct inv_pte inv_pte_decode(const struct inv_pte_format *format, uint64_t entry)
{
	if (entry == 0)
		return (struct inv_pte){.form = INV_PTE_EMPTY};
	// Prototype is asked first: in a prototype PTE the bit of Transition means Combined, and a transition PTE never has
	// Prototype set.
	if (flag(entry, format->prototype_bit))
		return decode_prototype(format, entry);
	if (!flag(entry, format->transition_bit))
		return decode_software(format, entry);
	return (struct inv_pte){
	    .form = INV_PTE_TRANSITION,
	    .frame = unswizzle(format, entry) & TRANSITION_FRAME,
	    .protection = (uint32_t)field(entry, format->protection_bit, format->protection_bits),
	};
}

bool inv_protection_writable(uint32_t protection)
{
	return (protection & 5) == 4;
}

bool inv_protection_executable(uint32_t protection)
{
	return (protection & 2) != 0;
}
