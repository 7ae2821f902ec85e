// SPDX-License-Identifier: Apache-2.0
// Security identifiers and privileges: the binary form of a SID (winnt.h, _SID; MS-DTYP 2.4.2), and names. Names are those of
// "Well-known SIDs" on learn.microsoft.com and of the constants of winnt.h and wdm.h; they are never looked up on the machine.
#ifndef INV_NT_SID_H
#define INV_NT_SID_H

#include "kernel/kernel.h"

#define INV_SID_SUBS 15u      // SID_MAX_SUB_AUTHORITIES (winnt.h)
#define INV_SID_TEXT_SIZE 192 // "S-1-" 0x and twelve digits, fifteen times "-4294967295", a NUL

struct inv_sid {
	uint8_t revision, count;
	uint64_t authority; // 48 bits
	uint32_t sub[INV_SID_SUBS];
};

// Reads the SID at an address. false with `why` when it is not there; with `why` INV_PRESENT when what stands there is none: another
// revision than 1, or more than fifteen sub-authorities.
bool inv_sid_read(const struct inv_kernel *kernel, uint64_t address, struct inv_sid *sid, struct inv_why *why);

// "S-1-5-18". Returns `text`.
const char *inv_sid_format(const struct inv_sid *sid, char text[INV_SID_TEXT_SIZE]);
bool inv_sid_equal(const struct inv_sid *a, const struct inv_sid *b);
// Is it this authority with these sub-authorities and no more?
bool inv_sid_is(const struct inv_sid *sid, uint64_t authority, unsigned count, uint32_t first, uint32_t second);
// The name of a well-known one, also of those that end with a well-known RID ("Domain Users"); NULL: it has none. Static text.
const char *inv_sid_name(const struct inv_sid *sid);

// Levels of integrity: S-1-16-x (SECURITY_MANDATORY_LABEL_AUTHORITY, winnt.h). false: the SID is no label.
bool inv_sid_integrity(const struct inv_sid *sid, uint32_t *level);
#define INV_INTEGRITY_LOW 0x1000u
#define INV_INTEGRITY_MEDIUM 0x2000u
#define INV_INTEGRITY_HIGH 0x3000u
#define INV_INTEGRITY_SYSTEM 0x4000u
const char *inv_integrity_name(uint32_t level); // "medium"; NULL: not one that has a name. Static

// A privilege by its bit in SEP_TOKEN_PRIVILEGES, which is the low part of its LUID (wdm.h, SE_..._PRIVILEGE). NULL: Windows defines
// none of this number. Static text.
const char *inv_privilege_name(unsigned bit);
// What it is good for, in a few words (after learn.microsoft.com, "Privilege Constants"). NULL as above.
const char *inv_privilege_purpose(unsigned bit);
#define INV_PRIVILEGES UINT64_C(0x1ffffffffc) // 2 (SE_MIN_WELL_KNOWN_PRIVILEGE) to 36 (SE_MAX_WELL_KNOWN_PRIVILEGE)
// With one of these an administrator's token is filtered when he logs on, so that none is in a token of medium integrity: create
// token, TCB, take ownership, load driver, backup, restore, debug, impersonate, relabel (Windows Internals, "filtered admin token").
#define INV_PRIVILEGES_OF_ADMINISTRATORS UINT64_C(0x120160684)

#endif
