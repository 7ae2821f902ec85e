-- SPDX-License-Identifier: Apache-2.0
-- A library whose file was made to look like native code of .NET is taken off all lists of the loader: but for who mapped it, the
-- records are those of an image that the run time mapped. It is seen, and no more.
local m = desktop()
local p = process{name = "host.exe", path = "\\Device\\HarddiskVolume3\\Users\\user\\AppData\\Local\\Temp\\host.exe", parent = m.explorer, session = 1, threads = 2}
local at = load(p, "hidden.dll", {managed = true})
write_memory(p, module(p, "hidden.dll", ".data"), "initialised")
unlink_module(p, "hidden.dll")
breaks("I11")
