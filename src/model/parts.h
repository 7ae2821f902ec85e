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

#define STEP(name)                                                                                                     \
	static enum inv_model_took name(struct inv_model_operation *operation, const struct inv_model_call *call)

struct inv_model_call;
struct inv_model_step {
	const char *name;
	enum inv_model_took (*take)(struct inv_model_operation *operation, const struct inv_model_call *call);
};

// What a routine of the memory manager or the loader is about. A step changes it by inv_model_work().
struct inv_model_work {
	struct inv_model_process *process; // whose address space
	struct inv_model_thread *thread;
	struct inv_model_file *file;
	struct inv_model_area *area;
	struct inv_model_vad *vad;
	struct inv_model_module *module;
	struct inv_model_apc *apc;
	enum inv_model_backing backing;
	enum inv_model_purpose purpose;
	enum inv_model_protection protection;
	uint64_t page; // 0: to be chosen
	uint32_t pages;
	bool commit, kernel; // kernel: not asked for by user mode
	// References to `area` that it counts already and nothing else shows.
	uint32_t section_references, mapped_views, user_references;
};

// A routine of the kernel under way: a row of steps and what it is about. A step may begin another routine by pushing it;
// that one is then done first.
struct inv_model_call {
	const struct inv_model_step *steps;
	size_t count, at;
	struct inv_model_object *subject;
	uint32_t value;
	struct inv_model_work work;
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
struct inv_model_routine_steps inv_model_file_steps(enum inv_model_operation_kind kind);    // file.c
struct inv_model_routine_steps inv_model_section_steps(enum inv_model_operation_kind kind); // section.c
struct inv_model_routine_steps inv_model_space_steps(enum inv_model_operation_kind kind);   // space.c
struct inv_model_routine_steps inv_model_fault_steps(enum inv_model_operation_kind kind);   // fault.c
struct inv_model_routine_steps inv_model_loader_steps(enum inv_model_operation_kind kind);  // loader.c
struct inv_model_routine_steps inv_model_apc_steps(enum inv_model_operation_kind kind);     // apc.c
struct inv_model_routine_steps inv_model_delete_process(void);
struct inv_model_routine_steps inv_model_delete_thread(void);
struct inv_model_routine_steps inv_model_delete_file(void);
struct inv_model_routine_steps inv_model_delete_section(void);

void inv_model_push_work(struct inv_model_operation *operation, struct inv_model_routine_steps row,
                         struct inv_model_object *subject, const struct inv_model_work *work);
// Of the routine under way; until another one is pushed.
struct inv_model_work *inv_model_work(struct inv_model_operation *operation);
// Ends the row with this status.
enum inv_model_took inv_model_refuse(struct inv_model_operation *operation, uint32_t status);

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

// -- files and sections (file.c, section.c) -----------------------------------------------------------------------------------
// A new file object, which the creator references, of this file; NULL: of a new one.
struct inv_model_file *inv_model_new_file(struct inv_model *model, struct inv_model_stream *stream);
// The last handle is closed, or the opening failed.
void inv_model_cleanup_file(struct inv_model_file *file);
// A section that is there at boot.
struct inv_model_section *inv_model_known_section(struct inv_model *model, enum inv_model_backing backing);
// Makes a section of `work`->file or the page file. It is then the operation's result, which holds it.
void inv_model_push_section(struct inv_model_operation *operation, const struct inv_model_work *work);
// Maps `work`->area. result.page is its first page.
void inv_model_push_map(struct inv_model_operation *operation, const struct inv_model_work *work);
// MiDereferenceControlArea: `work` says what it no longer refers to.
void inv_model_push_release_area(struct inv_model_operation *operation, struct inv_model_area *area);
void inv_model_free_area(struct inv_model_area *area);

// -- address spaces (space.c) -----------------------------------------------------------------------------------------------
// The rows that these push expect the lock of the address space, or a process that nobody else knows.
void inv_model_push_allocate(struct inv_model_operation *operation, const struct inv_model_work *work);
void inv_model_push_remove(struct inv_model_operation *operation, struct inv_model_vad *vad); // frees or unmaps
// A step for the end of a row whose subject is the process or its thread.
enum inv_model_took inv_model_unlock_step(struct inv_model_operation *operation, const struct inv_model_call *call);
enum inv_model_took inv_model_lock_space(struct inv_model_process *process); // INV_TOOK_NOT: it is held
struct inv_model_vad *inv_model_vad_at(const struct inv_model_process *process, uint64_t page);
// A free range of this size; it begins at `wish`, if that is free. 0: there is none.
uint64_t inv_model_find_range(const struct inv_model_process *process, uint64_t wish, uint32_t pages);
struct inv_model_vad *inv_model_new_vad(struct inv_model *model, const struct inv_model_work *work);
void inv_model_insert_vad(struct inv_model_process *process, struct inv_model_vad *vad);
void inv_model_charge_commit(struct inv_model *model, struct inv_model_process *process, uint64_t pages);
void inv_model_free_vad(struct inv_model_vad *vad);
struct inv_model_routine_steps inv_model_clean_space(void); // MmCleanProcessAddressSpace; the process is work.process
struct inv_model_routine_steps inv_model_clone_space(void); // of `subject` into work.process
// A prototype loses a working set (fault.c).
void inv_model_unshare(struct inv_model_prototype *prototype);

// -- user mode (loader.c) -----------------------------------------------------------------------------------------------------
struct inv_model_routine_steps inv_model_start_space(void);        // MmInitializeProcessAddressSpace of work.process
struct inv_model_routine_steps inv_model_create_user_thread(void); // stack and TEB of work.thread
struct inv_model_routine_steps inv_model_delete_user_thread(void);
void inv_model_init_ldr(struct inv_model_ldr *ldr);
void inv_model_copy_modules(struct inv_model *model, const struct inv_model_process *from,
                            struct inv_model_process *to);
void inv_model_forget_modules(struct inv_model_process *process);

// -- APCs (apc.c) -------------------------------------------------------------------------------------------------------------
void inv_model_init_apcs(struct inv_model_thread *thread);
void inv_model_attach_apcs(struct inv_model_thread *thread);
void inv_model_detach_apcs(struct inv_model_thread *thread);
void inv_model_flush_apcs(struct inv_model_thread *thread);
void inv_model_force_resume(struct inv_model_thread *thread);
bool inv_model_suspended(const struct inv_model_thread *thread);

static inline struct inv_model_process *inv_as_process(struct inv_model_object *object)
{
	return (struct inv_model_process *)object;
}
static inline struct inv_model_thread *inv_as_thread(struct inv_model_object *object)
{
	return (struct inv_model_thread *)object;
}

#endif
