// SPDX-License-Identifier: Apache-2.0
// Family 7: who has which access token, of which session and logon.
#include <stdlib.h>

#include "base/array.h"
#include "base/numbers.h"
#include "invariant/bearers.h"
#include "nt/token.h"

#define TCB (UINT64_C(1) << 7) // SeTcbPrivilege

// -- who has what -----------------------------------------------------------------------------------------------------------

static int by_token(const void *a, const void *b)
{
	const struct inv_bearer *left = a, *right = b;
	if (left->token != right->token)
		return left->token < right->token ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return (left->subject.address > right->subject.address) - (left->subject.address < right->subject.address);
}

static struct inv_value token_of(const struct inv_judge *judge, const struct inv_dossier *process)
{
	return inv_field(judge->kernel, process->address, INV_F_EPROCESS_Token);
}

// What a thread impersonates by; 0: nobody, or it could not be read.
static uint64_t impersonated(const struct inv_judge *judge, uint64_t thread)
{
	struct inv_value active = inv_field(judge->kernel, thread, INV_F_ETHREAD_ActiveImpersonationInfo);
	struct inv_value data = inv_field(judge->kernel, thread, INV_F_ETHREAD_ImpersonationData);
	return active.ok && active.u && data.ok ? data.u & ~(uint64_t)INV_IMPERSONATION_FLAGS : 0;
}

static struct inv_bearer *process_bearers(const struct inv_judge *judge)
{
	struct inv_bearer *bearers = NULL;
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct inv_value token = token_of(judge, process);
		struct inv_bearer bearer = {token.u, INV_BEARER_PROCESS, inv_subject_process(process)};
		if (inv_is_live(process) && token.ok && token.u)
			inv_push(bearers, bearer);
	}
	return bearers;
}

static void sort(struct inv_bearer *bearers)
{
	if (bearers)
		qsort(bearers, inv_count(bearers), sizeof *bearers, by_token);
}

struct inv_bearer *inv_bearers(const struct inv_judge *judge, bool once)
{
	const struct inv_dossiers *dossiers = judge->dossiers;
	struct inv_bearer *bearers = process_bearers(judge);
	for (size_t i = 0; i < dossiers->thread_count; i++) {
		const struct inv_thread_dossier *thread = &dossiers->threads[i];
		struct inv_bearer bearer = {impersonated(judge, thread->address), INV_BEARER_THREAD,
		                            inv_subject_thread(dossiers, thread)};
		if (bearer.token)
			inv_push(bearers, bearer);
	}
	for (size_t i = 0; i < inv_count(dossiers->testimony->named_tokens); i++) {
		uint64_t token = dossiers->testimony->named_tokens[i];
		struct inv_bearer bearer = {token, INV_BEARER_HANDLE, inv_subject_other(INV_SUBJECT_LIST, token, "_TOKEN")};
		inv_push(bearers, bearer);
	}
	sort(bearers);
	size_t kept = 0;
	for (size_t i = 0; i < inv_count(bearers); i++)
		if (kept == 0 || bearers[kept - 1].token != bearers[i].token || (!once && bearers[i].kind != INV_BEARER_HANDLE))
			bearers[kept++] = bearers[i];
	if (bearers)
		stbds_arrsetlen(bearers, kept);
	return bearers;
}

enum inv_answer inv_is_token_object(const struct inv_judge *judge, uint64_t object)
{
	const struct inv_object_types *types = &judge->dossiers->testimony->types;
	struct inv_value index = inv_object_type_index(judge->kernel, types, inv_object_header(judge->kernel, object));
	if (types->unknown || !types->token_id.ok || !index.ok)
		return INV_UNSURE;
	return index.u == types->token_id.u ? INV_YES : INV_NO;
}

void inv_each_token(struct inv_judge *judge, void (*one)(struct inv_judge *judge, const struct inv_bearer *bearer))
{
	struct inv_bearer *bearers = inv_bearers(judge, true);
	for (size_t i = 0; i < inv_count(bearers); i++) {
		enum inv_answer token = inv_is_token_object(judge, bearers[i].token);
		if (token == INV_YES)
			one(judge, &bearers[i]);
		else
			inv_unknown_because(judge, token == INV_NO
			                               ? "what the token should be is no token, of which K01 or K07 tells"
			                               : "whether the token is one could not be read");
	}
	inv_array_free(bearers);
}

// -- K01 --------------------------------------------------------------------------------------------------------------------

