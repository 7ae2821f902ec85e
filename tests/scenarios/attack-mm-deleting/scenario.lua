-- SPDX-License-Identifier: Apache-2.0
-- A liar who imitates deletion: no references, an exit time, the flag cleared and unlinked; a handle and threads are there.
local m = desktop()
unlink(m.notepad)
set(m.notepad, "_EPROCESS.ProcessInserted", 0)
set(m.notepad, "_EPROCESS.ExitTime", image_time() - seconds(5))
set(m.notepad.address - 0x30, "_OBJECT_HEADER.PointerCount", 0)
breaks("L03", "L17")
