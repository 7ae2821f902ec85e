// SPDX-License-Identifier: Apache-2.0
// Diagnostics for people. A library user passes a log or NULL; nothing is kept in globals.
#ifndef INV_BASE_LOG_H
#define INV_BASE_LOG_H

#include "base/error.h"

enum inv_log_level {
	INV_LOG_WARNING, // shown unless -q
	INV_LOG_INFO,    // shown with -v
	INV_LOG_DEBUG,   // shown with -vv
};

struct inv_log {
	enum inv_log_level level; // the most detailed level that is wanted
	void (*write)(void *context, enum inv_log_level level, const char *line);
	void *context;
};

// `log` may be NULL: then nothing is written.
void inv_log(const struct inv_log *log, enum inv_log_level level, const char *format, ...) INV_PRINTF(3, 4);

#endif
