// SPDX-License-Identifier: Apache-2.0
// What is known of which builds beside their layouts and symbols, and from where. What is named here must hold for every build of a
// row; of a build in no row it is not known, which is no proof of the contrary.
#include "facts/facts.h"

#define XP 2600u // the oldest kernel that is asked about

struct row {
	enum inv_known what;
	uint16_t first, last; // builds
};

static const struct row rows[] = {
    // Public sources on Windows 7 (ReactOS has the same); measured on dumps of 19041. Editions up to 19045 share that kernel.
    {INV_CSRSS_SETS_PORT, XP, 9199},
    {INV_CSRSS_SETS_PORT, 19041, 19045},
    // Geoff Chappell's description of W32PROCESS: to 1803, and to 8.1.
    {INV_W32_PID_PLACE, XP, 17134},
    {INV_W32_DXPROCESS_PLACE, XP, 9600},
    // Before 1903 all pool stands on the lists of POOL_DESCRIPTOR (every symbol table: ListHeads is gone from 18362 on).
    {INV_POOL_HEADERS_TELL, XP, 18361},
    // Public sources to 1607; what stands there later nobody has verified.
    {INV_TEB_HAS_THREADINFO, XP, 14393},
    // wdm.h of the Windows Driver Kit of this build; privileges are only ever added.
    {INV_PRIVILEGES_DEFINED, XP, 26100},
};

bool inv_facts_known(uint16_t build, enum inv_known what)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].what == what && build >= rows[i].first && build <= rows[i].last)
			return true;
	return false;
}
