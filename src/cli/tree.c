// SPDX-License-Identifier: Apache-2.0
// Processes beneath their parents, as far as the order of their creation proves who those are.
#include <stdlib.h>

#include "cli/command.h"
#include "invariant/kin.h"
#include "nt/handle_table.h"
#include "nt/peb.h"
#include "nt/process.h"
#include "nt/session.h"
#include "witness/witness.h"

#define DEEPEST 48u // that is shown by indentation; deeper ones stand there
#define WIDEST 100u // characters of a command line in text; the other formats have it whole

struct node {
	const struct inv_dossier *process;
	struct inv_parent parent;
	size_t first, last, next; // children and the next sibling, as indices plus one; 0: none
	bool child, shown, cut;   // cut: its parents go round in a circle
};

struct tree {
	struct inv_kin *kin;
	const struct inv_dossiers *dossiers;
	struct node *nodes;               // one per dossier
	const struct inv_dossier **order; // of age
	bool *is_wanted;                  // by dossier
	size_t budget;                    // entries of handle tables that may be read still
};

// qsort() has no context for what it compares by.
static void sort_by_age(struct tree *tree, const struct inv_dossier **spare, size_t count)
{
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t start = 0; start < count; start += 2 * width) {
			size_t middle = start + width < count ? start + width : count;
			size_t end = middle + width < count ? middle + width : count;
			for (size_t left = start, right = middle, at = start; at < end; at++) {
				bool from_left = right >= end || (left < middle && inv_kin_compare(tree->kin, tree->order[left],
				                                                                   tree->order[right]) <= 0);
				spare[at] = tree->order[from_left ? left++ : right++];
			}
		}
		for (size_t i = 0; i < count; i++)
			tree->order[i] = spare[i];
	}
}

static size_t index_of(const struct tree *tree, const struct inv_dossier *process)
{
	return (size_t)(process - tree->dossiers->processes);
}

static bool is_known(const struct inv_parent *parent)
{
	return parent->kind == INV_PARENT_PROVED || parent->kind == INV_PARENT_REMAINS;
}

// In the order of age, so that siblings stand in it.
static void join(struct tree *tree, const struct inv_dossier *process)
{
	size_t index = index_of(tree, process);
	struct node *node = &tree->nodes[index];
	node->process = process;
	node->parent = inv_kin_parent(tree->kin, process);
	if (!inv_is_live(process) && !is_known(&node->parent) && node->parent.kind != INV_PARENT_GONE)
		node->parent =
		    (struct inv_parent){.kind = INV_PARENT_UNSURE, .why = "it was deleted, and its memory may be used again"};
	node->child = is_known(&node->parent) && tree->is_wanted[index_of(tree, node->parent.process)];
	if (!node->child)
		return;
	struct node *above = &tree->nodes[index_of(tree, node->parent.process)];
	if (above->last)
		tree->nodes[above->last - 1].next = index + 1;
	else
		above->first = index + 1;
	above->last = index + 1;
}

// -- rows -------------------------------------------------------------------------------------------------------------------

// Why the process stands where it stands, unless its parent is proved.
static const char *note_of(struct inv_check *check, const struct node *node)
{
	const struct inv_parent *parent = &node->parent;
	unsigned long long id = node->process->parent.u;
	if (node->cut)
		return "its parents go round in a circle, which is cut here";
	switch (parent->kind) {
	case INV_PARENT_NONE:
	case INV_PARENT_PROVED:
		return NULL;
	case INV_PARENT_REMAINS:
		return "its parent was deleted: freed memory tells of it";
	case INV_PARENT_GONE:
		return inv_arena_printf(check->arena, "parent %llu is gone", id);
	case INV_PARENT_RECYCLED:
		return inv_arena_printf(check->arena, "parent %llu is gone: %s %s that has its identifier now came later", id,
		                        parent->process ? "process" : "a thread",
		                        parent->process && parent->process->name_value.ok ? parent->process->name : "");
	case INV_PARENT_IMPOSSIBLE:
		return inv_arena_printf(check->arena, "parent %llu is impossible: %s", id, parent->why);
	case INV_PARENT_UNSURE:
		break;
	}
	return inv_arena_printf(check->arena, "parent not known: %s", parent->why);
}

// The number of its session; none for what is in no session.
static void add_session(struct inv_check *check, struct inv_table *table, uint64_t process)
{
	bool outside;
	struct inv_value session = inv_session_of(check->dossiers.kernel, process, &outside);
	if (outside)
		inv_table_text(table, NULL);
	else
		inv_table_value(table, &session, INV_CELL_NUMBER);
}

