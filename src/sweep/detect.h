// SPDX-License-Identifier: Apache-2.0
// The detectors, and the tracing of physical pages to virtual ones.
#ifndef INV_SWEEP_DETECT_H
#define INV_SWEEP_DETECT_H

#include "sweep/sweep.h"

// What the detectors know of the kernel. Read only, shared by all threads.
struct inv_pattern {
	uint64_t highest;                                // one past the highest physical address
	unsigned self_slot;                              // 0: not known
	uint32_t wait_list;                              // offset of DISPATCHER_HEADER.WaitListHead
	uint32_t dtb;                                    // of KPROCESS.DirectoryTableBase
	uint32_t threads;                                // of KPROCESS.ThreadListHead; INV_NO_OFFSET: this kernel has none
	uint32_t initial_stack, stack_limit, stack_base; // of KTHREAD; INV_NO_OFFSET: none
	uint32_t process;                                // of KTHREAD.Process
	const struct inv_asked_tags *asked;              // NULL: the usual detectors look; else only this one
};

// Tags of pool that somebody asked for.
struct inv_asked_tags {
	uint32_t tags[INV_SWEEP_MOST_TAGS];
	size_t count;
	bool worth[256]; // by a number that is made of a tag: one of them has it
};
void inv_ask_for_tags(struct inv_asked_tags *asked, const uint32_t *tags, size_t count);

// What one job found, in order of address.
struct inv_catch {
	struct inv_hit *hits; // stb_ds
	size_t most;          // hits that it may keep
	bool full;            // more were found
};

// Looks at one page, whose physical address is `physical`.
void inv_detect_page(const struct inv_pattern *pattern, const uint8_t *page, uint64_t physical,
                     struct inv_catch *catch);

// Gives every hit but roots the virtual address at which System's page tables map it. The lowest address wins, unless the
// object's own list head, which points to itself while the list is empty, names another that maps the same page. false when
// the tables could not be read to their end.
bool inv_trace_hits(const struct inv_kernel *kernel, const struct inv_pattern *pattern, unsigned threads,
                    struct inv_hit *hits, size_t count);

#endif
