// SPDX-License-Identifier: Apache-2.0
// The kernel's image and the other modules of PsLoadedModuleList.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define PAGE INV_RAM_PAGE
#define LARGE_PAGE (2u << 20)
#define OWN_PAGES INV_FORGE_OWN_PAGES
#define CODE_PAGES 1u // our own code
#define DATA_PAGES 1u // our own data
#define GAP (OWN_PAGES + CODE_PAGES + DATA_PAGES)
#define DEBUG_PART 0x000u // of the read-only data
#define EXPORT_PART 0x200u
#define SYMBOL_ROOM 0x10000u // no global that the forge writes is larger
#define ROUTINE_PART 0x100u  // of a page of code: what is registered with the kernel
#define KERNEL_ROUTINE_PART 0x800u

static bool is_code(enum inv_symbol symbol)
{
	return symbol == INV_S_KiSystemCall64 || symbol == INV_S_KiSystemCall64Shadow;
}

// The first page with `pages` free ones, with no symbol in it and none close enough in front to reach into it.
static uint32_t free_rva(const struct inv_machine *machine, uint32_t pages)
{
	uint32_t start = PAGE;
	for (bool moved = true; moved;) {
		moved = false;
		for (int i = 0; i < INV_SYMBOL_COUNT; i++) {
			uint32_t rva = machine->facts->rva[i];
			if (rva == INV_NO_RVA || (uint64_t)rva + SYMBOL_ROOM <= start || rva >= start + pages * PAGE)
				continue;
			start = (rva + SYMBOL_ROOM + PAGE - 1) / PAGE * PAGE;
			moved = true;
		}
	}
	return start;
}

static uint32_t last_rva(const struct inv_machine *machine)
{
	uint32_t last = 0;
	for (int i = 0; i < INV_SYMBOL_COUNT; i++)
		if (machine->facts->rva[i] != INV_NO_RVA && machine->facts->rva[i] > last)
			last = machine->facts->rva[i];
	return last;
}

// Where a kind of memory begins inside the image.
struct edge {
	uint32_t rva;
	uint32_t characteristics;
};

static int compare_edges(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;
	return a->rva < b->rva ? -1 : a->rva > b->rva;
}

static void name_section(struct inv_machine *machine, struct inv_forge_section *section)
{
	static const char *const code[] = {".text", "PAGE", "PAGELK", "KVASCODE"};
	static const char *const data[] = {".data", "ALMOSTRO", "CACHEALI", "PAGEDATA"};
	size_t nth = 0;
	for (size_t i = 0; i < machine->section_count; i++)
		nth += machine->section[i].characteristics == section->characteristics;
	const char *name = ".rdata";
	if (section->characteristics == INV_SECTION_CODE)
		name = section->rva == machine->code_rva ? "POOLCODE" : code[nth % 4];
	else if (section->characteristics == INV_SECTION_DATA)
		name = data[nth % 4];
	snprintf(section->name, sizeof section->name, "%s", name);
}

static void add_section(struct inv_machine *machine, uint32_t start, uint32_t end, uint32_t characteristics)
{
	if (end <= start || machine->section_count == INV_PE_MAX_SECTIONS)
		return;
	struct inv_forge_section section = {"", start, end - start, characteristics};
	name_section(machine, &section);
	machine->section[machine->section_count++] = section;
}

// Sections such that every symbol that is a function lies in code and every variable in data.
static void make_sections(struct inv_machine *machine)
{
	struct edge edges[INV_SYMBOL_COUNT + 4];
	size_t count = 0;
	edges[count++] = (struct edge){machine->own_rva, INV_SECTION_READ};
	edges[count++] = (struct edge){machine->code_rva, INV_SECTION_CODE};
	edges[count++] = (struct edge){machine->data_rva, INV_SECTION_DATA};
	for (int i = 0; i < INV_SYMBOL_COUNT; i++)
		if (machine->facts->rva[i] != INV_NO_RVA)
			edges[count++] = (struct edge){machine->facts->rva[i],
			                               is_code((enum inv_symbol)i) ? INV_SECTION_CODE : INV_SECTION_DATA};
	qsort(edges, count, sizeof *edges, compare_edges);
	uint32_t start = PAGE;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && edges[i].characteristics == edges[i - 1].characteristics)
			continue;
		uint32_t end = i < count ? edges[i].rva / PAGE * PAGE : machine->size;
		add_section(machine, start, end, edges[i - 1].characteristics);
		start = end;
	}
}

