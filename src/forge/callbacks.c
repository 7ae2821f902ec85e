// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel to watch processes, or called by it in place of code of its own. EX_CALLBACK_ROUTINE_BLOCK, the
// entries of CallbackListHead and those of OBJECT_TYPE.CallbackList are in no symbol table: their layout is public practice (of
// tools that list or remove them, for all builds alike), as are the bits of PspNotifyEnableMask and the order slot, count, mask.
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define SLOTS 64u // of each array: it fills 0x200 bytes in every symbol table
#define FAST_REFERENCES 0xfu
#define BLOCK_SIZE 0x18u // EX_CALLBACK_ROUTINE_BLOCK: EX_RUNDOWN_REF, function, context
#define BLOCK_FUNCTION 0x08u
#define BLOCK_CONTEXT 0x10u
#define BLOCK_REFERENCES 0x20u // sixteen, two for each: those of the slot (public practice: ReactOS)
#define RUNDOWN_CLOSED 1u      // EX_RUNDOWN_ACTIVE: all have left before the block is freed
#define OTHER_SLOTS 0x800u     // in the page of data that no symbol owns
#define OTHER_SLOTS_MOST 16u

#define REGISTRY_SIZE 0x60u // an entry of CallbackListHead
#define REGISTRY_COOKIE 0x18u
#define REGISTRY_FUNCTION 0x28u
#define REGISTRY_ALTITUDE 0x30u
#define REGISTRY_CONTEXTS 0x40u // a list

#define OBJECT_HEADER_SIZE                                                                                             \
	0x20u // of what ObRegisterCallbacks makes: version, count, context, altitude; the entries follow
#define OBJECT_ALTITUDE 0x10u
#define OBJECT_ENTRY_SIZE 0x40u // LIST_ENTRY, operations, Enabled, registration, type, before, after, EX_RUNDOWN_REF
#define OBJECT_OPERATIONS 0x10u
#define OBJECT_ENABLED 0x14u
#define OBJECT_REGISTRATION 0x18u
#define OBJECT_OF_TYPE 0x20u
#define OBJECT_BEFORE 0x28u
#define OBJECT_AFTER 0x30u

#define UNLOADED_SLOTS 50u // MI_UNLOADED_DRIVERS
#define UNLOADED_SIZE 0x28u

#define PAGE INV_RAM_PAGE

void inv_machine_write_routine(struct inv_machine *machine, uint64_t address)
{
	static const uint8_t code[] = {
	    0x48, 0x89, 0x5c, 0x24, 0x08, // mov [rsp+8], rbx
	    0x57,                         // push rdi
	    0x48, 0x83, 0xec, 0x20,       // sub rsp, 20h
	    0x48, 0x8b, 0xf9,             // mov rdi, rcx
	    0x33, 0xc0,                   // xor eax, eax
	    0x48, 0x8b, 0x5c, 0x24, 0x30, // mov rbx, [rsp+30h]
	    0x48, 0x83, 0xc4, 0x20,       // add rsp, 20h
	    0x5f, 0xc3,                   // pop rdi; ret
	};
	inv_machine_write(machine, address, code, sizeof code);
}

struct inv_forge_module *inv_machine_module(const struct inv_machine *machine, const char *name)
{
	for (size_t i = 0; i < inv_count(machine->modules); i++)
		if (strcmp(machine->modules[i].name, name) == 0 && machine->modules[i].entry)
			return &machine->modules[i];
	return NULL;
}

uint64_t inv_machine_routine(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t address = module->routines;
	if ((address & (PAGE - 1)) < 0x100 || (address & (PAGE - 1)) + INV_FORGE_ROUTINE_SIZE > PAGE)
		return 0;
	module->routines += INV_FORGE_ROUTINE_SIZE;
	inv_machine_write_routine(machine, address);
	return address;
}

// -- imports ----------------------------------------------------------------------------------------------------------------

