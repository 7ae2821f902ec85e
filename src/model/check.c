// SPDX-License-Identifier: Apache-2.0
// Every register compared with every other. Nothing here asks the model how it got where it is: only what stands in the
// records counts, as for one who reads an image.
#include <stdarg.h>
#include <stdio.h>

#include "model/check.h"

// Where an object was seen.
enum {
	ON_ACTIVE = 1 << 0,
	ON_MM = 1 << 1,
	ON_KI = 1 << 2,
	ON_SESSION = 1 << 3,
	IN_CID = 1 << 4,
	HAS_TABLE = 1 << 5,
	HAS_FRAME = 1 << 6,
	ON_JOB = 1 << 7,
	ON_EXECUTIVE = 1 << 8,
	ON_SCHEDULER = 1 << 9,
	ON_READY = 1 << 10,
	ON_WAIT = 1 << 11,
	IS_CURRENT = 1 << 12,
	IS_NEXT = 1 << 13,
	ON_REAPER = 1 << 14,
	ON_JOB_LIST = 1 << 15,
};

void inv_model_disagree(const struct inv_model_checking *check, const char *format, ...)
{
	if (check->report->disagreements++)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(check->report->first, sizeof check->report->first, format, arguments);
	va_end(arguments);
}

static unsigned long long serial(const struct inv_model_object *object)
{
	return object->serial;
}

static bool see(const struct inv_model_checking *check, struct inv_model_object *object, uint32_t where,
                const char *name)
{
	if (!object->allocated)
		inv_model_disagree(check, "%s holds object %llu, whose block is free", name, serial(object));
	else if (object->seen & where)
		inv_model_disagree(check, "%s holds object %llu twice", name, serial(object));
	object->seen |= where;
	return object->allocated;
}

bool inv_model_closed(const struct inv_model_checking *check, const struct inv_model_link *link, const char *name)
{
	if (link->next && link->prev && link->next->prev == link && link->prev->next == link)
		return true;
	inv_model_disagree(check, "%s is not closed", name);
	return false;
}

// -- the automaton ----------------------------------------------------------------------------------------------------------

const char *inv_model_state_name(enum inv_model_state state)
{
	static const char *const names[INV_STATE_COUNT] = {
	    [INV_STATE_NONE] = "none",     [INV_STATE_ALLOCATED] = "allocated",
	    [INV_STATE_C0] = "c0",         [INV_STATE_C1] = "c1",
	    [INV_STATE_C2] = "c2",         [INV_STATE_C3] = "c3",
	    [INV_STATE_RUN] = "run",       [INV_STATE_EXITING] = "exiting",
	    [INV_STATE_ZOMBIE] = "zombie", [INV_STATE_D0] = "d0",
	    [INV_STATE_D1] = "d1",         [INV_STATE_D2] = "d2",
	    [INV_STATE_D3] = "d3",
	};
	return names[state];
}

// How far the address space is registered: 0 not at all, 1 page, 2 page and Mm list, 3 also the session's list, if it has a
// session. Creation goes up, deletion comes down. Negative: the order was not kept.
static int address_space(const struct inv_model_process *process)
{
	bool page = process->directory_table_base && process->directory_table_base->owner == process;
	bool mm = inv_model_linked(&process->mm_process_links);
	bool session = inv_model_linked(&process->session_process_links);
	if ((mm && !page) || (session && !mm) || (session && !process->session))
		return -1;
	if (mm)
		return session || !process->session ? 3 : 2;
	return page ? 1 : 0;
}

static enum inv_model_state while_alive(const struct inv_model_process *process, int space, bool cid, bool active)
{
	bool scheduled = inv_model_linked(&process->process_list);
	if (!process->process_inserted) {
		if (scheduled || process->exit_time || (active && !cid))
			return INV_STATE_NONE;
		if (active)
			return space == 3 ? INV_STATE_C2 : INV_STATE_NONE;
		if (cid)
			return space == 3 ? INV_STATE_C1 : INV_STATE_NONE;
		return space ? INV_STATE_C0 : INV_STATE_ALLOCATED;
	}
	if (!active || !cid || space != 3)
		return INV_STATE_NONE;
	if (scheduled)
		return process->process_delete ? INV_STATE_EXITING : process->exit_time ? INV_STATE_NONE : INV_STATE_RUN;
	if (!process->exit_time)
		return process->process_delete ? INV_STATE_NONE : INV_STATE_C3;
	return process->object_table ? INV_STATE_NONE : INV_STATE_ZOMBIE;
}

