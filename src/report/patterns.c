// SPDX-License-Identifier: Apache-2.0
#include "report/patterns.h"

#include "base/array.h"
#include "report/json.h"
#include "report/parts.h"

static json_t *strings_json(const struct inv_pattern_match *match)
{
	json_t *strings = json_array();
	for (size_t i = 0; i < inv_count(match->strings); i++) {
		const struct inv_pattern_string *string = &match->strings[i];
		json_t *object = json_object();
		json_object_set_new(object, "id", json_string(string->id));
		json_object_set_new(object, "address", inv_json_address(string->address));
		json_object_set_new(object, "offset", inv_json_number(string->address - match->start));
		json_object_set_new(object, "length", inv_json_number(string->length));
		json_object_set_new(object, "sample", json_string(string->sample));
		json_array_append_new(strings, object);
	}
	return strings;
}

static json_t *range_json(const struct inv_pattern_match *match)
{
	json_t *range = json_object();
	json_object_set_new(range, "start", inv_json_address(match->start));
	json_object_set_new(range, "end", inv_json_address(match->end));
	json_object_set_new(range, "vad", inv_json_known(match->vad));
	json_object_set_new(range, "kind", json_string(match->kind));
	json_object_set_new(range, "protection", inv_json_text(match->protection));
	json_object_set_new(range, "file", inv_json_text(match->mapped_file));
	return range;
}

static json_t *match_json(const struct inv_pattern_match *match)
{
	json_t *object = json_object(), *process = json_object();
	json_object_set_new(object, "rule", json_string(match->rule));
	json_object_set_new(object, "rules", inv_json_text(match->file));
	json_object_set_new(object, "tags", json_string(match->tags));
	json_object_set_new(process, "address", inv_json_address(match->process->address));
	json_object_set_new(process, "pid", inv_json_value(&match->process->pid));
	json_object_set_new(process, "name",
	                    match->process->name_value.ok ? inv_json_text(match->process->name) : json_null());
	json_object_set_new(object, "process", process);
	json_object_set_new(object, "range", range_json(match));
	json_object_set_new(object, "offset", inv_json_number(match->address - match->start));
	json_object_set_new(object, "strings", strings_json(match));
	json_object_set_new(object, "more", json_boolean(match->more));
	return object;
}

json_t *inv_json_patterns(const struct inv_patterns *patterns)
{
	json_t *list = json_array();
	for (size_t i = 0; patterns && i < inv_count(patterns->matches); i++)
		json_array_append_new(list, match_json(&patterns->matches[i]));
	return list;
}

json_t *inv_json_pattern_search(const struct inv_patterns *patterns)
{
	if (!patterns)
		return json_null();
	json_t *object = json_object();
	json_object_set_new(object, "rules", inv_json_number(patterns->rules));
	json_object_set_new(object, "processes", inv_json_number(patterns->processes));
	json_object_set_new(object, "ranges", inv_json_number(patterns->ranges));
	json_object_set_new(object, "bytes", inv_json_number(patterns->bytes));
	json_object_set_new(object, "timed_out", inv_json_number(patterns->timed_out));
	json_object_set_new(object, "failed", inv_json_number(patterns->failed));
	json_object_set_new(object, "too_big", inv_json_number(patterns->too_big));
	json_object_set_new(object, "dropped", inv_json_number(patterns->dropped));
	return object;
}