// IMAGE_IMPORT_DESCRIPTOR of one DLL and the one that ends them, both tables of thunks, then the names. (Microsoft PE and COFF
// specification.) What the loader would write into the second table are addresses of the kernel's exports, which nothing here reads.
uint32_t inv_machine_write_imports(struct inv_machine *machine, uint64_t base, uint32_t rva, const char *const *names)
{
	uint8_t bytes[0x400] = {0};
	uint32_t count = 0;
	while (names[count])
		count++;
	uint32_t lookup = 40, thunks = lookup + 8 * (count + 1), text = thunks + 8 * (count + 1);
	for (uint32_t i = 0; i < count; i++) {
		inv_put64(bytes + lookup + (size_t)8 * i, rva + text);
		inv_put64(bytes + thunks + (size_t)8 * i, machine->base + machine->code_rva + (uint64_t)0x20 * i);
		size_t length = strlen(names[i]) + 1;
		memcpy(bytes + text + 2, names[i], length);
		text += (uint32_t)(2 + length + 1) & ~1u;
	}
	inv_put32(bytes, rva + lookup);
	inv_put32(bytes + 12, rva + text);
	inv_put32(bytes + 16, rva + thunks);
	memcpy(bytes + text, "ntoskrnl.exe", 13);
	inv_machine_write(machine, base + rva, bytes, text + 13);
	return 40;
}

// -- arrays of routines -----------------------------------------------------------------------------------------------------

struct kind {
	enum inv_symbol array, count;
	unsigned mask; // the bit of PspNotifyEnableMask
};

static struct kind kind_of(const struct inv_machine *machine, enum inv_forge_watch kind)
{
	switch ((int)kind) {
	case INV_WATCH_PROCESS:
		return (struct kind){INV_S_PspCreateProcessNotifyRoutine, INV_S_PspCreateProcessNotifyRoutineCount, 1};
	case INV_WATCH_PROCESS_EX:
		return (struct kind){INV_S_PspCreateProcessNotifyRoutine, INV_S_PspCreateProcessNotifyRoutineExCount, 2};
	case INV_WATCH_THREAD_OTHER:
		if (inv_machine_symbol(machine, INV_S_PspCreateThreadNotifyRoutineNonSystemCount))
			return (struct kind){INV_S_PspCreateThreadNotifyRoutine, INV_S_PspCreateThreadNotifyRoutineNonSystemCount,
			                     4};
		return (struct kind){INV_S_PspCreateThreadNotifyRoutine, INV_S_PspCreateThreadNotifyRoutineCount, 3};
	case INV_WATCH_THREAD:
		return (struct kind){INV_S_PspCreateThreadNotifyRoutine, INV_S_PspCreateThreadNotifyRoutineCount, 3};
	default:
		return (struct kind){INV_S_PspLoadImageNotifyRoutine, INV_S_PspLoadImageNotifyRoutineCount, 0};
	}
}

static void put32(struct inv_machine *machine, uint64_t address, uint32_t value)
{
	uint8_t bytes[4];
	inv_put32(bytes, value);
	inv_machine_write(machine, address, bytes, sizeof bytes);
}

static uint32_t get32(const struct inv_machine *machine, uint64_t address)
{
	uint8_t bytes[4] = {0};
	(void)inv_machine_read(machine, address, bytes, sizeof bytes);
	return inv_le32(bytes);
}

static void add32(struct inv_machine *machine, uint64_t address, int step)
{
	if (address)
		put32(machine, address, get32(machine, address) + (uint32_t)step);
}

static uint64_t make_block(struct inv_machine *machine, uint64_t routine, uint64_t context)
{
	uint64_t block = inv_machine_pool(machine, &machine->pool, BLOCK_SIZE, "Cbrb");
	inv_machine_put64(machine, block, BLOCK_REFERENCES);
	inv_machine_put64(machine, block + BLOCK_FUNCTION, routine);
	inv_machine_put64(machine, block + BLOCK_CONTEXT, context);
	return block;
}

