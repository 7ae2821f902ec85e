-- SPDX-License-Identifier: Apache-2.0
-- A packed program has erased its own header.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
write_memory(p, get(p, "_EPROCESS.SectionBaseAddress"), string.rep("\0", 0x400))
clean()
