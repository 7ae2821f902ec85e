// SPDX-License-Identifier: Apache-2.0
// Physical memory of the forged machine, by page. A page that nobody wrote takes no room here and stays a hole in the
// image.
#ifndef INV_FORGE_MEMORY_H
#define INV_FORGE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define INV_RAM_PAGE 4096u
#define INV_RAM_MIN (64ull << 20) // below this a kernel with its large pages does not fit
#define INV_RAM_MAX (1ull << 40)

enum inv_ram_kind { INV_RAM_FREE, INV_RAM_KERNEL, INV_RAM_USER };

// A run of memory that exists, as the firmware of a PC leaves it: below 640 KiB, from 1 MiB to the PCI hole at 3 GiB, and
// the rest from 4 GiB on.
struct inv_ram_run {
	uint64_t address, size; // physical
};

struct inv_ram;

// `size` is the amount of memory in bytes (INV_RAM_MIN to INV_RAM_MAX, rounded up to 2 MiB). Frames are handed out in an order
// that `seed` decides.
struct inv_ram *inv_ram_new(uint64_t size, uint64_t seed);
void inv_ram_free(struct inv_ram *ram); // NULL is allowed

const struct inv_ram_run *inv_ram_runs(const struct inv_ram *ram, size_t *count);
uint64_t inv_ram_highest(const struct inv_ram *ram); // one past the last byte

// A frame, or `size` consecutive bytes (a multiple of the page) at a multiple of `alignment`. Physical address. When nothing is
// left, 0 is returned and inv_ram_exhausted() tells so from then on; page 0 may be written and is in no run.
uint64_t inv_ram_take(struct inv_ram *ram, enum inv_ram_kind kind);
uint64_t inv_ram_take_block(struct inv_ram *ram, uint64_t size, uint64_t alignment, enum inv_ram_kind kind);
// One particular frame; false if it is taken or does not exist.
bool inv_ram_take_at(struct inv_ram *ram, uint64_t address, enum inv_ram_kind kind);
bool inv_ram_exhausted(const struct inv_ram *ram);

// From the lowest physical address to this one, pages that nobody has are given data without meaning when an image is
// written, and those that somebody has and never wrote are written as zeros, so that there is no hole. They take no room here,
// and reading them here still gives zeros.
void inv_ram_fill(struct inv_ram *ram, uint64_t end);
uint64_t inv_ram_filled(const struct inv_ram *ram);

// The image takes all pages below this physical address as they are now; what is written to them later is not in it. The
// rest is taken when the image is written.
void inv_ram_acquire(struct inv_ram *ram, uint64_t end);

// Reading and writing may cross pages. What was never written reads as zero; writes beyond the machine are dropped.
void inv_ram_read(const struct inv_ram *ram, uint64_t address, void *buffer, size_t size);
void inv_ram_write(struct inv_ram *ram, uint64_t address, const void *bytes, size_t size);
uint64_t inv_ram_get64(const struct inv_ram *ram, uint64_t address);
void inv_ram_put64(struct inv_ram *ram, uint64_t address, uint64_t value);

// For who writes the image. The bytes of a page (INV_RAM_PAGE of them) as it was acquired, NULL if nobody had written it.
const uint8_t *inv_ram_page(const struct inv_ram *ram, uint64_t address);
enum inv_ram_kind inv_ram_kind(const struct inv_ram *ram, uint64_t address);

// The first page at or above `address` that has such bytes; false if there is none.
bool inv_ram_next_page(const struct inv_ram *ram, uint64_t address, uint64_t *page);

#endif
