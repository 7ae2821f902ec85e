-- SPDX-License-Identifier: Apache-2.0
-- The hollowed program passes for one that has ended, by the state that others take for it.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p)
set(p, "_DISPATCHER_HEADER.SignalState", 1)
breaks("I01", "X03")
