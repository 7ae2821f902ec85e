// SPDX-License-Identifier: Apache-2.0
// A bundle of STIX (source: OASIS, STIX Version 2.1, stix-v2.1-os).
//
// Identifiers do not depend on chance: UUIDs of version 5. Of files and directories in the name space and by the properties that STIX
// says (section 2.9), so that other producers name them alike; of all else in a name space of this program's own, by the
// image's fingerprint.
#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/database_rows.h"
#include "report/export.h"
#include "report/json.h"
#include "report/report.h"

#define ID_SIZE 64
#define MOST_NOTES 10000u // findings and observations that get a note each; the others are counted in the summary
#define SINCE "2026-01-01T00:00:00.000Z"          // of what is the same in every bundle
#define PATTERNS_SINCE "2026-11-23T00:00:00.000Z" // when a name or tactic of an attack pattern last changed
#define UNKNOWN_TIME "1970-01-01T00:00:00.000Z"
#define TIME_SIZE 32

// 00abedb4-aa42-466c-9c01-fed23315a9b7: section 2.9.
static const uint8_t stix_space[16] = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
                                       0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
// Drawn once, for this program.
static const uint8_t own_space[16] = {0x6b, 0x1f, 0x3a, 0x52, 0x0d, 0x7e, 0x4c, 0x86,
                                      0x9e, 0x21, 0xc4, 0x95, 0x77, 0x08, 0xb3, 0xda};

struct bundle {
	const struct inv_check *check;
	const char *version;
	struct inv_arena *arena;
	char fingerprint[INV_FINGERPRINT_SIZE];
	char time[TIME_SIZE];
	char identity[ID_SIZE];
	json_t *objects, *refs; // refs: of the report
	json_t *known;          // keys: the identifiers of what is in `objects`
	json_t *patterns;       // of the finding that is written now
};

// RFC 4122, 4.3.
static void make_id(char id[ID_SIZE], const char *type, const uint8_t space[16], const char *name)
{
	struct sha1_ctx hash;
	uint8_t d[SHA1_DIGEST_SIZE];
	sha1_init(&hash);
	sha1_update(&hash, 16, space);
	sha1_update(&hash, strlen(name), (const uint8_t *)name);
	sha1_digest(&hash, sizeof d, d);
	d[6] = (uint8_t)((d[6] & 0x0f) | 0x50);
	d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
	snprintf(id, ID_SIZE, "%s--%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", type, d[0], d[1],
	         d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

// Milliseconds, and only years of four digits. false: not such a time.
static bool make_time(char time[TIME_SIZE], const json_t *value)
{
	const char *text = json_string_value(value);
	if (!text || strlen(text) < 24 || text[4] != '-' || text[19] != '.')
		return false;
	snprintf(time, TIME_SIZE, "%.23sZ", text);
	return true;
}

// A string as RFC 8785 writes it, for the names of identifiers.
static char *canonical(const struct bundle *bundle, const char *text)
{
	char *result = inv_arena_alloc(bundle->arena, strlen(text) * 6 + 3), *at = result;
	*at++ = '"';
	for (const char *c = text; *c; c++) {
		static const char letters[] = "btn\0fr"; // of 8 to 13
		if ((unsigned char)*c >= 0x20) {
			if (*c == '"' || *c == '\\')
				*at++ = '\\';
			*at++ = *c;
		} else if (*c >= 8 && *c <= 13 && *c != 11) {
			*at++ = '\\';
			*at++ = letters[*c - 8];
		} else {
			at += snprintf(at, 7, "\\u%04x", (unsigned)*c);
		}
	}
	*at++ = '"';
	*at = 0;
	return result;
}

static bool is_known(struct bundle *bundle, const char *id)
{
	if (json_object_get(bundle->known, id))
		return true;
	json_object_set_new(bundle->known, id, json_true());
	return false;
}

static void add(struct bundle *bundle, const char *id, json_t *object)
{
	json_array_append_new(bundle->objects, object);
	json_array_append_new(bundle->refs, json_string(id));
}

// What all objects of a domain begin with.
static json_t *new_object(const struct bundle *bundle, const char *type, const char *id)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", type, "spec_version", "2.1", "id", id, "created_by_ref",
	                 bundle->identity, "created", bundle->time, "modified", bundle->time);
}

