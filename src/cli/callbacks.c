// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel to watch processes and to be told of other things, and what speaks for somebody's having
// removed some of it.
#include <inttypes.h>

#include "base/array.h"
#include "cli/command.h"
#include "kernel/exports.h"
#include "nt/callback_blocks.h"
#include "nt/observers.h"
#include "report/disassembly.h"
#include "report/json.h"
#include "report/table.h"
#include "sweep/sweep.h"

#define INSTRUCTIONS 4u

struct view {
	const struct inv_kernel *kernel;
	struct inv_arena *arena;
	struct inv_callbacks callbacks;
	struct inv_callback_blocks pool; // with --all
	struct inv_export_names *exports;
	const char **signs;  // stb_ds
	const char **unread; // stb_ds; what could not be read, and why
	bool all;            // methods of the kernel's types, and what pool holds, too
};

// -- the list ---------------------------------------------------------------------------------------------------------------

static const char *code_text(const struct view *view, const struct inv_callback *callback)
{
	const struct inv_routine_code *code = &callback->code;
	switch (code->start) {
	case INV_CODE_UNREAD:
		return NULL;
	case INV_CODE_PLAIN:
		return "plain";
	case INV_CODE_RETURNS:
		return "returns at once";
	case INV_CODE_JUMPS:
		break;
	}
	const struct inv_module *module = inv_kernel_module_at(view->kernel, code->target);
	return inv_arena_printf(view->arena, "jumps to 0x%" PRIx64 " in %s", code->target,
	                        module ? module->name : "no module");
}

static const char *module_text(const struct view *view, const struct inv_callback *callback)
{
	if (!callback->routine.ok)
		return NULL;
	if (callback->module)
		return callback->module->name;
	if (!callback->unloaded)
		return "none";
	return inv_arena_printf(view->arena, "none; %s until it was unloaded",
	                        view->callbacks.unloaded[callback->unloaded - 1].name);
}

// Of which type, or which method; who registered it, by the entry's own words.
static const char *of_text(const struct view *view, const struct inv_callback *callback)
{
	if (callback->kind == INV_CALLBACK_METHOD)
		return inv_arena_printf(view->arena, "%s %s", callback->name, inv_field_info(callback->method)->name);
	if (callback->kind == INV_CALLBACK_OBJECT)
		return inv_arena_printf(view->arena, "%s %s", callback->name, callback->after ? "afterwards" : "before");
	if (callback->name && callback->detail)
		return inv_arena_printf(view->arena, "%s: %s", callback->name, callback->detail);
	return callback->name ? callback->name : callback->detail;
}

static const char *symbol_text(const struct view *view, const struct inv_callback *callback)
{
	if (!callback->routine.ok || !callback->module)
		return NULL;
	return inv_export_name(view->exports, callback->module, callback->routine.u, view->arena);
}

// Every type has methods in the kernel: only the others are worth a line.
static bool is_usual(const struct view *view, const struct inv_callback *callback)
{
	return callback->kind == INV_CALLBACK_METHOD && callback->module && callback->module->base == view->kernel->base &&
	       callback->code.start == INV_CODE_PLAIN;
}

// Why the kernel does not call it, or should not.
static const char *note_text(const struct view *view, const struct inv_callback *callback)
{
	bool nobodys = callback->routine.ok && callback->routine.u && !callback->module && view->kernel->modules_complete;
	if (nobodys && callback->note)
		return inv_arena_printf(view->arena, "no loaded module has this code; %s", callback->note);
	return nobodys ? "no loaded module has this code" : callback->note;
}

static struct inv_table *list_table(const struct view *view)
{
	static const char *const columns[] = {"kind", "of",      "number", "module",   "routine", "symbol",
	                                      "may",  "enabled", "code",   "altitude", "entry",   "note"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(view->callbacks.callbacks); i++) {
		const struct inv_callback *callback = &view->callbacks.callbacks[i];
		if (!view->all && is_usual(view, callback))
			continue;
		inv_table_text(table, inv_callback_kind_name(callback->kind));
		inv_table_text(table, of_text(view, callback));
		inv_table_number(table, callback->slot);
		inv_table_text(table, module_text(view, callback));
		inv_table_value(table, &callback->routine, INV_CELL_ADDRESS);
		inv_table_text(table, symbol_text(view, callback));
		inv_table_text(table, inv_callback_can_block(callback) ? "block" : "observe");
		if (callback->kind != INV_CALLBACK_OBJECT)
			inv_table_text(table, NULL);
		else
			inv_table_text(table, !callback->enabled.ok ? "unknown" : callback->enabled.u ? "yes" : "no");
		if (callback->routine.ok && callback->code.start == INV_CODE_UNREAD)
			inv_table_absent(table, &callback->code.why);
		else
			inv_table_text(table, code_text(view, callback));
		inv_table_text(table, callback->altitude);
		inv_table_address(table, callback->at);
		inv_table_text(table, note_text(view, callback));
	}
	return table;
}

