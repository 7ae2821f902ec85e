// SPDX-License-Identifier: Apache-2.0
#include "nt/callback_blocks.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "image/image.h"
#include "kernel/pe.h"

#define HEADER_SIZE 0x10u // _POOL_HEADER of x64: BlockSize in units of 16 bytes at 2, PoolType at 3, PoolTag at 4
#define GRANULE 0x10u
#define IN_USE 2u         // of PoolType; 0 is free (public practice)
#define MOST_BYTES 0x430u // header and registration with its most operations
#define PAGE_MASK 0xfffu

#define ROUTINE_FUNCTION 0x08u // EX_CALLBACK_ROUTINE_BLOCK: EX_RUNDOWN_REF, function, context
#define ROUTINE_CONTEXT 0x10u
#define ROUTINE_SIZE 0x18u
#define CONTEXT_EXTENDED 2u
#define RUNDOWN_ACTIVE 1u    // no more references are given
#define RUNDOWN_MOST 0x2000u // far above what threads hold at a time, two for each

#define REGISTRY_FUNCTION 0x28u
#define REGISTRY_ALTITUDE 0x30u
#define REGISTRY_SIZE 0x40u
#define OBJECT_VERSION 0x100u // OB_FLT_REGISTRATION_VERSION (wdm.h)
#define OBJECT_COUNT 0x02u
#define OBJECT_ALTITUDE 0x10u
#define OBJECT_ENTRIES 0x20u
#define OBJECT_ENTRY_SIZE 0x40u
#define OBJECT_OPERATIONS 16u
#define ENTRY_ENABLED 0x14u
#define ENTRY_REGISTRATION 0x18u
#define ENTRY_TYPE 0x20u
#define ENTRY_BEFORE 0x28u
#define ENTRY_AFTER 0x30u
#define SHUTDOWN_DEVICE 0x10u
#define SHUTDOWN_SIZE 0x18u
#define MAJOR_SHUTDOWN 0x10u // IRP_MJ_SHUTDOWN (wdm.h)
#define FILE_SYSTEM_DRIVER 0x10u
#define FILE_SYSTEM_ROUTINE 0x18u
#define FILE_SYSTEM_SIZE 0x20u
#define PRINT_ROUTINE 0x10u
#define PRINT_LINKS 0x18u
#define PRINT_SIZE 0x28u
#define NOTIFY_CATEGORY 0x10u
#define NOTIFY_ROUTINE 0x20u
#define NOTIFY_DRIVER 0x30u
#define NOTIFY_SIZE 0x40u
#define IO_DEVICE 3u // IO_TYPE_DEVICE, IO_TYPE_DRIVER (wdm.h)
#define IO_DRIVER 4u

#define FAST_REFERENCES 0xfull
#define SECTION_MOST ((uint32_t)64 << 20)
#define PIECE 0x1000u
#define PLACES_MOST ((size_t)1 << 18)

enum tag { CBRB, CMCB, OBFL, IOSH, IOFS, DBCB, PNP9, PNPD, PNPC };

const uint32_t inv_callback_tags[INV_CALLBACK_TAGS] = {
    [CBRB] = INV_TAG_OF_ROUTINES, [CMCB] = 0x62634d43, [OBFL] = 0x6c46624f, [IOSH] = 0x68536f49, [IOFS] = 0x73466f49,
    [DBCB] = 0x62436244,          [PNP9] = 0x39706e50, [PNPD] = 0x44706e50, [PNPC] = 0x43706e50,
};

const char *inv_block_pool_name(enum inv_block_pool pool)
{
	static const char *const names[] = {"not told", "in use", "free", "not mapped"};
	return names[pool];
}

const char *inv_callback_block_kind(const struct inv_callback_block *block)
{
	if (block->slot_block && block->listed != INV_BLOCK_LISTED)
		return "routine";
	return block->target_device ? "target device" : inv_callback_kind_name(block->callback.kind);
}

bool inv_callback_block_may_be_in_use(const struct inv_callback_block *block)
{
	return block->pool == INV_BLOCK_IN_USE || block->pool == INV_BLOCK_NOT_TOLD;
}

bool inv_callback_block_is_stray(const struct inv_callback_block *block)
{
	return block->listed == INV_BLOCK_UNLISTED && inv_callback_block_may_be_in_use(block) && !block->ended;
}

// -- what stands in a block -------------------------------------------------------------------------------------------------

struct known_place {
	uint64_t key; // the address to which a slot or list leads
	size_t value; // index
};

