-- SPDX-License-Identifier: Apache-2.0
-- Process hollowing by one who debugs its victim, so that what is done to it looks like a debugger's work: all threads are suspended, a
-- thread breaks in, and PEB and DebugPort tell of the debugger.
local m = desktop()
local loader = process{name = "loader.exe", parent = m.explorer, session = 1, threads = 2}
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = loader, session = 1}
open(loader, p)
debug(loader, p)
thread(p, {start = module(p, "ntdll.dll", "DbgUiRemoteBreakin"), rip = module(p, "ntdll.dll", "DbgBreakPoint") + 1})
for _, t in ipairs(p.threads) do suspend(t) end
hollow(p)
breaks("I01", "I11")
