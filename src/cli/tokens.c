// SPDX-License-Identifier: Apache-2.0
// Access tokens: one line each, or all that stands in that of one process.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "cli/command.h"
#include "invariant/bearers.h"
#include "nt/accounts.h"
#include "nt/token.h"
#include "report/json.h"

struct listing {
	const struct inv_session *session;
	struct inv_accounts accounts;
	const struct inv_check *check;
	struct inv_arena *arena;
	struct inv_table *table;
};

// -- words ------------------------------------------------------------------------------------------------------------------

static const char *sid_text(const struct listing *listing, const struct inv_sid *sid)
{
	char text[INV_SID_TEXT_SIZE];
	return inv_arena_strdup(listing->arena, inv_sid_format(sid, text));
}

// A SID, its name, and by what it has that.
static void add_named(const struct listing *listing, const struct inv_sid *sid, const char *account)
{
	enum inv_account_source source;
	const char *name = inv_account_name(&listing->accounts, sid, &source);
	if (!name && account && *account) {
		name = account;
		source = INV_ACCOUNT_SESSION;
	}
	inv_table_text(listing->table, sid_text(listing, sid));
	inv_table_text(listing->table, name);
	inv_table_text(listing->table, inv_account_source_name(source));
}

// The account of the token's logon session; "": it has none that can be read.
static const char *session_account(const struct listing *listing, const struct inv_token *token)
{
	return token->logon_session.ok ? inv_logon_account(listing->check->kernel, token->logon_session.u, listing->arena)
	                               : "";
}

// `account` is that of the token's logon session, for the SID of its user.
static void add_sid(const struct listing *listing, const struct inv_token_sid *entry, const char *account)
{
	if (entry->ok) {
		add_named(listing, &entry->sid, account);
		return;
	}
	if (entry->why.reason == INV_PRESENT)
		inv_table_text(listing->table, "(no SID)");
	else
		inv_table_absent(listing->table, &entry->why);
	inv_table_text(listing->table, NULL);
	inv_table_text(listing->table, NULL);
}

static void add_user(const struct listing *listing, const struct inv_token *token, const char *account)
{
	if (token->groups.read) {
		add_sid(listing, &token->groups.sids[0], account);
		return;
	}
	if (token->groups.why.reason == INV_PRESENT)
		inv_table_text(listing->table, NULL);
	else
		inv_table_absent(listing->table, &token->groups.why);
	inv_table_text(listing->table, NULL);
	inv_table_text(listing->table, NULL);
}

static void add_integrity(const struct listing *listing, const struct inv_token *token)
{
	uint32_t level;
	if (!inv_token_integrity(token, &level))
		inv_table_text(listing->table, NULL);
	else if (inv_integrity_name(level))
		inv_table_text(listing->table, inv_integrity_name(level));
	else
		inv_table_text(listing->table, inv_arena_printf(listing->arena, "0x%" PRIx32, level));
}

static const char *level_name(uint64_t level)
{
	static const char *const names[] = {"anonymous", "identification", "impersonation", "delegation"};
	return level < sizeof names / sizeof *names ? names[level] : "no level";
}

static void add_type(const struct listing *listing, const struct inv_token *token)
{
	if (!token->type.ok)
		inv_table_absent(listing->table, &token->type.why);
	else if (token->type.u == INV_TOKEN_PRIMARY)
		inv_table_text(listing->table, "primary");
	else if (token->type.u == INV_TOKEN_IMPERSONATION && token->level.ok)
		inv_table_text(listing->table, level_name(token->level.u));
	else
		inv_table_text(listing->table, inv_arena_printf(listing->arena, "type %" PRIu64, token->type.u));
}

// What is unusual about these privileges.
static const char *unusual(const struct inv_token *token, uint64_t bits)
{
	uint32_t level;
	uint64_t present = token->present.u & bits, enabled = token->enabled.u & bits;
	if (enabled & ~present)
		return "enabled, not present";
	if (present & ~INV_PRIVILEGES)
		return "not defined";
	if (inv_token_integrity(token, &level) && level < INV_INTEGRITY_HIGH && present & INV_PRIVILEGES_OF_ADMINISTRATORS)
		return "too much for its integrity";
	return NULL;
}

static const char *notes(const struct listing *listing, const struct inv_token *token)
{
	const char *privileges = unusual(token, UINT64_MAX);
	const char *text = privileges ? inv_arena_printf(listing->arena, "privileges: %s", privileges) : "";
	const struct {
		bool is;
		const char *name;
	} marks[] = {{token->restricted.count.ok && token->restricted.count.u, "restricted"},
	             {token->package_at.ok && token->package_at.u, "AppContainer"},
	             {token->groups.why.reason == INV_PRESENT && !token->groups.complete && token->groups.count.ok,
	              "not all SIDs are SIDs"}};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (marks[i].is)
			text = inv_arena_printf(listing->arena, "%s%s%s", text, *text ? ", " : "", marks[i].name);
	return *text ? text : NULL;
}