// ExWaitForCallBacks and ExFreeCallBack, when the slot is empty.
static void free_block(struct inv_machine *machine, uint64_t block)
{
	inv_machine_put64(machine, block, RUNDOWN_CLOSED);
	inv_machine_free_pool(machine, block);
}

static void note(struct inv_machine *machine, struct inv_forge_watcher watcher)
{
	inv_push(machine->watchers, watcher);
}

static void fill_slot(struct inv_machine *machine, enum inv_forge_watch kind, uint64_t slot, uint64_t routine,
                      const struct inv_forge_module *module)
{
	// The kernel keeps in the block whether the routine was registered as the extended one.
	uint64_t block = make_block(machine, routine, kind == INV_WATCH_PROCESS_EX ? 2 : 0);
	inv_machine_put64(machine, slot, block | FAST_REFERENCES);
	note(machine, (struct inv_forge_watcher){.kind = kind,
	                                         .at = slot,
	                                         .block = block,
	                                         .routine = routine,
	                                         .pointer = block + BLOCK_FUNCTION,
	                                         .module = module->name});
}

// PspSetCreateProcessNotifyRoutine and its kin: the first free slot, then the count, then the bit.
static bool watch_array(struct inv_machine *machine, enum inv_forge_watch kind, struct inv_forge_module *module)
{
	struct kind of = kind_of(machine, kind);
	uint64_t slot = inv_machine_symbol(machine, of.array);
	uint64_t end = slot + (uint64_t)8 * SLOTS;
	uint64_t mask = inv_machine_symbol(machine, INV_S_PspNotifyEnableMask);
	while (slot && slot < end && inv_machine_get64(machine, slot))
		slot += 8;
	uint64_t routine = slot && slot < end ? inv_machine_routine(machine, module) : 0;
	if (!routine)
		return false;
	fill_slot(machine, kind, slot, routine, module);
	add32(machine, inv_machine_symbol(machine, of.count), 1);
	if (mask)
		put32(machine, mask, get32(machine, mask) | 1u << of.mask);
	return true;
}

// -- the registry and the object manager ------------------------------------------------------------------------------------

static bool watch_registry(struct inv_machine *machine, struct inv_forge_module *module, const char *altitude)
{
	uint64_t head = inv_machine_symbol(machine, INV_S_CallbackListHead);
	uint64_t routine = head ? inv_machine_routine(machine, module) : 0;
	if (!routine)
		return false;
	uint64_t entry = inv_machine_pool(machine, &machine->paged, REGISTRY_SIZE, "CMcb");
	inv_machine_put64(machine, entry + REGISTRY_COOKIE, machine->boot_time + inv_count(machine->watchers));
	inv_machine_put64(machine, entry + REGISTRY_FUNCTION, routine);
	inv_machine_unicode(machine, entry + REGISTRY_ALTITUDE, altitude);
	inv_machine_list_init(machine, entry + REGISTRY_CONTEXTS);
	inv_machine_list_append(machine, head, entry);
	add32(machine, inv_machine_symbol(machine, INV_S_CmpCallBackCount), 1);
	note(machine, (struct inv_forge_watcher){.kind = INV_WATCH_REGISTRY,
	                                         .at = entry,
	                                         .block = entry,
	                                         .routine = routine,
	                                         .pointer = entry + REGISTRY_FUNCTION,
	                                         .module = module->name,
	                                         .altitude = altitude});
	return true;
}

static uint64_t type_by_name(const struct inv_machine *machine, const char *name)
{
	if (strcmp(name, "Process") == 0)
		return machine->process_type;
	return strcmp(name, "Thread") == 0 ? machine->thread_type : 0;
}

