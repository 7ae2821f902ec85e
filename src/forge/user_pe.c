// SPDX-License-Identifier: Apache-2.0
#include "forge/user_pe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/bytes.h"
#include "forge/put.h"
#include "forge/random.h"

#define PAGE 0x1000u
#define FILE_ALIGNMENT 0x200u
#define HEADERS 0x400u
#define PE_OFFSET 0xf0u
#define DIRECTORY_EXPORT 0u
#define DIRECTORY_IMPORT 1u
#define DIRECTORY_EXCEPTION 3u
#define DIRECTORY_RELOCATION 5u
#define DIRECTORY_DEBUG 6u
#define DIRECTORY_IAT 12u
#define DIRECTORY_MANAGED 14u
#define COR20_SIZE 72u // IMAGE_COR20_HEADER
#define DIRECTORIES 16u
#define CODE 0x60000020u
#define READ 0x40000040u
#define DATA 0xc0000040u
#define DISCARD 0x42000040u
#define WINDOWS_10 10240u
#define DATA_SIZE 0x1c00u // of .data: more than a page, so that a process can keep one of them shared

// -- what is in which file --------------------------------------------------------------------------------------------------

struct contents {
	const char *name;
	const char *const *exports; // NULL at the end
	const char *const *imports; // "DLL" then its names, each list with NULL at the end; NULL at the end of all
};

static const char *const ntdll_exports[] = {"RtlUserThreadStart",
                                            "LdrInitializeThunk",
                                            "KiUserApcDispatcher",
                                            "KiUserExceptionDispatcher",
                                            "KiUserCallbackDispatcher",
                                            "LdrLoadDll",
                                            "LdrUnloadDll",
                                            "LdrGetProcedureAddress",
                                            "LdrGetDllHandle",
                                            "RtlAllocateHeap",
                                            "RtlFreeHeap",
                                            "RtlCreateHeap",
                                            "RtlExitUserThread",
                                            "RtlCreateUserThread",
                                            "RtlInitUnicodeString",
                                            "RtlCaptureContext",
                                            "RtlVirtualUnwind",
                                            "EtwEventWrite",
                                            "EtwEventWriteFull",
                                            "DbgBreakPoint",
                                            "DbgUiRemoteBreakin",
                                            "TpReleaseWork",
                                            "TpPostWork",
                                            "CsrClientCallServer",
                                            "NtClose",
                                            "NtCreateFile",
                                            "NtCreateSection",
                                            "NtCreateThreadEx",
                                            "NtDelayExecution",
                                            "NtAllocateVirtualMemory",
                                            "NtAlpcSendWaitReceivePort",
                                            "NtContinue",
                                            "NtDeviceIoControlFile",
                                            "NtFreeVirtualMemory",
                                            "NtMapViewOfSection",
                                            "NtOpenProcess",
                                            "NtOpenThread",
                                            "NtProtectVirtualMemory",
                                            "NtQueryInformationProcess",
                                            "NtQuerySystemInformation",
                                            "NtQueryVirtualMemory",
                                            "NtQueueApcThread",
                                            "NtReadFile",
                                            "NtReadVirtualMemory",
                                            "NtRemoveIoCompletion",
                                            "NtResumeThread",
                                            "NtSetContextThread",
                                            "NtSuspendThread",
                                            "NtTerminateProcess",
                                            "NtTerminateThread",
                                            "NtTestAlert",
                                            "NtTraceEvent",
                                            "NtUnmapViewOfSection",
                                            "NtWaitForMultipleObjects",
                                            "NtWaitForSingleObject",
                                            "NtWaitForWorkViaWorkerFactory",
                                            "NtWriteFile",
                                            "NtWriteVirtualMemory",
                                            "NtYieldExecution",
                                            NULL};
static const char *const kernel32_exports[] = {"BaseThreadInitThunk",
                                               "LoadLibraryA",
                                               "LoadLibraryW",
                                               "LoadLibraryExW",
                                               "FreeLibrary",
                                               "GetProcAddress",
                                               "GetModuleHandleW",
                                               "CreateFileW",
                                               "CreateProcessW",
                                               "CreateRemoteThread",
                                               "CreateThread",
                                               "ExitProcess",
                                               "ExitThread",
                                               "OpenProcess",
                                               "QueueUserAPC",
                                               "ReadFile",
                                               "Sleep",
                                               "SwitchToFiber",
                                               "VirtualAlloc",
                                               "VirtualAllocEx",
                                               "VirtualProtect",
                                               "WaitForSingleObject",
                                               "WinExec",
                                               "WriteFile",
                                               "WriteProcessMemory",
                                               NULL};
