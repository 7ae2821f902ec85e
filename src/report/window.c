// SPDX-License-Identifier: Apache-2.0
#include "report/window.h"

#include <string.h>

#include "base/bytes.h"
#include "nt/user.h"
#include "report/json.h"

#define STRUCTURE_SHOWN 16u // bytes that are marked of a structure within another

// What an address of evidence counts in. Which one is not noted with it: the program reads what it says from there again, and takes
// the one in which it stands there.
enum memory { KERNEL, PROCESS, PHYSICAL };
static const char *const memory_names[] = {"kernel", "process", "physical"};

struct window {
	struct inv_windows *windows;
	const struct inv_evidence *evidence;
	enum memory memory;
	uint64_t start;
	uint32_t size;
	uint8_t bytes[INV_WINDOW_SIZE];
	struct inv_why why[INV_WINDOW_SIZE]; // of each byte: INV_PRESENT, or why it is not there
};

void inv_windows_begin(struct inv_windows *windows, const struct inv_check *check)
{
	*windows = (struct inv_windows){.check = check, .arena = inv_arena_new()};
}

void inv_windows_end(struct inv_windows *windows)
{
	inv_user_close(windows->user);
	inv_arena_free(windows->arena);
}

// -- reading ----------------------------------------------------------------------------------------------------------------

static struct inv_space *user_space(struct inv_windows *windows, const struct inv_dossier *process)
{
	if (!process)
		return NULL;
	struct inv_why why;
	if (windows->opened != process) {
		inv_user_close(windows->user);
		windows->user = inv_user_open(windows->check->kernel, process->address, &why);
		windows->opened = process;
	}
	return windows->user ? inv_user_space(windows->user) : NULL;
}

static size_t read_physical(const struct inv_image *image, uint64_t address, uint8_t *to, size_t size,
                            struct inv_why *why)
{
	const uint8_t *bytes = NULL;
	size_t count = inv_image_bytes(image, address, size, &bytes);
	if (count)
		memcpy(to, bytes, count);
	*why = (struct inv_why){.reason = count == size ? INV_PRESENT : INV_NOT_IN_IMAGE, .at = address + count};
	return count;
}

static size_t read_some(struct inv_windows *windows, const struct inv_dossier *process, enum memory memory,
                        uint64_t address, uint8_t *to, size_t size, struct inv_why *why)
{
	const struct inv_kernel *kernel = windows->check->kernel;
	if (memory == PHYSICAL)
		return read_physical(kernel->image, address, to, size, why);
	struct inv_space *space = memory == KERNEL ? kernel->space : user_space(windows, process);
	if (space)
		return inv_space_read(space, address, to, size, why);
	*why = (struct inv_why){.reason = INV_NOT_MAPPED, .address = address};
	return 0;
}

// Byte by byte where something is missing: what stands behind a gap is shown as well.
static void read_window(struct window *window, const struct inv_dossier *process)
{
	for (uint32_t at = 0; at < window->size;) {
		struct inv_why why = {0};
		size_t read = read_some(window->windows, process, window->memory, window->start + at, window->bytes + at,
		                        window->size - at, &why);
		at += (uint32_t)read;
		if (at < window->size)
			window->why[at++] = why;
	}
}

// How long a structure is, the list of fields does not say: it ends where the next field that is known begins, or before.
static unsigned width_of_structure(const struct inv_layout *layout, enum inv_field field)
{
	unsigned width = STRUCTURE_SHOWN;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		if (inv_field_info((enum inv_field)i)->type != inv_field_info(field)->type ||
		    layout->place[i].offset == INV_NO_OFFSET || layout->place[i].offset <= layout->place[field].offset)
			continue;
		unsigned distance = (unsigned)layout->place[i].offset - layout->place[field].offset;
		width = distance < width ? distance : width;
	}
	return width;
}

static unsigned width_of(const struct inv_layout *layout, enum inv_field field)
{
	unsigned pointer = layout->arch == INV_ARCH_X86 ? 4 : 8;
	switch (inv_field_info(field)->kind) {
	case INV_U8:
		return 1;
	case INV_U16:
		return 2;
	case INV_U32:
		return 4;
	case INV_U64:
		return 8;
	case INV_BITS:
		return layout->place[field].width;
	case INV_PTR:
	case INV_FASTREF:
		return pointer;
	case INV_LIST:
	case INV_UNICODE:
		return 2 * pointer;
	case INV_STRUCT:
		return width_of_structure(layout, field);
	}
	return 0;
}