static enum inv_model_state while_deleted(const struct inv_model_process *process, int space, bool cid, bool active)
{
	if (inv_model_linked(&process->process_list))
		return INV_STATE_NONE;
	if (process->process_inserted)
		return active && cid && space == 3 ? INV_STATE_D0 : INV_STATE_NONE;
	if (active)
		return cid && space == 3 ? INV_STATE_D1 : INV_STATE_NONE;
	if (cid || process->unique_process_id == 0) // 0: the creation failed before it had one
		return space == 3 ? INV_STATE_D1 : INV_STATE_D2;
	return space == 0 ? INV_STATE_D3 : INV_STATE_NONE;
}

enum inv_model_state inv_model_state_of(const struct inv_model *model, const struct inv_model_process *process)
{
	int space = address_space(process);
	if (space < 0)
		return INV_STATE_NONE;
	bool cid = inv_model_process_by_id(model, process->unique_process_id) == process;
	bool active = inv_model_linked(&process->active_process_links);
	return process->object.pointer_count > 0 ? while_alive(process, space, cid, active)
	                                         : while_deleted(process, space, cid, active);
}

// -- registers --------------------------------------------------------------------------------------------------------------

static void clear(struct inv_model_link *head)
{
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_object *object = link->owner;
		object->seen = object->handles_seen = 0;
		object->references_seen = 0;
	}
}

static void walk_types(const struct inv_model_checking *check)
{
	struct inv_model *model = check->model;
	for (size_t type = 0; type < INV_MODEL_TYPE_COUNT; type++) {
		uint32_t count = 0;
		for (struct inv_model_link *link = model->blocks[type].next; link != &model->blocks[type]; link = link->next)
			count++;
		if (count != model->counters[type].total_number_of_objects)
			inv_model_disagree(check, "type %zu counts %u objects, %u are allocated", type,
			                   model->counters[type].total_number_of_objects, count);
	}
}

// Of lists whose owners are processes.
static uint32_t walk_processes(const struct inv_model_checking *check, struct inv_model_link *head, uint32_t where,
                               const char *name)
{
	uint32_t count = 0;
	uint64_t last = 0;
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_process *process = link->owner;
		if (!inv_model_closed(check, link, name) || !see(check, &process->object, where, name))
			break;
		if (where == ON_ACTIVE && process->sequence_number <= last)
			inv_model_disagree(check, "the active list is out of order at process %llu", serial(&process->object));
		last = process->sequence_number;
		count++;
	}
	if (where == ON_ACTIVE && last > check->model->process_sequence_number)
		inv_model_disagree(check, "a sequence number is greater than the last that was given");
	return count;
}

static void walk_sessions(const struct inv_model_checking *check)
{
	for (size_t i = 0; i < inv_count(check->model->sessions); i++) {
		struct inv_model_session *session = check->model->sessions[i];
		uint32_t count = walk_processes(check, &session->processes, ON_SESSION, "session list");
		if (count != session->process_count)
			inv_model_disagree(check, "session %u counts %u processes, %u are on its list", session->id,
			                   session->process_count, count);
		for (struct inv_model_link *link = session->processes.next; link != &session->processes; link = link->next)
			if (((struct inv_model_process *)link->owner)->session != session)
				inv_model_disagree(check, "a process of another session is on the list of session %u", session->id);
	}
}

// Entries, free list and reserved entries make up the whole table.
static void check_table(const struct inv_model_checking *check, const struct inv_model_table *table)
{
	size_t used = 0, free_count = 0, size = inv_count(table->entries);
	for (size_t i = 0; i < size; i++) {
		used += table->entries[i].object != NULL;
		if (table->entries[i].object && i % INV_MODEL_TABLE_PAGE == 0)
			inv_model_disagree(check, "a handle table gave out entry %zu", i);
	}
	uint32_t last = 0;
	for (uint32_t i = table->first_free; i && free_count < size; i = table->entries[i].next_free) {
		free_count++;
		last = i;
		if (table->entries[i].object)
			inv_model_disagree(check, "entry %u of a handle table is in use and on the free list", i);
	}
	if (used != table->handle_count || used + free_count + size / INV_MODEL_TABLE_PAGE != size)
		inv_model_disagree(check, "a handle table counts %u handles; %zu are in use, %zu free, of %zu",
		                   table->handle_count, used, free_count, size);
	if (last != table->last_free)
		inv_model_disagree(check, "the free list of a handle table ends at %u instead of %u", last, table->last_free);
}