struct judging {
	const struct inv_kernel *kernel;
	const struct inv_callbacks *callbacks;
	struct inv_callback_blocks *to;
	struct known_place *registered; // stb_ds map
	// The module that was asked last whether it has code somewhere.
	const struct inv_module *module;
	struct inv_pe pe;
	bool headers; // they could be read
	// Of the place that is looked at.
	const struct inv_callback_place *place;
	uint8_t bytes[MOST_BYTES]; // from the pool header on
	size_t size;               // behind the header
	enum inv_block_pool pool;
};

static const uint8_t *body(const struct judging *judging)
{
	return judging->bytes + HEADER_SIZE;
}

static uint64_t body_address(const struct judging *judging)
{
	return judging->place->address ? judging->place->address + HEADER_SIZE : 0;
}

static struct inv_value value_at(const struct judging *judging, size_t offset)
{
	uint64_t address = body_address(judging);
	return (struct inv_value){
	    .ok = true, .u = inv_le64(body(judging) + offset), .address = address ? address + offset : 0};
}

static bool is_kernel_address(uint64_t address)
{
	return address >= 0xffff800000000000u;
}

static bool has_links(const struct judging *judging, size_t offset)
{
	uint64_t flink = inv_le64(body(judging) + offset), blink = inv_le64(body(judging) + offset + 8);
	return is_kernel_address(flink) && is_kernel_address(blink) && flink % 8 == 0 && blink % 8 == 0;
}

// The block as its header has it, which never leaves its page. false: there is none.
static bool read_block(struct judging *judging, const struct inv_callback_place *place)
{
	const struct inv_kernel *kernel = judging->kernel;
	size_t room = PAGE_MASK + 1 - (place->physical & PAGE_MASK), got;
	room = room < MOST_BYTES ? room : MOST_BYTES;
	judging->place = place;
	if (place->address)
		got = inv_space_read(kernel->space, place->address, judging->bytes, room, NULL);
	else
		got = kernel->image ? inv_image_read(kernel->image, place->physical, judging->bytes, room) : 0;
	if (got < HEADER_SIZE)
		return false;
	size_t size = (size_t)judging->bytes[2] * GRANULE;
	uint8_t type = judging->bytes[3];
	if (size <= HEADER_SIZE || size > PAGE_MASK + 1 - (place->physical & PAGE_MASK))
		return false;
	judging->size = (size < got ? size : got) - HEADER_SIZE;
	judging->pool = !place->address                                             ? INV_BLOCK_UNMAPPED
	                : !type                                                     ? INV_BLOCK_FREE
	                : type & IN_USE && inv_knows(kernel, INV_POOL_HEADERS_TELL) ? INV_BLOCK_IN_USE
	                                                                            : INV_BLOCK_NOT_TOLD;
	return true;
}

// In a section of code, where the module's headers can be read. Many routines of one module come together.
static bool is_code(struct judging *judging, const struct inv_module *module, uint64_t address)
{
	struct inv_pe *pe = &judging->pe;
	if (judging->module != module)
		judging->headers = inv_pe_read(judging->kernel->space, module->base, pe, NULL);
	judging->module = module;
	for (size_t i = 0; judging->headers && i < pe->section_count; i++) {
		const struct inv_pe_section *section = &pe->section[i];
		if (section->executable && address - module->base - section->rva < section->size)
			return true;
	}
	return !judging->headers;
}

// Code of a module, loaded or unloaded; of nobody's only if the block may be one that the kernel still uses.
static bool is_plausible(struct judging *judging, const struct inv_callback_block *block)
{
	const struct inv_callback *callback = &block->callback;
	if (!callback->routine.ok || !is_kernel_address(callback->routine.u))
		return false;
	if (callback->module)
		return is_code(judging, callback->module, callback->routine.u);
	if (callback->unloaded)
		return true;
	return inv_callback_block_may_be_in_use(block) && !block->ended && callback->code.start != INV_CODE_UNREAD;
}

static struct inv_callback_block block_of(const struct judging *judging, enum inv_callback_kind kind, size_t at)
{
	const struct inv_callback_place *place = judging->place;
	struct inv_callback_block block = {.header = place->address, .physical = place->physical, .pool = judging->pool};
	inv_put32((uint8_t *)block.tag, inv_le32(judging->bytes + 4) & 0x7fffffffu);
	block.callback = (struct inv_callback){.kind = kind, .at = body_address(judging) ? body_address(judging) + at : 0};
	return block;
}

