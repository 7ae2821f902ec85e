-- SPDX-License-Identifier: Apache-2.0
-- The loader has entered a library into its first list and not yet into the second.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "late.dll", {link = false})
link_module(p, "late.dll", {"load"})
clean()
