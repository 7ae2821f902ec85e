// SPDX-License-Identifier: Apache-2.0
// (Fields: type information of the kernel's PDB. IoState is what IoGetContainerInformation answers, which is documented; ActiveConsoleId
// is documented with WTSGetActiveConsoleSessionId. Which state the services' session has is not verified.)
#include "forge/session.h"

#include "base/bytes.h"
#include "forge/silo.h"

#define PAGE INV_RAM_PAGE
#define SESSION_SIZE 0x2000u       // where the type is not known
#define SESSION_ID 0x08u           // _MM_SESSION_SPACE.SessionId, every x64 build to 22000
#define SESSION_PROCESS_LIST 0x10u // _MM_SESSION_SPACE.ProcessList
#define SHARED_DATA 0xfffff78000000000u
#define SILO_DATA_SIZE 0x270u // _SILO_USER_SHARED_DATA, the largest that is known

struct inv_forge_session *inv_machine_session(struct inv_machine *machine, uint32_t id)
{
	for (size_t i = 0; i < inv_count(machine->sessions); i++)
		if (machine->sessions[i]->id == id)
			return machine->sessions[i];
	struct inv_forge_session *session = inv_alloc(sizeof *session);
	session->id = id;
	uint64_t size = inv_machine_size(machine, INV_T_MM_SESSION_SPACE, SESSION_SIZE);
	session->address = inv_region_take(machine, &machine->stacks, (size + PAGE - 1) / PAGE * PAGE, PAGE);
	uint8_t bytes[4];
	inv_put32(bytes, id);
	inv_machine_write(machine, session->address + SESSION_ID, bytes, sizeof bytes);
	session->head = session->address + SESSION_PROCESS_LIST;
	inv_machine_list_init(machine, session->head);
	inv_machine_put(machine, session->address, INV_F_MM_SESSION_SPACE_ReferenceCount, 1);
	inv_session_set_state(machine, session, id ? INV_SESSION_LOGGED_ON : INV_SESSION_INITIALIZED);
	inv_push(machine->sessions, session);
	return session;
}

void inv_session_refer(struct inv_machine *machine, const struct inv_forge_session *session, int step)
{
	static const enum inv_field counts[] = {INV_F_MM_SESSION_SPACE_ReferenceCount,
	                                        INV_F_MM_SESSION_SPACE_ProcessReferenceToSession};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		inv_machine_put(machine, session->address, counts[i],
		                inv_machine_get(machine, session->address, counts[i]) + (uint64_t)(int64_t)step);
}

void inv_session_set_state(struct inv_machine *machine, const struct inv_forge_session *session, unsigned state)
{
	inv_machine_put(machine, session->address, INV_F_MM_SESSION_SPACE_IoState, state);
}

void inv_machine_set_console(struct inv_machine *machine, uint32_t id)
{
	inv_machine_put(machine, SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId, id);
}

bool inv_silo_set_sessions(struct inv_machine *machine, uint64_t silo, uint32_t services, uint32_t console)
{
	uint64_t globals = inv_machine_silo_globals(machine, silo);
	if (!globals || !silo || !inv_machine_has(machine, INV_F_SILO_USER_SHARED_DATA_ServiceSessionId))
		return false;
	uint64_t data = inv_machine_get(machine, globals, INV_F_ESERVERSILO_GLOBALS_UserSharedData);
	if (!data) {
		uint32_t size = inv_machine_size(machine, INV_T_SILO_USER_SHARED_DATA, SILO_DATA_SIZE);
		data = inv_machine_pool(machine, &machine->paged, size, "SilU");
		inv_machine_put(machine, globals, INV_F_ESERVERSILO_GLOBALS_UserSharedData, data);
	}
	inv_machine_put(machine, data, INV_F_SILO_USER_SHARED_DATA_ServiceSessionId, services);
	inv_machine_put(machine, data, INV_F_SILO_USER_SHARED_DATA_ActiveConsoleId, console);
	return true;
}
