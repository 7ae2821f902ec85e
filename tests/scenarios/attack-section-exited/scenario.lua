-- SPDX-License-Identifier: Apache-2.0
-- The section is cleared, and the process passes for one that has exited.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.SectionObject", 0)
set(p, "_EPROCESS.ExitTime", image_time())
breaks("I01", "X01")
