// SPDX-License-Identifier: Apache-2.0
// Errors proper: a file that cannot be opened, a header that contradicts itself.
// Memory that is absent from an image is no error; see paging/absence.h.
#ifndef INV_BASE_ERROR_H
#define INV_BASE_ERROR_H

#include <stdint.h>

#define INV_MUST_USE __attribute__((warn_unused_result))
#define INV_PRINTF(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

// The exit status of the program follows from the code; see cli/main.c.
enum inv_code {
	INV_OK = 0,
	INV_E_USAGE,       // the caller asked for something that does not exist
	INV_E_IO,          // the operating system refused
	INV_E_FORMAT,      // the input contradicts its own format
	INV_E_UNSUPPORTED, // the input is sound but of a kind that is not read
	INV_E_NO_KERNEL,   // no Windows kernel was found in the image
	INV_E_INTERRUPTED, // stopped before the end
	INV_E_INTERNAL,    // a fault of this program
};

// Filled by the function that fails; the text needs no line end and no program name.
struct inv_error {
	enum inv_code code;
	char text[1024];
};

// Fills `error` (which may be NULL) and returns `code`, so that a caller can write
// `return inv_fail(error, INV_E_IO, ...)`.
enum inv_code inv_fail(struct inv_error *error, enum inv_code code, const char *format, ...) INV_PRINTF(3, 4);

// The form every complaint about input takes: file, offset, what was expected, what was found.
// Always returns INV_E_FORMAT.
enum inv_code inv_fail_at(struct inv_error *error, const char *file, uint64_t offset, const char *expected,
                          const char *found_format, ...) INV_PRINTF(5, 6);

#endif
