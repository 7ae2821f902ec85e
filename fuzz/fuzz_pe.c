// SPDX-License-Identifier: Apache-2.0
// The PE reader over bytes of which the first page is mapped at a fixed address and the rest behind it.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernel/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t base = 0xfffff80011100000ull;
	struct inv_space *space = inv_space_new_fragments();
	struct inv_pe pe;
	struct inv_why why;
	uint32_t rva;
	char name[64];
	if (size)
		inv_space_add_fragment(space, base, data, size);
	if (inv_pe_read(space, base, &pe, &why)) {
		(void)inv_pe_read_pdb(space, &pe, &why);
		(void)inv_pe_export_name(space, &pe, name);
		if (inv_pe_export(space, &pe, "PsInitialSystemProcess", &rva) && rva >= pe.size_of_image)
			abort();
		for (size_t i = 0; i < pe.section_count; i++)
			if (pe.section[i].rva > pe.size_of_image || pe.section[i].size > pe.size_of_image - pe.section[i].rva)
				abort();
	}
	if (inv_pe_read_image(space, base, &pe, &why) && pe.managed_size > pe.size_of_image)
		abort();
	(void)inv_pe_read_kernel(space, base, &pe);
	inv_space_free(space);
	return 0;
}
