// SPDX-License-Identifier: Apache-2.0
// Files, sections, address spaces, modules and APCs, one by one; and that every record of them which is broken by hand is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

static void assert_agrees(struct inv_model *model)
{
	struct inv_model_report report;
	if (!inv_model_check(model, &report))
		fail_msg("%s", report.first);
}

static struct inv_model_result run(struct inv_model *model, struct inv_model_request request)
{
	struct inv_model_operation *operation = inv_model_begin(model, &request);
	while (inv_model_next_step(operation)) {
		assert_int_not_equal(inv_model_step(operation), INV_MODEL_WAITS);
		assert_agrees(model);
	}
	return inv_model_finish(operation);
}

static struct inv_model_result good(struct inv_model *model, struct inv_model_request request)
{
	const struct inv_model_result result = run(model, request);
	assert_int_equal(result.status, INV_STATUS_SUCCESS);
	return result;
}

static struct inv_model_result spawn(struct inv_model *model, struct inv_model_object *image)
{
	return good(model, (struct inv_model_request){
	                       .kind = INV_MODEL_SPAWN_PROCESS, .process = model->system_process, .image = image});
}

static struct inv_model_file *create_file(struct inv_model *model, uint64_t *handle)
{
	const struct inv_model_result made =
	    good(model, (struct inv_model_request){.kind = INV_MODEL_CREATE_FILE, .process = model->system_process});
	*handle = made.handle;
	return made.file;
}

static struct inv_model_section *create_section(struct inv_model *model, struct inv_model_file *file,
                                                enum inv_model_backing backing, uint64_t *handle)
{
	const struct inv_model_result made = good(model, (struct inv_model_request){.kind = INV_MODEL_CREATE_SECTION,
	                                                                            .process = model->system_process,
	                                                                            .object = file ? &file->object : NULL,
	                                                                            .backing = backing,
	                                                                            .pages = 3});
	*handle = made.handle;
	return made.section;
}

static void close_handle(struct inv_model *model, uint64_t handle)
{
	(void)good(model, (struct inv_model_request){
	                      .kind = INV_MODEL_CLOSE_HANDLE, .process = model->system_process, .handle = handle});
}

static uint64_t map(struct inv_model *model, struct inv_model_process *process, struct inv_model_section *section,
                    enum inv_model_protection protection)
{
	return good(model, (struct inv_model_request){.kind = INV_MODEL_MAP_VIEW,
	                                              .target = process,
	                                              .object = &section->object,
	                                              .protection = protection})
	    .page;
}

static void touch(struct inv_model *model, struct inv_model_process *process, uint64_t page, bool write)
{
	(void)good(model,
	           (struct inv_model_request){.kind = INV_MODEL_FAULT, .target = process, .page = page, .write = write});
}

static void trim(struct inv_model *model, struct inv_model_process *process, uint64_t page)
{
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_TRIM, .target = process, .page = page});
}

static struct inv_model_result load(struct inv_model *model, struct inv_model_thread *thread)
{
	return good(model, (struct inv_model_request){.kind = INV_MODEL_LOAD_MODULE, .thread = thread});
}

static struct inv_model_vad *vad_at(const struct inv_model_process *process, uint64_t page)
{
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_vad *vad = link->owner;
		if (page >= vad->start && page <= vad->end)
			return vad;
	}
	return NULL;
}

static struct inv_model *new_model(void)
{
	return inv_model_new(&(struct inv_model_config){.cpus = 2});
}

// -- sections -----------------------------------------------------------------------------------------------------------------

