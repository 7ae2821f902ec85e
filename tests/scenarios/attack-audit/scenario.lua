-- SPDX-License-Identifier: Apache-2.0
-- The name at creation is written over, and the short one.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
rename_process(p, "svchost.exe", {audit = "\\Device\\HarddiskVolume3\\Windows\\System32\\svchost.exe"})
breaks("I03", "I05")