static void add_path(struct inv_check *check, struct inv_table *table, uint64_t process)
{
	struct inv_value length;
	const char *path = inv_process_path(check->dossiers.kernel, process, check->arena, &length);
	if (length.ok)
		inv_table_text(table, *path ? path : NULL);
	else
		inv_table_absent(table, &length.why);
}

static void count_one(void *context, const struct inv_handle *handle)
{
	(void)handle;
	++*(uint64_t *)context;
}

// The entries in use; a process that has exited has no table.
static void add_handles(struct inv_check *check, struct inv_table *table, uint64_t process, size_t *budget)
{
	const struct inv_kernel *kernel = check->dossiers.kernel;
	struct inv_value address = inv_field(kernel, process, INV_F_EPROCESS_ObjectTable);
	struct inv_handle_coverage coverage = {0};
	uint64_t count = 0;
	if (!address.ok) {
		inv_table_absent(table, &address.why);
		return;
	}
	if (!address.u || inv_handle_table_unknown(kernel)) {
		inv_table_text(table, NULL);
		return;
	}
	inv_handle_table_walk(kernel, address.u, budget, count_one, &count, &coverage);
	if (coverage.complete)
		inv_table_number(table, count);
	else if (coverage.unreadable)
		inv_table_absent(table, &coverage.why);
	else
		inv_table_text(table, inv_arena_printf(check->arena, "%llu or more", (unsigned long long)count));
}

static void add_wow64(struct inv_check *check, struct inv_table *table, uint64_t process)
{
	struct inv_value wow64 = inv_field(check->dossiers.kernel, process, INV_F_EPROCESS_WoW64Process);
	if (wow64.ok)
		inv_table_text(table, wow64.u ? "yes" : "no");
	else
		inv_table_absent(table, &wow64.why);
}

static void add_text(struct inv_check *check, struct inv_table *table, const struct inv_text *text, bool cut)
{
	size_t end = 0, letters = 0;
	if (!text->ok) {
		inv_table_absent(table, &text->length.why);
		return;
	}
	for (; text->text[end]; end++) {
		letters += ((unsigned char)text->text[end] & 0xc0u) != 0x80;
		if (cut && letters > WIDEST)
			break;
	}
	if (text->text[end])
		inv_table_text(table, inv_arena_printf(check->arena, "%.*s...", (int)end, text->text));
	else
		inv_table_text(table, end ? text->text : NULL);
}

// What the process says of itself, in memory that is its own to write. System and its like have no PEB, and one that has exited has
// lost it.
static void add_parameters(struct inv_check *check, struct inv_table *table, uint64_t process, bool text)
{
	const struct inv_kernel *kernel = check->dossiers.kernel;
	struct inv_value address = inv_field(kernel, process, INV_F_EPROCESS_Peb);
	struct inv_why why = address.why;
	struct inv_user *user = address.ok && address.u ? inv_user_open(kernel, process, &why) : NULL;
	struct inv_peb peb = {0};
	if (user)
		inv_peb_read_parameters(user, address.u, false, check->arena, &peb);
	bool none = address.ok && !address.u;
	for (unsigned i = 0; i < (text ? 1u : 2u); i++) {
		if (none)
			inv_table_text(table, NULL);
		else if (!user)
			inv_table_absent(table, &why);
		else
			add_text(check, table, i ? &peb.image_path : &peb.command_line, text);
	}
	inv_user_close(user);
}

