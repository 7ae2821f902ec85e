-- SPDX-License-Identifier: Apache-2.0
-- The process claims the section of another program.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.SectionObject", get(m.cmd, "_EPROCESS.SectionObject"))
breaks("I01", "I02")