// Does the value stand there, as this field or as a number? Then in so many bytes, else 0.
static unsigned stands_in(const struct inv_layout *layout, enum inv_field field, const uint8_t *bytes, uint64_t value)
{
	uint64_t whole = inv_le64(bytes);
	if (field != INV_FIELD_COUNT) {
		const struct inv_place *place = &layout->place[field];
		unsigned width = width_of(layout, field);
		uint64_t part = width >= 8 ? whole : whole & ((UINT64_C(1) << 8 * width) - 1);
		if (place->bits && place->bit < 64)
			part = place->bits < 64 ? part >> place->bit & ((UINT64_C(1) << place->bits) - 1) : part >> place->bit;
		if (inv_field_info(field)->kind == INV_FASTREF)
			part &= ~UINT64_C(0xf);
		if (part == value)
			return width;
	}
	unsigned least = field != INV_FIELD_COUNT ? 1 : 4; // a byte that is equal by chance proves little
	for (unsigned width = 8; width >= least; width /= 2)
		if (value == (width == 8 ? whole : whole & ((UINT64_C(1) << 8 * width) - 1)))
			return width;
	return 0;
}

// The field whose full name the evidence gives; INV_FIELD_COUNT: it is none of our list, or this build has no such field.
static enum inv_field field_named(const struct inv_layout *layout, const char *name)
{
	for (unsigned i = 0; layout && i < INV_FIELD_COUNT; i++)
		if (layout->place[i].offset != INV_NO_OFFSET && strcmp(inv_field_full_name((enum inv_field)i), name) == 0)
			return (enum inv_field)i;
	return INV_FIELD_COUNT;
}

static bool shows(struct inv_windows *windows, const struct inv_dossier *process, enum memory memory,
                  const struct inv_evidence *evidence, enum inv_field field)
{
	uint8_t bytes[8] = {0};
	struct inv_why why;
	return read_some(windows, process, memory, evidence->address, bytes, sizeof bytes, &why) > 0 &&
	       stands_in(windows->check->kernel->layout, field, bytes, evidence->value);
}

static enum memory memory_of(struct inv_windows *windows, const struct inv_dossier *process,
                             const struct inv_evidence *evidence, enum inv_field field)
{
	uint8_t byte;
	struct inv_why why;
	bool low = !(evidence->address >> 63);
	if (!low)
		// What each session maps for itself is not in System's tables.
		return read_some(windows, process, KERNEL, evidence->address, &byte, 1, &why) ||
		               !read_some(windows, process, PROCESS, evidence->address, &byte, 1, &why)
		           ? KERNEL
		           : PROCESS;
	if (evidence->tier != INV_TIER_HARDWARE && shows(windows, process, PROCESS, evidence, field))
		return PROCESS;
	if (shows(windows, process, PHYSICAL, evidence, field))
		return PHYSICAL;
	return evidence->tier == INV_TIER_HARDWARE ? PHYSICAL : PROCESS;
}

// -- writing ----------------------------------------------------------------------------------------------------------------

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * INV_WINDOW_SIZE];
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return json_stringn(text, 2 * size);
}

// Runs of bytes that are there, and of bytes that are absent for one reason.
static json_t *runs_json(const struct window *window)
{
	json_t *runs = json_array();
	for (uint32_t from = 0, to; from < window->size; from = to) {
		enum inv_absence reason = window->why[from].reason;
		for (to = from + 1; to < window->size && window->why[to].reason == reason; to++)
			;
		json_t *run = json_object();
		if (reason == INV_PRESENT) {
			json_object_set_new(run, "hex", hex_json(window->bytes + from, to - from));
		} else {
			json_object_set_new(run, "absent", inv_json_number(to - from));
			json_object_set_new(run, "why", json_string(inv_why_text(window->windows->arena, &window->why[from])));
		}
		json_array_append_new(runs, run);
	}
	return runs;
}