// The entry that a list or slot leads to has been looked up already; else what stands here is.
static void take(struct judging *judging, struct inv_callback_block block)
{
	uint64_t at = block.callback.at;
	ptrdiff_t known = at ? stbds_hmgeti(judging->registered, at) : -1;
	if (known >= 0) {
		block.listed = INV_BLOCK_LISTED;
		block.registered = judging->registered[known].value;
		block.callback = judging->callbacks->callbacks[block.registered];
		block.callback.at = at;
	} else {
		inv_callbacks_look_up(judging->kernel, judging->callbacks, &block.callback);
		if (!is_plausible(judging, &block)) {
			judging->to->refused++;
			return;
		}
	}
	inv_push(judging->to->blocks, block);
}

static void refuse(struct judging *judging)
{
	judging->to->refused++;
}

// A count of references; or closed, with the place of a waiter if anybody had to wait; or the link of a list of free blocks.
static bool is_rundown(uint64_t value)
{
	return value < RUNDOWN_MOST || is_kernel_address(value);
}

static void judge_routine(struct judging *judging)
{
	struct inv_callback_block block = block_of(judging, INV_CALLBACK_PROCESS, 0);
	uint64_t rundown = inv_le64(body(judging));
	block.slot_block = true;
	block.ended = rundown & RUNDOWN_ACTIVE;
	block.held = !block.ended && rundown && rundown < RUNDOWN_MOST;
	bool link = !block.ended && is_kernel_address(rundown);
	if (!is_rundown(rundown) || (link && block.pool == INV_BLOCK_IN_USE)) {
		refuse(judging);
		return;
	}
	if (link && block.pool == INV_BLOCK_NOT_TOLD)
		block.pool = INV_BLOCK_FREE;
	block.callback.routine = value_at(judging, ROUTINE_FUNCTION);
	block.callback.extended = inv_le64(body(judging) + ROUTINE_CONTEXT) & CONTEXT_EXTENDED;
	take(judging, block);
}

static const char *altitude_at(const struct judging *judging, size_t offset)
{
	struct inv_value value;
	if (!body_address(judging))
		return NULL;
	const char *text =
	    inv_read_unicode(judging->kernel, body_address(judging) + offset, judging->callbacks->arena, &value);
	return value.ok && *text ? text : NULL;
}

static void judge_registry(struct judging *judging)
{
	struct inv_callback_block block = block_of(judging, INV_CALLBACK_REGISTRY, 0);
	block.callback.routine = value_at(judging, REGISTRY_FUNCTION);
	block.callback.altitude = altitude_at(judging, REGISTRY_ALTITUDE);
	if (has_links(judging, 0))
		take(judging, block);
	else
		refuse(judging);
}

static const struct inv_watched_type *type_at(const struct judging *judging, uint64_t address)
{
	for (size_t i = 0; i < inv_count(judging->callbacks->types); i++)
		if (judging->callbacks->types[i].address == address)
			return &judging->callbacks->types[i];
	return NULL;
}

static void judge_operation(struct judging *judging, size_t at, const char *altitude)
{
	const struct inv_watched_type *type = type_at(judging, inv_le64(body(judging) + at + ENTRY_TYPE));
	struct inv_value owner = value_at(judging, at + ENTRY_REGISTRATION);
	struct inv_callback_block block = block_of(judging, INV_CALLBACK_OBJECT, at);
	if (!type || !has_links(judging, at) || (body_address(judging) && owner.u != body_address(judging))) {
		refuse(judging);
		return;
	}
	block.callback.type = type->address;
	block.callback.name = type->name;
	block.callback.altitude = altitude;
	block.callback.enabled = value_at(judging, at + ENTRY_ENABLED);
	block.callback.enabled.u &= 0xffffffffu;
	block.callback.routine = value_at(judging, at + ENTRY_BEFORE);
	if (!block.callback.routine.u) {
		block.callback.routine = value_at(judging, at + ENTRY_AFTER);
		block.callback.after = true;
	}
	take(judging, block);
}

static void judge_registration(struct judging *judging)
{
	size_t count = inv_le16(body(judging) + OBJECT_COUNT);
	if (inv_le16(body(judging)) != OBJECT_VERSION || !count || count > OBJECT_OPERATIONS ||
	    OBJECT_ENTRIES + count * OBJECT_ENTRY_SIZE > judging->size) {
		refuse(judging);
		return;
	}
	const char *altitude = altitude_at(judging, OBJECT_ALTITUDE);
	for (size_t i = 0; i < count; i++)
		judge_operation(judging, OBJECT_ENTRIES + i * OBJECT_ENTRY_SIZE, altitude);
}

