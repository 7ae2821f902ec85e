// SPDX-License-Identifier: Apache-2.0
// Views of sections in processes: the program, its DLLs, mapped files; and whole address spaces that end or are copied.
#include <stdlib.h>

#include "forge/parts.h"
#include "forge/peb.h"
#include "forge/pfn.h"
#include "forge/user.h"

#define PAGE INV_RAM_PAGE
#define ENTRIES 512u
#define SYSTEM_32 "\\Device\\HarddiskVolume3\\Windows\\System32\\"
#define SYSTEM_WOW64 "\\Device\\HarddiskVolume3\\Windows\\SysWOW64\\"
#define RARELY 8u // of so many pages of an image, one is never touched

// -- views ------------------------------------------------------------------------------------------------------------------

uint64_t inv_machine_map_view(struct inv_machine *machine, struct inv_forge_process *process,
                              struct inv_forge_area *area, uint64_t at, uint32_t first, uint32_t pages,
                              unsigned protection)
{
	uint64_t size = (uint64_t)pages * PAGE;
	if (pages == 0 || first > inv_count(area->pages) || pages > inv_count(area->pages) - first)
		return 0;
	uint64_t start = at ? at / PAGE * PAGE : inv_machine_free_place(process, size);
	struct inv_forge_vad vad = {
	    .start = start, .end = start + size, .protection = protection, .area = area, .first = first};
	return inv_machine_add_vad(machine, process, vad) ? start : 0;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a >= 'A' && *a <= 'Z' ? *a + 32 : *a) != (*b >= 'A' && *b <= 'Z' ? *b + 32 : *b))
			return false;
	return *a == *b;
}

const struct inv_forge_user_module *inv_machine_find_module(const struct inv_forge_process *process, const char *name)
{
	for (size_t i = 0; i < inv_count(process->modules); i++)
		if (same_name(process->modules[i].file->name, name))
			return &process->modules[i];
	return NULL;
}

// What the loader and the program have touched: relocations are of no use once they are applied.
static void touch_image(struct inv_machine *machine, const struct inv_forge_process *process,
                        const struct inv_forge_area *area, uint64_t base)
{
	uint32_t end = area->subsections[inv_count(area->subsections) - 1].first;
	for (uint32_t i = 0; i < end; i++)
		if (i % RARELY != RARELY - 1)
			(void)inv_machine_touch(machine, process, base + (uint64_t)i * PAGE, false);
}

uint64_t inv_machine_map_image(struct inv_machine *machine, struct inv_forge_process *process,
                               struct inv_forge_file *file, unsigned kind, uint64_t base)
{
	struct inv_forge_area *area = inv_machine_image_area(machine, file, kind);
	const struct inv_user_image *image = area->image;
	base = inv_machine_map_view(machine, process, area, base ? base : area->base, 0, image->size / PAGE,
	                            INV_MM_EXECUTE_WRITECOPY);
	if (!base)
		return 0;
	const struct inv_forge_user_module module = {.file = file,
	                                             .image = image,
	                                             .base = base,
	                                             .size = image->size,
	                                             .entry = image->entry,
	                                             .time_stamp = image->time_stamp,
	                                             .checksum = image->checksum,
	                                             .wow64 = image->x86};
	inv_push(process->modules, module);
	touch_image(machine, process, area, base);
	return base;
}

static void forget_module(struct inv_forge_process *process, uint64_t base)
{
	for (size_t i = 0; i < inv_count(process->modules); i++) {
		if (process->modules[i].base == base) {
			stbds_arrdel(process->modules, i);
			return;
		}
	}
}

bool inv_machine_unmap(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base)
{
	const struct inv_forge_vad *vad = inv_machine_vad_of(process, base);
	if (!vad || vad->start != base)
		return false;
	inv_machine_release_pages(machine, process, vad);
	inv_machine_remove_vad(machine, process, base);
	forget_module(process, base);
	return true;
}

// -- address spaces ---------------------------------------------------------------------------------------------------------

// Tables, and pages that no range covered.
static void free_tables(struct inv_machine *machine, uint64_t table, unsigned level, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		uint64_t pte = inv_ram_get64(machine->ram, table + 8ull * i);
		if (!(pte & INV_PTE_VALID))
			continue;
		bool large = level == 2 && pte & INV_PTE_LARGE;
		if (level > 1 && !large)
			free_tables(machine, pte & INV_PTE_FRAME, level - 1, ENTRIES);
		for (uint64_t j = 0; j < (large ? ENTRIES : 1); j++)
			inv_machine_move_frame(machine, (pte & INV_PTE_FRAME) + j * PAGE, INV_PFN_FREE);
	}
}

