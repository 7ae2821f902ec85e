-- SPDX-License-Identifier: Apache-2.0
-- A program of the console that was created past the subsystem.
local m = desktop()
process{name = "cmd.exe", parent = m.explorer, session = 1, threads = 2, subsystem = "console", registered = false}
breaks("S01")
