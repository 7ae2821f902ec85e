-- SPDX-License-Identifier: Apache-2.0
-- The same, and nothing of it can be written any more.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p, {protect = "rx"})
breaks("I01", "I11")
