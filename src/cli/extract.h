// SPDX-License-Identifier: Apache-2.0
// Where `invar extract` writes: opened before the sandbox closes.
#ifndef INV_CLI_EXTRACT_H
#define INV_CLI_EXTRACT_H

#include "cli/command.h"

// Opens what -o names: a file and beside it FILE.json, which are emptied when something is written; or a folder, in which only new
// files are made. A folder that is not there is made.
INV_MUST_USE enum inv_code inv_extract_open(const struct inv_options *options, struct inv_extract_files **files,
                                            struct inv_error *error);
int inv_extract_folder(const struct inv_extract_files *files); // its descriptor; -1: a file is written
void inv_extract_close(struct inv_extract_files *files);       // NULL is allowed

// A name for a file, made of one from an image: letters, digits, '.', '-' and '_' only, no dot in front, at most 63 bytes.
void inv_extract_safe_name(const char *name, char safe[64]);
// "0x1000-0x2000", both at most 2^64-1, the first smaller; decimal, too.
bool inv_extract_parse_range(const char *text, uint64_t *start, uint64_t *end);

#endif
