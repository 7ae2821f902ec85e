// SPDX-License-Identifier: Apache-2.0
// The model: the process subsystem of NT as a program. It keeps each record that the kernel keeps of a process, in the
// order in which the kernel keeps it, and knows nothing of memory: no address, no offset, no build.
//
// An operation (create a process, close a handle, end a thread) is a row of steps. It can be stopped between any two of
// them, and others may run meanwhile: the model is then an honest picture of a machine with half-created or half-deleted
// processes.
//
//	struct inv_model *model = inv_model_new(&(struct inv_model_config){.cpus = 2});
//	struct inv_model_request request = {.kind = INV_MODEL_SPAWN_PROCESS, .process = inv_model_system(model)};
//	struct inv_model_operation *creation = inv_model_begin(model, &request);
//	while (inv_model_step(creation) == INV_MODEL_GOES_ON)
//		...look at it...
//	struct inv_model_result result = inv_model_finish(creation);
//
// Where nobody looks, inv_model_do() does all of that.
//
// Sources. The order of creation, exit and deletion of processes, and which registers stay until when: read in the
// kernel's code of two generations (19041-class and 24H2). Other statements name their source where they stand; "not
// verified" marks what the model had to choose.
#ifndef INV_MODEL_MODEL_H
#define INV_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "model/object.h"

#define INV_MODEL_MAX_CPUS 64u
#define INV_MODEL_PRIORITIES 32u    // of threads; KPRCB.DispatcherReadyListHead has as many lists
#define INV_MODEL_MAX_CALLBACKS 64u // of each kind: the size of PspCreateProcessNotifyRoutine since Windows Vista

// NTSTATUS values.
#define INV_STATUS_SUCCESS 0u
#define INV_STATUS_PENDING 0x103u // ExitStatus of what has not ended
#define INV_STATUS_ACCESS_VIOLATION 0xc0000005u
#define INV_STATUS_UNSUCCESSFUL 0xc0000001u
#define INV_STATUS_INVALID_HANDLE 0xc0000008u
#define INV_STATUS_INVALID_PARAMETER 0xc000000du
#define INV_STATUS_ACCESS_DENIED 0xc0000022u
#define INV_STATUS_NO_MEMORY 0xc0000017u
#define INV_STATUS_NOT_MAPPED_VIEW 0xc0000019u
#define INV_STATUS_DELETE_PENDING 0xc0000056u
#define INV_STATUS_CANNOT_DELETE 0xc0000121u
#define INV_STATUS_TOKEN_ALREADY_IN_USE 0xc000012bu
#define INV_STATUS_DLL_NOT_FOUND 0xc0000135u
#define INV_STATUS_INSUFFICIENT_RESOURCES 0xc000009au
#define INV_STATUS_PROCESS_IS_TERMINATING 0xc000010au

// A page frame that is the top level of an address space. Its page-frame entry points back at the process.
struct inv_model_frame {
	uint64_t number;
	struct inv_model_process *owner; // NULL: the frame is free
};

struct inv_model_session {
	uint32_t id;
	struct inv_model_link processes; // head
	uint32_t process_count;
};

struct inv_model_token {
	struct inv_model_object object;
	uint64_t token_id;
	bool in_use; // TokenInUse: it is the primary token of a process
};

struct inv_model_job {
	struct inv_model_object object;
	struct inv_model_link processes; // head: ProcessListHead
	uint32_t total_processes;        // that were ever assigned
	uint32_t active_processes;
	struct inv_model_link list; // PspJobList
};

enum inv_model_kind {
	INV_MODEL_ORDINARY,
	INV_MODEL_MINIMAL, // no image, no PEB, no handle table of its own
	INV_MODEL_CLONE,   // shares its parent's section and gets no thread
};

