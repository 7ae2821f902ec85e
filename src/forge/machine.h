// SPDX-License-Identifier: Apache-2.0
// The description of the forged machine: its kernel, modules, CPUs, processes and threads, all written through the layout of
// the kernel's facts. Everything is laid out at once when it is made; later operations change memory as Windows would (or as
// an attacker would), so that memory is at each moment that of a running machine.
#ifndef INV_FORGE_MACHINE_H
#define INV_FORGE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "base/memory.h"
#include "facts/facts.h"
#include "forge/memory.h"
#include "forge/paging.h"
#include "forge/pe.h"
#include "forge/random.h"
#include "forge/token.h"

#define INV_FORGE_MAX_CPUS 64u // one processor group
#define INV_FORGE_MAX_PROCESSES 65536u
#define INV_FORGE_MAX_THREADS 1048576u
#define INV_FORGE_MAX_ID 0x2000000u     // PIDs and TIDs stay beneath: every thread can have one, eighteen apart
#define INV_FORGE_MAX_HANDLE 0x4000000u // handles stay beneath: 2^24 entries
#define INV_FORGE_KDBG_MAX 0x380u
#define INV_FORGE_MAX_TYPES 32u // indices of object types stay beneath
#define INV_FORGE_OWN_PAGES 3u  // at own_rva: debug record, exports

// What a scenario may wish; negative or zero: the default.
struct inv_machine_config {
	const struct inv_kernel_facts *facts;
	uint64_t seed;
	uint64_t memory;
	unsigned cpus;
	unsigned levels;
	int encoded_kdbg; // 1, 0; -1: as Windows does (8 and later: encoded in memory, plain in crash dumps)
	int large_pages;  // 1: the kernel stands in pages of 2 MiB; 0: of 4 KiB; -1: the seed decides
	bool kva_shadow;  // every process with a user half has a second root without the kernel
	// Optional headers that every object has. INV_HEADER_CREATOR: the system keeps lists of all objects of each type
	// (FLG_MAINTAIN_OBJECT_TYPELIST).
	unsigned object_headers;
	uint64_t system_time; // FILETIME of the image
	uint64_t up_time;     // 100 ns
};

// A range of kernel addresses from which memory is handed out upwards; pages are mapped as they are reached.
struct inv_region {
	uint64_t next, end, mapped; // virtual
	uint64_t flags;             // of the PTEs
};

// The list of the dispatcher that a thread stands on.
struct inv_forge_queue {
	uint64_t head;   // 0: none
	uint64_t object; // whose summary has a bit for this list; 0: no summary
	enum inv_field summary;
	unsigned priority;
	bool single; // linked one way, by KTHREAD.SwapListEntry
};

struct inv_forge_thread {
	struct inv_forge_process *process; // the true one
	uint64_t address;                  // ETHREAD
	uint64_t tid;
	uint64_t created;
	uint64_t stack_base, stack_limit;
	uint64_t start, win32_start; // of a kernel thread they are the same
	uint64_t teb;
	uint64_t user_stack_base, user_stack_limit; // as in the TEB
	uint64_t own_stacks[2];                     // reservations that end with it: its stack, that of WOW64; 0: none
	uint64_t rip, rsp;                          // where it left user mode
	uint64_t exited;
	uint64_t win32; // THREADINFO; 0: none
	struct inv_forge_queue queue;
	bool idle;
	bool dispatched; // put on a list of the dispatcher, or taken off: what stands there stays
	bool ended;      // terminated: on the executive's list alone
	bool deleted;    // only its remains are in memory
};

struct inv_forge_handle {
	uint64_t value;
	uint64_t object; // the body it leads to
	uint32_t access;
};

struct inv_forge_area; // of section.h, as the next
struct inv_forge_file;
struct inv_forge_user_module;
struct inv_forge_hive; // of registry.h, as the next
struct inv_forge_kcb;
struct inv_forge_client; // of csrss.h, as the next
struct inv_forge_csr;

// A range of user addresses that a VAD describes.
struct inv_forge_vad {
	uint64_t start, end;         // from a page to behind the last
	uint64_t address;            // MMVAD_SHORT or, of a view, MMVAD; 0: this kernel's are not known
	unsigned protection;         // as in its flags
	bool committed;              // of private memory: all of it, when it was allocated
	uint8_t type;                // MI_VAD_TYPE of private memory: INV_VAD_..., 0: the usual
	struct inv_forge_area *area; // NULL: private memory
	uint32_t first;              // page of the area that stands at the start
};

// Section object of a process, which clones share.
struct inv_forge_process_section {
	uint64_t object;
	struct inv_forge_area *area;
	unsigned references;
};

struct inv_forge_device {
	const char *name; // "HarddiskVolume3"
	uint64_t address; // DEVICE_OBJECT
};

// The full name of an object, by its body.
struct inv_forge_called {
	uint64_t key;
	const char *value;
};

struct inv_forge_file_entry {
	char *key; // path
	struct inv_forge_file *value;
};

