-- SPDX-License-Identifier: Apache-2.0
-- All lists of the loader are emptied: readers that want three libraries pass the process over.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
for _, name in ipairs{"host.exe", "ntdll.dll", "kernel32.dll", "KERNELBASE.dll"} do unlink_module(p, name) end
breaks("I06", "I11")
