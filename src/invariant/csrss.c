// SPDX-License-Identifier: Apache-2.0
// Family 9: what each session's csrss and the kernel know of csrss's clients.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "invariant/class.h"
#include "invariant/families.h"
#include "invariant/trial.h"
#include "nt/thread.h"
#include "nt/vad.h"

#define WRONG_RECORDS 4096u // of one csrss that are reported one by one: whose each was is sought among all processes

static const struct inv_csrsses *csrsses_of(const struct inv_judge *judge)
{
	return &judge->dossiers->testimony->csrsses;
}

// With its last handles its connection to csrss goes, and the last thread still has some way to go then.
static bool has_exited(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value threads = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	struct inv_value table = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ObjectTable);
	bool disconnected = threads.ok && threads.u == 0 && table.ok && table.u == 0;
	return inv_field_is_set(judge->kernel, process->address, INV_F_EPROCESS_ExitTime) &&
	       (disconnected || !inv_is_scheduled(process));
}

// Clones are among those.
static bool never_started(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value exited = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ExitTime);
	struct inv_value threads = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	return exited.ok && exited.u == 0 && threads.ok && threads.u == 0 && !inv_is_scheduled(process);
}

// The program, ntdll, and under WOW64 a second ntdll: what the kernel maps itself.
#define FIRST_IMAGES 3u

bool inv_never_ran(const struct inv_kernel *kernel, const struct inv_dossier *process)
{
	struct inv_value active = inv_field(kernel, process->address, INV_F_EPROCESS_ActiveThreads);
	size_t held = 0, images = 0;
	if (!active.ok || active.u != 1)
		return false;
	for (size_t i = 0; i < process->threads.count; i++) {
		uint64_t thread = inv_thread_of_entry(kernel, process->threads.nodes[i].entry, INV_F_ETHREAD_ThreadListEntry);
		struct inv_value count = inv_field(kernel, thread, INV_F_KTHREAD_SuspendCount);
		struct inv_value ended = inv_field(kernel, thread, INV_F_ETHREAD_Terminated);
		if (ended.ok && ended.u)
			return false;
		held += count.ok && count.u;
	}
	if (held != 1 || process->threads.count != 1)
		return false;
	struct inv_vad_tree vads;
	inv_vad_tree_read(kernel, process->address, &vads);
	for (size_t i = 0; i < inv_count(vads.vads); i++)
		images += vads.vads[i].type == INV_VAD_IMAGE;
	bool first = vads.complete && images && images <= FIRST_IMAGES;
	inv_vad_tree_free(&vads);
	return first;
}

static bool runs_no_program(const struct inv_dossier *process)
{
	switch (process->role) {
	case INV_ROLE_IDLE:
	case INV_ROLE_SYSTEM:
	case INV_ROLE_REGISTRY:
	case INV_ROLE_MEMORY_COMPRESSION:
	case INV_ROLE_SECURE_SYSTEM:
	case INV_ROLE_VM:
	case INV_ROLE_PICO:
	case INV_ROLE_MINIMAL:
		return true;
	case INV_ROLE_ORDINARY:
	case INV_ROLE_UNKNOWN:
		break;
	}
	return false;
}

// Why the clients of a session's csrss are not known.
static const char *clients_unknown(const struct inv_judge *judge, uint64_t session)
{
	const struct inv_csrsses *all = csrsses_of(judge);
	const struct inv_csrss *csrss = inv_csrss_of(all, session);
	const struct inv_csr_vote *vote = inv_csr_vote_of(all, session);
	if (csrss)
		return csrss->unknown;
	if (all->unknown)
		return all->unknown;
	return vote && vote->lost ? vote->lost : "which process is the csrss of the session is not known";
}

// -- S01 --------------------------------------------------------------------------------------------------------------------

// What is known of one process.
struct client {
	struct inv_value port, session;
	const struct inv_csrss *csrss;        // of its session; NULL: not known
	const struct inv_csr_process *record; // on the list; NULL: none
	const struct inv_csr_process *stray;  // in csrss's memory, and not on the list; NULL: none
};

// One that has no session, or pretends to have none, may be on any list.
static void find_anywhere(const struct inv_judge *judge, const struct inv_dossier *process, struct client *client)
{
	const struct inv_csrsses *all = csrsses_of(judge);
	for (size_t i = 0; i < inv_count(all->csrsses) && !client->record; i++) {
		const struct inv_csr_process *record = inv_csr_record(&all->csrsses[i], process->pid.u);
		if (!record || record->process != process->address)
			continue;
		client->csrss = &all->csrsses[i];
		client->record = record;
	}
}

