// SPDX-License-Identifier: Apache-2.0
// Page tables and fragments made of the input. Nothing may crash or hang, and what the space says must hold together: a short
// read has a reason, the rest of the buffer is zero, and a space that was asked much answers as one that was asked nothing.
//
// The input: a format of PTEs, CR3 and the number of levels, then records. Those that write into physical memory come first.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/space.h"
#include "tests/unit/paging/fake_image.h"

#define FRAMES 16u
#define MAX_RECORDS 512
#define MAX_READ ((size_t)3 * INV_PAGE_SIZE)

struct input {
	const uint8_t *bytes;
	size_t size;
};

static void take(struct input *input, void *out, size_t size)
{
	memset(out, 0, size);
	const size_t got = size < input->size ? size : input->size;
	memcpy(out, input->bytes, got);
	input->bytes += got;
	input->size -= got;
}

static uint8_t take8(struct input *input)
{
	uint8_t value;
	take(input, &value, 1);
	return value;
}

static uint64_t take64(struct input *input)
{
	uint8_t raw[8];
	take(input, raw, sizeof raw);
	return inv_le64(raw);
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct inv_pte_format take_format(struct input *input)
{
	struct inv_pte_format format = inv_pte_format_default;
	const uint8_t choice = take8(input);
	if (choice & 1) {
		format.page_file_bit = 12;
		format.page_file_bits = 4;
		format.swizzle_bit = 4;
		format.invalid_pte_mask = UINT64_C(1) << 45;
		format.store_page_file = 2;
	}
	if (choice & 2) {
		uint8_t places[11];
		take(input, places, sizeof places);
		format = (struct inv_pte_format){
		    .prototype_bit = places[0],
		    .transition_bit = places[1],
		    .protection_bit = places[2],
		    .protection_bits = places[3],
		    .page_file_bit = places[4],
		    .page_file_bits = places[5],
		    .page_file_offset_bit = places[6],
		    .page_file_offset_bits = places[7],
		    .swizzle_bit = places[8],
		    .proto_address_bit = places[9],
		    .proto_address_bits = places[10],
		    .invalid_pte_mask = take64(input),
		    .store_page_file = (int8_t)take8(input),
		};
	}
	return format;
}

// An entry as given, or with its frame brought into the few pages there are.
static uint64_t take_entry(struct input *input, bool tame)
{
	const uint64_t entry = take64(input);
	return tame ? (entry & ~UINT64_C(0x000ffffffff00000)) | (entry >> 12 & 0xf) << 12 : entry;
}

static void write_memory(struct input *input, struct inv_image *image)
{
	const uint8_t records = take8(input);
	for (unsigned i = 0; i < records; i++) {
		const unsigned where = take8(input) | (unsigned)take8(input) << 8;
		const uint64_t at = (uint64_t)(where % FRAMES) * INV_PAGE_SIZE + (uint64_t)(where >> 4 & 511) * 8;
		const uint64_t entry = take_entry(input, where >> 13 & 1);
		fake_put64(image, at, entry);
		if (where >> 14 == 1)
			fake_truncate(image, at, entry % INV_PAGE_SIZE);
		if (where >> 14 == 2)
			fake_split(image, at, entry % INV_PAGE_SIZE);
	}
}

static void read_both(struct inv_space *space, struct inv_space *fresh, uint64_t address, size_t size)
{
	static uint8_t bytes[MAX_READ], again[MAX_READ];
	struct inv_why why, why_again;
	const size_t got = inv_space_read(space, address, bytes, size, &why);
	require(got <= size);
	require((got == size) == (why.reason == INV_PRESENT));
	for (size_t i = got; i < size; i++)
		require(bytes[i] == 0);
	require(inv_space_read(fresh, address, again, size, &why_again) == got);
	require(memcmp(bytes, again, size) == 0);
	require(why.reason == why_again.reason && why.address == why_again.address && why.at == why_again.at);
}

static void map_both(struct inv_space *space, uint64_t address)
{
	uint64_t physical;
	struct inv_mapping mapping;
	struct inv_why why, why_map;
	const bool translated = inv_space_translate(space, address, &physical, &why);
	const bool mapped = inv_space_map(space, address, &mapping, &why_map);
	require(translated == mapped && why.reason == why_map.reason && why.at == why_map.at);
	if (mapped)
		require(physical == mapping.physical + (address & (mapping.size - 1)));
}

static void explain(struct inv_space *space, uint64_t address)
{
	struct inv_why why;
	uint8_t byte;
	inv_space_read(space, address, &byte, 1, &why);
	struct inv_arena *arena = inv_arena_new();
	require(strlen(inv_why_text(arena, &why)) > 0);
	inv_arena_free(arena);
}

static void ask_tables(struct input *input, const struct inv_image *image)
{
	const struct inv_pte_format format = take_format(input);
	const unsigned levels = 4 + take8(input) % 2;
	const uint64_t dtb = take_entry(input, true);
	struct inv_space *space = inv_space_new_x64(image, dtb, levels);
	inv_space_set_pte_format(space, &format);
	for (unsigned i = 0; i < MAX_RECORDS && input->size; i++) {
		const uint64_t address = take64(input);
		const size_t size = (size_t)(take8(input) | take8(input) << 8) % MAX_READ;
		struct inv_space *fresh = inv_space_new_x64(image, dtb, levels);
		inv_space_set_pte_format(fresh, &format);
		read_both(space, fresh, address, size);
		map_both(space, address);
		explain(space, address);
		inv_space_free(fresh);
	}
	inv_space_free(space);
}

static void ask_fragments(struct input *input)
{
	const uint8_t *content = input->bytes;
	const size_t content_size = input->size;
	struct inv_space *space = inv_space_new_fragments();
	for (unsigned i = 0; i < MAX_RECORDS && input->size; i++) {
		const uint8_t kind = take8(input);
		// Addresses near each other and near the ends meet more often.
		const uint64_t address = kind & 4 ? (uint64_t)(int8_t)take8(input) : take64(input);
		const size_t size = take8(input);
		if (kind & 1 && size <= content_size)
			inv_space_add_fragment(space, address, content, size);
		if (kind & 2) {
			read_both(space, space, address, size);
			map_both(space, address);
		}
	}
	inv_space_free(space);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	if (take8(&input) & 1) {
		ask_fragments(&input);
		return 0;
	}
	struct inv_image *image = fake_image_new();
	write_memory(&input, image);
	ask_tables(&input, image);
	fake_image_free(image);
	return 0;
}
