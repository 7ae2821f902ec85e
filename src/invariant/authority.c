// SPDX-License-Identifier: Apache-2.0
// Family 7: what threads and processes may do.
#include "invariant/families.h"

static void judge_impersonation(struct inv_judge *judge, const struct inv_thread_dossier *thread)
{
	struct inv_value active = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ActiveImpersonationInfo);
	struct inv_value data = inv_field(judge->kernel, thread->address, INV_F_ETHREAD_ImpersonationData);
	if (!inv_need(judge, &active) || !inv_need(judge, &data))
		return;
	if ((active.u != 0) == (data.u != 0)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_thread(judge->dossiers, thread), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_ETHREAD_ActiveImpersonationInfo, &active, "the thread %s someone",
	               active.u ? "impersonates" : "does not impersonate");
	inv_field_says(judge, finding, INV_F_ETHREAD_ImpersonationData, &data, "%s",
	               data.u ? "yet it carries another token" : "yet it carries no other token");
}

void inv_judge_K07(struct inv_judge *judge)
{
	inv_each_thread(judge, judge_impersonation);
}
