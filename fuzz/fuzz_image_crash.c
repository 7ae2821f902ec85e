// SPDX-License-Identifier: Apache-2.0
// Crash dumps. A header of 8 KiB leaves a fuzzer little chance, so that the input is only what matters: the low byte of
// DumpType, the header's first 0x100 bytes from the version on, its end from DumpType on, and all that follows it.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fuzz_image_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER_SIZE 0x2000u
#define START 0x8u
#define START_SIZE 0x100u
#define DUMP_TYPE 0xf98u
#define END_SIZE 0x20u

static size_t take(const uint8_t **data, size_t *size, uint8_t *to, size_t wanted)
{
	size_t taken = *size < wanted ? *size : wanted;
	if (taken > 0)
		memcpy(to, *data, taken);
	*data += taken;
	*size -= taken;
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t type = 1;
	take(&data, &size, &type, 1);
	uint8_t header[HEADER_SIZE];
	for (size_t i = 0; i < HEADER_SIZE; i += 4)
		inv_put32(header + i, 0x45474150);                        // "PAGE"
	inv_put32(header + 4, type & 0x80 ? 0x504d5544 : 0x34365544); // "DUMP", "DU64"
	take(&data, &size, header + START, START_SIZE);
	take(&data, &size, header + DUMP_TYPE, END_SIZE);
	memset(header + DUMP_TYPE, 0, 4);
	header[DUMP_TYPE] = type & 0x0f;
	// Exactly as long as the dump, so that a read past its end is seen.
	uint8_t *dump = malloc(HEADER_SIZE + size);
	if (!dump)
		return 0;
	memcpy(dump, header, HEADER_SIZE);
	if (size > 0)
		memcpy(dump + HEADER_SIZE, data, size);
	fuzz_image("crash.dmp", dump, HEADER_SIZE + size);
	free(dump);
	return 0;
}