static const char *const kernelbase_exports[] = {"CreateFileW",
                                                 "CreateProcessInternalW",
                                                 "CreateRemoteThreadEx",
                                                 "CloseHandle",
                                                 "GetModuleHandleW",
                                                 "GetProcAddress",
                                                 "LoadLibraryA",
                                                 "LoadLibraryExW",
                                                 "LoadLibraryW",
                                                 "OpenProcess",
                                                 "QueueUserAPC",
                                                 "ReadFile",
                                                 "SleepEx",
                                                 "VirtualAlloc",
                                                 "VirtualProtect",
                                                 "WaitForMultipleObjectsEx",
                                                 "WaitForSingleObjectEx",
                                                 "WriteFile",
                                                 "WriteProcessMemory",
                                                 NULL};
static const char *const user32_exports[] = {
    "CallNextHookEx", "CreateWindowExW", "DefWindowProcW",    "DispatchMessageW", "GetMessageW",
    "MessageBoxW",    "PeekMessageW",    "SetWindowsHookExW", "TranslateMessage", NULL};
static const char *const win32u_exports[] = {"NtUserCreateWindowEx",   "NtUserGetMessage",  "NtUserPeekMessage",
                                             "NtUserSetWindowsHookEx", "NtUserWaitMessage", NULL};
static const char *const amsi_exports[] = {"AmsiCloseSession",
                                           "AmsiInitialize",
                                           "AmsiOpenSession",
                                           "AmsiScanBuffer",
                                           "AmsiScanString",
                                           "AmsiUninitialize",
                                           NULL};
static const char *const wow64_exports[] = {"Wow64ApcRoutine", "Wow64LdrpInitialize", "Wow64PrepareForException",
                                            "Wow64SystemServiceEx", NULL};
static const char *const wow64cpu_exports[] = {"BTCpuProcessInit", "BTCpuSimulate", "TurboDispatchJumpAddressEnd",
                                               "TurboDispatchJumpAddressStart", NULL};
// Of any DLL that is not in the table.
static const char *const other_exports[] = {"DllCanUnloadNow",   "DllGetClassObject",   "DllMain",
                                            "DllRegisterServer", "DllUnregisterServer", NULL};

static const char *const no_imports[] = {NULL};
static const char *const from_ntdll[] = {"ntdll.dll",
                                         "NtClose",
                                         "NtCreateFile",
                                         "NtCreateThreadEx",
                                         "NtDelayExecution",
                                         "NtWaitForSingleObject",
                                         "RtlAllocateHeap",
                                         "RtlFreeHeap",
                                         "LdrLoadDll",
                                         NULL,
                                         NULL};
static const char *const from_base[] = {"KERNELBASE.dll",
                                        "CreateFileW",
                                        "LoadLibraryExW",
                                        "SleepEx",
                                        "VirtualProtect",
                                        NULL,
                                        "ntdll.dll",
                                        "RtlExitUserThread",
                                        "RtlAllocateHeap",
                                        NULL,
                                        NULL};
static const char *const from_kernel32[] = {
    "KERNEL32.dll", "CreateFileW", "GetProcAddress", "LoadLibraryW", "Sleep", "VirtualProtect",
    NULL,           "ntdll.dll",   "RtlFreeHeap",    NULL,           NULL};

static const struct contents known[] = {
    {"ntdll.dll", ntdll_exports, no_imports},           {"kernel32.dll", kernel32_exports, from_base},
    {"kernelbase.dll", kernelbase_exports, from_ntdll}, {"user32.dll", user32_exports, from_base},
    {"win32u.dll", win32u_exports, no_imports},         {"amsi.dll", amsi_exports, from_kernel32},
    {"wow64.dll", wow64_exports, from_ntdll},           {"wow64cpu.dll", wow64cpu_exports, from_ntdll},
};
static const char *const no_exports[] = {NULL};
static const struct contents other_dll = {"", other_exports, from_kernel32};
static const struct contents program = {"", no_exports, from_kernel32};
static const struct contents managed = {"", no_exports, no_imports};
static const struct contents native_program = {"", no_exports, from_ntdll};

static const struct contents *contents_of(const struct inv_user_image *image)
{
	if (image->managed)
		return &managed;
	if (!image->dll)
		return image->subsystem == INV_SUBSYSTEM_NATIVE ? &native_program : &program;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcasecmp(image->name, known[i].name) == 0)
			return &known[i];
	return &other_dll;
}

// -- building -----------------------------------------------------------------------------------------------------------------

enum target { TO_IMPORT, TO_DATA, TO_FUNCTION };

// A place in .text that refers to something whose RVA is not known yet.
struct reference {
	uint32_t at; // in .text
	enum target target;
	uint32_t index; // of import or function; offset in .data
	bool absolute;  // a 32-bit address, relocated; else relative to behind the place
};