// -- what drivers are told of -----------------------------------------------------------------------------------------------

// The driver's name; false: what stands there is no driver.
static bool name_driver(const struct judging *judging, uint64_t driver, const char **name)
{
	struct inv_value type = inv_field(judging->kernel, driver, INV_F_DRIVER_OBJECT_Type), text;
	uint64_t at;
	if (!is_kernel_address(driver) || !type.ok || type.u != IO_DRIVER)
		return false;
	if (inv_field_address(judging->kernel, driver, INV_F_DRIVER_OBJECT_DriverName, &at)) {
		*name = inv_read_unicode(judging->kernel, at, judging->callbacks->arena, &text);
		if (!text.ok || !**name)
			*name = NULL;
	}
	return true;
}

static void judge_shutdown(struct judging *judging)
{
	const struct inv_kernel *kernel = judging->kernel;
	struct inv_callback_block block = block_of(judging, INV_CALLBACK_SHUTDOWN, 0);
	uint64_t device = inv_le64(body(judging) + SHUTDOWN_DEVICE), functions;
	struct inv_value type = inv_field(kernel, device, INV_F_DEVICE_OBJECT_Type);
	struct inv_value driver = inv_field(kernel, device, INV_F_DEVICE_OBJECT_DriverObject);
	if (!has_links(judging, 0) || !is_kernel_address(device) || !type.ok || type.u != IO_DEVICE || !driver.ok ||
	    !name_driver(judging, driver.u, &block.callback.name) ||
	    !inv_field_address(kernel, driver.u, INV_F_DRIVER_OBJECT_MajorFunction, &functions)) {
		refuse(judging);
		return;
	}
	block.callback.routine = inv_read_u64(kernel, functions + 8ull * MAJOR_SHUTDOWN);
	take(judging, block);
}

// A driver that is gone leaves no object behind: then the routine alone must do.
static void judge_told(struct judging *judging, enum inv_callback_kind kind, size_t driver, size_t routine)
{
	struct inv_callback_block block = block_of(judging, kind, 0);
	uint64_t object = inv_le64(body(judging) + driver);
	block.callback.routine = value_at(judging, routine);
	if (!has_links(judging, 0) || !is_kernel_address(object)) {
		refuse(judging);
		return;
	}
	(void)name_driver(judging, object, &block.callback.name);
	take(judging, block);
}

static void judge_print(struct judging *judging)
{
	struct inv_callback_block block = block_of(judging, INV_CALLBACK_DEBUG_PRINT, PRINT_LINKS);
	block.callback.routine = value_at(judging, PRINT_ROUTINE);
	if (has_links(judging, PRINT_LINKS))
		take(judging, block);
	else
		refuse(judging);
}

// IO_NOTIFICATION_EVENT_CATEGORY (wdm.h)
static void judge_notify(struct judging *judging, enum inv_callback_kind kind, uint32_t category)
{
	size_t before = inv_count(judging->to->blocks);
	if (inv_le32(body(judging) + NOTIFY_CATEGORY) != category) {
		refuse(judging);
		return;
	}
	judge_told(judging, kind, NOTIFY_DRIVER, NOTIFY_ROUTINE);
	if (category == 3 && inv_count(judging->to->blocks) > before)
		judging->to->blocks[before].target_device = true;
}

static void judge_place(struct judging *judging, const struct inv_callback_place *place)
{
	static const size_t least[INV_CALLBACK_TAGS] = {
	    [CBRB] = ROUTINE_SIZE,  [CMCB] = REGISTRY_SIZE,    [OBFL] = OBJECT_ENTRIES,
	    [IOSH] = SHUTDOWN_SIZE, [IOFS] = FILE_SYSTEM_SIZE, [DBCB] = PRINT_SIZE,
	    [PNP9] = NOTIFY_SIZE,   [PNPD] = NOTIFY_SIZE,      [PNPC] = NOTIFY_SIZE};
	unsigned tag = 0;
	while (tag < INV_CALLBACK_TAGS && inv_callback_tags[tag] != place->tag)
		tag++;
	if (tag == INV_CALLBACK_TAGS)
		return;
	judging->to->looked_at++;
	if (!read_block(judging, place) || judging->size < least[tag]) {
		refuse(judging);
		return;
	}
	switch ((enum tag)tag) {
	case CBRB:
		judge_routine(judging);
		break;
	case CMCB:
		judge_registry(judging);
		break;
	case OBFL:
		judge_registration(judging);
		break;
	case IOSH:
		judge_shutdown(judging);
		break;
	case IOFS:
		judge_told(judging, INV_CALLBACK_FILE_SYSTEM, FILE_SYSTEM_DRIVER, FILE_SYSTEM_ROUTINE);
		break;
	case DBCB:
		judge_print(judging);
		break;
	case PNP9:
		judge_notify(judging, INV_CALLBACK_PROFILE, 1);
		break;
	case PNPD:
		judge_notify(judging, INV_CALLBACK_DEVICE_CLASS, 2);
		break;
	case PNPC:
		judge_notify(judging, INV_CALLBACK_DEVICE_CLASS, 3);
		break;
	}
}

