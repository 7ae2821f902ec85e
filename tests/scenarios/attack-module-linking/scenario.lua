-- SPDX-License-Identifier: Apache-2.0
-- A library that is on the list of load order only, as while the loader enters it; but another was entered after it.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "hidden.dll")
load(p, "other.dll")
unlink_module(p, "hidden.dll", {"memory", "initialization"})
breaks("I11")
