// SPDX-License-Identifier: Apache-2.0
// Family 10, and H03: what watches processes is what was registered, and the kernel calls no code that nobody loaded. A driver is on
// PsLoadedModuleList before its code runs and takes back what it registered before it is unloaded, so that an honest pointer leads
// into a listed module at any time.
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "invariant/families.h"
#include "nt/callback_blocks.h"
#include "sweep/sweep.h"

#define MODULES_UNSURE "PsLoadedModuleList could not be read to its end"
#define IN_FLIGHT "a thread of System runs, and may be registering or removing as many routines as are unaccounted for"

// -- both sides of a pointer ------------------------------------------------------------------------------------------------

static const struct inv_callbacks *begin(struct inv_judge *judge, struct inv_callbacks *callbacks)
{
	inv_callbacks_read(judge->kernel, judge->arena, callbacks);
	return callbacks;
}

static void value_says(struct inv_judge *judge, struct inv_finding *finding, const char *field,
                       const struct inv_value *value, enum inv_tier tier, const char *says)
{
	inv_add_evidence(judge, finding,
	                 (struct inv_evidence){.witness = field,
	                                       .tier = tier,
	                                       .field = field,
	                                       .address = value->address,
	                                       .value = value->u,
	                                       .says = says,
	                                       .direct = true});
}

static const char *where_it_stands(const struct inv_callback *callback)
{
	static const char *const names[INV_CALLBACK_KINDS] = {"PspCreateProcessNotifyRoutine",
	                                                      "PspCreateThreadNotifyRoutine",
	                                                      "PspLoadImageNotifyRoutine",
	                                                      "CallbackListHead",
	                                                      "_OBJECT_TYPE.CallbackList",
	                                                      "SeCiCallbacks",
	                                                      "PsWin32CallBack",
	                                                      "PspPicoProviderRoutines",
	                                                      NULL};
	return callback->method ? inv_field_full_name(callback->method) : names[callback->kind];
}

static enum inv_tier tier_of(const struct inv_callback *callback)
{
	bool object = callback->kind == INV_CALLBACK_OBJECT || callback->kind == INV_CALLBACK_METHOD;
	return object ? INV_TIER_OBJECT_MANAGER : INV_TIER_EXECUTIVE;
}

static struct inv_subject subject_of(const struct inv_callback *callback)
{
	enum inv_subject_kind kind = callback->kind == INV_CALLBACK_METHOD || callback->kind == INV_CALLBACK_OBJECT
	                                 ? INV_SUBJECT_SYSTEM
	                                 : INV_SUBJECT_LIST;
	return inv_subject_other(kind, callback->at, where_it_stands(callback));
}

static void routine_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_callback *callback)
{
	const char *of = callback->name && *callback->name ? callback->name : NULL;
	value_says(judge, finding, where_it_stands(callback), &callback->routine, tier_of(callback),
	           inv_arena_printf(judge->arena, "the kernel calls this%s%s%s", of ? " for objects of type " : "",
	                            of ? of : "", callback->after ? ", afterwards" : ""));
}

static void modules_say(struct inv_judge *judge, struct inv_finding *finding, uint64_t address)
{
	struct inv_value head = inv_kernel_symbol(judge->kernel, INV_S_PsLoadedModuleList, NULL);
	struct inv_value shown = {.ok = true, .u = address, .address = head.ok ? head.u : 0};
	inv_add_evidence(
	    judge, finding,
	    (struct inv_evidence){.witness = "PsLoadedModuleList",
	                          .tier = INV_TIER_EXECUTIVE,
	                          .field = "PsLoadedModuleList",
	                          .address = shown.address,
	                          .value = address,
	                          .says = inv_arena_printf(judge->arena, "none of the %zu modules holds this address",
	                                                   judge->kernel->module_count)});
}

