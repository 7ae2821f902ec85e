// SPDX-License-Identifier: Apache-2.0
#include "paging/absence.h"

#include <inttypes.h>

const char *inv_absence_name(enum inv_absence reason)
{
	switch (reason) {
	case INV_PRESENT:
		return "present";
	case INV_NOT_CANONICAL:
		return "not canonical";
	case INV_NOT_MAPPED:
		return "not mapped";
	case INV_NOT_IN_IMAGE:
		return "not in the image";
	case INV_NOT_CAPTURED:
		return "not captured";
	case INV_DEMAND_ZERO:
		return "demand zero";
	case INV_PAGED_OUT:
		return "in page file";
	case INV_COMPRESSED:
		return "in compressed store";
	case INV_PROTOTYPE:
		return "behind a prototype PTE";
	case INV_NO_FIELD:
		return "no such field";
	case INV_NO_SYMBOL:
		return "no such symbol";
	case INV_NO_POINTER:
		return "null pointer";
	case INV_ABSENCE_COUNT:
		break;
	}
	return "unknown";
}

// Page file UINT32_MAX: the facts do not say which bits give the number, nor which page file is the store.
static char *paged_out_text(struct inv_arena *arena, const struct inv_why *why)
{
	if (why->page_file == UINT32_MAX)
		return inv_arena_printf(arena, "0x%" PRIx64 " is in a page file at offset 0x%" PRIx64, why->address,
		                        why->offset);
	return inv_arena_printf(arena, "0x%" PRIx64 " is in page file %" PRIu32 " at offset 0x%" PRIx64, why->address,
	                        why->page_file, why->offset);
}

static char *field_text(struct inv_arena *arena, const char *name)
{
	if (!name)
		return inv_arena_strdup(arena, "this build has no such field, or the facts do not know it");
	return inv_arena_printf(arena, "this build has no field %s, or the facts do not know it", name);
}

static char *symbol_text(struct inv_arena *arena, const char *name)
{
	if (!name)
		return inv_arena_strdup(arena, "the address of a global is not known");
	return inv_arena_printf(arena, "the address of %s is not known", name);
}

static char *pointer_text(struct inv_arena *arena, const struct inv_why *why)
{
	if (why->name)
		return inv_arena_printf(arena, "the pointer %s is NULL", why->name);
	return inv_arena_strdup(arena, "the pointer that leads there is NULL");
}

char *inv_why_text(struct inv_arena *arena, const struct inv_why *why)
{
	const uint64_t address = why->address, at = why->at;
	switch (why->reason) {
	case INV_PRESENT:
		return inv_arena_strdup(arena, "nothing is missing");
	case INV_NOT_CANONICAL:
		return inv_arena_printf(arena, "0x%" PRIx64 " is not a canonical address", address);
	case INV_NOT_MAPPED:
		return inv_arena_printf(arena, "0x%" PRIx64 " is not mapped, by the page table entry at physical 0x%" PRIx64,
		                        address, at);
	case INV_NOT_IN_IMAGE:
		return inv_arena_printf(arena, "0x%" PRIx64 " needs physical page 0x%" PRIx64 ", which is not in the image",
		                        address, at);
	case INV_NOT_CAPTURED:
		return inv_arena_printf(arena, "0x%" PRIx64 " is in none of the captured ranges", address);
	case INV_DEMAND_ZERO:
		return inv_arena_printf(arena, "0x%" PRIx64 " was never touched: a demand-zero page without content", address);
	case INV_PAGED_OUT:
		return paged_out_text(arena, why);
	case INV_COMPRESSED:
		return inv_arena_printf(
		    arena, "0x%" PRIx64 " is in the compressed store (page file %" PRIu32 " at offset 0x%" PRIx64 ")", address,
		    why->page_file, why->offset);
	case INV_PROTOTYPE:
		return inv_arena_printf(
		    arena,
		    "0x%" PRIx64 " is behind a prototype PTE that leads to no page in memory, named at physical 0x%" PRIx64,
		    address, at);
	case INV_NO_FIELD:
		return field_text(arena, why->name);
	case INV_NO_SYMBOL:
		return symbol_text(arena, why->name);
	case INV_NO_POINTER:
		return pointer_text(arena, why);
	case INV_ABSENCE_COUNT:
		break;
	}
	return inv_arena_strdup(arena, "the reason is not known");
}
