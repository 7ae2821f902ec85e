// SPDX-License-Identifier: Apache-2.0
// The findings of a check in the forms of other programs: a layer for the ATT&CK Navigator, a bundle of STIX.
#ifndef INV_REPORT_EXPORT_H
#define INV_REPORT_EXPORT_H

#include <jansson.h>

#include "check/check.h"

// Format 4.5 of layers: a row a technique. The caller releases it.
json_t *inv_navigator_layer(const struct inv_check *check, const char *version);

// STIX 2.1: a report with the findings as notes, the processes that they are about as observed data, and the techniques as attack
// patterns. No indicators: that one machine's records contradict each other is no pattern to look for on others. The caller releases
// it.
json_t *inv_stix_bundle(const struct inv_check *check, const char *version);

#define INV_ATTACK_VERSION "18" // of Enterprise ATT&CK: whose names and tactics these are

// The name of an ATT&CK technique; NULL: it is in no invariant.
const char *inv_technique_name(const char *id);
// The identifiers that stand in `attack`, "T1014, T1564": calls each(context, id) for every one.
void inv_each_technique(const char *attack, void (*each)(void *context, const char *id), void *context);
// The tactics that ATT&CK has the technique under, "defense-evasion": none where it is in no invariant.
void inv_each_tactic(const char *id, void (*each)(void *context, const char *tactic), void *context);

#endif
