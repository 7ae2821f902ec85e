// SPDX-License-Identifier: Apache-2.0
#include "nt/sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define HEAD 8u // revision, count, authority

bool inv_sid_read(const struct inv_kernel *kernel, uint64_t address, struct inv_sid *sid, struct inv_why *why)
{
	uint8_t bytes[HEAD + 4 * INV_SID_SUBS];
	*sid = (struct inv_sid){0};
	*why = (struct inv_why){.reason = INV_NOT_CAPTURED, .address = address};
	if (!kernel->space || inv_space_read(kernel->space, address, bytes, HEAD, why) != HEAD)
		return false;
	*why = (struct inv_why){.reason = INV_PRESENT};
	sid->revision = bytes[0];
	sid->count = bytes[1];
	for (unsigned i = 2; i < HEAD; i++)
		sid->authority = sid->authority << 8 | bytes[i];
	if (sid->revision != 1 || sid->count > INV_SID_SUBS)
		return false;
	size_t rest = 4 * (size_t)sid->count;
	if (address > UINT64_MAX - HEAD - rest)
		return false;
	if (rest && inv_space_read(kernel->space, address + HEAD, bytes + HEAD, rest, why) != rest)
		return false;
	for (unsigned i = 0; i < sid->count; i++)
		sid->sub[i] = inv_le32(bytes + HEAD + 4 * (size_t)i);
	return true;
}

// The authority is in hexadecimal from 2^32 on (MS-DTYP 2.4.2.1).
const char *inv_sid_format(const struct inv_sid *sid, char text[INV_SID_TEXT_SIZE])
{
	int length = sid->authority >> 32
	                 ? snprintf(text, INV_SID_TEXT_SIZE, "S-%u-0x%012" PRIx64, (unsigned)sid->revision, sid->authority)
	                 : snprintf(text, INV_SID_TEXT_SIZE, "S-%u-%" PRIu64, (unsigned)sid->revision, sid->authority);
	for (unsigned i = 0; i < sid->count && i < INV_SID_SUBS && length < INV_SID_TEXT_SIZE; i++)
		length += snprintf(text + length, (size_t)(INV_SID_TEXT_SIZE - length), "-%" PRIu32, sid->sub[i]);
	return text;
}

bool inv_sid_equal(const struct inv_sid *a, const struct inv_sid *b)
{
	return a->revision == b->revision && a->count == b->count && a->authority == b->authority &&
	       memcmp(a->sub, b->sub, a->count * sizeof a->sub[0]) == 0;
}

bool inv_sid_is(const struct inv_sid *sid, uint64_t authority, unsigned count, uint32_t first, uint32_t second)
{
	return sid->revision == 1 && sid->authority == authority && sid->count == count &&
	       (count < 1 || sid->sub[0] == first) && (count < 2 || sid->sub[1] == second);
}

// -- names ------------------------------------------------------------------------------------------------------------------

struct known {
	uint64_t authority;
	unsigned count;
	uint32_t first, second;
	const char *name;
};

