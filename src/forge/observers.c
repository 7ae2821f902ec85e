// SPDX-License-Identifier: Apache-2.0
// What is registered with the kernel to be told of other things than processes: bug checks, shut-down, file systems, debug prints,
// devices. KBUGCHECK_CALLBACK_RECORD and KBUGCHECK_REASON_CALLBACK_RECORD are declared in wdm.h; how their checksum is made, and what
// the other lists link, is public practice (ReactOS; Volatility 3; WinObjEx64; the same for all builds that they know). That
// PnpDeviceClassNotifyList is 13 lists is what the symbol tables leave room for; which of them an entry gets is the forge's choice.
#include <string.h>

#include "base/bytes.h"
#include "forge/machine.h"

#define RECORD_SIZE 0x40u // both kinds
#define RECORD_ROUTINE 0x10u
#define RECORD_BUFFER 0x18u
#define RECORD_LENGTH 0x20u
#define RECORD_COMPONENT 0x28u
#define RECORD_CHECKSUM 0x30u
#define RECORD_STATE 0x38u
#define REASON_COMPONENT 0x18u
#define REASON_CHECKSUM 0x20u
#define REASON_REASON 0x28u
#define REASON_STATE 0x2cu
#define BUFFER_INSERTED 1u
#define REASON_SECONDARY_DUMP 2u
#define REASON_ADD_PAGES 4u

#define SHUTDOWN_SIZE 0x18u // LIST_ENTRY, device
#define SHUTDOWN_DEVICE 0x10u
#define FILE_SYSTEM_SIZE 0x20u // LIST_ENTRY, driver, routine
#define FILE_SYSTEM_DRIVER 0x10u
#define FILE_SYSTEM_ROUTINE 0x18u
#define PRINT_SIZE 0x28u // flags, EX_RUNDOWN_REF, routine, LIST_ENTRY
#define PRINT_ROUTINE 0x10u
#define PRINT_LINKS 0x18u
#define PROFILE_SIZE                                                                                                   \
	0x50u // what all entries of plug and play begin with; a class has its GUID behind it, a target file and device
#define CLASS_SIZE 0x60u
#define TARGET_SIZE 0x70u
#define NODE_SIZE                                                                                                      \
	0x200u // DEVICE_NODE, in which the list of those told of its device stands; where is the forge's choice
#define NODE_NOTIFY 0x1d8u
#define NOTIFY_CATEGORY 0x10u
#define NOTIFY_ROUTINE 0x20u
#define NOTIFY_DRIVER 0x30u
#define CLASS_LISTS 13u

#define DRIVER_SIZE 0x150u // as every x64 symbol table has it
#define DRIVER_TYPE 4u     // IO_TYPE_DRIVER, IO_TYPE_DEVICE (wdm.h)
#define DEVICE_SIZE 0x150u
#define DEVICE_TYPE 3u
#define MAJOR_FUNCTIONS 28u
#define MAJOR_SHUTDOWN 0x10u // IRP_MJ_SHUTDOWN (wdm.h)

// -- drivers and their devices ----------------------------------------------------------------------------------------------

static const char *plain_name(struct inv_machine *machine, const struct inv_forge_module *module)
{
	const char *dot = strrchr(module->name, '.');
	return inv_arena_printf(machine->arena, "%.*s", dot ? (int)(dot - module->name) : (int)strlen(module->name),
	                        module->name);
}

static uint64_t make_named(struct inv_machine *machine, uint32_t size, const char tag[5], enum inv_forge_type type,
                           const char *type_name, const char *name)
{
	if (!machine->types[type])
		(void)inv_machine_make_type(machine, type_name, (uint8_t)type);
	uint64_t object =
	    inv_machine_named_object(machine, size, tag, (uint8_t)type, INV_HEADER_QUOTA | INV_HEADER_NAME, name);
	inv_machine_put(machine, inv_machine_header(machine, object), INV_F_OBJECT_HEADER_HandleCount, 0);
	return object;
}

