-- SPDX-License-Identifier: Apache-2.0
-- Process ghosting: the file was to be deleted already when the section was made from it.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
ghost(p)
breaks("I07")
