// SPDX-License-Identifier: Apache-2.0
// The dossier's parts about what is in a process: threads, ranges, handles.
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "cli/dossier.h"
#include "kernel/pe.h"
#include "nt/thread.h"
#include "report/disassembly.h"

#define SHOWN_INSTRUCTIONS 3u
#define MOST_REMARKABLE 256u

// -- threads ----------------------------------------------------------------------------------------------------------------

// "ntdll.dll+0x1000", of the kernel's modules and of the process' images; else what the range is.
static const char *spot(const struct inv_dossier_view *view, uint64_t address)
{
	const struct inv_module *module = inv_kernel_module_at(view->check->kernel, address);
	const struct inv_vad *vad = inv_vad_at(&view->opened->inside.vads, address);
	if (module)
		return inv_arena_printf(view->arena, "%s+0x%" PRIx64, module->name, address - module->base);
	if (!vad)
		return address < 0x10000 ? "" : "in no range";
	const char *file = inv_vad_file(view->opener->sections, vad, NULL);
	if (file && *file)
		return inv_arena_printf(view->arena, "%s+0x%" PRIx64, inv_base_name(file), address - vad->start);
	char protection[8];
	return inv_arena_printf(view->arena, "%s %s range at 0x%" PRIx64, inv_vad_kind(vad, view->arena),
	                        inv_protection_text(vad->protection, protection), vad->start);
}

// 32-bit code stands in images that say so, and outside of images in the low 4 GiB of a WOW64 process.
static bool is_narrow(const struct inv_inside *inside, uint64_t address)
{
	const struct inv_vad *vad = inv_vad_at(&inside->vads, address);
	struct inv_pe pe;
	if (!inside->peb32.address || address > UINT32_MAX)
		return false;
	if (vad && vad->type == INV_VAD_IMAGE && inv_pe_read_image(inv_user_space(inside->user), vad->start, &pe, NULL))
		return pe.narrow;
	return true;
}

// The first instructions at an address.
static void add_code(const struct inv_dossier_view *view, struct inv_table *table, uint64_t address)
{
	const struct inv_inside *inside = &view->opened->inside;
	struct inv_instruction code[SHOWN_INSTRUCTIONS];
	uint8_t bytes[SHOWN_INSTRUCTIONS * INV_INSTRUCTION_MAX];
	struct inv_why why = inside->why;
	const char *text = "";
	bool is_user = inside->user && address < inv_user_end(inside->user);
	struct inv_space *space = is_user ? inv_user_space(inside->user) : view->check->kernel->space;
	size_t size = address && space ? inv_space_read(space, address, bytes, sizeof bytes, &why) : 0;
	size_t count =
	    inv_disassemble(bytes, size, address, is_user && is_narrow(inside, address), code, SHOWN_INSTRUCTIONS);
	for (size_t i = 0; i < count; i++)
		text = inv_arena_printf(view->arena, "%s%s%s", text, i ? "; " : "", code[i].text);
	if (address && size == 0)
		inv_table_absent(table, &why);
	else
		inv_table_text(table, text);
}

static void add_start(const struct inv_dossier_view *view, struct inv_table *table, const struct inv_value *start)
{
	inv_table_value(table, start, INV_CELL_ADDRESS);
	inv_table_text(table, start->ok && start->u ? spot(view, start->u) : NULL);
}

static void add_thread(const struct inv_dossier_view *view, struct inv_table *table,
                       const struct inv_thread_dossier *thread)
{
	static const char *const answers[] = {"no", "yes", "unknown"};
	const struct inv_kernel *kernel = view->check->kernel;
	struct inv_value state = inv_field(kernel, thread->address, INV_F_KTHREAD_State);
	struct inv_value created = inv_field(kernel, thread->address, INV_F_ETHREAD_CreateTime);
	struct inv_value start = inv_field(kernel, thread->address, INV_F_ETHREAD_StartAddress);
	struct inv_value win32 = inv_field(kernel, thread->address, INV_F_ETHREAD_Win32StartAddress);
	struct inv_value teb = inv_field(kernel, thread->address, INV_F_KTHREAD_Teb);
	const char *name = state.ok ? inv_thread_state_name(state.u) : NULL;
	inv_table_value(table, &thread->cid_thread, INV_CELL_NUMBER);
	inv_table_address(table, thread->address);
	if (name)
		inv_table_text(table, name);
	else
		inv_table_value(table, &state, INV_CELL_NUMBER);
	inv_table_value(table, &created, INV_CELL_TIME);
	inv_table_text(table, answers[thread->on_executive_list]);
	inv_table_text(table, answers[thread->on_scheduler_list]);
	inv_table_value(table, &teb, INV_CELL_ADDRESS);
	add_start(view, table, &start);
	add_start(view, table, &win32);
	add_code(view, table, win32.ok && win32.u ? win32.u : start.ok ? start.u : 0);
}

struct inv_table *inv_dossier_threads(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {
	    "tid", "thread", "state",    "created",     "on executive list", "on scheduler list",
	    "teb", "start",  "start in", "win32 start", "win32 start in",    "code"};
	const struct inv_inside *inside = &view->opened->inside;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inside->thread_count; i++)
		add_thread(view, table, inside->threads[i]);
	return table;
}

// -- ranges -----------------------------------------------------------------------------------------------------------------

struct sum {
	const char *kind;
	size_t count;
	uint64_t bytes;
	uint64_t valid, executable, both, copied, paged_out;
};

static struct sum *sum_of(struct sum **sums, const char *kind)
{
	for (size_t i = 0; i < inv_count(*sums); i++)
		if (strcmp((*sums)[i].kind, kind) == 0)
			return &(*sums)[i];
	struct sum sum = {.kind = kind};
	inv_push(*sums, sum);
	return &(*sums)[inv_count(*sums) - 1];
}

