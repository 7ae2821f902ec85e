// SPDX-License-Identifier: Apache-2.0
// A structure by our own list, for `dt` without a symbol file.
#include "facts/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// Whether `names` ("a|b") has this very name.
static bool listed(const char *names, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = names; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, name, length) == 0 && (at[length] == 0 || at[length] == '|'))
			return true;
	}
	return false;
}

static bool find_type(const char *name, enum inv_type *type)
{
	for (unsigned i = 0; i < INV_TYPE_COUNT; i++) {
		const struct inv_type_info *info = inv_type_info((enum inv_type)i);
		if (strcmp(info->name, name) == 0 || listed(info->names, name)) {
			*type = (enum inv_type)i;
			return true;
		}
	}
	return false;
}

#define NO_TARGET INV_TYPE_COUNT

// One more than the type, so that 0 is none.
static const uint16_t targets[INV_FIELD_COUNT] = {
#define INV_TARGET(type, field, target) [INV_F_##type##_##field] = INV_T_##target + 1,
#include "facts/targets.def"
};

// Where a pointer of our list leads to, or what stands in the place itself.
static enum inv_type target_of(enum inv_field field)
{
	return targets[field] ? (enum inv_type)(targets[field] - 1) : NO_TARGET;
}

static const char *const pointers[] = {
#define INV_TYPE(type, names) "pointer to _" #type,
#include "facts/fields.def"
};

static const char *const fast_refs[] = {
#define INV_TYPE(type, names) "_EX_FAST_REF to _" #type,
#include "facts/fields.def"
};

static struct inv_member member_of(const struct inv_layout *layout, enum inv_field field)
{
	const struct inv_field_info *info = inv_field_info(field);
	uint32_t pointer = layout->arch == INV_ARCH_X86 ? 4 : 8;
	struct inv_member member = {.name = info->name, .place = layout->place[field]};
	member.offset = member.place.offset;
	enum inv_type target = target_of(field);
	switch (info->kind) {
	case INV_U8:
		member.type = "unsigned char";
		member.size = 1;
		break;
	case INV_U16:
		member.type = "unsigned short";
		member.size = 2;
		break;
	case INV_U32:
		member.type = "unsigned long";
		member.size = 4;
		break;
	case INV_U64:
		member.type = "unsigned long long";
		member.size = 8;
		break;
	case INV_PTR:
		member.type = target == NO_TARGET ? "pointer" : pointers[target];
		member.size = pointer;
		break;
	case INV_LIST:
		member.type = "_LIST_ENTRY";
		member.size = pointer * 2;
		break;
	case INV_STRUCT:
		if (field == INV_F_EPROCESS_ImageFileName) { // UCHAR [15] in every symbol table
			member.type = "array of 15 unsigned char";
			member.size = 15;
			break;
		}
		member.type = target == NO_TARGET ? "structure" : inv_type_info(target)->name;
		member.size = target == NO_TARGET ? 0 : layout->size[target];
		break;
	case INV_BITS:
		member.type = "bits";
		member.size = member.place.width;
		break;
	case INV_UNICODE:
		member.type = "_UNICODE_STRING";
		member.size = pointer * 2;
		break;
	case INV_FASTREF:
		member.type = target == NO_TARGET ? "_EX_FAST_REF" : fast_refs[target];
		member.size = pointer;
		break;
	}
	return member;
}

struct entry {
	struct inv_member member;
	enum inv_field field;
};

static int compare(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	if (a->member.offset != b->member.offset)
		return a->member.offset < b->member.offset ? -1 : 1;
	if (a->member.place.bit != b->member.place.bit)
		return a->member.place.bit < b->member.place.bit ? -1 : 1;
	return a->field < b->field ? -1 : 1;
}

const char *inv_member_target(const char *type, const char *member)
{
	enum inv_type wanted;
	if (!find_type(type, &wanted))
		return NULL;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		enum inv_field field = (enum inv_field)i;
		if (inv_field_info(field)->type == wanted && listed(inv_field_info(field)->names, member) &&
		    target_of(field) != NO_TARGET)
			return inv_type_info(target_of(field))->name;
	}
	return NULL;
}

bool inv_layout_members(const struct inv_layout *layout, const char *type, uint32_t *size,
                        void (*each)(void *context, const struct inv_member *member), void *context)
{
	enum inv_type wanted;
	if (!find_type(type, &wanted))
		return false;
	struct entry *entries = inv_alloc(INV_FIELD_COUNT * sizeof *entries);
	size_t count = 0;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		enum inv_field field = (enum inv_field)i;
		if (inv_field_info(field)->type == wanted && layout->place[field].offset != INV_NO_OFFSET)
			entries[count++] = (struct entry){member_of(layout, field), field};
	}
	*size = layout->size[wanted];
	qsort(entries, count, sizeof *entries, compare);
	for (size_t i = 0; i < count; i++)
		each(context, &entries[i].member);
	free(entries);
	return *size || count;
}
