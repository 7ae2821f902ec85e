-- SPDX-License-Identifier: Apache-2.0
-- A patched function is excused by no other image that was relocated.
local m = desktop()
local base = load(m.notepad, "other.dll", {at = 0x40000000})
write_memory(m.notepad, base + 0x1010, string.rep("\x40", 8))
write_memory(m.notepad, module(m.notepad, "ntdll.dll", "LdrLoadDll"), "\xe9\x00\x10\x00\x00")
