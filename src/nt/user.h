// SPDX-License-Identifier: Apache-2.0
// The user half of a process: its memory by virtual address, and its pages as the page tables have them.
#ifndef INV_NT_USER_H
#define INV_NT_USER_H

#include "kernel/kernel.h"

// Reads the user half of one process. The kernel must outlive it. Costs little; make one for as long as it is needed.
struct inv_user;

// NULL with `why` when the process has no page tables to read: DirectoryTableBase is 0 or unreadable, the image holds no page
// tables, or the architecture's cannot be read. `dtb` is KPROCESS.DirectoryTableBase.
struct inv_user *inv_user_open(const struct inv_kernel *kernel, uint64_t process, struct inv_why *why);
void inv_user_close(struct inv_user *user); // NULL is allowed
// For addresses of both halves; reads through prototype and transition PTEs.
struct inv_space *inv_user_space(const struct inv_user *user);
uint64_t inv_user_end(const struct inv_user *user); // the first address behind the user half
const struct inv_kernel *inv_user_kernel(const struct inv_user *user);

// As inv_field(), inv_read_unicode() and so on, in the process' own address space.
struct inv_value inv_user_field(const struct inv_user *user, uint64_t address, enum inv_field field);
// By another layout than the kernel's: that of 32-bit structures in a WOW64 process.
struct inv_value inv_user_field_by(const struct inv_user *user, const struct inv_layout *layout, uint64_t address,
                                   enum inv_field field);
struct inv_value inv_user_u64(const struct inv_user *user, uint64_t address);
struct inv_value inv_user_u32(const struct inv_user *user, uint64_t address);
// A UNICODE_STRING (`narrow`: UNICODE_STRING32) at `address`: the text as UTF-8, what could be read of it; `value->u` is Length.
const char *inv_user_unicode(const struct inv_user *user, uint64_t address, bool narrow, struct inv_arena *arena,
                             struct inv_value *value);

// An entry of the last level, or of a large page, that is not zero.
struct inv_user_page {
	uint64_t address;                // virtual
	uint64_t size;                   // 4 KiB, 2 MiB, 1 GiB
	uint64_t entry;                  // the PTE as it stands
	uint64_t entry_at;               // physical address of the PTE; its page is the page table's frame
	bool valid;                      // the CPU uses it
	bool user, writable, executable; // of a valid one: what the whole way grants, by the root that user mode uses
	bool may_write; // writable, or the memory manager makes it so at the first write (MMPTE_HARDWARE.Write)
	uint64_t frame; // physical address of the page, of a valid one
	bool wayward;   // a table on the way is not marked for user mode
};
// The most entries and tables to be looked at in one process: 128 GiB of single pages.
#define INV_USER_PAGES_BOUND ((size_t)1 << 25)
// Calls `each` for every such entry of the user half in order of addresses, valid or not; it ends early when `each` returns false.
// Page tables that are not in the image, or that lead back to one on the way, are counted in `*missing`. At most `bound` entries and
// tables together; false when it was reached.
bool inv_user_pages(const struct inv_user *user, size_t bound,
                    bool (*each)(void *context, const struct inv_user_page *page), void *context, size_t *missing);

#endif
