// SPDX-License-Identifier: Apache-2.0
// What the parts of the model offer to each other.
#ifndef INV_MODEL_PARTS_H
#define INV_MODEL_PARTS_H

#include "base/array.h"
#include "model/model.h"

// -- operations (operation.c) -----------------------------------------------------------------------------------------------
enum inv_model_took {
	INV_TOOK,       // on to the next step
	INV_TOOK_AGAIN, // the same step once more
	INV_TOOK_REST,  // what remains of this row of steps has no object any more
	INV_TOOK_NOT,   // nothing was done: wait
};

struct inv_model_call;
struct inv_model_step {
	const char *name;
	enum inv_model_took (*take)(struct inv_model_operation *operation, const struct inv_model_call *call);
};

// A routine of the kernel under way: a row of steps and what it is about. A step may begin another routine by pushing it;
// that one is then done first.
struct inv_model_call {
	const struct inv_model_step *steps;
	size_t count, at;
	struct inv_model_object *subject;
	uint32_t value;
};

struct inv_model_operation {
	struct inv_model *model;
	struct inv_model_request request;
	struct inv_model_result result;
	struct inv_model_call *calls;         // stb_ds; the last is under way
	struct inv_model_object **held;       // stb_ds; references that end with the operation
	struct inv_model_process *protect[2]; // whose rundown is held off
};

void inv_model_push(struct inv_model_operation *operation, const struct inv_model_step *steps, size_t count,
                    struct inv_model_object *subject, uint32_t value);
void inv_model_hold(struct inv_model_operation *operation, struct inv_model_object *object); // references it, too
void inv_model_unprotect(struct inv_model_operation *operation, const struct inv_model_process *process);

// Routines that others push.
void inv_model_push_terminate(struct inv_model_operation *operation, struct inv_model_thread *thread, uint32_t status);
void inv_model_push_detach(struct inv_model_operation *operation, struct inv_model_thread *thread);
void inv_model_push_delete(struct inv_model_operation *operation, struct inv_model_object *object);

// The rows of steps by operation.
struct inv_model_routine_steps {
	const struct inv_model_step *steps;
	size_t count;
};
#define INV_MODEL_STEPS(array) ((struct inv_model_routine_steps){array, sizeof(array) / sizeof *(array)})
struct inv_model_routine_steps inv_model_process_steps(enum inv_model_operation_kind kind); // process.c
struct inv_model_routine_steps inv_model_thread_steps(enum inv_model_operation_kind kind);  // thread.c
struct inv_model_routine_steps inv_model_object_steps(enum inv_model_operation_kind kind);  // requests.c
struct inv_model_routine_steps inv_model_delete_process(void);
struct inv_model_routine_steps inv_model_delete_thread(void);

// -- lists (object.c) -------------------------------------------------------------------------------------------------------
void inv_model_list_init(struct inv_model_link *head);
void inv_model_append(struct inv_model_link *head, struct inv_model_link *link, void *owner);
void inv_model_unlink(struct inv_model_link *link); // one that is on no list stays so
static inline bool inv_model_linked(const struct inv_model_link *link)
{
	return link->next != NULL;
}
static inline bool inv_model_empty(const struct inv_model_link *head)
{
	return head->next == head;
}

// -- objects and handles (object.c) -----------------------------------------------------------------------------------------
// ObCreateObject: the block is there, the counter of the type counts it, the creator has the one reference.
struct inv_model_object *inv_model_create_object(struct inv_model *model, enum inv_model_type type);
// The block goes back to the pool with its bytes in it.
void inv_model_free_object(struct inv_model *model, struct inv_model_object *object);
void inv_model_reference(struct inv_model_object *object);
// The last reference begins the object's deletion as a routine of `operation`.
void inv_model_dereference(struct inv_model_operation *operation, struct inv_model_object *object);

struct inv_model_table *inv_model_new_table(struct inv_model_process *process, bool strict_fifo);
void inv_model_free_table(struct inv_model_table *table); // NULL is allowed
// Puts an object into a free entry, without counting; 0: there is none.
uint64_t inv_model_table_put(struct inv_model_table *table, struct inv_model_object *object, uint32_t access);
// Frees the entry and gives what was in it; NULL if nothing was.
struct inv_model_object *inv_model_table_take(struct inv_model_table *table, uint64_t handle);
struct inv_model_object *inv_model_table_get(const struct inv_model_table *table, uint64_t handle);
// The first value from `from` on that is in use; 0: none.
uint64_t inv_model_table_first(const struct inv_model_table *table, uint64_t from);

// A handle: entry, HandleCount, PointerCount, the type's counter. 0: the process has no handle table or no room in it.
uint64_t inv_model_open(struct inv_model *model, struct inv_model_process *process, struct inv_model_object *object,
                        uint32_t access);
// Frees the entry and counts the handle down; the reference is then the caller's. NULL: no such handle.
struct inv_model_object *inv_model_close(struct inv_model *model, struct inv_model_process *process, uint64_t handle);

// -- the scheduler (scheduler.c) --------------------------------------------------------------------------------------------
void inv_model_ready(struct inv_model *model, struct inv_model_thread *thread); // at the tail of its priority
void inv_model_unqueue(struct inv_model *model, struct inv_model_thread *thread);
void inv_model_queue_wait(struct inv_model *model, struct inv_model_thread *thread);
// Chooses the next thread of a CPU that has none: from the ready list of the highest priority.
void inv_model_choose(struct inv_model *model, struct inv_model_cpu *cpu);
// SwapContext to the next thread, else to the idle thread. Who ran and still runs becomes ready.
void inv_model_swap(struct inv_model *model, struct inv_model_cpu *cpu);
// Makes the thread current on a CPU that no operation has pinned. NULL: there is none.
struct inv_model_cpu *inv_model_run_thread(struct inv_model *model, struct inv_model_thread *thread);
void inv_model_load_address_space(struct inv_model_cpu *cpu);

// -- callbacks (model.c) ----------------------------------------------------------------------------------------------------
// The first status by which a routine refuses; all of them are called in any case (as documented of CreationStatus).
uint32_t inv_model_notify(const struct inv_model *model, const struct inv_model_event *event);
struct inv_model_frame *inv_model_take_frame(struct inv_model *model, struct inv_model_process *owner);

static inline struct inv_model_process *inv_as_process(struct inv_model_object *object)
{
	return (struct inv_model_process *)object;
}
static inline struct inv_model_thread *inv_as_thread(struct inv_model_object *object)
{
	return (struct inv_model_thread *)object;
}

#endif
