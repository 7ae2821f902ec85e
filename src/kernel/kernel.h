// SPDX-License-Identifier: Apache-2.0
// The kernel found in an image: where it is, which build, which facts apply, and how surely. Every way of finding
// something is tried and remembered, so that the ways can be compared (invariant L18).
#ifndef INV_KERNEL_KERNEL_H
#define INV_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "facts/facts.h"
#include "image/image.h"
#include "paging/space.h"

// A value read from memory, or why it could not be read. `address` is where it stands either way.
struct inv_value {
	bool ok;
	uint64_t u;
	uint64_t address;
	struct inv_why why; // when !ok
};

// KUSER_SHARED_DATA stands here on every x64 and ARM64 Windows (KI_USER_SHARED_DATA, ntddk.h of the Windows Driver Kit).
#define INV_KUSER_SHARED_DATA UINT64_C(0xfffff78000000000)
// And here user mode reads it (MM_SHARED_USER_DATA_VA, ibid.): in the last 64 KiB below what MmHighestUserAddress was in 32-bit Windows,
// at their start; somewhere in them stands the page of the hypervisor's clock.
#define INV_USER_SHARED_DATA UINT64_C(0x7ffe0000)
#define INV_USER_SHARED_END UINT64_C(0x7fff0000)

// The ways by which the program finds where things are.
enum inv_way {
	INV_WAY_HEADER,      // the header of the image format
	INV_WAY_CPU,         // the registers of a CPU in the format's own notes
	INV_WAY_LOW_STUB,    // PROCESSOR_START_BLOCK in the first MiB of physical memory
	INV_WAY_SELF_MAP,    // a page that maps itself as a page table root
	INV_WAY_KDBG,        // KDDEBUGGER_DATA64
	INV_WAY_PE,          // the kernel's PE header and its RSDS record, found in the kernel half
	INV_WAY_MODULE_LIST, // PsLoadedModuleList (or a triage dump's list of drivers)
	INV_WAY_SYMBOL,      // the symbol of the facts, at base + RVA
	INV_WAY_SYSTEM,      // DirectoryTableBase of the System process
	INV_WAY_COUNT,
};
const char *inv_way_name(enum inv_way way); // "header", "low stub", ...

// What is found in several ways.
enum inv_anchor {
	INV_ANCHOR_DTB, // page table root of System, masked to bits 12..51
	INV_ANCHOR_KERNEL_BASE,
	INV_ANCHOR_KDBG,
	INV_ANCHOR_PS_ACTIVE_PROCESS_HEAD,
	INV_ANCHOR_PS_LOADED_MODULE_LIST,
	INV_ANCHOR_PSP_CID_TABLE,
	INV_ANCHOR_MM_PFN_DATABASE, // the address of the variable
	INV_ANCHOR_KI_PROCESSOR_BLOCK,
	INV_ANCHOR_BUILD,
	INV_ANCHOR_COUNT,
};
const char *inv_anchor_name(enum inv_anchor anchor);

struct inv_clue {
	enum inv_anchor anchor;
	enum inv_way way;
	bool ok;
	uint64_t value;     // when ok
	uint64_t where;     // where the value was read: a file offset (HEADER, CPU), else an address
	struct inv_why why; // when !ok: this way was tried and could not be read
	const char *note;   // e.g. "of a user process (the one that crashed)"; NULL for none
};

// KDDEBUGGER_DATA64, decoded if it was encoded. Values stand by their offset in the block (a documented structure:
// wdbgexts.h of the Windows SDK), so that any of them can be asked for.
#define INV_KDBG_MAX 0x400
struct inv_kdbg {
	bool found;
	bool encoded;
	uint64_t address; // 0 if unknown
	size_t size;
	uint8_t bytes[INV_KDBG_MAX];
};
// A value at an offset in the block; false if the block is absent or too short.
bool inv_kdbg_u64(const struct inv_kdbg *kdbg, unsigned offset, uint64_t *value);
bool inv_kdbg_u16(const struct inv_kdbg *kdbg, unsigned offset, uint16_t *value);

struct inv_module {
	uint64_t base;
	uint64_t size;
	uint32_t time_stamp;
	uint32_t checksum;
	uint64_t entry;          // LDR_DATA_TABLE_ENTRY, 0 for a triage dump's list
	const char *name;        // "ntoskrnl.exe"
	const char *path;        // NULL if not known
	struct inv_why name_why; // when name could not be read: name is then ""
};

struct inv_cpu {
	uint32_t number;
	uint64_t prcb;                     // virtual address of the KPRCB; 0 if not known
	bool current;                      // the CPU that wrote the dump
	const struct inv_cpu_claim *claim; // registers from the format's notes; NULL if it has none
	// A triage dump holds the KPRCB without its address: then the bytes stand here. NULL otherwise.
	const struct inv_section *section;
};

// The PDB that the kernel's PE header names.
struct inv_pdb {
	bool found;
	char name[64];
	uint8_t guid[16];
	uint32_t age;
};

