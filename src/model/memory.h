// SPDX-License-Identifier: Apache-2.0
// What the memory manager and the loader keep: files with their sections, address spaces, modules. Still no memory layout:
// a page number orders ranges and says which ones overlap, nothing more.
//
// Sources. Names and meaning of the records: the public symbol tables, "Windows Internals" 7th edition part 1 chapter 5, and
// Microsoft's documentation of the calls. In which order a call changes them was not read in the kernel's code: it is that of
// ReactOS' memory manager, or the model's choice; taken together: not verified.
#ifndef INV_MODEL_MEMORY_H
#define INV_MODEL_MEMORY_H

#include "model/object.h"

#define INV_MODEL_LOWEST_PAGE 0x10ull         // of user space: the first 64 KB are never given out
#define INV_MODEL_HIGHEST_PAGE 0x7fffffeffull // the last 64 KB of 128 TB neither
#define INV_MODEL_GRANULARITY 16ull           // pages: ranges begin at 64 KB
#define INV_MODEL_MAX_PAGES 64u               // of a range or a section; the model's own limit
#define INV_MODEL_MAX_VADS 64u                // of one process that asks for them; ditto

struct inv_model_thread;

// The MM_* values of a VAD's protection; in page-table entries the same five bits.
enum inv_model_protection {
	INV_PROTECT_NONE = 0, // not said
	INV_PROTECT_READONLY = 1,
	INV_PROTECT_EXECUTE = 2,
	INV_PROTECT_EXECUTE_READ = 3,
	INV_PROTECT_READWRITE = 4,
	INV_PROTECT_WRITECOPY = 5,
	INV_PROTECT_EXECUTE_READWRITE = 6,
	INV_PROTECT_EXECUTE_WRITECOPY = 7,
};

// -- files ------------------------------------------------------------------------------------------------------------------
struct inv_model_area;

// A file as its file system knows it, with its SECTION_OBJECT_POINTERS. It lasts as long as a file object leads to it.
struct inv_model_stream {
	uint64_t number;                             // which file: stands for its path
	uint32_t pages;                              // its size, as a program and as data
	uint32_t references;                         // file objects
	uint32_t with_handles;                       // those that are not cleaned up
	uint32_t references_seen, with_handles_seen; // scratches of inv_model_check()
	struct inv_model_area *image_section_object, *data_section_object;
	bool delete_pending; // to be deleted with the last handle
	bool deleted;        // is no longer in its directory
	struct inv_model_link list;
};

// FILE_OBJECT.
struct inv_model_file {
	struct inv_model_object object;
	struct inv_model_stream *stream; // FsContext and SectionObjectPointer; NULL once it is being deleted
	bool write_access, delete_pending;
	bool cleaned_up; // the last handle is closed, or there never was one
};

// -- sections ---------------------------------------------------------------------------------------------------------------
enum inv_model_backing {
	INV_MODEL_IMAGE,    // SEC_IMAGE
	INV_MODEL_DATA,     // of a file
	INV_MODEL_PAGEFILE, // of none
};

// What a prototype PTE says of a page of a segment.
enum inv_model_prototype_state {
	INV_PROTOTYPE_BACKING,    // where it first came from: the file, or zeros
	INV_PROTOTYPE_VALID,      // some working set has it
	INV_PROTOTYPE_TRANSITION, // on the standby or modified list
	INV_PROTOTYPE_PAGED_OUT,  // in a page file
};

struct inv_model_prototype {
	enum inv_model_prototype_state state;
	uint32_t share_count; // MMPFN.u2.ShareCount: page-table entries that have it valid
	uint32_t shares_seen; // a scratch of inv_model_check()
};

// CONTROL_AREA with its SEGMENT.
struct inv_model_area {
	uint64_t serial;
	enum inv_model_backing backing;
	struct inv_model_stream *stream;     // NULL: the page file
	struct inv_model_file *file_pointer; // references it, from the end of its creation to its deletion
	bool being_created, being_deleted;
	uint32_t number_of_section_references;
	uint32_t number_of_mapped_views;
	uint32_t number_of_user_references; // sections and views that user mode asked for
	uint32_t number_of_pfn_references;  // pages of the segment that are in memory
	struct inv_model_prototype *prototypes;
	uint32_t number_of_committed_pages; // of a segment without a file
	uint32_t pages;
	uint64_t based_address;       // page at which images are mapped, if it is free
	struct inv_model_link views;  // head: VADs by their ViewLinks
	struct inv_model_link unused; // MiUnusedSegmentList: nothing refers to it, but pages of it are in memory
	struct inv_model_link list;   // of the model alone: all of them
	// Scratch of inv_model_check().
	uint32_t sections_seen, views_seen, users_seen;
};

struct inv_model_section {
	struct inv_model_object object;
	struct inv_model_area *area;
	bool user_reference; // made for user mode
};

