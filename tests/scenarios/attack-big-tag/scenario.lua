-- SPDX-License-Identifier: Apache-2.0
-- The tag of the block in which a listed process lies is wiped in PoolBigPageTable.
machine{kernel = "7601"}
local m = desktop()
wipe_tag(process{name = "special.exe", parent = m.explorer, session = 1, big = true})
breaks("L14")