// -- who leads there --------------------------------------------------------------------------------------------------------

static void note_registered(struct judging *judging)
{
	const struct inv_callbacks *callbacks = judging->callbacks;
	for (size_t i = 0; i < inv_count(callbacks->callbacks); i++) {
		const struct inv_callback *callback = &callbacks->callbacks[i];
		bool slot = callback->kind < INV_CALLBACK_ARRAYS || callback->kind == INV_CALLBACK_WIN32;
		// A slot leads to the block that holds the routine; of an entry's two routines the first one counts.
		uint64_t to = slot ? callback->routine.address - ROUTINE_FUNCTION : callback->at;
		if ((!slot || callback->routine.address != callback->at) && stbds_hmgeti(judging->registered, to) < 0)
			stbds_hmput(judging->registered, to, i);
	}
}

static bool observers_whole(const struct inv_callbacks *callbacks, enum inv_callback_kind kind)
{
	bool met = false;
	for (size_t i = 0; i < inv_count(callbacks->observers); i++) {
		const struct inv_observer_list *entry = &callbacks->observers[i];
		bool mine = entry->kind == kind || (kind == INV_CALLBACK_SHUTDOWN && entry->kind == INV_CALLBACK_LAST_SHUTDOWN);
		if (mine && (!entry->head.ok || !entry->list.closed))
			return false;
		met = met || mine;
	}
	return met;
}

// Could all that might lead to such a block be read?
static bool lists_whole(const struct inv_callbacks *callbacks, const struct inv_callback_blocks *blocks,
                        const struct inv_callback_block *block)
{
	if (block->slot_block) {
		for (unsigned i = 0; i < INV_CALLBACK_ARRAYS; i++)
			if (!callbacks->arrays[i].address.ok || callbacks->arrays[i].why.reason != INV_PRESENT)
				return false;
		return !blocks->slots_unread;
	}
	if (block->callback.kind == INV_CALLBACK_REGISTRY)
		return callbacks->registry_head.ok && callbacks->registry.closed;
	if (block->callback.kind != INV_CALLBACK_OBJECT)
		return observers_whole(callbacks, block->callback.kind);
	for (size_t i = 0; i < inv_count(callbacks->types); i++)
		if (callbacks->types[i].address == block->callback.type)
			return callbacks->types[i].list.closed;
	return false;
}

// Do both of its neighbours lead back to this entry?
static bool is_linked(const struct inv_kernel *kernel, uint64_t entry)
{
	struct inv_value flink = inv_read_u64(kernel, entry), blink = inv_read_u64(kernel, entry + 8);
	struct inv_value back = flink.ok ? inv_read_u64(kernel, flink.u + 8) : flink;
	struct inv_value forth = blink.ok ? inv_read_u64(kernel, blink.u) : blink;
	return back.ok && forth.ok && back.u == entry && forth.u == entry && flink.u != entry;
}

struct slots {
	const struct inv_kernel *kernel;
	struct inv_callback_blocks *to;
	struct known_place *wanted; // stb_ds map: blocks that no list leads to, by address
};

static void look_at_slots(struct slots *slots, uint64_t address, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + 8 <= size; at += 8) {
		uint64_t value = inv_le64(bytes + at) & ~FAST_REFERENCES;
		ptrdiff_t known = is_kernel_address(value) ? stbds_hmgeti(slots->wanted, value) : -1;
		struct inv_callback_block *block = known >= 0 ? &slots->to->blocks[slots->wanted[known].value] : NULL;
		if (block && block->listed == INV_BLOCK_UNLISTED) {
			block->listed = INV_BLOCK_IN_SLOT;
			block->slot = address + at;
		}
	}
}

