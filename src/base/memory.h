// SPDX-License-Identifier: Apache-2.0
// Allocation. Nothing here is ever sized by a number from an image without a cap set by the caller, so
// running out of memory means that the machine has none left: the process then says so on standard
// error and ends with status 4. No caller needs to handle NULL.
#ifndef INV_BASE_MEMORY_H
#define INV_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

_Noreturn void inv_out_of_memory(void);      // says so and ends the program with status 4
void *inv_alloc(size_t size);                // zeroed; release with free()
void *inv_realloc(void *block, size_t size); // like realloc(); new bytes are not zeroed

// An arena: many small allocations that live and die together.
struct inv_arena;
struct inv_arena *inv_arena_new(void);
void inv_arena_free(struct inv_arena *arena);                // NULL is allowed
void *inv_arena_alloc(struct inv_arena *arena, size_t size); // zeroed, aligned to 16
char *inv_arena_strdup(struct inv_arena *arena, const char *text);
// Moves all that was allocated from one arena into another, which frees it in its time; the emptied one is freed.
void inv_arena_join(struct inv_arena *arena, struct inv_arena *emptied);
char *inv_arena_printf(struct inv_arena *arena, const char *format, ...) INV_PRINTF(2, 3);

#endif
