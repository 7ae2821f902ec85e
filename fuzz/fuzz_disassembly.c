// SPDX-License-Identifier: Apache-2.0
// Any bytes as code: instructions follow each other without a gap and stay within the bytes.
#include <stdlib.h>

#include "report/disassembly.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inv_instruction found[64];
	for (int narrow = 0; narrow < 2; narrow++) {
		size_t at = 0;
		size_t count = inv_disassemble(data, size, 0x7ffe0000, narrow, found, 64);
		for (size_t i = 0; i < count; at += found[i++].size)
			if (found[i].address != 0x7ffe0000 + at || found[i].size == 0 || found[i].size > size - at)
				abort();
		for (size_t offset = 0; offset < size && offset < 256; offset++)
			if (inv_instruction_start(data, size, offset, narrow) > offset)
				abort();
	}
	return 0;
}