// PspAllocateProcess gives it one, PspProcessDelete takes it away.
static void judge_no_token(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *token)
{
	if (inv_excuse_by_life(judge, process))
		return;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Token, token, "the process has no token");
	inv_tried(judge, finding, "creating", "it is inserted, has exited, or has threads");
	inv_tried(judge, finding, "deleting", "it is inserted, still referenced, or has threads");
}

static void judge_no_object(struct inv_judge *judge, const struct inv_dossier *process, const struct inv_value *token)
{
	struct inv_value index = inv_object_field(judge->kernel, token->u, INV_F_OBJECT_HEADER_TypeIndex);
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Token, token, "the process acts by this token");
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_TypeIndex, &index, "the object there is no token");
}

static void judge_primary(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value token = token_of(judge, process);
	if (!inv_need(judge, &token))
		return;
	if (token.u == 0) {
		judge_no_token(judge, process, &token);
		return;
	}
	enum inv_answer object = inv_is_token_object(judge, token.u);
	if (object == INV_NO) {
		judge_no_object(judge, process, &token);
		return;
	}
	struct inv_value references = inv_object_field(judge->kernel, token.u, INV_F_OBJECT_HEADER_PointerCount);
	struct inv_value type = inv_field(judge->kernel, token.u, INV_F_TOKEN_TokenType);
	struct inv_value in_use = inv_field(judge->kernel, token.u, INV_F_TOKEN_TokenInUse);
	if (!inv_need(judge, &references) || !inv_need(judge, &type) || !inv_need(judge, &in_use))
		return;
	if (references.u && type.u == INV_TOKEN_PRIMARY && in_use.u) {
		if (object == INV_YES)
			inv_holds(judge);
		else
			inv_unknown_because(judge, "whether the token is an object of its type could not be read");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Token, &token, "the process acts by this token");
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_PointerCount, &references, "%s",
	               references.u ? "the object is referenced" : "nobody refers to the object, as when it is deleted");
	inv_field_says(judge, finding, INV_F_TOKEN_TokenType, &type, "the token is %s",
	               type.u == INV_TOKEN_PRIMARY ? "a primary token" : "no primary token");
	inv_field_says(judge, finding, INV_F_TOKEN_TokenInUse, &in_use, "the token is %s process",
	               in_use.u ? "that of a" : "not that of any");
}

void inv_judge_K01(struct inv_judge *judge)
{
	inv_each_process(judge, judge_primary);
}

// -- K02 --------------------------------------------------------------------------------------------------------------------

static uint64_t session_id(const struct inv_judge *judge, const struct inv_dossier *process, struct inv_value *id)
{
	*id = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session);
	if (id->ok && id->u)
		*id = inv_field(judge->kernel, id->u, INV_F_MM_SESSION_SPACE_SessionId);
	return id->ok ? id->u : UINT64_MAX;
}

// Processes without a program, which the kernel makes itself.
static bool is_minimal(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value section = inv_field(judge->kernel, process->address, INV_F_EPROCESS_SectionObject);
	bool role = process->role == INV_ROLE_MINIMAL || process->role == INV_ROLE_REGISTRY ||
	            process->role == INV_ROLE_MEMORY_COMPRESSION || process->role == INV_ROLE_SECURE_SYSTEM ||
	            process->role == INV_ROLE_VM;
	return role && section.ok && section.u == 0;
}

// Whose the token is: System is proved by address; else the one process that is in the token's session. NULL: that cannot be told.
static const struct inv_dossier *owner_of(const struct inv_judge *judge, const struct inv_bearer *sharers, size_t count)
{
	struct inv_value session = inv_field(judge->kernel, sharers[0].token, INV_F_TOKEN_SessionId);
	const struct inv_dossier *in_session = NULL;
	size_t candidates = 0;
	for (size_t i = 0; i < count; i++) {
		const struct inv_dossier *process = sharers[i].subject.process;
		struct inv_value id;
		if (process->role == INV_ROLE_SYSTEM)
			return process;
		if (session.ok && session_id(judge, process, &id) == session.u) {
			in_session = process;
			candidates++;
		}
	}
	return candidates == 1 ? in_session : NULL;
}

