// SPDX-License-Identifier: Apache-2.0
// What a process gets of user mode: the program, ntdll, PEB, stacks and TEBs of threads, and modules with the loader's lists.
// That the program comes before ntdll and both before the PEB: "Windows Internals" 7th edition part 1 chapter 3, "Flow of
// CreateProcess". The loader's order (map, link, initialise; the reverse at the end): what is publicly known of
// LdrpLoadDll and LdrUnloadDll. Not verified: which list comes first; that stack and TEB are made in this order.
#include <stdlib.h>

#include "model/parts.h"

#define STACK_PAGES 8u
#define STACK_COMMIT 2u // the first page and the guard page
#define TEB_PAGES 2u
#define HEAP_PAGES 4u

// -- MmInitializeProcessAddressSpace, PspMapSystemDll, MmCreatePeb; the subject is the process --------------------------------

STEP(begin_start)
{
	(void)operation;
	return inv_model_lock_space(inv_as_process(call->subject));
}

static void map(struct inv_model_operation *operation, struct inv_model_process *process, struct inv_model_area *area,
                enum inv_model_purpose purpose)
{
	const struct inv_model_work work = {
	    .process = process,
	    .area = area,
	    .purpose = purpose,
	    .protection = area->backing == INV_MODEL_IMAGE ? INV_PROTECT_EXECUTE_WRITECOPY : INV_PROTECT_READONLY,
	};
	inv_model_push_map(operation, &work);
}

STEP(map_program)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	map(operation, process, process->section->area, INV_PURPOSE_IMAGE_BASE);
	return INV_TOOK;
}

STEP(set_section_base)
{
	inv_as_process(call->subject)->section_base_address = operation->result.page;
	return INV_TOOK;
}

STEP(map_system_dll)
{
	map(operation, inv_as_process(call->subject), operation->model->system_dll->area, INV_PURPOSE_SYSTEM_DLL);
	return INV_TOOK;
}

STEP(map_nls)
{
	map(operation, inv_as_process(call->subject), operation->model->nls->area, INV_PURPOSE_NLS);
	return INV_TOOK;
}

static void allocate(struct inv_model_operation *operation, struct inv_model_process *process,
                     enum inv_model_purpose purpose, uint32_t pages, bool commit)
{
	const struct inv_model_work work = {
	    .process = process,
	    .purpose = purpose,
	    .pages = pages,
	    .protection = INV_PROTECT_READWRITE,
	    .commit = commit,
	};
	inv_model_push_allocate(operation, &work);
}

STEP(allocate_peb)
{
	allocate(operation, inv_as_process(call->subject), INV_PURPOSE_PEB, 1, true);
	return INV_TOOK;
}

STEP(set_peb)
{
	inv_as_process(call->subject)->peb = operation->result.page;
	return INV_TOOK;
}

STEP(write_peb)
{
	(void)operation;
	struct inv_model_process *process = inv_as_process(call->subject);
	process->ldr.image_base_address = process->section_base_address;
	process->ldr.image_path_name = process->section->area->stream->number;
	return INV_TOOK;
}

STEP(end_start)
{
	operation->result.page = 0;
	return inv_model_unlock_step(operation, call);
}

static const struct inv_model_step start_steps[] = {
    {"MmInitializeProcessAddressSpace", begin_start},
    {"MmInitializeProcessAddressSpace: the program", map_program},
    {"SectionBaseAddress", set_section_base},
    {"PspMapSystemDll", map_system_dll},
    {"MmCreatePeb: NLS tables", map_nls},
    {"MmCreatePeb: MiCreatePebOrTeb", allocate_peb},
    {"EPROCESS.Peb", set_peb},
    {"PEB.ImageBaseAddress, ProcessParameters", write_peb},
    {"MmInitializeProcessAddressSpace: end", end_start},
};

struct inv_model_routine_steps inv_model_start_space(void)
{
	return INV_MODEL_STEPS(start_steps);
}

// -- stack and TEB of a thread; the subject is the process, then the thread ---------------------------------------------------

