// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define REPLACEMENT 0xfffdu
#define SYMBOL_FOR_NUL 0x2400u

// Writes one code point; returns the bytes written (1 to 4).
static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

char *inv_utf16_to_utf8(struct inv_arena *arena, const void *units, size_t size)
{
	const uint8_t *in = units;
	size_t count = size / 2;
	char *text = inv_arena_alloc(arena, count * 3 + 1);
	size_t length = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t c = inv_le16(in + i * 2);
		bool high = c >= 0xd800 && c < 0xdc00;
		uint32_t low = high && i + 1 < count ? inv_le16(in + i * 2 + 2) : 0;
		if (high && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = REPLACEMENT;
		} else if (c == 0) {
			c = SYMBOL_FOR_NUL;
		}
		length += put_utf8(text + length, c);
	}
	text[length] = 0;
	return text;
}

char *inv_bytes_to_utf8(struct inv_arena *arena, const void *bytes, size_t size)
{
	const uint8_t *in = bytes;
	char *text = inv_arena_alloc(arena, size * 2 + 1);
	size_t length = 0;
	for (size_t i = 0; i < size && in[i]; i++)
		length += put_utf8(text + length, in[i]);
	text[length] = 0;
	return text;
}

// Days since 1601-01-01 to a civil date, by whole cycles of 400, 100, 4 and 1 years. No library does this
// for the full range of a FILETIME without the time zone database.
static void civil_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	static const unsigned cumulated[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	uint64_t cycles = days / 146097;
	unsigned rest = (unsigned)(days % 146097);
	unsigned centuries = rest / 36524 < 3 ? rest / 36524 : 3;
	rest -= centuries * 36524;
	unsigned quads = rest / 1461;
	rest -= quads * 1461;
	unsigned years = rest / 365 < 3 ? rest / 365 : 3;
	rest -= years * 365;
	*year = (unsigned)(1601 + cycles * 400 + (uint64_t)centuries * 100 + (uint64_t)quads * 4 + years);
	bool leap = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0);
	unsigned m = 1;
	while (m < 12 && rest >= cumulated[m] + (leap && m >= 2 ? 1u : 0u))
		m++;
	*month = m;
	*day = rest - cumulated[m - 1] - (leap && m > 2 ? 1u : 0u) + 1;
}

void inv_format_filetime(uint64_t filetime, char text[INV_TIME_SIZE])
{
	if (filetime == 0) {
		text[0] = 0;
		return;
	}
	uint64_t seconds = filetime / 10000000;
	unsigned second_of_day = (unsigned)(seconds % 86400);
	unsigned year, month, day;
	civil_date(seconds / 86400, &year, &month, &day);
	snprintf(text, INV_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%07" PRIu64 "Z", year, month, day,
	         second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60, filetime % 10000000);
}

// Where each stored byte stands in the printed form.
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

void inv_format_guid(const uint8_t guid[16], char text[INV_GUID_SIZE])
{
	for (size_t i = 0; i < 16; i++)
		snprintf(text + i * 2, 3, "%02X", guid[guid_order[i]]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool inv_parse_guid(const char *text, uint8_t guid[16])
{
	if (strlen(text) != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int high = hex_digit(text[i * 2]);
		int low = hex_digit(text[i * 2 + 1]);
		if (high < 0 || low < 0)
			return false;
		guid[guid_order[i]] = (uint8_t)(high << 4 | low);
	}
	return true;
}
