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
#define inv_count(array) ((size_t)stbds_arrlen(array))
#define inv_array_free(array) stbds_arrfree(array)

#endif
