// SPDX-License-Identifier: Apache-2.0
// A model laid out record by record: each list is written in the model's order, each field with the model's value, so that a
// model that was stopped between any two steps gives the memory of a machine that was stopped there. What the model does not
// say (names, addresses, stacks, user memory) is what the forge writes of any other process.
#include "forge/world.h"

#include <stdlib.h>

#include "forge/csrss.h"
#include "forge/parts.h"
#include "forge/peb.h"
#include "forge/pfn.h"
#include "forge/user.h"

#define PAGE_OF_IDS 0x400u
#define PROCESS_ALL_ACCESS 0x1fffffu
#define MACHINES_OWN 0x8000u // references that the machine itself holds to System

struct laid {
	const struct inv_model_object *key;
	uint64_t address;
	struct inv_forge_process *process; // of a process
	struct inv_forge_thread *thread;   // of a thread
};

struct root {
	const struct inv_model_frame *key;
	uint64_t page; // physical
};

struct world {
	struct inv_machine *machine;
	const struct inv_model *model;
	struct laid *laid;            // stb_ds map
	struct root *roots;           // stb_ds map
	struct inv_world_area *areas; // stb_ds map
	uint64_t id_base;
	struct inv_error *error;
};

static uint64_t id_of(const struct world *world, uint64_t id)
{
	return id <= 4 ? id : id + world->id_base;
}

static uint64_t time_of(const struct world *world, uint64_t time)
{
	return time ? world->machine->system_time - (world->model->system_time - time) : 0;
}

static struct laid *laid_of(struct world *world, const void *object)
{
	const struct inv_model_object *key = object;
	return key ? stbds_hmgetp_null(world->laid, key) : NULL;
}

// 0: it was left out, or there is none.
static uint64_t address_of(struct world *world, const void *object)
{
	const struct laid *laid = laid_of(world, object);
	return laid ? laid->address : 0;
}

static void remember(struct world *world, const void *object, uint64_t address, struct inv_forge_process *process,
                     struct inv_forge_thread *thread)
{
	struct laid laid = {object, address, process, thread};
	stbds_hmputs(world->laid, laid);
}

static bool is_system(const struct world *world, const void *process)
{
	return process == world->model->system_process;
}

// -- objects ----------------------------------------------------------------------------------------------------------------

// References beside those of handles, which come with the handles.
static void put_counts(struct world *world, const struct inv_model_object *object, uint64_t address)
{
	uint64_t header = inv_machine_header(world->machine, address);
	uint64_t own = (uint64_t)(object->pointer_count - object->handle_count);
	inv_machine_put(world->machine, header, INV_F_OBJECT_HEADER_PointerCount, own);
	inv_machine_put(world->machine, header, INV_F_OBJECT_HEADER_HandleCount, 0);
}

static void lay_object(struct world *world, const struct inv_model_object *object)
{
	struct inv_machine *machine = world->machine;
	uint64_t address = object->type == INV_MODEL_TOKEN ? inv_machine_make_token(machine)
	                   : object->type == INV_MODEL_JOB ? inv_machine_make_job(machine, 0, NULL)
	                                                   : inv_machine_make_section(machine);
	if (!address) // this kernel's jobs are not known
		return;
	remember(world, object, address, NULL, NULL);
	put_counts(world, object, address);
	if (object->type != INV_MODEL_JOB)
		return;
	const struct inv_model_job *job = (const struct inv_model_job *)object;
	inv_machine_put(machine, address, INV_F_EJOB_TotalProcesses, job->total_processes);
	inv_machine_put(machine, address, INV_F_EJOB_ActiveProcesses, job->active_processes);
	if (!job->list.next)
		inv_machine_list_remove(machine, inv_machine_at(machine, address, INV_F_EJOB_JobLinks));
}

static void lay_objects(struct world *world)
{
	static const enum inv_model_type types[] = {INV_MODEL_TOKEN, INV_MODEL_JOB, INV_MODEL_SECTION};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		for (const struct inv_model_link *link = world->model->blocks[types[i]].next;
		     link != &world->model->blocks[types[i]]; link = link->next)
			if (!laid_of(world, link->owner))
				lay_object(world, link->owner);
}

