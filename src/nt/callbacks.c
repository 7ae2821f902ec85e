// SPDX-License-Identifier: Apache-2.0
#include "nt/callbacks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/bytes.h"
#include "kernel/pe.h"

#define SLOTS 64u
#define FAST_REFERENCES 0xfull // the low bits of EX_FAST_REF
#define BLOCK_FUNCTION 0x08u   // EX_CALLBACK_ROUTINE_BLOCK
#define BLOCK_CONTEXT 0x10u
#define CONTEXT_EXTENDED 2u // of a process' routine; bit 0 of a thread's

#define REGISTRY_FUNCTION 0x28u // an entry of CallbackListHead
#define REGISTRY_ALTITUDE 0x30u

#define OBJECT_ENABLED 0x14u // an entry of OBJECT_TYPE.CallbackList
#define OBJECT_REGISTRATION 0x18u
#define OBJECT_OF_TYPE 0x20u
#define OBJECT_BEFORE 0x28u
#define OBJECT_AFTER 0x30u
#define OBJECT_ENTRY_SIZE 0x40u
#define REGISTRATION_COUNT 0x02u // what ObRegisterCallbacks makes
#define REGISTRATION_ALTITUDE 0x10u
#define REGISTRATION_ENTRIES 0x20u
#define MOST_OPERATIONS 16u

#define UNLOADED_SLOTS 50u
#define UNLOADED_SIZE 0x28u

#define LIST_BOUND ((size_t)4096) // far above what any machine registers
#define TYPES_BOUND 256u
#define FIRST_TYPE 2u // of ObTypeIndexTable since Windows 7
#define TABLE_MOST 0x400u
#define TRACE_SESSIONS 8u // of ETW_GUID_ENTRY.EnableInfo

// The provider Microsoft-Windows-Threat-Intelligence (its registered GUID, as any Windows lists it).
static const uint8_t threat_guid[16] = {0x7c, 0x89, 0xe1, 0xf4, 0x5d, 0xbb, 0x68, 0x56,
                                        0xf1, 0xd8, 0x04, 0x0f, 0x4d, 0x8d, 0xd3, 0x44};

static const enum inv_field methods[INV_TYPE_METHODS] = {
    INV_F_OBJECT_TYPE_DumpProcedure,      INV_F_OBJECT_TYPE_OpenProcedure,        INV_F_OBJECT_TYPE_CloseProcedure,
    INV_F_OBJECT_TYPE_DeleteProcedure,    INV_F_OBJECT_TYPE_ParseProcedure,       INV_F_OBJECT_TYPE_SecurityProcedure,
    INV_F_OBJECT_TYPE_QueryNameProcedure, INV_F_OBJECT_TYPE_OkayToCloseProcedure,
};

const char *inv_callback_kind_name(enum inv_callback_kind kind)
{
	static const char *const names[INV_CALLBACK_KINDS] = {
	    "process",      "thread",        "image",       "registry",    "object",           "code integrity",
	    "win32",        "pico",          "type method", "bug check",   "bug check reason", "bug check pages",
	    "shutdown",     "last shutdown", "file system", "debug print", "hardware profile", "device class",
	    "soft restart",
	};
	return names[kind];
}

bool inv_callback_can_block(const struct inv_callback *callback)
{
	switch (callback->kind) {
	case INV_CALLBACK_PROCESS:
		return callback->extended;
	case INV_CALLBACK_OBJECT:
		return !callback->after;
	case INV_CALLBACK_THREAD:
	case INV_CALLBACK_IMAGE:
	case INV_CALLBACK_BUG_CHECK:
	case INV_CALLBACK_BUG_CHECK_REASON:
	case INV_CALLBACK_BUG_CHECK_PAGES:
	case INV_CALLBACK_SHUTDOWN:
	case INV_CALLBACK_LAST_SHUTDOWN:
	case INV_CALLBACK_FILE_SYSTEM:
	case INV_CALLBACK_DEBUG_PRINT:
	case INV_CALLBACK_PROFILE:
	case INV_CALLBACK_DEVICE_CLASS:
	case INV_CALLBACK_SOFT_RESTART:
		return false;
	case INV_CALLBACK_REGISTRY:
	case INV_CALLBACK_CODE_INTEGRITY:
	case INV_CALLBACK_WIN32:
	case INV_CALLBACK_PICO:
	case INV_CALLBACK_METHOD:
	case INV_CALLBACK_KINDS:
		break;
	}
	return true;
}