static void unloaded_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_callbacks *callbacks,
                          const struct inv_callback *callback)
{
	if (!callback->unloaded)
		return;
	const struct inv_unloaded *unloaded = &callbacks->unloaded[callback->unloaded - 1];
	struct inv_value start = {.ok = true, .u = unloaded->start, .address = unloaded->at};
	value_says(judge, finding, "MmUnloadedDrivers", &start, INV_TIER_EXECUTIVE,
	           inv_arena_printf(judge->arena, "%s stood there until it was unloaded", unloaded->name));
}

// A routine that begins with a jump is where the jump leads. An empty one has honest causes, and so has a jump to another module.
static void judge_code(struct inv_judge *judge, const struct inv_callback *callback)
{
	const struct inv_routine_code *code = &callback->code;
	const struct inv_module *target =
	    code->start == INV_CODE_JUMPS ? inv_kernel_module_at(judge->kernel, code->target) : NULL;
	if (code->start == INV_CODE_PLAIN || (target && target == callback->module)) {
		inv_holds(judge);
		return;
	}
	if (code->start == INV_CODE_UNREAD) {
		inv_unknown(judge, &(struct inv_value){.why = code->why});
		return;
	}
	if (code->start == INV_CODE_JUMPS && !target && !judge->kernel->modules_complete) {
		inv_unknown_because(judge, MODULES_UNSURE);
		return;
	}
	bool proof = code->start == INV_CODE_JUMPS && !target;
	struct inv_finding *finding = proof ? inv_broken(judge, subject_of(callback), tier_of(callback))
	                                    : inv_observed(judge, subject_of(callback), tier_of(callback));
	routine_says(judge, finding, callback);
	struct inv_value led = {
	    .ok = true, .u = code->target ? code->target : callback->routine.u, .address = callback->routine.u};
	value_says(judge, finding, callback->module->name, &led, INV_TIER_EXECUTIVE,
	           code->start == INV_CODE_RETURNS ? "its code returns at once"
	           : target ? inv_arena_printf(judge->arena, "its code begins with a jump into %s", target->name)
	                    : "its code begins with a jump to here");
	if (proof)
		modules_say(judge, finding, code->target);
}

// One verdict on where a pointer leads, and one on the code there.
static void judge_pointer(struct inv_judge *judge, const struct inv_callbacks *callbacks,
                          const struct inv_callback *callback)
{
	if (!inv_need(judge, &callback->routine))
		return;
	if (callback->module) {
		inv_holds(judge);
		judge_code(judge, callback);
		return;
	}
	if (!judge->kernel->modules_complete) {
		inv_unknown_because(judge, MODULES_UNSURE);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject_of(callback), tier_of(callback));
	routine_says(judge, finding, callback);
	modules_say(judge, finding, callback->routine.u);
	unloaded_says(judge, finding, callbacks, callback);
}

static void judge_pointers(struct inv_judge *judge, const struct inv_callbacks *callbacks, enum inv_callback_kind kind)
{
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++)
		if (callbacks->callbacks[i].kind == kind)
			judge_pointer(judge, callbacks, &callbacks->callbacks[i]);
}

// CPUs that run a thread of System: where drivers are started and unloaded, and so where slot and count differ for the moment
// between the two instructions that write them.
static size_t system_cpus(const struct inv_judge *judge)
{
	const struct inv_testimony *testimony = judge->dossiers->testimony;
	size_t count = 0;
	for (size_t i = 0; i < inv_count(testimony->cpus); i++) {
		const struct inv_value *current = &testimony->cpus[i].current, *idle = &testimony->cpus[i].idle;
		if (!current->ok || (idle->ok && idle->u == current->u))
			continue;
		struct inv_value process = inv_field(judge->kernel, current->u, INV_F_KTHREAD_Process);
		count += process.ok && inv_role_of(judge, process.u) == INV_ROLE_SYSTEM;
	}
	return count;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// -- C01 --------------------------------------------------------------------------------------------------------------------

static void array_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_callback_array *array)
{
	struct inv_value used = {.ok = true, .u = array->used, .address = array->address.u};
	value_says(judge, finding, array->name, &used, INV_TIER_EXECUTIVE, "so many of its 64 slots are used");
}

