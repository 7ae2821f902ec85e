-- SPDX-License-Identifier: Apache-2.0
-- On a segment heap, whose own records are not read, an entry that is marked as free proves nothing.
machine{kernel = "19041"}
local m = desktop()
local process = process{name = "special.exe", parent = m.explorer, session = 1, big = true}
local entry = big_entry(process)
set(entry, "_POOL_TRACKER_BIG_PAGES.Va", get(entry, "_POOL_TRACKER_BIG_PAGES.Va") | 1)
clean()