static uint64_t section_flags(const struct inv_machine *machine, uint32_t rva)
{
	for (size_t i = 0; i < machine->section_count; i++) {
		const struct inv_forge_section *section = &machine->section[i];
		if (rva < section->rva || rva - section->rva >= section->size)
			continue;
		if (section->characteristics == INV_SECTION_CODE)
			return INV_PTE_GLOBAL;
		return INV_PTE_GLOBAL | INV_PTE_NX | (section->characteristics == INV_SECTION_DATA ? INV_PTE_WRITE : 0);
	}
	return INV_PTE_GLOBAL | INV_PTE_NX;
}

// Windows 7 puts the kernel into a few fixed megabytes; later builds choose among much more. The seed decides in both.
static uint64_t choose_base(struct inv_machine *machine)
{
	if (machine->build < 9200)
		return 0xfffff80002800000u + inv_random_below(&machine->random, 0x400) * PAGE;
	uint64_t base = 0xfffff80000000000u + (0x10 + inv_random_below(&machine->random, 0x3000)) * LARGE_PAGE;
	if (!machine->large_pages)
		base += inv_random_below(&machine->random, 512) * PAGE;
	return base;
}

static void map_image(struct inv_machine *machine)
{
	uint64_t size = ((uint64_t)machine->size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	uint64_t physical = inv_ram_take_block(machine->ram, size, LARGE_PAGE, INV_RAM_KERNEL);
	if (machine->large_pages) {
		for (uint64_t at = 0; at < size; at += LARGE_PAGE)
			inv_maps_map(&machine->maps, machine->base + at, physical + at,
			             INV_PTE_LARGE | INV_PTE_WRITE | INV_PTE_GLOBAL);
		return;
	}
	for (uint32_t at = 0; at < machine->size; at += PAGE)
		inv_maps_map(&machine->maps, machine->base + at, physical + at, section_flags(machine, at));
}

static void put_in_image(void *context, uint32_t rva, const void *bytes, size_t size)
{
	struct inv_machine *machine = context;
	inv_machine_write(machine, machine->base + rva, bytes, size);
}

// The kernel's own accessors are one instruction and a return, so their displacement is the field's offset.
struct accessor {
	const char *name;
	enum inv_field field;
	uint8_t opcode[3]; // followed by disp32 and C3
	uint8_t size;      // of the opcode
};
#define MOV_RAX {0x48, 0x8b, 0x81}, 3 // mov rax, [rcx+disp32]
#define MOV_EAX {0x8b, 0x81, 0}, 2    // mov eax, [rcx+disp32]
#define LEA_RAX {0x48, 0x8d, 0x81}, 3 // lea rax, [rcx+disp32]

static const struct accessor accessors[] = {
    // sorted by name
    {"PsGetProcessCreateTimeQuadPart", INV_F_EPROCESS_CreateTime, MOV_RAX},
    {"PsGetProcessDebugPort", INV_F_EPROCESS_DebugPort, MOV_RAX},
    {"PsGetProcessExitStatus", INV_F_EPROCESS_ExitStatus, MOV_EAX},
    {"PsGetProcessId", INV_F_EPROCESS_UniqueProcessId, MOV_RAX},
    {"PsGetProcessImageFileName", INV_F_EPROCESS_ImageFileName, LEA_RAX},
    {"PsGetProcessInheritedFromUniqueProcessId", INV_F_EPROCESS_InheritedFromUniqueProcessId, MOV_RAX},
    {"PsGetProcessJob", INV_F_EPROCESS_Job, MOV_RAX},
    {"PsGetProcessPeb", INV_F_EPROCESS_Peb, MOV_RAX},
    {"PsGetProcessSectionBaseAddress", INV_F_EPROCESS_SectionBaseAddress, MOV_RAX},
    {"PsGetProcessWin32Process", INV_F_EPROCESS_Win32Process, MOV_RAX},
    {"PsGetThreadId", INV_F_ETHREAD_CidUniqueThread, MOV_RAX},
    {"PsGetThreadProcess", INV_F_KTHREAD_Process, MOV_RAX},
    {"PsGetThreadProcessId", INV_F_ETHREAD_CidUniqueProcess, MOV_RAX},
    {"PsGetThreadTeb", INV_F_KTHREAD_Teb, MOV_RAX},
    {"PsGetThreadWin32Thread", INV_F_KTHREAD_Win32Thread, MOV_RAX},
};
#define ACCESSOR_COUNT (sizeof accessors / sizeof *accessors)
#define ACCESSOR_STEP 0x20u

static uint32_t write_accessor(struct inv_machine *machine, size_t index)
{
	const struct accessor *accessor = &accessors[index];
	uint8_t code[ACCESSOR_STEP];
	memset(code, 0xcc, sizeof code);
	memcpy(code, accessor->opcode, accessor->size);
	inv_put32(code + accessor->size, machine->layout->place[accessor->field].offset);
	code[accessor->size + 4] = 0xc3;
	uint32_t rva = machine->code_rva + (uint32_t)index * ACCESSOR_STEP;
	inv_machine_write(machine, machine->base + rva, code, sizeof code);
	return rva;
}

// The variables that ntoskrnl.exe exports by name; they sort before or between the accessors.
static const struct {
	const char *name;
	enum inv_symbol symbol;
} variables[] = {
    {"KeNumberProcessors", INV_S_KeNumberProcessors},
    {"NtBuildNumber", INV_S_NtBuildNumber},
    {"PsInitialSystemProcess", INV_S_PsInitialSystemProcess},
    {"PsProcessType", INV_S_PsProcessType},
    {"PsThreadType", INV_S_PsThreadType},
};
#define VARIABLE_COUNT (sizeof variables / sizeof *variables)

// The functions by which drivers register what watches processes. Like any code of the kernel they begin with a plain prologue.
static const char *const registrars[] = {
    "CmRegisterCallbackEx",
    "ObRegisterCallbacks",
    "PsSetCreateProcessNotifyRoutine",
    "PsSetCreateProcessNotifyRoutineEx",
    "PsSetCreateThreadNotifyRoutine",
    "PsSetLoadImageNotifyRoutine",
};
#define REGISTRAR_COUNT (sizeof registrars / sizeof *registrars)
#define REGISTRAR_PART 0x400u // of the forge's own code, behind the accessors

static int compare_exports(const void *left, const void *right)
{
	return strcmp(((const struct inv_forge_export *)left)->name, ((const struct inv_forge_export *)right)->name);
}

static void write_headers(struct inv_machine *machine)
{
	struct inv_forge_export exports[ACCESSOR_COUNT + VARIABLE_COUNT + REGISTRAR_COUNT];
	size_t count = 0;
	for (size_t i = 0; i < ACCESSOR_COUNT; i++)
		if (inv_machine_has(machine, accessors[i].field))
			exports[count++] = (struct inv_forge_export){accessors[i].name, write_accessor(machine, i)};
	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (machine->facts->rva[variables[i].symbol] != INV_NO_RVA)
			exports[count++] = (struct inv_forge_export){variables[i].name, machine->facts->rva[variables[i].symbol]};
	for (size_t i = 0; i < REGISTRAR_COUNT; i++) {
		uint32_t rva = machine->code_rva + REGISTRAR_PART + (uint32_t)i * INV_FORGE_ROUTINE_SIZE;
		inv_machine_write_routine(machine, machine->base + rva);
		exports[count++] = (struct inv_forge_export){registrars[i], rva};
	}
	qsort(exports, count, sizeof *exports, compare_exports);
	struct inv_forge_pe pe = {
	    .base = machine->base,
	    .size = machine->size,
	    .time_stamp = machine->modules[0].time_stamp,
	    .checksum = machine->modules[0].checksum,
	    .entry = machine->code_rva,
	    .sections = machine->section,
	    .section_count = machine->section_count,
	    .pdb = machine->facts->pdb,
	    .age = machine->facts->age,
	    .debug_rva = machine->own_rva + DEBUG_PART,
	    .name = "ntoskrnl.exe",
	    .export_rva = machine->own_rva + EXPORT_PART,
	    .exports = exports,
	    .export_count = count,
	};
	memcpy(pe.guid, machine->facts->guid, sizeof pe.guid);
	inv_forge_pe_write(&pe, put_in_image, machine);
}

static void write_build(struct inv_machine *machine)
{
	uint64_t number = inv_machine_symbol(machine, INV_S_NtBuildNumber);
	uint8_t bytes[4];
	inv_put32(bytes, 0xf0000000u | machine->build); // the high bits say that it is a free build
	if (number)
		inv_machine_write(machine, number, bytes, sizeof bytes);
	// From 1809 on the laboratory's number stays at 1 while the kernel is serviced.
	char lab[96];
	unsigned revision = machine->build >= 17763 ? 1u : machine->facts->version.revision;
	int size = snprintf(lab, sizeof lab, "%u.%u.amd64fre.invar_forge.260101-0000", machine->build, revision) + 1;
	uint64_t text = inv_machine_symbol(machine, INV_S_NtBuildLabEx);
	if (text)
		inv_machine_write(machine, text, lab, (size_t)size);
	text = inv_machine_symbol(machine, INV_S_NtBuildLab);
	if (text)
		inv_machine_write(machine, text, lab, (size_t)size);
}

static struct inv_forge_module *add_module(struct inv_machine *machine, const char *name, uint64_t base, uint32_t size)
{
	struct inv_forge_module module = {
	    .name = name,
	    .path = inv_arena_printf(machine->arena, "\\SystemRoot\\system32\\%s%s",
	                             strstr(name, ".sys") ? "drivers\\" : "", name),
	    .base = base,
	    .size = size,
	    .time_stamp = 0x50000000u + (uint32_t)inv_random_below(&machine->random, 0x10000000),
	    .checksum = (uint32_t)inv_random_below(&machine->random, 0x200000),
	    .entry_point = PAGE,
	    .routines = base + PAGE + ROUTINE_PART,
	};
	inv_push(machine->modules, module);
	return &machine->modules[inv_count(machine->modules) - 1];
}

void inv_machine_map_kernel(struct inv_machine *machine)
{
	machine->own_rva = free_rva(machine, GAP);
	machine->code_rva = machine->own_rva + OWN_PAGES * PAGE;
	machine->data_rva = machine->code_rva + CODE_PAGES * PAGE;
	uint32_t end = machine->data_rva + DATA_PAGES * PAGE;
	uint32_t last = last_rva(machine) + SYMBOL_ROOM;
	machine->size = ((end > last ? end : last) + PAGE - 1) / PAGE * PAGE;
	machine->large_pages =
	    machine->config.large_pages >= 0 ? machine->config.large_pages != 0 : inv_random_next(&machine->random) & 1;
	if (machine->build < 9200)
		machine->large_pages = false; // its base is not on a border of 2 MiB
	machine->base = choose_base(machine);
	make_sections(machine);
	map_image(machine);
	struct inv_forge_module *kernel = add_module(machine, "ntoskrnl.exe", machine->base, machine->size);
	kernel->entry_point = machine->code_rva;
	kernel->routines = machine->base + machine->code_rva + KERNEL_ROUTINE_PART;
	write_headers(machine);
	write_build(machine);
}

static void load_entry(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint32_t size = inv_machine_size(machine, INV_T_LDR_DATA_TABLE_ENTRY, 0x98);
	uint64_t entry = module->entry = inv_machine_pool(machine, &machine->pool, size, "MmLd");
	inv_machine_put(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_DllBase, module->base);
	inv_machine_put(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_EntryPoint, module->base + module->entry_point);
	inv_machine_put(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_SizeOfImage, module->size);
	inv_machine_put(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_TimeDateStamp, module->time_stamp);
	inv_machine_put(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_CheckSum, module->checksum);
	if (inv_machine_has(machine, INV_F_LDR_DATA_TABLE_ENTRY_FullDllName))
		inv_machine_unicode(machine, inv_machine_at(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_FullDllName),
		                    module->path);
	if (inv_machine_has(machine, INV_F_LDR_DATA_TABLE_ENTRY_BaseDllName))
		inv_machine_unicode(machine, inv_machine_at(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_BaseDllName),
		                    module->name);
	uint64_t head = inv_machine_symbol(machine, INV_S_PsLoadedModuleList);
	if (head && inv_machine_has(machine, INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks))
		inv_machine_list_append(machine, head,
		                        inv_machine_at(machine, entry, INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks));
}

struct module_place {
	struct inv_machine *machine;
	uint64_t base;
};

static void put_in_module(void *context, uint32_t rva, const void *bytes, size_t size)
{
	const struct module_place *place = context;
	inv_machine_write(place->machine, place->base + rva, bytes, size);
}

// A driver: its headers, one page of code and its imports are in memory, the rest was paged out or never touched.
static void load_driver(struct inv_machine *machine, const char *name, uint64_t base, uint32_t size,
                        const char *const *imports)
{
	struct inv_forge_module *module = add_module(machine, name, base, size);
	inv_maps_map(&machine->maps, base, inv_ram_take(machine->ram, INV_RAM_KERNEL), INV_PTE_GLOBAL | INV_PTE_NX);
	inv_maps_map(&machine->maps, base + PAGE, inv_ram_take(machine->ram, INV_RAM_KERNEL), INV_PTE_GLOBAL);
	inv_maps_map(&machine->maps, base + UINT64_C(2) * PAGE, inv_ram_take(machine->ram, INV_RAM_KERNEL),
	             INV_PTE_GLOBAL | INV_PTE_NX);
	const struct inv_forge_section sections[] = {{".text", PAGE, PAGE, INV_SECTION_CODE},
	                                             {".rdata", 2 * PAGE, PAGE, INV_SECTION_READ},
	                                             {".data", 3 * PAGE, size - 3 * PAGE, INV_SECTION_DATA}};
	struct inv_forge_pe pe = {
	    .base = base,
	    .size = size,
	    .time_stamp = module->time_stamp,
	    .checksum = module->checksum,
	    .entry = PAGE,
	    .sections = sections,
	    .section_count = 3,
	    .import_rva = 2 * PAGE,
	    .import_size = inv_machine_write_imports(machine, base, 2 * PAGE, imports),
	};
	struct module_place place = {machine, base};
	inv_forge_pe_write(&pe, put_in_module, &place);
	static const uint8_t code[] = {0x33, 0xc0, 0xc3}; // xor eax, eax; ret
	inv_machine_write(machine, base + PAGE, code, sizeof code);
}

struct known_driver {
	const char *name;
	const char *imports[6]; // functions of the kernel by which it registers what watches processes
};

// The first drivers of every machine, which stand at random distances.
static const struct known_driver first_drivers[] = {
    {"hal.dll", {0}},      {"kdcom.dll", {0}},  {"CI.dll", {"PsSetCreateProcessNotifyRoutineEx"}},
    {"CLFS.SYS", {0}},     {"FLTMGR.SYS", {0}}, {"ksecdd.sys", {"PsSetCreateProcessNotifyRoutine"}},
    {"Wdf01000.sys", {0}}, {"ACPI.sys", {0}},   {"pci.sys", {0}},
    {"Ntfs.sys", {0}},     {"NDIS.SYS", {0}},   {"tcpip.sys", {"PsSetCreateProcessNotifyRoutine"}},
    {"afd.sys", {0}},      {"win32k.sys", {0}}, {"dxgkrnl.sys", {"PsSetCreateProcessNotifyRoutineEx"}},
    {"HTTP.sys", {0}},
};
// Those that guard it: names that no product has. They stand behind the others, so that what those get by chance stays the same.
static const struct known_driver guards[] = {
    {"cng.sys", {"PsSetCreateProcessNotifyRoutine"}},
    {"avearly.sys", {"PsSetCreateProcessNotifyRoutineEx", "PsSetCreateThreadNotifyRoutine", "ObRegisterCallbacks"}},
    {"fltguard.sys", {"PsSetLoadImageNotifyRoutine", "CmRegisterCallbackEx"}},
    {"edrsense.sys",
     {"PsSetCreateProcessNotifyRoutineEx", "PsSetCreateThreadNotifyRoutine", "PsSetLoadImageNotifyRoutine",
      "ObRegisterCallbacks", "CmRegisterCallbackEx"}},
};

static void place_driver(struct inv_machine *machine, const char *name, const char *const *imports)
{
	uint64_t base = machine->driver_end + (1 + inv_random_below(&machine->random, 64)) * 0x10000;
	uint32_t size = (uint32_t)(8 + inv_random_below(&machine->random, 256)) * PAGE;
	load_driver(machine, name, base, size, imports);
	machine->driver_end = (base + size + 0xffff) / 0x10000 * 0x10000;
}

struct inv_forge_module *inv_machine_load_driver(struct inv_machine *machine, const char *name,
                                                 const char *const *imports)
{
	place_driver(machine, name, imports);
	struct inv_forge_module *module = &machine->modules[inv_count(machine->modules) - 1];
	load_entry(machine, module);
	return module;
}

void inv_machine_load_modules(struct inv_machine *machine)
{
	uint64_t head = inv_machine_symbol(machine, INV_S_PsLoadedModuleList);
	if (head)
		inv_machine_list_init(machine, head);
	machine->driver_end = (machine->base + machine->size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	for (size_t i = 0; i < sizeof first_drivers / sizeof *first_drivers; i++)
		place_driver(machine, first_drivers[i].name, first_drivers[i].imports);
	struct inv_random chance = machine->random;
	for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
		place_driver(machine, guards[i].name, guards[i].imports);
	machine->random = chance;
	for (size_t i = 0; i < inv_count(machine->modules); i++)
		load_entry(machine, &machine->modules[i]);
}
