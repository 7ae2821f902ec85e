// SPDX-License-Identifier: Apache-2.0
// What the forge's tests share: an image in memory and a reader of it that owes nothing to the forge.
#ifndef INV_TEST_FORGED_H
#define INV_TEST_FORGED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "forge/forge.h"

struct forged {
	struct inv_forge *forge;
	const struct inv_layout *layout;
	uint8_t *bytes; // a raw image
	size_t size;
	unsigned levels;
};

static inline struct inv_forge *must_run(const char *scenario, const struct inv_forge_options *options)
{
	struct inv_error error = {INV_OK, ""};
	struct inv_forge *forge = inv_forge_run(scenario, options, &error);
	if (!forge)
		fail_msg("%s", error.text);
	return forge;
}

static inline void must_write(struct inv_forge *forge, enum inv_forge_format format, uint8_t **bytes, size_t *size)
{
	struct inv_error error = {INV_OK, ""};
	if (inv_forge_write_memory(forge, format, bytes, size, &error) != INV_OK)
		fail_msg("%s", error.text);
}

static inline struct forged forge_raw(const char *scenario, const struct inv_forge_options *options)
{
	struct forged forged = {.forge = must_run(scenario, options), .levels = 4};
	forged.layout = inv_forge_facts(forged.forge)->layout;
	must_write(forged.forge, INV_FORGE_RAW, &forged.bytes, &forged.size);
	return forged;
}

static inline void forged_free(struct forged *forged)
{
	inv_forge_free(forged->forge);
	free(forged->bytes);
}

static inline uint64_t physical64(const struct forged *forged, uint64_t address)
{
	assert_true(address <= forged->size - 8);
	return inv_le64(forged->bytes + address);
}

// The page tables of the Intel manual, walked over the image alone. ~0: not mapped.
static inline uint64_t walk(const struct forged *forged, uint64_t dtb, uint64_t address)
{
	uint64_t table = dtb & 0xffffffffff000u;
	for (unsigned level = forged->levels; level > 0; level--) {
		unsigned shift = 3 + 9 * level;
		uint64_t entry = physical64(forged, table + (address >> shift & 0x1ff) * 8);
		if (!(entry & 1))
			return ~0ull;
		table = entry & 0xffffffffff000u;
		if (level == 1 || (level == 2 && entry & 0x80))
			return (table & ~((1ull << shift) - 1)) | (address & ((1ull << shift) - 1));
	}
	return ~0ull;
}

static inline uint64_t virtual64(const struct forged *forged, uint64_t address)
{
	uint64_t physical = walk(forged, inv_forge_dtb(forged->forge), address);
	if (physical == ~0ull)
		fail_msg("0x%llx is not mapped", (unsigned long long)address);
	return physical64(forged, physical);
}

static inline uint32_t virtual32(const struct forged *forged, uint64_t address)
{
	return (uint32_t)virtual64(forged, address);
}

static inline uint64_t field_address(const struct forged *forged, uint64_t object, enum inv_field field)
{
	assert_int_not_equal(forged->layout->place[field].offset, INV_NO_OFFSET);
	return object + forged->layout->place[field].offset;
}

static inline uint64_t field64(const struct forged *forged, uint64_t object, enum inv_field field)
{
	return virtual64(forged, field_address(forged, object, field));
}

static inline bool has_field(const struct forged *forged, enum inv_field field)
{
	return forged->layout->place[field].offset != INV_NO_OFFSET;
}

static inline uint64_t bits(const struct forged *forged, uint64_t object, enum inv_field field)
{
	const struct inv_place *place = &forged->layout->place[field];
	return field64(forged, object, field) >> place->bit & ((1ull << place->bits) - 1);
}

// The objects on a list, following Flink; every Blink must lead back. Returns how many.
static inline size_t walk_list(const struct forged *forged, uint64_t head, uint64_t link_offset, uint64_t *objects,
                               size_t limit)
{
	size_t count = 0;
	uint64_t previous = head;
	for (uint64_t at = virtual64(forged, head); at != head; at = virtual64(forged, at)) {
		assert_true(count < limit);
		assert_int_equal(virtual64(forged, at + 8), previous);
		previous = at;
		objects[count++] = at - link_offset;
	}
	assert_int_equal(virtual64(forged, head + 8), previous);
	return count;
}

#endif