// Whose identifiers are this image's and this version's own.
static void own_id(const struct bundle *bundle, char id[ID_SIZE], const char *type, const char *key)
{
	make_id(id, type, own_space,
	        inv_arena_printf(bundle->arena, "%s:%s:%s:%s", type, bundle->fingerprint, bundle->version, key));
}

static void add_identity(struct bundle *bundle)
{
	make_id(bundle->identity, "identity", own_space, "identity:invar");
	json_array_append_new(bundle->objects,
	                      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "type", "identity", "spec_version",
	                                "2.1", "id", bundle->identity, "created", SINCE, "modified", SINCE, "name", "Invar",
	                                "identity_class", "system", "description",
	                                "Proves contradictions between the Windows kernel's records of its processes."));
}

// -- processes ---------------------------------------------------------------------------------------------------------------

static const char *add_directory(struct bundle *bundle, const char *path)
{
	char *id = inv_arena_alloc(bundle->arena, ID_SIZE);
	make_id(id, "directory", stix_space, inv_arena_printf(bundle->arena, "{\"path\":%s}", canonical(bundle, path)));
	if (!is_known(bundle, id))
		json_array_append_new(bundle->objects, json_pack("{s:s, s:s, s:s, s:o}", "type", "directory", "spec_version",
		                                                 "2.1", "id", id, "path", inv_json_text(path)));
	return id;
}

// The program by the name that the kernel noted of it; NULL: none.
static const char *add_file(struct bundle *bundle, const struct inv_dossier *process)
{
	const char *last = strrchr(process->path, '\\'), *name = last ? last + 1 : process->path;
	const char *folder = NULL, *key;
	if (!*name)
		return NULL;
	if (last && last > process->path)
		folder =
		    add_directory(bundle, inv_arena_printf(bundle->arena, "%.*s", (int)(last - process->path), process->path));
	key = folder ? inv_arena_printf(bundle->arena, "{\"name\":%s,\"parent_directory_ref\":\"%s\"}",
	                                canonical(bundle, name), folder)
	             : inv_arena_printf(bundle->arena, "{\"name\":%s}", canonical(bundle, name));
	char *id = inv_arena_alloc(bundle->arena, ID_SIZE);
	make_id(id, "file", stix_space, key);
	if (is_known(bundle, id))
		return id;
	json_t *file =
	    json_pack("{s:s, s:s, s:s, s:o}", "type", "file", "spec_version", "2.1", "id", id, "name", inv_json_text(name));
	if (folder)
		json_object_set_new(file, "parent_directory_ref", json_string(folder));
	json_array_append_new(bundle->objects, file);
	return id;
}

// What was observed of a process; its identifier.
static const char *add_process(struct bundle *bundle, const struct inv_dossier *process)
{
	char id[ID_SIZE], time[TIME_SIZE], *observed = inv_arena_alloc(bundle->arena, ID_SIZE);
	const char *key = inv_arena_printf(bundle->arena, "0x%llx", (unsigned long long)process->address);
	own_id(bundle, id, "process", key);
	own_id(bundle, observed, "observed-data", key);
	if (is_known(bundle, observed))
		return observed;
	json_t *object = json_pack("{s:s, s:s, s:s, s:b}", "type", "process", "spec_version", "2.1", "id", id, "is_hidden",
	                           process->state == INV_STATE_HIDDEN);
	json_t *refs = json_pack("[s]", id);
	if (process->pid.ok && process->pid.u <= INT32_MAX)
		json_object_set_new(object, "pid", json_integer((json_int_t)process->pid.u));
	struct inv_value created = inv_field(bundle->check->kernel, process->address, INV_F_EPROCESS_CreateTime);
	json_t *created_json = inv_json_time(&created);
	if (make_time(time, created_json))
		json_object_set_new(object, "created_time", json_string(time));
	json_decref(created_json);
	const char *file = add_file(bundle, process);
	if (file) {
		json_object_set_new(object, "image_ref", json_string(file));
		json_array_append_new(refs, json_string(file));
	}
	json_array_append_new(bundle->objects, object);
	json_t *data = new_object(bundle, "observed-data", observed);
	json_object_set_new(data, "first_observed", json_string(bundle->time));
	json_object_set_new(data, "last_observed", json_string(bundle->time));
	json_object_set_new(data, "number_observed", json_integer(1));
	json_object_set_new(data, "object_refs", refs);
	add(bundle, observed, data);
	return observed;
}