// EPROCESS. Times are FILETIME (system time) or 100 ns since boot (interrupt time).
struct inv_model_process {
	struct inv_model_object object;
	enum inv_model_kind kind;
	bool idle, system;
	// The scheduler's part, KPROCESS.
	struct inv_model_link thread_list_head; // KPROCESS.ThreadListHead: threads that are started and not terminated
	struct inv_model_link process_list;     // ProcessListEntry on KiProcessListHead
	struct inv_model_frame *directory_table_base;
	uint32_t signal_state;
	// The executive's part.
	uint64_t unique_process_id;
	uint64_t inherited_from_unique_process_id;
	uint64_t sequence_number;
	uint64_t create_time, create_interrupt_time, exit_time;
	uint32_t exit_status;
	uint32_t active_threads;
	struct inv_model_link active_process_links;
	struct inv_model_link thread_head; // EPROCESS.ThreadListHead: until the thread objects are deleted
	struct inv_model_link mm_process_links;
	struct inv_model_link session_process_links;
	struct inv_model_session *session;
	struct inv_model_table *object_table;
	struct inv_model_token *token;
	struct inv_model_section *section;
	struct inv_model_file *image_file_pointer;
	bool section_was_there; // the address space was initialised with an image
	uint64_t section_base_address;
	uint64_t peb; // its page; 0: it has none
	struct inv_model_space space;
	struct inv_model_ldr ldr;  // in its own memory
	bool win32_process;        // W32PROCESS
	bool window_routines;      // user32 has entered its table into the PEB
	bool client;               // the csrss of its session has a CSR_PROCESS of it on its list,
	bool client_handle;        // and a handle to it, which is a reference
	bool exception_port;       // leads to the port of that csrss
	bool se_audit;             // SeAuditProcessCreationInfo holds the image's name
	struct inv_model_job *job; // stays until deletion
	struct inv_model_link job_links;
	uint64_t clone_root; // serial of the process that this is a clone of
	// Flags, by their names in EPROCESS.
	bool create_reported, exit_process_reported, new_process_reported;
	bool process_inserted, process_in_session, process_exiting, process_delete, process_rundown;
	bool fork_in_progress, minimal, vm_deleted;
	bool cross_session_create; // (what it compares is measured, when it is set is not verified)
	uint32_t rundown_protect;  // operations under way that need the process not to run down
	// Of the model alone:
	struct inv_model_frame *former_root; // what directory_table_base was before it was given back
	bool creation_held;                  // created, not yet inserted: its creation holds the first reference
	uint32_t leaving;                    // threads in PspExitThread that ActiveThreads still counts
	uint32_t refused;                    // the status by which a callback refused the creation; 0: none did
};

// KTHREAD.State (KTHREAD_STATE).
enum inv_model_thread_state {
	INV_THREAD_INITIALIZED = 0,
	INV_THREAD_READY = 1,
	INV_THREAD_RUNNING = 2,
	INV_THREAD_STANDBY = 3,
	INV_THREAD_TERMINATED = 4,
	INV_THREAD_WAITING = 5,
};

// KTHREAD.WaitReason (KWAIT_REASON), those that the model uses.
enum inv_model_wait_reason {
	INV_WAIT_EXECUTIVE = 0,
	INV_WAIT_SUSPENDED = 5,
	INV_WAIT_USER_REQUEST = 6,
};

// ETHREAD.
struct inv_model_thread {
	struct inv_model_object object;
	bool idle;
	enum inv_model_thread_state state;
	unsigned priority;
	unsigned cpu; // on whose lists it stands, or where it runs
	uint32_t signal_state;
	struct inv_model_process *process;      // KTHREAD.Process
	struct inv_model_process *apc_process;  // ApcState.Process: another one while attached
	struct inv_model_link thread_list;      // KTHREAD.ThreadListEntry
	struct inv_model_link thread_list_exec; // ETHREAD.ThreadListEntry
	struct inv_model_link queue;            // WaitListEntry/QueueListEntry: a ready list or the wait list
	uint64_t unique_thread;                 // Cid.UniqueThread
	uint64_t create_time, exit_time;
	uint32_t exit_status;
	bool stack;               // the kernel stack exists
	uint64_t teb, user_stack; // their first pages; 0: it has none, or no more
	struct inv_model_apc_state apc_state, saved_apc_state;
	unsigned apc_state_index; // 1: attached, its own state is the saved one
	bool apc_queueable;
	struct inv_model_apc suspend_apc;
	uint32_t suspend_count;
	enum inv_model_wait_reason wait_reason;
	bool alertable, user_wait; // of the wait; WaitMode
	bool win32_thread;
	bool thread_inserted, terminated; // flags
	struct inv_model_link reaper;     // PsReaperListHead: waits for its reference on itself to be dropped
	bool self_reference;              // a thread that runs holds itself
	// Of the model alone:
	uint64_t process_serial; // of the process that it was created in, when it refers to that no more, too
	bool leaving;            // an operation ends it
	bool last_thread;        // its end ended the process
};

