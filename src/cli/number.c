// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static bool is_hexadecimal(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

bool inv_parse_number(const char *text, uint64_t *number)
{
	char *end;
	bool hexadecimal = is_hexadecimal(text);
	const char *digits = hexadecimal ? text + 2 : text;
	if (!strchr("0123456789abcdefABCDEF", *digits) || !*digits)
		return false;
	errno = 0;
	*number = strtoull(digits, &end, hexadecimal ? 16 : 10);
	return *end == 0 && errno == 0;
}

bool inv_parse_address(const char *text, uint64_t *address)
{
	return is_hexadecimal(text) && inv_parse_number(text, address);
}