struct function {
	uint32_t rva, size;
	bool frame; // has a prologue that unwinding knows
};

struct builder {
	struct inv_user_image *image;
	const struct contents *contents;
	struct inv_random random;
	uint8_t *text, *rdata, *data, *pdata, *reloc; // stb_ds
	struct reference *references;                 // stb_ds
	struct function *functions;                   // stb_ds
	uint32_t rdata_rva, data_rva;
	uint32_t directory[DIRECTORIES][2];
};

static uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static uint8_t *grow(uint8_t **bytes, uint32_t size)
{
	size_t before = inv_count(*bytes);
	for (uint32_t i = 0; i < size; i++)
		inv_push(*bytes, 0);
	return *bytes + before;
}

static uint32_t length_of(const uint8_t *bytes)
{
	return (uint32_t)inv_count(bytes);
}

static void add(uint8_t **bytes, const void *from, uint32_t size)
{
	uint8_t *to = grow(bytes, size);
	memcpy(to, from, size);
}

static void add32(uint8_t **bytes, uint32_t value)
{
	inv_put32(grow(bytes, 4), value);
}

static void align(uint8_t **bytes, uint32_t unit, uint8_t filler)
{
	while (inv_count(*bytes) % unit)
		inv_push(*bytes, filler);
}

static void refer(struct builder *b, enum target target, uint32_t index, bool absolute)
{
	inv_push(b->references, ((struct reference){length_of(b->text), target, index, absolute}));
	add32(&b->text, 0);
}

static uint64_t hash_of(const char *name, uint64_t hash)
{
	for (; *name; name++)
		hash = (hash ^ (uint8_t)tolower((uint8_t)*name)) * 0x100000001b3u;
	return hash;
}

// The instructions of a function that does something harmless: a frame, a constant, a call before it, an import, a datum.
static void put_body(struct builder *b, uint32_t own)
{
	bool x86 = b->image->x86;
	uint64_t draw = inv_random_next(&b->random);
	add(&b->text, x86 ? "\x8b\xff\x55\x8b\xec" : "\x48\x83\xec\x28", x86 ? 5 : 4);
	inv_push(b->text, 0xb8); // mov eax, constant
	add32(&b->text, (uint32_t)(draw >> 32));
	if (own > 0) {
		inv_push(b->text, 0xe8); // call
		refer(b, TO_FUNCTION, (uint32_t)(draw % own), false);
	}
	size_t imports = inv_count(b->image->imports);
	if (imports && draw & 0x100) {
		add(&b->text, "\xff\x15", 2); // call [import]
		refer(b, TO_IMPORT, (uint32_t)((draw >> 9) % imports), x86);
	}
	if (draw & 0x200) {
		add(&b->text, x86 ? "\x8b\x0d" : "\x48\x8d\x0d", x86 ? 2 : 3); // mov ecx, [datum]; lea rcx, [datum]
		refer(b, TO_DATA, (uint32_t)((draw >> 16) % (DATA_SIZE / 8) * 8), x86);
	}
	add(&b->text, x86 ? "\x5d\xc2\x08\x00" : "\x48\x83\xc4\x28\xc3", x86 ? 4 : 5);
}

// A stub of a system service; the offset behind the instruction that leaves user mode.
static uint32_t put_stub(struct builder *b, uint32_t number)
{
	uint32_t start = length_of(b->text);
	if (b->image->x86) {
		inv_push(b->text, 0xb8);
		add32(&b->text, number);
		if (b->image->build >= WINDOWS_10) {
			inv_push(b->text, 0xba); // mov edx, Wow64SystemServiceCall
			refer(b, TO_FUNCTION, 0, true);
			add(&b->text, "\xff\xd2\xc2\x10\x00", 5);
			return start + 12;
		}
		add(&b->text, "\x33\xc9\x8d\x54\x24\x04\x64\xff\x15\xc0\x00\x00\x00\x83\xc4\x04\xc2\x10\x00", 19);
		return start + 18;
	}
	add(&b->text, "\x4c\x8b\xd1\xb8", 4);
	add32(&b->text, number);
	if (b->image->build >= WINDOWS_10) // test byte ptr [KUSER_SHARED_DATA.SystemCall], 1; jne
		add(&b->text, "\xf6\x04\x25\x08\x03\xfe\x7f\x01\x75\x03", 10);
	add(&b->text, "\x0f\x05\xc3", 3);
	uint32_t behind = length_of(b->text) - 1;
	if (b->image->build >= WINDOWS_10)
		add(&b->text, "\xcd\x2e\xc3", 3); // int 2Eh
	return behind;
}

