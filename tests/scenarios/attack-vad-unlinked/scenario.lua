-- SPDX-License-Identifier: Apache-2.0
-- A range of injected code is taken out of the tree of VADs, and nothing that counts it is changed: its pages are left without a range.
local m = desktop()
local at = alloc(m.notepad, {size = 0x4000, protect = "rwx", bytes = string.rep("\x90", 64)})
unlink_vad(m.notepad, at)
breaks("M06", "M08")