static bool is_kernel_address(uint64_t address)
{
	return address >= 0xffff800000000000u;
}

// -- code -------------------------------------------------------------------------------------------------------------------

static bool starts(const uint8_t *at, size_t room, const uint8_t *with, size_t size)
{
	return room >= size && memcmp(at, with, size) == 0;
}

// endbr64, and what fills the place of a patch.
static size_t skip_fillers(const struct inv_routine_code *code)
{
	static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa}, wide[] = {0x66, 0x90}, wider[] = {0x0f, 0x1f, 0x44, 0, 0};
	size_t at = 0;
	for (;;) {
		const uint8_t *b = code->bytes + at;
		size_t room = code->size - at;
		if (starts(b, room, endbr, sizeof endbr))
			at += sizeof endbr;
		else if (starts(b, room, wider, sizeof wider))
			at += sizeof wider;
		else if (starts(b, room, wide, sizeof wide))
			at += sizeof wide;
		else if (room && *b == 0x90)
			at++;
		else
			return at;
	}
}

static bool is_return(const uint8_t *b, size_t room)
{
	return room >= 1 && (b[0] == 0xc3 || b[0] == 0xc2);
}

// A value of no more than one instruction, and back.
static bool returns(const uint8_t *b, size_t room)
{
	if (is_return(b, room))
		return true;
	if (room >= 3 && ((b[0] >= 0x30 && b[0] <= 0x33 && b[1] == 0xc0) || b[0] == 0xb0))
		return is_return(b + 2, room - 2);
	if (room >= 4 && b[0] == 0x48 && (b[1] == 0x31 || b[1] == 0x33) && b[2] == 0xc0)
		return is_return(b + 3, room - 3);
	return room >= 6 && b[0] == 0xb8 && is_return(b + 5, room - 5);
}

static bool jumps(const struct inv_kernel *kernel, const uint8_t *b, size_t room, uint64_t here, uint64_t *target)
{
	if (room >= 5 && b[0] == 0xe9) {
		*target = here + 5 + (uint64_t)(int64_t)(int32_t)inv_le32(b + 1);
		return true;
	}
	if (room >= 2 && b[0] == 0xeb) {
		*target = here + 2 + (uint64_t)(int64_t)(int8_t)b[1];
		return true;
	}
	if (room >= 6 && b[0] == 0xff && b[1] == 0x25) {
		struct inv_value pointer = inv_read_u64(kernel, here + 6 + (uint64_t)(int64_t)(int32_t)inv_le32(b + 2));
		*target = pointer.ok ? pointer.u : 0;
		return pointer.ok;
	}
	// mov r64, imm64; jmp r64: of rax, or of r8 to r15
	if (room >= 12 && b[0] == 0x48 && b[1] >= 0xb8 && b[1] <= 0xbf && b[10] == 0xff && b[11] == b[1] + 0x28) {
		*target = inv_le64(b + 2);
		return true;
	}
	if (room >= 13 && b[0] == 0x49 && b[1] >= 0xb8 && b[1] <= 0xbf && b[10] == 0x41 && b[11] == 0xff &&
	    b[12] == b[1] + 0x28) {
		*target = inv_le64(b + 2);
		return true;
	}
	// push imm32; mov dword [rsp+4], imm32; ret
	if (room >= 14 && b[0] == 0x68 && inv_le32(b + 5) == 0x042444c7u && b[13] == 0xc3) {
		*target = inv_le32(b + 1) | (uint64_t)inv_le32(b + 9) << 32;
		return true;
	}
	return false;
}