// A driver whose requests all fail but that of shut-down, and one device of it. Both are made with the first use.
static void make_driver(struct inv_machine *machine, struct inv_forge_module *module)
{
	bool old = machine->build < 9200;
	const char *name = plain_name(machine, module);
	if (!machine->invalid_request)
		machine->invalid_request = inv_machine_routine(machine, &machine->modules[0]);
	uint64_t driver = module->driver = make_named(machine, inv_machine_size(machine, INV_T_DRIVER_OBJECT, DRIVER_SIZE),
	                                              old ? "Dri\xf6" : "Driv", INV_FORGE_DRIVER, "Driver", name);
	uint64_t device = module->device = make_named(machine, inv_machine_size(machine, INV_T_DEVICE_OBJECT, DEVICE_SIZE),
	                                              old ? "Dev\xe9" : "Devi", INV_FORGE_DEVICE, "Device", name);
	inv_machine_put(machine, driver, INV_F_DRIVER_OBJECT_Type, DRIVER_TYPE);
	inv_machine_put(machine, driver, INV_F_DRIVER_OBJECT_Size, DRIVER_SIZE);
	inv_machine_put(machine, driver, INV_F_DRIVER_OBJECT_DeviceObject, device);
	inv_machine_put(machine, driver, INV_F_DRIVER_OBJECT_DriverStart, module->base);
	inv_machine_put(machine, driver, INV_F_DRIVER_OBJECT_DriverSize, module->size);
	inv_machine_unicode(machine, inv_machine_at(machine, driver, INV_F_DRIVER_OBJECT_DriverName),
	                    inv_arena_printf(machine->arena, "\\Driver\\%s", name));
	uint64_t functions = inv_machine_at(machine, driver, INV_F_DRIVER_OBJECT_MajorFunction);
	for (unsigned i = 0; i < MAJOR_FUNCTIONS; i++)
		inv_machine_put64(machine, functions + (uint64_t)8 * i, machine->invalid_request);
	inv_machine_put(machine, device, INV_F_DEVICE_OBJECT_Type, DEVICE_TYPE);
	inv_machine_put(machine, device, INV_F_DEVICE_OBJECT_Size, DEVICE_SIZE);
	inv_machine_put(machine, device, INV_F_DEVICE_OBJECT_DriverObject, driver);
}

static bool has_drivers(const struct inv_machine *machine)
{
	return inv_machine_has(machine, INV_F_DEVICE_OBJECT_DriverObject) &&
	       inv_machine_has(machine, INV_F_DRIVER_OBJECT_MajorFunction) &&
	       inv_machine_has(machine, INV_F_DRIVER_OBJECT_DriverName);
}

// -- registrations ----------------------------------------------------------------------------------------------------------

static const struct {
	enum inv_forge_watch kind;
	enum inv_symbol head;
} heads[] = {
    {INV_WATCH_BUG_CHECK, INV_S_KeBugCheckCallbackListHead},
    {INV_WATCH_BUG_CHECK_REASON, INV_S_KeBugCheckReasonCallbackListHead},
    {INV_WATCH_BUG_CHECK_PAGES, INV_S_KeBugCheckAddRemovePagesCallbackListHead},
    {INV_WATCH_SHUTDOWN, INV_S_IopNotifyShutdownQueueHead},
    {INV_WATCH_LAST_SHUTDOWN, INV_S_IopNotifyLastChanceShutdownQueueHead},
    {INV_WATCH_FILE_SYSTEM, INV_S_IopFsNotifyChangeQueueHead},
    {INV_WATCH_DEBUG_PRINT, INV_S_RtlpDebugPrintCallbackList},
    {INV_WATCH_PROFILE, INV_S_PnpProfileNotifyList},
    {INV_WATCH_DEVICE_CLASS, INV_S_PnpDeviceClassNotifyList},
    {INV_WATCH_SOFT_RESTART, INV_S_PnpKsrNotifyList},
};

// The list of the one device of which drivers are told.
static uint64_t device_list(struct inv_machine *machine)
{
	if (!machine->device_notify) {
		machine->device_notify = inv_machine_pool(machine, &machine->pool, NODE_SIZE, "Dnod") + NODE_NOTIFY;
		inv_machine_list_init(machine, machine->device_notify);
	}
	return machine->device_notify;
}

static uint64_t head_of(struct inv_machine *machine, enum inv_forge_watch kind)
{
	if (kind == INV_WATCH_TARGET_DEVICE)
		return device_list(machine);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (heads[i].kind == kind)
			return inv_machine_symbol(machine, heads[i].head);
	return 0;
}