// -- processes --------------------------------------------------------------------------------------------------------------

// A root that was given back may be another process' by now; this one then still holds its address.
static void lay_root(struct world *world, struct inv_forge_process *process, const struct inv_model_process *from)
{
	const struct inv_model_frame *frame = from->directory_table_base ? from->directory_table_base : from->former_root;
	const struct root *known = frame ? stbds_hmgetp_null(world->roots, frame) : NULL;
	if (!frame)
		return;
	if (known) {
		inv_machine_put(world->machine, process->address, INV_F_KPROCESS_DirectoryTableBase, known->page);
		return;
	}
	inv_machine_give_space(world->machine, process);
	struct root root = {frame, process->dtb};
	stbds_hmputs(world->roots, root);
}

static void put_state(struct world *world, const struct inv_forge_process *process,
                      const struct inv_model_process *from)
{
	const struct {
		enum inv_field field;
		uint64_t value;
	} fields[] = {
	    {INV_F_EPROCESS_CreateReported, from->create_reported},
	    {INV_F_EPROCESS_NewProcessReported, from->new_process_reported},
	    {INV_F_EPROCESS_ExitProcessReported, from->exit_process_reported},
	    {INV_F_EPROCESS_ProcessInserted, from->process_inserted},
	    {INV_F_EPROCESS_ProcessInSession, from->process_in_session},
	    {INV_F_EPROCESS_CrossSessionCreate, from->cross_session_create},
	    {INV_F_EPROCESS_ProcessExiting, from->process_exiting},
	    {INV_F_EPROCESS_ProcessDelete, from->process_delete},
	    {INV_F_EPROCESS_ProcessRundown, from->process_rundown},
	    {INV_F_EPROCESS_VmDeleted, from->vm_deleted},
	    {INV_F_EPROCESS_ActiveThreads, from->active_threads},
	    {INV_F_KPROCESS_StackCount, from->active_threads},
	    {INV_F_EPROCESS_ExitStatus, from->exit_status},
	    {INV_F_EPROCESS_ExitTime, time_of(world, from->exit_time)},
	    {INV_F_DISPATCHER_HEADER_SignalState, from->signal_state},
	    {INV_F_EPROCESS_SequenceNumber, from->sequence_number},
	    {INV_F_EPROCESS_SectionObject, address_of(world, from->section)},
	    {INV_F_EPROCESS_Job, address_of(world, from->job)},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		inv_machine_put(world->machine, process->address, fields[i].field, fields[i].value);
}

static bool is_filled(const struct world *world, uint64_t section)
{
	return inv_machine_get(world->machine, section, INV_F_SECTION_ControlArea) ||
	       inv_machine_get(world->machine, section, INV_F_SECTION_OBJECT_Segment);
}

// The model's section is that of the process's program.
static void put_section(struct world *world, struct inv_forge_process *process, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	uint64_t section = address_of(world, from->section);
	if (section && process->program && !is_filled(world, section))
		inv_machine_fill_section(machine, section, process->program->image);
	if (from->image_file_pointer)
		inv_machine_put(machine, process->address, INV_F_EPROCESS_ImageFilePointer,
		                inv_machine_file(machine, process->path)->object);
}

// What is referred to, and blocks of its own. (ForkInProgress
// leads to a thread that the model does not name, and stays zero.)
static void put_parts(struct world *world, struct inv_forge_process *process, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	uint64_t at = process->address, token = address_of(world, from->token);
	if (from->session)
		inv_machine_give_session(machine, process, from->session->id, false);
	if (token) {
		inv_machine_put(machine, at, INV_F_EPROCESS_Token, token | 7);
		inv_machine_use_token(machine, token, from->token->in_use, from->session ? from->session->id : 0);
	}
	if (process->dtb && (from->section_was_there && (from->space.vad_count || from->vm_deleted)))
		inv_machine_give_image(machine, process);
	put_section(world, process, from);
	if (from->se_audit)
		inv_machine_give_audit_name(machine, process);
	if (from->kind == INV_MODEL_CLONE)
		inv_machine_give_clone(machine, process, address_of(world, from->section));
	if (from->win32_process)
		inv_machine_give_win32(machine, process);
	if (from->window_routines)
		inv_machine_give_window_routines(machine, process);
}

static enum inv_forge_stage stage_of(const struct inv_model *model, const struct inv_model_process *process)
{
	static const enum inv_forge_stage stages[INV_STATE_COUNT] = {
	    [INV_STATE_ALLOCATED] = INV_STAGE_C0, [INV_STATE_C0] = INV_STAGE_C0, [INV_STATE_C1] = INV_STAGE_C1,
	    [INV_STATE_C2] = INV_STAGE_C2,        [INV_STATE_C3] = INV_STAGE_C3, [INV_STATE_D1] = INV_STAGE_D1,
	    [INV_STATE_D2] = INV_STAGE_D2,        [INV_STATE_D3] = INV_STAGE_D2,
	};
	return stages[inv_model_state_of(model, process)];
}

// It is registered with csrss before it runs. (One with two threads of which none has run, or with images of others, is laid out as if
// it had: the readers could not tell it from one whose loader was emptied.)
static bool has_not_run(const struct inv_model_process *from)
{
	size_t threads = 0;
	for (const struct inv_model_link *link = from->thread_head.next; link && link != &from->thread_head;
	     link = link->next)
		threads++;
	for (const struct inv_model_link *link = from->space.vad_root.next; link && link != &from->space.vad_root;
	     link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		bool own = vad->purpose == INV_PURPOSE_NONE || vad->purpose == INV_PURPOSE_MODULE;
		if (own && vad->area && vad->area->backing == INV_MODEL_IMAGE)
			return false;
	}
	return from->kind == INV_MODEL_ORDINARY && from->session && !from->exception_port && threads <= 1;
}

static bool lay_process(struct world *world, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	if (inv_count(machine->processes) >= INV_FORGE_MAX_PROCESSES)
		return false;
	const struct inv_process_wish wish = {
	    .name = inv_arena_printf(machine->arena, "model-%llu.exe", (unsigned long long)from->object.serial),
	    .pid = id_of(world, from->unique_process_id),
	    .parent = id_of(world, from->inherited_from_unique_process_id),
	    .created = time_of(world, from->create_time),
	    .minimal = from->minimal,
	    .gui = from->win32_process || from->window_routines,
	};
	struct inv_forge_process *process = inv_machine_shape_process(machine, &wish);
	remember(world, from, process->address, process, NULL);
	process->exited = time_of(world, from->exit_time);
	process->zombie = from->process_delete || from->object.pointer_count == 0;
	process->sequence = from->sequence_number;
	process->deleted = !from->object.allocated;
	if (from->object.allocated)
		process->stage = stage_of(world->model, from);
	process->not_run = has_not_run(from);
	lay_root(world, process, from);
	put_parts(world, process, from);
	put_state(world, process, from);
	put_counts(world, &from->object, process->address);
	if (from->client_handle) // is opened later, with the others
		inv_machine_put(machine, inv_machine_header(machine, process->address), INV_F_OBJECT_HEADER_PointerCount,
		                (uint64_t)(from->object.pointer_count - from->object.handle_count - 1));
	process->unregistered = true; // but for what the model says
	return true;
}

// System is the machine's own: it has its threads and the model's.
static void lay_system(struct world *world)
{
	struct inv_machine *machine = world->machine;
	const struct inv_model_process *from = world->model->system_process;
	struct inv_forge_process *system = machine->processes[1];
	remember(world, from, system->address, system, NULL);
	remember(world, from->token, inv_machine_get(machine, system->address, INV_F_EPROCESS_Token) & ~0xfull, NULL, NULL);
	struct root root = {from->directory_table_base, system->dtb};
	stbds_hmputs(world->roots, root);
	uint64_t active = inv_machine_active_threads(system) + from->active_threads;
	inv_machine_put(machine, system->address, INV_F_EPROCESS_ActiveThreads, active);
	inv_machine_put(machine, system->address, INV_F_KPROCESS_StackCount, active);
	inv_machine_put(machine, inv_machine_header(machine, system->address), INV_F_OBJECT_HEADER_PointerCount,
	                MACHINES_OWN + (uint64_t)(from->object.pointer_count - from->object.handle_count));
}

// Those that live come first: they have the roots that the dead gave back.
static bool lay_processes(struct world *world)
{
	lay_system(world);
	for (const struct inv_model_link *link = world->model->blocks[INV_MODEL_PROCESS].next;
	     link != &world->model->blocks[INV_MODEL_PROCESS]; link = link->next)
		if (!is_system(world, link->owner) && ((const struct inv_model_process *)link->owner)->directory_table_base &&
		    !lay_process(world, link->owner))
			return false;
	for (const struct inv_model_link *link = world->model->blocks[INV_MODEL_PROCESS].next;
	     link != &world->model->blocks[INV_MODEL_PROCESS]; link = link->next)
		if (!laid_of(world, link->owner) && !lay_process(world, link->owner))
			return false;
	for (const struct inv_model_link *link = world->model->freed.prev; link != &world->model->freed; link = link->prev)
		if (((const struct inv_model_object *)link->owner)->type == INV_MODEL_PROCESS &&
		    !lay_process(world, link->owner))
			return false;
	return true;
}

// -- threads ----------------------------------------------------------------------------------------------------------------

static void put_thread_state(struct world *world, struct inv_forge_thread *thread, const struct inv_model_thread *from)
{
	struct inv_machine *machine = world->machine;
	uint64_t at = thread->address;
	thread->exited = time_of(world, from->exit_time);
	thread->ended = from->state == INV_THREAD_TERMINATED;
	thread->dispatched = true; // the model says where it stands
	inv_machine_put(machine, at, INV_F_KTHREAD_State, from->state);
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_SignalState, from->signal_state);
	inv_machine_put(machine, at, INV_F_ETHREAD_ExitStatus, from->exit_status);
	inv_machine_put(machine, at, INV_F_ETHREAD_ExitTime, thread->exited);
	inv_machine_put(machine, at, INV_F_ETHREAD_ThreadInserted, from->thread_inserted);
	inv_machine_put(machine, at, INV_F_ETHREAD_Terminated, from->terminated);
	if (from->win32_thread)
		inv_machine_give_win32_thread(machine, thread);
	if (from->stack)
		return;
	inv_machine_put(machine, at, INV_F_KTHREAD_KernelStack, 0);
	if (from->terminated)
		return; // the reaper freed it
	static const enum inv_field stack[] = {INV_F_KTHREAD_StackBase, INV_F_KTHREAD_StackLimit,
	                                       INV_F_KTHREAD_InitialStack, INV_F_KTHREAD_TrapFrame};
	for (size_t i = 0; i < sizeof stack / sizeof *stack; i++)
		inv_machine_put(machine, at, stack[i], 0);
}

