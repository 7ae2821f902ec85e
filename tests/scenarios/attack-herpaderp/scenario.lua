-- SPDX-License-Identifier: Apache-2.0
-- Process herpaderping: once the section was made, something else was written over the file.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
herpaderp(p)
breaks("I09", "I07")
