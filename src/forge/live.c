// SPDX-License-Identifier: Apache-2.0
// A life of a model: operations of every kind, chosen by a seed, some of them at the same time.
#include "forge/world.h"

#define AT_ONCE 3u
#define MOST_WAITS 100u // one after the other: all that is under way waits for each other
#define MANY_PROCESSES 30u
#define MANY_HANDLES 160u
#define MANY_SESSIONS 4u

struct life {
	struct inv_model *model;
	struct inv_random random;
	struct inv_model_operation *running[AT_ONCE];
};

static uint64_t draw(struct life *life, uint64_t limit)
{
	return inv_random_below(&life->random, limit);
}

// One block of a type by chance; NULL if there is none.
static void *any(struct life *life, enum inv_model_type type)
{
	const struct inv_model_link *head = &life->model->blocks[type];
	const struct inv_model_link *link = head->next;
	for (uint64_t i = draw(life, life->model->counters[type].total_number_of_objects); i && link != head; i--)
		link = link->next;
	return link == head ? NULL : link->owner;
}

// A handle of the process that is in use, from one by chance on.
static uint64_t any_handle(struct life *life, const struct inv_model_process *process)
{
	size_t size = process && process->object_table ? inv_count(process->object_table->entries) : 0;
	uint64_t start = draw(life, size);
	for (size_t i = 0; i < size; i++)
		if (process->object_table->entries[(start + i) % size].object)
			return 4 * ((start + i) % size);
	return 4;
}

// A process that was created and waits to be inserted; if there is none, any.
static struct inv_model_process *half_created(struct life *life)
{
	const struct inv_model_link *head = &life->model->blocks[INV_MODEL_PROCESS];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		if (((const struct inv_model_process *)link->owner)->creation_held)
			return link->owner;
	return any(life, INV_MODEL_PROCESS);
}

static uint64_t count_scheduled(const struct inv_model *model)
{
	uint64_t count = 0;
	const struct inv_model_link *head = &model->ki_process_list_head;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		count++;
	return count;
}

// Creation while there is little, ends and closed handles while there is much; else every kind alike.
static enum inv_model_operation_kind any_kind(struct life *life)
{
	const struct inv_model *model = life->model;
	uint64_t handles = 0;
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		handles += model->counters[i].total_number_of_handles;
	bool crowded =
	    model->counters[INV_MODEL_PROCESS].total_number_of_objects > MANY_PROCESSES || handles > MANY_HANDLES;
	uint64_t scheduled = count_scheduled(model);
	if (crowded && draw(life, 2))
		return INV_MODEL_CLOSE_HANDLE;
	if (inv_count(model->held) > 8 && draw(life, 2))
		return INV_MODEL_DEREFERENCE;
	if (scheduled > 10 && draw(life, 3) == 0)
		return INV_MODEL_EXIT_PROCESS;
	if (scheduled < 8 && draw(life, 2))
		return INV_MODEL_SPAWN_PROCESS;
	enum inv_model_operation_kind kind = (enum inv_model_operation_kind)draw(life, INV_MODEL_OPERATION_COUNT);
	bool enough = kind == INV_MODEL_CREATE_SESSION && inv_count(model->sessions) >= MANY_SESSIONS;
	return enough ? INV_MODEL_CREATE_JOB : kind;
}

// Most processes are zombies: what is done inside of one is done to one that lives.
static void choose_living(struct life *life, struct inv_model_request *request)
{
	const struct inv_model_link *head = &life->model->ki_process_list_head, *link = head->next;
	for (uint64_t i = draw(life, count_scheduled(life->model)); i && link != head; i--)
		link = link->next;
	if (link == head)
		return;
	request->target = link->owner;
	if (request->target->thread_list_head.next != &request->target->thread_list_head)
		request->thread = request->target->thread_list_head.next->owner;
}

static uint64_t any_page(struct life *life, const struct inv_model_process *process)
{
	const struct inv_model_link *link = process->space.vad_root.next;
	for (uint64_t i = draw(life, process->space.vad_count); i; i--)
		link = link->next;
	const struct inv_model_vad *vad = link->owner;
	return vad ? vad->start + draw(life, vad->end - vad->start + 1) : 0;
}

// No memory becomes executable: that an honest program may do so is for scenarios that say which.
static void fill_memory(struct life *life, struct inv_model_request *request)
{
	static const enum inv_model_protection protections[] = {INV_PROTECT_READONLY, INV_PROTECT_READWRITE};
	if (request->kind < INV_MODEL_CREATE_FILE)
		return;
	choose_living(life, request);
	request->pages = 1 + (uint32_t)draw(life, 8);
	request->protection = protections[draw(life, 2)];
	request->backing = (enum inv_model_backing)draw(life, 3);
	request->commit = request->user_mode = draw(life, 2);
	request->write = request->alertable = draw(life, 2);
	if (request->target && request->kind != INV_MODEL_ALLOCATE_MEMORY && draw(life, 2))
		request->page = any_page(life, request->target);
	if (request->kind == INV_MODEL_MAP_VIEW)
		request->object = any(life, INV_MODEL_SECTION);
	else if (request->kind != INV_MODEL_LOAD_MODULE && request->kind != INV_MODEL_CREATE_FILE)
		request->object = any(life, INV_MODEL_FILE);
	else
		request->object = NULL;
}

