// SPDX-License-Identifier: Apache-2.0
// The rows of one image. Not for other floors.
#ifndef INV_REPORT_DATABASE_ROWS_H
#define INV_REPORT_DATABASE_ROWS_H

#include <sqlite3.h>

#include "check/check.h"

#define INV_FINGERPRINT_SIZE 65

// SHA-256 in hexadecimal of what tells this image from others whatever its file is called: what is known of its memory, some
// 65536 pages spread over it, and the page of every process object.
void inv_image_fingerprint(const struct inv_check *check, char text[INV_FINGERPRINT_SIZE]);

// Inserts every row of the image under this number, in a transaction of the caller's. An SQLite result code.
int inv_database_rows(sqlite3 *sqlite, const struct inv_check *check, const char *version, const char *fingerprint,
                      sqlite3_int64 image);

#endif
