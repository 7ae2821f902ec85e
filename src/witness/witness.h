// SPDX-License-Identifier: Apache-2.0
// Witnesses: independent structures in which Windows itself records processes or threads. The catalogue in catalogue.c is
// the one list of them.
#ifndef INV_WITNESS_WITNESS_H
#define INV_WITNESS_WITNESS_H

#include <assert.h>

#include "kernel/list.h"
#include "nt/big_pages.h"
#include "nt/csrss.h"
#include "nt/dxgkrnl.h"
#include "nt/handle_table.h"
#include "nt/object.h"
#include "nt/pfn.h"
#include "nt/process.h"
#include "sweep/sweep.h"

// How hard a witness is to fake while the process runs, hardest first.
enum inv_tier {
	INV_TIER_HARDWARE,
	INV_TIER_MEMORY_MANAGER,
	INV_TIER_SCHEDULER,
	INV_TIER_EXECUTIVE,
	INV_TIER_OBJECT_MANAGER,
	INV_TIER_SUBSYSTEM,
	INV_TIER_USER_MODE,
};
const char *inv_tier_name(enum inv_tier tier); // "hardware", "memory manager", ...

enum inv_witness_id {
	INV_W_ACTIVE_LIST,       // PsActiveProcessHead
	INV_W_SCHEDULER_LIST,    // KiProcessListHead
	INV_W_CPU,               // KPRCB CurrentThread, NextThread, IdleThread
	INV_W_ANCHOR,            // PsInitialSystemProcess, PsIdleProcess and the like
	INV_W_DUMP,              // the process and thread a triage dump was written for
	INV_W_MM_LIST,           // the memory manager's list of processes
	INV_W_READY_LIST,        // threads that wait for a CPU
	INV_W_WAIT_LIST,         // threads that wait and whose stacks may be swapped
	INV_W_THREAD_LIST,       // EPROCESS.ThreadListHead
	INV_W_KTHREAD_LIST,      // KPROCESS.ThreadListHead
	INV_W_THREAD,            // KTHREAD.Process and ApcState.Process of every thread that was seen
	INV_W_CID_TABLE,         // PspCidTable
	INV_W_HANDLE_TABLE_LIST, // HandleTableListHead
	INV_W_HANDLES,           // handles to processes and threads
	INV_W_SESSION_LIST,      // each session's list of processes
	INV_W_JOB_LIST,          // each job's list of processes
	INV_W_POOL,              // blocks of pool with the tags of processes, threads, tokens and jobs
	INV_W_DISPATCHER_HEADER, // objects with the shape of a process or thread, whatever their tag
	INV_W_SELF_MAP,          // pages that map themselves: roots of address spaces
	INV_W_PFN,               // the PFN database: whose page table root a frame is
	INV_W_BIG_PAGES,         // PoolBigPageTable: blocks of a page or more, and whom they are billed to
	INV_W_GROUP_QUEUE,       // threads of scheduling groups that wait for a CPU
	INV_W_ALPC_PORTS,        // AlpcpPortList
	INV_W_ETW_REGISTRATIONS, // registrations of event providers
	INV_W_WNF,               // ExpWnfProcessesListHead
	INV_W_TIMER_RESOLUTION,  // ExpTimerResolutionListHead
	INV_W_TIMERS,            // timers with a routine: threads that set them
	INV_W_CSR_LIST,          // CSR_PROCESSes of each session's csrss
	INV_W_WIN32K,            // W32PROCESS, and the threads on desktops
	INV_W_DXGKRNL,           // DXGPROCESS
	INV_W_HANDLE_COUNTS,     // who has handles to objects that count them by process
	INV_WITNESS_COUNT,
};
// A set of witnesses is a uint64_t with a bit for each.
#define INV_BIT(witness) (UINT64_C(1) << (witness))
static_assert(INV_WITNESS_COUNT <= 64, "a set has room for every witness");

// One record of one process (and thread) by one witness.
struct inv_sighting {
	enum inv_witness_id witness;
	uint64_t process; // EPROCESS, 0 if the record names only a thread
	uint64_t thread;  // ETHREAD, 0 if the record names only a process
	uint64_t at;      // the address of the record itself
};

