-- SPDX-License-Identifier: Apache-2.0
-- A process that was made just now: its one thread has not entered the loader.
local m = desktop()
local p = process{name = "app.exe", parent = m.explorer, session = 1, threads = 1}
for _, name in ipairs{"kernel32.dll", "KERNELBASE.dll"} do unload(p, name) end
for _, name in ipairs{"app.exe", "ntdll.dll"} do unlink_module(p, name) end
clean()
