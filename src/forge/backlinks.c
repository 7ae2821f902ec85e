// SPDX-License-Identifier: Apache-2.0
// Ports, registrations, subscriptions and timers of processes. (Fields: type information of the kernel's PDB; which list holds what
// follows from the symbols' names and public practice. That a process that exits gives them back before its object is deleted is
// public practice too.)
#include "forge/backlinks.h"

#define APC_OBJECT 18u // KOBJECTS.ApcObject
#define PORT_SIZE 0x1d8u
#define COMMUNICATION_SIZE 0x50u
#define REGISTRATION_SIZE 0x70u
#define PROVIDER_SIZE 0x1a8u // _ETW_GUID_ENTRY is larger in some builds; what stands behind its fields is not read
#define NOTIFICATION_SIZE 0x88u
#define NODE_TYPE 0x905u // _WNF_NODE_HEADER: the type of process contexts (public practice)
#define TIMER_SIZE 0x138u

static void note(struct inv_machine *machine, enum inv_forge_backlink_kind kind, struct inv_forge_process *owner,
                 uint64_t object, uint64_t at, uint64_t entry)
{
	struct inv_forge_backlink link = {.kind = kind, .owner = owner, .object = object, .at = at, .entry = entry};
	inv_push(machine->backlinks, link);
}

// Appends to a list of the kernel, whose head is empty until somebody is on it. false: there is no such list.
static bool enter(struct inv_machine *machine, enum inv_symbol symbol, uint64_t entry)
{
	uint64_t head = inv_machine_symbol(machine, symbol);
	if (!head)
		return false;
	if (!inv_machine_get64(machine, head))
		inv_machine_list_init(machine, head);
	inv_machine_list_append(machine, head, entry);
	return true;
}

// The object type, made with the first object; a symbol leads to it.
static void need_type(struct inv_machine *machine, uint8_t index, const char *name, enum inv_symbol symbol)
{
	if (!machine->types[index])
		(void)inv_machine_make_type(machine, name, index);
	uint64_t at = inv_machine_symbol(machine, symbol);
	if (at)
		inv_machine_put64(machine, at, machine->types[index]);
}

static uint64_t new_object(struct inv_machine *machine, uint32_t size, const char tag[5], uint8_t type,
                           const char *name)
{
	unsigned mask = INV_HEADER_QUOTA | (name ? INV_HEADER_NAME : 0);
	uint64_t object = inv_machine_named_object(machine, size, tag, type, mask, name);
	inv_machine_put(machine, inv_machine_header(machine, object), INV_F_OBJECT_HEADER_HandleCount, 0);
	return object;
}

uint64_t inv_machine_make_port(struct inv_machine *machine, struct inv_forge_process *owner, const char *name)
{
	if (!inv_machine_has(machine, INV_F_ALPC_PORT_PortListEntry) ||
	    !inv_machine_has(machine, INV_F_ALPC_PORT_OwnerProcess) || !inv_machine_symbol(machine, INV_S_AlpcpPortList))
		return 0;
	need_type(machine, INV_FORGE_PORT, "ALPC Port", INV_S_AlpcPortObjectType);
	uint32_t size = inv_machine_size(machine, INV_T_ALPC_PORT, PORT_SIZE);
	uint64_t port = new_object(machine, size, "ALPC", INV_FORGE_PORT, name);
	uint64_t entry = inv_machine_at(machine, port, INV_F_ALPC_PORT_PortListEntry);
	uint32_t room = inv_machine_size(machine, INV_T_ALPC_COMMUNICATION_INFO, COMMUNICATION_SIZE);
	uint64_t communication = inv_machine_pool(machine, &machine->paged, room, "AlIn");
	inv_machine_put(machine, communication, INV_F_ALPC_COMMUNICATION_INFO_ConnectionPort, port);
	if (inv_machine_has(machine, INV_F_ALPC_COMMUNICATION_INFO_CommunicationList))
		inv_machine_list_init(machine,
		                      inv_machine_at(machine, communication, INV_F_ALPC_COMMUNICATION_INFO_CommunicationList));
	inv_machine_put(machine, port, INV_F_ALPC_PORT_CommunicationInfo, communication);
	inv_machine_put(machine, port, INV_F_ALPC_PORT_OwnerProcess, owner->address);
	enter(machine, INV_S_AlpcpPortList, entry);
	note(machine, INV_BACKLINK_PORT, owner, port, inv_machine_at(machine, port, INV_F_ALPC_PORT_OwnerProcess), entry);
	return port;
}

