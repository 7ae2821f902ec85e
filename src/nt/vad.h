// SPDX-License-Identifier: Apache-2.0
// Virtual address descriptors: the ranges of user addresses of a process as the memory manager records them, in a balanced tree
// under EPROCESS.VadRoot (an AVL tree since Windows 8.1; before, with a node of its own for the table).
#ifndef INV_NT_VAD_H
#define INV_NT_VAD_H

#include "kernel/kernel.h"

// MMVAD_FLAGS.VadType (enumeration _MI_VAD_TYPE of the kernel's PDB).
enum inv_vad_type {
	INV_VAD_NONE,
	INV_VAD_DEVICE_PHYSICAL,
	INV_VAD_IMAGE,
	INV_VAD_AWE,
	INV_VAD_WRITE_WATCH,
	INV_VAD_LARGE_PAGES,
	INV_VAD_ROTATE_PHYSICAL,
	INV_VAD_LARGE_PAGE_SECTION,
};
const char *inv_vad_type_name(unsigned type); // "private", "image", ...; NULL: outside the enumeration
// MM_READONLY and so on as Windows writes them: "R", "RX", "RW", "WC" (copy on write), "RWX", "XWC", with "G" for guard, "N" for no
// access; into a buffer of at least 8 bytes.
const char *inv_protection_text(uint32_t protection, char text[8]);

struct inv_vad {
	uint64_t address;    // MMVAD or MMVAD_SHORT
	uint64_t start, end; // the first byte, and the one behind the last
	uint32_t protection; // MMVAD_FLAGS.Protection
	uint8_t type;        // enum inv_vad_type
	bool is_private;     // PrivateMemory: an MMVAD_SHORT with nothing behind it
	bool committed;      // MemCommit
	bool deleting;       // DeleteInProgress
	uint64_t commit_charge;
	// Of a mapped one (not private): zeros where unreadable or absent.
	uint64_t subsection, first_prototype, last_prototype, owner; // owner: VadsProcess
	uint64_t control_area;                                       // of the subsection
	// How it hangs in the tree.
	uint64_t parent; // ParentValue without its balance
	uint8_t depth;
};

// What is wrong with the tree itself.
enum inv_vad_fault_kind {
	INV_VAD_FAULT_PARENT,   // a node's parent is not the node that leads to it
	INV_VAD_FAULT_ORDER,    // a range begins before the one to its left ends
	INV_VAD_FAULT_BACKWARD, // it ends before it begins
	INV_VAD_FAULT_CYCLE,    // a node that was reached before
	INV_VAD_FAULT_BALANCE, // the heights of the two sides contradict the balance in ParentValue, or differ by more than one
};
struct inv_vad_fault {
	enum inv_vad_fault_kind kind;
	uint64_t node;  // address
	uint64_t other; // the parent, or the neighbour
};

#define INV_VAD_BOUND ((size_t)1 << 20) // nodes of one tree
#define INV_VAD_DEPTH 64u

struct inv_vad_tree {
	struct inv_value root;        // EPROCESS.VadRoot
	struct inv_value count;       // VadCount, or the table's number of elements; absent where the layout has neither
	struct inv_value hint;        // VadHint
	struct inv_vad *vads;         // stb_ds, by start
	struct inv_vad_fault *faults; // stb_ds; at most 64 are kept
	size_t fault_count;
	size_t unreadable;  // nodes that a link leads to and that could not be read
	bool complete;      // every node was read
	struct inv_why why; // why not
};

// Never fails: what could not be read is said in the tree. Release with inv_vad_tree_free().
void inv_vad_tree_read(const struct inv_kernel *kernel, uint64_t process, struct inv_vad_tree *tree);
void inv_vad_tree_free(struct inv_vad_tree *tree);
// The VAD that covers an address; NULL: none.
const struct inv_vad *inv_vad_at(const struct inv_vad_tree *tree, uint64_t address);

#endif
