// SPDX-License-Identifier: Apache-2.0
#include "forge/write.h"

void inv_write_raw(struct inv_sink *sink, const struct inv_machine *machine)
{
	inv_sink_set_size(sink, inv_ram_highest(machine->ram));
	size_t count;
	const struct inv_ram_run *runs = inv_ram_runs(machine->ram, &count);
	for (size_t i = 0; i < count; i++)
		inv_sink_put_run(sink, machine->ram, &runs[i], runs[i].address);
}
