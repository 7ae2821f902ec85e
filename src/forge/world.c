// SPDX-License-Identifier: Apache-2.0
#include "forge/world.h"

#include <stdlib.h>

#define PAGE_OF_IDS 0x400u

// -- living -----------------------------------------------------------------------------------------------------------------

static void *pick(const struct inv_model *model, struct inv_random *random, enum inv_model_type type)
{
	const struct inv_model_link *head = &model->blocks[type];
	const struct inv_model_link *link = head->next;
	for (uint64_t i = inv_random_below(random, model->counters[type].total_number_of_objects); i; i--)
		link = link->next;
	return link == head ? NULL : link->owner;
}

static struct inv_model_request next_request(const struct inv_model *model, struct inv_random *random)
{
	static const enum inv_model_operation_kind kinds[] = {
	    INV_MODEL_SPAWN_PROCESS,
	    INV_MODEL_SPAWN_PROCESS,
	    INV_MODEL_SPAWN_PROCESS,
	    INV_MODEL_SPAWN_PROCESS,
	    INV_MODEL_EXIT_PROCESS,
	    INV_MODEL_OPEN_HANDLE,
	    INV_MODEL_TERMINATE_THREAD,
	    INV_MODEL_CLOSE_HANDLE,
	    INV_MODEL_CLOSE_HANDLE,
	    INV_MODEL_WAIT,
	    INV_MODEL_WAKE,
	    INV_MODEL_SCHEDULE,
	};
	struct inv_model_request request = {
	    .kind = kinds[inv_random_below(random, sizeof kinds / sizeof *kinds)],
	    .process = inv_random_below(random, 2) ? model->system_process : pick(model, random, INV_MODEL_PROCESS),
	    .target = pick(model, random, INV_MODEL_PROCESS),
	    .thread = pick(model, random, INV_MODEL_THREAD),
	    .object = pick(model, random, inv_random_below(random, 2) ? INV_MODEL_PROCESS : INV_MODEL_THREAD),
	    .session = model->sessions[inv_random_below(random, inv_count(model->sessions))],
	    .handle = 4 + 4 * inv_random_below(random, 64),
	    .access = 0x1fffff,
	    .exit_status = (uint32_t)inv_random_below(random, 2),
	    .cpu = (unsigned)inv_random_below(random, model->cpu_count),
	};
	return request;
}

void inv_world_live(struct inv_model *model, uint64_t seed, unsigned operations)
{
	struct inv_random random = {seed};
	for (unsigned i = 0; i < 2; i++)
		(void)inv_model_do(model, &(struct inv_model_request){.kind = INV_MODEL_CREATE_SESSION});
	for (unsigned i = 0; i < operations; i++) {
		const struct inv_model_request request = next_request(model, &random);
		inv_model_pass(model, 1000000 + inv_random_below(&random, 10000000));
		(void)inv_model_do(model, &request);
	}
	const struct inv_model_request request = {
	    .kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process, .session = model->sessions[0]};
	struct inv_model_operation *last = inv_model_begin(model, &request);
	for (uint64_t i = inv_random_below(&random, 24); i && inv_model_next_step(last); i--)
		if (inv_model_step(last) == INV_MODEL_WAITS)
			break;
	inv_model_pass(model, 1000);
}

// -- laying out -------------------------------------------------------------------------------------------------------------

struct laid {
	const struct inv_model_object *key;
	void *value; // struct inv_forge_process or inv_forge_thread
};

struct world {
	struct inv_machine *machine;
	const struct inv_model *model;
	struct laid *laid; // stb_ds map
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

static bool stage_of(enum inv_model_state state, enum inv_forge_stage *stage)
{
	static const enum inv_forge_stage stages[INV_STATE_COUNT] = {
	    [INV_STATE_C0] = INV_STAGE_C0, [INV_STATE_C1] = INV_STAGE_C1, [INV_STATE_C2] = INV_STAGE_C2,
	    [INV_STATE_C3] = INV_STAGE_C3, [INV_STATE_D1] = INV_STAGE_D1, [INV_STATE_D2] = INV_STAGE_D2,
	};
	*stage = stages[state];
	return state != INV_STATE_NONE && state != INV_STATE_ALLOCATED && state != INV_STATE_D3;
}

// A thread that has ended and is still held: on the executive's list alone.
static void end_thread(struct inv_machine *machine, const struct inv_forge_thread *thread)
{
	uint64_t at = thread->address;
	if (inv_machine_has(machine, INV_F_KTHREAD_ThreadListEntry))
		inv_machine_list_remove(machine, inv_machine_at(machine, at, INV_F_KTHREAD_ThreadListEntry));
	inv_machine_put(machine, at, INV_F_ETHREAD_Terminated, 1);
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_SignalState, 1);
	inv_machine_put(machine, at, INV_F_KTHREAD_State, INV_THREAD_TERMINATED);
	inv_machine_put(machine, at, INV_F_KTHREAD_KernelStack, 0);
}

