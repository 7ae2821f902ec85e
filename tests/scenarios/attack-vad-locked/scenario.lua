-- SPDX-License-Identifier: Apache-2.0
-- Who hides a range also makes it look as if ranges were being changed at that moment: no proof is left, but what the process counts.
local m = desktop()
local at = alloc(m.notepad, {size = 0x400000, protect = "rwx", bytes = string.rep("\x90", 64)})
unlink_vad(m.notepad, at)
lock_ranges(m.notepad)