void inv_routine_code_read(const struct inv_kernel *kernel, uint64_t address, struct inv_routine_code *code)
{
	*code = (struct inv_routine_code){0};
	code->size = inv_space_read(kernel->space, address, code->bytes, INV_CODE_BYTES, &code->why);
	size_t skip = skip_fillers(code), room = code->size - skip;
	const uint8_t *b = code->bytes + skip;
	if (room == 0)
		return;
	if (returns(b, room))
		code->start = INV_CODE_RETURNS;
	else if (jumps(kernel, b, room, address + skip, &code->target))
		code->start = INV_CODE_JUMPS;
	else
		code->start = INV_CODE_PLAIN;
}

// -- one callback -----------------------------------------------------------------------------------------------------------

struct reading {
	const struct inv_kernel *kernel;
	struct inv_callbacks *to;
};

void inv_callbacks_look_up(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                           struct inv_callback *callback)
{
	if (!callback->routine.ok)
		return;
	callback->module = inv_kernel_module_at(kernel, callback->routine.u);
	for (size_t i = 0; i < inv_count(callbacks->unloaded) && !callback->module; i++) {
		const struct inv_unloaded *unloaded = &callbacks->unloaded[i];
		// The ring is older than what it is asked for: the last one that stood there counts.
		if (callback->routine.u >= unloaded->start && callback->routine.u < unloaded->end)
			callback->unloaded = i + 1;
	}
	inv_routine_code_read(kernel, callback->routine.u, &callback->code);
}

void inv_callbacks_add(const struct inv_kernel *kernel, struct inv_callbacks *callbacks, struct inv_callback callback)
{
	inv_callbacks_look_up(kernel, callbacks, &callback);
	inv_push(callbacks->callbacks, callback);
}

static void add(struct reading *reading, struct inv_callback callback)
{
	inv_callbacks_add(reading->kernel, reading->to, callback);
}

static struct inv_value symbol_value(const struct inv_kernel *kernel, enum inv_symbol symbol, bool narrow)
{
	struct inv_value address = inv_kernel_symbol(kernel, symbol, NULL);
	if (!address.ok)
		return address;
	return narrow ? inv_read_u32(kernel, address.u) : inv_read_u64(kernel, address.u);
}

// -- arrays -----------------------------------------------------------------------------------------------------------------

static void read_slot(struct reading *reading, enum inv_callback_kind kind, unsigned slot,
                      const struct inv_value *value)
{
	const struct inv_kernel *kernel = reading->kernel;
	uint64_t block = value->u & ~FAST_REFERENCES;
	struct inv_callback callback = {.kind = kind, .slot = slot, .at = value->address};
	callback.routine = inv_read_u64(kernel, block + BLOCK_FUNCTION);
	struct inv_value context = inv_read_u64(kernel, block + BLOCK_CONTEXT);
	if (kind == INV_CALLBACK_PROCESS)
		callback.extended = context.ok && context.u & CONTEXT_EXTENDED;
	else if (kind == INV_CALLBACK_THREAD)
		callback.extended = context.ok && context.u & 1;
	add(reading, callback);
}

