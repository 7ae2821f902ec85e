// SPDX-License-Identifier: Apache-2.0
// Doubly linked lists of the kernel (LIST_ENTRY: Flink at +0, Blink at +8), walked both ways with a bound. Nothing a
// list says is believed: cycles, links to nowhere and one-sided links are recorded, and the walk goes on from the
// other end.
#ifndef INV_KERNEL_LIST_H
#define INV_KERNEL_LIST_H

#include "kernel/kernel.h"

// Far above any list of Windows that this program walks: 2^20 entries.
#define INV_LIST_BOUND ((size_t)1 << 20)

struct inv_list_node {
	uint64_t entry;         // the address of the LIST_ENTRY
	bool forward, backward; // reached from the head by Flink, by Blink
};

// One side of a link between neighbours: `from`.Flink leads to `to`, and `to`.Blink should lead back (or, with `backward`,
// `from`.Blink leads to `to`, whose Flink should lead back).
struct inv_link {
	uint64_t from, to;
	bool backward;
	struct inv_value back; // what `to` says; !ok: it could not be read
};

struct inv_list {
	const char *name; // "PsActiveProcessHead"
	uint64_t head;    // the address of the head's LIST_ENTRY
	struct inv_value head_flink, head_blink;
	size_t count; // without the head; those reached forward come first, in order
	struct inv_list_node *nodes;
	size_t whole, whole_backward; // links that lead back, of those followed by Flink and by Blink
	size_t torn_count;
	struct inv_link *torn_links; // those that do not, in the order in which they were followed
	bool closed;                 // the forward walk came back to the head, having read every node
	struct inv_why why;          // why it did not; reason INV_PRESENT when it is torn (a cycle, a bound)
	const char *torn;            // "cycle", "bound"; NULL if neither
};

// Walks the list whose head stands at `head`. All memory comes from `arena`. Never fails: a head that cannot be read gives an
// empty list that is not closed.
void inv_list_walk(const struct inv_kernel *kernel, struct inv_arena *arena, const char *name, uint64_t head,
                   size_t bound, struct inv_list *list);

// Does the list lead past this entry: do the two that it calls its neighbours call each other so? Then whatever it stands in
// is not on the list, even where the list could not be read to its end. An entry that names no neighbours gives false.
bool inv_list_leads_past(const struct inv_kernel *kernel, uint64_t entry);

#endif
