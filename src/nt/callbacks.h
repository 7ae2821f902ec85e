// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel to be told of, or asked about, what processes do, and the tables through which the kernel
// calls other modules. EX_CALLBACK_ROUTINE_BLOCK, the entries of CallbackListHead and of OBJECT_TYPE.CallbackList, and
// UNLOADED_DRIVERS are in no symbol table: their layout, the bits of PspNotifyEnableMask and the order in which slot, count and bit
// are written are public practice (Volatility 3, WinObjEx64, EDRSandblast; the same for every build that they know). That the three
// arrays have 64 slots is what the symbol tables of all 200 kernels leave room for.
#ifndef INV_NT_CALLBACKS_H
#define INV_NT_CALLBACKS_H

#include "kernel/list.h"
#include "nt/object.h"

enum inv_callback_kind {
	INV_CALLBACK_PROCESS,        // PspCreateProcessNotifyRoutine
	INV_CALLBACK_THREAD,         // PspCreateThreadNotifyRoutine
	INV_CALLBACK_IMAGE,          // PspLoadImageNotifyRoutine
	INV_CALLBACK_REGISTRY,       // CallbackListHead
	INV_CALLBACK_OBJECT,         // OBJECT_TYPE.CallbackList
	INV_CALLBACK_CODE_INTEGRITY, // SeCiCallbacks
	INV_CALLBACK_WIN32,          // PsWin32CallBack
	INV_CALLBACK_PICO,           // PspPicoProviderRoutines
	INV_CALLBACK_METHOD,         // OBJECT_TYPE.TypeInfo
	// What is told of other things than processes (nt/observers.h).
	INV_CALLBACK_BUG_CHECK,        // KeBugCheckCallbackListHead
	INV_CALLBACK_BUG_CHECK_REASON, // KeBugCheckReasonCallbackListHead
	INV_CALLBACK_BUG_CHECK_PAGES,  // KeBugCheckAddRemovePagesCallbackListHead
	INV_CALLBACK_SHUTDOWN,         // IopNotifyShutdownQueueHead
	INV_CALLBACK_LAST_SHUTDOWN,    // IopNotifyLastChanceShutdownQueueHead
	INV_CALLBACK_FILE_SYSTEM,      // IopFsNotifyChangeQueueHead
	INV_CALLBACK_DEBUG_PRINT,      // RtlpDebugPrintCallbackList
	INV_CALLBACK_PROFILE,          // PnpProfileNotifyList
	INV_CALLBACK_DEVICE_CLASS,     // PnpDeviceClassNotifyList
	INV_CALLBACK_SOFT_RESTART,     // PnpKsrNotifyList
	INV_CALLBACK_KINDS,
};
#define INV_CALLBACK_ARRAYS 3u
const char *inv_callback_kind_name(enum inv_callback_kind kind); // "process", "code integrity", ...

// How the code of a routine begins.
enum inv_code_start {
	INV_CODE_UNREAD,
	INV_CODE_PLAIN,
	INV_CODE_RETURNS, // it does nothing
	INV_CODE_JUMPS,   // to `target`
};
#define INV_CODE_BYTES 32u
struct inv_routine_code {
	enum inv_code_start start;
	uint64_t target;
	uint8_t bytes[INV_CODE_BYTES];
	size_t size;        // bytes that were read
	struct inv_why why; // of INV_CODE_UNREAD
};
// What `size` bytes of code at this address begin with, but for marks and fillers that do nothing; the place to which an indirect
// jump leads is read from memory.
void inv_routine_code_read(const struct inv_kernel *kernel, uint64_t address, struct inv_routine_code *code);

// A driver that was unloaded (MmUnloadedDrivers, a ring of 50).
struct inv_unloaded {
	const char *name;
	uint64_t start, end;
	uint64_t time; // FILETIME
	uint64_t at;
};

