// SPDX-License-Identifier: Apache-2.0
// A hundred thousand operations chosen by a seed, up to three at a time and interleaved step by step: after every step each
// process stands in a legal state, and whenever nothing is half done all registers agree.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "model/model.h"

#define OPERATIONS 100000u
#define AT_ONCE 3u

// What must have come about somewhere in a long life.
enum event {
	SHARED_BY_TWO,
	COPIED_ON_WRITE,
	IN_TRANSITION,
	PAGED_OUT,
	DECOMMITTED,
	SEGMENT_UNUSED,
	SEGMENT_PAGED_OUT,
	AREA_HALF_MADE,
	AREA_HALF_DELETED,
	MODULES,
	LOADER_LOCKED,
	CLONE_WITH_MODULES,
	RUNS_A_DELETED_FILE,
	APC_WHILE_ATTACHED,
	USER_APC_PENDING,
	SUSPENDED,
	EVENT_COUNT,
};

struct world {
	struct inv_model *model;
	uint64_t random;
	struct inv_model_operation *running[AT_ONCE];
	enum inv_model_operation_kind running_kind[AT_ONCE];
	size_t begun, refused, reused, kinds[INV_MODEL_OPERATION_COUNT], done[INV_MODEL_OPERATION_COUNT],
	    worked[INV_MODEL_OPERATION_COUNT];
	size_t states[INV_STATE_COUNT], events[EVENT_COUNT];
	uint64_t highest_id, steps, digest;
	uint64_t refusals; // by the callback
	bool check_all;
};

// xorshift64*, a public-domain generator.
static uint64_t draw(struct world *world, uint64_t limit)
{
	world->random ^= world->random >> 12;
	world->random ^= world->random << 25;
	world->random ^= world->random >> 27;
	return limit ? (world->random * 0x2545f4914f6cdd1du >> 16) % limit : 0;
}

// One block of a type by chance; NULL if there is none.
static void *any(struct world *world, enum inv_model_type type)
{
	struct inv_model_link *head = &world->model->blocks[type];
	uint64_t count = world->model->counters[type].total_number_of_objects;
	struct inv_model_link *link = head->next;
	for (uint64_t i = draw(world, count); i && link != head; i--)
		link = link->next;
	return link == head ? NULL : link->owner;
}

static uint64_t any_handle(struct world *world, const struct inv_model_process *process)
{
	size_t size = process && process->object_table ? inv_count(process->object_table->entries) : 0;
	uint64_t start = draw(world, size);
	for (size_t i = 0; i < size; i++) {
		size_t index = (start + i) % size;
		if (process->object_table->entries[index].object)
			return 4 * index;
	}
	return 4;
}

static struct inv_model_process *half_created(struct world *world)
{
	struct inv_model_link *head = &world->model->blocks[INV_MODEL_PROCESS];
	for (struct inv_model_link *link = head->next; link != head; link = link->next)
		if (((struct inv_model_process *)link->owner)->creation_held)
			return link->owner;
	return any(world, INV_MODEL_PROCESS);
}

static uint64_t scheduled(const struct inv_model *model)
{
	uint64_t count = 0;
	const struct inv_model_link *head = &model->ki_process_list_head;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		count++;
	return count;
}

// Creation while there are few processes, exits and closed handles while there are many.
static enum inv_model_operation_kind any_kind(struct world *world)
{
	const struct inv_model *model = world->model;
	uint64_t processes = model->counters[INV_MODEL_PROCESS].total_number_of_objects;
	uint64_t handles = 0;
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		handles += model->counters[i].total_number_of_handles;
	if (scheduled(model) > 10 && draw(world, 3) == 0)
		return INV_MODEL_EXIT_PROCESS;
	if (processes > 30 && draw(world, 2) == 0)
		return INV_MODEL_CLOSE_HANDLE;
	if (handles > 160 && draw(world, 2) == 0)
		return INV_MODEL_CLOSE_HANDLE;
	if (inv_count(model->held) > 8 && draw(world, 2) == 0)
		return INV_MODEL_DEREFERENCE;
	if (scheduled(model) < 8 && draw(world, 2) == 0)
		return INV_MODEL_SPAWN_PROCESS;
	if (draw(world, 4) == 0)
		return draw(world, 2) ? INV_MODEL_FAULT : INV_MODEL_TRIM;
	if (draw(world, 2)) // memory, modules, APCs
		return (enum inv_model_operation_kind)(INV_MODEL_CREATE_FILE +
		                                       draw(world, INV_MODEL_OPERATION_COUNT - INV_MODEL_CREATE_FILE));
	if (inv_count(model->sessions) > 5)
		return (enum inv_model_operation_kind)draw(world, INV_MODEL_CREATE_SESSION);
	return (enum inv_model_operation_kind)draw(world, INV_MODEL_OPERATION_COUNT);
}

