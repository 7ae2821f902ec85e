-- SPDX-License-Identifier: Apache-2.0
-- The program is taken off the loader's lists, so that a library is first.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
unlink_module(p, "host.exe")
breaks("I06", "I11")