// Gives the verdict and returns false if nothing can be asked.
static bool ask(struct inv_judge *judge, const struct inv_dossier *process, struct client *client)
{
	*client = (struct client){
	    .port = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ExceptionPortData),
	    .session = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session),
	};
	if (!inv_need(judge, &client->port) || !inv_need(judge, &client->session) || !inv_need(judge, &process->pid))
		return false;
	client->csrss = inv_csrss_of(csrsses_of(judge), client->session.u);
	if (client->csrss && !client->csrss->unknown) {
		client->record = inv_csr_record(client->csrss, process->pid.u);
		client->stray = client->record ? NULL : inv_csr_stray(client->csrss, process->pid.u);
	}
	if (client->session.u == 0)
		find_anywhere(judge, process, client);
	return true;
}

static const struct inv_csr_process *find_renamed(const struct client *client, uint64_t process)
{
	for (size_t i = 0; i < inv_count(client->csrss->records); i++)
		if (client->csrss->records[i].process == process && client->csrss->records[i].listed)
			return &client->csrss->records[i];
	return NULL;
}

static void list_says(struct inv_judge *judge, struct inv_finding *finding, const struct inv_csrss *csrss)
{
	struct inv_value root = {.ok = true, .address = csrss->root, .u = csrss->process};
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CsrRootProcess", &root,
	                 "the list of this csrss is closed and has no record with the PID (%zu records were read)",
	                 inv_count(csrss->records));
}

static void report_missing(struct inv_judge *judge, const struct inv_dossier *process, const struct client *client)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_SUBSYSTEM);
	const struct inv_csr_process *renamed = client->stray ? NULL : find_renamed(client, process->address);
	if (client->port.u)
		inv_field_says(judge, finding, INV_F_EPROCESS_ExceptionPortData, &client->port,
		               "the port of csrss, which csrss sets when it enters a process");
	list_says(judge, finding, client->csrss);
	if (client->stray) {
		struct inv_value at = {.ok = true, .address = client->stray->address, .u = client->stray->pid};
		inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &at,
		                 "a record of the process is in csrss's memory, past which the list leads");
		inv_witness_says(judge, finding, INV_W_HANDLES, "handle", &client->stray->entry,
		                 "csrss has the record's handle 0x%llx open still", (unsigned long long)client->stray->handle);
	}
	if (renamed) {
		struct inv_value at = {.ok = true, .address = renamed->address, .u = renamed->pid};
		inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &at,
		                 "this record's handle leads to the process, and it has another PID");
	}
	inv_tried(judge, finding, "exited", "it has no exit time, or has threads and handles");
	inv_tried(judge, finding, "root", "it is not the owner of the session's port");
	if (client->port.u) {
		inv_tried(judge, finding, "not-started", "ExceptionPortData is not 0");
		inv_tried(judge, finding, "native", "ExceptionPortData is not 0");
	}
}

// Of a process without port and record: why it has neither. NULL: that depends on its program.
static const char *why_nobodys(const struct inv_judge *judge, const struct inv_dossier *process,
                               const struct client *client)
{
	if (client->stray)
		return NULL;
	if (client->session.u == 0)
		return "no-session";
	if (runs_no_program(process))
		return "minimal";
	if (never_started(judge, process))
		return "not-started";
	return has_exited(judge, process) ? "exited" : NULL;
}

static void judge_client(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct client client;
	if (inv_csrss_at(csrsses_of(judge), process->address)) {
		inv_excuse(judge, inv_subject_process(process), "root");
		return;
	}
	if (!ask(judge, process, &client))
		return;
	const char *excuse = client.port.u == 0 && !client.record ? why_nobodys(judge, process, &client) : NULL;
	if (excuse) {
		inv_excuse(judge, inv_subject_process(process), excuse);
		return;
	}
	if (!client.csrss || client.csrss->unknown) {
		inv_unknown_because(judge, clients_unknown(judge, client.session.u));
		return;
	}
	if (client.record) {
		inv_holds(judge);
		return;
	}
	bool of_csrss = (client.port.u & ~INV_EXCEPTION_PORT_STATE) == client.csrss->port;
	if (client.port.u == 0 && !client.stray)
		return; // by its program
	if (!client.csrss->complete && !client.stray)
		inv_unknown_because(judge, "csrss's list could not be read to its end");
	else if (has_exited(judge, process))
		inv_excuse(judge, inv_subject_process(process), "exited");
	else if (!of_csrss && !client.stray)
		inv_unknown_because(judge, "the exception port is not that of the session's csrss");
	else if (!client.stray && inv_never_ran(judge->kernel, process))
		inv_excuse(judge, inv_subject_process(process), "starting");
	else
		report_missing(judge, process, &client);
}

