// SPDX-License-Identifier: Apache-2.0
// Single operations of the model, step by step: the order in which a process comes and goes, what holds a zombie, what a
// refused creation leaves, which values handles and identifiers get.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "model/model.h"

#define MAX_STATES 32

static struct inv_model *new_model(void)
{
	return inv_model_new(&(struct inv_model_config){.cpus = 2});
}

static void assert_agrees(struct inv_model *model)
{
	struct inv_model_report report;
	if (!inv_model_check(model, &report))
		fail_msg("%s", report.first);
}

static struct inv_model_result spawn(struct inv_model *model, struct inv_model_process *parent)
{
	return inv_model_do(model, &(struct inv_model_request){.kind = INV_MODEL_SPAWN_PROCESS, .process = parent});
}

static uint32_t close_handle(struct inv_model *model, struct inv_model_process *process, uint64_t handle)
{
	const struct inv_model_request request = {.kind = INV_MODEL_CLOSE_HANDLE, .process = process, .handle = handle};
	return inv_model_do(model, &request).status;
}

// Closes the handles that System got to what it made.
static void forget(struct inv_model *model, const struct inv_model_result *made)
{
	const struct inv_model_process *system = model->system_process;
	for (uint64_t handle = 4; handle < 4 * inv_count(system->object_table->entries); handle += 4) {
		const struct inv_model_object *object = inv_model_by_handle(system, handle);
		if (object == &made->process->object || object == &made->thread->object)
			assert_int_equal(close_handle(model, model->system_process, handle), INV_STATUS_SUCCESS);
	}
}

static void end(struct inv_model *model, struct inv_model_process *process, uint32_t status)
{
	const struct inv_model_request request = {.kind = INV_MODEL_EXIT_PROCESS, .target = process, .exit_status = status};
	assert_int_equal(inv_model_do(model, &request).status, INV_STATUS_SUCCESS);
}

// Drives an operation to its end and notes each new state of one process. The object is found by its serial: it may go.
static size_t follow(struct inv_model *model, struct inv_model_operation *operation, uint64_t serial,
                     enum inv_model_state *states)
{
	size_t count = 0;
	while (inv_model_next_step(operation)) {
		assert_int_not_equal(inv_model_step(operation), INV_MODEL_WAITS);
		assert_agrees(model);
		struct inv_model_link *head = &model->blocks[INV_MODEL_PROCESS];
		for (struct inv_model_link *link = head->next; link != head; link = link->next) {
			const struct inv_model_process *process = link->owner;
			if (process->object.serial != serial)
				continue;
			enum inv_model_state state = inv_model_state_of(model, process);
			if (count == 0 || states[count - 1] != state) {
				assert_true(count < MAX_STATES);
				states[count++] = state;
			}
		}
	}
	return count;
}

static void assert_states(const enum inv_model_state *found, size_t count, const enum inv_model_state *expected,
                          size_t expected_count)
{
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(inv_model_state_name(found[i]), inv_model_state_name(expected[i]));
}

static void boot(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	assert_agrees(model);
	const struct inv_model_process *system = inv_model_system(model);
	assert_int_equal(system->unique_process_id, 4);
	assert_int_equal(system->sequence_number, 1);
	assert_ptr_equal(model->active_process_head.next->owner, system);
	assert_int_equal(inv_model_state_of(model, system), INV_STATE_RUN);
	assert_null(inv_model_process_by_id(model, 8));
	assert_non_null(inv_model_thread_by_id(model, 8));
	assert_ptr_equal(model->idle_process->directory_table_base, system->directory_table_base);
	inv_model_free(model);
}

