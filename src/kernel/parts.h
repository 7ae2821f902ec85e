// SPDX-License-Identifier: Apache-2.0
// What the parts of the kernel floor share while they identify a kernel. Not for other floors.
#ifndef INV_KERNEL_PARTS_H
#define INV_KERNEL_PARTS_H

#include "kernel/kdbg.h"
#include "kernel/kernel.h"
#include "kernel/pe.h"
#include "paging/frame.h"

// Where Windows loads the kernel and its drivers: PML4 entries 0x1f0 and 0x1f1.
#define INV_IMAGE_AREA_START 0xfffff80000000000ull
#define INV_IMAGE_AREA_END 0xfffff90000000000ull

// A kernel while it is being identified, and what it owns afterwards.
struct inv_work {
	struct inv_kernel kernel; // first: inv_kernel_free() is given its address
	struct inv_symbols *symbols;
	struct inv_clue *clues;
	struct inv_module *modules;
	struct inv_cpu *cpus;
	const char **self_checks;
	struct inv_pe pe; // of the kernel, when it could be read; pe.base is 0 otherwise
	const struct inv_build_row *row;
	uint64_t low_stub_entry; // PROCESSOR_START_BLOCK's kernel entry, 0 if there is none
	uint64_t looked_at;      // pages in which the kernel was looked for so far, over all roots
};

// A possible root of the page tables.
struct inv_root {
	uint64_t dtb;
	enum inv_way way;
	uint64_t where;  // file offset for HEADER and CPU, else a physical address
	unsigned levels; // 4 or 5 if the source says so, 0 if it does not
	const char *note;
};
#define INV_MAX_ROOTS 96

struct inv_roots {
	size_t count;
	struct inv_root root[INV_MAX_ROOTS];
};

// clues.c: remembering every way. `note` is static or lives in the arena.
void inv_clue_found(struct inv_work *work, enum inv_anchor anchor, enum inv_way way, uint64_t value, uint64_t where,
                    const char *note);
void inv_clue_missing(struct inv_work *work, enum inv_anchor anchor, enum inv_way way, const struct inv_why *why,
                      const char *note);
const struct inv_clue *inv_clue_of(const struct inv_work *work, enum inv_anchor anchor, enum inv_way way);
void inv_clues_header(struct inv_work *work);  // what the header claims of anchors other than the DTB
void inv_clues_kdbg(struct inv_work *work);    // what KDBG says
void inv_clues_symbols(struct inv_work *work); // base + RVA, when the facts are this kernel's own
bool inv_roots_add(struct inv_roots *roots, const struct inv_root *root);

// way_header.c, way_low_stub.c, way_self_map.c: possible roots. A way that finds none leaves a clue that says so.
void inv_way_header(struct inv_work *work, struct inv_roots *roots);
void inv_way_low_stub(struct inv_work *work, struct inv_roots *roots);
void inv_way_self_map_low(struct inv_work *work, struct inv_roots *roots);
// Goes through all present memory from *address on; false at the end. Sets *address behind the root that was found.
bool inv_way_self_map_next(const struct inv_image *image, uint64_t *address, uint64_t end, struct inv_root *root);

// find_base.c: true if the kernel is found through `space`; fills work->pe and leaves clues when `record` is set.
bool inv_find_base(struct inv_work *work, struct inv_space *space, bool record);
// The kernel in whose image `inside` lies, looked for page by page downwards, at most 64 MiB.
bool inv_base_below(struct inv_work *work, struct inv_space *space, uint64_t inside, struct inv_pe *pe);

// find_kdbg.c: fills kernel.kdbg from memory: header's address, symbol, or a search of the kernel's data.
void inv_find_kdbg(struct inv_work *work, const struct inv_kernel_facts *facts);

// version.c
void inv_find_version(struct inv_work *work);

// choose.c: which facts apply.
INV_MUST_USE enum inv_code inv_exact_facts(struct inv_work *work, const struct inv_kernel_facts **facts,
                                           struct inv_error *error);
void inv_choose_facts(struct inv_work *work, const struct inv_kernel_facts *exact);

// self_checks.c: puts a layout to the test on this image. `texts` takes one sentence a check (in the kernel's arena);
// `why_not` the first that fails, NULL if none does.
struct inv_check_result {
	size_t passed;
	const char *why_not;
	const char **texts; // stb_ds array; the caller frees it
};
void inv_check_layout(struct inv_work *work, const struct inv_layout *layout, struct inv_check_result *result);

// kdbg_layout.c: the fields that KDBG itself gives; NULL if KDBG has none of them. In the kernel's arena.
struct inv_layout *inv_kdbg_layout(struct inv_work *work);
// A partial layout with what KDBG adds to it; counts what it added. In the arena.
const struct inv_layout *inv_complete_layout(struct inv_work *work, const struct inv_layout *layout, size_t *added);
// infer.c: adds the fields of EPROCESS that a triage dump of System proves by itself; returns how many.
size_t inv_infer_fields(struct inv_work *work, struct inv_layout *layout);
// A partial layout without any field, to be filled. In the arena.
struct inv_layout *inv_empty_layout(struct inv_arena *arena, enum inv_arch arch);

// system.c: the System process, by whatever leads there. ok == false says why not.
struct inv_value inv_find_system(const struct inv_kernel *kernel, const struct inv_layout *layout);
void inv_prefer_system_dtb(struct inv_work *work);

// modules.c, cpus.c, times.c, pte_format.c, triage.c
#define INV_MAX_MODULES 4096
void inv_find_modules(struct inv_work *work);
void inv_triage_modules(struct inv_work *work);
void inv_find_cpus(struct inv_work *work);
void inv_find_times(struct inv_work *work);
void inv_set_pte_format(struct inv_work *work);
INV_MUST_USE enum inv_code inv_open_triage(struct inv_work *work, struct inv_error *error);

// read.c
struct inv_value inv_read_sized(const struct inv_kernel *kernel, uint64_t address, unsigned size);
struct inv_value inv_layout_field(const struct inv_kernel *kernel, const struct inv_layout *layout, uint64_t address,
                                  enum inv_field field);
bool inv_is_kernel_address(uint64_t address); // in the kernel half and canonical

#endif