// Where creation or deletion of a process stopped: the states of its life-time automaton.
enum inv_forge_stage {
	INV_STAGE_WHOLE, // runs, or is a zombie
	INV_STAGE_C0,    // has an address space, no identifier
	INV_STAGE_C1,    // has an identifier
	INV_STAGE_C2,    // is on the active list
	INV_STAGE_C3,    // inserted, no thread yet
	INV_STAGE_D1,    // last reference gone, off the active list
	INV_STAGE_D2,    // off the memory manager's lists too
};

struct inv_forge_process {
	uint64_t address; // EPROCESS
	uint64_t pid, parent;
	uint64_t parent_object; // the process that its PID of the parent meant when it was created; 0: not known
	uint64_t creator;       // PID of who asked for it: the parent, but where that was named in place of the creator
	uint64_t dtb;
	uint64_t user_dtb; // the root of user mode under KVA shadow; 0: none
	uint64_t created, exited;
	uint64_t sequence;
	uint64_t peb, image_base;
	uint64_t handle_table;                 // 0 after the exit
	struct inv_forge_handle *handles;      // stb_ds
	uint64_t *free_handles;                // stb_ds; values that are free, the next at the end
	uint64_t handle_end;                   // entries of the table, free ones too
	struct inv_forge_vad *vads;            // stb_ds, by address; none after the exit
	struct inv_forge_user_module *modules; // stb_ds, in the order of loading; none after the exit
	struct inv_forge_file *program;        // NULL: it runs no image
	struct inv_forge_process_section
	    *section; // what EPROCESS.SectionObject points to; NULL: nothing of the forge's own
	const char *name;
	const char *path;
	const char *command_line; // NULL: the default
	struct inv_maps maps;
	struct inv_forge_thread **threads; // stb_ds
	struct inv_forge_session *session; // NULL: none
	enum inv_forge_stage stage;
	bool zombie, minimal, system, idle, gui, wow64;
	bool deleted;                    // only its remains are in memory
	bool not_run;                    // its first thread has not run: the loader has not begun
	unsigned tebs;                   // handed out so far
	struct inv_forge_user *user;     // what stands in its user half (peb.h); NULL: none
	unsigned more_modules;           // DLLs beside those of every process
	struct inv_forge_client *client; // what its session's csrss knows of it (csrss.h); NULL: nothing
	bool unregistered;               // csrss is not told of it
	unsigned subsystem;              // of its program's header, if it was wished for; 0: by its session
	uint64_t win32, dxg;             // W32PROCESS, DXGPROCESS; 0: none
};

struct inv_forge_session {
	uint32_t id;
	uint64_t address;      // the session's object
	uint64_t head;         // of its process list
	struct inv_maps space; // its own memory, one level beneath the roots of its processes (win32k.c); root 0: none yet
	uint64_t next, mapped; // where its next block of pool goes
	uint64_t first_win32;  // the W32PROCESS that was made last
	bool desktops;         // it has some
};

struct inv_forge_desktop {
	uint64_t address; // tagDESKTOP
	uint64_t station; // tagWINDOWSTATION
	uint32_t session;
	const char *name;
};

struct inv_forge_module {
	const char *name; // "Ntfs.sys"
	const char *path;
	uint64_t base;
	uint32_t size;
	uint32_t time_stamp, checksum;
	uint64_t entry_point; // RVA of code that threads may start at
	uint64_t entry;       // LDR_DATA_TABLE_ENTRY
	uint64_t routines;    // address of the next routine that it registers with the kernel
	uint64_t driver;      // DRIVER_OBJECT; 0: none yet
	uint64_t device;      // the one of the driver
	uint64_t shuts_down;  // the routine for IRP_MJ_SHUTDOWN; 0: none yet
};

// What somebody registered with the kernel to be told of, or asked about, what processes do (callbacks.c).
enum inv_forge_watch {
	INV_WATCH_PROCESS,    // PsSetCreateProcessNotifyRoutine
	INV_WATCH_PROCESS_EX, // PsSetCreateProcessNotifyRoutineEx
	INV_WATCH_THREAD,
	INV_WATCH_THREAD_OTHER, // PsSetCreateThreadNotifyRoutineEx, of threads that are not the system's
	INV_WATCH_IMAGE,
	INV_WATCH_REGISTRY,
	INV_WATCH_OBJECT,
	INV_WATCH_CODE_INTEGRITY, // an entry of SeCiCallbacks
	INV_WATCH_WIN32,          // PsWin32CallBack
	INV_WATCH_PICO,           // an entry of PspPicoProviderRoutines
	INV_WATCH_TYPE,           // a method of an object type
	// What else the kernel tells of (observers.c).
	INV_WATCH_BUG_CHECK,
	INV_WATCH_BUG_CHECK_REASON,
	INV_WATCH_BUG_CHECK_PAGES,
	INV_WATCH_SHUTDOWN,
	INV_WATCH_LAST_SHUTDOWN,
	INV_WATCH_FILE_SYSTEM,
	INV_WATCH_DEBUG_PRINT,
	INV_WATCH_PROFILE,
	INV_WATCH_DEVICE_CLASS,
	INV_WATCH_SOFT_RESTART,
	INV_WATCH_TARGET_DEVICE, // on the list of a device alone
	INV_WATCH_OTHER_SLOT,    // a slot of the kernel's that is none of the arrays: of priorities, of debuggers
};
struct inv_forge_watcher {
	enum inv_forge_watch kind;
	uint64_t at;      // slot of an array or table, or the entry of a list
	uint64_t block;   // what holds the pointer to the routine; of an object callback: what was registered
	uint64_t routine; // that is called first
	uint64_t pointer; // where the pointer to it stands
	const char *module;
	const char *altitude;    // NULL: it has none
	const char *object_type; // NULL: none
	const char *owner;       // by what the registration itself says; NULL: it says nothing
	bool silenced;           // somebody took it out of its slot or off its list
};

