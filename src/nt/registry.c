// SPDX-License-Identifier: Apache-2.0
#include "nt/registry.h"

#include <string.h>

#include "base/text.h"

#define MOST_BLOCKS ((size_t)2 * INV_KEY_DEPTH) // on one way up: where hives are mounted there are two of one name
#define KEY_BODY_TYPE 0x6b793032u // "20yk": of a body that a key control block belongs to (public practice)

static bool fail(struct inv_key_name *name, const struct inv_value *value)
{
	name->why = value->why;
	return false;
}

static bool is_odd(struct inv_key_name *name, const char *odd)
{
	name->odd = odd;
	return false;
}

// One part of the name; false: it could not be read, or is none.
static bool read_part(const struct inv_kernel *kernel, uint64_t kcb, struct inv_arena *arena, const char **text,
                      struct inv_key_name *name)
{
	struct inv_value block = inv_field(kernel, kcb, INV_F_CM_KEY_CONTROL_BLOCK_NameBlock);
	if (!block.ok)
		return fail(name, &block);
	struct inv_value narrow = inv_field(kernel, block.u, INV_F_CM_NAME_CONTROL_BLOCK_Compressed);
	struct inv_value length = inv_field(kernel, block.u, INV_F_CM_NAME_CONTROL_BLOCK_NameLength);
	struct inv_value at = inv_field(kernel, block.u, INV_F_CM_NAME_CONTROL_BLOCK_Name);
	if (!narrow.ok || !length.ok || !at.ok)
		return fail(name, !narrow.ok ? &narrow : !length.ok ? &length : &at);
	size_t size = (size_t)length.u;
	if (size == 0 || size > (narrow.u ? INV_KEY_NAME : 2 * INV_KEY_NAME) || (!narrow.u && size % 2))
		return is_odd(name, "a part of it has a length that no key's name has");
	uint8_t bytes[2 * INV_KEY_NAME];
	struct inv_value read = {.address = at.u};
	if (inv_space_read(kernel->space, at.u, bytes, size, &read.why) != size)
		return fail(name, &read);
	*text = narrow.u ? inv_bytes_to_utf8(arena, bytes, size) : inv_utf16_to_utf8(arena, bytes, size);
	return true;
}

// Of two blocks of the same name, where a hive is mounted, that of the hive's own root.
static bool is_passed_over(const struct inv_kernel *kernel, uint64_t kcb)
{
	uint64_t where;
	if (!inv_field_address(kernel, 0, INV_F_CM_KEY_BODY_Trans, &where))
		return false;
	struct inv_value flags = inv_field(kernel, kcb, INV_F_CM_KEY_CONTROL_BLOCK_Flags);
	struct inv_value parent = inv_field(kernel, kcb, INV_F_CM_KEY_CONTROL_BLOCK_ParentKcb);
	return flags.ok && flags.u & INV_KEY_HIVE_ENTRY && parent.ok && parent.u;
}

static bool was_passed(const uint64_t *passed, size_t count, uint64_t kcb)
{
	for (size_t i = 0; i < count; i++)
		if (passed[i] == kcb)
			return true;
	return false;
}

// The parts from the key upwards; how many. What ends the walk early is said in `name`.
static size_t walk_up(const struct inv_kernel *kernel, uint64_t kcb, struct inv_arena *arena, const char **parts,
                      struct inv_key_name *name)
{
	uint64_t passed[MOST_BLOCKS];
	size_t count = 0, steps = 0;
	while (kcb && steps < MOST_BLOCKS) {
		passed[steps++] = kcb;
		if (!is_passed_over(kernel, kcb)) {
			if (count == INV_KEY_DEPTH)
				break;
			if (!read_part(kernel, kcb, arena, &parts[count], name))
				return count;
			count++;
		}
		struct inv_value parent = inv_field(kernel, kcb, INV_F_CM_KEY_CONTROL_BLOCK_ParentKcb);
		if (!parent.ok) {
			(void)fail(name, &parent);
			return count;
		}
		if (was_passed(passed, steps, parent.u)) {
			(void)is_odd(name, "the way up leads back to itself");
			return count;
		}
		kcb = parent.u;
	}
	if (kcb)
		(void)is_odd(name, "it has more levels than the registry allows");
	name->ok = kcb == 0 && count != 0;
	return count;
}

static const char *join(struct inv_arena *arena, const char *const *parts, size_t count, const char *above)
{
	size_t at = strlen(above), size = at + 1;
	for (size_t i = 0; i < count; i++)
		size += strlen(parts[i]) + 1;
	char *path = inv_arena_alloc(arena, size);
	memcpy(path, above, at + 1);
	for (size_t i = count; i-- > 0;) {
		path[at++] = '\\';
		memcpy(path + at, parts[i], strlen(parts[i]));
		at += strlen(parts[i]);
	}
	return path;
}

void inv_key_name_read(const struct inv_kernel *kernel, uint64_t body, struct inv_arena *arena,
                       struct inv_key_name *name)
{
	*name = (struct inv_key_name){.path = ""};
	struct inv_value type = inv_field(kernel, body, INV_F_CM_KEY_BODY_Type);
	struct inv_value kcb = inv_field(kernel, body, INV_F_CM_KEY_BODY_KeyControlBlock);
	if (!type.ok || !kcb.ok) {
		(void)fail(name, type.ok ? &kcb : &type);
		return;
	}
	if (type.u != KEY_BODY_TYPE || kcb.u == 0) {
		(void)is_odd(name, "its body is not that of an open key");
		return;
	}
	const char *parts[INV_KEY_DEPTH];
	size_t count = walk_up(kernel, kcb.u, arena, parts, name);
	if (count)
		name->path = join(arena, parts, count, name->ok ? "" : "...");
}