static void put_attached(struct world *world, const struct inv_forge_thread *thread,
                         const struct inv_model_thread *from)
{
	const struct laid *other = laid_of(world, from->apc_process);
	if (other && from->apc_process != from->process)
		inv_machine_attach(world->machine, thread, other->process);
}

static struct inv_forge_process *process_of(struct world *world, const struct inv_model_thread *thread)
{
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++)
		if (world->laid[i].process && world->laid[i].key->serial == thread->process_serial)
			return world->laid[i].process;
	return NULL;
}

// Left out is what remains of a thread whose process' block has been used again: its KTHREAD.Process leads to something else.
static bool lay_thread(struct world *world, const struct inv_model_thread *from)
{
	struct inv_forge_process *process = process_of(world, from);
	if (!process)
		return true;
	struct inv_forge_thread *thread = inv_machine_shape_thread(
	    world->machine, process, id_of(world, from->unique_thread), time_of(world, from->create_time));
	if (!thread)
		return false;
	thread->deleted = !from->object.allocated;
	remember(world, from, thread->address, NULL, thread);
	put_thread_state(world, thread, from);
	inv_world_lay_apcs(world->machine, thread, from);
	put_attached(world, thread, from);
	put_counts(world, &from->object, thread->address);
	return true;
}

static bool lay_threads(struct world *world)
{
	for (const struct inv_model_link *link = world->model->blocks[INV_MODEL_THREAD].next;
	     link != &world->model->blocks[INV_MODEL_THREAD]; link = link->next)
		if (!lay_thread(world, link->owner))
			return false;
	for (const struct inv_model_link *link = world->model->freed.next; link != &world->model->freed; link = link->next)
		if (((const struct inv_model_object *)link->owner)->type == INV_MODEL_THREAD && !lay_thread(world, link->owner))
			return false;
	for (unsigned i = 0; i < world->model->cpu_count && i < world->machine->cpu_count; i++)
		remember(world, world->model->cpu[i].idle, world->machine->cpu[i].idle->address, NULL,
		         world->machine->cpu[i].idle);
	return true;
}

