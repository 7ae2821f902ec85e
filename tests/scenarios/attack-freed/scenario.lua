-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates a deleted process: off the list, ProcessInserted and PointerCount cleared. Its threads still run.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad.address - 0x30, "_OBJECT_HEADER.PointerCount", 0) -- the header ends where the body begins
erase_cid(m.notepad)
breaks("X06", "L15")
