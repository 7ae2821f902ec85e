// SPDX-License-Identifier: Apache-2.0
// The modules that the kernel has loaded: PsLoadedModuleList, or the list that a triage dump carries.
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "kernel/parts.h"

struct walk {
	struct inv_work *work;
	const struct inv_layout *layout; // of LDR_DATA_TABLE_ENTRY
	uint64_t head;
	uint64_t *entries;   // stb_ds array: entries met so far, forwards ones first
	const char *trouble; // the first one; NULL if there was none
};

// The start of KLDR_DATA_TABLE_ENTRY has not changed since 64-bit Windows exists; the driver entries of four real triage dumps
// (9600, 19041, 22000; x64 and ARM64) have it too.
static const struct inv_layout *known_start(struct inv_arena *arena, enum inv_arch arch)
{
	struct inv_layout *layout = inv_empty_layout(arena, arch);
	layout->place[INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks].offset = 0;
	layout->place[INV_F_LDR_DATA_TABLE_ENTRY_DllBase].offset = 0x30;
	layout->place[INV_F_LDR_DATA_TABLE_ENTRY_SizeOfImage].offset = 0x40;
	layout->place[INV_F_LDR_DATA_TABLE_ENTRY_FullDllName].offset = 0x48;
	layout->place[INV_F_LDR_DATA_TABLE_ENTRY_BaseDllName].offset = 0x58;
	return layout;
}

static const struct inv_layout *entry_layout(const struct inv_kernel *kernel)
{
	bool known = kernel->layout &&
	             kernel->layout->place[INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks].offset != INV_NO_OFFSET &&
	             kernel->layout->place[INV_F_LDR_DATA_TABLE_ENTRY_DllBase].offset != INV_NO_OFFSET;
	return known ? kernel->layout : known_start(kernel->arena, kernel->arch);
}

static bool met(const struct walk *walk, uint64_t links)
{
	for (size_t i = 0; i < inv_count(walk->entries); i++)
		if (walk->entries[i] == links)
			return true;
	return false;
}

static void trouble(struct walk *walk, const char *text)
{
	if (!walk->trouble)
		walk->trouble = text;
}

static const char *unreadable(const struct walk *walk, const struct inv_value *value)
{
	struct inv_arena *arena = walk->work->kernel.arena;
	return inv_arena_printf(arena, "the list cannot be followed: %s", inv_why_text(arena, &value->why));
}

// Follows one direction until the head comes round. `next_at` and `back_at` are the two pointers of a LIST_ENTRY. Returns
// whether the list closed.
static bool follow(struct walk *walk, unsigned next_at, unsigned back_at)
{
	const struct inv_kernel *kernel = &walk->work->kernel;
	uint64_t links = walk->head;
	for (;;) {
		struct inv_value next = inv_read_u64(kernel, links + next_at);
		if (!next.ok) {
			trouble(walk, unreadable(walk, &next));
			return false;
		}
		struct inv_value back = inv_read_u64(kernel, next.u + back_at);
		if (!back.ok)
			trouble(walk, unreadable(walk, &back));
		else if (back.u != links)
			trouble(walk, inv_arena_printf(kernel->arena, "the links of 0x%llx and 0x%llx contradict each other",
			                               (unsigned long long)links, (unsigned long long)next.u));
		if (next.u == walk->head)
			return true;
		if (!back.ok)
			return false;
		if (met(walk, next.u)) {
			trouble(walk,
			        inv_arena_printf(kernel->arena, "the list runs in a circle at 0x%llx", (unsigned long long)next.u));
			return false;
		}
		if (inv_count(walk->entries) == INV_MAX_MODULES) {
			trouble(walk, "the list has more than 4096 entries");
			return false;
		}
		inv_push(walk->entries, next.u);
		links = next.u;
	}
}

// Backwards from the head, to what the forward walk did not reach; the new entries are put in list order.
static void follow_back(struct walk *walk)
{
	size_t first = inv_count(walk->entries);
	follow(walk, 8, 0);
	for (size_t i = first, j = inv_count(walk->entries); i + 1 < j; i++) {
		uint64_t entry = walk->entries[i];
		walk->entries[i] = walk->entries[--j];
		walk->entries[j] = entry;
	}
}