static void judge_count(struct inv_judge *judge, const struct inv_callback_array *array)
{
	if (!inv_need(judge, &array->address) || !inv_need(judge, &array->counts[0]) || !inv_need(judge, &array->counts[1]))
		return;
	if (array->why.reason != INV_PRESENT) {
		inv_unknown(judge, &(struct inv_value){.why = array->why});
		return;
	}
	uint64_t counted = array->counts[0].u + array->counts[1].u;
	if (array->used == counted) {
		inv_holds(judge);
		return;
	}
	if (distance(array->used, counted) <= system_cpus(judge)) {
		inv_unknown_because(judge, IN_FLIGHT);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_LIST, array->address.u, array->name), INV_TIER_EXECUTIVE);
	array_says(judge, finding, array);
	for (unsigned i = 0; i < 1u + array->has_second; i++)
		value_says(judge, finding, array->count_names[i], &array->counts[i], INV_TIER_EXECUTIVE,
		           "and so many routines are counted");
}

// Slot, count and bit are written in this order, and no bit is ever taken back.
static void judge_bit(struct inv_judge *judge, const struct inv_callbacks *callbacks,
                      const struct inv_callback_array *array, unsigned which)
{
	const struct inv_value *count = &array->counts[which];
	if (which && !array->has_second)
		return;
	if (!inv_need(judge, count) || !inv_need(judge, &callbacks->mask))
		return;
	if (!count->u || callbacks->mask.u >> array->bits[which] & 1) {
		inv_holds(judge);
		return;
	}
	if (count->u <= system_cpus(judge)) {
		inv_unknown_because(judge, IN_FLIGHT);
		return;
	}
	struct inv_finding *finding = inv_broken(
	    judge, inv_subject_other(INV_SUBJECT_LIST, callbacks->mask.address, "PspNotifyEnableMask"), INV_TIER_EXECUTIVE);
	value_says(judge, finding, "PspNotifyEnableMask", &callbacks->mask, INV_TIER_EXECUTIVE,
	           inv_arena_printf(judge->arena, "bit %u is clear: the kernel calls none", array->bits[which]));
	value_says(judge, finding, array->count_names[which], count, INV_TIER_EXECUTIVE, "so many are registered");
}

static void judge_registry(struct inv_judge *judge, const struct inv_callbacks *callbacks)
{
	const struct inv_list *list = &callbacks->registry;
	if (!inv_need(judge, &callbacks->registry_head) || !inv_need(judge, &callbacks->registry_count))
		return;
	if (!list->closed) {
		inv_unknown_because(judge, "CallbackListHead could not be read to its end");
		return;
	}
	if (list->count == callbacks->registry_count.u) {
		inv_holds(judge);
		return;
	}
	if (distance(list->count, callbacks->registry_count.u) <= system_cpus(judge)) {
		inv_unknown_because(judge, IN_FLIGHT);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_LIST, list->head, "CallbackListHead"), INV_TIER_EXECUTIVE);
	struct inv_value shown = {.ok = true, .u = list->count, .address = list->head};
	value_says(judge, finding, "CallbackListHead", &shown, INV_TIER_EXECUTIVE, "the list has so many entries");
	value_says(judge, finding, "CmpCallBackCount", &callbacks->registry_count, INV_TIER_EXECUTIVE,
	           "and so many routines are counted");
}

void inv_judge_C01(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	for (unsigned i = 0; i < INV_CALLBACK_ARRAYS; i++) {
		const struct inv_callback_array *array = &callbacks->arrays[i];
		judge_count(judge, array);
		judge_bit(judge, callbacks, array, 0);
		judge_bit(judge, callbacks, array, 1);
		judge_pointers(judge, callbacks, (enum inv_callback_kind)i);
	}
	judge_registry(judge, callbacks);
	judge_pointers(judge, callbacks, INV_CALLBACK_REGISTRY);
	inv_callbacks_free(&room);
}

// -- C02 --------------------------------------------------------------------------------------------------------------------