static uint64_t make_provider(struct inv_machine *machine)
{
	uint32_t size = inv_machine_size(machine, INV_T_ETW_GUID_ENTRY, PROVIDER_SIZE);
	uint64_t provider = inv_machine_pool(machine, &machine->pool, size, "EtwG");
	if (inv_machine_has(machine, INV_F_ETW_GUID_ENTRY_RegListHead))
		inv_machine_list_init(machine, inv_machine_at(machine, provider, INV_F_ETW_GUID_ENTRY_RegListHead));
	return provider;
}

uint64_t inv_machine_register_provider(struct inv_machine *machine, struct inv_forge_process *owner, uint64_t other)
{
	if (!inv_machine_has(machine, INV_F_ETW_REG_ENTRY_Process) ||
	    !inv_machine_has(machine, INV_F_ETW_REG_ENTRY_RegList) ||
	    !inv_machine_symbol(machine, INV_S_EtwpRegistrationObjectType))
		return 0;
	need_type(machine, INV_FORGE_REGISTRATION, "EtwRegistration", INV_S_EtwpRegistrationObjectType);
	uint32_t size = inv_machine_size(machine, INV_T_ETW_REG_ENTRY, REGISTRATION_SIZE);
	uint64_t object = new_object(machine, size, "EtwR", INV_FORGE_REGISTRATION, NULL);
	uint64_t provider = other ? inv_machine_get(machine, other, INV_F_ETW_REG_ENTRY_GuidEntry) : make_provider(machine);
	uint64_t entry = 0;
	if (inv_machine_has(machine, INV_F_ETW_GUID_ENTRY_RegListHead)) {
		entry = inv_machine_at(machine, object, INV_F_ETW_REG_ENTRY_RegList);
		inv_machine_list_append(machine, inv_machine_at(machine, provider, INV_F_ETW_GUID_ENTRY_RegListHead), entry);
	}
	inv_machine_put(machine, object, INV_F_ETW_REG_ENTRY_GuidEntry, provider);
	// Before Windows 8 without a bit of its own: the same bytes hold the routine of a registration by a driver.
	inv_machine_put(machine, object, INV_F_ETW_REG_ENTRY_Process, owner->address);
	inv_machine_put(machine, object, INV_F_ETW_REG_ENTRY_DbgUserRegistration, 1);
	(void)inv_machine_open(machine, owner, object, inv_machine_all_access(machine, object), 0);
	note(machine, INV_BACKLINK_REGISTRATION, owner, object,
	     inv_machine_at(machine, object, INV_F_ETW_REG_ENTRY_Process), entry);
	return object;
}

uint64_t inv_machine_subscribe(struct inv_machine *machine, struct inv_forge_process *owner)
{
	if (!inv_machine_has(machine, INV_F_WNF_PROCESS_CONTEXT_Process) ||
	    !inv_machine_has(machine, INV_F_WNF_PROCESS_CONTEXT_WnfProcessesListEntry) ||
	    !inv_machine_symbol(machine, INV_S_ExpWnfProcessesListHead))
		return 0;
	uint32_t size = inv_machine_size(machine, INV_T_WNF_PROCESS_CONTEXT, NOTIFICATION_SIZE);
	uint64_t context = inv_machine_pool(machine, &machine->paged, size, "Wnf ");
	inv_machine_put64(machine, context, (uint64_t)size << 16 | NODE_TYPE);
	inv_machine_put(machine, context, INV_F_WNF_PROCESS_CONTEXT_Process, owner->address);
	uint64_t entry = inv_machine_at(machine, context, INV_F_WNF_PROCESS_CONTEXT_WnfProcessesListEntry);
	enter(machine, INV_S_ExpWnfProcessesListHead, entry);
	inv_machine_put(machine, owner->address, INV_F_EPROCESS_WnfContext, context);
	note(machine, INV_BACKLINK_NOTIFICATION, owner, context,
	     inv_machine_at(machine, context, INV_F_WNF_PROCESS_CONTEXT_Process), entry);
	return context;
}

