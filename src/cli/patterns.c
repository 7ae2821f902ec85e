// SPDX-License-Identifier: Apache-2.0
#include "cli/patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

#include "base/array.h"
#include "cli/inside.h"

#define PAGE 4096u
#define GAP ((uint64_t)1 << 20)     // a hole that is larger parts a range into pieces
#define WINDOW ((uint64_t)32 << 20) // searched at once
#define OVERLAP ((uint64_t)1 << 20) // of two windows: no string across their border is missed that is shorter
#define MOST_OF_PROCESS ((uint64_t)16 << 30)
#define MOST_MATCHES 10000u
#define MOST_STRINGS 16u
#define TIME_LIMIT 60 // seconds for one window

struct inv_pattern_rules {
	YR_RULES *rules;
	size_t count;
};

// -- rules ------------------------------------------------------------------------------------------------------------------

struct complaint {
	const struct inv_log *log;
	struct inv_error *error;
	bool said;
};

static void complain(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *context)
{
	struct complaint *complaint = context;
	(void)rule;
	if (level == YARA_ERROR_LEVEL_WARNING) {
		inv_log(complaint->log, INV_LOG_INFO, "%s, line %d: %s", file ? file : "?", line, message);
	} else if (!complaint->said) {
		complaint->said = true;
		inv_fail(complaint->error, INV_E_USAGE, "%s, line %d: %s", file ? file : "?", line, message);
	}
}

static enum inv_code compile(YR_COMPILER *compiler, const char *path, struct complaint *complaint)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return inv_fail(complaint->error, INV_E_USAGE, "cannot read the rules %s: %s", path, strerror(errno));
	int errors = yr_compiler_add_file(compiler, file, path, path);
	fclose(file);
	if (errors > 0 && !complaint->said)
		return inv_fail(complaint->error, INV_E_USAGE, "the rules %s cannot be compiled", path);
	return errors > 0 ? INV_E_USAGE : INV_OK;
}

static enum inv_code compile_all(YR_COMPILER *compiler, const char *const *files, size_t count,
                                 struct complaint *complaint, struct inv_pattern_rules *rules)
{
	YR_RULE *rule;
	enum inv_code code = INV_OK;
	yr_compiler_set_callback(compiler, complain, complaint);
	for (size_t i = 0; i < count && code == INV_OK; i++)
		code = compile(compiler, files[i], complaint);
	if (code != INV_OK)
		return code;
	if (yr_compiler_get_rules(compiler, &rules->rules) != ERROR_SUCCESS)
		return inv_fail(complaint->error, INV_E_INTERNAL, "libyara cannot make rules of what it compiled");
	yr_rules_foreach(rules->rules, rule) rules->count++;
	return INV_OK;
}

enum inv_code inv_pattern_rules_read(const char *const *files, size_t count, const struct inv_log *log,
                                     struct inv_pattern_rules **rules, struct inv_error *error)
{
	YR_COMPILER *compiler = NULL;
	struct complaint complaint = {.log = log, .error = error};
	*rules = NULL;
	if (yr_initialize() != ERROR_SUCCESS)
		return inv_fail(error, INV_E_INTERNAL, "libyara cannot be started");
	*rules = inv_alloc(sizeof **rules);
	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return inv_fail(error, INV_E_INTERNAL, "libyara cannot make a compiler");
	enum inv_code code = compile_all(compiler, files, count, &complaint, *rules);
	yr_compiler_destroy(compiler);
	return code;
}

void inv_pattern_rules_free(struct inv_pattern_rules *rules)
{
	if (!rules)
		return;
	if (rules->rules)
		yr_rules_destroy(rules->rules);
	free(rules);
	yr_finalize();
}

// -- searching --------------------------------------------------------------------------------------------------------------

struct search {
	const struct inv_session *session;
	struct inv_patterns *patterns;
	struct inv_arena *arena;
	const struct inv_opened *opened;
	struct inv_control_areas *sections;
	const struct inv_range *range;
	size_t first_of_range; // in `matches`
	uint64_t window;       // address
	uint8_t *buffer;       // WINDOW + OVERLAP
	uint64_t room;         // bytes of this process that may still be searched
};

static const char *sample(struct inv_arena *arena, const YR_MATCH *match)
{
	size_t length = match->data_length < 0 ? 0 : (size_t)match->data_length;
	char text[2 * INV_PATTERN_SAMPLE + 1] = "";
	for (size_t i = 0; i < length && i < INV_PATTERN_SAMPLE; i++)
		snprintf(text + 2 * i, 3, "%02x", match->data[i]);
	return inv_arena_strdup(arena, text);
}