// -- what pool holds --------------------------------------------------------------------------------------------------------

// What leads to a block.
static const char *by_text(const struct view *view, const struct inv_callback_block *block)
{
	const struct inv_callbacks *callbacks = &view->callbacks;
	const struct inv_callback *callback = &block->callback;
	if (block->listed == INV_BLOCK_IN_SLOT) {
		const struct inv_module *module = inv_kernel_module_at(view->kernel, block->slot);
		return inv_arena_printf(view->arena, "another slot of %s, at 0x%" PRIx64, module ? module->name : "the kernel",
		                        block->slot);
	}
	if (block->listed == INV_BLOCK_LINKED)
		return block->target_device ? "a list of its device" : "its neighbours, on no list that was read";
	if (block->listed != INV_BLOCK_LISTED)
		return NULL;
	if (callback->kind < INV_CALLBACK_ARRAYS)
		return inv_arena_printf(view->arena, "%s, slot %u", callbacks->arrays[callback->kind].name, callback->slot);
	if (callback->kind == INV_CALLBACK_WIN32)
		return "PsWin32CallBack";
	if (callback->kind == INV_CALLBACK_REGISTRY)
		return inv_arena_printf(view->arena, "CallbackListHead, entry %u", callback->slot);
	if (callback->kind == INV_CALLBACK_OBJECT)
		return inv_arena_printf(view->arena, "CallbackList of %s, entry %u", callback->name, callback->slot);
	for (size_t i = 0; i < inv_count(callbacks->observers); i++)
		for (size_t k = 0; k < callbacks->observers[i].list.count; k++)
			if (callbacks->observers[i].list.nodes[k].entry == callback->at)
				return inv_arena_printf(view->arena, "%s, entry %zu", callbacks->observers[i].name, k);
	return "a list";
}

static const char *listed_text(const struct inv_callback_block *block)
{
	switch (block->listed) {
	case INV_BLOCK_LISTED:
	case INV_BLOCK_IN_SLOT:
	case INV_BLOCK_LINKED:
		return "yes";
	case INV_BLOCK_UNLISTED:
		return "no";
	case INV_BLOCK_LISTS_UNREAD:
		break;
	}
	return "unknown";
}

static const char *block_note(const struct inv_callback_block *block)
{
	if (block->listed == INV_BLOCK_LISTS_UNREAD)
		return "not all that may lead there could be read";
	if (block->listed != INV_BLOCK_UNLISTED)
		return NULL;
	if (block->ended)
		return "no slot leads to it: it was taken back in order, for nobody may enter it any more";
	return block->slot_block ? "no slot leads to it" : "no list leads to it";
}

static struct inv_table *pool_table(const struct view *view)
{
	static const char *const columns[] = {"tag",    "kind", "of",   "module",   "routine", "symbol",
	                                      "listed", "by",   "pool", "altitude", "block",   "note"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof columns[0]);
	for (size_t i = 0; i < inv_count(view->pool.blocks); i++) {
		const struct inv_callback_block *block = &view->pool.blocks[i];
		inv_table_text(table, block->tag);
		inv_table_text(table, inv_callback_block_kind(block));
		inv_table_text(table, of_text(view, &block->callback));
		inv_table_text(table, module_text(view, &block->callback));
		inv_table_value(table, &block->callback.routine, INV_CELL_ADDRESS);
		inv_table_text(table, symbol_text(view, &block->callback));
		inv_table_text(table, listed_text(block));
		inv_table_text(table, by_text(view, block));
		inv_table_text(table, inv_block_pool_name(block->pool));
		inv_table_text(table, block->callback.altitude);
		if (block->header)
			inv_table_address(table, block->header);
		else
			inv_table_text(table, NULL);
		inv_table_text(table, block_note(block));
	}
	return table;
}

