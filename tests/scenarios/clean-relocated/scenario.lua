-- SPDX-License-Identifier: Apache-2.0
-- A DLL is mapped elsewhere than its section was relocated for: the loader mends code that holds addresses, in copies.
local m = desktop()
local base = load(m.notepad, "other.dll", {at = 0x40000000})
write_memory(m.notepad, base + 0x1010, string.rep("\x40", 8))
clean()
