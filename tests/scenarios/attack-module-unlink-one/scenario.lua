-- SPDX-License-Identifier: Apache-2.0
-- A library is taken off the list of load order only.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "hidden.dll")
unlink_module(p, "hidden.dll", {"load"})
breaks("I11")
