// SPDX-License-Identifier: Apache-2.0
// What pool still holds of registrations, whether or not a list leads there: the blocks that the kernel makes for them have tags of
// their own. Cbrb is EX_CALLBACK_ROUTINE_BLOCK, to which the slots of process, thread and image routines lead, and some others of the
// kernel's; CMcb is an entry of CallbackListHead, ObFl what ObRegisterCallbacks makes, IoSh, IoFs and DbCb are entries for
// shut-down, file systems and debug prints, Pnp9, PnpD and PnpC those for hardware profiles, interfaces of devices and one target
// device. (Tags and layouts: public practice, as Volatility 3, ReactOS and public listings of the kernel's code have them, the same
// for every build that they know.) A tag alone says nothing: each block is judged by what stands in it.
//
// That a block is there proves neither that it is in use nor that somebody unlinked it: one that was taken back in order keeps its
// bytes when it is freed. What tells them apart: the rundown reference of Cbrb, which is closed before the block is freed (public
// practice: ExWaitForCallBacks), and before the heap of segments the pool header.
#ifndef INV_NT_CALLBACK_BLOCKS_H
#define INV_NT_CALLBACK_BLOCKS_H

#include "nt/callbacks.h"

#define INV_CALLBACK_TAGS 9u
#define INV_TAG_OF_ROUTINES 0x62726243u                     // "Cbrb"
extern const uint32_t inv_callback_tags[INV_CALLBACK_TAGS]; // letters from the lowest byte on

// Where a pool header with one of the tags stands.
struct inv_callback_place {
	uint64_t physical;
	uint64_t address; // 0: the page tables map it nowhere
	uint32_t tag;
};

enum inv_block_pool {
	INV_BLOCK_NOT_TOLD, // this kernel's pool does not tell
	INV_BLOCK_IN_USE,
	INV_BLOCK_FREE,
	INV_BLOCK_UNMAPPED, // its page is mapped nowhere
};
const char *inv_block_pool_name(enum inv_block_pool pool);

enum inv_block_listed {
	INV_BLOCK_UNLISTED,    // no list or slot leads there
	INV_BLOCK_LISTED,      // `registered` does
	INV_BLOCK_IN_SLOT,     // a slot of the kernel's does that is no list's of callbacks
	INV_BLOCK_LINKED,      // its neighbours do, on a list that is not read
	INV_BLOCK_LISTS_UNREAD // none that could be read does
};

struct inv_callback_block {
	uint64_t header, physical; // of the pool header; header 0: mapped nowhere
	char tag[5];
	struct inv_callback callback; // `at`: what a list would lead to; 0: mapped nowhere
	bool slot_block;              // Cbrb: `callback.kind` says nothing unless it is listed
	bool target_device;           // PnpC: a kind that no global list has
	enum inv_block_pool pool;
	enum inv_block_listed listed;
	size_t registered; // index in inv_callbacks.callbacks of INV_BLOCK_LISTED
	uint64_t slot;     // of INV_BLOCK_IN_SLOT
	bool ended;        // Cbrb: its rundown reference is closed, nobody may enter any more
	bool held;         // Cbrb: it has references, as a slot has for as long as it leads there
};
// "process", "target device"; "routine" for a block of a slot that is not known.
const char *inv_callback_block_kind(const struct inv_callback_block *block);
// Its header does not show that it is free, and it is mapped.
bool inv_callback_block_may_be_in_use(const struct inv_callback_block *block);
// What may be a registration that somebody took off its list or out of its slot: nothing shows that it was taken back in order.
bool inv_callback_block_is_stray(const struct inv_callback_block *block);

// More blocks than this are left out, and `cut` is set.
#define INV_CALLBACK_BLOCKS_MOST ((size_t)1 << 16)

struct inv_callback_blocks {
	struct inv_callback_block *blocks; // stb_ds, by tag; first what lists lead to, as they do
	size_t looked_at, refused;         // places; those that are no registration by what stands there
	bool slots_unread;                 // not all of the kernel's own data could be read
	bool cut;
};
// Judges what stands at these places. `callbacks` has what is registered, observers too.
void inv_callback_blocks_read(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                              const struct inv_callback_place *places, size_t count,
                              struct inv_callback_blocks *blocks);
void inv_callback_blocks_free(struct inv_callback_blocks *blocks);

#endif