static void read_array(struct reading *reading, enum inv_callback_kind kind)
{
	static const struct {
		enum inv_symbol array, counts[2];
		const char *name, *count_names[2];
		unsigned bits[2];
		bool second; // there may be a second count
	} known[INV_CALLBACK_ARRAYS] = {
	    {INV_S_PspCreateProcessNotifyRoutine,
	     {INV_S_PspCreateProcessNotifyRoutineCount, INV_S_PspCreateProcessNotifyRoutineExCount},
	     "PspCreateProcessNotifyRoutine",
	     {"PspCreateProcessNotifyRoutineCount", "PspCreateProcessNotifyRoutineExCount"},
	     {1, 2},
	     true},
	    {INV_S_PspCreateThreadNotifyRoutine,
	     {INV_S_PspCreateThreadNotifyRoutineCount, INV_S_PspCreateThreadNotifyRoutineNonSystemCount},
	     "PspCreateThreadNotifyRoutine",
	     {"PspCreateThreadNotifyRoutineCount", "PspCreateThreadNotifyRoutineNonSystemCount"},
	     {3, 4},
	     true},
	    {INV_S_PspLoadImageNotifyRoutine,
	     {INV_S_PspLoadImageNotifyRoutineCount, INV_S_PspLoadImageNotifyRoutineCount},
	     "PspLoadImageNotifyRoutine",
	     {"PspLoadImageNotifyRoutineCount", NULL},
	     {0, 0},
	     false},
	};
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callback_array *array = &reading->to->arrays[kind];
	*array = (struct inv_callback_array){.name = known[kind].name,
	                                     .count_names = {known[kind].count_names[0], known[kind].count_names[1]},
	                                     .bits = {known[kind].bits[0], known[kind].bits[1]}};
	array->address = inv_kernel_symbol(kernel, known[kind].array, NULL);
	array->counts[0] = symbol_value(kernel, known[kind].counts[0], true);
	array->counts[1] = symbol_value(kernel, known[kind].counts[1], true);
	// Only the kernel's own symbols say that it has no second count.
	bool none = !known[kind].second || (kernel->rva && array->counts[1].why.reason == INV_NO_SYMBOL);
	array->has_second = !none;
	if (none)
		array->counts[1] = (struct inv_value){.ok = true};
	size_t last = 0;
	for (unsigned slot = 0; array->address.ok && slot < SLOTS; slot++) {
		struct inv_value value = inv_read_u64(kernel, array->address.u + 8ull * slot);
		if (!value.ok) {
			if (array->read == slot)
				array->why = value.why;
			continue;
		}
		array->read++;
		if (!value.u)
			continue;
		array->used++;
		last = slot + 1u;
		read_slot(reading, kind, slot, &value);
	}
	array->gaps = last - (array->used < last ? array->used : last);
}

// -- the registry -----------------------------------------------------------------------------------------------------------

static const char *read_altitude(const struct reading *reading, uint64_t at)
{
	struct inv_value value;
	const char *text = inv_read_unicode(reading->kernel, at, reading->to->arena, &value);
	return value.ok && *text ? text : NULL;
}

static void read_registry(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callbacks *to = reading->to;
	to->registry_head = inv_kernel_symbol(kernel, INV_S_CallbackListHead, NULL);
	to->registry_count = symbol_value(kernel, INV_S_CmpCallBackCount, true);
	if (!to->registry_head.ok)
		return;
	inv_list_walk(kernel, to->arena, "CallbackListHead", to->registry_head.u, LIST_BOUND, &to->registry);
	for (size_t i = 0; i < to->registry.count; i++) {
		uint64_t entry = to->registry.nodes[i].entry;
		add(reading, (struct inv_callback){.kind = INV_CALLBACK_REGISTRY,
		                                   .slot = (unsigned)i,
		                                   .at = entry,
		                                   .routine = inv_read_u64(kernel, entry + REGISTRY_FUNCTION),
		                                   .altitude = read_altitude(reading, entry + REGISTRY_ALTITUDE)});
	}
}

// -- object types -----------------------------------------------------------------------------------------------------------

static void read_object_entry(struct reading *reading, const struct inv_watched_type *type, uint64_t entry,
                              unsigned number)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_value registration = inv_read_u64(kernel, entry + OBJECT_REGISTRATION);
	struct inv_callback callback = {
	    .kind = INV_CALLBACK_OBJECT,
	    .slot = number,
	    .at = entry,
	    .enabled = inv_read_u32(kernel, entry + OBJECT_ENABLED),
	    .type = type->address,
	    .name = type->name,
	    .altitude = registration.ok ? read_altitude(reading, registration.u + REGISTRATION_ALTITUDE) : NULL};
	struct inv_value after = inv_read_u64(kernel, entry + OBJECT_AFTER);
	callback.routine = inv_read_u64(kernel, entry + OBJECT_BEFORE);
	if (!callback.routine.ok || callback.routine.u || !after.ok || !after.u)
		add(reading, callback);
	if (after.ok && after.u) {
		callback.routine = after;
		callback.after = true;
		add(reading, callback);
	}
}