static bool is_service(const struct builder *b, const char *name)
{
	return name && name[0] == 'N' && name[1] == 't' &&
	       (b->contents->exports == ntdll_exports || b->contents->exports == win32u_exports);
}

// The next function; the RVA behind its system call, 0 if it makes none.
static uint32_t put_function(struct builder *b, const char *name, uint32_t number)
{
	uint32_t own = (uint32_t)inv_count(b->functions), returns = 0;
	align(&b->text, 16, 0xcc);
	struct function function = {PAGE + length_of(b->text), 0, !is_service(b, name)};
	if (function.frame)
		put_body(b, own);
	else
		returns = PAGE + put_stub(b, number);
	function.size = PAGE + length_of(b->text) - function.rva;
	inv_push(b->functions, function);
	return returns;
}

// How far behind a function's start its first call returns: behind frame, constant and call.
static uint32_t first_call(const struct inv_user_image *image)
{
	return image->x86 ? 15 : 14;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct inv_user_export *)a)->name, ((const struct inv_user_export *)b)->name);
}

static void put_text(struct builder *b)
{
	struct inv_user_image *image = b->image;
	put_function(b, NULL, 0); // what all others may call
	put_function(b, NULL, 0); // the entry
	uint32_t number = image->x86 ? 1 : 0x18;
	for (const char *const *name = b->contents->exports; *name; name++) {
		uint32_t returns = put_function(b, *name, number);
		number += returns != 0;
		uint32_t rva = b->functions[inv_count(b->functions) - 1].rva;
		struct inv_user_export made = {*name, rva, returns, returns ? 0 : rva + first_call(image)};
		inv_push(image->exports, made);
	}
	if (image->exports)
		qsort(image->exports, inv_count(image->exports), sizeof *image->exports, by_name);
	while (inv_count(b->text) < image->code_size)
		put_function(b, NULL, 0);
	align(&b->text, 16, 0xcc);
}

static void list_imports(struct builder *b)
{
	const char *const *at = b->contents->imports;
	while (*at) {
		const char *dll = *at++;
		for (; *at; at++)
			inv_push(b->image->imports, ((struct inv_user_import){dll, *at, 0}));
		at++;
	}
}

static uint32_t pointer_size(const struct builder *b)
{
	return b->image->x86 ? 4 : 8;
}

static uint32_t here(const struct builder *b)
{
	return b->rdata_rva + length_of(b->rdata);
}

static void set_directory(struct builder *b, unsigned index, uint32_t rva, uint32_t size)
{
	b->directory[index][0] = rva;
	b->directory[index][1] = size;
}

static uint32_t add_text(uint8_t **bytes, const char *text)
{
	uint32_t at = length_of(*bytes);
	add(bytes, text, (uint32_t)strlen(text) + 1);
	return at;
}

// A table with a slot for each import and a zero behind each DLL's. Its offset in .rdata.
static uint32_t add_slots(struct builder *b, const uint32_t *hints)
{
	const struct inv_user_import *imports = b->image->imports;
	uint32_t at = length_of(b->rdata);
	for (size_t i = 0; i < inv_count(imports); i++) {
		inv_put32(grow(&b->rdata, pointer_size(b)), hints ? hints[i] : 0);
		if (i + 1 == inv_count(imports) || imports[i + 1].dll != imports[i].dll)
			grow(&b->rdata, pointer_size(b));
	}
	return at;
}

static void put_slots(const struct builder *b, uint32_t table, const uint32_t *hints)
{
	const struct inv_user_import *imports = b->image->imports;
	for (size_t i = 0; i < inv_count(imports); i++) {
		inv_put32(b->rdata + table, hints[i]);
		table += pointer_size(b);
		if (i + 1 == inv_count(imports) || imports[i + 1].dll != imports[i].dll)
			table += pointer_size(b);
	}
}

// The import address table stands first in .rdata, the rest follows.
static void reserve_iat(struct builder *b)
{
	struct inv_user_import *imports = b->image->imports;
	if (!imports)
		return;
	uint32_t at = b->rdata_rva;
	for (size_t i = 0; i < inv_count(imports); i++) {
		imports[i].rva = at;
		at += pointer_size(b) * (i + 1 < inv_count(imports) && imports[i + 1].dll != imports[i].dll ? 2 : 1);
	}
	add_slots(b, NULL);
	set_directory(b, DIRECTORY_IAT, b->rdata_rva, length_of(b->rdata));
}