// A record of a process that is in another session than the csrss whose list it is on.
static void report_stranger(struct inv_judge *judge, const struct inv_csrss *csrss,
                            const struct inv_csr_process *record, const struct inv_dossier *process,
                            const struct inv_value *session, const struct inv_value *crossed)
{
	struct inv_subject subject = inv_subject_process(process);
	struct inv_finding *finding =
	    crossed->ok ? inv_broken(judge, subject, INV_TIER_SUBSYSTEM) : inv_observed(judge, subject, INV_TIER_SUBSYSTEM);
	struct inv_value id = {.ok = true, .address = record->address, .u = record->pid};
	struct inv_value own = inv_field(judge->kernel, csrss->process, INV_F_EPROCESS_Session);
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &id,
	                 "the csrss of PID %llu has the process on its list", (unsigned long long)csrss->pid);
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, &own, "the session of that csrss");
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, session, "the session of the process");
	inv_tried(judge, finding, "crossed",
	          crossed->ok ? "CrossSessionCreate is clear: nobody of another session asked for it"
	                      : "whether somebody of another session asked for it this build does not note");
	inv_tried(judge, finding, "exited", "it has threads, or no exit time");
}

static void judge_stranger(struct inv_judge *judge, const struct inv_csrss *csrss, const struct inv_csr_process *record)
{
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, record->process);
	struct inv_value session = inv_field(judge->kernel, record->process, INV_F_EPROCESS_Session);
	bool same = process && process->pid.ok && process->pid.u == record->pid; // or else it is S02's
	if (!same || !session.ok || session.u == csrss->session)
		return;
	struct inv_value crossed = inv_field(judge->kernel, process->address, INV_F_EPROCESS_CrossSessionCreate);
	if (has_exited(judge, process))
		inv_excuse(judge, inv_subject_process(process), "exited");
	else if (crossed.ok && crossed.u && session.u)
		inv_excuse(judge, inv_subject_process(process), "crossed");
	else
		report_stranger(judge, csrss, record, process, &session, &crossed);
}

static void judge_strangers(struct inv_judge *judge, const struct inv_csrss *csrss)
{
	const struct inv_tally *tally = &judge->tallies[judge->index];
	size_t before = tally->broken + tally->observed;
	for (size_t i = 0; i < inv_count(csrss->records); i++) {
		if (tally->broken + tally->observed - before >= WRONG_RECORDS)
			break;
		if (csrss->records[i].listed && csrss->records[i].process)
			judge_stranger(judge, csrss, &csrss->records[i]);
	}
}

void inv_judge_S01(struct inv_judge *judge)
{
	const struct inv_csrsses *all = csrsses_of(judge);
	inv_each_process(judge, judge_client);
	for (size_t i = 0; i < inv_count(all->csrsses); i++)
		judge_strangers(judge, &all->csrsses[i]);
}

static bool is_of_windows(const struct inv_value *subsystem)
{
	return subsystem->ok && (subsystem->u == INV_SUBSYSTEM_IS_WINDOWS || subsystem->u == INV_SUBSYSTEM_IS_CONSOLE);
}

// What a native program has not got: the subsystem's own.
struct signs {
	struct inv_value windows, graphics, console;
	const struct inv_vad *image; // that most clients of csrss map, and is not that in which all threads start
};

static bool has_signs(const struct inv_judge *judge, const struct inv_inside *inside, struct signs *signs)
{
	const struct inv_views *views = inside->dossiers->views;
	uint64_t process = inside->process->address;
	*signs = (struct signs){.windows = inv_field(judge->kernel, process, INV_F_EPROCESS_Win32Process),
	                        .graphics = inv_field(judge->kernel, process, INV_F_EPROCESS_DxgProcess),
	                        .console = inv_console_handle(inside)};
	if (views && judge->usual_start)
		signs->image = inv_range_among(inside, views->client_images, judge->usual_start);
	return (signs->windows.ok && signs->windows.u) || (signs->graphics.ok && signs->graphics.u) ||
	       (signs->console.ok && signs->console.u) || signs->image;
}