struct inv_forge_cpu {
	uint64_t pcr, prcb;
	uint64_t scb; // KSCB of the one scheduling group, 0: none yet
	struct inv_forge_thread *idle;
	struct inv_forge_thread *current;
	bool chosen; // a scenario said what runs here
};

// A value of the crash header that a scenario forges; see write_crash.c.
struct inv_forge_claim {
	const char *name;
	uint64_t value;
};

struct inv_forge_attack {
	const char *name;
	uint64_t object;      // address of what it was done to; 0: the machine
	uint64_t process;     // address, 0 if none
	const char **breaks;  // stb_ds
	const char **excused; // stb_ds
};

// What stands at an address: a process or a thread, the other is NULL.
struct inv_forge_place {
	uint64_t key;
	struct inv_forge_process *process;
	struct inv_forge_thread *thread;
};

// Optional headers, by their bits in OBJECT_HEADER.InfoMask.
#define INV_HEADER_CREATOR 0x01u
#define INV_HEADER_NAME 0x02u
#define INV_HEADER_HANDLE 0x04u
#define INV_HEADER_QUOTA 0x08u
#define INV_HEADER_PROCESS 0x10u
#define INV_HEADER_ALL 0x1fu
#define INV_HEADER_SINGLE_ENTRY 0x40u // of OBJECT_HEADER.Flags

// The pool block of an object, by the object's body.
struct inv_forge_block {
	uint64_t key, value;
};

// A frame that has its entry in the PFN database.
struct inv_pfn_known {
	uint64_t key;
};

struct inv_machine {
	struct inv_machine_config config;
	const struct inv_kernel_facts *facts;
	const struct inv_layout *layout;
	struct inv_random random;
	struct inv_arena *arena;
	struct inv_ram *ram;
	struct inv_maps maps; // System's
	unsigned self_slot;
	uint64_t fault_address;

	struct inv_region pool, paged, stacks;
	uint64_t low_stub; // physical
	uint64_t pfn_database;
	uint64_t pfn_frames;             // physical: what holds the database
	struct inv_pfn_known *pfn_known; // stb_ds map

	uint64_t base;
	uint32_t size; // SizeOfImage
	struct inv_forge_section section[INV_PE_MAX_SECTIONS];
	size_t section_count;
	uint32_t own_rva;  // read-only data of the forge's own making inside the kernel image
	uint32_t code_rva; // its code
	uint32_t data_rva; // writable bytes that no symbol owns

	uint64_t kdbg; // address of KDDEBUGGER_DATA64
	uint8_t kdbg_plain[INV_FORGE_KDBG_MAX];
	uint32_t kdbg_size;

	uint64_t system_time, boot_time;
	uint64_t clock; // CreateTime of the next process or thread
	uint64_t next_id;
	uint64_t *freed_ids;   // stb_ds: identifiers that were given back, the oldest first
	size_t first_freed_id; // the next of them
	bool *given_ids;       // stb_ds, by a quarter of the identifier: handed out and not given back
	uint64_t sequence;
	uint64_t process_type, thread_type, token_type, job_type; // OBJECT_TYPE
	uint64_t types[INV_FORGE_MAX_TYPES];                      // the same and all others, by index
	uint32_t process_objects, thread_objects, token_objects, job_objects;
	uint64_t cid_table;                                           // HANDLE_TABLE
	uint64_t cid_pages[INV_FORGE_MAX_ID / 4 / 256];               // tables of 256 entries, 0: none yet
	uint64_t error_port;                                          // what ExceptionPortData of Win32 processes points at
	uint64_t mm_process_head, ki_process_head, handle_table_head; // 0: not known for this kernel
	uint64_t big_table;                                           // PoolBigPageTable, 0: not known for this kernel
	uint64_t shared_ready_queue;                                  // KSHARED_READY_QUEUE of all CPUs, 0: none

