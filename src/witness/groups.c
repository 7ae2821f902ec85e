// SPDX-License-Identifier: Apache-2.0
// Sessions and jobs, each with a list of its processes. Their objects are found through the processes that the witnesses
// before them saw, jobs through PspJobList as well; what a list shows is its own word.
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "witness/witness.h"

// More objects, and more entries on all their lists together, than any system has.
#define GROUP_BUDGET ((size_t)1 << 16)
#define MEMBER_BUDGET INV_LIST_BOUND

// What tells sessions from jobs.
struct kind {
	enum inv_witness_id witness;
	enum inv_field pointer; // of EPROCESS to the group
	enum inv_field entry;   // of EPROCESS in the group's list
	enum inv_field head;    // of the group's list
	struct inv_group_record **groups;
	struct inv_membership **memberships;
};

static int by_address(const void *a, const void *b)
{
	uint64_t left = ((const struct inv_group_record *)a)->address;
	uint64_t right = ((const struct inv_group_record *)b)->address;
	return (left > right) - (left < right);
}

static int by_process(const void *a, const void *b)
{
	const struct inv_membership *left = a, *right = b;
	if (left->process != right->process)
		return left->process < right->process ? -1 : 1;
	return (left->group > right->group) - (left->group < right->group);
}

const struct inv_group_record *inv_group_at(const struct inv_group_record *groups, uint64_t address)
{
	struct inv_group_record key = {.address = address};
	size_t count = inv_count(groups);
	return count ? bsearch(&key, groups, count, sizeof key, by_address) : NULL;
}

const struct inv_membership *inv_membership_of(const struct inv_membership *memberships, uint64_t process)
{
	size_t low = INV_LOWER_BOUND(memberships, inv_count(memberships), process, process);
	bool found = low < inv_count(memberships) && memberships[low].process == process;
	return found ? &memberships[low] : NULL;
}

static void sort_groups(struct inv_group_record *groups)
{
	if (groups)
		qsort(groups, inv_count(groups), sizeof *groups, by_address);
}

// One record for each address; a group that is named by a list stays so.
static void drop_doubles(struct inv_group_record **groups)
{
	sort_groups(*groups);
	size_t kept = 0;
	for (size_t i = 0; i < inv_count(*groups); i++) {
		if (kept > 0 && (*groups)[kept - 1].address == (*groups)[i].address)
			(*groups)[kept - 1].named |= (*groups)[i].named;
		else
			(*groups)[kept++] = (*groups)[i];
	}
	if (*groups)
		stbds_arrsetlen(*groups, kept);
}

struct known {
	uint64_t key; // a process
};

// The group that a process points at. False when there are too many.
static bool follow_pointer(struct inv_testimony *testimony, const struct kind *kind, struct known **known,
                           uint64_t process)
{
	if (process == 0 || stbds_hmgeti(*known, process) >= 0)
		return true;
	struct known one = {process};
	stbds_hmputs(*known, one);
	struct inv_value group = inv_field(testimony->kernel, process, kind->pointer);
	if (!group.ok || group.u == 0)
		return true;
	struct inv_group_record record = {.address = group.u};
	inv_push(*kind->groups, record);
	if (inv_count(*kind->groups) >= 2 * GROUP_BUDGET)
		drop_doubles(kind->groups);
	return inv_count(*kind->groups) < GROUP_BUDGET + GROUP_BUDGET / 2;
}

// Groups that the processes seen so far point at.
static void follow_pointers(struct inv_testimony *testimony, const struct kind *kind)
{
	struct known *known = NULL;
	bool more = true;
	for (size_t i = 0; i < inv_count(testimony->sightings) && more; i++)
		more = follow_pointer(testimony, kind, &known, testimony->sightings[i].process);
	for (size_t i = 0; i < inv_count(testimony->handles) && more; i++)
		if (testimony->handles[i].target == INV_TARGET_PROCESS)
			more = follow_pointer(testimony, kind, &known, testimony->handles[i].body);
	stbds_hmfree(known);
	drop_doubles(kind->groups);
}

static void walk_members(struct inv_testimony *testimony, const struct kind *kind, uint64_t offset)
{
	struct inv_coverage *coverage = &testimony->coverage[kind->witness];
	size_t budget = MEMBER_BUDGET;
	for (size_t i = 0; i < inv_count(*kind->groups); i++) {
		struct inv_group_record *group = &(*kind->groups)[i];
		uint64_t head;
		if (!inv_field_address(testimony->kernel, group->address, kind->head, &head))
			return;
		inv_list_walk(testimony->kernel, testimony->arena, inv_field_full_name(kind->head), head, budget,
		              &group->members);
		budget -= group->members.count < budget ? group->members.count : budget;
		inv_count_links(&group->members, coverage);
		coverage->complete &= group->members.closed;
		for (size_t j = 0; j < group->members.count; j++) {
			uint64_t entry = group->members.nodes[j].entry;
			struct inv_membership membership = {entry - offset, group->address};
			struct inv_value type = inv_field(testimony->kernel, membership.process, INV_F_DISPATCHER_HEADER_Type);
			// A pointer to what is no group at all leads to lists of anything.
			if (!type.ok || (type.u & INV_DISPATCHER_TYPE) != INV_PROCESS_OBJECT) {
				coverage->broken++;
				continue;
			}
			inv_sight(testimony, kind->witness, membership.process, 0, entry);
			inv_push(*kind->memberships, membership);
		}
	}
}

static void testify(struct inv_testimony *testimony, const struct kind *kind)
{
	uint64_t offset, head;
	if (!inv_field_address(testimony->kernel, 0, kind->entry, &offset) ||
	    !inv_field_address(testimony->kernel, 0, kind->head, &head)) {
		inv_void(testimony, kind->witness, "the layout has no such list");
		return;
	}
	follow_pointers(testimony, kind);
	testimony->coverage[kind->witness].complete = true;
	walk_members(testimony, kind, offset);
	if (*kind->memberships)
		qsort(*kind->memberships, inv_count(*kind->memberships), sizeof **kind->memberships, by_process);
}

void inv_witness_session_list(struct inv_testimony *testimony)
{
	const struct kind kind = {INV_W_SESSION_LIST,
	                          INV_F_EPROCESS_Session,
	                          INV_F_EPROCESS_SessionProcessLinks,
	                          INV_F_MM_SESSION_SPACE_ProcessList,
	                          &testimony->sessions,
	                          &testimony->in_session};
	testify(testimony, &kind);
}

static void walk_job_list(struct inv_testimony *testimony)
{
	const struct inv_kernel *kernel = testimony->kernel;
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PspJobList, NULL);
	uint64_t offset;
	if (!head.ok || !inv_field_address(kernel, 0, INV_F_EJOB_JobLinks, &offset))
		return;
	struct inv_list *list = &testimony->job_list;
	inv_list_walk(kernel, testimony->arena, inv_symbol_name(INV_S_PspJobList), head.u, GROUP_BUDGET, list);
	inv_count_links(list, &testimony->coverage[INV_W_JOB_LIST]);
	for (size_t i = 0; i < list->count; i++) {
		struct inv_group_record record = {.address = list->nodes[i].entry - offset, .named = true};
		inv_push(testimony->jobs, record);
	}
}

void inv_witness_job_list(struct inv_testimony *testimony)
{
	const struct kind kind = {INV_W_JOB_LIST,   INV_F_EPROCESS_Job, INV_F_EPROCESS_JobLinks, INV_F_EJOB_ProcessListHead,
	                          &testimony->jobs, &testimony->in_job};
	walk_job_list(testimony);
	testify(testimony, &kind);
}
