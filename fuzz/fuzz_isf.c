// SPDX-License-Identifier: Apache-2.0
// Symbol tables from a file that anyone may have made, plain or packed by xz. A first byte of 'x' packs the rest before
// it is read, so that the JSON behind xz is reached without the fuzzer having to guess checksums.
#include <lzma.h>
#include <stdlib.h>

#include "base/memory.h"
#include "facts/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *context, const struct inv_member *member)
{
	size_t *total = context;
	*total += member->offset + member->size + (size_t)member->type[0] + (size_t)member->name[0];
}

static void read_table(const uint8_t *data, size_t size)
{
	struct inv_symbols *symbols;
	const struct inv_kernel_facts *facts;
	struct inv_error error;
	if (inv_symbols_parse_isf("fuzz", data, size, &symbols, &facts, &error))
		return;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		const struct inv_place *place = &facts->layout->place[i];
		if (place->bit + place->bits > place->width * 8 || place->width > 8)
			abort();
	}
	uint32_t bytes;
	size_t total = 0;
	for (unsigned i = 0; i < INV_TYPE_COUNT; i++)
		(void)inv_symbols_members(symbols, inv_type_info((enum inv_type)i)->name, &bytes, take, &total);
	inv_symbols_close(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || data[0] != 'x') {
		read_table(data, size);
		return 0;
	}
	size_t room = lzma_stream_buffer_bound(size);
	uint8_t *packed = inv_alloc(room);
	size_t used = 0;
	if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data + 1, size - 1, packed, &used, room) == LZMA_OK)
		read_table(packed, used);
	free(packed);
	return 0;
}
