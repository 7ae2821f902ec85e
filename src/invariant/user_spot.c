// SPDX-License-Identifier: Apache-2.0
#include "invariant/user_spot.h"

#include "base/array.h"
#include "invariant/families.h"
#include "nt/thread.h"

#define MM_EXECUTE 2u // MMVAD_FLAGS.Protection: the low three bits; from here to 3, and from 6 on, code may run
#define MM_EXECUTE_READ 3u
#define MM_EXECUTE_READWRITE 6u

static bool allows_execution(uint32_t protection)
{
	uint32_t access = protection & 7;
	return access == MM_EXECUTE || access == MM_EXECUTE_READ || access >= MM_EXECUTE_READWRITE;
}

// No range covers it: do the page tables agree?
static void ask_page_tables(const struct inv_inside *inside, uint64_t address, struct inv_spot *spot)
{
	struct inv_mapping mapping;
	struct inv_why why;
	if (inv_space_map(inv_user_space(inside->user), address, &mapping, &why)) {
		spot->kind = INV_SPOT_BARE;
		spot->physical = mapping.physical;
	} else if (why.reason == INV_NOT_MAPPED || why.reason == INV_DEMAND_ZERO || why.reason == INV_NOT_CANONICAL) {
		spot->kind = INV_SPOT_NOTHING;
	} else {
		spot->why = inv_absence_name(why.reason);
	}
}

struct inv_spot inv_spot_of(const struct inv_inside *inside, uint64_t address)
{
	struct inv_spot spot = {.kind = INV_SPOT_UNKNOWN};
	if (!inside->user) {
		spot.why = inv_absence_name(inside->why.reason);
		return spot;
	}
	// Code of user mode that leaves its half faults, and the trap frame keeps where it wanted to go.
	if (address >= inv_user_end(inside->user)) {
		spot.kind = INV_SPOT_NOTHING;
		return spot;
	}
	spot.vad = inv_vad_at(&inside->vads, address);
	if (!spot.vad) {
		if (inside->vads.complete)
			ask_page_tables(inside, address, &spot);
		else
			spot.why = "the tree of ranges could not be read to its end";
		return spot;
	}
	if (spot.vad->type == INV_VAD_IMAGE) {
		spot.kind = INV_SPOT_IMAGE;
		return spot;
	}
	spot.kind = spot.vad->is_private ? INV_SPOT_PRIVATE : INV_SPOT_VIEW;
	struct inv_mapping mapping;
	spot.executable = allows_execution(spot.vad->protection) ||
	                  (inv_space_map(inv_user_space(inside->user), address, &mapping, NULL) && mapping.executable);
	return spot;
}

static const char *file_of(const struct inv_inside *inside, const struct inv_spot *spot)
{
	uint64_t area = spot->vad ? spot->vad->control_area : 0;
	const struct inv_control_area *section = area ? inv_control_area_at(inside->sections, area) : NULL;
	return section && section->file.name ? section->file.name : "";
}

const char *inv_spot_text(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_spot *spot)
{
	const char *file = file_of(inside, spot);
	switch (spot->kind) {
	case INV_SPOT_IMAGE:
		return *file ? inv_arena_printf(judge->arena, "the image %s", file) : "an image";
	case INV_SPOT_PRIVATE:
		return spot->executable ? "private executable memory" : "private memory";
	case INV_SPOT_VIEW:
		return *file ? inv_arena_printf(judge->arena, "a view of %s as data", file) : "a view of a section";
	case INV_SPOT_BARE:
		return "memory that no range covers";
	case INV_SPOT_NOTHING:
		return "nothing that is mapped";
	case INV_SPOT_UNKNOWN:
		break;
	}
	return "memory that could not be told";
}

void inv_spot_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                   const struct inv_spot *spot)
{
	char protection[8];
	if (!spot->vad) {
		inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &inside->vads.root,
		               "none of the %zu ranges of the process covers it", inv_count(inside->vads.vads));
		return;
	}
	struct inv_value type = {.ok = true, .u = spot->vad->type};
	if (!inv_field_address(judge->kernel, spot->vad->address, INV_F_MMVAD_SHORT_VadType, &type.address))
		type.address = spot->vad->address;
	inv_field_says(judge, finding, INV_F_MMVAD_SHORT_VadType, &type, "it lies in %s (0x%llx to 0x%llx, %s)",
	               inv_spot_text(judge, inside, spot), (unsigned long long)spot->vad->start,
	               (unsigned long long)spot->vad->end - 1, inv_protection_text(spot->vad->protection, protection));
}

struct inv_thread_state inv_thread_state_read(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value executive = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_SystemThread);
	struct inv_value scheduler = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_SystemThread);
	struct inv_value terminated = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_Terminated);
	struct inv_value inserted = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ThreadInserted);
	struct inv_thread_state state = {.state = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_State)};
	state.kernel_only = (executive.ok && executive.u) || (scheduler.ok && scheduler.u);
	state.terminated = (terminated.ok && terminated.u) || (state.state.ok && state.state.u == INV_KTHREAD_TERMINATED);
	state.inserted = !inserted.ok || inserted.u;
	state.runs = state.state.ok && state.state.u == INV_KTHREAD_RUNNING;
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	for (size_t i = 0; i < inv_count(testimony->cpus); i++)
		state.runs |= testimony->cpus[i].current.ok && testimony->cpus[i].current.u == thread->address;
	return state;
}

void inv_each_inside_thread(struct inv_judge *judge, const struct inv_inside *inside,
                            void (*one)(struct inv_judge *judge, const struct inv_inside *inside,
                                        const struct inv_thread_dossier *thread))
{
	for (size_t i = 0; i < inside->thread_count; i++)
		one(judge, inside, inside->threads[i]);
}
