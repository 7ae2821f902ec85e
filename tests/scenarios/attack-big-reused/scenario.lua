-- SPDX-License-Identifier: Apache-2.0
-- The same where an older entry for the same address is free anyway: none of the two is in use.
machine{kernel = "17763"}
local m = desktop()
local process = process{name = "special.exe", parent = m.explorer, session = 1, big = "reused"}
local entry = big_entry(process)
set(entry, "_POOL_TRACKER_BIG_PAGES.Va", get(entry, "_POOL_TRACKER_BIG_PAGES.Va") | 1)
breaks("L14")