// What a witness could read.
struct inv_coverage {
	size_t read, broken, unreadable;
	size_t sightings;
	bool complete;      // read to its end: what it does not show, it does not hold
	const char *voided; // why this witness says nothing about this image; NULL if it does
};

// A CPU as its KPRCB describes it.
struct inv_cpu_record {
	uint32_t number;
	uint64_t prcb; // 0 when its address is not known
	struct inv_value current, next, idle, cr3;
	const struct inv_cpu_claim *claim; // registers from the image's own notes; NULL if none
	bool wrote_dump;                   // this CPU wrote the dump: its saved state is that of the crash
};

// What an entry of a table points at.
enum inv_target { INV_TARGET_OTHER, INV_TARGET_PROCESS, INV_TARGET_THREAD };

// An entry of PspCidTable.
struct inv_id_record {
	uint64_t id;     // the index, times 4
	uint64_t object; // a body
	uint64_t at;     // the address of the entry
	enum inv_target target;
};

// A HANDLE_TABLE.
struct inv_table_record {
	uint64_t address;
	bool listed; // on HandleTableListHead
	struct inv_value quota_process, pid;
	struct inv_handle_coverage coverage; // of its entries
	size_t unread;                       // entries whose object's header is not there, or whose type's rights are not
};
struct inv_table_index { // an stb_ds map
	uint64_t key;        // the address of a HANDLE_TABLE
	size_t value;        // where it stands in `tables`
};

// A handle to a process or a thread. There may be millions, so that it is kept small; it stands for a sighting by INV_W_HANDLES,
// unless its target is INV_TARGET_OTHER.
struct inv_handle_record {
	uint64_t body;       // of the object
	uint64_t at;         // the address of the entry
	uint32_t table;      // its HANDLE_TABLE, as index into `tables`
	uint32_t value : 30; // the handle
	uint32_t target : 2; // enum inv_target, by the object's header
};
// An entry that leads to nothing that could be an object, or that grants what its type does not have.
struct inv_odd_handle {
	uint64_t object; // where it leads: an OBJECT_HEADER
	uint64_t at;     // the address of the entry
	uint64_t value;  // the handle
	uint32_t table;  // its HANDLE_TABLE, as index into `tables`
	uint32_t access, valid;
	uint8_t index; // the decoded type
	enum { INV_ODD_POINTER, INV_ODD_TYPE, INV_ODD_ACCESS } what;
};
// Rights that are no type's and may stand in any entry: ACCESS_SYSTEM_SECURITY, and up to Windows 7 the mark of a handle that must not
// be closed. (ObpCreateHandle masks what it grants with ValidAccessMask and the first of them; so in ReactOS, and not verified on
// Windows.)
#define INV_ACCESS_OF_ANY_TYPE 0x03000000u
// All handle tables together may have this many entries, used or not.
#define INV_HANDLE_BUDGET ((size_t)1 << 25)

// A list of the dispatcher: threads in one state, linked through KTHREAD.WaitListEntry.
struct inv_dispatch_record {
	enum inv_witness_id witness; // INV_W_READY_LIST or INV_W_WAIT_LIST
	struct inv_list list;
};

// A session or a job with its list of processes.
struct inv_group_record {
	uint64_t address;        // _MM_SESSION_SPACE, _EJOB
	bool named;              // a list of such objects names it; else only a process points at it
	struct inv_list members; // head 0: the layout has no such list
};

// A process and the group whose list shows it.
struct inv_membership {
	uint64_t process, group;
};

// A process that a block of a page or more is billed to.
struct inv_bill {
	uint64_t process;
	uint64_t at; // the address of the pointer
};