static const struct known well_known[] = {
    {0, 1, 0, 0, "Nobody"},
    {1, 1, 0, 0, "Everyone"},
    {2, 1, 0, 0, "Local"},
    {2, 1, 1, 0, "Console Logon"},
    {3, 1, 0, 0, "Creator Owner"},
    {3, 1, 1, 0, "Creator Group"},
    {3, 1, 4, 0, "Owner Rights"},
    {5, 1, 1, 0, "Dialup"},
    {5, 1, 2, 0, "Network"},
    {5, 1, 3, 0, "Batch"},
    {5, 1, 4, 0, "Interactive"},
    {5, 1, 6, 0, "Service"},
    {5, 1, 7, 0, "Anonymous Logon"},
    {5, 1, 8, 0, "Proxy"},
    {5, 1, 9, 0, "Enterprise Domain Controllers"},
    {5, 1, 10, 0, "Self"},
    {5, 1, 11, 0, "Authenticated Users"},
    {5, 1, 12, 0, "Restricted Code"},
    {5, 1, 13, 0, "Terminal Server User"},
    {5, 1, 14, 0, "Remote Interactive Logon"},
    {5, 1, 15, 0, "This Organization"},
    {5, 1, 17, 0, "IUSR"},
    {5, 1, 18, 0, "SYSTEM"},
    {5, 1, 19, 0, "LOCAL SERVICE"},
    {5, 1, 20, 0, "NETWORK SERVICE"},
    {5, 1, 33, 0, "Write Restricted Code"},
    {5, 1, 113, 0, "Local account"},
    {5, 1, 114, 0, "Local account and member of Administrators group"},
    {5, 1, 1000, 0, "Other Organization"},
    {5, 2, 32, 544, "BUILTIN\\Administrators"},
    {5, 2, 32, 545, "BUILTIN\\Users"},
    {5, 2, 32, 546, "BUILTIN\\Guests"},
    {5, 2, 32, 547, "BUILTIN\\Power Users"},
    {5, 2, 32, 551, "BUILTIN\\Backup Operators"},
    {5, 2, 32, 554, "BUILTIN\\Pre-Windows 2000 Compatible Access"},
    {5, 2, 32, 555, "BUILTIN\\Remote Desktop Users"},
    {5, 2, 32, 556, "BUILTIN\\Network Configuration Operators"},
    {5, 2, 32, 558, "BUILTIN\\Performance Monitor Users"},
    {5, 2, 32, 559, "BUILTIN\\Performance Log Users"},
    {5, 2, 32, 562, "BUILTIN\\Distributed COM Users"},
    {5, 2, 32, 568, "BUILTIN\\IIS_IUSRS"},
    {5, 2, 32, 569, "BUILTIN\\Cryptographic Operators"},
    {5, 2, 32, 573, "BUILTIN\\Event Log Readers"},
    {5, 2, 32, 578, "BUILTIN\\Hyper-V Administrators"},
    {5, 2, 32, 580, "BUILTIN\\Remote Management Users"},
    {5, 2, 64, 10, "NTLM Authentication"},
    {5, 2, 64, 14, "SChannel Authentication"},
    {5, 2, 64, 21, "Digest Authentication"},
    {5, 2, 80, 0, "All Services"},
    {15, 2, 2, 1, "All Application Packages"},
    {15, 2, 2, 2, "All Restricted Application Packages"},
    {15, 2, 3, 1, "Internet Connection"},
    {15, 2, 3, 2, "Internet Connection, including incoming connections from the Internet"},
    {15, 2, 3, 3, "Home or Work Networks"},
    {16, 1, 0x0000, 0, "Untrusted Mandatory Level"},
    {16, 1, 0x1000, 0, "Low Mandatory Level"},
    {16, 1, 0x2000, 0, "Medium Mandatory Level"},
    {16, 1, 0x2100, 0, "Medium Plus Mandatory Level"},
    {16, 1, 0x3000, 0, "High Mandatory Level"},
    {16, 1, 0x4000, 0, "System Mandatory Level"},
    {16, 1, 0x5000, 0, "Protected Process Mandatory Level"},
    {18, 1, 1, 0, "Authentication authority asserted identity"},
    {18, 1, 2, 0, "Service asserted identity"},
};

// Of a domain or machine: S-1-5-21-a-b-c-RID.
static const char *domain_name(uint32_t rid)
{
	static const struct {
		uint32_t rid;
		const char *name;
	} names[] = {{500, "Administrator"},
	             {501, "Guest"},
	             {502, "KRBTGT"},
	             {503, "DefaultAccount"},
	             {512, "Domain Admins"},
	             {513, "Domain Users"},
	             {514, "Domain Guests"},
	             {515, "Domain Computers"},
	             {516, "Domain Controllers"},
	             {518, "Schema Admins"},
	             {519, "Enterprise Admins"},
	             {520, "Group Policy Creator Owners"},
	             {553, "RAS and IAS Servers"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].rid == rid)
			return names[i].name;
	return NULL;
}

// Families of which each has SIDs of its own.
static const char *family_name(const struct inv_sid *sid)
{
	if (sid->revision != 1 || sid->count < 2)
		return NULL;
	if (sid->authority == 5 && sid->sub[0] == 5 && sid->count == 3)
		return "Logon Session";
	if (sid->authority == 5 && sid->sub[0] == 21 && sid->count == 5)
		return domain_name(sid->sub[4]);
	if (sid->authority == 5 && sid->sub[0] == 80)
		return "NT Service";
	if (sid->authority == 5 && sid->sub[0] == 90)
		return "Window Manager";
	if (sid->authority == 5 && sid->sub[0] == 96)
		return "Font Driver Host";
	if (sid->authority == 15 && sid->sub[0] == 2)
		return "Application Package";
	if (sid->authority == 15 && sid->sub[0] == 3)
		return "Capability";
	return NULL;
}

const char *inv_sid_name(const struct inv_sid *sid)
{
	for (size_t i = 0; i < sizeof well_known / sizeof *well_known; i++)
		if (inv_sid_is(sid, well_known[i].authority, well_known[i].count, well_known[i].first, well_known[i].second))
			return well_known[i].name;
	return family_name(sid);
}

