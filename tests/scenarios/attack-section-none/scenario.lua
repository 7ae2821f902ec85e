-- SPDX-License-Identifier: Apache-2.0
-- The section is cleared, and the process passes for one without a program.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.SectionObject", 0)
if has("_EPROCESS.Minimal") then set(p, "_EPROCESS.Minimal", 1) end
breaks("I01")
