// SPDX-License-Identifier: Apache-2.0
// A small physical memory that stands in for the image floor: it defines the functions of image/image.h that the paging
// floor calls, so that its units need no files.
#ifndef INV_TEST_FAKE_IMAGE_H
#define INV_TEST_FAKE_IMAGE_H

#include "image/image.h"

struct inv_image *fake_image_new(void);
void fake_image_free(struct inv_image *image);

// The page that holds a physical address, added (zeroed) if the image lacks it. Pages stay where they are.
uint8_t *fake_page(struct inv_image *image, uint64_t physical);
void fake_put64(struct inv_image *image, uint64_t physical, uint64_t value);

// Only the first `size` bytes of the page are in the image, as at the end of a truncated file.
void fake_truncate(struct inv_image *image, uint64_t physical, size_t size);
// The page is present, but in two pieces of the file: inv_image_bytes() ends at `offset`, inv_image_read() joins.
void fake_split(struct inv_image *image, uint64_t physical, size_t offset);

// How often inv_image_bytes() and inv_image_read() were called.
size_t fake_calls(const struct inv_image *image);

#endif