static void say_sign(struct inv_judge *judge, struct inv_finding *finding, enum inv_field field,
                     const struct inv_value *value, const char *what)
{
	if (value->ok && value->u)
		inv_field_says(judge, finding, field, value, "the process has %s", what);
}

static void say_signs(struct inv_judge *judge, struct inv_finding *finding, const struct inv_inside *inside,
                      const struct signs *signs)
{
	say_sign(judge, finding, INV_F_EPROCESS_Win32Process, &signs->windows, "a W32PROCESS");
	say_sign(judge, finding, INV_F_EPROCESS_DxgProcess, &signs->graphics, "a DXGPROCESS");
	say_sign(judge, finding, INV_F_RTL_USER_PROCESS_PARAMETERS_ConsoleHandle, &signs->console, "a console");
	if (!signs->image)
		return;
	const struct inv_control_area *area = inv_control_area_at(inside->sections, signs->image->control_area);
	struct inv_value start = {.ok = true, .address = signs->image->address, .u = signs->image->start};
	inv_field_says(judge, finding, INV_F_EPROCESS_VadRoot, &start, "it maps \"%s\", as most clients of csrss do",
	               area ? area->file.name : "");
}

// No thread of it has run yet, or the loader has not begun: who creates a process tells csrss before he lets it run.
static bool has_not_run(const struct inv_judge *judge, const struct inv_inside *inside)
{
	bool all = inside->thread_count > 0;
	for (size_t i = 0; i < inside->thread_count && all; i++) {
		struct inv_value state = inv_field(judge->kernel, inside->threads[i]->address, INV_F_KTHREAD_State);
		all = state.ok && state.u == INV_KTHREAD_INITIALIZED;
	}
	return all || (inside->peb.address && inside->peb.ldr.ok && inside->peb.ldr.u == 0 && inv_is_starting(inside));
}

// Nobody tells csrss of a native program: Windows refuses to create one by CreateProcess ("cannot be run in Win32 mode").
static void judge_registered(struct inv_judge *judge, const struct inv_inside *inside, const struct client *client)
{
	struct inv_value subsystem = inv_section_subsystem(inside), mapped = inv_mapped_subsystem(inside);
	if (!subsystem.ok || subsystem.u != INV_SUBSYSTEM_IS_NATIVE || is_of_windows(&mapped))
		return;
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(inside->process), INV_TIER_SUBSYSTEM);
	struct inv_value record = {.ok = true, .address = client->record->address, .u = client->record->pid};
	inv_field_says(judge, finding, INV_F_SECTION_IMAGE_INFORMATION_SubSystemType, &subsystem,
	               "the program that the process runs is native");
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &record,
	                 "yet csrss has the process on its list");
}

// A program that the subsystem should have been told of: whoever creates a process without kernel32 need not tell it.
void inv_judge_unregistered(struct inv_judge *judge, const struct inv_inside *inside)
{
	const struct inv_dossier *process = inside->process;
	struct signs signs;
	struct client client = {.port = inv_field(judge->kernel, process->address, INV_F_EPROCESS_ExceptionPortData),
	                        .session = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session)};
	if (!client.port.ok || !client.session.ok || !process->pid.ok || inv_csrss_at(csrsses_of(judge), process->address))
		return;
	client.csrss = inv_csrss_of(csrsses_of(judge), client.session.u);
	if (!client.csrss || client.csrss->unknown)
		return;
	client.record = inv_csr_record(client.csrss, process->pid.u);
	if (client.record && client.record->process == process->address)
		judge_registered(judge, inside, &client);
	if (client.port.u || client.record || inv_csr_stray(client.csrss, process->pid.u) ||
	    why_nobodys(judge, process, &client))
		return;
	if (!client.csrss->complete) {
		inv_unknown_because(judge, "csrss's list could not be read to its end");
		return;
	}
	if (inv_never_ran(judge->kernel, process)) {
		inv_excuse(judge, inv_subject_process(process), "starting");
		return;
	}
	if (has_not_run(judge, inside)) {
		inv_excuse(judge, inv_subject_process(process), "not-started");
		return;
	}
	struct inv_value subsystem = inv_section_subsystem(inside), mapped = inv_mapped_subsystem(inside);
	if (!inv_need(judge, &subsystem))
		return;
	bool native = !is_of_windows(&subsystem) && !is_of_windows(&mapped), has_some = has_signs(judge, inside, &signs);
	if (native && !has_some) {
		inv_excuse(judge, inv_subject_process(process), "native");
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(process), INV_TIER_SUBSYSTEM);
	inv_field_says(judge, finding, INV_F_SECTION_IMAGE_INFORMATION_SubSystemType, &subsystem,
	               "the subsystem of the program that the process runs");
	inv_field_says(judge, finding, INV_F_EPROCESS_SectionBaseAddress, &mapped,
	               "the subsystem in the header that is mapped there");
	inv_field_says(judge, finding, INV_F_EPROCESS_ExceptionPortData, &client.port, "csrss was never told of it");
	list_says(judge, finding, client.csrss);
	say_signs(judge, finding, inside, &signs);
	inv_tried(judge, finding, "not-started", "it has threads, and one of them has run");
	inv_tried(judge, finding, "native",
	          native ? "it has what no native program has"
	                 : "its image is for Windows, by the section or by its header");
}