static void walk_cid(const struct inv_model_checking *check)
{
	const struct inv_model_table *table = check->model->cid;
	check_table(check, table);
	for (size_t i = 0; i < inv_count(table->entries); i++) {
		struct inv_model_object *object = table->entries[i].object;
		if (!object || !see(check, object, IN_CID, "PspCidTable"))
			continue;
		uint64_t own = object->type == INV_MODEL_PROCESS  ? inv_as_process(object)->unique_process_id
		               : object->type == INV_MODEL_THREAD ? inv_as_thread(object)->unique_thread
		                                                  : 0;
		if (own != 4ull * i)
			inv_model_disagree(check, "PspCidTable has object %llu at %zu, which calls itself %llu", serial(object),
			                   4 * i, (unsigned long long)own);
	}
}

static void walk_handles(const struct inv_model_checking *check)
{
	struct inv_model_link *head = &check->model->handle_table_list_head;
	uint32_t by_type[INV_MODEL_TYPE_COUNT] = {0};
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_table *table = link->owner;
		struct inv_model_process *process = table->quota_process;
		if (!inv_model_closed(check, link, "HandleTableListHead") ||
		    !see(check, &process->object, HAS_TABLE, "table list"))
			return;
		if (process->object_table != table)
			inv_model_disagree(check, "a handle table names process %llu, which has another", serial(&process->object));
		bool named = table->unique_process_id == process->unique_process_id;
		if (!named && (table->unique_process_id || inv_model_linked(&process->active_process_links)))
			inv_model_disagree(check, "a handle table names another PID than its process %llu",
			                   serial(&process->object));
		check_table(check, table);
		for (size_t i = 0; i < inv_count(table->entries); i++) {
			struct inv_model_object *object = table->entries[i].object;
			if (!object)
				continue;
			if (!object->allocated)
				inv_model_disagree(check, "a handle refers to object %llu, whose block is free", serial(object));
			object->handles_seen++;
			object->references_seen++;
			by_type[object->type]++;
		}
	}
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		if (by_type[i] != check->model->counters[i].total_number_of_handles)
			inv_model_disagree(check, "type %zu counts %u handles, %u are open", i,
			                   check->model->counters[i].total_number_of_handles, by_type[i]);
}

static void walk_frames(const struct inv_model_checking *check)
{
	for (size_t i = 0; i < inv_count(check->model->frames); i++) {
		const struct inv_model_frame *frame = check->model->frames[i];
		if (!frame->owner || !see(check, &frame->owner->object, HAS_FRAME, "page-frame database"))
			continue;
		if (frame->owner->directory_table_base != frame)
			inv_model_disagree(check, "frame %llu names process %llu, which has another",
			                   (unsigned long long)frame->number, serial(&frame->owner->object));
	}
}

static void walk_jobs(const struct inv_model_checking *check)
{
	struct inv_model *model = check->model;
	for (struct inv_model_link *link = model->job_list.next; link != &model->job_list; link = link->next) {
		struct inv_model_job *job = link->owner;
		if (!inv_model_closed(check, link, "PspJobList") || !see(check, &job->object, ON_JOB_LIST, "PspJobList"))
			return;
		if (walk_processes(check, &job->processes, ON_JOB, "job") != job->active_processes)
			inv_model_disagree(check, "job %llu counts %u active processes", serial(&job->object),
			                   job->active_processes);
		for (struct inv_model_link *at = job->processes.next; at != &job->processes; at = at->next)
			if (((struct inv_model_process *)at->owner)->job != job)
				inv_model_disagree(check, "job %llu lists a process of another", serial(&job->object));
	}
}

static void walk_queue(const struct inv_model_checking *check, struct inv_model_link *head, uint32_t where,
                       enum inv_model_thread_state state)
{
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_thread *thread = link->owner;
		if (!inv_model_closed(check, link, "a queue of a CPU") ||
		    !see(check, &thread->object, where, "a queue of a CPU"))
			return;
		if (thread->state != state)
			inv_model_disagree(check, "thread %llu has state %d on a queue for %d", serial(&thread->object),
			                   thread->state, state);
	}
}

