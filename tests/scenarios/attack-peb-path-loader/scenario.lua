-- SPDX-License-Identifier: Apache-2.0
-- The same, and the loader names that program too.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
peb(p, {image_path = "C:\\Windows\\System32\\explorer.exe"})
rename_module(p, "host.exe", "C:\\Windows\\System32\\explorer.exe")
breaks("I05")