// A pointer that another part of the kernel keeps to a process (backlinks.c). What holds no reference may outlive it.
struct inv_backlink {
	uint64_t process; // where it leads: to what looks like a process
	uint64_t object;  // what holds it: a port, a registration, a context; of INV_W_TIMER_RESOLUTION the process itself
	uint64_t at;      // the address of the pointer, or of the entry in the list
	enum inv_witness_id witness;
	bool stray; // only of INV_W_HANDLE_COUNTS: what it leads to does not look like a process
};
// A port, registration or timer that a handle leads to.
struct inv_owned_object {
	uint64_t body;
	uint32_t table; // HANDLE_TABLE, as index into `tables`
	enum inv_witness_id witness;
};

// A page that maps itself in the slot in which System's page table root does.
struct inv_root_record {
	uint64_t frame;   // its physical address
	uint64_t process; // the process that has it as root; of several, one on PsActiveProcessHead; 0: none that was found
	bool listed;      // that process is on PsActiveProcessHead
};

// A page table root as the PFN database has it.
struct inv_pfn_record {
	struct inv_pfn pfn;
	uint64_t owner; // EPROCESS; 0: its back pointer leads nowhere
};

// Two neighbours on PsActiveProcessHead that lead to each other: between them is nothing. Processes are added at the tail and
// numbered then, so one whose SequenceNumber lies between theirs is not on the list.
struct inv_gap {
	uint64_t after, before; // SequenceNumber; the head counts as 0 and UINT64_MAX
};

// What is kept of all records and dossiers together, in bytes: enough for 20,000 processes with 200,000 threads and 2 million
// handles to them, and a bound on what an image of nothing but records can make of this program.
#define INV_RECORD_ROOM ((size_t)208 << 20)

// Everything the witnesses said.
struct inv_testimony {
	const struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_role_anchors anchors;
	struct inv_coverage coverage[INV_WITNESS_COUNT];
	struct inv_sighting *sightings; // stb_ds; without those of INV_W_HANDLES, which are in `handles`
	uint32_t *pointers;             // stb_ds; indices of sightings, see inv_pointers_to()
	struct inv_list active;         // head 0 when its address is not known
	struct inv_gap *active_gaps;    // stb_ds; only of a list that could not be read to its end
	struct inv_list scheduler;
	struct inv_list mm;
	bool mm_symbol; // the list is that of MmProcessList, which nobody has verified to be kept on x64
	struct inv_dispatch_record *dispatch; // stb_ds
	struct inv_group_record *sessions;    // stb_ds, by address
	struct inv_group_record *jobs;        // stb_ds, by address
	struct inv_list job_list;             // PspJobList; head 0 when its address is not known
	struct inv_membership *in_session;    // stb_ds, by process, then group
	struct inv_membership *in_job;        // stb_ds, by process, then group
	struct inv_cpu_record *cpus;          // stb_ds
	const struct inv_sweep *sweep;        // NULL: memory was not swept
	struct inv_big_page *big_pages;       // stb_ds, by address of the block; free ones too
	struct inv_bill *bills;               // stb_ds, by process
	uint64_t *named_tokens, *named_jobs;  // stb_ds; bodies that handles lead to, by their headers; with doubles
	struct inv_backlink *backlinks;       // stb_ds, by process, then address
	uint64_t *counted;              // stb_ds; headers of what handles lead to that counts them by process; with doubles
	struct inv_owned_object *owned; // stb_ds, by witness, then body, then table; so once the backlinks are read
	struct inv_list ports, subscriptions, resolutions; // head 0: not known; what they show is in `backlinks`
	struct inv_root_record *roots;                     // stb_ds, by frame
	uint64_t *swept_tokens, *swept_jobs; // stb_ds; bodies in allocated blocks of pool whose headers say so, in order
	struct inv_object_types types;
	struct inv_pfn_database pfn;
	struct inv_pfn_record *pfn_roots; // stb_ds, by owner, then frame; empty when the database is void
	uint64_t cid_table;               // HANDLE_TABLE; 0 when its address is not known
	struct inv_id_record *ids;        // stb_ds, by object; empty when the table is void
	struct inv_list handle_tables;
	struct inv_value kernel_table;       // *ObpKernelHandleTable
	struct inv_table_record *tables;     // stb_ds; those on the list first
	struct inv_table_index *table_index; // stb_ds map
	struct inv_handle_record *handles;   // stb_ds; by body, then address, once inv_sort_handles() was called
	struct inv_csrsses csrsses;          // of all sessions
	unsigned threads;                    // that may work at once; 0: as many as there are CPUs
	struct inv_odd_handle *odd_handles;  // stb_ds, in the order of the tables and their entries
	struct inv_type_rights *rights;      // by type index, while handles are read; NULL: not known
	size_t handle_budget;
	size_t room;               // what is left of INV_RECORD_ROOM
	bool full;                 // something did not fit: no witness was heard to its end
	struct inv_win32k *win32k; // what the sweep found of it; processes and threads are added when they are known
	struct inv_dxgkrnl *dxgkrnl;
	size_t before_handles; // sightings that were there when INV_W_HANDLES testified
};