// A page of one of the process' ranges; now and then of none.
static uint64_t any_page(struct world *world, const struct inv_model_process *process)
{
	const struct inv_model_link *head = &process->space.vad_root, *link = head->next;
	if (process->space.vad_count == 0 || draw(world, 16) == 0)
		return draw(world, 0x200);
	for (uint64_t i = draw(world, process->space.vad_count); i && link != head; i--)
		link = link->next;
	const struct inv_model_vad *vad = link->owner;
	uint64_t pages = vad->end - vad->start + 1;
	return link == head ? 0 : vad->start + draw(world, draw(world, 2) ? 1 : pages); // the first more often
}

// Most processes are zombies; what is done inside of one is done to one that lives.
static struct inv_model_process *any_living(struct world *world)
{
	const struct inv_model_link *head = &world->model->ki_process_list_head, *link = head->next;
	for (uint64_t i = draw(world, scheduled(world->model)); i && link != head; i--)
		link = link->next;
	return link == head ? NULL : link->owner;
}

static void fill_living(struct world *world, struct inv_model_request *request)
{
	struct inv_model_process *process = any_living(world);
	if (!process)
		return;
	const struct inv_model_link *head = &process->thread_list_head, *link = head->next;
	if (link != head && link->next != head && draw(world, 2))
		link = link->next;
	request->target = process;
	if (link != head)
		request->thread = link->owner;
}

static void fill_memory(struct world *world, struct inv_model_request *request)
{
	if (request->kind >= INV_MODEL_CREATE_FILE && draw(world, 4))
		fill_living(world, request);
	request->pages = (uint32_t)draw(world, 12);
	request->protection = (enum inv_model_protection)draw(world, 8);
	request->backing = (enum inv_model_backing)draw(world, 3);
	request->commit = draw(world, 2);
	request->decommit = draw(world, 3) == 0;
	request->write = draw(world, 2);
	request->user_mode = draw(world, 2);
	request->alertable = draw(world, 2);
	if (request->target && draw(world, 4))
		request->page = any_page(world, request->target);
	if (request->kind == INV_MODEL_ALLOCATE_MEMORY && draw(world, 2))
		request->page = 0;
	if (request->kind == INV_MODEL_MAP_VIEW)
		request->object = any(world, INV_MODEL_SECTION);
	if (request->kind == INV_MODEL_CREATE_SECTION || request->kind == INV_MODEL_DELETE_FILE)
		request->object = any(world, INV_MODEL_FILE);
	bool file = request->kind == INV_MODEL_CREATE_FILE || request->kind == INV_MODEL_LOAD_MODULE;
	if (file)
		request->object = draw(world, 2) ? any(world, INV_MODEL_FILE) : NULL;
	bool creates = request->kind == INV_MODEL_SPAWN_PROCESS || request->kind == INV_MODEL_CREATE_PROCESS;
	if (creates && draw(world, 2))
		request->image = any(world, draw(world, 2) ? INV_MODEL_FILE : INV_MODEL_SECTION);
}

static struct inv_model_request any_request(struct world *world)
{
	struct inv_model *model = world->model;
	enum inv_model_operation_kind kind = any_kind(world);
	if (inv_count(model->sessions) > 5 && kind <= INV_MODEL_CREATE_SESSION && draw(world, 2)) // the kinds behind it
		kind = (enum inv_model_operation_kind)(INV_MODEL_CREATE_JOB +
		                                       draw(world, INV_MODEL_CREATE_FILE - INV_MODEL_CREATE_JOB));
	struct inv_model_request request = {
	    .kind = kind,
	    .process = draw(world, 4) ? any(world, INV_MODEL_PROCESS) : model->system_process,
	    .target = any(world, INV_MODEL_PROCESS),
	    .thread = any(world, INV_MODEL_THREAD),
	    .object = any(world, (enum inv_model_type)draw(world, INV_MODEL_TYPE_COUNT)),
	    .process_kind = draw(world, 8) ? INV_MODEL_ORDINARY : INV_MODEL_MINIMAL,
	    .no_session = draw(world, 8) == 0,
	    .access = (uint32_t)draw(world, 0x200000),
	    .exit_status = (uint32_t)draw(world, 3),
	    .cpu = (unsigned)draw(world, model->cpu_count),
	    .priority = (unsigned)draw(world, INV_MODEL_PRIORITIES),
	};
	if (inv_count(model->sessions) && draw(world, 2))
		request.session = model->sessions[draw(world, inv_count(model->sessions))];
	request.handle = any_handle(world, request.process);
	if (kind == INV_MODEL_INSERT_PROCESS || kind == INV_MODEL_ABANDON_PROCESS)
		request.target = half_created(world);
	if (kind == INV_MODEL_ASSIGN_JOB)
		request.object = any(world, INV_MODEL_JOB);
	if (kind == INV_MODEL_SET_TOKEN)
		request.object = any(world, INV_MODEL_TOKEN);
	if (kind == INV_MODEL_DEREFERENCE && inv_count(model->held))
		request.object = model->held[draw(world, inv_count(model->held))];
	fill_memory(world, &request);
	return request;
}

