// SPDX-License-Identifier: Apache-2.0
// What a process says of itself in user mode: PEB, process parameters, the loader's lists. All of it is the process' own to write.
#ifndef INV_NT_PEB_H
#define INV_NT_PEB_H

#include "nt/user.h"

enum inv_loader_list { INV_LOAD_ORDER, INV_MEMORY_ORDER, INV_INITIALIZATION_ORDER, INV_LOADER_LISTS };
const char *inv_loader_list_name(enum inv_loader_list list); // "load", "memory", "initialization"

// LDR_DATA_TABLE_ENTRY, by its address once for all three lists.
struct inv_loaded {
	uint64_t address;
	unsigned lists; // bits of enum inv_loader_list on which it stands
	bool narrow;    // of the 32-bit loader
	struct inv_value base, size, entry, time_stamp;
	const char *path, *name; // UTF-8, "" when unreadable
	struct inv_value path_value, name_value;
};

struct inv_text {
	const char *text;                         // UTF-8, as far as readable
	struct inv_value length, maximum, buffer; // of the UNICODE_STRING
	bool ok;                                  // all of it was read
};

// The 64-bit PEB, or of a WOW64 process also the 32-bit one.
struct inv_peb {
	uint64_t address; // 0: none
	bool narrow;
	struct inv_value image_base, ldr, parameters, being_debugged, session;
	struct inv_text image_path, command_line, current_directory;
	struct inv_value parameters_length, parameters_maximum;
	struct inv_loaded *modules;                // stb_ds; in load order, then those that stand on other lists only
	bool closed[INV_LOADER_LISTS];             // that list was read to its end and closes
	struct inv_value broken[INV_LOADER_LISTS]; // where it could not be followed
};
#define INV_LOADED_BOUND 16384u

// `arena` keeps the texts. Release with inv_peb_free(). Never fails: a value that could not be read says why.
void inv_peb_read(const struct inv_user *user, uint64_t peb, bool narrow, struct inv_arena *arena,
                  struct inv_peb *result);
// The same without the loader's lists.
void inv_peb_read_parameters(const struct inv_user *user, uint64_t peb, bool narrow, struct inv_arena *arena,
                             struct inv_peb *result);
void inv_peb_free(struct inv_peb *peb);
// The 32-bit PEB of a WOW64 process: EWOW64PROCESS.Peb, or EPROCESS.WoW64Process itself before Windows 10. 0 and ok: it is none.
struct inv_value inv_process_peb32(const struct inv_kernel *kernel, uint64_t process);

#endif