// -- S02 --------------------------------------------------------------------------------------------------------------------

// Who of the session has this PID. NULL: nobody.
static const struct inv_dossier *holder_of(const struct inv_judge *judge, uint64_t pid)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		if (process->pid.ok && process->pid.u == pid && inv_is_live(process))
			return process;
	}
	return NULL;
}

// Of a record whose two halves mean different processes: the one whose record this was.
static struct inv_subject whose(const struct inv_judge *judge, const struct inv_csrss *csrss,
                                const struct inv_csr_process *record)
{
	const struct inv_dossier *target = record->process ? inv_dossier_at(judge->dossiers, record->process) : NULL;
	const struct inv_csr_process *own = target && target->pid.ok ? inv_csr_record(csrss, target->pid.u) : NULL;
	struct inv_value session = {0};
	if (target)
		session = inv_field(judge->kernel, target->address, INV_F_EPROCESS_Session);
	bool has_own = (own && own != record) || (session.ok && session.u != csrss->session); // with another csrss
	bool nobodys = record->pid == 0; // Idle is no client, and what was not filled in yet is of PID 0
	const struct inv_dossier *named = (target && !has_own) || nobodys ? NULL : holder_of(judge, record->pid);
	if (target && !has_own)
		return inv_subject_process(target);
	return named ? inv_subject_process(named)
	             : inv_subject_other(INV_SUBJECT_LIST, record->address, "CSR_PROCESS.ListLink");
}

static void report_handle(struct inv_judge *judge, const struct inv_csrss *csrss, const struct inv_csr_process *record,
                          const struct inv_value *pid)
{
	struct inv_finding *finding = inv_broken(judge, whose(judge, csrss, record), INV_TIER_SUBSYSTEM);
	struct inv_value id = {.ok = true, .address = record->address, .u = record->pid};
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &id, "csrss's record is of this PID");
	if (record->process)
		inv_field_says(judge, finding, INV_F_EPROCESS_UniqueProcessId, pid,
		               "the process to which its handle 0x%llx leads in csrss's table has this PID",
		               (unsigned long long)record->handle);
	else
		inv_witness_says(judge, finding, INV_W_HANDLES, "handle", &record->entry,
		                 "its handle 0x%llx leads to no process in csrss's table", (unsigned long long)record->handle);
	inv_tried(judge, finding, "root", "the record is not csrss's own");
}

static void judge_record(struct inv_judge *judge, const struct inv_csrss *csrss, const struct inv_csr_process *record)
{
	struct inv_value pid = record->entry;
	if (record->process)
		pid = inv_field(judge->kernel, record->process, INV_F_EPROCESS_UniqueProcessId);
	bool no_entry = !record->process && (record->entry.ok || record->entry.address == 0);
	if (!no_entry && !inv_need(judge, &pid))
		return;
	if (record->process && pid.u == record->pid)
		inv_holds(judge);
	else
		report_handle(judge, csrss, record, &pid);
}

