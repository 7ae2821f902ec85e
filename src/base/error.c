// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum inv_code inv_fail(struct inv_error *error, enum inv_code code, const char *format, ...)
{
	if (!error)
		return code;
	va_list args;
	va_start(args, format);
	error->code = code;
	vsnprintf(error->text, sizeof error->text, format, args);
	va_end(args);
	return code;
}

enum inv_code inv_fail_at(struct inv_error *error, const char *file, uint64_t offset, const char *expected,
                          const char *found_format, ...)
{
	if (!error)
		return INV_E_FORMAT;
	char found[256];
	va_list args;
	va_start(args, found_format);
	vsnprintf(found, sizeof found, found_format, args);
	va_end(args);
	return inv_fail(error, INV_E_FORMAT, "%s: at offset 0x%" PRIx64 ": expected %s, found %s", file, offset, expected,
	                found);
}
