// SPDX-License-Identifier: Apache-2.0
// Family 7: protected processes.
#include "invariant/families.h"

// PS_PROTECTION: Type in bits 0..2 (0 none, 1 light, 2 full), Audit in bit 3, Signer in bits 4..7 (0 none to 8 App).
#define HIGHEST_TYPE 2u
#define HIGHEST_SIGNER 8u
#define LEVEL 0xfu // of a signature level: SE_SIGNING_LEVEL; what the bits above it mean is not verified

// The levels of signature that each signer demands, of the image and of what it loads (public practice: Ionescu's description of
// protected processes. Measured only of System, whose signer is WinSystem). 0: nobody has described them.
static const struct {
	uint8_t image, section;
} levels[HIGHEST_SIGNER + 1] = {{0, 0}, {4, 4}, {0, 0}, {7, 7}, {0xc, 8}, {0xc, 0xc}, {0xe, 0xc}, {0xe, 0xc}, {0, 0}};

struct facts {
	struct inv_value protection, level, section, minimal;
	unsigned type, signer;
	bool legal;
};

static struct facts facts_of(const struct inv_kernel *kernel, uint64_t process)
{
	struct facts facts = {.protection = inv_field(kernel, process, INV_F_EPROCESS_Protection),
	                      .level = inv_field(kernel, process, INV_F_EPROCESS_SignatureLevel),
	                      .section = inv_field(kernel, process, INV_F_EPROCESS_SectionSignatureLevel),
	                      .minimal = inv_field(kernel, process, INV_F_EPROCESS_Minimal)};
	facts.type = facts.protection.u & 7;
	facts.signer = facts.protection.u >> 4 & 15;
	facts.legal =
	    facts.type <= HIGHEST_TYPE && facts.signer <= HIGHEST_SIGNER && (facts.type == 0) == (facts.signer == 0);
	return facts;
}

static bool has_levels_of(const struct facts *facts, unsigned signer)
{
	return (facts->level.u & LEVEL) == levels[signer].image && (facts->section.u & LEVEL) == levels[signer].section;
}

struct inv_protection inv_protection_of(const struct inv_kernel *kernel, uint64_t process)
{
	struct facts facts = facts_of(kernel, process);
	bool bare = facts.type == 0 || (facts.minimal.ok && facts.minimal.u);
	bool sound = facts.legal && (bare || (facts.level.ok && facts.level.u));
	bool described = facts.legal && levels[facts.signer].image;
	return (struct inv_protection){
	    .value = facts.protection,
	    .type = facts.protection.ok ? facts.type : 0,
	    .signer = facts.signer,
	    .sound = sound,
	    .of_class = sound && (bare || !described || (facts.section.ok && has_levels_of(&facts, facts.signer)))};
}

static void says_levels(struct inv_judge *judge, struct inv_finding *finding, const struct facts *facts)
{
	inv_field_says(judge, finding, INV_F_EPROCESS_SignatureLevel, &facts->level, "the level of its signature");
	if (facts->section.ok)
		inv_field_says(judge, finding, INV_F_EPROCESS_SectionSignatureLevel, &facts->section,
		               "the level that it demands of what it loads");
}

// A protected process has the levels of its signer. Of which signer which, was measured of one only: another pair is no proof.
static void judge_class(struct inv_judge *judge, const struct inv_dossier *process, const struct facts *facts)
{
	if (!levels[facts->signer].image || !facts->section.ok || has_levels_of(facts, facts->signer)) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &facts->protection,
	               "a signer whose processes have signatures of level 0x%x and demand 0x%x",
	               levels[facts->signer].image, levels[facts->signer].section);
	says_levels(judge, finding, facts);
}

// Protection that was taken away leaves the levels that only a protected signer's process has. A policy of the process may also raise
// them.
static void judge_unprotected(struct inv_judge *judge, const struct inv_dossier *process, const struct facts *facts)
{
	unsigned like = 0;
	for (unsigned signer = 3; signer <= HIGHEST_SIGNER && facts->section.ok; signer++)
		if (levels[signer].image && has_levels_of(facts, signer))
			like = signer;
	if (!like) {
		inv_holds(judge);
		return;
	}
	struct inv_finding *finding = inv_observed(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &facts->protection, "the process is not protected");
	says_levels(judge, finding, facts);
}

static void judge_protection(struct inv_judge *judge, const struct inv_dossier *process)
{
	struct facts facts = facts_of(judge->kernel, process->address);
	if (!inv_need(judge, &facts.protection) || !inv_need(judge, &facts.level) || !inv_need(judge, &facts.minimal))
		return;
	if (facts.legal && facts.type == 0) {
		judge_unprotected(judge, process, &facts);
		return;
	}
	if (facts.legal && facts.level.u) {
		judge_class(judge, process, &facts);
		return;
	}
	// A minimal process has no image whose signature could be checked (measured on Memory Compression).
	if (facts.legal && facts.minimal.u) {
		inv_excuse(judge, inv_subject_process(process), "minimal");
		return;
	}
	struct inv_finding *finding = inv_broken(judge, inv_subject_process(process), INV_TIER_EXECUTIVE);
	inv_field_says(judge, finding, INV_F_EPROCESS_Protection, &facts.protection,
	               facts.legal ? "the process is protected" : "no process is protected like that");
	says_levels(judge, finding, &facts);
	inv_tried(judge, finding, "minimal",
	          facts.minimal.u ? "the pair of type and signer is not legal even then"
	                          : "Flags3.Minimal is clear, so it has an image");
}

void inv_judge_K08(struct inv_judge *judge)
{
	inv_each_process(judge, judge_protection);
}
