-- SPDX-License-Identifier: Apache-2.0
-- The program's file was renamed while it runs, as updates do.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
rename_file(p, "\\Users\\user\\AppData\\Local\\Temp\\app.old.exe")
clean()