STEP(allocate_stack)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	if (inv_model_lock_space(process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	allocate(operation, process, INV_PURPOSE_STACK, STACK_PAGES, false);
	return INV_TOOK;
}

STEP(commit_stack)
{
	struct inv_model_process *process = inv_as_process(call->subject);
	operation->result.thread->user_stack = operation->result.page;
	struct inv_model_page *pages = inv_model_vad_at(process, operation->result.page)->pages;
	for (uint32_t i = STACK_PAGES - STACK_COMMIT; i < STACK_PAGES; i++)
		pages[i].committed = true;
	inv_model_charge_commit(operation->model, process, STACK_COMMIT);
	return INV_TOOK;
}

STEP(allocate_teb)
{
	allocate(operation, inv_as_process(call->subject), INV_PURPOSE_TEB, TEB_PAGES, true);
	return INV_TOOK;
}

STEP(write_teb)
{
	const struct inv_model_process *process = inv_as_process(call->subject);
	struct inv_model_vad *vad = inv_model_vad_at(process, operation->result.page);
	vad->teb_process_id = process->unique_process_id;
	vad->teb_thread_id = operation->result.thread->unique_thread;
	return INV_TOOK;
}

STEP(set_teb)
{
	(void)call;
	operation->result.thread->teb = operation->result.page;
	operation->result.page = 0;
	return INV_TOOK;
}

static const struct inv_model_step thread_steps[] = {
    {"RtlCreateUserStack", allocate_stack},
    {"RtlCreateUserStack: commit", commit_stack},
    {"MmCreateTeb", allocate_teb},
    {"TEB.ClientId", write_teb},
    {"KTHREAD.Teb", set_teb},
    {"MmCreateTeb: end", inv_model_unlock_step},
};

struct inv_model_routine_steps inv_model_create_user_thread(void)
{
	return INV_MODEL_STEPS(thread_steps);
}

// The program may have freed the range itself.
static void remove_at(struct inv_model_operation *operation, const struct inv_model_process *process, uint64_t page)
{
	struct inv_model_vad *vad = inv_model_vad_at(process, page);
	if (vad)
		inv_model_push_remove(operation, vad);
}

// (ReactOS' PspExitThread frees the stack, then the TEB.)
STEP(free_stack)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!thread->teb)
		return INV_TOOK_REST;
	if (inv_model_lock_space(thread->process) == INV_TOOK_NOT)
		return INV_TOOK_NOT;
	remove_at(operation, thread->process, thread->user_stack);
	thread->user_stack = 0;
	return INV_TOOK;
}

STEP(free_teb)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	remove_at(operation, thread->process, thread->teb);
	return INV_TOOK;
}

STEP(clear_teb)
{
	(void)operation;
	inv_as_thread(call->subject)->teb = 0;
	return INV_TOOK;
}

static const struct inv_model_step thread_end_steps[] = {
    {"RtlFreeUserStack", free_stack},
    {"MmDeleteTeb", free_teb},
    {"KTHREAD.Teb", clear_teb},
    {"MmDeleteTeb: end", inv_model_unlock_step},
};

struct inv_model_routine_steps inv_model_delete_user_thread(void)
{
	return INV_MODEL_STEPS(thread_end_steps);
}

// -- the loader's lists -------------------------------------------------------------------------------------------------------

void inv_model_init_ldr(struct inv_model_ldr *ldr)
{
	*ldr = (struct inv_model_ldr){0};
	inv_model_list_init(&ldr->in_load_order);
	inv_model_list_init(&ldr->in_memory_order);
	inv_model_list_init(&ldr->in_initialization_order);
}

static struct inv_model_module *new_module(struct inv_model *model, const struct inv_model_vad *vad)
{
	struct inv_model_module *module = inv_alloc(sizeof *module);
	module->dll_base = vad->start;
	module->pages = (uint32_t)(vad->end - vad->start + 1);
	module->stream = vad->area->stream->number;
	inv_model_append(&model->modules, &module->block, module);
	return module;
}

static void free_module(struct inv_model_module *module)
{
	inv_model_unlink(&module->in_load_order);
	inv_model_unlink(&module->in_memory_order);
	inv_model_unlink(&module->in_initialization_order);
	inv_model_unlink(&module->block);
	free(module);
}

