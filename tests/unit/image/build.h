// SPDX-License-Identifier: Apache-2.0
// Small images laid out byte by byte. Offsets are written as numbers here, and not taken from the reader's code, so that
// a mistake there shows.
#ifndef INV_TESTS_IMAGE_BUILD_H
#define INV_TESTS_IMAGE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

#define PAGE ((size_t)4096)

struct bytes {
	uint8_t *data;
	size_t size;
};

struct bytes bytes_new(size_t size, uint8_t fill);
void bytes_free(struct bytes *bytes);
void put16(struct bytes *bytes, size_t offset, uint16_t value);
void put32(struct bytes *bytes, size_t offset, uint32_t value);
void put64(struct bytes *bytes, size_t offset, uint64_t value);
void put_text(struct bytes *bytes, size_t offset, const char *text);
// Fills a page of the file with words that tell which physical page it is, so that a wrong place shows.
void put_page(struct bytes *bytes, size_t offset, uint64_t page);
bool is_page(const uint8_t *data, size_t size, uint64_t page);

// A 64-bit crash dump header filled with "PAGE", with the fields that every dump has. `size` includes the header.
struct bytes crash_dump(size_t size, uint32_t type);

// Opens; fails the test if that does not give `code`. The copy is as long as `size` says and no longer, so that the
// sanitizer sees a read past its end.
struct inv_image *open_bytes(const struct bytes *bytes, enum inv_code code, struct inv_error *error);

// True if one of the contradictions holds `text`.
bool contradicts(const struct inv_image *image, const char *text);
void print_contradictions(const struct inv_image *image);

// Walks all runs, reads from each, and checks what must hold of any image, whatever its bytes. Returns the pages.
uint64_t walk(const struct inv_image *image);

// Opens every prefix of `bytes` (all of the first `dense` lengths, then one length in `step`) and every single-bit flip of
// the first `flips` bytes: none may crash, and what opens must walk.
void torture(const struct bytes *bytes, size_t dense, size_t step, size_t flips);

#endif