static void read_type(struct reading *reading, unsigned index, const struct inv_value *slot)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_watched_type type = {.address = slot->u, .slot = slot->address, .index = index, .name = ""};
	type.own_index = inv_field(kernel, type.address, INV_F_OBJECT_TYPE_Index);
	type.supports = inv_field(kernel, type.address, INV_F_OBJECT_TYPE_SupportsObjectCallbacks);
	struct inv_value name = inv_field(kernel, type.address, INV_F_OBJECT_TYPE_Name);
	if (name.ok)
		type.name = inv_read_unicode(kernel, name.u, reading->to->arena, NULL);
	for (unsigned i = 0; i < INV_TYPE_METHODS; i++) {
		struct inv_value value = type.methods[i] = inv_field(kernel, type.address, methods[i]);
		if (value.ok && value.u)
			add(reading, (struct inv_callback){.kind = INV_CALLBACK_METHOD,
			                                   .slot = i,
			                                   .at = value.address,
			                                   .routine = value,
			                                   .type = type.address,
			                                   .name = type.name,
			                                   .method = methods[i]});
	}
	uint64_t head;
	if (inv_field_address(kernel, type.address, INV_F_OBJECT_TYPE_CallbackList, &head))
		inv_list_walk(kernel, reading->to->arena, "CallbackList", head, LIST_BOUND, &type.list);
	for (size_t i = 0; i < type.list.count; i++)
		read_object_entry(reading, &type, type.list.nodes[i].entry, (unsigned)i);
	inv_push(reading->to->types, type);
}

static const struct inv_watched_type *type_at(const struct inv_callbacks *callbacks, uint64_t address)
{
	for (size_t i = 0; i < inv_count(callbacks->types); i++)
		if (callbacks->types[i].address == address)
			return &callbacks->types[i];
	return NULL;
}

static bool lists(const struct inv_watched_type *type, uint64_t entry)
{
	for (size_t i = 0; i < type->list.count; i++)
		if (type->list.nodes[i].entry == entry)
			return true;
	return false;
}

// The entries that were registered together with one that is on a list.
static void find_strays(struct reading *reading, uint64_t beside)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_value registration = inv_read_u64(kernel, beside + OBJECT_REGISTRATION);
	struct inv_value count = registration;
	if (registration.ok)
		count = inv_read_u32(kernel, registration.u);
	if (!count.ok)
		return;
	uint64_t operations = count.u >> (8 * REGISTRATION_COUNT);
	uint64_t first = registration.u + REGISTRATION_ENTRIES;
	bool beside_it = beside >= first && (beside - first) % OBJECT_ENTRY_SIZE == 0 &&
	                 (beside - first) / OBJECT_ENTRY_SIZE < operations;
	for (uint64_t i = 0; beside_it && i < operations && i < MOST_OPERATIONS; i++) {
		uint64_t entry = first + i * OBJECT_ENTRY_SIZE;
		struct inv_value owner = inv_read_u64(kernel, entry + OBJECT_REGISTRATION);
		struct inv_value of = inv_read_u64(kernel, entry + OBJECT_OF_TYPE);
		struct inv_value routine = inv_read_u64(kernel, entry + OBJECT_BEFORE);
		const struct inv_watched_type *type = of.ok ? type_at(reading->to, of.u) : NULL;
		if (!owner.ok || owner.u != registration.u || !type || !type->list.closed || lists(type, entry))
			continue;
		bool met = false;
		for (size_t k = 0; k < inv_count(reading->to->strays) && !met; k++)
			met = reading->to->strays[k].entry == entry;
		struct inv_stray stray = {entry, registration.u, type->address, beside, type->name, NULL};
		stray.module = routine.ok ? inv_kernel_module_at(kernel, routine.u) : NULL;
		if (!met)
			inv_push(reading->to->strays, stray);
	}
}