static void note_pages(struct world *world, const struct inv_model_vad *vad)
{
	for (uint64_t i = 0; i <= vad->end - vad->start; i++) {
		enum inv_model_page_state state = vad->pages[i].state;
		world->events[COPIED_ON_WRITE] += vad->area && state == INV_MODEL_PAGE_PRIVATE;
		world->events[IN_TRANSITION] += state == INV_MODEL_PAGE_TRANSITION;
		world->events[PAGED_OUT] += state == INV_MODEL_PAGE_PAGED_OUT;
		world->events[DECOMMITTED] += state == INV_MODEL_PAGE_DECOMMITTED;
	}
}

static void note_area(struct world *world, const struct inv_model_area *area)
{
	world->events[SEGMENT_UNUSED] += area->unused.next != NULL;
	world->events[AREA_HALF_MADE] += area->being_created;
	world->events[AREA_HALF_DELETED] += area->being_deleted;
	for (uint32_t i = 0; i < area->pages; i++) {
		world->events[SHARED_BY_TWO] += area->prototypes[i].share_count > 1;
		world->events[SEGMENT_PAGED_OUT] += area->prototypes[i].state == INV_PROTOTYPE_PAGED_OUT;
	}
}

static void note_process(struct world *world, const struct inv_model_process *process)
{
	bool modules = process->ldr.initialized && process->ldr.in_load_order.prev != process->ldr.in_load_order.next->next;
	world->events[MODULES] += modules;
	world->events[CLONE_WITH_MODULES] += modules && process->kind == INV_MODEL_CLONE;
	world->events[LOADER_LOCKED] += process->ldr.lock_owner != 0;
	const struct inv_model_file *file = process->image_file_pointer;
	world->events[RUNS_A_DELETED_FILE] += file && file->stream->deleted && process->process_list.next;
}

static void note_thread(struct world *world, const struct inv_model_thread *thread)
{
	const struct inv_model_link *saved = thread->saved_apc_state.lists;
	world->events[APC_WHILE_ATTACHED] += saved[0].next != &saved[0] || saved[1].next != &saved[1];
	world->events[USER_APC_PENDING] += thread->apc_state.user_apc_pending;
	world->events[SUSPENDED] += thread->state == INV_THREAD_WAITING && thread->wait_reason == INV_WAIT_SUSPENDED;
}

static void note_events(struct world *world)
{
	const struct inv_model *model = world->model;
	for (const struct inv_model_link *link = model->vads.next; link != &model->vads; link = link->next)
		note_pages(world, link->owner);
	for (const struct inv_model_link *link = model->areas.next; link != &model->areas; link = link->next)
		note_area(world, link->owner);
	const struct inv_model_link *head = &model->blocks[INV_MODEL_PROCESS];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		note_process(world, link->owner);
	head = &model->blocks[INV_MODEL_THREAD];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		note_thread(world, link->owner);
}

static void look(struct world *world)
{
	if (world->steps % 16 == 0)
		note_events(world);
	struct inv_model_report report;
	if (!inv_model_check(world->model, &report))
		fail_msg("after %zu operations and %llu steps: %s (%zu disagreements)", world->begun,
		         (unsigned long long)world->steps, report.first, report.disagreements);
	for (size_t i = 0; i < INV_STATE_COUNT; i++) {
		world->states[i] += report.states[i];
		world->digest = (world->digest ^ report.states[i]) * 0x100000001b3u;
	}
}

