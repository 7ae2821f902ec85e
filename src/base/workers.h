// SPDX-License-Identifier: Apache-2.0
// A worker pool for independent jobs that are told apart by their index. A job writes its result to a place of its own, by
// index, so that the outcome never depends on how many threads there are or which of them comes first.
#ifndef INV_BASE_WORKERS_H
#define INV_BASE_WORKERS_H

#include <stddef.h>

#define INV_MAX_WORKERS 256u

// How many CPUs this process may use; at least 1.
unsigned inv_workers_default(void);

// Calls job(context, i) once for every i below `count` and returns when all are done. `threads` work at once (0: as many as
// there are CPUs; at most INV_MAX_WORKERS), the caller among them. Where the system refuses a thread, the others do its work:
// this never fails.
void inv_workers_run(unsigned threads, size_t count, void (*job)(void *context, size_t index), void *context);

// The same over spans: job(context, first, end) for [0, span), [span, 2 * span) and so on up to `count`. `span` is at least 1.
void inv_workers_spans(unsigned threads, size_t count, size_t span,
                       void (*job)(void *context, size_t first, size_t end), void *context);

#endif