	struct inv_forge_module *modules;        // stb_ds
	uint64_t driver_end;                     // where the next driver may stand
	struct inv_forge_watcher *watchers;      // stb_ds, in the order of registration
	struct inv_forge_watcher *past_watchers; // stb_ds: those that were taken back
	uint64_t invalid_request;                // the kernel's routine for what a driver does not serve; 0: none yet
	uint64_t device_notify;                  // the list of those told of one device; 0: none yet
	unsigned other_slots;
	uint64_t unloaded_drivers; // MM_UNLOADED_DRIVERS
	unsigned unloaded_count;
	uint64_t threat_provider;             // ETW_GUID_ENTRY of the threat intelligence provider; 0: this kernel has none
	struct inv_forge_session **sessions;  // stb_ds
	struct inv_forge_csr **csrs;          // stb_ds
	struct inv_forge_desktop *desktops;   // stb_ds
	struct inv_forge_process **processes; // stb_ds; [0] Idle, [1] System
	size_t thread_count;
	struct inv_forge_place *places; // stb_ds map: every process and thread by its address
	struct inv_forge_cpu cpu[INV_FORGE_MAX_CPUS];
	unsigned cpu_count;

	uint64_t luid;                  // the next; 0: none was handed out yet
	uint64_t logon_table;           // *SepLogonSessions
	struct inv_forge_logon *logons; // stb_ds
	struct inv_forge_token *tokens; // stb_ds map

	struct inv_forge_claim *claims;     // stb_ds
	struct inv_forge_block *blocks;     // stb_ds map
	struct inv_forge_attack *attacks;   // stb_ds
	struct inv_forge_file_entry *files; // stb_ds map
	struct inv_forge_area **areas;      // stb_ds: all control areas
	struct inv_forge_device *devices;   // stb_ds
	uint64_t device_directory;          // \Device, 0: none yet
	struct inv_forge_hive **hives;      // stb_ds
	struct inv_forge_kcb *kcbs;         // stb_ds map
	struct inv_forge_called *names;     // stb_ds map
	uint64_t dll_top[2];                // where the last DLL was placed, of x64 and of x86; 0: none yet
	uint64_t store_file;                // MMPAGING_FILE of the compressed store; 0: none yet
	uint64_t *attacked;                 // stb_ds: addresses of processes that somebody lied about
	const char **excused;               // stb_ds; without an attack

	struct inv_forge_backlink *backlinks; // stb_ds; see backlinks.h

	uint16_t build;
	uint8_t cookie; // the low byte of ObHeaderCookie
	bool fault;     // something was written where nothing is mapped: a fault of the forge
	bool large_pages;
	bool clean;
	bool live; // memory is acquired while the machine runs
};

// Boots: kernel, page tables, CPUs, Idle, System. NULL only if `config` cannot be had (INV_E_USAGE).
INV_MUST_USE struct inv_machine *inv_machine_new(const struct inv_machine_config *config, struct inv_error *error);
void inv_machine_free(struct inv_machine *machine); // NULL is allowed
// Fails if memory ran out or the forge wrote where nothing is.
INV_MUST_USE enum inv_code inv_machine_check(const struct inv_machine *machine, struct inv_error *error);

// -- memory by virtual address (place.c) ------------------------------------------------------------------------------------
void inv_machine_write(struct inv_machine *machine, uint64_t address, const void *bytes, size_t size);
bool inv_machine_read(const struct inv_machine *machine, uint64_t address, void *buffer, size_t size);
bool inv_machine_read_through(const struct inv_machine *machine, const struct inv_maps *maps, uint64_t address,
                              void *buffer, size_t size);
void inv_machine_put64(struct inv_machine *machine, uint64_t address, uint64_t value);
uint64_t inv_machine_get64(const struct inv_machine *machine, uint64_t address);

// Fields by the kernel's layout. Putting a field that the layout lacks does nothing; getting it gives 0.
bool inv_machine_has(const struct inv_machine *machine, enum inv_field field);
uint64_t inv_machine_at(const struct inv_machine *machine, uint64_t object,
                        enum inv_field field); // address of the field
void inv_machine_put(struct inv_machine *machine, uint64_t object, enum inv_field field, uint64_t value);
uint64_t inv_machine_get(const struct inv_machine *machine, uint64_t object, enum inv_field field);
unsigned inv_machine_width(const struct inv_machine *machine, enum inv_field field); // bytes; 0: a structure
uint32_t inv_machine_size(const struct inv_machine *machine, enum inv_type type, uint32_t fallback);
uint64_t inv_machine_symbol(const struct inv_machine *machine, enum inv_symbol symbol); // address, 0: none

// Doubly linked lists of kernel memory.
void inv_machine_list_init(struct inv_machine *machine, uint64_t head);
void inv_machine_list_append(struct inv_machine *machine, uint64_t head, uint64_t entry);
void inv_machine_list_remove(struct inv_machine *machine, uint64_t entry); // the entry keeps its links, as after DKOM

// -- allocation (region.c) --------------------------------------------------------------------------------------------------
void inv_region_init(struct inv_machine *machine, struct inv_region *region, uint64_t start, uint64_t size,
                     uint64_t flags);