static bool lay_thread(struct world *world, struct inv_forge_process *process, const struct inv_model_thread *from)
{
	struct inv_forge_thread *thread = inv_machine_make_thread(
	    world->machine, process, id_of(world, from->unique_thread), time_of(world, from->create_time));
	if (!thread)
		return false;
	stbds_hmput(world->laid, &from->object, thread);
	if (from->state == INV_THREAD_TERMINATED) {
		end_thread(world->machine, thread);
	} else if (from->state == INV_THREAD_INITIALIZED) {
		thread->dispatched = true; // on no list of the dispatcher yet
		inv_machine_put(world->machine, thread->address, INV_F_KTHREAD_State, INV_THREAD_INITIALIZED);
	} else if (from->state == INV_THREAD_READY) {
		(void)inv_machine_dispatch(world->machine, thread, INV_DISPATCH_READY, from->cpu % world->machine->cpu_count,
		                           from->priority);
	}
	if (from->terminated)
		inv_machine_put(world->machine, thread->address, INV_F_ETHREAD_Terminated, 1);
	return true;
}

static bool has_threads(const struct inv_model_process *process)
{
	return process->thread_head.next != &process->thread_head;
}

// The last thread is on its way out: what has been done so far, in the order of PspExitThread.
static void put_exiting(struct world *world, struct inv_forge_process *process, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	uint64_t at = process->address;
	inv_machine_put(machine, at, INV_F_EPROCESS_ProcessDelete, from->process_delete);
	inv_machine_put(machine, at, INV_F_EPROCESS_ProcessRundown, from->process_rundown);
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitStatus, from->exit_status);
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitTime, time_of(world, from->exit_time));
	inv_machine_put(machine, at, INV_F_EPROCESS_ExitProcessReported, from->exit_process_reported);
	inv_machine_put(machine, at, INV_F_DISPATCHER_HEADER_SignalState, from->signal_state);
	if (!from->section)
		inv_machine_put(machine, at, INV_F_EPROCESS_SectionObject, 0);
	if (!from->image_file_pointer)
		inv_machine_put(machine, at, INV_F_EPROCESS_ImageFilePointer, 0);
	process->exited = time_of(world, from->exit_time);
}

static bool lay_threads(struct world *world, struct inv_forge_process *process, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	const struct inv_model_link *head = &from->thread_head;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		if (!lay_thread(world, process, link->owner))
			return false;
	if (!has_threads(from))
		return true;
	inv_machine_put(machine, process->address, INV_F_EPROCESS_ActiveThreads, from->active_threads);
	if (from->thread_list_head.next != &from->thread_list_head) {
		if (from->process_delete)
			put_exiting(world, process, from);
		return true;
	}
	if (machine->ki_process_head && inv_machine_has(machine, INV_F_KPROCESS_ProcessListEntry))
		inv_machine_list_remove(machine, inv_machine_at(machine, process->address, INV_F_KPROCESS_ProcessListEntry));
	inv_machine_exit_process(machine, process, time_of(world, from->exit_time), from->exit_status);
	return true;
}