static unsigned kinds_registered(const struct inv_callbacks *callbacks, const struct inv_module *module)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++)
		if (callbacks->callbacks[i].module == module)
			kinds |= 1u << callbacks->callbacks[i].kind;
	return kinds;
}

static bool was_read(const struct inv_callbacks *callbacks, unsigned kind)
{
	if (kind < INV_CALLBACK_ARRAYS)
		return callbacks->arrays[kind].address.ok && callbacks->arrays[kind].why.reason == INV_PRESENT;
	if (kind == INV_CALLBACK_REGISTRY)
		return callbacks->registry_head.ok && callbacks->registry.closed;
	return inv_count(callbacks->types) && callbacks->types_why.ok;
}

static void judge_importer(struct inv_judge *judge, const struct inv_callbacks *callbacks,
                           const struct inv_module *module)
{
	struct inv_value imports = inv_callback_imports(judge->kernel, module);
	if (!inv_need(judge, &imports))
		return;
	unsigned missing = (unsigned)imports.u & ~kinds_registered(callbacks, module);
	for (unsigned kind = 0; kind < INV_CALLBACK_KINDS; kind++) {
		if (!(imports.u >> kind & 1))
			continue;
		if (!was_read(callbacks, kind)) {
			inv_unknown_because(judge, "what is registered of that kind could not be read");
			continue;
		}
		if (!(missing >> kind & 1)) {
			inv_holds(judge);
			continue;
		}
		struct inv_finding *finding =
		    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, module->base, module->name), INV_TIER_EXECUTIVE);
		struct inv_value base = {.ok = true, .u = module->base, .address = module->entry};
		value_says(judge, finding, module->name, &base, INV_TIER_EXECUTIVE,
		           inv_arena_printf(judge->arena, "the module imports what registers callbacks of the kind '%s'",
		                            inv_callback_kind_name((enum inv_callback_kind)kind)));
		struct inv_value none = {.ok = true};
		value_says(judge, finding, "callbacks", &none, INV_TIER_EXECUTIVE, "and has none of that kind");
	}
}

// References to a block are taken before a slot leads there and given back when it does so no more: a block that is only now
// made and one that was taken back in order have none. (Public practice: ReactOS.) Which slots there are nobody has verified for
// every build, so all of the kernel's data is searched for one.
static void judge_held(struct inv_judge *judge, const struct inv_callback_block *block)
{
	const struct inv_callback *callback = &block->callback;
	if (block->listed == INV_BLOCK_LISTS_UNREAD) {
		inv_unknown_because(judge, "not all slots that may lead to the block of a routine could be read");
		return;
	}
	if (block->listed != INV_BLOCK_UNLISTED) {
		inv_holds(judge);
		return;
	}
	if (!callback->module) {
		inv_unknown_because(
		    judge, "no module has the routine of a block to which no slot leads, so that it may be no such block");
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, callback->module->base, callback->module->name),
	               INV_TIER_EXECUTIVE);
	value_says(judge, finding, "EX_CALLBACK_ROUTINE_BLOCK", &callback->routine, INV_TIER_EXECUTIVE,
	           inv_arena_printf(judge->arena,
	                            "the block in pool leads to this routine of %s, and has a slot's references",
	                            callback->module->name));
	struct inv_value none = {.ok = true};
	value_says(judge, finding, "callbacks", &none, INV_TIER_EXECUTIVE, "no slot of the kernel leads to the block");
}

