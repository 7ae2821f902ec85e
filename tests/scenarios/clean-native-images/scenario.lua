-- SPDX-License-Identifier: Apache-2.0
-- The run time of .NET has mapped images past the loader: one of native code that was compiled before, whose data it has written to,
-- and one that holds code of .NET alone, which is mapped as data too. The run time itself is on the lists.
local m = desktop()
local p = process{name = "app.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\app.exe", parent = m.explorer, session = 1, threads = 3}
load(p, "clr.dll")
load(p, "System.Core.ni.dll", {link = false, managed = true})
write_memory(p, module(p, "System.Core.ni.dll", ".data"), "resolved")
local plain = load(p, "Plain.dll", {link = false, managed = true})
for page = 1, 4 do page_state(p, plain + page * 0x1000, "demand") end
map_file(p, "C:\\Windows\\System32\\Plain.dll", {})
