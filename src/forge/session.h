// SPDX-License-Identifier: Apache-2.0
// Sessions: what the kernel records of them beside the list of their processes.
#ifndef INV_FORGE_SESSION_H
#define INV_FORGE_SESSION_H

#include "forge/machine.h"

// IO_SESSION_STATE (wdm.h of the Windows Driver Kit).
enum inv_forge_session_state {
	INV_SESSION_CREATED = 1,
	INV_SESSION_INITIALIZED,
	INV_SESSION_CONNECTED,
	INV_SESSION_DISCONNECTED,
	INV_SESSION_DISCONNECTED_LOGGED_ON,
	INV_SESSION_LOGGED_ON,
	INV_SESSION_LOGGED_OFF,
	INV_SESSION_TERMINATED,
};

#define INV_FORGE_CONSOLE 1u // the session that is attached to the console, unless a scenario says otherwise

// The session with this number, made now if nobody asked for it before: somebody is logged on to it.
struct inv_forge_session *inv_machine_session(struct inv_machine *machine, uint32_t id);
// One process more or less refers to it. (ReferenceCount and ProcessReferenceToSession. What else counts in them is not verified: the
// forge counts one for the session itself in the first, and nothing else in the second.)
void inv_session_refer(struct inv_machine *machine, const struct inv_forge_session *session, int step);
void inv_session_set_state(struct inv_machine *machine, const struct inv_forge_session *session, unsigned state);
// The session that is attached to the console; UINT32_MAX: none.
void inv_machine_set_console(struct inv_machine *machine, uint32_t id);
// What a silo's own globals say of its sessions. false: this kernel's do not.
bool inv_silo_set_sessions(struct inv_machine *machine, uint64_t silo, uint32_t services, uint32_t console);

#endif
