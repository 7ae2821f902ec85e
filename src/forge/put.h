// SPDX-License-Identifier: Apache-2.0
// Marks of file formats: text without its NUL.
#ifndef INV_FORGE_PUT_H
#define INV_FORGE_PUT_H

#include <stdint.h>

static inline void inv_put_text(uint8_t *to, const char *text)
{
	while (*text)
		*to++ = (uint8_t)*text++;
}

#endif