static struct inv_model_module *module_at(const struct inv_model_ldr *ldr, uint64_t base)
{
	for (const struct inv_model_link *link = ldr->in_load_order.next; link != &ldr->in_load_order; link = link->next)
		if (((struct inv_model_module *)link->owner)->dll_base == base)
			return link->owner;
	return NULL;
}

// Memory is copied as it stands, an unfinished list too.
void inv_model_copy_modules(struct inv_model *model, const struct inv_model_process *from, struct inv_model_process *to)
{
	to->ldr.image_base_address = from->ldr.image_base_address;
	to->ldr.image_path_name = from->ldr.image_path_name;
	to->ldr.initialized = from->ldr.initialized;
	to->ldr.lock_owner = from->ldr.lock_owner;
	const struct inv_model_link *head = &from->ldr.in_load_order;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_module *module = inv_alloc(sizeof *module);
		*module = *(const struct inv_model_module *)link->owner;
		module->in_memory_order = module->in_initialization_order = (struct inv_model_link){0};
		inv_model_append(&to->ldr.in_load_order, &module->in_load_order, module);
		inv_model_append(&model->modules, &module->block, module);
	}
	head = &from->ldr.in_memory_order;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_module *module = module_at(&to->ldr, ((const struct inv_model_module *)link->owner)->dll_base);
		if (module)
			inv_model_append(&to->ldr.in_memory_order, &module->in_memory_order, module);
	}
	head = &from->ldr.in_initialization_order;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_module *module = module_at(&to->ldr, ((const struct inv_model_module *)link->owner)->dll_base);
		if (module)
			inv_model_append(&to->ldr.in_initialization_order, &module->in_initialization_order, module);
	}
}

void inv_model_forget_modules(struct inv_model_process *process)
{
	const struct inv_model_link *head = &process->ldr.in_load_order, *link = head->next;
	while (link != head) {
		struct inv_model_module *module = link->owner;
		link = link->next;
		free_module(module);
	}
	process->ldr.initialized = false;
	process->ldr.lock_owner = 0;
}

// -- in the context of the thread; the subject is the thread ------------------------------------------------------------------

static bool can_run(const struct inv_model_thread *thread)
{
	return thread->teb && !thread->leaving && thread->thread_inserted && thread->state != INV_THREAD_INITIALIZED &&
	       thread->state != INV_THREAD_TERMINATED && thread->apc_process == thread->process &&
	       !inv_model_suspended(thread);
}

// The thread stays on its CPU until the loader is done. (It need not, in Windows.)
STEP(enter_loader)
{
	struct inv_model_thread *thread = inv_as_thread(call->subject);
	if (!can_run(thread))
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	if (thread->process->ldr.lock_owner)
		return INV_TOOK_NOT;
	struct inv_model_cpu *cpu = inv_model_run_thread(operation->model, thread);
	if (!cpu)
		return INV_TOOK_NOT;
	cpu->pinned = true;
	thread->process->ldr.lock_owner = thread->unique_thread;
	return INV_TOOK;
}

STEP(leave_loader)
{
	const struct inv_model_thread *thread = inv_as_thread(call->subject);
	thread->process->ldr.lock_owner = 0;
	operation->model->cpu[thread->cpu].pinned = false;
	return INV_TOOK;
}

STEP(lock_space)
{
	(void)operation;
	return inv_model_lock_space(inv_as_thread(call->subject)->process);
}

STEP(allocate_heap)
{
	allocate(operation, inv_as_thread(call->subject)->process, INV_PURPOSE_HEAP, HEAP_PAGES, true);
	return INV_TOOK;
}

static const struct inv_model_vad *vad_for(const struct inv_model_process *process, enum inv_model_purpose purpose)
{
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		if (((const struct inv_model_vad *)link->owner)->purpose == purpose)
			return link->owner;
	return NULL;
}

static void link_load(struct inv_model_operation *operation, struct inv_model_process *process,
                      const struct inv_model_vad *vad)
{
	struct inv_model_module *module = inv_model_work(operation)->module = new_module(operation->model, vad);
	inv_model_append(&process->ldr.in_load_order, &module->in_load_order, module);
}

STEP(link_program)
{
	struct inv_model_process *process = inv_as_thread(call->subject)->process;
	link_load(operation, process, vad_for(process, INV_PURPOSE_IMAGE_BASE));
	return INV_TOOK;
}