static void step(struct world *world, size_t slot)
{
	world->steps++;
	enum inv_model_progress progress = inv_model_step(world->running[slot]);
	if (progress == INV_MODEL_FINISHED || !inv_model_next_step(world->running[slot])) {
		struct inv_model_result result = inv_model_finish(world->running[slot]);
		world->running[slot] = NULL;
		world->worked[world->running_kind[slot]] += result.status == INV_STATUS_SUCCESS;
		world->refused += result.status != INV_STATUS_SUCCESS;
		world->digest = (world->digest ^ result.status ^ result.handle) * 0x100000001b3u;
	}
	look(world);
}

static void begin(struct world *world, size_t slot)
{
	const struct inv_model_request request = any_request(world);
	world->running[slot] = inv_model_begin(world->model, &request);
	world->begun++;
	world->kinds[request.kind]++;
	world->running_kind[slot] = request.kind;
	world->done[request.kind] += inv_model_next_step(world->running[slot]) != NULL;
}

// Identifiers come back after they were used: counted by a callback, as a driver would.
static uint32_t refuse_some(const struct inv_model *model, const struct inv_model_event *event, void *context)
{
	(void)model;
	struct world *world = context;
	if (!event->create)
		return INV_STATUS_SUCCESS;
	if (event->process->unique_process_id <= world->highest_id)
		world->reused++;
	else
		world->highest_id = event->process->unique_process_id;
	if (event->process->object.serial % 7)
		return INV_STATUS_SUCCESS;
	world->refusals++;
	return INV_STATUS_ACCESS_DENIED;
}

static void end_world(struct world *world)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (world->running[i])
			(void)inv_model_finish(world->running[i]);
	look(world);
	inv_model_free(world->model);
}

static struct world run(uint64_t seed, size_t operations, size_t at_once)
{
	struct world world = {.random = seed | 1};
	world.model = inv_model_new(&(struct inv_model_config){.cpus = 4});
	assert_int_equal(inv_model_register(world.model, INV_CALLBACK_PROCESS, refuse_some, &world), INV_STATUS_SUCCESS);
	look(&world);
	while (world.begun < operations) {
		size_t slot = draw(&world, at_once);
		if (world.running[slot])
			step(&world, slot);
		else
			begin(&world, slot);
		if (draw(&world, 1000) == 0)
			inv_model_set_time(world.model, world.model->system_time - draw(&world, 36000000000u));
	}
	world.digest ^= world.model->last_serial ^ world.model->process_sequence_number << 20;
	end_world(&world);
	return world;
}

static void everything_agrees(void **state)
{
	(void)state;
	struct world world = run(1, OPERATIONS, AT_ONCE);
	print_message("%llu steps, %zu of %zu refused, %llu creations refused by a callback, %zu identifiers reused\n",
	              (unsigned long long)world.steps, world.refused, world.begun, (unsigned long long)world.refusals,
	              world.reused);
	for (size_t i = 0; i < INV_MODEL_OPERATION_COUNT; i++) {
		print_message("operation %zu: %zu, with steps %zu, successful %zu\n", i, world.kinds[i], world.done[i],
		              world.worked[i]);
		assert_true(world.done[i] > 0);
		assert_true(world.worked[i] > 0);
	}
	for (size_t i = INV_STATE_ALLOCATED; i < INV_STATE_COUNT; i++) {
		print_message("%s: %zu\n", inv_model_state_name((enum inv_model_state)i), world.states[i]);
		assert_true(world.states[i] > 0);
	}
	assert_int_equal(world.states[INV_STATE_NONE], 0);
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		print_message("event %zu: %zu\n", i, world.events[i]);
		assert_true(world.events[i] > 0);
	}
	assert_true(world.reused > 0);
	assert_true(world.refusals > 0);
}

static void many_seeds(void **state)
{
	(void)state;
	for (uint64_t seed = 2; seed < 20; seed++)
		(void)run(seed * 0x9e3779b97f4a7c15u, 1000, 1 + seed % AT_ONCE);
}

static void same_seed_same_machine(void **state)
{
	(void)state;
	const struct world first = run(77, 3000, AT_ONCE), second = run(77, 3000, AT_ONCE), other = run(79, 3000, AT_ONCE);
	assert_int_equal(first.digest, second.digest);
	assert_int_equal(first.steps, second.steps);
	assert_int_not_equal(first.digest, other.digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_agrees),
	    cmocka_unit_test(many_seeds),
	    cmocka_unit_test(same_seed_same_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
