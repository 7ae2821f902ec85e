// SPDX-License-Identifier: Apache-2.0
// What a process has of user mode against its VADs: PEB, TEBs and stacks, the loader's lists; and the APCs of threads.
#include "model/check.h"

static unsigned long long serial(const struct inv_model_object *object)
{
	return object->serial;
}

// -- PEB ----------------------------------------------------------------------------------------------------------------------

static const struct inv_model_vad *vad_with(const struct inv_model_process *process, uint64_t start,
                                            enum inv_model_purpose purpose)
{
	const struct inv_model_vad *vad = inv_model_vad_at(process, start);
	return vad && vad->start == start && vad->purpose == purpose ? vad : NULL;
}

static void check_peb(const struct inv_model_checking *check, const struct inv_model_process *process)
{
	const struct inv_model_vad *image = vad_with(process, process->section_base_address, INV_PURPOSE_IMAGE_BASE);
	if (!vad_with(process, process->peb, INV_PURPOSE_PEB))
		inv_model_disagree(check, "the PEB of process %llu is not in its address space", serial(&process->object));
	if (!image || process->ldr.image_base_address != process->section_base_address) {
		inv_model_disagree(check, "process %llu has its program elsewhere than it says", serial(&process->object));
		return;
	}
	if (process->section && image->area != process->section->area)
		inv_model_disagree(check, "process %llu maps another program than its section's", serial(&process->object));
	if (process->image_file_pointer && process->image_file_pointer != image->area->file_pointer)
		inv_model_disagree(check, "ImageFilePointer of process %llu is another file", serial(&process->object));
	if (process->ldr.image_path_name != image->area->stream->number)
		inv_model_disagree(check, "the parameters of process %llu name another file", serial(&process->object));
}

// -- threads ------------------------------------------------------------------------------------------------------------------

static void check_teb(const struct inv_model_checking *check, const struct inv_model_thread *thread)
{
	const struct inv_model_process *process = thread->process;
	if (!process || process->space.address_creation_lock || (!thread->teb && !thread->user_stack))
		return;
	const struct inv_model_vad *teb = vad_with(process, thread->teb, INV_PURPOSE_TEB);
	if (!teb || !vad_with(process, thread->user_stack, INV_PURPOSE_STACK))
		inv_model_disagree(check, "TEB or stack of thread %llu is not in its address space", serial(&thread->object));
	else if (teb->teb_thread_id != thread->unique_thread || teb->teb_process_id != process->unique_process_id)
		inv_model_disagree(check, "the TEB of thread %llu is another one's", serial(&thread->object));
}

static uint32_t count_purpose(const struct inv_model_process *process, enum inv_model_purpose purpose)
{
	uint32_t count = 0;
	const struct inv_model_link *head = &process->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		count += ((const struct inv_model_vad *)link->owner)->purpose == purpose;
	return count;
}

static void check_threads_of(const struct inv_model_checking *check, const struct inv_model_process *process)
{
	uint32_t count = 0;
	const struct inv_model_link *head = &check->model->blocks[INV_MODEL_THREAD];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_thread *thread = link->owner;
		count += thread->process == process && thread->teb;
	}
	if (count != count_purpose(process, INV_PURPOSE_TEB) || count != count_purpose(process, INV_PURPOSE_STACK))
		inv_model_disagree(check, "process %llu has %u threads with a TEB, and TEBs or stacks in another number",
		                   serial(&process->object), count);
}

// -- modules ------------------------------------------------------------------------------------------------------------------

static bool of_loader(const struct inv_model_vad *vad)
{
	return vad->purpose == INV_PURPOSE_IMAGE_BASE || vad->purpose == INV_PURPOSE_SYSTEM_DLL ||
	       vad->purpose == INV_PURPOSE_MODULE;
}

static uint32_t count_list(const struct inv_model_checking *check, const struct inv_model_link *head)
{
	uint32_t count = 0;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		if (!inv_model_closed(check, link, "a list of the loader"))
			break;
		count++;
	}
	return count;
}

