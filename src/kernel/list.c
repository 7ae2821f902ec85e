// SPDX-License-Identifier: Apache-2.0
#include "kernel/list.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

struct seen {
	uint64_t key; // entry
	size_t value; // index into nodes
};

struct walk {
	const struct inv_kernel *kernel;
	struct inv_list *list;
	struct inv_list_node *nodes; // stb_ds
	struct inv_link *torn_links; // stb_ds
	struct seen *seen;           // stb_ds map
	size_t bound;
};

static void read_entry(const struct inv_kernel *kernel, uint64_t entry, struct inv_value *flink,
                       struct inv_value *blink)
{
	*flink = inv_read_u64(kernel, entry);
	*blink = inv_read_u64(kernel, entry + 8);
}

// The links of a list that is in order are only counted.
static void take_link(struct walk *walk, const struct inv_link *link)
{
	if (!link->back.ok || link->back.u != link->from)
		inv_push(walk->torn_links, *link);
	else if (link->backward)
		walk->list->whole_backward++;
	else
		walk->list->whole++;
}

// Follows one direction from the head. Returns true when the walk came back to the head.
static bool follow(struct walk *walk, bool backward)
{
	struct inv_list *list = walk->list;
	uint64_t from = list->head;
	struct inv_value next = backward ? list->head_blink : list->head_flink;
	for (;;) {
		if (!next.ok) {
			if (!backward)
				list->why = next.why;
			return false;
		}
		uint64_t to = next.u;
		struct inv_value flink = list->head_flink, blink = list->head_blink;
		if (to != list->head)
			read_entry(walk->kernel, to, &flink, &blink);
		struct inv_link link = {.from = from, .to = to, .backward = backward, .back = backward ? flink : blink};
		take_link(walk, &link);
		if (to == list->head)
			return true;
		ptrdiff_t known = stbds_hmgeti(walk->seen, to);
		if (known >= 0 && walk->nodes) {
			struct inv_list_node *old = &walk->nodes[walk->seen[known].value];
			bool again = backward ? old->backward : old->forward;
			old->forward |= !backward;
			old->backward |= backward;
			if (again) {
				list->torn = "cycle";
				return false;
			}
		} else {
			if (inv_count(walk->nodes) >= walk->bound) {
				list->torn = "bound";
				return false;
			}
			// An address whose links cannot be read is no node: nothing stands there that could be shown.
			if (!flink.ok && !blink.ok) {
				if (!backward)
					list->why = flink.why;
				return false;
			}
			struct inv_list_node node = {.entry = to, .forward = !backward, .backward = backward};
			stbds_hmput(walk->seen, to, inv_count(walk->nodes));
			inv_push(walk->nodes, node);
		}
		from = to;
		next = backward ? blink : flink;
	}
}

static void *keep(struct inv_arena *arena, const void *items, size_t size)
{
	void *copy = inv_arena_alloc(arena, size);
	if (items)
		memcpy(copy, items, size);
	return copy;
}

void inv_list_walk(const struct inv_kernel *kernel, struct inv_arena *arena, const char *name, uint64_t head,
                   size_t bound, struct inv_list *list)
{
	*list = (struct inv_list){.name = name, .head = head};
	read_entry(kernel, head, &list->head_flink, &list->head_blink);
	struct walk walk = {.kernel = kernel, .list = list, .bound = bound};
	list->closed = follow(&walk, false);
	follow(&walk, true);
	list->count = inv_count(walk.nodes);
	list->nodes = keep(arena, walk.nodes, list->count * sizeof *list->nodes);
	list->torn_count = inv_count(walk.torn_links);
	list->torn_links = keep(arena, walk.torn_links, list->torn_count * sizeof *list->torn_links);
	inv_array_free(walk.nodes);
	inv_array_free(walk.torn_links);
	stbds_hmfree(walk.seen);
}

bool inv_list_leads_past(const struct inv_kernel *kernel, uint64_t entry)
{
	struct inv_value next, previous, first, last;
	read_entry(kernel, entry, &next, &previous);
	if (!next.ok || !previous.ok || next.u == entry || previous.u == entry || next.u == 0 || previous.u == 0)
		return false;
	first = inv_read_u64(kernel, previous.u);
	last = inv_read_u64(kernel, next.u + 8);
	return first.ok && last.ok && first.u == next.u && last.u == previous.u;
}
