// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A chunk is twice as large as the one before: there are many arenas that never hold much.
#define LEAST_CHUNK ((size_t)2 * 1024)
#define CHUNK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT ((size_t)16)

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) uint8_t bytes[];
};

struct inv_arena {
	struct chunk *chunks;
};

_Noreturn void inv_out_of_memory(void)
{
	static const char message[] = "invar: out of memory\n";
	// Nothing can be done if standard error is gone too.
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
		_exit(4);
	_exit(4);
}

void *inv_alloc(size_t size)
{
	void *block = calloc(1, size ? size : 1);
	if (!block)
		inv_out_of_memory();
	return block;
}

void *inv_realloc(void *block, size_t size)
{
	void *grown = realloc(block, size ? size : 1);
	if (!grown)
		inv_out_of_memory();
	return grown;
}

struct inv_arena *inv_arena_new(void)
{
	return inv_alloc(sizeof(struct inv_arena));
}

void inv_arena_free(struct inv_arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *inv_arena_alloc(struct inv_arena *arena, size_t size)
{
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	struct chunk *chunk = arena->chunks;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t capacity = chunk ? 2 * chunk->size : LEAST_CHUNK;
		capacity = capacity < CHUNK_SIZE ? capacity : CHUNK_SIZE;
		capacity = size > capacity ? size : capacity;
		chunk = inv_alloc(sizeof *chunk + capacity);
		chunk->size = capacity;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	void *block = chunk->bytes + chunk->used;
	chunk->used += size;
	return block;
}

void inv_arena_join(struct inv_arena *arena, struct inv_arena *emptied)
{
	// Behind the first chunk, which is the one that has room.
	struct chunk **place = arena->chunks ? &arena->chunks->next : &arena->chunks;
	struct chunk *rest = *place;
	*place = emptied->chunks;
	while (*place)
		place = &(*place)->next;
	*place = rest;
	free(emptied);
}

char *inv_arena_strdup(struct inv_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(inv_arena_alloc(arena, size), text, size);
}

char *inv_arena_printf(struct inv_arena *arena, const char *format, ...)
{
	char little[256];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(little, sizeof little, format, args);
	va_end(args);
	if (length < 0)
		return inv_arena_strdup(arena, "");
	size_t size = (size_t)length + 1;
	char *text = inv_arena_alloc(arena, size);
	if (size <= sizeof little)
		return memcpy(text, little, size);
	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return text;
}