static void read_types(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callbacks *to = reading->to;
	to->types_why = inv_kernel_symbol(kernel, INV_S_ObTypeIndexTable, NULL);
	uint64_t table = to->types_why.u;
	for (unsigned index = FIRST_TYPE; to->types_why.ok && index < TYPES_BOUND; index++) {
		struct inv_value slot = inv_read_u64(kernel, table + 8ull * index);
		if (!slot.ok || !slot.u) {
			to->types_why = slot;
			break;
		}
		read_type(reading, index, &slot);
	}
	for (size_t i = 0, known = inv_count(to->callbacks); i < known; i++)
		if (to->callbacks[i].kind == INV_CALLBACK_OBJECT)
			find_strays(reading, to->callbacks[i].at);
}

// -- tables of the kernel ---------------------------------------------------------------------------------------------------

static void read_table(struct reading *reading, enum inv_callback_kind kind, uint64_t table, uint64_t end,
                       uint64_t except)
{
	for (uint64_t at = 8; at + 8 <= end; at += 8) {
		struct inv_value value = inv_read_u64(reading->kernel, table + at);
		if (at == except || (value.ok && !is_kernel_address(value.u)))
			continue;
		add(reading,
		    (struct inv_callback){.kind = kind, .slot = (unsigned)(at / 8), .at = table + at, .routine = value});
	}
}

// The size of the table comes first, a tag that tells its version last (public practice: WinObjEx64, all builds that it knows).
static void read_code_integrity(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callbacks *to = reading->to;
	to->code_integrity = inv_kernel_symbol(kernel, INV_S_SeCiCallbacks, NULL);
	if (!to->code_integrity.ok)
		return;
	to->code_integrity_size = inv_read_u64(kernel, to->code_integrity.u);
	if (!to->code_integrity_size.ok)
		return;
	uint64_t size = to->code_integrity_size.u;
	if (size < 0x18 || size > TABLE_MOST || size % 8)
		to->code_integrity_odd = "SeCiCallbacks does not begin with its size: its form on this build is not verified";
	else
		read_table(reading, INV_CALLBACK_CODE_INTEGRITY, to->code_integrity.u, size - 8, 0);
}

// A fast reference to a block, as the slots of the arrays are; or the routine itself.
static void read_win32(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	reading->to->win32 = inv_kernel_symbol(kernel, INV_S_PsWin32CallBack, NULL);
	if (!reading->to->win32.ok)
		return;
	struct inv_value slot = inv_read_u64(kernel, reading->to->win32.u);
	if (slot.ok && !slot.u)
		return;
	struct inv_callback callback = {.kind = INV_CALLBACK_WIN32, .at = reading->to->win32.u, .routine = slot};
	if (slot.ok && !inv_kernel_module_at(kernel, slot.u))
		callback.routine = inv_read_u64(kernel, (slot.u & ~FAST_REFERENCES) + BLOCK_FUNCTION);
	add(reading, callback);
}

// PS_PICO_PROVIDER_ROUTINES: size, six functions, the ranges that are protected, one more function, rights. (Public practice.)
#define PICO_RANGES 0x38u
#define PICO_FUNCTIONS_END 0x48u

static void read_pico(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callbacks *to = reading->to;
	to->pico = inv_kernel_symbol(kernel, INV_S_PspPicoProviderRoutines, NULL);
	if (!to->pico.ok)
		return;
	to->pico_size = inv_read_u64(kernel, to->pico.u);
	if (!to->pico_size.ok || !to->pico_size.u)
		return;
	if (to->pico_size.u < PICO_FUNCTIONS_END || to->pico_size.u > 0x100)
		to->pico_odd = "PspPicoProviderRoutines does not begin with its size: its form on this build is not verified";
	else
		read_table(reading, INV_CALLBACK_PICO, to->pico.u, PICO_FUNCTIONS_END, PICO_RANGES);
}

