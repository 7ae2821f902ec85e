-- SPDX-License-Identifier: Apache-2.0
-- Hollowing by a section: the image of another file is mapped where the program was.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p, {file = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\other.exe"})
breaks("I01", "I02")