struct inv_callback {
	enum inv_callback_kind kind;
	unsigned slot;            // of its array or table, or its number on its list, from 0 on
	uint64_t at;              // of the slot or entry
	struct inv_value routine; // !ok: the slot is used, and what it leads to could not be read
	bool after;               // of an object callback: it is called when the handle has been made
	bool extended;            // of a process: may refuse; of a thread: not of the system's
	const char *altitude;     // NULL: it has none, or it could not be read
	struct inv_value enabled; // of an object callback
	uint64_t type;            // OBJECT_TYPE; 0: none
	const char *name;   // of the type or method, or of who registered an observer, by the entry itself; NULL: none
	const char *detail; // of an observer: what it is told of; NULL: its kind says it all
	const char *note;   // of an observer: why the kernel does not call it as it stands; NULL: nothing speaks against it
	enum inv_field method;
	const struct inv_module *module; // NULL: none that is loaded
	size_t unloaded;                 // index + 1 of the driver that stood there; 0: none
	struct inv_routine_code code;
};
// Can it refuse what it is told of? Of tables that the kernel calls: it decides.
bool inv_callback_can_block(const struct inv_callback *callback);

// One of the three arrays.
struct inv_callback_array {
	const char *name;         // "PspCreateProcessNotifyRoutine"
	struct inv_value address; // !ok: no symbol
	size_t read, used;        // slots
	size_t gaps;              // slots that are free before the last used one
	struct inv_why why;       // of the first slot that could not be read
	const char *count_names[2];
	struct inv_value counts[2]; // the second, of the other variety, is 0 where the kernel has none
	bool has_second;
	unsigned bits[2]; // of PspNotifyEnableMask
};

#define INV_TYPE_METHODS 8u
struct inv_watched_type {
	uint64_t address;
	uint64_t slot; // in ObTypeIndexTable
	unsigned index;
	struct inv_value own_index, supports;
	const char *name; // "" if it could not be read
	struct inv_value methods[INV_TYPE_METHODS];
	struct inv_list list; // CallbackList
};

// An entry that stands beside those of the same call of ObRegisterCallbacks, names its type, and is not on that type's list. (That
// they stand in one block with their registration is public practice.)
struct inv_stray {
	uint64_t entry, registration, type, beside;
	const char *name; // of the type
	const struct inv_module *module;
};

// The provider of events by which the kernel tells what processes do to each other.
struct inv_threat_provider {
	struct inv_value handle; // EtwThreatIntProvRegHandle
	struct inv_value registration, entry, mask, enabled;
	bool known_guid;           // the entry is of that provider
	struct inv_value guid;     // its first eight bytes
	unsigned sessions;         // that have it enabled
	struct inv_value listener; // the first of them
};

// A list of observers.
struct inv_observer_list {
	enum inv_callback_kind kind;
	const char *name;
	struct inv_value head; // !ok: the symbols are not known
	bool unset;            // zeros stand where its head should
	struct inv_list list;
};

struct inv_callbacks {
	struct inv_arena *arena;
	struct inv_callback *callbacks;      // stb_ds, by kind, then as they are called
	struct inv_observer_list *observers; // stb_ds; none before inv_observers_read()
	struct inv_callback_array arrays[INV_CALLBACK_ARRAYS];
	struct inv_value mask; // PspNotifyEnableMask
	struct inv_value registry_head, registry_count;
	struct inv_list registry;
	struct inv_watched_type *types;               // stb_ds, by index
	struct inv_value types_why;                   // !ok: the table or its next entry could not be read
	struct inv_stray *strays;                     // stb_ds
	struct inv_value code_integrity, win32, pico; // address of the table or slot
	struct inv_value code_integrity_size, pico_size;
	const char *code_integrity_odd, *pico_odd; // why the table cannot be what is known of it; NULL: it can
	struct inv_unloaded *unloaded;             // stb_ds
	struct inv_value unloaded_why;
	struct inv_threat_provider threat;
};
// Never fails: what could not be read says why. Texts live in `arena`.
void inv_callbacks_read(const struct inv_kernel *kernel, struct inv_arena *arena, struct inv_callbacks *callbacks);
// One more; its module, who stood there before, and its code are looked up.
void inv_callbacks_add(const struct inv_kernel *kernel, struct inv_callbacks *callbacks, struct inv_callback callback);
// The same of one that is not registered: looked up, and not added.
void inv_callbacks_look_up(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                           struct inv_callback *callback);
void inv_callbacks_free(struct inv_callbacks *callbacks);

// Kinds that a module imports a registering function of the kernel for, by bits 1 << enum inv_callback_kind. Not ok: the headers or
// the import directory could not be read; a driver may give that up after its start.
struct inv_value inv_callback_imports(const struct inv_kernel *kernel, const struct inv_module *module);

#endif
