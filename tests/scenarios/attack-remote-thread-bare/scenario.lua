-- SPDX-License-Identifier: Apache-2.0
-- The same, and no range covers the code: its VAD was taken out of the tree, and the page tables still lead there.
local m = desktop()
local code = 0x7ff000000
map(m.explorer, {address = code, kind = "private"})
thread(m.explorer, {start = code})