static void sweep_pool(struct view *view, const struct inv_session *session)
{
	struct inv_sweep *sweep =
	    inv_sweep_tags(view->kernel, inv_callback_tags, INV_CALLBACK_TAGS, session->options->threads);
	struct inv_callback_place *places = NULL;
	if (!sweep || sweep->interrupted) {
		inv_push(view->unread, sweep ? "pool: the search was stopped"
		                             : "pool: this image has no physical memory that could be searched");
		inv_sweep_free(sweep);
		return;
	}
	for (size_t i = 0; i < inv_count(sweep->hits); i++) {
		const struct inv_hit *hit = &sweep->hits[i];
		inv_push(places, ((struct inv_callback_place){hit->physical, hit->address, hit->tag}));
	}
	inv_callback_blocks_read(view->kernel, &view->callbacks, places, inv_count(places), &view->pool);
	if (sweep->cut_short || view->pool.cut)
		inv_push(view->unread, inv_arena_printf(view->arena, "pool, in part: %s",
		                                        sweep->cut_short ? sweep->cut_short : "it holds too many blocks"));
	inv_array_free(places);
	inv_sweep_free(sweep);
}

// What the pool shows proves nothing by itself, and is said so.
static void signs_of_pool(struct view *view)
{
	for (size_t i = 0; i < inv_count(view->pool.blocks); i++) {
		const struct inv_callback_block *block = &view->pool.blocks[i];
		const char *module = module_text(view, &block->callback);
		if (!inv_callback_block_is_stray(block))
			continue;
		const char *what = block->slot_block ? "a routine"
		                                     : inv_arena_printf(view->arena, "a routine of the kind '%s'",
		                                                        inv_callback_block_kind(block));
		const char *leads = inv_arena_printf(view->arena, "no %s leads to it", block->slot_block ? "slot" : "list");
		const char *then = block->pool == INV_BLOCK_IN_USE ? "the block is in use"
		                   : block->slot_block ? "nobody closed it, as is done when a routine is taken back in order"
		                                       : "somebody unlinked it, or its owner took it back: this kernel's pool "
		                                         "does not tell which";
		inv_push(view->signs,
		         inv_arena_printf(view->arena,
		                          "pool: the block 0x%" PRIx64 " (%s) holds %s, 0x%" PRIx64 " in %s, and %s; %s",
		                          block->header, block->tag, what, block->callback.routine.u,
		                          module ? module : "no module", leads, then));
	}
}

// -- what speaks for a removal ----------------------------------------------------------------------------------------------

static void sign_of_array(struct view *view, const struct inv_callback_array *array)
{
	struct inv_arena *arena = view->arena;
	bool counted = array->counts[0].ok && array->counts[1].ok;
	uint64_t count = array->counts[0].u + array->counts[1].u;
	if (array->why.reason == INV_PRESENT && array->address.ok && counted && count != array->used)
		inv_push(view->signs, inv_arena_printf(arena, "%s: %zu slots are used, and %" PRIu64 " routines are counted",
		                                       array->name, array->used, count));
	if (array->gaps)
		inv_push(view->signs, inv_arena_printf(arena,
		                                       "%s: %zu slots are free before the last used one: what stood "
		                                       "there was removed, by its owner or by somebody",
		                                       array->name, array->gaps));
	for (unsigned i = 0; i < 1u + array->has_second; i++)
		if (array->counts[i].ok && array->counts[i].u && view->callbacks.mask.ok &&
		    !(view->callbacks.mask.u >> array->bits[i] & 1))
			inv_push(view->signs, inv_arena_printf(arena, "PspNotifyEnableMask: bit %u is clear, and %s is %" PRIu64,
			                                       array->bits[i], array->count_names[i], array->counts[i].u));
}

static void signs_of_lists(struct view *view)
{
	const struct inv_callbacks *callbacks = &view->callbacks;
	if (callbacks->registry.closed && callbacks->registry_count.ok &&
	    callbacks->registry.count != callbacks->registry_count.u)
		inv_push(view->signs,
		         inv_arena_printf(view->arena, "CallbackListHead: %zu entries, and CmpCallBackCount is %" PRIu64,
		                          callbacks->registry.count, callbacks->registry_count.u));
	for (size_t i = 0; i < inv_count(callbacks->strays); i++)
		inv_push(view->signs,
		         inv_arena_printf(view->arena,
		                          "%s: 0x%" PRIx64 " was registered by %s together with 0x%" PRIx64
		                          ", and is not on the list",
		                          callbacks->strays[i].name, callbacks->strays[i].entry,
		                          callbacks->strays[i].module ? callbacks->strays[i].module->name : "somebody",
		                          callbacks->strays[i].beside));
	const struct inv_threat_provider *threat = &callbacks->threat;
	if (threat->enabled.ok && !threat->enabled.u && threat->sessions)
		inv_push(view->signs, "the threat intelligence provider is silent, and a session has it enabled");
}

