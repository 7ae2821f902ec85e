// SPDX-License-Identifier: Apache-2.0
#include "forge/peb.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "forge/user_pe.h"

#define PAGE INV_RAM_PAGE
#define WINDOWS_8_1 9600u
#define WINDOWS_10 10240u
#define REGION 0x200000ull // since Windows 10 PEB and TEBs stand in reservations of this size
#define UNIT 0x10000ull    // of reservations
#define LOW 0x2000000ull   // where small ranges begin that are not by the PEB; the forge's own choice
#define HEAP_SIZE 0x40000ull
#define HEAP_HEADER 0x300ull // of a heap's own records, which are not laid out
#define IMAGE_SCN_CODE 0x20u
#define TABLE_AT 0x40u // of KernelCallbackTable in its module's data; the forge's own choice
#define CONSOLE_HANDLE                                                                                                 \
	0x44u // to what the driver of the console made, which is not laid out; its value is the forge's choice
#define NORMALIZED 0x4001u // RTL_USER_PROC_PARAMS_NORMALIZED, and IMAGE_KEY_MISSING as is usual

void inv_forge_user_free(struct inv_forge_user *user)
{
	if (user)
		inv_array_free(user->modules);
	free(user);
}

// -- paths and text -----------------------------------------------------------------------------------------------------------

const char *inv_forge_dos_path(struct inv_arena *arena, const char *path)
{
	static const char volume[] = "\\Device\\HarddiskVolume", network[] = "\\Device\\Mup\\";
	if (strncmp(path, network, sizeof network - 1) == 0)
		return inv_arena_printf(arena, "\\\\%s", path + sizeof network - 1);
	const char *digit = path + sizeof volume - 1;
	if (strncmp(path, volume, sizeof volume - 1) != 0)
		return path;
	if (*digit >= '3' && *digit <= '9' && digit[1] == '\\')
		return inv_arena_printf(arena, "%c:%s", 'C' + (*digit - '3'), digit + 1);
	return inv_arena_printf(arena, "\\\\?\\GLOBALROOT%s", path); // a volume without a letter
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

// The 32-bit loader opens C:\Windows\System32, which WOW64 turns into SysWOW64, and notes the first.
static const char *seen_from_wow64(struct inv_arena *arena, const char *path)
{
	static const char real[] = "\\SysWOW64\\";
	const char *at = strstr(path, real);
	return at ? inv_arena_printf(arena, "%.*s\\System32\\%s", (int)(at - path), path, at + sizeof real - 1) : path;
}

// -- fields and ranges --------------------------------------------------------------------------------------------------------

// Sizes (SIZE_T) are of kind INV_U64 too; nothing else that is written here has eight bytes in a 32-bit half.
static unsigned width_of(const struct inv_forge_half *half, enum inv_field field)
{
	const struct inv_place *place = &half->layout->place[field];
	enum inv_kind kind = inv_field_info(field)->kind;
	if (place->bits || kind == INV_BITS)
		return place->width ? place->width : 1;
	return kind == INV_U8 ? 1 : kind == INV_U16 ? 2 : kind == INV_U32 ? 4 : half->pointer;
}

void inv_machine_put_half(struct inv_machine *machine, const struct inv_forge_process *process,
                          const struct inv_forge_half *half, uint64_t object, enum inv_field field, uint64_t value)
{
	const struct inv_place *place = &half->layout->place[field];
	if (!object || place->offset == INV_NO_OFFSET)
		return;
	unsigned width = width_of(half, field);
	uint8_t bytes[8] = {0};
	if (place->bits) {
		inv_machine_read_user(machine, process, object + place->offset, bytes, width);
		uint64_t mask = ((1ull << place->bits) - 1) << place->bit;
		value = (inv_le64(bytes) & ~mask) | (value << place->bit & mask);
	}
	inv_put64(bytes, value);
	inv_machine_write_user(machine, process, object + place->offset, bytes, width);
}

static bool half_has(const struct inv_forge_half *half, enum inv_field field)
{
	return half->layout->place[field].offset != INV_NO_OFFSET;
}

static uint64_t half_at(const struct inv_forge_half *half, uint64_t object, enum inv_field field)
{
	return object + half->layout->place[field].offset;
}

static uint32_t half_size(const struct inv_forge_half *half, enum inv_type type, uint32_t fallback)
{
	return half->layout->size[type] ? half->layout->size[type] : fallback;
}

static void put_pointer(struct inv_machine *machine, const struct inv_forge_process *process,
                        const struct inv_forge_half *half, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];
	inv_put64(bytes, value);
	inv_machine_write_user(machine, process, address, bytes, half->pointer);
}

