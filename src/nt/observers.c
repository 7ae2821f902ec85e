// SPDX-License-Identifier: Apache-2.0
#include "nt/observers.h"

#include <string.h>

#include "base/array.h"
#include "base/text.h"

#define RECORD_ROUTINE 0x10u // KBUGCHECK_CALLBACK_RECORD
#define RECORD_BUFFER 0x18u
#define RECORD_LENGTH 0x20u
#define RECORD_COMPONENT 0x28u
#define RECORD_CHECKSUM 0x30u
#define RECORD_STATE 0x38u
#define REASON_COMPONENT 0x18u // KBUGCHECK_REASON_CALLBACK_RECORD
#define REASON_CHECKSUM 0x20u
#define REASON_REASON 0x28u
#define REASON_STATE 0x2cu
#define BUFFER_INSERTED 1u // KBUGCHECK_BUFFER_DUMP_STATE (wdm.h)

#define SHUTDOWN_DEVICE 0x10u
#define MAJOR_SHUTDOWN 0x10u // IRP_MJ_SHUTDOWN (wdm.h)
#define FILE_SYSTEM_DRIVER 0x10u
#define FILE_SYSTEM_ROUTINE 0x18u
#define PRINT_ROUTINE 0x08u // beneath the links
#define NOTIFY_CATEGORY 0x10u
#define NOTIFY_ROUTINE 0x20u
#define NOTIFY_DRIVER 0x30u
#define CLASS_LISTS 13u
#define LINKS_SIZE 0x10u

#define LIST_BOUND ((size_t)1024) // far above what any machine registers
#define COMPONENT_SIZE 64u

struct observing {
	const struct inv_kernel *kernel;
	struct inv_callbacks *to;
};

// -- who it is --------------------------------------------------------------------------------------------------------------

// A driver's name for itself; it ends with a zero byte or where the room ends.
static const char *component_at(const struct observing *observing, const struct inv_value *pointer)
{
	char text[COMPONENT_SIZE];
	if (!pointer->ok || !pointer->u)
		return NULL;
	size_t got = inv_space_read(observing->kernel->space, pointer->u, text, sizeof text - 1, NULL);
	return got && *text ? inv_bytes_to_utf8(observing->to->arena, text, got) : NULL;
}

static const char *driver_name(const struct observing *observing, const struct inv_value *driver)
{
	uint64_t at;
	struct inv_value value;
	if (!driver->ok || !driver->u ||
	    !inv_field_address(observing->kernel, driver->u, INV_F_DRIVER_OBJECT_DriverName, &at))
		return NULL;
	const char *name = inv_read_unicode(observing->kernel, at, observing->to->arena, &value);
	return value.ok && *name ? name : NULL;
}

// -- the entries ------------------------------------------------------------------------------------------------------------

// The state is written last when it is registered, and what the kernel calls has this one alone.
static const char *state_note(const struct inv_value *state, const struct inv_value *checksum, uint64_t sum)
{
	if (state->ok && (state->u & 0xff) != BUFFER_INSERTED)
		return "its state is not that of a registered one: the kernel passes it over";
	if (checksum->ok && checksum->u != sum)
		return "its checksum is wrong: the kernel passes it over";
	return NULL;
}

static void read_bug_check(const struct observing *observing, struct inv_callback *callback)
{
	const struct inv_kernel *kernel = observing->kernel;
	uint64_t at = callback->at;
	struct inv_value buffer = inv_read_u64(kernel, at + RECORD_BUFFER);
	struct inv_value length = inv_read_u32(kernel, at + RECORD_LENGTH);
	struct inv_value component = inv_read_u64(kernel, at + RECORD_COMPONENT);
	struct inv_value checksum = inv_read_u64(kernel, at + RECORD_CHECKSUM);
	struct inv_value state = inv_read_u32(kernel, at + RECORD_STATE);
	callback->routine = inv_read_u64(kernel, at + RECORD_ROUTINE);
	callback->name = component_at(observing, &component);
	if (callback->routine.ok && buffer.ok && length.ok && component.ok)
		callback->note = state_note(&state, &checksum, callback->routine.u + buffer.u + length.u + component.u);
}

