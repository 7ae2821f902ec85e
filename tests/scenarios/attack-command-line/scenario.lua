-- SPDX-License-Identifier: Apache-2.0
-- The command line is written anew, where there is room for it.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
peb(p, {command_line = "powershell.exe -nop -noexit -command " .. string.rep("x", 600)})
breaks("I14")
