// SPDX-License-Identifier: Apache-2.0
// Reading an ISF document for our fields and symbols.
#include "facts/isf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

// Every value of a document takes memory, so their number is bounded before it is read. Kernels have under a million.
#define MAX_VALUES ((size_t)16 * 1000 * 1000)
// Unnamed members may nest, even in circles: how many fields may be looked at in all, and how deep.
#define MAX_STEPS (1u << 22)
#define MAX_DEPTH 8
#define MAX_PATH 128

struct reader {
	const char *name;
	const json_t *types;
	const json_t *base;
	const json_t *enums;
	const json_t *symbols;
	unsigned steps;
	struct inv_error *error;
};

enum find { FOUND, MISSING, BROKEN };

struct member {
	uint64_t offset;
	const json_t *type;
};

// Values that are not what the schema asks for end the reading: a table that is wrong about one field is not to be
// trusted about the others.
static enum inv_code complain(const struct reader *reader, const char *where, const char *expected, const json_t *found)
{
	static const char *const kinds[] = {"an object",  "an array", "a text", "a number",
	                                    "a fraction", "true",     "false",  "null"};
	if (json_is_integer(found))
		return inv_fail(reader->error, INV_E_FORMAT, "%s: %s: expected %s, found %" JSON_INTEGER_FORMAT, reader->name,
		                where, expected, json_integer_value(found));
	return inv_fail(reader->error, INV_E_FORMAT, "%s: %s: expected %s, found %s", reader->name, where, expected,
	                found ? kinds[json_typeof(found)] : "nothing");
}

static bool in_range(const json_t *value, uint64_t max, uint64_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return *number <= max;
}

static bool is_kind(const json_t *type, const char *kind)
{
	const char *text = json_string_value(json_object_get(type, "kind"));
	return text && strcmp(text, kind) == 0;
}

static bool is_composite(const json_t *type)
{
	return is_kind(type, "struct") || is_kind(type, "union") || is_kind(type, "class");
}

static enum inv_code check_text(const char *name, const char *text, size_t length, struct inv_error *error)
{
	if (length > INV_ISF_MAX_SIZE)
		return inv_fail_at(error, name, INV_ISF_MAX_SIZE, "at most 512 MiB", "%zu bytes", length);
	size_t values = 1;
	for (size_t i = 0; i < length; i++)
		values += text[i] == ',' || text[i] == '{' || text[i] == '[';
	if (values > MAX_VALUES)
		return inv_fail_at(error, name, 0, "at most 16 million values", "up to %zu", values);
	return INV_OK;
}

static enum inv_code parse(const char *name, const char *text, size_t length, json_t **root, struct inv_error *error)
{
	enum inv_code code = check_text(name, text, length, error);
	if (code)
		return code;
	json_error_t problem;
	*root = json_loadb(text, length, 0, &problem);
	if (!*root)
		return inv_fail_at(error, name, problem.position < 0 ? 0 : (uint64_t)problem.position, "JSON", "%s",
		                   problem.text);
	return INV_OK;
}

// The object of this name in a document; NULL is not complained about if it may be absent.
static enum inv_code section(const struct reader *reader, const json_t *root, const char *name, bool optional,
                             const json_t **found)
{
	*found = json_object_get(root, name);
	if (json_is_object(*found) || (optional && !*found))
		return INV_OK;
	return complain(reader, name, "an object", *found);
}

static enum inv_code read_sections(struct reader *reader, const json_t *root)
{
	enum inv_code code = section(reader, root, "user_types", false, &reader->types);
	if (!code)
		code = section(reader, root, "base_types", false, &reader->base);
	if (!code)
		code = section(reader, root, "enums", true, &reader->enums);
	if (!code)
		code = section(reader, root, "symbols", false, &reader->symbols);
	return code;
}

// "6.1.0": the schemas before 4 name things otherwise, those after 6 are not known.
static enum inv_code read_format(const struct reader *reader, const json_t *metadata)
{
	const json_t *format = json_object_get(metadata, "format");
	const char *text = json_string_value(format);
	if (!text)
		return complain(reader, "metadata.format", "a version such as 6.1.0", format);
	if (text[0] < '4' || text[0] > '6' || text[1] != '.')
		return inv_fail(reader->error, INV_E_UNSUPPORTED, "%s: metadata.format: schemas 4 to 6 are read, not %.32s",
		                reader->name, text);
	return INV_OK;
}

