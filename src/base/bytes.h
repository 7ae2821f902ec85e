// SPDX-License-Identifier: Apache-2.0
// Little-endian loads and stores that need no alignment. Every supported image is little-endian.
#ifndef INV_BASE_BYTES_H
#define INV_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t inv_le16(const void *bytes)
{
	const uint8_t *b = bytes;
	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t inv_le32(const void *bytes)
{
	const uint8_t *b = bytes;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t inv_le64(const void *bytes)
{
	const uint8_t *b = bytes;
	return (uint64_t)inv_le32(b) | (uint64_t)inv_le32(b + 4) << 32;
}

static inline void inv_put16(void *bytes, uint16_t value)
{
	uint8_t *b = bytes;
	b[0] = (uint8_t)value;
	b[1] = (uint8_t)(value >> 8);
}

static inline void inv_put32(void *bytes, uint32_t value)
{
	uint8_t *b = bytes;
	inv_put16(b, (uint16_t)value);
	inv_put16(b + 2, (uint16_t)(value >> 16));
}

static inline void inv_put64(void *bytes, uint64_t value)
{
	uint8_t *b = bytes;
	inv_put32(b, (uint32_t)value);
	inv_put32(b + 4, (uint32_t)(value >> 32));
}

#endif