struct inv_witness {
	enum inv_witness_id id;
	const char *name; // the stable identifier in reports: "active-list"
	enum inv_tier tier;
	const char *what;   // which structure, in one sentence
	const char *source; // how the fact is known
	// Testifies about processes by its own structure alone. NULL: reads the objects that others found (threads of processes).
	void (*testify)(struct inv_testimony *testimony);
};

const struct inv_witness *inv_witness(enum inv_witness_id id);

// Lets every witness testify. The kernel must outlive the result; release with inv_testimony_free().
// `sweep` is what the pass over memory found, or NULL, and must outlive it too. So many threads work at once (0: as many as there are
// CPUs); the outcome does not depend on their number.
struct inv_testimony *inv_testimony_collect(const struct inv_kernel *kernel, const struct inv_sweep *sweep,
                                            unsigned threads);
void inv_testimony_free(struct inv_testimony *testimony);

// The entries of PspCidTable that lead to an object; NULL with *count 0: none.
const struct inv_id_record *inv_ids_of(const struct inv_testimony *testimony, uint64_t object, size_t *count);
// The handles that lead to an object; NULL with *count 0: none.
const struct inv_handle_record *inv_handles_to(const struct inv_testimony *testimony, uint64_t object, size_t *count);
// The sightings of a process by what points at it while it lives (INV_W_SCHEDULER_LIST, INV_W_CPU, INV_W_ANCHOR, INV_W_THREAD), as
// indices into `sightings`, rising. NULL with *count 0: none.
const uint32_t *inv_pointers_to(const struct inv_testimony *testimony, uint64_t process, size_t *count);
// What is known of the handle table at an address; NULL: it was not seen.
const struct inv_table_record *inv_table_record_at(const struct inv_testimony *testimony, uint64_t address);

// The SequenceNumber of the process at an entry of PsActiveProcessHead; `head` for the head itself. False: it has none, or it could
// not be read.
bool inv_active_number(const struct inv_testimony *testimony, uint64_t entry, uint64_t head, uint64_t *number);
// Does what could be read of PsActiveProcessHead prove that the process is not on it?
bool inv_active_list_leads_past(const struct inv_testimony *testimony, uint64_t process);

// Takes room for a record. False if there is none left; the record must be dropped then.
bool inv_take_room(struct inv_testimony *testimony, size_t size);

// For the witnesses.
void inv_sight(struct inv_testimony *testimony, enum inv_witness_id witness, uint64_t process, uint64_t thread,
               uint64_t at);
void inv_void(struct inv_testimony *testimony, enum inv_witness_id witness, const char *why);
void inv_witness_active_list(struct inv_testimony *testimony);
void inv_witness_scheduler_list(struct inv_testimony *testimony);
void inv_witness_cpu(struct inv_testimony *testimony);
void inv_witness_anchor(struct inv_testimony *testimony);
void inv_witness_dump(struct inv_testimony *testimony);
void inv_witness_pool(struct inv_testimony *testimony);
void inv_witness_dispatcher_header(struct inv_testimony *testimony);
void inv_witness_self_map(struct inv_testimony *testimony);
void inv_witness_pfn(struct inv_testimony *testimony);
void inv_witness_big_pages(struct inv_testimony *testimony);
// The entries of PoolBigPageTable for a block at this address, free ones too; NULL with *count 0: none.
const struct inv_big_page *inv_big_pages_at(const struct inv_testimony *testimony, uint64_t va, size_t *count);
// The first bill for pool to a process; NULL: none.
const struct inv_bill *inv_bill_of(const struct inv_testimony *testimony, uint64_t process);
// The roots that the PFN database gives to a process; NULL with *count 0: none. For process 0: those that lead nowhere.
const struct inv_pfn_record *inv_pfn_roots_of(const struct inv_testimony *testimony, uint64_t process, size_t *count);