static void judge_blocks(struct inv_judge *judge, const struct inv_callbacks *callbacks)
{
	const struct inv_sweep *sweep = judge->dossiers->testimony->sweep;
	struct inv_callback_place *places = NULL;
	struct inv_callback_blocks blocks;
	for (size_t i = 0; sweep && i < inv_count(sweep->hits); i++) {
		const struct inv_hit *hit = &sweep->hits[i];
		if (hit->kind == INV_HIT_ROUTINE_TAG && hit->address)
			inv_push(places, ((struct inv_callback_place){hit->physical, hit->address, INV_TAG_OF_ROUTINES}));
	}
	inv_callback_blocks_read(judge->kernel, callbacks, places, inv_count(places), &blocks);
	for (size_t i = 0; i < inv_count(blocks.blocks); i++) {
		const struct inv_callback_block *block = &blocks.blocks[i];
		if (block->held && inv_callback_block_may_be_in_use(block))
			judge_held(judge, block);
	}
	if (blocks.cut || (sweep && sweep->cut_short))
		inv_unknown_because(judge, "memory holds more blocks of routines than are looked at");
	inv_callback_blocks_free(&blocks);
	inv_array_free(places);
}

void inv_judge_C02(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	for (size_t i = 0; i < judge->kernel->module_count; i++)
		judge_importer(judge, callbacks, &judge->kernel->modules[i]);
	judge_blocks(judge, callbacks);
	inv_callbacks_free(&room);
}

// -- C03 --------------------------------------------------------------------------------------------------------------------

// The kernel makes these two types so that handles to their objects can be watched.
static void judge_support(struct inv_judge *judge, const struct inv_value *type, const char *name)
{
	struct inv_value supports = *type;
	if (type->ok)
		supports = inv_field(judge->kernel, type->u, INV_F_OBJECT_TYPE_SupportsObjectCallbacks);
	if (!inv_need(judge, &supports))
		return;
	if (supports.u) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, type->u, name), INV_TIER_OBJECT_MANAGER);
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_SupportsObjectCallbacks, &supports,
	               "the kernel calls nobody for handles to such objects");
	value_says(judge, finding, name, type, INV_TIER_EXECUTIVE, "by which the kernel finds the type that it made so");
}

// Entries are put on the list disabled, and enabled when all of a registration are there.
static void judge_enabled(struct inv_judge *judge, const struct inv_callback *callback)
{
	if (!inv_need(judge, &callback->enabled))
		return;
	if (callback->enabled.u) {
		inv_holds(judge);
		return;
	}
	if (system_cpus(judge)) {
		inv_unknown_because(judge, IN_FLIGHT);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject_of(callback), INV_TIER_OBJECT_MANAGER);
	value_says(judge, finding, "Enabled", &callback->enabled, INV_TIER_OBJECT_MANAGER,
	           "the entry is on the list, and the kernel passes it over");
	routine_says(judge, finding, callback);
}

static void judge_list(struct inv_judge *judge, const struct inv_watched_type *type)
{
	if (!type->list.head)
		return;
	if (type->list.closed)
		inv_holds(judge);
	else if (type->list.torn && !system_cpus(judge)) {
		struct inv_finding *finding = inv_observed(
		    judge, inv_subject_other(INV_SUBJECT_SYSTEM, type->address, type->name), INV_TIER_OBJECT_MANAGER);
		struct inv_value head = {.ok = true, .u = type->list.count, .address = type->list.head};
		value_says(judge, finding, "_OBJECT_TYPE.CallbackList", &head, INV_TIER_OBJECT_MANAGER,
		           "the list does not close");
	} else
		inv_unknown_because(judge, "_OBJECT_TYPE.CallbackList could not be read to its end");
}

static void judge_stray(struct inv_judge *judge, const struct inv_stray *stray)
{
	struct inv_finding *finding =
	    inv_observed(judge, inv_subject_other(INV_SUBJECT_SYSTEM, stray->entry, stray->name), INV_TIER_OBJECT_MANAGER);
	struct inv_value entry = {.ok = true, .u = stray->entry, .address = stray->registration};
	value_says(judge, finding, "ObRegisterCallbacks", &entry, INV_TIER_OBJECT_MANAGER,
	           inv_arena_printf(judge->arena, "%s registered this entry for the type %s together with another",
	                            stray->module ? stray->module->name : "somebody", stray->name));
	struct inv_value beside = {.ok = true, .u = stray->beside};
	value_says(judge, finding, "_OBJECT_TYPE.CallbackList", &beside, INV_TIER_OBJECT_MANAGER,
	           "the other one is on its list, and this one is not");
}

