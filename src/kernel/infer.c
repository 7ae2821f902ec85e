// SPDX-License-Identifier: Apache-2.0
// Fields that a triage dump itself proves, for a kernel of which only KDBG's own offsets are known. What is inferred here
// rests on the bytes of this dump; nothing is taken from another build.
#include <string.h>

#include "kernel/parts.h"

// The first process of PsActiveProcessHead is System, and the kernel writes this name into it, padded to the field's 15
// bytes.
static const char system_name[15] = "System";

// ActiveProcessLinks: the list entry inside the dumped process to which the head's Flink leads and whose Blink leads back.
static bool prove_links(const struct inv_kernel *kernel, const struct inv_layout *layout, uint64_t *offset)
{
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsActiveProcessHead, NULL);
	if (!head.ok || kernel->current_process == 0)
		return false;
	struct inv_value first = inv_read_u64(kernel, head.u);
	if (!first.ok || first.u < kernel->current_process)
		return false;
	*offset = first.u - kernel->current_process;
	struct inv_value back = inv_read_u64(kernel, first.u + 8);
	return *offset >= 8 && *offset + 16 <= layout->size[INV_T_EPROCESS] && back.ok && back.u == head.u;
}

// ImageFileName of System: the one place in the object where its name stands. More than one place proves nothing.
static bool prove_name(const struct inv_section *process, uint64_t *offset)
{
	unsigned found = 0;
	for (size_t at = 0; at + sizeof system_name <= process->size; at++) {
		if (memcmp(process->bytes + at, system_name, sizeof system_name) == 0) {
			*offset = at;
			found++;
		}
	}
	return found == 1;
}

size_t inv_infer_fields(struct inv_work *work, struct inv_layout *layout)
{
	const struct inv_kernel *kernel = &work->kernel;
	const struct inv_triage *triage = inv_image_info(kernel->image)->triage;
	uint64_t links, name;
	if (!triage || !prove_links(kernel, layout, &links))
		return 0;
	layout->place[INV_F_EPROCESS_ActiveProcessLinks].offset = (uint16_t)links;
	size_t inferred = 1;
	// UniqueProcessId stands right before the links in every layout of the table; System's is 4.
	struct inv_value pid = inv_read_u64(kernel, kernel->current_process + links - 8);
	if (pid.ok && pid.u == 4) {
		layout->place[INV_F_EPROCESS_UniqueProcessId].offset = (uint16_t)(links - 8);
		inferred++;
	}
	if (prove_name(&triage->process, &name)) {
		layout->place[INV_F_EPROCESS_ImageFileName].offset = (uint16_t)name;
		inferred++;
	}
	return inferred;
}
