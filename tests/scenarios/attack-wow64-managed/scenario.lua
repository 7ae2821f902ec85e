-- SPDX-License-Identifier: Apache-2.0
-- The same, and its header passes for that of a program of .NET: the 32-bit libraries are on no list.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2, wow64 = true}
local base = get(p, "_EPROCESS.SectionBaseAddress")
local at = base + string.unpack("<I4", read_memory(p, base + 0x3c, 4)) + 24 + 96 + 14 * 8
write_memory(p, at, string.pack("<I4I4", 0x1000, 72))
set(p, "_EPROCESS.WoW64Process", 0)
breaks("I11")
