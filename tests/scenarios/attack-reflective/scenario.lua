-- SPDX-License-Identifier: Apache-2.0
-- A library that loads itself: it stands in private memory, header and all.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = alloc(p, {size = 0x4000, bytes = read_memory(p, module(p, "ntdll.dll"), 0x3000)})
protect(p, at, 0x4000, "rx")
write_memory(p, at, "MZ")
breaks("I12")
