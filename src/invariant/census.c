// SPDX-License-Identifier: Apache-2.0
// The half of L13 that is about tokens and jobs: what the object manager counts against what anybody knows.

#include "base/array.h"
#include "base/numbers.h"
#include "invariant/families.h"

// ClientSecurity.ImpersonationData holds level and flags in its low bits (public practice).
#define IMPERSONATION_FLAGS 7u

static const struct inv_testimony *testimony_of(const struct inv_judge *judge)
{
	return judge->dossiers->testimony;
}

// Those that the sweep found and nobody else knows.
static size_t count_others(const uint64_t *known, const uint64_t *swept)
{
	size_t others = 0;
	for (size_t i = 0; i < inv_count(swept); i++)
		others += !inv_numbers_have(known, swept[i]);
	return others;
}

// Referenced, and a token by its header: a pointer to anything else is not for a counter to judge.
static bool is_token(const struct inv_judge *judge, uint64_t object)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	struct inv_value index = inv_object_type_index(judge->kernel, types, inv_object_header(judge->kernel, object));
	struct inv_value references = inv_object_field(judge->kernel, object, INV_F_OBJECT_HEADER_PointerCount);
	return index.ok && types->token_id.ok && index.u == types->token_id.u && references.ok && references.u != 0;
}

static void add_token(const struct inv_judge *judge, uint64_t **tokens, uint64_t token)
{
	if (token && is_token(judge, token))
		inv_push(*tokens, token);
}

static uint64_t *known_tokens(const struct inv_judge *judge)
{
	const struct inv_dossiers *dossiers = judge->dossiers;
	uint64_t *tokens = NULL;
	for (size_t i = 0; i < dossiers->process_count; i++) {
		const struct inv_dossier *process = &dossiers->processes[i];
		struct inv_value token = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Token);
		if (inv_is_live(process) && token.ok)
			add_token(judge, &tokens, token.u);
	}
	for (size_t i = 0; i < dossiers->thread_count; i++) {
		uint64_t thread = dossiers->threads[i].address;
		struct inv_value active = inv_field(judge->kernel, thread, INV_F_ETHREAD_ActiveImpersonationInfo);
		struct inv_value data = inv_field(judge->kernel, thread, INV_F_ETHREAD_ImpersonationData);
		if (active.ok && active.u && data.ok)
			add_token(judge, &tokens, data.u & ~(uint64_t)IMPERSONATION_FLAGS);
	}
	for (size_t i = 0; i < inv_count(testimony_of(judge)->named_tokens); i++)
		add_token(judge, &tokens, testimony_of(judge)->named_tokens[i]);
	inv_numbers_keep_once(tokens);
	return tokens;
}

// What lies in paged pool may be in no image, and what only the kernel refers to cannot be listed.
static const char *why_more_tokens(const struct inv_judge *judge, const struct inv_value *type)
{
	struct inv_value pool = {0};
	if (type->ok)
		pool = inv_field(judge->kernel, type->u, INV_F_OBJECT_TYPE_PoolType);
	if (!pool.ok)
		return "whether tokens lie in paged pool is not known";
	if (pool.u & 1)
		return "tokens lie in paged pool, and those that only the kernel itself refers to cannot be listed";
	return testimony_of(judge)->sweep ? NULL : "memory was not swept for tokens";
}

static void judge_tokens(struct inv_judge *judge)
{
	const struct inv_object_types *types = &testimony_of(judge)->types;
	if (types->unknown) {
		inv_unknown_because(judge, types->unknown);
		return;
	}
	uint64_t *known = known_tokens(judge);
	struct inv_census census = {.name = "Token",
	                            .type = types->token,
	                            .index = types->token_id,
	                            .certain = inv_count(known),
	                            .possible = count_others(known, testimony_of(judge)->swept_tokens),
	                            .more_unknown = why_more_tokens(judge, &types->token)};
	inv_judge_census(judge, &census);
	inv_array_free(known);
}

static void judge_jobs(struct inv_judge *judge)
{
	const struct inv_testimony *testimony = testimony_of(judge);
	const struct inv_list *list = &testimony->job_list;
	if (testimony->coverage[INV_W_JOB_LIST].voided || list->head == 0 || !list->closed) {
		inv_unknown_because(judge, "PspJobList could not be read to its end");
		return;
	}
	uint64_t *known = NULL;
	size_t certain = 0;
	for (size_t i = 0; i < inv_count(testimony->jobs); i++) { // what a process alone names may be no job at all
		inv_push(known, testimony->jobs[i].address);
		certain += testimony->jobs[i].named;
	}
	for (size_t i = 0; i < inv_count(testimony->named_jobs); i++)
		inv_push(known, testimony->named_jobs[i]);
	inv_numbers_keep_once(known);
	struct inv_census census = {.name = "Job",
	                            .type = testimony->types.job,
	                            .index = testimony->types.job_id,
	                            .certain = certain,
	                            .possible = inv_count(known) - certain + count_others(known, testimony->swept_jobs),
	                            .more_probable =
	                                "that every job is on PspJobList as long as it exists is not verified on Windows"};
	inv_judge_census(judge, &census);
	inv_array_free(known);
}

void inv_judge_token_census(struct inv_judge *judge)
{
	judge_tokens(judge);
	judge_jobs(judge);
}