static uint64_t get_pointer(const struct inv_machine *machine, const struct inv_forge_process *process,
                            const struct inv_forge_half *half, uint64_t address)
{
	uint8_t bytes[8] = {0};
	inv_machine_read_user(machine, process, address, bytes, half->pointer);
	return inv_le64(bytes);
}

// A UNICODE_STRING of `length` characters whose buffer has room for `room` bytes.
static void put_string(struct inv_machine *machine, const struct inv_forge_process *process,
                       const struct inv_forge_half *half, uint64_t object, enum inv_field field, uint64_t buffer,
                       size_t length, size_t room)
{
	if (!half_has(half, field))
		return;
	uint8_t bytes[16] = {0};
	inv_put16(bytes, (uint16_t)(2 * length));
	inv_put16(bytes + 2, (uint16_t)room);
	inv_put64(bytes + half->pointer, buffer);
	inv_machine_write_user(machine, process, half_at(half, object, field), bytes, (size_t)2 * half->pointer);
}

static void put_text(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                     const char *text)
{
	size_t size = 2 * strlen(text) + 2;
	uint8_t *units = inv_alloc(size);
	for (size_t i = 0; text[i]; i++)
		units[2 * i] = (uint8_t)text[i];
	inv_machine_write_user(machine, process, address, units, size);
	free(units);
}

uint64_t inv_machine_take_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t size,
                               uint64_t mapped)
{
	struct inv_forge_user *user = process->user;
	uint64_t at = inv_machine_reserve(machine, process, user->next, size, INV_MM_READWRITE);
	if (at)
		user->next = (at + size + UNIT - 1) / UNIT * UNIT;
	else
		at = inv_machine_reserve(machine, process, 0, size, INV_MM_READWRITE);
	for (uint64_t page = 0; at && page < mapped; page += PAGE)
		inv_machine_map_user(machine, process, at + page, INV_PTE_WRITE | INV_PTE_NX);
	return at;
}

// A block of the process heap; 0: it is full.
static uint64_t take_heap(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half,
                          uint64_t size)
{
	if (!half->heap || half->heap_next + size > half->heap + HEAP_SIZE)
		return 0;
	uint64_t at = half->heap_next;
	half->heap_next = (at + size + 31) / 16 * 16; // 16 bytes: the block's own header
	for (; half->heap_mapped < half->heap_next; half->heap_mapped += PAGE)
		inv_machine_map_user(machine, process, half->heap_mapped, INV_PTE_WRITE | INV_PTE_NX);
	return at;
}

static void make_heap(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half)
{
	half->heap = half->heap_mapped = inv_machine_take_user(machine, process, HEAP_SIZE, 0);
	half->heap_next = half->heap + HEAP_HEADER;
	inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_ProcessHeap, half->heap);
}

// -- process parameters -------------------------------------------------------------------------------------------------------

static const char *default_command_line(struct inv_arena *arena, const char *image_path)
{
	return strchr(image_path, ' ') ? inv_arena_printf(arena, "\"%s\"", image_path) : image_path;
}

