// SPDX-License-Identifier: Apache-2.0
// Memory of the user half of a process, and what stands in it: ranges, images, PEB, TEBs.
#ifndef INV_FORGE_USER_H
#define INV_FORGE_USER_H

#include "forge/machine.h"
#include "forge/section.h"

// Protection as PTEs and VADs hold it (MM_READONLY to MM_EXECUTE_WRITECOPY).
#define INV_MM_NOACCESS 0x18u
#define INV_MM_READONLY 1u
#define INV_MM_EXECUTE 2u
#define INV_MM_EXECUTE_READ 3u
#define INV_MM_READWRITE 4u
#define INV_MM_WRITECOPY 5u
#define INV_MM_EXECUTE_READWRITE 6u
#define INV_MM_EXECUTE_WRITECOPY 7u

// An image that a process has mapped.
struct inv_forge_user_module {
	const struct inv_forge_file *file;
	const struct inv_user_image
	    *image; // its bytes as loaded where the file's section wants to be, exports and sections
	uint64_t base;
	uint32_t size;  // SizeOfImage
	uint32_t entry; // RVA, 0: none
	uint32_t time_stamp, checksum;
	bool wow64; // of 32-bit code
};

// -- ranges (vad.c) ---------------------------------------------------------------------------------------------------------
// MmProtectToValue, when the machine boots.
void inv_machine_put_protections(struct inv_machine *machine);
// The range around an address; NULL: none. It stays where it is until the next one comes or goes.
struct inv_forge_vad *inv_machine_vad_of(const struct inv_forge_process *process, uint64_t address);
// Adds a range (its address is filled in); false: one stands there already.
bool inv_machine_add_vad(struct inv_machine *machine, struct inv_forge_process *process, struct inv_forge_vad vad);
// Takes off the tree what starts there, and frees its block. Pages are left as they are.
void inv_machine_remove_vad(struct inv_machine *machine, struct inv_forge_process *process, uint64_t start);
// Links the ranges of the process into a tree anew, and writes how many they are; nothing else that tells of them.
void inv_machine_link_vads(struct inv_machine *machine, const struct inv_forge_process *process);
// Where the first free range of this size begins, at a multiple of 64 KiB.
uint64_t inv_machine_free_place(const struct inv_forge_process *process, uint64_t size);
// Adds to a count that the VAD or its process keeps (CommitCharge, NumberOfPrivatePages, ...).
void inv_machine_add_to(struct inv_machine *machine, uint64_t object, enum inv_field field, int64_t step);

// -- pages (user.c) ---------------------------------------------------------------------------------------------------------
// The bits of a PTE with this protection, but for INV_PTE_VALID and INV_PTE_USER.
uint64_t inv_protection_flags(unsigned protection);
// A valid PTE of user memory. What is written is made dirty by who writes.
uint64_t inv_pte_user(uint64_t frame, unsigned protection);
// Maps a page of memory that only this process has. A range that covers it is the caller's to make.
void inv_machine_map_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                          uint64_t flags);
// `size` bytes of private, committed memory with a VAD of its own at `at`, or anywhere fitting if that is 0; every page is mapped.
// The address; 0: there is a range already.
uint64_t inv_machine_alloc_user(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                uint64_t size, unsigned protection);
// The same of pages that are locked in memory and in no working set (learn.microsoft.com, "Large-Page Support" and "Address Windowing
// Extensions"): pages of 2 MiB, or pages that the program was given first (AllocateUserPhysicalPages) and then mapped.
#define INV_VAD_AWE 3u // MI_VAD_TYPE: VadAwe, VadLargePages
#define INV_VAD_LARGE 5u
#define INV_LARGE_PAGE 0x200000u
// What the PFN entries of pages for AWE name, which is not verified: nothing, the PTE that leads to the page, one that does no more.
enum inv_awe_entries { INV_AWE_EMPTY, INV_AWE_OWN, INV_AWE_STALE };
uint64_t inv_machine_alloc_locked(struct inv_machine *machine, struct inv_forge_process *process, uint64_t at,
                                  uint64_t size, unsigned protection, uint8_t type, enum inv_awe_entries entries);
