// SPDX-License-Identifier: Apache-2.0
#include "cli/structure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/nearest.h"
#include "base/text.h"
#include "nt/user.h"

#define MAX_NESTED 16u // levels, whatever is asked for
#define MAX_NAME 256u
#define MAX_CHARACTERS 64u               // of an array that may be text
#define FAST_REF_COUNT UINT64_C(0xf)     // _EX_FAST_REF.RefCnt on 64-bit kernels
#define LEAST_TIME 0x01b0000000000000ull // 1991: smaller numbers are durations or counts
#define MOST_TIME 0x0230000000000000ull  // 2102

struct inv_structures {
	const struct inv_kernel *kernel;
	struct inv_symbols *symbols;
	struct inv_arena *arena;
	struct inv_user *user; // NULL: only the kernel's half
};

struct inv_structures *inv_structures_new(const struct inv_kernel *kernel, struct inv_symbols *symbols)
{
	struct inv_structures *structures = inv_alloc(sizeof *structures);
	*structures = (struct inv_structures){.kernel = kernel, .symbols = symbols, .arena = inv_arena_new()};
	return structures;
}

void inv_structures_free(struct inv_structures *structures)
{
	if (!structures)
		return;
	inv_user_close(structures->user);
	inv_arena_free(structures->arena);
	free(structures);
}

bool inv_structures_enter(struct inv_structures *structures, uint64_t process, struct inv_why *why)
{
	struct inv_user *user = inv_user_open(structures->kernel, process, why);
	if (!user)
		return false;
	inv_user_close(structures->user);
	structures->user = user;
	return true;
}

// -- Types ------------------------------------------------------------------------------------------------------------------

struct members {
	const struct inv_structures *structures;
	struct inv_member *members; // stb_ds
	uint32_t size;
};

static void keep_member(void *context, const struct inv_member *member)
{
	struct members *members = context;
	struct inv_member kept = *member;
	kept.name = inv_arena_printf(members->structures->arena, "%s", member->name);
	kept.type = inv_arena_printf(members->structures->arena, "%s", member->type);
	inv_push(members->members, kept);
}

// false: not known. The caller frees `members`.
static bool look_up(const struct inv_structures *structures, const char *type, struct members *members)
{
	*members = (struct members){.structures = structures};
	if (structures->symbols && inv_symbols_members(structures->symbols, type, &members->size, keep_member, members))
		return true;
	return structures->kernel->layout &&
	       inv_layout_members(structures->kernel->layout, type, &members->size, keep_member, members);
}

static bool is_known(const struct inv_structures *structures, const char *type)
{
	struct members members;
	bool known = look_up(structures, type, &members);
	inv_array_free(members.members);
	return known;
}

static const char *behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);
	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

// The structure that a member is; NULL if it is none.
static const char *nested_type(const struct inv_member *member)
{
	return member->type[0] == '_' && !member->place.bits && !strchr(member->type, ' ') ? member->type : NULL;
}

// The structure that a pointer leads to; NULL if it is none, or none is known.
static const char *pointed_type(const char *type, const struct inv_member *member)
{
	const char *target = behind(member->type, "pointer to ");
	if (!target)
		target = behind(member->type, "_EX_FAST_REF to ");
	if (target && *target == '_')
		return target;
	bool pointer = target || strcmp(member->type, "pointer") == 0 || strcmp(member->type, "_EX_FAST_REF") == 0;
	return pointer ? inv_member_target(type, member->name) : NULL;
}

static bool is_fast_ref(const struct inv_member *member)
{
	return strncmp(member->type, "_EX_FAST_REF", strlen("_EX_FAST_REF")) == 0;
}

// -- Values -----------------------------------------------------------------------------------------------------------------

static size_t read_bytes(const struct inv_structures *structures, uint64_t address, void *bytes, size_t size,
                         struct inv_why *why)
{
	struct inv_space *space = structures->user ? inv_user_space(structures->user) : structures->kernel->space;
	return inv_space_read(space, address, bytes, size, why);
}

// An integer of at most 8 bytes.
static struct inv_value read_number(const struct inv_structures *structures, uint64_t address, size_t size)
{
	uint8_t bytes[8] = {0};
	struct inv_value value = {.address = address};
	value.ok = read_bytes(structures, address, bytes, size, &value.why) == size;
	for (size_t i = size; value.ok && i-- > 0;)
		value.u = value.u << 8 | bytes[i];
	return value;
}