static void put_imports(struct builder *b)
{
	const struct inv_user_import *imports = b->image->imports;
	size_t count = inv_count(imports);
	if (!count)
		return;
	uint32_t *hints = inv_alloc(count * sizeof *hints);
	for (size_t i = 0; i < count; i++) {
		align(&b->rdata, 2, 0);
		hints[i] = here(b);
		grow(&b->rdata, 2); // hint
		add_text(&b->rdata, imports[i].name);
	}
	put_slots(b, 0, hints);
	align(&b->rdata, 8, 0);
	uint32_t lookup = b->rdata_rva + add_slots(b, hints);
	free(hints);
	uint32_t directory = length_of(b->rdata), dlls = 0;
	for (size_t i = 0; i < count; i++) // a descriptor for each DLL
		dlls += i == 0 || imports[i].dll != imports[i - 1].dll;
	grow(&b->rdata, 20 * (dlls + 1));
	set_directory(b, DIRECTORY_IMPORT, b->rdata_rva + directory, 20 * (dlls + 1));
	uint32_t at = directory;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || imports[i].dll != imports[i - 1].dll) {
			uint32_t name = b->rdata_rva + add_text(&b->rdata, imports[i].dll);
			inv_put32(b->rdata + at, lookup + imports[i].rva - imports[0].rva);
			inv_put32(b->rdata + at + 12, name);
			inv_put32(b->rdata + at + 16, imports[i].rva);
			at += 20;
		}
}

static void put_exports(struct builder *b)
{
	const struct inv_user_export *exports = b->image->exports;
	uint32_t count = (uint32_t)inv_count(exports);
	if (!count)
		return;
	align(&b->rdata, 4, 0);
	uint32_t start = length_of(b->rdata), functions = start + 40, names = functions + 4 * count;
	uint32_t ordinals = names + 4 * count;
	grow(&b->rdata, 40 + 10 * count);
	uint32_t name = b->rdata_rva + add_text(&b->rdata, b->image->name);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t text = b->rdata_rva + add_text(&b->rdata, exports[i].name);
		inv_put32(b->rdata + functions + (size_t)4 * i, exports[i].rva);
		inv_put32(b->rdata + names + (size_t)4 * i, text);
		inv_put16(b->rdata + ordinals + (size_t)2 * i, (uint16_t)i);
	}
	uint8_t *e = b->rdata + start;
	inv_put32(e + 4, b->image->time_stamp);
	inv_put32(e + 12, name);
	inv_put32(e + 16, 1); // Base of the ordinals
	inv_put32(e + 20, count);
	inv_put32(e + 24, count);
	inv_put32(e + 28, b->rdata_rva + functions);
	inv_put32(e + 32, b->rdata_rva + names);
	inv_put32(e + 36, b->rdata_rva + ordinals);
	set_directory(b, DIRECTORY_EXPORT, b->rdata_rva + start, length_of(b->rdata) - start);
}

// The header of .NET (ECMA-335, II.25.3.3), and what it says of native code: READYTORUN_HEADER (dotnet/runtime, docs/design/coreclr/botr,
// readytorun-format.md). There is no metadata.
static void put_managed(struct builder *b)
{
	align(&b->rdata, 8, 0);
	uint32_t start = length_of(b->rdata), native = start + COR20_SIZE;
	uint8_t *h = grow(&b->rdata, COR20_SIZE + 16);
	inv_put32(h, COR20_SIZE);
	inv_put16(h + 4, 2); // of the run time: 2.5
	inv_put16(h + 6, 5);
	inv_put32(h + 16, 4); // COMIMAGE_FLAGS_IL_LIBRARY
	inv_put32(h + 64, b->rdata_rva + native);
	inv_put32(h + 68, 16);
	inv_put_text(h + COR20_SIZE, "RTR");
	inv_put16(h + COR20_SIZE + 4, 5); // MajorVersion
	set_directory(b, DIRECTORY_MANAGED, b->rdata_rva + start, COR20_SIZE);
}

static void put_debug(struct builder *b)
{
	align(&b->rdata, 4, 0);
	uint32_t start = length_of(b->rdata);
	uint8_t *d = grow(&b->rdata, 28 + 24);
	inv_put32(d + 4, b->image->time_stamp);
	inv_put32(d + 12, 2); // IMAGE_DEBUG_TYPE_CODEVIEW
	inv_put32(d + 20, b->rdata_rva + start + 28);
	inv_put32(d + 24, HEADERS + round_up(length_of(b->text), FILE_ALIGNMENT) + start + 28);
	inv_put_text(d + 28, "RSDS");
	inv_put64(d + 32, inv_random_next(&b->random));
	inv_put64(d + 40, inv_random_next(&b->random));
	inv_put32(d + 48, 1);
	char pdb[64];
	size_t stem = strcspn(b->image->name, ".");
	snprintf(pdb, sizeof pdb, "%.*s.pdb", (int)(stem < 56 ? stem : 56), b->image->name);
	add_text(&b->rdata, pdb);
	inv_put32(b->rdata + start + 16, length_of(b->rdata) - start - 28); // size of the record
	set_directory(b, DIRECTORY_DEBUG, b->rdata_rva + start, 28);
}