static struct inv_model_request any_request(struct life *life, enum inv_model_operation_kind kind)
{
	const struct inv_model *model = life->model;
	struct inv_model_request request = {
	    .kind = kind,
	    .process = draw(life, 3) ? any(life, INV_MODEL_PROCESS) : model->system_process,
	    .target = any(life, INV_MODEL_PROCESS),
	    .thread = any(life, INV_MODEL_THREAD),
	    .object = any(life, (enum inv_model_type)draw(life, INV_MODEL_TYPE_COUNT)),
	    .process_kind = draw(life, 8) ? INV_MODEL_ORDINARY : INV_MODEL_MINIMAL,
	    .no_session = draw(life, 8) == 0,
	    .access = (uint32_t)draw(life, 0x200000),
	    .exit_status = (uint32_t)draw(life, 3),
	    .cpu = (unsigned)draw(life, model->cpu_count),
	    .priority = (unsigned)draw(life, INV_MODEL_PRIORITIES),
	};
	if (draw(life, 2))
		request.session = model->sessions[draw(life, inv_count(model->sessions))];
	request.handle = any_handle(life, request.process);
	if (request.kind == INV_MODEL_INSERT_PROCESS || request.kind == INV_MODEL_ABANDON_PROCESS)
		request.target = half_created(life);
	if (request.kind == INV_MODEL_ASSIGN_JOB)
		request.object = any(life, INV_MODEL_JOB);
	if (request.kind == INV_MODEL_SET_TOKEN)
		request.object = any(life, INV_MODEL_TOKEN);
	if (request.kind == INV_MODEL_DEREFERENCE && inv_count(model->held))
		request.object = model->held[draw(life, inv_count(model->held))];
	fill_memory(life, &request);
	return request;
}

// A driver that now and then refuses the creation of a process.
static uint32_t refuse_some(const struct inv_model *model, const struct inv_model_event *event, void *context)
{
	(void)model;
	struct life *life = context;
	return event->create && draw(life, 16) == 0 ? INV_STATUS_ACCESS_DENIED : INV_STATUS_SUCCESS;
}

static void start(struct life *life, struct inv_model_operation **place, enum inv_model_operation_kind kind)
{
	const struct inv_model_request request = any_request(life, kind);
	inv_model_pass(life->model, 100000 + draw(life, 5000000));
	*place = inv_model_begin(life->model, &request);
}

static void finish(struct inv_model_operation **place)
{
	(void)inv_model_finish(*place);
	*place = NULL;
}

// Does what is under way to its end. Two that wait for each other (each has to end the last thread of a process that the other needs)
// stay as they are.
static void finish_all(struct life *life)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < AT_ONCE; i++) {
			if (!life->running[i])
				continue;
			if (!inv_model_next_step(life->running[i]))
				finish(&life->running[i]);
			else if (inv_model_step(life->running[i]) == INV_MODEL_WAITS)
				continue;
			moved = true;
		}
	}
}

// Long operations are stopped more often than short ones. So that each kind is stopped in each of its steps, one life in two
// ends with one to three operations of kinds that are all as probable.
static void stop_half_way(struct life *life)
{
	if (draw(life, 2))
		return;
	finish_all(life);
	for (uint64_t i = 1 + draw(life, AT_ONCE); i-- > 0;) {
		if (life->running[i])
			continue;
		start(life, &life->running[i], (enum inv_model_operation_kind)draw(life, INV_MODEL_OPERATION_COUNT));
		for (uint64_t steps = draw(life, draw(life, 2) ? 3 : 24); steps && inv_model_next_step(life->running[i]);
		     steps--)
			(void)inv_model_step(life->running[i]);
	}
}

void inv_world_live(struct inv_model *model, uint64_t seed, unsigned operations)
{
	struct life life = {.model = model, .random = {seed}};
	(void)inv_model_register(model, INV_CALLBACK_PROCESS, refuse_some, &life);
	for (unsigned i = 0; i < 2; i++)
		(void)inv_model_do(model, &(struct inv_model_request){.kind = INV_MODEL_CREATE_SESSION});
	for (unsigned begun = 0, waits = 0; begun < operations && waits < MOST_WAITS;) {
		struct inv_model_operation **place = &life.running[draw(&life, AT_ONCE)];
		if (!*place) {
			start(&life, place, any_kind(&life));
			begun++;
			waits = 0;
		} else if (!inv_model_next_step(*place)) {
			finish(place);
			waits = 0;
		} else {
			waits = inv_model_step(*place) == INV_MODEL_WAITS ? waits + 1 : 0; // is tried again
		}
	}
	stop_half_way(&life);
	model->callback_count[INV_CALLBACK_PROCESS] = 0; // `life` ends here
	inv_model_pass(model, 1000);
}