static void add_range(const struct inv_dossier_view *view, struct sum **sums, const struct inv_range *range)
{
	const struct inv_inside *inside = &view->opened->inside;
	uint64_t size = range->span.end - range->span.start;
	struct sum *sum = sum_of(sums, range->vad ? inv_vad_kind(range->vad, view->arena) : "no VAD");
	sum->count++;
	sum->bytes += size;
	if (!range->vad) {
		sum->valid += size / INV_PAGE_SIZE;
		return;
	}
	size_t index = (size_t)(range->vad - inside->vads.vads);
	if (index >= inv_count(inside->survey.ranges))
		return;
	const struct inv_range_pages *pages = &inside->survey.ranges[index];
	sum->valid += pages->valid;
	sum->executable += pages->executable;
	sum->both += pages->writable_executable;
	sum->copied += pages->private_copies;
	sum->paged_out += pages->paged_out;
}

struct inv_table *inv_dossier_ranges(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"kind",       "ranges",       "bytes",  "valid pages",
	                                      "executable", "writable too", "copied", "paged out"};
	const struct inv_ranges *ranges = &view->opened->ranges;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	struct sum *sums = NULL;
	for (size_t i = 0; i < inv_count(ranges->ranges); i++)
		add_range(view, &sums, &ranges->ranges[i]);
	for (size_t i = 0; i < inv_count(sums); i++) {
		inv_table_text(table, sums[i].kind);
		inv_table_number(table, sums[i].count);
		inv_table_number(table, sums[i].bytes);
		inv_table_number(table, sums[i].valid);
		inv_table_number(table, sums[i].executable);
		inv_table_number(table, sums[i].both);
		inv_table_number(table, sums[i].copied);
		inv_table_number(table, sums[i].paged_out);
	}
	inv_array_free(sums);
	return table;
}

// Worth a look: without a VAD, executable outside of images, with pages or a node that say something, or of the process' records.
static bool is_remarkable(const struct inv_dossier_view *view, const struct inv_range *range)
{
	const struct inv_inside *inside = &view->opened->inside;
	if (!range->vad || inv_range_notes(view->opened, range->vad))
		return true;
	size_t index = (size_t)(range->vad - inside->vads.vads);
	return range->vad->type != INV_VAD_IMAGE && index < inv_count(inside->survey.ranges) &&
	       inside->survey.ranges[index].executable > 0;
}

struct inv_table *inv_dossier_remarkable(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"start", "end", "kind", "protection", "file", "notes"};
	const struct inv_ranges *ranges = &view->opened->ranges;
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	size_t shown = 0;
	for (size_t i = 0; i < inv_count(ranges->ranges) && shown < MOST_REMARKABLE; i++) {
		const struct inv_range *range = &ranges->ranges[i];
		const struct inv_vad *vad = range->vad;
		char protection[8];
		if (!is_remarkable(view, range))
			continue;
		shown++;
		inv_table_address(table, range->span.start);
		inv_table_address(table, range->span.end);
		inv_table_text(table, vad ? inv_vad_kind(vad, view->arena) : "no VAD");
		inv_table_text(table, vad ? inv_protection_text(vad->protection, protection) : NULL);
		inv_table_text(table, vad ? inv_vad_file(view->opener->sections, vad, NULL) : NULL);
		const char *notes = vad ? inv_range_notes(view->opened, vad) : "valid, and no VAD covers it";
		inv_table_text(table, notes ? notes : "executable, and no image");
	}
	return table;
}

// -- handles ----------------------------------------------------------------------------------------------------------------

struct counting {
	const struct inv_dossier_view *view;
	size_t by_type[256];
	size_t unknown; // their type could not be told
};

static void count_handle(void *context, const struct inv_handle *handle)
{
	struct counting *counting = context;
	struct inv_value index =
	    inv_object_type_index(counting->view->check->kernel, &counting->view->check->testimony->types, handle->object);
	if (index.ok && index.u < 256)
		counting->by_type[index.u]++;
	else
		counting->unknown++;
}

static const char *type_name(const struct inv_dossier_view *view, uint8_t index)
{
	const struct inv_kernel *kernel = view->check->kernel;
	struct inv_value type = inv_object_type_at(kernel, &view->check->testimony->types, index);
	struct inv_value length;
	uint64_t name;
	if (type.ok && inv_field_address(kernel, type.u, INV_F_OBJECT_TYPE_Name, &name)) {
		const char *text = inv_read_unicode(kernel, name, view->arena, &length);
		if (length.ok && *text)
			return text;
	}
	return inv_arena_printf(view->arena, "type %u", index);
}

struct inv_table *inv_dossier_handles(const struct inv_dossier_view *view)
{
	static const char *const columns[] = {"type", "handles"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	struct counting counting = {.view = view};
	struct inv_handle_coverage coverage = {0};
	size_t budget = INV_HANDLE_BUDGET;
	struct inv_value of = inv_field(view->check->kernel, view->process->address, INV_F_EPROCESS_ObjectTable);
	if (of.ok && of.u && !inv_handle_table_unknown(view->check->kernel))
		inv_handle_table_walk(view->check->kernel, of.u, &budget, count_handle, &counting, &coverage);
	for (unsigned i = 0; i < 256; i++) {
		if (counting.by_type[i] == 0)
			continue;
		inv_table_text(table, type_name(view, (uint8_t)i));
		inv_table_number(table, counting.by_type[i]);
	}
	if (counting.unknown) {
		inv_table_text(table, "unknown");
		inv_table_number(table, counting.unknown);
	}
	if (coverage.unreadable || coverage.broken) {
		inv_table_text(table, "(parts of the table that could not be read)");
		inv_table_number(table, coverage.unreadable + coverage.broken);
	}
	return table;
}