// `size` bytes at a multiple of `align`; what fits in a page never crosses one, as in the pool of Windows.
uint64_t inv_region_take(struct inv_machine *machine, struct inv_region *region, uint64_t size, uint64_t align);
// An object of the object manager with pool header and object header; the address of its body. `type_index` is encoded as
// the build does.
uint64_t inv_machine_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index);
enum inv_forge_type {
	INV_FORGE_TOKEN = 5,
	INV_FORGE_JOB = 6,
	INV_FORGE_PROCESS = 7,
	INV_FORGE_THREAD = 8,
	INV_FORGE_SECTION = 9, // the forge's own choice from here on: these indices differ between builds
	INV_FORGE_FILE = 10,
	INV_FORGE_PORT = 11,
	INV_FORGE_DEBUG = 12,
	INV_FORGE_EVENT = 13, // from here on: made with the first object of the type
	INV_FORGE_MUTANT = 14,
	INV_FORGE_KEY = 15,
	INV_FORGE_DEVICE = 22, // made with the first driver that registers something (observers.c)
	INV_FORGE_DRIVER = 23,
	INV_FORGE_TIMER = 24, // likewise (backlinks.c)
	INV_FORGE_REGISTRATION = 25,
	INV_FORGE_WINDOW_STATION = 28, // made with the first GUI thread
	INV_FORGE_DESKTOP = 29,
};
// The same with these optional headers, beside those that every object of the machine has. `name` goes into NAME_INFO; NULL: none.
uint64_t inv_machine_named_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index,
                                  unsigned mask, const char *name);
// The bytes of the optional headers of this InfoMask.
uint32_t inv_machine_optional_size(const struct inv_machine *machine, unsigned mask);
// The directory that a named object stands in.
void inv_machine_put_directory(struct inv_machine *machine, uint64_t object, uint64_t directory);
// Notes the full name of an object for the truth; `name` lives as long as the machine.
void inv_machine_call(struct inv_machine *machine, uint64_t object, const char *name);
const char *inv_machine_called(const struct inv_machine *machine, uint64_t object); // NULL: none was noted
// Does the type have TypeInfo.MaintainHandleCount? (Of files so in ReactOS and on tools' screens; of desktops and window stations not
// verified.)
bool inv_forge_counts_handles(uint8_t type_index);
// The OBJECT_HEADER_HANDLE_INFO of an object; 0: it has none.
uint64_t inv_machine_handle_info(const struct inv_machine *machine, uint64_t object);
// The OBJECT_HANDLE_COUNT_ENTRY that an object keeps for a process (0: a free one); 0: none.
uint64_t inv_machine_holding(const struct inv_machine *machine, uint64_t object, uint64_t process);
// Enters an object with CREATOR_INFO into the list of its type, or takes it off; done when it is made and when it is freed.
void inv_machine_join_type(struct inv_machine *machine, uint64_t object);
void inv_machine_leave_type(struct inv_machine *machine, uint64_t object);
// The address of the pool header of an object's block.
uint64_t inv_machine_block_of(const struct inv_machine *machine, uint64_t object);
// Writes the type index of an object anew, encoded.
void inv_machine_put_type(struct inv_machine *machine, uint64_t object, uint8_t type_index);
// The OBJECT_TYPE that the object's header names; 0: none that the forge made.
uint64_t inv_machine_type_of(const struct inv_machine *machine, uint64_t object);
// Its name, NULL if it is none of the forge's (process.c).
const char *inv_machine_type_name(const struct inv_machine *machine, uint64_t object);
// The headers of an object of this size in a block of pool whose content begins at `start`; the address of the body.
uint64_t inv_machine_put_header(struct inv_machine *machine, uint64_t start, uint32_t size, uint8_t type_index);
// A block of pool with its header; the address of its body.
uint64_t inv_machine_pool(struct inv_machine *machine, struct inv_region *region, uint32_t size, const char tag[5]);
// Writes text as UTF-16 into paged pool and a UNICODE_STRING at `where`. `text` is ASCII.
void inv_machine_unicode(struct inv_machine *machine, uint64_t where, const char *text);
// An OBJECT_NAME_INFORMATION as ObQueryNameString fills it: the characters follow the string in the same block. Its address.
uint64_t inv_machine_name_information(struct inv_machine *machine, const char *text);

// -- blocks of a page or more (big_pages.c) ---------------------------------------------------------------------------------
void inv_machine_make_big_pages(struct inv_machine *machine);
// A block billed to a process (0: to none), where the kernel keeps that; its address.
uint64_t inv_machine_big_block(struct inv_machine *machine, uint64_t size, const char tag[5], uint64_t process);
void inv_machine_free_big(struct inv_machine *machine, uint64_t va);
// As inv_machine_object(), in a block of its own. `reused`: the table has a free entry for the same address too.
uint64_t inv_machine_big_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type_index,
                                bool reused);
