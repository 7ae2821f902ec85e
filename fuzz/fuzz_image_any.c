// SPDX-License-Identifier: Apache-2.0
// The bytes of a file as they are: raw, LiME, ELF, and the recognition of everything else.
#include <stddef.h>
#include <stdint.h>

#include "fuzz_image_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_image("any.img", data, size);
	return 0;
}