static void sign_of_module(struct view *view, const struct inv_module *module)
{
	struct inv_value imports = inv_callback_imports(view->kernel, module);
	for (unsigned kind = 0; imports.ok && kind < INV_CALLBACK_KINDS; kind++) {
		bool has = !(imports.u >> kind & 1);
		for (size_t i = 0; i < inv_count(view->callbacks.callbacks) && !has; i++)
			has = view->callbacks.callbacks[i].module == module && view->callbacks.callbacks[i].kind == kind;
		if (!has)
			inv_push(view->signs,
			         inv_arena_printf(view->arena, "%s imports what registers callbacks of the kind '%s', and has none",
			                          module->name, inv_callback_kind_name((enum inv_callback_kind)kind)));
	}
}

static void find_signs(struct view *view)
{
	for (unsigned i = 0; i < INV_CALLBACK_ARRAYS; i++)
		sign_of_array(view, &view->callbacks.arrays[i]);
	signs_of_lists(view);
	for (size_t i = 0; i < view->kernel->module_count; i++)
		sign_of_module(view, &view->kernel->modules[i]);
	signs_of_pool(view);
}

// -- code -------------------------------------------------------------------------------------------------------------------

static size_t instructions_of(const struct inv_callback *callback, struct inv_instruction *code)
{
	if (callback->code.start != INV_CODE_RETURNS && callback->code.start != INV_CODE_JUMPS)
		return 0;
	return inv_disassemble(callback->code.bytes, callback->code.size, callback->routine.u, false, code, INSTRUCTIONS);
}

static void write_code(const struct view *view, FILE *file)
{
	bool headed = false;
	for (size_t i = 0; i < inv_count(view->callbacks.callbacks); i++) {
		struct inv_instruction code[INSTRUCTIONS];
		const struct inv_callback *callback = &view->callbacks.callbacks[i];
		size_t count = instructions_of(callback, code);
		if (!count)
			continue;
		fputs(headed ? "" : "\nCode that is no routine's usual beginning\n", file);
		headed = true;
		fprintf(file, "%s %u, ", inv_callback_kind_name(callback->kind), callback->slot);
		inv_write_safe(file, module_text(view, callback));
		putc('\n', file);
		for (size_t k = 0; k < count; k++)
			fprintf(file, "  0x%" PRIx64 "  %s\n", code[k].address, code[k].text);
	}
}

static json_t *code_json(const struct view *view)
{
	json_t *list = json_array();
	for (size_t i = 0; i < inv_count(view->callbacks.callbacks); i++) {
		struct inv_instruction code[INSTRUCTIONS];
		size_t count = instructions_of(&view->callbacks.callbacks[i], code);
		if (!count)
			continue;
		json_t *object = json_object(), *lines = json_array();
		json_object_set_new(object, "entry", inv_json_address(view->callbacks.callbacks[i].at));
		json_object_set_new(object, "routine", inv_json_address(view->callbacks.callbacks[i].routine.u));
		for (size_t k = 0; k < count; k++)
			json_array_append_new(lines, json_string(code[k].text));
		json_object_set_new(object, "instructions", lines);
		json_array_append_new(list, object);
	}
	return list;
}

// -- the whole --------------------------------------------------------------------------------------------------------------

static void write_signs(const struct view *view, FILE *file)
{
	bool whole = inv_count(view->unread) == 0;
	fputs(inv_count(view->signs) ? "\nWhat speaks for a removal\n"
	      : whole                ? "\nNothing speaks for a removal.\n"
	                             : "\nNothing speaks for a removal in what could be read.\n",
	      file);
	for (size_t i = 0; i < inv_count(view->signs); i++) {
		fputs("- ", file);
		inv_write_safe(file, view->signs[i]);
		putc('\n', file);
	}
	if (!whole)
		fputs("\nNot read: what is registered or removed there does not show\n", file);
	for (size_t i = 0; i < inv_count(view->unread); i++) {
		fputs("- ", file);
		inv_write_safe(file, view->unread[i]);
		putc('\n', file);
	}
}

static void write_pool(const struct view *view, const struct inv_table *pool, FILE *file)
{
	if (!view->all || inv_table_is_empty(pool))
		return;
	fputs("\nIn pool, by tag\n", file);
	inv_table_write(pool, INV_OUTPUT_TEXT, file);
	for (size_t i = 0; i < inv_count(view->pool.blocks); i++) {
		if (view->pool.blocks[i].listed != INV_BLOCK_UNLISTED)
			continue;
		fputs(
		    "What no list leads to was taken back by its owner (a block that is freed keeps its bytes) or unlinked by "
		    "somebody:\nby itself it proves nothing.\n",
		    file);
		return;
	}
}