static void check_cpu(const struct inv_model_checking *check, struct inv_model_cpu *cpu)
{
	for (unsigned i = 0; i < INV_MODEL_PRIORITIES; i++) {
		walk_queue(check, &cpu->ready[i], ON_READY, INV_THREAD_READY);
		if (inv_model_empty(&cpu->ready[i]) == (cpu->ready_summary >> i & 1))
			inv_model_disagree(check, "ReadySummary is wrong for priority %u", i);
	}
	walk_queue(check, &cpu->wait, ON_WAIT, INV_THREAD_WAITING);
	struct inv_model_thread *current = cpu->current;
	if (!current->idle)
		see(check, &current->object, IS_CURRENT, "CurrentThread");
	if (cpu->next)
		see(check, &cpu->next->object, IS_NEXT, "NextThread");
	if (cpu->cr3 != current->apc_process->directory_table_base)
		inv_model_disagree(check, "CR3 is not the address space of the current thread %llu", serial(&current->object));
	if (check->at_rest && cpu->pinned)
		inv_model_disagree(check, "a CPU is still in use by an operation that is over");
}

static void walk_reaper(const struct inv_model_checking *check)
{
	struct inv_model_link *head = &check->model->reaper_list_head;
	walk_queue(check, head, ON_REAPER, INV_THREAD_TERMINATED);
	if (check->at_rest && !inv_model_empty(head))
		inv_model_disagree(check, "the reaper has not done its work");
}

// -- references -------------------------------------------------------------------------------------------------------------

static void refer(struct inv_model_object *object)
{
	if (object)
		object->references_seen++;
}

static void count_references(const struct inv_model_checking *check)
{
	struct inv_model *model = check->model;
	struct inv_model_link *head = &model->blocks[INV_MODEL_THREAD];
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_thread *thread = link->owner;
		thread->object.references_seen += thread->self_reference;
		refer(thread->process ? &thread->process->object : NULL);
		if (thread->apc_process != thread->process)
			refer(&thread->apc_process->object);
	}
	head = &model->blocks[INV_MODEL_PROCESS];
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_process *process = link->owner;
		process->object.references_seen +=
		    process->creation_held + process->client_handle + (process == model->system_process);
		refer(process->token ? &process->token->object : NULL);
		refer(process->section ? &process->section->object : NULL);
		refer(process->job ? &process->job->object : NULL);
		refer(process->image_file_pointer ? &process->image_file_pointer->object : NULL);
	}
	head = &model->areas;
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_area *area = link->owner;
		refer(area->file_pointer ? &area->file_pointer->object : NULL);
	}
	refer(&model->system_dll->object);
	refer(&model->nls->object);
	for (size_t i = 0; i < inv_count(model->held); i++)
		refer(model->held[i]);
	for (size_t i = 0; i < inv_count(model->operations); i++)
		for (size_t j = 0; j < inv_count(model->operations[i]->held); j++)
			refer(model->operations[i]->held[j]);
}

static void check_header(const struct inv_model_checking *check, const struct inv_model_object *object)
{
	if (object->handle_count != object->handles_seen)
		inv_model_disagree(check, "object %llu counts %lld handles, %u are open", serial(object),
		                   (long long)object->handle_count, object->handles_seen);
	if (object->pointer_count != object->references_seen)
		inv_model_disagree(check, "object %llu counts %lld references, %lld are known", serial(object),
		                   (long long)object->pointer_count, (long long)object->references_seen);
	if (check->at_rest && object->pointer_count == 0)
		inv_model_disagree(check, "object %llu was not deleted", serial(object));
}

// -- one process, one thread ------------------------------------------------------------------------------------------------

// Being on a list and being found by walking it are two statements.
static void check_links(const struct inv_model_checking *check, const struct inv_model_process *process)
{
	const struct {
		bool says;
		uint32_t where;
		const char *name;
	} links[] = {
	    {inv_model_linked(&process->active_process_links), ON_ACTIVE, "PsActiveProcessHead"},
	    {inv_model_linked(&process->mm_process_links), ON_MM, "Mm list"},
	    {inv_model_linked(&process->process_list), ON_KI, "KiProcessListHead"},
	    {inv_model_linked(&process->session_process_links), ON_SESSION, "session list"},
	    {inv_model_linked(&process->job_links), ON_JOB, "job"},
	    {process->object_table != NULL, HAS_TABLE, "HandleTableListHead"},
	    {process->directory_table_base != NULL, HAS_FRAME, "page-frame database"},
	};
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (links[i].says != ((process->object.seen & links[i].where) != 0))
			inv_model_disagree(check, "process %llu and the %s disagree", serial(&process->object), links[i].name);
}