// The rows of the automaton in their order, there and back.
static void life_of_a_process(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	enum inv_model_state states[MAX_STATES];
	uint64_t serial = model->last_serial + 1;
	struct inv_model_request request = {.kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process};
	struct inv_model_operation *operation = inv_model_begin(model, &request);
	size_t count = follow(model, operation, serial, states);
	static const enum inv_model_state creation[] = {INV_STATE_ALLOCATED, INV_STATE_C0, INV_STATE_C1,
	                                                INV_STATE_C2,        INV_STATE_C3, INV_STATE_RUN};
	assert_states(states, count, creation, sizeof creation / sizeof *creation);
	struct inv_model_result made = inv_model_finish(operation);
	assert_int_equal(made.process->exit_status, INV_STATUS_PENDING);
	forget(model, &made);
	request = (struct inv_model_request){.kind = INV_MODEL_EXIT_PROCESS, .target = made.process, .exit_status = 3};
	operation = inv_model_begin(model, &request);
	count = follow(model, operation, serial, states);
	// The first zombie is the operation's own reference, which goes last.
	static const enum inv_model_state deletion[] = {INV_STATE_RUN, INV_STATE_EXITING, INV_STATE_ZOMBIE, INV_STATE_D0,
	                                                INV_STATE_D1,  INV_STATE_D2,      INV_STATE_D3};
	assert_states(states, count, deletion, sizeof deletion / sizeof *deletion);
	assert_int_equal(inv_model_finish(operation).status, INV_STATUS_SUCCESS);
	inv_model_free(model);
}

static size_t processes(const struct inv_model *model)
{
	return model->counters[INV_MODEL_PROCESS].total_number_of_objects;
}

static void zombie_is_held(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_result made = spawn(model, model->system_process);
	struct inv_model_request request = {.kind = INV_MODEL_REFERENCE, .object = &made.process->object};
	assert_int_equal(inv_model_do(model, &request).status, INV_STATUS_SUCCESS);
	end(model, made.process, 42);
	assert_int_equal(inv_model_state_of(model, made.process), INV_STATE_ZOMBIE);
	assert_int_equal(made.process->exit_status, 42);
	assert_ptr_equal(inv_model_process_by_id(model, made.process->unique_process_id), made.process);
	assert_agrees(model);
	// Its thread object is held by a handle, and holds it in turn; so does the handle, so does the driver.
	assert_int_equal(made.process->object.pointer_count, 3);
	forget(model, &made);
	assert_int_equal(processes(model), 2);
	assert_int_equal(made.process->object.pointer_count, 1);
	assert_agrees(model);
	request.kind = INV_MODEL_DEREFERENCE;
	assert_int_equal(inv_model_do(model, &request).status, INV_STATUS_SUCCESS);
	assert_int_equal(processes(model), 1);
	assert_agrees(model);
	inv_model_free(model);
}

static uint32_t refuse(const struct inv_model *model, const struct inv_model_event *event, void *context)
{
	(void)model;
	*(unsigned *)context += 1;
	return event->create ? INV_STATUS_ACCESS_DENIED : INV_STATUS_SUCCESS;
}

static uint32_t observe(const struct inv_model *model, const struct inv_model_event *event, void *context)
{
	(void)model;
	(void)event;
	*(unsigned *)context += 1;
	return INV_STATUS_ACCESS_DENIED; // counts for processes only
}

// What a refused creation leaves: a sequence number and identifiers that were used up, and freed blocks.
static void refused_creation(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	unsigned asked = 0, threads = 0;
	assert_int_equal(inv_model_register(model, INV_CALLBACK_PROCESS, refuse, &asked), INV_STATUS_SUCCESS);
	assert_int_equal(inv_model_register(model, INV_CALLBACK_THREAD, observe, &threads), INV_STATUS_SUCCESS);
	struct inv_model_type_counters before[INV_MODEL_TYPE_COUNT];
	memcpy(before, model->counters, sizeof before);
	uint32_t identifiers = model->cid->handle_count, handles = model->system_process->object_table->handle_count;
	uint64_t sequence = model->process_sequence_number;
	struct inv_model_result made = spawn(model, model->system_process);
	assert_int_equal(made.status, INV_STATUS_ACCESS_DENIED);
	assert_null(made.process);
	assert_int_equal(made.handle, 0);
	assert_int_equal(asked, 2);   // its creation and its end
	assert_int_equal(threads, 1); // the end of its only thread
	assert_memory_equal(before, model->counters, sizeof before);
	assert_int_equal(model->cid->handle_count, identifiers);
	assert_int_equal(model->system_process->object_table->handle_count, handles);
	assert_int_equal(model->process_sequence_number, sequence + 1);
	assert_int_equal(model->freed_count, 5); // process, token, section, file, thread
	assert_agrees(model);
	inv_model_free(model);
}

