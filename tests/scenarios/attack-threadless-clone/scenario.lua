-- SPDX-License-Identifier: Apache-2.0
-- The same, and it passes for a clone of another process.
local m = desktop()
hide_threads(m.notepad)
set(m.notepad, "_EPROCESS.CloneRoot", m.cmd.address + 0x100)
set(m.notepad, "_EPROCESS.SectionObject", get(m.cmd, "_EPROCESS.SectionObject"))
breaks("X05")
