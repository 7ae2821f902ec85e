-- SPDX-License-Identifier: Apache-2.0
-- A library names itself as another that is mapped too.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "evil.dll")
rename_module(p, "evil.dll", "C:\\Windows\\System32\\ntdll.dll")
breaks("I11")