bool inv_sid_integrity(const struct inv_sid *sid, uint32_t *level)
{
	*level = sid->count ? sid->sub[0] : 0;
	return sid->revision == 1 && sid->authority == 16 && sid->count == 1;
}

const char *inv_integrity_name(uint32_t level)
{
	switch (level) {
	case 0:
		return "untrusted";
	case INV_INTEGRITY_LOW:
		return "low";
	case INV_INTEGRITY_MEDIUM:
		return "medium";
	case 0x2100:
		return "medium plus";
	case INV_INTEGRITY_HIGH:
		return "high";
	case INV_INTEGRITY_SYSTEM:
		return "system";
	case 0x5000:
		return "protected";
	default:
		return NULL;
	}
}

const char *inv_privilege_name(unsigned bit)
{
	static const char *const names[] = {
	    [2] = "SeCreateTokenPrivilege",
	    [3] = "SeAssignPrimaryTokenPrivilege",
	    [4] = "SeLockMemoryPrivilege",
	    [5] = "SeIncreaseQuotaPrivilege",
	    [6] = "SeMachineAccountPrivilege",
	    [7] = "SeTcbPrivilege",
	    [8] = "SeSecurityPrivilege",
	    [9] = "SeTakeOwnershipPrivilege",
	    [10] = "SeLoadDriverPrivilege",
	    [11] = "SeSystemProfilePrivilege",
	    [12] = "SeSystemtimePrivilege",
	    [13] = "SeProfileSingleProcessPrivilege",
	    [14] = "SeIncreaseBasePriorityPrivilege",
	    [15] = "SeCreatePagefilePrivilege",
	    [16] = "SeCreatePermanentPrivilege",
	    [17] = "SeBackupPrivilege",
	    [18] = "SeRestorePrivilege",
	    [19] = "SeShutdownPrivilege",
	    [20] = "SeDebugPrivilege",
	    [21] = "SeAuditPrivilege",
	    [22] = "SeSystemEnvironmentPrivilege",
	    [23] = "SeChangeNotifyPrivilege",
	    [24] = "SeRemoteShutdownPrivilege",
	    [25] = "SeUndockPrivilege",
	    [26] = "SeSyncAgentPrivilege",
	    [27] = "SeEnableDelegationPrivilege",
	    [28] = "SeManageVolumePrivilege",
	    [29] = "SeImpersonatePrivilege",
	    [30] = "SeCreateGlobalPrivilege",
	    [31] = "SeTrustedCredManAccessPrivilege",
	    [32] = "SeRelabelPrivilege",
	    [33] = "SeIncreaseWorkingSetPrivilege",
	    [34] = "SeTimeZonePrivilege",
	    [35] = "SeCreateSymbolicLinkPrivilege",
	    [36] = "SeDelegateSessionUserImpersonatePrivilege",
	};
	return bit < sizeof names / sizeof *names ? names[bit] : NULL;
}

const char *inv_privilege_purpose(unsigned bit)
{
	static const char *const purposes[] = {
	    [2] = "make tokens",
	    [3] = "give a process its token",
	    [4] = "keep pages in memory",
	    [5] = "raise a process' quotas",
	    [6] = "add machines to the domain",
	    [7] = "act as a part of the system",
	    [8] = "manage audits, read the security log",
	    [9] = "take ownership of any object",
	    [10] = "load and unload drivers",
	    [11] = "profile the system",
	    [12] = "set the clock",
	    [13] = "profile one process",
	    [14] = "raise a process' base priority",
	    [15] = "make and size page files",
	    [16] = "make permanent objects",
	    [17] = "read any file, for backups",
	    [18] = "write any file, for restoring",
	    [19] = "shut this system down",
	    [20] = "open any process, for debugging",
	    [21] = "write to the security log",
	    [22] = "change the firmware's variables",
	    [23] = "pass folders without right to them, be told of changes",
	    [24] = "shut a system down over the network",
	    [25] = "undock the computer",
	    [26] = "synchronize the directory service",
	    [27] = "trust accounts for delegation",
	    [28] = "manage volumes",
	    [29] = "impersonate clients",
	    [30] = "make global objects from a session",
	    [31] = "read the credential manager as a trusted caller",
	    [32] = "raise an object's integrity",
	    [33] = "enlarge the working set",
	    [34] = "set the time zone",
	    [35] = "make symbolic links",
	    [36] = "impersonate another user of the same session",
	};
	return bit < sizeof purposes / sizeof *purposes ? purposes[bit] : NULL;
}