// -- one line a token -------------------------------------------------------------------------------------------------------

static void add_bearer(const struct listing *listing, const struct inv_bearer *bearer)
{
	const struct inv_dossier *process = bearer->subject.process;
	static const char *const kinds[] = {"process", "thread", "handle"};
	inv_table_text(listing->table, kinds[bearer->kind]);
	if (process)
		inv_table_value(listing->table, &process->pid, INV_CELL_NUMBER);
	else
		inv_table_text(listing->table, NULL);
	if (bearer->kind == INV_BEARER_THREAD && bearer->subject.thread)
		inv_table_value(listing->table, &bearer->subject.thread->cid_thread, INV_CELL_NUMBER);
	else
		inv_table_text(listing->table, NULL);
	inv_table_text(listing->table, process ? process->name : NULL);
}

static void add_row(const struct listing *listing, const struct inv_bearer *bearer)
{
	struct inv_token token;
	inv_token_read(listing->check->kernel, bearer->token, listing->arena, &token);
	add_bearer(listing, bearer);
	inv_table_address(listing->table, bearer->token);
	const char *account = session_account(listing, &token);
	add_user(listing, &token, account);
	add_integrity(listing, &token);
	add_type(listing, &token);
	inv_table_value(listing->table, &token.session, INV_CELL_NUMBER);
	inv_table_value(listing->table, &token.authentication_id, INV_CELL_ADDRESS);
	inv_table_text(listing->table, *account ? account : NULL);
	inv_table_value(listing->table, &token.origin, INV_CELL_ADDRESS);
	inv_table_text(listing->table, *token.source ? token.source : NULL);
	inv_table_value(listing->table, &token.present, INV_CELL_ADDRESS);
	inv_table_value(listing->table, &token.enabled, INV_CELL_ADDRESS);
	inv_table_text(listing->table, notes(listing, &token));
}

static const char *const columns[] = {
    "of",   "pid",     "tid",   "name",          "token",  "user",   "account", "named by", "integrity",
    "type", "session", "logon", "logon account", "origin", "source", "present", "enabled",  "notes"};

static struct inv_table *token_table(struct listing *listing, const struct inv_dossier *process)
{
	struct inv_judge judge = {.dossiers = &listing->check->dossiers, .kernel = listing->check->kernel};
	struct inv_bearer *bearers = inv_bearers(&judge, false);
	listing->table = inv_table_new(columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < inv_count(bearers); i++)
		if (!process || bearers[i].subject.process == process)
			add_row(listing, &bearers[i]);
	inv_array_free(bearers);
	return listing->table;
}

// -- all of one -------------------------------------------------------------------------------------------------------------

// SE_GROUP_... (winnt.h)
static const char *attribute_text(const struct listing *listing, uint32_t attributes)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{0x1, "mandatory"},
	             {0x2, "by default"},
	             {0x4, "enabled"},
	             {0x8, "owner"},
	             {0x10, "deny only"},
	             {0x20, "integrity"},
	             {0x40, "integrity enabled"},
	             {0x20000000, "resource"},
	             {0xc0000000, "logon"}};
	const char *text = "";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((attributes & names[i].bit) == names[i].bit)
			text = inv_arena_printf(listing->arena, "%s%s%s", text, *text ? ", " : "", names[i].name);
	return text;
}

static void add_sids(const struct listing *listing, const struct inv_token_sids *sids, const char *list,
                     const char *account)
{
	for (size_t i = 0; i < sids->read; i++) {
		const char *role = list ? list : i ? "group" : "user";
		inv_table_text(listing->table, role);
		add_sid(listing, &sids->sids[i], i || list ? NULL : account);
		inv_table_text(listing->table, attribute_text(listing, sids->sids[i].attributes));
	}
}

static struct inv_table *sid_table(struct listing *listing, const struct inv_token *token)
{
	static const char *const heads[] = {"list", "sid", "name", "named by", "attributes"};
	const char *account = session_account(listing, token);
	listing->table = inv_table_new(heads, sizeof heads / sizeof *heads);
	add_sids(listing, &token->groups, NULL, account);
	add_sids(listing, &token->restricted, "restricted", NULL);
	add_sids(listing, &token->capabilities, "capability", NULL);
	if (token->has_package) {
		inv_table_text(listing->table, "package");
		add_named(listing, &token->package, NULL);
		inv_table_text(listing->table, NULL);
	}
	return listing->table;
}

