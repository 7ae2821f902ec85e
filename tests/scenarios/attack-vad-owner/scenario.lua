-- SPDX-License-Identifier: Apache-2.0
-- A view in the tree belongs to another process.
local m = desktop()
set_vad(m.notepad, module(m.notepad, "kernel32.dll"), {owner = m.explorer})
breaks("M08")