bool inv_machine_set_resolution(struct inv_machine *machine, struct inv_forge_process *owner)
{
	if (!inv_machine_has(machine, INV_F_EPROCESS_TimerResolutionLink))
		return false;
	uint64_t entry = inv_machine_at(machine, owner->address, INV_F_EPROCESS_TimerResolutionLink);
	if (inv_machine_get64(machine, entry) || !enter(machine, INV_S_ExpTimerResolutionListHead, entry))
		return false;
	note(machine, INV_BACKLINK_RESOLUTION, owner, 0, 0, entry);
	return true;
}

uint64_t inv_machine_set_timer(struct inv_machine *machine, struct inv_forge_thread *thread)
{
	uint64_t owner = thread->address;
	if (!inv_machine_has(machine, INV_F_ETIMER_TimerApc) ||
	    !inv_machine_has(machine, INV_F_ETIMER_ActiveTimerListEntry) || !inv_machine_has(machine, INV_F_KAPC_Thread) ||
	    !inv_machine_has(machine, INV_F_ETHREAD_ActiveTimerListHead))
		return 0;
	need_type(machine, INV_FORGE_TIMER, "Timer", INV_S_ExTimerObjectType);
	uint32_t size = inv_machine_size(machine, INV_T_ETIMER, TIMER_SIZE);
	uint64_t timer = new_object(machine, size, "Time", INV_FORGE_TIMER, NULL);
	uint64_t apc = inv_machine_at(machine, timer, INV_F_ETIMER_TimerApc);
	inv_machine_put(machine, apc, INV_F_KAPC_Type, APC_OBJECT);
	inv_machine_put(machine, apc, INV_F_KAPC_Thread, owner);
	uint64_t head = inv_machine_at(machine, owner, INV_F_ETHREAD_ActiveTimerListHead);
	uint64_t entry = inv_machine_at(machine, timer, INV_F_ETIMER_ActiveTimerListEntry);
	if (!inv_machine_get64(machine, head))
		inv_machine_list_init(machine, head);
	inv_machine_list_append(machine, head, entry);
	(void)inv_machine_open(machine, thread->process, timer, inv_machine_all_access(machine, timer), 0);
	note(machine, INV_BACKLINK_TIMER, thread->process, timer, inv_machine_at(machine, apc, INV_F_KAPC_Thread), entry);
	return timer;
}

// PspProcessDelete lets go of the exception port: until then the port stays, also when its owner has closed it. (That it leaves the list
// of ports with its owner's handle is not verified.)
static bool is_exception_port(const struct inv_machine *machine, uint64_t port)
{
	for (size_t i = 0; i < inv_count(machine->processes); i++) {
		const struct inv_forge_process *process = machine->processes[i];
		uint64_t own = inv_machine_get(machine, process->address, INV_F_EPROCESS_ExceptionPortData);
		if (!process->deleted && (own & ~UINT64_C(7)) == port)
			return true;
	}
	return false;
}

static void drop(struct inv_machine *machine, const struct inv_forge_backlink *link)
{
	if (link->entry)
		inv_machine_list_remove(machine, link->entry);
	if (link->kind == INV_BACKLINK_RESOLUTION)
		return;
	if (link->kind == INV_BACKLINK_NOTIFICATION) {
		inv_machine_put(machine, link->owner->address, INV_F_EPROCESS_WnfContext, 0);
		inv_machine_free_pool(machine, link->object);
		return;
	}
	inv_machine_close_to(machine, link->object);
	if (link->kind != INV_BACKLINK_PORT || !is_exception_port(machine, link->object))
		inv_machine_free_object(machine, link->object);
}

void inv_machine_drop_backlinks(struct inv_machine *machine, const struct inv_forge_process *process)
{
	size_t kept = 0;
	for (size_t i = 0; i < inv_count(machine->backlinks); i++) {
		struct inv_forge_backlink link = machine->backlinks[i];
		if (link.owner == process)
			drop(machine, &link);
		else
			machine->backlinks[kept++] = link;
	}
	if (machine->backlinks)
		stbds_arrsetlen(machine->backlinks, kept);
}