static void judge_records(struct inv_judge *judge, const struct inv_csrss *csrss)
{
	struct inv_subject root = inv_subject_other(INV_SUBJECT_LIST, csrss->root, "CsrRootProcess");
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, csrss->process);
	size_t wrong = 0;
	if (csrss->unknown) {
		inv_unknown_because(judge, csrss->unknown);
		return;
	}
	inv_excuse(judge, process ? inv_subject_process(process) : root, "root");
	for (size_t i = 0; i < inv_count(csrss->records) && wrong < WRONG_RECORDS; i++) {
		size_t holds = judge->tallies[judge->index].holds;
		if (!csrss->records[i].listed)
			continue;
		judge_record(judge, csrss, &csrss->records[i]);
		wrong += judge->tallies[judge->index].holds == holds;
	}
	if (!csrss->complete)
		inv_unknown_because(judge, "csrss's list could not be read to its end");
}

static void each_csrss(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_csrss *csrss))
{
	const struct inv_csrsses *all = csrsses_of(judge);
	for (size_t i = 0; i < inv_count(all->csrsses); i++)
		one(judge, &all->csrsses[i]);
	for (size_t i = 0; i < inv_count(all->votes); i++)
		if (all->votes[i].lost)
			inv_unknown_because(judge, all->votes[i].lost);
	if (all->unknown)
		inv_unknown_because(judge, all->unknown);
}

void inv_judge_S02(struct inv_judge *judge)
{
	each_csrss(judge, judge_records);
}

// -- S03 --------------------------------------------------------------------------------------------------------------------

// What csrss says of a thread against what the object says that its handle leads to.
struct thread_trial {
	const struct inv_csr_thread *known;
	const struct inv_thread_dossier *thread; // NULL: none
	struct inv_value pid, tid, created;
};

static struct inv_subject subject_of(const struct inv_judge *judge, const struct thread_trial *trial)
{
	const struct inv_dossier *process = trial->thread ? NULL : holder_of(judge, trial->known->pid);
	if (trial->thread)
		return inv_subject_thread(judge->dossiers, trial->thread);
	return process ? inv_subject_process(process)
	               : inv_subject_other(INV_SUBJECT_LIST, trial->known->address, "CSR_THREAD.Link");
}

static void says_thread(struct inv_judge *judge, struct inv_finding *finding, const struct thread_trial *trial)
{
	struct inv_value id = {.ok = true, .address = trial->known->address, .u = trial->known->tid};
	struct inv_value time = {.ok = true, .address = trial->known->address, .u = trial->known->created};
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_THREAD.ClientId", &id,
	                 "csrss knows a thread with this TID, of PID %llu", (unsigned long long)trial->known->pid);
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_THREAD.CreateTime", &time, "created then");
	if (!trial->known->thread)
		return;
	inv_field_says(judge, finding, INV_F_ETHREAD_CidUniqueThread, &trial->tid,
	               "the thread to which its handle 0x%llx leads in csrss's table",
	               (unsigned long long)trial->known->handle);
	inv_field_says(judge, finding, INV_F_ETHREAD_CreateTime, &trial->created, "and that thread's time");
}

static void judge_listed(struct inv_judge *judge, const struct thread_trial *trial)
{
	const struct inv_csr_thread *known = trial->known;
	if (known->thread &&
	    (!inv_need(judge, &trial->tid) || !inv_need(judge, &trial->pid) || !inv_need(judge, &trial->created)))
		return;
	bool same = known->thread && trial->tid.u == known->tid && trial->pid.u == known->pid;
	if (same && trial->created.u == known->created) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject_of(judge, trial), INV_TIER_SUBSYSTEM);
	says_thread(judge, finding, trial);
	if (!known->thread)
		inv_tried(judge, finding, "ended", "its handle leads to no thread, which keeps none from being deleted");
}

static void judge_stray(struct inv_judge *judge, const struct thread_trial *trial)
{
	struct inv_value terminated = inv_field(judge->kernel, trial->known->thread, INV_F_ETHREAD_Terminated);
	if (!inv_need(judge, &terminated))
		return;
	if (terminated.u) {
		inv_excuse(judge, subject_of(judge, trial), "ended");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, subject_of(judge, trial), INV_TIER_SUBSYSTEM);
	struct inv_value link = {.ok = true, .address = trial->known->address, .u = trial->known->record};
	says_thread(judge, finding, trial);
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ThreadList", &link,
	                 "the list of this CSR_PROCESS leads past it%s",
	                 trial->known->hashed ? ", though its bucket does not" : "");
	inv_tried(judge, finding, "ended", "the thread has not terminated");
}