// A module is entered after it was mapped, and taken out before it is unmapped.
static void check_module(const struct inv_model_checking *check, const struct inv_model_process *process,
                         const struct inv_model_module *module)
{
	const struct inv_model_vad *vad = inv_model_vad_at(process, module->dll_base);
	if (!vad || !of_loader(vad) || vad->start != module->dll_base || vad->end - vad->start + 1 != module->pages ||
	    vad->area->stream->number != module->stream)
		inv_model_disagree(check, "process %llu has a module without an image", serial(&process->object));
	if (process->ldr.lock_owner)
		return;
	bool program = module->dll_base == process->ldr.image_base_address;
	if (module->initialized == program || inv_model_linked(&module->in_initialization_order) == program ||
	    !inv_model_linked(&module->in_memory_order))
		inv_model_disagree(check, "a module of process %llu is not on the lists that it should be on",
		                   serial(&process->object));
}

static void check_modules(const struct inv_model_checking *check, const struct inv_model_process *process)
{
	const struct inv_model_ldr *ldr = &process->ldr;
	uint32_t load = count_list(check, &ldr->in_load_order), memory = count_list(check, &ldr->in_memory_order);
	uint32_t initialization = count_list(check, &ldr->in_initialization_order);
	for (const struct inv_model_link *link = ldr->in_load_order.next; link != &ldr->in_load_order; link = link->next)
		check_module(check, process, link->owner);
	if (ldr->lock_owner) {
		if (check->at_rest && process->kind != INV_MODEL_CLONE)
			inv_model_disagree(check, "the loader lock of process %llu is still held", serial(&process->object));
		return;
	}
	uint32_t mapped = count_purpose(process, INV_PURPOSE_MODULE) + (ldr->initialized ? 2 : 0);
	if (load != memory || initialization != load - (ldr->initialized ? 1 : 0) || load != mapped)
		inv_model_disagree(check,
		                   "process %llu has %u modules in load order, %u in memory order, %u initialised, %u mapped",
		                   serial(&process->object), load, memory, initialization, mapped);
	if (ldr->initialized &&
	    ((const struct inv_model_module *)ldr->in_load_order.next->owner)->dll_base != ldr->image_base_address)
		inv_model_disagree(check, "the first module of process %llu is not its program", serial(&process->object));
	if (ldr->initialized && count_purpose(process, INV_PURPOSE_HEAP) != 1)
		inv_model_disagree(check, "process %llu has modules and no heap", serial(&process->object));
}

void inv_model_check_user(const struct inv_model_checking *check)
{
	const struct inv_model_link *head = &check->model->blocks[INV_MODEL_PROCESS];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_process *process = link->owner;
		if (process->space.address_creation_lock)
			continue;
		check_threads_of(check, process);
		if (process->vm_deleted && !inv_model_empty(&process->ldr.in_load_order))
			inv_model_disagree(check, "process %llu has modules and no address space", serial(&process->object));
		if (!process->peb || process->vm_deleted)
			continue;
		check_peb(check, process);
		check_modules(check, process);
	}
	head = &check->model->blocks[INV_MODEL_THREAD];
	for (const struct inv_model_link *link = head->next; link != head; link = link->next)
		check_teb(check, link->owner);
}

// -- APCs ---------------------------------------------------------------------------------------------------------------------

static bool under_way(const struct inv_model_checking *check, const struct inv_model_thread *thread)
{
	const struct inv_model *model = check->model;
	for (size_t i = 0; i < inv_count(model->operations); i++)
		if (model->operations[i]->request.thread == thread && inv_model_next_step(model->operations[i]))
			return true;
	return false;
}