static void report_sharer(struct inv_judge *judge, const struct inv_bearer *sharers, size_t count, size_t which)
{
	const struct inv_dossier *process = sharers[which].subject.process;
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value token = token_of(judge, process);
	inv_field_says(judge, finding, INV_F_EPROCESS_Token, &token, "the process acts by this token");
	for (size_t i = 0, said = 0; i < count && said < 4; i++) {
		const struct inv_dossier *other = sharers[i].subject.process;
		if (i == which)
			continue;
		said++;
		token = token_of(judge, other);
		inv_field_says(judge, finding, INV_F_EPROCESS_Token, &token, "so does process %llu %s at 0x%llx",
		               (unsigned long long)(other->pid.ok ? other->pid.u : 0), other->name,
		               (unsigned long long)other->address);
	}
	inv_tried(judge, finding, "boot-token", "it is not Idle, or another than System has the same token");
}

static bool has_idle(const struct inv_bearer *sharers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sharers[i].subject.process->role == INV_ROLE_IDLE)
			return true;
	return false;
}

static void judge_sharers(struct inv_judge *judge, const struct inv_bearer *sharers, size_t count)
{
	if (count == 1) {
		inv_holds(judge);
		return;
	}
	const struct inv_dossier *owner = owner_of(judge, sharers, count);
	if (count == 2 && (!owner || owner->role != INV_ROLE_SYSTEM) && has_idle(sharers, count)) {
		inv_unknown_because(judge, "the process that has the token of Idle, too, could not be proved to be System");
		inv_unknown_because(judge, "the process that has the token of Idle, too, could not be proved to be System");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct inv_dossier *process = sharers[i].subject.process;
		if (process == owner)
			inv_holds(judge); // it is this one's; who else has it stands accused
		else if (process->role == INV_ROLE_IDLE && owner && owner->role == INV_ROLE_SYSTEM)
			inv_excuse(judge, inv_subject_process(process), "boot-token");
		else if (is_minimal(judge, process) && owner && owner->role == INV_ROLE_SYSTEM)
			inv_unknown_because(judge, "whether processes without a program share the token of System is not verified");
		else
			report_sharer(judge, sharers, count, i);
	}
}

typedef void (*judge_group)(struct inv_judge *judge, const struct inv_bearer *sharers, size_t count);

// Processes by their token; those that have none, or of which it cannot be read, are unknown.
static void each_group(struct inv_judge *judge, judge_group group)
{
	for (size_t i = 0; i < judge->dossiers->process_count; i++) {
		const struct inv_dossier *process = &judge->dossiers->processes[i];
		struct inv_value token = token_of(judge, process);
		if (inv_is_live(process) && inv_need(judge, &token) && token.u == 0)
			inv_unknown_because(judge, "the process has no token, of which K01 tells");
	}
	struct inv_bearer *bearers = process_bearers(judge);
	sort(bearers);
	for (size_t i = 0, end; i < inv_count(bearers); i = end) {
		for (end = i + 1; end < inv_count(bearers) && bearers[end].token == bearers[i].token;)
			end++;
		group(judge, bearers + i, end - i);
	}
	inv_array_free(bearers);
}

void inv_judge_K02(struct inv_judge *judge)
{
	each_group(judge, judge_sharers);
}

// -- K03 --------------------------------------------------------------------------------------------------------------------

// Idle aside, which is in no session.
static bool is_shared(const struct inv_bearer *sharers, size_t count)
{
	size_t others = 0;
	for (size_t i = 0; i < count; i++)
		others += sharers[i].subject.process->role != INV_ROLE_IDLE;
	return others > 1;
}

// The process that made the session was in none before.
static bool is_first_of_session(const struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value session = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session);
	const struct inv_group_record *record =
	    session.ok ? inv_group_at(judge->dossiers->testimony->sessions, session.u) : NULL;
	uint64_t offset;
	return record && record->members.count &&
	       inv_field_address(judge->kernel, 0, INV_F_EPROCESS_SessionProcessLinks, &offset) &&
	       record->members.nodes[0].entry - offset == process->address;
}

// Why a token of another session may be honest; NULL: it may not.
static const char *why_other_session(const struct inv_judge *judge, const struct inv_dossier *process, uint64_t token,
                                     uint64_t session)
{
	struct inv_value present = inv_field(judge->kernel, token, INV_F_TOKEN_PrivilegesPresent);
	if (present.ok && present.u & TCB)
		return "who has SeTcbPrivilege may set the session of a token; whether also of its own is not verified";
	if (session == 0 && is_first_of_session(judge, process))
		return "whether the token of the process that makes a session goes with it into it is not verified";
	return NULL;
}

