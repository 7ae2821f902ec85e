// SPDX-License-Identifier: Apache-2.0
// The inside of one process, as far as the judges of families 3 to 5 need it: ranges, pages, sections, its image, what it says of
// itself in user mode, its threads. Read for one process at a time, judged, and let go.
#ifndef INV_INVARIANT_INSIDE_H
#define INV_INVARIANT_INSIDE_H

#include "invariant/invariant.h"
#include "nt/peb.h"
#include "nt/section.h"
#include "nt/user.h"
#include "nt/vad.h"
#include "nt/win32k.h"

// A page that says something by itself.
enum inv_page_kind {
	INV_PAGE_UNCOVERED,  // valid, and no VAD covers it
	INV_PAGE_EXECUTABLE, // private, and may be executed, in a range that was not made for it
	INV_PAGE_WRITABLE_EXECUTABLE,
	INV_PAGE_BEYOND, // of a view, and may be executed or written to for all who share it, which the view or the section forbids
	INV_PAGE_FOREIGN,    // its PFN entry says that it belongs elsewhere
	INV_PAGE_SUPERVISOR, // of the user half, and not for user mode
	INV_PAGE_PATCHED,    // executable, of an image, private, and not what the file's page holds
	INV_PAGE_COPIED,     // the same, and equal, or the file's page is not in the image
	INV_PAGE_HEADER,     // begins as a PE file does, outside of image ranges
	INV_PAGE_KINDS,
};
const char *inv_page_kind_name(enum inv_page_kind kind);
struct inv_page_note {
	enum inv_page_kind kind;
	struct inv_user_page page;
	const struct inv_vad *vad; // NULL: none
	uint64_t prototype;        // address of the prototype PTE, if there is one
	uint64_t shared;           // physical address of the file's page, 0: not in memory
	struct inv_value pfn;      // PFN entry: its address, and PteAddress
};
#define INV_PAGE_NOTES 256u // kept of each kind; all are counted

// What the pages of one VAD amount to.
struct inv_range_pages {
	uint32_t valid, executable, writable_executable, private_copies /* of code */, transition, paged_out;
	uint32_t own;       // of an image: code or not, what only this process has
	uint32_t own_fixed; // of these: headers, code, and what else is not made to be written to
};

struct inv_survey {
	bool complete;      // every page table could be read
	struct inv_why why; // why not
	size_t pages;       // valid ones
	size_t private_pages, shared_pages;
	size_t tables_missing;
	bool pfn_known;     // there is a PFN database to ask
	size_t pfn_missing; // valid pages of which nothing says whose they are
	size_t locked;      // in ranges whose pages are in no working set: of AWE, large pages, devices, physical memory
	size_t lent;        // in ranges for memory that is somebody else's: of a device, AWE, large pages
	size_t
	    combined; // read-only, and shared by a prototype PTE that is no section's: combined with equal pages, or with a clone
	size_t kernel_shown; // read-only, of the kernel's own, where it shows user mode its clock
	size_t
	    loose; // pages of views in a 32-bit process that may be executed though the view forbids it: it may be without DEP
	struct inv_value
	    user_by_kernel; // an entry of the kernel half that user mode may use: its physical address and value
	struct inv_range_pages *ranges; // stb_ds, one for each VAD of the tree, in its order
	struct inv_page_note *notes;    // stb_ds, by kind, then address
	size_t noted[INV_PAGE_KINDS];   // how many there are of each
};

// A range of user addresses that maps a control area, of any process.
struct inv_view {
	uint64_t vad;     // MMVAD
	uint64_t area;    // CONTROL_AREA
	uint64_t process; // in whose tree it stands
};
// The prototype PTEs of a subsection.
struct inv_prototypes {
	uint64_t start, end; // addresses
	uint64_t area;
};
// Where the PEB of a process says that win32k finds what it calls in user mode (KernelCallbackTable).
struct inv_window_routines {
	uint64_t process;
	uint64_t table;
	uint64_t area; // the image that it lies in; 0: in none
};
// What all processes together map.
struct inv_views {
	struct inv_view *views;               // stb_ds, by control area, then VAD
	struct inv_prototypes *prototypes;    // stb_ds, by start
	uint64_t *incomplete;                 // stb_ds, sorted: processes whose tree could not be read to its end
	struct inv_window_routines *routines; // stb_ds, by process; of those that have a table
	uint64_t *window_images; // stb_ds, rising: images that the tables of at least INV_VOTE_LEAST processes lie in
	uint64_t *
	    client_images; // stb_ds, rising: images that more than half of those map who have an exception port, of so many
	bool full;         // there were more than INV_VIEWS_BOUND
};
#define INV_VIEWS_BOUND ((size_t)1 << 21)
// The first view of a control area; further ones follow it. NULL with *count 0: none.
const struct inv_view *inv_views_of(const struct inv_views *views, uint64_t area, size_t *count);
// The control area whose prototype PTE stands at this address; 0: of none that a process maps.
uint64_t inv_prototype_owner(const struct inv_views *views, uint64_t prototype);

// The image that the process runs, as the kernel has it.
struct inv_main_image {
	struct inv_value base;                  // EPROCESS.SectionBaseAddress
	struct inv_value section_object;        // EPROCESS.SectionObject
	struct inv_value area;                  // its control area
	const struct inv_control_area *section; // NULL: unreadable
	struct inv_value file_pointer;          // EPROCESS.ImageFilePointer
	struct inv_file file;                   // what that leads to
	const struct inv_vad *vad;              // that starts at the base; NULL: none
};

struct inv_known_files;
struct inv_inside {
	const struct inv_dossiers *dossiers;
	const struct inv_dossier *process;
	struct inv_arena *arena; // of what is read for this process
	struct inv_control_areas *sections;
	struct inv_user *user; // NULL: its memory cannot be read
	struct inv_why why;    // why not
	struct inv_vad_tree vads;
	struct inv_survey survey;
	struct inv_main_image image;
	struct inv_peb peb;                        // address 0: it has none, or it could not be read
	struct inv_peb peb32;                      // of a WOW64 process
	const struct inv_known_files *files;       // that programs run from; the caller's to give
	const struct inv_thread_dossier **threads; // of this process, by address
	size_t thread_count;
};

// Whether the process has an inside to be judged: it lives, has user memory, and is none of the kernel's own processes.
bool inv_has_inside(const struct inv_dossier *process, const struct inv_kernel *kernel);

// Adds the verdicts on one process. Between inv_judge_all() and inv_judge_settle().
void inv_judge_inside(struct inv_judge *judge, const struct inv_inside *inside);
// In place of it, for a process that is not looked into because the check was interrupted.
void inv_judge_not_inside(struct inv_judge *judge);
// In its place when none can be read: what is about the inside alone is unknown for this reason, static text.
void inv_judge_no_inside(struct inv_judge *judge, const char *reason);

#endif