// -- lists ------------------------------------------------------------------------------------------------------------------

// Appends the owners of the model's list, in its order, each by this field. System is on its lists already.
static void lay_list(struct world *world, const struct inv_model_link *from, uint64_t head, enum inv_field field)
{
	if (!head || !inv_machine_has(world->machine, field))
		return;
	for (const struct inv_model_link *link = from->next; link != from; link = link->next) {
		uint64_t address = address_of(world, link->owner);
		if (address && !is_system(world, link->owner))
			inv_machine_list_append(world->machine, head, inv_machine_at(world->machine, address, field));
	}
}

static uint64_t head_of(struct world *world, uint64_t object, enum inv_field field)
{
	return object && inv_machine_has(world->machine, field) ? inv_machine_at(world->machine, object, field) : 0;
}

static void lay_process_lists(struct world *world)
{
	const struct inv_model *model = world->model;
	struct inv_machine *machine = world->machine;
	lay_list(world, &model->active_process_head, inv_machine_symbol(machine, INV_S_PsActiveProcessHead),
	         INV_F_EPROCESS_ActiveProcessLinks);
	lay_list(world, &model->mm_process_list, machine->mm_process_head, INV_F_EPROCESS_MmProcessLinks);
	lay_list(world, &model->ki_process_list_head, machine->ki_process_head, INV_F_KPROCESS_ProcessListEntry);
	for (size_t i = 0; i < inv_count(machine->sessions); i++)
		if (machine->sessions[i]->id < inv_count(model->sessions))
			lay_list(world, &model->sessions[machine->sessions[i]->id]->processes, machine->sessions[i]->head,
			         INV_F_EPROCESS_SessionProcessLinks);
	for (const struct inv_model_link *link = model->blocks[INV_MODEL_JOB].next; link != &model->blocks[INV_MODEL_JOB];
	     link = link->next)
		lay_list(world, &((const struct inv_model_job *)link->owner)->processes,
		         head_of(world, address_of(world, link->owner), INV_F_EJOB_ProcessListHead), INV_F_EPROCESS_JobLinks);
	for (const struct inv_model_link *link = model->blocks[INV_MODEL_PROCESS].next;
	     link != &model->blocks[INV_MODEL_PROCESS]; link = link->next) {
		const struct inv_model_process *process = link->owner;
		uint64_t address = address_of(world, process);
		lay_list(world, &process->thread_head, head_of(world, address, INV_F_EPROCESS_ThreadListHead),
		         INV_F_ETHREAD_ThreadListEntry);
		lay_list(world, &process->thread_list_head, head_of(world, address, INV_F_KPROCESS_ThreadListHead),
		         INV_F_KTHREAD_ThreadListEntry);
	}
}