STEP(link_system_dll)
{
	struct inv_model_process *process = inv_as_thread(call->subject)->process;
	link_load(operation, process, vad_for(process, INV_PURPOSE_SYSTEM_DLL));
	return INV_TOOK;
}

STEP(link_memory_order)
{
	(void)operation;
	struct inv_model_module *module = call->work.module;
	inv_model_append(&inv_as_thread(call->subject)->process->ldr.in_memory_order, &module->in_memory_order, module);
	return INV_TOOK;
}

STEP(initialise)
{
	(void)operation;
	struct inv_model_module *module = call->work.module;
	inv_model_append(&inv_as_thread(call->subject)->process->ldr.in_initialization_order,
	                 &module->in_initialization_order, module);
	module->initialized = true;
	return INV_TOOK;
}

STEP(set_initialized)
{
	(void)operation;
	inv_as_thread(call->subject)->process->ldr.initialized = true;
	return INV_TOOK;
}

// The program's entry point is no initialisation routine: it is not on the third list.
static const struct inv_model_step initialise_steps[] = {
    {"AddressCreationLock", lock_space},
    {"LdrpInitializeProcess: heap", allocate_heap},
    {"release AddressCreationLock", inv_model_unlock_step},
    {"LdrpInsertDataTableEntry: the program, load order", link_program},
    {"LdrpInsertDataTableEntry: the program, memory order", link_memory_order},
    {"LdrpInsertDataTableEntry: ntdll, load order", link_system_dll},
    {"LdrpInsertDataTableEntry: ntdll, memory order", link_memory_order},
    {"InInitializationOrderLinks of ntdll", initialise},
    {"PEB_LDR_DATA.Initialized", set_initialized},
};

STEP(initialise_process)
{
	const struct inv_model_work work = {0};
	if (!inv_as_thread(call->subject)->process->ldr.initialized)
		inv_model_push_work(operation, INV_MODEL_STEPS(initialise_steps), call->subject, &work);
	return INV_TOOK;
}

// -- LdrpLoadDll --------------------------------------------------------------------------------------------------------------

static bool is_loaded(const struct inv_model_ldr *ldr, uint64_t stream)
{
	for (const struct inv_model_link *link = ldr->in_load_order.next; link != &ldr->in_load_order; link = link->next)
		if (((const struct inv_model_module *)link->owner)->stream == stream)
			return true;
	return false;
}

static struct inv_model_file *library(struct inv_model_operation *operation)
{
	if (operation->request.object)
		return (struct inv_model_file *)operation->request.object;
	struct inv_model_file *file = inv_model_new_file(operation->model, NULL);
	inv_push(operation->held, &file->object);
	return file;
}

STEP(open_library)
{
	const struct inv_model_process *process = inv_as_thread(call->subject)->process;
	if (operation->request.object && operation->request.object->type != INV_MODEL_FILE)
		return inv_model_refuse(operation, INV_STATUS_INVALID_PARAMETER);
	if (process->space.vad_count >= INV_MODEL_MAX_VADS)
		return inv_model_refuse(operation, INV_STATUS_NO_MEMORY);
	struct inv_model_file *file = library(operation);
	if (is_loaded(&process->ldr, file->stream->number)) // LoadCount is not modelled
		return INV_TOOK_REST;
	const struct inv_model_work work = {.file = file, .backing = INV_MODEL_IMAGE};
	inv_model_push_section(operation, &work);
	return INV_TOOK;
}

STEP(map_library)
{
	map(operation, inv_as_thread(call->subject)->process, operation->result.section->area, INV_PURPOSE_MODULE);
	return INV_TOOK;
}

STEP(notify_library)
{
	const struct inv_model_event event = {INV_CALLBACK_IMAGE, true, inv_as_thread(call->subject)->process, NULL};
	(void)inv_model_notify(operation->model, &event);
	return INV_TOOK;
}

STEP(link_library)
{
	struct inv_model_process *process = inv_as_thread(call->subject)->process;
	link_load(operation, process, inv_model_vad_at(process, operation->result.page));
	return INV_TOOK;
}

