// SPDX-License-Identifier: Apache-2.0
// Sessions with their processes, jobs with those within them, and silos. What a session's leader and csrss are is what the kernel's
// own pointers say, never a name; where nothing says so, it is not known.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/command.h"
#include "nt/section.h"
#include "nt/session.h"
#include "nt/silo.h"
#include "nt/win32k.h"
#include "report/json.h"

#define PORT_STATE_BITS 7u // of ExceptionPortData: EXCEPTION_PORT_STATE
#define NATIVE 1u          // IMAGE_SUBSYSTEM_NATIVE
#define NO_JOB SIZE_MAX
#define MOST_NAMED 16u // ports, or silos, that processes of one session name

struct view {
	const struct inv_kernel *kernel;
	const struct inv_check *check;
	struct inv_arena *arena;
	struct inv_control_areas *areas;
	const struct inv_class_books *books;
	enum inv_output output;
	FILE *file;
};

// A session, by its object; that of processes without one has address 0.
struct one_session {
	uint64_t address;
	struct inv_value id;
	uint64_t silo;                      // in which csrss is, or else most of its processes; 0: none
	const struct inv_dossier **members; // stb_ds, by PID
	const struct inv_dossier *leader, *csrss;
	const char *leader_proof, *csrss_proof; // NULL: not known
};

static uint64_t value_of(const struct view *view, const struct inv_dossier *process, enum inv_field field)
{
	struct inv_value value = inv_field(view->kernel, process->address, field);
	return value.ok ? value.u : 0;
}

// -- sessions ---------------------------------------------------------------------------------------------------------------

