// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/command.h"

#define TICK_MS 100     // between two looks
#define PATIENCE 0.3    // seconds of work before anything is shown
#define GUESS_AFTER 1.0 // seconds into a phase before it is said how long it will still take

// What wakes the thread so that it ends; ignored by whoever does not wait for it.
#define WAKE SIGURG

struct inv_watch {
	struct inv_progress progress;
	bool shows;
	bool running;
	pthread_t thread;
	sigset_t signals; // SIGINT and SIGTERM, unless they were ignored, and WAKE
	atomic_bool ending, can_stop;
	pthread_mutex_t lock; // of what follows, and of standard error
	bool quiet;
	bool shown;      // a line stands on the terminal
	int last;        // the phase that was shown last
	double since;    // when it began
	double started;  // when the watch did
	unsigned cycles; // of the sign that turns while it is not known how much there is to do
};

double inv_watch_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void over(void *context)
{
	inv_watch_quiet(context);
}

struct inv_watch *inv_watch_new(bool shows)
{
	struct inv_watch *watch = inv_alloc(sizeof *watch);
	watch->progress.over = over;
	watch->progress.context = watch;
	const char *terminal = getenv("TERM");
	bool can_wipe = terminal && *terminal && strcmp(terminal, "dumb") != 0;
	watch->shows = shows && can_wipe && isatty(STDERR_FILENO);
	watch->started = inv_watch_now();
	pthread_mutex_init(&watch->lock, NULL);
	return watch;
}

struct inv_progress *inv_watch_progress(struct inv_watch *watch)
{
	return &watch->progress;
}

// -- what is shown -----------------------------------------------------------------------------------------------------------

const char *inv_step_name(unsigned step)
{
	static const char *const names[INV_STEPS] = {"open", "identify", "collect", "assemble", "judge"};
	return step >= 1 && step <= INV_STEPS ? names[step - 1] : "rules";
}

unsigned inv_step_of(enum inv_phase phase)
{
	switch (phase) {
	case INV_PHASE_NONE:
	case INV_PHASE_OPEN:
	case INV_PHASE_COUNT:
		return 1;
	case INV_PHASE_IDENTIFY:
		return 2;
	case INV_PHASE_SWEEP:
	case INV_PHASE_WITNESSES:
		return 3;
	case INV_PHASE_ASSEMBLE:
		return 4;
	case INV_PHASE_VIEWS:
	case INV_PHASE_INVARIANTS:
	case INV_PHASE_INSIDES:
	case INV_PHASE_SMEAR:
		return 5;
	case INV_PHASE_RULES:
		break;
	}
	return 0;
}

static void append(char line[INV_WATCH_LINE], const char *text)
{
	size_t used = strlen(line);
	snprintf(line + used, INV_WATCH_LINE - used, "%s", text);
}

static void append_amount(char line[INV_WATCH_LINE], const struct inv_progress_state *state)
{
	char text[64];
	if (state->total == 0)
		return;
	uint64_t done = state->done < state->total ? state->done : state->total;
	if (state->phase == INV_PHASE_SWEEP)
		snprintf(text, sizeof text, ", %.1f of %.1f GiB", (double)done / (1 << 30), (double)state->total / (1 << 30));
	else
		snprintf(text, sizeof text, ", %" PRIu64 " of %" PRIu64, done, state->total);
	append(line, text);
	snprintf(text, sizeof text, ", %u %%", (unsigned)((double)done * 100 / (double)state->total));
	append(line, text);
}

// By how long the part of this phase took that is done.
static void append_guess(char line[INV_WATCH_LINE], const struct inv_progress_state *state, double elapsed)
{
	char text[64];
	if (state->done == 0 || state->done >= state->total || elapsed < GUESS_AFTER)
		return;
	double left = elapsed / (double)state->done * (double)(state->total - state->done);
	if (left >= 5400)
		snprintf(text, sizeof text, ", about %.0f h left", left / 3600);
	else if (left >= 90)
		snprintf(text, sizeof text, ", about %.0f min left", left / 60);
	else
		snprintf(text, sizeof text, ", about %.0f s left", left + 0.5);
	append(line, text);
}

void inv_watch_describe(char line[INV_WATCH_LINE], const struct inv_progress_state *state, double elapsed)
{
	line[0] = 0;
	append(line, inv_phase_name(state->phase));
	append_amount(line, state);
	append_guess(line, state, elapsed);
}

static size_t columns(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col;
	return 80;
}

