-- SPDX-License-Identifier: Apache-2.0
-- A view of a 32-bit process is executed though it was mapped to be read: without DEP that is so for each page that is executed once.
local m = desktop()
local p = process{name = "old.exe", parent = m.explorer, session = 1, wow64 = true}
local at = map_file(p, "C:\\Users\\user\\data.bin", {at = 0x30000000, bytes = string.rep("\x90", 4096)})
set_pte(p, at, {execute = true})
