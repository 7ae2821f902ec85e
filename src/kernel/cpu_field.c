// SPDX-License-Identifier: Apache-2.0
// A field of a KPRCB whose address is not known: from the section of a triage dump.
#include <string.h>

#include "base/bytes.h"
#include "kernel/kernel.h"

static struct inv_value from_section(const struct inv_kernel *kernel, const struct inv_section *section,
                                     enum inv_field field)
{
	struct inv_value value = {.why = {.reason = INV_NO_FIELD, .name = inv_field_full_name(field)}};
	uint8_t bytes[8] = {0};
	uint64_t offset;
	if (!inv_field_address(kernel, 0, field, &offset))
		return value;
	size_t width = inv_field_info(field)->kind == INV_U8 ? 1 : inv_field_info(field)->kind == INV_U32 ? 4 : 8;
	value.why = (struct inv_why){.reason = INV_NOT_CAPTURED, .name = inv_field_full_name(field)};
	if (section->size < width || offset > section->size - width)
		return value;
	memcpy(bytes, section->bytes + offset, width);
	return (struct inv_value){.ok = true, .u = inv_le64(bytes)};
}

struct inv_value inv_cpu_field(const struct inv_kernel *kernel, const struct inv_cpu *cpu, enum inv_field field)
{
	if (cpu->prcb)
		return inv_field(kernel, cpu->prcb, field);
	if (cpu->section)
		return from_section(kernel, cpu->section, field);
	return (struct inv_value){.why = {.reason = INV_NO_POINTER, .name = inv_field_full_name(field)}};
}