// RemoveEntryList leaves the entry's own links as they were: into a list on which it is no more.
static void lay_trace(struct world *world, bool was_there, uint64_t head, uint64_t object, enum inv_field field)
{
	if (!was_there || !head || !inv_machine_has(world->machine, field))
		return;
	uint64_t entry = inv_machine_at(world->machine, object, field);
	inv_machine_list_append(world->machine, head, entry);
	inv_machine_list_remove(world->machine, entry);
}

static void lay_traces(struct world *world)
{
	struct inv_machine *machine = world->machine;
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++) {
		const struct laid *laid = &world->laid[i];
		const struct inv_model_process *process = laid->process ? (const void *)laid->key : NULL;
		const struct inv_model_thread *thread = laid->thread ? (const void *)laid->key : NULL;
		if (process) {
			lay_trace(world, process->sequence_number && !process->active_process_links.next,
			          inv_machine_symbol(machine, INV_S_PsActiveProcessHead), laid->address,
			          INV_F_EPROCESS_ActiveProcessLinks);
			lay_trace(world, process->former_root != NULL, machine->mm_process_head, laid->address,
			          INV_F_EPROCESS_MmProcessLinks);
			lay_trace(world, process->signal_state && !process->process_list.next, machine->ki_process_head,
			          laid->address, INV_F_KPROCESS_ProcessListEntry);
		} else if (thread && thread->process && !thread->idle) {
			uint64_t owner = address_of(world, thread->process);
			lay_trace(world, thread->signal_state != 0, head_of(world, owner, INV_F_KPROCESS_ThreadListHead),
			          laid->address, INV_F_KTHREAD_ThreadListEntry);
		}
	}
}

