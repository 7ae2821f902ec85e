// SPDX-License-Identifier: Apache-2.0
// A thread of its own that watches the work: it shows on a terminal how far it is, and takes the signals that interrupt it.
#ifndef INV_CLI_WATCH_H
#define INV_CLI_WATCH_H

#include "base/log.h"
#include "base/progress.h"

struct inv_watch;

// `shows`: progress is wanted, if standard error is a terminal. Nothing runs yet.
struct inv_watch *inv_watch_new(bool shows);
// Starts the thread: from then on SIGINT and SIGTERM are its own. Before that they are whoever's they were.
void inv_watch_start(struct inv_watch *watch);
void inv_watch_free(struct inv_watch *watch); // ends the thread, and wipes what it shows; NULL is allowed

struct inv_progress *inv_watch_progress(struct inv_watch *watch);

// The work can end early with a part of its result: the first signal only asks it to. Otherwise, and upon the second, the program ends.
void inv_watch_can_stop(struct inv_watch *watch);
// One line to standard error, in place of what is shown there.
void inv_watch_say(struct inv_watch *watch, const char *before, const char *line);
// Nothing is shown from here on, until work begins anew.
void inv_watch_quiet(struct inv_watch *watch);

#endif