// The address of a block's entry in the table, that of one in use if there are several; 0: none.
uint64_t inv_machine_big_entry(const struct inv_machine *machine, uint64_t va);

// -- the kernel image (kernel_image.c) --------------------------------------------------------------------------------------
// Chooses base and size, maps the image and writes headers, exports and code.
void inv_machine_map_kernel(struct inv_machine *machine);
void inv_machine_load_modules(struct inv_machine *machine);
// A driver that was loaded after the start. `imports`: functions of the kernel, ends with NULL.
struct inv_forge_module *inv_machine_load_driver(struct inv_machine *machine, const char *name,
                                                 const char *const *imports);

// -- what watches processes (callbacks.c) -----------------------------------------------------------------------------------
#define INV_FORGE_ROUTINE_SIZE 0x40u
// A routine as compilers begin them, that does nothing.
void inv_machine_write_routine(struct inv_machine *machine, uint64_t address);
// The import directory of a driver; its size.
uint32_t inv_machine_write_imports(struct inv_machine *machine, uint64_t base, uint32_t rva, const char *const *names);
// What every machine has registered when it has started.
void inv_machine_make_watchers(struct inv_machine *machine);
struct inv_forge_module *inv_machine_module(const struct inv_machine *machine, const char *name); // NULL: none
// One more routine in the module's code; its address, 0 if there is no room.
uint64_t inv_machine_routine(struct inv_machine *machine, struct inv_forge_module *module);
// Registers a routine of the module. `altitude`: of the registry's and the object manager's; `types`: the object types, by their
// names, the object manager's are for (NULL ends them). false: there is no room, or this kernel's is not known.
bool inv_machine_watch(struct inv_machine *machine, enum inv_forge_watch kind, struct inv_forge_module *module,
                       const char *altitude, const char *const *types);
// The same of what else the kernel tells of (observers.c), and what every machine has of it.
bool inv_machine_observe(struct inv_machine *machine, enum inv_forge_watch kind, struct inv_forge_module *module);
bool inv_machine_is_observer(enum inv_forge_watch kind);
void inv_machine_make_observers(struct inv_machine *machine);
// Takes back all that the module registered, as a driver does before it is unloaded.
void inv_machine_unwatch(struct inv_machine *machine, const struct inv_forge_module *module);
// MmUnloadSystemImage: off the list of modules, into the list of those that were unloaded; its pages are gone.
void inv_machine_unload_driver(struct inv_machine *machine, struct inv_forge_module *module);

// -- KDDEBUGGER_DATA64 (kdbg.c) ---------------------------------------------------------------------------------------------
void inv_machine_make_kdbg(struct inv_machine *machine);
// Writes the block, plain or encoded, and KdpDataBlockEncoded with it.
void inv_machine_store_kdbg(struct inv_machine *machine, bool encoded);

// -- copies in pool (decoy.c) -----------------------------------------------------------------------------------------------
uint64_t inv_machine_copy_kdbg(struct inv_machine *machine); // KDDEBUGGER_DATA64 in clear; its address
uint64_t
inv_machine_copy_kernel(struct inv_machine *machine); // the kernel's image, headers and names only; its address

// -- processes and threads (process.c) --------------------------------------------------------------------------------------
// Processes that Windows itself points at.
enum inv_forge_role {
	INV_ROLE_NONE,
	INV_ROLE_REGISTRY,           // *CmpRegistryProcess
	INV_ROLE_MEMORY_COMPRESSION, // MiSystemPartition.Store.StoreProcess
	INV_ROLE_SECURE_SYSTEM,      // *PsSecureSystemProcess
};

struct inv_process_wish {
	const char *name;
	const char *path;         // NULL: \Device\HarddiskVolume3\Windows\System32\NAME
	const char *command_line; // NULL: the path
	uint64_t pid;             // 0: the next
	uint64_t parent;          // PID
	uint64_t creator;         // PID of who asked for it; 0: the parent
	unsigned threads;
	int session;      // -1: none
	uint64_t created; // 0: the clock's
	uint64_t exited;  // with zombie; 0: a little later
	uint32_t exit_status;
	int protection; // -1: none
	bool zombie, minimal, gui, wow64;
	bool graphics; // it has made graphics calls
	enum inv_forge_role role;
	enum inv_forge_stage stage;
	unsigned modules;   // DLLs beside those of every process
	bool breakaway;     // it does not enter its parent's job
	bool csrss;         // it is the csrss of its session
	bool unregistered;  // csrss is not told of it, nor is its exception port set
	unsigned subsystem; // of its program's header; 0: native without a session, else of windows
	bool big, reused;   // its object lies in a block of a page or more; one whose address another had before
	struct inv_forge_process *clone_of; // NULL: no clone
	struct inv_token_wish token;        // its session is that of the process
};
void inv_machine_make_types(struct inv_machine *machine);
// ValidAccessMask and GenericMapping of the type with this name (types.c).
void inv_machine_put_access(struct inv_machine *machine, uint64_t type, const char *name);
// What the kernel leaves of the rights that a process asks for, by the object's type and by its protection, if it has one.
uint32_t inv_machine_granted(const struct inv_machine *machine, const struct inv_forge_process *holder, uint64_t object,
                             uint32_t access);
