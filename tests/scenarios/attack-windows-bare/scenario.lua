-- SPDX-License-Identifier: Apache-2.0
-- A program makes USER calls by itself, without what Windows has for that: nothing that win32k could call is in the process.
local m = desktop()
local p = process{name = "bare.exe", parent = m.explorer, session = 1, threads = 2, gui = true}
unload(p, "user32.dll")
peb(p, {routines = 0})
breaks("S05")
