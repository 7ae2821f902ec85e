// SPDX-License-Identifier: Apache-2.0
// Asynchronous procedure calls: what is queued for a thread to run when it next may. Each thread has one queue for the kernel's and
// one for user mode's; while it is attached to another process, those of its own process are set aside in SavedApcState.
#ifndef INV_NT_APC_H
#define INV_NT_APC_H

#include "kernel/kernel.h"
#include "kernel/list.h"

#define INV_APC_OBJECT 0x12u         // KAPC.Type (KOBJECTS of the kernel's PDB: ApcObject)
#define INV_APC_BOUND ((size_t)4096) // of one queue

enum inv_apc_queue { INV_APC_KERNEL, INV_APC_USER, INV_APC_QUEUES };
const char *inv_apc_queue_name(enum inv_apc_queue queue); // "kernel", "user"

// KAPC, one that a queue leads to. A field that could not be read says why.
struct inv_apc {
	uint64_t address;
	enum inv_apc_queue queue;
	bool saved; // of SavedApcState
	struct inv_value type, thread, mode, inserted;
	struct inv_value kernel_routine, normal_routine, normal_context;
	struct inv_value argument1, argument2; // SystemArgument1 and 2
};

// One queue as it was read. A head that stands alone has no `list`.
struct inv_apc_head {
	uint64_t address;            // of the LIST_ENTRY; 0: the layout has none, or it is not in use
	struct inv_value first;      // its Flink
	bool blank;                  // zeros: never initialised
	bool closed;                 // read to its end
	const struct inv_list *list; // of a queue with something on it; NULL: it is empty, or could not be read
};

struct inv_apcs {
	struct inv_apc *apcs;                         // stb_ds: kernel's, then user mode's, then those set aside
	struct inv_apc_head heads[2][INV_APC_QUEUES]; // [1]: SavedApcState, of a thread that is attached
};

// Never fails: what could not be read says so. Lists come from `arena`. Release with inv_apcs_free().
void inv_apcs_read(const struct inv_kernel *kernel, uint64_t thread, struct inv_arena *arena, struct inv_apcs *apcs);
void inv_apcs_free(struct inv_apcs *apcs);

// What a routine of a WOW64 process is queued as: Wow64EncodeApcRoutine of System Informer's headers negates the 32-bit address and
// shifts it by two, so that it looks like one of the kernel half. False: this is none.
bool inv_apc_decode_wow64(uint64_t routine, uint32_t *decoded);

#endif
