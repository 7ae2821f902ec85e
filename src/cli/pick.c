// SPDX-License-Identifier: Apache-2.0
// Which process the command line means.
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "cli/command.h"

#define MOST_NAMED 8u // of several that have the same PID

static bool is_wanted(const struct inv_wanted *wanted, const struct inv_dossier *process)
{
	if (wanted->by_address)
		return process->address == wanted->number;
	return process->pid.ok && process->pid.u == wanted->number;
}

struct matches {
	size_t count, live; // live: what deleted processes left in memory is not counted
	const struct inv_dossier *first, *first_live;
};

static struct matches find(const struct inv_check *check, const struct inv_wanted *wanted)
{
	struct matches matches = {0};
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &check->dossiers.processes[i];
		if (!is_wanted(wanted, process))
			continue;
		matches.first = matches.count++ ? matches.first : process;
		if (inv_is_live(process))
			matches.first_live = matches.live++ ? matches.first_live : process;
	}
	return matches;
}

// "0xffffe28c1a2b3080 notepad.exe (running), ..."
static const char *list(const struct inv_check *check, const struct inv_wanted *wanted,
                        const struct inv_dossier *without)
{
	const char *text = "";
	size_t named = 0;
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &check->dossiers.processes[i];
		if (!is_wanted(wanted, process) || process == without)
			continue;
		if (named++ == MOST_NAMED)
			return inv_arena_printf(check->arena, "%s, ...", text);
		text = inv_arena_printf(check->arena, "%s%s0x%" PRIx64 " %s (%s)", text, *text ? ", " : "", process->address,
		                        process->name, inv_state_name(process->state));
	}
	return text;
}

static void fail_none(const struct inv_wanted *wanted, struct inv_error *error)
{
	if (wanted->by_address)
		inv_fail(error, INV_E_USAGE,
		         "no witness saw a process at %s, and a pass over all memory finds none there; 'invar ps --all' lists "
		         "what there is",
		         wanted->text);
	else
		inv_fail(
		    error, INV_E_USAGE,
		    "no process has the PID %s, not even one that only a pass over all memory finds; 'invar ps --all' lists "
		    "what there is",
		    wanted->text);
}

enum inv_code inv_wanted_parse(const char *text, struct inv_wanted *wanted, struct inv_error *error)
{
	*wanted = (struct inv_wanted){.text = text};
	wanted->by_address = text && inv_parse_address(text, &wanted->number);
	if (!text || wanted->by_address || inv_parse_number(text, &wanted->number))
		return INV_OK;
	return inv_fail(error, INV_E_USAGE,
	                "'%s' is neither a process identifier nor an address (0x...); 'invar ps' lists both", text);
}

// What no list leads to is looked for in all memory before giving up.
static struct matches search(const struct inv_session *session, const struct inv_wanted *wanted,
                             const struct inv_check_options *how, struct inv_check **check, struct inv_error *error)
{
	struct inv_check_options options = *how;
	*check = inv_check_run(session->kernel, &options);
	struct matches matches = find(*check, wanted);
	if (matches.count == 0 && !options.swept) {
		inv_check_free(*check);
		options.swept = true;
		*check = inv_check_run(session->kernel, &options);
		matches = find(*check, wanted);
	}
	if (matches.count == 0)
		fail_none(wanted, error);
	return matches;
}

bool inv_is_any_process(const struct inv_session *session, const struct inv_wanted *wanted, struct inv_error *error)
{
	struct inv_check_options how = {.threads = session->options->threads};
	struct inv_check *check;
	bool any = search(session, wanted, &how, &check, error).count > 0;
	inv_check_free(check);
	return any;
}

const struct inv_dossier *inv_pick_process(const struct inv_session *session, const char *text,
                                           const struct inv_check_options *how, struct inv_check **check,
                                           struct inv_error *error)
{
	struct inv_wanted wanted;
	*check = NULL;
	if (inv_wanted_parse(text, &wanted, error) != INV_OK)
		return NULL;
	struct matches matches = search(session, &wanted, how, check, error);
	if (matches.count == 0)
		return NULL;
	if (matches.count == 1)
		return matches.first;
	if (matches.live == 1) {
		inv_log(session->log, INV_LOG_WARNING, "PID %s was also that of %s, which can be named by its address", text,
		        list(*check, &wanted, matches.first_live));
		return matches.first_live;
	}
	inv_fail(error, INV_E_USAGE, "%zu processes have the PID %s: %s; name one by its address", matches.count, text,
	         list(*check, &wanted, NULL));
	return NULL;
}
