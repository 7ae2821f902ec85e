// SPDX-License-Identifier: Apache-2.0
// Raw memory, padded: the byte at a physical address stands at that offset of the file. There is no header, so any
// file that is nothing else is taken for one.
#include "image/format.h"

enum inv_code inv_raw_recognise(struct inv_image *image)
{
	image->info.format = INV_FORMAT_RAW;
	image->info.arch = INV_ARCH_UNKNOWN;
	image->info.atomic = -1;
	(void)inv_image_add_extent(image, 0, 0, 0, image->size);
	return INV_OK;
}