static size_t pointer_size(const struct inv_structures *structures)
{
	return structures->kernel->layout && structures->kernel->layout->arch == INV_ARCH_X86 ? 4 : 8;
}

struct inv_value inv_structures_pointer(const struct inv_structures *structures, uint64_t address)
{
	return read_number(structures, address, pointer_size(structures));
}

static const char *list_text(const struct inv_structures *structures, uint64_t address)
{
	struct inv_value flink = inv_structures_pointer(structures, address);
	struct inv_value blink = inv_structures_pointer(structures, address + pointer_size(structures));
	if (!flink.ok || !blink.ok)
		return NULL;
	if (flink.u == address && blink.u == address)
		return "empty, or alone";
	return inv_arena_printf(structures->arena, "0x%" PRIx64 " - 0x%" PRIx64, flink.u, blink.u);
}

static const char *string_text(const struct inv_structures *structures, uint64_t address)
{
	struct inv_value length;
	const char *text = structures->user ? inv_user_unicode(structures->user, address, false, structures->arena, &length)
	                                    : inv_read_unicode(structures->kernel, address, structures->arena, &length);
	if (!length.ok)
		return text && *text ? inv_arena_printf(structures->arena, "\"%s\"...", text) : NULL;
	return inv_arena_printf(structures->arena, "\"%s\"", text);
}