void inv_judge_C03(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	const struct inv_object_types *types = &judge->dossiers->testimony->types;
	judge_support(judge, &types->process, "PsProcessType");
	judge_support(judge, &types->thread, "PsThreadType");
	for (size_t i = 0; i < inv_count(callbacks->types); i++)
		judge_list(judge, &callbacks->types[i]);
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++)
		if (callbacks->callbacks[i].kind == INV_CALLBACK_OBJECT && !callbacks->callbacks[i].after)
			judge_enabled(judge, &callbacks->callbacks[i]);
	judge_pointers(judge, callbacks, INV_CALLBACK_OBJECT);
	for (size_t i = 0; i < inv_count(callbacks->strays); i++)
		judge_stray(judge, &callbacks->strays[i]);
	inv_callbacks_free(&room);
}

// -- C04 --------------------------------------------------------------------------------------------------------------------

static void judge_provider(struct inv_judge *judge, const struct inv_threat_provider *threat)
{
	if (!inv_need(judge, &threat->registration))
		return;
	if (!threat->registration.u) {
		inv_unknown_because(judge, "the provider is not registered");
		return;
	}
	if (!inv_need(judge, &threat->entry) || !inv_need(judge, &threat->guid) || !inv_need(judge, &threat->enabled) ||
	    !inv_need(judge, &threat->mask))
		return;
	struct inv_subject subject = inv_subject_other(INV_SUBJECT_SYSTEM, threat->entry.u, "EtwThreatIntProvRegHandle");
	if (threat->known_guid && (threat->enabled.u != 0) == (threat->sessions != 0) &&
	    (threat->enabled.u || !threat->mask.u)) {
		if (threat->enabled.u)
			inv_holds(judge);
		else
			inv_excuse(judge, subject, "no-consumer");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject, INV_TIER_EXECUTIVE);
	if (!threat->known_guid)
		inv_field_says(judge, finding, INV_F_ETW_GUID_ENTRY_Guid, &threat->guid,
		               "the handle leads to another provider");
	inv_field_says(judge, finding, INV_F_ETW_GUID_ENTRY_IsEnabled, &threat->enabled, "the provider is %s",
	               threat->enabled.u ? "enabled" : "silent");
	if (threat->sessions)
		inv_field_says(judge, finding, INV_F_TRACE_ENABLE_INFO_IsEnabled, &threat->listener,
		               "a session has it enabled");
	inv_field_says(judge, finding, INV_F_ETW_REG_ENTRY_EnableMask, &threat->mask,
	               "sessions that its registration is for");
	inv_tried(judge, finding, "no-consumer", "%s",
	          threat->sessions    ? "a session has the provider enabled"
	          : threat->mask.u    ? "its registration is for a session"
	          : threat->enabled.u ? "the provider is enabled"
	                              : "the handle leads to another provider");
}

void inv_judge_C04(struct inv_judge *judge)
{
	struct inv_callbacks room;
	judge_provider(judge, &begin(judge, &room)->threat);
	inv_callbacks_free(&room);
}

// -- C05, C06 ---------------------------------------------------------------------------------------------------------------

// The module that more than half of the pointers of a kind lead into; NULL: none.
static const struct inv_module *common_module(const struct inv_callbacks *callbacks, enum inv_callback_kind kind,
                                              size_t *votes)
{
	const struct inv_module *module = NULL;
	size_t ahead = 0, all = 0;
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++) {
		const struct inv_callback *callback = &callbacks->callbacks[i];
		if (callback->kind != kind || !callback->module)
			continue;
		if (!ahead)
			module = callback->module;
		ahead = callback->module == module ? ahead + 1 : ahead - 1;
	}
	*votes = 0;
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++) {
		all += callbacks->callbacks[i].kind == kind;
		*votes += callbacks->callbacks[i].kind == kind && module && callbacks->callbacks[i].module == module;
	}
	return *votes * 2 > all ? module : NULL;
}