// ObRegisterCallbacks: one block for all types that are watched together.
static bool watch_objects(struct inv_machine *machine, struct inv_forge_module *module, const char *altitude,
                          const char *const *types)
{
	unsigned count = 0;
	while (types[count] && type_by_name(machine, types[count]))
		count++;
	if (!count || types[count] || !inv_machine_has(machine, INV_F_OBJECT_TYPE_CallbackList))
		return false;
	uint64_t block = inv_machine_pool(machine, &machine->paged, OBJECT_HEADER_SIZE + count * OBJECT_ENTRY_SIZE, "ObFl");
	uint8_t start[4];
	inv_put16(start, 0x100); // OB_FLT_REGISTRATION_VERSION
	inv_put16(start + 2, (uint16_t)count);
	inv_machine_write(machine, block, start, sizeof start);
	inv_machine_unicode(machine, block + OBJECT_ALTITUDE, altitude);
	for (unsigned i = 0; i < count; i++) {
		uint64_t entry = block + OBJECT_HEADER_SIZE + (uint64_t)i * OBJECT_ENTRY_SIZE;
		uint64_t type = type_by_name(machine, types[i]), routine = inv_machine_routine(machine, module);
		if (!routine)
			return false;
		put32(machine, entry + OBJECT_OPERATIONS, 3); // creation and duplication of handles
		put32(machine, entry + OBJECT_ENABLED, 1);
		inv_machine_put64(machine, entry + OBJECT_REGISTRATION, block);
		inv_machine_put64(machine, entry + OBJECT_OF_TYPE, type);
		inv_machine_put64(machine, entry + OBJECT_BEFORE, routine);
		inv_machine_list_append(machine, inv_machine_at(machine, type, INV_F_OBJECT_TYPE_CallbackList), entry);
		note(machine, (struct inv_forge_watcher){.kind = INV_WATCH_OBJECT,
		                                         .at = entry,
		                                         .block = block,
		                                         .routine = routine,
		                                         .pointer = entry + OBJECT_BEFORE,
		                                         .module = module->name,
		                                         .altitude = altitude,
		                                         .object_type = inv_arena_strdup(machine->arena, types[i])});
	}
	return true;
}

// -- what the kernel calls in other modules ---------------------------------------------------------------------------------

static void watch_slot(struct inv_machine *machine, enum inv_forge_watch kind, uint64_t slot,
                       struct inv_forge_module *module)
{
	uint64_t routine = inv_machine_routine(machine, module);
	inv_machine_put64(machine, slot, routine);
	note(machine,
	     (struct inv_forge_watcher){
	         .kind = kind, .at = slot, .block = slot, .routine = routine, .pointer = slot, .module = module->name});
}

// The size of SeCiCallbacks with its tag at the end: public practice, and what the symbol tables leave room for.
static uint32_t code_integrity_size(const struct inv_machine *machine)
{
	return machine->build < 14393 ? 0x68u : machine->build < 17763 ? 0xb0u : 0xd0u;
}

// Size, functions of CI.dll, a tag that tells the version of the table.
static bool watch_images(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t table = inv_machine_symbol(machine, INV_S_SeCiCallbacks);
	uint32_t size = code_integrity_size(machine);
	if (!table)
		return false;
	inv_machine_put64(machine, table, size);
	for (uint32_t at = 8; at < size - 8; at += 8)
		watch_slot(machine, INV_WATCH_CODE_INTEGRITY, table + at, module);
	inv_machine_put64(machine, table + size - 8, 0xa000000u + machine->build % 16);
	return true;
}

static bool watch_win32(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t slot = inv_machine_symbol(machine, INV_S_PsWin32CallBack);
	uint64_t routine = slot ? inv_machine_routine(machine, module) : 0;
	if (!routine)
		return false;
	fill_slot(machine, INV_WATCH_WIN32, slot, routine, module);
	return true;
}

static bool watch_other_slot(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t slot = machine->base + machine->data_rva + OTHER_SLOTS + (uint64_t)8 * machine->other_slots;
	uint64_t routine = machine->other_slots < OTHER_SLOTS_MOST ? inv_machine_routine(machine, module) : 0;
	if (!routine)
		return false;
	machine->other_slots++;
	fill_slot(machine, INV_WATCH_OTHER_SLOT, slot, routine, module);
	return true;
}