void inv_machine_clean_space(struct inv_machine *machine, struct inv_forge_process *process)
{
	for (size_t i = 0; i < inv_count(process->vads); i++)
		inv_machine_release_pages(machine, process, &process->vads[i]);
	inv_machine_drop_vads(machine, process);
	if (process->modules)
		stbds_arrsetlen(process->modules, 0);
	if (!process->dtb || process->system || process->idle)
		return;
	free_tables(machine, process->dtb, process->maps.levels, ENTRIES / 2);
	for (unsigned i = 0; i < ENTRIES / 2; i++)
		inv_ram_put64(machine->ram, process->dtb + 8ull * i, 0);
	if (process->user_dtb)
		inv_machine_make_shadow(machine, process);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_WorkingSetSize, 0);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_NumberOfPrivatePages, 0);
}

void inv_machine_copy_space(struct inv_machine *machine, struct inv_forge_process *process,
                            struct inv_forge_process *from)
{
	for (size_t i = 0; i < inv_count(from->vads); i++)
		if (inv_machine_add_vad(machine, process, from->vads[i]))
			inv_machine_copy_pages(machine, process, from, &from->vads[i]);
	for (size_t i = 0; i < inv_count(from->modules); i++)
		inv_push(process->modules, from->modules[i]);
	process->program = from->program;
	process->image_base = from->image_base;
	process->peb = from->peb;
	process->wow64 = from->wow64;
}

// -- programs ---------------------------------------------------------------------------------------------------------------

static void map_dll(struct inv_machine *machine, struct inv_forge_process *process, const char *folder,
                    const char *name)
{
	bool x86 = same_name(folder, SYSTEM_WOW64);
	(void)inv_machine_map_image(machine, process,
	                            inv_machine_file(machine, inv_arena_printf(machine->arena, "%s%s", folder, name)),
	                            INV_IMAGE_DLL | (x86 ? INV_IMAGE_X86 : 0), 0);
}

void inv_machine_map_dlls(struct inv_machine *machine, struct inv_forge_process *process, unsigned more)
{
	static const char *const others[] = {
	    "user32.dll",  "gdi32.dll",    "msvcrt.dll", "advapi32.dll", "sechost.dll", "rpcrt4.dll",
	    "combase.dll", "ucrtbase.dll", "ole32.dll",  "shell32.dll",  "shlwapi.dll", "ws2_32.dll",
	    "bcrypt.dll",  "crypt32.dll",  "win32u.dll", "imm32.dll",    "uxtheme.dll", "oleaut32.dll",
	};
	const char *folder = process->wow64 ? SYSTEM_WOW64 : SYSTEM_32;
	map_dll(machine, process, SYSTEM_32, "ntdll.dll");
	if (process->wow64) {
		map_dll(machine, process, SYSTEM_32, "wow64.dll");
		map_dll(machine, process, SYSTEM_WOW64, "ntdll.dll");
	}
	const struct inv_forge_area *program = process->program ? process->program->image : NULL;
	bool native = !process->session || (program && program->image && program->image->subsystem == INV_SUBSYSTEM_NATIVE);
	if (!inv_machine_has_run(process) || (native && !process->gui)) // csrss is native, and has windows all the same
		return;
	map_dll(machine, process, folder, "kernel32.dll");
	map_dll(machine, process, folder, "KERNELBASE.dll");
	if (process->gui && process->wow64)
		map_dll(machine, process, SYSTEM_32, "wow64win.dll");
	if (process->gui && !more)
		more = 1; // user32
	for (unsigned i = 0; i < more; i++)
		map_dll(machine, process, folder,
		        i < sizeof others / sizeof *others ? others[i] : inv_arena_printf(machine->arena, "extra%u.dll", i));
}

void inv_machine_give_image(struct inv_machine *machine, struct inv_forge_process *process)
{
	bool native = process->subsystem ? process->subsystem == INV_SUBSYSTEM_NATIVE : !process->session;
	unsigned kind = (process->wow64 ? INV_IMAGE_X86 : 0) | (native ? INV_IMAGE_NATIVE : 0) |
	                (process->subsystem == INV_SUBSYSTEM_CONSOLE ? INV_IMAGE_CONSOLE : 0);
	process->program = inv_machine_file(machine, process->path);
	inv_machine_start_vads(machine, process);
	process->image_base = inv_machine_map_image(machine, process, process->program, kind, 0);
	inv_machine_map_dlls(machine, process, process->more_modules);
	inv_machine_make_peb(machine, process);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionBaseAddress, process->image_base);
	if (machine->config.kva_shadow)
		inv_machine_make_shadow(machine, process);
}

void inv_machine_give_section(struct inv_machine *machine, struct inv_forge_process *process,
                              struct inv_forge_process_section *shared)
{
	struct inv_forge_process_section *section = shared;
	if (!section) {
		section = inv_alloc(sizeof *section);
		section->area = process->program->image;
		section->object = inv_machine_section_of(machine, section->area);
	}
	section->references++;
	process->section = section;
	inv_machine_put(machine, process->address, INV_F_EPROCESS_SectionObject, section->object);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ImageFilePointer, process->program->object);
}

void inv_machine_drop_section(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_process_section *section = process->section;
	process->section = NULL;
	if (!section || --section->references)
		return;
	inv_machine_delete_section(machine, section->object, section->area);
	free(section);
}