// -- all SIDs of all --------------------------------------------------------------------------------------------------------

struct whose {
	const struct inv_dossier *process;
	uint64_t token;
};

static void begin_sid(const struct listing *listing, const struct whose *whose, const char *list, size_t index)
{
	inv_table_value(listing->table, &whose->process->pid, INV_CELL_NUMBER);
	if (whose->process->name_value.ok)
		inv_table_text(listing->table, whose->process->name);
	else
		inv_table_absent(listing->table, &whose->process->name_value.why);
	inv_table_address(listing->table, whose->token);
	inv_table_text(listing->table, list);
	inv_table_number(listing->table, index);
}

// What is not shown of a list has a row that says so.
static void add_all_of(const struct listing *listing, const struct whose *whose, const struct inv_token_sids *sids,
                       const char *list, const char *account)
{
	for (size_t i = 0; i < sids->read; i++) {
		begin_sid(listing, whose, list ? list : i ? "group" : "user", i);
		add_sid(listing, &sids->sids[i], i || list ? NULL : account);
		inv_table_text(listing->table, attribute_text(listing, sids->sids[i].attributes));
	}
	bool more = sids->count.ok && sids->count.u > sids->read;
	if (!more && (sids->read || sids->why.reason == INV_PRESENT))
		return;
	begin_sid(listing, whose, list ? list : sids->read ? "group" : "user", sids->read);
	if (sids->why.reason != INV_PRESENT)
		inv_table_absent(listing->table, &sids->why);
	else
		inv_table_text(listing->table,
		               inv_arena_printf(listing->arena, "(%" PRIu64 " more)", sids->count.u - sids->read));
	for (int i = 0; i < 3; i++)
		inv_table_text(listing->table, NULL);
}

static void add_all_sids(const struct listing *listing, const struct inv_bearer *bearer)
{
	struct whose whose = {bearer->subject.process, bearer->token};
	struct inv_token token;
	inv_token_read(listing->check->kernel, bearer->token, listing->arena, &token);
	add_all_of(listing, &whose, &token.groups, NULL, session_account(listing, &token));
	add_all_of(listing, &whose, &token.restricted, "restricted", NULL);
	add_all_of(listing, &whose, &token.capabilities, "capability", NULL);
	if (!token.has_package)
		return;
	begin_sid(listing, &whose, "package", 0);
	add_named(listing, &token.package, NULL);
	inv_table_text(listing->table, NULL);
}

static struct inv_table *all_sids_table(struct listing *listing, const struct inv_dossier *process)
{
	static const char *const heads[] = {"pid", "process", "token",    "list",      "number",
	                                    "sid", "name",    "named by", "attributes"};
	struct inv_judge judge = {.dossiers = &listing->check->dossiers, .kernel = listing->check->kernel};
	struct inv_bearer *bearers = inv_bearers(&judge, false);
	listing->table = inv_table_new(heads, sizeof heads / sizeof *heads);
	for (size_t i = 0; i < inv_count(bearers); i++)
		if (bearers[i].kind == INV_BEARER_PROCESS && bearers[i].subject.process &&
		    (!process || bearers[i].subject.process == process))
			add_all_sids(listing, &bearers[i]);
	inv_array_free(bearers);
	return listing->table;
}

static struct inv_table *privilege_table(struct listing *listing, const struct inv_token *token)
{
	static const char *const heads[] = {"bit", "privilege", "present", "enabled", "by default", "purpose", "note"};
	const struct inv_value *masks[] = {&token->present, &token->enabled, &token->by_default};
	listing->table = inv_table_new(heads, sizeof heads / sizeof *heads);
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t mask = UINT64_C(1) << bit;
		if (!((token->present.u | token->enabled.u | token->by_default.u) & mask))
			continue;
		inv_table_number(listing->table, bit);
		inv_table_text(listing->table, inv_privilege_name(bit));
		for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
			if (masks[i]->ok)
				inv_table_text(listing->table, masks[i]->u & mask ? "yes" : "no");
			else
				inv_table_absent(listing->table, &masks[i]->why);
		inv_table_text(listing->table, inv_privilege_purpose(bit));
		inv_table_text(listing->table, unusual(token, mask));
	}
	return listing->table;
}

static void write_part(struct inv_table *table, const char *title, FILE *file)
{
	if (!inv_table_is_empty(table)) {
		fprintf(file, "\n%s\n", title);
		inv_table_write(table, INV_OUTPUT_TEXT, file);
	}
}