// KPRCB.
struct inv_model_cpu {
	struct inv_model_thread *current, *next, *idle;
	struct inv_model_link ready[INV_MODEL_PRIORITIES];
	struct inv_model_link wait;
	uint32_t ready_summary;      // bit n: ready[n] is not empty
	struct inv_model_frame *cr3; // the address space that is loaded
	bool pinned;                 // an operation under way runs on it, in the context of `current`
};

// -- callbacks --------------------------------------------------------------------------------------------------------------
struct inv_model;
enum inv_model_callback_kind {
	INV_CALLBACK_PROCESS, // PsSetCreateProcessNotifyRoutineEx
	INV_CALLBACK_THREAD,  // PsSetCreateThreadNotifyRoutine
	INV_CALLBACK_IMAGE,   // PsSetLoadImageNotifyRoutine
	INV_CALLBACK_KIND_COUNT,
};

struct inv_model_event {
	enum inv_model_callback_kind kind;
	bool create; // false: it ends
	const struct inv_model_process *process;
	const struct inv_model_thread *thread; // NULL but for threads
};

// What a callback is told. The answer counts for the creation of a process only: an NTSTATUS of failure refuses it.
typedef uint32_t inv_model_routine(const struct inv_model *model, const struct inv_model_event *event, void *context);

struct inv_model_callback {
	inv_model_routine *routine;
	void *context;
};

// -- the machine ------------------------------------------------------------------------------------------------------------
struct inv_model_config {
	unsigned cpus;           // 0: 2; never more than INV_MODEL_MAX_CPUS
	uint64_t boot_time;      // FILETIME; 0: the start of 2026
	unsigned system_threads; // of System at boot; 0: 4
};

// All of it may be read, by a forge or a test; only operations change it.
struct inv_model {
	unsigned cpu_count;
	struct inv_model_cpu cpu[INV_MODEL_MAX_CPUS];
	struct inv_model_type_counters counters[INV_MODEL_TYPE_COUNT];
	struct inv_model_link blocks[INV_MODEL_TYPE_COUNT]; // heads: allocated blocks by type
	struct inv_model_link freed;                        // head: freed blocks, the oldest first
	uint32_t freed_count;
	uint64_t last_serial;

	struct inv_model_process *idle_process, *system_process; // PsIdleProcess, PsInitialSystemProcess
	struct inv_model_table *cid;                             // PspCidTable
	struct inv_model_link active_process_head;               // PsActiveProcessHead
	struct inv_model_link mm_process_list;                   // MI_PROCESS_STATE.ProcessList
	struct inv_model_link ki_process_list_head;              // KiProcessListHead
	struct inv_model_link handle_table_list_head;            // HandleTableListHead
	struct inv_model_link reaper_list_head;                  // PsReaperListHead
	struct inv_model_link job_list;                          // PspJobList
	uint64_t process_sequence_number;                        // PspProcessSequenceNumber: the last that was given
	struct inv_model_session **sessions;                     // stb_ds; sessions stay, empty ones too
	struct inv_model_frame **frames;                         // stb_ds: the page-frame database's top-level pages
	uint64_t last_token_id, last_stream, last_area;
	struct inv_model_link streams;             // head: files that are open
	struct inv_model_link areas;               // head: control areas
	struct inv_model_link unused_segments;     // head: MiUnusedSegmentList
	struct inv_model_link vads, modules, apcs; // heads: blocks
	uint64_t committed_pages;                  // MI_SYSTEM_... TotalCommittedPages: of processes and page-file sections
	struct inv_model_section *system_dll, *nls; // PspSystemDlls, the section of the NLS tables
	uint64_t next_image_base;                   // images are placed downwards

	uint64_t system_time, interrupt_time; // both advance with every step; the first can be set
	struct inv_model_callback callbacks[INV_CALLBACK_KIND_COUNT][INV_MODEL_MAX_CALLBACKS];
	uint32_t callback_count[INV_CALLBACK_KIND_COUNT];

	struct inv_model_operation **operations; // stb_ds: under way
	struct inv_model_object **held;          // stb_ds: references of drivers, see INV_MODEL_REFERENCE
};

// Boots: Idle with a thread for each CPU, System with its threads. Release with inv_model_free().
struct inv_model *inv_model_new(const struct inv_model_config *config);
void inv_model_free(struct inv_model *model); // NULL is allowed; operations under way end with it