// Slots of other kinds lead to such blocks, too: of priorities, of what is to be written to disk early, of debuggers. All stand in
// the kernel's own data.
static void find_slots(struct slots *slots)
{
	struct inv_pe pe;
	if (!inv_pe_read(slots->kernel->space, slots->kernel->base, &pe, NULL)) {
		slots->to->slots_unread = true;
		return;
	}
	for (size_t i = 0; i < pe.section_count; i++) {
		const struct inv_pe_section *section = &pe.section[i];
		if (!section->writable || section->executable)
			continue;
		for (uint32_t at = 0; at < section->size && at < SECTION_MOST; at += PIECE) {
			uint8_t bytes[PIECE];
			uint32_t size = section->size - at < PIECE ? section->size - at : PIECE;
			uint64_t address = slots->kernel->base + section->rva + at;
			size_t got = inv_space_read(slots->kernel->space, address, bytes, size, NULL);
			look_at_slots(slots, address, bytes, got);
			slots->to->slots_unread = slots->to->slots_unread || got < size;
		}
	}
}

// Not by a list that leads past it, for which it need not be read to its end.
static bool may_be_listed(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                          const struct inv_callback_blocks *blocks, const struct inv_callback_block *block)
{
	uint64_t entry = block->callback.at;
	if (!entry || block->target_device || (!block->slot_block && inv_list_leads_past(kernel, entry)))
		return false;
	return !lists_whole(callbacks, blocks, block);
}

static void find_links(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                       struct inv_callback_blocks *to)
{
	struct slots slots = {.kernel = kernel, .to = to};
	for (size_t i = 0; i < inv_count(to->blocks); i++) {
		struct inv_callback_block *block = &to->blocks[i];
		if (block->slot_block && block->listed == INV_BLOCK_UNLISTED && block->callback.at)
			stbds_hmput(slots.wanted, block->callback.at, i);
	}
	if (stbds_hmlen(slots.wanted))
		find_slots(&slots);
	stbds_hmfree(slots.wanted);
	for (size_t i = 0; i < inv_count(to->blocks); i++) {
		struct inv_callback_block *block = &to->blocks[i];
		if (block->listed != INV_BLOCK_UNLISTED)
			continue;
		if (!block->slot_block && block->callback.at && is_linked(kernel, block->callback.at))
			block->listed = INV_BLOCK_LINKED;
		else if (may_be_listed(kernel, callbacks, to, block))
			block->listed = INV_BLOCK_LISTS_UNREAD;
	}
}

static unsigned order_of(const struct inv_callback_block *block)
{
	unsigned tag = 0;
	while (tag < INV_CALLBACK_TAGS - 1 && inv_callback_tags[tag] != inv_le32(block->tag))
		tag++;
	return tag;
}

static int compare(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

static int by_tag(const void *a, const void *b)
{
	const struct inv_callback_block *left = a, *right = b;
	bool first = left->listed == INV_BLOCK_LISTED, second = right->listed == INV_BLOCK_LISTED;
	int order = compare(order_of(left), order_of(right));
	if (!order)
		order = compare(second, first);
	if (!order && first)
		order = compare(left->registered, right->registered);
	if (!order)
		order = compare(left->physical, right->physical);
	return order ? order : compare(left->callback.at, right->callback.at);
}

void inv_callback_blocks_read(const struct inv_kernel *kernel, const struct inv_callbacks *callbacks,
                              const struct inv_callback_place *places, size_t count, struct inv_callback_blocks *blocks)
{
	*blocks = (struct inv_callback_blocks){0};
	struct judging judging = {.kernel = kernel, .callbacks = callbacks, .to = blocks};
	note_registered(&judging);
	for (size_t i = 0; i < count && !blocks->cut; i++) {
		judge_place(&judging, &places[i]);
		blocks->cut = inv_count(blocks->blocks) >= INV_CALLBACK_BLOCKS_MOST || blocks->looked_at >= PLACES_MOST;
	}
	stbds_hmfree(judging.registered);
	find_links(kernel, callbacks, blocks);
	if (inv_count(blocks->blocks) > 1)
		qsort(blocks->blocks, inv_count(blocks->blocks), sizeof *blocks->blocks, by_tag);
}

void inv_callback_blocks_free(struct inv_callback_blocks *blocks)
{
	inv_array_free(blocks->blocks);
	*blocks = (struct inv_callback_blocks){0};
}
