// SPDX-License-Identifier: Apache-2.0
// What kind of process each is: native, of the console, with windows, with graphics, a service, in a container, minimal. Several
// parts of Windows know, each for itself: the header of its program, what user mode says of itself, win32k, dxgkrnl, csrss, its token.
// What each of them says is kept, and no name is asked. That they may say different things is normal (a program for windows has none
// before its first USER call); where they cannot, the invariants say so.
#ifndef INV_INVARIANT_CLASS_H
#define INV_INVARIANT_CLASS_H

#include "invariant/inside.h"

enum inv_class_bit {
	INV_CLASS_MINIMAL = 1,    // it runs no program, by its role
	INV_CLASS_NATIVE = 2,     // its program is for no subsystem, by the section that it runs
	INV_CLASS_CONSOLE = 4,    // its program is for the console
	INV_CLASS_GUI = 8,        // it has a W32PROCESS
	INV_CLASS_HEADLESS = 16,  // its program is for windows, and it has no W32PROCESS
	INV_CLASS_GRAPHICS = 32,  // it has a DXGPROCESS
	INV_CLASS_SERVICE = 64,   // its token is a service's
	INV_CLASS_CONTAINER = 128 // it is in a server silo
};
#define INV_CLASS_BITS 8u
const char *inv_class_name(unsigned bit_number); // "minimal", "native", ...

enum inv_claim_id {
	INV_CLAIM_IMAGE,    // the subsystem by the section that it runs: "native", "windows", "console", "other", "none"
	INV_CLAIM_HEADER,   // by the header that is mapped
	INV_CLAIM_PEB,      // by PEB.ImageSubsystem
	INV_CLAIM_CONSOLE,  // ConsoleHandle of its parameters: "console", "none"
	INV_CLAIM_ROUTINES, // PEB.KernelCallbackTable: "gui", "none"
	INV_CLAIM_LOADER, // the loader's lists have the image in which most processes with windows have these routines: "gui", "none"
	INV_CLAIM_RANGES,   // so have its VADs
	INV_CLAIM_WIN32K,   // W32PROCESS: "gui", "none"
	INV_CLAIM_THREADS,  // threads with a THREADINFO
	INV_CLAIM_DESKTOPS, // threads on desktops
	INV_CLAIM_DXGKRNL,  // DXGPROCESS: "graphics", "none"
	INV_CLAIM_CSRSS,    // "csrss", "client", "none"
	INV_CLAIM_TOKEN,    // "service", "none"
	INV_CLAIM_SILO,     // "container", "none"
	INV_CLAIM_COUNT
};
struct inv_class_claim {
	const char *says;       // static text; NULL: not known
	struct inv_value value; // where it stands, and what stands there; of threads how many there are
};
const char *inv_claim_name(enum inv_claim_id id); // "image", "header", ...
enum inv_tier inv_claim_tier(enum inv_claim_id id);

struct inv_class {
	unsigned is; // bits; 0: nothing says
	const char *says[INV_CLAIM_COUNT];
};
// "gui graphics", in the order of the bits; "" if nothing says. In the arena.
const char *inv_class_text(unsigned is, struct inv_arena *arena);

// How many threads of each process are on desktops: read once for all.
struct inv_desktop_count {
	uint64_t process;
	size_t threads;
};
struct inv_class_books {
	const struct inv_dossiers *dossiers;
	struct inv_desktop_count *desktops; // stb_ds, by process
	bool desktops_known;                // every desktop that was found could be followed
};
void inv_class_books_read(const struct inv_dossiers *dossiers, struct inv_class_books *books);
void inv_class_books_free(struct inv_class_books *books);

// What is said of one process, and what it is by that. `inside` is the process' own, or NULL where it has none that can be read; its
// survey of pages is not needed. `sections` are asked for its image, and `arena` holds its token.
unsigned inv_class_read(const struct inv_class_books *books, const struct inv_dossier *process,
                        struct inv_control_areas *sections, const struct inv_inside *inside, struct inv_arena *arena,
                        struct inv_class_claim claims[INV_CLAIM_COUNT]);

// IMAGE_SUBSYSTEM_...
#define INV_SUBSYSTEM_IS_NATIVE 1u
#define INV_SUBSYSTEM_IS_WINDOWS 2u
#define INV_SUBSYSTEM_IS_CONSOLE 3u
// The subsystem of the optional header that is mapped, which is the process' own to write.
struct inv_value inv_mapped_subsystem(const struct inv_inside *inside);
// The subsystem of the section that the process runs.
struct inv_value inv_section_subsystem(const struct inv_inside *inside);
// PEB.KernelCallbackTable, and ConsoleHandle of the process parameters. Unknown as not ok.
struct inv_value inv_window_table(const struct inv_inside *inside);
struct inv_value inv_console_handle(const struct inv_inside *inside);
// A range of the process that maps one of these images (views.window_images or client_images), but for the one around `not_this`; NULL:
// none does.
const struct inv_vad *inv_range_among(const struct inv_inside *inside, const uint64_t *images, uint64_t not_this);

#endif