// The name by which the driver registers, as text that ends with a zero byte.
static uint64_t put_component(struct inv_machine *machine, const char *name)
{
	uint64_t at = inv_machine_pool(machine, &machine->pool, (uint32_t)strlen(name) + 1, "Comp");
	inv_machine_write(machine, at, name, strlen(name) + 1);
	return at;
}

static uint64_t bug_check_record(struct inv_machine *machine, uint64_t routine, const char *name)
{
	uint64_t record = inv_machine_pool(machine, &machine->pool, RECORD_SIZE, "KbCb");
	uint64_t buffer = inv_machine_pool(machine, &machine->pool, 0x40, "KbBf"), component = put_component(machine, name);
	uint8_t length[4], state = BUFFER_INSERTED;
	inv_put32(length, 0x40);
	inv_machine_put64(machine, record + RECORD_ROUTINE, routine);
	inv_machine_put64(machine, record + RECORD_BUFFER, buffer);
	inv_machine_write(machine, record + RECORD_LENGTH, length, sizeof length);
	inv_machine_put64(machine, record + RECORD_COMPONENT, component);
	inv_machine_put64(machine, record + RECORD_CHECKSUM, routine + buffer + 0x40 + component);
	inv_machine_write(machine, record + RECORD_STATE, &state, 1);
	return record;
}

static uint64_t reason_record(struct inv_machine *machine, uint64_t routine, const char *name, uint32_t reason)
{
	uint64_t record = inv_machine_pool(machine, &machine->pool, RECORD_SIZE, "KbRc");
	uint64_t component = put_component(machine, name);
	uint8_t bytes[4], state = BUFFER_INSERTED;
	inv_put32(bytes, reason);
	inv_machine_put64(machine, record + RECORD_ROUTINE, routine);
	inv_machine_put64(machine, record + REASON_COMPONENT, component);
	inv_machine_put64(machine, record + REASON_CHECKSUM, routine + reason + component);
	inv_machine_write(machine, record + REASON_REASON, bytes, sizeof bytes);
	inv_machine_write(machine, record + REASON_STATE, &state, 1);
	return record;
}

// Blocks of paged pool have an index of their own there, from 1 on. (Public practice.)
static uint64_t notify_entry(struct inv_machine *machine, const struct inv_forge_module *module, uint64_t routine,
                             const char tag[5], uint32_t category)
{
	uint32_t size = category == 2 ? CLASS_SIZE : category == 3 ? TARGET_SIZE : PROFILE_SIZE;
	uint64_t entry = inv_machine_pool(machine, &machine->paged, size, tag);
	uint8_t bytes[4], index = 1;
	inv_put32(bytes, category);
	inv_machine_write(machine, entry - 0x10 + 1, &index, 1);
	inv_machine_write(machine, entry + NOTIFY_CATEGORY, bytes, sizeof bytes);
	inv_machine_put64(machine, entry + NOTIFY_ROUTINE, routine);
	inv_machine_put64(machine, entry + NOTIFY_DRIVER, module->driver);
	return entry;
}

static uint64_t shutdown_routine(struct inv_machine *machine, struct inv_forge_module *module)
{
	uint64_t slot =
	    inv_machine_at(machine, module->driver, INV_F_DRIVER_OBJECT_MajorFunction) + (uint64_t)8 * MAJOR_SHUTDOWN;
	if (!module->shuts_down)
		module->shuts_down = inv_machine_routine(machine, module);
	if (module->shuts_down)
		inv_machine_put64(machine, slot, module->shuts_down);
	return slot;
}