static bool is_kept(const struct inv_pattern_match *match, const char *id, uint64_t address)
{
	for (size_t i = 0; i < inv_count(match->strings); i++)
		if (match->strings[i].address == address && strcmp(match->strings[i].id, id) == 0)
			return true;
	return false;
}

// libyara packs its matches without regard to alignment, so each is copied; NULL at the end.
static const void *next_match(const void *at, YR_MATCH *match)
{
	if (at)
		memcpy(match, at, sizeof *match);
	return at;
}

// false: there are more than are kept.
static bool keep_string(const struct search *search, const YR_STRING *string, const YR_MATCH *found,
                        struct inv_pattern_match *match)
{
	uint64_t address = search->window + (uint64_t)(found->base + found->offset);
	struct inv_pattern_string kept = {NULL, address, (uint32_t)found->match_length, NULL};
	if (found->is_private || is_kept(match, string->identifier, address)) // in the overlap of two windows
		return true;
	match->more = inv_count(match->strings) >= MOST_STRINGS;
	if (match->more)
		return false;
	kept.id = inv_arena_strdup(search->arena, string->identifier);
	kept.sample = sample(search->arena, found);
	inv_push(match->strings, kept);
	return true;
}

static void keep_strings(const struct search *search, YR_SCAN_CONTEXT *context, const YR_RULE *rule,
                         struct inv_pattern_match *match)
{
	const YR_STRING *string;
	YR_MATCH found;
	yr_rule_strings_foreach(rule, string)
	{
		const void *at = context->matches[string->idx].head;
		for (; next_match(at, &found); at = found.next)
			if (!keep_string(search, string, &found, match))
				return;
	}
}

static const char *tags_of(struct inv_arena *arena, const YR_RULE *rule)
{
	const char *tag;
	const char *text = "";
	yr_rule_tags_foreach(rule, tag) text = inv_arena_printf(arena, "%s%s%s", text, *text ? " " : "", tag);
	return text;
}

static struct inv_pattern_match new_match(const struct search *search, const YR_RULE *rule)
{
	const struct inv_vad *vad = search->range->vad;
	char protection[8] = "";
	struct inv_pattern_match match = {
	    .rule = inv_arena_strdup(search->arena, rule->identifier),
	    .file = inv_arena_strdup(search->arena, rule->ns->name),
	    .tags = tags_of(search->arena, rule),
	    .process = search->opened->inside.process,
	    .start = search->range->span.start,
	    .end = search->range->span.end,
	    .kind = "no VAD",
	    .address = search->window,
	};
	if (vad) {
		const char *file = inv_vad_file(search->sections, vad, NULL);
		match.vad = vad->address;
		match.kind = inv_vad_kind(vad, search->arena);
		match.protection = inv_arena_strdup(search->arena, inv_protection_text(vad->protection, protection));
		match.mapped_file = file ? inv_arena_strdup(search->arena, file) : NULL;
	}
	return match;
}

// One rule in one range is one match, in however many windows.
static struct inv_pattern_match *match_of(struct search *search, const YR_RULE *rule)
{
	struct inv_patterns *patterns = search->patterns;
	for (size_t i = search->first_of_range; i < inv_count(patterns->matches); i++)
		if (strcmp(patterns->matches[i].rule, rule->identifier) == 0 &&
		    strcmp(patterns->matches[i].file, rule->ns->name) == 0)
			return &patterns->matches[i];
	if (inv_count(patterns->matches) >= MOST_MATCHES) {
		patterns->dropped++;
		return NULL;
	}
	struct inv_pattern_match match = new_match(search, rule);
	inv_push(patterns->matches, match);
	return &patterns->matches[inv_count(patterns->matches) - 1];
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	struct search *search = user;
	if (message != CALLBACK_MSG_RULE_MATCHING)
		return CALLBACK_CONTINUE;
	struct inv_pattern_match *match = match_of(search, data);
	if (match) {
		bool first = !match->strings;
		keep_strings(search, context, data, match);
		for (size_t i = 0; first && i < inv_count(match->strings); i++)
			if (i == 0 || match->strings[i].address < match->address)
				match->address = match->strings[i].address;
	}
	return CALLBACK_CONTINUE;
}

// What is absent reads as zeros.
static void fill(const struct search *search, uint64_t start, size_t size)
{
	const struct inv_ranges *ranges = &search->opened->ranges;
	struct inv_space *space = inv_user_space(search->opened->inside.user);
	memset(search->buffer, 0, size);
	for (size_t i = inv_entries_from(ranges, start); i < inv_count(ranges->entries); i++) {
		uint64_t from = ranges->entries[i].start > start ? ranges->entries[i].start : start;
		uint64_t to = ranges->entries[i].end < start + size ? ranges->entries[i].end : start + size;
		if (from >= to)
			return;
		for (uint64_t at = from; at < to; at += PAGE - at % PAGE) {
			size_t length = (size_t)(to - at < PAGE - at % PAGE ? to - at : PAGE - at % PAGE);
			uint8_t *bytes = search->buffer + (at - start);
			if (inv_space_read(space, at, bytes, length, NULL) < length)
				memset(bytes, 0, length);
		}
	}
}

