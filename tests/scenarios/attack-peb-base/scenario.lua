-- SPDX-License-Identifier: Apache-2.0
-- The PEB says that the program stands elsewhere.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
peb(p, {image_base = 0x10000})
breaks("I01")
