// SPDX-License-Identifier: Apache-2.0
#include "invariant/user_place.h"

#include "base/array.h"
#include "invariant/families.h"

#define STATE_RUNNING 2u // KTHREAD_STATE
#define STATE_TERMINATED 4u
#define MM_EXECUTE 2u // MMVAD_FLAGS.Protection: the low three bits; from here to 3, and from 6 on, code may run
#define MM_EXECUTE_READ 3u
#define MM_EXECUTE_READWRITE 6u

static bool allows_execution(uint32_t protection)
{
	uint32_t access = protection & 7;
	return access == MM_EXECUTE || access == MM_EXECUTE_READ || access >= MM_EXECUTE_READWRITE;
}

// No range covers it: do the page tables agree?
static void ask_page_tables(const struct inv_inside *inside, uint64_t address, struct inv_place *place)
{
	struct inv_mapping mapping;
	struct inv_why why;
	if (inv_space_map(inv_user_space(inside->user), address, &mapping, &why)) {
		place->kind = INV_PLACE_BARE;
		place->physical = mapping.physical;
	} else if (why.reason == INV_NOT_MAPPED || why.reason == INV_DEMAND_ZERO || why.reason == INV_NOT_CANONICAL) {
		place->kind = INV_PLACE_NOTHING;
	} else {
		place->why = inv_absence_name(why.reason);
	}
}

struct inv_place inv_place_of(const struct inv_inside *inside, uint64_t address)
{
	struct inv_place place = {.kind = INV_PLACE_UNKNOWN};
	if (!inside->user) {
		place.why = inv_absence_name(inside->why.reason);
		return place;
	}
	// Code of user mode that leaves its half faults, and the trap frame keeps where it wanted to go.
	if (address >= inv_user_end(inside->user)) {
		place.kind = INV_PLACE_NOTHING;
		return place;
	}
	place.vad = inv_vad_at(&inside->vads, address);
	if (!place.vad) {
		if (inside->vads.complete)
			ask_page_tables(inside, address, &place);
		else
			place.why = "the tree of ranges could not be read to its end";
		return place;
	}
	if (place.vad->type == INV_VAD_IMAGE) {
		place.kind = INV_PLACE_IMAGE;
		return place;
	}
	place.kind = place.vad->is_private ? INV_PLACE_PRIVATE : INV_PLACE_VIEW;
	struct inv_mapping mapping;
	place.executable = allows_execution(place.vad->protection) ||
	                   (inv_space_map(inv_user_space(inside->user), address, &mapping, NULL) && mapping.executable);
	return place;
}

static const char *file_of(const struct inv_inside *inside, const struct inv_place *place)
{
	uint64_t area = place->vad ? place->vad->control_area : 0;
	const struct inv_control_area *section = area ? inv_control_area_at(inside->sections, area) : NULL;
	return section && section->file.name ? section->file.name : "";
}

const char *inv_place_text(struct inv_judge *judge, const struct inv_inside *inside, const struct inv_place *place)
{
	const char *file = file_of(inside, place);
	switch (place->kind) {
	case INV_PLACE_IMAGE:
		return *file ? inv_arena_printf(judge->arena, "the image %s", file) : "an image";
	case INV_PLACE_PRIVATE:
		return place->executable ? "private executable memory" : "private memory";
	case INV_PLACE_VIEW:
		return *file ? inv_arena_printf(judge->arena, "a view of %s as data", file) : "a view of a section";
	case INV_PLACE_BARE:
		return "memory that no range covers";
	case INV_PLACE_NOTHING:
		return "nothing that is mapped";
	case INV_PLACE_UNKNOWN:
		break;
	}
	return "memory that could not be told";
}

void inv_place_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                    const struct inv_place *place)
{
	char protection[8];
	if (!place->vad) {
		inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &inside->vads.root,
		               "none of the %zu ranges of the process covers it", inv_count(inside->vads.vads));
		return;
	}
	struct inv_value type = {.ok = true, .u = place->vad->type};
	if (!inv_field_address(judge->kernel, place->vad->address, INV_F_MMVAD_SHORT_VadType, &type.address))
		type.address = place->vad->address;
	inv_field_says(judge, finding, INV_F_MMVAD_SHORT_VadType, &type, "it lies in %s (0x%llx to 0x%llx, %s)",
	               inv_place_text(judge, inside, place), (unsigned long long)place->vad->start,
	               (unsigned long long)place->vad->end - 1, inv_protection_text(place->vad->protection, protection));
}

struct inv_thread_state inv_thread_state_read(const struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value executive = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_SystemThread);
	struct inv_value scheduler = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_SystemThread);
	struct inv_value terminated = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_Terminated);
	struct inv_value inserted = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ThreadInserted);
	struct inv_thread_state state = {.state = inv_field(judge->kernel, thread->address, INV_F_KTHREAD_State)};
	state.kernel_only = (executive.ok && executive.u) || (scheduler.ok && scheduler.u);
	state.terminated = (terminated.ok && terminated.u) || (state.state.ok && state.state.u == STATE_TERMINATED);
	state.inserted = !inserted.ok || inserted.u;
	state.runs = state.state.ok && state.state.u == STATE_RUNNING;
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	for (size_t i = 0; i < inv_count(testimony->cpus); i++)
		state.runs |= testimony->cpus[i].current.ok && testimony->cpus[i].current.u == thread->address;
	return state;
}