// PS_PICO_PROVIDER_ROUTINES: Size, six functions, the ranges that are protected, one more function, rights.
static bool watch_pico(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t table = inv_machine_symbol(machine, INV_S_PspPicoProviderRoutines);
	if (!table)
		return false;
	inv_machine_put64(machine, table, 0x50);
	for (uint64_t at = 8; at <= 0x40; at += 8)
		if (at != 0x38)
			watch_slot(machine, INV_WATCH_PICO, table + at, module);
	return true;
}

// A type of objects that a driver makes, with methods of its own.
static bool make_driver_type(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint8_t index = 2;
	while (index < INV_FORGE_MAX_TYPES && machine->types[index])
		index++;
	uint64_t routine = index < INV_FORGE_MAX_TYPES ? inv_machine_routine(machine, module) : 0;
	if (!routine)
		return false;
	uint64_t type = inv_machine_make_type(machine, "FilterConnectionPort", index);
	uint64_t at = inv_machine_at(machine, type, INV_F_OBJECT_TYPE_DeleteProcedure);
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_DeleteProcedure, routine);
	note(machine, (struct inv_forge_watcher){.kind = INV_WATCH_TYPE,
	                                         .at = at,
	                                         .block = type,
	                                         .routine = routine,
	                                         .pointer = at,
	                                         .module = module->name,
	                                         .object_type = "FilterConnectionPort"});
	return true;
}

bool inv_machine_watch(struct inv_machine *machine, enum inv_forge_watch kind, struct inv_forge_module *module,
                       const char *altitude, const char *const *types)
{
	if (inv_machine_is_observer(kind))
		return inv_machine_observe(machine, kind, module);
	switch ((int)kind) {
	case INV_WATCH_REGISTRY:
		return watch_registry(machine, module, altitude);
	case INV_WATCH_OBJECT:
		return watch_objects(machine, module, altitude, types);
	case INV_WATCH_CODE_INTEGRITY:
		return watch_images(machine, module);
	case INV_WATCH_WIN32:
		return watch_win32(machine, module);
	case INV_WATCH_PICO:
		return watch_pico(machine, module);
	case INV_WATCH_OTHER_SLOT:
		return watch_other_slot(machine, module);
	case INV_WATCH_TYPE:
		return make_driver_type(machine, module);
	default:
		return watch_array(machine, kind, module);
	}
}

static void forget(struct inv_machine *machine, const struct inv_forge_watcher *watcher)
{
	if (inv_machine_is_observer(watcher->kind)) {
		inv_machine_list_remove(machine, watcher->at);
		inv_machine_free_pool(machine, watcher->block);
		return;
	}
	switch ((int)watcher->kind) {
	case INV_WATCH_REGISTRY:
		inv_machine_list_remove(machine, watcher->at);
		add32(machine, inv_machine_symbol(machine, INV_S_CmpCallBackCount), -1);
		inv_machine_free_pool(machine, watcher->at);
		return;
	case INV_WATCH_OBJECT:
		inv_machine_list_remove(machine, watcher->at);
		inv_machine_free_pool(machine, watcher->block); // ObUnRegisterCallbacks, all of the block's entries at once
		return;
	case INV_WATCH_PROCESS:
	case INV_WATCH_PROCESS_EX:
	case INV_WATCH_THREAD:
	case INV_WATCH_THREAD_OTHER:
	case INV_WATCH_IMAGE:
		inv_machine_put64(machine, watcher->at, 0);
		add32(machine, inv_machine_symbol(machine, kind_of(machine, watcher->kind).count), -1);
		free_block(machine, watcher->block);
		return;
	case INV_WATCH_WIN32:
	case INV_WATCH_OTHER_SLOT:
		inv_machine_put64(machine, watcher->at, 0);
		free_block(machine, watcher->block);
		return;
	default:
		inv_machine_put64(machine, watcher->pointer, 0);
	}
}