static void judge_session(struct inv_judge *judge, const struct inv_dossier *process, bool shared)
{
	struct inv_value token = token_of(judge, process), id;
	(void)session_id(judge, process, &id);
	struct inv_value session = inv_field(judge->kernel, token.u, INV_F_TOKEN_SessionId);
	if (!inv_need(judge, &id) || !inv_need(judge, &session))
		return;
	if (inv_is_token_object(judge, token.u) == INV_NO) {
		inv_unknown_because(judge, "what the token should be is no token, of which K01 tells");
		return;
	}
	if (session.u == id.u) {
		inv_holds(judge);
		return;
	}
	const char *why =
	    shared ? NULL : why_other_session(judge, process, token.u, session.u); // one that two have is nobody's own
	if (why) {
		inv_unknown_because(judge, why);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	struct inv_value in = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Session);
	inv_field_says(judge, finding, INV_F_EPROCESS_Token, &token, "the process acts by this token");
	inv_field_says(judge, finding, INV_F_TOKEN_SessionId, &session, "the session that the token is for");
	inv_field_says(judge, finding, INV_F_EPROCESS_Session, &in, "the process is in %s",
	               in.u ? "this session" : "no session, as in session 0");
	if (in.u)
		inv_field_says(judge, finding, INV_F_MM_SESSION_SPACE_SessionId, &id, "its number");
}

static void judge_sessions(struct inv_judge *judge, const struct inv_bearer *sharers, size_t count)
{
	bool shared = is_shared(sharers, count);
	for (size_t i = 0; i < count; i++)
		judge_session(judge, sharers[i].subject.process, shared);
}

void inv_judge_K03(struct inv_judge *judge)
{
	each_group(judge, judge_sessions);
}

// -- K04 --------------------------------------------------------------------------------------------------------------------

// What all tokens together say of SepLogonSessions.
struct logons {
	struct inv_logon_sessions table;
	size_t found, missing; // sessions that tokens name, each once
};

static void count_named(const struct inv_judge *judge, const struct inv_bearer *bearers, struct logons *logons)
{
	uint64_t *named = NULL;
	for (size_t i = 0; i < inv_count(bearers); i++) {
		struct inv_value session = inv_field(judge->kernel, bearers[i].token, INV_F_TOKEN_LogonSession);
		if (session.ok && session.u && inv_is_token_object(judge, bearers[i].token) == INV_YES)
			inv_push(named, session.u);
	}
	inv_numbers_sort(named);
	for (size_t i = 0; i < inv_count(named); i++) {
		if (i && named[i] == named[i - 1])
			continue;
		bool found = inv_logon_session_at(&logons->table, named[i]) != NULL;
		logons->found += found;
		logons->missing += !found;
	}
	inv_array_free(named);
}

static void report_logon(struct inv_judge *judge, const struct inv_bearer *bearer, const struct inv_value *session,
                         const struct inv_value *claimed, const struct inv_value *id, bool listed)
{
	struct inv_finding *finding = inv_broken(judge, bearer->subject, INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_TOKEN_AuthenticationId, claimed, "the logon session that the token is of");
	inv_field_says(judge, finding, INV_F_TOKEN_LogonSession, session, "where the token says that the session stands");
	inv_field_says(judge, finding, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId, id, "%s",
	               listed ? "the session there" : "what stands there is on no list of SepLogonSessions");
}

// Whether a session that no list shows is proof. That there are sixteen lists is not verified: if there were more, the others
// would be missing, too.
static const char *why_not_denied(const struct logons *logons)
{
	if (logons->table.unknown)
		return logons->table.unknown;
	if (!logons->table.complete)
		return "not all lists of SepLogonSessions could be read";
	if (logons->missing > 1 || logons->found < 2)
		return "several logon sessions that tokens name are not in the part of SepLogonSessions that is known";
	return NULL;
}