struct inv_model_process *inv_model_system(const struct inv_model *model);
// The object by PspCidTable; NULL if there is none of that type.
struct inv_model_process *inv_model_process_by_id(const struct inv_model *model, uint64_t id);
struct inv_model_thread *inv_model_thread_by_id(const struct inv_model *model, uint64_t id);
// The object that a handle refers to; NULL if the table has no such entry.
struct inv_model_object *inv_model_by_handle(const struct inv_model_process *process, uint64_t handle);

// Lets time pass, in 100 ns.
void inv_model_pass(struct inv_model *model, uint64_t time);
// Sets the system time, as an administrator would; the interrupt time goes on.
void inv_model_set_time(struct inv_model *model, uint64_t system_time);
// INV_STATUS_INVALID_PARAMETER if all places are taken.
uint32_t inv_model_register(struct inv_model *model, enum inv_model_callback_kind kind, inv_model_routine *routine,
                            void *context);

// -- operations -------------------------------------------------------------------------------------------------------------
enum inv_model_operation_kind {
	// `process` is who asks for it (its handle table gets what comes of it); `target`, `thread`, `object`: what it is done to.
	INV_MODEL_CREATE_PROCESS,   // PspAllocateProcess: `process` is the parent; kind, session, job, image
	INV_MODEL_INSERT_PROCESS,   // PspInsertProcess of `target`; handle for `process`
	INV_MODEL_ABANDON_PROCESS,  // the creation of `target` failed before it was inserted
	INV_MODEL_CREATE_THREAD,    // PspAllocateThread, PspInsertThread in `target`; handle for `process`; priority
	INV_MODEL_START_THREAD,     // KeReadyThread of `thread`
	INV_MODEL_SPAWN_PROCESS,    // NtCreateUserProcess: the four above without a stop
	INV_MODEL_CLONE_PROCESS,    // `target` is cloned; handle for `process`
	INV_MODEL_TERMINATE_THREAD, // PspExitThread of `thread` with exit_status
	INV_MODEL_EXIT_PROCESS,     // NtTerminateProcess of `target` with exit_status
	INV_MODEL_OPEN_HANDLE,      // of `process` to `object`, with access
	INV_MODEL_DUPLICATE_HANDLE, // `handle` of `process` into `target`
	INV_MODEL_CLOSE_HANDLE,     // `handle` of `process`
	INV_MODEL_ATTACH_PROCESS,   // KeStackAttachProcess of `thread` to `target`
	INV_MODEL_DETACH_PROCESS,   // KeUnstackDetachProcess of `thread`
	INV_MODEL_CREATE_SESSION,
	INV_MODEL_CREATE_JOB,    // handle for `process`
	INV_MODEL_ASSIGN_JOB,    // `target` to the job `object`
	INV_MODEL_CREATE_TOKEN,  // handle for `process`
	INV_MODEL_SET_TOKEN,     // PspAssignPrimaryToken: `object` to `target`, which has no thread yet
	INV_MODEL_CONNECT_WIN32, // the first USER call of `thread`: W32PROCESS and W32THREAD
	INV_MODEL_REFERENCE,     // ObReferenceObject of `object` by a driver
	INV_MODEL_DEREFERENCE,   // and its end
	INV_MODEL_WAIT,          // `thread`, which runs, waits
	INV_MODEL_WAKE,          // `thread` becomes ready
	INV_MODEL_SCHEDULE,      // a CPU chooses and switches
	// Memory. `target` is whose address space; `page` is in the range meant, 0: the model chooses.
	INV_MODEL_CREATE_FILE,    // handle for `process`; `object`: a file object of the same file, NULL: a new file
	INV_MODEL_DELETE_FILE,    // FileDispositionInformation for the file object `object`
	INV_MODEL_CREATE_SECTION, // handle for `process`; `object`: the file, unless backing is INV_MODEL_PAGEFILE; pages
	INV_MODEL_PURGE_SEGMENT,  // the oldest of the unused segments goes
	INV_MODEL_MAP_VIEW,       // of the section `object`; protection
	INV_MODEL_UNMAP_VIEW,
	INV_MODEL_ALLOCATE_MEMORY, // pages, protection, commit; in a range that is reserved: commits all of it
	INV_MODEL_FREE_MEMORY,     // with `decommit` it stays reserved
	INV_MODEL_PROTECT_MEMORY,  // one page
	INV_MODEL_FAULT,           // one page; with `write` to write it
	INV_MODEL_TRIM,            // one page leaves the working set; one that has left goes to the page file
	// The loader, in the context of `thread`.
	INV_MODEL_RUN_LOADER,    // LdrpInitializeProcess, if it has not been done
	INV_MODEL_LOAD_MODULE,   // `object`: the file, NULL: a new one
	INV_MODEL_UNLOAD_MODULE, // the one at `page`, 0: the last
	// Asynchronous procedure calls.
	INV_MODEL_QUEUE_APC,   // to `thread`, of user_mode or the kernel's
	INV_MODEL_DELIVER_APC, // `thread` comes to where they are delivered: one
	INV_MODEL_SUSPEND_THREAD,
	INV_MODEL_RESUME_THREAD,
	INV_MODEL_OPERATION_COUNT,
};