// Variables, each with a NUL behind it; *size without the last NUL of all.
static char *environment(const struct inv_machine *machine, const struct inv_forge_process *process, bool x86,
                         size_t *size)
{
	bool user = process->session && process->session->id > 0;
	char *text = inv_arena_printf(
	    machine->arena,
	    "ALLUSERSPROFILE=C:\\ProgramData\nComSpec=C:\\Windows\\system32\\cmd.exe\nNUMBER_OF_PROCESSORS=%u\n"
	    "OS=Windows_NT\nPath=C:\\Windows\\system32;C:\\Windows\nPROCESSOR_ARCHITECTURE=%s\nSystemDrive=C:\n"
	    "SystemRoot=C:\\Windows\nTEMP=%s\nUSERNAME=%s\nwindir=C:\\Windows\n",
	    machine->cpu_count, x86 ? "x86" : "AMD64", user ? "C:\\Users\\user\\AppData\\Local\\Temp" : "C:\\Windows\\TEMP",
	    user ? "user" : "SYSTEM");
	*size = strlen(text);
	for (size_t i = 0; i < *size; i++)
		if (text[i] == '\n')
			text[i] = '\0';
	return text;
}

struct parameter {
	enum inv_field field;
	const char *text;
};

// The kernel copies it from the header of the program.
static unsigned subsystem_of(const struct inv_forge_process *process)
{
	const struct inv_forge_area *area = process->program ? process->program->image : NULL;
	return area && area->image ? area->image->subsystem : INV_SUBSYSTEM_NATIVE;
}

// RtlCreateProcessParameters: the strings stand behind the structure, in one block; the environment stands behind them.
static void make_parameters(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half)
{
	const struct inv_forge_user *user = process->user;
	const struct parameter list[] = {
	    {INV_F_RTL_USER_PROCESS_PARAMETERS_CurrentDirectory, "C:\\Windows\\system32\\"},
	    {INV_F_RTL_USER_PROCESS_PARAMETERS_DllPath, "C:\\Windows\\System32"},
	    {INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName, user->image_path},
	    {INV_F_RTL_USER_PROCESS_PARAMETERS_CommandLine, user->command_line},
	};
	size_t environment_size;
	const char *variables = environment(machine, process, half->pointer == 4, &environment_size);
	uint64_t size = half_size(half, INV_T_RTL_USER_PROCESS_PARAMETERS, 0x410), length = size;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		length += (2 * strlen(list[i].text) + 2 + 7) / 8 * 8;
	uint64_t whole = (length + 2 * environment_size + 2 + PAGE - 1) / PAGE * PAGE;
	uint64_t at = half->parameters = inv_machine_take_user(machine, process, whole, whole);
	if (!at)
		return;
	uint64_t text = at + size;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t count = strlen(list[i].text);
		put_text(machine, process, text, list[i].text);
		put_string(machine, process, half, at, list[i].field, text, count, 2 * count + 2);
		text += (2 * count + 2 + 7) / 8 * 8;
	}
	uint8_t *units = inv_alloc(2 * environment_size + 2);
	for (size_t i = 0; i < environment_size; i++)
		units[2 * i] = (uint8_t)variables[i];
	inv_machine_write_user(machine, process, text, units, 2 * environment_size + 2);
	free(units);
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {{INV_F_RTL_USER_PROCESS_PARAMETERS_MaximumLength, length},
	              {INV_F_RTL_USER_PROCESS_PARAMETERS_Length, length},
	              {INV_F_RTL_USER_PROCESS_PARAMETERS_Flags, NORMALIZED},
	              {INV_F_RTL_USER_PROCESS_PARAMETERS_ConsoleHandle,
	               subsystem_of(process) == INV_SUBSYSTEM_CONSOLE ? CONSOLE_HANDLE : 0},
	              {INV_F_RTL_USER_PROCESS_PARAMETERS_Environment, text},
	              {INV_F_RTL_USER_PROCESS_PARAMETERS_EnvironmentSize, 2 * environment_size + 2}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put_half(machine, process, half, at, fields[i].field, fields[i].value);
	inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_ProcessParameters, at);
}