// One UNWIND_INFO serves all: `sub rsp, 28h` of four bytes.
static void put_unwind(struct builder *b)
{
	if (b->image->x86)
		return;
	align(&b->rdata, 4, 0);
	uint32_t info = here(b);
	add(&b->rdata, "\x01\x04\x01\x00\x04\x42\x00\x00", 8);
	for (size_t i = 0; i < inv_count(b->functions); i++)
		if (b->functions[i].frame) {
			add32(&b->pdata, b->functions[i].rva);
			add32(&b->pdata, b->functions[i].rva + b->functions[i].size);
			add32(&b->pdata, info);
		}
}

static void add_relocation(struct builder *b, uint32_t rva)
{
	inv_push(b->image->relocations, rva);
}

// References are in the order of their places, so that relocations of .text rise.
static void resolve(struct builder *b)
{
	for (size_t i = 0; i < inv_count(b->references); i++) {
		const struct reference *r = &b->references[i];
		uint32_t rva = r->target == TO_IMPORT ? b->image->imports[r->index].rva
		               : r->target == TO_DATA ? b->data_rva + r->index
		                                      : b->functions[r->index].rva;
		if (r->absolute) {
			inv_put32(b->text + r->at, (uint32_t)b->image->preferred + rva);
			add_relocation(b, PAGE + r->at);
		} else {
			inv_put32(b->text + r->at, rva - (PAGE + r->at + 4));
		}
	}
}

// Some pointers to code, and numbers.
static void put_data(struct builder *b)
{
	uint8_t *data = grow(&b->data, DATA_SIZE);
	size_t count = inv_count(b->functions);
	for (uint32_t at = 0; count && at < DATA_SIZE; at += 0x40) {
		const struct function *function = &b->functions[at / 0x40 % count];
		uint64_t address = b->image->preferred + function->rva;
		if (b->image->x86)
			inv_put32(data + at, (uint32_t)address);
		else
			inv_put64(data + at, address);
		inv_put64(data + at + 8, inv_random_next(&b->random));
		add_relocation(b, b->data_rva + at);
	}
}

static void put_relocations(struct builder *b)
{
	const uint32_t *relocations = b->image->relocations;
	uint32_t type = b->image->x86 ? 3u : 10u; // HIGHLOW, DIR64
	size_t count = inv_count(relocations);
	for (size_t i = 0; i < count;) {
		uint32_t page = relocations[i] / PAGE, start = length_of(b->reloc);
		grow(&b->reloc, 8);
		for (; i < count && relocations[i] / PAGE == page; i++)
			inv_put16(grow(&b->reloc, 2), (uint16_t)(type << 12 | relocations[i] % PAGE));
		align(&b->reloc, 4, 0);
		inv_put32(b->reloc + start, page * PAGE);
		inv_put32(b->reloc + start + 4, length_of(b->reloc) - start);
	}
}

// -- headers ------------------------------------------------------------------------------------------------------------------

static void add_section(struct builder *b, const char *name, const uint8_t *bytes, uint32_t characteristics)
{
	struct inv_user_image *image = b->image;
	if (!bytes)
		return;
	struct inv_user_section *s = &image->sections[image->section_count++];
	snprintf(s->name, sizeof s->name, "%s", name);
	s->rva = image->size;
	s->size = length_of(bytes);
	s->file_offset = image->file_size;
	s->file_size = round_up(s->size, FILE_ALIGNMENT);
	s->characteristics = characteristics;
	image->size += round_up(s->size, PAGE);
	image->file_size += s->file_size;
}

static uint32_t sum_of_sizes(const struct inv_user_image *image, uint32_t flag)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < image->section_count; i++)
		if (image->sections[i].characteristics & flag)
			sum += image->sections[i].file_size;
	return sum;
}

