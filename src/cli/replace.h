// SPDX-License-Identifier: Apache-2.0
// A file that is replaced whole or not at all. What is to stand in it is written to a new file beside it, which takes its name at
// the end. The sandbox forbids that, so a process of its own does it, which was started before, reads nothing from any
// image and knows no more than the two names.
#ifndef INV_CLI_REPLACE_H
#define INV_CLI_REPLACE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct inv_replacement;

// Before the sandbox is entered, while the process has one thread. The file may be there, and must be an ordinary one of at most
// `most` bytes then.
INV_MUST_USE enum inv_code inv_replacement_open(const char *path, size_t most, struct inv_replacement **replacement,
                                                struct inv_error *error);
// What the file held; *size is 0 if it is not there or empty. Stays until the replacement is closed.
const void *inv_replacement_old(const struct inv_replacement *replacement, size_t *size);
FILE *inv_replacement_file(const struct inv_replacement *replacement); // the new one, for writing

// Lets the new file take the name. Without this nothing has changed once it is closed.
INV_MUST_USE enum inv_code inv_replacement_commit(struct inv_replacement *replacement, struct inv_error *error);
void inv_replacement_close(struct inv_replacement *replacement); // NULL is allowed

#endif