// -- findings ----------------------------------------------------------------------------------------------------------------

static void add_phase(void *context, const char *tactic)
{
	json_array_append_new(context, json_pack("{s:s, s:s}", "kill_chain_name", "mitre-attack", "phase_name", tactic));
}

static void add_pattern(void *context, const char *technique)
{
	struct bundle *bundle = context;
	char id[ID_SIZE];
	const char *name = inv_technique_name(technique), *dot = strchr(technique, '.');
	make_id(id, "attack-pattern", own_space, inv_arena_printf(bundle->arena, "attack-pattern:%s", technique));
	json_array_append_new(bundle->patterns, json_string(id));
	if (is_known(bundle, id))
		return;
	json_t *url = json_sprintf("https://attack.mitre.org/techniques/%.*s%s%s", dot ? (int)(dot - technique) : 15,
	                           technique, dot ? "/" : "", dot ? dot + 1 : "");
	json_t *reference =
	    json_pack("{s:s, s:s, s:o}", "source_name", "mitre-attack", "external_id", technique, "url", url);
	json_t *pattern = new_object(bundle, "attack-pattern", id);
	json_object_set_new(pattern, "created", json_string(SINCE));
	json_object_set_new(pattern, "modified", json_string(PATTERNS_SINCE));
	json_object_set_new(pattern, "name", json_string(name ? name : technique));
	json_object_set_new(pattern, "external_references", json_pack("[o]", reference));
	json_t *phases = json_array();
	inv_each_tactic(technique, add_phase, phases);
	if (json_array_size(phases) > 0)
		json_object_set(pattern, "kill_chain_phases", phases);
	json_decref(phases);
	add(bundle, id, pattern);
}

static const char *story(const struct bundle *bundle, const struct inv_finding *finding)
{
	const char *text =
	    inv_arena_printf(bundle->arena, "%s\n\n%s: %s. Accused: the %s record.\n", finding->invariant->statement,
	                     inv_certainty_name(finding->certainty), finding->certainty_why, inv_tier_name(finding->tier));
	for (size_t i = 0; i < inv_count(finding->evidence); i++) {
		const struct inv_evidence *e = &finding->evidence[i];
		text = inv_arena_printf(bundle->arena, "%s\n%s [%s] %s = 0x%llx at 0x%llx: %s", text, e->witness,
		                        inv_tier_name(e->tier), e->field, (unsigned long long)e->value,
		                        (unsigned long long)e->address, e->says);
	}
	for (size_t i = 0; i < inv_count(finding->tried); i++)
		text = inv_arena_printf(bundle->arena, "%s\nNot excused by %s: %s", text, finding->tried[i].exception,
		                        finding->tried[i].why_not);
	return text;
}

// The scale of STIX, appendix A.1: high, medium, low.
static int confidence(const struct inv_finding *finding)
{
	static const int values[] = {[INV_CERTAIN] = 85, [INV_PROBABLE] = 50, [INV_POSSIBLE] = 15};
	return values[finding->certainty];
}

static void add_note(struct bundle *bundle, const struct inv_finding *finding, size_t number, bool observed)
{
	char id[ID_SIZE];
	own_id(bundle, id, "note", inv_arena_printf(bundle->arena, "%zu", number));
	json_t *refs = json_array();
	if (finding->subject.process)
		json_array_append_new(refs, json_string(add_process(bundle, finding->subject.process)));
	bundle->patterns = json_array();
	inv_each_technique(finding->invariant->attack, add_pattern, bundle);
	json_array_extend(refs, bundle->patterns);
	json_decref(bundle->patterns);
	if (json_array_size(refs) == 0)
		json_array_append_new(refs, json_string(bundle->identity));
	json_t *note = new_object(bundle, "note", id);
	json_object_set_new(note, "abstract",
	                    inv_json_text(inv_arena_printf(bundle->arena, "%s: %s", finding->invariant->id,
	                                                   inv_subject_text(bundle->arena, &finding->subject))));
	json_object_set_new(note, "content", inv_json_text(story(bundle, finding)));
	json_object_set_new(note, "labels", json_pack("[s]", observed ? "observation" : "finding"));
	json_object_set_new(note, "confidence", json_integer(confidence(finding)));
	json_object_set_new(note, "object_refs", refs);
	add(bundle, id, note);
}