// KBUGCHECK_CALLBACK_REASON (wdm.h)
static const char *reason_name(const struct inv_value *reason)
{
	static const char *const names[] = {"invalid",      "reserved",         "secondary dump data",
	                                    "dump I/O",     "add pages",        "secondary dump data in parts",
	                                    "remove pages", "triage dump data", "reserved"};
	if (!reason->ok)
		return NULL;
	return reason->u < sizeof names / sizeof *names ? names[reason->u] : "not defined";
}

static void read_reason(const struct observing *observing, struct inv_callback *callback)
{
	const struct inv_kernel *kernel = observing->kernel;
	uint64_t at = callback->at;
	struct inv_value component = inv_read_u64(kernel, at + REASON_COMPONENT);
	struct inv_value checksum = inv_read_u64(kernel, at + REASON_CHECKSUM);
	struct inv_value reason = inv_read_u32(kernel, at + REASON_REASON);
	struct inv_value state = inv_read_u32(kernel, at + REASON_STATE);
	callback->routine = inv_read_u64(kernel, at + RECORD_ROUTINE);
	callback->name = component_at(observing, &component);
	callback->detail = reason_name(&reason);
	if (callback->routine.ok && reason.ok && component.ok)
		callback->note = state_note(&state, &checksum, callback->routine.u + reason.u + component.u);
}

// The kernel sends the device an IRP of IRP_MJ_SHUTDOWN: what is called is its driver's routine for it.
static void read_shutdown(const struct observing *observing, struct inv_callback *callback)
{
	const struct inv_kernel *kernel = observing->kernel;
	struct inv_value device = inv_read_u64(kernel, callback->at + SHUTDOWN_DEVICE), driver = device;
	uint64_t functions;
	if (device.ok)
		driver = inv_field(kernel, device.u, INV_F_DEVICE_OBJECT_DriverObject);
	callback->routine = driver;
	callback->name = driver_name(observing, &driver);
	if (!driver.ok)
		return;
	if (inv_field_address(kernel, driver.u, INV_F_DRIVER_OBJECT_MajorFunction, &functions))
		callback->routine = inv_read_u64(kernel, functions + 8ull * MAJOR_SHUTDOWN);
	else
		callback->routine = inv_field(kernel, driver.u, INV_F_DRIVER_OBJECT_MajorFunction);
}

static void read_file_system(const struct observing *observing, struct inv_callback *callback)
{
	struct inv_value driver = inv_read_u64(observing->kernel, callback->at + FILE_SYSTEM_DRIVER);
	callback->routine = inv_read_u64(observing->kernel, callback->at + FILE_SYSTEM_ROUTINE);
	callback->name = driver_name(observing, &driver);
}

static void read_print(const struct observing *observing, struct inv_callback *callback)
{
	callback->routine = inv_read_u64(observing->kernel, callback->at - PRINT_ROUTINE);
}

// IO_NOTIFICATION_EVENT_CATEGORY (wdm.h); the last one is what Volatility 3 calls it.
static uint64_t category_of(enum inv_callback_kind kind)
{
	return kind == INV_CALLBACK_PROFILE ? 1 : kind == INV_CALLBACK_DEVICE_CLASS ? 2 : 4;
}

static void read_notify(const struct observing *observing, struct inv_callback *callback)
{
	const struct inv_kernel *kernel = observing->kernel;
	struct inv_value driver = inv_read_u64(kernel, callback->at + NOTIFY_DRIVER);
	struct inv_value category = inv_read_u32(kernel, callback->at + NOTIFY_CATEGORY);
	callback->routine = inv_read_u64(kernel, callback->at + NOTIFY_ROUTINE);
	callback->name = driver_name(observing, &driver);
	if (category.ok && category.u != category_of(callback->kind))
		callback->note = "its category is not that of its list";
}

