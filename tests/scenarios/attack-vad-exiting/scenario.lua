-- SPDX-License-Identifier: Apache-2.0
-- A process whose thread runs claims that its address space is given back, so that nobody asks for the range of a page.
local m = desktop()
local at = alloc(m.notepad, {size = 0x4000, protect = "rwx"})
unlink_vad(m.notepad, at)
set(m.notepad, "_EPROCESS.VmDeleted", 1)
breaks("M06", "M08")
