-- SPDX-License-Identifier: Apache-2.0
-- The same by somebody who knows of VadCount and VadHint: pages without a range are left, and the bytes that the process counts.
local m = desktop()
local at = alloc(m.notepad, {size = 0x400000, protect = "rwx", bytes = string.rep("\x90", 64)})
unlink_vad(m.notepad, at, {count = true, hint = true})
breaks("M06")