// IMAGE_FILE_MACHINE_* of the Microsoft PE and COFF specification.
static enum inv_arch arch_of(uint64_t machine)
{
	if (machine == 0x14c)
		return INV_ARCH_X86;
	if (machine == 0x8664)
		return INV_ARCH_X64;
	return machine == 0xaa64 ? INV_ARCH_ARM64 : INV_ARCH_UNKNOWN;
}

static enum inv_code read_metadata(const struct reader *reader, const json_t *root, struct inv_isf *isf)
{
	const json_t *metadata = json_object_get(root, "metadata");
	if (!json_is_object(metadata))
		return complain(reader, "metadata", "an object", metadata);
	enum inv_code code = read_format(reader, metadata);
	if (code)
		return code;
	const json_t *pdb = json_object_get(json_object_get(metadata, "windows"), "pdb");
	if (!json_is_object(pdb))
		return complain(reader, "metadata.windows.pdb", "an object (a table of a Windows PDB)", pdb);

	struct inv_kernel_facts *facts = &isf->facts;
	const json_t *guid = json_object_get(pdb, "GUID");
	if (!json_is_string(guid) || !inv_parse_guid(json_string_value(guid), facts->guid))
		return complain(reader, "metadata.windows.pdb.GUID", "32 hexadecimal digits", guid);
	uint64_t number;
	const json_t *age = json_object_get(pdb, "age");
	if (!in_range(age, UINT32_MAX, &number))
		return complain(reader, "metadata.windows.pdb.age", "a number of 32 bits", age);
	facts->age = (uint32_t)number;
	const json_t *database = json_object_get(pdb, "database");
	if (!json_is_string(database) || json_string_length(database) >= sizeof isf->pdb)
		return complain(reader, "metadata.windows.pdb.database", "the name of the PDB", database);
	memcpy(isf->pdb, json_string_value(database), json_string_length(database) + 1);
	const json_t *machine = json_object_get(pdb, "machine_type");
	if (machine && !in_range(machine, UINT16_MAX, &number))
		return complain(reader, "metadata.windows.pdb.machine_type", "a number of 16 bits", machine);
	facts->arch = machine ? arch_of(number) : INV_ARCH_UNKNOWN;
	return INV_OK;
}

static json_t *fields_of(const struct reader *reader, const char *type)
{
	return json_object_get(json_object_get(reader->types, type), "fields");
}

static enum find read_member(const struct reader *reader, const char *where, const json_t *field, struct member *member)
{
	const json_t *offset = json_object_get(field, "offset");
	member->type = json_object_get(field, "type");
	if (!in_range(offset, UINT32_MAX, &member->offset)) {
		complain(reader, where, "an offset of 32 bits", offset);
		return BROKEN;
	}
	if (!json_is_object(member->type)) {
		complain(reader, where, "a type", member->type);
		return BROKEN;
	}
	return FOUND;
}

static enum find find_member(struct reader *reader, const char *where, const char *type, const char *name,
                             unsigned depth, struct member *member);

// Looks through the unnamed members of a type.
static enum find find_inside(struct reader *reader, const char *where, json_t *fields, const char *name, unsigned depth,
                             struct member *member)
{
	if (depth == MAX_DEPTH)
		return MISSING;
	const char *key;
	json_t *field;
	json_object_foreach(fields, key, field)
	{
		if (++reader->steps > MAX_STEPS) {
			inv_fail(reader->error, INV_E_FORMAT, "%s: %s: unnamed members nest without end", reader->name, where);
			return BROKEN;
		}
		struct member outer;
		if (!json_is_true(json_object_get(field, "anonymous")))
			continue;
		if (read_member(reader, where, field, &outer) != FOUND)
			return BROKEN;
		const char *inner = json_string_value(json_object_get(outer.type, "name"));
		if (!inner || !is_composite(outer.type))
			continue;
		enum find found = find_member(reader, where, inner, name, depth + 1, member);
		if (found == FOUND)
			member->offset += outer.offset;
		if (found != MISSING)
			return found;
	}
	return MISSING;
}

