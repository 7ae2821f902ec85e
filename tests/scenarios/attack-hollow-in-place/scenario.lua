-- SPDX-License-Identifier: Apache-2.0
-- Hollowing in place: another program is written over the first, which stays mapped.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p, {in_place = true})
breaks("I08")