// One control area of each kind for a file, however many ask; pages that are in memory outlast all who used them.
static void life_of_a_section(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	uint64_t file_handle, first_handle, second_handle, data_handle;
	struct inv_model_file *file = create_file(model, &file_handle);
	struct inv_model_section *first = create_section(model, file, INV_MODEL_IMAGE, &first_handle);
	const struct inv_model_section *second = create_section(model, file, INV_MODEL_IMAGE, &second_handle);
	const struct inv_model_section *data = create_section(model, file, INV_MODEL_DATA, &data_handle);
	const struct inv_model_area *area = first->area;
	assert_ptr_equal(second->area, area);
	assert_ptr_not_equal(data->area, area);
	assert_ptr_equal(file->stream->image_section_object, area);
	assert_ptr_equal(file->stream->data_section_object, data->area);
	assert_int_equal(area->number_of_section_references, 2);
	struct inv_model_process *one = spawn(model, &first->object).process, *two = spawn(model, &first->object).process;
	assert_ptr_equal(one->image_file_pointer, file);
	assert_int_equal(area->number_of_mapped_views, 2);
	assert_int_equal(one->section_base_address, two->section_base_address); // as the segment says
	touch(model, one, one->section_base_address, false);
	touch(model, two, two->section_base_address, false);
	assert_int_equal(area->prototypes[0].share_count, 2);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_EXIT_PROCESS, .target = one});
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_EXIT_PROCESS, .target = two});
	assert_int_equal(area->number_of_mapped_views, 0);
	close_handle(model, first_handle);
	close_handle(model, data_handle);
	assert_null(file->stream->data_section_object); // none of its pages was in memory
	close_handle(model, second_handle);
	close_handle(model, file_handle);
	assert_int_equal(area->number_of_section_references, 0);
	assert_ptr_equal(model->unused_segments.next->owner, area);
	assert_int_equal(area->prototypes[0].state, INV_PROTOTYPE_TRANSITION);
	uint64_t serial = area->serial;
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_PURGE_SEGMENT});
	for (const struct inv_model_link *link = model->areas.next; link != &model->areas; link = link->next)
		assert_int_not_equal(((const struct inv_model_area *)link->owner)->serial, serial);
	inv_model_free(model);
}

// What Windows refuses of a program that runs it allows of a file that shall become one: ghosting takes no attack on the records.
static void deleted_program(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	uint64_t file_handle, section_handle;
	struct inv_model_file *file = create_file(model, &file_handle);
	const struct inv_model_request remove = {.kind = INV_MODEL_DELETE_FILE, .object = &file->object};
	const struct inv_model_process *ordinary = spawn(model, NULL).process;
	assert_int_equal(run(model, (struct inv_model_request){.kind = INV_MODEL_DELETE_FILE,
	                                                       .object = &ordinary->image_file_pointer->object})
	                     .status,
	                 INV_STATUS_INVALID_PARAMETER); // nobody has it open
	(void)good(model, remove);
	struct inv_model_section *section = create_section(model, file, INV_MODEL_IMAGE, &section_handle);
	assert_int_equal(run(model, remove).status, INV_STATUS_CANNOT_DELETE);
	close_handle(model, file_handle);
	assert_true(file->stream->deleted);
	const struct inv_model_process *ghost = spawn(model, &section->object).process;
	close_handle(model, section_handle);
	assert_true(ghost->image_file_pointer->delete_pending);
	assert_int_equal(inv_model_state_of(model, ghost), INV_STATE_RUN);
	assert_agrees(model);
	inv_model_free(model);
}

// -- address spaces -----------------------------------------------------------------------------------------------------------

static void life_of_a_page(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_process *process = spawn(model, NULL).process;
	uint64_t commit = process->space.commit_charge, size = process->space.virtual_size;
	uint64_t page =
	    good(model, (struct inv_model_request){.kind = INV_MODEL_ALLOCATE_MEMORY, .target = process, .pages = 5}).page;
	assert_int_equal(process->space.virtual_size, size + 5);
	assert_int_equal(process->space.commit_charge, commit); // reserved only
	const struct inv_model_request fault = {.kind = INV_MODEL_FAULT, .target = process, .page = page};
	assert_int_equal(run(model, fault).status, INV_STATUS_ACCESS_VIOLATION);
	(void)good(model, (struct inv_model_request){
	                      .kind = INV_MODEL_ALLOCATE_MEMORY, .target = process, .page = page, .commit = true});
	assert_int_equal(process->space.commit_charge, commit + 5);
	const struct inv_model_page *entry = vad_at(process, page)->pages;
	static const enum inv_model_page_state states[] = {INV_MODEL_PAGE_TRANSITION, INV_MODEL_PAGE_PAGED_OUT};
	touch(model, process, page, true);
	assert_int_equal(entry->state, INV_MODEL_PAGE_PRIVATE);
	for (size_t i = 0; i < 2; i++) {
		trim(model, process, page);
		assert_int_equal(entry->state, states[i]);
	}
	touch(model, process, page, false);
	assert_int_equal(process->space.number_of_private_pages, 1);
	(void)good(model, (struct inv_model_request){
	                      .kind = INV_MODEL_FREE_MEMORY, .target = process, .page = page, .decommit = true});
	assert_int_equal(process->space.number_of_private_pages, 0);
	assert_int_equal(entry->state, INV_MODEL_PAGE_DECOMMITTED);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_FREE_MEMORY, .target = process, .page = page});
	assert_null(vad_at(process, page));
	assert_int_equal(process->space.virtual_size, size);
	inv_model_free(model);
}

