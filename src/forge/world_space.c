// SPDX-License-Identifier: Apache-2.0
// What the model says of the inside of processes, laid out beside what the forge writes of every process: modules with the lists
// that they stand on, private ranges, views, APCs. Where a range stands is the forge's choice.
#include "forge/peb.h"
#include "forge/user_thread.h"
#include "forge/world.h"

#define PAGE INV_RAM_PAGE

static const char *path_of(struct inv_machine *machine, const struct inv_model_stream *stream, const char *kind)
{
	return inv_arena_printf(machine->arena, "\\Device\\HarddiskVolume3\\Windows\\System32\\model%llu.%s",
	                        (unsigned long long)stream->number, kind);
}

static struct inv_forge_area *area_of(struct inv_machine *machine, const struct inv_model_area *area,
                                      struct inv_world_area **areas)
{
	const struct inv_world_area *known = stbds_hmgetp_null(*areas, area);
	if (known)
		return known->area;
	struct inv_world_area made = {.key = area};
	uint64_t size = (uint64_t)area->pages * PAGE;
	if (area->backing == INV_MODEL_PAGEFILE)
		made.area = inv_machine_page_file_area(machine, size, INV_MM_READWRITE);
	else if (area->backing == INV_MODEL_IMAGE)
		made.area = inv_machine_image_area(machine, inv_machine_file(machine, path_of(machine, area->stream, "dll")),
		                                   INV_IMAGE_DLL);
	else
		made.area = inv_machine_data_area(machine, inv_machine_file(machine, path_of(machine, area->stream, "dat")),
		                                  NULL, size);
	stbds_hmputs(*areas, made);
	return made.area;
}

static void touch_pages(struct inv_machine *machine, const struct inv_forge_process *process,
                        const struct inv_model_vad *vad, uint64_t base)
{
	for (uint64_t i = 0; i <= vad->end - vad->start; i++) {
		enum inv_model_page_state state = vad->pages[i].state;
		if (state == INV_MODEL_PAGE_PRIVATE || state == INV_MODEL_PAGE_SHARED)
			(void)inv_machine_touch(machine, process, base + i * PAGE, vad->area && state == INV_MODEL_PAGE_PRIVATE);
	}
}

static void lay_view(struct inv_machine *machine, struct inv_forge_process *process, const struct inv_model_vad *vad,
                     struct inv_world_area **areas)
{
	struct inv_forge_area *area = area_of(machine, vad->area, areas);
	uint32_t pages = vad->area->backing == INV_MODEL_IMAGE ? (uint32_t)inv_count(area->pages) : vad->area->pages;
	uint64_t base = inv_machine_map_view(machine, process, area, 0, 0, pages, vad->protection);
	if (base && vad->area->backing != INV_MODEL_IMAGE)
		touch_pages(machine, process, vad, base);
}

static void lay_private(struct inv_machine *machine, struct inv_forge_process *process, const struct inv_model_vad *vad)
{
	uint64_t size = (vad->end - vad->start + 1) * PAGE;
	struct inv_forge_vad range = {.protection = vad->protection, .committed = vad->mem_commit};
	range.start = inv_machine_free_place(process, size);
	range.end = range.start + size;
	if (inv_machine_add_vad(machine, process, range) && vad->mem_commit)
		touch_pages(machine, process, vad, range.start);
}

static const struct inv_model_module *module_at(const struct inv_model_ldr *ldr, uint64_t base)
{
	for (const struct inv_model_link *link = ldr->in_load_order.next; link != &ldr->in_load_order; link = link->next)
		if (((const struct inv_model_module *)link->owner)->dll_base == base)
			return link->owner;
	return NULL;
}

// On the lists of which the model says so: it may have stopped between any two. While it is on none, nobody runs its code.
static void lay_module(struct inv_machine *machine, struct inv_forge_process *process, const struct inv_model_ldr *ldr,
                       const struct inv_model_vad *vad, struct inv_world_area **areas)
{
	const struct inv_model_module *module = module_at(ldr, vad->start);
	if (!module) {
		lay_view(machine, process, vad, areas);
		return;
	}
	struct inv_forge_file *file = inv_machine_file(machine, path_of(machine, vad->area->stream, "dll"));
	if (!inv_machine_map_image(machine, process, file, INV_IMAGE_DLL, 0))
		return;
	// LdrpInsertDataTableEntry links two lists, a few instructions apart. What an image that was taken between these shows is not laid
	// out: nothing that the readers know would tell it from a lie (PEB.LoaderLock would).
	unsigned lists =
	    INV_LDR_LOAD | INV_LDR_MEMORY | (module->in_initialization_order.next ? INV_LDR_INITIALIZATION : 0);
	(void)inv_machine_load_module(machine, process, &process->modules[inv_count(process->modules) - 1], lists);
}

void inv_world_lay_inside(struct inv_machine *machine, struct inv_forge_process *process,
                          const struct inv_model_process *from, struct inv_world_area **areas)
{
	if (!process->user || from->vm_deleted)
		return;
	const struct inv_model_link *head = &from->space.vad_root;
	for (const struct inv_model_link *link = head->next; link != head; link = link->next) {
		const struct inv_model_vad *vad = link->owner;
		if (vad->purpose == INV_PURPOSE_MODULE)
			lay_module(machine, process, &from->ldr, vad, areas);
		else if (vad->purpose == INV_PURPOSE_NONE && vad->area)
			lay_view(machine, process, vad, areas);
		else if (vad->purpose == INV_PURPOSE_NONE)
			lay_private(machine, process, vad);
	}
}

// Those of the thread's own process.
void inv_world_lay_apcs(struct inv_machine *machine, const struct inv_forge_thread *thread,
                        const struct inv_model_thread *from)
{
	const struct inv_model_apc_state *state = from->apc_state_index ? &from->saved_apc_state : &from->apc_state;
	for (size_t mode = 0; mode < INV_APC_MODE_COUNT; mode++) {
		const struct inv_model_link *head = &state->lists[mode];
		for (const struct inv_model_link *link = head->next; link && link != head; link = link->next) {
			if (((const struct inv_model_apc *)link->owner)
			        ->suspend) // stands in the thread, which the forge does not fill
				continue;
			struct inv_forge_apc apc = {.user = mode == INV_APC_USER};
			if (apc.user)
				apc.routine = inv_machine_export(thread->process, "ntdll.dll", "LdrInitializeThunk");
			apc.pending = apc.user && state->user_apc_pending;
			(void)inv_machine_queue_apc(machine, thread, &apc);
		}
	}
	if (from->suspend_count)
		inv_machine_put(machine, thread->address, INV_F_KTHREAD_SuspendCount, from->suspend_count);
}