static uint32_t walk_threads(const struct inv_model_checking *check, struct inv_model_process *process)
{
	uint32_t active = process->leaving;
	for (struct inv_model_link *link = process->thread_head.next; link != &process->thread_head; link = link->next) {
		struct inv_model_thread *thread = link->owner;
		if (!inv_model_closed(check, link, "EPROCESS.ThreadListHead") ||
		    !see(check, &thread->object, ON_EXECUTIVE, "thread list"))
			return active;
		active += !thread->leaving;
		if (thread->process != process)
			inv_model_disagree(check, "thread %llu is on the list of another process", serial(&thread->object));
	}
	for (struct inv_model_link *link = process->thread_list_head.next; link != &process->thread_list_head;
	     link = link->next) {
		struct inv_model_thread *thread = link->owner;
		if (!inv_model_closed(check, link, "KPROCESS.ThreadListHead") ||
		    !see(check, &thread->object, ON_SCHEDULER, "thread list"))
			return active;
		if (!(thread->object.seen & ON_EXECUTIVE))
			inv_model_disagree(check, "thread %llu is on the scheduler's list alone", serial(&thread->object));
	}
	return active;
}

// What a process in this state must look like beside its place on the lists.
static const char *wrong_in_state(const struct inv_model_process *process, enum inv_model_state state)
{
	bool pending = process->exit_status == INV_STATUS_PENDING;
	if (state <= INV_STATE_RUN && (process->exit_time || !pending || process->signal_state || process->process_delete))
		return "shows an exit while it runs";
	if (state >= INV_STATE_C2 && state <= INV_STATE_RUN && !process->object_table && !process->minimal)
		return "has no handle table while it runs";
	if ((state >= INV_STATE_C2 && state <= INV_STATE_ZOMBIE) && (!process->token || !process->se_audit))
		return "has no token or audit name";
	if (process->token && !process->token->in_use)
		return "has a token that is not in use";
	if (state == INV_STATE_RUN && process->active_threads == 0)
		return "is scheduled without an active thread";
	if (state == INV_STATE_EXITING && (process->active_threads || !process->process_rundown))
		return "exits with active threads";
	if (state == INV_STATE_EXITING && !process->exit_time && !process->object_table && !process->minimal)
		return "lost its handles before its exit time";
	bool left = !process->object_table && !process->section && !process->image_file_pointer &&
	            !process->win32_process && !process->client && !process->client_handle &&
	            process->space.vad_count == 0 && process->signal_state == 1 && !inv_model_linked(&process->job_links);
	if (state == INV_STATE_ZOMBIE &&
	    (!left || pending || process->active_threads || !process->process_delete || !process->exit_process_reported))
		return "is no clean zombie";
	if (process->client && (!process->client_handle || !process->exception_port))
		return "is known to csrss without a handle, or has not its port";
	if (process->process_in_session != (process->session != NULL))
		return "has a session without the flag or the flag without one";
	bool inserted_thread = false;
	if (!inv_model_empty(&process->thread_head))
		inserted_thread = ((const struct inv_model_thread *)process->thread_head.next->owner)->thread_inserted;
	if ((inserted_thread || state == INV_STATE_EXITING || state == INV_STATE_ZOMBIE) && !process->create_reported)
		return "ran without being reported";
	return NULL;
}

static void check_process(const struct inv_model_checking *check, struct inv_model_process *process)
{
	check_links(check, process);
	bool scheduled = inv_model_linked(&process->process_list);
	if (scheduled == inv_model_empty(&process->thread_list_head))
		inv_model_disagree(check, "process %llu and its scheduler's thread list disagree", serial(&process->object));
	enum inv_model_state state = inv_model_state_of(check->model, process);
	check->report->states[state]++;
	if (state == INV_STATE_NONE)
		inv_model_disagree(check, "process %llu is in no legal state", serial(&process->object));
	bool stays = state == INV_STATE_C3 || state == INV_STATE_RUN || state == INV_STATE_ZOMBIE ||
	             (state == INV_STATE_C1 && process->creation_held);
	bool forking = process->fork_in_progress && state != INV_STATE_C1;
	if (check->at_rest && (!stays || process->leaving || process->rundown_protect || forking))
		inv_model_disagree(check, "process %llu is in state %s and nothing is under way", serial(&process->object),
		                   inv_model_state_name(state));
	const char *wrong = wrong_in_state(process, state);
	if (wrong)
		inv_model_disagree(check, "process %llu in state %s %s", serial(&process->object), inv_model_state_name(state),
		                   wrong);
}

