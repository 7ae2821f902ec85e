// SPDX-License-Identifier: Apache-2.0
// Growing arrays and hash maps: stb_ds (Debian: libstb-dev), with allocation that cannot return NULL.
// Include this header, never stb_ds.h itself.
#ifndef INV_BASE_ARRAY_H
#define INV_BASE_ARRAY_H

#include <stdlib.h>

#include "base/memory.h"

// stb_ds spells typeof in a way that ISO C17 does not know.
#ifndef typeof
#define typeof __typeof__
#endif
#define STBDS_NO_SHORT_NAMES
#define STBDS_REALLOC(context, block, size) inv_realloc(block, size)
#define STBDS_FREE(context, block) free(block)
#include <stb/stb_ds.h>

#define inv_push(array, value) stbds_arrput(array, value)
#define inv_count(array) inv_array_count(array)
#define inv_array_free(array) stbds_arrfree(array)

// As stbds_arrlen(), which cannot take an array of const elements.
static inline size_t inv_array_count(const void *array)
{
	return array ? ((const stbds_array_header *)array - 1)->length : 0;
}

#endif
