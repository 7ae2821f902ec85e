// SPDX-License-Identifier: Apache-2.0
// The names and tactics of the ATT&CK techniques that the catalogue of invariants has. Source: github.com/mitre/cti, Enterprise
// ATT&CK 18.1, with which tests/peers/attack_names.py compares them.
#include <string.h>

#include "report/export.h"

static const struct technique {
	const char *id, *name, *tactics;
} techniques[] = {
    {"T1003.001", "OS Credential Dumping: LSASS Memory", "credential-access"},
    {"T1014", "Rootkit", "defense-evasion"},
    {"T1027", "Obfuscated Files or Information", "defense-evasion"},
    {"T1036", "Masquerading", "defense-evasion"},
    {"T1036.005", "Masquerading: Match Legitimate Resource Name or Location", "defense-evasion"},
    {"T1055", "Process Injection", "defense-evasion, privilege-escalation"},
    {"T1055.001", "Process Injection: Dynamic-link Library Injection", "defense-evasion, privilege-escalation"},
    {"T1055.002", "Process Injection: Portable Executable Injection", "defense-evasion, privilege-escalation"},
    {"T1055.003", "Process Injection: Thread Execution Hijacking", "defense-evasion, privilege-escalation"},
    {"T1055.004", "Process Injection: Asynchronous Procedure Call", "defense-evasion, privilege-escalation"},
    {"T1055.012", "Process Injection: Process Hollowing", "defense-evasion, privilege-escalation"},
    {"T1055.013", "Process Injection: Process Doppelgänging", "defense-evasion, privilege-escalation"},
    {"T1068", "Exploitation for Privilege Escalation", "privilege-escalation"},
    {"T1070.006", "Indicator Removal: Timestomp", "defense-evasion"},
    {"T1106", "Native API", "execution"},
    {"T1134", "Access Token Manipulation", "defense-evasion, privilege-escalation"},
    {"T1134.001", "Access Token Manipulation: Token Impersonation/Theft", "defense-evasion, privilege-escalation"},
    {"T1134.002", "Access Token Manipulation: Create Process with Token", "defense-evasion, privilege-escalation"},
    {"T1134.003", "Access Token Manipulation: Make and Impersonate Token", "defense-evasion, privilege-escalation"},
    {"T1134.004", "Access Token Manipulation: Parent PID Spoofing", "defense-evasion, privilege-escalation"},
    {"T1553.006", "Subvert Trust Controls: Code Signing Policy Modification", "defense-evasion"},
    {"T1562", "Impair Defenses", "defense-evasion"},
    {"T1562.001", "Impair Defenses: Disable or Modify Tools", "defense-evasion"},
    {"T1562.006", "Impair Defenses: Indicator Blocking", "defense-evasion"},
    {"T1564", "Hide Artifacts", "defense-evasion"},
    {"T1564.010", "Hide Artifacts: Process Argument Spoofing", "defense-evasion"},
    {"T1611", "Escape to Host", "privilege-escalation"},
    {"T1620", "Reflective Code Loading", "defense-evasion"},
    {"T1622", "Debugger Evasion", "defense-evasion, discovery"},
};

static const struct technique *find(const char *id)
{
	for (size_t i = 0; i < sizeof techniques / sizeof techniques[0]; i++)
		if (strcmp(id, techniques[i].id) == 0)
			return &techniques[i];
	return NULL;
}

const char *inv_technique_name(const char *id)
{
	const struct technique *technique = find(id);
	return technique ? technique->name : NULL;
}

// The words of a list like "T1014, T1564".
static void each_word(const char *list, void (*each)(void *context, const char *word), void *context)
{
	while (list && *list) {
		char word[32];
		size_t length = strcspn(list, ", ");
		if (length > 0 && length < sizeof word) {
			memcpy(word, list, length);
			word[length] = 0;
			each(context, word);
		}
		list += length;
		list += strspn(list, ", ");
	}
}

void inv_each_technique(const char *attack, void (*each)(void *context, const char *id), void *context)
{
	each_word(attack, each, context);
}

void inv_each_tactic(const char *id, void (*each)(void *context, const char *tactic), void *context)
{
	const struct technique *technique = find(id);
	each_word(technique ? technique->tactics : NULL, each, context);
}
