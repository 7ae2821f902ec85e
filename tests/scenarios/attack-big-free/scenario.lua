-- SPDX-License-Identifier: Apache-2.0
-- The entry of PoolBigPageTable for the block in which a listed process lies is marked as free.
machine{kernel = "14393"}
local m = desktop()
local process = process{name = "special.exe", parent = m.explorer, session = 1, big = true}
local entry = big_entry(process)
set(entry, "_POOL_TRACKER_BIG_PAGES.Va", get(entry, "_POOL_TRACKER_BIG_PAGES.Va") | 1)
breaks("L14")
