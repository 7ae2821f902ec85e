-- SPDX-License-Identifier: Apache-2.0
-- A library names itself as one that nobody has mapped.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "evil.dll")
rename_module(p, "evil.dll", "C:\\Windows\\System32\\version.dll")
breaks("I11")