static void write_one(struct listing *listing, const struct inv_dossier *process)
{
	enum inv_output output = listing->session->options->output;
	FILE *file = listing->session->out;
	struct inv_token token;
	struct inv_value address = inv_field(listing->check->kernel, process->address, INV_F_EPROCESS_Token);
	inv_token_read(listing->check->kernel, address.ok ? address.u : 0, listing->arena, &token);
	struct inv_table *tokens = token_table(listing, process), *sids = sid_table(listing, &token);
	struct inv_table *privileges = privilege_table(listing, &token);
	if (output == INV_OUTPUT_CSV) {
		inv_table_write(tokens, output, file);
	} else if (output == INV_OUTPUT_TEXT) {
		inv_table_write(tokens, output, file);
		write_part(sids, "SIDs of the primary token", file);
		write_part(privileges, "Privileges of the primary token", file);
	} else {
		json_t *object = json_object();
		json_object_set_new(object, "tokens", inv_table_json(tokens));
		json_object_set_new(object, "sids", inv_table_json(sids));
		json_object_set_new(object, "privileges", inv_table_json(privileges));
		json_dumpf(object, file, output == INV_OUTPUT_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
		putc('\n', file);
		json_decref(object);
	}
	inv_table_free(tokens);
	inv_table_free(sids);
	inv_table_free(privileges);
}

// What of a hive is not known.
static void warn_of_hive(const struct listing *listing, const struct inv_account_hive *hive, const char *what)
{
	const struct inv_hive_coverage *coverage = &hive->coverage;
	const struct inv_log *log = listing->session->log;
	const char *why = coverage->why.reason == INV_PRESENT ? "" : inv_absence_name(coverage->why.reason);
	if (!hive->address)
		inv_log(log, INV_LOG_WARNING, "no %s: no hive %s is on the list of hives", what, hive->path);
	else if (!hive->found)
		inv_log(log, INV_LOG_WARNING, "no %s: %s\\%s %s%s", what, hive->path, hive->key,
		        *why            ? "could not be read: "
		        : coverage->odd ? "could not be read"
		                        : "is not there",
		        why);
	else if (coverage->unreadable)
		inv_log(log, INV_LOG_WARNING, "not all %s are known: of %s %zu of %zu cells could not be read%s%s", what,
		        hive->path, coverage->unreadable, coverage->read, *why ? ": " : "", why);
	if (coverage->bounded)
		inv_log(log, INV_LOG_WARNING, "not all %s are known: %s has more than are read", what, hive->path);
	if (hive->address && coverage->odd)
		inv_log(log, INV_LOG_WARNING, "%s: %zu cells are not what leads to them says", hive->path, coverage->odd);
}

static void warn_of_hives(const struct listing *listing)
{
	const struct inv_hives *hives = &listing->accounts.hives;
	const struct inv_log *log = listing->session->log;
	if (hives->unknown || (!inv_count(hives->hives) && hives->complete)) {
		inv_log(log, INV_LOG_WARNING, "no names by the registry: %s",
		        hives->unknown ? hives->unknown : "no hive is listed");
		return;
	}
	if (!hives->complete)
		inv_log(log, INV_LOG_WARNING, "the list of hives is not whole: %s",
		        hives->odd ? hives->odd : inv_absence_name(hives->why.reason));
	warn_of_hive(listing, &listing->accounts.software, "profiles");
	warn_of_hive(listing, &listing->accounts.system, "services");
}

static void warn(const struct listing *listing)
{
	struct inv_logon_sessions sessions;
	inv_logon_sessions_read(listing->check->kernel, &sessions);
	if (sessions.unknown)
		inv_log(listing->session->log, INV_LOG_WARNING, "logon sessions: %s", sessions.unknown);
	inv_logon_sessions_free(&sessions);
	warn_of_hives(listing);
}

enum inv_exit inv_run_tokens(struct inv_session *session, struct inv_error *error)
{
	struct inv_check_options how = {0};
	struct inv_check *check = NULL;
	const struct inv_dossier *process = NULL;
	if (session->options->argument_count > 1) {
		process = inv_pick_process(session, session->options->arguments[1], &how, &check, error);
		if (!process) {
			inv_check_free(check);
			return INV_EXIT_USAGE;
		}
	} else {
		check = inv_check_run(session->kernel, &how);
	}
	struct listing listing = {.session = session, .check = check, .arena = inv_arena_new()};
	inv_accounts_read(session->kernel, &listing.accounts);
	warn(&listing);
	if (process && !session->options->all) {
		write_one(&listing, process);
	} else {
		struct inv_table *table =
		    session->options->all ? all_sids_table(&listing, process) : token_table(&listing, NULL);
		inv_table_write(table, session->options->output, session->out);
		inv_table_free(table);
	}
	inv_accounts_free(&listing.accounts);
	inv_arena_free(listing.arena);
	inv_check_free(check);
	return INV_EXIT_OK;
}