static void judge_threads(struct inv_judge *judge, const struct inv_csrss *csrss)
{
	if (csrss->unknown) {
		inv_unknown_because(judge, csrss->unknown);
		return;
	}
	size_t wrong = 0;
	for (size_t i = 0; i < inv_count(csrss->threads) && wrong < WRONG_RECORDS; i++) {
		const struct inv_csr_thread *known = &csrss->threads[i];
		size_t holds = judge->tallies[judge->index].holds;
		struct thread_trial trial = {.known = known, .thread = inv_thread_dossier_at(judge->dossiers, known->thread)};
		if (known->thread) {
			trial.pid = inv_field(judge->kernel, known->thread, INV_F_ETHREAD_CidUniqueProcess);
			trial.tid = inv_field(judge->kernel, known->thread, INV_F_ETHREAD_CidUniqueThread);
			trial.created = inv_field(judge->kernel, known->thread, INV_F_ETHREAD_CreateTime);
		}
		if (known->listed)
			judge_listed(judge, &trial);
		else if (csrss->complete)
			judge_stray(judge, &trial);
		wrong += judge->tallies[judge->index].holds == holds;
	}
	for (size_t i = 0; i < inv_count(csrss->records); i++)
		if (csrss->records[i].listed && !csrss->records[i].threads_closed)
			inv_unknown_because(judge, "a list of threads in csrss could not be read to its end");
}

void inv_judge_S03(struct inv_judge *judge)
{
	each_csrss(judge, judge_threads);
}

// -- S04 --------------------------------------------------------------------------------------------------------------------

static void record_says(struct inv_judge *judge, struct inv_finding *finding, const struct client *client)
{
	struct inv_value record = {.ok = true, .address = client->record->address, .u = client->record->pid};
	inv_witness_says(judge, finding, INV_W_CSR_LIST, "CSR_PROCESS.ClientId", &record,
	                 "csrss has the process on its list");
}

static void judge_no_port(struct inv_judge *judge, const struct inv_dossier *process, const struct client *client)
{
	if (!client->record) {
		inv_holds(judge);
		return;
	}
	struct inv_subject subject = inv_subject_process(process);
	struct inv_finding *finding = inv_knows(judge->kernel, INV_CSRSS_SETS_PORT)
	                                  ? inv_broken(judge, subject, INV_TIER_EXECUTIVE)
	                                  : inv_observed(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ExceptionPortData, &client->port,
	               "the process has no exception port");
	record_says(judge, finding, client);
}

static void report_port(struct inv_judge *judge, const struct inv_dossier *process, const struct client *client,
                        const struct inv_value *owner)
{
	struct inv_subject subject = inv_subject_process(process);
	bool proof = client->record || !owner;
	struct inv_finding *finding =
	    proof ? inv_broken(judge, subject, INV_TIER_EXECUTIVE) : inv_observed(judge, subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_ExceptionPortData, &client->port,
	               owner ? "the exception port is not that of the session's csrss" : "that is no ALPC port");
	if (owner)
		inv_field_says(judge, finding, INV_F_ALPC_PORT_OwnerProcess, owner, "who listens to that port");
	if (client->csrss) {
		struct inv_value port = {.ok = true, .address = client->csrss->process, .u = client->csrss->port};
		inv_witness_says(judge, finding, INV_W_CSR_LIST, "ExceptionPortData", &port,
		                 "that of %zu of %zu processes of the session", client->csrss->votes, client->csrss->voters);
	}
	const struct inv_csrss *other = owner ? inv_csrss_at(csrsses_of(judge), owner->u) : NULL;
	struct client there = {.record = other && process->pid.ok ? inv_csr_record(other, process->pid.u) : NULL};
	if (client->record)
		record_says(judge, finding, client);
	else if (there.record && there.record->process == process->address)
		record_says(judge, finding, &there);
	inv_tried(judge, finding, "deleting", "the process is not being deleted");
}

static void judge_port_of(struct inv_judge *judge, const struct inv_dossier *process, const struct client *client)
{
	uint64_t port = client->port.u & ~INV_EXCEPTION_PORT_STATE;
	struct inv_value is_port = {.ok = true};
	if (port >> 63)
		is_port = inv_is_port(judge->kernel, &judge->dossiers->testimony->types, port);
	if (client->csrss && port == client->csrss->port) {
		inv_holds(judge);
		return;
	}
	if (!inv_need(judge, &is_port))
		return;
	if (!is_port.u) {
		report_port(judge, process, client, NULL);
		return;
	}
	struct inv_value owner = inv_field(judge->kernel, port, INV_F_ALPC_PORT_OwnerProcess);
	if (!inv_need(judge, &owner))
		return;
	if (!client->csrss)
		inv_unknown_because(judge, clients_unknown(judge, client->session.u));
	else if (owner.u == client->csrss->process)
		inv_holds(judge);
	else
		report_port(judge, process, client, &owner);
}