static void handle_values(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_process *system = model->system_process;
	const struct inv_model_request open = {
	    .kind = INV_MODEL_OPEN_HANDLE, .process = system, .object = &system->object, .access = 0x1400};
	uint64_t first = inv_model_do(model, &open).handle, second = inv_model_do(model, &open).handle;
	assert_int_equal(second, first + 4);
	assert_int_equal(close_handle(model, system, first), INV_STATUS_SUCCESS);
	assert_int_equal(close_handle(model, system, first), INV_STATUS_INVALID_HANDLE);
	assert_int_equal(close_handle(model, system, second), INV_STATUS_SUCCESS);
	assert_int_equal(inv_model_do(model, &open).handle, second); // last freed, first given
	const struct inv_model_request duplicate = {
	    .kind = INV_MODEL_DUPLICATE_HANDLE, .process = system, .target = system, .handle = second};
	assert_int_equal(inv_model_do(model, &duplicate).handle, first);
	assert_int_equal(system->object_table->entries[first / 4].granted_access, 0x1400);
	for (unsigned i = 0; i < 600; i++)
		assert_int_not_equal(inv_model_do(model, &open).handle & 0x3fc, 0);
	assert_int_equal(system->object.handle_count, 602);
	assert_agrees(model);
	inv_model_free(model);
}

// Identifiers that were freed come back in the order in which they were freed, when all others are used up.
static void identifiers_come_back(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	uint64_t last = 0, first = 0;
	for (unsigned i = 0; i < 400; i++) {
		struct inv_model_result made = spawn(model, model->system_process);
		uint64_t id = made.process->unique_process_id;
		if (id < last)
			break;
		first = first ? first : id;
		last = id;
		end(model, made.process, 0);
		forget(model, &made);
	}
	assert_true(last > 900); // the page of 255 is used up first
	struct inv_model_result made = spawn(model, model->system_process);
	assert_true(made.process->unique_process_id <= last);
	assert_true(made.process->unique_process_id >= first);
	assert_agrees(model);
	inv_model_free(model);
}

static void clone_and_minimal(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_result session =
	    inv_model_do(model, &(struct inv_model_request){.kind = INV_MODEL_CREATE_SESSION});
	struct inv_model_request request = {
	    .kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process, .session = session.session};
	struct inv_model_result made = inv_model_do(model, &request);
	assert_int_equal(session.session->process_count, 1);
	request =
	    (struct inv_model_request){.kind = INV_MODEL_CLONE_PROCESS, .process = made.process, .target = made.process};
	struct inv_model_result clone = inv_model_do(model, &request);
	assert_int_equal(inv_model_state_of(model, clone.process), INV_STATE_C3);
	assert_ptr_equal(clone.process->section, made.process->section);
	assert_ptr_equal(clone.process->session, session.session);
	assert_int_equal(made.process->section->object.pointer_count, 2);
	request = (struct inv_model_request){
	    .kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process, .process_kind = INV_MODEL_MINIMAL};
	struct inv_model_result minimal = inv_model_do(model, &request);
	assert_null(minimal.process->object_table);
	assert_int_equal(inv_model_state_of(model, minimal.process), INV_STATE_RUN);
	assert_agrees(model);
	end(model, made.process, 0); // closes the only handle to the clone, which never ran
	assert_int_equal(processes(model), 3);
	assert_int_equal(session.session->process_count, 1); // the zombie
	assert_agrees(model);
	inv_model_free(model);
}

