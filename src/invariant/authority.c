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

// PS_PROTECTION: Type in bits 0..2 (0 none, 1 light, 2 full), Audit in bit 3, Signer in bits 4..7 (0 none to 8 App).
#define HIGHEST_TYPE 2u
#define HIGHEST_SIGNER 8u

static void judge_protection(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct inv_value protection = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Protection);
	struct inv_value level = inv_field(judge->kernel, process->address, INV_F_EPROCESS_SignatureLevel);
	struct inv_value minimal = inv_field(judge->kernel, process->address, INV_F_EPROCESS_Minimal);
	if (!inv_need(judge, &protection) || !inv_need(judge, &level) || !inv_need(judge, &minimal))
		return;
	uint64_t type = protection.u & 7, signer = protection.u >> 4 & 15;
	bool legal = type <= HIGHEST_TYPE && signer <= HIGHEST_SIGNER && (type == 0) == (signer == 0);
	bool backed = type == 0 || level.u != 0;
	if (legal && backed) {
		inv_holds(judge);
		return;
	}
	// A minimal process has no image whose signature could be checked (measured on Memory Compression).
	if (legal && minimal.u) {
		inv_excuse(judge, inv_subject_process(process), "minimal");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &protection,
	               legal ? "the process is protected" : "no process is protected like that");
	inv_field_says(judge, finding, INV_F_EPROCESS_SignatureLevel, &level, "the level of its signature");
	inv_tried(judge, finding, "minimal",
	          minimal.u ? "the pair of type and signer is not legal even then"
	                    : "Flags3.Minimal is clear, so it has an image");
}

void inv_judge_K08(struct inv_judge *judge)
{
	inv_each_process(judge, judge_protection);
}
