-- SPDX-License-Identifier: Apache-2.0
-- A library that runs is taken off all lists of the loader, and its header in memory claims that it holds code of .NET.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = load(p, "hidden.dll")
local header = at + string.unpack("<I4", read_memory(p, at + 0x3c, 4))
local descriptor = 0x800 -- in the page of the header
write_memory(p, header + 24 + 112 + 14 * 8, string.pack("<I4I4", descriptor, 72))
write_memory(p, at + descriptor, string.pack("<I4I2I2I8I4", 72, 2, 5, 0, 4) .. string.rep("\0", 44) .. string.pack("<I4I4", 0x1000, 16))
unlink_module(p, "hidden.dll")
breaks("I11")
