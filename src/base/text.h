// SPDX-License-Identifier: Apache-2.0
// Text from an image, and the forms in which numbers are shown.
#ifndef INV_BASE_TEXT_H
#define INV_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

// Little-endian UTF-16 (`size` in bytes, an odd last byte is left out) as UTF-8. Lone surrogates become
// U+FFFD. Stops at `size`, not at a NUL; an embedded NUL is written as U+2400 so that it stays visible.
char *inv_utf16_to_utf8(struct inv_arena *arena, const void *units, size_t size);

// Bytes of unknown encoding (an EPROCESS.ImageFileName) as UTF-8: up to `size` bytes or the first NUL;
// bytes from 0x80 on are taken as Latin-1, so that no byte is lost.
char *inv_bytes_to_utf8(struct inv_arena *arena, const void *bytes, size_t size);

// FILETIME (100 ns since 1601, UTC) as ISO 8601 with seven decimals: 2025-08-31T21:33:01.9236670Z.
// Always fits; zero gives an empty string.
#define INV_TIME_SIZE 48
void inv_format_filetime(uint64_t filetime, char text[INV_TIME_SIZE]);

// A GUID as stored in a PE debug record (Data1..3 little-endian) in the form symbol servers use:
// 32 upper-case hexadecimal digits.
#define INV_GUID_SIZE 33
void inv_format_guid(const uint8_t guid[16], char text[INV_GUID_SIZE]);
bool inv_parse_guid(const char *text, uint8_t guid[16]); // the inverse; false unless 32 digits

#endif
