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

// -- what is said of how far the work is, for whoever shows it in another way ---------------------------------------------------

double inv_watch_now(void);                 // seconds, by a clock that nobody sets
#define INV_STEPS 5u                        // of the way from an image to a report
const char *inv_step_name(unsigned step);   // 1 to INV_STEPS: "open"; 0: "rules"
unsigned inv_step_of(enum inv_phase phase); // 0: after the last
#define INV_WATCH_LINE 160u
// "memory is swept, 0.4 of 1.0 GiB, 40 %, about 2 s left": `elapsed` seconds after the phase began.
void inv_watch_describe(char line[INV_WATCH_LINE], const struct inv_progress_state *state, double elapsed);

#endif