static void copy_on_write(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	uint64_t handle;
	struct inv_model_section *section = create_section(model, NULL, INV_MODEL_PAGEFILE, &handle);
	struct inv_model_process *one = spawn(model, NULL).process, *two = spawn(model, NULL).process;
	uint64_t first = map(model, one, section, INV_PROTECT_WRITECOPY);
	uint64_t second = map(model, two, section, INV_PROTECT_READWRITE);
	touch(model, one, first, false);
	touch(model, two, second, true);
	assert_int_equal(section->area->prototypes[0].share_count, 2);
	touch(model, one, first, true);
	assert_int_equal(section->area->prototypes[0].share_count, 1);
	assert_int_equal(vad_at(one, first)->pages[0].state, INV_MODEL_PAGE_PRIVATE);
	assert_int_equal(vad_at(one, first)->pages[0].protection, INV_PROTECT_READWRITE);
	assert_int_equal(vad_at(one, first)->protection, INV_PROTECT_WRITECOPY); // as it was asked for
	assert_int_equal(vad_at(two, second)->pages[0].state, INV_MODEL_PAGE_SHARED);
	trim(model, two, second);
	assert_int_equal(section->area->prototypes[0].state, INV_PROTOTYPE_TRANSITION);
	trim(model, two, second);
	assert_int_equal(section->area->prototypes[0].state, INV_PROTOTYPE_PAGED_OUT);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_UNMAP_VIEW, .target = two, .page = second});
	assert_int_equal(section->area->number_of_mapped_views, 1);
	inv_model_free(model);
}

// The program is mapped before ntdll, and both before the PEB; at the end the address space goes before SectionObject.
static void start_and_end(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	const struct inv_model_result made = spawn(model, NULL);
	struct inv_model_process *process = made.process;
	assert_int_equal(process->space.vad_count, 6); // program, ntdll, NLS tables, PEB; stack, TEB
	assert_int_equal(vad_at(process, process->peb)->purpose, INV_PURPOSE_PEB);
	assert_int_equal(vad_at(process, made.thread->teb)->teb_thread_id, made.thread->unique_thread);
	const struct inv_model_request request = {.kind = INV_MODEL_EXIT_PROCESS, .target = process};
	struct inv_model_operation *operation = inv_model_begin(model, &request);
	bool seen = false;
	while (process->section) {
		assert_true(process->space.vad_count == 6 || !process->object_table || made.thread->leaving);
		seen |= process->vm_deleted && process->space.vad_count > 1 && process->space.vad_count < 4;
		assert_int_not_equal(inv_model_step(operation), INV_MODEL_WAITS);
		assert_agrees(model);
	}
	assert_true(seen);
	assert_int_equal(process->space.vad_count, 0);
	assert_non_null(process->image_file_pointer);
	(void)inv_model_finish(operation);
	assert_null(process->image_file_pointer);
	assert_int_equal(process->space.virtual_size + process->space.commit_charge + process->space.working_set_size, 0);
	inv_model_free(model);
}

