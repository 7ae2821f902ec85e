// SPDX-License-Identifier: Apache-2.0
// Whose SIDs are, as the machine's own registry says: profiles of users, and services. What stands there is text that an administrator
// can write, and proves nothing.
#ifndef INV_NT_ACCOUNTS_H
#define INV_NT_ACCOUNTS_H

#include "nt/hive.h"
#include "nt/sid.h"

#define INV_PROFILES 4096u // that are read
#define INV_SERVICES 16384u

// Where the name of a SID comes from.
enum inv_account_source {
	INV_ACCOUNT_NONE,
	INV_ACCOUNT_WELL_KNOWN, // Windows' own, the same on every machine
	INV_ACCOUNT_PROFILE,    // the last part of the folder that ProfileList has for it
	INV_ACCOUNT_SERVICE,    // the key of the service whose SID it is by its name
	INV_ACCOUNT_SESSION,    // of the logon session of the token
};
const char *inv_account_source_name(enum inv_account_source source); // "profile"; NULL for none

struct inv_profile {
	const char *sid;  // as the key is named: "S-1-5-21-..."
	const char *path; // ProfileImagePath; "" when it could not be read
	const char *name; // its last part
};

struct inv_service {
	struct inv_sid sid;
	const char *name;
};

// One hive that was looked for.
struct inv_account_hive {
	const char *path; // "\REGISTRY\MACHINE\SOFTWARE"
	const char *key;  // beneath it, what was looked for
	uint64_t address; // 0: no hive has this path
	bool found;       // the key was
	struct inv_hive_coverage coverage;
};

struct inv_accounts {
	struct inv_hives hives;
	struct inv_account_hive software, system;
	struct inv_profile *profiles; // stb_ds
	struct inv_service *services; // stb_ds, by SID
	struct inv_arena *arena;      // of all texts
};

// Reads the hives SOFTWARE and SYSTEM, of them Microsoft\Windows NT\CurrentVersion\ProfileList and the services of the control set that
// Select names as the current one (the first, when it could not be read).
void inv_accounts_read(const struct inv_kernel *kernel, struct inv_accounts *accounts);
void inv_accounts_free(struct inv_accounts *accounts);

// The name of a SID, and where it comes from; NULL: none is known.
const char *inv_account_name(const struct inv_accounts *accounts, const struct inv_sid *sid,
                             enum inv_account_source *source);

// The SID of a service: S-1-5-80 and the SHA-1 of its name in upper case and UTF-16, in five words (MS-DTYP 2.4.2.4 has the form;
// learn.microsoft.com, "sc showsid", shows it). `name` is UTF-8; letters beyond Latin-1 are taken as they stand.
void inv_sid_of_service(const char *name, struct inv_sid *sid);

#endif