static void write_json(const struct view *view, const struct inv_table *table, const struct inv_table *pool, FILE *file)
{
	json_t *object = json_object(), *signs = json_array(), *unread = json_array();
	for (size_t i = 0; i < inv_count(view->signs); i++)
		json_array_append_new(signs, inv_json_text(view->signs[i]));
	for (size_t i = 0; i < inv_count(view->unread); i++)
		json_array_append_new(unread, inv_json_text(view->unread[i]));
	json_object_set_new(object, "callbacks", inv_table_json(table));
	json_object_set_new(object, "signs_of_removal", signs);
	json_object_set_new(object, "unread", unread);
	json_object_set_new(object, "code", code_json(view));
	if (view->all)
		json_object_set_new(object, "pool", inv_table_json(pool));
	json_dumpf(object, file, JSON_INDENT(2));
	putc('\n', file);
	json_decref(object);
}

static void note_unread(struct view *view, const char *name, const struct inv_why *why)
{
	if (why->reason != INV_PRESENT)
		inv_push(view->unread, inv_arena_printf(view->arena, "%s: %s", name, inv_why_text(view->arena, why)));
}

static void find_unread(struct view *view)
{
	const struct inv_callbacks *callbacks = &view->callbacks;
	for (unsigned i = 0; i < INV_CALLBACK_ARRAYS; i++)
		note_unread(view, callbacks->arrays[i].name,
		            callbacks->arrays[i].address.ok ? &callbacks->arrays[i].why : &callbacks->arrays[i].address.why);
	note_unread(view, "CallbackListHead",
	            callbacks->registry_head.ok ? &callbacks->registry.why : &callbacks->registry_head.why);
	note_unread(view, "ObTypeIndexTable", &callbacks->types_why.why);
	note_unread(view, "PsWin32CallBack", &callbacks->win32.why);
	note_unread(view, "SeCiCallbacks",
	            callbacks->code_integrity.ok ? &callbacks->code_integrity_size.why : &callbacks->code_integrity.why);
}

// Lists that are not closed, and heads that nothing was written to.
static void find_unread_observers(struct view *view)
{
	for (size_t i = 0; i < inv_count(view->callbacks.observers); i++) {
		const struct inv_observer_list *entry = &view->callbacks.observers[i];
		const char *torn = entry->list.torn;
		if (entry->unset)
			inv_push(view->unread, inv_arena_printf(view->arena, "%s: zeros stand where its head should", entry->name));
		else if (torn)
			inv_push(view->unread,
			         inv_arena_printf(view->arena, "%s: the list does not close (%s); %zu entries are shown",
			                          entry->name, torn, entry->list.count));
		else
			note_unread(view, entry->name, entry->head.ok ? &entry->list.why : &entry->head.why);
	}
}

enum inv_exit inv_run_callbacks(struct inv_session *session, struct inv_error *error)
{
	(void)error;
	enum inv_output output = session->options->output;
	struct view view = {.kernel = session->kernel, .arena = inv_arena_new(), .all = session->options->all};
	view.exports = inv_export_names_new(view.kernel);
	inv_callbacks_read(view.kernel, view.arena, &view.callbacks);
	inv_observers_read(view.kernel, &view.callbacks);
	if (view.all)
		sweep_pool(&view, session);
	find_signs(&view);
	find_unread(&view);
	find_unread_observers(&view);
	struct inv_table *table = list_table(&view), *pool = pool_table(&view);
	if (output == INV_OUTPUT_JSON) {
		write_json(&view, table, pool, session->out);
	} else {
		inv_table_write(table, output, session->out);
		if (output == INV_OUTPUT_NDJSON && view.all)
			inv_table_write(pool, output, session->out);
		if (output == INV_OUTPUT_TEXT) {
			write_pool(&view, pool, session->out);
			write_signs(&view, session->out);
			write_code(&view, session->out);
		}
	}
	for (size_t i = 0; i < inv_count(view.unread); i++)
		inv_log(session->log, INV_LOG_WARNING, "not read: %s", view.unread[i]);
	inv_table_free(table);
	inv_table_free(pool);
	inv_array_free(view.signs);
	inv_array_free(view.unread);
	inv_callback_blocks_free(&view.pool);
	inv_callbacks_free(&view.callbacks);
	inv_export_names_free(view.exports);
	inv_arena_free(view.arena);
	return INV_EXIT_OK;
}