void inv_machine_unwatch(struct inv_machine *machine, const struct inv_forge_module *module)
{
	size_t kept = 0;
	for (size_t i = 0; i < inv_count(machine->watchers); i++) {
		if (strcmp(machine->watchers[i].module, module->name) == 0) {
			forget(machine, &machine->watchers[i]);
			inv_push(machine->past_watchers, machine->watchers[i]);
		} else {
			machine->watchers[kept++] = machine->watchers[i];
		}
	}
	if (machine->watchers)
		stbds_arrsetlen(machine->watchers, kept);
}

// MiRememberUnloadedDriver: UNLOADED_DRIVERS {name, start, end, time} (public practice: ReactOS, debuggers).
void inv_machine_unload_driver(struct inv_machine *machine, struct inv_forge_module *module)
{
	inv_machine_list_remove(machine,
	                        inv_machine_at(machine, module->entry, INV_F_LDR_DATA_TABLE_ENTRY_InLoadOrderLinks));
	if (machine->unloaded_drivers) {
		uint64_t at =
		    machine->unloaded_drivers + (uint64_t)UNLOADED_SIZE * (machine->unloaded_count++ % UNLOADED_SLOTS);
		inv_machine_unicode(machine, at, module->name);
		inv_machine_put64(machine, at + 0x10, module->base);
		inv_machine_put64(machine, at + 0x18, module->base + module->size);
		inv_machine_put64(machine, at + 0x20, inv_machine_tick(machine));
	}
	for (uint64_t page = 0; page < 3; page++)
		inv_maps_set_pte(&machine->maps, module->base + page * PAGE, 0);
	inv_machine_free_pool(machine, module->entry);
	module->entry = 0;
}

// -- at the start -----------------------------------------------------------------------------------------------------------

// The kernel's types call functions of its own; which have which methods differs between builds.
static void make_methods(struct inv_machine *machine)
{
	struct inv_forge_module *kernel = &machine->modules[0];
	uint64_t open = inv_machine_routine(machine, kernel), remove = inv_machine_routine(machine, kernel);
	uint64_t security = inv_machine_routine(machine, kernel), parse = inv_machine_routine(machine, kernel);
	for (unsigned i = 0; i < INV_FORGE_MAX_TYPES; i++) {
		uint64_t type = machine->types[i];
		if (!type)
			continue;
		bool watched = type == machine->process_type || type == machine->thread_type;
		inv_machine_put(machine, type, INV_F_OBJECT_TYPE_DeleteProcedure, remove);
		inv_machine_put(machine, type, INV_F_OBJECT_TYPE_SecurityProcedure, security);
		if (watched)
			inv_machine_put(machine, type, INV_F_OBJECT_TYPE_OpenProcedure, open);
		if (i == INV_FORGE_FILE)
			inv_machine_put(machine, type, INV_F_OBJECT_TYPE_ParseProcedure, parse);
		inv_machine_put(machine, type, INV_F_OBJECT_TYPE_SupportsObjectCallbacks, watched);
	}
}

