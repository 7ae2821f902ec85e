-- SPDX-License-Identifier: Apache-2.0
-- A program that was started by a path through a link.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
peb(p, {image_path = "C:\\current\\app.exe"})
rename_module(p, "app.exe", "C:\\current\\app.exe")
clean()
