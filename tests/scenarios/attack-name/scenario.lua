-- SPDX-License-Identifier: Apache-2.0
-- The short name of the process is written over.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
rename_process(p, "svchost.exe")
breaks("I04")