struct inv_model_request {
	enum inv_model_operation_kind kind;
	struct inv_model_process *process, *target;
	struct inv_model_thread *thread;
	struct inv_model_object *object;
	struct inv_model_session *session; // NULL: the parent's
	enum inv_model_kind process_kind;
	bool no_session;
	uint64_t handle;
	uint32_t access, exit_status;
	unsigned cpu, priority;
	struct inv_model_object *image; // of a process to be created: file or section of an image; NULL: a new file
	enum inv_model_backing backing;
	uint64_t page;
	uint32_t pages;
	enum inv_model_protection protection;
	bool commit, decommit, write;
	bool user_mode, alertable; // of a wait or an APC
};

struct inv_model_result {
	uint32_t status; // NTSTATUS
	uint64_t handle; // 0: none
	// What was made. It lives while a handle or a reference holds it; a process that was created and not inserted is held by
	// its creation.
	struct inv_model_process *process;
	struct inv_model_thread *thread;
	struct inv_model_job *job;
	struct inv_model_token *token;
	struct inv_model_session *session;
	struct inv_model_file *file;
	struct inv_model_section *section;
	uint64_t page; // the first of a range that was allocated or mapped
};

enum inv_model_progress {
	INV_MODEL_GOES_ON,  // a step was done, and more remain
	INV_MODEL_WAITS,    // no step was done: another operation must get on first
	INV_MODEL_FINISHED, // the last step was done
};

struct inv_model_operation;
// References what it is about; what is being deleted can no longer be referenced: the operation then ends with a status and
// without a step.
struct inv_model_operation *inv_model_begin(struct inv_model *model, const struct inv_model_request *request);
enum inv_model_progress inv_model_step(struct inv_model_operation *operation);
// The name of the step that comes next, for people; NULL: none.
const char *inv_model_next_step(const struct inv_model_operation *operation);
// Does the steps that remain and releases the operation. If it has to wait for another operation, that one is driven too.
struct inv_model_result inv_model_finish(struct inv_model_operation *operation);
// Begins and finishes.
struct inv_model_result inv_model_do(struct inv_model *model, const struct inv_model_request *request);

// -- what must hold ---------------------------------------------------------------------------------------------------------
// Where a process stands in the life-time automaton, told from its records alone.
enum inv_model_state {
	INV_STATE_NONE,      // no legal state has these records
	INV_STATE_ALLOCATED, // the object exists and nothing else: before c0
	INV_STATE_C0,        // being created: address space, then Mm list, then session list
	INV_STATE_C1,        // with an identifier
	INV_STATE_C2,        // on the active list
	INV_STATE_C3,        // inserted, without a thread
	INV_STATE_RUN,
	INV_STATE_EXITING,
	INV_STATE_ZOMBIE,
	INV_STATE_D0, // the last reference is gone, nothing else has changed yet
	INV_STATE_D1, // no longer inserted, then off the active list
	INV_STATE_D2, // off session list, Mm list and without an address space, in this order
	INV_STATE_D3, // without an identifier
	INV_STATE_COUNT,
};
const char *inv_model_state_name(enum inv_model_state state);
enum inv_model_state inv_model_state_of(const struct inv_model *model, const struct inv_model_process *process);

struct inv_model_report {
	size_t disagreements;
	char first[256];                // in words
	size_t states[INV_STATE_COUNT]; // how many processes stand where
};

// Compares every register with every other. In a model in which nothing is half done all of them must agree (the life-time
// theorem); otherwise each process must stand in a state of the automaton. True: no disagreement. It writes only to the
// scratch fields of objects.
bool inv_model_check(struct inv_model *model, struct inv_model_report *report);

#endif
