-- SPDX-License-Identifier: Apache-2.0
-- Masquerading: the process' parameters name a program that somebody else runs.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
peb(p, {image_path = "C:\\Windows\\System32\\explorer.exe", command_line = "C:\\Windows\\System32\\explorer.exe"})
breaks("I05", "I06")
