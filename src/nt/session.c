// SPDX-License-Identifier: Apache-2.0
#include "nt/session.h"

// IO_SESSION_STATE: wdm.h of the Windows Driver Kit, and the enumeration in the kernel's type information.
enum io_session_state {
	CREATED = 1,
	INITIALIZED,
	CONNECTED,
	STATE_DISCONNECTED,
	DISCONNECTED_LOGGED_ON,
	LOGGED_ON,
	LOGGED_OFF,
	TERMINATED,
};

struct inv_value inv_session_of(const struct inv_kernel *kernel, uint64_t process, bool *outside)
{
	struct inv_value session = inv_field(kernel, process, INV_F_EPROCESS_Session);
	*outside = session.ok && session.u == 0;
	if (session.ok && session.u)
		return inv_field(kernel, session.u, INV_F_MM_SESSION_SPACE_SessionId);
	session.ok = false;
	return session;
}

const char *inv_session_kind_name(enum inv_session_kind kind)
{
	switch (kind) {
	case INV_SESSION_SERVICES:
		return "services";
	case INV_SESSION_CONSOLE:
		return "console";
	case INV_SESSION_REMOTE:
		return "remote";
	case INV_SESSION_DISCONNECTED:
		return "disconnected";
	case INV_SESSION_UNKNOWN:
		break;
	}
	return NULL;
}

const char *inv_session_state_name(uint64_t state)
{
	static const char *const names[] = {
	    [CREATED] = "Created",
	    [INITIALIZED] = "Initialized",
	    [CONNECTED] = "Connected",
	    [STATE_DISCONNECTED] = "Disconnected",
	    [DISCONNECTED_LOGGED_ON] = "DisconnectedLoggedOn",
	    [LOGGED_ON] = "LoggedOn",
	    [LOGGED_OFF] = "LoggedOff",
	    [TERMINATED] = "Terminated",
	};
	return state < sizeof names / sizeof *names ? names[state] : NULL;
}

// The sessions of a silo's services and console; before 1809 its globals hold these values themselves, and no process names its silo.
static void read_silo(const struct inv_kernel *kernel, uint64_t silo, struct inv_value *services,
                      struct inv_value *console)
{
	struct inv_value globals = inv_field(kernel, silo, INV_F_EJOB_ServerSiloGlobals), data = globals;
	if (globals.ok)
		data = inv_field(kernel, globals.u, INV_F_ESERVERSILO_GLOBALS_UserSharedData);
	*services = *console = data;
	if (!data.ok)
		return;
	*services = inv_field(kernel, data.u, INV_F_SILO_USER_SHARED_DATA_ServiceSessionId);
	*console = inv_field(kernel, data.u, INV_F_SILO_USER_SHARED_DATA_ActiveConsoleId);
}

static void tell(struct inv_session_record *record, enum inv_session_kind kind, const char *proof)
{
	record->kind = kind;
	record->proof = proof;
}

// A session that is not that of the services, by how it is connected.
static void tell_connection(struct inv_session_record *record, const struct inv_value *console, bool silo)
{
	bool known = record->state.ok && inv_session_state_name(record->state.u);
	bool cut = known && (record->state.u == STATE_DISCONNECTED || record->state.u == DISCONNECTED_LOGGED_ON);
	bool attached = console->ok && console->u == record->id.u;
	if (cut && attached)
		tell(record, INV_SESSION_UNKNOWN, "ActiveConsoleId names it, and IoState says that it is disconnected");
	else if (cut)
		tell(record, INV_SESSION_DISCONNECTED, "IoState");
	else if (known && record->state.u == TERMINATED)
		tell(record, INV_SESSION_UNKNOWN, "IoState says that it has ended");
	else if (attached)
		tell(record, INV_SESSION_CONSOLE, silo ? "ActiveConsoleId of its silo" : "ActiveConsoleId");
	else if (!record->state.ok)
		tell(record, INV_SESSION_UNKNOWN, "IoState is not known of this build, or could not be read");
	else if (!known)
		tell(record, INV_SESSION_UNKNOWN, "IoState is none of the documented values");
	else if (record->state.u < CONNECTED)
		tell(record, INV_SESSION_UNKNOWN, "IoState says that it is not connected yet");
	else if (!console->ok)
		tell(record, INV_SESSION_UNKNOWN, "it is connected, and which session the console is attached to was not read");
	else if (silo)
		tell(record, INV_SESSION_UNKNOWN, "what the sessions of a container are connected to is not verified");
	else
		tell(record, INV_SESSION_REMOTE, "IoState, and ActiveConsoleId names another session");
}

void inv_session_read(const struct inv_kernel *kernel, uint64_t session, uint64_t silo,
                      struct inv_session_record *record)
{
	struct inv_value console = inv_field(kernel, INV_KUSER_SHARED_DATA, INV_F_KUSER_SHARED_DATA_ActiveConsoleId);
	struct inv_value services = {.ok = true};
	*record = (struct inv_session_record){
	    .id = inv_field(kernel, session, INV_F_MM_SESSION_SPACE_SessionId),
	    .state = inv_field(kernel, session, INV_F_MM_SESSION_SPACE_IoState),
	    .references = inv_field(kernel, session, INV_F_MM_SESSION_SPACE_ProcessReferenceToSession),
	};
	if (silo)
		read_silo(kernel, silo, &services, &console);
	if (!record->id.ok)
		tell(record, INV_SESSION_UNKNOWN, "the session's number could not be read");
	else if (services.ok && services.u == record->id.u)
		tell(record, INV_SESSION_SERVICES, silo ? "ServiceSessionId of its silo" : "it is session 0");
	else
		tell_connection(record, &console, silo != 0);
}