static void judge_logon(struct inv_judge *judge, const struct inv_bearer *bearer, const struct logons *logons)
{
	struct inv_value session = inv_field(judge->kernel, bearer->token, INV_F_TOKEN_LogonSession);
	struct inv_value claimed = inv_field(judge->kernel, bearer->token, INV_F_TOKEN_AuthenticationId);
	struct inv_value flags = inv_field(judge->kernel, bearer->token, INV_F_TOKEN_TokenFlags);
	if (!inv_need(judge, &session) || !inv_need(judge, &claimed) || !inv_need(judge, &flags))
		return;
	if (session.u == 0 || flags.u & INV_TOKEN_NOT_REFERENCED) {
		inv_unknown_because(judge, "the token does not refer to its logon session");
		return;
	}
	struct inv_value id = inv_field(judge->kernel, session.u, INV_F_SEP_LOGON_SESSION_REFERENCES_LogonId);
	if (!inv_need(judge, &id))
		return;
	bool listed = inv_logon_session_at(&logons->table, session.u) != NULL;
	const char *why = listed ? NULL : why_not_denied(logons);
	if (id.u == claimed.u && listed)
		inv_holds(judge);
	else if (id.u == claimed.u && why)
		inv_unknown_because(judge, why);
	else
		report_logon(judge, bearer, &session, &claimed, &id, listed || why);
}

void inv_judge_K04(struct inv_judge *judge)
{
	struct logons logons = {0};
	struct inv_bearer *bearers = inv_bearers(judge, true);
	inv_logon_sessions_read(judge->kernel, &logons.table);
	count_named(judge, bearers, &logons);
	for (size_t i = 0; i < inv_count(bearers); i++) {
		if (inv_is_token_object(judge, bearers[i].token) == INV_YES)
			judge_logon(judge, &bearers[i], &logons);
		else
			inv_unknown_because(judge,
			                    "whether the token is one could not be read, or K01 or K07 tells that it is none");
	}
	inv_logon_sessions_free(&logons.table);
	inv_array_free(bearers);
}

// -- K07 --------------------------------------------------------------------------------------------------------------------

static void report_halves(struct inv_judge *judge, const struct inv_thread_dossier *thread,
                          const struct inv_value *active, const struct inv_value *data)
{
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_ETHREAD_ActiveImpersonationInfo, active, "the thread %s someone",
	               active->u ? "impersonates" : "does not impersonate");
	inv_field_says(judge, finding, INV_F_ETHREAD_ImpersonationData, data, "%s",
	               data->u ? "yet it carries another token" : "yet it carries no other token");
}

// A server that tracks its client dynamically impersonates by the client's own token, which may be a primary one (as
// SeCreateClientSecurity is documented), and at a lower level than the token would allow.
static void judge_impersonated(struct inv_judge *judge, const struct inv_thread_dossier *thread,
                               const struct inv_value *data)
{
	uint64_t token = data->u & ~(uint64_t)INV_IMPERSONATION_FLAGS, stored = data->u & 3;
	struct inv_value type = inv_field(judge->kernel, token, INV_F_TOKEN_TokenType);
	struct inv_value level = inv_field(judge->kernel, token, INV_F_TOKEN_ImpersonationLevel);
	if (!inv_need(judge, &type) || !inv_need(judge, &level))
		return;
	if (type.u == INV_TOKEN_IMPERSONATION && level.u == stored) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_ETHREAD_ImpersonationData, data, "the thread impersonates at level %llu",
	               (unsigned long long)stored);
	inv_field_says(judge, finding, INV_F_TOKEN_TokenType, &type, "by %s",
	               type.u == INV_TOKEN_IMPERSONATION ? "a token for that" : "a token that is not for that");
	inv_field_says(judge, finding, INV_F_TOKEN_ImpersonationLevel, &level, "which allows this level");
}

static void judge_impersonation(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value active = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ActiveImpersonationInfo);
	struct inv_value data = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ImpersonationData);
	if (!inv_need(judge, &active) || !inv_need(judge, &data))
		return;
	if ((active.u != 0) != (data.u != 0)) {
		report_halves(judge, thread, &active, &data);
		return;
	}
	if (!active.u) {
		inv_holds(judge);
		return;
	}
	uint64_t token = data.u & ~(uint64_t)INV_IMPERSONATION_FLAGS;
	enum inv_answer object = inv_is_token_object(judge, token);
	if (object == INV_YES) {
		judge_impersonated(judge, thread, &data);
		return;
	}
	if (object == INV_UNSURE) {
		inv_unknown_because(judge, "whether a thread impersonates by a token could not be read");
		return;
	}
	struct inv_value index = inv_object_field(judge->kernel, token, INV_F_OBJECT_HEADER_TypeIndex);
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_ETHREAD_ImpersonationData, &data, "the thread impersonates by this");
	inv_field_says(judge, finding, INV_F_OBJECT_HEADER_TypeIndex, &index, "the object there is no token");
}

void inv_judge_K07(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_impersonation);
}