// An array of bytes that begins with text and has only zeros behind it.
static const char *bytes_text(const struct inv_structures *structures, uint64_t address, size_t size)
{
	uint8_t bytes[MAX_CHARACTERS];
	struct inv_why why;
	if (size == 0 || size > sizeof bytes || read_bytes(structures, address, bytes, size, &why) < size)
		return NULL;
	size_t length = 0;
	while (length < size && bytes[length] >= ' ' && bytes[length] < 0x7f)
		length++;
	if (length == 0 || (length < size && bytes[length] != 0))
		return NULL;
	return inv_arena_printf(structures->arena, "\"%s\"", inv_bytes_to_utf8(structures->arena, bytes, size));
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t wanted = strlen(end);
	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static const char *number_text(const struct inv_structures *structures, const struct inv_member *member,
                               uint64_t number)
{
	if (member->size == 8 && ends_with(member->name, "Time") && number >= LEAST_TIME && number < MOST_TIME) {
		char text[INV_TIME_SIZE];
		inv_format_filetime(number, text);
		return inv_arena_printf(structures->arena, "%s", text);
	}
	if (is_fast_ref(member))
		return inv_arena_printf(structures->arena, "0x%" PRIx64 ", %u left", number & ~FAST_REF_COUNT,
		                        (unsigned)(number & FAST_REF_COUNT));
	const struct inv_module *module = member->size == 8 ? inv_kernel_module_at(structures->kernel, number) : NULL;
	return module ? inv_arena_printf(structures->arena, "%s+0x%" PRIx64, module->name, number - module->base) : NULL;
}

static void fill_value(const struct inv_structures *structures, const struct inv_member *member,
                       struct inv_structure_row *row)
{
	size_t size = member->place.bits ? member->place.width : member->size;
	if (strcmp(member->type, "_LIST_ENTRY") == 0)
		row->means = list_text(structures, row->address);
	else if (strcmp(member->type, "_UNICODE_STRING") == 0)
		row->means = string_text(structures, row->address);
	else if (size > 8 || size == 0)
		row->means = bytes_text(structures, row->address, size);
	if (size == 0 || size > 8)
		return;
	row->is_number = true;
	row->value = read_number(structures, row->address, size);
	if (!row->value.ok)
		return;
	if (member->place.bits) {
		row->value.u >>= member->place.bit;
		if (member->place.bits < 64)
			row->value.u &= ((uint64_t)1 << member->place.bits) - 1;
	} else {
		row->means = number_text(structures, member, row->value.u);
	}
}

static uint64_t target_of(const struct inv_member *member, const struct inv_structure_row *row)
{
	if (!row->is_number || !row->value.ok)
		return 0;
	return is_fast_ref(member) ? row->value.u & ~FAST_REF_COUNT : row->value.u;
}

// -- Rows -------------------------------------------------------------------------------------------------------------------

// A structure that is being shown; each knows the one around it, so that no circle is followed.
struct frame {
	const struct frame *around;
	const char *type;
	const char *prefix; // of the paths of its members: "Pcb."
	uint64_t address;
	unsigned depth;
};

struct reading {
	struct inv_structures *structures;
	const struct inv_structure_request *request;
	struct inv_structure_row *rows; // stb_ds
	bool cut;
};

static struct inv_structure_row row_of(const struct reading *reading, const struct frame *frame,
                                       const struct inv_member *member)
{
	const struct inv_structures *structures = reading->structures;
	struct inv_structure_row row = {.depth = frame->depth, .type = member->type, .place = member->place};
	row.path = inv_arena_printf(structures->arena, "%s%s", frame->prefix, member->name);
	row.offset = member->offset;
	row.target_type = pointed_type(frame->type, member);
	if (reading->request->has_address) {
		row.address = frame->address + member->offset;
		fill_value(structures, member, &row);
		row.target = row.target_type ? target_of(member, &row) : 0;
	}
	return row;
}

static bool is_shown_around(const struct frame *frame, const char *type, uint64_t address)
{
	for (; frame; frame = frame->around)
		if (frame->address == address && strcmp(frame->type, type) == 0)
			return true;
	return false;
}

static void add_rows(struct reading *reading, const struct frame *frame, const struct members *members);

// What stands in the place of a member, or what it leads to.
// NOLINTNEXTLINE(misc-no-recursion): at most MAX_NESTED deep
static void descend(struct reading *reading, const struct frame *frame, const struct inv_member *member,
                    const struct inv_structure_row *row)
{
	const char *nested = nested_type(member);
	bool pointer = !nested || is_fast_ref(member);
	if (pointer && (!reading->request->follow || !row->target_type || (row->target == 0 && row->address)))
		return;
	struct frame within = {.around = frame, .type = pointer ? row->target_type : nested, .depth = frame->depth + 1};
	within.address = pointer ? row->target : row->address;
	within.prefix = inv_arena_printf(reading->structures->arena, "%s%s", row->path, pointer ? "->" : ".");
	struct members members;
	// Without addresses a circle is one of types.
	if (!is_shown_around(frame, within.type, within.address) && look_up(reading->structures, within.type, &members)) {
		add_rows(reading, &within, &members);
		inv_array_free(members.members);
	}
}

// NOLINTNEXTLINE(misc-no-recursion): at most MAX_NESTED deep
static void add_rows(struct reading *reading, const struct frame *frame, const struct members *members)
{
	for (size_t i = 0; i < inv_count(members->members); i++) {
		const struct inv_member *member = &members->members[i];
		if (inv_count(reading->rows) == INV_STRUCTURE_ROWS) {
			reading->cut = true;
			return;
		}
		struct inv_structure_row row = row_of(reading, frame, member);
		inv_push(reading->rows, row);
		if (frame->depth < reading->request->depth && frame->depth < MAX_NESTED)
			descend(reading, frame, member, &row);
	}
}

// -- The way to what was asked for ------------------------------------------------------------------------------------------

// Cuts the next name off a path: "Peb->Ldr" gives "Peb". NULL at the end, or with a name that is too long.
static const char *next_name(const char **path, char name[MAX_NAME])
{
	const char *at = *path;
	at += strncmp(at, "->", 2) == 0 ? 2 : *at == '.';
	size_t length = 0;
	while (at[length] && at[length] != '.' && strncmp(at + length, "->", 2) != 0)
		length++;
	if (length == 0 || length >= MAX_NAME)
		return NULL;
	memcpy(name, at, length);
	name[length] = 0;
	*path = at + length;
	return name;
}

static const struct inv_member *member_named(const struct members *members, const char *name)
{
	for (size_t i = 0; i < inv_count(members->members); i++)
		if (strcmp(members->members[i].name, name) == 0)
			return &members->members[i];
	return NULL;
}

// Debuggers know a type by its module, too: nt!_EPROCESS.
static const char *nearest_type(const char *type)
{
	const char *names[INV_TYPE_COUNT];
	const char *module = strchr(type, '!');
	for (enum inv_type i = 0; i < INV_TYPE_COUNT; i++)
		names[i] = inv_type_info(i)->name;
	return inv_nearest(module ? module + 1 : type, names, INV_TYPE_COUNT);
}

static enum inv_code fail_type(const struct inv_structures *structures, const char *type, struct inv_error *error)
{
	const char *near = nearest_type(type);
	if (near)
		return inv_fail(error, INV_E_USAGE, "no type '%s' is known of this kernel; did you mean '%s'?", type, near);
	return inv_fail(error, INV_E_USAGE, "no type '%s' is known of this kernel%s", type,
	                structures->symbols ? "" : "; a symbol table given with --symbols has all of them");
}

static enum inv_code fail_member(const struct inv_structures *structures, const char *type,
                                 const struct members *members, const char *name, struct inv_error *error)
{
	size_t count = inv_count(members->members);
	const char **names = inv_arena_alloc(structures->arena, (count + 1) * sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = members->members[i].name;
	const char *near = inv_nearest(name, names, count);
	if (near)
		return inv_fail(error, INV_E_USAGE, "%s has no member '%s' that is known; did you mean '%s'?", type, name,
		                near);
	return inv_fail(error, INV_E_USAGE, "%s has no member '%s' that is known; 'invar dt IMAGE %s' lists them", type,
	                name, type);
}

// The user half is that of the first EPROCESS on the way.
static void enter_first_process(struct inv_structures *structures, const struct frame *frame)
{
	struct inv_why why;
	if (!structures->user && frame->address != 0 && strcmp(frame->type, "_EPROCESS") == 0)
		(void)inv_structures_enter(structures, frame->address, &why); // else user memory is said to be absent
}

// Strings and list entries say more as a whole.
static bool is_entered(const struct inv_structures *structures, const struct inv_member *member)
{
	const char *type = nested_type(member);
	return type && !is_fast_ref(member) && strcmp(type, "_UNICODE_STRING") != 0 && strcmp(type, "_LIST_ENTRY") != 0 &&
	       is_known(structures, type);
}

// Goes one name further: `frame` becomes what the member is or leads to. A member that is no structure is `*last`.
static enum inv_code step(struct reading *reading, struct frame *frame, const struct members *members, const char *name,
                          const struct inv_member **last, struct inv_error *error)
{
	struct inv_structures *structures = reading->structures;
	const struct inv_member *member = member_named(members, name);
	if (!member)
		return fail_member(structures, frame->type, members, name, error);
	struct inv_structure_row row = row_of(reading, frame, member);
	if (is_entered(structures, member)) {
		frame->type = nested_type(member);
		frame->address = row.address;
	} else if (row.target_type) {
		if (row.address && (!row.value.ok || row.target == 0))
			return inv_fail(error, INV_E_USAGE, "%s.%s at 0x%" PRIx64 " %s", frame->type, name, row.address,
			                row.value.ok ? "is 0: it leads nowhere" : "could not be read, so that it leads nowhere");
		frame->type = row.target_type;
		frame->address = row.target;
	} else {
		*last = member;
	}
	return INV_OK;
}

// The frame that the request's type and path name; `members` of it, or the one member.
static enum inv_code find(struct reading *reading, struct frame *frame, struct members *members,
                          struct inv_error *error)
{
	struct inv_structures *structures = reading->structures;
	char name[MAX_NAME];
	const char *path = reading->request->type;
	if (!next_name(&path, name))
		return inv_fail(error, INV_E_USAGE, "'%s' is no type", reading->request->type);
	frame->type = inv_arena_printf(structures->arena, "%s", name);
	frame->address = reading->request->address;
	if (!look_up(structures, frame->type, members))
		return fail_type(structures, frame->type, error);
	enter_first_process(structures, frame);
	while (next_name(&path, name)) {
		const struct inv_member *last = NULL;
		if (step(reading, frame, members, name, &last, error) != INV_OK)
			return error->code;
		if (last) {
			struct inv_member only = *last;
			inv_array_free(members->members);
			inv_push(members->members, only);
			members->size = 0; // not that of the type named in the head
			return *path ? inv_fail(error, INV_E_USAGE, "what %s.%s leads to has no type that is known", frame->type,
			                        name)
			             : INV_OK;
		}
		inv_array_free(members->members);
		if (!look_up(structures, frame->type, members))
			return fail_type(structures, frame->type, error);
		enter_first_process(structures, frame);
	}
	return INV_OK;
}

struct inv_structure_row *inv_structure_read(struct inv_structures *structures,
                                             const struct inv_structure_request *request, const char **name,
                                             uint32_t *size, uint64_t *at, bool *cut, struct inv_error *error)
{
	struct reading reading = {.structures = structures, .request = request};
	struct frame frame = {.prefix = ""};
	struct members members = {0};
	if (find(&reading, &frame, &members, error) == INV_OK)
		add_rows(&reading, &frame, &members);
	*name = frame.type;
	*size = members.size;
	*at = frame.address;
	*cut = reading.cut;
	inv_array_free(members.members);
	return reading.rows;
}
