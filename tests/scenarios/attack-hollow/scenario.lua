-- SPDX-License-Identifier: Apache-2.0
-- Process hollowing: the program is unmapped, and another one stands in private memory at the same address.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
hollow(p)
breaks("I01", "I11")