static const struct inv_model_step library_steps[] = {
    {"LdrpMapDll: NtCreateSection", open_library},
    {"AddressCreationLock", lock_space},
    {"LdrpMapDll: NtMapViewOfSection", map_library},
    {"release AddressCreationLock", inv_model_unlock_step},
    {"image callbacks", notify_library},
    {"LdrpInsertDataTableEntry: load order", link_library},
    {"LdrpInsertDataTableEntry: memory order", link_memory_order},
    {"LdrpCallInitRoutine, InInitializationOrderLinks", initialise},
};

STEP(load)
{
	const struct inv_model_work work = {0};
	inv_model_push_work(operation, INV_MODEL_STEPS(library_steps), call->subject, &work);
	return INV_TOOK;
}

// -- LdrUnloadDll -------------------------------------------------------------------------------------------------------------

STEP(find_module)
{
	const struct inv_model_process *process = inv_as_thread(call->subject)->process;
	const struct inv_model_link *head = &process->ldr.in_load_order;
	for (const struct inv_model_link *link = head->prev; link != head; link = link->prev) {
		struct inv_model_module *module = link->owner;
		const struct inv_model_vad *vad = inv_model_vad_at(process, module->dll_base);
		if (vad->purpose != INV_PURPOSE_MODULE ||
		    (operation->request.page && module->dll_base != operation->request.page))
			continue;
		inv_model_work(operation)->module = module;
		return INV_TOOK;
	}
	return inv_model_refuse(operation, INV_STATUS_DLL_NOT_FOUND);
}

STEP(leave_initialization_order)
{
	(void)operation;
	inv_model_unlink(&call->work.module->in_initialization_order);
	call->work.module->initialized = false;
	return INV_TOOK;
}

STEP(leave_memory_order)
{
	(void)operation;
	inv_model_unlink(&call->work.module->in_memory_order);
	return INV_TOOK;
}

STEP(leave_load_order)
{
	(void)operation;
	inv_model_unlink(&call->work.module->in_load_order);
	return INV_TOOK;
}

STEP(unmap_library)
{
	const struct inv_model_process *process = inv_as_thread(call->subject)->process;
	inv_model_push_remove(operation, inv_model_vad_at(process, call->work.module->dll_base));
	return INV_TOOK;
}

STEP(free_entry)
{
	(void)call;
	struct inv_model_work *work = inv_model_work(operation);
	free_module(work->module);
	work->module = NULL;
	return INV_TOOK;
}

static const struct inv_model_step unload_steps[] = {
    {"LdrUnloadDll", find_module},
    {"LdrpCallInitRoutine, InInitializationOrderLinks", leave_initialization_order},
    {"InMemoryOrderLinks", leave_memory_order},
    {"InLoadOrderLinks", leave_load_order},
    {"AddressCreationLock", lock_space},
    {"NtUnmapViewOfSection", unmap_library},
    {"release AddressCreationLock", inv_model_unlock_step},
    {"LDR_DATA_TABLE_ENTRY", free_entry},
};

STEP(unload)
{
	const struct inv_model_work work = {0};
	inv_model_push_work(operation, INV_MODEL_STEPS(unload_steps), call->subject, &work);
	return INV_TOOK;
}

static const struct inv_model_step run_row[] = {
    {"LoaderLock", enter_loader}, {"LdrpInitializeProcess", initialise_process}, {"release LoaderLock", leave_loader}};
static const struct inv_model_step load_row[] = {{"LoaderLock", enter_loader},
                                                 {"LdrpInitializeProcess", initialise_process},
                                                 {"LdrpLoadDll", load},
                                                 {"release LoaderLock", leave_loader}};
static const struct inv_model_step unload_row[] = {
    {"LoaderLock", enter_loader}, {"LdrUnloadDll", unload}, {"release LoaderLock", leave_loader}};

struct inv_model_routine_steps inv_model_loader_steps(enum inv_model_operation_kind kind)
{
	const struct inv_model_routine_steps none = {NULL, 0};
	return kind == INV_MODEL_RUN_LOADER      ? INV_MODEL_STEPS(run_row)
	       : kind == INV_MODEL_LOAD_MODULE   ? INV_MODEL_STEPS(load_row)
	       : kind == INV_MODEL_UNLOAD_MODULE ? INV_MODEL_STEPS(unload_row)
	                                         : none;
}
