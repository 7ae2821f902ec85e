-- SPDX-License-Identifier: Apache-2.0
-- The loader lists a library that is mapped no more; private memory stands there.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = load(p, "victim.dll")
unmap(p, at)
alloc(p, {at = at, size = 0x8000, protect = "rx"})
set(p, "_EPROCESS.ExitStatus", 0x103)
breaks("I11")
