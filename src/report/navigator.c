// SPDX-License-Identifier: Apache-2.0
// A layer of the ATT&CK Navigator (source: mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/export.h"
#include "report/json.h"
#include "report/report.h"

#define NAMED_IN_COMMENT 20u // subjects of one technique; the others are counted

struct row {
	char id[16];
	unsigned score;
	size_t findings, observations;
	char *comment;
};

struct layer {
	struct inv_arena *arena;
	struct row *rows; // stb_ds
	const struct inv_finding *finding;
	bool observed;
};

static unsigned score_of(const struct layer *layer)
{
	static const unsigned scores[] = {[INV_CERTAIN] = 100, [INV_PROBABLE] = 80, [INV_POSSIBLE] = 60};
	return layer->observed ? 25 : scores[layer->finding->certainty];
}

static struct row *row_of(struct layer *layer, const char *id)
{
	for (size_t i = 0; i < inv_count(layer->rows); i++)
		if (strcmp(layer->rows[i].id, id) == 0)
			return &layer->rows[i];
	struct row row = {.comment = inv_arena_strdup(layer->arena, "")};
	snprintf(row.id, sizeof row.id, "%s", id);
	inv_push(layer->rows, row);
	return &layer->rows[inv_count(layer->rows) - 1];
}

static void add_technique(void *context, const char *id)
{
	struct layer *layer = context;
	const struct inv_finding *finding = layer->finding;
	struct row *row = row_of(layer, id);
	if (row->score < score_of(layer))
		row->score = score_of(layer);
	++*(layer->observed ? &row->observations : &row->findings);
	size_t count = row->findings + row->observations;
	if (count <= NAMED_IN_COMMENT)
		row->comment = inv_arena_printf(layer->arena, "%s%s%s: %s (%s)", row->comment, count > 1 ? "\n" : "",
		                                finding->invariant->id, inv_subject_text(layer->arena, &finding->subject),
		                                layer->observed ? "observed" : inv_certainty_name(finding->certainty));
}

static void add_findings(struct layer *layer, struct inv_finding *const *findings, bool observed)
{
	layer->observed = observed;
	for (size_t i = 0; i < inv_count(findings); i++) {
		layer->finding = findings[i];
		inv_each_technique(findings[i]->invariant->attack, add_technique, layer);
	}
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static json_t *pair(const char *name, json_t *value)
{
	return json_pack("{s:s, s:o}", "name", name, "value", value);
}

// Rows are by identifier: a technique's subtechniques follow it.
static bool has_subtechniques(const struct layer *layer, const struct row *row)
{
	const struct row *next = row + 1, *end = layer->rows + inv_count(layer->rows);
	size_t length = strlen(row->id);
	return next < end && strncmp(next->id, row->id, length) == 0 && next->id[length] == '.';
}

static json_t *row_json(const struct layer *layer, const struct row *row)
{
	size_t count = row->findings + row->observations;
	const char *comment = row->comment;
	if (count > NAMED_IN_COMMENT)
		comment = inv_arena_printf(layer->arena, "%s\nand %zu more", comment, count - NAMED_IN_COMMENT);
	json_t *metadata = json_pack("[o, o]", pair("findings", json_sprintf("%zu", row->findings)),
	                             pair("observations", json_sprintf("%zu", row->observations)));
	return json_pack("{s:s, s:i, s:o, s:b, s:b, s:o}", "techniqueID", row->id, "score", (int)row->score, "comment",
	                 inv_json_text(comment), "enabled", 1, "showSubtechniques", has_subtechniques(layer, row),
	                 "metadata", metadata);
}

static json_t *metadata_json(const json_t *report)
{
	const json_t *image = json_object_get(report, "image"), *kernel = json_object_get(report, "kernel");
	const json_t *summary = json_object_get(report, "summary");
	const char *time = json_string_value(json_object_get(kernel, "system_time"));
	const char *kernel_version = json_string_value(json_object_get(kernel, "version"));
	const char *cut_short = json_string_value(json_object_get(summary, "cut_short"));
	json_t *list = json_array();
	json_array_append_new(list, pair("image", json_copy(json_object_get(image, "path"))));
	json_array_append_new(list,
	                      pair("kernel", json_sprintf("Windows %s, %s", kernel_version ? kernel_version : "unknown",
	                                                  json_string_value(json_object_get(kernel, "arch")))));
	json_array_append_new(list, pair("system time", json_string(time ? time : "unknown")));
	json_array_append_new(
	    list, pair("made by", json_sprintf("invar %s", json_string_value(json_object_get(report, "invar")))));
	if (cut_short)
		json_array_append_new(list, pair("incomplete", json_string(cut_short)));
	return list;
}

// Subtechniques that have a row are shown from the start, also where the technique over them has none.
static json_t *layer_json(const struct layer *layer, const json_t *report)
{
	static const char description[] =
	    "Techniques that break what the kernel's records of its processes must agree on. Score: 100, 80, 60 for a "
	    "finding "
	    "that is certain, probable, possible; 25 for what was only observed, which has honest causes too.";
	const char *path = json_string_value(json_object_get(json_object_get(report, "image"), "path"));
	const char *slash = path ? strrchr(path, '/') : NULL;
	json_t *rows = json_array();
	for (size_t i = 0; i < inv_count(layer->rows); i++)
		json_array_append_new(rows, row_json(layer, &layer->rows[i]));
	return json_pack(
	    "{s:o, s:{s:s, s:s, s:s}, s:s, s:s, s:{s:[s]}, s:{s:s, s:s}, s:i, s:o, s:{s:[s, s], s:i, s:i}, s:o, s:b}",
	    "name",
	    json_sprintf("Invar: %s", slash  ? slash + 1
	                              : path ? path
	                                     : ""),
	    "versions", "attack", INV_ATTACK_VERSION, "navigator", "5.1.0", "layer", "4.5", "domain", "enterprise-attack",
	    "description", description, "filters", "platforms", "Windows", "layout", "layout", "side",
	    "expandedSubtechniques", "annotated", "sorting", 3, "techniques", rows, "gradient", "colors", "#ffe7a6",
	    "#e34948", "minValue", 0, "maxValue", 100, "metadata", metadata_json(report), "hideDisabled", 0);
}

json_t *inv_navigator_layer(const struct inv_check *check, const char *version)
{
	struct layer layer = {.arena = inv_arena_new()};
	json_t *report = inv_report_json(check, version);
	add_findings(&layer, check->judge.findings, false);
	add_findings(&layer, check->judge.observations, true);
	if (layer.rows)
		qsort(layer.rows, inv_count(layer.rows), sizeof *layer.rows, by_id);
	json_t *json = layer_json(&layer, report);
	json_decref(report);
	inv_array_free(layer.rows);
	inv_arena_free(layer.arena);
	return json;
}
