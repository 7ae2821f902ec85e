// SPDX-License-Identifier: Apache-2.0
// LiME's format, version 1: each run after a header of 32 bytes (magic, version, first and last address, 8 reserved bytes).
#include <string.h>

#include "base/bytes.h"
#include "forge/write.h"

#define LIME_HEADER 32u

void inv_write_lime(struct inv_sink *sink, const struct inv_machine *machine)
{
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	uint64_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += LIME_HEADER + runs[i].size;
	inv_sink_set_size(sink, size);
	uint64_t at = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t header[LIME_HEADER] = {0};
		inv_put_text(header, "EMiL");
		inv_put32(header + 4, 1);
		inv_put64(header + 8, runs[i].address);
		inv_put64(header + 16, runs[i].address + runs[i].size - 1);
		inv_sink_put(sink, at, header, sizeof header);
		inv_sink_put_run(sink, machine->ram, &runs[i], at + LIME_HEADER);
		at += LIME_HEADER + runs[i].size;
	}
}
