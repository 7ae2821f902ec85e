-- SPDX-License-Identifier: Apache-2.0
-- No range covers what an APC will run.
local m = desktop()
local code = 0x7ff000000
map(m.explorer, {address = code, kind = "private"})
queue_apc(m.explorer.threads[1], {routine = code})
breaks("T13")