// -- the threat intelligence provider ---------------------------------------------------------------------------------------

static void read_threat(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_threat_provider *threat = &reading->to->threat;
	threat->handle = threat->registration = symbol_value(kernel, INV_S_EtwThreatIntProvRegHandle, false);
	threat->entry = threat->mask = threat->enabled = threat->registration;
	if (!threat->registration.ok || !threat->registration.u)
		return;
	threat->mask = inv_field(kernel, threat->registration.u, INV_F_ETW_REG_ENTRY_EnableMask);
	threat->entry = inv_field(kernel, threat->registration.u, INV_F_ETW_REG_ENTRY_GuidEntry);
	threat->enabled = threat->entry;
	if (!threat->entry.ok || !threat->entry.u)
		return;
	threat->enabled = inv_field(kernel, threat->entry.u, INV_F_ETW_GUID_ENTRY_IsEnabled);
	uint64_t at;
	if (inv_field_address(kernel, threat->entry.u, INV_F_ETW_GUID_ENTRY_Guid, &at)) {
		uint8_t guid[16];
		threat->guid = inv_read_u64(kernel, at);
		threat->known_guid = inv_space_read(kernel->space, at, guid, sizeof guid, NULL) == sizeof guid &&
		                     memcmp(guid, threat_guid, sizeof guid) == 0;
	}
	uint32_t size = kernel->layout ? kernel->layout->size[INV_T_TRACE_ENABLE_INFO] : 0;
	if (!size || !inv_field_address(kernel, threat->entry.u, INV_F_ETW_GUID_ENTRY_EnableInfo, &at))
		return;
	for (unsigned i = 0; i < TRACE_SESSIONS; i++) {
		struct inv_value on = inv_field(kernel, at + (uint64_t)i * size, INV_F_TRACE_ENABLE_INFO_IsEnabled);
		if (!on.ok || !on.u)
			continue;
		if (!threat->sessions++)
			threat->listener = on;
	}
}

// -- unloaded drivers -------------------------------------------------------------------------------------------------------

static int by_time(const void *a, const void *b)
{
	const struct inv_unloaded *left = a, *right = b;
	return (left->time > right->time) - (left->time < right->time);
}

static void read_unloaded(struct reading *reading)
{
	const struct inv_kernel *kernel = reading->kernel;
	struct inv_callbacks *to = reading->to;
	to->unloaded_why = symbol_value(kernel, INV_S_MmUnloadedDrivers, false);
	uint64_t table = to->unloaded_why.ok ? to->unloaded_why.u : 0;
	for (unsigned i = 0; table && i < UNLOADED_SLOTS; i++) {
		uint64_t at = table + (uint64_t)UNLOADED_SIZE * i;
		struct inv_value start = inv_read_u64(kernel, at + 0x10), end = inv_read_u64(kernel, at + 0x18);
		struct inv_value time = inv_read_u64(kernel, at + 0x20);
		if (!start.ok || !end.ok || !is_kernel_address(start.u) || end.u <= start.u)
			continue;
		struct inv_unloaded unloaded = {.name = inv_read_unicode(kernel, at, to->arena, NULL),
		                                .start = start.u,
		                                .end = end.u,
		                                .time = time.ok ? time.u : 0,
		                                .at = at};
		inv_push(to->unloaded, unloaded);
	}
	if (inv_count(to->unloaded) > 1)
		qsort(to->unloaded, inv_count(to->unloaded), sizeof *to->unloaded, by_time);
}

void inv_callbacks_read(const struct inv_kernel *kernel, struct inv_arena *arena, struct inv_callbacks *callbacks)
{
	*callbacks = (struct inv_callbacks){.arena = arena};
	struct reading reading = {kernel, callbacks};
	read_unloaded(&reading); // the others ask it
	for (unsigned kind = 0; kind < INV_CALLBACK_ARRAYS; kind++)
		read_array(&reading, (enum inv_callback_kind)kind);
	callbacks->mask = symbol_value(kernel, INV_S_PspNotifyEnableMask, true);
	read_registry(&reading);
	read_types(&reading);
	read_code_integrity(&reading);
	read_win32(&reading);
	read_pico(&reading);
	read_threat(&reading);
}