// Where it stands if there is room for it, else on the heap.
static void rewrite_parameter(struct inv_machine *machine, struct inv_forge_process *process,
                              struct inv_forge_half *half, enum inv_field field, const char *text)
{
	size_t count = strlen(text), room = 2 * count + 2;
	if (!half->parameters || !half_has(half, field))
		return;
	uint64_t string = half_at(half, half->parameters, field);
	uint8_t bytes[4];
	inv_machine_read_user(machine, process, string, bytes, sizeof bytes);
	uint64_t buffer = get_pointer(machine, process, half, string + half->pointer);
	if (inv_le16(bytes + 2) < room)
		buffer = take_heap(machine, process, half, room);
	else
		room = inv_le16(bytes + 2);
	if (!buffer)
		return;
	put_text(machine, process, buffer, text);
	put_string(machine, process, half, half->parameters, field, buffer, count, room);
}

void inv_machine_put_parameters(struct inv_machine *machine, struct inv_forge_process *process, const char *image_path,
                                const char *command_line)
{
	for (size_t i = 0; i < 2; i++) {
		struct inv_forge_half *half = &process->user->half[i];
		if (half->layout && image_path)
			rewrite_parameter(machine, process, half, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName, image_path);
		if (half->layout && command_line)
			rewrite_parameter(machine, process, half, INV_F_RTL_USER_PROCESS_PARAMETERS_CommandLine, command_line);
	}
	if (image_path)
		process->user->image_path = inv_arena_strdup(machine->arena, image_path);
	if (command_line)
		process->user->command_line = inv_arena_strdup(machine->arena, command_line);
}

// -- the loader's lists -------------------------------------------------------------------------------------------------------

static const struct {
	unsigned bit;
	enum inv_field head, links;
} lists_of_loader[] = {
    {INV_LDR_LOAD, INV_F_PEB_LDR_DATA_InLoadOrderModuleList, INV_F_LDR_MODULE_InLoadOrderLinks},
    {INV_LDR_MEMORY, INV_F_PEB_LDR_DATA_InMemoryOrderModuleList, INV_F_LDR_MODULE_InMemoryOrderLinks},
    {INV_LDR_INITIALIZATION, INV_F_PEB_LDR_DATA_InInitializationOrderModuleList,
     INV_F_LDR_MODULE_InInitializationOrderLinks},
};
#define LISTS (sizeof lists_of_loader / sizeof *lists_of_loader)

static void make_loader(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half)
{
	uint32_t size = half_size(half, INV_T_PEB_LDR_DATA, 0x58);
	// On real machines it stands among ntdll's data.
	uint64_t ldr = half->ldr = take_heap(machine, process, half, size);
	if (!ldr || !half_has(half, INV_F_PEB_LDR_DATA_InLoadOrderModuleList)) {
		half->ldr = 0;
		return;
	}
	inv_machine_put_half(machine, process, half, ldr, INV_F_PEB_LDR_DATA_Length, size);
	inv_machine_put_half(machine, process, half, ldr, INV_F_PEB_LDR_DATA_Initialized, 1);
	for (size_t i = 0; i < LISTS; i++) {
		uint64_t head = half_at(half, ldr, lists_of_loader[i].head);
		put_pointer(machine, process, half, head, head);
		put_pointer(machine, process, half, head + half->pointer, head);
	}
	inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_Ldr, ldr);
}

static void append(struct inv_machine *machine, const struct inv_forge_process *process,
                   const struct inv_forge_half *half, uint64_t head, uint64_t entry)
{
	uint64_t last = get_pointer(machine, process, half, head + half->pointer);
	put_pointer(machine, process, half, entry, head);
	put_pointer(machine, process, half, entry + half->pointer, last);
	put_pointer(machine, process, half, last, entry);
	put_pointer(machine, process, half, head + half->pointer, entry);
}