// PE32+ has no BaseOfData, and eight bytes for ImageBase and for the sizes of stack and heap.
static void put_optional(const struct builder *b, uint8_t *o)
{
	const struct inv_user_image *image = b->image;
	bool x86 = image->x86;
	inv_put16(o, x86 ? 0x10b : 0x20b);
	o[2] = 14; // MajorLinkerVersion
	inv_put32(o + 4, sum_of_sizes(image, 0x20));
	inv_put32(o + 8, sum_of_sizes(image, 0x40));
	inv_put32(o + 16, image->entry);
	inv_put32(o + 20, PAGE); // BaseOfCode
	if (x86) {
		inv_put32(o + 24, b->rdata_rva);
		inv_put32(o + 28, (uint32_t)image->preferred);
	} else {
		inv_put64(o + 24, image->preferred);
	}
	inv_put32(o + 32, PAGE);
	inv_put32(o + 36, FILE_ALIGNMENT);
	for (unsigned at = 40; at <= 48; at += 4) { // operating system, image and subsystem
		inv_put16(o + at, image->build >= WINDOWS_10 ? 10 : 6);
		inv_put16(o + at + 2, image->build >= WINDOWS_10 ? 0 : image->build >= 9600 ? 3 : image->build >= 9200 ? 2 : 1);
	}
	inv_put32(o + 56, image->size);
	inv_put32(o + 60, HEADERS);
	inv_put16(o + 68, image->subsystem);
	inv_put16(o + 70, image->dll_characteristics);
	static const uint32_t reserves[] = {INV_USER_STACK, 0x2000, 0x100000, 0x1000}; // of stack and heap
	uint8_t *rest = o + 72;
	for (size_t i = 0; i < 4; i++, rest += x86 ? 4 : 8)
		inv_put32(rest, reserves[i]);
	inv_put32(rest + 4, DIRECTORIES);
	for (size_t i = 0; i < DIRECTORIES; i++) {
		inv_put32(rest + 8 + 8 * i, b->directory[i][0]);
		inv_put32(rest + 12 + 8 * i, b->directory[i][1]);
	}
}

static void put_headers(const struct builder *b, uint8_t *h)
{
	const struct inv_user_image *image = b->image;
	uint16_t optional = image->x86 ? 0xe0 : 0xf0;
	static const uint16_t dos[] = {0x5a4d, 0x90, 3, 0, 4, 0, 0xffff, 0, 0xb8, 0, 0, 0, 0x40};
	for (size_t i = 0; i < sizeof dos / sizeof *dos; i++)
		inv_put16(h + 2 * i, dos[i]);
	inv_put32(h + 0x3c, PE_OFFSET);
	static const uint8_t stub[] = {0x0e, 0x1f, 0xba, 0x0e, 0, 0xb4, 9, 0xcd, 0x21, 0xb8, 1, 0x4c, 0xcd, 0x21};
	memcpy(h + 0x40, stub, sizeof stub);
	inv_put_text(h + 0x4e, "This program cannot be run in DOS mode.\r\r\n$");
	inv_put_text(h + PE_OFFSET, "PE");
	uint8_t *coff = h + PE_OFFSET + 4;
	inv_put16(coff, image->x86 ? 0x14c : 0x8664);
	inv_put16(coff + 2, (uint16_t)image->section_count);
	inv_put32(coff + 4, image->time_stamp);
	inv_put16(coff + 16, optional);
	inv_put16(coff + 18, image->characteristics);
	put_optional(b, coff + 20);
	for (size_t i = 0; i < image->section_count; i++) {
		const struct inv_user_section *section = &image->sections[i];
		uint8_t *s = coff + 20 + optional + 40 * i;
		memcpy(s, section->name, strnlen(section->name, 8));
		inv_put32(s + 8, section->size);
		inv_put32(s + 12, section->rva);
		inv_put32(s + 16, section->file_size);
		inv_put32(s + 20, section->file_offset);
		inv_put32(s + 36, section->characteristics);
	}
}

// The checksum of the PE specification: a sum of words with end-around carry, plus the size. The field itself is zero now.
static uint32_t checksum_of(const uint8_t *file, uint32_t size)
{
	uint64_t sum = 0;
	for (uint32_t at = 0; at < size; at += 2) {
		sum += inv_le16(file + at);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint32_t)sum + size;
}

static uint8_t *checksum_field(uint8_t *headers)
{
	return headers + PE_OFFSET + 24 + 64;
}

static void put_base(const struct inv_user_image *image, uint8_t *headers, uint64_t base)
{
	uint8_t *optional = headers + PE_OFFSET + 24;
	if (image->x86)
		inv_put32(optional + 28, (uint32_t)base);
	else
		inv_put64(optional + 24, base);
}

static void relocate(const struct inv_user_image *image, uint8_t *bytes, uint64_t delta, uint64_t base)
{
	for (size_t i = 0; i < inv_count(image->relocations); i++) {
		uint8_t *at = bytes + image->relocations[i];
		if (image->x86)
			inv_put32(at, inv_le32(at) + (uint32_t)delta);
		else
			inv_put64(at, inv_le64(at) + delta);
	}
	put_base(image, bytes, base);
}