// -- address spaces ---------------------------------------------------------------------------------------------------------
// What a page-table entry says.
enum inv_model_page_state {
	INV_MODEL_PAGE_ZERO,       // nothing: the VAD says what it is
	INV_MODEL_PAGE_PRIVATE,    // valid, the process' own
	INV_MODEL_PAGE_TRANSITION, // its own, on the standby or modified list
	INV_MODEL_PAGE_PAGED_OUT,  // its own, in a page file
	INV_MODEL_PAGE_SHARED,     // valid, through the prototype
	INV_MODEL_PAGE_PROTOTYPE,  // was valid through the prototype
	INV_MODEL_PAGE_DECOMMITTED,
};

struct inv_model_page {
	enum inv_model_page_state state;
	enum inv_model_protection protection;
	bool committed; // counts in CommitCharge
};

enum inv_model_vad_type {
	INV_MODEL_VAD_PRIVATE, // VadNone, PrivateMemory
	INV_MODEL_VAD_MAPPED,  // VadNone
	INV_MODEL_VAD_IMAGE,   // VadImageMap
};

enum inv_model_purpose {
	INV_PURPOSE_NONE,
	INV_PURPOSE_IMAGE_BASE, // the program
	INV_PURPOSE_SYSTEM_DLL, // ntdll
	INV_PURPOSE_NLS,        // the tables of MmCreatePeb
	INV_PURPOSE_PEB,
	INV_PURPOSE_HEAP, // with the loader's records in it
	INV_PURPOSE_TEB,
	INV_PURPOSE_STACK,
	INV_PURPOSE_MODULE, // what the loader maps
};

// MMVAD.
struct inv_model_vad {
	struct inv_model_process *process; // VadsProcess
	enum inv_model_vad_type type;
	enum inv_model_purpose purpose;
	uint64_t start, end;                  // StartingVpn, EndingVpn: the last page, as there
	enum inv_model_protection protection; // as it was first asked for
	bool mem_commit;                      // MemCommit: committed as a whole
	bool inherit;                         // a clone gets it
	bool user_reference;                  // NumberOfUserReferences counts it
	struct inv_model_area *area;          // NULL: private
	uint32_t first_prototype;             // its first page in the segment
	struct inv_model_page *pages;
	struct inv_model_link node;             // in its place in the tree
	struct inv_model_link view;             // ViewLinks
	struct inv_model_link block;            // of the model alone: all of them
	uint64_t teb_process_id, teb_thread_id; // TEB.ClientId, of a TEB
};

// The part of EPROCESS that its address space is recorded in. Sizes are in pages.
struct inv_model_space {
	struct inv_model_link vad_root; // head: in the order of addresses
	uint32_t vad_count;
	struct inv_model_vad *vad_hint; // one that was lately found or inserted
	uint64_t virtual_size;
	uint64_t number_of_private_pages; // that were given a page, wherever it is now (meaning: not verified)
	uint64_t commit_charge;           // without page tables
	uint64_t working_set_size;        // without page tables
	bool address_creation_lock;       // held: the counters may be behind the tree
};

// -- the loader -------------------------------------------------------------------------------------------------------------
// LDR_DATA_TABLE_ENTRY.
struct inv_model_module {
	uint64_t dll_base;
	uint32_t pages;   // SizeOfImage
	uint64_t stream;  // FullDllName
	bool initialized; // its entry point was called
	struct inv_model_link in_load_order, in_memory_order, in_initialization_order;
	struct inv_model_link block; // of the model alone: all of them
};

// What stands of it in the process' own memory: PEB, PEB_LDR_DATA, RTL_USER_PROCESS_PARAMETERS.
struct inv_model_ldr {
	uint64_t image_base_address; // PEB
	uint64_t image_path_name;    // of the parameters: number of the file
	bool initialized;            // PEB_LDR_DATA.Initialized
	struct inv_model_link in_load_order, in_memory_order, in_initialization_order; // heads
	uint64_t lock_owner;                                                           // LoaderLock.OwningThread; 0: free
};

// -- APCs -------------------------------------------------------------------------------------------------------------------
enum inv_model_apc_mode { INV_APC_KERNEL, INV_APC_USER, INV_APC_MODE_COUNT };

struct inv_model_apc {
	struct inv_model_thread *thread;
	enum inv_model_apc_mode mode; // ApcMode
	bool inserted;
	bool running; // its routine is under way
	bool suspend; // SchedulerApc: part of the thread
	struct inv_model_link list;
	struct inv_model_link block; // of the model alone: all that are allocated
	bool seen;                   // a scratch of inv_model_check()
};

// KAPC_STATE.
struct inv_model_apc_state {
	struct inv_model_link lists[INV_APC_MODE_COUNT]; // heads
	bool kernel_apc_in_progress, kernel_apc_pending, user_apc_pending;
};

#endif