static int by_pid(const void *a, const void *b)
{
	const struct inv_dossier *left = *(const struct inv_dossier *const *)a;
	const struct inv_dossier *right = *(const struct inv_dossier *const *)b;
	if (left->pid.u != right->pid.u)
		return left->pid.u < right->pid.u ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

static int by_id(const void *a, const void *b)
{
	const struct one_session *left = a, *right = b;
	if (!left->address != !right->address)
		return left->address ? -1 : 1;
	if (left->id.ok != right->id.ok)
		return left->id.ok ? -1 : 1;
	if (left->id.u != right->id.u)
		return left->id.u < right->id.u ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

struct place {
	uint64_t key; // a session's address
	size_t value;
};

static struct one_session *all_sessions(const struct view *view)
{
	struct one_session *sessions = NULL;
	struct place *places = NULL;
	for (size_t i = 0; i < view->check->dossiers.process_count; i++) {
		const struct inv_dossier *process = &view->check->dossiers.processes[i];
		if (!inv_is_live(process))
			continue;
		uint64_t address = value_of(view, process, INV_F_EPROCESS_Session);
		ptrdiff_t at = stbds_hmgeti(places, address);
		if (at < 0) {
			struct one_session session = {.address = address};
			session.id = inv_field(view->kernel, address, INV_F_MM_SESSION_SPACE_SessionId);
			stbds_hmput(places, address, inv_count(sessions));
			inv_push(sessions, session);
			at = stbds_hmgeti(places, address);
		}
		if (sessions)
			inv_push(sessions[places[at].value].members, process);
	}
	stbds_hmfree(places);
	for (size_t i = 0; i < inv_count(sessions); i++)
		if (sessions[i].members)
			qsort(sessions[i].members, inv_count(sessions[i].members), sizeof *sessions[i].members, by_pid);
	if (sessions)
		qsort(sessions, inv_count(sessions), sizeof *sessions, by_id);
	return sessions;
}

static uint64_t exception_port(const struct view *view, const struct inv_dossier *process)
{
	return value_of(view, process, INV_F_EPROCESS_ExceptionPortData) & ~(uint64_t)PORT_STATE_BITS;
}

static uint64_t silo_of(const struct view *view, const struct inv_dossier *process)
{
	return value_of(view, process, INV_F_EPROCESS_ServerSilo);
}

// What most processes of the session name; of as many, what came first to so many. With `without_none` those that name 0 have no
// voice. 0: nobody has one.
static uint64_t named_by_most(const struct view *view, const struct one_session *session,
                              uint64_t (*name)(const struct view *, const struct inv_dossier *), bool without_none)
{
	struct {
		uint64_t named;
		size_t votes;
	} candidates[MOST_NAMED];
	size_t count = 0, best = 0;
	for (size_t i = 0; i < inv_count(session->members); i++) {
		uint64_t named = name(view, session->members[i]);
		size_t j = 0;
		while (j < count && candidates[j].named != named)
			j++;
		if ((without_none && !named) || (j == count && count == MOST_NAMED))
			continue;
		if (j == count)
			candidates[count++].votes = 0;
		candidates[j].named = named;
		if (++candidates[j].votes > candidates[best].votes)
			best = j;
	}
	return count ? candidates[best].named : 0;
}

// Who owns the port that most processes of the session report exceptions to, if that is on the list of ports.
static const struct inv_dossier *owner_of_ports(const struct view *view, const struct one_session *session)
{
	uint64_t port = named_by_most(view, session, exception_port, true);
	const struct inv_testimony *testimony = view->check->testimony;
	for (size_t i = 0; port && i < inv_count(testimony->backlinks); i++)
		if (testimony->backlinks[i].witness == INV_W_ALPC_PORTS && testimony->backlinks[i].object == port)
			return inv_dossier_at(&view->check->dossiers, testimony->backlinks[i].process);
	return NULL;
}

static void prove_session(const struct view *view, struct one_session *session)
{
	if (!session->address || !inv_count(session->members))
		return;
	const struct inv_dossier *owner = owner_of_ports(view, session);
	session->silo = owner ? silo_of(view, owner) : named_by_most(view, session, silo_of, false);
	uint64_t silo = session->silo;
	struct inv_silo_globals globals;
	inv_silo_globals_read(view->kernel, silo, &globals);
	const struct inv_dossiers *dossiers = &view->check->dossiers;
	session->leader = globals.leader.ok && globals.leader.u ? inv_dossier_at(dossiers, globals.leader.u) : NULL;
	if (session->leader)
		session->leader_proof = silo ? "MiSessionLeaderProcess of its silo" : "MiSessionLeaderProcess of the host";
	for (size_t i = 0; globals.errors.ok && i < inv_count(session->members); i++) {
		if (session->members[i]->address != globals.errors.u)
			continue;
		session->csrss = session->members[i];
		session->csrss_proof =
		    silo ? "ExpDefaultErrorPortProcess of its silo" : "ExpDefaultErrorPortProcess of the host";
	}
	if (session->csrss)
		return;
	session->csrss = owner;
	session->csrss_proof = session->csrss ? "it owns the port for exceptions of most processes of the session" : NULL;
}

static const char *name_of(const struct view *view, const struct inv_dossier *process)
{
	return inv_arena_printf(view->arena, "%" PRIu64 " %s", process->pid.ok ? process->pid.u : 0, process->name);
}

// The process whose page tables the session's memory is seen through: one of it that runs and has a root.
static const struct inv_dossier *eyes_of(const struct view *view, const struct one_session *session)
{
	for (size_t i = 0; session->address && i < inv_count(session->members); i++)
		if (session->members[i]->state == INV_STATE_RUNNING &&
		    value_of(view, session->members[i], INV_F_KPROCESS_DirectoryTableBase))
			return session->members[i];
	return NULL;
}

static const char *who(const struct view *view, const struct one_session *session, const struct inv_dossier *process)
{
	if (!session->address)
		return NULL;
	return process ? name_of(view, process) : "not known";
}

// What the kernel records of the session itself; of processes without one, nothing.
static void add_records(struct inv_table *table, const struct one_session *session,
                        const struct inv_session_record *record)
{
	if (!session->address) {
		for (unsigned i = 0; i < 4; i++)
			inv_table_text(table, NULL);
		return;
	}
	const char *state = record->state.ok ? inv_session_state_name(record->state.u) : NULL;
	inv_table_address(table, session->silo);
	if (state)
		inv_table_text(table, state);
	else
		inv_table_value(table, &record->state, INV_CELL_NUMBER);
	inv_table_text(table, record->proof);
	inv_table_value(table, &record->references, INV_CELL_NUMBER);
}

static struct inv_table *session_table(const struct view *view, struct one_session *sessions)
{
	static const char *const columns[] = {"session",      "state", "object",      "processes",    "leader",
	                                      "leader_proof", "csrss", "csrss_proof", "seen_through", "silo",
	                                      "io_state",     "proof", "references"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < inv_count(sessions); i++) {
		const struct one_session *session = &sessions[i];
		const struct inv_dossier *eyes = eyes_of(view, session);
		struct inv_session_record record;
		inv_session_read(view->kernel, session->address, session->silo, &record);
		if (session->address)
			inv_table_value(table, &session->id, INV_CELL_NUMBER);
		else
			inv_table_text(table, "none");
		inv_table_text(table, session->address ? inv_session_kind_name(record.kind) : NULL);
		inv_table_address(table, session->address);
		inv_table_number(table, inv_count(session->members));
		inv_table_text(table, who(view, session, session->leader));
		inv_table_text(table, session->leader_proof);
		inv_table_text(table, who(view, session, session->csrss));
		inv_table_text(table, session->csrss_proof);
		inv_table_text(table, eyes ? name_of(view, eyes) : NULL);
		add_records(table, session, &record);
	}
	return table;
}

// -- processes --------------------------------------------------------------------------------------------------------------

// Its program is for no subsystem, by the image section that it runs.
static bool is_native(const struct view *view, const struct inv_dossier *process)
{
	uint64_t section = value_of(view, process, INV_F_EPROCESS_SectionObject);
	struct inv_value area = section ? inv_section_object_area(view->kernel, section) : (struct inv_value){0};
	const struct inv_control_area *image = area.ok ? inv_control_area_at(view->areas, area.u) : NULL;
	return image && image->image.subsystem.ok && image->image.subsystem.u == NATIVE;
}

// Why a process need not be registered with csrss, by what the kernel says of it.
static const char *why_unregistered(const struct view *view, const struct inv_dossier *process)
{
	if (process->role != INV_ROLE_ORDINARY)
		return inv_role_name(process->role);
	if (process->state == INV_STATE_ZOMBIE || process->state == INV_STATE_EXITING)
		return "exited";
	if (value_of(view, process, INV_F_EPROCESS_CloneRoot))
		return "clone";
	if (process->state == INV_STATE_CREATED ||
	    (process->threads.closed && process->threads.count == 0 && process->state != INV_STATE_HIDDEN))
		return "not started";
	if (inv_never_ran(view->kernel, process))
		return "starting";
	return is_native(view, process) ? "native" : "no reason known";
}

static const char *yes_or_no(const struct inv_value *value)
{
	return value->u ? "yes" : "no";
}

static void add_flag(const struct view *view, struct inv_table *table, const struct inv_dossier *process,
                     enum inv_field field)
{
	struct inv_value value = inv_field(view->kernel, process->address, field);
	if (value.ok)
		inv_table_text(table, yes_or_no(&value));
	else
		inv_table_absent(table, &value.why);
}

// Does csrss have a record of the process? Without the list of its session's csrss, or of all if it has no session, that is not known.
static void add_record(const struct view *view, struct inv_table *table, const struct one_session *session,
                       const struct inv_dossier *process)
{
	const struct inv_testimony *testimony = view->check->testimony;
	const struct inv_csrss *csrss = inv_csrss_of(&testimony->csrsses, session->address);
	bool listed = (process->seen_by & INV_BIT(INV_W_CSR_LIST)) != 0;
	bool whole = csrss ? !csrss->unknown && csrss->complete : testimony->coverage[INV_W_CSR_LIST].complete;
	bool known = listed || whole;
	inv_table_text(table, !known ? "unknown" : listed ? "yes" : "no");
}

// By what every source says, without the pages of the process.
static void add_class(const struct view *view, struct inv_table *table, const struct inv_dossier *process)
{
	struct inv_class_claim claims[INV_CLAIM_COUNT];
	struct inv_inside inside;
	bool has_inside = inv_has_inside(process, view->kernel);
	if (has_inside)
		inv_inside_open(&view->check->dossiers, process, view->areas, &inside);
	const char *class = inv_class_text(
	    inv_class_read(view->books, process, view->areas, has_inside ? &inside : NULL, view->arena, claims),
	    view->arena);
	inv_table_text(table, *class ? class : NULL);
	if (has_inside)
		inv_inside_free(&inside);
}

static void add_process(const struct view *view, struct inv_table *table, const struct one_session *session,
                        const struct inv_dossier *process)
{
	struct inv_value port = inv_field(view->kernel, process->address, INV_F_EPROCESS_ExceptionPortData);
	struct inv_value job = inv_field(view->kernel, process->address, INV_F_EPROCESS_Job);
	struct inv_value silo = inv_field(view->kernel, process->address, INV_F_EPROCESS_ServerSilo);
	if (session->address)
		inv_table_value(table, &session->id, INV_CELL_NUMBER);
	else
		inv_table_text(table, "none");
	inv_table_value(table, &process->pid, INV_CELL_NUMBER);
	inv_table_text(table, process->name);
	inv_table_text(table, inv_state_name(process->state));
	add_class(view, table, process);
	add_flag(view, table, process, INV_F_EPROCESS_Win32Process);
	add_flag(view, table, process, INV_F_EPROCESS_DxgProcess);
	add_flag(view, table, process, INV_F_EPROCESS_ExceptionPortData);
	add_record(view, table, session, process);
	bool registered = !port.ok || port.u;
	bool is_csrss = session->csrss == process;
	inv_table_text(table, registered ? NULL : is_csrss ? "it is csrss" : why_unregistered(view, process));
	inv_table_value(table, &job, INV_CELL_ADDRESS);
	inv_table_value(table, &silo, INV_CELL_ADDRESS);
	inv_table_address(table, process->address);
}

static struct inv_table *process_table(const struct view *view, struct one_session *sessions)
{
	static const char *const columns[] = {"session",    "pid",    "name", "state", "class", "gui",    "graphics",
	                                      "registered", "record", "why",  "job",   "silo",  "address"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < inv_count(sessions); i++)
		for (size_t j = 0; j < inv_count(sessions[i].members); j++)
			add_process(view, table, &sessions[i], sessions[i].members[j]);
	return table;
}

// -- desktops ---------------------------------------------------------------------------------------------------------------

// Who has threads on a desktop. The members stand in the order of the desktops: *next is the first that was not looked at.
static const char *processes_on(const struct view *view, const struct inv_win32k *win32k, size_t desktop, size_t *next,
                                size_t *threads)
{
	const char *all = "";
	const struct inv_dossier *last = NULL;
	size_t shown = 0, most = 64;
	*threads = 0;
	for (; *next < inv_count(win32k->members) && win32k->members[*next].desktop == desktop; ++*next) {
		const struct inv_desktop_thread *member = &win32k->members[*next];
		++*threads;
		struct inv_value owner =
		    member->thread.ok ? inv_field(view->kernel, member->thread.u, INV_F_KTHREAD_Process) : member->thread;
		const struct inv_dossier *process = owner.ok ? inv_dossier_at(&view->check->dossiers, owner.u) : NULL;
		if (!process || process == last || shown == most)
			continue;
		all = inv_arena_printf(view->arena, "%s%s%s", all, *all ? ", " : "", name_of(view, process));
		last = process;
		shown++;
	}
	return all;
}

static struct inv_table *desktop_table(const struct view *view)
{
	static const char *const columns[] = {"session",   "desktop",      "threads", "complete",
	                                      "processes", "seen_through", "address"};
	struct inv_table *table = inv_table_new(columns, sizeof columns / sizeof *columns);
	const struct inv_win32k *win32k = view->check->testimony->win32k;
	size_t next = 0;
	for (size_t i = 0; win32k && i < inv_count(win32k->desktops); i++) {
		const struct inv_desktop *desktop = &win32k->desktops[i];
		const struct inv_dossier *eyes = desktop->eyes ? inv_dossier_at(&view->check->dossiers, desktop->eyes) : NULL;
		size_t threads;
		const char *processes = processes_on(view, win32k, i, &next, &threads);
		inv_table_value(table, &desktop->session, INV_CELL_NUMBER);
		inv_table_text(table, *desktop->name ? desktop->name : NULL);
		inv_table_number(table, threads);
		inv_table_text(table, desktop->closed ? "yes" : "no");
		inv_table_text(table, *processes ? processes : NULL);
		inv_table_text(table, eyes ? name_of(view, eyes) : NULL);
		inv_table_address(table, desktop->address);
	}
	return table;
}

// -- jobs -------------------------------------------------------------------------------------------------------------------

struct tree {
	const struct view *view;
	struct inv_table *table;
	uint64_t *parents; // stb_ds, of each job
	bool *shown;       // stb_ds
	size_t *first;     // stb_ds: the first job within each
	size_t *next;      // stb_ds: the next within the same
};

static void add_members(const struct tree *tree, const struct inv_group_record *job)
{
	uint64_t offset;
	size_t shown = 0, most = 64;
	if (!inv_field_address(tree->view->kernel, 0, INV_F_EPROCESS_JobLinks, &offset)) {
		inv_table_text(tree->table, NULL);
		return;
	}
	const char *all = "";
	for (size_t i = 0; i < job->members.count && shown < most; i++, shown++) {
		const struct inv_dossier *process =
		    inv_dossier_at(&tree->view->check->dossiers, job->members.nodes[i].entry - offset);
		all = inv_arena_printf(tree->view->arena, "%s%s%s", all, *all ? ", " : "",
		                       process ? name_of(tree->view, process) : "not known");
	}
	if (shown < job->members.count)
		all = inv_arena_printf(tree->view->arena, "%s and %zu more", all, job->members.count - shown);
	inv_table_text(tree->table, all);
}

static void add_job(const struct tree *tree, size_t index, unsigned depth)
{
	const struct inv_kernel *kernel = tree->view->kernel;
	const struct inv_group_record *job = &tree->view->check->testimony->jobs[index];
	struct inv_value active = inv_field(kernel, job->address, INV_F_EJOB_ActiveProcesses);
	struct inv_value session = inv_field(kernel, job->address, INV_F_EJOB_SessionId);
	struct inv_value globals = inv_field(kernel, job->address, INV_F_EJOB_ServerSiloGlobals);
	inv_table_text(tree->table, inv_arena_printf(tree->view->arena, "%*s0x%" PRIx64, 2 * (int)depth, "", job->address));
	inv_table_address(tree->table, tree->parents[index]);
	inv_table_number(tree->table, depth);
	inv_table_value(tree->table, &session, INV_CELL_NUMBER);
	inv_table_value(tree->table, &active, INV_CELL_NUMBER);
	inv_table_text(tree->table, job->named ? "yes" : "no");
	inv_table_value(tree->table, &globals, INV_CELL_ADDRESS);
	add_members(tree, job);
	tree->shown[index] = true;
}

// A job and those within it, without recursion. `links` tells of each job the first within it and the next within the same.
static void add_tree(const struct tree *tree, size_t root)
{
	size_t stack[INV_JOB_DEPTH + 1];
	unsigned depth = 0;
	stack[0] = tree->first[root];
	add_job(tree, root, 0);
	for (;;) {
		size_t job = stack[depth];
		if (job == NO_JOB) {
			if (depth-- == 0)
				return;
			continue;
		}
		stack[depth] = tree->next[job];
		if (tree->shown[job])
			continue;
		add_job(tree, job, depth + 1);
		if (depth < INV_JOB_DEPTH)
			stack[++depth] = tree->first[job];
	}
}

// Who is within whom; of those within the same, in the order of their addresses.
static void link_jobs(struct tree *tree)
{
	const struct inv_group_record *jobs = tree->view->check->testimony->jobs;
	for (size_t i = 0; i < inv_count(jobs); i++) {
		struct inv_value parent = inv_field(tree->view->kernel, jobs[i].address, INV_F_EJOB_ParentJob);
		inv_push(tree->parents, parent.ok ? parent.u : 0);
		inv_push(tree->shown, false);
		inv_push(tree->first, NO_JOB);
		inv_push(tree->next, NO_JOB);
	}
	for (size_t i = inv_count(jobs); i-- > 0;) {
		const struct inv_group_record *parent = inv_group_at(jobs, tree->parents[i]);
		if (!parent)
			continue;
		tree->next[i] = tree->first[parent - jobs];
		tree->first[parent - jobs] = i;
	}
}

static struct inv_table *job_table(const struct view *view)
{
	static const char *const columns[] = {"job", "within", "depth", "session", "active", "listed", "silo", "processes"};
	const struct inv_group_record *jobs = view->check->testimony->jobs;
	struct tree tree = {.view = view, .table = inv_table_new(columns, sizeof columns / sizeof *columns)};
	link_jobs(&tree);
	for (size_t i = 0; i < inv_count(jobs); i++)
		if (!inv_group_at(jobs, tree.parents[i]))
			add_tree(&tree, i);
	for (size_t i = 0; i < inv_count(jobs); i++) // those within each other in a ring
		if (!tree.shown[i])
			add_tree(&tree, i);
	inv_array_free(tree.parents);
	inv_array_free(tree.shown);
	inv_array_free(tree.first);
	inv_array_free(tree.next);
	return tree.table;
}

// -- the command ------------------------------------------------------------------------------------------------------------

static void write_part(const struct view *view, const struct inv_table *table, const char *title)
{
	if (inv_table_is_empty(table))
		return;
	fprintf(view->file, "%s%s\n", *title ? "\n" : "", title);
	inv_table_write(table, INV_OUTPUT_TEXT, view->file);
}

static void write_all(const struct view *view, struct one_session *sessions)
{
	struct inv_table *list = session_table(view, sessions), *processes = process_table(view, sessions);
	struct inv_table *jobs = job_table(view), *desktops = desktop_table(view);
	if (view->output == INV_OUTPUT_CSV) {
		inv_table_write(processes, view->output, view->file);
	} else if (view->output == INV_OUTPUT_TEXT) {
		inv_table_write(list, INV_OUTPUT_TEXT, view->file);
		write_part(view, processes, "Processes");
		write_part(view, desktops, "Desktops");
		write_part(view, jobs, "Jobs");
	} else {
		json_t *object = json_object();
		json_object_set_new(object, "sessions", inv_table_json(list));
		json_object_set_new(object, "processes", inv_table_json(processes));
		json_object_set_new(object, "desktops", inv_table_json(desktops));
		json_object_set_new(object, "jobs", inv_table_json(jobs));
		json_dumpf(object, view->file, view->output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
		putc('\n', view->file);
		json_decref(object);
	}
	inv_table_free(list);
	inv_table_free(processes);
	inv_table_free(desktops);
	inv_table_free(jobs);
}

enum inv_exit inv_run_sessions(struct inv_session *session, struct inv_error *error)
{
	(void)error;
	struct inv_check_options how = {.swept = true, .threads = session->options->threads}; // desktops are found so
	struct inv_check *check = inv_check_run(session->kernel, &how);
	struct inv_class_books books;
	struct view view = {.kernel = session->kernel,
	                    .check = check,
	                    .arena = inv_arena_new(),
	                    .areas = inv_control_areas_new(session->kernel),
	                    .books = &books,
	                    .output = session->options->output,
	                    .file = session->out};
	check->views = inv_views_read(&check->dossiers, view.areas, session->options->threads);
	check->dossiers.views = check->views;
	inv_class_books_read(&check->dossiers, &books);
	inv_sort_backlinks(check->testimony);
	struct one_session *sessions = all_sessions(&view);
	for (size_t i = 0; i < inv_count(sessions); i++)
		prove_session(&view, &sessions[i]);
	write_all(&view, sessions);
	for (size_t i = 0; i < inv_count(sessions); i++)
		inv_array_free(sessions[i].members);
	inv_array_free(sessions);
	inv_class_books_free(&books);
	inv_control_areas_free(view.areas);
	inv_arena_free(view.arena);
	inv_check_free(check);
	return INV_EXIT_OK;
}
