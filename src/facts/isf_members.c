// SPDX-License-Identifier: Apache-2.0
// All members of a type of an ISF document, in words.
#include "facts/isf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MAX_MEMBERS 65536
// How many pointers and arrays may stand in a row in one type.
#define MAX_NESTING 16
#define MAX_TEXT 256

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) && json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
}

static void append(char text[MAX_TEXT], const char *more)
{
	size_t used = strlen(text);
	snprintf(text + used, MAX_TEXT - used, "%s", more);
}

static void describe(const json_t *type, char text[MAX_TEXT])
{
	text[0] = 0;
	for (unsigned depth = 0; depth < MAX_NESTING; depth++) {
		const char *kind = text_of(type, "kind");
		char count[64];
		if (strcmp(kind, "pointer") == 0) {
			append(text, "pointer to ");
			type = json_object_get(type, "subtype");
		} else if (strcmp(kind, "array") == 0) {
			snprintf(count, sizeof count, "array of %llu ", (unsigned long long)number_of(type, "count"));
			append(text, count);
			type = json_object_get(type, "subtype");
		} else if (strcmp(kind, "bitfield") == 0) {
			snprintf(count, sizeof count, "%llu bits of ", (unsigned long long)number_of(type, "bit_length"));
			append(text, count);
			type = json_object_get(type, "type");
		} else {
			const char *name = text_of(type, "name");
			append(text, *name ? name : kind);
			return;
		}
	}
	append(text, "...");
}

// Bytes of a type that is neither pointer nor array; 0 if not known.
static uint64_t plain_size(const struct inv_isf *isf, const json_t *type)
{
	const char *kind = text_of(type, "kind");
	const char *section = "user_types";
	if (strcmp(kind, "base") == 0)
		section = "base_types";
	else if (strcmp(kind, "enum") == 0)
		section = "enums";
	else if (strcmp(kind, "bitfield") == 0)
		return plain_size(isf, json_object_get(type, "type"));
	return number_of(json_object_get(json_object_get(isf->root, section), text_of(type, "name")), "size");
}

static uint32_t size_of(const struct inv_isf *isf, const json_t *type)
{
	uint64_t count = 1;
	for (unsigned depth = 0; depth < MAX_NESTING; depth++) {
		const char *kind = text_of(type, "kind");
		uint64_t size;
		if (strcmp(kind, "array") == 0) {
			uint64_t more = number_of(type, "count");
			if (__builtin_mul_overflow(count, more, &count))
				return 0;
			type = json_object_get(type, "subtype");
			continue;
		}
		if (strcmp(kind, "pointer") == 0)
			size = number_of(json_object_get(json_object_get(isf->root, "base_types"), "pointer"), "size");
		else
			size = plain_size(isf, type);
		if (__builtin_mul_overflow(count, size, &size) || size > UINT32_MAX)
			return 0;
		return (uint32_t)size;
	}
	return 0;
}

struct entry {
	struct inv_member member;
	const json_t *type;
};

static int compare(const void *left, const void *right)
{
	const struct inv_member *a = &((const struct entry *)left)->member;
	const struct inv_member *b = &((const struct entry *)right)->member;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	// The larger first, and what is no bit field: a union's whole before its parts.
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	if (!a->place.bits != !b->place.bits)
		return a->place.bits ? 1 : -1;
	if (a->place.bit != b->place.bit)
		return a->place.bit < b->place.bit ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool entry_of(const struct inv_isf *isf, const char *name, const json_t *field, struct entry *entry)
{
	const json_t *type = json_object_get(field, "type");
	const json_t *offset = json_object_get(field, "offset");
	if (!json_is_integer(offset) || json_integer_value(offset) < 0 || json_integer_value(offset) > UINT32_MAX)
		return false;
	struct inv_member *member = &entry->member;
	*member = (struct inv_member){.name = name, .offset = (uint32_t)json_integer_value(offset)};
	member->size = size_of(isf, type);
	member->place.offset = member->offset < INV_NO_OFFSET ? (uint16_t)member->offset : INV_NO_OFFSET;
	uint64_t bit = number_of(type, "bit_position");
	uint64_t bits = number_of(type, "bit_length");
	// Impossible bits are left out: the member is then shown as the whole integer.
	if (bits && member->size <= 8 && bit < 64 && bits <= 64 && bit + bits <= (uint64_t)member->size * 8) {
		member->place.bit = (uint8_t)bit;
		member->place.bits = (uint8_t)bits;
		member->place.width = (uint8_t)member->size;
	}
	entry->type = type;
	return true;
}

bool inv_isf_members(const struct inv_isf *isf, const char *type, uint32_t *size,
                     void (*each)(void *context, const struct inv_member *member), void *context)
{
	const json_t *found = json_object_get(json_object_get(isf->root, "user_types"), type);
	json_t *fields = json_object_get(found, "fields");
	size_t total = json_object_size(fields);
	if (!json_is_object(fields) || total > MAX_MEMBERS)
		return false;
	uint64_t bytes = number_of(found, "size");
	*size = bytes <= UINT32_MAX ? (uint32_t)bytes : 0;

	struct entry *entries = inv_alloc(total * sizeof *entries);
	size_t count = 0;
	const char *name;
	json_t *field;
	json_object_foreach(fields, name, field)
	{
		if (entry_of(isf, name, field, &entries[count]))
			count++;
	}
	qsort(entries, count, sizeof *entries, compare);
	for (size_t i = 0; i < count; i++) {
		char text[MAX_TEXT];
		describe(entries[i].type, text);
		entries[i].member.type = text;
		each(context, &entries[i].member);
	}
	free(entries);
	return true;
}