// The time stamp stands in the file's own header; the copy in the list entry is there from Windows 10 on.
static void read_header(const struct inv_kernel *kernel, const struct walk *walk, struct inv_module *module)
{
	struct inv_pe pe;
	if (inv_pe_read(kernel->space, module->base, &pe, NULL)) {
		module->time_stamp = pe.time_stamp;
		module->checksum = pe.checksum;
		return;
	}
	struct inv_value stamp =
	    inv_layout_field(kernel, walk->layout, module->entry, INV_F_LDR_DATA_TABLE_ENTRY_TimeDateStamp);
	struct inv_value checksum =
	    inv_layout_field(kernel, walk->layout, module->entry, INV_F_LDR_DATA_TABLE_ENTRY_CheckSum);
	module->time_stamp = stamp.ok ? (uint32_t)stamp.u : 0;
	module->checksum = checksum.ok ? (uint32_t)checksum.u : 0;
}

static struct inv_module read_module(const struct walk *walk, uint64_t links)
{
	const struct inv_kernel *kernel = &walk->work->kernel;
	const struct inv_layout *layout = walk->layout;
	uint64_t entry = links - layout->place[INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks].offset;
	struct inv_value base = inv_layout_field(kernel, layout, entry, INV_F_LDR_DATA_TABLE_ENTRY_DllBase);
	struct inv_value size = inv_layout_field(kernel, layout, entry, INV_F_LDR_DATA_TABLE_ENTRY_SizeOfImage);
	struct inv_value name_at = inv_layout_field(kernel, layout, entry, INV_F_LDR_DATA_TABLE_ENTRY_BaseDllName);
	struct inv_value path_at = inv_layout_field(kernel, layout, entry, INV_F_LDR_DATA_TABLE_ENTRY_FullDllName);
	struct inv_module module = {.entry = entry, .base = base.ok ? base.u : 0, .size = size.ok ? size.u : 0, .name = ""};
	struct inv_value value = name_at;
	if (name_at.ok)
		module.name = inv_read_unicode(kernel, name_at.u, kernel->arena, &value);
	if (!value.ok) {
		module.name = "";
		module.name_why = value.why;
	}
	value = path_at;
	const char *path = path_at.ok ? inv_read_unicode(kernel, path_at.u, kernel->arena, &value) : NULL;
	module.path = value.ok ? path : NULL;
	read_header(kernel, walk, &module);
	return module;
}

// A triage dump gives a driver's path, or its name alone.
static void split_path(struct inv_module *module)
{
	const char *slash = strrchr(module->name, '\\');
	if (!slash || slash[1] == '\0')
		return;
	module->path = module->name;
	module->name = slash + 1;
}

static void publish(struct inv_work *work)
{
	work->kernel.modules = work->modules;
	work->kernel.module_count = inv_count(work->modules);
}

// The kernel's own entry says where the kernel is; it comes first on an untouched list.
static void clue_of_kernel(struct inv_work *work)
{
	for (size_t i = 0; i < work->kernel.module_count; i++) {
		const struct inv_module *module = &work->modules[i];
		if (strcmp(module->name, "ntoskrnl.exe") != 0)
			continue;
		inv_clue_found(work, INV_ANCHOR_KERNEL_BASE, INV_WAY_MODULE_LIST, module->base, module->entry, NULL);
		return;
	}
}

void inv_find_modules(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsLoadedModuleList, NULL);
	if (!head.ok) {
		kernel->modules_note = "the address of PsLoadedModuleList is not known";
		return;
	}
	struct walk walk = {.work = work, .layout = entry_layout(kernel), .head = head.u};
	bool closed = follow(&walk, 0, 8);
	if (!closed)
		follow_back(&walk);
	for (size_t i = 0; i < inv_count(walk.entries); i++)
		inv_push(work->modules, read_module(&walk, walk.entries[i]));
	inv_array_free(walk.entries);
	publish(work);
	kernel->modules_complete = closed && !walk.trouble;
	kernel->modules_note = walk.trouble;
	clue_of_kernel(work);
}

void inv_triage_modules(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_triage *triage = inv_image_info(kernel->image)->triage;
	size_t count = triage->module_count < INV_MAX_MODULES ? triage->module_count : INV_MAX_MODULES;
	for (size_t i = 0; i < count; i++) {
		const struct inv_triage_module *from = &triage->modules[i];
		struct inv_module module = {
		    .base = from->base,
		    .size = from->size,
		    .time_stamp = from->time_stamp,
		    .checksum = from->checksum,
		    .name = from->name_size ? inv_utf16_to_utf8(kernel->arena, from->name, from->name_size) : "",
		};
		if (!from->name_size)
			module.name_why = (struct inv_why){.reason = INV_NOT_CAPTURED, .address = from->base};
		split_path(&module);
		inv_push(work->modules, module);
	}
	publish(work);
	kernel->modules_complete = count != 0 && count == triage->module_count;
	kernel->modules_note = kernel->modules_complete ? NULL
	                       : count                  ? "the dump lists more than 4096 drivers"
	                                                : "the dump has no list of drivers";
}