static void take_off(struct inv_machine *machine, const struct inv_forge_process *process,
                     const struct inv_forge_half *half, uint64_t entry)
{
	uint64_t next = get_pointer(machine, process, half, entry);
	uint64_t previous = get_pointer(machine, process, half, entry + half->pointer);
	put_pointer(machine, process, half, previous, next);
	put_pointer(machine, process, half, next + half->pointer, previous);
}

static struct inv_forge_half *half_of(const struct inv_forge_process *process, const struct inv_forge_loaded *module)
{
	return &process->user->half[module->x86];
}

void inv_machine_link_module(struct inv_machine *machine, struct inv_forge_process *process,
                             struct inv_forge_loaded *module, unsigned lists)
{
	const struct inv_forge_half *half = half_of(process, module);
	for (size_t i = 0; i < LISTS; i++) {
		unsigned bit = lists_of_loader[i].bit;
		uint64_t entry = half_at(half, module->address, lists_of_loader[i].links);
		if (lists & ~module->lists & bit)
			append(machine, process, half, half_at(half, half->ldr, lists_of_loader[i].head), entry);
		else if (~lists & module->lists & bit)
			take_off(machine, process, half, entry);
	}
	module->lists = lists;
}

void inv_machine_rename_module(struct inv_machine *machine, struct inv_forge_process *process,
                               struct inv_forge_loaded *module, const char *name)
{
	struct inv_forge_half *half = half_of(process, module);
	size_t count = strlen(name), base = strlen(last_part(name));
	uint64_t text = take_heap(machine, process, half, 2 * count + 2);
	if (!text)
		return;
	module->name = inv_arena_strdup(machine->arena, name);
	put_text(machine, process, text, name);
	put_string(machine, process, half, module->address, INV_F_LDR_MODULE_FullDllName, text, count, 2 * count + 2);
	put_string(machine, process, half, module->address, INV_F_LDR_MODULE_BaseDllName, text + 2 * (count - base), base,
	           2 * base + 2);
}