static void clone(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	const struct inv_model_result made = spawn(model, NULL);
	(void)load(model, made.thread);
	touch(model, made.process, made.process->peb, true);
	const struct inv_model_result copy =
	    good(model, (struct inv_model_request){
	                    .kind = INV_MODEL_CLONE_PROCESS, .process = model->system_process, .target = made.process});
	assert_int_equal(copy.process->space.vad_count, made.process->space.vad_count);
	assert_int_equal(copy.process->space.number_of_private_pages, 1);
	assert_int_equal(copy.process->peb, made.process->peb);
	assert_int_equal(made.process->section->area->number_of_mapped_views, 2);
	const struct inv_model_link *head = &copy.process->ldr.in_load_order;
	assert_int_equal(((const struct inv_model_module *)head->next->owner)->dll_base,
	                 made.process->section_base_address);
	inv_model_free(model);
}

// -- the loader ---------------------------------------------------------------------------------------------------------------

// An image can be taken when the library is mapped and on no list, on two lists, on all three; and on the way back.
static void windows_of_the_loader(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	const struct inv_model_result made = spawn(model, NULL);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_RUN_LOADER, .thread = made.thread});
	const struct inv_model_ldr *ldr = &made.process->ldr;
	const struct inv_model_module *last = ldr->in_load_order.prev->owner;
	const struct inv_model_request request = {.kind = INV_MODEL_LOAD_MODULE, .thread = made.thread};
	struct inv_model_operation *operation = inv_model_begin(model, &request);
	unsigned mapped = 0, listed = 0;
	uint32_t vads = made.process->space.vad_count;
	while (inv_model_next_step(operation)) {
		assert_int_not_equal(inv_model_step(operation), INV_MODEL_WAITS);
		assert_agrees(model);
		bool is_listed = ldr->in_load_order.prev->owner != last;
		mapped += made.process->space.vad_count > vads && !is_listed;
		listed += is_listed && ldr->lock_owner &&
		          !((const struct inv_model_module *)ldr->in_load_order.prev->owner)->initialized;
	}
	(void)inv_model_finish(operation);
	assert_true(mapped > 0 && listed > 0);
	last = ldr->in_load_order.prev->owner;
	assert_true(last->initialized);
	assert_int_equal(vad_at(made.process, last->dll_base)->purpose, INV_PURPOSE_MODULE);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_UNLOAD_MODULE, .thread = made.thread});
	assert_int_equal(made.process->space.vad_count, vads);
	assert_int_equal(
	    run(model, (struct inv_model_request){.kind = INV_MODEL_UNLOAD_MODULE, .thread = made.thread}).status,
	    INV_STATUS_DLL_NOT_FOUND); // the program and ntdll stay
	inv_model_free(model);
}

// -- APCs ---------------------------------------------------------------------------------------------------------------------

static void user_apc(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_thread *thread = spawn(model, NULL).thread;
	const struct inv_model_request queue = {.kind = INV_MODEL_QUEUE_APC, .thread = thread, .user_mode = true};
	const struct inv_model_request deliver = {.kind = INV_MODEL_DELIVER_APC, .thread = thread};
	(void)good(model, queue);
	assert_int_equal(run(model, deliver).status, INV_STATUS_UNSUCCESSFUL); // it waits for an alertable wait
	assert_false(thread->apc_state.user_apc_pending);
	const struct inv_model_request kernel = {.kind = INV_MODEL_QUEUE_APC, .thread = thread};
	(void)good(model, kernel);
	(void)good(model, deliver); // the kernel's first, and the thread runs
	assert_int_equal(thread->state, INV_THREAD_RUNNING);
	(void)good(model, (struct inv_model_request){
	                      .kind = INV_MODEL_WAIT, .thread = thread, .user_mode = true, .alertable = true});
	assert_int_equal(thread->state, INV_THREAD_RUNNING); // no wait
	assert_true(thread->apc_state.user_apc_pending);
	(void)good(model, deliver);
	(void)good(model, (struct inv_model_request){
	                      .kind = INV_MODEL_WAIT, .thread = thread, .user_mode = true, .alertable = true});
	assert_int_equal(thread->state, INV_THREAD_WAITING);
	(void)good(model, queue);
	assert_int_equal(thread->state, INV_THREAD_READY);
	assert_true(thread->apc_state.user_apc_pending);
	(void)good(model, deliver);
	assert_ptr_equal(model->apcs.next, &model->apcs);
	inv_model_free(model);
}