static bool is_the_kernel(const struct inv_judge *judge, const struct inv_module *module)
{
	return module->base == judge->kernel->base;
}

// All functions of a table are of the one module that gave it to the kernel.
static void judge_table(struct inv_judge *judge, const struct inv_callbacks *callbacks, enum inv_callback_kind kind)
{
	size_t votes;
	const struct inv_module *module = common_module(callbacks, kind, &votes);
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++) {
		const struct inv_callback *callback = &callbacks->callbacks[i];
		if (callback->kind != kind)
			continue;
		if (!callback->module || callback->module == module) {
			judge_pointer(judge, callbacks, callback);
			continue;
		}
		if (!module) {
			inv_unknown_because(judge, "the functions of the table are of no one module more than of others");
			continue;
		}
		struct inv_finding *finding = inv_broken(judge, subject_of(callback), INV_TIER_EXECUTIVE);
		routine_says(judge, finding, callback);
		struct inv_value base = {.ok = true, .u = module->base, .address = module->entry};
		value_says(judge, finding, module->name, &base, INV_TIER_EXECUTIVE,
		           inv_arena_printf(judge->arena, "%zu functions of the table are in %s, this one is in %s", votes,
		                            module->name, callback->module->name));
	}
	if (module && is_the_kernel(judge, module)) {
		struct inv_finding *finding =
		    inv_broken(judge, inv_subject_other(INV_SUBJECT_LIST, module->base, module->name), INV_TIER_EXECUTIVE);
		struct inv_value base = {.ok = true, .u = module->base, .address = module->entry};
		value_says(judge, finding, module->name, &base, INV_TIER_EXECUTIVE,
		           "the kernel calls itself through a table that another module fills");
	}
}

void inv_judge_C05(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	if (inv_need(judge, &callbacks->code_integrity) && inv_need(judge, &callbacks->code_integrity_size)) {
		if (callbacks->code_integrity_odd)
			inv_unknown_because(judge, callbacks->code_integrity_odd);
		else
			judge_table(judge, callbacks, INV_CALLBACK_CODE_INTEGRITY);
	}
	inv_callbacks_free(&room);
}

// A pico process was made by the provider, for whom the kernel keeps its context.
static void judge_pico_processes(struct inv_judge *judge, const struct inv_callbacks *callbacks)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct inv_value context = inv_field(judge->kernel, process->address, INV_F_EPROCESS_PicoContext);
		if (!inv_is_live(process) || !context.ok || !context.u)
			continue;
		struct inv_value created = inv_field(judge->kernel, process->address, INV_F_EPROCESS_PicoCreated);
		if (!inv_need(judge, &callbacks->pico) || !inv_need(judge, &callbacks->pico_size) || !inv_need(judge, &created))
			continue;
		if (callbacks->pico_size.u && created.u) {
			inv_holds(judge);
			continue;
		}
		struct inv_finding *finding = callbacks->pico_size.u
		                                  ? inv_observed(judge, inv_subject_process(process), INV_TIER_EXECUTIVE)
		                                  : inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
		inv_field_says(judge, finding, INV_F_EPROCESS_PicoContext, &context, "a provider keeps something of it");
		inv_field_says(judge, finding, INV_F_EPROCESS_PicoCreated, &created, "a provider %s it",
		               created.u ? "made" : "has not made");
		value_says(judge, finding, "PspPicoProviderRoutines", &callbacks->pico_size, INV_TIER_EXECUTIVE,
		           callbacks->pico_size.u ? "a provider is registered" : "no provider is registered");
	}
}

static void judge_win32(struct inv_judge *judge, const struct inv_callbacks *callbacks,
                        const struct inv_callback *callback)
{
	if (!callback->routine.ok || !callback->module || !is_the_kernel(judge, callback->module)) {
		judge_pointer(judge, callbacks, callback);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject_of(callback), INV_TIER_EXECUTIVE);
	routine_says(judge, finding, callback);
	struct inv_value base = {.ok = true, .u = callback->module->base, .address = callback->module->entry};
	value_says(judge, finding, callback->module->name, &base, INV_TIER_EXECUTIVE,
	           "the kernel calls itself where the window manager registers");
}