enum inv_confidence {
	INV_CONFIDENCE_NONE,    // no facts
	INV_CONFIDENCE_PARTIAL, // only the sizes and offsets that this kernel's own KDBG gives; layout->partial is true
	INV_CONFIDENCE_NEAREST, // layout of another kernel of the build whose self-checks pass here
	INV_CONFIDENCE_VERSION, // the table of this version, identified by time stamp and size of image
	INV_CONFIDENCE_EXACT,   // the table of this very PDB
};
const char *inv_confidence_name(enum inv_confidence confidence);

struct inv_kernel {
	const struct inv_image *image;
	const struct inv_log *log;
	struct inv_progress *progress; // of whatever is done with it; NULL: nobody looks
	struct inv_arena *arena;
	struct inv_space *space; // the kernel's address space: page tables, or fragments
	bool fragments;          // a triage dump

	enum inv_arch arch;
	uint64_t dtb;               // 0 if not known
	uint64_t base;              // 0 if not known
	uint64_t size;              // SizeOfImage, 0 if not known
	uint32_t time_stamp;        // of the PE header or of the module list
	struct inv_version version; // build 0 if not known; revision 0 if not known
	const char *version_source;
	struct inv_pdb pdb;
	struct inv_kdbg kdbg;

	// The facts in use. `layout` is NULL when there are none; `rva` is NULL unless they are those of this kernel.
	const struct inv_layout *layout;
	const uint32_t *rva;
	const uint32_t *export_rva; // INV_SYMBOL_COUNT RVAs by the kernel's own export directory; NULL if it was not read
	enum inv_confidence confidence;
	const char *facts_source; // one sentence: which table and why
	size_t self_check_count;  // what was checked before a nearest layout was taken
	const char *const *self_checks;

	size_t clue_count;
	const struct inv_clue *clues;

	size_t module_count;
	const struct inv_module *modules;
	bool modules_complete;    // the list closed
	const char *modules_note; // why not; NULL if complete

	size_t cpu_count;
	const struct inv_cpu *cpus;

	struct inv_value system_time; // FILETIME when the image was taken
	struct inv_value boot_time;

	// Triage dumps: the addresses of the dumped process and thread, 0 if not known.
	uint64_t current_process, current_thread, current_prcb;
	const char *current_note; // triage dumps: how these three addresses were found; else NULL
};

struct inv_kernel_options {
	struct inv_symbols *symbols; // NULL: only the built-in table
	const struct inv_log *log;
	struct inv_progress *progress; // NULL: nobody looks, and nobody interrupts
};

// Finds the kernel. On success even little may be known: fields say so. INV_E_NO_KERNEL if nothing that can be read
// was found. The image must outlive the kernel.
INV_MUST_USE enum inv_code inv_kernel_identify(const struct inv_image *image, const struct inv_kernel_options *options,
                                               struct inv_kernel **kernel, struct inv_error *error);
void inv_kernel_free(struct inv_kernel *kernel); // NULL is allowed

// The address of a global: from the facts if they are this kernel's own, else from KDBG where it has the value, else from
// the kernel's export directory (INV_WAY_PE), else as the image's header claims. `way` (may be NULL) tells which. The
// result's `u` is the address; INV_NO_SYMBOL otherwise.
struct inv_value inv_kernel_symbol(const struct inv_kernel *kernel, enum inv_symbol symbol, enum inv_way *way);

// Is this known of the kernel's build? (facts/known.c)
bool inv_knows(const struct inv_kernel *kernel, enum inv_known what);

// Reading by the kernel's layout: a field of the object at `address`. Pointers, lists' Flink and integers come
// zero-extended in `u`; bit fields are shifted down; INV_FASTREF is masked to the pointer. A structure or a
// UNICODE_STRING is not read: `u` is its address.
struct inv_value inv_field(const struct inv_kernel *kernel, uint64_t address, enum inv_field field);
// It could be read, and is not zero.
bool inv_field_is_set(const struct inv_kernel *kernel, uint64_t address, enum inv_field field);
// It could be read, and is zero.
bool inv_field_is_zero(const struct inv_kernel *kernel, uint64_t address, enum inv_field field);
// Where that field stands; false if the layout has no such field.
bool inv_field_address(const struct inv_kernel *kernel, uint64_t address, enum inv_field field, uint64_t *where);
struct inv_value inv_read_u64(const struct inv_kernel *kernel, uint64_t address);
struct inv_value inv_read_u32(const struct inv_kernel *kernel, uint64_t address);
// A UNICODE_STRING at `address` as UTF-8 (at most 32 KiB of it); `value->u` is its length in bytes. What could be read is
// returned even when the rest could not (`value->ok` is false then); never NULL. `value` may be NULL.
const char *inv_read_unicode(const struct inv_kernel *kernel, uint64_t address, struct inv_arena *arena,
                             struct inv_value *value);

// A field of a CPU's KPRCB: by its address, or from the section of a triage dump (the value's `address` is then 0).
struct inv_value inv_cpu_field(const struct inv_kernel *kernel, const struct inv_cpu *cpu, enum inv_field field);

// The module that holds `address`; NULL if none.
const struct inv_module *inv_kernel_module_at(const struct inv_kernel *kernel, uint64_t address);

#endif