// All rights that there are to an object, by its type; of an object whose type cannot be told, those of a process.
uint32_t inv_machine_all_access(const struct inv_machine *machine, uint64_t object);
// An OBJECT_TYPE with this index of ObTypeIndexTable; its address.
uint64_t inv_machine_make_type(struct inv_machine *machine, const char *name, uint8_t index);
void inv_machine_make_idle(struct inv_machine *machine);
void inv_machine_make_system(struct inv_machine *machine);
// NULL with INV_E_USAGE if the wish cannot be met.
struct inv_forge_process *inv_machine_make_process(struct inv_machine *machine, const struct inv_process_wish *wish,
                                                   struct inv_error *error);
// `tid` and `created` may be 0.
struct inv_forge_thread *inv_machine_make_thread(struct inv_machine *machine, struct inv_forge_process *process,
                                                 uint64_t tid, uint64_t created);
// An object of one of the types from INV_FORGE_DEBUG on, to which no handle leads yet; the address of its body. What is in it no table
// of symbols tells: the body is empty. 0: of no such type.
uint64_t inv_machine_make_bare_object(struct inv_machine *machine, enum inv_forge_type type);
bool inv_machine_is_bare(const struct inv_machine *machine, uint64_t object);
// The wall clock is set, or the machine slept: from now on it is later by `step` (100 ns) than the times noted so far say.
void inv_machine_set_clock(struct inv_machine *machine, int64_t step);
// An access token that nobody has yet, of an administrator in session 1; the address of its body.
uint64_t inv_machine_make_token(struct inv_machine *machine);
// PsImpersonateClient, by the token's own level; 0: PsRevertToSelf.
void inv_machine_impersonate(struct inv_machine *machine, struct inv_forge_thread *thread, uint64_t token);
// A job (EJOB), nested into `parent` unless that is 0, named unless `name` is NULL; its address. 0: this kernel's jobs are not known.
uint64_t inv_machine_make_job(struct inv_machine *machine, uint64_t parent, const char *name);
void inv_machine_assign_job(struct inv_machine *machine, struct inv_forge_process *process, uint64_t job);
// What PspExitThread and PspRundownSingleProcess leave of a process whose last thread ended.
void inv_machine_exit_process(struct inv_machine *machine, struct inv_forge_process *process, uint64_t exited,
                              uint32_t status);
// CreateTime of what is created next, ExitTime of what ends next: the clock goes on by chance, and stays before the image.
uint64_t inv_machine_tick(struct inv_machine *machine);
// -- the end of what was made earlier (life.c) --
// The address of an object's OBJECT_HEADER.
uint64_t inv_machine_header(const struct inv_machine *machine, uint64_t object);
// Closes every handle that leads to the object.
void inv_machine_close_to(struct inv_machine *machine, uint64_t object);
// Threads that have not ended.
unsigned inv_machine_active_threads(const struct inv_forge_process *process);
// The thread terminates and is referenced still: it stays on the executive's list. With the last one the process exits.
void inv_machine_end_thread(struct inv_machine *machine, struct inv_forge_thread *thread, uint32_t status);
// PspThreadDelete of one that has ended; handles to it are closed.
void inv_machine_delete_thread(struct inv_machine *machine, struct inv_forge_thread *thread);
// All threads end, and the process is a zombie. Threads to which no handle leads then are deleted.
void inv_machine_end_process(struct inv_machine *machine, struct inv_forge_process *process, uint32_t status);
// The last references of a zombie and of its threads go, and it is deleted.
void inv_machine_drop_process(struct inv_machine *machine, struct inv_forge_process *process);
// -- what stays, and what somebody wipes (afterlife.c) --
// PspProcessDelete and the freeing of the block: the object keeps its content in freed pool. The process has exited.
void inv_machine_delete_process(struct inv_machine *machine, struct inv_forge_process *process);
// The block of an object, or of other pool, is free; its content stays.
void inv_machine_free_object(struct inv_machine *machine, uint64_t object);
void inv_machine_free_pool(struct inv_machine *machine, uint64_t body);
// Other data over a part of an object, as when its memory is used again.
void inv_machine_overwrite(struct inv_machine *machine, uint64_t object, uint32_t from, uint32_t size);
enum inv_forge_mark { INV_MARK_TAG, INV_MARK_HEADER, INV_MARK_NAME };
void inv_machine_wipe(struct inv_machine *machine, uint64_t object, enum inv_forge_mark mark);
struct inv_forge_process *inv_machine_process_at(const struct inv_machine *machine, uint64_t address);
struct inv_forge_thread *inv_machine_thread_at(const struct inv_machine *machine, uint64_t address);
void inv_machine_cid_put(struct inv_machine *machine, uint64_t id, uint64_t object); // 0: clears the entry
// Puts the object where its identifier was handed out for it.
void inv_machine_cid_give(struct inv_machine *machine, uint64_t id, uint64_t object);
bool inv_machine_is_given(const struct inv_machine *machine, uint64_t id);
// Clears the entry, and the identifier is handed out again later.
void inv_machine_cid_free(struct inv_machine *machine, uint64_t id);