// -- tables -----------------------------------------------------------------------------------------------------------------

static void lay_identifiers(struct world *world)
{
	const struct inv_model_table *cid = world->model->cid;
	for (size_t i = 0; i < inv_count(cid->entries); i++) {
		uint64_t object = address_of(world, cid->entries[i].object);
		if (object && !is_system(world, cid->entries[i].object))
			inv_machine_cid_give(world->machine, id_of(world, 4ull * i), object);
	}
}

// The model's own list of free entries, in its order.
static void lay_free_handles(struct inv_forge_process *process, const struct inv_model_table *table)
{
	size_t count = 0;
	for (uint32_t i = table->first_free; i; i = table->entries[i].next_free)
		count++;
	stbds_arrsetlen(process->free_handles, count);
	for (uint32_t i = table->first_free; i && count; i = table->entries[i].next_free)
		process->free_handles[--count] = 4ull * i;
	process->handle_end = inv_count(table->entries);
}

static void lay_handles(struct world *world)
{
	struct inv_machine *machine = world->machine;
	for (const struct inv_model_link *link = world->model->handle_table_list_head.next;
	     link != &world->model->handle_table_list_head; link = link->next) {
		const struct inv_model_table *table = link->owner;
		struct inv_forge_process *process = laid_of(world, table->quota_process)->process;
		if (!is_system(world, table->quota_process)) {
			inv_machine_give_table(machine, process);
			inv_machine_put(machine, process->handle_table, INV_F_HANDLE_TABLE_UniqueProcessId,
			                id_of(world, table->unique_process_id));
		}
		for (size_t i = 0; i < inv_count(table->entries); i++) {
			uint64_t object = address_of(world, table->entries[i].object);
			if (object)
				(void)inv_machine_open(machine, process, object,
				                       inv_machine_granted(machine, process, object, table->entries[i].granted_access),
				                       4ull * i);
		}
		lay_free_handles(process, table);
	}
}

// -- CPUs -------------------------------------------------------------------------------------------------------------------

static void lay_queue(struct world *world, const struct inv_model_link *from, enum inv_forge_dispatch kind,
                      unsigned cpu, unsigned priority)
{
	for (const struct inv_model_link *link = from->next; link != from; link = link->next) {
		const struct laid *laid = laid_of(world, link->owner);
		if (laid)
			(void)inv_machine_dispatch(world->machine, laid->thread, kind, cpu, priority);
	}
}

