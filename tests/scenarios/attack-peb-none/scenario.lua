-- SPDX-License-Identifier: Apache-2.0
-- The pointer to the PEB is cleared: readers that take a process without PEB for one of the kernel pass it over.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
set(p, "_EPROCESS.Peb", 0)
breaks("I01")