// Whoever calls these has the lock.
static void wipe(struct inv_watch *watch)
{
	if (watch->shown)
		fputs("\r\x1b[K", stderr);
	watch->shown = false;
}

static void show(struct inv_watch *watch)
{
	static const char turning[] = "-\\|/";
	char line[INV_WATCH_LINE] = "";
	char told[INV_WATCH_LINE];
	struct inv_progress_state state = inv_progress_look(&watch->progress);
	double time = inv_watch_now();
	if ((int)state.phase != watch->last) {
		watch->last = (int)state.phase;
		watch->since = time;
		watch->quiet = false;
	}
	if (watch->quiet || state.phase == INV_PHASE_NONE || time - watch->started < PATIENCE)
		return;
	unsigned step = inv_step_of(state.phase);
	if (step)
		snprintf(line, sizeof line, "%u/%u ", step, INV_STEPS);
	append(line, inv_step_name(step));
	append(line, ": ");
	inv_watch_describe(told, &state, time - watch->since);
	append(line, told);
	if (inv_progress_stopped(&watch->progress))
		append(line, ", interrupted");
	size_t room = columns() - 2; // the sign and the last column, where a terminal might wrap
	wipe(watch);
	fprintf(stderr, "%c %.*s", turning[watch->cycles++ % 4], (int)(room < INV_WATCH_LINE ? room - 1 : INV_WATCH_LINE),
	        line);
	fflush(stderr);
	watch->shown = true;
}

void inv_watch_quiet(struct inv_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	wipe(watch);
	fflush(stderr);
	watch->quiet = true;
	watch->last = (int)inv_progress_look(&watch->progress).phase;
	pthread_mutex_unlock(&watch->lock);
}

void inv_watch_say(struct inv_watch *watch, const char *before, const char *line)
{
	pthread_mutex_lock(&watch->lock);
	wipe(watch);
	fputs(before, stderr);
	inv_write_safe(stderr, line);
	putc('\n', stderr);
	pthread_mutex_unlock(&watch->lock);
}

// -- signals -----------------------------------------------------------------------------------------------------------------

void inv_watch_can_stop(struct inv_watch *watch)
{
	atomic_store(&watch->can_stop, true);
}

static _Noreturn void end_now(struct inv_watch *watch)
{
	// Not waited for: whoever has the lock may be stuck.
	if (pthread_mutex_trylock(&watch->lock) == 0)
		wipe(watch);
	fputs("invar: interrupted\n", stderr);
	fflush(stderr);
	_exit(INV_EXIT_STOPPED);
}

static void interrupt(struct inv_watch *watch)
{
	enum inv_phase phase = inv_progress_look(&watch->progress).phase;
	if (inv_progress_stopped(&watch->progress) || !atomic_load(&watch->can_stop) || phase < INV_PHASE_SWEEP)
		end_now(watch);
	inv_progress_stop(&watch->progress);
	inv_watch_say(watch, "invar: ", "interrupted: what was found so far is reported; once more ends at once");
}

static void *run(void *argument)
{
	struct inv_watch *watch = argument;
	struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
	while (!atomic_load(&watch->ending)) {
		int got = watch->shows ? sigtimedwait(&watch->signals, NULL, &tick) : sigwaitinfo(&watch->signals, NULL);
		if (got == SIGINT || got == SIGTERM) {
			interrupt(watch);
		} else if (got < 0 && errno == EAGAIN) {
			pthread_mutex_lock(&watch->lock);
			show(watch);
			pthread_mutex_unlock(&watch->lock);
		} else if (got < 0 && errno != EINTR) {
			break;
		}
	}
	return NULL;
}

static void add_unless_ignored(sigset_t *set, int number)
{
	struct sigaction action;
	if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
		sigaddset(set, number);
}

void inv_watch_start(struct inv_watch *watch)
{
	sigset_t before;
	sigemptyset(&watch->signals);
	sigaddset(&watch->signals, WAKE);
	add_unless_ignored(&watch->signals, SIGINT);
	add_unless_ignored(&watch->signals, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &watch->signals, &before) != 0)
		return;
	watch->running = pthread_create(&watch->thread, NULL, run, watch) == 0;
	if (!watch->running) // then the signals do what they did
		pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void inv_watch_free(struct inv_watch *watch)
{
	if (!watch)
		return;
	if (watch->running) {
		atomic_store(&watch->ending, true);
		pthread_kill(watch->thread, WAKE);
		pthread_join(watch->thread, NULL);
	}
	wipe(watch);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}
