// SPDX-License-Identifier: Apache-2.0
// How values are written in JSON.
#ifndef INV_REPORT_JSON_H
#define INV_REPORT_JSON_H

#include <jansson.h>

#include "kernel/kernel.h"

json_t *inv_json_address(uint64_t address); // "0x..."
json_t *inv_json_number(uint64_t number);   // an integer; a string in hexadecimal where JSON readers lose digits
json_t *inv_json_text(const char *text);    // null for NULL
json_t *inv_json_time(const struct inv_value *time);     // ISO 8601; null when zero or absent
json_t *inv_json_value(const struct inv_value *value);   // a number, or null
json_t *inv_json_pointer(const struct inv_value *value); // an address, or null

#endif
