-- SPDX-License-Identifier: Apache-2.0
-- A library that is mapped for what it holds beside code: on no list, and no code of it is in use.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 2}
local at = load(p, "strings.dll", {link = false})
for page = 1, 4 do page_state(p, at + page * 0x1000, "demand") end
clean()