static uint32_t places_of(const struct inv_model_thread *thread)
{
	switch (thread->state) {
	case INV_THREAD_READY:
		return ON_READY;
	case INV_THREAD_RUNNING:
		return IS_CURRENT;
	case INV_THREAD_STANDBY:
		return IS_NEXT;
	case INV_THREAD_WAITING:
		return ON_WAIT;
	case INV_THREAD_TERMINATED:
		return thread->self_reference ? ON_REAPER : 0;
	case INV_THREAD_INITIALIZED:
		break;
	}
	return 0;
}

static void check_thread(const struct inv_model_checking *check, const struct inv_model_thread *thread)
{
	uint32_t seen = thread->object.seen;
	uint32_t places = seen & (ON_READY | ON_WAIT | IS_CURRENT | IS_NEXT | ON_REAPER);
	bool entering_wait = places == (ON_WAIT | IS_CURRENT) && check->model->cpu[thread->cpu].pinned;
	if (places != places_of(thread) && (check->at_rest || !entering_wait))
		inv_model_disagree(check, "thread %llu of state %d stands at 0x%x", serial(&thread->object), thread->state,
		                   places);
	bool over = thread->state == INV_THREAD_TERMINATED;
	bool scheduled = seen & ON_SCHEDULER;
	if (scheduled && over)
		inv_model_disagree(check, "thread %llu has ended and is scheduled", serial(&thread->object));
	if (!scheduled && !over && (thread->thread_inserted || check->at_rest))
		inv_model_disagree(check, "thread %llu runs and is not scheduled", serial(&thread->object));
	if (over && (!thread->terminated || thread->signal_state != 1))
		inv_model_disagree(check, "thread %llu has ended without a signal", serial(&thread->object));
	bool alive = thread->object.pointer_count > 0 && thread->self_reference;
	if ((alive || check->at_rest) && (seen & (IN_CID | ON_EXECUTIVE)) != (IN_CID | ON_EXECUTIVE))
		inv_model_disagree(check, "thread %llu is not in both registers of the executive", serial(&thread->object));
}

// -- all --------------------------------------------------------------------------------------------------------------------

static void walk_registers(const struct inv_model_checking *check)
{
	struct inv_model *model = check->model;
	walk_types(check);
	walk_processes(check, &model->active_process_head, ON_ACTIVE, "PsActiveProcessHead");
	walk_processes(check, &model->mm_process_list, ON_MM, "Mm list");
	walk_processes(check, &model->ki_process_list_head, ON_KI, "KiProcessListHead");
	walk_sessions(check);
	walk_cid(check);
	walk_handles(check);
	walk_frames(check);
	walk_jobs(check);
	for (unsigned i = 0; i < model->cpu_count; i++)
		check_cpu(check, &model->cpu[i]);
	walk_reaper(check);
	count_references(check);
}

static bool at_rest(const struct inv_model *model)
{
	for (size_t i = 0; i < inv_count(model->operations); i++)
		if (inv_model_next_step(model->operations[i]))
			return false;
	return true;
}

bool inv_model_check(struct inv_model *model, struct inv_model_report *report)
{
	*report = (struct inv_model_report){0};
	const struct inv_model_checking check = {model, report, at_rest(model)};
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		clear(&model->blocks[i]);
	walk_registers(&check);
	struct inv_model_link *head = &model->blocks[INV_MODEL_PROCESS];
	for (struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_process *process = link->owner;
		uint32_t active = walk_threads(&check, process);
		if (active != process->active_threads)
			inv_model_disagree(&check, "process %llu counts %u active threads, %u are on its list",
			                   serial(&process->object), process->active_threads, active);
		check_process(&check, process);
	}
	head = &model->blocks[INV_MODEL_THREAD];
	for (struct inv_model_link *link = head->next; link != head; link = link->next)
		check_thread(&check, link->owner);
	for (size_t i = 0; i < INV_MODEL_TYPE_COUNT; i++)
		for (struct inv_model_link *link = model->blocks[i].next; link != &model->blocks[i]; link = link->next)
			check_header(&check, link->owner);
	inv_model_check_sections(&check);
	inv_model_check_spaces(&check);
	inv_model_check_user(&check);
	inv_model_check_apcs(&check);
	return report->disagreements == 0;
}