static json_t *mark_json(const char *name, int64_t at, unsigned size, const struct inv_place *place)
{
	json_t *mark = json_object();
	json_object_set_new(mark, "name", json_string(name));
	json_object_set_new(mark, "at",
	                    json_integer((json_int_t)at)); // from the start of the window; negative: it begins before
	json_object_set_new(mark, "size", json_integer((json_int_t)size));
	if (place && place->bits) {
		json_object_set_new(mark, "bit", json_integer(place->bit));
		json_object_set_new(mark, "bits", json_integer(place->bits));
	}
	return mark;
}

// The other fields of the same structure that stand in the window.
static json_t *neighbours_json(const struct window *window, enum inv_field self)
{
	const struct inv_layout *layout = window->windows->check->kernel->layout;
	json_t *marks = json_array();
	if (self == INV_FIELD_COUNT)
		return marks;
	int64_t at_self = (int64_t)(window->evidence->address - window->start);
	int64_t base = at_self - layout->place[self].offset;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		const struct inv_place *place = &layout->place[i];
		enum inv_field field = (enum inv_field)i;
		if (field == self || inv_field_info(field)->type != inv_field_info(self)->type ||
		    place->offset == INV_NO_OFFSET)
			continue;
		int64_t at = base + place->offset;
		unsigned size = width_of(layout, field);
		if (at < (int64_t)window->size && at + (int64_t)size > 0)
			json_array_append_new(marks, mark_json(inv_field_info(field)->name, at, size, place));
	}
	return marks;
}

static json_t *self_json(const struct window *window, enum inv_field field, unsigned width)
{
	const struct inv_layout *layout = window->windows->check->kernel->layout;
	int64_t at = (int64_t)(window->evidence->address - window->start);
	const struct inv_place *place = field != INV_FIELD_COUNT ? &layout->place[field] : NULL;
	unsigned size = width ? width : 8;
	if (field != INV_FIELD_COUNT && width_of(layout, field) > size)
		size = width_of(layout, field);
	json_t *mark = mark_json(window->evidence->field, at, size, place);
	json_object_set_new(mark, "shows", json_boolean(width > 0));
	return mark;
}

static uint32_t room_for(uint64_t start)
{
	return UINT64_MAX - start < INV_WINDOW_SIZE - 1 ? (uint32_t)(UINT64_MAX - start + 1) : INV_WINDOW_SIZE;
}

json_t *inv_window_json(struct inv_windows *windows, const struct inv_dossier *process,
                        const struct inv_evidence *evidence)
{
	if (evidence->address == 0)
		return json_null();
	if (windows->made == INV_MOST_WINDOWS) {
		windows->left_out++;
		return json_null();
	}
	windows->made++;
	enum inv_field field = field_named(windows->check->kernel->layout, evidence->field);
	uint64_t row = evidence->address & ~UINT64_C(15);
	struct window window = {.windows = windows,
	                        .evidence = evidence,
	                        .memory = memory_of(windows, process, evidence, field),
	                        .start = row < INV_WINDOW_BEFORE ? 0 : row - INV_WINDOW_BEFORE};
	window.size = room_for(window.start);
	read_window(&window, process);
	uint32_t at = (uint32_t)(evidence->address - window.start);
	uint8_t bytes[8] = {0};
	uint32_t left = window.size - at < sizeof bytes ? window.size - at : (uint32_t)sizeof bytes;
	memcpy(bytes, window.bytes + at, left);
	bool present = window.why[at].reason == INV_PRESENT;
	unsigned width = present ? stands_in(windows->check->kernel->layout, field, bytes, evidence->value) : 0;
	// By another layout, as that of 32-bit user mode, the neighbours stand elsewhere.
	bool by_layout = field != INV_FIELD_COUNT && (width > 0 || !present);
	json_t *object = json_object();
	json_object_set_new(object, "memory", json_string(memory_names[window.memory]));
	json_object_set_new(object, "start", inv_json_address(window.start));
	json_object_set_new(object, "runs", runs_json(&window));
	json_object_set_new(object, "self", self_json(&window, field, width));
	json_object_set_new(object, "fields", neighbours_json(&window, by_layout ? field : INV_FIELD_COUNT));
	return object;
}
