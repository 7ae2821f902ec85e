// SPDX-License-Identifier: Apache-2.0
// The names of the ATT&CK techniques that the catalogue of invariants has (source: attack.mitre.org, Enterprise, version 16).
#include <string.h>

#include "report/export.h"

static const struct {
	const char *id, *name;
} techniques[] = {
    {"T1003.001", "OS Credential Dumping: LSASS Memory"},
    {"T1014", "Rootkit"},
    {"T1027", "Obfuscated Files or Information"},
    {"T1036", "Masquerading"},
    {"T1036.005", "Masquerading: Match Legitimate Name or Location"},
    {"T1055", "Process Injection"},
    {"T1055.001", "Process Injection: Dynamic-link Library Injection"},
    {"T1055.002", "Process Injection: Portable Executable Injection"},
    {"T1055.003", "Process Injection: Thread Execution Hijacking"},
    {"T1055.004", "Process Injection: Asynchronous Procedure Call"},
    {"T1055.012", "Process Injection: Process Hollowing"},
    {"T1055.013", "Process Injection: Process Doppelgänging"},
    {"T1068", "Exploitation for Privilege Escalation"},
    {"T1070.006", "Indicator Removal: Timestomp"},
    {"T1106", "Native API"},
    {"T1134", "Access Token Manipulation"},
    {"T1134.001", "Access Token Manipulation: Token Impersonation/Theft"},
    {"T1134.002", "Access Token Manipulation: Create Process with Token"},
    {"T1134.003", "Access Token Manipulation: Make and Impersonate Token"},
    {"T1134.004", "Access Token Manipulation: Parent PID Spoofing"},
    {"T1553.006", "Subvert Trust Controls: Code Signing Policy Modification"},
    {"T1562", "Impair Defenses"},
    {"T1562.001", "Impair Defenses: Disable or Modify Tools"},
    {"T1562.006", "Impair Defenses: Indicator Blocking"},
    {"T1564", "Hide Artifacts"},
    {"T1564.010", "Hide Artifacts: Process Argument Spoofing"},
    {"T1611", "Escape to Host"},
    {"T1620", "Reflective Code Loading"},
    {"T1622", "Debugger Evasion"},
};

const char *inv_technique_name(const char *id)
{
	for (size_t i = 0; i < sizeof techniques / sizeof techniques[0]; i++)
		if (strcmp(id, techniques[i].id) == 0)
			return techniques[i].name;
	return NULL;
}

void inv_each_technique(const char *attack, void (*each)(void *context, const char *id), void *context)
{
	while (attack && *attack) {
		char id[16];
		size_t length = strcspn(attack, ", ");
		if (length > 0 && length < sizeof id) {
			memcpy(id, attack, length);
			id[length] = 0;
			each(context, id);
		}
		attack += length;
		attack += strspn(attack, ", ");
	}
}
