-- SPDX-License-Identifier: Apache-2.0
-- A library that is entered with the loader and not initialised yet.
local m = desktop()
local p = process{name = "app.exe", parent = m.explorer, session = 1, threads = 2}
load(p, "late.dll", {link = false})
link_module(p, "late.dll", {"load", "memory"})
clean()
