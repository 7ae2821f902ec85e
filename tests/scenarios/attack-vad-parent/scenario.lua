-- SPDX-License-Identifier: Apache-2.0
-- A node of the tree leads back to nobody.
local m = desktop()
local at = alloc(m.notepad, {size = 0x10000})
set_vad(m.notepad, at, {parent = m.explorer})
breaks("M08")
