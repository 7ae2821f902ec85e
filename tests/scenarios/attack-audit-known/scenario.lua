-- SPDX-License-Identifier: Apache-2.0
-- The same with the name of a program that another process runs, and the process' own path agrees: it passes for one
-- whose file was renamed, but the loader lists a name that is not the mapped file's.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
rename_process(p, "explorer.exe", {audit = "\\Device\\HarddiskVolume3\\Windows\\System32\\explorer.exe"})
peb(p, {image_path = "C:\\Windows\\System32\\explorer.exe"})
breaks("I06")