// The provider that tells of what processes do to each other, and one session that listens.
static void make_threat_provider(struct inv_machine *machine)
{
	static const uint8_t guid[16] = {0x7c, 0x89, 0xe1, 0xf4, 0x5d, 0xbb, 0x68, 0x56,
	                                 0xf1, 0xd8, 0x04, 0x0f, 0x4d, 0x8d, 0xd3, 0x44};
	uint64_t handle = inv_machine_symbol(machine, INV_S_EtwThreatIntProvRegHandle);
	if (!handle || !inv_machine_has(machine, INV_F_ETW_REG_ENTRY_GuidEntry) ||
	    !inv_machine_has(machine, INV_F_ETW_GUID_ENTRY_EnableInfo))
		return;
	uint64_t registration =
	    inv_machine_pool(machine, &machine->pool, inv_machine_size(machine, INV_T_ETW_REG_ENTRY, 0x70), "EtwR");
	uint64_t provider =
	    inv_machine_pool(machine, &machine->pool, inv_machine_size(machine, INV_T_ETW_GUID_ENTRY, 0x1b0), "EtwG");
	inv_machine_put64(machine, handle, registration);
	inv_machine_put(machine, registration, INV_F_ETW_REG_ENTRY_GuidEntry, provider);
	inv_machine_put(machine, registration, INV_F_ETW_REG_ENTRY_EnableMask, 1);
	inv_machine_write(machine, inv_machine_at(machine, provider, INV_F_ETW_GUID_ENTRY_Guid), guid, sizeof guid);
	uint64_t head = inv_machine_at(machine, provider, INV_F_ETW_GUID_ENTRY_RegListHead);
	inv_machine_list_init(machine, head);
	inv_machine_list_append(machine, head, inv_machine_at(machine, registration, INV_F_ETW_REG_ENTRY_RegList));
	inv_machine_put(machine, provider, INV_F_ETW_GUID_ENTRY_IsEnabled, 1);
	inv_machine_put(machine, provider, INV_F_ETW_GUID_ENTRY_EnableLevel, 0xff);
	uint64_t session = inv_machine_at(machine, provider, INV_F_ETW_GUID_ENTRY_EnableInfo);
	inv_machine_put(machine, session, INV_F_TRACE_ENABLE_INFO_IsEnabled, 1);
	machine->threat_provider = provider;
}

void inv_machine_make_watchers(struct inv_machine *machine)
{
	static const struct {
		enum inv_forge_watch kind;
		const char *module, *altitude;
	} first[] = {
	    {INV_WATCH_PROCESS, "cng.sys", NULL},
	    {INV_WATCH_PROCESS, "ksecdd.sys", NULL},
	    {INV_WATCH_PROCESS_EX, "avearly.sys", NULL},
	    {INV_WATCH_PROCESS, "tcpip.sys", NULL},
	    {INV_WATCH_PROCESS_EX, "CI.dll", NULL},
	    {INV_WATCH_PROCESS_EX, "dxgkrnl.sys", NULL},
	    {INV_WATCH_PROCESS_EX, "edrsense.sys", NULL},
	    {INV_WATCH_THREAD, "edrsense.sys", NULL},
	    {INV_WATCH_THREAD_OTHER, "avearly.sys", NULL},
	    {INV_WATCH_IMAGE, "ntoskrnl.exe", NULL},
	    {INV_WATCH_IMAGE, "fltguard.sys", NULL},
	    {INV_WATCH_IMAGE, "edrsense.sys", NULL},
	    {INV_WATCH_REGISTRY, "ntoskrnl.exe", "380010"},
	    {INV_WATCH_REGISTRY, "fltguard.sys", "370030"},
	    {INV_WATCH_REGISTRY, "edrsense.sys", "320210.5"},
	    {INV_WATCH_OBJECT, "avearly.sys", "328010"},
	    {INV_WATCH_OBJECT, "edrsense.sys", "320210"},
	    {INV_WATCH_CODE_INTEGRITY, "CI.dll", NULL},
	    {INV_WATCH_WIN32, "win32k.sys", NULL},
	};
	static const char *const types[] = {"Process", "Thread", NULL};
	uint64_t head = inv_machine_symbol(machine, INV_S_CallbackListHead);
	uint64_t unloaded = inv_machine_symbol(machine, INV_S_MmUnloadedDrivers);
	if (head)
		inv_machine_list_init(machine, head);
	if (unloaded) {
		machine->unloaded_drivers = inv_machine_pool(machine, &machine->pool, UNLOADED_SLOTS * UNLOADED_SIZE, "MmDT");
		inv_machine_put64(machine, unloaded, machine->unloaded_drivers);
	}
	make_methods(machine);
	make_threat_provider(machine);
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		(void)inv_machine_watch(machine, first[i].kind, inv_machine_module(machine, first[i].module), first[i].altitude,
		                        types);
	inv_machine_make_observers(machine);
}
