// SPDX-License-Identifier: Apache-2.0
// What a process keeps of itself in user memory: PEB, process parameters, the loader's lists, a heap that they stand in. A WOW64
// process keeps all of it twice, the second time in the structures of the 32-bit kernel of its build.
#ifndef INV_FORGE_PEB_H
#define INV_FORGE_PEB_H

#include "forge/user.h"

// The lists of PEB_LDR_DATA.
#define INV_LDR_LOAD 1u
#define INV_LDR_MEMORY 2u
#define INV_LDR_INITIALIZATION 4u
#define INV_LDR_ALL 7u

// A module as the loader of a process knows it.
struct inv_forge_loaded {
	const char *path; // "\Device\HarddiskVolume3\Windows\System32\ntdll.dll"
	uint64_t base;
	uint32_t size, entry, time_stamp; // entry: RVA, 0: none
	bool x86;                         // of the 32-bit loader of a WOW64 process
	unsigned lists;                   // that it stands on
	uint64_t address;                 // LDR_DATA_TABLE_ENTRY
	const char *name;                 // FullDllName as it stands there
};

// User mode of one width.
struct inv_forge_half {
	const struct inv_layout *layout; // NULL: the process has no such half
	unsigned pointer;                // bytes
	uint64_t peb, ldr, parameters;   // ldr 0: the loader has not run yet
	uint64_t heap, heap_next, heap_mapped;
};

struct inv_forge_user {
	struct inv_forge_half half[2];    // [1]: 32-bit, of WOW64
	struct inv_forge_loaded *modules; // stb_ds, by order of loading
	const char *image_path;           // as in the parameters: "C:\Windows\System32\cmd.exe"
	const char *command_line;
	uint64_t next; // where small ranges are put, rising
};

// False while it is created: the loader, which makes the lists and maps all but ntdll, runs in the first thread.
bool inv_machine_has_run(const struct inv_forge_process *process);
// PEB.KernelCallbackTable of a process that has user32, once win32k knows it.
void inv_machine_give_window_routines(struct inv_machine *machine, struct inv_forge_process *process);
void inv_forge_user_free(struct inv_forge_user *user); // NULL is allowed

// A path as programs see it: \Device\HarddiskVolume3\ is C:\, 4 is D:\ and so on; \Device\Mup\ is \\. In the arena.
const char *inv_forge_dos_path(struct inv_arena *arena, const char *path);

// A private range of `size` bytes near the PEB, of which the first `mapped` have pages; its address. It may be anywhere when there
// is no room left.
uint64_t inv_machine_take_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t size,
                               uint64_t mapped);
// A field of a structure of one half. Fields that its layout lacks are left out.
void inv_machine_put_half(struct inv_machine *machine, const struct inv_forge_process *process,
                          const struct inv_forge_half *half, uint64_t object, enum inv_field field, uint64_t value);

// The loader enters a module that is mapped, on these lists. NULL: the process has no loader, or its heap is full.
struct inv_forge_loaded *inv_machine_load_module(struct inv_machine *machine, struct inv_forge_process *process,
                                                 const struct inv_forge_user_module *module, unsigned lists);
// Puts it on lists that it is not on, and takes it off those that it is on: off what is not in `lists`.
void inv_machine_link_module(struct inv_machine *machine, struct inv_forge_process *process,
                             struct inv_forge_loaded *module, unsigned lists);
// LdrUnloadDll, but for the view: off all lists, and the loader knows it no more.
void inv_machine_unload_module(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base);
// Writes both names of an entry anew; `name` as programs see it.
void inv_machine_rename_module(struct inv_machine *machine, struct inv_forge_process *process,
                               struct inv_forge_loaded *module, const char *name);
// By base, or by name (the last part of the path, whatever the case). NULL: none.
struct inv_forge_loaded *inv_machine_loaded_at(const struct inv_forge_process *process, uint64_t base);
struct inv_forge_loaded *inv_machine_loaded_named(const struct inv_forge_process *process, const char *name);

// Writes ImagePathName or CommandLine of the parameters anew, in every half: over the old text if there is room, else on the heap.
// NULL: stays.
void inv_machine_put_parameters(struct inv_machine *machine, struct inv_forge_process *process, const char *image_path,
                                const char *command_line);

#endif