bool inv_machine_observe(struct inv_machine *machine, enum inv_forge_watch kind, struct inv_forge_module *module)
{
	uint64_t head = head_of(machine, kind), links = 0, pointer = 0, behind = 0; // of the links in their block
	bool by_device = kind == INV_WATCH_SHUTDOWN || kind == INV_WATCH_LAST_SHUTDOWN;
	const char *name = plain_name(machine, module), *of = name;
	if (!head || !has_drivers(machine))
		return false;
	if (!module->driver)
		make_driver(machine, module);
	uint64_t routine = by_device ? 0 : inv_machine_routine(machine, module);
	uint64_t slot = by_device ? shutdown_routine(machine, module) : 0;
	routine = by_device ? module->shuts_down : routine;
	if (!routine)
		return false;
	switch ((int)kind) {
	case INV_WATCH_BUG_CHECK:
		links = bug_check_record(machine, routine, name);
		pointer = links + RECORD_ROUTINE;
		break;
	case INV_WATCH_BUG_CHECK_REASON:
	case INV_WATCH_BUG_CHECK_PAGES:
		links = reason_record(machine, routine, name,
		                      kind == INV_WATCH_BUG_CHECK_PAGES ? REASON_ADD_PAGES : REASON_SECONDARY_DUMP);
		pointer = links + RECORD_ROUTINE;
		break;
	case INV_WATCH_SHUTDOWN:
	case INV_WATCH_LAST_SHUTDOWN:
		links = inv_machine_pool(machine, &machine->pool, SHUTDOWN_SIZE, "IoSh");
		inv_machine_put64(machine, links + SHUTDOWN_DEVICE, module->device);
		pointer = slot;
		break;
	case INV_WATCH_FILE_SYSTEM:
		links = inv_machine_pool(machine, &machine->paged, FILE_SYSTEM_SIZE, "IoFs");
		inv_machine_put64(machine, links + FILE_SYSTEM_DRIVER, module->driver);
		pointer = links + FILE_SYSTEM_ROUTINE;
		inv_machine_put64(machine, pointer, routine);
		break;
	case INV_WATCH_DEBUG_PRINT:
		links = inv_machine_pool(machine, &machine->pool, PRINT_SIZE, "DbCb") + PRINT_LINKS;
		behind = PRINT_LINKS;
		pointer = links - behind + PRINT_ROUTINE;
		inv_machine_put64(machine, pointer, routine);
		of = NULL; // nothing says who it is
		break;
	case INV_WATCH_PROFILE:
		links = notify_entry(machine, module, routine, "Pnp9", 1);
		pointer = links + NOTIFY_ROUTINE;
		break;
	case INV_WATCH_DEVICE_CLASS:
		links = notify_entry(machine, module, routine, "PnpD", 2);
		head += (uint64_t)0x10 * (routine / INV_FORGE_ROUTINE_SIZE % CLASS_LISTS);
		pointer = links + NOTIFY_ROUTINE;
		break;
	case INV_WATCH_TARGET_DEVICE:
		links = notify_entry(machine, module, routine, "PnpC", 3);
		pointer = links + NOTIFY_ROUTINE;
		break;
	default:
		links = notify_entry(machine, module, routine, "PnpK", 4);
		pointer = links + NOTIFY_ROUTINE;
		break;
	}
	inv_machine_list_append(machine, head, links);
	inv_push(machine->watchers, ((struct inv_forge_watcher){.kind = kind,
	                                                        .at = links,
	                                                        .block = links - behind,
	                                                        .routine = routine,
	                                                        .pointer = pointer,
	                                                        .module = module->name,
	                                                        .owner = of}));
	return true;
}

bool inv_machine_is_observer(enum inv_forge_watch kind)
{
	return kind >= INV_WATCH_BUG_CHECK && kind != INV_WATCH_OTHER_SLOT;
}

void inv_machine_make_observers(struct inv_machine *machine)
{
	static const struct {
		enum inv_forge_watch kind;
		const char *module;
	} first[] = {
	    {INV_WATCH_BUG_CHECK, "NDIS.SYS"},      {INV_WATCH_BUG_CHECK_REASON, "dxgkrnl.sys"},
	    {INV_WATCH_BUG_CHECK_PAGES, "hal.dll"}, {INV_WATCH_SHUTDOWN, "ACPI.sys"},
	    {INV_WATCH_LAST_SHUTDOWN, "pci.sys"},   {INV_WATCH_FILE_SYSTEM, "FLTMGR.SYS"},
	    {INV_WATCH_DEVICE_CLASS, "win32k.sys"}, {INV_WATCH_DEVICE_CLASS, "dxgkrnl.sys"},
	    {INV_WATCH_PROFILE, "ACPI.sys"},
	};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		uint64_t head = inv_machine_symbol(machine, heads[i].head);
		unsigned lists = heads[i].kind == INV_WATCH_DEVICE_CLASS ? CLASS_LISTS : 1;
		for (unsigned k = 0; head && k < lists; k++)
			inv_machine_list_init(machine, head + (uint64_t)0x10 * k);
	}
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		(void)inv_machine_observe(machine, first[i].kind, inv_machine_module(machine, first[i].module));
}