// -- the lists --------------------------------------------------------------------------------------------------------------

struct known_list {
	enum inv_callback_kind kind;
	enum inv_symbol symbol;
	const char *name;
	unsigned lists;
	void (*read)(const struct observing *observing, struct inv_callback *callback);
};

static const struct known_list known_lists[] = {
    {INV_CALLBACK_BUG_CHECK, INV_S_KeBugCheckCallbackListHead, "KeBugCheckCallbackListHead", 1, read_bug_check},
    {INV_CALLBACK_BUG_CHECK_REASON, INV_S_KeBugCheckReasonCallbackListHead, "KeBugCheckReasonCallbackListHead", 1,
     read_reason},
    {INV_CALLBACK_BUG_CHECK_PAGES, INV_S_KeBugCheckAddRemovePagesCallbackListHead,
     "KeBugCheckAddRemovePagesCallbackListHead", 1, read_reason},
    {INV_CALLBACK_SHUTDOWN, INV_S_IopNotifyShutdownQueueHead, "IopNotifyShutdownQueueHead", 1, read_shutdown},
    {INV_CALLBACK_LAST_SHUTDOWN, INV_S_IopNotifyLastChanceShutdownQueueHead, "IopNotifyLastChanceShutdownQueueHead", 1,
     read_shutdown},
    {INV_CALLBACK_FILE_SYSTEM, INV_S_IopFsNotifyChangeQueueHead, "IopFsNotifyChangeQueueHead", 1, read_file_system},
    {INV_CALLBACK_DEBUG_PRINT, INV_S_RtlpDebugPrintCallbackList, "RtlpDebugPrintCallbackList", 1, read_print},
    {INV_CALLBACK_PROFILE, INV_S_PnpProfileNotifyList, "PnpProfileNotifyList", 1, read_notify},
    {INV_CALLBACK_DEVICE_CLASS, INV_S_PnpDeviceClassNotifyList, "PnpDeviceClassNotifyList", CLASS_LISTS, read_notify},
    {INV_CALLBACK_SOFT_RESTART, INV_S_PnpKsrNotifyList, "PnpKsrNotifyList", 1, read_notify},
};

static bool is_unset(const struct inv_list *list)
{
	return list->head_flink.ok && list->head_blink.ok && !list->head_flink.u && !list->head_blink.u;
}

static void read_one(const struct observing *observing, const struct known_list *known, unsigned index,
                     unsigned *number)
{
	struct inv_callbacks *to = observing->to;
	struct inv_observer_list entry = {.kind = known->kind, .name = known->name};
	entry.head = inv_kernel_symbol(observing->kernel, known->symbol, NULL);
	// A kernel whose symbols are known and that has no such list is no gap.
	if (!entry.head.ok && observing->kernel->rva && entry.head.why.reason == INV_NO_SYMBOL)
		return;
	if (known->lists > 1)
		entry.name = inv_arena_printf(to->arena, "%s[%u]", known->name, index);
	if (entry.head.ok) {
		inv_list_walk(observing->kernel, to->arena, entry.name, entry.head.u + (uint64_t)LINKS_SIZE * index, LIST_BOUND,
		              &entry.list);
		entry.unset = is_unset(&entry.list);
	}
	for (size_t i = 0; !entry.unset && i < entry.list.count; i++) {
		struct inv_callback callback = {.kind = known->kind, .slot = (*number)++, .at = entry.list.nodes[i].entry};
		known->read(observing, &callback);
		inv_callbacks_add(observing->kernel, to, callback);
	}
	inv_push(to->observers, entry);
}

void inv_observers_read(const struct inv_kernel *kernel, struct inv_callbacks *callbacks)
{
	struct observing observing = {kernel, callbacks};
	for (size_t i = 0; i < sizeof known_lists / sizeof *known_lists; i++) {
		unsigned number = 0;
		for (unsigned k = 0; k < known_lists[i].lists; k++)
			read_one(&observing, &known_lists[i], k, &number);
	}
}