static void lay_cpus(struct world *world)
{
	struct inv_machine *machine = world->machine;
	for (unsigned i = 0; i < machine->cpu_count && i < world->model->cpu_count; i++) {
		const struct inv_model_cpu *cpu = &world->model->cpu[i];
		for (unsigned j = 0; j < INV_MODEL_PRIORITIES; j++)
			lay_queue(world, &cpu->ready[j], INV_DISPATCH_READY, i, j);
		lay_queue(world, &cpu->wait, INV_DISPATCH_WAIT, i, 0);
		const struct laid *current = laid_of(world, cpu->current);
		inv_machine_run(machine, i, current ? current->thread : NULL);
		if (current && !cpu->current->idle) // on its way into a wait it is on a CPU still
			inv_machine_put(machine, current->address, INV_F_KTHREAD_State, cpu->current->state);
		inv_machine_put(machine, machine->cpu[i].prcb, INV_F_KPRCB_NextThread, address_of(world, cpu->next));
		machine->cpu[i].chosen = true;
	}
}

// -- what is over -----------------------------------------------------------------------------------------------------------

static void bury(struct inv_machine *machine, uint64_t object, uint64_t type, uint32_t *count)
{
	inv_machine_put(machine, type, INV_F_OBJECT_TYPE_TotalNumberOfObjects, --*count);
	inv_machine_free_object(machine, object);
}

static void lay_remains(struct world *world)
{
	struct inv_machine *machine = world->machine;
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++) {
		const struct laid *laid = &world->laid[i];
		struct inv_forge_process *process = laid->process;
		if (process && !process->system) {
			const struct inv_model_process *from = (const void *)laid->key;
			if (process->dtb && from->vm_deleted)
				inv_machine_clean_space(machine, process);
			if (process->dtb && !from->directory_table_base) {
				inv_machine_free_root(machine, process->dtb);
				inv_machine_free_root(machine, process->user_dtb);
			}
			if (process->deleted)
				bury(machine, laid->address, machine->process_type, &machine->process_objects);
		} else if (laid->thread && laid->thread->deleted) {
			bury(machine, laid->address, machine->thread_type, &machine->thread_objects);
		}
	}
}

// -- csrss ------------------------------------------------------------------------------------------------------------------

static void lay_client(struct world *world, struct inv_forge_csr *csr, struct inv_forge_process *process,
                       const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	if (from->client)
		inv_csr_enter(machine, csr, process);
	else if (from->client_handle)
		(void)inv_machine_open(machine, csr->csrss, process->address,
		                       inv_machine_granted(machine, csr->csrss, process->address, PROCESS_ALL_ACCESS), 0);
	if (from->exception_port)
		inv_machine_put(machine, process->address, INV_F_EPROCESS_ExceptionPortData, csr->port | 1);
}

// The csrss of each session is the machine's own, as System's threads are; what it knows is the model's.
static void lay_csrsses(struct world *world)
{
	struct inv_machine *machine = world->machine;
	for (size_t i = 0, count = inv_count(machine->sessions); i < count; i++) {
		struct inv_error error;
		const struct inv_process_wish wish = {.name = "model-csrss.exe",
		                                      .parent = 4,
		                                      .threads = 3,
		                                      .session = (int)machine->sessions[i]->id,
		                                      .protection = -1,
		                                      .subsystem = INV_SUBSYSTEM_NATIVE,
		                                      .csrss = true};
		struct inv_forge_process *csrss = inv_machine_make_process(machine, &wish, &error);
		struct inv_forge_csr *csr = csrss ? inv_csr_of(machine, csrss) : NULL;
		for (ptrdiff_t j = 0; csr && j < stbds_hmlen(world->laid); j++) {
			struct inv_forge_process *process = world->laid[j].process;
			if (process && !process->system && !process->deleted && process->session == csrss->session)
				lay_client(world, csr, process, (const void *)world->laid[j].key);
		}
	}
}

// -- all --------------------------------------------------------------------------------------------------------------------