static void suspension(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_thread *thread = spawn(model, NULL).thread;
	const struct inv_model_request suspend = {.kind = INV_MODEL_SUSPEND_THREAD, .thread = thread};
	const struct inv_model_request deliver = {.kind = INV_MODEL_DELIVER_APC, .thread = thread};
	const struct inv_model_request resume = {.kind = INV_MODEL_RESUME_THREAD, .thread = thread};
	(void)good(model, suspend);
	(void)good(model, suspend);
	assert_true(thread->suspend_apc.inserted && thread->apc_state.kernel_apc_pending);
	(void)good(model, deliver);
	assert_int_equal(thread->wait_reason, INV_WAIT_SUSPENDED);
	assert_int_equal(thread->state, INV_THREAD_WAITING);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_WAKE, .thread = thread});
	assert_int_equal(thread->state, INV_THREAD_WAITING);
	(void)good(model, resume);
	assert_int_equal(thread->state, INV_THREAD_WAITING);
	(void)good(model, resume);
	assert_int_equal(thread->state, INV_THREAD_READY);
	(void)good(model, suspend); // ended while suspended
	(void)good(model, deliver);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_TERMINATE_THREAD, .thread = thread});
	assert_int_equal(thread->suspend_count, 0);
	inv_model_free(model);
}

static void apc_while_attached(void **state)
{
	(void)state;
	struct inv_model *model = new_model();
	struct inv_model_process *host = spawn(model, NULL).process;
	struct inv_model_thread *thread = spawn(model, NULL).thread;
	const struct inv_model_request queue = {.kind = INV_MODEL_QUEUE_APC, .thread = thread};
	const struct inv_model_request deliver = {.kind = INV_MODEL_DELIVER_APC, .thread = thread};
	(void)good(model, queue);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_ATTACH_PROCESS, .thread = thread, .target = host});
	(void)good(model, queue);
	assert_false(thread->apc_state.kernel_apc_pending);
	assert_int_equal(run(model, deliver).status, INV_STATUS_UNSUCCESSFUL);
	(void)good(model, (struct inv_model_request){.kind = INV_MODEL_DETACH_PROCESS, .thread = thread});
	(void)good(model, deliver);
	(void)good(model, deliver);
	assert_false(thread->apc_state.kernel_apc_pending);
	inv_model_free(model);
}

// -- records that are broken by hand ------------------------------------------------------------------------------------------

struct scene {
	struct inv_model *model;
	struct inv_model_process *process;
	struct inv_model_thread *thread;
	struct inv_model_area *area;     // of the program
	struct inv_model_vad *vad;       // of the program
	struct inv_model_vad *range;     // a private one
	struct inv_model_module *module; // the last
};

static struct scene set_up(void)
{
	struct scene scene = {.model = new_model()};
	const struct inv_model_result made = spawn(scene.model, NULL);
	scene.process = made.process;
	scene.thread = made.thread;
	(void)load(scene.model, made.thread);
	uint64_t page = good(scene.model,
	                     (struct inv_model_request){
	                         .kind = INV_MODEL_ALLOCATE_MEMORY, .target = made.process, .pages = 4, .commit = true})
	                    .page;
	touch(scene.model, made.process, page, true);
	touch(scene.model, made.process, made.process->section_base_address, false);
	(void)good(scene.model, (struct inv_model_request){.kind = INV_MODEL_SUSPEND_THREAD, .thread = made.thread});
	scene.vad = vad_at(made.process, made.process->section_base_address);
	scene.area = scene.vad->area;
	scene.range = vad_at(made.process, page);
	scene.module = made.process->ldr.in_load_order.prev->owner;
	return scene;
}

static void cut(struct inv_model_link *link)
{
	link->next->prev = link->prev;
	link->prev->next = link->next;
}

