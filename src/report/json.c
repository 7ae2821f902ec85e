// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

// Beyond this, readers that keep numbers as doubles lose digits (RFC 8259, 6).
#define EXACT_LIMIT ((uint64_t)1 << 53)

json_t *inv_json_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

json_t *inv_json_number(uint64_t number)
{
	return number <= EXACT_LIMIT ? json_integer((json_int_t)number) : inv_json_address(number);
}

json_t *inv_json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *string = json_string(text);
	if (string)
		return string;
	// Not UTF-8 (the name of a file may be anything): taken as Latin-1, so that no byte is lost.
	struct inv_arena *arena = inv_arena_new();
	string = json_string(inv_bytes_to_utf8(arena, text, strlen(text)));
	inv_arena_free(arena);
	return string;
}

json_t *inv_json_time(const struct inv_value *time)
{
	char text[INV_TIME_SIZE];
	if (!time->ok || time->u == 0)
		return json_null();
	inv_format_filetime(time->u, text);
	return json_string(text);
}

json_t *inv_json_value(const struct inv_value *value)
{
	return value->ok ? inv_json_number(value->u) : json_null();
}

json_t *inv_json_pointer(const struct inv_value *value)
{
	return value->ok ? inv_json_address(value->u) : json_null();
}