// What is made afterwards is younger.
static void go_on(struct world *world)
{
	struct inv_machine *machine = world->machine;
	machine->sequence = world->model->process_sequence_number;
	uint64_t counter = inv_machine_symbol(machine, INV_S_PspProcessSequenceNumber);
	if (counter)
		inv_machine_put64(machine, counter, machine->sequence);
	machine->next_id = id_of(world, 4ull * inv_count(world->model->cid->entries));
	if (machine->clock < time_of(world, world->model->system_time))
		machine->clock = machine->system_time - 1000000;
}

static enum inv_code refuse(const struct world *world)
{
	const struct inv_machine *machine = world->machine;
	if (world->model->interrupt_time >= machine->system_time - machine->clock)
		return inv_fail(world->error, INV_E_USAGE, "the model has lived longer than the machine");
	if (inv_count(machine->processes) > 2)
		return inv_fail(world->error, INV_E_USAGE, "a model is laid out before other processes");
	if (id_of(world, 4ull * inv_count(world->model->cid->entries)) >= INV_FORGE_MAX_ID)
		return inv_fail(world->error, INV_E_USAGE, "the model has given out more identifiers than the machine has");
	return INV_OK;
}

// MmCleanProcessAddressSpace has been there, or the address space was never begun.
static void clear_spaces(struct world *world)
{
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++) {
		struct inv_forge_process *process = world->laid[i].process;
		if (process && !process->system &&
		    ((const struct inv_model_process *)(const void *)world->laid[i].key)->space.vad_count == 0)
			inv_machine_clean_space(world->machine, process);
	}
}

// Sections of what is mapped lead to it; of the others only the object is laid out.
static void fill_sections(struct world *world)
{
	const struct inv_model_link *head = &world->model->blocks[INV_MODEL_SECTION];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_section *section = link->owner;
		const struct inv_world_area *area = section->area ? stbds_hmgetp_null(world->areas, section->area) : NULL;
		if (area && !is_filled(world, address_of(world, section)))
			inv_machine_fill_section(world->machine, address_of(world, section), area->area);
	}
}

// What a process runs has its control area already; another process may map it, too.
static void find_programs(struct world *world)
{
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++) {
		const struct inv_forge_process *process = world->laid[i].process;
		if (!process || process->system || process->deleted || !process->program || !process->program->image)
			continue;
		const struct inv_model_process *from = (const void *)world->laid[i].key;
		struct inv_world_area area = {from->section ? from->section->area : NULL, process->program->image};
		if (area.key && stbds_hmgeti(world->areas, area.key) < 0)
			stbds_hmputs(world->areas, area);
	}
}

static void lay_insides(struct world *world)
{
	find_programs(world);
	for (ptrdiff_t i = 0; i < stbds_hmlen(world->laid); i++)
		if (world->laid[i].process && !world->laid[i].process->system && !world->laid[i].process->deleted)
			inv_world_lay_inside(world->machine, world->laid[i].process, (const void *)world->laid[i].key,
			                     &world->areas);
	fill_sections(world);
}

enum inv_code inv_world_lay(struct inv_machine *machine, const struct inv_model *model, struct inv_error *error)
{
	struct world world = {.machine = machine, .model = model, .error = error};
	world.id_base = (machine->next_id / PAGE_OF_IDS + 1) * PAGE_OF_IDS;
	if (refuse(&world) != INV_OK)
		return INV_E_USAGE;
	lay_objects(&world);
	bool good = lay_processes(&world) && lay_threads(&world);
	if (good) {
		clear_spaces(&world);
		lay_insides(&world);
		lay_process_lists(&world);
		lay_traces(&world);
		lay_identifiers(&world);
		lay_handles(&world);
		lay_cpus(&world);
		lay_remains(&world);
		go_on(&world);
		lay_csrsses(&world);
	}
	stbds_hmfree(world.laid);
	stbds_hmfree(world.roots);
	stbds_hmfree(world.areas);
	return good ? INV_OK
	            : inv_fail(error, INV_E_USAGE, "the machine has no room for the model's processes and threads");
}