static size_t add_notes(struct bundle *bundle)
{
	const struct inv_judge *judge = &bundle->check->judge;
	size_t findings = inv_count(judge->findings), all = findings + inv_count(judge->observations);
	for (size_t i = 0; i < all && i < MOST_NOTES; i++)
		add_note(bundle, i < findings ? judge->findings[i] : judge->observations[i - findings], i, i >= findings);
	return all < MOST_NOTES ? 0 : all - MOST_NOTES;
}

// How complete the check was, without which no silence means anything.
static void add_summary(struct bundle *bundle, const json_t *report, size_t left_out)
{
	char id[ID_SIZE];
	const json_t *summary = json_object_get(report, "summary");
	const char *cut_short = json_string_value(json_object_get(summary, "cut_short"));
	own_id(bundle, id, "note", "summary");
	json_t *note = new_object(bundle, "note", id);
	json_t *content = json_sprintf(
	    "%lld processes. %lld verdicts: %lld hold, %lld broken, %lld observed, %lld excused, %lld unknown.%s%s%s",
	    json_integer_value(json_object_get(summary, "processes")),
	    json_integer_value(json_object_get(summary, "judged")), json_integer_value(json_object_get(summary, "holds")),
	    json_integer_value(json_object_get(summary, "broken")),
	    json_integer_value(json_object_get(summary, "observed")),
	    json_integer_value(json_object_get(summary, "excused")),
	    json_integer_value(json_object_get(summary, "unknown")), cut_short ? " Incomplete: " : "",
	    cut_short ? cut_short : "", left_out ? inv_arena_printf(bundle->arena, " %zu have no note.", left_out) : "");
	json_object_set_new(note, "abstract", json_string("How complete the check was"));
	json_object_set_new(note, "content", content);
	json_object_set_new(note, "object_refs", json_pack("[s]", bundle->identity));
	add(bundle, id, note);
}

static void add_report(struct bundle *bundle, const json_t *report)
{
	char id[ID_SIZE];
	const json_t *kernel = json_object_get(report, "kernel"), *image = json_object_get(report, "image");
	const char *windows = json_string_value(json_object_get(kernel, "version"));
	own_id(bundle, id, "report", "");
	json_t *object = new_object(bundle, "report", id);
	json_object_set_new(
	    object, "name",
	    inv_json_text(inv_arena_printf(bundle->arena, "Invar: %s", json_string_value(json_object_get(image, "path")))));
	json_object_set_new(
	    object, "description",
	    json_sprintf("Windows %s, %s. Where the kernel's records of its processes contradict each other.%s",
	                 windows ? windows : "of unknown version", json_string_value(json_object_get(kernel, "arch")),
	                 strcmp(bundle->time, UNKNOWN_TIME) == 0
	                     ? " The machine's time is not known; the times of this report mean nothing."
	                     : ""));
	json_object_set_new(object, "report_types", json_pack("[s]", "observed-data"));
	json_object_set_new(object, "published", json_string(bundle->time));
	json_object_set(object, "object_refs", bundle->refs);
	json_array_append_new(bundle->objects, object);
}

json_t *inv_stix_bundle(const struct inv_check *check, const char *version)
{
	struct bundle bundle = {.check = check,
	                        .version = version,
	                        .arena = inv_arena_new(),
	                        .time = UNKNOWN_TIME,
	                        .objects = json_array(),
	                        .refs = json_array(),
	                        .known = json_object()};
	char id[ID_SIZE];
	json_t *report = inv_report_json(check, version);
	inv_image_fingerprint(check, bundle.fingerprint);
	(void)make_time(bundle.time, json_object_get(json_object_get(report, "kernel"), "system_time"));
	add_identity(&bundle);
	add_summary(&bundle, report, add_notes(&bundle));
	add_report(&bundle, report);
	own_id(&bundle, id, "bundle", "");
	json_t *json = json_pack("{s:s, s:s, s:o}", "type", "bundle", "id", id, "objects", bundle.objects);
	json_decref(report);
	json_decref(bundle.refs);
	json_decref(bundle.known);
	inv_arena_free(bundle.arena);
	return json;
}
