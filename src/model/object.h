// SPDX-License-Identifier: Apache-2.0
// What stands beneath all that the model keeps: lists, objects with their counters, handle tables.
#ifndef INV_MODEL_OBJECT_H
#define INV_MODEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_MODEL_TABLE_PAGE 256u    // entries of a page of a handle table on x64: 16 bytes each
#define INV_MODEL_MAX_HANDLES 65536u // of one table; the model's own limit
#define INV_MODEL_FREED_BLOCKS 64u   // freed blocks that still hold their last object

struct inv_model_process;

// -- lists ------------------------------------------------------------------------------------------------------------------
// A circular doubly linked list as LIST_ENTRY makes them. A link that is on no list is all zero.
struct inv_model_link {
	struct inv_model_link *next, *prev;
	void *owner; // the structure that the link stands in; NULL: the head
};

// -- objects ----------------------------------------------------------------------------------------------------------------
enum inv_model_type {
	INV_MODEL_PROCESS,
	INV_MODEL_THREAD,
	INV_MODEL_TOKEN,
	INV_MODEL_JOB,
	INV_MODEL_SECTION,
	INV_MODEL_FILE,
	INV_MODEL_TYPE_COUNT,
};

// The counters of an OBJECT_TYPE.
struct inv_model_type_counters {
	uint32_t total_number_of_objects;
	uint32_t total_number_of_handles;
};

// OBJECT_HEADER and the pool block that the object stands in. First member of every object.
struct inv_model_object {
	enum inv_model_type type;
	uint64_t serial;       // the block's identity, in place of an address; never used twice
	int64_t pointer_count; // each handle counts as one reference
	int64_t handle_count;
	bool allocated;             // state of the pool block; a freed one keeps its bytes until it is used again
	struct inv_model_link pool; // the blocks of the type that are allocated, or all that are freed
	uint32_t seen;              // a scratch of inv_model_check()
	uint32_t handles_seen;      // ditto
	int64_t references_seen;    // ditto
};

struct inv_model_handle_entry {
	struct inv_model_object *object; // NULL: free
	uint32_t granted_access;
	uint32_t next_free; // index of the next free entry; 0: none
};

// HANDLE_TABLE. Values are four times the index. The first entry of every page is never given out (proven for the CID
// table, whose look-up rejects values with (value & 0x3fc) == 0). Free entries form a list; a new page's are on it in
// ascending order. With StrictFIFO an entry that is freed goes to the end of it, without to its front. (The flag stands in
// the symbol tables; what it means and that the CID table alone has it is public practice, not verified in code.)
struct inv_model_table {
	struct inv_model_process *quota_process; // NULL: the CID table
	uint64_t unique_process_id;              // written when the process is inserted
	bool strict_fifo;
	struct inv_model_handle_entry *entries; // stb_ds; whole pages
	uint32_t first_free, last_free;         // indices; 0: none
	uint32_t handle_count;
	struct inv_model_link list; // HandleTableList; the CID table's is on no list
};

#endif