// A view, a range or a module that was taken out of its list with care: only the others tell.
static void break_record(const struct scene *scene, unsigned number)
{
	struct inv_model_space *space = &scene->process->space;
	switch (number) {
	case 0:
		scene->area->number_of_mapped_views++;
		break;
	case 1:
		scene->area->number_of_section_references--;
		break;
	case 2:
		scene->area->number_of_user_references++;
		break;
	case 3:
		scene->area->number_of_pfn_references++;
		break;
	case 4:
		scene->area->prototypes[0].share_count++;
		break;
	case 5:
		scene->area->stream->image_section_object = NULL;
		break;
	case 6:
		scene->process->image_file_pointer = scene->model->system_dll->area->file_pointer;
		break;
	case 7:
		cut(&scene->vad->node); // the tree alone
		break;
	case 8:
		cut(&scene->range->node); // and the count with it
		space->vad_count--;
		break;
	case 9:
		space->virtual_size++;
		break;
	case 10:
		space->commit_charge++;
		break;
	case 11:
		space->number_of_private_pages = 0;
		break;
	case 12:
		space->working_set_size--;
		break;
	case 13:
		scene->range->type = INV_MODEL_VAD_IMAGE;
		break;
	case 14:
		scene->range->start += 0x7ffff0000; // behind all others
		scene->range->end += 0x7ffff0000;
		break;
	case 15:
		scene->vad->area = scene->model->system_dll->area;
		break;
	case 16:
		scene->range->process = scene->model->system_process;
		break;
	case 17:
		scene->process->section_base_address += 16;
		break;
	case 18:
		scene->process->ldr.image_base_address += 16;
		break;
	case 19:
		scene->process->ldr.image_path_name++;
		break;
	case 20:
		cut(&scene->module->in_load_order);
		break;
	case 21:
		cut(&scene->module->in_memory_order);
		break;
	case 22:
		cut(&scene->module->in_initialization_order);
		break;
	case 23: // all three
		cut(&scene->module->in_load_order);
		cut(&scene->module->in_memory_order);
		cut(&scene->module->in_initialization_order);
		break;
	case 24:
		scene->module->dll_base += 16;
		break;
	case 25:
		scene->module->stream++;
		break;
	case 26:
		vad_at(scene->process, scene->thread->teb)->teb_thread_id += 4;
		break;
	case 27:
		scene->thread->teb = scene->process->peb;
		break;
	case 28:
		scene->process->peb = scene->range->start;
		break;
	case 29:
		cut(&scene->thread->suspend_apc.list);
		break;
	case 30:
		scene->thread->apc_state.kernel_apc_pending = false;
		break;
	case 31:
		scene->thread->apc_state_index = 1;
		break;
	case 32:
		scene->thread->apc_state.user_apc_pending = true;
		break;
	case 33:
		scene->thread->suspend_apc.inserted = false;
		break;
	case 34:
		scene->area->file_pointer = scene->model->system_dll->area->file_pointer;
		break;
	case 35:
		scene->area->stream->deleted = true;
		break;
	case 36:
		scene->process->space.vad_hint = NULL;
		break;
	case 37:
		scene->model->committed_pages--;
		break;
	case 38:
		scene->range->pages[0].committed = false;
		break;
	case 39:
		scene->process->space.address_creation_lock = true;
		break;
	case 40:
		scene->area->being_created = true;
		break;
	case 41:
		cut(&scene->vad->view);
		break;
	case 42:
		scene->range->pages[1].state = INV_MODEL_PAGE_SHARED;
		break;
	case 43:
		scene->area->prototypes[0].state = INV_PROTOTYPE_TRANSITION;
		break;
	case 44:
		scene->process->vm_deleted = true;
		break;
	case 45:
		scene->area->stream->references++;
		break;
	default:
		fail_msg("no such mutation");
	}
}

#define MUTATIONS 46u

static void every_mutation_is_seen(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MUTATIONS; i++) {
		const struct scene scene = set_up();
		assert_agrees(scene.model);
		break_record(&scene, i);
		struct inv_model_report report;
		if (inv_model_check(scene.model, &report))
			fail_msg("mutation %u is not seen", i);
		inv_model_free(scene.model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(life_of_a_section),
	    cmocka_unit_test(deleted_program),
	    cmocka_unit_test(life_of_a_page),
	    cmocka_unit_test(copy_on_write),
	    cmocka_unit_test(start_and_end),
	    cmocka_unit_test(clone),
	    cmocka_unit_test(windows_of_the_loader),
	    cmocka_unit_test(user_apc),
	    cmocka_unit_test(suspension),
	    cmocka_unit_test(apc_while_attached),
	    cmocka_unit_test(every_mutation_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
