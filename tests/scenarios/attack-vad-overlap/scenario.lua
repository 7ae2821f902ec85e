-- SPDX-License-Identifier: Apache-2.0
-- A range is made longer, over what its neighbour has.
local m = desktop()
local at = alloc(m.notepad, {at = 0x20000000, size = 0x10000})
alloc(m.notepad, {at = 0x20010000, size = 0x10000})
set_vad(m.notepad, at, {last = 0x20014000})
breaks("M08")