static void walk_apcs(const struct inv_model_checking *check, const struct inv_model_thread *thread,
                      const struct inv_model_apc_state *state)
{
	for (size_t mode = 0; mode < INV_APC_MODE_COUNT; mode++) {
		const struct inv_model_link *head = &state->lists[mode];
		for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
			struct inv_model_apc *apc = link->owner;
			if (!inv_model_closed(check, link, "a list of APCs"))
				break;
			if (apc->thread != thread || apc->mode != (enum inv_model_apc_mode)mode || !apc->inserted || apc->seen)
				inv_model_disagree(check, "thread %llu has an APC that is not its own or not queued",
				                   serial(&thread->object));
			apc->seen = true;
		}
	}
}

static const char *wrong_with_state(const struct inv_model_thread *thread)
{
	const struct inv_model_apc_state *saved = &thread->saved_apc_state;
	bool attached = thread->apc_process != thread->process;
	if (attached != (thread->apc_state_index != 0))
		return "is attached or not, against its ApcStateIndex";
	if (!attached && (!inv_model_empty(&saved->lists[0]) || !inv_model_empty(&saved->lists[1]) ||
	                  saved->kernel_apc_pending || saved->user_apc_pending || saved->kernel_apc_in_progress))
		return "has a saved APC state without being attached";
	if (thread->apc_state.user_apc_pending && inv_model_empty(&thread->apc_state.lists[INV_APC_USER]))
		return "has a user APC pending that is not queued";
	if (inv_model_suspended(thread) && (!thread->suspend_apc.running || !thread->apc_state.kernel_apc_in_progress))
		return "is suspended by no APC";
	if (!thread->apc_queueable && thread->state != INV_THREAD_TERMINATED && !thread->leaving)
		return "takes no APCs while it runs";
	if (thread->suspend_count && (thread->leaving || thread->state == INV_THREAD_TERMINATED))
		return "is suspended while it ends";
	return NULL;
}

// Between the queue and the flag that tells of it, or between the count and the queue, there is an operation.
static const char *wrong_at_rest(const struct inv_model_thread *thread)
{
	const struct inv_model_apc_state *state = &thread->apc_state;
	if (state->kernel_apc_pending == inv_model_empty(&state->lists[INV_APC_KERNEL]))
		return "has kernel APCs pending or queued, but not both";
	if (thread->suspend_count && !thread->suspend_apc.inserted && !thread->suspend_apc.running)
		return "is suspended without an APC";
	if (inv_model_suspended(thread) && !thread->suspend_count)
		return "stays suspended";
	if (state->kernel_apc_in_progress != thread->suspend_apc.running)
		return "is in a kernel APC of which nothing is known";
	return NULL;
}

void inv_model_check_apcs(const struct inv_model_checking *check)
{
	const struct inv_model_link *blocks = &check->model->apcs, *head = &check->model->blocks[INV_MODEL_THREAD];
	for (const struct inv_model_link *link = blocks->next; link != blocks; link = link->next)
		((struct inv_model_apc *)link->owner)->seen = false;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		struct inv_model_thread *thread = link->owner;
		thread->suspend_apc.seen = false;
		walk_apcs(check, thread, &thread->apc_state);
		walk_apcs(check, thread, &thread->saved_apc_state);
		if (thread->suspend_apc.inserted != thread->suspend_apc.seen)
			inv_model_disagree(check, "the APC that suspends thread %llu is queued or not, against what it says",
			                   serial(&thread->object));
		const char *wrong = wrong_with_state(thread);
		if (!wrong && !under_way(check, thread))
			wrong = wrong_at_rest(thread);
		if (wrong)
			inv_model_disagree(check, "thread %llu %s", serial(&thread->object), wrong);
	}
	for (const struct inv_model_link *link = blocks->next; link != blocks; link = link->next) {
		const struct inv_model_apc *apc = link->owner;
		if (apc->inserted != apc->seen || (check->at_rest && apc->running))
			inv_model_disagree(check, "an APC of thread %llu is queued or not, against what it says",
			                   serial(&apc->thread->object));
	}
}