static void choose_identity(struct builder *b)
{
	struct inv_user_image *image = b->image;
	b->random.state = hash_of(image->name, 0xcbf29ce484222325u ^ image->seed) ^ image->x86;
	image->time_stamp = 0x4a000000 + (uint32_t)inv_random_below(&b->random, 0x1c000000); // 2009 to 2024
	if (!image->subsystem)
		image->subsystem = image->dll ? INV_SUBSYSTEM_CONSOLE : INV_SUBSYSTEM_GUI;
	image->preferred = image->x86 ? (image->dll ? 0x10000000 : 0x400000) : (image->dll ? 0x180000000 : 0x140000000);
	image->characteristics = (uint16_t)((image->x86 ? 0x102 : 0x22) | (image->dll ? 0x2000 : 0));
	image->dll_characteristics = image->x86 ? 0x140 : 0x160; // moves, no execution of data, 64-bit entropy
	if (!image->code_size)
		image->code_size = 0x2000 + (uint32_t)inv_random_below(&b->random, 0x400);
}

static void lay_out(struct builder *b)
{
	struct inv_user_image *image = b->image;
	image->header_size = image->file_size = HEADERS;
	image->size = PAGE;
	add_section(b, ".text", b->text, CODE);
	add_section(b, ".rdata", b->rdata, READ);
	add_section(b, ".data", b->data, DATA);
	if (b->pdata)
		set_directory(b, DIRECTORY_EXCEPTION, image->size, length_of(b->pdata));
	add_section(b, ".pdata", b->pdata, READ);
	set_directory(b, DIRECTORY_RELOCATION, image->size, length_of(b->reloc));
	add_section(b, ".reloc", b->reloc, DISCARD);
	image->bytes = inv_alloc(image->size);
	const uint8_t *parts[] = {b->text, b->rdata, b->data, b->pdata, b->reloc};
	for (size_t i = 0, section = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i])
			memcpy(image->bytes + image->sections[section++].rva, parts[i], inv_count(parts[i]));
	put_headers(b, image->bytes);
}

void inv_user_image_build(struct inv_user_image *image)
{
	struct builder b = {.image = image};
	uint64_t base = image->base;
	choose_identity(&b);
	b.contents = contents_of(image);
	list_imports(&b);
	put_text(&b);
	image->entry = image->managed || b.contents->exports == ntdll_exports ? 0 : b.functions[1].rva;
	image->entry_call = image->entry ? image->entry + first_call(image) : 0;
	b.rdata_rva = PAGE + round_up(length_of(b.text), PAGE);
	reserve_iat(&b);
	put_imports(&b);
	put_exports(&b);
	put_debug(&b);
	if (image->managed)
		put_managed(&b);
	put_unwind(&b);
	b.data_rva = b.rdata_rva + round_up(length_of(b.rdata), PAGE);
	resolve(&b);
	put_data(&b);
	put_relocations(&b);
	lay_out(&b);
	image->base = image->preferred;
	uint8_t *file = inv_user_image_file(image);
	image->checksum = checksum_of(file, image->file_size);
	free(file);
	inv_put32(checksum_field(image->bytes), image->checksum);
	if (base)
		inv_user_image_move(image, base);
	uint8_t *const scratch[] = {b.text, b.rdata, b.data, b.pdata, b.reloc};
	for (size_t i = 0; i < sizeof scratch / sizeof *scratch; i++) {
		uint8_t *bytes = scratch[i];
		inv_array_free(bytes);
	}
	inv_array_free(b.references);
	inv_array_free(b.functions);
}

void inv_user_image_clear(struct inv_user_image *image)
{
	free(image->bytes);
	image->bytes = NULL;
	inv_array_free(image->exports);
	inv_array_free(image->imports);
	inv_array_free(image->relocations);
}

void inv_user_image_move(struct inv_user_image *image, uint64_t base)
{
	relocate(image, image->bytes, base - image->base, base);
	image->base = base;
}

uint8_t *inv_user_image_file(const struct inv_user_image *image)
{
	uint8_t *mapped = inv_alloc(image->size), *file = inv_alloc(image->file_size);
	memcpy(mapped, image->bytes, image->size);
	relocate(image, mapped, image->preferred - image->base, image->preferred);
	memcpy(file, mapped, image->header_size);
	for (size_t i = 0; i < image->section_count; i++)
		memcpy(file + image->sections[i].file_offset, mapped + image->sections[i].rva, image->sections[i].size);
	free(mapped);
	return file;
}

const struct inv_user_export *inv_user_image_export(const struct inv_user_image *image, const char *name)
{
	for (size_t i = 0; i < inv_count(image->exports); i++)
		if (strcmp(image->exports[i].name, name) == 0)
			return &image->exports[i];
	return NULL;
}

const struct inv_user_section *inv_user_image_section(const struct inv_user_image *image, uint32_t rva)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (rva >= image->sections[i].rva && rva - image->sections[i].rva < round_up(image->sections[i].size, PAGE))
			return &image->sections[i];
	return NULL;
}
