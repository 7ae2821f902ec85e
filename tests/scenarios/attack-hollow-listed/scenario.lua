-- SPDX-License-Identifier: Apache-2.0
-- The hollowed program has the name of one that others never look at.
local m = desktop()
local p = process{name = "MsMpEng.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\MsMpEng.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p, {protect = "rx"})
breaks("I01", "I11")
