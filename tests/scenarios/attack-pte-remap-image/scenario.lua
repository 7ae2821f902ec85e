-- SPDX-License-Identifier: Apache-2.0
-- A page of ntdll is exchanged for one of another section, which is no combined page: its prototype PTE is that section's.
local m = desktop()
local at = map_file(m.explorer, "C:\\Users\\user\\code.bin", {bytes = string.rep("\x90", 4096)})
set_pte(m.notepad, module(m.notepad, "ntdll.dll", "LdrLoadDll"), {to = m.explorer, at = at})
breaks("M05")
