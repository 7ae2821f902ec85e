// SPDX-License-Identifier: Apache-2.0
// KDDEBUGGER_DATA64 from any bytes, in clear or with keys taken from the input.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "kernel/kdbg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 24)
		return 0;
	struct inv_kdbg_keys keys = {inv_le64(data), inv_le64(data + 8), inv_le64(data + 16)};
	struct inv_kdbg kdbg;
	for (int with_keys = 0; with_keys < 2; with_keys++) {
		bool found = inv_kdbg_parse(data + 24, size - 24, with_keys ? &keys : NULL, 0, &kdbg);
		if (found != kdbg.found || kdbg.size > INV_KDBG_MAX || kdbg.size > size - 24)
			abort();
		for (unsigned at = 0; at < INV_KDBG_MAX + 16; at++) {
			uint64_t wide;
			uint16_t narrow;
			if (inv_kdbg_u64(&kdbg, at, &wide) && at + 8 > kdbg.size)
				abort();
			if (inv_kdbg_u16(&kdbg, at, &narrow) && at + 2 > kdbg.size)
				abort();
		}
	}
	return 0;
}