void inv_judge_C06(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	if (inv_need(judge, &callbacks->win32))
		for (size_t i = 0; i < inv_count(callbacks->callbacks); i++)
			if (callbacks->callbacks[i].kind == INV_CALLBACK_WIN32)
				judge_win32(judge, callbacks, &callbacks->callbacks[i]);
	if (callbacks->pico_odd)
		inv_unknown_because(judge, callbacks->pico_odd);
	judge_table(judge, callbacks, INV_CALLBACK_PICO);
	judge_pico_processes(judge, callbacks);
	inv_callbacks_free(&room);
}

// -- H03 --------------------------------------------------------------------------------------------------------------------

static bool is_of_the_kernel(const struct inv_object_types *types, uint64_t type)
{
	const struct inv_value *const known[] = {&types->process, &types->thread, &types->token, &types->job};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i]->ok && known[i]->u == type)
			return true;
	return false;
}

static void judge_index(struct inv_judge *judge, const struct inv_watched_type *type)
{
	if (!inv_need(judge, &type->own_index))
		return;
	if (type->own_index.u == type->index) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding =
	    inv_broken(judge, inv_subject_other(INV_SUBJECT_SYSTEM, type->address, type->name), INV_TIER_OBJECT_MANAGER);
	struct inv_value slot = {.ok = true, .u = type->address, .address = type->slot};
	value_says(judge, finding, "ObTypeIndexTable", &slot, INV_TIER_OBJECT_MANAGER,
	           inv_arena_printf(judge->arena, "the type stands under index %u", type->index));
	inv_field_says(judge, finding, INV_F_OBJECT_TYPE_Index, &type->own_index, "and calls itself by another");
}

static bool has_method_in_kernel(const struct inv_judge *judge, const struct inv_callbacks *callbacks, uint64_t type)
{
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++) {
		const struct inv_callback *callback = &callbacks->callbacks[i];
		if (callback->kind == INV_CALLBACK_METHOD && callback->type == type && callback->module &&
		    is_the_kernel(judge, callback->module))
			return true;
	}
	return false;
}

static void judge_method(struct inv_judge *judge, const struct inv_callbacks *callbacks,
                         const struct inv_callback *callback)
{
	bool elsewhere = callback->module && !is_the_kernel(judge, callback->module);
	bool own = is_of_the_kernel(&judge->dossiers->testimony->types, callback->type);
	if (!elsewhere || (!own && !has_method_in_kernel(judge, callbacks, callback->type))) {
		judge_pointer(judge, callbacks, callback);
		return;
	}
	struct inv_finding *finding = own ? inv_broken(judge, subject_of(callback), INV_TIER_OBJECT_MANAGER)
	                                  : inv_observed(judge, subject_of(callback), INV_TIER_OBJECT_MANAGER);
	routine_says(judge, finding, callback);
	struct inv_value base = {.ok = true, .u = callback->module->base, .address = callback->module->entry};
	value_says(judge, finding, callback->module->name, &base, INV_TIER_EXECUTIVE,
	           own ? "this module holds it, and the type is one of the kernel's own"
	               : "this module holds it, and other methods of the type are the kernel's");
}

void inv_judge_H03(struct inv_judge *judge)
{
	struct inv_callbacks room;
	const struct inv_callbacks *callbacks = begin(judge, &room);
	if (!inv_count(callbacks->types))
		inv_unknown(judge, &callbacks->types_why);
	for (size_t i = 0; i < inv_count(callbacks->types); i++)
		judge_index(judge, &callbacks->types[i]);
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++)
		if (callbacks->callbacks[i].kind == INV_CALLBACK_METHOD)
			judge_method(judge, callbacks, &callbacks->callbacks[i]);
	inv_callbacks_free(&room);
}