static bool lay_process(struct world *world, const struct inv_model_process *from)
{
	struct inv_machine *machine = world->machine;
	enum inv_model_state state = inv_model_state_of(world->model, from);
	enum inv_forge_stage stage;
	if (!stage_of(state, &stage))
		return true;
	const struct inv_process_wish wish = {
	    .name = inv_arena_printf(machine->arena, "model-%llu.exe", (unsigned long long)from->unique_process_id),
	    .pid = from->unique_process_id ? id_of(world, from->unique_process_id) : 0,
	    .parent = id_of(world, from->inherited_from_unique_process_id),
	    .session = from->session ? (int)from->session->id : -1,
	    .created = time_of(world, from->create_time),
	    .exited = time_of(world, from->exit_time),
	    .exit_status = from->exit_status,
	    .protection = -1,
	    .zombie = (state == INV_STATE_ZOMBIE && !has_threads(from)) || state >= INV_STATE_D0,
	    .minimal = from->minimal,
	    .stage = stage,
	};
	struct inv_forge_process *process = inv_machine_make_process(machine, &wish, world->error);
	if (!process)
		return false;
	stbds_hmput(world->laid, &from->object, process);
	return lay_threads(world, process, from);
}

// The address of what became of an object; 0: it was left out.
static uint64_t address_of(struct world *world, const struct inv_model_object *object)
{
	ptrdiff_t at = stbds_hmgeti(world->laid, object);
	if (at < 0)
		return 0;
	if (object->type == INV_MODEL_PROCESS)
		return ((const struct inv_forge_process *)world->laid[at].value)->address;
	return ((const struct inv_forge_thread *)world->laid[at].value)->address;
}

static void lay_handles(struct world *world)
{
	const struct inv_model_link *head = &world->model->handle_table_list_head;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_table *table = link->owner;
		ptrdiff_t at = stbds_hmgeti(world->laid, &table->quota_process->object);
		if (at < 0)
			continue;
		struct inv_forge_process *process = world->laid[at].value;
		for (size_t i = 0; i < inv_count(table->entries); i++) {
			const struct inv_model_handle_entry *entry = &table->entries[i];
			uint64_t object = entry->object ? address_of(world, entry->object) : 0;
			if (object)
				(void)inv_machine_open(world->machine, process, object, entry->granted_access, 4ull * i);
		}
	}
}

static void lay_cpus(struct world *world)
{
	for (unsigned i = 0; i < world->machine->cpu_count && i < world->model->cpu_count; i++) {
		const struct inv_model_thread *current = world->model->cpu[i].current;
		ptrdiff_t at = stbds_hmgeti(world->laid, &current->object);
		inv_machine_run(world->machine, i, at < 0 ? NULL : world->laid[at].value);
		world->machine->cpu[i].chosen = true;
	}
}

static int by_sequence(const void *left, const void *right)
{
	const struct inv_model_process *const *a = left, *const *b = right;
	uint64_t x = (*a)->sequence_number, y = (*b)->sequence_number;
	x = x ? x : UINT64_MAX; // not on the active list yet
	y = y ? y : UINT64_MAX;
	return x != y ? (x > y ? 1 : -1) : (*a)->object.serial > (*b)->object.serial ? 1 : -1;
}

static bool lay_processes(struct world *world)
{
	const struct inv_model_process **order = NULL;
	const struct inv_model_link *head = &world->model->blocks[INV_MODEL_PROCESS];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		if (link->owner != world->model->system_process)
			inv_push(order, link->owner);
	size_t count = inv_count(order);
	if (count)
		qsort(order, count, sizeof *order, by_sequence);
	bool good = true;
	for (size_t i = 0; i < count && good; i++)
		good = lay_process(world, order[i]);
	inv_array_free(order);
	return good;
}

enum inv_code inv_world_lay(struct inv_machine *machine, const struct inv_model *model, struct inv_error *error)
{
	if (model->interrupt_time >= machine->system_time - machine->clock)
		return inv_fail(error, INV_E_USAGE, "the model has lived longer than the machine");
	struct world world = {.machine = machine, .model = model, .error = error};
	world.id_base = (machine->next_id / PAGE_OF_IDS + 1) * PAGE_OF_IDS;
	struct inv_error full = {INV_E_USAGE, "the machine has no room for the model's threads"};
	stbds_hmput(world.laid, &model->system_process->object, machine->processes[1]);
	bool good = lay_processes(&world);
	if (good) {
		lay_handles(&world);
		lay_cpus(&world);
	} else if (error && error->code == INV_OK) {
		*error = full;
	}
	stbds_hmfree(world.laid);
	return good ? INV_OK : INV_E_USAGE;
}