// The page fault of an access: afterwards the page is mapped, and with `write` it may be written to: of a page of a section that is
// private to the process or read only, a copy that only this process has, as WriteProcessMemory makes it. false: no range is there.
bool inv_machine_touch(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                       bool write);
// Writes what the process sees, with the faults that this takes.
void inv_machine_write_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                            const void *bytes, size_t size);
// VirtualProtectEx: PTEs are rewritten, and the VAD keeps the protection of the beginning. false: not one range.
bool inv_machine_protect(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                         uint64_t size, unsigned protection);
// The pages of a range go; and those of a range of another process are copied, into a range that stands there already.
void inv_machine_release_pages(struct inv_machine *machine, struct inv_forge_process *process,
                               const struct inv_forge_vad *vad);
void inv_machine_copy_pages(struct inv_machine *machine, struct inv_forge_process *process,
                            const struct inv_forge_process *from, const struct inv_forge_vad *vad);
// What becomes of a page that nobody touches for long.
enum inv_forge_page {
	INV_PAGE_TRANSITION, // out of the working set, still in memory
	INV_PAGE_PAGED,      // in the page file, or read from its file again
	INV_PAGE_DEMAND,     // never touched: zeros, or the file's content
	INV_PAGE_COMPRESSED, // in the compressed store
};
// false: the page has no such state (no range there, no compressed store in this kernel, a shared page that others use).
bool inv_machine_page_state(struct inv_machine *machine, struct inv_forge_process *process, uint64_t address,
                            enum inv_forge_page state);
// A field of a structure in user memory: the same layout, another set of page tables. Fields of part of a byte are left out.
void inv_machine_put_user(struct inv_machine *machine, const struct inv_forge_process *process, uint64_t object,
                          enum inv_field field, uint64_t value);
// Reads what the process sees; false, and zeros, where nothing is mapped.
bool inv_machine_read_user(const struct inv_machine *machine, const struct inv_forge_process *process, uint64_t address,
                           void *buffer, size_t size);

// -- views of sections (view.c) ---------------------------------------------------------------------------------------------
// Maps pages of an area at `at` (0: anywhere fitting), with the VAD's protection. No page is touched. Its address, 0: none is free.
uint64_t inv_machine_map_view(struct inv_machine *machine, struct inv_forge_process *process,
                              struct inv_forge_area *area, uint64_t at, uint32_t first, uint32_t pages,
                              unsigned protection);
// Takes away the range that starts at `base`, its pages, and if it is one the module. false: there is none.
bool inv_machine_unmap(struct inv_machine *machine, struct inv_forge_process *process, uint64_t base);
// Maps the file as an image: where its section wants to be, or at `base` if that is not 0, and most of its pages. The base; 0: a range
// is there. What is mapped elsewhere than its section wants to be is not relocated. `kind`: see inv_machine_image_area().
uint64_t inv_machine_map_image(struct inv_machine *machine, struct inv_forge_process *process,
                               struct inv_forge_file *file, unsigned kind, uint64_t base);
// NULL: the process has no such module (names as of files, whatever their case).
const struct inv_forge_user_module *inv_machine_find_module(const struct inv_forge_process *process, const char *name);
// MmCleanProcessAddressSpace: no ranges, no modules, no user half.
void inv_machine_clean_space(struct inv_machine *machine, struct inv_forge_process *process);
// The ranges of another process and copies of its private pages, for a clone. (Windows shares the pages until one is written to.)
void inv_machine_copy_space(struct inv_machine *machine, struct inv_forge_process *process,
                            struct inv_forge_process *from);
// The DLLs that a process has beside its program: those of every process, and `more`.
void inv_machine_map_dlls(struct inv_machine *machine, struct inv_forge_process *process, unsigned more);
// EPROCESS.SectionObject and ImageFilePointer of a process that runs its program (`shared`: those of the process that it is a clone
// of; NULL: its own); and the end of that.
void inv_machine_give_section(struct inv_machine *machine, struct inv_forge_process *process,
                              struct inv_forge_process_section *shared);
void inv_machine_drop_section(struct inv_machine *machine, struct inv_forge_process *process);

// -- the PEB (peb.c) --------------------------------------------------------------------------------------------------------
// After the image is mapped, in a process that has a session already if it gets one.
void inv_machine_make_peb(struct inv_machine *machine, struct inv_forge_process *process);

#endif