static void attached_address_space(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_result guest = spawn(model, model->system_process), host = spawn(model, model->system_process);
	struct inv_model_request request = {
	    .kind = INV_MODEL_ATTACH_PROCESS, .thread = guest.thread, .target = host.process};
	assert_int_equal(inv_model_do(model, &request).status, INV_STATUS_SUCCESS);
	assert_int_equal(guest.thread->state, INV_THREAD_RUNNING);
	assert_ptr_equal(model->cpu[guest.thread->cpu].cr3, host.process->directory_table_base);
	end(model, host.process, 0);
	assert_int_equal(inv_model_state_of(model, host.process), INV_STATE_ZOMBIE);
	assert_agrees(model);
	end(model, guest.process, 0); // its thread leaves the other process first
	assert_ptr_equal(guest.thread->apc_process, guest.process);
	assert_agrees(model);
	inv_model_free(model);
}

static void jobs(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_result made = spawn(model, model->system_process);
	struct inv_model_request request = {.kind = INV_MODEL_CREATE_JOB, .process = made.process};
	struct inv_model_result job = inv_model_do(model, &request);
	request =
	    (struct inv_model_request){.kind = INV_MODEL_ASSIGN_JOB, .target = made.process, .object = &job.job->object};
	assert_int_equal(inv_model_do(model, &request).status, INV_STATUS_SUCCESS);
	struct inv_model_result child = spawn(model, made.process);
	assert_int_equal(job.job->active_processes, 2);
	end(model, made.process, 0);
	assert_int_equal(job.job->active_processes, 1); // the zombie left its list and still refers to it
	assert_ptr_equal(made.process->job, job.job);
	end(model, child.process, 0); // nothing holds it any more: the handles were those of its parent
	assert_int_equal(job.job->total_processes, 2);
	assert_int_equal(job.job->object.pointer_count, 1);
	assert_agrees(model);
	forget(model, &made);
	assert_int_equal(model->counters[INV_MODEL_JOB].total_number_of_objects, 0);
	assert_agrees(model);
	inv_model_free(model);
}

// A creation stopped half-way is let go of with the model.
static void stopped_half_way(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	const struct inv_model_request request = {.kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process};
	struct inv_model_operation *operation = inv_model_begin(model, &request);
	while (strcmp(inv_model_next_step(operation), "ObInitProcess") != 0)
		assert_int_equal(inv_model_step(operation), INV_MODEL_GOES_ON);
	struct inv_model_report report;
	assert_true(inv_model_check(model, &report));
	assert_int_equal(report.states[INV_STATE_C0], 1);
	inv_model_free(model);
}

static void refused_requests(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	const struct inv_model_request requests[] = {
	    {.kind = INV_MODEL_EXIT_PROCESS, .target = model->system_process},
	    {.kind = INV_MODEL_EXIT_PROCESS, .target = model->idle_process},
	    {.kind = INV_MODEL_EXIT_PROCESS},
	    {.kind = INV_MODEL_SPAWN_PROCESS},
	    {.kind = INV_MODEL_WAIT, .thread = model->cpu[0].idle},
	    {.kind = INV_MODEL_SCHEDULE, .cpu = 2},
	    {.kind = INV_MODEL_INSERT_PROCESS, .process = model->system_process, .target = model->system_process},
	    {.kind = INV_MODEL_DEREFERENCE, .object = &model->system_process->object},
	    {.kind = INV_MODEL_OPERATION_COUNT},
	};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		assert_int_not_equal(inv_model_do(model, &requests[i]).status, INV_STATUS_SUCCESS);
		assert_agrees(model);
	}
	inv_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(boot),
	    cmocka_unit_test(life_of_a_process),
	    cmocka_unit_test(zombie_is_held),
	    cmocka_unit_test(refused_creation),
	    cmocka_unit_test(handle_values),
	    cmocka_unit_test(identifiers_come_back),
	    cmocka_unit_test(clone_and_minimal),
	    cmocka_unit_test(attached_address_space),
	    cmocka_unit_test(jobs),
	    cmocka_unit_test(stopped_half_way),
	    cmocka_unit_test(refused_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