// The page that maps itself at this DirectoryTableBase (its low bits do not count); NULL: none does.
struct inv_root_record *inv_root_at(const struct inv_testimony *testimony, uint64_t dtb);
void inv_witness_mm_list(struct inv_testimony *testimony);
void inv_witness_ready_list(struct inv_testimony *testimony);
void inv_witness_wait_list(struct inv_testimony *testimony);
void inv_witness_group_queue(struct inv_testimony *testimony);
void inv_witness_win32k(struct inv_testimony *testimony);
void inv_witness_dxgkrnl(struct inv_testimony *testimony);
void inv_witness_session_list(struct inv_testimony *testimony);
void inv_witness_job_list(struct inv_testimony *testimony);
void inv_witness_csr_list(struct inv_testimony *testimony);

// The record of a session or job, by address; NULL: none.
const struct inv_group_record *inv_group_at(const struct inv_group_record *groups, uint64_t address);
// The first membership of a process; further ones follow it. NULL: no list shows the process.
const struct inv_membership *inv_membership_of(const struct inv_membership *memberships, uint64_t process);
void inv_witness_alpc_ports(struct inv_testimony *testimony);
void inv_witness_etw_registrations(struct inv_testimony *testimony);
void inv_witness_wnf(struct inv_testimony *testimony);
void inv_witness_timer_resolution(struct inv_testimony *testimony);
void inv_witness_timers(struct inv_testimony *testimony);
void inv_witness_handle_counts(struct inv_testimony *testimony);
// The backlinks to a process; NULL with *count 0: none.
const struct inv_backlink *inv_backlinks_of(const struct inv_testimony *testimony, uint64_t process, size_t *count);
void inv_witness_cid_table(struct inv_testimony *testimony);
void inv_witness_handle_table_list(struct inv_testimony *testimony);
void inv_witness_handles(struct inv_testimony *testimony); // those of the tables on the list, and of the kernel's own
// Is what stands there whole, as far as a process, or a thread that has not ended, can be told from other memory? (memory.c)
bool inv_looks_like_process(const struct inv_kernel *kernel, uint64_t object);
bool inv_looks_like_thread(const struct inv_kernel *kernel, uint64_t object);
// The object of this type (enum of nt/process.h) in the block of pool whose content begins at `start`; 0 if none can be told.
uint64_t inv_object_in_block(const struct inv_kernel *kernel, uint64_t start, unsigned type);
// How a list was read: entries, links that do not return, ends that could not be read.
void inv_count_links(const struct inv_list *list, struct inv_coverage *coverage);

// Reads the handles of one more table, which a process names, unless it was read before; and says at the end how far all
// tables together were read.
void inv_hear_table(struct inv_testimony *testimony, uint64_t address);
void inv_settle_handles(struct inv_testimony *testimony);

// Brings what was seen into the order that the judges look it up by. Before, inv_handles_to() and inv_pointers_to() find nothing
// for sure.
void inv_sort_handles(struct inv_testimony *testimony);
void inv_sort_pointers(struct inv_testimony *testimony);
void inv_sort_backlinks(struct inv_testimony *testimony); // and what handles lead to; inv_backlinks_of()

// Walks one of a process' two thread lists, for at most `bound` entries; every thread on it is a sighting. The list is
// rooted in the process itself, so it is no witness of the process.
void inv_witness_thread_list(struct inv_testimony *testimony, uint64_t process, enum inv_witness_id witness,
                             size_t bound, struct inv_list *list);

#endif