void inv_callbacks_free(struct inv_callbacks *callbacks)
{
	inv_array_free(callbacks->callbacks);
	inv_array_free(callbacks->observers);
	inv_array_free(callbacks->types);
	inv_array_free(callbacks->strays);
	inv_array_free(callbacks->unloaded);
	*callbacks = (struct inv_callbacks){0};
}

// -- imports ----------------------------------------------------------------------------------------------------------------

#define MOST_DESCRIPTORS 64u
#define MOST_THUNKS 4096u
#define BY_ORDINAL 0x8000000000000000u

// The kinds that a function of the kernel registers; 0: none.
static unsigned kinds_of(const char *name)
{
	static const struct {
		const char *start; // the names with Ex and Ex2 begin alike
		enum inv_callback_kind kind;
	} known[] = {
	    {"PsSetCreateProcessNotifyRoutine", INV_CALLBACK_PROCESS},
	    {"PsSetCreateThreadNotifyRoutine", INV_CALLBACK_THREAD},
	    {"PsSetLoadImageNotifyRoutine", INV_CALLBACK_IMAGE},
	    {"CmRegisterCallback", INV_CALLBACK_REGISTRY},
	    {"ObRegisterCallbacks", INV_CALLBACK_OBJECT},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncmp(name, known[i].start, strlen(known[i].start)) == 0)
			return 1u << known[i].kind;
	return 0;
}

// A text of the image, cut to its room; false: it is not in the image.
static bool read_name(const struct inv_kernel *kernel, const struct inv_module *module, uint64_t rva, char *name,
                      size_t room)
{
	if (rva >= module->size)
		return false;
	size_t got = inv_space_read(kernel->space, module->base + rva, name, room - 1, NULL);
	name[got] = '\0';
	return got != 0;
}

static bool read_thunks(const struct inv_kernel *kernel, const struct inv_module *module, uint64_t rva, unsigned *kinds,
                        struct inv_why *why)
{
	for (unsigned i = 0; i < MOST_THUNKS && rva + 8 <= module->size; i++, rva += 8) {
		struct inv_value thunk = inv_read_u64(kernel, module->base + rva);
		char name[40];
		if (!thunk.ok) {
			*why = thunk.why;
			return false;
		}
		if (!thunk.u)
			return true;
		if (!(thunk.u & BY_ORDINAL) && read_name(kernel, module, thunk.u + 2, name, sizeof name))
			*kinds |= kinds_of(name);
	}
	return true;
}

struct inv_value inv_callback_imports(const struct inv_kernel *kernel, const struct inv_module *module)
{
	struct inv_pe pe;
	struct inv_value result = {.address = module->base};
	if (!inv_pe_read(kernel->space, module->base, &pe, &result.why)) {
		if (result.why.reason == INV_PRESENT)
			result.why = (struct inv_why){.reason = INV_NOT_MAPPED, .address = module->base};
		return result;
	}
	unsigned kinds = 0;
	for (unsigned i = 0; pe.import_rva && i < MOST_DESCRIPTORS; i++) {
		uint8_t bytes[20];
		char dll[16];
		uint64_t rva = pe.import_rva + 20ull * i;
		if (rva + sizeof bytes > module->size)
			break;
		if (inv_space_read(kernel->space, module->base + rva, bytes, sizeof bytes, &result.why) != sizeof bytes)
			return result;
		uint32_t lookup = inv_le32(bytes), text = inv_le32(bytes + 12);
		if (!lookup || !text)
			break;
		if (!read_name(kernel, module, text, dll, sizeof dll) || strcasecmp(dll, "ntoskrnl.exe") != 0)
			continue;
		if (!read_thunks(kernel, module, lookup, &kinds, &result.why))
			return result;
	}
	result.ok = true;
	result.u = kinds;
	return result;
}