static void search_window(struct search *search, uint64_t start, size_t size)
{
	struct inv_patterns *patterns = search->patterns;
	if (size > search->room) {
		patterns->too_big += search->room > 0;
		search->room = 0;
		return;
	}
	search->room -= size;
	search->window = start;
	fill(search, start, size);
	// A fault of libyara is to be seen, so it may not catch signals.
	int flags = SCAN_FLAGS_PROCESS_MEMORY | SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_NO_TRYCATCH;
	int result = yr_rules_scan_mem(search->session->pattern_rules->rules, search->buffer, size, flags, on_message,
	                               search, TIME_LIMIT);
	patterns->bytes += size;
	patterns->timed_out += result == ERROR_SCAN_TIMEOUT;
	patterns->failed += result != ERROR_SUCCESS && result != ERROR_SCAN_TIMEOUT;
}

static void search_piece(struct search *search, struct inv_span piece)
{
	for (uint64_t at = piece.start; at < piece.end && search->room > 0; at += WINDOW) {
		uint64_t left = piece.end - at;
		search_window(search, at, (size_t)(left < WINDOW + OVERLAP ? left : WINDOW + OVERLAP));
		if (left <= WINDOW + OVERLAP)
			return;
	}
}

// Parts of a range between which nothing is there for long. What begins with the range begins with its first byte, as rules may ask
// what stands there.
static void search_range(struct search *search)
{
	const struct inv_ranges *ranges = &search->opened->ranges;
	struct inv_span whole = search->range->span, piece = {0};
	for (size_t i = inv_entries_from(ranges, whole.start); i < inv_count(ranges->entries); i++) {
		struct inv_span entry = ranges->entries[i];
		entry.start = entry.start > whole.start ? entry.start : whole.start;
		entry.end = entry.end < whole.end ? entry.end : whole.end;
		if (entry.start >= entry.end)
			break;
		if (piece.end == 0)
			piece.start = entry.start - whole.start <= GAP ? whole.start : entry.start;
		else if (entry.start - piece.end > GAP) {
			search_piece(search, piece);
			piece.start = entry.start;
		}
		piece.end = entry.end;
	}
	if (piece.end == 0)
		return;
	if (whole.end - piece.end <= GAP)
		piece.end = whole.end;
	search->patterns->ranges++;
	search_piece(search, piece);
}

static void search_process(struct search *search)
{
	const struct inv_ranges *ranges = &search->opened->ranges;
	search->room = MOST_OF_PROCESS;
	search->patterns->processes++;
	for (size_t i = 0; i < inv_count(ranges->ranges) && search->opened->inside.user; i++) {
		search->range = &ranges->ranges[i];
		search->first_of_range = inv_count(search->patterns->matches);
		search_range(search);
	}
}

void inv_patterns_search(const struct inv_session *session, const struct inv_check *check, struct inv_arena *arena,
                         struct inv_patterns *patterns)
{
	struct inv_opener opener;
	struct search search = {.session = session, .patterns = patterns, .arena = arena};
	*patterns = (struct inv_patterns){.rules = session->pattern_rules->count};
	inv_opener_start(&opener, session, check);
	search.sections = opener.sections;
	search.buffer = inv_alloc(WINDOW + OVERLAP);
	inv_progress_begin(check->kernel->progress, INV_PHASE_RULES, check->dossiers.process_count);
	for (size_t i = 0; i < check->dossiers.process_count; i++) {
		struct inv_opened opened;
		inv_progress_add(check->kernel->progress, 1);
		if (inv_progress_stopped(check->kernel->progress)) {
			patterns->too_big++; // not searched to its end
			continue;
		}
		if (!inv_has_inside(&check->dossiers.processes[i], check->kernel))
			continue;
		inv_open_inside(&opener, &check->dossiers.processes[i], &opened);
		inv_warn_of_gaps(session, &opened);
		search.opened = &opened;
		search_process(&search);
		inv_close_inside(&opened);
	}
	free(search.buffer);
	inv_opener_end(&opener);
}

void inv_patterns_free(struct inv_patterns *patterns)
{
	for (size_t i = 0; i < inv_count(patterns->matches); i++)
		inv_array_free(patterns->matches[i].strings);
	inv_array_free(patterns->matches);
}