static struct inv_forge_loaded *enter(struct inv_machine *machine, struct inv_forge_process *process,
                                      const struct inv_forge_user_module *module, bool x86, unsigned lists)
{
	struct inv_forge_user *user = process->user;
	struct inv_forge_half *half = user ? &user->half[x86] : NULL;
	if (!half || !half->layout || !half->ldr)
		return NULL;
	struct inv_forge_loaded loaded = {.path = module->file->path,
	                                  .base = module->base,
	                                  .size = module->size,
	                                  .entry = module->entry,
	                                  .time_stamp = module->time_stamp,
	                                  .x86 = x86};
	loaded.address = take_heap(machine, process, half, half_size(half, INV_T_LDR_MODULE, 0x120));
	if (!loaded.address)
		return NULL;
	inv_push(user->modules, loaded);
	struct inv_forge_loaded *made = &user->modules[inv_count(user->modules) - 1];
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {{INV_F_LDR_MODULE_DllBase, loaded.base},
	              {INV_F_LDR_MODULE_EntryPoint, loaded.entry ? loaded.base + loaded.entry : 0},
	              {INV_F_LDR_MODULE_SizeOfImage, loaded.size},
	              {INV_F_LDR_MODULE_TimeDateStamp, loaded.time_stamp}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put_half(machine, process, half, made->address, fields[i].field, fields[i].value);
	const char *name = inv_forge_dos_path(machine->arena, loaded.path);
	inv_machine_rename_module(machine, process, made, loaded.x86 ? seen_from_wow64(machine->arena, name) : name);
	inv_machine_link_module(machine, process, made, lists);
	return made;
}

struct inv_forge_loaded *inv_machine_load_module(struct inv_machine *machine, struct inv_forge_process *process,
                                                 const struct inv_forge_user_module *module, unsigned lists)
{
	return enter(machine, process, module, module->wow64, lists);
}

void inv_machine_unload_module(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base)
{
	struct inv_forge_loaded *module;
	while ((module = inv_machine_loaded_at(process, base))) {
		inv_machine_link_module(machine, process, module, 0);
		stbds_arrdel(process->user->modules, (size_t)(module - process->user->modules));
	}
}

struct inv_forge_loaded *inv_machine_loaded_at(const struct inv_forge_process *process, uint64_t base)
{
	for (size_t i = 0; process->user && i < inv_count(process->user->modules); i++)
		if (process->user->modules[i].base == base)
			return &process->user->modules[i];
	return NULL;
}

struct inv_forge_loaded *inv_machine_loaded_named(const struct inv_forge_process *process, const char *name)
{
	for (size_t i = 0; process->user && i < inv_count(process->user->modules); i++)
		if (strcasecmp(last_part(process->user->modules[i].path), name) == 0)
			return &process->user->modules[i];
	return NULL;
}

// -- the PEB ------------------------------------------------------------------------------------------------------------------

// Before Windows 10 the PEB stands high in the user half (8 TiB in Windows 7), later anywhere low; the TEBs follow it. In WOW64 all
// is below 4 GiB. (The exact places are not verified.)
static uint64_t choose_peb(struct inv_machine *machine, const struct inv_forge_process *process)
{
	uint64_t chosen = machine->build >= WINDOWS_10    ? (1 + inv_random_below(&machine->random, 0xff)) << 32 | REGION
	                  : machine->build >= WINDOWS_8_1 ? 0x7ff5e0000000
	                                                  : 0x7ffe0000000;
	if (!process->wow64)
		return chosen;
	return machine->build >= WINDOWS_10 ? REGION : 0x7efb0000;
}

static void put_peb(struct inv_machine *machine, struct inv_forge_process *process, const struct inv_forge_half *half)
{
	unsigned build = machine->build;
	unsigned subsystem = subsystem_of(process);
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {
	    {INV_F_PEB_ImageBaseAddress, process->image_base},
	    {INV_F_PEB_SessionId, process->session ? process->session->id : 0},
	    {INV_F_PEB_NumberOfProcessors, machine->cpu_count},
	    {INV_F_PEB_OSMajorVersion, build >= WINDOWS_10 ? 10 : 6},
	    {INV_F_PEB_OSMinorVersion, build >= WINDOWS_10    ? 0
	                               : build >= WINDOWS_8_1 ? 3
	                               : build >= 9200        ? 2
	                                                      : 1},
	    {INV_F_PEB_OSBuildNumber, build},
	    {INV_F_PEB_ImageSubsystem, subsystem},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put_half(machine, process, half, half->peb, fields[i].field, fields[i].value);
}

static void make_half(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half,
                      uint64_t peb)
{
	half->peb = peb;
	inv_machine_map_user(machine, process, peb, INV_PTE_WRITE | INV_PTE_NX);
	inv_machine_cover(machine, process, peb, PAGE);
	put_peb(machine, process, half);
}

// The 32-bit PEB, which the kernel finds by EPROCESS.WoW64Process: a structure that leads there, before Windows 10 the PEB itself.
static void make_wow64(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_half *half = &process->user->half[1];
	half->layout = inv_layout_for_wow64(machine->layout);
	half->pointer = 4;
	if (!half->layout)
		return;
	make_half(machine, process, half, process->peb + PAGE);
	uint64_t wow64 = half->peb;
	if (inv_machine_has(machine, INV_F_EWOW64PROCESS_Peb)) {
		wow64 = inv_machine_pool(machine, &machine->pool, inv_machine_size(machine, INV_T_EWOW64PROCESS, 0x10), "Wow6");
		inv_machine_put(machine, wow64, INV_F_EWOW64PROCESS_Peb, half->peb);
		inv_machine_put(machine, wow64, INV_F_EWOW64PROCESS_Machine, 0x14c);
	}
	inv_machine_put(machine, process->address, INV_F_EPROCESS_WoW64Process, wow64);
}

bool inv_machine_has_run(const struct inv_forge_process *process)
{
	return !process->not_run && process->stage != INV_STAGE_C0 && process->stage != INV_STAGE_C1 &&
	       process->stage != INV_STAGE_C2 && process->stage != INV_STAGE_C3;
}

// The program is in the lists of both halves, and never in the order of initialisation. All others are initialised after those that
// they import: ntdll first, KERNELBASE before kernel32, which comes before it in the order of loading.
static void enter_all(struct inv_machine *machine, struct inv_forge_process *process, bool x86)
{
	static const char *const first[] = {"ntdll.dll", "KERNELBASE.dll"};
	for (size_t i = 0; i < inv_count(process->modules); i++)
		if (i == 0 || process->modules[i].wow64 == x86)
			(void)enter(machine, process, &process->modules[i], x86, INV_LDR_LOAD | INV_LDR_MEMORY);
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < inv_count(process->user->modules); i++) {
			struct inv_forge_loaded *module = &process->user->modules[i];
			if (module->x86 == x86 && module->base != process->image_base &&
			    (round == 2 || strcasecmp(last_part(module->path), first[round]) == 0))
				inv_machine_link_module(machine, process, module, INV_LDR_ALL);
		}
}

static void fill_half(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_half *half)
{
	make_parameters(machine, process, half);
	if (!inv_machine_has_run(process))
		return;
	make_heap(machine, process, half);
	make_loader(machine, process, half);
	enter_all(machine, process, half->pointer == 4);
}

void inv_machine_make_peb(struct inv_machine *machine, struct inv_forge_process *process)
{
	struct inv_forge_user *user = process->user = inv_alloc(sizeof *user);
	process->peb = choose_peb(machine, process);
	user->next = machine->build >= WINDOWS_10 && !process->wow64 ? process->peb + REGION : LOW;
	user->image_path = inv_forge_dos_path(machine->arena, process->path);
	user->command_line =
	    process->command_line ? process->command_line : default_command_line(machine->arena, user->image_path);
	user->half[0].layout = machine->layout;
	user->half[0].pointer = 8;
	inv_machine_start_vads(machine, process);
	make_half(machine, process, &user->half[0], process->peb);
	inv_machine_put(machine, process->address, INV_F_EPROCESS_Peb, process->peb);
	if (process->wow64)
		make_wow64(machine, process);
	for (size_t i = 0; i < 2; i++)
		if (user->half[i].layout && half_has(&user->half[i], INV_F_PEB_ProcessParameters))
			fill_half(machine, process, &user->half[i]);
}

// What win32k calls in user mode: a table in user32, which that module enters when it is loaded, after it has made itself known to win32k
// (ReactOS, user32's DllMain); in the 64-bit half of a 32-bit process one in wow64win (not verified).
void inv_machine_give_window_routines(struct inv_machine *machine, struct inv_forge_process *process)
{
	static const char *const names[] = {"user32.dll", "wow64win.dll"};
	for (unsigned i = 0; process->user && i < 2; i++) {
		const struct inv_forge_half *half = &process->user->half[i];
		const struct inv_forge_user_module *module =
		    inv_machine_find_module(process, names[process->wow64 && half->pointer == 8]);
		if (!half->layout || !half->peb || !module)
			continue;
		const struct inv_user_section *data = NULL; // the first that is no code
		for (size_t j = 0; j < module->image->section_count && !data; j++)
			if (!(module->image->sections[j].characteristics & IMAGE_SCN_CODE))
				data = &module->image->sections[j];
		if (data)
			inv_machine_put_half(machine, process, half, half->peb, INV_F_PEB_KernelCallbackTable,
			                     module->base + data->rva + TABLE_AT);
	}
}
