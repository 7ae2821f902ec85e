-- SPDX-License-Identifier: Apache-2.0
-- A 32-bit process passes for a 64-bit one, so that nobody looks for its 32-bit libraries.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2, wow64 = true}
set(p, "_EPROCESS.WoW64Process", 0)
breaks("I10")