static enum find find_member(struct reader *reader, const char *where, const char *type, const char *name,
                             unsigned depth, struct member *member)
{
	json_t *fields = fields_of(reader, type);
	const json_t *field = json_object_get(fields, name);
	if (field)
		return read_member(reader, where, field, member);
	return find_inside(reader, where, fields, name, depth, member);
}

static enum find read_bits(const struct reader *reader, const char *where, const json_t *type, struct inv_place *place)
{
	const json_t *base = json_object_get(type, "type");
	const char *name = json_string_value(json_object_get(base, "name"));
	const json_t *sizes = is_kind(base, "enum") ? reader->enums : reader->base;
	const json_t *width_value = name ? json_object_get(json_object_get(sizes, name), "size") : NULL;
	uint64_t width, bit, bits;
	if (!in_range(width_value, 8, &width) || width == 0) {
		complain(reader, where, "an integer of at most 8 bytes behind a bit field", width_value);
		return BROKEN;
	}
	if (!in_range(json_object_get(type, "bit_position"), width * 8, &bit) ||
	    !in_range(json_object_get(type, "bit_length"), width * 8, &bits) || bits == 0 || bit + bits > width * 8) {
		complain(reader, where, "a bit field that fits its integer", type);
		return BROKEN;
	}
	place->bit = (uint8_t)bit;
	place->bits = (uint8_t)bits;
	place->width = (uint8_t)width;
	return FOUND;
}

// Follows a path such as "u4.PteFrame" from a type.
static enum find find_path(struct reader *reader, const char *type, const char *path, struct inv_place *place)
{
	char where[256];
	snprintf(where, sizeof where, "user_types.%s.%s", type, path);
	uint64_t offset = 0;
	struct member member = {0, NULL};
	for (const char *part = path; part;) {
		const char *dot = strchr(part, '.');
		char name[MAX_PATH];
		size_t length = dot ? (size_t)(dot - part) : strlen(part);
		if (length >= sizeof name)
			return MISSING;
		memcpy(name, part, length);
		name[length] = 0;
		if (member.type) {
			type = is_composite(member.type) ? json_string_value(json_object_get(member.type, "name")) : NULL;
			if (!type)
				return MISSING;
		}
		enum find found = find_member(reader, where, type, name, 0, &member);
		if (found != FOUND)
			return found;
		offset += member.offset;
		part = dot ? dot + 1 : NULL;
	}
	*place = (struct inv_place){INV_NO_OFFSET, 0, 0, 0};
	// Too far for a place: as good as not known.
	if (offset >= INV_NO_OFFSET)
		return FOUND;
	if (is_kind(member.type, "bitfield") && read_bits(reader, where, member.type, place) != FOUND)
		return BROKEN;
	place->offset = (uint16_t)offset;
	return FOUND;
}

// Calls of this walk "a|b|c": copies the next alternative to `name`; false at the end.
static bool next_name(const char **names, char name[MAX_PATH])
{
	while (**names) {
		size_t length = strcspn(*names, "|");
		const char *start = *names;
		*names += length + (start[length] == '|');
		if (length == 0 || length >= MAX_PATH)
			continue;
		memcpy(name, start, length);
		name[length] = 0;
		return true;
	}
	return false;
}

// The first of a type's names that the document has; false if none.
static bool choose_type(const struct reader *reader, enum inv_type type, char name[MAX_PATH])
{
	const char *names = inv_type_info(type)->names;
	while (next_name(&names, name))
		if (json_object_size(fields_of(reader, name)) > 0)
			return true;
	return false;
}

static enum inv_code read_field(struct reader *reader, enum inv_field field, const char *type, struct inv_place *place)
{
	const char *paths = inv_field_info(field)->names;
	char path[MAX_PATH];
	while (next_name(&paths, path)) {
		enum find found = find_path(reader, type, path, place);
		if (found == BROKEN)
			return INV_E_FORMAT;
		if (found == FOUND)
			return INV_OK;
	}
	return INV_OK;
}