static void judge_port(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct client client;
	if (inv_csrss_at(csrsses_of(judge), process->address)) {
		inv_excuse(judge, inv_subject_process(process), "root");
		return;
	}
	if (!ask(judge, process, &client))
		return;
	if (client.port.u == 0)
		judge_no_port(judge, process, &client);
	else if (inv_is_being_deleted(judge, process) || inv_has_lost_space(judge, process))
		inv_excuse(judge, inv_subject_process(process), "deleting");
	else
		judge_port_of(judge, process, &client);
}

void inv_judge_S04(struct inv_judge *judge)
{
	inv_each_process(judge, judge_port);
}

// -- S09 --------------------------------------------------------------------------------------------------------------------

// Who takes hard errors for the whole system is the csrss of its own session.
static void judge_default(struct inv_judge *judge)
{
	const struct inv_csrsses *all = csrsses_of(judge);
	const struct inv_value *named = &all->default_process;
	if (!inv_need(judge, named))
		return;
	if (named->u == 0) {
		inv_unknown_because(judge, "ExpDefaultErrorPortProcess is not set");
		return;
	}
	if (inv_csrss_at(all, named->u)) {
		inv_holds(judge);
		return;
	}
	const struct inv_dossier *process = inv_dossier_at(judge->dossiers, named->u);
	struct inv_value session = inv_field(judge->kernel, named->u, INV_F_EPROCESS_Session);
	const struct inv_csrss *csrss = process && session.ok ? inv_csrss_of(all, session.u) : NULL;
	if (process && !csrss) {
		inv_unknown_because(judge, session.ok ? clients_unknown(judge, session.u) : "EPROCESS.Session was not read");
		return;
	}
	if (!process && !judge->dossiers->testimony->active.closed) {
		inv_unknown_because(judge, INV_ACTIVE_LIST_UNSURE);
		return;
	}
	struct inv_finding *finding = inv_broken(
	    judge, inv_subject_other(INV_SUBJECT_SYSTEM, named->address, "ExpDefaultErrorPortProcess"), INV_TIER_EXECUTIVE);
	inv_witness_says(judge, finding, INV_W_ANCHOR, "ExpDefaultErrorPortProcess", named,
	                 process ? "the kernel's pointer to the csrss of session 0"
	                         : "the kernel's pointer leads to no process");
	if (!csrss)
		return;
	struct inv_value owner = {.ok = true, .address = csrss->port, .u = csrss->process};
	inv_field_says(judge, finding, INV_F_ALPC_PORT_OwnerProcess, &owner,
	               "the port of %zu of %zu processes of that session is owned by another", csrss->votes, csrss->voters);
}

// A process that bears the name of its session's csrss and is another.
static void observe_impostor(struct inv_judge *judge, const struct inv_dossier *process)
{
	const struct inv_csrsses *all = csrsses_of(judge);
	struct inv_value session = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session);
	const struct inv_csrss *csrss = session.ok ? inv_csrss_of(all, session.u) : NULL;
	const struct inv_dossier *real = csrss ? inv_dossier_at(judge->dossiers, csrss->process) : NULL;
	if (!real || real == process || !real->name_value.ok || !*real->name || !process->name_value.ok ||
	    strcasecmp(real->name, process->name) != 0)
		return;
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value name = process->name_value, owner = {.ok = true, .address = csrss->port, .u = csrss->process};
	inv_field_says(judge, finding, INV_F_EPROCESS_ImageFileName, &name, "the process bears the name %s", process->name);
	inv_field_says(judge, finding, INV_F_ALPC_PORT_OwnerProcess, &owner,
	               "another of that name owns the port of %zu of %zu processes of the session", csrss->votes,
	               csrss->voters);
}

static void judge_session(struct inv_judge *judge, const struct inv_csrss *csrss)
{
	(void)csrss;
	inv_holds(judge);
}

void inv_judge_S09(struct inv_judge *judge)
{
	each_csrss(judge, judge_session);
	judge_default(judge);
	inv_each_process(judge, observe_impostor);
}
