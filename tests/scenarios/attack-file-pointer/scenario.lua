-- SPDX-License-Identifier: Apache-2.0
-- The pointer to the program's file is cleared.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.ImageFilePointer", 0)
breaks("I07")