static enum inv_code read_layout(struct reader *reader, struct inv_layout *layout)
{
	char chosen[INV_TYPE_COUNT][MAX_PATH];
	for (unsigned i = 0; i < INV_TYPE_COUNT; i++) {
		if (!choose_type(reader, (enum inv_type)i, chosen[i])) {
			chosen[i][0] = 0;
			continue;
		}
		const json_t *size = json_object_get(json_object_get(reader->types, chosen[i]), "size");
		uint64_t number;
		if (!in_range(size, UINT32_MAX, &number))
			return complain(reader, chosen[i], "a size of 32 bits", size);
		layout->size[i] = (uint32_t)number;
	}
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		enum inv_field field = (enum inv_field)i;
		layout->place[i] = (struct inv_place){INV_NO_OFFSET, 0, 0, 0};
		const char *type = chosen[inv_field_info(field)->type];
		if (type[0] && read_field(reader, field, type, &layout->place[i]))
			return INV_E_FORMAT;
	}
	return INV_OK;
}

static enum inv_code read_symbols(const struct reader *reader, uint32_t rva[INV_SYMBOL_COUNT])
{
	for (unsigned i = 0; i < INV_SYMBOL_COUNT; i++) {
		rva[i] = INV_NO_RVA;
		const char *name = inv_symbol_name((enum inv_symbol)i);
		const json_t *symbol = json_object_get(reader->symbols, name);
		if (!symbol)
			continue;
		const json_t *address = json_object_get(symbol, "address");
		uint64_t number;
		if (!in_range(address, INV_NO_RVA - 1, &number))
			return complain(reader, name, "an address of 32 bits", address);
		rva[i] = (uint32_t)number;
	}
	return INV_OK;
}

// An ISF does not say which version it is of; the built-in table may know the PDB.
static void name_facts(struct inv_isf *isf)
{
	const struct inv_kernel_facts *known = inv_facts_by_guid(isf->facts.guid, isf->facts.age);
	if (known)
		isf->facts.version = known->version;
	const struct inv_version *version = &isf->facts.version;
	if (known)
		snprintf(isf->version, sizeof isf->version, "%u.%u.%u.%u", version->major, version->minor, version->build,
		         version->revision);
	snprintf(isf->source, sizeof isf->source, "symbol table %.250s", isf->name);
	isf->layout.id = "isf";
	isf->layout.source = isf->source;
	isf->layout.version = isf->version;
	isf->layout.arch = isf->facts.arch;
	isf->layout.build = version->build;
	isf->facts.pdb = isf->pdb;
	isf->facts.layout = &isf->layout;
	isf->facts.rva = isf->rva;
	isf->facts.source = isf->source;
}

static enum inv_code read_document(struct inv_isf *isf, struct inv_error *error)
{
	struct reader reader = {.name = isf->name, .error = error};
	enum inv_code code = read_metadata(&reader, isf->root, isf);
	if (!code)
		code = read_sections(&reader, isf->root);
	if (!code)
		code = read_layout(&reader, &isf->layout);
	if (!code)
		code = read_symbols(&reader, isf->rva);
	return code;
}

enum inv_code inv_isf_read(const char *name, const char *text, size_t length, struct inv_isf **isf,
                           struct inv_error *error)
{
	*isf = NULL;
	json_t *root;
	enum inv_code code = parse(name, text, length, &root, error);
	if (code)
		return code;
	struct inv_isf *made = inv_alloc(sizeof *made);
	made->name = strdup(name);
	made->root = root;
	code = made->name ? read_document(made, error) : inv_fail(error, INV_E_INTERNAL, "out of memory");
	if (code) {
		inv_isf_free(made);
		return code;
	}
	json_object_del(root, "symbols");
	name_facts(made);
	*isf = made;
	return INV_OK;
}

void inv_isf_free(struct inv_isf *isf)
{
	if (!isf)
		return;
	json_decref(isf->root);
	free(isf->name);
	free(isf);
}