static void add_row(const struct inv_session *session, struct inv_check *check, struct inv_table *table,
                    const struct node *node, size_t depth, size_t *budget)
{
	const struct inv_dossier *process = node->process;
	struct inv_value created = inv_field(check->dossiers.kernel, process->address, INV_F_EPROCESS_CreateTime);
	struct inv_value exited = inv_field(check->dossiers.kernel, process->address, INV_F_EPROCESS_ExitTime);
	struct inv_value threads = inv_field(check->dossiers.kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	struct inv_value number = inv_field(check->dossiers.kernel, process->address, INV_F_EPROCESS_SequenceNumber);
	bool text = session->options->output == INV_OUTPUT_TEXT;
	int indent = text ? 2 * (int)(depth < DEEPEST ? depth : DEEPEST) : 0;
	if (process->name_value.ok)
		inv_table_text(table, inv_arena_printf(check->arena, "%*s%s", indent, "", process->name));
	else if (text)
		inv_table_text(table, inv_arena_printf(check->arena, "%*s?", indent, ""));
	else
		inv_table_absent(table, &process->name_value.why);
	inv_table_value(table, &process->pid, INV_CELL_NUMBER);
	inv_table_value(table, &process->parent, INV_CELL_NUMBER);
	if (!text)
		inv_table_number(table, depth);
	inv_table_text(table, node->cut ? "circle" : inv_parent_name(node->parent.kind));
	if (!text && node->child && !node->cut)
		inv_table_address(table, node->parent.process->address);
	else if (!text)
		inv_table_text(table, NULL);
	inv_table_text(table, inv_state_name(process->state));
	inv_table_text(table, inv_role_name(process->role));
	inv_table_value(table, &created, INV_CELL_TIME);
	inv_table_value(table, &exited, INV_CELL_TIME);
	inv_table_value(table, &number, INV_CELL_NUMBER);
	add_session(check, table, process->address);
	inv_table_value(table, &threads, INV_CELL_NUMBER);
	add_handles(check, table, process->address, budget);
	add_wow64(check, table, process->address);
	inv_table_address(table, process->address);
	inv_table_text(table, note_of(check, node));
	add_path(check, table, process->address);
	add_parameters(check, table, process->address, text);
}

// Depth first, without recursion: what stands in an image may be as deep as there are processes.
static void show(const struct inv_session *session, struct inv_check *check, struct inv_table *table, struct tree *tree,
                 size_t root)
{
	size_t at = root + 1, depth = 0;
	while (at) {
		struct node *node = &tree->nodes[at - 1];
		if (!node->shown) {
			node->shown = true;
			add_row(session, check, table, node, depth, &tree->budget);
			if (node->first && !tree->nodes[node->first - 1].shown) {
				at = node->first;
				depth++;
				continue;
			}
		}
		while (at && at != root + 1 && !tree->nodes[at - 1].next) {
			at = index_of(tree, tree->nodes[at - 1].parent.process) + 1;
			depth--;
		}
		at = at == root + 1 ? 0 : tree->nodes[at - 1].next;
		if (at && tree->nodes[at - 1].shown)
			return; // the circle closes
	}
}

static void fill(const struct inv_session *session, struct inv_check *check, struct inv_table *table)
{
	size_t count = check->dossiers.process_count, wanted = 0;
	struct tree tree = {
	    .kin = inv_kin_new(&check->dossiers), .dossiers = &check->dossiers, .budget = INV_HANDLE_BUDGET};
	tree.nodes = inv_alloc((count + 1) * sizeof *tree.nodes);
	tree.order = inv_alloc((2 * count + 2) * sizeof *tree.order);
	tree.is_wanted = inv_alloc(count + 1);
	for (size_t i = 0; i < count; i++) {
		tree.is_wanted[i] = session->options->all || inv_is_live(&check->dossiers.processes[i]);
		if (tree.is_wanted[i])
			tree.order[wanted++] = &check->dossiers.processes[i];
	}
	sort_by_age(&tree, tree.order + count + 1, wanted);
	for (size_t i = 0; i < wanted; i++)
		join(&tree, tree.order[i]);
	for (size_t i = 0; i < wanted; i++)
		if (!tree.nodes[index_of(&tree, tree.order[i])].child)
			show(session, check, table, &tree, index_of(&tree, tree.order[i]));
	for (size_t i = 0; i < wanted; i++) { // those whose parents go round
		struct node *node = &tree.nodes[index_of(&tree, tree.order[i])];
		node->cut = !node->shown;
		if (node->cut)
			show(session, check, table, &tree, index_of(&tree, tree.order[i]));
	}
	free(tree.is_wanted);
	free(tree.nodes);
	free(tree.order);
	inv_kin_free(tree.kin);
}

enum inv_exit inv_run_tree(struct inv_session *session, struct inv_error *error)
{
	static const char *const all[] = {"name",           "pid",     "ppid",    "depth",        "parent",
	                                  "parent address", "state",   "role",    "created",      "exited",
	                                  "sequence",       "session", "threads", "handles",      "wow64",
	                                  "address",        "note",    "path",    "command line", "loader path"};
	static const char *const few[] = {"name",    "pid",     "ppid",     "parent",  "state",       "role",
	                                  "created", "exited",  "sequence", "session", "threads",     "handles",
	                                  "wow64",   "address", "note",     "path",    "command line"};
	bool text = session->options->output == INV_OUTPUT_TEXT; // where indentation shows the depth
	(void)error;
	struct inv_check_options how = {.swept = session->options->all, .threads = session->options->threads};
	struct inv_check *check = inv_check_run(session->kernel, &how);
	struct inv_table *table =
	    text ? inv_table_new(few, sizeof few / sizeof *few) : inv_table_new(all, sizeof all / sizeof *all);
	fill(session, check, table);
	inv_table_write(table, session->options->output, session->out);
	inv_table_free(table);
	inv_check_free(check);
	return INV_EXIT_OK;
}