// -- handles (handles.c) ----------------------------------------------------------------------------------------------------
// Opens a handle to the object with this body and counts it. `value` 0: the next. Returns the handle, 0 if it cannot be had.
// Closed handles come first, the last one before all; after them those of a new page, rising. (That an entry that was freed goes to
// the front of the list, but in PspCidTable: public practice, as in the model.)
uint64_t inv_machine_open(struct inv_machine *machine, struct inv_forge_process *process, uint64_t object,
                          uint32_t access, uint64_t value);
// Closes a handle; not `counted`: only its entry goes, as when somebody wipes it. false: there is no such handle.
bool inv_machine_close(struct inv_machine *machine, struct inv_forge_process *process, uint64_t value, bool counted);
// Writes other rights into the entry of a handle. false: there is no such handle.
bool inv_machine_grant(struct inv_machine *machine, struct inv_forge_process *process, uint64_t value, uint32_t access);
void inv_machine_close_all(struct inv_machine *machine, struct inv_forge_process *process);
const struct inv_forge_handle *inv_machine_handle(const struct inv_forge_process *process,
                                                  uint64_t value); // NULL: none
// The address of the entry with this index of a handle table or of PspCidTable; pages that lead there are made.
uint64_t inv_machine_table_entry(struct inv_machine *machine, uint64_t table, uint64_t index);
// A page of entries was made at this index, none of which is used.
void inv_machine_add_free_page(struct inv_forge_process *process, uint64_t first);
// One more entry of a table is used, or one less.
void inv_machine_count_entry(struct inv_machine *machine, uint64_t table, int step);
// Writes the lists of free entries of all tables, when all handles are open.
void inv_machine_settle_tables(struct inv_machine *machine);
// An address as the first eight bytes of an entry hold it, without lock and counts.
uint64_t inv_machine_encode_pointer(const struct inv_machine *machine, uint64_t object);

// -- ranges of user addresses (vad.c) ---------------------------------------------------------------------------------------
// The first VAD of a process: that of the page which it shares with all others.
void inv_machine_start_vads(struct inv_machine *machine, struct inv_forge_process *process);
// MmCleanProcessAddressSpace: an empty tree.
void inv_machine_drop_vads(struct inv_machine *machine, struct inv_forge_process *process);
// A private range at `at`, or anywhere fitting if that is 0. Its address; 0: there is a range already.
uint64_t inv_machine_reserve(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at, uint64_t size,
                             unsigned protection);
// A private range for a PEB or TEB, unless one covers its first byte already.
void inv_machine_cover(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address, uint64_t size);

// -- CPUs (cpu.c) -----------------------------------------------------------------------------------------------------------
void inv_machine_make_cpus(struct inv_machine *machine); // KPCRs, before there are threads
void inv_machine_make_low_stub(struct inv_machine *machine);
void inv_machine_make_shared_data(struct inv_machine *machine);
// Writes KUSER_SHARED_DATA.SystemTime (FILETIME) and InterruptTime.
void inv_machine_show_time(struct inv_machine *machine, uint64_t time);
// NULL thread: the CPU idles.
void inv_machine_run(struct inv_machine *machine, unsigned number, struct inv_forge_thread *thread);
// What a thread that does not run waits for: a CPU, on the list of a priority of this CPU, on the queue that CPUs share, on
// the list of threads that another CPU made ready, on that of a scheduling group (priorities below 16); or something else. What
// stood there before stays as it was.
enum inv_forge_dispatch {
	INV_DISPATCH_READY,
	INV_DISPATCH_SHARED,
	INV_DISPATCH_DEFERRED,
	INV_DISPATCH_WAIT,
	INV_DISPATCH_GROUP
};
// False if this kernel has no such list.
bool inv_machine_dispatch(struct inv_machine *machine, struct inv_forge_thread *thread, enum inv_forge_dispatch kind,
                          unsigned number, unsigned priority);
// Takes it off the list that inv_machine_dispatch() put it on; one on none stays so.
void inv_machine_undispatch(struct inv_machine *machine, struct inv_forge_thread *thread);
// KeStackAttachProcess
void inv_machine_attach(struct inv_machine *machine, const struct inv_forge_thread *thread,
                        const struct inv_forge_process *process);
// CPUs for which the scenario chose nothing: the first runs a thread of the newest process, the others idle.
void inv_machine_settle(struct inv_machine *machine);
// A tool that reads memory upwards, in a minute, while the machine runs, has got so far: the image has the pages below this
// part of physical memory as they are now.
void inv_machine_acquire(struct inv_machine *machine, unsigned percent);

#endif
